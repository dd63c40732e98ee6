//! `sources`: the log formats that are understood.

use std::collections::BTreeMap;

use dataward_sources::source::Source;
use serde_json::{Map, Value, json};

use crate::args::{Format, Sources, SourcesCommand, SourcesTest};
use crate::commands::normalize::print_events;
use crate::config;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{chosen, print, print_rows};

/// Runs the command.
pub(crate) fn run(args: &Sources) -> Outcome {
    match (&args.command, &args.source) {
        (Some(SourcesCommand::Test(test)), _) => try_mapping(test),
        (None, Some(name)) => one(name, args),
        (None, None) => list(args.format),
    }
}

fn list(format: Option<Format>) -> Outcome {
    let rows: Vec<_> = Source::ALL
        .iter()
        .map(|source| {
            json!({
                "source": source.name(),
                "what": source.description(),
                "page": source.reference(),
            })
        })
        .collect();
    print_rows(format, &["source", "what", "page"], &rows)
}

/// What one source needs and tells: the essentials of its page, or all of it.
fn one(name: &str, args: &Sources) -> Outcome {
    let source = config::source(name).map_err(|error| Failure::text(Exit::Usage, error))?;
    if args.page {
        return match source.page() {
            Some(page) => print(page),
            None => Err(Failure::text(Exit::Usage, format!("{name} has no page of its own"))),
        };
    }
    let essentials = source.essentials();
    if chosen(args.format) != Format::Table {
        let mut row = Map::new();
        row.insert("source".to_owned(), json!(source.name()));
        row.insert("what".to_owned(), json!(source.description()));
        for line in essentials {
            row.insert(line.about.replace(' ', "_"), json!(line.text));
        }
        row.insert("page".to_owned(), json!(source.reference()));
        return print_rows(args.format, &["source", "what"], &[Value::Object(row)]);
    }
    let mut text = format!("{}: {}\n\n", source.name(), source.description());
    for line in essentials {
        text += &format!("  {:<12} {}\n", line.about, line.text);
    }
    if source.page().is_some() {
        text += &format!("\nThe whole page: dataward sources {} --page\n", source.name());
    }
    print(&text)
}

/// Shows what a mapping file makes of files.
fn try_mapping(args: &SourcesTest) -> Outcome {
    let mapping = config::mapping(&args.mapping).map_err(|e| Failure::text(Exit::Usage, e))?;
    let mut events = 0_u64;
    let mut filled: BTreeMap<String, u64> = BTreeMap::new();
    let outcome = print_events(Source::Mapped(mapping), &args.files, &mut |event| {
        events += 1;
        for (field, is_there) in mapping.filled(event) {
            *filled.entry(field.to_owned()).or_default() += u64::from(is_there);
        }
    })?;
    eprintln!("{}: {events} events", mapping.name());
    for (field, count) in filled.iter().filter(|(_, count)| **count < events) {
        eprintln!("  {field}: in {count} of them");
    }
    Ok(outcome)
}
