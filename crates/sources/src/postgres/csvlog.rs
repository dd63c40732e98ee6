//! `log_destination = csvlog`: 23 columns, 24 from version 13, 26 from version 14 on.

use std::borrow::Cow;

use dataward_event::audit_event::Text;

use super::csv::Fields;
use super::entry::{Entry, host_and_port, known};
use super::stderr::{self, SEVERITIES};

/// The columns that every version has.
const COLUMNS_MIN: usize = 23;

/// Reads an entry; `None` if it is not of this form.
pub(super) fn read(text: &str) -> Option<(Entry<'_>, Text<'_>)> {
    // The time is never quoted, and what follows it is a comma at once.
    let (time, after) = stderr::take_time(text)?;
    let mut fields = Fields::new(after.strip_prefix(',')?);
    let mut columns: [Text<'_>; 26] = [const { Cow::Borrowed("") }; 26];
    let mut count = 1;
    while count < columns.len()
        && let Some(column) = fields.next()
    {
        columns[count] = column;
        count += 1;
    }
    let [_, user, database, pid, connection, session, _, _, _, _, _, severity, state, message, ..] =
        &mut columns;
    if !SEVERITIES.contains(&&**severity) || pid.parse::<u64>().is_err() {
        return None;
    }
    let mut entry = Entry {
        time,
        user: unless_unknown(user),
        database: unless_unknown(database),
        pid: unless_unknown(pid),
        session: unless_unknown(session),
        severity: std::mem::take(severity),
        state: unless_unknown(state),
        ..Entry::default()
    };
    let (host, port) = match connection {
        Cow::Borrowed(connection) => {
            let (host, port) = host_and_port(connection);
            (host.map(Cow::Borrowed), port)
        }
        Cow::Owned(connection) => {
            let (host, port) = host_and_port(connection);
            (host.map(|host| Cow::Owned(host.to_owned())), port)
        }
    };
    (entry.host, entry.port) = (host, port);
    let message = std::mem::take(message);
    // An entry that was cut by its shipper has no columns behind its message.
    if count >= COLUMNS_MIN {
        entry.statement = unless_unknown(&mut columns[19]);
        entry.application = unless_unknown(&mut columns[22]);
    }
    Some((entry, message))
}

fn unless_unknown<'t>(column: &mut Text<'t>) -> Option<Text<'t>> {
    Some(std::mem::take(column)).filter(|text| known(text).is_some())
}
