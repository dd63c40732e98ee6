//! The port on the side of the input: Kafka, files, or a fake that fails.

use std::collections::BTreeMap;
use std::time::Duration;

use dataward_event::position::{Offset, Partition, Progress};

use crate::archive::Committed;
use crate::batch::Batch;

/// What a source has to say. A rebalance is an input, not an error.
#[derive(Debug)]
pub enum Input {
    /// Records of one partition.
    Batch(Batch),
    /// The group gave us these partitions. Nothing of them is delivered before [`RecordSource::assign`].
    Assigned(Vec<Partition>),
    /// The group takes these partitions. It waits for [`RecordSource::unassign`].
    Revoked {
        /// Which.
        partitions: Vec<Partition>,
        /// They are already somebody else's: a last checkpoint is useless.
        lost: bool,
    },
    /// The position of some partition is no longer in the log. Compare [`RecordSource::bounds`] with the progress.
    OutOfRange,
    /// Nothing within the time given.
    Idle,
    /// There will never be more: all files are read.
    End,
}

/// The offsets that a partition holds now: `[low, high)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The first offset still there.
    pub low: Offset,
    /// The offset after the last.
    pub high: Offset,
}

/// What a source has heard from outside by the way, without asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Somebody answers out there.
    pub answers: bool,
    /// The offsets that partitions held then.
    pub bounds: BTreeMap<Partition, Bounds>,
}

/// Why a source failed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It may work later; the source keeps trying by itself where it can.
    #[error("{0}")]
    Unavailable(String),
    /// Another process has taken our place in the group: start again as its standby.
    #[error("{0}")]
    Fenced(String),
    /// It will not work before somebody changes something: an unknown topic, refused credentials.
    #[error("{0}")]
    Fatal(String),
    /// The process was told to stop while the source waited for an answer.
    #[error("told to stop")]
    Stopped,
}

/// A source of records.
///
/// The contract: within a partition records come in order, from exactly the offset given to [`assign`], each offset at
/// most once until the next `assign`. Nothing is acknowledged but what [`acknowledge`] is given.
///
/// [`assign`]: RecordSource::assign
/// [`acknowledge`]: RecordSource::acknowledge
pub trait RecordSource {
    /// Begins: called once, after the archive is ours, so that a standby takes no place in a group.
    ///
    /// # Errors
    /// [`SourceError`] if the group refuses.
    fn begin(&mut self) -> Result<(), SourceError> {
        Ok(())
    }

    /// Waits at most `timeout` for the next input.
    ///
    /// # Errors
    /// [`SourceError`]; after `Unavailable` it may be called again.
    fn poll(&mut self, timeout: Duration) -> Result<Input, SourceError>;

    /// The offsets that a partition holds now.
    ///
    /// # Errors
    /// [`SourceError`] if the source cannot be asked.
    fn bounds(&mut self, partition: &Partition) -> Result<Bounds, SourceError>;

    /// The first offset whose record is not older than `time`, for the start policy.
    ///
    /// # Errors
    /// [`SourceError`] if the source cannot be asked.
    fn offset_at(
        &mut self,
        partition: &Partition,
        time: dataward_event::time::KafkaTime,
    ) -> Result<Offset, SourceError>;

    /// Starts delivery of these partitions at these offsets: the answer to [`Input::Assigned`], or a restart.
    ///
    /// # Errors
    /// [`SourceError`] if the group refuses.
    fn assign(&mut self, starts: &Progress) -> Result<(), SourceError>;

    /// Ends delivery of these partitions: the answer to [`Input::Revoked`].
    ///
    /// # Errors
    /// [`SourceError`] if the group refuses.
    fn unassign(&mut self, partitions: &[Partition]) -> Result<(), SourceError>;

    /// Stops (`true`) or resumes (`false`) fetching: back-pressure.
    ///
    /// # Errors
    /// [`SourceError`] if a partition is not assigned.
    fn pause(&mut self, paused: bool) -> Result<(), SourceError>;

    /// Tells the source what the table has (a gauge for others, never read back). Only a commit can make the token.
    fn acknowledge(&mut self, committed: &Committed);

    /// What was heard since the last call, for those who watch. Nothing is asked for it.
    fn heard(&mut self) -> Option<Heard> {
        None
    }
}
