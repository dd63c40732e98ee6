//! What a statement is made from, told by its words: clones, templates, servers that are followed.

use crate::act::Act;

/// `CREATE DATABASE` or `DROP DATABASE`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OfDatabase {
    pub(crate) name: String,
    /// PostgreSQL's `TEMPLATE`.
    pub(crate) template: Option<String>,
    pub(crate) is_made: bool,
}

impl OfDatabase {
    /// What that is, where it surely happened.
    pub(crate) fn act(&self) -> Act {
        if self.is_made { Act::ENTITY_CREATE } else { Act::ENTITY_DELETE }
    }
}

/// The words of a text of one statement, without quotes; of several statements none.
fn words(text: &str) -> Vec<&str> {
    const WORDS_MAX: usize = 64;
    let text = text.trim().trim_end_matches(';');
    if text.contains(';') {
        return Vec::new();
    }
    let is_between = |c: char| c.is_whitespace() || matches!(c, '=' | ',' | '(' | ')');
    let words = text.split(is_between).filter(|word| !word.is_empty());
    words.map(|word| word.trim_matches(['"', '\'', '`'])).take(WORDS_MAX).collect()
}

/// Whether a text begins with a word, in whatever case: the only one of these questions that most statements are asked.
fn begins(text: &str, word: &str) -> bool {
    let start = text.trim_start().get(..word.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn is(word: Option<&&str>, wanted: &str) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
}

/// Reads a statement that surely makes or ends a whole database, which the product calls by one of `nouns`;
/// `IF NOT EXISTS` may do nothing.
pub(crate) fn of_database(text: &str, nouns: &[&str]) -> Option<OfDatabase> {
    if !begins(text, "CREATE") && !begins(text, "DROP") {
        return None;
    }
    let words = words(text);
    let is_noun = |word: &&str| nouns.iter().any(|noun| word.eq_ignore_ascii_case(noun));
    // Elsewhere it is somebody's name.
    let is_between =
        |word: &&str| ["OR", "REPLACE", "TRANSIENT"].iter().any(|other| is(Some(word), other));
    let at = 1 + words.iter().skip(1).take_while(|word| is_between(word)).count();
    words.get(at).filter(|word| is_noun(word))?;
    let is_made = is(words.first(), "CREATE");
    if !is_made && !is(words.first(), "DROP") {
        return None;
    }
    let rest = match words.get(at + 1..)? {
        [first, second, rest @ ..]
            if !is_made && is(Some(first), "IF") && is(Some(second), "EXISTS") =>
        {
            rest
        }
        rest => rest,
    };
    let is_name = |name: &&&str| {
        !name.starts_with("/*") && !["IF", "ROLE", "LINK"].iter().any(|word| is(Some(name), word))
    };
    let name = rest.first().filter(is_name)?;
    let template = rest.iter().position(|word| word.eq_ignore_ascii_case("TEMPLATE"));
    let template = template.and_then(|at| rest.get(at + 1)).map(|word| (*word).to_owned());
    Some(OfDatabase { name: (*name).to_owned(), template, is_made })
}

/// `CREATE kind name CLONE origin`: the kind in upper case, the name, the origin.
pub(crate) fn clone(text: &str) -> Option<(String, String, String)> {
    if !begins(text, "CREATE") {
        return None;
    }
    let words = words(text);
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("CLONE"))?;
    let kinds = ["DATABASE", "SCHEMA", "TABLE"];
    let kind = words[..at].iter().map(|word| word.to_ascii_uppercase());
    let kind = kind.into_iter().find(|word| kinds.contains(&word.as_str()))?;
    let is_depth = |word: &&&str| is(Some(word), "DEEP") || is(Some(word), "SHALLOW");
    let mut before = words[..at].iter().rev();
    let name = before.next()?;
    // Databricks says how deep.
    let name = if is_depth(&name) { before.next()? } else { name };
    Some((kind, (*name).to_owned(), (*words.get(at + 1)?).to_owned()))
}

/// The account and the database of Snowflake's `CREATE DATABASE … AS REPLICA OF organization.account.database`.
pub(crate) fn replica(text: &str) -> Option<(String, String)> {
    if !begins(text, "CREATE") {
        return None;
    }
    let words = words(text);
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("REPLICA"))?;
    let mut parts = words.get(at + 2).filter(|_| is(words.get(at + 1), "OF"))?.rsplit('.');
    let (database, account) = (parts.next()?, parts.next()?);
    let is_named = !database.is_empty() && !account.is_empty();
    is_named.then(|| (account.to_owned(), database.to_owned()))
}

/// The host that MySQL's `CLONE INSTANCE FROM user@host:port` and `CHANGE REPLICATION SOURCE TO …` name.
pub(crate) fn source_host(text: &str) -> Option<String> {
    if !begins(text, "CLONE") && !begins(text, "CHANGE") {
        return None;
    }
    let words = words(text);
    if is(words.first(), "CLONE") && is(words.get(1), "INSTANCE") && is(words.get(2), "FROM") {
        let (_, host) = words.get(3)?.rsplit_once('@')?;
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        return Some(host.trim_matches(['"', '\'', '`']).to_owned())
            .filter(|host| !host.is_empty());
    }
    if !is(words.first(), "CHANGE") {
        return None;
    }
    let names = ["SOURCE_HOST", "MASTER_HOST"];
    let at =
        words.iter().position(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)))?;
    Some((*words.get(at + 1)?).to_owned()).filter(|host| !host.is_empty())
}

/// The host and the database of a connection text of PostgreSQL: `host=a dbname=b`, `postgresql://user@a:1/b`.
pub(crate) fn connection(text: &str) -> Option<(String, Option<String>)> {
    if let Some((_, rest)) = text.split_once("://") {
        let place = rest.split(['?', '#']).next().unwrap_or_default();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let (host, database) = place.split_once('/').unwrap_or((place, ""));
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let database = Some(database.to_owned()).filter(|name| !name.is_empty());
        return Some((host.to_owned(), database)).filter(|(host, _)| !host.is_empty());
    }
    let value = |wanted: &str| {
        let parts = text.split_whitespace().filter_map(|part| part.split_once('='));
        let found = parts.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted));
        found
            .map(|(_, value)| value.trim_matches('\'').to_owned())
            .filter(|value| !value.is_empty())
    };
    Some((value("host").or_else(|| value("hostaddr"))?, value("dbname")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_read() {
        let of_database = |text: &str| of_database(text, &["DATABASE"]);
        let made = of_database("CREATE DATABASE \"copy\" WITH TEMPLATE = shop;");
        let (name, template) = ("copy".to_owned(), Some("shop".to_owned()));
        assert_eq!(made, Some(OfDatabase { name, template, is_made: true }));
        let gone = of_database("drop database if exists shop");
        let name = "shop".to_owned();
        assert_eq!(gone, Some(OfDatabase { name, template: None, is_made: false }));
        assert_eq!(of_database("CREATE DATABASE IF NOT EXISTS a"), None);
        assert_eq!(of_database("CREATE DATABASE a; DROP DATABASE b"), None);
        assert_eq!(of_database("CREATE SCHEMA a"), None);
        assert_eq!(of_database("CREATE ROLE database LOGIN"), None);
        assert_eq!(of_database("CREATE DATABASE /*!32312 IF NOT EXISTS*/ a"), None);
        assert!(of_database("CREATE OR REPLACE TRANSIENT DATABASE a").is_some());
        let replica = |text: &str| replica(text).map(|(account, name)| format!("{account} {name}"));
        let found = replica("CREATE DATABASE d AS REPLICA OF org.acct.shop");
        assert_eq!(found.as_deref(), Some("acct shop"));
        assert_eq!(replica("CREATE DATABASE replica"), None);
        let all = |found: (String, String, String)| [found.0, found.1, found.2].join(" ");
        let found = clone("create or replace table a.b.c clone d.e.f").map(all);
        assert_eq!(found.as_deref(), Some("TABLE a.b.c d.e.f"));
        assert_eq!(clone("CREATE TABLE c AS SELECT 1").map(all), None);
        let deep = clone("CREATE TABLE a.b.c DEEP CLONE d.e.f").map(all);
        assert_eq!(deep.as_deref(), Some("TABLE a.b.c d.e.f"));
        let host = |text: &str| source_host(text).unwrap_or_default();
        assert_eq!(host("CLONE INSTANCE FROM 'u'@'db1':3306 IDENTIFIED BY 'x'"), "db1");
        assert_eq!(host("CHANGE REPLICATION SOURCE TO SOURCE_HOST='db1', SOURCE_PORT=1"), "db1");
        assert_eq!(host("SELECT 1"), "");
        let uri = connection("postgresql://u:p@db1:5432/shop?sslmode=require");
        assert_eq!(uri, Some(("db1".to_owned(), Some("shop".to_owned()))));
        assert_eq!(connection("host=db1 port=1"), Some(("db1".to_owned(), None)));
        assert_eq!(connection("service=x"), None);
    }
}
