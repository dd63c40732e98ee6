//! `elasticsearch.server`: the server and deprecation log of Elasticsearch, as JSON (7 and 8) and as plain lines.
//!
//! Security that is off writes no audit log. What tells of it is a line at every start of a node, and some warnings.

use std::borrow::Cow;

use dataward_event::audit_event::{Actor, AuditEvent, Outcome, Text};

use super::{brackets, cluster};
use crate::act::Act;
use crate::catalogue_rows::elastic as rows;
use crate::changes::Changes;
use crate::container::Fault;
use crate::lenient::{Loose, Object, fields};
use crate::source::{Place, Source};
use crate::time_text;

fields! {
    /// One line.
    struct Line<'a> {
        time: Loose<'a> = "timestamp" | "@timestamp",
        component: Loose<'a> = "component" | "log.logger",
        cluster_name: Loose<'a> = "cluster.name" | "elasticsearch.cluster.name",
        node_name: Loose<'a> = "node.name" | "elasticsearch.node.name",
        message: Loose<'a> = "message",
    }
}

/// What a line tells, if it tells anything of protection.
enum Told<'m> {
    Security(bool),
    Started,
    Stopped,
    /// A realm refused a user.
    Refused(&'m str),
}

/// Whether a plain line is of this log: `[time][LEVEL ][o.e.n.Node] [node] message`.
pub(crate) fn is_line(line: &str) -> bool {
    line.starts_with('[') && {
        let (_, parts) = brackets(line);
        parts.len() >= 3
            && time_text::take(parts[0]).is_some()
            && (parts[2].starts_with("o.e.") || parts[2].starts_with("org.elasticsearch"))
    }
}

/// Whether a JSON record is one of this log.
pub(super) fn is_server_record(text: &str) -> bool {
    text.contains("\"component\"") || text.contains("\"log.level\"")
}

/// Reads one line.
///
/// # Errors
/// The text is malformed, is no line of this log, nothing dates it, or it tells nothing of protection.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let line = if text.starts_with('{') {
        let Object { fields, .. } = serde_json::from_str::<Object<Line<'a>>>(text)
            .map_err(|error| Fault::malformed(text, &error))?;
        fields
    } else {
        plain(text)?
    };
    let Some(message) = line.message.clone().text() else {
        return Err(Fault::shape("expected a line of Elasticsearch's server log, with a message"));
    };
    let Some(told) = told(&message) else {
        return Err(Fault::no_event("a message of the server that tells nothing of protection"));
    };
    let (operation, act, outcome) = match told {
        Told::Security(true) => ("security enabled", Act::CONFIG, Outcome::Success),
        Told::Security(false) => ("security disabled", Act::CONFIG, Outcome::Success),
        Told::Started => ("node started", Act::APP_START, Outcome::Success),
        Told::Stopped => ("node stopped", Act::APP_STOP, Outcome::Success),
        Told::Refused(_) => ("authentication", Act::LOGON, Outcome::Failure),
    };
    let time = line.time.as_str().and_then(time_text::parse);
    let mut event = place.event(Source::ElasticsearchServer, text, None, time, operation)?;
    act.put(&mut event);
    event.outcome = outcome;
    event.service = Some(Cow::Borrowed("elasticsearch"));
    event.event_code = line.component.clone().text();
    if let Told::Refused(user) = told {
        let name: Text<'a> = Cow::Owned(user.to_owned());
        event.actor = Actor { uid: Some(name.clone()), name: Some(name), ..Actor::default() };
    }
    let names = [line.cluster_name.as_str(), place.host, line.node_name.as_str()];
    let name = names.into_iter().flatten().next().unwrap_or("unknown");
    event.datastore = Some(cluster("elasticsearch", name));
    event.client.endpoint_uid = line.node_name.clone().text();
    if let Told::Security(is_on) = told {
        let mut changes = Changes::default();
        let change = changes.flag(&rows::SECURITY_DISABLED, !is_on, "security");
        change.after = Some(Cow::Borrowed(if is_on { "true" } else { "false" }));
        event.changes = changes.into_vec();
    } else {
        event.error_message = line.message.text().filter(|_| outcome == Outcome::Failure);
    }
    Ok(event)
}

/// `[time][LEVEL ][component] [node] message`; older nodes leave their name out.
fn plain(text: &str) -> Result<Line<'_>, Fault> {
    let (_, parts) = brackets(text);
    if parts.len() < 3 || time_text::take(parts[0]).is_none() {
        return Err(Fault::shape("expected a line `[time][level][component] [node] message`"));
    }
    let behind = |part: &str| {
        let end = part.as_ptr() as usize - text.as_ptr() as usize + part.len();
        text[end..].split_once(']').map_or("", |(_, rest)| rest).trim_start()
    };
    let loose = |text: &str| Loose(Some(Cow::Owned(text.to_owned())));
    let rest = behind(parts[2]);
    let named = rest.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let (node, message) = match named {
        Some((node, message)) => (Some(node), message),
        None => (None, rest),
    };
    Ok(Line {
        time: loose(parts[0]),
        component: loose(parts[2]),
        node_name: node.map(loose).unwrap_or_default(),
        message: loose(message),
        ..Line::default()
    })
}

fn told(message: &str) -> Option<Told<'_>> {
    let message = message.trim();
    let lower = message.to_ascii_lowercase();
    if lower.contains("security is disabled")
        || lower.starts_with("elasticsearch built-in security features are not enabled")
    {
        return Some(Told::Security(false));
    }
    if lower.contains("security is enabled") {
        return Some(Told::Security(true));
    }
    if lower == "started" || lower.starts_with("started {") {
        return Some(Told::Started);
    }
    if lower == "closed" || lower == "stopped" || lower.starts_with("stopping ...") {
        return Some(Told::Stopped);
    }
    let (user, rest) = message.strip_prefix("Authentication of [")?.split_once(']')?;
    rest.contains("failed to authenticate").then_some(Told::Refused(user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_tell_what_they_tell() {
        assert!(matches!(told("Security is disabled"), Some(Told::Security(false))));
        assert!(matches!(
            told("Active license is now [BASIC]; Security is enabled"),
            Some(Told::Security(true))
        ));
        assert!(matches!(told("started"), Some(Told::Started)));
        assert!(matches!(
            told(
                "Authentication of [ada] was terminated by realm [reserved] - failed to authenticate user [ada]"
            ),
            Some(Told::Refused("ada"))
        ));
        assert!(told("Deprecated field [template] used").is_none());
    }
}
