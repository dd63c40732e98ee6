//! What stands around datastores: containers, roles, vault policies, exemptions, diagnostic settings, Defender.

use std::borrow::Cow;

use super::Call;
use crate::catalogue_rows::azure as rows;
use crate::changes::Changes;
use crate::node::Node;

/// Built-in roles that read data, or may give themselves one that does.
const DATA_ROLES: [(&str, &str); 15] = [
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner"),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor"),
    ("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator"),
    ("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator"),
    ("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Storage Blob Data Owner"),
    ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor"),
    ("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader"),
    ("c12c1c16-33a1-487b-954d-41c89c60f349", "Reader and Data Access"),
    ("17d1049b-9a84-46fb-8f53-869881c3d3ab", "Storage Account Contributor"),
    ("9b7fa17d-e63e-47b0-bb0a-15c516ac86ec", "SQL DB Contributor"),
    ("6d8ee4ec-f05a-4a1d-8b00-a9b17e38b437", "SQL Server Contributor"),
    ("fbdf93bf-df7d-467e-a4d2-9458aa1360c8", "Cosmos DB Account Reader"),
    ("5bd9cd88-fe45-4216-938b-f97437e15450", "DocumentDB Account Contributor"),
    ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator"),
    ("4633458b-17de-408a-b874-0445c86b69e6", "Key Vault Secrets User"),
];

/// Data roles of Cosmos DB: reader and contributor.
const COSMOS_ROLES: [&str; 2] =
    ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"];

/// Categories of logs that record access or change.
const AUDIT_CATEGORIES: [&str; 12] = [
    "StorageRead",
    "StorageWrite",
    "StorageDelete",
    "AuditEvent",
    "SQLSecurityAuditEvents",
    "DataPlaneRequests",
    "ControlPlaneRequests",
    "PostgreSQLLogs",
    "MySqlAuditLogs",
    "Administrative",
    "audit",
    "allLogs",
];

/// Plans of Defender that watch datastores.
const PLANS: [&str; 4] =
    ["storageaccounts", "sqlservers", "cosmosdbs", "opensourcerelationaldatabases"];

pub(super) fn read(call: &Call<'_>, changes: &mut Changes) {
    match call.operation {
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/BLOBSERVICES/CONTAINERS/WRITE" => {
            let path = ["properties", "publicAccess"];
            let weak = ["Blob", "Container"];
            let opened = format!("container {}", call.resource.name());
            changes.value(&rows::CONTAINER_PUBLIC, &call.request, &path, &weak, opened);
        }
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/BLOBSERVICES/CONTAINERS/DELETE" if call.is_told() => {
            let opened = format!("container {}", call.resource.name());
            changes.strengthened(&rows::CONTAINER_PUBLIC, opened);
        }
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/LOCALUSERS/WRITE" => {
            let path = ["properties", "hasSshPassword"];
            let opened = format!("local user {}", call.resource.name());
            changes.value(&rows::STORAGE_LOCAL_USER, &call.request, &path, &["true"], opened);
        }
        "MICROSOFT.STORAGE/STORAGEACCOUNTS/LOCALUSERS/DELETE" if call.is_told() => {
            let opened = format!("local user {}", call.resource.name());
            changes.strengthened(&rows::STORAGE_LOCAL_USER, opened);
        }
        "MICROSOFT.KEYVAULT/VAULTS/WRITE" => {
            let mode = call.request.text(&["properties", "createMode"]);
            if mode.is_some_and(|mode| mode.eq_ignore_ascii_case("recover")) {
                changes.strengthened(&rows::VAULT_DELETED, "vault");
            }
        }
        "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/WRITE" => role_assigned(call, changes),
        "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/DELETE" if call.is_told() => {
            let opened = format!("assignment {}", call.resource.name());
            changes.strengthened(&rows::ROLE_ASSIGNED, opened);
        }
        "MICROSOFT.AUTHORIZATION/POLICYEXEMPTIONS/WRITE"
            if call.request.has(&["properties"]) || call.is_told() =>
        {
            let opened = format!("exemption {}", call.resource.name());
            changes.weakened(&rows::POLICY_EXEMPTION, opened);
        }
        "MICROSOFT.AUTHORIZATION/POLICYEXEMPTIONS/DELETE" if call.is_told() => {
            let opened = format!("exemption {}", call.resource.name());
            changes.strengthened(&rows::POLICY_EXEMPTION, opened);
        }
        "MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS/SQLROLEASSIGNMENTS/WRITE" => {
            cosmos_role(call, changes);
        }
        "MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS/SQLROLEASSIGNMENTS/DELETE" if call.is_told() => {
            let opened = format!("assignment {}", call.resource.name());
            changes.strengthened(&rows::COSMOS_ROLE, opened);
        }
        "MICROSOFT.KEYVAULT/VAULTS/ACCESSPOLICIES/WRITE" => vault_policies(call, changes),
        "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/WRITE" => diagnostics(call, changes),
        "MICROSOFT.SECURITY/PRICINGS/WRITE" => {
            let plan = call.resource.name();
            if PLANS.contains(&plan) {
                let path = ["properties", "pricingTier"];
                let opened = format!("plan {plan}");
                changes.value(&rows::DEFENDER_OFF, &call.request, &path, &["Free"], opened);
            }
        }
        "MICROSOFT.SECURITY/ALERTSSUPPRESSIONRULES/WRITE" => {
            let kind = call.request.text(&["properties", "alertType"]).unwrap_or_default();
            if kind.starts_with("Storage.") || kind.starts_with("SQL") {
                let is_on = call
                    .request
                    .text(&["properties", "state"])
                    .is_none_or(|state| state.eq_ignore_ascii_case("Enabled"));
                let opened = format!("rule {}", call.resource.name());
                changes.flag(&rows::ALERTS_SUPPRESSED, is_on, opened).after =
                    Some(Cow::Owned(kind.into_owned()));
            }
        }
        "MICROSOFT.SECURITY/ALERTSSUPPRESSIONRULES/DELETE" if call.is_told() => {
            let opened = format!("rule {}", call.resource.name());
            changes.strengthened(&rows::ALERTS_SUPPRESSED, opened);
        }
        _ => {}
    }
}

/// An assignment is known by its own id: its deletion tells nothing else.
fn role_assigned(call: &Call<'_>, changes: &mut Changes) {
    let properties = call.request.at(&["properties"]).or_else(|| call.request.at(&["Properties"]));
    let properties = properties.unwrap_or(&call.request);
    let definition = properties.text(&["roleDefinitionId"]);
    let definition = definition.or_else(|| properties.text(&["RoleDefinitionId"]));
    let Some(definition) = definition else { return };
    let id = definition.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let Some((_, role)) = DATA_ROLES.iter().find(|(known, _)| *known == id) else { return };
    let principal = properties.text(&["principalId"]);
    let principal = principal.or_else(|| properties.text(&["PrincipalId"])).unwrap_or_default();
    let opened = format!("assignment {}", call.resource.name());
    changes.weakened(&rows::ROLE_ASSIGNED, opened).after =
        Some(Cow::Owned(format!("{role} for {principal}")));
}

fn cosmos_role(call: &Call<'_>, changes: &mut Changes) {
    let properties = call.request.at(&["properties"]).unwrap_or(&Node::Null);
    let definition = properties.text(&["roleDefinitionId"]).unwrap_or_default();
    let role = definition.rsplit('/').next().unwrap_or_default();
    let scope = properties.text(&["scope"]).unwrap_or_default();
    let is_of_account = !scope.contains("/dbs/");
    if COSMOS_ROLES.contains(&role) && is_of_account {
        let opened = format!("assignment {}", call.resource.name());
        changes.weakened(&rows::COSMOS_ROLE, opened);
    }
}

/// `accessPolicies/add`, `…/replace` and `…/remove` name the policies that come or go. Every service that encrypts with a
/// key of the vault unwraps with it: that right alone reads nothing.
fn vault_policies(call: &Call<'_>, changes: &mut Changes) {
    let is_removed = call.resource.name() == "remove";
    for policy in call.request.list(&["properties", "accessPolicies"]) {
        let object = policy.text(&["objectId"]).unwrap_or_default();
        let has = |kind: &str, rights: &[&str]| {
            policy
                .texts(&["permissions", kind])
                .any(|right| rights.contains(&right.to_ascii_lowercase().as_str()))
        };
        let is_broad =
            has("secrets", &["get", "all", "backup"]) || has("keys", &["decrypt", "all", "backup"]);
        if is_broad || is_removed {
            changes.flag(&rows::VAULT_POLICY, !is_removed, format!("object {object}"));
        }
    }
}

/// Which categories a setting sends.
fn diagnostics(call: &Call<'_>, changes: &mut Changes) {
    let name = call.resource.name();
    for log in call.request.list(&["properties", "logs"]) {
        let category = log.text(&["category"]).or_else(|| log.text(&["categoryGroup"]));
        let Some(category) = category.filter(|c| AUDIT_CATEGORIES.contains(&&**c)) else {
            continue;
        };
        let opened = format!("{name} {category}");
        changes.value(&rows::DIAGNOSTICS_REDUCED, log, &["enabled"], &["false"], opened);
    }
}
