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
    let stated = std::env::var("DATAWARD_LOG").ok();
    let filter = match stated.as_deref() {
        None => EnvFilter::new(level),
        // A bare level is meant for us, not for the libraries below.
        Some(word) if word.chars().all(char::is_alphabetic) => {
            EnvFilter::new(format!("warn,dataward={word}"))
        }
        Some(directives) => EnvFilter::new(directives),
    };
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
