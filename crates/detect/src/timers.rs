//! When the next thing is due for each datastore that waits for something.

use std::collections::{BTreeMap, BTreeSet};

use dataward_event::time::EventTime;

/// The next due time of each datastore, by time and by datastore.
#[derive(Debug, Default)]
pub struct Timers {
    by_time: BTreeSet<(EventTime, String)>,
    by_datastore: BTreeMap<String, EventTime>,
}

impl Timers {
    /// Sets the timer of a datastore, or takes it away.
    pub fn set(&mut self, uid: &str, due: Option<EventTime>) {
        if let Some(old) = self.by_datastore.remove(uid) {
            self.by_time.remove(&(old, uid.to_owned()));
        }
        if let Some(due) = due {
            self.by_datastore.insert(uid.to_owned(), due);
            self.by_time.insert((due, uid.to_owned()));
        }
    }

    /// Whether a datastore waits for something.
    pub fn has(&self, uid: &str) -> bool {
        self.by_datastore.contains_key(uid)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<EventTime> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Takes the timer of a datastore, if it is due by `now`.
    pub fn take_due(&mut self, uid: &str, now: EventTime) -> Option<EventTime> {
        let due = self.by_datastore.get(uid).copied().filter(|due| *due <= now)?;
        self.set(uid, None);
        Some(due)
    }

    /// Takes the next one that is due by `now`.
    pub fn pop(&mut self, now: EventTime) -> Option<(EventTime, String)> {
        if self.next().is_none_or(|due| due > now) {
            return None;
        }
        let (due, uid) = self.by_time.pop_first()?;
        self.by_datastore.remove(&uid);
        Some((due, uid))
    }
}
