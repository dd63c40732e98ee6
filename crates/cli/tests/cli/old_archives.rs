//! Archives that earlier releases wrote, with the state that they saved (I9): read, proven, and continued by this one.
//!
//! `tests/golden/state<format>` is what `run` of the last release with that format of state left behind after two files of
//! events; never edited. A new format gets a folder of its own.

use std::path::{Path, PathBuf};

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
use crate::support::process::{dataward, text};

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
    for format in 1..FORMAT {
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
    for format in 1..FORMAT {
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
    }
}

#[test]
fn a_partition_goes_on_with_what_it_had_learned() {
    for format in 1..FORMAT {
        let mut archive = reader(&golden(&format!("state{format}/archive")));
        let progress = archive.table_progress();
        assert_eq!(progress.len(), 2);
        for (partition, next) in progress.iter() {
            let owner = Owner::Partition(partition.clone());
            let snapshot = archive.snapshot(&owner).unwrap().unwrap();
            assert_eq!(snapshot.format, format);
            assert!(!snapshot.segments.is_empty(), "format {format}");
            let state = restore::partition(&mut archive, partition, next).unwrap();
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
