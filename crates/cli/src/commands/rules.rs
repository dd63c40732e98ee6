//! `rules`: what alarms are raised by, and whether the labelled cases go as they must.

mod test;

use dataward_event::finding::RuleId;
use serde_json::{Value, json};

use crate::args::{Format, Rules, RulesCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{chosen, print, print_rows};

/// What a rule has to say of itself.
struct About {
    /// One sentence.
    meaning: &'static str,
    /// OCSF severities.
    severity: &'static str,
    /// Its page.
    text: &'static str,
}

macro_rules! page {
    ($id:literal) => {
        include_str!(concat!("../../../../docs/rules/", $id, ".md"))
    };
}

const fn about(rule: RuleId) -> About {
    let (meaning, severity, text) = match rule {
        RuleId::ControlWeakened => {
            ("A protection of a datastore became weaker.", "2 to 6", page!("control.weakened"))
        }
        RuleId::AuditSilenced => (
            "The record of access and change was switched off or cut down.",
            "2 to 6",
            page!("audit.silenced"),
        ),
        RuleId::ExposureOpened => (
            "Somebody from outside can both reach and read a datastore, or has read it.",
            "2 to 6",
            page!("exposure.opened"),
        ),
        RuleId::ExposureStillOpen => (
            "A protection was taken away an hour, a day, a week ago, and nobody has set it again.",
            "2 to 6",
            page!("exposure.still_open"),
        ),
        RuleId::ExposureClosed => (
            "An exposure is over: since when, until when, by whom, and what was read.",
            "2 to 6",
            page!("exposure.closed"),
        ),
        RuleId::ReadDuringExposure => (
            "Somebody read a datastore while it was exposed.",
            "2 to 6",
            page!("read.during_exposure"),
        ),
        RuleId::ReadBulk => (
            "Somebody read far more than ever before, or most of a datastore.",
            "3 to 5",
            page!("read.bulk"),
        ),
        RuleId::ArchiveGap => (
            "Audit records are gone, or may be, before the archive had them.",
            "5",
            page!("archive.gap"),
        ),
        RuleId::ArchiveQuarantineRate => {
            ("Many records of one partition cannot be read.", "4", page!("archive.quarantine_rate"))
        }
        RuleId::RuleFailed => {
            ("A part of the detector failed, or lost its state.", "4", page!("rule.failed"))
        }
    };
    About { meaning, severity, text }
}

/// Runs the command.
pub(crate) fn run(args: &Rules) -> Outcome {
    match (&args.command, &args.rule) {
        (Some(RulesCommand::Test(cases)), _) => test::run(cases),
        (None, Some(id)) => one(id, args.format),
        (None, None) => {
            let rows: Vec<Value> = RuleId::ALL.into_iter().map(in_short).collect();
            print_rows(args.format, &["rule", "severity", "meaning", "page"], &rows)
        }
    }
}

fn in_short(rule: RuleId) -> Value {
    let about = about(rule);
    json!({
        "rule": rule.as_str(),
        "meaning": about.meaning,
        "severity": about.severity,
        "version": rule.version(),
        "page": format!("docs/rules/{}.md", rule.as_str()),
    })
}

/// The page of a rule; as a row where a format for programs is asked for.
fn one(id: &str, format: Option<Format>) -> Outcome {
    let Some(rule) = RuleId::parse(id) else {
        let text = format!("unknown rule {id}; `dataward rules` lists them");
        return Err(Failure::text(Exit::Usage, text));
    };
    let is_for_people = format.is_none() || chosen(format) == Format::Table;
    if is_for_people {
        return print(about(rule).text);
    }
    let mut row = in_short(rule);
    row["text"] = json!(about(rule).text);
    print_rows(format, &["rule", "severity", "meaning", "page"], &[row])
}
