//! What a statement does to the protection of a MySQL or MariaDB server.

use dataward_event::audit_event::{AuditEvent, Class, EventKind, Outcome, Text};
use dataward_event::change::{Control, Direction};

use super::happening::{self, Log};
use crate::act::Act;
use crate::catalogue_rows::EmittedRow;
use crate::catalogue_rows::mysql as rows;
use crate::changes::{Changes, PlaceOf};
use crate::source::Source;
use crate::sql::{Action, Effect, Encryption, Grant, Password, RoleOptions, Scope, copies};

/// The same meaning has another row in each product.
struct Rows {
    is_mariadb: bool,
    grant: &'static EmittedRow,
    account: &'static EmittedRow,
    account_altered: &'static EmittedRow,
    tls: &'static EmittedRow,
    authentication: &'static EmittedRow,
    audit: &'static EmittedRow,
    plugin: &'static EmittedRow,
}

const MYSQL: Rows = Rows {
    is_mariadb: false,
    grant: &rows::MYSQL_GRANT,
    account: &rows::MYSQL_ACCOUNT,
    account_altered: &rows::MYSQL_ACCOUNT_ALTERED,
    tls: &rows::MYSQL_TLS,
    authentication: &rows::MYSQL_AUTHENTICATION,
    audit: &rows::MYSQL_AUDIT,
    plugin: &rows::MYSQL_PLUGIN,
};

const MARIADB: Rows = Rows {
    is_mariadb: true,
    grant: &rows::MARIADB_GRANT,
    account: &rows::MARIADB_ACCOUNT,
    account_altered: &rows::MARIADB_ACCOUNT,
    tls: &rows::MARIADB_TLS,
    authentication: &rows::MARIADB_AUTHENTICATION,
    audit: &rows::MARIADB_AUDIT_OFF,
    plugin: &rows::MARIADB_PLUGIN,
};

/// Rights on everything that read it, or take its protection away.
const POWERFUL: [&str; 14] = [
    "ALL",
    "ALL PRIVILEGES",
    "SELECT",
    "FILE",
    "SUPER",
    "AUDIT_ADMIN",
    "AUDIT_ABORT_EXEMPT",
    "SYSTEM_VARIABLES_ADMIN",
    "BACKUP_ADMIN",
    "CLONE_ADMIN",
    "REPLICATION SLAVE",
    "CREATE USER",
    "SYSTEM_USER",
    "CONNECTION_ADMIN",
];

/// Puts what a statement does into its event.
pub(super) fn put(
    event: &mut AuditEvent<'_>,
    log: &Log<'_>,
    server: &str,
    effects: &[Effect],
    connection: Option<&str>,
) {
    let rows = if log.source == Source::MariadbServerAudit { &MARIADB } else { &MYSQL };
    let mut changes = Changes::default();
    written_grant_tables(event, rows, &mut changes);
    let mut is_of_server = !changes.is_empty();
    for effect in effects {
        is_of_server |= !matches!(effect, Effect::Encryption(_) | Effect::ActAs { .. });
        match effect {
            Effect::Grant(grant) => granted(grant, false, rows, &mut changes),
            Effect::Revoke(grant) => granted(grant, true, rows, &mut changes),
            Effect::Role { action, name, options } => {
                account(*action, name, options, rows, &mut changes);
            }
            Effect::RenamedRole { from, to } => renamed(from, to, rows, &mut changes),
            Effect::Setting { scope, name, value } => {
                let session = connection.unwrap_or("unknown");
                setting(scope, name, value.as_deref(), session, rows, &mut changes);
            }
            Effect::Plugin { name, is_installed } => {
                plugin(name, *is_installed, rows, &mut changes)
            }
            Effect::Encryption(Encryption { object, is_encrypted }) if !rows.is_mariadb => {
                changes.flag(&rows::MYSQL_ENCRYPTION, !is_encrypted, object.clone());
            }
            Effect::Instance { operation } => instance(operation, &mut changes),
            Effect::Call { function, arguments } => filter(function, arguments, &mut changes),
            Effect::ActAs { who } => event.actor.issuer = who.clone().map(Into::into),
            _ => {}
        }
    }
    if changes.is_empty() {
        return;
    }
    if is_of_server {
        event.datastore = Some(happening::datastore(log, server, None));
    }
    finish(event, changes);
}

/// A server that is cloned from another one, or follows it; a database that is made or dropped.
pub(super) fn put_copies(event: &mut AuditEvent<'_>, log: &Log<'_>, server: &str, text: &str) {
    if let Some(host) = copies::source_host(text) {
        let own = happening::datastore(log, server, None);
        let origin = happening::datastore(log, &host, None);
        if origin.uid != own.uid {
            let mut changes = Changes::default();
            changes.copy_from(origin.uid, PlaceOf::default());
            event.changes.extend(changes.into_vec());
        }
        event.datastore = Some(own);
    } else if let Some(found) = copies::of_database(text, &["DATABASE", "SCHEMA"]) {
        event.datastore = Some(happening::datastore(log, server, Some(&found.name)));
        if event.outcome == Outcome::Success {
            found.act().put(event);
        }
    }
}

fn finish(event: &mut AuditEvent<'_>, changes: Changes) {
    event.changes = changes.into_vec();
    if event.kind == EventKind::Access {
        Act::CONFIG.put(event);
    }
    event.kind = EventKind::ConfigChange;
    if let [only] = event.changes.as_slice()
        && only.control == Control::AuditLogging
        && event.class == Class::DeviceConfigState
    {
        match only.direction {
            Direction::Weakened => Act::LOG_DISABLE.put(event),
            Direction::Strengthened => Act::LOG_ENABLE.put(event),
            _ => {}
        }
    }
}

/// The audit began or ended, with the options of the server where they are told.
pub(super) fn put_audit(
    event: &mut AuditEvent<'_>,
    is_start: bool,
    is_unloaded: bool,
    options: &[Text<'_>],
) {
    let mut changes = Changes::default();
    let direction = match (is_start, is_unloaded) {
        (true, _) => Direction::Strengthened,
        (false, true) => Direction::Weakened,
        (false, false) => Direction::Unknown,
    };
    changes.push(&rows::MYSQL_AUDIT_STOPPED, direction, "audit");
    if is_start && !options.is_empty() {
        let skips = options.iter().flat_map(|option| option.split_whitespace()).any(|option| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let is_named = name.trim_start_matches('-').replace('_', "-") == "skip-grant-tables";
            is_named && !is_off(value)
        });
        changes.flag(&rows::MYSQL_START, skips, "skip-grant-tables");
    }
    event.changes = changes.into_vec();
}

/// An account as `user@host`; without a host it is everywhere.
fn is_everywhere(account: &str) -> bool {
    account.rsplit_once('@').is_some_and(|(_, host)| host == "%")
}

/// An account without a name.
fn is_anonymous(account: &str) -> bool {
    account.is_empty() || account.starts_with('@')
}

fn granted(grant: &Grant, is_taken: bool, rows: &Rows, changes: &mut Changes) {
    if grant.objects.is_empty() {
        // `REVOKE ALL, GRANT OPTION` takes every right at once. Of a role that is given it is not told what it may do.
        if is_taken && grant.privileges.iter().any(|right| is_all(right)) {
            for grantee in &grant.grantees {
                let opened = format!("{} on *.*", account_name(&grantee.name));
                changes.strengthened(rows.grant, opened).after = Some("no rights".into());
            }
        }
        return;
    }
    let is_usage =
        grant.privileges.iter().all(|privilege| privilege == "USAGE" || privilege == "PROXY");
    if is_taken && grant.with_grant_option {
        return;
    }
    // Of many rights some are taken: the rest stays, unless they are those that count.
    let counts = |right: &String| is_all(right) || POWERFUL.contains(&&**right);
    if is_taken && !grant.privileges.iter().any(counts) {
        return;
    }
    let is_powerful = grant.privileges.iter().any(|privilege| POWERFUL.contains(&&**privilege));
    let changes_accounts = grant
        .privileges
        .iter()
        .any(|right| is_all(right) || ["INSERT", "UPDATE", "DELETE"].contains(&&**right));
    for object in &grant.objects {
        for grantee in &grant.grantees {
            let is_wide = object == "*.*" && (is_powerful || rows.is_mariadb)
                || matches!(&**object, "mysql.*" | "mysql.user") && changes_accounts;
            let is_open = is_anonymous(&grantee.name)
                || grantee.is_public()
                || (rows.is_mariadb && is_everywhere(&grantee.name));
            if !is_usage && (is_wide || is_open) {
                let opened = format!("{} on {object}", account_name(&grantee.name));
                let change = changes.flag(rows.grant, !is_taken, opened);
                change.after = Some(grant.privileges.join(", ").into());
            }
        }
    }
}

fn is_all(right: &str) -> bool {
    matches!(right, "ALL" | "ALL PRIVILEGES")
}

/// An account with its host: without one it is that of every host.
fn account_name(name: &str) -> String {
    match name.split_once('@') {
        None if name.eq_ignore_ascii_case("public") => name.to_owned(),
        None | Some((_, "")) => format!("{}@%", name.trim_end_matches('@')),
        Some(_) => name.to_owned(),
    }
}

/// Accounts, each with what is open of it: who may come from where without TLS, its empty password, its options.
fn account(action: Action, name: &str, options: &RoleOptions, rows: &Rows, changes: &mut Changes) {
    let name = &*account_name(name);
    match action {
        Action::Drop => gone(name, rows, changes),
        Action::Create => {
            let is_safe = options.requires_tls == Some(true) || options.is_locked == Some(true);
            let is_old = options.plugin.as_deref().is_some_and(|p| p == "mysql_native_password");
            if options.password == Some(Password::Empty) && options.is_locked != Some(true) {
                changes.weakened(rows.account, no_password(name));
            }
            if is_anonymous(name)
                || (!is_safe && (is_everywhere(name) || (is_old && !rows.is_mariadb)))
            {
                changes.weakened(rows.account, name.to_owned());
            }
        }
        _ => altered(name, options, rows, changes),
    }
}

/// The opened thing of an account without a password.
fn no_password(name: &str) -> String {
    format!("empty password of {name}")
}

fn altered(name: &str, options: &RoleOptions, rows: &Rows, changes: &mut Changes) {
    match options.password {
        Some(Password::Empty) => {
            changes.weakened(rows.account, no_password(name));
        }
        Some(_) => {
            changes.strengthened(rows.account, no_password(name));
        }
        None => {}
    }
    if options.is_locked == Some(true) {
        // Nobody comes in, by whatever password.
        changes.strengthened(rows.account, name.to_owned());
        changes.strengthened(rows.account, no_password(name));
    }
    match options.requires_tls {
        Some(true) if !is_anonymous(name) => {
            changes.strengthened(rows.account, name.to_owned());
        }
        Some(false) if rows.is_mariadb => {
            changes.weakened(rows.account, name.to_owned());
        }
        _ => {}
    }
    if rows.is_mariadb {
        return;
    }
    let flags = [
        (options.requires_tls.map(|requires| !requires), "no TLS of"),
        (options.is_locked.map(|is_locked| !is_locked), "unlocked"),
        (options.never_expires, "endless password of"),
    ];
    for (is_weak, what) in flags {
        if let Some(is_weak) = is_weak {
            changes.flag(rows.account_altered, is_weak, format!("{what} {name}"));
        }
    }
}

/// An account that is no more, with its rights.
fn gone(name: &str, rows: &Rows, changes: &mut Changes) {
    changes.strengthened(rows.account, name.to_owned());
    changes.strengthened(rows.account, no_password(name));
    if !rows.is_mariadb {
        for what in ["no TLS of", "unlocked", "endless password of"] {
            changes.strengthened(rows.account_altered, format!("{what} {name}"));
        }
    }
    changes.strengthened(rows.grant, format!("{name} on *.*"));
}

/// What was open of an account is open under its new name, but what that was is not told.
fn renamed(from: &str, to: &str, rows: &Rows, changes: &mut Changes) {
    let (from, to) = (&*account_name(from), &*account_name(to));
    gone(from, rows, changes);
    for opened in [to.to_owned(), no_password(to)] {
        changes.push(rows.account, Direction::Unknown, opened).before =
            Some(from.to_owned().into());
    }
    let rights = changes.push(rows.grant, Direction::Unknown, format!("{to} on *.*"));
    rights.before = Some(from.to_owned().into());
}

fn is_off(value: &str) -> bool {
    ["0", "off", "false"].iter().any(|off| value.eq_ignore_ascii_case(off))
}

/// The shortest password that MySQL accepts unless it is told otherwise.
const PASSWORD_LENGTH_MIN: u64 = 8;

/// Settings of the whole server; `None` is their default.
fn setting(
    scope: &Scope,
    name: &str,
    value: Option<&str>,
    session: &str,
    rows: &Rows,
    changes: &mut Changes,
) {
    let name = name.to_ascii_lowercase();
    let text = value.unwrap_or_default();
    if *scope == Scope::Session {
        // What a session leaves out of the log of changes, no replica and no restore sees.
        if name == "sql_log_bin" && !rows.is_mariadb {
            let opened = format!("{name} in session {session}");
            changes.flag(rows.audit, value.is_some_and(is_off), opened);
        }
        return;
    }
    let is_default = value.is_none();
    let (row, is_weak) = match &*name {
        "require_secure_transport" => (rows.tls, is_default || is_off(text)),
        "tls_version" => {
            let is_old = |version: &str| matches!(version.trim(), "TLSv1" | "TLSv1.1");
            (rows.tls, !is_default && (text.is_empty() || text.split(',').any(is_old)))
        }
        "server_audit_logging" if rows.is_mariadb => (rows.audit, is_default || is_off(text)),
        "server_audit_events"
        | "server_audit_excl_users"
        | "server_audit_incl_users"
        | "server_audit_query_log_limit"
            if rows.is_mariadb =>
        {
            (&rows::MARIADB_AUDIT_NARROWED, !is_default && is_narrowed(&name, text))
        }
        "audit_log_policy" | "audit_log_connection_policy" | "audit_log_statement_policy" => {
            (rows.audit, ["none", "errors"].iter().any(|weak| text.eq_ignore_ascii_case(weak)))
        }
        "audit_log_disable" => (rows.audit, !is_default && !is_off(text)),
        "general_log" | "log_bin" | "sql_log_bin" if !rows.is_mariadb => {
            (rows.audit, is_default || is_off(text))
        }
        "init_connect" if !rows.is_mariadb => (rows.audit, text.is_empty()),
        "log_error_verbosity" if !rows.is_mariadb => (rows.audit, text == "1"),
        "local_infile" => (rows.authentication, !is_default && !is_off(text)),
        "strict_password_validation" if rows.is_mariadb => (rows.authentication, is_off(text)),
        "secure_file_priv" => (rows.authentication, !is_default && text.is_empty()),
        "old_passwords" | "skip_name_resolve" => {
            (rows.authentication, !is_default && !is_off(text))
        }
        "validate_password.policy" | "validate_password_policy" => {
            (rows.authentication, matches!(text, "0") || text.eq_ignore_ascii_case("low"))
        }
        "validate_password.length" | "validate_password_length" => {
            let length = text.trim().parse::<u64>();
            (rows.authentication, length.is_ok_and(|length| length < PASSWORD_LENGTH_MIN))
        }
        "default_authentication_plugin" | "authentication_policy" => {
            (rows.authentication, text.contains("mysql_native_password"))
        }
        _ => return,
    };
    changes.flag(row, is_weak, name).after = value.map(|value| value.to_owned().into());
}

/// The characters of a statement that MariaDB's plugin keeps unless it is told otherwise.
const QUERY_LOG_LIMIT: u64 = 1024;

/// Whether the plugin records less by this: no events but all of them, somebody left out, only somebody recorded, less
/// of each statement.
fn is_narrowed(name: &str, value: &str) -> bool {
    if name == "server_audit_query_log_limit" {
        return value.trim().parse::<u64>().is_ok_and(|limit| limit < QUERY_LOG_LIMIT);
    }
    if name != "server_audit_events" {
        return !value.is_empty();
    }
    let has =
        |wanted: &str| value.split(',').any(|event| event.trim().eq_ignore_ascii_case(wanted));
    // Without a name it is all events.
    let is_all = value.is_empty() || ["CONNECT", "QUERY", "TABLE"].into_iter().all(has);
    !is_all
}

fn plugin(name: &str, is_installed: bool, rows: &Rows, changes: &mut Changes) {
    let name = name.to_ascii_lowercase();
    let is_audit = ["audit", "validate_password", "password_check", "connection_control"]
        .iter()
        .any(|guard| name.contains(guard));
    // MySQL's own test of plugins lets everybody in.
    let is_test = name == "test_plugin_server" || name.contains("auth_test_plugin");
    let is_authentication = name.contains("authentication_")
        || is_test
        || name.contains("auth_socket")
        || name.contains("mysql_no_login");
    if is_audit {
        // A file and the plugin in it are called alike.
        let known = name.trim_end_matches(".so").rsplit('/').next().unwrap_or(&name).to_owned();
        changes.flag(rows.plugin, !is_installed, known);
    } else if is_authentication && !rows.is_mariadb {
        let direction = match is_test {
            true if is_installed => Direction::Weakened,
            true => Direction::Strengthened,
            false => Direction::Unknown,
        };
        let change = changes.push(&rows::MYSQL_PLUGIN_AUTHENTICATION, direction, name);
        change.after = Some(if is_installed { "installed".into() } else { "uninstalled".into() });
    }
}

fn instance(operation: &str, changes: &mut Changes) {
    if operation.contains("REDO_LOG") || operation.contains("REDO LOG") {
        let is_weak = operation.starts_with("DISABLE");
        changes.flag(&rows::MYSQL_ENCRYPTION, is_weak, "redo log");
    } else {
        let operation = operation.to_ascii_lowercase();
        changes.push(&rows::MYSQL_INSTANCE, Direction::Unknown, operation);
    }
}

/// Functions by which the audit's own filters are changed.
fn filter(function: &str, arguments: &[Option<String>], changes: &mut Changes) {
    let first = arguments.first().cloned().flatten().unwrap_or_else(|| "*".to_owned());
    let (is_weak, opened) = match function {
        "audit_log_filter_remove_user" => (true, format!("filter of {first}")),
        // What a filter does stands where it was made, but one is called by what it is for.
        "audit_log_filter_set_user" => {
            let name = arguments.get(1).cloned().flatten().unwrap_or_default();
            (name.eq_ignore_ascii_case("log_nothing"), format!("filter of {first}"))
        }
        "audit_log_filter_remove_filter" => (true, format!("filter {first}")),
        "audit_log_filter_flush" => (true, "flush".to_owned()),
        "audit_log_filter_set_filter" => {
            let definition = arguments.get(1).cloned().flatten().unwrap_or_default();
            let compact: String = definition.chars().filter(|c| !c.is_whitespace()).collect();
            (compact.contains("\"log\":false"), format!("filter {first}"))
        }
        _ => return,
    };
    changes.flag(&rows::MYSQL_FILTER, is_weak, opened);
}

/// Accounts written past the statements that are for them.
fn written_grant_tables(event: &AuditEvent<'_>, rows: &Rows, changes: &mut Changes) {
    const TABLES: [&str; 6] =
        ["user", "db", "tables_priv", "columns_priv", "global_priv", "proxies_priv"];
    let is_written = event.class == Class::DatastoreActivity
        && event.kind == EventKind::Access
        && [2, 5, 7].contains(&event.activity_id);
    if !is_written || rows.is_mariadb {
        return;
    }
    for object in &event.objects {
        let table = object.strip_prefix("mysql.");
        if let Some(table) = table.filter(|table| TABLES.contains(table)) {
            changes.weakened(&rows::MYSQL_GRANT_TABLES, format!("mysql.{table}"));
        }
    }
}
