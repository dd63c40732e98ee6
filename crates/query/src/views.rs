//! What can be asked: the views, and which columns of the table each has.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use dataward_archive::row_kind::RowKind;
use dataward_archive::table_files::TableFile;

use crate::view::KindView;

/// The names of the views.
pub const NAMES: [&str; 11] = [
    "events",
    "access",
    "config_changes",
    "authentications",
    "alerts",
    "exposures",
    "exposure_statements",
    "quarantine",
    "gaps",
    "operators",
    "archive",
];

/// A view of the rows of some kinds.
struct Definition {
    name: &'static str,
    kinds: &'static [RowKind],
    columns: Columns,
}

/// The columns of the table that a view has, besides `kind` and `ingest_date`.
enum Columns {
    /// All.
    All,
    /// Those of an event: all that stand before this one in the table, and what came later.
    Before(&'static str),
    /// These.
    These(&'static [&'static str]),
}

/// The column of events that came after all others.
const LATER: &str = "read_scope";

/// The first column that no event has.
const BEYOND_EVENTS: &str = "detail";

const EVENTS: [RowKind; 3] = [RowKind::Access, RowKind::ConfigChange, RowKind::Authentication];

const DEFINITIONS: [Definition; 10] = [
    Definition { name: "archive", kinds: &RowKind::ALL, columns: Columns::All },
    Definition { name: "events", kinds: &EVENTS, columns: Columns::Before(BEYOND_EVENTS) },
    Definition {
        name: "access",
        kinds: &[RowKind::Access],
        columns: Columns::Before(BEYOND_EVENTS),
    },
    Definition {
        name: "config_changes",
        kinds: &[RowKind::ConfigChange],
        columns: Columns::Before(BEYOND_EVENTS),
    },
    Definition {
        name: "authentications",
        kinds: &[RowKind::Authentication],
        columns: Columns::Before(BEYOND_EVENTS),
    },
    Definition {
        name: "alerts",
        kinds: &[RowKind::Alert],
        columns: Columns::These(&[
            "event_time",
            "logged_time",
            "rule_id",
            "severity_id",
            "activity_id",
            "title",
            "message",
            "alert_uid",
            "finding_uid",
            "alert_owner",
            "alert_number",
            "datastore_uid",
            "datastore_name",
            "datastore_type",
            "datastore_form",
            "topic",
            "incarnation",
            "kafka_partition",
            "kafka_offset",
            "record_index",
            "alert_json",
        ]),
    },
    Definition {
        name: "exposure_statements",
        kinds: &[RowKind::Exposure],
        columns: Columns::These(&[
            "topic",
            "incarnation",
            "kafka_partition",
            "kafka_offset",
            "record_index",
            "event_uid",
            "event_time",
            "operation",
            "actor_uid",
            "actor_name",
            "actor_kind",
            "actor_type",
            "actor_account_uid",
            "actor_credential_uid",
            "actor_session_uid",
            "actor_issuer",
            "actor_mfa",
            "actor_groups",
            "client_ip",
            "client_domain",
            "datastore_uid",
            "datastore_name",
            "datastore_type",
            "datastore_form",
            "severity_id",
            "logged_time",
            "alert_number",
            "exposure_uid",
            "window_kind",
            "control",
            "setting",
            "opened",
            "level",
            "reachable",
            "opened_at",
            "opened_at_uncertain",
            "exposed_at",
            "closed_at",
            "closed_by",
            "closed_by_uid",
            "closing_event_uid",
            "closing_event",
            "close_reason",
            "reads",
            "reads_at_edges",
            "rows_at_least",
            "rows_unreported",
            "bytes_at_least",
            "bytes_unreported",
            "objects_at_least",
            "objects_unreported",
            "outside_reads",
            "outside_reads_at_edges",
            "outside_rows_at_least",
            "outside_rows_unreported",
            "outside_bytes_at_least",
            "outside_bytes_unreported",
            "outside_objects_at_least",
            "outside_objects_unreported",
            "readers",
        ]),
    },
    Definition {
        name: "quarantine",
        kinds: &[RowKind::Quarantine],
        columns: Columns::These(&[
            "source",
            "topic",
            "incarnation",
            "kafka_partition",
            "kafka_offset",
            "record_index",
            "kafka_ts",
            "ingest_ts",
            "quarantine_reason",
            "detail",
            "record_key",
            "record_headers",
            "raw",
            "raw_bytes",
            "raw_sha256",
            "envelope",
            "envelope_form",
        ]),
    },
    Definition {
        name: "gaps",
        kinds: &[RowKind::Gap],
        columns: Columns::These(&[
            "topic",
            "incarnation",
            "kafka_partition",
            "ingest_ts",
            "gap_from",
            "gap_to",
            "gap_cause",
            "detail",
        ]),
    },
    Definition {
        name: "operators",
        kinds: &[RowKind::Operator],
        columns: Columns::These(&[
            "topic",
            "incarnation",
            "kafka_partition",
            "event_time",
            "ingest_ts",
            "operator_operation",
            "detail",
        ]),
    },
];

/// The windows, each as its newest statement says; without those that a late event has shown never to have been.
const EXPOSURES: &str = "
    SELECT * EXCEPT (newest) FROM (
        SELECT *, row_number() OVER (PARTITION BY exposure_uid ORDER BY alert_number DESC) AS newest
        FROM exposure_statements
    ) WHERE newest = 1 AND close_reason IS DISTINCT FROM 'superseded'";

/// Makes the views over the files of a table.
pub(crate) async fn register(
    context: &SessionContext,
    files: &[TableFile],
    url: &ObjectStoreUrl,
) -> Result<()> {
    for Definition { name, kinds, columns } in &DEFINITIONS {
        let schema = dataward_archive::schema::columns();
        let is_wanted = |column: &str| match columns {
            Columns::All => true,
            Columns::Before(first) => {
                schema.index_of(column).ok() < schema.index_of(first).ok() || column == LATER
            }
            Columns::These(names) => names.contains(&column),
        };
        let view = KindView::new(files, kinds, &is_wanted, url.clone());
        context.register_table(*name, Arc::new(view))?;
    }
    let exposures = context.sql(EXPOSURES).await?.into_view();
    context.register_table("exposures", exposures)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_a_view_is_one_of_the_table() {
        let schema = dataward_archive::schema::columns();
        for Definition { name, columns, .. } in DEFINITIONS {
            let names = match columns {
                Columns::All => &[][..],
                Columns::Before(first) => &[first][..],
                Columns::These(names) => names,
            };
            for column in names {
                assert!(schema.index_of(column).is_ok(), "{name}.{column}");
            }
            assert!(NAMES.contains(&name));
        }
        assert_eq!(NAMES.len(), DEFINITIONS.len() + 1);
    }
}
