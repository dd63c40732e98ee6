//! The files of a table at one version, and what the log says about each: for those who read rows with an engine of
//! their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_event::time::EventTime;
use dataward_event::uid::hex;
use dataward_pipeline::archive::ArchiveError;
use object_store::ObjectStore;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::column::{COLUMNS, Column, ColumnType};
use crate::commit_log::{LiveFile, live_files};
use crate::data_file::SHA256_TAG;
use crate::row_kind::RowKind;
use crate::schema::STATISTICS_COLUMNS;

/// The files of a table at one version.
#[derive(Debug)]
pub struct TableFiles {
    /// The version.
    pub version: u64,
    /// The files, in the order of their paths.
    pub files: Vec<TableFile>,
    /// Where they lie; their paths are relative to it.
    pub store: Arc<dyn ObjectStore>,
}

/// A file of rows, as the log describes it.
#[derive(Debug, Clone)]
pub struct TableFile {
    /// Its path in the table.
    pub path: String,
    /// What its rows are.
    pub kind: RowKind,
    /// The day on which they arrived.
    pub ingest_date: EventTime,
    /// How many bytes it has.
    pub size: u64,
    /// How many rows.
    pub rows: Option<u64>,
    /// The SHA-256 of its bytes in hex; a file without one was not written by us.
    pub sha256: Option<String>,
    /// Bounds of its columns by name: no value lies outside, but the bounds themselves need not be values. A column
    /// that is not named here is unknown.
    pub bounds: BTreeMap<&'static str, Bounds>,
}

/// What lies between two values, both inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounds {
    /// Numbers; times are microseconds since 1970.
    Numbers(i64, i64),
    /// Texts, in the order of their bytes.
    Texts(String, String),
}

impl TableFile {
    /// Whether these are the bytes that were committed; `None` if nobody wrote down what they were.
    pub fn is_as_committed(&self, bytes: &[u8]) -> Option<bool> {
        self.sha256.as_ref().map(|expected| *expected == hex(&Sha256::digest(bytes)))
    }
}

/// The files at a version that is there.
pub(crate) async fn table_files(
    store: Arc<dyn ObjectStore>,
    version: u64,
) -> Result<TableFiles, ArchiveError> {
    let files = live_files(&*store, version).await?;
    let files = files.into_values().map(table_file).collect::<Result<_, _>>()?;
    Ok(TableFiles { version, files, store })
}

/// # Errors
/// A file whose place in the table cannot be told belongs to no kind of rows: whoever reads on would miss it.
fn table_file(file: LiveFile) -> Result<TableFile, ArchiveError> {
    let kind = file.kind.as_deref().and_then(RowKind::parse);
    let day = file.ingest_date.as_deref();
    let ingest_date = day.and_then(|day| EventTime::parse_rfc3339(&format!("{day}T00:00:00Z")));
    let (Some(kind), Some(ingest_date)) = (kind, ingest_date) else {
        let text = format!("file {} has no kind and day of ours: run verify", file.path);
        return Err(ArchiveError::Broken(text));
    };
    let sha256 = file.tags.get(SHA256_TAG).cloned().flatten();
    let told = file.statistics.as_deref().and_then(|json| serde_json::from_str::<Told>(json).ok());
    let told = told.unwrap_or_default();
    // Others cut times to milliseconds: only what we wrote ourselves is known to be a bound.
    let bounds = if sha256.is_some() { told.bounds() } else { BTreeMap::new() };
    Ok(TableFile {
        path: file.path,
        kind,
        ingest_date,
        size: file.size,
        rows: told.num_records,
        sha256,
        bounds,
    })
}

/// The statistics of a file in the log.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    num_records: Option<u64>,
    #[serde(default)]
    min_values: Map<String, Value>,
    #[serde(default)]
    max_values: Map<String, Value>,
}

impl Told {
    fn bounds(&self) -> BTreeMap<&'static str, Bounds> {
        let bounds = |column: Column| {
            let name = column.name();
            Some((name, bounds(column, self.min_values.get(name)?, self.max_values.get(name)?)?))
        };
        STATISTICS_COLUMNS.into_iter().filter_map(bounds).collect()
    }
}

fn bounds(column: Column, minimum: &Value, maximum: &Value) -> Option<Bounds> {
    let time = |value: &Value| Some(EventTime::parse_rfc3339(value.as_str()?)?.micros());
    Some(match COLUMNS[column.index()].2 {
        ColumnType::Time => Bounds::Numbers(time(minimum)?, time(maximum)?),
        ColumnType::Long | ColumnType::Int => Bounds::Numbers(minimum.as_i64()?, maximum.as_i64()?),
        ColumnType::Text => {
            Bounds::Texts(minimum.as_str()?.to_owned(), maximum.as_str()?.to_owned())
        }
        ColumnType::Bytes | ColumnType::Flag | ColumnType::Texts | ColumnType::Changes => {
            return None;
        }
    })
}
