//! Snapshots of detector state, beside the table; the table names the newest one.
//!
//! A snapshot is a directory `<owner>/<number>.<format>/`: the segments that changed, and a
//! manifest that lists all of them with their hashes and the directories where they lie. Nothing is
//! overwritten, ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Progress};
use dataward_pipeline::archive::{ArchiveError, Segment, Snapshot};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::app_id::{owner_path, parse_owner};
use crate::commit_log::unavailable;
use crate::manifest::{Manifest, SegmentPlace};

const MANIFEST: &str = "manifest";

/// How many snapshots of an owner are kept.
const KEPT: usize = 2;

/// The snapshots of one archive.
#[derive(Debug)]
pub(crate) struct StateStore {
    store: Arc<dyn ObjectStore>,
    archive_id: String,
    /// What the segments of an owner's next snapshot are changes to: the snapshot last loaded, or
    /// last committed.
    bases: BTreeMap<Owner, Manifest>,
}

/// A snapshot that is written, and waits for its commit.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) owner: Owner,
    /// Its number: what the table will say.
    pub(crate) number: i64,
    manifest: Manifest,
}

/// Directories of an owner's snapshots, by number.
type Directories = BTreeMap<i64, BTreeSet<String>>;

impl StateStore {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, archive_id: &str) -> Self {
        Self { store, archive_id: archive_id.to_owned(), bases: BTreeMap::new() }
    }

    /// Forgets what the next snapshots build on: after a fence all state is loaded again.
    pub(crate) fn forget(&mut self) {
        self.bases.clear();
    }

    /// Writes a snapshot. `None`: it cannot be named in the table, which is logged as an error.
    ///
    /// # Errors
    /// `Unavailable` if storage fails.
    pub(crate) async fn save(
        &self,
        snapshot: &Snapshot,
        committed: Option<i64>,
    ) -> Result<Option<Saved>, ArchiveError> {
        let Some(number) = self.number(snapshot, committed).await? else {
            tracing::error!(owner = %snapshot.owner, "a snapshot does not say where it stands");
            return Ok(None);
        };
        let manifest = self.manifest(snapshot, number);
        if !manifest.is_complete() {
            tracing::error!(owner = %snapshot.owner, number, "a snapshot lacks segments");
            return Ok(None);
        }
        let directory = manifest.directory();
        for segment in &snapshot.segments {
            let path = self.segment_path(&snapshot.owner, &directory, segment.index);
            if !self.put_if_absent(&path, &segment.bytes).await? {
                tracing::error!(owner = %snapshot.owner, number, "the same state has two contents");
                return Ok(None);
            }
        }
        let path = self.manifest_path(&snapshot.owner, &directory);
        let put = self
            .store
            .put_opts(&path, manifest.to_bytes()?.into(), PutOptions::from(PutMode::Create))
            .await;
        match put {
            Ok(_) => Ok(Some(Saved { owner: snapshot.owner.clone(), number, manifest })),
            Err(Error::AlreadyExists { .. }) => self.take_existing(snapshot, manifest).await,
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A manifest of this name is there: of an attempt that was not committed. It counts if it says
    /// the same.
    async fn take_existing(
        &self,
        snapshot: &Snapshot,
        manifest: Manifest,
    ) -> Result<Option<Saved>, ArchiveError> {
        let owner = snapshot.owner.clone();
        let number = manifest.number;
        let existing = self.read_manifest(&owner, &manifest.directory()).await?;
        let Some(existing) = existing.filter(|found| found.same_content(&manifest)) else {
            tracing::error!(owner = %owner, number, "the same state has two contents");
            return Ok(None);
        };
        if self.segments(&owner, &existing).await?.is_none() {
            tracing::error!(owner = %owner, number, "a snapshot of this name is damaged");
            return Ok(None);
        }
        Ok(Some(Saved { owner, number, manifest: existing }))
    }

    async fn number(
        &self,
        snapshot: &Snapshot,
        committed: Option<i64>,
    ) -> Result<Option<i64>, ArchiveError> {
        match &snapshot.owner {
            Owner::Partition(partition) => Ok(snapshot.at.next(partition).map(|offset| offset.0)),
            // Their progress is a map, or nothing: a counter names their snapshots, and no number is
            // used twice.
            owner @ (Owner::Keeper | Owner::Lessons) => {
                let directories = self.directories(owner).await?;
                let last = directories.keys().next_back().copied().max(committed);
                Ok(Some(last.map_or(1, |number| number + 1)))
            }
        }
    }

    fn manifest(&self, snapshot: &Snapshot, number: i64) -> Manifest {
        let mut manifest = Manifest {
            archive: self.archive_id.clone(),
            owner: owner_path(&snapshot.owner),
            number,
            format: snapshot.format,
            at: snapshot.at.iter().map(|(p, offset)| (p.path(), offset.0)).collect(),
            segment_count: snapshot.segment_count,
            segments: BTreeMap::new(),
        };
        if let Some(base) = self.bases.get(&snapshot.owner)
            && base.format == snapshot.format
            && base.segment_count == snapshot.segment_count
        {
            manifest.segments.clone_from(&base.segments);
        }
        let directory = manifest.directory();
        for segment in &snapshot.segments {
            let place = SegmentPlace::new(directory.clone(), &segment.bytes);
            manifest.segments.insert(segment.index, place);
        }
        manifest
    }

    /// The table names these snapshots now: later ones build on them, and those before the last two
    /// go.
    pub(crate) async fn committed(&mut self, saved: Vec<Saved>) {
        for Saved { owner, number, manifest } in saved {
            self.bases.insert(owner.clone(), manifest);
            if let Err(error) = self.prune(&owner, number).await {
                // Nothing is lost by a directory too many.
                tracing::warn!(%error, owner = %owner, "old snapshots could not be removed");
            }
        }
    }

    /// The newest usable snapshot up to `committed` that does not stand beyond `progress`.
    pub(crate) async fn load(
        &mut self,
        owner: &Owner,
        committed: i64,
        progress: &dyn Fn(&Owner) -> Option<i64>,
    ) -> Result<Option<Snapshot>, ArchiveError> {
        let directories = self.directories(owner).await?;
        for (number, names) in directories.range(..=committed).rev() {
            for name in names.iter().rev() {
                if let Some(snapshot) = self.load_one(owner, name, progress).await? {
                    return Ok(Some(snapshot));
                }
                tracing::error!(owner = %owner, number, "a snapshot cannot be used");
            }
        }
        Ok(None)
    }

    async fn load_one(
        &mut self,
        owner: &Owner,
        directory: &str,
        progress: &dyn Fn(&Owner) -> Option<i64>,
    ) -> Result<Option<Snapshot>, ArchiveError> {
        let Some(manifest) = self.read_manifest(owner, directory).await? else { return Ok(None) };
        let mut at = Progress::new();
        for (path, offset) in &manifest.at {
            let Some(of @ Owner::Partition(_)) = parse_owner(path) else { return Ok(None) };
            // It may be the leftover of an attempt whose rows were never committed.
            if progress(&of).is_none_or(|next| next < *offset) {
                return Ok(None);
            }
            if let Owner::Partition(partition) = of {
                at.assign(partition, Offset(*offset));
            }
        }
        let Some(segments) = self.segments(owner, &manifest).await? else { return Ok(None) };
        let snapshot = Snapshot {
            owner: owner.clone(),
            at,
            format: manifest.format,
            segments,
            segment_count: manifest.segment_count,
        };
        self.bases.insert(owner.clone(), manifest);
        Ok(Some(snapshot))
    }

    /// All segments of a manifest; `None` if one is missing or damaged.
    async fn segments(
        &self,
        owner: &Owner,
        manifest: &Manifest,
    ) -> Result<Option<Vec<Segment>>, ArchiveError> {
        let mut segments = Vec::with_capacity(manifest.segments.len());
        for (index, place) in &manifest.segments {
            let path = self.segment_path(owner, &place.directory, *index);
            let Some(bytes) = self.get(&path).await? else { return Ok(None) };
            if !place.holds(&bytes) {
                return Ok(None);
            }
            segments.push(Segment { index: *index, bytes });
        }
        Ok(Some(segments))
    }

    async fn read_manifest(
        &self,
        owner: &Owner,
        directory: &str,
    ) -> Result<Option<Manifest>, ArchiveError> {
        let Some(bytes) = self.get(&self.manifest_path(owner, directory)).await? else {
            return Ok(None);
        };
        Ok(Manifest::parse(&bytes).filter(|manifest| {
            manifest.archive == self.archive_id
                && manifest.owner == owner_path(owner)
                && manifest.directory() == directory
                && manifest.is_complete()
        }))
    }

    /// Removes what the last two snapshots up to `committed` do not need.
    async fn prune(&self, owner: &Owner, committed: i64) -> Result<(), ArchiveError> {
        let directories = self.directories(owner).await?;
        let mut usable = Vec::new();
        for (number, names) in directories.range(..=committed).rev() {
            for name in names {
                // A directory without a manifest is an attempt's leftover and stands for nothing.
                if usable.len() < KEPT && self.read_manifest(owner, name).await?.is_some() {
                    usable.push(*number);
                }
            }
        }
        let Some(oldest) = usable.last().copied().filter(|_| usable.len() == KEPT) else {
            return Ok(());
        };
        let mut needed = BTreeSet::new();
        for name in directories.range(oldest..).flat_map(|(_, names)| names) {
            let Some(manifest) = self.read_manifest(owner, name).await? else { continue };
            for (index, place) in &manifest.segments {
                needed.insert(self.segment_path(owner, &place.directory, *index));
            }
        }
        for name in directories.range(..oldest).flat_map(|(_, names)| names) {
            let directory = self.directory_path(owner, name);
            let objects: Vec<_> =
                self.store.list(Some(&directory)).try_collect().await.map_err(unavailable)?;
            for object in objects {
                if !needed.contains(&object.location) {
                    self.store.delete(&object.location).await.map_err(unavailable)?;
                }
            }
        }
        Ok(())
    }

    async fn directories(&self, owner: &Owner) -> Result<Directories, ArchiveError> {
        let listed = self
            .store
            .list_with_delimiter(Some(&Path::from(owner_path(owner))))
            .await
            .map_err(unavailable)?;
        let mut directories = Directories::new();
        for path in listed.common_prefixes {
            let Some(name) = path.filename() else { continue };
            let Some((number, _)) = name.split_once('.') else { continue };
            if let Ok(number) = number.parse() {
                directories.entry(number).or_default().insert(name.to_owned());
            }
        }
        Ok(directories)
    }

    /// Writes an object; `false` if one of other content has its name.
    async fn put_if_absent(&self, path: &Path, bytes: &[u8]) -> Result<bool, ArchiveError> {
        let payload = bytes.to_vec().into();
        match self.store.put_opts(path, payload, PutOptions::from(PutMode::Create)).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => {
                Ok(self.get(path).await?.is_some_and(|found| found == bytes))
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn get(&self, path: &Path) -> Result<Option<Vec<u8>>, ArchiveError> {
        match self.store.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(unavailable)?.to_vec())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn directory_path(&self, owner: &Owner, directory: &str) -> Path {
        Path::from(format!("{}/{directory}", owner_path(owner)))
    }

    fn manifest_path(&self, owner: &Owner, directory: &str) -> Path {
        self.directory_path(owner, directory).join(MANIFEST)
    }

    fn segment_path(&self, owner: &Owner, directory: &str, index: u32) -> Path {
        self.directory_path(owner, directory).join(format!("{index:06}.segment"))
    }
}
