//! Which datastore, or which guard of one, a resource id stands for.

use std::borrow::Cow;

use dataward_event::audit_event::{Datastore, DatastoreForm};

use DatastoreForm::{Bucket, Database, Guard, Other, Snapshot};

/// The types of resources that hold or protect data, in lower case.
#[rustfmt::skip]
const TYPES: &[(&str, &str, DatastoreForm)] = &[
    ("microsoft.storage/storageaccounts", "Microsoft.Storage/storageAccounts", Bucket),
    ("microsoft.sql/servers", "Microsoft.Sql/servers", Database),
    ("microsoft.sql/managedinstances", "Microsoft.Sql/managedInstances", Database),
    ("microsoft.dbforpostgresql/flexibleservers", "Microsoft.DBforPostgreSQL/flexibleServers", Database),
    ("microsoft.dbforpostgresql/servers", "Microsoft.DBforPostgreSQL/servers", Database),
    ("microsoft.dbformysql/flexibleservers", "Microsoft.DBforMySQL/flexibleServers", Database),
    ("microsoft.dbformysql/servers", "Microsoft.DBforMySQL/servers", Database),
    ("microsoft.dbformariadb/servers", "Microsoft.DBforMariaDB/servers", Database),
    ("microsoft.documentdb/databaseaccounts", "Microsoft.DocumentDB/databaseAccounts", Database),
    ("microsoft.cache/redis", "Microsoft.Cache/redis", Database),
    ("microsoft.synapse/workspaces", "Microsoft.Synapse/workspaces", Database),
    ("microsoft.kusto/clusters", "Microsoft.Kusto/clusters", Database),
    ("microsoft.keyvault/vaults", "Microsoft.KeyVault/vaults", Other),
    ("microsoft.compute/disks", "Microsoft.Compute/disks", Snapshot),
    ("microsoft.compute/snapshots", "Microsoft.Compute/snapshots", Snapshot),
    ("microsoft.network/networksecuritygroups", "Microsoft.Network/networkSecurityGroups", Guard),
    ("microsoft.operationalinsights/workspaces", "Microsoft.OperationalInsights/workspaces", Guard),
    ("microsoft.eventhub/namespaces", "Microsoft.EventHub/namespaces", Guard),
    ("microsoft.recoveryservices/vaults", "Microsoft.RecoveryServices/vaults", Guard),
];

/// A resource id, in lower case: the producers disagree about the case, and it has no meaning.
pub(super) struct ResourceId(String);

impl ResourceId {
    pub(super) fn new(id: &str) -> Self {
        Self(id.trim_end_matches('/').to_ascii_lowercase())
    }

    /// The whole id.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment: the name of the innermost resource.
    pub(super) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// What follows a segment: the name of the resource of that type.
    pub(super) fn after(&self, segment: &str) -> Option<&str> {
        let mut segments = self.0.split('/');
        segments.find(|other| *other == segment)?;
        segments.next().filter(|name| !name.is_empty())
    }

    /// The subscription.
    pub(super) fn subscription(&self) -> Option<&str> {
        self.after("subscriptions")
    }

    /// The provider: `microsoft.storage`.
    pub(super) fn provider(&self) -> Option<&str> {
        self.after("providers")
    }

    /// The datastore or guard. What stands inside it belongs to it; what is set on a scope belongs to the scope.
    pub(super) fn datastore(&self) -> Option<Datastore<'static>> {
        let (scope, rest) = self.0.split_once("/providers/").unwrap_or((&self.0, ""));
        let mut parts = rest.split('/');
        let (provider, kind, name) = (parts.next(), parts.next(), parts.next());
        if let (Some(provider), Some(kind), Some(name)) = (provider, kind, name) {
            let known = format!("{provider}/{kind}");
            if let Some((_, resource_type, form)) = TYPES.iter().find(|(t, _, _)| *t == known) {
                return Some(Datastore {
                    uid: Cow::Owned(format!("{scope}/providers/{provider}/{kind}/{name}")),
                    name: Some(Cow::Owned(name.to_owned())),
                    resource_type: Some(Cow::Borrowed(resource_type)),
                    form: *form,
                });
            }
        }
        match provider {
            Some("microsoft.authorization" | "microsoft.insights" | "microsoft.security") => {
                scope_guard(scope)
            }
            Some("microsoft.keyvault") => {
                Some(guard(self.0.clone(), self.name(), "Microsoft.KeyVault/deletedVaults"))
            }
            _ => None,
        }
    }
}

/// A subscription, a resource group or a management group.
fn scope_guard(scope: &str) -> Option<Datastore<'static>> {
    let name = scope.rsplit('/').next().filter(|name| !name.is_empty())?;
    let resource_type = if scope.contains("/resourcegroups/") {
        "Microsoft.Resources/resourceGroups"
    } else {
        "Microsoft.Resources/subscriptions"
    };
    Some(guard(scope.to_owned(), name, resource_type))
}

fn guard(uid: String, name: &str, resource_type: &'static str) -> Datastore<'static> {
    Datastore {
        name: Some(Cow::Owned(name.to_owned())),
        uid: Cow::Owned(uid),
        resource_type: Some(Cow::Borrowed(resource_type)),
        form: Guard,
    }
}
