//! Calls and the changes of protection that they state: one case a line in `cases/`, with what is expected beside it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use dataward_event::audit_event::{EventKind, Outcome};
use dataward_event::change::Direction;
use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::catalogue_rows::emitted;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use serde_json::{Value, json};

/// The cases of a folder, by the file that they stand in.
fn cases(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let list: Vec<Value> = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let family = path.file_stem().unwrap().to_string_lossy().into_owned();
        cases.extend(list.into_iter().map(|case| (family.clone(), case)));
    }
    cases
}

/// Whether the cases of a row stand here; those of the others stand with the tests of their sources.
fn told_here(row: &str) -> bool {
    let products = ["aws.", "elasticsearch.", "opensearch.", "mongodb.", "redis.", "kafka."];
    products.iter().any(|product| row.starts_with(product)) && !row.starts_with("mongodb.atlas.")
}

/// A whole event around the call of a case.
fn event_of(case: &Value) -> String {
    let service = case["service"].as_str().unwrap();
    let mut event = json!({
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::111122223333:user/ada",
            "accountId": "111122223333",
            "userName": "ada",
        },
        "eventTime": "2026-03-04T05:06:07Z",
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": case["operation"],
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": case["request"],
        "responseElements": case.get("response").cloned().unwrap_or_default(),
        "eventID": "case",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    });
    if let Some(kind) = case.get("identity") {
        event["userIdentity"]["type"] = kind.clone();
    }
    if let Some(error) = case.get("error") {
        event["errorCode"] = error.clone();
    }
    if let Some(by) = case.get("invoked_by") {
        event["userIdentity"]["invokedBy"] = by.clone();
    }
    event.to_string()
}

/// The record of a case: as it stands, or what a line of text says.
fn record_of(case: &Value) -> String {
    match &case["record"] {
        Value::String(line) => line.clone(),
        record => record.to_string(),
    }
}

#[test]
fn every_case_gives_its_changes() {
    let aws = cases("cases/aws").into_iter();
    let aws = aws.map(|(family, case)| (Source::AwsCloudtrail, family, event_of(&case), case));
    let others = cases("cases").into_iter().map(|(name, case)| {
        let source = Source::parse(&name).unwrap_or_else(|| panic!("cases/{name}.json: no source"));
        (source, name, record_of(&case), case)
    });
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let mut failures = Vec::new();
    let mut fired = BTreeSet::new();
    for (source, family, text, case) in aws.chain(others) {
        let name = format!("{family}: {}", case["what"].as_str().unwrap());
        let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
        let decoded = decode(source, record);
        assert_eq!(decoded.events.len(), 1, "{name}: {:?}", decoded.rejects);
        let event = &decoded.events[0].event;
        let found: Vec<String> = event
            .changes
            .iter()
            .map(|change| {
                let whole = if change.whole { " whole" } else { "" };
                let direction = change.direction.as_str();
                let row = if change.catalogue_row.is_empty() {
                    &change.setting
                } else {
                    &change.catalogue_row
                };
                format!("{direction} {row} [{}]{whole}", change.opened)
            })
            .collect();
        let expected: Vec<String> = serde_json::from_value(case["expect"].clone()).unwrap();
        if found != expected {
            failures.push(format!("{name}\n  expected {expected:#?}\n  found {found:#?}"));
        }
        // A copy changes no protection: it may be made over the data plane.
        let is_of_data = event.changes.iter().all(|change| change.setting.starts_with("copy_"));
        if !event.changes.is_empty() {
            let is_access = is_of_data && event.kind == EventKind::Access;
            // That somebody comes in tells what is open.
            let is_logon = event.kind == EventKind::Authentication
                && event.changes.iter().all(|change| change.direction == Direction::Weakened);
            let is_change = event.kind == EventKind::ConfigChange;
            assert!(is_change || is_access || is_logon, "{name}");
            let is_nameless = case["request"].is_null() && source == Source::AwsCloudtrail;
            assert!(
                event.datastore.is_some() || is_nameless || name.contains("backups"),
                "{name}: on what?"
            );
        }
        if let Some(uid) = case.get("datastore") {
            let found = event.datastore.as_ref().map(|datastore| &*datastore.uid);
            assert_eq!(found, uid.as_str(), "{name}");
        }
        if let Some(place) = case.get("place") {
            let change = event.changes.last().unwrap();
            let told = change.before.as_deref().or(change.after.as_deref());
            assert_eq!(told, place.as_str(), "{name}");
        }
        let is_refused = case.get("error").is_some();
        assert_eq!(event.outcome == Outcome::Failure, is_refused, "{name}");
        let open = event.changes.iter().filter(|c| c.direction != Direction::Strengthened);
        fired.extend(open.map(|change| change.catalogue_row.to_string()));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let silent: Vec<_> =
        emitted().map(|row| row.id).filter(|id| told_here(id) && !fired.contains(*id)).collect();
    assert!(silent.is_empty(), "rows without a case: {silent:?}");
}
