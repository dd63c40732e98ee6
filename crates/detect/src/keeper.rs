//! The keeper of the shared state: the protection of every datastore.
//!
//! What it concludes is a function of the *set* of posture events and reads, ordered by (event time, event uid) within
//! the lateness bound, never of their arrival: events of one datastore come from many actors and so from many
//! partitions. A finding goes out at once; a late, earlier event may change it or withdraw it (`superseded`, same uid).
//! How: what stands about a datastore is derived before and after each event, and the difference is said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_event::change::WindowKind;
use dataward_event::finding::{CloseReason, Finding, Step, Trigger};
use dataward_event::limits::LATENESS_BOUND_MICROS;
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::concluded::Concluded;
use crate::context::Context;
use crate::datastore_state::DatastoreState;
use crate::datastores::Datastores;
use crate::guards::AccountGuards;
use crate::lineage::Lineage;
use crate::opening::OpeningId;
use crate::posture_event::PostureEvent;
use crate::read_total::{DatastoreRead, MINUTE_MICROS};
use crate::rhythm::{Mark, Rhythm};
use crate::severity::window_severity;
use crate::silence::mark_of_reads;
use crate::state::since_3;
use crate::statement;
use crate::timers::Timers;
use crate::told::{self, Standing, Told, What};

/// How far the slowest source that tells of a datastore may be behind the fastest one, in microseconds. What it tells later
/// than that is late.
pub(crate) const PATIENCE_MICROS: i64 = 60 * 60 * 1_000_000;

/// The cause of what a timer says.
const TIMER: &str = "timer";

/// The protection of every datastore.
#[derive(Debug, Default)]
pub struct Keeper {
    pub(crate) datastores: Datastores,
    pub(crate) root: Root,
    /// Datastores of which something can still change.
    pub(crate) unsettled: BTreeSet<String>,
    timers: Timers,
    /// What was said of datastores whose figures have changed since.
    said: BTreeMap<String, Standing>,
    next_number: u64,
}

/// What is not about one datastore.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Root {
    newest: BTreeMap<String, EventTime>,
    /// The latest tick of the clock that fired a timer.
    tick: Option<EventTime>,
    pub(crate) context: Arc<Context>,
    /// What stands above the datastores of each account.
    #[serde(deserialize_with = "since_3")]
    pub(crate) accounts: BTreeMap<String, Arc<AccountGuards>>,
    /// Which datastore was made from which.
    #[serde(deserialize_with = "since_3")]
    pub(crate) lineage: Lineage,
    /// How often each source speaks.
    #[serde(deserialize_with = "since_3")]
    pub(crate) rhythms: BTreeMap<String, Rhythm>,
}

impl Root {
    /// The newest event time of a source.
    pub(crate) fn newest_of(&self, source: &str) -> Option<EventTime> {
        self.newest.get(source).copied()
    }
}

impl Keeper {
    /// A keeper that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a change in and says what follows.
    pub fn observe(&mut self, event: &PostureEvent) -> Concluded {
        let uid = event.datastore.uid.to_string();
        self.see(&event.source, event.time);
        let mut concluded = self.fire();
        concluded.extend(self.hear_source(&event.source, Some(mark_of_change(event))));
        concluded.extend(self.settle_datastore(&uid, Some(&event.source)));
        let horizon = self.horizon_of(&uid, Some(&event.source));
        if event.time < horizon {
            let context = Arc::clone(&self.root.context);
            concluded.extend(self.observe_late(&uid, event, &context));
        } else {
            concluded.extend(self.make_room(&uid));
            concluded.extend(self.insert(event.clone()));
        }
        concluded.extend(self.guard(event));
        concluded.extend(self.follow_copies(event));
        concluded
    }

    /// Puts an event that is not late at its place.
    pub(crate) fn insert(&mut self, event: PostureEvent) -> Concluded {
        let (uid, cause) = (event.datastore.uid.to_string(), event.uid.clone());
        let known = self.surroundings(&uid);
        self.change(&uid, &cause, |state| state.insert(event, known.around()))
    }

    fn observe_late(&mut self, uid: &str, event: &PostureEvent, context: &Context) -> Concluded {
        let mut told = Vec::new();
        let mut concluded = self.change(uid, &event.uid, |state| {
            told = state.insert_late(event.clone(), context);
        });
        // What is over already stands in no state: it is said once.
        let mut standing = Standing::new();
        let (known, inherited) = (self.surroundings(uid), self.inherited(uid));
        if let Some(state) = self.datastores.get(uid) {
            for opening in &told {
                let of_late = told::standing_of_late(state, known.around(), inherited, opening);
                standing.extend(of_late);
            }
        }
        standing.retain(|finding_uid, _| {
            concluded.findings.iter().all(|finding| finding.uid != *finding_uid)
        });
        concluded.extend(self.say(&Standing::new(), &standing, &event.uid, true));
        concluded
    }

    /// Takes in what a batch, or a replay, brings: each thing at its place in event time, so that nothing is late
    /// because of what stands behind it. What reads add to figures is said by [`say_figures`](Self::say_figures).
    pub fn observe_all(
        &mut self,
        mut changes: Vec<PostureEvent>,
        mut reads: Vec<DatastoreRead>,
    ) -> Concluded {
        changes.sort_by(|one, other| (one.time, &one.uid).cmp(&(other.time, &other.uid)));
        reads.sort_by(|one, other| {
            (one.minute, &one.datastore.uid).cmp(&(other.minute, &other.datastore.uid))
        });
        let mut changes = changes.into_iter().peekable();
        let mut reads = reads.into_iter().peekable();
        let mut concluded = Concluded::default();
        while let Some(first) = reads.next() {
            while let Some(change) = changes.next_if(|c| minute_of(c.time) <= first.minute) {
                concluded.extend(self.observe(&change));
            }
            let mut together = vec![first];
            while let Some(next) = reads.next_if(|read| {
                let first = &together[0];
                (read.minute, &read.datastore.uid, &read.source)
                    == (first.minute, &first.datastore.uid, &first.source)
            }) {
                together.push(next);
            }
            concluded.extend(self.observe_reads(together));
        }
        for change in changes {
            concluded.extend(self.observe(&change));
        }
        concluded
    }

    /// Takes in reads of one datastore and minute, told by one source.
    fn observe_reads(&mut self, reads: Vec<DatastoreRead>) -> Concluded {
        let Some(first) = reads.first() else { return Concluded::default() };
        let (uid, source) = (first.datastore.uid.to_string(), Arc::clone(&first.source));
        let cause = Arc::clone(&first.total.first.event_uid);
        let last = reads.iter().map(|read| read.total.last.time).max();
        self.see(&source, last.unwrap_or(EventTime::MIN));
        let mut concluded = self.fire();
        concluded.extend(self.hear_source(&source, mark_of_reads(&reads)));
        concluded.extend(self.hear_datastore(&uid, &source, &reads));
        concluded.extend(self.settle_datastore(&uid, Some(&source)));
        let minute = minute_of(self.horizon_of(&uid, Some(&source)));
        if !self.said.contains_key(&uid) {
            let standing = self.standing(&uid, self.now());
            if standing.values().any(|told| told.tally.is_some()) {
                self.said.insert(uid.clone(), standing);
            }
        }
        let insert = |state: &mut DatastoreState| {
            for read in reads {
                state.insert_read(read, minute);
            }
        };
        concluded.extend(self.change(&uid, &cause, insert));
        concluded
    }

    /// The clock says that it is later than the newest event: fires what is due by then.
    pub fn tick(&mut self, time: EventTime) -> Concluded {
        let is_due = self.timers.next().is_some_and(|due| due <= time);
        if !is_due || time <= self.now() {
            return Concluded::default();
        }
        self.root.tick = Some(time);
        self.datastores.mark_root();
        self.fire()
    }

    /// A tick that fired timers once, again: after a restart.
    pub fn repeat_tick(&mut self, time: EventTime) -> Concluded {
        if self.root.tick.is_none_or(|tick| tick < time) {
            self.root.tick = Some(time);
            self.datastores.mark_root();
        }
        self.fire()
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<EventTime> {
        self.timers.next()
    }

    /// The newest event time, or the latest tick behind it.
    pub fn now(&self) -> EventTime {
        let newest = self.root.newest.values().copied().max();
        newest.max(self.root.tick).unwrap_or(EventTime::MIN)
    }

    /// The newest event time.
    pub fn newest(&self) -> Option<EventTime> {
        self.root.newest.values().copied().max()
    }

    /// Says what has changed in figures since it was last said: called at each checkpoint.
    pub fn say_figures(&mut self) -> Concluded {
        let mut concluded = Concluded::default();
        for uid in self.said.keys().cloned().collect::<Vec<_>>() {
            concluded.extend(self.say_figures_of(&uid));
        }
        concluded
    }

    fn say_figures_of(&mut self, uid: &str) -> Concluded {
        let Some(before) = self.said.remove(uid) else { return Concluded::default() };
        let after = self.standing(uid, self.now());
        let is_changed = |(finding, told): &(&String, &Told)| {
            before.get(*finding).is_some_and(|known| known.tally != told.tally)
        };
        let changed: Standing = after
            .iter()
            .filter(is_changed)
            .map(|(finding, told)| (finding.clone(), told.clone()))
            .collect();
        let mut concluded = Concluded::default();
        let of_figures =
            sorted(&changed).into_iter().filter(|(_, told)| told.what != What::Weakened);
        for (finding_uid, told) in of_figures {
            let step = match told.step {
                Step::Create => Step::Update,
                step => step,
            };
            let cause = format!("figures of {finding_uid}");
            let finding = statement::finding(finding_uid, told, step, &cause);
            self.number(&mut concluded, finding);
        }
        let openings: BTreeSet<OpeningId> =
            changed.values().map(|told| told.opening.id()).collect();
        self.tell_windows(&before, &after, &openings, &mut concluded);
        concluded
    }

    /// The context in use.
    pub fn context(&self) -> &Arc<Context> {
        &self.root.context
    }

    /// Adopts another context: what stands may change with it.
    pub fn adopt(&mut self, context: Arc<Context>) -> Concluded {
        let mut concluded = self.settle();
        concluded.extend(self.say_figures());
        let now = self.now();
        let uids: Vec<String> = self.datastores.iter().map(|(uid, _)| uid.clone()).collect();
        let before: Vec<Standing> = uids.iter().map(|uid| self.standing(uid, now)).collect();
        self.root.context = context;
        let context = Arc::clone(&self.root.context);
        for (uid, before) in uids.iter().zip(before) {
            if let Some(state) = self.datastores.get_mut(uid) {
                state.judge_again(now, &context);
            }
            let after = self.standing(uid, now);
            concluded.extend(self.say(&before, &after, "context", false));
            self.set_timer(uid, &after, now);
        }
        self.mark_all_dirty();
        concluded
    }

    /// Changes the state of a datastore, and says what differs.
    pub(crate) fn change(
        &mut self,
        uid: &str,
        cause: &str,
        change: impl FnOnce(&mut DatastoreState),
    ) -> Concluded {
        let now = self.now();
        // While timers fire, one datastore may touch another whose own are due as well.
        let mut concluded = match self.timers.take_due(uid, now) {
            Some(due) => self.fire_of(uid, due),
            None => Concluded::default(),
        };
        let before = self.standing(uid, now);
        change(self.datastores.entry(uid));
        self.judge_copies(uid, None);
        let known = self.surroundings(uid);
        let state = self.datastores.entry(uid);
        state.remember(known.around());
        if state.has_recent() {
            self.unsettled.insert(uid.to_owned());
        }
        let after = self.standing(uid, now);
        let said_now = self.say(&before, &after, cause, false);
        self.note_said(uid, &said_now, &after);
        let moves = self.datastores.get(uid).is_some_and(DatastoreState::moves);
        if !said_now.is_empty() || self.timers.has(uid) || !after.is_empty() || moves {
            self.set_timer(uid, &after, now);
        }
        concluded.extend(said_now);
        concluded
    }

    /// Notes that figures were said with what was said just now.
    pub(crate) fn note_said(&mut self, uid: &str, said_now: &Concluded, after: &Standing) {
        let Some(said) = self.said.get_mut(uid) else { return };
        for finding in &said_now.findings {
            match after.get(&finding.uid) {
                Some(told) => said.insert(finding.uid.clone(), told.clone()),
                None => said.remove(&finding.uid),
            };
        }
    }

    pub(crate) fn standing(&self, uid: &str, now: EventTime) -> Standing {
        let Some(state) = self.datastores.get(uid).filter(|state| !state.is_calm()) else {
            return Standing::new();
        };
        told::standing(state, self.surroundings(uid).around(), self.inherited(uid), now)
    }

    /// Says the difference between what stood and what stands.
    pub(crate) fn say(
        &mut self,
        before: &Standing,
        after: &Standing,
        cause: &str,
        is_past: bool,
    ) -> Concluded {
        let mut concluded = Concluded::default();
        let mut openings: BTreeSet<OpeningId> = BTreeSet::new();
        for (uid, told) in sorted(before) {
            if !after.contains_key(uid) && !is_past {
                let step = Step::Close(CloseReason::Superseded);
                openings.extend(told.what.has_windows().then(|| told.opening.id()));
                let finding = statement::finding(uid, told, step, cause);
                self.number(&mut concluded, finding);
            }
        }
        for (uid, told) in sorted(after) {
            let steps: &[Step] = match (before.get(uid), told.step) {
                (Some(known), _) if known.says_the_same(told) => {
                    if told.what.has_windows() && !known.has_the_same_windows(told) {
                        openings.insert(told.opening.id());
                    }
                    continue;
                }
                (None, Step::Close(reason)) => &[Step::Create, Step::Close(reason)],
                (None, step) => &[step],
                (Some(_), Step::Create) => &[Step::Update],
                (Some(_), step) => &[step],
            };
            openings.extend(told.what.has_windows().then(|| told.opening.id()));
            for step in steps {
                let finding = statement::finding(uid, told, *step, cause);
                self.number(&mut concluded, finding);
            }
        }
        if !is_past {
            // A past that is known to be over has no window: nobody knows when it ended.
            self.tell_windows(before, after, &openings, &mut concluded);
        }
        concluded
    }

    fn number(&mut self, concluded: &mut Concluded, mut finding: Finding) {
        finding.trigger = Trigger::Keeper(self.next_number);
        self.next_number += 1;
        concluded.findings.push(finding);
    }

    /// A statement about each window of these openings.
    fn tell_windows(
        &mut self,
        before: &Standing,
        after: &Standing,
        openings: &BTreeSet<OpeningId>,
        concluded: &mut Concluded,
    ) {
        for id in openings {
            let of = |standing: &Standing| {
                let mut told = standing.values().filter(|told| told.what.has_windows());
                let told = told.find(|told| told.opening.id() == *id);
                told.map(|told| Arc::clone(&told.opening))
            };
            let (opening, withdrawn) = match of(after) {
                Some(opening) => (Some(opening), None),
                None => (of(before), Some(CloseReason::Superseded)),
            };
            let Some(opening) = &opening else { continue };
            let is_readable = opening.control().window_kind() == WindowKind::Confidentiality;
            let state = self.datastores.get(&opening.event.datastore.uid).filter(|_| is_readable);
            let tally = state.map(|state| {
                if !state.has_reads() {
                    return opening.tally.clone();
                }
                let known = self.surroundings(&opening.event.datastore.uid);
                state.derive(known.around()).tally(&opening.tally, opening.interval())
            });
            let tally = tally.unwrap_or_default();
            let context = &self.root.context;
            let inherited = self.inherited(&opening.event.datastore.uid);
            let severity = window_severity(opening, context, inherited, &tally, self.now());
            for exposure in statement::exposures(opening, Some(&tally), severity, withdrawn) {
                concluded.exposures.push((self.next_number, exposure));
                self.next_number += 1;
            }
        }
    }

    /// Notes that a source has come so far.
    fn see(&mut self, source: &str, time: EventTime) {
        match self.root.newest.get_mut(source) {
            Some(newest) if *newest >= time => return,
            Some(newest) => *newest = time,
            None => {
                self.root.newest.insert(source.to_owned(), time);
            }
        }
        self.datastores.mark_root();
    }

    /// Fires the timers that are due by now.
    fn fire(&mut self) -> Concluded {
        let now = self.now();
        let mut concluded = Concluded::default();
        while let Some((due, uid)) = self.timers.pop(now) {
            concluded.extend(self.fire_of(&uid, due));
        }
        concluded
    }

    /// Fires the timers of a datastore, the first of which was due then.
    fn fire_of(&mut self, uid: &str, due: EventTime) -> Concluded {
        let now = self.now();
        let before = self.standing(uid, due.plus_micros(-1));
        let mut concluded = self.match_volumes(uid, due);
        self.judge_copies(uid, Some(due));
        let after = self.standing(uid, now);
        // Who noticed that it was due does not matter.
        let fired = self.say(&before, &after, TIMER, false);
        self.note_said(uid, &fired, &after);
        concluded.extend(fired);
        self.set_timer(uid, &after, now);
        concluded
    }

    pub(crate) fn set_timer(&mut self, uid: &str, standing: &Standing, now: EventTime) {
        let due = told::next_due(self.datastores.get(uid), standing, now);
        let judged = self.next_judgement(uid, now);
        self.timers.set(uid, due.into_iter().chain(judged).min());
    }

    /// The lateness bound of a datastore, in whole minutes: that of the slowest source that tells of it.
    pub(crate) fn horizon_of(&self, uid: &str, source: Option<&str>) -> EventTime {
        let of_state = self.datastores.get(uid).into_iter().flat_map(DatastoreState::sources);
        let newest = of_state.chain(source).filter_map(|source| self.root.newest.get(source));
        let range = newest.fold(None, |range: Option<(EventTime, EventTime)>, &newest| {
            let (slowest, fastest) = range.unwrap_or((newest, newest));
            Some((slowest.min(newest), fastest.max(newest)))
        });
        // A source that has stopped holds up the others no longer than this.
        let newest =
            range.map(|(slowest, fastest)| slowest.max(fastest.plus_micros(-PATIENCE_MICROS)));
        newest.map_or(EventTime::MIN, |newest| {
            let bound = newest.plus_micros(-LATENESS_BOUND_MICROS).micros();
            EventTime::from_micros(bound.div_euclid(MINUTE_MICROS).saturating_mul(MINUTE_MICROS))
        })
    }

    /// Folds what no event within the bound can change any more; what was not said of its figures is said before.
    fn settle_datastore(&mut self, uid: &str, source: Option<&str>) -> Concluded {
        let horizon = self.horizon_of(uid, source);
        let known = self.surroundings(uid);
        let guards = known.around().guards;
        let state = self.datastores.get(uid);
        if !state.is_some_and(|state| state.has_before(horizon, guards)) {
            return Concluded::default();
        }
        let mut concluded = self.say_figures_of(uid);
        concluded.extend(self.settle_rhythms(uid, horizon));
        if let Some(state) = self.datastores.get_mut(uid) {
            state.settle(horizon, known.around());
            if !state.has_recent() && !state.has_guards_to_fold(guards) {
                self.unsettled.remove(uid);
            }
        }
        concluded
    }

    /// Of a datastore that is changed very often the oldest changes are folded early: before anything is compared, or what
    /// is over and forgotten would be taken for withdrawn.
    fn make_room(&mut self, uid: &str) -> Concluded {
        let mut concluded = Concluded::default();
        while self.datastores.get(uid).is_some_and(DatastoreState::is_full) {
            concluded.extend(self.say_figures_of(uid));
            let context = Arc::clone(&self.root.context);
            if let Some(state) = self.datastores.get_mut(uid) {
                state.fold_oldest(&context);
            }
        }
        concluded
    }

    /// Folds, for all datastores, what no event within the bound can change any more. Corrections that this makes final
    /// are returned.
    pub fn settle(&mut self) -> Concluded {
        let mut concluded = Concluded::default();
        for uid in self.unsettled.iter().cloned().collect::<Vec<_>>() {
            concluded.extend(self.settle_datastore(&uid, None));
        }
        concluded
    }

    /// The number of the next statement.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Continues counting where the table stands: what a replay counted does not matter.
    pub fn set_next_number(&mut self, number: u64) {
        self.next_number = number;
    }
}

fn mark_of_change(event: &PostureEvent) -> Mark {
    Mark {
        rank: u64::MAX,
        time: event.time,
        event_uid: event.uid.clone(),
        position: event.position.clone(),
    }
}

fn minute_of(time: EventTime) -> i64 {
    time.micros().div_euclid(MINUTE_MICROS)
}

fn sorted(standing: &Standing) -> Vec<(&String, &Told)> {
    let mut sorted: Vec<(&String, &Told)> = standing.iter().collect();
    sorted.sort_by(|(one_uid, one), (other_uid, other)| {
        one.order().cmp(&other.order()).then(one_uid.cmp(other_uid))
    });
    sorted
}
