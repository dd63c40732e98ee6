//! What an operation is: its OCSF class and activity, and which part of the archive it belongs to.

use dataward_event::audit_event::{Class, EventKind};

use crate::act::Act;

/// Verbs that read.
const READ_VERBS: [&str; 16] = [
    "Get", "List", "Describe", "Head", "BatchGet", "Lookup", "Search", "Query", "Scan", "Check",
    "Download", "Select", "View", "Validate", "Simulate", "Filter",
];
/// Verbs that make something new.
const CREATE_VERBS: [&str; 8] =
    ["Create", "Run", "Add", "Register", "Allocate", "Import", "Copy", "Restore"];
/// Verbs that take something away.
const DELETE_VERBS: [&str; 6] =
    ["Delete", "Remove", "Terminate", "Deregister", "Release", "ScheduleKeyDeletion"];

fn starts_with_any(operation: &str, verbs: &[&str]) -> bool {
    verbs.iter().any(|verb| operation.starts_with(verb))
}

/// Whether an operation only reads, by the event's own word, else by its verb.
pub(crate) fn is_read(operation: &str, read_only: Option<bool>) -> bool {
    read_only.unwrap_or_else(|| starts_with_any(operation, &READ_VERBS))
}

/// The meaning of `operation` of `service` (without `.amazonaws.com`).
pub(crate) fn meaning(
    service: &str,
    operation: &str,
    read_only: Option<bool>,
    management: Option<bool>,
) -> Act {
    if let Some(activity_id) = authentication(service, operation) {
        let class = Class::Authentication;
        return Act { kind: EventKind::Authentication, class, activity_id };
    }
    if let Some(act) = data_access(service, operation) {
        return act;
    }
    let is_read = is_read(operation, read_only);
    let kind = if is_read || management == Some(false) {
        EventKind::Access
    } else {
        EventKind::ConfigChange
    };
    let activity_id = if is_read {
        2
    } else if starts_with_any(operation, &CREATE_VERBS) {
        1
    } else if starts_with_any(operation, &DELETE_VERBS) {
        4
    } else {
        3
    };
    Act { kind, class: Class::ApiActivity, activity_id }
}

/// OCSF 3002: 1 log on, 2 log off, 3 a ticket (temporary credentials), 7 a switch to another identity.
fn authentication(service: &str, operation: &str) -> Option<u16> {
    Some(match (service, operation) {
        ("signin", "ConsoleLogin" | "UserAuthentication" | "ExternalIdPDirectoryLogin") => 1,
        ("sso" | "signin", "Authenticate" | "CredentialVerification" | "CredentialChallenge") => 1,
        ("signin" | "sso", "Logout") => 2,
        ("signin", "GetSigninToken") => 3,
        ("sso", "Federate" | "GetRoleCredentials") => 3,
        ("sts", operation) if operation.starts_with("AssumeRole") => 3,
        ("sts", "GetSessionToken" | "GetFederationToken" | "AssumeRoot") => 3,
        ("signin", "SwitchRole" | "ExitRole") => 7,
        _ => return None,
    })
}

/// Operations on the data itself, for which OCSF 6005 stands.
fn data_access(service: &str, operation: &str) -> Option<Act> {
    Some(match (service, operation) {
        ("s3" | "s3express" | "s3-outposts", operation) => return s3_data_access(operation),
        ("dynamodb", "GetItem" | "BatchGetItem" | "TransactGetItems" | "GetRecords") => Act::READ,
        ("dynamodb", "Query" | "Scan") => Act::QUERY,
        ("dynamodb", "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction") => {
            Act::QUERY
        }
        ("dynamodb", "PutItem" | "BatchWriteItem" | "TransactWriteItems") => Act::WRITE,
        ("dynamodb", "UpdateItem") => Act::UPDATE,
        ("dynamodb", "DeleteItem") => Act::DELETE,
        ("secretsmanager", "GetSecretValue" | "BatchGetSecretValue") => Act::READ,
        ("ssm", "GetParameter" | "GetParameters" | "GetParametersByPath") => Act::READ,
        ("ssm", "GetParameterHistory") => Act::READ,
        ("kms", "Decrypt" | "ReEncrypt") => Act::DECRYPT,
        ("rds-data" | "rdsdata", "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteSql") => {
            Act::QUERY
        }
        ("redshift-data", "ExecuteStatement" | "BatchExecuteStatement") => Act::QUERY,
        ("redshift-data", "GetStatementResult" | "GetStatementResultV2") => Act::READ,
        ("athena", "StartQueryExecution") => Act::QUERY,
        ("athena", "GetQueryResults" | "GetQueryResultsStream") => Act::READ,
        ("ebs", "GetSnapshotBlock") => Act::READ,
        ("ebs", "ListSnapshotBlocks" | "ListChangedBlocks") => Act::LIST,
        ("ebs", "PutSnapshotBlock") => Act::WRITE,
        ("rds", "DownloadDBLogFilePortion" | "DownloadCompleteDBLogFile") => Act::READ,
        ("lakeformation", "GetDataAccess" | "GetTemporaryGlueTableCredentials") => Act::READ,
        _ => return None,
    })
}

fn s3_data_access(operation: &str) -> Option<Act> {
    Some(match operation {
        "GetObject" | "HeadObject" | "SelectObjectContent" | "GetObjectTorrent" => Act::READ,
        "GetObjectAcl" | "GetObjectTagging" | "GetObjectAttributes" => Act::READ,
        "GetObjectRetention" | "GetObjectLegalHold" | "RestoreObject" => Act::READ,
        "ListObjects" | "ListObjectsV2" | "ListObjectVersions" => Act::LIST,
        "ListMultipartUploads" | "ListParts" | "HeadBucket" => Act::LIST,
        "PutObject" | "PostObject" | "CopyObject" | "UploadPart" | "UploadPartCopy" => Act::WRITE,
        "CreateMultipartUpload" | "CompleteMultipartUpload" | "ReplicateObject" => Act::WRITE,
        "PutObjectAcl" | "PutObjectTagging" | "DeleteObjectTagging" => Act::UPDATE,
        "PutObjectRetention" | "PutObjectLegalHold" | "RenameObject" => Act::UPDATE,
        "DeleteObject" | "DeleteObjects" | "AbortMultipartUpload" => Act::DELETE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(service: &str, operation: &str, read_only: Option<bool>) -> (EventKind, u32, u16) {
        let meaning = meaning(service, operation, read_only, None);
        (meaning.kind, meaning.class.uid(), meaning.activity_id)
    }

    #[test]
    fn data_planes_and_control_planes_are_told_apart() {
        assert_eq!(meant("s3", "GetObject", Some(true)), (EventKind::Access, 6005, 1));
        assert_eq!(meant("s3", "PutObject", Some(false)), (EventKind::Access, 6005, 5));
        assert_eq!(meant("s3", "PutBucketPolicy", Some(false)), (EventKind::ConfigChange, 6003, 3));
        assert_eq!(meant("s3", "DeleteBucketPolicy", None), (EventKind::ConfigChange, 6003, 4));
        assert_eq!(meant("s3", "CreateBucket", None), (EventKind::ConfigChange, 6003, 1));
        assert_eq!(meant("ec2", "DescribeInstances", None), (EventKind::Access, 6003, 2));
        assert_eq!(meant("sts", "AssumeRole", Some(true)), (EventKind::Authentication, 3002, 3));
        assert_eq!(meant("dynamodb", "Scan", Some(true)), (EventKind::Access, 6005, 4));
    }
}
