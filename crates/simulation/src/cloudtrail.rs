//! Ordinary CloudTrail traffic: people and services that read and write buckets, and change settings harmlessly.
//!
//! The shapes follow AWS's documentation of CloudTrail records; every name and number is made up.

use dataward_event::time::EventTime;
use fastrand::Rng;
use serde_json::{Value, json};

/// The account in which everything happens. AWS's documentation uses it as an example.
pub const ACCOUNT: &str = "111122223333";
/// A foreign account.
pub const FOREIGN_ACCOUNT: &str = "444455556666";
const REGION: &str = "us-west-2";

/// One message: who did it (the key), which event it is, and its bytes.
#[derive(Debug, Clone)]
pub struct Message {
    /// The actor's uid: the key that keeps an actor's events in one partition.
    pub key: String,
    /// The event's id.
    pub event_uid: String,
    /// The record.
    pub payload: String,
}

/// Generates traffic from a seed.
#[derive(Debug)]
pub struct Traffic {
    rng: Rng,
    actors: Vec<Actor>,
    buckets: Vec<String>,
}

#[derive(Debug, Clone)]
struct Actor {
    identity: Value,
    uid: String,
    ip: String,
    agent: &'static str,
}

impl Traffic {
    /// Traffic of so many actors on so many buckets.
    pub fn new(seed: u64, actors: usize, buckets: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let actors = (0..actors).map(|number| Actor::new(number, &mut rng)).collect();
        let buckets = (0..buckets).map(bucket_name).collect();
        Self { rng, actors, buckets }
    }

    /// The next message, dated `time`. About one in seventy changes a setting, harmlessly.
    pub fn message(&mut self, time: EventTime) -> Message {
        let pick = skewed(&mut self.rng, self.actors.len());
        let actor = self.actors[pick].clone();
        let bucket = self.buckets[skewed(&mut self.rng, self.buckets.len())].clone();
        let event =
            if self.rng.u32(..1000) < 15 { self.change(&bucket) } else { self.access(&bucket) };
        self.finish(event, &actor, time)
    }

    fn access(&mut self, bucket: &str) -> Value {
        let rng = &mut self.rng;
        let operation = match rng.u32(..100) {
            0..72 => "GetObject",
            72..82 => "PutObject",
            82..94 => "HeadObject",
            _ => "ListObjects",
        };
        let key = format!(
            "year=2026/month={:02}/part-{:05}-{:08x}.parquet",
            rng.u32(1..13),
            rng.u32(..4000),
            rng.u32(..)
        );
        let bytes = if operation == "GetObject" { 1 << rng.u32(8..26) } else { rng.u32(200..900) };
        let is_write = operation == "PutObject";
        json!({
            "eventSource": "s3.amazonaws.com",
            "eventName": operation,
            "eventCategory": "Data",
            "managementEvent": false,
            "readOnly": !is_write,
            "requestParameters": {
                "bucketName": bucket,
                "Host": format!("{bucket}.s3.{REGION}.amazonaws.com"),
                "key": key,
            },
            "responseElements": null,
            "additionalEventData": {
                "SignatureVersion": "SigV4",
                "CipherSuite": "TLS_AES_128_GCM_SHA256",
                "bytesTransferredIn": if is_write { bytes } else { 0 },
                "AuthenticationMethod": "AuthHeader",
                "x-amz-id-2": random_text(rng, 56),
                "bytesTransferredOut": if is_write { 0 } else { bytes },
            },
            "resources": [
                { "type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{bucket}/{key}") },
                {
                    "accountId": ACCOUNT,
                    "type": "AWS::S3::Bucket",
                    "ARN": format!("arn:aws:s3:::{bucket}"),
                },
            ],
        })
    }

    /// Settings that change every day and weaken nothing.
    fn change(&mut self, bucket: &str) -> Value {
        let (operation, parameters) = match self.rng.u32(..4) {
            0 => ("PutBucketTagging", json!({ "tagging": "" })),
            1 => ("PutBucketPolicy", json!({ "bucketPolicy": private_policy(bucket) })),
            2 => (
                "PutBucketPublicAccessBlock",
                json!({ "publicAccessBlock": "", "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": true, "IgnorePublicAcls": true,
                    "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
                } }),
            ),
            _ => ("PutBucketLifecycle", json!({ "lifecycle": "" })),
        };
        control_plane("s3.amazonaws.com", operation, &with_bucket(parameters, bucket))
    }

    fn finish(&mut self, mut event: Value, actor: &Actor, time: EventTime) -> Message {
        let event_uid = uuid(&mut self.rng);
        event["eventVersion"] = json!("1.11");
        event["userIdentity"] = actor.identity.clone();
        event["eventTime"] = json!(time.to_string());
        event["awsRegion"] = json!(REGION);
        event["sourceIPAddress"] = json!(actor.ip);
        event["userAgent"] = json!(actor.agent);
        event["requestID"] = json!(random_text(&mut self.rng, 16).to_uppercase());
        event["eventID"] = json!(event_uid);
        event["eventType"] = json!("AwsApiCall");
        event["recipientAccountId"] = json!(ACCOUNT);
        event["tlsDetails"] = json!({
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": format!("s3.{REGION}.amazonaws.com"),
        });
        Message { key: actor.uid.clone(), event_uid, payload: event.to_string() }
    }

    /// A message of one given person, with the fields that every record has.
    pub fn told_by(&mut self, person: &str, ip: &str, event: Value, time: EventTime) -> Message {
        let actor = Actor::person(person, ip);
        self.finish(event, &actor, time)
    }
}

impl Actor {
    fn new(number: usize, rng: &mut Rng) -> Self {
        let ip = format!("198.51.100.{}", rng.u8(1..255));
        if number.is_multiple_of(3) {
            return Self::person(&format!("employee-{number:03}"), &ip);
        }
        let role = format!("service-{:02}", number % 40);
        let session = format!("i-0{:016x}", rng.u64(..));
        let uid = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}");
        let identity = json!({
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLE{number:05}:{session}"),
            "arn": uid,
            "accountId": ACCOUNT,
            "accessKeyId": format!("ASIAEXAMPLE{number:05}"),
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": format!("AROAEXAMPLE{number:05}"),
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"),
                    "accountId": ACCOUNT,
                    "userName": role,
                },
                "attributes": { "creationDate": "2026-01-05T06:00:00Z", "mfaAuthenticated": "false" },
            },
        });
        Self { identity, uid, ip, agent: "aws-sdk-java/2.31.1 Linux/6.1 OpenJDK_64-Bit/21" }
    }

    fn person(name: &str, ip: &str) -> Self {
        let uid = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        let identity = json!({
            "type": "IAMUser",
            "principalId": format!("AIDAEXAMPLE{name}"),
            "arn": uid,
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAEXAMPLE",
            "userName": name,
        });
        Self { identity, uid, ip: ip.to_owned(), agent: "aws-cli/2.27.0 Python/3.13 Linux/6.1" }
    }
}

/// A call that changes something.
pub fn control_plane(service: &str, operation: &str, parameters: &Value) -> Value {
    json!({
        "eventSource": service,
        "eventName": operation,
        "eventCategory": "Management",
        "managementEvent": true,
        "readOnly": false,
        "requestParameters": parameters,
        "responseElements": null,
    })
}

/// Parameters of a call on a bucket.
pub fn with_bucket(mut parameters: Value, bucket: &str) -> Value {
    parameters["bucketName"] = json!(bucket);
    parameters["Host"] = json!(format!("s3.{REGION}.amazonaws.com"));
    parameters
}

/// The name of the bucket of this number.
pub fn bucket_name(number: usize) -> String {
    const NAMES: [&str; 6] =
        ["telemetry", "customer-exports", "invoices", "device-images", "backups", "analytics"];
    match number.checked_sub(NAMES.len()) {
        None => NAMES[number].to_owned(),
        Some(more) => format!("team-{more:03}-data"),
    }
}

/// A policy that lets nobody in but the account itself.
fn private_policy(bucket: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Own",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
            "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{bucket}/*"),
        }],
    })
}

/// Few are used often, most seldom.
fn skewed(rng: &mut Rng, count: usize) -> usize {
    let share = rng.f64();
    ((share * share * share * count as f64) as usize).min(count.saturating_sub(1))
}

fn random_text(rng: &mut Rng, length: usize) -> String {
    std::iter::repeat_with(|| rng.alphanumeric()).take(length).collect()
}

fn uuid(rng: &mut Rng) -> String {
    let (high, low) = (rng.u64(..), rng.u64(..));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFF,
        low >> 52,
        low & 0xFFFF_FFFF_FFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let time = EventTime::from_micros(0);
        let story = |seed| {
            let mut traffic = Traffic::new(seed, 20, 8);
            (0..50).map(|_| traffic.message(time).payload).collect::<Vec<_>>()
        };
        assert_eq!(story(7), story(7));
        assert_ne!(story(7), story(8));
    }
}
