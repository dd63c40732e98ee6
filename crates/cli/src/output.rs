//! Printing data: a table for people, JSON for programs.

use std::io::{IsTerminal, Write};

use serde_json::Value;

use crate::args::Format;
use crate::exit::{Exit, Failure, Outcome};

/// Prints rows of the same columns in the format asked for, or in the one that suits the output.
pub(crate) fn print_rows(format: Option<Format>, columns: &[&str], rows: &[Value]) -> Outcome {
    let text = match chosen(format) {
        Format::Table => table(columns, rows),
        Format::Ndjson => rows.iter().map(|row| format!("{row}\n")).collect(),
        Format::Json => {
            let text = serde_json::to_string_pretty(rows);
            text.map_err(|error| Failure::new(Exit::World, error))? + "\n"
        }
        Format::Csv => {
            let fields = rows.first().and_then(Value::as_object);
            let names = fields.map(|fields| fields.keys().map(String::as_str).collect());
            csv(&names.unwrap_or(columns.to_vec()), rows)
        }
    };
    print(&text)
}

/// The format asked for, or the one that suits the output.
pub(crate) fn chosen(format: Option<Format>) -> Format {
    let is_terminal = std::io::stdout().is_terminal();
    format.unwrap_or(if is_terminal { Format::Table } else { Format::Ndjson })
}

/// Prints a text. A closed pipe ends it quietly.
pub(crate) fn print(text: &str) -> Outcome {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(error.into()),
    }
}

/// Comma-separated values: a line of names, and a line for each row.
pub(crate) fn csv(names: &[&str], rows: &[Value]) -> String {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let quoted = |text: String| {
        let is_plain = !text.contains([',', '"', '\n', '\r']);
        if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
    };
    let mut text = names.join(",") + "\n";
    for row in rows {
        let cells: Vec<String> = names.iter().map(|name| quoted(cell(&row[*name]))).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// Columns for people. Whoever writes into a log must not write to the terminal of those who read it.
pub(crate) fn table(columns: &[&str], rows: &[Value]) -> String {
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
    let printable = |text: String| text.replace(char::is_control, "\u{fffd}");
    let line = |row| columns.iter().map(|column| printable(cell(row, column))).collect();
    lines.extend(rows.iter().map(line));
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
