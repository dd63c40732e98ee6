//! Who gets a role: the bindings that a policy gained or lost, or all of it.

use dataward_event::change::Direction;

use super::super::actor;
use super::{Call, Found};
use crate::catalogue_rows::{EmittedRow, gcp as rows};
use crate::node::Node;

/// Mail domains where everybody may have an account.
const FREE_MAIL: [&str; 6] =
    ["gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "proton.me"];

/// Roles on a project, folder or organisation that read what is in its datastores.
const DATA_ROLES: [&str; 14] = [
    "roles/owner",
    "roles/editor",
    "roles/viewer",
    "roles/storage.admin",
    "roles/storage.objectAdmin",
    "roles/storage.objectViewer",
    "roles/bigquery.admin",
    "roles/bigquery.dataOwner",
    "roles/bigquery.dataViewer",
    "roles/cloudsql.admin",
    "roles/cloudsql.client",
    "roles/datastore.viewer",
    "roles/spanner.databaseReader",
    "roles/secretmanager.secretAccessor",
];

/// What somebody is who gets a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Everybody,
    Foreign,
    Own,
}

/// The rows of a family of resources. One row may stand for both where everybody is but one more stranger.
struct Rows {
    everybody: &'static EmittedRow,
    foreign: &'static EmittedRow,
    /// Whether a role counts.
    counts: fn(&str) -> bool,
}

fn rows_of(call: &Call<'_>) -> Option<Rows> {
    let any: fn(&str) -> bool = |_| true;
    let (everybody, foreign, counts): (_, _, fn(&str) -> bool) = match call.service {
        "storage" => (&rows::STORAGE_PUBLIC, &rows::STORAGE_FOREIGN, any),
        "spanner" => (&rows::SPANNER_IAM, &rows::SPANNER_IAM, any),
        "bigquery" => (&rows::BIGQUERY_PUBLIC, &rows::BIGQUERY_FOREIGN, any),
        "cloudkms" => (&rows::KMS_FOREIGN, &rows::KMS_FOREIGN, |role| {
            role.ends_with("Decrypter") || role.ends_with(".admin") || role == "roles/owner"
        }),
        "secretmanager" => (&rows::SECRET_PUBLIC, &rows::SECRET_PUBLIC, |role| {
            role.ends_with("secretAccessor") || role.ends_with(".admin") || role == "roles/owner"
        }),
        "compute" if call.method.contains("disks.") => {
            (&rows::DISK_SHARED, &rows::DISK_SHARED, any)
        }
        "compute" if call.method.contains("snapshots.") || call.method.contains("images.") => {
            (&rows::SNAPSHOT_SHARED, &rows::SNAPSHOT_SHARED, any)
        }
        "cloudresourcemanager" => {
            (&rows::PROJECT_PUBLIC, &rows::PROJECT_DATA_ROLE, |role| DATA_ROLES.contains(&role))
        }
        _ => return None,
    };
    Some(Rows { everybody, foreign, counts })
}

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let Some(rows) = rows_of(call) else { return };
    let service_data: Node<'_> = call.payload.service_data.read().unwrap_or_default();
    let metadata = if call.service == "bigquery" { call.metadata() } else { Node::Null };
    let deltas: Vec<&Node<'_>> = [
        service_data.list(&["policyDelta", "bindingDeltas"]),
        metadata.list(&["datasetChange", "bindingDeltas"]),
        metadata.list(&["tableChange", "bindingDeltas"]),
    ]
    .into_iter()
    .flatten()
    .collect();
    for delta in &deltas {
        let direction = match delta.text(&["action"]).as_deref() {
            Some("ADD") => Direction::Weakened,
            Some("REMOVE") => Direction::Strengthened,
            _ => continue,
        };
        let member = delta.text(&["member"]).unwrap_or_default();
        let role = delta.text(&["role"]).unwrap_or_default();
        if let Some(row) = row_for(call, &rows, &member, &role) {
            let table = object_prefix(call);
            found.changes.push(row, direction, format!("{table}{member} {role}"));
        }
    }
    if deltas.is_empty() {
        whole_policy(call, &rows, &metadata, found);
    }
}

/// A table's own policy is one of several in its dataset.
fn object_prefix(call: &Call<'_>) -> String {
    match call.resource.split_once("/tables/") {
        Some((_, table)) if call.service == "bigquery" => format!("table {table}: "),
        _ => String::new(),
    }
}

fn row_for(call: &Call<'_>, rows: &Rows, member: &str, role: &str) -> Option<&'static EmittedRow> {
    let is_project = call.service == "cloudresourcemanager";
    match kind_of(call, member) {
        // On a whole project every role for everybody is too much.
        Member::Everybody if is_project => Some(rows.everybody),
        _ if !(rows.counts)(role) => None,
        Member::Everybody => Some(rows.everybody),
        Member::Foreign => Some(rows.foreign),
        Member::Own => (is_project && member.starts_with("user:")).then_some(rows.foreign),
    }
}

/// The policy as a whole: exactly these are in it from now on.
fn whole_policy(call: &Call<'_>, rows: &Rows, metadata: &Node<'_>, found: &mut Found) {
    let request;
    let bindings = match call.service {
        "bigquery" => {
            let paths: [&[&str]; 3] = [
                &["datasetChange", "dataset", "acl", "policy", "bindings"],
                &["datasetCreation", "dataset", "acl", "policy", "bindings"],
                &["tableChange", "table", "acl", "policy", "bindings"],
            ];
            paths.into_iter().find(|path| metadata.has(path)).map(|path| metadata.list(path))
        }
        // Their policies are told by what they gained or lost; a request alone repeats all of it.
        "cloudresourcemanager" => None,
        _ if call.verb.eq_ignore_ascii_case("setiampolicy") || call.verb == "setIamPermissions" => {
            request = call.request();
            let is_there = request.has(&["policy"]) || request.has(&["bindings"]);
            let path: &[&str] =
                if request.has(&["policy"]) { &["policy", "bindings"] } else { &["bindings"] };
            is_there.then(|| request.list(path))
        }
        _ => None,
    };
    let Some(bindings) = bindings else { return };
    let table = object_prefix(call);
    let mut everybody = Vec::new();
    let mut foreign = Vec::new();
    for binding in bindings {
        let role = binding.text(&["role"]).unwrap_or_default();
        for member in binding.texts(&["members"]) {
            let opened = format!("{table}{member} {role}");
            match row_for(call, rows, &member, &role) {
                Some(row) if row.id == rows.everybody.id => everybody.push(opened),
                Some(_) => foreign.push(opened),
                None => {}
            }
        }
    }
    // The policy of a table does not state what stands in the one of its dataset.
    if !table.is_empty() {
        for opened in everybody {
            found.changes.weakened(rows.everybody, opened);
        }
        return;
    }
    found.changes.whole(rows.everybody, everybody);
    if rows.everybody.id != rows.foreign.id {
        found.changes.whole(rows.foreign, foreign);
    }
}

/// What a member of a binding is, seen from the own project and the domain of the caller.
pub(super) fn kind_of(call: &Call<'_>, member: &str) -> Member {
    let Some((kind, name)) = member.split_once(':') else {
        let everybody = matches!(member, "allUsers" | "allAuthenticatedUsers");
        return if everybody { Member::Everybody } else { Member::Own };
    };
    let own_domain = call.domain.filter(|domain| !domain.ends_with("gserviceaccount.com"));
    let domain = match kind {
        "user" | "group" => name.rsplit_once('@').map(|(_, domain)| domain),
        "domain" => Some(name),
        "serviceAccount" => return service_account(call, name),
        _ => None,
    };
    let Some(domain) = domain else { return Member::Own };
    let is_own = own_domain.is_some_and(|own| {
        own == domain
            || own.ends_with(&format!(".{domain}"))
            || domain.ends_with(&format!(".{own}"))
    });
    if is_own || (own_domain.is_none() && !FREE_MAIL.contains(&domain)) {
        Member::Own
    } else {
        Member::Foreign
    }
}

/// Accounts of Google's own services are in projects of Google.
fn service_account(call: &Call<'_>, email: &str) -> Member {
    let (Some(own), Some(project)) = (call.project, actor::project(email)) else {
        return Member::Own;
    };
    let is_number = own.bytes().all(|byte| byte.is_ascii_digit());
    let is_agent = project.starts_with("gcp-sa-")
        || email.starts_with("service-")
        || project.ends_with("-robot")
        || project == "bigquery-encryption";
    if is_number || is_agent || project == own { Member::Own } else { Member::Foreign }
}
