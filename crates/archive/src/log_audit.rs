//! The log against its own chain of hashes, and against the head.

use std::collections::BTreeMap;

use dataward_pipeline::archive::ArchiveError;
use object_store::ObjectStore;

use crate::commit_log::{Commit, LiveFile, LogPlaces, get, read_commit};
use crate::head::Head;
use crate::log_checkpoint;
use crate::report::Problem;

/// What the log says in the end, as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct LogAudit {
    pub(crate) version: u64,
    pub(crate) commits: u64,
    pub(crate) archive_id: Option<String>,
    pub(crate) transactions: BTreeMap<String, i64>,
    pub(crate) files: BTreeMap<String, LiveFile>,
}

/// Reads the whole log, commit by commit.
pub(crate) async fn audit(
    table: &dyn ObjectStore,
    state: &dyn ObjectStore,
    problems: &mut Vec<Problem>,
) -> Result<LogAudit, ArchiveError> {
    let head = match Head::read(state).await {
        Ok(Some(head)) => Some(head),
        Ok(None) => {
            problems.push(Problem::HeadMissing);
            None
        }
        Err(ArchiveError::Broken(_)) => {
            problems.push(Problem::HeadUnreadable);
            None
        }
        Err(error) => return Err(error),
    };
    let places = LogPlaces::list(table).await?;
    let last_commit = places.commits.last().copied().unwrap_or(0);
    let last = head.as_ref().map_or(last_commit, |head| head.version.max(last_commit));
    let mut found = LogAudit { version: last_commit, ..LogAudit::default() };
    let first = begin(table, &places, &mut found).await?;
    let mut previous: Option<Commit> = None;
    for version in first..=last {
        let commit = match read_commit(table, version).await {
            Ok(Some(commit)) => commit,
            Ok(None) => {
                problems.push(Problem::CommitMissing { version });
                previous = None;
                continue;
            }
            Err(ArchiveError::Broken(_)) => {
                problems.push(Problem::CommitUnreadable { version });
                previous = None;
                continue;
            }
            Err(error) => return Err(error),
        };
        check_chain(previous.as_ref(), &commit, problems);
        if head.as_ref().is_some_and(|h| h.version == version && h.sha256 != commit.sha256) {
            problems.push(Problem::CommitAltered { version });
        }
        found.fold(&commit);
        compare_checkpoint(table, &places, version, &found, problems).await?;
        previous = Some(commit);
    }
    Ok(found)
}

/// The first commit to read. Old commits are cleaned away up to a log checkpoint: then the log
/// begins there.
async fn begin(
    table: &dyn ObjectStore,
    places: &LogPlaces,
    found: &mut LogAudit,
) -> Result<u64, ArchiveError> {
    let first = places.commits.first().copied().unwrap_or(0);
    if first == 0 {
        return Ok(0);
    }
    let Some((version, path)) = places.checkpoints.range(first.saturating_sub(1)..).next() else {
        return Ok(0);
    };
    let bytes = get(table, path).await?;
    found.transactions = log_checkpoint::transactions(bytes.clone())?;
    found.archive_id = log_checkpoint::archive_id(bytes.clone())?;
    let files = log_checkpoint::files(bytes)?;
    found.files = files.into_iter().map(|file| (file.path.clone(), file)).collect();
    // The commit of the checkpoint is read again for its hash; folding it twice changes nothing.
    Ok(*version)
}

fn check_chain(previous: Option<&Commit>, commit: &Commit, problems: &mut Vec<Problem>) {
    let Some(said) = &commit.previous else {
        if commit.version > 0 {
            problems.push(Problem::CommitForeign { version: commit.version });
        }
        return;
    };
    if let Some(previous) = previous
        && previous.sha256 != *said
    {
        problems.push(Problem::CommitAltered { version: previous.version });
    }
}

async fn compare_checkpoint(
    table: &dyn ObjectStore,
    places: &LogPlaces,
    version: u64,
    found: &LogAudit,
    problems: &mut Vec<Problem>,
) -> Result<(), ArchiveError> {
    let Some(path) = places.checkpoints.get(&version) else { return Ok(()) };
    let bytes = get(table, path).await?;
    let read = log_checkpoint::transactions(bytes.clone())
        .and_then(|transactions| Ok((transactions, log_checkpoint::files(bytes)?)));
    let is_same = read.is_ok_and(|(transactions, files)| {
        transactions == found.transactions
            && files.len() == found.files.len()
            && files.iter().all(|file| {
                found.files.get(&file.path).is_some_and(|other| {
                    file.tags == other.tags && file.size == other.size && file.kind == other.kind
                })
            })
    });
    if !is_same {
        problems.push(Problem::LogCheckpointAltered { version });
    }
    Ok(())
}

impl LogAudit {
    fn fold(&mut self, commit: &Commit) {
        self.commits += 1;
        if commit.archive_id.is_some() {
            self.archive_id.clone_from(&commit.archive_id);
        }
        for (app_id, value) in &commit.transactions {
            self.transactions.insert(app_id.clone(), *value);
        }
        for path in &commit.removed {
            self.files.remove(path);
        }
        for file in &commit.added {
            self.files.insert(file.path.clone(), file.clone());
        }
    }
}
