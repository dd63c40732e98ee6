//! What is said of copies: one that is less protected than its origin, and one that went elsewhere.

use std::sync::Arc;

use dataward_event::audit_event::{Datastore, Sensitivity};
use dataward_event::change::Change;
use dataward_event::exposure::{Known, Level};
use dataward_event::finding::{Severity, Step};
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;

use crate::context::Context;
use crate::datastore_state::Derived;
use crate::lineage::{WeakCopy, bare, border_of, is_copy};
use crate::opening::Opening;
use crate::place::{Border, Place};
use crate::posture_event::PostureEvent;
use crate::severity::Weighed;
use crate::told::{Standing, Told, What};

/// Tells of copies, as of `now`.
pub(crate) fn tell(
    derived: &Derived<'_>,
    context: &Context,
    inherited: Option<Sensitivity>,
    now: EventTime,
    standing: &mut Standing,
) {
    for copy in derived.posture.weak_copies.iter().filter(|copy| copy.event.time <= now) {
        tell_weaker(derived, (context, inherited), (copy, now), standing);
    }
    for event in &derived.posture.copies {
        for change in event.changes.iter().filter(|change| is_copy(change)) {
            if let Some((border, place)) = border_of(event, change, &context.trusted) {
                tell_foreign(event, change, (border, place), (context, inherited), standing);
            }
        }
    }
}

fn tell_weaker(
    derived: &Derived<'_>,
    (context, inherited): (&Context, Option<Sensitivity>),
    (copy, now): (&WeakCopy, EventTime),
    standing: &mut Standing,
) {
    let Some(opening) = derived.posture.opening(&copy.opening) else { return };
    let mut weighed = Weighed::fixed(Severity::CRITICAL, "a copy that is weaker than its origin");
    if opening.reachable.max(opening.readable) == Known::Unknown {
        weighed.severity = Severity::HIGH;
        weighed.because.push("not known to be reachable or readable from outside: -1".to_owned());
    }
    if inherited == Some(Sensitivity::Restricted) && weighed.severity < Severity::CRITICAL {
        weighed.severity = Severity::CRITICAL;
        weighed.because.push("restricted data: +1".to_owned());
    }
    let (event, control) = (&opening.event, opening.control());
    let at = opening.judged_until(now).max(copy.event.time);
    let approval = context.approval(&event.actor, &event.datastore, control, event.time, at);
    weighed.approve(approval.as_ref());
    let (step, weighed, time) = weighed.until(opening.closing(), copy.event.time);
    let is_exposed = opening.exposure.as_ref().is_some_and(|exposed| exposed.is_open());
    let uid = UidBuilder::new("finding")
        .text("copy.weaker_datastore")
        .text(&copy.origin.uid)
        .text(&copy.event.datastore.uid)
        .text(&copy.event.uid)
        .finish();
    let origin = Box::new(copy.origin.clone());
    let told = Told {
        opening: Arc::clone(opening),
        level: if is_exposed { Level::Exposed } else { Level::Weakened },
        step,
        severity: weighed.severity,
        because: weighed.because,
        approval,
        time,
        tally: None,
        what: What::WeakerCopy { origin },
    };
    standing.insert(uid, told);
}

fn tell_foreign(
    event: &Arc<PostureEvent>,
    change: &Change<'static>,
    (border, place): (Border, Place),
    (context, inherited): (&Context, Option<Sensitivity>),
    standing: &mut Standing,
) {
    let severity = match border {
        Border::Region => Severity::MEDIUM,
        Border::Account | Border::Provider => Severity::HIGH,
    };
    let mut weighed = Weighed::fixed(severity, "data leaves its region, account or provider");
    let own = context.datastore(&event.datastore).and_then(|entry| entry.sensitivity());
    if own.max(inherited).max(event.sensitivity) == Some(Sensitivity::Restricted) {
        weighed.severity = Severity::clamped(i32::from(severity.id()) + 1);
        weighed.because.push("restricted data: +1".to_owned());
    }
    let approval =
        context.approval(&event.actor, &event.datastore, change.control, event.time, event.time);
    weighed.approve(approval.as_ref());
    let uid = UidBuilder::new("finding")
        .text("copy.foreign")
        .text(&event.datastore.uid)
        .text(&change.opened)
        .text(&event.uid)
        .finish();
    let told = Told {
        // It is none: nothing is left open by it.
        opening: Arc::new(Opening::new(
            event,
            (change.control, change.setting.to_string()),
            vec![change.clone()],
        )),
        level: Level::Weakened,
        step: Step::Create,
        severity: weighed.severity,
        because: weighed.because,
        approval,
        time: event.time,
        tally: None,
        what: What::ForeignCopy {
            border,
            place: Box::new(place),
            other: change.opened.to_string(),
        },
    };
    standing.insert(uid, told);
}

/// The other end of a copy, as far as its event names it.
pub(crate) fn origin_of(event: &PostureEvent, other: &str) -> Datastore<'static> {
    let is_from = event.changes.iter().any(|change| {
        change.setting == dataward_event::change::COPY_FROM && change.opened == other
    });
    if is_from { bare(other) } else { event.datastore.clone() }
}
