//! Tables, views and everything else that is made, changed and dropped by name.

use std::borrow::Cow;

use sqlparser::tokenizer::Token;

use super::{policy, properties};
use crate::sql::effect::{Action, Effect, Encryption, PolicyKind, Scope};
use crate::sql::query;
use crate::sql::statement::{Dialect, Statement};
use crate::sql::tokens::{self, Tokens};

/// Reads what stands behind `CREATE TABLE`, `DROP VIEW`, `TRUNCATE` and their like.
pub(super) fn read(
    mut rest: Tokens<'_>,
    verb: &str,
    kind: &str,
    dialect: Dialect,
    statement: &mut Statement,
) -> Option<()> {
    let is_relation = kind.ends_with("TABLE") || kind.ends_with("VIEW");
    match verb {
        "DROP" | "TRUNCATE" => {
            rest.eat("ONLY");
            let names = rest.names();
            if kind == "INDEX" && rest.eat("ON") {
                statement.add_tables(rest.name());
            }
            statement.add_tables(names);
        }
        "RENAME" => {
            for mut part in rest.split_commas() {
                statement.add_tables(part.account());
            }
        }
        "CREATE" if is_relation => create(rest, kind, dialect, statement)?,
        "CREATE" if kind == "INDEX" || kind == "TRIGGER" => {
            if rest.skip_past("ON") {
                rest.eat("ONLY");
                statement.add_tables(rest.name());
            }
        }
        "ALTER" if is_relation => alter(rest, dialect, statement)?,
        _ => statement.add_tables(rest.name()),
    }
    Some(())
}

fn create(
    mut rest: Tokens<'_>,
    kind: &str,
    dialect: Dialect,
    statement: &mut Statement,
) -> Option<()> {
    let name = rest.name()?;
    statement.add_tables([name.clone()]);
    read_options(rest, &name, statement);
    if kind == "VIEW" {
        return Some(());
    }
    // `AS` may be left out in MySQL; in a list of columns no query begins.
    let mut tail = rest;
    tail.before(&["SELECT", "WITH", "AS", "TABLE"]);
    if tail.is("WITH") && !has_cte(tail) {
        // Options: `WITH (fillfactor = 70) AS …`.
        tail.next();
        tail.before(&["SELECT", "AS", "TABLE"]);
    }
    let has_as = tail.eat("AS");
    let begins = query::begins_query(tail.peek());
    if (has_as && begins) || tail.is("SELECT") || (tail.is("WITH") && has_cte(tail)) {
        if kind == "TABLE" {
            statement.command = Cow::Borrowed("CREATE TABLE AS");
        }
        let mut location = rest;
        if location.skip_past("LOCATION") {
            location.eat_token(&Token::Eq);
            statement.destination =
                location.peek().and_then(tokens::string_text).map(str::to_owned);
        }
        let read = query::read_part(before_data(tail).as_slice(), dialect);
        statement.add_tables(read.map(|read| read.tables).unwrap_or_default());
    }
    Some(())
}

/// `WITH name AS (` or `WITH RECURSIVE`.
fn has_cte(mut tail: Tokens<'_>) -> bool {
    tail.eat("WITH") && (tail.is("RECURSIVE") || (tail.name().is_some() && tail.holds("AS")))
}

/// Without PostgreSQL's `WITH [NO] DATA` at the end.
fn before_data(tail: Tokens<'_>) -> Tokens<'_> {
    let all = tail.as_slice();
    for words in ["WITH NO DATA", "WITH DATA"] {
        let count = words.split(' ').count();
        if all.len() > count && Tokens::new(&all[all.len() - count..]).is(words) {
            return Tokens::new(&all[..all.len() - count]);
        }
    }
    tail
}

fn alter(mut rest: Tokens<'_>, dialect: Dialect, statement: &mut Statement) -> Option<()> {
    rest.eat("ONLY");
    let name = rest.name()?;
    rest.eat_token(&Token::Mul);
    statement.add_tables([name.clone()]);
    if dialect == Dialect::Postgres {
        read_row_security(rest, name, statement);
        return Some(());
    }
    if dialect == Dialect::MySql {
        read_options(rest, &name, statement);
        return Some(());
    }
    let mut column = None;
    for part in rest.split_commas() {
        read_protection(part, &name, &mut column, statement);
    }
    Some(())
}

/// `ENABLE`, `DISABLE`, `FORCE`, `NO FORCE ROW LEVEL SECURITY`.
fn read_row_security(rest: Tokens<'_>, table: String, statement: &mut Statement) {
    let (mut enabled, mut forced) = (None, None);
    for part in rest.split_commas() {
        if part.is("ENABLE ROW LEVEL SECURITY") {
            enabled = Some(true);
        } else if part.is("DISABLE ROW LEVEL SECURITY") {
            enabled = Some(false);
        } else if part.is("FORCE ROW LEVEL SECURITY") {
            forced = Some(true);
        } else if part.is("NO FORCE ROW LEVEL SECURITY") {
            forced = Some(false);
        }
    }
    if enabled.is_some() || forced.is_some() {
        statement.effects.push(Effect::RowSecurity { table, enabled, forced });
    }
}

/// Snowflake's and Databricks' policies, filters and masks. A column named once holds for the parts behind it.
fn read_protection<'t>(
    mut part: Tokens<'t>,
    table: &str,
    column: &mut Option<String>,
    statement: &mut Statement,
) {
    let mut push = |kind, action, name: Option<String>, object: String| {
        let mut policy = policy::plain(kind, action, name.unwrap_or_else(|| "*".to_owned()));
        policy.object = Some(object);
        statement.effects.push(Effect::Policy(policy));
    };
    if part.eat("DROP ALL ROW ACCESS POLICIES") {
        push(PolicyKind::RowAccess, Action::Detach, None, table.to_owned());
    } else if part.eat("DROP ROW ACCESS POLICY") || part.eat("DROP ROW FILTER") {
        push(PolicyKind::RowAccess, Action::Detach, part.name(), table.to_owned());
    } else if part.eat("ADD ROW ACCESS POLICY") {
        push(PolicyKind::RowAccess, Action::Attach, part.name(), table.to_owned());
    } else {
        if part.eat("MODIFY") || part.eat("ALTER") {
            *column = None;
        }
        let is_column = part.eat("COLUMN") || column.is_none();
        if is_column && !part.is("SET") && !part.is("UNSET") {
            *column = part.name();
        }
        let object = match column {
            Some(column) => format!("{table}.{column}"),
            None => table.to_owned(),
        };
        if part.eat("DROP MASK") {
            push(PolicyKind::Masking, Action::Detach, None, object);
            return;
        }
        let is_set = part.eat("SET");
        if !is_set && !part.eat("UNSET") {
            return;
        }
        match policy::attachment(part, is_set, &object) {
            Some(effect) => statement.effects.push(effect),
            None if column.is_none() => {
                let scope = Scope::Object(table.to_owned());
                properties::settings(part, is_set, &scope, statement);
            }
            None => {}
        }
    }
}

/// MySQL's `ENCRYPTION = 'N'` of tables, schemas, tablespaces.
pub(super) fn read_encryption(mut rest: Tokens<'_>, statement: &mut Statement) {
    let Some(name) = rest.name() else { return };
    read_options(rest, &name, statement);
}

fn read_options(rest: Tokens<'_>, object: &str, statement: &mut Statement) {
    let mut option = rest;
    if !option.skip_past("ENCRYPTION") {
        return;
    }
    option.eat_token(&Token::Eq);
    let Some(value) = option.peek().and_then(tokens::string_text) else { return };
    statement.effects.push(Effect::Encryption(Encryption {
        object: object.to_owned(),
        is_encrypted: !value.eq_ignore_ascii_case("n"),
    }));
}
