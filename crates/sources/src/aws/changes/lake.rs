//! Data lakes, their queries and their backups.

use dataward_event::change::Direction::{self, Strengthened, Unknown, Weakened};
use serde_json::Value;

use super::document::{at, bool_at, items, text_at, texts};
use super::policy::account_of;
use super::{Call, Found, foreign_account};
use crate::catalogue_rows as rows;

/// Names under which Lake Formation knows everybody: who is let in is then left to IAM alone.
const EVERYBODY: [&str; 3] = ["IAM_ALLOWED_PRINCIPALS", "EVERYONE", "*"];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("athena", "UpdateWorkGroup") => result_encryption(call, found),
        ("lakeformation", _) => lake_formation(call, found),
        // A service that removes a copy does so because its time has come.
        ("backup", "DeleteRecoveryPoint") if call.identity != Some("AWSService") => {
            found.changes.weakened(&rows::BACKUP_POINT_DELETED, "recovery_point");
        }
        ("dynamodb", "UpdateTable") => table_key(call, found),
        (
            "dynamodb",
            "EnableKinesisStreamingDestination" | "DisableKinesisStreamingDestination",
        ) => {
            table_stream(call, found);
        }
        _ => {}
    }
}

fn result_encryption(call: &Call<'_>, found: &mut Found) {
    let path = ["configurationUpdates", "resultConfigurationUpdates"];
    let Some(updates) = at(call.request(), &path) else { return };
    if bool_at(updates, &["removeEncryptionConfiguration"]) == Some(true) {
        found.changes.weakened(&rows::ATHENA_WORKGROUP, "result_encryption");
    } else if updates.get("encryptionConfiguration").is_some_and(Value::is_object) {
        found.changes.strengthened(&rows::ATHENA_WORKGROUP, "result_encryption");
    }
}

/// The key of a table: none of its own, or one of another account.
fn table_key(call: &Call<'_>, found: &mut Found) {
    let Some(encryption) = at(call.request(), &["sSESpecification"]) else { return };
    let is_off = bool_at(encryption, &["enabled"]) == Some(false);
    let key = text_at(encryption, &["kMSMasterKeyId"]).unwrap_or_default();
    let owner = foreign_account(account_of(&key), call.account);
    let opened = match owner {
        _ if is_off => Some("no own key".to_owned()),
        Some(account) => Some(format!("key of account {account}")),
        None => None,
    };
    found.changes.whole(&rows::DYNAMODB_ENCRYPTION, opened);
}

/// A stream of another account gets every change of the table from now on.
fn table_stream(call: &Call<'_>, found: &mut Found) {
    let stream = text_at(call.request(), &["streamArn"]).unwrap_or_default();
    if foreign_account(account_of(&stream), call.account).is_some() {
        let is_weak = call.operation == "EnableKinesisStreamingDestination";
        found.changes.flag(&rows::DYNAMODB_STREAM_FOREIGN, is_weak, format!("stream {stream}"));
    }
}

/// Lake Formation's permissions are the catalogue's, which is the account's in a region.
fn lake_formation(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    match call.operation {
        "GrantPermissions" => permission(call, request, Weakened, found),
        "RevokePermissions" => permission(call, request, Strengthened, found),
        "BatchGrantPermissions" | "BatchRevokePermissions" => {
            let is_grant = call.operation == "BatchGrantPermissions";
            let direction = if is_grant { Weakened } else { Strengthened };
            for entry in items(request.get("entries")) {
                permission(call, entry, direction, found);
            }
        }
        "PutDataLakeSettings" => settings(request, found),
        "DeleteDataCellsFilter" => {
            let opened = filter_name(request);
            found.changes.weakened(&rows::LAKE_FILTER, opened);
        }
        "CreateDataCellsFilter" | "UpdateDataCellsFilter" => {
            let Some(data) = request.get("tableData") else { return };
            let shows_all = at(data, &["rowFilter", "allRowsWildcard"]).is_some();
            let direction = match (call.operation, shows_all) {
                ("CreateDataCellsFilter", _) => Strengthened,
                (_, true) => Unknown,
                _ => return,
            };
            found.changes.push(&rows::LAKE_FILTER, direction, filter_name(data));
        }
        "DeregisterResource" | "RegisterResource" => {
            let location = text_at(request, &["resourceArn"]).unwrap_or_default();
            let is_weak = call.operation == "DeregisterResource";
            found.changes.flag(&rows::LAKE_LOCATION, is_weak, format!("location {location}"));
        }
        _ => {}
    }
    if !found.changes.is_empty() {
        found.of_account(call, true);
    }
}

fn filter_name(data: &Value) -> String {
    let part = |key: &str| text_at(data, &[key]).unwrap_or_default();
    format!("filter {}.{}.{}", part("databaseName"), part("tableName"), part("name"))
}

fn permission(call: &Call<'_>, entry: &Value, direction: Direction, found: &mut Found) {
    let path = ["principal", "dataLakePrincipalIdentifier"];
    let Some(principal) = text_at(entry, &path) else { return };
    let place = entry.get("resource").map(resource_name).unwrap_or_default();
    if EVERYBODY.contains(&principal.as_str()) {
        let opened = format!("principal {principal} on {place}");
        found.changes.push(&rows::LAKE_EVERYBODY, direction, opened);
        return;
    }
    let reads = texts(entry.get("permissions"))
        .iter()
        .any(|permission| matches!(permission.as_str(), "SELECT" | "ALL" | "SUPER_USER"));
    if !reads {
        return;
    }
    if let Some(account) = foreign_account(account_of(&principal), call.account) {
        let opened = format!("account {account} on {place}");
        found.changes.push(&rows::LAKE_FOREIGN, direction, opened);
    } else if principal.contains(":organizations:") {
        // It may be our own organisation, which the event does not tell.
        let direction = if direction == Weakened { Unknown } else { direction };
        found.changes.push(&rows::LAKE_FOREIGN, direction, format!("{principal} on {place}"));
    }
}

/// `table shop.orders`, `database shop`, `location arn:…`.
fn resource_name(resource: &Value) -> String {
    let part = |path: &[&str]| text_at(resource, path).unwrap_or_default();
    for kind in ["table", "tableWithColumns"] {
        if let Some(table) = resource.get(kind).filter(|table| table.is_object()) {
            let name = text_at(table, &["name"]).unwrap_or_else(|| "*".to_owned());
            return format!("table {}.{name}", part(&[kind, "databaseName"]));
        }
    }
    if resource.get("database").is_some() {
        return format!("database {}", part(&["database", "name"]));
    }
    if resource.get("dataLocation").is_some() {
        return format!("location {}", part(&["dataLocation", "resourceArn"]));
    }
    "catalog".to_owned()
}

/// The settings are replaced as a whole.
fn settings(request: &Value, found: &mut Found) {
    let Some(settings) = request.get("dataLakeSettings").filter(|value| value.is_object()) else {
        found.changes.whole_unknown(&rows::LAKE_SETTINGS);
        return;
    };
    let mut open = Vec::new();
    for key in ["createDatabaseDefaultPermissions", "createTableDefaultPermissions"] {
        let is_given = |entry: &&Value| {
            text_at(entry, &["principal", "dataLakePrincipalIdentifier"])
                .is_some_and(|principal| EVERYBODY.contains(&principal.as_str()))
                && !items(entry.get("permissions")).is_empty()
        };
        if items(settings.get(key)).iter().any(is_given) {
            open.push(key.to_owned());
        }
    }
    for key in ["allowExternalDataFiltering", "allowFullTableExternalDataAccess"] {
        if bool_at(settings, &[key]) == Some(true) {
            open.push(key.to_owned());
        }
    }
    found.changes.whole(&rows::LAKE_SETTINGS, open);
}
