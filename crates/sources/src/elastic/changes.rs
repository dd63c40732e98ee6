//! Which changes of protection an audit record of Elasticsearch states.

use dataward_event::change::{Change, Direction};

use crate::catalogue_rows::elastic as rows;
use crate::changes::Changes;
use crate::lenient::Unread;
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
        "change_apikey" => {
            if let Some(change) = node(said.change) {
                let key = change.at(&["apikey"]).unwrap_or(&change);
                let is_told = !matches!(key.at(&["role_descriptors"]), None | Some(Node::Null));
                if let Some(id) = key.text(&["id"]).filter(|_| is_told) {
                    let is_wide = has_all_of_its_owner(key);
                    let direction =
                        if is_wide { Direction::Unknown } else { Direction::Strengthened };
                    changes.push(&rows::API_KEY, direction, id.into_owned());
                }
            }
        }
        "create_apikey" => {
            if let Some(create) = node(said.create) {
                let key = create.at(&["apikey"]).unwrap_or(&create);
                let is_unbounded = key.text(&["expiration"]).is_none() && has_all_of_its_owner(key);
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
        _ => settings(said, &mut changes),
    }
    changes.into_vec()
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
        || rules.list(&["any"]).iter().any(matches_everybody)
        || (!rules.list(&["all"]).is_empty() && rules.list(&["all"]).iter().all(matches_everybody))
}
