//! Storage fails, the process dies: nothing is lost, nothing is there twice.

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_pipeline::archive::{Archive, ArchiveError};

use crate::faulty_store::{Fault, Faults};
use crate::support::*;

const COMMIT: &str = ".json";

fn read_commits(place: &Place) -> usize {
    let log = std::fs::read_dir(place.archive().join("_delta_log")).unwrap();
    log.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".json"))
        .count()
}

#[test]
fn a_commit_that_was_stored_without_an_answer_is_made_once() {
    for fault in [Fault::AfterPersisted, Fault::AfterPersistedAsExisting] {
        let place = Place::new();
        let faults = Faults::new();
        let mut archive = place.open_through(faults.wrapper());
        claim(&mut archive, 0);
        let commits = read_commits(&place);
        faults.fail_put(COMMIT, fault);
        let committed = archive.commit(checkpoint_with_events(0, 0..4)).unwrap();
        assert_eq!(read_commits(&place), commits + 1, "{fault:?}");
        assert_eq!(committed.version(), commits as u64);
        assert!(archive.take_back().is_none());
        archive.commit(checkpoint_with_events(0, 4..6)).unwrap();
        assert_eq!(replayed_offsets(&mut archive, 0, 0), (0..6).collect::<Vec<_>>());
    }
}

#[test]
fn a_commit_that_was_not_stored_is_tried_again() {
    let place = Place::new();
    let faults = Faults::new();
    let mut archive = place.open_through(faults.wrapper());
    claim(&mut archive, 0);
    faults.fail_put(COMMIT, Fault::Before);
    archive.commit(checkpoint_with_events(0, 0..4)).unwrap();

    for _ in 0..8 {
        faults.fail_put(COMMIT, Fault::Before);
    }
    let failed = archive.commit(checkpoint_with_events(0, 4..6));
    assert!(matches!(failed, Err(ArchiveError::Unavailable(_))), "{failed:?}");
    // The contract: nothing of the attempt is in the table, and the same checkpoint can be tried
    // again.
    assert_eq!(replayed_offsets(&mut place.open(), 0, 0), (0..4).collect::<Vec<_>>());
    let checkpoint = archive.take_back().unwrap();
    archive.commit(checkpoint).unwrap();
    assert_eq!(replayed_offsets(&mut archive, 0, 0), (0..6).collect::<Vec<_>>());
}

#[test]
fn an_unknown_outcome_is_asked_for_until_storage_answers() {
    // Wherever in the asking storage fails again: the commit is found, and made once.
    for after in 0..12 {
        let place = Place::new();
        let faults = Faults::new();
        let mut archive = place.open_through(faults.wrapper());
        claim(&mut archive, 0);
        let commits = read_commits(&place);
        faults.fail_put(COMMIT, Fault::AfterPersisted);
        faults.fail_readings(after, 3);
        archive.commit(checkpoint_with_events(0, 0..4)).unwrap();
        assert_eq!(read_commits(&place), commits + 1, "{after}");
        assert_eq!(replayed_offsets(&mut place.open(), 0, 0), (0..4).collect::<Vec<_>>());
    }
}

#[test]
fn an_outcome_that_storage_never_tells_stops_the_writer() {
    let place = Place::new();
    let faults = Faults::new();
    let mut archive = place.open_through(faults.wrapper());
    claim(&mut archive, 0);
    faults.fail_put(COMMIT, Fault::AfterPersisted);
    faults.fail_readings(0, 1_000);
    let failed = archive.commit(checkpoint_with_events(0, 0..4));
    assert!(matches!(failed, Err(ArchiveError::Broken(_))), "{failed:?}");
    // A restart asks the table.
    assert_eq!(replayed_offsets(&mut place.open(), 0, 0), (0..4).collect::<Vec<_>>());
}

#[test]
fn a_claim_without_an_answer_is_made_once() {
    let place = Place::new();
    let faults = Faults::new();
    let mut archive = place.open_through(faults.wrapper());
    faults.fail_put(COMMIT, Fault::AfterPersisted);
    claim(&mut archive, 0);
    assert_eq!(archive.epoch(&owner(0)), Some(1));
    archive.commit(checkpoint_with_events(0, 0..2)).unwrap();
}

#[test]
fn a_fence_that_follows_an_unanswered_commit_is_noticed_at_the_next_one() {
    let place = Place::new();
    let faults = Faults::new();
    let mut old = place.open_through(faults.wrapper());
    claim(&mut old, 0);
    let mut new = place.open();
    claim(&mut new, 0);
    faults.fail_put(COMMIT, Fault::Before);
    let refused = old.commit(checkpoint_with_events(0, 0..4));
    assert!(matches!(refused, Err(ArchiveError::Fenced(_))), "{refused:?}");
}

#[test]
fn what_a_crash_left_behind_is_seen_by_nobody() {
    let place = Place::new();
    let faults = Faults::new();
    let mut archive = place.open_through(faults.wrapper());
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 0..3)).unwrap();
    for _ in 0..8 {
        faults.fail_put(COMMIT, Fault::Before);
    }
    archive.commit(checkpoint_with_events(0, 3..6)).unwrap_err();
    let [whole] = &place.data_files("access")[..] else {
        panic!("a failed attempt leaves no file")
    };
    // A torn temporary file of the log, and a file without a commit.
    std::fs::copy(whole, whole.with_file_name("c-of-nobody-0.parquet")).unwrap();
    std::fs::write(place.commit_file(3).with_extension("json#991"), "{\"txn\":").unwrap();
    drop(archive);

    let mut restarted = place.open();
    assert_eq!(place.data_files("access").len(), 2);
    assert_eq!(replayed_offsets(&mut restarted, 0, 0), [0, 1, 2]);
    claim(&mut restarted, 0);
    restarted.commit(checkpoint_with_events(0, 3..6)).unwrap();
    assert_eq!(replayed_offsets(&mut restarted, 0, 0), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_head_that_a_crash_left_behind_is_repaired() {
    let place = Place::new();
    let faults = Faults::new();
    let mut archive = place.open_through(faults.wrapper());
    claim(&mut archive, 0);
    let head = place.state().join("head");
    let before = std::fs::read(&head).unwrap();
    faults.fail_put("archive.state/head", Fault::Before);
    archive.commit(checkpoint_with_events(0, 0..3)).unwrap();
    assert_eq!(std::fs::read(&head).unwrap(), before);
    drop(archive);
    DeltaArchive::open_read_only(&place.archive(), &Options::default()).unwrap();
    assert_eq!(std::fs::read(&head).unwrap(), before, "a reader writes nothing");
    place.open();
    assert_ne!(std::fs::read(&head).unwrap(), before);
}

#[test]
fn a_table_behind_its_head_is_refused() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 0..3)).unwrap();
    drop(archive);
    std::fs::remove_file(place.commit_file(2)).unwrap();
    assert!(matches!(place.try_open(), Err(ArchiveError::Broken(_))));
    std::fs::remove_dir_all(place.archive()).unwrap();
    assert!(matches!(place.try_open(), Err(ArchiveError::Broken(_))));
}

#[test]
fn a_table_that_lacks_an_old_commit_is_refused_and_the_file_is_named() {
    for version in 0..=2 {
        let place = Place::new();
        let mut archive = place.open();
        claim(&mut archive, 0);
        for from in 0..3 {
            archive.commit(checkpoint_with_events(0, from..from + 1)).unwrap();
        }
        drop(archive);
        std::fs::remove_file(place.commit_file(version)).unwrap();
        let named = format!("no _delta_log/{version:020}.json");
        let readers = DeltaArchive::open_read_only(&place.archive(), &Options::default());
        for refused in [place.try_open(), readers] {
            let Err(ArchiveError::Broken(text)) = refused else { panic!("{version}") };
            assert!(text.contains(&named), "{text}");
        }
    }
}

#[test]
fn nothing_is_written_where_the_head_is_gone() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    drop(archive);
    std::fs::remove_file(place.state().join("head")).unwrap();
    assert!(matches!(place.try_open(), Err(ArchiveError::Broken(_))));
    DeltaArchive::open_read_only(&place.archive(), &Options::default()).unwrap();
    assert!(!place.state().join("head").exists());
}

#[test]
fn a_foreign_table_and_a_forgetful_one_are_refused() {
    for (from, to) in [
        ("dataward.archive_id", "somebody.else_id"),
        ("delta.appendOnly", "delta.setTransactionRetentionDuration"),
        ("\\\"kafka_offset\\\"", "\\\"kafka_ofset\\\""),
        ("\"minWriterVersion\":2", "\"minWriterVersion\":4"),
        ("\"dataward.schema_version\":\"3\"", "\"dataward.schema_version\":\"4\""),
        ("\"dataward.schema_version\":\"3\"", "\"dataward.schema_version\":\"1\""),
    ] {
        let place = Place::new();
        drop(place.open());
        std::fs::remove_file(place.state().join("head")).unwrap();
        let created = std::fs::read_to_string(place.commit_file(0)).unwrap();
        let changed = created.replace(from, to);
        assert_ne!(created, changed, "{from}");
        std::fs::write(place.commit_file(0), changed).unwrap();
        let refused = place.try_open();
        assert!(matches!(refused, Err(ArchiveError::Broken(_))), "{from}");
    }
}

#[test]
fn a_reader_creates_nothing() {
    let place = Place::new();
    let missing = DeltaArchive::open_read_only(&place.archive(), &Options::default());
    assert!(matches!(missing, Err(ArchiveError::Broken(_))));
    assert!(!place.archive().exists() && !place.state().exists());
    drop(place.open());
    let mut reader = DeltaArchive::open_read_only(&place.archive(), &Options::default()).unwrap();
    let rows = reader.rows();
    assert!(reader.claim(&[claim_at(owner(0), 0, None)], rows).is_err());
    assert!(reader.commit(checkpoint(&[])).is_err());
}
