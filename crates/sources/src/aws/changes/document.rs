//! Looking into request documents, whose products are loose about lists, scalars and wrappers.

use serde_json::Value;

use crate::lenient::{parse_bool, parse_count};

/// The value at a path; in a list on the way the first element counts.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let mut value = first(value);
    for key in path {
        value = first(value.get(key)?);
    }
    Some(value)
}

fn first(value: &Value) -> &Value {
    match value {
        Value::Array(items) if items.len() == 1 => &items[0],
        other => other,
    }
}

/// A scalar at a path as text.
pub(super) fn text_at(value: &Value, path: &[&str]) -> Option<String> {
    scalar(at(value, path)?)
}

/// A truth value at a path, also one written as a string.
pub(super) fn bool_at(value: &Value, path: &[&str]) -> Option<bool> {
    parse_bool(&text_at(value, path)?)
}

/// A count at a path, also one written as a string.
pub(super) fn count_at(value: &Value, path: &[&str]) -> Option<u64> {
    parse_count(&text_at(value, path)?)
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The elements of a list; a lone value is a list of one, an empty object (EC2's empty list) of none.
pub(super) fn items(value: Option<&Value>) -> Vec<&Value> {
    let Some(value) = value else { return Vec::new() };
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => match fields.get("items").or_else(|| fields.get("item")) {
            Some(inner) => items(Some(inner)),
            None if fields.is_empty() => Vec::new(),
            None => vec![value],
        },
        Value::String(text) if text.is_empty() => Vec::new(),
        other => vec![other],
    }
}

/// The texts of a list.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    items(value).into_iter().filter_map(scalar).collect()
}

/// A document that is an object or a list, or the JSON text of one. Nothing where it is neither.
pub(super) fn embedded(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            // The record's own nesting was checked before; a text inside it is bounded by serde_json's recursion limit.
            serde_json::from_str::<Value>(text)
                .ok()
                .filter(|value| value.is_object() || value.is_array())
        }
        Value::Object(_) | Value::Array(_) => Some(value.clone()),
        _ => None,
    }
}
