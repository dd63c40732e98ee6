//! TODO

use dataward_event::audit_event::AuditEvent;

use crate::container::Fault;
use crate::source::Place;

/// Reads one event.
///
/// # Errors
/// TODO
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let _ = (text, place);
    Err(Fault::shape("TODO"))
}
