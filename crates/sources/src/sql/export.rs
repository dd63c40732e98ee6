//! Statements that move data out of or into a database in one go.

use std::borrow::Cow;

use dataward_event::volume::ReadScope;
use sqlparser::tokenizer::Token;

use super::command::Command;
use super::query;
use super::statement::{Dialect, Statement};
use super::tokens::{self, Tokens};
use crate::act::Act;

/// Reads such a statement; `None` if it is another.
pub(super) fn read(tokens: Tokens<'_>, dialect: Dialect) -> Option<Statement> {
    let mut rest = tokens;
    if rest.eat("COPY INTO") {
        return copy_into(rest, dialect);
    }
    if rest.eat("COPY") {
        return copy(rest, dialect);
    }
    if rest.eat("UNLOAD") {
        return unload(rest, dialect);
    }
    if rest.eat("INSERT OVERWRITE DIRECTORY") || rest.eat("INSERT OVERWRITE LOCAL DIRECTORY") {
        let destination = rest.next().and_then(tokens::string_text).map(str::to_owned);
        rest.before(&["SELECT", "WITH", "TABLE"]);
        let read = query::read_part(rest.as_slice(), dialect)?;
        return Some(export("INSERT OVERWRITE DIRECTORY", read.tables, destination));
    }
    if rest.eat("GET") {
        let stage = rest.before(&["FILE"]).glued();
        return Some(export("GET", vec![stage], Some("client".to_owned())));
    }
    if rest.eat("CLONE LOCAL DATA DIRECTORY") {
        rest.eat_token(&Token::Eq);
        let path = rest.next().and_then(tokens::string_text).map(str::to_owned);
        let mut statement = export("CLONE", Vec::new(), path);
        statement.scope = Some(ReadScope::Export);
        return Some(statement);
    }
    if rest.eat("LOAD DATA") || rest.eat("LOAD XML") {
        if !rest.skip_past("INTO TABLE") {
            return None;
        }
        return Some(import("LOAD DATA", rest.name().into_iter().collect()));
    }
    if dialect == Dialect::MySql && (tokens.holds("INTO OUTFILE") || tokens.holds("INTO DUMPFILE"))
    {
        return outfile(tokens, dialect);
    }
    None
}

fn export(name: &'static str, tables: Vec<String>, destination: Option<String>) -> Statement {
    let mut statement = Statement::new(Command { name: Cow::Borrowed(name), act: Act::QUERY });
    statement.scope = (!tables.is_empty()).then_some(ReadScope::Export);
    statement.add_tables(tables);
    statement.destination = destination;
    statement
}

fn import(name: &'static str, tables: Vec<String>) -> Statement {
    let mut statement = Statement::new(Command { name: Cow::Borrowed(name), act: Act::WRITE });
    statement.add_tables(tables);
    statement
}

/// `COPY t (columns) TO …`, `COPY (query) TO …`, `COPY t FROM …`.
fn copy(mut rest: Tokens<'_>, dialect: Dialect) -> Option<Statement> {
    rest.eat("BINARY");
    let tables = match rest.parenthesised() {
        Some(inner) => query::read_part(inner.as_slice(), dialect)?.tables,
        None => {
            let table = rest.name()?;
            rest.parenthesised();
            vec![table]
        }
    };
    if rest.eat("FROM") {
        return Some(import("COPY FROM", tables));
    }
    if !rest.eat("TO") {
        return None;
    }
    let is_program = rest.eat("PROGRAM");
    let target = rest.next().map(tokens::bare)?;
    let target = if is_program { format!("PROGRAM {target}") } else { target };
    Some(export("COPY TO", tables, Some(target)))
}

/// `UNLOAD ('query') TO 's3://…'`, `UNLOAD (query) TO …`.
fn unload(mut rest: Tokens<'_>, dialect: Dialect) -> Option<Statement> {
    let inner = rest.parenthesised()?;
    let read = match inner.as_slice() {
        [only] => query::read_text(tokens::string_text(only)?, dialect)?,
        several => query::read_part(several, dialect)?,
    };
    let destination = rest.eat("TO").then(|| rest.next().map(tokens::bare)).flatten();
    Some(export("UNLOAD", read.tables, destination))
}

/// Snowflake's and Databricks' `COPY INTO`: out of a table into a stage or bucket, or the other way.
fn copy_into(mut rest: Tokens<'_>, dialect: Dialect) -> Option<Statement> {
    let target = rest.before(&["FROM", "PARTITION", "FILE_FORMAT"]);
    let is_export = target
        .peek()
        .is_some_and(|first| *first == Token::AtSign || tokens::string_text(first).is_some())
        || target.peek().is_some_and(|first| tokens::bare(first).starts_with('@'));
    if !is_export {
        let mut target = target;
        return Some(import("COPY INTO", target.name().into_iter().collect()));
    }
    if !rest.eat("FROM") {
        return None;
    }
    let tables = match rest.parenthesised() {
        Some(inner) => query::read_part(inner.as_slice(), dialect)?.tables,
        None => vec![rest.name()?],
    };
    Some(export("COPY INTO", tables, Some(target.glued())))
}

/// `SELECT … INTO OUTFILE 'file' FIELDS … [FROM …]`, also with `S3` or `DUMPFILE`: the query without that clause is read.
fn outfile(tokens: Tokens<'_>, dialect: Dialect) -> Option<Statement> {
    let is_dump = tokens.holds("INTO DUMPFILE");
    let mut after = tokens;
    after.skip_past(if is_dump { "INTO DUMPFILE" } else { "INTO OUTFILE" });
    let before = &tokens.as_slice()[..tokens.as_slice().len() - after.as_slice().len() - 2];
    after.eat("S3");
    let destination = after.next().and_then(tokens::string_text)?.to_owned();
    after.before(&["FROM"]);
    let query: Vec<&Token> = before.iter().chain(after.as_slice()).copied().collect();
    let read = query::read_part(&query, dialect)?;
    let name = if is_dump { "SELECT INTO DUMPFILE" } else { "SELECT INTO OUTFILE" };
    Some(export(name, read.tables, Some(destination)))
}
