//! What waits for a source whose outside does not answer. The loop turns on meanwhile.

use std::time::Duration;

use dataward_event::position::Partition;

use crate::archive::Archive;
use crate::metrics::Activity;
use crate::record_source::{Input, RecordSource};
use crate::runner::{RunError, Runner};

/// The wait before a source that did not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What the source has told, and could not be done because its outside did not answer.
#[derive(Default)]
pub(crate) struct Deferred {
    assigned: Vec<Partition>,
    is_out_of_range: bool,
    at: Duration,
    /// What the source has last said of itself: it is told once.
    pub(crate) trouble: Option<String>,
}

impl Deferred {
    /// What is to be tried again now.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Input> {
        if self.at > now {
            return None;
        }
        if !self.assigned.is_empty() {
            return Some(Input::Assigned(std::mem::take(&mut self.assigned)));
        }
        std::mem::take(&mut self.is_out_of_range).then_some(Input::OutOfRange)
    }

    /// These are not to be started any more, or are being started.
    pub(crate) fn forget(&mut self, partitions: &[Partition]) {
        self.assigned.retain(|waiting| !partitions.contains(waiting));
    }
}

impl<S: RecordSource, A: Archive + Send + 'static> Runner<S, A> {
    /// Starts partitions now, or when the source can be asked about them.
    pub(crate) fn take_over(&mut self, partitions: Vec<Partition>) -> Result<(), RunError> {
        self.act(Activity::Restoring);
        // Told again, it is started once.
        self.deferred.forget(&partitions);
        if let Some(reason) = self.start(&partitions)? {
            self.deferred.assigned.extend(partitions);
            self.defer(reason);
        }
        self.act(Activity::Running);
        Ok(())
    }

    /// Looks again later which positions are no longer in the log.
    pub(crate) fn defer_out_of_range(&mut self, reason: String) {
        self.deferred.is_out_of_range = true;
        self.defer(reason);
    }

    /// The source did not answer: the loop turns on, and asks again.
    fn defer(&mut self, reason: String) {
        self.deferred.at = self.clock.monotonic() + ASK_AGAIN;
        self.tell_trouble(reason);
    }

    /// Says what the source says of itself, once until it says something else or goes on.
    pub(crate) fn tell_trouble(&mut self, reason: String) {
        if self.deferred.trouble.as_ref() != Some(&reason) {
            tracing::warn!(reason, "the source is unavailable: it is tried again");
            self.deferred.trouble = Some(reason);
        }
    }
}
