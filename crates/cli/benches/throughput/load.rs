//! The topic, filled once: ordinary traffic, and at the end of each partition a removal that says it is read.

use std::time::Duration;

use dataward_event::time::EventTime;
use dataward_simulation::broker::Broker;
use dataward_simulation::cloudtrail::{Message, Traffic, control_plane, with_bucket};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::json;

/// The partitions of every topic here.
pub(crate) const PARTITIONS: i32 = 16;
/// The bucket whose block is removed when a partition has been read to its end.
pub(crate) const END: &str = "end-of-partition";
const SEED: u64 = 17;
const ACTORS: usize = 2_000;
const BUCKETS: usize = 500;
/// Events of one day: the clock of the traffic starts at noon of it.
const NOON: &str = "2026-03-02T12:00:00Z";
const PATIENCE: Duration = Duration::from_secs(60);

/// A topic and what is in it.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    /// The events, the ends of the partitions included.
    pub(crate) events: usize,
    /// The mean size of an event, in bytes.
    pub(crate) event_bytes: f64,
}

impl Topic {
    /// A topic with so many events and the end of each partition.
    pub(crate) fn filled(broker: &Broker, name: &str, events: usize) -> Self {
        create(broker, name);
        let sender = Sender::to(broker, name, 100);
        let mut traffic = ordinary_traffic();
        let mut bytes = 0;
        for number in 0..events {
            let message = traffic.message(time_of(number, 2_000));
            bytes += message.payload.len();
            sender.send(&message, None);
        }
        for partition in 0..PARTITIONS {
            let message = removal(&mut traffic, &format!("{END}-{partition:02}"), events);
            sender.send(&message, Some(partition));
        }
        sender.flush();
        let events = events + PARTITIONS as usize;
        Self { name: name.to_owned(), events, event_bytes: bytes as f64 / events as f64 }
    }
}

/// What goes on in a company.
pub(crate) fn ordinary_traffic() -> Traffic {
    Traffic::new(SEED, ACTORS, BUCKETS)
}

/// The time of an event: so many come in a second of the story.
pub(crate) fn time_of(number: usize, per_second: usize) -> EventTime {
    let noon = EventTime::parse_rfc3339(NOON).expect("a time");
    EventTime::from_micros(noon.micros() + (number * 1_000_000 / per_second) as i64)
}

/// Somebody takes a bucket's protection away.
pub(crate) fn removal(traffic: &mut Traffic, bucket: &str, number: usize) -> Message {
    let call = control_plane(
        "s3.amazonaws.com",
        "DeleteBucketPublicAccessBlock",
        &with_bucket(json!({ "publicAccessBlock": "" }), bucket),
    );
    traffic.told_by("operator", "198.51.100.7", call, time_of(number, 2_000))
}

/// Creates a topic that keeps what is old by its own time.
pub(crate) fn create(broker: &Broker, name: &str) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap_servers());
    let admin: AdminClient<DefaultClientContext> = config.create().expect("a client");
    let topic = NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1))
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1");
    let created = admin.create_topics([&topic], &AdminOptions::new());
    futures::executor::block_on(created).expect("an answer").remove(0).expect("a topic");
}

/// Sends records in zstd batches.
pub(crate) struct Sender {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Sender {
    /// A producer that waits so long for a batch to fill.
    pub(crate) fn to(broker: &Broker, topic: &str, linger_millis: u32) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", broker.bootstrap_servers())
            .set("enable.idempotence", "true")
            .set("compression.codec", "zstd")
            .set("linger.ms", linger_millis.to_string());
        Self { producer: config.create().expect("a producer"), topic: topic.to_owned() }
    }

    /// Sends a message, keyed by its actor.
    pub(crate) fn send(&self, message: &Message, partition: Option<i32>) {
        let mut record: BaseRecord<'_, str, str> =
            BaseRecord::to(&self.topic).key(message.key.as_str()).payload(message.payload.as_str());
        record.partition = partition;
        loop {
            match self.producer.send(record) {
                Ok(()) => return,
                Err((error, back)) if is_full(&error) => {
                    record = back;
                    std::thread::park_timeout(Duration::from_millis(5));
                }
                Err((error, _)) => panic!("the broker refuses a record: {error}"),
            }
        }
    }

    /// Waits until all have arrived.
    pub(crate) fn flush(&self) {
        self.producer.flush(PATIENCE).expect("all records arrive");
    }
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}
