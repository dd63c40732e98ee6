//! The whole loop in a world that fails: from one seed, the same every time.
//!
//! Processes come and go over one log and one table; each runs the real loop. Then all is calm, the last process reads
//! what is left, and the table is judged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use dataward_pipeline::alert_sink::AlertSink;
use dataward_pipeline::archive::ArchiveError;
use dataward_pipeline::clock::Clock;
use dataward_pipeline::lane::Lane;
use dataward_pipeline::outbox::Outbox;
use dataward_pipeline::runner::{Ended, RunError, Runner};
use dataward_pipeline::settings::{
    ListeningSettings, OnGap, RawPolicy, Settings, StartAt, TopicSettings,
};
use dataward_pipeline::workers::Workers;
use dataward_pipeline::writer::Writer;
use dataward_sources::source::Source;

use crate::clock::SimulatedClock;
use crate::fate::{Fate, Life, Mishap, Planted, locked};
use crate::judge::{self, Standing};
use crate::memory_archive::{MemoryArchive, Storage, unacknowledged};
use crate::memory_rows::MemoryRows;
use crate::memory_sink::{Inboxes, MemorySink};
use crate::simulated_kafka::{Retention, SimulatedKafka};
use crate::story::{CLOUDTRAIL_TOPIC, MIXED_TOPIC, story};
use crate::topic_log::TopicLog;

/// The sinks.
const SINKS: [&str; 2] = ["webhook", "feed"];
/// Processes within processes: how many stand still at once.
const DEPTH_MAX: u32 = 2;
/// The polls in which a calm process must be done.
const CALM_POLLS_MAX: u64 = 50_000;

/// What became of a world.
#[derive(Debug, Clone)]
pub struct Report {
    /// What went wrong, and how often.
    pub mishaps: BTreeMap<Mishap, u64>,
    /// The rows of the table.
    pub rows: usize,
    /// The findings that stand.
    pub findings: usize,
    /// The processes that lived.
    pub processes: u64,
}

/// Runs a world from a seed, and the same story undisturbed, and compares.
///
/// # Errors
/// The promise that was broken.
pub fn simulate(seed: u64, planted: Option<Planted>) -> Result<Report, String> {
    let world = World::new(seed, planted, false);
    world.run()?;
    world.judge()?;
    let findings = judge::archived_findings(&locked(&world.storage.table));
    if world.retention == Retention::Patient {
        let undisturbed = World::new(seed, None, true);
        undisturbed.run()?;
        undisturbed.judge()?;
        world.compare(&undisturbed, &findings)?;
    }
    let rows = locked(&world.storage.table).rows().len();
    let processes = world.processes.load(Ordering::Relaxed);
    Ok(Report { mishaps: world.fate.mishaps(), rows, findings: findings.len(), processes })
}

/// Runs a world, and panics with how to see it again if a promise is broken.
///
/// # Panics
/// If a promise is broken.
pub fn check(seed: u64) -> Report {
    match simulate(seed, None) {
        Ok(report) => report,
        Err(violation) => panic!(
            "seed {seed}: {violation}\n\
             again: DATAWARD_SEED={seed} cargo test -p dataward-simulation --test world one_seed"
        ),
    }
}

struct World {
    fate: Arc<Fate>,
    clock: Arc<SimulatedClock>,
    log: Arc<Mutex<TopicLog>>,
    storage: Arc<Storage>,
    inboxes: Arc<Inboxes>,
    settings: Settings,
    lanes: usize,
    retention: Retention,
    lives: usize,
    processes: AtomicU64,
    myself: Weak<World>,
}

impl World {
    fn new(seed: u64, planted: Option<Planted>, is_undisturbed: bool) -> Arc<Self> {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
        let millis =
            |rng: &mut fastrand::Rng, from: u64, to: u64| Duration::from_millis(rng.u64(from..to));
        let topic = |source| TopicSettings::new(source, RawPolicy::All);
        let topics = [
            (CLOUDTRAIL_TOPIC.to_owned(), topic(Source::AwsCloudtrail)),
            (MIXED_TOPIC.to_owned(), topic(Source::Auto)),
        ];
        let settings = Settings {
            context: Some(Arc::new(judge::context())),
            topics: topics.into_iter().collect(),
            flush_interval: millis(&mut rng, 20, 3_000),
            checkpoint_bytes: if rng.bool() { 4_000 } else { 64_000_000 },
            buffer_bytes: if rng.u8(..4) == 0 { 20_000 } else { 64_000_000 },
            snapshot_interval: millis(&mut rng, 1, 4_000),
            start_at: StartAt::Earliest,
            on_gap: OnGap::Record,
            retry_interval: millis(&mut rng, 20, 1_000),
            listening: ListeningSettings::default(),
        };
        let retention = if rng.u8(..4) == 0 { Retention::Harsh } else { Retention::Patient };
        let (lanes, lives) = (rng.usize(1..4), rng.usize(1..7));
        Arc::new_cyclic(|myself| Self {
            fate: Arc::new(Fate::new(seed, is_undisturbed, planted)),
            clock: Arc::default(),
            log: Arc::new(Mutex::new(story(seed))),
            storage: Arc::default(),
            inboxes: Arc::default(),
            settings,
            lanes,
            retention,
            lives,
            processes: AtomicU64::new(0),
            myself: myself.clone(),
        })
    }

    fn run(&self) -> Result<(), String> {
        for _ in 0..self.lives {
            if !self.fate.is_calm() {
                self.live(0);
            }
        }
        self.fate.calm();
        self.storage.leave(Duration::ZERO);
        self.live(0);
        self.fate.violation().map_or(Ok(()), Err)
    }

    /// The life of one process, from its start to its end, whatever that is.
    fn live(&self, depth: u32) {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let polls =
            if self.fate.is_calm() { CALM_POLLS_MAX } else { 5 + self.fate.below(250) as u64 };
        let world = self.myself.clone();
        let meanwhile = move || {
            if let Some(world) = world.upgrade() {
                world.live(depth + 1);
            }
        };
        let can_stall = depth < DEPTH_MAX;
        let meanwhile: Option<Box<dyn Fn() + Send + Sync>> =
            if can_stall { Some(Box::new(meanwhile)) } else { None };
        let life = Arc::new(Life::new(number, Arc::clone(&self.fate), polls, meanwhile));
        let stop = Arc::new(AtomicBool::new(false));
        let ended = self.runner(&life, &stop).run(&stop);
        if life.is_spent() && self.fate.is_calm() {
            self.fate.violate("it does not come to an end");
        }
        if life.is_dead() {
            return;
        }
        match ended {
            Ok(Ended::Stopped | Ended::Fenced | Ended::GaveUp) => {}
            Ok(Ended::SourceEnded) => self.fate.violate("Kafka has no end"),
            // The process ends, and is started again.
            Err(RunError::Archive(ArchiveError::Unavailable(_) | ArchiveError::Fenced(_)))
            | Err(RunError::Source(_)) => self.fate.count(Mishap::Crash),
            Err(error) => self.fate.violate(format!("the loop failed: {error}")),
        }
    }

    fn runner(
        &self,
        life: &Arc<Life>,
        stop: &Arc<AtomicBool>,
    ) -> Runner<SimulatedKafka, MemoryArchive> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let source = SimulatedKafka::join(
            Arc::clone(&self.log),
            Arc::clone(&self.storage),
            Arc::clone(&self.clock),
            Arc::clone(life),
            Arc::clone(stop),
            self.retention,
        );
        let (storage, own_clock) = (Arc::clone(&self.storage), Arc::clone(&self.clock));
        let archive = MemoryArchive::open(storage, own_clock, Arc::clone(life));
        let lane = || Lane::new(MemoryRows::default(), Arc::clone(&clock));
        let lanes = std::iter::repeat_with(lane).take(self.lanes).collect();
        let workers = Workers::Inline { lanes, replies: std::collections::VecDeque::new() };
        let sinks = SINKS.map(|name| -> Box<dyn AlertSink> {
            let (inboxes, clock) = (Arc::clone(&self.inboxes), Arc::clone(&self.clock));
            Box::new(MemorySink::new(name, inboxes, clock, Arc::clone(life)))
        });
        let outbox = Outbox::inline(sinks.into(), &clock);
        Runner::new(source, Writer::inline(archive), workers, outbox, self.settings.clone(), clock)
    }

    fn judge(&self) -> Result<(), String> {
        let log = locked(&self.log);
        let mut table = locked(&self.storage.table);
        judge::check_offsets(&table, &log)?;
        judge::compare(
            &judge::archived_findings(&table),
            &judge::expected_findings(&table),
            "the archived changes in order",
        )?;
        if judge::restored_state(&mut table)? != judge::expected_state(&table) {
            return Err("I4: the keeper's state is not what the archived changes give".to_owned());
        }
        for sink in SINKS {
            if let Some(alert) = table.alerts().find(|alert| !self.inboxes.has(sink, &alert.uid)) {
                return Err(format!("{sink} never got {} ({})", alert.uid, alert.title));
            }
            if let Some(alert) = unacknowledged(&table, sink).first() {
                return Err(format!("{sink} would get {} again for ever", alert.title));
            }
        }
        Ok(())
    }

    /// Nothing was lost: so the world that failed must have come to the same end.
    fn compare(&self, undisturbed: &Self, findings: &Standing) -> Result<(), String> {
        let table = locked(&self.storage.table);
        let other = locked(&undisturbed.storage.table);
        judge::compare(findings, &judge::archived_findings(&other), "an undisturbed run")?;
        if judge::expected_state(&table) != judge::expected_state(&other) {
            return Err("I4: the state is not that of an undisturbed run".to_owned());
        }
        Ok(())
    }
}
