//! MongoDB Atlas: one event of a project or organisation, as the Admin API returns it.

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, Outcome,
};
use dataward_event::change::Direction;

use crate::act::Act;
use crate::catalogue_rows::atlas as rows;
use crate::changes::Changes;
use crate::container::Fault;
use crate::lenient::{Loose, Object, Unread, fields};
use crate::network::{is_private, prefix, world_name};
use crate::node::Node;
use crate::source::{Place, Source};
use crate::time_text;

/// An entry of the access list with a shorter prefix is as good as everybody.
const BROAD_IPV4_PREFIX: u8 = 16;
const BROAD_IPV6_PREFIX: u8 = 32;

/// Roles with which every database is read.
const ADMIN_ROLES: [&str; 6] = [
    "atlasAdmin",
    "readAnyDatabase",
    "readWriteAnyDatabase",
    "dbAdminAnyDatabase",
    "backup",
    "root",
];

fields! {
    /// One event.
    struct Event<'a> {
        id: Loose<'a> = "id",
        created: Loose<'a> = "created",
        kind: Loose<'a> = "eventTypeName",
        username: Loose<'a> = "username",
        user_id: Loose<'a> = "userId",
        target: Loose<'a> = "targetUsername",
        api_key: Loose<'a> = "apiKeyId",
        public_key: Loose<'a> = "publicKey",
        is_global_admin: Loose<'a> = "isGlobalAdmin",
        address: Loose<'a> = "remoteAddress",
        organisation: Loose<'a> = "orgId",
        project: Loose<'a> = "groupId",
        cluster: Loose<'a> = "clusterName",
        entry: Loose<'a> = "whitelistEntry" | "accessListEntry",
        alert: Loose<'a> = "alertConfigId",
        database_user: Loose<'a> = "dbUserUsername" | "dbUsername",
        resource: Loose<'a> = "resourceId",
        raw: Unread<'a> = "raw",
        roles: Unread<'a> = "roles",
    }
}

/// Reads one event.
///
/// # Errors
/// The text is malformed, names no type of event, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: source, is_object } = serde_json::from_str::<Object<Event<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    let Some(kind) = source.kind.clone().text().filter(|_| is_object) else {
        return Err(Fault::shape("expected an event of Atlas: an object with eventTypeName"));
    };
    let time = source.created.as_str().and_then(time_text::parse);
    let uid = source.id.clone().text();
    let mut event = place.event(Source::MongodbAtlas, text, uid, time, kind)?;
    act(&event.operation).put(&mut event);
    // Only what was done is an event; a refused log-on is told by its name.
    let is_failure = ["FAILED", "FAILURE", "DENIED"].iter().any(|w| event.operation.contains(w));
    event.outcome = if is_failure { Outcome::Failure } else { Outcome::Success };
    event.actor = actor(&source);
    let address = source.address.clone().text();
    let is_address = address.as_deref().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    event.client = Client {
        ip: address.clone().filter(|_| is_address),
        domain: address.filter(|_| !is_address),
        ..Client::default()
    };
    event.account_uid =
        source.organisation.clone().text().or_else(|| source.project.clone().text());
    event.provider = Some(Cow::Borrowed("MongoDB"));
    event.datastore = datastore(&source);
    let things = [&source.entry, &source.database_user, &source.target, &source.resource];
    event.objects = things.into_iter().filter_map(|thing| thing.clone().text()).collect();
    event.changes = changes(&source, &event.operation).into_vec();
    Ok(event)
}

/// What an event says, by its name.
fn act(name: &str) -> Act {
    let has = |word: &str| name.contains(word);
    match name {
        "USER_LOGIN" | "LOGIN" | "SUCCESSFUL_LOGIN" | "FAILED_LOGIN" => Act::LOGON,
        "USER_LOGOUT" | "LOGOUT" => Act::LOGOFF,
        "CLUSTER_CREATED" => Act::ENTITY_CREATE,
        "CLUSTER_DELETED" => Act::ENTITY_DELETE,
        "MONGODB_USER_ADDED" => Act::USER_CREATE,
        "MONGODB_USER_UPDATED" => Act::USER_UPDATE,
        "MONGODB_USER_DELETED" => Act::USER_DELETE,
        _ if has("LOGIN") => Act::LOGON,
        _ if has("API_KEY") && has("CREATED") => Act::USER_CREATE,
        _ if has("API_KEY") && has("DELETED") => Act::USER_DELETE,
        _ if has("DATA_EXPLORER") && (has("READ") || has("FIND") || has("QUER")) => Act::QUERY,
        _ if has("VIEWED") || has("DOWNLOADED") => Act::API_READ,
        _ if has("ADDED") || has("CREATED") || has("INVITED") => Act::API_CREATE,
        _ if has("DELETED") || has("REMOVED") => Act::API_DELETE,
        _ if has("UPDATED") || has("CHANGED") || has("ENABLED") || has("DISABLED") => {
            Act::API_UPDATE
        }
        _ => Act::API_OTHER,
    }
}

fn actor<'a>(source: &Event<'a>) -> Actor<'a> {
    let name = source.username.clone().text();
    let key = source.api_key.clone().text();
    let kind = match (&name, &key) {
        (Some(_), _) => ActorKind::Human,
        (None, Some(_)) => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    // An employee of MongoDB, acting from outside the organisation.
    let is_provider = source.is_global_admin.as_bool() == Some(true);
    Actor {
        uid: name.clone().or_else(|| key.clone()),
        name: name.or_else(|| source.public_key.clone().text()),
        kind,
        user_type: is_provider.then_some(Cow::Borrowed("GLOBAL_ADMIN")),
        credential_uid: source.public_key.clone().text().or(key),
        ..Actor::default()
    }
}

/// The cluster; what is set for a project or an organisation is on a guard of its clusters.
fn datastore(source: &Event<'_>) -> Option<Datastore<'static>> {
    let project = source.project.as_str();
    let (uid, name, resource_type, form) = match (project, source.cluster.as_str()) {
        (Some(project), Some(cluster)) => {
            (format!("atlas/{project}/{cluster}"), cluster, "cluster", DatastoreForm::Database)
        }
        // The access list and the audit log of a project are those of all its clusters.
        (Some(project), None) => {
            (format!("atlas/{project}"), project, "project", DatastoreForm::Database)
        }
        (None, _) => {
            let organisation = source.organisation.as_str()?;
            let uid = format!("atlas/organization/{organisation}");
            (uid, organisation, "organization", DatastoreForm::Guard)
        }
    };
    Some(Datastore {
        uid: Cow::Owned(uid),
        name: Some(Cow::Owned(name.to_owned())),
        resource_type: Some(Cow::Borrowed(resource_type)),
        form,
    })
}

fn changes(source: &Event<'_>, name: &str) -> Changes {
    let mut changes = Changes::default();
    match name {
        "NETWORK_PERMISSION_ENTRY_ADDED"
        | "NETWORK_PERMISSION_ENTRY_UPDATED"
        | "NETWORK_PERMISSION_ENTRY_REMOVED" => access_list(source, name, &mut changes),
        "AUDIT_LOG_CONFIGURATION_UPDATED" => {
            changes.push(&rows::AUDIT_UPDATED, Direction::Unknown, "auditLog");
        }
        "MONGODB_USER_ADDED" | "MONGODB_USER_UPDATED" | "MONGODB_USER_DELETED" => {
            database_user(source, name, &mut changes);
        }
        "ALERT_CONFIG_DISABLED_AUDIT" | "ALERT_CONFIG_DELETED_AUDIT" => {
            changes.weakened(&rows::ALERT_DISABLED, alert(source));
        }
        "ALERT_CONFIG_ENABLED_AUDIT" => {
            changes.strengthened(&rows::ALERT_DISABLED, alert(source));
        }
        "ORG_TWO_FACTOR_AUTH_OPTIONAL" => {
            changes.weakened(&rows::TWO_FACTOR, "two_factor");
        }
        "ORG_TWO_FACTOR_AUTH_REQUIRED" => {
            changes.strengthened(&rows::TWO_FACTOR, "two_factor");
        }
        "ORG_PUBLIC_API_ACCESS_LIST_NOT_REQUIRED" => {
            changes.weakened(&rows::API_ACCESS_LIST, "api_access_list");
        }
        "ORG_PUBLIC_API_ACCESS_LIST_REQUIRED" => {
            changes.strengthened(&rows::API_ACCESS_LIST, "api_access_list");
        }
        _ => {}
    }
    changes
}

fn alert(source: &Event<'_>) -> String {
    format!("alert {}", source.alert.as_str().unwrap_or_default())
}

fn access_list(source: &Event<'_>, name: &str, changes: &mut Changes) {
    let Some(entry) = source.entry.as_str() else { return };
    let limit = if entry.contains(':') { BROAD_IPV6_PREFIX } else { BROAD_IPV4_PREFIX };
    let is_broad = prefix(entry).is_some_and(|prefix| prefix < limit) && !is_private(entry);
    let row = &rows::ACCESS_LIST_OPEN;
    let opened = world_name(entry).to_owned();
    match name {
        "NETWORK_PERMISSION_ENTRY_REMOVED" => {
            changes.strengthened(row, opened);
        }
        _ if is_broad => {
            changes.weakened(row, opened);
        }
        // What an update replaced is not told.
        "NETWORK_PERMISSION_ENTRY_UPDATED" => {
            changes.push(row, Direction::Unknown, opened);
        }
        _ => {}
    }
}

/// Roles are told only where the raw event is asked for.
fn database_user(source: &Event<'_>, name: &str, changes: &mut Changes) {
    let user = source.database_user.as_str().or_else(|| source.resource.as_str());
    let opened = format!("user {}", user.unwrap_or_default());
    if name == "MONGODB_USER_DELETED" {
        changes.strengthened(&rows::ADMIN_USER, opened);
        return;
    }
    let raw: Node<'_> = source.raw.read().unwrap_or_default();
    let roles: Node<'_> = source.roles.read().unwrap_or_default();
    let in_raw = raw.list(&["roles"]).iter().chain(raw.list(&["user", "roles"]));
    let mut names = in_raw.chain(roles.list(&[])).filter_map(|role| {
        role.scalar().or_else(|| role.text(&["roleName"])).or_else(|| role.text(&["role"]))
    });
    let mut has_roles = false;
    let is_admin = names.any(|role| {
        has_roles = true;
        ADMIN_ROLES.contains(&role.split('@').next().unwrap_or_default())
    });
    if is_admin || (has_roles && name == "MONGODB_USER_UPDATED") {
        changes.flag(&rows::ADMIN_USER, is_admin, opened);
    }
}
