//! Metrics and health of a running process over HTTP.
//!
//! It only reads what the loop has published, and holds no logic: what is counted, and what it means for health, is the
//! pipeline's.
//!
//! Start with [`server`]; [`exposition`] has the metrics by name.

pub mod exposition;
mod process;
pub mod server;
