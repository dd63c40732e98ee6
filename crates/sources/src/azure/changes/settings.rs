//! Values in a body of which some weaken a protection and all others restore it.

use std::borrow::Cow;

use dataward_event::change::Direction::{self, Strengthened, Unknown, Weakened};

use super::Call;
use crate::catalogue_rows::{EmittedRow, azure as rows};
use crate::changes::Changes;
use crate::network::{Breadth, breadth, range_breadth};
use crate::node::Node;

/// One value.
struct Setting {
    operation: &'static str,
    path: &'static [&'static str],
    /// The values that weaken.
    weak: &'static [&'static str],
    row: &'static EmittedRow,
    opened: &'static str,
    /// Whether a weak value says nothing in a body that repeats every value: it may be the default.
    is_default_weak: bool,
}

const fn setting(
    operation: &'static str,
    path: &'static [&'static str],
    weak: &'static [&'static str],
    row: &'static EmittedRow,
    opened: &'static str,
) -> Setting {
    Setting { operation, path, weak, row, opened, is_default_weak: false }
}

const fn weak_by_default(
    operation: &'static str,
    path: &'static [&'static str],
    weak: &'static [&'static str],
    row: &'static EmittedRow,
    opened: &'static str,
) -> Setting {
    Setting { operation, path, weak, row, opened, is_default_weak: true }
}

const OLD_TLS: &[&str] =
    &["TLS1_0", "TLS1_1", "TLSEnforcementDisabled", "None", "1.0", "1.1", "Tls", "Tls11"];
const ACCOUNT: &str = "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE";
const BLOBS: &str = "MICROSOFT.STORAGE/STORAGEACCOUNTS/BLOBSERVICES/WRITE";
const SERVER: &str = "MICROSOFT.SQL/SERVERS/WRITE";
const COSMOS: &str = "MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS/WRITE";
const REDIS: &str = "MICROSOFT.CACHE/REDIS/WRITE";
const VAULT: &str = "MICROSOFT.KEYVAULT/VAULTS/WRITE";

#[rustfmt::skip]
const SETTINGS: &[Setting] = &[
    setting(ACCOUNT, &["allowBlobPublicAccess"], &["true"], &rows::STORAGE_PUBLIC_ACCESS, "allowBlobPublicAccess"),
    weak_by_default(ACCOUNT, &["publicNetworkAccess"], &["Enabled"], &rows::STORAGE_PUBLIC_NETWORK, "publicNetworkAccess"),
    weak_by_default(ACCOUNT, &["networkAcls", "defaultAction"], &["Allow"], &rows::STORAGE_NETWORK_DEFAULT, "0.0.0.0/0"),
    setting(ACCOUNT, &["supportsHttpsTrafficOnly"], &["false"], &rows::STORAGE_TLS, "http"),
    setting(ACCOUNT, &["minimumTlsVersion"], OLD_TLS, &rows::STORAGE_TLS, "old_tls"),
    weak_by_default(ACCOUNT, &["allowSharedKeyAccess"], &["true"], &rows::STORAGE_SHARED_KEY, "account_keys"),
    weak_by_default(BLOBS, &["isVersioningEnabled"], &["false"], &rows::STORAGE_RECOVERY, "versioning"),
    setting(BLOBS, &["deleteRetentionPolicy", "enabled"], &["false"], &rows::STORAGE_RECOVERY, "blob_soft_delete"),
    setting(BLOBS, &["containerDeleteRetentionPolicy", "enabled"], &["false"], &rows::STORAGE_RECOVERY, "container_soft_delete"),
    weak_by_default(SERVER, &["publicNetworkAccess"], &["Enabled"], &rows::SQL_PUBLIC_NETWORK, "publicNetworkAccess"),
    weak_by_default(SERVER, &["minimalTlsVersion"], OLD_TLS, &rows::SQL_TLS, "old_tls"),
    weak_by_default(COSMOS, &["disableLocalAuth"], &["false"], &rows::COSMOS_LOCAL_AUTH, "account_keys"),
    weak_by_default(REDIS, &["enableNonSslPort"], &["true"], &rows::REDIS_TLS, "non_ssl_port"),
    weak_by_default(REDIS, &["minimumTlsVersion"], OLD_TLS, &rows::REDIS_TLS, "old_tls"),
    weak_by_default(VAULT, &["networkAcls", "defaultAction"], &["Allow"], &rows::VAULT_NETWORK, "0.0.0.0/0"),
    weak_by_default(VAULT, &["publicNetworkAccess"], &["Enabled"], &rows::VAULT_NETWORK, "publicNetworkAccess"),
    setting(VAULT, &["enableSoftDelete"], &["false"], &rows::VAULT_PROTECTION, "soft_delete"),
    setting(VAULT, &["enablePurgeProtection"], &["false"], &rows::VAULT_PROTECTION, "purge_protection"),
];

/// An operation that weakens or restores by itself.
struct Toggle {
    operation: &'static str,
    row: &'static EmittedRow,
    direction: Direction,
    opened: &'static str,
    /// Whether only a person's call counts.
    of_a_person: bool,
}

const fn toggle(
    operation: &'static str,
    row: &'static EmittedRow,
    direction: Direction,
    opened: &'static str,
) -> Toggle {
    Toggle { operation, row, direction, opened, of_a_person: false }
}

const fn by_person(
    operation: &'static str,
    row: &'static EmittedRow,
    direction: Direction,
    opened: &'static str,
) -> Toggle {
    Toggle { operation, row, direction, opened, of_a_person: true }
}

#[rustfmt::skip]
const TOGGLES: &[Toggle] = &[
    by_person("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTKEYS/ACTION", &rows::STORAGE_KEYS_LISTED, Unknown, "account_keys"),
    by_person("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTACCOUNTSAS/ACTION", &rows::STORAGE_ACCOUNT_SAS, Weakened, "account_sas"),
    by_person("MICROSOFT.STORAGE/STORAGEACCOUNTS/LISTSERVICESAS/ACTION", &rows::STORAGE_ACCOUNT_SAS, Weakened, "account_sas"),
    toggle("MICROSOFT.STORAGE/STORAGEACCOUNTS/REGENERATEKEY/ACTION", &rows::STORAGE_KEYS_LISTED, Strengthened, "account_keys"),
    toggle("MICROSOFT.STORAGE/STORAGEACCOUNTS/REGENERATEKEY/ACTION", &rows::STORAGE_ACCOUNT_SAS, Strengthened, "account_sas"),
    toggle("MICROSOFT.STORAGE/STORAGEACCOUNTS/DELETE", &rows::STORAGE_DELETED, Unknown, "storage_account"),
    toggle("MICROSOFT.COMPUTE/DISKS/BEGINGETACCESS/ACTION", &rows::DISK_SAS, Weakened, "sas"),
    toggle("MICROSOFT.COMPUTE/DISKS/ENDGETACCESS/ACTION", &rows::DISK_SAS, Strengthened, "sas"),
    toggle("MICROSOFT.COMPUTE/SNAPSHOTS/BEGINGETACCESS/ACTION", &rows::SNAPSHOT_SAS, Weakened, "sas"),
    toggle("MICROSOFT.COMPUTE/SNAPSHOTS/ENDGETACCESS/ACTION", &rows::SNAPSHOT_SAS, Strengthened, "sas"),
    by_person("MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS/LISTKEYS/ACTION", &rows::COSMOS_KEYS_LISTED, Unknown, "account_keys"),
    toggle("MICROSOFT.DOCUMENTDB/DATABASEACCOUNTS/REGENERATEKEY/ACTION", &rows::COSMOS_KEYS_LISTED, Strengthened, "account_keys"),
    toggle("MICROSOFT.KEYVAULT/VAULTS/DELETE", &rows::VAULT_DELETED, Weakened, "vault"),
    toggle("MICROSOFT.KEYVAULT/LOCATIONS/DELETEDVAULTS/PURGE/ACTION", &rows::VAULT_PURGED, Weakened, "vault"),
    toggle("MICROSOFT.OPERATIONALINSIGHTS/WORKSPACES/DELETE", &rows::WORKSPACE_DELETED, Weakened, "workspace"),
    toggle("MICROSOFT.OPERATIONALINSIGHTS/WORKSPACES/WRITE", &rows::WORKSPACE_DELETED, Strengthened, "workspace"),
];

/// Operations on a part that has a name: deleting it weakens, writing it restores.
#[rustfmt::skip]
const PARTS: &[(&str, &EmittedRow, &str)] = &[
    ("MICROSOFT.STORAGE/STORAGEACCOUNTS/BLOBSERVICES/CONTAINERS/IMMUTABILITYPOLICIES", &rows::STORAGE_IMMUTABILITY, "containers"),
    ("MICROSOFT.AUTHORIZATION/LOCKS", &rows::LOCK_DELETED, "locks"),
    ("MICROSOFT.AUTHORIZATION/POLICYASSIGNMENTS", &rows::POLICY_DELETED, "policyassignments"),
    ("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS", &rows::DIAGNOSTICS_DELETED, "diagnosticsettings"),
    ("MICROSOFT.EVENTHUB/NAMESPACES/EVENTHUBS", &rows::EVENT_HUB_DELETED, "eventhubs"),
    ("MICROSOFT.RECOVERYSERVICES/VAULTS/BACKUPFABRICS/PROTECTIONCONTAINERS", &rows::BACKUP_CONTAINER_DELETED, "protectioncontainers"),
];

pub(super) fn read(call: &Call<'_>, changes: &mut Changes) {
    for setting in SETTINGS.iter().filter(|setting| setting.operation == call.operation) {
        read_setting(call, setting, changes);
    }
    for toggle in TOGGLES.iter().filter(|toggle| toggle.operation == call.operation) {
        // What an action asks for stands in the record of its request, which may be the only one.
        let is_told = call.is_told() || !matches!(call.request, Node::Null);
        if is_told && (call.is_person || !toggle.of_a_person) {
            let is_small = toggle.direction == Weakened && is_for_an_office(&call.request);
            let direction = if is_small { Unknown } else { toggle.direction };
            changes.push(toggle.row, direction, toggle.opened);
        }
    }
    if let Some((operation, verb)) = call.operation.rsplit_once('/')
        && let Some((_, row, segment)) = PARTS.iter().find(|(part, _, _)| *part == operation)
    {
        let opened = format!("{segment} {}", call.resource.after(segment).unwrap_or_default());
        match verb {
            "DELETE" if call.is_told() => {
                changes.weakened(row, opened);
            }
            "WRITE" if call.is_told() || call.request.has(&["properties"]) => {
                changes.strengthened(row, opened);
            }
            _ => {}
        }
    }
    if call.operation == ACCOUNT && call.request.has(&["properties", "encryption", "keySource"]) {
        let source = call.request.text(&["properties", "encryption", "keySource"]);
        // Whoever names nothing else gives up a key of his own; a body that repeats every value repeats the default.
        let is_given_up = !call.is_full && source.as_deref() == Some("Microsoft.Storage");
        let direction = if is_given_up { Weakened } else { Unknown };
        let change = changes.push(&rows::STORAGE_KEY_SOURCE, direction, "key_source");
        change.after = source.map(|source| Cow::Owned(source.into_owned()));
    }
}

/// Whether a signature counts only for an address or a narrow network, and only over TLS.
fn is_for_an_office(request: &Node<'_>) -> bool {
    let is_narrow = request.text(&["signedIp"]).is_some_and(|networks| {
        let reach = match networks.split_once('-') {
            Some((first, last)) => range_breadth(first, last),
            None => breadth(&networks),
        };
        reach == Some(Breadth::Narrow)
    });
    is_narrow && request.text(&["signedProtocol"]).as_deref() == Some("https")
}

fn read_setting(call: &Call<'_>, setting: &Setting, changes: &mut Changes) {
    let Some(properties) = call
        .request
        .at(&["properties"])
        .or_else(|| call.response.at(&["properties"]).filter(|_| is_told_by_answer(setting)))
    else {
        return;
    };
    let Some(value) = properties.text(setting.path) else { return };
    let is_weak = setting.weak.iter().any(|weak| value.eq_ignore_ascii_case(weak));
    let direction = match is_weak {
        true if call.is_full && setting.is_default_weak => Unknown,
        true => Weakened,
        false => Strengthened,
    };
    changes.push(setting.row, direction, setting.opened).after =
        Some(Cow::Owned(value.into_owned()));
}

/// An answer repeats every value. Only of the one that matters most it is taken for a statement.
fn is_told_by_answer(setting: &Setting) -> bool {
    setting.row.id == rows::STORAGE_PUBLIC_ACCESS.id
}
