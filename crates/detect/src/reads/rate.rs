//! How unlikely it is that something rare happens: probabilities from counts, shrunk to what is usual of the like.

use serde::{Deserialize, Serialize};

/// How many days of the group count as an actor's own.
const GROUP_DAYS: f64 = 4.0;

/// How often something happened on an actor's active days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How often.
    pub count: f32,
}

/// How often something happens to the actors of a group, a day. Older days fade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupRate {
    count: f32,
    days: f32,
}

impl GroupRate {
    /// A rate that is assumed before anything is known: once in fifty days.
    const ASSUMED: (f64, f64) = (0.4, 20.0);

    /// Takes an actor-day in.
    pub fn add(&mut self, count: f64) {
        self.count += count as f32;
        self.days += 1.0;
    }

    /// A day is over: those before it count less, the last three months or so.
    pub fn fade(&mut self) {
        self.count *= 0.99;
        self.days *= 0.99;
    }

    /// How often it happens on an actor's active day.
    pub fn daily(&self) -> f64 {
        (Self::ASSUMED.0 + f64::from(self.count)) / (Self::ASSUMED.1 + f64::from(self.days))
    }
}

impl Rate {
    /// How often it is expected on the next active day, after `days` of them.
    pub fn daily(&self, group: &GroupRate, days: f64) -> f64 {
        ((GROUP_DAYS * group.daily() + f64::from(self.count)) / (GROUP_DAYS + days)).min(1.0)
    }

    /// The nats of it happening today at all.
    pub fn nats(&self, group: &GroupRate, days: f64) -> f64 {
        -libm::log(self.daily(group, days))
    }

    /// The nats of it happening at least `times` today: the tail of the negative binomial distribution, which is the
    /// predictive one of a Poisson count whose rate is gamma distributed (Gelman et al., Bayesian Data Analysis, 2.6).
    pub fn nats_of(&self, times: u32, group: &GroupRate, days: f64) -> f64 {
        let shape = GROUP_DAYS * group.daily() + f64::from(self.count);
        negative_binomial_nats(times, shape, GROUP_DAYS + days)
    }
}

/// `-ln P(K >= times)` of a negative binomial count with this shape and rate `b`: each term of the tail is the one before
/// it times `(k + r) / (k + 1) / (b + 1)`.
pub fn negative_binomial_nats(times: u32, shape: f64, rate: f64) -> f64 {
    if times == 0 {
        return 0.0;
    }
    let k = f64::from(times);
    let ln_first = libm::lgamma(k + shape) - libm::lgamma(k + 1.0) - libm::lgamma(shape)
        + shape * libm::log(rate / (rate + 1.0))
        - k * libm::log(rate + 1.0);
    let (mut term, mut sum, mut at) = (1.0, 1.0, k);
    // The terms rise up to the mean of the distribution and fall by a factor behind it: many, where much is usual.
    for _ in 0..100_000 {
        term *= (at + shape) / (at + 1.0) / (rate + 1.0);
        sum += term;
        at += 1.0;
        if term < sum * 1e-12 {
            break;
        }
    }
    (-(ln_first + libm::log(sum))).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happens_is_rarer_the_longer_it_did_not() {
        let group = GroupRate::default();
        let nats = |days: f64| Rate::default().nats(&group, days);
        assert!(nats(0.0) < nats(10.0) && nats(10.0) < nats(100.0));
        assert!(Rate { count: 40.0 }.nats(&group, 40.0) < 0.2);
    }

    /// Summed term by term in double precision, 4,000 terms from `k` on.
    #[test]
    fn the_tail_is_that_of_the_negative_binomial() {
        for (times, shape, rate, expected) in [
            (1, 0.5, 10.0, 3.067_499),
            (3, 0.5, 10.0, 8.321_396),
            (20, 2.0, 30.0, 65.666_425),
            (2, 40.0, 30.0, 0.959_698),
        ] {
            let found = negative_binomial_nats(times, shape, rate);
            assert!((found - expected).abs() < 1e-6 * expected, "{times} {shape}: {found}");
        }
        assert_eq!(negative_binomial_nats(0, 1.0, 1.0), 0.0);
    }
}
