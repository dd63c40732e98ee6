//! Which changes of protection an operation states: judged by the body of its request, not by its name.
//!
//! One act is several records. The one that carries the request states its changes; an operation without a request states
//! them where it is over.

mod guards;
mod network;
mod settings;
mod sql;

use dataward_event::audit_event::{ActorKind, AuditEvent, Outcome};

use super::record::Properties;
use super::resource::ResourceId;
use crate::changes::Changes;
use crate::lenient::{Loose, Unread};
use crate::node::Node;

/// One operation, as far as its changes need it.
pub(super) struct Call<'c> {
    /// The operation, in upper case.
    pub(super) operation: &'c str,
    pub(super) resource: &'c ResourceId,
    /// The body of the request; of any other record nothing.
    pub(super) request: Node<'static>,
    /// The body of the answer, where there is no request.
    response: Node<'static>,
    /// The body is that of a creation, or repeats every value as if it were.
    is_full: bool,
    is_over: bool,
    is_person: bool,
}

impl<'c> Call<'c> {
    pub(super) fn new(
        operation: &'c str,
        resource: &'c ResourceId,
        event: &AuditEvent<'_>,
        properties: &Properties<'_>,
    ) -> Self {
        let changes_something = operation.ends_with("/WRITE") || operation.ends_with("/ACTION");
        let body = |unread: Unread<'_>| if changes_something { body(unread) } else { Node::Null };
        let request = body(properties.request_body);
        let is_over = event.outcome != Outcome::Unknown;
        let response = match request {
            Node::Null if event.outcome == Outcome::Success => body(properties.response_body),
            _ => Node::Null,
        };
        Self {
            operation,
            resource,
            is_full: request.has(&["location"]),
            request,
            response,
            is_over,
            is_person: event.actor.kind == ActorKind::Human,
        }
    }

    /// Whether this record states what an operation without a request does.
    fn is_told(&self) -> bool {
        self.is_over
    }
}

/// A body: JSON inside a text, or as it is.
fn body(unread: Unread<'_>) -> Node<'static> {
    let Some(json) = unread.json() else { return Node::Null };
    if json.starts_with('{') {
        return serde_json::from_str::<Node<'_>>(json).unwrap_or_default().into_owned();
    }
    let text: Loose<'_> = unread.read().unwrap_or_default();
    let text = text.text().unwrap_or_default();
    serde_json::from_str::<Node<'_>>(&text).unwrap_or_default().into_owned()
}

/// Everything that an operation changes.
pub(super) fn of(call: &Call<'_>) -> Changes {
    let mut changes = Changes::default();
    settings::read(call, &mut changes);
    network::read(call, &mut changes);
    sql::read(call, &mut changes);
    guards::read(call, &mut changes);
    changes
}
