//! What happens in the demo: ordinary traffic, and an incident in the middle of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dataward_event::time::EventTime;
use dataward_kafka::producer::{NewMessage, RecordProducer};
use dataward_simulation::cloudtrail::{Message, Traffic};
use dataward_simulation::incident::removal_of_protection;

use super::TOPIC;
use super::screen::Sent;
use crate::args::Demo;
use crate::exit::Failure;
use crate::wiring;

/// Ordinary messages a second.
const RATE: u32 = 2_000;
/// How far the rate may be ahead before it waits.
const BURST: Duration = Duration::from_millis(4);
/// Ordinary messages before, between and after the deeds of the incident.
const QUIET: u32 = 4_000;
const BETWEEN: u32 = 1_000;

/// Produces on a thread of its own until the story is told (or, without `--once`, until it is stopped).
pub(super) fn start(
    args: &Demo,
    brokers: &str,
    sent: &Arc<Sent>,
    produced: &Arc<AtomicU64>,
    stop: &Arc<AtomicBool>,
) -> Result<JoinHandle<Result<(), String>>, Failure> {
    let properties =
        [("bootstrap.servers", brokers), ("linger.ms", "5"), ("batch.size", "1000000")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let producer = RecordProducer::new(&properties)
        .map_err(|error| Failure::text(crate::exit::Exit::World, error))?;
    let clock = wiring::clock();
    let mut telling = Telling {
        producer,
        traffic: Traffic::new(args.seed, 300, 12),
        sent: Arc::clone(sent),
        stop: Arc::clone(stop),
        now: Box::new(move || clock.now().as_clock()),
        count: 0,
        begun: Instant::now(),
    };
    let (once, produced) = (args.once, Arc::clone(produced));
    let thread = std::thread::Builder::new().name("demo-producer".to_owned());
    Ok(thread.spawn(move || {
        telling.story()?;
        while !once && !telling.is_stopped() {
            telling.ordinary(RATE)?;
        }
        let total = telling.finish()?;
        produced.store(total, Ordering::Relaxed);
        Ok(())
    })?)
}

struct Telling {
    producer: RecordProducer,
    traffic: Traffic,
    sent: Arc<Sent>,
    stop: Arc<AtomicBool>,
    now: Box<dyn Fn() -> EventTime + Send>,
    count: u64,
    begun: Instant,
}

impl Telling {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn story(&mut self) -> Result<(), String> {
        self.ordinary(QUIET)?;
        for deed in removal_of_protection() {
            let time = (self.now)();
            let message = self.traffic.told_by(deed.person, deed.ip, deed.event, time);
            self.sent.deed(&message.event_uid, deed.rule.is_some());
            self.send(&message)?;
            self.ordinary(BETWEEN)?;
        }
        // One record that nobody can read: it is kept, and the stream goes on.
        self.produce(None, b"{\"eventVersion\":\"1.11\",\"eventName\":\"GetObj")?;
        self.ordinary(BETWEEN)
    }

    fn ordinary(&mut self, count: u32) -> Result<(), String> {
        for _ in 0..count {
            if self.is_stopped() {
                return Ok(());
            }
            let time = (self.now)();
            let message = self.traffic.message(time);
            self.pace();
            self.produce(Some(&message.key), message.payload.as_bytes())?;
        }
        Ok(())
    }

    /// Keeps to the rate: waiting is spent on taking deliveries in.
    fn pace(&mut self) {
        let due = Duration::from_secs_f64(self.count as f64 / f64::from(RATE));
        let early = due.saturating_sub(self.begun.elapsed());
        // librdkafka counts in milliseconds: less than that it would spend spinning.
        if early >= BURST {
            self.producer.delivered(early);
        }
    }

    fn send(&mut self, message: &Message) -> Result<(), String> {
        self.sent.append(&message.event_uid);
        self.produce(Some(&message.key), message.payload.as_bytes())
    }

    fn produce(&mut self, key: Option<&str>, payload: &[u8]) -> Result<(), String> {
        let key = key.map(str::as_bytes);
        let message = NewMessage { topic: TOPIC, key, payload, headers: &[] };
        let number = usize::try_from(self.count).unwrap_or(usize::MAX);
        self.count += 1;
        self.producer.send(&message, number).map_err(|error| error.to_string())
    }

    fn finish(&mut self) -> Result<u64, String> {
        self.producer.flush(Duration::from_secs(30)).map_err(|error| error.to_string())?;
        Ok(self.count)
    }
}
