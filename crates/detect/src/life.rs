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
    use std::collections::BTreeSet;

    use dataward_event::position::{Offset, Partition, Position};
    use dataward_sources::decode::Record;
    use dataward_sources::source::{Source, decode};

    use super::*;

    /// Whether the event of a record makes its datastore, and whether it ends it.
    fn life(source: Source, text: &str) -> (bool, bool) {
        let position =
            Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
        let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
        let decoded = decode(source, record);
        let [event] = decoded.events.as_slice() else { panic!("one event: {text}") };
        (is_creation(&event.event), is_destruction(&event.event))
    }

    const BORN: (bool, bool) = (true, false);
    const ENDED: (bool, bool) = (false, true);
    const NEITHER: (bool, bool) = (false, false);

    fn aws(service: &str, operation: &str, request: &str, rest: &str) -> String {
        format!(
            r#"{{"eventVersion":"1.09","eventID":"1","eventTime":"2026-03-04T05:06:07Z","awsRegion":"eu-central-1",
                "eventSource":"{service}.amazonaws.com","eventName":"{operation}","recipientAccountId":"111122223333",
                "requestParameters":{{{request}}}{rest}}}"#
        )
    }

    fn gcp(service: &str, method: &str, name: &str, status: &str) -> String {
        format!(
            r#"{{"insertId":"1","timestamp":"2026-03-04T05:06:07Z","logName":"projects/p/logs/cloudaudit.googleapis.com%2Factivity",
                "protoPayload":{{"serviceName":"{service}.googleapis.com","methodName":"{method}",
                "resourceName":"projects/{name}","status":{{{status}}}}}}}"#
        )
    }

    #[test]
    fn every_entry_names_a_service_and_an_operation_once() {
        let all: Vec<_> = DESTRUCTIONS.iter().chain(&CREATIONS).collect();
        for (service, operation) in &all {
            let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!service.is_empty() && service.chars().all(is_label), "{service}");
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.';
            assert!(!operation.is_empty() && operation.chars().all(is_name), "{operation}");
        }
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    #[rustfmt::skip]
    fn every_creation_that_is_listed_is_one_of_a_datastore() {
        let calls = [
            ("s3", "CreateBucket", r#""bucketName":"b""#),
            ("s3express", "CreateBucket", r#""bucketName":"b--euc1-az1--x-s3""#),
            ("rds", "CreateDBInstance", r#""dBInstanceIdentifier":"d""#),
            ("rds", "CreateDBCluster", r#""dBClusterIdentifier":"d""#),
            ("rds", "CreateDBInstanceReadReplica", r#""dBInstanceIdentifier":"d","sourceDBInstanceIdentifier":"o""#),
            ("rds", "RestoreDBInstanceFromDBSnapshot", r#""dBInstanceIdentifier":"d","dBSnapshotIdentifier":"s""#),
            ("rds", "RestoreDBInstanceToPointInTime", r#""sourceDBInstanceIdentifier":"o","targetDBInstanceIdentifier":"d""#),
            ("rds", "RestoreDBInstanceFromS3", r#""dBInstanceIdentifier":"d","s3BucketName":"b""#),
            ("rds", "RestoreDBClusterFromSnapshot", r#""dBClusterIdentifier":"d","snapshotIdentifier":"s""#),
            ("rds", "RestoreDBClusterToPointInTime", r#""dBClusterIdentifier":"d","sourceDBClusterIdentifier":"o""#),
            ("rds", "RestoreDBClusterFromS3", r#""dBClusterIdentifier":"d","s3BucketName":"b""#),
            ("redshift", "CreateCluster", r#""clusterIdentifier":"d""#),
            ("redshift", "RestoreFromClusterSnapshot", r#""clusterIdentifier":"d","snapshotIdentifier":"s""#),
            ("redshift-serverless", "CreateWorkgroup", r#""workgroupName":"d""#),
            ("redshift-serverless", "RestoreFromSnapshot", r#""workgroupName":"d","snapshotName":"s""#),
            ("dynamodb", "CreateTable", r#""tableName":"d""#),
            ("dynamodb", "RestoreTableFromBackup", r#""targetTableName":"d","backupArn":"arn:aws:dynamodb:eu-central-1:1:table/o/backup/1""#),
            ("dynamodb", "RestoreTableToPointInTime", r#""targetTableName":"d","sourceTableName":"o""#),
            ("dynamodb", "ImportTable", r#""tableCreationParameters":{"tableName":"d"}"#),
            ("es", "CreateDomain", r#""domainName":"d""#),
            ("es", "CreateElasticsearchDomain", r#""domainName":"d""#),
            ("elasticache", "CreateReplicationGroup", r#""replicationGroupId":"d""#),
            ("elasticache", "CreateCacheCluster", r#""cacheClusterId":"d""#),
            ("memorydb", "CreateCluster", r#""clusterName":"d""#),
            ("kafka", "CreateCluster", r#""clusterName":"d""#),
            ("kafka", "CreateClusterV2", r#""clusterName":"d""#),
            ("glacier", "CreateVault", r#""vaultName":"d""#),
        ];
        let methods = [
            ("storage", "storage.buckets.create", "_/buckets/d"),
            ("cloudsql", "cloudsql.instances.create", "p/instances/d"),
            ("bigquery", "google.cloud.bigquery.v2.DatasetService.InsertDataset", "p/datasets/d"),
            ("bigquery", "datasetservice.insert", "p/datasets/d"),
            ("redis", "google.cloud.redis.v1.CloudRedis.CreateInstance", "p/locations/l/instances/d"),
            ("memcache", "google.cloud.memcache.v1.CloudMemcache.CreateInstance", "p/locations/l/instances/d"),
            ("spanner", "google.spanner.admin.instance.v1.InstanceAdmin.CreateInstance", "p/instances/d"),
            ("alloydb", "google.cloud.alloydb.v1.AlloyDBAdmin.CreateCluster", "p/locations/l/clusters/d"),
            ("firestore", "google.firestore.admin.v1.FirestoreAdmin.CreateDatabase", "p/databases/d"),
            ("bigtableadmin", "google.bigtable.admin.v2.BigtableInstanceAdmin.CreateInstance", "p/instances/d"),
        ];
        let refused = r#","errorCode":"AccessDenied""#;
        for (service, operation, request) in calls {
            assert_eq!(life(Source::AwsCloudtrail, &aws(service, operation, request, "")), BORN, "{service} {operation}");
            assert_eq!(life(Source::AwsCloudtrail, &aws(service, operation, request, refused)), NEITHER, "{operation}");
        }
        for (service, method, name) in methods {
            assert_eq!(life(Source::GcpAudit, &gcp(service, method, name, "")), BORN, "{method}");
            assert_eq!(life(Source::GcpAudit, &gcp(service, method, name, r#""code":7"#)), NEITHER, "{method}");
        }
        let tested = calls.iter().map(|(service, name, _)| (*service, *name));
        let tested = tested.chain(methods.iter().map(|(service, name, _)| (*service, *name)));
        let tested: BTreeSet<_> = tested.chain([("mongodb", "createDatabase")]).collect();
        assert_eq!(tested, CREATIONS.into_iter().collect());
    }

    #[test]
    #[rustfmt::skip]
    fn every_source_tells_what_is_made_and_what_ends() {
        let azure = |operation: &str, code: &str| format!(
            r#"{{"time":"2026-03-04T05:06:07Z","category":"Administrative","resultType":"Success","correlationId":"c",
                "operationName":"MICROSOFT.SQL/SERVERS/{operation}","properties":{{"statusCode":"{code}"}},
                "resourceId":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/d"}}"#);
        let snowflake = |kind: &str, text: &str| format!(
            r#"{{"QUERY_ID":"1","QUERY_TEXT":"{text}","QUERY_TYPE":"{kind}","EXECUTION_STATUS":"SUCCESS","DATABASE_NAME":"SHOP",
                "START_TIME":"2026-03-04 05:06:07.123 -0800"}}"#);
        let databricks = |action: &str, key: &str| format!(
            r#"{{"timestamp":1772600767123,"accountId":"a","serviceName":"unityCatalog","actionName":"{action}","requestId":"r",
                "requestParams":{{"{key}":"d"}},"response":{{"statusCode":200}}}}"#);
        let atlas = |kind: &str| format!(
            r#"{{"id":"1","created":"2026-03-04T05:06:07Z","eventTypeName":"{kind}","groupId":"p","clusterName":"d"}}"#);
        let k8s = |resource: &str, verb: &str, image: &str| format!(
            r#"{{"kind":"Event","auditID":"1","stage":"ResponseComplete","verb":"{verb}","stageTimestamp":"2026-03-04T05:06:07Z",
                "objectRef":{{"resource":"{resource}","namespace":"shop","name":"d"}},"responseStatus":{{"code":201}},
                "requestObject":{{"spec":{{"template":{{"spec":{{"containers":[{{"name":"c","image":"{image}"}}]}}}}}}}}}}"#);
        let pgaudit = |command: &str| format!(
            r#"2026-03-04 05:06:07 UTC [77] ada@shop LOG:  AUDIT: SESSION,1,1,DDL,{command},,,{command} d,<not logged>"#);
        let mariadb = |statement: &str, status: u32| format!(
            r"20260304 05:06:07,db1,dba,10.0.0.1,13,638,QUERY,shop,'{statement}',{status}");
        let mongodb = |kind: &str, param: &str| format!(
            r#"{{"atype":"{kind}","ts":{{"$date":"2026-03-04T05:06:07.123+00:00"}},"local":{{"ip":"192.0.2.9","port":27017}},
                "remote":{{}},"users":[],"roles":[],"param":{{{param}}},"result":0}}"#);
        let elastic = |event: &str| format!(
            r#"{{"type":"audit","timestamp":"2026-03-04T05:06:07,123+0000","cluster.name":"d","event.type":"security_config_change",
                "event.action":"{event}","request.id":"r"}}"#);
        let ocsf = |activity: u16, form: &str| format!(
            r#"{{"class_uid":3004,"activity_id":{activity},"time":1772600767123,"status_id":1,"metadata":{{"uid":"1"}},
                "unmapped":{{"dataward":{{"datastore":{{"uid":"d","form":"{form}"}}}}}}}}"#);
        for (source, text, expected) in [
            (Source::AwsCloudtrail, aws("rds", "CreateDBSnapshot", r#""dBSnapshotIdentifier":"s","dBInstanceIdentifier":"d""#, ""), NEITHER),
            (Source::AwsCloudtrail, aws("rds", "CreateDBParameterGroup", r#""dBParameterGroupName":"g""#, ""), NEITHER),
            (Source::AwsCloudtrail, aws("rds", "DeleteDBInstance", r#""dBInstanceIdentifier":"d""#, ""), ENDED),
            (Source::GcpAudit, gcp("storage", "storage.buckets.update", "_/buckets/d", ""), NEITHER),
            (Source::GcpAudit, gcp("storage", "storage.buckets.delete", "_/buckets/d", ""), ENDED),
            (Source::AzureActivity, azure("WRITE", "Created"), BORN),
            (Source::AzureActivity, azure("WRITE", "OK"), NEITHER),
            (Source::AzureActivity, azure("DELETE", "OK"), ENDED),
            (Source::SnowflakeAccountUsage, snowflake("CREATE", "CREATE DATABASE d"), BORN),
            (Source::SnowflakeAccountUsage, snowflake("CREATE_TABLE", "CREATE TABLE t (a INT)"), NEITHER),
            (Source::SnowflakeAccountUsage, snowflake("DROP", "DROP DATABASE d"), ENDED),
            (Source::DatabricksAudit, databricks("createCatalog", "name"), BORN),
            (Source::DatabricksAudit, databricks("createSchema", "name"), NEITHER),
            (Source::DatabricksAudit, databricks("deleteCatalog", "name_arg"), ENDED),
            (Source::MongodbAtlas, atlas("CLUSTER_CREATED"), BORN),
            (Source::MongodbAtlas, atlas("CLUSTER_UPDATED"), NEITHER),
            (Source::MongodbAtlas, atlas("CLUSTER_DELETED"), ENDED),
            (Source::K8sAudit, k8s("statefulsets", "create", "postgres:17"), BORN),
            (Source::K8sAudit, k8s("statefulsets", "create", "web:1"), NEITHER),
            (Source::K8sAudit, k8s("statefulsets", "update", "postgres:17"), NEITHER),
            (Source::K8sAudit, k8s("pods", "create", "postgres:17"), NEITHER),
            (Source::PostgresPgaudit, pgaudit("CREATE DATABASE"), BORN),
            (Source::PostgresPgaudit, pgaudit("CREATE SCHEMA"), NEITHER),
            (Source::PostgresPgaudit, pgaudit("DROP DATABASE"), ENDED),
            (Source::MariadbServerAudit, mariadb("CREATE DATABASE d", 0), BORN),
            (Source::MariadbServerAudit, mariadb("CREATE DATABASE d", 1044), NEITHER),
            (Source::MariadbServerAudit, mariadb("CREATE TABLE d (a INT)", 0), NEITHER),
            (Source::MariadbServerAudit, mariadb("DROP DATABASE d", 0), ENDED),
            (Source::MongodbAudit, mongodb("createDatabase", r#""ns":"d""#), BORN),
            (Source::MongodbAudit, mongodb("createCollection", r#""ns":"d.c""#), NEITHER),
            (Source::MongodbAudit, mongodb("createRole", r#""role":"r","db":"d""#), NEITHER),
            (Source::MongodbAudit, mongodb("dropRole", r#""role":"r","db":"d""#), NEITHER),
            (Source::MongodbAudit, mongodb("dropDatabase", r#""ns":"d""#), ENDED),
            (Source::ElasticsearchAudit, elastic("delete_role"), NEITHER),
            (Source::Ocsf, ocsf(1, "database"), BORN),
            (Source::Ocsf, ocsf(1, "guard"), NEITHER),
            (Source::Ocsf, ocsf(4, "database"), ENDED),
        ] {
            assert_eq!(life(source, &text), expected, "{text}");
        }
    }
}
