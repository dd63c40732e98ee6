//! A clock that nobody but the simulation moves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dataward_event::time::IngestTime;
use dataward_pipeline::clock::Clock;

/// When every simulation begins: 2026-01-05T12:00:00Z.
pub const BEGINNING: IngestTime = IngestTime::from_micros(1_767_614_400_000_000);

/// What one look at the monotonic clock takes. Code that waits for a time looks again and again, and must arrive.
const LOOK_MICROS: i64 = 1_000;

/// A clock that stands still unless it is told to go on, or looked at.
#[derive(Debug, Default)]
pub struct SimulatedClock {
    micros: AtomicI64,
    /// How far somebody has set the wall clock on, or back.
    set_by: AtomicI64,
}

impl SimulatedClock {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Somebody sets the wall clock. No time passes.
    pub fn set_wall_clock(&self, micros_ahead: i64) {
        self.set_by.store(micros_ahead, Ordering::Relaxed);
    }

    /// The time since the beginning, without the look taking any.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed).unsigned_abs())
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> IngestTime {
        let set_by = self.set_by.load(Ordering::Relaxed);
        BEGINNING.plus_micros(self.micros.load(Ordering::Relaxed)).plus_micros(set_by)
    }

    fn monotonic(&self) -> Duration {
        self.micros.fetch_add(LOOK_MICROS, Ordering::Relaxed);
        self.elapsed()
    }
}
