//! Real log files beside the result that Elastic's own parser is expected to give for them: every line is read, and what
//! both tell agrees. Read in place; skipped aloud where the samples are not there.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use dataward_event::audit_event::{AuditEvent, Outcome};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use serde_json::Value;

fn samples() -> Option<PathBuf> {
    let folder =
        std::env::var_os("DATAWARD_TEST_DATA").map(|root| PathBuf::from(root).join("data"));
    if folder.is_none() {
        println!("SKIPPED: samples of Elastic: DATAWARD_TEST_DATA is not set");
    }
    folder
}

/// How often both tell the same.
#[derive(Debug, Default, PartialEq, Eq)]
struct Agreement {
    lines: usize,
    events: usize,
    compared: usize,
    equal: usize,
}

/// One text of an expected result, under any of these names.
fn text<'e>(expected: &'e Value, names: &[&str]) -> Option<&'e str> {
    names.iter().find_map(|name| expected.get(name)?.as_str())
}

/// The time of an expected result. Where the log names no zone, Elastic's tests put one in, and we read UTC.
fn time(expected: &Value) -> Option<i64> {
    let time = EventTime::parse_rfc3339(expected["@timestamp"].as_str()?)?;
    let zone = expected["@timestamp"].as_str()?.strip_suffix("-02:00");
    Some(time.micros() - if zone.is_some() { 2 * 3_600_000_000 } else { 0 })
}

/// What both tell: time, actor, address, operation, object, outcome.
fn compare(event: &AuditEvent<'_>, expected: &Value, agreement: &mut Agreement) -> Vec<String> {
    let outcome = text(expected, &["event.outcome"]).and_then(|outcome| match outcome {
        "success" => Some(Outcome::Success.as_str()),
        "failure" => Some(Outcome::Failure.as_str()),
        _ => None,
    });
    // The order of a list is no statement.
    let indices = expected["elasticsearch.audit.indices"].as_array();
    let object = indices.and_then(|list| {
        let is_first =
            |name: &&Value| event.objects.first().is_some_and(|first| name.as_str() == Some(first));
        list.iter().find(is_first).or(list.first())?.as_str()
    });
    let code = text(expected, &["event.action", "elasticsearch.audit.event_type"]);
    let pairs = [
        ("actor", text(expected, &["user.name"]).map(str::to_owned), event.actor.name.as_deref()),
        ("address", text(expected, &["source.ip"]).map(str::to_owned), event.client.ip.as_deref()),
        ("operation", code.map(str::to_owned), event.event_code.as_deref()),
        ("object", object.map(str::to_owned), event.objects.first().map(|object| &**object)),
        ("outcome", outcome.map(str::to_owned), Some(event.outcome.as_str())),
    ];
    let mut differences = Vec::new();
    for (what, expected, found) in pairs {
        let Some(expected) = expected else { continue };
        agreement.compared += 1;
        if found == Some(expected.as_str()) {
            agreement.equal += 1;
        } else {
            differences.push(format!("{what}: expected {expected}, found {found:?}"));
        }
    }
    agreement.compared += 1;
    if time(expected) == Some(event.time.micros()) {
        agreement.equal += 1;
    } else {
        differences
            .push(format!("time: expected {}, found {}", expected["@timestamp"], event.time));
    }
    differences
}

/// Reads every line of a folder's logs and compares it with the expected result whose message begins with it.
fn agree(folder: &Path, source: Source) -> Agreement {
    let position =
        Position { partition: Partition::new("samples", 0), offset: Offset(0), record_index: 0 };
    let mut agreement = Agreement::default();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "log")) {
        let mut name = file.clone().into_os_string();
        name.push("-expected.json");
        let expected: Vec<Value> =
            serde_json::from_str(&std::fs::read_to_string(name).unwrap()).unwrap();
        for line in std::fs::read_to_string(file).unwrap().lines() {
            agreement.lines += 1;
            let record = Record { position: &position, kafka_time: None, payload: line.as_bytes() };
            let decoded = decode(source, record);
            let rejected =
                decoded.rejects.iter().find(|reject| reject.reason != QuarantineReason::NoEvents);
            assert!(rejected.is_none(), "{}: {rejected:?}\n{line}", file.display());
            let Some(event) = decoded.events.first() else { continue };
            agreement.events += 1;
            let original =
                |expected: &&Value| text(expected, &["event.original", "message"]) == Some(line);
            if let Some(expected) = expected.iter().find(original) {
                for difference in compare(&event.event, expected, &mut agreement) {
                    println!("{}: {difference}\n  {line}", file.display());
                }
            }
        }
    }
    println!("{}: {agreement:?}", source.name());
    agreement
}

#[test]
fn elasticsearch_audit() {
    let Some(data) = samples() else { return };
    let found = agree(&data.join("elastic-beats/elasticsearch/audit"), Source::ElasticsearchAudit);
    assert_eq!((found.lines, found.events), (25, 25));
    // Elastic calls three accesses of the older form failures although the log grants them.
    assert_eq!((found.compared, found.equal), (127, 124));
}

#[test]
fn elasticsearch_server() {
    let Some(data) = samples() else { return };
    let folder = data.join("elastic-beats/elasticsearch/deprecation");
    let found = agree(&folder, Source::ElasticsearchServer);
    assert_eq!((found.lines, found.events), (25, 0), "deprecations tell nothing of protection");
}
