//! What an access event says: who, from where, on what, how much.
#![expect(clippy::unwrap_used, reason = "tests")]

use dataward_event::audit_event::{
    ActorKind, AuditEvent, Class, DatastoreForm, EventKind, Outcome, TimeOrigin,
};
use dataward_event::change::{Control, Direction};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::KafkaTime;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use serde_json::{Value, json};

fn read_at(
    text: &str,
    kafka_time: Option<KafkaTime>,
) -> Result<AuditEvent<'static>, QuarantineReason> {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let record = Record { position: &position, kafka_time, payload: text.as_bytes() };
    let mut decoded = decode(Source::Auto, record);
    match decoded.rejects.first() {
        Some(reject) => Err(reject.reason),
        None => Ok(decoded.events.remove(0).event.into_owned()),
    }
}

fn read(event: &Value) -> AuditEvent<'static> {
    read_at(&event.to_string(), None).unwrap()
}

/// A read of an object, with some fields replaced.
fn object_read(fields: Value) -> AuditEvent<'static> {
    let mut event = json!({
        "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "eventTime": "2026-03-04T05:06:07Z",
        "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "eventID": "e1",
        "requestParameters": {"bucketName": "orders-archive", "key": "2026/a.csv"},
        "additionalEventData": {"bytesTransferredOut": 89.0}, "readOnly": true,
        "recipientAccountId": "111122223333",
    });
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    read(&event)
}

#[test]
fn an_object_read_is_complete() {
    let event = object_read(json!({"userIdentity": {"type": "IAMUser", "userName": "ada",
        "arn": "arn:aws:iam::111122223333:user/ada"}}));
    assert_eq!(
        (event.kind, event.class, event.activity_id),
        (EventKind::Access, Class::DatastoreActivity, 1)
    );
    assert_eq!((event.uid.as_ref(), event.outcome), ("e1", Outcome::Success));
    let datastore = event.datastore.unwrap();
    assert_eq!(
        (datastore.uid.as_ref(), datastore.form),
        ("arn:aws:s3:::orders-archive", DatastoreForm::Bucket)
    );
    assert_eq!(event.objects, ["2026/a.csv"]);
    assert_eq!(event.volume.bytes.map(|bytes| bytes.0), Some(89));
    assert_eq!(event.volume.objects.map(|objects| objects.0), Some(1));
    assert_eq!(event.volume.rows, None, "unknown is not zero");
    assert_eq!(event.client.ip.as_deref(), Some("198.51.100.7"));
}

#[test]
fn a_write_tells_what_came_in() {
    let event = object_read(json!({"eventName": "PutObject", "readOnly": false,
        "additionalEventData": {"bytesTransferredIn": 4096, "bytesTransferredOut": 0}}));
    assert_eq!((event.kind, event.activity_id), (EventKind::Access, 5));
    assert_eq!(event.volume.bytes.map(|bytes| bytes.0), Some(4096));
}

#[test]
fn a_copy_of_an_object_stays_an_access() {
    let event = object_read(json!({"eventName": "CopyObject", "readOnly": false,
        "requestParameters": {"bucketName": "copy", "key": "a", "x-amz-copy-source": "orders/a"}}));
    assert_eq!((event.kind, event.activity_id), (EventKind::Access, 5));
    assert_eq!(event.changes.len(), 1);
    assert_eq!(event.changes[0].setting, dataward_event::change::COPY_FROM);
}

#[test]
fn an_access_log_tells_how_large_a_write_was() {
    let line = |operation: &str, sent: &str| {
        let text = format!(
            "79a5 orders [04/Mar/2026:05:06:07 +0000] 198.51.100.7 arn:aws:iam::111122223333:user/ada 3E57 {operation} a.csv \
             \"- /orders/a.csv HTTP/1.1\" 200 - {sent} 4096 17 16 \"-\" \"x\" -"
        );
        read_at(&text, None).unwrap().volume.bytes.map(|bytes| bytes.0)
    };
    assert_eq!(line("REST.PUT.OBJECT", "-"), Some(4096));
    assert_eq!(line("REST.GET.OBJECT", "512"), Some(512));
    assert_eq!(line("REST.DELETE.OBJECT", "-"), None);
}

#[test]
fn an_event_in_ocsf_tells_copies_and_what_was_written() {
    let event = |activity_id: u16, own: Value| {
        read(&json!({"class_uid": 6005, "activity_id": activity_id, "time": 1_772_600_767_123_u64,
            "status_id": 1, "metadata": {"uid": "1"}, "unmapped": {"dataward": own}}))
    };
    let counts = json!({"bytes_in": 4096, "rows_written": 7, "datastore": {"uid": "d"}});
    let written = event(5, counts.clone()).volume;
    assert_eq!(written.bytes.map(|bytes| bytes.0), Some(4096));
    assert_eq!(written.rows.map(|rows| rows.0), Some(7));
    let asked = event(4, counts).volume;
    assert_eq!((asked.bytes, asked.rows), (None, None), "a question is no data");
    let copied = event(
        5,
        json!({"datastore": {"uid": "d"}, "change": {"control": "sharing", "setting": "copy_from",
            "opened": "o", "direction": "neutral"}}),
    );
    assert_eq!(copied.kind, EventKind::Access, "a copy moves no protection");
    assert_eq!((&*copied.changes[0].setting, &*copied.changes[0].opened), ("copy_from", "o"));
}

#[test]
fn a_refused_read_moved_nothing() {
    let event = object_read(
        json!({"errorCode": "AccessDenied", "additionalEventData": {"bytesTransferredOut": 243}}),
    );
    assert_eq!(event.outcome, Outcome::Failure);
    assert_eq!(event.volume, dataward_event::volume::Volume::default());
    assert_eq!(event.objects.len(), 1, "what was tried is known");
}

#[test]
fn actors_are_told_apart() {
    let role = |session: &str, role: &str| {
        json!({"type": "AssumedRole", "principalId": format!("AROAEXAMPLE:{session}"),
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
            "sessionContext": {"sessionIssuer": {"arn": format!("arn:aws:iam::111122223333:role/{role}"), "userName": role},
                "attributes": {"mfaAuthenticated": "true"}}})
    };
    let actor = |identity: Value| object_read(json!({"userIdentity": identity})).actor;
    let kinds = [
        (role("i-0123456789abcdef0", "web"), ActorKind::Service, Some("web/i-0123456789abcdef0")),
        (
            role("ada@example.com", "AWSReservedSSO_Admin_1"),
            ActorKind::Human,
            Some("ada@example.com"),
        ),
        (role("nightly", "etl"), ActorKind::Unknown, Some("etl/nightly")),
        (
            role("x", "AWSServiceRoleForConfig"),
            ActorKind::Service,
            Some("AWSServiceRoleForConfig/x"),
        ),
        (
            json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}),
            ActorKind::Human,
            Some("root"),
        ),
        (
            json!({"type": "AWSService", "invokedBy": "backup.amazonaws.com"}),
            ActorKind::Service,
            Some("backup.amazonaws.com"),
        ),
        (
            json!({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}),
            ActorKind::Anonymous,
            None,
        ),
        (json!({"type": "AWSAccount", "accountId": "444455556666"}), ActorKind::Unknown, None),
    ];
    for (identity, kind, name) in kinds {
        let actor = actor(identity.clone());
        assert_eq!((actor.kind, actor.name.as_deref()), (kind, name), "{identity}");
    }
    let session = actor(role("nightly", "etl"));
    assert_eq!(session.issuer.as_deref(), Some("arn:aws:iam::111122223333:role/etl"));
    assert_eq!(
        (session.mfa, session.session_uid.as_deref()),
        (Some(true), Some("AROAEXAMPLE:nightly"))
    );
}

#[test]
fn a_service_in_the_place_of_an_address_is_a_name() {
    let client =
        object_read(json!({"sourceIPAddress": "AWS Internal", "vpcEndpointId": "vpce-1"})).client;
    assert_eq!((client.ip, client.domain.as_deref()), (None, Some("AWS Internal")));
    assert_eq!(client.endpoint_uid.as_deref(), Some("vpce-1"));
}

#[test]
fn a_failed_console_login_is_a_failed_authentication() {
    let event = object_read(
        json!({"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin",
        "responseElements": {"ConsoleLogin": "Failure"}, "additionalEventData": {"MFAUsed": "No"}}),
    );
    assert_eq!((event.kind, event.class), (EventKind::Authentication, Class::Authentication));
    assert_eq!((event.outcome, event.actor.mfa), (Outcome::Failure, Some(false)));
}

#[test]
fn time_falls_back_and_only_the_future_is_clamped() {
    let kafka = Some(KafkaTime::from_millis(1_000_000));
    let at =
        |text: &str| read_at(text, kafka).map(|event| (event.time.micros(), event.time_origin));
    let collected = r#"{"eventName":"x","eventTime":"soon","@timestamp":"1970-01-01T00:00:07Z"}"#;
    assert_eq!(at(collected), Ok((7_000_000, TimeOrigin::Collector)));
    assert_eq!(at(r#"{"eventName":"x"}"#), Ok((1_000_000_000, TimeOrigin::Kafka)));
    let future = r#"{"eventName":"x","eventTime":"2090-01-01T00:00:00Z"}"#;
    assert_eq!(at(future), Ok((1_300_000_000, TimeOrigin::Clamped)));
    assert_eq!(read_at(r#"{"eventName":"x"}"#, None), Err(QuarantineReason::NoTime));
}

#[test]
fn an_event_without_a_time_has_that_of_its_envelope() {
    let at = |record: Value| {
        let event = read_at(&record.to_string(), None);
        event.map(|event| (event.time.micros() / 1_000_000, event.time_origin))
    };
    let bare = json!({"eventName": "x"});
    let bus = |detail: &Value| {
        json!({"detail-type": "AWS API Call via CloudTrail", "detail": detail,
            "time": "1970-01-01T00:00:05Z", "@timestamp": "1970-01-01T00:00:07Z"})
    };
    assert_eq!(at(bus(&bare)), Ok((5, TimeOrigin::Collector)));
    // Whatever stands nearer to the event is nearer to the truth.
    let dated = json!({"eventName": "x", "eventTime": "1970-01-01T00:00:01Z"});
    assert_eq!(at(bus(&dated)), Ok((1, TimeOrigin::Source)));
    let collected = json!({"eventName": "x", "@timestamp": "1970-01-01T00:00:03Z"});
    assert_eq!(at(bus(&collected)), Ok((3, TimeOrigin::Collector)));

    let beside = |mut record: Value, time: &str| {
        record["@timestamp"] = json!(time);
        record
    };
    let seven = "1970-01-01T00:00:07Z";
    let message = json!({"Type": "Notification", "Message": bare.to_string()});
    for envelope in [
        json!({"detail-type": "x", "detail": bare}),
        json!({"detail-type": "x", "detail": bare, "time": "soon"}),
        json!({"Records": [bare]}),
        message,
    ] {
        assert_eq!(at(beside(envelope, seven)), Ok((7, TimeOrigin::Collector)));
    }
    // Only a bus has a `time` of its own.
    let records = json!({"Records": [bare], "time": seven});
    assert_eq!(at(records), Err(QuarantineReason::NoTime));
}

#[test]
fn generic_ocsf_is_read() {
    let event = read(&json!({"class_uid": 6005, "activity_id": 4, "time": 1_772_600_767_000_i64,
        "metadata": {"uid": "q1"}, "status_id": 1, "api": {"operation": "SELECT"},
        "actor": {"user": {"name": "reporting", "type_id": 4, "groups": [{"name": "analytics"}]}},
        "database": {"name": "orders", "uid": "db1/orders"},
        "unmapped": {"dataward": {"rows_returned": 12, "sensitivity": "restricted",
            "change": {"control": "data_masking", "setting": "row_policy", "direction": "weakened"}}}}));
    assert_eq!(event.source, "ocsf");
    assert_eq!((event.actor.kind, event.actor.groups.len()), (ActorKind::Service, 1));
    assert_eq!(event.volume.rows.map(|rows| rows.0), Some(12));
    assert_eq!(event.kind, EventKind::ConfigChange, "a stated change makes it one");
    let change = &event.changes[0];
    assert_eq!((change.control, change.direction), (Control::DataMasking, Direction::Weakened));
    assert_eq!(change.opened, "row_policy", "an unnamed thing is the setting itself");
    assert_eq!(read_at(r#"{"class_uid":9999,"time":1}"#, None), Err(QuarantineReason::WrongShape));
}
