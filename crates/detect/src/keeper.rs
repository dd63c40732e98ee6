//! The keeper of the shared state: the protection of every datastore.
//!
//! What it concludes is a function of the *set* of posture events, ordered by (event time, event uid) within the
//! lateness bound, never of their arrival: events of one datastore come from many actors and so from many partitions.
//! A finding goes out at once; a late, earlier event may change it or withdraw it (`superseded`, same uid).

use std::collections::{BTreeMap, BTreeSet};

use dataward_event::finding::{CloseReason, Finding, Step, Trigger};
use dataward_event::limits::LATENESS_BOUND_MICROS;
use dataward_event::time::EventTime;
use dataward_event::uid::short_hash;
use serde::{Deserialize, Serialize};

use crate::posture_event::PostureEvent;
use crate::setting::{Setting, SettingKey};
use crate::state::{StateError, decode, encode};
use crate::weakening;

/// How many pieces the datastores are spread over, by the hash of their uid. Piece 0 is the keeper's own.
const DATASTORE_SEGMENTS: u32 = 64;

/// How many segments the state has.
pub const SEGMENT_COUNT: u32 = DATASTORE_SEGMENTS + 1;

type Datastores = BTreeMap<String, BTreeMap<SettingKey, Setting>>;

/// The protection of every datastore.
#[derive(Debug)]
pub struct Keeper {
    segments: Vec<Datastores>,
    root: Root,
    dirty: BTreeSet<u32>,
    /// Settings that still hold recent events, by datastore.
    unsettled: BTreeSet<(String, SettingKey)>,
    next_number: u64,
}

/// What is not about one datastore.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Root {
    newest: BTreeMap<String, EventTime>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self::new()
    }
}

impl Keeper {
    /// A keeper that knows nothing.
    pub fn new() -> Self {
        Self {
            segments: (0..DATASTORE_SEGMENTS).map(|_| Datastores::new()).collect(),
            root: Root::default(),
            dirty: (0..SEGMENT_COUNT).collect(),
            unsettled: BTreeSet::new(),
            next_number: 0,
        }
    }

    /// Takes a posture event in and says what follows.
    pub fn observe(&mut self, event: &PostureEvent) -> Vec<Finding> {
        let newest = self.root.newest.entry(event.source.clone()).or_insert(event.time);
        if event.time >= *newest {
            *newest = event.time;
            self.dirty.insert(0);
        }
        let horizon = newest.plus_micros(-LATENESS_BOUND_MICROS);
        let mut findings = Vec::new();
        for key in setting_keys(event) {
            self.observe_setting(&key, event, horizon, &mut findings);
        }
        for finding in &mut findings {
            finding.trigger = Trigger::Keeper(self.next_number);
            self.next_number += 1;
        }
        findings
    }

    fn observe_setting(
        &mut self,
        key: &SettingKey,
        event: &PostureEvent,
        horizon: EventTime,
        findings: &mut Vec<Finding>,
    ) {
        let (index, bucket) = bucket_of(&event.datastore.uid);
        self.dirty.insert(index);
        let newest = &self.root.newest;
        let settings = self.segments[bucket].entry(event.datastore.uid.to_string()).or_default();
        let setting = settings.entry(key.clone()).or_default();
        setting.settle(key, |source| horizon_of(newest, source));
        let (before, now) = setting.insert(key, event.clone(), horizon);
        self.unsettled.insert((event.datastore.uid.to_string(), key.clone()));

        for (uid, opening) in &before {
            if !now.contains_key(uid) {
                let step = Step::Close(CloseReason::Superseded);
                findings.push(weakening::finding(key, opening, step, &event.uid));
            }
        }
        for (uid, opening) in &now {
            let step = match before.get(uid) {
                None => Step::Create,
                Some(known) if known.opened != opening.opened => Step::Update,
                Some(_) => continue,
            };
            findings.push(weakening::finding(key, opening, step, &event.uid));
        }
    }

    /// The number of the next alert.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Continues counting where the table stands: what a replay counted does not matter.
    pub fn set_next_number(&mut self, number: u64) {
        self.next_number = number;
    }

    /// What is open in a setting now.
    pub fn open(&self, datastore_uid: &str, key: &SettingKey) -> BTreeSet<String> {
        let (_, bucket) = bucket_of(datastore_uid);
        let settings = self.segments[bucket].get(datastore_uid);
        settings.and_then(|s| s.get(key)).map(|setting| setting.open(key)).unwrap_or_default()
    }

    /// The segments that changed since the last call, each with its bytes.
    pub fn save_dirty(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.settle();
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|index| (index, self.segment_bytes(index))).collect()
    }

    /// All segments: what [`load`](Self::load) takes, and what two keepers of the same events have equal.
    pub fn save_all(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.settle();
        (0..SEGMENT_COUNT).map(|index| (index, self.segment_bytes(index))).collect()
    }

    /// Marks everything as changed: the last save did not reach the archive.
    pub fn mark_all_dirty(&mut self) {
        self.dirty = (0..SEGMENT_COUNT).collect();
    }

    fn segment_bytes(&self, index: u32) -> Vec<u8> {
        match index.checked_sub(1) {
            None => encode(&self.root),
            Some(bucket) => encode(&self.segments[bucket as usize]),
        }
    }

    /// A keeper from all its segments; missing ones are empty.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if a segment cannot be read.
    pub fn load<'s>(
        segments: impl IntoIterator<Item = (u32, &'s [u8])>,
    ) -> Result<Self, StateError> {
        let mut keeper = Self::new();
        keeper.dirty.clear();
        for (index, bytes) in segments {
            match index.checked_sub(1) {
                None => keeper.root = decode(index, bytes)?,
                Some(bucket) if bucket < DATASTORE_SEGMENTS => {
                    keeper.segments[bucket as usize] = decode(index, bytes)?;
                }
                Some(_) => {
                    let reason = format!("there are only {SEGMENT_COUNT} segments");
                    return Err(StateError::Damaged { index, reason });
                }
            }
        }
        let settings = keeper.segments.iter().flatten();
        keeper.unsettled = settings
            .flat_map(|(uid, settings)| settings.keys().map(move |key| (uid.clone(), key.clone())))
            .collect();
        Ok(keeper)
    }

    /// Folds everything that no event within the bound can change any more.
    fn settle(&mut self) {
        let newest = &self.root.newest;
        let (segments, dirty) = (&mut self.segments, &mut self.dirty);
        self.unsettled.retain(|(uid, key)| {
            let (index, bucket) = bucket_of(uid);
            let Some(setting) = segments[bucket].get_mut(uid).and_then(|s| s.get_mut(key)) else {
                return false;
            };
            let before = setting.recent_len();
            let is_settled = setting.settle(key, |source| horizon_of(newest, source));
            if setting.recent_len() != before {
                dirty.insert(index);
            }
            !is_settled
        });
    }
}

fn setting_keys(event: &PostureEvent) -> BTreeSet<SettingKey> {
    event.changes.iter().map(|change| (change.control, change.setting.to_string())).collect()
}

fn horizon_of(newest: &BTreeMap<String, EventTime>, source: &str) -> EventTime {
    newest.get(source).map_or(EventTime::MIN, |time| time.plus_micros(-LATENESS_BOUND_MICROS))
}

/// The segment of a datastore, and its place in the list of datastore segments.
fn bucket_of(datastore_uid: &str) -> (u32, usize) {
    let bucket = (short_hash(datastore_uid) % u64::from(DATASTORE_SEGMENTS)) as u32;
    (bucket + 1, bucket as usize)
}
