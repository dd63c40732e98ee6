//! Rows of `snowflake.account_usage`.

use super::{EmittedRow, rows};
use dataward_event::change::Control;

rows! {
    POLICY_WORLD: NetworkExposure, "snowflake.network_policy.world", "network_policy";
    POLICY_DROPPED: NetworkExposure, "snowflake.network_policy.dropped", "network_policies";
    POLICY_UNSET: NetworkExposure, "snowflake.network_policy.unset", "NETWORK_POLICY";
    USER_WEAKENED: Authentication, "snowflake.user.weakened", "user";
    UNLOAD_ALLOWED: OrgGuardrail, "snowflake.account.unload_allowed", "account_parameters";
    MASKING_UNSET: DataMasking, "snowflake.masking_policy.unset", "masking_policy";
    MASKING_CHANGED: DataMasking, "snowflake.masking_policy.changed", "masking_policy_body";
    ROW_POLICY_DROPPED: DataMasking, "snowflake.row_access_policy.dropped", "row_access_policy";
    AGGREGATION_UNSET: DataMasking, "snowflake.aggregation_policy.unset", "aggregation_policy";
    SHARED: Sharing, "snowflake.share.account_added", "share";
    LISTED: Sharing, "snowflake.listing.published", "listing";
    GRANT_PUBLIC: AccessPolicy, "snowflake.grant.public", "grants";
    GRANT_ADMIN: AccessPolicy, "snowflake.grant.admin", "admin_roles";
    STAGE_CREDENTIALS: Sharing, "snowflake.stage.foreign_credentials", "stage";
    INTEGRATION_OPEN: OrgGuardrail, "snowflake.integration.open", "integration";
    AUTHENTICATION_POLICY: Authentication, "snowflake.authentication_policy.weakened", "authentication_policy";
    RETENTION_ZERO: RecoveryProtection, "snowflake.retention.zero", "DATA_RETENTION_TIME_IN_DAYS";
    REPLICATED: Sharing, "snowflake.replication.enabled", "replication";
}
