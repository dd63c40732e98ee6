//! What is usual of one key, learned from one value a day, and what its like lend it before it has learned.

use serde::{Deserialize, Serialize};

use crate::reads::tail::{quantile, tail_nats};

/// The weight of what is assumed of the variance, in days.
const PRIOR_DAYS: f64 = 8.0;
/// How many days count in full. With more of them old ones fade: what was usual half a year ago need not be it now.
const DAYS_MAX: f64 = 40.0;
/// Beyond so many standard deviations a day is pulled in before it teaches (one day in a thousand of a normal one).
const CLIP: f64 = 3.1;
/// How fast the weight of a day falls beyond [`CLIP`], and where it ends.
const FADING: f64 = 6.0;
const WEIGHT_MIN: f64 = 0.15;

/// Weight, mean and sum of squares of the days so far (West 1979, after Welford 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    weight: f32,
    mean: f32,
    squares: f32,
}

/// What is assumed of a key of which nothing is known: what its like are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// The mean of the keys' means.
    pub mean: f64,
    /// The variance of the keys' means.
    pub between: f64,
    /// The variance of a key's days.
    pub within: f64,
}

/// What the next day is expected to be.
///
/// A Student distribution: the posterior predictive of a normal variable whose mean and variance are both uncertain
/// (Gelman et al., Bayesian Data Analysis, 3rd edition, 3.2 and 5.4). So few days give wide tails, without a rule of their
/// own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    center: f64,
    scale: f64,
    freedom: f64,
}

impl Default for Prior {
    /// Where nobody is known: a few hundred rows, give or take a factor of seven; a factor of two is an ordinary day.
    fn default() -> Self {
        Self { mean: 6.0, between: 4.0, within: 0.5 }
    }
}

impl Baseline {
    /// How many days it knows, as far as they count.
    pub fn days(&self) -> f64 {
        f64::from(self.weight)
    }

    /// The mean of the days.
    pub fn mean(&self) -> f64 {
        f64::from(self.mean)
    }

    /// The variance of the days themselves, nothing assumed. 0 without a day.
    pub fn variance(&self) -> f64 {
        if self.weight > 0.0 { f64::from(self.squares) / f64::from(self.weight) } else { 0.0 }
    }

    /// Takes the value of a day in.
    ///
    /// An attack must not teach: a day far above what is expected is clipped, and weighs less the farther it is. A lasting
    /// change still arrives, within a week or two. A day far below needs no such care.
    pub fn teach(&mut self, value: f64, prior: &Prior, variance_min: f64) {
        let expected = self.prediction(prior, variance_min);
        let distance = (value - expected.center) / expected.scale;
        if distance > CLIP {
            let weight = (1.0 - (distance - CLIP) / FADING).max(WEIGHT_MIN);
            self.teach_weighted(expected.center + CLIP * expected.scale, weight);
        } else {
            self.teach_weighted(value, 1.0);
        }
    }

    /// Takes the value of a day in as it is.
    pub fn teach_weighted(&mut self, value: f64, weight: f64) {
        let before = f64::from(self.weight) + weight;
        let count = f64::from(self.weight).min(DAYS_MAX) + weight;
        let difference = value - f64::from(self.mean);
        let mean = f64::from(self.mean) + weight * difference / count;
        let squares = f64::from(self.squares) + weight * difference * (value - mean);
        self.squares = (squares * (count / before).min(1.0)) as f32;
        self.weight = count as f32;
        self.mean = mean as f32;
    }

    /// How far what is expected is its own, from 0 to 1; the rest is lent.
    pub fn own_share(&self, prior: &Prior, variance_min: f64) -> f64 {
        if self.days() <= 0.0 {
            return 0.0;
        }
        let squares = PRIOR_DAYS * prior.within + f64::from(self.squares);
        let variance = (squares / (PRIOR_DAYS + self.days())).max(variance_min);
        prior.between / (prior.between + variance / self.days())
    }

    /// What the next day is expected to be. `variance_min` is the least variance that is believed.
    pub fn prediction(&self, prior: &Prior, variance_min: f64) -> Prediction {
        let days = self.days();
        let squares = PRIOR_DAYS * prior.within + f64::from(self.squares);
        let variance = (squares / (PRIOR_DAYS + days)).max(variance_min);
        if days <= 0.0 {
            let scale = (variance + prior.between).sqrt();
            return Prediction { center: prior.mean, scale, freedom: PRIOR_DAYS };
        }
        let of_mean = variance / days;
        let trust = prior.between / (prior.between + of_mean);
        let center = trust * self.mean() + (1.0 - trust) * prior.mean;
        let scale = (variance + prior.between * of_mean / (prior.between + of_mean)).sqrt();
        Prediction { center, scale, freedom: PRIOR_DAYS + days }
    }
}

impl Prediction {
    /// The same, moved: a weekday on which more is usual, a day on which everybody reads more.
    pub const fn moved(self, by: f64) -> Self {
        Self { center: self.center + by, ..self }
    }

    /// The median.
    pub const fn median(&self) -> f64 {
        self.center
    }

    /// The standard deviation of a normal variable with the same middle.
    pub const fn scale(&self) -> f64 {
        self.scale
    }

    /// What a day stays below with this probability.
    pub fn quantile(&self, probability: f64) -> f64 {
        self.center + self.scale * quantile(probability, self.freedom)
    }

    /// How unlikely it is that a day reaches this value: the negative natural logarithm of the probability, in nats.
    /// 0 at and below the median.
    pub fn nats(&self, value: f64) -> f64 {
        let t = (value - self.center) / self.scale;
        if t <= 0.0 { 0.0 } else { tail_nats(t, self.freedom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: Prior = Prior { mean: 7.0, between: 1.0, within: 0.25 };
    const VARIANCE_MIN: f64 = 0.04;

    fn taught(days: &[f64]) -> Baseline {
        let mut baseline = Baseline::default();
        days.iter().for_each(|day| baseline.teach(*day, &PRIOR, VARIANCE_MIN));
        baseline
    }

    fn nats(baseline: &Baseline, value: f64) -> f64 {
        baseline.prediction(&PRIOR, VARIANCE_MIN).nats(value)
    }

    #[test]
    fn few_days_are_judged_more_mildly() {
        let score = |days: usize| nats(&taught(&vec![7.0; days]), 10.0);
        assert!(score(0) < score(3) && score(3) < score(7) && score(7) < score(21));
        assert_eq!(nats(&taught(&[7.0; 9]), 6.9), 0.0);
    }

    #[test]
    fn who_is_new_is_expected_to_be_like_the_others_and_then_like_itself() {
        let center =
            |days: usize| taught(&vec![11.0; days]).prediction(&PRIOR, VARIANCE_MIN).median();
        assert_eq!(center(0), 7.0);
        assert!(center(1) > 8.0 && center(1) < center(3) && center(20) > 10.9, "{}", center(1));
    }

    #[test]
    fn an_attack_does_not_teach() {
        let mut attacked = taught(&[7.0, 7.4, 6.7, 7.1, 7.3, 6.9, 7.2, 7.0, 6.8, 7.1]);
        let before = attacked.prediction(&PRIOR, VARIANCE_MIN);
        attacked.teach(17.0, &PRIOR, VARIANCE_MIN);
        let after = attacked.prediction(&PRIOR, VARIANCE_MIN);
        assert!(after.median() - before.median() < 0.05, "{before:?} {after:?}");
        assert!(after.nats(17.0) > 0.8 * before.nats(17.0), "{before:?} {after:?}");
    }

    #[test]
    fn a_lasting_change_is_learned_in_two_weeks() {
        let mut changed = taught(&[7.0; 20]);
        let new = 7.0 + 5.0_f64.ln();
        assert!(nats(&changed, new) > 7.0);
        for _ in 0..14 {
            changed.teach(new, &PRIOR, VARIANCE_MIN);
        }
        assert!(nats(&changed, new) < 3.0, "{}", nats(&changed, new));
    }

    #[test]
    fn old_days_fade() {
        let mut baseline = taught(&[5.0; 40]);
        for day in 0..120 {
            baseline.teach(if day % 2 == 0 { 6.9 } else { 7.1 }, &PRIOR, VARIANCE_MIN);
        }
        assert!((baseline.mean() - 7.0).abs() < 0.2, "{baseline:?}");
        assert!(baseline.days() <= DAYS_MAX + 1.0);
    }

    #[test]
    fn a_day_in_a_thousand_scores_ln_1000() {
        let expected = taught(&[7.0, 7.6, 6.5, 7.3, 6.8, 7.2]).prediction(&PRIOR, VARIANCE_MIN);
        let nats = expected.nats(expected.quantile(0.999));
        assert!((nats - 1000.0_f64.ln()).abs() < 1e-6, "{nats}");
    }
}
