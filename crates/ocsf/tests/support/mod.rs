//! What the tests of this crate need: schemas, and the samples that are read in place.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::path::PathBuf;

use dataward_event::audit_event::Class;
use dataward_event::position::{Offset, Partition, Position};
use jsonschema::Validator;
use serde_json::Value;

/// The folder of real samples and official schemas; `None`, loudly, where it is not set.
pub(crate) fn test_data(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DATAWARD_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: {what}: DATAWARD_TEST_DATA is not set");
    }
    folder
}

pub(crate) fn own(schema: &str) -> Validator {
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
}

/// The official schemas by `class_uid`.
pub(crate) fn official(test_data: &std::path::Path) -> HashMap<u64, Validator> {
    let names = [
        (Class::ApiActivity.uid(), "api_activity"),
        (Class::DatastoreActivity.uid(), "datastore_activity"),
        (Class::Authentication.uid(), "authentication"),
        (Class::AccountChange.uid(), "account_change"),
        (Class::EntityManagement.uid(), "entity_management"),
        (Class::UserAccess.uid(), "user_access"),
        (Class::GroupManagement.uid(), "group_management"),
        (Class::EventLog.uid(), "event_log_actvity"),
        (Class::DeviceConfigState.uid(), "device_config_state_change"),
        (Class::ApplicationLifecycle.uid(), "application_lifecycle"),
        (2004, "detection_finding"),
    ];
    let folder = test_data.join("design/ocsf/jsonschema");
    names
        .into_iter()
        .map(|(uid, name)| {
            let text = std::fs::read_to_string(folder.join(format!("{name}.schema.json"))).unwrap();
            (u64::from(uid), own(&text))
        })
        .collect()
}

/// Fails with every complaint of a schema about a line.
pub(crate) fn check(validator: &Validator, line: &str) {
    let value: Value = serde_json::from_str(line).unwrap();
    let complaints: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(complaints.is_empty(), "{complaints:#?}\n{line}");
    assert!(!line.contains(":null"), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

pub(crate) fn position() -> Position {
    Position { partition: Partition::new("audit", 3), offset: Offset(912), record_index: 0 }
}
