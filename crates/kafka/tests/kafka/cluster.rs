//! Where the tests produce to, and ask what is there.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dataward_kafka::config::Properties;
use dataward_kafka::embedded::EmbeddedCluster;
use dataward_simulation::broker::Broker;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(45);

pub(crate) enum Cluster {
    Mock(EmbeddedCluster),
    Real(&'static Broker),
}

/// A record to be produced.
#[derive(Default)]
pub(crate) struct Sample<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) millis: Option<i64>,
    pub(crate) headers: &'a [(&'a str, Option<&'a [u8]>)],
}

impl Cluster {
    pub(crate) fn mock() -> Self {
        Self::Mock(EmbeddedCluster::start().unwrap())
    }

    /// The one broker of this test binary. `None`, said aloud: there is none here, and nobody requires it.
    pub(crate) fn real() -> Option<Self> {
        static BROKER: OnceLock<Option<Broker>> = OnceLock::new();
        BROKER.get_or_init(|| Broker::start().unwrap()).as_ref().map(Self::Real)
    }

    pub(crate) fn bootstrap_servers(&self) -> String {
        match self {
            Self::Mock(cluster) => cluster.bootstrap_servers(),
            Self::Real(broker) => broker.bootstrap_servers(),
        }
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.bootstrap_servers());
        config
    }

    pub(crate) fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().unwrap()
    }

    /// A topic of a name that no other test has.
    pub(crate) fn topic(&self, partitions: i32) -> String {
        let name = unique("topic");
        match self {
            Self::Mock(cluster) => cluster.create_topic(&name, partitions).unwrap(),
            Self::Real(_) => {
                let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
                // It answers only as long as it lives.
                let admin = self.admin();
                let created = admin.create_topics([&topic], &AdminOptions::new());
                futures::executor::block_on(created).unwrap().remove(0).unwrap();
                // The controller has it; the broker hears of it a moment later.
                let until = Instant::now() + DEADLINE;
                while !is_known(&admin, &name, partitions) {
                    assert!(Instant::now() < until, "the broker does not know {name}");
                }
            }
        }
        name
    }

    /// Properties of a member of a group, as the config would give them.
    pub(crate) fn properties(&self, group: &str) -> Properties {
        [
            ("bootstrap.servers", self.bootstrap_servers().as_str()),
            ("group.id", group),
            ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "300"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    pub(crate) fn producer(
        &self,
        settings: &[(&str, &str)],
    ) -> ThreadedProducer<DefaultProducerContext> {
        let mut config = self.client();
        config.set("enable.idempotence", "true").set("message.max.bytes", "67108864");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        config.create().unwrap()
    }

    /// Produces, and waits until all of it has arrived.
    pub(crate) fn produce(&self, topic: &str, partition: i32, samples: &[Sample<'_>]) {
        let producer = self.producer(&[]);
        for sample in samples {
            send(&producer, topic, partition, sample);
        }
        producer.flush(DEADLINE).unwrap();
    }

    /// Records whose payload is their number.
    pub(crate) fn produce_numbers(
        &self,
        topic: &str,
        partition: i32,
        numbers: std::ops::Range<i64>,
    ) {
        let payloads: Vec<String> = numbers.map(|number| number.to_string()).collect();
        let samples: Vec<Sample<'_>> =
            payloads.iter().map(|payload| Sample::of(payload.as_bytes())).collect();
        self.produce(topic, partition, &samples);
    }
}

impl<'a> Sample<'a> {
    pub(crate) fn of(payload: &'a [u8]) -> Self {
        Self { payload: Some(payload), ..Self::default() }
    }
}

pub(crate) fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    partition: i32,
    sample: &Sample<'_>,
) {
    let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(partition);
    if let Some(key) = sample.key {
        record = record.key(key);
    }
    if let Some(payload) = sample.payload {
        record = record.payload(payload);
    }
    if let Some(millis) = sample.millis {
        record = record.timestamp(millis);
    }
    if !sample.headers.is_empty() {
        let mut headers = OwnedHeaders::new();
        for (key, value) in sample.headers {
            headers = headers.insert(Header { key, value: *value });
        }
        record = record.headers(headers);
    }
    producer.send(record).map_err(|(error, _)| error).unwrap();
}

/// Whether the broker answers for every partition of a topic.
fn is_known(admin: &AdminClient<DefaultClientContext>, name: &str, partitions: i32) -> bool {
    let Ok(metadata) = admin.inner().fetch_metadata(Some(name), DEADLINE) else { return false };
    metadata.topics().iter().any(|topic| {
        let is_led = topic.partitions().iter().filter(|partition| partition.leader() >= 0);
        topic.name() == name && i32::try_from(is_led.count()) == Ok(partitions)
    })
}

/// A name that no other test of this process has: the broker is new for each process.
pub(crate) fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
