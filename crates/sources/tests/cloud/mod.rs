//! Cases that know no API: an event that is laid over its source's plain one, and what is expected of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use dataward_event::audit_event::{AuditEvent, EventKind};
use dataward_event::change::Direction;
use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::catalogue_rows::emitted;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use serde_json::{Map, Value, json};

/// Reads a text that holds one event.
pub(crate) fn read(source: Source, text: &str) -> AuditEvent<'static> {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
    let mut decoded = decode(source, record);
    assert!(decoded.rejects.is_empty(), "{:?}\n{text}", decoded.rejects[0].detail);
    assert_eq!(decoded.events.len(), 1, "{text}");
    decoded.events.remove(0).event.into_owned()
}

/// Any text gives events or rejects, and neither loses what the other should have.
fn survives(source: Source, text: &str) {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
    let decoded = decode(source, record);
    assert!(!decoded.events.is_empty() || !decoded.rejects.is_empty(), "{text}");
}

/// The event with each of its values in turn made something that nobody expects there, and cut off.
fn survives_oddities(source: Source, event: &Value) {
    let odd = [json!(null), json!(-1), json!("é/:%"), json!([["x"], {"a": {}}]), json!({"": []})];
    let mut pointers = vec![String::new()];
    let mut next = 0;
    while let Some(at) = pointers.get(next).cloned() {
        next += 1;
        let keys: Vec<String> = match event.pointer(&at).unwrap() {
            Value::Object(fields) => {
                fields.keys().map(|k| k.replace('~', "~0").replace('/', "~1")).collect()
            }
            Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        pointers.extend(keys.into_iter().map(|key| format!("{at}/{key}")));
    }
    for (index, pointer) in pointers.iter().enumerate().skip(1) {
        let mut changed = event.clone();
        *changed.pointer_mut(pointer).unwrap() = odd[index % odd.len()].clone();
        survives(source, &changed.to_string());
    }
    let text = event.to_string();
    let cuts = (1..text.len()).step_by(41).map(|cut| text.floor_char_boundary(cut));
    cuts.for_each(|cut| survives(source, &text[..cut]));
}

/// Lays one value over another: objects key by key, `null` takes a key away.
fn lay_over(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                if value.is_null() {
                    base.remove(key);
                } else {
                    lay_over(base.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// What an event says, field by field, in the words of the cases. What it does not say is `null`.
pub(crate) fn told(event: &AuditEvent<'_>) -> Map<String, Value> {
    let changes: Vec<String> = event
        .changes
        .iter()
        .map(|change| {
            let whole = if change.whole { " whole" } else { "" };
            let direction = change.direction.as_str();
            let row = if change.catalogue_row.is_empty() {
                &change.setting
            } else {
                &change.catalogue_row
            };
            format!("{direction} {row} [{}]{whole}", change.opened)
        })
        .collect();
    let datastore = event.datastore.as_ref();
    let copy = event.changes.iter().rfind(|change| change.setting.starts_with("copy_"));
    let told = json!({
        "place": copy.and_then(|copy| copy.before.as_ref().or(copy.after.as_ref())),
        "uid": event.uid,
        "time": event.time.to_string(),
        "operation": event.operation,
        "service": event.service,
        "code": event.event_code,
        "is": format!("{} {} {}", event.kind.as_str(), event.class.uid(), event.activity_id),
        "outcome": event.outcome.as_str(),
        "error": event.error_code,
        "message": event.error_message,
        "actor": event.actor.uid,
        "actor_name": event.actor.name,
        "actor_kind": event.actor.kind.as_str(),
        "actor_type": event.actor.user_type,
        "actor_account": event.actor.account_uid,
        "credential": event.actor.credential_uid,
        "session": event.actor.session_uid,
        "issuer": event.actor.issuer,
        "mfa": event.actor.mfa,
        "groups": event.actor.groups,
        "ip": event.client.ip,
        "domain": event.client.domain,
        "port": event.client.port,
        "user_agent": event.client.user_agent,
        "datastore": datastore.map(|datastore| &datastore.uid),
        "datastore_name": datastore.map(|datastore| &datastore.name),
        "datastore_type": datastore.map(|datastore| &datastore.resource_type),
        "form": datastore.map(|datastore| datastore.form.as_str()),
        "objects": event.objects,
        "rows": event.volume.rows.map(|rows| rows.0),
        "bytes": event.volume.bytes.map(|bytes| bytes.0),
        "object_count": event.volume.objects.map(|objects| objects.0),
        "scope": event.read_scope.map(|scope| scope.as_str()),
        "request": event.request_uid,
        "correlation": event.correlation_uid,
        "statement": event.statement,
        "account": event.account_uid,
        "region": event.region,
        "provider": event.provider,
        "changes": changes,
    });
    let Value::Object(told) = told else { unreachable!() };
    told
}

/// Runs all cases of a file. Each has `what`, the `event` that is laid over the base of its name (`on`, else `base`), and
/// what is to be `told`; of `changes` everything must be named, and nothing means none.
pub(crate) fn run(source: Source, file: &str, prefix: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/cloud").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut failures = Vec::new();
    let mut fired = BTreeSet::new();
    let cases = document["cases"].as_array().unwrap();
    for case in cases {
        let what = case["what"].as_str().unwrap();
        let base = case.get("on").and_then(Value::as_str).unwrap_or("base");
        let mut event = document[base].clone();
        assert!(event.is_object(), "{what}: no base {base}");
        if let Some(over) = case.get("event") {
            lay_over(&mut event, over);
        }
        if let Some(texts) = case.get("as_text").and_then(Value::as_array) {
            for pointer in texts {
                let value = event.pointer_mut(pointer.as_str().unwrap()).unwrap();
                *value = Value::String(value.to_string());
            }
        }
        let text = event.to_string();
        survives_oddities(source, &event);
        let event = read(source, &text);
        let told = told(&event);
        let mut expected = case.get("told").and_then(Value::as_object).cloned().unwrap_or_default();
        expected.entry("changes").or_insert(json!([]));
        for (key, expected) in &expected {
            assert!(told.contains_key(key), "{what}: nothing is called {key}");
            if told[key] != *expected {
                failures.push(format!(
                    "{what}: {key}\n  expected {expected}\n  found    {}",
                    told[key]
                ));
            }
        }
        if !event.changes.is_empty() && event.kind == EventKind::Authentication {
            failures.push(format!("{what}: no replay finds its changes"));
        }
        if !event.changes.is_empty() && event.datastore.is_none() {
            failures.push(format!("{what}: on what?"));
        }
        let open = event.changes.iter().filter(|c| c.direction != Direction::Strengthened);
        fired.extend(open.map(|change| change.catalogue_row.to_string()));
    }
    assert!(failures.is_empty(), "{} of {file}:\n{}", failures.len(), failures.join("\n"));
    let rows: Vec<_> = emitted().map(|row| row.id).filter(|id| id.starts_with(prefix)).collect();
    let silent: Vec<_> = rows.iter().filter(|id| !fired.contains(**id)).collect();
    assert!(silent.is_empty(), "rows without a case: {silent:?}");
    println!("{file}: {} cases, {} rows", cases.len(), rows.len());
}
