//! Commands that are run inside a pod: they stand in the address of the request.

use super::event::Event;

/// Programs that write out all that a datastore holds.
const DUMPS: [&str; 14] = [
    "pg_dump",
    "pg_dumpall",
    "pg_basebackup",
    "mysqldump",
    "mysqlpump",
    "mydumper",
    "mariadb-dump",
    "mariabackup",
    "xtrabackup",
    "mongodump",
    "mongoexport",
    "elasticdump",
    "sqlpackage",
    "clickhouse-backup",
];

/// The command of `pods/exec`, its words joined by blanks.
pub(super) fn command(event: &Event<'_>) -> Option<String> {
    let object = &event.object.fields;
    if object.resource.as_str() != Some("pods") || object.subresource.as_str() != Some("exec") {
        return None;
    }
    let (_, query) = event.uri.as_str()?.split_once('?')?;
    let words = query.split('&').filter_map(|pair| pair.strip_prefix("command="));
    let words: Vec<String> = words.map(decoded).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Whether a command takes data out: a dump, or the archive that `kubectl cp` asks for.
pub(super) fn takes_data_out(command: &str) -> bool {
    let words: Vec<&str> =
        command.split(|c: char| c.is_whitespace() || matches!(c, '|' | ';' | '"' | '\'')).collect();
    let names = words.iter().map(|word| word.rsplit('/').next().unwrap_or(word));
    let is_dump = names.clone().any(|name| DUMPS.contains(&name));
    let is_redis_dump = names.clone().any(|name| matches!(name, "redis-cli" | "valkey-cli"))
        && words.iter().any(|word| matches!(*word, "--rdb" | "--functions-rdb"));
    let is_copy = command.starts_with("tar cf - ") || command.starts_with("tar -cf - ");
    is_dump || is_redis_dump || is_copy
}

/// A text whose bytes may be written as `%2F`, and blanks as `+`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let value = std::str::from_utf8(&digits).ok();
                match value.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = after;
                    }
                    None => bytes.push(b'%'),
                }
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
