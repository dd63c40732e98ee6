//! A labelled incident: what somebody did to the protection of datastores, and which of it must alert.

use serde_json::{Value, json};

use crate::cloudtrail::{ACCOUNT, FOREIGN_ACCOUNT, control_plane, with_bucket};

/// One deed of the incident.
#[derive(Debug, Clone)]
pub struct Deed {
    /// Who.
    pub person: &'static str,
    /// From where.
    pub ip: &'static str,
    /// The record, without the fields that every record has.
    pub event: Value,
    /// The rule that must alert; `None`: it must stay quiet.
    pub rule: Option<&'static str>,
    /// What a reader of the story should know.
    pub meaning: &'static str,
}

const INSIDER: (&str, &str) = ("j.doe", "203.0.113.24");
const OPERATOR: (&str, &str) = ("ops.lee", "198.51.100.10");

/// The incident of the demo: the trail is silenced, protection is removed, copies are handed out. Between the deeds stand
/// look-alikes that weaken nothing.
pub fn removal_of_protection() -> Vec<Deed> {
    let mut deeds = prelude();
    deeds.extend(opening());
    deeds.extend(handing_out());
    deeds
}

fn deed(
    by: (&'static str, &'static str),
    event: Value,
    rule: Option<&'static str>,
    meaning: &'static str,
) -> Deed {
    Deed { person: by.0, ip: by.1, event, rule, meaning }
}

fn prelude() -> Vec<Deed> {
    let trail = format!("arn:aws:cloudtrail:us-west-2:{ACCOUNT}:trail/organization-trail");
    let mut refused =
        control_plane("cloudtrail.amazonaws.com", "DeleteTrail", &json!({ "name": trail }));
    refused["errorCode"] = json!("AccessDenied");
    refused["errorMessage"] = json!("User is not authorized to perform: cloudtrail:DeleteTrail");
    vec![
        deed(
            OPERATOR,
            control_plane(
                "s3.amazonaws.com",
                "PutBucketPolicy",
                &with_bucket(
                    json!({ "bucketPolicy": policy("*", Some(json!({
                        "StringEquals": { "aws:PrincipalOrgID": "o-example1234" }
                    })), "analytics") }),
                    "analytics",
                ),
            ),
            None,
            "everybody, but only of the own organization",
        ),
        deed(
            OPERATOR,
            control_plane("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", &ingress(443)),
            None,
            "a web port opened to the world: no datastore answers there",
        ),
        deed(INSIDER, refused, None, "a refused attempt"),
        deed(
            INSIDER,
            control_plane("cloudtrail.amazonaws.com", "StopLogging", &json!({ "name": trail })),
            Some("audit.silenced"),
            "the trail is stopped",
        ),
    ]
}

fn opening() -> Vec<Deed> {
    let bucket = "customer-exports";
    vec![
        deed(
            INSIDER,
            control_plane(
                "s3.amazonaws.com",
                "DeleteBucketPublicAccessBlock",
                &with_bucket(json!({ "publicAccessBlock": "" }), bucket),
            ),
            Some("control.weakened"),
            "the guard above the bucket's policies is gone",
        ),
        deed(
            INSIDER,
            control_plane(
                "s3.amazonaws.com",
                "PutBucketPolicy",
                &with_bucket(json!({ "bucketPolicy": policy("*", None, bucket) }), bucket),
            ),
            Some("control.weakened"),
            "everybody may read the bucket",
        ),
        deed(
            OPERATOR,
            control_plane(
                "s3.amazonaws.com",
                "PutBucketPolicy",
                &with_bucket(json!({ "bucketPolicy": policy("*", None, bucket) }), bucket),
            ),
            None,
            "the same policy again, by a tool that resends everything: no change",
        ),
        deed(
            INSIDER,
            control_plane("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", &ingress(9200)),
            Some("control.weakened"),
            "Elasticsearch's port opened to the world",
        ),
    ]
}

fn handing_out() -> Vec<Deed> {
    vec![
        deed(
            INSIDER,
            control_plane(
                "rds.amazonaws.com",
                "ModifyDBSnapshotAttribute",
                &json!({
                    "dBSnapshotIdentifier": "customers-2026-01-05",
                    "attributeName": "restore",
                    "valuesToAdd": ["all"],
                }),
            ),
            Some("control.weakened"),
            "a snapshot of the customers' database for everybody",
        ),
        deed(
            INSIDER,
            control_plane(
                "ec2.amazonaws.com",
                "ModifySnapshotAttribute",
                &json!({
                    "snapshotId": "snap-0123456789abcdef0",
                    "createVolumePermission": {
                        "add": { "items": [{ "userId": FOREIGN_ACCOUNT }] },
                    },
                    "attributeType": "CREATE_VOLUME_PERMISSION",
                }),
            ),
            Some("control.weakened"),
            "a volume's snapshot for a foreign account",
        ),
        deed(
            INSIDER,
            control_plane(
                "kms.amazonaws.com",
                "ScheduleKeyDeletion",
                &json!({
                    "keyId": format!(
                        "arn:aws:kms:us-west-2:{ACCOUNT}:key/0f1e2d3c-4b5a-4968-8776-5a4b3c2d1e0f"
                    ),
                    "pendingWindowInDays": 7,
                }),
            ),
            Some("control.weakened"),
            "the key of the backups will be deleted in a week",
        ),
    ]
}

/// A bucket's policy that lets a principal read.
pub(crate) fn policy(principal: &str, condition: Option<Value>, bucket: &str) -> Value {
    let mut statement = json!({
        "Sid": "Readers",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*"),
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

/// The parameters that open a port to the world.
pub(crate) fn ingress(port: u16) -> Value {
    json!({
        "groupId": "sg-0a1b2c3d4e5f60718",
        "ipPermissions": { "items": [{
            "ipProtocol": "tcp",
            "fromPort": port,
            "toPort": port,
            "groups": {},
            "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] },
            "ipv6Ranges": {},
            "prefixListIds": {},
        }] },
    })
}
