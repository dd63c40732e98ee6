//! Events and findings as OCSF 1.8.0 JSON, one line each.
//!
//! The choice that shapes it: a writer that puts fields out in the order of the code, and never a `null`. The same value
//! always gives the same bytes, whatever features another crate turns on in a JSON library, so that bytes can be hashed.
//! What OCSF has no field for stands in `unmapped.dataward`; with it, an event that is read back is the event that was
//! written.
//!
//! Start with [`event::event_json`] and [`finding::finding_json`].

mod anomaly;
pub mod event;
mod exposure;
pub mod finding;
mod json;
mod party;
pub mod schema;

/// The OCSF version of everything that is written.
pub const OCSF_VERSION: &str = "1.8.0";

/// What stands where OCSF requires something that the source does not tell.
const UNKNOWN: &str = "unknown";
