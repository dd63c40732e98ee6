//! The loop on real threads with hardly any memory: it pauses its source, resumes it, and loses nothing.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
use dataward_simulation::judge;
use dataward_simulation::memory_archive::{MemoryArchive, Storage};
use dataward_simulation::memory_rows::MemoryRows;
use dataward_sources::source::Source;

const PARTITIONS: i32 = 3;
const RECORDS: i64 = 120;
const BATCH: i64 = 10;
/// One batch fills it.
const BUFFER_BYTES: usize = 1_000;
const DEADLINE: Duration = Duration::from_secs(60);

/// Partitions of empty records, turn by turn, unless it is paused.
struct Tap {
    next: [i64; PARTITIONS as usize],
    turn: usize,
    is_assigned: bool,
    is_paused: bool,
    pauses: Arc<Mutex<Vec<bool>>>,
    clock: Arc<dyn Clock>,
    until: Instant,
}

impl RecordSource for Tap {
    fn poll(&mut self, _: Duration) -> Result<Input, SourceError> {
        assert!(Instant::now() < self.until, "paused for ever: {:?}", locked(&self.pauses));
        if !self.is_assigned {
            return Ok(Input::Assigned((0..PARTITIONS).map(partition).collect()));
        }
        if self.is_paused {
            return Ok(Input::Idle);
        }
        self.turn = (self.turn + 1) % self.next.len();
        let next = &mut self.next[self.turn];
        if *next == RECORDS {
            let is_over = self.next.iter().all(|next| *next == RECORDS);
            return Ok(if is_over { Input::End } else { Input::Idle });
        }
        let mut batch = Batch::new(partition(self.turn as i32), self.clock.now());
        for offset in (*next..*next + BATCH).map(Offset) {
            let (next, kafka_time, key) = (offset.next(), None, None);
            let payload = Some(&b"nothing that anybody could read"[..]);
            batch.push(&NewRecord { offset, next, kafka_time, key, payload }, []);
        }
        *next += BATCH;
        Ok(Input::Batch(batch))
    }

    fn bounds(&mut self, _: &Partition) -> Result<Bounds, SourceError> {
        Ok(Bounds { low: Offset(0), high: Offset(RECORDS) })
    }

    fn offset_at(&mut self, _: &Partition, _: KafkaTime) -> Result<Offset, SourceError> {
        Ok(Offset(0))
    }

    fn assign(&mut self, _: &Progress) -> Result<(), SourceError> {
        self.is_assigned = true;
        Ok(())
    }

    fn unassign(&mut self, _: &[Partition]) -> Result<(), SourceError> {
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        assert_ne!(self.is_paused, paused, "it is told only what is new");
        self.is_paused = paused;
        locked(&self.pauses).push(paused);
        Ok(())
    }

    fn acknowledge(&mut self, _: &Committed) {}
}

fn partition(number: i32) -> Partition {
    Partition::new("audit", number)
}

#[test]
fn a_full_buffer_pauses_the_source_and_nothing_is_lost() {
    let (storage, ticking) = (Arc::new(Storage::default()), Arc::new(SimulatedClock::default()));
    let clock: Arc<dyn Clock> = Arc::clone(&ticking) as Arc<dyn Clock>;
    let fate = Arc::new(Fate::new(0, true, None));
    let life = Arc::new(Life::new(0, Arc::clone(&fate), 0, None));
    let pauses = Arc::<Mutex<Vec<bool>>>::default();
    let source = Tap {
        next: [0; PARTITIONS as usize],
        turn: 0,
        is_assigned: false,
        is_paused: false,
        pauses: Arc::clone(&pauses),
        clock: Arc::clone(&clock),
        until: Instant::now() + DEADLINE,
    };
    let topic = TopicSettings::new(Source::Ocsf, RawPolicy::All);
    let settings = Settings {
        context: Some(Arc::new(judge::context())),
        topics: [("audit".to_owned(), topic)].into(),
        flush_interval: Duration::from_secs(1),
        checkpoint_bytes: 1 << 20,
        buffer_bytes: BUFFER_BYTES,
        snapshot_interval: Duration::from_secs(60),
        start_at: StartAt::Earliest,
        on_gap: OnGap::Record,
        retry_interval: Duration::from_millis(100),
        listening: ListeningSettings::default(),
    };
    let archive = MemoryArchive::open(Arc::clone(&storage), ticking, life);
    let rows = (0..2).map(|_| MemoryRows::default()).collect();
    let workers = Workers::threads(rows, &clock).unwrap();
    let (writer, outbox) = (Writer::thread(archive).unwrap(), Outbox::inline(Vec::new(), &clock));
    let mut runner = Runner::new(source, writer, workers, outbox, settings, clock);

    let ended = runner.run(&AtomicBool::new(false)).expect("the loop has failed");
    assert_eq!((ended, fate.violation()), (Ended::SourceEnded, None));
    assert_eq!(runner.status().tally.records, (RECORDS * i64::from(PARTITIONS)) as u64);
    let table = locked(&storage.table);
    for number in 0..PARTITIONS {
        assert_eq!(table.next(&partition(number)), Some(Offset(RECORDS)));
    }
    // It read on only because it was resumed, again and again.
    let pauses = locked(&pauses);
    let resumed = pauses.iter().filter(|paused| !**paused).count();
    assert!(resumed > 10, "{pauses:?}");
}
