//! The whole loop among fakes that fail, many seeds; and bugs planted on purpose, which must be found.

use std::collections::BTreeMap;

use dataward_simulation::fate::{Mishap, Planted};
use dataward_simulation::world::{Report, check, simulate};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 3_000;
/// Within so many seeds a planted bug must be found.
const PLANTED_SEEDS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_promise_holds_whatever_happens() {
    let seeds = number("DATAWARD_SEEDS").unwrap_or(SEEDS);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let sums: Vec<Sum> = std::thread::scope(|scope| {
        let of_thread =
            |first| scope.spawn(move || sum_of((first..seeds).step_by(threads as usize)));
        let running: Vec<_> = (0..threads).map(of_thread).collect();
        running.into_iter().map(|thread| thread.join().expect("the promises hold")).collect()
    });
    let sum = sums.into_iter().fold(Sum::default(), Sum::and);
    let Sum { mishaps, rows, findings, processes } = sum;
    println!("{seeds} seeds, {processes} processes, {rows} rows, {findings} findings: {mishaps:?}");
    if seeds >= 100 {
        assert_eq!(mishaps.len(), 19, "everything that can happen has happened: {mishaps:?}");
    }
}

/// What happened in many worlds.
#[derive(Default)]
struct Sum {
    mishaps: BTreeMap<Mishap, u64>,
    rows: usize,
    findings: usize,
    processes: u64,
}

impl Sum {
    fn and(mut self, other: Self) -> Self {
        for (mishap, count) in other.mishaps {
            *self.mishaps.entry(mishap).or_default() += count;
        }
        self.rows += other.rows;
        self.findings += other.findings;
        self.processes += other.processes;
        self
    }
}

fn sum_of(seeds: impl Iterator<Item = u64>) -> Sum {
    seeds.map(check).fold(Sum::default(), |sum, report| {
        let Report { mishaps, rows, findings, processes } = report;
        sum.and(Sum { mishaps, rows, findings, processes })
    })
}

#[test]
fn one_seed() {
    if let Some(seed) = number("DATAWARD_SEED") {
        println!("{:?}", check(seed));
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in 0..5 {
        let (one, other) = (simulate(seed, None).unwrap(), simulate(seed, None).unwrap());
        assert_eq!(one.mishaps, other.mishaps);
        assert_eq!((one.rows, one.processes), (other.rows, other.processes));
    }
}

fn found(planted: Planted, promise: &str) {
    let worlds = (0..PLANTED_SEEDS).map(|seed| (seed, simulate(seed, Some(planted))));
    let violations = worlds.filter_map(|(seed, world)| Some((seed, world.err()?)));
    let found: Vec<(u64, String)> = violations.take(3).collect();
    let Some((seed, text)) = found.first() else {
        panic!("{planted:?} was not found in {PLANTED_SEEDS} seeds");
    };
    println!("{planted:?} is found after {} seeds: {text}", seed + 1);
    assert!(found.iter().any(|(_, text)| text.contains(promise)), "{planted:?}: {found:?}");
}

#[test]
fn an_early_acknowledgement_is_found() {
    found(Planted::AcknowledgesEarly, "I2");
}

#[test]
fn a_forgotten_partition_is_found() {
    found(Planted::ForgetsPartition, "I1");
}

#[test]
fn a_lost_cursor_is_found() {
    found(Planted::LosesCursor, "never got");
}

#[test]
fn a_cursor_that_is_not_saved_is_found() {
    found(Planted::ForgetsCursor, "never got");
}

#[test]
fn a_stale_writer_is_found() {
    found(Planted::AcceptsStaleWriter, "I3");
}

#[test]
fn a_forgotten_change_is_found() {
    found(Planted::ForgetsChange, "I4");
}

#[test]
fn a_snapshot_of_the_wrong_place_is_found() {
    found(Planted::SnapshotAhead, "I4");
}

#[test]
fn a_swallowed_record_is_found() {
    found(Planted::SwallowsRecord, "I1");
}
