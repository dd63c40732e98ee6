//! Statements of control: rights, accounts, settings, policies, what leaves an account. Read word by word.

mod grant;
mod outside;
mod policy;
mod properties;
mod role;
mod server;
mod setting;
mod table;

use super::command::Command;
use super::effect::Action;
use super::query;
use super::statement::{self, Dialect, Statement};
use super::tokens::{self, Tokens};

/// Whether a command is read here.
pub(super) fn is_control(command: &Command) -> bool {
    let first = command.name.split(' ').next().unwrap_or_default();
    matches!(
        first,
        "GRANT"
            | "REVOKE"
            | "SET"
            | "RESET"
            | "UNSET"
            | "CREATE"
            | "ALTER"
            | "DROP"
            | "TRUNCATE"
            | "INSTALL"
            | "UNINSTALL"
            | "SECURITY"
            | "HANDLER"
            | "DECLARE"
            | "PREPARE"
            | "RENAME"
    ) || matches!(&*command.name, "USE ROLE" | "EXECUTE IMMEDIATE")
}

/// Reads a statement of control; `None` if it is cut off or says what nobody expects.
pub(super) fn read(tokens: Tokens<'_>, command: Command, dialect: Dialect) -> Option<Statement> {
    let name = command.name.clone();
    let mut statement = Statement::new(command);
    let rest = behind(tokens, &name, dialect);
    match &*name {
        "GRANT" => grant::read(rest, "TO", &mut statement)?,
        "REVOKE" => grant::read(rest, "FROM", &mut statement)?,
        "ALTER DEFAULT PRIVILEGES" => grant::read_default(rest, &mut statement)?,
        "CREATE ROLE" | "CREATE USER" | "CREATE GROUP" => {
            role::read(rest, Action::Create, dialect, &mut statement)?;
        }
        "ALTER ROLE" | "ALTER USER" | "ALTER GROUP" => {
            role::read(rest, Action::Alter, dialect, &mut statement)?;
        }
        "DROP ROLE" | "DROP USER" | "DROP GROUP" => {
            role::read(rest, Action::Drop, dialect, &mut statement)?;
        }
        "RENAME USER" => role::read_rename(rest, &mut statement),
        "SET PASSWORD" => role::read_password(rest, &mut statement),
        "SET" | "RESET" | "RESET PERSIST" | "UNSET" => {
            setting::read_session(rest, &name, dialect, &mut statement);
        }
        "SET ROLE"
        | "SET LOCAL ROLE"
        | "SET SESSION ROLE"
        | "USE ROLE"
        | "SET SESSION AUTHORIZATION"
        | "RESET ROLE"
        | "RESET SESSION AUTHORIZATION" => {
            setting::read_identity(rest, &mut statement);
        }
        "ALTER SYSTEM" | "ALTER ACCOUNT" | "ALTER SESSION" | "ALTER DATABASE" | "ALTER SCHEMA" => {
            setting::read_owned(rest, &name, dialect, &mut statement);
        }
        "ALTER INSTANCE" => server::read_instance(rest, &mut statement),
        "ALTER TABLESPACE" | "CREATE TABLESPACE" | "CREATE DATABASE" | "CREATE SCHEMA" => {
            table::read_encryption(rest, &mut statement);
        }
        "CREATE EXTENSION" => server::read_extension(rest, Action::Create, &mut statement),
        "DROP EXTENSION" => server::read_extension(rest, Action::Drop, &mut statement),
        "SECURITY LABEL" => server::read_label(rest, &mut statement)?,
        "EXECUTE IMMEDIATE" | "PREPARE" => read_inner(rest, dialect, &mut statement),
        "DECLARE" => read_cursor(rest, dialect, &mut statement),
        "HANDLER" => statement.add_tables({ rest }.name()),
        _ if name.starts_with("INSTALL") => server::read_plugin(rest, true, &mut statement),
        _ if name.starts_with("UNINSTALL") => server::read_plugin(rest, false, &mut statement),
        _ => read_object(rest, &name, dialect, &mut statement)?,
    }
    Some(statement)
}

/// `CREATE`, `ALTER`, `DROP` of something that is told by its kind.
fn read_object(
    rest: Tokens<'_>,
    name: &str,
    dialect: Dialect,
    statement: &mut Statement,
) -> Option<()> {
    let (verb, kind) = name.split_once(' ').unwrap_or((name, "TABLE"));
    let action = match verb {
        "CREATE" => Action::Create,
        "DROP" => Action::Drop,
        _ => Action::Alter,
    };
    match kind {
        _ if kind.ends_with("POLICY") => policy::read(rest, kind, action, statement),
        "PUBLICATION" | "SUBSCRIPTION" => outside::read_replication(rest, kind, action, statement),
        "SHARE" | "RECIPIENT" | "LISTING" | "EXTERNAL LISTING" | "ORGANIZATION LISTING" => {
            outside::read_share(rest, kind, action, statement)
        }
        "STAGE" => outside::read_stage(rest, statement),
        "REPLICATION GROUP" | "FAILOVER GROUP" => outside::read_group(rest, action, statement),
        "TAG" => policy::read_tag(rest, statement),
        _ if kind.ends_with("INTEGRATION") => {
            outside::read_integration(rest, kind, action, statement)
        }
        _ => table::read(rest, verb, kind, dialect, statement),
    }
}

/// What stands behind the words of the command.
fn behind<'t>(tokens: Tokens<'t>, name: &str, dialect: Dialect) -> Tokens<'t> {
    let mut rest = tokens;
    let (verb, object) = name.split_once(' ').unwrap_or((name, ""));
    if !matches!(verb, "CREATE" | "ALTER" | "DROP") {
        rest.eat(name);
        return rest;
    }
    rest.next();
    super::command::skip_adjectives(&mut rest);
    let is_role = object == "ROLE" && dialect == Dialect::Postgres;
    if !(is_role && rest.eat_any(&["ROLE", "USER", "GROUP"]).is_some()) {
        rest.eat(object);
    }
    let _ = rest.eat("IF NOT EXISTS") || rest.eat("IF EXISTS");
    rest
}

/// A statement inside a string, as `EXECUTE IMMEDIATE '…'` and `PREPARE x FROM '…'` have it, or behind `AS`.
fn read_inner(mut rest: Tokens<'_>, dialect: Dialect, statement: &mut Statement) {
    let text = rest.peek().and_then(tokens::string_text).or_else(|| {
        let mut behind = rest;
        behind.skip_past("FROM").then(|| behind.peek().and_then(tokens::string_text)).flatten()
    });
    let inner = match text {
        // Once, and not a text inside a text inside a text.
        Some(text)
            if !text
                .trim_start()
                .get(..7)
                .is_some_and(|begin| begin.eq_ignore_ascii_case("EXECUTE")) =>
        {
            statement::read(text, dialect)
        }
        None if rest.skip_past("AS") => query::read_part(rest.as_slice(), dialect),
        _ => None,
    };
    let Some(inner) = inner else { return };
    statement.add_tables(inner.tables);
    statement.scope = inner.scope;
    statement.destination = inner.destination;
    statement.effects.extend(inner.effects);
}

/// `DECLARE c CURSOR FOR query`.
fn read_cursor(mut rest: Tokens<'_>, dialect: Dialect, statement: &mut Statement) {
    if rest.skip_past("CURSOR")
        && rest.skip_past("FOR")
        && let Some(inner) = query::read_part(rest.as_slice(), dialect)
    {
        statement.add_tables(inner.tables);
        statement.scope = inner.scope;
    }
}
