//! Old archives stay readable: one small archive for each version of the format, never edited.
//!
//! A new version gets a folder of its own: `DATAWARD_MAKE_GOLDEN=1 cargo test -p dataward-archive
//! golden`.

use std::path::{Path, PathBuf};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::schema;
use dataward_archive::verify::verify;
use dataward_event::audit_event::EventKind;
use dataward_event::finding::{Owner, Trigger};
use dataward_event::position::Offset;
use dataward_event::quarantine::QuarantineReason;
use dataward_pipeline::archive::{Archive, Checkpoint, Replayed, Rows};

use crate::support::*;

fn golden(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy: a test must not change the golden files, not even their times.
fn copied(version: u32) -> Place {
    let place = Place::new();
    copy(&golden(version).join("archive"), &place.archive());
    copy(&golden(version).join("archive.state"), &place.state());
    place
}

fn read_version_1(archive: &mut DeltaArchive) {
    let mut events = Vec::new();
    let mut quarantined = Vec::new();
    archive
        .replay(&partition(0), Offset(0), &mut |replayed| match replayed {
            Replayed::Event(event) => events.push(*event),
            Replayed::Quarantine { position, reason } => quarantined.push((position, reason)),
        })
        .unwrap();
    let kinds = [EventKind::Access, EventKind::Access, EventKind::ConfigChange];
    assert_eq!(events.len(), kinds.len());
    for ((offset, kind), found) in (0..).zip(kinds).zip(events) {
        assert_eq!(found.event, event(kind, &format!("event-0-{offset}")));
        assert_eq!(found.position, position(0, offset, 0));
    }
    assert_eq!(quarantined, [(position(0, 3, 0), QuarantineReason::InvalidJson)]);
    let alerts = archive.alerts_of(&[partition(0)]).unwrap();
    assert_eq!(alerts, [alert("a", Trigger::Record(position(0, 2, 0)), 1)]);
    let snapshot = archive.snapshot(&owner(0)).unwrap().unwrap();
    assert_eq!(snapshot, state(0, 6, &[(0, "state")], 1));
    assert_eq!(archive.look_up_keeper().unwrap(), Some(0));
}

#[test]
fn every_version_reads_as_it_was_written() {
    let place = copied(1);
    let report = verify(&place.archive(), &Options::default(), &mut |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    let mut archive = place.open();
    read_version_1(&mut archive);
    // An old archive is also continued.
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 6..8)).unwrap();
    let report = verify(&place.archive(), &Options::default(), &mut |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
}

#[test]
fn every_version_of_the_format_has_its_golden_files() {
    let target = golden(schema::VERSION);
    if std::env::var_os("DATAWARD_MAKE_GOLDEN").is_none() {
        assert!(target.exists(), "run this test with DATAWARD_MAKE_GOLDEN=1, once");
        return;
    }
    assert!(!target.exists(), "golden files are never edited");
    let place = Place::new();
    let mut archive = place.open();
    let rows = archive.rows();
    let claims = [claim_at(owner(0), 0, None), claim_at(Owner::Keeper, 0, None)];
    archive.claim(&claims, rows).unwrap();
    let mut rows = archive.rows();
    add_events(&mut rows, 0, 0..3);
    add_quarantine(&mut rows, &position(0, 3, 0));
    rows.gap(&gap(0, 4, 6));
    rows.alert(&alert("a", Trigger::Record(position(0, 2, 0)), 1));
    rows.operator(&operator_row());
    archive
        .commit(Checkpoint {
            rows: vec![rows],
            snapshots: vec![state(0, 6, &[(0, "state")], 1)],
            ..checkpoint(&[(0, 6)])
        })
        .unwrap();
    read_version_1(&mut archive);
    drop(archive);
    copy(&place.archive(), &target.join("archive"));
    copy(&place.state(), &target.join("archive.state"));
}
