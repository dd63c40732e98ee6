//! The sentences of findings about silence, births and copies.

use std::sync::Arc;

use dataward_event::audit_event::{Datastore, DatastoreForm};

use crate::opening::{Closing, Opening};
use crate::phrases::{capitalised, form, from};
use crate::place::{Border, Place};
use crate::posture_event::PostureEvent;
use crate::statement::{opened_things, place_of};
use crate::told::Told;

pub(crate) fn silent_text(opening: &Opening) -> String {
    let event = &opening.event;
    let last = opening.changes.first().and_then(|change| change.before.as_deref());
    let of = match event.datastore.form {
        DatastoreForm::Guard => String::new(),
        form_of => format!(" of {} {}", form(form_of), event.datastore.label()),
    };
    format!(
        "{}{of} should have spoken by {} and says nothing: the last event was at {}, at {}. What happens is not \
         recorded.",
        capitalised(&event.source),
        event.time,
        last.unwrap_or("an unknown time"),
        event.position,
    )
}

pub(crate) fn born_text(birth: &PostureEvent, openings: &[Arc<Opening>]) -> String {
    format!(
        "{} made {} {} by {}{} at {}, and when the time for protecting it was over it was still open: {}.",
        birth.actor.label(),
        form(birth.datastore.form),
        birth.datastore.label(),
        birth.operation,
        from(place_of(birth)),
        birth.time,
        all_things(openings),
    )
}

pub(crate) fn weaker_text(told: &Told, origin: &Datastore<'_>) -> String {
    let copy = &told.opening.event.datastore;
    format!(
        "{} {} holds data of {}, and is less protected: {} by {} at {}, which {} is not known to have open.",
        capitalised(form(copy.form)),
        copy.label(),
        origin.label(),
        opened_things(&told.opening),
        told.opening.event.actor.label(),
        told.opening.event.time,
        origin.label(),
    )
}

pub(crate) fn foreign_text(told: &Told, border: Border, place: &Place, other: &str) -> String {
    let event = &told.opening.event;
    let left = match border {
        Border::Region => "another region",
        Border::Account => "another account",
        Border::Provider => "another provider",
    };
    format!(
        "{} copied data between {} and {other} by {}{} at {}: it goes to {left}, {}.",
        event.actor.label(),
        event.datastore.label(),
        event.operation,
        from(place_of(event)),
        event.time,
        place.label(),
    )
}

fn all_things(openings: &[Arc<Opening>]) -> String {
    openings.iter().map(|opening| opened_things(opening)).collect::<Vec<_>>().join("; ")
}

/// A text about what is over, with what ended it.
pub(crate) fn ended(text: String, closing: Option<&Arc<Closing>>) -> String {
    match closing {
        Some(closing) => format!("{text} {}", ended_text(&closing.event)),
        None => text,
    }
}

fn ended_text(end: &PostureEvent) -> String {
    format!("It was ended by {}, {} at {}.", end.actor.label(), end.operation, end.time)
}
