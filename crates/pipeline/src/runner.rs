//! The loop: read → decode → detect → deliver → checkpoint.
//!
//! One thread polls the source and coordinates. A crash at any line loses nothing: what is not in the table is read
//! again from the table's progress, gives the same findings, and is delivered under the same ids.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dataward_detect::keeper::Keeper;
use dataward_event::finding::Owner;
use dataward_event::position::{Partition, Progress};
use dataward_event::time::KafkaTime;

use crate::alert::Alert;
use crate::archive::{Archive, ArchiveError, Disposition, Rows};
use crate::batch::Batch;
use crate::checkpoints::Checkpoints;
use crate::clock::Clock;
use crate::deferred::Deferred;
use crate::desk::Desk;
use crate::figures::Figures;
use crate::informant::{Informant, NewContext};
use crate::lane::{News, Outcome};
use crate::listening::Listening;
use crate::metrics::{Activity, Metrics};
use crate::outbox::Outbox;
use crate::record_source::{Input, RecordSource, SourceError};
use crate::settings::Settings;
use crate::tally::Tally;
use crate::workers::{Reply, Task, Workers};
use crate::writer::Writer;

/// How long the source may wait for input while answers of the workers may come.
pub(crate) const POLL: Duration = Duration::from_millis(5);
/// Records on the way to the workers beyond which reading waits: enough that no worker waits for it, and little enough
/// to be found in the processor's cache.
const DISPATCHED_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long a revocation or a stop waits for its last checkpoint.
const LAST_CHECKPOINT: Duration = Duration::from_secs(7);
/// The longest time between two calls of the watch.
const SHOW_SPACING: Duration = Duration::from_millis(100);

/// How the loop ended without a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop, and what it had read is in the table.
    Stopped,
    /// The source has no more, and what it had is in the table.
    SourceEnded,
    /// Another process has claimed the archive. Nothing is lost: start again as its standby.
    Fenced,
    /// Partitions went before their last checkpoint was there. What was not committed is dropped: start again, and it
    /// is read again.
    GaveUp,
}

/// Why the loop failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source.
    #[error("failed to read: {0}")]
    Source(SourceError),
    /// The archive.
    #[error("failed to use the archive: {0}")]
    Archive(ArchiveError),
    /// Offsets are gone, and the settings say to stop then.
    #[error("offsets are lost: {0}")]
    OffsetsLost(String),
    /// It was told to stop while it waited for the outside world.
    #[error("told to stop")]
    Stopped,
    /// Partitions are to be given up, and their rows can neither be committed in time nor kept.
    #[error("partitions are taken before their last checkpoint")]
    GaveUp,
    /// A worker died: a defect of ours.
    #[error("worker {lane} has failed: {reason}")]
    Worker {
        /// Which.
        lane: usize,
        /// What it said last.
        reason: String,
    },
    /// A topic that is assigned but bound to no source.
    #[error("topic {0} is bound to no source")]
    UnboundTopic(String),
}

impl From<SourceError> for RunError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Stopped => Self::Stopped,
            error => Self::Source(error),
        }
    }
}

impl From<ArchiveError> for RunError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Stopped => Self::Stopped,
            error => Self::Archive(error),
        }
    }
}

/// Where the loop stands, for whoever shows it.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// What was counted since the start.
    pub tally: Tally,
    /// The progress that the table has.
    pub committed: Progress,
    /// The memory of records and rows on the way, in bytes.
    pub buffered_bytes: usize,
}

/// The loop and all its parts.
pub struct Runner<S, A: Archive> {
    pub(crate) source: S,
    pub(crate) writer: Writer<A>,
    pub(crate) workers: Workers<A::Rows>,
    pub(crate) outbox: Outbox,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) desk: Desk<A::Rows>,
    /// The owned partitions and their workers.
    pub(crate) owned: BTreeMap<Partition, usize>,
    pub(crate) stopped: BTreeMap<Partition, String>,
    pub(crate) status: Status,
    pub(crate) checkpoints: Checkpoints<A::Rows>,
    pub(crate) figures: Figures,
    metrics: Option<Arc<Metrics>>,
    dispatched_bytes: usize,
    pub(crate) lane_bytes: Vec<usize>,
    pub(crate) committing_bytes: usize,
    pub(crate) is_paused: bool,
    pub(crate) deferred: Deferred,
    last_shown: Duration,
    watch: Option<Watch>,
    pub(crate) informant: Informant,
    pub(crate) listening: Listening,
}

/// Whoever shows where the loop stands.
type Watch = Box<dyn FnMut(&Status)>;

impl<S: RecordSource, A: Archive + Send + 'static> Runner<S, A> {
    /// A loop over these parts. The archive is not claimed yet.
    pub fn new(
        source: S,
        writer: Writer<A>,
        workers: Workers<A::Rows>,
        outbox: Outbox,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let rows = writer.archive().rows();
        let now = clock.monotonic();
        let lane_bytes = vec![0; workers.count()];
        let checkpoints = Checkpoints::new(now, settings.retry_interval);
        let listening = Listening::new(settings.listening);
        Self {
            source,
            writer,
            workers,
            outbox,
            settings,
            clock,
            desk: Desk::new(Keeper::new(), rows, Progress::new()),
            owned: BTreeMap::new(),
            stopped: BTreeMap::new(),
            status: Status::default(),
            checkpoints,
            figures: Figures::default(),
            metrics: None,
            dispatched_bytes: 0,
            lane_bytes,
            committing_bytes: 0,
            is_paused: false,
            deferred: Deferred::default(),
            last_shown: now,
            watch: None,
            informant: Informant::default(),
            listening,
        }
    }

    /// Asks `ask` again and again whether there is another context. A new one is adopted at the next checkpoint.
    #[must_use]
    pub fn informed(mut self, ask: impl FnMut() -> Option<NewContext> + 'static) -> Self {
        self.informant = Informant::new(ask);
        self
    }

    /// Calls `watch` after each turn that changed something, and at least ten times a second.
    #[must_use]
    pub fn watched(mut self, watch: impl FnMut(&Status) + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Publishes its figures there, going on from what a loop before it has counted.
    #[must_use]
    pub fn measured(mut self, metrics: Arc<Metrics>) -> Self {
        let (_, before) = metrics.latest();
        self.figures = (*before).clone();
        self.figures.begin_anew();
        self.metrics = Some(metrics);
        self
    }

    /// Where the loop stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Partitions that were not started, and why: their log ends before our progress.
    pub fn stopped(&self) -> &BTreeMap<Partition, String> {
        &self.stopped
    }

    /// Runs until `stop` is set, the source ends, or another process takes the archive over.
    ///
    /// # Errors
    /// [`RunError`]; what is not in the table will be read again.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<Ended, RunError> {
        let ended = self.run_to_the_end(stop);
        let is_fenced = match &ended {
            Err(RunError::Archive(error)) => error.disposition() == Disposition::Fenced,
            Err(RunError::Source(SourceError::Fenced(_))) => true,
            _ => false,
        };
        self.figures.fences += u64::from(is_fenced);
        self.publish();
        match ended {
            Err(RunError::Archive(error)) if error.disposition() == Disposition::Fenced => {
                tracing::warn!(%error, "the archive was taken over");
                Ok(Ended::Fenced)
            }
            Err(RunError::Source(SourceError::Fenced(reason))) => {
                tracing::warn!(reason, "our place in the group was taken over");
                Ok(Ended::Fenced)
            }
            Err(RunError::GaveUp) => Ok(Ended::GaveUp),
            other => other,
        }
    }

    fn run_to_the_end(&mut self, stop: &AtomicBool) -> Result<Ended, RunError> {
        match self.start_keeper() {
            // Nothing has been read, and a keeper that is not whole must not be saved.
            Err(RunError::Stopped) => return Ok(Ended::Stopped),
            started => started?,
        }
        if self.outbox.is_touched() {
            // A sink that is new begins here. Its cursor must be in the table before the first alert's row: without one
            // the row would be taken for an alert from before the sink's time, and a crash would lose it for the sink.
            let until = self.clock.monotonic() + LAST_CHECKPOINT;
            self.checkpoint_now(&|now| now >= until)?;
        }
        self.source.begin()?;
        self.act(Activity::Running);
        let ended = match self.read(stop) {
            // What was to begin then has not begun. What was read before is saved as ever.
            Err(RunError::Stopped) => Ok(Ended::Stopped),
            // So it is where nothing more can be read.
            Err(RunError::Source(
                error @ (SourceError::Fatal(_) | SourceError::Unavailable(_)),
            )) => Err(RunError::Source(error)),
            ended => Ok(ended?),
        };
        self.act(Activity::Stopping);
        let finished = self.finish();
        ended.and_then(|ended| finished.map(|()| ended))
    }

    /// Reads until it is told to stop, or the source ends.
    fn read(&mut self, stop: &AtomicBool) -> Result<Ended, RunError> {
        let is_told = |_| stop.load(Ordering::Relaxed);
        while !stop.load(Ordering::Relaxed) {
            let input = match self.deferred.take_due(self.clock.monotonic()) {
                Some(input) => Ok(input),
                None => self.poll(),
            };
            match input {
                Ok(Input::Batch(batch)) => {
                    self.deferred.trouble = None;
                    self.dispatch(batch);
                }
                Ok(Input::Assigned(partitions)) => {
                    if !self.settle_commit(&is_told)? {
                        return Err(RunError::Stopped);
                    }
                    self.take_over(partitions)?;
                }
                Ok(Input::Revoked { partitions, lost }) => {
                    self.deferred.forget(&partitions);
                    self.revoke(&partitions, lost)?;
                }
                Ok(Input::OutOfRange) => {
                    if let Some(reason) = self.restart_lost(&is_told)? {
                        self.defer_out_of_range(reason);
                    }
                }
                Ok(Input::Idle) => self.await_workers()?,
                Ok(Input::End) => {
                    self.finish_source()?;
                    return Ok(Ended::SourceEnded);
                }
                // The source keeps trying by itself.
                Err(SourceError::Unavailable(reason)) => self.tell_trouble(reason),
                Err(error) => return Err(error.into()),
            }
            self.turn()?;
        }
        Ok(Ended::Stopped)
    }

    /// The next input, unless the workers have enough to do.
    fn poll(&mut self) -> Result<Input, SourceError> {
        match self.dispatched_bytes {
            0 => self.source.poll(POLL),
            bytes if bytes < DISPATCHED_BYTES_MAX => self.source.poll(Duration::ZERO),
            _ => Ok(Input::Idle),
        }
    }

    /// While there is nothing to read the workers' answers are what comes next: alerts among them.
    fn await_workers(&mut self) -> Result<(), RunError> {
        if self.dispatched_bytes > 0
            && let Some(reply) = self.workers.receive(POLL)
        {
            self.hear(reply)?;
        }
        Ok(())
    }

    /// Everything that is not reading: answers, checkpoints, back-pressure.
    fn turn(&mut self) -> Result<(), RunError> {
        let mut has_changed = false;
        while let Some(reply) = self.workers.receive(Duration::ZERO) {
            self.hear(reply)?;
            has_changed = true;
        }
        if let Some(result) = self.writer.result(Duration::ZERO) {
            self.committed(result)?;
            has_changed = true;
        }
        let alerts = self.desk.tick(self.clock.as_ref());
        has_changed |= self.deliver(&alerts, None);
        has_changed |= self.listen();
        self.ask_for_context();
        self.outbox.pump();
        self.retry_if_due();
        if self.is_checkpoint_due() {
            self.begin_checkpoint();
        }
        self.balance()?;
        let now = self.clock.monotonic();
        if has_changed || now.saturating_sub(self.last_shown) >= SHOW_SPACING {
            self.last_shown = now;
            self.show();
        }
        self.beat();
        if self.metrics.as_ref().is_some_and(|metrics| metrics.is_due()) {
            self.publish();
        }
        Ok(())
    }

    /// Says what the process does from here on.
    pub(crate) fn act(&mut self, activity: Activity) {
        if let Some(metrics) = &self.metrics {
            metrics.set_activity(activity);
        }
        self.publish();
    }

    /// A sign of life.
    pub(crate) fn beat(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.beat();
        }
    }

    /// Counts what the keeper knows, if anybody watches.
    pub(crate) fn take_census(&mut self) {
        if self.metrics.is_some() {
            self.figures.census = Some(self.desk.keeper.census());
        }
    }

    /// The time on the clock of those who watch.
    pub(crate) fn watched_time(&self) -> Duration {
        self.metrics.as_ref().map_or(Duration::ZERO, |metrics| metrics.elapsed())
    }

    /// Lets those who watch see where the loop stands.
    fn publish(&mut self) {
        let Some(metrics) = self.metrics.clone() else { return };
        self.hear_bounds();
        for (partition, figures) in &mut self.figures.partitions {
            figures.is_owned = self.owned.contains_key(partition);
            figures.committed = self.status.committed.next(partition);
        }
        self.figures.stopped.clone_from(&self.stopped);
        self.figures.buffered_bytes = self.buffered();
        self.figures.buffer_limit_bytes = self.settings.buffer_bytes;
        self.figures.is_paused = self.is_paused;
        self.figures.sinks = self.outbox.figures();
        metrics.publish(self.figures.clone());
    }

    fn show(&mut self) {
        self.status.buffered_bytes = self.buffered();
        if let Some(watch) = &mut self.watch {
            watch(&self.status);
        }
    }

    fn dispatch(&mut self, batch: Batch) {
        // A partition that is no longer ours: its owner reads the records again.
        let Some(lane) = self.owned.get(batch.partition()) else { return };
        self.dispatched_bytes += batch.bytes();
        self.workers.send(*lane, Task::Batch(batch));
    }

    pub(crate) fn hear(&mut self, reply: Reply<A::Rows>) -> Result<(), RunError> {
        match reply {
            Reply::Failed { lane, reason } => return Err(RunError::Worker { lane, reason }),
            Reply::Done { lane, batch_bytes, buffered_bytes, outcome, took } => {
                self.dispatched_bytes = self.dispatched_bytes.saturating_sub(batch_bytes);
                self.lane_bytes[lane] = buffered_bytes;
                self.checkpoints.has_news = true;
                let Outcome { news, alerts, counted } = *outcome;
                if let Some((partition, tally)) = &counted {
                    self.figures.read(partition, tally, took);
                }
                self.deliver(&alerts, news.appended);
                match &mut self.checkpoints.barrier {
                    // It lies behind the marker, and the keeper's snapshot may not know it yet.
                    Some(barrier) if barrier.is_frozen(lane) => barrier.hold(news),
                    _ => self.observe(news),
                }
            }
            Reply::Frozen { lane, frozen } => {
                self.lane_bytes[lane] = 0;
                self.committing_bytes += frozen.rows.bytes();
                self.status.tally.add(&frozen.tally);
                let mut frozen = *frozen;
                self.observe(std::mem::take(&mut frozen.news));
                self.take_part(lane, frozen);
            }
        }
        Ok(())
    }

    pub(crate) fn observe(&mut self, news: News) {
        let appended = news.appended;
        let alerts = self.desk.observe(news, self.clock.as_ref());
        self.deliver(&alerts, appended);
    }

    /// Alerts that have their rows go to every sink. `true` if there are any. `appended`: when the oldest record was
    /// appended that may have caused them.
    pub(crate) fn deliver(&mut self, alerts: &[Alert], appended: Option<KafkaTime>) -> bool {
        for alert in alerts {
            self.raise(alert, appended);
        }
        self.checkpoints.has_news |= !alerts.is_empty();
        !alerts.is_empty()
    }

    /// Counts an alert that has its row, and sends it.
    pub(crate) fn raise(&mut self, alert: &Alert, appended: Option<KafkaTime>) {
        self.status.tally.alerts += 1;
        *self.figures.alerts.entry((alert.rule, alert.severity)).or_default() += 1;
        self.outbox.push(alert, appended);
    }

    /// The source has no more: when all of it is seen, the clock goes on for one grace period.
    fn finish_source(&mut self) -> Result<(), RunError> {
        let until = self.clock.monotonic() + LAST_CHECKPOINT;
        if self.checkpoint_now(&|now| now >= until)? {
            let partitions = self.figures.partitions.values();
            let newest = partitions.filter_map(|partition| partition.newest.event).max();
            let alerts = self.desk.tick_at_the_end(newest, self.clock.as_ref());
            self.deliver(&alerts, None);
        }
        Ok(())
    }

    fn buffered(&self) -> usize {
        self.dispatched_bytes + self.lane_bytes.iter().sum::<usize>() + self.committing_bytes
    }

    /// Reading stops while too much is on the way, and goes on when half of it has arrived.
    fn balance(&mut self) -> Result<(), RunError> {
        let buffered = self.buffered();
        let limit = self.settings.buffer_bytes;
        let is_full = buffered >= limit || self.outbox.is_full();
        let is_calm = buffered < limit / 2 && !self.outbox.is_full();
        if !self.is_paused && is_full {
            self.source.pause(true)?;
            self.is_paused = true;
        } else if self.is_paused && is_calm {
            self.source.pause(false)?;
            self.is_paused = false;
        }
        Ok(())
    }

    fn revoke(&mut self, partitions: &[Partition], lost: bool) -> Result<(), RunError> {
        // Where the partitions are lost the checkpoint is still right: the table alone decides, by its fence.
        let until = self.clock.monotonic() + LAST_CHECKPOINT;
        if !self.checkpoint_now(&|now| now >= until)? {
            // Their rows share buffers with others: kept, they would be committed beside what the next owner reads.
            tracing::warn!(lost, "partitions are taken before their last checkpoint");
            return Err(RunError::GaveUp);
        }
        self.give_up(partitions);
        self.source.unassign(partitions)?;
        Ok(())
    }

    fn give_up(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            if let Some(lane) = self.owned.remove(partition) {
                self.workers.send(lane, Task::Close(partition.clone()));
            }
            self.status.committed.release(partition);
        }
        let owners: Vec<Owner> = partitions.iter().cloned().map(Owner::Partition).collect();
        self.writer.archive().release(&owners);
    }

    /// Partitions that are new must wait as those do that are there.
    pub(crate) fn pause_again(&mut self) -> Result<(), RunError> {
        if self.is_paused {
            self.source.pause(true)?;
        }
        Ok(())
    }

    /// Some position is no longer in the log: those partitions start again, which records what was lost. Or it says why the
    /// source could not be asked which they are.
    fn restart_lost(
        &mut self,
        is_told: &dyn Fn(Duration) -> bool,
    ) -> Result<Option<String>, RunError> {
        let mut lost = Vec::new();
        for partition in self.owned.keys().cloned().collect::<Vec<_>>() {
            let bounds = match self.source.bounds(&partition) {
                Err(SourceError::Unavailable(reason)) => return Ok(Some(reason)),
                bounds => bounds?,
            };
            let next = self.status.committed.next(&partition);
            if next.is_some_and(|next| next < bounds.low || next > bounds.high) {
                lost.push(partition);
            }
        }
        if lost.is_empty() {
            return Ok(None);
        }
        // What is in memory of them may be in Kafka no longer: it must be in the table first, however long that takes.
        if !self.checkpoint_now(is_told)? {
            return Err(RunError::Stopped);
        }
        self.give_up(&lost);
        self.take_over(lost)?;
        Ok(None)
    }

    /// The last checkpoint, and the alerts that still wait.
    fn finish(&mut self) -> Result<(), RunError> {
        let until = self.clock.monotonic() + LAST_CHECKPOINT;
        let is_saved = self.checkpoint_now(&|now| now >= until)?;
        let is_delivered = self.outbox.drain(Duration::from_secs(1));
        if is_saved && is_delivered && self.outbox.is_touched() {
            // So that the next start need not send them again.
            self.checkpoint_now(&|now| now >= until)?;
        }
        if !is_saved {
            tracing::warn!("stopped before the last checkpoint: its records will be read again");
        }
        for (sink, count, error) in self.outbox.waiting() {
            let error = error.unwrap_or_default();
            tracing::warn!(sink, count, error, "alerts wait: they are sent at the next start");
        }
        self.show();
        Ok(())
    }
}
