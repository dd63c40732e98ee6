//! Rows of `mysql.audit` and `mariadb.server_audit`.

use dataward_event::change::Control;

use super::{EmittedRow, rows};

rows! {
    MYSQL_GRANT: AccessPolicy, "mysql.grant.global", "grants";
    MYSQL_ACCOUNT: Authentication, "mysql.account.open", "accounts";
    MYSQL_ACCOUNT_ALTERED: Authentication, "mysql.account.weakened", "account_options";
    MYSQL_TLS: EncryptionInTransit, "mysql.setting.tls", "require_secure_transport";
    MYSQL_AUDIT: AuditLogging, "mysql.setting.audit", "audit_settings";
    MYSQL_FILTER: AuditLogging, "mysql.audit_filter.weakened", "audit_filters";
    MYSQL_PLUGIN: AuditLogging, "mysql.plugin.uninstalled", "guarding_plugins";
    MYSQL_AUTHENTICATION: Authentication, "mysql.setting.authentication", "authentication_settings";
    MYSQL_ENCRYPTION: EncryptionAtRest, "mysql.encryption.off", "encryption";
    MYSQL_INSTANCE: KeyAvailability, "mysql.instance.keys", "instance_keys";
    MYSQL_AUDIT_STOPPED: AuditLogging, "mysql.audit.stopped", "audit_log";
    MYSQL_PLUGIN_AUTHENTICATION: Authentication, "mysql.plugin.authentication", "authentication_plugins";
    MYSQL_GRANT_TABLES: Authentication, "mysql.grant_tables.written", "grant_tables";
    MYSQL_START: Authentication, "mysql.start.skip_grant_tables", "skip_grant_tables";
    MARIADB_AUDIT_OFF: AuditLogging, "mariadb.audit.off", "server_audit_logging";
    MARIADB_AUDIT_NARROWED: AuditLogging, "mariadb.audit.narrowed", "server_audit_filters";
    MARIADB_PLUGIN: AuditLogging, "mariadb.audit.uninstalled", "server_audit_plugin";
    MARIADB_GRANT: AccessPolicy, "mariadb.grant.wide", "grants";
    MARIADB_ACCOUNT: Authentication, "mariadb.account.open", "accounts";
    MARIADB_TLS: EncryptionInTransit, "mariadb.setting.tls", "require_secure_transport";
    MARIADB_AUTHENTICATION: Authentication, "mariadb.setting.authentication", "authentication_settings";
}
