//! `query`: a question in SQL about an archive.

use std::io::Read;

use dataward_query::engine::Effort;
use dataward_query::error::QueryError;

use crate::args::Query;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::chosen;
use crate::row_printer::RowPrinter;
use crate::wiring;

/// Runs the command.
pub(crate) fn run(args: &Query) -> Outcome {
    let sql = statement(args)?;
    let engine = wiring::engine(&args.asking)?;
    let mut printer = RowPrinter::new(chosen(args.format), false);
    let answered = engine.query(&sql, &mut printer);
    let printed = printer.finish(answered.is_ok());
    let rows = match answered.and_then(|rows| Ok(printed.map(|()| rows)?)) {
        Err(error) if is_closed_pipe(&error) => return Ok(Exit::Done),
        answered => answered?,
    };
    eprintln!("{}", effort(rows, &engine.effort()));
    Ok(Exit::Done)
}

fn statement(args: &Query) -> Result<String, Failure> {
    let unreadable = |name: &str, error: std::io::Error| {
        Failure::text(Exit::Input, format!("failed to read {name}: {error}"))
    };
    match (&args.file, args.sql.as_deref()) {
        (Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| unreadable(&file.display().to_string(), error)),
        (None, Some("-")) => {
            let mut sql = String::new();
            let read = std::io::stdin().read_to_string(&mut sql);
            read.map_err(|error| unreadable("standard input", error))?;
            Ok(sql)
        }
        (None, sql) => Ok(sql.unwrap_or_default().to_owned()),
    }
}

/// Whoever reads the answer has seen enough.
pub(super) fn is_closed_pipe(error: &QueryError) -> bool {
    matches!(error, QueryError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// What an answer took, in words.
pub(super) fn effort(rows: usize, effort: &Effort) -> String {
    format!(
        "{rows} row{}; {} of {} files read, {:.1} MB; version {} of the table",
        if rows == 1 { "" } else { "s" },
        effort.files_read,
        effort.files,
        effort.bytes_read as f64 / 1e6,
        effort.version,
    )
}
