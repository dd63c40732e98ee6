//! `rules`: what alarms are raised by, and whether the labelled cases go as they must.

mod test;

use dataward_event::finding::RuleId;
use serde_json::{Value, json};

use crate::args::{Format, Rules, RulesCommand};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{chosen, print, print_rows};

/// What people see of a rule in a list; how severe it is needs more words than a column has.
const COLUMNS: [&str; 3] = ["rule", "meaning", "page"];

macro_rules! page {
    ($id:literal) => {
        include_str!(concat!("../../../../docs/rules/", $id, ".md"))
    };
}

/// The page of a rule. What is told of the rule in short stands there, and nowhere else.
const fn page(rule: RuleId) -> &'static str {
    match rule {
        RuleId::ControlWeakened => page!("control.weakened"),
        RuleId::ControlAttempts => page!("control.attempts"),
        RuleId::AuditSilenced => page!("audit.silenced"),
        RuleId::ExposureOpened => page!("exposure.opened"),
        RuleId::ExposureStillOpen => page!("exposure.still_open"),
        RuleId::ExposureClosed => page!("exposure.closed"),
        RuleId::DatastoreBornUnprotected => page!("datastore.born_unprotected"),
        RuleId::CopyWeakerDatastore => page!("copy.weaker_datastore"),
        RuleId::CopyForeign => page!("copy.foreign"),
        RuleId::AuditSourceSilent => page!("audit.source_silent"),
        RuleId::ReadDuringExposure => page!("read.during_exposure"),
        RuleId::ReadBulk => page!("read.bulk"),
        RuleId::ReadNovel => page!("read.novel"),
        RuleId::ReadSlowDrip => page!("read.slow_drip"),
        RuleId::ReadExport => page!("read.export"),
        RuleId::ArchiveGap => page!("archive.gap"),
        RuleId::ArchiveQuarantineRate => page!("archive.quarantine_rate"),
        RuleId::RuleFailed => page!("rule.failed"),
    }
}

/// What a page says first, up to the end of the first sentence.
fn meaning(page: &str) -> String {
    let first = page.split("\n\n").nth(1).unwrap_or_default().replace('\n', " ");
    let first = first.split_once(". ").map_or(first.as_str(), |(sentence, _)| sentence);
    format!("{}.", first.trim_end_matches('.'))
}

/// What a page says in this line of its table, without the address of a link.
fn line_of_table(page: &str, name: &str) -> String {
    let lines = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let mut cells = lines.filter_map(|line| line.split_once(" | "));
    let text = cells.find(|(key, _)| *key == name).map_or("", |(_, text)| text);
    let parts = text.split(['[', ']']).map(|part| match part.strip_prefix('(') {
        Some(address) => address.split_once(')').map_or(part, |(_, after)| after),
        None => part,
    });
    parts.collect::<String>().replace('`', "")
}

/// Runs the command.
pub(crate) fn run(args: &Rules) -> Outcome {
    match (&args.command, &args.rule) {
        (Some(RulesCommand::Test(cases)), _) => test::run(cases),
        (None, Some(id)) => one(id, args.format),
        (None, None) => {
            let rows: Vec<Value> = RuleId::ALL.into_iter().map(in_short).collect();
            print_rows(args.format, &COLUMNS, &rows)
        }
    }
}

fn in_short(rule: RuleId) -> Value {
    let page = page(rule);
    json!({
        "rule": rule.as_str(),
        "meaning": meaning(page),
        "severity": line_of_table(page, "Severity"),
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
        return print(page(rule));
    }
    let mut row = in_short(rule);
    row["text"] = json!(page(rule));
    print_rows(format, &COLUMNS, &[row])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_what_its_rule_means_and_how_severe_it_is() {
        for rule in RuleId::ALL {
            let (row, page) = (in_short(rule), page(rule));
            assert!(page.starts_with(&format!("# {}\n\n", rule.as_str())), "{row}");
            assert!(row["meaning"].as_str().is_some_and(|text| text.len() > 20), "{row}");
            let severity = row["severity"].as_str().unwrap();
            assert!(
                severity.contains(|letter: char| letter.is_ascii_digit() || letter == 'a'),
                "{row}"
            );
            assert!(!severity.contains(['[', '`']), "{row}");
            assert_eq!(line_of_table(page, "Version"), rule.version().to_string(), "{row}");
        }
    }
}
