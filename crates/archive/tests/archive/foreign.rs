//! Another program commits to the table: readers go on, no writer does (I5).

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::report::Problem;
use dataward_archive::verify::verify;
use dataward_event::position::Offset;
use dataward_pipeline::archive::{Archive, ArchiveError};

use crate::support::*;

const COMMIT_INFO: &str = r#"{"commitInfo":{"timestamp":1,"operation":"WRITE","operationParameters":{"mode":"Append"},"engineInfo":"delta-rs:py-1.1.4"}}"#;
const ADD: &str = r#"{"add":{"path":"kind=other/part-0.parquet","partitionValues":{"kind":"other","ingest_date":null},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":1}"}}"#;

/// An archive of one partition at version 2.
fn archive_in(place: &Place) -> DeltaArchive {
    let mut archive = place.open();
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 0..4)).unwrap();
    archive
}

/// Makes commit 3, as another program would.
fn append(place: &Place, action: &str) {
    std::fs::write(place.commit_file(3), format!("{COMMIT_INFO}\n{action}\n")).unwrap();
}

fn assert_refused<T>(result: Result<T, ArchiveError>, deeds: &str) {
    match result {
        Err(ArchiveError::Broken(text)) => {
            let expected = format!("commit 3 was not made by Dataward and {deeds}:");
            assert!(text.contains(&expected), "{text}");
        }
        Err(error) => panic!("{deeds}: {error}"),
        Ok(_) => panic!("{deeds}: it goes on"),
    }
}

#[test]
fn nothing_is_written_behind_a_foreign_commit() {
    let place = Place::new();
    let mut archive = archive_in(&place);
    let created = std::fs::read_to_string(place.commit_file(0)).unwrap();
    let metadata = created.lines().find(|line| line.starts_with("{\"metaData\"")).unwrap();
    let progress = format!(
        r#"{{"txn":{{"appId":"dataward/1/{}/events/0/0","version":9}}}}"#,
        archive.archive_id()
    );
    let added = std::fs::read_to_string(place.commit_file(2)).unwrap();
    let added = added.lines().find(|line| line.starts_with("{\"add\"")).unwrap();
    let added: serde_json::Value = serde_json::from_str(added).unwrap();
    let remove = format!(
        r#"{{"remove":{{"path":{},"deletionTimestamp":1,"dataChange":false}}}}"#,
        added["add"]["path"]
    );
    for (action, deeds) in [
        (ADD, "adds 1 file"),
        (&format!("{remove}\n{ADD}"), "adds 1 file, removes 1 file"),
        (metadata, "changes the columns, properties or protocol"),
        (&progress, "moves our progress"),
    ] {
        append(&place, action);
        assert_refused(place.try_open(), deeds);
        // The refusal has not moved the head over it.
        assert_refused(place.try_open(), deeds);
        std::fs::remove_file(place.commit_file(3)).unwrap();
    }
    // A writer that is at work meets it where it wants to commit, and each time after that.
    append(&place, ADD);
    assert_refused(archive.commit(checkpoint_with_events(0, 4..6)), "adds 1 file");
    assert_refused(archive.look_up_keeper(), "adds 1 file");
    assert!(!place.commit_file(4).exists());
}

#[test]
fn a_table_with_a_foreign_commit_is_still_read_and_verified() {
    let place = Place::new();
    drop(archive_in(&place));
    append(&place, ADD);
    let options = Options::default();
    let mut reader = DeltaArchive::open_read_only(&place.archive(), &options).unwrap();
    assert_eq!(reader.table_progress().next(&partition(0)), Some(Offset(4)));
    assert_eq!(replayed_offsets(&mut reader, 0, 0), [0, 1, 2, 3]);
    let report = verify(&place.archive(), &options, &mut |_| ()).unwrap();
    assert!(report.problems.contains(&Problem::CommitForeign { version: 3 }), "{report:?}");
}

/// Programs that look after Delta tables note in the log that they came by.
#[test]
fn a_foreign_commit_that_does_nothing_stops_nobody() {
    let place = Place::new();
    let mut archive = archive_in(&place);
    append(&place, r#"{"txn":{"appId":"somebody else","version":1}}"#);
    archive.commit(checkpoint_with_events(0, 4..6)).unwrap();
    drop(archive);
    assert_eq!(replayed_offsets(&mut place.open(), 0, 0), [0, 1, 2, 3, 4, 5]);
}
