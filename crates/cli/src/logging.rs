//! The log on standard error: readable on a terminal, JSON otherwise. Never a payload.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts the log. `DATAWARD_LOG` overrides the level with the directives of tracing.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => "warn,dataward=info",
        1 => "info,dataward=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("DATAWARD_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    std::panic::set_hook(Box::new(|panic| {
        // The message of a panic may quote a payload: only the place is told.
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a defect: please report it");
    }));
    if std::io::stderr().is_terminal() {
        log.with_target(false).compact().init();
    } else {
        log.json().flatten_event(true).init();
    }
}
