//! The checkpoints of a loop: from the marker to the acknowledgement.

use std::sync::Arc;
use std::time::Duration;

use dataward_event::finding::Owner;
use dataward_event::position::Partition;

use crate::archive::{Archive, Checkpoint, Committed, Disposition, Rows};
use crate::arrivals::Arrivals;
use crate::barrier::Barrier;
use crate::figures::{InFlight, Newest, ReadFigures};
use crate::lane::Frozen;
use crate::record_source::RecordSource;
use crate::runner::{POLL, RunError, Runner};
use crate::workers::Task;
use crate::writer::CommitResult;

/// The least time between two commits.
const COMMIT_SPACING: Duration = Duration::from_secs(1);
/// The longest wait before a failed commit is tried again.
const RETRY_MAX: Duration = Duration::from_secs(60);
/// A snapshot is taken no more often than this many times what the last one took.
const SNAPSHOT_SPACING: u32 = 20;

/// The checkpoint in the making, the one that is to be tried again, and what tells when the next one is due.
pub(crate) struct Checkpoints<R> {
    /// The marker is out.
    pub(crate) barrier: Option<Barrier<R>>,
    /// Something has come since the last marker.
    pub(crate) has_news: bool,
    /// The next checkpoint must have state: an input of the detector has changed.
    pub(crate) is_snapshot_wanted: bool,
    retry: Option<Retry<R>>,
    flight: Flight,
    retry_wait: Duration,
    /// When a commit failed that is not in the table yet.
    failing_since: Option<Duration>,
    last_barrier: Duration,
    last_snapshot: Duration,
    snapshot_cost: Duration,
}

/// What is to be counted once the checkpoint on its way is in the table.
#[derive(Default)]
struct Flight {
    arrivals: Arrivals,
    newest: Vec<(Partition, Newest, ReadFigures)>,
    snapshots: u64,
    snapshot_bytes: u64,
}

struct Retry<R> {
    checkpoint: Checkpoint<R>,
    at: Duration,
}

impl<R> Checkpoints<R> {
    /// None yet.
    pub(crate) fn new(now: Duration, retry_wait: Duration) -> Self {
        Self {
            barrier: None,
            has_news: false,
            is_snapshot_wanted: false,
            retry: None,
            flight: Flight::default(),
            retry_wait,
            failing_since: None,
            last_barrier: now,
            last_snapshot: now,
            snapshot_cost: Duration::ZERO,
        }
    }
}

impl<S: RecordSource, A: Archive + Send + 'static> Runner<S, A> {
    pub(crate) fn is_checkpoint_due(&self) -> bool {
        let has_work = self.checkpoints.has_news || self.outbox.is_touched();
        if !has_work || self.is_checkpoint_under_way() {
            return false;
        }
        let since = self.clock.monotonic().saturating_sub(self.checkpoints.last_barrier);
        let rows_bytes: usize = self.lane_bytes.iter().sum();
        since >= self.settings.flush_interval
            || (rows_bytes >= self.settings.checkpoint_bytes && since >= COMMIT_SPACING)
    }

    fn is_checkpoint_under_way(&self) -> bool {
        let Checkpoints { barrier, retry, .. } = &self.checkpoints;
        barrier.is_some() || retry.is_some() || self.writer.is_busy()
    }

    pub(crate) fn begin_checkpoint(&mut self) {
        let now = self.clock.monotonic();
        let least = self.checkpoints.snapshot_cost * SNAPSHOT_SPACING;
        let spacing = self.settings.snapshot_interval.max(least);
        let is_due = now.saturating_sub(self.checkpoints.last_snapshot) >= spacing;
        let with_snapshots = is_due
            || std::mem::take(&mut self.checkpoints.is_snapshot_wanted)
            || self.is_context_waiting();
        if with_snapshots {
            self.checkpoints.last_snapshot = now;
        }
        self.checkpoints.last_barrier = now;
        self.checkpoints.has_news = false;
        self.checkpoints.barrier = Some(Barrier::new(self.workers.count(), with_snapshots));
        for lane in 0..self.workers.count() {
            let empty = self.writer.archive().rows();
            self.workers.send(lane, Task::Freeze { with_snapshots, empty });
        }
        self.hand_context_on();
    }

    /// A worker has answered.
    pub(crate) fn take_part(&mut self, lane: usize, frozen: Frozen<A::Rows>) {
        let Some(mut barrier) = self.checkpoints.barrier.take() else { return };
        barrier.freeze(lane, frozen);
        if barrier.is_complete() {
            self.complete(barrier);
        } else {
            self.checkpoints.barrier = Some(barrier);
        }
    }

    /// Every worker has answered: the keeper's turn, then the commit.
    fn complete(&mut self, barrier: Barrier<A::Rows>) {
        let started = self.clock.monotonic();
        let with_snapshots = barrier.with_snapshots();
        let (mut parts, held) = barrier.into_parts();
        let alerts = self.desk.sum_up(self.clock.as_ref());
        self.deliver(&alerts, None);
        self.adopt_waiting_context();
        let empty = self.writer.archive().rows();
        parts.rows.push(std::mem::replace(&mut self.desk.rows, empty));
        self.desk.pass(&parts.progress);
        if with_snapshots {
            self.informant.replayed_by = Arc::clone(self.desk.keeper.context());
            parts.snapshots.extend(self.desk.snapshot());
            self.take_census();
            self.checkpoints.snapshot_cost = self.clock.monotonic().saturating_sub(started);
            let cost = self.checkpoints.snapshot_cost.as_secs_f64();
            self.figures.snapshot_seconds.add(cost, 1);
        }
        let keeper_next = self.desk.keeper.next_number();
        let cursors = self.outbox.cursors(&parts.progress, keeper_next);
        let is_empty = parts.rows.iter().all(Rows::is_empty) && parts.snapshots.is_empty();
        if is_empty && cursors.is_empty() && parts.progress == self.status.committed {
            self.committing_bytes = 0;
        } else {
            let segments = parts.snapshots.iter().flat_map(|snapshot| &snapshot.segments);
            self.checkpoints.flight = Flight {
                arrivals: parts.arrivals,
                newest: parts.newest,
                snapshots: parts.snapshots.len() as u64,
                snapshot_bytes: segments.map(|segment| segment.bytes.len() as u64).sum(),
            };
            let since = self.watched_time();
            self.figures.commit_in_flight = Some(InFlight { since, error: None });
            self.writer.submit(Checkpoint {
                rows: parts.rows,
                progress: parts.progress,
                keeper_next: Some(keeper_next),
                cursors,
                snapshots: parts.snapshots,
            });
        }
        for news in held {
            self.observe(news);
        }
    }

    pub(crate) fn committed(&mut self, result: CommitResult<A::Rows>) -> Result<(), RunError> {
        match result {
            Ok(committed) => {
                self.committing_bytes = 0;
                self.checkpoints.retry_wait = self.settings.retry_interval;
                if let Some(since) = self.checkpoints.failing_since.take() {
                    let seconds = self.clock.monotonic().saturating_sub(since).as_secs();
                    tracing::info!(seconds, "committed again");
                }
                self.status.tally.commits += 1;
                self.status.committed = committed.progress().clone();
                self.count_commit(&committed);
                self.source.acknowledge(&committed);
                self.mark_unsaved(&committed);
                Ok(())
            }
            Err(failure) => match *failure {
                (error, Some(checkpoint)) if error.disposition() == Disposition::Retry => {
                    // Once for each outage, not for each attempt: the health page has the newest reason.
                    if self.checkpoints.failing_since.is_none() {
                        self.checkpoints.failing_since = Some(self.clock.monotonic());
                        tracing::warn!(
                            %error,
                            "failed to commit: it is tried again until it succeeds; nothing is lost, and reading pauses \
                             when buffer_megabytes are full"
                        );
                    } else {
                        tracing::debug!(%error, "failed to commit again");
                    }
                    self.figures.commit_failures += 1;
                    if let Some(in_flight) = &mut self.figures.commit_in_flight {
                        in_flight.error = Some(error.to_string());
                    }
                    let at = self.clock.monotonic() + self.checkpoints.retry_wait;
                    self.checkpoints.retry_wait = (self.checkpoints.retry_wait * 2).min(RETRY_MAX);
                    self.checkpoints.retry = Some(Retry { checkpoint, at });
                    Ok(())
                }
                (error, _) => Err(error.into()),
            },
        }
    }

    fn count_commit(&mut self, committed: &Committed) {
        let (now, flight) = (self.clock.now(), std::mem::take(&mut self.checkpoints.flight));
        let elapsed = self.watched_time();
        let figures = &mut self.figures;
        figures.commits += 1;
        figures.last_commit = Some(now);
        if let Some(in_flight) = figures.commit_in_flight.take() {
            let took = elapsed.saturating_sub(in_flight.since);
            figures.commit_seconds.add(took.as_secs_f64(), 1);
        }
        let written = committed.written();
        figures.files_written += written.files;
        figures.bytes_written += written.bytes;
        figures.snapshots += flight.snapshots;
        figures.snapshot_bytes += flight.snapshot_bytes;
        flight.arrivals.observe(now, &mut figures.event_to_durable);
        for (partition, newest, reads) in flight.newest {
            let figures = figures.partition(&partition);
            figures.newest.add(newest);
            figures.reads = reads;
        }
    }

    /// State that did not reach the archive must be whole in the next snapshot.
    fn mark_unsaved(&mut self, committed: &Committed) {
        for owner in committed.unsaved() {
            match owner {
                Owner::Keeper => self.desk.keeper.mark_all_dirty(),
                Owner::Lessons => {}
                Owner::Partition(partition) => {
                    if let Some(lane) = self.owned.get(partition) {
                        self.workers.send(*lane, Task::MarkDirty(partition.clone()));
                    }
                }
            }
        }
    }

    pub(crate) fn retry_if_due(&mut self) {
        let now = self.clock.monotonic();
        let retry = &mut self.checkpoints.retry;
        if !self.writer.is_busy()
            && let Some(retry) = retry.take_if(|retry| retry.at <= now)
        {
            self.writer.submit(retry.checkpoint);
        }
    }

    /// Waits until no commit is in flight and none is waiting to be tried again. `false` if it gave up before.
    pub(crate) fn settle_commit(
        &mut self,
        gives_up: &dyn Fn(Duration) -> bool,
    ) -> Result<bool, RunError> {
        while self.is_checkpoint_under_way() {
            self.beat();
            if gives_up(self.clock.monotonic()) {
                return Ok(false);
            }
            if let Some(reply) = self.workers.receive(POLL) {
                self.hear(reply)?;
            }
            if let Some(result) = self.writer.result(POLL) {
                self.committed(result)?;
            }
            self.retry_if_due();
        }
        Ok(true)
    }

    /// A checkpoint now, waiting for it. `false` if it gave up before it was there.
    pub(crate) fn checkpoint_now(
        &mut self,
        gives_up: &dyn Fn(Duration) -> bool,
    ) -> Result<bool, RunError> {
        if !self.settle_commit(gives_up)? {
            return Ok(false);
        }
        self.begin_checkpoint();
        self.settle_commit(gives_up)
    }
}
