//! Which changes of protection an action states, by its parameters.

use std::borrow::Cow;

use dataward_event::audit_event::Datastore;
use dataward_event::change::Direction;
use dataward_event::time::EventTime;

use super::Owner;
use crate::catalogue_rows::databricks as rows;
use crate::changes::Changes;
use crate::network::{Breadth, breadth};
use crate::node::Node;

/// A token that is valid for longer outlives whoever needed it.
const TOKEN_DAYS_MAX: i64 = 90;

/// Settings of a workspace that let data out, or everybody at it, each with the value that does.
const EXPORTS: [(&str, &str); 7] = [
    ("enableTableAccessControl", "false"),
    ("enableResultsDownloading", "true"),
    ("enableExportNotebook", "true"),
    ("enableNotebookTableClipboard", "true"),
    ("enableDbfsFileBrowser", "true"),
    ("storeInteractiveNotebookResultsInCustomerAccount", "false"),
    ("enableTokensConfig", "true"),
];

/// Words in the names of settings of an account that guard workspaces.
const GUARDS: [&str; 8] = [
    "network",
    "personal_compute",
    "restrict",
    "esm",
    "enhanced_security",
    "compliance",
    "ip_access",
    "legacy",
];

/// Guards that are off unless somebody sets them.
const OPEN_BY_DEFAULT: [&str; 2] = ["restrict_workspace_admins", "disable_legacy_access"];

/// Principals that stand for everybody.
const EVERYBODY: [&str; 2] = ["account users", "users"];

/// Privileges with which data is read or changed.
const DATA_PRIVILEGES: [&str; 5] =
    ["SELECT", "ALL_PRIVILEGES", "ALL PRIVILEGES", "READ_VOLUME", "MODIFY"];

/// One action.
pub(super) struct Call<'c> {
    pub(super) service: &'c str,
    pub(super) action: &'c str,
    pub(super) params: &'c Node<'c>,
    pub(super) time: Option<EventTime>,
    pub(super) owner: &'c Owner,
}

impl Call<'_> {
    /// The first of several names of a parameter that is there.
    fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.params.text(&[key])).map(Cow::into_owned)
    }

    /// A parameter that is a list: as such, or as JSON inside a text.
    fn list(&self, keys: &[&str]) -> Option<Vec<Node<'static>>> {
        let node = keys.iter().find_map(|key| self.params.at(&[key]))?;
        let node = match node {
            Node::Scalar(text) => match serde_json::from_str::<Node<'_>>(text) {
                Ok(node) => node.into_owned(),
                // Names with commas between them.
                Err(_) => {
                    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                    Node::List(names.map(|n| Node::Scalar(Cow::Owned(n.to_owned()))).collect())
                }
            },
            other => other.clone().into_owned(),
        };
        match node {
            Node::List(items) => Some(items),
            Node::Map(fields) => {
                // `{"allowed_ip_addresses": [...]}`.
                let inner = fields.into_iter().find_map(|(_, value)| match value {
                    Node::List(items) => Some(items),
                    _ => None,
                });
                Some(inner.unwrap_or_default())
            }
            _ => Some(Vec::new()),
        }
    }
}

/// The changes of an action, and what they are on.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changes: Changes,
    pub(super) datastore: Option<Datastore<'static>>,
}

/// Everything that an action changes.
pub(super) fn of(call: &Call<'_>) -> Found {
    let mut found = Found::default();
    match (call.service, call.action) {
        ("workspace", "workspaceConfEdit") => workspace_setting(call, &mut found),
        ("accounts" | "accountsManager" | "workspace", _) => account(call, &mut found),
        ("unityCatalog", _) => unity_catalog(call, &mut found),
        ("ssoConfigBackend", _) => {
            let is_off = call
                .text(&["status"])
                .is_some_and(|status| status.eq_ignore_ascii_case("DISABLED"));
            let direction = if is_off { Direction::Weakened } else { Direction::Unknown };
            found.changes.push(&rows::SSO_CHANGED, direction, "sso");
            found.datastore = Some(call.owner.account());
        }
        _ => {}
    }
    found
}

fn workspace_setting(call: &Call<'_>, found: &mut Found) {
    let key = call.text(&["workspaceConfKeys"]).unwrap_or_default();
    let value = call.text(&["workspaceConfValues"]).unwrap_or_default();
    found.datastore = Some(call.owner.workspace());
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    let changes = &mut found.changes;
    let change = match key.as_str() {
        "enableIpAccessLists" => changes.flag(&rows::IP_LISTS_OFF, !is("true"), "ip_access_lists"),
        "enableVerboseAuditLogs" => changes.flag(&rows::VERBOSE_OFF, !is("true"), "verbose"),
        _ => match EXPORTS.iter().find(|(known, _)| *known == key) {
            Some((known, weak)) => changes.flag(&rows::WORKSPACE_EXPORTS, is(weak), *known),
            None => return,
        },
    };
    change.after = Some(Cow::Owned(value));
}

fn account(call: &Call<'_>, found: &mut Found) {
    let owner = call.owner;
    match call.action {
        "deleteIpAccessList" => {
            found.changes.weakened(&rows::IP_LIST_DELETED, "ip_access_list");
            found.datastore = Some(owner.workspace());
        }
        "createIpAccessList" | "updateIpAccessList" | "replaceIpAccessList" => {
            ip_access_list(call, found);
        }
        "setSetting" | "deleteSetting" => {
            let keys = ["settingTypeName", "settingKeyTypeName", "settingKeyName"];
            let name = call.text(&keys).unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            if GUARDS.iter().any(|guard| lower.contains(guard)) {
                let value = call.params.text(&["settingValueForAudit"]);
                let direction = match call.action {
                    // Without a setting of its own an account has the open one.
                    "deleteSetting" if OPEN_BY_DEFAULT.contains(&&*lower) => Direction::Weakened,
                    _ => guard_direction(&lower, value.as_deref().unwrap_or_default()),
                };
                let change = found.changes.push(&rows::ACCOUNT_SETTING, direction, name);
                change.after = value.map(|value| Cow::Owned(value.into_owned()));
                found.datastore = Some(owner.account());
            }
        }
        "setAdmin" | "addAdmin" | "setAccountAdmin" | "removeAdmin" | "removeAccountAdmin" => {
            let keys = ["targetUserName", "targetUserId", "user_name", "userName"];
            let user = call.text(&keys).unwrap_or_default();
            let is_added = !call.action.starts_with("remove");
            found.changes.flag(&rows::ADMIN_ADDED, is_added, format!("admin {user}"));
            found.datastore = Some(owner.workspace());
        }
        "generateDbToken" | "revokeDbToken" => token(call, found),
        _ => {}
    }
}

/// What the value of a guarding setting means, where its document says whether the guard is on.
fn guard_direction(name: &str, value: &str) -> Direction {
    let Ok(document) = serde_json::from_str::<Node<'_>>(value) else { return Direction::Unknown };
    for (path, value) in document.leaves() {
        let key = path.rsplit('.').next().unwrap_or_default();
        let is_on = match (key, value.as_deref()) {
            ("status", Some("ALLOW_ALL")) | ("is_enabled", Some("false")) => false,
            ("status", Some(_)) if name.contains("restrict") => true,
            ("is_enabled", Some("true")) => true,
            ("value", Some(value)) if name.starts_with("disable_") => value == "true",
            _ => continue,
        };
        return if is_on { Direction::Strengthened } else { Direction::Weakened };
    }
    Direction::Unknown
}

/// A list that allows every address, or that is switched off.
fn ip_access_list(call: &Call<'_>, found: &mut Found) {
    found.datastore = Some(call.owner.workspace());
    if call.action == "createIpAccessList" {
        found.changes.strengthened(&rows::IP_LIST_DELETED, "ip_access_list");
    }
    let keys = ["listType", "list_type"];
    if call.text(&keys).is_some_and(|kind| kind.eq_ignore_ascii_case("BLOCK")) {
        return;
    }
    let enabled = call.text(&["enabled"]).map(|enabled| enabled.eq_ignore_ascii_case("true"));
    let addresses = call.list(&["ipAddresses", "ip_addresses", "addresses"]);
    let is_world = addresses.as_ref().is_some_and(|addresses| {
        addresses
            .iter()
            .filter_map(Node::scalar)
            .any(|address| breadth(&address) == Some(Breadth::World))
    });
    if enabled.is_none() && addresses.is_none() {
        return;
    }
    let id = call.text(&["ipAccessListId", "ip_access_list_id", "listId", "label"]);
    let opened = format!("list {}", id.unwrap_or_default());
    found.changes.flag(&rows::IP_LIST_OPEN, enabled == Some(false) || is_world, opened);
}

fn token(call: &Call<'_>, found: &mut Found) {
    let keys = ["tokenId", "token_id", "tokenHash", "userId", "user_id"];
    let opened = format!("token {}", call.text(&keys).unwrap_or_default());
    if call.action == "revokeDbToken" {
        found.changes.strengthened(&rows::TOKEN_LONG, opened);
        found.datastore = Some(call.owner.workspace());
        return;
    }
    let end = call.params.integer(&["tokenExpirationTime"]).filter(|end| *end > 0);
    let days = match (end, call.time) {
        (Some(end), Some(now)) => end.saturating_sub(now.micros() / 1000) / 86_400_000,
        (Some(_), None) => return,
        (None, _) => i64::MAX,
    };
    if days > TOKEN_DAYS_MAX {
        found.changes.weakened(&rows::TOKEN_LONG, opened);
        found.datastore = Some(call.owner.workspace());
    }
}

fn unity_catalog(call: &Call<'_>, found: &mut Found) {
    let owner = call.owner;
    let name = call.text(&["name", "name_arg", "full_name_arg"]).unwrap_or_default();
    match call.action {
        "createRecipient" | "updateRecipient" | "deleteRecipient" => recipient(call, &name, found),
        "updateSharePermissions" => {
            for (principal, privilege, is_added) in deltas(call) {
                let opened = format!("{principal} {privilege}");
                found.changes.flag(&rows::SHARE_GRANTED, is_added, opened);
            }
            found.datastore = Some(owner.share(&name));
        }
        "createShare" | "updateShare" => {
            for update in call.list(&["updates"]).unwrap_or_default() {
                let object = update.text(&["data_object", "name"]).unwrap_or_default();
                let is_added = match update.text(&["action"]).as_deref() {
                    Some("ADD") => true,
                    Some("REMOVE") => false,
                    _ => continue,
                };
                found.changes.flag(&rows::SHARE_GROWN, is_added, object.into_owned());
            }
            found.datastore = Some(owner.share(&name));
        }
        "deleteShare" => {
            found.changes.whole(&rows::SHARE_GRANTED, []);
            found.changes.whole(&rows::SHARE_GROWN, []);
            found.datastore = Some(owner.share(&name));
        }
        "updatePermissions" => permissions(call, found),
        "createCatalog" | "deleteCatalog" if !name.is_empty() => {
            found.datastore = Some(owner.catalog(&name));
        }
        "updateCatalog" => {
            if let Some(new) = call.text(&["owner"]) {
                let is_everybody = EVERYBODY.contains(&new.to_ascii_lowercase().as_str());
                let opened = format!("owner of {name}");
                found.changes.flag(&rows::GRANT_ALL_USERS, is_everybody, opened).after =
                    Some(Cow::Owned(new));
                found.datastore = Some(owner.catalog(&name));
            }
            if let Some(mode) = call.text(&["isolation_mode", "isolationMode"]) {
                let is_open = mode.eq_ignore_ascii_case("OPEN");
                found.changes.flag(&rows::CATALOG_OPEN, is_open, "isolation_mode").after =
                    Some(Cow::Owned(mode));
                found.datastore = Some(owner.catalog(&name));
            }
        }
        "createStorageCredential"
        | "createExternalLocation"
        | "deleteStorageCredential"
        | "deleteExternalLocation" => {
            let kind = call.action.trim_start_matches("create").trim_start_matches("delete");
            let is_created = call.action.starts_with("create");
            let opened = format!("{kind} {name}");
            let change = found.changes.flag(&rows::EXTERNAL_STORAGE, is_created, opened);
            change.after = call.text(&["url"]).map(Cow::Owned);
            found.datastore = Some(owner.account());
        }
        _ => {}
    }
}

/// Whoever has the token of a recipient without addresses may read from anywhere.
fn recipient(call: &Call<'_>, name: &str, found: &mut Found) {
    let opened = format!("recipient {name}");
    let addresses = call.list(&["ip_access_list", "ipAccessList"]);
    let kind = call.text(&["authentication_type", "authenticationType"]);
    let is_inside = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("DATABRICKS"));
    let is_narrow = addresses.as_ref().is_some_and(|addresses| {
        let mut texts = addresses.iter().filter_map(Node::scalar);
        !addresses.is_empty() && !texts.any(|text| breadth(&text) == Some(Breadth::World))
    });
    match call.action {
        "deleteRecipient" => {
            found.changes.strengthened(&rows::RECIPIENT_OPEN, opened);
        }
        "createRecipient" if !is_inside => {
            found.changes.flag(&rows::RECIPIENT_OPEN, !is_narrow, opened);
        }
        "updateRecipient" if addresses.is_some() => {
            found.changes.flag(&rows::RECIPIENT_UPDATED, !is_narrow, opened);
        }
        _ => return,
    }
    found.datastore = Some(call.owner.account());
}

/// Who gets or loses which privilege: `[{"principal": …, "add": […], "remove": […]}]`.
fn deltas(call: &Call<'_>) -> Vec<(String, String, bool)> {
    let mut deltas = Vec::new();
    for change in call.list(&["changes"]).unwrap_or_default() {
        let principal = change.text(&["principal"]).unwrap_or_default();
        for (key, is_added) in [("add", true), ("remove", false)] {
            for privilege in change.texts(&[key]) {
                deltas.push((principal.to_string(), privilege.into_owned(), is_added));
            }
        }
    }
    deltas
}

fn permissions(call: &Call<'_>, found: &mut Found) {
    let object = call.text(&["securable_full_name", "full_name_arg"]).unwrap_or_default();
    for (principal, privilege, is_added) in deltas(call) {
        let is_data = DATA_PRIVILEGES.contains(&privilege.to_ascii_uppercase().as_str());
        if is_data && EVERYBODY.contains(&principal.to_ascii_lowercase().as_str()) {
            let opened = format!("{principal} {privilege} on {object}");
            found.changes.flag(&rows::GRANT_ALL_USERS, is_added, opened);
        }
    }
    found.datastore = Some(call.owner.catalog(&object));
}
