//! Which changes of protection an audit record of Elasticsearch states.

use dataward_event::change::{Change, Direction};

use crate::catalogue_rows::elastic as rows;
use crate::changes::Changes;
use crate::lenient::Unread;
use crate::network::{Breadth, breadth};
use crate::node::Node;

/// The parts of a record that may state one.
pub(super) struct Said<'e, 'a> {
    pub(super) event: &'e str,
    pub(super) action: &'e str,
    pub(super) put: Unread<'a>,
    pub(super) change: Unread<'a>,
    pub(super) create: Unread<'a>,
    pub(super) delete: Unread<'a>,
    pub(super) invalidate: Unread<'a>,
    /// The user's realm, by which nobody in particular is known.
    pub(super) realm: Option<&'e str>,
    pub(super) path: Option<&'e str>,
    pub(super) body: Option<&'e str>,
}

/// Roles that may read every index.
const WIDE_ROLES: [&str; 3] = ["superuser", "all_access", "admin"];

/// Users that every cluster has.
const BUILT_IN: [&str; 7] = [
    "elastic",
    "kibana",
    "kibana_system",
    "logstash_system",
    "beats_system",
    "apm_system",
    "remote_monitoring_user",
];

pub(super) fn of(said: &Said<'_, '_>) -> Vec<Change<'static>> {
    let mut changes = Changes::default();
    let node = |part: Unread<'_>| -> Option<Node<'static>> {
        part.read::<Node<'_>>().map(Node::into_owned)
    };
    match said.event {
        "put_role" | "change_role" => {
            if let Some(put) = node(said.put).or_else(|| node(said.change)) {
                let role = put.at(&["role"]).unwrap_or(&put);
                let descriptor = role.at(&["role_descriptor"]).unwrap_or(role);
                // Roles that every cluster has are written again at its start.
                if descriptor.flag(&["metadata", "_reserved"]) != Some(true) {
                    flag_named(&mut changes, &rows::ROLE_WIDE, role, is_wide(descriptor));
                }
            }
        }
        "delete_role" => closed(&mut changes, &rows::ROLE_WIDE, node(said.delete), "role"),
        "put_role_mapping" => {
            if let Some(put) = node(said.put) {
                let mapping = put.at(&["role_mapping"]).unwrap_or(&put);
                let is_on = mapping.flag(&["enabled"]).unwrap_or(true);
                let is_everyone = mapping.at(&["rules"]).is_some_and(matches_everybody);
                flag_named(&mut changes, &rows::ROLE_MAPPING, mapping, is_on && is_everyone);
            }
        }
        "delete_role_mapping" => {
            closed(&mut changes, &rows::ROLE_MAPPING, node(said.delete), "role_mapping");
        }
        "put_user" => {
            if let Some(put) = node(said.put) {
                let user = put.at(&["user"]).unwrap_or(&put);
                let is_on = user.flag(&["enabled"]).unwrap_or(true);
                let roles = user.list(&["roles"]).iter().filter_map(Node::scalar);
                let is_wide = roles.into_iter().any(|role| WIDE_ROLES.contains(&&*role));
                flag_named(&mut changes, &rows::USER_SUPERUSER, user, is_on && is_wide);
            }
        }
        "delete_user" => closed(&mut changes, &rows::USER_SUPERUSER, node(said.delete), "user"),
        "change_enable_user" | "change_disable_user" => {
            let is_enabled = said.event == "change_enable_user";
            let part = if is_enabled { "enable" } else { "disable" };
            if let Some(change) = node(said.change) {
                let user =
                    change.at(&[part, "user"]).or_else(|| change.at(&["user"])).unwrap_or(&change);
                if user.text(&["name"]).is_some_and(|name| BUILT_IN.contains(&&*name)) {
                    flag_named(&mut changes, &rows::BUILT_IN_USER, user, is_enabled);
                }
            }
        }
        "change_password" => {
            if let Some(change) = node(said.change) {
                let user = change.at(&["password", "user"]).unwrap_or(&change);
                let name = user.text(&["name"]).filter(|name| BUILT_IN.contains(&&**name));
                if let Some(name) = name {
                    // A rotation looks the same.
                    changes.push(&rows::BUILT_IN_PASSWORD, Direction::Unknown, name.into_owned());
                }
            }
        }
        "change_apikey" | "change_apikeys" => {
            if let Some(change) = node(said.change) {
                let keys = change.at(&["apikey"]).or_else(|| change.at(&["apikeys"]));
                changed_keys(keys.unwrap_or(&change), &mut changes);
            }
        }
        "create_apikey" => {
            if let Some(create) = node(said.create) {
                let key = create.at(&["apikey"]).unwrap_or(&create);
                let end = key.text(&["expiration"]);
                let is_unbounded =
                    end.is_none_or(|end| outlives_its_owner(&end)) && has_all_of_its_owner(key);
                if is_unbounded {
                    flag_named(&mut changes, &rows::API_KEY, key, true);
                }
            }
        }
        "invalidate_apikeys" => {
            if let Some(invalidate) = node(said.invalidate) {
                let keys = invalidate.at(&["apikeys"]).unwrap_or(&invalidate);
                for id in keys.list(&["ids"]).iter().filter_map(Node::scalar) {
                    changes.strengthened(&rows::API_KEY, id.into_owned());
                }
            }
        }
        "create_service_token" => {
            if let Some(create) = node(said.create) {
                let token = create.at(&["service_token"]).unwrap_or(&create);
                flag_named(&mut changes, &rows::SERVICE_TOKEN, token, true);
            }
        }
        "delete_service_token" => {
            closed(&mut changes, &rows::SERVICE_TOKEN, node(said.delete), "service_token");
        }
        // What nobody in particular reads is a read, and an exposure by itself; that they come in at all is told here.
        "authentication_success"
            if said.realm.is_some_and(|realm| matches!(realm, "__anonymous" | "_anonymous"))
                && said.path != Some("/") =>
        {
            changes.weakened(&rows::ANONYMOUS, "anonymous access");
        }
        _ => {
            settings(said, &mut changes);
            role_by_api(said, &mut changes);
        }
    }
    changes.into_vec()
}

/// Keys whose rights are set again: those that are told are all that they have.
fn changed_keys(keys: &Node<'_>, changes: &mut Changes) {
    let descriptors = match keys.at(&["role_descriptors"]) {
        None | Some(Node::Null) => return,
        Some(Node::List(roles)) => roles.len(),
        Some(Node::Map(roles)) => roles.len(),
        Some(Node::Scalar(_)) => 1,
    };
    let direction = match (has_all_of_its_owner(keys), descriptors) {
        (false, _) => Direction::Strengthened,
        // Without rights of its own it has those of its owner, whatever they are.
        (true, 0) => Direction::Unknown,
        (true, _) => Direction::Weakened,
    };
    let one = keys.text(&["id"]);
    for id in one.into_iter().chain(keys.texts(&["ids"])) {
        changes.push(&rows::API_KEY, direction, id.into_owned());
    }
}

/// The days after which a key that still works is as good as one that always does.
const KEY_DAYS_MAX: u64 = 365;

/// Whether the end of a key, `3650d`, is as far as none.
fn outlives_its_owner(end: &str) -> bool {
    let days = end.trim().strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    days.is_some_and(|days| days > KEY_DAYS_MAX)
}

/// A role as a request writes it, where bodies are recorded. The change of configuration says the same once more.
fn role_by_api(said: &Said<'_, '_>, changes: &mut Changes) {
    let role = said.path.and_then(|path| path.strip_prefix("/_security/role/"));
    let body = said.body.and_then(|body| serde_json::from_str::<Node<'_>>(body).ok());
    if let (Some(role), Some(body)) = (role, body) {
        changes.flag(&rows::ROLE_WIDE, is_wide(&body), role.to_owned());
    }
}

/// The settings that a request body names: it stands in the record of the log-on where bodies are emitted.
fn settings(said: &Said<'_, '_>, changes: &mut Changes) {
    if said.action == "cluster:admin/repository/put" {
        changes.push(&rows::REPOSITORY, Direction::Unknown, "");
        return;
    }
    // Auditing, the security of documents and fields, and IP filters come with a licence and end with it.
    match said.action {
        "cluster:admin/xpack/license/start_basic" | "cluster:admin/xpack/license/delete" => {
            changes.weakened(&rows::LICENSE, "license");
        }
        "cluster:admin/xpack/license/put" | "cluster:admin/xpack/license/start_trial" => {
            changes.strengthened(&rows::LICENSE, "license");
        }
        _ => {}
    }
    if said.action == "cluster:admin/settings/update" && said.body.is_none() {
        // Which settings, only the body would tell, and bodies stand in the records of log-ons alone.
        changes.push(&rows::AUDIT_SETTINGS, Direction::Unknown, "");
        return;
    }
    let is_settings = said.path.is_some_and(|path| path.starts_with("/_cluster/settings"));
    let Some(body) = said.body.filter(|_| is_settings) else { return };
    let Ok(body) = serde_json::from_str::<Node<'_>>(body) else { return };
    for part in ["persistent", "transient"] {
        let Some(part) = body.at(&[part]) else { continue };
        let included = "xpack.security.audit.logfile.events.include";
        if let Some(events) = listed(part, included) {
            let is_enough =
                NEEDED_EVENTS.iter().all(|event| events.iter().any(|other| other == event));
            let is_weak = !is_enough && !events.iter().any(|event| event == "_all");
            changes.flag(&rows::AUDIT_SETTINGS, is_weak, included);
        }
        for name in ["xpack.security.http.filter.allow", "xpack.security.transport.filter.allow"] {
            if let Some(networks) = listed(part, name) {
                let is_open = networks
                    .iter()
                    .any(|network| network == "_all" || breadth(network) == Some(Breadth::World));
                changes.flag(&rows::IP_FILTER, is_open, name);
            }
        }
        for (name, value) in part.leaves() {
            let value = value.as_deref();
            let is_off = value == Some("false");
            match &*name {
                "xpack.security.audit.enabled" => {
                    changes.flag(&rows::AUDIT_SETTINGS, is_off, name);
                }
                _ if name.starts_with("xpack.security.audit.logfile.events.exclude")
                    || name.starts_with("xpack.security.audit.logfile.events.ignore_filters") =>
                {
                    changes.flag(&rows::AUDIT_SETTINGS, value.is_some(), name);
                }
                "xpack.security.http.filter.enabled"
                | "xpack.security.transport.filter.enabled" => {
                    changes.flag(&rows::IP_FILTER, is_off, name);
                }
                _ => {}
            }
        }
    }
}

/// Events without which neither access nor a change of protection is seen.
const NEEDED_EVENTS: [&str; 2] = ["access_granted", "security_config_change"];

/// A setting that is a list, named in one key or in a key for each part of it; one value is a list, too.
fn listed(settings: &Node<'_>, name: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = name.split('.').collect();
    match settings.at(&[name]).or_else(|| settings.at(&parts))? {
        Node::List(items) => {
            Some(items.iter().filter_map(Node::scalar).map(|item| item.into_owned()).collect())
        }
        Node::Scalar(text) => Some(text.split(',').map(|item| item.trim().to_owned()).collect()),
        Node::Null | Node::Map(_) => None,
    }
}

fn flag_named(
    changes: &mut Changes,
    row: &crate::catalogue_rows::EmittedRow,
    thing: &Node<'_>,
    is_weak: bool,
) {
    let name = thing.text(&["id"]).filter(|_| row.id == rows::API_KEY.id);
    if let Some(name) = name.or_else(|| thing.text(&["name"])) {
        changes.flag(row, is_weak, name.into_owned());
    }
}

fn closed(
    changes: &mut Changes,
    row: &crate::catalogue_rows::EmittedRow,
    part: Option<Node<'static>>,
    key: &str,
) {
    let Some(part) = part else { return };
    if let Some(name) = part.text(&[key, "name"]).or_else(|| part.text(&["name"])) {
        changes.strengthened(row, name.into_owned());
    }
}

/// Whether a role reads every index, manages security, or reaches what is restricted.
fn is_wide(descriptor: &Node<'_>) -> bool {
    let has = |list: &[Node<'_>], wanted: &[&str]| {
        list.iter().filter_map(Node::scalar).any(|item| wanted.contains(&&*item))
    };
    has(descriptor.list(&["cluster"]), &["all", "manage", "manage_security"])
        || descriptor.list(&["indices"]).iter().any(|index| {
            index.flag(&["allow_restricted_indices"]) == Some(true)
                || (has(index.list(&["names"]), &["*"])
                    && has(index.list(&["privileges"]), &["all", "read", "manage"]))
        })
}

/// Whether a key has the rights of who made it, or reads every index by its own.
fn has_all_of_its_owner(key: &Node<'_>) -> bool {
    match key.at(&["role_descriptors"]) {
        None | Some(Node::Null) => true,
        Some(Node::List(roles)) => roles.is_empty() || roles.iter().any(is_wide),
        Some(Node::Map(roles)) => roles.is_empty() || roles.iter().any(|(_, role)| is_wide(role)),
        Some(Node::Scalar(_)) => false,
    }
}

/// Whether rules are true for every user.
fn matches_everybody(rules: &Node<'_>) -> bool {
    let field = rules.at(&["field"]);
    field
        .and_then(|field| {
            field.text(&["username"]).or_else(|| field.list(&["username"]).first()?.scalar())
        })
        .is_some_and(|name| name == "*")
        // Everybody but somebody is everybody.
        || rules.at(&["except"]).is_some_and(|except| !matches_everybody(except))
        || rules.list(&["any"]).iter().any(matches_everybody)
        || (!rules.list(&["all"]).is_empty() && rules.list(&["all"]).iter().all(matches_everybody))
}
