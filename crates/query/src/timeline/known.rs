//! Names without an entry: does the archive have them at all?

use std::collections::BTreeSet;

use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::DataFrame;
use dataward_event::time::EventTime;
use serde_json::Value;

use super::asked::{Matches, Subject};
use crate::engine::Engine;
use crate::error::QueryError;
use crate::limits::Watch;

/// How many close names are told.
const CLOSE_NAMES: usize = 3;

/// A name that the archive has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// What it is a name of.
    pub subject: Subject,
    /// The name.
    pub name: String,
    /// How many rows carry it.
    pub rows: u64,
    /// The time of the first one.
    pub first: Option<EventTime>,
    /// The time of the last one.
    pub last: Option<EventTime>,
}

/// Looks names without an entry up in the whole archive.
///
/// # Errors
/// `Unknown` if one is nowhere: it is misspelt, or of another archive.
pub(super) async fn presences(
    engine: &Engine,
    watch: &Watch,
    matches: &Matches<'_>,
) -> Result<Vec<Presence>, QueryError> {
    let mut presences = Vec::new();
    for (subject, name) in matches.missing() {
        let presence = presence(engine, watch, *subject, name).await?;
        if presence.rows == 0 {
            return Err(unknown(engine, watch, *subject, name).await?);
        }
        presences.push(presence);
    }
    Ok(presences)
}

async fn presence(
    engine: &Engine,
    watch: &Watch,
    subject: Subject,
    name: &str,
) -> Result<Presence, QueryError> {
    let mut presence =
        Presence { subject, name: name.to_owned(), rows: 0, first: None, last: None };
    let frame = counted(engine, subject, name).await;
    let mut take = |_, cells: Vec<Value>| {
        let time =
            |at: usize| cells.get(at).and_then(Value::as_str).and_then(EventTime::parse_rfc3339);
        presence.first = time(0);
        presence.last = time(1);
        presence.rows = cells.get(2).and_then(Value::as_u64).unwrap_or(0);
        Ok(())
    };
    super::rows(engine, watch, frame, &mut take).await?;
    Ok(presence)
}

async fn counted(
    engine: &Engine,
    subject: Subject,
    name: &str,
) -> Result<DataFrame, DataFusionError> {
    let times = || col("event_time");
    let frame = engine.context.table("archive").await?.filter(subject.condition(name))?;
    frame.aggregate(Vec::new(), vec![min(times()), max(times()), count(lit(1))])
}

/// Names of the archive that somebody may have meant, the closest first: a few at most.
///
/// # Errors
/// As [`Engine::query`].
pub fn close_names(
    engine: &Engine,
    subject: Subject,
    name: &str,
) -> Result<Vec<String>, QueryError> {
    let watch = Watch::start(engine.limits());
    engine.block_on(|| async move { close(engine, &watch, subject, name).await })
}

/// The error about a name that is nowhere.
async fn unknown(
    engine: &Engine,
    watch: &Watch,
    subject: Subject,
    name: &str,
) -> Result<QueryError, QueryError> {
    let hint = match &close(engine, watch, subject, name).await?[..] {
        [] => format!(
            "; `dataward query` lists what it has: SELECT DISTINCT {} FROM events",
            subject.columns()[0]
        ),
        names => format!("; close to it: {}", names.join(", ")),
    };
    Ok(QueryError::Unknown(format!("the archive has no {} {name}{hint}", subject.as_str())))
}

async fn close(
    engine: &Engine,
    watch: &Watch,
    subject: Subject,
    name: &str,
) -> Result<Vec<String>, QueryError> {
    let mut close: BTreeSet<(usize, String)> = BTreeSet::new();
    for column in subject.columns() {
        let frame = names(engine, column).await;
        let mut take = |_, cells: Vec<Value>| {
            if let Some(Value::String(known)) = cells.into_iter().next()
                && let Some(distance) = distance(name, &known)
            {
                close.insert((distance, known));
                if close.len() > CLOSE_NAMES {
                    close.pop_last();
                }
            }
            Ok(())
        };
        super::rows(engine, watch, frame, &mut take).await?;
    }
    Ok(close.into_iter().map(|(_, name)| name).collect())
}

async fn names(engine: &Engine, column: &str) -> Result<DataFrame, DataFusionError> {
    engine.context.table("archive").await?.select(vec![col(column)])?.distinct()
}

/// How far a known name is from what was meant; `None` if it is another one.
fn distance(meant: &str, known: &str) -> Option<usize> {
    let (meant, known) = (meant.to_lowercase(), known.to_lowercase());
    if meant.is_empty() {
        return None;
    }
    let distance = strsim::osa_distance(&meant, &known);
    let is_part = known.contains(&meant) || (known.len() > 3 && meant.contains(&known));
    let is_close = distance <= 1 + meant.chars().count() / 4;
    (is_part || is_close).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn a_slip_or_a_part_is_close_and_another_name_is_not() {
        assert_eq!(distance("Customer-Exports", "customer-exports"), Some(0));
        assert_eq!(distance("custmer-exports", "customer-exports"), Some(1));
        assert_eq!(distance("exports", "arn:aws:s3:::customer-exports"), Some(22));
        assert_eq!(distance("payments", "telemetry"), None);
        assert_eq!(distance("", "telemetry"), None);
        assert_eq!(distance("s3", "sns"), None);
    }
}
