//! `timeline`: what happened around some names, in time order.

use std::io::{IsTerminal, Write};

use dataward_query::engine::Answer;
use dataward_query::timeline::asked::{Asked, Subject};
use dataward_query::timeline::entry::{COLUMNS, Entry};
use dataward_query::timeline::known::Presence;
use dataward_query::timeline::{Told, timeline, timesketch};
use serde_json::Value;

use super::query::{effort, is_closed_pipe};
use crate::args::{Format, Timeline, TimelineFormat};
use crate::exit::{Exit, Outcome};
use crate::row_printer::RowPrinter;
use crate::wiring;

/// What a person wants to see.
const FOR_PEOPLE: [&str; 3] = ["time", "what", "message"];

/// Runs the command.
pub(crate) fn run(args: &Timeline) -> Outcome {
    let engine = wiring::engine(&args.asking)?;
    let mut printer = Printer::new(args)?;
    let told = timeline(&engine, &asked(args), &mut |entry| printer.entry(entry));
    let printed = printer.finish(told.is_ok());
    let told = match told.and_then(|told| Ok(printed.map(|()| told)?)) {
        Err(error) if is_closed_pipe(&error) => return Ok(Exit::Done),
        told => told?,
    };
    eprintln!("{}", effort(told.rows, &engine.effort()));
    say(&told);
    Ok(Exit::Done)
}

fn asked(args: &Timeline) -> Asked {
    let of = |subject: Subject| match subject {
        Subject::Datastore => &args.datastore,
        Subject::Actor => &args.actor,
        Subject::Ip => &args.ip,
        Subject::Operation => &args.operation,
    };
    let names = Subject::ALL.into_iter();
    let names =
        names.flat_map(|subject| of(subject).iter().map(move |name| (subject, name.clone())));
    Asked { names: names.collect(), from: args.from, to: args.to, raw: args.raw }
}

/// Prints the entries as they come.
enum Printer {
    People(RowPrinter),
    Full { rows: RowPrinter, columns: Vec<&'static str> },
    Timesketch(std::io::BufWriter<std::io::Stdout>),
}

impl Printer {
    fn new(args: &Timeline) -> std::io::Result<Self> {
        let is_terminal = std::io::stdout().is_terminal();
        let default = if is_terminal { TimelineFormat::Table } else { TimelineFormat::Ndjson };
        let full = |format| -> std::io::Result<Self> {
            let columns: Vec<&str> = COLUMNS.into_iter().chain(args.raw.then_some("raw")).collect();
            let mut rows = RowPrinter::new(format, true);
            rows.columns(&columns.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
            Ok(Self::Full { rows, columns })
        };
        match args.format.unwrap_or(default) {
            TimelineFormat::Table => {
                let mut rows = RowPrinter::new(Format::Table, false);
                rows.columns(&FOR_PEOPLE.map(str::to_owned))?;
                Ok(Self::People(rows))
            }
            TimelineFormat::Ndjson => full(Format::Ndjson),
            TimelineFormat::Csv => full(Format::Csv),
            TimelineFormat::Timesketch => {
                Ok(Self::Timesketch(std::io::BufWriter::new(std::io::stdout())))
            }
        }
    }

    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        match self {
            Self::People(rows) => rows.row(vec![
                entry.time.to_string().into(),
                entry.what.as_str().into(),
                entry.message.as_str().into(),
            ]),
            Self::Full { rows, columns } => {
                rows.row(columns.iter().map(|column| cell(entry, column)).collect())
            }
            Self::Timesketch(out) => writeln!(out, "{}", timesketch::record(entry)),
        }
    }

    fn finish(self, is_whole: bool) -> std::io::Result<()> {
        match self {
            Self::People(rows) | Self::Full { rows, .. } => rows.finish(is_whole),
            Self::Timesketch(mut out) => out.flush(),
        }
    }
}

fn cell(entry: &Entry, column: &str) -> Value {
    match column {
        "event_time" => entry.time.to_string().into(),
        "what" => entry.what.as_str().into(),
        "message" => entry.message.as_str().into(),
        column => entry.cell(column).cloned().unwrap_or_default(),
    }
}

/// What must not be taken for silence.
fn say(told: &Told) {
    match told.coverage.events {
        Some((first, last)) => eprintln!("the archive has events from {first} to {last}"),
        None => eprintln!("the archive does not know from when to when it has events"),
    }
    for Presence { subject, name, rows, first, last } in &told.silent {
        let range = match (first, last) {
            (Some(first), Some(last)) => format!(", from {first} to {last}"),
            _ => String::new(),
        };
        eprintln!(
            "nothing here is of {} {name}: the archive has {rows} rows of it{range}",
            subject.as_str()
        );
    }
    for gaps in &told.coverage.gaps {
        eprintln!(
            "without rows ({}): {} offsets in {} ranges, see the view gaps",
            gaps.cause, gaps.offsets, gaps.ranges
        );
    }
    if told.coverage.quarantined > 0 {
        eprintln!(
            "parts that could not be read: {}, see the view quarantine",
            told.coverage.quarantined
        );
    }
}
