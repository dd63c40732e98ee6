//! The JSON Schemas of what we write: our profile of OCSF, narrower than OCSF's own.

/// An event, as `event::event_json` writes it.
pub const EVENT: &str = include_str!("../../../schemas/ocsf/event.schema.json");

/// An alert, as `finding::finding_json` writes it.
pub const ALERT: &str = include_str!("../../../schemas/ocsf/alert.schema.json");
