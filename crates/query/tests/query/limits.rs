//! An answer is whole or an error.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dataward_query::engine::{Engine, Options};
use dataward_query::error::QueryError;
use dataward_query::limits::Limits;

use serde_json::json;

use crate::support::*;

fn limited(place: &Place, limits: Limits) -> Engine {
    engine(&place.archive(), Options { limits, ..Options::default() }).unwrap()
}

fn place(events: i64) -> Place {
    let mut place = Place::new();
    let events: Vec<Event> = (0..events).map(|n| read(START + n, "alice", "payments")).collect();
    place.events(START, &events);
    place
}

#[test]
fn as_many_rows_as_allowed_are_an_answer_and_one_more_is_none() {
    let place = place(10);
    let engine = limited(&place, Limits { max_rows: 10, ..Limits::default() });
    assert_eq!(rows(&engine, "SELECT * FROM events").len(), 10);
    let engine = limited(&place, Limits { max_rows: 9, ..Limits::default() });
    let mut table = Table::default();
    let sql = "SELECT kafka_offset FROM events ORDER BY event_time";
    let error = engine.query(sql, &mut table).unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
    assert!(error.to_string().contains("more than 9 rows"), "{error}");
    let first: Vec<_> = (0..9).map(|offset| vec![json!(offset)]).collect();
    assert_eq!(table.rows, first, "these are the first");
    assert_eq!(rows(&engine, "SELECT * FROM events LIMIT 9").len(), 9);
    let engine = limited(&place, Limits { max_rows: 0, ..Limits::default() });
    assert!(matches!(refusal(&engine, "SELECT 1"), QueryError::Limit(_)));
}

#[test]
fn a_question_ends_when_its_time_is_over() {
    let place = place(1);
    let limits = Limits { timeout: Duration::from_millis(200), ..Limits::default() };
    let engine = limited(&place, limits);
    let endless = "SELECT sum(value % 7) FROM generate_series(1, 9000000000000)";
    let error = refusal(&engine, endless);
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
    assert!(error.to_string().contains("0.2 s"), "{error}");
}

#[test]
fn a_question_that_needs_too_much_memory_is_an_error() {
    let place = place(1);
    let limits = Limits { memory_bytes: 8 * 1024 * 1024, ..Limits::default() };
    let engine = limited(&place, limits);
    let sorted = "SELECT count(*) FROM (SELECT DISTINCT value * 7919 % 5000011 FROM generate_series(1, 5000000))";
    let error = refusal(&engine, sorted);
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
    assert!(error.to_string().contains("8 MB of memory"), "{error}");
}

#[test]
fn whoever_wants_the_process_to_end_need_not_wait() {
    let place = place(1);
    let stop = Arc::new(AtomicBool::new(true));
    let engine = limited(&place, Limits { stop, ..Limits::default() });
    assert!(matches!(refusal(&engine, "SELECT 1"), QueryError::Stopped));
}

#[test]
fn a_question_of_great_depth_is_refused_and_not_the_end_of_the_process() {
    let place = place(1);
    let engine = place.engine();
    let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(matches!(refusal(&engine, &deep), QueryError::Question(_)));
    assert!(matches!(
        refusal(&engine, &format!("SELECT 1 -- {}", "x".repeat(70_000))),
        QueryError::Question(_)
    ));
    let long = vec!["kafka_offset = 0"; 2_000].join(" OR ");
    assert_eq!(cell(&engine, &format!("SELECT count(*) FROM events WHERE {long}")), 1);
}
