//! A datastore that was made, and is open when the time for protecting it is over.

use std::sync::Arc;

use dataward_event::audit_event::Sensitivity;
use dataward_event::change::WindowKind;
use dataward_event::exposure::Level;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;

use crate::context::Context;
use crate::datastore_state::Derived;
use crate::opening::{GRACE_MICROS, Opening};
use crate::posture::Posture;
use crate::posture_event::PostureEvent;
use crate::severity::{Weight, is_blind_by, sensitivity_of, weigh};
use crate::told::{Standing, Told, What};

/// Tells of it, if it is so as of `now`.
pub(crate) fn tell(
    derived: &Derived<'_>,
    context: &Context,
    inherited: Option<Sensitivity>,
    now: EventTime,
    standing: &mut Standing,
) {
    for birth in &derived.posture.births {
        tell_of(birth, derived, (context, inherited), now, standing);
    }
}

fn tell_of(
    birth: &Arc<PostureEvent>,
    derived: &Derived<'_>,
    (context, inherited): (&Context, Option<Sensitivity>),
    now: EventTime,
    standing: &mut Standing,
) {
    let due = due_of(birth);
    if due > now {
        return;
    }
    let is_meant = |opening: &&Arc<Opening>| {
        opening.control().window_kind() == WindowKind::Confidentiality
            && is_early(opening, birth)
            && opening.is_open_at(due)
    };
    let openings: Vec<Arc<Opening>> =
        derived.posture.openings().filter(is_meant).cloned().collect();
    let worst = |opening: &Arc<Opening>| {
        let exposed_at = opening.exposure.as_ref().map(|exposed| exposed.at);
        let is_exposed = exposed_at.or(opening.was_exposed_at).is_some_and(|at| at <= due)
            || opening.is_covered_at(due);
        let weight = Weight {
            level: if is_exposed { Level::Exposed } else { Level::Weakened },
            sensitivity: sensitivity_of(opening, context, inherited),
            is_read_from_outside: false,
            is_blind: is_blind_by(opening, Some(due)),
            at: due,
            approved_at: opening.judged_until(now).max(due),
        };
        (weigh(opening, &weight, context), weight.level)
    };
    let weighed = openings.iter().map(worst).max_by_key(|(weighed, _)| weighed.severity);
    let (Some(opening), Some((weighed, level))) = (openings.first(), weighed) else { return };
    let (step, weighed, time) = weighed.until(end_of(&openings), due);
    let uid = UidBuilder::new("finding")
        .text("datastore.born_unprotected")
        .text(&birth.datastore.uid)
        .text(&birth.uid)
        .finish();
    let told = Told {
        opening: Arc::clone(opening),
        level,
        step,
        severity: weighed.severity,
        because: weighed.because,
        approval: weighed.approval,
        time,
        tally: None,
        what: What::Born { birth: Arc::clone(birth), openings },
    };
    standing.insert(uid, told);
}

/// When the time for protecting what was made is over.
fn due_of(birth: &PostureEvent) -> EventTime {
    birth.time.plus_micros(GRACE_MICROS)
}

/// Whether something was opened in the time for protecting what was made: all that was is told of together, until the last
/// of it is closed.
pub(crate) fn is_early(opening: &Opening, birth: &PostureEvent) -> bool {
    (birth.time..=due_of(birth)).contains(&opening.event.time)
}

impl Posture {
    /// Births of which nothing is left to tell: their time for protection is over, and nothing from before its end is open.
    pub(crate) fn births_over(&self, horizon: EventTime) -> impl Iterator<Item = &PostureEvent> {
        self.births.iter().map(|birth| &**birth).filter(move |birth| {
            let due = due_of(birth);
            let mut early = self.openings().filter(|opening| opening.event.time <= due);
            due < horizon && early.all(|opening| !opening.is_open())
        })
    }
}

/// What ended the last of several openings, if all are closed.
pub(crate) fn end_of(openings: &[Arc<Opening>]) -> Option<&Arc<crate::opening::Closing>> {
    let ends: Option<Vec<_>> = openings.iter().map(|opening| opening.closing()).collect();
    ends?.into_iter().max_by_key(|closing| (closing.event.time, &closing.event.uid))
}
