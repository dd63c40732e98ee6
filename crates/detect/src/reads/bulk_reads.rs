//! What the reads of a partition teach, and what is said of them.

use std::collections::BTreeMap;

use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::Finding;
use dataward_event::position::Position;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::reads::actor::Reader;
use crate::reads::budget::Budget;
use crate::reads::calibration::Calibration;
use crate::reads::close::Closing;
use crate::reads::deed::Deed;
use crate::reads::evidence::Channel;
use crate::reads::judge::Around;
use crate::reads::peers::{GroupId, Peers};
use crate::reads::speaker::Speaker;
use crate::reads::store::Store;
use crate::state::{StateError, decode, encode};

/// How many segments hold actors and datastores: as many as a set of bits holds.
const KEYED: u32 = u64::BITS;
/// How many segments the state has: the last one is what all have in common.
pub const SEGMENTS: u32 = KEYED + 1;

const DAY_SECONDS: i64 = 86_400;
/// A day is closed so long after its midnight, by the newest event: stragglers belong to it.
const CLOSE_SECONDS: i64 = 600;
/// An event that is so far ahead of all before is believed when as many others are: one wrong clock closes no days.
const AHEAD_DAYS: i64 = 30;
const AHEAD_MIN: u32 = 3;
/// When there are too many keys, the idlest eighth goes at once: so the search for it costs a few steps a key, not a pass
/// over all of them with each.
const EVICTED_SHARE: usize = 8;
/// Whoever was known from lessons, and does not come in so many days, belongs to another partition.
const AWAITED_DAYS: i32 = 60;
/// Who has learned for so many days is kept before who has not, for two months: a flood of names pushes nobody out.
const KNOWN_DAYS: u16 = 3;
const PROTECTED_DAYS: i32 = 60;

/// How much is remembered of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Actors.
    pub actors: usize,
    /// Pairs of actor and datastore.
    pub pairs: usize,
    /// Datastores of one actor.
    pub pairs_of_actor: usize,
    /// Datastores.
    pub stores: usize,
}

impl Default for Caps {
    /// About a gigabyte, if all of it is active on one day.
    fn default() -> Self {
        Self { actors: 256 * 1024, pairs: 1024 * 1024, pairs_of_actor: 512, stores: 128 * 1024 }
    }
}

/// What the reads of a partition teach.
#[derive(Debug)]
pub struct BulkReads {
    segments: Vec<Segment>,
    stores: Stores,
    shared: Shared,
    dirty: u64,
    is_shared_dirty: bool,
    caps: Caps,
}

/// Actors whose keys are alike.
#[derive(Debug, Default)]
struct Segment {
    readers: BTreeMap<u64, Box<Reader>>,
    pairs: usize,
}

/// The datastores, by segment. They are apart from the actors, since an event needs one of each, and both are saved in the
/// segments of the same number.
pub(super) type Stores = Vec<BTreeMap<u64, Store>>;

/// What all actors of the partition have in common.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Shared {
    pub(super) peers: Peers,
    pub(super) budget: Budget,
    /// The first day of the partition, and the one that is open.
    pub(super) days: Option<(i32, i32)>,
    /// The second of the newest event.
    pub(super) newest: i64,
    /// How many events in a row were far ahead.
    ahead: u32,
    counts: Counts,
    calibration: Calibration,
    lessons: Option<Lessons>,
}

/// What was taught before the first record is known of everybody, and an event belongs to one partition of many.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Lessons {
    /// The last day of the lessons.
    until: i32,
    /// The first day of the partition itself.
    own: Option<i32>,
}

/// How much is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Actors.
    pub actors: usize,
    /// Pairs of actor and datastore.
    pub pairs: usize,
    /// Datastores.
    pub datastores: usize,
}

/// What was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Reads more than a day behind the newest event: they teach nothing.
    pub late: u64,
    /// Reads days ahead of all others: a clock that is wrong.
    pub ahead: u64,
    /// Actors and pairs that were forgotten, since there were too many.
    pub forgotten: u64,
}

impl Default for BulkReads {
    /// Nothing is known, and nothing of that is saved yet.
    fn default() -> Self {
        Self::with_caps(Caps::default())
    }
}

impl BulkReads {
    /// A state that remembers so much.
    pub fn with_caps(caps: Caps) -> Self {
        Self {
            segments: (0..KEYED).map(|_| Segment::default()).collect(),
            stores: (0..KEYED).map(|_| BTreeMap::new()).collect(),
            shared: Shared::default(),
            dirty: u64::MAX,
            is_shared_dirty: true,
            caps,
        }
    }

    /// Takes an event in, and says what follows.
    pub fn observe(
        &mut self,
        event: &AuditEvent<'_>,
        position: &Position,
        context: &Context,
    ) -> Vec<Finding> {
        let Some(deed) = Deed::of(event, position, context) else { return Vec::new() };
        self.is_shared_dirty = true;
        let in_time = self.advance(deed.second, context);
        // What needs no statistics needs no time either.
        if in_time.is_none() && !deed.is_export {
            return Vec::new();
        }
        let (first_day, open) = self.shared.days.unwrap_or_default();
        let day = in_time.unwrap_or(open);
        self.make_room(&deed);
        let (at, of_store) = (place(deed.actor_key), place(deed.store_key));
        self.dirty |= 1 << at | 1 << of_store;
        let Self { segments, stores, shared, .. } = self;
        let store = stores[of_store].entry(deed.store_key);
        let store = store.or_insert_with(|| Store::new(deed.datastore, day));
        let segment = &mut segments[at];
        let actor = &event.actor;
        let reader = segment.readers.entry(deed.actor_key).or_insert_with(|| {
            let group = shared.peers.group_of(actor, context);
            Box::new(Reader::new(group, actor.kind, day))
        });
        if reader.today.is_none() && in_time.is_some() {
            reader.group = shared.peers.group_of(actor, context);
            reader.kind = actor.kind;
            reader.last_day = day;
        }
        let raised = in_time.map(|day| {
            let before = reader.pairs.len();
            let mut around = Around { peers: &mut shared.peers, store, day, first_day };
            let raised = reader.observe(&deed, &mut around);
            segment.pairs += reader.pairs.len() - before;
            raised
        });
        let deed = &deed;
        let mut speaker =
            Speaker { reader, shared, store, deed, day, first_day, findings: Vec::new() };
        speaker.policy();
        if let Some(raised) = raised {
            speaker.statistics(raised);
        }
        speaker.findings
    }

    /// Moves on to a time: closes the days that are over. The open day; `None` for an event that is too late, or too far
    /// ahead to be believed.
    fn advance(&mut self, second: i64, context: &Context) -> Option<i32> {
        let shared = &mut self.shared;
        let of_event = second.div_euclid(DAY_SECONDS) as i32;
        let Some((first, open)) = shared.days else {
            (shared.days, shared.newest) = (Some((of_event, of_event)), second);
            return Some(of_event);
        };
        if second - shared.newest > AHEAD_DAYS * DAY_SECONDS {
            shared.ahead += 1;
            if shared.ahead < AHEAD_MIN {
                shared.counts.ahead += 1;
                return None;
            }
        }
        shared.ahead = 0;
        if !self.precedes(second) {
            self.shared.counts.late += 1;
            return None;
        }
        let shared = &mut self.shared;
        if let Some(Lessons { own: own @ None, .. }) = &mut shared.lessons {
            *own = Some(of_event);
        }
        shared.newest = shared.newest.max(second);
        let now_open = (shared.newest - CLOSE_SECONDS).div_euclid(DAY_SECONDS) as i32;
        if now_open > open {
            self.close_day(open, context);
            self.shared.days = Some((first, now_open));
            return Some(now_open);
        }
        Some(open)
    }

    fn close_day(&mut self, day: i32, context: &Context) {
        let Self { segments, stores, shared, dirty, .. } = self;
        let mut growths: BTreeMap<GroupId, Vec<f64>> = BTreeMap::new();
        let mut active = 0;
        for reader in segments.iter_mut().flat_map(|segment| segment.readers.values_mut()) {
            active += u32::from(reader.today.is_some());
            if let Some((group, statistic)) = reader.close_drift() {
                growths.entry(group).or_default().push(statistic);
            }
        }
        shared.peers.all_mut().for_each(|pool| pool.fade());
        for (group, statistics) in growths {
            shared.peers.group_mut(group).growth = middle(statistics);
        }
        let thresholds =
            Channel::ALL.map(|channel| shared.budget.threshold(channel, &context.alerts_per_day));
        let first_day = shared.days.map_or(day, |(first, _)| first);
        shared.budget.close_day(active);
        let mut closing = Closing {
            day,
            first_day,
            context,
            thresholds,
            budget: &mut shared.budget,
            calibration: &mut shared.calibration,
            peers: &mut shared.peers,
            stores,
            dirty: 0,
        };
        for (at, segment) in segments.iter_mut().enumerate() {
            for (key, reader) in &mut segment.readers {
                if reader.today.is_none() {
                    continue;
                }
                closing.dirty |= 1 << at;
                let before = reader.pairs.len();
                reader.close_day(*key, &mut closing);
                segment.pairs -= before - reader.pairs.len();
            }
        }
        *dirty |= closing.dirty;
        self.forget_strangers(day);
        let shared = &mut self.shared;
        shared.peers.all_mut().for_each(|pool| pool.forget_lifts());
        shared.peers.lend();
    }

    /// Forgets who was known from lessons and never came.
    fn forget_strangers(&mut self, day: i32) {
        let Some(Lessons { until, own: Some(own) }) = self.shared.lessons else { return };
        if day - own < AWAITED_DAYS {
            return;
        }
        self.shared.lessons = None;
        for segment in &mut self.segments {
            segment.readers.retain(|_, reader| reader.last_day > until);
            segment.pairs = segment.readers.values().map(|reader| reader.pairs.len()).sum();
        }
        self.dirty = u64::MAX;
    }

    /// Whether no read has taught anything.
    pub const fn is_new(&self) -> bool {
        self.shared.days.is_none()
    }

    /// Whether an event of this second is not too late to teach.
    pub const fn precedes(&self, second: i64) -> bool {
        self.shared.newest - second <= DAY_SECONDS
    }

    /// The lessons are over, what follows are the records of a partition: nobody was told of anything before, and however
    /// long ago it was, the first event is believed. Their last day is closed; what comes of it later belongs to the next.
    pub fn end_lessons(&mut self, context: &Context) {
        let Some((first, until)) = self.shared.days else { return };
        self.close_day(until, context);
        let shared = &mut self.shared;
        shared.days = Some((first, until + 1));
        (shared.counts, shared.calibration) = (Counts::default(), Calibration::default());
        shared.ahead = AHEAD_MIN - 1;
        shared.lessons = Some(Lessons { until, own: None });
        for reader in self.segments.iter_mut().flat_map(|segment| segment.readers.values_mut()) {
            reader.incidents.clear();
            reader.drift_score = 0.0;
        }
        self.mark_all_dirty();
    }

    /// How many actors, pairs of actor and datastore, and datastores are known.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            actors: self.segments.iter().map(|segment| segment.readers.len()).sum(),
            pairs: self.segments.iter().map(|segment| segment.pairs).sum(),
            datastores: self.stores.iter().map(BTreeMap::len).sum(),
        }
    }

    /// Forgets the idlest where there is no room for a new key.
    fn make_room(&mut self, deed: &Deed<'_>) {
        let Self { segments, stores, shared, caps, .. } = self;
        let share = |cap: usize| (cap / KEYED as usize).max(EVICTED_SHARE);
        let known = &mut stores[place(deed.store_key)];
        if known.len() >= share(caps.stores) && !known.contains_key(&deed.store_key) {
            let ranked = known.iter();
            let ranked = ranked.map(|(key, store)| ((store.last_day, store.first_day), *key));
            for key in idlest(ranked) {
                known.remove(&key);
                shared.counts.forgotten += 1;
            }
        }
        let newest = shared.days.map_or(0, |(_, open)| open);
        let segment = &mut segments[place(deed.actor_key)];
        if segment.readers.len() >= share(caps.actors)
            && !segment.readers.contains_key(&deed.actor_key)
        {
            let ranked = segment.readers.iter().map(|(key, reader)| {
                ((is_kept(reader.days, reader.last_day, newest), reader.last_day), *key)
            });
            for key in idlest(ranked) {
                segment.pairs -=
                    segment.readers.remove(&key).map_or(0, |reader| reader.pairs.len());
                shared.counts.forgotten += 1;
            }
        }
        let Some(reader) = segment.readers.get_mut(&deed.actor_key) else { return };
        let is_new = !reader.pairs.contains_key(&deed.store_key);
        if is_new && reader.pairs.len() >= caps.pairs_of_actor {
            let ranked = reader.pairs.iter().map(|(key, pair)| {
                ((is_kept(pair.days, pair.last_day, newest), pair.last_day), *key)
            });
            for key in idlest(ranked) {
                reader.forget(key);
                segment.pairs -= 1;
                shared.counts.forgotten += 1;
            }
        }
        if is_new && segment.pairs >= share(caps.pairs) {
            let ranked = segment.readers.iter().flat_map(|(actor, reader)| {
                let pairs = reader.pairs.iter();
                pairs.map(move |(key, pair)| {
                    ((is_kept(pair.days, pair.last_day, newest), pair.last_day), (*actor, *key))
                })
            });
            for (actor, key) in idlest(ranked) {
                if let Some(reader) = segment.readers.get_mut(&actor) {
                    reader.forget(key);
                    segment.pairs -= 1;
                    shared.counts.forgotten += 1;
                }
            }
        }
    }

    /// What is known of an actor, by its key.
    pub(super) fn reader(&self, key: u64) -> Option<&Reader> {
        self.segments[place(key)].readers.get(&key).map(AsRef::as_ref)
    }

    /// What is known of a datastore, by its key.
    pub(super) fn store(&self, key: u64) -> Option<&Store> {
        self.stores[place(key)].get(&key)
    }

    /// What all actors have in common.
    pub(super) const fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What was left out so far.
    pub const fn counts(&self) -> Counts {
        self.shared.counts
    }

    /// Whether scores mean what they say, of all days so far.
    pub const fn calibration(&self) -> &Calibration {
        &self.shared.calibration
    }

    /// The segments that changed since the last call.
    pub fn take_dirty(&mut self) -> impl Iterator<Item = u32> + use<> {
        let dirty = std::mem::take(&mut self.dirty);
        let shared = std::mem::take(&mut self.is_shared_dirty).then_some(KEYED);
        (0..KEYED).filter(move |index| dirty >> index & 1 == 1).chain(shared)
    }

    /// Marks everything as changed.
    pub const fn mark_all_dirty(&mut self) {
        self.dirty = u64::MAX;
        self.is_shared_dirty = true;
    }

    /// The bytes of a segment: equal for equal events.
    pub fn segment_bytes(&self, index: u32) -> Vec<u8> {
        let index = index as usize;
        match (self.segments.get(index), self.stores.get(index)) {
            (Some(segment), Some(stores)) => encode(&(&segment.readers, stores, segment.pairs)),
            _ => encode(&self.shared),
        }
    }

    /// Puts a saved segment in its place. `number` is how the snapshot calls it.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if it cannot be read or has no place.
    pub fn load_segment(
        &mut self,
        index: u32,
        number: u32,
        bytes: &[u8],
    ) -> Result<(), StateError> {
        if index == KEYED {
            self.shared = decode(number, bytes)?;
            self.is_shared_dirty = false;
            return Ok(());
        }
        let at = index as usize;
        let (Some(segment), Some(stores)) = (self.segments.get_mut(at), self.stores.get_mut(at))
        else {
            let reason = "there are fewer segments".to_owned();
            return Err(StateError::Damaged { index: number, reason });
        };
        (segment.readers, *stores, segment.pairs) = decode(number, bytes)?;
        self.dirty &= !(1 << index);
        Ok(())
    }
}

/// The segment of a key.
pub(super) const fn place(key: u64) -> usize {
    (key % KEYED as u64) as usize
}

const fn is_kept(days: u16, last_day: i32, newest: i32) -> bool {
    days >= KNOWN_DAYS && newest - last_day <= PROTECTED_DAYS
}

/// The median of a group's growths, where it is positive and there are five or more.
fn middle(mut statistics: Vec<f64>) -> f32 {
    if statistics.len() < 5 {
        return 0.0;
    }
    statistics.sort_by(f64::total_cmp);
    statistics[statistics.len() / 2].max(0.0) as f32
}

/// The eighth with the lowest ranks. Of equal ranks the lower key: the choice is the same everywhere.
fn idlest<R: Ord + Copy, K: Ord + Copy>(ranked: impl Iterator<Item = (R, K)>) -> Vec<K> {
    let mut ranked: Vec<(R, K)> = ranked.collect();
    let count = (ranked.len() / EVICTED_SHARE).max(1).min(ranked.len());
    if count > 0 {
        ranked.select_nth_unstable(count - 1);
    }
    ranked.truncate(count);
    ranked.into_iter().map(|(_, key)| key).collect()
}
