//! The commands, one file each.

mod alerts;
mod controls;
mod datastores;
mod demo;
mod doctor;
mod explain;
mod exposures;
mod normalize;
mod query;
mod replay;
mod rules;
mod run;
mod scan;
mod schema;
mod sources;
mod timeline;
mod verify;
mod warmup;

use crate::args::{Args, Command};
use crate::exit::Outcome;

/// Runs the command.
pub(crate) fn run(args: &Args) -> Outcome {
    let config = args.config.as_deref();
    match &args.command {
        Command::Demo(demo) => demo::run(demo),
        Command::Run(run) => run::run(run, config),
        Command::Scan(scan) => scan::run(scan),
        Command::Normalize(normalize) => normalize::run(normalize),
        Command::Replay(replay) => replay::run(replay, config),
        Command::Warmup(warmup) => warmup::run(warmup),
        Command::Alerts(alerts) => alerts::run(alerts, config),
        Command::Doctor(doctor) => doctor::run(doctor, config),
        Command::Exposures(exposures) => exposures::run(exposures),
        Command::Datastores(datastores) => datastores::run(datastores),
        Command::Explain(explain) => explain::run(explain),
        Command::Query(query) => query::run(query),
        Command::Timeline(timeline) => timeline::run(timeline),
        Command::Verify(verify) => verify::run(verify),
        Command::Sources(listing) => sources::run(listing),
        Command::Controls(controls) => controls::run(controls),
        Command::Rules(rules) => rules::run(rules),
        Command::Schema(schema) => schema::run(schema),
    }
}
