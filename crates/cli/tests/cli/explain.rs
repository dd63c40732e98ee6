//! `explain`: what is usual of somebody, from outside.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cloudtrail::{DAY, MINUTE, MONDAY, get_object};
use crate::support::process::{Finished, dataward, text, write};

/// For four weeks ada reads of orders on workdays, and bob on all days; on the Monday after them ada takes all of it.
fn archive_in(folder: &Path) -> PathBuf {
    let mut lines = String::new();
    for day in 0..28 {
        for hour in 8..16 {
            for name in ["bob", "ada"] {
                if name == "ada" && day % 7 >= 5 {
                    continue;
                }
                let time = MONDAY + day * DAY + hour * 60 * MINUTE;
                let bytes = 40_960 + 1_024 * (day as u64 + 3 * hour as u64);
                let (uid, key) = (format!("{name}-{day}-{hour}"), format!("key-{hour}"));
                lines += &get_object(&uid, time, name, "orders", &key, bytes);
            }
        }
    }
    for number in 0..200 {
        let time = MONDAY + 28 * DAY + 9 * 60 * MINUTE + number * 1_000_000;
        let (uid, key) = (format!("dump-{number}"), format!("whole-{number}"));
        lines += &get_object(&uid, time, "ada", "orders", &key, 20 << 20);
    }
    let file = write(folder, "trail.ndjson", lines);
    let archive = folder.join("archive");
    let arguments = ["scan", "--source", "aws.cloudtrail", "--archive"].map(str::to_owned);
    dataward(&[&arguments[..], &[text(&archive), text(&file)]].concat()).expect(0);
    archive
}

fn explain(archive: &Path, arguments: &[&str]) -> Finished {
    dataward(&[&["explain", "--archive", &text(archive)], arguments].concat())
}

fn objects(finished: Finished) -> Vec<Value> {
    serde_json::from_str(&finished.expect(0).stdout).unwrap()
}

/// The highest and the usual of the window of a day.
fn day(of: &Value) -> (f64, f64) {
    let window = &of["windows"][3];
    assert_eq!(window["seconds"], 86_400);
    (window["highest"].as_f64().unwrap(), window["usual"].as_f64().unwrap())
}

#[test]
fn it_shows_what_is_usual_and_how_the_open_day_stands() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let found = objects(explain(&archive, &["--actor", "ada"]));
    let [ada] = &found[..] else { panic!("{found:?}") };
    assert_eq!(ada["actor"]["name"], "ada");
    assert_eq!((&ada["day"], &ada["days"]), (&json!("2026-03-30"), &json!(20)));
    assert_eq!(ada["first_day"], "2026-03-02");
    assert_eq!(ada["datastore"], Value::Null);
    let (highest, usual) = day(ada);
    assert!((200.0..1_500.0).contains(&usual) && highest == 200.0 * 20.0 * 1_024.0, "{ada}");
    let acute = &ada["channels"][0];
    assert!(acute["weighed"].as_f64() >= acute["threshold"].as_f64(), "{acute}");
    assert_eq!(ada["history"]["volumes"].as_array().unwrap().len(), 20);
    let incident = &ada["incidents"][0];
    let alerts =
        dataward(&["query", "--archive", &text(&archive), "SELECT finding_uid FROM alerts"]);
    let alerts = alerts.expect(0).lines();
    assert!(alerts.iter().any(|alert| alert["finding_uid"] == incident["uid"]), "{incident}");

    // The uid is as good as the name, and the datastore is told for itself.
    let uid = ada["actor"]["uid"].as_str().unwrap();
    let arguments = ["--actor", uid, "--datastore", "orders", "--format", "json"];
    let by_uid = objects(explain(&archive, &arguments));
    assert_eq!(by_uid[0]["windows"], ada["windows"]);
    assert_eq!(by_uid[0]["datastore"]["days"], 20);
    assert_eq!(day(&by_uid[0]["datastore"]).0, highest);

    let bob = objects(explain(&archive, &["--actor", "bob"]));
    assert_eq!((bob[0]["is_active"].as_bool(), day(&bob[0]).0), (Some(false), 0.0));
}

#[test]
fn an_earlier_time_is_told_as_it_was() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let at = |time: &str| objects(explain(&archive, &["--actor", "ada", "--at", time]));
    let before = at("2026-03-27T12:30:00Z");
    assert_eq!((&before[0]["day"], &before[0]["days"]), (&json!("2026-03-27"), &json!(19)));
    assert_eq!(before[0]["as_of"], "2026-03-27T12:00:00Z");
    assert_eq!(before[0]["incidents"], json!([]));
    assert_eq!(before[0]["hours"]["today"], json!([8, 9, 10, 11, 12]));
    let after = at("2026-04-30");
    assert_eq!(after, objects(explain(&archive, &["--actor", "ada"])), "the same by all rows");
    let nothing = explain(&archive, &["--actor", "ada", "--at", "2026-03-01"]).expect(0);
    assert_eq!(nothing.stdout, "[]\n");
    assert!(nothing.stderr.contains("nothing of it is a read of data, up to 2026-03-01"));
}

#[test]
fn people_get_tables_charts_and_a_drawing() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let drawing = folder.path().join("ada.svg");
    let arguments = ["--actor", "ada", "--format", "table", "--datastore", "orders", "--svg"];
    let told = explain(&archive, &[&arguments[..], &[&text(&drawing)]].concat()).expect(0).stdout;
    for part in [
        "open day 2026-03-30: active, read 4,194,304,000 bytes, 200 objects",
        "volume of orders",
        "last 20 active days",
        "hours at work, UTC",
        "read.bulk",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.contains('█') && !told.contains("NaN"), "{told}");
    let drawing = std::fs::read_to_string(drawing).unwrap();
    assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"), "{drawing}");
    assert!(!drawing.contains("NaN") && !drawing.contains("<script"), "{drawing}");

    let nowhere = folder.path().join("no/folder.svg");
    explain(&archive, &["--actor", "ada", "--svg", &text(&nowhere)]).expect(4);
}

#[test]
fn a_wrong_name_or_time_is_told_what_is_right() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let unknown = explain(&archive, &["--actor", "adaa"]).expect(3);
    assert!(unknown.stderr.contains("none of the 2 actors of the archive is called adaa"));
    assert!(unknown.stderr.contains("close to it: ada"), "{}", unknown.stderr);
    assert_eq!(unknown.stdout, "");
    let untouched = explain(&archive, &["--actor", "ada", "--datastore", "order"]).expect(3);
    assert!(untouched.stderr.contains("ada never touched a datastore order; it touched orders"));
    let time = explain(&archive, &["--actor", "ada", "--at", "yesterday"]).expect(2);
    assert!(time.stderr.contains("a time is RFC 3339"), "{}", time.stderr);
    explain(&archive, &["--actor", "o'brien' OR 1=1 --"]).expect(3);
    explain(&folder.path().join("nothing"), &["--actor", "ada"]).expect(3);
}
