//! The table's log, read by ourselves: app ids, commit ids, hashes, live files.
//!
//! Delta-rs answers for one app id at a time and with a replay of the log each; the protocol wants
//! all of them, the ids of the commits that others made, and the exact bytes of every commit.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use dataward_event::uid::hex;
use dataward_pipeline::archive::ArchiveError;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::app_id;
use crate::data_file::SHA256_TAG;
use crate::log_checkpoint;
use crate::table::ARCHIVE_ID;

/// The folder of the log in the table.
pub(crate) const LOG: &str = "_delta_log";

/// One commit, as its JSON says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) version: u64,
    /// Our id of the attempt; `None` if somebody else made the commit.
    pub(crate) commit_id: Option<String>,
    /// SHA-256 of the JSON of the commit before it, as this commit says.
    pub(crate) previous: Option<String>,
    /// SHA-256 of its JSON.
    pub(crate) sha256: String,
    /// It changes the schema, the properties or the protocol.
    pub(crate) changes_table: bool,
    /// The id of the archive, in a commit that sets the properties.
    pub(crate) archive_id: Option<String>,
    pub(crate) transactions: Vec<(String, i64)>,
    pub(crate) added: Vec<LiveFile>,
    pub(crate) removed: Vec<String>,
}

impl Commit {
    /// What a commit that is not ours did to the table, in words. `None` for ours, and for one that
    /// did nothing that counts: a program that looks after Delta tables notes there that it came by.
    pub(crate) fn foreign_deeds(&self) -> Option<String> {
        // The first one makes the table, and `Table` checks what it made.
        if self.commit_id.is_some() || self.version == 0 {
            return None;
        }
        let files = |deed: &str, count: usize| {
            (count > 0).then(|| format!("{deed} {count} file{}", if count == 1 { "" } else { "s" }))
        };
        let is_ours = |(app_id, _): &(String, i64)| app_id.starts_with(app_id::PREFIX);
        let moves = self.transactions.iter().any(is_ours);
        let deeds: Vec<String> = [
            files("adds", self.added.len()),
            files("removes", self.removed.len()),
            self.changes_table.then(|| "changes the columns, properties or protocol".to_owned()),
            moves.then(|| "moves our progress".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!deeds.is_empty()).then(|| deeds.join(", "))
    }
}

/// A file that belongs to the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveFile {
    pub(crate) path: String,
    pub(crate) kind: Option<String>,
    /// The day of arrival, as the log writes it.
    pub(crate) ingest_date: Option<String>,
    pub(crate) size: u64,
    pub(crate) statistics: Option<String>,
    pub(crate) tags: HashMap<String, Option<String>>,
}

impl LiveFile {
    /// Whether these bytes have the hash that was committed.
    pub(crate) fn is_as_committed(&self, bytes: &[u8]) -> bool {
        let expected = self.tags.get(SHA256_TAG).cloned().flatten();
        expected.is_some_and(|expected| expected == hex(&Sha256::digest(bytes)))
    }
}

/// The app ids of a table at a version, and the commit that made it.
#[derive(Debug)]
pub(crate) struct CommitLog {
    pub(crate) version: u64,
    pub(crate) transactions: BTreeMap<String, i64>,
    /// SHA-256 of the JSON of `version`.
    pub(crate) sha256: String,
    /// Our id of the commit that made `version`.
    pub(crate) commit_id: Option<String>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "commitInfo")]
    commit_info: Option<CommitInfoLine>,
    txn: Option<TransactionLine>,
    add: Option<AddLine>,
    remove: Option<RemoveLine>,
    #[serde(rename = "metaData", borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    protocol: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct CommitInfoLine {
    #[serde(rename = "dataward.commit_id")]
    commit_id: Option<String>,
    #[serde(rename = "dataward.prev")]
    previous: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransactionLine {
    app_id: String,
    version: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddLine {
    path: String,
    partition_values: HashMap<String, Option<String>>,
    size: u64,
    stats: Option<String>,
    tags: Option<HashMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct RemoveLine {
    path: String,
}

impl CommitLog {
    /// The log up to `version`.
    pub(crate) async fn load(store: &dyn ObjectStore, version: u64) -> Result<Self, ArchiveError> {
        let places = LogPlaces::list(store).await?;
        let checkpoint = places.checkpoints.range(..=version).next_back();
        let mut log = Self {
            version: 0,
            transactions: BTreeMap::new(),
            sha256: String::new(),
            commit_id: None,
        };
        let mut from = 0;
        if let Some((checkpoint, path)) = checkpoint {
            let bytes = get(store, path).await?;
            log.transactions = log_checkpoint::transactions(bytes)?;
            // The commit of the checkpoint itself is read again for its hash: it changes nothing.
            from = *checkpoint;
        }
        for next in from..=version {
            let commit = read_commit(store, next).await?.ok_or_else(|| missing(next))?;
            log.take(commit);
        }
        Ok(log)
    }

    /// Reads the commits after ours, one by one until there is none, and gives them back in order.
    /// A listing would cost more with every commit of the table's life.
    pub(crate) async fn catch_up(
        &mut self,
        store: &dyn ObjectStore,
    ) -> Result<Vec<Commit>, ArchiveError> {
        let mut commits: Vec<Commit> = Vec::new();
        let mut next = self.version + 1;
        while let Some(commit) = read_commit(store, next).await? {
            commits.push(commit);
            next += 1;
        }
        for commit in &commits {
            self.take(commit.clone());
        }
        Ok(commits)
    }

    /// What an app id stands at.
    pub(crate) fn get(&self, app_id: &str) -> Option<i64> {
        self.transactions.get(app_id).copied()
    }

    fn take(&mut self, commit: Commit) {
        self.version = commit.version;
        self.sha256 = commit.sha256;
        self.commit_id = commit.commit_id;
        self.transactions.extend(commit.transactions);
    }
}

/// The files of the log.
#[derive(Debug, Default)]
pub(crate) struct LogPlaces {
    /// Versions whose JSON is there.
    pub(crate) commits: Vec<u64>,
    /// Log checkpoints by version.
    pub(crate) checkpoints: BTreeMap<u64, Path>,
}

impl LogPlaces {
    pub(crate) async fn list(store: &dyn ObjectStore) -> Result<Self, ArchiveError> {
        let objects: Vec<_> =
            store.list(Some(&Path::from(LOG))).try_collect().await.map_err(unavailable)?;
        let mut places = Self::default();
        for object in objects {
            let Some(name) = object.location.filename() else { continue };
            let Some((version, suffix)) = name.split_once('.') else { continue };
            let Ok(version) = version.parse::<u64>() else { continue };
            match suffix {
                "json" => places.commits.push(version),
                "checkpoint.parquet" => {
                    places.checkpoints.insert(version, object.location);
                }
                _ => {}
            }
        }
        places.commits.sort_unstable();
        Ok(places)
    }

    /// Whether every commit since the last log checkpoint is there.
    ///
    /// # Errors
    /// `Broken`, which names the first that is not: without it nobody can tell what the table holds.
    pub(crate) async fn check(&self, store: &dyn ObjectStore) -> Result<(), ArchiveError> {
        let first = self.checkpoints.keys().next_back().copied().unwrap_or(0);
        let last = self.commits.last().copied().unwrap_or(first);
        for version in first..=last {
            // A listing may miss what is written while it is made.
            if self.commits.binary_search(&version).is_err()
                && read_commit(store, version).await?.is_none()
            {
                return Err(missing(version));
            }
        }
        Ok(())
    }
}

/// The files that belong to the table at `version`, by path.
pub(crate) async fn live_files(
    store: &dyn ObjectStore,
    version: u64,
) -> Result<BTreeMap<String, LiveFile>, ArchiveError> {
    let places = LogPlaces::list(store).await?;
    let mut files = BTreeMap::new();
    let mut from = 0;
    if let Some((checkpoint, path)) = places.checkpoints.range(..=version).next_back() {
        let added = log_checkpoint::files(get(store, path).await?)?;
        files.extend(added.into_iter().map(|file| (file.path.clone(), file)));
        from = checkpoint + 1;
    }
    for next in from..=version {
        let commit = read_commit(store, next).await?.ok_or_else(|| missing(next))?;
        for path in &commit.removed {
            files.remove(path);
        }
        files.extend(commit.added.into_iter().map(|file| (file.path.clone(), file)));
    }
    Ok(files)
}

/// The commit of this version; `None` if its JSON is not there.
pub(crate) async fn read_commit(
    store: &dyn ObjectStore,
    version: u64,
) -> Result<Option<Commit>, ArchiveError> {
    match store.get(&place(version)).await {
        Ok(found) => {
            let bytes = found.bytes().await.map_err(unavailable)?;
            parse_commit(version, &bytes).map(Some)
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
}

fn parse_commit(version: u64, bytes: &[u8]) -> Result<Commit, ArchiveError> {
    let mut commit = Commit {
        version,
        commit_id: None,
        previous: None,
        sha256: hex(&Sha256::digest(bytes)),
        changes_table: false,
        archive_id: None,
        transactions: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
    };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    for line in lines {
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| {
            ArchiveError::Broken(format!("commit {version} cannot be read: {error}"))
        })?;
        if let Some(found) = line.commit_info {
            commit.commit_id = found.commit_id;
            commit.previous = found.previous;
        }
        commit.transactions.extend(line.txn.map(|txn| (txn.app_id, txn.version)));
        commit.changes_table |= line.metadata.is_some() || line.protocol.is_some();
        if let Some(metadata) = line.metadata {
            let metadata: Value = serde_json::from_str(metadata.get()).unwrap_or_default();
            let id = metadata["configuration"][ARCHIVE_ID].as_str();
            commit.archive_id = id.map(str::to_owned).or(commit.archive_id);
        }
        commit.removed.extend(line.remove.map(|file| decoded(&file.path)));
        commit.added.extend(line.add.map(|add| LiveFile {
            path: decoded(&add.path),
            kind: add.partition_values.get("kind").cloned().flatten(),
            ingest_date: add.partition_values.get("ingest_date").cloned().flatten(),
            size: add.size,
            statistics: add.stats,
            tags: add.tags.unwrap_or_default(),
        }));
    }
    Ok(commit)
}

/// A path as the store knows it: the log writes paths as addresses.
pub(crate) fn decoded(path: &str) -> String {
    Path::from_url_path(path).map_or_else(|_| path.to_owned(), |path| path.to_string())
}

pub(crate) async fn get(store: &dyn ObjectStore, path: &Path) -> Result<Bytes, ArchiveError> {
    let found = store.get(path).await.map_err(unavailable)?;
    found.bytes().await.map_err(unavailable)
}

/// Storage did not answer as it should.
pub(crate) fn unavailable(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Unavailable(format!("storage failed: {error}"))
}

/// Where the JSON of a commit lies in the table.
fn place(version: u64) -> Path {
    Path::from(LOG).join(format!("{version:020}.json"))
}

fn missing(version: u64) -> ArchiveError {
    let file = place(version);
    ArchiveError::Broken(format!(
        "commit {version} of the table is missing: there is no {file}; restore it from a copy"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_with_what_others_wrote_into_it() {
        let json = concat!(
            r#"{"commitInfo":{"timestamp":1,"dataward.commit_id":"c1","dataward.prev":"ab"}}"#,
            "\n",
            r#"{"add":{"path":"kind=a%20b/f.parquet","partitionValues":{"kind":"a b","d":null},"#,
            r#""size":7,"modificationTime":1,"dataChange":true,"stats":"{}","tags":{"t":"v"}}}"#,
            "\n",
            r#"{"txn":{"appId":"p","version":9}}"#,
            "\n",
        );
        let commit = parse_commit(3, json.as_bytes()).unwrap();
        assert_eq!(commit.commit_id.as_deref(), Some("c1"));
        assert_eq!(commit.previous.as_deref(), Some("ab"));
        assert_eq!(commit.transactions, [("p".to_owned(), 9)]);
        assert_eq!(commit.added[0].path, "kind=a b/f.parquet");
        assert!(!commit.changes_table);
        assert!(parse_commit(3, b"{\"txn\":{\"appId\":").is_err());
    }
}
