//! What people would write instead: thresholds on counts, three sigmas, quantiles, and a small learner.
//!
//! Each gives an actor-day the highest score that it had at any event of the day. Its threshold is the one at which it
//! would have given as many false alerts as it may: nobody knows that one beforehand, so they look better than they are.

use dataward_detect::reads::calibration::Calibration;

use crate::reads::evaluation::{
    Detection, FalseAlert, Outcome, Progress, Truth, Verdict, WARM_DAY,
};
use crate::reads::half_space_trees::HalfSpaceTrees;
use crate::reads::read::SimRead;
use crate::reads::world::{DAY_MICROS, World};

/// A simple detector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Baseline {
    /// The units of the hour, for everybody alike.
    FixedHourly,
    /// How many standard deviations the hour lies above the actor's usual active hour.
    HourlySigma,
    /// The same of the logarithm.
    HourlyLogSigma,
    /// How many standard deviations the logarithm of the day lies above its exponentially weighted mean.
    DailyEwma,
    /// The day in multiples of the actor's largest in the 28 days before.
    DailyMaximum,
    /// How lonely the hour's and the day's volume, the number of datastores and the hour are.
    HalfSpaceTrees,
}

/// How many baselines there are.
pub const BASELINES: usize = 6;

/// What one baseline made of a world, before its threshold is chosen.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    benign: Vec<Peak>,
    /// For each attack the events that raised its score.
    attacks: Vec<Vec<(f64, Detection)>>,
}

/// The highest score of an actor-day, and when it was reached.
#[derive(Debug, Clone, Copy)]
struct Peak {
    score: f64,
    micros: i64,
    actor: u32,
    day: usize,
}

/// Mean and variance of what came so far.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

/// What is known of one actor.
#[derive(Debug, Clone, Default)]
struct Known {
    hour: i64,
    hour_units: f64,
    day: i64,
    day_units: f64,
    datastores: Vec<u16>,
    hours: Moments,
    log_hours: Moments,
    days: f64,
    ewma_mean: f64,
    ewma_variance: f64,
    /// The days before with what was read in them.
    before: Vec<(i64, f64)>,
    benign: [Option<Peak>; BASELINES],
    attacked: [f64; BASELINES],
}

impl Baseline {
    /// All baselines.
    pub const ALL: [Self; BASELINES] = [
        Self::FixedHourly,
        Self::HourlySigma,
        Self::HourlyLogSigma,
        Self::DailyEwma,
        Self::DailyMaximum,
        Self::HalfSpaceTrees,
    ];

    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixedHourly => "fixed hourly",
            Self::HourlySigma => "hourly sigma",
            Self::HourlyLogSigma => "log sigma",
            Self::DailyEwma => "daily ewma",
            Self::DailyMaximum => "28 d maximum",
            Self::HalfSpaceTrees => "half-space",
        }
    }
}

/// What all baselines make of a world, in the order of [`Baseline::ALL`].
pub fn score(world: &World) -> [Scores; BASELINES] {
    let truth = Truth::new(world);
    let mut progress = Progress::new(world);
    let empty = Scores { benign: Vec::new(), attacks: vec![Vec::new(); world.attacks.len()] };
    let mut scores: [Scores; BASELINES] = std::array::from_fn(|_| empty.clone());
    let a_day = world.reads.len() / world.size.days.max(1);
    let mut trees = HalfSpaceTrees::new(world.seed, a_day as u32);
    let mut known = vec![Known::default(); world.actors.len()];
    let mut is_seen = vec![false; world.reads.len()];
    for read in &world.reads {
        progress.take_in(read.attack(), read.taken);
        if std::mem::replace(&mut is_seen[read.serial as usize], true) {
            continue;
        }
        let actor = &mut known[read.actor as usize];
        let day = read.micros.div_euclid(DAY_MICROS);
        if day < actor.day {
            continue;
        }
        if day > actor.day {
            actor.close_day(day, &mut scores);
        }
        let judged = actor.observe(read, &mut trees);
        match truth.verdict(read.actor, read.micros) {
            Verdict::Aftermath => {}
            Verdict::False => actor.remember(read, &judged),
            Verdict::Found(attack) => {
                let found =
                    progress.detection(attack, &world.attacks[attack], read.arrival_micros());
                for (index, score) in judged.into_iter().enumerate() {
                    if score > actor.attacked[index] {
                        actor.attacked[index] = score;
                        scores[index].attacks[attack].push((score, found));
                    }
                }
            }
        }
    }
    for actor in &mut known {
        actor.close_day(i64::MAX, &mut scores);
    }
    for of_one in &mut scores {
        of_one.benign.sort_by(|left, right| right.score.total_cmp(&left.score));
    }
    scores
}

impl Scores {
    /// What comes of it if the threshold allows so many false alerts a day for each 1,000 active actors.
    pub fn outcome(&self, world: &World, rate: f64, unjudged: &Outcome) -> Outcome {
        let mut outcome = Outcome {
            detections: vec![None; self.attacks.len()],
            false_alerts: Vec::new(),
            notices: 0,
            aftermath: 0,
            actor_days: unjudged.actor_days,
            calibration: Calibration::default(),
        };
        let allowed = (rate * outcome.actor_days as f64 / 1000.0).round() as usize;
        let threshold = self.benign.get(allowed).map_or(0.0, |peak| peak.score);
        let truth = Truth::new(world);
        let above = self.benign.iter().take_while(|peak| peak.score > threshold);
        outcome.false_alerts = above
            .map(|peak| FalseAlert {
                rule: None,
                actor: peak.actor,
                day: peak.day,
                cause: truth.cause(peak.actor, peak.micros),
            })
            .collect();
        for (found, rises) in outcome.detections.iter_mut().zip(&self.attacks) {
            let first = rises.iter().find(|(score, _)| *score > threshold);
            *found = first.map(|(_, detection)| *detection);
        }
        outcome
    }
}

impl Known {
    /// Takes a read in, and says how every baseline scores its actor now.
    fn observe(&mut self, read: &SimRead, trees: &mut HalfSpaceTrees) -> [f64; BASELINES] {
        let (hour, units) = (read.micros.div_euclid(3_600_000_000), read.units());
        if hour > self.hour {
            self.close_hour();
            self.hour = hour;
        }
        if hour == self.hour {
            self.hour_units += units;
        }
        self.day_units += units;
        if !self.datastores.contains(&read.datastore) {
            self.datastores.push(read.datastore);
        }
        let (log_hour, log_day) = (logarithm(self.hour_units), logarithm(self.day_units));
        let largest = self.before.iter().map(|(_, units)| *units).fold(20.0, f64::max);
        let deviation = libm::sqrt(self.ewma_variance).max(0.2);
        let point = [
            (log_hour / 20.0) as f32,
            (log_day / 20.0) as f32,
            (libm::log(1.0 + self.datastores.len() as f64) / 4.0) as f32,
            (hour.rem_euclid(24) as f64 / 24.0) as f32,
        ];
        // The logarithm of a mass is negative: lifted, so that 0 is no score for all of them.
        let lonely = 30.0 + trees.observe(&point);
        [
            self.hour_units,
            self.hours.sigmas(self.hour_units, 0.1 * self.hours.mean + 1.0),
            self.log_hours.sigmas(log_hour, 0.2),
            if self.days < 5.0 { 0.0 } else { (log_day - self.ewma_mean) / deviation },
            if self.before.len() < 5 { 0.0 } else { self.day_units / largest },
            lonely,
        ]
    }

    fn remember(&mut self, read: &SimRead, judged: &[f64; BASELINES]) {
        let (micros, actor) = (read.micros, read.actor);
        let day = crate::reads::world::day_of(micros);
        for (peak, score) in self.benign.iter_mut().zip(judged) {
            if peak.is_none_or(|peak| *score > peak.score) {
                *peak = Some(Peak { score: *score, micros, actor, day });
            }
        }
    }

    fn close_hour(&mut self) {
        if self.hour_units > 0.0 {
            self.hours.add(self.hour_units);
            self.log_hours.add(logarithm(self.hour_units));
        }
        self.hour_units = 0.0;
    }

    fn close_day(&mut self, next: i64, scores: &mut [Scores; BASELINES]) {
        for (peak, of_one) in self.benign.iter_mut().zip(scores) {
            let warm = peak.take().filter(|peak| peak.day >= WARM_DAY);
            of_one.benign.extend(warm);
        }
        self.attacked = [0.0; BASELINES];
        self.close_hour();
        if self.day_units > 0.0 {
            let log_day = logarithm(self.day_units);
            let share = if self.days < 10.0 { 1.0 / (self.days + 1.0) } else { 0.1 };
            let difference = log_day - self.ewma_mean;
            self.ewma_mean += share * difference;
            self.ewma_variance =
                (1.0 - share) * (self.ewma_variance + share * difference * difference);
            self.days += 1.0;
            self.before.push((self.day, self.day_units));
            self.before.retain(|(day, _)| next.saturating_sub(*day) <= 28);
        }
        self.datastores.clear();
        (self.day, self.day_units) = (next, 0.0);
    }
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.squares += difference * (value - self.mean);
    }

    /// By how many standard deviations a value lies above the mean; nothing before a day's worth of hours is known.
    fn sigmas(&self, value: f64, deviation_min: f64) -> f64 {
        if self.count < 24.0 {
            return 0.0;
        }
        (value - self.mean) / libm::sqrt(self.squares / self.count).max(deviation_min)
    }
}

fn logarithm(units: f64) -> f64 {
    libm::log(units + 20.0)
}
