//! Identities and what stands above them: policies, second factors, boundaries, organisations, shares, grants.

use std::borrow::Cow;

use dataward_event::change::Direction::{self, Strengthened, Unknown, Weakened};

use super::document::{bool_at, embedded, items, text_at, texts};
use super::identity_policy::reads_widely;
use super::policy::account_of;
use super::{Call, Found, foreign_account};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// Policies of AWS by which an identity reads data.
const DATA_POLICIES: [&str; 15] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonRDSFullAccess",
    "AmazonRDSDataFullAccess",
    "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonRedshiftFullAccess",
    "AmazonRedshiftDataFullAccess",
    "AmazonOpenSearchServiceFullAccess",
    "AmazonAthenaFullAccess",
    "SecretsManagerReadWrite",
    "AWSGlueConsoleFullAccess",
];

/// The policies by which an identity is locked: those that AWS attaches where keys were found in public, and the one
/// that forbids everything.
const QUARANTINE: [&str; 2] = ["AWSCompromisedKeyQuarantine", "AWSDenyAll"];

/// Kinds of policies of an organisation that forbid.
const GUARDS: [&str; 3] = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "S3_POLICY"];

/// Services whose resources hold data.
const SHARED_DATA: [&str; 6] = ["rds", "glue", "backup", "s3", "dynamodb", "lakeformation"];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("iam", operation) => iam(call, operation, found),
        ("kms", "CreateGrant" | "RevokeGrant" | "RetireGrant") => grant(call, found),
        ("organizations", "AttachPolicy" | "DetachPolicy") => organization_policy(call, found),
        ("organizations", "DisablePolicyType" | "EnablePolicyType") => policy_type(call, found),
        ("ram", _) => share(call, found),
        _ => {}
    }
}

fn iam(call: &Call<'_>, operation: &str, found: &mut Found) {
    match operation {
        "AttachRolePolicy" | "AttachUserPolicy" | "AttachGroupPolicy" => {
            attached(call, Weakened, found);
        }
        "DetachRolePolicy" | "DetachUserPolicy" | "DetachGroupPolicy" => {
            attached(call, Strengthened, found);
        }
        "PutRolePolicy" | "PutUserPolicy" | "PutGroupPolicy" => inline(call, found),
        "DeleteRolePolicy" | "DeleteUserPolicy" | "DeleteGroupPolicy" => {
            of_identity(call, found);
            let name = text_at(call.request(), &["policyName"]).unwrap_or_default();
            found.changes.strengthened(&rows::IAM_INLINE, format!("policy {name}"));
        }
        "CreatePolicyVersion" if bool_at(call.request(), &["setAsDefault"]) == Some(true) => {
            of_policy(call, found);
            match call.request().get("policyDocument").and_then(embedded) {
                Some(document) => found.changes.flag(
                    &rows::IAM_POLICY_VERSION,
                    reads_widely(&document),
                    "default_version",
                ),
                None => found.changes.push(&rows::IAM_POLICY_VERSION, Unknown, "default_version"),
            };
        }
        "SetDefaultPolicyVersion" => {
            of_policy(call, found);
            let version = text_at(call.request(), &["versionId"]);
            found.changes.push(&rows::IAM_POLICY_VERSION, Unknown, "default_version").after =
                version.map(Cow::Owned);
        }
        // Nobody can assume a role that is gone.
        "DeleteRole" => {
            found.changes.whole(&rows::IAM_TRUST_PUBLIC, []);
            found.changes.whole(&rows::IAM_TRUST_FOREIGN, []);
        }
        "DeleteUserPermissionsBoundary" | "PutUserPermissionsBoundary" => {
            of_identity(call, found);
            let is_weak = operation == "DeleteUserPermissionsBoundary";
            found.changes.flag(&rows::IAM_BOUNDARY, is_weak, "permissions_boundary");
        }
        // A new device has another number, so what counts is that the user has one.
        "DeactivateMFADevice" | "EnableMFADevice" => {
            of_identity(call, found);
            let device = text_at(call.request(), &["serialNumber"]);
            let is_weak = operation == "DeactivateMFADevice";
            found.changes.flag(&rows::IAM_MFA, is_weak, "mfa").after = device.map(Cow::Owned);
        }
        _ => {}
    }
}

/// The role, user or group of a call.
fn of_identity(call: &Call<'_>, found: &mut Found) {
    let kinds = [
        ("roleName", "AWS::IAM::Role", "role"),
        ("userName", "AWS::IAM::User", "user"),
        ("groupName", "AWS::IAM::Group", "group"),
    ];
    for (key, resource_type, kind) in kinds {
        if let Some(name) = text_at(call.request(), &[key]) {
            found.of_guard(resource_type, call.arn("iam", false, &format!("{kind}/{name}")));
            return;
        }
    }
}

fn of_policy(call: &Call<'_>, found: &mut Found) {
    if let Some(arn) = text_at(call.request(), &["policyArn"]) {
        found.of_guard("AWS::IAM::ManagedPolicy", arn);
    }
}

/// A policy of AWS is given to an identity or taken from it; what own policies say stands in their own events.
fn attached(call: &Call<'_>, direction: Direction, found: &mut Found) {
    let Some(arn) = text_at(call.request(), &["policyArn"]) else { return };
    let name = arn.rsplit('/').next().unwrap_or_default();
    if QUARANTINE.iter().any(|locks| name.starts_with(locks)) {
        of_identity(call, found);
        let is_weak = direction == Strengthened;
        found.changes.flag(&rows::IAM_QUARANTINE, is_weak, format!("policy {name}"));
    } else if account_of(&arn) == "aws" && DATA_POLICIES.contains(&name) {
        of_identity(call, found);
        let is_user = call.operation.ends_with("UserPolicy");
        let row = if is_user { &rows::IAM_ATTACHED_USER } else { &rows::IAM_ATTACHED };
        found.changes.push(row, direction, format!("policy {name}"));
    }
}

fn inline(call: &Call<'_>, found: &mut Found) {
    of_identity(call, found);
    let request = call.request();
    let name = text_at(request, &["policyName"]);
    let opened = name.map_or_else(|| "policy".to_owned(), |name| format!("policy {name}"));
    match request.get("policyDocument").and_then(embedded) {
        Some(document) => found.changes.flag(&rows::IAM_INLINE, reads_widely(&document), opened),
        None => found.changes.push(&rows::IAM_INLINE, Unknown, opened),
    };
    if found.datastore.is_none() {
        // Requests that are too large are left out, and with them who got the policy.
        found.of_account(call, false);
    }
}

/// Grants give single principals the use of a key. Services make and end them all the time for their own work.
fn grant(call: &Call<'_>, found: &mut Found) {
    if call.invoked_by.is_some() {
        return;
    }
    let request = call.request();
    if call.operation != "CreateGrant" {
        if let Some(id) = text_at(request, &["grantId"]) {
            found.changes.strengthened(&rows::KMS_GRANT_FOREIGN, format!("grant {id}"));
        }
        return;
    }
    let grantee = text_at(request, &["granteePrincipal"]).unwrap_or_default();
    let decrypts = texts(request.get("operations")).iter().any(|operation| operation == "Decrypt");
    if decrypts && foreign_account(account_of(&grantee), call.account).is_some() {
        let id = text_at(call.response(), &["grantId"]).unwrap_or_else(|| grantee.clone());
        found.changes.weakened(&rows::KMS_GRANT_FOREIGN, format!("grant {id}")).after =
            Some(Cow::Owned(grantee));
    }
}

/// The account, unit or root under a policy of the organisation.
fn of_target(call: &Call<'_>, key: &str, found: &mut Found) {
    match text_at(call.request(), &[key]) {
        Some(target) => found.of_guard("AWS::Organizations::Target", target),
        None => found.of_account(call, false),
    }
}

fn organization_policy(call: &Call<'_>, found: &mut Found) {
    let policy = text_at(call.request(), &["policyId"]).unwrap_or_default();
    // This one allows everything: without it less is allowed.
    if policy == "p-FullAWSAccess" || policy.is_empty() {
        return;
    }
    of_target(call, "targetId", found);
    let is_weak = call.operation == "DetachPolicy";
    found.changes.flag(&rows::ORGANIZATION_POLICY, is_weak, format!("policy {policy}"));
}

fn policy_type(call: &Call<'_>, found: &mut Found) {
    let kind = text_at(call.request(), &["policyType"]).unwrap_or_default();
    if GUARDS.contains(&kind.as_str()) {
        of_target(call, "rootId", found);
        let is_weak = call.operation == "DisablePolicyType";
        found.changes.flag(&rows::ORGANIZATION_POLICY_TYPE, is_weak, kind);
    }
}

/// A share names what is shared and with whom; what ends it names only the share.
fn share(call: &Call<'_>, found: &mut Found) {
    let row: &EmittedRow = &rows::RAM_SHARE_FOREIGN;
    let request = call.request();
    let accounts: Vec<String> = texts(request.get("principals"))
        .into_iter()
        .filter(|principal| foreign_account(account_of(principal), call.account).is_some())
        .map(|principal| format!("account {}", account_of(&principal)))
        .collect();
    match call.operation {
        "CreateResourceShare" => {
            let holds_data = items(request.get("resourceArns"))
                .into_iter()
                .filter_map(|arn| arn.as_str()?.split(':').nth(2))
                .any(|service| SHARED_DATA.contains(&service));
            // Left out, everybody may be let in.
            let lets_in = bool_at(request, &["allowExternalPrincipals"]) != Some(false);
            if !holds_data || !lets_in || accounts.is_empty() {
                return;
            }
            accounts.into_iter().for_each(|account| {
                found.changes.weakened(row, account);
            });
        }
        "DeleteResourceShare" => found.changes.whole(row, []),
        // What the share holds stands in another event.
        "AssociateResourceShare" => accounts.into_iter().for_each(|account| {
            found.changes.push(row, Unknown, account);
        }),
        "DisassociateResourceShare" => accounts.into_iter().for_each(|account| {
            found.changes.strengthened(row, account);
        }),
        _ => return,
    }
    let arn = text_at(request, &["resourceShareArn"])
        .or_else(|| text_at(call.response(), &["resourceShare", "resourceShareArn"]))
        .or_else(|| text_at(request, &["name"]));
    if let Some(arn) = arn {
        found.of_guard("AWS::RAM::ResourceShare", arn);
    }
}
