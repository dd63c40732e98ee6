//! `timeline`: what happened around a name, from outside.

use std::path::Path;

use dataward_event::time::EventTime;
use dataward_simulation::cloudtrail::{Traffic, control_plane, with_bucket};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::query::archive_in;
use crate::support::process::{Finished, dataward, json_lines, text, write};

fn timeline(archive: &Path, arguments: &[&str]) -> Finished {
    dataward(&[&["timeline", "--archive", &text(archive)], arguments].concat())
}

/// Text of a column of the only row of an answer.
fn ask(archive: &Path, sql: &str) -> Value {
    let finished = dataward(&["query", "--archive", &text(archive), sql]).expect(0);
    finished.lines().remove(0)
}

#[test]
fn it_has_the_events_of_a_datastore_in_order() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let found = ask(
        &archive,
        "SELECT datastore_name AS name, count(*) AS events, max(event_time) AS last FROM events \
         WHERE datastore_name IS NOT NULL GROUP BY datastore_name ORDER BY events DESC LIMIT 1",
    );
    let (name, last) = (found["name"].as_str().unwrap(), found["last"].as_str().unwrap());
    let finished = timeline(&archive, &["--datastore", name]).expect(0);
    let entries = finished.lines();
    let events: Vec<&Value> = entries
        .iter()
        .filter(|entry| ["access", "config_change"].contains(&entry["what"].as_str().unwrap()))
        .collect();
    assert_eq!(events.len(), usize::try_from(found["events"].as_u64().unwrap()).unwrap());
    assert!(events.iter().all(|entry| entry["datastore_name"] == name));
    let times: Vec<&str> = entries.iter().map(|e| e["event_time"].as_str().unwrap()).collect();
    let micros = |time: &&str| dataward_event::time::EventTime::parse_rfc3339(time).unwrap();
    assert!(times.iter().map(micros).is_sorted(), "{times:?}");
    assert!(finished.stderr.contains("the archive has events from 2026-01-05T08:00:00Z to "));

    // The end is not in the range; from it on there is only the last one.
    let before = timeline(&archive, &["--datastore", name, "--to", last]).expect(0).lines();
    assert!(before.iter().all(|entry| entry["event_time"] != last));
    let after = timeline(&archive, &["--datastore", name, "--from", last]).expect(0).lines();
    assert_eq!(before.len() + after.len(), entries.len());
    assert!(!after.is_empty());
}

#[test]
fn every_format_has_every_entry() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let lines = timeline(&archive, &[]).expect(0).lines();
    assert!(lines.iter().any(|entry| entry["what"] == "window_opened"));
    assert!(lines.iter().any(|entry| entry["what"] == "alert"));

    let csv = timeline(&archive, &["--format", "csv"]).expect(0).stdout;
    assert!(csv.starts_with("event_time,what,message,actor_name,"), "{csv}");
    let rows: Vec<&str> = csv.lines().skip(1).filter(|line| line.starts_with("2026-")).collect();
    assert_eq!(rows.len(), lines.len());

    let table = timeline(&archive, &["--format", "table"]).expect(0).stdout;
    assert_eq!(table.lines().count(), lines.len() + 1);

    let sketch = timeline(&archive, &["--format", "timesketch", "--raw"]).expect(0).stdout;
    let sketch = json_lines(&sketch);
    assert_eq!(sketch.len(), lines.len());
    for (entry, line) in sketch.iter().zip(&lines) {
        for field in ["message", "datetime", "timestamp_desc"] {
            assert!(entry[field].as_str().is_some_and(|text| !text.is_empty()), "{entry}");
        }
        assert_eq!((&entry["datetime"], &entry["what"]), (&line["event_time"], &line["what"]));
        if entry["what"] == "access" {
            let raw: Value = serde_json::from_str(entry["raw"].as_str().unwrap()).unwrap();
            assert_eq!(raw["eventID"], entry["event_uid"]);
        }
    }
}

#[test]
fn a_wrong_name_or_time_is_told_what_is_right() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let found = ask(&archive, "SELECT min(actor_name) AS name FROM access");
    let name = found["name"].as_str().unwrap();
    let misspelt = format!("{name}x");
    let finished = timeline(&archive, &["--actor", &misspelt]).expect(3);
    assert!(finished.stderr.contains(&format!("no actor {misspelt}")), "{}", finished.stderr);
    assert!(finished.stderr.contains(name), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
    for time in ["yesterday", "2026-13-01", "2026-01-05 08:00", "2026-01-05T08:00:00"] {
        let finished = timeline(&archive, &["--from", time]).expect(2);
        assert!(finished.stderr.contains(time), "{}", finished.stderr);
        assert!(finished.stderr.contains("2019-12-04T10:20:30Z"), "{}", finished.stderr);
    }
    let finished = timeline(&archive, &["--from", "2026-01-06", "--to", "2026-01-05"]).expect(2);
    assert!(finished.stderr.contains("--from must be before --to"), "{}", finished.stderr);
    timeline(&archive, &["--max-rows", "2"]).expect(2);

    // A date is its midnight, and a name without an event there is no error.
    let finished = timeline(&archive, &["--actor", name, "--from", "2026-01-06"]).expect(0);
    assert_eq!(finished.stdout, "");
    let told = format!("nothing here is of actor {name}: the archive has ");
    assert!(finished.stderr.contains(&told), "{}", finished.stderr);
    assert!(finished.stderr.contains("from 2026-01-05T08:00:"), "{}", finished.stderr);
    let all = timeline(&archive, &["--from", "2026-01-05", "--to", "2026-01-06T00:00:00+00:00"]);
    assert_eq!(all.expect(0).lines().len(), timeline(&archive, &[]).expect(0).lines().len());
}

/// A bucket's block is taken away at ten and set again at eleven.
#[test]
fn the_end_of_a_finding_is_not_told_as_its_beginning() {
    let folder = TempDir::new().unwrap();
    let mut traffic = Traffic::new(1, 1, 1);
    let block = json!({ "publicAccessBlock": "", "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": true, "IgnorePublicAcls": true,
        "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
    } });
    let calls = [
        ("DeleteBucketPublicAccessBlock", json!({}), "2026-03-02T10:00:00Z"),
        ("PutBucketPublicAccessBlock", block, "2026-03-02T11:00:00Z"),
    ];
    let lines: String = calls
        .map(|(operation, parameters, time)| {
            let parameters = with_bucket(parameters, "invoices");
            let call = control_plane("s3.amazonaws.com", operation, &parameters);
            let time = EventTime::parse_rfc3339(time).unwrap();
            traffic.told_by("j.doe", "198.51.100.7", call, time).payload + "\n"
        })
        .concat();
    let archive = folder.path().join("archive");
    let file = write(folder.path(), "two.ndjson", lines);
    let scan = ["scan", "--source", "aws.cloudtrail", "--archive", &text(&archive), &text(&file)];
    dataward(&scan).expect(0);

    let sketch = timeline(&archive, &["--format", "timesketch"]).expect(0).lines();
    let alerts = sketch.iter().filter(|line| line["rule_id"] == "control.weakened");
    let told: Vec<(&str, &str)> = alerts
        .map(|line| (line["timestamp_desc"].as_str().unwrap(), line["message"].as_str().unwrap()))
        .collect();
    let [(begun, beginning), (ended, end)] = told[..] else { panic!("{told:?}") };
    assert_eq!((begun, ended), ("Alert Triggered", "Alert Closed"));
    assert!(beginning.starts_with("Protection weakened: "), "{beginning}");
    assert!(end.starts_with("Over: Protection weakened: "), "{end}");
}
