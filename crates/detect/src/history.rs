//! What an actor has read, today and on the days before: of one datastore, or of all together.

use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::baseline::{Baseline, Prediction};
use crate::metric::{METRICS, Metric};
use crate::period::Period;
use crate::read_volume::ReadVolume;
use crate::volume_ring::{SLOT_MICROS, VolumeRing};

const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// The volumes of one key: the current day as it grows, and what the active days before it taught.
///
/// Days without a read are no zeros: who is away for a week has not become somebody who reads nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct History {
    day: i32,
    slot: i64,
    active_days: u16,
    // Most sources report one metric or two: the others take no room.
    tracks: [Option<Box<Track>>; METRICS],
}

/// One metric of a history.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "SavedTrack", into = "SavedTrack")]
struct Track {
    ring: VolumeRing,
    hour_peak: u64,
    day_total: u64,
    days: u16,
    /// Nothing before the first day is over.
    learned: Option<Box<Learned>>,
}

/// What days have taught.
#[derive(Debug, Clone, Default, PartialEq)]
struct Learned {
    hour: Baseline,
    day: Baseline,
}

/// A track as it is saved.
#[derive(Serialize, Deserialize)]
struct SavedTrack {
    ring: VolumeRing,
    hour_peak: u64,
    day_total: u64,
    days: u16,
    hour: Baseline,
    day: Baseline,
}

impl From<SavedTrack> for Track {
    fn from(saved: SavedTrack) -> Self {
        let SavedTrack { ring, hour_peak, day_total, days, hour, day } = saved;
        let learned = Learned { hour, day };
        let learned = (learned != Learned::default()).then(|| Box::new(learned));
        Self { ring, hour_peak, day_total, days, learned }
    }
}

impl From<Track> for SavedTrack {
    fn from(track: Track) -> Self {
        let Track { ring, hour_peak, day_total, days, learned } = track;
        let Learned { hour, day } = learned.map(|learned| *learned).unwrap_or_default();
        Self { ring, hour_peak, day_total, days, hour, day }
    }
}

/// A figure of today beside what is expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// What is counted.
    pub metric: Metric,
    /// For how long.
    pub period: Period,
    /// The count now.
    pub observed: u64,
    /// How many active days taught what is expected.
    pub days: u16,
    /// What is expected.
    pub expected: Prediction,
}

/// The calendar day in UTC, counted from 1970-01-01.
pub const fn day_of(time: EventTime) -> i32 {
    // 2⁶³ microseconds are 107 million days.
    time.micros().div_euclid(DAY_MICROS) as i32
}

const fn slot_of(time: EventTime) -> i64 {
    time.micros().div_euclid(SLOT_MICROS)
}

impl History {
    /// A history that begins at a time, without a read.
    pub fn new(time: EventTime) -> Self {
        Self { day: day_of(time), slot: slot_of(time), active_days: 0, tracks: Default::default() }
    }

    /// The newest day with a read.
    pub const fn day(&self) -> i32 {
        self.day
    }

    /// The newest slot of five minutes with a read: how long it has been idle.
    pub const fn slot(&self) -> i64 {
        self.slot
    }

    /// How many days with reads lie behind it.
    pub const fn active_days(&self) -> u16 {
        self.active_days
    }

    /// Takes a read of the current day or a later one in. A read that is older than the hour's window counts in the day
    /// alone.
    pub fn take(&mut self, time: EventTime, volume: &ReadVolume) {
        if day_of(time) > self.day {
            self.close_day();
            self.day = day_of(time);
        }
        let slot = slot_of(time);
        if slot > self.slot {
            for track in self.tracks.iter_mut().flatten() {
                track.ring.turn(self.slot, slot);
            }
            self.slot = slot;
        }
        for metric in Metric::ALL {
            let Some(count) = volume.count(metric) else { continue };
            let track = self.tracks[metric.index()].get_or_insert_default();
            track.day_total = track.day_total.saturating_add(count);
            if VolumeRing::holds(self.slot, slot) {
                track.ring.add(slot, count);
                track.hour_peak = track.hour_peak.max(track.ring.sum());
            }
        }
    }

    /// The day is over: it teaches.
    fn close_day(&mut self) {
        self.active_days = self.active_days.saturating_add(1);
        for (metric, track) in Metric::ALL.into_iter().zip(&mut self.tracks) {
            let Some(track) = track.as_deref_mut().filter(|track| track.day_total > 0) else {
                continue;
            };
            track.days = track.days.saturating_add(1);
            let learned = track.learned.get_or_insert_default();
            learned.day.teach(metric.level(track.day_total), Period::Day.variance_min());
            if track.hour_peak > 0 {
                learned.hour.teach(metric.level(track.hour_peak), Period::Hour.variance_min());
            }
            (track.hour_peak, track.day_total) = (0, 0);
        }
    }

    /// What was read of a metric on the current day; `None` where no source has ever told.
    pub fn day_total(&self, metric: Metric) -> Option<u64> {
        self.tracks[metric.index()].as_deref().map(|track| track.day_total)
    }

    /// A figure that is large enough to be judged, and of which at least `days_min` days are known.
    pub fn look(&self, metric: Metric, period: Period, days_min: u16) -> Option<Look> {
        let track = self.tracks[metric.index()].as_deref()?;
        if track.days < days_min {
            return None;
        }
        let learned = track.learned.as_deref()?;
        let (observed, baseline) = match period {
            Period::Hour => (track.ring.sum(), &learned.hour),
            Period::Day => (track.day_total, &learned.day),
        };
        if observed < metric.floor() {
            return None;
        }
        let expected = baseline.prediction(period.variance_min())?;
        Some(Look { metric, period, observed, days: track.days, expected })
    }
}

impl Look {
    /// How unlikely the figure is, in nats, per active day.
    pub fn nats(&self) -> f64 {
        self.expected.nats(self.metric.level(self.observed))
    }

    /// The count that is usual.
    pub fn median(&self) -> u64 {
        self.metric.count(self.expected.median())
    }

    /// The count that one active day in a thousand passes.
    pub fn upper(&self) -> u64 {
        self.metric.count(self.expected.quantile(0.999))
    }
}
