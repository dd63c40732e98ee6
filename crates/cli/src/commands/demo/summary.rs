//! What is said at the end: what was exposed, what alerted, and whether the archive is whole.

use std::fmt::Write as _;
use std::path::Path;

use dataward_archive::report::Report;
use dataward_event::exposure::{Exposure, PartialSum};
use dataward_event::finding::{CloseReason, RuleId};
use dataward_pipeline::tally::Tally;
use dataward_simulation::chronicle::{BEGIN, END, NORMAL_UNTIL};

use super::style::{Style, grouped, minute, size, span, wrapped};
use super::witness::{Score, Told, Witness};

/// Everything that the end of the demo is made of.
pub(super) struct Summary<'a> {
    /// What was open, and who read it.
    pub(super) exposures: &'a [Exposure],
    /// What was appended and alerted.
    pub(super) witness: &'a Witness,
    /// What the loop has counted.
    pub(super) tally: &'a Tally,
    /// What `verify` found.
    pub(super) report: &'a Report,
    /// Where the archive is.
    pub(super) archive: &'a Path,
}

impl Summary<'_> {
    /// The whole text.
    pub(super) fn text(&self, style: Style) -> String {
        let mut text = String::new();
        exposures(&mut text, style, self.exposures);
        bulk_reads(&mut text, style, &self.witness.alerts_between(BEGIN, END));
        alerts(&mut text, style, self.witness);
        self.archive(&mut text, style);
        text
    }

    fn archive(&self, text: &mut String, style: Style) {
        heading(text, style, "The archive");
        let (tally, report) = (self.tally, self.report);
        let per_event = report.bytes.checked_div(tally.events).unwrap_or(0);
        let figures = format!(
            "{} records: {} events, {} in quarantine. {} commits, {} Parquet files, {} \
             ({per_event} bytes an event with its raw record).",
            grouped(tally.records),
            grouped(tally.events),
            tally.faults(),
            report.commits,
            report.files,
            size(report.bytes),
        );
        lines(text, &figures);
        if report.is_sound() {
            let whole = "verify: every offset accounted for, every file re-read, nothing missing.";
            let _ = writeln!(text, "  {}", style.good(whole));
        } else {
            let _ = writeln!(text, "  {}", style.bad("verify: the archive is NOT whole:"));
            for problem in &report.problems {
                lines(text, &problem.to_string());
            }
        }
        self.commands(text, style);
    }

    /// A path is never broken: a line here can be copied.
    fn commands(&self, text: &mut String, style: Style) {
        heading(text, style, "Try");
        let program = std::env::current_exe().unwrap_or_else(|_| "dataward".into());
        let (program, archive) = (program.display(), self.archive.display());
        let _ = writeln!(
            text,
            "  {program} exposures --archive {archive}\n  \
             {program} verify --archive {archive}\n  \
             {program} timeline --archive {archive} --datastore analytics-copy\n  \
             {program} query --archive {archive} \"SELECT event_time, rule_id, title FROM alerts\""
        );
    }
}

fn heading(text: &mut String, style: Style, heading: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{}", style.bold(heading));
}

fn lines(text: &mut String, paragraph: &str) {
    for line in wrapped(paragraph, 2) {
        let _ = writeln!(text, "{line}");
    }
}

/// What was open, from when to when, by whom, and what outsiders read in it. What one event opened in one setting is
/// one thing to people.
pub(super) fn exposures(text: &mut String, style: Style, exposures: &[Exposure]) {
    if exposures.is_empty() {
        return;
    }
    heading(text, style, "What was open");
    let is_together = |one: &Exposure, other: &Exposure| {
        one.opened_by.event_uid == other.opened_by.event_uid
            && (one.control, &one.setting) == (other.control, &other.setting)
            && (&one.closed_by, one.level) == (&other.closed_by, other.level)
    };
    for together in exposures.chunk_by(is_together) {
        exposed(text, style, together);
    }
}

fn exposed(text: &mut String, style: Style, together: &[Exposure]) {
    let exposure = &together[0];
    let things: Vec<&str> = together.iter().map(|each| each.opened.as_str()).collect();
    let things = match things.as_slice() {
        [thing] => (*thing).to_owned(),
        more => format!("{} things", more.len()),
    };
    let control = exposure.control.as_str().replace('_', " ");
    let datastore = exposure.datastore.label();
    let (level, setting) = (exposure.level.as_str(), &exposure.setting);
    let head = style.severity(exposure.severity, &format!("{datastore:<22}{level:<10}"));
    let _ = writeln!(text, "  {head}{control}: {setting} ({things})");
    if exposure.close_reason == Some(CloseReason::Replaced) {
        let micros = exposure.duration_micros().unwrap_or_default();
        let day = exposure.opened_by.time.date();
        let _ = writeln!(text, "    on {day}, and set again after {}", span(micros));
        return;
    }
    let opened = &exposure.opened_by;
    let before = if exposure.opened_at_uncertain { " or earlier" } else { "" };
    let from = format!("{}{before} by {}", minute(opened.time), opened.actor.label());
    let to = match (&exposure.closed_by, exposure.duration_micros()) {
        (Some(closed), Some(micros)) => {
            format!("to {} by {}: {}", minute(closed.time), closed.actor.label(), span(micros))
        }
        _ => style.bad("and still open"),
    };
    let _ = writeln!(text, "    from {from}\n    {to}");
    for line in wrapped(&outside(exposure), 4) {
        let _ = writeln!(text, "{line}");
    }
}

/// What outsiders read, and from where.
fn outside(exposure: &Exposure) -> String {
    let figures = &exposure.outside_figures;
    if figures.reads + figures.reads_at_edges == 0 {
        return "no read by an outsider is known".to_owned();
    }
    let amounts: Vec<String> = [
        amount(figures.rows, |count| format!("{} rows", grouped(count))),
        amount(figures.bytes, size),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut networks: Vec<&str> = Vec::new();
    for reader in exposure.readers.iter().filter(|reader| reader.is_outsider) {
        if !networks.contains(&reader.network.as_str()) {
            networks.push(&reader.network);
        }
    }
    let amounts = match amounts.as_slice() {
        [] => String::new(),
        amounts => format!(" ({})", amounts.join(", ")),
    };
    let perhaps = match figures.reads_at_edges {
        0 => String::new(),
        reads => format!(", and perhaps {} times more at its edges", grouped(reads)),
    };
    let (times, networks) = (grouped(figures.reads), networks.join(", "));
    format!("outsiders read {times} times{amounts}, from {networks}{perhaps}")
}

/// A sum, where anything was reported; a lower bound where not everything was (I6).
fn amount(sum: PartialSum, words: impl Fn(u64) -> String) -> Option<String> {
    let at_least = if sum.unreported > 0 { "at least " } else { "" };
    (sum.at_least > 0).then(|| format!("{at_least}{}", words(sum.at_least)))
}

/// Who read far more than ever. The alert has the figures.
fn bulk_reads(text: &mut String, style: Style, alerts: &[Told]) {
    let mut bulk = alerts.iter().filter(|told| told.rule == RuleId::ReadBulk).peekable();
    if bulk.peek().is_some() {
        heading(text, style, "Who read in bulk");
    }
    for told in bulk {
        lines(text, &format!("{} {}", minute(told.time), told.title));
    }
}

fn alerts(text: &mut String, style: Style, witness: &Witness) {
    heading(text, style, "Alerts");
    for (rule, (raised, ended)) in witness.by_rule() {
        let ended = if ended > 0 { format!(", {ended} over") } else { String::new() };
        let _ = writeln!(text, "  {:<24}{raised:>4} raised{ended}", rule.as_str());
    }
    let normal = witness.alerts_between(BEGIN, NORMAL_UNTIL);
    let names: Vec<String> = normal.iter().map(named).collect();
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join("; ")) };
    lines(text, &format!("In the normal weeks before: {}{names}.", normal.len()));
    match witness.score() {
        Some(score) => scored(text, style, &score),
        None => lines(text, "The story was stopped before its end."),
    }
}

fn named(told: &Told) -> String {
    let why = told.deed.map_or("by itself", |deed| deed.meaning());
    format!("{} on {} ({why})", told.rule.as_str(), told.time.date())
}

fn scored(text: &mut String, style: Style, score: &Score) {
    let Score { expected, came, missing, unexpected, slowest } = score;
    let result = format!("{came} of {expected} expected alerts, {} unexpected", unexpected.len());
    let is_right = missing.is_empty() && unexpected.is_empty();
    let result = if is_right { style.good(&result) } else { style.bad(&result) };
    let slowest = slowest.as_millis();
    let _ = writeln!(text, "  {result}; the slowest came {slowest} ms after append.");
    for (count, rule, deed) in missing {
        lines(text, &format!("missing: {count} {}: {}", rule.as_str(), deed.meaning()));
    }
    for (rule, title, time) in unexpected {
        lines(text, &format!("unexpected: {}, {}: {title}", minute(*time), rule.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use dataward_event::audit_event::{Actor, Datastore, DatastoreForm};
    use dataward_event::change::{Control, WindowKind};
    use dataward_event::exposure::{Deed, Known, Level, ReadFigures, Reader};
    use dataward_event::finding::Severity;
    use dataward_event::position::{Offset, Partition, Position};
    use dataward_event::time::EventTime;

    use super::super::style::COLUMNS;
    use super::*;

    fn deed(name: &'static str, time: &str) -> Deed {
        Deed {
            event_uid: "e-1".to_owned(),
            position: Position {
                partition: Partition::new("audit", 0),
                offset: Offset(7),
                record_index: 0,
            },
            time: EventTime::parse_rfc3339(time).unwrap(),
            actor: Actor { name: Some(name.into()), ..Actor::default() },
            client: None,
            operation: "Update".to_owned(),
        }
    }

    fn exposure() -> Exposure {
        let sum = |at_least| PartialSum { at_least, unreported: 1 };
        let figures = ReadFigures {
            reads: 53,
            rows: sum(2_400_195),
            bytes: sum(1_440_117_000),
            ..ReadFigures::default()
        };
        let reader = |network: &str, is_outsider| Reader {
            name: "anonymous".to_owned(),
            uid: None,
            network: network.to_owned(),
            is_outsider,
            figures,
        };
        Exposure {
            uid: "x-1".to_owned(),
            datastore: Datastore {
                uid: "elasticsearch/copy".into(),
                name: Some("copy".into()),
                resource_type: None,
                form: DatastoreForm::Database,
            },
            control: Control::NetworkExposure,
            setting: "network.host".to_owned(),
            opened: "0.0.0.0/0 tcp 9200".to_owned(),
            window_kind: WindowKind::Confidentiality,
            level: Level::Exposed,
            reachable: Known::Yes,
            opened_by: deed("e.marsh", "2019-12-04T17:20:41Z"),
            opened_at_uncertain: false,
            exposed_at: None,
            closed_by: Some(deed("s.ivanova", "2019-12-26T18:02:00Z")),
            close_reason: Some(CloseReason::Restored),
            severity: Severity::FATAL,
            figures,
            outside_figures: figures,
            readers: vec![reader("192.0.2.0/24", true), reader("198.51.100.0/24", false)],
        }
    }

    fn told(exposure: Exposure) -> String {
        let mut text = String::new();
        exposures(&mut text, Style::off(), &[exposure]);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        text
    }

    #[test]
    fn an_exposure_says_what_from_when_to_when_and_who_read_how_much() {
        let text = told(exposure());
        for part in [
            "network exposure: network.host (0.0.0.0/0 tcp 9200)",
            "2019-12-04 17:20 by e.marsh",
            "2019-12-26 18:02 by s.ivanova",
            "22 days 41 minutes",
            "53 times (at least 2,400,195 rows, at least 1.4 GB), from 192.0.2.0/24",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("198.51.100.0/24"), "{text}");
    }

    #[test]
    fn what_was_set_again_at_once_takes_two_lines() {
        let mut flags = [exposure(), exposure()];
        for flag in &mut flags {
            flag.close_reason = Some(CloseReason::Replaced);
            flag.closed_by = Some(deed("e.marsh", "2019-12-04T17:23:00Z"));
        }
        let mut text = String::new();
        exposures(&mut text, Style::off(), &flags);
        assert_eq!(text.trim().lines().count(), 3, "{text}");
        assert!(text.contains("(2 things)") && text.contains("after 2 minutes"), "{text}");
    }

    #[test]
    fn what_is_still_open_and_what_nobody_counted_is_not_made_up() {
        let mut open = exposure();
        open.closed_by = None;
        open.outside_figures = ReadFigures { reads: 2, ..ReadFigures::default() };
        let text = told(open);
        assert!(text.contains("still open"), "{text}");
        assert!(text.contains("outsiders read 2 times, from"), "{text}");
    }
}
