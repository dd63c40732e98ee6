//! `kill -9` at random moments of the chronicle: the same findings, windows and state as without a kill.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_event::position::Progress;
use dataward_pipeline::restore;
use dataward_simulation::broker::Broker;
use dataward_simulation::chronicle::{BEGIN, CONTEXT, Chronicle, Deed, END, Entry};
use fastrand::Rng;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::kafka::{self, Sending, Setup, broker, setup};
use crate::support::process::{Running, dataward, text, write};
use crate::support::soak;

/// The longest that a kill waits for its moment: more than the time between two commits, so that it may strike anywhere
/// in a checkpoint.
const DELAY: Duration = Duration::from_millis(1_500);

/// How it is done: `scripts/soak --story` asks for the full size.
struct Scale {
    actors: usize,
    /// So many entries are told at a time; the next ones when both runs have committed the ones before the last.
    step: usize,
    kills: usize,
    seed: u64,
}

/// Two runs over the same topic: one is killed again and again, the other one never.
struct Runs {
    killed: Setup,
    undisturbed: Setup,
}

#[test]
fn kills_during_the_chronicle_change_nothing_that_is_found() {
    let Some(broker) = broker() else { return };
    let scale = Scale { actors: 20, step: 250, kills: 6, seed: soak::seed() };
    killed_and_undisturbed(broker, &scale);
}

#[test]
fn soak() {
    if !soak::is_asked_for() {
        return;
    }
    let broker = broker().expect("a soak needs its broker");
    let scale = Scale { actors: 300, step: 500, kills: soak::kills(), seed: soak::seed() };
    killed_and_undisturbed(broker, &scale);
}

fn killed_and_undisturbed(broker: &Broker, scale: &Scale) {
    println!("seed {} (DATAWARD_SEED={0} repeats the moments)", scale.seed);
    let began = Instant::now();
    let chronicle = Chronicle::new(2019, scale.actors);
    let story: Vec<Entry> = chronicle.take_while(|entry| entry.time < END).collect();
    // One for both runs: the offsets, and with them the ids of findings, are the same.
    let topic = kafka::topic(broker, 1);
    let folders = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let runs = Runs {
        killed: setup_in(broker, folders.0.path(), &topic),
        undisturbed: setup_in(broker, folders.1.path(), &topic),
    };

    let mut undisturbed = Running::start(&runs.undisturbed.run());
    let mut killed = std::thread::scope(|scope| {
        let killing = scope.spawn(|| kill_during(&story, &runs.killed, scale));
        tell(broker, &topic, &story, &runs, &mut undisturbed, scale);
        killing.join().unwrap()
    });
    let all = i64::try_from(story.len()).unwrap();
    for (setup, running) in [(&runs.killed, &mut killed), (&runs.undisturbed, &mut undisturbed)] {
        setup.until_settled(running, all);
    }
    killed.terminate().expect(0);
    undisturbed.terminate().expect(0);
    println!("{} kills, {all} events after {:?}", scale.kills, began.elapsed());

    compare(&runs, &story);
    println!("done after {:?}", began.elapsed());
}

/// One topic with both formats in one partition, so that event time rises. Weeks go by in seconds here: of two topics one
/// would be read hours of event time ahead of the other, all of which would come late, and what is said of late events
/// depends on their arrival.
fn setup_in(broker: &Broker, folder: &Path, topic: &str) -> Setup {
    let context = write(folder, "context.toml", CONTEXT);
    let more = format!("[context]\npath = \"{}\"\n", context.display());
    let setup = setup(broker, folder, topic, &more).with_static_membership();
    setup.with("source = \"aws.cloudtrail\"", "source = \"auto\"")
}

/// Tells the story in the order of event time, no more than two steps ahead of the slower run: each kill leaves something
/// to tell.
fn tell(
    broker: &Broker,
    topic: &str,
    story: &[Entry],
    runs: &Runs,
    undisturbed: &mut Running,
    scale: &Scale,
) {
    let sending = Sending::to(broker, topic);
    let mut before_the_last = 0;
    for (number, step) in story.chunks(scale.step).enumerate() {
        undisturbed.until("both runs to follow", |_| {
            [&runs.killed, &runs.undisturbed]
                .iter()
                .all(|run| committed(&run.archive) >= before_the_last)
        });
        for entry in step {
            sending.message(&entry.message);
        }
        sending.flush();
        before_the_last = i64::try_from(number * scale.step).unwrap();
    }
}

/// Starts, kills, starts again; returns the process that is left alive.
fn kill_during(story: &[Entry], setup: &Setup, scale: &Scale) -> Running {
    let mut rng = Rng::with_seed(scale.seed);
    // Spread over the story, and not at its very end: each kill leaves something to do.
    let last = story.len() - 4 * scale.step;
    let mut places: Vec<usize> = (0..scale.kills).map(|_| rng.usize(..last)).collect();
    places.sort_unstable();
    let mut running = Running::start(&setup.run());
    for (number, place) in places.into_iter().enumerate() {
        // Where the story has come so far before the process is up, that is the moment: a start is killed, too.
        let place = i64::try_from(place).unwrap();
        running.until("the place of a kill", |_| committed(&setup.archive) >= place);
        let delay = DELAY.mul_f64(rng.f64());
        let until = Instant::now() + delay;
        while Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        assert!(running.is_running(), "ended by itself: {}", running.stderr());
        running.kill();
        let there = usize::try_from(committed(&setup.archive)).unwrap();
        let time = story.get(there).map_or(BEGIN, |entry| entry.time);
        println!("kill {number}: {delay:?} after {place}, {there} in the table, {time}");
        assert!(there < story.len(), "it was killed while there was something to do");
        running = Running::start(&setup.run());
    }
    running
}

fn compare(runs: &Runs, story: &[Entry]) {
    let Runs { killed, undisturbed } = runs;
    let report = verified(&killed.archive);
    verified(&undisturbed.archive);
    assert_eq!(total(&report, "events"), story.len() as u64);
    assert_eq!(total(&report, "records"), story.len() as u64);
    let (found, expected) = (contents(&killed.archive), contents(&undisturbed.archive));
    assert_eq!(found.distinct_uids(), story.len());
    assert!(found.events == expected.events, "the rows of both runs differ");
    assert!(found.quarantine.is_empty() && expected.quarantine.is_empty());
    assert_eq!(found.findings, expected.findings);
    assert_eq!(windows(&killed.archive), windows(&undisturbed.archive));

    let (restored, undisturbed) = (state(&killed.archive), state(&undisturbed.archive));
    assert_equal(&restored, &undisturbed, "the undisturbed run");
    let keeper = BTreeMap::from([("keeper".to_owned(), of_all_events(&killed.archive))]);
    let restored = restored.into_iter().filter(|(owner, _)| owner == "keeper").collect();
    assert_equal(&restored, &keeper, "a keeper that sees all events at once");

    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (rule, _) in &found.findings {
        *counts.entry(rule).or_default() += 1;
    }
    println!("{} alerts, findings: {counts:?}", found.alerts.len());
    let must = Deed::ALL.iter().flat_map(|deed| deed.must_alert());
    let missing: BTreeSet<&str> =
        must.map(|rule| rule.as_str()).filter(|rule| !counts.contains_key(rule)).collect();
    assert!(missing.is_empty(), "the story was not told: no {missing:?}");
    story_of(&windows(&killed.archive));
}

/// The whole story can be read from the windows.
fn story_of(windows: &[Value]) {
    let read = |window: &Value| {
        let fields = ["control", "level", "opened_by", "opened_at", "closed_at", "closed_by"];
        let told = fields.map(|field| window[field].as_str().unwrap_or("-")).join(" ");
        format!("{told}, {} from outside", window["outside_reads"])
    };
    let of = |name: &str| -> BTreeSet<String> {
        windows.iter().filter(|window| window["datastore_name"] == name).map(read).collect()
    };
    let copy = [
        "audit_logging weakened nobody 2019-12-04T18:40:00Z 2019-12-26T18:15:",
        "authentication exposed e.marsh 2019-12-04T17:20:00Z 2019-12-26T18:03:35Z s.ivanova, 53 from outside",
        "network_exposure exposed e.marsh 2019-12-04T17:20:41Z 2019-12-26T18:02:00Z s.ivanova, 53 from outside",
    ];
    let found = of("analytics-copy");
    assert_eq!(found.len(), copy.len(), "{found:?}");
    for (found, expected) in found.iter().zip(copy) {
        assert!(found.starts_with(expected), "{found}, and not {expected}");
    }
    let second = of("devices-2019-12-20");
    let shared = "sharing exposed t.quill 2019-12-20T11:05:12Z 2019-12-29T09:30:00Z s.ivanova, 0 from outside";
    assert!(second.contains(shared), "{second:?}");
}

/// Every window, without when it was told of and in which statement.
fn windows(archive: &Path) -> Vec<Value> {
    let archive = text(archive);
    let arguments = ["exposures", "--archive", &archive, "--kind", "all", "--format", "json"];
    let mut windows: Vec<Value> =
        serde_json::from_str(&dataward(&arguments).expect(0).stdout).unwrap();
    for window in &mut windows {
        for name in ["logged_time", "alert_number"] {
            window[name].take();
        }
    }
    windows.sort_by_key(|window| window["exposure_uid"].to_string());
    windows
}

type Segments = Vec<(u32, Vec<u8>)>;

/// The state of every owner, as a start restores it.
fn state(archive: &Path) -> BTreeMap<String, Segments> {
    let mut archive = DeltaArchive::open_read_only(archive, &Options::default()).unwrap();
    let (mut keeper, _) = restore::keeper(&mut archive, None).unwrap();
    let mut states = BTreeMap::from([("keeper".to_owned(), keeper.save_all())]);
    for (partition, next) in archive.table_progress().iter() {
        let state = restore::partition(&mut archive, partition, next, keeper.context()).unwrap();
        states.insert(partition.path(), state.expect("a usable snapshot").save_all());
    }
    states
}

/// The state of a keeper that never was saved.
fn of_all_events(archive: &Path) -> Segments {
    let mut archive = DeltaArchive::open_read_only(archive, &Options::default()).unwrap();
    let context: Context = toml::from_str(CONTEXT).unwrap();
    let mut keeper = Keeper::new();
    keeper.adopt(Arc::new(context));
    restore::teach(&mut archive, &mut keeper, &mut Progress::new()).unwrap();
    keeper.save_all()
}

/// Bytes are compared, and segments are named.
fn assert_equal(
    found: &BTreeMap<String, Segments>,
    expected: &BTreeMap<String, Segments>,
    with: &str,
) {
    assert!(found.keys().eq(expected.keys()), "I4: other owners than {with}");
    for (owner, segments) in found {
        let both = segments.iter().zip(&expected[owner]);
        let differing: Vec<u32> = both.filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
        let is_equal = differing.is_empty() && segments.len() == expected[owner].len();
        assert!(is_equal, "I4: {owner} differs from {with}, in segments {differing:?}");
    }
}
