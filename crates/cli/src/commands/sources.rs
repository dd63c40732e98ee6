//! `sources`: the log formats that are understood.

use dataward_sources::source::Source;
use serde_json::json;

use crate::args::Listing;
use crate::exit::Outcome;
use crate::output::print_rows;

/// Runs the command.
pub(crate) fn run(args: &Listing) -> Outcome {
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
    print_rows(args.format, &["source", "what", "page"], &rows)
}
