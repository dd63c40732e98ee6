//! The cluster that lives in the process: librdkafka's mock, over real TCP on loopback.
//!
//! It keeps about 5 MiB of stored batches a partition and drops older ones without a word, and it dies with the
//! process: right for a demo and for tests, never for data that matters.

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A Kafka cluster of one broker in this process.
pub struct EmbeddedCluster {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedCluster {
    /// Starts it on a free port of loopback.
    ///
    /// # Errors
    /// When librdkafka cannot start it.
    pub fn start() -> Result<Self, KafkaError> {
        Ok(Self { cluster: MockCluster::new(1)? })
    }

    /// Where it answers.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Creates a topic.
    ///
    /// # Errors
    /// When librdkafka refuses.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), KafkaError> {
        self.cluster.create_topic(name, partitions, 1)
    }

    /// Stops (`false`) or starts (`true`) its broker: an outage.
    ///
    /// # Errors
    /// When librdkafka refuses.
    pub fn set_available(&self, available: bool) -> Result<(), KafkaError> {
        if available { self.cluster.broker_up(1) } else { self.cluster.broker_down(1) }
    }
}
