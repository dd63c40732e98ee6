//! A context that changes while the loop runs: asked for now and then, adopted at a checkpoint.

use std::sync::Arc;
use std::time::Duration;

use dataward_detect::context::Context;
use serde_json::json;

use crate::archive::{Archive, OperatorRow, Rows};
use crate::record_source::RecordSource;
use crate::runner::Runner;
use crate::workers::Task;

/// How often it is asked.
const ASKING: Duration = Duration::from_secs(1);

/// What there is instead of the context at hand: another one, or a file that cannot be used, and why.
pub type NewContext = Result<Arc<Context>, String>;

/// Whoever knows whether there is another context.
#[derive(Default)]
pub(crate) struct Informant {
    ask: Option<Box<dyn FnMut() -> Option<NewContext>>>,
    asked: Duration,
    /// Waits for the next checkpoint.
    next: Option<Arc<Context>>,
    /// The workers have it behind the marker that is out.
    adopting: Option<Arc<Context>>,
    /// What rows behind the newest snapshots were judged by: a replay judges them by the same.
    pub(crate) replayed_by: Arc<Context>,
}

impl Informant {
    pub(crate) fn new(ask: impl FnMut() -> Option<NewContext> + 'static) -> Self {
        Self { ask: Some(Box::new(ask)), ..Self::default() }
    }
}

impl<S: RecordSource, A: Archive + Send + 'static> Runner<S, A> {
    /// Asks whether there is another context. One that cannot be used is told of, and the one at hand stays.
    pub(crate) fn ask_for_context(&mut self) {
        let now = self.clock.monotonic();
        let informant = &mut self.informant;
        let Some(ask) = &mut informant.ask else { return };
        if now.saturating_sub(informant.asked) < ASKING {
            return;
        }
        informant.asked = now;
        match ask() {
            None => {}
            Some(Ok(context)) => {
                informant.next = Some(context);
                self.checkpoints.has_news = true;
            }
            Some(Err(reason)) => {
                tracing::warn!(reason, "the context file cannot be used: the last good one stays");
                let detail = json!({ "reason": reason }).to_string();
                self.note_context("context_refused", detail);
                self.checkpoints.has_news = true;
            }
        }
    }

    /// Whether the next checkpoint adopts a context: then it must have state.
    pub(crate) fn is_context_waiting(&self) -> bool {
        self.informant.next.is_some()
    }

    /// What the workers do behind the marker they do by the new context.
    pub(crate) fn hand_context_on(&mut self) {
        let Some(context) = self.informant.next.take() else { return };
        for lane in 0..self.workers.count() {
            self.workers.send(lane, Task::Adopt(Arc::clone(&context)));
        }
        self.informant.adopting = Some(context);
    }

    /// At the barrier: what was judged by the old context is judged by the new one, and the snapshot knows it.
    pub(crate) fn adopt_waiting_context(&mut self) {
        if let Some(context) = self.informant.adopting.take() {
            self.adopt(context);
        }
    }

    /// Adopts a context between two events.
    pub(crate) fn adopt(&mut self, context: Arc<Context>) {
        if **self.desk.keeper.context() == *context {
            return;
        }
        let detail = json!({
            "datastores": context.datastores.len(),
            "actors": context.actors.len(),
            "approved_changes": context.approved_changes.len(),
            "maintenance": context.maintenance.len(),
            "hash": context.hash(),
        });
        self.note_context("context_adopted", detail.to_string());
        self.note_verdicts(&context);
        tracing::info!(hash = context.hash(), "another context is in use");
        let alerts = self.desk.conclude(None, self.clock.as_ref(), |keeper| keeper.adopt(context));
        self.deliver(&alerts, None);
    }

    /// What people say of findings is remembered as they said it, and when it was taken back.
    fn note_verdicts(&mut self, context: &Context) {
        let known = Arc::clone(self.desk.keeper.context());
        let said = context.verdicts.iter().filter(|verdict| !known.verdicts.contains(verdict));
        let unsaid = known.verdicts.iter().filter(|verdict| !context.verdicts.contains(verdict));
        for verdict in said {
            self.note_context("verdict", json!(verdict).to_string());
        }
        for verdict in unsaid {
            self.note_context("verdict_withdrawn", json!(verdict).to_string());
        }
    }

    fn note_context(&mut self, operation: &str, detail: String) {
        self.desk.rows.operator(&OperatorRow {
            operation: operation.to_owned(),
            partition: None,
            time: None,
            detail,
            ingest_time: self.clock.now(),
        });
    }
}
