//! What the loop has counted.

use std::collections::BTreeMap;

use dataward_event::quarantine::QuarantineReason;

/// Counts since some moment; they add up.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Records read.
    pub records: u64,
    /// Records that came again and were dropped: their rows were there.
    pub redelivered: u64,
    /// Events.
    pub events: u64,
    /// Events among them whose uid had come before.
    pub duplicates: u64,
    /// Events among them that came later than the lateness bound behind the newest event of their partition.
    pub late: u64,
    /// Parts that could not be read, or held nothing, by reason.
    pub rejects: BTreeMap<QuarantineReason, u64>,
    /// Offsets that Kafka kept back.
    pub not_delivered: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Checkpoints committed.
    pub commits: u64,
}

impl Tally {
    /// Counts a reject.
    pub fn reject(&mut self, reason: QuarantineReason) {
        *self.rejects.entry(reason).or_default() += 1;
    }

    /// Parts that could not be read, without the records that held nothing.
    pub fn faults(&self) -> u64 {
        self.rejects.iter().filter(|(reason, _)| reason.is_fault()).map(|(_, count)| count).sum()
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.redelivered += other.redelivered;
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.not_delivered += other.not_delivered;
        self.alerts += other.alerts;
        self.commits += other.commits;
        for (reason, count) in &other.rejects {
            *self.rejects.entry(*reason).or_default() += count;
        }
    }
}
