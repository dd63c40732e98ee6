//! Reads of a partition, and what is made of them.

use dataward_detect::context::{Context, DatastoreContext};
use dataward_detect::partition_state::PartitionState;
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Datastore, DatastoreForm, Outcome, Sensitivity,
};
use dataward_event::finding::Finding;
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};
use fastrand::Rng;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A read to come: who, of what, when, how much.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) actor: String,
    pub(crate) datastore: String,
    pub(crate) time: i64,
    pub(crate) volume: Volume,
    pub(crate) sensitivity: Option<Sensitivity>,
    pub(crate) is_export: bool,
}

pub(crate) fn read(actor: &str, datastore: &str, time: i64, volume: Volume) -> Read {
    let (actor, datastore) = (actor.to_owned(), datastore.to_owned());
    Read { actor, datastore, time, volume, sensitivity: None, is_export: false }
}

/// Everything goes out in one go; the log tells no volume.
pub(crate) fn export(actor: &str, datastore: &str, time: i64) -> Read {
    let unknown = Volume { rows: None, bytes: None, objects: None };
    Read { is_export: true, ..read(actor, datastore, time, unknown) }
}

pub(crate) const fn rows(count: u64) -> Volume {
    Volume { rows: Some(RowCount(count)), bytes: None, objects: None }
}

pub(crate) const fn object(bytes: u64) -> Volume {
    Volume { rows: None, bytes: Some(ByteCount(bytes)), objects: Some(ObjectCount(1)) }
}

/// A partition that is shown reads.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) state: PartitionState,
    pub(crate) context: Context,
    pub(crate) next: i64,
    pub(crate) findings: Vec<Finding>,
}

impl Shown {
    pub(crate) fn show(&mut self, read: &Read) -> usize {
        let number = self.next;
        self.next += 1;
        let event = event(read, number);
        let position = Position {
            partition: Partition::new("audit", 0),
            offset: Offset(number),
            record_index: 0,
        };
        let observed = self.state.observe(&event, &position, &self.context);
        assert!(!observed.is_duplicate);
        let count = observed.findings.len();
        self.findings.extend(observed.findings);
        count
    }

    /// Ordinary days: forty reads in the office hours, with a day's factor and a read's factor.
    pub(crate) fn days(
        &mut self,
        actor: &str,
        datastore: &str,
        days: std::ops::Range<i64>,
        per_day: f64,
    ) {
        let mut rng = Rng::with_seed(7);
        for day in days {
            let today = per_day * (0.35 * normal(&mut rng)).exp();
            for number in 0..40 {
                let count = today / 40.0 * (0.5 * normal(&mut rng)).exp();
                let time = day * DAY + 8 * HOUR + number * 12 * MINUTE;
                self.show(&read(actor, datastore, time, rows(count as u64)));
            }
        }
    }
}

pub(crate) fn event(read: &Read, number: i64) -> AuditEvent<'_> {
    let kind = if read.actor == "anonymous" { ActorKind::Anonymous } else { ActorKind::Unknown };
    AuditEvent {
        activity_id: 1,
        outcome: Outcome::Success,
        actor: Actor { uid: Some(read.actor.as_str().into()), kind, ..Actor::default() },
        datastore: Some(Datastore {
            uid: read.datastore.as_str().into(),
            name: None,
            resource_type: None,
            form: DatastoreForm::Database,
        }),
        volume: read.volume,
        sensitivity: read.sensitivity,
        read_scope: read.is_export.then_some(ReadScope::Export),
        ..AuditEvent::new(
            format!("event-{number}"),
            EventTime::from_micros(read.time),
            "ocsf",
            "read",
        )
    }
}

/// A standard normal variable (Box and Muller).
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

pub(crate) fn known(name: &str, rows: u64) -> DatastoreContext {
    DatastoreContext { name: name.to_owned(), rows: Some(rows), ..DatastoreContext::default() }
}
