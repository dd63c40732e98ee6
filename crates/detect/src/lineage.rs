//! Copies: which datastore was made from which, and whether a copy is less protected than what it was made from.
//!
//! An edge leads from an origin to its copy. Events that name both ends tell of it ([`COPY_TO`], [`COPY_FROM`]), or volumes
//! do ([`flows`](crate::flows)). A copy has the sensitivity of what it was made from at once; whether it is as well
//! protected is judged when the time for protecting it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_event::audit_event::{Datastore, DatastoreForm, Sensitivity};
use dataward_event::change::{COPY_FROM, COPY_TO, Change, Control, Direction};
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::opening::{GRACE_MICROS, Opening, OpeningId};
use crate::place::{Border, Place};
use crate::posture_event::PostureEvent;

/// The setting of a verdict: what stood open in a copy and not in its origin.
pub const WEAKER_COPY: &str = "weaker_copy";

/// The operation of a verdict.
const VERDICT: &str = "copy_compared";

/// Edges remembered. Beyond it the oldest is forgotten.
const EDGES_MAX: usize = 16_384;

/// Origins followed from a copy to what it came from.
const ORIGINS_MAX: usize = 64;

/// What must be as well protected in a copy as in its origin.
const COMPARED: [Control; 7] = [
    Control::Authentication,
    Control::NetworkExposure,
    Control::AccessPolicy,
    Control::EncryptionAtRest,
    Control::EncryptionInTransit,
    Control::AuditLogging,
    Control::DataMasking,
];

/// Which copy: by when, by which event, from where, into what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct EdgeId {
    time: EventTime,
    event_uid: String,
    from: String,
    to: String,
}

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// What was copied.
    pub from: Datastore<'static>,
    /// The copy.
    pub to: Datastore<'static>,
    /// The event that tells of it.
    pub event: Arc<PostureEvent>,
}

/// All copies that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    edges: BTreeMap<EdgeId, Edge>,
    #[serde(skip)]
    index: Index,
}

/// Which edges touch a datastore: follows from the edges.
#[derive(Debug, Clone, Default)]
struct Index {
    into: BTreeMap<String, BTreeSet<EdgeId>>,
    from: BTreeMap<String, BTreeSet<String>>,
}

impl PartialEq for Index {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Index {}

/// A verdict about a copy: when the time for protecting it was over, it was less protected than what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeakCopy {
    /// The verdict.
    pub event: Arc<PostureEvent>,
    /// What it was made from.
    pub origin: Datastore<'static>,
    /// What was open in the copy and not in the origin.
    pub opening: OpeningId,
}

/// Whether a change tells of a copy.
pub(crate) fn is_copy(change: &Change<'_>) -> bool {
    change.control == Control::Sharing && matches!(&*change.setting, COPY_TO | COPY_FROM)
}

/// Whether an event is a verdict about a copy.
pub(crate) fn is_verdict(event: &PostureEvent) -> bool {
    event.changes.first().is_some_and(|change| change.setting == WEAKER_COPY)
}

/// The border that a copy crosses, as far as its event tells where both ends lie.
pub(crate) fn border_of(
    event: &PostureEvent,
    change: &Change<'_>,
    trusted: &crate::context::Trusted,
) -> Option<(Border, Place)> {
    let (from, to) = ends(event, change)?;
    let border = from.border_to(&to, trusted)?;
    Some((border, to))
}

/// Where both ends of a copy lie.
fn ends(event: &PostureEvent, change: &Change<'_>) -> Option<(Place, Place)> {
    let other =
        |text: &Option<_>| -> Place { text.as_deref().map(Place::parse).unwrap_or_default() };
    match &*change.setting {
        COPY_TO => Some((event.place.clone(), other(&change.after))),
        COPY_FROM => Some((other(&change.before), event.place.clone())),
        _ => None,
    }
}

impl Lineage {
    /// Takes in what an event tells of copies. Returns the copies, by uid.
    pub(crate) fn insert(&mut self, event: &PostureEvent) -> Vec<String> {
        if event.is_attempt() {
            return Vec::new();
        }
        let shared = Arc::new(event.clone());
        let mut copies = Vec::new();
        for change in event.changes.iter().filter(|change| is_copy(change)) {
            let other = bare(&change.opened);
            if change.opened.is_empty() || other.uid == event.datastore.uid {
                continue;
            }
            let (from, to) = match &*change.setting {
                COPY_TO => (event.datastore.clone(), other),
                _ => (other, event.datastore.clone()),
            };
            let id = EdgeId {
                time: event.time,
                event_uid: event.uid.clone(),
                from: from.uid.to_string(),
                to: to.uid.to_string(),
            };
            copies.push(id.to.clone());
            self.index.add(&id);
            let edge = Edge { from, to, event: Arc::clone(&shared) };
            match self.edges.get(&id) {
                // The same event from another place: its first place counts, whichever comes first.
                Some(known) if known.event.position <= event.position => {}
                _ => drop(self.edges.insert(id, edge)),
            }
        }
        while self.edges.len() > EDGES_MAX {
            if let Some((id, _)) = self.edges.pop_first() {
                self.index.remove(&id);
            }
        }
        copies
    }

    /// Finds the edges of each datastore again: after loading.
    pub(crate) fn index(&mut self) {
        self.index = Index::default();
        for id in self.edges.keys() {
            self.index.add(id);
        }
    }

    /// Whether no copy is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// The copies that were made into a datastore.
    pub fn edges_into(&self, uid: &str) -> impl Iterator<Item = &Edge> {
        let ids = self.index.into.get(uid).into_iter().flatten();
        ids.filter_map(|id| self.edges.get(id))
    }

    /// The copies that were made from a datastore, by uid.
    pub(crate) fn copies_of(&self, uid: &str) -> Vec<String> {
        self.index.from.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Whether a copy from one to the other is known.
    pub(crate) fn knows(&self, from: &str, to: &str) -> bool {
        self.index.from.get(from).is_some_and(|copies| copies.contains(to))
    }

    /// All that the data of a datastore may come from, with what the events of the copies say of it.
    pub fn origins(&self, uid: &str) -> Vec<(Datastore<'static>, Option<Sensitivity>)> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let (mut next, mut origins) = (vec![uid.to_owned()], Vec::new());
        while let Some(uid) = next.pop() {
            for edge in self.edges_into(&uid) {
                if origins.len() < ORIGINS_MAX && seen.insert(&edge.from.uid) {
                    next.push(edge.from.uid.to_string());
                    origins.push((edge.from.clone(), edge.event.sensitivity));
                }
            }
        }
        origins
    }
}

impl Index {
    fn add(&mut self, id: &EdgeId) {
        self.into.entry(id.to.clone()).or_default().insert(id.clone());
        self.from.entry(id.from.clone()).or_default().insert(id.to.clone());
    }

    fn remove(&mut self, id: &EdgeId) {
        let Some(edges) = self.into.get_mut(&id.to) else { return };
        edges.remove(id);
        let is_last = !edges.iter().any(|other| other.from == id.from);
        if edges.is_empty() {
            self.into.remove(&id.to);
        }
        if is_last && let Some(copies) = self.from.get_mut(&id.from) {
            copies.remove(&id.to);
            if copies.is_empty() {
                self.from.remove(&id.from);
            }
        }
    }
}

impl Edge {
    /// When it is judged whether an opening makes a copy a weaker one.
    pub(crate) fn due(&self, opening: &Opening) -> EventTime {
        self.event.time.max(opening.event.time).plus_micros(GRACE_MICROS)
    }

    /// Whether an opening is compared at all.
    pub(crate) fn compares(&self, opening: &Opening) -> bool {
        COMPARED.contains(&opening.control()) && !opening.is_of_a_read()
    }

    /// The verdict that an opening makes the copy weaker than its origin.
    pub(crate) fn verdict(&self, opening: &Opening) -> PostureEvent {
        let id = opening.id();
        let uid = UidBuilder::new("verdict")
            .text(&self.event.uid)
            .text(&self.from.uid)
            .text(&self.to.uid)
            .text(&id.event_uid)
            .text(id.key.0.as_str())
            .text(&id.key.1)
            .finish();
        PostureEvent {
            uid,
            type_uid: 0,
            time: self.due(opening),
            operation: VERDICT.to_owned(),
            correlation_uid: None,
            changes: vec![Change {
                catalogue_row: "".into(),
                control: id.key.0,
                setting: WEAKER_COPY.into(),
                opened: self.from.uid.to_string().into(),
                before: Some(id.event_uid.into()),
                after: Some(id.key.1.into()),
                direction: Direction::Neutral,
                whole: false,
            }],
            datastore: self.to.clone(),
            is_destruction: false,
            is_creation: false,
            ..PostureEvent::clone(&self.event)
        }
    }
}

/// What a verdict says, as long as the opening is there that it is about.
pub(crate) fn weak_copy(
    event: &Arc<PostureEvent>,
    openings: &BTreeMap<OpeningId, Arc<Opening>>,
) -> Option<WeakCopy> {
    let change = event.changes.first()?;
    let is_meant = |id: &&OpeningId| {
        id.key.0 == change.control
            && change.after.as_deref() == Some(id.key.1.as_str())
            && change.before.as_deref() == Some(id.event_uid.as_str())
    };
    let opening = openings.keys().find(is_meant)?.clone();
    Some(WeakCopy { event: Arc::clone(event), origin: bare(&change.opened), opening })
}

/// A datastore of which nothing but its uid is known: what else events tell of it may come later.
pub(crate) fn bare(uid: &str) -> Datastore<'static> {
    Datastore {
        uid: uid.to_owned().into(),
        name: None,
        resource_type: None,
        form: DatastoreForm::Other,
    }
}

#[cfg(test)]
mod tests {
    use dataward_event::position::{Offset, Partition, Position};
    use dataward_sources::decode::Record;
    use dataward_sources::source::{Source, decode};

    use super::*;

    /// The copies that a call on snapshots tells of.
    fn copies(operation: &str, request: &str, rest: &str) -> Vec<String> {
        let text = format!(
            r#"{{"eventVersion":"1.09","eventID":"1","eventTime":"2026-03-04T05:06:07Z","awsRegion":"eu-central-1",
                "eventSource":"rds.amazonaws.com","eventName":"{operation}","recipientAccountId":"111122223333",
                "requestParameters":{{{request}}}{rest}}}"#
        );
        let position =
            Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
        let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
        let decoded = decode(Source::AwsCloudtrail, record);
        let told = PostureEvent::of(&decoded.events[0].event, &position);
        told.map(|event| Lineage::default().insert(&event)).unwrap_or_default()
    }

    #[test]
    fn a_copy_has_two_ends_and_was_made() {
        let source = r#""sourceDBSnapshotIdentifier":"s1""#;
        let both = format!(r#"{source},"targetDBSnapshotIdentifier":"s2""#);
        let copy = "arn:aws:rds:eu-central-1:111122223333:snapshot:s2";
        assert_eq!(copies("CopyDBSnapshot", &both, ""), [copy]);
        let refused = r#","errorCode":"AccessDenied""#;
        assert!(copies("CopyDBSnapshot", &both, refused).is_empty());
        assert!(copies("CopyDBSnapshot", source, "").is_empty());
        let same = format!(r#"{source},"targetDBSnapshotIdentifier":"s1""#);
        assert!(copies("CopyDBSnapshot", &same, "").is_empty());
    }
}
