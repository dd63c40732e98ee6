//! `rules test`: runs labelled cases.

use std::path::{Path, PathBuf};

use dataward_detect::catalogue;
use dataward_simulation::corpus::built_in;
use dataward_simulation::corpus::case::{self, Case};
use dataward_simulation::corpus::order::{self, Disagreement};
use dataward_simulation::corpus::report::{OfSource, Report};
use dataward_simulation::corpus::trial::Tried;
use dataward_sources::source::Source;
use serde_json::{Value, json};

use crate::args::{Format, RulesTest};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{chosen, print, print_rows};

/// Runs the command.
pub(crate) fn run(args: &RulesTest) -> Outcome {
    if let Some(row) = args.row.as_deref().filter(|row| catalogue::row(row).is_none()) {
        let text = format!("unknown row {row}; `dataward controls` lists them");
        return Err(Failure::text(Exit::Usage, text));
    }
    if let Some(source) = args.source.as_deref().filter(|name| Source::parse(name).is_none()) {
        let text = format!("unknown source {source}; `dataward sources` lists them");
        return Err(Failure::text(Exit::Usage, text));
    }
    let files = files(&args.paths)?;
    let mut cases = if args.paths.is_empty() {
        built_in().map_err(|error| Failure::new(Exit::Input, error))?
    } else {
        read(&files)?
    };
    cases.retain(|case| args.source.as_deref().is_none_or(|name| case.source.name() == name));
    cases.retain(|case| args.row.as_deref().is_none_or(|row| case.row_id() == row));
    if cases.is_empty() {
        return Err(Failure::text(Exit::Usage, "there is no such case"));
    }
    let report = Report::of(&cases);
    let (_, disagreements) = order::pairs(&cases);
    tell(args.format, &report, &disagreements)?;
    let is_right = report.failing().next().is_none() && disagreements.is_empty();
    Ok(if is_right { Exit::Done } else { Exit::Findings })
}

/// A file of cases, with its source.
struct File {
    source: Source,
    name: String,
    text: String,
}

/// The files that are named, and those in the folders that are named.
fn files(paths: &[PathBuf]) -> Result<Vec<File>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        find(path, true, &mut found)?;
    }
    Ok(found)
}

fn find(path: &Path, is_named: bool, found: &mut Vec<File>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::text(Exit::Input, format_args!("{}: {error}", path.display()))
    };
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(unreadable)?;
        let mut entries: Vec<PathBuf> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        entries.sort();
        return entries.iter().try_for_each(|entry| find(entry, false, found));
    }
    if !is_named && path.extension().is_none_or(|extension| extension != "json") {
        return Ok(());
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    // `.` and the like have a name only once they are resolved.
    let whole = std::path::absolute(path).map_err(unreadable)?;
    let folder = whole.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let source = Source::parse(&folder).ok_or_else(|| {
        let text = format!(
            "{}: its folder is called {folder}, and must be called as its source: `dataward sources` lists them",
            path.display()
        );
        Failure::text(Exit::Input, text)
    })?;
    found.push(File { source, name: path.display().to_string(), text });
    Ok(())
}

fn read(files: &[File]) -> Result<Vec<Case<'_>>, Failure> {
    let mut cases = Vec::new();
    for file in files {
        let read = case::parse(file.source, &file.name, &file.text);
        cases.extend(read.map_err(|error| Failure::new(Exit::Input, error))?);
    }
    Ok(cases)
}

/// A line for each source; then, for people, what did not go right, case by case.
fn tell(
    format: Option<Format>,
    report: &Report<'_, '_>,
    disagreements: &[Disagreement<'_, '_>],
) -> Outcome {
    let rows: Vec<Value> = report
        .sources
        .iter()
        .map(|(name, source)| of_source(name, source, disagreements))
        .collect();
    let columns = ["source", "rows", "cases", "weakenings_found", "quiet", "from_documentation"];
    print_rows(format, &columns, &rows)?;
    if chosen(format) != Format::Table {
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for (case, tried) in report.failing() {
        let (label, row) = (case.label.as_str(), case.row_id());
        let of = if row.is_empty() { String::new() } else { format!(" of {row}") };
        text += &format!(
            "\n{case}\n  {label}{of}: {}\n  {}\n",
            tried.verdict.as_str(),
            tried.happened()
        );
    }
    for it in disagreements {
        text += &format!(
            "\n{}\n{}\n  their order of arrival decides what is said\n",
            it.weakening, it.hardening
        );
    }
    print(&text)
}

fn of_source(
    name: &str,
    source: &OfSource<'_, '_>,
    disagreements: &[Disagreement<'_, '_>],
) -> Value {
    let counts = source.counts;
    let failing = source.failing.iter().map(|(case, tried)| failing(case, tried));
    let of_source = disagreements.iter().filter(|it| it.weakening.source.name() == name);
    let by_order = of_source.map(|it| {
        json!({
            "case": it.weakening.to_string(),
            "label": it.weakening.label.as_str(),
            "row": it.weakening.row_id(),
            "verdict": "order decides",
            "happened": format!("with {} before or after it, something else is said", it.hardening),
        })
    });
    json!({
        "source": name,
        "rows": source.rows.len(),
        "cases": counts.cases,
        "right": counts.right,
        "weakenings_found": format!("{} of {}", counts.found, counts.weakenings),
        "quiet": format!("{} of {}", counts.kept_quiet, counts.quiet),
        "from_documentation": counts.documented,
        "failing": failing.chain(by_order).collect::<Vec<_>>(),
    })
}

fn failing(case: &Case<'_>, tried: &Tried) -> Value {
    json!({
        "case": case.to_string(),
        "label": case.label.as_str(),
        "row": case.row_id(),
        "verdict": tried.verdict.as_str(),
        "happened": tried.happened(),
    })
}
