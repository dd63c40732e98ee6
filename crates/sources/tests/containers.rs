//! The same event in every wrapping: each is taken off, for any source, and the record can be rebuilt.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dataward_event::audit_event::AuditEvent;
use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::decode::{Decoded, Envelope, Record};
use dataward_sources::source::{Source, decode};
use serde_json::{Value, json};

const REDIS: &str = r#"1772600767.123456 [0 192.0.2.7:4711] "get" "user:7""#;

fn mongodb() -> Value {
    json!({"atype": "authenticate", "ts": {"$date": "2026-03-04T05:06:07.123+00:00"},
        "local": {"ip": "192.0.2.9", "port": 27017}, "remote": {"ip": "192.0.2.7", "port": 4711},
        "users": [], "roles": [], "param": {"user": "ada", "db": "admin", "mechanism": "SCRAM-SHA-256"}, "result": 0})
}

fn with_decoded<R>(source: Source, payload: &[u8], look: impl FnOnce(Decoded<'_>) -> R) -> R {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(7), record_index: 0 };
    look(decode(source, Record { position: &position, kafka_time: None, payload }))
}

/// The events of a payload, told apart by `auto` and by their own source alike.
fn events(source: Source, payload: &[u8]) -> Vec<AuditEvent<'static>> {
    let of = |source| {
        with_decoded(source, payload, |decoded| {
            assert!(
                decoded.rejects.is_empty(),
                "{:?}\n{}",
                decoded.rejects,
                String::from_utf8_lossy(payload)
            );
            let events = decoded.events.into_iter();
            events.map(|event| event.event.into_owned()).collect::<Vec<_>>()
        })
    };
    let (bound, told) = (of(source), of(Source::Auto));
    assert_eq!(bound, told, "auto tells the source");
    bound
}

fn only(source: Source, payload: &[u8]) -> AuditEvent<'static> {
    let mut events = events(source, payload);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn datastore_of(event: &AuditEvent<'_>) -> String {
    event.datastore.as_ref().unwrap().uid.to_string()
}

#[test]
fn lines_in_syslog_and_of_container_runtimes() {
    for (line, datastore) in [
        (REDIS.to_owned(), "redis://unknown/0"),
        (format!("<134>1 2026-03-04T05:06:08Z cache1 redis 12 - - {REDIS}"), "redis://cache1/0"),
        (
            format!("<134>1 2026-03-04T05:06:08Z cache1 redis 12 - [x@1 y=\"z\"] \u{feff}{REDIS}"),
            "redis://cache1/0",
        ),
        (format!("<134>Mar  4 05:06:08 cache1 redis[12]: {REDIS}"), "redis://cache1/0"),
        (format!("2026-03-04T05:06:08.1+00:00 cache1 redis[12]: {REDIS}"), "redis://cache1/0"),
        (format!("2026-03-04T05:06:08.123456789Z stdout F {REDIS}"), "redis://unknown/0"),
    ] {
        let event = only(Source::RedisMonitor, line.as_bytes());
        assert_eq!(event.time.to_string(), "2026-03-04T05:06:07.123456Z", "{line}");
        assert_eq!(datastore_of(&event), datastore, "{line}");
    }
}

#[test]
fn lines_in_the_json_of_shippers() {
    for (envelope, datastore) in [
        (
            json!({"log": format!("{REDIS}\n"), "stream": "stdout", "time": "2026-03-04T05:06:08.1Z"}),
            "redis://unknown/0",
        ),
        (
            json!({"@timestamp": "2026-03-04T05:06:08.1Z", "@metadata": {"beat": "filebeat"}, "agent": {"name": "a"},
            "host": {"name": "cache1"}, "log": {"file": {"path": "/x"}, "offset": 3}, "message": REDIS}),
            "redis://cache1/0",
        ),
        (
            json!({"@timestamp": "2026-03-04T05:06:08.1Z", "input": {"type": "container"}, "message": REDIS,
            "kubernetes": {"namespace": "shop", "pod": {"name": "redis-0"}}, "host": {"name": "node7"}}),
            "redis://shop/redis-0/0",
        ),
        (
            json!({"date": 1_772_600_768.5, "log": REDIS, "kubernetes": {"pod_name": "redis-0", "namespace_name": "shop"}}),
            "redis://shop/redis-0/0",
        ),
        (
            json!({"file": "/x", "host": "cache1", "message": REDIS, "source_type": "file", "timestamp": "2026-03-04T05:06:08Z"}),
            "redis://cache1/0",
        ),
        (
            json!({"timestamp": "2026-03-04T05:06:08Z", "host": "cache1", "program": "redis", "message": REDIS}),
            "redis://cache1/0",
        ),
    ] {
        let event = only(Source::RedisMonitor, envelope.to_string().as_bytes());
        assert_eq!(datastore_of(&event), datastore, "{envelope}");
        assert_eq!(event.time.to_string(), "2026-03-04T05:06:07.123456Z");
    }
}

#[test]
fn json_in_envelopes_of_buses() {
    let event = mongodb();
    let text = event.to_string();
    let zipped = {
        let logs = json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/aws/docdb/orders/audit",
            "logStream": "s", "logEvents": [
                {"id": "1", "timestamp": 1_772_600_767_123_i64, "message": text},
                {"id": "2", "timestamp": 1_772_600_767_123_i64, "message": text}]});
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(logs.to_string().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let two = events(Source::MongodbAudit, &zipped);
    assert_eq!(two.len(), 2);
    assert_eq!(datastore_of(&two[0]), "mongodb:///aws/docdb/orders/audit/admin");
    for envelope in [
        json!({"records": [event]}),
        json!([event]),
        json!({"message": {"data": STANDARD.encode(&text), "messageId": "1", "publishTime": "2026-03-04T05:06:08Z"},
            "subscription": "projects/p/subscriptions/s"}),
        json!({"Type": "Notification", "MessageId": "m", "Message": text, "Timestamp": "2026-03-04T05:06:08Z"}),
        json!({"version": "0", "detail-type": "audit", "time": "2026-03-04T05:06:08Z", "detail": event}),
        json!({"specversion": "1.0", "type": "audit", "data": event}),
        json!({"@timestamp": "2026-03-04T05:06:08Z", "agent": {}, "message": text}),
        json!({"message": json!({"records": [event]}).to_string(), "host": "db1"}),
    ] {
        let found = only(Source::MongodbAudit, envelope.to_string().as_bytes());
        assert_eq!(found.actor.uid.as_deref(), Some("admin.ada"), "{envelope}");
    }
    let syslog = format!("<134>Mar  4 05:06:08 db1 mongod[7]: {text}");
    assert_eq!(datastore_of(&only(Source::MongodbAudit, syslog.as_bytes())), "mongodb://db1/admin");
}

/// An event without a time has that of its envelope, in any of the forms that they write.
#[test]
fn the_envelope_dates_what_has_no_time() {
    let line = "2026-03-04 Principal = User:ada is Allowed operation = READ from host = 192.0.2.7 on resource = Topic:LITERAL:orders for request = Fetch with resourceRefCount = 1";
    for envelope in [
        json!({"@timestamp": "2026-03-04T05:06:07Z", "agent": {}, "message": line}),
        json!({"date": 1_772_600_767.0, "log": line, "stream": "stdout"}),
        json!({"timestamp": 1_772_600_767_000_i64, "host": "k1", "message": line}),
        json!({"logGroup": "g", "logEvents": [{"id": "1", "timestamp": 1_772_600_767_000_i64, "message": line}]}),
    ] {
        let event = only(Source::KafkaAuthorizer, envelope.to_string().as_bytes());
        assert_eq!(event.time.to_string(), "2026-03-04T05:06:07Z", "{envelope}");
    }
}

#[test]
fn what_stood_around_is_kept() {
    let line = format!("<134>1 2026-03-04T05:06:08Z cache1 redis 12 - - {REDIS}");
    with_decoded(Source::RedisMonitor, line.as_bytes(), |decoded| {
        let Some(Envelope::Template(template)) = &decoded.envelope else { panic!("no template") };
        let rebuilt = String::from_utf8(template.clone()).unwrap().replace('\0', REDIS);
        assert_eq!(rebuilt, line);
    });
    let with_nul = format!("<134>a\0b {REDIS}");
    with_decoded(Source::RedisMonitor, with_nul.as_bytes(), |decoded| {
        let whole =
            decoded.envelope.is_none() || matches!(decoded.envelope, Some(Envelope::Template(_)));
        assert!(
            whole
                || matches!(&decoded.envelope, Some(Envelope::Whole(bytes)) if **bytes == *with_nul.as_bytes())
        );
    });
}

#[test]
fn damaged_envelopes_have_a_reason() {
    for payload in [
        &[0x1F, 0x8B, 8, 0, 1, 2, 3][..],
        br#"{"message": {"data": "not base64!", "messageId": "1"}, "subscription": "s"}"#,
        br#"{"records": []}"#,
        br#"{"logEvents": [{"id": "1", "timestamp": 1, "message": ""}]}"#,
    ] {
        with_decoded(Source::Auto, payload, |decoded| {
            assert!(decoded.events.is_empty());
            assert_eq!(decoded.rejects.len(), 1);
        });
    }
}
