//! librdkafka's settings: our defaults, and whatever the user passes through.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

/// Settings as librdkafka names them, passed through as they are.
pub type Properties = BTreeMap<String, String>;

/// Settings that carry the promise of exactly once: the user may not change them.
const PROTECTED: [(&str, &str); 5] = [
    ("enable.auto.commit", "progress is in the table, and acknowledged after it"),
    ("enable.auto.offset.store", "progress is in the table, and acknowledged after it"),
    ("auto.offset.reset", "lost offsets must be an error, never a silent jump"),
    ("enable.partition.eof", "the loop does not use it"),
    ("partition.assignment.strategy", "rebalances are handled cooperatively"),
];

/// Why properties were refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting that we must decide.
    #[error("kafka.{name} cannot be changed: {reason}")]
    Protected {
        /// The setting.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// librdkafka does not know it, or refuses its value.
    #[error("failed to configure the Kafka client: {0}")]
    Refused(#[from] rdkafka::error::KafkaError),
}

/// Settings of a consumer. With librdkafka's own back-off of a second a full queue makes the loop wait although there
/// are records; with its own queues a consumer takes hundreds of megabytes.
///
/// # Errors
/// [`ConfigError::Protected`] for a setting that is ours.
pub fn consumer(properties: &Properties) -> Result<ClientConfig, ConfigError> {
    let mut config = ClientConfig::new();
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "524288")
        .set("fetch.max.bytes", "4194304")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.min.bytes", "1")
        .set("allow.auto.create.topics", "false")
        // A topic that was deleted, or has got more partitions, is noticed by then.
        .set("topic.metadata.refresh.interval.ms", "30000")
        // What it knows of brokers and offsets, for those who watch: no question is asked for it.
        .set("statistics.interval.ms", "2000");
    let is_new_protocol = properties.get("group.protocol").is_some_and(|p| p == "consumer");
    if !is_new_protocol {
        config.set("partition.assignment.strategy", "cooperative-sticky");
    }
    for (name, value) in properties {
        if let Some((_, reason)) = PROTECTED.iter().find(|(protected, _)| protected == name) {
            return Err(ConfigError::Protected { name: name.clone(), reason });
        }
        config.set(name, value);
    }
    Ok(config)
}

/// Whether a consumer of these properties could be made: no setting is ours, librdkafka knows each and takes its value.
/// Nothing is connected to.
///
/// # Errors
/// [`ConfigError`], which names the setting.
pub fn check(properties: &Properties) -> Result<(), ConfigError> {
    consumer(properties)?.create_native_config()?;
    Ok(())
}

/// Settings of a producer: idempotent, so that a retry inside librdkafka neither repeats nor reorders.
pub fn producer(properties: &Properties) -> ClientConfig {
    /// Settings that only a consumer has.
    const CONSUMER_ONLY: [&str; 5] = ["group.", "fetch.", "queued.", "session.", "max.poll."];
    let mut config = ClientConfig::new();
    config
        .set("enable.idempotence", "true")
        .set("compression.codec", "zstd")
        .set("message.max.bytes", "67108864");
    for (name, value) in properties {
        if !CONSUMER_ONLY.iter().any(|prefix| name.starts_with(prefix)) {
            config.set(name, value);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_the_promise_cannot_be_changed() {
        let properties = [("auto.offset.reset".to_owned(), "latest".to_owned())].into();
        let error = consumer(&properties).err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some(
                "kafka.auto.offset.reset cannot be changed: lost offsets must be an error, never a silent jump"
            )
        );
    }

    #[test]
    fn a_setting_that_librdkafka_does_not_know_is_named() {
        let checked = |name: &str, value: &str| {
            check(&[(name.to_owned(), value.to_owned())].into()).map_err(|error| error.to_string())
        };
        let error = checked("no.such.setting", "1").expect_err("it is unknown");
        assert!(error.contains("no.such.setting"), "{error}");
        let error = checked("session.timeout.ms", "soon").expect_err("it is no number");
        assert!(error.contains("session.timeout.ms"), "{error}");
        assert_eq!(checked("session.timeout.ms", "6000"), Ok(()));
    }

    #[test]
    fn sasl_tls_and_zstd_are_built_in() {
        let properties = [
            ("bootstrap.servers", "127.0.0.1:1"),
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanisms", "SCRAM-SHA-512"),
            ("sasl.username", "reader"),
            ("sasl.password", "not a secret"),
            ("group.id", "test"),
        ];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let client: Result<rdkafka::consumer::BaseConsumer, _> =
            consumer(&properties).expect("not protected").create();
        assert!(client.is_ok(), "{:?}", client.err());
    }
}
