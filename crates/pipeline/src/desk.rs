//! The keeper at work in this process: its state, its rows, and how far it has seen.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dataward_detect::keeper::{Keeper, SEGMENT_COUNT};
use dataward_detect::posture_event::PostureEvent;
use dataward_detect::state::FORMAT;
use dataward_event::finding::Owner;
use dataward_event::position::Progress;

use crate::alert::Alert;
use crate::archive::{Rows, Segment, Snapshot};
use crate::clock::Clock;
use crate::lane::detector_failed;

/// The keeper of the shared state and the rows of its alerts.
pub struct Desk<R> {
    /// The keeper.
    pub keeper: Keeper,
    /// The rows of its alerts since the last checkpoint.
    pub rows: R,
    /// The progress of every partition it has ever seen.
    pub seen: Progress,
}

impl<R: Rows> Desk<R> {
    /// Takes a posture event in; the alerts that follow have their rows already.
    pub fn observe(&mut self, event: &PostureEvent, clock: &dyn Clock) -> Vec<Alert> {
        let keeper = &mut self.keeper;
        let observing = AssertUnwindSafe(|| keeper.observe(event));
        let findings = catch_unwind(observing).unwrap_or_else(|_| {
            // A defect costs the conclusions of this event, never the stream (I5).
            vec![detector_failed(&event.position, event.time)]
        });
        let alerts = findings.iter().map(|finding| Alert::new(finding, clock.now()));
        let alerts: Vec<Alert> = alerts.collect();
        for alert in &alerts {
            self.rows.alert(alert);
        }
        alerts
    }

    /// The keeper's state at a barrier, where it has changed.
    pub fn snapshot(&mut self, progress: &Progress) -> Option<Snapshot> {
        let segments = self.keeper.save_dirty();
        if segments.is_empty() {
            return None;
        }
        for (partition, next) in progress.iter() {
            self.seen.assign(partition.clone(), next);
        }
        Some(Snapshot {
            owner: Owner::Keeper,
            at: self.seen.clone(),
            format: FORMAT,
            segments: segments.into_iter().map(|(index, bytes)| Segment { index, bytes }).collect(),
            segment_count: SEGMENT_COUNT,
        })
    }
}
