//! One actor: what it has learned of itself, and how its open day goes.

use dataward_event::audit_event::ActorKind;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::reads::baseline::Baseline;
use crate::reads::drift::Drift;
use crate::reads::evidence::{CHANNELS, FAMILIES};
use crate::reads::incident::Incident;
use crate::reads::networks::Networks;
use crate::reads::object_rings::ObjectRings;
use crate::reads::office_hours::{OfficeHours, weekday};
use crate::reads::pair::{Faded, Pair};
use crate::reads::peers::{ACTOR_BASELINES, GroupId, Stratum};
use crate::reads::rate::Rate;
use crate::reads::sparse;
use crate::reads::window::{Rings, WINDOWS, Window};

/// A program that runs in fewer hours of its active days is a batch job, after [`STRATUM_DAYS`].
const BATCH_HOURS: f32 = 9.0;
const STRATUM_DAYS: u16 = 3;
/// Whose kind no source tells is a program if it runs in so many hours of its days.
const PROGRAM_HOURS: f32 = 14.0;

/// What is known of an actor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reader {
    /// With whom it is compared.
    pub group: GroupId,
    /// What its sources say it is.
    pub kind: ActorKind,
    /// The day of its first event.
    pub first_day: i32,
    /// The day of its newest event.
    pub last_day: i32,
    /// How many active days are over.
    pub days: u16,
    /// In how many hours of an active day it is at work.
    pub hours_a_day: f32,
    /// The open day; nothing on a day without an event.
    pub today: Option<Box<Today>>,
    /// The volumes of the last hour; nothing while it is idle.
    pub rings: Option<Box<Rings>>,
    /// The objects of the last day that were new.
    pub objects: Option<Box<ObjectRings>>,
    /// What the peaks of the days before taught: four windows of volume, two of new objects.
    #[serde(with = "sparse::array")]
    pub baselines: [Baseline; ACTOR_BASELINES],
    /// By how much a weekday differs.
    #[serde(with = "sparse::value")]
    pub weekdays: Weekdays,
    /// When it works.
    #[serde(with = "sparse::value")]
    pub office_hours: OfficeHours,
    /// The hours of the last day that were odd for it.
    #[serde(with = "sparse::value")]
    pub odd_hours: OddHours,
    /// The levels of its last days.
    pub drift: Drift,
    /// Mean and variance of the logarithm of one event's volume.
    #[serde(with = "sparse::value")]
    pub sizes: Sizes,
    /// Datastores that were new to it.
    pub new_stores: Rate,
    /// Exports.
    pub exports: Rate,
    /// Datastores it wrote to for the first time.
    pub new_writes: Rate,
    /// Networks that were new.
    pub new_networks: Rate,
    /// The networks it came from.
    pub networks: Networks,
    /// The score of the drift channel, until it is said with the next read.
    pub drift_score: f32,
    /// What people were told.
    pub incidents: Vec<Incident>,
    /// Each datastore.
    pub pairs: LiteMap<u64, Box<Pair>>,
    /// Datastores that it left long ago.
    pub faded: LiteMap<u64, Faded>,
}

/// The open day of an actor.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Today {
    /// A bit for each hour with an event.
    pub hours: u32,
    /// The highest sums of volume, by window.
    #[serde(with = "sparse::array")]
    pub peaks: [f32; WINDOWS],
    /// The most new objects in an hour, and in a day.
    #[serde(with = "sparse::array")]
    pub object_peaks: [f32; 2],
    /// The highest score of each family, in nats as they are.
    #[serde(with = "sparse::array")]
    pub scores: [f32; FAMILIES],
    /// Where it was reached.
    #[serde(with = "sparse::array")]
    pub leads: [Lead; FAMILIES],
    /// The highest sum of evidence of each channel.
    #[serde(with = "sparse::array")]
    pub totals: [f32; CHANNELS],
    /// The highest score of each channel, the sensitivity of the data in it: what counts against the budget.
    #[serde(with = "sparse::array")]
    pub weighed: [f32; CHANNELS],
    /// Datastores that were new today.
    pub new_stores: u16,
    /// Exports.
    pub exports: u16,
    /// Datastores copied out of for the first time.
    pub first_exports: u16,
    /// Datastores written to for the first time.
    pub new_writes: u16,
    /// Networks that were new.
    pub new_networks: u16,
    /// What was written to datastores that it never wrote to, in units of volume.
    pub written: f32,
    /// The volume with each event capped at what is large for the actor.
    pub capped: f32,
    /// Events with a volume, and the sums of their levels and squares.
    #[serde(with = "sparse::value")]
    pub sizes: [f32; 3],
}

/// Where a family's score of the day was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// The datastore.
    pub store: u64,
    /// The window, as its index.
    pub window: u8,
    /// It is the sum over all datastores.
    pub is_total: bool,
    /// What was seen: a volume in units, or a count.
    pub seen: f32,
    /// What was expected: the median.
    pub usual: f32,
    /// What one day in a thousand passes.
    pub upper: f32,
}

/// By how much a weekday differs from the others, as a level: the shrunk mean of what it was beyond expectation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Weekdays {
    means: [f32; 7],
    counts: [u8; 7],
}

/// Mean and variance of one event's level, day by day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sizes {
    mean: f32,
    variance: f32,
    days: f32,
}

/// Which hours of the last day were odd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OddHours {
    newest: i64,
    mask: u32,
}

impl Weekdays {
    /// What to add to what is expected of a day.
    pub fn of(&self, day: i32) -> f64 {
        let place = weekday(day);
        let count = f64::from(self.counts[place]);
        f64::from(self.means[place]) * count / (count + 2.0)
    }

    /// Takes in by how much a day was beyond expectation, the weekday left out.
    pub fn teach(&mut self, day: i32, residual: f64) {
        const COUNT_MAX: u8 = 5;
        let place = weekday(day);
        let count = (self.counts[place] + 1).min(COUNT_MAX);
        let difference = residual.clamp(-3.0, 1.5) - f64::from(self.means[place]);
        self.means[place] += (difference / f64::from(count)) as f32;
        self.counts[place] = count;
    }
}

impl Sizes {
    /// The volume beyond which an event is large: 1.5 standard deviations; nothing is, of somebody new.
    pub fn large(&self) -> f64 {
        if self.days < 1.0 {
            return f64::INFINITY;
        }
        libm::exp(f64::from(self.mean) + 1.5 * libm::sqrt(f64::from(self.variance).max(0.01)))
    }

    /// Takes a day in: how many events, the sum of their levels and of their squares. About twenty days count.
    pub fn teach(&mut self, [count, sum, squares]: [f32; 3]) {
        if count < 1.0 {
            return;
        }
        self.days = (self.days + 1.0).min(20.0);
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0);
        self.mean += (mean - self.mean) / self.days;
        self.variance += (variance - self.variance) / self.days;
    }
}

impl OddHours {
    /// Takes an odd hour in, counted from 1970-01-01; how many of the last day there are.
    pub fn add(&mut self, hour: i64) -> u32 {
        let steps = (hour - self.newest).clamp(-24, 24);
        if steps > 0 {
            self.mask = if steps >= 24 { 0 } else { self.mask << steps & 0x00FF_FFFF };
            self.newest = hour;
        }
        let back = self.newest - hour;
        if back < 24 {
            self.mask |= 1 << back;
        }
        self.mask.count_ones()
    }
}

impl Reader {
    /// An actor that is seen for the first time.
    pub fn new(group: GroupId, kind: ActorKind, day: i32) -> Self {
        Self {
            group,
            kind,
            first_day: day,
            last_day: day,
            days: 0,
            hours_a_day: 0.0,
            today: None,
            rings: None,
            objects: None,
            baselines: [Baseline::default(); ACTOR_BASELINES],
            weekdays: Weekdays::default(),
            office_hours: OfficeHours::default(),
            odd_hours: OddHours::default(),
            drift: Drift::default(),
            sizes: Sizes::default(),
            new_stores: Rate::default(),
            exports: Rate::default(),
            new_writes: Rate::default(),
            new_networks: Rate::default(),
            networks: Networks::default(),
            drift_score: 0.0,
            incidents: Vec::new(),
            pairs: LiteMap::new(),
            faded: LiteMap::new(),
        }
    }

    /// How it behaves, as far as its hours tell.
    pub fn stratum(&self) -> Stratum {
        let is_known = self.days >= STRATUM_DAYS;
        match self.kind {
            ActorKind::Human => Stratum::Human,
            ActorKind::Anonymous => Stratum::Anonymous,
            ActorKind::Service if is_known && self.hours_a_day < BATCH_HOURS => Stratum::Batch,
            ActorKind::Service => Stratum::Continuous,
            ActorKind::Unknown if is_known && self.hours_a_day >= PROGRAM_HOURS => {
                Stratum::Continuous
            }
            ActorKind::Unknown => Stratum::Human,
        }
    }

    /// How many days taught it, this one left out.
    pub fn active_days(&self) -> f64 {
        f64::from(self.days)
    }

    /// The level of the usual hour.
    pub fn usual_hour(&self) -> f64 {
        self.baselines[Window::Hour.index()].mean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_hours_are_those_of_a_day() {
        let mut odd = OddHours::default();
        assert_eq!([100, 101, 101, 103].map(|hour| odd.add(hour)), [1, 2, 2, 3]);
        assert_eq!(odd.add(125), 2, "100 and 101 are more than a day ago");
        assert_eq!(odd.add(102), 3, "late, and not too late");
        assert_eq!(odd.add(400), 1);
    }

    #[test]
    fn a_weekday_is_learned_in_a_few_weeks() {
        let mut weekdays = Weekdays::default();
        (0..5).for_each(|week| weekdays.teach(week * 7, 1.0));
        assert!((0.6..1.0).contains(&weekdays.of(70)) && weekdays.of(71) == 0.0);
    }

    #[test]
    fn what_is_large_for_an_actor_is_learned_from_its_events() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.large(), f64::INFINITY);
        (0..5).for_each(|_| sizes.teach([10.0, 50.0, 260.0]));
        assert!((sizes.large() / libm::exp(5.0 + 1.5) - 1.0).abs() < 1e-3);
    }
}
