//! The broker of this test binary, and what goes to it and comes from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dataward_simulation::broker::Broker;
use dataward_simulation::cloudtrail::Message;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message as _};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, TopicPartitionList};
use serde_json::Value;

use super::archive::{committed, contents};
use super::process::{DEADLINE, Running, text, until, write};

/// The one broker. `None`, said aloud: there is none here, and nobody requires it.
pub(crate) fn broker() -> Option<&'static Broker> {
    static BROKER: OnceLock<Option<Broker>> = OnceLock::new();
    BROKER.get_or_init(|| Broker::start().unwrap()).as_ref()
}

fn client(broker: &Broker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap_servers());
    config
}

/// A topic of a name that no other test has.
pub(crate) fn topic(broker: &Broker, partitions: i32) -> String {
    topic_with(broker, partitions, &[])
}

/// The same, with settings of its own.
pub(crate) fn topic_with(broker: &Broker, partitions: i32, settings: &[(&str, &str)]) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("topic-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    create(broker, &name, partitions, settings);
    name
}

/// Creates a topic.
pub(crate) fn create(broker: &Broker, name: &str, partitions: i32, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
    let created = admin.create_topics([&topic], &AdminOptions::new());
    futures::executor::block_on(created).unwrap().remove(0).unwrap();
    // The controller has it; the broker hears of it a moment later.
    until("the broker to know the topic", || {
        let metadata = admin.inner().fetch_metadata(Some(name), DEADLINE).ok()?;
        let known = metadata.topics().iter().find(|topic| topic.name() == name)?;
        let led = known.partitions().iter().filter(|partition| partition.leader() >= 0).count();
        (i32::try_from(led) == Ok(partitions)).then_some(())
    });
}

/// Deletes a topic.
pub(crate) fn delete(broker: &Broker, name: &str) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    let deleted = admin.delete_topics(&[name], &AdminOptions::new());
    futures::executor::block_on(deleted).unwrap().remove(0).unwrap();
}

/// Sends records, and knows that they arrived when it is flushed.
pub(crate) struct Sending {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Sending {
    pub(crate) fn to(broker: &Broker, topic: &str) -> Self {
        let producer = client(broker)
            .set("enable.idempotence", "true")
            .set("compression.codec", "zstd")
            .set("linger.ms", "5")
            .set("message.max.bytes", "67108864")
            .create()
            .unwrap();
        Self { producer, topic: topic.to_owned() }
    }

    pub(crate) fn message(&self, message: &Message) {
        self.record(Some(message.key.as_bytes()), Some(message.payload.as_bytes()));
    }

    pub(crate) fn record(&self, key: Option<&[u8]>, payload: Option<&[u8]>) {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic);
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(payload) = payload {
            record = record.payload(payload);
        }
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// A record without a key, to one partition.
    pub(crate) fn to_partition(&self, partition: i32, payload: &[u8]) {
        let record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(&self.topic).partition(partition).payload(payload);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    pub(crate) fn flush(&self) {
        self.producer.flush(DEADLINE).unwrap();
    }
}

/// Produces all messages, and waits until they have arrived.
pub(crate) fn produce(broker: &Broker, topic: &str, messages: &[Message]) {
    let sending = Sending::to(broker, topic);
    for message in messages {
        sending.message(message);
    }
    sending.flush();
}

/// A record as it was read back.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) key: String,
    pub(crate) payload: String,
    pub(crate) headers: BTreeMap<String, String>,
}

/// How many records partition 0 has.
pub(crate) fn length(broker: &Broker, topic: &str) -> usize {
    let consumer: BaseConsumer = client(broker).create().unwrap();
    let (_, high) = consumer.fetch_watermarks(topic, 0, DEADLINE).unwrap();
    usize::try_from(high).unwrap()
}

/// Reads so many records of partition 0, from the first.
pub(crate) fn read(broker: &Broker, topic: &str, count: usize) -> Vec<Read> {
    let consumer: BaseConsumer = client(broker).set("group.id", "reader").create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let mut read = Vec::new();
    until("records of the topic", || {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message.unwrap();
            let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
            let headers = message.headers().unwrap();
            let headers = headers.iter().map(|h| (h.key.to_owned(), text(h.value))).collect();
            read.push(Read { key: text(message.key()), payload: text(message.payload()), headers });
        }
        (read.len() >= count).then_some(())
    });
    read
}

/// Reads the values of partition 0, from the first, until they are enough.
pub(crate) fn values(
    broker: &Broker,
    topic: &str,
    is_enough: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    let consumer: BaseConsumer = client(broker).set("group.id", "reader").create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let mut values = Vec::new();
    until("enough records of the topic", || {
        while let Some(message) = consumer.poll(Duration::from_millis(100)) {
            values.push(String::from_utf8(message.unwrap().payload().unwrap().to_vec()).unwrap());
        }
        is_enough(&values).then_some(())
    });
    values
}

/// The configuration of a `run` in a folder: its archive there, its alerts in `alerts.ndjson`.
pub(crate) struct Setup {
    pub(crate) config: PathBuf,
    pub(crate) archive: PathBuf,
    pub(crate) alerts: PathBuf,
}

/// Writes the configuration of a `run` over one topic. `more` is put at its end.
pub(crate) fn setup(broker: &Broker, folder: &Path, topic: &str, more: &str) -> Setup {
    setup_at(&broker.bootstrap_servers(), folder, topic, more)
}

/// The same, with a broker that answers there, or not.
pub(crate) fn setup_at(brokers: &str, folder: &Path, topic: &str, more: &str) -> Setup {
    let (archive, alerts) = (folder.join("archive"), folder.join("alerts.ndjson"));
    let mut config = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        config,
        r#"
[archive]
path = "{}"
flush_seconds = 1
snapshot_seconds = 2
[kafka]
bootstrap.servers = "{brokers}"
group.id = "{}"
session.timeout.ms = 6000
[[topics]]
name = "{topic}"
source = "aws.cloudtrail"
[[sinks]]
name = "file"
kind = "file"
path = "{}"
{more}"#,
        archive.display(),
        // The folder's name is as good as any.
        folder.file_name().unwrap().display(),
        alerts.display(),
    );
    Setup { config: write(folder, "dataward.toml", config), archive, alerts }
}

impl Setup {
    /// With static membership of its group: a process that was killed comes back to its partitions at once. Otherwise the
    /// group would wait until the session of the dead one is over, and the next kill would strike a process that waits.
    pub(crate) fn with_static_membership(self) -> Self {
        self.with("[kafka]\n", "[kafka]\ngroup.instance.id = \"only\"\n")
    }

    /// With another text in its configuration.
    pub(crate) fn with(self, old: &str, new: &str) -> Self {
        let config = std::fs::read_to_string(&self.config).unwrap();
        assert!(config.contains(old), "{old}: {config}");
        std::fs::write(&self.config, config.replacen(old, new, 1)).unwrap();
        self
    }

    /// Waits until so many records are in the table, and every alert of theirs is in the file.
    pub(crate) fn until_settled(&self, running: &mut Running, records: i64) {
        running.until("everything in the table", |_| committed(&self.archive) == records);
        let alerts = contents(&self.archive).alerts;
        running.until("all alerts in the file", |_| self.delivered().is_superset(&alerts));
    }

    /// The ids of the alerts in the file. Its last line may be on its way still.
    fn delivered(&self) -> BTreeSet<String> {
        let text = std::fs::read_to_string(&self.alerts).unwrap_or_default();
        let alerts = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        alerts.map(|alert| alert["metadata"]["uid"].as_str().unwrap().to_owned()).collect()
    }

    /// The arguments of `run`.
    pub(crate) fn run(&self) -> [String; 3] {
        ["run".to_owned(), "--config".to_owned(), text(&self.config)]
    }
}
