//! The beginnings and ends of windows in a timeline.

use std::collections::BTreeMap;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, col};
use datafusion::prelude::DataFrame;
use dataward_event::exposure::Deed;
use serde_json::Value;

use super::asked::{Asked, Subject};
use super::entry::{Entry, What, named};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::limits::Watch;

/// The columns of a window that a timeline shows; the time of the opening event is first.
const COLUMNS: [&str; 28] = [
    "opened_at",
    "actor_name",
    "actor_uid",
    "actor_kind",
    "actor_credential_uid",
    "client_ip",
    "client_domain",
    "operation",
    "datastore_name",
    "datastore_uid",
    "datastore_type",
    "severity_id",
    "exposure_uid",
    "window_kind",
    "control",
    "setting",
    "opened",
    "level",
    "event_uid",
    "topic",
    "incarnation",
    "kafka_partition",
    "kafka_offset",
    "record_index",
    "logged_time",
    // What follows is only of the end.
    "close_reason",
    "closing_event",
    "alert_number",
];

/// What stands in a window's columns, but is of its opening event.
const OF_OPENING: [&str; 13] = [
    "actor_name",
    "actor_uid",
    "actor_kind",
    "actor_credential_uid",
    "client_ip",
    "client_domain",
    "operation",
    "event_uid",
    "topic",
    "incarnation",
    "kafka_partition",
    "kafka_offset",
    "record_index",
];

/// The beginnings and ends that fit, of all windows as their newest statements say.
pub(super) async fn windows(
    engine: &Engine,
    watch: &Watch,
    asked: &Asked,
) -> Result<Vec<Entry>, QueryError> {
    let mut entries = Vec::new();
    let mut take = |time, cells: Vec<Value>| {
        let mut cells = named(&COLUMNS, cells);
        cells.remove("opened_at");
        let number = cells.remove("alert_number").and_then(|number| number.as_i64()).unwrap_or(0);
        let reason = cells.remove("close_reason");
        let closing = cells.remove("closing_event");
        let closing = closing.as_ref().and_then(Value::as_str).map(serde_json::from_str::<Deed>);
        let closing = closing.transpose().map_err(|error| {
            QueryError::Broken(format!("the closing event of a window cannot be read: {error}"))
        })?;
        if let Some(deed) = closing {
            entries.push(closed(&cells, &deed, reason.unwrap_or_default(), number));
        }
        entries.push(opened(time, cells, number));
        Ok(())
    };
    super::rows(engine, watch, chosen(engine, asked).await, &mut take).await?;
    entries.retain(|entry| asked.fits(entry));
    Ok(entries)
}

async fn chosen(engine: &Engine, asked: &Asked) -> Result<DataFrame, DataFusionError> {
    let mut frame = engine.context.table("exposures").await?;
    if let Some(condition) = asked.condition_on(Subject::Datastore) {
        frame = frame.filter(condition)?;
    }
    let wanted: Vec<Expr> = COLUMNS.into_iter().map(col).collect();
    frame.select(wanted)
}

fn opened(
    time: dataward_event::time::EventTime,
    cells: BTreeMap<&'static str, Value>,
    number: i64,
) -> Entry {
    let what = What::WindowOpened;
    entry(time, what, cells, number, "opened")
}

fn closed(
    window: &BTreeMap<&'static str, Value>,
    deed: &Deed,
    reason: Value,
    number: i64,
) -> Entry {
    let mut cells = window.clone();
    cells.retain(|column, _| !OF_OPENING.contains(column));
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().into();
    let position = &deed.position;
    let is_address =
        deed.client.as_deref().is_some_and(|client| client.parse::<std::net::IpAddr>().is_ok());
    let of_closing: [(&'static str, Value); 12] = [
        ("close_reason", reason),
        ("actor_name", text(&deed.actor.name)),
        ("actor_uid", text(&deed.actor.uid)),
        ("actor_kind", deed.actor.kind.as_str().into()),
        ("actor_credential_uid", text(&deed.actor.credential_uid)),
        (if is_address { "client_ip" } else { "client_domain" }, deed.client.as_deref().into()),
        ("operation", deed.operation.as_str().into()),
        ("event_uid", deed.event_uid.as_str().into()),
        ("topic", position.partition.topic.to_string().into()),
        ("kafka_partition", position.partition.number.into()),
        ("kafka_offset", position.offset.0.into()),
        ("record_index", position.record_index.into()),
    ];
    cells.extend(of_closing.into_iter().filter(|(_, value)| !value.is_null()));
    cells.insert("incarnation", position.partition.incarnation.into());
    entry(deed.time, What::WindowClosed, cells, number, "closed")
}

fn entry(
    time: dataward_event::time::EventTime,
    what: What,
    cells: BTreeMap<&'static str, Value>,
    number: i64,
    deed: &str,
) -> Entry {
    let mut entry =
        Entry { time, what, message: String::new(), cells, parties: Vec::new(), number };
    let text = |column| entry.text(column).unwrap_or_default();
    let reason = entry.text("close_reason").map_or(String::new(), |reason| format!(" ({reason})"));
    entry.message = format!(
        "Window {deed}: {} of {} open to {}, by {}{reason}",
        text("control"),
        entry.datastore().unwrap_or("an unknown datastore"),
        text("opened"),
        entry.actor().unwrap_or("an unknown actor"),
    );
    entry
}
