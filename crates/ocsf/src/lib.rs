//! OCSF 1.8.0 as JSON, outward: events and Detection Findings.
//!
//! The choice that shapes it: what OCSF has no field for stands in one block of our own, `unmapped.dataward`, so that
//! an event that we wrote is read back by the source `ocsf` as it was.
//!
//! Keys come in alphabetical order: the same statement is always the same bytes.

pub mod event;
pub mod finding;
mod object;
pub mod schema;
