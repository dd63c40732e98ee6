//! The state of one partition: what its events in order teach.

use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::{Evidence, Finding, RuleId, Severity, Step, Trigger};
use dataward_event::limits::LATENESS_BOUND_MICROS;
use dataward_event::position::Position;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::attempts::Attempts;
use crate::context::Context;
use crate::duplicates::{Duplicates, SavedDuplicates};
use crate::posture_event::PostureEvent;
use crate::quarantine_rate::QuarantineRate;
use crate::reads::bulk_reads::{self, BulkReads, Counts, Sizes};
use crate::reads::calibration::Calibration;
use crate::reads::portrait::Portrait;
use crate::state::{StateError, decode, encode, is_older_than, reading, since_3};

/// How many segments the state has: one for the stream itself, and those of the reads by actor.
pub const SEGMENT_COUNT: u32 = 1 + bulk_reads::SEGMENTS;

/// What the detector remembers of one partition.
#[derive(Debug)]
pub struct PartitionState {
    duplicates: Duplicates,
    quarantine_rate: QuarantineRate,
    newest: Option<EventTime>,
    late_events: u64,
    attempts: Attempts,
    reads: BulkReads,
    dirty: bool,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    duplicates: SavedDuplicates,
    quarantine_rate: QuarantineRate,
    newest: Option<EventTime>,
    late_events: u64,
    #[serde(deserialize_with = "since_3")]
    attempts: Attempts,
}

/// What an event led to.
#[derive(Debug, Default)]
pub struct Observed {
    /// The same uid came before: archived and marked, counted once in detection.
    pub is_duplicate: bool,
    /// It came later than the lateness bound behind the newest event of its partition.
    pub is_late: bool,
    /// What the keeper must know.
    pub posture: Option<PostureEvent>,
    /// What follows from this partition's events alone.
    pub findings: Vec<Finding>,
}

impl Default for PartitionState {
    /// The state before the first event; its first snapshot holds every segment.
    fn default() -> Self {
        Self {
            duplicates: Duplicates::default(),
            quarantine_rate: QuarantineRate::default(),
            newest: None,
            late_events: 0,
            attempts: Attempts::default(),
            reads: BulkReads::default(),
            dirty: true,
        }
    }
}

impl PartitionState {
    /// Takes an event in. Of reads the context also decides what is remembered: with whom an actor is compared, and what people
    /// know already. So a replay needs the context under which the events came.
    pub fn observe(
        &mut self,
        event: &AuditEvent<'_>,
        position: &Position,
        context: &Context,
    ) -> Observed {
        self.dirty = true;
        self.quarantine_rate.count(false);
        if self.duplicates.is_repeat(&event.uid, event.time) {
            return Observed { is_duplicate: true, ..Observed::default() };
        }
        let newest = self.newest.map_or(event.time, |newest| newest.max(event.time));
        let is_late = event.time < newest.plus_micros(-LATENESS_BOUND_MICROS);
        self.late_events += u64::from(is_late);
        self.newest = Some(newest);
        let mut findings: Vec<Finding> =
            self.attempts.observe(event, position).into_iter().collect();
        findings.extend(self.reads.observe(event, position, context));
        Observed {
            is_duplicate: false,
            is_late,
            posture: PostureEvent::of(event, position),
            findings,
        }
    }

    /// Takes in that a part of a record could not be read.
    pub fn observe_reject(
        &mut self,
        reason: QuarantineReason,
        position: &Position,
        time: EventTime,
    ) -> Option<Finding> {
        self.dirty = true;
        if !reason.is_fault() || !self.quarantine_rate.count(true) {
            return None;
        }
        let (bad, seen) = self.quarantine_rate.share();
        Some(stream_finding(StreamFinding {
            rule: RuleId::ArchiveQuarantineRate,
            severity: Severity::HIGH,
            position,
            time,
            title: format!("Many unreadable records: {}", position.partition),
            description: format!(
                "{bad} of the last {seen} records of {} could not be read; the last reason was {}. \
                 They are kept as quarantine rows.",
                position.partition,
                reason.as_str()
            ),
            remediation: "Look at the quarantine rows of this partition: has a producer changed \
                          its format, or is the topic bound to the wrong source?",
        }))
    }

    /// How many events came later than the lateness bound.
    pub fn late_events(&self) -> u64 {
        self.late_events
    }

    /// What unusual reads leave out: events that are too late or too early, keys that are too many.
    pub fn read_counts(&self) -> Counts {
        self.reads.counts()
    }

    /// Whether the scores of unusual reads mean what they say.
    pub const fn calibration(&self) -> &Calibration {
        self.reads.calibration()
    }

    /// How many actors and datastores their reads have made known.
    pub fn read_sizes(&self) -> Sizes {
        self.reads.sizes()
    }

    /// Whether no read has taught it anything yet.
    pub const fn knows_no_reads(&self) -> bool {
        self.reads.is_new()
    }

    /// Turns what events have taught into lessons for partitions to [begin with](Self::begin_with): what is usual stays, and
    /// nothing of the stream it came by.
    pub fn end_lessons(&mut self, context: &Context) {
        let mut reads = std::mem::take(&mut self.reads);
        reads.end_lessons(context);
        *self = Self { reads, ..Self::default() };
    }

    /// Whether a read of this time comes after what was learned, or not long before its end: one that does not would teach
    /// nothing.
    pub const fn precedes(&self, time: EventTime) -> bool {
        self.reads.precedes(time.micros().div_euclid(1_000_000))
    }

    /// Begins with what the reads before the first record have taught.
    pub fn begin_with(&mut self, lessons: Self) {
        self.reads = lessons.reads;
        self.reads.mark_all_dirty();
    }

    /// What is usual of an actor, and how its open day stands; `None` if none of its events is a read. `store` is the key of
    /// a datastore to look at by itself.
    pub fn portrait(&self, actor: u64, store: Option<u64>, context: &Context) -> Option<Portrait> {
        self.reads.portrait(actor, store, context)
    }

    /// The segments that changed since the last call, each with its bytes.
    pub fn save_dirty(&mut self) -> Vec<(u32, Vec<u8>)> {
        let root = std::mem::take(&mut self.dirty).then_some(0);
        let reads = self.reads.take_dirty().map(|index| index + 1);
        root.into_iter().chain(reads).map(|index| (index, self.segment_bytes(index))).collect()
    }

    /// All segments: what [`load`](Self::load) takes, equal for equal events.
    pub fn save_all(&self) -> Vec<(u32, Vec<u8>)> {
        (0..SEGMENT_COUNT).map(|index| (index, self.segment_bytes(index))).collect()
    }

    /// Marks everything as changed: the last save did not reach the archive.
    pub fn mark_all_dirty(&mut self) {
        self.dirty = true;
        self.reads.mark_all_dirty();
    }

    fn segment_bytes(&self, index: u32) -> Vec<u8> {
        match index.checked_sub(1) {
            Some(index) => self.reads.segment_bytes(index),
            None => encode(&Saved {
                duplicates: self.duplicates.save(),
                quarantine_rate: self.quarantine_rate.clone(),
                newest: self.newest,
                late_events: self.late_events,
                attempts: self.attempts.clone(),
            }),
        }
    }

    /// The state from its segments; none at all is the state before the first event. What is missing is empty, and not
    /// saved yet: format 1 had the first segment alone, and what format 2 knew of reads has to be learned anew.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if a segment cannot be read.
    pub fn load<'s>(
        format: u32,
        segments: impl IntoIterator<Item = (u32, &'s [u8])>,
    ) -> Result<Self, StateError> {
        reading(format, || Self::load_segments(segments))
    }

    fn load_segments<'s>(
        segments: impl IntoIterator<Item = (u32, &'s [u8])>,
    ) -> Result<Self, StateError> {
        let mut state = Self::default();
        for (index, bytes) in segments {
            let Some(of_reads) = index.checked_sub(1) else {
                let saved: Saved = decode(index, bytes)?;
                state.duplicates = Duplicates::load(saved.duplicates);
                state.quarantine_rate = saved.quarantine_rate;
                state.newest = saved.newest;
                state.late_events = saved.late_events;
                state.attempts = saved.attempts;
                state.dirty = false;
                continue;
            };
            // Before format 3 reads were learned of by other figures: of those nothing can be made.
            if !is_older_than(3) {
                state.reads.load_segment(of_reads, index, bytes)?;
            }
        }
        Ok(state)
    }
}

/// A finding about the stream itself rather than about an event.
#[derive(Debug)]
pub struct StreamFinding<'a> {
    /// The rule.
    pub rule: RuleId,
    /// How bad.
    pub severity: Severity,
    /// The place it is about: the ground of its uid.
    pub position: &'a Position,
    /// The time of that place.
    pub time: EventTime,
    /// A short headline.
    pub title: String,
    /// A sentence or two.
    pub description: String,
    /// What to do next.
    pub remediation: &'a str,
}

/// Makes a finding about the stream: its only evidence is a place in it.
pub fn stream_finding(finding: StreamFinding<'_>) -> Finding {
    let place = finding.position.to_string();
    let uid = UidBuilder::new("finding").text(finding.rule.as_str()).text(&place).finish();
    Finding {
        rule: finding.rule,
        uid: uid.clone(),
        step: Step::Create,
        severity: finding.severity,
        severity_because: Vec::new(),
        approval: None,
        time: finding.time,
        cause_uid: uid.clone(),
        trigger: Trigger::Record(finding.position.clone()),
        title: finding.title,
        description: finding.description,
        remediation: finding.remediation.to_owned(),
        datastore: None,
        origin: None,
        window_kind: None,
        exposure: None,
        rating: None,
        anomalies: Vec::new(),
        attacks: Vec::new(),
        evidences: vec![Evidence {
            event_uid: place,
            type_uid: 0,
            position: finding.position.clone(),
            time: finding.time,
            source: "dataward".to_owned(),
            actor: Default::default(),
            client: Default::default(),
            operation: finding.rule.as_str().to_owned(),
            service: None,
            change: None,
        }],
    }
}
