//! What `log_line_prefix` says, without being told what it is: every common form is recognised by its marks.
//!
//! Read are: a time (`%m`, `%t`, `%n`), a process in brackets (`[%p]`, also `[%p-%l]`) or as `pid=`, `%u@%d`, with `/%a` behind it,
//! names with an equals sign (`user=%u,db=%d,app=%a,client=%h`), addresses (`%h`, `%r`), and the session (`%c`). A word that
//! nothing marks is left alone: it is not told whether it is a user, a database or a program.

use std::borrow::Cow;
use std::net::IpAddr;

use super::entry::{Entry, host_and_port, known};
use super::stderr::take_time;
use crate::time_text;

/// Names that prefixes give to their parts, longest first where one ends like another.
const NAMES: [(&str, Part); 22] = [
    ("application_name", Part::Application),
    ("application", Part::Application),
    ("app", Part::Application),
    ("a", Part::Application),
    ("username", Part::User),
    ("user", Part::User),
    ("usr", Part::User),
    ("u", Part::User),
    ("database", Part::Database),
    ("dbname", Part::Database),
    ("db", Part::Database),
    ("d", Part::Database),
    ("client_addr", Part::Host),
    ("client", Part::Host),
    ("remote", Part::Host),
    ("host", Part::Host),
    ("h", Part::Host),
    ("r", Part::Host),
    ("ip", Part::Host),
    ("session_id", Part::Session),
    ("session", Part::Session),
    ("pid", Part::Process),
];

#[derive(Debug, Clone, Copy)]
enum Part {
    Application,
    User,
    Database,
    Host,
    Session,
    Process,
}

/// Reads a prefix.
pub(super) fn read(prefix: &str) -> Entry<'_> {
    let mut entry = Entry::default();
    let mut rest = without_syslog_number(prefix);
    if let Some(at) = time_at(rest)
        && let Some((time, after)) = take_time(&rest[at..])
    {
        entry.time = time;
        rest = after;
    } else if let Some((word, after)) = rest.split_once(' ')
        && word.len() >= 12
        && word.contains('.')
        && let Some(time) = time_text::parse_epoch_seconds(word)
    {
        entry.time = Some(time);
        rest = after;
    }
    entry.pid = process(rest).map(Cow::Borrowed);
    if !read_named(rest, &mut entry) {
        read_user_at_database(rest, &mut entry);
    }
    if entry.host.is_none() {
        read_address(rest, &mut entry);
    }
    if entry.session.is_none() {
        entry.session = words(rest).find(|word| is_session(word)).map(Cow::Borrowed);
    }
    entry
}

/// Syslog's `[5-1] ` in front.
fn without_syslog_number(prefix: &str) -> &str {
    let number = prefix.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    match number {
        Some((number, rest)) if number.contains('-') && is_number(&number.replace('-', "")) => rest,
        _ => prefix,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where a time begins.
fn time_at(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // Most prefixes begin with it.
    (0..bytes.len().saturating_sub(18)).find(|at| {
        bytes[*at].is_ascii_digit()
            && bytes[*at + 4] == b'-'
            && (*at == 0 || !bytes[*at - 1].is_ascii_digit())
            && time_text::take(&text[*at..]).is_some()
    })
}

/// The number in `[123]`, `[123-1]`, `[123:4-1]`, `[123 4 …]`.
fn process(text: &str) -> Option<&str> {
    text.match_indices('[').find_map(|(at, _)| {
        let inside = &text[at + 1..];
        let end = inside.bytes().take_while(u8::is_ascii_digit).count();
        let is_ended = inside[end..].starts_with([']', '-', ':', ' ']);
        (end > 0 && is_ended).then(|| &inside[..end])
    })
}

/// `user=%u,db=%d,app=%a,client=%h`; says whether there was any.
fn read_named<'t>(text: &'t str, entry: &mut Entry<'t>) -> bool {
    let mut found: Vec<(usize, usize, Part)> = Vec::new();
    for (equals, _) in text.match_indices('=') {
        let before = &text[..equals];
        let start = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        let name = &before[start..];
        if let Some((_, part)) = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
            found.push((start, equals + 1, *part));
        }
    }
    for (at, (_, from, part)) in found.iter().enumerate() {
        let to = found.get(at + 1).map_or(text.len(), |(start, ..)| *start);
        let value = text[*from..to].trim_end_matches([' ', ',', ';', '|', ':', ')', '(', '-', '[']);
        // Of the last one only the first word; an application may hold blanks before the next name.
        let is_last = at + 1 == found.len();
        let value = match part {
            Part::Application if !is_last => value,
            _ => value.split([' ', ',']).next().unwrap_or_default(),
        };
        let value = known(value);
        match part {
            Part::Application => entry.application = value.map(Cow::Borrowed),
            Part::User => entry.user = value.map(Cow::Borrowed),
            Part::Database => entry.database = value.map(Cow::Borrowed),
            Part::Session => entry.session = value.map(Cow::Borrowed),
            Part::Process => entry.pid = value.map(Cow::Borrowed),
            Part::Host => {
                let (host, port) = value.map_or((None, None), host_and_port);
                entry.host = host.map(Cow::Borrowed);
                entry.port = port;
            }
        }
    }
    found.iter().any(|(.., part)| matches!(part, Part::User | Part::Database))
}

/// `%u@%d`, with `/%a` behind it. A user may hold an at sign, a database does not.
fn read_user_at_database<'t>(text: &'t str, entry: &mut Entry<'t>) {
    let Some(at) = text.find('@') else { return };
    let is_mark = |c: char| c == ' ' || c == ',' || c == '|' || c == ':' || c == '(';
    let start = text[..at].rfind(is_mark).map_or(0, |mark| mark + 1);
    // `[unknown]` has brackets of its own, `[%u@%d]` is in some.
    let both = &text[start..];
    let is_end = |c: char| c == ' ' || c == ',' || c == '/' || c == ':' || c == '|' || c == ')';
    let end = both.find(is_end).unwrap_or(both.len());
    let Some((user, database)) = both[..end].rsplit_once('@') else { return };
    let bare = |text: &'t str| match text {
        "[unknown]" => None,
        other => known(other.trim_start_matches('[').trim_end_matches(']')),
    };
    entry.user = bare(user).map(Cow::Borrowed);
    entry.database = bare(database).map(Cow::Borrowed);
    let Some(behind) = both[end..].strip_prefix('/') else { return };
    // What is last may be an address: `%u@%d/%a %h `.
    let behind = behind.trim_end();
    let application = match behind.rsplit_once(' ') {
        Some((application, last)) if is_address(last) => application,
        _ => behind,
    };
    entry.application = known(application).map(Cow::Borrowed);
}

/// Words between the marks that prefixes use.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '[', ']', '|', '-', '/']).filter(|word| !word.is_empty())
}

fn read_address<'t>(text: &'t str, entry: &mut Entry<'t>) {
    if text.contains("[local]") {
        entry.host = Some(Cow::Borrowed("[local]"));
        return;
    }
    let parts = text.split([' ', ',', '|', '[', ']']).chain(text.split(':'));
    for word in parts.filter(|word| !word.is_empty()) {
        let (host, port) = host_and_port(word);
        let Some(host) = host else { continue };
        let is_remote = word.ends_with(')') && port.is_some() && !host.contains('@');
        if is_address(host) || is_remote {
            entry.host = Some(Cow::Borrowed(host));
            entry.port = port;
            return;
        }
    }
}

fn is_address(word: &str) -> bool {
    word == "[local]" || word.parse::<IpAddr>().is_ok()
}

/// `%c`: two hexadecimal numbers with a dot between them.
fn is_session(word: &str) -> bool {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    word.split_once('.').is_some_and(|(start, process)| {
        start.len() == 8 && is_hex(start) && is_hex(process) && process.len() <= 8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn prefixes_of_many_kinds() {
        // pid | user | database | host | port | application | session
        for (prefix, expected) in [
            ("2024-05-06 07:08:09.123 UTC [15704] ", "15704||||||"),
            ("2024-05-06 07:08:09.123 CEST [12975-1] [unknown]@[unknown] ", "12975||||||"),
            ("2024-05-06 07:08:09.123 UTC [15722] dba@postgres/psql 127.0.0.1 ", "15722|dba|postgres|127.0.0.1||psql|"),
            ("2024-05-06 07:08:09.123 UTC [1] analyst@shop/Tab?leau / desk@top ::1 ", "1|analyst|shop|::1||Tab?leau / desk@top|"),
            ("2024-05-06 07:08:09.123 UTC [15719] [unknown]@[unknown]/[unknown] 127.0.0.1 ", "15719|||127.0.0.1|||"),
            ("2024-05-06 07:08:09 UTC:10.0.0.9(5432):app@mydb:[12345]:", "12345|app|mydb|10.0.0.9|5432||"),
            ("2024-05-06 07:08:09 UTC::@:[320]:", "320||||||"),
            ("2024-05-06 07:08:09 UTC [7] user=ada,db=shop,app=my app,client=10.1.2.3 ", "7|ada|shop|10.1.2.3||my app|"),
            ("2024-05-06 07:08:09 UTC [7]: [3-1] user=ada,db=shop,app=[unknown],client=[local] ", "7|ada|shop|[local]|||"),
            ("2024-05-06 07:08:09 UTC [7] ada@example.com@shop ", "7|ada@example.com|shop||||"),
            ("[5-1] 2024-05-06 07:08:09 UTC [7] ada@shop ", "7|ada|shop||||"),
            ("2024-05-06 07:08:09 UTC-645a3b2c.1f4-", "||||||645a3b2c.1f4"),
            ("2024-05-06 07:08:09.123 EST [93243 15 639235e1.16c3b] [cloud1 datacenter1 rack1 node1] [127.0.0.1(49823) ysqlsh yugabyte yugabyte] ",
                "93243|||127.0.0.1|49823||639235e1.16c3b"),
            ("1714979289.123 [7] ", "7||||||"),
            ("", "||||||"),
        ] {
            let entry = read(prefix);
            let text = |text: &Option<Cow<'_, str>>| text.clone().unwrap_or_default().into_owned();
            let port = entry.port.map(|port| port.to_string()).unwrap_or_default();
            let found = [text(&entry.pid), text(&entry.user), text(&entry.database), text(&entry.host), port,
                text(&entry.application), text(&entry.session)].join("|");
            assert_eq!(found, expected, "{prefix}");
            assert_eq!(entry.time.is_some(), !prefix.is_empty(), "{prefix}");
        }
    }
}
