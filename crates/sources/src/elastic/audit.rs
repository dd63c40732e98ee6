//! `elasticsearch.audit`: the audit log of Elasticsearch, as JSON (since 6.5) and in the older form of a line.
//!
//! A change of security (`security_config_change`) names neither user nor address: it shares its `request.id`, our
//! `correlation_uid`, with the `access_granted` that does.

use std::borrow::Cow;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, EventKind, Outcome,
};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::volume::ReadScope;

use super::{REINDEX, address, brackets, changes, reindexed_from};
use crate::act::Act;
use crate::changes::kind_with;
use crate::container::Fault;
use crate::lenient::{Loose, Object, Texts, Unread, bounded_statement, fields};
use crate::source::{Place, Source};
use crate::time_text;

fields! {
    /// One line of the log.
    struct Line<'a> {
        time: Loose<'a> = "timestamp" | "@timestamp",
        cluster_name: Loose<'a> = "cluster.name",
        node_id: Loose<'a> = "node.id",
        host_name: Loose<'a> = "host.name",
        event: Loose<'a> = "event.action",
        authentication: Loose<'a> = "authentication.type",
        user: Loose<'a> = "user.name" | "principal",
        realm: Loose<'a> = "user.realm" | "realm",
        roles: Texts<'a> = "user.roles" | "roles",
        run_by: Loose<'a> = "user.run_by.name" | "run_by_principal",
        run_as: Loose<'a> = "user.run_as.name" | "run_as_principal",
        api_key_id: Loose<'a> = "apikey.id",
        token_name: Loose<'a> = "authentication.token.name",
        origin: Loose<'a> = "origin.address" | "origin_address",
        action: Loose<'a> = "action",
        request_id: Loose<'a> = "request.id",
        path: Loose<'a> = "url.path" | "uri",
        body: Loose<'a> = "request.body" | "request_body",
        indices: Texts<'a> = "indices",
        rule: Loose<'a> = "rule",
        profile: Loose<'a> = "transport.profile" | "transport_profile",
        put: Unread<'a> = "put",
        change: Unread<'a> = "change",
        create: Unread<'a> = "create",
        delete: Unread<'a> = "delete",
        invalidate: Unread<'a> = "invalidate",
    }
}

/// The layers that stand in brackets before the event in the older form.
const LAYERS: [&str; 3] = ["rest", "transport", "ip_filter"];

/// Users that are programs of the product itself.
const PROGRAMS: [&str; 8] = [
    "kibana",
    "kibana_system",
    "logstash_system",
    "beats_system",
    "apm_system",
    "remote_monitoring_user",
    "elastic/fleet-server",
    "elastic/kibana",
];

/// Whether a line is of the older form: `[time] [node] [rest] [authentication_failed] …`.
pub(crate) fn is_line(line: &str) -> bool {
    line.starts_with('[') && brackets(line).1.iter().any(|part| LAYERS.contains(part))
}

/// Reads one event.
///
/// # Errors
/// The text is malformed, is no line of this log, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let line = if text.starts_with('{') {
        let Object { fields, .. } = serde_json::from_str::<Object<Line<'a>>>(text)
            .map_err(|error| Fault::malformed(text, &error))?;
        fields
    } else {
        old_form(text)
    };
    if line.event.as_str().is_none() {
        // The log of the server shares its stream in containers.
        return match super::server::is_server_record(text) {
            true => super::server::decode(text, place),
            false => {
                Err(Fault::shape("expected an audit record of Elasticsearch, with `event.action`"))
            }
        };
    }
    assemble(&line, text, place)
}

/// `[time] [node] [layer] [event] key=[value], …`
fn old_form(text: &str) -> Line<'_> {
    let loose = |text: &str| Loose(Some(Cow::Owned(text.to_owned())));
    let (rest, parts) = brackets(text);
    let mut line =
        Line { time: parts.first().map(|time| loose(time)).unwrap_or_default(), ..Line::default() };
    let layer = parts.iter().position(|part| LAYERS.contains(part));
    let Some(layer) = layer else { return line };
    line.event = parts.get(layer + 1).map(|event| loose(event)).unwrap_or_default();
    if layer > 1 {
        line.node_id = loose(parts[1]);
    }
    for (key, value) in pairs(rest) {
        let list = || Texts(value.split(',').map(|item| Cow::Borrowed(item.trim())).collect());
        let value_text = Loose(Some(Cow::Borrowed(value)));
        match key {
            "origin_address" => line.origin = value_text,
            "principal" => line.user = value_text,
            "realm" => line.realm = value_text,
            "roles" => line.roles = list(),
            "run_by_principal" => line.run_by = value_text,
            "run_as_principal" => line.run_as = value_text,
            "action" => line.action = value_text,
            "indices" => line.indices = list(),
            "uri" => line.path = value_text,
            "request_body" => line.body = value_text,
            _ => {}
        }
    }
    line
}

/// `key=[value]` pairs; a value ends where the next key or the text's end follows its bracket.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while let Some((key, after)) = rest.split_once("=[") {
        let mut ends = after.match_indices(']').map(|(at, _)| at);
        let end = ends.find(|at| {
            let behind = &after[at + 1..];
            behind.trim().is_empty()
                || behind.strip_prefix(", ").is_some_and(|next| {
                    next.split_once("=[").is_some_and(|(key, _)| {
                        key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                    })
                })
        });
        let Some(end) = end else { break };
        pairs.push((key.trim(), &after[..end]));
        rest = after[end + 1..].trim_start_matches([',', ' ']);
    }
    pairs
}

fn assemble<'a>(line: &Line<'a>, text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let name = line.event.clone().text().unwrap_or_default();
    let action = line.action.clone().text();
    let time = line.time.as_str().and_then(time_text::parse);
    let operation = action.clone().unwrap_or_else(|| name.clone());
    let mut event = place.event(Source::ElasticsearchAudit, text, None, time, operation)?;
    act(&name, action.as_deref(), &mut event);
    event.outcome = match &*name {
        "authentication_failed"
        | "realm_authentication_failed"
        | "access_denied"
        | "anonymous_access_denied"
        | "run_as_denied"
        | "connection_denied"
        | "tampered_request" => Outcome::Failure,
        _ => Outcome::Success,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = Some(name.clone());
    }
    event.event_code = Some(name);
    event.service = Some(Cow::Borrowed("elasticsearch"));
    event.actor = actor(line, &event);
    event.client = client(line);
    event.datastore = Some(datastore(line, place));
    event.objects = line.indices.0.iter().take(OBJECTS_PER_EVENT_MAX).cloned().collect();
    if event.objects.is_empty()
        && event.kind == EventKind::Access
        && let Some(path) = line.path.clone().text()
    {
        event.objects.push(path);
    }
    event.request_uid = line.request_id.clone().text();
    event.correlation_uid = line.request_id.clone().text();
    event.statement = line.body.clone().text().map(bounded_statement);
    event.changes = changes::of(&changes::Said {
        event: event.event_code.as_deref().unwrap_or_default(),
        action: event.operation.as_ref(),
        put: line.put,
        change: line.change,
        create: line.create,
        delete: line.delete,
        invalidate: line.invalidate,
        realm: line.realm.as_str(),
        path: line.path.as_str(),
        body: line.body.as_str(),
        user: line.user.as_str(),
        indices: &line.indices.0,
        rule: line.rule.as_str(),
        profile: line.profile.as_str(),
    });
    if !event.changes.is_empty() {
        event.kind = EventKind::ConfigChange;
    }
    let path = line.path.as_str().unwrap_or_default();
    if event.operation == REINDEX || path.split('?').next() == Some("/_reindex") {
        let copies = reindexed_from("elasticsearch", line.body.as_str());
        event.changes.extend(copies.into_vec());
        event.kind = kind_with(event.kind, &event.changes);
    }
    Ok(event)
}

fn act(name: &str, action: Option<&str>, event: &mut AuditEvent<'_>) {
    let (act, scope) = match name {
        "authentication_success"
        | "authentication_failed"
        | "realm_authentication_failed"
        | "anonymous_access_denied" => (Act::LOGON, None),
        "run_as_granted" | "run_as_denied" => (Act::ACCOUNT_SWITCH, None),
        "connection_granted" | "connection_denied" => (Act::CONNECT, None),
        "put_user" => (Act::USER_UPDATE, None),
        "delete_user" => (Act::USER_DELETE, None),
        "change_password" => (Act::PASSWORD_CHANGE, None),
        "change_enable_user" => (Act::USER_ENABLE, None),
        "change_disable_user" => (Act::USER_DISABLE, None),
        "create_apikey" | "create_service_token" => (Act::USER_CREATE, None),
        "invalidate_apikeys" | "delete_service_token" => (Act::USER_DELETE, None),
        "put_role_mapping" | "put_privileges" => (Act::GRANT, None),
        "delete_role_mapping" | "delete_privileges" => (Act::REVOKE, None),
        "put_role" => (Act::ENTITY_UPDATE, None),
        "delete_role" => (Act::ENTITY_DELETE, None),
        _ if name.starts_with("change_") => (Act::ENTITY_UPDATE, None),
        _ => action.map_or((Act::OTHER, None), act_of_action),
    };
    act.put(event);
    event.read_scope = scope;
}

/// What a transport action is. The parts that a coordinating node sends to others (`…[phase/query]`, `…[s]`) are no access of
/// their own: they share the request of the one that is.
pub(super) fn act_of_action(action: &str) -> (Act, Option<ReadScope>) {
    if action.ends_with(']') {
        return (Act::OTHER, None);
    }
    let act = match action {
        "indices:data/read/get" | "indices:data/read/mget" | "indices:data/read/tv" => Act::READ,
        "indices:data/read/scroll/clear" | "indices:data/read/close_point_in_time" => Act::OTHER,
        "indices:data/read/xpack/ccr/shard_changes" => return (Act::READ, Some(ReadScope::Export)),
        REINDEX => return (Act::WRITE, Some(ReadScope::Export)),
        "indices:data/write/update" | "indices:data/write/update/byquery" => Act::UPDATE,
        "indices:data/write/delete" | "indices:data/write/delete/byquery" => Act::DELETE,
        "cluster:admin/snapshot/create" => return (Act::READ, Some(ReadScope::Export)),
        "indices:admin/create" | "indices:admin/auto_create" => Act::SCHEMA_CREATE,
        "indices:admin/delete" => Act::SCHEMA_DELETE,
        _ if action.starts_with("indices:data/read/") => Act::QUERY,
        _ if action.starts_with("indices:data/write/") => Act::WRITE,
        _ if action.contains("monitor/")
            || action.ends_with("/get")
            || action.ends_with("/list") =>
        {
            Act::LIST
        }
        "indices:admin/refresh" | "indices:admin/flush" | "indices:admin/forcemerge" => Act::OTHER,
        _ if action.starts_with("indices:admin/") => Act::SCHEMA_UPDATE,
        _ if action.starts_with("cluster:admin/xpack/security/user/") => Act::USER_UPDATE,
        _ if action.starts_with("cluster:admin/") => {
            let changes = ["/put", "/update", "/create", "/delete", "/invalidate", "/restore"];
            let is_change = changes.iter().any(|verb| action.ends_with(verb));
            if is_change { Act::ENTITY_UPDATE } else { Act::OTHER }
        }
        _ => Act::OTHER,
    };
    (act, None)
}

fn actor<'a>(line: &Line<'a>, event: &AuditEvent<'_>) -> Actor<'a> {
    let user = line.user.clone().text();
    let realm = line.realm.as_str();
    let authentication = line.authentication.as_str();
    let is_anonymous = user.as_deref() == Some("_anonymous")
        || realm == Some("__anonymous")
        || authentication == Some("ANONYMOUS")
        || event.event_code.as_deref() == Some("anonymous_access_denied");
    let is_program = matches!(authentication, Some("API_KEY" | "INTERNAL"))
        || line.token_name.as_str().is_some()
        || user.as_deref().is_some_and(|user| user.starts_with('_') || PROGRAMS.contains(&user));
    let kind = if is_anonymous {
        ActorKind::Anonymous
    } else if is_program {
        ActorKind::Service
    } else if realm.is_some_and(|realm| realm.contains("saml") || realm.contains("oidc")) {
        ActorKind::Human
    } else {
        ActorKind::Unknown
    };
    // Who runs as somebody else is that somebody, on behalf of the one who proved who he is.
    let (name, issuer) = match (line.run_as.clone().text(), line.run_by.clone().text()) {
        (Some(run_as), _) => (Some(run_as), user),
        (None, run_by) => (user, run_by),
    };
    Actor {
        uid: name.clone().filter(|_| !is_anonymous),
        name,
        kind,
        user_type: line.realm.clone().text(),
        credential_uid: line.api_key_id.clone().text().or_else(|| line.token_name.clone().text()),
        issuer,
        groups: line.roles.0.clone(),
        ..Actor::default()
    }
}

fn client<'a>(line: &Line<'a>) -> Client<'a> {
    let (ip, port) = line.origin.clone().text().map_or((None, None), address);
    Client { ip, port, ..Client::default() }
}

fn datastore(line: &Line<'_>, place: Place<'_>) -> Datastore<'static> {
    let names =
        [line.cluster_name.as_str(), place.host, line.host_name.as_str(), line.node_id.as_str()];
    let name = names.into_iter().flatten().next().unwrap_or("unknown");
    super::cluster("elasticsearch", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataward_event::audit_event::Text;

    #[test]
    fn the_older_form_gives_its_pairs() {
        let text = "origin_address=[::1], params=[{a=[1]}], request_body=[{\"a\":[1], \"b\":2}]";
        assert_eq!(
            pairs(text),
            [
                ("origin_address", "::1"),
                ("params", "{a=[1]}"),
                ("request_body", "{\"a\":[1], \"b\":2}")
            ]
        );
        assert!(is_line("[2018-06-19T05:16:15,549] [v_VJ] [rest] [authentication_failed] x=[1]"));
        assert!(!is_line(
            "[2018-04-23T16:40:13,737][WARN ][o.e.d.a] Deprecated field [template] used"
        ));
    }

    #[test]
    fn parts_of_a_request_are_no_access() {
        assert_eq!(act_of_action("indices:data/read/search"), (Act::QUERY, None));
        assert_eq!(act_of_action("indices:data/read/search[phase/query]"), (Act::OTHER, None));
        assert_eq!(act_of_action("cluster:monitor/health"), (Act::LIST, None));
        let text: Text<'_> = Cow::Borrowed("[::1]:64583");
        assert_eq!(address(text), (Some(Cow::Borrowed("::1")), Some(64583)));
    }
}
