//! Rows read back: what the writer put in, cell by cell and as the types of the vocabulary.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, DatastoreForm, EventKind, Outcome,
    Sensitivity, Text, TimeOrigin,
};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::finding::{Owner, RuleId, Severity, Trigger};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, IngestTime, KafkaTime};
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::ArchivedEvent;

use crate::app_id::parse_owner;
use crate::column::{COLUMNS, Column};
use crate::schema::CHANGE_FIELDS;

/// A row does not hold what its column promises.
#[derive(Debug, thiserror::Error)]
#[error("column {} holds no usable value", .0.name())]
pub(crate) struct UnusableCell(pub(crate) Column);

/// What a cell holds.
pub(crate) type Cell<T> = Result<T, UnusableCell>;

/// The columns of a batch that were read, by number.
pub(crate) struct RowView {
    arrays: Vec<Option<ArrayRef>>,
    rows: usize,
}

impl RowView {
    /// A column that is not in the batch reads as null: files of older versions have fewer.
    pub(crate) fn new(batch: &RecordBatch) -> Self {
        let arrays =
            COLUMNS.iter().map(|(_, name, _)| batch.column_by_name(name).cloned()).collect();
        Self { arrays, rows: batch.num_rows() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    fn array(&self, column: Column, row: usize) -> Option<&ArrayRef> {
        self.arrays[column.index()].as_ref().filter(|array| array.is_valid(row))
    }

    pub(crate) fn text(&self, column: Column, row: usize) -> Option<&str> {
        Some(self.array(column, row)?.as_string_opt::<i32>()?.value(row))
    }

    pub(crate) fn long(&self, column: Column, row: usize) -> Option<i64> {
        Some(self.array(column, row)?.as_primitive_opt::<Int64Type>()?.value(row))
    }

    pub(crate) fn int(&self, column: Column, row: usize) -> Option<i32> {
        Some(self.array(column, row)?.as_primitive_opt::<Int32Type>()?.value(row))
    }

    pub(crate) fn time(&self, column: Column, row: usize) -> Option<i64> {
        Some(self.array(column, row)?.as_primitive_opt::<TimestampMicrosecondType>()?.value(row))
    }

    pub(crate) fn flag(&self, column: Column, row: usize) -> Option<bool> {
        Some(self.array(column, row)?.as_boolean_opt()?.value(row))
    }

    fn owned(&self, column: Column, row: usize) -> Option<Text<'static>> {
        self.text(column, row).map(|text| Cow::Owned(text.to_owned()))
    }

    fn texts(&self, column: Column, row: usize) -> Cell<Vec<Text<'static>>> {
        let Some(array) = self.array(column, row) else { return Ok(Vec::new()) };
        let list = array.as_list_opt::<i32>().ok_or(UnusableCell(column))?.value(row);
        let texts = list.as_string_opt::<i32>().ok_or(UnusableCell(column))?;
        Ok(texts.iter().flatten().map(|text| Cow::Owned(text.to_owned())).collect())
    }

    /// The partition of a row, if it names one.
    pub(crate) fn partition(&self, row: usize) -> Option<Partition> {
        Some(Partition {
            topic: self.text(Column::Topic, row)?.into(),
            incarnation: u32::try_from(self.long(Column::Incarnation, row)?).ok()?,
            number: self.int(Column::KafkaPartition, row)?,
        })
    }

    /// Whether a row lies in this partition; cheaper than to build its own.
    pub(crate) fn is_of(&self, partition: &Partition, row: usize) -> bool {
        self.int(Column::KafkaPartition, row) == Some(partition.number)
            && self.long(Column::Incarnation, row) == Some(i64::from(partition.incarnation))
            && self.text(Column::Topic, row) == Some(&partition.topic)
    }

    /// The position of a row.
    pub(crate) fn position(&self, row: usize) -> Cell<Position> {
        let index = self.long(Column::RecordIndex, row).and_then(|index| u32::try_from(index).ok());
        Ok(Position {
            partition: self.partition(row).ok_or(UnusableCell(Column::Topic))?,
            offset: self
                .long(Column::KafkaOffset, row)
                .map(Offset)
                .ok_or(UnusableCell(Column::KafkaOffset))?,
            record_index: index.ok_or(UnusableCell(Column::RecordIndex))?,
        })
    }

    pub(crate) fn quarantine_reason(&self, row: usize) -> Cell<QuarantineReason> {
        self.named(Column::QuarantineReason, row, &QuarantineReason::ALL, |r| r.as_str())
    }

    /// An event with its way to us.
    pub(crate) fn archived_event(&self, kind: EventKind, row: usize) -> Cell<ArchivedEvent> {
        Ok(ArchivedEvent {
            position: self.position(row)?,
            kafka_time: self.time(Column::KafkaTime, row).map(KafkaTime::from_micros),
            event: self.event(kind, row)?,
            producer_duplicate: self.flag(Column::ProducerDuplicate, row).unwrap_or(false),
        })
    }

    /// What happened.
    pub(crate) fn event(&self, kind: EventKind, row: usize) -> Cell<AuditEvent<'static>> {
        let class = self.small(Column::ClassUid, row)?;
        let status = self.int(Column::StatusId, row);
        Ok(AuditEvent {
            uid: self.required(Column::EventUid, row)?,
            time: self
                .time(Column::EventTime, row)
                .map(EventTime::from_micros)
                .ok_or(UnusableCell(Column::EventTime))?,
            time_origin: self
                .named(Column::EventTimeOrigin, row, &TimeOrigin::ALL, |o| o.as_str())?,
            source: self.required(Column::Source, row)?,
            kind,
            class: Class::from_uid(class).ok_or(UnusableCell(Column::ClassUid))?,
            activity_id: self.small(Column::ActivityId, row)?,
            operation: self.required(Column::Operation, row)?,
            service: self.owned(Column::Service, row),
            event_code: self.owned(Column::EventCode, row),
            outcome: Outcome::ALL
                .into_iter()
                .find(|outcome| Some(i32::from(outcome.status_id())) == status)
                .ok_or(UnusableCell(Column::StatusId))?,
            error_code: self.owned(Column::ErrorCode, row),
            error_message: self.owned(Column::ErrorMessage, row),
            actor: self.actor(row)?,
            client: self.client(row)?,
            datastore: self.datastore(row)?,
            objects: self.texts(Column::Objects, row)?,
            volume: self.volume(row)?,
            read_scope: match self.text(Column::ReadScope, row) {
                None => None,
                Some(_) => {
                    Some(self.named(Column::ReadScope, row, &ReadScope::ALL, |s| s.as_str())?)
                }
            },
            changes: self.changes(row)?,
            request_uid: self.owned(Column::RequestUid, row),
            correlation_uid: self.owned(Column::CorrelationUid, row),
            statement: self.owned(Column::Statement, row),
            account_uid: self.owned(Column::AccountUid, row),
            region: self.owned(Column::Region, row),
            provider: self.owned(Column::Provider, row),
            sensitivity: match self.text(Column::Sensitivity, row) {
                None => None,
                Some(_) => {
                    Some(self.named(Column::Sensitivity, row, &Sensitivity::ALL, |s| s.as_str())?)
                }
            },
        })
    }

    pub(crate) fn actor(&self, row: usize) -> Cell<Actor<'static>> {
        Ok(Actor {
            uid: self.owned(Column::ActorUid, row),
            name: self.owned(Column::ActorName, row),
            kind: self.named(Column::ActorKind, row, &ActorKind::ALL, |k| k.as_str())?,
            user_type: self.owned(Column::ActorType, row),
            account_uid: self.owned(Column::ActorAccountUid, row),
            credential_uid: self.owned(Column::ActorCredentialUid, row),
            session_uid: self.owned(Column::ActorSessionUid, row),
            issuer: self.owned(Column::ActorIssuer, row),
            mfa: self.flag(Column::ActorMfa, row),
            groups: self.texts(Column::ActorGroups, row)?,
        })
    }

    fn client(&self, row: usize) -> Cell<Client<'static>> {
        let port = match self.int(Column::ClientPort, row) {
            None => None,
            Some(_) => Some(self.small(Column::ClientPort, row)?),
        };
        Ok(Client {
            ip: self.owned(Column::ClientIp, row),
            domain: self.owned(Column::ClientDomain, row),
            port,
            endpoint_uid: self.owned(Column::ClientEndpointUid, row),
            user_agent: self.owned(Column::UserAgent, row),
        })
    }

    pub(crate) fn datastore(&self, row: usize) -> Cell<Option<Datastore<'static>>> {
        let Some(uid) = self.owned(Column::DatastoreUid, row) else { return Ok(None) };
        Ok(Some(Datastore {
            uid,
            name: self.owned(Column::DatastoreName, row),
            resource_type: self.owned(Column::DatastoreType, row),
            form: self.named(Column::DatastoreForm, row, &DatastoreForm::ALL, |f| f.as_str())?,
        }))
    }

    fn volume(&self, row: usize) -> Cell<Volume> {
        let count = |column: Column| match self.long(column, row) {
            None => Ok(None),
            Some(count) => u64::try_from(count).map(Some).map_err(|_| UnusableCell(column)),
        };
        Ok(Volume {
            rows: count(Column::RowsReturned)?.map(RowCount),
            bytes: count(Column::BytesOut)?.map(ByteCount),
            objects: count(Column::ObjectsCount)?.map(ObjectCount),
        })
    }

    fn changes(&self, row: usize) -> Cell<Vec<Change<'static>>> {
        let unusable = || UnusableCell(Column::Changes);
        let Some(array) = self.array(Column::Changes, row) else { return Ok(Vec::new()) };
        let list = array.as_list_opt::<i32>().ok_or_else(unusable)?.value(row);
        let changes = list.as_struct_opt().ok_or_else(unusable)?;
        (0..changes.len()).map(|place| change(changes, place).ok_or_else(unusable)).collect()
    }

    /// An alert, as it was delivered.
    pub(crate) fn alert(&self, row: usize) -> Cell<Alert> {
        let text = |column| Ok(self.required(column, row)?.into_owned());
        let owner = self.text(Column::AlertOwner, row).and_then(parse_owner);
        let trigger = match owner.ok_or(UnusableCell(Column::AlertOwner))? {
            Owner::Partition(_) => Trigger::Record(self.position(row)?),
            Owner::Keeper => Trigger::Keeper(
                self.long(Column::AlertNumber, row)
                    .and_then(|number| u64::try_from(number).ok())
                    .ok_or(UnusableCell(Column::AlertNumber))?,
            ),
            Owner::Lessons => return Err(UnusableCell(Column::AlertOwner)),
        };
        let time = |column| self.time(column, row).ok_or(UnusableCell(column));
        Ok(Alert {
            uid: text(Column::AlertUid)?,
            finding_uid: text(Column::FindingUid)?,
            rule: self.named(Column::RuleId, row, &RuleId::ALL, |rule| rule.as_str())?,
            activity_id: self.small(Column::ActivityId, row)?,
            severity: Severity::clamped(self.small(Column::SeverityId, row)?),
            time: EventTime::from_micros(time(Column::EventTime)?),
            logged_time: IngestTime::from_micros(time(Column::LoggedTime)?),
            trigger,
            position: self.position(row).ok(),
            title: text(Column::Title)?,
            description: text(Column::Message)?,
            datastore: self.datastore(row)?,
            json: text(Column::AlertJson)?,
        })
    }

    pub(crate) fn required(&self, column: Column, row: usize) -> Cell<Text<'static>> {
        self.owned(column, row).ok_or(UnusableCell(column))
    }

    pub(crate) fn small<T: TryFrom<i32>>(&self, column: Column, row: usize) -> Cell<T> {
        let number = self.int(column, row).and_then(|number| T::try_from(number).ok());
        number.ok_or(UnusableCell(column))
    }

    pub(crate) fn named<T: Copy>(
        &self,
        column: Column,
        row: usize,
        all: &[T],
        name: impl Fn(&T) -> &'static str,
    ) -> Cell<T> {
        let text = self.text(column, row).ok_or(UnusableCell(column))?;
        all.iter().copied().find(|value| name(value) == text).ok_or(UnusableCell(column))
    }
}

fn change(changes: &StructArray, row: usize) -> Option<Change<'static>> {
    let text = |place: usize| -> Option<Cow<'static, str>> {
        let column = changes.column_by_name(CHANGE_FIELDS[place].0)?;
        let texts = column.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| Cow::Owned(texts.value(row).to_owned()))
    };
    Some(Change {
        catalogue_row: text(0)?,
        control: Control::parse(&text(1)?)?,
        setting: text(2)?,
        opened: text(3)?,
        before: text(4),
        after: text(5),
        direction: Direction::parse(&text(6)?)?,
        whole: changes.column_by_name(CHANGE_FIELDS[7].0)?.as_boolean_opt()?.value(row),
    })
}
