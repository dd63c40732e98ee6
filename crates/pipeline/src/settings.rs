//! How the loop is to run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dataward_detect::context::Context;
use dataward_event::time::KafkaTime;
use dataward_sources::registry::Schemas;
use dataward_sources::source::Source;

/// How much of the raw records the archive keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawPolicy {
    /// Every event's exact bytes: the evidence.
    All,
    /// Only those of config changes.
    Changes,
    /// As `Changes`: the documents of config changes are always kept.
    None,
}

/// Where a topic that the archive has never seen begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// At the first record that Kafka still has.
    Earliest,
    /// After the last record.
    Latest,
    /// At the first record that is not older than this.
    Time(KafkaTime),
}

/// What to do when Kafka lost offsets before we read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnGap {
    /// Record a gap, raise an alert, go on.
    Record,
    /// Stop.
    Halt,
}

/// How one topic is read.
#[derive(Debug, Clone)]
pub struct TopicSettings {
    /// The log format of its records.
    pub source: Source,
    /// How much of the raw records is kept.
    pub raw: RawPolicy,
    /// The registry whose schemas its records may name.
    pub schemas: Option<Arc<dyn Schemas>>,
}

impl TopicSettings {
    /// A topic without a schema registry.
    pub fn new(source: Source, raw: RawPolicy) -> Self {
        Self { source, raw, schemas: None }
    }
}

/// When what was not read is held for not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListeningSettings {
    /// So long the source must have answered without a break: who sends through the same brokers was cut off as we were, and
    /// has to catch up.
    pub answering: Duration,
    /// How long the source has for fetching what had been appended.
    pub fetching: Duration,
}

impl Default for ListeningSettings {
    fn default() -> Self {
        Self { answering: Duration::from_secs(60), fetching: Duration::from_secs(5) }
    }
}

/// How the loop is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The topics by name. Files are looked up by the prefix of their topics, `file/`.
    pub topics: BTreeMap<String, TopicSettings>,
    /// The longest time between two checkpoints while there is something to commit.
    pub flush_interval: Duration,
    /// The size of the rows in memory that makes a checkpoint due at once, in bytes.
    pub checkpoint_bytes: usize,
    /// The memory for records and rows at which reading pauses, in bytes.
    pub buffer_bytes: usize,
    /// The time between two state snapshots.
    pub snapshot_interval: Duration,
    /// Where a new topic begins.
    pub start_at: StartAt,
    /// What to do about lost offsets.
    pub on_gap: OnGap,
    /// What people know and no log says; `None`: what the archive has been told last.
    pub context: Option<Arc<Context>>,
    /// How long a failed commit waits before it is tried again, the first time; it doubles up to a minute.
    pub retry_interval: Duration,
    /// When what was not read is held for not sent.
    pub listening: ListeningSettings,
}

impl Settings {
    /// How a topic is read; `None` if nobody bound it.
    pub fn topic(&self, name: &str) -> Option<&TopicSettings> {
        let prefix = dataward_event::position::Partition::FILE_PREFIX;
        self.topics
            .get(name)
            .or_else(|| name.starts_with(prefix).then(|| self.topics.get(prefix))?)
    }
}
