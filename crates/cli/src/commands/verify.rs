//! `verify`: proves that an archive is whole, or names exactly what is not.

use dataward_archive::delta_archive::Options;
use dataward_archive::report::Report;

use crate::args::{Format, Verify};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{chosen, print};
use crate::{progress, wiring};

/// Runs the command.
pub(crate) fn run(args: &Verify) -> Outcome {
    let format = chosen(args.format);
    if format == Format::Csv {
        return Err(Failure::text(
            Exit::Usage,
            "the report of verify is no table: csv cannot hold it",
        ));
    }
    wiring::must_exist(&args.archive)?;
    let bar = progress::bar(0, "{spinner} {binary_bytes} of {binary_total_bytes} {wide_bar} {eta}");
    let report =
        dataward_archive::verify::verify(&args.archive, &Options::default(), &mut |step| {
            bar.set_length(step.bytes_total);
            bar.set_position(step.bytes_done);
        })?;
    bar.finish_and_clear();
    let encode = |error| Failure::new(Exit::World, error);
    print(&match format {
        Format::Table => text(&report),
        Format::Ndjson => serde_json::to_string(&report).map_err(encode)? + "\n",
        Format::Json | Format::Csv => serde_json::to_string_pretty(&report).map_err(encode)? + "\n",
    })?;
    for problem in &report.problems {
        eprintln!("error: {problem}");
    }
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Broken })
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!(
        "archive {} at version {}: {} commits, {} files, {:.1} MB",
        report.archive_id,
        report.version,
        report.commits,
        report.files,
        report.bytes as f64 / 1e6
    )];
    let rows: Vec<String> =
        report.rows.iter().map(|(kind, rows)| format!("{kind} {rows}")).collect();
    lines.push(format!("rows: {}", rows.join(", ")));
    for partition in &report.partitions {
        let gaps: Vec<String> = partition
            .gaps
            .iter()
            .map(|(cause, count)| format!(", {count} offsets {cause}"))
            .collect();
        lines.push(format!(
            "{}: offsets {}..{} in {} records, {} events, {} in quarantine{}",
            partition.partition,
            partition.start,
            partition.progress,
            partition.records,
            partition.events,
            partition.quarantined,
            gaps.concat()
        ));
    }
    lines.push(match report.problems.len() {
        0 => "whole: every offset is accounted for, every file is as it was committed".to_owned(),
        1 => "NOT whole: 1 problem".to_owned(),
        count => format!("NOT whole: {count} problems"),
    });
    lines.join("\n") + "\n"
}
