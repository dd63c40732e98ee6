//! One setting of one datastore: which things are open in it, and since which event.

use std::collections::{BTreeMap, BTreeSet};

use dataward_event::change::{Change, Control, Direction};
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::posture_event::PostureEvent;

/// The name of a setting within its datastore.
pub type SettingKey = (Control, String);

/// The most things remembered per setting. Beyond it the one that changed longest ago is forgotten.
const THINGS_MAX: usize = 1_024;

/// The most recent events kept as they are per setting: what each further event costs. Of a setting that is changed more
/// often within the lateness bound the oldest are folded early, and a late event among them no longer takes its place.
const RECENT_MAX: usize = 256;

/// The state of one setting.
///
/// Events within the lateness bound are kept as they are, ordered by (event time, uid), and what follows from them is
/// derived anew whenever one arrives: a late event simply takes its place. Older events are folded into `settled`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    settled: BTreeMap<String, Settled>,
    settled_whole: Option<EventTime>,
    recent: BTreeMap<(EventTime, String), PostureEvent>,
    attempts: u64,
}

/// What older events left of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Settled {
    open: bool,
    since: EventTime,
}

/// An event that opened something that was not open: the ground of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The event.
    pub event: PostureEvent,
    /// The changes of it that opened something.
    pub opened: Vec<Change<'static>>,
    /// It came after the lateness bound had passed.
    pub late: bool,
}

impl Setting {
    /// Takes an event in. Returns what the setting's openings were before and are now, by event uid.
    ///
    /// `horizon` is the lateness bound: the source's highest event time less the bound.
    pub fn insert(
        &mut self,
        key: &SettingKey,
        event: PostureEvent,
        horizon: EventTime,
    ) -> (BTreeMap<String, Opening>, BTreeMap<String, Opening>) {
        let place = (event.time, event.uid.clone());
        if event.time < horizon {
            let before = self.openings(key);
            let late = self.settle_late(key, event);
            let mut now = self.openings(key);
            now.extend(late.map(|opening| (opening.event.uid.clone(), opening)));
            return (before, now);
        }
        if let Some(known) = self.recent.get_mut(&place) {
            // The same event from another place: a set has it once, under its smaller position.
            known.position = event.position.min(known.position.clone());
            let now = self.openings(key);
            return (now.clone(), now);
        }
        while self.recent.len() >= RECENT_MAX {
            let Some((_, oldest)) = self.recent.pop_first() else { break };
            self.fold(key, &oldest);
        }
        let before = self.openings(key);
        self.recent.insert(place, event);
        (before, self.openings(key))
    }

    /// Folds events older than the horizon of their source. `true` if the setting has nothing recent left.
    pub fn settle(&mut self, key: &SettingKey, horizon: impl Fn(&str) -> EventTime) -> bool {
        // Only a prefix may be folded: a younger event of another source could still be preceded.
        while let Some(entry) = self.recent.first_entry() {
            if entry.get().time >= horizon(&entry.get().source) {
                break;
            }
            let event = entry.remove();
            self.fold(key, &event);
        }
        self.recent.is_empty()
    }

    /// How many events are kept as they are.
    pub fn recent_len(&self) -> usize {
        self.recent.len()
    }

    fn fold(&mut self, key: &SettingKey, event: &PostureEvent) {
        if event.is_attempt() {
            self.attempts += 1;
            return;
        }
        let mut open = self.settled_open();
        let known: BTreeSet<String> = self.settled.keys().cloned().collect();
        apply(&mut open, key, event);
        let named = changes_of(key, event).map(|change| change.opened.to_string());
        let touched: BTreeSet<String> =
            named.filter(|name| !name.is_empty()).chain(known).chain(open.clone()).collect();
        for name in touched {
            let is_open = open.contains(&name);
            match self.settled.get_mut(&name) {
                Some(settled) if settled.open == is_open => {}
                Some(settled) => *settled = Settled { open: is_open, since: event.time },
                None => {
                    self.settled.insert(name, Settled { open: is_open, since: event.time });
                }
            }
        }
        if changes_of(key, event).any(|change| change.whole) {
            self.settled_whole = Some(event.time);
        }
        while self.settled.len() > THINGS_MAX {
            let oldest = self.settled.iter().min_by_key(|(_, thing)| thing.since);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            self.settled.remove(&name);
        }
    }

    /// An event older than the bound: it still alerts, and changes the state of what is not known better since.
    fn settle_late(&mut self, key: &SettingKey, event: PostureEvent) -> Option<Opening> {
        if event.is_attempt() {
            self.attempts += 1;
            return None;
        }
        let mut opened = Vec::new();
        for change in changes_of(key, &event) {
            let known_since = self.settled.get(change.opened.as_ref()).map(|thing| thing.since);
            let is_known_better = known_since.is_some_and(|since| since > event.time)
                || self.settled_whole.is_some_and(|since| since > event.time);
            let was_open = self.settled.get(change.opened.as_ref()).is_some_and(|thing| thing.open);
            if change.direction == Direction::Weakened && (is_known_better || !was_open) {
                opened.push(change.clone());
            }
            if !is_known_better
                && !change.opened.is_empty()
                && change.direction != Direction::Unknown
            {
                let open = change.direction == Direction::Weakened;
                let settled = Settled { open, since: event.time };
                self.settled.insert(change.opened.to_string(), settled);
            }
        }
        (!opened.is_empty()).then_some(Opening { event, opened, late: true })
    }

    fn settled_open(&self) -> BTreeSet<String> {
        let open = self.settled.iter().filter(|(_, thing)| thing.open);
        open.map(|(name, _)| name.clone()).collect()
    }

    /// The recent events that opened something, by event uid.
    pub fn openings(&self, key: &SettingKey) -> BTreeMap<String, Opening> {
        let mut open = self.settled_open();
        let mut openings = BTreeMap::new();
        for event in self.recent.values().filter(|event| !event.is_attempt()) {
            let opened = apply(&mut open, key, event);
            if !opened.is_empty() {
                let opening = Opening { event: event.clone(), opened, late: false };
                openings.insert(event.uid.clone(), opening);
            }
        }
        openings
    }

    /// What is open now.
    pub fn open(&self, key: &SettingKey) -> BTreeSet<String> {
        let mut open = self.settled_open();
        for event in self.recent.values().filter(|event| !event.is_attempt()) {
            apply(&mut open, key, event);
        }
        open
    }
}

fn changes_of<'e>(
    key: &'e SettingKey,
    event: &'e PostureEvent,
) -> impl Iterator<Item = &'e Change<'static>> {
    event.changes.iter().filter(|change| change.control == key.0 && change.setting == key.1)
}

/// Applies an event to the set of open things, and returns the changes that opened something new.
fn apply(
    open: &mut BTreeSet<String>,
    key: &SettingKey,
    event: &PostureEvent,
) -> Vec<Change<'static>> {
    let mut opened = Vec::new();
    if changes_of(key, event).any(|change| change.whole) {
        let named: BTreeSet<&str> = changes_of(key, event)
            .filter(|change| change.direction == Direction::Weakened)
            .map(|change| change.opened.as_ref())
            .collect();
        open.retain(|name| named.contains(name.as_str()));
    }
    for change in changes_of(key, event) {
        match change.direction {
            Direction::Weakened => {
                if open.insert(change.opened.to_string()) {
                    opened.push(change.clone());
                }
            }
            Direction::Strengthened => {
                open.remove(change.opened.as_ref());
            }
            Direction::Neutral | Direction::Unknown => {}
        }
    }
    opened
}
