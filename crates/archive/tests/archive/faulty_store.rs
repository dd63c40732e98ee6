//! Storage that fails when it is told to: before it has stored something, or after.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dataward_archive::location::StoreWrapper;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What is to go wrong with the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is stored, and the answer is an error.
    Before,
    /// It is stored, and the answer is an error.
    AfterPersisted,
    /// It is stored, and the answer is that it was there already: a retry of storage's client.
    AfterPersistedAsExisting,
}

/// The faults to come, shared with the test.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Writes of a path with this text fail.
    puts: Mutex<Vec<(&'static str, Fault)>>,
    /// So many readings of the log succeed, and then so many fail.
    readings: Mutex<(u32, u32)>,
}

impl Faults {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The next write of a path that holds `text` fails.
    pub(crate) fn fail_put(&self, text: &'static str, fault: Fault) {
        self.puts.lock().unwrap().push((text, fault));
    }

    /// After the next failed write so many readings of the log succeed, and then so many fail.
    pub(crate) fn fail_readings(&self, after: u32, count: u32) {
        *self.readings.lock().unwrap() = (after, count);
    }

    pub(crate) fn wrapper(self: &Arc<Self>) -> StoreWrapper {
        let faults = Arc::clone(self);
        Arc::new(move |inner| Arc::new(FaultyStore { inner, faults: Arc::clone(&faults) }))
    }

    fn take(&self, location: &Path) -> Option<Fault> {
        let mut puts = self.puts.lock().unwrap();
        let place = puts.iter().position(|(text, _)| location.as_ref().contains(text))?;
        Some(puts.remove(place).1)
    }

    fn take_reading(&self) -> bool {
        if !self.puts.lock().unwrap().is_empty() {
            return false;
        }
        let mut readings = self.readings.lock().unwrap();
        let (after, count) = *readings;
        *readings =
            (after.saturating_sub(1), if after == 0 { count.saturating_sub(1) } else { count });
        after == 0 && count > 0
    }
}

#[derive(Debug)]
struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Arc<Faults>,
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty store")
    }
}

fn timeout() -> Error {
    Error::Generic { store: "faulty store", source: "no answer".into() }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        match self.faults.take(location) {
            None => self.inner.put_opts(location, payload, opts).await,
            Some(Fault::Before) => Err(timeout()),
            Some(Fault::AfterPersisted) => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(timeout())
            }
            Some(Fault::AfterPersistedAsExisting) => {
                self.inner.put_opts(location, payload, opts).await?;
                let source = "412".into();
                Err(Error::AlreadyExists { path: location.to_string(), source })
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if location.as_ref().contains("_delta_log") && self.faults.take_reading() {
            return Err(timeout());
        }
        self.inner.get_opts(location, options).await
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

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
