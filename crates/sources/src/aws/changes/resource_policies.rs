//! Policies that are attached to resources: of tables, keys, secrets, roles, lakes, vaults and access points.

use serde_json::Value;

use super::document::{embedded, text_at};
use super::{Call, Found, policy};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// One service's policy.
struct PolicyOf {
    service: &'static str,
    /// The operation that sets it.
    put: &'static str,
    /// The one that takes it away; empty where there is none.
    delete: &'static str,
    /// Where the request may hold it.
    paths: &'static [&'static [&'static str]],
    public: EmittedRow,
    foreign: EmittedRow,
}

const POLICIES: [PolicyOf; 9] = [
    PolicyOf {
        service: "dynamodb",
        put: "PutResourcePolicy",
        delete: "DeleteResourcePolicy",
        paths: &[&["policy"]],
        public: rows::DYNAMODB_POLICY_PUBLIC,
        foreign: rows::DYNAMODB_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "kms",
        put: "PutKeyPolicy",
        delete: "",
        paths: &[&["policy"]],
        public: rows::KMS_POLICY_PUBLIC,
        foreign: rows::KMS_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "secretsmanager",
        put: "PutResourcePolicy",
        delete: "DeleteResourcePolicy",
        paths: &[&["resourcePolicy"]],
        public: rows::SECRET_POLICY_PUBLIC,
        foreign: rows::SECRET_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "iam",
        put: "UpdateAssumeRolePolicy",
        delete: "",
        paths: &[&["policyDocument"]],
        public: rows::IAM_TRUST_PUBLIC,
        foreign: rows::IAM_TRUST_FOREIGN,
    },
    PolicyOf {
        service: "s3",
        put: "PutAccessPointPolicy",
        delete: "DeleteAccessPointPolicy",
        paths: &[
            &["policy"],
            &["Policy"],
            &["PutAccessPointPolicyRequest", "Policy"],
            &["putAccessPointPolicyRequest", "policy"],
        ],
        public: rows::S3_ACCESS_POINT_PUBLIC,
        foreign: rows::S3_ACCESS_POINT_FOREIGN,
    },
    PolicyOf {
        service: "s3tables",
        put: "PutTableBucketPolicy",
        delete: "DeleteTableBucketPolicy",
        paths: &[&["resourcePolicy"]],
        public: rows::S3TABLES_POLICY_PUBLIC,
        foreign: rows::S3TABLES_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "glacier",
        put: "SetVaultAccessPolicy",
        delete: "DeleteVaultAccessPolicy",
        paths: &[&["policy", "policy"], &["policy"]],
        public: rows::GLACIER_POLICY_PUBLIC,
        foreign: rows::GLACIER_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "glue",
        put: "PutResourcePolicy",
        delete: "DeleteResourcePolicy",
        paths: &[&["policyInJson"]],
        public: rows::GLUE_POLICY_PUBLIC,
        foreign: rows::GLUE_POLICY_FOREIGN,
    },
    PolicyOf {
        service: "backup",
        put: "PutBackupVaultAccessPolicy",
        delete: "DeleteBackupVaultAccessPolicy",
        paths: &[&["policy"]],
        public: rows::BACKUP_POLICY_PUBLIC,
        foreign: rows::BACKUP_POLICY_FOREIGN,
    },
];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let of = POLICIES.iter().find(|of| {
        of.service == call.service && (of.put == call.operation || of.delete == call.operation)
    });
    let Some(of) = of else { return };
    let request = call.request();
    match of.service {
        "s3" => {
            let name = text_at(request, &["name"]).unwrap_or_default();
            found.of_guard(
                "AWS::S3::AccessPoint",
                call.arn("s3", true, &format!("accesspoint/{name}")),
            );
        }
        "glue" => match text_at(request, &["resourceArn"]) {
            Some(arn) => found.of_guard("AWS::Glue::Resource", arn),
            None => found.of_account(call, true),
        },
        _ => {}
    }
    if call.operation == of.delete {
        // Without a policy nobody outside of the account is let in; but it may have held a refusal, too.
        found.changes.whole_unknown(&of.public).after = Some("no policy".into());
        found.changes.whole_unknown(&of.foreign).after = Some("no policy".into());
        return;
    }
    let document = of.paths.iter().find_map(|path| document_at(request, path));
    let Some(document) = document else {
        // The request was left out or cannot be read: it replaced a policy by one that nobody can judge.
        found.changes.whole_unknown(&of.public);
        return;
    };
    state(&document, call, found, (&of.public, &of.foreign));
}

/// States what a policy document opens: to everybody, and to foreign accounts.
pub(super) fn state(
    document: &Value,
    call: &Call<'_>,
    found: &mut Found,
    (public, foreign): (&EmittedRow, &EmittedRow),
) {
    let openings = policy::evaluate(document, call.account);
    found.changes.whole(public, openings.public());
    found.changes.whole(foreign, openings.foreign());
}

/// The policy at a path, if it is one.
fn document_at(request: &Value, path: &[&str]) -> Option<Value> {
    let held = path.iter().try_fold(request, |value, key| value.get(key))?;
    embedded(held).filter(|document| document.get("Statement").is_some())
}
