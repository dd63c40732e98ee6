//! What a producer delivered twice: two facts for the archive, one for detection.

use std::collections::{HashSet, VecDeque};

use dataward_event::limits::{DUPLICATE_UIDS_MAX, DUPLICATE_WINDOW_MICROS};
use dataward_event::time::EventTime;
use dataward_event::uid::short_hash;
use serde::{Deserialize, Serialize};

/// The event uids of the last ten minutes of event time, as hashes of eight bytes, in order of arrival.
#[derive(Debug, Default, Clone)]
pub struct Duplicates {
    arrivals: VecDeque<(EventTime, u64)>,
    // Only asked, never iterated: its order cannot show.
    hashes: HashSet<u64>,
    newest: Option<EventTime>,
}

/// What is saved: the arrivals alone, the rest follows from them.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedDuplicates {
    arrivals: Vec<(EventTime, u64)>,
    newest: Option<EventTime>,
}

impl Duplicates {
    /// Remembers a uid, and says whether it was there already.
    pub fn is_repeat(&mut self, uid: &str, time: EventTime) -> bool {
        let hash = short_hash(uid);
        if self.hashes.contains(&hash) {
            return true;
        }
        let newest = self.newest.map_or(time, |newest| newest.max(time));
        self.newest = Some(newest);
        self.hashes.insert(hash);
        self.arrivals.push_back((time, hash));
        let horizon = newest.plus_micros(-DUPLICATE_WINDOW_MICROS);
        while let Some((oldest, hash)) = self.arrivals.front().copied() {
            if self.arrivals.len() <= DUPLICATE_UIDS_MAX && oldest >= horizon {
                break;
            }
            self.arrivals.pop_front();
            self.hashes.remove(&hash);
        }
        false
    }

    /// What is saved.
    pub fn save(&self) -> SavedDuplicates {
        SavedDuplicates { arrivals: self.arrivals.iter().copied().collect(), newest: self.newest }
    }

    /// The same from what was saved.
    pub fn load(saved: SavedDuplicates) -> Self {
        let hashes = saved.arrivals.iter().map(|(_, hash)| *hash).collect();
        Self { arrivals: saved.arrivals.into(), hashes, newest: saved.newest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_repeat_is_known_for_ten_minutes_of_event_time() {
        let mut duplicates = Duplicates::default();
        assert!(!duplicates.is_repeat("a", EventTime::from_micros(0)));
        assert!(duplicates.is_repeat("a", EventTime::from_micros(0)));
        assert!(!duplicates.is_repeat("b", EventTime::from_micros(9 * MINUTE)));
        assert!(duplicates.is_repeat("a", EventTime::from_micros(0)));
        assert!(!duplicates.is_repeat("c", EventTime::from_micros(11 * MINUTE)));
        assert!(!duplicates.is_repeat("a", EventTime::from_micros(0)), "forgotten by now");
    }

    #[test]
    fn memory_is_bounded() {
        let mut duplicates = Duplicates::default();
        for number in 0..DUPLICATE_UIDS_MAX + 1000 {
            duplicates.is_repeat(&number.to_string(), EventTime::from_micros(0));
        }
        assert_eq!(duplicates.arrivals.len(), DUPLICATE_UIDS_MAX);
        assert_eq!(duplicates.hashes.len(), DUPLICATE_UIDS_MAX);
    }
}
