//! The log formats that are understood, by name.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Text};
use dataward_event::limits::RECORD_BYTES_MAX;
use dataward_event::position::Position;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, KafkaTime};
use dataward_event::uid::UidBuilder;

use crate::container::{self, Fault, Leaf};
use crate::decode::{Decoded, DecodedEvent, Envelope, Record, Reject};
use crate::mapping::Mapping;
use crate::registry::{self, Framed, Schemas};
use crate::{event_time, format, recognise};

macro_rules! sources {
    ($($(#[$note:meta])* $variant:ident => $name:literal, $what:literal;)+) => {
        /// A log format.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Source {
            $($(#[$note])* $variant,)+
            /// Any of the others, told apart event by event.
            Auto,
            /// A format that a mapping file defines.
            Mapped(&'static Mapping),
        }

        impl Source {
            /// All sources but those of mapping files, in the order of the reference.
            pub const ALL: [Self; 20] = [$(Self::$variant,)+ Self::Auto];

            /// The name in config, rows and alerts.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Auto => "auto",
                    Self::Mapped(mapping) => mapping.name(),
                }
            }

            /// One line on what it reads.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $what,)+
                    Self::Auto => "any of the other sources, told apart event by event",
                    Self::Mapped(_) => "a format that a mapping file defines",
                }
            }

            /// Its reference page, relative to the top of the repository; `None` where there is nothing to set up.
            pub const fn reference(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some(concat!("docs/sources/", $name, ".md")),)+
                    Self::Auto => None,
                    Self::Mapped(_) => Some("docs/sources/mapping.md"),
                }
            }

            /// The text of its reference page.
            pub const fn page(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => {
                        Some(include_str!(concat!("../../../docs/sources/", $name, ".md")))
                    })+
                    Self::Auto | Self::Mapped(_) => None,
                }
            }
        }
    };
}

sources! {
    /// OCSF events as JSON, from any producer.
    Ocsf => "ocsf", "OCSF events as JSON, from any producer";
    /// AWS CloudTrail: management events, data events, log-ons.
    AwsCloudtrail => "aws.cloudtrail", "AWS CloudTrail: management events, data events, log-ons";
    /// Server access logs of Amazon S3.
    AwsS3Access => "aws.s3_access", "server access logs of Amazon S3";
    /// Google Cloud audit logs: entries of Cloud Logging.
    GcpAudit => "gcp.audit", "Google Cloud audit logs: entries of Cloud Logging";
    /// Azure activity log and resource logs of Storage, Key Vault, Cosmos DB, SQL.
    AzureActivity => "azure.activity", "Azure activity log and resource logs of Storage, Key Vault, Cosmos DB, SQL";
    /// Audit log of Elasticsearch.
    ElasticsearchAudit => "elasticsearch.audit", "audit log of Elasticsearch";
    /// Server and deprecation log of Elasticsearch: what tells that security is off.
    ElasticsearchServer => "elasticsearch.server", "server and deprecation log of Elasticsearch: what tells that security is off";
    /// Audit log of OpenSearch's security plugin.
    OpensearchAudit => "opensearch.audit", "audit log of OpenSearch's security plugin";
    /// PostgreSQL with pgaudit: server log as text, CSV or JSON.
    PostgresPgaudit => "postgres.pgaudit", "PostgreSQL with pgaudit: server log as text, CSV or JSON";
    /// PostgreSQL's own log: connections, reloads, statements.
    PostgresLog => "postgres.log", "PostgreSQL's own log: connections, reloads, statements";
    /// Audit log of MySQL Enterprise and Percona, XML or JSON.
    MysqlAudit => "mysql.audit", "audit log of MySQL Enterprise and Percona, XML or JSON";
    /// Server_audit of MariaDB, also of Amazon RDS and Aurora MySQL.
    MariadbServerAudit => "mariadb.server_audit", "server_audit of MariaDB, also of Amazon RDS and Aurora MySQL";
    /// Audit log of MongoDB, in its own schema and in OCSF.
    MongodbAudit => "mongodb.audit", "audit log of MongoDB, in its own schema and in OCSF";
    /// Events of projects and organisations of MongoDB Atlas.
    MongodbAtlas => "mongodb.atlas", "events of projects and organisations of MongoDB Atlas";
    /// Output of Redis' MONITOR.
    RedisMonitor => "redis.monitor", "output of Redis' MONITOR";
    /// Authorizer log of Apache Kafka.
    KafkaAuthorizer => "kafka.authorizer", "authorizer log of Apache Kafka";
    /// Rows of Snowflake's ACCOUNT_USAGE views.
    SnowflakeAccountUsage => "snowflake.account_usage", "rows of Snowflake's ACCOUNT_USAGE views";
    /// Audit logs of Databricks.
    DatabricksAudit => "databricks.audit", "audit logs of Databricks";
    /// Audit log of the Kubernetes API server.
    K8sAudit => "k8s.audit", "audit log of the Kubernetes API server";
}

impl Source {
    /// The source of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Whether its files are one list that stays open while the server runs: their records are the elements.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::MysqlAudit)
    }
}

/// Where one event of a record stands: what its source needs besides its text.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) position: &'p Position,
    pub(crate) record_index: u32,
    pub(crate) kafka_time: Option<KafkaTime>,
    /// What the envelope says of its time.
    pub(crate) collected: Option<EventTime>,
    /// The host, pod or log group that the envelope names.
    pub(crate) host: Option<&'p str>,
}

impl Place<'_> {
    /// Begins an event: with a uid and a time.
    ///
    /// # Errors
    /// Nothing dates it.
    pub(crate) fn event<'a>(
        &self,
        source: Source,
        raw: &str,
        uid: Option<Text<'a>>,
        time: Option<EventTime>,
        operation: impl Into<Text<'a>>,
    ) -> Result<AuditEvent<'a>, Fault> {
        let Some((time, time_origin)) = event_time::resolve(time, self.collected, self.kafka_time)
        else {
            return Err(Fault::new(
                QuarantineReason::NoTime,
                "no readable time, none of an envelope or collector, and none of the transport",
            ));
        };
        let uid = uid.unwrap_or_else(|| Cow::Owned(self.derived_uid(raw)));
        let mut event = AuditEvent::new(uid, time, source.name(), operation);
        event.time_origin = time_origin;
        Ok(event)
    }

    /// The server of a log that does not name it: the host that its envelope names, else `unknown`.
    pub(crate) fn server(&self) -> &str {
        self.host.unwrap_or("unknown")
    }

    /// A uid for an event that brings none: the same bytes at the same place always get the same one.
    pub(crate) fn derived_uid(&self, raw: &str) -> String {
        UidBuilder::new("event")
            .text(&self.position.partition.path())
            .number(self.position.offset.0)
            .number(i64::from(self.record_index))
            .bytes(raw.as_bytes())
            .finish()
    }
}

/// Reads one record. It never fails: what cannot be read is a reject, and the rest of the record is still read.
pub fn decode<'a>(source: Source, record: Record<'a>) -> Decoded<'a> {
    decode_with(source, record, None)
}

/// Reads one record, as [`decode`] does. `schemas` is the registry whose schemas its records may name.
pub fn decode_with<'a>(
    source: Source,
    record: Record<'a>,
    schemas: Option<&dyn Schemas>,
) -> Decoded<'a> {
    let leaves = open(record.payload, schemas);
    let leaves = match leaves {
        Ok(leaves) => leaves,
        Err(fault) => return whole_record_rejected(record, fault),
    };
    let envelope = envelope(record.payload, &leaves);
    let mut decoded = Decoded { envelope, ..Decoded::default() };
    // The number of leaves is limited far below u32::MAX, so no index is left out.
    for (record_index, leaf) in (0_u32..).zip(leaves) {
        decode_leaf(source, leaf, record, record_index, &mut decoded);
    }
    decoded
}

fn open<'p>(payload: &'p [u8], schemas: Option<&dyn Schemas>) -> Result<Vec<Leaf<'p>>, Fault> {
    if payload.is_empty() {
        return Err(Fault::new(QuarantineReason::Empty, "a record of zero bytes"));
    }
    if payload.len() > RECORD_BYTES_MAX {
        let detail = format!("{} bytes, the limit is {RECORD_BYTES_MAX}", payload.len());
        return Err(Fault::new(QuarantineReason::TooLarge, detail));
    }
    if registry::is_framed(payload) {
        return match registry::open(payload, schemas)? {
            Framed::Text(text) => container::open(utf8(text)?),
            Framed::Made(text) => owned(&text),
        };
    }
    if container::is_gzip(payload) {
        let unzipped = container::unzip(payload)?;
        return owned(utf8(&unzipped)?);
    }
    container::open(utf8(payload)?)
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(container::not_utf8)
}

/// The elements of a text that is no part of the record.
fn owned(text: &str) -> Result<Vec<Leaf<'static>>, Fault> {
    Ok(container::open(text)?.into_iter().map(Leaf::unescaped).collect())
}

fn whole_record_rejected(record: Record<'_>, fault: Fault) -> Decoded<'_> {
    let reject = Reject {
        record_index: 0,
        reason: fault.reason,
        detail: fault.detail,
        raw: Cow::Borrowed(record.payload),
    };
    Decoded { rejects: vec![reject], ..Decoded::default() }
}

fn decode_leaf<'a>(
    source: Source,
    leaf: Leaf<'a>,
    record: Record<'a>,
    record_index: u32,
    decoded: &mut Decoded<'a>,
) {
    let place = Place {
        position: record.position,
        record_index,
        kafka_time: record.kafka_time,
        collected: leaf.collected,
        host: leaf.host.as_deref(),
    };
    let source = match source {
        Source::Auto => leaf
            .source
            .or_else(|| recognise::by_line(&leaf.raw))
            .map(|found| recognise::more_exactly(found, &leaf.raw)),
        bound => Some(bound),
    };
    let result = match (leaf.fault, source, &leaf.raw) {
        (Some(fault), _, _) => Err(fault),
        (None, None, _) => Err(unrecognised(&leaf.raw)),
        (None, Some(source), Cow::Borrowed(text)) => format::decode(source, text, place),
        (None, Some(source), Cow::Owned(text)) => {
            format::decode(source, text, place).map(AuditEvent::into_owned)
        }
    };
    let raw = match leaf.raw {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    match result {
        Ok(event) => decoded.events.push(DecodedEvent { record_index, event, raw }),
        Err(Fault { reason, detail }) => {
            decoded.rejects.push(Reject { record_index, reason, detail, raw });
        }
    }
}

/// The fault of a part that `auto` can give to no source.
fn unrecognised(text: &str) -> Fault {
    if text.starts_with(['{', '['])
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text)
    {
        return Fault::malformed(text, &error);
    }
    Fault::shape("none of the known sources: neither its keys nor its first words tell one")
}

/// What stands around the leaves.
fn envelope<'a>(payload: &'a [u8], leaves: &[Leaf<'_>]) -> Option<Envelope<'a>> {
    if let [leaf] = leaves
        && leaf.is_verbatim
        && leaf.raw.len() == payload.len()
    {
        return None;
    }
    let whole = || Some(Envelope::Whole(Cow::Borrowed(payload)));
    let Ok(text) = std::str::from_utf8(payload) else { return whole() };
    let mut template = Vec::new();
    let mut copied = 0;
    for leaf in leaves {
        let start = match &leaf.raw {
            Cow::Borrowed(raw) if leaf.is_verbatim => container::start_within(text, raw),
            _ => None,
        };
        let Some(start) = start.filter(|start| *start >= copied) else {
            return whole();
        };
        template.extend_from_slice(&payload[copied..start]);
        template.push(0);
        copied = start + leaf.raw.len();
    }
    template.extend_from_slice(&payload[copied..]);
    // A text that is no JSON may hold a NUL itself.
    if template.iter().filter(|byte| **byte == 0).count() != leaves.len() {
        return whole();
    }
    Some(Envelope::Template(template))
}
