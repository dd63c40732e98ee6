//! Which source an event is of, told by its outermost keys or by how its line begins.
//!
//! It serves two: `auto`, which has nothing else to go by, and the look for envelopes, which ends where an event is.

use crate::source::Source;
use crate::{elastic, kafka, mysql, postgres, redis, s3_access};

/// The source that alone writes this key at the top of its events.
pub(crate) fn by_key(key: &str) -> Option<Source> {
    Some(match key {
        "eventVersion" | "userIdentity" | "eventSource" | "requestParameters" | "awsRegion" => {
            Source::AwsCloudtrail
        }
        "class_uid" | "type_uid" | "category_uid" => Source::Ocsf,
        "protoPayload" => Source::GcpAudit,
        "event.action" => Source::ElasticsearchAudit,
        "log.level" => Source::ElasticsearchServer,
        "audit_category" | "audit_format_version" => Source::OpensearchAudit,
        "atype" => Source::MongodbAudit,
        "eventTypeName" => Source::MongodbAtlas,
        "audit_record" | "connection_id" | "startup_data" | "shutdown_data" => Source::MysqlAudit,
        "error_severity" => Source::PostgresLog,
        "auditID" => Source::K8sAudit,
        "requestParams" | "request_params" => Source::DatabricksAudit,
        "operationName" | "OperationNameValue" => Source::AzureActivity,
        "QUERY_ID"
        | "query_id"
        | "QUERY_ID_s"
        | "GRANTED_ON"
        | "granted_on"
        | "GRANTED_ON_s"
        | "GRANTED_TO"
        | "granted_to"
        | "GRANTED_TO_s"
        | "FIRST_AUTHENTICATION_FACTOR"
        | "first_authentication_factor"
        | "FIRST_AUTHENTICATION_FACTOR_s"
        | "SOURCE_CLOUD"
        | "source_cloud"
        | "SOURCE_CLOUD_s" => Source::SnowflakeAccountUsage,
        _ => return None,
    })
}

/// Keys that tell only together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints(u16);

impl Hints {
    /// Notes a key.
    pub(crate) fn note(&mut self, key: &str) {
        self.0 |= match key {
            "operationName" | "OperationName" | "OperationNameValue" => 1,
            "resourceId" | "ResourceId" | "_ResourceId" | "resourceID" => 1 << 1,
            "serviceName" | "service_name" => 1 << 2,
            "actionName" | "action_name" => 1 << 3,
            "component" | "node.name" => 1 << 4,
            "cluster.name" => 1 << 5,
            "eventName" | "eventTime" | "eventID" => 1 << 6,
            _ => 0,
        };
    }

    /// What they tell.
    pub(crate) fn source(self) -> Option<Source> {
        let has = |bits: u16| self.0 & bits == bits;
        [
            (1 | 1 << 1, Source::AzureActivity),
            (1 << 2 | 1 << 3, Source::DatabricksAudit),
            (1 << 4 | 1 << 5, Source::ElasticsearchServer),
            (1 << 6, Source::AwsCloudtrail),
        ]
        .into_iter()
        .find_map(|(bits, source)| has(bits).then_some(source))
    }
}

/// Whether a line is of a source.
type Test = fn(&str) -> bool;

/// The source of a line that is no JSON.
pub(crate) fn by_line(line: &str) -> Option<Source> {
    let tests: [(Test, Source); 9] = [
        (mysql::mariadb::is_line, Source::MariadbServerAudit),
        (mysql::xml::is_record, Source::MysqlAudit),
        (redis::is_line, Source::RedisMonitor),
        (kafka::is_line, Source::KafkaAuthorizer),
        (elastic::opensearch::is_line, Source::OpensearchAudit),
        (elastic::audit::is_line, Source::ElasticsearchAudit),
        (elastic::server::is_line, Source::ElasticsearchServer),
        (s3_access::is_line, Source::AwsS3Access),
        (postgres::is_line, Source::PostgresLog),
    ];
    tests.into_iter().find_map(|(test, source)| test(line).then_some(source))
}

/// The source of an event that stands in the log of another.
pub(crate) fn more_exactly(found: Source, text: &str) -> Source {
    match found {
        Source::PostgresLog if text.contains("AUDIT: ") => Source::PostgresPgaudit,
        other => other,
    }
}
