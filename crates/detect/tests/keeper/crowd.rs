//! Many readers of our own: summed up where they are seen or in the keeper, it comes to the same.

use dataward_detect::keeper::Keeper;
use dataward_detect::read_total::ReadTotals;
use dataward_event::audit_event::{AuditEvent, Datastore, DatastoreForm};
use dataward_event::change::{Control, Direction};

use crate::scene::{Scene, at, change, datastore, event, position, read_event};

const OWN: &str = "111122223333";

/// Twelve minutes of a busy datastore and a quiet one; of the busy one up to forty readers a minute, some from outside.
fn reads(seed: u64) -> Vec<(i64, AuditEvent<'static>)> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let [busy, quiet] = ["busy", "quiet"].map(|name| datastore(name, DatastoreForm::Bucket));
    (0..1_500)
        .map(|number| {
            let of: &Datastore<'static> = if rng.u8(..10) == 0 { &quiet } else { &busy };
            let second = number / 2 + rng.i64(0..40);
            let reader = format!("reader-{:02}", rng.u8(..40));
            let account = match rng.u8(..50) {
                0 => None,
                1 => Some("444455556666"),
                _ => Some(OWN),
            };
            (number, read_event(number, second, of, &reader, account))
        })
        .collect()
}

/// A scene in which both stand open from the second minute to the tenth.
fn scene() -> Scene {
    let mut scene = Scene::default();
    for (number, name) in [(9_001, "busy"), (9_002, "quiet")] {
        let of = datastore(name, DatastoreForm::Bucket);
        let change = |direction| vec![change(Control::Sharing, "group all", direction, false)];
        scene.change(event(number, 75, &of, change(Direction::Weakened)));
        scene.change(event(number + 10, 610, &of, change(Direction::Strengthened)));
    }
    scene
}

fn state(keeper: &mut Keeper) -> Vec<(u32, Vec<u8>)> {
    keeper.save_all()
}

#[test]
fn sums_of_any_batches_and_lanes_come_to_the_same_state() {
    for seed in 0..40 {
        let reads = reads(seed);
        // Each read by itself: the keeper tells apart whom it wants to.
        let mut apart = scene();
        for (number, event) in &reads {
            let mut totals = ReadTotals::default();
            totals.add(event, &position(*number));
            let concluded = apart.keeper.observe_all(Vec::new(), totals.take_all());
            apart.hear(concluded);
        }
        apart.sum_up();

        let mut rng = fastrand::Rng::with_seed(seed);
        let mut together = scene();
        let mut lanes: Vec<ReadTotals> =
            (0..rng.usize(1..4)).map(|_| ReadTotals::default()).collect();
        let mut summed = 0;
        for batch in reads.chunks(rng.usize(1..200)) {
            let lane = rng.usize(..lanes.len());
            for (number, event) in batch {
                lanes[lane].add(event, &position(*number));
            }
            let taken = lanes[lane].take();
            summed += taken.iter().filter(|read| read.reader.is_none()).count();
            let concluded = together.keeper.observe_all(Vec::new(), taken);
            together.hear(concluded);
        }
        for lane in &mut lanes {
            let taken = lane.take_all();
            summed += taken.iter().filter(|read| read.reader.is_none()).count();
            let concluded = together.keeper.observe_all(Vec::new(), taken);
            together.hear(concluded);
        }
        together.sum_up();
        assert!(summed > 0, "seed {seed}: nothing was summed up");
        assert_eq!(together.standing(), apart.standing(), "seed {seed}");
        assert!(state(&mut together.keeper) == state(&mut apart.keeper), "seed {seed}: state");
    }
}

#[test]
fn sums_are_handed_over_when_their_minute_is_over() {
    let of = datastore("busy", DatastoreForm::Bucket);
    let mut totals = ReadTotals::default();
    let add = |totals: &mut ReadTotals, number: i64, second: i64| {
        let event = read_event(number, second, &of, &format!("reader-{number}"), Some(OWN));
        totals.add(&event, &position(number));
    };
    for number in 0..100 {
        add(&mut totals, number, 30);
    }
    let first = totals.take();
    assert!(first.len() >= 16 && first.iter().all(|read| read.reader.is_some()));
    assert!(totals.take().is_empty(), "its minute is not over");
    add(&mut totals, 100, 61);
    let taken = totals.take();
    let sums: Vec<_> = taken.iter().filter(|read| read.reader.is_none()).collect();
    assert_eq!(sums.len(), 1);
    let told_apart: u64 = first.iter().map(|read| read.total.figures.reads).sum();
    assert_eq!(sums[0].total.figures.reads + told_apart, 100);
    assert_eq!((sums[0].minute, sums[0].total.last.time), (0, at(30)));
}
