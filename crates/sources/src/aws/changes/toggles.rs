//! Calls that weaken or restore a protection by themselves, whatever their values.

use std::borrow::Cow;

use dataward_event::change::Direction::{self, Strengthened, Unknown, Weakened};

use super::document::text_at;
use super::{Call, Found};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// One such call.
struct Toggle {
    service: &'static str,
    operation: &'static str,
    row: EmittedRow,
    direction: Direction,
    /// What is opened or closed.
    opened: &'static str,
    scope: Scope,
}

/// What the setting belongs to.
#[derive(Clone, Copy)]
enum Scope {
    /// The resource that the request names.
    Resource,
    /// The account in this region: the request names nothing, or something that has no life of its own.
    AccountRegion,
    /// The account everywhere.
    Account,
}

const fn toggle(
    service: &'static str,
    operation: &'static str,
    row: EmittedRow,
    direction: Direction,
    opened: &'static str,
) -> Toggle {
    Toggle { service, operation, row, direction, opened, scope: Scope::Resource }
}

const fn account_toggle(
    service: &'static str,
    operation: &'static str,
    row: EmittedRow,
    direction: Direction,
    opened: &'static str,
) -> Toggle {
    Toggle { service, operation, row, direction, opened, scope: Scope::AccountRegion }
}

#[rustfmt::skip]
const TOGGLES: &[Toggle] = &[
    toggle("s3", "DeleteBucketEncryption", rows::S3_ENCRYPTION, Weakened, "default_encryption"),
    toggle("s3", "DeleteBucketOwnershipControls", rows::S3_OWNERSHIP, Weakened, "acls"),
    toggle("s3", "DeleteBucketWebsite", rows::S3_WEBSITE, Strengthened, "website"),
    toggle("s3", "DeleteBucketReplication", rows::S3_REPLICATION_REMOVED, Unknown, "replication"),
    toggle("s3", "DeleteBucket", rows::S3_BUCKET_DELETED, Unknown, "bucket"),
    toggle("s3", "PutBucketReplication", rows::S3_REPLICATION_REMOVED, Strengthened, "replication"),
    toggle("s3", "DeleteBucketLifecycle", rows::S3_LIFECYCLE, Strengthened, "expiration"),
    toggle("s3", "DeleteBucketCors", rows::S3_CORS, Strengthened, "origin *"),
    toggle("s3tables", "DeleteTableBucketEncryption", rows::S3TABLES_ENCRYPTION, Weakened, "default_encryption"),
    toggle("s3tables", "PutTableBucketEncryption", rows::S3TABLES_ENCRYPTION, Strengthened, "default_encryption"),
    toggle("rds", "StopActivityStream", rows::RDS_ACTIVITY_STREAM, Weakened, "activity_stream"),
    toggle("rds", "StartActivityStream", rows::RDS_ACTIVITY_STREAM, Strengthened, "activity_stream"),
    toggle("rds", "DeleteDBInstanceAutomatedBackup", rows::RDS_BACKUPS_DELETED, Weakened, "automated_backups"),
    toggle("rds", "DeleteDBClusterAutomatedBackup", rows::RDS_BACKUPS_DELETED, Weakened, "automated_backups"),
    toggle("rds", "DeleteDBSnapshot", rows::RDS_SNAPSHOT_DELETED, Weakened, "snapshot"),
    toggle("rds", "DeleteDBClusterSnapshot", rows::RDS_SNAPSHOT_DELETED, Weakened, "snapshot"),
    toggle("rds", "StopDBInstanceAutomatedBackupsReplication", rows::RDS_BACKUP_REPLICATION, Weakened, "backup_replication"),
    toggle("rds", "StartDBInstanceAutomatedBackupsReplication", rows::RDS_BACKUP_REPLICATION, Strengthened, "backup_replication"),
    toggle("rds", "EnableHttpEndpoint", rows::RDS_DATA_API, Weakened, "httpEndpoint"),
    toggle("rds", "DisableHttpEndpoint", rows::RDS_DATA_API, Strengthened, "httpEndpoint"),
    toggle("redshift", "DisableLogging", rows::REDSHIFT_LOGGING, Weakened, "logging"),
    toggle("redshift", "EnableLogging", rows::REDSHIFT_LOGGING, Strengthened, "logging"),
    toggle("redshift", "DisableSnapshotCopy", rows::REDSHIFT_SNAPSHOT_COPY, Weakened, "snapshot_copy"),
    toggle("redshift", "EnableSnapshotCopy", rows::REDSHIFT_SNAPSHOT_COPY, Strengthened, "snapshot_copy"),
    toggle("dynamodb", "DeleteBackup", rows::DYNAMODB_BACKUP_DELETED, Weakened, "backup"),
    toggle("dynamodb", "DeleteTable", rows::DYNAMODB_TABLE_DELETED, Unknown, "table"),
    toggle("kms", "DisableKey", rows::KMS_KEY_DISABLED, Weakened, "key"),
    toggle("kms", "EnableKey", rows::KMS_KEY_DISABLED, Strengthened, "key"),
    toggle("kms", "ScheduleKeyDeletion", rows::KMS_KEY_DELETION, Weakened, "deletion"),
    toggle("kms", "CancelKeyDeletion", rows::KMS_KEY_DELETION, Strengthened, "deletion"),
    toggle("kms", "DeleteImportedKeyMaterial", rows::KMS_KEY_MATERIAL, Weakened, "key_material"),
    toggle("kms", "ImportKeyMaterial", rows::KMS_KEY_MATERIAL, Strengthened, "key_material"),
    toggle("kms", "DisableKeyRotation", rows::KMS_ROTATION, Weakened, "rotation"),
    toggle("kms", "EnableKeyRotation", rows::KMS_ROTATION, Strengthened, "rotation"),
    toggle("kms", "DisconnectCustomKeyStore", rows::KMS_KEY_STORE, Weakened, "connection"),
    toggle("kms", "ConnectCustomKeyStore", rows::KMS_KEY_STORE, Strengthened, "connection"),
    toggle("secretsmanager", "CancelRotateSecret", rows::SECRET_ROTATION, Weakened, "rotation"),
    toggle("secretsmanager", "RotateSecret", rows::SECRET_ROTATION, Strengthened, "rotation"),
    toggle("iam", "DeleteRolePermissionsBoundary", rows::IAM_BOUNDARY, Weakened, "permissions_boundary"),
    toggle("iam", "PutRolePermissionsBoundary", rows::IAM_BOUNDARY, Strengthened, "permissions_boundary"),
    toggle("backup", "DeleteBackupVaultLockConfiguration", rows::BACKUP_LOCK, Weakened, "vault_lock"),
    toggle("backup", "PutBackupVaultLockConfiguration", rows::BACKUP_LOCK, Strengthened, "vault_lock"),
    toggle("backup", "DeleteBackupVault", rows::BACKUP_VAULT_DELETED, Weakened, "vault"),
    // A new plan never gets the id of the one that was deleted, so the setting is the account's.
    account_toggle("backup", "DeleteBackupPlan", rows::BACKUP_PLAN_DELETED, Weakened, "backup_plan"),
    account_toggle("backup", "CreateBackupPlan", rows::BACKUP_PLAN_DELETED, Strengthened, "backup_plan"),
    account_toggle("macie2", "DisableMacie", rows::MACIE_SESSION, Weakened, "session"),
    account_toggle("macie2", "EnableMacie", rows::MACIE_SESSION, Strengthened, "session"),
    account_toggle("securityhub", "DisableSecurityHub", rows::SECURITYHUB, Weakened, "hub"),
    account_toggle("securityhub", "EnableSecurityHub", rows::SECURITYHUB, Strengthened, "hub"),
    toggle("logs", "DeleteDataProtectionPolicy", rows::LOGS_DATA_PROTECTION, Weakened, "data_protection_policy"),
    toggle("logs", "PutDataProtectionPolicy", rows::LOGS_DATA_PROTECTION, Strengthened, "data_protection_policy"),
    toggle("ec2", "DeleteSnapshot", rows::EC2_SNAPSHOT_DELETED, Weakened, "snapshot"),
    account_toggle("ec2", "DisableSnapshotBlockPublicAccess", rows::EC2_SNAPSHOT_BLOCK, Weakened, "block_public_access"),
    account_toggle("ec2", "DisableImageBlockPublicAccess", rows::EC2_IMAGE_BLOCK, Weakened, "block_public_access"),
    account_toggle("ec2", "EnableImageBlockPublicAccess", rows::EC2_IMAGE_BLOCK, Strengthened, "block_public_access"),
    account_toggle("ec2", "DisableEbsEncryptionByDefault", rows::EC2_EBS_ENCRYPTION, Weakened, "encryption_by_default"),
    account_toggle("ec2", "EnableEbsEncryptionByDefault", rows::EC2_EBS_ENCRYPTION, Strengthened, "encryption_by_default"),
    toggle("cloudtrail", "StopLogging", rows::CLOUDTRAIL_LOGGING, Weakened, "logging"),
    toggle("cloudtrail", "StartLogging", rows::CLOUDTRAIL_LOGGING, Strengthened, "logging"),
    toggle("cloudtrail", "DeleteTrail", rows::CLOUDTRAIL_DELETED, Weakened, "logging"),
    toggle("cloudtrail", "StopEventDataStoreIngestion", rows::CLOUDTRAIL_STORE_STOPPED, Weakened, "ingestion"),
    toggle("cloudtrail", "StartEventDataStoreIngestion", rows::CLOUDTRAIL_STORE_STOPPED, Strengthened, "ingestion"),
    toggle("cloudtrail", "DeleteEventDataStore", rows::CLOUDTRAIL_STORE_DELETED, Weakened, "event_data_store"),
    toggle("cloudtrail", "RestoreEventDataStore", rows::CLOUDTRAIL_STORE_DELETED, Strengthened, "event_data_store"),
    account_toggle("config", "StopConfigurationRecorder", rows::CONFIG_RECORDER, Weakened, "recorder"),
    account_toggle("config", "DeleteConfigurationRecorder", rows::CONFIG_RECORDER, Weakened, "recorder"),
    account_toggle("config", "StartConfigurationRecorder", rows::CONFIG_RECORDER, Strengthened, "recorder"),
    account_toggle("config", "DeleteDeliveryChannel", rows::CONFIG_DELIVERY, Weakened, "delivery_channel"),
    account_toggle("config", "PutDeliveryChannel", rows::CONFIG_DELIVERY, Strengthened, "delivery_channel"),
    account_toggle("guardduty", "DeleteDetector", rows::GUARDDUTY_DETECTOR, Weakened, "detector"),
    account_toggle("guardduty", "CreateDetector", rows::GUARDDUTY_DETECTOR, Strengthened, "detector"),
    account_toggle("guardduty", "DisassociateFromAdministratorAccount", rows::GUARDDUTY_ADMINISTRATOR, Weakened, "administrator"),
    account_toggle("guardduty", "DisassociateFromMasterAccount", rows::GUARDDUTY_ADMINISTRATOR, Weakened, "administrator"),
    account_toggle("guardduty", "AcceptAdministratorInvitation", rows::GUARDDUTY_ADMINISTRATOR, Strengthened, "administrator"),
    account_toggle("guardduty", "DeletePublishingDestination", rows::GUARDDUTY_PUBLISHING, Weakened, "publishing_destination"),
    account_toggle("guardduty", "CreatePublishingDestination", rows::GUARDDUTY_PUBLISHING, Strengthened, "publishing_destination"),
    Toggle { service: "organizations", operation: "LeaveOrganization", row: rows::ORGANIZATION_LEFT, direction: Weakened, opened: "membership", scope: Scope::Account },
    Toggle { service: "organizations", operation: "AcceptHandshake", row: rows::ORGANIZATION_LEFT, direction: Strengthened, opened: "membership", scope: Scope::Account },
    toggle("route53resolver", "DeleteResolverQueryLogConfig", rows::RESOLVER_QUERY_LOGS, Weakened, "query_logging"),
];

/// Services that make copies by a plan also delete the oldest of them.
const ROTATING_SERVICES: [&str; 2] = ["backup.amazonaws.com", "dlm.amazonaws.com"];
const ROTATED: [&str; 3] = ["DeleteDBSnapshot", "DeleteDBClusterSnapshot", "DeleteSnapshot"];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let is_service = call.invoked_by.is_some_and(|by| ROTATING_SERVICES.contains(&by));
    if is_service && ROTATED.contains(&call.operation) {
        return;
    }
    let toggle = TOGGLES
        .iter()
        .find(|toggle| toggle.service == call.service && toggle.operation == call.operation);
    if let Some(toggle) = toggle {
        found.changes.push(&toggle.row, toggle.direction, toggle.opened);
        match toggle.scope {
            Scope::Resource => {}
            Scope::AccountRegion => found.of_account(call, true),
            Scope::Account => found.of_account(call, false),
        }
    }
    // Associations are named by the network that they cover: several of them may come and go independently.
    if call.service == "route53resolver" {
        let direction = match call.operation {
            "DisassociateResolverQueryLogConfig" => Weakened,
            "AssociateResolverQueryLogConfig" => Strengthened,
            _ => return,
        };
        let network = text_at(call.request(), &["resourceId"]).unwrap_or_default();
        let opened = Cow::Owned(format!("query_logging {network}"));
        found.changes.push(&rows::RESOLVER_QUERY_LOGS, direction, opened);
    }
}
