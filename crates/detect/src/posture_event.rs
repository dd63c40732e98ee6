//! What the keeper needs to know of an event that changes protection.

use std::collections::BTreeSet;

use dataward_event::audit_event::{
    Actor, AuditEvent, Client, Datastore, EventKind, Outcome, Sensitivity,
};
use dataward_event::change::{Change, Control};
use dataward_event::position::Position;
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::life::{is_creation, is_destruction};
use crate::place::Place;
use crate::state::since_3;

/// The name of a setting within its datastore.
pub type SettingKey = (Control, String);

/// An event that changes protection, or tried to. It owns its texts: it outlives its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct PostureEvent {
    /// The event's uid.
    pub uid: String,
    /// Its OCSF `type_uid`.
    pub type_uid: u64,
    /// When it happened.
    pub time: EventTime,
    /// Where it stands. Of an event that came twice, the smaller one.
    pub position: Position,
    /// The source.
    pub source: String,
    /// The operation.
    pub operation: String,
    /// The service.
    pub service: Option<String>,
    /// The act of which its source tells several records.
    pub correlation_uid: Option<String>,
    /// Whether it worked. A failed one is an attempt.
    pub outcome: Outcome,
    /// Who.
    pub actor: Actor<'static>,
    /// From where.
    pub client: Client<'static>,
    /// On what.
    pub datastore: Datastore<'static>,
    /// Which changes.
    pub changes: Vec<Change<'static>>,
    /// How sensitive, where the producer says so.
    pub sensitivity: Option<Sensitivity>,
    /// The datastore is gone.
    pub is_destruction: bool,
    /// The datastore is new.
    pub is_creation: bool,
    /// Where it happened.
    pub place: Place,
}

impl PostureEvent {
    /// The part of an event that matters to posture; `None` if it neither states a change of a datastore nor ends one.
    pub fn of(event: &AuditEvent<'_>, position: &Position) -> Option<Self> {
        let is_destruction = is_destruction(event);
        let is_creation = is_creation(event);
        if event.changes.is_empty() && !is_destruction && !is_creation && !is_companion(event) {
            return None;
        }
        let datastore = event.datastore.clone()?.into_owned();
        Some(Self {
            uid: event.uid.to_string(),
            type_uid: event.type_uid(),
            time: event.time,
            position: position.clone(),
            source: event.source.to_string(),
            operation: event.operation.to_string(),
            service: event.service.as_deref().map(str::to_owned),
            correlation_uid: event.correlation_uid.as_deref().map(str::to_owned),
            outcome: event.outcome,
            actor: event.actor.clone().into_owned(),
            client: event.client.clone().into_owned(),
            datastore,
            changes: event.changes.iter().cloned().map(Change::into_owned).collect(),
            sensitivity: event.sensitivity,
            is_destruction,
            is_creation,
            place: Place::of(event),
        })
    }

    /// An event that no record tells of, but that follows from others: by nobody in particular, without changes yet.
    pub(crate) fn concluded(
        uid: String,
        operation: &str,
        time: EventTime,
        position: Position,
        datastore: Datastore<'static>,
    ) -> Self {
        Self {
            uid,
            type_uid: 0,
            time,
            position,
            source: String::new(),
            operation: operation.to_owned(),
            service: None,
            correlation_uid: None,
            outcome: Outcome::Success,
            actor: Actor::default(),
            client: Client::default(),
            datastore,
            changes: Vec::new(),
            sensitivity: None,
            is_destruction: false,
            is_creation: false,
            place: Place::default(),
        }
    }

    /// The state of each control and setting that it names, in order.
    pub fn setting_keys(&self) -> BTreeSet<SettingKey> {
        self.changes.iter().map(|change| (change.control, change.setting.to_string())).collect()
    }

    /// What it says about one setting.
    pub fn changes_of<'e>(
        &'e self,
        key: &'e SettingKey,
    ) -> impl Iterator<Item = &'e Change<'static>> {
        self.changes.iter().filter(|change| change.control == key.0 && change.setting == key.1)
    }

    /// Whether it does nothing but name who made the change that another event of its act states.
    pub fn is_companion(&self) -> bool {
        self.changes.is_empty()
            && !self.is_destruction
            && !self.is_creation
            && !self.is_attempt()
            && self.correlation_uid.is_some()
    }

    /// Whether it changed nothing because it failed.
    pub fn is_attempt(&self) -> bool {
        self.outcome == Outcome::Failure
    }
}

/// Whether an event without a change says who made that of another record, or that it failed.
fn is_companion(event: &AuditEvent<'_>) -> bool {
    /// What Elasticsearch asks of a user who changes its security.
    const SECURITY_REQUESTS: &str = "cluster:admin/xpack/security/";
    event.kind == EventKind::ConfigChange
        && event.correlation_uid.is_some()
        && (event.outcome == Outcome::Failure || event.operation.starts_with(SECURITY_REQUESTS))
}

/// A posture event in a snapshot. The correlation uid stands behind the service, after a separator that no name holds: states
/// that were saved before there was one stay readable.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    uid: String,
    type_uid: u64,
    time: EventTime,
    position: Position,
    source: String,
    operation: String,
    service: Option<String>,
    outcome: Outcome,
    actor: Actor<'static>,
    client: Client<'static>,
    datastore: Datastore<'static>,
    changes: Vec<Change<'static>>,
    sensitivity: Option<Sensitivity>,
    is_destruction: bool,
    #[serde(deserialize_with = "since_3")]
    is_creation: bool,
    #[serde(deserialize_with = "since_3")]
    place: Place,
}

/// Stands between the service and the correlation uid.
const SEPARATOR: char = '\u{1f}';

impl From<PostureEvent> for Saved {
    fn from(event: PostureEvent) -> Self {
        let service = match (event.service, event.correlation_uid) {
            (service, None) => service,
            (service, Some(act)) => {
                Some(format!("{}{SEPARATOR}{act}", service.unwrap_or_default()))
            }
        };
        Self {
            uid: event.uid,
            type_uid: event.type_uid,
            time: event.time,
            position: event.position,
            source: event.source,
            operation: event.operation,
            service,
            outcome: event.outcome,
            actor: event.actor,
            client: event.client,
            datastore: event.datastore,
            changes: event.changes,
            sensitivity: event.sensitivity,
            is_destruction: event.is_destruction,
            is_creation: event.is_creation,
            place: event.place,
        }
    }
}

impl From<Saved> for PostureEvent {
    fn from(saved: Saved) -> Self {
        let (service, correlation_uid) = match saved.service {
            Some(both) => match both.split_once(SEPARATOR) {
                Some((service, act)) => {
                    (Some(service.to_owned()).filter(|name| !name.is_empty()), Some(act.to_owned()))
                }
                None => (Some(both), None),
            },
            None => (None, None),
        };
        Self {
            uid: saved.uid,
            type_uid: saved.type_uid,
            time: saved.time,
            position: saved.position,
            source: saved.source,
            operation: saved.operation,
            service,
            correlation_uid,
            outcome: saved.outcome,
            actor: saved.actor,
            client: saved.client,
            datastore: saved.datastore,
            changes: saved.changes,
            sensitivity: saved.sensitivity,
            is_destruction: saved.is_destruction,
            is_creation: saved.is_creation,
            place: saved.place,
        }
    }
}
