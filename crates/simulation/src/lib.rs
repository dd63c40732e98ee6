//! What the world does, from a seed: workloads, labelled incidents, and fakes of every port that can fail.
//!
//! The same seed always gives the same bytes. Nothing here is used by a running system but the `demo`.

pub mod broker;
pub mod cloudtrail;
pub mod incident;
