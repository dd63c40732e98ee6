//! Rows of `mongodb.atlas`.

use super::{EmittedRow, rows};
use dataward_event::change::Control;

rows! {
    ACCESS_LIST_OPEN: NetworkExposure, "atlas.access_list.open", "ip_access_list";
    AUDIT_UPDATED: AuditLogging, "atlas.audit.updated", "auditLog";
    ADMIN_USER: AccessPolicy, "atlas.database_user.admin", "database_users";
    ALERT_DISABLED: Monitoring, "atlas.alert.disabled", "alert_config";
    TWO_FACTOR: Authentication, "atlas.two_factor.optional", "two_factor_auth";
    API_ACCESS_LIST: NetworkExposure, "atlas.api_access_list.not_required", "api_access_list";
}
