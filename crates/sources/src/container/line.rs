//! What stands before an event in its line: syslog's header, a container runtime's.

use dataward_event::time::EventTime;

use crate::time_text;

/// A line without what stood before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stripped<'t> {
    /// The rest.
    pub(super) rest: &'t str,
    /// When it was logged, where the header says it with its year and zone.
    pub(super) time: Option<EventTime>,
    /// The host that logged it.
    pub(super) host: Option<&'t str>,
}

/// Takes a header off a line; `None` if there is none that is known.
pub(super) fn strip(line: &str) -> Option<Stripped<'_>> {
    if let Some(after_priority) = priority(line) {
        return Some(
            rfc_5424(after_priority)
                .or_else(|| rfc_3164(after_priority))
                .or_else(|| without_colon(after_priority))
                .unwrap_or(Stripped { rest: after_priority, time: None, host: None }),
        );
    }
    container_runtime(line).or_else(|| rfc_3164(line))
}

/// What follows `<134>`.
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    let is_priority = (1..=3).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && number.parse::<u16>().is_ok_and(|number| number <= 191);
    is_priority.then_some(rest)
}

fn word(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ').filter(|(word, _)| !word.is_empty())
}

/// `1 2024-05-06T07:08:09Z host app 123 id [data] message`; `-` stands for what is not known.
fn rfc_5424(text: &str) -> Option<Stripped<'_>> {
    let (time, rest) = word(text.strip_prefix("1 ")?)?;
    let (host, rest) = word(rest)?;
    let (_application, rest) = word(rest)?;
    let (_process, rest) = word(rest)?;
    let (_message_id, rest) = word(rest)?;
    let rest = structured_data(rest)?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    Some(Stripped {
        rest: rest.trim_start_matches('\u{feff}'),
        time: EventTime::parse_rfc3339(time),
        host: Some(host).filter(|host| *host != "-"),
    })
}

/// What follows `-` or `[id name="value"][…]`.
fn structured_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let mut rest = text;
    while rest.starts_with('[') {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = rest.bytes().position(|byte| {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = is_quoted,
                b'"' => is_quoted = !is_quoted,
                b']' => return !is_quoted,
                _ => {}
            }
            false
        })?;
        rest = &rest[end + 1..];
    }
    (rest.len() < text.len()).then_some(rest)
}

/// `May  6 07:08:09 host tag[123]: message`, also with a time of RFC 3339. The old form names neither year nor zone, so it
/// dates nothing.
fn rfc_3164(text: &str) -> Option<Stripped<'_>> {
    let (time, rest) = match bsd_time(text) {
        Some(rest) => (None, rest),
        None => {
            let (time, rest) = word(text)?;
            (Some(EventTime::parse_rfc3339(time)?), rest)
        }
    };
    let (host, rest) = word(rest)?;
    let (tag, message) = rest.split_once(':')?;
    let is_tag = !tag.is_empty()
        && tag.len() <= 48
        && tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'{' && byte != b'"');
    is_tag.then(|| Stripped {
        rest: message.strip_prefix(' ').unwrap_or(message),
        time,
        host: Some(host),
    })
}

/// `May  6 07:08:09 host tag message`: a tag that was configured without its colon.
fn without_colon(text: &str) -> Option<Stripped<'_>> {
    let (host, rest) = word(bsd_time(text)?)?;
    let (tag, rest) = word(rest)?;
    let is_tag = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./[]".contains(&byte));
    is_tag.then_some(Stripped { rest, time: None, host: Some(host) })
}

/// What follows `May  6 07:08:09 `.
fn bsd_time(text: &str) -> Option<&str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let bytes = text.as_bytes();
    let has_month = MONTHS.contains(&text.get(..3)?);
    let is_time = bytes.len() > 16
        && bytes[3] == b' '
        && (bytes[4] == b' ' || bytes[4].is_ascii_digit())
        && bytes[5].is_ascii_digit()
        && bytes[6] == b' '
        && bytes[9] == b':'
        && bytes[12] == b':'
        && bytes[15] == b' ';
    (has_month && is_time).then(|| text.get(16..))?
}

/// `2024-05-06T07:08:09.123456789Z stdout F message`, as the container runtimes of Kubernetes write it.
fn container_runtime(text: &str) -> Option<Stripped<'_>> {
    let (time, rest) = word(text)?;
    let rest = rest.strip_prefix("stdout ").or_else(|| rest.strip_prefix("stderr "))?;
    let rest = rest.strip_prefix("F ").or_else(|| rest.strip_prefix("P "))?;
    Some(Stripped { rest, time: Some(time_text::parse(time)?), host: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(line: &str) -> Option<(&str, bool, Option<&str>)> {
        strip(line).map(|found| (found.rest, found.time.is_some(), found.host))
    }

    #[test]
    fn headers_are_taken_off() {
        for (line, expected) in [
            (
                "<134>1 2024-05-06T07:08:09Z db1 postgres 12 - - LOG:  x",
                ("LOG:  x", true, Some("db1")),
            ),
            (r#"<13>1 - - mysqld - - [a@1 b="x ] \" y"][c] {"a":1}"#, (r#"{"a":1}"#, false, None)),
            ("<13>May  6 07:08:09 db1 mongod[7]: {\"a\":1}", ("{\"a\":1}", false, Some("db1"))),
            (
                "May 16 07:08:09 db1 mysql-server_auditing: db1,root",
                ("db1,root", false, Some("db1")),
            ),
            (
                "2024-05-06T07:08:09.1+02:00 db1 postgres[3]: LOG:  x",
                ("LOG:  x", true, Some("db1")),
            ),
            ("2024-05-06T07:08:09.123456789Z stderr F text here", ("text here", true, None)),
            ("<13>May  6 07:08:09 db1 postgres 2024-05-06", ("2024-05-06", false, Some("db1"))),
            ("<13>only text", ("only text", false, None)),
        ] {
            assert_eq!(stripped(line), Some(expected), "{line}");
        }
        for line in [
            "2024-05-06 07:08:09.123 UTC [7] LOG:  x",
            "<AUDIT_RECORD TIMESTAMP=\"x\"/>",
            "<999>x",
            "May flowers: x",
            "1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"",
            "",
        ] {
            assert_eq!(stripped(line), None, "{line}");
        }
    }
}
