//! Which changes of protection a request states, by the object that it sends or gets back.

use dataward_event::change::Direction;

use super::event::Event;
use super::workload;
use crate::catalogue_rows::k8s as rows;
use crate::changes::Changes;
use crate::network::{Breadth, breadth, is_of_the_internet, reaches_datastore};
use crate::node::Node;

/// Everybody, to role bindings.
const EVERYBODY: [&str; 4] = [
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
    "system:serviceaccounts",
];

/// Programs by which people look into a datastore: whoever reaches them is half in it.
const CONSOLES: [&str; 8] = [
    "adminer",
    "kibana",
    "mongo-express",
    "opensearch-dashboards",
    "pgadmin",
    "phpmyadmin",
    "redis-commander",
    "redisinsight",
];

/// Annotations of an ingress that name who may come in.
const SOURCE_RANGES: [&str; 3] = [
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "haproxy.org/allow-list",
];

/// Roles that everybody has in any cluster.
const DEFAULT_ROLES: [&str; 4] = [
    "system:discovery",
    "system:basic-user",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
];

/// Annotations that make a load balancer an internal one, each with its value in lower case.
const INTERNAL: [(&str, &str); 6] = [
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", "true"),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    ("networking.gke.io/load-balancer-type", "internal"),
    ("cloud.google.com/load-balancer-type", "internal"),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", "true"),
];

/// The object after a change.
struct After<'a> {
    object: Node<'a>,
    /// Everything of it is told: a patch holds only what it changes.
    is_whole: bool,
}

/// The name of an object that is only being created.
pub(super) fn name(event: &Event<'_>) -> Option<String> {
    let object: Node<'_> = event.request.read()?;
    object.text(&["metadata", "name"]).map(|name| name.into_owned())
}

fn after<'a>(event: &Event<'a>, verb: &str) -> After<'a> {
    if let Some(object) = event.response.read::<Node<'a>>()
        && object.text(&["kind"]).is_some_and(|kind| kind != "Status")
    {
        return After { object, is_whole: true };
    }
    let object = event.request.read().unwrap_or_default();
    After { object, is_whole: verb != "patch" }
}

/// Everything that a request changes.
pub(super) fn of(event: &Event<'_>, verb: &str, resource: &str) -> Changes {
    let mut changes = Changes::default();
    let is_deleted = verb.starts_with("delete");
    match resource {
        "services" if is_deleted => changes.whole(&rows::SERVICE_EXPOSED, []),
        "services" => service(&after(event, verb), &mut changes),
        "networkpolicies" if is_deleted => {
            changes.weakened(&rows::NETWORK_POLICY, "policy");
        }
        "networkpolicies" => network_policy(&after(event, verb), verb, &mut changes),
        "ingresses" if is_deleted => changes.whole(&rows::INGRESS_EXPOSED, []),
        "ingresses" => ingress(&after(event, verb), verb, &mut changes),
        "statefulsets" | "deployments" | "daemonsets" | "pods" if !is_deleted => {
            let after = after(event, verb);
            workload::read(&after.object, after.is_whole, &mut changes);
        }
        "elasticsearches" if !is_deleted => {
            let after = after(event, verb);
            workload::read_elasticsearch(&after.object, after.is_whole, &mut changes);
        }
        "rolebindings" | "clusterrolebindings" if is_deleted => {
            changes.whole(&rows::RBAC_ANONYMOUS, []);
        }
        "rolebindings" | "clusterrolebindings" => binding(&after(event, verb), verb, &mut changes),
        _ => {}
    }
    changes
}

fn service(after: &After<'_>, changes: &mut Changes) {
    let spec = after.object.at(&["spec"]).unwrap_or(&Node::Null);
    let kind = spec.text(&["type"]);
    let ports: Vec<u64> = spec
        .list(&["ports"])
        .iter()
        .flat_map(|port| [port.count(&["port"]), port.count(&["targetPort"])])
        .flatten()
        .filter(|port| reaches_datastore(*port, *port))
        .collect();
    // Addresses of its own lead to a service of any type.
    let outside: Vec<_> =
        spec.texts(&["externalIPs"]).filter(|address| is_of_the_internet(address)).collect();
    if !outside.is_empty() && !ports.is_empty() {
        let opened = outside
            .iter()
            .flat_map(|address| ports.iter().map(move |port| format!("address {address} {port}")));
        changes.whole(&rows::SERVICE_EXPOSED, opened);
        return;
    }
    let is_exposing = matches!(kind.as_deref(), Some("LoadBalancer" | "NodePort"));
    let kind = match kind {
        Some(kind) => kind,
        // Without a type it is inside the cluster; of a patch nothing is told.
        None if after.is_whole => "ClusterIP".into(),
        None => return,
    };
    if !is_exposing {
        if !ports.is_empty() || !after.is_whole {
            changes.whole(&rows::SERVICE_EXPOSED, []);
        }
        return;
    }
    if !after.is_whole && spec.list(&["ports"]).is_empty() {
        let change = changes.push(&rows::SERVICE_EXPOSED, Direction::Unknown, kind.to_string());
        change.after = Some(kind.into_owned().into());
        return;
    }
    if ports.is_empty() {
        return;
    }
    if kind == "LoadBalancer" && (is_internal(&after.object) || has_narrow_sources(spec)) {
        changes.whole(&rows::SERVICE_EXPOSED, []);
        return;
    }
    let mut opened: Vec<String> = ports.iter().map(|port| format!("{kind} {port}")).collect();
    opened.dedup();
    changes.whole(&rows::SERVICE_EXPOSED, opened);
}

fn is_internal(object: &Node<'_>) -> bool {
    INTERNAL.iter().any(|(annotation, internal)| {
        object
            .text(&["metadata", "annotations", annotation])
            .is_some_and(|value| value.eq_ignore_ascii_case(internal) || value == "0.0.0.0/0")
    })
}

fn has_narrow_sources(spec: &Node<'_>) -> bool {
    let mut ranges = spec.texts(&["loadBalancerSourceRanges"]).peekable();
    ranges.peek().is_some() && ranges.all(|range| breadth(&range) == Some(Breadth::Narrow))
}

/// A policy that lets everybody in protects no more than none.
fn network_policy(after: &After<'_>, verb: &str, changes: &mut Changes) {
    let row = &rows::NETWORK_POLICY;
    if verb != "patch" {
        changes.strengthened(row, "policy");
    }
    let spec = after.object.at(&["spec"]).unwrap_or(&Node::Null);
    let is_told = spec.has(&["ingress"]) || (after.is_whole && spec.has(&["podSelector"]));
    if !is_told {
        return;
    }
    let is_open = spec.list(&["ingress"]).iter().any(|rule| {
        let ports = rule.list(&["ports"]);
        let reaches = ports.is_empty()
            || ports.iter().any(|port| match port.count(&["port"]) {
                Some(first) => reaches_datastore(first, port.count(&["endPort"]).unwrap_or(first)),
                None => true,
            });
        let peers = rule.list(&["from"]);
        let is_everybody = peers.is_empty()
            || peers.iter().any(|peer| {
                let network = peer.text(&["ipBlock", "cidr"]);
                // An empty selector selects every namespace: less than before, where a policy was.
                network.is_some_and(|network| breadth(&network) == Some(Breadth::World))
                    || verb != "create"
                        && peer.at(&["namespaceSelector"]).is_some_and(Node::is_empty_map)
                        && !peer.has(&["podSelector"])
            });
        reaches && is_everybody
    });
    changes.flag(row, is_open, "0.0.0.0/0");
}

fn ingress(after: &After<'_>, verb: &str, changes: &mut Changes) {
    let spec = after.object.at(&["spec"]).unwrap_or(&Node::Null);
    let paths = spec.list(&["rules"]).iter().flat_map(|rule| rule.list(&["http", "paths"]));
    let backends = paths.filter_map(|path| path.at(&["backend"]));
    let backends = backends.chain(spec.at(&["defaultBackend"])).chain(spec.at(&["backend"]));
    let opened: Vec<String> = backends
        .filter_map(|backend| {
            let port = backend
                .count(&["service", "port", "number"])
                .or_else(|| backend.count(&["servicePort"]))?;
            let name = backend
                .text(&["service", "name"])
                .or_else(|| backend.text(&["serviceName"]))
                .unwrap_or_default();
            let is_console = CONSOLES.iter().any(|console| name.contains(console));
            let is_told = is_console || reaches_datastore(port, port);
            is_told.then(|| format!("service {name} {port}"))
        })
        .collect();
    let is_narrow = SOURCE_RANGES.iter().any(|annotation| {
        let ranges = after.object.text(&["metadata", "annotations", annotation]);
        ranges.is_some_and(|ranges| {
            ranges.split(',').all(|range| breadth(range.trim()) == Some(Breadth::Narrow))
        })
    });
    let opened = if is_narrow { Vec::new() } else { opened };
    let tells_backends = spec.has(&["rules"]) || spec.has(&["defaultBackend"]);
    if !opened.is_empty() || (verb != "create" && tells_backends) {
        changes.whole(&rows::INGRESS_EXPOSED, opened);
    }
}

fn binding(after: &After<'_>, verb: &str, changes: &mut Changes) {
    let role = after.object.text(&["roleRef", "name"]).unwrap_or_default();
    if DEFAULT_ROLES.contains(&&*role) || !after.object.has(&["subjects"]) {
        return;
    }
    let opened: Vec<String> = after
        .object
        .list(&["subjects"])
        .iter()
        .filter_map(|subject| {
            let name = subject.text(&["name"])?;
            // What runs in a namespace and asks for nothing else runs as its default account.
            let is_default = name == "default"
                && role == "cluster-admin"
                && subject.text(&["kind"]).as_deref() == Some("ServiceAccount");
            (is_default || EVERYBODY.contains(&&*name)).then_some(name)
        })
        .map(|name| format!("{name} {role}").trim_end().to_owned())
        .collect();
    if !opened.is_empty() || verb != "create" {
        changes.whole(&rows::RBAC_ANONYMOUS, opened);
    }
}
