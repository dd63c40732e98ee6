//! The files of the corpus. A test holds the list against the folder.

/// A file of cases.
pub(super) struct File {
    /// The source: the folder it stands in.
    pub(super) source: &'static str,
    /// Its name, without `.json`.
    pub(super) name: &'static str,
    /// Its text.
    pub(super) text: &'static str,
}

macro_rules! files {
    ($($source:literal: $($name:literal)+;)+) => {
        pub(super) const FILES: &[File] = &[$($(
            File {
                source: $source,
                name: $name,
                text: include_str!(concat!("../../corpus/", $source, "/", $name, ".json")),
            },
        )+)+];
    };
}

files! {
    "aws.cloudtrail": "audit" "copies" "databases" "documentation-1" "documentation-2" "documentation-3" "documentation-4" "documentation-5" "documentation-6" "documentation-7" "documentation-8" "documentation-9" "documentation-10" "identities" "lakes" "more" "network" "rds" "s3" "search_and_cache" "stores" "streams_and_files" "vpc" "warehouse" "watching";
    "azure.activity": "documentation-1" "documentation-2" "documentation-3" "documentation-4" "events" "more";
    "databricks.audit": "documentation-1" "events";
    "elasticsearch.audit": "documentation-1" "documentation-2" "settings";
    "elasticsearch.server": "documentation-1" "settings";
    "gcp.audit": "documentation-1" "documentation-2" "documentation-3" "documentation-4" "events" "more";
    "k8s.audit": "documentation-1" "events";
    "kafka.authorizer": "documentation-1" "settings";
    "mariadb.server_audit": "documentation-1" "more" "statements";
    "mongodb.atlas": "documentation-1" "events";
    "mongodb.audit": "documentation-1" "more" "settings";
    "mysql.audit": "documentation-1" "documentation-2" "more" "server" "statements";
    "opensearch.audit": "documentation-1" "settings";
    "postgres.log": "documentation-1" "messages" "statements";
    "postgres.pgaudit": "documentation-1" "documentation-2" "statements";
    "redis.monitor": "documentation-1" "settings";
    "snowflake.account_usage": "documentation-1" "documentation-2" "events";
}
