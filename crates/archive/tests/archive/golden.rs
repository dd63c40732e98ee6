//! Old archives stay readable: one small archive for each version of the format, never edited.
//!
//! A new version gets a folder of its own: `DATAWARD_MAKE_GOLDEN=1 cargo test -p dataward-archive
//! golden`.

use std::path::{Path, PathBuf};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::exposures::Withdrawn;
use dataward_archive::report::Report;
use dataward_archive::schema;
use dataward_archive::verify::verify;
use dataward_event::audit_event::EventKind;
use dataward_event::finding::{CloseReason, Owner, Trigger};
use dataward_event::position::{Offset, Progress};
use dataward_event::quarantine::QuarantineReason;
use dataward_pipeline::archive::{Archive, ArchiveError, Checkpoint, Replayed, Rows, SharedRow};
use serde_json::Value;

use crate::faulty_store::{Fault, Faults};
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

/// What the archives of all versions hold.
fn read_what_is_old(archive: &mut DeltaArchive) {
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

/// What there is since version 2.
fn read_windows_and_ticks(archive: &mut DeltaArchive) {
    let windows = archive.exposures(Withdrawn::Dropped).unwrap();
    assert_eq!(windows, [exposure_row("w", 2, 0, Some(CloseReason::Restored))]);
    let mut ticks = Vec::new();
    archive
        .replay_shared(&Progress::new(), &mut |row| {
            if let SharedRow::Tick(time) = row {
                ticks.push(time);
            }
        })
        .unwrap();
    assert_eq!(ticks, [tick(60).time.unwrap()]);
}

fn assert_whole(place: &Place) -> Report {
    let report = verify(&place.archive(), &Options::default(), &mut |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    report
}

#[test]
fn every_version_reads_as_it_was_written() {
    for version in 1..=schema::VERSION {
        let place = copied(version);
        assert_whole(&place);
        let mut reader =
            DeltaArchive::open_read_only(&place.archive(), &Options::default()).unwrap();
        read_what_is_old(&mut reader);
        if version >= 2 {
            read_windows_and_ticks(&mut reader);
        }
        // An old archive is also continued.
        let mut archive = place.open();
        claim(&mut archive, 0);
        archive.commit(checkpoint_with_events(0, 6..8)).unwrap();
        assert_whole(&place);
    }
}

/// The commits that change the table, as JSON.
fn changes_of_the_table(place: &Place) -> Vec<Value> {
    let versions =
        (0..).map_while(|version| std::fs::read_to_string(place.commit_file(version)).ok());
    let lines = |commit: String| -> Vec<Value> {
        commit.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let changes = versions.map(lines).filter(|commit| {
        commit.iter().any(|action| action.get("metaData").or(action.get("protocol")).is_some())
    });
    changes.map(Value::Array).collect()
}

#[test]
fn an_archive_of_version_1_is_raised_by_the_first_commit() {
    let place = copied(1);
    let mut reader = DeltaArchive::open_read_only(&place.archive(), &Options::default()).unwrap();
    let mut archive = place.open();
    let mut other = place.open();
    assert_eq!(archive.version(), 2, "who only opens it changes nothing");
    claim(&mut archive, 0);
    assert_eq!(archive.version(), 4);

    let [created, raised] = &changes_of_the_table(&place)[..] else { panic!("one change") };
    let find = |commit: &Value, action: &str| {
        commit.as_array().unwrap().iter().find_map(|line| line.get(action)).cloned()
    };
    let (before, after) = (find(created, "metaData").unwrap(), find(raised, "metaData").unwrap());
    assert!(find(raised, "protocol").is_none());
    for kept in ["id", "name", "partitionColumns", "createdTime", "format"] {
        assert_eq!(before[kept], after[kept], "{kept}");
    }
    let mut configuration = before["configuration"].clone();
    configuration["dataward.schema_version"] = "3".into();
    assert_eq!(configuration, after["configuration"]);
    let columns = |metadata: &Value| -> Vec<Value> {
        let schema: Value =
            serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
        schema["fields"].as_array().unwrap().clone()
    };
    assert!(columns(&after).starts_with(&columns(&before)), "columns are only added");
    let info = find(raised, "commitInfo").unwrap();
    assert!(info["dataward.commit_id"].is_string() && info["dataward.prev"].is_string(), "{info}");

    let mut rows = archive.rows();
    rows.exposure(&exposure_row("w", 1, 0, None));
    rows.exposure(&exposure_row("w", 2, 0, Some(CloseReason::Restored)));
    rows.operator(&tick(60));
    archive.commit(Checkpoint { rows: vec![rows], ..checkpoint(&[(0, 6)]) }).unwrap();
    // Those who had it open before see what has come.
    for open in [&mut archive, &mut reader, &mut other] {
        open.look_up_keeper().unwrap();
        read_what_is_old(open);
        read_windows_and_ticks(open);
    }
    let report = assert_whole(&place);
    assert_eq!((report.rows["exposure"], report.partitions[0].records), (2, 4));

    // And one of them may take over.
    claim(&mut other, 0);
    assert!(matches!(archive.commit(checkpoint(&[(0, 6)])), Err(ArchiveError::Fenced(_))));
    other.commit(checkpoint_with_events(0, 6..7)).unwrap();
    assert_eq!(changes_of_the_table(&place).len(), 2);
    assert_whole(&place);
}

#[test]
fn who_meets_the_raising_of_a_table_goes_on() {
    let place = copied(1);
    // Its view of the table is the one before: its own attempt to raise it comes too late.
    let mut late = place.open();
    let mut early = place.open();
    claim(&mut early, 0);
    claim(&mut late, 1);
    early.commit(checkpoint_with_events(0, 6..8)).unwrap();
    late.commit(checkpoint_with_events(1, 0..2)).unwrap();
    assert_eq!(changes_of_the_table(&place).len(), 2);
    assert_whole(&place);
}

#[test]
fn writers_that_raise_a_table_at_the_same_time_raise_it_once() {
    let place = copied(1);
    std::thread::scope(|scope| {
        for number in 1..4 {
            let place = &place;
            scope.spawn(move || {
                let mut archive = place.open();
                let claim = || [claim_at(owner(number), 0, None)];
                let rows = archive.rows();
                let mut claimed = archive.claim(&claim(), rows);
                while matches!(claimed, Err(ArchiveError::Unavailable(_))) {
                    let rows = archive.rows();
                    claimed = archive.claim(&claim(), rows);
                }
                claimed.unwrap();
            });
        }
    });
    assert_eq!(changes_of_the_table(&place).len(), 2);
    assert_whole(&place);
}

#[test]
fn a_raising_without_an_answer_is_made_once() {
    for fault in [Fault::Before, Fault::AfterPersisted, Fault::AfterPersistedAsExisting] {
        let place = copied(1);
        let faults = Faults::new();
        let mut archive = place.open_through(faults.wrapper());
        faults.fail_put(".json", fault);
        claim(&mut archive, 0);
        assert_eq!(archive.version(), 4, "{fault:?}");
        assert_eq!(changes_of_the_table(&place).len(), 2, "{fault:?}");
        assert_whole(&place);
    }
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
    rows.operator(&tick(60));
    rows.exposure(&exposure_row("w", 1, 0, None));
    rows.exposure(&exposure_row("w", 2, 0, Some(CloseReason::Restored)));
    archive
        .commit(Checkpoint {
            rows: vec![rows],
            snapshots: vec![state(0, 6, &[(0, "state")], 1)],
            ..checkpoint(&[(0, 6)])
        })
        .unwrap();
    read_what_is_old(&mut archive);
    read_windows_and_ticks(&mut archive);
    drop(archive);
    copy(&place.archive(), &target.join("archive"));
    copy(&place.state(), &target.join("archive.state"));
}
