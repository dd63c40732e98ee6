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

    /// Every event before this progress has been shown to the keeper: at each barrier, whether state is due or not. The
    /// next snapshot must say so of a partition that is given up before it.
    pub fn pass(&mut self, progress: &Progress) {
        for (partition, next) in progress.iter() {
            self.seen.assign(partition.clone(), next);
        }
    }

    /// The keeper's state at the last barrier, where it has changed.
    pub fn snapshot(&mut self) -> Option<Snapshot> {
        let segments = self.keeper.save_dirty();
        if segments.is_empty() {
            return None;
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

#[cfg(test)]
mod tests {
    use dataward_event::position::{Offset, Partition};

    use super::*;
    use crate::ephemeral::NoRows;

    #[test]
    fn a_snapshot_stands_behind_what_was_given_up_before_it() {
        let mut desk = Desk { keeper: Keeper::new(), rows: NoRows, seen: Progress::new() };
        let (given_up, kept) = (Partition::new("audit", 0), Partition::new("audit", 1));
        desk.pass(&[(given_up.clone(), Offset(7))].into_iter().collect());
        desk.pass(&[(kept.clone(), Offset(3))].into_iter().collect());
        let at = desk.snapshot().unwrap().at;
        assert_eq!((at.next(&given_up), at.next(&kept)), (Some(Offset(7)), Some(Offset(3))));
    }
}
