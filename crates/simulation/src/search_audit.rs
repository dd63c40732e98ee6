//! Audit events of Elasticsearch clusters, in OCSF, as the gateway before the clusters writes them.
//!
//! It is the gateway's log on purpose: where security is switched off in a cluster, the cluster's own audit log ends.

use dataward_event::time::EventTime;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::cloudtrail::{ACCOUNT, Message, random_text, uuid};

/// Who asks a cluster.
#[derive(Debug, Clone)]
pub(crate) struct SearchUser {
    user: Value,
    key: String,
    ip: String,
}

/// What is asked of a cluster.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// A search, or a page of one: so many documents of an index.
    Search { index: &'static str, rows: u64, bytes: u64 },
    /// So many documents are written.
    Write { index: &'static str, rows: u64, bytes: u64 },
    /// A search that is refused.
    Refused { index: &'static str },
    /// The cluster's settings are changed.
    Change { operation: &'static str, changes: Vec<Value> },
}

impl SearchUser {
    /// A person of a team.
    pub(crate) fn person(team: &str, name: &str, ip: &str) -> Self {
        Self::of(team, name, 1, ip)
    }

    /// A program.
    pub(crate) fn service(team: &str, name: &str, ip: &str) -> Self {
        Self::of(team, name, 4, ip)
    }

    fn of(team: &str, name: &str, type_id: u8, ip: &str) -> Self {
        let key = format!("{team}/{name}");
        let user = json!({
            "uid": key,
            "name": name,
            "type": if type_id == 4 { "Service" } else { "User" },
            "type_id": type_id,
            "account": { "uid": ACCOUNT },
            "groups": [{ "name": team }],
        });
        Self { user, key, ip: ip.to_owned() }
    }

    /// Nobody: the cluster asked for no name.
    pub(crate) fn nobody(ip: &str) -> Self {
        let user = json!({ "name": "_anonymous", "type": "Anonymous", "type_id": 99 });
        Self { user, key: "anonymous".to_owned(), ip: ip.to_owned() }
    }
}

/// The event of a request.
pub(crate) fn event(
    rng: &mut Rng,
    user: &SearchUser,
    cluster: &str,
    request: &Request,
    time: EventTime,
) -> Message {
    let event_uid = uuid(rng);
    let uid = format!("elasticsearch://{cluster}");
    let (class, activity, operation) = match request {
        Request::Search { .. } | Request::Refused { .. } => (6005, 4, "indices:data/read/search"),
        Request::Write { .. } => (6005, 5, "indices:data/write/bulk"),
        Request::Change { operation, .. } => (6003, 3, *operation),
    };
    let is_refused = matches!(request, Request::Refused { .. });
    let mut event = json!({
        "class_uid": class,
        "category_uid": 6,
        "activity_id": activity,
        "type_uid": class * 100 + activity,
        "severity_id": 1,
        "status_id": if is_refused { 2 } else { 1 },
        "time": time.millis(),
        "metadata": {
            "uid": event_uid,
            "version": "1.8.0",
            "product": { "name": "search gateway", "vendor_name": "Example" },
        },
        "actor": { "user": user.user },
        "src_endpoint": { "ip": user.ip },
        "api": {
            "operation": operation,
            "service": { "name": "elasticsearch" },
            "request": { "uid": random_text(rng, 22) },
        },
        "cloud": { "provider": "AWS", "account": { "uid": ACCOUNT } },
    });
    let mut own = json!({});
    match request {
        Request::Search { index, rows, bytes } => {
            event["query_info"] = json!({ "query_string": format!("GET /{index}/_search") });
            own = json!({ "rows_returned": rows, "bytes_out": bytes, "targets": [index] });
        }
        Request::Write { index, rows, bytes } => {
            own = json!({ "rows_written": rows, "bytes_in": bytes, "targets": [index] });
        }
        Request::Refused { index } => {
            event["status_code"] = json!("security_exception");
            own = json!({ "targets": [index] });
        }
        Request::Change { changes, .. } => {
            own["changes"] = json!(changes);
            own["datastore"] = json!({
                "uid": uid,
                "name": cluster,
                "type": "Elasticsearch::Cluster",
                "form": "database",
            });
            let resource = json!({ "uid": uid, "name": cluster, "type": "Elasticsearch::Cluster" });
            event["resources"] = json!([resource]);
        }
    }
    if let Request::Write { rows, bytes, .. } = request {
        event["unmapped"] = json!({ "rows_written": rows, "bytes_in": bytes });
    }
    if class == 6005 {
        event["database"] = json!({
            "uid": uid,
            "name": cluster,
            "type": "Elasticsearch::Cluster",
            "type_id": 6,
        });
    }
    event["unmapped"]["dataward"] = own;
    Message { key: user.key.clone(), event_uid, payload: event.to_string() }
}

/// One change of a cluster's protection.
pub(crate) fn change(
    control: &str,
    setting: &str,
    opened: &str,
    direction: &str,
    (before, after): (&str, &str),
) -> Value {
    json!({
        "control": control,
        "setting": setting,
        "opened": opened,
        "direction": direction,
        "before": before,
        "after": after,
    })
}
