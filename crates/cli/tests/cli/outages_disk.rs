//! The disk is full, or nobody may write on it: alerts go on, reading waits, and nothing is lost.

use std::path::Path;

use dataward_simulation::broker::Broker;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{contents, copy, total, verified, verify};
use crate::support::disk::Disk;
use crate::support::health::{Scrape, codes, readyz, start_as};
use crate::support::kafka::{self, Sending, Setup, broker, produce, setup};
use crate::support::process::{Running, json_lines, text};
use crate::support::story::{standing, story, told};

/// What no page may hold, and yet there are this many.
const BALLAST: usize = 20_000;
const MEGABYTES: f64 = 1024.0 * 1024.0;

/// A run whose archive lies on a disk of its own; alerts go to another one.
fn on_disk(broker: &Broker, folder: &Path, topic: &str) -> Option<(Disk, Setup)> {
    let mount = folder.join("disk");
    let disk = Disk::mount(&mount, "32m")?;
    let (there, here) = (text(&mount.join("archive")), text(&folder.join("archive")));
    let setup = setup(broker, folder, topic, "").with(&here, &there);
    let buffer = "flush_seconds = 1\nbuffer_megabytes = 8\ncheckpoint_megabytes = 1";
    let setup = setup.with("flush_seconds = 1", buffer);
    let archive = disk.seen(&mount.join("archive"));
    Some((disk, Setup { archive, ..setup }))
}

/// How many offsets of Kafka the table has, as `verify` sees it from outside; 0 while there is no table.
fn progress(archive: &Path) -> i64 {
    let report: Option<Value> = serde_json::from_str(&verify(archive).stdout).ok();
    report.map_or(0, |report| total(&report, "progress") as i64)
}

fn alerts(setup: &Setup) -> Vec<Value> {
    let text = std::fs::read_to_string(&setup.alerts).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn a_full_disk_holds_up_the_archive_and_no_alert() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 2);
    let Some((disk, setup)) = on_disk(broker, folder.path(), &topic) else { return };
    let story = story(41, 600);
    let (before, after) = story.messages.split_at(50);
    produce(broker, &topic, before);
    let (mut running, address) = start_as(disk.dataward(setup.run()));
    running.until("the first part in the table", |_| progress(&setup.archive) == 50);

    // Room for a file of rows, but not for many: some attempts fail at the one, some at the other.
    disk.fill(48 * 1024);
    produce(broker, &topic, after);
    running.until("the alerts of what cannot be committed", |_| {
        told(&standing(&alerts(&setup))) == story.must_alert
    });
    disk.fill(0);
    running.until("the health page to tell", |_| {
        codes(&readyz(&address).1).contains(&"commit_failing")
    });
    let (status, body) = readyz(&address);
    let reason = body["reasons"][0]["text"].as_str().unwrap();
    assert_eq!(status, 503);
    assert!(reason.contains("No space left on device"), "{reason}");
    assert!(reason.contains(&text(folder.path())), "it names the place: {reason}");

    // Much more than the buffer holds: reading pauses.
    let sending = Sending::to(broker, &topic);
    let ballast = format!("{{ \"no\": \"{}\" ", "end ".repeat(500));
    for number in 0..BALLAST {
        sending.record(Some(number.to_string().as_bytes()), Some(ballast.as_bytes()));
        if number % 1_000 == 0 {
            sending.flush();
        }
    }
    sending.flush();
    let mut most: f64 = 0.0;
    running.until("reading to pause", |_| {
        let scrape = Scrape::of(&address);
        most = most.max(scrape.one("dataward_buffered_bytes"));
        scrape.one("dataward_reading_paused") == 1.0
    });
    let scrape = Scrape::of(&address);
    most = most.max(scrape.one("dataward_buffered_bytes"));
    assert!(scrape.one("dataward_commit_failures_total") >= 1.0);
    assert_eq!(scrape.one("dataward_ready"), 0.0);
    // What was on its way when it was paused: at most what is taken from the client at once.
    assert!(most <= (8.0 + 2.0 * 4.0) * MEGABYTES, "{most}");
    let read = scrape.sum("messaging_client_consumed_messages_total");
    assert!(read < BALLAST as f64, "{read}: it did not read on");

    disk.free();
    let all = 600 + BALLAST as i64;
    running.until("everything in the table, by itself", |_| progress(&setup.archive) == all);
    running.until("to be ready", |_| readyz(&address).0 == 200);
    let finished = running.terminate().expect(0);
    let said = &finished.stderr;
    assert_eq!(said.matches("failed to commit: it is tried again").count(), 1, "{said}");
    assert!(said.contains("\"message\":\"committed again\""), "{said}");
    let report = verified(&setup.archive);
    assert_eq!(total(&report, "records") as i64, all);
    assert_eq!(report["leftover_files"], 0, "{report}");
    // Delta's kernel follows no path of another process.
    let copied = folder.path().join("copy");
    copy(&setup.archive, &copied);
    assert_eq!(contents(&copied).distinct_uids(), 600);
    assert_eq!(told(&standing(&alerts(&setup))), story.must_alert);
}

#[test]
fn a_sink_on_a_full_disk_waits_and_holds_up_nobody() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 2);
    let mount = folder.path().join("disk");
    let Some(disk) = Disk::mount(&mount, "1m") else { return };
    let path = mount.join("full.ndjson");
    let more = format!("[[sinks]]\nname = \"full\"\nkind = \"file\"\npath = \"{}\"\n", text(&path));
    let setup = setup(broker, folder.path(), &topic, &more);
    let (mut running, address) = start_as(disk.dataward(setup.run()));
    // Room for a part of a line.
    disk.fill(4096);
    let story = story(42, 600);
    produce(broker, &topic, &story.messages);
    setup.until_settled(&mut running, 600);
    let queue = "dataward_sink_queue_alerts{sink=\"full\"}";
    running.until("the sink to wait", |running| {
        running.stderr().contains("failed to deliver alerts")
            && Scrape::of(&address).one(queue) > 0.0
    });
    assert_eq!(Scrape::of(&address).one("dataward_sink_queue_alerts{sink=\"file\"}"), 0.0);
    assert_eq!(readyz(&address).0, 200, "it does its work");
    disk.free();
    running.until("the sink to have all", |_| Scrape::of(&address).one(queue) == 0.0);
    let finished = running.terminate().expect(0);
    let told_of = format!("failed to write {}: No space left on device", path.display());
    assert_eq!(finished.stderr.matches(&told_of).count(), 1, "{}", finished.stderr);
    // A line may be cut off where the disk ended; the alert follows whole.
    let lines = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        let whole = text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok());
        let mut whole: Vec<String> = whole.map(str::to_owned).collect();
        assert!(text.lines().count() <= whole.len() + 1, "one line at most is cut off");
        whole.sort();
        whole.dedup();
        whole
    };
    assert_eq!(lines(&disk.seen(&path)), lines(&setup.alerts));
    assert_eq!(
        told(&standing(&json_lines(&lines(&disk.seen(&path)).join("\n")))).len(),
        story.must_alert.len()
    );
    assert_eq!(total(&verified(&setup.archive), "events"), 600);
}

#[test]
fn a_disk_that_becomes_read_only_is_waited_for() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 2);
    let Some((disk, setup)) = on_disk(broker, folder.path(), &topic) else { return };
    let story = story(43, 400);
    produce(broker, &topic, &story.messages[..200]);
    let (mut running, address) = start_as(disk.dataward(setup.run()));
    running.until("the first half in the table", |_| progress(&setup.archive) == 200);
    disk.set_read_only(true);
    produce(broker, &topic, &story.messages[200..]);
    running.until("the health page to tell", |_| {
        let (_, body) = readyz(&address);
        codes(&body).contains(&"commit_failing")
            && body.to_string().contains("Read-only file system")
    });
    running.until("the alerts", |_| told(&standing(&alerts(&setup))) == story.must_alert);
    assert_eq!(progress(&setup.archive), 200);
    disk.set_read_only(false);
    running.until("everything in the table, by itself", |_| progress(&setup.archive) == 400);
    running.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "events"), 400);
}

#[test]
fn a_read_only_archive_ends_the_start_with_its_path() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let Some((disk, setup)) = on_disk(broker, folder.path(), &topic) else { return };
    let refused = |what: &str| {
        disk.set_read_only(true);
        let finished = Running::spawn(disk.dataward(setup.run())).wait().expect(4);
        assert!(finished.stderr.contains("Read-only file system"), "{what}: {}", finished.stderr);
        let place = text(&folder.path().join("disk/archive"));
        assert!(finished.stderr.contains(&place), "{what}: {}", finished.stderr);
        assert_eq!(
            finished.stderr.lines().filter(|line| line.starts_with("error: ")).count(),
            1,
            "{what}: {}",
            finished.stderr
        );
        disk.set_read_only(false);
    };
    refused("one that is to be made");
    produce(broker, &topic, &story(44, 50).messages);
    let (mut running, _) = start_as(disk.dataward(setup.run()));
    running.until("everything in the table", |_| progress(&setup.archive) == 50);
    running.terminate().expect(0);
    refused("one that is there");
    assert_eq!(total(&verified(&setup.archive), "events"), 50);
}
