//! Messages of the server itself: connections, statements, reloads, replication, what was refused.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Class, EventKind, Outcome, Text};
use dataward_event::volume::{ReadScope, RowCount};

use super::changes;
use super::entry::{self, Entry, Log, host_and_port, known};
use crate::act::Act;
use crate::container::Fault;
use crate::lenient::bounded_statement;
use crate::sql::{self, Dialect};

/// An identity was proven; what comes of it is another entry.
const AUTHENTICATED: Act =
    Act { kind: EventKind::Authentication, class: Class::Authentication, activity_id: 99 };

/// The event of a message.
pub(super) fn event<'m>(
    log: &Log<'_>,
    entry: &Entry<'m>,
    message: &'m str,
) -> Result<AuditEvent<'m>, Fault> {
    match &*entry.severity {
        "STATEMENT" | "DETAIL" | "HINT" | "CONTEXT" | "LOCATION" => {
            Err(Fault::no_event("a line that belongs to the entry before it"))
        }
        "FATAL" => refused_connection(log, entry, message),
        "ERROR" => failed(log, entry, message),
        "LOG" => logged(log, entry, message),
        _ => Err(nothing()),
    }
}

fn nothing() -> Fault {
    Fault::no_event("a message of the server that tells of no access, change or log-on")
}

/// `key=value` inside a message; the value ends at a blank, unless another key ends it.
fn member<'m>(message: &'m str, key: &str) -> Option<&'m str> {
    let mut from = 0;
    while let Some(at) = message[from..].find(key) {
        let start = from + at;
        let is_word = start == 0 || message[..start].ends_with([' ', '(']);
        if is_word && let Some(value) = message[start + key.len()..].strip_prefix('=') {
            return known(value.split([' ', ',', ')']).next().unwrap_or_default());
        }
        from = start + key.len();
    }
    None
}

/// What stands in the first pair of double quotes behind a word.
fn quoted_after<'m>(message: &'m str, word: &str) -> Option<&'m str> {
    let (_, behind) = message.split_once(word)?;
    let (_, inside) = behind.split_once('"')?;
    known(inside.split_once('"')?.0)
}

fn logged<'m>(log: &Log<'_>, entry: &Entry<'m>, message: &'m str) -> Result<AuditEvent<'m>, Fault> {
    if let Some(rest) = message.strip_prefix("statement: ") {
        return statement(log, entry, rest, Outcome::Unknown);
    }
    if let Some(rest) = message.strip_prefix("duration: ") {
        return timed(log, entry, rest);
    }
    if let Some(rest) = message.strip_prefix("execute ") {
        return match rest.split_once(": ") {
            Some((_, text)) => statement(log, entry, text, Outcome::Unknown),
            None => Err(nothing()),
        };
    }
    if message.starts_with("connection ")
        || message.starts_with("replication connection ")
        || message.starts_with("disconnection: ")
    {
        return connection(log, entry, message);
    }
    if let Some(command) = message.strip_prefix("received replication command: ") {
        return replication(log, entry, command);
    }
    if message.starts_with("parameter \"") || message.starts_with("received SIGHUP") {
        return reload(log, entry, message);
    }
    let act = match message {
        "database system is ready to accept connections" => Act::APP_START,
        _ if message.starts_with("received ") && message.ends_with(" shutdown request") => {
            Act::APP_STOP
        }
        _ => return Err(nothing()),
    };
    let operation = if act == Act::APP_START { "startup" } else { "shutdown" };
    let mut event = entry.begin(log, operation)?;
    act.put(&mut event);
    event.outcome = Outcome::Success;
    Ok(event)
}

/// `12.3 ms  statement: …`, `12.3 ms  execute name: …`, `12.3 ms  plan:`; the steps before an execution are none.
fn timed<'m>(log: &Log<'_>, entry: &Entry<'m>, rest: &'m str) -> Result<AuditEvent<'m>, Fault> {
    let Some((_, step)) = rest.split_once(" ms  ") else {
        return Err(Fault::no_event("how long a statement took that stands in an entry before"));
    };
    if let Some(text) = step.strip_prefix("statement: ") {
        return statement(log, entry, text, Outcome::Success);
    }
    if let Some(plan) = step.strip_prefix("plan:") {
        return planned(log, entry, plan);
    }
    match step.split_once(": ") {
        Some((name, text)) if name.starts_with("execute ") => {
            statement(log, entry, text, Outcome::Success)
        }
        _ => Err(Fault::no_event("a step before the execution of a statement")),
    }
}

/// What auto_explain writes: `Query Text: …`, then a plan, whose first actual rows are those of the statement.
fn planned<'m>(log: &Log<'_>, entry: &Entry<'m>, plan: &'m str) -> Result<AuditEvent<'m>, Fault> {
    let Some((_, text)) = plan.split_once("Query Text: ") else { return Err(nothing()) };
    let nodes = text.match_indices('\n').find(|(at, _)| {
        let line = text[at + 1..].lines().next().unwrap_or_default();
        line.contains("  (cost=") || line.contains(" (actual ")
    });
    let (query, nodes) = text.split_at(nodes.map_or(text.len(), |(at, _)| at));
    let mut event = statement(log, entry, query.trim_end(), Outcome::Success)?;
    if let Some((_, actual)) = nodes.split_once("(actual ")
        && let Some(rows) = member(actual, "rows").and_then(|rows| rows.parse::<f64>().ok())
        && rows >= 0.0
    {
        event.volume.rows = Some(RowCount(rows as u64));
    }
    Ok(event)
}

fn statement<'m>(
    log: &Log<'_>,
    entry: &Entry<'m>,
    text: &'m str,
    outcome: Outcome,
) -> Result<AuditEvent<'m>, Fault> {
    let mut event = described(log, entry, text)?;
    event.outcome = outcome;
    changes::put_database(&mut event, log, text);
    event.statement = Some(bounded_statement(Cow::Borrowed(text)));
    Ok(event)
}

/// The event of a statement, as far as its text tells.
fn described<'m>(log: &Log<'_>, entry: &Entry<'m>, text: &str) -> Result<AuditEvent<'m>, Fault> {
    let Some(read) = sql::read(text, Dialect::Postgres) else {
        let command = sql::command(text, Dialect::Postgres);
        let (name, act) = match command {
            Some(command) => (command.name, command.act),
            None => (Cow::Borrowed("statement"), Act::UNKNOWN),
        };
        let mut event = entry.begin(log, name)?;
        act.put(&mut event);
        return Ok(event);
    };
    let mut event = entry.begin(log, read.command)?;
    read.act.put(&mut event);
    event.read_scope = read.scope;
    event.objects = read.tables.into_iter().map(Cow::Owned).collect();
    changes::put(&mut event, log, &read.effects);
    Ok(event)
}

fn connection<'m>(
    log: &Log<'_>,
    entry: &Entry<'m>,
    message: &'m str,
) -> Result<AuditEvent<'m>, Fault> {
    let (operation, act) = if message.starts_with("connection received:") {
        ("connection received", Act::CONNECT)
    } else if message.starts_with("connection authenticated:") {
        ("connection authenticated", AUTHENTICATED)
    } else if message.starts_with("connection authorized:") {
        ("connection authorized", Act::LOGON)
    } else if message.starts_with("replication connection authorized:") {
        ("replication connection authorized", Act::QUERY)
    } else if message.starts_with("disconnection:") {
        ("disconnection", Act::LOGOFF)
    } else {
        return Err(nothing());
    };
    let mut event = entry.begin(log, operation)?;
    act.put(&mut event);
    event.outcome = Outcome::Success;
    if let Some(user) = member(message, "user") {
        event.actor.uid = Some(Cow::Borrowed(user));
    }
    if let Some(database) = member(message, "database") {
        event.datastore = Some(entry::datastore(log, Some(database)));
    }
    if let Some(application) = application(message) {
        event.client.user_agent = Some(Cow::Borrowed(application));
    }
    if let Some(host) = member(message, "host") {
        event.client.ip = Some(Cow::Borrowed(host_and_port(host).0.unwrap_or(host)));
        event.client.port = member(message, "port").and_then(|port| port.parse().ok());
    }
    // What is replicated is the whole of it.
    if act == Act::QUERY {
        event.read_scope = Some(ReadScope::Export);
        event.datastore = Some(entry::datastore(log, None));
    }
    if act == AUTHENTICATED {
        authenticated(&mut event, log, message);
    }
    Ok(event)
}

/// The name of a program; it may hold blanks, and what follows it is `SSL`, GSS or nothing.
fn application(message: &str) -> Option<&str> {
    let (_, name) = message.split_once("application_name=")?;
    let ends = [" SSL enabled (", " GSS (", " SSL disabled"];
    let end = ends.iter().filter_map(|end| name.find(end)).min().unwrap_or(name.len());
    known(&name[..end])
}

/// `identity="ada" method=scram-sha-256 (/etc/pg_hba.conf:87)`, from 17 on also `user="ada" method=trust (…)`.
fn authenticated<'m>(event: &mut AuditEvent<'m>, log: &Log<'_>, message: &'m str) {
    let method = member(message, "method");
    let identity = quoted_after(message, "identity=").or_else(|| quoted_after(message, "user="));
    event.event_code = method.map(Cow::Borrowed);
    if event.actor.uid.is_none() {
        event.actor.uid = identity.map(Cow::Borrowed);
    } else if identity.is_some() && identity != event.actor.uid.as_deref() {
        // Who proved it may be another than the role that is played: a principal, a certificate.
        event.actor.issuer = identity.map(Cow::Borrowed);
    }
    let is_remote = event.client.ip.as_deref().is_some_and(|ip| ip != "[local]");
    if method == Some("trust") && is_remote {
        let rule = message.split_once(" (").map_or("", |(_, rule)| rule.trim_end_matches(')'));
        changes::put_trust(event, log, rule);
    }
}

/// `BASE_BACKUP …`, `START_REPLICATION …`: the whole, copied; other commands only ask.
fn replication<'m>(
    log: &Log<'_>,
    entry: &Entry<'m>,
    command: &'m str,
) -> Result<AuditEvent<'m>, Fault> {
    let name = command.split([' ', ';']).next().unwrap_or(command);
    let mut event = entry.begin(log, name)?;
    match name {
        "BASE_BACKUP" | "START_REPLICATION" => {
            Act::QUERY.put(&mut event);
            event.read_scope = Some(ReadScope::Export);
        }
        "CREATE_REPLICATION_SLOT" => Act::SCHEMA_CREATE.put(&mut event),
        "DROP_REPLICATION_SLOT" => Act::SCHEMA_DELETE.put(&mut event),
        _ => Act::LIST.put(&mut event),
    }
    event.outcome = Outcome::Success;
    event.datastore = Some(entry::datastore(log, None));
    event.statement = Some(bounded_statement(Cow::Borrowed(command)));
    Ok(event)
}

/// `received SIGHUP, …`, and what it changed.
fn reload<'m>(log: &Log<'_>, entry: &Entry<'m>, message: &'m str) -> Result<AuditEvent<'m>, Fault> {
    let Some(name) = quoted_after(message, "parameter ") else {
        let mut event = entry.begin(log, "reload")?;
        Act::CONFIG.put(&mut event);
        event.outcome = Outcome::Success;
        event.datastore = Some(entry::datastore(log, None));
        return Ok(event);
    };
    let mut event = entry.begin(log, "parameter changed")?;
    Act::CONFIG.put(&mut event);
    event.datastore = Some(entry::datastore(log, None));
    event.objects = vec![Cow::Borrowed(name)];
    event.outcome = Outcome::Success;
    if let Some((_, value)) = message.split_once(" changed to \"") {
        changes::put_parameter(&mut event, log, name, Some(value.trim_end_matches('"')));
    } else if message.contains(" removed from configuration file") {
        changes::put_parameter(&mut event, log, name, None);
    } else if message.contains(" cannot be changed without restarting the server") {
        // It waits for the restart: nothing is changed yet.
        event.operation = Cow::Borrowed("parameter change pending");
        event.outcome = Outcome::Unknown;
    } else {
        return Err(nothing());
    }
    Ok(event)
}

/// A connection that did not come about.
fn refused_connection<'m>(
    log: &Log<'_>,
    entry: &Entry<'m>,
    message: &'m str,
) -> Result<AuditEvent<'m>, Fault> {
    const REFUSALS: [(&str, &str); 12] = [
        (" authentication failed for user \"", "28P01"),
        ("no pg_hba.conf entry for ", "28000"),
        ("pg_hba.conf rejects ", "28000"),
        ("role \"", "28000"),
        ("database \"", "3D000"),
        ("permission denied for database ", "42501"),
        ("must be superuser to connect", "42501"),
        ("must be superuser or replication role", "42501"),
        ("no PostgreSQL user name specified", "28000"),
        ("password of user ", "28P01"),
        ("connection requires a valid client certificate", "28000"),
        ("certificate authentication failed", "28000"),
    ];
    let Some((_, state)) = REFUSALS.iter().find(|(mark, _)| message.contains(mark)) else {
        return Err(nothing());
    };
    let mut event = entry.begin(log, "connection refused")?;
    Act::LOGON.put(&mut event);
    event.outcome = Outcome::Failure;
    event.error_message = Some(Cow::Borrowed(message));
    event.error_code.get_or_insert(Cow::Borrowed(state));
    if let Some(user) = quoted_after(message, "user ").or_else(|| quoted_after(message, "role ")) {
        event.actor.uid.get_or_insert(Cow::Borrowed(user));
    }
    if let Some(host) = quoted_after(message, "host ") {
        event.client.ip.get_or_insert(Cow::Borrowed(host));
    }
    if let Some(database) = quoted_after(message, "database ").filter(|_| entry.database.is_none())
    {
        event.datastore = Some(entry::datastore(log, Some(database)));
    }
    Ok(event)
}

/// A statement that was refused or failed. Without its text only what was denied is an event.
fn failed<'m>(log: &Log<'_>, entry: &Entry<'m>, message: &'m str) -> Result<AuditEvent<'m>, Fault> {
    let denied = denied_object(message);
    let is_denied = denied.is_some() || message.starts_with("must be ");
    let mut event = match &entry.statement {
        Some(text) => {
            let mut event = described(log, entry, text)?;
            event.statement = Some(bounded_statement(text.clone()));
            event
        }
        None if is_denied => entry.begin(log, "permission denied")?,
        None => return Err(Fault::no_event("an error whose statement stands in another entry")),
    };
    event.outcome = Outcome::Failure;
    event.error_message = Some(Cow::Borrowed(message));
    if is_denied {
        event.error_code.get_or_insert(Cow::Borrowed("42501"));
    }
    if event.objects.is_empty() {
        event.objects = denied.map(Text::Borrowed).into_iter().collect();
    }
    Ok(event)
}

/// `permission denied for table customers` names the table.
fn denied_object(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("permission denied for ")?;
    let rest = rest.split_once(" at character ").map_or(rest, |(rest, _)| rest);
    Some(rest.rsplit(' ').next().unwrap_or(rest).trim_matches('"'))
}
