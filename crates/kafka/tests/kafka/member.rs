//! A member of a group, driven by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use dataward_event::position::{Offset, Partition, Progress};
use dataward_kafka::config::Properties;
use dataward_kafka::source::{KafkaSource, Subscription};
use dataward_pipeline::clock::SystemClock;
use dataward_pipeline::record_source::{Input, RecordSource, SourceError};

use crate::cluster::{Cluster, DEADLINE};

/// How long nothing must come where nothing may.
const QUIET: Duration = Duration::from_millis(600);
const POLL: Duration = Duration::from_millis(20);

/// A record that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) next: i64,
    pub(crate) millis: Option<i64>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

/// What happened besides records.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Assigned(Vec<Partition>),
    Revoked(Vec<Partition>, bool),
    OutOfRange,
}

pub(crate) struct Member {
    pub(crate) source: KafkaSource,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) came: Vec<Came>,
    pub(crate) events: Vec<Event>,
}

impl Member {
    pub(crate) fn try_join(properties: &Properties, topic: &str) -> Result<Self, SourceError> {
        let topics = [(topic.to_owned(), 0)];
        let subscription = Subscription { topics: &topics, properties };
        let (clock, stop) = (Arc::new(SystemClock::start()), Arc::<AtomicBool>::default());
        let mut source = KafkaSource::connect(&subscription, clock, Arc::clone(&stop))?;
        source.begin()?;
        Ok(Self { source, stop, came: Vec::new(), events: Vec::new() })
    }

    pub(crate) fn join(cluster: &Cluster, group: &str, topic: &str) -> Self {
        Self::try_join(&cluster.properties(group), topic).unwrap()
    }

    /// Joins alone, and starts partition 0 there.
    pub(crate) fn alone_at(cluster: &Cluster, topic: &str, offset: i64) -> Self {
        let mut member = Self::join(cluster, topic, topic);
        member.wait_for_assignment();
        member.assign(topic, &[(0, offset)]);
        member
    }

    /// One poll; what came is kept. A broker that does not answer for a moment is no news: the source keeps trying.
    pub(crate) fn step(&mut self) {
        match self.try_step() {
            Ok(()) | Err(SourceError::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// One poll, whatever it says.
    pub(crate) fn try_step(&mut self) -> Result<(), SourceError> {
        match self.source.poll(POLL)? {
            Input::Batch(batch) => {
                let partition = batch.partition().number;
                self.came.extend(batch.records().map(|record| {
                    Came {
                        partition,
                        offset: record.offset().0,
                        next: record.next().0,
                        millis: record.kafka_time().map(|time| time.millis()),
                        key: record.key().map(<[u8]>::to_vec),
                        payload: record.payload().map(<[u8]>::to_vec),
                        headers: record
                            .headers()
                            .map(|(name, value)| {
                                let name = String::from_utf8_lossy(name).into_owned();
                                (name, value.map(<[u8]>::to_vec))
                            })
                            .collect(),
                    }
                }));
            }
            Input::Assigned(partitions) => self.events.push(Event::Assigned(partitions)),
            Input::Revoked { partitions, lost } => {
                self.events.push(Event::Revoked(partitions, lost));
            }
            Input::OutOfRange => self.events.push(Event::OutOfRange),
            Input::Idle | Input::End => {}
        }
        Ok(())
    }

    /// Polls until it is so.
    pub(crate) fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !is_so(self) {
            let came = self.came.len();
            assert!(Instant::now() < until, "{what}: {came} records, {:?}", self.events);
            self.step();
        }
    }

    pub(crate) fn wait_for_assignment(&mut self) -> Vec<Partition> {
        let is_assignment = |event: &Event| matches!(event, Event::Assigned(p) if !p.is_empty());
        self.until("an assignment", |member| member.events.iter().any(is_assignment));
        let mut partitions = Vec::new();
        for event in self.events.drain(..) {
            match event {
                Event::Assigned(more) => partitions.extend(more),
                other => panic!("{other:?} before the assignment was answered"),
            }
        }
        assert_eq!(self.came, [], "nothing may come before the assignment is answered");
        partitions.sort();
        partitions
    }

    pub(crate) fn assign(&mut self, topic: &str, starts: &[(i32, i64)]) {
        self.source.assign(&starts_of(topic, starts)).unwrap();
    }

    /// Waits for so many records in all, and sees that no more come.
    pub(crate) fn wait_for(&mut self, count: usize) {
        self.until("records", |member| member.came.len() >= count);
        self.stays_quiet();
        assert_eq!(self.came.len(), count, "{:?}", self.offsets());
    }

    /// Nothing comes for a while.
    pub(crate) fn stays_quiet(&mut self) {
        let until = Instant::now() + QUIET;
        let before = self.came.len();
        while Instant::now() < until {
            self.step();
        }
        let news = self.came.len() - before;
        assert_eq!(news, 0, "{news} records came where none may: {:?}", self.offsets());
    }

    /// Ends, and waits for nobody.
    pub(crate) fn ends(self) {
        let (ended, ending) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(self);
            // Nobody listens if it comes too late.
            let _ = ended.send(());
        });
        ending.recv_timeout(DEADLINE).expect("it ends");
    }

    /// The offsets that came, in order, by partition.
    pub(crate) fn offsets(&self) -> BTreeMap<i32, Vec<i64>> {
        let mut offsets: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for came in &self.came {
            offsets.entry(came.partition).or_default().push(came.offset);
        }
        offsets
    }

    /// The offsets of one partition that came, in order; none if nothing of it came.
    pub(crate) fn offsets_of(&self, number: i32) -> Vec<i64> {
        self.offsets().remove(&number).unwrap_or_default()
    }
}

pub(crate) fn partition(topic: &str, number: i32) -> Partition {
    Partition::new(topic, number)
}

pub(crate) fn starts_of(topic: &str, starts: &[(i32, i64)]) -> Progress {
    starts.iter().map(|(number, next)| (partition(topic, *number), Offset(*next))).collect()
}
