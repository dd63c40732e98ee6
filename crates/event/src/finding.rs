//! What a detector concludes, with the evidence that lets anyone check it.

use serde::{Deserialize, Serialize};

use crate::audit_event::{Actor, AuditEvent, Client, Datastore};
use crate::change::{Change, WindowKind};
use crate::exposure::Exposure;
use crate::position::{Partition, Position};
use crate::time::EventTime;

/// The rules. A name here is a promise: it has a page, cases that fire and cases that stay quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuleId {
    /// A control of a datastore became weaker.
    ControlWeakened,
    /// Somebody tried again and again to weaken protection, and was refused.
    ControlAttempts,
    /// The record of access and change was switched off or cut down.
    AuditSilenced,
    /// A datastore became reachable and readable from outside.
    ExposureOpened,
    /// A window is still open after an hour, a day, a week.
    ExposureStillOpen,
    /// An exposure is over, with all that was read in it.
    ExposureClosed,
    /// A datastore was made, and is open when the time for protecting it is over.
    DatastoreBornUnprotected,
    /// A copy is less protected than what it was made from.
    CopyWeakerDatastore,
    /// A copy went to another account, region or provider.
    CopyForeign,
    /// A source that should speak is silent.
    AuditSourceSilent,
    /// Somebody read a datastore while it was exposed, or read it from outside although nobody should.
    ReadDuringExposure,
    /// Somebody read far more than ever before.
    ReadBulk,
    /// Somebody came to a datastore, or from a place, that is new to them, and took much.
    ReadNovel,
    /// Somebody has read more and more, a little each day.
    ReadSlowDrip,
    /// Somebody who never does that copied data out in one go.
    ReadExport,
    /// Offsets were lost before we could read them.
    ArchiveGap,
    /// More records than usual cannot be read.
    ArchiveQuarantineRate,
    /// A part of the detector failed or lost its state.
    RuleFailed,
}

impl RuleId {
    /// All rules.
    pub const ALL: [Self; 18] = [
        Self::ControlWeakened,
        Self::ControlAttempts,
        Self::AuditSilenced,
        Self::ExposureOpened,
        Self::ExposureStillOpen,
        Self::ExposureClosed,
        Self::DatastoreBornUnprotected,
        Self::CopyWeakerDatastore,
        Self::CopyForeign,
        Self::AuditSourceSilent,
        Self::ReadDuringExposure,
        Self::ReadBulk,
        Self::ReadNovel,
        Self::ReadSlowDrip,
        Self::ReadExport,
        Self::ArchiveGap,
        Self::ArchiveQuarantineRate,
        Self::RuleFailed,
    ];

    /// The id in alerts, rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ControlWeakened => "control.weakened",
            Self::ControlAttempts => "control.attempts",
            Self::AuditSilenced => "audit.silenced",
            Self::ExposureOpened => "exposure.opened",
            Self::ExposureStillOpen => "exposure.still_open",
            Self::ExposureClosed => "exposure.closed",
            Self::DatastoreBornUnprotected => "datastore.born_unprotected",
            Self::CopyWeakerDatastore => "copy.weaker_datastore",
            Self::CopyForeign => "copy.foreign",
            Self::AuditSourceSilent => "audit.source_silent",
            Self::ReadDuringExposure => "read.during_exposure",
            Self::ReadBulk => "read.bulk",
            Self::ReadNovel => "read.novel",
            Self::ReadSlowDrip => "read.slow_drip",
            Self::ReadExport => "read.export",
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
        match self {
            Self::ReadBulk => 2,
            _ => 1,
        }
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
    /// The protection was restored.
    Restored,
    /// The protection was restored within the grace period: a setting was taken away and set again.
    Replaced,
    /// The datastore is gone.
    Destroyed,
}

impl CloseReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::Superseded, Self::Restored, Self::Replaced, Self::Destroyed];

    /// The name in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Restored => "restored",
            Self::Replaced => "replaced",
            Self::Destroyed => "destroyed",
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
    /// How the severity came about: what counted, step by step. Empty where the rule has one value.
    pub severity_because: Vec<String>,
    /// The approved change that it belongs to.
    pub approval: Option<Approval>,
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
    /// What the datastore was copied from, for a finding about a copy.
    pub origin: Option<Datastore<'static>>,
    /// What a weakened control puts at risk.
    pub window_kind: Option<WindowKind>,
    /// The window it is about, as it stands with this statement.
    pub exposure: Option<Box<Exposure>>,
    /// How unusual it is, for a finding about reads.
    pub rating: Option<Rating>,
    /// What is unusual, in numbers.
    pub anomalies: Vec<Anomaly>,
    /// ATT&CK technique ids of the current version: `T1685.002`.
    pub attacks: Vec<String>,
    /// The events that prove it.
    pub evidences: Vec<Evidence>,
}

/// A change that somebody has approved beforehand. It lowers the severity of what it covers, and hides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The ticket.
    pub ticket: String,
    /// Until when it counts.
    pub until: EventTime,
}

/// How unusual a finding is: the score by which it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The channel, which has a budget of its own: `acute`, `drift`, `off_hours`; `policy` needs none.
    pub channel: String,
    /// The negative natural logarithm of the share of ordinary actor-days that reach it, weighed by the sensitivity of the
    /// data, in thousandths.
    pub millinats: u64,
}

/// One figure that is far from what was learned. OCSF `anomaly_analyses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// What was measured, with its unit: `rows`, `bytes`, `objects`.
    pub metric: String,
    /// The length of the window, in seconds.
    pub window_seconds: u32,
    /// What was seen in the window.
    pub observed: u64,
    /// The median of what was learned.
    pub expected: u64,
    /// What is passed once in a thousand active days.
    pub upper: u64,
    /// The negative natural logarithm of the tail probability, in thousandths.
    pub score_millinats: u64,
    /// How many active days taught it.
    pub days: u32,
}

/// Where a finding stands in the outbox of alerts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// A finding of a partition's own state: the record that triggered it.
    Record(Position),
    /// A finding of the keeper, by the keeper's counter. The counter is part of no uid.
    Keeper(u64),
}

/// Whose state, cursor or snapshot: a partition's, the keeper's, or nobody's yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Owner {
    /// A partition.
    Partition(Partition),
    /// The keeper of the shared state.
    Keeper,
    /// What was learned before the first record: the state with which partitions begin. It raises no alerts.
    Lessons,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Partition(partition) => partition.fmt(f),
            Self::Keeper => f.write_str("keeper"),
            Self::Lessons => f.write_str("lessons"),
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

impl Evidence {
    /// An event as evidence.
    pub fn of(event: &AuditEvent<'_>, position: &Position) -> Self {
        Self {
            event_uid: event.uid.to_string(),
            type_uid: event.type_uid(),
            position: position.clone(),
            time: event.time,
            source: event.source.to_string(),
            actor: event.actor.clone().into_owned(),
            client: event.client.clone().into_owned(),
            operation: event.operation.to_string(),
            service: event.service.as_deref().map(str::to_owned),
            change: None,
        }
    }
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
