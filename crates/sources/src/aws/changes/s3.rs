//! S3: who may read a bucket, and what guards it.

use std::borrow::Cow;

use serde_json::Value;

use super::document::{at, embedded, items, scalar, text_at, texts};
use super::{Call, Found, foreign_account, policy};
use crate::catalogue_rows as rows;

/// The four flags of a public access block; one that is left out is off.
const BLOCK_FLAGS: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match call.operation {
        "PutBucketPolicy" => put_policy(call, found),
        "DeleteBucketPolicy" => {
            found.changes.whole_unknown(&rows::S3_POLICY_PUBLIC).after = Some("no policy".into());
            found.changes.whole_unknown(&rows::S3_POLICY_FOREIGN).after = Some("no policy".into());
        }
        "PutBucketAcl" => found.changes.whole(&rows::S3_ACL_PUBLIC, public_groups(call.request())),
        "PutObjectAcl" => put_object_acl(call, found),
        // The API's own names differ from those in some events by the word "Bucket".
        "PutBucketPublicAccessBlock" | "PutPublicAccessBlock" => {
            put_access_block(call, found, &rows::S3_BLOCK_BUCKET);
        }
        "DeleteBucketPublicAccessBlock" | "DeletePublicAccessBlock" => {
            found.changes.whole(&rows::S3_BLOCK_BUCKET, BLOCK_FLAGS.map(str::to_owned));
        }
        "PutAccountPublicAccessBlock" => {
            found.of_account(call, false);
            put_access_block(call, found, &rows::S3_BLOCK_ACCOUNT);
        }
        "DeleteAccountPublicAccessBlock" => {
            found.of_account(call, false);
            found.changes.whole(&rows::S3_BLOCK_ACCOUNT, BLOCK_FLAGS.map(str::to_owned));
        }
        "PutBucketOwnershipControls" => put_ownership(call, found),
        "PutBucketLogging" => put_logging(call, found),
        "PutBucketVersioning" => put_versioning(call, found),
        "PutBucketReplication" => put_replication(call, found),
        "PutBucketEncryption" => {
            found.changes.strengthened(&rows::S3_ENCRYPTION, "default_encryption");
        }
        "PutBucketWebsite" => {
            found.changes.weakened(&rows::S3_WEBSITE, "website");
        }
        _ => {}
    }
}

fn put_policy(call: &Call<'_>, found: &mut Found) {
    let Some(document) = call.request().get("bucketPolicy").and_then(embedded) else {
        // The request was left out or cannot be read: it replaced a policy by one that nobody can judge.
        found.changes.whole_unknown(&rows::S3_POLICY_PUBLIC);
        return;
    };
    let openings = policy::evaluate(&document, call.account);
    found.changes.whole(&rows::S3_POLICY_PUBLIC, openings.public());
    found.changes.whole(&rows::S3_POLICY_FOREIGN, openings.foreign());
}

/// The global groups that an ACL of a request admits, by canned name, grant headers or grants.
fn public_groups(request: &Value) -> Vec<String> {
    let mut groups = Vec::new();
    let mut add = |group: &str| {
        let group = format!("group {group}");
        if !groups.contains(&group) {
            groups.push(group);
        }
    };
    match text_at(request, &["x-amz-acl"]).as_deref() {
        Some("public-read" | "public-read-write") => add("AllUsers"),
        Some("authenticated-read") => add("AuthenticatedUsers"),
        _ => {}
    }
    let mut add_uri = |uri: &str| {
        for group in ["AllUsers", "AuthenticatedUsers"] {
            if uri.contains(&format!("/groups/global/{group}")) {
                add(group);
            }
        }
    };
    if let Value::Object(fields) = request {
        for (_, value) in fields.iter().filter(|(name, _)| name.starts_with("x-amz-grant-")) {
            texts(Some(value)).iter().for_each(|uri| add_uri(uri));
        }
    }
    for grant in items(at(request, &["AccessControlPolicy", "AccessControlList", "Grant"])) {
        if let Some(uri) = text_at(grant, &["Grantee", "URI"]) {
            add_uri(&uri);
        }
    }
    groups
}

fn put_object_acl(call: &Call<'_>, found: &mut Found) {
    let key = text_at(call.request(), &["key"]).unwrap_or_default();
    for group in public_groups(call.request()) {
        found.changes.weakened(&rows::S3_OBJECT_ACL_PUBLIC, format!("object {key} {group}"));
    }
}

fn put_access_block(call: &Call<'_>, found: &mut Found, row: &rows::EmittedRow) {
    let Some(block) = at(call.request(), &["PublicAccessBlockConfiguration"]) else {
        found.changes.whole_unknown(row);
        return;
    };
    let is_off = |flag: &&str| super::document::bool_at(block, &[flag]) != Some(true);
    found.changes.whole(row, BLOCK_FLAGS.iter().copied().filter(is_off).map(str::to_owned));
}

fn put_ownership(call: &Call<'_>, found: &mut Found) {
    let rule = at(call.request(), &["OwnershipControls", "Rule", "ObjectOwnership"]);
    if let Some(ownership) = rule.and_then(scalar) {
        let is_weak = ownership != "BucketOwnerEnforced";
        found.changes.flag(&rows::S3_OWNERSHIP, is_weak, "acls").after =
            Some(Cow::Owned(ownership));
    }
}

fn put_logging(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    if request.is_null() {
        return;
    }
    let target = text_at(request, &["BucketLoggingStatus", "LoggingEnabled", "TargetBucket"]);
    let change = found.changes.flag(&rows::S3_LOGGING, target.is_none(), "logging");
    change.after = Some(Cow::Owned(target.unwrap_or_else(|| "off".to_owned())));
}

fn put_versioning(call: &Call<'_>, found: &mut Found) {
    let status = text_at(call.request(), &["VersioningConfiguration", "Status"]);
    let is_weak = match status.as_deref() {
        Some("Suspended") => true,
        Some("Enabled") => false,
        _ => return,
    };
    found.changes.flag(&rows::S3_VERSIONING, is_weak, "versioning").after = status.map(Cow::Owned);
}

fn put_replication(call: &Call<'_>, found: &mut Found) {
    let rules = items(at(call.request(), &["ReplicationConfiguration", "Rule"]));
    let mut accounts: Vec<String> = rules
        .iter()
        .filter_map(|rule| text_at(rule, &["Destination", "Account"]))
        .filter(|account| foreign_account(account, call.account).is_some())
        .map(|account| format!("account {account}"))
        .collect();
    accounts.sort();
    accounts.dedup();
    found.changes.whole(&rows::S3_REPLICATION_FOREIGN, accounts);
}
