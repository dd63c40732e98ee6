//! For how long reads are added up before they are judged: three windows that slide with event time, and the open day.

use serde::{Deserialize, Serialize};

/// A window over event time.
///
/// What is learned of a window is its highest sum of a day. So every event can be judged as it comes, and a probability is
/// one per active day already: nobody needs to correct for how often was looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Window {
    /// The last minute, in steps of ten seconds: a dump by a program.
    Minute,
    /// The last ten minutes, in steps of a minute.
    TenMinutes,
    /// The last hour, in steps of five minutes.
    Hour,
    /// The day that is open. Not the last 24 hours: a day's volume would count in the values of two days, and what is
    /// learned from would not be independent. What is read around midnight is the hour's to see.
    Day,
}

/// How many windows there are.
pub const WINDOWS: usize = 4;
/// How many of them slide.
const SLIDING: usize = 3;
/// How many slots those have together.
const SLOTS: usize = 6 + 10 + 12;

impl Window {
    /// All windows, in the order of [`Window::index`].
    pub const ALL: [Self; WINDOWS] = [Self::Minute, Self::TenMinutes, Self::Hour, Self::Day];

    /// Those that slide.
    const SLIDING: [Self; SLIDING] = [Self::Minute, Self::TenMinutes, Self::Hour];

    /// Its place in lists of one entry a window.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its length, in seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Day => 86_400,
            _ => self.width() * self.slots() as u32,
        }
    }

    /// How it reads in a sentence.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Minute => "within a minute",
            Self::TenMinutes => "within ten minutes",
            Self::Hour => "within an hour",
            Self::Day => "since midnight UTC",
        }
    }

    /// The least variance of a level that is believed, however even the days were: a fifth up or down (0.2²); of a day a
    /// third (0.32²), since a ratio below that is worth nobody's sleep.
    pub const fn variance_min(self) -> f64 {
        match self {
            Self::Minute | Self::TenMinutes | Self::Hour => 0.04,
            Self::Day => 0.10,
        }
    }

    /// How much of what others of the group read more today is expected here: of minutes half.
    pub const fn lift_share(self) -> f64 {
        match self {
            Self::Minute | Self::TenMinutes => 0.5,
            Self::Hour | Self::Day => 1.0,
        }
    }

    /// The length of a slot, in seconds.
    const fn width(self) -> u32 {
        match self {
            Self::Minute => 10,
            Self::TenMinutes => 60,
            Self::Hour => 300,
            Self::Day => Self::Day.seconds(),
        }
    }

    const fn slots(self) -> usize {
        match self {
            Self::Minute => 6,
            Self::TenMinutes => 10,
            Self::Hour => 12,
            Self::Day => 0,
        }
    }

    /// Where its slots begin among those of all windows.
    const fn begin(self) -> usize {
        match self {
            Self::Minute => 0,
            Self::TenMinutes => 6,
            Self::Hour => 16,
            Self::Day => 28,
        }
    }
}

/// The sums of the sliding windows, which end with the newest event.
#[derive(Debug, Clone, PartialEq)]
pub struct Rings {
    /// The second of the newest event.
    newest: i64,
    sums: [f32; SLIDING],
    slots: [f32; SLOTS],
}

impl Rings {
    /// Rings that end with a second, without a read.
    pub const fn new(second: i64) -> Self {
        Self { newest: second, sums: [0.0; SLIDING], slots: [0.0; SLOTS] }
    }

    /// The second of the newest event.
    pub const fn newest(&self) -> i64 {
        self.newest
    }

    /// Adds a read to the windows that still hold its time.
    pub fn add(&mut self, second: i64, amount: f64) {
        self.turn(second);
        for window in Window::SLIDING {
            let (width, slots) = (i64::from(window.width()), window.slots() as i64);
            let slot = second.div_euclid(width);
            if self.newest.div_euclid(width) - slot < slots {
                let at = window.begin() + slot.rem_euclid(slots) as usize;
                self.slots[at] += amount as f32;
                self.sums[window.index()] += amount as f32;
            }
        }
    }

    /// Moves on to a second, if it is newer: what leaves a window is forgotten.
    pub fn turn(&mut self, second: i64) {
        if second <= self.newest {
            return;
        }
        for window in Window::SLIDING {
            let (width, slots) = (i64::from(window.width()), window.slots() as i64);
            let (from, to) = (self.newest.div_euclid(width), second.div_euclid(width));
            if from == to {
                continue;
            }
            let held = &mut self.slots[window.begin()..window.begin() + window.slots()];
            for step in 0..(to - from).min(slots) {
                held[(to - step).rem_euclid(slots) as usize] = 0.0;
            }
            // Summed anew: a running difference of floats drifts.
            self.sums[window.index()] = held.iter().sum();
        }
        self.newest = second;
    }

    /// The sum of a sliding window; that of the day is its owner's.
    pub fn sum(&self, window: Window) -> f64 {
        self.sums.get(window.index()).map_or(0.0, |sum| f64::from(*sum))
    }

    /// Whether a second later than the newest event leaves nothing in any window.
    pub const fn is_over(&self, second: i64) -> bool {
        second - self.newest > Window::Hour.seconds() as i64
    }
}

/// Rings as they are saved: most slots are empty.
#[derive(Serialize, Deserialize)]
struct SavedRings {
    newest: i64,
    sums: [f32; SLIDING],
    held: Vec<(u8, f32)>,
}

impl Serialize for Rings {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let slots = (0_u8..).zip(self.slots);
        let held = slots.filter(|(_, amount)| *amount != 0.0).collect();
        SavedRings { newest: self.newest, sums: self.sums, held }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedRings { newest, sums, held } = SavedRings::deserialize(deserializer)?;
        let mut rings = Self { newest, sums, slots: [0.0; SLOTS] };
        for (place, amount) in held {
            let slot = rings.slots.get_mut(usize::from(place));
            *slot.ok_or_else(|| serde::de::Error::custom("no such slot"))? = amount;
        }
        Ok(rings)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_sums_are_those_of_a_naive_count(
            steps in prop::collection::vec((-5_000_i64..5_000, 0_u32..1000), 1..60),
            scale in 1_i64..200,
        ) {
            let mut rings = Rings::new(-7);
            let mut seen: Vec<(i64, u32)> = Vec::new();
            for (step, amount) in steps {
                let second = rings.newest() + step / scale;
                rings.add(second, f64::from(amount));
                seen.push((second, amount));
                for window in Window::SLIDING {
                    let width = i64::from(window.width());
                    let oldest = rings.newest().div_euclid(width) - window.slots() as i64;
                    let naive: u32 = seen
                        .iter()
                        .filter(|(second, _)| second.div_euclid(width) > oldest)
                        .map(|(_, amount)| amount)
                        .sum();
                    prop_assert_eq!(rings.sum(window), f64::from(naive));
                }
                let bytes = postcard::to_stdvec(&rings).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<Rings>(&bytes).unwrap(), &rings);
            }
        }
    }

    #[test]
    fn the_windows_have_their_lengths_and_lie_side_by_side() {
        assert_eq!(Window::ALL.map(Window::seconds), [60, 600, 3_600, 86_400]);
        let mut end = 0;
        for window in Window::SLIDING {
            assert_eq!((window.begin(), Window::ALL[window.index()]), (end, window));
            end += window.slots();
        }
        assert_eq!(end, SLOTS);
    }
}
