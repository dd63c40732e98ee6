//! The one loop (read, decode, detect, deliver, checkpoint) and the ports that connect it to the outside.
//!
//! The choice that shapes it: the loop is written against three small traits ([`record_source::RecordSource`],
//! [`archive::Archive`], [`alert_sink::AlertSink`]) and runs the same over Kafka, over files and over fakes that fail.

//! Start with [`runner`] (the loop), then [`lane`] (what happens to a record) [`start`] (taking over)
//! and `checkpoints` (how all of it becomes durable).

pub mod alert;
pub mod alert_sink;
pub mod archive;
pub mod arrivals;
pub mod barrier;
pub mod batch;
mod checkpoints;
pub mod checkup;
pub mod clock;
mod deferred;
pub mod desk;
pub mod ephemeral;
pub mod figures;
pub mod health;
pub mod histogram;
pub mod informant;
pub mod lane;
pub mod lessons;
mod listening;
pub mod metrics;
pub mod outbox;
pub mod record_source;
pub mod restore;
pub mod runner;
pub mod settings;
pub mod start;
pub mod tally;
pub mod workers;
pub mod writer;
