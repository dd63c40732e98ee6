//! `read.bulk`: who reads far more than ever before, judged with every read.
//!
//! Each actor, and each actor in each datastore, has a [`History`]. A day of an actor is judged by its most unusual
//! figure: two periods and three metrics, over all datastores together and in each of them. A datastore that an actor
//! never read has no history; there the actor's own total speaks. Beside that, whoever reads more than half of a
//! datastore whose size is known is told of at once, whatever was learned.
//!
//! State is a function of a partition's events in order. The context decides what is said, and changes no state.

use std::collections::BTreeMap;

use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::Finding;
use dataward_event::position::Position;
use serde::{Deserialize, Serialize};

use crate::actor_key::{actor_key, datastore_key};
use crate::context::Context;
use crate::history::{History, day_of};
use crate::read_volume::ReadVolume;
use crate::reader::{ACTOR_DAYS_MIN, PAIR_DAYS_MIN, Read, Reader};
use crate::state::{StateError, decode, encode};

/// How many segments the state has: as many as a set of bits holds.
pub const SEGMENTS: u32 = u64::BITS;

/// How many actors of a segment are remembered: 50,000 of a partition.
const ACTORS_MAX: usize = 50_000 / SEGMENTS as usize;
/// How many pairs of actor and datastore of a segment are remembered: 200,000 of a partition.
const PAIRS_MAX: usize = 200_000 / SEGMENTS as usize;
/// How many datastores of one actor are remembered.
const DATASTORES_MAX: usize = 256;
/// When there are too many, the idlest eighth goes at once: so the search for it costs a few steps a key, not a pass
/// over all of them with each.
const EVICTED_SHARE: usize = 8;
/// A key that has learned is kept before one that has not, for two months: a flood of new names pushes nobody out.
const PROTECTED_SLOTS: i64 = 60 * 24 * 12;

/// What the reads of a partition teach.
#[derive(Debug)]
pub struct BulkReads {
    segments: Vec<Segment>,
    dirty: u64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Segment {
    readers: BTreeMap<u64, Reader>,
    pairs: usize,
    newest_slot: i64,
    late_reads: u64,
}

impl Default for BulkReads {
    /// Nothing is known, and nothing of that is saved yet.
    fn default() -> Self {
        Self { segments: (0..SEGMENTS).map(|_| Segment::default()).collect(), dirty: u64::MAX }
    }
}

impl BulkReads {
    /// Takes an event in.
    pub fn observe(
        &mut self,
        event: &AuditEvent<'_>,
        position: &Position,
        context: &Context,
    ) -> Option<Finding> {
        let (volume, datastore) = (ReadVolume::of(event)?, event.datastore.as_ref()?);
        let actor_key = actor_key(&event.actor, datastore);
        let datastore_key = datastore_key(datastore);
        let index = actor_key % u64::from(SEGMENTS);
        self.dirty |= 1 << index;
        let read = Read { event, datastore, position, volume, actor_key, datastore_key, context };
        self.segments.get_mut(index as usize)?.observe(&read)
    }

    /// How many reads came after their actor's day was over.
    pub fn late_reads(&self) -> u64 {
        self.segments.iter().map(|segment| segment.late_reads).sum()
    }

    /// The segments that changed since the last call.
    pub fn take_dirty(&mut self) -> impl Iterator<Item = u32> + use<> {
        let dirty = std::mem::take(&mut self.dirty);
        (0..SEGMENTS).filter(move |index| dirty >> index & 1 == 1)
    }

    /// Marks everything as changed.
    pub const fn mark_all_dirty(&mut self) {
        self.dirty = u64::MAX;
    }

    /// The bytes of a segment: equal for equal events.
    pub fn segment_bytes(&self, index: u32) -> Vec<u8> {
        self.segments.get(index as usize).map(encode).unwrap_or_default()
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
        let Some(segment) = self.segments.get_mut(index as usize) else {
            let reason = "there are fewer segments".to_owned();
            return Err(StateError::Damaged { index: number, reason });
        };
        *segment = decode(number, bytes)?;
        self.dirty &= !(1 << index);
        Ok(())
    }
}

impl Segment {
    fn observe(&mut self, read: &Read<'_>) -> Option<Finding> {
        let time = read.event.time;
        if self.readers.len() >= ACTORS_MAX && !self.readers.contains_key(&read.actor_key) {
            self.evict_readers();
        }
        let reader = self.readers.entry(read.actor_key).or_insert_with(|| Reader::new(time));
        if day_of(time) < reader.total().day() {
            self.late_reads += 1;
            return None;
        }
        let before = reader.pairs().len();
        if before >= DATASTORES_MAX && !reader.pairs().contains_key(&read.datastore_key) {
            let newest = self.newest_slot;
            let pairs = reader.pairs().iter();
            let ranked = pairs.map(|(key, pair)| (rank(pair, PAIR_DAYS_MIN, newest), *key));
            idlest(ranked).into_iter().for_each(|key| reader.forget(key));
        }
        let finding = reader.observe(read);
        self.newest_slot = self.newest_slot.max(reader.total().slot());
        self.pairs = self.pairs + reader.pairs().len() - before;
        if self.pairs > PAIRS_MAX {
            self.evict_pairs();
        }
        finding
    }

    fn evict_readers(&mut self) {
        let newest = self.newest_slot;
        let ranked = self.readers.iter();
        let ranked = ranked.map(|(key, known)| (rank(known.total(), ACTOR_DAYS_MIN, newest), *key));
        for key in idlest(ranked) {
            self.pairs -= self.readers.remove(&key).map_or(0, |reader| reader.pairs().len());
        }
    }

    fn evict_pairs(&mut self) {
        let newest = self.newest_slot;
        let ranked = self.readers.iter().flat_map(|(actor, reader)| {
            let pairs = reader.pairs().iter();
            pairs.map(move |(key, pair)| (rank(pair, PAIR_DAYS_MIN, newest), (*actor, *key)))
        });
        for (actor, key) in idlest(ranked) {
            if let Some(reader) = self.readers.get_mut(&actor) {
                reader.forget(key);
                self.pairs -= 1;
            }
        }
    }
}

/// What goes first has the lowest rank: who has not learned enough to speak, or not for long, and then who is idle.
fn rank(history: &History, days_min: u16, newest_slot: i64) -> (bool, i64) {
    let is_idle = newest_slot - history.slot() > PROTECTED_SLOTS;
    (history.active_days() >= days_min && !is_idle, history.slot())
}

/// The eighth with the lowest ranks. Of equal ranks the lower key: the choice is the same everywhere.
fn idlest<K: Ord + Copy>(ranked: impl Iterator<Item = ((bool, i64), K)>) -> Vec<K> {
    let mut ranked: Vec<((bool, i64), K)> = ranked.collect();
    let count = ranked.len() / EVICTED_SHARE;
    if count > 0 {
        ranked.select_nth_unstable(count - 1);
    }
    ranked.truncate(count);
    ranked.into_iter().map(|(_, key)| key).collect()
}
