//! Small archives, written as the loop writes them, and answers in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataward_archive::delta_archive::{DeltaArchive, Options as ArchiveOptions};
use dataward_archive::rows::ArrowRows;
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    TimeOrigin,
};
use dataward_event::change::Control;
use dataward_event::exposure::{Deed, Exposure, Known, Level, ReadFigures};
use dataward_event::finding::{CloseReason, Owner, RuleId, Severity, Trigger};
use dataward_event::position::{Offset, Partition, Position, Progress};
use dataward_event::time::{EventTime, IngestTime};
use dataward_event::volume::{ByteCount, Volume};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{
    Archive, Checkpoint, Claim, EventRow, ExposureRow, RowOrigin, Rows,
};
use dataward_query::engine::{Answer, Engine, Options};
use dataward_query::error::QueryError;
use serde_json::Value;
use tempfile::TempDir;

/// 2019-12-04T00:00:00Z.
pub(crate) const START: i64 = 1_575_417_600_000_000;
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// An event in few words.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) micros: i64,
    pub(crate) kind: EventKind,
    pub(crate) actor: &'static str,
    pub(crate) store: &'static str,
    pub(crate) ip: &'static str,
    pub(crate) bytes: Option<u64>,
}

/// A read of a bucket.
pub(crate) fn read(micros: i64, actor: &'static str, store: &'static str) -> Event {
    Event { micros, kind: EventKind::Access, actor, store, ip: "203.0.113.7", bytes: Some(100) }
}

impl Event {
    pub(crate) fn operation(&self) -> &'static str {
        match self.kind {
            EventKind::Access => "GetObject",
            EventKind::ConfigChange => "PutBucketPolicy",
            EventKind::Authentication => "ConsoleLogin",
        }
    }

    fn full(&self, uid: String) -> AuditEvent<'static> {
        AuditEvent {
            uid: Cow::Owned(uid),
            time: EventTime::from_micros(self.micros),
            time_origin: TimeOrigin::ALL[0],
            source: "aws.cloudtrail".into(),
            kind: self.kind,
            class: Class::from_uid(6003).unwrap(),
            activity_id: 2,
            operation: self.operation().into(),
            service: None,
            event_code: None,
            outcome: Outcome::ALL[0],
            error_code: None,
            error_message: None,
            actor: actor(self.actor),
            client: Client { ip: Some(self.ip.into()), ..Client::default() },
            datastore: Some(datastore(self.store)),
            objects: vec!["a.csv".into(), "b.csv".into()],
            volume: Volume { bytes: self.bytes.map(ByteCount), ..Volume::default() },
            read_scope: None,
            changes: Vec::new(),
            request_uid: None,
            correlation_uid: None,
            statement: None,
            account_uid: None,
            region: None,
            provider: None,
            sensitivity: None,
        }
    }
}

fn actor(name: &'static str) -> Actor<'static> {
    if name == "anonymous" {
        return Actor { kind: ActorKind::Anonymous, ..Actor::default() };
    }
    Actor {
        uid: Some(format!("uid:{name}").into()),
        name: Some(name.into()),
        kind: ActorKind::Human,
        ..Actor::default()
    }
}

fn datastore(name: &'static str) -> Datastore<'static> {
    Datastore {
        uid: format!("arn:aws:s3:::{name}").into(),
        name: Some(name.into()),
        resource_type: Some("AWS::S3::Bucket".into()),
        form: DatastoreForm::Bucket,
    }
}

/// An archive in a directory of its own.
pub(crate) struct Place {
    directory: TempDir,
    next: i64,
    alerts: u64,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), next: 0, alerts: 0 }
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.directory.path().join("archive")
    }

    /// One commit, whose rows arrive at this time: a file for each kind.
    pub(crate) fn commit(&mut self, ingest_micros: i64, fill: impl FnOnce(&mut Filling<'_>)) {
        let mut archive = DeltaArchive::open(&self.archive(), &ArchiveOptions::default()).unwrap();
        if archive.version() == 0 {
            let claims = [Owner::Partition(partition()), Owner::Keeper].map(|owner| Claim {
                owner,
                next: 0,
                expected: None,
            });
            archive.claim(&claims, ArrowRows::new()).unwrap();
        } else {
            let claims = [
                (Owner::Partition(partition()), self.next),
                (Owner::Keeper, i64::try_from(self.alerts).unwrap()),
            ]
            .map(|(owner, next)| Claim { owner, next, expected: Some(next) });
            archive.claim(&claims, ArrowRows::new()).unwrap();
        }
        let mut rows = ArrowRows::new();
        fill(&mut Filling { place: self, rows: &mut rows, ingest_micros });
        let checkpoint = Checkpoint {
            rows: vec![rows],
            progress: [(partition(), Offset(self.next))].into_iter().collect::<Progress>(),
            keeper_next: Some(self.alerts),
            cursors: BTreeMap::new(),
            snapshots: Vec::new(),
        };
        archive.commit(checkpoint).unwrap();
    }

    /// One commit of events.
    pub(crate) fn events(&mut self, ingest_micros: i64, events: &[Event]) {
        self.commit(ingest_micros, |filling| events.iter().for_each(|event| filling.event(event)));
    }

    pub(crate) fn engine(&self) -> Engine {
        engine(&self.archive(), Options::default()).unwrap()
    }

    /// Files of rows, by the folder of their kind.
    pub(crate) fn files(&self, kind: &str) -> Vec<PathBuf> {
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

/// A commit in the making.
pub(crate) struct Filling<'a> {
    place: &'a mut Place,
    pub(crate) rows: &'a mut ArrowRows,
    ingest_micros: i64,
}

impl Filling<'_> {
    fn position(&mut self) -> Position {
        let offset = Offset(self.place.next);
        self.place.next += 1;
        Position { partition: partition(), offset, record_index: 0 }
    }

    pub(crate) fn event(&mut self, event: &Event) {
        let position = self.position();
        self.rows.event(&EventRow {
            origin: RowOrigin {
                position: &position,
                kafka_time: None,
                ingest_time: IngestTime::from_micros(self.ingest_micros),
            },
            event: &event.full(format!("event-{}", position.offset.0)),
            raw: Some(format!("{{\"n\":{}}}", position.offset.0).as_bytes()),
            envelope: None,
            producer_duplicate: false,
        });
    }

    /// A statement about a window, opened by `j.doe` and closed by `s.fixer`.
    pub(crate) fn window(
        &mut self,
        uid: &str,
        store: &'static str,
        opened: i64,
        closed: Option<(i64, CloseReason)>,
    ) {
        let deed = |micros, who, operation: &str| Deed {
            event_uid: format!("deed at {micros}"),
            position: Position { partition: partition(), offset: Offset(0), record_index: 0 },
            time: EventTime::from_micros(micros),
            actor: actor(who),
            client: Some("198.51.100.9".to_owned()),
            operation: operation.to_owned(),
        };
        let exposure = Exposure {
            uid: uid.to_owned(),
            datastore: datastore(store),
            control: Control::AccessPolicy,
            setting: "bucket_policy".to_owned(),
            opened: "principal *".to_owned(),
            window_kind: Control::AccessPolicy.window_kind(),
            level: Level::Weakened,
            reachable: Known::Unknown,
            opened_by: deed(opened, "j.doe", "PutBucketPolicy"),
            opened_at_uncertain: false,
            exposed_at: None,
            closed_by: closed.map(|(micros, _)| deed(micros, "s.fixer", "DeleteBucketPolicy")),
            close_reason: closed.map(|(_, reason)| reason),
            severity: Severity::HIGH,
            figures: ReadFigures::default(),
            outside_figures: ReadFigures::default(),
            readers: Vec::new(),
        };
        let number = self.place.alerts;
        self.place.alerts += 1;
        let ingest_time = IngestTime::from_micros(self.ingest_micros);
        self.rows.exposure(&ExposureRow { exposure, number, ingest_time });
    }

    /// An alert about a datastore, with an actor as its evidence.
    pub(crate) fn alert(&mut self, micros: i64, store: &'static str, who: &str) {
        let number = self.place.alerts;
        self.place.alerts += 1;
        let json = serde_json::json!({"evidences": [
            {"actor": {"user": {"name": "somebody"}}, "src_endpoint": {"ip": "192.0.2.1"}},
            {"actor": {"user": {"name": who}}, "src_endpoint": {"ip": "192.0.2.2"},
             "api": {"operation": "GetObject"}},
        ]});
        self.rows.alert(&Alert {
            uid: format!("alert-{number}"),
            finding_uid: format!("finding-{number}"),
            rule: RuleId::ControlWeakened,
            activity_id: 1,
            severity: Severity::HIGH,
            time: EventTime::from_micros(micros),
            logged_time: IngestTime::from_micros(self.ingest_micros),
            trigger: Trigger::Keeper(number),
            position: None,
            title: format!("Protection weakened: {store}"),
            description: "Anybody can read it.".to_owned(),
            datastore: Some(datastore(store)),
            json: json.to_string(),
        });
    }
}

pub(crate) fn partition() -> Partition {
    Partition::new("audit", 0)
}

pub(crate) fn engine(archive: &Path, options: Options) -> Result<Engine, QueryError> {
    Engine::open(archive, &options)
}

/// An answer in memory.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Answer for Table {
    fn columns(&mut self, names: &[String]) -> std::io::Result<()> {
        assert!(self.names.is_empty(), "the names come once");
        self.names = names.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: Vec<Value>) -> std::io::Result<()> {
        assert_eq!(cells.len(), self.names.len());
        self.rows.push(cells);
        Ok(())
    }
}

/// The rows of an answer.
pub(crate) fn rows(engine: &Engine, sql: &str) -> Vec<Vec<Value>> {
    let mut table = Table::default();
    let count = engine.query(sql, &mut table).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(count, table.rows.len());
    table.rows
}

/// The only cell of an answer.
pub(crate) fn cell(engine: &Engine, sql: &str) -> Value {
    let rows = rows(engine, sql);
    assert_eq!((rows.len(), rows[0].len()), (1, 1), "{sql}: {rows:?}");
    rows[0][0].clone()
}

/// Why a question has no answer.
pub(crate) fn refusal(engine: &Engine, sql: &str) -> QueryError {
    match engine.query(sql, &mut Table::default()) {
        Ok(rows) => panic!("{sql} has {rows} rows"),
        Err(error) => error,
    }
}

/// RFC 3339 of microseconds since 1970.
pub(crate) fn at(micros: i64) -> String {
    EventTime::from_micros(micros).to_string()
}
