//! `kill -9` at random moments: nothing lost, nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use fastrand::Rng;
use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::kafka::{self, Sending, Setup, broker, setup};
use crate::support::process::{Running, json_lines};
use crate::support::soak;
use crate::support::story::{Story, story};

/// How it is done: `scripts/soak` sets the variables for the full size.
struct Scale {
    events: usize,
    events_per_second: usize,
    kills: usize,
    seed: u64,
    /// The longest that a process lives before it is killed.
    life: Duration,
    patience: Duration,
}

impl Scale {
    fn of_the_test() -> Self {
        Self {
            events: 20_000,
            events_per_second: 2_000,
            kills: 6,
            seed: soak::seed(),
            life: Duration::from_millis(2_500),
            patience: Duration::from_secs(240),
        }
    }

    /// The full size, if it is asked for.
    fn of_the_soak() -> Option<Self> {
        soak::is_asked_for().then(|| Self {
            events: soak::size("DATAWARD_SOAK_EVENTS", 1_000_000),
            events_per_second: soak::size("DATAWARD_SOAK_RATE", 20_000),
            kills: soak::kills(),
            life: Duration::from_secs(4),
            patience: Duration::from_secs(600),
            ..Self::of_the_test()
        })
    }
}

#[test]
fn every_event_is_there_exactly_once_after_kills_at_random_moments() {
    let Some(broker) = broker() else { return };
    killed_and_undisturbed(broker, &Scale::of_the_test());
}

#[test]
fn soak() {
    let Some(scale) = Scale::of_the_soak() else { return };
    let broker = broker().expect("a soak needs its broker");
    killed_and_undisturbed(broker, &scale);
}

fn killed_and_undisturbed(broker: &dataward_simulation::broker::Broker, scale: &Scale) {
    println!("seed {} (DATAWARD_SEED={0} repeats the moments)", scale.seed);
    let began = Instant::now();
    let topic = kafka::topic(broker, 4);
    let story = story(scale.seed, scale.events);
    let folders = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let killed = setup(broker, folders.0.path(), &topic, "").with_static_membership();
    let undisturbed = setup(broker, folders.1.path(), &topic, "");

    let kills = std::thread::scope(|scope| {
        scope.spawn(|| produce_paced(&Sending::to(broker, &topic), &story, scale));
        kill_until_all_is_there(&killed, scale)
    });
    assert_eq!(kills, scale.kills, "the processes were killed while there was something to do");
    println!("{kills} kills, all events in the table after {:?}", began.elapsed());

    let mut running = Running::start(&undisturbed.run());
    let all = i64::try_from(scale.events).unwrap();
    wait_for(&mut running, &undisturbed, all, scale);
    running.terminate().expect(0);

    compare(&killed, &undisturbed, &story);
    println!("done after {:?}", began.elapsed());
}

/// Produces at the pace asked for, so that the kills fall into it.
fn produce_paced(sending: &Sending, story: &Story, scale: &Scale) {
    let began = Instant::now();
    for (number, message) in story.messages.iter().enumerate() {
        let due = Duration::from_secs_f64(number as f64 / scale.events_per_second as f64);
        while began.elapsed() < due {
            std::thread::park_timeout(due.saturating_sub(began.elapsed()));
        }
        sending.message(message);
    }
    sending.flush();
}

/// Starts, kills, starts again; the last process ends in order. Returns how often it killed.
fn kill_until_all_is_there(setup: &Setup, scale: &Scale) -> usize {
    let mut rng = Rng::with_seed(scale.seed);
    let all = i64::try_from(scale.events).unwrap();
    for kill in 0..scale.kills {
        let mut running = Running::start(&setup.run());
        // The moment is random, from the very start of the process on.
        let life = scale.life.mul_f64(rng.f64());
        let until = Instant::now() + life;
        while Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        assert!(running.is_running(), "ended by itself: {}", running.stderr());
        running.kill();
        println!("kill {kill} after {life:?}: {} events in the table", committed(&setup.archive));
    }
    let mut running = Running::start(&setup.run());
    wait_for(&mut running, setup, all, scale);
    running.terminate().expect(0);
    scale.kills
}

fn wait_for(running: &mut Running, setup: &Setup, all: i64, scale: &Scale) {
    let until = Instant::now() + scale.patience;
    while committed(&setup.archive) < all {
        assert!(Instant::now() < until, "{} of {all}", committed(&setup.archive));
        assert!(running.is_running(), "ended by itself: {}", running.stderr());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    setup.until_settled(running, all);
}

fn compare(killed: &Setup, undisturbed: &Setup, story: &Story) {
    let report = verified(&killed.archive);
    verified(&undisturbed.archive);
    assert_eq!(total(&report, "events"), story.messages.len() as u64);
    assert_eq!(total(&report, "records"), story.messages.len() as u64);
    let (found, expected) = (contents(&killed.archive), contents(&undisturbed.archive));
    assert_eq!(found.distinct_uids(), story.messages.len());
    assert!(found.events == expected.events, "the rows of both runs differ");
    assert_eq!(found.quarantine, expected.quarantine);
    assert_eq!(found.findings, expected.findings);
    // More, where ordinary traffic closed in between what somebody then opened again.
    assert!(found.findings.len() >= story.must_alert.len(), "{:?}", found.findings);

    // Delivered at least once, and a repeat under the same uid.
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for alert in json_lines(&std::fs::read_to_string(&killed.alerts).unwrap()) {
        let uid = alert["metadata"]["uid"].as_str().unwrap().to_owned();
        *lines.entry(uid).or_default() += 1;
    }
    println!("{} alerts, {} lines", found.alerts.len(), lines.values().sum::<usize>());
    // One that was sent before a kill, and that the order of reading did not give again, may be there besides.
    let delivered = lines.into_keys().collect::<BTreeSet<_>>();
    assert!(delivered.is_superset(&found.alerts), "{delivered:?} lacks some of {:?}", found.alerts);
}
