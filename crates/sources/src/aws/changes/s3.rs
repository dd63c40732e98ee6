//! S3: who may read a bucket, and what guards it.

use std::borrow::Cow;

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, embedded, items, scalar, text_at, texts};
use super::{Call, Found, foreign_account, policy, resource_policies};
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
        // A new object is only told of where it is open: whatever was under its key before is gone.
        "PutObject" | "CopyObject" | "CreateMultipartUpload" => {
            let key = text_at(call.request(), &["key"]).unwrap_or_default();
            for group in public_groups(call.request()) {
                found
                    .changes
                    .weakened(&rows::S3_OBJECT_PUT_PUBLIC, format!("object {key} {group}"));
            }
        }
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
        "DeleteBucketReplication" => found.changes.whole(&rows::S3_REPLICATION_FOREIGN, []),
        "PutBucketEncryption" => put_encryption(call, found),
        "PutBucketLifecycle" | "PutBucketLifecycleConfiguration" => put_lifecycle(call, found),
        "PutBucketObjectLockConfiguration" | "PutObjectLockConfiguration" => {
            put_object_lock(call, found);
        }
        "PutBucketCors" => put_cors(call, found),
        "PutBucketInventoryConfiguration" | "DeleteBucketInventoryConfiguration" => {
            inventory(call, found);
        }
        "CreateAccessPoint" | "DeleteAccessPoint" => access_point(call, found),
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
    let rows = (&rows::S3_POLICY_PUBLIC, &rows::S3_POLICY_FOREIGN);
    resource_policies::state(&document, call, found, rows);
}

/// The global groups that an ACL of a request admits, by canned name, grant headers or grants.
fn public_groups(request: &Value) -> Vec<String> {
    let mut groups = Vec::new();
    // Headers stand in the request itself, or under a name of their own.
    let headers = [Some(request), at(request, &["accessControlList"])];
    let mut add = |group: &str| {
        let group = format!("group {group}");
        if !groups.contains(&group) {
            groups.push(group);
        }
    };
    for headers in headers.into_iter().flatten() {
        match text_at(headers, &["x-amz-acl"]).as_deref() {
            Some("public-read" | "public-read-write") => add("AllUsers"),
            Some("authenticated-read") => add("AuthenticatedUsers"),
            _ => {}
        }
    }
    let mut add_uri = |uri: &str| {
        for group in ["AllUsers", "AuthenticatedUsers"] {
            if uri.contains(&format!("/groups/global/{group}")) {
                add(group);
            }
        }
    };
    for fields in headers.into_iter().flatten().filter_map(Value::as_object) {
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

/// An ACL is replaced as a whole, but of one object among many.
fn put_object_acl(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let key = text_at(request, &["key"]).unwrap_or_default();
    let open = public_groups(request);
    let is_told = ["x-amz-acl", "AccessControlPolicy"].iter().any(|key| request.get(key).is_some());
    for group in ["group AllUsers", "group AuthenticatedUsers"] {
        let is_open = open.iter().any(|open| open == group);
        if is_open || is_told {
            let row = &rows::S3_OBJECT_ACL_PUBLIC;
            found.changes.flag(row, is_open, format!("object {key} {group}"));
        }
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
    let request = call.request();
    let status = text_at(request, &["VersioningConfiguration", "Status"]);
    if let Some(is_weak) = either(status.as_deref(), "Suspended", "Enabled") {
        let change = found.changes.flag(&rows::S3_VERSIONING, is_weak, "versioning");
        change.after = status.map(Cow::Owned);
    }
    // Only the root user may change this one. From others it is a default of their client, which changes nothing.
    let mfa = text_at(request, &["VersioningConfiguration", "MfaDelete"]);
    if call.identity == Some("Root")
        && let Some(is_weak) = either(mfa.as_deref(), "Disabled", "Enabled")
    {
        found.changes.flag(&rows::S3_MFA_DELETE, is_weak, "mfa_delete").after = mfa.map(Cow::Owned);
    }
}

fn either(value: Option<&str>, weak: &str, strong: &str) -> Option<bool> {
    match value {
        Some(value) if value == weak => Some(true),
        Some(value) if value == strong => Some(false),
        _ => None,
    }
}

fn put_replication(call: &Call<'_>, found: &mut Found) {
    let rules = items(at(call.request(), &["ReplicationConfiguration", "Rule"]));
    let mut accounts: Vec<String> = rules
        .iter()
        .filter(|rule| text_at(rule, &["Status"]).as_deref() != Some("Disabled"))
        .filter_map(|rule| text_at(rule, &["Destination", "Account"]))
        .filter(|account| foreign_account(account, call.account).is_some())
        .map(|account| format!("account {account}"))
        .collect();
    accounts.sort();
    accounts.dedup();
    found.changes.whole(&rows::S3_REPLICATION_FOREIGN, accounts);
}

/// The default encryption: with which kind of key, and whose.
fn put_encryption(call: &Call<'_>, found: &mut Found) {
    let configuration = at(call.request(), &["ServerSideEncryptionConfiguration"]);
    let rule = configuration.and_then(|of| at(of, &["Rule"]).or_else(|| at(of, &["Rules"])));
    let default = rule.and_then(|rule| at(rule, &["ApplyServerSideEncryptionByDefault"]));
    let algorithm = default.and_then(|default| text_at(default, &["SSEAlgorithm"]));
    if algorithm.as_deref() == Some("AES256") {
        // S3's own key: less than an own key, if there was one before.
        found.changes.push(&rows::S3_ENCRYPTION_OWN_KEY, Direction::Unknown, "default_encryption");
    } else {
        found.changes.strengthened(&rows::S3_ENCRYPTION, "default_encryption");
    }
    if algorithm.is_some() {
        let key = default.and_then(|default| text_at(default, &["KMSMasterKeyID"]));
        let key = key.unwrap_or_default();
        let owner = foreign_account(policy::account_of(&key), call.account);
        let opened = owner.map(|account| format!("key of account {account}"));
        found.changes.whole(&rows::S3_ENCRYPTION_FOREIGN_KEY, opened);
    }
}

/// The longest time, in days, after which the removal of logs is a removal of evidence.
const SHORT_EXPIRATION: u64 = 7;

/// Words in the name of a bucket or prefix that holds records.
const RECORD_WORDS: [&str; 8] =
    ["log", "logs", "audit", "trail", "cloudtrail", "awslogs", "backup", "backups"];

fn names_records(name: &str) -> bool {
    name.split(['-', '.', '/', '_'])
        .any(|word| RECORD_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// Rules that let objects expire soon: of records, or, where the name does not tell, of all objects.
fn put_lifecycle(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let Some(configuration) = at(request, &["LifecycleConfiguration"]) else {
        found.changes.push(&rows::S3_LIFECYCLE, Direction::Unknown, "expiration");
        return;
    };
    let bucket = text_at(request, &["bucketName"]).unwrap_or_default();
    let mut direction = Direction::Strengthened;
    for rule in items(configuration.get("Rule").or_else(|| configuration.get("Rules"))) {
        let is_on = text_at(rule, &["Status"]).as_deref() == Some("Enabled");
        let days = super::document::count_at(rule, &["Expiration", "Days"]);
        if !is_on || days.is_none_or(|days| days > SHORT_EXPIRATION) {
            continue;
        }
        let prefix = text_at(rule, &["Prefix"])
            .or_else(|| text_at(rule, &["Filter", "Prefix"]))
            .or_else(|| text_at(rule, &["Filter", "And", "Prefix"]))
            .unwrap_or_default();
        if names_records(&prefix) || (prefix.is_empty() && names_records(&bucket)) {
            direction = Direction::Weakened;
        } else if prefix.is_empty() && direction == Direction::Strengthened {
            direction = Direction::Unknown;
        }
    }
    found.changes.push(&rows::S3_LIFECYCLE, direction, "expiration");
}

/// What an object lock keeps by default. Less than before cannot be told from as much as before.
fn put_object_lock(call: &Call<'_>, found: &mut Found) {
    let path = ["ObjectLockConfiguration", "Rule", "DefaultRetention", "Mode"];
    let mode = text_at(call.request(), &path);
    let is_strong = mode.as_deref() == Some("COMPLIANCE");
    let direction = if is_strong { Direction::Strengthened } else { Direction::Unknown };
    found.changes.push(&rows::S3_OBJECT_LOCK, direction, "default_retention").after =
        Some(Cow::Owned(mode.unwrap_or_else(|| "none".to_owned())));
}

fn put_cors(call: &Call<'_>, found: &mut Found) {
    let Some(configuration) = at(call.request(), &["CORSConfiguration"]) else { return };
    let rules = items(configuration.get("CORSRule").or_else(|| configuration.get("CORSRules")));
    let has = |rule: &Value, keys: [&str; 2], wanted: &str| {
        keys.iter().any(|key| texts(rule.get(*key)).iter().any(|text| text == wanted))
    };
    let is_open = rules.iter().any(|rule| {
        has(rule, ["AllowedOrigin", "AllowedOrigins"], "*")
            && has(rule, ["AllowedMethod", "AllowedMethods"], "GET")
    });
    found.changes.flag(&rows::S3_CORS, is_open, "origin *");
}

/// Lists of all objects that are written into a bucket of another account.
fn inventory(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let id = text_at(request, &["id"]).unwrap_or_default();
    let path = ["InventoryConfiguration", "Destination", "S3BucketDestination", "AccountId"];
    let account = text_at(request, &path);
    let is_foreign =
        account.as_deref().is_some_and(|to| foreign_account(to, call.account).is_some());
    let row = &rows::S3_INVENTORY_FOREIGN;
    found.changes.flag(row, is_foreign, format!("inventory {id}")).after = account.map(Cow::Owned);
}

/// A new access point has a public access block of its own; one that is left out is on.
fn access_point(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let name = text_at(request, &["name"]).unwrap_or_default();
    found.of_guard("AWS::S3::AccessPoint", call.arn("s3", true, &format!("accesspoint/{name}")));
    if call.operation == "DeleteAccessPoint" {
        found.changes.whole(&rows::S3_ACCESS_POINT_BLOCK, []);
        found.changes.whole(&rows::S3_ACCESS_POINT_PUBLIC, []);
        found.changes.whole(&rows::S3_ACCESS_POINT_FOREIGN, []);
        return;
    }
    let inner = at(request, &["CreateAccessPointRequest"]).unwrap_or(request);
    let Some(block) = at(inner, &["PublicAccessBlockConfiguration"]) else { return };
    let is_off = |flag: &&str| super::document::bool_at(block, &[flag]) == Some(false);
    let off: Vec<String> = BLOCK_FLAGS.iter().copied().filter(is_off).map(str::to_owned).collect();
    if !off.is_empty() {
        found.changes.whole(&rows::S3_ACCESS_POINT_BLOCK, off);
    }
}
