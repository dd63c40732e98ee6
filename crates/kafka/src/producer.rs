//! Producing: records of the demo and of `replay`, and the alerts of the feed.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use crate::config::{Properties, producer};

/// A producer that knows of each record whether it arrived.
pub struct RecordProducer {
    producer: BaseProducer<Context>,
    results: Receiver<Delivered>,
    in_flight: usize,
}

/// What became of a record.
#[derive(Debug)]
pub struct Delivered {
    /// The number it was sent under.
    pub number: usize,
    /// Where it is, or why it is nowhere: `(partition, offset)`.
    pub result: Result<(i32, i64), KafkaError>,
}

struct Context {
    results: Sender<Delivered>,
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, "{reason}");
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<usize>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<usize>) {
        let result = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        // Nobody listens once the producer is gone.
        let _ = self.results.send(Delivered { number: *number, result });
    }
}

/// A record to be produced.
#[derive(Debug, Clone, Copy)]
pub struct NewMessage<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The key: records of one key stay in one partition.
    pub key: Option<&'a [u8]>,
    /// The value.
    pub payload: &'a [u8],
    /// The headers.
    pub headers: &'a [(&'a str, &'a str)],
}

impl RecordProducer {
    /// A producer with these settings of librdkafka.
    ///
    /// # Errors
    /// When librdkafka refuses a setting.
    pub fn new(properties: &Properties) -> Result<Self, KafkaError> {
        let (results_to, results) = channel();
        let producer = producer(properties).create_with_context(Context { results: results_to })?;
        Ok(Self { producer, results, in_flight: 0 })
    }

    /// Hands a record to librdkafka, waiting while its queue is full. `number` comes back when it has arrived.
    ///
    /// # Errors
    /// When librdkafka refuses the record: too large, no such topic.
    pub fn send(&mut self, message: &NewMessage<'_>, number: usize) -> Result<(), KafkaError> {
        let mut record: BaseRecord<'_, [u8], [u8], Box<usize>> =
            BaseRecord::with_opaque_to(message.topic, Box::new(number)).payload(message.payload);
        if let Some(key) = message.key {
            record = record.key(key);
        }
        if !message.headers.is_empty() {
            let mut headers = OwnedHeaders::new_with_capacity(message.headers.len());
            for (key, value) in message.headers {
                headers = headers.insert(Header { key, value: Some(value.as_bytes()) });
            }
            record = record.headers(headers);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => {
                    self.in_flight += 1;
                    self.producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((error, back)) if is_queue_full(&error) => {
                    self.producer.poll(Duration::from_millis(20));
                    record = back;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// What has arrived, or failed, since the last call; waits at most `timeout` for something to happen.
    pub fn delivered(&mut self, timeout: Duration) -> Vec<Delivered> {
        self.producer.poll(timeout);
        let delivered: Vec<Delivered> = self.results.try_iter().collect();
        self.in_flight = self.in_flight.saturating_sub(delivered.len());
        delivered
    }

    /// How many records are on the way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Sends what is waiting, at most for `timeout`.
    ///
    /// # Errors
    /// When something is still on the way then.
    pub fn flush(&mut self, timeout: Duration) -> Result<Vec<Delivered>, KafkaError> {
        self.producer.flush(timeout)?;
        Ok(self.delivered(Duration::ZERO))
    }

    /// Forgets what is waiting: it will be sent again.
    pub fn purge(&mut self) {
        let everything = rdkafka::producer::PurgeConfig::default().queue().inflight();
        self.producer.purge(everything);
        self.producer.poll(Duration::ZERO);
        while self.results.try_recv().is_ok() {}
        self.in_flight = 0;
    }
}

fn is_queue_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}
