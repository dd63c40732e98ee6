//! `opensearch.audit`: the audit log of OpenSearch's security plugin, as JSON, also behind the words of its logger.

use std::borrow::Cow;
use std::collections::BTreeSet;

use dataward_event::audit_event::{Actor, ActorKind, AuditEvent, Client, EventKind, Outcome, Text};
use dataward_event::change::{Change, Direction};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::volume::{ObjectCount, RowCount};

use super::audit::act_of_action;
use super::{REINDEX, address, cluster, reindexed_from};
use crate::act::Act;
use crate::catalogue_rows::elastic as rows;
use crate::changes::{Changes, kind_with};
use crate::container::Fault;
use crate::lenient::{Loose, Object, Texts, Unread, bounded_statement, fields};
use crate::node::Node;
use crate::source::{Place, Source};
use crate::time_text;

fields! {
    /// One record.
    struct Line<'a> {
        time: Loose<'a> = "@timestamp" | "audit_utc_timestamp",
        category: Loose<'a> = "audit_category",
        sharing_result: Loose<'a> = "audit_resource_sharing_result",
        cluster_name: Loose<'a> = "audit_cluster_name",
        node_name: Loose<'a> = "audit_node_name",
        user: Loose<'a> = "audit_request_effective_user",
        initiating_user: Loose<'a> = "audit_request_initiating_user",
        is_admin: Loose<'a> = "audit_request_effective_user_is_admin",
        remote: Loose<'a> = "audit_request_remote_address",
        privilege: Loose<'a> = "audit_request_privilege",
        request_type: Loose<'a> = "audit_transport_request_type",
        method: Loose<'a> = "audit_rest_request_method",
        path: Loose<'a> = "audit_rest_request_path",
        headers: Unread<'a> = "audit_rest_request_headers",
        body: Loose<'a> = "audit_request_body",
        indices: Texts<'a> = "audit_trace_indices",
        resolved: Texts<'a> = "audit_trace_resolved_indices",
        task: Loose<'a> = "audit_trace_task_id",
        parent_task: Loose<'a> = "audit_trace_task_parent_id",
        document: Loose<'a> = "audit_trace_doc_id",
        diff: Loose<'a> = "audit_compliance_diff_content",
        settings: Unread<'a> = "audit_settings_changes",
        exception: Loose<'a> = "audit_request_exception_stacktrace",
        resource: Loose<'a> = "audit_resource_id",
        share_with: Unread<'a> = "audit_resource_share_with",
        recipients_added: Unread<'a> = "audit_resource_recipients_added",
        recipients_revoked: Unread<'a> = "audit_resource_recipients_revoked",
    }
}

/// Settings by which an index refuses or hides what it holds.
const INDEX_BLOCKS: [&str; 3] = ["index.blocks.read", "index.blocks.metadata", "index.hidden"];

/// Whether a line has the words of the audit logger before its JSON.
pub(crate) fn is_line(line: &str) -> bool {
    line.find('{').is_some_and(|at| {
        let head = &line[..at];
        head.contains("sgaudit")
            || head.contains("audit") && line[at..].contains("\"audit_category\"")
    })
}

/// Reads one record.
///
/// # Errors
/// The text is malformed, is no record of this log, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let json = text.find('{').map_or(text, |at| &text[at..]);
    let Object { fields: line, is_object } = serde_json::from_str::<Object<Line<'a>>>(json)
        .map_err(|error| Fault::malformed(json, &error))?;
    let Some(category) = line.category.clone().text().filter(|_| is_object) else {
        return Err(Fault::shape("expected an audit record of OpenSearch, with `audit_category`"));
    };
    let operation = line
        .privilege
        .clone()
        .text()
        .or_else(|| rest_call(&line))
        .or_else(|| line.request_type.clone().text())
        .unwrap_or_else(|| category.clone());
    let time = line.time.as_str().and_then(time_text::parse);
    let mut event = place.event(Source::OpensearchAudit, text, None, time, operation)?;
    act(&category, &line, &mut event);
    event.outcome = match &*category {
        "FAILED_LOGIN" | "MISSING_PRIVILEGES" | "BAD_HEADERS" | "SSL_EXCEPTION" => Outcome::Failure,
        "OPENDISTRO_SECURITY_INDEX_ATTEMPT" | "OPENSEARCH_SECURITY_INDEX_ATTEMPT" => {
            Outcome::Failure
        }
        "RESOURCE_SHARING_CHANGED"
            if line.sharing_result.as_str().is_some_and(|result| result != "success") =>
        {
            Outcome::Failure
        }
        _ => Outcome::Success,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = Some(category.clone());
    }
    event.service = Some(Cow::Borrowed("opensearch"));
    event.actor = actor(&line);
    let (ip, port) = line.remote.clone().text().map_or((None, None), address);
    event.client = Client { ip, port, user_agent: user_agent(&line), ..Client::default() };
    let names = [line.cluster_name.as_str(), place.host, line.node_name.as_str()];
    let name = names.into_iter().flatten().next().unwrap_or("unknown");
    event.datastore = Some(cluster("opensearch", name));
    let indices = if line.resolved.0.is_empty() { &line.indices } else { &line.resolved };
    event.objects = indices.0.iter().take(OBJECTS_PER_EVENT_MAX).cloned().collect();
    if category == "COMPLIANCE_DOC_READ" {
        event.volume.rows = Some(RowCount(1));
        event.volume.objects = Some(ObjectCount(1));
    }
    event.statement = line.body.clone().text().map(bounded_statement);
    event.correlation_uid = line.parent_task.clone().text().or_else(|| line.task.clone().text());
    event.request_uid = line.task.clone().text();
    event.changes = changes(&category, &line);
    if !event.changes.is_empty() {
        event.kind = EventKind::ConfigChange;
    }
    if event.operation == REINDEX || line.path.as_str() == Some("/_reindex") {
        let copies = reindexed_from("opensearch", line.body.as_str());
        event.changes.extend(copies.into_vec());
        event.kind = kind_with(event.kind, &event.changes);
    }
    event.event_code = Some(category);
    Ok(event)
}

/// `GET /orders/_search`.
fn rest_call<'a>(line: &Line<'a>) -> Option<Text<'a>> {
    let (method, path) = (line.method.as_str()?, line.path.as_str()?);
    Some(Cow::Owned(format!("{method} {path}")))
}

fn act(category: &str, line: &Line<'_>, event: &mut AuditEvent<'_>) {
    let (act, scope) = match category {
        "FAILED_LOGIN" | "AUTHENTICATED" | "SSL_EXCEPTION" | "BAD_HEADERS" => (Act::LOGON, None),
        "COMPLIANCE_DOC_READ" => (Act::READ, None),
        "COMPLIANCE_DOC_WRITE" => (Act::WRITE, None),
        "CLUSTER_SETTINGS_CHANGED" | "INDEX_SETTINGS_CHANGED" | "COMPLIANCE_EXTERNAL_CONFIG" => {
            (Act::CONFIG, None)
        }
        "COMPLIANCE_INTERNAL_CONFIG_WRITE" | "API_TOKEN_WRITE" | "RESOURCE_SHARING_CHANGED" => {
            (Act::ENTITY_UPDATE, None)
        }
        "COMPLIANCE_INTERNAL_CONFIG_READ" => (Act::API_READ, None),
        _ => line.privilege.as_str().map_or((Act::OTHER, None), act_of_action),
    };
    act.put(event);
    event.read_scope = scope;
}

fn actor<'a>(line: &Line<'a>) -> Actor<'a> {
    let user = line.user.clone().text();
    let is_anonymous =
        is_anonymous(user.as_deref()) || user.as_deref().is_some_and(|user| user == "<NONE>");
    let is_program = user
        .as_deref()
        .is_some_and(|user| matches!(user, "kibanaserver" | "logstash") || user.starts_with("CN="));
    let kind = match (is_anonymous, is_program) {
        (true, _) => ActorKind::Anonymous,
        (_, true) => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    let issuer = line.initiating_user.clone().text().filter(|first| Some(first) != user.as_ref());
    let user_type =
        line.is_admin.as_bool().filter(|is_admin| *is_admin).map(|_| Cow::Borrowed("admin"));
    Actor {
        uid: user.clone().filter(|_| !is_anonymous),
        name: user,
        kind,
        user_type,
        issuer,
        ..Actor::default()
    }
}

/// The names of nobody in particular.
fn is_anonymous(user: Option<&str>) -> bool {
    user.is_some_and(|user| matches!(user, "opendistro_security_anonymous" | "anonymous"))
}

fn user_agent<'a>(line: &Line<'a>) -> Option<Text<'a>> {
    line.headers.read::<Node<'a>>()?.leaves().into_iter().find_map(|(name, value)| {
        name.eq_ignore_ascii_case("user-agent").then_some(value)?.map(Cow::Owned)
    })
}

fn changes(category: &str, line: &Line<'_>) -> Vec<Change<'static>> {
    let mut changes = Changes::default();
    match category {
        "COMPLIANCE_INTERNAL_CONFIG_WRITE" => internal_config(line, &mut changes),
        "CLUSTER_SETTINGS_CHANGED" | "INDEX_SETTINGS_CHANGED" => settings(line, &mut changes),
        "OPENDISTRO_SECURITY_INDEX_ATTEMPT" | "OPENSEARCH_SECURITY_INDEX_ATTEMPT"
            if line.is_admin.as_bool() != Some(true) =>
        {
            let row = &rows::OPENSEARCH_SECURITY_INDEX;
            changes.push(row, Direction::Unknown, "security_index");
        }
        "AUTHENTICATED" if is_anonymous(line.user.as_str()) => {
            changes.weakened(&rows::OPENSEARCH_ANONYMOUS_USED, "anonymous access");
        }
        "AUTHENTICATED" | "GRANTED_PRIVILEGES" => security_api(line, &mut changes),
        "API_TOKEN_WRITE" => {
            let is_created = line.diff.as_str().is_some_and(|diff| diff.contains("created"));
            let id = line.document.as_str().unwrap_or("token").to_owned();
            if !is_created || !is_small_token(line) {
                changes.flag(&rows::OPENSEARCH_TOKEN, is_created, id);
            }
        }
        "RESOURCE_SHARING_CHANGED" => {
            // As JSON, and as the plugin writes its own objects: `ShareWith {read={users=[*]}}`.
            let names_all = |part: Unread<'_>| {
                part.json().is_some_and(|json| {
                    ["\"*\"", "[*]", "[*,", ", *]"].iter().any(|all| json.contains(all))
                })
            };
            let resource = line.resource.as_str().unwrap_or("resource").to_owned();
            if names_all(line.recipients_added) || names_all(line.share_with) {
                changes.weakened(&rows::OPENSEARCH_SHARING, resource);
            } else if names_all(line.recipients_revoked) {
                changes.strengthened(&rows::OPENSEARCH_SHARING, resource);
            }
        }
        _ => {}
    }
    changes.into_vec()
}

/// A change of the plugin's own configuration: the document's name tells the kind, its difference (JSON Patch) or new
/// content the values.
fn internal_config(line: &Line<'_>, changes: &mut Changes) {
    let text = line.diff.as_str().or_else(|| line.body.as_str());
    let Some(node) = text.and_then(|text| serde_json::from_str::<Node<'_>>(text).ok()) else {
        return;
    };
    written(line.document.as_str().unwrap_or_default(), &node, changes);
}

/// A document of the configuration, or what is patched in it.
fn written(document: &str, node: &Node<'_>, changes: &mut Changes) {
    if let Node::List(operations) = node {
        for operation in operations {
            narrowed(document, operation, changes);
        }
    }
    if let ("roles", Node::Map(roles)) = (document, node) {
        for (role, value) in roles.iter().filter(|(role, _)| role != "_meta") {
            wide_role(&[role], Some(value), false, changes);
        }
    }
    let is_whole = matches!(node, Node::Map(_));
    for (path, value) in patched(node) {
        let value = value.as_deref();
        let (is_on, is_off) = (value == Some("true"), value == Some("false"));
        match document {
            "config" if path.ends_with("anonymous_auth_enabled") && (is_on || is_off) => {
                changes.flag(&rows::OPENSEARCH_ANONYMOUS, is_on, "anonymous_auth_enabled");
            }
            "config" if path.ends_with("do_not_fail_on_forbidden") && (is_on || is_off) => {
                // Who may read what stays as it is: what they may not read is left out instead of refused.
                let row = &rows::OPENSEARCH_FORBIDDEN;
                changes.push(row, Direction::Unknown, "do_not_fail_on_forbidden");
            }
            "config"
                if path.contains("authc")
                    && path.ends_with("http_enabled")
                    && (is_on || is_off) =>
            {
                changes.flag(&rows::OPENSEARCH_DOMAIN, is_off, path);
            }
            "config" if path.ends_with("disable_rest_auth") && (is_on || is_off) => {
                changes.flag(&rows::OPENSEARCH_DOMAIN, is_on, path);
            }
            // Whoever may say for whom a request comes can be anybody.
            "config" if path.ends_with("xff.internalProxies") && value.is_some() => {
                let is_open = matches!(value, Some(".*" | ".+"));
                changes.flag(&rows::OPENSEARCH_DOMAIN, is_open, path);
            }
            "audit" if is_whole && path.ends_with("ignore_users") && value == Some("*") => {
                changes.weakened(&rows::OPENSEARCH_AUDIT, "ignore_users");
            }
            "nodesdn" if is_whole && value.is_some_and(|value| value.contains('*')) => {
                let name = path.split('.').next().unwrap_or_default().to_owned();
                changes.weakened(&rows::OPENSEARCH_NODES, name);
            }
            "allowlist" if is_whole && path == "config.enabled" && (is_on || is_off) => {
                changes.flag(&rows::OPENSEARCH_ALLOWLIST, is_off, "enabled");
            }
            "audit"
                if (is_on || is_off)
                    && ["enabled", "enable_rest", "enable_transport", "internal_config"]
                        .iter()
                        .any(|name| path.ends_with(name)) =>
            {
                changes.flag(&rows::OPENSEARCH_AUDIT, is_off, path);
            }
            // Everybody has a role for what is their own.
            "rolesmapping" if !path.starts_with("own_index") => {
                let everyone =
                    matches!(value, Some("*" | "opendistro_security_anonymous_backendrole"));
                changes.flag(&rows::OPENSEARCH_MAPPING, everyone, path);
            }
            "internalusers" if value.is_none() || path.contains("roles") => {
                let is_admin = matches!(value, Some("admin" | "all_access"));
                changes.flag(&rows::OPENSEARCH_ADMIN, is_admin, path);
            }
            _ => {}
        }
    }
}

/// A call of the security plugin's own API. What is written is told where bodies are recorded.
fn security_api(line: &Line<'_>, changes: &mut Changes) {
    let writes = line
        .method
        .as_str()
        .is_some_and(|method| matches!(method, "PUT" | "PATCH" | "POST" | "DELETE"));
    let Some(path) = line.path.as_str().filter(|_| writes) else { return };
    let path = path.trim_start_matches('/');
    let of_api = ["_plugins/_security/api/", "_opendistro/_security/api/"]
        .iter()
        .find_map(|start| path.strip_prefix(start));
    // Users change their own password by this one.
    if let Some(of_api) = of_api.filter(|of_api| *of_api != "account") {
        changes.push(&rows::OPENSEARCH_API, Direction::Unknown, of_api.to_owned());
        if let Some(body) = line.body.as_str() {
            changes.append_weakened(written_by_api(of_api, body));
        }
    }
}

/// The body of `PUT roles/x` is what stands under `x` in the document; that of `PATCH roles` is a patch of it.
fn written_by_api(of_api: &str, body: &str) -> Changes {
    let mut changes = Changes::default();
    let (kind, name) = of_api.split_once('/').unwrap_or((of_api, ""));
    let document = if kind == "securityconfig" { "config" } else { kind };
    let Ok(node) = serde_json::from_str::<Node<'_>>(body) else { return changes };
    let node = match node {
        Node::Map(_) if !name.is_empty() && name != "config" => {
            Node::Map(vec![(Cow::Borrowed(name), node)])
        }
        other => other,
    };
    written(document, &node, &mut changes);
    changes
}

/// Whether a new token ends, and reads some indices only.
fn is_small_token(line: &Line<'_>) -> bool {
    let diff = line.diff.as_str().and_then(|diff| serde_json::from_str::<Node<'_>>(diff).ok());
    let Some(Node::List(operations)) = diff else { return false };
    let value_of = |path: &str| {
        operations
            .iter()
            .find(|operation| operation.text(&["path"]).as_deref() == Some(path))
            .and_then(|operation| operation.at(&["value"]))
    };
    let is_open = |pattern: &str| matches!(pattern, "*" | "cluster_all" | "cluster:admin*");
    let permits_all = ["/cluster_permissions", "/index_permissions"]
        .iter()
        .filter_map(|path| value_of(path))
        .any(|value| all_texts(value).iter().any(|text| is_open(text)));
    value_of("/expires_at").is_some() && value_of("/index_permissions").is_some() && !permits_all
}

/// Every text inside a value, of lists all of them.
fn all_texts(value: &Node<'_>) -> Vec<String> {
    match value {
        Node::Null => Vec::new(),
        Node::Scalar(text) => vec![text.to_string()],
        Node::List(items) => items.iter().flat_map(all_texts).collect(),
        Node::Map(fields) => fields.iter().flat_map(|(_, value)| all_texts(value)).collect(),
    }
}

/// What one operation of a JSON Patch takes away from lists and filters. Elements are named by their list: their number
/// changes with every removal.
fn narrowed(document: &str, operation: &Node<'_>, changes: &mut Changes) {
    let path = operation.text(&["path"]).unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let value = operation.at(&["value"]);
    let is_removed = operation.text(&["op"]).as_deref() == Some("remove");
    let texts: Vec<String> = value
        .map(|value| value.leaves().into_iter().filter_map(|(_, text)| text).collect())
        .unwrap_or_default();
    let is_empty = texts.iter().all(String::is_empty);
    let find = |known: &[&str]| parts.iter().position(|part| known.contains(part));
    match document {
        // Nobody who guesses is slowed down any more.
        "config" if parts.contains(&"auth_failure_listeners") => {
            changes.flag(&rows::OPENSEARCH_DOMAIN, is_removed, parts.join("."));
        }
        "config" if is_removed && parts.len() == 3 && parts[1] == "authc" => {
            let domain = parts.join(".");
            changes.weakened(&rows::OPENSEARCH_DOMAIN, format!("{domain}.http_enabled"));
        }
        "roles" => {
            wide_role(&parts, value, is_removed, changes);
            let Some(at) = find(&["dls", "fls", "masked_fields"]) else { return };
            let opened = format!("{} {}", parts[0], parts[at]);
            // A field that leaves the list may have been one that was shown, or one that was hidden.
            let is_one_field = is_removed && parts[at] == "fls" && at + 1 < parts.len();
            // A filter that every document passes is none.
            let passes_all = texts.iter().any(|text| {
                let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                compact == "{\"match_all\":{}}"
            });
            let direction = match is_removed || is_empty || passes_all {
                _ if is_one_field => Direction::Unknown,
                true => Direction::Weakened,
                false => Direction::Strengthened,
            };
            changes.push(&rows::OPENSEARCH_MASKING, direction, opened);
        }
        "audit" => {
            let lists = [
                "ignore_users",
                "ignore_requests",
                "disabled_rest_categories",
                "disabled_transport_categories",
            ];
            let Some(at) = find(&lists) else { return };
            if is_removed || is_empty {
                changes.strengthened(&rows::OPENSEARCH_AUDIT, parts[at].to_owned());
            } else if texts.iter().any(|text| text != "kibanaserver") {
                changes.weakened(&rows::OPENSEARCH_AUDIT, parts[at].to_owned());
            }
        }
        "nodesdn" => {
            let is_wide = texts.iter().any(|text| text.contains('*'));
            if is_wide || is_removed {
                changes.flag(&rows::OPENSEARCH_NODES, is_wide, parts[0].to_owned());
            }
        }
        "allowlist" => match parts.last() {
            Some(&"enabled") => {
                let is_off = texts.iter().any(|text| text == "false");
                changes.flag(&rows::OPENSEARCH_ALLOWLIST, is_off, "enabled");
            }
            _ => {
                let guarded = ["_security", "_snapshot"];
                let names = |text: &str| guarded.iter().any(|part| text.contains(part));
                if names(&path) {
                    changes.flag(&rows::OPENSEARCH_ALLOWLIST, !is_removed, "requests");
                }
            }
        },
        _ => {}
    }
}

/// A role, or one of its permissions, that reads every index. What names neither tells nothing of it.
fn wide_role(parts: &[&str], value: Option<&Node<'_>>, is_removed: bool, changes: &mut Changes) {
    let is_role = parts.len() == 1;
    let is_permission = parts.len() == 3 && parts[1] == "index_permissions";
    let is_wide = match value {
        Some(role) if is_role => role.list(&["index_permissions"]).iter().any(reads_every_index),
        Some(permission) if is_permission => reads_every_index(permission),
        _ => false,
    };
    if is_wide || is_role && (is_removed || value.is_some()) {
        changes.flag(&rows::OPENSEARCH_ROLE_WIDE, is_wide, parts[0].to_owned());
    }
}

fn reads_every_index(permission: &Node<'_>) -> bool {
    let has =
        |key: &str, wanted: &[&str]| permission.texts(&[key]).any(|text| wanted.contains(&&*text));
    has("index_patterns", &["*"])
        && has("allowed_actions", &["*", "read", "indices_all", "indices:data/read*", "indices:*"])
}

/// Paths and values of a JSON Patch, or of a whole document.
fn patched(node: &Node<'_>) -> Vec<(String, Option<String>)> {
    let Node::List(operations) = node else { return node.leaves() };
    let mut found = Vec::new();
    for operation in operations {
        let path =
            operation.text(&["path"]).unwrap_or_default().trim_start_matches('/').replace('/', ".");
        let Some(value) = operation.at(&["value"]) else {
            found.push((path, None));
            continue;
        };
        for (below, value) in value.leaves() {
            let path = if below.is_empty() { path.clone() } else { format!("{path}.{below}") };
            found.push((path, value));
        }
    }
    found
}

/// Settings of the audit that are lists of what it leaves out.
const LEFT_OUT: [&str; 4] = [
    ".ignore_users",
    ".ignore_requests",
    ".disabled_rest_categories",
    ".disabled_transport_categories",
];

/// More is left out than before, less, or the same. The user of Dashboards asks all the time, and is mostly left out.
fn left_out(old: &str, new: &str) -> Direction {
    let items = |list: &str| -> BTreeSet<String> {
        let items = list.trim_start_matches('[').trim_end_matches(']').split(',');
        let items = items.map(|item| item.trim().trim_matches('"').to_owned());
        items.filter(|item| !item.is_empty() && item != "kibanaserver").collect()
    };
    let (old, new) = (items(old), items(new));
    if !new.is_subset(&old) {
        Direction::Weakened
    } else if new.len() < old.len() {
        Direction::Strengthened
    } else {
        Direction::Unknown
    }
}

/// Settings of the plugin with their old and new value: the direction can be told without state.
fn settings(line: &Line<'_>, changes: &mut Changes) {
    let Some(Node::List(settings)) = line.settings.read::<Node<'_>>() else { return };
    for setting in &settings {
        let Some(name) = setting.text(&["setting"]) else { continue };
        let index = line.resolved.0.first().or(line.indices.0.first());
        let index = index.map_or("index", |index| &**index);
        // What was written to the log of the audit stays as it is while nobody may write there.
        let is_block = INDEX_BLOCKS.contains(&&*name)
            || name.starts_with("index.blocks.") && index.contains("auditlog");
        if !is_block && !name.starts_with("plugins.security.") {
            continue;
        }
        let (old, new) = (setting.text(&["old_value"]), setting.text(&["new_value"]));
        let direction = match (old.as_deref(), new.as_deref()) {
            (Some("true"), Some("false") | None) => Direction::Weakened,
            (Some("false") | None, Some("true")) => Direction::Strengthened,
            (Some(old), Some(new)) if LEFT_OUT.iter().any(|list| name.ends_with(list)) => {
                left_out(old, new)
            }
            _ => Direction::Unknown,
        };
        let change = if is_block {
            changes.push(&rows::OPENSEARCH_INDEX_BLOCK, direction, format!("{name} on {index}"))
        } else {
            changes.push(&rows::OPENSEARCH_SETTINGS, direction, name.into_owned())
        };
        change.before = old.map(|text| Cow::Owned(text.into_owned()));
        change.after = new.map(|text| Cow::Owned(text.into_owned()));
    }
}
