//! The files of the table as the engine sees them: read-only, as long as the log says, and counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dataward_archive::table_files::TableFile;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// A file that is not the one that was committed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("file {path} cannot be read: {why}; `dataward verify` tells what else is wrong")]
pub(crate) struct BrokenFile {
    path: String,
    why: String,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

/// The files of one version of a table.
#[derive(Debug)]
pub(crate) struct ArchiveStore {
    inner: Arc<dyn ObjectStore>,
    files: BTreeMap<Path, TableFile>,
    /// Every file is hashed before it is used.
    is_thorough: bool,
    /// Those that were opened.
    opened: Mutex<BTreeSet<Path>>,
    /// The first one that was not as committed: the engine keeps no more of it than its text.
    broken: Mutex<Option<BrokenFile>>,
    bytes: AtomicU64,
}

impl ArchiveStore {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, files: &[TableFile], is_thorough: bool) -> Self {
        let by_path = |file: &TableFile| (Path::from(file.path.as_str()), file.clone());
        Self {
            inner,
            files: files.iter().map(by_path).collect(),
            is_thorough,
            opened: Mutex::default(),
            broken: Mutex::default(),
            bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn taken(&self) -> Taken {
        let files = self.opened.lock().unwrap_or_else(PoisonError::into_inner).len();
        Taken { files, bytes: self.bytes.load(Ordering::Relaxed) }
    }

    /// Looks at a file when it is opened for the first time.
    async fn open(&self, path: &Path) -> Result<()> {
        let broken = |why: String| {
            let file = BrokenFile { path: path.to_string(), why };
            let mut first = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(file.clone());
            Error::Generic { store: "archive", source: Box::new(file) }
        };
        let file = self.files.get(path).ok_or_else(|| broken("the table has none".to_owned()))?;
        if self.opened.lock().unwrap_or_else(PoisonError::into_inner).contains(path) {
            return Ok(());
        }
        let found = match self.inner.head(path).await {
            Ok(found) => found.size,
            Err(Error::NotFound { .. }) => return Err(broken("it is missing".to_owned())),
            Err(error) => return Err(broken(error.to_string())),
        };
        if found != file.size {
            let why = format!("it has {found} bytes, but {} were committed", file.size);
            return Err(broken(why));
        }
        if self.is_thorough && self.hash(file).await? == Some(false) {
            return Err(broken("its bytes are not those that were committed".to_owned()));
        }
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        Ok(())
    }

    /// The first file that was not as committed.
    pub(crate) fn broken(&self) -> Option<BrokenFile> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn hash(&self, file: &TableFile) -> Result<Option<bool>> {
        let bytes = self.inner.get(&Path::from(file.path.as_str())).await?.bytes().await?;
        Ok(file.is_as_committed(&bytes))
    }

    /// The files among those opened whose bytes are not those that were committed: the engine does not say in which
    /// file it met nonsense.
    pub(crate) async fn altered(&self) -> Vec<String> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut altered = Vec::new();
        for file in opened.iter().filter_map(|path| self.files.get(path)) {
            if matches!(self.hash(file).await, Ok(Some(false)) | Err(_)) {
                altered.push(file.path.clone());
            }
        }
        altered
    }

    fn count(&self, range: &Range<u64>) {
        self.bytes.fetch_add(range.end.saturating_sub(range.start), Ordering::Relaxed);
    }
}

impl fmt::Display for ArchiveStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files of an archive", self.files.len())
    }
}

#[async_trait]
impl ObjectStore for ArchiveStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.open(location).await?;
        let is_read = !options.head;
        let result = self.inner.get_opts(location, options).await?;
        if is_read {
            self.count(&result.range);
        }
        Ok(result)
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
        self.open(location).await?;
        ranges.iter().for_each(|range| self.count(range));
        self.inner.get_ranges(location, ranges).await
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only("put"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only("put"))
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        futures::stream::once(async { Err(read_only("delete")) }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        // The log says which files there are.
        futures::stream::once(async { Err(read_only("list")) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(read_only("list"))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only("copy"))
    }
}

fn read_only(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: "an archive".to_owned() }
}
