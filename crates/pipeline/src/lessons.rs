//! Lessons: what reads of the past teach before the first record comes, in the order of event time, without a sound.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_detect::context::{AlertsPerDay, Context, Number};
use dataward_detect::partition_state::PartitionState;
use dataward_event::audit_event::AuditEvent;
use dataward_event::position::Position;
use dataward_event::time::EventTime;

/// How many events wait for older ones. Beyond, the oldest eighth goes on: what comes out of order by more teaches no less,
/// unless it is late by more than a day.
const WAITING_MAX: usize = 1 << 18;

/// Lessons while they are taken.
#[derive(Debug)]
pub struct Lessons {
    state: PartitionState,
    context: Context,
    waiting: BTreeMap<(EventTime, String, u64), (AuditEvent<'static>, Position)>,
    taken: u64,
    until: Option<EventTime>,
    report: Report,
}

/// What lessons came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that were looked at.
    pub events: u64,
    /// Events at or after the end that was set.
    pub beyond: u64,
    /// The same event came again within ten minutes.
    pub duplicates: u64,
    /// Reads more than a day behind the newest one before them: they taught nothing.
    pub late: u64,
    /// Reads more than a month ahead of all others: they taught nothing.
    pub ahead: u64,
    /// Actors and pairs for which there was no room.
    pub forgotten: u64,
    /// The first and the last event of those that were not left out.
    pub times: Option<(EventTime, EventTime)>,
    /// Actors that are known now.
    pub actors: usize,
    /// Pairs of actor and datastore that are known now.
    pub pairs: usize,
    /// Datastores that are known now.
    pub datastores: usize,
}

impl Lessons {
    /// Lessons by what people know. Events at or after `until` are left out.
    pub fn new(context: &Arc<Context>, until: Option<EventTime>) -> Self {
        // Nobody is told of anything, so no day is one of an incident: each teaches as far as it is like the others.
        let none = Number::whole(0);
        let alerts_per_day = AlertsPerDay { acute: none, drift: none, off_hours: none };
        Self {
            state: PartitionState::default(),
            context: Context { alerts_per_day, ..Context::clone(context) },
            waiting: BTreeMap::new(),
            taken: 0,
            until,
            report: Report::default(),
        }
    }

    /// Takes an event in.
    pub fn take(&mut self, event: AuditEvent<'static>, position: Position) {
        if self.until.is_some_and(|until| event.time >= until) {
            self.report.beyond += 1;
            return;
        }
        // Of two events of one time the uid decides, whichever file they came from.
        self.taken += 1;
        let place = (event.time, event.uid.to_string(), self.taken);
        self.waiting.insert(place, (event, position));
        if self.waiting.len() > WAITING_MAX {
            let oldest = self.waiting.keys().nth(WAITING_MAX / 8);
            if let Some(time) = oldest.map(|(time, ..)| *time) {
                self.learn_up_to(time);
            }
        }
    }

    /// No event before this time comes any more.
    pub fn learn_up_to(&mut self, time: EventTime) {
        let ahead = self.waiting.split_off(&(time, String::new(), 0));
        for (event, position) in std::mem::replace(&mut self.waiting, ahead).into_values() {
            self.learn(&event, &position);
        }
    }

    fn learn(&mut self, event: &AuditEvent<'_>, position: &Position) {
        let left_out =
            |state: &PartitionState| state.read_counts().late + state.read_counts().ahead;
        let before = left_out(&self.state);
        let observed = self.state.observe(event, position, &self.context);
        let is_left_out = left_out(&self.state) > before;
        let report = &mut self.report;
        report.events += 1;
        report.duplicates += u64::from(observed.is_duplicate);
        if !is_left_out {
            let (first, last) = report.times.unwrap_or((event.time, event.time));
            report.times = Some((first.min(event.time), last.max(event.time)));
        }
    }

    /// What was learned: the state with which partitions begin.
    pub fn finish(mut self) -> (PartitionState, Report) {
        for (event, position) in std::mem::take(&mut self.waiting).into_values() {
            self.learn(&event, &position);
        }
        let (counts, sizes) = (self.state.read_counts(), self.state.read_sizes());
        self.state.end_lessons(&self.context);
        let report = Report {
            late: counts.late,
            ahead: counts.ahead,
            forgotten: counts.forgotten,
            actors: sizes.actors,
            pairs: sizes.pairs,
            datastores: sizes.datastores,
            ..self.report
        };
        (self.state, report)
    }
}
