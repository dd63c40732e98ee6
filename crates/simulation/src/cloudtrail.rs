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
    /// The event's id; where the record has none, that of the request.
    pub event_uid: String,
    /// The record.
    pub payload: String,
}

/// Generates traffic from a seed.
#[derive(Debug)]
pub struct Traffic {
    rng: Rng,
    actors: Vec<Caller>,
    buckets: Vec<String>,
}

/// Who calls, as CloudTrail writes it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    identity: Value,
    uid: String,
    ip: String,
    agent: &'static str,
}

impl Traffic {
    /// Traffic of so many actors on so many buckets.
    pub fn new(seed: u64, actors: usize, buckets: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let actors = (0..actors).map(|number| simulated_caller(number, &mut rng)).collect();
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
        let bytes = u64::from(bytes);
        object_call(rng, operation, bucket, &key, bytes)
    }

    /// Settings that change every day and weaken nothing.
    fn change(&mut self, bucket: &str) -> Value {
        let (operation, parameters) = match self.rng.u32(..4) {
            0 => ("PutBucketTagging", json!({ "tagging": "" })),
            1 => ("PutBucketPolicy", json!({ "bucketPolicy": private_policy(bucket) })),
            2 => ("PutBucketPublicAccessBlock", whole_access_block()),
            _ => ("PutBucketLifecycle", json!({ "lifecycle": "" })),
        };
        control_plane("s3.amazonaws.com", operation, &with_bucket(parameters, bucket))
    }

    fn finish(&mut self, event: Value, caller: &Caller, time: EventTime) -> Message {
        record(&mut self.rng, event, caller, time)
    }

    /// A message of one given person, with the fields that every record has.
    pub fn told_by(&mut self, person: &str, ip: &str, event: Value, time: EventTime) -> Message {
        self.finish(event, &Caller::person(person, ip), time)
    }
}

/// Every third one is a person, the others are programs.
fn simulated_caller(number: usize, rng: &mut Rng) -> Caller {
    let ip = format!("198.51.100.{}", rng.u8(1..255));
    if number.is_multiple_of(3) {
        return Caller::person(&format!("employee-{number:03}"), &ip);
    }
    Caller::instance(&format!("service-{:02}", number % 40), rng.u64(..), &ip)
}

impl Caller {
    /// A person with a key of their own. The name may have a path before it: `finance/j.doe`.
    pub(crate) fn person(name: &str, ip: &str) -> Self {
        let uid = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        let name = name.rsplit('/').next().unwrap_or(name);
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

    /// A program: an instance that has taken its role.
    pub(crate) fn instance(role: &str, instance: u64, ip: &str) -> Self {
        let session = format!("i-0{instance:016x}");
        let uid = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}");
        let identity = json!({
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLE{role}:{session}"),
            "arn": uid,
            "accountId": ACCOUNT,
            "accessKeyId": format!("ASIAEXAMPLE{}", instance % 100_000),
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": format!("AROAEXAMPLE{role}"),
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"),
                    "accountId": ACCOUNT,
                    "userName": role,
                },
                "attributes": { "creationDate": "", "mfaAuthenticated": "false" },
            },
        });
        let agent = "aws-sdk-java/2.31.1 Linux/6.1 OpenJDK_64-Bit/21";
        Self { identity, uid, ip: ip.to_owned(), agent }
    }

    /// Nobody: no identity was proven.
    pub(crate) fn nobody(ip: &str) -> Self {
        let identity = json!({
            "type": "AWSAccount",
            "principalId": "",
            "accountId": "ANONYMOUS_PRINCIPAL",
        });
        let agent = "Mozilla/5.0 (X11; Linux x86_64)";
        Self { identity, uid: "anonymous".to_owned(), ip: ip.to_owned(), agent }
    }

    /// The same caller from another address.
    pub(crate) fn from(&self, ip: &str) -> Self {
        Self { ip: ip.to_owned(), ..self.clone() }
    }
}

/// The whole record of a call: what is particular to it, and the fields that every record has.
pub(crate) fn record(rng: &mut Rng, mut event: Value, caller: &Caller, time: EventTime) -> Message {
    let event_uid = uuid(rng);
    event["userIdentity"] = caller.identity.clone();
    if let Some(created) = event.pointer_mut("/userIdentity/sessionContext/attributes/creationDate")
    {
        *created = json!(format!("{}T00:00:00Z", time.date()));
    }
    event["eventTime"] = json!(time.to_string());
    event["awsRegion"] = json!(REGION);
    event["sourceIPAddress"] = json!(caller.ip);
    event["userAgent"] = json!(caller.agent);
    event["requestID"] = json!(random_text(rng, 16).to_uppercase());
    event["eventID"] = json!(event_uid);
    event["eventType"] = json!("AwsApiCall");
    event["recipientAccountId"] = json!(ACCOUNT);
    event["tlsDetails"] = json!({
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": format!("s3.{REGION}.amazonaws.com"),
    });
    // CloudTrail writes its version first.
    let payload = event.to_string().replacen('{', "{\"eventVersion\":\"1.11\",", 1);
    Message { key: caller.uid.clone(), event_uid, payload }
}

/// A call on an object of a bucket; `bytes` went in where it wrote, else out.
pub(crate) fn object_call(
    rng: &mut Rng,
    operation: &str,
    bucket: &str,
    key: &str,
    bytes: u64,
) -> Value {
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

/// Every public access is blocked.
pub(crate) fn whole_access_block() -> Value {
    json!({ "publicAccessBlock": "", "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": true, "IgnorePublicAcls": true,
        "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
    } })
}

/// A policy that lets nobody in but the account itself.
pub(crate) fn private_policy(bucket: &str) -> Value {
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

pub(crate) fn random_text(rng: &mut Rng, length: usize) -> String {
    std::iter::repeat_with(|| rng.alphanumeric()).take(length).collect()
}

pub(crate) fn uuid(rng: &mut Rng) -> String {
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
