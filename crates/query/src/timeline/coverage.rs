//! What an archive covers: a hole must not be taken for silence.

use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::DataFrame;
use dataward_archive::table_files::{Bounds, TableFile};
use dataward_event::time::EventTime;
use serde_json::Value;

use super::asked::Asked;
use super::instant;
use crate::engine::Engine;
use crate::error::QueryError;
use crate::limits::Watch;

/// What an archive covers.
///
/// Nobody knows when what is missing happened. It happened before it was noticed; so what was noticed before the range
/// begins is left out, and all else is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The time of the first event, and of the last one; `None` if there is none, or one has a time beyond all dates.
    pub events: Option<(EventTime, EventTime)>,
    /// Ranges of offsets without rows.
    pub gaps: Vec<Gaps>,
    /// Parts of records that could not be read.
    pub quarantined: u64,
}

/// Ranges of offsets without rows, of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gaps {
    /// Why there are none.
    pub cause: String,
    /// How many ranges.
    pub ranges: u64,
    /// How many offsets they have.
    pub offsets: u64,
}

pub(super) async fn coverage(
    engine: &Engine,
    watch: &Watch,
    asked: &Asked,
) -> Result<Coverage, QueryError> {
    let mut coverage =
        Coverage { events: event_times(&engine.files), gaps: Vec::new(), quarantined: 0 };
    let mut take = |_, cells: Vec<Value>| {
        let number = |at: usize| cells.get(at).and_then(Value::as_u64).unwrap_or(0);
        let cause = cells.first().and_then(Value::as_str).unwrap_or("unknown").to_owned();
        coverage.gaps.push(Gaps { cause, ranges: number(1), offsets: number(2) });
        Ok(())
    };
    super::rows(engine, watch, gaps(engine, asked).await, &mut take).await?;
    let mut take = |_, cells: Vec<Value>| {
        coverage.quarantined = cells.first().and_then(Value::as_u64).unwrap_or(0);
        Ok(())
    };
    super::rows(engine, watch, quarantined(engine, asked).await, &mut take).await?;
    Ok(coverage)
}

/// The first and the last time that the log knows of.
fn event_times(files: &[TableFile]) -> Option<(EventTime, EventTime)> {
    let events = files.iter().filter(|file| file.kind.event_kind().is_some());
    events
        .map(|file| match file.bounds.get("event_time") {
            Some(Bounds::Numbers(first, last)) => Some((*first, *last)),
            _ => None,
        })
        .reduce(|one, other| {
            let ((first, last), (other_first, other_last)) = (one?, other?);
            Some((first.min(other_first), last.max(other_last)))
        })
        .flatten()
        .map(|(first, last)| (EventTime::from_micros(first), EventTime::from_micros(last)))
}

async fn gaps(engine: &Engine, asked: &Asked) -> Result<DataFrame, DataFusionError> {
    let offsets = sum(col("gap_to") - col("gap_from"));
    noticed(engine, "gaps", asked)
        .await?
        .aggregate(vec![col("gap_cause")], vec![count(lit(1)), offsets])?
        .sort(vec![col("gap_cause").sort(true, true)])
}

async fn quarantined(engine: &Engine, asked: &Asked) -> Result<DataFrame, DataFusionError> {
    noticed(engine, "quarantine", asked).await?.aggregate(Vec::new(), vec![count(lit(1))])
}

async fn noticed(engine: &Engine, view: &str, asked: &Asked) -> Result<DataFrame, DataFusionError> {
    let frame = engine.context.table(view).await?;
    match asked.from {
        Some(from) => frame.filter(col("ingest_ts").gt_eq(instant(from))),
        None => Ok(frame),
    }
}
