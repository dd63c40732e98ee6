//! What a timeline is asked for.

use datafusion::logical_expr::{Expr, col, lit};
use dataward_event::time::EventTime;
use serde_json::Value;

use super::entry::Entry;
use crate::error::QueryError;

/// The name under which readers without one are asked for.
const ANONYMOUS: &str = "anonymous";

/// What a name is a name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A datastore, by its uid or its name.
    Datastore,
    /// An actor, by uid, name or credential; `anonymous` is whoever had none.
    Actor,
    /// An address, or the name of a client that has none.
    Ip,
    /// An operation.
    Operation,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Datastore, Self::Actor, Self::Ip, Self::Operation];

    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Datastore => "datastore",
            Self::Actor => "actor",
            Self::Ip => "ip",
            Self::Operation => "operation",
        }
    }

    /// The columns that a name may stand in.
    pub(super) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Datastore => &["datastore_name", "datastore_uid"],
            Self::Actor => &["actor_name", "actor_uid", "actor_credential_uid"],
            Self::Ip => &["client_ip", "client_domain"],
            Self::Operation => &["operation"],
        }
    }

    /// The condition that a row carries this name.
    pub(super) fn condition(self, name: &str) -> Expr {
        let conditions = self.columns().iter().map(|column| col(*column).eq(lit(name)));
        let anonymous = (self == Self::Actor && name == ANONYMOUS)
            .then(|| col("actor_kind").eq(lit(ANONYMOUS)));
        // There is at least one column.
        conditions.chain(anonymous).reduce(Expr::or).unwrap_or_else(|| lit(false))
    }
}

/// What is asked for: names of one subject are alternatives, and every subject that is named must fit.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Names with what they are names of.
    pub names: Vec<(Subject, String)>,
    /// The first moment.
    pub from: Option<EventTime>,
    /// The first moment after it.
    pub to: Option<EventTime>,
    /// The original record of each event, too.
    pub raw: bool,
}

impl Asked {
    /// # Errors
    /// A range that nothing can lie in.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from >= to => Err(QueryError::Question(format!(
                "nothing lies in [{from}, {to}): --from must be before --to"
            ))),
            _ => Ok(()),
        }
    }

    pub(super) fn names_of(&self, subject: Subject) -> impl Iterator<Item = &str> {
        let names = self.names.iter().filter(move |(of, _)| *of == subject);
        names.map(|(_, name)| name.as_str())
    }

    /// The condition on rows that have the columns of all subjects.
    pub(super) fn condition(&self) -> Option<Expr> {
        Subject::ALL.into_iter().filter_map(|subject| self.condition_on(subject)).reduce(Expr::and)
    }

    /// The condition of one subject.
    pub(super) fn condition_on(&self, subject: Subject) -> Option<Expr> {
        self.names_of(subject).map(|name| subject.condition(name)).reduce(Expr::or)
    }

    /// Whether an entry fits; for what the engine cannot choose.
    pub(super) fn fits(&self, entry: &Entry) -> bool {
        let in_time = self.from.is_none_or(|from| from <= entry.time)
            && self.to.is_none_or(|to| entry.time < to);
        in_time
            && Subject::ALL.into_iter().all(|subject| {
                let mut names = self.names_of(subject).peekable();
                names.peek().is_none() || names.any(|name| entry.carries(subject, name))
            })
    }
}

/// Which names had an entry.
#[derive(Debug)]
pub(super) struct Matches<'a> {
    names: Vec<(&'a (Subject, String), bool)>,
}

impl<'a> Matches<'a> {
    pub(super) fn of(asked: &'a Asked) -> Self {
        Self { names: asked.names.iter().map(|name| (name, false)).collect() }
    }

    pub(super) fn note(&mut self, entry: &Entry) {
        for ((subject, name), has) in self.names.iter_mut().filter(|(_, has)| !*has) {
            *has = entry.carries(*subject, name);
        }
    }

    /// Those without.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'a (Subject, String)> {
        self.names.iter().filter(|(_, has)| !has).map(|(name, _)| *name)
    }
}

/// Whether a cell is this text.
pub(super) fn is_text(cell: Option<&Value>, text: &str) -> bool {
    cell.and_then(Value::as_str) == Some(text)
}

/// Whether the cells of somebody are those of whoever is called so.
pub(super) fn carries<'v>(
    subject: Subject,
    name: &str,
    cell: impl Fn(&str) -> Option<&'v Value>,
) -> bool {
    subject.columns().iter().any(|column| is_text(cell(column), name))
        || (subject == Subject::Actor
            && name == ANONYMOUS
            && is_text(cell("actor_kind"), ANONYMOUS))
}
