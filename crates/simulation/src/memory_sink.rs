//! A sink that keeps what it is given, and fails before or after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dataward_pipeline::alert::Alert;
use dataward_pipeline::alert_sink::{AlertSink, SinkError};

use crate::clock::SimulatedClock;
use crate::fate::{Life, Mishap, locked};

/// The longest time that a sink is down, in milliseconds.
const DOWN_MILLIS_MAX: usize = 20_000;

/// What all sinks of a world have got: it outlives every process.
#[derive(Debug, Default)]
pub struct Inboxes {
    got: Mutex<BTreeMap<String, BTreeSet<String>>>,
    down_until: Mutex<BTreeMap<String, Duration>>,
}

impl Inboxes {
    /// Whether a sink has got the statement of this uid.
    pub fn has(&self, sink: &str, uid: &str) -> bool {
        locked(&self.got).get(sink).is_some_and(|uids| uids.contains(uid))
    }
}

/// One process's way to one sink.
pub struct MemorySink {
    name: String,
    inboxes: Arc<Inboxes>,
    clock: Arc<SimulatedClock>,
    life: Arc<Life>,
}

impl MemorySink {
    /// A way to the sink of this name.
    pub fn new(
        name: &str,
        inboxes: Arc<Inboxes>,
        clock: Arc<SimulatedClock>,
        life: Arc<Life>,
    ) -> Self {
        Self { name: name.to_owned(), inboxes, clock, life }
    }

    fn is_down(&self) -> bool {
        let now = self.clock.elapsed();
        let mut down_until = locked(&self.inboxes.down_until);
        let until = down_until.entry(self.name.clone()).or_default();
        if self.life.fate.strikes(Mishap::Sink, 60) {
            let millis = self.life.fate.below(DOWN_MILLIS_MAX) >> self.life.fate.below(6);
            *until = now + Duration::from_millis(millis as u64);
        }
        !self.life.fate.is_calm() && now < *until
    }

    fn keep(&self, alerts: &[Alert]) {
        let mut got = locked(&self.inboxes.got);
        let uids = got.entry(self.name.clone()).or_default();
        uids.extend(alerts.iter().map(|alert| alert.uid.clone()));
    }
}

impl AlertSink for MemorySink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError> {
        if self.life.may_die(5) {
            return Err(SinkError::Unavailable("the process is dead".to_owned()));
        }
        self.life.may_stall(4);
        if self.is_down() {
            return Err(SinkError::Unavailable("the sink is down".to_owned()));
        }
        let is_silent = self.life.fate.strikes(Mishap::SilentDelivery, 40);
        let arrived = if is_silent { self.life.fate.below(alerts.len() + 1) } else { alerts.len() };
        self.keep(&alerts[..arrived]);
        if is_silent || self.life.may_die(5) {
            return Err(SinkError::Unavailable("the answer was lost".to_owned()));
        }
        Ok(())
    }
}
