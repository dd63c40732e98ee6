//! Records whose schema stands in a registry, which is a small server of this test's own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_kafka::schema_registry::{Address, SchemaRegistry};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode_with};
use serde_json::json;

/// A registry that answers a few questions, and counts them.
struct Registry {
    url: String,
    asked: Arc<AtomicUsize>,
}

fn answer(path: &str) -> (u16, String) {
    let user =
        r#"syntax = "proto3"; package common; message User { string user = 1; string db = 2; }"#;
    let event = r#"syntax = "proto3"; import "common/user.proto"; import "google/protobuf/struct.proto";
        message Event { string atype = 1; string ts = 2; repeated common.User users = 3; int32 result = 4; }"#;
    let avro = json!({"type": "record", "name": "Event", "fields": [
        {"name": "atype", "type": "string"}, {"name": "ts", "type": "string"}, {"name": "result", "type": "int"}]});
    match path {
        "/schemas/ids/1" => (200, json!({"schema": avro.to_string()}).to_string()),
        "/schemas/ids/2" => (
            200,
            json!({"schemaType": "PROTOBUF", "schema": event, "references": [
            {"name": "common/user.proto", "subject": "common/user", "version": 3}]})
            .to_string(),
        ),
        "/subjects/common%2Fuser/versions/3" => {
            (200, json!({"schema": user, "schemaType": "PROTOBUF"}).to_string())
        }
        "/schemas/ids/8" => {
            (200, json!({"schemaType": "PROTOBUF", "schema": "message {"}).to_string())
        }
        "/subjects" => (200, "[]".to_owned()),
        _ => (404, json!({"error_code": 40403, "message": "Schema not found"}).to_string()),
    }
}

fn serve(mut stream: TcpStream, refusals: &AtomicUsize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().unwrap().unwrap();
    let mut is_allowed = false;
    for line in lines.by_ref() {
        let line = line.unwrap();
        // ada:secret
        is_allowed |= line.eq_ignore_ascii_case("authorization: Basic YWRhOnNlY3JldA==");
        if line.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap();
    let is_busy =
        refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
    let (status, body) = match (is_busy, is_allowed) {
        (true, _) => (503, String::new()),
        (_, false) => (401, String::new()),
        _ => answer(path),
    };
    write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

fn registry(refusals: usize) -> Registry {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, refusals) = (Arc::clone(&asked), AtomicUsize::new(refusals));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            serve(stream.unwrap(), &refusals);
        }
    });
    Registry { url, asked }
}

fn client(url: &str) -> SchemaRegistry {
    let credentials = Some("ada:secret".to_owned());
    SchemaRegistry::new(
        Address { url: url.to_owned(), credentials },
        Arc::new(AtomicBool::new(false)),
    )
}

const AVRO: &[u8] = b"\x00\x00\x00\x00\x01\x18authenticate\x282026-03-04T05:06:07Z\x00";
const PROTOBUF: &[u8] =
    b"\x00\x00\x00\x00\x02\x00\x0a\x0cauthenticate\x12\x142026-03-04T05:06:07Z\x1a\x0c\x0a\x03ada\x12\x05admin";

fn operation(
    client: &SchemaRegistry,
    payload: &[u8],
) -> Result<String, (QuarantineReason, String)> {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let record = Record { position: &position, kafka_time: None, payload };
    let decoded = decode_with(Source::Auto, record, Some(client));
    match (decoded.events.first(), decoded.rejects.first()) {
        (Some(event), _) => Ok(format!("{} {}", event.event.operation, event.event.time)),
        (None, Some(reject)) => Err((reject.reason, reject.detail.clone())),
        (None, None) => panic!("nothing"),
    }
}

#[test]
fn a_schema_is_fetched_once_with_what_it_refers_to() {
    let registry = registry(0);
    let client = client(&registry.url);
    for _ in 0..3 {
        assert_eq!(operation(&client, AVRO).unwrap(), "authenticate 2026-03-04T05:06:07Z");
        assert_eq!(operation(&client, PROTOBUF).unwrap(), "authenticate 2026-03-04T05:06:07Z");
    }
    assert_eq!(registry.asked.load(Ordering::SeqCst), 3, "two schemas and a reference");
    client.check().unwrap();
}

#[test]
fn a_schema_that_there_is_not_costs_its_records_only() {
    let registry = registry(0);
    let client = client(&registry.url);
    for payload in [&b"\x00\x00\x00\x00\x09\x01"[..], b"\x00\x00\x00\x00\x08\x01"] {
        for _ in 0..2 {
            let (reason, detail) = operation(&client, payload).unwrap_err();
            assert_eq!(reason, QuarantineReason::InvalidValue, "{detail}");
        }
    }
    assert_eq!(registry.asked.load(Ordering::SeqCst), 2, "what is unusable is not asked for again");
    assert!(operation(&client, AVRO).is_ok());
}

#[test]
fn a_registry_that_is_busy_is_waited_for() {
    let registry = registry(1);
    assert!(operation(&client(&registry.url), AVRO).is_ok());
    assert_eq!(registry.asked.load(Ordering::SeqCst), 2);
}
