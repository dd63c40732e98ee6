//! Rows on their way into the table, as Arrow columns from the first moment.

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use dataward_event::audit_event::{Actor, AuditEvent, Client, Datastore};
use dataward_event::position::{Partition, Position};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{
    EnvelopeForm, EventRow, ExposureRow, GapRow, OperatorRow, QuarantineRow, RowOrigin, Rows,
};

use crate::column::Column;
use crate::columns::Columns;
use crate::exposure_row;
use crate::row_kind::RowKind;

/// A group is cut into batches of at most this many rows. Builders of known size neither copy what they hold nor take
/// more memory than it needs.
const BATCH_ROWS: usize = 16 * 1024;

/// A group is cut into batches of roughly this many bytes: allocators treat larger pieces one by one, with calls of the
/// system for each.
const BATCH_BYTES: usize = 6 * 1024 * 1024;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The last day of a date with four digits, in days since the epoch.
const LAST_DAY: i64 = 2_932_896;

/// A buffer of rows, one set of columns for each kind and day.
#[derive(Debug, Default)]
pub struct ArrowRows {
    groups: Vec<Group>,
    last: usize,
}

/// Rows of one kind and one day.
#[derive(Debug)]
struct Group {
    kind: RowKind,
    day: i32,
    columns: Columns,
    batches: Vec<RecordBatch>,
    batch_bytes: usize,
    /// The first failure to build a batch; the commit reports it.
    failure: Option<ArrowError>,
}

/// Sealed rows of one kind and one day.
#[derive(Debug)]
pub(crate) struct SealedRows {
    pub(crate) kind: RowKind,
    pub(crate) day: i32,
    pub(crate) batches: Vec<RecordBatch>,
}

impl ArrowRows {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows as batches. They also stay here, so that a commit that failed can be tried again.
    pub(crate) fn seal(&mut self) -> Result<Vec<SealedRows>, ArrowError> {
        let mut sealed = Vec::with_capacity(self.groups.len());
        for group in &mut self.groups {
            let rest = group.columns.finish();
            group.keep(rest);
            if let Some(failure) = group.failure.take() {
                return Err(failure);
            }
            let batches = group.batches.clone();
            sealed.push(SealedRows { kind: group.kind, day: group.day, batches });
        }
        Ok(sealed)
    }

    /// The columns for a row of this kind and ingest time.
    fn columns(&mut self, kind: RowKind, ingest_micros: i64) -> &mut Group {
        let day = ingest_micros.div_euclid(MICROS_PER_DAY).clamp(0, LAST_DAY);
        // The clamp keeps it far inside 32 bits.
        let day = i32::try_from(day).unwrap_or(0);
        let is_here = |group: &Group| group.kind == kind && group.day == day;
        if !self.groups.get(self.last).is_some_and(is_here) {
            self.last = self.groups.iter().position(is_here).unwrap_or_else(|| {
                self.groups.push(Group::new(kind, day));
                self.groups.len() - 1
            });
        }
        &mut self.groups[self.last]
    }
}

impl Group {
    fn new(kind: RowKind, day: i32) -> Self {
        Self {
            kind,
            day,
            columns: Columns::new(kind),
            batches: Vec::new(),
            batch_bytes: 0,
            failure: None,
        }
    }

    fn end_row(&mut self) {
        self.columns.end_row();
        if self.columns.rows() >= BATCH_ROWS || self.columns.bytes() >= BATCH_BYTES {
            self.batch_bytes += self.columns.bytes();
            let batch = self.columns.cut();
            self.keep(batch);
        }
    }

    fn keep(&mut self, batch: Result<RecordBatch, ArrowError>) {
        match batch {
            Ok(batch) if batch.num_rows() == 0 => {}
            Ok(batch) => self.batches.push(batch),
            Err(error) => {
                self.failure.get_or_insert(error);
            }
        }
    }
}

impl Rows for ArrowRows {
    fn event(&mut self, row: &EventRow<'_>) {
        let group = self.columns(RowKind::from(row.event.kind), row.origin.ingest_time.micros());
        let columns = &mut group.columns;
        append_origin(columns, &row.origin);
        append_event(columns, row.event);
        if let Some(raw) = row.raw {
            columns.bytes_value(Column::Raw, raw);
        }
        append_envelope(columns, row.envelope);
        columns.flag(Column::ProducerDuplicate, row.producer_duplicate);
        group.end_row();
    }

    fn quarantine(&mut self, row: &QuarantineRow<'_>) {
        let group = self.columns(RowKind::Quarantine, row.origin.ingest_time.micros());
        let columns = &mut group.columns;
        append_origin(columns, &row.origin);
        columns.text(Column::Source, row.source);
        columns.text(Column::QuarantineReason, row.reason.as_str());
        columns.text(Column::Detail, row.detail);
        if let Some(key) = row.key {
            columns.bytes_value(Column::RecordKey, key);
        }
        columns.bytes_value(Column::Raw, row.raw);
        append_envelope(columns, row.envelope);
        columns.count(Column::RawBytes, row.raw_bytes);
        columns.text_option(Column::RawSha256, row.raw_sha256.as_deref());
        columns.text_option(Column::RecordHeaders, row.headers.as_deref());
        group.end_row();
    }

    fn gap(&mut self, row: &GapRow) {
        let group = self.columns(RowKind::Gap, row.ingest_time.micros());
        let columns = &mut group.columns;
        append_partition(columns, &row.partition);
        columns.time(Column::IngestTime, row.ingest_time.micros());
        columns.long(Column::GapFrom, row.span.from().0);
        columns.long(Column::GapTo, row.span.to().0);
        columns.text(Column::GapCause, row.cause.as_str());
        columns.text(Column::Detail, &row.detail);
        group.end_row();
    }

    fn alert(&mut self, alert: &Alert) {
        let group = self.columns(RowKind::Alert, alert.logged_time.micros());
        let columns = &mut group.columns;
        if let Some(position) = &alert.position {
            append_position(columns, position);
        }
        columns.time(Column::EventTime, alert.time.micros());
        columns.text(Column::AlertUid, &alert.uid);
        columns.text(Column::FindingUid, &alert.finding_uid);
        columns.text(Column::RuleId, alert.rule.as_str());
        columns.int(Column::ActivityId, i32::from(alert.activity_id));
        columns.int(Column::SeverityId, i32::from(alert.severity.id()));
        columns.text(Column::Title, &alert.title);
        columns.text(Column::Message, &alert.description);
        columns.time(Column::LoggedTime, alert.logged_time.micros());
        columns.text(Column::AlertOwner, &crate::app_id::owner_path(&alert.trigger.owner()));
        columns.long(Column::AlertNumber, alert.trigger.number());
        if let Some(datastore) = &alert.datastore {
            append_datastore(columns, datastore);
        }
        columns.text(Column::AlertJson, &alert.json);
        group.end_row();
    }

    fn exposure(&mut self, row: &ExposureRow) {
        let group = self.columns(RowKind::Exposure, row.ingest_time.micros());
        if let Err(error) = exposure_row::append(&mut group.columns, row) {
            group.failure.get_or_insert(ArrowError::ExternalError(Box::new(error)));
        }
        group.end_row();
    }

    fn operator(&mut self, row: &OperatorRow) {
        let group = self.columns(RowKind::Operator, row.ingest_time.micros());
        let columns = &mut group.columns;
        if let Some(partition) = &row.partition {
            append_partition(columns, partition);
        }
        columns.time(Column::IngestTime, row.ingest_time.micros());
        if let Some(time) = row.time {
            columns.time(Column::EventTime, time.micros());
        }
        columns.text(Column::OperatorOperation, &row.operation);
        columns.text(Column::Detail, &row.detail);
        group.end_row();
    }

    fn bytes(&self) -> usize {
        self.groups.iter().map(|group| group.columns.bytes() + group.batch_bytes).sum()
    }

    fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.columns.rows() == 0 && group.batches.is_empty())
    }
}

fn append_partition(columns: &mut Columns, partition: &Partition) {
    columns.text(Column::Topic, &partition.topic);
    columns.long(Column::Incarnation, i64::from(partition.incarnation));
    columns.int(Column::KafkaPartition, partition.number);
}

pub(crate) fn append_position(columns: &mut Columns, position: &Position) {
    append_partition(columns, &position.partition);
    columns.long(Column::KafkaOffset, position.offset.0);
    columns.long(Column::RecordIndex, i64::from(position.record_index));
}

fn append_origin(columns: &mut Columns, origin: &RowOrigin<'_>) {
    append_position(columns, origin.position);
    if let Some(time) = origin.kafka_time {
        columns.time(Column::KafkaTime, time.micros());
    }
    columns.time(Column::IngestTime, origin.ingest_time.micros());
}

fn append_envelope(columns: &mut Columns, envelope: Option<(EnvelopeForm, &[u8])>) {
    if let Some((form, bytes)) = envelope {
        columns.bytes_value(Column::Envelope, bytes);
        let form = match form {
            EnvelopeForm::Template => "template",
            EnvelopeForm::Whole => "whole",
        };
        columns.text(Column::EnvelopeForm, form);
    }
}

fn append_event(columns: &mut Columns, event: &AuditEvent<'_>) {
    columns.text(Column::EventUid, &event.uid);
    columns.time(Column::EventTime, event.time.micros());
    columns.text(Column::EventTimeOrigin, event.time_origin.as_str());
    columns.text(Column::Source, &event.source);
    columns.int(Column::ClassUid, i32::try_from(event.class.uid()).unwrap_or(i32::MAX));
    columns.count(Column::TypeUid, event.type_uid());
    columns.int(Column::ActivityId, i32::from(event.activity_id));
    columns.text(Column::Operation, &event.operation);
    columns.text_option(Column::Service, event.service.as_deref());
    columns.text_option(Column::EventCode, event.event_code.as_deref());
    columns.int(Column::StatusId, i32::from(event.outcome.status_id()));
    columns.text_option(Column::ErrorCode, event.error_code.as_deref());
    columns.text_option(Column::ErrorMessage, event.error_message.as_deref());
    append_actor(columns, &event.actor);
    append_client(columns, &event.client);
    if let Some(datastore) = &event.datastore {
        append_datastore(columns, datastore);
    }
    columns.texts(Column::Objects, &event.objects);
    if let Some(rows) = event.volume.rows {
        columns.count(Column::RowsReturned, rows.0);
    }
    if let Some(bytes) = event.volume.bytes {
        columns.count(Column::BytesOut, bytes.0);
    }
    if let Some(objects) = event.volume.objects {
        columns.count(Column::ObjectsCount, objects.0);
    }
    columns.text_option(Column::ReadScope, event.read_scope.map(|scope| scope.as_str()));
    columns.changes(Column::Changes, &event.changes);
    columns.text_option(Column::RequestUid, event.request_uid.as_deref());
    columns.text_option(Column::CorrelationUid, event.correlation_uid.as_deref());
    columns.text_option(Column::Statement, event.statement.as_deref());
    columns.text_option(Column::AccountUid, event.account_uid.as_deref());
    columns.text_option(Column::Region, event.region.as_deref());
    columns.text_option(Column::Provider, event.provider.as_deref());
    columns.text_option(Column::Sensitivity, event.sensitivity.map(|level| level.as_str()));
}

pub(crate) fn append_actor(columns: &mut Columns, actor: &Actor<'_>) {
    columns.text_option(Column::ActorUid, actor.uid.as_deref());
    columns.text_option(Column::ActorName, actor.name.as_deref());
    columns.text(Column::ActorKind, actor.kind.as_str());
    columns.text_option(Column::ActorType, actor.user_type.as_deref());
    columns.text_option(Column::ActorAccountUid, actor.account_uid.as_deref());
    columns.text_option(Column::ActorCredentialUid, actor.credential_uid.as_deref());
    columns.text_option(Column::ActorSessionUid, actor.session_uid.as_deref());
    columns.text_option(Column::ActorIssuer, actor.issuer.as_deref());
    if let Some(mfa) = actor.mfa {
        columns.flag(Column::ActorMfa, mfa);
    }
    columns.texts(Column::ActorGroups, &actor.groups);
}

fn append_client(columns: &mut Columns, client: &Client<'_>) {
    columns.text_option(Column::ClientIp, client.ip.as_deref());
    columns.text_option(Column::ClientDomain, client.domain.as_deref());
    if let Some(port) = client.port {
        columns.int(Column::ClientPort, i32::from(port));
    }
    columns.text_option(Column::ClientEndpointUid, client.endpoint_uid.as_deref());
    columns.text_option(Column::UserAgent, client.user_agent.as_deref());
}

pub(crate) fn append_datastore(columns: &mut Columns, datastore: &Datastore<'_>) {
    columns.text(Column::DatastoreUid, &datastore.uid);
    columns.text_option(Column::DatastoreName, datastore.name.as_deref());
    columns.text_option(Column::DatastoreType, datastore.resource_type.as_deref());
    columns.text(Column::DatastoreForm, datastore.form.as_str());
}
