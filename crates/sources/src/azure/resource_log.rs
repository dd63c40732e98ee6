//! Resource logs: Storage, Key Vault, Cosmos DB, audit of Azure SQL.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Outcome, Text};
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount};

use super::actor;
use super::record::{Properties, Record};
use crate::act::Act;
use crate::changes::{Changes, PlaceOf};
use crate::lenient::bounded_statement;

/// The categories that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Storage,
    KeyVault,
    Cosmos,
    Sql,
}

impl Category {
    pub(super) fn parse(category: &str) -> Option<Self> {
        Some(match category {
            "StorageRead" | "StorageWrite" | "StorageDelete" => Self::Storage,
            "AuditEvent" => Self::KeyVault,
            "DataPlaneRequests" | "MongoRequests" | "CassandraRequests" | "GremlinRequests"
            | "TableApiRequests" => Self::Cosmos,
            "SQLSecurityAuditEvents" | "DevOpsOperationsAudit" => Self::Sql,
            _ => return None,
        })
    }
}

/// Whether a status says that it worked; the texts of some products are no numbers.
fn outcome(status: Option<&str>) -> Outcome {
    match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(code) if code >= 400 => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    }
}

pub(super) fn fill<'a>(
    category: Category,
    event: &mut AuditEvent<'a>,
    record: &Record<'a>,
    properties: Properties<'a>,
) {
    match category {
        Category::Storage => storage(event, record, properties),
        Category::KeyVault => key_vault(event, record, properties),
        Category::Cosmos => cosmos(event, record, properties),
        Category::Sql => sql(event, properties),
    }
    if event.outcome == Outcome::Failure {
        event.volume = Default::default();
    }
}

/// Writes whose request holds the data.
const SENDING: [&str; 6] =
    ["PutBlob", "PutBlock", "PutPage", "PutRange", "AppendBlock", "AppendFile"];

fn storage<'a>(event: &mut AuditEvent<'a>, record: &Record<'a>, properties: Properties<'a>) {
    event.outcome = outcome(record.status_code.as_str());
    if event.outcome == Outcome::Failure {
        event.error_code = record.status_text.clone().text();
    }
    event.actor = actor::of_storage(record);
    let address = record.caller_address.clone().text();
    event.client = actor::client(address, properties.user_agent.clone().text());
    event.request_uid = record.correlation.clone().text();
    event.correlation_uid = None;
    let act = storage_act(&event.operation);
    act.put(event);
    if act == Act::API_READ {
        return;
    }
    event.objects.extend(properties.object_key.text().map(without_account));
    let source = properties.source_uri.text().map(without_query);
    if let Some(source) = source {
        copied(event, &source);
        event.objects.push(source);
    }
    match act {
        Act::READ | Act::QUERY | Act::LIST => {
            event.volume.bytes = properties.response_size.as_count().map(ByteCount);
        }
        // Others send no data, or say where it is.
        Act::WRITE if SENDING.contains(&&*event.operation) => {
            event.volume.bytes = properties.request_size.as_count().map(ByteCount);
        }
        _ => {}
    }
    let is_one = matches!(&*event.operation, "GetBlob" | "GetFile" | "ReadFile" | "GetEntity");
    event.volume.objects = is_one.then_some(ObjectCount(1));
}

/// What is copied from another account, which its address names by the account's host.
fn copied(event: &mut AuditEvent<'_>, source: &str) {
    let Some(host) = source.split_once("://").and_then(|(_, rest)| rest.split('/').next()) else {
        return;
    };
    let account = host.split('.').next().unwrap_or_default();
    let own = event.datastore.as_ref().and_then(|datastore| datastore.name.as_deref());
    let is_other = own.is_some_and(|own| !own.eq_ignore_ascii_case(account));
    if is_other && !account.is_empty() {
        let mut changes = Changes::default();
        let place = PlaceOf { provider: Some("Azure"), ..PlaceOf::default() };
        changes.copy_from(format!("https://{}", host.to_ascii_lowercase()), place);
        event.changes.extend(changes.into_vec());
    }
}

/// `orders/a.csv` of `/account/orders/a.csv`.
fn without_account(key: Text<'_>) -> Text<'_> {
    let Some((_, rest)) = key.trim_start_matches('/').split_once('/') else { return key };
    let start = key.len() - rest.len();
    match key {
        Cow::Borrowed(key) => Cow::Borrowed(&key[start..]),
        Cow::Owned(mut key) => Cow::Owned(key.split_off(start)),
    }
}

/// An address without its query, which may hold a signature.
fn without_query(uri: Text<'_>) -> Text<'_> {
    let end = uri.find('?').unwrap_or(uri.len());
    match uri {
        Cow::Borrowed(uri) => Cow::Borrowed(&uri[..end]),
        Cow::Owned(mut uri) => {
            uri.truncate(end);
            Cow::Owned(uri)
        }
    }
}

fn storage_act(operation: &str) -> Act {
    let starts = |words: &[&str]| words.iter().any(|word| operation.starts_with(word));
    match operation {
        "SetContainerACL" | "SetContainerServiceMetadata" => Act::API_UPDATE,
        _ if operation.ends_with("Properties")
            || operation.ends_with("Metadata")
            || operation.ends_with("ACL")
            || operation.ends_with("Tags")
            || operation.ends_with("Stats") =>
        {
            if starts(&["Get"]) {
                Act::API_READ
            } else {
                Act::UPDATE
            }
        }
        _ if starts(&["Query"]) => Act::QUERY,
        _ if starts(&["List", "FilterBlobs", "FindBlobs"]) => Act::LIST,
        _ if starts(&["Get", "Read", "Peek"]) => Act::READ,
        _ if starts(&["Delete", "Clear"]) => Act::DELETE,
        _ if starts(&["Set", "Update", "Merge", "Lease", "Renew", "Change", "Rename"]) => {
            Act::UPDATE
        }
        _ if starts(&[
            "Put",
            "Create",
            "Append",
            "Copy",
            "Insert",
            "Upload",
            "Write",
            "Undelete",
            "Flush",
            "Incremental",
            "Restore",
        ]) =>
        {
            Act::WRITE
        }
        _ => Act::OTHER,
    }
}

fn key_vault<'a>(event: &mut AuditEvent<'a>, record: &Record<'a>, properties: Properties<'a>) {
    event.outcome = match outcome(properties.http_status.as_str()) {
        Outcome::Unknown => super::activity_outcome(record.result.as_str()),
        known => known,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = record.signature.clone().text();
        event.error_message = record.description.clone().text();
    }
    event.actor = actor::of_claims(record);
    let address = record.caller_address.clone().text();
    event.client = actor::client(address, properties.client_info.text());
    let operation = &*event.operation;
    let ends = |word: &str| operation.ends_with(word);
    let act = match operation {
        "Authentication" => Act::LOGON,
        "VaultGet" | "VaultList" => Act::API_READ,
        _ if operation.starts_with("Vault") => Act::API_UPDATE,
        _ if operation.contains("List") => Act::LIST,
        _ if ends("Get") || ends("Backup") || ends("Release") => Act::READ,
        _ if ends("Decrypt") || ends("Unwrap") => Act::DECRYPT,
        _ if ends("Delete") || ends("Purge") => Act::DELETE,
        _ if ends("Update") || ends("Rotate") => Act::UPDATE,
        _ if ends("Set") || ends("Create") || ends("Import") || ends("Restore") => Act::WRITE,
        _ if ends("Recover") => Act::WRITE,
        _ => Act::OTHER,
    };
    if ends("Backup") {
        event.read_scope = Some(ReadScope::Export);
    }
    if act == Act::READ {
        event.volume.objects = Some(ObjectCount(1));
    }
    act.put(event);
    event.objects.extend(properties.id.text().and_then(inside_vault));
}

/// `secrets/orders/3` of `https://example.vault.azure.net/secrets/orders/3`.
fn inside_vault(id: Text<'_>) -> Option<Text<'_>> {
    let host = id.find("://").map_or(0, |at| at + 3);
    let start = host + id[host..].find('/')? + 1;
    if start >= id.len() {
        return None;
    }
    Some(match id {
        Cow::Borrowed(id) => Cow::Borrowed(&id[start..]),
        Cow::Owned(mut id) => Cow::Owned(id.split_off(start)),
    })
}

fn cosmos<'a>(event: &mut AuditEvent<'a>, record: &Record<'a>, properties: Properties<'a>) {
    event.outcome = outcome(properties.status_code.as_str());
    if event.outcome == Outcome::Failure {
        event.error_code = properties.status_code.clone().text();
    }
    event.actor = actor::of_cosmos(&properties);
    let address = properties.client_address.clone().text();
    let address = address.or_else(|| record.caller_address.clone().text());
    event.client = actor::client(address, properties.user_agent.clone().text());
    event.request_uid = properties.activity.clone().text();
    let of_documents =
        properties.requested_type.as_str().is_none_or(|kind| kind.contains("Document"));
    let act = match &*event.operation {
        "Query" | "SqlQuery" | "Execute" | "ExecuteJavaScript" | "find" | "aggregate" => Act::QUERY,
        "ReadFeed" => Act::READ,
        "Read" if of_documents => Act::READ,
        "Read" | "Head" | "HeadFeed" => Act::API_READ,
        "Create" | "Upsert" | "Batch" | "insert" => Act::WRITE,
        "Replace" | "Patch" | "Update" | "update" => Act::UPDATE,
        "Delete" | "delete" => Act::DELETE,
        _ => Act::OTHER,
    };
    act.put(event);
    if &*event.operation == "ReadFeed" && of_documents && properties.partition_key.0.is_none() {
        event.read_scope = Some(ReadScope::Whole);
    }
    if matches!(act, Act::QUERY | Act::READ) {
        event.volume.bytes = properties.response_length.as_count().map(ByteCount);
    }
    if act != Act::API_READ {
        event.objects.extend(properties.requested.text());
    }
}

fn sql<'a>(event: &mut AuditEvent<'a>, properties: Properties<'a>) {
    event.actor = actor::of_sql(&properties);
    let host = properties.host.clone().text();
    let application = properties.application.clone().text();
    event.client = actor::client(properties.client_ip.clone().text(), application);
    event.client.endpoint_uid = host;
    event.outcome = match properties.succeeded.as_bool() {
        Some(true) => Outcome::Success,
        Some(false) => Outcome::Failure,
        None => Outcome::Unknown,
    };
    let statement = properties.statement.clone().text();
    let action = properties.action.as_str().unwrap_or_default();
    let act =
        sql_act(properties.action_id.as_str().unwrap_or_default(), action, statement.as_deref());
    act.put(event);
    if let Some(action) = properties.action.clone().text() {
        event.operation = action;
    }
    let upper = statement.as_deref().unwrap_or_default().trim_start().to_ascii_uppercase();
    if upper.starts_with("BACKUP DATABASE") && upper.contains("TO URL") {
        event.read_scope = Some(ReadScope::Export);
    }
    let parts = [&properties.database, &properties.schema, &properties.object];
    let names: Vec<&str> = parts.into_iter().filter_map(|part| part.as_str()).collect();
    if !names.is_empty() {
        event.objects.push(Cow::Owned(names.join(".")));
    }
    if matches!(act, Act::QUERY | Act::READ) {
        event.volume.rows = properties.rows.as_count().map(RowCount);
    }
    event.statement = statement.map(bounded_statement);
}

/// What an action is: of a batch its first word tells.
fn sql_act(action_id: &str, action: &str, statement: Option<&str>) -> Act {
    match action_id.trim() {
        "DBAS" | "DBAF" | "LGIS" | "LGIF" => return Act::LOGON,
        "LGO" | "DBL" => return Act::LOGOFF,
        "SL" => return Act::QUERY,
        _ => {}
    }
    if action.contains("AUTHENTICATION") || action.contains("LOGIN SUCCEEDED") {
        return Act::LOGON;
    }
    let statement = statement.unwrap_or_default().trim_start_matches([' ', '\t', '\r', '\n', '(']);
    let word = statement.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    match word.to_ascii_uppercase().as_str() {
        "INSERT" | "MERGE" | "BULK" => Act::WRITE,
        "UPDATE" => Act::UPDATE,
        "DELETE" | "TRUNCATE" => Act::DELETE,
        "CREATE" => Act::SCHEMA_CREATE,
        "ALTER" => Act::SCHEMA_UPDATE,
        "DROP" => Act::SCHEMA_DELETE,
        "GRANT" => Act::GRANT,
        "REVOKE" | "DENY" => Act::REVOKE,
        "BACKUP" => Act::READ,
        _ => Act::QUERY,
    }
}
