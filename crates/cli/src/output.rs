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
    let mut text = csv_line(names.iter().map(|name| (*name).to_owned()));
    for row in rows {
        text += &csv_line(names.iter().map(|name| csv_cell(&row[*name])));
    }
    text
}

/// A line of comma-separated values.
pub(crate) fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let quoted = |text: String| {
        // Some programs divide at semicolons or tabs, too.
        let is_plain = !text.contains([',', ';', '\t', '"', '\n', '\r']);
        if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
    };
    cells.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

/// A cell that no spreadsheet takes for a formula: whoever writes into a log must not calculate at those who read it.
/// A text that begins like one gets an apostrophe in front.
pub(crate) fn csv_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => {
            let begins = text.trim_start_matches([' ', '\u{a0}']);
            let is_formula =
                begins.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
            if is_formula { format!("'{text}") } else { text.clone() }
        }
        other => other.to_string(),
    }
}

/// Columns for people.
pub(crate) fn table(columns: &[&str], rows: &[Value]) -> String {
    let cells = |row: &Value| columns.iter().map(|column| table_cell(&row[*column])).collect();
    lined_up(columns, rows.iter().map(cells).collect())
}

/// A cell for people. Whoever writes into a log must not write to the terminal of those who read it.
pub(crate) fn table_cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts =
                items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned));
            texts.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    text.replace(char::is_control, "\u{fffd}")
}

/// Rows of cells under their names, each column as wide as its widest cell.
pub(crate) fn lined_up(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut lines = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
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
