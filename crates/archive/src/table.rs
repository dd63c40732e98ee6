//! The Delta table: opening it, seeing what others did, and one commit.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dataward_pipeline::archive::ArchiveError;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, MetadataExt as _, StructType, Transaction};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTable, DeltaTableBuilder};
use object_store::ObjectStore;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::commit_log::{Commit, CommitLog, LogPlaces, read_commit, unavailable};
use crate::head::Head;
use crate::location::{Location, StoreWrapper, Stores};
use crate::schema;

/// The property that holds the id of the archive.
pub(crate) const ARCHIVE_ID: &str = "dataward.archive_id";

const SCHEMA_VERSION: &str = "dataward.schema_version";
const FORGETS_OFFSETS: &str = "delta.setTransactionRetentionDuration";

/// The snapshot of delta-rs is loaded anew after this many commits: incremental updates make it
/// grow.
const COMMITS_PER_LOAD: u32 = 100;

/// How often storage is asked about an attempt whose outcome is unknown, before we stop.
const ASKED_MAX: u32 = 8;

/// An open table.
pub(crate) struct Table {
    log_store: LogStoreRef,
    snapshot: DeltaTableState,
    commits_since_load: u32,
    /// Commits that were read, but not yet given back because something failed after it: one of
    /// them may be the attempt whose outcome is asked for.
    unreported: Vec<Commit>,
    /// Whoever only reads may look behind a foreign commit; nobody writes behind one.
    is_writer: bool,
    pub(crate) archive_id: String,
    /// The version of its columns; an older one is raised with our first commit.
    schema_version: u32,
    /// The files of the table.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The files of the state.
    pub(crate) state: Arc<dyn ObjectStore>,
    /// What the log says up to our version.
    pub(crate) log: CommitLog,
    /// The pause before storage is asked again.
    pub(crate) pause: Duration,
    /// Why the last attempt at a commit failed.
    pub(crate) failure: Option<String>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the table.
    Committed(u64),
    /// It is not, and the table may have moved.
    NotCommitted,
}

impl Table {
    /// Opens the table; creates it if `create` and there is none.
    pub(crate) async fn open(
        location: &Location,
        wrapper: Option<&StoreWrapper>,
        create: bool,
    ) -> Result<Self, ArchiveError> {
        let Stores { root, state } = location.stores(wrapper)?;
        let log_store = DeltaTableBuilder::from_url(location.url()?)
            .map_err(broken)?
            .with_storage_backend(root, location.url()?)
            .build_storage()
            .map_err(broken)?;
        let store = log_store.object_store(None);
        let head = Head::read(&*state).await?;
        let exists = location.table().join(crate::commit_log::LOG).is_dir()
            && log_store.is_delta_table_location().await.map_err(unavailable)?;
        if !exists {
            if head.is_some() {
                return Err(vanished(location.table()));
            }
            if !create {
                return Err(ArchiveError::Broken(format!(
                    "there is no archive at {}",
                    location.table().display()
                )));
            }
            create_table(Arc::clone(&log_store)).await?;
        }
        LogPlaces::list(&*store).await?.check(&*store).await?;
        let snapshot = load(&log_store).await?;
        let Identity { archive_id, schema_version } = check(&snapshot)?;
        match &head {
            Some(head) => head.check(&*store, snapshot.version()).await?,
            None if create && snapshot.version() > 0 => return Err(headless(snapshot.version())),
            None if exists => tracing::error!("the head file is missing: run verify"),
            None => {}
        }
        let log = CommitLog::load(&*store, snapshot.version()).await?;
        if create {
            // What lies behind the head came since the last writer.
            let known = head.as_ref().map_or(0, |head| head.version);
            for version in known + 1..=log.version {
                refuse_foreign(read_commit(&*store, version).await?.as_slice())?;
            }
        }
        let table = Self {
            log_store,
            snapshot,
            commits_since_load: 0,
            unreported: Vec::new(),
            is_writer: create,
            archive_id,
            schema_version,
            store,
            state,
            log,
            pause: Duration::from_millis(50),
            failure: None,
        };
        // A crash between a commit and its head leaves the head behind.
        if create && head.as_ref() != Some(&Head::of(&table.log)) {
            table.write_head().await?;
        }
        Ok(table)
    }

    /// Moves to the newest version, and gives back the commits that it did not know.
    ///
    /// # Errors
    /// `Broken` for a writer if somebody else changed the table: then, and ever after.
    pub(crate) async fn refresh(&mut self) -> Result<Vec<Commit>, ArchiveError> {
        self.catch_up().await?;
        if self.unreported.iter().any(|commit| commit.changes_table) {
            self.snapshot = load(&self.log_store).await?;
            let Identity { archive_id, schema_version } = check(&self.snapshot)?;
            if archive_id != self.archive_id {
                return Err(ArchiveError::Broken("the table became another archive".into()));
            }
            self.schema_version = schema_version;
            // The snapshot may be of a version that came after the commits that were read.
            self.catch_up().await?;
        }
        self.move_snapshot().await?;
        Ok(std::mem::take(&mut self.unreported))
    }

    async fn catch_up(&mut self) -> Result<(), ArchiveError> {
        let commits = self.log.catch_up(&*self.store).await?;
        self.unreported.extend(commits);
        if self.is_writer { refuse_foreign(&self.unreported) } else { Ok(()) }
    }

    /// Brings the snapshot of delta-rs to the version whose app ids we know.
    async fn move_snapshot(&mut self) -> Result<(), ArchiveError> {
        let version = self.log.version;
        if self.snapshot.version() < version {
            let moved = self.snapshot.update(&self.log_store, Some(version)).await;
            moved.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Whether an older version made the table, whose columns are fewer.
    pub(crate) fn is_outdated(&self) -> bool {
        self.schema_version < schema::VERSION
    }

    /// Tries to raise the table to our version: one commit of metadata that adds columns. No file is touched; those
    /// that are there read as null in the new columns.
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt).
    pub(crate) async fn upgrade(&mut self) -> Result<Outcome, ArchiveError> {
        let columns = schema::delta(schema::VERSION).unwrap_or_default();
        let fields = columns[self.snapshot.schema().fields().len()..].to_vec();
        let metadata = self
            .snapshot
            .metadata()
            .clone()
            .with_schema(&StructType::new_unchecked(columns))
            .and_then(|metadata| {
                metadata.add_config_key(SCHEMA_VERSION.to_owned(), schema::VERSION.to_string())
            })
            .map_err(broken)?;
        tracing::info!(from = self.schema_version, to = schema::VERSION, "raising the table");
        let operation = DeltaOperation::AddColumn { fields };
        let properties = CommitProperties::default();
        let actions = vec![Action::Metadata(metadata)];
        self.attempt_actions(Uuid::new_v4(), actions, properties, Vec::new(), operation).await
    }

    /// Tries a commit of files and app ids.
    ///
    /// # Errors
    /// As [`attempt_actions`](Self::attempt_actions).
    pub(crate) async fn attempt(
        &mut self,
        commit_id: Uuid,
        adds: &[Add],
        transactions: Vec<Transaction>,
        offsets: Value,
    ) -> Result<Outcome, ArchiveError> {
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(schema::PARTITION_COLUMNS.map(str::to_owned).to_vec()),
            predicate: None,
        };
        let actions = adds.iter().cloned().map(Action::Add).collect();
        let properties = CommitProperties::default().with_application_transactions(transactions);
        let told = vec![("isBlindAppend", json!(true)), ("dataward.offsets", offsets)];
        self.attempt_actions(commit_id, actions, properties, told, operation).await
    }

    /// Tries one commit on exactly the version that we know, and finds out what became of it.
    ///
    /// There are no retries of delta-rs: whoever committed in between makes it fail, and the caller
    /// compares what the table says now with what it relied on. That is the fence, and it keeps the
    /// chain of hashes exact.
    ///
    /// # Errors
    /// `Broken` if storage does not tell the outcome.
    async fn attempt_actions(
        &mut self,
        commit_id: Uuid,
        actions: Vec<Action>,
        properties: CommitProperties,
        mut told: Vec<(&str, Value)>,
        operation: DeltaOperation,
    ) -> Result<Outcome, ArchiveError> {
        self.load_again_when_due().await?;
        self.move_snapshot().await?;
        if self.snapshot.version() != self.log.version {
            // The snapshot is ahead of the app ids that were compared: committing on it would
            // jump over what happened in between.
            self.refresh().await?;
            return Ok(Outcome::NotCommitted);
        }
        told.push(("dataward.commit_id", json!(commit_id.to_string())));
        told.push(("dataward.prev", json!(self.log.sha256)));
        let properties = properties
            .with_max_retries(0)
            .with_cleanup_expired_logs(Some(false))
            .with_metadata(told.into_iter().map(|(key, value)| (key.to_owned(), value)));
        let result = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(&self.snapshot), Arc::clone(&self.log_store), operation)
            .await;
        let expected = self.log.version + 1;
        match result {
            Ok(finalized) => {
                self.snapshot = finalized.snapshot();
                self.commits_since_load += 1;
            }
            // An error does not mean that it was not committed: the table says.
            Err(error) => {
                tracing::debug!(%error, version = expected, "a commit failed");
                self.failure = Some(error.to_string());
            }
        }
        self.outcome(&commit_id.to_string()).await
    }

    async fn outcome(&mut self, commit_id: &str) -> Result<Outcome, ArchiveError> {
        let mut pause = self.pause;
        for asked in 1.. {
            match self.refresh().await {
                Ok(commits) => {
                    let ours = commits
                        .iter()
                        .find(|commit| commit.commit_id.as_deref() == Some(commit_id));
                    return Ok(ours.map_or(Outcome::NotCommitted, |commit| {
                        Outcome::Committed(commit.version)
                    }));
                }
                Err(ArchiveError::Unavailable(error)) if asked < ASKED_MAX => {
                    tracing::warn!(error, "cannot yet tell whether a commit was made");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(ArchiveError::Unavailable(error)) => {
                    return Err(ArchiveError::Broken(format!(
                        "storage does not tell whether commit {commit_id} was made; \
                         a restart asks the table: {error}"
                    )));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::NotCommitted)
    }

    async fn load_again_when_due(&mut self) -> Result<(), ArchiveError> {
        if self.commits_since_load < COMMITS_PER_LOAD {
            return Ok(());
        }
        let version = self.snapshot.version();
        self.snapshot = DeltaTableState::try_new(self.log_store.as_ref(), Some(version))
            .await
            .map_err(unavailable)?;
        self.commits_since_load = 0;
        Ok(())
    }

    /// Writes down the newest commit outside the log.
    pub(crate) async fn write_head(&self) -> Result<(), ArchiveError> {
        Head::of(&self.log).write(&*self.state).await
    }
}

/// Without its head nobody can tell whether the newest commits are still there: nothing is written behind what is left.
fn headless(version: u64) -> ArchiveError {
    ArchiveError::Broken(format!(
        "the head file of this archive is missing beside a table of version {version}: restore the folder .state from \
         a backup; without it commits newer than {version} may be gone unseen"
    ))
}

/// Rows that are not ours prove nothing, and what ours prove no longer holds: nothing is written behind them.
fn refuse_foreign(commits: &[Commit]) -> Result<(), ArchiveError> {
    for commit in commits {
        if let Some(deeds) = commit.foreign_deeds() {
            return Err(ArchiveError::Broken(format!(
                "commit {} was not made by Dataward and {deeds}: nothing is written behind it; `dataward verify` has \
                 the whole list",
                commit.version
            )));
        }
    }
    Ok(())
}

/// Milliseconds since the epoch, for the log's own use.
#[expect(clippy::disallowed_methods, reason = "Delta dates its actions; nothing of ours reads it")]
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn load(log_store: &LogStoreRef) -> Result<DeltaTableState, ArchiveError> {
    DeltaTableState::try_new(log_store.as_ref(), None).await.map_err(broken)
}

async fn create_table(log_store: LogStoreRef) -> Result<DeltaTable, ArchiveError> {
    let skipping: Vec<_> = schema::STATISTICS_COLUMNS.iter().map(|column| column.name()).collect();
    let configuration = [
        (ARCHIVE_ID, Uuid::new_v4().to_string()),
        (SCHEMA_VERSION, schema::VERSION.to_string()),
        ("delta.appendOnly", "true".to_owned()),
        ("delta.checkpointInterval", "100".to_owned()),
        ("delta.logRetentionDuration", "interval 30 days".to_owned()),
        ("delta.dataSkippingStatsColumns", skipping.join(",")),
    ];
    let created = CreateBuilder::new()
        .with_log_store(Arc::clone(&log_store))
        .with_table_name("archive")
        .with_columns(schema::delta(schema::VERSION).unwrap_or_default())
        .with_partition_columns(schema::PARTITION_COLUMNS)
        .with_raise_if_key_not_exists(false)
        .with_configuration(
            configuration.into_iter().map(|(key, value)| (key.to_owned(), Some(value))),
        )
        // If another process creates it at the same moment, its table is taken.
        .with_save_mode(SaveMode::Ignore)
        .await;
    created.map_err(unavailable)
}

/// Which archive a table is.
struct Identity {
    archive_id: String,
    schema_version: u32,
}

/// Refuses a table that is not ours or would break a promise.
fn check(snapshot: &DeltaTableState) -> Result<Identity, ArchiveError> {
    let refuse = |why: &str| Err(ArchiveError::Broken(format!("the table is refused: {why}")));
    let metadata = snapshot.metadata();
    let configuration = metadata.configuration();
    let Some(archive_id) = configuration.get(ARCHIVE_ID) else {
        return refuse("it was not made by Dataward");
    };
    if configuration.contains_key(FORGETS_OFFSETS) {
        return refuse(&format!("{FORGETS_OFFSETS} is set, which would forget offsets"));
    }
    let version = configuration.get(SCHEMA_VERSION).and_then(|version| version.parse().ok());
    let known = version.and_then(|version| Some((version, schema::delta(version)?)));
    let Some((schema_version, expected)) = known else {
        return refuse("its rows have a version that this one does not know");
    };
    let protocol = snapshot.protocol();
    if protocol.min_reader_version() != 1 || protocol.min_writer_version() != 2 {
        return refuse("its protocol is not reader 1, writer 2");
    }
    let found = snapshot.schema();
    let same = found.fields().len() == expected.len()
        && found.fields().zip(&expected).all(|(found, expected)| {
            found.name() == expected.name() && found.data_type() == expected.data_type()
        });
    if !same {
        return refuse("its columns are not those of this version");
    }
    Ok(Identity { archive_id: archive_id.clone(), schema_version })
}

fn vanished(table: &Path) -> ArchiveError {
    ArchiveError::Broken(format!(
        "the table at {} is gone, but its head file says that there was one",
        table.display()
    ))
}

/// The table library says where it was when it failed, in many lines: the first one is for people.
fn broken(error: impl std::fmt::Display) -> ArchiveError {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_end();
    ArchiveError::Broken(format!("{first}; run verify to learn where"))
}
