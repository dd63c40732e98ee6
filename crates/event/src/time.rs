//! Points in time, one type a clock, so that two clocks cannot be compared by mistake.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// The clock of the producer: when the source says that it happened.
#[derive(Debug, Clone, Copy)]
pub enum EventClock {}

/// The clock of Kafka: the timestamp that the record carries.
#[derive(Debug, Clone, Copy)]
pub enum KafkaClock {}

/// Our own clock: when we took the record in.
#[derive(Debug, Clone, Copy)]
pub enum IngestClock {}

/// When the source says that it happened.
pub type EventTime = Time<EventClock>;
/// The timestamp of the Kafka record.
pub type KafkaTime = Time<KafkaClock>;
/// When the record was taken in.
pub type IngestTime = Time<IngestClock>;

/// Microseconds since 1970-01-01T00:00:00Z, on the clock `C`.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time<C> {
    micros: i64,
    #[serde(skip)]
    clock: PhantomData<C>,
}

impl<C> Time<C> {
    /// The smallest time.
    pub const MIN: Self = Self::from_micros(i64::MIN);

    /// A time from microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self { micros, clock: PhantomData }
    }

    /// A time from milliseconds since the epoch; saturates at the ends.
    pub const fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.micros.div_euclid(1000)
    }

    /// This time moved by `micros` microseconds; saturates at the ends.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.micros.saturating_add(micros))
    }

    /// The same instant read as another clock: a deliberate step, named at the place where it is taken.
    pub const fn as_clock<D>(self) -> Time<D> {
        Time::from_micros(self.micros)
    }

    /// Reads RFC 3339, with any offset, with or without a fraction. `None` if it is not that.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        if let Some(micros) = parse_usual(text.as_bytes()) {
            return Some(Self::from_micros(micros));
        }
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self::from_micros(t.timestamp_micros()))
    }

    /// The calendar day in UTC as `YYYY-MM-DD`.
    pub fn date(self) -> String {
        self.to_string().chars().take_while(|c| *c != 'T').collect()
    }
}

/// The commonest forms by far, `2024-08-02T08:23:24Z`, `2024-08-02T08:23:24.123+02:00`, without the general parser.
fn parse_usual(text: &[u8]) -> Option<i64> {
    let (date_and_time, rest) = text.split_at_checked(19)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] =
        *date_and_time
    else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, zone) = match rest.strip_prefix(b".") {
        None => (0, rest),
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, zone) = rest.split_at(digits);
            if !(1..=9).contains(&digits) {
                return None;
            }
            (number(fraction)? * 10_i64.pow(9 - digits as u32) / 1000, zone)
        }
    };
    let offset_minutes = match *zone {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)?;
    let days = i64::from(date.to_epoch_days());
    let seconds = days * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(seconds * 1_000_000 + fraction)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |n, byte| byte.is_ascii_digit().then(|| n * 10 + i64::from(byte - b'0')))
}

/// RFC 3339 in UTC: seconds, and a fraction only where there is one.
impl<C> fmt::Display for Time<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_micros(self.micros) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{}us", self.micros),
        }
    }
}

impl<C> fmt::Debug for Time<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// Written out because a derive would ask the same of the clock, which has no values.
impl<C> Clone for Time<C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C> Copy for Time<C> {}
impl<C> PartialEq for Time<C> {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}
impl<C> Eq for Time<C> {}
impl<C> PartialOrd for Time<C> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<C> Ord for Time<C> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.micros.cmp(&other.micros)
    }
}
impl<C> std::hash::Hash for Time<C> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.micros.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_short_form_and_the_general_form_agree() {
        let short = EventTime::parse_rfc3339("2019-12-04T10:20:30Z").map(EventTime::micros);
        let general =
            EventTime::parse_rfc3339("2019-12-04T11:20:30.000+01:00").map(EventTime::micros);
        assert_eq!(short, Some(1_575_454_830_000_000));
        assert_eq!(short, general);
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2019-13-04T10:20:30Z",
            "2019-12-04T25:20:30Z",
            "2019-12-04 10:20:30",
            "2019-02-29T00:00:00Z",
        ] {
            assert_eq!(EventTime::parse_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_are_inverse(micros in -62_135_596_800_000_000_i64..253_402_300_799_000_000) {
            let time = EventTime::from_micros(micros);
            prop_assert_eq!(EventTime::parse_rfc3339(&time.to_string()), Some(time));
        }

        #[test]
        fn the_usual_forms_and_the_general_parser_agree(
            text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])?"
        ) {
            let general = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.timestamp_micros());
            if let Some(usual) = parse_usual(text.as_bytes()) {
                prop_assert_eq!(Some(usual), general);
            }
        }
    }
}
