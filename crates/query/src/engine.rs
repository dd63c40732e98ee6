//! The engine over one version of an archive, and the questions to it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionConfig, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::DataFrame;
use dataward_archive::delta_archive::{self, DeltaArchive};
use dataward_archive::table_files::TableFile;
use futures::StreamExt;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::archive_store::ArchiveStore;
use crate::error::QueryError;
use crate::limits::{Limits, Watch};
use crate::{cell, statement, views};

/// The address under which the engine knows the files.
const STORE: &str = "archive://table";

/// The stack of a question, enough for the longest one that is taken. Only what is used of it costs memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// How an archive is asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The version of the table; `None`: the newest.
    pub version: Option<u64>,
    /// Every file is hashed before it is used, and not only measured: its bytes are then those that were committed.
    pub is_thorough: bool,
    /// What each question may take.
    pub limits: Limits,
}

/// Who takes an answer.
pub trait Answer: Send {
    /// The names of the columns, before the first row; also where there is none.
    ///
    /// # Errors
    /// The answer goes nowhere; the question ends.
    fn columns(&mut self, names: &[String]) -> io::Result<()>;

    /// A row, one cell for each column.
    ///
    /// # Errors
    /// As [`columns`](Self::columns).
    fn row(&mut self, cells: Vec<Value>) -> io::Result<()>;
}

/// What the questions to an engine have taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The version of the table.
    pub version: u64,
    /// Files that the table has.
    pub files: usize,
    /// Files that were opened.
    pub files_read: usize,
    /// Bytes of them that were asked for.
    pub bytes_read: u64,
}

/// The engine over one version of an archive.
///
/// Its calls block; they must not come from a thread of an asynchronous runtime.
pub struct Engine {
    runtime: Runtime,
    pub(crate) context: SessionContext,
    store: Arc<ArchiveStore>,
    pub(crate) files: Vec<TableFile>,
    version: u64,
    limits: Limits,
}

impl Engine {
    /// Opens an archive that is there. Nothing is ever written to it.
    ///
    /// # Errors
    /// `Archive` if it cannot be opened, `Unknown` if it has no such version.
    pub fn open(location: &Path, options: &Options) -> Result<Self, QueryError> {
        let archive = DeltaArchive::open_read_only(location, &delta_archive::Options::default())?;
        let newest = archive.version();
        if let Some(version) = options.version.filter(|version| *version > newest) {
            let text = format!("the archive has no version {version}: its newest is {newest}");
            return Err(QueryError::Unknown(text));
        }
        let table = archive.table_files(options.version)?;
        let store = ArchiveStore::new(table.store, &table.files, options.is_thorough);
        let foreign = table.files.iter().filter(|file| file.sha256.is_none()).count();
        if foreign > 0 {
            tracing::warn!(files = foreign, "the archive has files of others: run verify");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("query")
            .enable_all()
            .build()?;
        let engine = Self {
            runtime,
            context: context(&options.limits).map_err(unusable)?,
            store: Arc::new(store),
            files: table.files,
            version: table.version,
            limits: options.limits.clone(),
        };
        engine.register().map_err(unusable)?;
        Ok(engine)
    }

    fn register(&self) -> Result<(), DataFusionError> {
        let url = ObjectStoreUrl::parse(STORE)?;
        let store = Arc::clone(&self.store);
        self.context.runtime_env().register_object_store(url.as_ref(), store);
        self.runtime.block_on(views::register(&self.context, &self.files, &url))
    }

    /// Answers one SQL statement over the [views](views::NAMES), and says how many rows the answer has.
    ///
    /// # Errors
    /// `Question` for one that cannot be asked, `Limit` where the answer is larger than it may be; see [`QueryError`].
    /// Rows that were given out before are true, but not all.
    pub fn query(&self, sql: &str, answer: &mut dyn Answer) -> Result<usize, QueryError> {
        let watch = Watch::start(&self.limits);
        let state = self.context.state();
        self.block_on(|| async move {
            let question = statement::parse(sql, &state)?;
            let planned = watch.wait(state.statement_to_plan(question.statement)).await?;
            let plan = planned.map_err(|error| self.failure(&error, None))?;
            read_only().verify_plan(&plan).map_err(|error| statement::refused(said(&error)))?;
            let plan = if question.is_query { one_more(plan, &watch) } else { Ok(plan) };
            let plan = plan.map_err(|error| self.failure(&error, None))?;
            let names: Vec<String> =
                plan.schema().fields().iter().map(|field| field.name().clone()).collect();
            refuse_repeated(&names)?;
            let frame = DataFrame::new(state, plan);
            let mut rows = 0;
            let mut has_begun = false;
            let mut take = |batch: &RecordBatch| {
                if !std::mem::replace(&mut has_begun, true) {
                    answer.columns(&names)?;
                }
                for row in 0..batch.num_rows() {
                    if rows == watch.max_rows() {
                        return Err(watch.too_many_rows());
                    }
                    let cells = batch.columns().iter().map(|column| cell::value(column, row));
                    let cells = cells.collect::<Result<Vec<_>, ArrowError>>();
                    answer.row(cells.map_err(|e| QueryError::Question(e.to_string()))?)?;
                    rows += 1;
                }
                Ok(())
            };
            self.each_batch(frame, &watch, &mut take).await?;
            if !has_begun {
                answer.columns(&names)?;
            }
            Ok(rows)
        })
    }

    /// What all questions so far have taken.
    pub fn effort(&self) -> Effort {
        let taken = self.store.taken();
        Effort {
            version: self.version,
            files: self.files.len(),
            files_read: taken.files,
            bytes_read: taken.bytes,
        }
    }

    /// The limits of each question.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Runs one or more questions, on a thread of their own: the engine goes down into a condition term by term.
    pub(crate) fn block_on<T: Send, F: Future<Output = Result<T, QueryError>>>(
        &self,
        questions: impl FnOnce() -> F + Send,
    ) -> Result<T, QueryError> {
        let run = || self.runtime.block_on(questions());
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("question".to_owned());
            let running = thread.stack_size(STACK_BYTES).spawn_scoped(scope, run)?;
            running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Delivers the batches of an answer as they come.
    pub(crate) async fn each_batch(
        &self,
        frame: DataFrame,
        watch: &Watch,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut stream = match watch.wait(frame.execute_stream()).await? {
            Ok(stream) => stream,
            Err(error) => return Err(self.explained(error).await),
        };
        while let Some(batch) = watch.wait(stream.next()).await? {
            match batch {
                Ok(batch) => each(&batch)?,
                Err(error) => return Err(self.explained(error).await),
            }
        }
        Ok(())
    }

    /// An error of planning a question of ours.
    pub(crate) fn failed(&self, error: &DataFusionError) -> QueryError {
        self.failure(error, None)
    }

    async fn explained(&self, error: DataFusionError) -> QueryError {
        let altered = if is_about_bytes(&error) {
            self.store.altered().await.into_iter().next()
        } else {
            None
        };
        self.failure(&error, altered)
    }

    /// An error of the engine in the words of the archive.
    fn failure(&self, error: &DataFusionError, altered: Option<String>) -> QueryError {
        if let Some(broken) = self.store.broken() {
            return QueryError::Broken(broken.to_string());
        }
        if let Some(path) = altered {
            return QueryError::Broken(format!(
                "file {path} cannot be read: its bytes are not those that were committed; `dataward verify` tells \
                 what else is wrong ({})",
                said(error)
            ));
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => QueryError::Limit(format!(
                "the question needs more than {} MB of memory. Ask for less (fewer columns, a condition on event_time \
                 or kind, a LIMIT), or raise --memory-megabytes",
                self.limits.memory_bytes / (1024 * 1024)
            )),
            _ if is_about_bytes(error) => QueryError::Broken(format!(
                "the files cannot be read: {}; `dataward verify` tells what is wrong",
                said(error)
            )),
            _ => QueryError::Question(said(error)),
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("effort", &self.effort()).finish_non_exhaustive()
    }
}

fn context(limits: &Limits) -> Result<SessionContext, DataFusionError> {
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_disk_manager_builder(no_disk)
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(limits.memory_bytes)))
        .build_arc()?;
    let config = SessionConfig::new()
        .with_information_schema(true)
        .set_str("datafusion.execution.time_zone", "+00:00")
        // The evidence of rows that are not wanted is not even unpacked.
        .set_bool("datafusion.execution.parquet.pushdown_filters", true);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// The wall behind [`statement::parse`].
fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// One row more than may be given out tells whether there are more.
fn one_more(plan: LogicalPlan, watch: &Watch) -> Result<LogicalPlan, DataFusionError> {
    LogicalPlanBuilder::from(plan).limit(0, Some(watch.max_rows().saturating_add(1)))?.build()
}

/// Two columns of one name would be one in JSON.
fn refuse_repeated(names: &[String]) -> Result<(), QueryError> {
    let is_repeated = |(at, name): &(usize, &String)| names[..*at].contains(*name);
    match names.iter().enumerate().find(is_repeated) {
        Some((_, name)) => Err(QueryError::Question(format!(
            "two columns of the answer are called {name}: give one another name with AS"
        ))),
        None => Ok(()),
    }
}

fn unusable(error: DataFusionError) -> QueryError {
    QueryError::Question(format!("the engine does not start: {error}"))
}

/// What the engine says, without where in its code.
fn said(error: &DataFusionError) -> String {
    error.find_root().strip_backtrace()
}

/// Whether an error may come from what is in a file, and not from what was asked.
fn is_about_bytes(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::ParquetError(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::IoError(_)
        | DataFusionError::External(_) => true,
        DataFusionError::ArrowError(error, _) => {
            matches!(
                **error,
                ArrowError::ParquetError(_)
                    | ArrowError::IoError(..)
                    | ArrowError::ExternalError(_)
            )
        }
        _ => false,
    }
}
