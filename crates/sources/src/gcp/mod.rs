//! Google Cloud: one log entry that holds an audit log to one event.

mod actor;
mod bigquery;
mod changes;
mod copies;
mod datastore;
mod entry;
mod operation;

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, EventKind, Outcome, Text};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount};

use crate::act::Act;
use crate::container::Fault;
use crate::lenient::{Loose, Object, Texts, Unread, bounded_statement, fields};
use crate::node::Node;
use crate::source::{Place, Source};
use bigquery::Work;
use entry::{AuditLog, Entry, Statement};
use operation::{short_service, verb};

/// Reads one entry.
///
/// # Errors
/// The text is malformed, holds no audit log, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: entry, is_object } = serde_json::from_str::<Object<Entry<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    if !is_object {
        return Err(Fault::shape("expected a log entry: an object with protoPayload"));
    }
    if !entry.payload.is_object {
        return Err(Fault::no_event("a log entry without protoPayload: it is no audit log"));
    }
    let time = [&entry.timestamp, &entry.receive_timestamp]
        .into_iter()
        .find_map(|time| time.as_str().and_then(EventTime::parse_rfc3339));
    let uid = entry.insert_id.as_str().map(|id| {
        // Entries with the same id are the same only if their time is the same, too.
        let time = entry.timestamp.as_str().unwrap_or_default();
        Cow::Owned(format!("{id}/{time}"))
    });
    let operation = entry.payload.fields.method.clone().text().unwrap_or("unknown".into());
    let mut event = place.event(Source::GcpAudit, text, uid, time, operation)?;
    fill(&mut event, entry);
    Ok(event)
}

fn fill<'a>(event: &mut AuditEvent<'a>, entry: Entry<'a>) {
    let payload = &entry.payload.fields;
    let service_name = payload.service.clone().text();
    let service = short_service(service_name.as_deref().unwrap_or_default());
    let method = &*event.operation.clone();
    let mut act = operation::meaning(service, method);
    let work = match service {
        "bigquery" => bigquery::read(payload),
        _ => Work::default(),
    };
    act = work.act.unwrap_or(act);
    put_outcome(event, &entry, &work, act);
    act.put(event);
    event.actor = actor::actor(payload, service, event.outcome);
    event.client = actor::client(payload);
    let labels = &entry.resource.fields.labels.fields;
    let project = labels.project.clone().text().or_else(|| log_project(entry.log_name.as_str()));
    put_datastore(event, &entry, service, project.as_deref(), &work);
    event.event_code = entry.log_name.as_str().and_then(log_kind);
    event.correlation_uid = work.job.clone().or_else(|| entry.operation.fields.id.clone().text());
    event.region = [&labels.location, &labels.region, &labels.zone]
        .into_iter()
        .find_map(|label| label.clone().text())
        .or_else(|| payload.location.fields.current.0.first().cloned());
    event.provider = Some(Cow::Borrowed("GCP"));
    match service {
        "cloudsql" | "alloydb" if verb(method) == "query" => put_statement(event, payload),
        "cloudsql" if verb(method) == "export" => put_export(event, payload.request),
        _ => {}
    }
    put_volume(event, payload, service, verb(method), &work);
    let changes_something = act.kind == EventKind::ConfigChange || work.may_change;
    if changes_something || work.statement_type.as_deref().is_some_and(changes::is_dcl) {
        let call = changes::Call {
            service,
            verb: verb(method),
            method,
            resource: payload.resource.as_str().unwrap_or_default(),
            project: project.as_deref(),
            domain: event.actor.uid.as_deref().and_then(|email| Some(email.split_once('@')?.1)),
            statement: work.statement.as_deref(),
            statement_type: work.statement_type.as_deref(),
            payload,
        };
        let found = changes::of(&call);
        event.datastore = found.datastore.or(event.datastore.take());
        event.changes = found.changes.into_vec();
        if !event.changes.is_empty() && event.kind != EventKind::ConfigChange {
            Act::API_UPDATE.put(event);
        }
    }
    copies::put(event, service, payload, project.as_deref(), &work);
    event.statement = event.statement.take().or(work.statement).map(bounded_statement);
    event.service = service_name;
    event.account_uid = project;
}

/// Long-running calls are logged at their start and at their end: only the end tells how they went.
fn put_outcome<'a>(event: &mut AuditEvent<'a>, entry: &Entry<'a>, work: &Work<'a>, act: Act) {
    let payload = &entry.payload.fields;
    let status = &payload.status.fields;
    let code = status.code.clone().text().filter(|code| code != "0");
    let is_error = entry.severity.as_str() == Some("ERROR");
    let operation = &entry.operation.fields;
    let is_started = operation.first.as_bool() == Some(true)
        && operation.last.as_bool() != Some(true)
        && work.is_done != Some(true);
    let is_failed_logon = act == Act::LOGON && event.operation.ends_with("loginFailure");
    if let Some((error_code, message)) = &work.error {
        event.error_code = error_code.clone();
        event.error_message = message.clone();
        event.outcome = Outcome::Failure;
    } else if code.is_some() || is_error || is_failed_logon {
        event.error_code = code;
        event.error_message = status.message.clone().text();
        event.outcome = Outcome::Failure;
    } else if is_started || work.is_done == Some(false) {
        event.outcome = Outcome::Unknown;
    } else {
        event.outcome = Outcome::Success;
    }
}

/// The project of `projects/example/logs/…`.
fn log_project(log_name: Option<&str>) -> Option<Text<'static>> {
    let project = log_name?.strip_prefix("projects/")?.split('/').next()?;
    Some(Cow::Owned(project.to_owned()))
}

/// `data_access` of `…/logs/cloudaudit.googleapis.com%2Fdata_access`.
fn log_kind(log_name: &str) -> Option<Text<'static>> {
    let (_, kind) = log_name.rsplit_once("cloudaudit.googleapis.com%2F")?;
    Some(Cow::Owned(kind.to_owned()))
}

fn put_datastore<'a>(
    event: &mut AuditEvent<'a>,
    entry: &Entry<'a>,
    service: &str,
    project: Option<&str>,
    work: &Work<'a>,
) {
    let payload = &entry.payload.fields;
    let resource = payload.resource.clone().text();
    let mut metadata = Named::default();
    if service == "storage" || event.outcome == Outcome::Failure {
        metadata = payload.metadata.read::<Object<Named<'a>>>().unwrap_or_default().fields;
    }
    let refused = metadata.refused.0.into_iter().next();
    let table = work.tables.first().cloned();
    let named = [refused, table, resource]
        .into_iter()
        .flatten()
        .find_map(|name| datastore::named(service, &name, project));
    if let Some(named) = named {
        event.datastore = Some(named.datastore);
        event.objects.extend(named.inside.filter(|_| work.tables.is_empty()));
        if let Some(destination) = metadata.destination.text() {
            event.objects.push(destination);
            event.read_scope = Some(ReadScope::Export);
        }
    } else if let Some(database) = entry.resource.fields.labels.fields.database.as_str()
        && service == "cloudsql"
    {
        let instance = database.rsplit(':').next().unwrap_or(database);
        let name = Cow::Owned(format!("instances/{instance}"));
        event.datastore = datastore::named(service, &name, project).map(|named| named.datastore);
    }
    if !work.tables.is_empty() {
        let things = work.tables.iter().chain(&work.destinations).cloned();
        event.objects = things.take(OBJECTS_PER_EVENT_MAX).collect();
    } else if work.job.is_some() {
        event.objects = work.destinations.clone();
    }
}

fields! {
    /// `metadata` of a call on a bucket, or of any call that a perimeter refused.
    struct Named<'a> {
        /// What a perimeter refused: the entry's own name is the project then.
        refused: Texts<'a> = "resourceNames",
        /// Where an object was copied to.
        destination: Loose<'a> = "destination",
    }
}

/// A statement that pgAudit or the audit plugin of MySQL passed through.
fn put_statement<'a>(event: &mut AuditEvent<'a>, payload: &AuditLog<'a>) {
    let Some(Object { fields: statement, .. }) = payload.request.read::<Object<Statement<'a>>>()
    else {
        return;
    };
    let command = statement.command.as_str().unwrap_or_default().to_ascii_uppercase();
    let act = match command.split(' ').next().unwrap_or_default() {
        "INSERT" => Act::WRITE,
        "UPDATE" => Act::UPDATE,
        "DELETE" | "TRUNCATE" => Act::DELETE,
        "GRANT" => Act::GRANT,
        "REVOKE" => Act::REVOKE,
        "CREATE" => Act::SCHEMA_CREATE,
        "ALTER" => Act::SCHEMA_UPDATE,
        "DROP" => Act::SCHEMA_DELETE,
        "CONNECT" => Act::LOGON,
        "QUIT" | "DISCONNECT" => Act::LOGOFF,
        _ => Act::QUERY,
    };
    act.put(event);
    if let Some(user) = statement.user.text() {
        event.actor.issuer = event.actor.uid.take().filter(|uid| *uid != user);
        event.actor.uid = Some(user.clone());
        event.actor.name = Some(user);
        event.actor.kind = dataward_event::audit_event::ActorKind::Unknown;
    }
    event.actor.session_uid = statement.session.text();
    event.objects.extend(statement.database.text());
    event.volume.rows = statement.rows.as_count().map(RowCount);
    event.statement = statement.statement.text();
}

/// `cloudsql.instances.export`: which databases went where.
fn put_export(event: &mut AuditEvent<'_>, request: Unread<'_>) {
    event.read_scope = Some(ReadScope::Export);
    let request: Node<'_> = request.read().unwrap_or_default();
    let context = ["body", "exportContext"];
    let context = request.at(&context).unwrap_or(&Node::Null);
    let databases = context.texts(&["databases"]).map(|text| Cow::Owned(text.into_owned()));
    event.objects.extend(databases);
    let uri = context.text(&["uri"]).map(|uri| Cow::Owned(uri.into_owned()));
    event.objects.extend(uri);
    let query = context.text(&["csvExportOptions", "selectQuery"]);
    event.statement = query.map(|query| Cow::Owned(query.into_owned()));
}

/// What the entry tells of the volume. A refused call moved nothing.
fn put_volume<'a>(
    event: &mut AuditEvent<'a>,
    payload: &AuditLog<'a>,
    service: &str,
    verb: &str,
    work: &Work<'a>,
) {
    event.read_scope = event.read_scope.or(work.scope);
    match (service, verb) {
        ("firestore" | "datastore", "ExportDocuments" | "ExportEntities")
        | ("redis", "ExportInstance") => {
            event.read_scope = Some(ReadScope::Export);
            let request: Node<'_> = payload.request.read().unwrap_or_default();
            let paths: [&[&str]; 3] = [
                &["outputUriPrefix"],
                &["outputUrlPrefix"],
                &["outputConfig", "gcsDestination", "uri"],
            ];
            let uri = paths.iter().find_map(|path| request.text(path));
            event.objects.extend(uri);
        }
        _ => {}
    }
    if event.outcome == Outcome::Failure {
        event.volume = Default::default();
        return;
    }
    if work.is_done == Some(true) {
        event.volume.rows = work.rows.map(RowCount);
        event.volume.bytes = work.bytes.map(ByteCount);
    }
    match (service, verb) {
        ("storage", "get") if event.operation.contains("objects.") => {
            event.volume.objects = Some(ObjectCount(1));
        }
        ("secretmanager", "AccessSecretVersion") => {
            event.volume.objects = Some(ObjectCount(1));
        }
        ("firestore" | "datastore" | "spanner" | "bigtable", _)
            if event.kind == EventKind::Access =>
        {
            event.volume.rows = payload.response_items.as_count().map(RowCount);
        }
        _ => {}
    }
}
