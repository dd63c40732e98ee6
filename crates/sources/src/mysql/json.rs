//! Records as JSON: MySQL Enterprise Audit, Percona's Audit Log Filter, and Percona's older plugin.

use std::borrow::Cow;

use super::happening::{Happening, What};
use super::xml;
use crate::container::Fault;
use crate::lenient::{Loose, Object, Texts, fields};
use crate::time_text;

fields! {
    /// A record, with the members that are used.
    struct Record<'a> {
        timestamp: Loose<'a> = "timestamp",
        class: Loose<'a> = "class",
        event: Loose<'a> = "event",
        connection: Loose<'a> = "connection_id",
        account: Object<Account<'a>> = "account",
        login: Object<Login<'a>> = "login",
        general: Object<Statement<'a>> = "general_data" | "query_data",
        table: Object<Table<'a>> = "table_access_data",
        connected: Object<Connected<'a>> = "connection_data",
        statistics: Object<Statistics<'a>> = "query_statistics",
        startup: Object<Startup<'a>> = "startup_data",
        percona: Object<Percona<'a>> = "audit_record",
    }

    /// Who asks: the account whose rights are used.
    struct Account<'a> {
        user: Loose<'a> = "user",
        host: Loose<'a> = "host",
    }

    /// Who came in.
    struct Login<'a> {
        user: Loose<'a> = "user",
        ip: Loose<'a> = "ip",
        proxy: Loose<'a> = "proxy",
    }

    /// A statement or another command.
    struct Statement<'a> {
        command: Loose<'a> = "command",
        sql_command: Loose<'a> = "sql_command",
        query: Loose<'a> = "query",
        status: Loose<'a> = "status",
    }

    /// A table that a statement touches.
    struct Table<'a> {
        database: Loose<'a> = "db",
        table: Loose<'a> = "table",
        query: Loose<'a> = "query",
        sql_command: Loose<'a> = "sql_command",
    }

    /// A connection.
    struct Connected<'a> {
        status: Loose<'a> = "status",
        database: Loose<'a> = "db",
        attributes: Object<Attributes<'a>> = "connection_attributes",
    }

    /// What a client says of itself.
    struct Attributes<'a> {
        program: Loose<'a> = "program_name",
        client: Loose<'a> = "_client_name",
    }

    /// How much a statement moved.
    struct Statistics<'a> {
        rows: Loose<'a> = "rows_sent",
        bytes: Loose<'a> = "bytes_sent",
    }

    /// How a server was started.
    struct Startup<'a> {
        arguments: Texts<'a> = "args",
    }

    /// A record of Percona's older plugin, which is its XML as JSON.
    struct Percona<'a> {
        name: Loose<'a> = "name",
        timestamp: Loose<'a> = "timestamp",
        class: Loose<'a> = "command_class",
        connection: Loose<'a> = "connection_id",
        status: Loose<'a> = "status",
        text: Loose<'a> = "sqltext",
        user: Loose<'a> = "user",
        proxy: Loose<'a> = "proxy_user",
        host: Loose<'a> = "host",
        ip: Loose<'a> = "ip",
        database: Loose<'a> = "db",
        options: Loose<'a> = "startup_optionsi" | "startup_options",
    }
}

/// Reads a record.
pub(super) fn read(text: &str) -> Result<Happening<'_>, Fault> {
    let Object { fields: record, .. } = serde_json::from_str::<Object<Record<'_>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    if record.percona.is_object {
        return read_percona(record.percona.fields);
    }
    if record.class.as_str().is_none() {
        return Err(Fault::shape("expected an audit record of MySQL: class, or audit_record"));
    }
    let what = what(&record)?;
    let (class, event) = (record.class.text(), record.event.text());
    let code = match (class, event) {
        (Some(class), Some(event)) => Cow::Owned(format!("{class}/{event}")),
        (class, _) => class.unwrap_or_default(),
    };
    let (table, general) = (record.table.fields, record.general.fields);
    let connected = record.connected.fields;
    let (account, login) = (record.account.fields, record.login.fields);
    // Who came in is the actor; the account that he acts as is on whose behalf.
    let account_user = account.user.0;
    let login_user = login.user.text().or_else(|| account_user.clone());
    let proxied = login.proxy.text().and(account_user);
    let attributes = connected.attributes.fields;
    let is_table = table.table.as_str().is_some();
    Ok(Happening {
        what,
        time: record.timestamp.as_str().and_then(time_text::parse),
        code,
        command: general.sql_command.text().or_else(|| general.command.text()),
        user: login_user,
        proxied,
        host: account.host.text(),
        ip: login.ip.text(),
        program: attributes.program.text().or_else(|| attributes.client.text()),
        connection: record.connection.text(),
        database: table.database.text().or_else(|| connected.database.text()),
        table: table.table.text(),
        statement: general.query.text().or_else(|| table.query.text()),
        status: status(&general.status).or_else(|| status(&connected.status)).or_else(|| {
            // A table is touched when its statement has the right to.
            is_table.then_some(0)
        }),
        rows: record.statistics.fields.rows.as_count(),
        bytes: record.statistics.fields.bytes.as_count(),
        options: record.startup.fields.arguments.0,
        ..Happening::default()
    })
}

fn status(loose: &Loose<'_>) -> Option<i64> {
    loose.as_str()?.parse().ok()
}

/// What a record of Enterprise or of the filter tells, if it is an event.
fn what(record: &Record<'_>) -> Result<What, Fault> {
    let class = record.class.as_str().unwrap_or_default();
    let event = record.event.as_str().unwrap_or_default();
    Ok(match (class, event) {
        ("connection", "connect" | "change_user") => What::LogOn,
        ("connection", "disconnect") => What::LogOff,
        ("general", "status") => {
            return command(record.general.fields.command.as_str().unwrap_or("Query"));
        }
        ("query", "query_status_end" | "query_nested_status_end") => What::Statement,
        ("table_access", "read") => What::TableRead,
        ("table_access", "insert") => What::TableWrite,
        ("table_access", "update") => What::TableUpdate,
        ("table_access", "delete") => What::TableDelete,
        ("audit", "shutdown") => What::AuditStop,
        ("audit", _) => What::AuditStart,
        ("general" | "query" | "command" | "parse" | "message" | "stored_program", _)
        | ("connection" | "authentication" | "global_variable" | "table_access", _) => {
            return Err(Fault::no_event("a step of something that has a record of its own"));
        }
        _ => return Err(Fault::shape("expected a class of MySQL's audit: general, connection, …")),
    })
}

/// What a command of the protocol is.
pub(super) fn command(command: &str) -> Result<What, Fault> {
    Ok(match command {
        "Query" | "Execute" => What::Statement,
        "Binlog Dump" | "Binlog Dump GTID" | "Table Dump" => What::Replication,
        "Init DB" | "Create DB" | "Drop DB" | "Shutdown" | "Kill" | "Fetch" | "Refresh" => {
            What::Command
        }
        _ => {
            return Err(Fault::no_event(
                "a command of the protocol that reads and changes nothing",
            ));
        }
    })
}

fn read_percona(record: Percona<'_>) -> Result<Happening<'_>, Fault> {
    let name = record.name.text().unwrap_or_default();
    let what = xml::what(&name, record.class.as_str())?;
    let mut happening = Happening {
        what,
        time: record.timestamp.as_str().and_then(time_text::parse),
        code: name,
        command: record.class.text(),
        proxied: record.proxy.text(),
        host: record.host.text(),
        ip: record.ip.text(),
        connection: record.connection.text(),
        database: record.database.text(),
        statement: record.text.text(),
        status: status(&record.status),
        options: record.options.text().into_iter().collect(),
        ..Happening::default()
    };
    happening.user = record.user.0.map(|user| match user {
        Cow::Borrowed(user) => Cow::Borrowed(xml::user_name(user)),
        Cow::Owned(user) => Cow::Owned(xml::user_name(&user).to_owned()),
    });
    Ok(happening)
}
