//! Databricks: one audit event of its JSON to one event of ours.

mod changes;
mod event;
mod operation;

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, EventKind, Outcome, Text,
};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount};

use crate::act::Act;
use crate::changes::{Changes, PlaceOf};
use crate::container::Fault;
use crate::lenient::{Loose, Object, Unread, bounded_statement};
use crate::node::Node;
use crate::source::{Place, Source};
use crate::sql::{self, Dialect};
use crate::time_text;
use event::{Event, Identity, Response, Shared};

/// Reads one event.
///
/// # Errors
/// The text is malformed, is no audit event, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: mut event, is_object } =
        serde_json::from_str::<Object<Event<'a>>>(text)
            .map_err(|error| Fault::malformed(text, &error))?;
    if event.action.as_str().is_none()
        && let Some(inner) = event.properties.read::<Object<Event<'a>>>()
    {
        // Azure writes the same event into the properties of a record of its own.
        let (time, resource, identity) = (event.timestamp, event.resource, event.identity);
        let location = event.location;
        event = inner.fields;
        event.timestamp = if event.timestamp.0.is_some() { event.timestamp } else { time };
        event.identity = if event.identity.json().is_some() { event.identity } else { identity };
        event.resource = resource;
        event.location = location;
    }
    if !is_object || event.action.as_str().is_none() {
        return Err(Fault::shape(
            "expected an audit event: an object with serviceName, actionName",
        ));
    }
    assemble(text, place, event)
}

/// A part that is JSON, or JSON inside a text.
fn part<'a, T>(unread: Unread<'a>, own: fn(&str) -> T) -> Option<T>
where
    T: serde::Deserialize<'a>,
{
    let json = unread.json()?;
    if !json.starts_with('"') {
        return unread.read();
    }
    let text: Loose<'_> = unread.read()?;
    Some(own(text.as_str()?))
}

fn params(unread: Unread<'_>) -> Node<'_> {
    let own = |text: &str| match serde_json::from_str::<Node<'_>>(text) {
        Ok(node) => node.into_owned(),
        Err(_) => Node::Null,
    };
    part(unread, own).unwrap_or_default()
}

fn time(column: &Loose<'_>) -> Option<EventTime> {
    let text = column.as_str()?;
    time_text::parse(text).or_else(|| text.parse().ok().map(time_text::from_epoch))
}

fn assemble<'a>(text: &str, place: Place<'_>, source: Event<'a>) -> Result<AuditEvent<'a>, Fault> {
    let action = source.action.clone().text().unwrap_or_default();
    let service = source.service.clone().text();
    let service_name = service.as_deref().unwrap_or_default();
    let uid = source.event_id.clone().text().or_else(|| {
        // A request may be told by several actions, and an action be delivered twice.
        let (id, time) = (source.request.as_str()?, source.timestamp.as_str()?);
        Some(Cow::Owned(format!("{id}/{action}/{time}")))
    });
    let when = time(&source.timestamp);
    let mut event = place.event(Source::DatabricksAudit, text, uid, when, action.clone())?;
    let (act, scope) = operation::meaning(service_name, &action);
    act.put(&mut event);
    event.read_scope = scope;
    let params = params(source.params);
    let response = response(source.response);
    put_outcome(&mut event, &response);
    if action == "commandSubmit" && event.outcome == Outcome::Success {
        // It was taken; how it went is told by `commandFinish`.
        event.outcome = Outcome::Unknown;
    }
    event.actor = actor(&source, &params);
    let address = source.address.clone().text();
    let is_address = address.as_deref().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    event.client = Client {
        ip: address.clone().filter(|_| is_address),
        domain: address.filter(|_| !is_address),
        user_agent: source.user_agent.clone().text(),
        ..Client::default()
    };
    event.event_code = source.level.clone().text();
    event.request_uid = source.request.clone().text();
    event.correlation_uid = params.text(&["commandId"]).or_else(|| params.text(&["queryId"]));
    event.provider = Some(Cow::Borrowed("Databricks"));
    event.region = source.location.clone().text();
    event.account_uid = source.account.clone().text();
    let owner = Owner::of(&source);
    put_object(&mut event, &owner, &params);
    put_statement(&mut event, &owner, service_name, &params);
    put_volume(&mut event, &response, &params);
    if event.kind == EventKind::ConfigChange {
        let call = changes::Call {
            service: service_name,
            action: &action,
            params: &params,
            time: when,
            owner: &owner,
        };
        let found = changes::of(&call);
        event.datastore = found.datastore.or(event.datastore.take());
        event.changes.extend(found.changes.into_vec());
    }
    event.service = service;
    Ok(event)
}

fn response(unread: Unread<'_>) -> Response<'_> {
    // What is inside a text is owned, field by field.
    let own = |text: &str| {
        let inner: Object<Response<'_>> = serde_json::from_str(text).unwrap_or_default();
        let own = |loose: Loose<'_>| Loose(loose.0.map(|text| Cow::Owned(text.into_owned())));
        let inner = inner.fields;
        let fields = Response {
            status: own(inner.status),
            message: own(inner.message),
            result: own(inner.result),
        };
        Object { fields, is_object: true }
    };
    part(unread, own).unwrap_or_default().fields
}

fn put_outcome<'a>(event: &mut AuditEvent<'a>, response: &Response<'a>) {
    event.outcome = match response.status.as_count() {
        Some(200..=299) => Outcome::Success,
        Some(_) => Outcome::Failure,
        None => Outcome::Unknown,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = response.status.clone().text();
        event.error_message = response.message.clone().text();
    }
}

/// A person by mail address, a service principal by id; a recipient of a share has a name of its own.
fn actor<'a>(source: &Event<'a>, params: &Node<'a>) -> Actor<'a> {
    let own = |text: &str| {
        let inner: Object<Identity<'_>> = serde_json::from_str(text).unwrap_or_default();
        let own = |loose: Loose<'_>| Loose(loose.0.map(|text| Cow::Owned(text.into_owned())));
        let fields =
            Identity { email: own(inner.fields.email), subject: own(inner.fields.subject) };
        Object { fields, is_object: true }
    };
    let identity: Identity<'a> = part(source.identity, own).unwrap_or_default().fields;
    let known = |text: &Text<'_>| text != "unknown";
    let name = identity.email.text().filter(known).or_else(|| identity.subject.text());
    let recipient = params.text(&["recipient_name"]);
    let metadata = &source.metadata.fields;
    let run_as = metadata.run_as.clone().text();
    let run_by = metadata.run_by.clone().text();
    if name.is_none()
        && let Some(recipient) = recipient
    {
        return Actor {
            uid: Some(recipient.clone()),
            name: Some(recipient),
            user_type: Some(Cow::Borrowed("RECIPIENT")),
            ..Actor::default()
        };
    }
    let name = run_as.or(name);
    let kind = match name.as_deref() {
        Some("System-User" | "databricks" | "__SYSTEM") => ActorKind::Service,
        Some(name) if name.contains('@') => ActorKind::Human,
        Some(name) if is_uuid(name) => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    Actor {
        issuer: run_by.filter(|by| Some(by) != name.as_ref()),
        uid: name.clone(),
        name,
        kind,
        session_uid: source.session.clone().text(),
        ..Actor::default()
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The account or workspace that things belong to.
pub(super) struct Owner {
    account: String,
    workspace: Option<String>,
}

impl Owner {
    fn of(source: &Event<'_>) -> Self {
        let of_azure = source.resource.as_str().and_then(|id| id.rsplit('/').next());
        let of_azure = of_azure.map(str::to_ascii_lowercase);
        let workspace = source.workspace.as_str().filter(|id| *id != "0").map(str::to_owned);
        Self {
            account: source.account.as_str().unwrap_or("account").to_owned(),
            workspace: workspace.or(of_azure),
        }
    }

    /// A guard of this kind and name.
    pub(super) fn guard(&self, kind: &'static str, name: &str) -> Datastore<'static> {
        Datastore {
            uid: Cow::Owned(format!("databricks/{}/{kind}/{name}", self.account)),
            name: Some(Cow::Owned(name.to_owned())),
            resource_type: Some(Cow::Borrowed(kind)),
            form: DatastoreForm::Guard,
        }
    }

    /// The workspace, else the account.
    pub(super) fn workspace(&self) -> Datastore<'static> {
        match &self.workspace {
            Some(workspace) => self.guard("workspace", workspace),
            None => self.account(),
        }
    }

    pub(super) fn account(&self) -> Datastore<'static> {
        self.guard("account", &self.account)
    }

    /// The catalog of a full name: `main` of `main.sales.orders`.
    pub(super) fn catalog(&self, full_name: &str) -> Datastore<'static> {
        let name = full_name.split('.').next().unwrap_or(full_name);
        Datastore { form: DatastoreForm::Database, ..self.guard("catalog", name) }
    }

    pub(super) fn share(&self, name: &str) -> Datastore<'static> {
        Datastore { form: DatastoreForm::Database, ..self.guard("share", name) }
    }
}

/// What an action was on.
fn put_object(event: &mut AuditEvent<'_>, owner: &Owner, params: &Node<'_>) {
    let text = |keys: &[&str]| keys.iter().find_map(|key| params.text(&[key]));
    if event.operation.starts_with("deltaSharing") {
        if let Some(share) = text(&["share", "share_name"]) {
            event.datastore = Some(owner.share(&share));
        }
        let names = ["share", "schema", "name"];
        let names: Vec<_> = names.iter().filter_map(|key| params.text(&[key])).collect();
        event.objects.push(Cow::Owned(names.join(".")));
        return;
    }
    let table = text(&["table_full_name", "full_name_arg", "securable_full_name", "full_name"]);
    if let Some(table) = table {
        event.datastore = Some(owner.catalog(&table));
        event.objects.push(Cow::Owned(table.into_owned()));
        return;
    }
    let other = text(&["path", "url", "notebookFullPath", "notebookId", "scope", "queryId"]);
    if event.kind == EventKind::Access && event.class != Act::API_READ.class {
        event.datastore = Some(owner.workspace());
        event.objects.extend(other.map(|name| Cow::Owned(name.into_owned())));
        let key = params.text(&["key"]);
        event.objects.extend(key.map(|key| Cow::Owned(key.into_owned())));
    }
}

/// Statements, where verbose logs hold them.
fn put_statement(event: &mut AuditEvent<'_>, owner: &Owner, service: &str, params: &Node<'_>) {
    let text = params.text(&["commandText"]).or_else(|| params.text(&["query"]));
    let Some(text) = text else { return };
    let language = params.text(&["commandLanguage"]);
    let is_sql = service == "databrickssql"
        || language.is_some_and(|language| language.eq_ignore_ascii_case("sql"));
    if is_sql && let Some(statement) = sql::read(&text, Dialect::Databricks) {
        if event.kind == EventKind::Access {
            statement.act.put(event);
        }
        event.read_scope = event.read_scope.or(statement.scope);
        if let Some(table) = statement.tables.iter().find(|table| table.split('.').count() == 3) {
            event.datastore = Some(owner.catalog(table));
        }
        let writes = ["CREATE TABLE", "INSERT", "MERGE"];
        if writes.iter().any(|command| statement.command.starts_with(command)) {
            put_copies(event, owner, &statement.tables);
        }
        let things = statement.tables.into_iter().chain(statement.destination);
        event.objects = things.take(OBJECTS_PER_EVENT_MAX).map(Cow::Owned).collect();
    }
    if is_sql
        && let Some((kind, copy, origin)) = sql::copies::clone(&text)
        && kind == "TABLE"
    {
        put_copies(event, owner, &[copy, origin]);
    }
    event.statement = Some(bounded_statement(Cow::Owned(text.into_owned())));
}

/// What was written into a table, the first one, from those of other catalogs.
fn put_copies(event: &mut AuditEvent<'_>, owner: &Owner, tables: &[String]) {
    let is_full = |table: &&String| table.split('.').count() == 3;
    let Some(own) = tables.first().filter(is_full).map(|table| owner.catalog(table)) else {
        return;
    };
    let mut changes = Changes::default();
    let mut seen = vec![own.uid.clone()];
    for origin in tables.iter().skip(1).filter(is_full).map(|table| owner.catalog(table)) {
        if !seen.contains(&origin.uid) {
            seen.push(origin.uid.clone());
            changes.copy_from(origin.uid, PlaceOf::default());
        }
    }
    event.datastore = Some(own);
    event.changes = changes.into_vec();
}

/// Only reads by recipients are counted.
fn put_volume(event: &mut AuditEvent<'_>, response: &Response<'_>, params: &Node<'_>) {
    if event.operation.ends_with("Credential") && event.class == Act::READ.class {
        // One credential reaches all of a table.
        let is_read = params.text(&["operation"]).is_none_or(|o| o.contains("READ"));
        if is_read {
            event.read_scope = Some(ReadScope::Whole);
        } else {
            Act::WRITE.put(event);
        }
    }
    if event.outcome == Outcome::Failure {
        return;
    }
    if event.operation.starts_with("deltaSharingQueriedTable") {
        let result = response.result.as_str().unwrap_or_default();
        let shared: Object<Shared<'_>> = serde_json::from_str(result).unwrap_or_default();
        event.volume.rows = shared.fields.records.as_count().map(RowCount);
        event.volume.bytes = shared.fields.bytes.as_count().map(ByteCount);
        event.volume.objects = shared.fields.files.as_count().map(ObjectCount);
    }
    if &*event.operation == "getSecret" {
        event.volume.objects = Some(ObjectCount(1));
    }
}
