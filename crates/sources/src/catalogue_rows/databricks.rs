//! Rows of `databricks.audit`.

use super::{EmittedRow, rows};
use dataward_event::change::Control;

rows! {
    IP_LIST_DELETED: NetworkExposure, "databricks.ip_access_list.deleted", "ipAccessLists";
    IP_LIST_OPEN: NetworkExposure, "databricks.ip_access_list.open", "ipAccessLists";
    IP_LISTS_OFF: NetworkExposure, "databricks.ip_access_lists.off", "enableIpAccessLists";
    VERBOSE_OFF: AuditLogging, "databricks.verbose_audit.off", "enableVerboseAuditLogs";
    WORKSPACE_EXPORTS: AccessPolicy, "databricks.workspace.exports_allowed", "workspaceConf";
    ACCOUNT_SETTING: OrgGuardrail, "databricks.account.setting_changed", "settings";
    RECIPIENT_OPEN: Sharing, "databricks.recipient.without_ip_list", "recipients";
    RECIPIENT_UPDATED: Sharing, "databricks.recipient.updated", "recipients";
    SHARE_GRANTED: Sharing, "databricks.share.granted", "share_permissions";
    SHARE_GROWN: Sharing, "databricks.share.data_added", "share_objects";
    GRANT_ALL_USERS: AccessPolicy, "databricks.unity_catalog.all_users", "permissions";
    CATALOG_OPEN: AccessPolicy, "databricks.unity_catalog.catalog_open", "isolation_mode";
    EXTERNAL_STORAGE: Sharing, "databricks.external_storage.created", "external_storage";
    ADMIN_ADDED: AccessPolicy, "databricks.admin.added", "admins";
    SSO_CHANGED: Authentication, "databricks.sso.changed", "sso";
    TOKEN_LONG: Authentication, "databricks.token.long_lived", "tokens";
}
