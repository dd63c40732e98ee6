//! BigQuery, Cloud SQL, Memorystore, Firestore.

use dataward_event::change::Direction;

use super::super::datastore;
use super::{Call, Found};
use crate::catalogue_rows::{EmittedRow, gcp as rows};
use crate::network::{Breadth, breadth, world_name};
use crate::node::Node;

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.verb) {
        ("bigquery", _) => bigquery(call, found),
        ("bigquerydatapolicy", "DeleteDataPolicy" | "CreateDataPolicy") => data_policy(call, found),
        ("analyticshub", "CreateListing" | "DeleteListing") => listing(call, found),
        ("cloudsql", "update" | "patch") if call.method.contains("instances.") => {
            instance(call, found, true);
        }
        ("cloudsql", "create" | "insert") if call.method.contains("instances.") => {
            instance(call, found, false);
        }
        ("cloudsql", _) => parts_of_instance(call, found),
        ("redis", "UpdateInstance") => {
            let (request, path) = (call.request(), ["instance", "authEnabled"]);
            found.changes.value(&rows::REDIS_AUTH, &request, &path, &["false"], "authEnabled");
        }
        ("firestore", "UpdateDatabase") => {
            let request = call.request();
            let path = ["database", "deleteProtectionState"];
            let weak = ["DELETE_PROTECTION_DISABLED"];
            let row = &rows::FIRESTORE_RECOVERY;
            found.changes.value(row, &request, &path, &weak, "deleteProtection");
            let path = ["database", "pointInTimeRecoveryEnablement"];
            let weak = ["POINT_IN_TIME_RECOVERY_DISABLED", "DISABLED"];
            found.changes.value(row, &request, &path, &weak, "pointInTimeRecovery");
        }
        _ => {}
    }
}

fn bigquery(call: &Call<'_>, found: &mut Found) {
    let metadata = call.metadata();
    let row = &rows::BIGQUERY_ROW_POLICY;
    let table = call.resource.split_once("/tables/").map_or("", |(_, table)| table);
    if let Some(deletion) = metadata.at(&["rowAccessPolicyDeletion"]) {
        if deletion.flag(&["allRowAccessPoliciesDropped"]) == Some(true) {
            found.changes.weakened(row, format!("{table} all"));
        }
        for policy in policies(deletion) {
            found.changes.weakened(row, format!("{table} {policy}"));
        }
    }
    if let Some(creation) = metadata.at(&["rowAccessPolicyCreation"]) {
        for policy in policies(creation) {
            found.changes.strengthened(row, format!("{table} {policy}"));
        }
        // Any policy hides rows again from whoever it does not name.
        found.changes.strengthened(row, format!("{table} all"));
    }
    let direction = match call.statement_type {
        Some("GRANT") => Direction::Weakened,
        Some("REVOKE") => Direction::Strengthened,
        _ => return,
    };
    let statement = call.statement.unwrap_or_default();
    for everybody in ["allUsers", "allAuthenticatedUsers"] {
        let is_named = statement
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word.eq_ignore_ascii_case(everybody));
        if is_named {
            let role = statement.split('`').nth(1).unwrap_or_default();
            let opened = format!("{everybody} {role}");
            found.changes.push(&rows::BIGQUERY_GRANT, direction, opened.trim_end().to_owned());
        }
    }
}

/// The names of row access policies.
fn policies(node: &Node<'_>) -> Vec<String> {
    let list = node.list(&["rowAccessPolicies"]);
    let single = node.at(&["rowAccessPolicy"]);
    let name = |policy: &Node<'_>| {
        let path: [&[&str]; 2] =
            [&["rowAccessPolicyName"], &["rowAccessPolicyReference", "policyId"]];
        let name = path.iter().find_map(|path| policy.text(path)).or_else(|| policy.scalar())?;
        Some(name.rsplit('/').next().unwrap_or_default().to_owned())
    };
    list.iter().chain(single).filter_map(name).collect()
}

fn data_policy(call: &Call<'_>, found: &mut Found) {
    let is_deleted = call.verb == "DeleteDataPolicy";
    let (place, name) = match call.resource.split_once("/dataPolicies/") {
        Some((place, name)) => (place, Some(name.to_owned())),
        None => {
            let id = call.request().text(&["dataPolicy", "dataPolicyId"]);
            (call.resource, id.map(|id| id.into_owned()))
        }
    };
    let Some(name) = name else { return };
    let opened = format!("dataPolicy {name}");
    found.changes.flag(&rows::BIGQUERY_DATA_POLICY, is_deleted, opened);
    let place = datastore::guard("bigquerydatapolicy.googleapis.com/Location", place);
    found.datastore = Some(place);
}

fn listing(call: &Call<'_>, found: &mut Found) {
    let is_created = call.verb == "CreateListing";
    let name = if is_created {
        call.request().text(&["listingId"]).map(|id| id.into_owned())
    } else {
        Some(call.name().to_owned())
    };
    let opened = format!("listing {}", name.unwrap_or_default());
    let change = found.changes.flag(&rows::ANALYTICS_LISTING, is_created, opened);
    let dataset = call.request().text(&["listing", "bigqueryDataset", "dataset"]);
    change.after = dataset.map(|dataset| dataset.into_owned().into());
}

/// What an instance is set to. At its creation only what is weak counts.
fn instance(call: &Call<'_>, found: &mut Found, is_update: bool) {
    let request = call.request();
    let body = request.at(&["body"]).or_else(|| request.at(&["resource"])).unwrap_or(&request);
    let Some(settings) = body.at(&["settings"]) else { return };
    networks(settings, found);
    if !is_update {
        return;
    }
    let changes = &mut found.changes;
    let path = ["ipConfiguration", "ipv4Enabled"];
    changes.value(&rows::CLOUDSQL_PUBLIC_IP, settings, &path, &["true"], "ipv4Enabled");
    let mode = ["ipConfiguration", "sslMode"];
    if settings.has(&mode) {
        let weak = ["ALLOW_UNENCRYPTED_AND_ENCRYPTED"];
        changes.value(&rows::CLOUDSQL_TLS, settings, &mode, &weak, "unencrypted");
    } else {
        let path = ["ipConfiguration", "requireSsl"];
        changes.value(&rows::CLOUDSQL_TLS, settings, &path, &["false"], "unencrypted");
    }
    let row = &rows::CLOUDSQL_RECOVERY;
    changes.value(row, settings, &["backupConfiguration", "enabled"], &["false"], "backups");
    let path = ["backupConfiguration", "pointInTimeRecoveryEnabled"];
    changes.value(row, settings, &path, &["false"], "pointInTimeRecovery");
    let path = ["deletionProtectionEnabled"];
    changes.value(row, settings, &path, &["false"], "deletionProtection");
    flags(body, settings, found);
}

fn networks(settings: &Node<'_>, found: &mut Found) {
    let path = ["ipConfiguration", "authorizedNetworks"];
    if !settings.has(&path) {
        return;
    }
    let opened = settings.list(&path).iter().filter_map(|network| {
        let value = network.text(&["value"])?;
        let row: &'static EmittedRow = match breadth(&value)? {
            Breadth::World => &rows::CLOUDSQL_WORLD,
            Breadth::Wide => &rows::CLOUDSQL_WIDE,
            Breadth::Narrow => return None,
        };
        Some((row, world_name(&value).to_owned()))
    });
    found.changes.whole_of(&rows::CLOUDSQL_WORLD, opened);
}

/// Flags of the database, and the values that weaken.
#[rustfmt::skip]
const FLAGS: &[(&str, &[&str], &EmittedRow)] = &[
    ("cloudsql.enable_pgaudit", &["off"], &rows::CLOUDSQL_AUDIT_FLAGS),
    ("pgaudit.log", &["none"], &rows::CLOUDSQL_AUDIT_FLAGS),
    ("log_connections", &["off"], &rows::CLOUDSQL_AUDIT_FLAGS),
    ("log_disconnections", &["off"], &rows::CLOUDSQL_AUDIT_FLAGS),
    ("cloudsql_mysql_audit", &["off"], &rows::CLOUDSQL_AUDIT_FLAGS),
    ("local_infile", &["on"], &rows::CLOUDSQL_AUTH_FLAGS),
    ("cross db ownership chaining", &["on"], &rows::CLOUDSQL_AUTH_FLAGS),
    ("contained database authentication", &["on"], &rows::CLOUDSQL_AUTH_FLAGS),
    ("skip_show_database", &["off"], &rows::CLOUDSQL_AUTH_FLAGS),
];

fn flags(body: &Node<'_>, settings: &Node<'_>, found: &mut Found) {
    if !settings.has(&["databaseFlags"]) {
        return;
    }
    let flags = settings.list(&["databaseFlags"]);
    for flag in flags {
        let name = flag.text(&["name"]).unwrap_or_default();
        if let Some((name, weak, row)) = FLAGS.iter().find(|(known, _, _)| *known == name) {
            found.changes.value(row, flag, &["value"], weak, *name);
        }
    }
    // The list replaces the old one: what it does not name is back at its default, which does not audit.
    let pgaudit = FLAGS[0].0;
    let is_named = flags.iter().any(|flag| flag.text(&["name"]).as_deref() == Some(pgaudit));
    let version = body.text(&["databaseVersion"]).unwrap_or_default();
    if !is_named && (flags.is_empty() || version.starts_with("POSTGRES")) {
        found.changes.push(&rows::CLOUDSQL_AUDIT_FLAGS, Direction::Unknown, pgaudit);
    }
}

/// Users, certificates and backups of an instance.
fn parts_of_instance(call: &Call<'_>, found: &mut Found) {
    let (_, part) = call.method.split_once('.').unwrap_or(("", call.method));
    match part {
        "users.create" | "users.delete" => {
            let request = call.request();
            let body = request.at(&["body"]).unwrap_or(&request);
            let name = body.text(&["name"]).unwrap_or_default();
            let host = body.any_text(&["host"]).unwrap_or_default();
            let is_built_in = body.text(&["type"]).is_none_or(|kind| kind == "BUILT_IN");
            let is_administrator =
                matches!(&*name, "root" | "admin" | "administrator" | "postgres" | "sqlserver");
            if host == "%" && is_built_in && is_administrator {
                let is_created = part == "users.create";
                let opened = format!("{name}@{host}");
                found.changes.flag(&rows::CLOUDSQL_USER_ANY_HOST, is_created, opened);
            }
        }
        "users.update" => {
            found.changes.push(&rows::CLOUDSQL_USER_UPDATED, Direction::Unknown, "user");
        }
        "sslCerts.delete" => {
            found.changes.push(&rows::CLOUDSQL_CERTIFICATE, Direction::Unknown, "certificate");
        }
        "backupRuns.delete" => {
            found.changes.weakened(&rows::CLOUDSQL_BACKUP_DELETED, "backup");
        }
        "backupRuns.create" => {
            found.changes.strengthened(&rows::CLOUDSQL_BACKUP_DELETED, "backup");
        }
        _ => {}
    }
}
