//! Times as logs write them. Where a log names no zone it is taken for UTC, and the pages of the sources say so.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use dataward_event::time::EventTime;

/// Zone names that logs write and that mean one offset only, in minutes. Ambiguous ones (`IST`, `BST`, `CST`) are left out
/// but where the databases' own default abbreviations settle them (PostgreSQL's `Default` set).
const ZONES: [(&str, i32); 25] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WET", 0),
    ("WEST", 60),
    ("CET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("BRT", -180),
    ("AKST", -540),
    ("AKDT", -480),
    ("HST", -600),
    ("JST", 540),
    ("NZST", 720),
    ("NZDT", 780),
];

/// The offset of a zone in minutes: a name of [`ZONES`], `+02`, `-0530`, `+05:30`.
pub(crate) fn zone_minutes(zone: &str) -> Option<i32> {
    if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| zone.eq_ignore_ascii_case(name)) {
        return Some(*minutes);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i32>().ok()?, 0),
        4 => (digits[..2].parse::<i32>().ok()?, digits[2..].parse::<i32>().ok()?),
        _ => return None,
    };
    (hours <= 15 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// A date and time of day: `2024-05-06 07:08:09`, `2024-05-06T07:08:09.123`, a comma for the point as well, `/` for `-` too,
/// then nothing, `Z`, an offset or the name of a zone. `None` for anything else, and for an unknown zone.
pub(crate) fn parse(text: &str) -> Option<EventTime> {
    if let Some(time) = EventTime::parse_rfc3339(text) {
        return Some(time);
    }
    let (time, rest) = take(text)?;
    let zone = rest.trim();
    let minutes = if zone.is_empty() { 0 } else { zone_minutes(zone)? };
    Some(time.plus_micros(-i64::from(minutes) * 60_000_000))
}

/// Takes a date and time of day from the front of a text, read as UTC, and returns what stands behind it.
pub(crate) fn take(text: &str) -> Option<(EventTime, &str)> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || !matches!(bytes[10], b' ' | b'T') {
        return None;
    }
    let is_separator = |at: usize| matches!(bytes[at], b'-' | b'/');
    if !is_separator(4) || !is_separator(7) || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        digits(bytes, 0, 4)? as i32,
        digits(bytes, 5, 7)?,
        digits(bytes, 8, 10)?,
    )?;
    let (hour, minute, second) =
        (digits(bytes, 11, 13)?, digits(bytes, 14, 16)?, digits(bytes, 17, 19)?);
    // A leap second is the last one of its minute.
    let time = NaiveTime::from_hms_opt(hour, minute, second.min(59))?;
    let mut end = 19;
    let mut micros = 0;
    if matches!(bytes.get(19), Some(b'.' | b',')) {
        let fraction = bytes[20..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        for place in 0..6 {
            let digit = if place < fraction { i64::from(bytes[20 + place] - b'0') } else { 0 };
            micros = micros * 10 + digit;
        }
        if fraction > 0 {
            end = 20 + fraction;
        }
    }
    let seconds = NaiveDateTime::new(date, time).and_utc().timestamp();
    Some((EventTime::from_micros(seconds * 1_000_000 + micros), &text[end..]))
}

fn digits(bytes: &[u8], from: usize, to: usize) -> Option<u32> {
    bytes[from..to]
        .iter()
        .try_fold(0, |n: u32, byte| byte.is_ascii_digit().then(|| n * 10 + u32::from(byte - b'0')))
}

/// Seconds since the epoch with a fraction, as text: `1339518083.107412`.
pub(crate) fn parse_epoch_seconds(text: &str) -> Option<EventTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let micros = if whole.starts_with('-') { -micros } else { micros };
    Some(EventTime::from_micros(seconds.checked_mul(1_000_000)?.checked_add(micros)?))
}

/// A number of seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by its size: the years from
/// 2001 to 2286 are unambiguous.
pub(crate) fn from_epoch(number: i64) -> EventTime {
    match number.unsigned_abs() {
        0..100_000_000_000 => EventTime::from_micros(number.saturating_mul(1_000_000)),
        100_000_000_000..100_000_000_000_000 => EventTime::from_millis(number),
        100_000_000_000_000..100_000_000_000_000_000 => EventTime::from_micros(number),
        _ => EventTime::from_micros(number / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Option<String> {
        parse(text).map(|time| time.to_string())
    }

    #[test]
    fn forms_of_logs_are_read() {
        let expected = Some("2024-05-06T07:08:09.120Z".to_owned());
        for text in [
            "2024-05-06T07:08:09.12Z",
            "2024-05-06T07:08:09,120",
            "2024-05-06 07:08:09.120 UTC",
            "2024-05-06 09:08:09.120 CEST",
            "2024-05-06T09:08:09.120+0200",
            "2024-05-06T09:08:09.120+02",
            "2024/05/06 07:08:09.120000",
            "2024-05-06T07:08:09.120999999Z",
        ] {
            let micros = parse(text).map(|time| time.micros() / 1000);
            assert_eq!(micros, Some(1_714_979_289_120), "{text}");
        }
        assert_eq!(parsed("2024-05-06 07:08:09.120"), expected);
        for text in [
            "2024-05-06",
            "2024-05-06 07:08:09 XYZ",
            "2024-13-06 07:08:09",
            "",
            "ä".repeat(20).as_str(),
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn epochs_are_told_apart_by_size() {
        let expected = EventTime::from_micros(1_714_979_289_000_000);
        for number in
            [1_714_979_289, 1_714_979_289_000, 1_714_979_289_000_000, 1_714_979_289_000_000_000]
        {
            assert_eq!(from_epoch(number), expected);
        }
        assert_eq!(
            parse_epoch_seconds("1339518083.107412"),
            Some(EventTime::from_micros(1_339_518_083_107_412))
        );
        assert_eq!(
            parse_epoch_seconds("1339518083.1"),
            Some(EventTime::from_micros(1_339_518_083_100_000))
        );
        assert_eq!(parse_epoch_seconds("12:30"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in "\\PC{0,30}") {
            let _ = parse(&text);
            let _ = parse_epoch_seconds(&text);
        }
    }
}
