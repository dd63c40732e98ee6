//! An entry of a timeline.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use dataward_event::time::EventTime;
use serde_json::Value;

use super::alerts::CLOSE;
use super::asked::{Subject, carries};

/// The columns of an entry, in their order. All but `what` and `message` are columns of the table.
pub const COLUMNS: [&str; 47] = [
    "event_time",
    "what",
    "message",
    "actor_name",
    "actor_uid",
    "actor_kind",
    "actor_credential_uid",
    "client_ip",
    "client_domain",
    "operation",
    "service",
    "status_id",
    "error_code",
    "datastore_name",
    "datastore_uid",
    "datastore_type",
    "objects",
    "rows_returned",
    "bytes_out",
    "objects_count",
    "changes",
    "sensitivity",
    "producer_duplicate",
    "title",
    "rule_id",
    "severity_id",
    "activity_id",
    "finding_uid",
    "alert_uid",
    "exposure_uid",
    "window_kind",
    "control",
    "setting",
    "opened",
    "level",
    "close_reason",
    "source",
    "class_uid",
    "type_uid",
    "event_uid",
    "topic",
    "incarnation",
    "kafka_partition",
    "kafka_offset",
    "record_index",
    "ingest_ts",
    "logged_time",
];

/// What an entry tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// An event that touched data.
    Access,
    /// An event that changed a datastore or its protection.
    ConfigChange,
    /// An event of somebody proving who they are.
    Authentication,
    /// The beginning of a window.
    WindowOpened,
    /// Its end.
    WindowClosed,
    /// A statement about a finding.
    Alert,
}

impl What {
    /// The value of the column `what`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::ConfigChange => "config_change",
            Self::Authentication => "authentication",
            Self::WindowOpened => "window_opened",
            Self::WindowClosed => "window_closed",
            Self::Alert => "alert",
        }
    }

    /// The event of this kind of rows.
    pub(super) fn of_kind(kind: &str) -> Option<Self> {
        [Self::Access, Self::ConfigChange, Self::Authentication]
            .into_iter()
            .find(|what| what.as_str() == kind)
    }
}

/// An entry of a timeline.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When it happened.
    pub time: EventTime,
    /// What happened.
    pub what: What,
    /// A sentence for people.
    pub message: String,
    /// Cells by the names of [`COLUMNS`], and `raw` where it was asked for. What is not here is null.
    pub cells: BTreeMap<&'static str, Value>,
    /// Further parties of an alert, each with cells of its own.
    pub(super) parties: Vec<BTreeMap<&'static str, Value>>,
    /// What decides at equal times.
    pub(super) number: i64,
}

impl Entry {
    /// What its time is the time of, as Timesketch asks for.
    pub fn timestamp_desc(&self) -> &'static str {
        match self.what {
            What::Access => "Data Accessed",
            What::ConfigChange => "Configuration Changed",
            What::Authentication => "Authenticated",
            What::WindowOpened => "Window Opened",
            What::WindowClosed => "Window Closed",
            What::Alert => match self.cell("activity_id").and_then(Value::as_i64) {
                Some(CLOSE) => "Alert Closed",
                _ => "Alert Triggered",
            },
        }
    }

    /// A cell by name; `None` if it is null.
    pub fn cell(&self, column: &str) -> Option<&Value> {
        self.cells.get(column).filter(|value| !value.is_null())
    }

    /// A cell as text, if it is one.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.cell(column)?.as_str()
    }

    /// Who did it, in a word.
    pub fn actor(&self) -> Option<&str> {
        let is_anonymous = self.text("actor_kind") == Some("anonymous");
        let name = self.text("actor_name").or(self.text("actor_uid"));
        if is_anonymous { Some("anonymous") } else { name }
    }

    /// From where.
    pub fn client(&self) -> Option<&str> {
        self.text("client_ip").or(self.text("client_domain"))
    }

    /// On which datastore, in a word.
    pub fn datastore(&self) -> Option<&str> {
        self.text("datastore_name").or(self.text("datastore_uid"))
    }

    pub(super) fn order(&self) -> (EventTime, What, i64) {
        (self.time, self.what, self.number)
    }

    pub(super) fn carries(&self, subject: Subject, name: &str) -> bool {
        carries(subject, name, |column| self.cell(column))
            || self.parties.iter().any(|party| carries(subject, name, |column| party.get(column)))
    }
}

/// The first column of a batch, which is a time; one that is missing comes before all.
pub(super) fn first_time(batch: &RecordBatch, row: usize) -> EventTime {
    let times =
        batch.columns().first().and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
    let time = times.filter(|times| arrow_array::Array::is_valid(*times, row));
    time.map_or(EventTime::MIN, |times| EventTime::from_micros(times.value(row)))
}

/// Cells by their names.
pub(super) fn named(columns: &[&'static str], cells: Vec<Value>) -> BTreeMap<&'static str, Value> {
    columns.iter().copied().zip(cells).filter(|(_, cell)| !cell.is_null()).collect()
}
