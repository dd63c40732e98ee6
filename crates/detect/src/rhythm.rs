//! How often a source speaks, of itself or of one datastore, and since when it is silent.
//!
//! Time is measured in minutes in which it *should* have spoken: an hour of a night in which nothing ever happens counts
//! nothing, an hour in which every minute had an event counts sixty. Silence is a gap that is much longer, by this measure,
//! than the longest one before it. What is learned is a function of the minutes that had an event, not of their order.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use dataward_event::position::Position;
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::read_total::MINUTE_MICROS;

const HOURS_A_WEEK: usize = 168;
const MINUTES_AN_HOUR: i64 = 60;
const MINUTES_A_DAY: i64 = 24 * MINUTES_AN_HOUR;
/// No gap is a silence before so many minutes have passed.
const SILENT_MINUTES_MIN: i64 = 15;
/// Nor before so many in which it should have spoken.
const EXPECTED_MIN: u64 = 5;
/// So many minutes must have had an event before anything is expected.
const LEARNED_MINUTES_MIN: u64 = 60;
/// Of each hour of a week it must be known how it is; of a source that speaks in every hour a day is enough.
const LEARNED_DAYS: i64 = 7;
/// A gap that is so much longer than the longest one is a silence.
const LONGER: u64 = 2;
/// As long as no whole week is known, of which each hour was heard once at most, it must be so much longer.
const LONGER_AT_FIRST: u64 = 6;
/// The longest gap that is looked ahead, in hours.
const AHEAD_HOURS: i64 = 14 * 24;
/// Nothing is known of an hour of the week.
const UNSEEN: u8 = u8::MAX;
/// Minutes are counted in so many parts.
const PARTS: u64 = 60;

/// Whose rhythm it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    /// Of a source: a day of work that is missed is one.
    Source,
    /// Of one datastore as a source tells of it. Where there are hours in which nobody reads it, people do, and people have
    /// holidays: only a usual week that is missed is one.
    Datastore,
}

/// The rhythm of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    whose: Whose,
    /// For each hour of the week, in how many of its minutes something is said.
    week: Vec<u8>,
    /// The first minute ever.
    first: i64,
    /// The last settled minute that had an event.
    last: i64,
    /// An event of that minute, while none within a quarter of an hour after it is known.
    last_mark: Option<Mark>,
    /// How many minutes of its hour had one so far.
    in_hour: u8,
    /// How many minutes had an event.
    count: u64,
    /// The longest gap, in parts of minutes in which it should have spoken.
    longest: u64,
    /// Minutes with an event that a late one may still precede, marked as above.
    recent: BTreeMap<i64, Option<Mark>>,
    /// The last silence that is over: after this minute, up to that one.
    gap: Option<(i64, i64)>,
    /// It is silent, and that was said.
    silent: Option<Silence>,
}

/// An event that was heard. Of several in one minute the greatest counts, whichever comes first; of one that stands at
/// several places the first place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which of several readers: what is summed up differently in different batches must not count.
    pub rank: u64,
    /// When.
    pub time: EventTime,
    /// The event's uid.
    pub event_uid: String,
    /// Where it stands.
    pub position: Position,
}

impl Mark {
    fn order(&self) -> (u64, EventTime, &str, Reverse<&Position>) {
        (self.rank, self.time, &self.event_uid, Reverse(&self.position))
    }
}

impl PartialOrd for Mark {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Mark {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The last event before it.
    pub last: Option<Mark>,
    /// The last minute that had an event.
    pub since: i64,
    /// When it was clear.
    pub at: EventTime,
    /// The first minute that had one again.
    pub end: Option<EventTime>,
}

/// What a minute with an event tells of a silence that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    Usual,
    /// It is over since its end; it was thought to end at `was` before.
    Over {
        /// The silence.
        silence: Silence,
        /// When it was thought to end.
        was: Option<EventTime>,
    },
    /// There was none: an event came late. It was thought to end at `was`.
    Never {
        /// What was said.
        silence: Silence,
        /// When it was thought to end.
        was: Option<EventTime>,
    },
}

impl Rhythm {
    /// A rhythm of which one event is known.
    pub fn new(mark: Mark, whose: Whose) -> Self {
        let minute = minute_of(mark.time);
        Self {
            whose,
            week: vec![UNSEEN; HOURS_A_WEEK],
            first: minute,
            last: i64::MIN / 2,
            last_mark: None,
            in_hour: 0,
            count: 0,
            longest: 0,
            recent: [(minute, Some(mark))].into(),
            gap: None,
            silent: None,
        }
    }

    /// Takes in that it has spoken.
    pub fn hear(&mut self, mark: Mark) -> Heard {
        let minute = minute_of(mark.time);
        if minute <= self.last {
            return Heard::Usual;
        }
        self.first = self.first.min(minute);
        let has_next = |after: i64, recent: &BTreeMap<i64, Option<Mark>>| {
            let next = recent.range(after + 1..).next();
            next.is_some_and(|(next, _)| *next < after + SILENT_MINUTES_MIN)
        };
        let before = self.recent.range(..minute).next_back().map(|(before, _)| *before);
        let is_marked = !has_next(minute, &self.recent);
        let known = self.recent.entry(minute).or_insert_with(|| is_marked.then(|| mark.clone()));
        if known.as_ref().is_some_and(|known| *known < mark) {
            *known = Some(mark);
        }
        match before {
            Some(before) if minute < before + SILENT_MINUTES_MIN => {
                self.recent.insert(before, None);
            }
            None if minute < self.last + SILENT_MINUTES_MIN => self.last_mark = None,
            _ => {}
        }
        self.end_silence()
    }

    /// What is known of the silence that was said, now that a minute has been heard.
    fn end_silence(&mut self) -> Heard {
        let Some(silence) = &mut self.silent else { return Heard::Usual };
        let next = self.recent.range(silence.since + 1..).next();
        let Some(end) = next.map(|(next, _)| start_of(*next)) else { return Heard::Usual };
        let was = silence.end;
        if was == Some(end) {
            return Heard::Usual;
        }
        silence.end = Some(end);
        if end > silence.at {
            return Heard::Over { silence: silence.clone(), was };
        }
        match self.silent.take() {
            Some(silence) => Heard::Never { silence, was },
            None => Heard::Usual,
        }
    }

    /// Learns from all minutes before the horizon. Returns silences that are over, and that nobody knew of.
    pub fn settle(&mut self, horizon: EventTime) -> Vec<Silence> {
        let horizon = minute_of(horizon);
        let mut silences = Vec::new();
        while let Some((minute, _)) = self.recent.first_key_value().filter(|(m, _)| **m < horizon) {
            let minute = *minute;
            silences.extend(self.learn(minute));
        }
        silences
    }

    /// Whether a late event can still precede one.
    pub fn has_recent(&self) -> bool {
        !self.recent.is_empty()
    }

    /// Whether there is something to settle.
    pub fn has_before(&self, horizon: EventTime) -> bool {
        self.recent.first_key_value().is_some_and(|(minute, _)| *minute < minute_of(horizon))
    }

    /// Takes the first recent minute in.
    fn learn(&mut self, minute: i64) -> Option<Silence> {
        let mark = self.recent.remove(&minute).flatten();
        let mut silence = None;
        if self.count > 0 {
            let crossing = self.crossing().filter(|crossing| *crossing < minute);
            let was_said = self.silent.take_if(|silence| silence.since < minute).is_some();
            if let Some(at) = crossing {
                self.gap = Some((self.last, minute));
                silence = (!was_said).then(|| Silence {
                    last: self.last_mark.take(),
                    since: self.last,
                    at: start_of(at),
                    end: Some(start_of(minute)),
                });
            }
            // What is longer, at an hour of which nothing is known, may be a night.
            let is_short = minute - self.last < MINUTES_AN_HOUR;
            let unknown = if is_short { self.average(minute) } else { 0 };
            let gap = self.expected(self.last + 1, minute, unknown);
            // A silence teaches little, or the next one would have to be twice as long.
            let most = self.longest.max(EXPECTED_MIN * PARTS) * 3 / 2;
            self.longest = self.longest.max(gap.min(most));
        }
        let (known, hour) = (hour_of(self.last), hour_of(minute));
        if self.count > 0 && hour > known {
            self.remember(known, self.in_hour);
            for hour in ((known + 1)..hour).take(HOURS_A_WEEK) {
                self.remember(hour, 0);
            }
            self.in_hour = 0;
        }
        self.in_hour = self.in_hour.saturating_add(1);
        self.count += 1;
        self.last = minute;
        self.last_mark = mark;
        silence
    }

    fn remember(&mut self, hour: i64, minutes: u8) {
        let slot = &mut self.week[slot_of(hour)];
        *slot = match *slot {
            UNSEEN => minutes,
            known => ((3 * u16::from(known) + u16::from(minutes) + 2) / 4) as u8,
        };
    }

    /// In how many minutes of an hour something was said up to a minute, all in all.
    fn average(&self, until: i64) -> u8 {
        let minutes = (until - self.first).max(MINUTES_AN_HOUR) as u64;
        (self.count * PARTS / minutes).min(PARTS) as u8
    }

    /// In how many parts of minutes it should speak in `[from, to)`; at an hour of which nothing is known, as often as this.
    fn expected(&self, from: i64, to: i64, unknown: u8) -> u64 {
        let mut sum: u64 = 0;
        let (mut at, end) = (from, to.min(from.saturating_add(AHEAD_HOURS * MINUTES_AN_HOUR)));
        while at < end {
            let next = ((hour_of(at) + 1) * MINUTES_AN_HOUR).min(end);
            let usual = self.usual(hour_of(at)).unwrap_or(unknown);
            sum += u64::from(usual) * (next - at) as u64;
            at = next;
        }
        sum
    }

    /// In how many minutes of an hour something is said. Where nobody knows: as seldom as at this hour of any other day.
    fn usual(&self, hour: i64) -> Option<u8> {
        match self.week[slot_of(hour)] {
            UNSEEN => {
                let of_day = self.week.iter().skip(slot_of(hour) % 24).step_by(24);
                of_day.filter(|minutes| **minutes != UNSEEN).min().copied()
            }
            minutes => Some(minutes),
        }
    }

    /// Whether enough is known to expect anything.
    fn is_learned(&self) -> bool {
        let days = self.days();
        self.count >= LEARNED_MINUTES_MIN
            && (days >= LEARNED_DAYS || (days >= 1 && self.is_steady()))
    }

    /// For how many days it is known.
    fn days(&self) -> i64 {
        (self.last - self.first) / MINUTES_A_DAY
    }

    /// Whether it speaks in every hour of the week that is known, and of a day at least.
    fn is_steady(&self) -> bool {
        let seen = || self.week.iter().filter(|minutes| **minutes != UNSEEN);
        seen().count() >= 24 && seen().all(|minutes| *minutes > 0)
    }

    /// How much must be missed, in parts of minutes in which it should have spoken.
    fn enough(&self) -> u64 {
        let longer = if self.days() < LEARNED_DAYS { LONGER_AT_FIRST } else { LONGER };
        let enough = (self.longest * longer).max(EXPECTED_MIN * PARTS);
        if self.whose == Whose::Source || self.is_steady() {
            return enough;
        }
        let seen = self.week.iter().filter(|minutes| **minutes != UNSEEN);
        let week: u64 = seen.map(|minutes| u64::from(*minutes) * PARTS).sum();
        enough.max(week)
    }

    /// The minute in which a silence after the last settled minute becomes clear.
    fn crossing(&self) -> Option<i64> {
        if !self.is_learned() {
            return None;
        }
        let (enough, since) = (self.enough(), self.last);
        let (mut sum, mut at) = (0, since + 1);
        let end = since + AHEAD_HOURS * MINUTES_AN_HOUR;
        while at < end {
            let next = (hour_of(at) + 1) * MINUTES_AN_HOUR;
            let usual = u64::from(self.usual(hour_of(at)).unwrap_or(0));
            let of_hour = usual * (next - at) as u64;
            if usual > 0 && sum + of_hour >= enough {
                let crossing = at + (enough - sum).div_ceil(usual) as i64;
                return Some(crossing.max(since + SILENT_MINUTES_MIN));
            }
            sum += of_hour;
            at = next;
        }
        None
    }

    /// The last minute that had an event.
    pub fn last_minute(&self) -> i64 {
        self.recent.last_key_value().map_or(self.last, |(minute, _)| *minute)
    }

    /// Whether it has spoken since a time.
    pub fn has_spoken_since(&self, time: EventTime) -> bool {
        self.last_minute() >= minute_of(time)
    }

    /// The silence that it is in by then if nothing more comes; `None` while nothing is expected, or where that is said.
    pub fn silence(&self, by: EventTime) -> Option<Silence> {
        let least = self.last_minute().saturating_add(SILENT_MINUTES_MIN);
        if self.silent.is_some()
            || minute_of(by) < least
            || self.count + (self.recent.len() as u64) < LEARNED_MINUTES_MIN
        {
            return None;
        }
        let mut settled = self.clone();
        settled.settle(EventTime::from_micros(i64::MAX));
        let at = start_of(settled.crossing()?);
        (at <= by).then_some(Silence {
            last: settled.last_mark,
            since: settled.last,
            at,
            end: None,
        })
    }

    /// Notes that a silence is said.
    pub fn fall_silent(&mut self, silence: Silence) {
        self.silent = Some(silence);
    }

    /// Whether it was silent at some time in `(from, to)`, or is.
    pub fn was_silent(&self, from: EventTime, to: EventTime) -> bool {
        let (from, to) = (minute_of(from), minute_of(to));
        self.silent.as_ref().is_some_and(|silence| silence.since < to)
            || self.gap.is_some_and(|(since, until)| since < to && until > from)
    }
}

fn minute_of(time: EventTime) -> i64 {
    time.micros().div_euclid(MINUTE_MICROS)
}

fn start_of(minute: i64) -> EventTime {
    EventTime::from_micros(minute.saturating_mul(MINUTE_MICROS))
}

fn hour_of(minute: i64) -> i64 {
    minute.div_euclid(MINUTES_AN_HOUR)
}

fn slot_of(hour: i64) -> usize {
    hour.rem_euclid(HOURS_A_WEEK as i64) as usize
}

#[cfg(test)]
mod tests {
    use dataward_event::position::{Offset, Partition};

    use super::*;

    const NEVER: EventTime = EventTime::from_micros(i64::MAX);

    fn mark(minute: i64) -> Mark {
        Mark {
            rank: 0,
            time: start_of(minute),
            event_uid: minute.to_string(),
            position: Position {
                partition: Partition::new("audit", 0),
                offset: Offset(minute),
                record_index: 0,
            },
        }
    }

    /// Speaks in these minutes, settled as they come.
    fn spoken(minutes: impl IntoIterator<Item = i64>) -> (Rhythm, Vec<Silence>) {
        let mut minutes = minutes.into_iter();
        let mut rhythm = Rhythm::new(mark(minutes.next().unwrap()), Whose::Source);
        let mut silences = Vec::new();
        for minute in minutes {
            assert_eq!(rhythm.hear(mark(minute)), Heard::Usual);
            silences.extend(rhythm.settle(start_of(minute - 15)));
        }
        (rhythm, silences)
    }

    #[test]
    fn who_speaks_every_minute_is_missed_after_a_quarter_of_an_hour() {
        let (mut rhythm, silences) = spoken(0..2 * MINUTES_A_DAY);
        assert_eq!(silences, []);
        let last = 2 * MINUTES_A_DAY - 1;
        let silence = rhythm.silence(NEVER).unwrap();
        assert_eq!((silence.since, silence.at), (last, start_of(last + 15)));
        assert_eq!(silence.last.as_ref().unwrap().event_uid, last.to_string());
        rhythm.fall_silent(silence.clone());
        assert_eq!(rhythm.silence(NEVER), None, "it is said once");
        let ended = |minute: i64| Silence { end: Some(start_of(minute)), ..silence.clone() };
        let (first, second) = (ended(last + 60), ended(last + 50));
        let was = first.end;
        assert_eq!(rhythm.hear(mark(last + 60)), Heard::Over { silence: first, was: None });
        // An earlier one that came later.
        assert_eq!(rhythm.hear(mark(last + 50)), Heard::Over { silence: second, was });
        assert_eq!(rhythm.settle(start_of(last + 61)), [], "it was told");
    }

    #[test]
    fn in_the_first_week_a_silence_is_longer() {
        let is_spoken = |minute: &i64| minute % 60 < 20;
        let silent_after = |days: i64| {
            let (rhythm, silences) = spoken((0..days * MINUTES_A_DAY).filter(is_spoken));
            assert_eq!(silences, []);
            let silence = rhythm.silence(NEVER).unwrap();
            minute_of(silence.at) - silence.since
        };
        assert_eq!((silent_after(3), silent_after(9)), (6 * 40 + 1, 2 * 40 + 1));
    }

    #[test]
    fn nothing_is_expected_of_who_was_hardly_heard() {
        let (rhythm, _) = spoken((0..MINUTES_A_DAY / 2).step_by(2));
        assert_eq!(rhythm.silence(NEVER), None);
    }

    #[test]
    fn nights_and_weekends_are_learned() {
        let is_work = |minute: &i64| {
            let (day, hour) = (minute / MINUTES_A_DAY % 7, minute / 60 % 24);
            day < 5 && (8..18).contains(&hour) && minute % 3 == 0
        };
        let (rhythm, silences) = spoken((0..28 * MINUTES_A_DAY).filter(is_work));
        assert_eq!(silences, [], "no night and no weekend is a silence");
        // The last event was on a Friday at 17:57; on Monday morning it is missed.
        let silent_at = rhythm.silence(NEVER).unwrap().at;
        let monday = start_of(28 * MINUTES_A_DAY + 8 * 60);
        assert!(silent_at > monday && silent_at < monday.plus_micros(60 * MINUTE_MICROS));
    }

    #[test]
    fn holidays_of_people_are_no_silence() {
        let is_work = |minute: &i64| {
            let (day, hour) = (minute / MINUTES_A_DAY, minute / 60 % 24);
            day % 7 < 5 && !(28..31).contains(&day) && (8..18).contains(&hour) && minute % 3 == 0
        };
        let worked = |whose| {
            let mut minutes = (0..32 * MINUTES_A_DAY).filter(is_work);
            let mut rhythm = Rhythm::new(mark(minutes.next().unwrap()), whose);
            let mut silences = Vec::new();
            for minute in minutes {
                rhythm.hear(mark(minute));
                silences.extend(rhythm.settle(start_of(minute - 15)));
            }
            (rhythm, silences.len())
        };
        assert_eq!(worked(Whose::Source).1, 1, "a source has no holidays");
        let (rhythm, silences) = worked(Whose::Datastore);
        assert_eq!(silences, 0);
        // A week in which nobody comes back is none any more.
        assert_eq!(rhythm.silence(start_of(38 * MINUTES_A_DAY)), None);
        assert!(rhythm.silence(start_of(39 * MINUTES_A_DAY)).is_some());
    }

    #[test]
    fn of_an_event_at_several_places_the_first_one_counts() {
        let at = |place: i64| {
            let mut mark = mark(0);
            mark.position.offset = Offset(place);
            mark
        };
        assert!(at(1) > at(2));
    }

    #[test]
    fn a_silence_that_is_over_is_told_afterwards() {
        let minutes = (0..2 * MINUTES_A_DAY).chain(2 * MINUTES_A_DAY + 300..3 * MINUTES_A_DAY);
        let (rhythm, silences) = spoken(minutes);
        let last = 2 * MINUTES_A_DAY - 1;
        assert_eq!(silences.len(), 1);
        assert_eq!(silences[0].since, last);
        assert_eq!(silences[0].last.as_ref().unwrap().event_uid, last.to_string());
        let (from, to) = (start_of(2 * MINUTES_A_DAY), start_of(2 * MINUTES_A_DAY + 10));
        assert!(rhythm.was_silent(from, to));
    }

    #[test]
    fn the_order_within_the_bound_does_not_matter() {
        let is_spoken = |minute: &i64| minute % 7 != 3 && !(2000..2100).contains(minute);
        let minutes: Vec<i64> = (0..3 * MINUTES_A_DAY).filter(is_spoken).collect();
        let (one, silences) = spoken(minutes.clone());
        let mut shuffled = minutes;
        shuffled.sort_by_key(|minute| minute + minute * 37 % 13);
        let mut newest = shuffled[0];
        let mut other = Rhythm::new(mark(newest), Whose::Source);
        let mut others = Vec::new();
        for minute in shuffled {
            other.hear(mark(minute));
            newest = newest.max(minute);
            others.extend(other.settle(start_of(newest - 15)));
        }
        let end = start_of(10 * MINUTES_A_DAY);
        let mut one = one;
        one.settle(end);
        other.settle(end);
        assert_eq!(one, other);
        assert_eq!((silences.len(), silences), (1, others));
    }

    #[test]
    fn who_came_late_was_not_silent() {
        let (mut rhythm, _) = spoken(0..2 * MINUTES_A_DAY);
        let last = 2 * MINUTES_A_DAY - 1;
        rhythm.fall_silent(rhythm.silence(NEVER).unwrap());
        assert!(matches!(rhythm.hear(mark(last + 3)), Heard::Never { was: None, .. }));
    }
}
