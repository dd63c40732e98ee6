//! `redis.monitor`: lines of Redis' MONITOR, `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`.
//!
//! Redis leaves administration out of them, but servers that speak its protocol, and proxies, do not all.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Client, Datastore, DatastoreForm, Outcome, Text};
use dataward_event::change::{Change, Direction};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::volume::{ObjectCount, ReadScope};

use crate::act::Act;
use crate::catalogue_rows::redis as rows;
use crate::changes::{Changes, PlaceOf, kind_with};
use crate::container::Fault;
use crate::lenient::bounded_statement;
use crate::source::{Place, Source};
use crate::time_text;

/// The parts of a line.
struct Line<'a> {
    time: &'a str,
    database: &'a str,
    client: &'a str,
    arguments: &'a str,
}

fn parts(line: &str) -> Option<Line<'_>> {
    let line = line.strip_prefix('+').unwrap_or(line);
    let (time, rest) = line.split_once(" [")?;
    let is_time = time.split_once('.').is_some_and(|(seconds, micros)| {
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number(seconds) && is_number(micros)
    });
    // An address of IPv6 has brackets of its own.
    let end = rest.find("] \"")?;
    let (database, client) = rest[..end].split_once(' ')?;
    let arguments = &rest[end + 2..];
    is_time.then_some(Line { time, database, client, arguments })
}

/// Whether a line is of this log.
pub(crate) fn is_line(line: &str) -> bool {
    parts(line).is_some()
}

/// The quoted arguments, at most so many.
fn arguments(text: &str, limit: usize) -> Vec<Text<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while found.len() < limit
        && let Some(quoted) = rest.trim_start().strip_prefix('"')
    {
        let bytes = quoted.as_bytes();
        let mut end = 0;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        // An escape may be the last thing of a line that was cut.
        let Some(argument) = quoted.get(..end.min(quoted.len())) else { break };
        found.push(if argument.contains('\\') {
            Cow::Owned(argument.replace("\\\"", "\"").replace("\\\\", "\\"))
        } else {
            Cow::Borrowed(argument)
        });
        rest = quoted.get(end + 1..).unwrap_or_default();
    }
    found
}

/// Reads one line.
///
/// # Errors
/// It is no line of MONITOR, or only its greeting.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    if text == "OK" || text == "+OK" {
        return Err(Fault::no_event("the greeting of MONITOR"));
    }
    let Some(line) = parts(text) else {
        return Err(Fault::shape(
            "expected a line of MONITOR: seconds, [database client], \"command\" …",
        ));
    };
    let arguments = arguments(line.arguments, OBJECTS_PER_EVENT_MAX);
    let command = arguments.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let second = arguments.get(1).map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    let operation = match &*command {
        "CONFIG" | "ACL" | "MODULE" | "CLIENT" | "SCRIPT" | "CLUSTER" | "MEMORY" | "OBJECT" => {
            format!("{command} {second}")
        }
        _ => command.clone(),
    };
    let time = time_text::parse_epoch_seconds(line.time);
    let mut event = place.event(Source::RedisMonitor, text, None, time, operation)?;
    // A command that is refused is not shown.
    event.outcome = Outcome::Success;
    event.service = Some(Cow::Borrowed("redis"));
    event.client = client(line.client);
    event.datastore = Some(datastore(place.server(), line.database, &command));
    let (act, scope, keys) = meaning(&command, &arguments);
    act.put(&mut event);
    event.read_scope = scope;
    event.objects = keys;
    if act == Act::READ && !event.objects.is_empty() {
        event.volume.objects = Some(ObjectCount(event.objects.len() as u64));
    }
    event.changes = changes(&command, &second, &arguments, line.database);
    event.kind = kind_with(event.kind, &event.changes);
    // Values that are written are data, not statements; and a password is nobody's business.
    let holds_secret = matches!(&*command, "AUTH" | "HELLO" | "CONFIG" | "ACL" | "MIGRATE");
    if act != Act::WRITE && !holds_secret {
        event.statement = Some(bounded_statement(Cow::Borrowed(line.arguments)));
    }
    Ok(event)
}

/// `192.0.2.7:60866`, `[2001:db8::7]:60866`, `unix:/path`, `lua`.
fn client(text: &str) -> Client<'_> {
    if text.starts_with("unix:") || !text.contains(':') {
        return Client { domain: Some(Cow::Borrowed(text)), ..Client::default() };
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Client { ip: Some(Cow::Borrowed(host)), port: port.parse().ok(), ..Client::default() }
}

/// The database by its number; what is set for the whole server is the server's.
fn datastore(server: &str, database: &str, command: &str) -> Datastore<'static> {
    let is_of_server = matches!(
        command,
        "CONFIG"
            | "ACL"
            | "MODULE"
            | "REPLICAOF"
            | "SLAVEOF"
            | "SYNC"
            | "PSYNC"
            | "BGSAVE"
            | "SAVE"
            | "FLUSHALL"
    );
    let uid = if is_of_server {
        format!("redis://{server}")
    } else {
        format!("redis://{server}/{database}")
    };
    Datastore {
        name: Some(Cow::Owned(uid.trim_start_matches("redis://").to_owned())),
        uid: Cow::Owned(uid),
        resource_type: Some(Cow::Borrowed("Redis database")),
        form: DatastoreForm::Database,
    }
}

fn meaning<'a>(command: &str, arguments: &[Text<'a>]) -> (Act, Option<ReadScope>, Vec<Text<'a>>) {
    let first = || arguments.get(1).cloned().into_iter().collect::<Vec<_>>();
    let all = || arguments.iter().skip(1).cloned().collect::<Vec<_>>();
    let is_all = |at: usize| arguments.get(at).is_some_and(|argument| argument == "*");
    match command {
        "GET" | "GETRANGE" | "STRLEN" | "HGET" | "HMGET" | "LINDEX" | "SISMEMBER" | "ZSCORE"
        | "ZRANGEBYSCORE" | "XREVRANGE" | "SRANDMEMBER" | "GETBIT" | "HEXISTS" | "JSON.GET"
        | "GETEX" => (Act::READ, Some(ReadScope::Part), first()),
        "MGET" | "SUNION" | "SINTER" | "SDIFF" | "JSON.MGET" => {
            (Act::READ, Some(ReadScope::Part), all())
        }
        "HGETALL" | "HVALS" | "HKEYS" | "SMEMBERS" | "HSCAN" | "SSCAN" | "ZSCAN" => {
            (Act::READ, Some(ReadScope::Whole), first())
        }
        "LRANGE" | "ZRANGE" | "XRANGE" => {
            let ends = (arguments.get(2).map(|end| &**end), arguments.get(3).map(|end| &**end));
            let is_all = matches!(ends, (Some("0"), Some("-1")) | (Some("-"), Some("+")));
            let is_all = is_all && arguments.len() == 4;
            let scope = if is_all { ReadScope::Whole } else { ReadScope::Part };
            (Act::READ, Some(scope), first())
        }
        "DUMP" => (Act::READ, Some(ReadScope::Export), first()),
        "MIGRATE" => (Act::READ, Some(ReadScope::Export), migrated(arguments)),
        "XREAD" | "XREADGROUP" => (Act::READ, Some(ReadScope::Part), streams(arguments)),
        "SYNC" | "PSYNC" => (Act::READ, Some(ReadScope::Export), Vec::new()),
        "KEYS" => (Act::LIST, is_all(1).then_some(ReadScope::Whole), first()),
        "SCAN" => (Act::LIST, None, Vec::new()),
        "EXISTS" | "TYPE" | "TTL" | "PTTL" | "DBSIZE" | "INFO" | "RANDOMKEY" | "OBJECT"
        | "MEMORY" => (Act::LIST, None, Vec::new()),
        "DEL" | "UNLINK" | "GETDEL" => (Act::DELETE, None, all()),
        "FLUSHALL" | "FLUSHDB" => (Act::DELETE, None, Vec::new()),
        "AUTH" | "HELLO" => (Act::LOGON, None, Vec::new()),
        "CONFIG" | "ACL" | "MODULE" | "REPLICAOF" | "SLAVEOF" => (Act::CONFIG, None, Vec::new()),
        "SET" | "MSET" | "SETEX" | "PSETEX" | "SETNX" | "APPEND" | "INCR" | "INCRBY" | "DECR"
        | "HSET" | "HMSET" | "HDEL" | "LPUSH" | "RPUSH" | "LPOP" | "RPOP" | "SADD" | "SREM"
        | "ZADD" | "ZREM" | "XADD" | "EXPIRE" | "PEXPIRE" | "RENAME" | "RESTORE" | "COPY"
        | "JSON.SET" | "GETSET" => (Act::WRITE, None, first()),
        _ => (Act::OTHER, None, Vec::new()),
    }
}

/// The keys of `MIGRATE host port key|"" database timeout [COPY] [REPLACE] [AUTH …] [KEYS key …]`.
fn migrated<'a>(arguments: &[Text<'a>]) -> Vec<Text<'a>> {
    let one = arguments.get(3).filter(|key| !key.is_empty());
    let keys = arguments.iter().position(|argument| argument.eq_ignore_ascii_case("KEYS"));
    let many = keys.map_or(&[][..], |at| &arguments[at + 1..]);
    one.into_iter().chain(many).cloned().collect()
}

/// The streams of `XREAD [COUNT n] [BLOCK ms] STREAMS key … id …`: half of what follows.
fn streams<'a>(arguments: &[Text<'a>]) -> Vec<Text<'a>> {
    let at = arguments.iter().position(|argument| argument.eq_ignore_ascii_case("STREAMS"));
    let rest = at.map_or(&[][..], |at| &arguments[at + 1..]);
    rest[..rest.len() / 2].to_vec()
}

fn changes(
    command: &str,
    second: &str,
    arguments: &[Text<'_>],
    database: &str,
) -> Vec<Change<'static>> {
    let mut changes = Changes::default();
    match (command, second) {
        ("CONFIG", "SET") => {
            for pair in arguments[2..].chunks(2) {
                if let [name, value] = pair {
                    config(&name.to_ascii_lowercase(), value, &mut changes);
                }
            }
        }
        ("ACL", "SETUSER") => {
            let Some(user) = arguments.get(2) else { return changes.into_vec() };
            set_user(user, &arguments[3..], &mut changes);
        }
        // The file replaces every user at once, and says none of them.
        ("ACL", "LOAD") => {
            changes.push(&rows::ACL_FILE, Direction::Unknown, "users");
        }
        ("ACL", "DELUSER") => {
            for user in &arguments[2..] {
                changes.strengthened(&rows::USER_OPEN, user.to_string());
                changes.strengthened(&rows::USER_OPEN, format!("{user} all rights"));
            }
        }
        ("REPLICAOF" | "SLAVEOF", _) => {
            let to = arguments[1..].join(" ");
            if to.eq_ignore_ascii_case("no one") {
                changes.whole(&rows::REPLICA, []);
            } else {
                changes.whole(&rows::REPLICA, [to]);
                if let Some(host) = arguments.get(1) {
                    changes.copy_from(format!("redis://{host}"), PlaceOf::default());
                }
            }
        }
        ("MIGRATE", _) => {
            if let (Some(host), Some(number)) = (arguments.get(1), arguments.get(4)) {
                changes.copy_to(format!("redis://{host}/{number}"), PlaceOf::default());
            }
        }
        ("MODULE", "LOAD" | "LOADEX") => {
            let module = arguments.get(2).map(|module| module.to_string()).unwrap_or_default();
            changes.weakened(&rows::MODULE, module);
        }
        ("FLUSHALL", _) => {
            changes.weakened(&rows::FLUSHED, "all databases");
        }
        ("FLUSHDB", _) => {
            changes.weakened(&rows::FLUSHED, format!("database {database}"));
        }
        _ => {}
    }
    changes.into_vec()
}

/// The rules of a user are applied in their order: of two that contradict one another the later one counts.
fn set_user(user: &str, rules: &[Text<'_>], changes: &mut Changes) {
    let (mut is_on, mut needs_password) = (None, None);
    let (mut has_keys, mut has_commands) = (None, None);
    for rule in rules {
        match &*rule.to_ascii_lowercase() {
            "on" => is_on = Some(true),
            "off" => is_on = Some(false),
            "nopass" => needs_password = Some(false),
            "resetpass" => needs_password = Some(true),
            "~*" | "allkeys" => has_keys = Some(true),
            "resetkeys" => has_keys = Some(false),
            "+@all" | "allcommands" => has_commands = Some(true),
            "-@all" | "nocommands" => has_commands = Some(false),
            "reset" => {
                (is_on, needs_password) = (Some(false), Some(true));
                (has_keys, has_commands) = (Some(false), Some(false));
            }
            // A password, or the hash of one, ends that none is needed.
            other if other.starts_with(['>', '#']) => needs_password = Some(true),
            _ => {}
        }
    }
    let is_off = is_on == Some(false);
    if is_off || needs_password.is_some() {
        let is_weak = !is_off && needs_password == Some(false);
        changes.flag(&rows::USER_OPEN, is_weak, user.to_owned());
    }
    let is_narrowed = is_off || has_keys == Some(false) || has_commands == Some(false);
    // Whoever exists is mostly on already.
    let has_all = !is_off && has_keys == Some(true) && has_commands == Some(true);
    if is_narrowed || has_all {
        changes.flag(&rows::USER_OPEN, has_all && !is_narrowed, format!("{user} all rights"));
    }
}

fn config(name: &str, value: &str, changes: &mut Changes) {
    match name {
        "protected-mode" => {
            changes.flag(&rows::PROTECTED_MODE, value.eq_ignore_ascii_case("no"), "protected-mode");
        }
        "requirepass" => {
            // The password itself is nobody's business.
            changes.flag(&rows::PASSWORD, value.is_empty(), "requirepass");
        }
        "bind" => {
            let is_open = value.split_whitespace().any(|address| {
                matches!(address.trim_start_matches('-'), "0.0.0.0" | "*" | "::" | "::*")
            });
            changes.flag(&rows::BIND, is_open || value.is_empty(), "bind");
        }
        "tls-port" => {
            changes.flag(&rows::TLS, value == "0", "tls-port");
        }
        "tls-replication" | "tls-cluster" => {
            changes.flag(&rows::TLS, value.eq_ignore_ascii_case("no"), name.to_owned());
        }
        "tls-protocols" => {
            let mut protocols = value.split_whitespace();
            let is_old = protocols.any(|protocol| {
                ["TLSv1", "TLSv1.1"].iter().any(|old| protocol.eq_ignore_ascii_case(old))
            });
            changes.flag(&rows::TLS, is_old, "tls-protocols").after =
                Some(Cow::Owned(value.to_owned()));
        }
        "acl-pubsub-default" => {
            let is_open = value.eq_ignore_ascii_case("allchannels");
            changes.flag(&rows::WRITE_PATH, is_open, name.to_owned());
        }
        "tls-auth-clients" => {
            changes.flag(&rows::TLS, value.eq_ignore_ascii_case("no"), "tls-auth-clients");
        }
        "save" => {
            changes.flag(&rows::PERSISTENCE, value.is_empty(), "save");
        }
        "appendonly" => {
            changes.flag(&rows::PERSISTENCE, value.eq_ignore_ascii_case("no"), "appendonly");
        }
        "dir" | "dbfilename" => {
            changes.weakened(&rows::WRITE_PATH, name.to_owned()).after =
                Some(Cow::Owned(value.to_owned()));
        }
        "enable-debug-command" | "enable-protected-configs" | "enable-module-command" => {
            changes.flag(&rows::WRITE_PATH, !value.eq_ignore_ascii_case("no"), name.to_owned());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_unquoted() {
        assert_eq!(arguments(r#""a" "b \"c\"" """#, 9), ["a", "b \"c\"", ""]);
        assert_eq!(arguments(r#""cut \"#, 9), [r"cut \"]);
        assert!(is_line(r#"1339518083.107412 [0 127.0.0.1:60866] "keys" "*""#));
        assert!(!is_line("2024-05-06 07:08:09.123 UTC [7] LOG:  x"));
    }

    #[test]
    fn keys_stand_where_their_command_puts_them() {
        let told = |line: &str| {
            let arguments = arguments(line, 99);
            let command = arguments[0].to_ascii_uppercase();
            let (_, scope, keys) = meaning(&command, &arguments);
            (scope, keys.join(" "))
        };
        let (part, whole) = (Some(ReadScope::Part), Some(ReadScope::Whole));
        assert_eq!(told(r#""lrange" "list" "0" "-1""#), (whole, "list".to_owned()));
        assert_eq!(told(r#""lrange" "list" "0" "9""#), (part, "list".to_owned()));
        assert_eq!(told(r#""xrange" "s" "-" "+""#), (whole, "s".to_owned()));
        assert_eq!(
            told(r#""xread" "COUNT" "2" "STREAMS" "a" "b" "0" "0""#),
            (part, "a b".to_owned())
        );
        let export = Some(ReadScope::Export);
        assert_eq!(told(r#""migrate" "203.0.113.9" "6379" "k" "0" "9""#), (export, "k".to_owned()));
        let many = r#""migrate" "203.0.113.9" "6379" "" "0" "9" "KEYS" "a" "b""#;
        assert_eq!(told(many), (export, "a b".to_owned()));
    }
}
