//! Kafka, by librdkafka: the only crate that knows it.
//!
//! The choice that shapes it: a rebalance is handed to the loop as an input. librdkafka's event interface waits with
//! the assignment until it is told where to start, so the loop can ask the table first and nothing is fetched from a
//! wrong place and corrected by a seek.
//!
//! Start with [`source`]; [`embedded`] is the cluster that lives in the process.

pub mod checkup;
pub mod config;
mod contact;
pub mod embedded;
pub mod producer;
mod sample;
pub mod schema_registry;
pub mod sink;
pub mod source;
mod topic_settings;
