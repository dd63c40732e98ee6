//! What one question may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::QueryError;

/// How often a question asks whether it shall go on.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// What one question may take. Whoever meets a limit gets an error, never a shorter answer that looks whole.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rows of the answer.
    pub max_rows: usize,
    /// Time until the answer is complete.
    pub timeout: Duration,
    /// Bytes that sorting, grouping and joining may hold at a time. Nothing is put on disk.
    pub memory_bytes: usize,
    /// Whoever sets it wants the process to end.
    pub stop: Arc<AtomicBool>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_rows: 100_000,
            timeout: Duration::from_secs(300),
            memory_bytes: 1024 * 1024 * 1024,
            stop: Arc::default(),
        }
    }
}

/// The limits of a question that has begun.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: Limits,
    deadline: Option<Instant>,
}

impl Watch {
    pub(crate) fn start(limits: &Limits) -> Self {
        // A deadline beyond the end of time is none.
        let deadline = Instant::now().checked_add(limits.timeout);
        Self { limits: limits.clone(), deadline }
    }

    /// Waits for a step of the question, for as long as it may go on.
    ///
    /// # Errors
    /// `Limit` when its time is over, `Stopped` when the process is to end.
    pub(crate) async fn wait<T>(&self, step: impl Future<Output = T>) -> Result<T, QueryError> {
        let mut step = std::pin::pin!(step);
        loop {
            self.check()?;
            if let Ok(done) = tokio::time::timeout(ASK_EVERY, &mut step).await {
                return Ok(done);
            }
        }
    }

    /// As [`wait`](Self::wait).
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        if self.limits.stop.load(Ordering::Relaxed) {
            return Err(QueryError::Stopped);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(QueryError::Limit(format!(
                "the question took more than {} s: the answer is not whole. Ask for less (a condition on event_time \
                 or kind reads fewer files), or raise --timeout",
                self.limits.timeout.as_secs_f64()
            )));
        }
        Ok(())
    }

    /// How many rows may be given out.
    pub(crate) fn max_rows(&self) -> usize {
        self.limits.max_rows
    }

    /// The answer has more rows than it may have.
    pub(crate) fn too_many_rows(&self) -> QueryError {
        QueryError::Limit(format!(
            "the answer has more than {} rows: these are only the first. Ask for less, or raise --max-rows",
            self.limits.max_rows
        ))
    }
}
