//! What the keeper is told again after a restart: everything after its snapshot, and not the whole archive.

use std::collections::{BTreeMap, BTreeSet};

use dataward_archive::delta_archive::DeltaArchive;
use dataward_archive::exposures::Withdrawn;
use dataward_event::finding::CloseReason;
use dataward_event::position::{Offset, Progress};
use dataward_event::time::EventTime;
use dataward_pipeline::archive::{Archive, ArchiveError, Checkpoint, Rows, SharedRow};
use proptest::prelude::*;

use crate::support::*;

/// Partition and offset of events.
type Places = Vec<(i32, i64)>;

/// What is read back after a progress: places of events, and ticks.
fn shared(
    archive: &mut DeltaArchive,
    from: &Progress,
) -> Result<(Places, BTreeSet<EventTime>), ArchiveError> {
    let (mut events, mut ticks) = (Vec::new(), BTreeSet::new());
    archive.replay_shared(from, &mut |row| match row {
        SharedRow::Event(event) => {
            events.push((event.position.partition.number, event.position.offset.0));
        }
        SharedRow::Listened(_) => panic!("nobody has listened"),
        SharedRow::Tick(time) => {
            ticks.insert(time);
        }
    })?;
    events.sort_unstable();
    Ok((events, ticks))
}

fn progress(of: &[(i32, i64)]) -> Progress {
    checkpoint(of).progress
}

/// Spoils the files of a kind that are there now.
fn spoil(place: &Place, kind: &str) {
    for file in place.data_files(kind) {
        std::fs::write(file, b"spoilt").unwrap();
    }
}

/// One event in each of two partitions, and a tick.
fn step(archive: &mut DeltaArchive, number: i64) {
    let mut rows = archive.rows();
    add_events(&mut rows, 0, number..number + 1);
    add_events(&mut rows, 1, number * 3..number * 3 + 3);
    rows.operator(&tick(number));
    let progress = progress(&[(0, number + 1), (1, number * 3 + 3)]);
    archive.commit(Checkpoint { rows: vec![rows], progress, ..checkpoint(&[]) }).unwrap();
}

#[test]
fn files_before_the_snapshot_are_not_read() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    claim(&mut archive, 1);
    (0..4).for_each(|number| step(&mut archive, number));
    spoil(&place, "operator");
    // The clock of the commit that came to the progress may be read again, its events may not.
    step(&mut archive, 4);
    for kind in ["access", "config_change"] {
        spoil(&place, kind);
    }
    (5..8).for_each(|number| step(&mut archive, number));

    let (events, ticks) = shared(&mut archive, &progress(&[(0, 5), (1, 15)])).unwrap();
    let after = |partition: i32, range: std::ops::Range<i64>| range.map(move |at| (partition, at));
    assert_eq!(events, after(0, 5..8).chain(after(1, 15..24)).collect::<Vec<_>>());
    let expected = [5, 6, 7].map(|number| tick(number).time.unwrap());
    assert!(expected.iter().all(|time| ticks.contains(time)) && ticks.len() <= 4, "{ticks:?}");

    // A partition that lags behind needs the older files: they are looked at, and found spoilt.
    for from in [progress(&[(0, 4), (1, 15)]), progress(&[(0, 5)]), Progress::new()] {
        let refused = shared(&mut archive, &from);
        assert!(matches!(refused, Err(ArchiveError::Broken(_))), "{from:?}: {refused:?}");
    }
}

#[test]
fn ticks_come_back_though_nothing_else_happened() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    claim(&mut archive, 1);
    (0..3).for_each(|number| step(&mut archive, number));
    for second in 10..13 {
        let mut rows = archive.rows();
        rows.operator(&tick(second));
        archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&[]) }).unwrap();
    }
    let (events, ticks) = shared(&mut archive, &progress(&[(0, 3), (1, 9)])).unwrap();
    assert_eq!(events, []);
    assert!((10..13).all(|second| ticks.contains(&tick(second).time.unwrap())), "{ticks:?}");
    assert!(ticks.len() <= 4, "{ticks:?}");
}

#[test]
fn files_of_other_partitions_are_not_read_for_one_that_lags_behind() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    claim(&mut archive, 1);
    archive.commit(checkpoint_with_events(0, 0..6)).unwrap();
    let read = place.data_files("access");
    archive.commit(checkpoint_with_events(1, 0..6)).unwrap();
    for file in place.data_files("access").iter().filter(|file| !read.contains(file)) {
        std::fs::write(file, b"spoilt").unwrap();
    }
    let (events, _) = shared(&mut archive, &progress(&[(0, 3), (1, 6)])).unwrap();
    assert_eq!(events, [(0, 3), (0, 4), (0, 5)]);
}

#[test]
fn a_log_that_was_cleaned_costs_more_reading_and_loses_nothing() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    claim(&mut archive, 1);
    (0..4).for_each(|number| step(&mut archive, number));
    for _ in 0..100 {
        archive.commit(checkpoint(&[])).unwrap();
    }
    for version in 0..90 {
        std::fs::remove_file(place.commit_file(version)).unwrap();
    }
    let mut archive = place.open();
    let (events, ticks) = shared(&mut archive, &progress(&[(0, 2), (1, 6)])).unwrap();
    assert_eq!(events.len(), 2 + 6);
    assert!(ticks.contains(&tick(3).time.unwrap()), "{ticks:?}");
}

#[test]
fn of_each_window_the_newest_statement_holds() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    let restored = Some(CloseReason::Restored);
    let statements = [
        exposure_row("late", 0, 90, None),
        exposure_row("early", 1, 30, None),
        exposure_row("late", 4, 90, restored),
        exposure_row("late", 3, 90, None),
        exposure_row("never", 2, 60, None),
        exposure_row("never", 5, 60, Some(CloseReason::Superseded)),
    ];
    for statement in &statements {
        let mut rows = archive.rows();
        rows.exposure(statement);
        archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&[]) }).unwrap();
    }
    let [_, early, late, _, _, never] = statements;
    let mut reader = place.open();
    assert_eq!(reader.exposures(Withdrawn::Dropped).unwrap(), [early.clone(), late.clone()]);
    assert_eq!(reader.exposures(Withdrawn::Kept).unwrap(), [early, never, late]);
}

/// How one commit moves the three partitions, and whether the clock ticks in it.
fn steps() -> impl Strategy<Value = Vec<([i64; 3], bool)>> {
    let moves = prop_oneof![Just([0; 3]), [0..4_i64, 0..3_i64, 0..2_i64]];
    prop::collection::vec((moves, any::<bool>()), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn nothing_after_a_snapshot_is_missed(
        steps in steps(),
        at in any::<prop::sample::Index>(),
        held_back in prop::collection::btree_map(0..3_i32, 0..5_i64, 0..3),
        unknown in prop::collection::btree_set(0..3_i32, 0..2),
        released in any::<prop::sample::Index>(),
    ) {
        let place = Place::new();
        let mut archive = place.open();
        (0..3).for_each(|number| { claim(&mut archive, number); });
        let mut next = [0_i64; 3];
        let mut history = vec![next];
        let mut ticks = Vec::new();
        for (second, (moves, ticks_now)) in (0_i64..).zip(&steps) {
            if released.index(steps.len()) == history.len() - 1 {
                // Given up and taken again: in between the commits do not name it.
                archive.release(&[owner(1)]);
                archive.commit(checkpoint(&[(0, next[0]), (2, next[2])])).unwrap();
                claim(&mut archive, 1);
            }
            let mut rows = archive.rows();
            for (number, by) in (0_i32..).zip(moves) {
                let place = usize::try_from(number).unwrap();
                add_events(&mut rows, number, next[place]..next[place] + by);
                next[place] += by;
            }
            if *ticks_now {
                rows.operator(&tick(second));
                ticks.push((history.len(), tick(second).time.unwrap()));
            }
            let at: Vec<_> = (0..).zip(next).collect();
            archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&at) }).unwrap();
            history.push(next);
        }

        let at = at.index(history.len());
        let mut from: BTreeMap<i32, i64> = (0..).zip(history[at]).collect();
        for (number, by) in held_back {
            from.entry(number).and_modify(|next| *next -= by);
        }
        for number in unknown {
            from.remove(&number);
        }
        let asked = from.iter().map(|(number, next)| (partition(*number), Offset(*next))).collect();
        let (events, found) = shared(&mut place.open(), &asked).unwrap();
        let expected: Vec<(i32, i64)> = (0..)
            .zip(next)
            .flat_map(|(number, next)| {
                let first = from.get(&number).copied().unwrap_or(0).max(0);
                (first..next).map(move |offset| (number, offset))
            })
            .collect();
        prop_assert_eq!(events, expected);
        for (commit, time) in ticks {
            prop_assert!(commit <= at || found.contains(&time), "{} of commit {}", time, commit);
        }
    }
}
