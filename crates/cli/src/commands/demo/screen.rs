//! What the demo shows while it runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use dataward_event::finding::{RuleId, Severity};
use dataward_event::time::EventTime;
use dataward_pipeline::alert::Alert;
use dataward_pipeline::alert_sink::{AlertSink, SinkError};
use dataward_simulation::chronicle::{Deed, NORMAL_UNTIL};
use serde_json::Value;

use super::style::{Style, grouped, minute, show, wrapped};
use super::witness::{CREATE, Told, Witness};

/// Where the text of an alert begins.
const INDENT: usize = 10;

/// Prints alerts for people.
pub(super) struct Screen {
    witness: Arc<Witness>,
    style: Style,
}

impl Screen {
    /// A screen that knows when events were appended.
    pub(super) fn new(witness: Arc<Witness>) -> Self {
        Self { witness, style: Style::of_stdout() }
    }
}

impl AlertSink for Screen {
    fn name(&self) -> &str {
        "screen"
    }

    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError> {
        let mut text = String::new();
        let mut later = Later::default();
        for alert in alerts {
            let body: Value = serde_json::from_str(&alert.json).unwrap_or_default();
            let told = self.witness.hear(alert, &body);
            if alert.activity_id != CREATE {
                later.add(alert, &body);
                continue;
            }
            later.flush(&mut text, self.style);
            if is_worth_a_block(alert) {
                block(&mut text, self.style, alert, &told, &body);
            } else {
                let severity = alert.severity.as_str().to_lowercase();
                let rule = alert.rule.as_str();
                let what = format!("{rule}: {}{}", alert.title, latency(&told));
                line(&mut text, self.style, &severity, &what);
            }
        }
        later.flush(&mut text, self.style);
        show(&text).map_err(|error| SinkError::Unavailable(error.to_string()))
    }
}

/// What is not the story is said in a line, and that a window is still open where worse is said of its datastore.
fn is_worth_a_block(alert: &Alert) -> bool {
    let is_minor = alert.rule == RuleId::ExposureStillOpen && alert.severity < Severity::CRITICAL;
    alert.time >= NORMAL_UNTIL && !is_minor
}

fn latency(told: &Told) -> String {
    told.latency.map_or_else(String::new, |time| format!(", {} ms after append", time.as_millis()))
}

/// An alert with everything that whoever is woken by it wants to know.
fn block(text: &mut String, style: Style, alert: &Alert, told: &Told, body: &Value) {
    let severity = format!("{:<INDENT$}", alert.severity.as_str().to_uppercase());
    let when = format!("{}{}", minute(alert.time), latency(told));
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\n{}{}\n{:INDENT$}{}",
        style.severity(alert.severity, &severity),
        style.bold(&alert.title),
        "",
        style.dim(&format!("{}, {when}", alert.rule.as_str())),
    );
    for line in wrapped(&alert.description, INDENT) {
        let _ = writeln!(text, "{line}");
    }
    if alert.rule == RuleId::ExposureStillOpen {
        // What to do has been said when it was opened.
        return;
    }
    let remediation = body["remediation"]["desc"].as_str().unwrap_or_default();
    for line in wrapped(&format!("next: {remediation}"), INDENT) {
        let _ = writeln!(text, "{}", style.dim(&line));
    }
}

/// A word, and in the column behind it what it is about.
fn line(text: &mut String, style: Style, word: &str, what: &str) {
    for (place, line) in wrapped(what, INDENT).into_iter().enumerate() {
        let line = match place {
            0 => format!("{word:<INDENT$}{}", line.trim_start()),
            _ => line,
        };
        let _ = writeln!(text, "{}", style.dim(&line));
    }
}

/// What was said before and has changed, or is over: one line for a datastore, however many alerts it is about.
#[derive(Default)]
struct Later(BTreeMap<(String, String), BTreeMap<RuleId, usize>>);

impl Later {
    fn add(&mut self, alert: &Alert, body: &Value) {
        let what = body["unmapped"]["dataward"]["close_reason"].as_str().unwrap_or("changed");
        let datastore = alert.datastore.as_ref().map_or("", |datastore| datastore.label());
        let rules = self.0.entry((what.to_owned(), datastore.to_owned())).or_default();
        *rules.entry(alert.rule).or_default() += 1;
    }

    fn flush(&mut self, text: &mut String, style: Style) {
        for ((what, datastore), rules) in std::mem::take(&mut self.0) {
            let counted = rules.into_iter().map(|(rule, count)| match count {
                1 => rule.as_str().to_owned(),
                more => format!("{more} {}", rule.as_str()),
            });
            let counted = counted.collect::<Vec<_>>().join(", ");
            line(text, style, &what, &format!("{datastore}: {counted}"));
        }
    }
}

/// Says what begins.
pub(super) fn begin(brokers: &str, archive: &Path) -> std::io::Result<()> {
    let text = format!(
        "A Kafka cluster in this process answers at {brokers}; the archive is {}.",
        archive.display()
    );
    let story = "Eight weeks of a company that makes cameras go by, modelled on what is public about \
                 two leaks of 2019. First nearly three weeks of normal life. Events and actors of each week, \
                 and what was alerted:";
    let mut lines = wrapped(&text, 0);
    lines.extend(wrapped(story, 0));
    show(&format!("{}\n\n", lines.join("\n")))
}

/// A week is over, and everything in it was looked at.
pub(super) fn week(
    from: EventTime,
    events: u64,
    actors: usize,
    alerts: &[Told],
) -> std::io::Result<()> {
    let style = Style::of_stdout();
    let alerts = match alerts.len() {
        0 => style.good("no alert"),
        1 => "1 alert".to_owned(),
        more => format!("{more} alerts"),
    };
    let events = grouped(events);
    let space = if from < NORMAL_UNTIL { "" } else { "\n" };
    show(&format!(
        "{space}week of {}{events:>10} events{actors:>8} actors    {alerts}\n",
        from.date()
    ))
}

/// Says what is about to happen.
pub(super) fn deed(deed: Deed, time: EventTime) -> std::io::Result<()> {
    let style = Style::of_stdout();
    let quiet = if deed.must_be_quiet() { " (no alert)" } else { "" };
    let line = format!("{}  {}{quiet}", minute(time), deed.meaning());
    let space = if time < NORMAL_UNTIL { "" } else { "\n" };
    show(&format!("{space}{}\n", if quiet.is_empty() { line } else { style.dim(&line) }))
}

/// Says that the story is over.
pub(super) fn goes_on() -> std::io::Result<()> {
    show("\nThe story is told; ordinary days go on. Ctrl-C ends them and prints the summary.\n")
}
