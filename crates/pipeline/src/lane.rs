//! One worker's part of the loop: decode, observe, append. It owns its partitions, so nothing needs a lock.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use base64::Engine;
use dataward_detect::context::Context;
use dataward_detect::partition_state::{Observed, PartitionState, StreamFinding, stream_finding};
use dataward_detect::posture_event::PostureEvent;
use dataward_detect::read_total::{DatastoreRead, ReadTotals};
use dataward_event::audit_event::{AuditEvent, EventKind};
use dataward_event::finding::{Finding, Owner, RuleId, Severity};
use dataward_event::limits::{QUARANTINE_BYTES_MAX, QUARANTINE_PREFIX_BYTES};
use dataward_event::position::{Offset, Partition, Position, Progress, Span};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, IngestTime, KafkaTime};
use dataward_event::uid::hex;
use dataward_sources::decode::{Decoded, DecodedEvent, Envelope, Record, Reject};
use dataward_sources::source::decode_with;
use sha2::{Digest, Sha256};

use crate::alert::Alert;
use crate::archive::{
    EnvelopeForm, EventRow, GapCause, GapRow, QuarantineRow, RowOrigin, Rows, Segment, Snapshot,
};
use crate::arrivals::Arrivals;
use crate::batch::{Batch, BatchRecord};
use crate::clock::Clock;
use crate::figures::{Newest, ReadFigures};
use crate::settings::{RawPolicy, TopicSettings};
use crate::tally::Tally;

/// A worker: some partitions, their state, and the rows since the last checkpoint.
pub struct Lane<R> {
    partitions: BTreeMap<Partition, PartitionLane>,
    rows: R,
    tally: Tally,
    totals: ReadTotals,
    arrivals: Arrivals,
    clock: Arc<dyn Clock>,
    context: Arc<Context>,
}

/// One partition in a lane.
struct PartitionLane {
    topic: TopicSettings,
    next: Offset,
    state: PartitionState,
    newest: Newest,
    has_failed: bool,
}

/// What the keeper must know of a batch.
#[derive(Debug, Default)]
pub struct News {
    /// Changes of protection.
    pub changes: Vec<PostureEvent>,
    /// What was read.
    pub reads: Vec<DatastoreRead>,
    /// When the oldest record of the batch was appended; `None` of a replay.
    pub appended: Option<KafkaTime>,
}

/// Gathers what the keeper must know of events that are read back.
#[derive(Debug, Default)]
pub struct Gathering {
    changes: Vec<PostureEvent>,
    totals: ReadTotals,
}

impl Gathering {
    /// Takes an event in.
    pub fn add(&mut self, event: &AuditEvent<'_>, position: &Position) {
        self.changes.extend(PostureEvent::of(event, position));
        self.totals.add(event, position);
    }

    /// All of it.
    pub fn into_news(mut self) -> News {
        News { changes: self.changes, reads: self.totals.take_all(), appended: None }
    }
}

/// What a batch led to besides rows.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the keeper must know.
    pub news: News,
    /// Alerts of the partitions' own state; their rows are written already.
    pub alerts: Vec<Alert>,
    /// What was counted, and where; `None` of a partition that was given up.
    pub counted: Option<(Partition, Tally)>,
}

/// A lane's part of a checkpoint.
#[derive(Debug)]
pub struct Frozen<R> {
    /// The rows since the last checkpoint.
    pub rows: R,
    /// The next offset of each of its partitions.
    pub progress: Progress,
    /// State, if it was asked for.
    pub snapshots: Vec<Snapshot>,
    /// What the keeper must still know of the time before the marker.
    pub news: News,
    /// What it has counted since the last checkpoint.
    pub tally: Tally,
    /// When its records were appended.
    pub arrivals: Arrivals,
    /// The newest times of its partitions, and what is known of their reads.
    pub newest: Vec<(Partition, Newest, ReadFigures)>,
}

impl<R: Rows> Lane<R> {
    /// A lane without partitions.
    pub fn new(rows: R, clock: Arc<dyn Clock>) -> Self {
        Self {
            partitions: BTreeMap::new(),
            rows,
            tally: Tally::default(),
            totals: ReadTotals::default(),
            arrivals: Arrivals::default(),
            clock,
            context: Arc::default(),
        }
    }

    /// Weighs and words what is found by another context from here on.
    pub fn adopt(&mut self, context: Arc<Context>) {
        self.context = context;
    }

    /// Takes a partition over, its state standing at `next`.
    pub fn open(
        &mut self,
        partition: Partition,
        topic: TopicSettings,
        next: Offset,
        state: PartitionState,
    ) {
        let newest = Newest::default();
        let lane = PartitionLane { topic, next, state, newest, has_failed: false };
        self.partitions.insert(partition, lane);
    }

    /// Gives a partition up. Its rows since the last checkpoint stay in the buffer.
    pub fn close(&mut self, partition: &Partition) {
        self.partitions.remove(partition);
    }

    /// The last snapshot of a partition was not saved: the next one holds every segment.
    pub fn mark_dirty(&mut self, partition: &Partition) {
        if let Some(lane) = self.partitions.get_mut(partition) {
            lane.state.mark_all_dirty();
        }
    }

    /// The memory of the rows since the last checkpoint, in bytes.
    pub fn buffered_bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// Takes a batch in.
    pub fn take(&mut self, batch: &Batch) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(lane) = self.partitions.get_mut(batch.partition()) else {
            // The partition was given up while its records were on the way: they will be read again by its owner.
            return outcome;
        };
        let mut tally = Tally::default();
        let mut work = Work {
            lane,
            rows: &mut self.rows,
            tally: &mut tally,
            totals: &mut self.totals,
            arrivals: &mut self.arrivals,
            outcome: &mut outcome,
            ingest_time: batch.ingest_time(),
            clock: self.clock.as_ref(),
            context: self.context.as_ref(),
            partition: batch.partition(),
        };
        for record in batch.records() {
            work.record(record);
        }
        outcome.news.reads = self.totals.take();
        if let Some(deed) = batch.deed() {
            self.rows.operator(deed);
        }
        self.tally.add(&tally);
        outcome.counted = Some((batch.partition().clone(), tally));
        outcome
    }

    /// Hands over everything since the last checkpoint, and goes on with an empty buffer.
    pub fn freeze(&mut self, with_snapshots: bool, empty: R) -> Frozen<R> {
        let positions = self.partitions.iter().map(|(p, lane)| (p.clone(), lane.next));
        let progress: Progress = positions.collect();
        let mut snapshots = Vec::new();
        if with_snapshots {
            for (partition, lane) in &mut self.partitions {
                snapshots.extend(snapshot_of(partition, lane));
            }
        }
        Frozen {
            rows: std::mem::replace(&mut self.rows, empty),
            progress,
            snapshots,
            news: News { reads: self.totals.take_all(), ..News::default() },
            tally: std::mem::take(&mut self.tally),
            arrivals: std::mem::take(&mut self.arrivals),
            newest: self
                .partitions
                .iter()
                .map(|(p, lane)| (p.clone(), lane.newest, lane.reads()))
                .collect(),
        }
    }
}

impl PartitionLane {
    fn reads(&self) -> ReadFigures {
        ReadFigures {
            sizes: self.state.read_sizes(),
            counts: self.state.read_counts(),
            calibration: *self.state.calibration(),
        }
    }
}

fn snapshot_of(partition: &Partition, lane: &mut PartitionLane) -> Option<Snapshot> {
    let segments = lane.state.save_dirty();
    let segments: Vec<Segment> =
        segments.into_iter().map(|(index, bytes)| Segment { index, bytes }).collect();
    (!segments.is_empty()).then(|| Snapshot {
        owner: Owner::Partition(partition.clone()),
        at: [(partition.clone(), lane.next)].into_iter().collect(),
        format: dataward_detect::state::FORMAT,
        segments,
        segment_count: dataward_detect::partition_state::SEGMENT_COUNT,
    })
}

/// The work on one batch.
struct Work<'w, R> {
    lane: &'w mut PartitionLane,
    rows: &'w mut R,
    tally: &'w mut Tally,
    totals: &'w mut ReadTotals,
    arrivals: &'w mut Arrivals,
    outcome: &'w mut Outcome,
    ingest_time: IngestTime,
    clock: &'w dyn Clock,
    context: &'w Context,
    partition: &'w Partition,
}

impl<R: Rows> Work<'_, R> {
    fn record(&mut self, record: BatchRecord<'_>) {
        if record.offset() < self.lane.next {
            // Delivered again: the rows are there already.
            self.tally.redelivered += 1;
            return;
        }
        if record.offset() > self.lane.next && !self.partition.is_file() {
            self.gap(record.offset());
        }
        self.lane.next = record.next();
        self.tally.records += 1;
        if let Some(appended) = record.kafka_time() {
            self.arrivals.add(appended);
            self.lane.newest.appended = self.lane.newest.appended.max(Some(appended));
            let oldest = &mut self.outcome.news.appended;
            *oldest = Some(oldest.map_or(appended, |oldest| oldest.min(appended)));
        }

        let mut position = Position {
            partition: self.partition.clone(),
            offset: record.offset(),
            record_index: 0,
        };
        let payload = record.payload().unwrap_or_default();
        let base = position.clone();
        let kafka_time = record.kafka_time();
        let from = Record { position: &base, kafka_time, payload };
        let (source, schemas) = (self.lane.topic.source, self.lane.topic.schemas.as_deref());
        // A defect of a decoder costs its record, never the stream (I5).
        let decoding = AssertUnwindSafe(|| decode_with(source, from, schemas));
        let decoded = catch_unwind(decoding).unwrap_or_else(|_| undecoded(payload));
        self.decoded(record, decoded, &mut position);
    }

    /// Rows in the order of `record_index`: events and rejects share one numbering.
    fn decoded(&mut self, record: BatchRecord<'_>, decoded: Decoded<'_>, position: &mut Position) {
        let envelope = decoded.envelope.as_ref().map(|envelope| match envelope {
            Envelope::Template(bytes) => (EnvelopeForm::Template, bytes.as_slice()),
            Envelope::Whole(bytes) => (EnvelopeForm::Whole, bytes.as_ref()),
        });
        let mut rejects = decoded.rejects.iter().peekable();
        for event in &decoded.events {
            while let Some(reject) = rejects.next_if(|r| r.record_index < event.record_index) {
                self.reject(record, reject, envelope, position);
            }
            self.event(record, event, envelope, position);
        }
        for reject in rejects {
            self.reject(record, reject, envelope, position);
        }
    }

    fn event(
        &mut self,
        record: BatchRecord<'_>,
        decoded: &DecodedEvent<'_>,
        envelope: Option<(EnvelopeForm, &[u8])>,
        position: &mut Position,
    ) {
        position.record_index = decoded.record_index;
        let observed = self.observe(decoded, position);
        let keeps_raw =
            self.lane.topic.raw == RawPolicy::All || decoded.event.kind == EventKind::ConfigChange;
        self.rows.event(&EventRow {
            origin: self.origin(record, position),
            event: &decoded.event,
            raw: keeps_raw.then_some(decoded.raw.as_ref()),
            envelope: envelope.filter(|_| keeps_raw && decoded.record_index == 0),
            producer_duplicate: observed.is_duplicate,
        });
        self.tally.events += 1;
        self.lane.newest.event = self.lane.newest.event.max(Some(decoded.event.time));
        self.tally.duplicates += u64::from(observed.is_duplicate);
        self.tally.late += u64::from(observed.is_late);
        self.outcome.news.changes.extend(observed.posture);
        if !observed.is_duplicate {
            self.totals.add(&decoded.event, position);
        }
        for finding in &observed.findings {
            self.alert(finding);
        }
    }

    /// A defect of the detector costs its conclusions, never the row (I5); the first one alerts.
    fn observe(&mut self, decoded: &DecodedEvent<'_>, position: &Position) -> Observed {
        let (state, context) = (&mut self.lane.state, self.context);
        let observing = AssertUnwindSafe(|| state.observe(&decoded.event, position, context));
        if let Ok(observed) = catch_unwind(observing) {
            return observed;
        }
        if !self.lane.has_failed {
            self.lane.has_failed = true;
            self.alert(&detector_failed(position, decoded.event.time));
        }
        Observed::default()
    }

    fn reject(
        &mut self,
        record: BatchRecord<'_>,
        reject: &Reject<'_>,
        envelope: Option<(EnvelopeForm, &[u8])>,
        position: &mut Position,
    ) {
        position.record_index = reject.record_index;
        let is_cut = reject.raw.len() > QUARANTINE_BYTES_MAX;
        let kept = if is_cut { &reject.raw[..QUARANTINE_PREFIX_BYTES] } else { &reject.raw[..] };
        self.rows.quarantine(&QuarantineRow {
            origin: self.origin(record, position),
            source: self.lane.topic.source.name(),
            reason: reject.reason,
            detail: &reject.detail,
            key: record.key(),
            raw: kept,
            envelope: envelope.filter(|_| reject.record_index == 0),
            raw_bytes: reject.raw.len() as u64,
            raw_sha256: is_cut.then(|| hex(&Sha256::digest(&reject.raw))),
            headers: headers_json(record),
        });
        self.tally.reject(reject.reason);
        let time = record.kafka_time().map_or(self.ingest_time.as_clock(), |time| time.as_clock());
        let finding = self.lane.state.observe_reject(reject.reason, position, time);
        if let Some(finding) = finding {
            self.alert(&finding);
        }
    }

    /// Kafka passed over offsets: transaction markers, or records that compaction removed.
    fn gap(&mut self, to: Offset) {
        let Some(span) = Span::new(self.lane.next, to) else { return };
        self.tally.not_delivered += span.len();
        self.rows.gap(&GapRow {
            partition: self.partition.clone(),
            span,
            cause: GapCause::NotDelivered,
            detail: "Kafka did not deliver these offsets: transaction markers or compaction"
                .to_owned(),
            ingest_time: self.ingest_time,
        });
    }

    fn alert(&mut self, finding: &Finding) {
        let alert = Alert::new(finding, self.clock.now());
        self.rows.alert(&alert);
        self.outcome.alerts.push(alert);
    }

    fn origin<'o>(&self, record: BatchRecord<'_>, position: &'o Position) -> RowOrigin<'o> {
        RowOrigin { position, kafka_time: record.kafka_time(), ingest_time: self.ingest_time }
    }
}

/// The whole record as one reject.
fn undecoded(payload: &[u8]) -> Decoded<'_> {
    let reject = Reject {
        record_index: 0,
        reason: QuarantineReason::DecoderFailed,
        detail: "the decoder failed on this record: a defect, please report it".to_owned(),
        raw: payload.into(),
    };
    Decoded { rejects: vec![reject], ..Decoded::default() }
}

/// The finding that a part of the detector is not at work.
pub(crate) fn detector_failed(position: &Position, time: EventTime) -> Finding {
    stream_finding(StreamFinding {
        rule: RuleId::RuleFailed,
        severity: Severity::HIGH,
        position,
        time,
        title: format!("Detector failed: {}", position.partition),
        description: format!("The detector failed on the event at {position}; its row is kept."),
        remediation: "Report the defect; scan the archive's records again with a mended release.",
    })
}

fn headers_json(record: BatchRecord<'_>) -> Option<String> {
    let encode = |bytes| base64::engine::general_purpose::STANDARD.encode(bytes);
    let headers: Vec<(String, Option<String>)> = record
        .headers()
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.map(encode)))
        .collect();
    if headers.is_empty() { None } else { serde_json::to_string(&headers).ok() }
}
