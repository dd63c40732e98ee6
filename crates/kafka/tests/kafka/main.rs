//! The contract of [`dataward_pipeline::record_source::RecordSource`], held by librdkafka's mock cluster and by a real
//! broker alike: one suite, run against both.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod cluster;
mod member;
mod mock_only;
mod real_only;
mod suite;
