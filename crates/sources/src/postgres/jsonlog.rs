//! `log_destination = jsonlog`, from version 15 on.

use dataward_event::audit_event::Text;

use super::entry::{Entry, known};
use crate::container::Fault;
use crate::lenient::{Loose, Object, fields};
use crate::time_text;

fields! {
    /// An entry, with the members that are used.
    struct Json<'a> {
        timestamp: Loose<'a> = "timestamp",
        user: Loose<'a> = "user",
        database: Loose<'a> = "dbname",
        pid: Loose<'a> = "pid",
        host: Loose<'a> = "remote_host",
        port: Loose<'a> = "remote_port",
        session: Loose<'a> = "session_id",
        severity: Loose<'a> = "error_severity",
        state: Loose<'a> = "state_code",
        message: Loose<'a> = "message",
        statement: Loose<'a> = "statement",
        application: Loose<'a> = "application_name",
    }
}

/// Reads an entry.
pub(super) fn read(text: &str) -> Result<(Entry<'_>, Text<'_>), Fault> {
    let Object { fields: json, .. } = serde_json::from_str::<Object<Json<'_>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    let (Some(severity), Some(message)) = (json.severity.text(), json.message.text()) else {
        return Err(Fault::shape("expected an entry of jsonlog: error_severity and message"));
    };
    let entry = Entry {
        time: json.timestamp.as_str().and_then(time_text::parse),
        pid: json.pid.text(),
        user: json.user.text().filter(|text| known(text).is_some()),
        database: json.database.text().filter(|text| known(text).is_some()),
        port: json.port.as_count().and_then(|port| u16::try_from(port).ok()),
        host: json.host.text(),
        application: json.application.text().filter(|text| known(text).is_some()),
        session: json.session.text(),
        severity,
        state: json.state.text(),
        statement: json.statement.text(),
    };
    Ok((entry, message))
}
