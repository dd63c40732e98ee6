//! A case before the detector: decoded, observed, judged.

use std::collections::BTreeSet;

use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_detect::partition_state::PartitionState;
use dataward_detect::posture_event::PostureEvent;
use dataward_detect::read_total::ReadTotals;
use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

use super::case::{Case, Label};

/// How much later a record is sent again, in microseconds.
const AGAIN_MICROS: i64 = 60 * 1_000_000;

/// How long is waited for what is only said when nothing more has come, in microseconds: the time in which whoever makes a
/// datastore may still protect it, and less than an hour, after which things are said again.
const WAIT_MICROS: i64 = 30 * 60 * 1_000_000;

/// How a case went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As its label says.
    Right,
    /// A weakening raised no alarm.
    Missed,
    /// A weakening raised an alarm, but of other rows than its own.
    OtherRow,
    /// An alarm where none is due.
    FalseAlarm,
    /// The record states other changes than expected.
    OtherChanges,
    /// The alarm is more severe than it may be.
    TooSevere,
    /// The same record, sent again at once or a minute later, raised another alarm.
    SaidAgain,
    /// A record of the case cannot be read.
    Unreadable,
}

impl Verdict {
    /// The name in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Missed => "missed",
            Self::OtherRow => "other row",
            Self::FalseAlarm => "false alarm",
            Self::OtherChanges => "other changes",
            Self::TooSevere => "too severe",
            Self::SaidAgain => "said again",
            Self::Unreadable => "unreadable",
        }
    }
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// The rule.
    pub rule: RuleId,
    /// The rows of the catalogue that judged the record.
    pub rows: BTreeSet<String>,
    /// How severe, 1 to 6.
    pub severity: u8,
    /// Its headline.
    pub title: String,
}

/// What a case gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// How it went.
    pub verdict: Verdict,
    /// The alarms of its record.
    pub alarms: Vec<Alarm>,
    /// The changes that its record states, as [`Case::expect`] has them.
    pub changes: Vec<String>,
    /// The operations of its record.
    pub operations: Vec<String>,
    /// What could not be read.
    pub rejects: Vec<String>,
    /// The alarms of the same record sent again.
    pub again: Vec<Alarm>,
}

impl Tried {
    /// Whether an alarm of this row was raised.
    pub fn names(&self, row: &str) -> bool {
        self.alarms.iter().any(|alarm| alarm.rows.contains(row))
    }

    /// What happened, in a sentence.
    pub fn happened(&self) -> String {
        if self.verdict == Verdict::Unreadable {
            return self.rejects.join("; ");
        }
        let told = |alarms: &[Alarm]| {
            let told = alarms.iter().map(|alarm| {
                let rows = alarm.rows.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let of = if rows.is_empty() { "no row" } else { &rows };
                format!(
                    "{} of {of}, severity {}: {}",
                    alarm.rule.as_str(),
                    alarm.severity,
                    alarm.title
                )
            });
            told.collect::<Vec<_>>().join("; ")
        };
        if self.verdict == Verdict::SaidAgain {
            return format!("sent again: {}", told(&self.again));
        }
        let changes = if self.changes.is_empty() {
            "it states no change".to_owned()
        } else {
            format!("it states {}", self.changes.join("; "))
        };
        if self.alarms.is_empty() {
            format!("no alarm; {changes}")
        } else {
            format!("{}; {changes}", told(&self.alarms))
        }
    }
}

/// Whether a finding of this rule is an alarm: something lost protection.
fn is_alarm(rule: RuleId) -> bool {
    let id = rule.as_str();
    match id {
        // Those say that somebody tried, or how something goes on that was said before.
        "control.attempts" | "exposure.still_open" | "exposure.closed" => false,
        _ => {
            ["control.", "copy.", "datastore.", "exposure."]
                .iter()
                .any(|start| id.starts_with(start))
                || id == "audit.silenced"
        }
    }
}

/// A detector that knows nothing yet.
#[derive(Debug, Default)]
pub struct Detector {
    partition: PartitionState,
    keeper: Keeper,
    next: i64,
}

/// The events of a record, and what of it could not be read.
#[derive(Debug, Default)]
pub struct Opened {
    /// The events.
    pub events: Vec<AuditEvent<'static>>,
    /// What could not be read.
    pub rejects: Vec<String>,
}

/// Reads a record. What tells of nothing is neither an event nor a reject.
pub fn open(source: Source, text: &str, offset: i64) -> Opened {
    let position = position(offset);
    let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
    let decoded = decode(source, record);
    let rejects = decoded.rejects.into_iter().filter(|reject| reject.reason.is_fault());
    Opened {
        events: decoded.events.into_iter().map(|found| found.event.into_owned()).collect(),
        rejects: rejects
            .map(|reject| format!("{}: {}", reject.reason.as_str(), reject.detail))
            .collect(),
    }
}

fn position(offset: i64) -> Position {
    Position { partition: Partition::new("case", 0), offset: Offset(offset), record_index: 0 }
}

impl Detector {
    /// Takes in an event, and gives what is said of it.
    pub fn observe(&mut self, event: &AuditEvent<'_>) -> Vec<Finding> {
        let position = position(self.next);
        self.next += 1;
        let observed = self.partition.observe(event, &position, &Context::default());
        let mut reads = ReadTotals::default();
        reads.add(event, &position);
        let changes = observed.posture.into_iter().collect();
        let mut findings = observed.findings;
        findings.extend(self.keeper.observe_all(changes, reads.take_all()).findings);
        findings
    }

    /// The alarms of events, also those that wait for what comes after them.
    fn alarms_in_the_end(&mut self, events: &[AuditEvent<'_>]) -> Vec<Alarm> {
        let mut alarms = self.alarms_of(events);
        let Some(last) = events.iter().map(|event| event.time).max() else { return alarms };
        let uids = uids_of(events);
        let concluded = self.keeper.tick(last.plus_micros(WAIT_MICROS));
        let raised = concluded.findings.into_iter().filter(is_raised);
        alarms.extend(raised.map(|finding| alarm(finding, &uids)));
        alarms
    }

    /// The alarms of events.
    fn alarms_of(&mut self, events: &[AuditEvent<'_>]) -> Vec<Alarm> {
        let uids = uids_of(events);
        let findings: Vec<Finding> = events.iter().flat_map(|event| self.observe(event)).collect();
        let raised = findings.into_iter().filter(is_raised);
        raised.map(|finding| alarm(finding, &uids)).collect()
    }
}

fn is_raised(finding: &Finding) -> bool {
    finding.step == Step::Create && is_alarm(finding.rule)
}

fn uids_of<'e>(events: &'e [AuditEvent<'_>]) -> BTreeSet<&'e str> {
    events.iter().map(|event| &*event.uid).collect()
}

/// An alarm, with the rows of what the events of these uids did.
fn alarm(finding: Finding, uids: &BTreeSet<&str>) -> Alarm {
    let own = finding.evidences.into_iter().filter(|evidence| uids.contains(&*evidence.event_uid));
    let changes = own.filter_map(|evidence| evidence.change);
    let rows = changes.map(|change| change.catalogue_row.into_owned());
    Alarm {
        rule: finding.rule,
        rows: rows.filter(|row| !row.is_empty()).collect(),
        severity: finding.severity.id(),
        title: finding.title,
    }
}

/// The changes of events, as cases write them. What is copied is no change of a row.
fn changes_of(events: &[AuditEvent<'_>]) -> Vec<String> {
    let changes = events.iter().flat_map(|event| &event.changes);
    let changes = changes.filter(|change| !change.catalogue_row.is_empty());
    let told = changes.map(|change| {
        let whole = if change.whole { " whole" } else { "" };
        let (direction, row) = (change.direction.as_str(), &change.catalogue_row);
        format!("{direction} {row} [{}]{whole}", change.opened)
    });
    told.collect()
}

/// Shows a case to a new detector, and judges what it says.
pub fn run(case: &Case<'_>) -> Tried {
    // The offset tells apart records that bring no uid of their own.
    let before: Vec<Opened> =
        (0..).zip(&case.before).map(|(offset, text)| open(case.source, text, offset)).collect();
    let opened = open(case.source, &case.record, i64::MAX);
    let detector = || {
        let mut detector = Detector::default();
        for events in before.iter().map(|opened| &opened.events) {
            detector.alarms_of(events);
        }
        detector
    };
    // Sent again before the wait is over, which would say what is said for the first time: by the producer, with the same
    // uid, and by whoever asks for the same once more.
    let mut asked_twice = detector();
    asked_twice.alarms_of(&opened.events);
    let mut again = asked_twice.alarms_of(&opened.events);
    // Whoever copies once more has copied once more; but a protection cannot be lost twice.
    let of_row = |alarm: &Alarm| !alarm.rows.is_empty();
    again.extend(asked_twice.alarms_of(&sent_again(&opened.events)).into_iter().filter(of_row));
    let rejects = before.iter().chain([&opened]).flat_map(|opened| opened.rejects.clone());
    let mut tried = Tried {
        verdict: Verdict::Right,
        alarms: detector().alarms_in_the_end(&opened.events),
        changes: changes_of(&opened.events),
        operations: opened.events.iter().map(|event| event.operation.to_string()).collect(),
        rejects: rejects.collect(),
        again,
    };
    tried.verdict = judge(case, &tried);
    tried
}

/// The same events, as if the same had been asked for once more. What is gone cannot go again.
fn sent_again(events: &[AuditEvent<'static>]) -> Vec<AuditEvent<'static>> {
    let is_end = |event: &&AuditEvent<'_>| {
        PostureEvent::of(event, &position(0)).is_some_and(|posture| posture.is_destruction)
    };
    let lasting = events.iter().filter(|event| !is_end(event));
    let mut events: Vec<AuditEvent<'static>> = lasting.cloned().collect();
    for event in &mut events {
        event.uid = format!("{}/again", event.uid).into();
        event.time = event.time.plus_micros(AGAIN_MICROS);
    }
    events
}

fn judge(case: &Case<'_>, tried: &Tried) -> Verdict {
    let own = case.row_id();
    if !tried.rejects.is_empty() {
        return Verdict::Unreadable;
    }
    match case.label {
        Label::Weakening if tried.alarms.is_empty() => return Verdict::Missed,
        Label::Weakening if !tried.names(own) => return Verdict::OtherRow,
        Label::Neutral | Label::Hardening | Label::Attempt if !tried.alarms.is_empty() => {
            return Verdict::FalseAlarm;
        }
        _ => {}
    }
    if case.expect.as_ref().is_some_and(|expected| *expected != tried.changes) {
        return Verdict::OtherChanges;
    }
    let of_row = tried.alarms.iter().filter(|alarm| alarm.rows.contains(own));
    let severity = of_row.map(|alarm| alarm.severity).max();
    if case.severity_most.is_some_and(|most| severity.is_some_and(|severity| severity > most)) {
        return Verdict::TooSevere;
    }
    if tried.again.is_empty() { Verdict::Right } else { Verdict::SaidAgain }
}
