//! Records that nobody can read, between good ones: kept, accounted for, and the stream goes on (I5).

use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::kafka::{self, Sending, broker, setup};
use crate::support::process::Running;
use crate::support::story::story;

#[test]
fn poison_is_quarantined_and_the_stream_goes_on() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let story = story(5, 200);
    let mut good = story.messages.iter();
    let deep = format!("{{\"Records\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let huge = format!("{{\"eventVersion\":\"{}\"}}", "x".repeat(20 << 20));

    // 100 of which three are bad: a number, no event, and nothing.
    let mut parts: Vec<String> = good.by_ref().take(97).map(|m| m.payload.clone()).collect();
    parts.insert(10, "17".to_owned());
    parts.insert(50, "{\"hello\":\"world\"}".to_owned());
    parts.push("null".to_owned());
    let records = format!("{{\"Records\":[{}]}}", parts.join(","));

    let poison: [Option<&[u8]>; 8] = [
        Some(b"garbage"),
        Some(b"{\"eventVersion\":\"1.11\",\"eventName\":\"\xff\xfe\"}"),
        Some(deep.as_bytes()),
        Some(b""),
        None,
        Some(b"{\"Records\":[]}"),
        Some(records.as_bytes()),
        Some(huge.as_bytes()),
    ];
    let sending = Sending::to(broker, &topic);
    sending.message(good.next().unwrap());
    for payload in poison {
        sending.record(Some(b"key"), payload);
        sending.message(good.next().unwrap());
    }
    sending.flush();

    let setup = setup(broker, folder.path(), &topic, "");
    let mut running = Running::start(&setup.run());
    running.until("everything in the table", |_| committed(&setup.archive) == 17);
    running.terminate().expect(0);

    let report = verified(&setup.archive);
    assert_eq!(total(&report, "records"), 17);
    assert_eq!(total(&report, "events"), 9 + 97);
    assert_eq!(total(&report, "quarantined"), 10);
    let archived = contents(&setup.archive);
    assert_eq!(archived.distinct_uids(), 9 + 97);
    let partition = archived.quarantine[0].0.0.clone();
    let place = |offset, index, reason| ((partition.clone(), offset, index), reason);
    assert_eq!(
        archived.quarantine,
        [
            place(1, 0, "invalid_json"),
            place(3, 0, "invalid_utf8"),
            place(5, 0, "too_deep"),
            place(7, 0, "empty"),
            place(9, 0, "empty"),
            place(11, 0, "no_events"),
            place(13, 10, "wrong_shape"),
            place(13, 50, "wrong_shape"),
            place(13, 99, "wrong_shape"),
            place(15, 0, "too_large"),
        ]
    );
}
