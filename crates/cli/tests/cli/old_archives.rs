//! Archives that earlier releases wrote, with the state that they saved (I9): read, proven, and continued by this one.
//!
//! `tests/golden/state<format>` is what `run` of the last release with that format of state left behind after two files of
//! events; never edited. A new format gets a folder of its own, which `what_this_format_leaves_behind_can_be_read` makes;
//! until it is released it may be made again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_detect::state::FORMAT;
use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};
use dataward_pipeline::archive::{Archive, ArchivedEvent, Replayed};
use dataward_pipeline::restore;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{contents, copy, total, verified};
use crate::support::kafka::{self, Sending, broker, setup};
use crate::support::process::{Running, dataward, text};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// A copy, which may be changed.
fn copied(format: u32, folder: &Path) -> PathBuf {
    let archive = folder.join("archive");
    copy(&golden(&format!("state{format}/archive")), &archive);
    archive
}

fn reader(archive: &Path) -> DeltaArchive {
    DeltaArchive::open_read_only(archive, &Options::default()).unwrap()
}

fn events(archive: &mut DeltaArchive, partition: &Partition) -> Vec<ArchivedEvent> {
    let mut events = Vec::new();
    let each = &mut |row| match row {
        Replayed::Event(event) => events.push(*event),
        Replayed::Quarantine { position, .. } => panic!("{position} is in quarantine"),
    };
    archive.replay(partition, Offset(0), each).unwrap();
    events
}

#[test]
fn an_old_archive_is_whole_and_is_continued() {
    for format in 1..=FORMAT {
        let folder = TempDir::new().unwrap();
        let archive = copied(format, folder.path());
        assert_eq!(total(&verified(&archive), "events"), 42, "format {format}");
        let alerts = contents(&archive).alerts.len();
        assert!(alerts >= 2, "format {format}: {alerts}");

        // Another process, another file, the same archive.
        let more = text(&golden("third.ndjson"));
        let arguments = ["scan", "--source", "aws.cloudtrail", "--archive", &text(&archive), &more];
        dataward(&arguments).expect(0);
        assert_eq!(total(&verified(&archive), "events"), 52, "format {format}");
        assert_eq!(contents(&archive).alerts.len(), alerts, "nothing is said again: {format}");
        let listed = dataward(&["exposures", "--kind", "all", "--archive", &text(&archive)]);
        let windows: Vec<Value> = listed.expect(0).lines();
        // Of what the first format found open there are rows from the next statement on.
        assert_eq!(windows.len(), if format == 1 { 0 } else { 5 }, "{windows:?}");
    }
}

#[test]
fn the_keepers_state_is_what_the_rows_teach() {
    for format in 1..=FORMAT {
        let mut archive = reader(&golden(&format!("state{format}/archive")));
        let snapshot = archive.snapshot(&Owner::Keeper).unwrap().unwrap();
        assert_eq!(snapshot.format, format);
        assert!(!snapshot.segments.is_empty(), "format {format}");
        let (restored, seen) = restore::keeper(&mut archive, None).unwrap();
        let (mut taught, mut all) = (Keeper::new(), Progress::new());
        restore::teach(&mut archive, &mut taught, &mut all).unwrap();
        assert_eq!(seen, all, "format {format}");
        // An older state has not learned how often its sources speak; what is open it knows.
        assert_eq!(restored.census(), taught.census(), "format {format}");
        assert_eq!(restored.census().open_windows, 5, "format {format}");
        if format == FORMAT {
            let (mut restored, mut taught) = (restored, taught);
            assert!(restored.save_all() == taught.save_all(), "the bytes of this format changed");
        }
    }
}

#[test]
fn a_partition_goes_on_with_what_it_had_learned() {
    for format in 1..=FORMAT {
        let mut archive = reader(&golden(&format!("state{format}/archive")));
        let progress = archive.table_progress();
        assert_eq!(progress.len(), 2);
        for (partition, next) in progress.iter() {
            let owner = Owner::Partition(partition.clone());
            let snapshot = archive.snapshot(&owner).unwrap().unwrap();
            assert_eq!(snapshot.format, format);
            assert!(!snapshot.segments.is_empty(), "format {format}");
            let state =
                restore::partition(&mut archive, partition, next, &Context::default()).unwrap();
            let mut state = state.expect("the snapshot is usable");
            let events = events(&mut archive, partition);
            assert!(events.len() > 10, "format {format}: {}", events.len());
            for row in events {
                let observed = state.observe(&row.event, &row.position, &Context::default());
                assert!(observed.is_duplicate, "format {format}: {} is forgotten", row.position);
            }
        }
    }
}

/// Gives the events of the format before to `run`: what it leaves behind has a snapshot of this format that restores what its
/// rows teach. `DATAWARD_GOLDEN` names a folder that gets a copy, the archive of a new format.
#[test]
fn what_this_format_leaves_behind_can_be_read() {
    let Some(broker) = broker() else { return };
    kafka::create(broker, "golden", 2, &[]);
    let known = text(&golden(&format!("state{}/archive", FORMAT - 1)));
    let question = "SELECT kafka_partition, CAST(raw AS VARCHAR) AS raw FROM events \
                    ORDER BY kafka_partition, kafka_offset";
    let rows = dataward(&["query", "--archive", &known, "--format", "ndjson", question]);
    let rows = rows.expect(0).lines();
    let folder = TempDir::new().unwrap();
    let setup = setup(broker, folder.path(), "golden", "");
    let mut running = Running::start(&setup.run());
    let sending = Sending::to(broker, "golden");
    let began = Instant::now();
    let mut sent = 0;
    for half in rows.chunks(rows.len().div_ceil(2)) {
        for row in half {
            let partition = row["kafka_partition"].as_i64().unwrap();
            let raw = row["raw"].as_str().unwrap();
            sending.to_partition(i32::try_from(partition).unwrap(), raw.as_bytes());
        }
        sending.flush();
        sent += half.len();
        setup.until_settled(&mut running, i64::try_from(sent).unwrap());
        // From then on the next checkpoint has a snapshot.
        running.until("a snapshot to be due", |_| began.elapsed() > Duration::from_secs(3));
    }
    running.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "events"), rows.len() as u64);
    let mut left = reader(&setup.archive);
    let snapshot = left.snapshot(&Owner::Keeper).unwrap().unwrap();
    assert_eq!(snapshot.format, FORMAT);
    assert!(!snapshot.segments.is_empty());
    let (mut restored, _) = restore::keeper(&mut left, None).unwrap();
    let mut taught = Keeper::new();
    restore::teach(&mut left, &mut taught, &mut Progress::new()).unwrap();
    assert!(restored.save_all() == taught.save_all(), "a restart would change the state");
    if let Some(target) = std::env::var_os("DATAWARD_GOLDEN") {
        copy(&setup.archive, &Path::new(&target).join("archive"));
    }
}
