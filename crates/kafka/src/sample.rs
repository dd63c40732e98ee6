//! The newest records of a topic, looked at as the loop would.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::{IngestTime, KafkaTime};
use dataward_pipeline::checkup::{Check, Verdict};
use dataward_sources::decode::Record;
use dataward_sources::source::decode;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use crate::checkup::{Looker, PATIENCE, TopicPlan, at};

/// How many records of each partition are looked at.
const RECORDS: i64 = 20;
/// How far the newest append time may be ahead of our clock.
const SKEW_MICROS: i64 = 60 * 1_000_000;
const DAY_MILLIS: i64 = 86_400_000;

/// What was seen of a topic.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    /// What it says.
    pub(crate) checks: Vec<Check>,
    /// Records looked at.
    records: u64,
    /// Their bytes.
    bytes: u64,
    unkeyed: u64,
    rejected: BTreeMap<&'static str, u64>,
    newest: Option<KafkaTime>,
    /// Records of the last day, by offsets.
    records_last_day: u64,
    partitions: u64,
}

impl Sample {
    /// The bytes that the last day brought, by the size of the records looked at.
    pub(crate) fn bytes_per_day(&self) -> Option<u64> {
        (self.records > 0).then(|| self.records_last_day.saturating_mul(self.bytes / self.records))
    }

    /// The same, for one partition of average size.
    pub(crate) fn partition_bytes_per_day(&self) -> Option<u64> {
        Some(self.bytes_per_day()? / self.partitions.max(1))
    }
}

/// Reads the newest records of each partition.
pub(crate) fn sample(
    looker: &Looker,
    topic: &TopicPlan<'_>,
    partitions: &[i32],
    now: IngestTime,
) -> Sample {
    let mut sample = Sample { partitions: partitions.len() as u64, ..Sample::default() };
    if let Err(error) = read(looker, topic, partitions, now, &mut sample) {
        let text = format!("its records cannot be read: {error}");
        let advice = "grant READ on the topic and on the group";
        let check = Check::found(Verdict::Problem, "kafka.read", topic.name, text, advice);
        sample.checks.push(check);
        return sample;
    }
    judge(topic, now, &mut sample);
    sample
}

fn read(
    looker: &Looker,
    topic: &TopicPlan<'_>,
    partitions: &[i32],
    now: IngestTime,
    sample: &mut Sample,
) -> Result<(), KafkaError> {
    let mut starts = TopicPartitionList::new();
    let mut left = 0;
    for partition in partitions {
        let (low, high) = looker.fetch_watermarks(topic.name, *partition, PATIENCE)?;
        let from = (high - RECORDS).max(low);
        if high > low {
            starts.add_partition_offset(topic.name, *partition, KafkaOffset::Offset(from))?;
            left += high - from;
        }
        let yesterday = KafkaOffset::Offset(now.millis() - DAY_MILLIS);
        let found = looker.offsets_for_times(at(topic.name, *partition, yesterday)?, PATIENCE)?;
        let element = found.find_partition(topic.name, *partition);
        if let Some(KafkaOffset::Offset(first)) = element.map(|element| element.offset()) {
            sample.records_last_day += u64::try_from(high - first.max(low)).unwrap_or(0);
        }
    }
    looker.assign(&starts)?;
    let until = Instant::now() + PATIENCE;
    // Transaction markers have offsets and are never delivered: then the patience ends it.
    while left > 0 && Instant::now() < until {
        match looker.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                left -= 1;
                look_at(topic, &message, sample);
            }
            Some(Err(error)) => return Err(error),
            None => {}
        }
    }
    looker.unassign()
}

fn look_at(topic: &TopicPlan<'_>, message: &impl Message, sample: &mut Sample) {
    let payload = message.payload().unwrap_or_default();
    let kafka_time = message.timestamp().to_millis().map(KafkaTime::from_millis);
    let partition = Partition::new(topic.name, message.partition());
    let position = Position { partition, offset: Offset(message.offset()), record_index: 0 };
    let decoded = decode(topic.source, Record { position: &position, kafka_time, payload });
    sample.records += 1;
    sample.bytes += payload.len() as u64;
    sample.unkeyed += u64::from(message.key().is_none());
    sample.newest = sample.newest.max(kafka_time);
    let faults = decoded.rejects.iter().filter(|reject| reject.reason.is_fault());
    if let Some(reject) = faults.map(|reject| reject.reason).next() {
        *sample.rejected.entry(reject.as_str()).or_default() += 1;
    }
}

fn judge(topic: &TopicPlan<'_>, now: IngestTime, sample: &mut Sample) {
    let name = topic.name;
    if sample.records == 0 {
        let text = "the topic is empty: its format and its keys cannot be judged";
        sample.checks.push(Check::found(Verdict::Note, "kafka.sample", name, text, ""));
        return;
    }
    let (records, rejected) = (sample.records, sample.rejected.values().sum::<u64>());
    let reasons: Vec<&str> = sample.rejected.keys().copied().collect();
    let source = topic.source.name();
    let text = format!(
        "{} of the {records} newest records are understood as {source}",
        records - rejected.min(records)
    );
    sample.checks.push(if rejected == 0 {
        Check::ok("kafka.sample", name, text)
    } else {
        let is_all = rejected >= records;
        let verdict = if is_all { Verdict::Problem } else { Verdict::Warning };
        let text = format!("{text}; the others: {}", reasons.join(", "));
        let advice =
            "bind the topic to another source (`dataward sources`), or to \"auto\" if it is mixed";
        Check::found(verdict, "kafka.sample", name, text, advice)
    });
    if topic.is_keyed {
        sample.checks.push(if sample.unkeyed == 0 {
            Check::ok("kafka.keys", name, "every record has a key")
        } else {
            let text = format!("{} of the {records} newest records have no key", sample.unkeyed);
            let advice = "have producers use the actor's id as key, or say keyed_by = \"none\": what is learned of \
                          an actor is split over partitions";
            Check::found(Verdict::Warning, "kafka.keys", name, text, advice)
        });
    }
    if let Some(newest) = sample.newest {
        let ahead = newest.micros() - now.micros();
        let text = format!("the newest record is of {newest}");
        sample.checks.push(if ahead > SKEW_MICROS {
            let text = format!("{text}, {} seconds ahead of our clock", ahead / 1_000_000);
            let advice = "set the clocks right here, at the broker and at its producers (NTP)";
            Check::found(Verdict::Warning, "kafka.clock", name, text, advice)
        } else {
            Check::ok("kafka.clock", name, text)
        });
    }
}
