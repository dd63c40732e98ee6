//! The cases of each rule: `cases/<rule id>/fires/*.json` must give a finding, `quiet/*.json` must not.
//!
//! A case is a JSON array of CloudTrail events in the order of their arrival. One whose name ends in `again` must give
//! two findings, any other that fires gives one.

use std::path::{Path, PathBuf};

use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_detect::partition_state::PartitionState;
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

/// The rules that conclude from a few events. `read.bulk` needs weeks of them: see `bulk_read.rs`. The others watch the
/// stream itself.
const RULES: [RuleId; 2] = [RuleId::ControlWeakened, RuleId::AuditSilenced];
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
        findings.extend(posture.iter().flat_map(|posture| keeper.observe(posture)));
    }
    findings
}

#[test]
fn every_rule_fires_where_it_must() {
    for rule in RULES {
        for case in cases(rule, "fires") {
            let found = findings(&case);
            let name = case.file_stem().map(|name| name.to_string_lossy().into_owned());
            let expected = if name.is_some_and(|name| name.ends_with("again")) { 2 } else { 1 };
            assert_eq!(found.len(), expected, "{}: {found:#?}", case.display());
            for finding in found {
                assert_eq!(
                    (finding.rule, finding.step),
                    (rule, Step::Create),
                    "{}",
                    case.display()
                );
                assert!(!finding.evidences.is_empty() && !finding.attacks.is_empty());
                assert!(!finding.remediation.is_empty() && finding.description.ends_with('.'));
            }
        }
    }
}

#[test]
fn look_alikes_stay_quiet() {
    for rule in RULES {
        for case in cases(rule, "quiet") {
            let found = findings(&case);
            assert!(found.is_empty(), "{}: {found:#?}", case.display());
        }
    }
}
