//! Bugs that the simulation has found, each as the shortest story that shows it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dataward_event::position::{Offset, Partition, Progress};
use dataward_event::time::KafkaTime;
use dataward_pipeline::archive::Committed;
use dataward_pipeline::batch::{Batch, NewRecord};
use dataward_pipeline::clock::Clock;
use dataward_pipeline::outbox::Outbox;
use dataward_pipeline::record_source::{Bounds, Input, RecordSource, SourceError};
use dataward_pipeline::runner::{Ended, Runner};
use dataward_pipeline::settings::{
    ListeningSettings, OnGap, RawPolicy, Settings, StartAt, TopicSettings,
};
use dataward_pipeline::workers::Workers;
use dataward_pipeline::writer::Writer;
use dataward_simulation::clock::SimulatedClock;
use dataward_simulation::fate::{Fate, Life, locked};
use dataward_simulation::memory_archive::{MemoryArchive, Storage};
use dataward_simulation::memory_rows::MemoryRows;
use dataward_simulation::memory_sink::{Inboxes, MemorySink};
use dataward_simulation::simulated_kafka::{Retention, SimulatedKafka};
use dataward_simulation::topic_log::TopicLog;
use dataward_sources::source::Source;

fn settings() -> Settings {
    let topic = TopicSettings::new(Source::Ocsf, RawPolicy::All);
    Settings {
        context: None,
        topics: [("audit".to_owned(), topic)].into(),
        flush_interval: Duration::from_secs(1),
        checkpoint_bytes: 1 << 20,
        buffer_bytes: 1 << 20,
        snapshot_interval: Duration::from_secs(60),
        start_at: StartAt::Earliest,
        on_gap: OnGap::Record,
        retry_interval: Duration::from_millis(100),
        listening: ListeningSettings::default(),
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
    let clock: Arc<dyn Clock> = clock;
    let outbox = Outbox::inline(vec![Box::new(sink)], &clock);
    let workers = Workers::inline(MemoryRows::default(), Arc::clone(&clock));
    let mut runner =
        Runner::new(source, Writer::inline(archive), workers, outbox, settings(), clock);
    assert!(runner.run(&AtomicBool::new(false)).is_err());
    drop(runner);
    let table = locked(&storage.table);
    assert_eq!(
        table.cursors().keys().map(|key| key.sink.as_str()).collect::<Vec<_>>(),
        ["webhook"]
    );
}

/// One partition of empty records, and a list of what happens.
struct Script {
    steps: std::vec::IntoIter<Step>,
    storage: Arc<Storage>,
    clock: Arc<SimulatedClock>,
    position: i64,
    low: i64,
    is_stopped: bool,
}

enum Step {
    Assign,
    Read(i64),
    Wait(Duration),
    StorageLeaves(Duration),
    Retention(i64),
    OutOfRange,
    Revoke,
    Stop,
}

impl RecordSource for Script {
    fn poll(&mut self, _: Duration) -> Result<Input, SourceError> {
        let partition = Partition::new("audit", 0);
        match self.steps.next() {
            None => return Ok(Input::End),
            Some(Step::Assign) => return Ok(Input::Assigned(vec![partition])),
            Some(Step::Revoke) => {
                return Ok(Input::Revoked { partitions: vec![partition], lost: false });
            }
            Some(Step::OutOfRange) => return Ok(Input::OutOfRange),
            Some(Step::Wait(time)) => self.clock.advance(time),
            Some(Step::StorageLeaves(time)) => self.storage.leave(self.clock.elapsed() + time),
            Some(Step::Retention(low)) => self.low = low,
            Some(Step::Stop) => self.is_stopped = true,
            Some(Step::Read(to)) => {
                let mut batch = Batch::new(partition, self.clock.now());
                for offset in (self.position..to).map(Offset) {
                    let (next, key, payload) = (offset.next(), None, None);
                    let kafka_time = None;
                    batch.push(&NewRecord { offset, next, kafka_time, key, payload }, []);
                }
                self.position = self.position.max(to);
                return Ok(Input::Batch(batch));
            }
        }
        Ok(Input::Idle)
    }

    fn bounds(&mut self, _: &Partition) -> Result<Bounds, SourceError> {
        if self.is_stopped {
            return Err(SourceError::Stopped);
        }
        Ok(Bounds { low: Offset(self.low), high: Offset(100) })
    }

    fn offset_at(&mut self, _: &Partition, _: KafkaTime) -> Result<Offset, SourceError> {
        Ok(Offset(self.low))
    }

    fn assign(&mut self, starts: &Progress) -> Result<(), SourceError> {
        self.position = starts.iter().next().map_or(0, |(_, next)| next.0);
        Ok(())
    }

    fn unassign(&mut self, _: &[Partition]) -> Result<(), SourceError> {
        Ok(())
    }

    fn pause(&mut self, _: bool) -> Result<(), SourceError> {
        Ok(())
    }

    fn acknowledge(&mut self, _: &Committed) {}
}

/// Runs a story over an empty table, and returns how it ended and how many rows the table has then.
fn tell(steps: Vec<Step>) -> (Ended, usize) {
    let storage = Arc::new(Storage::default());
    let clock = Arc::new(SimulatedClock::default());
    let fate = Arc::new(Fate::new(0, true, None));
    let life = Arc::new(Life::new(0, Arc::clone(&fate), 0, None));
    let source = Script {
        steps: steps.into_iter(),
        storage: Arc::clone(&storage),
        clock: Arc::clone(&clock),
        position: 0,
        low: 0,
        is_stopped: false,
    };
    let archive = MemoryArchive::open(Arc::clone(&storage), Arc::clone(&clock), life);
    let clock: Arc<dyn Clock> = clock;
    let workers = Workers::inline(MemoryRows::default(), Arc::clone(&clock));
    let outbox = Outbox::inline(Vec::new(), &clock);
    let mut runner =
        Runner::new(source, Writer::inline(archive), workers, outbox, settings(), clock);
    let ended = runner.run(&AtomicBool::new(false));
    assert_eq!(fate.violation(), None);
    (ended.expect("the loop has failed"), locked(&storage.table).rows().len())
}

/// Records are read, and storage goes away for longer than a last checkpoint waits.
fn outage() -> Vec<Step> {
    vec![
        Step::Assign,
        Step::Read(2),
        Step::StorageLeaves(Duration::from_secs(20)),
        Step::Wait(Duration::from_secs(2)),
        Step::Wait(Duration::from_secs(1)),
        Step::Read(4),
    ]
}

#[test]
fn a_restart_after_a_loss_forgets_no_rows_in_memory() {
    let mut steps = outage();
    steps.extend([Step::Retention(1), Step::OutOfRange, Step::Read(4)]);
    assert_eq!(tell(steps), (Ended::SourceEnded, 4));
}

/// The partition is given up, but rows of it are in memory: nothing of this process may be committed any more.
#[test]
fn a_revocation_without_its_last_checkpoint_ends_the_process() {
    let mut steps = outage();
    steps.extend([Step::Revoke, Step::Assign, Step::Read(4)]);
    assert_eq!(tell(steps), (Ended::GaveUp, 0));
}

/// The process is told to stop while the broker is asked where a partition begins. What was read is committed.
#[test]
fn a_stop_in_the_middle_of_a_start_loses_nothing() {
    let steps = vec![Step::Assign, Step::Read(2), Step::Stop, Step::OutOfRange, Step::Read(4)];
    assert_eq!(tell(steps), (Ended::Stopped, 2));
    assert_eq!(tell(vec![Step::Stop, Step::Assign]), (Ended::Stopped, 0));
}
