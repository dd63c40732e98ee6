//! The one loop (read, decode, detect, deliver, checkpoint) and the ports that connect it to the outside.
//!
//! The choice that shapes it: the loop is written against three small traits ([`record_source::RecordSource`],
//! [`archive::Archive`], [`alert_sink::AlertSink`]) and runs the same over Kafka, over files and over fakes that fail.

pub mod alert;
pub mod alert_sink;
pub mod archive;
pub mod batch;
pub mod record_source;
