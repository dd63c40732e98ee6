//! What a record tells, whatever its form.

use std::borrow::Cow;

use dataward_event::audit_event::{ActorKind, AuditEvent, Datastore, DatastoreForm, Outcome, Text};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ReadScope, RowCount};

use super::changes;
use crate::act::Act;
use crate::container::Fault;
use crate::lenient::bounded_statement;
use crate::source::{Place, Source};
use crate::sql::{self, Dialect};

/// Where a record stands.
pub(super) struct Log<'p> {
    pub(super) source: Source,
    pub(super) raw: &'p str,
    pub(super) place: Place<'p>,
}

/// What happened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    #[default]
    Statement,
    /// A connection was made, or refused.
    LogOn,
    /// Something connected, but never said who it is: a health check.
    Touch,
    LogOff,
    TableRead,
    TableWrite,
    TableUpdate,
    TableDelete,
    TableCreate,
    TableAlter,
    TableDrop,
    /// The change feed of the whole server.
    Replication,
    /// The audit began, with the server or without.
    AuditStart,
    AuditStop,
    /// A command of the protocol that is a statement without a text.
    Command,
}

/// One record.
#[derive(Debug, Default)]
pub(super) struct Happening<'a> {
    pub(super) what: What,
    pub(super) time: Option<EventTime>,
    /// The product's words: `Query`, `table_access/read`, `QUERY`.
    pub(super) code: Text<'a>,
    /// What was asked, where no statement says it: `select`, `Init DB`.
    pub(super) command: Option<Text<'a>>,
    pub(super) server: Option<Text<'a>>,
    pub(super) user: Option<Text<'a>>,
    /// The account that the user acts as.
    pub(super) proxied: Option<Text<'a>>,
    pub(super) host: Option<Text<'a>>,
    pub(super) ip: Option<Text<'a>>,
    pub(super) program: Option<Text<'a>>,
    pub(super) connection: Option<Text<'a>>,
    pub(super) request: Option<Text<'a>>,
    pub(super) database: Option<Text<'a>>,
    pub(super) table: Option<Text<'a>>,
    pub(super) statement: Option<Text<'a>>,
    /// The error code; 0 is none.
    pub(super) status: Option<i64>,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// The options that a server was started with.
    pub(super) options: Vec<Text<'a>>,
}

/// Tables of statistics that the server reads for itself with every statement.
const STATISTICS: [&str; 5] =
    ["table_stats", "column_stats", "index_stats", "innodb_table_stats", "innodb_index_stats"];

impl<'a> Happening<'a> {
    /// Its event.
    ///
    /// # Errors
    /// Nothing dates it.
    pub(super) fn event(self, log: &Log<'_>) -> Result<AuditEvent<'a>, Fault> {
        let text = self.statement.as_deref().filter(|_| self.what == What::Statement);
        let read = text.and_then(|text| sql::read(text, Dialect::MySql));
        let (operation, act) = match &read {
            Some(read) => (read.command.clone(), read.act),
            None => match text.and_then(|text| sql::command(text, Dialect::MySql)) {
                Some(command) => (command.name, command.act),
                None => self.plain(),
            },
        };
        let mut event = log.place.event(log.source, log.raw, None, self.time, operation)?;
        act.put(&mut event);
        event.outcome = match self.status {
            Some(0) => Outcome::Success,
            Some(_) => Outcome::Failure,
            None => Outcome::Unknown,
        };
        event.error_code = self.status.filter(|s| *s != 0).map(|s| Cow::Owned(s.to_string()));
        let server = self.server(log);
        event.datastore = Some(datastore(log, &server, self.database.as_deref()));
        event.event_code = Some(self.code.clone()).filter(|code| !code.is_empty());
        if let Some(read) = read {
            event.read_scope = read.scope;
            event.objects = read.tables.into_iter().map(Cow::Owned).collect();
            changes::put(&mut event, log, &server, &read.effects, self.connection.as_deref());
        }
        if let Some(text) = text {
            changes::put_copies(&mut event, log, &server, text);
        }
        match self.what {
            What::Replication => {
                event.read_scope = Some(ReadScope::Export);
                event.datastore = Some(datastore(log, &server, None));
            }
            What::AuditStart | What::AuditStop => {
                event.datastore = Some(datastore(log, &server, None));
                // The server has no connection when it ends; whoever unloads the plugin has one.
                let is_unloaded = self.connection.as_deref().is_some_and(|id| id != "0");
                let is_start = self.what == What::AuditStart;
                changes::put_audit(&mut event, is_start, is_unloaded, &self.options);
            }
            _ => {}
        }
        self.put_volume(&mut event);
        self.put_who(&mut event);
        Ok(event)
    }

    /// What happened, without a statement that could be read.
    fn plain(&self) -> (Text<'static>, Act) {
        let is_statistics = self.database.as_deref() == Some("mysql")
            && self.table.as_deref().is_some_and(|table| STATISTICS.contains(&table));
        let (name, act) = match self.what {
            What::LogOn => ("CONNECT", Act::LOGON),
            What::Touch => ("CONNECT", Act::CONNECT),
            What::LogOff => ("DISCONNECT", Act::LOGOFF),
            What::TableRead if is_statistics => ("READ", Act::OTHER),
            What::TableRead => ("READ", Act::READ),
            What::TableWrite => ("WRITE", Act::WRITE),
            What::TableUpdate => ("UPDATE", Act::UPDATE),
            What::TableDelete => ("DELETE", Act::DELETE),
            What::TableCreate => ("CREATE", Act::SCHEMA_CREATE),
            What::TableAlter => ("ALTER", Act::SCHEMA_UPDATE),
            What::TableDrop => ("DROP", Act::SCHEMA_DELETE),
            What::Replication => ("BINLOG DUMP", Act::QUERY),
            What::AuditStart => ("AUDIT START", Act::LOG_START),
            What::AuditStop => ("AUDIT STOP", Act::LOG_STOP),
            What::Statement | What::Command => {
                let command = self.command.as_deref().unwrap_or("statement");
                return (Cow::Owned(command.to_owned()), command_act(command));
            }
        };
        (Cow::Borrowed(name), act)
    }

    /// The server's own name, unless it is one that every server has.
    fn server(&self, log: &Log<'_>) -> String {
        let own = self.server.as_deref().filter(|server| {
            !server.is_empty() && !matches!(*server, "localhost" | "localhost.localdomain")
        });
        match (own, log.place.host) {
            (Some(own), _) => own.to_owned(),
            (None, Some(host)) => host.to_owned(),
            (None, None) => log.place.server().to_owned(),
        }
    }

    fn put_volume(&self, event: &mut AuditEvent<'a>) {
        if let Some(table) = &self.table {
            let full = match &self.database {
                Some(database) => Cow::Owned(format!("{database}.{table}")),
                None => table.clone(),
            };
            event.objects = vec![full];
        }
        debug_assert!(event.objects.len() <= OBJECTS_PER_EVENT_MAX);
        if event.outcome == Outcome::Failure {
            return;
        }
        // What goes into a file of the server is not sent, and a count of 0 says nothing of it.
        let is_sent = event.read_scope != Some(ReadScope::Export) || self.rows != Some(0);
        event.volume.rows = self.rows.filter(|_| is_sent).map(RowCount);
        event.volume.bytes = self.bytes.filter(|_| is_sent).map(ByteCount);
    }

    fn put_who(self, event: &mut AuditEvent<'a>) {
        let is_served = matches!(self.what, What::LogOn | What::Statement | What::TableRead)
            && event.outcome != Outcome::Failure;
        match self.user {
            Some(user) if !user.is_empty() => event.actor.uid = Some(user),
            // The anonymous account: let in without a name.
            Some(_) if is_served => event.actor.kind = ActorKind::Anonymous,
            _ => {}
        }
        let own = event.actor.uid.as_deref();
        let proxied = self.proxied.filter(|account| !account.is_empty() && Some(&**account) != own);
        if proxied.is_some() {
            event.actor.issuer = proxied;
        }
        event.actor.session_uid.clone_from(&self.connection);
        event.client.ip = self.ip.filter(|ip| !ip.is_empty());
        event.client.domain =
            self.host.filter(|host| !host.is_empty() && Some(host) != event.client.ip.as_ref());
        event.client.user_agent = self.program;
        // The records of a table and of its statement share both numbers.
        event.correlation_uid = match (&self.connection, &self.request) {
            (Some(connection), Some(request)) => {
                Some(Cow::Owned(format!("{connection}/{request}")))
            }
            (connection, _) => connection.clone(),
        };
        event.request_uid = self.request;
        event.statement = self.statement.map(bounded_statement);
    }
}

/// A database of a server, or the whole server.
pub(super) fn datastore(log: &Log<'_>, server: &str, database: Option<&str>) -> Datastore<'static> {
    let (scheme, product) = match log.source {
        Source::MariadbServerAudit => ("mariadb", "MariaDB"),
        _ => ("mysql", "MySQL"),
    };
    let database = database.filter(|database| !database.is_empty());
    let (uid, what) = match database {
        Some(database) => (format!("{scheme}://{server}/{database}"), "database"),
        None => (format!("{scheme}://{server}"), "server"),
    };
    Datastore {
        uid: Cow::Owned(uid),
        name: database.map(|database| Cow::Owned(database.to_owned())),
        resource_type: Some(Cow::Owned(format!("{product} {what}"))),
        form: DatastoreForm::Database,
    }
}

/// What a statement does whose text is not there, by the server's name of it: `select`, `create_user`.
fn command_act(command: &str) -> Act {
    let words = command.replace('_', " ");
    match &*words {
        "select" | "call procedure" | "execute sql" | "ha read" => Act::QUERY,
        "insert select" | "replace select" | "load" => Act::WRITE,
        "update multi" => Act::UPDATE,
        "delete multi" => Act::DELETE,
        "set password" => Act::PASSWORD_CHANGE,
        "create db" => Act::SCHEMA_CREATE,
        "alter db" => Act::SCHEMA_UPDATE,
        "drop db" => Act::SCHEMA_DELETE,
        "revoke all" => Act::REVOKE,
        _ => sql::command(&words, Dialect::MySql).map_or(Act::OTHER, |command| command.act),
    }
}
