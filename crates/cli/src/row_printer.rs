//! Prints rows as they come: an answer may be longer than memory.

use std::io::{BufWriter, Stdout, Write};

use dataward_query::engine::Answer;
use serde_json::Value;

use crate::args::Format;
use crate::output::{csv_cell, csv_line, lined_up, table_cell};

/// Prints the rows of an answer in one format.
pub(crate) struct RowPrinter {
    format: Format,
    /// JSON objects have no field that is null.
    omits_nulls: bool,
    out: BufWriter<Stdout>,
    names: Vec<String>,
    rows: usize,
    /// The rows of a table, whose widths are known at the end.
    held: Vec<Vec<String>>,
}

impl RowPrinter {
    pub(crate) fn new(format: Format, omits_nulls: bool) -> Self {
        let out = BufWriter::new(std::io::stdout());
        Self { format, omits_nulls, out, names: Vec::new(), rows: 0, held: Vec::new() }
    }

    /// Ends the answer. One that is not whole is no JSON document: nobody can take it for one.
    pub(crate) fn finish(mut self, is_whole: bool) -> std::io::Result<()> {
        match self.format {
            Format::Table if self.rows > 0 => {
                let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
                self.out.write_all(lined_up(&names, std::mem::take(&mut self.held)).as_bytes())?;
            }
            Format::Json if is_whole => {
                self.out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
            }
            Format::Table | Format::Json | Format::Ndjson | Format::Csv => {}
        }
        self.out.flush()
    }

    /// An object with its fields in the order of the columns.
    fn object(&self, cells: &[Value]) -> String {
        let fields = self.names.iter().zip(cells);
        let fields = fields.filter(|(_, value)| !(self.omits_nulls && value.is_null()));
        let fields = fields.map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

impl Answer for RowPrinter {
    fn columns(&mut self, names: &[String]) -> std::io::Result<()> {
        self.names = names.to_vec();
        match self.format {
            Format::Csv => self.out.write_all(
                csv_line(names.iter().map(|name| csv_cell(&Value::from(name.as_str())))).as_bytes(),
            ),
            Format::Table | Format::Json | Format::Ndjson => Ok(()),
        }
    }

    fn row(&mut self, cells: Vec<Value>) -> std::io::Result<()> {
        let is_first = self.rows == 0;
        self.rows += 1;
        match self.format {
            Format::Table => {
                self.held.push(cells.iter().map(table_cell).collect());
                Ok(())
            }
            Format::Ndjson => writeln!(self.out, "{}", self.object(&cells)),
            Format::Json => {
                let before = if is_first { "[\n" } else { ",\n" };
                write!(self.out, "{before}  {}", self.object(&cells))
            }
            Format::Csv => self.out.write_all(csv_line(cells.iter().map(csv_cell)).as_bytes()),
        }
    }
}
