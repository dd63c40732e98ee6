//! The runtime's clock, as an argument: nothing in the loop asks the system by itself.

use std::time::Duration;

use dataward_event::time::IngestTime;

/// Tells the time to the loop.
pub trait Clock: Send + Sync {
    /// The wall clock, for `ingest_ts` and `metadata.logged_time`.
    fn now(&self) -> IngestTime;
    /// A clock that never goes back, for intervals.
    fn monotonic(&self) -> Duration;
}

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Starts counting now.
    pub fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    fn now(&self) -> IngestTime {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        IngestTime::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
