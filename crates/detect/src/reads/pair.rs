//! One actor in one datastore.

use serde::{Deserialize, Serialize};

use crate::reads::baseline::Baseline;
use crate::reads::metric::{METRICS, Metric};
use crate::reads::objects_seen::ObjectsSeen;
use crate::reads::read_volume::ReadVolume;
use crate::reads::sparse;
use crate::reads::window::{Rings, WINDOWS, Window};

/// A pair that was idle for so many days is remembered by its usual day alone.
pub const IDLE_DAYS: i32 = 60;

/// What an actor has read of a datastore.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pair {
    /// The day of the first event.
    pub first_day: i32,
    /// The day of the newest event.
    pub last_day: i32,
    /// On how many days it was read that are over.
    pub days: u16,
    /// On how many days data was copied out of it in one go.
    pub export_days: u16,
    /// Data was copied out of it on the open day.
    pub is_exported: bool,
    /// The day on which the actor first wrote to it.
    pub written_since: Option<i32>,
    /// The volumes of the last hour; nothing while it is idle.
    pub rings: Option<Box<Rings>>,
    /// The highest sums of the open day, by window.
    #[serde(with = "sparse::array")]
    pub peaks: [f32; WINDOWS],
    /// What the peaks of the days before taught.
    #[serde(with = "sparse::array")]
    pub baselines: [Baseline; WINDOWS],
    /// What was read on the open day, as far as the source tells.
    #[serde(with = "sparse::array")]
    pub today: [Option<u64>; METRICS],
    /// The objects that were read.
    #[serde(with = "sparse::value")]
    pub seen: ObjectsSeen,
    /// How many of them were new when they were read, in all.
    pub objects: u32,
    /// How many of them on the open day.
    pub new_objects: u32,
    /// The most rows that one read of everything has returned on the open day.
    pub whole_rows: u64,
    /// How many of the actor's group had come to the datastore before it.
    pub peers_before: u8,
    /// The day on which people were told that most of it was read.
    pub told_most: Option<i32>,
}

/// What is left of a pair that was idle for long: a return is evidence, not a beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Faded {
    /// The usual day.
    pub day: Baseline,
    /// The day of the last event.
    pub last_day: i32,
}

impl Pair {
    /// A pair that begins on a day.
    pub fn new(day: i32) -> Self {
        Self {
            first_day: day,
            last_day: day,
            days: 0,
            export_days: 0,
            is_exported: false,
            written_since: None,
            rings: None,
            peaks: [0.0; WINDOWS],
            baselines: [Baseline::default(); WINDOWS],
            today: [None; METRICS],
            seen: ObjectsSeen::default(),
            objects: 0,
            new_objects: 0,
            whole_rows: 0,
            peers_before: 0,
            told_most: None,
        }
    }

    /// A pair that comes back.
    pub fn returned(day: i32, faded: &Faded) -> Self {
        let mut pair = Self::new(day);
        pair.baselines[Window::Day.index()] = faded.day;
        pair
    }

    /// Takes a read in. `amount` is its volume in units; the windows whose peak it has raised.
    pub fn take(&mut self, second: i64, amount: f64, volume: &ReadVolume) -> [bool; WINDOWS] {
        for metric in Metric::ALL {
            if let Some(count) = volume.count(metric) {
                let total = &mut self.today[metric.index()];
                *total = Some(total.unwrap_or(0).saturating_add(count));
            }
        }
        let rings = self.rings.get_or_insert_with(|| Box::new(Rings::new(second)));
        rings.add(second, amount);
        raise(&mut self.peaks, rings, amount)
    }

    /// What was read of a metric on the open day; `None` where no source tells.
    pub fn today(&self, metric: Metric) -> Option<u64> {
        self.today[metric.index()]
    }

    /// What is left of it when it has been idle for long.
    pub const fn faded(&self) -> Faded {
        Faded { day: self.baselines[Window::Day.index()], last_day: self.last_day }
    }
}

/// Raises the peaks of a day to the sums of the rings, and adds to the sum of the day; which of them rose.
pub fn raise(peaks: &mut [f32; WINDOWS], rings: &Rings, amount: f64) -> [bool; WINDOWS] {
    Window::ALL.map(|window| {
        let peak = &mut peaks[window.index()];
        let before = *peak;
        *peak = match window {
            Window::Day => before + amount as f32,
            _ => before.max(rings.sum(window) as f32),
        };
        *peak > before
    })
}
