//! `controls`: the changes of protection that are detected.

use std::io::IsTerminal;

use dataward_detect::catalogue::{self, CatalogueRow};
use serde_json::{Value, json};

use crate::args::{Controls, Format};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::print_rows;

/// Runs the command.
pub(crate) fn run(args: &Controls) -> Outcome {
    if let Some(id) = &args.row {
        let Some(row) = catalogue::row(id) else {
            let text = format!("unknown row {id}; `dataward controls` lists them");
            return Err(Failure::text(Exit::Usage, text));
        };
        let is_terminal = std::io::stdout().is_terminal();
        let format = args.format.or(is_terminal.then_some(Format::Json));
        return print_rows(format, &["row", "control", "severity"], &[in_full(row)]);
    }
    let is_wanted = |row: &&CatalogueRow| args.source.as_deref().is_none_or(|s| s == row.source);
    let rows: Vec<Value> = catalogue::rows().filter(is_wanted).map(in_full).collect();
    if rows.is_empty() {
        return Err(Failure::text(Exit::Usage, "no row is of this source"));
    }
    let columns = ["row", "control", "severity", "attack", "confidence", "fires_when"];
    print_rows(args.format, &columns, &rows)
}

fn in_full(row: &CatalogueRow) -> Value {
    json!({
        "row": row.id,
        "source": row.source,
        "operations": row.operations,
        "control": row.control.as_str(),
        "setting": row.setting,
        "severity": row.severity,
        "attack": row.attack,
        "confidence": format!("{:?}", row.confidence).to_lowercase(),
        "fires_when": row.fires_when,
        "quiet_when": row.quiet_when,
        "restored_by": row.restored_by,
        "reference": row.reference,
        "remediation": row.remediation,
    })
}
