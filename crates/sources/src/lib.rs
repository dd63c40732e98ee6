//! The log formats: bytes to events. The only parser code of the house.
//!
//! Decoding cannot fail: a record gives events *and* rejects ([`decode::Decoded`]), and is stateless, so that the same
//! bytes always give the same events. The choice that shapes it: one pass over borrowed text into small structs of our
//! own, field by field lenient, because a log whose producer writes a number for a string must not lose an event. A
//! document tree is built only for the rare operations that change protection.
//!
//! Start with [`source`] (which formats there are), then [`decode`] (what comes out). What stands around an event is
//! taken off by `container`, for all sources alike; `recognise` tells one source from another.

mod act;
mod aws;
mod azure;
pub mod catalogue_rows;
mod changes;
mod container;
mod databricks;
pub mod decode;
mod elastic;
mod event_time;
mod format;
mod gcp;
mod k8s;
mod kafka;
mod lenient;
pub mod mapping;
mod mongodb;
mod mysql;
mod nesting;
mod network;
mod node;
mod ocsf;
mod postgres;
mod recognise;
mod redis;
pub mod reference;
pub mod registry;
mod s3_access;
mod secrets;
mod snowflake;
pub mod source;
mod sql;
mod time_text;
