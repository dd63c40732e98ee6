//! What a statement or a reload does to the protection of a PostgreSQL server.

use dataward_event::audit_event::{AuditEvent, EventKind, Outcome};
use dataward_event::change::{Control, Direction};

use super::entry::{self, Log};
use crate::act::Act;
use crate::catalogue_rows::postgres as rows;
use crate::changes::{Changes, PlaceOf};
use crate::sql::{self, Action, Effect, Grant, Policy, PolicyKind, RoleOptions, Scope};

/// Roles that read everything, run programs, or are the superuser, of a cloud, too.
const POWERFUL_ROLES: [&str; 12] = [
    "postgres",
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
    "rds_superuser",
    "rds_replication",
    "cloudsqlsuperuser",
    "azure_pg_admin",
    "alloydbsuperuser",
    "neon_superuser",
];

/// Extensions by which data leaves the server.
const REACHING_OUT: [&str; 9] = [
    "dblink",
    "postgres_fdw",
    "file_fdw",
    "aws_s3",
    "azure_storage",
    "plpython3u",
    "plperlu",
    "pg_cron",
    "adminpack",
];

/// Settings of the audit that a role, a database or a session may have of its own.
const AUDIT_SETTINGS: [&str; 6] = [
    "pgaudit.log",
    "pgaudit.log_rows",
    "log_statement",
    "log_connections",
    "log_disconnections",
    "session_replication_role",
];

/// What a setting protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Audit,
    Tls,
    Network,
    Authentication,
}

/// Puts what a statement does into its event.
pub(super) fn put(event: &mut AuditEvent<'_>, log: &Log<'_>, effects: &[Effect]) {
    if effects.is_empty() {
        return;
    }
    let mut changes = Changes::default();
    let mut is_of_server = false;
    for effect in effects {
        match effect {
            Effect::Grant(grant) => is_of_server |= granted(grant, false, &mut changes),
            Effect::Revoke(grant) => is_of_server |= granted(grant, true, &mut changes),
            Effect::Role { action, name, options } => {
                is_of_server = true;
                role(*action, name, options, &mut changes);
                if *action == Action::Drop {
                    dropped_role(name, &mut changes);
                }
                let is_password = options.password.is_some();
                let other = RoleOptions { password: None, ..options.clone() };
                if *action == Action::Alter && is_password && other == RoleOptions::default() {
                    Act::PASSWORD_CHANGE.put(event);
                }
            }
            Effect::Setting { scope, name, value } => {
                is_of_server |= matches!(scope, Scope::System | Scope::Role(_));
                if value.is_none() && name.eq_ignore_ascii_case("all") {
                    reset_all(scope, event, &mut changes);
                } else {
                    setting(scope, name, value.as_deref(), event, &mut changes);
                }
            }
            Effect::RowSecurity { table, enabled, forced } => {
                for (what, flag) in
                    [("row level security of", enabled), ("force on owners of", forced)]
                {
                    if let Some(is_on) = flag {
                        changes.flag(
                            &rows::PG_ROW_SECURITY,
                            !is_on,
                            format!("{what} {}", in_public(table)),
                        );
                    }
                }
            }
            Effect::Policy(found) => policy(found, &mut changes),
            Effect::Label { provider, object, label: text } => {
                label(provider.as_deref(), object, text.as_deref(), &mut changes);
            }
            Effect::Extension { action, name } => extension(*action, name, &mut changes),
            Effect::Publication { action, name, all_tables, tables } => {
                if *action == Action::Drop {
                    changes.strengthened(&rows::PG_PUBLICATION, name.clone());
                } else if *all_tables || !tables.is_empty() {
                    let what = if *all_tables { "all tables".to_owned() } else { tables.join(",") };
                    changes.weakened(&rows::PG_PUBLICATION, name.clone()).after = Some(what.into());
                }
            }
            Effect::Subscription { action, name, connection } => {
                let change = match action {
                    Action::Create => changes.weakened(&rows::PG_SUBSCRIPTION, name.clone()),
                    Action::Drop => changes.strengthened(&rows::PG_SUBSCRIPTION, name.clone()),
                    _ => changes.push(&rows::PG_SUBSCRIPTION, Direction::Unknown, name.clone()),
                };
                change.after = connection.as_deref().map(|connection| leads_to(connection).into());
                let other = connection.as_deref().and_then(sql::copies::connection);
                if let Some((host, database)) = other {
                    let database = database.map(|name| format!("/{name}")).unwrap_or_default();
                    let origin = format!("postgres://{host}{database}");
                    changes.copy_from(origin, PlaceOf::default());
                }
            }
            Effect::Call { function, .. } => {
                changes.push(&rows::PG_FUNCTION, Direction::Unknown, function.clone());
            }
            Effect::ActAs { who } => event.actor.issuer = who.clone().map(Into::into),
            _ => {}
        }
    }
    finish(event, log, changes, is_of_server);
}

/// Puts what a reload changed into its event.
pub(super) fn put_parameter(
    event: &mut AuditEvent<'_>,
    log: &Log<'_>,
    name: &str,
    value: Option<&str>,
) {
    let mut changes = Changes::default();
    let row = |family| match family {
        Family::Audit => &rows::PG_LOG_AUDIT,
        Family::Tls => &rows::PG_LOG_TLS,
        Family::Network => &rows::PG_LOG_NETWORK,
        Family::Authentication => &rows::PG_LOG_AUTHENTICATION,
    };
    if let Some((family, direction)) = judged(name, value) {
        let change = changes.push(row(family), direction, name.to_ascii_lowercase());
        change.after = value.map(|value| value.to_owned().into());
    }
    finish(event, log, changes, true);
}

/// Somebody came in whose identity nobody asked for.
pub(super) fn put_trust(event: &mut AuditEvent<'_>, log: &Log<'_>, rule: &str) {
    let mut changes = Changes::default();
    changes.weakened(&rows::PG_LOG_TRUST, "trust").after = Some(rule.to_owned().into());
    finish(event, log, changes, true);
}

fn finish(event: &mut AuditEvent<'_>, log: &Log<'_>, changes: Changes, is_of_server: bool) {
    if is_of_server {
        event.datastore = Some(entry::datastore(log, None));
    }
    if changes.is_empty() {
        return;
    }
    event.changes = changes.into_vec();
    if event.kind == EventKind::Access {
        Act::CONFIG.put(event);
    }
    // Somebody who comes in by trust has come in all the same: the class stays.
    event.kind = EventKind::ConfigChange;
    let is_setting = event.class == dataward_event::audit_event::Class::DeviceConfigState;
    if let [only] = event.changes.as_slice()
        && only.control == Control::AuditLogging
        && is_setting
    {
        match only.direction {
            Direction::Weakened => Act::LOG_DISABLE.put(event),
            Direction::Strengthened => Act::LOG_ENABLE.put(event),
            _ => {}
        }
    }
}

/// Rights for everybody, and roles that are rights; says whether it is about the server, not the database.
fn granted(grant: &Grant, is_taken: bool, changes: &mut Changes) -> bool {
    if grant.objects.is_empty() {
        for role in &grant.privileges {
            if !POWERFUL_ROLES.iter().any(|powerful| role.eq_ignore_ascii_case(powerful)) {
                continue;
            }
            for grantee in &grant.grantees {
                let opened = format!("{role} to {}", grantee.name);
                changes.flag(&rows::PG_GRANT_POWERFUL, !is_taken, opened);
            }
        }
        return true;
    }
    // What everybody may put where others look names up is run by them.
    if grant.object_type.as_deref() == Some("SCHEMA")
        && !(is_taken && grant.with_grant_option)
        && grant
            .privileges
            .iter()
            .any(|right| ["CREATE", "ALL", "ALL PRIVILEGES"].contains(&&**right))
        && grant.grantees.iter().any(|grantee| grantee.is_public())
    {
        for schema in &grant.objects {
            let opened = format!("PUBLIC creating in {schema}");
            changes.flag(&rows::PG_GRANT_PUBLIC, !is_taken, opened).after =
                Some(grant.privileges.join(", ").into());
        }
        return false;
    }
    let is_data = match grant.object_type.as_deref() {
        None => true,
        Some(kind) => kind.contains("TABLE") && kind != "TABLESPACE",
    };
    // Whoever may no longer pass a right on still has it.
    if !is_data || (is_taken && grant.with_grant_option) {
        return false;
    }
    let has = |rights: &[&str]| grant.privileges.iter().any(|given| rights.contains(&&**given));
    let is_all = has(&["ALL", "ALL PRIVILEGES"]);
    let reads = is_all || has(&["SELECT"]);
    let writes = has(&["INSERT", "UPDATE", "DELETE", "TRUNCATE"]) || (is_all && is_taken);
    if grant.grantees.iter().any(|grantee| grantee.is_public()) {
        for object in &grant.objects {
            let object = in_public(object);
            let place = match grant.object_type.as_deref() {
                Some("ALL TABLES IN SCHEMA") => format!("all tables in {object}"),
                _ => object.to_owned(),
            };
            let mut push = |opened: String| {
                let change = changes.flag(&rows::PG_GRANT_PUBLIC, !is_taken, opened);
                change.after = Some(grant.privileges.join(", ").into());
            };
            if reads {
                push(format!("PUBLIC on {place}"));
            }
            if writes && (!reads || is_taken) {
                push(format!("PUBLIC writing on {place}"));
            }
        }
    }
    false
}

/// A name as it is without its schema where that is the one that everybody looks in.
fn in_public(name: &str) -> &str {
    name.strip_prefix("public.").unwrap_or(name)
}

/// A database that is made or dropped. With a `TEMPLATE` the new one is a copy; of the empty templates it is none.
pub(super) fn put_database(event: &mut AuditEvent<'_>, log: &Log<'_>, text: &str) {
    let Some(found) = sql::copies::of_database(text, &["DATABASE"]) else { return };
    // Without quotes a name is in lower case.
    let folded = |name: &str| match text.contains(&format!("\"{name}\"")) {
        true => name.to_owned(),
        false => name.to_ascii_lowercase(),
    };
    let own = entry::datastore(log, Some(&folded(&found.name)));
    let template = found.template.as_deref().map(folded);
    if let Some(template) = template.filter(|name| !matches!(&**name, "template0" | "template1")) {
        let origin = entry::datastore(log, Some(&template));
        if origin.uid != own.uid {
            let mut changes = Changes::default();
            changes.copy_from(origin.uid, PlaceOf::default());
            event.changes.extend(changes.into_vec());
        }
    }
    event.datastore = Some(own);
    if event.outcome == Outcome::Success {
        found.act().put(event);
    }
}

/// Where a connection leads: its host, port and database, and nothing of who comes or by which password.
fn leads_to(connection: &str) -> String {
    if let Some((scheme, rest)) = connection.split_once("://") {
        let place = rest.split(['?', '#']).next().unwrap_or_default();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        return format!("{scheme}://{place}");
    }
    let wanted = ["host", "hostaddr", "port", "dbname"];
    let parts = connection
        .split_whitespace()
        .filter(|part| part.split_once('=').is_some_and(|(key, _)| wanted.contains(&key.trim())));
    parts.collect::<Vec<_>>().join(" ")
}

fn role(action: Action, name: &str, options: &RoleOptions, changes: &mut Changes) {
    let row = match action {
        Action::Create => &rows::PG_ROLE_CREATED,
        _ => &rows::PG_ROLE_ALTERED,
    };
    let attributes = [
        ("superuser", options.superuser),
        ("bypassrls", options.bypass_row_security),
        ("replication", options.replication),
        ("createrole", options.create_role),
    ];
    for (attribute, flag) in attributes {
        let opened = format!("{attribute} of {name}");
        match (action, flag) {
            (Action::Drop, _) => {
                changes.strengthened(row, opened);
            }
            // A new role without the attribute has taken nothing back.
            (Action::Create, Some(false)) | (_, None) => {}
            (_, Some(is_on)) => {
                changes.flag(row, is_on, opened);
            }
        }
    }
}

/// What a role leaves behind that is no more: its memberships and its settings.
fn dropped_role(name: &str, changes: &mut Changes) {
    for powerful in POWERFUL_ROLES {
        changes.strengthened(&rows::PG_GRANT_POWERFUL, format!("{powerful} to {name}"));
    }
    for setting in AUDIT_SETTINGS {
        changes.strengthened(&rows::PG_ROLE_AUDIT, format!("{setting} of {name}"));
    }
}

fn policy(policy: &Policy, changes: &mut Changes) {
    if policy.kind != PolicyKind::RowSecurity {
        return;
    }
    let table = in_public(policy.object.as_deref().unwrap_or_default());
    let opened = format!("{} on {table}", policy.name);
    let is_open = policy.is_permissive
        && policy.body.as_deref().is_some_and(is_always_true)
        && matches!(policy.command.as_deref(), None | Some("ALL" | "SELECT"))
        && (policy.roles.is_empty()
            || policy.roles.iter().any(|role| role.eq_ignore_ascii_case("public")));
    match policy.action {
        Action::Drop => {
            changes.weakened(&rows::PG_POLICY_DROPPED, opened);
        }
        Action::Create if is_open => {
            changes.weakened(&rows::PG_POLICY_OPEN, opened).after = Some("true".into());
        }
        Action::Create => {
            changes.strengthened(&rows::PG_POLICY_DROPPED, opened);
        }
        Action::Alter if policy.body.is_some() => {
            changes.flag(&rows::PG_POLICY_ALTERED, is_open, opened).after =
                policy.body.clone().map(Into::into);
        }
        _ => {}
    }
}

/// `true`, and what is written in its place: `1 = 1`, `'a' = 'a'`.
fn is_always_true(condition: &str) -> bool {
    let is_literal = |text: &str| {
        text.starts_with('\'')
            || (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    condition.eq_ignore_ascii_case("true")
        || condition
            .split_once('=')
            .is_some_and(|(left, right)| left.trim() == right.trim() && is_literal(left.trim()))
}

/// The anonymizer hides columns that are labelled.
fn label(provider: Option<&str>, object: &str, text: Option<&str>, changes: &mut Changes) {
    if provider.is_some_and(|name| name.eq_ignore_ascii_case("anon")) {
        let begin = text.and_then(|text| text.trim_start().get(..6));
        let is_masked = begin.is_some_and(|begin| begin.eq_ignore_ascii_case("MASKED"));
        let opened = format!("mask of {}", in_public(object));
        changes.flag(&rows::PG_LABEL, !is_masked, opened);
    }
}

fn extension(action: Action, name: &str, changes: &mut Changes) {
    let is_dropped = action == Action::Drop;
    if name.eq_ignore_ascii_case("pgaudit") {
        changes.flag(&rows::PG_AUDIT_EXTENSION, is_dropped, "pgaudit");
    } else if REACHING_OUT.iter().any(|reaching| name.eq_ignore_ascii_case(reaching)) {
        changes.flag(&rows::PG_EXTENSION, !is_dropped, name.to_ascii_lowercase());
    }
}

/// Everything that was set for a server, a role, a database or a session is as the files have it.
fn reset_all(scope: &Scope, event: &AuditEvent<'_>, changes: &mut Changes) {
    let (row, owner) = match scope {
        Scope::System => {
            for row in [
                &rows::PG_SYSTEM_AUDIT,
                &rows::PG_SYSTEM_TLS,
                &rows::PG_SYSTEM_NETWORK,
                &rows::PG_SYSTEM_AUTHENTICATION,
            ] {
                changes.whole(row, []);
            }
            return;
        }
        Scope::Role(role) => (&rows::PG_ROLE_AUDIT, format!("of {role}")),
        Scope::Database(database) => (&rows::PG_DATABASE_AUDIT, format!("of {database}")),
        Scope::Session => {
            let session = in_session(event);
            changes.strengthened(&rows::PG_SESSION_ROWS, format!("row_security {session}"));
            (&rows::PG_SESSION_AUDIT, session)
        }
        _ => return,
    };
    for setting in AUDIT_SETTINGS {
        changes.strengthened(row, format!("{setting} {owner}"));
    }
}

fn in_session(event: &AuditEvent<'_>) -> String {
    format!("in session {}", event.actor.session_uid.as_deref().unwrap_or("unknown"))
}

fn setting(
    scope: &Scope,
    name: &str,
    value: Option<&str>,
    event: &AuditEvent<'_>,
    changes: &mut Changes,
) {
    let name = name.to_ascii_lowercase();
    let is_session = matches!(scope, Scope::Session | Scope::Transaction);
    if is_session && name == "row_security" {
        // Every dump sets it for its session, so that it fails rather than leaves rows out.
        let is_off = matches!(judged(&name, value), Some((_, Direction::Weakened)));
        if !is_off || *scope == Scope::Transaction {
            let opened = format!("row_security {}", in_session(event));
            changes.flag(&rows::PG_SESSION_ROWS, is_off, opened).after =
                value.map(|value| value.to_owned().into());
        }
        return;
    }
    let judged = match (is_session, value) {
        // A session that goes back to what was set for it.
        (true, None) => {
            judged(&name, Some("none")).map(|(family, _)| (family, Direction::Strengthened))
        }
        _ if name == "session_replication_role" => {
            let is_weak = value.is_some_and(|value| value.eq_ignore_ascii_case("replica"));
            Some((
                Family::Audit,
                if is_weak { Direction::Weakened } else { Direction::Strengthened },
            ))
        }
        _ => judged(&name, value),
    };
    let Some((family, direction)) = judged else { return };
    let (row, opened) = match (scope, family) {
        (Scope::System, Family::Audit) => (&rows::PG_SYSTEM_AUDIT, name),
        (Scope::System, Family::Tls) => (&rows::PG_SYSTEM_TLS, name),
        (Scope::System, Family::Network) => (&rows::PG_SYSTEM_NETWORK, name),
        (Scope::System, Family::Authentication) => (&rows::PG_SYSTEM_AUTHENTICATION, name),
        (Scope::Role(role), Family::Audit) => (&rows::PG_ROLE_AUDIT, format!("{name} of {role}")),
        (Scope::Database(database), Family::Audit) => {
            (&rows::PG_DATABASE_AUDIT, format!("{name} of {database}"))
        }
        (Scope::Session | Scope::Transaction, Family::Audit) => {
            (&rows::PG_SESSION_AUDIT, format!("{name} {}", in_session(event)))
        }
        _ => return,
    };
    changes.push(row, direction, opened).after = value.map(|value| value.to_owned().into());
}

/// What a value of a setting means; `None` is its default. Settings that protect nothing are none.
fn judged(name: &str, value: Option<&str>) -> Option<(Family, Direction)> {
    let text = value.unwrap_or_default().trim().to_ascii_lowercase();
    let is_off = matches!(&*text, "off" | "false" | "no" | "0" | "none" | "");
    let (family, is_weak) = match &*name.to_ascii_lowercase() {
        "pgaudit.log" => return Some((Family::Audit, audited_classes(&text))),
        "log_statement" if matches!(&*text, "ddl" | "mod") => {
            return Some((Family::Audit, Direction::Unknown));
        }
        "log_statement" | "log_connections" | "log_disconnections" | "logging_collector"
        | "pgaudit.log_rows" => (Family::Audit, is_off),
        "shared_preload_libraries" => (Family::Audit, !text.contains("pgaudit")),
        "ssl" => (Family::Tls, is_off),
        "ssl_min_protocol_version" => {
            (Family::Tls, value.is_some() && !matches!(&*text, "tlsv1.2" | "tlsv1.3"))
        }
        "listen_addresses" => {
            (Family::Network, text.split(',').any(|a| matches!(a.trim(), "*" | "0.0.0.0" | "::")))
        }
        "password_encryption" => {
            (Family::Authentication, value.is_some() && text != "scram-sha-256")
        }
        "row_security" => (Family::Authentication, value.is_some() && is_off),
        // Above these the server keeps what it logs for an audit to itself.
        "log_min_messages" => (Family::Audit, matches!(&*text, "fatal" | "panic")),
        // Who may come in stands in another file from now on, which no record shows.
        "hba_file" => (Family::Authentication, value.is_some()),
        _ => return None,
    };
    Some((family, if is_weak { Direction::Weakened } else { Direction::Strengthened }))
}

/// What a list of pgAudit's classes means: whether reads and roles are among them.
fn audited_classes(list: &str) -> Direction {
    let classes: Vec<&str> = list.split(',').map(str::trim).collect();
    let has = |class: &str| classes.contains(&class);
    let is_cut = classes.iter().any(|class| class.starts_with('-'));
    if list.trim().is_empty() || has("none") || has("off") || is_cut {
        return Direction::Weakened;
    }
    let is_enough = has("all") || (has("read") && has("role"));
    if is_enough { Direction::Strengthened } else { Direction::Unknown }
}
