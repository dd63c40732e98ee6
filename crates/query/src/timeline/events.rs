//! The events of a timeline.

use std::fmt::Write as _;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, col};
use datafusion::prelude::DataFrame;
use serde_json::Value;

use super::asked::Asked;
use super::entry::{Entry, What, named};
use super::in_range;
use crate::engine::Engine;
use crate::error::QueryError;
use crate::limits::Watch;

/// The columns of an event that a timeline shows; the time is first, the kind last.
const COLUMNS: [&str; 33] = [
    "event_time",
    "actor_name",
    "actor_uid",
    "actor_kind",
    "actor_credential_uid",
    "client_ip",
    "client_domain",
    "operation",
    "service",
    "status_id",
    "error_code",
    "datastore_name",
    "datastore_uid",
    "datastore_type",
    "objects",
    "rows_returned",
    "bytes_out",
    "objects_count",
    "changes",
    "sensitivity",
    "producer_duplicate",
    "activity_id",
    "source",
    "class_uid",
    "type_uid",
    "event_uid",
    "topic",
    "incarnation",
    "kafka_partition",
    "kafka_offset",
    "record_index",
    "ingest_ts",
    "kind",
];

/// At equal times the place decides: the same question has the same answer.
const ORDER: [&str; 6] =
    ["event_time", "topic", "incarnation", "kafka_partition", "kafka_offset", "record_index"];

/// Delivers the events in the order of time and place.
pub(super) async fn events(
    engine: &Engine,
    watch: &Watch,
    asked: &Asked,
    each: &mut dyn FnMut(Entry) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let mut columns = COLUMNS.to_vec();
    if asked.raw {
        columns.push("raw");
    }
    let frame = chosen(engine, watch, asked, &columns).await;
    let mut take = |time, cells: Vec<Value>| {
        let mut cells = named(&columns, cells);
        let kind = cells.remove("kind");
        let what = kind.as_ref().and_then(Value::as_str).and_then(What::of_kind);
        let Some(what) = what else {
            return Err(QueryError::Broken(format!("a row of events is of kind {kind:?}")));
        };
        let mut entry =
            Entry { time, what, message: String::new(), cells, parties: Vec::new(), number: 0 };
        entry.message = message(&entry);
        each(entry)
    };
    super::rows(engine, watch, frame, &mut take).await
}

async fn chosen(
    engine: &Engine,
    watch: &Watch,
    asked: &Asked,
    columns: &[&str],
) -> Result<DataFrame, DataFusionError> {
    let mut frame = engine.context.table("events").await?;
    if let Some(condition) = in_range("event_time", asked) {
        frame = frame.filter(condition)?;
    }
    if let Some(condition) = asked.condition() {
        frame = frame.filter(condition)?;
    }
    let order = ORDER.into_iter().map(|column| col(column).sort(true, true)).collect();
    let wanted: Vec<Expr> = columns.iter().map(|column| col(*column)).collect();
    frame.select(wanted)?.sort(order)?.limit(0, Some(watch.max_rows().saturating_add(1)))
}

/// Who did what to which datastore, from where, and how much.
fn message(entry: &Entry) -> String {
    let mut text = format!(
        "{} {}",
        entry.actor().unwrap_or("an unknown actor"),
        entry.text("operation").unwrap_or("did something")
    );
    let told = |text: &mut String, before: &str, what: Option<&str>| {
        if let Some(what) = what {
            // Writing to a String cannot fail.
            let _ = write!(text, "{before}{what}");
        }
    };
    told(&mut text, " ", entry.datastore());
    let objects = entry.cell("objects").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    told(&mut text, "/", objects.first().and_then(Value::as_str));
    if objects.len() > 1 {
        let _ = write!(text, " and {} more", objects.len() - 1);
    }
    told(&mut text, " from ", entry.client());
    for (column, unit) in [("rows_returned", "rows"), ("bytes_out", "bytes")] {
        if let Some(count) = entry.cell(column) {
            let _ = write!(text, ", {count} {unit}");
        }
    }
    for change in entry.cell("changes").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| change[name].as_str().unwrap_or_default();
        let _ = write!(text, "; {} {}", part("setting"), part("direction"));
    }
    if entry.cell("status_id").and_then(Value::as_i64) == Some(2) {
        told(&mut text, " (refused: ", Some(entry.text("error_code").unwrap_or("no reason given")));
        text.push(')');
    }
    text
}
