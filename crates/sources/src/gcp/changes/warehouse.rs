//! BigQuery, Cloud SQL, AlloyDB, Spanner, Memorystore, Firestore.

use std::borrow::Cow;

use dataward_event::change::Direction;

use super::super::datastore;
use super::{Call, Found, statements};
use crate::catalogue_rows::{EmittedRow, gcp as rows};
use crate::changes::Changes;
use crate::network::{Breadth, breadth, world_name};
use crate::node::Node;

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.verb) {
        ("bigquery", _) => bigquery(call, found),
        ("bigquerydatapolicy", "DeleteDataPolicy" | "CreateDataPolicy") => data_policy(call, found),
        ("bigquerydatapolicy", "UpdateDataPolicy") => {
            let path = ["dataPolicy", "dataMaskingPolicy", "predefinedExpression"];
            if let Some(expression) = call.request().text(&path) {
                // Which expression hides more depends on the one before.
                let opened = format!("dataPolicy {}", call.name());
                let row = &rows::BIGQUERY_MASK;
                found.changes.push(row, Direction::Unknown, opened).after =
                    Some(expression.into_owned().into());
            }
        }
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
            // What is false is left out of the body; that it was meant says the mask.
            let is_meant = request.any_text(&["updateMask"]).is_some_and(|mask| {
                mask.split(',').any(|field| matches!(field.trim(), "auth_enabled" | "authEnabled"))
            });
            if is_meant && !request.has(&path) {
                found.changes.weakened(&rows::REDIS_AUTH, "authEnabled");
            }
        }
        ("redis", "CreateInstance") => new_cache(call, found),
        ("alloydb", "UpdateInstance" | "CreateInstance") => alloydb(call, found),
        ("spanner", "UpdateDatabase") => {
            let (request, path) = (call.request(), ["database", "enableDropProtection"]);
            let weak = ["false"];
            found.changes.value(&rows::SPANNER_DROP, &request, &path, &weak, "dropProtection");
        }
        ("datacatalog", "DeletePolicyTag") => {
            found.changes.weakened(&rows::POLICY_TAG, "policy_tag");
            let tag = datastore::guard("datacatalog.googleapis.com/PolicyTag", call.resource);
            found.datastore = Some(tag);
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
    if let Some(statement) = call.statement {
        statements::read(call, statement, found);
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
    let mut set = Changes::default();
    let path = ["ipConfiguration", "ipv4Enabled"];
    set.value(&rows::CLOUDSQL_PUBLIC_IP, settings, &path, &["true"], "ipv4Enabled");
    let mode = ["ipConfiguration", "sslMode"];
    if settings.has(&mode) {
        let weak = ["ALLOW_UNENCRYPTED_AND_ENCRYPTED"];
        set.value(&rows::CLOUDSQL_TLS, settings, &mode, &weak, "unencrypted");
    } else {
        let path = ["ipConfiguration", "requireSsl"];
        set.value(&rows::CLOUDSQL_TLS, settings, &path, &["false"], "unencrypted");
    }
    let path = ["passwordValidationPolicy", "enablePasswordPolicy"];
    set.value(&rows::CLOUDSQL_AUTH_FLAGS, settings, &path, &["false"], "passwordPolicy");
    if is_update {
        recovery(body, settings, &mut set);
        found.changes.append(set);
        flags(body, settings, &mut found.changes);
    } else {
        named_flags(settings, &mut set);
        found.changes.append_weakened(set);
    }
}

fn recovery(body: &Node<'_>, settings: &Node<'_>, changes: &mut Changes) {
    // Replicas keep no backups.
    if body.text(&["instanceType"]).as_deref() == Some("READ_REPLICA_INSTANCE") {
        return;
    }
    let row = &rows::CLOUDSQL_RECOVERY;
    changes.value(row, settings, &["backupConfiguration", "enabled"], &["false"], "backups");
    let path = ["backupConfiguration", "pointInTimeRecoveryEnabled"];
    changes.value(row, settings, &path, &["false"], "pointInTimeRecovery");
    let path = ["deletionProtectionEnabled"];
    changes.value(row, settings, &path, &["false"], "deletionProtection");
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
    ("cloudsql.iam_authentication", &["off"], &rows::CLOUDSQL_AUTH_FLAGS),
    ("cloudsql_iam_authentication", &["off"], &rows::CLOUDSQL_AUTH_FLAGS),
];

fn named_flags(settings: &Node<'_>, changes: &mut Changes) {
    for flag in settings.list(&["databaseFlags"]) {
        let name = flag.text(&["name"]).unwrap_or_default();
        if let Some((name, weak, row)) = FLAGS.iter().find(|(known, _, _)| *known == name) {
            changes.value(row, flag, &["value"], weak, *name);
        }
    }
}

fn flags(body: &Node<'_>, settings: &Node<'_>, changes: &mut Changes) {
    if !settings.has(&["databaseFlags"]) {
        return;
    }
    named_flags(settings, changes);
    let flags = settings.list(&["databaseFlags"]);
    // The list replaces the old one: what it does not name is back at its default, which does not audit.
    let pgaudit = FLAGS[0].0;
    let is_named = flags.iter().any(|flag| flag.text(&["name"]).as_deref() == Some(pgaudit));
    let version = body.text(&["databaseVersion"]).unwrap_or_default();
    if !is_named && (flags.is_empty() || version.starts_with("POSTGRES")) {
        changes.push(&rows::CLOUDSQL_AUDIT_FLAGS, Direction::Unknown, pgaudit);
    }
}

/// A new cache asks nobody for anything unless it is told to.
fn new_cache(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let Some(instance) = request.at(&["instance"]) else { return };
    if instance.flag(&["authEnabled"]) != Some(true) {
        found.changes.weakened(&rows::REDIS_AUTH, "authEnabled");
    }
    if let Some(id) = request.text(&["instanceId"])
        && !call.resource.contains("/instances/")
    {
        let name = format!("{}/instances/{id}", call.resource);
        let named = datastore::named(call.service, &Cow::Owned(name), call.project);
        found.datastore = named.map(|named| named.datastore);
    }
}

/// Instances of AlloyDB: a part that is named states all of itself.
fn alloydb(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let Some(instance) = request.at(&["instance"]) else { return };
    let name = match request.text(&["instanceId"]) {
        Some(id) if call.verb == "CreateInstance" => id.into_owned(),
        _ => call.name().to_owned(),
    };
    let mut set = Changes::default();
    let path = ["networkConfig", "enablePublicIp"];
    set.value(&rows::ALLOYDB_PUBLIC, instance, &path, &["true"], format!("{name} public IP"));
    let path = ["networkConfig", "authorizedExternalNetworks"];
    if instance.has(&path) {
        let is_open = instance.list(&path).iter().any(|network| {
            let range = network.text(&["cidrRange"]);
            range.is_some_and(|range| breadth(&range) == Some(Breadth::World))
        });
        set.flag(&rows::ALLOYDB_PUBLIC, is_open, format!("{name} 0.0.0.0/0"));
    }
    let path = ["clientConnectionConfig", "sslConfig", "sslMode"];
    let weak = ["ALLOW_UNENCRYPTED_AND_ENCRYPTED"];
    set.value(&rows::ALLOYDB_TLS, instance, &path, &weak, format!("{name} unencrypted"));
    if call.verb == "CreateInstance" {
        found.changes.append_weakened(set);
    } else {
        found.changes.append(set);
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
            // Only MySQL has hosts, and to it none is any; `root` is the name of nobody else's administrator.
            let host = if host.is_empty() && name == "root" { "%".into() } else { host };
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
            let request = call.request();
            let body = request.at(&["body"]).unwrap_or(&request);
            let checks = ["enableFailedAttemptsCheck", "enablePasswordVerification"];
            let is_off =
                checks.iter().any(|check| body.flag(&["passwordPolicy", check]) == Some(false));
            let direction = if is_off { Direction::Weakened } else { Direction::Unknown };
            found.changes.push(&rows::CLOUDSQL_USER_UPDATED, direction, "user");
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
