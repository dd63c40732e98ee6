//! `datastores`: how each datastore is protected, now or at an earlier time.

use std::cmp::Reverse;

use dataward_detect::census::{ControlReport, DatastoreReport};
use dataward_detect::opening::Opening;
use dataward_detect::reach::ControlState;
use dataward_pipeline::restore;
use serde_json::{Value, json};

use crate::args::{Datastores, Format, StateFilter};
use crate::exit::{Exit, Outcome};
use crate::output::{chosen, csv, print, print_rows, table};
use crate::wiring;

/// What a person wants to see.
const COLUMNS: [&str; 7] = ["datastore", "control", "state", "since", "open", "by", "data"];

/// Everything, in the order of CSV.
const FIELDS: [&str; 19] = [
    "datastore",
    "datastore_name",
    "datastore_type",
    "datastore_form",
    "provider",
    "account_uid",
    "region",
    "sensitivity",
    "data_classes",
    "subjects",
    "owner",
    "environment",
    "control",
    "state",
    "since",
    "since_uncertain",
    "evidence_event_uid",
    "open",
    "destroyed_at",
];

/// A row: a control of a datastore, or a datastore of which no control is known.
struct Line<'l, 'k> {
    of: &'l DatastoreReport<'k>,
    control: Option<&'l ControlReport>,
}

/// Runs the command.
pub(crate) fn run(args: &Datastores) -> Outcome {
    let mut archive = wiring::read_archive(&args.archive)?;
    let keeper = match args.as_of {
        Some(time) => restore::keeper_as_of(&mut archive, time)?,
        None => restore::keeper(&mut archive, None)?.0,
    };
    let is_wanted = |report: &DatastoreReport<'_>| {
        let (uid, name) = (&*report.datastore.uid, report.datastore.name.as_deref());
        args.datastore.as_deref().is_none_or(|wanted| uid == wanted || name == Some(wanted))
    };
    let reports: Vec<DatastoreReport<'_>> = keeper.reports().filter(is_wanted).collect();
    let mut lines: Vec<Line<'_, '_>> = reports
        .iter()
        .flat_map(lines)
        .filter(|line| args.state.is_empty() || line.is_in(&args.state))
        .collect();
    // Stable: those of one state stay in the order of their uids.
    lines.sort_by_key(|line| Reverse(badness(line.state())));
    let format = chosen(args.format);
    if lines.is_empty() {
        eprintln!("no datastore found: {}", asked(args));
        if format == Format::Table {
            return Ok(Exit::Done);
        }
    }
    let row = if format == Format::Table { for_people } else { in_full };
    let rows: Vec<Value> = lines.iter().map(row).collect();
    match format {
        Format::Table => print(&table(&COLUMNS, &rows)),
        Format::Csv => print(&csv(&FIELDS, &rows)),
        Format::Ndjson | Format::Json => print_rows(Some(format), &FIELDS, &rows),
    }
}

fn lines<'l, 'k>(report: &'l DatastoreReport<'k>) -> Vec<Line<'l, 'k>> {
    if report.controls.is_empty() {
        return vec![Line { of: report, control: None }];
    }
    let of = |control| Line { of: report, control: Some(control) };
    report.controls.iter().map(of).collect()
}

impl Line<'_, '_> {
    /// What is gone is in no state.
    fn is_in(&self, states: &[StateFilter]) -> bool {
        self.of.destroyed.is_none() && states.contains(&filter(self.state()))
    }

    fn state(&self) -> ControlState {
        self.control.map_or(ControlState::Unknown, |control| control.state)
    }
}

/// What one does not know is worse than what is protected.
fn badness(state: ControlState) -> u8 {
    match state {
        ControlState::Protected => 0,
        ControlState::Unknown => 1,
        ControlState::Weakened => 2,
        ControlState::Exposed => 3,
    }
}

fn filter(state: ControlState) -> StateFilter {
    match state {
        ControlState::Unknown => StateFilter::Unknown,
        ControlState::Protected => StateFilter::Protected,
        ControlState::Weakened => StateFilter::Weakened,
        ControlState::Exposed => StateFilter::Exposed,
    }
}

/// What was asked for, in words.
fn asked(args: &Datastores) -> String {
    let named = args.datastore.as_ref().map_or("any".to_owned(), |name| format!("named {name}"));
    let states: Vec<String> =
        args.state.iter().map(|state| format!("{state:?}").to_lowercase()).collect();
    let states = match states.is_empty() {
        true => String::new(),
        false => format!(", {}", states.join(" or ")),
    };
    let time = args.as_of.map_or(String::new(), |time| format!(", as of {time}"));
    format!("{named}{states}{time}")
}

fn in_full(line: &Line<'_, '_>) -> Value {
    let (of, control) = (line.of, line.control);
    let evidence = control.and_then(|control| control.evidence.as_ref());
    let open = control.map(|control| control.open.iter().flat_map(|opening| things(opening)));
    let data_classes = of.entry.map(|entry| &entry.data_classes);
    json!({
        "datastore": of.datastore.uid,
        "datastore_name": of.datastore.name,
        "datastore_type": of.datastore.resource_type,
        "datastore_form": of.datastore.form.as_str(),
        "provider": of.place.provider,
        "account_uid": of.place.account,
        "region": of.place.region,
        "sensitivity": of.sensitivity.map(|sensitivity| sensitivity.as_str()),
        "data_classes": data_classes.map_or(json!([]), |classes| json!(classes)),
        "subjects": of.entry.and_then(|entry| entry.subjects),
        "owner": of.entry.and_then(|entry| entry.owner.as_deref()),
        "environment": of.entry.and_then(|entry| entry.environment.as_deref()),
        "control": control.map(|control| control.control.as_str()),
        "state": if of.destroyed.is_some() { "destroyed" } else { line.state().as_str() },
        "since": evidence.map(|shown| shown.at.to_string()),
        "since_uncertain": control.map(|control| control.is_uncertain),
        "evidence_event_uid": evidence.map(|shown| &shown.event_uid),
        "open": open.into_iter().flatten().collect::<Vec<Value>>(),
        "destroyed_at": of.destroyed.as_ref().map(|shown| shown.at.to_string()),
    })
}

fn things(opening: &Opening) -> Vec<Value> {
    let of = |thing: &str| {
        json!({
            "setting": opening.key.1,
            "opened": thing,
            "opened_at": opening.event.time.to_string(),
            "opened_at_uncertain": opening.is_uncertain,
            "opened_by": opening.event.actor.label(),
            "operation": opening.event.operation,
            "event_uid": opening.event.uid,
            "exposure_uid": opening.id().window_uid(&opening.event.datastore.uid, thing),
        })
    };
    opening.open_things().map(of).collect()
}

fn for_people(line: &Line<'_, '_>) -> Value {
    /// So many things are named; of further ones only how many.
    const NAMED: usize = 3;
    let (of, control) = (line.of, line.control);
    let since = control.and_then(|control| control.evidence.as_ref()).map(|shown| shown.at);
    let is_uncertain = control.is_some_and(|control| control.is_uncertain);
    let open = || control.into_iter().flat_map(|control| control.open.iter());
    let things: Vec<String> = open()
        .flat_map(|opening| opening.open_things().map(|thing| named(&opening.key.1, thing)))
        .collect();
    let more = things.len().saturating_sub(NAMED);
    let mut named = things.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 {
        named += &format!(" and {more} more");
    }
    let state = match &of.destroyed {
        Some(shown) => format!("destroyed at {}", shown.at),
        None => line.state().as_str().to_owned(),
    };
    json!({
        "datastore": of.datastore.label(),
        "control": control.map(|control| control.control.as_str()),
        "state": state,
        // It may have been so before.
        "since": since.map(|at| if is_uncertain { format!("by {at}") } else { at.to_string() }),
        "open": named,
        "by": open().next().map(|opening| opening.event.actor.label().to_owned()),
        "data": of.sensitivity.map(|sensitivity| sensitivity.as_str()),
    })
}

/// A setting, and what is open in it.
fn named(setting: &str, thing: &str) -> String {
    match thing.is_empty() || thing == setting {
        true => setting.to_owned(),
        false => format!("{setting} ({thing})"),
    }
}
