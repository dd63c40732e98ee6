//! Kubernetes: one event of the API server's audit log to one event of ours.

mod changes;
mod event;
mod exec;
mod workload;

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, EventKind, Outcome,
};
use dataward_event::time::EventTime;
use dataward_event::volume::{ObjectCount, ReadScope};

use crate::act::Act;
use crate::container::Fault;
use crate::lenient::{Object, bounded_statement};
use crate::source::{Place, Source};
use event::Event;

/// What runs a datastore.
const WORKLOADS: [&str; 4] = ["statefulsets", "deployments", "daemonsets", "elasticsearches"];

/// Reads one event.
///
/// # Errors
/// The text is malformed, is no audit event, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: event, is_object } = serde_json::from_str::<Object<Event<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    let has_marker = event.audit_id.as_str().is_some() || event.verb.as_str().is_some();
    if is_object && !has_marker {
        // AKS sends the event as a text inside a record of Azure Monitor, which names the cluster.
        let cluster = event.cluster.as_str().and_then(|id| id.rsplit('/').next());
        let cluster = cluster.map(str::to_ascii_lowercase);
        if let Some(inner) = event.envelope.fields.log.as_str() {
            let event = serde_json::from_str::<Object<Event<'_>>>(inner)
                .map_err(|error| Fault::malformed(inner, &error))?
                .fields;
            if event.audit_id.as_str().is_some() {
                let event = assemble(event, inner, place, cluster.as_deref())?;
                return Ok(event.into_owned());
            }
        }
    }
    if !is_object || !has_marker {
        return Err(Fault::shape("expected an audit event: an object with auditID and verb"));
    }
    let cluster = place.host.and_then(eks_cluster);
    assemble(event, text, place, cluster)
}

/// The cluster of a log group of EKS: `/aws/eks/orders/cluster`.
fn eks_cluster(host: &str) -> Option<&str> {
    host.strip_prefix("/aws/eks/")?.split('/').next()
}

fn assemble<'a>(
    source: Event<'a>,
    text: &str,
    place: Place<'_>,
    cluster: Option<&str>,
) -> Result<AuditEvent<'a>, Fault> {
    let time = [&source.stage_time, &source.received]
        .into_iter()
        .find_map(|time| time.as_str().and_then(EventTime::parse_rfc3339));
    let stage = source.stage.as_str().unwrap_or_default();
    let uid = source.audit_id.as_str().map(|id| Cow::Owned(format!("{id}/{stage}")));
    let object = &source.object.fields;
    let resource = object.resource.as_str().unwrap_or_default();
    let verb = source.verb.as_str().unwrap_or("unknown");
    let operation = match (resource, object.subresource.as_str()) {
        ("", _) => verb.to_owned(),
        (resource, None) => format!("{verb} {resource}"),
        (resource, Some(part)) => format!("{verb} {resource}/{part}"),
    };
    let mut event = place.event(Source::K8sAudit, text, uid, time, operation)?;
    let exec = exec::command(&source);
    let act = act(verb, resource, object.subresource.as_str());
    act.put(&mut event);
    put_outcome(&mut event, &source);
    event.actor = actor(&source);
    event.client = client(&source);
    event.service = object.group.clone().text();
    event.event_code = source.level.clone().text();
    event.correlation_uid = source.audit_id.clone().text();
    event.provider = Some(Cow::Borrowed("Kubernetes"));
    event.datastore = datastore(&source, cluster);
    event.account_uid = cluster.map(|cluster| Cow::Owned(cluster.to_owned()));
    if resource == "secrets" && matches!(verb, "get" | "list" | "watch") {
        event.objects.extend(object.name.clone().text());
        let is_read = verb == "get" && event.outcome == Outcome::Success;
        event.volume.objects = is_read.then_some(ObjectCount(1));
    }
    if let Some(command) = exec {
        if exec::takes_data_out(&command) {
            Act::READ.put(&mut event);
            event.read_scope = Some(ReadScope::Export);
        }
        event.objects.extend(object.name.clone().text());
        event.statement = Some(bounded_statement(Cow::Owned(command)));
    }
    let is_over = stage == "ResponseComplete" || stage == "Panic";
    if is_over && event.kind == EventKind::ConfigChange && object.subresource.0.is_none() {
        event.changes = changes::of(&source, verb, resource).into_vec();
        // What is told of a new workload is told of datastores only.
        let is_workload = WORKLOADS.contains(&resource) && !event.changes.is_empty();
        if is_workload && verb == "create" && event.outcome == Outcome::Success {
            Act::ENTITY_CREATE.put(&mut event);
        }
    }
    Ok(event)
}

/// Only the last stage tells how a request went.
fn put_outcome<'a>(event: &mut AuditEvent<'a>, source: &Event<'a>) {
    let status = &source.status.fields;
    let code = status.code.as_count().unwrap_or_default();
    let is_forbidden = source.annotations.fields.decision.as_str() == Some("forbid");
    event.outcome = match source.stage.as_str() {
        Some("Panic") => Outcome::Failure,
        _ if is_forbidden || code >= 400 => Outcome::Failure,
        Some("ResponseComplete") => Outcome::Success,
        _ => Outcome::Unknown,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = status.reason.clone().text().or_else(|| status.code.clone().text());
        event.error_message = status.message.clone().text();
    }
}

fn act(verb: &str, resource: &str, subresource: Option<&str>) -> Act {
    match (resource, subresource) {
        ("pods", Some("exec" | "attach" | "portforward" | "proxy"))
        | ("services" | "nodes", Some("proxy")) => return Act::CONNECT,
        ("serviceaccounts", Some("token")) => return Act::ACCOUNT_SWITCH,
        ("tokenreviews" | "subjectaccessreviews" | "selfsubjectaccessreviews", _) => {
            return Act::API_READ;
        }
        _ => {}
    }
    match (verb, resource) {
        ("get", "secrets") => Act::READ,
        ("list" | "watch", "secrets") => Act::LIST,
        ("get" | "list" | "watch" | "head", _) => Act::API_READ,
        ("create", "rolebindings" | "clusterrolebindings") => Act::GRANT,
        ("delete" | "deletecollection", "rolebindings" | "clusterrolebindings") => Act::REVOKE,
        ("create", _) => Act::API_CREATE,
        ("update" | "patch", _) => Act::API_UPDATE,
        ("delete" | "deletecollection", _) => Act::API_DELETE,
        _ => Act::API_OTHER,
    }
}

/// Who acts; of an impersonation it is the one whose rights count, and whoever took them stands behind.
fn actor<'a>(source: &Event<'a>) -> Actor<'a> {
    let real = &source.user.fields;
    let (user, issuer) = match source.impersonated.fields.name.clone().text() {
        Some(_) => (&source.impersonated.fields, real.name.clone().text()),
        None => (real, None),
    };
    let name = user.name.clone().text();
    let kind = match name.as_deref() {
        Some("system:anonymous") => ActorKind::Anonymous,
        Some(name) if name.starts_with("system:") => ActorKind::Service,
        Some(name) if name.contains('@') => ActorKind::Human,
        _ => ActorKind::Unknown,
    };
    let extra = &real.extra.fields;
    Actor {
        uid: name.clone().filter(|_| kind != ActorKind::Anonymous),
        name,
        kind,
        credential_uid: extra.credential.clone().text().or_else(|| extra.access_key.clone().text()),
        session_uid: extra.session.clone().text(),
        issuer,
        groups: user.groups.0.clone(),
        ..Actor::default()
    }
}

/// The first address is the client's; the others are proxies.
fn client<'a>(source: &Event<'a>) -> Client<'a> {
    let address = source.addresses.0.first().cloned();
    let is_address = address.as_deref().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    let (ip, domain) = if is_address { (address, None) } else { (None, address) };
    Client { ip, domain, user_agent: source.user_agent.clone().text(), ..Client::default() }
}

/// What an object stands for. A workload, its pods and its service of the same name are one datastore, so that what opens
/// each of them comes together.
fn datastore(source: &Event<'_>, cluster: Option<&str>) -> Option<Datastore<'static>> {
    let object = &source.object.fields;
    let resource = object.resource.as_str()?;
    let place = match (cluster, object.namespace.as_str()) {
        (Some(cluster), Some(namespace)) => format!("kubernetes/{cluster}/{namespace}"),
        (Some(cluster), None) => format!("kubernetes/{cluster}"),
        (None, Some(namespace)) => format!("kubernetes/{namespace}"),
        (None, None) => "kubernetes".to_owned(),
    };
    let name = object.name.as_str().map(str::to_owned).or_else(|| changes::name(source));
    let (form, resource_type) = match resource {
        "services" | "statefulsets" | "deployments" | "daemonsets" | "pods" | "elasticsearches" => {
            (DatastoreForm::Database, None)
        }
        "secrets" => (DatastoreForm::Other, Some("secrets")),
        "networkpolicies" | "ingresses" | "rolebindings" | "clusterrolebindings" => {
            (DatastoreForm::Guard, Some(resource))
        }
        _ => return None,
    };
    let name = match resource {
        "pods" => without_ordinal(&name?).to_owned(),
        _ => name.unwrap_or_else(|| "*".to_owned()),
    };
    let uid = match resource_type {
        None => format!("{place}/{name}"),
        Some(part) => format!("{place}/{part}/{name}"),
    };
    Some(Datastore {
        uid: Cow::Owned(uid),
        name: Some(Cow::Owned(name)),
        resource_type: Some(Cow::Owned(resource.to_owned())),
        form,
    })
}

/// `orders-db` of `orders-db-0`: pods of a stateful set are numbered.
fn without_ordinal(pod: &str) -> &str {
    match pod.rsplit_once('-') {
        Some((set, ordinal))
            if !ordinal.is_empty() && ordinal.bytes().all(|b| b.is_ascii_digit()) =>
        {
            set
        }
        _ => pod,
    }
}
