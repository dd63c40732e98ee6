//! Audit logs of Google Cloud: what each entry says, and which changes of protection it states.

mod cloud;
mod samples;

use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use serde_json::Value;

#[test]
fn every_case_is_told() {
    cloud::run(Source::GcpAudit, "gcp.json", "gcp.");
}

/// The reason for which a text that is no event is put aside.
fn reason(text: &str) -> QuarantineReason {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
    decode(Source::GcpAudit, record).rejects[0].reason
}

#[test]
fn what_is_no_audit_log_is_put_aside() {
    let requests = r#"{"insertId":"a","timestamp":"2026-03-04T05:06:07Z","jsonPayload":{}}"#;
    assert_eq!(reason(requests), QuarantineReason::NoEvents);
    let undated = r#"{"insertId":"a","protoPayload":{"methodName":"storage.objects.get"}}"#;
    assert_eq!(reason(undated), QuarantineReason::NoTime);
    assert_eq!(reason(r#"{"protoPayload":"#), QuarantineReason::InvalidJson);
}

#[test]
fn samples_are_read() {
    let Some(data) = samples::test_data("samples of Google Cloud") else { return };
    let (mut events, mut others) = (0, 0);
    for file in ["gcp-security-analytics/events.ndjson", "google-cloudevents/gcp_audit.ndjson"] {
        for line in std::fs::read_to_string(data.join("data").join(file)).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let entry = line.get("event").unwrap_or(&line);
            if entry.get("protoPayload").is_none() {
                assert_eq!(reason(&entry.to_string()), QuarantineReason::NoEvents);
                others += 1;
                continue;
            }
            let event = cloud::read(Source::GcpAudit, &entry.to_string());
            let method = &entry["protoPayload"]["methodName"];
            assert_eq!(event.operation, method.as_str().unwrap());
            assert_eq!(cloud::read(Source::Auto, &entry.to_string()).uid, event.uid);
            events += 1;
        }
    }
    println!("{events} events, {others} entries of other logs");
    assert_eq!((events, others), (11, 1));
}
