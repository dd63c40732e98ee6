//! The columns of the table, in their order.

use ColumnType::{Bytes, Changes, Flag, Int, Long, Text, Texts, Time};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnType {
    /// UTF-8.
    Text,
    /// Bytes.
    Bytes,
    /// 64 bits, signed.
    Long,
    /// 32 bits, signed.
    Int,
    /// Microseconds UTC.
    Time,
    /// True or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of changes of protection.
    Changes,
}

/// A column; its number is its place in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Source,
    Topic,
    Incarnation,
    KafkaPartition,
    KafkaOffset,
    RecordIndex,
    EventUid,
    EventTime,
    KafkaTime,
    IngestTime,
    EventTimeOrigin,
    ClassUid,
    TypeUid,
    ActivityId,
    Operation,
    Service,
    EventCode,
    StatusId,
    ErrorCode,
    ErrorMessage,
    ActorUid,
    ActorName,
    ActorKind,
    ActorType,
    ActorAccountUid,
    ActorCredentialUid,
    ActorSessionUid,
    ActorIssuer,
    ActorMfa,
    ActorGroups,
    ClientIp,
    ClientDomain,
    ClientPort,
    ClientEndpointUid,
    UserAgent,
    DatastoreUid,
    DatastoreName,
    DatastoreType,
    DatastoreForm,
    Objects,
    RowsReturned,
    BytesOut,
    ObjectsCount,
    Changes,
    RequestUid,
    CorrelationUid,
    Statement,
    AccountUid,
    Region,
    Provider,
    Sensitivity,
    ProducerDuplicate,
    Raw,
    Envelope,
    EnvelopeForm,
    Detail,
    QuarantineReason,
    RecordKey,
    RecordHeaders,
    RawBytes,
    RawSha256,
    GapFrom,
    GapTo,
    GapCause,
    AlertUid,
    FindingUid,
    RuleId,
    SeverityId,
    Title,
    Message,
    LoggedTime,
    AlertOwner,
    AlertNumber,
    AlertJson,
    OperatorOperation,
}

/// Name and type of every column, in the order of [`Column`].
pub(crate) const COLUMNS: [(Column, &str, ColumnType); 75] = [
    (Column::Source, "source", Text),
    (Column::Topic, "topic", Text),
    (Column::Incarnation, "incarnation", Long),
    (Column::KafkaPartition, "kafka_partition", Int),
    (Column::KafkaOffset, "kafka_offset", Long),
    (Column::RecordIndex, "record_index", Long),
    (Column::EventUid, "event_uid", Text),
    (Column::EventTime, "event_time", Time),
    (Column::KafkaTime, "kafka_ts", Time),
    (Column::IngestTime, "ingest_ts", Time),
    (Column::EventTimeOrigin, "event_time_origin", Text),
    (Column::ClassUid, "class_uid", Int),
    (Column::TypeUid, "type_uid", Long),
    (Column::ActivityId, "activity_id", Int),
    (Column::Operation, "operation", Text),
    (Column::Service, "service", Text),
    (Column::EventCode, "event_code", Text),
    (Column::StatusId, "status_id", Int),
    (Column::ErrorCode, "error_code", Text),
    (Column::ErrorMessage, "error_message", Text),
    (Column::ActorUid, "actor_uid", Text),
    (Column::ActorName, "actor_name", Text),
    (Column::ActorKind, "actor_kind", Text),
    (Column::ActorType, "actor_type", Text),
    (Column::ActorAccountUid, "actor_account_uid", Text),
    (Column::ActorCredentialUid, "actor_credential_uid", Text),
    (Column::ActorSessionUid, "actor_session_uid", Text),
    (Column::ActorIssuer, "actor_issuer", Text),
    (Column::ActorMfa, "actor_mfa", Flag),
    (Column::ActorGroups, "actor_groups", Texts),
    (Column::ClientIp, "client_ip", Text),
    (Column::ClientDomain, "client_domain", Text),
    (Column::ClientPort, "client_port", Int),
    (Column::ClientEndpointUid, "client_endpoint_uid", Text),
    (Column::UserAgent, "user_agent", Text),
    (Column::DatastoreUid, "datastore_uid", Text),
    (Column::DatastoreName, "datastore_name", Text),
    (Column::DatastoreType, "datastore_type", Text),
    (Column::DatastoreForm, "datastore_form", Text),
    (Column::Objects, "objects", Texts),
    (Column::RowsReturned, "rows_returned", Long),
    (Column::BytesOut, "bytes_out", Long),
    (Column::ObjectsCount, "objects_count", Long),
    (Column::Changes, "changes", Changes),
    (Column::RequestUid, "request_uid", Text),
    (Column::CorrelationUid, "correlation_uid", Text),
    (Column::Statement, "statement", Text),
    (Column::AccountUid, "account_uid", Text),
    (Column::Region, "region", Text),
    (Column::Provider, "provider", Text),
    (Column::Sensitivity, "sensitivity", Text),
    (Column::ProducerDuplicate, "producer_duplicate", Flag),
    (Column::Raw, "raw", Bytes),
    (Column::Envelope, "envelope", Bytes),
    (Column::EnvelopeForm, "envelope_form", Text),
    (Column::Detail, "detail", Text),
    (Column::QuarantineReason, "quarantine_reason", Text),
    (Column::RecordKey, "record_key", Bytes),
    (Column::RecordHeaders, "record_headers", Text),
    (Column::RawBytes, "raw_bytes", Long),
    (Column::RawSha256, "raw_sha256", Text),
    (Column::GapFrom, "gap_from", Long),
    (Column::GapTo, "gap_to", Long),
    (Column::GapCause, "gap_cause", Text),
    (Column::AlertUid, "alert_uid", Text),
    (Column::FindingUid, "finding_uid", Text),
    (Column::RuleId, "rule_id", Text),
    (Column::SeverityId, "severity_id", Int),
    (Column::Title, "title", Text),
    (Column::Message, "message", Text),
    (Column::LoggedTime, "logged_time", Time),
    (Column::AlertOwner, "alert_owner", Text),
    (Column::AlertNumber, "alert_number", Long),
    (Column::AlertJson, "alert_json", Text),
    (Column::OperatorOperation, "operator_operation", Text),
];

impl Column {
    /// Its place in the files.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Its name in the table.
    pub(crate) const fn name(self) -> &'static str {
        COLUMNS[self as usize].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_stands_at_its_number() {
        for (place, (column, _, _)) in COLUMNS.iter().enumerate() {
            assert_eq!(column.index(), place);
        }
    }
}
