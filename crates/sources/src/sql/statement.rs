//! One statement, read.

use std::borrow::Cow;

use dataward_event::limits::{OBJECTS_PER_EVENT_MAX, STATEMENT_BYTES_MAX};
use dataward_event::volume::ReadScope;
use sqlparser::dialect as grammar;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::command::{self, Command};
use super::effect::Effect;
use super::tokens::{self, Tokens};
use super::{bounds, control, export, plain, query};
use crate::act::Act;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    MySql,
    Snowflake,
    Databricks,
}

impl Dialect {
    pub(super) fn grammar(self) -> &'static dyn grammar::Dialect {
        match self {
            Self::Postgres => &grammar::PostgreSqlDialect {},
            Self::MySql => &grammar::MySqlDialect {},
            Self::Snowflake => &grammar::SnowflakeDialect,
            Self::Databricks => &grammar::DatabricksDialect {},
        }
    }
}

/// What a statement does.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// `SELECT`, `COPY TO`, `SELECT INTO OUTFILE`, `GRANT`, `ALTER ROLE`, …
    pub(crate) command: Cow<'static, str>,
    pub(crate) act: Act,
    /// What it reads; for a write, what it writes and then what it reads for it. As written, `db.schema.table`, unquoted,
    /// without repetitions and without names that the statement itself defines. At most [`OBJECTS_PER_EVENT_MAX`].
    pub(crate) tables: Vec<String>,
    /// How much a read asks for; `None` where it is no read, or reads no table.
    pub(crate) scope: Option<ReadScope>,
    /// The file, bucket, stage or program that the data goes to.
    pub(crate) destination: Option<String>,
    /// What it does to protection.
    pub(crate) effects: Vec<Effect>,
}

impl Statement {
    pub(super) fn new(command: Command) -> Self {
        Self {
            command: command.name,
            act: command.act,
            tables: Vec::new(),
            scope: None,
            destination: None,
            effects: Vec::new(),
        }
    }

    /// Adds tables, each once.
    pub(super) fn add_tables(&mut self, tables: impl IntoIterator<Item = String>) {
        for table in tables {
            if self.tables.len() >= OBJECTS_PER_EVENT_MAX {
                return;
            }
            if !self.tables.contains(&table) {
                self.tables.push(table);
            }
        }
    }

    fn says_much(&self) -> bool {
        !self.effects.is_empty() || !self.tables.is_empty()
    }
}

/// Reads a text of one or more statements as one: command and act are those of the first that touches a table or
/// protection; tables and effects those of all. `None` where nothing in it can be read: it is too long, too deep, cut off, or
/// beyond the grammar.
pub(crate) fn read(statement: &str, dialect: Dialect) -> Option<Statement> {
    let mut all = read_each(statement, dialect);
    let principal = all.iter().position(Statement::says_much).unwrap_or(0);
    if all.is_empty() {
        return None;
    }
    let mut read = all.remove(principal);
    for other in all {
        read.add_tables(other.tables);
        read.scope = read.scope.max(other.scope);
        read.destination = read.destination.or(other.destination);
        read.effects.extend(other.effects);
    }
    Some(read)
}

/// Reads each statement of a text; those that cannot be read are left out.
pub(crate) fn read_each(text: &str, dialect: Dialect) -> Vec<Statement> {
    if text.len() > STATEMENT_BYTES_MAX {
        return Vec::new();
    }
    match plain::read(text) {
        Some(statement) => vec![statement],
        None => read_by_grammar(text, dialect),
    }
}

/// The same, whatever the text is.
pub(super) fn read_by_grammar(text: &str, dialect: Dialect) -> Vec<Statement> {
    let Ok(tokens) = Tokenizer::new(dialect.grammar(), text).tokenize_with_location() else {
        return Vec::new();
    };
    split(tokens).into_iter().filter_map(|tokens| read_one(tokens, dialect)).collect()
}

fn read_one(all: Vec<TokenWithSpan>, dialect: Dialect) -> Option<Statement> {
    let words: Vec<&Token> =
        all.iter().map(|token| &token.token).filter(|token| !tokens::is_blank(token)).collect();
    if !bounds::are_kept(&words) {
        return None;
    }
    let tokens = Tokens::new(&words);
    let command = command::of_tokens(tokens, dialect)?;
    if let Some(statement) = export::read(tokens, dialect) {
        return Some(statement);
    }
    if control::is_control(&command) {
        return control::read(tokens, command, dialect);
    }
    query::read(all, command, dialect)
}

/// The statements of a text. The body of a routine has semicolons of its own and is not taken apart.
fn split(tokens: Vec<TokenWithSpan>) -> Vec<Vec<TokenWithSpan>> {
    let mut words = tokens.iter().filter_map(|token| match &token.token {
        Token::Word(Word { value, quote_style: None, .. }) => Some(value.as_str()),
        _ => None,
    });
    let has_body = words.next().is_some_and(|word| word.eq_ignore_ascii_case("CREATE"))
        && words.take(8).any(|word| {
            ["FUNCTION", "PROCEDURE", "TRIGGER", "EVENT"]
                .iter()
                .any(|routine| word.eq_ignore_ascii_case(routine))
        });
    if has_body {
        return vec![tokens];
    }
    let mut statements = vec![Vec::with_capacity(tokens.len())];
    for token in tokens {
        if token.token == Token::SemiColon {
            statements.push(Vec::new());
        } else if let Some(last) = statements.last_mut() {
            last.push(token);
        }
    }
    statements.retain(|statement| !statement.iter().all(|token| tokens::is_blank(&token.token)));
    statements
}
