//! A window: the time in which one opened thing of a datastore stays open, and what was read in it.

use serde::{Deserialize, Serialize};

use crate::audit_event::{Actor, Datastore};
use crate::change::{Control, WindowKind};
use crate::finding::{CloseReason, Severity};
use crate::position::Position;
use crate::time::EventTime;

/// What is known of a question that most audit logs leave open.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Known {
    /// It is known that it is not so.
    No,
    /// Nothing tells.
    #[default]
    Unknown,
    /// It is known to be so.
    Yes,
}

impl Known {
    /// All three.
    pub const ALL: [Self; 3] = [Self::No, Self::Unknown, Self::Yes];

    /// The name in rows and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }
}

/// How open the datastore of a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// One protection less: it is not known that somebody from outside can both reach and read it.
    Weakened,
    /// Reachable and readable from outside.
    Exposed,
}

impl Level {
    /// Both levels, rising.
    pub const ALL: [Self; 2] = [Self::Weakened, Self::Exposed];

    /// The name in rows and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weakened => "weakened",
            Self::Exposed => "exposed",
        }
    }
}

/// An event that began or ended something: who, when, by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// The event's uid.
    pub event_uid: String,
    /// Where it stands.
    pub position: Position,
    /// When it happened.
    pub time: EventTime,
    /// Who.
    pub actor: Actor<'static>,
    /// From where: the address or the name of the client.
    pub client: Option<String>,
    /// The operation.
    pub operation: String,
}

/// A sum of counts of which some may be missing: `at_least` is what was reported, and all of it only where nothing was
/// left out (I6).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PartialSum {
    /// The sum of what was reported.
    pub at_least: u64,
    /// How many reads reported nothing.
    pub unreported: u64,
}

impl PartialSum {
    /// Adds one read's count.
    pub fn add(&mut self, count: Option<u64>) {
        match count {
            Some(count) => self.at_least = self.at_least.saturating_add(count),
            None => self.unreported = self.unreported.saturating_add(1),
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Self) {
        self.at_least = self.at_least.saturating_add(other.at_least);
        self.unreported = self.unreported.saturating_add(other.unreported);
    }
}

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReadFigures {
    /// Reads that certainly lie inside.
    pub reads: u64,
    /// Reads of the minutes at the edges, which may lie inside or outside.
    pub reads_at_edges: u64,
    /// Rows of the reads that certainly lie inside.
    pub rows: PartialSum,
    /// Bytes of them.
    pub bytes: PartialSum,
    /// Objects of them.
    pub objects: PartialSum,
}

impl ReadFigures {
    /// Adds other figures.
    pub fn merge(&mut self, other: &Self) {
        self.reads = self.reads.saturating_add(other.reads);
        self.reads_at_edges = self.reads_at_edges.saturating_add(other.reads_at_edges);
        self.rows.merge(other.rows);
        self.bytes.merge(other.bytes);
        self.objects.merge(other.objects);
    }
}

/// One actor from one network, and how much it read in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// What to call it: a name, a uid, `anonymous`; `others` for those beyond the limit.
    pub name: String,
    /// The actor's uid, where there is one.
    pub uid: Option<String>,
    /// The network that it came from, as `198.51.100.0/24`, or a name.
    pub network: String,
    /// Anonymous, or of a foreign account.
    pub is_outsider: bool,
    /// How much it read.
    pub figures: ReadFigures,
}

/// What is said about a window at one moment; the newest statement about a uid is what holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Derived from datastore, control, setting, opened thing and opening event.
    pub uid: String,
    /// The datastore.
    pub datastore: Datastore<'static>,
    /// The control that is open.
    pub control: Control,
    /// The setting.
    pub setting: String,
    /// The thing that is open: a principal, a network and port, an account, a flag.
    pub opened: String,
    /// What is at risk.
    pub window_kind: WindowKind,
    /// How open the datastore was at most in this window.
    pub level: Level,
    /// Whether it can be reached from outside.
    pub reachable: Known,
    /// The event that opened it.
    pub opened_by: Deed,
    /// It may have been open before: nothing was known of it.
    pub opened_at_uncertain: bool,
    /// Since when its level is, or was, exposed.
    pub exposed_at: Option<EventTime>,
    /// The event that closed it.
    pub closed_by: Option<Deed>,
    /// Why it is over.
    pub close_reason: Option<CloseReason>,
    /// The highest severity it has had.
    pub severity: Severity,
    /// What was read in it.
    pub figures: ReadFigures,
    /// What outsiders read in it.
    pub outside_figures: ReadFigures,
    /// Who read, those who read most first.
    pub readers: Vec<Reader>,
}

impl Exposure {
    /// How long it was open, in microseconds; `None` while it is.
    pub fn duration_micros(&self) -> Option<i64> {
        let closed = self.closed_by.as_ref()?;
        Some(closed.time.micros().saturating_sub(self.opened_by.time.micros()))
    }
}
