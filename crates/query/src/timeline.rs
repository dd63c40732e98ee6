//! What happened around some names, in time order: events, alerts, and windows that opened or closed.
//!
//! Events come sorted from the engine; alerts and windows are few, are held in memory, and are put between them.

mod alerts;
pub mod asked;
pub mod coverage;
pub mod entry;
mod events;
pub mod known;
pub mod timesketch;
mod windows;

use std::io;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::scalar::ScalarValue;
use dataward_event::time::EventTime;
use serde_json::Value;

use crate::engine::Engine;
use crate::error::QueryError;
use crate::limits::Watch;
use asked::{Asked, Matches};
use coverage::Coverage;
use entry::Entry;
use known::Presence;

/// What a timeline says besides its entries.
#[derive(Debug)]
pub struct Told {
    /// How many entries it has.
    pub rows: usize,
    /// Names that the archive has, but no entry: nobody must take that for silence of the whole archive.
    pub silent: Vec<Presence>,
    /// What the archive holds, and what it does not.
    pub coverage: Coverage,
}

/// Delivers the entries in the order of their time.
///
/// # Errors
/// `Unknown` if a name is nowhere in the archive; it names close ones. Else as [`Engine::query`].
pub fn timeline(
    engine: &Engine,
    asked: &Asked,
    each: &mut (dyn FnMut(&Entry) -> io::Result<()> + Send),
) -> Result<Told, QueryError> {
    asked.check()?;
    let watch = Watch::start(engine.limits());
    engine.block_on(|| async move {
        let mut matches = Matches::of(asked);
        let mut others = alerts::alerts(engine, &watch, asked).await?;
        others.extend(windows::windows(engine, &watch, asked).await?);
        others.sort_by_key(Entry::order);
        let mut others = others.into_iter().peekable();
        let mut rows = 0;
        let mut give = |entry: &Entry| -> Result<(), QueryError> {
            if rows == watch.max_rows() {
                return Err(watch.too_many_rows());
            }
            rows += 1;
            matches.note(entry);
            Ok(each(entry)?)
        };
        let mut take = |event: Entry| -> Result<(), QueryError> {
            // A window or an alert comes after the events of its time: they are its cause.
            while let Some(other) = others.next_if(|other| other.time < event.time) {
                give(&other)?;
            }
            give(&event)
        };
        events::events(engine, &watch, asked, &mut take).await?;
        for other in others {
            give(&other)?;
        }
        let silent = known::presences(engine, &watch, &matches).await?;
        let coverage = coverage::coverage(engine, &watch, asked).await?;
        Ok(Told { rows, silent, coverage })
    })
}

/// A time as the engine knows it.
fn instant(time: EventTime) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(time.micros()), Some("UTC".into())))
}

/// The condition that a column lies in the range that is asked for.
fn in_range(column: &str, asked: &Asked) -> Option<Expr> {
    let from = asked.from.map(|from| col(column).gt_eq(instant(from)));
    let to = asked.to.map(|to| col(column).lt(instant(to)));
    from.into_iter().chain(to).reduce(Expr::and)
}

/// Answers one question of ours, row by row.
async fn rows(
    engine: &Engine,
    watch: &Watch,
    frame: Result<datafusion::prelude::DataFrame, DataFusionError>,
    each: &mut dyn FnMut(EventTime, Vec<Value>) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let frame = frame.map_err(|error| engine.failed(&error))?;
    engine
        .each_batch(frame, watch, &mut |batch| {
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().map(|column| crate::cell::value(column, row));
                let cells = cells.collect::<Result<Vec<_>, _>>();
                let cells = cells.map_err(|error| QueryError::Broken(error.to_string()))?;
                each(entry::first_time(batch, row), cells)?;
            }
            Ok(())
        })
        .await
}
