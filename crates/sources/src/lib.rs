//! The log formats: bytes to events. The only parser code of the house.
//!
//! Decoding cannot fail: a record gives events *and* rejects ([`decode::Decoded`]), and is stateless, so that the same
//! bytes always give the same events. The choice that shapes it: one pass over borrowed text into small structs of our
//! own, field by field lenient, because a log whose producer writes a number for a string must not lose an event. A
//! document tree is built only for the rare operations that change protection.
//!
//! Start with [`source`] (which formats there are), then [`decode`] (what comes out).

mod aws;
pub mod catalogue_rows;
mod container;
pub mod decode;
mod event_time;
mod lenient;
mod nesting;
mod ocsf;
pub mod source;
