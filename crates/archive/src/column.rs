//! The columns of the table, in their order.

use crate::row_kind::RowKind;

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
    ExposureUid,
    WindowKind,
    Control,
    Setting,
    Opened,
    Level,
    Reachable,
    OpenedAt,
    OpenedAtUncertain,
    ExposedAt,
    ClosedAt,
    ClosedBy,
    ClosedByUid,
    ClosingEventUid,
    ClosingEvent,
    CloseReason,
    Reads,
    ReadsAtEdges,
    RowsAtLeast,
    RowsUnreported,
    BytesAtLeast,
    BytesUnreported,
    ObjectsAtLeast,
    ObjectsUnreported,
    OutsideReads,
    OutsideReadsAtEdges,
    OutsideRowsAtLeast,
    OutsideRowsUnreported,
    OutsideBytesAtLeast,
    OutsideBytesUnreported,
    OutsideObjectsAtLeast,
    OutsideObjectsUnreported,
    Readers,
    ReadScope,
}

/// How many columns the first version of the table had; those of windows came after them.
pub(crate) const COLUMNS_OF_VERSION_1: usize = Column::ExposureUid.index();

/// How many the second had; how much a read asked for came after them.
pub(crate) const COLUMNS_OF_VERSION_2: usize = Column::ReadScope.index();

/// Name, type and place of a column.
pub(crate) type Listed = (Column, &'static str, ColumnType);

/// Name and type of every column, in the order of [`Column`]. A new version of the table adds at the end.
pub(crate) const COLUMNS: [Listed; 109] = [
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
    (Column::ExposureUid, "exposure_uid", Text),
    (Column::WindowKind, "window_kind", Text),
    (Column::Control, "control", Text),
    (Column::Setting, "setting", Text),
    (Column::Opened, "opened", Text),
    (Column::Level, "level", Text),
    (Column::Reachable, "reachable", Text),
    (Column::OpenedAt, "opened_at", Time),
    (Column::OpenedAtUncertain, "opened_at_uncertain", Flag),
    (Column::ExposedAt, "exposed_at", Time),
    (Column::ClosedAt, "closed_at", Time),
    (Column::ClosedBy, "closed_by", Text),
    (Column::ClosedByUid, "closed_by_uid", Text),
    (Column::ClosingEventUid, "closing_event_uid", Text),
    (Column::ClosingEvent, "closing_event", Text),
    (Column::CloseReason, "close_reason", Text),
    (Column::Reads, "reads", Long),
    (Column::ReadsAtEdges, "reads_at_edges", Long),
    (Column::RowsAtLeast, "rows_at_least", Long),
    (Column::RowsUnreported, "rows_unreported", Long),
    (Column::BytesAtLeast, "bytes_at_least", Long),
    (Column::BytesUnreported, "bytes_unreported", Long),
    (Column::ObjectsAtLeast, "objects_at_least", Long),
    (Column::ObjectsUnreported, "objects_unreported", Long),
    (Column::OutsideReads, "outside_reads", Long),
    (Column::OutsideReadsAtEdges, "outside_reads_at_edges", Long),
    (Column::OutsideRowsAtLeast, "outside_rows_at_least", Long),
    (Column::OutsideRowsUnreported, "outside_rows_unreported", Long),
    (Column::OutsideBytesAtLeast, "outside_bytes_at_least", Long),
    (Column::OutsideBytesUnreported, "outside_bytes_unreported", Long),
    (Column::OutsideObjectsAtLeast, "outside_objects_at_least", Long),
    (Column::OutsideObjectsUnreported, "outside_objects_unreported", Long),
    (Column::Readers, "readers", Text),
    (Column::ReadScope, "read_scope", Text),
];

/// The columns of every kind but windows.
const COLUMNS_WITHOUT_WINDOWS: [Listed; COLUMNS_OF_VERSION_1 + 1] = {
    let mut columns = [COLUMNS[COLUMNS_OF_VERSION_2]; COLUMNS_OF_VERSION_1 + 1];
    let mut place = 0;
    while place < COLUMNS_OF_VERSION_1 {
        columns[place] = COLUMNS[place];
        place += 1;
    }
    columns
};

/// The columns that the files of a kind have. What only a window needs would cost every other row its null bits; a
/// reader takes a column that a file does not have as null.
pub(crate) fn columns_of(kind: RowKind) -> &'static [Listed] {
    match kind {
        RowKind::Exposure => &COLUMNS,
        _ => &COLUMNS_WITHOUT_WINDOWS,
    }
}

impl Column {
    /// Its place in the files.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Its place among the columns of a kind.
    pub(crate) const fn place_in(self, kind: RowKind) -> usize {
        match (self, kind) {
            (_, RowKind::Exposure) => self.index(),
            (Self::ReadScope, _) => COLUMNS_OF_VERSION_1,
            _ => self.index(),
        }
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
        for kind in RowKind::ALL {
            for (place, (column, _, _)) in columns_of(kind).iter().enumerate() {
                assert_eq!(column.place_in(kind), place);
            }
        }
    }
}
