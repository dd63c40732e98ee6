//! `replay`: files into Kafka, one record an event, keyed by actor.

use std::path::Path;
use std::time::{Duration, Instant};

use dataward_event::audit_event::AuditEvent;
use dataward_event::position::{Offset, Position};
use dataward_event::time::EventTime;
use dataward_files::input::{self, InputFile};
use dataward_kafka::config::Properties;
use dataward_kafka::producer::{NewMessage, RecordProducer};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

use crate::args::Replay;
use crate::config::{self, Config};
use crate::exit::{Exit, Failure, Outcome};
use crate::progress;

/// How long the last records may take to arrive.
const FLUSH: Duration = Duration::from_secs(60);

/// Runs the command.
pub(crate) fn run(args: &Replay, config: Option<&Path>) -> Outcome {
    let source = config::source(&args.source).map_err(|e| Failure::text(Exit::Usage, e))?;
    if args.speed.is_some_and(|speed| !speed.is_finite() || speed <= 0.0) {
        return Err(Failure::text(Exit::Usage, "--speed must be greater than 0"));
    }
    let properties = properties(args, config)?;
    let files = input::find(&args.files, source, |_| {});
    let files = files.map_err(|error| Failure::new(Exit::Input, error))?;
    let producer = RecordProducer::new(&properties).map_err(world)?;
    let bar = progress::bar(
        files.iter().map(|file| file.bytes).sum(),
        "{spinner} {binary_bytes} of {binary_total_bytes} {wide_bar} {eta}",
    );
    let pace = Pace { speed: args.speed, begun: None };
    let mut replaying =
        Replaying { producer, topic: &args.topic, source, pace, sent: 0, failed: 0 };
    for file in &files {
        replaying.file(file, &bar)?;
    }
    let last = replaying.producer.flush(FLUSH).map_err(world)?;
    replaying.count(last);
    bar.finish_and_clear();
    eprintln!("{} records produced to {}", replaying.sent - replaying.failed, args.topic);
    if replaying.failed > 0 {
        let text = format!("{} records did not arrive", replaying.failed);
        return Err(Failure::text(Exit::World, text));
    }
    Ok(Exit::Done)
}

fn properties(args: &Replay, config: Option<&Path>) -> Result<Properties, Failure> {
    let mut properties = match config {
        Some(path) => Config::load(path)?.kafka,
        None => Properties::new(),
    };
    if let Some(brokers) = &args.brokers {
        properties.insert("bootstrap.servers".to_owned(), brokers.clone());
    }
    if !properties.contains_key("bootstrap.servers") {
        return Err(Failure::text(Exit::Usage, "replay needs --brokers or --config"));
    }
    Ok(properties)
}

fn world(error: impl std::fmt::Display) -> Failure {
    Failure::text(Exit::World, format!("failed to produce: {error}"))
}

struct Replaying<'a> {
    producer: RecordProducer,
    topic: &'a str,
    source: Source,
    pace: Pace,
    sent: usize,
    failed: usize,
}

/// Keeps the distances of the events' own times, sped up.
struct Pace {
    speed: Option<f64>,
    begun: Option<(Instant, EventTime)>,
}

impl Pace {
    /// How long to wait before an event of this time.
    fn wait(&mut self, time: EventTime) -> Duration {
        let Some(speed) = self.speed else { return Duration::ZERO };
        let (begun, first) = *self.begun.get_or_insert_with(|| (Instant::now(), time));
        let distance = (time.micros() - first.micros()).max(0) as f64 / 1e6 / speed;
        Duration::from_secs_f64(distance.min(86_400.0)).saturating_sub(begun.elapsed())
    }
}

impl Replaying<'_> {
    fn file(&mut self, file: &InputFile, bar: &indicatif::ProgressBar) -> Result<(), Failure> {
        let unreadable = |error: std::io::Error| {
            Failure::text(Exit::Input, format!("failed to read {}: {error}", file.name))
        };
        let mut records = file.records(0).map_err(unreadable)?;
        while let Some(framed) = records.next_record().map_err(unreadable)? {
            let offset = Offset(i64::try_from(framed.offset).unwrap_or(i64::MAX));
            let position = Position { partition: file.partition.clone(), offset, record_index: 0 };
            let record = Record { position: &position, kafka_time: None, payload: &framed.bytes };
            let decoded = decode(self.source, record);
            for event in &decoded.events {
                let wait = self.pace.wait(event.event.time);
                self.pause(wait);
                self.send(key_of(&event.event), &event.raw)?;
            }
            // What cannot be read here is for the consumer to put in quarantine.
            for reject in &decoded.rejects {
                self.send(None, &reject.raw)?;
            }
            bar.inc(framed.end - framed.offset);
        }
        Ok(())
    }

    /// Waits while deliveries come in.
    fn pause(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        while Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let delivered = self.producer.delivered(left.min(Duration::from_millis(100)));
            self.count(delivered);
        }
    }

    fn send(&mut self, key: Option<&str>, payload: &[u8]) -> Result<(), Failure> {
        let key = key.map(str::as_bytes);
        let message = NewMessage { topic: self.topic, key, payload, headers: &[] };
        self.producer.send(&message, self.sent).map_err(world)?;
        self.sent += 1;
        let delivered = self.producer.delivered(Duration::ZERO);
        self.count(delivered);
        Ok(())
    }

    fn count(&mut self, delivered: Vec<dataward_kafka::producer::Delivered>) {
        for record in delivered {
            if let Err(error) = record.result {
                tracing::error!(%error, "a record did not arrive");
                self.failed += 1;
            }
        }
    }
}

fn key_of<'e>(event: &'e AuditEvent<'_>) -> Option<&'e str> {
    event.actor.uid.as_deref().or(event.actor.name.as_deref())
}
