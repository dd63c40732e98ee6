//! Which rows of the control catalogue this crate emits: the id, the control and the setting of each.
//!
//! A weakening and the change that restores it name the same setting, so that they meet in one state. What a row means,
//! how bad it is and what to do about it stands in the catalogue itself, which is the detector's; a test there holds both
//! together by [`EMITTED`].

use dataward_event::change::Control;

/// What a change of one catalogue row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmittedRow {
    /// The id of the row.
    pub id: &'static str,
    /// The control that the row judges.
    pub control: Control,
    /// The setting, in the product's words.
    pub setting: &'static str,
}

const fn row(id: &'static str, control: Control, setting: &'static str) -> EmittedRow {
    EmittedRow { id, control, setting }
}

pub(crate) const S3_POLICY_PUBLIC: EmittedRow =
    row("aws.s3.bucket_policy.public", Control::AccessPolicy, "bucket_policy");
pub(crate) const S3_POLICY_FOREIGN: EmittedRow =
    row("aws.s3.bucket_policy.foreign", Control::Sharing, "bucket_policy");
pub(crate) const S3_ACL_PUBLIC: EmittedRow =
    row("aws.s3.bucket_acl.public", Control::AccessPolicy, "bucket_acl");
pub(crate) const S3_OBJECT_ACL_PUBLIC: EmittedRow =
    row("aws.s3.object_acl.public", Control::AccessPolicy, "object_acl");
pub(crate) const S3_BLOCK_BUCKET: EmittedRow = row(
    "aws.s3.public_access_block.bucket",
    Control::PublicAccessBlock,
    "bucket_public_access_block",
);
pub(crate) const S3_BLOCK_ACCOUNT: EmittedRow = row(
    "aws.s3.public_access_block.account",
    Control::PublicAccessBlock,
    "account_public_access_block",
);
pub(crate) const S3_OWNERSHIP: EmittedRow =
    row("aws.s3.ownership_controls", Control::PublicAccessBlock, "ownership_controls");
pub(crate) const S3_ENCRYPTION: EmittedRow =
    row("aws.s3.default_encryption.removed", Control::EncryptionAtRest, "default_encryption");
pub(crate) const S3_LOGGING: EmittedRow =
    row("aws.s3.access_logging.off", Control::AuditLogging, "server_access_logging");
pub(crate) const S3_VERSIONING: EmittedRow =
    row("aws.s3.versioning.suspended", Control::RecoveryProtection, "versioning");
pub(crate) const S3_REPLICATION_FOREIGN: EmittedRow =
    row("aws.s3.replication.foreign", Control::Sharing, "replication");
pub(crate) const S3_REPLICATION_REMOVED: EmittedRow =
    row("aws.s3.replication.removed", Control::RecoveryProtection, "replication");
pub(crate) const S3_WEBSITE: EmittedRow =
    row("aws.s3.website.enabled", Control::NetworkExposure, "website");
pub(crate) const S3_BUCKET_DELETED: EmittedRow =
    row("aws.s3.bucket.deleted", Control::RecoveryProtection, "bucket");
pub(crate) const RDS_PUBLIC: EmittedRow =
    row("aws.rds.publicly_accessible", Control::NetworkExposure, "publiclyAccessible");
pub(crate) const RDS_PUBLIC_CREATED: EmittedRow =
    row("aws.rds.publicly_accessible.created", Control::NetworkExposure, "publiclyAccessible");
pub(crate) const RDS_PUBLIC_RESTORED: EmittedRow =
    row("aws.rds.publicly_accessible.restored", Control::NetworkExposure, "publiclyAccessible");
pub(crate) const RDS_UNENCRYPTED: EmittedRow =
    row("aws.rds.storage_unencrypted", Control::EncryptionAtRest, "storageEncrypted");
pub(crate) const RDS_DELETION_PROTECTION: EmittedRow =
    row("aws.rds.deletion_protection", Control::RecoveryProtection, "deletionProtection");
pub(crate) const RDS_BACKUPS: EmittedRow =
    row("aws.rds.backup_retention", Control::RecoveryProtection, "backupRetentionPeriod");
pub(crate) const RDS_IAM_AUTHENTICATION: EmittedRow =
    row("aws.rds.iam_authentication", Control::Authentication, "enableIAMDatabaseAuthentication");
pub(crate) const RDS_LOG_EXPORTS: EmittedRow =
    row("aws.rds.log_exports", Control::AuditLogging, "cloudwatchLogsExportConfiguration");
pub(crate) const RDS_PARAMETER_TLS: EmittedRow =
    row("aws.rds.parameter_group.tls", Control::EncryptionInTransit, "parameter_group_tls");
pub(crate) const RDS_PARAMETER_AUDIT: EmittedRow =
    row("aws.rds.parameter_group.audit", Control::AuditLogging, "parameter_group_audit");
pub(crate) const RDS_ACTIVITY_STREAM: EmittedRow =
    row("aws.rds.activity_stream", Control::AuditLogging, "activity_stream");
pub(crate) const RDS_SNAPSHOT_PUBLIC: EmittedRow =
    row("aws.rds.snapshot.public", Control::Sharing, "snapshot_restore");
pub(crate) const RDS_SNAPSHOT_FOREIGN: EmittedRow =
    row("aws.rds.snapshot.foreign", Control::Sharing, "snapshot_restore");
pub(crate) const RDS_SECURITY_GROUP: EmittedRow =
    row("aws.rds.db_security_group.world", Control::NetworkExposure, "db_security_group_ingress");
pub(crate) const RDS_EXPORT_ROLE: EmittedRow =
    row("aws.rds.export_role", Control::AccessPolicy, "associated_roles");
pub(crate) const RDS_NO_FINAL_SNAPSHOT: EmittedRow =
    row("aws.rds.deleted_without_snapshot", Control::RecoveryProtection, "final_snapshot");
pub(crate) const RDS_BACKUPS_DELETED: EmittedRow =
    row("aws.rds.automated_backups.deleted", Control::RecoveryProtection, "automated_backups");
pub(crate) const RDS_SNAPSHOT_DELETED: EmittedRow =
    row("aws.rds.snapshot.deleted", Control::RecoveryProtection, "snapshot");
pub(crate) const REDSHIFT_PUBLIC: EmittedRow =
    row("aws.redshift.publicly_accessible", Control::NetworkExposure, "publiclyAccessible");
pub(crate) const REDSHIFT_PUBLIC_CREATED: EmittedRow =
    row("aws.redshift.publicly_accessible.created", Control::NetworkExposure, "publiclyAccessible");
pub(crate) const REDSHIFT_LOGGING: EmittedRow =
    row("aws.redshift.audit_logging.off", Control::AuditLogging, "audit_logging");
pub(crate) const REDSHIFT_ENCRYPTION: EmittedRow =
    row("aws.redshift.encryption.off", Control::EncryptionAtRest, "encrypted");
pub(crate) const DYNAMODB_POLICY_PUBLIC: EmittedRow =
    row("aws.dynamodb.resource_policy.public", Control::AccessPolicy, "resource_policy");
pub(crate) const DYNAMODB_POLICY_FOREIGN: EmittedRow =
    row("aws.dynamodb.resource_policy.foreign", Control::Sharing, "resource_policy");
pub(crate) const DYNAMODB_DELETION_PROTECTION: EmittedRow = row(
    "aws.dynamodb.deletion_protection",
    Control::RecoveryProtection,
    "deletionProtectionEnabled",
);
pub(crate) const DYNAMODB_RECOVERY: EmittedRow = row(
    "aws.dynamodb.point_in_time_recovery",
    Control::RecoveryProtection,
    "pointInTimeRecoveryEnabled",
);
pub(crate) const DYNAMODB_BACKUP_DELETED: EmittedRow =
    row("aws.dynamodb.backup.deleted", Control::RecoveryProtection, "backup");
pub(crate) const DYNAMODB_TABLE_DELETED: EmittedRow =
    row("aws.dynamodb.table.deleted", Control::RecoveryProtection, "table");
pub(crate) const ES_POLICY_PUBLIC: EmittedRow =
    row("aws.es.access_policy.public", Control::AccessPolicy, "accessPolicies");
pub(crate) const ES_POLICY_FOREIGN: EmittedRow =
    row("aws.es.access_policy.foreign", Control::Sharing, "accessPolicies");
pub(crate) const ES_ANONYMOUS: EmittedRow =
    row("aws.es.anonymous_access", Control::Authentication, "anonymousAuthEnabled");
pub(crate) const ES_HTTPS: EmittedRow =
    row("aws.es.https_not_enforced", Control::EncryptionInTransit, "enforceHTTPS");
pub(crate) const ES_TLS_POLICY: EmittedRow =
    row("aws.es.old_tls_policy", Control::EncryptionInTransit, "tLSSecurityPolicy");
pub(crate) const ES_AUDIT_LOGS: EmittedRow =
    row("aws.es.audit_logs.off", Control::AuditLogging, "AUDIT_LOGS");
pub(crate) const ES_PUBLIC_ENDPOINT: EmittedRow =
    row("aws.es.public_endpoint", Control::NetworkExposure, "vPCOptions");
pub(crate) const ES_UNENCRYPTED: EmittedRow =
    row("aws.es.unencrypted", Control::EncryptionAtRest, "encryptionAtRestOptions");
pub(crate) const AOSS_PUBLIC: EmittedRow =
    row("aws.aoss.network_policy.public", Control::NetworkExposure, "AllowFromPublic");
pub(crate) const ELASTICACHE_TOKEN: EmittedRow =
    row("aws.elasticache.auth_token.deleted", Control::Authentication, "authToken");
pub(crate) const ELASTICACHE_USER_GROUPS: EmittedRow =
    row("aws.elasticache.user_groups.removed", Control::Authentication, "userGroups");
pub(crate) const ELASTICACHE_NO_PASSWORD: EmittedRow =
    row("aws.elasticache.user.no_password", Control::Authentication, "noPasswordRequired");
pub(crate) const ELASTICACHE_TLS: EmittedRow = row(
    "aws.elasticache.transit_encryption.off",
    Control::EncryptionInTransit,
    "transitEncryption",
);
pub(crate) const MEMORYDB_OPEN: EmittedRow =
    row("aws.memorydb.open_access", Control::Authentication, "aCLName");
pub(crate) const MEMORYDB_TLS: EmittedRow =
    row("aws.memorydb.tls.off", Control::EncryptionInTransit, "tLSEnabled");
pub(crate) const KMS_KEY_DISABLED: EmittedRow =
    row("aws.kms.key.disabled", Control::KeyAvailability, "key_enabled");
pub(crate) const KMS_KEY_DELETION: EmittedRow =
    row("aws.kms.key.deletion_scheduled", Control::KeyAvailability, "key_deletion");
pub(crate) const KMS_KEY_MATERIAL: EmittedRow =
    row("aws.kms.key_material.deleted", Control::KeyAvailability, "key_material");
pub(crate) const KMS_ROTATION: EmittedRow =
    row("aws.kms.key_rotation.off", Control::KeyAvailability, "key_rotation");
pub(crate) const KMS_POLICY_PUBLIC: EmittedRow =
    row("aws.kms.key_policy.public", Control::AccessPolicy, "key_policy");
pub(crate) const KMS_POLICY_FOREIGN: EmittedRow =
    row("aws.kms.key_policy.foreign", Control::Sharing, "key_policy");
pub(crate) const SECRET_POLICY_PUBLIC: EmittedRow =
    row("aws.secretsmanager.resource_policy.public", Control::AccessPolicy, "resource_policy");
pub(crate) const SECRET_POLICY_FOREIGN: EmittedRow =
    row("aws.secretsmanager.resource_policy.foreign", Control::Sharing, "resource_policy");
pub(crate) const SECRET_DELETED: EmittedRow =
    row("aws.secretsmanager.secret.destroyed", Control::KeyAvailability, "secret");
pub(crate) const EC2_INGRESS_WORLD: EmittedRow =
    row("aws.ec2.security_group.world", Control::NetworkExposure, "ingress");
pub(crate) const EC2_INGRESS_WIDE: EmittedRow =
    row("aws.ec2.security_group.wide", Control::NetworkExposure, "ingress");
pub(crate) const EC2_SNAPSHOT_PUBLIC: EmittedRow =
    row("aws.ec2.snapshot.public", Control::Sharing, "createVolumePermission");
pub(crate) const EC2_SNAPSHOT_FOREIGN: EmittedRow =
    row("aws.ec2.snapshot.foreign", Control::Sharing, "createVolumePermission");
pub(crate) const EC2_SNAPSHOT_DELETED: EmittedRow =
    row("aws.ec2.snapshot.deleted", Control::RecoveryProtection, "snapshot");
pub(crate) const EC2_IMAGE_PUBLIC: EmittedRow =
    row("aws.ec2.image.public", Control::Sharing, "launchPermission");
pub(crate) const EC2_IMAGE_FOREIGN: EmittedRow =
    row("aws.ec2.image.foreign", Control::Sharing, "launchPermission");
pub(crate) const EC2_SNAPSHOT_BLOCK: EmittedRow = row(
    "aws.ec2.snapshot_public_access_block",
    Control::PublicAccessBlock,
    "snapshot_block_public_access",
);
pub(crate) const EC2_IMAGE_BLOCK: EmittedRow = row(
    "aws.ec2.image_public_access_block",
    Control::PublicAccessBlock,
    "image_block_public_access",
);
pub(crate) const EC2_EBS_ENCRYPTION: EmittedRow = row(
    "aws.ec2.ebs_encryption_by_default.off",
    Control::EncryptionAtRest,
    "ebs_encryption_by_default",
);
pub(crate) const EC2_FLOW_LOGS: EmittedRow =
    row("aws.ec2.flow_logs.deleted", Control::Monitoring, "flow_logs");
pub(crate) const CLOUDTRAIL_LOGGING: EmittedRow =
    row("aws.cloudtrail.logging.stopped", Control::AuditLogging, "logging");
pub(crate) const CLOUDTRAIL_DELETED: EmittedRow =
    row("aws.cloudtrail.trail.deleted", Control::AuditLogging, "logging");
pub(crate) const CLOUDTRAIL_UPDATED: EmittedRow =
    row("aws.cloudtrail.trail.weakened", Control::AuditLogging, "trail_settings");
pub(crate) const CLOUDTRAIL_MANAGEMENT: EmittedRow =
    row("aws.cloudtrail.selectors.management", Control::AuditLogging, "management_events");
pub(crate) const CLOUDTRAIL_DATA: EmittedRow =
    row("aws.cloudtrail.selectors.data", Control::AuditLogging, "data_events");
pub(crate) const CLOUDTRAIL_STORE_STOPPED: EmittedRow = row(
    "aws.cloudtrail.event_data_store.stopped",
    Control::AuditLogging,
    "event_data_store_ingestion",
);
pub(crate) const CLOUDTRAIL_STORE_DELETED: EmittedRow =
    row("aws.cloudtrail.event_data_store.deleted", Control::AuditLogging, "event_data_store");
pub(crate) const CONFIG_RECORDER: EmittedRow =
    row("aws.config.recorder.stopped", Control::Monitoring, "configuration_recorder");
pub(crate) const CONFIG_DELIVERY: EmittedRow =
    row("aws.config.delivery_channel.deleted", Control::Monitoring, "delivery_channel");
pub(crate) const CONFIG_RULE: EmittedRow =
    row("aws.config.rule.deleted", Control::Monitoring, "config_rule");
pub(crate) const GUARDDUTY_DETECTOR: EmittedRow =
    row("aws.guardduty.detector.off", Control::Monitoring, "detector");
pub(crate) const GUARDDUTY_TRUSTED_IPS: EmittedRow =
    row("aws.guardduty.trusted_ip_set", Control::Monitoring, "trusted_ip_set");
pub(crate) const GUARDDUTY_ADMINISTRATOR: EmittedRow =
    row("aws.guardduty.administrator.left", Control::Monitoring, "administrator_account");
pub(crate) const GUARDDUTY_PUBLISHING: EmittedRow =
    row("aws.guardduty.publishing.deleted", Control::Monitoring, "publishing_destination");
pub(crate) const ORGANIZATION_LEFT: EmittedRow =
    row("aws.organizations.left", Control::OrgGuardrail, "organization_membership");
pub(crate) const RESOLVER_QUERY_LOGS: EmittedRow =
    row("aws.route53resolver.query_logging.off", Control::Monitoring, "resolver_query_logging");
pub(crate) const LOGS_GROUP_DELETED: EmittedRow =
    row("aws.logs.audit_group.deleted", Control::AuditLogging, "log_group");
pub(crate) const IAM_TRUST_PUBLIC: EmittedRow =
    row("aws.iam.role_trust.public", Control::AccessPolicy, "assume_role_policy");
pub(crate) const IAM_TRUST_FOREIGN: EmittedRow =
    row("aws.iam.role_trust.foreign", Control::Sharing, "assume_role_policy");

/// Every row that a decoder of this crate may name in a change.
pub const EMITTED: &[EmittedRow] = &[
    S3_POLICY_PUBLIC,
    S3_POLICY_FOREIGN,
    S3_ACL_PUBLIC,
    S3_OBJECT_ACL_PUBLIC,
    S3_BLOCK_BUCKET,
    S3_BLOCK_ACCOUNT,
    S3_OWNERSHIP,
    S3_ENCRYPTION,
    S3_LOGGING,
    S3_VERSIONING,
    S3_REPLICATION_FOREIGN,
    S3_REPLICATION_REMOVED,
    S3_WEBSITE,
    S3_BUCKET_DELETED,
    RDS_PUBLIC,
    RDS_PUBLIC_CREATED,
    RDS_PUBLIC_RESTORED,
    RDS_UNENCRYPTED,
    RDS_DELETION_PROTECTION,
    RDS_BACKUPS,
    RDS_IAM_AUTHENTICATION,
    RDS_LOG_EXPORTS,
    RDS_PARAMETER_TLS,
    RDS_PARAMETER_AUDIT,
    RDS_ACTIVITY_STREAM,
    RDS_SNAPSHOT_PUBLIC,
    RDS_SNAPSHOT_FOREIGN,
    RDS_SECURITY_GROUP,
    RDS_EXPORT_ROLE,
    RDS_NO_FINAL_SNAPSHOT,
    RDS_BACKUPS_DELETED,
    RDS_SNAPSHOT_DELETED,
    REDSHIFT_PUBLIC,
    REDSHIFT_PUBLIC_CREATED,
    REDSHIFT_LOGGING,
    REDSHIFT_ENCRYPTION,
    DYNAMODB_POLICY_PUBLIC,
    DYNAMODB_POLICY_FOREIGN,
    DYNAMODB_DELETION_PROTECTION,
    DYNAMODB_RECOVERY,
    DYNAMODB_BACKUP_DELETED,
    DYNAMODB_TABLE_DELETED,
    ES_POLICY_PUBLIC,
    ES_POLICY_FOREIGN,
    ES_ANONYMOUS,
    ES_HTTPS,
    ES_TLS_POLICY,
    ES_AUDIT_LOGS,
    ES_PUBLIC_ENDPOINT,
    ES_UNENCRYPTED,
    AOSS_PUBLIC,
    ELASTICACHE_TOKEN,
    ELASTICACHE_USER_GROUPS,
    ELASTICACHE_NO_PASSWORD,
    ELASTICACHE_TLS,
    MEMORYDB_OPEN,
    MEMORYDB_TLS,
    KMS_KEY_DISABLED,
    KMS_KEY_DELETION,
    KMS_KEY_MATERIAL,
    KMS_ROTATION,
    KMS_POLICY_PUBLIC,
    KMS_POLICY_FOREIGN,
    SECRET_POLICY_PUBLIC,
    SECRET_POLICY_FOREIGN,
    SECRET_DELETED,
    EC2_INGRESS_WORLD,
    EC2_INGRESS_WIDE,
    EC2_SNAPSHOT_PUBLIC,
    EC2_SNAPSHOT_FOREIGN,
    EC2_SNAPSHOT_DELETED,
    EC2_IMAGE_PUBLIC,
    EC2_IMAGE_FOREIGN,
    EC2_SNAPSHOT_BLOCK,
    EC2_IMAGE_BLOCK,
    EC2_EBS_ENCRYPTION,
    EC2_FLOW_LOGS,
    CLOUDTRAIL_LOGGING,
    CLOUDTRAIL_DELETED,
    CLOUDTRAIL_UPDATED,
    CLOUDTRAIL_MANAGEMENT,
    CLOUDTRAIL_DATA,
    CLOUDTRAIL_STORE_STOPPED,
    CLOUDTRAIL_STORE_DELETED,
    CONFIG_RECORDER,
    CONFIG_DELIVERY,
    CONFIG_RULE,
    GUARDDUTY_DETECTOR,
    GUARDDUTY_TRUSTED_IPS,
    GUARDDUTY_ADMINISTRATOR,
    GUARDDUTY_PUBLISHING,
    ORGANIZATION_LEFT,
    RESOLVER_QUERY_LOGS,
    LOGS_GROUP_DELETED,
    IAM_TRUST_PUBLIC,
    IAM_TRUST_FOREIGN,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<_> = EMITTED.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), EMITTED.len());
    }
}
