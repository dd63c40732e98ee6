//! What is known of one setting of a datastore: which things are open in it.

use std::collections::BTreeMap;

use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::opening::OpeningId;

/// The most things remembered per setting. Beyond it the closed one that changed longest ago is forgotten.
const THINGS_MAX: usize = 1_024;

/// What is known of one setting.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its things.
    pub things: BTreeMap<String, Thing>,
    /// When an event stated all of it.
    pub whole: Option<EventTime>,
}

/// What is known of one thing of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Open, and by which opening.
    pub opening: Option<OpeningId>,
    /// Since when.
    pub since: EventTime,
}

impl Thing {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.opening.is_some()
    }
}

impl Setting {
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
