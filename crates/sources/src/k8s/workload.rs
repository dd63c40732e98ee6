//! Containers whose variables or arguments turn authentication of a datastore off.

use crate::catalogue_rows::k8s as rows;
use crate::changes::Changes;
use crate::node::Node;

/// Variables, in lower case, and the values that turn it off.
const VARIABLES: [(&str, &[&str]); 15] = [
    ("xpack.security.enabled", &["false"]),
    ("elasticsearch_enable_security", &["false"]),
    ("disable_security_plugin", &["true"]),
    ("plugins.security.disabled", &["true"]),
    ("discovery.security.disabled", &["true"]),
    ("allow_empty_password", &["yes", "true", "1"]),
    ("allow_anonymous_login", &["yes", "true", "1"]),
    ("allow_none_authentication", &["yes", "true", "1"]),
    ("postgres_host_auth_method", &["trust"]),
    ("mysql_allow_empty_password", &["yes", "true", "1"]),
    ("mariadb_allow_empty_root_password", &["yes", "true", "1"]),
    ("neo4j_auth", &["none"]),
    ("clickhouse_skip_user_setup", &["1", "true"]),
    ("authentication_anonymous_access_enabled", &["true"]),
    ("mongodb_disable_enforce_auth", &["true", "yes"]),
];

/// Arguments that turn it off, as they stand between blanks.
const ARGUMENTS: [&str; 7] = [
    "--noauth",
    "--skip-grant-tables",
    "--protected-mode no",
    "protected-mode no",
    "-Expack.security.enabled=false",
    "-Eplugins.security.disabled=true",
    "--auth-host=trust",
];

/// Names of images of datastores.
const IMAGES: [&str; 22] = [
    "elasticsearch",
    "opensearch",
    "postgres",
    "mysql",
    "mariadb",
    "percona",
    "mongo",
    "redis",
    "valkey",
    "keydb",
    "cassandra",
    "scylla",
    "neo4j",
    "clickhouse",
    "couchdb",
    "couchbase",
    "memcached",
    "etcd",
    "zookeeper",
    "kafka",
    "weaviate",
    "influxdb",
];

/// The containers of a workload or a pod.
fn containers<'n, 'a>(object: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
    let paths: [&[&str]; 4] = [
        &["spec", "template", "spec", "containers"],
        &["spec", "template", "spec", "initContainers"],
        &["spec", "containers"],
        &["spec", "initContainers"],
    ];
    paths.into_iter().flat_map(move |path| object.list(path))
}

/// What containers turn off. Of a whole object that is a datastore's, what is not named is on again.
pub(super) fn read(object: &Node<'_>, is_whole: bool, changes: &mut Changes) {
    let row = &rows::WORKLOAD_OPEN;
    let mut opened: Vec<String> = Vec::new();
    let mut closed: Vec<String> = Vec::new();
    let mut is_datastore = false;
    for container in containers(object) {
        let image = container.text(&["image"]).unwrap_or_default().to_ascii_lowercase();
        is_datastore |= IMAGES.iter().any(|name| image.contains(name));
        for variable in container.list(&["env"]) {
            let name = variable.text(&["name"]).unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            let known = VARIABLES.iter().find(|(known, _)| *known == lower);
            let (Some((_, weak)), Some(value)) = (known, variable.any_text(&["value"])) else {
                continue;
            };
            let is_weak = weak.iter().any(|weak| value.eq_ignore_ascii_case(weak));
            if is_weak { opened.push(name.into_owned()) } else { closed.push(name.into_owned()) }
        }
        let words = container.texts(&["command"]).chain(container.texts(&["args"]));
        let line = words.collect::<Vec<_>>().join(" ");
        let line = format!(" {line} ");
        let found = ARGUMENTS.iter().find(|argument| line.contains(&format!(" {argument} ")));
        opened.extend(found.map(|argument| (*argument).to_owned()));
    }
    if is_whole && (is_datastore || !opened.is_empty()) {
        changes.whole(row, opened);
        return;
    }
    for thing in opened {
        changes.weakened(row, thing);
    }
    for thing in closed {
        changes.strengthened(row, thing);
    }
}

/// A resource of Elastic Cloud on Kubernetes.
pub(super) fn read_elasticsearch(object: &Node<'_>, is_whole: bool, changes: &mut Changes) {
    let row = &rows::ELASTICSEARCH_OPEN;
    let mut opened: Vec<&'static str> = Vec::new();
    let mut closed: Vec<&'static str> = Vec::new();
    let mut judge = |is_weak: Option<bool>, thing: &'static str| match is_weak {
        Some(true) => opened.push(thing),
        Some(false) => closed.push(thing),
        None => {}
    };
    for set in object.list(&["spec", "nodeSets"]) {
        let enabled = set
            .flag(&["config", "xpack.security.enabled"])
            .or_else(|| set.flag(&["config", "xpack", "security", "enabled"]));
        judge(enabled.map(|enabled| !enabled), "xpack.security");
        let has_anonymous = [
            &["config", "xpack.security.authc.anonymous"][..],
            &["config", "xpack.security.authc.anonymous.roles"][..],
            &["config", "xpack.security.authc", "anonymous"][..],
            &["config", "xpack", "security", "authc", "anonymous"][..],
        ];
        if has_anonymous.iter().any(|path| set.has(path)) {
            judge(Some(true), "anonymous");
        }
    }
    let tls = object.flag(&["spec", "http", "tls", "selfSignedCertificate", "disabled"]);
    judge(tls, "http without TLS");
    let kind = object.text(&["spec", "http", "service", "spec", "type"]);
    judge(kind.map(|kind| kind == "LoadBalancer"), "service LoadBalancer");
    opened.dedup();
    if is_whole {
        changes.whole(row, opened.into_iter().map(str::to_owned));
        return;
    }
    for thing in opened {
        changes.weakened(row, thing);
    }
    for thing in closed {
        changes.strengthened(row, thing);
    }
}
