//! One Parquet file of the table, and what the log says about it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{ArrowError, FieldRef, Schema, SchemaRef};
use bytes::Bytes;
use dataward_event::time::EventTime;
use dataward_event::uid::hex;
use deltalake_core::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::column::Column;
use crate::file_statistics;
use crate::row_kind::RowKind;
use crate::schema;

/// The tag of a file's SHA-256 in the log.
pub(crate) const SHA256_TAG: &str = "dataward.sha256";

const ROW_GROUP_ROWS: usize = 256 * 1024;
const ROW_GROUP_BYTES: usize = 256 * 1024 * 1024;
const PAGE_BYTES: usize = 1024 * 1024;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Columns whose values hardly repeat: a dictionary would only cost.
const UNIQUE: [Column; 14] = [
    Column::EventUid,
    Column::RequestUid,
    Column::RowsReturned,
    Column::BytesOut,
    Column::Raw,
    Column::Envelope,
    Column::RecordKey,
    Column::RecordHeaders,
    Column::RawSha256,
    Column::RawBytes,
    Column::AlertUid,
    Column::AlertJson,
    Column::ClosingEvent,
    Column::Readers,
];

/// Columns whose values rise in small steps.
const RISING: [Column; 7] = [
    Column::KafkaOffset,
    Column::RecordIndex,
    Column::EventTime,
    Column::KafkaTime,
    Column::IngestTime,
    Column::LoggedTime,
    Column::AlertNumber,
];

/// Columns whose smallest and largest values help nobody.
const WITHOUT_STATISTICS: [Column; 7] = [
    Column::Raw,
    Column::Envelope,
    Column::RecordKey,
    Column::RecordHeaders,
    Column::AlertJson,
    Column::ClosingEvent,
    Column::Readers,
];

/// An encoded file.
#[derive(Debug)]
pub(crate) struct DataFile {
    /// Its path in the table.
    pub(crate) path: String,
    /// Its bytes.
    pub(crate) bytes: Bytes,
    /// Its statistics, as the log wants them.
    statistics: String,
    kind: RowKind,
    date: String,
}

static SETTINGS: LazyLock<WriterProperties> = LazyLock::new(settings);

fn settings() -> WriterProperties {
    let path = |column: Column| ColumnPath::from(column.name());
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("dataward ", env!("CARGO_PKG_VERSION")).to_owned())
        // Level 1 is always a level of zstd.
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(PAGE_BYTES)
        .set_column_dictionary_enabled(
            ColumnPath::from(vec!["objects".to_owned(), "list".to_owned(), "element".to_owned()]),
            false,
        );
    for column in UNIQUE {
        builder = builder.set_column_dictionary_enabled(path(column), false);
    }
    for column in RISING {
        builder = builder
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
    }
    for column in WITHOUT_STATISTICS {
        builder = builder.set_column_statistics_enabled(path(column), EnabledStatistics::None);
    }
    builder.build()
}

/// The columns that any of these batches has: one that is null in every row takes no place in a file, and is null to
/// every reader of the table.
fn named_columns(kind: RowKind, batches: &[RecordBatch]) -> SchemaRef {
    let all = schema::arrow(kind);
    let is_named = |field: &&FieldRef| {
        batches.iter().any(|batch| batch.schema_ref().column_with_name(field.name()).is_some())
    };
    Arc::new(Schema::new(all.fields().iter().filter(is_named).cloned().collect::<Vec<_>>()))
}

fn with_columns(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let rows = batch.num_rows();
    let column = |field: &FieldRef| match batch.column_by_name(field.name()) {
        Some(column) => Arc::clone(column),
        None => new_null_array(field.data_type(), rows),
    };
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
}

impl DataFile {
    /// Encodes rows of one kind and one day. `name` is the file's name without its directories.
    pub(crate) fn encode(
        kind: RowKind,
        day: i32,
        name: &str,
        batches: &[RecordBatch],
    ) -> Result<Self, ParquetError> {
        let options = ArrowWriterOptions::new()
            .with_properties(SETTINGS.clone())
            .with_skip_arrow_metadata(true);
        let schema = named_columns(kind, batches);
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new_with_options(&mut bytes, Arc::clone(&schema), options)?;
        for batch in batches {
            writer.write(&with_columns(&schema, batch)?)?;
        }
        let footer = writer.close()?;
        let date = EventTime::from_micros(i64::from(day) * MICROS_PER_DAY).date();
        let path = format!("kind={}/ingest_date={date}/{name}", kind.as_str());
        let statistics = file_statistics::from_footer(&footer);
        Ok(Self { path, bytes: bytes.into(), statistics, kind, date })
    }

    /// The action that makes the file part of the table.
    pub(crate) fn add(&self, modified_millis: i64) -> Add {
        let sha256 = hex(&Sha256::digest(&self.bytes));
        let partition_values = [
            (schema::PARTITION_COLUMNS[0], self.kind.as_str()),
            (schema::PARTITION_COLUMNS[1], self.date.as_str()),
        ];
        Add {
            path: self.path.clone(),
            partition_values: partition_values
                .into_iter()
                .map(|(column, value)| (column.to_owned(), Some(value.to_owned())))
                .collect(),
            size: i64::try_from(self.bytes.len()).unwrap_or(i64::MAX),
            modification_time: modified_millis,
            data_change: true,
            stats: Some(self.statistics.clone()),
            tags: Some(HashMap::from([(SHA256_TAG.to_owned(), Some(sha256))])),
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        }
    }
}
