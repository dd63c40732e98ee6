//! Lines of MariaDB's `server_audit`, of its fork in Amazon RDS, and of Aurora MySQL:
//! `time,server,user,host,connection,query,operation,database,object,code[,connection type]`.
//!
//! One line is one event: line breaks in statements are escaped. The time is local and without a zone; Aurora's is in
//! microseconds, and through syslog there is none.

use std::borrow::Cow;
use std::net::IpAddr;

use dataward_event::audit_event::{AuditEvent, Text};
use dataward_event::time::EventTime;

use super::happening::{Happening, Log, What};
use crate::container::Fault;
use crate::source::{Place, Source};
use crate::time_text;

const OPERATIONS: [(&str, What); 16] = [
    ("QUERY", What::Statement),
    ("QUERY_DDL", What::Statement),
    ("QUERY_DML", What::Statement),
    ("QUERY_DCL", What::Statement),
    ("CONNECT", What::LogOn),
    ("FAILED_CONNECT", What::LogOn),
    ("PROXY_CONNECT", What::LogOn),
    ("CHANGEUSER", What::LogOn),
    ("DISCONNECT", What::LogOff),
    ("READ", What::TableRead),
    ("WRITE", What::TableWrite),
    ("CREATE", What::TableCreate),
    ("ALTER", What::TableAlter),
    ("RENAME", What::TableAlter),
    ("DROP", What::TableDrop),
    ("TABLE", What::TableRead),
];

/// Codes of connections that ended before anybody said who it is.
const NOBODY_CAME: [i64; 4] = [1158, 1159, 1160, 1161];

/// Reads one line.
///
/// # Errors
/// The text is no line of `server_audit`, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let log = Log { source: Source::MariadbServerAudit, raw: text, place };
    match Line::read(text) {
        Some(line) => line.happening().event(&log),
        None if text.contains("server_audit: ") => {
            Err(Fault::no_event("a line of the error log about the audit"))
        }
        None => Err(Fault::shape(
            "expected a line of server_audit: time, server, user, host, connection, query, operation",
        )),
    }
}

/// Whether a line is one of this log.
pub(crate) fn is_line(line: &str) -> bool {
    Line::read(line).is_some()
}

/// A line, taken apart.
struct Line<'a> {
    time: Option<EventTime>,
    server: &'a str,
    user: &'a str,
    host: &'a str,
    connection: &'a str,
    query: &'a str,
    operation: &'a str,
    what: What,
    database: &'a str,
    /// The statement, the table, the proxied account; then the code.
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (first, behind) = text.split_once(',')?;
        let time = time(first);
        // Through syslog the server comes first.
        let (server, mut rest) =
            if time.is_some() { behind.split_once(',')? } else { (first, behind) };
        let mut next = || {
            let (field, behind) = rest.split_once(',')?;
            rest = behind;
            Some(field.trim())
        };
        let (user, host, connection, query, operation) =
            (next()?, next()?, next()?, next()?, next()?);
        let database = next()?;
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (_, what) = OPERATIONS.iter().find(|(name, _)| *name == operation)?;
        let line = Self {
            time,
            server: server.trim(),
            user,
            host,
            connection,
            query,
            operation,
            what: *what,
            database,
            rest,
        };
        (is_number(connection) && is_number(query)).then_some(line)
    }

    fn happening(self) -> Happening<'a> {
        let (object, code) = object_and_code(self.rest);
        let status = code.parse().ok();
        let mut what = self.what;
        if self.operation == "FAILED_CONNECT"
            && self.user.is_empty()
            && status.is_some_and(|status| NOBODY_CAME.contains(&status))
        {
            what = What::Touch;
        }
        let is_address = self.host.parse::<IpAddr>().is_ok();
        let mut happening = Happening {
            what,
            time: self.time,
            code: Cow::Borrowed(self.operation),
            server: Some(Cow::Borrowed(self.server)),
            user: Some(Cow::Borrowed(self.user)),
            host: (!is_address).then_some(Cow::Borrowed(self.host)),
            ip: is_address.then_some(Cow::Borrowed(self.host)),
            connection: Some(Cow::Borrowed(self.connection)),
            request: Some(Cow::Borrowed(self.query)).filter(|query| query != "0"),
            database: Some(Cow::Borrowed(self.database)).filter(|name| !name.is_empty()),
            status,
            ..Happening::default()
        };
        match what {
            What::Statement => happening.statement = object,
            // An account that another one acts as: `'a'@'%'`.
            What::LogOn => happening.proxied = object.filter(|_| self.operation == "PROXY_CONNECT"),
            // A rename says `old|database.new`.
            _ => {
                happening.table = object.map(|table| match table {
                    Cow::Borrowed(table) => Cow::Borrowed(before_bar(table)),
                    Cow::Owned(table) => Cow::Owned(before_bar(&table).to_owned()),
                });
            }
        }
        happening
    }
}

fn before_bar(table: &str) -> &str {
    table.split_once('|').map_or(table, |(old, _)| old)
}

/// The object, without its quotes, and the code behind it.
fn object_and_code(rest: &str) -> (Option<Text<'_>>, &str) {
    let Some(quoted) = rest.strip_prefix('\'') else {
        let (object, code) = rest.split_once(',').unwrap_or((rest, ""));
        let object = Some(object).filter(|object| !object.is_empty());
        return (object.map(Cow::Borrowed), first_field(code));
    };
    let bytes = quoted.as_bytes();
    let mut at = 0;
    let mut is_plain = true;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => {
                is_plain = false;
                at += 1;
            }
            // A quote inside is doubled where it is not escaped.
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => {
                is_plain = false;
                at += 1;
            }
            b'\'' => break,
            _ => {}
        }
        at += 1;
    }
    let end = at.min(bytes.len());
    let object = &quoted[..end];
    let code = quoted.get(end + 1..).and_then(|rest| rest.strip_prefix(',')).unwrap_or_default();
    let object = if is_plain { Cow::Borrowed(object) } else { Cow::Owned(unescaped(object)) };
    (Some(object).filter(|object| !object.is_empty()), first_field(code))
}

/// The code; behind it RDS says how the connection was made.
fn first_field(code: &str) -> &str {
    code.split(',').next().unwrap_or_default().trim()
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            '\'' => {
                plain.push('\'');
                characters.next();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// `20201130 23:07:48`, the hour perhaps with a blank for its first digit; or microseconds since the epoch.
fn time(text: &str) -> Option<EventTime> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() == 16 && is_digits(text) {
        return Some(time_text::from_epoch(text.parse().ok()?));
    }
    let (date, clock) = text.split_once(' ')?;
    let clock = clock.trim_start();
    if date.len() != 8 || !is_digits(date) || !(7..=8).contains(&clock.len()) {
        return None;
    }
    let zero = if clock.len() == 7 { "0" } else { "" };
    time_text::parse(&format!("{}-{}-{} {zero}{clock}", &date[..4], &date[4..6], &date[6..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_codes() {
        for (rest, object, code) in [
            ("'show databases',0", "show databases", "0"),
            ("'GRANT ALL ON *.* TO ''x''@''%''',0", "GRANT ALL ON *.* TO 'x'@'%'", "0"),
            (r"'SET GLOBAL a = \'\'',0", "SET GLOBAL a = ''", "0"),
            (r"'SELECT \'a\\\'b\'\nFROM t',1064", "SELECT 'a\\'b'\nFROM t", "1064"),
            ("'SELECT a,b FROM t WHERE x=''1,2''',0,SSL", "SELECT a,b FROM t WHERE x='1,2'", "0"),
            ("'SELECT cut", "SELECT cut", ""),
            ("tickets,", "tickets", ""),
            (",0", "", "0"),
            ("'',0", "", "0"),
        ] {
            let (found, found_code) = object_and_code(rest);
            assert_eq!(
                (found.as_deref().unwrap_or_default(), found_code),
                (object, code),
                "{rest}"
            );
        }
    }

    #[test]
    fn times() {
        for text in ["20240506 07:08:09", "20240506  7:08:09", "1714979289000000"] {
            assert_eq!(time(text).map(|time| time.micros()), Some(1_714_979_289_000_000), "{text}");
        }
        for text in ["db1", "2024050 07:08:09", "20240506 7", "20241306 07:08:09"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
