//! The order of writes: files, snapshots, one commit, the head.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow_array::RecordBatch;
use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};
use dataward_pipeline::archive::{
    ArchiveError, Checkpoint, Claim, Committed, CursorKey, Known, Snapshot, Written,
};
use deltalake_core::kernel::{Add, Transaction};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;
use uuid::Uuid;

use crate::app_id::{AppIds, Meaning, owner_path};
use crate::claims::{self, Claims};
use crate::commit_log::{CommitLog, unavailable};
use crate::data_file::DataFile;
use crate::data_reader::DataReader;
use crate::delta_archive::Options;
use crate::location::Location;
use crate::log_audit::audit;
use crate::report::Problem;
use crate::row_kind::RowKind;
use crate::rows::ArrowRows;
use crate::state_store::{Saved, StateStore};
use crate::table::{Outcome, Table, now_millis};
use crate::table_files::{self, TableFiles};

/// How often a commit is tried on a newer version before the loop is asked to try later.
const ATTEMPTS: u32 = 5;

/// Compares what the table says with what a commit relies on, and gives the app ids of the commit.
type Preparation<'a> =
    dyn FnMut(&Claims, &CommitLog) -> Result<Vec<Transaction>, ArchiveError> + 'a;

/// Everything that writes into one archive.
pub(crate) struct Writer {
    table: Table,
    claims: Claims,
    states: StateStore,
    stop: Option<Arc<AtomicBool>>,
}

impl Writer {
    pub(crate) async fn open(
        location: &Location,
        options: &Options,
        create: bool,
    ) -> Result<Self, ArchiveError> {
        let mut table = Table::open(location, options.store_wrapper.as_ref(), create).await?;
        table.pause = options.reconcile_pause.unwrap_or(table.pause);
        let claims = Claims::new(&table.archive_id);
        let states = StateStore::new(Arc::clone(&table.state), &table.archive_id);
        Ok(Self { table, claims, states, stop: options.stop.clone() })
    }

    pub(crate) fn archive_id(&self) -> &str {
        &self.table.archive_id
    }

    pub(crate) fn app_ids(&self) -> &AppIds {
        self.claims.ids()
    }

    pub(crate) fn version(&self) -> u64 {
        self.table.log.version
    }

    pub(crate) fn reader(&self) -> DataReader {
        DataReader::new(Arc::clone(&self.table.store), self.table.log.version, self.stop.clone())
    }

    /// The files of the table at a version that it has.
    /// What is wrong with the log itself, if anything: what it says of files is worth as much as it is.
    pub(crate) async fn log_problem(&self) -> Result<Option<Problem>, ArchiveError> {
        let mut problems = Vec::new();
        audit(&*self.table.store, &*self.table.state, &mut problems).await?;
        // A copy of the table alone has no head beside it.
        let is_of_head =
            |problem: &Problem| matches!(problem, Problem::HeadMissing | Problem::HeadUnreadable);
        Ok(problems.into_iter().find(|problem| !is_of_head(problem)))
    }

    pub(crate) async fn table_files(&self, version: u64) -> Result<TableFiles, ArchiveError> {
        table_files::table_files(Arc::clone(&self.table.store), version).await
    }

    /// Sees what others did.
    ///
    /// # Errors
    /// `Fenced` if one of our owners was claimed.
    pub(crate) async fn refresh(&mut self) -> Result<(), ArchiveError> {
        self.table.refresh().await?;
        self.check_claims()
    }

    /// Without this check a newer view of the table would jump over the commit that fenced us.
    fn check_claims(&mut self) -> Result<(), ArchiveError> {
        let checked = self.claims.check(&self.table.log);
        if checked.is_err() {
            self.claims.clear();
            self.states.forget();
        }
        checked
    }

    fn read(&self, meaning: &Meaning) -> Option<i64> {
        self.claims.read(&self.table.log, meaning)
    }

    /// What the table knows of these partitions.
    pub(crate) fn known(&self, partitions: &[Partition]) -> BTreeMap<Partition, Known> {
        let topics = claims::known_topics(self.claims.ids(), &self.table.log);
        let known = |partition: &Partition| match self
            .read(&Meaning::Progress(Owner::Partition(partition.clone())))
        {
            Some(next) => Known::At(Offset(next)),
            None if topics.contains(&partition.topic) => Known::NewPartition,
            None => Known::NewTopic,
        };
        partitions.iter().map(|partition| (partition.clone(), known(partition))).collect()
    }

    pub(crate) fn keeper_next(&self) -> Option<u64> {
        self.read(&Meaning::Progress(Owner::Keeper)).and_then(|next| u64::try_from(next).ok())
    }

    /// How often lessons were taken.
    pub(crate) fn lessons(&self) -> Option<i64> {
        self.read(&Meaning::Progress(Owner::Lessons))
    }

    pub(crate) fn epoch(&self, owner: &Owner) -> Option<i64> {
        self.read(&Meaning::Epoch(owner.clone()))
    }

    pub(crate) fn table_progress(&self) -> Progress {
        self.meanings()
            .filter_map(|(meaning, value)| match meaning {
                Meaning::Progress(Owner::Partition(partition)) => Some((partition, Offset(value))),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn cursors(&self) -> BTreeMap<CursorKey, i64> {
        self.meanings()
            .filter_map(|(meaning, value)| match meaning {
                Meaning::Cursor(sink, owner) => Some((CursorKey { sink, owner }, value)),
                _ => None,
            })
            .collect()
    }

    fn meanings(&self) -> impl Iterator<Item = (Meaning, i64)> {
        let ids = self.claims.ids();
        let transactions = self.table.log.transactions.iter();
        transactions.filter_map(|(app_id, value)| Some((ids.parse(app_id)?, *value)))
    }

    pub(crate) fn release(&mut self, owners: &[Owner]) {
        self.claims.release(owners);
    }

    pub(crate) async fn claim(
        &mut self,
        claims: &[Claim],
        mut rows: ArrowRows,
    ) -> Result<Committed, ArchiveError> {
        let commit_id = Uuid::new_v4();
        let rows = std::slice::from_mut(&mut rows);
        let adds = self.write_files(commit_id, rows, &mut Vec::new()).await?;
        let mut saved = Vec::new();
        for claim in claims {
            saved.extend(self.first_snapshot(claim).await?);
        }
        let mut epochs = Vec::new();
        let offsets = offsets(claims.iter().map(|claim| (&claim.owner, claim.next)));
        let version = self
            .settle(commit_id, &adds, offsets, &mut |held, log| {
                held.check_expected(log, claims)?;
                epochs = held.epochs(log, claims);
                let mut transactions = held.claim_transactions(log, claims, &epochs);
                transactions.extend(state_transactions(held, &saved));
                Ok(transactions)
            })
            .await?;
        self.claims.take(claims, &epochs);
        self.states.committed(saved).await;
        Ok(Committed::new(version, self.claims.progress()))
    }

    /// An owner always has a snapshot to replay from: the first one is empty.
    async fn first_snapshot(&self, claim: &Claim) -> Result<Option<Saved>, ArchiveError> {
        if self.read(&Meaning::State(claim.owner.clone())).is_some() {
            return Ok(None);
        }
        let mut at = Progress::new();
        if let Owner::Partition(partition) = &claim.owner {
            at.assign(partition.clone(), Offset(claim.next));
        }
        let empty = Snapshot {
            owner: claim.owner.clone(),
            at,
            format: 0,
            segments: Vec::new(),
            segment_count: 0,
        };
        self.states.save(&empty, None).await
    }

    pub(crate) async fn commit(
        &mut self,
        checkpoint: &mut Checkpoint<ArrowRows>,
    ) -> Result<Committed, ArchiveError> {
        self.check_claims()?;
        // The name stands between slashes in an app id: another one would make it unreadable.
        if let Some(key) = checkpoint.cursors.keys().find(|key| key.sink.contains('/')) {
            let name = &key.sink;
            return Err(ArchiveError::Broken(format!("{name} cannot be the name of a sink")));
        }
        // A crash from here on leaves files that no reader sees.
        let mut files = Vec::new();
        let result = self.commit_files(checkpoint, &mut files).await;
        if let Err(ArchiveError::Unavailable(_)) = result {
            // It is known not to be in the table, and will be tried with files of other names: on a full disk these would
            // take what is left.
            for path in files {
                let _ = self.table.store.delete(&path).await;
            }
        }
        result
    }

    /// Writes the files of a checkpoint, and commits them. `files`: those that it has begun, whatever becomes of them.
    async fn commit_files(
        &mut self,
        checkpoint: &mut Checkpoint<ArrowRows>,
        files: &mut Vec<Path>,
    ) -> Result<Committed, ArchiveError> {
        let next = self.claims.advanced(&checkpoint.progress, checkpoint.keeper_next)?;
        let commit_id = Uuid::new_v4();
        let adds = self.write_files(commit_id, &mut checkpoint.rows, files).await?;
        let (mut saved, mut unsaved) = (Vec::new(), Vec::new());
        for snapshot in &checkpoint.snapshots {
            let committed = self.read(&Meaning::State(snapshot.owner.clone()));
            match self.states.save(snapshot, committed).await? {
                Some(state) => saved.push(state),
                None => unsaved.push(snapshot.owner.clone()),
            }
        }
        let cursors = &checkpoint.cursors;
        let offsets = offsets(next.iter().map(|(owner, value)| (owner, *value)));
        let version = self
            .settle(commit_id, &adds, offsets, &mut |held, _| {
                let mut transactions = held.checkpoint_transactions(&next);
                transactions.extend(state_transactions(held, &saved));
                for (CursorKey { sink, owner }, first) in cursors {
                    let cursor = Meaning::Cursor(sink.clone(), owner.clone());
                    transactions.push(held.transaction(&cursor, *first));
                }
                Ok(transactions)
            })
            .await?;
        self.claims.advance(&next);
        self.states.committed(saved).await;
        let committed = Committed::new(version, self.claims.progress()).with_unsaved(unsaved);
        Ok(committed.with_written(written(&adds)))
    }

    /// Commits, on whichever version the table has reached, as long as it still says what we rely
    /// on.
    async fn settle(
        &mut self,
        commit_id: Uuid,
        adds: &[Add],
        offsets: Value,
        transactions: &mut Preparation<'_>,
    ) -> Result<u64, ArchiveError> {
        for _ in 0..ATTEMPTS {
            self.check_claims()?;
            if self.table.is_outdated() {
                // Only who writes raises it: a standby that looks in must not stop a holder of an older version.
                // Whatever became of it, the next round sees it.
                self.table.upgrade().await?;
                continue;
            }
            let transactions = transactions(&self.claims, &self.table.log)?;
            let outcome =
                self.table.attempt(commit_id, adds, transactions, offsets.clone()).await?;
            let Outcome::Committed(version) = outcome else { continue };
            // A crash here leaves the head behind: the next opening repairs it.
            if let Err(error) = self.table.write_head().await {
                tracing::warn!(%error, version, "the head file could not be replaced");
            }
            return Ok(version);
        }
        let why = self.table.failure.take().unwrap_or_else(|| "others were faster".to_owned());
        Err(ArchiveError::Unavailable(format!("the commit could not be made yet: {why}")))
    }

    /// Writes one file for each kind and day.
    async fn write_files(
        &self,
        commit_id: Uuid,
        rows: &mut [ArrowRows],
        files: &mut Vec<Path>,
    ) -> Result<Vec<Add>, ArchiveError> {
        let encoding = |error: &dyn std::fmt::Display| {
            ArchiveError::Broken(format!("rows could not be encoded: {error}"))
        };
        let mut groups: BTreeMap<(RowKind, i32), Vec<RecordBatch>> = BTreeMap::new();
        for rows in rows {
            for sealed in rows.seal().map_err(|error| encoding(&error))? {
                groups.entry((sealed.kind, sealed.day)).or_default().extend(sealed.batches);
            }
        }
        let mut adds = Vec::with_capacity(groups.len());
        for (number, ((kind, day), batches)) in groups.into_iter().enumerate() {
            let name = format!("c-{commit_id}-{number}.parquet");
            let file =
                DataFile::encode(kind, day, &name, &batches).map_err(|error| encoding(&error))?;
            let path = Path::from(file.path.as_str());
            files.push(path.clone());
            self.table.store.put(&path, file.bytes.clone().into()).await.map_err(unavailable)?;
            adds.push(file.add(now_millis()));
        }
        Ok(adds)
    }

    pub(crate) async fn snapshot(
        &mut self,
        owner: &Owner,
    ) -> Result<Option<Snapshot>, ArchiveError> {
        let Some(committed) = self.read(&Meaning::State(owner.clone())) else { return Ok(None) };
        let (claims, log) = (&self.claims, &self.table.log);
        let progress = |owner: &Owner| claims.read(log, &Meaning::Progress(owner.clone()));
        self.states.load(owner, committed, &progress).await
    }
}

fn written(adds: &[Add]) -> Written {
    let bytes = adds.iter().map(|add| u64::try_from(add.size).unwrap_or(0));
    Written { files: adds.len() as u64, bytes: bytes.sum() }
}

fn state_transactions(held: &Claims, saved: &[Saved]) -> Vec<Transaction> {
    let named = saved.iter();
    named
        .map(|saved| held.transaction(&Meaning::State(saved.owner.clone()), saved.number))
        .collect()
}

/// Progress as the commit tells it to a person.
fn offsets<'a>(progress: impl Iterator<Item = (&'a Owner, i64)>) -> Value {
    let entries = progress.map(|(owner, value)| (owner_path(owner), Value::from(value)));
    Value::Object(entries.collect())
}
