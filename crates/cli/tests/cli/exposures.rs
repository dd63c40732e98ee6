//! `exposures`: what was open, since when, and who read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_event::audit_event::{Actor, Datastore, DatastoreForm};
use dataward_event::change::Control;
use dataward_event::exposure::{Deed, Exposure, Known, Level, PartialSum, ReadFigures, Reader};
use dataward_event::finding::{CloseReason, Owner, Severity};
use dataward_event::position::{Offset, Partition, Position, Progress};
use dataward_event::time::{EventTime, IngestTime};
use dataward_pipeline::archive::{Archive, Checkpoint, Claim, ExposureRow, Rows};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::archive::{copy, version};
use crate::support::process::{Finished, dataward, text};

/// 2019-12-04T00:00:00Z.
const START_MICROS: i64 = 1_575_417_600_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

fn day(number: i64) -> EventTime {
    EventTime::from_micros(START_MICROS + number * DAY_MICROS)
}

fn deed(uid: &str, who: &str, time: EventTime) -> Deed {
    let who = Some(Cow::Owned(who.to_owned()));
    Deed {
        event_uid: uid.to_owned(),
        position: Position {
            partition: Partition::new("audit", 0),
            offset: Offset(0),
            record_index: 0,
        },
        time,
        actor: Actor { uid: who.clone(), name: who, ..Actor::default() },
        client: Some("203.0.113.24".to_owned()),
        operation: "PutBucketPolicy".to_owned(),
    }
}

/// A window of a bucket that was opened on a day.
fn window(uid: &str, bucket: &str, control: Control, opened: i64) -> Exposure {
    Exposure {
        uid: uid.to_owned(),
        datastore: Datastore {
            uid: format!("arn:aws:s3:::{bucket}").into(),
            name: Some(bucket.to_owned().into()),
            resource_type: Some("AWS::S3::Bucket".into()),
            form: DatastoreForm::Bucket,
        },
        control,
        setting: "bucket_policy".to_owned(),
        opened: "principal *".to_owned(),
        window_kind: control.window_kind(),
        level: Level::Weakened,
        reachable: Known::Unknown,
        opened_by: deed(&format!("opening of {uid}"), "j.doe", day(opened)),
        opened_at_uncertain: false,
        exposed_at: None,
        closed_by: None,
        close_reason: None,
        severity: Severity::HIGH,
        figures: ReadFigures::default(),
        outside_figures: ReadFigures::default(),
        readers: Vec::new(),
    }
}

fn closed(window: Exposure, on: i64, close_reason: CloseReason) -> Exposure {
    let deed = deed(&format!("closing of {}", window.uid), "s.fixer", day(on));
    Exposure { closed_by: Some(deed), close_reason: Some(close_reason), ..window }
}

/// A store open for 22 days and read from outside, one that still is open, a silenced log, and one that never was open.
fn archive_in(folder: &Path) -> PathBuf {
    let path = folder.join("archive");
    let outside = ReadFigures {
        reads: 3,
        reads_at_edges: 1,
        bytes: PartialSum { at_least: 9_000, unreported: 1 },
        ..ReadFigures::default()
    };
    let reader = Reader {
        name: "anonymous".to_owned(),
        uid: None,
        network: "198.51.100.0/24".to_owned(),
        is_outsider: true,
        figures: outside,
    };
    let exposed = Exposure {
        level: Level::Exposed,
        reachable: Known::Yes,
        exposed_at: Some(day(0)),
        severity: Severity::FATAL,
        figures: ReadFigures { reads: 12, ..outside },
        outside_figures: outside,
        readers: vec![reader],
        ..window("w1", "payments", Control::AccessPolicy, 0)
    };
    let second = Exposure {
        opened: "0.0.0.0/0 tcp 9200, \"search\"\u{1b}[31m".to_owned(),
        opened_at_uncertain: true,
        ..window("w2", "search", Control::NetworkExposure, 26)
    };
    let never = window("w4", "payments", Control::Sharing, 3);
    let statements = [
        window("w1", "payments", Control::AccessPolicy, 0),
        never.clone(),
        closed(exposed, 22, CloseReason::Restored),
        second,
        window("w3", "trail", Control::AuditLogging, 1),
        Exposure { close_reason: Some(CloseReason::Superseded), ..never },
    ];
    let mut archive = DeltaArchive::open(&path, &Options::default()).unwrap();
    let (empty, mut rows) = (archive.rows(), archive.rows());
    let claim = Claim { owner: Owner::Keeper, next: 0, expected: None };
    archive.claim(&[claim], empty).unwrap();
    for (number, exposure) in (0..).zip(statements) {
        let ingest_time = IngestTime::from_micros(START_MICROS);
        rows.exposure(&ExposureRow { exposure, number, ingest_time });
    }
    let checkpoint = Checkpoint {
        rows: vec![rows],
        progress: Progress::new(),
        keeper_next: Some(6),
        cursors: BTreeMap::new(),
        snapshots: Vec::new(),
    };
    archive.commit(checkpoint).unwrap();
    path
}

fn exposures(archive: &Path, arguments: &[&str]) -> Finished {
    let archive = text(archive);
    let all = ["exposures", "--archive", &archive];
    dataward(&[&all, arguments].concat())
}

/// The windows that are listed, by their ids.
fn listed(archive: &Path, arguments: &[&str]) -> Vec<String> {
    let finished = exposures(archive, &[&["--format", "json"], arguments].concat()).expect(0);
    let windows: Value = serde_json::from_str(&finished.stdout).unwrap();
    let windows = windows.as_array().unwrap();
    assert_eq!(finished.stderr.contains("no window found"), windows.is_empty());
    windows.iter().map(|window| window["exposure_uid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_window_is_told_in_full() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let finished = exposures(&archive, &["--format", "json", "--datastore", "payments"]).expect(0);
    let windows: Value = serde_json::from_str(&finished.stdout).unwrap();
    let mut expected = json!({
        "exposure_uid": "w1",
        "window_kind": "confidentiality",
        "datastore": "arn:aws:s3:::payments",
        "datastore_name": "payments",
        "datastore_type": "AWS::S3::Bucket",
        "datastore_form": "bucket",
        "control": "access_policy",
        "setting": "bucket_policy",
        "opened": "principal *",
        "level": "exposed",
        "reachable": "yes",
        "severity": "Fatal",
        "severity_id": 6,
        "opened_at": "2019-12-04T00:00:00Z",
        "opened_at_uncertain": false,
        "opened_by": "j.doe",
        "opened_by_uid": "j.doe",
        "opened_from": "203.0.113.24",
        "operation": "PutBucketPolicy",
        "event_uid": "opening of w1",
        "exposed_at": "2019-12-04T00:00:00Z",
        "closed_at": "2019-12-26T00:00:00Z",
        "closed_by": "s.fixer",
        "closed_by_uid": "s.fixer",
        "closing_operation": "PutBucketPolicy",
        "closing_event_uid": "closing of w1",
        "close_reason": "restored",
        "duration_seconds": 22 * 86_400,
        "readers": windows[0]["readers"],
        "logged_time": "2019-12-04T00:00:00Z",
        "alert_number": 2,
    });
    let outside = [3, 1, 0, 0, 9_000, 1, 0, 0];
    let all = [12, 1, 0, 0, 9_000, 1, 0, 0];
    let sums = ["rows", "bytes", "objects"];
    let sums = sums.map(|unit| [format!("{unit}_at_least"), format!("{unit}_unreported")]).concat();
    let names = [&["reads".to_owned(), "reads_at_edges".to_owned()], &sums[..]].concat();
    for (name, (all, outside)) in names.iter().zip(all.into_iter().zip(outside)) {
        expected[name] = all.into();
        expected[format!("outside_{name}")] = outside.into();
    }
    assert_eq!(windows, json!([expected]));
    let reader = &windows[0]["readers"][0];
    assert_eq!(reader["name"], "anonymous");
    assert_eq!(reader["figures"]["bytes"], json!({"at_least": 9_000, "unreported": 1}));
}

#[test]
fn options_choose_windows() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    assert_eq!(listed(&archive, &[]), ["w1", "w2"]);
    assert_eq!(listed(&archive, &["--open"]), ["w2"]);
    assert_eq!(listed(&archive, &["--kind", "blind"]), ["w3"]);
    assert_eq!(listed(&archive, &["--kind", "fragile"]), [""; 0]);
    assert_eq!(listed(&archive, &["--kind", "all"]), ["w1", "w3", "w2"]);
    assert_eq!(listed(&archive, &["--datastore", "arn:aws:s3:::search"]), ["w2"]);
    assert_eq!(listed(&archive, &["--datastore", "payments", "--open"]), [""; 0]);
    // w1 is open from the 4th to the 26th, w2 since the 30th.
    assert_eq!(listed(&archive, &["--from", "2019-12-25"]), ["w1", "w2"]);
    assert_eq!(listed(&archive, &["--from", "2019-12-26"]), ["w2"]);
    assert_eq!(listed(&archive, &["--to", "2019-12-30"]), ["w1"]);
    assert_eq!(listed(&archive, &["--to", "2019-12-04"]), [""; 0]);
    let range = ["--from", "2019-12-10", "--to", "2019-12-10T00:00:01Z"];
    assert_eq!(listed(&archive, &range), ["w1"]);
    exposures(&archive, &["--from", "2019-12-11", "--to", "2019-12-10"]).expect(2);
    let finished = exposures(&archive, &["--datastore", "nowhere"]).expect(0);
    assert_eq!(finished.stdout, "");
    assert!(finished.stderr.contains("kind confidentiality, datastore nowhere"), "{finished:?}");
}

#[test]
fn every_format_tells_the_same() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let json = exposures(&archive, &["--format", "json"]).expect(0).stdout;
    let json: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(exposures(&archive, &[]).expect(0).lines(), json, "in a pipe");

    let csv = exposures(&archive, &["--format", "csv"]).expect(0).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3);
    let mut names: Vec<&str> = lines[0].split(',').collect();
    names.sort_unstable();
    let fields: Vec<&str> = json[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, fields);
    assert!(lines[1].starts_with("w1,confidentiality,arn:aws:s3:::payments,"), "{csv}");
    assert!(lines[2].contains(",\"0.0.0.0/0 tcp 9200, \"\"search\"\"\u{1b}[31m\","), "{csv}");

    let table = exposures(&archive, &["--format", "table"]).expect(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("datastore  open "), "{table}");
    for told in ["payments", "access_policy: principal *", "exposed", "22 d 0 h", "j.doe", "Fatal"]
    {
        assert!(lines[1].contains(told), "{told}: {table}");
    }
    assert!(lines[1].contains("12 to 13 (3 to 4 outside)"), "{table}");
    assert!(lines[2].contains("by 2019-12-30T00:00:00Z  still open"), "{table}");
    assert!(!table.contains('\u{1b}'), "no log may write to a terminal");
}

#[test]
fn where_there_is_no_archive_it_says_so() {
    let folder = TempDir::new().unwrap();
    let nothing = folder.path().join("nothing");
    let finished = exposures(&nothing, &[]).expect(3);
    assert!(finished.stderr.contains("there is no archive"), "{}", finished.stderr);
    assert!(!nothing.exists());
    dataward(&["exposures"]).expect(2);
    exposures(&nothing, &["--kind", "weakened"]).expect(2);

    let archive = archive_in(folder.path());
    std::fs::remove_dir_all(&archive).unwrap();
    exposures(&archive, &[]).expect(5);
}

#[test]
fn an_archive_of_the_first_version_has_no_windows_and_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../archive/tests/golden/v1/archive");
    copy(&golden, &archive);
    assert_eq!(listed(&archive, &[]), [""; 0]);
    assert_eq!(version(&archive), 2);
}
