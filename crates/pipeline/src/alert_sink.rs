//! The port on the side of people: where alerts go.

use crate::alert::Alert;

/// Why a delivery failed.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// It may work later: try again, in order, under the same ids.
    #[error("{0}")]
    Unavailable(String),
    /// It will not work for this sink before somebody changes something.
    #[error("{0}")]
    Fatal(String),
}

/// A place that alerts are delivered to.
///
/// The contract: when [`deliver`](AlertSink::deliver) returns `Ok`, every alert given is durable at the other side.
/// On an error any of them may or may not have arrived; all are sent again under the same ids.
pub trait AlertSink: Send {
    /// The sink's name: part of its cursor's app id, so it must stay the same over restarts.
    fn name(&self) -> &str;

    /// Delivers alerts in order and waits until they are safe.
    ///
    /// # Errors
    /// [`SinkError`]; nothing may be assumed about what arrived.
    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError>;
}
