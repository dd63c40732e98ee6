//! Which findings stand about a datastore: derived from its state, to be compared with those that stood before.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_event::audit_event::{Actor, Datastore, Sensitivity};
use dataward_event::change::{Control, WindowKind};
use dataward_event::exposure::Level;
use dataward_event::finding::{Approval, RuleId, Severity, Step};
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;

use crate::catalogue::{self, CatalogueRow};
use crate::context::Context;
use crate::datastore_state::{Around, DatastoreState, Derived};
use crate::opening::{
    GRACE_MICROS, Leg, Opening, SOURCE_SILENT, STILL_OPEN, Tally, still_open_dues,
};
use crate::place::{Border, Place};
use crate::posture_event::PostureEvent;
use crate::read_total::{ReadMark, ReaderKey};
use crate::severity::{Weighed, Weight, is_blind_by, sensitivity_of, weigh};
use crate::{born, copied};

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Something was opened.
    Weakened,
    /// The datastore is exposed.
    Opened,
    /// Somebody read.
    Read {
        /// Who.
        reader: Box<ReaderKey>,
        /// The first read.
        mark: Box<ReadMark>,
        /// Anonymous, or of a foreign account.
        is_outsider: bool,
        /// From a network from which no reads are expected.
        is_unexpected: bool,
    },
    /// It is still open: which of [`STILL_OPEN`].
    StillOpen(usize),
    /// The exposure is over.
    Closed,
    /// It was made, and is open when the time for protecting it is over.
    Born {
        /// The event that made it.
        birth: Arc<PostureEvent>,
        /// What is open.
        openings: Vec<Arc<Opening>>,
    },
    /// It is less protected than what it was copied from.
    WeakerCopy {
        /// What it was copied from.
        origin: Box<Datastore<'static>>,
    },
    /// A copy of it, or it as a copy, went elsewhere.
    ForeignCopy {
        /// What it leaves.
        border: Border,
        /// Where it goes.
        place: Box<Place>,
        /// The uid of the other end.
        other: String,
    },
}

impl What {
    /// Whether it is about windows that only this finding tells of.
    pub fn has_windows(&self) -> bool {
        !matches!(self, Self::Born { .. } | Self::WeakerCopy { .. } | Self::ForeignCopy { .. })
    }
}

/// A finding that stands.
#[derive(Debug, Clone)]
pub struct Told {
    /// What it is about.
    pub what: What,
    /// The opening.
    pub opening: Arc<Opening>,
    /// How open the datastore is with it.
    pub level: Level,
    /// New, or over.
    pub step: Step,
    /// How bad.
    pub severity: Severity,
    /// How the severity came about.
    pub because: Vec<String>,
    /// The approved change that it belongs to.
    pub approval: Option<Approval>,
    /// Its event time.
    pub time: EventTime,
    /// What was read, where it says so.
    pub tally: Option<Box<Tally>>,
}

/// All findings that stand about a datastore, by uid.
pub type Standing = BTreeMap<String, Told>;

impl Told {
    /// Whether both say the same, but for figures.
    pub fn says_the_same(&self, other: &Self) -> bool {
        // Another record of an act may have told since who did it.
        let by = |event: &PostureEvent| (event.uid.clone(), event.actor.clone());
        let closing = |told: &Self| told.opening.closing().map(|closing| by(&closing.event));
        let all_closed = |told: &Self| match &told.what {
            What::Born { openings, .. } => born::end_of(openings).map(|closing| by(&closing.event)),
            _ => None,
        };
        let begun = |told: &Self| {
            told.opening.exposure.as_ref().map(|exposed| {
                let of_leg = |leg: &Leg| (by(&leg.event), leg.change.clone());
                let legs = exposed.legs.iter().map(of_leg).collect::<Vec<_>>();
                let blind = exposed.blind.as_ref().map(of_leg);
                (exposed.at, by(&exposed.by), exposed.covered.clone(), legs, blind)
            })
        };
        let ended = |told: &Self| {
            let end = told.opening.exposure.as_ref().and_then(|exposed| exposed.closing.as_ref());
            end.map(|closing| by(&closing.event))
        };
        let reach = |told: &Self| (told.opening.reachable, told.opening.readable);
        let is_alike = match &self.what {
            What::StillOpen(_) if reach(self) != reach(other) => false,
            What::Weakened | What::StillOpen(_) | What::WeakerCopy { .. } => {
                matches!(self.step, Step::Create) || closing(self) == closing(other)
            }
            What::Opened | What::Closed => {
                begun(self) == begun(other) && ended(self) == ended(other)
            }
            What::Read { .. } => begun(self) == begun(other),
            What::Born { .. } => all_closed(self) == all_closed(other),
            What::ForeignCopy { .. } => true,
        };
        is_alike
            && self.opening.event.actor == other.opening.event.actor
            && self.step == other.step
            && self.level == other.level
            && self.severity == other.severity
            && self.approval == other.approval
            && self.time == other.time
            && self.is_of(&other.what)
            && self.opening.changes == other.opening.changes
            && self.opening.is_uncertain == other.opening.is_uncertain
    }

    /// Whether the windows of both are the same, but for figures: what a finding need not say again.
    pub fn has_the_same_windows(&self, other: &Self) -> bool {
        let ends = |told: &Self| -> Vec<(String, String, Actor<'static>)> {
            let closings = told.opening.closings.iter();
            closings
                .map(|(thing, end)| (thing.clone(), end.event.uid.clone(), end.event.actor.clone()))
                .collect()
        };
        self.opening.reachable == other.opening.reachable
            && self.opening.readable == other.opening.readable
            && level_of(&self.opening) == level_of(&other.opening)
            && ends(self) == ends(other)
    }

    fn is_of(&self, what: &What) -> bool {
        match (&self.what, what) {
            // The same event may stand at several places.
            (What::Read { mark, .. }, What::Read { mark: other, .. }) => {
                mark.event_uid == other.event_uid
            }
            (What::Born { openings, .. }, What::Born { openings: others, .. }) => {
                openings.iter().map(|o| o.id()).eq(others.iter().map(|o| o.id()))
            }
            (one, other) => one == other,
        }
    }

    /// The place of the statement among those of one moment.
    pub fn order(&self) -> (EventTime, u8, &str) {
        let rank = match (&self.what, self.step) {
            (What::Weakened, Step::Create) => 0,
            (What::Opened, Step::Create) => 1,
            (What::Read { .. }, _) => 2,
            (What::StillOpen(_), Step::Create) => 3,
            (What::Born { .. } | What::WeakerCopy { .. } | What::ForeignCopy { .. }, _) => 2,
            (What::Closed, _) => 4,
            _ => 5,
        };
        (self.time, rank, &self.opening.event.uid)
    }
}

/// Derives all findings that stand, as of `now`.
pub fn standing(
    state: &DatastoreState,
    around: Around<'_>,
    inherited: Option<Sensitivity>,
    now: EventTime,
) -> Standing {
    let mut standing = Standing::new();
    if state.is_calm() {
        return standing;
    }
    let context = around.context;
    let derived = state.derive(around);
    let is_expected_public = state.facts(context).is_expected_public;
    if !is_expected_public {
        born::tell(&derived, context, inherited, now, &mut standing);
        copied::tell(&derived, context, inherited, now, &mut standing);
    }
    for opening in derived.posture.openings() {
        let is_confidential = opening.control().window_kind() == WindowKind::Confidentiality;
        if !(is_confidential && is_expected_public) {
            let telling = Telling { derived: &derived, context, inherited, now, opening };
            telling.tell(&mut standing);
        }
    }
    standing
}

/// The standing of one late opening alone.
pub fn standing_of_late(
    state: &DatastoreState,
    around: Around<'_>,
    inherited: Option<Sensitivity>,
    opening: &Arc<Opening>,
) -> Standing {
    let mut standing = Standing::new();
    let context = around.context;
    let is_confidential = opening.control().window_kind() == WindowKind::Confidentiality;
    if is_confidential && state.facts(context).is_expected_public {
        return standing;
    }
    let derived = state.derive(around);
    let telling = Telling { derived: &derived, context, inherited, now: EventTime::MIN, opening };
    telling.tell_weakened(&mut standing);
    standing
}

/// When the next timer of a datastore is due after `now`.
pub fn next_due(
    state: Option<&DatastoreState>,
    standing: &Standing,
    now: EventTime,
) -> Option<EventTime> {
    let of_reads = state.into_iter().flat_map(DatastoreState::openings_of_reads);
    let openings = standing.values().map(|told| &told.opening).chain(of_reads);
    let open = openings.filter(|opening| opening.is_open());
    let dues = open.flat_map(|opening| still_open_dues(opening)).map(|(_, due)| due);
    let of_state = state.into_iter().flat_map(|state| {
        let open = !standing.is_empty();
        let births = state.births().filter(move |_| open);
        births.map(|birth| birth.plus_micros(GRACE_MICROS)).chain(state.next_comparison(now))
    });
    let approvals = standing.values().filter_map(|told| told.approval.as_ref());
    let expiries = approvals.map(|approval| approval.until);
    dues.chain(of_state).chain(expiries).filter(|due| *due > now).min()
}

struct Telling<'t> {
    derived: &'t Derived<'t>,
    context: &'t Context,
    inherited: Option<Sensitivity>,
    now: EventTime,
    opening: &'t Arc<Opening>,
}

impl Telling<'_> {
    fn tell(&self, standing: &mut Standing) {
        self.tell_weakened(standing);
        self.tell_still_open(standing);
        self.tell_exposure(standing);
    }

    fn told(&self, what: What, step: Step, weighed: Weighed, time: EventTime) -> Told {
        let opening = Arc::clone(self.opening);
        let level = match &what {
            What::Opened | What::Closed | What::Read { .. } => Level::Exposed,
            _ => Level::Weakened,
        };
        let Weighed { severity, because, approval } = weighed;
        Told { what, opening, level, step, severity, because, approval, time, tally: None }
    }

    fn severity(&self, level: Level, is_read_from_outside: bool, at: EventTime) -> Weighed {
        self.weigh(level, is_read_from_outside, false, at)
    }

    fn weigh(
        &self,
        level: Level,
        is_read_from_outside: bool,
        is_blind: bool,
        at: EventTime,
    ) -> Weighed {
        let weight = Weight {
            level,
            sensitivity: sensitivity_of(self.opening, self.context, self.inherited),
            is_read_from_outside,
            is_blind,
            at,
            approved_at: self.opening.judged_until(self.now).max(at),
        };
        weigh(self.opening, &weight, self.context)
    }

    fn tell_weakened(&self, standing: &mut Standing) {
        let opening = self.opening;
        if opening.is_of_a_read() {
            // A read is no change: the exposure itself tells of it.
            return;
        }
        let severity = self.severity(Level::Weakened, false, opening.event.time);
        let (step, severity, time) = severity.until(opening.closing(), opening.event.time);
        let uid = weakened_uid(opening);
        let mut told = self.told(What::Weakened, step, severity, time);
        if !opening.is_open() && opening.control().window_kind() == WindowKind::Confidentiality {
            // For the row of the window: the finding says nothing of reads.
            told.tally = Some(Box::new(self.derived.tally(&opening.tally, opening.interval())));
        }
        standing.insert(uid, told);
    }

    fn tell_still_open(&self, standing: &mut Standing) {
        let opening = self.opening;
        for (place, due) in still_open_dues(opening) {
            if due > self.now || opening.is_covered_at(due) {
                continue;
            }
            let exposed = opening.exposure.as_ref();
            let is_exposed = exposed.is_some_and(|exposed| {
                exposed.at <= due && exposed.closing.as_ref().is_none_or(|c| c.event.time > due)
            });
            let level = if is_exposed { Level::Exposed } else { Level::Weakened };
            let interval = (opening.event.time, Some(due));
            let tally = match opening.tallies_when_told.get(&place) {
                Some(tally) => tally.clone(),
                None => self.derived.tally(&opening.tally, interval),
            };
            let is_blind = is_blind_by(opening, Some(due));
            let severity = self.weigh(level, tally.outside.reads > 0, is_blind, due);
            let (step, severity, time) = severity.until(opening.closing(), due);
            let uid = step_uid("exposure.still_open", opening).number(STILL_OPEN[place].0).finish();
            let mut told = self.told(What::StillOpen(place), step, severity, time);
            told.level = level;
            told.tally = Some(Box::new(tally));
            standing.insert(uid, told);
        }
    }

    fn tell_exposure(&self, standing: &mut Standing) {
        let opening = self.opening;
        let Some(exposed) = &opening.exposure else { return };
        let is_blind = exposed.blind.is_some();
        let severity = self.weigh(Level::Exposed, exposed.is_proven, is_blind, exposed.at);
        let uid = step_uid("exposure.opened", opening).finish();
        let (step, severity, time) = match &exposed.closing {
            // What was read is not taken back by setting it again.
            Some(closing) if self.is_read_until(closing.event.time) => {
                (Step::Close(closing.reason), severity, closing.event.time)
            }
            closing => severity.until(closing.as_ref(), exposed.at),
        };
        standing.insert(uid, self.told(What::Opened, step, severity, time));
        self.tell_reads(standing);
        if let Some(closing) = &exposed.closing {
            let interval = (opening.event.time, Some(closing.event.time));
            let tally = self.derived.tally(&opening.tally, interval);
            let is_read = exposed.is_proven || tally.outside.reads > 0;
            let severity = self.weigh(Level::Exposed, is_read, is_blind, closing.event.time);
            let severity = if is_read { severity } else { severity.softened(closing.reason) };
            let mut told = self.told(What::Closed, Step::Create, severity, closing.event.time);
            told.tally = Some(Box::new(tally));
            standing.insert(step_uid("exposure.closed", opening).finish(), told);
        }
    }

    /// Whether somebody from outside has read until then.
    fn is_read_until(&self, end: EventTime) -> bool {
        let interval = (self.opening.event.time, Some(end));
        self.derived.tally(&self.opening.tally, interval).outside.reads > 0
    }

    fn tell_reads(&self, standing: &mut Standing) {
        let opening = self.opening;
        let Some(exposed) = &opening.exposure else { return };
        let mut told_readers = exposed.told.clone();
        for read in self.derived.reads_inside(exposed.interval()) {
            let identity = read.identity();
            if !told_readers.is_new(&identity, read.is_stranger()) {
                continue;
            }
            let is_unexpected = read.is_unexpected;
            let time = read.mark.time;
            let severity = match (read.is_outsider, is_unexpected) {
                (true, _) => self.severity(Level::Exposed, true, exposed.at),
                (false, true) => {
                    Weighed::fixed(Severity::HIGH, "our own, from an unexpected network")
                }
                (false, false) => Weighed::fixed(Severity::LOW, "our own"),
            };
            let what = What::Read {
                reader: Box::new(read.reader.clone()),
                mark: Box::new(read.mark.clone()),
                is_outsider: read.is_outsider,
                is_unexpected,
            };
            let uid = step_uid("read.during_exposure", opening).text(&identity).finish();
            standing.insert(uid, self.told(what, Step::Create, severity, time));
        }
    }
}

fn weakened_uid(opening: &Opening) -> String {
    let (id, rule) = (opening.id(), weakened_rule(opening));
    UidBuilder::new("finding")
        .text(rule.as_str())
        .text(&opening.event.datastore.uid)
        .text(id.key.0.as_str())
        .text(&id.key.1)
        .text(&id.event_uid)
        .finish()
}

/// The rule that tells of an opening.
pub fn weakened_rule(opening: &Opening) -> RuleId {
    match opening.control() {
        Control::AuditLogging if opening.key.1 == SOURCE_SILENT => RuleId::AuditSourceSilent,
        Control::AuditLogging => RuleId::AuditSilenced,
        _ => RuleId::ControlWeakened,
    }
}

pub(crate) fn step_uid(rule: &str, opening: &Opening) -> UidBuilder {
    UidBuilder::new("finding").text(rule).text(&opening.uid())
}

/// The rows of the catalogue that judged an opening.
pub fn catalogue_rows(opening: &Opening) -> Vec<&'static CatalogueRow> {
    opening.changes.iter().filter_map(|change| catalogue::row(&change.catalogue_row)).collect()
}

/// The level of an opening, and since when.
pub fn level_of(opening: &Opening) -> (Level, Option<EventTime>) {
    let completed = opening.exposure.as_ref().map(|exposed| exposed.at);
    let covered = opening.covered.iter().map(|part| part.from);
    let since = completed.into_iter().chain(opening.was_exposed_at).chain(covered).min();
    (if since.is_some() { Level::Exposed } else { Level::Weakened }, since)
}
