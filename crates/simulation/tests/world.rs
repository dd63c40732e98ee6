//! The whole loop among fakes that fail, many seeds; and bugs planted on purpose, which must be found.

use std::collections::BTreeMap;

use dataward_simulation::fate::{Mishap, Planted};
use dataward_simulation::world::{check, simulate};

/// Seeds of an ordinary test run.
const SEEDS: u64 = 1_500;
/// Within so many seeds a planted bug must be found.
const PLANTED_SEEDS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn every_promise_holds_whatever_happens() {
    let seeds = number("DATAWARD_SEEDS").unwrap_or(SEEDS);
    let mut mishaps: BTreeMap<Mishap, u64> = BTreeMap::new();
    let (mut rows, mut findings, mut processes) = (0, 0, 0);
    for seed in 0..seeds {
        let report = check(seed);
        for (mishap, count) in report.mishaps {
            *mishaps.entry(mishap).or_default() += count;
        }
        rows += report.rows;
        findings += report.findings;
        processes += report.processes;
    }
    println!("{seeds} seeds, {processes} processes, {rows} rows, {findings} findings: {mishaps:?}");
    if seeds >= 100 {
        assert_eq!(mishaps.len(), 18, "everything that can happen has happened: {mishaps:?}");
    }
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
    let violations = (0..PLANTED_SEEDS).filter_map(|seed| simulate(seed, Some(planted)).err());
    let found: Vec<String> = violations.take(3).collect();
    assert!(!found.is_empty(), "{planted:?} was not found in {PLANTED_SEEDS} seeds");
    assert!(found.iter().any(|text| text.contains(promise)), "{planted:?}: {found:?}");
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
