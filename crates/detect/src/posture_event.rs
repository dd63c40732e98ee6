//! What the keeper needs to know of an event that changes protection.

use dataward_event::audit_event::{Actor, AuditEvent, Client, Datastore, Outcome, Sensitivity};
use dataward_event::change::Change;
use dataward_event::position::Position;
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

/// An event that changes protection, or tried to. It owns its texts: it outlives its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl PostureEvent {
    /// The part of an event that matters to posture; `None` if it states no change of a datastore.
    pub fn of(event: &AuditEvent<'_>, position: &Position) -> Option<Self> {
        if event.changes.is_empty() {
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
            outcome: event.outcome,
            actor: event.actor.clone().into_owned(),
            client: event.client.clone().into_owned(),
            datastore,
            changes: event.changes.iter().cloned().map(Change::into_owned).collect(),
            sensitivity: event.sensitivity,
        })
    }

    /// Whether it changed nothing because it failed.
    pub fn is_attempt(&self) -> bool {
        self.outcome == Outcome::Failure
    }
}
