//! Passwords and keys in statements: their column shows `***` instead. The raw record keeps the statement as it was.

use dataward_event::audit_event::Text;

/// Words after which a secret stands, in lower case.
const WORDS: [&str; 7] =
    ["password", "passwd", "secret", "identified", "private_key", "master_key", "token"];

/// What takes the place of a secret.
const MASK: &str = "***";

/// The statement with its secrets masked; itself where none is found.
pub(crate) fn masked(text: Text<'_>) -> Text<'_> {
    let lower = text.to_ascii_lowercase();
    let has_word = WORDS.iter().any(|word| lower.contains(word));
    if !has_word && !lower.contains("://") {
        return text;
    }
    let mut secrets: Vec<(usize, usize)> = Vec::new();
    for word in WORDS {
        let found = lower.match_indices(word).map(|(at, _)| at + word.len());
        secrets.extend(found.filter_map(|end| behind(&lower, end)));
    }
    secrets.extend(lower.match_indices("://").filter_map(|(at, _)| in_address(&lower, at + 3)));
    secrets.sort_unstable();
    let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
    for (from, to) in secrets {
        if from >= end && to > from {
            shown.push_str(&text[end..from]);
            shown.push_str(MASK);
            end = to;
        }
    }
    if end == 0 {
        return text;
    }
    shown.push_str(&text[end..]);
    shown.into()
}

/// Where the secret behind a word stands: in quotes, or bare behind an equals sign.
fn behind(lower: &str, word_end: usize) -> Option<(usize, usize)> {
    // The rest of the name: `aws_secret_key`.
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let rest = lower[word_end..].trim_start_matches(name);
    // The end of its quotes in JSON.
    let rest = rest.strip_prefix("\":").or_else(|| rest.strip_prefix("\\\":")).unwrap_or(rest);
    // FOR account, WITH plugin.
    let mut rest = rest.trim_start();
    for word in ["for ", "with "] {
        if let Some(after) = rest.strip_prefix(word) {
            rest = after
                .trim_start()
                .split_once([' ', '='])
                .map_or("", |(named, _)| &after.trim_start()[named.len()..]);
        }
    }
    let rest = rest.trim_start();
    let rest =
        ["by ", "as ", "to "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
    let value = rest.trim_start().trim_start_matches(['=', ':', '(', '\\']).trim_start();
    let is_set = rest.trim_start().starts_with(['=', ':']);
    let from = lower.len() - value.len();
    match value.as_bytes().first()? {
        quote @ (b'\'' | b'"') => {
            let bytes = lower.as_bytes();
            let mut to = from + 1;
            while to < bytes.len() && bytes[to] != *quote {
                to += if bytes[to] == b'\\' { 2 } else { 1 };
            }
            Some((from + 1, lower.floor_char_boundary(to.min(bytes.len()))))
        }
        _ if is_set => {
            let end = value.find(|c: char| c.is_whitespace() || "'\"&;,)}".contains(c));
            Some((from, from + end.unwrap_or(value.len())))
        }
        _ => None,
    }
}

/// The password of `scheme://user:password@host`.
fn in_address(lower: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &lower[at..];
    let end = rest.find(|c: char| c.is_whitespace() || "'\"/".contains(c)).unwrap_or(rest.len());
    let host = rest[..end].rfind('@')?;
    let colon = rest[..host].find(':')?;
    Some((at + colon + 1, at + host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::borrow::Cow;

    fn shown(text: &str) -> String {
        masked(Cow::Borrowed(text)).into_owned()
    }

    #[test]
    fn secrets_are_masked() {
        for (statement, expected) in [
            ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD '***'"),
            ("SET PASSWORD = 'hunter2'", "SET PASSWORD = '***'"),
            ("SET PASSWORD FOR ada = 'hunter2'", "SET PASSWORD FOR ada = '***'"),
            (
                "CHANGE MASTER TO MASTER_PASSWORD='hunter2', x=1",
                "CHANGE MASTER TO MASTER_PASSWORD='***', x=1",
            ),
            (
                "GRANT ALL ON *.* TO a IDENTIFIED BY \"hunter2\"",
                "GRANT ALL ON *.* TO a IDENTIFIED BY \"***\"",
            ),
            (
                "CREATE USER a IDENTIFIED WITH x BY 'hun\\'ter2' y",
                "CREATE USER a IDENTIFIED WITH x BY '***' y",
            ),
            (
                "COPY INTO x CREDENTIALS=(AWS_SECRET_KEY='hunter2')",
                "COPY INTO x CREDENTIALS=(AWS_SECRET_KEY='***')",
            ),
            (r#"{"password":"hunter2","x":1}"#, r#"{"password":"***","x":1}"#),
            (
                "CONNECTION 'host=h password=hunter2 user=u'",
                "CONNECTION 'host=h password=*** user=u'",
            ),
            ("CONNECTION 'postgresql://u:hunter2@h/x'", "CONNECTION 'postgresql://u:***@h/x'"),
        ] {
            assert_eq!(shown(statement), expected);
        }
        for statement in [
            "SELECT password FROM users WHERE name = 'ada'",
            "SELECT 1",
            "SELECT 'https://example.com/x'",
        ] {
            assert_eq!(shown(statement), statement);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_shown(text in "(password|secret|identified by|://|'|\"|=|@|:|é|a| |\\\\){0,24}") {
            let _ = shown(&text);
        }
    }
}
