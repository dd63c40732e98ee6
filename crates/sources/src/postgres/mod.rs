//! PostgreSQL: its server log in all its forms, and the records that pgAudit writes into it.
//!
//! One entry of the log is one event, or none. As text (`log_destination = stderr`) an entry begins with what
//! `log_line_prefix` says, a severity and two blanks; what does not fit on its line goes on in lines that begin with a
//! tab, and `DETAIL`, `STATEMENT` and their like are entries with a prefix of their own. As CSV an entry is one record of
//! CSV with line breaks inside its quotes, as JSON (`jsonlog`) one line. So a line goes on with the next one where that
//! begins with a tab, or, in CSV, where an odd number of quotes has been seen. Syslog numbers the lines of an entry
//! (`[5-1]`, `[5-2]`).
//!
//! Whatever the form, an entry is read into the same [`entry::Entry`]; `audit` reads pgAudit's records, `server` all others.

mod audit;
mod changes;
mod csv;
mod csvlog;
mod entry;
mod jsonlog;
mod prefix;
mod server;
mod stderr;

use std::borrow::Cow;

use dataward_event::audit_event::AuditEvent;

use crate::container::Fault;
use crate::source::{Place, Source};
use entry::{Entry, Log};

/// Reads one entry.
///
/// # Errors
/// The text is no entry of PostgreSQL's log, it tells of no event, or nothing dates it.
pub(crate) fn decode<'a>(
    source: Source,
    text: &'a str,
    place: Place<'_>,
) -> Result<AuditEvent<'a>, Fault> {
    let (entry, message) = read(text)?;
    let log = Log { source, raw: text, place };
    match message {
        Cow::Borrowed(message) => event(&log, &entry, message),
        Cow::Owned(message) => event(&log, &entry, &message).map(AuditEvent::into_owned),
    }
}

fn read(text: &str) -> Result<(Entry<'_>, Cow<'_, str>), Fault> {
    if text.starts_with('{') {
        return jsonlog::read(text);
    }
    if text.starts_with(audit::MARK) {
        return Ok((Entry::default(), Cow::Borrowed(text)));
    }
    if let Some(found) = csvlog::read(text).or_else(|| stderr::read(text)) {
        return Ok(found);
    }
    if is_continuation(text) {
        return Err(Fault::no_event("a line that goes on with an entry before it"));
    }
    Err(Fault::shape(
        "expected an entry of PostgreSQL's log: a severity such as `LOG:  `, CSV or JSON",
    ))
}

fn event<'m>(log: &Log<'_>, entry: &Entry<'m>, message: &'m str) -> Result<AuditEvent<'m>, Fault> {
    match message.strip_prefix(audit::MARK) {
        Some(record) => audit::event(log, entry, record),
        None => server::event(log, entry, message),
    }
}

/// Whether a text is one line of an entry that was cut between its lines: by syslog, or by a shipper.
fn is_continuation(text: &str) -> bool {
    if text.starts_with("#011") {
        return true;
    }
    let number = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    number.and_then(|(number, _)| number.split_once('-')).is_some_and(|(entry, line)| {
        entry.bytes().all(|byte| byte.is_ascii_digit())
            && line.parse::<u32>().is_ok_and(|line| line > 1)
    })
}

/// Whether a line that is no JSON is one of this log.
pub(crate) fn is_line(line: &str) -> bool {
    if line.starts_with("AUDIT: SESSION,") || line.starts_with("AUDIT: OBJECT,") {
        return true;
    }
    csvlog::read(line).is_some() || stderr::is_entry(line)
}
