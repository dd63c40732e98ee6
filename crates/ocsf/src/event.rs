//! An event as OCSF.

use std::net::IpAddr;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, DatastoreForm, TimeOrigin,
};
use dataward_event::change::Change;
use dataward_event::position::Position;
use serde_json::Value;

use crate::object::{Object, text};

/// The version of OCSF that is written.
pub const VERSION: &str = "1.8.0";

/// What stands where OCSF asks for something that the event does not tell.
const UNKNOWN: &str = "unknown";

/// One event as one line of OCSF JSON. `position` is where it stands in Kafka or a file, `raw_sha256` the hash of its
/// exact bytes in hexadecimal.
pub fn event_json(
    event: &AuditEvent<'_>,
    position: Option<&Position>,
    raw_sha256: Option<&str>,
) -> String {
    let base = Object::new()
        .with("class_uid", event.class.uid())
        .with("category_uid", event.class.category_uid())
        .with("activity_id", event.activity_id)
        .with("type_uid", event.type_uid())
        .with("severity_id", 1)
        .with("time", event.time.millis())
        .with("status_id", event.outcome.status_id())
        .with("status", event.outcome.as_str())
        .with("metadata", metadata(event))
        .with("api", api(event))
        .with("actor", actor_or_unknown(&event.actor))
        .nested("cloud", cloud(event))
        .nested("raw_data_hash", fingerprint(raw_sha256));
    let event_object = places(of_class(base, event), event);
    let unmapped = Object::new().with("dataward", own(event, position));
    Value::from(event_object.with("unmapped", unmapped)).to_string()
}

fn metadata(event: &AuditEvent<'_>) -> Object {
    let vendor = text(&event.provider).unwrap_or(UNKNOWN);
    let product = Object::new().with("name", &*event.source).with("vendor_name", vendor);
    Object::new()
        .with("version", VERSION)
        .with("uid", &*event.uid)
        .with("product", product)
        .with("profiles", vec!["cloud"])
        .maybe("event_code", text(&event.event_code))
        .maybe("correlation_uid", text(&event.correlation_uid))
}

fn api(event: &AuditEvent<'_>) -> Object {
    let service = Object::new().maybe("name", text(&event.service));
    let request = Object::new().maybe("uid", text(&event.request_uid));
    let response = Object::new()
        .maybe("error", text(&event.error_code))
        .maybe("error_message", text(&event.error_message));
    Object::new()
        .with("operation", &*event.operation)
        .nested("service", service)
        .nested("request", request)
        .nested("response", response)
}

fn cloud(event: &AuditEvent<'_>) -> Object {
    // OCSF's cloud needs its provider; without one, account and region stand in our own block.
    let Some(provider) = text(&event.provider) else { return Object::new() };
    let account = Object::new().maybe("uid", text(&event.account_uid));
    Object::new()
        .with("provider", provider)
        .nested("account", account)
        .maybe("region", text(&event.region))
}

fn fingerprint(sha256: Option<&str>) -> Object {
    let Some(sha256) = sha256 else { return Object::new() };
    Object::new().with("algorithm_id", 3).with("algorithm", "SHA-256").with("value", sha256)
}

/// OCSF wants to know somebody; of an unknown one it gets an application without a name.
fn actor_or_unknown(of: &Actor<'_>) -> Object {
    let actor = actor(of);
    if actor.is_empty() { actor.with("app_name", UNKNOWN) } else { actor }
}

/// An actor: user and session.
pub(crate) fn actor(actor: &Actor<'_>) -> Object {
    let session = Object::new()
        .maybe("uid", text(&actor.session_uid))
        .maybe("issuer", text(&actor.issuer))
        .maybe("is_mfa", actor.mfa);
    Object::new().nested("user", user(actor)).nested("session", session)
}

fn user(actor: &Actor<'_>) -> Object {
    let account = Object::new().maybe("uid", text(&actor.account_uid));
    let credential = text(&actor.credential_uid);
    let credentials = credential.map(|uid| Value::from(Object::new().with("uid", uid)));
    let groups = actor.groups.iter().map(|name| Object::new().with("name", &**name).into());
    let user = Object::new()
        .maybe("uid", text(&actor.uid))
        .maybe("name", text(&actor.name))
        .nested("account", account);
    if user.is_empty() && actor.kind != ActorKind::Anonymous {
        return user;
    }
    // OCSF wants a name, a uid or an account; nobody is called anonymous.
    let user = if user.is_empty() { user.with("account", unknown_account()) } else { user };
    let (type_id, type_name) = user_type(actor);
    user.with("type_id", type_id)
        .with("type", type_name)
        .list("programmatic_credentials", credentials.into_iter().collect())
        .list("groups", groups.collect())
}

fn unknown_account() -> Object {
    Object::new().with("name", UNKNOWN)
}

fn user_type<'a>(actor: &'a Actor<'_>) -> (u8, &'a str) {
    let (type_id, name) = match actor.kind {
        ActorKind::Unknown => (0, "Unknown"),
        ActorKind::Human => (1, "User"),
        ActorKind::Service => (4, "Service"),
        ActorKind::Anonymous => return (99, "Anonymous"),
    };
    (type_id, text(&actor.user_type).unwrap_or(name))
}

/// An endpoint, as far as OCSF takes what the source wrote; an address that is none stands in our own block.
pub(crate) fn endpoint(client: &Client<'_>) -> Object {
    let endpoint = Object::new()
        .maybe("ip", address(client))
        .maybe("domain", text(&client.domain))
        .maybe("uid", text(&client.endpoint_uid));
    if endpoint.is_empty() { endpoint } else { endpoint.maybe("port", client.port) }
}

fn address<'c>(client: &'c Client<'_>) -> Option<&'c str> {
    text(&client.ip).filter(|ip| ip.parse::<IpAddr>().is_ok())
}

const fn has_endpoint(class: Class) -> bool {
    !matches!(class, Class::DeviceConfigState | Class::ApplicationLifecycle)
}

const fn has_http_request(class: Class) -> bool {
    has_endpoint(class) && !matches!(class, Class::EventLog)
}

/// Where it came from and where it went, in the classes that have a place for it.
fn places(object: Object, event: &AuditEvent<'_>) -> Object {
    let mut object = object;
    if has_endpoint(event.class) {
        let endpoint = endpoint(&event.client);
        let endpoint = if endpoint.is_empty() { endpoint.with("name", UNKNOWN) } else { endpoint };
        object = object.with("src_endpoint", endpoint);
    }
    if has_http_request(event.class) {
        let request = Object::new().maybe("user_agent", text(&event.client.user_agent));
        object = object.nested("http_request", request);
    }
    object
}

/// What each class asks for beside the common fields.
fn of_class(object: Object, event: &AuditEvent<'_>) -> Object {
    let named = |name: &str| Object::new().with("name", name);
    let target = event.datastore.as_ref().map_or(UNKNOWN, |datastore| datastore.label());
    match event.class {
        Class::ApiActivity => object.list("resources", resources(event)),
        Class::DatastoreActivity => datastore_activity(object, event),
        Class::Authentication => {
            let service = named(text(&event.service).unwrap_or(UNKNOWN));
            object.with("user", user_or_unknown(&event.actor)).with("service", service)
        }
        Class::AccountChange => object.with("user", named(target)),
        Class::EntityManagement => object.with("entity", named(target)),
        Class::UserAccess => object
            .with("user", named(target))
            .with("privileges", vec![&*event.operation])
            .list("resources", resources(event)),
        Class::GroupManagement => object.with("group", named(target)),
        Class::EventLog => object.with("log_name", target),
        Class::DeviceConfigState => {
            object.with("device", Object::new().with("type_id", 0).with("uid", target))
        }
        Class::ApplicationLifecycle => object.with("app", named(target)),
    }
}

fn user_or_unknown(actor: &Actor<'_>) -> Object {
    let user = user(actor);
    if user.is_empty() { user.with("name", UNKNOWN) } else { user }
}

fn resources(event: &AuditEvent<'_>) -> Vec<Value> {
    let resource = event.datastore.as_ref().map(|datastore| {
        Object::new()
            .with("uid", &*datastore.uid)
            .maybe("name", text(&datastore.name))
            .maybe("type", text(&datastore.resource_type))
    });
    resource.into_iter().map(Value::from).collect()
}

fn datastore_activity(object: Object, event: &AuditEvent<'_>) -> Object {
    let Some(datastore) = &event.datastore else {
        return object.with("database", Object::new().with("type_id", 0).with("name", UNKNOWN));
    };
    let place = Object::new()
        .with("uid", &*datastore.uid)
        .maybe("name", text(&datastore.name))
        .maybe("type", text(&datastore.resource_type));
    let first = event.objects.first().map(|object| &**object);
    let object = match datastore.form {
        DatastoreForm::Bucket => {
            let file = first.map(|key| Object::new().with("name", key).with("type_id", 1));
            let provider = text(&event.provider);
            let type_id = if provider == Some("AWS") { 1 } else { 0 };
            object.with("databucket", place.with("type_id", type_id).maybe("file", file))
        }
        _ => {
            let table = first.map(|table| Object::new().with("name", table));
            object.with("database", place.with("type_id", 0)).maybe("table", table)
        }
    };
    let query = event.statement.as_deref().map(|statement| {
        let uid = text(&event.request_uid).unwrap_or(UNKNOWN);
        Object::new()
            .with("uid", uid)
            .with("query_string", statement)
            .maybe("bytes", event.volume.bytes.map(|bytes| bytes.0))
    });
    object.maybe("query_info", query)
}

/// What OCSF has no field for, or not in this class.
fn own(event: &AuditEvent<'_>, position: Option<&Position>) -> Object {
    let datastore = event.datastore.as_ref().map(|datastore| {
        Object::new()
            .with("uid", &*datastore.uid)
            .maybe("name", text(&datastore.name))
            .maybe("type", text(&datastore.resource_type))
            .with("form", datastore.form.as_str())
    });
    let has_cloud = event.provider.is_some();
    let has_query = event.class == Class::DatastoreActivity && event.datastore.is_some();
    let is_whole_millisecond = event.time.micros() % 1000 == 0;
    let block = Object::new()
        .with("source", &*event.source)
        .with("kind", event.kind.as_str())
        .maybe("time_micros", (!is_whole_millisecond).then(|| event.time.micros()))
        .maybe("rows_returned", event.volume.rows.map(|rows| rows.0))
        .maybe("bytes_out", event.volume.bytes.map(|bytes| bytes.0))
        .maybe("objects_count", event.volume.objects.map(|objects| objects.0))
        .maybe("sensitivity", event.sensitivity.map(|level| level.as_str()))
        .maybe("datastore", datastore)
        .list("targets", event.objects.iter().map(|object| (&**object).into()).collect())
        .list("changes", event.changes.iter().map(|change| change_object(change).into()).collect())
        .maybe("kafka", position.map(place));
    let block = if event.time_origin == TimeOrigin::Source {
        block
    } else {
        block.with("time_origin", event.time_origin.as_str())
    };
    let block = if has_cloud {
        block
    } else {
        block.maybe("account_uid", text(&event.account_uid)).maybe("region", text(&event.region))
    };
    let block = if has_query { block } else { block.maybe("statement", text(&event.statement)) };
    own_actor(own_client(block, event), &event.actor)
}

fn own_actor(block: Object, actor: &Actor<'_>) -> Object {
    let has_user = !user(actor).is_empty();
    let block =
        block.with("actor_kind", actor.kind.as_str()).maybe("user_type", text(&actor.user_type));
    if has_user {
        return block;
    }
    let groups = actor.groups.iter().map(|name| (&**name).into()).collect();
    block.maybe("credential_uid", text(&actor.credential_uid)).list("groups", groups)
}

fn own_client(block: Object, event: &AuditEvent<'_>) -> Object {
    let client = &event.client;
    let is_placed = has_endpoint(event.class) && !endpoint(client).is_empty();
    let is_address = address(client).is_some();
    let agent = if has_http_request(event.class) { None } else { text(&client.user_agent) };
    let ip = text(&client.ip).filter(|_| !is_placed || !is_address);
    let block = block.maybe("client_ip", ip).maybe("user_agent", agent);
    if is_placed {
        return block;
    }
    block
        .maybe("client_port", client.port)
        .maybe("client_domain", text(&client.domain))
        .maybe("client_endpoint_uid", text(&client.endpoint_uid))
}

/// A change of protection.
pub(crate) fn change_object(change: &Change<'_>) -> Object {
    Object::new()
        .with("catalogue_row", &*change.catalogue_row)
        .with("control", change.control.as_str())
        .with("setting", &*change.setting)
        .with("opened", &*change.opened)
        .maybe("before", text(&change.before))
        .maybe("after", text(&change.after))
        .with("direction", change.direction.as_str())
        .with("whole", change.whole)
}

/// A place in Kafka or in a file.
pub(crate) fn place(position: &Position) -> Object {
    Object::new()
        .with("topic", &*position.partition.topic)
        .with("incarnation", position.partition.incarnation)
        .with("partition", position.partition.number)
        .with("offset", position.offset.0)
        .with("record_index", position.record_index)
}
