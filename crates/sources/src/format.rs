//! Which module reads which source.

use dataward_event::audit_event::{AuditEvent, Outcome};

use crate::container::Fault;
use crate::source::{Place, Source};
use crate::{
    aws, azure, databricks, elastic, gcp, k8s, kafka, mapping, mongodb, mysql, ocsf, postgres,
    redis, s3_access, snowflake,
};

/// Reads one event of a source.
///
/// # Errors
/// It cannot be read, or it tells of no event.
pub(crate) fn decode<'a>(
    source: Source,
    text: &'a str,
    place: Place<'_>,
) -> Result<AuditEvent<'a>, Fault> {
    let event = match source {
        Source::Ocsf => ocsf::decode(text, place),
        Source::AwsCloudtrail => aws::decode(text, place),
        Source::AwsS3Access => s3_access::decode(text, place),
        Source::GcpAudit => gcp::decode(text, place),
        Source::AzureActivity => azure::decode(text, place),
        Source::ElasticsearchAudit => elastic::audit::decode(text, place),
        Source::ElasticsearchServer => elastic::server::decode(text, place),
        Source::OpensearchAudit => elastic::opensearch::decode(text, place),
        Source::PostgresPgaudit | Source::PostgresLog => {
            postgres::decode(source, text, place).map(named)
        }
        Source::MysqlAudit => mysql::decode(text, place).map(named),
        Source::MariadbServerAudit => mysql::mariadb::decode(text, place).map(named),
        Source::MongodbAudit => mongodb::audit::decode(text, place),
        Source::MongodbAtlas => mongodb::atlas::decode(text, place),
        Source::RedisMonitor => redis::decode(text, place),
        Source::KafkaAuthorizer => kafka::decode(text, place),
        Source::SnowflakeAccountUsage => snowflake::decode(text, place),
        Source::DatabricksAudit => databricks::decode(text, place),
        Source::K8sAudit => k8s::decode(text, place),
        Source::Mapped(mapping) => mapping::decode(mapping, text, place),
        Source::Auto => Err(Fault::shape("an event of no source")),
    };
    event.map(|mut event| {
        // A refused call moves nothing. What somebody else has normalised stays as he said it.
        if event.outcome == Outcome::Failure && source != Source::Ocsf {
            event.read_scope = None;
        }
        event
    })
}

/// A database knows its users by one name, which is who they are and what they are called.
fn named(mut event: AuditEvent<'_>) -> AuditEvent<'_> {
    if event.actor.name.is_none() {
        event.actor.name.clone_from(&event.actor.uid);
    }
    event
}
