//! Accounts: PostgreSQL's roles, MySQL's `user@host`, Snowflake's users.

use sqlparser::tokenizer::Token;

use super::{policy, properties};
use crate::sql::effect::{Action, Effect, Grant, Grantee, Password, RoleOptions, Scope};
use crate::sql::statement::{Dialect, Statement};
use crate::sql::tokens::{self, Tokens};

/// Reads what stands behind `CREATE ROLE`, `ALTER USER`, `DROP GROUP` and their like.
pub(super) fn read(
    mut rest: Tokens<'_>,
    action: Action,
    dialect: Dialect,
    statement: &mut Statement,
) -> Option<()> {
    if action == Action::Drop {
        for mut part in rest.split_commas() {
            push(statement, action, part.account()?, RoleOptions::default());
        }
        return Some(());
    }
    if dialect == Dialect::MySql {
        return read_mysql(rest, action, statement);
    }
    let name = rest.account()?;
    let scope = match rest.eat("IN DATABASE") {
        true => rest.name(),
        false => None,
    };
    if rest.is("SET") || rest.is("RESET") || rest.is("UNSET") {
        read_settings(rest, &name, dialect, statement);
        return Some(());
    }
    // A database alone, with nothing set in it.
    if scope.is_some() {
        return None;
    }
    if rest.is("RENAME") || rest.is("ADD DELEGATED") || rest.is("ABORT") {
        return Some(());
    }
    if rest.eat("ADD USER") || rest.is("DROP USER") {
        return read_members(rest, name, statement);
    }
    let mut options = RoleOptions::default();
    while !rest.is_empty() {
        read_option(&mut rest, &name, &mut options, statement);
    }
    push(statement, action, name, options);
    Some(())
}

fn push(statement: &mut Statement, action: Action, name: String, options: RoleOptions) {
    statement.effects.push(Effect::Role { action, name, options });
}

/// `ALTER ROLE x SET setting = value`, `RESET setting`; Snowflake's `SET a = b c = d`, `UNSET a`.
fn read_settings(mut rest: Tokens<'_>, name: &str, dialect: Dialect, statement: &mut Statement) {
    let scope = Scope::Role(name.to_owned());
    let is_set = rest.eat("SET");
    if !is_set {
        rest.next();
    }
    if matches!(dialect, Dialect::Snowflake | Dialect::Databricks) {
        if let Some(effect) = policy::attachment(rest, is_set, name) {
            statement.effects.push(effect);
            return;
        }
        properties::settings(rest, is_set, &scope, statement);
        return;
    }
    let Some(setting) = rest.name() else { return };
    let value = is_set.then(|| properties::value(rest)).flatten();
    statement.effects.push(Effect::Setting { scope, name: setting, value });
}

/// `ALTER GROUP g ADD USER a, b`.
fn read_members(mut rest: Tokens<'_>, group: String, statement: &mut Statement) -> Option<()> {
    let is_taken = rest.eat("DROP USER");
    let members = rest.names();
    let grant = membership(vec![group], members);
    statement.effects.push(if is_taken { Effect::Revoke(grant) } else { Effect::Grant(grant) });
    Some(())
}

fn membership(roles: Vec<String>, members: Vec<String>) -> Grant {
    Grant {
        privileges: roles,
        grantees: members.into_iter().map(|name| Grantee { kind: None, name }).collect(),
        ..Grant::default()
    }
}

/// One option of PostgreSQL's or Snowflake's `CREATE ROLE`.
fn read_option(
    rest: &mut Tokens<'_>,
    name: &str,
    options: &mut RoleOptions,
    statement: &mut Statement,
) {
    let Some(word) = rest.word() else {
        rest.next();
        return;
    };
    let word = word.to_ascii_uppercase();
    rest.next();
    let (flag, is_on) = match word.strip_prefix("NO") {
        Some(flag) => (flag, false),
        None => (&*word, true),
    };
    match flag {
        "SUPERUSER" | "CREATEUSER" => options.superuser = Some(is_on),
        "BYPASSRLS" => options.bypass_row_security = Some(is_on),
        "REPLICATION" => options.replication = Some(is_on),
        "CREATEROLE" => options.create_role = Some(is_on),
        "LOGIN" => options.login = Some(is_on),
        "PASSWORD" => {
            rest.eat_token(&Token::Eq);
            options.password = Some(password(rest));
        }
        "IN" => {
            let _ = rest.eat("ROLE") || rest.eat("GROUP");
            let grant = membership(rest.names(), vec![name.to_owned()]);
            statement.effects.push(Effect::Grant(grant));
        }
        "ROLE" | "USER" | "ADMIN" => {
            let mut grant = membership(vec![name.to_owned()], rest.names());
            grant.with_grant_option = flag == "ADMIN";
            statement.effects.push(Effect::Grant(grant));
        }
        _ => {}
    }
}

/// A password: a string, `NULL`, or what a log puts in its place.
fn password(rest: &mut Tokens<'_>) -> Password {
    if rest.eat("NULL") {
        return Password::Null;
    }
    let is_empty = rest.peek().and_then(tokens::string_text).is_some_and(str::is_empty);
    // Of `<REDACTED>` and `*****` the parts are no options.
    while rest.peek().is_some_and(|token| !matches!(token, Token::Word(_) | Token::Comma)) {
        rest.next();
    }
    for mask in ["REDACTED", "secret"] {
        if rest.eat(mask) {
            rest.eat_token(&Token::Gt);
        }
    }
    if is_empty { Password::Empty } else { Password::Set }
}

/// MySQL: accounts with what identifies each, then what holds for all of them.
fn read_mysql(rest: Tokens<'_>, action: Action, statement: &mut Statement) -> Option<()> {
    let mut common = RoleOptions::default();
    let mut accounts = Vec::new();
    let parts = rest.split_commas();
    let last = parts.len().checked_sub(1)?;
    for (at, mut part) in parts.into_iter().enumerate() {
        // Behind the options of a role list, `CREATE USER a DEFAULT ROLE r, s`, no account comes any more.
        if at > 0 && accounts.is_empty() {
            return None;
        }
        let name = if part.is("USER") && part.peek_at(1) == Some(&Token::LParen) {
            part.next();
            part.parenthesised();
            "USER()".to_owned()
        } else {
            part.account()?
        };
        let mut own = RoleOptions::default();
        let is_last = at == last;
        while !part.is_empty() {
            let options = if is_last { &mut common } else { &mut own };
            if part.eat("IDENTIFIED") {
                read_identified(&mut part, &mut own);
            } else {
                read_mysql_option(&mut part, options);
            }
        }
        accounts.push((name, own));
    }
    for (name, own) in accounts {
        let options = RoleOptions {
            password: own.password,
            plugin: own.plugin,
            requires_tls: own.requires_tls.or(common.requires_tls),
            is_locked: own.is_locked.or(common.is_locked),
            never_expires: own.never_expires.or(common.never_expires),
            ..RoleOptions::default()
        };
        push(statement, action, name, options);
    }
    Some(())
}

/// `RENAME USER a TO b, c TO d`.
pub(super) fn read_rename(rest: Tokens<'_>, statement: &mut Statement) {
    for mut part in rest.split_commas() {
        let from = part.account();
        let to = if part.eat("TO") { part.account() } else { None };
        if let (Some(from), Some(to)) = (from, to) {
            statement.effects.push(Effect::RenamedRole { from, to });
        }
    }
}

/// What stands behind `IDENTIFIED`: `BY 'password'`, `WITH plugin [BY | AS | USING] …`, `VIA plugin`.
fn read_identified(part: &mut Tokens<'_>, options: &mut RoleOptions) {
    if part.eat("WITH") || part.eat("VIA") {
        options.plugin = part.name();
    }
    let _ = part.eat("BY PASSWORD")
        || part.eat("BY RANDOM PASSWORD")
        || part.eat("BY")
        || part.eat("AS")
        || part.eat("USING");
    if part.peek().is_some_and(|token| !matches!(token, Token::Word(_))) {
        options.password = Some(password(part));
    } else if options.plugin.is_none() {
        options.password = Some(Password::Set);
    }
}

fn read_mysql_option(part: &mut Tokens<'_>, options: &mut RoleOptions) {
    if part.eat("REQUIRE") {
        options.requires_tls = Some(!part.eat("NONE"));
    } else if part.eat("ACCOUNT LOCK") {
        options.is_locked = Some(true);
    } else if part.eat("ACCOUNT UNLOCK") {
        options.is_locked = Some(false);
    } else if part.eat("PASSWORD EXPIRE NEVER") {
        options.never_expires = Some(true);
    } else if part.eat("PASSWORD EXPIRE") {
        options.never_expires = Some(false);
    } else {
        part.next();
    }
}

/// `SET PASSWORD [FOR account] = '…'`, also `= PASSWORD('…')` and `TO …`.
pub(super) fn read_password(mut rest: Tokens<'_>, statement: &mut Statement) {
    let name = if rest.eat("FOR") { rest.account() } else { None };
    let _ = rest.eat_token(&Token::Eq) || rest.eat("TO");
    let is_empty = if rest.eat("PASSWORD") {
        rest.parenthesised()
            .is_some_and(|inner| inner.peek().and_then(tokens::string_text) == Some(""))
    } else {
        rest.peek().and_then(tokens::string_text) == Some("")
    };
    let password = Some(if is_empty { Password::Empty } else { Password::Set });
    let options = RoleOptions { password, ..RoleOptions::default() };
    push(statement, Action::Alter, name.unwrap_or_else(|| "USER()".to_owned()), options);
}
