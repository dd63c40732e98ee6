//! What people were told of an actor, and when they are told more.

use dataward_event::finding::RuleId;
use serde::{Deserialize, Serialize};

use crate::reads::evidence::Channel;
use crate::reads::peers::ACTOR_BASELINES;

/// By how much the score at which more is said falls with each day, in nats.
const DECAY: f64 = 0.7;
/// More is said when the score has grown by so much: at least, and as a share. A score has an end: even the largest dump is
/// said five or six times.
const GROWTH_MIN: f64 = 0.3;
const GROWTH: f64 = 1.25;
/// How many datastores are remembered.
const TOUCHED_MAX: usize = 32;
/// How many days that did not teach are kept, to teach after all if it was nothing.
const KEPT_DAYS: usize = 14;

/// An incident of one actor in one channel: one finding, however many reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The channel.
    pub channel: Channel,
    /// The uid of the finding: it derives from the event that began it.
    pub uid: String,
    /// The rule of the finding.
    pub rule: RuleId,
    /// The day on which it began.
    pub since: i32,
    /// The score that was said last, and when.
    bar: f32,
    said: i32,
    touched: Vec<u64>,
    /// The score of its first day, until it is known whether that counts against the budget.
    pub first_score: f32,
    /// Days that did not teach: the levels of each baseline, where there were any.
    kept: Vec<(i32, [Option<f32>; ACTOR_BASELINES])>,
}

impl Incident {
    /// An incident that begins with a score.
    pub fn new(
        channel: Channel,
        rule: RuleId,
        uid: String,
        day: i32,
        score: f64,
        store: u64,
    ) -> Self {
        let touched = vec![store];
        Self {
            channel,
            uid,
            rule,
            since: day,
            bar: score as f32,
            said: day,
            touched,
            first_score: 0.0,
            kept: Vec::new(),
        }
    }

    /// The score at which it would be said today.
    pub fn bar(&self, day: i32) -> f64 {
        f64::from(self.bar) - DECAY * f64::from((day - self.said).max(0))
    }

    /// Whether a score, or one datastore more, is worth telling again: the score has grown by a quarter beyond what was said,
    /// or the number of datastores has doubled.
    pub fn raise(&mut self, day: i32, score: f64, store: u64) -> bool {
        let bar = self.bar(day);
        let mut is_news = score >= (bar * GROWTH).max(bar + GROWTH_MIN);
        if !self.touched.contains(&store) && self.touched.len() < TOUCHED_MAX {
            self.touched.push(store);
            is_news |= self.touched.len().is_power_of_two();
        }
        if is_news {
            self.bar = score.max(bar) as f32;
            self.said = day;
        }
        is_news
    }

    /// How many datastores it touches, as far as they are remembered.
    pub const fn stores(&self) -> usize {
        self.touched.len()
    }

    /// Keeps a day that does not teach.
    pub fn keep(&mut self, day: i32, levels: [Option<f32>; ACTOR_BASELINES]) {
        if self.kept.len() >= KEPT_DAYS {
            self.kept.remove(0);
        }
        self.kept.push((day, levels));
    }

    /// The days that were kept.
    pub fn kept(&self) -> &[(i32, [Option<f32>; ACTOR_BASELINES])] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident() -> Incident {
        Incident::new(Channel::Acute, RuleId::ReadBulk, "uid".to_owned(), 0, 7.0, 1)
    }

    #[test]
    fn it_is_said_again_when_it_has_grown_and_the_bar_falls() {
        let mut said = incident();
        let news = [7.2, 8.7, 8.8, 10.0, 11.1].map(|score| said.raise(0, score, 1));
        assert_eq!(news, [false, false, true, false, true]);
        assert!((said.bar(5) - 7.6).abs() < 1e-5);
        assert!(!said.raise(5, 9.4, 1) && said.raise(5, 9.6, 1));
    }

    #[test]
    fn a_thief_who_goes_from_store_to_store_is_told_of_again() {
        let mut said = incident();
        let news: Vec<u64> = (2..40).filter(|store| said.raise(0, 7.0, *store)).collect();
        assert_eq!(news, [2, 4, 8, 16, 32]);
    }

    #[test]
    fn kept_days_end() {
        let mut said = incident();
        (0..40).for_each(|day| said.keep(day, [None; ACTOR_BASELINES]));
        assert_eq!((said.kept().len(), said.kept()[0].0), (14, 26));
    }
}
