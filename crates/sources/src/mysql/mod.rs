//! Audit records of MySQL Enterprise and Percona Server: JSON, XML in the new and the old style; and MariaDB's `server_audit`.
//!
//! Whatever the form, a record is read into the same [`happening::Happening`]. A statement is several records (its start, the
//! tables, its end): the one that says how it ended is the statement, those of tables name what it touched, the others are
//! no events.

mod changes;
mod happening;
mod json;
pub(crate) mod mariadb;
pub(crate) mod xml;

use dataward_event::audit_event::AuditEvent;

use crate::container::Fault;
use crate::source::{Place, Source};
use happening::Log;

/// Reads one record.
///
/// # Errors
/// The text is no audit record of MySQL, it tells of no event, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let log = Log { source: Source::MysqlAudit, raw: text, place };
    // The file is one long list: a line of it ends with a comma, or with the end of the list.
    let record = text.trim_end_matches([',', ']', ' ', '\t', '\r', '\n']).trim_start();
    if record.starts_with('{') {
        return json::read(record)?.event(&log);
    }
    if record.starts_with('<') {
        return xml::read(record)?.event(&log);
    }
    if record.is_empty() || record == "[" {
        return Err(Fault::no_event("a line between the records of a list"));
    }
    Err(Fault::shape("expected an audit record of MySQL: a JSON object or an AUDIT_RECORD"))
}
