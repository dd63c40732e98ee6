//! Bugs that the simulation has found, each as the shortest story that shows it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dataward_pipeline::clock::Clock;
use dataward_pipeline::outbox::Outbox;
use dataward_pipeline::runner::Runner;
use dataward_pipeline::settings::{OnGap, Settings, StartAt};
use dataward_pipeline::workers::Workers;
use dataward_pipeline::writer::Writer;
use dataward_simulation::clock::SimulatedClock;
use dataward_simulation::fate::{Fate, Life};
use dataward_simulation::memory_archive::{MemoryArchive, Storage};
use dataward_simulation::memory_rows::MemoryRows;
use dataward_simulation::memory_sink::{Inboxes, MemorySink};
use dataward_simulation::simulated_kafka::{Retention, SimulatedKafka};
use dataward_simulation::topic_log::TopicLog;

fn settings() -> Settings {
    Settings {
        topics: std::collections::BTreeMap::new(),
        flush_interval: Duration::from_secs(1),
        checkpoint_bytes: 1 << 20,
        buffer_bytes: 1 << 20,
        snapshot_interval: Duration::from_secs(60),
        start_at: StartAt::Earliest,
        on_gap: OnGap::Record,
        retry_interval: Duration::from_millis(100),
    }
}

/// The first alert's row may come with the very first claim of a partition, and the process may die then.
#[test]
fn a_new_sink_has_its_cursor_before_any_partition_is_claimed() {
    let storage = Arc::new(Storage::default());
    let clock = Arc::new(SimulatedClock::default());
    // It dies at its first poll.
    let life = Arc::new(Life::new(0, Arc::new(Fate::new(0, true, None)), 0, None));
    let source = SimulatedKafka::join(
        Arc::new(Mutex::new(TopicLog::default())),
        Arc::clone(&storage),
        Arc::clone(&clock),
        Arc::clone(&life),
        Arc::new(AtomicBool::new(false)),
        Retention::Patient,
    );
    let archive = MemoryArchive::open(Arc::clone(&storage), Arc::clone(&clock), Arc::clone(&life));
    let sink = MemorySink::new("webhook", Arc::new(Inboxes::default()), Arc::clone(&clock), life);
    let outbox = Outbox::inline(vec![Box::new(sink)]);
    let clock: Arc<dyn Clock> = clock;
    let workers = Workers::inline(MemoryRows::default(), Arc::clone(&clock));
    let mut runner =
        Runner::new(source, Writer::inline(archive), workers, outbox, settings(), clock);
    assert!(runner.run(&AtomicBool::new(false)).is_err());
    drop(runner);
    let table = storage.table.lock().unwrap();
    assert_eq!(
        table.cursors().keys().map(|key| key.sink.as_str()).collect::<Vec<_>>(),
        ["webhook"]
    );
}
