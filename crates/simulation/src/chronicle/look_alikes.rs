//! What looks like a removal of protection and is none.

use fastrand::Rng;
use serde_json::{Value, json};

use super::Entry;
use super::calendar::at;
use super::deed::Deed;
use super::normal_life::aws;
use crate::cloudtrail::{self, Caller, control_plane, whole_access_block, with_bucket};
use crate::incident::{ingress, policy};

pub(super) fn entries(rng: &mut Rng) -> Vec<Entry> {
    let operator = Caller::person("operations/c.lindt", "198.51.100.11");
    let accountant = Caller::person("finance/h.brandt", "198.51.100.232");
    let own = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-example1234" } });
    let shared = json!({ "bucketPolicy": policy("*", Some(own), "device-images") });
    let shared = bucket_call("PutBucketPolicy", shared, "device-images");
    let web_port =
        control_plane("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", &ingress(443));
    let unblocked = json!({ "publicAccessBlock": "" });
    let unblocked = bucket_call("DeleteBucketPublicAccessBlock", unblocked, "invoices");
    let blocked = bucket_call("PutBucketPublicAccessBlock", whole_access_block(), "invoices");
    let told = [
        ("2019-11-18T13:40:12Z", &operator, web_port.clone(), Deed::WebPort),
        ("2019-11-21T10:02:11Z", &accountant, unblocked, Deed::Replacement),
        ("2019-11-21T10:05:02Z", &accountant, blocked, Deed::Replacement),
        ("2019-11-25T09:12:48Z", &operator, shared.clone(), Deed::OwnOrganization),
        ("2019-12-11T09:30:05Z", &operator, shared, Deed::OwnOrganization),
        ("2019-12-18T15:22:31Z", &operator, web_port, Deed::WebPort),
    ];
    let entry = |(time, caller, event, deed)| {
        let time = at(time);
        aws(time, cloudtrail::record(rng, event, caller, time), Some(deed))
    };
    told.into_iter().map(entry).collect()
}

fn bucket_call(operation: &str, parameters: Value, bucket: &str) -> Value {
    control_plane("s3.amazonaws.com", operation, &with_bucket(parameters, bucket))
}
