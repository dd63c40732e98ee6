//! What changes and reads cost the keeper, and what a datastore costs the memory:
//! `cargo bench -p dataward-detect --bench keeper`.
//!
//! Each figure is the best of several rounds: the others had company on the machine.

mod shared;

use std::hint::black_box;
use std::time::Instant;

use dataward_detect::keeper::Keeper;
use dataward_detect::place::Place;
use dataward_detect::posture_event::PostureEvent;
use dataward_detect::read_total::ReadTotals;
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, Outcome,
};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;

const ROUNDS: usize = 7;
/// Records in a batch, as the loop hands them over.
const BATCH: usize = 2_000;
const SECOND: i64 = 1_000_000;
const START: i64 = 20_000 * 86_400 * SECOND;

fn main() {
    // First, while the memory is fresh.
    memory();
    reads("reads of buckets without a window, 300 actors on 12 buckets", false);
    reads("reads of buckets of which one is exposed", true);
    changes("the same setting again", 1_000, |_| Direction::Strengthened);
    changes("a setting that is opened and closed in turns", 1_000, |turn| {
        if turn.is_multiple_of(2) { Direction::Weakened } else { Direction::Strengthened }
    });
}

fn position(number: usize) -> Position {
    let partition = Partition::new("audit", 0);
    Position { partition, offset: Offset(number as i64), record_index: 0 }
}

fn datastore(number: usize) -> Datastore<'static> {
    Datastore {
        uid: format!("arn:aws:s3:::bucket-{number:06}").into(),
        name: Some(format!("bucket-{number:06}").into()),
        resource_type: Some("AWS::S3::Bucket".into()),
        form: DatastoreForm::Bucket,
    }
}

fn change(
    number: usize,
    of: usize,
    time: EventTime,
    control: Control,
    direction: Direction,
) -> PostureEvent {
    PostureEvent {
        uid: format!("d9c5f1aa-0000-4000-8000-{number:012}"),
        type_uid: 600_303,
        time,
        position: position(number),
        source: "aws.cloudtrail".to_owned(),
        operation: "PutBucketPolicy".to_owned(),
        service: Some("s3.amazonaws.com".to_owned()),
        correlation_uid: None,
        outcome: Outcome::Success,
        actor: Actor {
            uid: Some("arn:aws:iam::111122223333:user/deploy".into()),
            name: Some("deploy".into()),
            kind: ActorKind::Human,
            ..Actor::default()
        },
        client: Client { ip: Some("198.51.100.7".into()), ..Client::default() },
        datastore: datastore(of),
        changes: vec![Change {
            catalogue_row: "aws.s3.bucket_policy.public".into(),
            control,
            setting: "bucket_policy".into(),
            opened: "principal *".into(),
            before: None,
            after: None,
            direction,
            whole: false,
        }],
        sensitivity: None,
        is_destruction: false,
        is_creation: false,
        place: Place::default(),
    }
}

fn read(number: usize, time: EventTime) -> AuditEvent<'static> {
    let actor = number % 300;
    let mut event = shared::read(number, time, actor, datastore(number % 12));
    event.actor.name = Some(format!("actor-{actor:06}").into());
    event.actor.kind = ActorKind::Human;
    event.actor.account_uid = Some("111122223333".into());
    event.client.ip = Some(format!("198.51.{}.7", actor % 200).into());
    event.objects = vec![format!("part-{number:06}.parquet").into()];
    event.account_uid = Some("111122223333".into());
    event
}

/// What a read costs: summing it up in its batch, and its share of what the keeper does with the sums.
fn reads(name: &str, is_exposed: bool) {
    const BATCHES: usize = 50;
    let time = |number: usize| EventTime::from_micros(START + number as i64 * 50);
    let mut keeper = Keeper::new();
    if is_exposed {
        let opened = time(0).plus_micros(-SECOND);
        let exposes = change(0, 3, opened, Control::Sharing, Direction::Weakened);
        keeper.observe(&exposes);
    }
    let position = position(0);
    let (mut best, mut best_sums, mut findings) = (f64::INFINITY, f64::INFINITY, 0);
    for round in 0..ROUNDS {
        let first = round * BATCHES * BATCH;
        let batches: Vec<Vec<AuditEvent<'static>>> = (0..BATCHES)
            .map(|batch| {
                let numbers = first + batch * BATCH..first + (batch + 1) * BATCH;
                numbers.map(|number| read(number, time(number))).collect()
            })
            .collect();
        let (start, mut sums) = (Instant::now(), 0.0);
        for batch in &batches {
            let begun = Instant::now();
            let mut totals = ReadTotals::default();
            for event in batch {
                totals.add(event, &position);
            }
            sums += begun.elapsed().as_secs_f64();
            let concluded = keeper.observe_all(Vec::new(), totals.take_all());
            findings += black_box(concluded).findings.len();
        }
        keeper.settle();
        best = best.min(start.elapsed().as_secs_f64());
        best_sums = best_sums.min(sums);
    }
    let per_read = |seconds: f64| seconds * 1e9 / (BATCHES * BATCH) as f64;
    println!(
        "{name}: {:.0} ns a read, {:.0} of them to sum it up, {findings} findings",
        per_read(best),
        per_read(best_sums)
    );
}

/// What a change costs where each datastore is changed once in ten minutes.
fn changes(name: &str, datastores: usize, direction: impl Fn(usize) -> Direction) {
    const TURNS: usize = 20;
    let mut keeper = Keeper::new();
    let (mut best, mut findings, mut turn) = (f64::INFINITY, 0, 0);
    for _ in 0..ROUNDS {
        let mut events = Vec::new();
        for _ in 0..TURNS {
            for of in 0..datastores {
                let number = turn * datastores + of;
                let time = EventTime::from_micros(START + number as i64 * 600 * SECOND / 1_000);
                events.push(change(number, of, time, Control::AccessPolicy, direction(turn)));
            }
            turn += 1;
        }
        let start = Instant::now();
        for event in &events {
            findings += black_box(keeper.observe(event)).findings.len();
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    let per_change = best * 1e6 / (TURNS * datastores) as f64;
    println!("{name}: {per_change:.1} us a change, {findings} findings");
}

/// What many datastores take, one in a hundred of them open.
fn memory() {
    const DATASTORES: usize = 100_000;
    const CHECKPOINT: usize = 1_000;
    let before = shared::resident_bytes();
    let mut keeper = Keeper::new();
    for of in 0..DATASTORES {
        let time = EventTime::from_micros(START + of as i64 * SECOND);
        let is_open = of.is_multiple_of(100);
        let direction = if is_open { Direction::Weakened } else { Direction::Strengthened };
        keeper.observe(&change(of, of, time, Control::AccessPolicy, direction));
        if of.is_multiple_of(CHECKPOINT) {
            // As at each checkpoint: what is older than the lateness bound is folded.
            keeper.settle();
        }
    }
    let after = shared::resident_bytes();
    let start = Instant::now();
    let saved: usize = keeper.save_all().iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "{DATASTORES} datastores, {} open: {} MB of memory, {} MB in a snapshot, which takes {} ms",
        DATASTORES / 100,
        after.saturating_sub(before) / 1_000_000,
        saved / 1_000_000,
        start.elapsed().as_millis(),
    );
}
