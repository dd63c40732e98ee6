//! When all there is has been read: only then is who says nothing silent, and not merely behind.
//!
//! A time is noted, and everything that had been appended by then is read: first up to the ends that were known when it was
//! noted, so that nothing keeps the source from fetching; then, after a wait in which it has fetched, up to the ends that
//! it has heard of since. Whoever should have spoken by the noted time and is not among what was read was silent.

use std::collections::BTreeMap;
use std::time::Duration;

use dataward_event::position::{Offset, Partition};
use dataward_event::time::EventTime;

use crate::archive::Archive;
use crate::record_source::RecordSource;
use crate::runner::Runner;
use crate::settings::ListeningSettings;

/// How far it is known that all has been read.
#[derive(Debug, Default)]
pub(crate) struct Listening {
    settings: ListeningSettings,
    answers_since: Option<Duration>,
    /// Ends were heard of since they were looked at last.
    has_heard: bool,
    round: Option<Round>,
}

/// One time that is noted, on its way.
#[derive(Debug)]
struct Round {
    time: EventTime,
    ends: Ends,
    /// Everything up to the ends was read then; what is heard of later ends counts after a while.
    fetching_since: Option<Duration>,
    /// The ends are those that were heard of since.
    is_last: bool,
}

/// The ends of all partitions that are ours.
type Ends = BTreeMap<Partition, Offset>;

impl Listening {
    /// Nothing is known yet.
    pub(crate) fn new(settings: ListeningSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The source answers, or does not.
    pub(crate) fn hear(&mut self, answers: bool, now: Duration) {
        if !answers {
            *self = Self::new(self.settings);
            return;
        }
        self.answers_since.get_or_insert(now);
        self.has_heard = true;
    }

    /// Goes on: `ends` as heard of just now, `None` if nothing was heard. Returns the noted time once everything that was
    /// appended by then has been read.
    pub(crate) fn go_on(
        &mut self,
        now: Duration,
        time: impl FnOnce() -> EventTime,
        ends: Option<Ends>,
        is_read: impl Fn(&Ends) -> bool,
    ) -> Option<EventTime> {
        let answers_since = self.answers_since?;
        if now.saturating_sub(answers_since) < self.settings.answering {
            return None;
        }
        let Some(round) = &mut self.round else {
            self.round =
                ends.map(|ends| Round { time: time(), ends, fetching_since: None, is_last: false });
            return None;
        };
        if let Some(since) = round.fetching_since
            && !round.is_last
            && now.saturating_sub(since) >= self.settings.fetching
            && let Some(ends) = ends
        {
            round.ends = ends;
            round.is_last = true;
        }
        if !is_read(&round.ends) {
            return None;
        }
        if round.is_last {
            return self.round.take().map(|round| round.time);
        }
        round.fetching_since.get_or_insert(now);
        None
    }
}

impl<S: RecordSource, A: Archive + Send + 'static> Runner<S, A> {
    /// Notes which offsets the source has, where it has heard of them.
    pub(crate) fn hear_bounds(&mut self) {
        let Some(heard) = self.source.heard() else { return };
        self.figures.source_answers = Some(heard.answers);
        self.listening.hear(heard.answers, self.clock.monotonic());
        for (partition, bounds) in heard.bounds {
            if self.owned.contains_key(&partition) {
                self.figures.partition(&partition).bounds = Some(bounds);
            }
        }
    }

    /// Says who is silent, as of a time by which all has been read. Returns whether something was said.
    pub(crate) fn listen(&mut self) -> bool {
        self.hear_bounds();
        let has_heard = std::mem::take(&mut self.listening.has_heard);
        let is_fetching = !self.is_paused && !self.owned.is_empty();
        let (figures, committed) = (&self.figures, &self.status.committed);
        let ends = (has_heard && is_fetching).then(|| figures.ends(self.owned.keys())).flatten();
        let owned = &self.owned;
        let is_read = |ends: &Ends| {
            owned.keys().all(|partition| {
                let end = ends.get(partition);
                end.is_some_and(|end| committed.next(partition).is_some_and(|next| next >= *end))
            })
        };
        let (desk, clock) = (&self.desk, self.clock.as_ref());
        let heard =
            self.listening.go_on(clock.monotonic(), || desk.time(clock.monotonic()), ends, is_read);
        let Some(time) = heard else { return false };
        let alerts = self.desk.listen(time, self.clock.as_ref());
        self.deliver(&alerts, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(end: i64) -> Ends {
        [(Partition::new("audit", 0), Offset(end))].into()
    }

    /// At a second, with an end that was heard of, and everything read before an offset.
    fn at(listening: &mut Listening, second: u64, heard: Option<i64>, read: i64) -> Option<i64> {
        let now = Duration::from_secs(second);
        let time = || EventTime::from_micros(second as i64);
        let is_read = |ends: &Ends| ends.values().all(|end| end.0 <= read);
        let noted = listening.go_on(now, time, heard.map(ends), is_read);
        noted.map(EventTime::micros)
    }

    #[test]
    fn a_time_counts_once_what_was_appended_by_then_is_read() {
        let mut listening = Listening::default();
        assert_eq!(at(&mut listening, 0, Some(10), 10), None, "nobody has answered");
        listening.hear(true, Duration::ZERO);
        assert_eq!(at(&mut listening, 59, Some(10), 10), None, "not for long enough");
        assert_eq!(at(&mut listening, 60, Some(10), 8), None, "the time is noted");
        assert_eq!(at(&mut listening, 61, None, 8), None, "something is not read");
        assert_eq!(at(&mut listening, 70, None, 10), None, "it may fetch now");
        assert_eq!(at(&mut listening, 74, Some(11), 11), None, "it may have heard before");
        assert_eq!(at(&mut listening, 75, Some(14), 13), None, "there is more");
        assert_eq!(at(&mut listening, 76, Some(20), 14), Some(60), "what came later matters not");
        assert_eq!(at(&mut listening, 77, Some(20), 14), None, "another time is noted");
    }

    #[test]
    fn an_outage_begins_it_anew() {
        let mut listening = Listening::default();
        listening.hear(true, Duration::ZERO);
        at(&mut listening, 60, Some(10), 10);
        at(&mut listening, 61, None, 10);
        listening.hear(false, Duration::from_secs(62));
        listening.hear(true, Duration::from_secs(90));
        assert_eq!(at(&mut listening, 91, Some(10), 10), None);
        assert_eq!(at(&mut listening, 149, Some(10), 10), None, "they have to catch up");
        assert_eq!(at(&mut listening, 150, Some(10), 10), None, "the time is noted");
        assert_eq!(at(&mut listening, 150, Some(10), 10), None, "it may fetch");
        assert_eq!(at(&mut listening, 155, Some(10), 10), Some(150));
    }
}
