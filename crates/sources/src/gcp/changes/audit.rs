//! Whether the record goes on: audit configs, sinks, log buckets, exclusions.

use dataward_event::change::Direction;

use super::super::datastore;
use super::{Call, Found};
use crate::catalogue_rows::gcp as rows;
use crate::node::Node;

/// The services whose Data Access logs are about datastores.
const DATA_SERVICES: [&str; 10] = [
    "allServices",
    "storage.googleapis.com",
    "bigquery.googleapis.com",
    "cloudsql.googleapis.com",
    "firestore.googleapis.com",
    "datastore.googleapis.com",
    "spanner.googleapis.com",
    "bigtable.googleapis.com",
    "secretmanager.googleapis.com",
    "cloudkms.googleapis.com",
];

/// Days for which logs are kept if nobody says otherwise.
const DEFAULT_RETENTION_DAYS: u64 = 30;

/// `auditConfigDeltas` of a policy.
pub(super) fn read_audit_configs(call: &Call<'_>, found: &mut Found) {
    let service_data: Node<'_> = call.payload.service_data.read().unwrap_or_default();
    for delta in service_data.list(&["policyDelta", "auditConfigDeltas"]) {
        let is_added = match delta.text(&["action"]).as_deref() {
            Some("ADD") => true,
            Some("REMOVE") => false,
            _ => continue,
        };
        let service = delta.text(&["service"]).unwrap_or_default();
        let log = delta.text(&["logType"]).unwrap_or_default();
        if let Some(member) = delta.text(&["exemptedMember"]) {
            let opened = format!("{member} {service} {log}");
            found.changes.flag(&rows::AUDIT_EXEMPTED, is_added, opened);
            continue;
        }
        let is_of_data =
            DATA_SERVICES.contains(&&*service) && (service == "allServices" || log != "ADMIN_READ");
        if is_of_data {
            found.changes.flag(&rows::AUDIT_CONFIG, !is_added, format!("{service} {log}"));
        }
    }
}

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match call.verb {
        "DeleteSink" => {
            found.changes.weakened(&rows::SINK_DELETED, "sink");
        }
        "CreateSink" => created_sink(call, found),
        "UpdateSink" => updated_sink(call, found),
        "UpdateBucket" | "UpdateBucketAsync" => {
            if let Some(days) = call.request().count(&["bucket", "retentionDays"]) {
                let is_short = days < DEFAULT_RETENTION_DAYS;
                let change = found.changes.flag(&rows::LOG_BUCKET_RETENTION, is_short, "retention");
                change.after = Some(days.to_string().into());
            }
        }
        "DeleteBucket" => {
            found.changes.weakened(&rows::LOG_BUCKET_DELETED, "log_bucket");
        }
        "UndeleteBucket" => {
            found.changes.strengthened(&rows::LOG_BUCKET_DELETED, "log_bucket");
        }
        "CreateExclusion" | "UpdateExclusion" | "DeleteExclusion" => exclusion(call, found),
        _ => {}
    }
}

/// The sink does not exist before: its name stands in the request.
fn created_sink(call: &Call<'_>, found: &mut Found) {
    found.changes.strengthened(&rows::SINK_DELETED, "sink");
    let name = call.request().text(&["sink", "name"]);
    if let Some(name) = name
        && !call.resource.contains("/sinks/")
    {
        let name = format!("{}/sinks/{name}", call.resource);
        found.datastore = Some(datastore::guard("logging.googleapis.com/LogSink", &name));
    }
}

fn updated_sink(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let Some(sink) = request.at(&["sink"]) else { return };
    let row = &rows::SINK_WEAKENED;
    found.changes.value(row, sink, &["disabled"], &["true"], "disabled");
    if let Some(filter) = sink.text(&["filter"]) {
        let change = found.changes.flag(row, drops_audit_logs(&filter), "filter");
        change.after = Some(filter.into_owned().into());
    }
    for exclusion in sink.list(&["exclusions"]) {
        let filter = exclusion.text(&["filter"]).unwrap_or_default();
        let name = exclusion.text(&["name"]).unwrap_or_default();
        if names_data(&filter) {
            let is_on = exclusion.flag(&["disabled"]) != Some(true);
            found.changes.flag(row, is_on, format!("exclusion {name}"));
        }
    }
    if let Some(destination) = sink.text(&["destination"]) {
        let change = found.changes.push(row, Direction::Unknown, "destination");
        change.after = Some(destination.into_owned().into());
    }
}

/// Whether a filter takes audit logs out: `NOT`, `-` or `!=` before their name.
fn drops_audit_logs(filter: &str) -> bool {
    let Some(at) = filter.find("cloudaudit.googleapis.com") else { return false };
    let before = filter[..at].to_ascii_lowercase();
    let clause = before.rsplit([')', '\n']).next().unwrap_or_default();
    let clause = clause.rsplit(" and ").next().unwrap_or_default().trim_start();
    clause.starts_with('-') || clause.starts_with("not ") || clause.contains("!=")
}

/// Whether what a filter names are audit logs or logs of datastores.
fn names_data(filter: &str) -> bool {
    const NAMES: [&str; 9] = [
        "cloudaudit.googleapis.com",
        "data_access",
        "gcs_bucket",
        "bigquery",
        "cloudsql_database",
        "spanner_instance",
        "datastore_database",
        "storage.googleapis.com",
        "cloudsql.googleapis.com",
    ];
    NAMES.iter().any(|name| filter.contains(name))
}

fn exclusion(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let name = match request.text(&["exclusion", "name"]) {
        Some(name) if call.verb == "CreateExclusion" => name.into_owned(),
        _ => call.name().to_owned(),
    };
    let opened = format!("exclusion {name}");
    let (owner, _) = call.resource.split_once("/exclusions/").unwrap_or((call.resource, ""));
    found.datastore = Some(datastore::guard("logging.googleapis.com/Project", owner));
    if call.verb == "DeleteExclusion" {
        found.changes.strengthened(&rows::LOG_EXCLUSION, opened);
        return;
    }
    let is_disabled = request.flag(&["exclusion", "disabled"]) == Some(true);
    let filter = request.text(&["exclusion", "filter"]);
    let is_weak = !is_disabled && filter.as_deref().is_some_and(names_data);
    if is_weak || is_disabled || (call.verb == "UpdateExclusion" && filter.is_some()) {
        let change = found.changes.flag(&rows::LOG_EXCLUSION, is_weak, opened);
        change.after = filter.map(|filter| filter.into_owned().into());
    }
}
