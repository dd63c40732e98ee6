//! What the keeper concludes.

use dataward_event::exposure::Exposure;
use dataward_event::finding::Finding;

/// What follows from an event.
#[derive(Debug, Default)]
pub struct Concluded {
    /// Statements about findings, in order.
    pub findings: Vec<Finding>,
    /// Statements about windows, each with its number.
    pub exposures: Vec<(u64, Exposure)>,
}

impl Concluded {
    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.exposures.is_empty()
    }

    /// Adds what follows after it.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.exposures.extend(other.exposures);
    }
}
