//! The port on the side of the table: claim, commit, restore.

use std::collections::BTreeMap;

use dataward_event::audit_event::AuditEvent;
use dataward_event::exposure::Exposure;
use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Position, Progress, Span};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, IngestTime, KafkaTime};

use crate::alert::Alert;

/// What every row of an event or a reject says about its way to us.
#[derive(Debug, Clone, Copy)]
pub struct RowOrigin<'a> {
    /// Where it stands.
    pub position: &'a Position,
    /// The transport's timestamp.
    pub kafka_time: Option<KafkaTime>,
    /// When it was taken in.
    pub ingest_time: IngestTime,
}

/// An event on its way into a row.
#[derive(Debug)]
pub struct EventRow<'a> {
    /// Its way to us.
    pub origin: RowOrigin<'a>,
    /// What happened.
    pub event: &'a AuditEvent<'a>,
    /// The exact bytes of the event; `None` where the topic's policy keeps none.
    pub raw: Option<&'a [u8]>,
    /// What stood around the events of the record, on `record_index` 0: a template, or the whole record.
    pub envelope: Option<(EnvelopeForm, &'a [u8])>,
    /// The same uid came before, within the duplicate window: archived, counted once in detection.
    pub producer_duplicate: bool,
}

/// How an envelope is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeForm {
    /// The record with one NUL byte for each part.
    Template,
    /// The whole record.
    Whole,
}

/// A record, or a part of one, that could not be read.
#[derive(Debug)]
pub struct QuarantineRow<'a> {
    /// Its way to us.
    pub origin: RowOrigin<'a>,
    /// The source that refused it.
    pub source: &'a str,
    /// Why.
    pub reason: QuarantineReason,
    /// A sentence for a person.
    pub detail: &'a str,
    /// The record's key.
    pub key: Option<&'a [u8]>,
    /// The bytes of the part, at most `limits::QUARANTINE_BYTES_MAX`.
    pub raw: &'a [u8],
    /// What stood around the parts of the record, on `record_index` 0.
    pub envelope: Option<(EnvelopeForm, &'a [u8])>,
    /// The size of the part before it was cut, in bytes.
    pub raw_bytes: u64,
    /// SHA-256 of the whole part where it was cut.
    pub raw_sha256: Option<String>,
    /// The record's headers as JSON, where it has any: `[["name","base64 value"],…]`.
    pub headers: Option<String>,
}

/// Why offsets have no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapCause {
    /// Kafka no longer has them: retention passed us. Alerts.
    Lost,
    /// The log ends before our progress. Alerts.
    Truncated,
    /// Kafka keeps them back: transaction markers, compacted records.
    NotDelivered,
}

impl GapCause {
    /// All causes.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Truncated, Self::NotDelivered];

    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Truncated => "truncated",
            Self::NotDelivered => "not_delivered",
        }
    }
}

/// A range of offsets without rows.
#[derive(Debug, Clone)]
pub struct GapRow {
    /// The partition.
    pub partition: Partition,
    /// The offsets.
    pub span: Span,
    /// Why.
    pub cause: GapCause,
    /// A sentence for a person.
    pub detail: String,
    /// When it was noticed.
    pub ingest_time: IngestTime,
}

/// Something that an operator or a command did, and that the archive remembers.
#[derive(Debug, Clone)]
pub struct OperatorRow {
    /// What was done: `scan`, `state_rebuilt`.
    pub operation: String,
    /// The partition it was done to, where there is one.
    pub partition: Option<Partition>,
    /// The event time it is about, where there is one: that of a tick.
    pub time: Option<EventTime>,
    /// What a person would want to know, as JSON.
    pub detail: String,
    /// When.
    pub ingest_time: IngestTime,
}

/// What [`OperatorRow::operation`] says of a tick: the clock passed the due time of a timer.
pub const TICK: &str = "tick";

/// The operation of the row of an operator that says: by then all there was had been read, and a source was silent.
pub const LISTENED: &str = "listened";

/// A statement about a window. The one with the highest number holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureRow {
    /// What is said.
    pub exposure: Exposure,
    /// Its place among the keeper's statements; alerts and windows share one count.
    pub number: u64,
    /// When it was concluded.
    pub ingest_time: IngestTime,
}

/// Rows that are not committed yet. Each worker fills its own.
pub trait Rows: Send + 'static {
    /// Adds an event.
    fn event(&mut self, row: &EventRow<'_>);
    /// Adds what could not be read.
    fn quarantine(&mut self, row: &QuarantineRow<'_>);
    /// Adds a gap.
    fn gap(&mut self, row: &GapRow);
    /// Adds an alert: its entry in the outbox.
    fn alert(&mut self, alert: &Alert);
    /// Adds a statement about a window.
    fn exposure(&mut self, row: &ExposureRow);
    /// Adds a deed of an operator.
    fn operator(&mut self, row: &OperatorRow);
    /// The memory they take, in bytes, roughly.
    fn bytes(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool;
}

/// One piece of a detector's state: the keys of one hash bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Which piece.
    pub index: u32,
    /// Its bytes, in the format of the snapshot.
    pub bytes: Vec<u8>,
}

/// A detector's state at one point of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose.
    pub owner: Owner,
    /// The progress it stands at. One partition for a partition's state; all of them for the keeper's.
    pub at: Progress,
    /// The version of the format of the segments.
    pub format: u32,
    /// The pieces. When saved, those that changed since the last snapshot; when loaded, all.
    pub segments: Vec<Segment>,
    /// How many pieces there are in all.
    pub segment_count: u32,
}

/// What a claim takes.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose: partitions, and the keeper.
    pub owner: Owner,
    /// For a partition: the next offset that progress is to stand at. For the keeper: its next alert number.
    pub next: i64,
    /// What the claimer read before (`None`: nothing was there). Another value in the table now is a conflict.
    pub expected: Option<i64>,
}

/// One sink's place in one owner's alerts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CursorKey {
    /// The sink.
    pub sink: String,
    /// Whose alerts.
    pub owner: Owner,
}

/// Everything that becomes visible in one commit, or not at all (I2).
#[derive(Debug)]
pub struct Checkpoint<R> {
    /// The rows of all workers.
    pub rows: Vec<R>,
    /// The next offset of *every* owned partition, progress or not: the fence needs them all.
    pub progress: Progress,
    /// The keeper's next alert number, if we are the keeper.
    pub keeper_next: Option<u64>,
    /// For each sink and owner the first trigger not yet acknowledged.
    pub cursors: BTreeMap<CursorKey, i64>,
    /// State, when due.
    pub snapshots: Vec<Snapshot>,
}

/// The proof that the table has something. Only an [`Archive`] makes one, from a commit that it knows to be there.
#[derive(Debug, Clone)]
pub struct Committed {
    version: u64,
    progress: Progress,
    unsaved: Vec<Owner>,
    written: Written,
}

/// What a commit took of the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Files of rows.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Committed {
    /// For implementers of [`Archive`] alone: `progress` is in the table since `version`.
    pub fn new(version: u64, progress: Progress) -> Self {
        Self { version, progress, unsaved: Vec::new(), written: Written::default() }
    }

    /// The same, but the state of these owners was left out: their next snapshot must hold every segment.
    #[must_use]
    pub fn with_unsaved(mut self, owners: Vec<Owner>) -> Self {
        self.unsaved = owners;
        self
    }

    /// The same, with what it took.
    #[must_use]
    pub fn with_written(mut self, written: Written) -> Self {
        self.written = written;
        self
    }

    /// What it took.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Owners whose state was left out.
    pub fn unsaved(&self) -> &[Owner] {
        &self.unsaved
    }

    /// The version of the table.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the table has.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// What a failure means for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Try the same again, later.
    Retry,
    /// Somebody else owns it now: forget what is not committed, and ask the table.
    Fenced,
    /// Stop. Unless somebody wanted that, a person is needed.
    Halt,
}

/// Why the archive failed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Another writer claimed one of our partitions. Nothing of the attempt is in the table.
    #[error("another writer has claimed {0}")]
    Fenced(String),
    /// Storage did not answer, or refused; nothing of the attempt is in the table.
    #[error("{0}")]
    Unavailable(String),
    /// The table is not what it must be: a foreign schema, a missing commit, a setting that would forget offsets.
    #[error("{0}")]
    Broken(String),
    /// The process was told to stop while rows were read back.
    #[error("told to stop")]
    Stopped,
}

impl ArchiveError {
    /// What it means for the loop.
    pub const fn disposition(&self) -> Disposition {
        match self {
            Self::Fenced(_) => Disposition::Fenced,
            Self::Unavailable(_) => Disposition::Retry,
            Self::Broken(_) | Self::Stopped => Disposition::Halt,
        }
    }
}

/// What the table knows about one partition before it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Its next offset.
    At(Offset),
    /// The partition is new, but its topic is known: it starts at its beginning, whatever the start policy.
    NewPartition,
    /// The topic is new: the start policy decides.
    NewTopic,
}

/// An archived event, read back.
#[derive(Debug)]
pub struct ArchivedEvent {
    /// Where it stands.
    pub position: Position,
    /// The transport's timestamp.
    pub kafka_time: Option<KafkaTime>,
    /// What happened, as the row says.
    pub event: AuditEvent<'static>,
    /// The row is marked as delivered twice.
    pub producer_duplicate: bool,
}

/// A row of a partition, read back in order for a replay.
#[derive(Debug)]
pub enum Replayed {
    /// An event.
    Event(Box<ArchivedEvent>),
    /// A quarantined part.
    Quarantine {
        /// Where it stands.
        position: Position,
        /// Why.
        reason: QuarantineReason,
    },
}

/// What the keeper needs to know again after a restart.
#[derive(Debug)]
pub enum SharedRow {
    /// A config change, or an access to a datastore.
    Event(Box<ArchivedEvent>),
    /// A tick of the clock that fired a timer.
    Tick(EventTime),
    /// By then all there was had been read, and a source was silent.
    Listened(EventTime),
}

/// The archive: one table that is the truth about data, progress, alerts and state.
///
/// The contract: a commit is there entirely or not at all; it is refused if any partition we own was claimed by another
/// since (I3). An error other than `Fenced` and `Broken` means that nothing of the attempt is in the table: the
/// implementer has reconciled an unknown outcome before it answers.
pub trait Archive {
    /// Its rows.
    type Rows: Rows;

    /// An empty buffer of rows.
    fn rows(&self) -> Self::Rows;

    /// Brings our view of the table up to date, and says what it knows about these partitions.
    ///
    /// # Errors
    /// `Fenced` if the newer table shows that a partition we still own was claimed.
    fn look_up(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Known>, ArchiveError>;

    /// The keeper's next alert number, if there was ever a keeper.
    ///
    /// # Errors
    /// As [`look_up`](Archive::look_up).
    fn look_up_keeper(&mut self) -> Result<Option<u64>, ArchiveError>;

    /// Takes ownership: progress at `next`, the owner's epoch raised by one, an empty snapshot where there is none;
    /// `rows` (gaps, their alerts) in the same commit.
    ///
    /// # Errors
    /// `Fenced` if an expectation does not hold: look up again.
    fn claim(&mut self, claims: &[Claim], rows: Self::Rows) -> Result<Committed, ArchiveError>;

    /// Gives owners up: later commits no longer name them.
    fn release(&mut self, owners: &[Owner]);

    /// Commits a checkpoint.
    ///
    /// # Errors
    /// `Fenced`, `Unavailable` or `Broken`, as the contract says. On an error the rows are handed back by
    /// [`take_back`](Archive::take_back).
    fn commit(&mut self, checkpoint: Checkpoint<Self::Rows>) -> Result<Committed, ArchiveError>;

    /// The checkpoint of the last failed commit, to be tried again.
    fn take_back(&mut self) -> Option<Checkpoint<Self::Rows>>;

    /// The newest usable snapshot: the newest one, or the one before it if that is damaged. `None`: start cold.
    ///
    /// # Errors
    /// `Unavailable` if storage does not answer.
    fn snapshot(&mut self, owner: &Owner) -> Result<Option<Snapshot>, ArchiveError>;

    /// Reads back the rows of one partition from `from` up to its progress, in order of position.
    ///
    /// # Errors
    /// `Unavailable` if storage does not answer, `Broken` if a file is not what the table says.
    fn replay(
        &mut self,
        partition: &Partition,
        from: Offset,
        each: &mut dyn FnMut(Replayed),
    ) -> Result<(), ArchiveError>;

    /// Reads back what the keeper was told: the config changes and the accesses of all partitions that lie at or after
    /// `from` (a partition that is not in it: from its beginning) and before the table's progress, and the ticks that were
    /// committed since the table came to `from`, or more of them; in no particular order.
    ///
    /// # Errors
    /// As [`replay`](Archive::replay).
    fn replay_shared(
        &mut self,
        from: &Progress,
        each: &mut dyn FnMut(SharedRow),
    ) -> Result<(), ArchiveError>;

    /// The alerts that a sink has not acknowledged, oldest first: those at or after its cursors.
    ///
    /// # Errors
    /// As [`replay`](Archive::replay).
    fn unacknowledged(&mut self, sink: &str) -> Result<Vec<Alert>, ArchiveError>;
}
