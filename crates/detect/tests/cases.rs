//! The cases of each rule: `cases/<rule id>/fires/*.json` must give a finding, `quiet/*.json` must not.
//!
//! A case is a JSON array of CloudTrail events in the order of their arrival. One whose name ends in `again` must give
//! two findings, any other that fires gives one.

use std::path::{Path, PathBuf};

use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_detect::partition_state::PartitionState;
use dataward_detect::read_total::ReadTotals;
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

/// The rules that conclude from the state of protection; the others watch the stream itself, or learn.
const RULES: [RuleId; 6] = [
    RuleId::ControlWeakened,
    RuleId::AuditSilenced,
    RuleId::ExposureOpened,
    RuleId::ExposureStillOpen,
    RuleId::ExposureClosed,
    RuleId::ReadDuringExposure,
];
/// The fewest cases of each sort.
const CASES_MIN: usize = 3;

fn cases(rule: RuleId, sort: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let folder = folder.join(rule.as_str()).join(sort);
    let entries = std::fs::read_dir(&folder).expect("every rule has its cases");
    let mut cases: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    cases.sort();
    assert!(cases.len() >= CASES_MIN, "{} has too few cases", folder.display());
    cases
}

fn findings(case: &Path) -> Vec<Finding> {
    let bytes = std::fs::read(case).expect("a case can be read");
    let position =
        Position { partition: Partition::new("case", 0), offset: Offset(0), record_index: 0 };
    let record = Record { position: &position, kafka_time: None, payload: &bytes };
    let decoded = decode(Source::AwsCloudtrail, record);
    assert!(decoded.rejects.is_empty(), "{}: {:?}", case.display(), decoded.rejects);
    let (mut state, mut keeper) = (PartitionState::default(), Keeper::new());
    let mut findings = Vec::new();
    for event in &decoded.events {
        let position = Position { record_index: event.record_index, ..position.clone() };
        let posture = state.observe(&event.event, &position, &Context::default()).posture;
        let mut reads = ReadTotals::default();
        reads.add(&event.event, &position);
        let changes = posture.into_iter().collect();
        findings.extend(keeper.observe_all(changes, reads.take_all()).findings);
    }
    findings
}

#[test]
fn every_rule_fires_where_it_must() {
    for rule in RULES {
        for case in cases(rule, "fires") {
            let all = findings(&case);
            let found: Vec<&Finding> = all
                .iter()
                .filter(|finding| finding.rule == rule && finding.step == Step::Create)
                .collect();
            let name = case.file_stem().map(|name| name.to_string_lossy().into_owned());
            let expected = if name.is_some_and(|name| name.ends_with("again")) { 2 } else { 1 };
            assert_eq!(found.len(), expected, "{}: {:?}", case.display(), titles(&all));
            for finding in found {
                assert!(!finding.evidences.is_empty() && !finding.attacks.is_empty());
                assert!(!finding.remediation.is_empty(), "{}", finding.title);
                assert!(finding.description.ends_with('.'), "{}", finding.description);
            }
        }
    }
}

fn titles(findings: &[Finding]) -> Vec<String> {
    let title = |f: &Finding| format!("{} {} {}", f.rule.as_str(), f.step.activity_id(), f.title);
    findings.iter().map(title).collect()
}

#[test]
fn look_alikes_stay_quiet() {
    for rule in RULES {
        for case in cases(rule, "quiet") {
            let mut found = findings(&case);
            // A look-alike of a change opens nothing at all; one of an exposure may open something.
            if !matches!(rule, RuleId::ControlWeakened | RuleId::AuditSilenced) {
                found.retain(|finding| finding.rule == rule);
            }
            assert!(found.is_empty(), "{}: {:?}", case.display(), titles(&found));
        }
    }
}
