//! How many files a question opens.

use dataward_event::audit_event::EventKind;

use serde_json::json;

use crate::support::*;

/// Ten days with reads and a change each: a file for each kind and day. The events of the last day are a year old.
fn ten_days() -> Place {
    let mut place = Place::new();
    for day in 0..10 {
        let begin = if day == 9 { START - 365 * DAY } else { START + day * DAY };
        let change = Event { kind: EventKind::ConfigChange, ..read(begin + 2, "bob", "payments") };
        let actor = if day < 5 { "alice" } else { "zoe" };
        place.events(
            START + day * DAY,
            &[read(begin + 1, actor, "payments"), read(begin + DAY - 1, actor, "payments"), change],
        );
    }
    place
}

/// The answer, and how many files it took.
fn count(place: &Place, from: &str) -> (u64, usize) {
    let engine = place.engine();
    let count = cell(&engine, &format!("SELECT count(*) FROM {from}")).as_u64().unwrap();
    let effort = engine.effort();
    assert_eq!(effort.files, 20);
    assert!((effort.bytes_read > 0) == (effort.files_read > 0), "{effort:?}");
    (count, effort.files_read)
}

#[test]
fn a_condition_reads_fewer_files() {
    let place = ten_days();
    let day = |number: i64| at(START + number * DAY);
    let (third, fourth) = (day(3), day(4));
    for (from, expected) in [
        ("events".to_owned(), (30, 20)),
        ("archive".to_owned(), (30, 20)),
        ("access".to_owned(), (20, 10)),
        ("alerts".to_owned(), (0, 0)),
        ("archive WHERE kind = 'config_change'".to_owned(), (10, 10)),
        ("archive WHERE kind IN ('access', 'alert')".to_owned(), (20, 10)),
        ("access WHERE ingest_date = DATE '2019-12-06'".to_owned(), (2, 1)),
        ("access WHERE ingest_date >= '2019-12-10'".to_owned(), (8, 4)),
        ("events WHERE actor_uid = 'uid:alice'".to_owned(), (10, 5)),
        ("events WHERE datastore_uid = 'arn:aws:s3:::nothing'".to_owned(), (0, 0)),
        (format!("access WHERE event_time >= '{third}' AND event_time < '{fourth}'"), (2, 1)),
        (format!("events WHERE event_time BETWEEN '{third}' AND '{fourth}'"), (3, 2)),
        (format!("access WHERE event_time < '{}'", day(0)), (2, 1)),
        (format!("access WHERE NOT (event_time >= '{}')", day(0)), (2, 1)),
        (format!("events WHERE event_time >= '{}'", day(9)), (0, 0)),
        (
            format!("access WHERE event_time = '{}' OR kafka_offset = 0", at(START + 3 * DAY + 1)),
            (2, 2),
        ),
    ] {
        assert_eq!(count(&place, &from), expected, "{from}");
    }
}

#[test]
fn the_bounds_of_a_time_are_exact_to_the_microsecond() {
    let place = ten_days();
    let (first, last) = (START + 3 * DAY + 1, START + 4 * DAY - 1);
    for (condition, expected) in [
        (format!("event_time = '{}'", at(first)), (1, 1)),
        (format!("event_time = '{}'", at(last)), (1, 1)),
        (format!("event_time >= '{}' AND event_time < '{}'", at(first), at(last)), (1, 1)),
        (format!("event_time > '{}' AND event_time <= '{}'", at(first), at(last)), (1, 1)),
        (format!("event_time > '{}' AND event_time < '{}'", at(first), at(last)), (0, 1)),
        (format!("event_time > '{}' AND event_time <= '{}'", at(last), at(last + 1)), (0, 0)),
    ] {
        let (count, files) = count(&place, &format!("access WHERE {condition}"));
        assert_eq!(count, expected.0, "{condition}");
        assert!(files <= expected.1, "{condition}: {files}");
    }
}

#[test]
fn an_event_that_claims_the_future_is_found() {
    let mut place = Place::new();
    let future = START + 400 * DAY;
    place.events(START, &[read(START, "alice", "payments"), read(future, "eve", "payments")]);
    place.events(START + DAY, &[read(START + DAY, "alice", "payments")]);
    let engine = place.engine();
    let sql = format!("SELECT actor_name FROM events WHERE event_time >= '{}'", at(future));
    assert_eq!(rows(&engine, &sql), [[json!("eve")]]);
    assert_eq!(engine.effort().files_read, 1);
}

#[test]
fn a_time_beyond_all_dates_does_not_hide_a_file() {
    let mut place = Place::new();
    place.events(START, &[read(i64::MIN + 1, "eve", "payments"), read(START, "alice", "payments")]);
    let engine = place.engine();
    let sql = format!("SELECT actor_name FROM events WHERE event_time >= '{}'", at(START));
    assert_eq!(rows(&engine, &sql), [[json!("alice")]]);
    assert_eq!(cell(&engine, "SELECT count(*) FROM events"), 2);
}
