//! The alerts of a timeline.

use std::collections::BTreeMap;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, col};
use datafusion::prelude::DataFrame;
use serde_json::Value;

use super::asked::{Asked, Subject};
use super::entry::{Entry, What, named};
use super::in_range;
use crate::engine::Engine;
use crate::error::QueryError;
use crate::limits::Watch;

/// The columns of an alert that a timeline shows; the time is first.
const COLUMNS: [&str; 19] = [
    "event_time",
    "title",
    "rule_id",
    "severity_id",
    "activity_id",
    "finding_uid",
    "alert_uid",
    "datastore_name",
    "datastore_uid",
    "datastore_type",
    "logged_time",
    "topic",
    "incarnation",
    "kafka_partition",
    "kafka_offset",
    "record_index",
    // What follows is no column of an entry.
    "alert_number",
    "message",
    "alert_json",
];

/// What an alert does to its finding, besides beginning it: the `activity_id` of OCSF.
const UPDATE: i64 = 2;
pub(super) const CLOSE: i64 = 3;

/// The alerts that fit.
pub(super) async fn alerts(
    engine: &Engine,
    watch: &Watch,
    asked: &Asked,
) -> Result<Vec<Entry>, QueryError> {
    let mut entries = Vec::new();
    let mut take = |time, cells: Vec<Value>| {
        let mut cells = named(&COLUMNS, cells);
        let number = cells.remove("alert_number").and_then(|number| number.as_i64());
        let message = cells.remove("message");
        let json = cells.remove("alert_json");
        let json = json.as_ref().and_then(Value::as_str).unwrap_or_default();
        let alert: Value = serde_json::from_str(json).unwrap_or_default();
        let evidences = alert["evidences"].as_array().map_or(&[][..], Vec::as_slice);
        let parties: Vec<_> = evidences.iter().map(party).collect();
        // The first one is shown; all of them are looked at.
        for (column, value) in parties.first().into_iter().flatten() {
            cells.insert(column, value.clone());
        }
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let title = text(cells.get("title")).unwrap_or_default();
        // The end of a finding has the words of its beginning, and is no news of it.
        let message =
            match (cells.get("activity_id").and_then(Value::as_i64), text(message.as_ref())) {
                (Some(CLOSE), _) => format!("Over: {title}"),
                (Some(UPDATE), Some(message)) => format!("Changed: {title}: {message}"),
                (_, Some(message)) => format!("{title}: {message}"),
                (_, None) => title,
            };
        let number = number.unwrap_or(0);
        let entry = Entry { time, what: What::Alert, message, cells, parties, number };
        if asked.fits(&entry) {
            entries.push(entry);
        }
        Ok(())
    };
    super::rows(engine, watch, chosen(engine, asked).await, &mut take).await?;
    Ok(entries)
}

async fn chosen(engine: &Engine, asked: &Asked) -> Result<DataFrame, DataFusionError> {
    let mut frame = engine.context.table("alerts").await?;
    if let Some(condition) = in_range("event_time", asked) {
        frame = frame.filter(condition)?;
    }
    if let Some(condition) = asked.condition_on(Subject::Datastore) {
        frame = frame.filter(condition)?;
    }
    let wanted: Vec<Expr> = COLUMNS.into_iter().map(col).collect();
    frame.select(wanted)
}

/// Who did what from where, as an evidence of an alert says.
fn party(evidence: &Value) -> BTreeMap<&'static str, Value> {
    let user = &evidence["actor"]["user"];
    let is_anonymous = user["type"].as_str() == Some("Anonymous");
    let cells = [
        ("actor_name", user["name"].clone()),
        ("actor_uid", user["uid"].clone()),
        ("actor_credential_uid", user["programmatic_credentials"][0]["uid"].clone()),
        ("actor_kind", if is_anonymous { "anonymous".into() } else { Value::Null }),
        ("client_ip", evidence["src_endpoint"]["ip"].clone()),
        ("client_domain", evidence["src_endpoint"]["domain"].clone()),
        ("operation", evidence["api"]["operation"].clone()),
        ("event_uid", evidence["data"]["event_uid"].clone()),
    ];
    cells.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
