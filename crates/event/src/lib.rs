//! The vocabulary of Dataward: what happened, where it stands in Kafka, and what was concluded.
//!
//! Every other crate speaks in these types, and this crate speaks to nobody: it does no I/O and knows neither JSON nor
//! Arrow. The choice that shapes it: [`audit_event::AuditEvent`] borrows from the record it was decoded from, so that
//! an event costs no copy until it becomes a row.
//!
//! Start with [`audit_event`], then [`position`] (where in Kafka), then [`finding`] (what a detector says).

pub mod audit_event;
pub mod change;
pub mod exposure;
pub mod finding;
pub mod limits;
pub mod position;
pub mod quarantine;
pub mod time;
pub mod uid;
pub mod volume;
