//! What an event costs the detector, and what a key costs the memory: `cargo bench -p dataward-detect`.
//!
//! Each figure is the best of several rounds: the others had company on the machine.

mod shared;

use std::hint::black_box;
use std::time::Instant;

use dataward_detect::context::Context;
use dataward_detect::partition_state::PartitionState;
use dataward_detect::reads::actor::{Reader, Today};
use dataward_detect::reads::bulk_reads::{BulkReads, Caps};
use dataward_detect::reads::pair::Pair;
use dataward_detect::reads::window::Rings;
use dataward_event::audit_event::{AuditEvent, Class, Datastore, DatastoreForm};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, Volume};

const ROUNDS: usize = 7;
const EVENTS: usize = 100_000;
const DAY: i64 = 86_400 * 1_000_000;

fn main() {
    // First, while the memory is fresh.
    memory();
    per_event("a call that reads no data", 1_000, 100, |event| {
        event.class = Class::ApiActivity;
        event.volume = Volume::default();
    });
    per_event("a read: 30,000 actors, 3 reads a day", 30_000, 3, |_| {});
    per_event("a read: 1,000 actors, 100 reads a day, which are judged", 1_000, 100, |_| {});
    per_event("a read of a dump that is under way", 1, 100, |event| {
        event.volume.bytes = Some(ByteCount(1 << 30));
    });
    at_scale(200_000);
    if std::env::args().any(|argument| argument == "--million") {
        at_scale(1_000_000);
    }
}

/// So many actors with five datastores each, all of them active every day: what a read costs, what a key takes, and how long
/// the close of a day holds up the stream.
fn at_scale(actors: usize) {
    const PAIRS: usize = 5;
    const DAYS: usize = 4;
    let (position, context) = (position(), Context::default());
    let before = shared::resident_bytes();
    let caps = Caps {
        actors: 4 * actors,
        pairs: 4 * PAIRS * actors,
        pairs_of_actor: 512,
        stores: 128 * 1024,
    };
    let mut reads = BulkReads::with_caps(caps);
    let datastores: Vec<Datastore<'static>> = (0..10_000).map(bucket).collect();
    let per_day = actors * PAIRS;
    let (mut spent, mut longest) = (0.0, 0.0_f64);
    for day in 0..DAYS {
        for number in 0..per_day {
            // A walk through all pairs in no order of the memory (a prime step).
            let key = number * 7_368_787 % per_day;
            let (actor, pair) = (key / PAIRS, key % PAIRS);
            let at = day as i64 * DAY + 3_600_000_000 + number as i64 * (DAY / 2) / per_day as i64;
            let time = EventTime::from_micros(20_000 * DAY + at);
            let datastore = datastores[(actor * 31 + pair * 17) % datastores.len()].clone();
            let event = shared::read(number + day * per_day, time, actor, datastore);
            let start = Instant::now();
            black_box(reads.observe(&event, &position, &context));
            let seconds = start.elapsed().as_secs_f64();
            longest = longest.max(seconds);
            if day + 1 == DAYS && number > 0 {
                spent += seconds;
            }
        }
    }
    let taken = shared::resident_bytes().saturating_sub(before);
    // Beside the struct what hangs on it while it is active: 40 days of levels, eight networks.
    let actor = size_of::<Reader>() + size_of::<Today>() + size_of::<Rings>() + 40 * 4 + 8 * 24;
    let pair = size_of::<Pair>() + size_of::<Rings>();
    println!(
        "{actors} actors, {per_day} pairs: {:.2} us a read, {actor} bytes an actor and {pair} a pair \
         by their types, {:.2} GB resident in all; the close of a day took {:.0} ms",
        spent * 1e6 / (per_day - 1) as f64,
        taken as f64 / 1e9,
        longest * 1e3,
    );
}

fn bucket(number: usize) -> Datastore<'static> {
    Datastore {
        uid: format!("arn:aws:s3:::bucket-{number:06}").into(),
        name: None,
        resource_type: None,
        form: DatastoreForm::Bucket,
    }
}

fn event(number: usize, actors: usize) -> AuditEvent<'static> {
    let actor = number % actors;
    let datastore = Datastore {
        uid: format!("arn:aws:s3:::bucket-{:06}", actor % 1_000 + number / actors % 3).into(),
        name: None,
        resource_type: None,
        form: DatastoreForm::Bucket,
    };
    let time = EventTime::from_micros(20_000 * DAY + (number as i64) * 10_000);
    let mut event = shared::read(number, time, actor, datastore);
    event.volume.objects = Some(ObjectCount(1));
    event
}

fn position() -> Position {
    Position { partition: Partition::new("audit", 0), offset: Offset(0), record_index: 0 }
}

/// A state that knows its actors for ten days, and what one more event costs it.
fn per_event(
    name: &str,
    actors: usize,
    reads_a_day: usize,
    change: impl Fn(&mut AuditEvent<'static>),
) {
    let (position, context) = (position(), Context::default());
    let mut state = PartitionState::default();
    for day in 0..10 {
        for number in 0..actors * reads_a_day {
            let mut event = event(number, actors);
            event.uid = format!("warm-{day}-{number}").into();
            event.time = event.time.plus_micros((day - 11) * DAY);
            state.observe(&event, &position, &context);
        }
    }
    let (mut best, mut findings) = (f64::INFINITY, 0);
    for round in 0..ROUNDS {
        let new = |number| {
            let mut event = event(round * EVENTS + number, actors);
            event.time = event.time.plus_micros(round as i64 * DAY);
            change(&mut event);
            event
        };
        let events: Vec<AuditEvent<'static>> = (0..EVENTS).map(new).collect();
        let start = Instant::now();
        for event in &events {
            findings += black_box(state.observe(event, &position, &context)).findings.len();
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name}: {:.0} ns an event, {findings} findings", best * 1e9 / EVENTS as f64);
}

/// What the pairs of actor and datastore take, in memory and in a snapshot.
fn memory() {
    let (position, context) = (position(), Context::default());
    let actors = 40_000;
    let before = shared::resident_bytes();
    let mut state = PartitionState::default();
    for day in 0..2 {
        for number in 0..actors * 3 {
            let mut event = event(number, actors);
            event.uid = format!("{day}-{number}").into();
            event.time = event.time.plus_micros(day * DAY);
            state.observe(&event, &position, &context);
        }
    }
    let (after, pairs) = (shared::resident_bytes(), actors * 3);
    let start = Instant::now();
    let saved: usize = state.save_all().iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "{actors} actors, {pairs} pairs, two metrics: {} bytes of memory a pair, {} in a snapshot, \
         which takes {} ms",
        after.saturating_sub(before) / pairs,
        saved / pairs,
        start.elapsed().as_millis(),
    );
}
