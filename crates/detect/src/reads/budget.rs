//! From which score on people are told: so many alerts a day for each thousand actors, and no more.

use serde::{Deserialize, Serialize};

use crate::context::AlertsPerDay;
use crate::reads::evidence::{CHANNELS, Channel};
use crate::reads::score_pool::ScorePool;

/// How many days pass before anything statistical is said, by channel: what is usual must be known first.
const WARM_UP_DAYS: [i32; CHANNELS] = [14, 24, 14, 0];
/// How far the threshold may move from where it would be if scores were exactly what they say, in nats: real changes lift it
/// far, and in quiet times what means little is still not told.
const MOVE_UP_MAX: f64 = 8.0;
const MOVE_DOWN_MAX: f64 = 2.0;
/// The weight of the score's own meaning beside what was observed, in actor-days.
const BELIEF_DAYS: f64 = 50.0;
/// Fewer days than these say nothing of a threshold, and fewer alerts than these are not counted but continued: the score that
/// so many days reach, and beyond it the slope from four times as many.
const DAYS_MIN: f64 = 200.0;
const COUNTED_MIN: f64 = 1.0;
/// Beyond so many times the budget a day, alerts are told without waking anybody; at least [`CAP_MIN`] are not.
const CAP_FACTOR: f64 = 3.0;
const CAP_MIN: f64 = 5.0;

/// The thresholds of a partition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// What would have been an alert: the highest score of each actor-day, of the last month or so. Days of an incident
    /// that people know of, and days that somebody has confirmed as an attack, are not in it.
    told: [ScorePool; CHANNELS],
    /// Actors that were active on the last closed day.
    pub active: u32,
    /// Findings that were begun on the open day.
    begun: [u32; CHANNELS],
    /// The highest score that was told on it.
    highest: [f32; CHANNELS],
}

impl Budget {
    /// Takes the scores of an actor-day in.
    pub fn add(&mut self, channel: Channel, score: f64) {
        self.told[channel as usize].add(score);
    }

    /// An actor-day of so many days ago was one of an attack: it does not count.
    pub fn take_back(&mut self, channel: Channel, score: f64, days: i32) {
        self.told[channel as usize].take_back(score, days);
    }

    /// A day is over on which so many actors were active.
    pub fn close_day(&mut self, active: u32) {
        self.active = active;
        (self.begun, self.highest) = ([0; CHANNELS], [0.0; CHANNELS]);
        self.told.iter_mut().for_each(ScorePool::fade);
    }

    /// The score from which people are told; `None` where the channel is off.
    ///
    /// If scores are what they say, `ln(1000 / k)` lets `k` of a thousand ordinary actor-days pass. What was observed moves
    /// that, the more of it there is: real changes are in the scores, and no model knows how many.
    pub fn threshold(&self, channel: Channel, budget: &AlertsPerDay) -> Option<f64> {
        let share = budget.of(channel) / 1000.0;
        if share <= 0.0 {
            return None;
        }
        let meant = -libm::log(share.min(1.0));
        let pool = &self.told[channel as usize];
        let expected = share * pool.days();
        if pool.days() < DAYS_MIN {
            return Some(meant);
        }
        let observed = observed(pool, expected).clamp(meant - MOVE_DOWN_MAX, meant + MOVE_UP_MAX);
        let weight = pool.days() / (pool.days() + BELIEF_DAYS);
        Some(weight * observed + (1.0 - weight) * meant)
    }

    /// The day from which on enough is known to say anything, in a partition that began on `first_day`.
    pub const fn speaks_from(channel: Channel, first_day: i32) -> i32 {
        first_day + WARM_UP_DAYS[channel as usize]
    }

    /// A finding begins with a score. Whether it is one too many for the day: what scores higher than all before it is not,
    /// so a crowd hides nothing that is larger, and in a crowd of any size few are the largest so far.
    pub fn begin(&mut self, channel: Channel, score: f64, budget: &AlertsPerDay) -> bool {
        let place = channel as usize;
        self.begun[place] += 1;
        let is_largest = self.is_largest(channel, score);
        let cap = CAP_FACTOR * budget.of(channel) * f64::from(self.active) / 1000.0;
        f64::from(self.begun[place]) > cap.max(CAP_MIN) && !is_largest
    }

    /// Whether a score is higher than all that were told on the open day.
    pub fn is_largest(&mut self, channel: Channel, score: f64) -> bool {
        let highest = &mut self.highest[channel as usize];
        let is_largest = score as f32 > *highest;
        *highest = highest.max(score as f32);
        is_largest
    }
}

/// The score that so many of the days reach, as far as they can be counted.
fn observed(pool: &ScorePool, expected: f64) -> f64 {
    if expected >= COUNTED_MIN {
        return pool.reached_by(expected);
    }
    let (few, more) = (pool.reached_by(COUNTED_MIN), pool.reached_by(4.0 * COUNTED_MIN));
    let slope = ((few - more) / libm::log(4.0)).clamp(0.5, 4.0);
    few + slope * libm::log(COUNTED_MIN / expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_lets_the_budget_pass() {
        let budget = AlertsPerDay::default();
        let mut state = Budget::default();
        assert!((state.threshold(Channel::Acute, &budget).unwrap() - 1000.0_f64.ln()).abs() < 1e-9);
        // Scores that say more than they should: a hundredth of the days reach 9 nats.
        for day in 0..30_000 {
            let share = (f64::from(day) + 0.5) / 30_000.0;
            state.add(Channel::Acute, -1.2 * share.ln());
        }
        let threshold = state.threshold(Channel::Acute, &budget).unwrap();
        assert!((threshold - 1.2 * 1000.0_f64.ln()).abs() < 0.35, "{threshold}");
        assert_eq!(state.threshold(Channel::OffHours, &budget), None);
    }

    #[test]
    fn a_flood_is_told_and_wakes_nobody() {
        let mut state = Budget::default();
        state.close_day(2_000);
        let budget = AlertsPerDay::default();
        let too_many = (0..20).filter(|_| state.begin(Channel::Acute, 8.0, &budget)).count();
        assert_eq!(too_many, 14);
        assert!(
            !state.begin(Channel::Acute, 11.0, &budget),
            "a large one is not lost in the crowd"
        );
        state.close_day(2_000);
        assert!(!state.begin(Channel::Acute, 8.0, &budget));
    }
}
