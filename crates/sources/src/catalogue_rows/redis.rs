//! Rows of `redis.monitor`.

use dataward_event::change::Control;

use super::{EmittedRow, rows};

rows! {
    PROTECTED_MODE: Authentication, "redis.protected_mode.off", "protected-mode";
    PASSWORD: Authentication, "redis.password.removed", "requirepass";
    BIND: NetworkExposure, "redis.bind_all", "bind";
    WRITE_PATH: AccessPolicy, "redis.dangerous_setting", "write_path";
    TLS: EncryptionInTransit, "redis.tls.off", "tls";
    USER_OPEN: Authentication, "redis.user.open", "acl_user";
    ACL_FILE: AccessPolicy, "redis.acl_file.loaded", "aclfile";
    REPLICA: Sharing, "redis.replica_of", "replicaof";
    MODULE: AccessPolicy, "redis.module.loaded", "module";
    PERSISTENCE: RecoveryProtection, "redis.persistence.off", "persistence";
    FLUSHED: RecoveryProtection, "redis.flushed", "data";
}
