//! What is known of one setting of a datastore: which things are open in it.

use dataward_event::time::EventTime;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::opening::OpeningId;
use crate::posture_event::PostureEvent;
use crate::state::since_3;

/// The most things remembered per setting. Beyond it the closed one that changed longest ago is forgotten.
const THINGS_MAX: usize = 1_024;

/// What is known of one setting. Most have one thing: a map that takes no more memory than its entries.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its things.
    pub things: LiteMap<String, Thing>,
    /// When an event stated all of it.
    pub whole: Option<EventTime>,
    /// The first event that stated all of it.
    #[serde(deserialize_with = "since_3")]
    pub first_whole: Option<Box<Shown>>,
}

/// An event that has shown something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shown {
    /// When.
    pub at: EventTime,
    /// Its uid.
    pub event_uid: Box<str>,
}

/// What is known of one thing of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Open, and by which opening.
    pub opening: Option<Box<OpeningId>>,
    /// When an event last told of it.
    pub since: EventTime,
    /// Closed, and by which event.
    #[serde(deserialize_with = "since_3")]
    pub closed_by: Option<Box<Shown>>,
}

impl Shown {
    /// What an event shows.
    pub(crate) fn by(event: &PostureEvent) -> Self {
        Self { at: event.time, event_uid: event.uid.as_str().into() }
    }
}

impl Thing {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.opening.is_some()
    }
}

impl Setting {
    /// Notes what has become of a thing. Returns what it was.
    pub fn put(&mut self, name: &str, thing: Thing) -> Option<Thing> {
        if self.things.is_empty() {
            // A list that grows by itself begins with room for four.
            self.things = LiteMap::with_capacity(1);
        }
        self.things.insert(name.to_owned(), thing)
    }

    /// Whether something of it is open.
    pub fn is_open(&self) -> bool {
        self.things.values().any(Thing::is_open)
    }

    /// Whether any event has told of it.
    pub fn is_known(&self) -> bool {
        self.whole.is_some() || !self.things.is_empty()
    }

    /// Whether an event after `time` has told of a thing.
    pub fn is_known_better(&self, thing: &str, time: EventTime) -> bool {
        self.things.get(thing).is_some_and(|thing| thing.since > time)
            || self.whole.is_some_and(|whole| whole > time)
    }

    /// Forgets closed things where there are too many.
    pub fn prune(&mut self) {
        while self.things.len() > THINGS_MAX {
            let closed = self.things.iter().filter(|(_, thing)| !thing.is_open());
            let oldest = closed.min_by_key(|(name, thing)| (thing.since, *name));
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            self.things.remove(&name);
        }
    }
}
