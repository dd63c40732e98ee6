//! Where the loop and those who watch it meet. The loop publishes; nobody who reads can hold it up.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dataward_event::time::IngestTime;

use crate::clock::Clock;
use crate::figures::Figures;

/// The least time between two publications.
const SPACING: Duration = Duration::from_millis(250);

/// What the process is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// It opens the archive, and restores the shared state.
    Starting,
    /// It waits for the first answer of its source.
    Connecting,
    /// Another process holds the archive.
    Standby {
        /// Who.
        holder: String,
    },
    /// The loop turns.
    Running,
    /// The loop stands still to take partitions over: their state is read back.
    Restoring,
    /// It ends.
    Stopping,
}

/// The published figures, and the signs of life.
pub struct Metrics {
    clock: Arc<dyn Clock>,
    started: Instant,
    heartbeat_millis: AtomicU64,
    published_millis: AtomicU64,
    published: Mutex<(Activity, Arc<Figures>)>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("activity", &self.activity()).finish_non_exhaustive()
    }
}

impl Metrics {
    /// None yet. `clock` tells how old something is.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            started: Instant::now(),
            heartbeat_millis: AtomicU64::new(0),
            published_millis: AtomicU64::new(0),
            published: Mutex::new((Activity::Starting, Arc::default())),
        }
    }

    /// The wall clock.
    pub fn now(&self) -> IngestTime {
        self.clock.now()
    }

    /// The time since this was made.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the process does, and its figures as they were published last.
    pub fn latest(&self) -> (Activity, Arc<Figures>) {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the process does.
    pub fn activity(&self) -> Activity {
        self.latest().0
    }

    /// Says what the process does from here on. It counts as a sign of life.
    pub fn set_activity(&self, activity: Activity) {
        self.beat();
        self.published.lock().unwrap_or_else(PoisonError::into_inner).0 = activity;
    }

    /// The loop has turned.
    pub fn beat(&self) {
        self.heartbeat_millis.store(millis(self.elapsed()), Ordering::Relaxed);
    }

    /// How long ago the last sign of life was.
    pub fn since_beat(&self) -> Duration {
        let beat = Duration::from_millis(self.heartbeat_millis.load(Ordering::Relaxed));
        self.elapsed().saturating_sub(beat)
    }

    /// Whether the figures are old enough to be published anew.
    pub fn is_due(&self) -> bool {
        let last = Duration::from_millis(self.published_millis.load(Ordering::Relaxed));
        self.elapsed().saturating_sub(last) >= SPACING
    }

    /// Publishes figures.
    pub fn publish(&self, figures: Figures) {
        self.published_millis.store(millis(self.elapsed()), Ordering::Relaxed);
        let figures = Arc::new(figures);
        self.published.lock().unwrap_or_else(PoisonError::into_inner).1 = figures;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
