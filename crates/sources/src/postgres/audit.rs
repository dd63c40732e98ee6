//! Records of pgAudit: `AUDIT: TYPE,STATEMENT_ID,SUBSTATEMENT_ID,CLASS,COMMAND,OBJECT_TYPE,OBJECT_NAME,STATEMENT,PARAMETER[,ROWS]`.
//!
//! With `log_relation` a statement is one record for each of its relations, and each says the rows of the whole statement.
//! They are counted on the record of the relation that the statement names first, so that they count once; a record that
//! leaves its statement out (`<previously logged>`) never counts them.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Outcome, Text};
use dataward_event::volume::RowCount;

use super::changes;
use super::csv::Fields;
use super::entry::{Entry, Log};
use crate::act::Act;
use crate::container::Fault;
use crate::lenient::bounded_statement;
use crate::sql::{self, Dialect, Statement};

/// What a record begins with.
pub(super) const MARK: &str = "AUDIT: ";

/// One record.
#[derive(Default)]
struct Record<'m> {
    kind: Text<'m>,
    statement_id: Text<'m>,
    substatement_id: Text<'m>,
    class: Text<'m>,
    command: Text<'m>,
    object_name: Text<'m>,
    statement: Text<'m>,
    rows: Option<u64>,
}

impl<'m> Record<'m> {
    fn read(text: &'m str) -> Option<Self> {
        let mut fields = Fields::new(text);
        let mut record = Self {
            kind: fields.next()?,
            statement_id: fields.next()?,
            substatement_id: fields.next()?,
            class: fields.next()?,
            command: fields.next()?,
            ..Self::default()
        };
        fields.next()?;
        record.object_name = fields.next()?;
        record.statement = fields.next().unwrap_or_default();
        let _parameter = fields.next();
        record.rows = fields.next().and_then(|rows| rows.trim().parse().ok());
        let is_known = matches!(&*record.kind, "SESSION" | "OBJECT")
            && record.statement_id.bytes().all(|byte| byte.is_ascii_digit());
        is_known.then_some(record)
    }

    /// The text of the statement, if it is there.
    fn statement(&self) -> Option<&Text<'m>> {
        let is_left_out = matches!(&*self.statement, "" | "<previously logged>" | "<not logged>");
        (!is_left_out).then_some(&self.statement)
    }

    fn act(&self) -> Act {
        match (&*self.class, &*self.command) {
            // Nothing is read before it is executed, and what is executed has records of its own.
            ("READ", "PREPARE") | ("FUNCTION", _) | ("MISC", "EXECUTE") => Act::OTHER,
            ("READ", _) => Act::QUERY,
            ("WRITE", "UPDATE") => Act::UPDATE,
            ("WRITE", "DELETE" | "TRUNCATE TABLE" | "TRUNCATE") => Act::DELETE,
            ("WRITE", _) => Act::WRITE,
            ("ROLE", "GRANT ROLE") => Act::GRANT,
            ("ROLE", "REVOKE ROLE") => Act::REVOKE,
            (_, command) => sql::command(command, Dialect::Postgres).map_or(Act::OTHER, |c| c.act),
        }
    }

    /// What the statement says, where that is not known from the record itself.
    fn read_statement(&self) -> Option<Statement> {
        let matters = match &*self.class {
            "READ" | "ROLE" | "DDL" | "FUNCTION" => true,
            "WRITE" => self.object_name.is_empty(),
            _ => matches!(
                self.command.split(' ').next(),
                Some("SET" | "RESET" | "ALTER" | "GRANT" | "SECURITY")
            ),
        };
        let text = self.statement().filter(|_| matters)?;
        let mut all = sql::read_each(text, Dialect::Postgres);
        if all.len() > 1 {
            // A text of several statements stands in the records of each of them.
            let own = all.iter().position(|read| self.is_of(&read.command))?;
            return Some(all.swap_remove(own));
        }
        all.pop()
    }

    fn is_of(&self, command: &str) -> bool {
        // `COPY TO` is `COPY`, `DECLARE` is `DECLARE CURSOR`.
        command == self.command
            || command.split(' ').next() == Some(&*self.command)
            || self.command.split(' ').next() == Some(command)
    }

    /// The rows that this record is to be counted with.
    fn counted_rows(&self, statement: Option<&Statement>) -> Option<RowCount> {
        let rows = self.rows?;
        self.statement()?;
        // Cursors, prepared statements and COPY say 0, however many they move.
        let is_told = matches!(&*self.class, "READ" | "WRITE")
            && !matches!(&*self.command, "COPY" | "PREPARE" | "DECLARE CURSOR" | "EXECUTE");
        if rows == 0 && !is_told {
            return None;
        }
        if let Some(first) = statement.and_then(|statement| statement.tables.first())
            && !self.object_name.is_empty()
            && !is_same_relation(&self.object_name, first)
        {
            return None;
        }
        Some(RowCount(rows))
    }
}

/// Whether a name with its schema is what a statement calls by this name.
fn is_same_relation(full: &str, written: &str) -> bool {
    let last = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        last.trim_matches('"').to_ascii_lowercase()
    };
    last(full) == last(written)
}

/// The event of a record.
pub(super) fn event<'m>(
    log: &Log<'_>,
    entry: &Entry<'m>,
    text: &'m str,
) -> Result<AuditEvent<'m>, Fault> {
    let Some(record) = Record::read(text) else {
        return Err(Fault::shape(
            "expected a record of pgAudit: AUDIT: SESSION or OBJECT, ids, class, command",
        ));
    };
    let operation = if record.command.is_empty() { &record.class } else { &record.command };
    let mut event = entry.begin(log, operation.clone())?;
    record.act().put(&mut event);
    event.outcome = Outcome::Success;
    event.event_code = Some(record.kind.clone());
    let ids = format!("{}/{}", record.statement_id, record.substatement_id);
    event.request_uid = Some(Cow::Owned(ids));
    let read = record.read_statement();
    event.volume.rows = record.counted_rows(read.as_ref());
    if record.object_name.is_empty() {
        let tables = read.iter().flat_map(|read| &read.tables);
        event.objects = tables.map(|table| Cow::Owned(table.clone())).collect();
    } else {
        event.objects = vec![record.object_name.clone()];
    }
    if let Some(read) = read {
        if record.act() == Act::QUERY {
            event.read_scope = read.scope;
        }
        changes::put(&mut event, log, &read.effects);
        if let Some(text) = record.statement() {
            changes::put_database(&mut event, log, text);
        }
    }
    event.statement = record.statement().cloned().map(bounded_statement);
    Ok(event)
}
