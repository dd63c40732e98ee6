//! What scores ordinary days reach, and what a score therefore means.

use serde::{Deserialize, Serialize};

/// Bins for each e-fold of `1 + score`: a bin at 5 nats is 0.3 wide.
const BINS_AN_EFOLD: f64 = 20.0;
/// The last bin holds what is above `e^6.4 - 1`, 600 nats.
const BINS: usize = 128;
/// A score below this is none.
const SCORE_MIN: f64 = 0.5;
/// Which share of the scores in the tail tell its slope, and how many they must be.
const HIGH_SHARE: f64 = 0.15;
const HIGH_COUNT_MIN: f64 = 3.0;
/// The weight of a day falls by this factor with each day: about the last 35 count.
const FADING: f64 = 1.0 - 1.0 / 35.0;

/// The highest scores of actor-days, as a histogram whose older days fade.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorePool {
    total: f32,
    bins: [f32; BINS],
}

/// The tail of the scores of ordinary days: beyond `from`, which a share of `exceeded` of them pass, it falls by a factor
/// of e with each `slope`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    from: f64,
    exceeded: f64,
    slope: f64,
}

impl Default for ScorePool {
    fn default() -> Self {
        Self { total: 0.0, bins: [0.0; BINS] }
    }
}

impl Default for Tail {
    /// Before enough days are known: a tenth passes 3 nats, and a nat is a nat.
    fn default() -> Self {
        Self { from: 3.0, exceeded: 0.1, slope: 1.0 }
    }
}

impl ScorePool {
    /// Takes the highest score of an actor-day in.
    pub fn add(&mut self, score: f64) {
        self.total += 1.0;
        self.bins[bin(score)] += 1.0;
    }

    /// The actor-day with this score, so many days ago, does not count.
    pub fn take_back(&mut self, score: f64, days: i32) {
        let weight = libm::pow(FADING, f64::from(days.max(0))) as f32;
        self.total = (self.total - weight).max(0.0);
        let held = &mut self.bins[bin(score)];
        *held = (*held - weight).max(0.0);
    }

    /// A day is over: those before it count less.
    pub fn fade(&mut self) {
        self.total = (f64::from(self.total) * FADING) as f32;
        self.bins.iter_mut().for_each(|count| *count = (f64::from(*count) * FADING) as f32);
    }

    /// How many actor-days it knows, as far as they count.
    pub fn days(&self) -> f64 {
        f64::from(self.total)
    }

    /// How many of them reach a score.
    pub fn reaching(&self, score: f64) -> f64 {
        let first = bin(score);
        let above: f32 = self.bins[first + 1..].iter().sum();
        let (low, high) = (edge(first), edge(first + 1));
        let part = ((high - score) / (high - low)).clamp(0.0, 1.0);
        f64::from(above) + part * f64::from(self.bins[first])
    }

    /// The score that so many of them reach; 0 if all do.
    pub fn reached_by(&self, count: f64) -> f64 {
        let mut above = 0.0;
        for place in (0..BINS).rev() {
            let held = f64::from(self.bins[place]);
            if above + held >= count && held > 0.0 {
                let part = (count - above) / held;
                return edge(place + 1) - part * (edge(place + 1) - edge(place));
            }
            above += held;
        }
        0.0
    }

    /// The tail beyond the score that a tenth of the days reach, or half of those with any score where those are few. Its
    /// slope is that up to the score that a seventh of these reach: high enough to be tail, low enough that an attack in a
    /// thousand days bends nothing.
    pub fn tail(&self) -> Tail {
        let days = self.days().max(1.0);
        let scored = self.reaching(SCORE_MIN);
        let passed = (0.1 * days).min(0.5 * scored).max(0.5);
        let from = self.reached_by(passed).max(SCORE_MIN);
        let high = self.reached_by(passed * HIGH_SHARE);
        let is_known = passed * HIGH_SHARE >= HIGH_COUNT_MIN && high > from;
        let slope = if is_known { (high - from) / -libm::log(HIGH_SHARE) } else { 1.3 };
        Tail { from, exceeded: passed / days, slope: slope.max(0.2) }
    }

    /// The straight tail between the scores that a tenth and a hundredth of the days reach.
    pub fn steep_tail(&self) -> Tail {
        let tail = self.tail();
        let high = self.reached_by(0.01 * self.days());
        let slope = if 0.01 * self.days() < 2.0 || high <= tail.from {
            tail.slope
        } else {
            (high - tail.from) / libm::log(tail.exceeded / 0.01).max(0.1)
        };
        Tail { slope: slope.max(0.05), ..tail }
    }
}

impl Tail {
    /// The tail of few days and that of many more: `weight` says how far the few are believed.
    pub fn blend(few: Self, many: Self, weight: f64) -> Self {
        let mix = |few: f64, many: f64| weight * few + (1.0 - weight) * many;
        Self {
            from: mix(few.from, many.from),
            exceeded: mix(few.exceeded, many.exceeded),
            slope: mix(few.slope, many.slope),
        }
    }

    /// What a score is worth: the negative logarithm of the share of ordinary days that reach it.
    pub fn nats(&self, score: f64) -> f64 {
        let base = -libm::log(self.exceeded);
        if score <= self.from {
            base * score.max(0.0) / self.from
        } else {
            base + (score - self.from) / self.slope
        }
    }
}

fn bin(score: f64) -> usize {
    // `as` cannot fail: the score is at least 0, and what is too large ends in the last bin.
    ((libm::log(1.0 + score.max(0.0)) * BINS_AN_EFOLD) as usize).min(BINS - 1)
}

fn edge(bin: usize) -> f64 {
    libm::exp(bin as f64 / BINS_AN_EFOLD) - 1.0
}

/// A pool as it is saved: most bins are empty.
#[derive(Serialize, Deserialize)]
struct SavedPool {
    total: f32,
    held: Vec<(u8, f32)>,
}

impl Serialize for ScorePool {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let held = (0_u8..).zip(self.bins).filter(|(_, count)| *count != 0.0).collect();
        SavedPool { total: self.total, held }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ScorePool {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedPool { total, held } = SavedPool::deserialize(deserializer)?;
        let mut pool = Self { total, ..Self::default() };
        for (place, count) in held {
            let bin = pool.bins.get_mut(usize::from(place));
            *bin.ok_or_else(|| serde::de::Error::custom("no such bin"))? = count;
        }
        Ok(pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores of ordinary days if they are what they say: `-ln` of even shares.
    fn exponential(scale: f64) -> ScorePool {
        let mut pool = ScorePool::default();
        for day in 0..20_000 {
            pool.add(-scale * ((f64::from(day) + 0.5) / 20_000.0).ln());
        }
        pool
    }

    #[test]
    fn a_score_that_is_what_it_says_stays_what_it_is() {
        for scale in [0.5, 1.0, 3.0] {
            let tail = exponential(scale).tail();
            for nats in [1.0, 2.3, 5.0, 7.0, 15.0] {
                let found = tail.nats(scale * nats);
                assert!((found - nats).abs() < 0.12 * nats, "{scale} {nats}: {found}");
            }
        }
    }

    #[test]
    fn counts_and_scores_are_inverse() {
        let pool = exponential(1.0);
        for count in [1.0, 20.0, 300.0, 2_000.0] {
            let score = pool.reached_by(count);
            assert!((pool.reaching(score) - count).abs() < 1e-6 * count);
            assert!((score - (20_000.0 / count).ln()).abs() < 0.7, "{count}: {score}");
        }
    }

    #[test]
    fn scores_that_are_mostly_nothing_keep_their_share() {
        let mut pool = ScorePool::default();
        (0..9_700).for_each(|_| pool.add(0.0));
        (0..300).for_each(|day| pool.add(2.0 + f64::from(day) / 100.0));
        let nats = pool.tail().nats(2.0);
        assert!((nats - (10_000.0_f64 / 300.0).ln()).abs() < 1.5, "{nats}");
    }

    #[test]
    fn old_days_fade_and_what_is_saved_is_equal() {
        let mut pool = exponential(1.0);
        (0..35).for_each(|_| pool.fade());
        assert!((pool.days() / 20_000.0 - 0.367).abs() < 0.01);
        let bytes = postcard::to_stdvec(&pool).unwrap();
        assert_eq!(postcard::from_bytes::<ScorePool>(&bytes).unwrap(), pool);
    }
}
