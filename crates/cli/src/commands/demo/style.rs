//! How a text looks on a terminal, and where a line ends.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use dataward_event::finding::Severity;
use dataward_event::time::EventTime;

/// The width that everything fits in.
pub(super) const COLUMNS: usize = 100;

/// Colours, where there is a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    is_on: bool,
}

impl Style {
    pub(super) fn of_stdout() -> Self {
        let is_on = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { is_on }
    }

    /// No colours.
    #[cfg(test)]
    pub(super) const fn off() -> Self {
        Self { is_on: false }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.is_on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// A text in the colour of a severity.
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity.id() {
            ..=3 => "33",
            4 => "31",
            5.. => "1;31",
        };
        self.with(code, text)
    }
}

/// A text in lines of at most [`COLUMNS`], each behind so many spaces. A word that is longer stands alone.
pub(super) fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let width = indent + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && width > COLUMNS {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.iter().map(|line| format!("{}{line}", " ".repeat(indent))).collect()
}

/// `2019-12-04 17:20` of a time.
pub(super) fn minute(time: EventTime) -> String {
    time.to_string().chars().take(16).collect::<String>().replace('T', " ")
}

/// `2,400,000` of a number.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes as people write it.
pub(super) fn size(bytes: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// A span of event time: `22 days 41 minutes`, with the two largest units that are not zero.
pub(super) fn span(micros: i64) -> String {
    let minutes = micros / 60_000_000;
    let parts = [(minutes / 1440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")];
    let mut text = String::new();
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0).take(2) {
        let plural = if count == 1 { "" } else { "s" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{count} {unit}{plural}", if text.is_empty() { "" } else { " " });
    }
    if text.is_empty() { "less than a minute".to_owned() } else { text }
}

/// Prints; a closed pipe ends it quietly.
pub(super) fn show(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        let text = "word ".repeat(60) + &"x".repeat(120);
        let lines = wrapped(&text, 10);
        assert!(lines.iter().filter(|line| line.len() > COLUMNS).count() == 1, "{lines:?}");
        assert!(lines.iter().all(|line| line.starts_with("          ")), "{lines:?}");
        assert_eq!(lines.join(" ").split_whitespace().count(), 61);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!((grouped(7), grouped(2_400_000)), ("7".to_owned(), "2,400,000".to_owned()));
        assert_eq!(size(1_440_057_000), "1.4 GB");
        assert_eq!(span(22 * 86_400_000_000 + 42 * 60_000_000), "22 days 42 minutes");
        assert_eq!(span(59), "less than a minute");
    }
}
