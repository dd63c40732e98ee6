//! Flags in a request of which one value weakens a protection and the other restores it.

use std::borrow::Cow;

use super::document::text_at;
use super::{Call, Found};
use crate::catalogue_rows::{self as rows, EmittedRow};

/// One flag.
struct Flag {
    service: &'static str,
    operation: &'static str,
    path: &'static [&'static str],
    /// The value that weakens, lower case.
    weak: &'static str,
    row: EmittedRow,
    opened: &'static str,
    /// Whether other values restore: at creation they change nothing.
    is_restored_by_others: bool,
}

const fn flag(
    service: &'static str,
    operation: &'static str,
    path: &'static [&'static str],
    weak: &'static str,
    row: EmittedRow,
    opened: &'static str,
) -> Flag {
    Flag { service, operation, path, weak, row, opened, is_restored_by_others: true }
}

const fn created(
    service: &'static str,
    operation: &'static str,
    path: &'static [&'static str],
    weak: &'static str,
    row: EmittedRow,
    opened: &'static str,
) -> Flag {
    Flag { service, operation, path, weak, row, opened, is_restored_by_others: false }
}

#[rustfmt::skip]
const FLAGS: &[Flag] = &[
    flag("rds", "ModifyDBInstance", &["publiclyAccessible"], "true", rows::RDS_PUBLIC, "publiclyAccessible"),
    flag("rds", "ModifyDBInstance", &["deletionProtection"], "false", rows::RDS_DELETION_PROTECTION, "deletionProtection"),
    flag("rds", "ModifyDBCluster", &["deletionProtection"], "false", rows::RDS_DELETION_PROTECTION, "deletionProtection"),
    flag("rds", "ModifyDBInstance", &["enableIAMDatabaseAuthentication"], "false", rows::RDS_IAM_AUTHENTICATION, "enableIAMDatabaseAuthentication"),
    flag("rds", "ModifyDBCluster", &["enableIAMDatabaseAuthentication"], "false", rows::RDS_IAM_AUTHENTICATION, "enableIAMDatabaseAuthentication"),
    flag("rds", "ModifyDBCluster", &["enableHttpEndpoint"], "true", rows::RDS_DATA_API, "httpEndpoint"),
    flag("rds", "ModifyActivityStream", &["auditPolicyState"], "unlocked", rows::RDS_ACTIVITY_UNLOCKED, "auditPolicyState"),
    flag("rds", "ModifyDBProxy", &["requireTLS"], "false", rows::RDS_PROXY_TLS, "requireTLS"),
    created("rds", "CreateDBProxy", &["requireTLS"], "false", rows::RDS_PROXY_TLS, "requireTLS"),
    created("rds", "DeleteDBCluster", &["skipFinalSnapshot"], "true", rows::RDS_NO_FINAL_SNAPSHOT, "final_snapshot"),
    flag("redshift", "ModifyCluster", &["publiclyAccessible"], "true", rows::REDSHIFT_PUBLIC, "publiclyAccessible"),
    flag("redshift", "ModifyCluster", &["encrypted"], "false", rows::REDSHIFT_ENCRYPTION, "encrypted"),
    flag("redshift", "ModifyCluster", &["enhancedVpcRouting"], "false", rows::REDSHIFT_ROUTING, "enhancedVpcRouting"),
    flag("redshift-serverless", "UpdateWorkgroup", &["publiclyAccessible"], "true", rows::REDSHIFT_SERVERLESS_PUBLIC, "publiclyAccessible"),
    flag("dynamodb", "UpdateTable", &["deletionProtectionEnabled"], "false", rows::DYNAMODB_DELETION_PROTECTION, "deletionProtectionEnabled"),
    flag("dynamodb", "UpdateContinuousBackups", &["pointInTimeRecoverySpecification", "pointInTimeRecoveryEnabled"], "false", rows::DYNAMODB_RECOVERY, "pointInTimeRecoveryEnabled"),
    flag("elasticache", "ModifyReplicationGroup", &["snapshotRetentionLimit"], "0", rows::ELASTICACHE_SNAPSHOTS, "snapshotRetentionLimit"),
    created("elasticache", "CreateReplicationGroup", &["transitEncryptionEnabled"], "false", rows::ELASTICACHE_TLS, "transitEncryption"),
    flag("memorydb", "UpdateCluster", &["aCLName"], "open-access", rows::MEMORYDB_OPEN, "open-access"),
    created("memorydb", "CreateCluster", &["aCLName"], "open-access", rows::MEMORYDB_OPEN, "open-access"),
    created("memorydb", "CreateCluster", &["tLSEnabled"], "false", rows::MEMORYDB_TLS, "tLSEnabled"),
    flag("elasticfilesystem", "PutBackupPolicy", &["backupPolicy", "status"], "DISABLED", rows::EFS_BACKUPS, "backup_policy"),
    created("secretsmanager", "DeleteSecret", &["forceDeleteWithoutRecovery"], "true", rows::SECRET_DELETED, "secret"),
    flag("guardduty", "UpdateDetector", &["enable"], "false", rows::GUARDDUTY_DETECTOR, "detector"),
    flag("glue", "PutDataCatalogEncryptionSettings", &["dataCatalogEncryptionSettings", "encryptionAtRest", "catalogEncryptionMode"], "disabled", rows::GLUE_ENCRYPTION, "catalogEncryptionMode"),
    flag("glue", "PutDataCatalogEncryptionSettings", &["dataCatalogEncryptionSettings", "connectionPasswordEncryption", "returnConnectionPasswordEncrypted"], "false", rows::GLUE_ENCRYPTION, "returnConnectionPasswordEncrypted"),
    flag("athena", "UpdateWorkGroup", &["configurationUpdates", "enforceWorkGroupConfiguration"], "false", rows::ATHENA_WORKGROUP, "enforceWorkGroupConfiguration"),
    flag("macie2", "UpdateMacieSession", &["status"], "paused", rows::MACIE_SESSION, "session"),
];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let flags = FLAGS
        .iter()
        .filter(|flag| flag.service == call.service && flag.operation == call.operation);
    for flag in flags {
        let Some(value) = text_at(call.request(), flag.path) else { continue };
        let is_weak = value.eq_ignore_ascii_case(flag.weak);
        if is_weak || flag.is_restored_by_others {
            found.changes.flag(&flag.row, is_weak, flag.opened).after = Some(Cow::Owned(value));
            if matches!(flag.service, "guardduty" | "glue" | "macie2") {
                found.of_account(call, true);
            }
        }
    }
}
