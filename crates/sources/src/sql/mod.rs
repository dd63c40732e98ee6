//! SQL statements: what they read, write and change.
//!
//! Statements of data (`SELECT`, `INSERT`, …) are read by sqlparser's grammar, because tables hide in subqueries. Statements
//! of control (`GRANT`, `ALTER ROLE`, `SET`, policies, shares) are read word by word from its tokens, the same way for all
//! dialects, because their grammars are small, differ in every product, and the parser knows only some of them. Nothing is
//! guessed from a pattern in the text: what is neither gives `None`.
//!
//! Start with [`read`].

mod bounds;
mod command;
mod control;
pub(crate) mod copies;
mod effect;
mod export;
mod plain;
mod query;
mod scope;
mod statement;
mod tokens;

#[cfg(test)]
mod tests;

pub(crate) use command::command;
pub(crate) use effect::{
    Action, Effect, Encryption, Grant, Password, Policy, PolicyKind, RoleOptions, Scope,
};
pub(crate) use statement::{Dialect, Statement, read, read_each};
