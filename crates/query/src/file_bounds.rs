//! What the log says about files, in the form in which the engine weighs a condition against it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray, UInt64Array,
};
use arrow_schema::{DataType, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use dataward_archive::schema::PARTITION_COLUMNS;
use dataward_archive::table_files::{Bounds, TableFile};

use crate::view::day;

/// Smallest and largest values of some files.
pub(crate) struct FileBounds<'a> {
    files: &'a [TableFile],
    schema: SchemaRef,
}

#[derive(Clone, Copy)]
enum End {
    Least,
    Most,
}

impl<'a> FileBounds<'a> {
    /// `schema` has the types in which a condition sees the columns.
    pub(crate) fn new(files: &'a [TableFile], schema: SchemaRef) -> Self {
        Self { files, schema }
    }

    /// One value for each file; null where the log does not say.
    fn ends(&self, column: &str, end: End) -> Option<ArrayRef> {
        let [kind, ingest_date] = PARTITION_COLUMNS;
        if column == kind {
            let kinds = self.files.iter().map(|file| Some(file.kind.as_str()));
            return Some(Arc::new(kinds.collect::<StringArray>()));
        }
        if column == ingest_date {
            let days = self.files.iter().map(|file| Some(day(file.ingest_date)));
            return Some(Arc::new(days.collect::<Date32Array>()));
        }
        let numbers = || {
            self.files.iter().map(|file| match (file.bounds.get(column)?, end) {
                (Bounds::Numbers(least, _), End::Least) => Some(*least),
                (Bounds::Numbers(_, most), End::Most) => Some(*most),
                (Bounds::Texts(..), _) => None,
            })
        };
        let texts = || {
            self.files.iter().map(|file| match (file.bounds.get(column)?, end) {
                (Bounds::Texts(least, _), End::Least) => Some(least.as_str()),
                (Bounds::Texts(_, most), End::Most) => Some(most.as_str()),
                (Bounds::Numbers(..), _) => None,
            })
        };
        Some(match self.schema.field_with_name(column).ok()?.data_type() {
            DataType::Timestamp(_, zone) => {
                let times: TimestampMicrosecondArray = numbers().collect();
                Arc::new(times.with_timezone_opt(zone.clone()))
            }
            DataType::Int64 => Arc::new(numbers().collect::<Int64Array>()),
            DataType::Int32 => {
                let narrow = |number: Option<i64>| number.and_then(|n| i32::try_from(n).ok());
                Arc::new(numbers().map(narrow).collect::<Int32Array>())
            }
            DataType::Utf8 => Arc::new(texts().collect::<StringArray>()),
            _ => return None,
        })
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.ends(&column.name, End::Least)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.ends(&column.name, End::Most)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.files.iter().map(|file| file.rows).collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
