//! The keeper at work in this process: its state, its rows, and how far it has seen.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use dataward_detect::concluded::Concluded;
use dataward_detect::datastores::SEGMENT_COUNT;
use dataward_detect::keeper::Keeper;
use dataward_detect::opening::GRACE_MICROS;
use dataward_detect::state::FORMAT;
use dataward_event::finding::Owner;
use dataward_event::position::{Position, Progress};
use dataward_event::time::EventTime;

use crate::alert::Alert;
use crate::archive::{ExposureRow, LISTENED, OperatorRow, Rows, Segment, Snapshot, TICK};
use crate::clock::Clock;
use crate::lane::{News, detector_failed};

/// How long event time must stand still before the clock goes on for it.
const STANDSTILL: Duration = Duration::from_secs(1);

/// The keeper of the shared state and the rows of its statements.
pub struct Desk<R> {
    /// The keeper.
    pub keeper: Keeper,
    /// The rows of its statements since the last checkpoint.
    pub rows: R,
    /// The progress of every partition it has ever seen.
    pub seen: Progress,
    /// When the clock showed that event time had come so far.
    standing_since: Option<(EventTime, Duration)>,
}

impl<R: Rows> Desk<R> {
    /// A desk with a keeper that has seen so much.
    pub fn new(keeper: Keeper, rows: R, seen: Progress) -> Self {
        Self { keeper, rows, seen, standing_since: None }
    }

    /// Takes in what a batch brought; the alerts that follow have their rows already.
    pub fn observe(&mut self, news: News, clock: &dyn Clock) -> Vec<Alert> {
        let News { changes, reads, .. } = news;
        if changes.is_empty() && reads.is_empty() {
            return Vec::new();
        }
        let first = changes.first().map(|event| (event.position.clone(), event.time));
        let first = first.or_else(|| {
            reads.first().map(|read| (read.total.first.position.clone(), read.total.first.time))
        });
        self.conclude(first, clock, |keeper| keeper.observe_all(changes, reads))
    }

    /// Lets the clock go on where event time stands still, and fires the timers that are due by then.
    pub fn tick(&mut self, clock: &dyn Clock) -> Vec<Alert> {
        let (now, monotonic) = (self.keeper.now(), clock.monotonic());
        let since = match self.standing_since {
            Some((at, since)) if at == now => since,
            _ => {
                self.standing_since = Some((now, monotonic));
                return Vec::new();
            }
        };
        let (stood, time) = (monotonic.saturating_sub(since), self.time(monotonic));
        if stood < STANDSTILL || self.keeper.next_due().is_none_or(|due| due > time) {
            return Vec::new();
        }
        self.tick_at(time, clock)
    }

    /// The newest event time; where it stands still, the clock goes on for it.
    pub fn time(&self, monotonic: Duration) -> EventTime {
        let now = self.keeper.now();
        match self.standing_since {
            Some((at, since)) if at == now => {
                let stood = monotonic.saturating_sub(since).as_micros();
                at.plus_micros(i64::try_from(stood).unwrap_or(i64::MAX))
            }
            _ => now,
        }
    }

    /// All there was by a time has been read: says who should have spoken by then and has not.
    pub fn listen(&mut self, time: EventTime, clock: &dyn Clock) -> Vec<Alert> {
        let alerts = self.conclude(None, clock, |keeper| keeper.listen(time));
        if !alerts.is_empty() {
            self.note(LISTENED, time, alerts.len(), clock);
        }
        alerts
    }

    /// A replay must pass the same time, or what was said would be said again.
    fn note(&mut self, operation: &str, time: EventTime, fired: usize, clock: &dyn Clock) {
        self.rows.operator(&OperatorRow {
            operation: operation.to_owned(),
            partition: None,
            time: Some(time),
            detail: format!("{{\"fired\":{fired}}}"),
            ingest_time: clock.now(),
        });
    }

    /// The last tick of a source that has ended, whose newest event of any kind is known: what is due by then, and what a
    /// grace period would still have waited for.
    pub fn tick_at_the_end(&mut self, newest: Option<EventTime>, clock: &dyn Clock) -> Vec<Alert> {
        match newest.max(self.keeper.newest()) {
            Some(newest) => self.tick_at(newest.plus_micros(GRACE_MICROS), clock),
            None => Vec::new(),
        }
    }

    fn tick_at(&mut self, time: EventTime, clock: &dyn Clock) -> Vec<Alert> {
        let alerts = self.conclude(None, clock, |keeper| keeper.tick(time));
        if !alerts.is_empty() {
            self.note(TICK, time, alerts.len(), clock);
        }
        alerts
    }

    /// Says what reads have changed in figures that were said, and folds what is final: at each barrier.
    pub fn sum_up(&mut self, clock: &dyn Clock) -> Vec<Alert> {
        let settled = self.conclude(None, clock, Keeper::settle);
        let mut alerts = self.conclude(None, clock, Keeper::say_figures);
        alerts.splice(0..0, settled);
        alerts
    }

    /// Runs a part of the keeper; what it concludes becomes rows and alerts.
    pub fn conclude(
        &mut self,
        place: Option<(Position, EventTime)>,
        clock: &dyn Clock,
        work: impl FnOnce(&mut Keeper) -> Concluded,
    ) -> Vec<Alert> {
        let keeper = &mut self.keeper;
        let working = AssertUnwindSafe(|| work(keeper));
        let concluded = catch_unwind(working).unwrap_or_else(|_| {
            // A defect costs the conclusions of these events, never the stream (I5).
            let failed = place.map(|(position, time)| detector_failed(&position, time));
            Concluded { findings: failed.into_iter().collect(), exposures: Vec::new() }
        });
        let now = clock.now();
        for (number, exposure) in concluded.exposures {
            self.rows.exposure(&ExposureRow { exposure, number, ingest_time: now });
        }
        let alerts: Vec<Alert> =
            concluded.findings.iter().map(|finding| Alert::new(finding, now)).collect();
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
        let mut desk = Desk::new(Keeper::new(), NoRows, Progress::new());
        let (given_up, kept) = (Partition::new("audit", 0), Partition::new("audit", 1));
        desk.pass(&[(given_up.clone(), Offset(7))].into_iter().collect());
        desk.pass(&[(kept.clone(), Offset(3))].into_iter().collect());
        let at = desk.snapshot().unwrap().at;
        assert_eq!((at.next(&given_up), at.next(&kept)), (Some(Offset(7)), Some(Offset(3))));
    }
}
