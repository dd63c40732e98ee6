//! What people were told of an actor, and when they are told more.

use dataward_event::finding::RuleId;
use serde::{Deserialize, Serialize};

use crate::reads::evidence::Channel;
use crate::reads::peers::ACTOR_BASELINES;

/// By how much the score at which more is said falls with each day, in nats.
const DECAY: f64 = 0.7;
/// More is said when the score has grown by so much: at least, and on the same day as a share. So even the largest dump is
/// said a dozen times.
const GROWTH_MIN: f64 = 0.3;
const GROWTH: f64 = 1.5;
/// The highest bar on the days after, in nats: beyond, an incident would last for months.
const BAR_MAX: f64 = 20.0;
/// An incident of which nothing new was said for so many days is over, however high it was.
const QUIET_DAYS: i32 = 14;
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
    /// It began when too many had begun on its day: it wakes nobody until it is the largest of a day.
    pub is_digest: bool,
    /// The score of its first day, where that counts against the budget.
    pub counted: Option<f32>,
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
            is_digest: false,
            counted: None,
            kept: Vec::new(),
        }
    }

    /// The score that was said last, as it counts on a day: on that day as it was, later less and less.
    pub fn bar(&self, day: i32) -> f64 {
        let days = day - self.said;
        if days <= 0 {
            return f64::from(self.bar);
        }
        f64::from(self.bar).min(BAR_MAX) - DECAY * f64::from(days)
    }

    /// The score that was said last, and the day on which it was.
    pub const fn said(&self) -> (f32, i32) {
        (self.bar, self.said)
    }

    /// Whether it is over on a day, where people are told from this score on.
    pub fn is_over(&self, day: i32, threshold: f64) -> bool {
        self.bar(day) < threshold || day - self.said > QUIET_DAYS
    }

    /// Whether a score, or one datastore more, is worth telling again: the score has grown by half beyond what was said
    /// on the day, or is above the bar on another, or the number of datastores has doubled.
    pub fn raise(&mut self, day: i32, score: f64, store: u64) -> bool {
        let bar = self.bar(day);
        // On the same day a score grows with every read; on another day it is another day.
        let grown =
            if day > self.said { bar + GROWTH_MIN } else { (bar * GROWTH).max(bar + GROWTH_MIN) };
        let mut is_news = score >= grown;
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

    /// The days that were kept: they are kept no longer.
    pub fn take_kept(&mut self) -> Vec<(i32, [Option<f32>; ACTOR_BASELINES])> {
        std::mem::take(&mut self.kept)
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
        let news = [7.2, 10.4, 10.6, 15.0, 16.0].map(|score| said.raise(0, score, 1));
        assert_eq!(news, [false, false, true, false, true]);
        assert!((said.bar(5) - 12.5).abs() < 1e-5);
        assert!(!said.raise(5, 12.7, 1) && said.raise(5, 12.9, 1));
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
        let kept = said.take_kept();
        assert_eq!((kept.len(), kept[0].0), (14, 26));
    }
}
