//! Records of one partition, in order, in one piece of memory.

use std::ops::Range;

use dataward_event::position::{Offset, Partition};
use dataward_event::time::{IngestTime, KafkaTime};

use crate::archive::OperatorRow;

/// Consecutive records of one partition.
///
/// The bytes of all records lie in one buffer: filling it is one copy a record and no allocation, and the events of
/// the batch borrow from it.
#[derive(Debug)]
pub struct Batch {
    partition: Partition,
    ingest_time: IngestTime,
    bytes: Vec<u8>,
    heads: Vec<Head>,
    deed: Option<OperatorRow>,
}

#[derive(Debug)]
struct Head {
    offset: Offset,
    next: Offset,
    kafka_time: Option<KafkaTime>,
    key: Option<Range<usize>>,
    payload: Option<Range<usize>>,
    headers: Vec<(Range<usize>, Option<Range<usize>>)>,
}

/// One record of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchRecord<'a> {
    batch: &'a Batch,
    head: &'a Head,
}

/// What a source knows of one record when it fills a batch.
#[derive(Debug)]
pub struct NewRecord<'a> {
    /// Its offset.
    pub offset: Offset,
    /// The offset that follows it: `offset + 1` in Kafka, the next byte offset in a file.
    pub next: Offset,
    /// The transport's timestamp.
    pub kafka_time: Option<KafkaTime>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
}

impl Batch {
    /// An empty batch.
    pub fn new(partition: Partition, ingest_time: IngestTime) -> Self {
        Self { partition, ingest_time, bytes: Vec::new(), heads: Vec::new(), deed: None }
    }

    /// An empty batch with room for so many bytes.
    pub fn with_capacity(partition: Partition, ingest_time: IngestTime, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::new(partition, ingest_time) }
    }

    /// Adds a record.
    pub fn push<'h>(
        &mut self,
        record: &NewRecord<'_>,
        headers: impl IntoIterator<Item = (&'h str, Option<&'h [u8]>)>,
    ) {
        let mut copy = |part: &[u8]| {
            let from = self.bytes.len();
            self.bytes.extend_from_slice(part);
            from..self.bytes.len()
        };
        let head = Head {
            offset: record.offset,
            next: record.next,
            kafka_time: record.kafka_time,
            key: record.key.map(&mut copy),
            payload: record.payload.map(&mut copy),
            headers: headers
                .into_iter()
                .map(|(name, value)| (copy(name.as_bytes()), value.map(&mut copy)))
                .collect(),
        };
        self.heads.push(head);
    }

    /// Ties an operator's deed to this batch: its row comes in the very commit that holds the batch.
    pub fn set_deed(&mut self, deed: OperatorRow) {
        self.deed = Some(deed);
    }

    /// The deed that came with it.
    pub fn deed(&self) -> Option<&OperatorRow> {
        self.deed.as_ref()
    }

    /// The partition of all its records.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// When the records were taken in.
    pub fn ingest_time(&self) -> IngestTime {
        self.ingest_time
    }

    /// The memory its records take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.heads.len() * size_of::<Head>()
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The offset after the last record.
    pub fn next(&self) -> Option<Offset> {
        self.heads.last().map(|head| head.next)
    }

    /// The records in order.
    pub fn records(&self) -> impl Iterator<Item = BatchRecord<'_>> {
        self.heads.iter().map(|head| BatchRecord { batch: self, head })
    }
}

impl<'a> BatchRecord<'a> {
    /// Its offset.
    pub fn offset(&self) -> Offset {
        self.head.offset
    }

    /// The offset that follows it.
    pub fn next(&self) -> Offset {
        self.head.next
    }

    /// The transport's timestamp.
    pub fn kafka_time(&self) -> Option<KafkaTime> {
        self.head.kafka_time
    }

    /// The key.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.head.key.clone().map(|range| &self.batch.bytes[range])
    }

    /// The value; `None` is a tombstone.
    pub fn payload(&self) -> Option<&'a [u8]> {
        self.head.payload.clone().map(|range| &self.batch.bytes[range])
    }

    /// The headers in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let bytes = &self.batch.bytes;
        self.head
            .headers
            .iter()
            .map(move |(name, value)| (&bytes[name.clone()], value.clone().map(|v| &bytes[v])))
    }
}
