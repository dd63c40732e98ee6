//! The days of the chronicle.

use dataward_event::time::EventTime;
use fastrand::Rng;

/// When the chronicle begins: 2019-11-13T00:00:00Z, a Wednesday.
pub const BEGIN: EventTime = EventTime::from_micros(1_573_603_200_000_000);
/// When the weeks of normal life are over: 2019-12-03T00:00:00Z.
pub const NORMAL_UNTIL: EventTime = BEGIN.plus_micros(20 * DAY_MICROS);
/// When the story is told: 2020-01-08T00:00:00Z.
pub const END: EventTime = BEGIN.plus_micros(56 * DAY_MICROS);

const SECOND_MICROS: i64 = 1_000_000;
const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;

/// Days on which offices are empty.
const HOLIDAYS: [&str; 5] = ["12-24", "12-25", "12-26", "12-31", "01-01"];

/// One day, counted from the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(i64);

impl Day {
    pub(super) const FIRST: Self = Self(0);

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(super) const fn start(self) -> EventTime {
        BEGIN.plus_micros(self.0 * DAY_MICROS)
    }

    /// 0 is Monday.
    pub(super) const fn weekday(self) -> i64 {
        (self.0 + 2).rem_euclid(7)
    }

    /// Nobody is expected at work.
    pub(super) fn is_free(self) -> bool {
        self.weekday() >= 5 || HOLIDAYS.iter().any(|day| self.start().date().ends_with(day))
    }

    /// Books are closed and reports are made.
    pub(super) fn is_month_end(self) -> bool {
        ["-29", "-30", "-31", "-01"].iter().any(|day| self.start().date().ends_with(day))
    }

    /// A second of this day, from `hour` on within so many hours.
    pub(super) fn second(self, rng: &mut Rng, hour: f64, hours: f64) -> EventTime {
        let seconds = (hour + rng.f64() * hours) * 3600.0;
        let seconds = (seconds as i64).clamp(0, 86_399);
        self.start().plus_micros(seconds * SECOND_MICROS)
    }
}

/// A time of the story.
pub(super) fn at(text: &str) -> EventTime {
    let time = EventTime::parse_rfc3339(text);
    debug_assert!(time.is_some(), "{text}");
    time.unwrap_or(BEGIN)
}

/// So many seconds later.
pub(super) const fn later(time: EventTime, seconds: i64) -> EventTime {
    time.plus_micros(seconds * SECOND_MICROS)
}
