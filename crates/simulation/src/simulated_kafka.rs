//! A consumer of a group on a simulated log: it rebalances, fails, and loses records to retention.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dataward_event::position::{Offset, Partition, Progress};
use dataward_event::time::KafkaTime;
use dataward_pipeline::archive::Committed;
use dataward_pipeline::batch::{Batch, NewRecord};
use dataward_pipeline::clock::Clock;
use dataward_pipeline::record_source::{Bounds, Heard, Input, RecordSource, SourceError};

use crate::clock::SimulatedClock;
use crate::fate::{Life, Mishap, Planted, locked};
use crate::memory_archive::Storage;
use crate::topic_log::TopicLog;

/// The polls without anything to do, once all is calm and read, after which the process is told to stop.
const CALM_POLLS: u32 = 30;
/// The most records of one batch.
const BATCH_MAX: usize = 40;

/// How harsh retention is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// It deletes only what is archived.
    Patient,
    /// It deletes what nobody has read.
    Harsh,
}

/// One process's consumer.
pub struct SimulatedKafka {
    log: Arc<Mutex<TopicLog>>,
    storage: Arc<Storage>,
    clock: Arc<SimulatedClock>,
    life: Arc<Life>,
    stop: Arc<AtomicBool>,
    retention: Retention,
    /// What is delivered, and from where.
    positions: BTreeMap<Partition, Offset>,
    /// Offered to the loop, or being taken from it: nothing of it is delivered.
    is_paused: bool,
    calm_polls: u32,
}

/// How long nothing comes in a silence: long enough for a timer.
const SILENCE: Duration = Duration::from_secs(2 * 3600);

impl SimulatedKafka {
    /// A consumer that sets `stop` when all is calm and everything is archived.
    pub fn join(
        log: Arc<Mutex<TopicLog>>,
        storage: Arc<Storage>,
        clock: Arc<SimulatedClock>,
        life: Arc<Life>,
        stop: Arc<AtomicBool>,
        retention: Retention,
    ) -> Self {
        let (positions, is_paused) = (BTreeMap::new(), false);
        Self { log, storage, clock, life, stop, retention, positions, is_paused, calm_polls: 0 }
    }

    fn answer(&self) -> Result<(), SourceError> {
        if self.life.may_die(2) {
            return Err(SourceError::Fatal("the process is dead".to_owned()));
        }
        if self.life.fate.strikes(Mishap::Source, 6) {
            return Err(SourceError::Unavailable("the broker does not answer".to_owned()));
        }
        Ok(())
    }

    /// The world goes on: records are produced, and deleted.
    fn pass_time(&self) {
        let mut log = locked(&self.log);
        let table = locked(&self.storage.table);
        if !log.is_complete() && log.is_consumed(|partition| table.next(partition)) {
            log.phase += 1;
        }
        // What is deleted while nothing can be archived is what hurts.
        let per_mille = match self.retention {
            Retention::Patient => 10,
            Retention::Harsh if self.storage.is_away(self.clock.elapsed()) => 150,
            Retention::Harsh => 10,
        };
        if !self.life.fate.strikes(Mishap::Retention, per_mille) {
            return;
        }
        let existing: Vec<Partition> = log.existing().map(|(p, _)| p.clone()).collect();
        let partition = &existing[self.life.fate.below(existing.len())];
        let next = table.next(partition).unwrap_or(Offset(0));
        let Some(bounds) = log.bounds(partition) else { return };
        let low = match self.retention {
            Retention::Patient => next,
            Retention::Harsh => {
                let room = usize::try_from(bounds.high.0 - bounds.low.0).unwrap_or(0);
                Offset(bounds.low.0 + self.life.fate.below(room + 1) as i64)
            }
        };
        if low > next {
            self.life.fate.count(Mishap::Loss);
        }
        log.expire(partition, low);
    }

    /// Somebody may set the wall clock: up to a day ahead, or back. It stays so.
    fn set_clock(&self) {
        let fate = &self.life.fate;
        if fate.strikes(Mishap::ClockSet, 10) {
            let seconds = fate.below(2 * 86_400) as i64 - 86_400;
            self.clock.set_wall_clock(seconds * 1_000_000);
        }
    }

    /// What the group wants of us now.
    fn group(&mut self) -> Option<Input> {
        let fate = &self.life.fate;
        let log = locked(&self.log);
        let mut free: Vec<Partition> = log
            .existing()
            .map(|(p, _)| p.clone())
            .filter(|p| !self.positions.contains_key(p))
            .collect();
        if !free.is_empty() && (fate.is_calm() || fate.below(4) == 0) {
            if !fate.is_calm() {
                fate.shuffle(&mut free);
                free.truncate(1 + fate.below(free.len()));
            }
            return Some(Input::Assigned(free));
        }
        let mut held: Vec<Partition> = self.positions.keys().cloned().collect();
        if !held.is_empty() && fate.strikes(Mishap::Revoked, 25) {
            fate.shuffle(&mut held);
            held.truncate(1 + fate.below(held.len()));
            let lost = fate.strikes(Mishap::Lost, 300);
            return Some(Input::Revoked { partitions: held, lost });
        }
        None
    }

    fn is_out_of_range(&self) -> bool {
        let log = locked(&self.log);
        self.positions.iter().any(|(partition, position)| {
            log.bounds(partition).is_some_and(|bounds| *position < bounds.low)
        })
    }

    /// Some records of some partition.
    fn fetch(&mut self) -> Option<Batch> {
        let log = locked(&self.log);
        let ready: Vec<(Partition, Offset)> = self
            .positions
            .iter()
            .filter(|(partition, position)| {
                log.bounds(partition).is_some_and(|b| b.low <= **position && **position < b.high)
            })
            .map(|(partition, position)| (partition.clone(), *position))
            .collect();
        if ready.is_empty() {
            return None;
        }
        let (partition, from) = ready[self.life.fate.below(ready.len())].clone();
        let high = log.bounds(&partition)?.high;
        let records = log.partitions.get(&partition)?;
        let wanted = match self.retention {
            Retention::Patient => 1 + self.life.fate.below(BATCH_MAX),
            // Slow enough for retention to overtake.
            Retention::Harsh => 1 + self.life.fate.below(BATCH_MAX) / 10,
        };
        let mut batch = Batch::new(partition.clone(), self.clock.now());
        let mut position = from;
        while position < high && batch.len() < wanted {
            let offset = position;
            position = position.next();
            let Some(record) = records.record(offset).filter(|record| !record.is_hole) else {
                continue;
            };
            let swallows = self.life.fate.has(Planted::SwallowsRecord);
            if swallows && !self.life.fate.is_calm() && self.life.fate.below(50) == 0 {
                continue;
            }
            let record = NewRecord {
                offset,
                next: offset.next(),
                kafka_time: Some(record.kafka_time),
                key: record.key.as_deref(),
                payload: record.payload.as_deref(),
            };
            batch.push(&record, [("origin", Some(&b"simulation"[..]))]);
        }
        self.positions.insert(partition, position);
        (!batch.is_empty()).then_some(batch)
    }

    fn idle(&mut self) -> Input {
        let millis = 1 + self.life.fate.below(400);
        self.clock.advance(Duration::from_millis(millis as u64));
        // A tick is an input of its own: what an undisturbed world finds could not be compared.
        if self.retention == Retention::Harsh && self.life.fate.strikes(Mishap::Silence, 20) {
            self.clock.advance(SILENCE);
        }
        let log = locked(&self.log);
        let table = locked(&self.storage.table);
        let is_over = self.life.fate.is_calm()
            && log.is_complete()
            && log.is_consumed(|partition| table.next(partition));
        self.calm_polls = if is_over { self.calm_polls + 1 } else { 0 };
        if self.calm_polls >= CALM_POLLS {
            self.stop.store(true, Ordering::Relaxed);
        }
        Input::Idle
    }
}

impl RecordSource for SimulatedKafka {
    fn poll(&mut self, _: Duration) -> Result<Input, SourceError> {
        if self.life.spend_poll() {
            return Err(SourceError::Fatal("the process is dead".to_owned()));
        }
        self.life.may_stall(3);
        self.clock.advance(Duration::from_millis(1 + self.life.fate.below(20) as u64));
        self.set_clock();
        self.answer()?;
        self.pass_time();
        if let Some(input) = self.group() {
            return Ok(input);
        }
        if self.is_out_of_range() && (self.life.fate.is_calm() || self.life.fate.below(3) == 0) {
            self.life.fate.count(Mishap::OutOfRange);
            return Ok(Input::OutOfRange);
        }
        if self.is_paused {
            self.life.fate.count(Mishap::Paused);
            return Ok(self.idle());
        }
        let rests = !self.life.fate.is_calm() && self.life.fate.below(3) == 0;
        if !rests && let Some(batch) = self.fetch() {
            return Ok(Input::Batch(batch));
        }
        Ok(self.idle())
    }

    fn heard(&mut self) -> Option<Heard> {
        let bounds = locked(&self.log);
        let bounds = self.positions.keys().filter_map(|partition| {
            bounds.bounds(partition).map(|bounds| (partition.clone(), bounds))
        });
        Some(Heard { answers: true, bounds: bounds.collect() })
    }

    fn bounds(&mut self, partition: &Partition) -> Result<Bounds, SourceError> {
        self.answer()?;
        let bounds = locked(&self.log).bounds(partition);
        bounds.ok_or_else(|| SourceError::Fatal(format!("there is no {partition}")))
    }

    fn offset_at(&mut self, partition: &Partition, _: KafkaTime) -> Result<Offset, SourceError> {
        self.bounds(partition).map(|bounds| bounds.low)
    }

    fn assign(&mut self, starts: &Progress) -> Result<(), SourceError> {
        self.answer()?;
        self.positions.extend(starts.iter().map(|(partition, next)| (partition.clone(), next)));
        Ok(())
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        self.answer()?;
        self.positions.retain(|partition, _| !partitions.contains(partition));
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        self.is_paused = paused;
        Ok(())
    }

    fn acknowledge(&mut self, committed: &Committed) {
        if self.life.is_dead() {
            return;
        }
        let table = locked(&self.storage.table);
        for (partition, next) in committed.progress().iter() {
            if table.next(partition).is_none_or(|archived| archived < next) {
                let text =
                    format!("I2: {partition} is acknowledged up to {next}, beyond the table");
                self.life.fate.violate(text);
            }
        }
    }
}
