//! The rows of some kinds as a table of the engine.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use dataward_archive::row_kind::RowKind;
use dataward_archive::schema::{self, PARTITION_COLUMNS};
use dataward_archive::table_files::TableFile;
use dataward_event::time::EventTime;

use crate::file_bounds::FileBounds;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The rows of some kinds, with some of their columns.
#[derive(Debug)]
pub(crate) struct KindView {
    files: Vec<TableFile>,
    columns: TableSchema,
    url: ObjectStoreUrl,
}

impl KindView {
    /// The columns keep the order of the table; `is_wanted` chooses them by name.
    pub(crate) fn new(
        files: &[TableFile],
        kinds: &[RowKind],
        is_wanted: &dyn Fn(&str) -> bool,
        url: ObjectStoreUrl,
    ) -> Self {
        let fields = schema::columns();
        let wanted = fields.fields().iter().filter(|field| is_wanted(field.name()));
        let schema = Schema::new(wanted.cloned().collect::<Vec<FieldRef>>());
        let [kind, ingest_date] = PARTITION_COLUMNS;
        let partition_columns: Vec<FieldRef> = vec![
            Arc::new(Field::new(kind, DataType::Utf8, false)),
            Arc::new(Field::new(ingest_date, DataType::Date32, false)),
        ];
        let of_kinds = files.iter().filter(|file| kinds.contains(&file.kind));
        let columns = TableSchema::builder(Arc::new(schema))
            .with_table_partition_cols(partition_columns)
            .build();
        Self { files: of_kinds.cloned().collect(), columns, url }
    }

    /// The files that may hold rows which meet the conditions, as far as the log tells.
    fn chosen(&self, state: &dyn Session, conditions: &[Expr]) -> Result<Vec<TableFile>> {
        let Some(condition) = conjunction(conditions.iter().cloned()) else {
            return Ok(self.files.clone());
        };
        let columns = DFSchema::try_from(self.schema())?;
        let condition = state.create_physical_expr(condition, &columns)?;
        // A condition that cannot be weighed against bounds takes every file.
        let builder = PruningPredicateBuilder::new().with_file_schema(self.schema());
        let Ok(predicate) = builder.try_build(condition) else {
            return Ok(self.files.clone());
        };
        let may_hold = predicate.prune(&FileBounds::new(&self.files, self.schema()))?;
        let chosen = self.files.iter().zip(may_hold).filter(|(_, may_hold)| *may_hold);
        Ok(chosen.map(|(file, _)| file.clone()).collect())
    }

    fn statistics_of(&self, files: &[TableFile]) -> Statistics {
        // Nothing here is exact on purpose: a count must open the files that it counts.
        let rows = files.iter().map(|file| file.rows.unwrap_or(0)).sum::<u64>();
        let bytes = files.iter().map(|file| file.size).sum::<u64>();
        let inexact = |count| Precision::Inexact(usize::try_from(count).unwrap_or(usize::MAX));
        Statistics {
            num_rows: inexact(rows),
            total_byte_size: inexact(bytes),
            ..Statistics::new_unknown(&self.schema())
        }
    }
}

#[async_trait]
impl TableProvider for KindView {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.columns.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let chosen = self.chosen(state, filters)?;
        if chosen.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema().project(columns)?),
                None => self.schema(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let statistics = self.statistics_of(&chosen);
        let files = chosen.iter().map(partitioned).collect::<Vec<_>>();
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let options = state.config().options().execution.parquet.clone();
        let mut source = ParquetSource::new(self.columns.clone());
        source = source.with_pushdown_filters(options.pushdown_filters);
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

fn partitioned(file: &TableFile) -> PartitionedFile {
    PartitionedFile::new(file.path.clone(), file.size).with_partition_values(vec![
        ScalarValue::Utf8(Some(file.kind.as_str().to_owned())),
        ScalarValue::Date32(Some(day(file.ingest_date))),
    ])
}

/// Days since 1970.
pub(crate) fn day(time: EventTime) -> i32 {
    let days = time.micros().div_euclid(MICROS_PER_DAY);
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}
