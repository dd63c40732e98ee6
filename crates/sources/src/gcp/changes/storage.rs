//! Buckets: what an update sets, where detailed audit logging tells it.

use super::super::datastore;
use super::{Call, Found};
use crate::catalogue_rows::gcp as rows;
use crate::node::Node;

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match call.method.trim_start_matches("google.") {
        "storage.buckets.update" | "storage.buckets.patch" => update(call, found),
        "storage.buckets.delete" => {
            let direction = dataward_event::change::Direction::Unknown;
            found.changes.push(&rows::STORAGE_DELETED, direction, "bucket");
        }
        "storage.hmacKeys.create" => hmac_key(call, found, true),
        "storage.hmacKeys.delete" => hmac_key(call, found, false),
        "storage.hmacKeys.update" => {
            if let Some(state) = resource(&call.request()).text(&["state"]) {
                hmac_key(call, found, state == "ACTIVE");
            }
        }
        _ => {}
    }
}

/// The bucket inside a request: alone, or beside the parameters of the call.
fn resource<'n, 'a>(request: &'n Node<'a>) -> &'n Node<'a> {
    ["bucket", "resource", "body"]
        .iter()
        .filter_map(|key| request.at(&[key]))
        .find(|node| matches!(node, Node::Map(_)))
        .unwrap_or(request)
}

fn update(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let bucket = resource(&request);
    let changes = &mut found.changes;
    let path = ["iamConfiguration", "publicAccessPrevention"];
    let weak = ["inherited", "unspecified"];
    changes.value(&rows::STORAGE_PREVENTION, bucket, &path, &weak, "publicAccessPrevention");
    let path = ["iamConfiguration", "uniformBucketLevelAccess", "enabled"];
    changes.value(&rows::STORAGE_UNIFORM, bucket, &path, &["false"], "acls");
    let path = ["versioning", "enabled"];
    changes.value(&rows::STORAGE_VERSIONING, bucket, &path, &["false"], "versioning");
    let path = ["softDeletePolicy", "retentionDurationSeconds"];
    changes.value(&rows::STORAGE_SOFT_DELETE, bucket, &path, &["0"], "soft_delete");
    for (row, key, opened) in [
        (&rows::STORAGE_RETENTION, "retentionPolicy", "retention_policy"),
        (&rows::STORAGE_LOGGING, "logging", "logging"),
    ] {
        match bucket.at(&[key]) {
            Some(Node::Null) => {
                changes.weakened(row, opened);
            }
            Some(Node::Map(fields)) if !fields.is_empty() => {
                changes.strengthened(row, opened);
            }
            _ => {}
        }
    }
}

fn hmac_key(call: &Call<'_>, found: &mut Found, is_usable: bool) {
    found.changes.flag(&rows::STORAGE_HMAC_KEY, is_usable, "hmac_key");
    if let Some(project) = call.project {
        let name = format!("projects/{project}");
        found.datastore = Some(datastore::guard("storage.googleapis.com/Project", &name));
    }
}
