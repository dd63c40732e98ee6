//! Where alerts go besides Kafka (whose client lives in `kafka`): one OCSF Detection Finding a line.
//!
//! A sink never decides what is an alert, and never changes one: every consumer gets the same bytes.

pub mod ndjson_file;
pub mod stream;
