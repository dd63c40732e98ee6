//! How figures, spans of time and things read in a sentence.

use dataward_event::audit_event::DatastoreForm;
use dataward_event::change::Change;
use dataward_event::exposure::{PartialSum, ReadFigures};
use dataward_event::time::EventTime;

/// A number of reads, with what they carried. What was not reported is not counted: `at least`.
pub fn amount(figures: &ReadFigures) -> String {
    let noun = if figures.reads == 1 { "read" } else { "reads" };
    let mut text = format!("{} {noun}", grouped(figures.reads));
    let mut parts = Vec::new();
    let mut part = |sum: &PartialSum, unit: &str| {
        if sum.at_least > 0 {
            let at_least = if sum.unreported > 0 { "at least " } else { "" };
            let plural = if sum.at_least == 1 { "" } else { "s" };
            parts.push(format!("{at_least}{} {unit}{plural}", grouped(sum.at_least)));
        }
    };
    part(&figures.rows, "row");
    part(&figures.bytes, "byte");
    part(&figures.objects, "object");
    if !parts.is_empty() {
        text = format!("{text} ({})", parts.join(", "));
    }
    text
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span of time as people say it: `22 d 1 h`, `4 min 10 s`.
pub fn duration(from: EventTime, to: EventTime) -> String {
    let seconds = to.micros().saturating_sub(from.micros()).max(0) / 1_000_000;
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// Where somebody came from, as the end of a phrase; nothing where nobody knows.
pub fn from(place: Option<&str>) -> String {
    place.map(|place| format!(" from {place}")).unwrap_or_default()
}

/// An opened thing, with what it was and is.
pub fn thing(change: &Change<'_>) -> String {
    let mut text = change.setting.to_string();
    if !change.opened.is_empty() && change.opened != change.setting {
        text = format!("{text} ({})", change.opened);
    }
    let after = change.after.as_ref().filter(|after| **after != change.opened);
    match (&change.before, after) {
        (Some(before), Some(after)) => format!("{text} went from {before} to {after}"),
        (None, Some(after)) => format!("{text} is now {after}"),
        (Some(before), None) => format!("{text} was {before} and is gone"),
        (None, None) => text,
    }
}

/// What to call a datastore of a form.
pub const fn form(form: DatastoreForm) -> &'static str {
    match form {
        DatastoreForm::Bucket => "bucket",
        DatastoreForm::Database => "database",
        DatastoreForm::Snapshot => "snapshot",
        DatastoreForm::Guard => "guard",
        DatastoreForm::Other => "resource",
    }
}

/// A word at the beginning of a sentence.
pub fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A name of the vocabulary as words.
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_read_as_people_say_them() {
        let span = |seconds: i64| {
            duration(EventTime::from_micros(0), EventTime::from_micros(seconds * 1_000_000))
        };
        assert_eq!(span(0), "0 s");
        assert_eq!(span(250), "4 min 10 s");
        assert_eq!(span(3_660), "1 h 1 min");
        assert_eq!(span(22 * 86_400 + 3_600), "22 d 1 h");
    }

    #[test]
    fn what_was_not_reported_makes_a_figure_a_lower_bound() {
        let mut figures = ReadFigures { reads: 2, ..ReadFigures::default() };
        figures.rows.add(Some(1_234_567));
        figures.rows.add(None);
        figures.bytes.add(None);
        assert_eq!(amount(&figures), "2 reads (at least 1,234,567 rows)");
    }
}
