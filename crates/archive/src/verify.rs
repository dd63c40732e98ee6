//! The proof that an archive is whole, or the list of what is not.
//!
//! Nothing of the writer is trusted here: the log is read byte by byte, every file is hashed, every
//! row is counted.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use dataward_event::finding::Owner;
use dataward_event::position::Partition;
use dataward_pipeline::archive::ArchiveError;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use serde_json::Value;

use crate::accounts::{self, Accounts};
use crate::app_id::{AppIds, Meaning, owner_path};
use crate::commit_log::{LOG, LiveFile, unavailable};
use crate::data_file::SHA256_TAG;
use crate::data_reader::{Wanted, read_bytes};
use crate::delta_archive::{Options, runtime};
use crate::location::{Location, Stores};
use crate::log_audit::{LogAudit, audit};
use crate::report::{Problem, Report};
use crate::row_kind::RowKind;
use crate::state_store::StateStore;

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of files that were read.
    pub bytes_done: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
}

/// Verifies an archive. `each` hears of every file.
///
/// # Errors
/// `Unavailable` if storage fails, `Broken` if there is no archive at all. Damage is no error: it
/// stands in the report.
pub fn verify(
    location: &FilePath,
    options: &Options,
    each: &mut dyn FnMut(Step),
) -> Result<Report, ArchiveError> {
    let location = Location::new(location)?;
    if !location.table().join(LOG).is_dir() {
        let place = location.table().display();
        return Err(ArchiveError::Broken(format!("there is no archive at {place}")));
    }
    let Stores { root, state } = location.stores(options.store_wrapper.as_ref())?;
    let prefix = Path::from_absolute_path(location.table())
        .map_err(|error| ArchiveError::Broken(error.to_string()))?;
    let table: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(root, prefix));
    runtime()?.block_on(verify_stores(&*table, state, each))
}

async fn verify_stores(
    table: &dyn ObjectStore,
    state: Arc<dyn ObjectStore>,
    each: &mut dyn FnMut(Step),
) -> Result<Report, ArchiveError> {
    let mut report = Report::default();
    let log = audit(table, &*state, &mut report.problems).await?;
    report.version = log.version;
    report.commits = log.commits;
    report.archive_id = log.archive_id.clone().unwrap_or_default();
    let accounts = verify_files(table, &log, &mut report, each).await?;
    let ids = AppIds::new(&report.archive_id);
    report.partitions = accounts.close(&progress(&log, &ids), &mut report.problems);
    verify_snapshots(&log, &ids, state, &mut report).await?;
    report.leftover_files = leftovers(table, &log).await?;
    Ok(report)
}

/// Reads and counts every file of the table.
async fn verify_files(
    table: &dyn ObjectStore,
    log: &LogAudit,
    report: &mut Report,
    each: &mut dyn FnMut(Step),
) -> Result<Accounts, ArchiveError> {
    let mut accounts = Accounts::default();
    let bytes_total = log.files.values().map(|file| file.size).sum();
    let mut bytes_done = 0;
    for file in log.files.values() {
        report.files += 1;
        bytes_done += file.size;
        let path = file.path.clone();
        match table.get(&Path::from(path.as_str())).await {
            Ok(found) => {
                let bytes = found.bytes().await.map_err(unavailable)?;
                report.bytes += bytes.len() as u64;
                verify_file(file, bytes, &mut accounts, report);
            }
            Err(Error::NotFound { .. }) => report.problems.push(Problem::FileMissing { path }),
            Err(error) => return Err(unavailable(error)),
        }
        each(Step { bytes_done, bytes_total });
    }
    Ok(accounts)
}

fn verify_file(file: &LiveFile, bytes: Bytes, accounts: &mut Accounts, report: &mut Report) {
    let path = file.path.clone();
    let problems = &mut report.problems;
    if file.tags.get(SHA256_TAG).is_none_or(Option::is_none) {
        problems.push(Problem::FileWithoutHash { path: path.clone() });
    } else if !file.is_as_committed(&bytes) {
        // What is in it proves nothing: it is not even read, and its offsets count as missing.
        return problems.push(Problem::FileAltered { path });
    }
    let Some(kind) = file.kind.as_deref().and_then(RowKind::parse) else {
        let detail = "its kind is unknown".to_owned();
        problems.push(Problem::FileUnreadable { path, detail });
        return;
    };
    let mut found = 0;
    let read = read_bytes(&path, bytes, Wanted::These(&accounts::COLUMNS), &mut |rows| {
        found += rows.rows() as u64;
        accounts.take(kind, &path, rows, problems).map_err(ArchiveError::Broken)
    });
    if let Err(error) = read {
        problems.push(Problem::FileUnreadable { path, detail: error.to_string() });
        return;
    }
    *report.rows.entry(kind.as_str().to_owned()).or_default() += found;
    let committed = file
        .statistics
        .as_deref()
        .and_then(|json| serde_json::from_str::<Value>(json).ok())
        .and_then(|statistics| statistics["numRecords"].as_u64());
    if committed != Some(found) {
        problems.push(Problem::RowCountWrong { path, committed, found });
    }
}

async fn verify_snapshots(
    log: &LogAudit,
    ids: &AppIds,
    state: Arc<dyn ObjectStore>,
    report: &mut Report,
) -> Result<(), ArchiveError> {
    let mut states = StateStore::new(state, &report.archive_id);
    let progress =
        |owner: &Owner| log.transactions.get(&ids.of(&Meaning::Progress(owner.clone()))).copied();
    for (app_id, number) in &log.transactions {
        let Some(Meaning::State(owner)) = ids.parse(app_id) else { continue };
        if states.load(&owner, *number, &progress).await?.is_none() {
            report.problems.push(Problem::SnapshotUnusable { owner: owner_path(&owner) });
        }
    }
    Ok(())
}

/// The start and the progress of every partition.
fn progress(log: &LogAudit, ids: &AppIds) -> BTreeMap<Partition, (Option<i64>, i64)> {
    let mut found = BTreeMap::new();
    for (app_id, next) in &log.transactions {
        let Some(Meaning::Progress(owner)) = ids.parse(app_id) else { continue };
        let start = log.transactions.get(&ids.of(&Meaning::Start(owner.clone()))).copied();
        if let Owner::Partition(partition) = owner {
            found.insert(partition, (start, *next));
        }
    }
    found
}

async fn leftovers(table: &dyn ObjectStore, log: &LogAudit) -> Result<u64, ArchiveError> {
    let mut objects = table.list(None);
    let mut count = 0;
    while let Some(object) = objects.try_next().await.map_err(unavailable)? {
        let path = object.location.as_ref();
        if path.ends_with(".parquet") && !path.starts_with(LOG) && !log.files.contains_key(path) {
            count += 1;
        }
    }
    Ok(count)
}
