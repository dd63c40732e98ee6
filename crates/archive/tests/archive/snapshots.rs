//! Detector state: what is saved is what is loaded, and damage costs at most one snapshot.

use std::path::PathBuf;

use dataward_archive::delta_archive::DeltaArchive;
use dataward_event::finding::Owner;
use dataward_event::position::Offset;
use dataward_pipeline::archive::{Archive, Checkpoint, Snapshot};

use crate::faulty_store::{Fault, Faults};
use crate::support::*;

fn commit_state(archive: &mut DeltaArchive, snapshot: Snapshot) {
    let next = snapshot.at.next(&partition(0)).unwrap();
    let checkpoint = Checkpoint { snapshots: vec![snapshot], ..checkpoint(&[(0, next.0)]) };
    archive.commit(checkpoint).unwrap();
}

fn load(archive: &mut DeltaArchive) -> (i64, Vec<String>) {
    let snapshot = archive.snapshot(&owner(0)).unwrap().unwrap();
    let texts = snapshot.segments.iter().map(|s| String::from_utf8(s.bytes.clone()).unwrap());
    (snapshot.at.next(&partition(0)).unwrap().0, texts.collect())
}

fn directory(place: &Place, name: &str) -> PathBuf {
    place.state().join("events/0/0").join(name)
}

#[test]
fn unchanged_segments_are_referred_to_and_old_snapshots_go() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    commit_state(&mut archive, state(0, 10, &[(0, "a1"), (1, "b1"), (2, "c1")], 3));
    commit_state(&mut archive, state(0, 20, &[(1, "b2")], 3));
    commit_state(&mut archive, state(0, 30, &[(2, "c3")], 3));
    assert_eq!(load(&mut place.open()), (30, vec!["a1".into(), "b2".into(), "c3".into()]));
    // The first one's manifest is gone, but not the segments that are still referred to.
    assert!(!directory(&place, "0.0").exists() || !directory(&place, "0.0/manifest").exists());
    assert!(!directory(&place, "10.3/manifest").exists());
    assert!(directory(&place, "10.3/000000.segment").exists());
    assert!(!directory(&place, "10.3/000001.segment").exists());
    assert!(directory(&place, "20.3/manifest").exists());
}

#[test]
fn a_damaged_snapshot_means_the_one_before() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    commit_state(&mut archive, state(0, 10, &[(0, "a1"), (1, "b1")], 2));
    commit_state(&mut archive, state(0, 20, &[(0, "a2")], 2));
    std::fs::write(directory(&place, "20.3/000000.segment"), "a!").unwrap();
    let mut restarted = place.open();
    assert_eq!(load(&mut restarted), (10, vec!["a1".into(), "b1".into()]));

    // What is saved next builds on what was loaded.
    claim(&mut restarted, 0);
    assert_eq!(load(&mut restarted).0, 10);
    commit_state(&mut restarted, state(0, 30, &[(1, "b3")], 2));
    assert_eq!(load(&mut place.open()), (30, vec!["a1".into(), "b3".into()]));

    std::fs::write(directory(&place, "30.3/manifest"), "0000\n{}").unwrap();
    std::fs::write(directory(&place, "10.3/manifest"), "").unwrap();
    assert_eq!(place.open().snapshot(&owner(0)).unwrap(), None);
}

#[test]
fn a_snapshot_of_an_attempt_that_failed_is_taken_if_it_says_the_same() {
    let place = Place::new();
    let faults = Faults::new();
    let mut archive = place.open_through(faults.wrapper());
    claim(&mut archive, 0);
    for _ in 0..8 {
        faults.fail_put(".json", Fault::Before);
    }
    let snapshots = vec![state(0, 10, &[(0, "a1")], 1)];
    archive.commit(Checkpoint { snapshots, ..checkpoint(&[(0, 10)]) }).unwrap_err();
    // The leftover stands beyond what was committed: nobody loads it.
    assert_eq!(load(&mut place.open()).0, 0);
    let checkpoint = archive.take_back().unwrap();
    archive.commit(checkpoint).unwrap();
    assert_eq!(load(&mut place.open()), (10, vec!["a1".into()]));
}

#[test]
fn a_name_with_two_contents_keeps_the_first_and_is_left_out() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    commit_state(&mut archive, state(0, 10, &[(0, "a1")], 1));
    commit_state(&mut archive, state(0, 10, &[(0, "another")], 1));
    assert_eq!(load(&mut place.open()), (10, vec!["a1".into()]));
}

#[test]
fn the_keepers_snapshots_are_named_by_a_counter() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    let rows = archive.rows();
    archive.claim(&[claim_at(Owner::Keeper, 0, None)], rows).unwrap();
    for text in ["k1", "k2", "k3"] {
        let keeper = Snapshot {
            owner: Owner::Keeper,
            at: [(partition(0), Offset(5))].into_iter().collect(),
            format: 1,
            segments: vec![segment(0, text)],
            segment_count: 1,
        };
        let snapshots = vec![keeper];
        archive.commit(Checkpoint { snapshots, ..checkpoint(&[(0, 5)]) }).unwrap();
    }
    let loaded = place.open().snapshot(&Owner::Keeper).unwrap().unwrap();
    assert_eq!(loaded.segments, [segment(0, "k3")]);
    assert_eq!(loaded.at.next(&partition(0)), Some(Offset(5)));
}

#[test]
fn an_incomplete_snapshot_is_not_named() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    commit_state(&mut archive, state(0, 10, &[(1, "b1")], 2));
    assert_eq!(load(&mut place.open()), (0, Vec::new()));
}
