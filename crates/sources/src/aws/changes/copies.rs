//! Copies: which datastore a call makes from which other one, and where it sends the data of one.

use dataward_event::audit_event::Datastore;
use serde_json::Value;

use super::super::datastore::of_type;
use super::document::{at, items, text_at};
use super::{Call, Found};
use crate::changes::PlaceOf;

/// One end of a copy: what kind of resource it is, and the keys of the call that may name it.
struct End {
    resource_type: &'static str,
    keys: &'static [&'static str],
}

/// A call that makes one datastore from another.
struct Made {
    service: &'static str,
    operation: &'static str,
    copy: End,
    origin: End,
}

const fn made(
    service: &'static str,
    operation: &'static str,
    copy: (&'static str, &'static [&'static str]),
    origin: (&'static str, &'static [&'static str]),
) -> Made {
    Made {
        service,
        operation,
        copy: End { resource_type: copy.0, keys: copy.1 },
        origin: End { resource_type: origin.0, keys: origin.1 },
    }
}

const BUCKET: &str = "AWS::S3::Bucket";
const INSTANCE: &str = "AWS::RDS::DBInstance";
const CLUSTER: &str = "AWS::RDS::DBCluster";
const SNAPSHOT: &str = "AWS::RDS::DBSnapshot";
const CLUSTER_SNAPSHOT: &str = "AWS::RDS::DBClusterSnapshot";
const TABLE: &str = "AWS::DynamoDB::Table";
const BACKUP: &str = "AWS::DynamoDB::Backup";
const REDSHIFT: &str = "AWS::Redshift::Cluster";
const REDSHIFT_SNAPSHOT: &str = "AWS::Redshift::ClusterSnapshot";
const CACHES: &str = "AWS::ElastiCache::ReplicationGroup";
const CACHE: &str = "AWS::ElastiCache::CacheCluster";
const CACHE_SNAPSHOT: &str = "AWS::ElastiCache::Snapshot";
const MEMORY: &str = "AWS::MemoryDB::Cluster";
const MEMORY_SNAPSHOT: &str = "AWS::MemoryDB::Snapshot";
const WORKGROUP: &str = "AWS::RedshiftServerless::Workgroup";
const SERVERLESS_SNAPSHOT: &str = "AWS::RedshiftServerless::Snapshot";
const DISK_SNAPSHOT: &str = "AWS::EC2::Snapshot";
const IMAGE: &str = "AWS::EC2::Image";

/// Of two of one operation the first whose ends are both named counts.
#[rustfmt::skip]
const MADE: &[Made] = &[
    made("rds", "CreateDBSnapshot", (SNAPSHOT, &["dBSnapshotIdentifier"]), (INSTANCE, &["dBInstanceIdentifier"])),
    made("rds", "CreateDBClusterSnapshot", (CLUSTER_SNAPSHOT, &["dBClusterSnapshotIdentifier"]), (CLUSTER, &["dBClusterIdentifier"])),
    made("rds", "CopyDBSnapshot", (SNAPSHOT, &["targetDBSnapshotIdentifier"]), (SNAPSHOT, &["sourceDBSnapshotIdentifier"])),
    made("rds", "CopyDBClusterSnapshot", (CLUSTER_SNAPSHOT, &["targetDBClusterSnapshotIdentifier"]), (CLUSTER_SNAPSHOT, &["sourceDBClusterSnapshotIdentifier"])),
    made("rds", "RestoreDBInstanceFromDBSnapshot", (INSTANCE, &["dBInstanceIdentifier"]), (SNAPSHOT, &["dBSnapshotIdentifier"])),
    made("rds", "RestoreDBInstanceFromDBSnapshot", (INSTANCE, &["dBInstanceIdentifier"]), (CLUSTER_SNAPSHOT, &["dBClusterSnapshotIdentifier"])),
    made("rds", "RestoreDBClusterFromSnapshot", (CLUSTER, &["dBClusterIdentifier"]), (CLUSTER_SNAPSHOT, &["snapshotIdentifier"])),
    made("rds", "RestoreDBInstanceToPointInTime", (INSTANCE, &["targetDBInstanceIdentifier"]), (INSTANCE, &["sourceDBInstanceIdentifier"])),
    made("rds", "RestoreDBClusterToPointInTime", (CLUSTER, &["dBClusterIdentifier"]), (CLUSTER, &["sourceDBClusterIdentifier"])),
    made("rds", "RestoreDBInstanceFromS3", (INSTANCE, &["dBInstanceIdentifier"]), (BUCKET, &["s3BucketName"])),
    made("rds", "RestoreDBClusterFromS3", (CLUSTER, &["dBClusterIdentifier"]), (BUCKET, &["s3BucketName"])),
    made("rds", "CreateDBInstanceReadReplica", (INSTANCE, &["dBInstanceIdentifier"]), (INSTANCE, &["sourceDBInstanceIdentifier"])),
    made("rds", "CreateDBInstanceReadReplica", (INSTANCE, &["dBInstanceIdentifier"]), (CLUSTER, &["sourceDBClusterIdentifier"])),
    made("rds", "CreateDBCluster", (CLUSTER, &["dBClusterIdentifier"]), (CLUSTER, &["replicationSourceIdentifier"])),
    made("dynamodb", "RestoreTableFromBackup", (TABLE, &["targetTableName"]), (BACKUP, &["backupArn"])),
    made("dynamodb", "RestoreTableToPointInTime", (TABLE, &["targetTableName"]), (TABLE, &["sourceTableName", "sourceTableArn"])),
    made("redshift", "CreateClusterSnapshot", (REDSHIFT_SNAPSHOT, &["snapshotIdentifier"]), (REDSHIFT, &["clusterIdentifier"])),
    made("redshift", "CopyClusterSnapshot", (REDSHIFT_SNAPSHOT, &["targetSnapshotIdentifier"]), (REDSHIFT_SNAPSHOT, &["sourceSnapshotIdentifier"])),
    made("redshift", "RestoreFromClusterSnapshot", (REDSHIFT, &["clusterIdentifier"]), (REDSHIFT_SNAPSHOT, &["snapshotIdentifier", "snapshotArn"])),
    made("elasticache", "CreateReplicationGroup", (CACHES, &["replicationGroupId"]), (CACHE_SNAPSHOT, &["snapshotName"])),
    made("elasticache", "CreateCacheCluster", (CACHE, &["cacheClusterId"]), (CACHE_SNAPSHOT, &["snapshotName"])),
    made("elasticache", "CreateSnapshot", (CACHE_SNAPSHOT, &["snapshotName"]), (CACHES, &["replicationGroupId"])),
    made("elasticache", "CreateSnapshot", (CACHE_SNAPSHOT, &["snapshotName"]), (CACHE, &["cacheClusterId"])),
    made("memorydb", "CreateCluster", (MEMORY, &["clusterName"]), (MEMORY_SNAPSHOT, &["snapshotName"])),
    made("memorydb", "CreateSnapshot", (MEMORY_SNAPSHOT, &["snapshotName"]), (MEMORY, &["clusterName"])),
    made("redshift-serverless", "RestoreFromSnapshot", (WORKGROUP, &["workgroupName"]), (SERVERLESS_SNAPSHOT, &["snapshotArn"])),
    made("ec2", "CopySnapshot", (DISK_SNAPSHOT, &["snapshotId"]), (DISK_SNAPSHOT, &["sourceSnapshotId"])),
    made("ec2", "CopyImage", (IMAGE, &["imageId"]), (IMAGE, &["sourceImageId"])),
];

/// Operations on data that copy between datastores.
pub(in crate::aws) fn is_of_data(service: &str, operation: &str) -> bool {
    service == "s3" && matches!(operation, "CopyObject" | "UploadPartCopy")
}

/// States the copies of a call.
pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    let named = |row: &&Made| row.service == call.service && row.operation == call.operation;
    for row in MADE.iter().filter(named) {
        if make(call, row, found).is_some() {
            return;
        }
    }
    let request = call.request();
    match (call.service, call.operation) {
        ("s3", "CopyObject" | "UploadPartCopy") => copy_object(call, found),
        ("s3", "PutBucketReplication") => replicate(call, found),
        ("rds", "StartExportTask") => {
            let Some(source) = text_at(request, &["sourceArn"]) else { return };
            // The ARN itself tells which of the four it is.
            let kinds = [
                (":snapshot:", SNAPSHOT),
                (":cluster-snapshot:", CLUSTER_SNAPSHOT),
                (":db:", INSTANCE),
                (":cluster:", CLUSTER),
            ];
            let kind = kinds.into_iter().find(|(mark, _)| source.contains(mark));
            found.datastore = kind.and_then(|(_, kind)| end(call, kind, &source, None));
            to_bucket(call, found, "s3BucketName", None);
        }
        ("dynamodb", "ExportTableToPointInTime") => {
            to_bucket(call, found, "s3Bucket", text_at(request, &["s3BucketOwner"]));
        }
        ("dynamodb", "ImportTable") => {
            let named = text_at(request, &["tableCreationParameters", "tableName"]);
            found.datastore = named.and_then(|name| end(call, TABLE, &name, None));
            let bucket = text_at(request, &["s3BucketSource", "s3Bucket"]);
            if let Some(bucket) = bucket.and_then(|name| end(call, BUCKET, &name, None)) {
                let owner = text_at(request, &["s3BucketSource", "s3BucketOwner"]);
                found.changes.copy_from(bucket.uid.into_owned(), place(owner.as_deref(), None));
            }
        }
        ("dynamodb", "UpdateTable") => replicas(call, found),
        ("dynamodb", "CreateBackup") => {
            let backup = text_at(call.response(), &["backupDetails", "backupArn"]);
            if let Some(backup) = backup {
                found.changes.copy_to(backup, place(None, call.region));
            }
        }
        ("elasticache", "CopySnapshot") if request.get("targetBucket").is_some() => {
            to_bucket(call, found, "targetBucket", None);
        }
        ("elasticache", "CopySnapshot") => {
            let target = text_at(request, &["targetSnapshotName"]);
            let copy = target.and_then(|name| end(call, CACHE_SNAPSHOT, &name, None));
            if let Some(copy) = copy {
                found.changes.copy_to(copy.uid.into_owned(), place(call.account, call.region));
            }
        }
        _ => {}
    }
}

/// A datastore of a name or an ARN; by its name alone it lies where the call was made, or in `region`.
fn end(
    call: &Call<'_>,
    resource_type: &'static str,
    name: &str,
    region: Option<&str>,
) -> Option<Datastore<'static>> {
    of_type(resource_type, name, call.account, region.or(call.region))
}

/// A place in AWS.
fn place<'p>(account: Option<&'p str>, region: Option<&'p str>) -> PlaceOf<'p> {
    PlaceOf { provider: Some("AWS"), account, region }
}

fn make(call: &Call<'_>, row: &Made, found: &mut Found) -> Option<()> {
    let request = call.request();
    let told = |value: &Value, end: &End| end.keys.iter().find_map(|key| text_at(value, &[key]));
    // What EC2 copies is named by its answer.
    let copy = match row.service {
        "ec2" => told(call.response(), &row.copy),
        _ => told(request, &row.copy),
    };
    let copy = end(call, row.copy.resource_type, &copy?, None)?;
    let name = told(request, &row.origin)?;
    let region = text_at(request, &["sourceRegion"]);
    let owner = text_at(request, &["ownerAccount"]);
    let account = owner.as_deref().or(call.account);
    let region = region.as_deref().or(call.region);
    let origin = of_type(row.origin.resource_type, &name, account, region)?;
    let (account, region) = match arn_place(&name) {
        Some(told) => told,
        // Whose it is tells neither the name of a bucket nor the id of a snapshot that may be shared.
        None if row.origin.resource_type == BUCKET => (None, None),
        None if row.service == "ec2" => (None, region),
        None => (account, region),
    };
    let is_same = copy.uid == origin.uid;
    found.datastore = Some(copy);
    if is_same {
        return Some(());
    }
    found.changes.copy_from(origin.uid.into_owned(), place(account, region));
    Some(())
}

/// The account and the region that an ARN names.
fn arn_place(arn: &str) -> Option<(Option<&str>, Option<&str>)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':').skip(2);
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let region = next();
    Some((next(), region))
}

/// An export into the bucket that a key of the request names.
fn to_bucket(call: &Call<'_>, found: &mut Found, key: &str, owner: Option<String>) {
    let bucket = text_at(call.request(), &[key]);
    if let Some(bucket) = bucket.and_then(|name| end(call, BUCKET, &name, None)) {
        found.changes.copy_to(bucket.uid.into_owned(), place(owner.as_deref(), None));
    }
}

/// `x-amz-copy-source` is `bucket/key`; an access point does not tell its bucket.
fn copy_object(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let Some(source) = text_at(request, &["x-amz-copy-source"]) else { return };
    let source = source.replace("%2F", "/").replace("%2f", "/");
    let bucket = source.trim_start_matches('/').split('/').next().unwrap_or_default();
    let is_name = !bucket.is_empty() && !bucket.starts_with("arn:") && !bucket.contains("%3A");
    let into = text_at(request, &["bucketName"]).unwrap_or_default();
    if is_name
        && into != bucket
        && let Some(origin) = end(call, BUCKET, bucket, None)
    {
        found.changes.copy_from(origin.uid.into_owned(), place(None, None));
    }
}

/// The regions in which a table gets a replica of the same name.
fn replicas(call: &Call<'_>, found: &mut Found) {
    let Some(name) = text_at(call.request(), &["tableName"]) else { return };
    let name = name.rsplit('/').next().unwrap_or_default();
    for update in items(at(call.request(), &["replicaUpdates"])) {
        let Some(region) = text_at(update, &["create", "regionName"]) else { continue };
        if let Some(copy) = end(call, TABLE, name, Some(&region)) {
            found.changes.copy_to(copy.uid.into_owned(), place(call.account, Some(&region)));
        }
    }
}

/// Where a bucket sends all that is written to it, as long as the rule is in force.
fn replicate(call: &Call<'_>, found: &mut Found) {
    let mut seen: Vec<String> = Vec::new();
    for rule in items(at(call.request(), &["ReplicationConfiguration", "Rule"])) {
        if text_at(rule, &["Status"]).is_some_and(|status| status == "Disabled") {
            continue;
        }
        let Some(bucket) = text_at(rule, &["Destination", "Bucket"]) else { continue };
        let Some(copy) = end(call, BUCKET, &bucket, None) else { continue };
        let copy = copy.uid.into_owned();
        if !seen.contains(&copy) {
            let account = text_at(rule, &["Destination", "Account"]);
            seen.push(copy.clone());
            found.changes.copy_to(copy, place(account.as_deref(), None));
        }
    }
}
