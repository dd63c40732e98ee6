//! Answers, compared with what was written.

use std::collections::BTreeMap;

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::exposures::Withdrawn;
use dataward_event::audit_event::EventKind;
use dataward_event::finding::CloseReason;
use dataward_query::error::QueryError;
use dataward_query::views;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

const KINDS: [EventKind; 3] =
    [EventKind::Access, EventKind::ConfigChange, EventKind::Authentication];

fn event() -> impl Strategy<Value = Event> {
    let actors = prop::sample::select(vec!["alice", "bob", "anonymous"]);
    let stores = prop::sample::select(vec!["payments", "telemetry"]);
    let bytes = prop::option::of(0..1_000_u64);
    // Days before and after the arrival; whole seconds and not.
    (-3 * DAY..3 * DAY, 0..3_usize, actors, stores, bytes).prop_map(
        |(offset, kind, actor, store, bytes)| Event {
            micros: START + offset,
            kind: KINDS[kind],
            bytes,
            ..read(0, actor, store)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn sums_are_those_of_what_was_written(
        days in prop::collection::vec(prop::collection::vec(event(), 1..30), 1..5),
        from in -4 * DAY..4 * DAY,
        length in 0..4 * DAY,
    ) {
        let mut place = Place::new();
        for (day, events) in (0..).zip(&days) {
            place.events(START + day * DAY, events);
        }
        let engine = place.engine();
        let (from, to) = (START + from, START + from + length);
        let all = || days.iter().flatten();

        let mut by_kind: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for event in all().filter(|event| (from..to).contains(&event.micros)) {
            let (rows, bytes) = by_kind.entry(event.kind.as_str()).or_default();
            *rows += 1;
            *bytes += event.bytes.unwrap_or(0);
        }
        let expected: Vec<Vec<Value>> = by_kind
            .into_iter()
            .map(|(kind, (rows, bytes))| vec![kind.into(), rows.into(), bytes.into()])
            .collect();
        let range = format!("event_time >= '{}' AND event_time < '{}'", at(from), at(to));
        let found = rows(&engine, &format!(
            "SELECT kind, count(*), coalesce(sum(bytes_out), 0) FROM events WHERE {range} \
             GROUP BY kind ORDER BY kind"
        ));
        prop_assert_eq!(found, expected);

        let mut by_day: BTreeMap<(String, &str), u64> = BTreeMap::new();
        for event in all().filter(|event| event.kind == EventKind::Access) {
            let day = at(event.micros.div_euclid(DAY) * DAY);
            *by_day.entry((day, event.store)).or_default() += 1;
        }
        let expected: Vec<Vec<Value>> = by_day
            .into_iter()
            .map(|((day, store), rows)| vec![day.into(), store.into(), rows.into()])
            .collect();
        let found = rows(&engine,
            "SELECT date_trunc('day', event_time) AS day, datastore_name, count(*) FROM access \
             GROUP BY day, datastore_name ORDER BY day, datastore_name");
        prop_assert_eq!(found, expected);

        for actor in ["alice", "anonymous"] {
            let condition = match actor {
                "anonymous" => "actor_kind = 'anonymous'".to_owned(),
                name => format!("actor_uid = 'uid:{name}'"),
            };
            let expected = all().filter(|event| event.actor == actor).count();
            let found = cell(&engine, &format!("SELECT count(*) FROM archive WHERE {condition}"));
            prop_assert_eq!(found, Value::from(expected));
        }
    }
}

#[test]
fn windows_are_those_that_the_archive_tells() {
    let mut place = Place::new();
    place.commit(START, |filling| {
        filling.window("w1", "payments", START, None);
        filling.window("never", "payments", START + 1, None);
        filling.window("w2", "telemetry", START + 2, None);
    });
    place.commit(START + DAY, |filling| {
        filling.window("w1", "payments", START, Some((START + DAY, CloseReason::Restored)));
        filling.window("never", "payments", START + 1, Some((START + 2, CloseReason::Superseded)));
    });
    let engine = place.engine();
    let found = rows(
        &engine,
        "SELECT exposure_uid, opened_at, closed_at, close_reason, alert_number, closed_by \
         FROM exposures ORDER BY opened_at",
    );
    let mut archive = DeltaArchive::open_read_only(&place.archive(), &Options::default()).unwrap();
    let told = archive.exposures(Withdrawn::Dropped).unwrap();
    let expected: Vec<Vec<Value>> = told
        .iter()
        .map(|row| {
            let closed = row.exposure.closed_by.as_ref();
            vec![
                row.exposure.uid.as_str().into(),
                row.exposure.opened_by.time.to_string().into(),
                closed.map(|deed| deed.time.to_string()).into(),
                row.exposure.close_reason.map(CloseReason::as_str).into(),
                row.number.into(),
                closed.map(|deed| deed.actor.label()).into(),
            ]
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 2);
    assert_eq!(cell(&engine, "SELECT count(*) FROM exposure_statements"), 5);
}

#[test]
fn cells_keep_their_types() {
    let mut place = Place::new();
    place.events(START, &[Event { bytes: None, ..read(START + 1, "alice", "payments") }]);
    let engine = place.engine();
    let row = rows(
        &engine,
        "SELECT event_time, objects, bytes_out, raw, encode(raw, 'base64') AS exact, ingest_date, \
         kafka_offset, avg(1.5) OVER () AS mean, arrow_cast(x'ff00', 'Binary') AS bytes, \
         named_struct('a', objects[2]) AS part, reads IS NULL AS unknown, \
         event_time::TIMESTAMP AS bare FROM archive",
    );
    let expected = json!([[
        "2019-12-04T00:00:00.000001Z",
        ["a.csv", "b.csv"],
        null,
        "{\"n\":0}",
        "eyJuIjowfQ",
        "2019-12-04",
        0,
        1.5,
        "0xff00",
        {"a": "b.csv"},
        true,
        "2019-12-04T00:00:00.000001",
    ]]);
    assert_eq!(json!(row), expected);
}

#[test]
fn what_would_change_something_is_refused() {
    let mut place = Place::new();
    place.events(START, &[read(START, "alice", "payments")]);
    let engine = place.engine();
    let target = place.archive().join("out.parquet");
    let copy = format!("COPY events TO '{}'", target.display());
    for sql in [
        "INSERT INTO events SELECT * FROM events",
        "DELETE FROM events",
        "UPDATE events SET actor_uid = 'x'",
        "DROP TABLE events",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/'",
        "TRUNCATE TABLE events",
        "SET datafusion.execution.batch_size = 1",
        "SELECT 1 INTO t",
        "EXPLAIN ANALYZE INSERT INTO events SELECT * FROM events",
        "EXPLAIN DELETE FROM events",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        &copy,
    ] {
        let error = refusal(&engine, sql);
        assert!(matches!(error, QueryError::Question(_)), "{sql}: {error:?}");
        assert!(error.to_string().contains("only read"), "{sql}: {error}");
    }
    assert!(!target.exists());
    assert_eq!(cell(&engine, "SELECT count(*) FROM events"), 1);
}

#[test]
fn a_wrong_question_is_told_what_is_right() {
    let mut place = Place::new();
    place.events(START, &[read(START, "alice", "payments")]);
    let engine = place.engine();
    for (sql, told) in [
        ("SELECT actor_nam FROM events", "actor_name"),
        ("SELECT gap_from FROM events", "gap_from"),
        ("SELECT * FROM reads", "there is no view reads; there are events, access,"),
        ("SELECT * FROM '/etc/passwd'", "there is no view /etc/passwd"),
        ("SELECT * FROM events WHERE event_time > 'yesterday'", "yesterday"),
        ("SELEC 1", "SELEC"),
        ("", "exactly one"),
        ("SELECT 1; SELECT 2", "exactly one"),
        ("SELECT 1 AS a, 2 AS b FROM nowhere", "there is no view nowhere"),
        ("SELECT a.kind, b.kind FROM events a JOIN events b ON a.event_uid = b.event_uid", "kind"),
        ("SELECT nofunction(1)", "nofunction"),
    ] {
        let error = refusal(&engine, sql);
        assert!(matches!(error, QueryError::Question(_)), "{sql}: {error:?}");
        assert!(error.to_string().contains(told), "{sql}: {error}");
    }
}

#[test]
fn what_there_is_can_be_listed() {
    let mut place = Place::new();
    place.events(START, &[read(START, "alice", "payments")]);
    let engine = place.engine();
    let listed = rows(&engine, "SHOW TABLES");
    for name in views::NAMES {
        assert!(listed.iter().any(|row| row.contains(&name.into())), "{name}");
        let count = cell(&engine, &format!("SELECT count(*) FROM {name}"));
        let is_here = ["events", "access", "archive"].contains(&name);
        assert_eq!(count, u64::from(is_here), "{name}");
    }
    let described = rows(&engine, "DESCRIBE gaps");
    assert!(described.iter().any(|row| row[0] == "gap_cause"), "{described:?}");
    assert!(!rows(&engine, "EXPLAIN SELECT * FROM events").is_empty());
    assert_eq!(rows(&engine, "WITH few AS (SELECT 1 AS n) SELECT n FROM few"), [[json!(1)]]);
}
