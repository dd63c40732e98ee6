//! What is usual, learned from one value a day.

use serde::{Deserialize, Serialize};

use crate::tail::{quantile, tail_nats};

/// The weight of what is assumed before anything is learned, in days.
const PRIOR_DAYS: f64 = 4.0;

/// The variance that is assumed: a factor of two, up or down, is an ordinary day (ln 2 = 0.69, squared).
const PRIOR_VARIANCE: f64 = 0.5;

/// How many days count in full. With more of them old ones fade: what was usual half a year ago need not be it now.
const DAYS_MAX: f64 = 40.0;

/// Beyond so many standard deviations a day is pulled in before it teaches (one day in a thousand of a normal one).
const CLIP: f64 = 3.1;

/// How fast the weight of a day falls beyond [`CLIP`], and where it ends.
const FADING: f64 = 6.0;
const WEIGHT_MIN: f64 = 0.15;

/// Mean and sum of squares of the days so far, weighted (West 1979, after Welford 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    weight: f64,
    mean: f64,
    squares: f64,
}

/// What the next day is expected to be.
///
/// A Student distribution: the posterior predictive of a normal variable whose mean and variance are both uncertain
/// (Gelman et al., Bayesian Data Analysis, 3rd edition, 3.2 and 3.3), with nothing assumed of the mean. So few days give
/// wide tails, without a rule of their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    center: f64,
    scale: f64,
    freedom: f64,
}

impl Baseline {
    /// Takes the value of a day in. `variance_min` is the least variance that is believed.
    ///
    /// An attack must not teach: a day far above what is expected is clipped, and weighs less the farther it is. A
    /// lasting change still arrives, within a week or two. A day far below needs no such care.
    pub fn teach(&mut self, value: f64, variance_min: f64) {
        let (mut value, mut weight) = (value, 1.0);
        if let Some(expected) = self.prediction(variance_min) {
            let distance = (value - expected.center) / expected.scale;
            if distance > CLIP {
                value = expected.center + CLIP * expected.scale;
                weight = (1.0 - (distance - CLIP) / FADING).max(WEIGHT_MIN);
            }
        }
        let before = self.weight + weight;
        self.weight = self.weight.min(DAYS_MAX) + weight;
        let difference = value - self.mean;
        self.mean += weight * difference / self.weight;
        let squares = self.squares + weight * difference * (value - self.mean);
        self.squares = squares * (self.weight / before).min(1.0);
    }

    /// What the next day is expected to be; `None` before the first one.
    pub fn prediction(&self, variance_min: f64) -> Option<Prediction> {
        if self.weight < 1.0 {
            return None;
        }
        let freedom = PRIOR_DAYS + self.weight - 1.0;
        let variance = (PRIOR_DAYS * PRIOR_VARIANCE + self.squares) / freedom;
        let scale = (variance.max(variance_min) * (1.0 + 1.0 / self.weight)).sqrt();
        Some(Prediction { center: self.mean, scale, freedom })
    }
}

impl Prediction {
    /// The median.
    pub const fn median(&self) -> f64 {
        self.center
    }

    /// What a day stays below with this probability.
    pub fn quantile(&self, probability: f64) -> f64 {
        self.center + self.scale * quantile(probability, self.freedom)
    }

    /// How unlikely it is that a day reaches this value: the negative natural logarithm of the probability, in nats.
    /// 0 where that needs no calculation: less than two standard deviations above the mean.
    pub fn nats(&self, value: f64) -> f64 {
        let t = (value - self.center) / self.scale;
        if t < 2.0 { 0.0 } else { tail_nats(t, self.freedom) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VARIANCE_MIN: f64 = 0.04;

    fn taught(days: &[f64]) -> Baseline {
        let mut baseline = Baseline::default();
        for day in days {
            baseline.teach(*day, VARIANCE_MIN);
        }
        baseline
    }

    proptest! {
        #[test]
        fn ordinary_days_give_mean_and_sum_of_squares(
            days in prop::collection::vec(6.0_f64..6.6, 1..40),
        ) {
            let baseline = taught(&days);
            let count = days.len() as f64;
            let mean = days.iter().sum::<f64>() / count;
            let squares = days.iter().map(|day| (day - mean).powi(2)).sum::<f64>();
            prop_assert!((baseline.weight - count).abs() < 1e-9);
            prop_assert!((baseline.mean - mean).abs() < 1e-9);
            prop_assert!((baseline.squares - squares).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_is_expected_before_the_first_day() {
        assert_eq!(Baseline::default().prediction(VARIANCE_MIN), None);
    }

    #[test]
    fn the_first_days_are_judged_more_mildly() {
        let score = |days: usize| {
            let expected = taught(&vec![7.0; days]).prediction(VARIANCE_MIN).unwrap();
            expected.nats(7.0 + 3.0)
        };
        assert!(score(3) < score(7) && score(7) < score(21), "{} {}", score(3), score(21));
        assert_eq!(taught(&[7.0; 9]).prediction(VARIANCE_MIN).unwrap().nats(7.5), 0.0);
    }

    #[test]
    fn an_attack_does_not_teach() {
        let mut attacked = taught(&[7.0, 7.4, 6.7, 7.1, 7.3, 6.9, 7.2, 7.0, 6.8, 7.1]);
        let before = attacked.prediction(VARIANCE_MIN).unwrap();
        attacked.teach(17.0, VARIANCE_MIN);
        let after = attacked.prediction(VARIANCE_MIN).unwrap();
        assert!(after.median() - before.median() < 0.05, "{before:?} {after:?}");
        assert!(after.nats(17.0) > 0.8 * before.nats(17.0), "{before:?} {after:?}");
    }

    #[test]
    fn a_lasting_change_is_learned_in_two_weeks() {
        let mut changed = taught(&[7.0; 20]);
        let new = 7.0 + 5.0_f64.ln();
        assert!(changed.prediction(VARIANCE_MIN).unwrap().nats(new) > 7.0);
        for _ in 0..14 {
            changed.teach(new, VARIANCE_MIN);
        }
        assert!(changed.prediction(VARIANCE_MIN).unwrap().nats(new) < 3.0);
    }

    #[test]
    fn old_days_fade() {
        let mut baseline = taught(&[5.0; 40]);
        for day in 0..120 {
            baseline.teach(if day % 2 == 0 { 6.9 } else { 7.1 }, VARIANCE_MIN);
        }
        assert!((baseline.mean - 7.0).abs() < 0.2, "{baseline:?}");
        assert!(baseline.weight <= DAYS_MAX + 1.0);
    }

    #[test]
    fn a_day_in_a_thousand_scores_ln_1000() {
        let expected = taught(&[7.0, 7.6, 6.5, 7.3, 6.8, 7.2]).prediction(VARIANCE_MIN).unwrap();
        let nats = expected.nats(expected.quantile(0.999));
        assert!((nats - 1000.0_f64.ln()).abs() < 1e-6, "{nats}");
    }
}
