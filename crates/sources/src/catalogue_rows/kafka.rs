//! Rows of `kafka.authorizer`.

use dataward_event::change::Control;

use super::{EmittedRow, rows};

rows! {
    ACLS: AccessPolicy, "kafka.acls.changed", "acls";
    CONFIGS: AuditLogging, "kafka.configs.changed", "configs";
    CREDENTIALS: Authentication, "kafka.scram.changed", "scram_credentials";
}
