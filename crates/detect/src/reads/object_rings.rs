//! How many objects were read for the first time: in the last hour and in the last day.

use serde::{Deserialize, Serialize};

const HOUR_SLOTS: usize = 12;
const HOUR_WIDTH: i64 = 300;
const DAY_SLOTS: usize = 24;
const DAY_WIDTH: i64 = 3_600;

/// Counts of new objects in slots of five minutes and of an hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectRings {
    newest: i64,
    hour: [u16; HOUR_SLOTS],
    day: [u16; DAY_SLOTS],
}

impl ObjectRings {
    /// Rings that end with a second, without an object.
    pub const fn new(second: i64) -> Self {
        Self { newest: second, hour: [0; HOUR_SLOTS], day: [0; DAY_SLOTS] }
    }

    /// Adds new objects, and says how many there are in the last hour and the last day.
    pub fn add(&mut self, second: i64, count: u16) -> [f32; 2] {
        turn(&mut self.hour, HOUR_WIDTH, self.newest, second);
        turn(&mut self.day, DAY_WIDTH, self.newest, second);
        self.newest = self.newest.max(second);
        fill(&mut self.hour, HOUR_WIDTH, self.newest, second, count);
        fill(&mut self.day, DAY_WIDTH, self.newest, second, count);
        let sum = |slots: &[u16]| slots.iter().map(|count| f32::from(*count)).sum();
        [sum(&self.hour), sum(&self.day)]
    }

    /// The second of the newest event.
    pub const fn newest(&self) -> i64 {
        self.newest
    }
}

fn turn(slots: &mut [u16], width: i64, from: i64, to: i64) {
    let (from, to, count) = (from.div_euclid(width), to.div_euclid(width), slots.len() as i64);
    for step in 0..(to - from).clamp(0, count) {
        slots[(to - step).rem_euclid(count) as usize] = 0;
    }
}

fn fill(slots: &mut [u16], width: i64, newest: i64, second: i64, count: u16) {
    let (newest, slot, places) =
        (newest.div_euclid(width), second.div_euclid(width), slots.len() as i64);
    if newest - slot < places {
        let held = &mut slots[slot.rem_euclid(places) as usize];
        *held = held.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_and_a_day_slide() {
        let mut rings = ObjectRings::new(0);
        assert_eq!(rings.add(10, 5), [5.0, 5.0]);
        assert_eq!(rings.add(3_500, 2), [7.0, 7.0]);
        assert_eq!(rings.add(3_700, 0), [2.0, 7.0]);
        assert_eq!(rings.add(100, 1), [2.0, 8.0], "late: out of the hour, in the day");
        assert_eq!(rings.add(200_000, 0), [0.0, 0.0]);
    }
}
