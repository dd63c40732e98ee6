//! What lies in Kafka: records by offset, holes, and what retention has left of them.

use std::collections::BTreeMap;

use dataward_event::position::{Offset, Partition};
use dataward_event::time::KafkaTime;
use dataward_pipeline::record_source::Bounds;
use dataward_sources::source::Source;

/// One record.
#[derive(Debug, Clone)]
pub struct LogRecord {
    /// The phase of the story in which it is produced.
    pub phase: usize,
    /// Its timestamp.
    pub kafka_time: KafkaTime,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Kafka keeps the offset back: a transaction marker, or compacted away.
    pub is_hole: bool,
}

/// One partition.
#[derive(Debug, Clone)]
pub struct PartitionLog {
    /// How its records are read.
    pub source: Source,
    /// The records by offset.
    pub records: Vec<LogRecord>,
    /// The phase in which the partition is created.
    pub from_phase: usize,
    low: usize,
}

impl PartitionLog {
    /// An empty partition.
    pub fn new(source: Source, from_phase: usize) -> Self {
        Self { source, records: Vec::new(), from_phase, low: 0 }
    }

    /// The record at an offset.
    pub fn record(&self, offset: Offset) -> Option<&LogRecord> {
        usize::try_from(offset.0).ok().and_then(|index| self.records.get(index))
    }

    /// The first offset that retention has left.
    pub fn low(&self) -> Offset {
        Offset(as_offset(self.low))
    }

    fn high(&self, phase: usize) -> usize {
        self.records.partition_point(|record| record.phase <= phase)
    }

    /// The offset after the last record that is delivered.
    fn end(&self, phase: usize) -> usize {
        let produced = &self.records[..self.high(phase)];
        produced.iter().rposition(|record| !record.is_hole).map_or(0, |last| last + 1)
    }
}

/// All partitions, produced phase by phase: a phase begins when the one before it is archived, so that no event is
/// later than the lateness bound.
#[derive(Debug, Clone, Default)]
pub struct TopicLog {
    /// The partitions.
    pub partitions: BTreeMap<Partition, PartitionLog>,
    /// The phase that has been produced.
    pub phase: usize,
    /// How many phases there are.
    pub phases: usize,
}

impl TopicLog {
    /// The partitions that exist now.
    pub fn existing(&self) -> impl Iterator<Item = (&Partition, &PartitionLog)> {
        self.partitions.iter().filter(|(_, log)| log.from_phase <= self.phase)
    }

    /// The offsets that a partition holds now.
    pub fn bounds(&self, partition: &Partition) -> Option<Bounds> {
        let log = self.partitions.get(partition)?;
        let high = log.high(self.phase).max(log.low);
        Some(Bounds { low: log.low(), high: Offset(as_offset(high)) })
    }

    /// Whether everything that was produced lies before this progress.
    pub fn is_consumed(&self, next: impl Fn(&Partition) -> Option<Offset>) -> bool {
        self.existing().all(|(partition, log)| {
            let end = log.end(self.phase).max(log.low);
            next(partition).is_some_and(|next| next.0 >= as_offset(end))
        })
    }

    /// Whether all phases have been produced.
    pub fn is_complete(&self) -> bool {
        self.phase + 1 >= self.phases
    }

    /// Retention deletes what lies before an offset.
    pub fn expire(&mut self, partition: &Partition, low: Offset) {
        let phase = self.phase;
        if let Some(log) = self.partitions.get_mut(partition) {
            let wanted = usize::try_from(low.0).unwrap_or(0);
            log.low = wanted.min(log.high(phase)).max(log.low);
        }
    }
}

fn as_offset(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
