//! `schema`: what others may rely on.

use crate::args::{Schema, SchemaKind};
use crate::config;
use crate::exit::Outcome;
use crate::output::print;

/// Runs the command.
pub(crate) fn run(args: &Schema) -> Outcome {
    print(match args.what {
        SchemaKind::Event => dataward_ocsf::schema::EVENT,
        SchemaKind::Alert => dataward_ocsf::schema::ALERT,
        SchemaKind::Table => dataward_archive::schema::TABLE,
        SchemaKind::Config => config::DEFAULT,
        SchemaKind::Context => config::CONTEXT,
    })
}
