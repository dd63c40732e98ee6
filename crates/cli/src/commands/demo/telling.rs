//! Tells the chronicle to Kafka: quickly while life is normal, and slowly enough to follow where it is not.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dataward_event::finding::RuleId;
use dataward_event::time::EventTime;
use dataward_kafka::producer::{NewMessage, RecordProducer};
use dataward_simulation::chronicle::{
    BEGIN, CLOUDTRAIL_TOPIC, Chronicle, Deed, END, Entry, NORMAL_UNTIL,
};

use super::screen;
use super::witness::Witness;
use crate::args::Demo;
use crate::exit::{Exit, Failure};

/// How many actors there are.
const ACTORS: usize = 300;
/// How many records may be on their way to the table. The embedded cluster keeps some megabytes of a partition and drops
/// older ones without a word: whoever produces must not be further ahead than that.
const AHEAD: u64 = 8_000;
/// Events a second once the story begins: the loop keeps up with it on a small machine, so that a latency is a latency
/// and no queue.
const STORY_RATE: u32 = 4_000;
/// Events a second of a copy that takes minutes in life.
const COPY_RATE: u32 = 400;
/// Events a second of the ordinary days after the story.
const LIFE_RATE: u32 = 500;
/// How far a rate may be ahead before it waits.
const BURST: Duration = Duration::from_millis(4);
/// Before a deed everything else is over, and after its alert there is a moment to read it.
const BEFORE: Duration = Duration::from_millis(200);
const AFTER: Duration = Duration::from_millis(300);
/// How long an alert is waited for: the promise is two seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after an amount was moved it is summed up, in microseconds.
const SUMMED_UP_MICROS: i64 = 3 * 3_600 * 1_000_000;
/// How long after its last word whoever is silent is surely missed, in microseconds, and how long that is waited for: by the
/// loop's reckoning nothing may be on its way any more.
const MISSED_MICROS: i64 = 2 * 3_600 * 1_000_000;
const LISTENING: Duration = Duration::from_secs(8);

const WEEK_MICROS: i64 = 7 * 86_400 * 1_000_000;

/// Produces on a thread of its own until the story is told (or, without `--once`, until it is stopped).
pub(super) fn start(
    args: &Demo,
    brokers: &str,
    witness: &Arc<Witness>,
    produced: &Arc<AtomicU64>,
    stop: &Arc<AtomicBool>,
) -> Result<JoinHandle<Result<(), String>>, Failure> {
    let properties =
        [("bootstrap.servers", brokers), ("linger.ms", "5"), ("batch.size", "1000000")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let producer =
        RecordProducer::new(&properties).map_err(|error| Failure::text(Exit::World, error))?;
    let mut telling = Telling {
        producer,
        chronicle: Chronicle::new(args.seed, ACTORS).peekable(),
        witness: Arc::clone(witness),
        stop: Arc::clone(stop),
        sent: 0,
        pace: Pace::of(STORY_RATE),
        begun: BTreeSet::new(),
        slow_until: BEGIN,
        missed_at: None,
    };
    let (once, produced) = (args.once, Arc::clone(produced));
    let thread = std::thread::Builder::new().name("demo-producer".to_owned());
    Ok(thread.spawn(move || {
        telling.story()?;
        if !once && !telling.is_stopped() {
            screen::goes_on().map_err(|error| error.to_string())?;
            telling.ordinary_days()?;
        }
        produced.store(telling.finish()?, Ordering::Relaxed);
        Ok(())
    })?)
}

struct Telling {
    producer: RecordProducer,
    chronicle: Peekable<Chronicle>,
    witness: Arc<Witness>,
    stop: Arc<AtomicBool>,
    sent: u64,
    pace: Pace,
    /// The deeds that were introduced.
    begun: BTreeSet<Deed>,
    /// Until when an amount is summed up: no partition may be hours ahead of another.
    slow_until: EventTime,
    /// When who has said its last is missed.
    missed_at: Option<EventTime>,
}

impl Telling {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn story(&mut self) -> Result<(), String> {
        let mut week = BEGIN;
        while week < END && !self.is_stopped() {
            let next = week.plus_micros(WEEK_MICROS);
            self.week(week, next)?;
            week = next;
        }
        if self.is_stopped() {
            return Ok(());
        }
        self.witness.end();
        // One record that nobody can read: it is kept, and the stream goes on.
        self.produce(CLOUDTRAIL_TOPIC, None, b"{\"eventVersion\":\"1.11\",\"eventName\":\"GetObj")
    }

    fn week(&mut self, from: EventTime, to: EventTime) -> Result<(), String> {
        let (mut events, mut actors) = (0_u64, BTreeSet::new());
        while let Some(entry) = self.chronicle.next_if(|entry| entry.time < to) {
            if self.is_stopped() {
                return Ok(());
            }
            self.tell(&entry)?;
            events += 1;
            actors.insert(entry.message.key);
        }
        self.producer.flush(PATIENCE).map_err(|error| error.to_string())?;
        // Only what is in the table was surely looked at: now it can be said that nothing came of it.
        if self.witness.wait_for_commit(self.sent, &self.stop) {
            let alerts = self.witness.alerts_between(from, to);
            screen::week(from, events, actors.len(), &alerts).map_err(|error| error.to_string())?;
        }
        self.pace = Pace::of(STORY_RATE);
        Ok(())
    }

    fn tell(&mut self, entry: &Entry) -> Result<(), String> {
        let must_alert = entry.deed.filter(|deed| !deed.must_alert().is_empty());
        if let Some(deed) = entry.deed {
            self.introduce(deed, entry.time)?;
        }
        match must_alert {
            Some(deed) if deed.is_an_amount() => {
                self.pace.keep(&mut self.producer, COPY_RATE);
                self.slow_until = entry.time.plus_micros(SUMMED_UP_MICROS);
            }
            // Normal life goes by as fast as it can: whatever is on its way would be taken for latency.
            Some(_) if entry.time < NORMAL_UNTIL => {
                self.witness.wait_for_commit(self.sent, &self.stop);
            }
            Some(_) => self.witness.breathe(BEFORE, &self.stop),
            None if entry.time < self.slow_until => self.pace.keep(&mut self.producer, COPY_RATE),
            None if entry.time >= NORMAL_UNTIL => self.pace.keep(&mut self.producer, STORY_RATE),
            None => {}
        }
        if self.missed_at.is_some_and(|at| at <= entry.time) {
            self.missed_at = None;
            self.witness.wait_for_rule(RuleId::AuditSourceSilent, LISTENING, &self.stop);
        }
        if entry.deed == Some(Deed::LastWord) {
            self.missed_at = Some(entry.time.plus_micros(MISSED_MICROS));
        }
        self.witness.append(entry);
        self.produce(entry.topic, Some(&entry.message.key), entry.message.payload.as_bytes())?;
        if must_alert.is_some_and(|deed| !deed.is_an_amount()) {
            self.witness.wait_for_alert(&entry.message.event_uid, PATIENCE, &self.stop);
            self.witness.breathe(AFTER, &self.stop);
            self.pace = Pace::of(STORY_RATE);
        }
        Ok(())
    }

    /// Says what is about to happen, once.
    fn introduce(&mut self, deed: Deed, time: EventTime) -> Result<(), String> {
        let is_routine = matches!(deed, Deed::Deployment | Deed::PublicWebsite);
        if self.begun.insert(deed) && !is_routine {
            screen::deed(deed, time).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn ordinary_days(&mut self) -> Result<(), String> {
        self.pace = Pace::of(LIFE_RATE);
        while !self.is_stopped() {
            let Some(entry) = self.chronicle.next() else { break };
            self.pace.keep(&mut self.producer, LIFE_RATE);
            let key = Some(entry.message.key.as_str());
            self.produce(entry.topic, key, entry.message.payload.as_bytes())?;
        }
        Ok(())
    }

    fn produce(&mut self, topic: &str, key: Option<&str>, payload: &[u8]) -> Result<(), String> {
        if self.sent.is_multiple_of(AHEAD / 8) {
            // The table is behind by as much as it may be: nothing more before it has caught up.
            self.witness.wait_for_commit(self.sent.saturating_sub(AHEAD), &self.stop);
        }
        let message = NewMessage { topic, key: key.map(str::as_bytes), payload, headers: &[] };
        let number = usize::try_from(self.sent).unwrap_or(usize::MAX);
        self.sent += 1;
        self.producer.send(&message, number).map_err(|error| error.to_string())
    }

    fn finish(&mut self) -> Result<u64, String> {
        self.producer.flush(Duration::from_secs(30)).map_err(|error| error.to_string())?;
        Ok(self.sent)
    }
}

/// So many events a second, since some moment.
struct Pace {
    begun: Instant,
    due: Duration,
}

impl Pace {
    fn of(rate: u32) -> Self {
        Self { begun: Instant::now(), due: Duration::from_secs(1) / rate }
    }

    /// Waits until the next event is due: the time is spent on taking deliveries in.
    fn keep(&mut self, producer: &mut RecordProducer, rate: u32) {
        self.due += Duration::from_secs(1) / rate;
        let early = self.due.saturating_sub(self.begun.elapsed());
        // librdkafka counts in milliseconds: less than that it would spend spinning.
        if early >= BURST {
            producer.delivered(early);
        }
    }
}
