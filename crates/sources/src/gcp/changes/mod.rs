//! Which changes of protection a call states: judged by the values that it sets, not by its verb.

mod audit;
mod guards;
mod iam;
mod statements;
mod storage;
mod warehouse;

use dataward_event::audit_event::Datastore;

use super::entry::AuditLog;
use crate::changes::Changes;
use crate::node::Node;

/// One call, as far as its changes need it.
pub(super) struct Call<'c> {
    pub(super) service: &'c str,
    pub(super) verb: &'c str,
    pub(super) method: &'c str,
    pub(super) resource: &'c str,
    /// The own project: another one is foreign.
    pub(super) project: Option<&'c str>,
    /// The domain of the caller: another one is foreign.
    pub(super) domain: Option<&'c str>,
    pub(super) statement: Option<&'c str>,
    pub(super) statement_type: Option<&'c str>,
    pub(super) payload: &'c AuditLog<'c>,
}

impl<'c> Call<'c> {
    /// The request, parsed: only few methods get this far.
    fn request(&self) -> Node<'c> {
        self.payload.request.read().unwrap_or_default()
    }

    fn metadata(&self) -> Node<'c> {
        self.payload.metadata.read().unwrap_or_default()
    }

    /// The last segment of the resource name.
    fn name(&self) -> &'c str {
        self.resource.rsplit('/').next().unwrap_or_default()
    }
}

/// The changes of one call, and the resource where it is not the one that the entry names.
#[derive(Default)]
pub(super) struct Found {
    pub(super) changes: Changes,
    pub(super) datastore: Option<Datastore<'static>>,
}

/// Everything that a call changes.
pub(super) fn of(call: &Call<'_>) -> Found {
    let mut found = Found::default();
    match call.service {
        "storage" => storage::read(call, &mut found),
        "bigquery" | "bigquerydatapolicy" | "analyticshub" | "cloudsql" | "sqladmin" | "redis"
        | "memorystore" | "firestore" | "datastore" | "alloydb" | "spanner" | "datacatalog" => {
            warehouse::read(call, &mut found);
        }
        "logging" => audit::read(call, &mut found),
        "cloudkms" | "orgpolicy" | "accesscontextmanager" | "compute" => {
            guards::read(call, &mut found);
        }
        "cloudresourcemanager" => {
            audit::read_audit_configs(call, &mut found);
            guards::read_old_org_policy(call, &mut found);
        }
        _ => {}
    }
    iam::read(call, &mut found);
    found
}

/// Whether a statement gives or takes rights, or says who sees which rows.
pub(super) fn is_dcl(statement_type: &str) -> bool {
    matches!(statement_type, "GRANT" | "REVOKE" | "CREATE_ROW_ACCESS_POLICY")
        || statement_type.starts_with("DROP_") && statement_type.ends_with("ROW_ACCESS_POLICIES")
        || statement_type == "DROP_ROW_ACCESS_POLICY"
}
