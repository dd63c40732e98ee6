//! Many readers of our own in one datastore and minute: which of them the keeper would tell apart, and the sum of the
//! others.
//!
//! The keeper tells those apart whose hashes are the smallest of all. Who has so many before it among some readers has
//! them among all, so its read can be summed up where it is seen, and nothing depends on who is seen where.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use dataward_event::audit_event::{AuditEvent, Datastore};
use dataward_event::position::Position;
use dataward_event::time::EventTime;

use crate::actor_key::identity_hash;
use crate::datastore_state::INSIDERS_PER_MINUTE_MAX;
use crate::place::Place;
use crate::read_total::{DatastoreRead, ReadTotal, identity, is_stranger, place_like, shared};

/// The most crowds that are remembered at once. When there are more all are handed over, and it begins anew.
const CROWDS_MAX: usize = 16_384;

/// The readers of each datastore in the minutes at hand.
#[derive(Debug)]
pub(crate) struct Crowds {
    crowds: Vec<Crowd>,
    // Only asked, never iterated: its order cannot show.
    places: HashMap<u64, usize>,
    newest_minute: i64,
    /// The minute up to which all were handed over.
    taken_minute: i64,
}

/// The readers of one datastore in one minute.
#[derive(Debug)]
struct Crowd {
    datastore: Datastore<'static>,
    source: Arc<str>,
    place: Arc<Place>,
    minute: i64,
    /// The smallest hashes, in order.
    told_apart: Vec<u64>,
    /// What the others read since it was handed over, and when last.
    others: Option<(ReadTotal, EventTime)>,
}

impl Default for Crowds {
    fn default() -> Self {
        let (crowds, places) = (Vec::new(), HashMap::new());
        Self { crowds, places, newest_minute: i64::MIN, taken_minute: i64::MIN }
    }
}

impl Crowds {
    /// Takes a read into a sum, if its reader is not told apart: `true` if so.
    pub(crate) fn take_in(
        &mut self,
        event: &AuditEvent<'_>,
        datastore: &Datastore<'_>,
        minute: i64,
        network: &str,
        position: &Position,
    ) -> bool {
        self.newest_minute = self.newest_minute.max(minute);
        if is_stranger(event) {
            return false;
        }
        let actor = &event.actor;
        let name = identity(actor.kind, actor.uid.as_deref(), actor.name.as_deref(), network);
        let hash = identity_hash(name);
        let next = self.crowds.len();
        let place = *self.places.entry(place_of(datastore, minute)).or_insert(next);
        let Some(crowd) = self.crowds.get_mut(place) else {
            let like = self.crowds.last().map(|crowd| &crowd.source);
            self.crowds.push(Crowd {
                datastore: datastore.clone().into_owned(),
                source: shared(&event.source, like),
                place: place_like(event, self.crowds.last().map(|crowd| &crowd.place)),
                minute,
                told_apart: vec![hash],
                others: None,
            });
            return false;
        };
        let is_of = crowd.minute == minute
            && *crowd.source == *event.source
            && crowd.datastore == *datastore;
        is_of && crowd.take_in(hash, event, position)
    }

    /// Hands over the sums of minutes that are over, and forgets those minutes.
    pub(crate) fn take_past(&mut self, to: &mut Vec<DatastoreRead>) {
        let newest = self.newest_minute;
        if self.crowds.len() > CROWDS_MAX {
            self.take_all(to);
            self.crowds.clear();
            self.places.clear();
        }
        if self.taken_minute >= newest {
            return;
        }
        self.taken_minute = newest;
        self.crowds.retain_mut(|crowd| {
            if crowd.minute < newest {
                to.extend(crowd.hand_over());
            }
            crowd.minute >= newest
        });
        let places = self.crowds.iter().enumerate();
        self.places = places.map(|(at, of)| (place_of(&of.datastore, of.minute), at)).collect();
    }

    /// Hands over all sums.
    pub(crate) fn take_all(&mut self, to: &mut Vec<DatastoreRead>) {
        to.extend(self.crowds.iter_mut().filter_map(Crowd::hand_over));
    }
}

impl Crowd {
    fn take_in(&mut self, hash: u64, event: &AuditEvent<'_>, position: &Position) -> bool {
        let Err(place) = self.told_apart.binary_search(&hash) else { return false };
        if place < INSIDERS_PER_MINUTE_MAX {
            self.told_apart.truncate(INSIDERS_PER_MINUTE_MAX - 1);
            self.told_apart.insert(place, hash);
            return false;
        }
        match &mut self.others {
            Some((total, last)) => {
                total.count(event);
                *last = event.time.max(*last);
            }
            None => self.others = Some((ReadTotal::of(event, position, None), event.time)),
        }
        true
    }

    fn hand_over(&mut self) -> Option<DatastoreRead> {
        let (mut total, last) = self.others.take()?;
        total.last.time = last;
        Some(DatastoreRead {
            datastore: self.datastore.clone(),
            source: Arc::clone(&self.source),
            minute: self.minute,
            reader: None,
            total,
            is_write: false,
            place: Arc::clone(&self.place),
        })
    }
}

fn place_of(datastore: &Datastore<'_>, minute: i64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&datastore.uid, minute).hash(&mut hasher);
    hasher.finish()
}
