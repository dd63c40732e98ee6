//! What a detector concludes, with the evidence that lets anyone check it.

use serde::{Deserialize, Serialize};

use crate::audit_event::{Actor, Client, Datastore};
use crate::change::{Change, WindowKind};
use crate::position::{Partition, Position};
use crate::time::EventTime;

/// The rules. A name here is a promise: it has a page, cases that fire and cases that stay quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuleId {
    /// A control of a datastore became weaker.
    ControlWeakened,
    /// The record of access and change was switched off or cut down.
    AuditSilenced,
    /// Offsets were lost before we could read them.
    ArchiveGap,
    /// More records than usual cannot be read.
    ArchiveQuarantineRate,
    /// A part of the detector failed or lost its state.
    RuleFailed,
}

impl RuleId {
    /// All rules.
    pub const ALL: [Self; 5] = [
        Self::ControlWeakened,
        Self::AuditSilenced,
        Self::ArchiveGap,
        Self::ArchiveQuarantineRate,
        Self::RuleFailed,
    ];

    /// The id in alerts, rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlWeakened => "control.weakened",
            Self::AuditSilenced => "audit.silenced",
            Self::ArchiveGap => "archive.gap",
            Self::ArchiveQuarantineRate => "archive.quarantine_rate",
            Self::RuleFailed => "rule.failed",
        }
    }

    /// The rule of this id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == id)
    }

    /// The version of the rule's logic; it stands in the alert and is part of no uid.
    pub const fn version(self) -> u32 {
        1
    }
}

/// OCSF `severity_id`, 1 to 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Severity(u8);

impl Severity {
    /// Informational.
    pub const INFORMATIONAL: Self = Self(1);
    /// Low.
    pub const LOW: Self = Self(2);
    /// Medium.
    pub const MEDIUM: Self = Self(3);
    /// High.
    pub const HIGH: Self = Self(4);
    /// Critical.
    pub const CRITICAL: Self = Self(5);
    /// Fatal.
    pub const FATAL: Self = Self(6);

    /// The severity nearest to a number: always 1 to 6.
    pub const fn clamped(id: i32) -> Self {
        match id {
            i32::MIN..=1 => Self::INFORMATIONAL,
            2 => Self::LOW,
            3 => Self::MEDIUM,
            4 => Self::HIGH,
            5 => Self::CRITICAL,
            6.. => Self::FATAL,
        }
    }

    /// The number.
    pub const fn id(self) -> u8 {
        self.0
    }

    /// OCSF's name for it.
    pub const fn as_str(self) -> &'static str {
        match self.0 {
            1 => "Informational",
            2 => "Low",
            3 => "Medium",
            4 => "High",
            5 => "Critical",
            _ => "Fatal",
        }
    }
}

/// What this statement about a finding does. OCSF `activity_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Step {
    /// The finding is new.
    Create,
    /// Something about it changed.
    Update,
    /// It is over.
    Close(CloseReason),
}

impl Step {
    /// OCSF `activity_id`: 1, 2, 3.
    pub const fn activity_id(self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Close(_) => 3,
        }
    }
}

/// Why a finding is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CloseReason {
    /// A late, earlier event shows that it was not so: the finding is withdrawn.
    Superseded,
}

impl CloseReason {
    /// The name in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
        }
    }
}

/// A statement about a finding: it was created, changed or closed.
///
/// Its content is a function of its evidence and the detector's state, never of the time of processing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Stable over the finding's life: derived from the rule and its evidence.
    pub uid: String,
    /// What this statement does.
    pub step: Step,
    /// How bad.
    pub severity: Severity,
    /// Event time of the trigger.
    pub time: EventTime,
    /// The uid of the event (or timer) that caused this step.
    pub cause_uid: String,
    /// Whose record of alerts it belongs to, and where in it.
    pub trigger: Trigger,
    /// A short headline.
    pub title: String,
    /// A sentence or two that a person understands.
    pub description: String,
    /// What to do next.
    pub remediation: String,
    /// The datastore it is about.
    pub datastore: Option<Datastore<'static>>,
    /// What a weakened control puts at risk.
    pub window_kind: Option<WindowKind>,
    /// ATT&CK technique ids of the current version: `T1685.002`.
    pub attacks: Vec<String>,
    /// The events that prove it.
    pub evidences: Vec<Evidence>,
}

/// Where a finding stands in the outbox of alerts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// A finding of a partition's own state: the record that triggered it.
    Record(Position),
    /// A finding of the keeper, by the keeper's counter. The counter is part of no uid.
    Keeper(u64),
}

/// Whose state, cursor or snapshot: a partition's or the keeper's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Owner {
    /// A partition.
    Partition(Partition),
    /// The keeper of the shared state.
    Keeper,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Partition(partition) => partition.fmt(f),
            Self::Keeper => f.write_str("keeper"),
        }
    }
}

impl Trigger {
    /// The owner of the finding.
    pub fn owner(&self) -> Owner {
        match self {
            Self::Record(position) => Owner::Partition(position.partition.clone()),
            Self::Keeper(_) => Owner::Keeper,
        }
    }

    /// The number that sink cursors count in: the record's offset, or the keeper's counter.
    pub fn number(&self) -> i64 {
        match self {
            Self::Record(position) => position.offset.0,
            Self::Keeper(number) => i64::try_from(*number).unwrap_or(i64::MAX),
        }
    }
}

/// One event that proves a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The event's uid.
    pub event_uid: String,
    /// Its OCSF `type_uid`; 0 where it is no event but a place in the stream.
    pub type_uid: u64,
    /// Where it stands.
    pub position: Position,
    /// When it happened.
    pub time: EventTime,
    /// The source.
    pub source: String,
    /// Who.
    pub actor: Actor<'static>,
    /// From where.
    pub client: Client<'static>,
    /// The operation.
    pub operation: String,
    /// The service.
    pub service: Option<String>,
    /// The change it states, for a finding about one.
    pub change: Option<Change<'static>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_back_by_their_id() {
        for rule in RuleId::ALL {
            assert_eq!(RuleId::parse(rule.as_str()), Some(rule));
        }
    }

    #[test]
    fn severity_stays_in_its_range() {
        assert_eq!(Severity::clamped(-4).id(), 1);
        assert_eq!(Severity::clamped(9).id(), 6);
        assert_eq!(Severity::clamped(5).as_str(), "Critical");
    }
}
