//! The exactly-once protocol on a local directory: claims, fences, crashes, and what is read back.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::lease;
use dataward_archive::verify::verify;
use dataward_event::audit_event::EventKind;
use dataward_event::finding::{Owner, Trigger};
use dataward_event::position::{Offset, Progress};
use dataward_pipeline::archive::{
    Archive, ArchiveError, Checkpoint, CursorKey, Known, Replayed, Rows, SharedRow,
};

use crate::support::{self, *};

fn is_fenced<T: std::fmt::Debug>(result: Result<T, ArchiveError>) -> bool {
    matches!(result, Err(ArchiveError::Fenced(_)))
}

#[test]
fn a_new_archive_knows_nothing_and_then_what_was_claimed() {
    let place = Place::new();
    let mut archive = place.open();
    let wanted = [partition(0), partition(1)];
    let known = archive.look_up(&wanted).unwrap();
    assert_eq!(known[&wanted[0]], Known::NewTopic);
    assert_eq!(archive.look_up_keeper().unwrap(), None);

    let keeper = claim_at(Owner::Keeper, 1, None);
    let rows = archive.rows();
    let claims = [claim_at(owner(0), 40, None), keeper];
    let committed = archive.claim(&claims, rows).unwrap();
    assert_eq!(committed.progress().next(&wanted[0]), Some(Offset(40)));
    let known = archive.look_up(&wanted).unwrap();
    assert_eq!(known[&wanted[0]], Known::At(Offset(40)));
    assert_eq!(known[&wanted[1]], Known::NewPartition);
    assert_eq!(archive.look_up_keeper().unwrap(), Some(1));

    // An owner always has a snapshot to replay from.
    let empty = archive.snapshot(&owner(0)).unwrap().unwrap();
    assert_eq!((empty.at.next(&wanted[0]), empty.segment_count), (Some(Offset(40)), 0));
    assert_eq!(archive.snapshot(&Owner::Keeper).unwrap().unwrap().segment_count, 0);
}

#[test]
fn rows_come_back_in_order_over_kinds_and_commits() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    claim(&mut archive, 1);
    for from in [0, 10, 20] {
        let mut checkpoint = checkpoint_with_events(0, from..from + 9);
        let mut other = archive.rows();
        add_quarantine(&mut other, &position(0, from + 9, 0));
        add_events(&mut other, 1, from..from + 10);
        checkpoint.rows.push(other);
        checkpoint.progress = support::checkpoint(&[(0, from + 10), (1, from + 10)]).progress;
        archive.commit(checkpoint).unwrap();
    }
    assert_eq!(replayed_offsets(&mut archive, 0, 0), (0..30).collect::<Vec<_>>());
    assert_eq!(replayed_offsets(&mut archive, 1, 17), (17..30).collect::<Vec<_>>());

    let mut reopened = place.open();
    let mut events = Vec::new();
    let mut quarantined = 0;
    reopened
        .replay(&partition(0), Offset(0), &mut |replayed| match replayed {
            Replayed::Event(found) => events.push(*found),
            Replayed::Quarantine { .. } => quarantined += 1,
        })
        .unwrap();
    assert_eq!((events.len(), quarantined), (27, 3));
    assert_eq!(events[2].event, event(EventKind::ConfigChange, "event-0-2"));
    assert_eq!(events[3].event, event(EventKind::Access, "event-0-3"));

    let mut changes = Vec::new();
    let from: Progress = [(partition(0), Offset(12))].into_iter().collect();
    reopened
        .replay_shared(&from, &mut |row| {
            let SharedRow::Event(shared) = row else { panic!("no clock has ticked") };
            if shared.event.kind == EventKind::ConfigChange {
                changes.push((shared.position.partition.number, shared.position.offset.0));
            }
        })
        .unwrap();
    changes.sort_unstable();
    let expected: Vec<_> = [14, 17, 20, 23, 26]
        .map(|offset| (0, offset))
        .into_iter()
        .chain((0..30).filter(|offset| offset % 3 == 2).map(|offset| (1, offset)))
        .collect();
    assert_eq!(changes, expected);
}

/// What is read back may be years of rows. What is in memory is committed all the same.
#[test]
fn a_stop_ends_the_reading_back_and_no_commit() {
    let place = Place::new();
    let stop = Arc::new(AtomicBool::new(false));
    let options = Options { stop: Some(Arc::clone(&stop)), ..Options::default() };
    let mut archive = DeltaArchive::open(&place.archive(), &options).unwrap();
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 0..9)).unwrap();
    assert_eq!(replayed_offsets(&mut archive, 0, 0).len(), 9);

    stop.store(true, Ordering::Relaxed);
    let replayed = archive.replay(&partition(0), Offset(0), &mut |_| panic!("a row"));
    assert!(matches!(replayed, Err(ArchiveError::Stopped)), "{replayed:?}");
    let replayed = archive.replay_shared(&Progress::new(), &mut |_| panic!("a change"));
    assert!(matches!(replayed, Err(ArchiveError::Stopped)), "{replayed:?}");
    archive.commit(checkpoint_with_events(0, 9..12)).unwrap();
}

#[test]
fn a_writer_may_move_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<dataward_archive::delta_archive::DeltaArchive>();
}

#[test]
fn an_altered_file_is_not_replayed() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 0..9)).unwrap();
    let file = &place.data_files("access")[0];
    let mut bytes = std::fs::read(file).unwrap();
    bytes[40] ^= 1;
    std::fs::write(file, bytes).unwrap();
    let refused = archive.replay(&partition(0), Offset(0), &mut |_| ());
    assert!(matches!(refused, Err(ArchiveError::Broken(_))), "{refused:?}");
}

#[test]
fn a_stale_writer_cannot_commit() {
    let place = Place::new();
    let mut old = place.open();
    claim(&mut old, 0);
    old.commit(checkpoint_with_events(0, 0..5)).unwrap();

    // The claim writes the same progress again: the epoch tells it apart.
    let mut new = place.open();
    claim(&mut new, 0);
    let stale = checkpoint_with_events(0, 5..9);
    assert!(is_fenced(old.commit(stale)));
    let returned = old.take_back().unwrap();
    assert_eq!(returned.progress.next(&partition(0)), Some(Offset(9)));
    assert!(old.take_back().is_none());

    new.commit(checkpoint_with_events(0, 5..7)).unwrap();
    assert_eq!(replayed_offsets(&mut new, 0, 0), (0..7).collect::<Vec<_>>());
    // The fenced writer may look again and claim again.
    assert_eq!(old.look_up(&[partition(0)]).unwrap()[&partition(0)], Known::At(Offset(7)));
    claim(&mut old, 0);
    assert!(is_fenced(new.look_up(&[partition(0)])));
}

#[test]
fn a_refresh_does_not_disarm_the_fence() {
    let place = Place::new();
    let mut old = place.open();
    claim(&mut old, 0);
    let mut new = place.open();
    claim(&mut new, 0);
    assert!(is_fenced(old.look_up_keeper()));
    assert!(is_fenced(old.commit(checkpoint(&[(0, 3)]))));
}

#[test]
fn a_claim_on_an_old_reading_is_refused() {
    let place = Place::new();
    let mut one = place.open();
    let mut other = place.open();
    one.look_up(&[partition(0)]).unwrap();
    other.look_up(&[partition(0)]).unwrap();
    let (rows, other_rows) = (one.rows(), other.rows());
    one.claim(&[claim_at(owner(0), 0, None)], rows).unwrap();
    assert!(is_fenced(other.claim(&[claim_at(owner(0), 0, None)], other_rows)));
    one.commit(checkpoint_with_events(0, 0..2)).unwrap();
}

#[test]
fn two_writers_of_different_partitions_do_not_disturb_each_other() {
    let place = Place::new();
    let mut one = place.open();
    let mut other = place.open();
    claim(&mut one, 0);
    claim(&mut other, 1);
    for round in 0..5 {
        one.commit(checkpoint_with_events(0, round * 2..round * 2 + 2)).unwrap();
        other.commit(checkpoint_with_events(1, round..round + 1)).unwrap();
    }
    assert_eq!(replayed_offsets(&mut other, 0, 0).len(), 10);
    assert_eq!(replayed_offsets(&mut other, 1, 0).len(), 5);
}

#[test]
fn writers_at_the_same_time_keep_one_whole_chain() {
    let place = Place::new();
    drop(place.open());
    std::thread::scope(|scope| {
        for number in 0..3 {
            let place = &place;
            scope.spawn(move || {
                let mut archive = place.open();
                let rows = archive.rows();
                let mut claimed = archive.claim(&[claim_at(owner(number), 0, None)], rows);
                while matches!(claimed, Err(ArchiveError::Unavailable(_))) {
                    let rows = archive.rows();
                    claimed = archive.claim(&[claim_at(owner(number), 0, None)], rows);
                }
                claimed.unwrap();
                for round in 0..8 {
                    let mut checkpoint = checkpoint_with_events(number, round * 2..round * 2 + 2);
                    while let Err(error) = archive.commit(checkpoint) {
                        assert!(matches!(error, ArchiveError::Unavailable(_)), "{error}");
                        checkpoint = archive.take_back().unwrap();
                    }
                }
            });
        }
    });
    let mut archive = place.open();
    for number in 0..3 {
        assert_eq!(replayed_offsets(&mut archive, number, 0), (0..16).collect::<Vec<_>>());
    }
    drop(archive);
    let report = verify(&place.archive(), &Options::default(), &mut |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    assert_eq!(report.version, 3 * 9);
}

#[test]
fn a_released_owner_is_named_no_more() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    claim(&mut archive, 1);
    archive.release(&[owner(1)]);
    let mut other = place.open();
    claim(&mut other, 1);
    archive.commit(checkpoint_with_events(0, 0..3)).unwrap();
    assert!(is_fenced(archive.commit(checkpoint(&[(0, 3), (1, 3)]))));
}

#[test]
fn progress_does_not_go_back() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    archive.commit(checkpoint(&[(0, 5)])).unwrap();
    assert!(matches!(archive.commit(checkpoint(&[(0, 4)])), Err(ArchiveError::Broken(_))));
}

#[test]
fn a_standby_takes_over_from_one_that_stopped_and_from_one_that_stands_still() {
    let place = Place::new();
    let never = AtomicBool::new(false);
    let claim_keeper = |archive: &mut DeltaArchive| {
        let expected = archive.look_up_keeper().unwrap().map(|next| next as i64);
        let rows = archive.rows();
        let claim = claim_at(Owner::Keeper, expected.unwrap_or(0), expected);
        archive.claim(&[claim], rows).unwrap();
        archive.epoch(&Owner::Keeper).unwrap()
    };
    let mut first = place.open();
    let epoch = claim_keeper(&mut first);
    let hour = Duration::from_secs(3_600);
    let keepalive = lease::Keepalive::start(&place.archive(), "first", epoch, hour).unwrap();
    drop(keepalive);
    // It was released: the successor need not wait.
    let waited = lease::wait_until_free(&place.archive(), hour, Duration::ZERO, &never).unwrap();
    assert_eq!(waited, lease::Waited::Free);
    let mut second = place.open();
    let epoch = claim_keeper(&mut second);
    assert_eq!(epoch, 2);

    let _still = lease::Keepalive::start(&place.archive(), "second", epoch, hour).unwrap();
    let patience = Duration::ZERO;
    let waited = lease::wait_until_free(&place.archive(), patience, hour, &never).unwrap();
    assert_eq!(waited, lease::Waited::Free);
    let mut third = place.open();
    assert_eq!(claim_keeper(&mut third), 3);
    // Whoever guessed wrong, the fence decides.
    assert!(is_fenced(second.commit(checkpoint(&[]))));
    assert!(is_fenced(first.commit(checkpoint(&[]))));
    third.commit(checkpoint(&[])).unwrap();
}

#[test]
fn a_sink_whose_name_would_not_read_back_is_refused() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    let key = CursorKey { sink: "web/hook".to_owned(), owner: owner(0) };
    let cursors = [(key, 0)].into_iter().collect();
    let refused = archive.commit(Checkpoint { cursors, ..checkpoint(&[(0, 0)]) });
    assert!(matches!(refused, Err(ArchiveError::Broken(_))));
}

#[test]
fn alerts_and_cursors_come_back() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    let rows = archive.rows();
    archive.claim(&[claim_at(Owner::Keeper, 0, None)], rows).unwrap();
    let first = alert("a", Trigger::Record(position(0, 1, 0)), 1);
    let second = alert("b", Trigger::Keeper(0), 2);
    let third = alert("c", Trigger::Record(position(0, 3, 2)), 3);
    let mut rows = archive.rows();
    for alert in [&third, &first, &second] {
        rows.alert(alert);
    }
    add_events(&mut rows, 0, 0..4);
    rows.operator(&operator_row());
    rows.gap(&gap(0, 4, 6));
    let key = |owner| CursorKey { sink: "webhook".to_owned(), owner };
    archive
        .commit(Checkpoint {
            rows: vec![rows],
            keeper_next: Some(1),
            cursors: [(key(owner(0)), 3), (key(Owner::Keeper), 1)].into_iter().collect(),
            ..checkpoint(&[(0, 6)])
        })
        .unwrap();

    let mut reopened = place.open();
    assert_eq!(reopened.look_up_keeper().unwrap(), Some(1));
    assert_eq!(reopened.unacknowledged("webhook").unwrap(), std::slice::from_ref(&third));
    assert!(reopened.unacknowledged("new").unwrap().is_empty(), "a new sink begins now");
    let of_partition = reopened.alerts_of(&[partition(0)]).unwrap();
    assert_eq!(of_partition, [first, second, third]);
    assert!(reopened.alerts_of(&[partition(9)]).unwrap().is_empty());
    assert_eq!(reopened.cursors().len(), 2);
}

#[test]
fn app_ids_files_and_hashes_survive_log_checkpoints() {
    let place = Place::new();
    let mut archive = place.open();
    claim(&mut archive, 0);
    archive.commit(checkpoint_with_events(0, 0..3)).unwrap();
    for _ in 0..205 {
        archive.commit(checkpoint(&[(0, 3)])).unwrap();
    }
    assert!(place.archive().join("_delta_log/00000000000000000199.checkpoint.parquet").exists());
    // Only what the log checkpoint holds is left of the first commits.
    for version in 0..150 {
        std::fs::remove_file(place.commit_file(version)).unwrap();
    }
    let mut reopened = place.open();
    assert_eq!(replayed_offsets(&mut reopened, 0, 0), [0, 1, 2]);
    claim(&mut reopened, 0);
    reopened.commit(checkpoint_with_events(0, 3..4)).unwrap();
    assert_eq!(replayed_offsets(&mut reopened, 0, 0), [0, 1, 2, 3]);
}
