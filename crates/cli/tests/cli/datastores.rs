//! `datastores`: how each datastore is protected, now and at an earlier time.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{Finished, dataward, text, write};

/// A CloudTrail record of a change of a bucket, made by an operator.
fn record(uid: &str, time: &str, operation: &str, bucket: &str, request: &Value) -> String {
    let mut request = request.clone();
    request["bucketName"] = bucket.into();
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/op",
            "accountId": "111122223333",
            "userName": "op",
        },
        "eventTime": time,
        "eventSource": "s3.amazonaws.com",
        "eventName": operation,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": request,
        "responseElements": null,
        "eventID": uid,
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    });
    format!("{record}\n")
}

fn block(is_on: bool) -> Value {
    json!({"PublicAccessBlockConfiguration": {
        "BlockPublicAcls": is_on, "IgnorePublicAcls": is_on,
        "BlockPublicPolicy": is_on, "RestrictPublicBuckets": is_on,
    }})
}

fn public() -> Value {
    json!({"bucketPolicy": {"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::orders/*"},
    ]}})
}

/// Orders are protected on the first of the month, twice; open from the 4th to the 26th; logs are deleted on the 10th.
fn archive_in(folder: &Path) -> PathBuf {
    let records = [
        record("e1", "2019-12-01T00:00:00Z", "PutBucketPublicAccessBlock", "orders", &block(true)),
        record("e2", "2019-12-02T00:00:00Z", "PutBucketPublicAccessBlock", "orders", &block(true)),
        record("e3", "2019-12-03T00:00:00Z", "PutBucketPublicAccessBlock", "logs", &block(true)),
        record("e4", "2019-12-04T00:00:00Z", "PutBucketPublicAccessBlock", "orders", &block(false)),
        record("e5", "2019-12-04T00:01:00Z", "PutBucketPolicy", "orders", &public()),
        record("e6", "2019-12-10T00:00:00Z", "DeleteBucket", "logs", &json!({})),
        record("e7", "2019-12-26T00:00:00Z", "DeleteBucketPolicy", "orders", &json!({})),
    ];
    let file = write(folder, "trail.ndjson", records.concat());
    let archive = folder.join("archive");
    let arguments = ["scan", "--source", "aws.cloudtrail", "--archive"].map(str::to_owned);
    dataward(&[&arguments[..], &[text(&archive), text(&file)]].concat()).expect(0);
    archive
}

fn datastores(archive: &Path, arguments: &[&str]) -> Finished {
    dataward(&[&["datastores", "--archive", &text(archive)], arguments].concat())
}

/// Datastore, control, state, since, and the evidence of each row.
fn rows(archive: &Path, arguments: &[&str]) -> Vec<[String; 5]> {
    let finished = datastores(archive, &[&["--format", "json"], arguments].concat()).expect(0);
    let rows: Vec<Value> = match finished.stdout.is_empty() {
        true => Vec::new(),
        false => serde_json::from_str(&finished.stdout).unwrap(),
    };
    let fields = ["datastore_name", "control", "state", "since", "evidence_event_uid"];
    let of = |row: Value| fields.map(|name| row[name].as_str().unwrap_or("-").to_owned());
    rows.into_iter().map(of).collect()
}

#[test]
fn each_control_has_its_state_since_when_and_by_which_event() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let now = [
        ["orders", "public_access_block", "weakened", "2019-12-04T00:00:00Z", "e4"],
        ["logs", "-", "destroyed", "-", "-"],
        ["orders", "access_policy", "protected", "2019-12-26T00:00:00Z", "e7"],
    ];
    let found = rows(&archive, &[]);
    let found: Vec<[&str; 5]> =
        found.iter().map(|row| row.each_ref().map(String::as_str)).collect();
    assert_eq!(found.iter().filter(|row| row[1] != "sharing").collect::<Vec<_>>(), now.each_ref());
    let logs = datastores(&archive, &["--datastore", "logs"]).expect(0).lines();
    assert_eq!(logs[0]["destroyed_at"], "2019-12-10T00:00:00Z");
}

#[test]
fn an_earlier_time_is_told_as_it_was() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let of_orders = |time: &str| {
        let rows = rows(&archive, &["--as-of", time, "--datastore", "orders"]);
        let rows = rows.into_iter().filter(|row| row[1] != "sharing");
        rows.map(|row| row[1..].join(" ")).collect::<Vec<_>>()
    };
    // The second of two equal settings changes nothing.
    assert_eq!(of_orders("2019-12-03"), ["public_access_block protected 2019-12-01T00:00:00Z e1"]);
    assert_eq!(
        of_orders("2019-12-20"),
        [
            "access_policy exposed 2019-12-04T00:01:00Z e5",
            "public_access_block weakened 2019-12-04T00:00:00Z e4",
        ]
    );
    // The moment itself belongs to it.
    assert_eq!(of_orders("2019-12-04T00:00:00Z").len(), 1);
    assert_eq!(of_orders("2019-12-26T00:00:00Z"), {
        let rows = rows(&archive, &["--datastore", "orders"]).into_iter();
        let rows = rows.filter(|row| row[1] != "sharing");
        rows.map(|row| row[1..].join(" ")).collect::<Vec<_>>()
    });
    assert_eq!(rows(&archive, &["--as-of", "2019-11-30"]), Vec::<[String; 5]>::new());
}

#[test]
fn what_is_open_is_told_in_full() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let arguments = ["--as-of", "2019-12-20", "--state", "exposed"];
    let found = datastores(&archive, &arguments).expect(0).lines();
    assert_eq!(found.len(), 1);
    let window = &found[0]["open"][0];
    let listed = dataward(&["exposures", "--archive", &text(&archive)]).expect(0).lines();
    let is_it = |exposure: &&Value| exposure["exposure_uid"] == window["exposure_uid"];
    let exposure = listed.iter().find(is_it).unwrap();
    for field in ["setting", "opened", "opened_at", "opened_by", "operation", "event_uid"] {
        assert_eq!(window[field], exposure[field], "{field}");
    }
    assert_eq!(found[0]["account_uid"], "111122223333");
    assert_eq!(found[0]["datastore_form"], "bucket");

    let csv = datastores(&archive, &["--format", "csv"]).expect(0).stdout;
    let mut names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    names.sort_unstable();
    let fields: Vec<&str> = found[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, fields);
    let people = datastores(&archive, &["--format", "table"]).expect(0).stdout;
    assert!(people.contains("destroyed at 2019-12-10T00:00:00Z"), "{people}");
    let as_of = ["--as-of", "2019-12-20", "--format", "table"];
    let people = datastores(&archive, &as_of).expect(0).stdout;
    assert!(people.lines().nth(1).unwrap().contains("bucket_policy (principal *)"), "{people}");
}

#[test]
fn what_is_not_there_is_said() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let finished = datastores(&archive, &["--datastore", "nowhere", "--state", "exposed"]);
    let finished = finished.expect(0);
    assert_eq!(finished.stdout, "");
    assert!(finished.stderr.contains("no datastore found: named nowhere, exposed"), "{finished:?}");
    let finished = datastores(&archive, &["--datastore", "nowhere", "--format", "json"]);
    assert_eq!(finished.expect(0).stdout, "[]\n");
    assert_eq!(rows(&archive, &["--state", "unknown"]).len(), 0, "what is gone is not unknown");
    let finished = datastores(&archive, &["--as-of", "yesterday"]).expect(2);
    assert!(finished.stderr.contains("a time is RFC 3339"), "{finished:?}");
    datastores(&folder.path().join("nothing"), &[]).expect(3);
}
