//! Reads the rows of the table's files, one file at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use dataward_event::position::{Offset, Partition};
use dataward_pipeline::archive::ArchiveError;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::column::Column;
use crate::commit_log::{LiveFile, get, live_files};
use crate::recent_files::{Since, files_since};
use crate::row_kind::RowKind;
use crate::row_view::RowView;

const BATCH_ROWS: usize = 8 * 1024;

/// Columns that are evidence, and that no detector reads.
const EVIDENCE: [Column; 5] =
    [Column::Raw, Column::Envelope, Column::RecordKey, Column::RecordHeaders, Column::EnvelopeForm];

/// The files of the table at one version.
pub(crate) struct DataReader {
    store: Arc<dyn ObjectStore>,
    version: u64,
    stop: Option<Arc<AtomicBool>>,
}

/// Which columns of a file are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// All but the evidence.
    Facts,
    /// These.
    These(&'a [Column]),
}

impl DataReader {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        version: u64,
        stop: Option<Arc<AtomicBool>>,
    ) -> Self {
        Self { store, version, stop }
    }

    /// The files of some kinds that may hold rows of a partition at or after an offset, with their
    /// kind.
    pub(crate) async fn files(
        &self,
        kinds: &dyn Fn(RowKind) -> bool,
        range: Option<(&Partition, Offset)>,
    ) -> Result<Vec<(RowKind, LiveFile)>, ArchiveError> {
        let files = live_files(&*self.store, self.version).await?;
        let wanted = files.into_values().filter_map(|file| {
            let kind = RowKind::parse(file.kind.as_deref()?)?;
            let may_hold = range.is_none_or(|(partition, from)| may_hold(&file, partition, from));
            (kinds(kind) && may_hold).then_some((kind, file))
        });
        Ok(wanted.collect())
    }

    /// The files that may hold what the keeper has to be told again.
    pub(crate) async fn files_since(
        &self,
        since: &Since<'_>,
    ) -> Result<Vec<(RowKind, LiveFile)>, ArchiveError> {
        files_since(&*self.store, since).await
    }

    /// Reads a file batch by batch, if it is still the one that was committed.
    ///
    /// # Errors
    /// `Stopped` if the process is to end: years of files may be waiting to be read.
    pub(crate) async fn read(
        &self,
        file: &LiveFile,
        wanted: Wanted<'_>,
        each: &mut dyn FnMut(&RowView) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        if self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(ArchiveError::Stopped);
        }
        let bytes = get(&*self.store, &Path::from(file.path.as_str())).await?;
        if !file.is_as_committed(&bytes) {
            return Err(unreadable(&file.path, "its bytes are not those that were committed"));
        }
        read_bytes(&file.path, bytes, wanted, each)
    }
}

/// Reads the bytes of a file batch by batch.
pub(crate) fn read_bytes(
    path: &str,
    bytes: Bytes,
    wanted: Wanted<'_>,
    each: &mut dyn FnMut(&RowView) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let unreadable = |error: &dyn std::fmt::Display| unreadable(path, error);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| unreadable(&error))?;
    let is_wanted = |name: &str| match wanted {
        Wanted::Facts => EVIDENCE.iter().all(|column| column.name() != name),
        Wanted::These(columns) => columns.iter().any(|column| column.name() == name),
    };
    let fields = builder.schema().fields();
    let places: Vec<_> = (0..fields.len()).filter(|at| is_wanted(fields[*at].name())).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| unreadable(&error))?;
    for batch in reader {
        let batch = batch.map_err(|error| unreadable(&error))?;
        each(&RowView::new(&batch))?;
    }
    Ok(())
}

/// A file is not what the table says.
pub(crate) fn unreadable(path: &str, error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Broken(format!("file {path} cannot be read: {error}"))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounds {
    #[serde(default)]
    min_values: Map<String, Value>,
    #[serde(default)]
    max_values: Map<String, Value>,
}

/// The smallest and the largest value of a column in a file, as its statistics state them.
pub(crate) fn bounds(file: &LiveFile, column: Column) -> (Option<Value>, Option<Value>) {
    let parsed =
        file.statistics.as_deref().and_then(|json| serde_json::from_str::<Bounds>(json).ok());
    let bounds = parsed.unwrap_or_default();
    let (smallest, largest) = bounds.of(column);
    (smallest.cloned(), largest.cloned())
}

/// Whether a file may hold rows of the partition at or after the offset, as far as its statistics
/// tell.
pub(crate) fn may_hold(file: &LiveFile, partition: &Partition, from: Offset) -> bool {
    let Some(bounds) =
        file.statistics.as_deref().and_then(|json| serde_json::from_str::<Bounds>(json).ok())
    else {
        return true;
    };
    let text_fits = |column: Column, value: &str| {
        let (minimum, maximum) = bounds.of(column);
        minimum.and_then(Value::as_str).is_none_or(|least| least <= value)
            && maximum.and_then(Value::as_str).is_none_or(|most| value <= most)
    };
    let number_fits = |column: Column, value: i64| {
        let (minimum, maximum) = bounds.of(column);
        minimum.and_then(Value::as_i64).is_none_or(|least| least <= value)
            && maximum.and_then(Value::as_i64).is_none_or(|most| value <= most)
    };
    let (_, last_offset) = bounds.of(Column::KafkaOffset);
    text_fits(Column::Topic, &partition.topic)
        && number_fits(Column::Incarnation, i64::from(partition.incarnation))
        && number_fits(Column::KafkaPartition, i64::from(partition.number))
        && last_offset.and_then(Value::as_i64).is_none_or(|last| from.0 <= last)
}

impl Bounds {
    fn of(&self, column: Column) -> (Option<&Value>, Option<&Value>) {
        (self.min_values.get(column.name()), self.max_values.get(column.name()))
    }
}
