//! A small archive in a temporary directory, and rows to put into it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::location::StoreWrapper;
use dataward_archive::rows::ArrowRows;
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    Sensitivity, TimeOrigin,
};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::exposure::{
    Deed, Exposure, Known as Reachable, Level, PartialSum, ReadFigures, Reader,
};
use dataward_event::finding::{CloseReason, Owner, RuleId, Severity, Trigger};
use dataward_event::position::{Offset, Partition, Position, Span};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, IngestTime, KafkaTime};
use dataward_event::volume::{ByteCount, ObjectCount, RowCount, Volume};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{
    Archive, ArchiveError, Checkpoint, Claim, Committed, EnvelopeForm, EventRow, ExposureRow,
    GapCause, GapRow, OperatorRow, QuarantineRow, Replayed, RowOrigin, Rows, Segment, Snapshot,
    TICK,
};

/// 2024-08-02T08:00:00Z.
pub(crate) const START_MICROS: i64 = 1_722_585_600_000_000;

/// A directory for one archive.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.directory.path().join("archive")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("archive.state")
    }

    pub(crate) fn open(&self) -> DeltaArchive {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<DeltaArchive, ArchiveError> {
        DeltaArchive::open(&self.archive(), &Options::default())
    }

    pub(crate) fn open_through(&self, wrapper: StoreWrapper) -> DeltaArchive {
        let options = Options {
            store_wrapper: Some(wrapper),
            reconcile_pause: Some(Duration::ZERO),
            stop: None,
        };
        DeltaArchive::open(&self.archive(), &options).unwrap()
    }

    pub(crate) fn commit_file(&self, version: u64) -> PathBuf {
        self.archive().join(format!("_delta_log/{version:020}.json"))
    }

    /// The files of one kind of rows.
    pub(crate) fn data_files(&self, kind: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let days = std::fs::read_dir(self.archive().join(format!("kind={kind}")));
        for day in days.into_iter().flatten() {
            let files = std::fs::read_dir(day.unwrap().path()).unwrap();
            found.extend(files.map(|file| file.unwrap().path()));
        }
        found.sort();
        found
    }
}

pub(crate) fn partition(number: i32) -> Partition {
    Partition::new("events", number)
}

pub(crate) fn owner(number: i32) -> Owner {
    Owner::Partition(partition(number))
}

pub(crate) fn claim_at(owner: Owner, next: i64, expected: Option<i64>) -> Claim {
    Claim { owner, next, expected }
}

/// Claims a partition where the table says it stands.
pub(crate) fn claim(archive: &mut DeltaArchive, number: i32) -> Committed {
    use dataward_pipeline::archive::Known;
    let expected = match archive.look_up(&[partition(number)]).unwrap()[&partition(number)] {
        Known::At(offset) => Some(offset.0),
        Known::NewPartition | Known::NewTopic => None,
    };
    let claim = claim_at(owner(number), expected.unwrap_or(0), expected);
    let rows = archive.rows();
    archive.claim(&[claim], rows).unwrap()
}

pub(crate) fn position(number: i32, offset: i64, record_index: u32) -> Position {
    Position { partition: partition(number), offset: Offset(offset), record_index }
}

pub(crate) fn event(kind: EventKind, uid: &str) -> AuditEvent<'static> {
    let changes = match kind {
        EventKind::ConfigChange => vec![Change {
            catalogue_row: "aws-s3-policy-public".into(),
            control: Control::AccessPolicy,
            setting: "bucket_policy".into(),
            opened: "*".into(),
            before: None,
            after: Some("{\"Principal\":\"*\"}".into()),
            direction: Direction::Weakened,
            whole: true,
        }],
        EventKind::Access | EventKind::Authentication => Vec::new(),
    };
    AuditEvent {
        uid: Cow::Owned(uid.to_owned()),
        time: EventTime::from_micros(START_MICROS + 5),
        time_origin: TimeOrigin::Source,
        source: "aws.cloudtrail".into(),
        kind,
        class: Class::ApiActivity,
        activity_id: 2,
        operation: "GetObject".into(),
        service: Some("s3.amazonaws.com".into()),
        event_code: Some("AwsApiCall".into()),
        outcome: Outcome::Success,
        error_code: None,
        error_message: None,
        actor: Actor {
            uid: Some("arn:aws:iam::1:user/alice".into()),
            name: Some("alice".into()),
            kind: ActorKind::Human,
            groups: vec!["data".into(), "eu".into()],
            mfa: Some(true),
            ..Actor::default()
        },
        client: Client { ip: Some("203.0.113.7".into()), port: Some(443), ..Client::default() },
        datastore: Some(Datastore {
            uid: "arn:aws:s3:::payments".into(),
            name: Some("payments".into()),
            resource_type: Some("AWS::S3::Bucket".into()),
            form: DatastoreForm::Bucket,
        }),
        objects: vec!["a/b.csv".into()],
        volume: Volume {
            rows: Some(RowCount(0)),
            bytes: Some(ByteCount(1_234)),
            objects: Some(ObjectCount(1)),
        },
        read_scope: None,
        changes,
        request_uid: Some("R1".into()),
        correlation_uid: None,
        statement: None,
        account_uid: Some("1".into()),
        region: Some("eu-central-1".into()),
        provider: Some("AWS".into()),
        sensitivity: Some(Sensitivity::Restricted),
    }
}

pub(crate) fn origin(position: &Position) -> RowOrigin<'_> {
    RowOrigin {
        position,
        kafka_time: Some(KafkaTime::from_micros(START_MICROS + 10)),
        ingest_time: IngestTime::from_micros(START_MICROS + 20),
    }
}

pub(crate) fn add_event(rows: &mut ArrowRows, position: &Position, event: &AuditEvent<'_>) {
    rows.event(&EventRow {
        origin: origin(position),
        event,
        raw: Some(b"{\"eventName\":\"GetObject\"}"),
        envelope: (position.record_index == 0)
            .then_some((EnvelopeForm::Template, b"{\"Records\":[\0]}".as_slice())),
        producer_duplicate: false,
    });
}

/// One event for each offset: every third one a config change.
pub(crate) fn add_events(rows: &mut ArrowRows, number: i32, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        let kind = if offset % 3 == 2 { EventKind::ConfigChange } else { EventKind::Access };
        let uid = format!("event-{number}-{offset}");
        add_event(rows, &position(number, offset, 0), &event(kind, &uid));
    }
}

pub(crate) fn add_quarantine(rows: &mut ArrowRows, position: &Position) {
    rows.quarantine(&QuarantineRow {
        origin: origin(position),
        source: "aws.cloudtrail",
        reason: QuarantineReason::InvalidJson,
        detail: "expected a value at byte 0",
        key: Some(b"key"),
        raw: b"\xff\x00",
        envelope: None,
        raw_bytes: 2,
        raw_sha256: None,
        headers: Some("[[\"h\",\"dg==\"]]".to_owned()),
    });
}

pub(crate) fn gap(number: i32, from: i64, to: i64) -> GapRow {
    GapRow {
        partition: partition(number),
        span: Span::new(Offset(from), Offset(to)).unwrap(),
        cause: GapCause::Lost,
        detail: "retention passed us".to_owned(),
        ingest_time: IngestTime::from_micros(START_MICROS + 20),
    }
}

pub(crate) fn operator_row() -> OperatorRow {
    OperatorRow {
        operation: "scan".to_owned(),
        partition: None,
        time: None,
        detail: "{}".to_owned(),
        ingest_time: IngestTime::from_micros(START_MICROS + 20),
    }
}

/// The clock has come to so many seconds after the start.
pub(crate) fn tick(second: i64) -> OperatorRow {
    OperatorRow {
        operation: TICK.to_owned(),
        time: Some(EventTime::from_micros(START_MICROS + second * 1_000_000)),
        ..operator_row()
    }
}

fn deed(offset: i64, second: i64) -> Deed {
    let event = event(EventKind::ConfigChange, &format!("event-0-{offset}"));
    Deed {
        event_uid: event.uid.into_owned(),
        position: position(0, offset, 0),
        time: EventTime::from_micros(START_MICROS + second * 1_000_000),
        actor: event.actor,
        client: Some("203.0.113.7".to_owned()),
        operation: "PutBucketPolicy".to_owned(),
    }
}

/// A statement about a window that was opened so many seconds after the start, and closed two minutes later if it was.
pub(crate) fn exposure_row(
    uid: &str,
    number: u64,
    second: i64,
    close_reason: Option<CloseReason>,
) -> ExposureRow {
    let figures = ReadFigures {
        reads: 7,
        reads_at_edges: 2,
        rows: PartialSum { at_least: 40, unreported: 1 },
        bytes: PartialSum { at_least: 9_000, unreported: 0 },
        objects: PartialSum { at_least: 0, unreported: 7 },
    };
    let reader = Reader {
        name: "anonymous".to_owned(),
        uid: None,
        network: "198.51.100.0/24".to_owned(),
        is_outsider: true,
        figures,
    };
    let exposure = Exposure {
        uid: uid.to_owned(),
        datastore: event(EventKind::Access, "x").datastore.unwrap(),
        control: Control::AccessPolicy,
        setting: "bucket_policy".to_owned(),
        opened: "principal *".to_owned(),
        window_kind: Control::AccessPolicy.window_kind(),
        level: Level::Exposed,
        reachable: Reachable::Yes,
        opened_by: deed(2, second),
        opened_at_uncertain: false,
        exposed_at: Some(EventTime::from_micros(START_MICROS + second * 1_000_000)),
        closed_by: close_reason.map(|_| deed(5, second + 120)),
        close_reason,
        severity: Severity::FATAL,
        figures,
        outside_figures: figures,
        readers: vec![reader],
    };
    ExposureRow { exposure, number, ingest_time: IngestTime::from_micros(START_MICROS + 20) }
}

pub(crate) fn alert(uid: &str, trigger: Trigger, second: i64) -> Alert {
    Alert {
        uid: uid.to_owned(),
        finding_uid: format!("finding of {uid}"),
        rule: RuleId::ControlWeakened,
        activity_id: 1,
        severity: Severity::HIGH,
        time: EventTime::from_micros(START_MICROS),
        logged_time: IngestTime::from_micros(START_MICROS + second * 1_000_000),
        position: match &trigger {
            Trigger::Record(position) => Some(position.clone()),
            Trigger::Keeper(_) => Some(position(0, 2, 0)),
        },
        trigger,
        title: "A bucket became public".to_owned(),
        description: "Anybody can read payments.".to_owned(),
        datastore: event(EventKind::Access, "x").datastore,
        json: "{\"class_uid\":2004}".to_owned(),
    }
}

/// A checkpoint of some partitions at some offsets, without rows.
pub(crate) fn checkpoint(progress: &[(i32, i64)]) -> Checkpoint<ArrowRows> {
    Checkpoint {
        rows: Vec::new(),
        progress: progress.iter().map(|(p, next)| (partition(*p), Offset(*next))).collect(),
        keeper_next: None,
        cursors: BTreeMap::new(),
        snapshots: Vec::new(),
    }
}

/// A checkpoint of one partition with an event for each offset.
pub(crate) fn checkpoint_with_events(
    number: i32,
    offsets: std::ops::Range<i64>,
) -> Checkpoint<ArrowRows> {
    let mut rows = ArrowRows::new();
    add_events(&mut rows, number, offsets.clone());
    Checkpoint { rows: vec![rows], ..checkpoint(&[(number, offsets.end)]) }
}

pub(crate) fn segment(index: u32, text: &str) -> Segment {
    Segment { index, bytes: text.as_bytes().to_vec() }
}

pub(crate) fn state(
    number: i32,
    at: i64,
    segments: &[(u32, &str)],
    segment_count: u32,
) -> Snapshot {
    Snapshot {
        owner: owner(number),
        at: [(partition(number), Offset(at))].into_iter().collect(),
        format: 3,
        segments: segments.iter().map(|(index, text)| segment(*index, text)).collect(),
        segment_count,
    }
}

/// The offsets of a partition as a replay gives them.
pub(crate) fn replayed_offsets(archive: &mut DeltaArchive, number: i32, from: i64) -> Vec<i64> {
    let mut offsets = Vec::new();
    archive
        .replay(&partition(number), Offset(from), &mut |replayed| {
            offsets.push(match replayed {
                Replayed::Event(event) => event.position.offset.0,
                Replayed::Quarantine { position, .. } => position.offset.0,
            });
        })
        .unwrap();
    offsets
}
