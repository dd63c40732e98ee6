//! Which changes of protection a statement states: by what it does, not by the look of its text.

use std::borrow::Cow;

use dataward_event::change::Direction;

use crate::catalogue_rows::snowflake as rows;
use crate::changes::Changes;
use crate::network::{Breadth, breadth};
use crate::sql::{Action, Effect, Grant, Policy, PolicyKind, Scope, Statement};

/// Roles that may do everything, or give themselves whatever is missing.
const ADMIN_ROLES: [&str; 4] = ["ACCOUNTADMIN", "SECURITYADMIN", "ORGADMIN", "SYSADMIN"];

/// Privileges that override protection.
const ADMIN_PRIVILEGES: [&str; 5] = [
    "MANAGE GRANTS",
    "APPLY MASKING POLICY",
    "APPLY ROW ACCESS POLICY",
    "OVERRIDE SHARE RESTRICTIONS",
    "ATTACH POLICY",
];

/// Privileges with which data is read, or taken over.
const DATA_PRIVILEGES: [&str; 6] =
    ["SELECT", "ALL", "ALL PRIVILEGES", "OWNERSHIP", "IMPORTED PRIVILEGES", "READ"];

/// Parameters of the account that keep data from being unloaded just anywhere.
const UNLOAD_GUARDS: [&str; 4] = [
    "REQUIRE_STORAGE_INTEGRATION_FOR_STAGE_CREATION",
    "REQUIRE_STORAGE_INTEGRATION_FOR_STAGE_OPERATION",
    "PREVENT_UNLOAD_TO_INLINE_URL",
    "PREVENT_UNLOAD_TO_INTERNAL_STAGES",
];

/// Where a session stands: what a name says that leaves out its database or schema.
#[derive(Default, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) database: Option<&'p str>,
    pub(super) schema: Option<&'p str>,
}

impl Place<'_> {
    /// A name of a table, a policy, a stage in full, as far as the session tells it, in upper case.
    fn full(self, name: &str) -> String {
        let name = name.to_ascii_uppercase();
        let known = match (name.split('.').count(), self.database, self.schema) {
            (1, Some(database), Some(schema)) => format!("{database}.{schema}.{name}"),
            (2, Some(database), _) => format!("{database}.{name}"),
            _ => name,
        };
        known.to_ascii_uppercase()
    }

    /// The same of a schema.
    fn full_schema(self, name: &str) -> String {
        let name = name.to_ascii_uppercase();
        match self.database.filter(|_| !name.contains('.')) {
            Some(database) => format!("{}.{name}", database.to_ascii_uppercase()),
            None => name,
        }
    }
}

/// What a statement changes, and in which database: `None` is the account, and an empty name the database of the session.
#[derive(Default)]
pub(super) struct Found<'p> {
    pub(super) changes: Changes,
    pub(super) database: Option<String>,
    place: Place<'p>,
}

impl Found<'_> {
    /// The change is of an object inside a database: its name there.
    fn inside(&mut self, object: &str) -> String {
        let full = self.place.full(object);
        let database = full.split_once('.').filter(|(_, rest)| rest.contains('.'));
        let (database, rest) = match database {
            Some((database, rest)) => (database.to_owned(), rest.to_owned()),
            None => (String::new(), full),
        };
        self.database = Some(database);
        rest
    }
}

/// Everything that a statement changes.
pub(super) fn of<'p>(statement: &Statement, text: &str, place: Place<'p>) -> Found<'p> {
    let mut found = Found { place, ..Found::default() };
    // A policy that takes the place of another in one statement leaves no gap.
    let is_replaced = |policy: &Policy| {
        policy.kind == PolicyKind::RowAccess
            && policy.action == Action::Detach
            && statement.effects.iter().any(|effect| {
                matches!(effect, Effect::Policy(other) if other.kind == policy.kind
                    && other.action == Action::Attach && other.object == policy.object)
            })
    };
    for effect in &statement.effects {
        match effect {
            Effect::Policy(policy) if is_replaced(policy) => {}
            Effect::Policy(policy) => read_policy(policy, &mut found),
            Effect::Setting { scope, name, value } => {
                setting(scope, name, value.as_deref(), &mut found);
            }
            Effect::Grant(grant) => rights(grant, true, &mut found),
            Effect::Revoke(grant) => rights(grant, false, &mut found),
            Effect::Share { action, kind: "SHARE", name, accounts } => {
                share(*action, name, accounts, &mut found);
            }
            Effect::Share { action, kind: "LISTING", name, .. } => {
                let is_offered = matches!(action, Action::Create | Action::Attach);
                if is_offered || matches!(action, Action::Detach | Action::Drop) {
                    let opened = format!("listing {}", name.to_ascii_uppercase());
                    found.changes.flag(&rows::LISTED, is_offered, opened);
                }
            }
            Effect::Stage { name, url, has_credentials, integration } => {
                let opened = format!("stage {}", found.inside(name));
                let is_weak = *has_credentials && integration.is_none();
                let change = found.changes.flag(&rows::STAGE_CREDENTIALS, is_weak, opened);
                change.after = Some(Cow::Owned(url.clone()));
            }
            Effect::Integration { kind, name, properties, .. } => {
                integration(kind, name, properties, &mut found);
            }
            Effect::Replication { object, accounts, is_enabled } => {
                found.database = Some(object.clone());
                let row = &rows::REPLICATED;
                if accounts.is_empty() && !is_enabled {
                    found.changes.whole(row, []);
                }
                for account in accounts {
                    found.changes.flag(row, *is_enabled, format!("account {account}"));
                }
            }
            _ => {}
        }
    }
    if statement.command == "DROP STAGE"
        && let Some(name) = text.trim_end_matches([';', ' ', '\n']).rsplit([' ', '\n']).next()
    {
        let opened = format!("stage {}", found.inside(name));
        found.changes.strengthened(&rows::STAGE_CREDENTIALS, opened);
    }
    found
}

fn read_policy(policy: &Policy, found: &mut Found<'_>) {
    let name = policy.name.to_ascii_uppercase();
    let object = policy.object.as_deref().unwrap_or_default();
    let upper = object.to_ascii_uppercase();
    let is_taken = matches!(policy.action, Action::Detach | Action::Drop);
    match (policy.kind, policy.action) {
        (PolicyKind::Network, Action::Attach | Action::Detach) => {
            network_policy_of(object, is_taken, found);
        }
        (PolicyKind::Network, _) => network_policy(policy, &name, found),
        (PolicyKind::Masking, Action::Attach | Action::Detach) => {
            // The column's name stands behind the table's.
            let (table, column) = object.rsplit_once('.').unwrap_or((object, ""));
            let opened = format!("{}.{}", found.inside(table), column.to_ascii_uppercase());
            found.changes.flag(&rows::MASKING_UNSET, is_taken, opened);
        }
        (PolicyKind::Masking, _) => {
            let opened = format!("policy {}", found.inside(&policy.name));
            // A body that is nothing but a name gives the value as it is.
            let is_plain = policy.body.as_deref().is_some_and(is_name);
            let direction = if is_plain { Direction::Weakened } else { Direction::Unknown };
            let change = found.changes.push(&rows::MASKING_CHANGED, direction, opened);
            change.after = policy.body.clone().map(Cow::Owned);
        }
        (PolicyKind::RowAccess, Action::Attach) => {
            let opened = format!("table {}", found.inside(object));
            found.changes.strengthened(&rows::ROW_POLICY_DROPPED, opened);
        }
        (PolicyKind::RowAccess, Action::Detach) => {
            let opened = format!("table {}", found.inside(object));
            found.changes.weakened(&rows::ROW_POLICY_DROPPED, opened);
        }
        (PolicyKind::RowAccess, Action::Alter) => {
            if let Some(body) = &policy.body {
                let opened = format!("policy {}", found.inside(&policy.name));
                let is_open = body.trim().eq_ignore_ascii_case("true");
                found.changes.flag(&rows::ROW_POLICY_DROPPED, is_open, opened).after =
                    Some(Cow::Owned(body.clone()));
            }
        }
        (PolicyKind::Aggregation | PolicyKind::Projection, Action::Attach | Action::Detach) => {
            let kind =
                if policy.kind == PolicyKind::Aggregation { "aggregation" } else { "projection" };
            let opened = format!("{kind} {}", found.inside(object));
            found.changes.flag(&rows::AGGREGATION_UNSET, is_taken, opened);
        }
        (PolicyKind::Aggregation | PolicyKind::Projection, Action::Alter) => {
            if let Some(body) = &policy.body {
                let opened = format!("policy {}", found.inside(&policy.name));
                let compact: String = body.chars().filter(|c| !c.is_whitespace()).collect();
                let compact = compact.to_ascii_uppercase();
                let is_open = compact.starts_with("NO_AGGREGATION_CONSTRAINT(")
                    || compact.starts_with("PROJECTION_CONSTRAINT(ALLOW=>TRUE");
                found.changes.flag(&rows::AGGREGATION_UNSET, is_open, opened).after =
                    Some(Cow::Owned(body.clone()));
            }
        }
        (PolicyKind::Authentication, _) => authentication_policy(policy, &name, &upper, found),
        _ => {}
    }
}

fn is_name(body: &str) -> bool {
    let is_word = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = body.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let is_value = ["NULL", "TRUE", "FALSE"].iter().any(|word| body.eq_ignore_ascii_case(word));
    is_word && begins && !is_value
}

fn network_policy(policy: &Policy, name: &str, found: &mut Found<'_>) {
    let opened = format!("policy {name}");
    match policy.action {
        Action::Drop => {
            found.changes.weakened(&rows::POLICY_DROPPED, opened);
            return;
        }
        Action::Create => {
            found.changes.strengthened(&rows::POLICY_DROPPED, opened.clone());
        }
        _ => {}
    }
    let row = &rows::POLICY_WORLD;
    for (property, values) in &policy.properties {
        match property.as_str() {
            "ALLOWED_IP_LIST" => {
                let is_open = values.iter().any(|v| breadth(v) == Some(Breadth::World));
                let change = found.changes.flag(row, is_open, opened.clone());
                change.after = Some(Cow::Owned(values.join(",")));
            }
            "ALLOWED_NETWORK_RULE_LIST" | "BLOCKED_IP_LIST" | "BLOCKED_NETWORK_RULE_LIST"
                if policy.action != Action::Create =>
            {
                let opened = format!("{opened} {property}");
                found.changes.flag(row, values.is_empty(), opened);
            }
            _ => {}
        }
    }
}

/// A policy is attached to the account, or to a user.
fn network_policy_of(object: &str, is_taken: bool, found: &mut Found<'_>) {
    let owner = match object.to_ascii_uppercase().as_str() {
        "" | "ACCOUNT" => "account".to_owned(),
        user => format!("user {user}"),
    };
    found.changes.flag(&rows::POLICY_UNSET, is_taken, owner);
}

fn authentication_policy(policy: &Policy, name: &str, object: &str, found: &mut Found<'_>) {
    let row = &rows::AUTHENTICATION_POLICY;
    match policy.action {
        Action::Drop => {
            found.changes.weakened(row, format!("policy {name}"));
        }
        Action::Detach => {
            found.changes.weakened(row, format!("of {object}"));
        }
        Action::Attach => {
            found.changes.strengthened(row, format!("of {object}"));
        }
        Action::Create | Action::Alter => {
            for (property, values) in &policy.properties {
                let has = |word: &str| values.iter().any(|v| v.eq_ignore_ascii_case(word));
                let is_weak = match property.as_str() {
                    "MFA_ENROLLMENT" => has("OPTIONAL"),
                    "AUTHENTICATION_METHODS" => has("PASSWORD") || has("ALL"),
                    _ => continue,
                };
                found.changes.flag(row, is_weak, format!("policy {name} {property}"));
            }
        }
    }
}

fn setting(scope: &Scope, name: &str, value: Option<&str>, found: &mut Found<'_>) {
    let name = name.to_ascii_uppercase();
    let is = |word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
    match scope {
        Scope::Account if name == "NETWORK_POLICY" => {
            network_policy_of("account", value.is_none(), found);
        }
        Scope::Role(user) if name == "NETWORK_POLICY" => {
            network_policy_of(user, value.is_none(), found);
        }
        Scope::Account if UNLOAD_GUARDS.contains(&name.as_str()) => {
            // Unset is back at the default, which is false.
            found.changes.flag(&rows::UNLOAD_ALLOWED, !is("TRUE"), name);
        }
        Scope::Role(user) => user_setting(&user.to_ascii_uppercase(), &name, value, found),
        Scope::Database(object) | Scope::Object(object)
            if name == "DATA_RETENTION_TIME_IN_DAYS" && value.is_some() =>
        {
            let name = match scope {
                Scope::Database(database) => {
                    found.database = Some(database.clone());
                    database.to_ascii_uppercase()
                }
                _ => found.inside(object),
            };
            let opened = format!("of {name}");
            found.changes.flag(&rows::RETENTION_ZERO, is("0"), opened);
        }
        Scope::Account
            if value.is_some()
                && matches!(
                    name.as_str(),
                    "DATA_RETENTION_TIME_IN_DAYS" | "MIN_DATA_RETENTION_TIME_IN_DAYS"
                ) =>
        {
            let least = if name.starts_with("MIN") { "least " } else { "" };
            found.changes.flag(&rows::RETENTION_ZERO, is("0"), format!("{least}of account"));
        }
        _ => {}
    }
}

fn user_setting(user: &str, name: &str, value: Option<&str>, found: &mut Found<'_>) {
    let is = |word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
    let is_weak = match name {
        "DISABLED" => is("FALSE"),
        "DISABLE_MFA" => is("TRUE"),
        // A service of the old kind signs in by its password alone.
        "TYPE" => is("LEGACY_SERVICE"),
        "MINS_TO_BYPASS_MFA" => value.is_some_and(|minutes| minutes != "0"),
        "RSA_PUBLIC_KEY" | "RSA_PUBLIC_KEY_2" => value.is_none(),
        _ => return,
    };
    let change = found.changes.flag(&rows::USER_WEAKENED, is_weak, format!("user {user} {name}"));
    // A key is no secret, but nobody reads it here.
    change.after = value.filter(|_| !name.starts_with("RSA")).map(|v| Cow::Owned(v.to_owned()));
}

fn rights(grant: &Grant, is_given: bool, found: &mut Found<'_>) {
    let is_of_role = grant.object_type.as_deref() == Some("ROLE") || grant.objects.is_empty();
    for grantee in &grant.grantees {
        let to = grantee.name.to_ascii_uppercase();
        for privilege in &grant.privileges {
            let privilege = match privilege.to_ascii_uppercase() {
                all if all == "ALL PRIVILEGES" => "ALL".to_owned(),
                other => other,
            };
            let is_admin = (is_of_role && ADMIN_ROLES.contains(&privilege.as_str()))
                || ADMIN_PRIVILEGES.contains(&privilege.as_str());
            if is_admin {
                let opened = format!("{privilege} to {to}");
                found.changes.flag(&rows::GRANT_ADMIN, is_given, opened);
            }
            if is_of_role {
                if grantee.is_public() {
                    let opened = format!("role {privilege}");
                    found.changes.flag(&rows::GRANT_PUBLIC, is_given, opened);
                }
                continue;
            }
            let kind = grant.object_type.as_deref().unwrap_or_default();
            let full = |name: &String| match kind {
                "DATABASE" | "ACCOUNT" | "WAREHOUSE" | "INTEGRATION" => name.to_ascii_uppercase(),
                kind if kind.ends_with("IN DATABASE") => name.to_ascii_uppercase(),
                kind if kind == "SCHEMA" || kind.ends_with("IN SCHEMA") => {
                    found.place.full_schema(name)
                }
                _ => found.place.full(name),
            };
            let things = grant.objects.iter().map(full).collect::<Vec<_>>().join(",");
            let opened = format!("{privilege} {kind} {things}").replace("  ", " ");
            let is_share = grantee.kind.as_deref() == Some("SHARE");
            if is_share {
                let opened = format!("share {to}: {opened}");
                found.changes.flag(&rows::SHARED, is_given, opened);
            } else if grantee.is_public() && DATA_PRIVILEGES.contains(&privilege.as_str()) {
                let first = things.split(',').next().unwrap_or_default();
                let is_in_schema = kind == "SCHEMA" || kind.ends_with("IN SCHEMA");
                let of_database = match kind {
                    "DATABASE" => Some(first),
                    kind if kind.ends_with("IN DATABASE") => Some(first),
                    _ if is_in_schema => first.split_once('.').map(|(database, _)| database),
                    _ => first
                        .split_once('.')
                        .filter(|(_, rest)| rest.contains('.'))
                        .map(|(database, _)| database),
                };
                found.database = Some(of_database.unwrap_or_default().to_owned());
                found.changes.flag(&rows::GRANT_PUBLIC, is_given, opened);
            }
        }
    }
}

fn share(action: Action, name: &str, accounts: &[String], found: &mut Found<'_>) {
    let row = &rows::SHARED;
    let name = name.to_ascii_uppercase();
    match action {
        Action::Drop => {
            let opened = format!("share {name}");
            found.changes.strengthened(row, opened);
        }
        // Nobody sees a new share yet, and nothing is in it.
        Action::Create => {}
        Action::Attach | Action::Detach | Action::Alter => {
            for account in accounts {
                let is_given = action != Action::Detach;
                let account = account.to_ascii_uppercase();
                found.changes.flag(row, is_given, format!("share {name}: account {account}"));
            }
        }
    }
}

fn integration(
    kind: &str,
    name: &str,
    properties: &[(String, Vec<String>)],
    found: &mut Found<'_>,
) {
    let row = &rows::INTEGRATION_OPEN;
    let name = name.to_ascii_uppercase();
    for (property, values) in properties {
        let has = |word: &str| values.iter().any(|value| value.eq_ignore_ascii_case(word));
        let is_weak = match property.as_str() {
            "STORAGE_ALLOWED_LOCATIONS" => has("*"),
            "STORAGE_BLOCKED_LOCATIONS" => values.is_empty(),
            "ENABLED" if kind.starts_with("SECURITY") => has("FALSE"),
            _ => continue,
        };
        found.changes.flag(row, is_weak, format!("integration {name} {property}"));
    }
}
