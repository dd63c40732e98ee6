//! Records in, events and rejects out: the promises of decoding, for any bytes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::KafkaTime;
use dataward_sources::decode::{Decoded, Envelope, Record};
use dataward_sources::source::{Source, decode};
use proptest::prelude::*;

const KAFKA_MICROS: i64 = 1_900_000_000_000_000;

fn position() -> Position {
    Position { partition: Partition::new("audit", 3), offset: Offset(7), record_index: 0 }
}

fn with_decoded<R>(source: Source, payload: &[u8], look: impl FnOnce(Decoded<'_>) -> R) -> R {
    let position = position();
    let kafka_time = Some(KafkaTime::from_micros(KAFKA_MICROS));
    look(decode(source, Record { position: &position, kafka_time, payload }))
}

/// The record rebuilt from what came out of it.
fn rebuilt(decoded: &Decoded<'_>) -> Vec<u8> {
    let mut parts: Vec<(u32, &[u8])> = decoded
        .events
        .iter()
        .map(|event| (event.record_index, &*event.raw))
        .chain(decoded.rejects.iter().map(|reject| (reject.record_index, &*reject.raw)))
        .collect();
    parts.sort_unstable();
    match &decoded.envelope {
        None => {
            assert_eq!(parts.len(), 1, "without an envelope the record is one part");
            parts[0].1.to_vec()
        }
        Some(Envelope::Whole(whole)) => whole.to_vec(),
        Some(Envelope::Template(template)) => {
            let mut parts = parts.iter();
            let mut record = Vec::new();
            for byte in template {
                match byte {
                    0 => record.extend_from_slice(parts.next().unwrap().1),
                    byte => record.push(*byte),
                }
            }
            assert!(parts.next().is_none(), "more parts than places");
            record
        }
    }
}

fn check_promises(source: Source, payload: &[u8]) {
    with_decoded(source, payload, |decoded| {
        let indices: Vec<u32> = decoded
            .events
            .iter()
            .map(|event| event.record_index)
            .chain(decoded.rejects.iter().map(|reject| reject.record_index))
            .collect();
        let unique: BTreeSet<u32> = indices.iter().copied().collect();
        assert_eq!(unique.len(), indices.len(), "an index was used twice");
        assert!(!indices.is_empty(), "a record gives at least one event or reject");
        assert_eq!(unique.last().map(|last| *last as usize + 1), Some(indices.len()));
        assert_eq!(rebuilt(&decoded), payload);
        for event in &decoded.events {
            assert!(!event.event.uid.is_empty());
        }
    });
}

fn event(id: u32) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ada","userName":"ada","accountId":"111122223333"}},"eventTime":"2024-05-06T07:08:09Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1","sourceIPAddress":"198.51.100.7","requestParameters":{{"bucketName":"orders","key":"a {id}"}},"additionalEventData":{{"bytesTransferredOut":12.0}},"eventID":"id-{id}","recipientAccountId":"111122223333"}}"#
    )
}

fn counts(payload: &str) -> (usize, usize) {
    check_promises(Source::AwsCloudtrail, payload.as_bytes());
    with_decoded(Source::AwsCloudtrail, payload.as_bytes(), |d| (d.events.len(), d.rejects.len()))
}

fn reason(payload: &[u8]) -> QuarantineReason {
    check_promises(Source::AwsCloudtrail, payload);
    with_decoded(Source::AwsCloudtrail, payload, |decoded| decoded.rejects[0].reason)
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn every_container_gives_its_events() {
    let (one, two) = (event(1), event(2));
    let bridge = format!(
        r#"{{"version":"0","id":"x","detail-type":"AWS API Call via CloudTrail","detail":{one},"time":"2024-01-01T00:00:00Z"}}"#
    );
    let sns = |message: &str| {
        format!(r#"{{"Type":"Notification","MessageId":"m","Message":{}}}"#, escaped(message))
    };
    assert_eq!(counts(&one), (1, 0));
    assert_eq!(counts(&format!("  {one}\n")), (1, 0));
    assert_eq!(counts(&format!("[{one}, {two}]")), (2, 0));
    assert_eq!(counts(&format!(r#"{{"Records":[{one},{two}]}}"#)), (2, 0));
    assert_eq!(
        counts(&format!(r#"{{"owner":{{"a":[1]}},"Records":[{one},{two}],"x":1}}"#)),
        (2, 0)
    );
    assert_eq!(counts(&bridge), (1, 0));
    assert_eq!(counts(&format!("[{bridge},{two}]")), (2, 0));
    assert_eq!(counts(&sns(&one)), (1, 0));
    assert_eq!(counts(&sns(&bridge)), (1, 0));
    assert_eq!(counts(&sns(&format!(r#"{{"Records":[{one},{two}]}}"#))), (2, 0));
}

#[test]
fn bad_elements_do_not_take_the_good_ones_with_them() {
    let mut parts: Vec<String> = (0..100).map(event).collect();
    parts[3] = "17".to_owned();
    parts[50] = r#"{"nothing":"here"}"#.to_owned();
    parts[99] = r#"{"eventName":"Get"#.to_owned() + r#"Object","bad":tru}"#;
    // The last one is malformed, so the list cannot be read to its end; what stood before it is kept.
    let record = format!(r#"{{"Records":[{}]}}"#, parts.join(","));
    assert_eq!(counts(&record), (97, 3));
    with_decoded(Source::AwsCloudtrail, record.as_bytes(), |decoded| {
        let reasons: Vec<_> = decoded.rejects.iter().map(|r| (r.record_index, r.reason)).collect();
        assert_eq!(
            reasons,
            [
                (3, QuarantineReason::WrongShape),
                (50, QuarantineReason::WrongShape),
                (99, QuarantineReason::InvalidJson)
            ]
        );
        assert_eq!(&*decoded.rejects[0].raw, b"17");
    });
}

#[test]
fn a_list_that_is_cut_off_keeps_its_leading_events() {
    let record = format!(r#"{{"Records":[{},{},{}"#, event(1), event(2), &event(3)[..40]);
    assert_eq!(counts(&record), (2, 1));
    assert_eq!(counts(&format!("[{}", event(1))), (1, 1));
}

#[test]
fn what_cannot_be_read_has_the_right_reason() {
    assert_eq!(reason(b""), QuarantineReason::Empty);
    assert_eq!(reason(b"[]"), QuarantineReason::NoEvents);
    assert_eq!(reason(br#"{"Records":[]}"#), QuarantineReason::NoEvents);
    assert_eq!(reason(b"\xff\xfe"), QuarantineReason::InvalidUtf8);
    assert_eq!(reason(b"{\"eventName\":"), QuarantineReason::InvalidJson);
    assert_eq!(reason(b"plain text"), QuarantineReason::InvalidJson);
    assert_eq!(reason(b"{}"), QuarantineReason::WrongShape);
    assert_eq!(reason(b"null"), QuarantineReason::WrongShape);
    assert_eq!(reason("[".repeat(100_000).as_bytes()), QuarantineReason::TooDeep);
    assert_eq!(reason(&vec![b' '; 16 * 1024 * 1024 + 1]), QuarantineReason::TooLarge);
    let other =
        br#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"running"}}"#;
    assert_eq!(reason(other), QuarantineReason::WrongShape);
    let many = format!("[{}1]", "1,".repeat(100_000));
    assert_eq!(reason(many.as_bytes()), QuarantineReason::TooManyEvents);
}

#[test]
fn odd_types_and_repeated_keys_do_not_lose_an_event() {
    let odd = r#"{"eventName":["PutBucketAcl"],"eventName":"GetObject","eventSource":"s3.amazonaws.com",
        "userIdentity":"nobody","eventTime":17,"readOnly":"true","requestID":12,"eventID":99,
        "resources":{"a":1},"additionalEventData":"none","requestParameters":[1,2]}"#;
    assert_eq!(counts(odd), (1, 0));
    with_decoded(Source::AwsCloudtrail, odd.as_bytes(), |decoded| {
        let event = &decoded.events[0].event;
        assert_eq!(event.operation, "GetObject");
        assert_eq!(event.uid, "99");
        assert_eq!(event.time.micros(), KAFKA_MICROS, "an unreadable time falls back");
    });
}

#[test]
fn an_event_without_an_id_gets_one_from_its_bytes_and_place() {
    let text = event(1).replace(r#","eventID":"id-1""#, "");
    let uid = |payload: &str| {
        with_decoded(Source::Auto, payload.as_bytes(), |d| d.events[0].event.uid.to_string())
    };
    assert_eq!(uid(&text), uid(&text));
    assert_eq!(uid(&text).len(), 32);
    assert_ne!(uid(&text), uid(&text.replace("ada", "eve")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_keep_the_promises(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for source in Source::ALL {
            check_promises(source, &bytes);
        }
    }

    #[test]
    fn any_cut_and_any_flip_keep_the_promises(
        container in 0_usize..4, cut in 0_usize..3000, at in 0_usize..3000, byte in any::<u8>(),
    ) {
        let (one, two) = (event(1), event(2));
        let text = match container {
            0 => one,
            1 => format!(r#"{{"Records":[{one}, {two}]}}"#),
            2 => format!(r#"{{"Type":"Notification","Message":{}}}"#, escaped(&two)),
            _ => format!(r#"[{{"detail-type":"x","detail":{one}}},{two}]"#),
        };
        let mut bytes = text.into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        for source in Source::ALL {
            check_promises(source, &bytes);
        }
    }
}
