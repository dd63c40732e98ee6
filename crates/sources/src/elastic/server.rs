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
use crate::network::is_of_the_internet;
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
    /// A cluster setting has another value from now on.
    Setting {
        name: &'m str,
        value: &'m str,
    },
    /// Where clients find the node.
    Bound {
        is_public: bool,
    },
    /// Nodes talk in plain text, and the node starts all the same.
    PlainTransport,
    /// The licence no longer covers auditing.
    Unlicensed,
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
    // Nodes say among themselves in the same words where they are found.
    let is_http = line.component.as_str().is_some_and(|component| {
        // In short it is `o.e.h.AbstractHttpServerTransport`.
        component.contains(".http.") || component.contains("HttpServerTransport")
    });
    let told = told(&message).filter(|told| is_http || !matches!(told, Told::Bound { .. }));
    let Some(told) = told else {
        return Err(Fault::no_event("a message of the server that tells nothing of protection"));
    };
    let (operation, act, outcome) = match told {
        Told::Security(true) => ("security enabled", Act::CONFIG, Outcome::Success),
        Told::Security(false) => ("security disabled", Act::CONFIG, Outcome::Success),
        Told::Started => ("node started", Act::APP_START, Outcome::Success),
        Told::Stopped => ("node stopped", Act::APP_STOP, Outcome::Success),
        Told::Refused(_) => ("authentication", Act::LOGON, Outcome::Failure),
        Told::Setting { .. } => ("setting updated", Act::CONFIG, Outcome::Success),
        Told::Bound { .. } => ("http bound", Act::CONFIG, Outcome::Success),
        Told::PlainTransport => ("transport in plain text", Act::CONFIG, Outcome::Success),
        Told::Unlicensed => ("auditing unlicensed", Act::CONFIG, Outcome::Success),
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
    let mut changes = Changes::default();
    match told {
        Told::Security(is_on) => {
            let change = changes.flag(&rows::SECURITY_DISABLED, !is_on, "security");
            change.after = Some(Cow::Borrowed(if is_on { "true" } else { "false" }));
        }
        Told::Setting { name, value } => setting(name, value, &mut changes),
        Told::Bound { is_public } => {
            let node = line.node_name.as_str().unwrap_or("node");
            changes.flag(&rows::HTTP_PUBLIC, is_public, format!("http of {node}"));
        }
        Told::PlainTransport => {
            changes.weakened(&rows::TRANSPORT_TLS, "transport");
        }
        Told::Unlicensed => {
            changes.weakened(&rows::LICENSE, "license");
        }
        Told::Started | Told::Stopped | Told::Refused(_) => {}
    }
    if changes.is_empty() {
        event.error_message = line.message.text().filter(|_| outcome == Outcome::Failure);
    } else {
        event.changes = changes.into_vec();
    }
    Ok(event)
}

/// Settings that protect, as the server says them: `[true]`, `[["_all"]]`.
fn setting(name: &str, value: &str, changes: &mut Changes) {
    let is_off = value == "false";
    let is_empty = matches!(value, "" | "[]");
    match name {
        "xpack.security.http.filter.enabled" | "xpack.security.transport.filter.enabled" => {
            changes.flag(&rows::IP_FILTER, is_off, name.to_owned());
        }
        "xpack.security.http.filter.allow" | "xpack.security.transport.filter.allow" => {
            let is_open = value.contains("_all") || value.contains("0.0.0.0/0");
            changes.flag(&rows::IP_FILTER, is_open, name.to_owned());
        }
        "xpack.security.audit.enabled" => {
            changes.flag(&rows::AUDIT_SETTINGS, is_off, name.to_owned());
        }
        _ if name.starts_with("xpack.security.audit.logfile.events.exclude")
            || name.starts_with("xpack.security.audit.logfile.events.ignore_filters") =>
        {
            changes.flag(&rows::AUDIT_SETTINGS, !is_empty, name.to_owned());
        }
        _ => {}
    }
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
    if lower.starts_with("transport ssl must be enabled") {
        return Some(Told::PlainTransport);
    }
    if lower.starts_with("auditing logging is disabled") {
        return Some(Told::Unlicensed);
    }
    if let Some(rest) = message.strip_prefix("updating [xpack.security.") {
        let (name, rest) = rest.split_once("] from [")?;
        let name = &message["updating [".len()..][.."xpack.security.".len() + name.len()];
        let value = rest.rsplit_once("] to [")?.1.strip_suffix(']')?;
        return Some(Told::Setting { name, value });
    }
    if let Some(rest) = message.strip_prefix("publish_address {") {
        let address = rest.split_once('}')?.0.rsplit('/').next()?;
        let (host, _) = address.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        return Some(Told::Bound { is_public: is_of_the_internet(host) });
    }
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
