//! The timeline: what is in it, in which order, and what is said besides.

use dataward_event::audit_event::EventKind;
use dataward_event::finding::CloseReason;
use dataward_event::time::EventTime;
use dataward_query::engine::{Engine, Options};
use dataward_query::error::QueryError;
use dataward_query::limits::Limits;
use dataward_query::timeline::asked::{Asked, Subject};
use dataward_query::timeline::entry::{COLUMNS, Entry};
use dataward_query::timeline::{Told, timeline};
use proptest::prelude::*;

use crate::support::*;

fn told(engine: &Engine, asked: &Asked) -> Result<(Vec<Entry>, Told), QueryError> {
    let mut entries = Vec::new();
    let told = timeline(engine, asked, &mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })?;
    assert_eq!(told.rows, entries.len());
    Ok((entries, told))
}

fn asked(names: &[(Subject, &str)]) -> Asked {
    let names = names.iter().map(|(subject, name)| (*subject, (*name).to_owned())).collect();
    Asked { names, ..Asked::default() }
}

fn between(from: i64, to: i64) -> Asked {
    let time = |micros| Some(EventTime::from_micros(micros));
    Asked { from: time(from), to: time(to), ..Asked::default() }
}

/// What happened when, since the start.
fn story(entries: &[Entry]) -> Vec<(i64, &'static str, String)> {
    let told = |entry: &Entry| {
        let who = entry.actor().unwrap_or_default().to_owned();
        (entry.time.micros() - START, entry.what.as_str(), who)
    };
    entries.iter().map(told).collect()
}

/// A bucket opened at 10 and closed at 50 with reads around it, and another bucket.
fn place() -> Place {
    let mut place = Place::new();
    let change = |micros, who| Event {
        kind: EventKind::ConfigChange,
        ..read(START + micros, who, "payments")
    };
    place.commit(START + DAY, |filling| {
        filling.event(&read(START + 20, "alice", "payments"));
        filling.event(&change(10, "j.doe"));
        filling.event(&read(START + 5, "alice", "payments"));
        filling.event(&read(START + 20, "anonymous", "payments"));
        filling.event(&Event { ip: "192.0.2.2", ..read(START + 30, "bob", "telemetry") });
        filling.window("w", "payments", START + 10, None);
        filling.alert(START + 10, "payments", "j.doe");
    });
    place.commit(START + 2 * DAY, |filling| {
        filling.event(&change(50, "s.fixer"));
        filling.window("w", "payments", START + 10, Some((START + 50, CloseReason::Restored)));
        filling.window(
            "never",
            "payments",
            START + 15,
            Some((START + 16, CloseReason::Superseded)),
        );
    });
    place
}

#[test]
fn entries_come_in_the_order_of_time_and_cause() {
    let place = place();
    let engine = place.engine();
    let (entries, told) = told(&engine, &asked(&[(Subject::Datastore, "payments")])).unwrap();
    let expected = [
        (5, "access", "alice"),
        (10, "config_change", "j.doe"),
        (10, "window_opened", "j.doe"),
        (10, "alert", "somebody"),
        (20, "access", "alice"),
        (20, "access", "anonymous"),
        (50, "config_change", "s.fixer"),
        (50, "window_closed", "s.fixer"),
    ];
    assert_eq!(story(&entries), expected.map(|(at, what, who)| (at, what, who.to_owned())));
    assert!(told.silent.is_empty());
    assert_eq!(
        told.coverage.events.map(|(first, last)| (first.micros(), last.micros())),
        Some((START + 5, START + 50))
    );
    assert_eq!(
        entries[1].message,
        "j.doe PutBucketPolicy payments/a.csv and 1 more from 203.0.113.7, 100 bytes"
    );
    assert_eq!(
        entries[2].message,
        "Window opened: access_policy of payments open to principal *, by j.doe"
    );
    assert!(entries[7].message.ends_with("by s.fixer (restored)"), "{}", entries[7].message);
    assert_eq!(entries[7].text("operation"), Some("DeleteBucketPolicy"));
    assert!(entries[3].message.starts_with("Protection weakened: payments: "));
    for cell in entries.iter().flat_map(|entry| entry.cells.keys()) {
        assert!(COLUMNS.contains(cell), "{cell}");
    }
}

#[test]
fn names_of_one_subject_are_alternatives_and_subjects_must_all_fit() {
    let place = place();
    let engine = place.engine();
    let count = |names: &[(Subject, &str)]| told(&engine, &asked(names)).unwrap().0.len();
    use Subject::{Actor, Datastore, Ip, Operation};
    assert_eq!(count(&[]), 9);
    assert_eq!(count(&[(Datastore, "arn:aws:s3:::telemetry")]), 1);
    assert_eq!(count(&[(Datastore, "telemetry"), (Datastore, "payments")]), 9);
    assert_eq!(count(&[(Actor, "alice")]), 2);
    assert_eq!(count(&[(Actor, "uid:alice")]), 2);
    assert_eq!(count(&[(Actor, "anonymous")]), 1);
    assert_eq!(count(&[(Actor, "alice"), (Actor, "anonymous")]), 3);
    // His change, the window that it opened, and the alert that has him as its second evidence.
    assert_eq!(count(&[(Actor, "j.doe")]), 3);
    assert_eq!(
        count(&[(Actor, "j.doe"), (Datastore, "payments"), (Operation, "PutBucketPolicy")]),
        2
    );
    // The read, and the alert.
    assert_eq!(count(&[(Ip, "192.0.2.2")]), 2);
    assert_eq!(count(&[(Ip, "192.0.2.2"), (Datastore, "telemetry")]), 1);
    assert_eq!(count(&[(Operation, "DeleteBucketPolicy")]), 1);
}

#[test]
fn a_range_has_its_first_moment_and_not_its_last() {
    let place = place();
    let engine = place.engine();
    let times = |from, to| {
        let (entries, _) = told(&engine, &between(START + from, START + to)).unwrap();
        entries.iter().map(|entry| entry.time.micros() - START).collect::<Vec<_>>()
    };
    assert_eq!(times(10, 20), [10, 10, 10]);
    assert_eq!(times(20, 21), [20, 20]);
    assert_eq!(times(21, 30), [0; 0]);
    assert_eq!(times(11, 51), [20, 20, 30, 50, 50]);
    assert_eq!(times(11, 50), [20, 20, 30]);
    let error = told(&engine, &between(START + 5, START + 5)).unwrap_err();
    assert!(matches!(error, QueryError::Question(_)), "{error:?}");
    let open = Asked { from: Some(EventTime::from_micros(START + 50)), ..Asked::default() };
    assert_eq!(told(&engine, &open).unwrap().0.len(), 2);
}

#[test]
fn a_name_that_is_nowhere_is_an_error_that_tells_close_ones() {
    let place = place();
    let engine = place.engine();
    for (subject, name, hint) in [
        (Subject::Datastore, "payment", "close to it: payments"),
        (Subject::Actor, "Alice", "close to it: alice"),
        (Subject::Ip, "203.0.113.8", "close to it: 203.0.113.7"),
        (Subject::Operation, "getobject", "close to it: GetObject"),
        (Subject::Operation, "Zzzzzzzzz", "SELECT DISTINCT operation"),
    ] {
        let error = told(&engine, &asked(&[(subject, name)])).unwrap_err();
        assert!(matches!(error, QueryError::Unknown(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(&format!("no {} {name}", subject.as_str())), "{text}");
        assert!(text.contains(hint), "{text}");
    }
    // One of two alternatives is enough to be wrong.
    let names = [(Subject::Actor, "alice"), (Subject::Actor, "alicia")];
    assert!(matches!(told(&engine, &asked(&names)), Err(QueryError::Unknown(_))));
}

#[test]
fn a_name_without_an_entry_is_told_apart_from_silence() {
    let place = place();
    let engine = place.engine();
    let names = asked(&[(Subject::Datastore, "telemetry"), (Subject::Actor, "alice")]);
    let (entries, told_alice) = told(&engine, &names).unwrap();
    assert!(entries.is_empty());
    let silent: Vec<_> = told_alice.silent.iter().map(|p| (p.name.as_str(), p.rows)).collect();
    assert_eq!(silent, [("telemetry", 1), ("alice", 2)]);
    let range =
        Asked { names: asked(&[(Subject::Actor, "alice")]).names, ..between(START, START + 5) };
    let (entries, told_range) = told(&engine, &range).unwrap();
    assert!(entries.is_empty());
    let alice = &told_range.silent[0];
    let time = |at| Some(EventTime::from_micros(START + at));
    assert_eq!((alice.first, alice.last), (time(5), time(20)));
}

#[test]
fn the_original_record_comes_where_it_is_asked_for() {
    let place = place();
    let engine = place.engine();
    let names = asked(&[(Subject::Actor, "bob")]).names;
    let (entries, _) =
        told(&engine, &Asked { names: names.clone(), raw: true, ..Asked::default() }).unwrap();
    assert_eq!(entries[0].text("raw"), Some("{\"n\":4}"));
    let (entries, _) = told(&engine, &Asked { names, ..Asked::default() }).unwrap();
    assert_eq!(entries[0].text("raw"), None);
}

#[test]
fn more_entries_than_allowed_are_an_error() {
    let place = place();
    for (max_rows, is_whole) in [(9, true), (8, false), (1, false)] {
        let limits = Limits { max_rows, ..Limits::default() };
        let engine = engine(&place.archive(), Options { limits, ..Options::default() }).unwrap();
        let mut entries = Vec::new();
        let told = timeline(&engine, &Asked::default(), &mut |entry| {
            entries.push(entry.clone());
            Ok(())
        });
        assert_eq!(told.is_ok(), is_whole);
        assert!(is_whole || matches!(told, Err(QueryError::Limit(_))));
        assert_eq!(entries.len(), max_rows);
    }
}

#[test]
fn holes_are_told() {
    let golden =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../archive/tests/golden/v2/archive");
    let engine = engine(&golden, Options::default()).unwrap();
    let (_, all) = told(&engine, &Asked::default()).unwrap();
    assert_eq!(all.coverage.quarantined, 1);
    let gaps: Vec<_> = all
        .coverage
        .gaps
        .iter()
        .map(|gaps| (gaps.cause.as_str(), gaps.ranges, gaps.offsets))
        .collect();
    assert_eq!(gaps, [("lost", 1, 2)]);
    // What was noticed before the range begins did not happen in it.
    let later =
        Asked { from: EventTime::parse_rfc3339("2024-08-03T00:00:00Z"), ..Asked::default() };
    let (_, later) = told(&engine, &later).unwrap();
    assert_eq!((later.coverage.quarantined, later.coverage.gaps.len()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_timeline_is_the_sorted_range(
        commits in prop::collection::vec(prop::collection::vec(0..40_i64, 1..20), 1..4),
        from in 0..40_i64,
        length in 1..40_i64,
    ) {
        let mut place = Place::new();
        for (day, times) in (0..).zip(&commits) {
            let events: Vec<Event> =
                times.iter().map(|at| read(START + at, "alice", "payments")).collect();
            place.events(START + day * DAY, &events);
        }
        // Times with the number of the event: its offset.
        let mut expected: Vec<(i64, i64)> = commits
            .iter()
            .flatten()
            .copied()
            .zip(0..)
            .filter(|(at, _)| (from..from + length).contains(at))
            .collect();
        expected.sort_unstable();
        let (entries, _) =
            told(&place.engine(), &between(START + from, START + from + length)).unwrap();
        let found: Vec<(i64, i64)> = entries
            .iter()
            .map(|entry| {
                let offset = entry.cell("kafka_offset").unwrap().as_i64().unwrap();
                (entry.time.micros() - START, offset)
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}
