//! Snowflake: one row of a view of `ACCOUNT_USAGE` to one event.

mod changes;
mod copies;
mod row;

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, Outcome, Text,
};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use dataward_event::volume::{ByteCount, ReadScope, RowCount};

use crate::act::Act;
use crate::container::Fault;
use crate::lenient::{Loose, Object, Unread, bounded_statement, fields};
use crate::source::{Place, Source};
use crate::sql::{self, Dialect, Statement};
use crate::time_text;
use row::Row;

/// Reads one row.
///
/// # Errors
/// The text is malformed, is of none of the views that are read, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: row, is_object } = serde_json::from_str::<Object<Row<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    let is_there = |unread: Unread<'_>| unread.json().is_some_and(|json| json != "\"\"");
    let mut event = if !is_object {
        return Err(Fault::shape("expected a row of a view: an object"));
    } else if row.kind.as_str().is_some() || row.text.as_str().is_some() {
        query(text, place, &row)?
    } else if row.first_factor.as_str().is_some() || row.is_success.as_str().is_some() {
        login(text, place, &row)?
    } else if is_there(row.base_objects)
        || is_there(row.direct_objects)
        || is_there(row.modified_objects)
    {
        access(text, place, &row)?
    } else if row.grantee.as_str().is_some() {
        grant(text, place, &row)?
    } else if row.bytes_transferred.as_str().is_some() {
        transfer(text, place, &row)?
    } else {
        return Err(Fault::shape("a row of none of the views that are read"));
    };
    event.provider = Some(Cow::Borrowed("Snowflake"));
    event.account_uid = row.account.clone().text();
    Ok(event)
}

/// A time as a text, or as a number since the epoch.
fn time(column: &Loose<'_>) -> Option<EventTime> {
    let text = column.as_str()?;
    if let Some(time) = time_text::parse(text) {
        return Some(time);
    }
    match text.parse::<i64>() {
        Ok(number) => Some(time_text::from_epoch(number)),
        Err(_) => time_text::parse_epoch_seconds(text),
    }
}

fn actor<'a>(row: &Row<'a>) -> Actor<'a> {
    let name = row.user.clone().text();
    let user_type = row.user_type.clone().text();
    let kind = match user_type.as_deref() {
        Some("PERSON") => ActorKind::Human,
        Some(kind) if kind.contains("SERVICE") => ActorKind::Service,
        _ if name.as_deref() == Some("SYSTEM") => ActorKind::Service,
        _ if name.as_deref().is_some_and(|name| name.contains('@')) => ActorKind::Human,
        _ => ActorKind::Unknown,
    };
    Actor {
        uid: name.clone(),
        name,
        kind,
        user_type,
        session_uid: row.session.clone().text(),
        issuer: row.role.clone().text(),
        ..Actor::default()
    }
}

/// `snowflake/ORDERS`, or with the account where the row names it.
fn database(row: &Row<'_>, name: &str) -> Datastore<'static> {
    let name = name.to_ascii_uppercase();
    let uid = match row.account.as_str() {
        Some(account) => format!("snowflake/{account}/{name}"),
        None => format!("snowflake/{name}"),
    };
    Datastore {
        uid: Cow::Owned(uid),
        name: Some(Cow::Owned(name)),
        resource_type: Some(Cow::Borrowed("DATABASE")),
        form: DatastoreForm::Database,
    }
}

/// The account, for what stands above every database in it.
fn account(row: &Row<'_>) -> Datastore<'static> {
    let name = row.account.as_str().unwrap_or("account");
    Datastore {
        uid: Cow::Owned(format!("snowflake/account/{name}")),
        name: Some(Cow::Owned(name.to_owned())),
        resource_type: Some(Cow::Borrowed("ACCOUNT")),
        form: DatastoreForm::Guard,
    }
}

/// Whether the text of a statement of a type is worth reading: most tell all by their type.
fn is_read(kind: &str) -> bool {
    !matches!(
        kind,
        "USE"
            | "SHOW"
            | "DESCRIBE"
            | "DESC"
            | "COMMIT"
            | "ROLLBACK"
            | "BEGIN_TRANSACTION"
            | "SET"
            | "ALTER_SESSION"
            | "EXPLAIN"
            | "LIST_FILES"
            | "PUT_FILES"
    )
}

fn query<'a>(text: &str, place: Place<'_>, row: &Row<'a>) -> Result<AuditEvent<'a>, Fault> {
    let kind = row.kind.clone().text();
    let statement_text = row.text.clone().text();
    let statement = statement_text
        .as_deref()
        .filter(|_| is_read(kind.as_deref().unwrap_or_default()))
        .and_then(|text| sql::read(text, Dialect::Snowflake));
    let operation = match (&kind, &statement) {
        (Some(kind), _) if kind != "UNKNOWN" => kind.clone(),
        (_, Some(statement)) => statement.command.clone(),
        _ => Cow::Borrowed("UNKNOWN"),
    };
    let uid = row.query.clone().text();
    let when = time(&row.start).or_else(|| time(&row.end));
    let mut event = place.event(Source::SnowflakeAccountUsage, text, uid, when, operation)?;
    let act = query_act(&event.operation, statement.as_ref());
    act.put(&mut event);
    event.event_code = Some(Cow::Borrowed("QUERY_HISTORY"));
    event.actor = actor(row);
    event.outcome = match row.status.as_str().map(str::to_ascii_uppercase).as_deref() {
        Some("SUCCESS") => Outcome::Success,
        Some(status) if status.starts_with("FAIL") || status == "INCIDENT" => Outcome::Failure,
        _ => Outcome::Unknown,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = row.error_code.clone().text();
        event.error_message = row.error_message.clone().text();
    }
    event.correlation_uid = row.query.clone().text();
    put_objects(&mut event, row, statement.as_ref());
    put_volume(&mut event, row, act);
    if let Some(statement) = &statement {
        let place = changes::Place { database: row.database.as_str(), schema: row.schema.as_str() };
        let text = statement_text.as_deref().unwrap_or_default();
        let found = changes::of(statement, text, place);
        if !found.changes.is_empty() {
            event.datastore = match found.database {
                Some(name) if !name.is_empty() => Some(database(row, &name)),
                Some(_) => event.datastore.take().or_else(|| Some(account(row))),
                None => Some(account(row)),
            };
            if event.kind != dataward_event::audit_event::EventKind::ConfigChange {
                Act::CONFIG.put(&mut event);
            }
        }
        event.changes = found.changes.into_vec();
        copies::put(&mut event, row, statement, text);
    }
    event.statement = statement_text.map(bounded_statement);
    Ok(event)
}

/// What a type of query does; where it is not told, what its statement does.
fn query_act(kind: &str, statement: Option<&Statement>) -> Act {
    match kind {
        "SELECT" | "CALL" | "MULTI_STATEMENT" | "EXECUTE_STREAMLIT" => Act::QUERY,
        "CREATE_TABLE_AS_SELECT" => Act::QUERY,
        "UNLOAD" | "GET_FILES" => Act::READ,
        "COPY" | "PUT_FILES" | "INSERT" | "MULTI_TABLE_INSERT" | "MERGE" => Act::WRITE,
        "UPDATE" => Act::UPDATE,
        "DELETE" | "TRUNCATE_TABLE" | "REMOVE_FILES" => Act::DELETE,
        "LIST_FILES" => Act::LIST,
        "SHOW" | "DESCRIBE" | "DESC" => Act::API_READ,
        "GRANT" => Act::GRANT,
        "REVOKE" => Act::REVOKE,
        "CREATE_USER" => Act::USER_CREATE,
        "ALTER_USER" => Act::USER_UPDATE,
        "DROP_USER" => Act::USER_DELETE,
        "USE" | "SET" | "ALTER_SESSION" | "COMMIT" | "ROLLBACK" | "BEGIN_TRANSACTION"
        | "EXPLAIN" => Act::OTHER,
        _ => match statement {
            Some(statement) => statement.act,
            None if kind.starts_with("CREATE") => Act::SCHEMA_CREATE,
            None if kind.starts_with("ALTER") => Act::SCHEMA_UPDATE,
            None if kind.starts_with("DROP") => Act::SCHEMA_DELETE,
            None => Act::UNKNOWN,
        },
    }
}

/// The tables that a statement names, completed by where the session stood, and where the data went.
fn put_objects(event: &mut AuditEvent<'_>, row: &Row<'_>, statement: Option<&Statement>) {
    let is_export = matches!(&*event.operation, "UNLOAD" | "GET_FILES");
    if let Some(statement) = statement {
        let destination = statement.destination.clone();
        let tables = statement.tables.iter().map(|table| qualified(row, table));
        let things = tables.chain(destination).take(OBJECTS_PER_EVENT_MAX);
        event.objects = things.map(Cow::Owned).collect();
        event.read_scope = statement.scope;
    }
    if is_export {
        event.read_scope = Some(ReadScope::Export);
    }
    let named = event.objects.first().filter(|object| object.split('.').count() == 3);
    let name = named.and_then(|object| object.split('.').next()).map(str::to_owned);
    let name = name.or_else(|| row.database.as_str().map(str::to_owned));
    event.datastore = name.map(|name| database(row, &name));
}

/// `DB.SCHEMA.TABLE`, as ACCESS_HISTORY writes it.
fn qualified(row: &Row<'_>, table: &str) -> String {
    let (database, schema) = (row.database.as_str(), row.schema.as_str());
    let parts = table.split('.').count();
    let name = match (parts, database, schema) {
        (1, Some(database), Some(schema)) => format!("{database}.{schema}.{table}"),
        (2, Some(database), _) => format!("{database}.{table}"),
        _ => table.to_owned(),
    };
    name.to_ascii_uppercase()
}

/// Bytes that were scanned are effort: what left is the result, or what was unloaded.
fn put_volume(event: &mut AuditEvent<'_>, row: &Row<'_>, act: Act) {
    if event.outcome == Outcome::Failure {
        return;
    }
    let first = |columns: [&Loose<'_>; 2]| {
        let counts: Vec<u64> = columns.iter().filter_map(|column| column.as_count()).collect();
        counts.iter().copied().find(|count| *count > 0).or(counts.first().copied())
    };
    match &*event.operation {
        "UNLOAD" => {
            event.volume.rows = first([&row.rows_unloaded, &row.rows_produced]).map(RowCount);
            event.volume.bytes = first([&row.bytes_written, &row.bytes_out]).map(ByteCount);
        }
        "CREATE_TABLE_AS_SELECT" => {
            event.volume.rows = first([&row.rows_inserted, &row.rows_produced]).map(RowCount);
            event.volume.bytes = row.bytes_written.as_count().map(ByteCount);
        }
        "INSERT" | "COPY" | "MERGE" => {
            event.volume.rows = row.rows_inserted.as_count().map(RowCount);
            event.volume.bytes = row.bytes_written.as_count().map(ByteCount);
        }
        _ if act == Act::QUERY => {
            event.volume.rows = row.rows_produced.as_count().map(RowCount);
            event.volume.bytes = row.bytes_to_result.as_count().map(ByteCount);
        }
        _ => {}
    }
}

fn login<'a>(text: &str, place: Place<'_>, row: &Row<'a>) -> Result<AuditEvent<'a>, Fault> {
    let operation = row.event_type.clone().text().unwrap_or(Cow::Borrowed("LOGIN"));
    let uid = row.event.as_str().map(|id| Cow::Owned(format!("login/{id}")));
    let source = Source::SnowflakeAccountUsage;
    let mut event = place.event(source, text, uid, time(&row.event_time), operation)?;
    Act::LOGON.put(&mut event);
    event.event_code = Some(Cow::Borrowed("LOGIN_HISTORY"));
    event.outcome = match row.is_success.as_str().map(str::to_ascii_uppercase).as_deref() {
        Some("YES" | "TRUE" | "1") => Outcome::Success,
        Some(_) => Outcome::Failure,
        None => Outcome::Unknown,
    };
    event.error_code = row.error_code.clone().text();
    event.error_message = row.error_message.clone().text();
    event.actor = actor(row);
    event.actor.user_type = row.first_factor.clone().text();
    event.actor.mfa = match (row.second_factor.as_str(), row.first_factor.as_str()) {
        (Some(_), _) => Some(true),
        (None, Some("PASSWORD")) => Some(false),
        _ => None,
    };
    let address = row.client_ip.clone().text();
    let is_address = address.as_deref().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    let program = [&row.client_type, &row.client_version];
    let program: Vec<&str> = program.iter().filter_map(|part| part.as_str()).collect();
    event.client = Client {
        ip: address.clone().filter(|_| is_address),
        domain: address.filter(|_| !is_address),
        user_agent: (!program.is_empty()).then(|| Cow::Owned(program.join(" "))),
        ..Client::default()
    };
    event.datastore = Some(account(row));
    Ok(event)
}

fields! {
    /// One element of the lists of ACCESS_HISTORY.
    struct Accessed<'a> {
        name: Loose<'a> = "objectName",
    }
}

/// The names in a list of objects: JSON, or JSON inside a text.
fn names(list: Unread<'_>) -> Vec<String> {
    let Some(json) = list.json() else { return Vec::new() };
    let text: Loose<'_> = if json.starts_with('"') {
        list.read().unwrap_or_default()
    } else {
        Loose(Some(Cow::Borrowed(json)))
    };
    let text = text.text().unwrap_or_default();
    let objects: Vec<Object<Accessed<'_>>> = serde_json::from_str(&text).unwrap_or_default();
    let names = objects.into_iter().filter_map(|object| object.fields.name.text());
    names.take(OBJECTS_PER_EVENT_MAX).map(Text::into_owned).collect()
}

/// What a query touched. Its volume stands in its own row of QUERY_HISTORY, which has the same id.
fn access<'a>(text: &str, place: Place<'_>, row: &Row<'a>) -> Result<AuditEvent<'a>, Fault> {
    let uid = row.query.as_str().map(|id| Cow::Owned(format!("{id}/access")));
    let source = Source::SnowflakeAccountUsage;
    let mut event = place.event(source, text, uid, time(&row.start), "ACCESS_HISTORY")?;
    let mut objects = names(row.base_objects);
    if objects.is_empty() {
        objects = names(row.direct_objects);
    }
    let act = if objects.is_empty() { Act::WRITE } else { Act::READ };
    if objects.is_empty() {
        objects = names(row.modified_objects);
    }
    act.put(&mut event);
    event.event_code = Some(Cow::Borrowed("ACCESS_HISTORY"));
    event.outcome = Outcome::Success;
    event.actor = actor(row);
    event.correlation_uid = row.query.clone().text();
    let name = objects.first().and_then(|object| object.split('.').next());
    event.datastore = name.map(|name| database(row, name));
    event.objects = objects.into_iter().map(Cow::Owned).collect();
    Ok(event)
}

/// A row of a view of grants: a grant, or, once it is deleted, its end.
fn grant<'a>(text: &str, place: Place<'_>, row: &Row<'a>) -> Result<AuditEvent<'a>, Fault> {
    let deleted = time(&row.deleted);
    let operation = if deleted.is_some() { "REVOKE" } else { "GRANT" };
    let parts = [
        &row.created,
        &row.deleted,
        &row.privilege,
        &row.granted_on,
        &row.granted_name,
        &row.granted_catalog,
        &row.granted_schema,
        &row.granted_role,
        &row.granted_to,
        &row.grantee,
        &row.granted_by,
    ];
    let uid = parts.iter().fold(UidBuilder::new("snowflake grant"), |uid, part| {
        uid.text(part.as_str().unwrap_or_default())
    });
    let when = deleted.or_else(|| time(&row.created));
    let uid = Some(Cow::Owned(uid.finish()));
    let mut event = place.event(Source::SnowflakeAccountUsage, text, uid, when, operation)?;
    let act = if deleted.is_some() { Act::REVOKE } else { Act::GRANT };
    act.put(&mut event);
    let is_of_role = row.privilege.as_str().is_some();
    event.event_code =
        Some(Cow::Borrowed(if is_of_role { "GRANTS_TO_ROLES" } else { "GRANTS_TO_USERS" }));
    event.outcome = Outcome::Success;
    event.actor = Actor {
        uid: row.granted_by.clone().text(),
        name: row.granted_by.clone().text(),
        user_type: Some(Cow::Borrowed("ROLE")),
        ..Actor::default()
    };
    let names = [&row.granted_catalog, &row.granted_schema, &row.granted_name];
    let mut names: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
    names.extend(row.granted_role.as_str());
    let object = names.join(".");
    event.datastore = match row.granted_catalog.as_str() {
        Some(catalog) => Some(database(row, catalog)),
        None => Some(account(row)),
    };
    let grantee = row.grantee.as_str().unwrap_or_default();
    event.objects = vec![Cow::Owned(object), Cow::Owned(format!("to {grantee}"))];
    Ok(event)
}

/// Bytes that went to another cloud or region: nobody is named.
fn transfer<'a>(text: &str, place: Place<'_>, row: &Row<'a>) -> Result<AuditEvent<'a>, Fault> {
    let parts = [
        &row.start,
        &row.end,
        &row.source_cloud,
        &row.source_region,
        &row.target_cloud,
        &row.target_region,
        &row.transfer_type,
        &row.bytes_transferred,
    ];
    let uid = parts.iter().fold(UidBuilder::new("snowflake transfer"), |uid, part| {
        uid.text(part.as_str().unwrap_or_default())
    });
    let uid = Some(Cow::Owned(uid.finish()));
    let operation = row.transfer_type.clone().text().unwrap_or(Cow::Borrowed("DATA_TRANSFER"));
    let when = time(&row.start).or_else(|| time(&row.end));
    let mut event = place.event(Source::SnowflakeAccountUsage, text, uid, when, operation)?;
    Act::READ.put(&mut event);
    event.event_code = Some(Cow::Borrowed("DATA_TRANSFER_HISTORY"));
    event.outcome = Outcome::Success;
    event.read_scope = Some(ReadScope::Export);
    event.volume.bytes = row.bytes_transferred.as_count().map(ByteCount);
    event.region = row.source_region.clone().text();
    let target = [&row.target_cloud, &row.target_region];
    let target: Vec<&str> = target.iter().filter_map(|part| part.as_str()).collect();
    event.objects = vec![Cow::Owned(target.join("/"))];
    event.datastore = Some(account(row));
    Ok(event)
}
