//! Which datastore, or which guard of one, a resource name stands for.

use std::borrow::Cow;

use dataward_event::audit_event::{Datastore, DatastoreForm, Text};

use DatastoreForm::{Bucket, Database, Guard, Other, Snapshot};

/// Up to which collection the names of a service go, and what stands there.
struct Naming {
    service: &'static str,
    /// The last collection of the name that is kept: what comes behind it is an object inside.
    collection: &'static str,
    resource_type: &'static str,
    form: DatastoreForm,
}

const fn naming(
    service: &'static str,
    collection: &'static str,
    resource_type: &'static str,
    form: DatastoreForm,
) -> Naming {
    Naming { service, collection, resource_type, form }
}

#[rustfmt::skip]
const NAMINGS: &[Naming] = &[
    naming("storage", "buckets", "storage.googleapis.com/Bucket", Bucket),
    naming("storage", "projects", "storage.googleapis.com/Project", Guard),
    naming("bigquery", "datasets", "bigquery.googleapis.com/Dataset", Database),
    naming("bigquery", "projects", "bigquery.googleapis.com/Project", Database),
    naming("bigquerydatapolicy", "dataPolicies", "bigquerydatapolicy.googleapis.com/DataPolicy", Guard),
    naming("analyticshub", "dataExchanges", "analyticshub.googleapis.com/DataExchange", Guard),
    naming("cloudsql", "instances", "sqladmin.googleapis.com/Instance", Database),
    naming("alloydb", "clusters", "alloydb.googleapis.com/Cluster", Database),
    naming("spanner", "databases", "spanner.googleapis.com/Database", Database),
    naming("spanner", "instances", "spanner.googleapis.com/Instance", Database),
    naming("firestore", "databases", "firestore.googleapis.com/Database", Database),
    naming("datastore", "databases", "firestore.googleapis.com/Database", Database),
    naming("datastore", "projects", "firestore.googleapis.com/Database", Database),
    naming("bigtable", "instances", "bigtableadmin.googleapis.com/Instance", Database),
    naming("redis", "instances", "redis.googleapis.com/Instance", Database),
    naming("memcache", "instances", "memcache.googleapis.com/Instance", Database),
    naming("secretmanager", "secrets", "secretmanager.googleapis.com/Secret", Other),
    naming("cloudkms", "cryptoKeys", "cloudkms.googleapis.com/CryptoKey", Guard),
    naming("cloudkms", "keyRings", "cloudkms.googleapis.com/KeyRing", Guard),
    naming("compute", "firewalls", "compute.googleapis.com/Firewall", Guard),
    naming("compute", "snapshots", "compute.googleapis.com/Snapshot", Snapshot),
    naming("compute", "images", "compute.googleapis.com/Image", Snapshot),
    naming("compute", "disks", "compute.googleapis.com/Disk", Snapshot),
    naming("logging", "sinks", "logging.googleapis.com/LogSink", Guard),
    naming("logging", "buckets", "logging.googleapis.com/LogBucket", Guard),
    naming("logging", "projects", "logging.googleapis.com/Project", Guard),
    naming("orgpolicy", "policies", "orgpolicy.googleapis.com/Policy", Guard),
    naming("accesscontextmanager", "servicePerimeters", "accesscontextmanager.googleapis.com/ServicePerimeter", Guard),
    naming("accesscontextmanager", "accessLevels", "accesscontextmanager.googleapis.com/AccessLevel", Guard),
    naming("cloudresourcemanager", "projects", "cloudresourcemanager.googleapis.com/Project", Guard),
    naming("cloudresourcemanager", "folders", "cloudresourcemanager.googleapis.com/Folder", Guard),
    naming("cloudresourcemanager", "organizations", "cloudresourcemanager.googleapis.com/Organization", Guard),
];

/// The services that share the names of another.
fn canonical(service: &str) -> &str {
    match service {
        "bigquerystorage" => "bigquery",
        "sqladmin" => "cloudsql",
        "bigtableadmin" => "bigtable",
        other => other,
    }
}

/// A resource name taken apart.
pub(super) struct Named<'a> {
    pub(super) datastore: Datastore<'a>,
    /// What stands behind the datastore's own name: a key, a table, a version.
    pub(super) inside: Option<Text<'a>>,
}

/// The datastore of a resource name; `None` where the service holds none that we know.
///
/// The uid is Google's full resource name. `project` completes the names that leave it out.
pub(super) fn named<'a>(
    service: &str,
    resource: &Text<'a>,
    project: Option<&str>,
) -> Option<Named<'a>> {
    let service = canonical(service);
    NAMINGS
        .iter()
        .filter(|naming| naming.service == service)
        .find_map(|naming| take(naming, resource, project))
}

fn take<'a>(naming: &Naming, resource: &Text<'a>, project: Option<&str>) -> Option<Named<'a>> {
    let resource_text = resource.trim_start_matches('/');
    let start = resource_text.find(naming.collection)?;
    let is_segment = start == 0 || resource_text.as_bytes()[start - 1] == b'/';
    let name_start = start + naming.collection.len() + 1;
    let name = resource_text.get(name_start..)?;
    if !is_segment || name.is_empty() || resource_text.as_bytes()[name_start - 1] != b'/' {
        return None;
    }
    let name_end = name_start + name.find('/').unwrap_or(name.len());
    let (whole, rest) = resource_text.split_at(name_end);
    let service = naming.resource_type.split('/').next().unwrap_or_default();
    let service =
        if service == "sqladmin.googleapis.com" { "cloudsql.googleapis.com" } else { service };
    let uid = match project {
        // The name of a bucket is its own in all of the cloud, and a refusal names the project by number.
        _ if naming.collection == "buckets" && naming.service == "storage" => {
            format!("//{service}/projects/_/buckets/{}", &whole[name_start..])
        }
        Some(project) if start == 0 && !is_top(naming.collection) => {
            format!("//{service}/projects/{project}/{whole}")
        }
        _ => format!("//{service}/{whole}"),
    };
    let datastore = Datastore {
        uid: Cow::Owned(uid),
        name: Some(Cow::Owned(whole[name_start..].to_owned())),
        resource_type: Some(Cow::Borrowed(naming.resource_type)),
        form: naming.form,
    };
    // `objects/` is no part of the name of an object.
    let inside = rest.trim_start_matches('/');
    let inside = inside.strip_prefix("objects/").unwrap_or(inside);
    let inside = (!inside.is_empty()).then(|| Cow::Owned(inside.to_owned()));
    Some(Named { datastore, inside })
}

/// Collections that stand at the beginning of a full name.
fn is_top(collection: &str) -> bool {
    matches!(collection, "projects" | "folders" | "organizations")
}

/// A guard that a request names, or the place in which something is set.
pub(super) fn guard(resource_type: &'static str, name: &str) -> Datastore<'static> {
    let service = resource_type.split('/').next().unwrap_or_default();
    Datastore {
        uid: Cow::Owned(format!("//{service}/{name}")),
        name: name.rsplit('/').next().map(|name| Cow::Owned(name.to_owned())),
        resource_type: Some(Cow::Borrowed(resource_type)),
        form: Guard,
    }
}
