//! The head file: the newest commit that we promised, outside the log.
//!
//! Whoever deletes the newest commits of a log leaves a log that looks whole. The head remembers.

use dataward_pipeline::archive::ArchiveError;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use crate::commit_log::{CommitLog, read_commit, unavailable};

const NAME: &str = "head";

/// What the head file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the table.
    pub version: u64,
    /// The id of the attempt that made it; `None` if it was not ours.
    pub commit_id: Option<String>,
    /// SHA-256 of the JSON of its commit.
    pub sha256: String,
}

impl Head {
    /// The head of a log.
    pub(crate) fn of(log: &CommitLog) -> Self {
        Self { version: log.version, commit_id: log.commit_id.clone(), sha256: log.sha256.clone() }
    }

    /// The head file, if there is one.
    pub(crate) async fn read(state: &dyn ObjectStore) -> Result<Option<Self>, ArchiveError> {
        let bytes = match state.get(&Path::from(NAME)).await {
            Ok(found) => found.bytes().await.map_err(unavailable)?,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let head = serde_json::from_slice(&bytes).map_err(|error| {
            ArchiveError::Broken(format!("the head file cannot be read: {error}"))
        })?;
        Ok(Some(head))
    }

    /// Replaces the head file.
    pub(crate) async fn write(&self, state: &dyn ObjectStore) -> Result<(), ArchiveError> {
        let json = serde_json::to_vec(self).map_err(unavailable)?;
        state.put(&Path::from(NAME), json.into()).await.map_err(unavailable)?;
        Ok(())
    }

    /// Whether the table still holds what the head promised.
    ///
    /// # Errors
    /// `Broken` if it does not.
    pub(crate) async fn check(
        &self,
        table: &dyn ObjectStore,
        version: u64,
    ) -> Result<(), ArchiveError> {
        if version < self.version {
            return Err(ArchiveError::Broken(format!(
                "the table ends at commit {version}, but commit {} was made: commits are missing",
                self.version
            )));
        }
        // Old commits are cleaned away in time, and then there is nothing to compare with.
        match read_commit(table, self.version).await? {
            Some(commit) if commit.sha256 != self.sha256 => Err(ArchiveError::Broken(format!(
                "commit {} of the table is not the one that was made",
                self.version
            ))),
            _ => Ok(()),
        }
    }
}
