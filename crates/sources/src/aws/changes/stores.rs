//! Caches, streams and file systems.

use std::borrow::Cow;

use dataward_event::audit_event::DatastoreForm;
use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, embedded, items, text_at, texts};
use super::{Call, Found, policy, resource_policies};
use crate::catalogue_rows::{self as rows, EmittedRow};

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("elasticache", "ModifyReplicationGroup") => cache(call, found),
        ("elasticache", "CreateReplicationGroup") => new_cache(call, found),
        ("elasticache", "CreateUser" | "ModifyUser") => cache_user(call, found, &CACHE_USER),
        ("memorydb", "CreateUser" | "UpdateUser") => cache_user(call, found, &MEMORYDB_USER),
        (
            "elasticache",
            "AuthorizeCacheSecurityGroupIngress" | "RevokeCacheSecurityGroupIngress",
        ) => cache_security_group(call, found),
        ("kafka", _) => kafka(call, found),
        ("elasticfilesystem", _) => file_system(call, found),
        _ => {}
    }
}

fn cache(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    transit_encryption(call, found);
    let added = texts(request.get("userGroupIdsToAdd"));
    match text_at(request, &["authTokenUpdateStrategy"]).as_deref() {
        // Groups of users take the place of the token.
        _ if !added.is_empty() => {
            found.changes.strengthened(&rows::ELASTICACHE_TOKEN, "authToken");
        }
        Some("DELETE") => {
            found.changes.weakened(&rows::ELASTICACHE_TOKEN, "authToken");
        }
        Some("SET" | "ROTATE") => {
            found.changes.strengthened(&rows::ELASTICACHE_TOKEN, "authToken");
        }
        _ => {}
    }
    let removed = texts(request.get("userGroupIdsToRemove"));
    let removes_all = bool_at(request, &["removeUserGroups"]) == Some(true);
    if !added.is_empty() {
        found.changes.strengthened(&rows::ELASTICACHE_USER_GROUPS, "userGroups");
    } else if removes_all || !removed.is_empty() {
        found.changes.weakened(&rows::ELASTICACHE_USER_GROUPS, "userGroups");
    }
}

/// Encryption of a cache that exists. It is turned on in two steps, the first of which prefers it only; asked for alone,
/// that is the way back.
fn transit_encryption(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let enabled = bool_at(request, &["transitEncryptionEnabled"]);
    let mode = text_at(request, &["transitEncryptionMode"]);
    let is_weak = match (enabled, mode.as_deref()) {
        (Some(false), _) | (None, Some("preferred")) => true,
        (Some(true), Some("preferred")) | (None, None) => return,
        _ => false,
    };
    found.changes.flag(&rows::ELASTICACHE_TLS, is_weak, "transitEncryption").after =
        mode.or_else(|| enabled.map(|enabled| enabled.to_string())).map(Cow::Owned);
}

/// A new cache that asks nobody for anything: the answer tells what it became.
fn new_cache(call: &Call<'_>, found: &mut Found) {
    let (request, response) = (call.request(), call.response());
    let has_groups =
        [request, response].iter().any(|document| !items(document.get("userGroupIds")).is_empty());
    if bool_at(response, &["authTokenEnabled"]) == Some(false) && !has_groups {
        found.changes.weakened(&rows::ELASTICACHE_TOKEN, "authToken");
    }
}

/// The rows of the users of one service.
struct UserRows {
    no_password: EmittedRow,
    all_access: EmittedRow,
}

const CACHE_USER: UserRows = UserRows {
    no_password: rows::ELASTICACHE_NO_PASSWORD,
    all_access: rows::ELASTICACHE_ALL_ACCESS,
};

const MEMORYDB_USER: UserRows =
    UserRows { no_password: rows::MEMORYDB_NO_PASSWORD, all_access: rows::MEMORYDB_ALL_ACCESS };

/// What an access string of Redis says, as far as it matters here; later words win.
#[derive(Debug, Default)]
struct Access {
    is_off: bool,
    all_commands: bool,
    all_keys: bool,
}

impl Access {
    fn of(text: &str) -> Self {
        let mut access = Self::default();
        for word in text.split_whitespace() {
            match word.to_ascii_lowercase().as_str() {
                "off" => access.is_off = true,
                "on" => access.is_off = false,
                "+@all" | "allcommands" => access.all_commands = true,
                "-@all" | "nocommands" => access.all_commands = false,
                "~*" | "allkeys" => access.all_keys = true,
                "resetkeys" => access.all_keys = false,
                "reset" => access = Self { is_off: true, ..Self::default() },
                _ => {}
            }
        }
        access
    }

    fn is_everything(&self) -> bool {
        self.all_commands && self.all_keys && !self.is_off
    }
}

fn cache_user(call: &Call<'_>, found: &mut Found, of: &UserRows) {
    let request = call.request();
    let is_new = call.operation == "CreateUser";
    let text = text_at(request, &["accessString"]);
    let access = text.as_deref().map(Access::of);
    let is_off = access.as_ref().is_some_and(|access| access.is_off);
    let mode = text_at(request, &["authenticationMode", "type"]);
    let needs_none = bool_at(request, &["noPasswordRequired"]) == Some(true)
        || matches!(mode.as_deref(), Some("no-password-required" | "no-password"));
    let is_closed = mode.is_some() || !items(request.get("passwords")).is_empty();
    // A new user without a password who may do nothing lets nobody in.
    let may_do_something =
        access.as_ref().is_none_or(|access| !is_new || access.all_commands || access.all_keys);
    if needs_none && !is_off {
        if may_do_something {
            found.changes.weakened(&of.no_password, "noPasswordRequired");
        }
    } else if !is_new && (is_closed || is_off) {
        found.changes.strengthened(&of.no_password, "noPasswordRequired");
    }
    if is_new {
        return;
    }
    let appended = text_at(request, &["appendAccessString"]);
    if let Some(text) = appended.filter(|text| Access::of(text).is_everything()) {
        found.changes.weakened(&of.all_access, "+@all ~*").after = Some(Cow::Owned(text));
    } else if let Some(access) = access {
        found.changes.flag(&of.all_access, access.is_everything(), "+@all ~*").after =
            text.map(Cow::Owned);
    }
}

/// Security groups of caches, from before there were VPCs: they admit groups of machines.
fn cache_security_group(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let part = |key: &str| text_at(request, &[key]).unwrap_or_default();
    let opened =
        format!("group {}/{}", part("eC2SecurityGroupOwnerId"), part("eC2SecurityGroupName"));
    let is_weak = call.operation == "AuthorizeCacheSecurityGroupIngress";
    if is_weak && call.account == Some(part("eC2SecurityGroupOwnerId").as_str()) {
        // Machines of the own account: how a cache gets its clients.
        return;
    }
    found.changes.flag(&rows::ELASTICACHE_SECURITY_GROUP, is_weak, opened);
}

/// Clusters of MSK. A new one is named by its answer only.
fn kafka(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    // The second version of the API keeps what a cluster with machines has in a part of its own.
    let part = at(request, &["provisioned"]).unwrap_or(request);
    match call.operation {
        // Serverless clusters always ask who comes.
        "CreateCluster" | "CreateClusterV2" if request.get("serverless").is_none() => {
            kafka_security(part, found, true);
            if let Some(nodes) = at(part, &["brokerNodeGroupInfo"]) {
                kafka_connectivity(nodes, found, true);
            }
            let arn = text_at(call.response(), &["clusterArn"]);
            if let Some(arn) = arn.filter(|_| !found.changes.is_empty()) {
                found.of_resource("AWS::MSK::Cluster", arn, DatastoreForm::Database);
            }
        }
        "UpdateSecurity" => kafka_security(part, found, false),
        "UpdateConnectivity" => kafka_connectivity(part, found, false),
        "PutClusterPolicy" => {
            let Some(document) = request.get("policy").and_then(embedded) else {
                found.changes.whole_unknown(&rows::KAFKA_POLICY_FOREIGN);
                return;
            };
            let rows = (&rows::KAFKA_POLICY_PUBLIC, &rows::KAFKA_POLICY_FOREIGN);
            resource_policies::state(&document, call, found, rows);
        }
        // The policy of a cluster does nothing but let others connect to it.
        "DeleteClusterPolicy" => {
            found.changes.whole(&rows::KAFKA_POLICY_PUBLIC, []);
            found.changes.whole(&rows::KAFKA_POLICY_FOREIGN, []);
        }
        _ => {}
    }
}

/// How clients of a cluster sign in, and whether anybody may listen to them. What is well in a new cluster changes
/// nothing.
fn kafka_security(part: &Value, found: &mut Found, is_new: bool) {
    let open = bool_at(part, &["clientAuthentication", "unauthenticated", "enabled"]);
    let open = open.or_else(|| (is_new && !asks_who_comes(part)).then_some(true));
    if let Some(is_weak) = open.filter(|is_weak| *is_weak || !is_new) {
        found.changes.flag(&rows::KAFKA_UNAUTHENTICATED, is_weak, "unauthenticated");
    }
    let mode = text_at(part, &["encryptionInfo", "encryptionInTransit", "clientBroker"]);
    let Some(mode) = mode else { return };
    let is_weak = matches!(mode.as_str(), "PLAINTEXT" | "TLS_PLAINTEXT");
    if is_weak || !is_new {
        found.changes.flag(&rows::KAFKA_PLAINTEXT, is_weak, "clientBroker").after =
            Some(Cow::Owned(mode));
    }
}

/// Whether a new cluster names a way to sign in: without one it lets everybody in.
fn asks_who_comes(part: &Value) -> bool {
    let ways: [&[&str]; 3] = [&["sasl", "scram"], &["sasl", "iam"], &["tls"]];
    let authentication = at(part, &["clientAuthentication"]);
    authentication.is_some_and(|authentication| {
        ways.iter().filter_map(|way| at(authentication, way)).any(|way| {
            bool_at(way, &["enabled"]) == Some(true)
                || !items(way.get("certificateAuthorityArnList")).is_empty()
        })
    })
}

fn kafka_connectivity(part: &Value, found: &mut Found, is_new: bool) {
    let kind = text_at(part, &["connectivityInfo", "publicAccess", "type"]);
    let Some(kind) = kind else { return };
    let is_weak = kind == "SERVICE_PROVIDED_EIPS";
    if is_weak || !is_new {
        found.changes.flag(&rows::KAFKA_PUBLIC, is_weak, "publicAccess").after =
            Some(Cow::Owned(kind));
    }
}

/// File systems: without a policy every client that reaches a mount target may do everything.
fn file_system(call: &Call<'_>, found: &mut Found) {
    match call.operation {
        "PutFileSystemPolicy" => {
            let Some(document) = call.request().get("policy").and_then(embedded) else {
                found.changes.whole_unknown(&rows::EFS_POLICY_PUBLIC);
                return;
            };
            let rows = (&rows::EFS_POLICY_PUBLIC, &rows::EFS_POLICY_FOREIGN);
            resource_policies::state(&document, call, found, rows);
            // Clients without TLS come in unless a policy refuses them; whether one did before is not told.
            let is_refused = policy::requires_tls(&document);
            let direction = if is_refused { Direction::Strengthened } else { Direction::Unknown };
            found.changes.push(&rows::EFS_POLICY_TLS, direction, "aws:SecureTransport");
        }
        "DeleteFileSystemPolicy" => {
            found.changes.whole(&rows::EFS_POLICY_PUBLIC, ["principal *".to_owned()]);
            found.changes.weakened(&rows::EFS_POLICY_TLS, "aws:SecureTransport");
        }
        _ => {}
    }
}
