//! Settings of sessions, servers, databases and accounts.

use sqlparser::tokenizer::Token;

use super::{outside, policy, properties, table};
use crate::act::Act;
use crate::sql::effect::{Effect, Scope};
use crate::sql::statement::{Dialect, Statement};
use crate::sql::tokens::{self, Tokens};

/// Reads what stands behind `SET` and `RESET`.
pub(super) fn read_session(
    mut rest: Tokens<'_>,
    command: &str,
    dialect: Dialect,
    statement: &mut Statement,
) {
    if dialect == Dialect::MySql {
        if command == "RESET PERSIST" {
            let _ = rest.eat("IF EXISTS");
            if let Some(name) = rest.name() {
                push(statement, Scope::System, name, None);
            }
        } else if command == "SET" {
            read_mysql(rest, statement);
        }
        return;
    }
    let scope = if rest.eat("LOCAL") { Scope::Transaction } else { Scope::Session };
    let _ = rest.eat("SESSION");
    if rest.eat("TIME ZONE") || rest.is("TRANSACTION") || rest.is("CHARACTERISTICS") {
        return;
    }
    let Some(name) = rest.name() else { return };
    let value = if command == "SET" { properties::value(rest) } else { None };
    push(statement, scope, name, value);
}

fn push(statement: &mut Statement, scope: Scope, name: String, value: Option<String>) {
    statement.effects.push(Effect::Setting { scope, name, value });
}

/// `SET a = 1, GLOBAL b = 2, @@persist.c = 3`; what has no scope has that before it.
fn read_mysql(rest: Tokens<'_>, statement: &mut Statement) {
    let mut scope = Scope::Session;
    for mut part in rest.split_commas() {
        if part.eat("STATEMENT") || part.is("TRANSACTION") || part.is("NAMES") {
            return;
        }
        if let Some(word) = part.eat_any(&["GLOBAL", "PERSIST_ONLY", "PERSIST", "SESSION", "LOCAL"])
        {
            scope = mysql_scope(word);
            if part.is("TRANSACTION") {
                return;
            }
        }
        let Some(name) = part.name() else { return };
        let mut own = scope.clone();
        // `@x` is the user's own variable, `@@x` the server's.
        let name = match name.strip_prefix("@@") {
            Some(server) => match server.split_once('.') {
                Some((word, name)) => {
                    own = mysql_scope(&word.to_ascii_uppercase());
                    name.to_owned()
                }
                None => server.to_owned(),
            },
            None if name.starts_with('@') => continue,
            None => name,
        };
        let value = properties::value(part);
        if own == Scope::Global || own == Scope::System {
            statement.act = Act::CONFIG;
        }
        push(statement, own, name, value);
    }
}

fn mysql_scope(word: &str) -> Scope {
    match word {
        "GLOBAL" => Scope::Global,
        "PERSIST" | "PERSIST_ONLY" => Scope::System,
        _ => Scope::Session,
    }
}

/// `SET ROLE x`, `SET SESSION AUTHORIZATION x`, `USE ROLE x`; `NONE` and `DEFAULT` go back.
pub(super) fn read_identity(rest: Tokens<'_>, statement: &mut Statement) {
    let who = rest
        .peek()
        .map(tokens::bare)
        .filter(|who| !["NONE", "DEFAULT"].iter().any(|word| who.eq_ignore_ascii_case(word)));
    statement.effects.push(Effect::ActAs { who });
}

/// `ALTER SYSTEM`, `ALTER ACCOUNT`, `ALTER SESSION`, `ALTER DATABASE x`, `ALTER SCHEMA x`.
pub(super) fn read_owned(
    mut rest: Tokens<'_>,
    command: &str,
    dialect: Dialect,
    statement: &mut Statement,
) {
    let scope = match command {
        "ALTER SYSTEM" => Scope::System,
        "ALTER ACCOUNT" => Scope::Account,
        "ALTER SESSION" => Scope::Session,
        _ => {
            if dialect == Dialect::MySql {
                table::read_encryption(rest, statement);
                return;
            }
            let Some(name) = rest.name() else { return };
            match command {
                "ALTER DATABASE" => Scope::Database(name),
                _ => Scope::Object(name),
            }
        }
    };
    if outside::read_enabled_replication(rest, &scope, statement) {
        return;
    }
    let is_set = rest.eat("SET");
    if !is_set && !rest.eat("RESET") && !rest.eat("UNSET") {
        return;
    }
    if dialect != Dialect::Postgres {
        let object = if scope == Scope::Account { "account" } else { "" };
        if let Some(effect) = policy::attachment(rest, is_set, object) {
            statement.effects.push(effect);
            return;
        }
        properties::settings(rest, is_set, &scope, statement);
        return;
    }
    // Moves of a database to another tablespace are no setting.
    if rest.is("TABLESPACE") && rest.peek_at(1) != Some(&Token::Eq) {
        return;
    }
    statement.act = Act::CONFIG;
    let Some(name) = rest.name() else { return };
    let value = is_set.then(|| properties::value(rest)).flatten();
    push(statement, scope, name, value);
}
