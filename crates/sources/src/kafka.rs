//! `kafka.authorizer`: the authorizer log of Apache Kafka, in the layouts of its releases and of Strimzi.
//!
//! `[time] LEVEL Principal = User:ada is Allowed operation = READ from host = 192.0.2.7 on resource = Topic:LITERAL:orders for
//! request = Fetch with resourceRefCount = 1 (kafka.authorizer.logger)`

use std::borrow::Cow;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, EventKind, Outcome, Text,
};
use dataward_event::change::Direction;

use crate::act::Act;
use crate::catalogue_rows::kafka as rows;
use crate::changes::Changes;
use crate::container::Fault;
use crate::source::{Place, Source};
use crate::time_text;

/// Whether a line is of this log.
pub(crate) fn is_line(line: &str) -> bool {
    line.contains("rincipal = ") && (line.contains(" is Allowed ") || line.contains(" is Denied "))
}

/// The word between a mark and the next one of the marks behind it.
fn between<'t>(text: &'t str, mark: &str, ends: &[&str]) -> Option<&'t str> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    Some(rest[..end].trim()).filter(|word| !word.is_empty())
}

/// Reads one line.
///
/// # Errors
/// It is no line of this log, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let expected = || {
        Fault::shape(
            "expected `Principal = … is Allowed|Denied operation = … from host = … on resource = …`",
        )
    };
    let principal =
        between(text, "rincipal = ", &[" is Allowed", " is Denied"]).ok_or_else(expected)?;
    let is_allowed = text.contains(" is Allowed ");
    let operation =
        between(text, "peration = ", &[" from host", " on resource"]).ok_or_else(expected)?;
    let host = between(text, "from host = ", &[" on resource"]);
    let ends = [
        " for request",
        " with resourceRefCount",
        " based on",
        " (kafka.authorizer",
        " (org.apache",
    ];
    let resource = between(text, "on resource = ", &ends).ok_or_else(expected)?;
    let request = between(text, "for request = ", &[" with resourceRefCount", " based on", " ("]);
    let time = time_text::take(text.trim_start_matches('[')).map(|(time, _)| time);
    let name: Text<'a> = match request {
        Some(request) => Cow::Owned(format!("{request} {}", operation.to_ascii_uppercase())),
        None => Cow::Owned(operation.to_ascii_uppercase()),
    };
    let mut event = place.event(Source::KafkaAuthorizer, text, None, time, name)?;
    event.outcome = if is_allowed { Outcome::Success } else { Outcome::Failure };
    event.error_code = (!is_allowed).then_some(Cow::Borrowed("Denied"));
    event.service = Some(Cow::Borrowed("kafka"));
    event.actor = actor(principal);
    event.client = Client {
        ip: host.map(|host| Cow::Borrowed(host.trim_start_matches('/'))),
        ..Client::default()
    };
    let (kind, object) = resource_parts(resource);
    event.datastore = Some(cluster(place.server()));
    event.event_code = Some(Cow::Borrowed(kind));
    event.objects.push(Cow::Borrowed(object));
    act(operation, kind, request).put(&mut event);
    let mut changes = Changes::default();
    let row = match request {
        Some("CreateAcls" | "DeleteAcls") => Some(&rows::ACLS),
        Some("AlterConfigs" | "IncrementalAlterConfigs") => Some(&rows::CONFIGS),
        Some("AlterUserScramCredentials") => Some(&rows::CREDENTIALS),
        _ => None,
    };
    if let Some(row) = row
        && !operation.eq_ignore_ascii_case("describe")
    {
        // The log never says what was granted or set. But where anybody at all may do it, nothing is kept from anybody.
        let is_anybody =
            event.actor.kind == ActorKind::Anonymous || text.contains("principal=User:*,");
        let direction =
            if is_allowed && is_anybody { Direction::Weakened } else { Direction::Unknown };
        changes.push(row, direction, resource.to_owned());
        event.kind = EventKind::ConfigChange;
    }
    event.changes = changes.into_vec();
    Ok(event)
}

fn cluster(server: &str) -> Datastore<'static> {
    Datastore {
        uid: Cow::Owned(format!("kafka://{server}")),
        name: Some(Cow::Owned(server.to_owned())),
        resource_type: Some(Cow::Borrowed("Kafka cluster")),
        form: DatastoreForm::Database,
    }
}

/// Type and name of `Topic:LITERAL:orders`, of the older `Topic:orders`, too.
fn resource_parts(resource: &str) -> (&str, &str) {
    let (kind, rest) = resource.split_once(':').unwrap_or((resource, resource));
    let name =
        rest.strip_prefix("LITERAL:").or_else(|| rest.strip_prefix("PREFIXED:")).unwrap_or(rest);
    (kind, name)
}

fn actor(principal: &str) -> Actor<'_> {
    let name = principal.split_once(':').map_or(principal, |(_, name)| name);
    let kind = match name {
        "ANONYMOUS" => ActorKind::Anonymous,
        _ if name.starts_with("CN=") => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    Actor {
        uid: (kind != ActorKind::Anonymous).then_some(Cow::Borrowed(principal)),
        name: Some(Cow::Borrowed(name)),
        kind,
        ..Actor::default()
    }
}

fn act(operation: &str, kind: &str, request: Option<&str>) -> Act {
    let is = |word: &str| operation.eq_ignore_ascii_case(word);
    match request {
        Some("CreateAcls") => return Act::GRANT,
        Some("DeleteAcls") => return Act::REVOKE,
        Some("AlterConfigs" | "IncrementalAlterConfigs") => return Act::CONFIG,
        Some("AlterUserScramCredentials") => return Act::PASSWORD_CHANGE,
        _ => {}
    }
    // To read a group is to ask for its offsets: no data moves.
    if is("Read") {
        return if kind.eq_ignore_ascii_case("topic") { Act::READ } else { Act::OTHER };
    }
    if is("Write") || is("IdempotentWrite") {
        Act::WRITE
    } else if is("Create") {
        Act::SCHEMA_CREATE
    } else if is("Delete") {
        Act::SCHEMA_DELETE
    } else if is("Alter") || is("AlterConfigs") {
        Act::SCHEMA_UPDATE
    } else if is("Describe") || is("DescribeConfigs") {
        Act::LIST
    } else {
        Act::OTHER
    }
}
