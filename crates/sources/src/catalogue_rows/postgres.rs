//! Rows of `postgres.pgaudit` and `postgres.log`. The log sees a setting when it takes effect, a statement when it is given:
//! both name the same setting.

use dataward_event::change::Control;

use super::{EmittedRow, rows};

rows! {
    PG_GRANT_PUBLIC: AccessPolicy, "postgres.grant.public", "grants";
    PG_GRANT_POWERFUL: AccessPolicy, "postgres.grant.powerful_role", "role_membership";
    PG_ROLE_CREATED: AccessPolicy, "postgres.role.created_powerful", "role_attributes";
    PG_ROLE_ALTERED: AccessPolicy, "postgres.role.made_powerful", "role_attributes";
    PG_ROLE_AUDIT: AuditLogging, "postgres.role.audit_setting", "role_audit_settings";
    PG_SESSION_AUDIT: AuditLogging, "postgres.session.audit_setting", "session_audit_settings";
    PG_DATABASE_AUDIT: AuditLogging, "postgres.database.audit_setting", "database_audit_settings";
    PG_AUDIT_EXTENSION: AuditLogging, "postgres.extension.pgaudit_dropped", "pgaudit_extension";
    PG_SYSTEM_TLS: EncryptionInTransit, "postgres.system.tls", "tls_settings";
    PG_SYSTEM_AUDIT: AuditLogging, "postgres.system.audit_setting", "audit_settings";
    PG_SYSTEM_NETWORK: NetworkExposure, "postgres.system.listen_addresses", "listen_addresses";
    PG_SYSTEM_AUTHENTICATION: Authentication, "postgres.system.authentication", "authentication_settings";
    PG_ROW_SECURITY: DataMasking, "postgres.row_security.off", "row_level_security";
    PG_POLICY_DROPPED: DataMasking, "postgres.policy.dropped", "row_policies";
    PG_POLICY_OPEN: DataMasking, "postgres.policy.created_open", "open_row_policies";
    PG_POLICY_ALTERED: DataMasking, "postgres.policy.altered_open", "open_row_policies";
    PG_SESSION_ROWS: DataMasking, "postgres.session.row_security", "session_row_security";
    PG_LABEL: DataMasking, "postgres.security_label.removed", "security_labels";
    PG_PUBLICATION: Sharing, "postgres.publication.created", "publications";
    PG_SUBSCRIPTION: Sharing, "postgres.subscription.created", "subscriptions";
    PG_EXTENSION: AccessPolicy, "postgres.extension.reaching_out", "extensions";
    PG_FUNCTION: AccessPolicy, "postgres.function.reaching_out", "functions";
    PG_LOG_AUDIT: AuditLogging, "postgres.log.parameter.audit", "audit_settings";
    PG_LOG_TLS: EncryptionInTransit, "postgres.log.parameter.tls", "tls_settings";
    PG_LOG_NETWORK: NetworkExposure, "postgres.log.parameter.listen_addresses", "listen_addresses";
    PG_LOG_AUTHENTICATION: Authentication, "postgres.log.parameter.authentication", "authentication_settings";
    PG_LOG_TRUST: Authentication, "postgres.log.trust", "client_authentication";
}
