//! A consumer group's member as a source of records.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dataward_event::position::{Offset, Partition, Progress};
use dataward_event::time::{IngestTime, KafkaTime};
use dataward_pipeline::archive::Committed;
use dataward_pipeline::batch::{Batch, NewRecord};
use dataward_pipeline::clock::Clock;
use dataward_pipeline::record_source::{Bounds, Heard, Input, RecordSource, SourceError};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use crate::config::{self, ConfigError, Properties};
use crate::contact::{Contact, is_absence, is_refusal, is_without_topic};

/// The most records taken from librdkafka before they are handed on.
const BATCH_RECORDS: usize = 1_000;
/// The size at which they are handed on, in bytes.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long the broker may take to answer a question about offsets or topics: no longer than somebody who wants the
/// process to stop would wait, or the loop may stand still.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// What librdkafka logs with every attempt: what fails at a connection comes as an error, too, and an acknowledgement is
/// a gauge for others.
const TOLD_OTHERWISE: [&str; 3] = ["FAIL", "REQTMOUT", "COMMITFAIL"];
/// How long its complaints are listened to before it is asked again.
const COMPLAINTS: Duration = Duration::from_millis(100);
/// How long no broker may let us in before that is the end. A secret that is changed while we run is refused for good; a
/// cluster that is restarted may refuse it for a moment.
const REFUSED_PATIENCE: Duration = Duration::from_secs(10);
/// How long leaving the group may take.
const CLOSING: Duration = Duration::from_secs(3);

/// A member of a consumer group.
///
/// Every change of its assignment is incremental: the strategy is cooperative and ours to choose (`config.rs`), and with
/// `group.protocol=consumer` there is no other. Before the group has agreed on anything librdkafka takes it, too.
pub struct KafkaSource {
    consumer: Membership,
    topics: BTreeMap<String, (Arc<str>, u32)>,
    ready: VecDeque<Input>,
    assigned: BTreeSet<Partition>,
    /// What the group takes from us, and the loop has not given up yet: librdkafka waits for it, even to end.
    revoked: Vec<Partition>,
    /// The loop has not answered the last assignment.
    is_assignment_open: bool,
    /// The size of the batches that were gathered last, in bytes.
    typical_bytes: usize,
    clock: Arc<dyn Clock>,
    /// Whoever waits for a broker looks at it.
    stop: Arc<AtomicBool>,
}

/// What is to be consumed.
pub struct Subscription<'a> {
    /// The topics, each with its incarnation.
    pub topics: &'a [(String, u32)],
    /// librdkafka's settings; `bootstrap.servers` and `group.id` among them.
    pub properties: &'a Properties,
}

/// Keeps what librdkafka tells by callback until the loop asks.
#[derive(Default)]
struct Context {
    events: Mutex<VecDeque<GroupEvent>>,
    /// The loop is gone: nobody will answer the group but we.
    is_closing: AtomicBool,
    /// Whether a broker answers, and lets us in.
    contact: Contact,
    /// What it has told of brokers and offsets, until somebody asks.
    statistics: Mutex<Option<Statistics>>,
}

enum GroupEvent {
    Assigned(Vec<(String, i32)>),
    Revoked { partitions: Vec<(String, i32)>, lost: bool },
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "{message}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning
                if !TOLD_OTHERWISE.contains(&facility) && !self.contact.is_away() =>
            {
                tracing::warn!(facility, "{message}");
            }
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn stats(&self, statistics: Statistics) {
        self.contact.heard(answers(&statistics));
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner) = Some(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.contact.complaint(&error, reason);
    }
}

impl ConsumerContext for Context {
    /// Only notes the event: librdkafka waits until `assign` or `unassign` is called, which the loop does once it has
    /// asked the table.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        if self.is_closing.load(Ordering::Relaxed) {
            let is_gift = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
            // What is given now must be taken, as nothing, before it can be taken from us.
            let result = if is_gift {
                consumer.incremental_assign(&TopicPartitionList::new())
            } else {
                consumer.incremental_unassign(list)
            };
            if let Err(error) = result {
                tracing::debug!(%error, "failed to answer the group while leaving it");
            }
            return;
        }
        let elements = list.elements();
        let partitions =
            elements.iter().map(|e| (e.topic().to_owned(), e.partition())).collect::<Vec<_>>();
        let event = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                GroupEvent::Assigned(partitions)
            }
            _ => GroupEvent::Revoked { partitions, lost: consumer.assignment_lost() },
        };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }
}

impl KafkaSource {
    /// Connects, and checks that the topics exist: waits until a broker answers. The group is joined by
    /// [`begin`](RecordSource::begin).
    ///
    /// # Errors
    /// [`SourceError::Fatal`] for a setting that librdkafka refuses, credentials that the broker refuses, or a topic that
    /// does not exist, [`SourceError::Stopped`] if `stop` was set before a broker answered.
    pub fn connect(
        subscription: &Subscription<'_>,
        clock: Arc<dyn Clock>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, SourceError> {
        let fatal = |error: ConfigError| SourceError::Fatal(error.to_string());
        let config = config::consumer(subscription.properties).map_err(fatal)?;
        let context = Context::default();
        let consumer: BaseConsumer<Context> = config
            .create_with_context(context)
            .map_err(|error| fatal(ConfigError::Refused(error)))?;
        let topics: BTreeMap<String, (Arc<str>, u32)> = subscription
            .topics
            .iter()
            .map(|(name, incarnation)| (name.clone(), (Arc::from(name.as_str()), *incarnation)))
            .collect();
        for name in topics.keys() {
            check_topic(&consumer, name, &stop)?;
        }
        let (ready, assigned, revoked) = (VecDeque::new(), BTreeSet::new(), Vec::new());
        Ok(Self {
            consumer: Membership(Some(consumer)),
            topics,
            ready,
            assigned,
            revoked,
            is_assignment_open: false,
            typical_bytes: 0,
            clock,
            stop,
        })
    }

    fn partition(&self, topic: &str, number: i32) -> Partition {
        let (topic, incarnation) =
            self.topics.get(topic).cloned().unwrap_or_else(|| (Arc::from(topic), 0));
        Partition { topic, incarnation, number }
    }

    fn partitions(&self, list: &[(String, i32)]) -> Vec<Partition> {
        list.iter().map(|(topic, number)| self.partition(topic, *number)).collect()
    }

    /// Records and group events in the order in which they came.
    fn gather(&mut self, timeout: Duration) -> Result<(), SourceError> {
        let mut batches = Batches::new(self.clock.now(), self.typical_bytes);
        let mut wait = timeout;
        let result = loop {
            let polled = self.consumer.poll(wait);
            wait = Duration::ZERO;
            match polled {
                Some(Ok(message)) => {
                    batches.push(&message, |topic, number| self.partition(topic, number));
                    if batches.records >= BATCH_RECORDS || batches.bytes >= BATCH_BYTES {
                        break Ok(());
                    }
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
            if self.has_group_events() {
                break Ok(());
            }
        };
        self.typical_bytes = batches.typical_bytes().unwrap_or(self.typical_bytes);
        self.ready.extend(batches.into_inputs());
        self.take_group_events();
        match result {
            Ok(()) => Ok(()),
            Err(error) => self.consume_error(error),
        }
    }

    fn has_group_events(&self) -> bool {
        let events = &self.consumer.context().events;
        !events.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn take_group_events(&mut self) {
        let events = {
            let context = Arc::clone(self.consumer.context());
            let mut events = context.events.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *events)
        };
        for event in events {
            let input = match event {
                GroupEvent::Assigned(list) => {
                    self.is_assignment_open = true;
                    Input::Assigned(self.partitions(&list))
                }
                GroupEvent::Revoked { partitions, lost } => {
                    self.revoked = self.partitions(&partitions);
                    Input::Revoked { partitions: self.revoked.clone(), lost }
                }
            };
            self.ready.push_back(input);
        }
    }

    fn consume_error(&mut self, error: KafkaError) -> Result<(), SourceError> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                self.ready.push_back(Input::OutOfRange);
                Ok(())
            }
            Some(RDKafkaErrorCode::FencedInstanceId) => {
                let text = format!("a successor has our group.instance.id: {error}");
                Err(SourceError::Fenced(text))
            }
            // librdkafka keeps trying by itself, and `contact` has it.
            Some(code) if is_absence(code) || is_refusal(code) || is_without_topic(code) => Ok(()),
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::Fatal,
            ) => Err(SourceError::Fatal(format!("Kafka refuses us: {error}"))),
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                Err(SourceError::Fatal(format!("Kafka refuses us: {error}")))
            }
            _ => Err(SourceError::Unavailable(error.to_string())),
        }
    }

    /// What a question without an answer means: whoever wants us to stop has more weight.
    fn unanswered(&self, what: &'static str) -> impl FnOnce(KafkaError) -> SourceError {
        let is_stopped = self.stop.load(Ordering::Relaxed);
        move |error| if is_stopped { SourceError::Stopped } else { failed(what)(error) }
    }

    /// Records of partitions that start elsewhere now must not come any more.
    fn forget(&mut self, partitions: &BTreeSet<Partition>) {
        self.ready.retain(|input| match input {
            Input::Batch(batch) => !partitions.contains(batch.partition()),
            _ => true,
        });
    }
}

impl RecordSource for KafkaSource {
    fn begin(&mut self) -> Result<(), SourceError> {
        let names: Vec<&str> = self.topics.keys().map(String::as_str).collect();
        self.consumer.subscribe(&names).map_err(failed("join the consumer group"))
    }

    fn poll(&mut self, timeout: Duration) -> Result<Input, SourceError> {
        if self.ready.is_empty() {
            self.gather(timeout)?;
        }
        if let Some(reason) = self.consumer.context().contact.refused_for(REFUSED_PATIENCE) {
            return Err(SourceError::Fatal(reason));
        }
        Ok(self.ready.pop_front().unwrap_or(Input::Idle))
    }

    fn bounds(&mut self, partition: &Partition) -> Result<Bounds, SourceError> {
        let asked = self.consumer.fetch_watermarks(&partition.topic, partition.number, ASK_TIMEOUT);
        let (low, high) = asked.map_err(self.unanswered("ask for the offsets of a partition"))?;
        Ok(Bounds { low: Offset(low), high: Offset(high) })
    }

    fn offset_at(&mut self, partition: &Partition, time: KafkaTime) -> Result<Offset, SourceError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(
            &partition.topic,
            partition.number,
            KafkaOffset::Offset(time.millis()),
        )
        .map_err(failed("ask for the offset of a time"))?;
        let asked = self.consumer.offsets_for_times(list, ASK_TIMEOUT);
        let found = asked.map_err(self.unanswered("ask for the offset of a time"))?;
        match found.find_partition(&partition.topic, partition.number).map(|e| e.offset()) {
            Some(KafkaOffset::Offset(offset)) => Ok(Offset(offset)),
            // No record is that young: begin after the last one.
            _ => Ok(self.bounds(partition)?.high),
        }
    }

    fn assign(&mut self, starts: &Progress) -> Result<(), SourceError> {
        let partitions: BTreeSet<Partition> = starts.iter().map(|(p, _)| p.clone()).collect();
        self.forget(&partitions);
        let again: Vec<Partition> = partitions.intersection(&self.assigned).cloned().collect();
        if !again.is_empty() {
            let list = list_of_partitions(&again);
            self.consumer.incremental_unassign(&list).map_err(failed("restart partitions"))?;
        }
        let list = list_of(starts)?;
        self.consumer.incremental_assign(&list).map_err(failed("assign partitions"))?;
        self.assigned.extend(partitions);
        self.is_assignment_open = false;
        Ok(())
    }

    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), SourceError> {
        let gone: BTreeSet<Partition> = partitions.iter().cloned().collect();
        self.forget(&gone);
        self.revoked.retain(|partition| !gone.contains(partition));
        self.assigned.retain(|partition| !gone.contains(partition));
        let list = list_of_partitions(partitions);
        self.consumer.incremental_unassign(&list).map_err(failed("give partitions up"))
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        let list = list_of_partitions(&self.assigned.iter().cloned().collect::<Vec<_>>());
        let result = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        result.map_err(failed("pause or resume reading"))
    }

    fn heard(&mut self) -> Option<Heard> {
        let context = self.consumer.context();
        let statistics =
            context.statistics.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let mut heard = Heard { answers: answers(&statistics), ..Heard::default() };
        for (name, topic) in &statistics.topics {
            for (number, partition) in &topic.partitions {
                let (low, high) = (partition.lo_offset, partition.hi_offset);
                // Negative: nothing is known of it yet, or it is librdkafka's own.
                if *number >= 0 && low >= 0 && high >= 0 {
                    let bounds = Bounds { low: Offset(low), high: Offset(high) };
                    heard.bounds.insert(self.partition(name, *number), bounds);
                }
            }
        }
        Some(heard)
    }

    fn acknowledge(&mut self, committed: &Committed) {
        let mut list = TopicPartitionList::new();
        for (partition, next) in committed.progress().iter() {
            if self.assigned.contains(partition) {
                let offset = KafkaOffset::Offset(next.0);
                if list.add_partition_offset(&partition.topic, partition.number, offset).is_err() {
                    return;
                }
            }
        }
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, CommitMode::Async)
        {
            // A gauge for others; progress is in the table.
            tracing::debug!(%error, "failed to acknowledge to Kafka");
        }
    }
}

impl Drop for KafkaSource {
    /// Leaving the group takes partitions from us once more; the consumer's own end waits until they are given up. So it
    /// does for a question of the group that the loop has not answered, because it ended before.
    fn drop(&mut self) {
        self.consumer.context().is_closing.store(true, Ordering::Relaxed);
        self.take_group_events();
        if self.is_assignment_open
            && let Err(error) = self.assign(&Progress::new())
        {
            tracing::debug!(%error, "failed to answer an assignment at the end");
        }
        let revoked = std::mem::take(&mut self.revoked);
        if !revoked.is_empty()
            && let Err(error) = self.unassign(&revoked)
        {
            tracing::debug!(%error, "failed to give partitions up at the end");
        }
    }
}

/// The consumer, whose end waits for nobody who is not there. librdkafka itself would wait a whole session for a
/// coordinator to take the last acknowledgement.
struct Membership(Option<BaseConsumer<Context>>);

impl Deref for Membership {
    type Target = BaseConsumer<Context>;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("only its end takes it")
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let consumer = self.0.take();
        let thread = std::thread::Builder::new().name("kafka-closing".to_owned());
        // Where the system refuses a thread the consumer ends here.
        let Ok(closing) = thread.spawn(move || drop(consumer)) else { return };
        let until = Instant::now() + CLOSING;
        while !closing.is_finished() {
            if Instant::now() >= until {
                tracing::warn!("left the group without its answer: the coordinator is away");
                return;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

/// Batches in the making, one for each partition.
struct Batches {
    /// Few, and the last one is nearly always the next one: records come in runs of one partition.
    batches: Vec<Batch>,
    typical_bytes: usize,
    ingest_time: IngestTime,
    records: usize,
    bytes: usize,
}

impl Batches {
    fn new(ingest_time: IngestTime, typical_bytes: usize) -> Self {
        Self { batches: Vec::new(), typical_bytes, ingest_time, records: 0, bytes: 0 }
    }

    /// The mean size of a batch, in bytes.
    fn typical_bytes(&self) -> Option<usize> {
        self.bytes.checked_div(self.batches.len())
    }

    fn push(&mut self, message: &BorrowedMessage<'_>, partition: impl Fn(&str, i32) -> Partition) {
        let (topic, number) = (message.topic(), message.partition());
        let is_here = |batch: &Batch| {
            batch.partition().number == number && *batch.partition().topic == *topic
        };
        let place = self.batches.iter().rposition(is_here).unwrap_or_else(|| {
            let partition = partition(topic, number);
            // A buffer that grows is copied; one that is a little too large is not.
            let room = self.typical_bytes + self.typical_bytes / 4;
            self.batches.push(Batch::with_capacity(partition, self.ingest_time, room));
            self.batches.len() - 1
        });
        let batch = &mut self.batches[place];
        let offset = Offset(message.offset());
        let record = NewRecord {
            offset,
            next: offset.next(),
            kafka_time: message.timestamp().to_millis().map(KafkaTime::from_millis),
            key: message.key(),
            payload: message.payload(),
        };
        let headers = message.headers();
        let headers = headers.iter().flat_map(|headers| headers.iter());
        batch.push(&record, headers.map(|header| (header.key, header.value)));
        self.records += 1;
        self.bytes += message.payload_len();
    }

    fn into_inputs(self) -> impl Iterator<Item = Input> {
        self.batches.into_iter().map(Input::Batch)
    }
}

/// Whether some broker has let us in.
fn answers(statistics: &Statistics) -> bool {
    let is_up = |state: &str| state == "UP" || state == "UPDATE";
    statistics.brokers.values().any(|broker| is_up(&broker.state))
}

/// Waits until a broker answers, and asks it for a topic.
fn check_topic(
    consumer: &BaseConsumer<Context>,
    name: &str,
    stop: &AtomicBool,
) -> Result<(), SourceError> {
    let metadata = loop {
        if stop.load(Ordering::Relaxed) {
            return Err(SourceError::Stopped);
        }
        // Nothing is subscribed yet: what comes are complaints, which go their own way.
        let _ = consumer.poll(COMPLAINTS);
        if let Some(reason) = consumer.context().contact.refused_for(Duration::ZERO) {
            return Err(SourceError::Fatal(reason));
        }
        match consumer.fetch_metadata(Some(name), ASK_TIMEOUT) {
            Ok(metadata) => break metadata,
            Err(error) if error.rdkafka_error_code().is_some_and(is_absence) => {}
            // Whatever it says of its own end, ours is wanted.
            Err(_) if stop.load(Ordering::Relaxed) => return Err(SourceError::Stopped),
            Err(error) => return Err(failed("ask for a topic")(error)),
        }
    };
    let topic = metadata.topics().iter().find(|topic| topic.name() == name);
    let is_there = topic.is_some_and(|t| t.error().is_none() && !t.partitions().is_empty());
    if is_there {
        return Ok(());
    }
    Err(SourceError::Fatal(format!(
        "topic {name} does not exist, or we may not read it: create it, grant READ and DESCRIBE on it, or correct its \
         name in [[topics]]"
    )))
}

fn list_of(starts: &Progress) -> Result<TopicPartitionList, SourceError> {
    let mut list = TopicPartitionList::new();
    for (partition, next) in starts.iter() {
        let offset = KafkaOffset::Offset(next.0);
        list.add_partition_offset(&partition.topic, partition.number, offset)
            .map_err(failed("assign partitions"))?;
    }
    Ok(list)
}

fn list_of_partitions(partitions: &[Partition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.number);
    }
    list
}

fn failed(deed: &'static str) -> impl Fn(KafkaError) -> SourceError {
    move |error| SourceError::Unavailable(format!("failed to {deed}: {error}"))
}
