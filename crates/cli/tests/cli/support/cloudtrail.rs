//! CloudTrail's records of reads, for tests of what is usual.

use dataward_event::time::EventTime;
use serde_json::json;

/// 2026-03-02, a Monday, in microseconds.
pub(crate) const MONDAY: i64 = 1_772_409_600_000_000;
pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

/// A CloudTrail record: somebody gets an object of a bucket.
pub(crate) fn get_object(
    uid: &str,
    micros: i64,
    name: &str,
    bucket: &str,
    key: &str,
    bytes: u64,
) -> String {
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": format!("AIDA{name}"),
            "arn": format!("arn:aws:iam::111122223333:user/{name}"),
            "accountId": "111122223333",
            "userName": name,
        },
        "eventTime": EventTime::from_micros(micros).to_string(),
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"bucketName": bucket, "key": key},
        "responseElements": null,
        "additionalEventData": {"bytesTransferredOut": bytes},
        "eventID": uid,
        "readOnly": true,
        "eventType": "AwsApiCall",
        "eventCategory": "Data",
        "recipientAccountId": "111122223333",
    });
    format!("{record}\n")
}
