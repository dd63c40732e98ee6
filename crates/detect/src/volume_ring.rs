//! What was read in the last hour of event time.

use serde::{Deserialize, Serialize};

/// The length of a slot, in microseconds: the hour slides in steps of five minutes.
pub const SLOT_MICROS: i64 = 5 * 60 * 1_000_000;

/// How many slots make the window: an hour.
const SLOTS: usize = 12;

/// Counts of the last twelve slots. Which slot is the newest one is known to the owner, who has several rings that turn
/// together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "[u64; SLOTS]", into = "[u64; SLOTS]")]
pub struct VolumeRing(Counts);

/// Most rings hold one count: who reads a datastore once a day has one.
#[derive(Debug, Clone)]
enum Counts {
    One { place: u8, count: u64 },
    Many(Box<[u64; SLOTS]>),
}

impl Default for VolumeRing {
    fn default() -> Self {
        Self(Counts::One { place: 0, count: 0 })
    }
}

impl PartialEq for VolumeRing {
    fn eq(&self, other: &Self) -> bool {
        <[u64; SLOTS]>::from(self.clone()) == <[u64; SLOTS]>::from(other.clone())
    }
}

impl Eq for VolumeRing {}

impl From<VolumeRing> for [u64; SLOTS] {
    fn from(ring: VolumeRing) -> Self {
        match ring.0 {
            Counts::One { place, count } => {
                let mut counts = [0; SLOTS];
                counts[usize::from(place)] = count;
                counts
            }
            Counts::Many(counts) => *counts,
        }
    }
}

impl From<[u64; SLOTS]> for VolumeRing {
    fn from(counts: [u64; SLOTS]) -> Self {
        let mut held = (0_u8..).zip(counts).filter(|(_, count)| *count > 0);
        match (held.next(), held.next()) {
            (first, None) => {
                let (place, count) = first.unwrap_or_default();
                Self(Counts::One { place, count })
            }
            _ => Self(Counts::Many(Box::new(counts))),
        }
    }
}

impl VolumeRing {
    /// Whether a slot still lies in the window that ends with the slot `newest`.
    pub const fn holds(newest: i64, slot: i64) -> bool {
        newest - slot < SLOTS as i64
    }

    /// Turns from the newest slot `from` to a newer one, `to`: what leaves the window is forgotten.
    pub fn turn(&mut self, from: i64, to: i64) {
        let steps = to.saturating_sub(from).min(SLOTS as i64);
        let gone = (0..steps).map(|step| place(to - step));
        match &mut self.0 {
            Counts::One { place, count } => {
                if gone.into_iter().any(|gone| gone == usize::from(*place)) {
                    *count = 0;
                }
            }
            Counts::Many(counts) => {
                gone.for_each(|place| counts[place] = 0);
                *self = Self::from(**counts);
            }
        }
    }

    /// Adds to a slot in the window.
    pub fn add(&mut self, slot: i64, count: u64) {
        let at = place(slot);
        match &mut self.0 {
            Counts::One { place, count: known } if *known == 0 || usize::from(*place) == at => {
                // Twelve places fit.
                *place = at as u8;
                *known = known.saturating_add(count);
            }
            Counts::One { place, count: known } => {
                let mut counts = Box::new([0; SLOTS]);
                counts[usize::from(*place)] = *known;
                counts[at] = count;
                self.0 = Counts::Many(counts);
            }
            Counts::Many(counts) => counts[at] = counts[at].saturating_add(count),
        }
    }

    /// The count of the window. Twelve additions: a running sum would need repair where a count overflows.
    pub fn sum(&self) -> u64 {
        match &self.0 {
            Counts::One { count, .. } => *count,
            Counts::Many(counts) => {
                counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
            }
        }
    }
}

const fn place(slot: i64) -> usize {
    slot.rem_euclid(SLOTS as i64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_naive_sum_holds(
            steps in prop::collection::vec((-15_i64..15, 0_u64..1000), 1..80),
        ) {
            let (mut ring, mut newest) = (VolumeRing::default(), -3);
            let mut seen: Vec<(i64, u64)> = Vec::new();
            for (step, count) in steps {
                let slot = newest + step;
                ring.turn(newest, newest.max(slot));
                newest = newest.max(slot);
                if VolumeRing::holds(newest, slot) {
                    ring.add(slot, count);
                }
                seen.push((slot, count));
                let naive: u64 = seen
                    .iter()
                    .filter(|(slot, _)| newest - slot < SLOTS as i64)
                    .map(|(_, count)| count)
                    .sum();
                prop_assert_eq!(ring.sum(), naive);
            }
        }
    }

    #[test]
    fn a_count_beyond_all_counts_stays_there() {
        let mut ring = VolumeRing::default();
        ring.add(0, u64::MAX);
        ring.add(0, 5);
        ring.add(1, 5);
        assert_eq!(ring.sum(), u64::MAX);
        ring.turn(1, i64::MAX);
        assert_eq!(ring.sum(), 0);
    }
}
