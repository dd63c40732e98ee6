//! `log_destination = stderr`, and what syslog makes of it: prefix, severity, two blanks, message.

use std::borrow::Cow;

use dataward_event::audit_event::Text;
use dataward_event::time::EventTime;

use super::entry::Entry;
use super::prefix;
use crate::time_text;

/// What an entry may be; those behind `PANIC` belong to the entry before them.
pub(super) const SEVERITIES: [&str; 18] = [
    "LOG",
    "ERROR",
    "FATAL",
    "WARNING",
    "NOTICE",
    "INFO",
    "PANIC",
    "DEBUG",
    "DEBUG1",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "DEBUG5",
    "STATEMENT",
    "DETAIL",
    "HINT",
    "CONTEXT",
    "LOCATION",
];

/// A severity stands within this many bytes.
const PREFIX_BYTES_MAX: usize = 1024;

/// Reads an entry; `None` if no severity stands in it.
pub(super) fn read(text: &str) -> Option<(Entry<'_>, Text<'_>)> {
    let (start, end) = severity(text)?;
    let mut entry = prefix::read(&text[..start]);
    entry.severity = Cow::Borrowed(&text[start..end]);
    let mut message = text[end + 1..].trim_start_matches(' ');
    // `log_error_verbosity = verbose` puts the state before the message.
    if let Some((state, rest)) = message.split_once(": ")
        && state.len() == 5
        && state.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && state.bytes().any(|byte| byte.is_ascii_digit())
    {
        entry.state = Some(Cow::Borrowed(state));
        message = rest;
    }
    // A shipper may have joined the entry with those that belong to it.
    if let Some((first, rest)) = message.split_once('\n')
        && let Some(at) = rest.find("STATEMENT:  ")
        && !first.starts_with(super::audit::MARK)
        && rest[..at].lines().next_back().is_some_and(|line| take_time(line).is_some())
    {
        let statement = unfolded(rest[at + "STATEMENT:  ".len()..].trim_end());
        entry.statement = Some(statement);
        message = first;
    }
    Some((entry, unfolded(message)))
}

/// Whether a line is an entry: a time before a severity.
pub(super) fn is_entry(line: &str) -> bool {
    severity(line).is_some_and(|(start, _)| prefix::read(&line[..start]).time.is_some())
}

/// Where the severity begins and ends.
fn severity(text: &str) -> Option<(usize, usize)> {
    let head = &text[..text.floor_char_boundary(PREFIX_BYTES_MAX)];
    head.match_indices(":  ").find_map(|(end, _)| {
        let before = &head[..end];
        let is_letter = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let start = before.trim_end_matches(is_letter).len();
        // Glued to a word of a prefix it is none: `xLOG:  `. Prefixes end with marks: `…]:LOG:  `.
        let is_glued = before[..start].chars().next_back().is_some_and(char::is_alphanumeric);
        (!is_glued && SEVERITIES.contains(&&before[start..])).then_some((start, end))
    })
}

/// The message as it was before its lines were indented by a tab each. Where a shipper has escaped line breaks, `\n` and the
/// tab stand for them; a `\n` alone may be the statement's own.
fn unfolded(message: &str) -> Text<'_> {
    if message.contains('\n') {
        let is_indented = message.lines().skip(1).all(|line| line.starts_with('\t'));
        return if is_indented {
            Cow::Owned(message.replace("\n\t", "\n"))
        } else {
            Cow::Borrowed(message)
        };
    }
    for escaped in ["\\n\t", "#012#011", "#012\t"] {
        if message.contains(escaped) {
            return Cow::Owned(message.replace(escaped, "\n"));
        }
    }
    Cow::Borrowed(message)
}

/// Takes a time with its zone from the front, `2024-05-06 07:08:09.123 UTC`; without a time where the zone is unknown.
pub(super) fn take_time(text: &str) -> Option<(Option<EventTime>, &str)> {
    let (time, after) = time_text::take(text)?;
    let Some(zone_and_rest) = after.strip_prefix(' ') else {
        let end = zone_length(after);
        let zone = time_text::zone_minutes(&after[..end]);
        return Some(match (end, zone) {
            (0, _) | (_, None) => (Some(time), after),
            (_, Some(minutes)) => (Some(at_zone(time, minutes)), &after[end..]),
        });
    };
    let end = zone_length(zone_and_rest);
    // No zone, but the next word of the prefix.
    if end == 0 {
        return Some((Some(time), after));
    }
    let own = time_text::zone_minutes(&zone_and_rest[..end]).map(|minutes| at_zone(time, minutes));
    Some((own, &zone_and_rest[end..]))
}

fn at_zone(time: EventTime, minutes: i32) -> EventTime {
    time.plus_micros(-i64::from(minutes) * 60_000_000)
}

/// How long a zone is: `UTC`, `+02`, `-03:30`.
fn zone_length(text: &str) -> usize {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    if (1..=5).contains(&letters) && !text[letters..].starts_with(|c: char| c.is_alphanumeric()) {
        return letters;
    }
    if !text.starts_with(['+', '-']) {
        return 0;
    }
    let digits =
        text[1..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
    if digits >= 2 { 1 + text[1..=digits].trim_end_matches(':').len() } else { 0 }
}
