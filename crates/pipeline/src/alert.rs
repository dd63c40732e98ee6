//! A finding on its way to people.

use dataward_event::finding::Finding;
use dataward_event::time::IngestTime;

/// A finding, the moment we said it, and the exact text that every consumer gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What was concluded.
    pub finding: Finding,
    /// When we concluded it (`metadata.logged_time`).
    pub logged_time: IngestTime,
    /// The id of this statement (`metadata.uid`, the CloudEvents id): equal for a repeat, different for any other.
    pub uid: String,
    /// The OCSF Detection Finding, one line of JSON. What was delivered first is what is archived and sent again.
    pub json: String,
}
