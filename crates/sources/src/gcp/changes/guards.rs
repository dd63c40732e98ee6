//! What stands around datastores: keys, organisation policies, perimeters, firewalls.

use dataward_event::change::Direction;

use super::super::datastore;
use super::{Call, Found};
use crate::catalogue_rows::{EmittedRow, gcp as rows};
use crate::network::{Breadth, breadth, port_text_reaches_datastore, world_name};
use crate::node::Node;

/// Constraints that guard datastores.
const CONSTRAINTS: [&str; 8] = [
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
    "sql.restrictPublicIp",
    "sql.restrictAuthorizedNetworks",
    "iam.allowedPolicyMemberDomains",
    "iam.disableServiceAccountKeyCreation",
    "gcp.detailedAuditLoggingMode",
    "gcp.restrictNonCmekServices",
];

/// Services of datastores that a perimeter should hold.
const PERIMETER_SERVICES: [&str; 3] =
    ["storage.googleapis.com", "bigquery.googleapis.com", "sqladmin.googleapis.com"];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.verb) {
        ("cloudkms", _) => key_version(call, found),
        ("orgpolicy", "UpdatePolicy" | "CreatePolicy" | "DeletePolicy") => org_policy(call, found),
        ("accesscontextmanager", _) => perimeter(call, found),
        ("compute", "insert" | "patch" | "update" | "delete")
            if call.method.contains("firewalls.") =>
        {
            firewall(call, found);
        }
        _ => {}
    }
}

fn key_version(call: &Call<'_>, found: &mut Found) {
    let version = call.resource.split_once("/cryptoKeyVersions/").map_or("", |(_, name)| name);
    let opened = format!("version {version}");
    match call.verb {
        "DestroyCryptoKeyVersion" => {
            found.changes.weakened(&rows::KMS_DESTROYED, opened);
        }
        "RestoreCryptoKeyVersion" => {
            found.changes.strengthened(&rows::KMS_DESTROYED, opened);
        }
        "UpdateCryptoKeyVersion" => {
            let state = call.request().text(&["cryptoKeyVersion", "state"]);
            match state.as_deref() {
                Some("DISABLED") => found.changes.weakened(&rows::KMS_DISABLED, opened),
                Some("ENABLED") => found.changes.strengthened(&rows::KMS_DISABLED, opened),
                Some("DESTROY_SCHEDULED") => found.changes.weakened(&rows::KMS_DESTROYED, opened),
                _ => return,
            };
        }
        _ => {}
    }
}

fn org_policy(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let name = request
        .text(&["policy", "name"])
        .or_else(|| request.text(&["name"]))
        .map_or_else(|| call.resource.to_owned(), |name| name.into_owned());
    let Some((place, constraint)) = name.split_once("/policies/") else { return };
    if !CONSTRAINTS.contains(&constraint) {
        return;
    }
    found.datastore = Some(datastore::guard("orgpolicy.googleapis.com/Parent", place));
    if call.verb == "DeletePolicy" {
        // Above an organisation there is none: what holds without a policy guards nothing.
        let is_at_the_top = place.starts_with("organizations/");
        let direction = if is_at_the_top { Direction::Weakened } else { Direction::Unknown };
        found.changes.push(&rows::ORG_POLICY, direction, constraint.to_owned());
        return;
    }
    let rules = request.list(&["policy", "spec", "rules"]);
    let is_relaxed = rules.iter().any(|rule| {
        rule.flag(&["enforce"]) == Some(false) || rule.flag(&["allowAll"]) == Some(true)
    });
    let is_enforced = rules.iter().any(|rule| {
        rule.flag(&["enforce"]) == Some(true)
            || rule.flag(&["denyAll"]) == Some(true)
            || rule.has(&["values"])
    });
    if is_relaxed || is_enforced {
        found.changes.flag(&rows::ORG_POLICY, is_relaxed, constraint.to_owned());
    }
}

/// `SetOrgPolicy` of the first version of the resource manager.
pub(super) fn read_old_org_policy(call: &Call<'_>, found: &mut Found) {
    if call.verb != "SetOrgPolicy" {
        return;
    }
    let request = call.request();
    let constraint = request.text(&["policy", "constraint"]).unwrap_or_default();
    let constraint = constraint.trim_start_matches("constraints/");
    if !CONSTRAINTS.contains(&constraint) {
        return;
    }
    let enforced = request.flag(&["policy", "booleanPolicy", "enforced"]);
    let all = request.text(&["policy", "listPolicy", "allValues"]);
    let is_relaxed = match (enforced, all.as_deref()) {
        (Some(enforced), _) => !enforced,
        (None, Some("ALLOW")) => true,
        (None, Some("DENY")) => false,
        // A boolean policy that is not enforced is written as an empty object.
        (None, None) if request.has(&["policy", "booleanPolicy"]) => true,
        (None, _) if request.has(&["policy", "listPolicy", "allowedValues"]) => false,
        _ => return,
    };
    found.changes.flag(&rows::ORG_POLICY, is_relaxed, constraint.to_owned());
}

fn perimeter(call: &Call<'_>, found: &mut Found) {
    match call.verb {
        "DeleteServicePerimeter" => {
            found.changes.weakened(&rows::PERIMETER_DELETED, "perimeter");
        }
        "CreateServicePerimeter" => {
            found.changes.strengthened(&rows::PERIMETER_DELETED, "perimeter");
            if let Some(name) = call.request().text(&["servicePerimeter", "name"]) {
                let kind = "accesscontextmanager.googleapis.com/ServicePerimeter";
                found.datastore = Some(datastore::guard(kind, &name));
            }
        }
        "UpdateServicePerimeter" => updated_perimeter(call, found),
        "UpdateAccessLevel" => {
            let request = call.request();
            let path = ["accessLevel", "basic", "conditions"];
            if request.has(&path) {
                let conditions = request.list(&path);
                let is_open = conditions.is_empty()
                    || conditions.iter().any(|condition| {
                        condition
                            .texts(&["ipSubnetworks"])
                            .any(|network| breadth(&network) == Some(Breadth::World))
                    });
                found.changes.flag(&rows::ACCESS_LEVEL, is_open, "conditions");
            }
        }
        _ => {}
    }
}

fn updated_perimeter(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let Some(status) = request.at(&["servicePerimeter", "status"]) else { return };
    let row = &rows::PERIMETER_WEAKENED;
    for (list, side, opened) in [
        ("ingressPolicies", "ingressFrom", "any identity enters"),
        ("egressPolicies", "egressFrom", "any identity leaves"),
    ] {
        if status.has(&[list]) {
            let is_any = status.list(&[list]).iter().any(|policy| {
                policy.text(&[side, "identityType"]).as_deref() == Some("ANY_IDENTITY")
            });
            found.changes.flag(row, is_any, opened);
        }
    }
    if status.has(&["restrictedServices"]) {
        let is_empty = status.list(&["restrictedServices"]).is_empty();
        for service in PERIMETER_SERVICES {
            let is_held = status.texts(&["restrictedServices"]).any(|held| held == service);
            let direction = match is_held {
                true => Direction::Strengthened,
                // Which services were held before is only told where none is left.
                false if is_empty => Direction::Weakened,
                false => Direction::Unknown,
            };
            found.changes.push(row, direction, format!("unrestricted {service}"));
        }
    }
}

fn firewall(call: &Call<'_>, found: &mut Found) {
    if call.verb == "delete" {
        found.changes.whole(&rows::FIREWALL_WORLD, []);
        return;
    }
    let request = call.request();
    let is_insert = call.verb == "insert";
    if request.text(&["direction"]).is_some_and(|direction| direction == "EGRESS") {
        return;
    }
    let allowed_key = if request.has(&["alloweds"]) { "alloweds" } else { "allowed" };
    let is_disabled = request.flag(&["disabled"]) == Some(true);
    let has_ranges = request.has(&["sourceRanges"]);
    let names_all = has_ranges && request.has(&[allowed_key]);
    if !is_insert && !names_all {
        patched(&request, is_disabled, has_ranges, found);
        return;
    }
    // A rule that names neither ranges nor tags holds for everybody.
    let is_for_all = is_insert
        && !has_ranges
        && !request.has(&["sourceTags"])
        && !request.has(&["sourceServiceAccounts"]);
    let everybody = is_for_all.then(|| "0.0.0.0/0".into());
    let networks: Vec<_> = request.texts(&["sourceRanges"]).chain(everybody).collect();
    let mut opened: Vec<(&'static EmittedRow, String)> = Vec::new();
    for rule in request.list(&[allowed_key]) {
        let Some(ports) = datastore_ports(rule) else { continue };
        for network in networks.iter().filter(|_| !is_disabled) {
            let row: &'static EmittedRow = match breadth(network) {
                Some(Breadth::World) => &rows::FIREWALL_WORLD,
                Some(Breadth::Wide) => &rows::FIREWALL_WIDE,
                _ => continue,
            };
            opened.push((row, format!("{} {ports}", world_name(network))));
        }
    }
    if !is_insert || !opened.is_empty() {
        found.changes.whole_of(&rows::FIREWALL_WORLD, opened);
    }
}

/// A patch that names only a part of the rule: the rest is not told.
fn patched(request: &Node<'_>, is_disabled: bool, has_ranges: bool, found: &mut Found) {
    let is_narrow = has_ranges
        && request
            .texts(&["sourceRanges"])
            .all(|network| breadth(&network) == Some(Breadth::Narrow));
    if is_disabled || is_narrow {
        found.changes.whole(&rows::FIREWALL_WORLD, []);
    } else if has_ranges || request.has(&["disabled"]) || request.has(&["alloweds"]) {
        found.changes.whole_unknown(&rows::FIREWALL_WORLD).whole = false;
    }
}

/// The ports of one `allowed`, if they reach a datastore: `tcp 5432`, `all`.
fn datastore_ports(rule: &Node<'_>) -> Option<String> {
    let protocol = rule.text(&["IPProtocol"]).or_else(|| rule.text(&["ipProtocol"]))?;
    let protocol = match &*protocol {
        "6" => "tcp",
        "17" => "udp",
        "all" => return Some("all".to_owned()),
        "tcp" | "udp" => &*protocol,
        _ => return None,
    };
    let ports: Vec<_> = rule.texts(&["ports"]).collect();
    if ports.is_empty() {
        return Some(format!("{protocol} all"));
    }
    let reaching: Vec<_> =
        ports.iter().filter(|ports| port_text_reaches_datastore(ports)).map(|p| &**p).collect();
    (!reaching.is_empty()).then(|| format!("{protocol} {}", reaching.join(",")))
}
