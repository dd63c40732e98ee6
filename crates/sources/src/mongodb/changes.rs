//! Which changes of protection an audit record of MongoDB states.

use std::collections::BTreeSet;

use dataward_event::change::{Change, Direction};

use crate::catalogue_rows::mongodb as rows;
use crate::changes::{Changes, PlaceOf};
use crate::lenient::Unread;
use crate::node::Node;

/// Roles that reach every database.
const WIDE_ROLES: [&str; 9] = [
    "root",
    "__system",
    "readAnyDatabase",
    "readWriteAnyDatabase",
    "dbAdminAnyDatabase",
    "userAdminAnyDatabase",
    "clusterAdmin",
    "backup",
    "dbOwner",
];

/// Whether an operation concerns the server, whatever database it was sent to.
pub(super) fn is_of_server(kind: &str) -> bool {
    matches!(
        kind,
        "startup"
            | "shutdown"
            | "setClusterParameter"
            | "updateCachedClusterServerParameter"
            | "auditConfigure"
            | "replSetReconfig"
            | "addShard"
            | "removeShard"
            | "directAuthMutation"
            | "createUser"
            | "dropUser"
            | "updateUser"
            | "updateRole"
            | "grantRolesToUser"
            | "revokeRolesFromUser"
            | "createRole"
            | "dropRole"
            | "grantRolesToRole"
            | "revokeRolesFromRole"
            | "grantPrivilegesToRole"
            | "revokePrivilegesFromRole"
            | "dropAllUsersFromDatabase"
    )
}

pub(super) fn of(kind: &str, operation: &str, param: Unread<'_>) -> Vec<Change<'static>> {
    let mut changes = Changes::default();
    let Some(param) = param.read::<Node<'_>>() else { return Vec::new() };
    let named = |key: &str| {
        let name = param.text(&[key]).unwrap_or_default();
        match param.text(&["db"]) {
            Some(db) => format!("{db}.{name}"),
            None => name.into_owned(),
        }
    };
    match kind {
        "createUser" | "grantRolesToUser" => {
            for role in wide_roles(&param) {
                user_role(&param, true, format!("{} {role}", named("user")), &mut changes);
            }
        }
        "revokeRolesFromUser" => {
            for role in wide_roles(&param) {
                user_role(&param, false, format!("{} {role}", named("user")), &mut changes);
            }
        }
        "dropUser" => {
            for role in WIDE_ROLES {
                user_role(&param, false, format!("{} {role}", named("user")), &mut changes);
            }
        }
        "dropAllUsersFromDatabase" => {
            user_role(&param, false, String::new(), &mut changes).whole = true;
            // A server without users lets whoever is on its host make the first one.
            if param.text(&["db"]).as_deref() == Some("admin") {
                changes.weakened(&rows::USERS_DROPPED, "users of admin");
            }
        }
        "grantRolesToRole" => {
            for role in wide_roles(&param) {
                changes.weakened(&rows::ROLE_PRIVILEGES, format!("{} {role}", named("role")));
            }
        }
        "revokeRolesFromRole" => {
            for role in wide_roles(&param) {
                changes.strengthened(&rows::ROLE_PRIVILEGES, format!("{} {role}", named("role")));
            }
        }
        // These state all roles that there are from now on.
        "updateUser" if !matches!(param.at(&["roles"]), None | Some(Node::Null)) => {
            let wide = wide_roles(&param);
            for role in WIDE_ROLES {
                let is_given = wide.iter().any(|given| given == role);
                user_role(&param, is_given, format!("{} {role}", named("user")), &mut changes);
            }
        }
        "updateRole" if !matches!(param.at(&["roles"]), None | Some(Node::Null)) => {
            let wide = wide_roles(&param);
            for role in WIDE_ROLES {
                let is_given = wide.iter().any(|given| given == role);
                changes.flag(&rows::ROLE_PRIVILEGES, is_given, format!("{} {role}", named("role")));
            }
            if !matches!(param.at(&["privileges"]), None | Some(Node::Null)) {
                let is_wide = param.list(&["privileges"]).iter().any(is_everything);
                changes.flag(&rows::ROLE_PRIVILEGES, is_wide, named("role"));
            }
        }
        "updateRole" if !matches!(param.at(&["privileges"]), None | Some(Node::Null)) => {
            let is_wide = param.list(&["privileges"]).iter().any(is_everything);
            changes.flag(&rows::ROLE_PRIVILEGES, is_wide, named("role"));
        }
        "createRole" | "grantPrivilegesToRole" => {
            if param.list(&["privileges"]).iter().any(is_everything) {
                changes.weakened(&rows::ROLE_PRIVILEGES, named("role"));
            }
            for role in wide_roles(&param) {
                changes.weakened(&rows::ROLE_PRIVILEGES, format!("{} {role}", named("role")));
            }
        }
        "revokePrivilegesFromRole" => {
            changes.strengthened(&rows::ROLE_PRIVILEGES, named("role"));
        }
        "dropRole" => {
            changes.strengthened(&rows::ROLE_PRIVILEGES, named("role"));
            for role in WIDE_ROLES {
                changes.strengthened(&rows::ROLE_PRIVILEGES, format!("{} {role}", named("role")));
            }
        }
        "directAuthMutation" => {
            let place = param.text(&["ns"]).unwrap_or_default().into_owned();
            changes.weakened(&rows::DIRECT_WRITE, place);
        }
        "startup" => startup(param.at(&["startupOptions"]).unwrap_or(&param), &mut changes),
        "setClusterParameter" | "updateCachedClusterServerParameter" => {
            audit_config(&param, &mut changes)
        }
        "auditConfigure" => {
            if let Some(config) = param.at(&["config"]).or_else(|| param.at(&["new"])) {
                audit_success(config, &mut changes);
            }
        }
        "replSetReconfig" => members(&param, &mut changes),
        "addShard" => {
            let shard = param.text(&["shard"]).unwrap_or_default().into_owned();
            changes.weakened(&rows::SHARD, shard);
        }
        "removeShard" => {
            let shard = param.text(&["shard"]).unwrap_or_default().into_owned();
            changes.strengthened(&rows::SHARD, shard);
        }
        "dropDatabase" => {
            changes.push(&rows::DATABASE_DROPPED, Direction::Unknown, "database");
        }
        "authCheck" if operation == "setAuditConfig" => {
            if let Some(args) = param.at(&["args"]) {
                audit_success(args, &mut changes);
            }
        }
        "authCheck" if operation == "setParameter" => {
            if let Some(args) = param.at(&["args"]) {
                audit_success(args, &mut changes);
                if let Some(mode) = args.text(&["tlsMode"]) {
                    let is_plain = !matches!(&*mode, "requireTLS" | "requireSSL");
                    changes.flag(&rows::TLS, is_plain, "tls");
                }
            }
        }
        _ => {}
    }
    changes.into_vec()
}

/// A role of a user. Users belong to a database and may be dropped with all others of it, so their setting names it.
fn user_role<'c>(
    param: &Node<'_>,
    is_given: bool,
    opened: String,
    changes: &'c mut Changes,
) -> &'c mut Change<'static> {
    let change = changes.flag(&rows::USER_ROLES, is_given, opened);
    if let Some(database) = param.text(&["db"]) {
        change.setting = format!("{} of {database}", rows::USER_ROLES.setting).into();
    }
    change
}

fn wide_roles(param: &Node<'_>) -> Vec<String> {
    let name = |role: &Node<'_>| {
        role.text(&["role"]).or_else(|| role.scalar()).map(|name| name.into_owned())
    };
    let roles = param.list(&["roles"]).iter().filter_map(name);
    roles.filter(|role| WIDE_ROLES.contains(&role.as_str())).collect()
}

/// What lets read everything, or take any right that does.
const WIDE_ACTIONS: [&str; 6] =
    ["find", "anyAction", "changePassword", "createUser", "grantRole", "updateRole"];

/// A privilege on every database.
fn is_everything(privilege: &Node<'_>) -> bool {
    let Some(resource) = privilege.at(&["resource"]) else { return false };
    let is_any = resource.flag(&["anyResource"]) == Some(true);
    let is_all = resource.any_text(&["db"]).is_some_and(|db| db.is_empty())
        && resource.any_text(&["collection"]).is_some_and(|name| name.is_empty());
    let mut actions = privilege.list(&["actions"]).iter().filter_map(Node::scalar);
    (is_any || is_all) && actions.any(|action| WIDE_ACTIONS.contains(&&*action))
}

/// The options of a start say the whole posture: what is not named is at its default.
fn startup(options: &Node<'_>, changes: &mut Changes) {
    let is_on = options.text(&["security", "authorization"]).as_deref() == Some("enabled")
        || options.text(&["security", "keyFile"]).is_some()
        || options.text(&["security", "clusterAuthMode"]).is_some()
        || options.flag(&["auth"]) == Some(true);
    changes.flag(&rows::AUTHORIZATION, !is_on, "authorization");
    let bound = options.text(&["net", "bindIp"]).unwrap_or_default();
    let is_open = options.flag(&["net", "bindIpAll"]) == Some(true)
        || bound.split(',').any(|address| matches!(address.trim(), "0.0.0.0" | "::" | "*"));
    changes.flag(&rows::BIND, is_open, "bindIp");
    let mode =
        options.text(&["net", "tls", "mode"]).or_else(|| options.text(&["net", "ssl", "mode"]));
    let is_plain = !mode.is_some_and(|mode| matches!(&*mode, "requireTLS" | "requireSSL"));
    changes.flag(&rows::TLS, is_plain, "tls");
}

/// `{"setClusterParameter": "auditConfig", …}` in its several shapes.
fn audit_config(param: &Node<'_>, changes: &mut Changes) {
    let config = param
        .at(&["auditConfig"])
        .or_else(|| param.at(&["new", "auditConfig"]))
        .or_else(|| param.at(&["updatedValue"]))
        .or_else(|| param.at(&["setClusterParameter", "auditConfig"]))
        .or_else(|| {
            ["new", "updatedClusterServerParameter"].iter().find_map(|key| {
                param.at(&[key]).filter(|new| new.text(&["_id"]).as_deref() == Some("auditConfig"))
            })
        });
    let Some(config) = config else { return };
    audit_success(config, changes);
    let old = param.at(&["originalClusterServerParameter", "filter"]);
    if let (Some(old), Some(new)) = (old, config.at(&["filter"])) {
        audit_filter(old, new, changes);
    }
}

/// What is recorded, before and after. Filters can be compared where both name the kinds of events that pass.
fn audit_filter(old: &Node<'_>, new: &Node<'_>, changes: &mut Changes) {
    let direction = match (passed(old), passed(new)) {
        (_, Passed::Everything) => Direction::Strengthened,
        (Passed::Everything, _) => Direction::Weakened,
        (Passed::Kinds(old), Passed::Kinds(new)) if old == new => return,
        (Passed::Kinds(old), Passed::Kinds(new)) if old.is_subset(&new) => Direction::Strengthened,
        (Passed::Kinds(_), Passed::Kinds(_)) => Direction::Weakened,
        _ => Direction::Unknown,
    };
    changes.push(&rows::AUDIT_CONFIG, direction, "filter");
}

/// What passes a filter.
enum Passed {
    Everything,
    /// Only events of these kinds.
    Kinds(BTreeSet<String>),
    /// What other marks have.
    Other,
}

fn passed(filter: &Node<'_>) -> Passed {
    let Node::Map(fields) = filter else { return Passed::Other };
    if fields.is_empty() {
        return Passed::Everything;
    }
    let of_kind = filter.text(&["atype"]).map(|kind| vec![kind]);
    let kinds = of_kind.unwrap_or_else(|| filter.texts(&["atype", "$in"]).collect());
    let is_by_kind = fields.len() == 1 && !kinds.is_empty();
    if is_by_kind {
        Passed::Kinds(kinds.into_iter().map(|kind| kind.into_owned()).collect())
    } else {
        Passed::Other
    }
}

fn audit_success(config: &Node<'_>, changes: &mut Changes) {
    if let Some(is_on) = config.flag(&["auditAuthorizationSuccess"]) {
        changes.flag(&rows::AUDIT_CONFIG, !is_on, "auditAuthorizationSuccess");
    }
}

/// Members that were not there before: each gets a full copy.
fn members(param: &Node<'_>, changes: &mut Changes) {
    let hosts = |part: &str| -> Vec<String> {
        let members = param.list(&[part, "members"]).iter();
        members.filter_map(|member| member.text(&["host"])).map(|host| host.into_owned()).collect()
    };
    let (old, new) = (hosts("old"), hosts("new"));
    for host in new.iter().filter(|host| !old.contains(host)) {
        changes.weakened(&rows::MEMBER, host.clone());
        // A server without an old configuration is the first member itself.
        if !old.is_empty() {
            changes.copy_to(format!("mongodb://{host}"), PlaceOf::default());
        }
    }
    for host in old.iter().filter(|host| !new.contains(host)) {
        changes.strengthened(&rows::MEMBER, host.clone());
    }
}
