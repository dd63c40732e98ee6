//! `scan`: files in, alerts out, and an archive that takes each file once.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use dataward_archive::lease::Keepalive;
use tempfile::TempDir;

use crate::support::archive::{contents, parquet_files, total, verified, version};
use crate::support::process::{Finished, Running, dataward, text, until, write};
use crate::support::story::{story, substance, told};

fn scan(archive: Option<&Path>, files: &[&Path]) -> Finished {
    dataward(&arguments(archive, files))
}

fn arguments(archive: Option<&Path>, files: &[&Path]) -> Vec<String> {
    let mut arguments = ["scan", "--source", "aws.cloudtrail"].map(str::to_owned).to_vec();
    if let Some(archive) = archive {
        arguments.extend(["--archive".to_owned(), text(archive)]);
    }
    arguments.extend(files.iter().map(|file| text(file)));
    arguments
}

#[test]
fn a_second_scan_adds_nothing_and_prints_the_same_alerts() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let story = story(1, 500);
    let file = write(folder.path(), "trail.ndjson", story.ndjson());

    let first = scan(Some(&archive), &[&file]).expect(0);
    assert_eq!(told(&first.lines()), story.must_alert);
    let (rows, at) = (contents(&archive), version(&archive));
    assert_eq!(rows.distinct_uids(), 500);
    assert_eq!(total(&verified(&archive), "events"), 500);

    let second = scan(Some(&archive), &[&file]).expect(0);
    assert_eq!(second.stdout, first.stdout);
    assert!(
        second.stderr.contains("1 of 1 files were in the archive already"),
        "{}",
        second.stderr
    );
    assert_eq!(version(&archive), at, "no commit");
    assert_eq!(contents(&archive), rows, "no row");
}

#[test]
fn the_same_bytes_compressed_are_the_same_file() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let text = story(1, 200).ndjson();
    let plain = write(folder.path(), "trail.ndjson", &text);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = write(folder.path(), "trail.json.gz", gzip.finish().unwrap());
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    let zstd = write(folder.path(), "trail.json.zst", zstd);

    let first = scan(Some(&archive), &[&gzip]).expect(0);
    let at = version(&archive);
    for same in [&plain, &zstd] {
        let again = scan(Some(&archive), &[same]).expect(0);
        assert_eq!(again.stdout, first.stdout);
    }
    assert_eq!(version(&archive), at);
    // All three at once are one file, too.
    let together =
        scan(Some(&archive), &[folder.path().join("trail.ndjson").as_path(), &gzip, &zstd]);
    assert_eq!(together.expect(0).stdout, first.stdout);
    assert_eq!(contents(&archive).events.len(), 200);
}

#[test]
fn without_an_archive_the_alerts_are_the_same() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let file = write(folder.path(), "trail.ndjson", story(1, 300).ndjson());
    let with = scan(Some(&archive), &[&file]).expect(0).lines();
    let without = scan(None, &[&file]).expect(0).lines();
    let uids = |alerts: &[serde_json::Value]| -> Vec<_> {
        alerts.iter().map(|alert| alert["metadata"]["uid"].clone()).collect()
    };
    assert_eq!(uids(&with), uids(&without));
    assert_eq!(substance(&with), substance(&without));
}

#[test]
fn a_killed_scan_goes_on_where_it_stopped() {
    let folder = TempDir::new().unwrap();
    let undisturbed = folder.path().join("undisturbed");
    // How much keeps a scan busy until it is killed for the second time is up to the machine.
    let mut events = 60_000;
    let (archive, file) = loop {
        let archive = folder.path().join(format!("archive-{events}"));
        let file = write(folder.path(), "trail.ndjson", story(1, events).ndjson());
        if (0..2).all(|_| is_killed_at_work(&archive, &file)) {
            break (archive, file);
        }
        events *= 2;
    };
    scan(Some(&archive), &[&file]).expect(0);
    let last = scan(Some(&archive), &[&file]).expect(0);
    scan(Some(&undisturbed), &[&file]).expect(0);
    let expected = scan(Some(&undisturbed), &[&file]).expect(0);

    // How often a window is stated depends on the checkpoints that its figures grow in; which windows there are does not.
    let rows = |archive: &Path| {
        let mut rows = verified(archive)["rows"].clone();
        rows.as_object_mut().unwrap().remove("exposure");
        rows
    };
    assert_eq!(rows(&archive), rows(&undisturbed));
    let windows = |archive: &Path| -> Vec<[serde_json::Value; 3]> {
        let listed = dataward(&["exposures", "--kind", "all", "--archive", &text(archive)]);
        let windows: Vec<serde_json::Value> = listed.expect(0).lines();
        let story = ["exposure_uid", "opened_at", "closed_at"];
        windows.iter().map(|window| story.map(|field| window[field].clone())).collect()
    };
    assert_eq!(windows(&archive), windows(&undisturbed));
    let (found, wanted) = (contents(&archive), contents(&undisturbed));
    assert!(found.events == wanted.events, "the rows differ");
    // The close of a window states the reads that were known then, and where a batch was cut decides which of its minute are.
    let said = |alerts: &[serde_json::Value]| -> BTreeSet<String> {
        let fields = |alert: &serde_json::Value| {
            let told = &alert["finding_info"];
            [&told["uid"], &alert["activity_id"], &alert["time"], &told["desc"]]
                .map(ToString::to_string)
        };
        alerts.iter().map(|alert| fields(alert).join(" ")).collect()
    };
    assert_eq!(found.alerts.len(), wanted.alerts.len());
    assert_eq!(said(&last.lines()), said(&expected.lines()));
    assert_eq!(substance(&last.lines()), substance(&expected.lines()));
}

/// Scans, and kills at the next sign of a commit: with what is being written then. `false`: it had ended by then.
fn is_killed_at_work(archive: &Path, file: &Path) -> bool {
    let before = parquet_files(archive).len();
    let mut running = Running::start(&arguments(Some(archive), &[file]));
    until("rows on their way", || {
        (parquet_files(archive).len() > before || !running.is_running()).then_some(())
    });
    let is_at_work = running.is_running();
    running.kill();
    is_at_work
}

#[test]
fn an_unreadable_file_is_named_and_nothing_is_left_out_silently() {
    let folder = TempDir::new().unwrap();
    let good = write(folder.path(), "good.ndjson", story(1, 100).ndjson());
    let missing = folder.path().join("missing.ndjson");
    let finished = scan(None, &[&good, &missing]).expect(3);
    assert!(finished.stderr.contains(&text(&missing)), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(story(1, 100).ndjson().as_bytes()).unwrap();
    let mut bytes = gzip.finish().unwrap();
    bytes.truncate(bytes.len() / 2);
    let cut = write(folder.path(), "cut.json.gz", bytes);
    let finished = scan(None, &[&cut]).expect(3);
    assert!(finished.stderr.contains(&text(&cut)), "{}", finished.stderr);

    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let finished = scan(None, &[&empty]).expect(3);
    assert!(finished.stderr.contains(&text(&empty)), "{}", finished.stderr);
}

#[test]
fn an_archive_in_use_is_refused_with_the_name_of_its_holder() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let file = write(folder.path(), "trail.ndjson", story(1, 100).ndjson());
    let every = Duration::from_millis(200);
    let holder = Keepalive::start(&archive, "elsewhere/4711", 1, every).unwrap();
    let refused = scan(Some(&archive), &[&file]).expect(4);
    assert!(refused.stderr.contains("in use by elsewhere/4711"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
    drop(holder);
    scan(Some(&archive), &[&file]).expect(0);
}

#[test]
fn late_events_are_told_where_there_are_any() {
    let folder = TempDir::new().unwrap();
    let ordinary = story(1, 100).ndjson();
    let file = write(folder.path(), "ordinary.ndjson", &ordinary);
    let told = "events came late";
    let finished = scan(None, &[&file]).expect(0);
    assert!(!finished.stderr.contains(told), "{}", finished.stderr);

    let mut late: serde_json::Value =
        serde_json::from_str(ordinary.lines().next().unwrap()).unwrap();
    late["eventID"] = "late".into();
    late["eventTime"] = "2026-01-05T07:44:00Z".into();
    let file = write(folder.path(), "late.ndjson", format!("{ordinary}{late}\n"));
    let finished = scan(None, &[&file]).expect(0);
    assert!(finished.stderr.contains(&format!("1 {told}")), "{}", finished.stderr);
}

#[test]
fn what_cannot_be_read_is_kept_and_told() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let story = story(1, 100);
    let mut lines: Vec<_> = story.messages.iter().map(|message| message.payload.clone()).collect();
    lines.insert(40, "{\"eventVersion\":\"1.1".to_owned());
    let file = write(folder.path(), "trail.ndjson", lines.join("\n"));
    let finished = scan(Some(&archive), &[&file]).expect(0);
    assert!(
        finished.stderr.contains("1 parts became quarantine rows: invalid_json"),
        "{}",
        finished.stderr
    );
    let archived = contents(&archive);
    assert_eq!(archived.events.len(), 100);
    assert_eq!(archived.reasons(), [("invalid_json", 1)].into());
    verified(&archive);
}
