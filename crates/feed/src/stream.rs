//! Any stream of bytes, such as standard output, as a sink of alerts.

use std::io::Write;

use dataward_pipeline::alert::Alert;
use dataward_pipeline::alert_sink::{AlertSink, SinkError};

/// Writes alerts as lines to a stream.
pub struct StreamSink<W> {
    name: String,
    stream: W,
}

impl<W: Write + Send> StreamSink<W> {
    /// A sink of this name over a stream.
    pub fn new(name: &str, stream: W) -> Self {
        Self { name: name.to_owned(), stream }
    }
}

impl<W: Write + Send> AlertSink for StreamSink<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError> {
        let failed = |error| SinkError::Unavailable(format!("failed to write alerts: {error}"));
        for alert in alerts {
            writeln!(self.stream, "{}", alert.json).map_err(failed)?;
        }
        self.stream.flush().map_err(failed)
    }
}
