//! What a method does, by its service and its last word.

use crate::act::Act;

/// The service without its domain: `storage` of `storage.googleapis.com`.
pub(super) fn short_service(service: &str) -> &str {
    service.strip_suffix(".googleapis.com").unwrap_or(service)
}

/// The last word of a method: `SetIamPolicy` of `google.iam.v1.IAMPolicy.SetIamPolicy`.
pub(super) fn verb(method: &str) -> &str {
    method.rsplit(['.', '/']).next().unwrap_or(method)
}

/// What a method does. BigQuery's jobs tell it themselves.
pub(super) fn meaning(service: &str, method: &str) -> Act {
    let verb = verb(method);
    let of_data = match service {
        "storage" => storage(method, verb),
        "bigquery" | "bigquerystorage" => bigquery(method, verb),
        "cloudsql" | "sqladmin" | "alloydb" => sql(method, verb),
        "firestore" | "datastore" | "spanner" | "bigtable" | "bigtableadmin" => documents(verb),
        "secretmanager" if verb == "AccessSecretVersion" => Some(Act::READ),
        "cloudkms" if verb.ends_with("Decrypt") => Some(Act::DECRYPT),
        "redis" | "memorystore" | "memcache" => match verb {
            "ExportInstance" => Some(Act::READ),
            "ImportInstance" => Some(Act::WRITE),
            "DeleteInstance" => Some(Act::ENTITY_DELETE),
            _ => None,
        },
        "compute" => compute(method),
        "login" => login(verb),
        "iam" | "iamcredentials" | "sts" => identity(verb),
        _ => None,
    };
    of_data.unwrap_or_else(|| by_verb(verb))
}

fn storage(method: &str, verb: &str) -> Option<Act> {
    if method.contains("objects.") {
        return Some(match verb {
            "get" => Act::READ,
            "list" => Act::LIST,
            "create" | "insert" | "compose" | "rewrite" | "copy" | "restore" => Act::WRITE,
            "update" | "patch" => Act::UPDATE,
            "delete" => Act::DELETE,
            _ => return None,
        });
    }
    match method.trim_start_matches("google.") {
        "storage.buckets.list" => Some(Act::LIST),
        "storage.buckets.delete" => Some(Act::ENTITY_DELETE),
        "storage.setIamPermissions" => Some(Act::API_UPDATE),
        "storage.getIamPermissions" => Some(Act::API_READ),
        _ => None,
    }
}

fn bigquery(method: &str, verb: &str) -> Option<Act> {
    let is_of = |service: &str| method.to_ascii_lowercase().contains(service);
    Some(match verb {
        "ReadRows" | "CreateReadSession" => Act::READ,
        "AppendRows" => Act::WRITE,
        "List" | "list" if is_of("tabledataservice") => Act::READ,
        "InsertAll" | "insertAll" | "insertall" => Act::WRITE,
        "GetQueryResults" | "getQueryResults" | "getqueryresults" => Act::READ,
        // The older names of methods tell by their service what is inserted.
        "insert" if is_of("datasetservice") => return None,
        "insert" if is_of("tableservice") => Act::SCHEMA_CREATE,
        "InsertJob" | "Query" | "insert" | "query" | "jobcompleted" => Act::QUERY,
        "DeleteDataset" => Act::ENTITY_DELETE,
        "InsertTable" => Act::SCHEMA_CREATE,
        "UpdateTable" | "PatchTable" => Act::SCHEMA_UPDATE,
        "DeleteTable" => Act::SCHEMA_DELETE,
        _ => return None,
    })
}

fn sql(method: &str, verb: &str) -> Option<Act> {
    Some(match verb {
        "query" => Act::QUERY,
        "export" | "ExportCluster" => Act::READ,
        "import" => Act::WRITE,
        "connect" => Act::CONNECT,
        "login" => Act::LOGON,
        "clone" => Act::API_CREATE,
        "DeleteCluster" => Act::ENTITY_DELETE,
        "delete" if method.ends_with("instances.delete") => Act::ENTITY_DELETE,
        "create" if method.ends_with("users.create") => Act::USER_CREATE,
        "update" if method.ends_with("users.update") => Act::USER_UPDATE,
        "delete" if method.ends_with("users.delete") => Act::USER_DELETE,
        _ => return None,
    })
}

fn documents(verb: &str) -> Option<Act> {
    Some(match verb {
        "RunQuery"
        | "RunAggregationQuery"
        | "ExecuteSql"
        | "ExecuteStreamingSql"
        | "PartitionQuery"
        | "ExecuteQuery" => Act::QUERY,
        "BatchGetDocuments" | "GetDocument" | "ListDocuments" | "Listen" | "Lookup" | "Read"
        | "StreamingRead" | "PartitionRead" | "ReadRows" | "SampleRowKeys" => Act::READ,
        "ExportDocuments" | "ExportEntities" => Act::READ,
        "Commit" | "BatchWrite" | "Write" | "CreateDocument" | "MutateRow" | "MutateRows"
        | "CheckAndMutateRow" | "ReadModifyWriteRow" | "ImportDocuments" | "ImportEntities" => {
            Act::WRITE
        }
        "UpdateDocument" => Act::UPDATE,
        "DeleteDocument" => Act::DELETE,
        "DropDatabase" | "DeleteDatabase" | "DeleteInstance" => Act::ENTITY_DELETE,
        "UpdateDatabaseDdl" => Act::SCHEMA_UPDATE,
        "CreateTable" => Act::SCHEMA_CREATE,
        "DeleteTable" => Act::SCHEMA_DELETE,
        _ => return None,
    })
}

fn compute(method: &str) -> Option<Act> {
    ["snapshots.delete", "disks.delete", "images.delete"]
        .iter()
        .any(|end| method.ends_with(end))
        .then_some(Act::ENTITY_DELETE)
}

fn login(verb: &str) -> Option<Act> {
    Some(match verb {
        "loginSuccess" | "loginFailure" | "loginChallenge" | "loginVerification" => Act::LOGON,
        "logout" => Act::LOGOFF,
        _ => return None,
    })
}

fn identity(verb: &str) -> Option<Act> {
    Some(match verb {
        "GenerateAccessToken" | "GenerateIdToken" | "ExchangeToken" | "SignJwt" | "SignBlob" => {
            Act::ACCOUNT_SWITCH
        }
        "CreateServiceAccount" => Act::USER_CREATE,
        "DeleteServiceAccount" => Act::USER_DELETE,
        "EnableServiceAccount" | "UndeleteServiceAccount" => Act::USER_ENABLE,
        "DisableServiceAccount" => Act::USER_DISABLE,
        "CreateServiceAccountKey" | "UploadServiceAccountKey" => Act::USER_UPDATE,
        _ => return None,
    })
}

/// Methods of Google's services begin with what they do.
fn by_verb(verb: &str) -> Act {
    const VERBS: [(&str, Act); 24] = [
        ("get", Act::API_READ),
        ("list", Act::API_READ),
        ("aggregatedlist", Act::API_READ),
        ("search", Act::API_READ),
        ("query", Act::API_READ),
        ("batchget", Act::API_READ),
        ("fetch", Act::API_READ),
        ("lookup", Act::API_READ),
        ("test", Act::API_READ),
        ("check", Act::API_READ),
        ("create", Act::API_CREATE),
        ("insert", Act::API_CREATE),
        ("add", Act::API_CREATE),
        ("undelete", Act::API_CREATE),
        ("restore", Act::API_CREATE),
        ("bulkinsert", Act::API_CREATE),
        ("delete", Act::API_DELETE),
        ("remove", Act::API_DELETE),
        ("destroy", Act::API_DELETE),
        ("set", Act::API_UPDATE),
        ("update", Act::API_UPDATE),
        ("patch", Act::API_UPDATE),
        ("enable", Act::API_UPDATE),
        ("disable", Act::API_UPDATE),
    ];
    let starts =
        |word: &str| verb.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    VERBS.iter().find(|(word, _)| starts(word)).map_or(Act::API_OTHER, |(_, act)| *act)
}
