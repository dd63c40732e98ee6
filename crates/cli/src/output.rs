//! Printing data: a table for people, JSON for programs.

use std::io::{IsTerminal, Write};

use serde_json::Value;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};

/// Prints rows of the same columns in the format asked for, or in the one that suits the output.
pub(crate) fn print_rows(format: Option<Format>, columns: &[&str], rows: &[Value]) -> Outcome {
    let is_terminal = std::io::stdout().is_terminal();
    let format = format.unwrap_or(if is_terminal { Format::Table } else { Format::Ndjson });
    let text = match format {
        Format::Table => table(columns, rows),
        Format::Ndjson => rows.iter().map(|row| format!("{row}\n")).collect(),
        Format::Json => {
            let text = serde_json::to_string_pretty(rows);
            text.map_err(|error| Failure::new(Exit::World, error))? + "\n"
        }
    };
    print(&text)
}

/// Prints a text. A closed pipe ends it quietly.
pub(crate) fn print(text: &str) -> Outcome {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(error.into()),
    }
}

fn table(columns: &[&str], rows: &[Value]) -> String {
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts =
                items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned));
            texts.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let mut lines = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()));
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
