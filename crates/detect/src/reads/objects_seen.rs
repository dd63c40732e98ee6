//! Which objects of a datastore an actor has read before.

use fastbloom::BloomFilter;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

/// So many objects are known one by one; beyond, by a filter.
const EXACT_MAX: usize = 64;
/// Bits for each object: with seven hashes one in a hundred objects passes for one that was read before.
const BITS_AN_OBJECT: usize = 10;
const HASHES: u32 = 7;
/// The first filter is for 256 objects, the largest (4 KiB) for 3,276.
const FILTER_BITS: [usize; 3] = [256 * BITS_AN_OBJECT, 1_024 * BITS_AN_OBJECT, 4 * 1_024 * 8];
/// How long an object is remembered at least, in days; at most twice as long.
const GENERATION_DAYS: i32 = 45;

/// The objects that a key has read.
///
/// It forgets, in two generations: what was not read for 45 to 90 days is new again, and so is what many thousand others
/// have pushed out. What is read again goes on to the younger generation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ObjectsSeen {
    /// The day on which the younger generation began.
    since: i32,
    young: Generation,
    old: Generation,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Generation {
    /// Sorted.
    Exact(Vec<u32>),
    Filter(Box<Filter>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedFilter", into = "SavedFilter")]
struct Filter {
    /// Which of [`FILTER_BITS`] it has.
    size: u8,
    count: u32,
    bits: BloomFilter<Prehashed>,
}

/// A filter as it is saved.
#[derive(Serialize, Deserialize)]
struct SavedFilter {
    size: u8,
    count: u32,
    bits: Vec<u64>,
}

/// Objects are hashed before they come, with a fixed key: a saved filter must know them again.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Prehashed;

impl std::hash::BuildHasher for Prehashed {
    type Hasher = SipHasher24;

    fn build_hasher(&self) -> SipHasher24 {
        SipHasher24::new()
    }
}

impl Default for Generation {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl ObjectsSeen {
    /// Takes an object in that was read on a day. Whether it is new.
    pub fn insert(&mut self, hash: u32, day: i32) -> bool {
        if day - self.since >= GENERATION_DAYS {
            self.old = std::mem::take(&mut self.young);
            self.since = day;
        }
        let was_known = self.young.contains(hash) || self.old.contains(hash);
        if let Some(larger) = self.young.insert(hash) {
            self.old = std::mem::replace(&mut self.young, larger);
            self.since = day;
        }
        !was_known
    }

    /// The memory behind it, in bytes.
    pub fn bytes(&self) -> usize {
        self.young.bytes() + self.old.bytes()
    }
}

impl Generation {
    fn contains(&self, hash: u32) -> bool {
        match self {
            Self::Exact(known) => known.binary_search(&hash).is_ok(),
            Self::Filter(filter) => filter.bits.contains_hash(spread(hash)),
        }
    }

    /// Adds an object. Where there is no room for more: the generation that follows, which is larger.
    fn insert(&mut self, hash: u32) -> Option<Self> {
        match self {
            Self::Exact(known) => {
                let Err(place) = known.binary_search(&hash) else { return None };
                if known.len() < EXACT_MAX {
                    known.insert(place, hash);
                    return None;
                }
                let mut filter = Filter::new(0);
                known.iter().for_each(|known| filter.insert(*known));
                filter.insert(hash);
                *self = Self::Filter(Box::new(filter));
                None
            }
            Self::Filter(filter) => {
                filter.insert(hash);
                let is_full = filter.count as usize * BITS_AN_OBJECT >= filter.bits.num_bits();
                let size = (filter.size + 1).min(FILTER_BITS.len() as u8 - 1);
                is_full.then(|| Self::Filter(Box::new(Filter::new(size))))
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Exact(known) => known.capacity() * size_of::<u32>(),
            Self::Filter(filter) => size_of::<Filter>() + filter.bits.num_bits() / 8,
        }
    }
}

impl Filter {
    fn new(size: u8) -> Self {
        let bits = BloomFilter::with_num_bits(FILTER_BITS[usize::from(size)]);
        Self { size, count: 0, bits: bits.hasher(Prehashed).hashes(HASHES) }
    }

    fn insert(&mut self, hash: u32) {
        // `true`: all its bits were set already.
        self.count += u32::from(!self.bits.insert_hash(spread(hash)));
    }
}

impl TryFrom<SavedFilter> for Filter {
    type Error = &'static str;

    fn try_from(saved: SavedFilter) -> Result<Self, &'static str> {
        let bits = FILTER_BITS.get(usize::from(saved.size));
        if bits.is_none_or(|bits| bits.div_ceil(64) != saved.bits.len()) {
            return Err("a filter of another size");
        }
        let bits = BloomFilter::from_vec(saved.bits).hasher(Prehashed).hashes(HASHES);
        Ok(Self { size: saved.size, count: saved.count, bits })
    }
}

impl From<Filter> for SavedFilter {
    fn from(filter: Filter) -> Self {
        let Filter { size, count, bits } = filter;
        Self { size, count, bits: bits.as_slice().to_vec() }
    }
}

/// The 64 bits that a filter wants, from 32 that are even already (Fibonacci hashing: Knuth, volume 3, 6.4).
const fn spread(hash: u32) -> u64 {
    (hash as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use crate::actor_key::object_hash;

    use super::*;

    fn hashes(range: std::ops::Range<u32>) -> impl Iterator<Item = u32> {
        range.map(|number| object_hash(&format!("object-{number}")))
    }

    fn new_ones(seen: &mut ObjectsSeen, range: std::ops::Range<u32>, day: i32) -> usize {
        hashes(range).filter(|hash| seen.insert(*hash, day)).count()
    }

    #[test]
    fn what_was_read_is_known_and_what_was_not_is_new() {
        let mut seen = ObjectsSeen { since: 0, ..ObjectsSeen::default() };
        assert_eq!(new_ones(&mut seen, 0..64, 0), 64);
        assert_eq!(new_ones(&mut seen, 0..64, 1), 0);
        let found = new_ones(&mut seen, 64..3_000, 2);
        assert!((2_870..=2_936).contains(&found), "{found}");
        assert_eq!(new_ones(&mut seen, 1_000..3_000, 3), 0);
    }

    #[test]
    fn it_forgets_and_it_ends() {
        let mut seen = ObjectsSeen::default();
        new_ones(&mut seen, 0..50, 0);
        assert_eq!(new_ones(&mut seen, 0..25, 40), 0);
        assert_eq!(new_ones(&mut seen, 0..25, 80), 0);
        assert_eq!(new_ones(&mut seen, 0..50, 130), 25, "those that were not read since day 40");
        new_ones(&mut seen, 0..200_000, 131);
        assert!(seen.bytes() < 10_000, "{}", seen.bytes());
    }

    #[test]
    fn what_is_saved_is_known_again() {
        for count in [3, 64, 65, 300, 9_000] {
            let mut seen = ObjectsSeen::default();
            new_ones(&mut seen, 0..count, 5);
            let bytes = postcard::to_stdvec(&seen).unwrap();
            let mut back: ObjectsSeen = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(back, seen);
            assert_eq!(
                new_ones(&mut back, 0..count + 500, 6),
                new_ones(&mut seen, 0..count + 500, 6)
            );
        }
    }
}
