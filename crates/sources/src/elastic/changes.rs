//! Which changes of protection an audit record of Elasticsearch states.

use dataward_event::audit_event::Text;
use dataward_event::change::{Change, Direction};

use crate::catalogue_rows::elastic as rows;
use crate::changes::Changes;
use crate::lenient::Unread;
use crate::network::{Breadth, breadth, is_of_the_internet};
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
    pub(super) user: Option<&'e str>,
    pub(super) indices: &'e [Text<'a>],
    /// The rule of the filter of addresses by which somebody came in, and at which door.
    pub(super) rule: Option<&'e str>,
    pub(super) profile: Option<&'e str>,
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
                    if let Some(is_undone) = filters_undone(descriptor) {
                        flag_named(&mut changes, &rows::ROLE_FILTERS, role, is_undone);
                    }
                }
            }
        }
        "delete_role" => {
            closed(&mut changes, &rows::ROLE_WIDE, node(said.delete), "role");
            closed(&mut changes, &rows::ROLE_FILTERS, node(said.delete), "role");
        }
        "put_role_mapping" => {
            if let Some(put) = node(said.put) {
                let mapping = put.at(&["role_mapping"]).unwrap_or(&put);
                let is_on = mapping.flag(&["enabled"]).unwrap_or(true);
                // A realm is many: none of its users is chosen for a role that may do everything.
                let is_superuser = mapping.texts(&["roles"]).any(|role| role == "superuser");
                let is_everyone = mapping
                    .at(&["rules"])
                    .is_some_and(|rules| matches_everybody(rules, is_superuser));
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
        "connection_granted" if said.rule == Some("allow _all") => {
            let is_of_nodes = said.profile.is_some_and(|profile| profile != ".http");
            let kind = if is_of_nodes { "transport" } else { "http" };
            let opened = format!("xpack.security.{kind}.filter.allow");
            changes.weakened(&rows::IP_FILTER, opened);
        }
        _ => {
            settings(said, &mut changes);
            written_by_api(said, &mut changes);
            touched_indices(said, &mut changes);
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

/// A role or a place for copies as a request writes it, where bodies are recorded. Of a role the change of configuration says
/// the same once more.
fn written_by_api(said: &Said<'_, '_>, changes: &mut Changes) {
    let Some(path) = said.path else { return };
    let body = said.body.and_then(|body| serde_json::from_str::<Node<'_>>(body).ok());
    let Some(body) = body else { return };
    if let Some(role) = path.strip_prefix("/_security/role/") {
        changes.flag(&rows::ROLE_WIDE, is_wide(&body), role.to_owned());
    }
    if let Some(repository) = path.strip_prefix("/_snapshot/").filter(|name| !name.contains('/')) {
        let endpoint = body.text(&["settings", "endpoint"]).unwrap_or_default();
        let is_plain = body.text(&["settings", "protocol"]).as_deref() == Some("http");
        if is_outside(&endpoint) || is_plain && !endpoint.is_empty() {
            changes.weakened(&rows::REPOSITORY, repository.to_owned()).after =
                Some(endpoint.into_owned().into());
        }
    }
}

/// Whether `host:port`, also behind `https://`, is an address of the internet.
fn is_outside(place: &str) -> bool {
    let place = place.rsplit("://").next().unwrap_or_default();
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    is_of_the_internet(host.trim_start_matches('[').trim_end_matches(']'))
}

/// Indices in which the product itself keeps something: who may do what, and what was done.
fn touched_indices(said: &Said<'_, '_>, changes: &mut Changes) {
    // Its own users start with a mark.
    if said.event != "access_granted" || said.user.is_none_or(|user| user.starts_with('_')) {
        return;
    }
    let names = |part: &str| said.indices.iter().find(|index| index.contains(part));
    match said.action {
        "indices:admin/delete" | "indices:admin/data_stream/delete" => {
            if let Some(index) =
                names("elasticsearch.audit").or_else(|| names("security_audit_log"))
            {
                changes.weakened(&rows::AUDIT_INDEX, index.to_string());
            }
        }
        _ if said.action.starts_with("indices:data/write/") => {
            if let Some(index) = said.indices.iter().find(|index| index.starts_with(".security")) {
                changes.weakened(&rows::SECURITY_INDEX, index.to_string());
            }
        }
        _ => {}
    }
}

/// Whether what a role may see of an index is filtered, but by a filter that all pass, or beside a part of the role that
/// filters nothing; `None` where nothing is filtered at all.
fn filters_undone(descriptor: &Node<'_>) -> Option<bool> {
    let parts = descriptor.list(&["indices"]);
    let passes_all = |part: &Node<'_>| {
        let query = part.text(&["query"]).unwrap_or_default();
        let compact: String = query.chars().filter(|letter| !letter.is_whitespace()).collect();
        compact == "{\"match_all\":{}}"
    };
    let has_query =
        |part: &Node<'_>| part.any_text(&["query"]).is_some_and(|query| !query.is_empty());
    let hides_fields = |part: &Node<'_>| {
        let granted = part.list(&["field_security", "grant"]);
        let is_all = part.texts(&["field_security", "grant"]).any(|field| field == "*");
        !granted.is_empty() && !is_all || !part.list(&["field_security", "except"]).is_empty()
    };
    let filters = |part: &&Node<'_>| has_query(part) && !passes_all(part) || hides_fields(part);
    if parts.iter().any(|part| passes_all(part) && !hides_fields(part)) {
        return Some(true);
    }
    let filtered: Vec<&Node<'_>> = parts.iter().filter(filters).collect();
    if filtered.is_empty() {
        return None;
    }
    let is_undone = parts.iter().filter(|part| !filters(part)).any(|open| {
        open.texts(&["names"]).any(|pattern| {
            filtered.iter().any(|part| part.texts(&["names"]).any(|name| covers(&pattern, &name)))
        })
    });
    Some(is_undone)
}

/// Whether a pattern of names, which may end in a star, holds a name.
fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
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
            if name.starts_with("cluster.remote.")
                && [".seeds", ".proxy_address"].iter().any(|end| name.ends_with(end))
            {
                match value.as_deref() {
                    Some(place) if is_outside(place) => {
                        changes.weakened(&rows::REMOTE_CLUSTER, name).after =
                            Some(place.to_owned().into());
                    }
                    None => {
                        changes.strengthened(&rows::REMOTE_CLUSTER, name);
                    }
                    _ => {}
                }
                continue;
            }
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

/// Whether rules are true for every user, or for every user of a realm.
fn matches_everybody(rules: &Node<'_>, of_realm: bool) -> bool {
    let matches = |rules: &Node<'_>| matches_everybody(rules, of_realm);
    let field = rules.at(&["field"]);
    field
        .and_then(|field| {
            field.text(&["username"]).or_else(|| field.list(&["username"]).first()?.scalar())
        })
        .is_some_and(|name| name == "*")
        || of_realm && field.is_some_and(|field| field.has(&["realm.name"]))
        // Everybody but somebody is everybody.
        || rules.at(&["except"]).is_some_and(|except| !matches_everybody(except, false))
        || rules.list(&["any"]).iter().any(matches)
        || (!rules.list(&["all"]).is_empty() && rules.list(&["all"]).iter().all(matches))
}
