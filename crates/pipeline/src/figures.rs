//! What the loop has counted and where it stands, for those who watch it from outside.
//!
//! Plain values that the loop's thread alone writes. Workers count within a batch; a batch is added here in one go, so
//! watching costs an event nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use dataward_detect::census::Census;
use dataward_detect::reads::bulk_reads::{Counts, Sizes};
use dataward_detect::reads::calibration::{Calibration, SHARES};
use dataward_event::finding::{RuleId, Severity};
use dataward_event::position::{Offset, Partition};
use dataward_event::time::{EventTime, IngestTime, KafkaTime};

use crate::archive::GapCause;
use crate::histogram::{Histogram, LONG_SECONDS, SHORT_SECONDS};
use crate::record_source::Bounds;
use crate::tally::Tally;

/// The figures of a process.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Every partition that was ever ours in this process.
    pub partitions: BTreeMap<Partition, PartitionFigures>,
    /// How long a worker took with the records of one batch, by topic.
    pub process_seconds: BTreeMap<String, Histogram>,
    /// Statements raised.
    pub alerts: BTreeMap<(RuleId, Severity), u64>,
    /// Offsets that will never have rows, by cause.
    pub gap_offsets: BTreeMap<GapCause, u64>,
    /// Partitions that were not started, and why.
    pub stopped: BTreeMap<Partition, String>,
    /// Checkpoints in the table.
    pub commits: u64,
    /// Attempts at a checkpoint that failed and are tried again.
    pub commit_failures: u64,
    /// How long a checkpoint took, from the first attempt until it was in the table.
    pub commit_seconds: Histogram,
    /// The checkpoint on its way.
    pub commit_in_flight: Option<InFlight>,
    /// When the last checkpoint came into the table.
    pub last_commit: Option<IngestTime>,
    /// Files of rows written by checkpoints in the table.
    pub files_written: u64,
    /// Their bytes.
    pub bytes_written: u64,
    /// Snapshots of state in the table.
    pub snapshots: u64,
    /// Their bytes.
    pub snapshot_bytes: u64,
    /// How long the keeper's part of a snapshot held up the loop.
    pub snapshot_seconds: Histogram,
    /// How often another process has taken the archive, or our place in the group.
    pub fences: u64,
    /// The memory of records and rows on the way, in bytes.
    pub buffered_bytes: usize,
    /// The memory at which reading pauses, in bytes.
    pub buffer_limit_bytes: usize,
    /// Reading is paused.
    pub is_paused: bool,
    /// The sinks by name.
    pub sinks: BTreeMap<String, SinkFigures>,
    /// What the keeper knows, as of its last snapshot.
    pub census: Option<Census>,
    /// From the append of a record until its rows were in the table, by record.
    pub event_to_durable: Histogram,
    /// Whether the source's outside answers; `None`: nothing is known of it yet.
    pub source_answers: Option<bool>,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            partitions: BTreeMap::new(),
            process_seconds: BTreeMap::new(),
            alerts: BTreeMap::new(),
            gap_offsets: BTreeMap::new(),
            stopped: BTreeMap::new(),
            commits: 0,
            commit_failures: 0,
            commit_seconds: Histogram::new(LONG_SECONDS),
            commit_in_flight: None,
            last_commit: None,
            files_written: 0,
            bytes_written: 0,
            snapshots: 0,
            snapshot_bytes: 0,
            snapshot_seconds: Histogram::new(SHORT_SECONDS),
            fences: 0,
            buffered_bytes: 0,
            buffer_limit_bytes: 0,
            is_paused: false,
            sinks: BTreeMap::new(),
            census: None,
            event_to_durable: Histogram::new(LONG_SECONDS),
            source_answers: None,
        }
    }
}

impl Figures {
    /// What stands for a loop that has ended holds no more; what was counted stays.
    pub(crate) fn begin_anew(&mut self) {
        for partition in self.partitions.values_mut() {
            let (source, tally) = (partition.source, std::mem::take(&mut partition.tally));
            *partition = PartitionFigures { source, tally, ..PartitionFigures::default() };
        }
        self.stopped.clear();
        self.commit_in_flight = None;
        self.census = None;
        self.source_answers = None;
    }

    /// The ends of these partitions, if all are known.
    pub(crate) fn ends<'p>(
        &self,
        partitions: impl Iterator<Item = &'p Partition>,
    ) -> Option<BTreeMap<Partition, Offset>> {
        let end = |partition: &'p Partition| {
            let bounds = self.partitions.get(partition)?.bounds?;
            Some((partition.clone(), bounds.high))
        };
        partitions.map(end).collect()
    }

    /// The figures of a partition.
    pub(crate) fn partition(&mut self, partition: &Partition) -> &mut PartitionFigures {
        self.partitions.entry(partition.clone()).or_default()
    }

    /// The days of actors that were judged in the partitions that are ours, by channel.
    pub fn judged_days(&self) -> Vec<JudgedDays> {
        let owned = self.partitions.values().filter(|figures| figures.is_owned);
        let all = owned.fold(Calibration::default(), |all, own| all.with(&own.reads.calibration));
        let judged = all.counts().map(|(channel, days, rarer)| {
            let rarer = SHARES.into_iter().zip(rarer).collect();
            JudgedDays { channel: channel.as_str(), days, rarer }
        });
        judged.collect()
    }

    /// A batch was read.
    pub(crate) fn read(&mut self, partition: &Partition, tally: &Tally, took: Option<Duration>) {
        self.partition(partition).tally.add(tally);
        if tally.not_delivered > 0 {
            *self.gap_offsets.entry(GapCause::NotDelivered).or_default() += tally.not_delivered;
        }
        if let Some(took) = took {
            let of_topic = self.process_seconds.entry(partition.topic.to_string());
            let histogram = of_topic.or_insert_with(|| Histogram::new(SHORT_SECONDS));
            histogram.add(took.as_secs_f64(), 1);
        }
    }
}

/// A checkpoint that is not in the table yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// When it was first tried, on the clock of [`Metrics::elapsed`](crate::metrics::Metrics::elapsed).
    pub since: Duration,
    /// Why the last attempt failed, if one did.
    pub error: Option<String>,
}

/// The figures of one partition.
#[derive(Debug, Clone, Default)]
pub struct PartitionFigures {
    /// It is ours now.
    pub is_owned: bool,
    /// The log format of its records.
    pub source: &'static str,
    /// What was read of it.
    pub tally: Tally,
    /// The progress that the table has.
    pub committed: Option<Offset>,
    /// The offsets that it held when its source last heard of it.
    pub bounds: Option<Bounds>,
    /// The newest times that the table has.
    pub newest: Newest,
    /// What the detector knows of reads, as of the last checkpoint.
    pub reads: ReadFigures,
}

/// What is known of reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadFigures {
    /// How much.
    pub sizes: Sizes,
    /// What was left out.
    pub counts: Counts,
    /// Whether scores mean what they say.
    pub calibration: Calibration,
}

/// Days of actors that were judged in a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedDays {
    /// The channel, as it is called in alerts.
    pub channel: &'static str,
    /// How many.
    pub days: u64,
    /// For some shares how many of them said that at most that share of days is like them.
    pub rarer: Vec<(f64, u64)>,
}

impl PartitionFigures {
    /// How many offsets lie between the table and the end of the log.
    pub fn lag(&self) -> Option<u64> {
        let (committed, bounds) = (self.committed?, self.bounds?);
        Some(u64::try_from(bounds.high.0 - committed.0).unwrap_or(0))
    }

    /// How many offsets lie between the first one that is still there and the table: what retention may still take
    /// before something is lost.
    pub fn margin(&self) -> Option<u64> {
        let (committed, bounds) = (self.committed?, self.bounds?);
        Some(u64::try_from(committed.0 - bounds.low.0).unwrap_or(0))
    }
}

/// The newest times among some records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Newest {
    /// When the newest one was appended.
    pub appended: Option<KafkaTime>,
    /// The newest event's own time.
    pub event: Option<EventTime>,
}

impl Newest {
    /// Takes others in.
    pub fn add(&mut self, other: Self) {
        self.appended = self.appended.max(other.appended);
        self.event = self.event.max(other.event);
    }
}

/// The figures of one sink.
#[derive(Debug, Clone)]
pub struct SinkFigures {
    /// Alerts that wait for it.
    pub waiting: usize,
    /// When the oldest of them was concluded.
    pub oldest_waiting: Option<IngestTime>,
    /// Alerts that it has safe.
    pub delivered: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// From the append of the record behind an alert until the sink had it safe. Alerts of the clock, and such that are
    /// sent again after a restart, have no record.
    pub event_to_alert: Histogram,
}

impl Default for SinkFigures {
    fn default() -> Self {
        Self {
            waiting: 0,
            oldest_waiting: None,
            delivered: 0,
            failures: 0,
            event_to_alert: Histogram::new(LONG_SECONDS),
        }
    }
}

impl SinkFigures {
    /// An alert is safe at the sink. A time in the future counts as no time.
    pub(crate) fn delivered(&mut self, appended: Option<KafkaTime>, now: IngestTime) {
        self.delivered += 1;
        if let Some(appended) = appended {
            let micros = now.micros().saturating_sub(appended.micros()).max(0);
            self.event_to_alert.add(micros as f64 / 1e6, 1);
        }
    }
}
