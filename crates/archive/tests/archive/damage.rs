//! `verify` proves a whole archive whole, and finds every kind of damage.

use std::path::Path;

use dataward_archive::delta_archive::Options;
use dataward_archive::report::{Problem, Report};
use dataward_archive::row_kind::RowKind;
use dataward_archive::rows::ArrowRows;
use dataward_archive::verify::verify;
use dataward_event::audit_event::EventKind;
use dataward_event::finding::{Owner, Trigger};
use dataward_event::position::{Offset, Partition, Position};
use dataward_pipeline::archive::{Archive, Checkpoint, Rows};

use crate::support::*;

fn report(place: &Place) -> Report {
    let mut steps = 0;
    let report = verify(&place.archive(), &Options::default(), &mut |_| steps += 1).unwrap();
    assert_eq!(steps, report.files);
    report
}

fn problems(place: &Place) -> Vec<Problem> {
    report(place).problems
}

/// Records of several events, quarantine, a gap, alerts, state, a file: everything a table holds.
fn whole() -> Place {
    let place = Place::new();
    let mut archive = place.open();
    let rows = archive.rows();
    let claims = [claim_at(owner(0), 10, None), claim_at(Owner::Keeper, 0, None)];
    archive.claim(&claims, rows).unwrap();
    let mut rows = archive.rows();
    add_events(&mut rows, 0, 10..14);
    for index in 1..4 {
        let kind = if index == 2 { EventKind::Authentication } else { EventKind::Access };
        add_event(&mut rows, &position(0, 11, index), &event(kind, "many"));
    }
    add_quarantine(&mut rows, &position(0, 14, 0));
    rows.gap(&gap(0, 15, 20));
    rows.alert(&alert("a", Trigger::Keeper(0), 1));
    rows.operator(&operator_row());
    rows.exposure(&exposure_row("w", 1, 0, None));
    let file = Partition::file("ab12");
    let claimed = claim_at(Owner::Partition(file.clone()), 0, None);
    let empty = archive.rows();
    archive.claim(&[claimed], empty).unwrap();
    for offset in [0, 120] {
        let position =
            Position { partition: file.clone(), offset: Offset(offset), record_index: 0 };
        add_event(&mut rows, &position, &event(EventKind::Access, "of a file"));
    }
    archive
        .commit(Checkpoint {
            rows: vec![rows],
            keeper_next: Some(1),
            snapshots: vec![state(0, 20, &[(0, "s")], 1)],
            progress: [(partition(0), Offset(20)), (file.clone(), Offset(200))]
                .into_iter()
                .collect(),
            ..checkpoint(&[])
        })
        .unwrap();
    archive.release(&[Owner::Partition(file)]);
    archive.commit(checkpoint_with_events(0, 20..26)).unwrap();
    archive.commit(checkpoint_with_events(0, 26..29)).unwrap();
    place
}

fn flip(path: &Path, place: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[place] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Commits rows that break a rule, and gives back what is found.
fn committed(fill: impl Fn(&mut ArrowRows), next: i64) -> Vec<Problem> {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    let mut rows = archive.rows();
    fill(&mut rows);
    archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&[(0, next)]) }).unwrap();
    problems(&place)
}

#[test]
fn a_whole_archive_is_proven_whole() {
    let place = whole();
    let report = report(&place);
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!((report.version, report.commits), (5, 6));
    assert_eq!(report.rows["access"] + report.rows["config_change"], 17);
    assert_eq!((report.rows["authentication"], report.rows["exposure"]), (1, 1));
    let account = &report.partitions[0];
    assert_eq!((account.start, account.progress, account.records), (10, 29, 14));
    assert_eq!((account.events, account.quarantined, account.gaps["lost"]), (16, 1, 5));
    assert_eq!((report.partitions[1].records, report.partitions[1].progress), (2, 200));
    assert!(!report.archive_id.is_empty());
    serde_json::to_string(&report).unwrap();
    for problem in problems(&place) {
        assert!(!problem.to_string().is_empty());
    }
}

#[test]
fn a_flipped_byte_in_any_file_is_found() {
    for kind in RowKind::ALL.map(RowKind::as_str) {
        let count = whole().data_files(kind).len();
        assert!(count > 0, "{kind}");
        for number in 0..count {
            let place = whole();
            let file = &place.data_files(kind)[number];
            flip(file, std::fs::read(file).unwrap().len() / 2);
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let found = problems(&place);
            let is_named = |problem: &Problem| match problem {
                Problem::FileAltered { path } => path.ends_with(&name),
                _ => false,
            };
            assert!(found.iter().any(is_named), "{kind}: {found:?}");
        }
    }
}

#[test]
fn a_deleted_file_is_named() {
    let place = whole();
    std::fs::remove_file(&place.data_files("access")[0]).unwrap();
    let found = problems(&place);
    assert!(matches!(found[0], Problem::FileMissing { .. }), "{found:?}");
    assert!(found.iter().any(|problem| matches!(problem, Problem::OffsetsMissing { .. })));
}

#[test]
fn a_deleted_commit_is_named_even_the_newest() {
    for version in 1..=4 {
        let place = whole();
        std::fs::remove_file(place.commit_file(version)).unwrap();
        let found = problems(&place);
        assert!(found.contains(&Problem::CommitMissing { version }), "{version}: {found:?}");
    }
}

#[test]
fn an_altered_commit_is_named_even_the_newest() {
    for version in 0..=4 {
        let place = whole();
        let path = place.commit_file(version);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = text.replacen("\"timestamp\":1", "\"timestamp\":2", 1);
        assert_ne!(text, changed);
        std::fs::write(&path, changed).unwrap();
        let found = problems(&place);
        assert_eq!(found, [Problem::CommitAltered { version }]);
    }
    let place = whole();
    flip(&place.commit_file(2), 0);
    assert!(problems(&place).contains(&Problem::CommitUnreadable { version: 2 }));
}

#[test]
fn a_missing_or_unreadable_head_is_named() {
    let place = whole();
    std::fs::write(place.state().join("head"), "?").unwrap();
    assert_eq!(problems(&place), [Problem::HeadUnreadable]);
    std::fs::remove_file(place.state().join("head")).unwrap();
    assert_eq!(problems(&place), [Problem::HeadMissing]);
}

#[test]
fn missing_offsets_are_named() {
    let found = committed(|rows| add_events(rows, 0, 0..4), 6);
    let partition = partition(0).path();
    assert_eq!(found, [Problem::OffsetsMissing { partition, from: 4, to: 6 }]);
}

#[test]
fn a_row_that_is_there_twice_is_named_over_kinds() {
    let fill = |rows: &mut ArrowRows| {
        add_events(rows, 0, 0..4);
        add_quarantine(rows, &position(0, 1, 0));
    };
    let found = committed(fill, 4);
    let [Problem::RowTwice { offset: 1, record_index: 0, .. }] = found.as_slice() else {
        panic!("{found:?}");
    };
}

#[test]
fn rows_outside_progress_and_holes_in_a_record_are_named() {
    let found = committed(|rows| add_events(rows, 0, 0..4), 3);
    let partition = partition(0).path();
    assert_eq!(found, [Problem::RowOutside { partition: partition.clone(), offset: 3 }]);

    let fill = |rows: &mut ArrowRows| {
        add_events(rows, 0, 0..2);
        add_event(rows, &position(0, 1, 2), &event(EventKind::Access, "third"));
    };
    let offset = 1;
    let expected = Problem::RecordIndexMissing { partition, offset, record_index: 1 };
    assert_eq!(committed(fill, 2), [expected]);
}

#[test]
fn an_unknown_partition_and_a_repeated_alert_are_named() {
    let found = committed(|rows| add_events(rows, 7, 0..2), 0);
    assert_eq!(found, [Problem::PartitionUnknown { partition: partition(7).path() }]);
    let fill = |rows: &mut ArrowRows| {
        rows.alert(&alert("a", Trigger::Keeper(1), 1));
        rows.alert(&alert("a", Trigger::Keeper(2), 1));
    };
    let found = committed(fill, 0);
    assert!(matches!(&found[..], [Problem::AlertTwice { .. }]), "{found:?}");
}

#[test]
fn state_that_cannot_be_used_is_named() {
    let place = whole();
    for name in ["20.3", "10.0"] {
        std::fs::remove_file(place.state().join("events/0/0").join(name).join("manifest")).unwrap();
    }
    let owner = partition(0).path();
    assert_eq!(problems(&place), [Problem::SnapshotUnusable { owner }]);
}

#[test]
fn log_checkpoints_are_compared_and_may_stand_for_cleaned_commits() {
    let place = whole();
    let mut archive = place.open();
    claim(&mut archive, 0);
    for _ in 0..100 {
        archive.commit(checkpoint(&[(0, 29)])).unwrap();
    }
    drop(archive);
    assert_eq!(problems(&place), []);
    for version in 0..99 {
        std::fs::remove_file(place.commit_file(version)).unwrap();
    }
    let report = report(&place);
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.partitions[0].records, 14);
}

#[test]
fn where_there_is_no_archive_there_is_no_report() {
    let place = Place::new();
    assert!(verify(&place.archive(), &Options::default(), &mut |_| ()).is_err());
}
