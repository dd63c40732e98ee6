//! Rows of `mongodb.audit`.

use dataward_event::change::Control;

use super::{EmittedRow, rows};

rows! {
    USER_ROLES: AccessPolicy, "mongodb.user.wide_role", "user_roles";
    USERS_DROPPED: Authentication, "mongodb.users.all_dropped", "users";
    ROLE_PRIVILEGES: AccessPolicy, "mongodb.role.wide", "role_privileges";
    DIRECT_WRITE: Authentication, "mongodb.auth.direct_write", "system_users";
    AUTHORIZATION: Authentication, "mongodb.authorization.off", "authorization";
    BIND: NetworkExposure, "mongodb.bind_all", "bindIp";
    TLS: EncryptionInTransit, "mongodb.tls_not_required", "tls";
    AUDIT_CONFIG: AuditLogging, "mongodb.audit_config.reads_off", "auditConfig";
    MEMBER: Sharing, "mongodb.replica_set.member_added", "replica_members";
    SHARD: Sharing, "mongodb.shard.added", "shards";
    DATABASE_DROPPED: RecoveryProtection, "mongodb.database.dropped", "database";
}
