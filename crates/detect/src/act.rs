//! One act that its source tells in several records: joined by their correlation uid, so that a change knows who made it,
//! and ends where it failed in the end.
//!
//! Elasticsearch names the user of a change of security in another record of the same request; Azure and Google Cloud tell
//! the end of a long operation apart from its beginning. The rows stay as the source said them.

use std::sync::Arc;

use crate::posture_event::PostureEvent;
use crate::read_total::MINUTE_MICROS;

/// How many minutes before that of a change the record may be that says who made it.
const MINUTES: i64 = 5;

/// How long a record that only says who did something is kept behind the horizon, in microseconds: until no change in its
/// reach can still come.
pub(crate) const COMPANION_MICROS: i64 = (MINUTES + 1) * MINUTE_MICROS;

/// An event that names nobody, with who made it as another record of its act says; itself where none does.
///
/// Only records of the same minute or of those before count: they have arrived when the event is settled.
pub(crate) fn joined<'e>(
    event: &Arc<PostureEvent>,
    others: impl Iterator<Item = &'e Arc<PostureEvent>>,
) -> Arc<PostureEvent> {
    let Some(act) = event.correlation_uid.as_deref() else { return Arc::clone(event) };
    let is_known = |event: &PostureEvent| event.actor.uid.is_some() || event.actor.name.is_some();
    if is_known(event) {
        return Arc::clone(event);
    }
    let minute = |event: &PostureEvent| event.time.micros().div_euclid(MINUTE_MICROS);
    let reach = minute(event) - MINUTES..=minute(event);
    // In the order of time and uid, whatever came first.
    let mut of_act = others.filter(|other| other.correlation_uid.as_deref() == Some(act));
    let Some(who) = of_act
        .find(|other| other.is_companion() && is_known(other) && reach.contains(&minute(other)))
    else {
        return Arc::clone(event);
    };
    let mut joined = PostureEvent::clone(event);
    joined.actor = who.actor.clone();
    if joined.client.ip.is_none() && joined.client.domain.is_none() {
        joined.client = who.client.clone();
    }
    Arc::new(joined)
}

/// Whether an event says that another one, of the same act, has failed in the end.
pub(crate) fn undoes(failure: &PostureEvent, event: &PostureEvent) -> bool {
    failure.correlation_uid.is_some()
        && failure.correlation_uid == event.correlation_uid
        && failure.operation == event.operation
        && failure.uid != event.uid
}
