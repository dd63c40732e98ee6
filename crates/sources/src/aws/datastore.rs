//! Which datastore, or which guard of one, an event is about.

use std::borrow::Cow;

use dataward_event::audit_event::{Datastore, DatastoreForm, Text};
use serde_json::value::RawValue;

use super::cloudtrail::{CloudTrail, Resource};
use crate::lenient::{Object, Scalars};

/// How a service names one kind of resource: by which request key, and what the ARN looks like.
struct Naming {
    service: &'static str,
    /// Request keys that may carry the name; the first one that is there counts.
    keys: &'static [&'static str],
    resource_type: &'static str,
    form: DatastoreForm,
    /// What stands before the name in the last part of the ARN.
    arn_prefix: &'static str,
    /// Whether the ARN names region and account: S3 names neither.
    is_regional: bool,
}

const fn regional(
    service: &'static str,
    keys: &'static [&'static str],
    resource_type: &'static str,
    form: DatastoreForm,
    arn_prefix: &'static str,
) -> Naming {
    Naming { service, keys, resource_type, form, arn_prefix, is_regional: true }
}

use DatastoreForm::{Bucket, Database, Guard, Other, Snapshot};

/// In order: of two namings of a service the first whose key is in the request counts, so copies and parts stand before
/// what they are copies of.
#[rustfmt::skip]
const NAMINGS: &[Naming] = &[
    Naming { service: "s3", keys: &["bucketName", "bucket"], resource_type: "AWS::S3::Bucket", form: Bucket, arn_prefix: "", is_regional: false },
    Naming { service: "s3express", keys: &["bucketName"], resource_type: "AWS::S3Express::DirectoryBucket", form: Bucket, arn_prefix: "bucket/", is_regional: true },
    regional("rds", &["dBSnapshotIdentifier", "dbSnapshotIdentifier"], "AWS::RDS::DBSnapshot", Snapshot, "snapshot:"),
    regional("rds", &["dBClusterSnapshotIdentifier", "dbClusterSnapshotIdentifier"], "AWS::RDS::DBClusterSnapshot", Snapshot, "cluster-snapshot:"),
    regional("rds", &["dbiResourceId", "dBInstanceAutomatedBackupsArn"], "AWS::RDS::DBInstanceAutomatedBackup", Snapshot, "auto-backup:"),
    regional("rds", &["dbClusterResourceId"], "AWS::RDS::DBClusterAutomatedBackup", Snapshot, "cluster-auto-backup:"),
    regional("rds", &["dBInstanceIdentifier", "dbInstanceIdentifier", "targetDBInstanceIdentifier"], "AWS::RDS::DBInstance", Database, "db:"),
    regional("rds", &["dBClusterIdentifier", "dbClusterIdentifier"], "AWS::RDS::DBCluster", Database, "cluster:"),
    regional("rds", &["resourceArn"], "AWS::RDS::DBCluster", Database, ""),
    regional("rds", &["dBClusterParameterGroupName"], "AWS::RDS::DBClusterParameterGroup", Guard, "cluster-pg:"),
    regional("rds", &["dBParameterGroupName"], "AWS::RDS::DBParameterGroup", Guard, "pg:"),
    regional("rds", &["dBProxyName"], "AWS::RDS::DBProxy", Guard, "db-proxy:"),
    regional("rds", &["optionGroupName"], "AWS::RDS::OptionGroup", Guard, "og:"),
    regional("rds", &["sourceDBInstanceArn"], "AWS::RDS::DBInstance", Database, ""),
    regional("rds", &["dBSecurityGroupName"], "AWS::RDS::DBSecurityGroup", Guard, "secgrp:"),
    regional("rds-data", &["resourceArn"], "AWS::RDS::DBCluster", Database, ""),
    regional("rdsdata", &["resourceArn"], "AWS::RDS::DBCluster", Database, ""),
    regional("dynamodb", &["backupArn"], "AWS::DynamoDB::Backup", Snapshot, ""),
    regional("dynamodb", &["tableName", "resourceArn", "tableArn", "targetTableName"], "AWS::DynamoDB::Table", Database, "table/"),
    regional("secretsmanager", &["secretId", "name"], "AWS::SecretsManager::Secret", Other, "secret:"),
    regional("ssm", &["name", "names", "path"], "AWS::SSM::Parameter", Other, "parameter/"),
    regional("kms", &["keyId", "targetKeyId"], "AWS::KMS::Key", Guard, "key/"),
    regional("kms", &["customKeyStoreId"], "AWS::KMS::CustomKeyStore", Guard, "custom-key-store/"),
    regional("redshift", &["snapshotIdentifier"], "AWS::Redshift::ClusterSnapshot", Snapshot, "snapshot:"),
    regional("redshift", &["clusterIdentifier"], "AWS::Redshift::Cluster", Database, "cluster:"),
    regional("redshift", &["parameterGroupName"], "AWS::Redshift::ClusterParameterGroup", Guard, "parametergroup:"),
    regional("redshift", &["clusterSecurityGroupName"], "AWS::Redshift::ClusterSecurityGroup", Guard, "securitygroup:"),
    regional("redshift", &["dataShareArn"], "AWS::Redshift::DataShare", Other, ""),
    regional("redshift-data", &["clusterIdentifier", "workgroupName"], "AWS::Redshift::Cluster", Database, "cluster:"),
    regional("redshift-serverless", &["workgroupName", "namespaceName"], "AWS::RedshiftServerless::Workgroup", Database, "workgroup/"),
    regional("redshift-serverless", &["resourceArn"], "AWS::RedshiftServerless::Snapshot", Snapshot, ""),
    regional("es", &["domainName"], "AWS::OpenSearchService::Domain", Database, "domain/"),
    regional("aoss", &["name"], "AWS::OpenSearchServerless::SecurityPolicy", Guard, "policy/"),
    regional("elasticache", &["replicationGroupId"], "AWS::ElastiCache::ReplicationGroup", Database, "replicationgroup:"),
    regional("elasticache", &["userId"], "AWS::ElastiCache::User", Guard, "user:"),
    regional("elasticache", &["snapshotName", "sourceSnapshotName"], "AWS::ElastiCache::Snapshot", Snapshot, "snapshot:"),
    regional("elasticache", &["cacheSecurityGroupName"], "AWS::ElastiCache::SecurityGroup", Guard, "securitygroup:"),
    regional("elasticache", &["cacheClusterId"], "AWS::ElastiCache::CacheCluster", Database, "cluster:"),
    regional("memorydb", &["clusterName"], "AWS::MemoryDB::Cluster", Database, "cluster/"),
    regional("memorydb", &["snapshotName", "sourceSnapshotName"], "AWS::MemoryDB::Snapshot", Snapshot, "snapshot/"),
    regional("memorydb", &["userName"], "AWS::MemoryDB::User", Guard, "user/"),
    regional("kafka", &["clusterArn", "clusterName"], "AWS::MSK::Cluster", Database, "cluster/"),
    regional("elasticfilesystem", &["fileSystemId"], "AWS::EFS::FileSystem", Other, "file-system/"),
    regional("ec2", &["snapshotId"], "AWS::EC2::Snapshot", Snapshot, "snapshot/"),
    regional("ec2", &["imageId"], "AWS::EC2::Image", Snapshot, "image/"),
    regional("ec2", &["groupId"], "AWS::EC2::SecurityGroup", Guard, "security-group/"),
    regional("ec2", &["networkInterfaceId"], "AWS::EC2::NetworkInterface", Guard, "network-interface/"),
    regional("ec2", &["instanceId"], "AWS::EC2::Instance", Guard, "instance/"),
    regional("ec2", &["networkAclId"], "AWS::EC2::NetworkAcl", Guard, "network-acl/"),
    regional("ec2", &["routeTableId"], "AWS::EC2::RouteTable", Guard, "route-table/"),
    regional("ec2", &["groupName"], "AWS::EC2::SecurityGroup", Guard, "security-group/"),
    regional("ebs", &["snapshotId"], "AWS::EC2::Snapshot", Snapshot, "snapshot/"),
    regional("cloudtrail", &["eventDataStore"], "AWS::CloudTrail::EventDataStore", Guard, "eventdatastore/"),
    regional("cloudtrail", &["name", "trailName"], "AWS::CloudTrail::Trail", Guard, "trail/"),
    regional("config", &["configurationRecorderName"], "AWS::Config::ConfigurationRecorder", Guard, "configuration-recorder/"),
    regional("config", &["deliveryChannelName"], "AWS::Config::DeliveryChannel", Guard, "delivery-channel/"),
    regional("config", &["configRuleName"], "AWS::Config::ConfigRule", Guard, "config-rule/"),
    regional("guardduty", &["detectorId"], "AWS::GuardDuty::Detector", Guard, "detector/"),
    regional("route53resolver", &["resolverQueryLogConfigId"], "AWS::Route53Resolver::ResolverQueryLoggingConfig", Guard, "resolver-query-log-config/"),
    regional("logs", &["logGroupName", "logGroupIdentifier"], "AWS::Logs::LogGroup", Guard, "log-group:"),
    regional("athena", &["workGroup"], "AWS::Athena::WorkGroup", Database, "workgroup/"),
    regional("s3tables", &["tableBucketARN"], "AWS::S3Tables::TableBucket", Bucket, "bucket/"),
    regional("glacier", &["vaultName"], "AWS::Glacier::Vault", Bucket, "vaults/"),
    regional("backup", &["recoveryPointArn"], "AWS::Backup::RecoveryPoint", Snapshot, "recovery-point:"),
    regional("backup", &["backupVaultName"], "AWS::Backup::BackupVault", Guard, "backup-vault:"),
    Naming { service: "iam", keys: &["roleName"], resource_type: "AWS::IAM::Role", form: Guard, arn_prefix: "role/", is_regional: false },
];

/// The partition of an ARN, which a region tells.
pub(crate) fn arn_partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The datastore of an event; `None` where neither request nor resources name one that we know.
pub(crate) fn datastore<'a>(
    event: &CloudTrail<'a>,
    service: &str,
    request: &Scalars<'a>,
) -> Option<Datastore<'a>> {
    let mut is_known_service = false;
    for naming in NAMINGS.iter().filter(|naming| naming.service == service) {
        is_known_service = true;
        let name = naming.keys.iter().find_map(|key| request.get(key));
        if let Some(name) = name {
            return Some(named(event, naming, name));
        }
    }
    if is_known_service { from_resources(event.resources, service) } else { None }
}

/// Whether events of a service are about datastores, so that their requests are worth reading.
pub(crate) fn is_known_service(service: &str) -> bool {
    NAMINGS.iter().any(|naming| naming.service == service)
}

fn named<'a>(event: &CloudTrail<'a>, naming: &Naming, name: &Text<'a>) -> Datastore<'a> {
    let account = event.recipient_account.as_str();
    let account = account.or_else(|| event.identity.fields.account.as_str());
    named_in(naming, name, account.unwrap_or_default(), event.region.as_str().unwrap_or_default())
}

/// The datastore of a kind by the name or the ARN that a call gives it; `None` where the kind is known by ARNs only.
pub(super) fn of_type(
    resource_type: &str,
    name: &str,
    account: Option<&str>,
    region: Option<&str>,
) -> Option<Datastore<'static>> {
    let naming = NAMINGS.iter().find(|naming| naming.resource_type == resource_type)?;
    let is_arn = name.starts_with("arn:") || name.starts_with("arn%3A");
    if name.is_empty() || !(is_arn || !naming.arn_prefix.is_empty() || !naming.is_regional) {
        return None;
    }
    let name = Cow::Owned(name.to_owned());
    Some(named_in(naming, &name, account.unwrap_or_default(), region.unwrap_or_default()))
}

fn named_in<'a>(naming: &Naming, name: &Text<'a>, account: &str, region: &str) -> Datastore<'a> {
    let resource_type = Some(Cow::Borrowed(naming.resource_type));
    // A name that is a part of the call's address stands in it as it was sent.
    let decoded = name.starts_with("arn%3A").then(|| name.replace("%3A", ":").replace("%2F", "/"));
    let name = &decoded.map_or_else(|| name.clone(), Cow::Owned);
    if name.starts_with("arn:") {
        let short = name.rsplit([':', '/']).next().unwrap_or_default().to_owned();
        return Datastore {
            uid: name.clone(),
            name: Some(Cow::Owned(short)),
            resource_type,
            form: naming.form,
        };
    }
    let (arn_region, arn_account) = match naming.service {
        "iam" => ("", account),
        _ if naming.is_regional => (region, account),
        _ => ("", ""),
    };
    let partition = arn_partition(region);
    let service = naming.service;
    let uid = if naming.is_regional && (region.is_empty() || account.is_empty()) {
        format!("{}/{name}", naming.resource_type)
    } else {
        let prefix = naming.arn_prefix;
        format!("arn:{partition}:{service}:{arn_region}:{arn_account}:{prefix}{name}")
    };
    Datastore { uid: Cow::Owned(uid), name: Some(name.clone()), resource_type, form: naming.form }
}

/// The first resource that is not a part of another one.
fn from_resources<'a>(resources: Option<&'a RawValue>, service: &str) -> Option<Datastore<'a>> {
    let resources: Vec<Object<Resource<'a>>> = serde_json::from_str(resources?.get()).ok()?;
    let resource = resources.into_iter().map(|resource| resource.fields).find(|resource| {
        resource.arn.as_str().is_some() && resource.kind.as_str() != Some("AWS::S3::Object")
    })?;
    let kind = resource.kind.text();
    let uid = resource.arn.text()?;
    let naming = NAMINGS
        .iter()
        .filter(|naming| naming.service == service)
        .find(|naming| kind.as_deref() == Some(naming.resource_type));
    let name = uid.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let form = naming.map_or(DatastoreForm::Other, |naming| naming.form);
    Some(Datastore { uid, name: Some(Cow::Owned(name)), resource_type: kind, form })
}

/// The account itself, for settings that stand above every datastore in it.
pub(crate) fn account_guard(account: &str, region: Option<&str>) -> Datastore<'static> {
    let uid = match region {
        Some(region) => format!("AWS::Account/{account}/{region}"),
        None => format!("AWS::Account/{account}"),
    };
    Datastore {
        uid: Cow::Owned(uid),
        name: Some(Cow::Owned(account.to_owned())),
        resource_type: Some(Cow::Borrowed("AWS::Account")),
        form: DatastoreForm::Guard,
    }
}
