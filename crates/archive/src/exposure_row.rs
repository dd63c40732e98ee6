//! A statement about a window as a row, and back.
//!
//! The opening event takes the columns that every event has: who, from where, by what, at which place. The closing one
//! has columns for what people ask, and is kept whole as JSON.

use std::net::IpAddr;

use dataward_event::change::{Control, WindowKind};
use dataward_event::exposure::{Deed, Exposure, Known, Level, PartialSum, ReadFigures};
use dataward_event::finding::{CloseReason, Severity};
use dataward_event::time::{EventTime, IngestTime};
use dataward_pipeline::archive::ExposureRow;

use crate::column::Column;
use crate::columns::Columns;
use crate::row_view::{Cell, RowView, UnusableCell};
use crate::rows::{append_actor, append_datastore, append_position};

const WINDOW_KINDS: [WindowKind; 3] =
    [WindowKind::Confidentiality, WindowKind::Blind, WindowKind::Fragility];

/// The columns of one set of figures, in the order of [`counts`].
type FigureColumns = [Column; 8];

const ALL_READS: FigureColumns = [
    Column::Reads,
    Column::ReadsAtEdges,
    Column::RowsAtLeast,
    Column::RowsUnreported,
    Column::BytesAtLeast,
    Column::BytesUnreported,
    Column::ObjectsAtLeast,
    Column::ObjectsUnreported,
];

const OUTSIDE_READS: FigureColumns = [
    Column::OutsideReads,
    Column::OutsideReadsAtEdges,
    Column::OutsideRowsAtLeast,
    Column::OutsideRowsUnreported,
    Column::OutsideBytesAtLeast,
    Column::OutsideBytesUnreported,
    Column::OutsideObjectsAtLeast,
    Column::OutsideObjectsUnreported,
];

/// Fills the row; the caller ends it.
pub(crate) fn append(columns: &mut Columns, row: &ExposureRow) -> Result<(), serde_json::Error> {
    let exposure = &row.exposure;
    columns.time(Column::LoggedTime, row.ingest_time.micros());
    columns.count(Column::AlertNumber, row.number);
    columns.text(Column::ExposureUid, &exposure.uid);
    columns.text(Column::WindowKind, exposure.window_kind.as_str());
    columns.text(Column::Control, exposure.control.as_str());
    columns.text(Column::Setting, &exposure.setting);
    columns.text(Column::Opened, &exposure.opened);
    columns.text(Column::Level, exposure.level.as_str());
    columns.text(Column::Reachable, exposure.reachable.as_str());
    columns.int(Column::SeverityId, i32::from(exposure.severity.id()));
    append_datastore(columns, &exposure.datastore);
    append_opening(columns, &exposure.opened_by);
    columns.flag(Column::OpenedAtUncertain, exposure.opened_at_uncertain);
    if let Some(time) = exposure.exposed_at {
        columns.time(Column::ExposedAt, time.micros());
    }
    columns.text_option(Column::CloseReason, exposure.close_reason.map(CloseReason::as_str));
    append_figures(columns, ALL_READS, &exposure.figures);
    append_figures(columns, OUTSIDE_READS, &exposure.outside_figures);
    if let Some(deed) = &exposure.closed_by {
        append_closing(columns, deed)?;
    }
    columns.text(Column::Readers, &serde_json::to_string(&exposure.readers)?);
    Ok(())
}

fn append_opening(columns: &mut Columns, deed: &Deed) {
    columns.text(Column::EventUid, &deed.event_uid);
    append_position(columns, &deed.position);
    columns.time(Column::EventTime, deed.time.micros());
    columns.time(Column::OpenedAt, deed.time.micros());
    append_actor(columns, &deed.actor);
    if let Some(client) = &deed.client {
        let is_address = client.parse::<IpAddr>().is_ok();
        columns.text(if is_address { Column::ClientIp } else { Column::ClientDomain }, client);
    }
    columns.text(Column::Operation, &deed.operation);
}

fn append_closing(columns: &mut Columns, deed: &Deed) -> Result<(), serde_json::Error> {
    columns.time(Column::ClosedAt, deed.time.micros());
    columns.text(Column::ClosedBy, deed.actor.label());
    columns.text_option(Column::ClosedByUid, deed.actor.uid.as_deref());
    columns.text(Column::ClosingEventUid, &deed.event_uid);
    columns.text(Column::ClosingEvent, &serde_json::to_string(deed)?);
    Ok(())
}

fn append_figures(columns: &mut Columns, places: FigureColumns, figures: &ReadFigures) {
    for (column, count) in places.into_iter().zip(counts(figures)) {
        columns.count(column, count);
    }
}

fn counts(figures: &ReadFigures) -> [u64; 8] {
    let ReadFigures { reads, reads_at_edges, rows, bytes, objects } = *figures;
    let [rows, bytes, objects] = [rows, bytes, objects].map(|sum| (sum.at_least, sum.unreported));
    [reads, reads_at_edges, rows.0, rows.1, bytes.0, bytes.1, objects.0, objects.1]
}

/// Reads the row back.
pub(crate) fn read(rows: &RowView, row: usize) -> Cell<ExposureRow> {
    let text = |column| Ok(rows.required(column, row)?.into_owned());
    let time = |column| rows.time(column, row).map(EventTime::from_micros);
    let control = text(Column::Control)?;
    let logged = rows.time(Column::LoggedTime, row).ok_or(UnusableCell(Column::LoggedTime))?;
    let readers = text(Column::Readers)?;
    let exposure = Exposure {
        uid: text(Column::ExposureUid)?,
        datastore: rows.datastore(row)?.ok_or(UnusableCell(Column::DatastoreUid))?,
        control: Control::parse(&control).ok_or(UnusableCell(Column::Control))?,
        setting: text(Column::Setting)?,
        opened: text(Column::Opened)?,
        window_kind: rows.named(Column::WindowKind, row, &WINDOW_KINDS, |kind| kind.as_str())?,
        level: rows.named(Column::Level, row, &Level::ALL, |level| level.as_str())?,
        reachable: rows.named(Column::Reachable, row, &Known::ALL, |known| known.as_str())?,
        opened_by: opening(rows, row)?,
        opened_at_uncertain: rows.flag(Column::OpenedAtUncertain, row).unwrap_or(false),
        exposed_at: time(Column::ExposedAt),
        closed_by: closing(rows, row)?,
        close_reason: close_reason(rows, row)?,
        severity: Severity::clamped(rows.small(Column::SeverityId, row)?),
        figures: figures(rows, row, ALL_READS)?,
        outside_figures: figures(rows, row, OUTSIDE_READS)?,
        readers: serde_json::from_str(&readers).map_err(|_| UnusableCell(Column::Readers))?,
    };
    let number = count(rows, row, Column::AlertNumber)?;
    Ok(ExposureRow { exposure, number, ingest_time: IngestTime::from_micros(logged) })
}

fn opening(rows: &RowView, row: usize) -> Cell<Deed> {
    let opened_at = rows.time(Column::OpenedAt, row).ok_or(UnusableCell(Column::OpenedAt))?;
    let client = rows.text(Column::ClientIp, row).or_else(|| rows.text(Column::ClientDomain, row));
    Ok(Deed {
        event_uid: rows.required(Column::EventUid, row)?.into_owned(),
        position: rows.position(row)?,
        time: EventTime::from_micros(opened_at),
        actor: rows.actor(row)?,
        client: client.map(str::to_owned),
        operation: rows.required(Column::Operation, row)?.into_owned(),
    })
}

fn closing(rows: &RowView, row: usize) -> Cell<Option<Deed>> {
    let json = rows.text(Column::ClosingEvent, row);
    let deed = json.map(serde_json::from_str).transpose();
    deed.map_err(|_| UnusableCell(Column::ClosingEvent))
}

fn close_reason(rows: &RowView, row: usize) -> Cell<Option<CloseReason>> {
    let column = Column::CloseReason;
    if rows.text(column, row).is_none() {
        return Ok(None);
    }
    rows.named(column, row, &CloseReason::ALL, |reason| reason.as_str()).map(Some)
}

fn figures(rows: &RowView, row: usize, places: FigureColumns) -> Cell<ReadFigures> {
    let mut counts = [0; 8];
    for (found, column) in counts.iter_mut().zip(places) {
        *found = count(rows, row, column)?;
    }
    let sum = |at: usize| PartialSum { at_least: counts[at], unreported: counts[at + 1] };
    Ok(ReadFigures {
        reads: counts[0],
        reads_at_edges: counts[1],
        rows: sum(2),
        bytes: sum(4),
        objects: sum(6),
    })
}

fn count(rows: &RowView, row: usize, column: Column) -> Cell<u64> {
    let number = rows.long(column, row).and_then(|number| u64::try_from(number).ok());
    number.ok_or(UnusableCell(column))
}
