//! `exposures`: when which datastore was open, and how much was read from it.

use dataward_archive::exposures::Withdrawn;
use dataward_event::change::WindowKind;
use dataward_event::exposure::{Exposure, ReadFigures};
use dataward_pipeline::archive::ExposureRow;
use serde_json::{Value, json};

use crate::args::{Exposures, Format, WindowFilter};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{chosen, csv, print, print_rows, table};
use crate::wiring;

/// What a person wants to see.
const COLUMNS: [&str; 9] =
    ["datastore", "open", "level", "from", "to", "for", "opened by", "reads", "severity"];

/// Everything about a window, in the order of CSV.
const FIELDS: [&str; 47] = [
    "exposure_uid",
    "window_kind",
    "datastore",
    "datastore_name",
    "datastore_type",
    "datastore_form",
    "control",
    "setting",
    "opened",
    "level",
    "reachable",
    "severity",
    "severity_id",
    "opened_at",
    "opened_at_uncertain",
    "opened_by",
    "opened_by_uid",
    "opened_from",
    "operation",
    "event_uid",
    "exposed_at",
    "closed_at",
    "closed_by",
    "closed_by_uid",
    "closing_operation",
    "closing_event_uid",
    "close_reason",
    "duration_seconds",
    "reads",
    "reads_at_edges",
    "rows_at_least",
    "rows_unreported",
    "bytes_at_least",
    "bytes_unreported",
    "objects_at_least",
    "objects_unreported",
    "outside_reads",
    "outside_reads_at_edges",
    "outside_rows_at_least",
    "outside_rows_unreported",
    "outside_bytes_at_least",
    "outside_bytes_unreported",
    "outside_objects_at_least",
    "outside_objects_unreported",
    "readers",
    "logged_time",
    "alert_number",
];

/// Runs the command.
pub(crate) fn run(args: &Exposures) -> Outcome {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        let text = format!("--from {from} is not before --to {to}");
        return Err(Failure::text(Exit::Usage, text));
    }
    let mut archive = wiring::read_archive(&args.archive)?;
    let windows: Vec<ExposureRow> = archive
        .exposures(Withdrawn::Dropped)?
        .into_iter()
        .filter(|row| is_wanted(&row.exposure, args))
        .collect();
    if windows.is_empty() {
        eprintln!("no window found: {}", asked(args));
    }
    let format = chosen(args.format);
    if format == Format::Table {
        let rows: Vec<Value> = windows.iter().map(|row| for_people(&row.exposure)).collect();
        return if rows.is_empty() { Ok(Exit::Done) } else { print(&table(&COLUMNS, &rows)) };
    }
    let rows: Result<Vec<Value>, _> = windows.iter().map(in_full).collect();
    let rows = rows.map_err(|error| Failure::new(Exit::World, error))?;
    match format {
        Format::Csv => print(&csv(&FIELDS, &rows)),
        _ => print_rows(Some(format), &FIELDS, &rows),
    }
}

fn is_wanted(exposure: &Exposure, args: &Exposures) -> bool {
    let is_of_kind = match args.kind {
        WindowFilter::Confidentiality => exposure.window_kind == WindowKind::Confidentiality,
        WindowFilter::Blind => exposure.window_kind == WindowKind::Blind,
        WindowFilter::Fragile => exposure.window_kind == WindowKind::Fragility,
        WindowFilter::All => true,
    };
    let is_of_datastore = args.datastore.as_deref().is_none_or(|wanted| {
        exposure.datastore.uid == wanted || exposure.datastore.name.as_deref() == Some(wanted)
    });
    let is_before = args.to.is_none_or(|to| exposure.opened_by.time < to);
    let is_after = args
        .from
        .is_none_or(|from| exposure.closed_by.as_ref().is_none_or(|deed| deed.time > from));
    let is_in_time = is_before && is_after;
    is_of_kind && is_of_datastore && is_in_time && (!args.open || is_open(exposure))
}

fn is_open(exposure: &Exposure) -> bool {
    exposure.close_reason.is_none()
}

/// What was asked for, in words.
fn asked(args: &Exposures) -> String {
    let kind = match args.kind {
        WindowFilter::Confidentiality => "kind confidentiality",
        WindowFilter::Blind => "kind blind",
        WindowFilter::Fragile => "kind fragile",
        WindowFilter::All => "any kind",
    };
    let open = if args.open { ", still open" } else { "" };
    let part = |name: &str, value: Option<String>| {
        value.map_or(String::new(), |value| format!(", {name} {value}"))
    };
    let of = part("datastore", args.datastore.clone());
    let from = part("from", args.from.map(|time| time.to_string()));
    let to = part("to", args.to.map(|time| time.to_string()));
    format!("{kind}{open}{of}{from}{to}")
}

fn in_full(row: &ExposureRow) -> Result<Value, serde_json::Error> {
    let exposure = &row.exposure;
    let (opened, closed) = (&exposure.opened_by, exposure.closed_by.as_ref());
    let mut value = json!({
        "exposure_uid": exposure.uid,
        "window_kind": exposure.window_kind.as_str(),
        "datastore": exposure.datastore.uid,
        "datastore_name": exposure.datastore.name,
        "datastore_type": exposure.datastore.resource_type,
        "datastore_form": exposure.datastore.form.as_str(),
        "control": exposure.control.as_str(),
        "setting": exposure.setting,
        "opened": exposure.opened,
        "level": exposure.level.as_str(),
        "reachable": exposure.reachable.as_str(),
        "severity": exposure.severity.as_str(),
        "severity_id": exposure.severity.id(),
        "opened_at": opened.time.to_string(),
        "opened_at_uncertain": exposure.opened_at_uncertain,
        "opened_by": opened.actor.label(),
        "opened_by_uid": opened.actor.uid,
        "opened_from": opened.client,
        "operation": opened.operation,
        "event_uid": opened.event_uid,
        "exposed_at": exposure.exposed_at.map(|time| time.to_string()),
        "closed_at": closed.map(|deed| deed.time.to_string()),
        "closed_by": closed.map(|deed| deed.actor.label()),
        "closed_by_uid": closed.and_then(|deed| deed.actor.uid.as_deref()),
        "closing_operation": closed.map(|deed| &deed.operation),
        "closing_event_uid": closed.map(|deed| &deed.event_uid),
        "close_reason": exposure.close_reason.map(|reason| reason.as_str()),
        "duration_seconds": exposure.duration_micros().map(|micros| micros / 1_000_000),
        "readers": serde_json::to_value(&exposure.readers)?,
        "logged_time": row.ingest_time.to_string(),
        "alert_number": row.number,
    });
    for (prefix, figures) in [("", &exposure.figures), ("outside_", &exposure.outside_figures)] {
        for (name, count) in counts(figures) {
            value[format!("{prefix}{name}")] = count.into();
        }
    }
    Ok(value)
}

fn counts(figures: &ReadFigures) -> [(&'static str, u64); 8] {
    [
        ("reads", figures.reads),
        ("reads_at_edges", figures.reads_at_edges),
        ("rows_at_least", figures.rows.at_least),
        ("rows_unreported", figures.rows.unreported),
        ("bytes_at_least", figures.bytes.at_least),
        ("bytes_unreported", figures.bytes.unreported),
        ("objects_at_least", figures.objects.at_least),
        ("objects_unreported", figures.objects.unreported),
    ]
}

fn for_people(exposure: &Exposure) -> Value {
    let opened_at = exposure.opened_by.time;
    let closed = exposure.closed_by.as_ref();
    json!({
        "datastore": exposure.datastore.label(),
        "open": format!("{}: {}", exposure.control.as_str(), exposure.opened),
        "level": exposure.level.as_str(),
        // It may have been open before.
        "from": if exposure.opened_at_uncertain { format!("by {opened_at}") } else { opened_at.to_string() },
        "to": match closed {
            Some(deed) => deed.time.to_string(),
            None if is_open(exposure) => "still open".to_owned(),
            None => String::new(),
        },
        "for": exposure.duration_micros().map(duration),
        "opened by": exposure.opened_by.actor.label(),
        "reads": format!("{} ({} outside)", reads(&exposure.figures), reads(&exposure.outside_figures)),
        "severity": exposure.severity.as_str(),
    })
}

/// Those of the minutes at the edges may lie inside or not.
fn reads(figures: &ReadFigures) -> String {
    match figures.reads_at_edges {
        0 => figures.reads.to_string(),
        at_edges => format!("{} to {}", figures.reads, figures.reads.saturating_add(at_edges)),
    }
}

/// The two largest units.
fn duration(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        86_400.. => format!("{days} d {} h", hours % 24),
        3_600.. => format!("{hours} h {} min", minutes % 60),
        60.. => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{seconds} s"),
    }
}
