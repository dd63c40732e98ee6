//! Where an archive lies: the table, and beside it the directory of its state.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use dataward_pipeline::archive::ArchiveError;
use object_store::ObjectStore;
use object_store::prefix::PrefixStore;
use url::Url;

use crate::durable_local::DurableLocal;

/// Puts something between the archive and its storage: tests use it to make storage fail.
pub type StoreWrapper = Arc<dyn Fn(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> + Send + Sync>;

/// The storage of one archive.
pub(crate) struct Stores {
    /// The whole machine: Delta finds the table in it by its address.
    pub(crate) root: Arc<dyn ObjectStore>,
    /// The directory of the state.
    pub(crate) state: Arc<dyn ObjectStore>,
}

/// The places of one archive.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    table: PathBuf,
    state: PathBuf,
}

impl Location {
    /// The archive in this directory, which need not exist yet.
    pub(crate) fn new(archive: &Path) -> Result<Self, ArchiveError> {
        let unusable = |why: String| {
            ArchiveError::Broken(format!("{} cannot be an archive: {why}", archive.display()))
        };
        let table = std::path::absolute(archive).map_err(|error| unusable(error.to_string()))?;
        let name = table.file_name().ok_or_else(|| unusable("it has no name".into()))?.to_owned();
        // Storage takes no `..`. Where there is none nothing is resolved: a link of `/proc` into another namespace would not
        // lead there any more.
        let has_parents = table.components().any(|part| part == Component::ParentDir);
        let folder = table.parent().filter(|_| has_parents);
        let folder = folder.and_then(|folder| folder.canonicalize().ok());
        let table = folder.map_or_else(|| table.clone(), |folder| folder.join(&name));
        let mut state_name = name;
        state_name.push(".state");
        let state = table.with_file_name(state_name);
        Ok(Self { table, state })
    }

    /// The directory of the table.
    pub(crate) fn table(&self) -> &Path {
        &self.table
    }

    /// The directory of the state.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// The address of the table.
    pub(crate) fn url(&self) -> Result<Url, ArchiveError> {
        Url::from_directory_path(&self.table)
            .map_err(|()| ArchiveError::Broken(format!("{} is no path", self.table.display())))
    }

    /// The storage of the archive.
    pub(crate) fn stores(&self, wrapper: Option<&StoreWrapper>) -> Result<Stores, ArchiveError> {
        let root: Arc<dyn ObjectStore> = Arc::new(DurableLocal::new());
        let root = wrapper.map_or_else(|| Arc::clone(&root), |wrap| wrap(Arc::clone(&root)));
        let state = object_store::path::Path::from_absolute_path(&self.state)
            .map_err(|error| ArchiveError::Broken(error.to_string()))?;
        let state: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(Arc::clone(&root), state));
        Ok(Stores { root, state })
    }
}
