//! A Kafka topic as a sink of alerts: OCSF JSON, keyed by finding, with CloudEvents headers (binary mode, 1.0).

use std::time::{Duration, Instant};

use dataward_pipeline::alert::Alert;
use dataward_pipeline::alert_sink::{AlertSink, SinkError};
use rdkafka::error::KafkaError;

use crate::config::Properties;
use crate::producer::{NewMessage, RecordProducer};

/// How long a delivery may take before it is tried again.
const DELIVERY: Duration = Duration::from_secs(30);
/// The CloudEvents type of a finding.
const TYPE: &str = "dev.dataward.finding.v1";

/// A topic of alerts.
pub struct KafkaAlertSink {
    name: String,
    topic: String,
    origin: String,
    producer: RecordProducer,
}

impl KafkaAlertSink {
    /// A sink of this name that produces to `topic`; `origin` becomes `ce_source`.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn new(
        name: &str,
        topic: &str,
        origin: &str,
        properties: &Properties,
    ) -> Result<Self, KafkaError> {
        let mut properties = properties.clone();
        properties.entry("linger.ms".to_owned()).or_insert_with(|| "0".to_owned());
        let limit = DELIVERY.as_millis().to_string();
        properties.entry("message.timeout.ms".to_owned()).or_insert(limit);
        let producer = RecordProducer::new(&properties)?;
        let (name, topic, origin) = (name.to_owned(), topic.to_owned(), origin.to_owned());
        Ok(Self { name, topic, origin, producer })
    }

    fn send(&mut self, alert: &Alert, number: usize) -> Result<(), KafkaError> {
        let time = alert.time.to_string();
        let subject = alert.datastore.as_ref().map_or("", |datastore| datastore.uid.as_ref());
        let mut headers = vec![
            ("ce_specversion", "1.0"),
            ("ce_id", alert.uid.as_str()),
            ("ce_source", self.origin.as_str()),
            ("ce_type", TYPE),
            ("ce_time", time.as_str()),
            ("content-type", "application/json"),
        ];
        if !subject.is_empty() {
            headers.push(("ce_subject", subject));
        }
        let message = NewMessage {
            topic: &self.topic,
            key: Some(alert.finding_uid.as_bytes()),
            payload: alert.json.as_bytes(),
            headers: &headers,
        };
        self.producer.send(&message, number)
    }
}

impl AlertSink for KafkaAlertSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError> {
        let unavailable = |error: KafkaError| {
            SinkError::Unavailable(format!("failed to produce to the topic of alerts: {error}"))
        };
        for (number, alert) in alerts.iter().enumerate() {
            self.send(alert, number).map_err(unavailable)?;
        }
        let until = Instant::now() + DELIVERY;
        while self.producer.in_flight() > 0 {
            for delivered in self.producer.delivered(Duration::from_millis(50)) {
                delivered.result.map_err(|error| {
                    self.producer.purge();
                    unavailable(error)
                })?;
            }
            if Instant::now() >= until {
                self.producer.purge();
                let text = "the topic of alerts did not answer in time".to_owned();
                return Err(SinkError::Unavailable(text));
            }
        }
        Ok(())
    }
}
