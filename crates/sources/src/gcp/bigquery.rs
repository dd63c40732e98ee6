//! Jobs of BigQuery, in the current form (`metadata`) and in the older one (`serviceData`).

use std::borrow::Cow;

use dataward_event::audit_event::Text;
use dataward_event::volume::ReadScope;

use super::entry::AuditLog;
use crate::act::Act;
use crate::lenient::{Loose, Object, Texts, Unread, fields};

fields! {
    /// `BigQueryAuditMetadata`.
    struct Metadata<'a> {
        job_change: Object<JobEvent<'a>> = "jobChange",
        job_insertion: Object<JobEvent<'a>> = "jobInsertion",
        table_read: Object<TableRead<'a>> = "tableDataRead",
        table_write: Unread<'a> = "tableDataChange",
        table_creation: Unread<'a> = "tableCreation",
        table_deletion: Unread<'a> = "tableDeletion",
        table_change: Unread<'a> = "tableChange",
        dataset_change: Unread<'a> = "datasetChange",
        dataset_creation: Unread<'a> = "datasetCreation",
        row_policy_creation: Unread<'a> = "rowAccessPolicyCreation",
        row_policy_deletion: Unread<'a> = "rowAccessPolicyDeletion",
    }

    /// `jobChange`, `jobInsertion`.
    struct JobEvent<'a> {
        job: Object<Job<'a>> = "job",
    }

    /// `tableDataRead`.
    struct TableRead<'a> {
        job: Loose<'a> = "jobName",
        reason: Loose<'a> = "reason",
    }

    /// `job`.
    struct Job<'a> {
        name: Loose<'a> = "jobName",
        config: Object<JobConfig<'a>> = "jobConfig",
        status: Object<JobStatus<'a>> = "jobStatus",
        stats: Object<JobStats<'a>> = "jobStats",
    }

    /// `jobConfig`.
    struct JobConfig<'a> {
        kind: Loose<'a> = "type",
        query: Object<QueryConfig<'a>> = "queryConfig",
        extract: Object<ExtractConfig<'a>> = "extractConfig",
        copy: Object<CopyConfig<'a>> = "tableCopyConfig",
        load: Object<LoadConfig<'a>> = "loadConfig",
    }

    /// `queryConfig`.
    struct QueryConfig<'a> {
        query: Loose<'a> = "query",
        statement_type: Loose<'a> = "statementType",
        destination: Loose<'a> = "destinationTable",
    }

    /// `extractConfig`.
    struct ExtractConfig<'a> {
        source: Loose<'a> = "sourceTable",
        uris: Texts<'a> = "destinationUris",
    }

    /// `tableCopyConfig`.
    struct CopyConfig<'a> {
        sources: Texts<'a> = "sourceTables",
        destination: Loose<'a> = "destinationTable",
    }

    /// `loadConfig`.
    struct LoadConfig<'a> {
        destination: Loose<'a> = "destinationTable",
    }

    /// `jobStatus`.
    struct JobStatus<'a> {
        state: Loose<'a> = "jobState" | "state",
        error: Object<JobError<'a>> = "errorResult" | "error",
    }

    /// `errorResult`.
    struct JobError<'a> {
        code: Loose<'a> = "code",
        message: Loose<'a> = "message",
    }

    /// `jobStats`.
    struct JobStats<'a> {
        query: Object<QueryStats<'a>> = "queryStats",
        extract: Object<ExtractStats<'a>> = "extractStats",
        load: Object<LoadStats<'a>> = "loadStats",
    }

    /// `loadStats`.
    struct LoadStats<'a> {
        bytes: Loose<'a> = "totalOutputBytes",
    }

    /// `queryStats`.
    struct QueryStats<'a> {
        rows: Loose<'a> = "outputRowCount",
        bytes: Loose<'a> = "totalProcessedBytes",
        tables: Texts<'a> = "referencedTables",
    }

    /// `extractStats`.
    struct ExtractStats<'a> {
        bytes: Loose<'a> = "totalInputBytes",
    }

    /// The older form: `serviceData`.
    struct ServiceData<'a> {
        completed: Object<OldJobEvent<'a>> = "jobCompletedEvent",
        inserted: Object<OldJobEvent<'a>> = "jobInsertRequest" | "jobInsertResponse",
    }

    /// `jobCompletedEvent`.
    struct OldJobEvent<'a> {
        job: Object<OldJob<'a>> = "job" | "resource",
    }

    /// `job` of the older form.
    struct OldJob<'a> {
        name: Object<OldJobName<'a>> = "jobName",
        config: Object<OldConfig<'a>> = "jobConfiguration",
        status: Object<JobStatus<'a>> = "jobStatus",
        stats: Object<OldStats<'a>> = "jobStatistics",
    }

    /// `jobName` of the older form.
    struct OldJobName<'a> {
        project: Loose<'a> = "projectId",
        job: Loose<'a> = "jobId",
    }

    /// `jobConfiguration`.
    struct OldConfig<'a> {
        query: Object<OldQuery<'a>> = "query",
        extract: Object<OldExtract<'a>> = "extract",
        copy: Object<OldCopy<'a>> = "tableCopy",
        load: Unread<'a> = "load",
    }

    /// `query` of the older form.
    struct OldQuery<'a> {
        query: Loose<'a> = "query",
        statement_type: Loose<'a> = "statementType",
    }

    /// `extract` of the older form.
    struct OldExtract<'a> {
        source: Unread<'a> = "sourceTable",
        uris: Texts<'a> = "destinationUris",
    }

    /// `tableCopy` of the older form.
    struct OldCopy<'a> {
        sources: Unread<'a> = "sourceTables",
        destination: Unread<'a> = "destinationTable",
    }

    /// `jobStatistics`.
    struct OldStats<'a> {
        rows: Loose<'a> = "queryOutputRowCount",
        bytes: Loose<'a> = "totalProcessedBytes",
        tables: Unread<'a> = "referencedTables",
    }

    /// A table of the older form.
    struct OldTable<'a> {
        project: Loose<'a> = "projectId",
        dataset: Loose<'a> = "datasetId",
        table: Loose<'a> = "tableId",
    }
}

/// What an entry tells of a job, or of a table.
#[derive(Default)]
pub(super) struct Work<'a> {
    /// What it is, where the method alone does not tell.
    pub(super) act: Option<Act>,
    /// The job.
    pub(super) job: Option<Text<'a>>,
    /// `None`: this is no job. Whether it is over.
    pub(super) is_done: Option<bool>,
    pub(super) error: Option<(Option<Text<'a>>, Option<Text<'a>>)>,
    /// The tables that were read, else written.
    pub(super) tables: Vec<Text<'a>>,
    /// Where an export or a copy went.
    pub(super) destinations: Vec<Text<'a>>,
    /// The table into which a query wrote what it read.
    pub(super) into: Option<Text<'a>>,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) scope: Option<ReadScope>,
    pub(super) statement: Option<Text<'a>>,
    pub(super) statement_type: Option<Text<'a>>,
    /// It tells of something that may protect.
    pub(super) may_change: bool,
}

/// Reads what a BigQuery entry tells.
pub(super) fn read<'a>(payload: &AuditLog<'a>) -> Work<'a> {
    if let Some(metadata) = payload.metadata.read::<Object<Metadata<'a>>>()
        && metadata.is_object
    {
        return current(metadata.fields);
    }
    match payload.service_data.read::<Object<ServiceData<'a>>>() {
        Some(data) if data.fields.completed.is_object => old(data.fields.completed.fields, true),
        Some(data) if data.fields.inserted.is_object => old(data.fields.inserted.fields, false),
        _ => Work::default(),
    }
}

fn current<'a>(metadata: Metadata<'a>) -> Work<'a> {
    let is_there = |unread: Unread<'a>| unread.json().is_some();
    if metadata.job_change.is_object || metadata.job_insertion.is_object {
        let is_change = metadata.job_change.is_object;
        let event = if is_change { metadata.job_change } else { metadata.job_insertion };
        return job(event.fields.job.fields);
    }
    let act = if metadata.table_read.is_object {
        Some(Act::READ)
    } else if is_there(metadata.table_write) {
        Some(Act::WRITE)
    } else if is_there(metadata.table_creation) {
        Some(Act::SCHEMA_CREATE)
    } else if is_there(metadata.table_deletion) {
        Some(Act::SCHEMA_DELETE)
    } else if [metadata.row_policy_creation, metadata.row_policy_deletion, metadata.table_change]
        .into_iter()
        .any(is_there)
    {
        Some(Act::SCHEMA_UPDATE)
    } else {
        None
    };
    Work {
        act,
        job: metadata.table_read.fields.job.text(),
        may_change: is_there(metadata.row_policy_creation)
            || is_there(metadata.row_policy_deletion)
            || is_there(metadata.table_change)
            || is_there(metadata.dataset_change)
            || is_there(metadata.dataset_creation),
        ..Work::default()
    }
}

fn job(job: Job<'_>) -> Work<'_> {
    let config = job.config.fields;
    let stats = job.stats.fields;
    let mut work = Work {
        job: job.name.text(),
        rows: stats.query.fields.rows.as_count(),
        bytes: stats.query.fields.bytes.as_count().or(stats.extract.fields.bytes.as_count()),
        tables: stats.query.fields.tables.0,
        statement: config.query.fields.query.text(),
        statement_type: config.query.fields.statement_type.text(),
        ..Work::default()
    };
    finish(&mut work, job.status.fields);
    if config.extract.is_object {
        work.act = Some(Act::READ);
        work.scope = Some(ReadScope::Export);
        work.tables.extend(config.extract.fields.source.text());
        work.destinations = config.extract.fields.uris.0;
    } else if config.copy.is_object {
        let copy = config.copy.fields;
        work.act = Some(Act::READ);
        work.scope = Some(ReadScope::Whole);
        work.tables.extend(copy.sources.0);
        work.destinations.extend(copy.destination.text());
    } else if config.load.is_object {
        work.act = Some(Act::WRITE);
        work.bytes = stats.load.fields.bytes.as_count();
        work.tables.extend(config.load.fields.destination.text());
    } else {
        work.act = Some(statement_act(work.statement_type.as_deref()));
        if work.statement_type.as_deref() == Some("EXPORT_DATA") {
            work.scope = Some(ReadScope::Export);
            let uri = work.statement.as_ref().and_then(export_uri);
            work.destinations.extend(uri);
        }
        let into = config.query.fields.destination.text();
        if work.tables.is_empty() {
            work.tables.extend(into);
        } else if matches!(
            work.statement_type.as_deref(),
            Some("SELECT" | "CREATE_TABLE_AS_SELECT" | "INSERT" | "MERGE")
        ) {
            work.into = into;
        }
    }
    work
}

fn finish<'a>(work: &mut Work<'a>, status: JobStatus<'a>) {
    work.is_done = Some(status.state.as_str() == Some("DONE"));
    let error = status.error.fields;
    let (code, message) = (error.code.text(), error.message.text());
    if code.is_some() || message.is_some() {
        work.error = Some((code, message));
    }
}

fn old<'a>(event: OldJobEvent<'a>, is_completed: bool) -> Work<'a> {
    let job = event.job.fields;
    let config = job.config.fields;
    let stats = job.stats.fields;
    let name = job.name.fields;
    let mut work = Work {
        job: match (name.project.as_str(), name.job.as_str()) {
            (Some(project), Some(job)) => {
                Some(Cow::Owned(format!("projects/{project}/jobs/{job}")))
            }
            _ => None,
        },
        rows: stats.rows.as_count(),
        bytes: stats.bytes.as_count(),
        tables: old_tables(stats.tables),
        statement: config.query.fields.query.text(),
        statement_type: config.query.fields.statement_type.text(),
        ..Work::default()
    };
    finish(&mut work, job.status.fields);
    if !is_completed {
        work.is_done = Some(false);
    }
    if config.extract.is_object {
        work.act = Some(Act::READ);
        work.scope = Some(ReadScope::Export);
        work.tables.extend(old_tables(config.extract.fields.source));
        work.destinations = config.extract.fields.uris.0;
    } else if config.copy.is_object {
        work.act = Some(Act::READ);
        work.scope = Some(ReadScope::Whole);
        work.tables.extend(old_tables(config.copy.fields.sources));
        work.destinations.extend(old_tables(config.copy.fields.destination));
    } else if config.load.json().is_some() {
        work.act = Some(Act::WRITE);
    } else {
        work.act = Some(statement_act(work.statement_type.as_deref()));
    }
    work
}

/// One table, or a list of them.
fn old_tables(unread: Unread<'_>) -> Vec<Text<'_>> {
    let tables: Vec<Object<OldTable<'_>>> = unread
        .read()
        .or_else(|| unread.read::<Object<OldTable<'_>>>().map(|table| vec![table]))
        .unwrap_or_default();
    let name = |table: OldTable<'_>| {
        let (project, dataset) = (table.project.text()?, table.dataset.text()?);
        let table = table.table.text()?;
        Some(Cow::Owned(format!("projects/{project}/datasets/{dataset}/tables/{table}")))
    };
    tables.into_iter().filter_map(|table| name(table.fields)).collect()
}

/// What a statement of a type does; scripts and calls are queries.
fn statement_act(statement_type: Option<&str>) -> Act {
    let statement_type = statement_type.unwrap_or_default();
    match statement_type {
        "INSERT" | "MERGE" | "LOAD_DATA" => Act::WRITE,
        "UPDATE" => Act::UPDATE,
        "DELETE" | "TRUNCATE_TABLE" => Act::DELETE,
        "GRANT" => Act::GRANT,
        "REVOKE" => Act::REVOKE,
        "CREATE_TABLE_AS_SELECT" => Act::QUERY,
        _ if statement_type.starts_with("CREATE_") => Act::SCHEMA_CREATE,
        _ if statement_type.starts_with("DROP_") => Act::SCHEMA_DELETE,
        _ if statement_type.starts_with("ALTER_") => Act::SCHEMA_UPDATE,
        _ => Act::QUERY,
    }
}

/// `gs://…` of `EXPORT DATA OPTIONS (uri = 'gs://…')`.
fn export_uri<'a>(statement: &Text<'a>) -> Option<Text<'a>> {
    let start = statement.find("gs://")?;
    let length = statement[start..].find(['\'', '"']).unwrap_or(statement.len() - start);
    Some(match statement {
        Cow::Borrowed(statement) => Cow::Borrowed(&statement[start..start + length]),
        Cow::Owned(statement) => Cow::Owned(statement[start..start + length].to_owned()),
    })
}
