//! Azure SQL, and the parameters of PostgreSQL and MySQL.

use std::borrow::Cow;

use super::Call;
use crate::catalogue_rows::{EmittedRow, azure as rows};
use crate::changes::Changes;

/// The group that records what was executed.
const BATCHES: &str = "BATCH_COMPLETED_GROUP";

pub(super) fn read(call: &Call<'_>, changes: &mut Changes) {
    let Some(operation) = call.operation.strip_prefix("MICROSOFT.SQL/SERVERS/") else {
        parameters(call, changes);
        return;
    };
    let request = &call.request;
    let database = call.resource.after("databases").unwrap_or_default();
    let of_database = format!("database {database}");
    match operation {
        "AUDITINGSETTINGS/WRITE" | "EXTENDEDAUDITINGSETTINGS/WRITE" => {
            auditing(call, changes, &rows::SQL_AUDITING, "auditing");
        }
        "DATABASES/EXTENDEDAUDITINGSETTINGS/WRITE" => {
            auditing(call, changes, &rows::SQL_AUDITING, &of_database);
        }
        "DATABASES/AUDITINGSETTINGS/WRITE" => {
            auditing(call, changes, &rows::SQL_DATABASE_AUDITING, &of_database);
        }
        "DATABASES/TRANSPARENTDATAENCRYPTION/WRITE" if database != "master" => {
            let path: &[&str] = if request.has(&["properties", "state"]) {
                &["properties", "state"]
            } else {
                &["properties", "status"]
            };
            changes.value(&rows::SQL_TDE, request, path, &["Disabled"], of_database);
        }
        "SECURITYALERTPOLICIES/WRITE" => alerts(call, changes, "server"),
        "DATABASES/SECURITYALERTPOLICIES/WRITE" => alerts(call, changes, &of_database),
        "AZUREADONLYAUTHENTICATIONS/WRITE" => {
            let path = ["properties", "azureADOnlyAuthentication"];
            changes.value(&rows::SQL_ENTRA_ONLY, request, &path, &["false"], "passwords");
        }
        "AZUREADONLYAUTHENTICATIONS/DELETE" if call.is_told() => {
            changes.weakened(&rows::SQL_ENTRA_ONLY, "passwords");
        }
        "ADMINISTRATORS/WRITE" => {
            if let Some(sid) = request.text(&["properties", "sid"]) {
                let change = changes.weakened(&rows::SQL_ADMINISTRATOR, "administrator");
                let login = request.text(&["properties", "login"]).unwrap_or_default();
                change.after = Some(Cow::Owned(format!("{login} {sid}")));
            }
        }
        "ADMINISTRATORS/DELETE" if call.is_told() => {
            changes.strengthened(&rows::SQL_ADMINISTRATOR, "administrator");
        }
        "DATABASES/DATAMASKINGPOLICIES/WRITE" | "DATABASES/DATAMASKINGPOLICIES/RULES/WRITE" => {
            masking(call, changes, &of_database);
        }
        "DATABASES/BACKUPLONGTERMRETENTIONPOLICIES/WRITE" => {
            let keys = ["weeklyRetention", "monthlyRetention", "yearlyRetention"];
            let values: Vec<_> =
                keys.iter().filter_map(|key| request.text(&["properties", key])).collect();
            if !values.is_empty() {
                let is_none = values.iter().all(|value| value == "PT0S" || value == "P0D");
                changes.flag(&rows::SQL_LONG_RETENTION, is_none, of_database);
            }
        }
        _ => {}
    }
}

/// Masking of a whole database with those who are exempt from it, or one rule of it.
fn masking(call: &Call<'_>, changes: &mut Changes, of_database: &str) {
    let row = &rows::SQL_MASKING;
    let request = &call.request;
    if call.operation.ends_with("/RULES/WRITE") {
        let opened = format!("{of_database} rule {}", call.resource.name());
        changes.value(row, request, &["properties", "ruleState"], &["Disabled"], opened);
        return;
    }
    let path = ["properties", "dataMaskingState"];
    changes.value(row, request, &path, &["Disabled"], of_database.to_owned());
    if let Some(exempt) = request.any_text(&["properties", "exemptPrincipals"]) {
        let opened = format!("{of_database} exempt");
        let change = changes.flag(row, !exempt.is_empty(), opened);
        change.after = Some(Cow::Owned(exempt.into_owned()));
    }
}

/// The state, the groups that are recorded, and a predicate that leaves statements out.
fn auditing(call: &Call<'_>, changes: &mut Changes, row: &EmittedRow, opened: &str) {
    let Some(properties) = call.request.at(&["properties"]) else { return };
    changes.value(row, properties, &["state"], &["Disabled"], opened.to_owned());
    let has_groups = !properties.list(&["auditActionsAndGroups"]).is_empty();
    if has_groups {
        let has_batches = properties.texts(&["auditActionsAndGroups"]).any(|g| g == BATCHES);
        changes.flag(row, !has_batches, format!("{opened} batches"));
    }
    if let Some(predicate) = properties.any_text(&["predicateExpression"]) {
        let change = changes.flag(row, !predicate.is_empty(), format!("{opened} predicate"));
        change.after = Some(Cow::Owned(predicate.into_owned()));
    }
}

fn alerts(call: &Call<'_>, changes: &mut Changes, opened: &str) {
    let Some(properties) = call.request.at(&["properties"]) else { return };
    changes.value(&rows::SQL_ALERTS, properties, &["state"], &["Disabled"], opened.to_owned());
    if properties.has(&["disabledAlerts"]) {
        // An empty text in the list is how the portal writes an empty list.
        let has_any = properties.texts(&["disabledAlerts"]).next().is_some();
        changes.flag(&rows::SQL_ALERTS, has_any, format!("{opened} disabledAlerts"));
    }
}

/// Parameters that record or protect, and the values that weaken.
#[rustfmt::skip]
const PARAMETERS: &[(&str, &[&str], &EmittedRow)] = &[
    ("require_secure_transport", &["off"], &rows::SERVER_TLS),
    ("ssl_min_protocol_version", &["TLSv1", "TLSv1.1"], &rows::SERVER_TLS),
    ("pgaudit.log", &["none"], &rows::SERVER_AUDIT),
    ("log_connections", &["off"], &rows::SERVER_AUDIT),
    ("log_disconnections", &["off"], &rows::SERVER_AUDIT),
    ("log_checkpoints", &["off"], &rows::SERVER_AUDIT),
    ("connection_throttle.enable", &["off"], &rows::SERVER_AUDIT),
    ("audit_log_enabled", &["off"], &rows::SERVER_AUDIT),
    ("audit_log_events", &["", "none"], &rows::SERVER_AUDIT),
];

fn parameters(call: &Call<'_>, changes: &mut Changes) {
    let is_configuration = call.operation.ends_with("SERVERS/CONFIGURATIONS/WRITE");
    let name = call.resource.name();
    if !is_configuration {
        return;
    }
    let parameter = PARAMETERS.iter().find(|(known, _, _)| *known == name);
    if let Some((name, weak, row)) = parameter {
        changes.value(row, &call.request, &["properties", "value"], weak, *name);
    }
    let Some(value) = call.request.any_text(&["properties", "value"]) else { return };
    let items = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
    let (row, is_weak) = match name {
        // The user of the service itself is left out from the beginning.
        "audit_log_exclude_users" => {
            (&rows::SERVER_AUDIT, items().any(|user| user != "azure_superuser"))
        }
        "tls_version" => (&rows::SERVER_TLS, items().any(|it| matches!(it, "TLSv1" | "TLSv1.1"))),
        _ => return,
    };
    let name = name.to_owned();
    changes.flag(row, is_weak, name).after = Some(Cow::Owned(value.into_owned()));
}
