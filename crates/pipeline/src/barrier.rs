//! A checkpoint in the making: the marker is out, and the workers answer one by one.

use std::collections::BTreeSet;

use dataward_event::position::{Partition, Progress};

use crate::archive::Snapshot;
use crate::arrivals::Arrivals;
use crate::figures::{Newest, ReadFigures};
use crate::lane::{Frozen, News};

/// What has been handed over so far.
pub struct Barrier<R> {
    waiting: BTreeSet<usize>,
    with_snapshots: bool,
    parts: Parts<R>,
    held: Vec<News>,
}

/// What the workers handed over.
pub struct Parts<R> {
    /// Their rows.
    pub rows: Vec<R>,
    /// The next offset of every partition.
    pub progress: Progress,
    /// State, if it is due.
    pub snapshots: Vec<Snapshot>,
    /// When their records were appended.
    pub arrivals: Arrivals,
    /// The newest times of every partition, and what is known of its reads.
    pub newest: Vec<(Partition, Newest, ReadFigures)>,
}

impl<R> Barrier<R> {
    /// A barrier for so many workers.
    pub fn new(workers: usize, with_snapshots: bool) -> Self {
        Self {
            waiting: (0..workers).collect(),
            with_snapshots,
            parts: Parts {
                rows: Vec::new(),
                progress: Progress::new(),
                snapshots: Vec::new(),
                arrivals: Arrivals::default(),
                newest: Vec::new(),
            },
            held: Vec::new(),
        }
    }

    /// Whether state is due.
    pub fn with_snapshots(&self) -> bool {
        self.with_snapshots
    }

    /// Whether a worker has answered.
    pub fn is_frozen(&self, lane: usize) -> bool {
        !self.waiting.contains(&lane)
    }

    /// Keeps what lies behind the marker until the keeper has taken its snapshot.
    pub fn hold(&mut self, news: News) {
        self.held.push(news);
    }

    /// Takes a worker's part.
    pub fn freeze(&mut self, lane: usize, frozen: Frozen<R>) {
        self.waiting.remove(&lane);
        self.parts.rows.push(frozen.rows);
        for (partition, next) in frozen.progress.iter() {
            self.parts.progress.assign(partition.clone(), next);
        }
        self.parts.snapshots.extend(frozen.snapshots);
        self.parts.arrivals.append(frozen.arrivals);
        self.parts.newest.extend(frozen.newest);
    }

    /// Whether every worker has answered.
    pub fn is_complete(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The parts, and what was held.
    pub fn into_parts(self) -> (Parts<R>, Vec<News>) {
        (self.parts, self.held)
    }
}
