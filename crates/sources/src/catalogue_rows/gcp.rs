//! Rows of `gcp.audit`.

use super::{EmittedRow, rows};
use dataward_event::change::Control;

rows! {
    STORAGE_PUBLIC: AccessPolicy, "gcp.storage.iam.public", "bucket_iam_policy";
    STORAGE_FOREIGN: Sharing, "gcp.storage.iam.foreign", "bucket_iam_policy";
    STORAGE_PREVENTION: PublicAccessBlock, "gcp.storage.public_access_prevention", "publicAccessPrevention";
    STORAGE_UNIFORM: AccessPolicy, "gcp.storage.uniform_access.off", "uniformBucketLevelAccess";
    STORAGE_VERSIONING: RecoveryProtection, "gcp.storage.versioning.off", "versioning";
    STORAGE_SOFT_DELETE: RecoveryProtection, "gcp.storage.soft_delete.off", "softDeletePolicy";
    STORAGE_RETENTION: RecoveryProtection, "gcp.storage.retention_policy.removed", "retentionPolicy";
    STORAGE_LOGGING: AuditLogging, "gcp.storage.usage_logs.off", "logging";
    STORAGE_HMAC_KEY: Authentication, "gcp.storage.hmac_key.created", "hmac_key";
    STORAGE_DELETED: RecoveryProtection, "gcp.storage.bucket.deleted", "bucket";
    SNAPSHOT_SHARED: Sharing, "gcp.compute.snapshot.shared", "snapshot_iam_policy";
    DISK_SHARED: Sharing, "gcp.compute.disk.shared", "disk_iam_policy";
    BIGQUERY_PUBLIC: AccessPolicy, "gcp.bigquery.acl.public", "acl";
    BIGQUERY_FOREIGN: Sharing, "gcp.bigquery.acl.foreign", "acl";
    BIGQUERY_GRANT: AccessPolicy, "gcp.bigquery.grant.public", "grants";
    BIGQUERY_ROW_POLICY: DataMasking, "gcp.bigquery.row_policy.dropped", "rowAccessPolicy";
    BIGQUERY_DATA_POLICY: DataMasking, "gcp.bigquery.data_policy.deleted", "dataPolicy";
    ANALYTICS_LISTING: Sharing, "gcp.analyticshub.listing.created", "listing";
    CLOUDSQL_WORLD: NetworkExposure, "gcp.cloudsql.authorized_networks.world", "authorizedNetworks";
    CLOUDSQL_WIDE: NetworkExposure, "gcp.cloudsql.authorized_networks.wide", "authorizedNetworks";
    CLOUDSQL_PUBLIC_IP: NetworkExposure, "gcp.cloudsql.public_ip", "ipv4Enabled";
    CLOUDSQL_TLS: EncryptionInTransit, "gcp.cloudsql.tls_not_required", "sslMode";
    CLOUDSQL_RECOVERY: RecoveryProtection, "gcp.cloudsql.recovery.off", "backupConfiguration";
    CLOUDSQL_AUDIT_FLAGS: AuditLogging, "gcp.cloudsql.flags.audit", "databaseFlags";
    CLOUDSQL_AUTH_FLAGS: Authentication, "gcp.cloudsql.flags.authentication", "databaseFlags";
    CLOUDSQL_USER_ANY_HOST: Authentication, "gcp.cloudsql.user.any_host", "users";
    CLOUDSQL_USER_UPDATED: Authentication, "gcp.cloudsql.user.updated", "user_credentials";
    CLOUDSQL_CERTIFICATE: EncryptionInTransit, "gcp.cloudsql.certificate.deleted", "sslCerts";
    CLOUDSQL_BACKUP_DELETED: RecoveryProtection, "gcp.cloudsql.backup.deleted", "backup";
    REDIS_AUTH: Authentication, "gcp.redis.auth.off", "authEnabled";
    FIRESTORE_RECOVERY: RecoveryProtection, "gcp.firestore.recovery.off", "database_protection";
    KMS_DESTROYED: KeyAvailability, "gcp.kms.key_version.destroyed", "key_version_destruction";
    KMS_DISABLED: KeyAvailability, "gcp.kms.key_version.disabled", "key_version_state";
    KMS_FOREIGN: Sharing, "gcp.kms.iam.foreign", "key_iam_policy";
    SECRET_PUBLIC: AccessPolicy, "gcp.secretmanager.iam.open", "secret_iam_policy";
    PROJECT_DATA_ROLE: AccessPolicy, "gcp.project.iam.data_role", "project_iam_policy";
    PROJECT_PUBLIC: AccessPolicy, "gcp.project.iam.public", "project_iam_policy";
    ORG_POLICY: OrgGuardrail, "gcp.orgpolicy.relaxed", "org_policy";
    PERIMETER_DELETED: OrgGuardrail, "gcp.vpcsc.perimeter.deleted", "service_perimeter";
    PERIMETER_WEAKENED: OrgGuardrail, "gcp.vpcsc.perimeter.weakened", "service_perimeter_rules";
    ACCESS_LEVEL: OrgGuardrail, "gcp.vpcsc.access_level.open", "access_level";
    FIREWALL_WORLD: NetworkExposure, "gcp.compute.firewall.world", "ingress";
    FIREWALL_WIDE: NetworkExposure, "gcp.compute.firewall.wide", "ingress";
    AUDIT_CONFIG: AuditLogging, "gcp.project.audit_config.removed", "auditConfigs";
    AUDIT_EXEMPTED: AuditLogging, "gcp.project.audit_config.exempted", "exemptedMembers";
    SINK_DELETED: AuditLogging, "gcp.logging.sink.deleted", "sink";
    SINK_WEAKENED: AuditLogging, "gcp.logging.sink.weakened", "sink_settings";
    LOG_BUCKET_RETENTION: AuditLogging, "gcp.logging.bucket.retention_short", "retentionDays";
    LOG_BUCKET_DELETED: AuditLogging, "gcp.logging.bucket.deleted", "log_bucket";
    LOG_EXCLUSION: AuditLogging, "gcp.logging.exclusion.audit", "exclusion";
}
