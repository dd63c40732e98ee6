//! `mongodb.audit`: the audit log of MongoDB Enterprise and Percona, in its own schema (`atype`) and in OCSF's.

use std::borrow::Cow;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, EventKind, Outcome, Text,
};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::time::EventTime;
use dataward_event::volume::ReadScope;

use super::changes;
use crate::act::Act;
use crate::container::Fault;
use crate::lenient::{Loose, Object, Unread, bounded_statement, fields};
use crate::node::Node;
use crate::ocsf;
use crate::source::{Place, Source};
use crate::time_text;

fields! {
    /// One record of the own schema.
    struct Line<'a> {
        kind: Loose<'a> = "atype",
        time: Unread<'a> = "ts",
        uuid: Unread<'a> = "uuid",
        local: Object<Address<'a>> = "local",
        remote: Object<Address<'a>> = "remote",
        users: Unread<'a> = "users",
        roles: Unread<'a> = "roles",
        param: Unread<'a> = "param",
        result: Loose<'a> = "result",
        class_uid: Loose<'a> = "class_uid",
    }

    /// An end of the connection.
    struct Address<'a> {
        ip: Loose<'a> = "ip",
        port: Loose<'a> = "port",
        unix: Loose<'a> = "unix",
        is_system: Loose<'a> = "isSystemUser",
    }

    /// A user, by the database that knows it.
    struct User<'a> {
        user: Loose<'a> = "user",
        role: Loose<'a> = "role",
        db: Loose<'a> = "db",
    }

    /// What an operation was asked to do, as far as every record needs it.
    struct Param<'a> {
        command: Loose<'a> = "command",
        ns: Loose<'a> = "ns",
        db: Loose<'a> = "db",
        user: Loose<'a> = "user",
        args: Unread<'a> = "args",
    }
}

/// Reads one record.
///
/// # Errors
/// The text is malformed, is no record of this log, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: line, is_object } = serde_json::from_str::<Object<Line<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    if is_object && line.kind.as_str().is_none() && line.class_uid.as_str().is_some() {
        return of_ocsf(text, place);
    }
    let Some(kind) = line.kind.clone().text().filter(|_| is_object) else {
        return Err(Fault::shape("expected an audit record of MongoDB, with `atype`"));
    };
    let param = line.param.read::<Object<Param<'a>>>().unwrap_or_default().fields;
    let operation = match param.command.clone().text() {
        Some(command) if kind == "authCheck" => command,
        _ => kind.clone(),
    };
    // One act may be told by several records of one connection and millisecond: its bytes tell them apart.
    let mut event = place.event(Source::MongodbAudit, text, None, time(line.time), operation)?;
    let (act, scope) = act(&kind, &event.operation, param.args);
    act.put(&mut event);
    event.outcome = match line.result.as_str() {
        Some("0") => Outcome::Success,
        Some(_) => Outcome::Failure,
        None => Outcome::Unknown,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = line.result.clone().text();
    } else {
        event.read_scope = scope;
    }
    event.service = Some(Cow::Borrowed("mongodb"));
    event.actor = actor(&line, &kind, &param);
    event.client = client(&line.remote.fields);
    event.datastore = Some(datastore(&line, &param, place));
    event.objects = param.ns.clone().text().into_iter().take(OBJECTS_PER_EVENT_MAX).collect();
    event.statement = param.args.json().map(|json| bounded_statement(Cow::Borrowed(json)));
    event.actor.session_uid = session(line.uuid);
    if event.kind == EventKind::ConfigChange || operation_is_admin(&event.operation) {
        event.changes = changes::of(&kind, &event.operation, line.param);
        if changes::is_of_server(&kind) || operation_is_admin(&event.operation) {
            event.datastore = Some(server(place.host, &line.local.fields));
        }
    }
    if !event.changes.is_empty() {
        event.kind = EventKind::ConfigChange;
    }
    event.event_code = Some(kind);
    Ok(event)
}

/// A record in OCSF, as MongoDB writes it. Its classes are not always ours: such a record keeps its name and time.
fn of_ocsf<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let mut event = match ocsf::decode(text, place) {
        Ok(event) => event,
        Err(fault) if fault.reason == dataward_event::quarantine::QuarantineReason::WrongShape => {
            let root: Node<'a> =
                serde_json::from_str(text).map_err(|error| Fault::malformed(text, &error))?;
            let time = root.integer(&["time"]).map(EventTime::from_millis);
            let name = root.text(&["unmapped", "atype"]).or_else(|| root.text(&["activity_name"]));
            let type_uid = root.text(&["type_uid"]).unwrap_or(Cow::Borrowed("unknown"));
            let operation = name.unwrap_or_else(|| Cow::Owned(format!("OCSF {type_uid}")));
            let mut event = place.event(Source::MongodbAudit, text, None, time, operation)?;
            let act = if type_uid.starts_with("5002") { Act::CONFIG } else { Act::OTHER };
            act.put(&mut event);
            event.event_code = Some(type_uid);
            event.client.ip = root.text(&["src_endpoint", "ip"]);
            event
        }
        Err(fault) => return Err(fault),
    };
    event.source = Cow::Borrowed(Source::MongodbAudit.name());
    if event.datastore.is_none() {
        event.datastore = Some(server(place.host, &Address::default()));
    }
    Ok(event)
}

/// `{"$date": "2017-02-14T14:15:49.161+0100"}`, or milliseconds in one of the forms of extended JSON.
fn time(ts: Unread<'_>) -> Option<EventTime> {
    let node = ts.read::<Node<'_>>()?;
    let date = node.at(&["$date"]).unwrap_or(&node);
    if let Some(millis) = date.integer(&["$numberLong"]) {
        return Some(EventTime::from_millis(millis));
    }
    let text = date.scalar()?;
    time_text::parse(&text).or_else(|| text.parse().ok().map(EventTime::from_millis))
}

/// The uuid of the connection's client.
fn session(uuid: Unread<'_>) -> Option<Text<'_>> {
    let node = uuid.read::<Node<'_>>()?;
    node.text(&["$binary", "base64"])
        .or_else(|| node.text(&["$binary"]))
        .or_else(|| node.text(&["$uuid"]))
}

fn actor<'a>(line: &Line<'a>, kind: &str, param: &Param<'a>) -> Actor<'a> {
    let named = |part: Unread<'a>| part.read::<Vec<Object<User<'a>>>>().unwrap_or_default();
    let with_db = |name: Loose<'a>, db: Loose<'a>| match (name.text(), db.text()) {
        (Some(name), Some(db)) => Some(Cow::Owned(format!("{db}.{name}"))),
        (name, _) => name,
    };
    let mut users = named(line.users).into_iter().map(|user| user.fields);
    let is_system = line.remote.fields.is_system.as_bool() == Some(true);
    let first = users.next();
    let (name, db) = match first {
        // Who logs on is not known to the connection yet.
        _ if kind == "authenticate" => (param.user.clone(), param.db.clone()),
        Some(user) => (user.user, user.db),
        None => (Loose::default(), Loose::default()),
    };
    let roles =
        named(line.roles).into_iter().filter_map(|role| with_db(role.fields.role, role.fields.db));
    // A server that starts or stops is nobody's act.
    let is_server = matches!(kind, "startup" | "shutdown") && name.as_str().is_none();
    let is_program = is_server
        || is_system
        || name.as_str() == Some("__system")
        || db.as_str() == Some("$external");
    let kind = match name.as_str() {
        _ if is_program => ActorKind::Service,
        None => ActorKind::Anonymous,
        Some(_) => ActorKind::Unknown,
    };
    Actor {
        uid: with_db(name.clone(), db),
        name: name.text(),
        kind,
        groups: roles.take(OBJECTS_PER_EVENT_MAX).collect(),
        ..Actor::default()
    }
}

fn client<'a>(remote: &Address<'a>) -> Client<'a> {
    Client {
        ip: remote.ip.clone().text(),
        port: remote.port.as_count().and_then(|port| u16::try_from(port).ok()),
        domain: remote.unix.clone().text(),
        ..Client::default()
    }
}

/// The host that the envelope names, else the address on which the server was reached.
fn server_name(host: Option<&str>, local: &Address<'_>) -> String {
    match (host, local.ip.as_str(), local.port.as_str()) {
        (Some(host), _, _) => host.to_owned(),
        (None, Some(ip), Some(port)) => format!("{ip}:{port}"),
        (None, Some(ip), None) => ip.to_owned(),
        (None, None, _) => "unknown".to_owned(),
    }
}

fn server(host: Option<&str>, local: &Address<'_>) -> Datastore<'static> {
    let name = server_name(host, local);
    Datastore {
        uid: Cow::Owned(format!("mongodb://{name}")),
        name: Some(Cow::Owned(name)),
        resource_type: Some(Cow::Borrowed("MongoDB server")),
        form: DatastoreForm::Database,
    }
}

fn datastore(line: &Line<'_>, param: &Param<'_>, place: Place<'_>) -> Datastore<'static> {
    let database = param
        .ns
        .as_str()
        .map(|ns| ns.split_once('.').map_or(ns, |(database, _)| database))
        .or_else(|| param.db.as_str())
        .filter(|database| !database.is_empty());
    let Some(database) = database else { return server(place.host, &line.local.fields) };
    let name = server_name(place.host, &line.local.fields);
    Datastore {
        uid: Cow::Owned(format!("mongodb://{name}/{database}")),
        name: Some(Cow::Owned(database.to_owned())),
        resource_type: Some(Cow::Borrowed("MongoDB database")),
        form: DatastoreForm::Database,
    }
}

fn act(kind: &str, operation: &str, args: Unread<'_>) -> (Act, Option<ReadScope>) {
    if kind == "authCheck" {
        return command(operation, args);
    }
    let act = match kind {
        "authenticate" => Act::LOGON,
        "logout" => Act::LOGOFF,
        "createUser" => Act::USER_CREATE,
        "dropUser" | "dropAllUsersFromDatabase" => Act::USER_DELETE,
        "updateUser" => Act::USER_UPDATE,
        "grantRolesToUser" | "grantRolesToRole" | "grantPrivilegesToRole" => Act::GRANT,
        "revokeRolesFromUser" | "revokeRolesFromRole" | "revokePrivilegesFromRole" => Act::REVOKE,
        "createRole" => Act::ENTITY_CREATE,
        "updateRole" => Act::ENTITY_UPDATE,
        "dropRole" | "dropAllRolesFromDatabase" => Act::ENTITY_DELETE,
        "createCollection" | "createDatabase" | "createIndex" | "importCollection" => {
            Act::SCHEMA_CREATE
        }
        "renameCollection" | "enableSharding" | "shardCollection" | "refineCollectionShardKey" => {
            Act::SCHEMA_UPDATE
        }
        "dropCollection" | "dropDatabase" | "dropIndex" => Act::SCHEMA_DELETE,
        "auditConfigure"
        | "setClusterParameter"
        | "updateCachedClusterServerParameter"
        | "replSetReconfig"
        | "addShard"
        | "removeShard"
        | "directAuthMutation" => Act::CONFIG,
        "rotateLog" => Act::LOG_START,
        "startup" => Act::APP_START,
        "shutdown" => Act::APP_STOP,
        _ => Act::OTHER,
    };
    (act, None)
}

/// Whether a command that is told by `authCheck` may change protection.
fn operation_is_admin(command: &str) -> bool {
    matches!(command, "setAuditConfig" | "setParameter")
}

/// What a command is, where `auditAuthorizationSuccess` shows it.
fn command(name: &str, args: Unread<'_>) -> (Act, Option<ReadScope>) {
    let act = match name {
        "find" => {
            let node = args.read::<Node<'_>>();
            let is_whole = node.is_some_and(|args| {
                let is_open = match args.at(&["filter"]) {
                    None | Some(Node::Null) => true,
                    Some(Node::Map(filter)) => filter.is_empty(),
                    Some(_) => false,
                };
                is_open && args.count(&["limit"]).unwrap_or(0) == 0
            });
            let scope = if is_whole { ReadScope::Whole } else { ReadScope::Part };
            return (Act::QUERY, Some(scope));
        }
        "aggregate" => {
            let writes = args
                .json()
                .is_some_and(|args| args.contains("\"$out\"") || args.contains("\"$merge\""));
            return (Act::QUERY, Some(if writes { ReadScope::Export } else { ReadScope::Part }));
        }
        "getMore" | "count" | "distinct" | "mapReduce" | "mapreduce" | "geoSearch" => Act::QUERY,
        "insert" => Act::WRITE,
        "update" | "findAndModify" | "findandmodify" => Act::UPDATE,
        "delete" => Act::DELETE,
        "listCollections" | "listDatabases" | "listIndexes" | "dbStats" | "collStats" => Act::LIST,
        _ => Act::OTHER,
    };
    (act, None)
}
