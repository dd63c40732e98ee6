//! A local directory that keeps what it was given, even through a power cut.
//!
//! `object_store` never calls fsync. Here every object is written to a temporary file, synced, and
//! only then given its name; the directory is synced after it. So an object is there entirely or
//! not at all.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};

use crate::commit_log::LOG;

const STORE: &str = "durable local directory";

/// Temporary files end in `#` and digits: a listing of [`LocalFileSystem`] leaves such names out.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// Local storage with the file system's root as its root.
#[derive(Debug)]
pub struct DurableLocal {
    inner: LocalFileSystem,
}

impl DurableLocal {
    /// The file system of this machine.
    pub fn new() -> Self {
        Self { inner: LocalFileSystem::new() }
    }
}

impl DurableLocal {
    fn list_log(&self, prefix: &Path, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, offset) = (prefix.clone(), offset.clone());
        let directory = self.inner.path_to_filesystem(&prefix);
        let listed = blocking(move || {
            let directory = directory?;
            list_behind(&directory, &prefix, &offset)
                .map_err(|error| named(error, prefix.to_string()))
        });
        futures::stream::once(listed)
            .map_ok(|found| futures::stream::iter(found.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

/// The files of a directory whose names lie behind `offset`, in order.
fn list_behind(directory: &FilePath, prefix: &Path, offset: &Path) -> io::Result<Vec<ObjectMeta>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.contains('#')) else { continue };
        let location = prefix.clone().join(name);
        if location <= *offset {
            continue;
        }
        let metadata = match entry.metadata() {
            // Cleaned away in this moment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_file() {
            found.push(ObjectMeta {
                location,
                last_modified: metadata.modified()?.into(),
                size: metadata.len(),
                e_tag: None,
                version: None,
            });
        }
    }
    found.sort_by(|one, other| one.location.cmp(&other.location));
    Ok(found)
}

impl Default for DurableLocal {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for DurableLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STORE)
    }
}

#[async_trait]
impl ObjectStore for DurableLocal {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let target = self.inner.path_to_filesystem(location)?;
        let create = match opts.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            PutMode::Update(_) => return self.inner.put_opts(location, payload, opts).await,
        };
        let location = location.to_string();
        blocking(move || {
            write_durably(&target, &payload, create).map_err(|error| named(error, location))
        })
        .await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.inner.path_to_filesystem(location)?;
        let inner = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(DurableUpload { inner, target }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        // The log of a long-lived table has very many files, and delta-rs looks for the newest
        // ones before every commit: only those behind the offset are worth a look at their size.
        match prefix.filter(|prefix| prefix.filename() == Some(LOG)) {
            Some(prefix) => self.list_log(prefix, offset),
            None => self.inner.list_with_offset(prefix, offset),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let target = self.inner.path_to_filesystem(to)?;
        self.inner.copy_opts(from, to, options).await?;
        sync(target).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let target = self.inner.path_to_filesystem(to)?;
        self.inner.rename_opts(from, to, options).await?;
        sync(target).await
    }
}

#[derive(Debug)]
struct DurableUpload {
    inner: Box<dyn MultipartUpload>,
    target: PathBuf,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.inner.put_part(data)
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let result = self.inner.complete().await?;
        sync(self.target.clone()).await?;
        Ok(result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

/// Replaces, or creates, a file so that a power cut leaves the old or the new one.
pub(crate) fn write_durably(
    target: &FilePath,
    payload: &PutPayload,
    create: bool,
) -> io::Result<()> {
    let directory = target.parent().unwrap_or(FilePath::new("/"));
    create_directory(directory)?;
    let (temporary, mut file) = temporary_file(target)?;
    let written = (|| {
        for chunk in payload {
            file.write_all(chunk)?;
        }
        file.sync_all()?;
        // A crash before this line leaves a temporary file that no reader sees; after it, the
        // object.
        if create { fs::hard_link(&temporary, target) } else { fs::rename(&temporary, target) }
    })();
    if create || written.is_err() {
        // What stays behind here is invisible to listings and harmless.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_directory(directory)
}

fn temporary_file(target: &FilePath) -> io::Result<(PathBuf, File)> {
    loop {
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let mut name = target.as_os_str().to_owned();
        name.push(format!("#{}{number:06}", std::process::id()));
        let path = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Creates a directory with those above it, each made durable in its parent.
fn create_directory(directory: &FilePath) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        create_directory(parent)?;
        match fs::create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => sync_directory(parent)?,
        }
    }
    Ok(())
}

fn sync_directory(directory: &FilePath) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

async fn sync(target: PathBuf) -> Result<()> {
    blocking(move || {
        let synced = File::open(&target)
            .and_then(|file| file.sync_all())
            .and_then(|()| sync_directory(target.parent().unwrap_or(FilePath::new("/"))));
        synced.map_err(|error| named(error, target.display().to_string()))
    })
    .await
}

async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Generic { store: STORE, source: Box::new(error) })?
}

fn named(error: io::Error, path: String) -> Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source: Box::new(error) },
        io::ErrorKind::NotFound => Error::NotFound { path, source: Box::new(error) },
        kind => {
            let text = format!("failed to write /{}: {error}", path.trim_start_matches('/'));
            Error::Generic { store: STORE, source: Box::new(io::Error::new(kind, text)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    #[tokio::test]
    async fn an_object_is_created_once_and_replaced_whole() {
        let directory = tempfile::tempdir().unwrap();
        let store = DurableLocal::new();
        let base = Path::from_absolute_path(directory.path()).unwrap();
        let path = base.clone().join("a").join("b.json");
        let create = PutOptions::from(PutMode::Create);
        store.put_opts(&path, "one".into(), create.clone()).await.unwrap();
        let again = store.put_opts(&path, "two".into(), create).await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
        store.put(&path, "three".into()).await.unwrap();
        let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes, "three");
        // Neither a leftover of ours nor one of a crash is seen.
        std::fs::write(directory.path().join("a/c.json#7000001"), "torn").unwrap();
        let listed: Vec<_> = store.list(Some(&base)).try_collect().await.unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
    }
}
