//! Azure Monitor: one record of the activity log, or of a resource log of a datastore, to one event.

mod actor;
mod changes;
mod record;
mod resource;
mod resource_log;

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Class, EventKind, Outcome, Text};
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use dataward_event::volume::ReadScope;

use crate::act::Act;
use crate::changes::{Changes, PlaceOf};
use crate::container::Fault;
use crate::lenient::{Loose, Object};
use crate::node::Node;
use crate::source::{Place, Source};
use crate::time_text;
use record::{Properties, Record, valued};
use resource::ResourceId;
use resource_log::Category;

/// What stands in the activity log beside what people did: alerts, health, evaluations of policies.
const OBSERVED: Act = Act { kind: EventKind::Access, class: Class::ApiActivity, activity_id: 99 };

/// Reads one record.
///
/// # Errors
/// The text is malformed, names no operation, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: record, is_object } = serde_json::from_str::<Object<Record<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    let operation = record.operation_value.clone().text().or_else(|| valued(record.operation));
    let Some(operation) = operation.filter(|_| is_object) else {
        return Err(Fault::shape(
            "expected a record of Azure Monitor: an object with operationName",
        ));
    };
    // A workspace has the properties of resource logs beside the rest, and those of the activity log in a text.
    match record.properties.json() {
        Some(json) if json.starts_with('"') => {
            let inner: Loose<'_> = record.properties.read().unwrap_or_default();
            let inner = inner.text().unwrap_or_default();
            assemble(text, place, &record, read_properties(&inner), operation)
                .map(AuditEvent::into_owned)
        }
        Some(json) => assemble(text, place, &record, read_properties(json), operation),
        None => assemble(text, place, &record, read_properties(text), operation),
    }
}

fn read_properties(json: &str) -> Properties<'_> {
    serde_json::from_str::<Object<Properties<'_>>>(json).unwrap_or_default().fields
}

fn assemble<'a>(
    text: &str,
    place: Place<'_>,
    record: &Record<'a>,
    properties: Properties<'a>,
    operation: Text<'a>,
) -> Result<AuditEvent<'a>, Fault> {
    let category = valued(record.category);
    let resource_id = record.resource.as_str().or_else(|| record.workspace_resource.as_str());
    let resource = ResourceId::new(resource_id.unwrap_or_default());
    let time = record.time.as_str().and_then(read_time);
    let time = properties.event_time.as_str().and_then(read_time).or(time);
    let uid = uid(record, &properties, &operation, &resource);
    let mut event = place.event(Source::AzureActivity, text, uid, time, operation)?;
    event.provider = Some(Cow::Borrowed("Azure"));
    event.region = record.location.clone().text();
    event.account_uid = resource
        .subscription()
        .map(|subscription| Cow::Owned(subscription.to_owned()))
        .or_else(|| record.subscription.clone().text());
    event.service = resource.provider().map(|provider| Cow::Owned(provider.to_owned()));
    event.correlation_uid = record.correlation.clone().text();
    event.datastore = resource.datastore();
    match category.as_deref().and_then(Category::parse) {
        Some(kind) => resource_log::fill(kind, &mut event, record, properties),
        None => activity(&mut event, record, properties, &resource, category.as_deref()),
    }
    event.event_code = category;
    Ok(event)
}

fn read_time(text: &str) -> Option<EventTime> {
    EventTime::parse_rfc3339(text).or_else(|| time_text::parse(text))
}

/// The activity log names its events in one of its forms only. Elsewhere what tells two records apart makes the uid: the
/// same record always has the same one, and one act's records have different ones.
fn uid<'a>(
    record: &Record<'a>,
    properties: &Properties<'_>,
    operation: &str,
    resource: &ResourceId,
) -> Option<Text<'a>> {
    if let Some(id) = record.event_data.clone().text() {
        return Some(id);
    }
    let parts = [
        &record.correlation,
        &record.operation_id,
        &record.time,
        &record.result,
        &record.signature,
        &record.status_code,
        &record.uri,
        &properties.object_key,
        &properties.id,
        &properties.activity,
        &properties.event,
        &properties.sequence,
        &properties.action_id,
    ];
    let has_id = [&record.correlation, &properties.activity, &properties.event]
        .iter()
        .any(|part| part.as_str().is_some());
    if !has_id || record.time.as_str().is_none() {
        return None;
    }
    // One text for all of them: a builder is too large to be handed on part by part.
    let mut all = String::with_capacity(512);
    for part in [operation, resource.as_str()]
        .into_iter()
        .chain(parts.map(|part| part.as_str().unwrap_or_default()))
    {
        all.push_str(part);
        all.push('\0');
    }
    Some(Cow::Owned(UidBuilder::new("azure").text(&all).finish()))
}

/// What the result of a record of the activity log says. One act is told when it is accepted, when it starts and when it
/// is over.
pub(super) fn activity_outcome(result: Option<&str>) -> Outcome {
    match result.unwrap_or_default().to_ascii_lowercase().as_str() {
        "success" | "succeeded" | "active" | "resolved" => Outcome::Success,
        "failure" | "failed" | "fail" | "canceled" | "cancelled" => Outcome::Failure,
        _ => Outcome::Unknown,
    }
}

fn activity<'a>(
    event: &mut AuditEvent<'a>,
    record: &Record<'a>,
    properties: Properties<'a>,
    resource: &ResourceId,
    category: Option<&str>,
) {
    let result = record.result.clone().text().or_else(|| valued(record.status));
    event.outcome = activity_outcome(result.as_deref());
    if event.outcome == Outcome::Failure {
        let signature = record.signature.clone().text();
        event.error_code = signature
            .map(|signature| Cow::Owned(signature.trim_start_matches("Failed.").to_owned()))
            .filter(|code: &Text<'_>| !code.is_empty())
            .or_else(|| properties.status_code.clone().text())
            .or_else(|| record.status_code.clone().text());
        event.error_message =
            properties.status_message.clone().text().or_else(|| record.description.clone().text());
    }
    event.actor = actor::of_claims(record);
    let address = record.caller_address.clone().text();
    let address = address.or_else(|| record.http.fields.address.clone().text());
    event.client = actor::client(address, None);
    event.request_uid = properties.service_request.clone().text();
    let operation = event.operation.to_ascii_uppercase();
    let is_observed = category.is_some_and(|category| {
        !matches!(category, "Administrative" | "Write" | "Delete" | "Action" | "Security")
    });
    let act = if is_observed { OBSERVED } else { act(&operation, event.datastore.is_some()) };
    act.put(event);
    if is_observed {
        return;
    }
    let call = changes::Call::new(&operation, resource, event, &properties);
    if operation.ends_with("/EXPORT/ACTION") {
        event.read_scope = Some(ReadScope::Export);
        event.objects.extend(call.request.text(&["storageUri"]).map(owned));
    }
    if let Some(source) = call.request.text(&["properties", "sourceDatabaseId"]) {
        event.objects.push(owned(source));
    }
    let changes = changes::of(&call);
    event.changes = changes.into_vec();
    if !event.changes.is_empty() && event.kind != EventKind::ConfigChange {
        Act::API_OTHER.put(event);
    }
    let copies = copies(event, &call.request);
    event.changes.extend(copies.into_vec());
    // A record of an update says OK where that of a creation says Created.
    let is_new =
        properties.status_code.as_str().is_some_and(|code| matches!(code, "Created" | "201"));
    let kind = operation.strip_suffix("/WRITE");
    if is_new && event.outcome == Outcome::Success && kind.is_some_and(is_of_datastore) {
        Act::ENTITY_CREATE.put(event);
    }
}

/// Which datastore the body of a request names as the origin of its own, and where it sends an export to.
fn copies(event: &AuditEvent<'_>, request: &Node<'_>) -> Changes {
    let paths: [&[&str]; 5] = [
        &["properties", "sourceDatabaseId"],
        &["properties", "recoverableDatabaseId"],
        &["properties", "sourceServerResourceId"],
        &["properties", "sourceServerId"],
        &["properties", "creationData", "sourceResourceId"],
    ];
    let mut changes = Changes::default();
    let own = event.datastore.as_ref().map(|datastore| &*datastore.uid);
    for source in paths.iter().filter_map(|path| request.text(path)) {
        let source = ResourceId::new(&source);
        let Some(origin) = source.datastore().filter(|origin| own != Some(&*origin.uid)) else {
            continue;
        };
        let place =
            PlaceOf { provider: Some("Azure"), account: source.subscription(), region: None };
        changes.copy_from(origin.uid, place);
    }
    // An address names no resource: the copy is known by the account's host alone.
    let uri = request.text(&["storageUri"]).filter(|_| event.read_scope.is_some());
    if let Some(host) = uri.as_deref().and_then(|uri| uri.split('/').nth(2)) {
        let place = PlaceOf { provider: Some("Azure"), ..PlaceOf::default() };
        changes.copy_to(format!("https://{host}"), place);
    }
    changes
}

fn owned(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

/// Whether what an operation writes or deletes is a datastore itself, not a part of it.
fn is_of_datastore(kind: &str) -> bool {
    const DATASTORES: [&str; 14] = [
        "MICROSOFT.STORAGE/STORAGEACCOUNTS",
        "MICROSOFT.SQL/SERVERS",
        "MICROSOFT.SQL/MANAGEDINSTANCES",
        "MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS",
        "MICROSOFT.DBFORMYSQL/FLEXIBLESERVERS",
        "MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS",
        "MICROSOFT.CACHE/REDIS",
        "MICROSOFT.COMPUTE/DISKS",
        "MICROSOFT.COMPUTE/SNAPSHOTS",
        "MICROSOFT.KUSTO/CLUSTERS",
        "MICROSOFT.SYNAPSE/WORKSPACES",
        "MICROSOFT.DBFORPOSTGRESQL/SERVERS",
        "MICROSOFT.DBFORMYSQL/SERVERS",
        "MICROSOFT.DBFORMARIADB/SERVERS",
    ];
    DATASTORES.contains(&kind)
}

/// What an operation of a resource provider does: its last word tells.
fn act(operation: &str, is_datastore: bool) -> Act {
    if operation.strip_suffix("/DELETE").is_some_and(is_of_datastore) {
        return Act::ENTITY_DELETE;
    }
    match operation {
        "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE" => return Act::GRANT,
        "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/DELETE" => return Act::REVOKE,
        _ => {}
    }
    match operation.rsplit('/').next().unwrap_or_default() {
        "READ" => Act::API_READ,
        "WRITE" => Act::API_UPDATE,
        "DELETE" => Act::API_DELETE,
        "ACTION" if operation.ends_with("/EXPORT/ACTION") && is_datastore => Act::READ,
        _ => Act::API_OTHER,
    }
}
