//! Real samples, in place (`DATAWARD_TEST_DATA`): what must alert, and that nothing else does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Finished, dataward, text, write};
use crate::support::story::rule;

/// Stratus Red Team, technique by technique: the rule, the control and the operation of each alert. A technique that is
/// not here has no event that weakens the protection of a datastore: what it does is refused (LeaveOrganization), reads
/// (secrets, parameters), or is about something else (port 22, a function, a new user).
const STRATUS: [(&str, &[Said]); 11] = [
    (
        "aws.defense-evasion.cloudtrail-delete",
        &[("audit.silenced", "audit_logging", "DeleteTrail")],
    ),
    (
        "aws.defense-evasion.cloudtrail-event-selectors",
        &[
            ("audit.silenced", "audit_logging", "PutEventSelectors"),
            ("audit.silenced", "audit_logging", "PutEventSelectors"),
        ],
    ),
    ("aws.defense-evasion.cloudtrail-stop", &[("audit.silenced", "audit_logging", "StopLogging")]),
    (
        "aws.defense-evasion.dns-delete-logs",
        &[("control.weakened", "monitoring", "DeleteResolverQueryLogConfig")],
    ),
    (
        "aws.defense-evasion.vpc-remove-flow-logs",
        &[("control.weakened", "monitoring", "DeleteFlowLogs")],
    ),
    (
        "aws.exfiltration.ec2-share-ami",
        &[
            ("control.weakened", "sharing", "ModifyImageAttribute"),
            ("exposure.opened", "sharing", "ModifyImageAttribute"),
        ],
    ),
    (
        "aws.exfiltration.ec2-share-ebs-snapshot",
        &[
            ("control.weakened", "sharing", "ModifySnapshotAttribute"),
            ("exposure.opened", "sharing", "ModifySnapshotAttribute"),
        ],
    ),
    (
        "aws.exfiltration.rds-share-snapshot",
        &[
            ("control.weakened", "sharing", "ModifyDBSnapshotAttribute"),
            ("exposure.opened", "sharing", "ModifyDBSnapshotAttribute"),
        ],
    ),
    (
        "aws.persistence.iam-backdoor-role",
        &[("control.weakened", "sharing", "UpdateAssumeRolePolicy")],
    ),
    (
        "aws.persistence.iam-create-admin-user",
        &[("control.weakened", "access_policy", "AttachUserPolicy")],
    ),
    (
        "aws.persistence.iam-create-backdoor-role",
        &[("control.weakened", "access_policy", "AttachRolePolicy")],
    ),
];

/// The rule, the control, the operation.
type Said = (&'static str, &'static str, &'static str);

fn samples(folder: &str) -> Option<PathBuf> {
    let Some(data) = std::env::var_os("DATAWARD_TEST_DATA") else {
        eprintln!("SKIPPED: no samples (DATAWARD_TEST_DATA is not set)");
        return None;
    };
    Some(Path::new(&data).join("data").join(folder))
}

fn scan(file: &Path) -> Finished {
    dataward(&["scan", "--source", "aws.cloudtrail", &text(file)]).expect(0)
}

/// The rule, the control and the operation of each alert.
fn said(alerts: &[Value]) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut said: Vec<_> = alerts
        .iter()
        .map(|alert| {
            let evidence = &alert["evidences"][0];
            let control = text(&evidence["data"]["control"]);
            (rule(alert), control, text(&evidence["api"]["operation"]))
        })
        .collect();
    said.sort();
    said
}

#[test]
fn stratus_red_team_technique_by_technique() {
    let Some(folder) = samples("stratus-red-team") else { return };
    let expected: BTreeMap<&str, _> = STRATUS.into();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "ndjson") {
            continue;
        }
        let technique = path.file_stem().unwrap().to_str().unwrap();
        let expected = expected.get(technique).copied().unwrap_or_default();
        seen += usize::from(!expected.is_empty());
        let expected: Vec<_> = expected
            .iter()
            .map(|(rule, control, operation)| {
                ((*rule).to_owned(), (*control).to_owned(), (*operation).to_owned())
            })
            .collect();
        assert_eq!(said(&scan(&path).lines()), expected, "{technique}");
    }
    assert_eq!(seen, STRATUS.len());
}

/// Its author was refused whatever would have weakened something.
#[test]
fn the_refused_calls_of_traildiscover_stay_quiet() {
    let Some(folder) = samples("traildiscover") else { return };
    let finished = scan(&folder.join("events.ndjson"));
    assert!(finished.stderr.contains("151 records, 151 events, 0 alerts"), "{}", finished.stderr);
}

/// EventBridge envelopes and bare events. The wrapper `{"file":…,"event":…}` is the sample's, not the product's.
#[test]
fn cloud_custodian_out_of_its_wrapper() {
    let Some(folder) = samples("cloud-custodian") else { return };
    let wrapped = std::fs::read_to_string(folder.join("eventbridge_cloudtrail.ndjson")).unwrap();
    let unwrapped: String = wrapped
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].to_string() + "\n")
        .collect();
    let temporary = TempDir::new().unwrap();
    let finished = scan(&write(temporary.path(), "events.ndjson", unwrapped));
    let expected = ("control.weakened", "encryption_at_rest", "CreateDBInstance");
    let (rule, control, operation) = expected;
    assert_eq!(said(&finished.lines()), [(rule.into(), control.into(), operation.into())]);
    // The event without any time of its own is kept, too.
    assert!(finished.stderr.contains("20 records, 19 events"), "{}", finished.stderr);
    assert!(finished.stderr.contains("quarantine rows: no_time"), "{}", finished.stderr);
}
