//! What the demo shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dataward_archive::report::Report;
use dataward_pipeline::alert::Alert;
use dataward_pipeline::alert_sink::{AlertSink, SinkError};
use dataward_pipeline::tally::Tally;
use serde_json::Value;

/// The activity of an alert that closes its finding.
const WITHDRAWN: u8 = 3;

/// When the events of the incident were appended, and which of them must alert.
#[derive(Debug, Default)]
pub(super) struct Sent {
    deeds: Mutex<BTreeMap<String, Told>>,
}

#[derive(Debug, Default)]
struct Told {
    appended: Option<Instant>,
    must_alert: bool,
    latency: Option<Duration>,
}

impl Sent {
    fn with<T>(&self, uid: &str, change: impl FnOnce(&mut Told) -> T) -> T {
        let mut deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        change(deeds.entry(uid.to_owned()).or_default())
    }

    /// Announces a deed of the incident.
    pub(super) fn deed(&self, uid: &str, must_alert: bool) {
        self.with(uid, |told| told.must_alert = must_alert);
    }

    /// It is handed to Kafka now.
    pub(super) fn append(&self, uid: &str) {
        self.with(uid, |told| told.appended = Some(Instant::now()));
    }

    /// Its alert is out: how long that took.
    fn alerted(&self, uid: &str) -> Option<Duration> {
        self.with(uid, |told| {
            told.latency = told.appended.map(|appended| appended.elapsed());
            told.latency
        })
    }

    /// Its alert is withdrawn: an earlier event, read after it, explains it.
    fn withdrawn(&self, uid: &str) -> Option<Duration> {
        self.with(uid, |told| told.latency.take());
        None
    }

    /// Deeds that had to alert, those that did, those that alerted though they were harmless; the slowest alert.
    fn score(&self) -> (usize, usize, usize, Duration) {
        let deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |is: &dyn Fn(&Told) -> bool| deeds.values().filter(|told| is(told)).count();
        let slowest = deeds.values().filter_map(|told| told.latency).max().unwrap_or_default();
        (
            count(&|told| told.must_alert),
            count(&|told| told.must_alert && told.latency.is_some()),
            count(&|told| !told.must_alert && told.latency.is_some()),
            slowest,
        )
    }
}

/// Prints alerts for people.
pub(super) struct Screen {
    sent: Arc<Sent>,
    style: Style,
}

impl Screen {
    /// A screen that knows when events were appended.
    pub(super) fn new(sent: Arc<Sent>) -> Self {
        Self { sent, style: Style::of_stdout() }
    }
}

impl AlertSink for Screen {
    fn name(&self) -> &str {
        "screen"
    }

    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError> {
        let mut text = String::new();
        for alert in alerts {
            let body: Value = serde_json::from_str(&alert.json).unwrap_or_default();
            let uid = body["evidences"][0]["data"]["event_uid"].as_str().unwrap_or_default();
            let latency = match alert.activity_id {
                WITHDRAWN => self.sent.withdrawn(uid),
                _ => self.sent.alerted(uid),
            };
            let remediation = body["remediation"]["desc"].as_str().unwrap_or_default();
            render(&mut text, &self.style, alert, latency, remediation);
        }
        show(&text).map_err(|error| SinkError::Unavailable(error.to_string()))
    }
}

fn render(
    text: &mut String,
    style: &Style,
    alert: &Alert,
    latency: Option<Duration>,
    remediation: &str,
) {
    let latency =
        latency.map_or_else(String::new, |time| format!("  {} ms after append", time.as_millis()));
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}{:<8}{} {:<16} {}{}{latency}{}",
        style.severity(alert.severity.id()),
        alert.severity.as_str().to_uppercase(),
        style.plain,
        alert.rule.as_str(),
        style.bold(&alert.title),
        style.dim,
        style.plain
    );
    let _ = writeln!(text, "         {}", alert.description);
    let _ = writeln!(text, "         {}next: {remediation}{}\n", style.dim, style.plain);
}

/// Says what begins.
pub(super) fn begin(brokers: &str, archive: &Path) -> std::io::Result<()> {
    show(&format!(
        "A Kafka cluster in this process answers at {brokers}; the archive is {}.\n\
         Ordinary traffic of 300 actors on 12 buckets begins. Somewhere in it an insider silences the\n\
         audit trail, removes protection and hands out copies. Alerts:\n\n",
        archive.display()
    ))
}

/// Says what the archive holds.
pub(super) fn summary(archive: &Path, tally: &Tally, sent: &Sent) -> std::io::Result<()> {
    let (must, did, harmless, slowest) = sent.score();
    let (files, bytes) = parquet_files(archive);
    let per_event = bytes.checked_div(tally.events).unwrap_or(0);
    let late = match tally.late {
        0 => String::new(),
        count => format!(", {count} late"),
    };
    show(&format!(
        "{did} of {must} weakenings alerted, {harmless} look-alikes did; the slowest alert came {} ms \
         after append.\n{} records: {} events{late}, {} in quarantine. {} commits, {files} Parquet files, \
         {:.1} MB ({per_event} bytes an event with its raw record).\n",
        slowest.as_millis(),
        tally.records,
        tally.events,
        tally.faults(),
        tally.commits,
        bytes as f64 / 1e6,
    ))
}

/// Says whether the archive is whole, and what can be done with it.
pub(super) fn verified(archive: &Path, report: &Report) -> std::io::Result<()> {
    if report.is_sound() {
        let program = std::env::current_exe().unwrap_or_else(|_| "dataward".into());
        let program = program.display();
        return show(&format!(
            "verify: every offset accounted for, every file re-read, nothing missing.\n\n\
             Try:  {program} verify --archive {archive}\n      \
             {program} controls\n      \
             {program} scan --source aws.cloudtrail YOUR-CLOUDTRAIL-FILES\n",
            archive = archive.display()
        ));
    }
    let mut text = "verify: the archive is NOT whole:\n".to_owned();
    for problem in &report.problems {
        let _ = writeln!(text, "  {problem}");
    }
    show(&text)
}

fn parquet_files(archive: &Path) -> (u64, u64) {
    let mut folders = vec![archive.to_owned()];
    let (mut files, mut bytes) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                files += 1;
                bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            }
        }
    }
    (files, bytes)
}

fn show(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Colours, where there is a terminal.
struct Style {
    is_on: bool,
    dim: &'static str,
    plain: &'static str,
}

impl Style {
    fn of_stdout() -> Self {
        let is_on = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let code = |code| if is_on { code } else { "" };
        Self { is_on, dim: code("\x1b[2m"), plain: code("\x1b[0m") }
    }

    fn severity(&self, severity: u8) -> &'static str {
        match (self.is_on, severity) {
            (false, _) => "",
            (true, ..=3) => "\x1b[33m",
            (true, 4) => "\x1b[31m",
            (true, 5..) => "\x1b[1;31m",
        }
    }

    fn bold(&self, text: &str) -> String {
        if self.is_on { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}
