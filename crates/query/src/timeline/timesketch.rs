//! An entry as a line of JSON that Timesketch imports.

use serde_json::{Map, Value, json};

use super::entry::Entry;

/// What Timesketch's store takes as one keyword, in bytes.
const FIELD_BYTES: usize = 32_766;

/// What stands at the end of a text that was too long.
const CUT: &str = " [cut]";

/// The entry with the fields that Timesketch demands (`message`, `datetime`, `timestamp_desc`), those that it is used
/// to, and our columns. A text that its store would refuse is cut, and tagged `cut`.
pub fn record(entry: &Entry) -> Value {
    let mut fields = Map::new();
    for (column, value) in &entry.cells {
        fields.insert((*column).to_owned(), value.clone());
    }
    let mut tags = vec![entry.what.as_str().to_owned()];
    tags.extend(entry.text("rule_id").map(str::to_owned));
    let object = entry.cell("objects").and_then(|objects| objects.get(0)).cloned();
    let place = ["topic", "incarnation", "kafka_partition", "kafka_offset", "record_index"];
    let place = place.map(|column| match entry.cell(column) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    });
    let own = [
        ("message", entry.message.as_str().into()),
        ("datetime", entry.time.to_string().into()),
        ("timestamp", entry.time.micros().into()),
        ("timestamp_desc", entry.timestamp_desc().into()),
        ("what", entry.what.as_str().into()),
        ("user", entry.actor().into()),
        ("src_ip", entry.text("client_ip").into()),
        ("datastore", entry.datastore().into()),
        ("target", object.into()),
        ("log_index", place.join("/").into()),
    ];
    fields.extend(own.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    fields.retain(|_, value| !value.is_null());
    let mut is_cut = false;
    fields.values_mut().for_each(|value| is_cut |= cut(value));
    if is_cut {
        tags.push("cut".to_owned());
    }
    fields.insert("tag".to_owned(), json!(tags));
    Value::Object(fields)
}

/// Cuts the texts of a value that are too long; whether there was one.
fn cut(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.len() > FIELD_BYTES => {
            let mut end = FIELD_BYTES - CUT.len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push_str(CUT);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |is_cut, item| cut(item) | is_cut),
        Value::Object(fields) => fields.values_mut().fold(false, |is_cut, item| cut(item) | is_cut),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dataward_event::time::EventTime;

    use super::*;
    use crate::timeline::entry::What;

    fn entry(cells: &[(&'static str, Value)]) -> Entry {
        Entry {
            time: EventTime::from_micros(1_575_454_830_000_001),
            what: What::Access,
            message: "alice GetObject".to_owned(),
            cells: cells.iter().cloned().collect::<BTreeMap<_, _>>(),
            parties: Vec::new(),
            number: 0,
        }
    }

    #[test]
    fn what_timesketch_demands_is_there() {
        let cells = [
            ("actor_name", "alice".into()),
            ("client_ip", "203.0.113.7".into()),
            ("datastore_uid", "arn:aws:s3:::payments".into()),
            ("objects", json!(["a.csv", "b.csv"])),
            ("topic", "audit".into()),
            ("incarnation", 0.into()),
            ("kafka_partition", 1.into()),
            ("kafka_offset", 7.into()),
            ("record_index", 2.into()),
        ];
        let record = record(&entry(&cells));
        assert_eq!(record["message"], "alice GetObject");
        assert_eq!(record["datetime"], "2019-12-04T10:20:30.000001Z");
        assert_eq!(record["timestamp"], 1_575_454_830_000_001_i64);
        assert_eq!(record["timestamp_desc"], "Data Accessed");
        assert_eq!(record["user"], "alice");
        assert_eq!(record["src_ip"], "203.0.113.7");
        assert_eq!(record["datastore"], "arn:aws:s3:::payments");
        assert_eq!(record["target"], "a.csv");
        assert_eq!(record["log_index"], "audit/0/1/7/2");
        assert_eq!(record["tag"], json!(["access"]));
        assert!(record.as_object().unwrap().values().all(|value| !value.is_null()));
    }

    #[test]
    fn what_its_store_would_refuse_is_cut_and_says_so() {
        let record = record(&entry(&[("raw", "\u{e9}".repeat(20_000).into())]));
        let raw = record["raw"].as_str().unwrap();
        assert!(raw.len() <= FIELD_BYTES && raw.ends_with("\u{e9} [cut]"));
        assert_eq!(record["tag"], json!(["access", "cut"]));
    }
}
