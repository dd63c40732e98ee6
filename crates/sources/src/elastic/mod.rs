//! Elasticsearch and OpenSearch, which share actions, roles and indices.

pub(crate) mod audit;
mod changes;
pub(crate) mod opensearch;
pub(crate) mod server;

use std::borrow::Cow;

use dataward_event::audit_event::{Datastore, DatastoreForm, Text};

use crate::changes::{Changes, PlaceOf};
use crate::node::Node;

/// The transport action of `POST _reindex`.
const REINDEX: &str = "indices:data/write/reindex";

/// The cluster, by its name: what a node writes before it has joined knows no other.
fn cluster(product: &str, name: &str) -> Datastore<'static> {
    Datastore {
        uid: Cow::Owned(format!("{product}://{name}")),
        name: Some(Cow::Owned(name.to_owned())),
        resource_type: Some(Cow::Borrowed(if product == "opensearch" {
            "OpenSearch cluster"
        } else {
            "Elasticsearch cluster"
        })),
        form: DatastoreForm::Database,
    }
}

/// The cluster that `POST _reindex` takes its documents from, where its body names one.
fn reindexed_from(product: &str, body: Option<&str>) -> Changes {
    let mut changes = Changes::default();
    let body = body.and_then(|body| serde_json::from_str::<Node<'_>>(body).ok());
    let host = body.as_ref().and_then(|body| body.text(&["source", "remote", "host"]));
    let host = host.as_deref().map(|host| host.split_once("://").map_or(host, |(_, rest)| rest));
    let host = host.and_then(|host| host.split(['/', '?']).next());
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        changes.copy_from(format!("{product}://{host}"), PlaceOf::default());
    }
    changes
}

/// Address and port of `192.0.2.7:9200` or `[2001:db8::7]:9200`; either may come alone.
fn address(text: Text<'_>) -> (Option<Text<'_>>, Option<u16>) {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse().ok())
        }
        _ => (&*text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return (None, port);
    }
    let host = match &text {
        Cow::Borrowed(text) => {
            let start = host.as_ptr() as usize - text.as_ptr() as usize;
            Cow::Borrowed(&text[start..start + host.len()])
        }
        Cow::Owned(_) => Cow::Owned(host.to_owned()),
    };
    (Some(host), port)
}

/// The bracketed parts at the front of a line, trimmed, and what stands behind them.
fn brackets(line: &str) -> (&str, Vec<&str>) {
    const PARTS_MAX: usize = 6;
    let mut parts = Vec::new();
    let mut rest = line;
    while parts.len() < PARTS_MAX
        && let Some((part, after)) =
            rest.trim_start().strip_prefix('[').and_then(|r| r.split_once(']'))
    {
        parts.push(part.trim());
        rest = after;
    }
    (rest.trim_start(), parts)
}
