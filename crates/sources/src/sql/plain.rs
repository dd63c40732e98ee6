//! The commonest statement, read without tokens and tree: `SELECT columns FROM tables WHERE column = 'x' AND … LIMIT n`.
//!
//! It is taken only where every word is one that no dialect knows, so that all of them read it alike; the rest is left to
//! the parser. That both say the same is tested on generated statements.

use std::borrow::Cow;

use dataward_event::volume::ReadScope;
use sqlparser::keywords::ALL_KEYWORDS;

use super::command::Command;
use super::statement::Statement;
use crate::act::Act;

/// Columns, tables and conditions, each.
const ITEMS_MAX: usize = 32;

/// Words of the grammar that are names all the same, wherever a name stands.
#[rustfmt::skip]
const NAMES: [&str; 13] = [
    "ACCOUNT", "DATA", "ID", "LOCATION", "NAME", "OWNER", "PUBLIC", "REGION", "STATUS", "TYPE", "URL", "VALUE", "VERSION",
];

/// The names of no table.
const NO_TABLES: [&str; 1] = ["dual"];

/// Reads a statement; `None` where it is not as plain as that.
pub(super) fn read(text: &str) -> Option<Statement> {
    let mut rest = Rest(text.trim_start_matches(BLANKS));
    rest.word("SELECT")?;
    rest.listed(|rest| rest.symbol("*").or_else(|| rest.name().map(|_| ())))?;
    rest.word("FROM")?;
    let mut tables = Vec::new();
    rest.listed(|rest| rest.name().map(|name| tables.push(name)))?;
    if tables.iter().any(|table| NO_TABLES.iter().any(|none| table.eq_ignore_ascii_case(none))) {
        return None;
    }
    let mut is_whole = tables.len() == 1;
    if rest.word("WHERE").is_some() {
        is_whole = false;
        rest.conditions()?;
    }
    if rest.word("LIMIT").is_some() {
        is_whole = false;
        rest.number()?;
    }
    let _ = rest.symbol(";");
    if !rest.0.is_empty() {
        return None;
    }
    let mut statement = Statement::new(Command { name: Cow::Borrowed("SELECT"), act: Act::QUERY });
    statement.add_tables(tables);
    statement.scope = Some(if is_whole { ReadScope::Whole } else { ReadScope::Part });
    Some(statement)
}

const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// What is still to be read, without white space before it.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    /// Takes so many bytes and the white space behind them.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest.trim_start_matches(BLANKS);
        taken
    }

    /// How long the word is that comes next: 0 where there is none.
    fn word_length(&self) -> usize {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let bytes = self.0.as_bytes();
        match bytes.first() {
            Some(b'a'..=b'z' | b'A'..=b'Z') => {
                bytes.iter().take_while(|byte| is_part(byte)).count()
            }
            _ => 0,
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let length = self.word_length();
        self.0[..length].eq_ignore_ascii_case(word).then(|| self.take(length)).map(|_| ())
    }

    fn symbol(&mut self, symbol: &str) -> Option<()> {
        self.0.starts_with(symbol).then(|| self.take(symbol.len())).map(|_| ())
    }

    /// A name of up to three parts.
    fn name(&mut self) -> Option<String> {
        let start = self.0;
        let mut end = 0;
        for _ in 0..3 {
            let length = self.word_length();
            let word = &self.0[..length];
            // What stands right behind a word belongs to it, or makes it something else.
            let behind = self.0.as_bytes().get(length).copied().unwrap_or(b' ');
            if length == 0 || !is_name(word) || !b" \t\n\r.,;=<>".contains(&behind) {
                return None;
            }
            end += length;
            if behind != b'.' {
                self.take(length);
                return Some(start[..end].to_owned());
            }
            end += 1;
            self.0 = &self.0[length + 1..];
        }
        None
    }

    /// One or more items with commas between them.
    fn listed(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        for _ in 0..ITEMS_MAX {
            item(self)?;
            if self.symbol(",").is_none() {
                return Some(());
            }
        }
        None
    }

    /// Comparisons of a column with a literal, joined by `AND`.
    fn conditions(&mut self) -> Option<()> {
        const OPERATORS: [&str; 6] = ["<=", ">=", "<>", "=", "<", ">"];
        for _ in 0..ITEMS_MAX {
            self.name()?;
            OPERATORS.iter().find_map(|operator| self.symbol(operator))?;
            self.string().or_else(|| self.number())?;
            if self.word("AND").is_none() {
                return Some(());
            }
        }
        None
    }

    /// A string without a quote or an escape in it.
    fn string(&mut self) -> Option<()> {
        let text = self.0.strip_prefix('\'')?;
        let length = text.find(['\'', '\\']).filter(|at| text.as_bytes()[*at] == b'\'')? + 2;
        let behind = self.0.as_bytes().get(length).copied().unwrap_or(b' ');
        b" \t\n\r;".contains(&behind).then(|| self.take(length)).map(|_| ())
    }

    fn number(&mut self) -> Option<()> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let behind = self.0.as_bytes().get(length).copied().unwrap_or(b' ');
        let is_number = length > 0 && b" \t\n\r;".contains(&behind);
        is_number.then(|| self.take(length)).map(|_| ())
    }
}

/// Whether a word is a name and nothing else.
fn is_name(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    NAMES.contains(&&*upper) || ALL_KEYWORDS.binary_search(&&*upper).is_err()
}

#[cfg(test)]
mod tests {
    use super::super::statement::{Dialect, read_by_grammar};
    use super::*;
    use proptest::prelude::*;

    const DIALECTS: [Dialect; 4] =
        [Dialect::Postgres, Dialect::MySql, Dialect::Snowflake, Dialect::Databricks];

    fn agree(text: &str) -> bool {
        let Some(plain) = read(text) else { return false };
        for dialect in DIALECTS {
            let by_grammar = read_by_grammar(text, dialect);
            assert_eq!(format!("{:?}", [&plain]), format!("{by_grammar:?}"), "{dialect:?}: {text}");
        }
        true
    }

    #[test]
    fn plain_statements_are_read_as_the_grammar_reads_them() {
        for text in [
            "SELECT id, name FROM shop.customers WHERE city = 'Kiel'",
            "SELECT id, name FROM SHOP.PUBLIC.CUSTOMERS WHERE CITY = 'Kiel';",
            "select * from t",
            "\n  SELECT a.b,c FROM t,u ,t LIMIT 7 ; ",
            "SELECT * FROM t WHERE a=1 AND b<>'ö''' AND c <= 007",
            "SELECT * FROM t WHERE a='x' and b>'y'  LIMIT 3",
        ] {
            assert!(agree(text) || text.contains("''"), "{text}");
        }
        for name in NAMES {
            for text in [
                format!("SELECT {name}, a FROM {name}"),
                format!("SELECT a, {name} FROM a.{name} WHERE {name} = 1 AND b = 'x'"),
                format!("SELECT a.{name} FROM {name}.a, {name} WHERE {name}<>'x' LIMIT 1"),
            ] {
                assert!(agree(&text), "{text}");
            }
        }
        for text in [
            "SELECT 1 FROM dual",
            "SELECT a b FROM t",
            "SELECT count(*) FROM t",
            "SELECT * FROM t u",
            "SELECT * FROM t;;x",
            "SELECT * FROM t WHERE 1 = 1",
            "SELECT * FROM t WHERE true",
            "SELECT * FROM t WHERE a = 'x' 'y'",
            "SELECT a FROM",
            "SELECT * FROM t WHERE a = 'x\\' OR 1'",
            "SELECT*FROM t -- x",
            "SELECT user FROM t",
            "SELECT * FROM t, (SELECT 1)",
            "SELECT * FROM a.b.c.d",
            "SELECT * FROM t WHERE a = 1 OR b = 2",
            "SELECT current_date FROM t",
            "SELECT a. b FROM t",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn whatever_is_plain_is_the_same_by_grammar(
            head in prop::sample::select(vec!["SELECT ", "select\n", " SELECT\t", "SELECT*"]),
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "b1", "tAble_2", "s.t", "s.t.u", "name", "public", "type", "status", "s.name", "*", ",", ", ", " , ",
                    " FROM ", " from ", " FROM t", " WHERE ", " AND ", " = ", "=", "<", ">=", "<>", "'x'", "'a b'", "'ö'", "''",
                    "1", "007", " LIMIT ", " LIMIT 5", ";", " ", "N'x'", "e", ".", "a = 1", "a='x'", "\"q\"", "user", "dual", "x",
                    "_utf8", "date", "E", "interval",
                ]),
                1..14,
            )
        ) {
            agree(&[head, &words.concat()].concat());
        }

        #[test]
        fn most_of_the_plain_are_read(
            columns in prop::collection::vec("[a-z]{1,3}_[0-9]|\\*|[a-z]{1,3}1\\.[A-Z]{1,3}_7", 1..4),
            tables in prop::collection::vec("([a-z]{1,4}_\\.){0,2}[A-Z]{1,4}_9", 1..4),
            conditions in prop::collection::vec("[a-z]{1,3}_ ?(=|<|>|<=|>=|<>) ?('[a-zäö%;,.()-]{0,6}'|[0-9]{1,6})", 0..4),
            limit in prop::option::of(0_u32..100),
        ) {
            let mut text = format!("SELECT {} FROM {}", columns.join(", "), tables.join(","));
            if !conditions.is_empty() {
                text.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
            }
            if let Some(limit) = limit {
                text.push_str(&format!(" LIMIT {limit}"));
            }
            prop_assert!(agree(&text), "{}", text);
        }
    }
}
