//! The JSON Schemas of what is written: our profile of OCSF, stricter where we promise more.

/// The schema of an event, JSON Schema draft 2020-12.
pub const EVENT: &str = include_str!("../../../schemas/ocsf/event.schema.json");

/// The schema of an alert, JSON Schema draft 2020-12.
pub const ALERT: &str = include_str!("../../../schemas/ocsf/alert.schema.json");
