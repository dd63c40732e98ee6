//! The archive on Delta.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{
    Archive, ArchiveError, Checkpoint, Claim, Committed, ExposureRow, Known, OperatorRow, Replayed,
    Rows, Segment, SharedRow, Snapshot,
};
use tokio::runtime::Runtime;

use crate::by_time::{ByTime, events_by_time};
use crate::exposures::Withdrawn;
use crate::location::{Location, StoreWrapper};
use crate::recent_files::Since;
use crate::rows::ArrowRows;
use crate::table_files::TableFiles;
use crate::writer::Writer;

/// How an archive is opened.
#[derive(Clone, Default)]
pub struct Options {
    /// Something between the archive and its storage.
    pub store_wrapper: Option<StoreWrapper>,
    /// The pause before storage is asked again about a commit of unknown outcome; it doubles each
    /// time.
    pub reconcile_pause: Option<Duration>,
    /// Whoever sets it wants the process to end: reading rows back, which may take long, ends with
    /// [`ArchiveError::Stopped`] then. Commits go on as ever.
    pub stop: Option<Arc<AtomicBool>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("store_wrapper", &self.store_wrapper.is_some())
            .field("reconcile_pause", &self.reconcile_pause)
            .field("stop", &self.stop)
            .finish()
    }
}

/// An archive: one Delta table, and the directory of its state beside it.
///
/// Its calls block; they must not come from a thread of an asynchronous runtime.
pub struct DeltaArchive {
    runtime: Runtime,
    writer: Writer,
    is_read_only: bool,
    returned: Option<Checkpoint<ArrowRows>>,
}

impl DeltaArchive {
    /// Opens the archive in a directory, and creates it if there is none.
    ///
    /// # Errors
    /// `Broken` if the table is not ours, would break a promise, or has lost commits; `Unavailable`
    /// if storage fails.
    pub fn open(location: &Path, options: &Options) -> Result<Self, ArchiveError> {
        Self::open_as(location, options, false)
    }

    /// Opens an archive that is there, to read it. Nothing is written, not even to repair.
    ///
    /// # Errors
    /// As [`open`](Self::open), and `Broken` if there is no archive.
    pub fn open_read_only(location: &Path, options: &Options) -> Result<Self, ArchiveError> {
        Self::open_as(location, options, true)
    }

    fn open_as(
        location: &Path,
        options: &Options,
        is_read_only: bool,
    ) -> Result<Self, ArchiveError> {
        let location = Location::new(location)?;
        let runtime = runtime()?;
        let writer = runtime.block_on(Writer::open(&location, options, !is_read_only))?;
        Ok(Self { runtime, writer, is_read_only, returned: None })
    }

    /// The id that the archive was given when it was made.
    pub fn archive_id(&self) -> &str {
        self.writer.archive_id()
    }

    /// The version of the table that we know.
    pub fn version(&self) -> u64 {
        self.writer.version()
    }

    /// The next offset of every partition that the table knows, files included.
    pub fn table_progress(&self) -> Progress {
        self.writer.table_progress()
    }

    /// How often an owner was claimed, as the table says; a lease tells it to those who wait.
    pub fn epoch(&self, owner: &Owner) -> Option<i64> {
        self.writer.epoch(owner)
    }

    /// Where the sinks stand in the alerts of the owners.
    pub fn cursors(&self) -> BTreeMap<dataward_pipeline::archive::CursorKey, i64> {
        self.writer.cursors()
    }

    /// The alerts whose triggering event lies in one of these partitions, oldest first.
    ///
    /// # Errors
    /// As [`Archive::replay`].
    pub fn alerts_of(&mut self, partitions: &[Partition]) -> Result<Vec<Alert>, ArchiveError> {
        let reader = self.writer.reader();
        let is_of = |alert: &Alert| {
            let position = alert.position.as_ref();
            position.is_some_and(|position| partitions.contains(&position.partition))
        };
        self.runtime.block_on(crate::replay::alerts(&reader, &is_of))
    }

    /// What was told of a finding, oldest first.
    ///
    /// # Errors
    /// As [`Archive::replay`].
    pub fn alerts_about(&mut self, finding: &str) -> Result<Vec<Alert>, ArchiveError> {
        let reader = self.writer.reader();
        let is_about = |alert: &Alert| alert.finding_uid == finding;
        self.runtime.block_on(crate::replay::alerts(&reader, &is_about))
    }

    /// The events of all partitions, the oldest first as far as files go.
    ///
    /// # Errors
    /// As [`Archive::replay`].
    pub fn events_by_time(&mut self, each: &mut dyn FnMut(ByTime)) -> Result<(), ArchiveError> {
        let reader = self.writer.reader();
        self.runtime.block_on(events_by_time(&reader, each))
    }

    /// Keeps what lessons have taught, for partitions to begin with, and the row that tells of them.
    ///
    /// # Errors
    /// As [`Archive::commit`].
    pub fn keep_lessons(
        &mut self,
        format: u32,
        segments: Vec<Segment>,
        deed: &OperatorRow,
    ) -> Result<(), ArchiveError> {
        self.look_up_keeper()?;
        let taken = self.writer.lessons();
        let (owner, next) = (Owner::Lessons, taken.map_or(1, |taken| taken + 1));
        let claim = Claim { owner: owner.clone(), next, expected: taken };
        let (nothing, mut rows) = (self.rows(), self.rows());
        self.claim(&[claim], nothing)?;
        rows.operator(deed);
        let segment_count = u32::try_from(segments.len()).unwrap_or(u32::MAX);
        let at = Progress::new();
        let lessons = Snapshot { owner: owner.clone(), at, format, segments, segment_count };
        let committed = self.commit(Checkpoint {
            rows: vec![rows],
            progress: Progress::new(),
            keeper_next: None,
            cursors: BTreeMap::new(),
            snapshots: vec![lessons],
        })?;
        self.release(&[owner]);
        match committed.unsaved() {
            [] => Ok(()),
            _ => Err(ArchiveError::Unavailable("what was learned could not be kept".to_owned())),
        }
    }

    /// The windows, each as its newest statement says, in the order in which they were opened.
    ///
    /// # Errors
    /// As [`Archive::replay`].
    pub fn exposures(&mut self, withdrawn: Withdrawn) -> Result<Vec<ExposureRow>, ArchiveError> {
        let reader = self.writer.reader();
        self.runtime.block_on(crate::exposures::exposures(&reader, withdrawn))
    }

    /// The files of the table at a version, by default the newest; for those who read them with an engine of their own.
    ///
    /// # Errors
    /// `Broken` if the table has no such version, or no longer its log, or if a commit of it was altered.
    pub fn table_files(&self, version: Option<u64>) -> Result<TableFiles, ArchiveError> {
        let newest = self.writer.version();
        let version = version.unwrap_or(newest);
        if version > newest {
            let text = format!("the table has no version {version}: its newest is {newest}");
            return Err(ArchiveError::Broken(text));
        }
        if let Some(problem) = self.runtime.block_on(self.writer.log_problem())? {
            let text = format!("{problem}: what is asked of this table may be wrong; run verify");
            return Err(ArchiveError::Broken(text));
        }
        self.runtime.block_on(self.writer.table_files(version))
    }

    fn may_write(&self) -> Result<(), ArchiveError> {
        if self.is_read_only {
            return Err(ArchiveError::Broken("the archive was opened to be read".into()));
        }
        Ok(())
    }
}

/// The runtime of an archive's storage calls.
pub(crate) fn runtime() -> Result<Runtime, ArchiveError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("archive")
        .enable_all()
        .build()
        .map_err(|error| ArchiveError::Unavailable(format!("failed to start a thread: {error}")))
}

impl Archive for DeltaArchive {
    type Rows = ArrowRows;

    fn rows(&self) -> ArrowRows {
        ArrowRows::new()
    }

    fn look_up(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Known>, ArchiveError> {
        self.runtime.block_on(self.writer.refresh())?;
        Ok(self.writer.known(partitions))
    }

    fn look_up_keeper(&mut self) -> Result<Option<u64>, ArchiveError> {
        self.runtime.block_on(self.writer.refresh())?;
        Ok(self.writer.keeper_next())
    }

    fn claim(&mut self, claims: &[Claim], rows: ArrowRows) -> Result<Committed, ArchiveError> {
        self.may_write()?;
        self.runtime.block_on(self.writer.claim(claims, rows))
    }

    fn release(&mut self, owners: &[Owner]) {
        self.writer.release(owners);
    }

    fn commit(&mut self, mut checkpoint: Checkpoint<ArrowRows>) -> Result<Committed, ArchiveError> {
        let committed = match self.may_write() {
            Ok(()) => self.runtime.block_on(self.writer.commit(&mut checkpoint)),
            Err(error) => Err(error),
        };
        self.returned = committed.is_err().then_some(checkpoint);
        committed
    }

    fn take_back(&mut self) -> Option<Checkpoint<ArrowRows>> {
        self.returned.take()
    }

    fn snapshot(&mut self, owner: &Owner) -> Result<Option<Snapshot>, ArchiveError> {
        self.runtime.block_on(self.writer.snapshot(owner))
    }

    fn replay(
        &mut self,
        partition: &Partition,
        from: Offset,
        each: &mut dyn FnMut(Replayed),
    ) -> Result<(), ArchiveError> {
        let reader = self.writer.reader();
        self.runtime.block_on(crate::replay::replay(&reader, partition, from, each))
    }

    fn replay_shared(
        &mut self,
        from: &Progress,
        each: &mut dyn FnMut(SharedRow),
    ) -> Result<(), ArchiveError> {
        let reader = self.writer.reader();
        let newest = self.writer.table_progress();
        let since = Since {
            version: self.writer.version(),
            newest: &newest,
            from,
            ids: self.writer.app_ids(),
        };
        self.runtime.block_on(crate::replay::replay_shared(&reader, &since, each))
    }

    fn unacknowledged(&mut self, sink: &str) -> Result<Vec<Alert>, ArchiveError> {
        let reader = self.writer.reader();
        let cursors = self.writer.cursors();
        let cursors: BTreeMap<Owner, i64> = cursors
            .into_iter()
            .filter(|(key, _)| key.sink == sink)
            .map(|(key, first)| (key.owner, first))
            .collect();
        if cursors.is_empty() {
            // A sink that is new to the archive begins now: nobody wants years of alerts again.
            return Ok(Vec::new());
        }
        let is_waiting = |alert: &Alert| {
            let first = cursors.get(&alert.trigger.owner());
            first.is_none_or(|first| alert.trigger.number() >= *first)
        };
        self.runtime.block_on(crate::replay::alerts(&reader, &is_waiting))
    }
}
