//! What an event does with data: reads it, writes it, copies it out.

use dataward_event::audit_event::{AuditEvent, Class, Datastore, EventKind, Outcome};
use dataward_event::position::Position;
use dataward_event::volume::ReadScope;

use crate::actor_key::{actor_key, datastore_key};
use crate::context::Context;
use crate::lineage::is_copy;
use crate::reads::read_volume::ReadVolume;

/// OCSF 6005 *Update*, *Write*, *Create*.
const DATASTORE_WRITES: [u16; 3] = [2, 5, 6];

/// An event on its way through.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'r> {
    /// The event.
    pub event: &'r AuditEvent<'r>,
    /// The datastore.
    pub datastore: &'r Datastore<'r>,
    /// Where the event stands.
    pub position: &'r Position,
    /// What people know.
    pub context: &'r Context,
    /// What it reads; nothing of a write.
    pub volume: Option<ReadVolume>,
    /// What it writes, in units of volume.
    pub written: Option<f64>,
    /// It copies data out in one go.
    pub is_export: bool,
    /// The key of the actor.
    pub actor_key: u64,
    /// The key of the datastore.
    pub store_key: u64,
    /// Seconds since 1970-01-01.
    pub second: i64,
}

impl<'r> Deed<'r> {
    /// What an event does; `None` where it touches no data.
    pub fn of(
        event: &'r AuditEvent<'r>,
        position: &'r Position,
        context: &'r Context,
    ) -> Option<Self> {
        let datastore = event.datastore.as_ref()?;
        if event.outcome == Outcome::Failure {
            return None;
        }
        let volume = ReadVolume::of(event);
        let is_export =
            event.read_scope == Some(ReadScope::Export) || event.changes.iter().any(is_copy);
        let is_write = event.kind == EventKind::Access
            && event.class == Class::DatastoreActivity
            && DATASTORE_WRITES.contains(&event.activity_id);
        if volume.is_none() && !is_export && !is_write {
            return None;
        }
        Some(Self {
            event,
            datastore,
            position,
            context,
            volume,
            written: is_write.then(|| written(event)),
            is_export,
            actor_key: actor_key(&event.actor, datastore),
            store_key: datastore_key(datastore),
            second: event.time.micros().div_euclid(1_000_000),
        })
    }

    /// Whether it asks for everything: what it returns is the size of what it reads.
    pub fn reads_everything(&self) -> bool {
        matches!(self.event.read_scope, Some(ReadScope::Whole | ReadScope::Export))
    }
}

/// What a write took in: rows or KiB, the larger; else objects, else one event.
fn written(event: &AuditEvent<'_>) -> f64 {
    let volume = &event.volume;
    let rows = volume.rows.map(|rows| rows.0 as f64);
    let kibibytes = volume.bytes.map(|bytes| bytes.0 as f64 / 1024.0);
    let objects =
        volume.objects.map_or(event.objects.len().max(1) as f64, |objects| objects.0 as f64);
    rows.into_iter().chain(kibibytes).reduce(f64::max).unwrap_or(objects)
}
