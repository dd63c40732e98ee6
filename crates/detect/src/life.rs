//! Which operations make a whole datastore, and which end one.
//!
//! Most are told by the name of their service and their own; sources that know the moment better say it by the class and
//! the activity of the event.

use dataward_event::audit_event::{AuditEvent, Class, DatastoreForm, EventKind, Outcome};

/// The operations that end a datastore, with all that was open in it.
const DESTRUCTIONS: [(&str, &str); 25] = [
    ("s3", "DeleteBucket"),
    ("s3express", "DeleteBucket"),
    ("rds", "DeleteDBInstance"),
    ("rds", "DeleteDBCluster"),
    ("rds", "DeleteDBSnapshot"),
    ("rds", "DeleteDBClusterSnapshot"),
    ("redshift", "DeleteCluster"),
    ("redshift", "DeleteClusterSnapshot"),
    ("redshift-serverless", "DeleteWorkgroup"),
    ("dynamodb", "DeleteTable"),
    ("dynamodb", "DeleteBackup"),
    ("es", "DeleteDomain"),
    ("es", "DeleteElasticsearchDomain"),
    ("ec2", "DeleteSnapshot"),
    ("ec2", "DeregisterImage"),
    ("ec2", "DeleteSecurityGroup"),
    ("elasticache", "DeleteReplicationGroup"),
    ("elasticache", "DeleteCacheCluster"),
    ("elasticache", "DeleteSnapshot"),
    ("memorydb", "DeleteCluster"),
    ("memorydb", "DeleteSnapshot"),
    ("glacier", "DeleteVault"),
    ("kafka", "DeleteCluster"),
    ("elasticfilesystem", "DeleteFileSystem"),
    ("mongodb", "dropDatabase"),
];

/// The operations that make a datastore.
const CREATIONS: [(&str, &str); 38] = [
    ("s3", "CreateBucket"),
    ("s3express", "CreateBucket"),
    ("rds", "CreateDBInstance"),
    ("rds", "CreateDBCluster"),
    ("rds", "CreateDBInstanceReadReplica"),
    ("rds", "RestoreDBInstanceFromDBSnapshot"),
    ("rds", "RestoreDBInstanceToPointInTime"),
    ("rds", "RestoreDBInstanceFromS3"),
    ("rds", "RestoreDBClusterFromSnapshot"),
    ("rds", "RestoreDBClusterToPointInTime"),
    ("rds", "RestoreDBClusterFromS3"),
    ("redshift", "CreateCluster"),
    ("redshift", "RestoreFromClusterSnapshot"),
    ("dynamodb", "CreateTable"),
    ("dynamodb", "RestoreTableFromBackup"),
    ("dynamodb", "RestoreTableToPointInTime"),
    ("dynamodb", "ImportTable"),
    ("es", "CreateDomain"),
    ("es", "CreateElasticsearchDomain"),
    ("elasticache", "CreateReplicationGroup"),
    ("elasticache", "CreateCacheCluster"),
    ("memorydb", "CreateCluster"),
    ("redshift-serverless", "CreateWorkgroup"),
    ("redshift-serverless", "RestoreFromSnapshot"),
    ("kafka", "CreateCluster"),
    ("kafka", "CreateClusterV2"),
    ("glacier", "CreateVault"),
    ("storage", "storage.buckets.create"),
    ("cloudsql", "cloudsql.instances.create"),
    ("bigquery", "google.cloud.bigquery.v2.DatasetService.InsertDataset"),
    ("bigquery", "datasetservice.insert"),
    ("redis", "google.cloud.redis.v1.CloudRedis.CreateInstance"),
    ("memcache", "google.cloud.memcache.v1.CloudMemcache.CreateInstance"),
    ("spanner", "google.spanner.admin.instance.v1.InstanceAdmin.CreateInstance"),
    ("alloydb", "google.cloud.alloydb.v1.AlloyDBAdmin.CreateCluster"),
    ("firestore", "google.firestore.admin.v1.FirestoreAdmin.CreateDatabase"),
    ("bigtableadmin", "google.bigtable.admin.v2.BigtableInstanceAdmin.CreateInstance"),
    ("mongodb", "createDatabase"),
];

/// What these sources make and delete as entities is roles, not datastores.
const OF_ROLES: [&str; 3] = ["mongodb.audit", "elasticsearch.audit", "opensearch.audit"];

/// OCSF: create, and delete.
const ENTITY_CREATE: u16 = 1;
const ENTITY_DELETE: u16 = 4;

/// Whether an event ends its datastore.
pub(crate) fn is_destruction(event: &AuditEvent<'_>) -> bool {
    is_done(event) && (is_listed(event, &DESTRUCTIONS) || is_of_entity(event, ENTITY_DELETE))
}

/// Whether an event makes its datastore.
pub(crate) fn is_creation(event: &AuditEvent<'_>) -> bool {
    let is_store = event
        .datastore
        .as_ref()
        .is_some_and(|store| !matches!(store.form, DatastoreForm::Guard | DatastoreForm::Other));
    is_store
        && is_done(event)
        && (is_listed(event, &CREATIONS) || is_of_entity(event, ENTITY_CREATE))
}

fn is_done(event: &AuditEvent<'_>) -> bool {
    event.kind == EventKind::ConfigChange && event.outcome != Outcome::Failure
}

fn is_listed(event: &AuditEvent<'_>, list: &[(&str, &str)]) -> bool {
    let service = event.service.as_deref().unwrap_or_default();
    let service = service.split('.').next().unwrap_or_default();
    list.contains(&(service, &*event.operation))
}

fn is_of_entity(event: &AuditEvent<'_>, activity: u16) -> bool {
    event.class == Class::EntityManagement
        && event.activity_id == activity
        && !OF_ROLES.contains(&&*event.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_names_a_service_and_an_operation_once() {
        let all: Vec<_> = DESTRUCTIONS.iter().chain(&CREATIONS).collect();
        for (service, operation) in &all {
            let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!service.is_empty() && service.chars().all(is_label), "{service}");
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.';
            assert!(!operation.is_empty() && operation.chars().all(is_name), "{operation}");
        }
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
