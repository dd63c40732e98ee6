//! `sources`: what is understood, what one needs, and what a mapping file makes of a file.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{dataward, text};

const MAPPING: &str = r#"
name = "acme.warehouse"
format = "json"
[fields]
time = "{ts}"
operation = "{op}"
act = "{op}"
actor_name = "{user}"
datastore_uid = "acme://{set}"
rows_returned = "{rows}"
[values.act]
EXPORT = "read"
"*" = "other"
"#;

const SAMPLE: &str = r#"{"ts":"2026-03-04T05:06:07Z","user":"ada","op":"EXPORT","set":"orders","rows":12}
{"ts":"2026-03-04T05:06:08Z","user":"eve","op":"PING","set":"orders"}
"#;

#[test]
fn every_source_is_listed_and_shown() {
    let listed: Vec<Value> = dataward(&["sources"]).expect(0).lines();
    assert_eq!(listed.len(), 20);
    for source in listed.iter().map(|row| row["source"].as_str().unwrap()) {
        let shown: Vec<Value> = dataward(&["sources", source]).expect(0).lines();
        assert_eq!(shown[0]["source"], source);
        if source != "auto" {
            assert!(shown[0]["switch_on"].is_string() && shown[0]["trap"].is_string(), "{source}");
        }
    }
    let table = dataward(&["sources", "redis.monitor", "--format", "table"]).expect(0).stdout;
    assert!(table.contains("  cannot tell  "), "{table}");
    let page = dataward(&["sources", "redis.monitor", "--page"]).expect(0).stdout;
    assert!(page.starts_with("# redis.monitor"), "{page}");
    let unknown = dataward(&["sources", "redis.monitr"]).expect(2);
    assert!(unknown.stderr.contains("unknown source redis.monitr"), "{}", unknown.stderr);
}

#[test]
fn a_mapping_is_tried_and_takes_the_place_of_a_source() {
    let folder = TempDir::new().unwrap();
    let (mapping, sample) = (folder.path().join("acme.toml"), folder.path().join("sample.log"));
    std::fs::write(&mapping, MAPPING).unwrap();
    std::fs::write(&sample, SAMPLE).unwrap();
    let (mapping_text, sample_text) = (text(&mapping), text(&sample));
    let tried = dataward(&["sources", "test", &mapping_text, &sample_text]).expect(0);
    assert!(tried.stderr.contains("acme.warehouse: 2 events"), "{}", tried.stderr);
    assert!(tried.stderr.contains("rows_returned: in 1 of them"), "{}", tried.stderr);
    let events: Vec<Value> = tried.lines();
    assert_eq!(events[0]["unmapped"]["dataward"]["rows_returned"], 12);
    assert_eq!(events[1]["unmapped"]["dataward"]["source"], "acme.warehouse");

    let archive = text(&folder.path().join("archive"));
    dataward(&["scan", "--source", &mapping_text, "--archive", &archive, &sample_text]).expect(0);
    let question = "SELECT source, actor_name, rows_returned FROM events ORDER BY event_time";
    let rows: Vec<Value> = dataward(&["query", question, "--archive", &archive]).expect(0).lines();
    let row = |name: &str, count: Value| json!({"source": "acme.warehouse", "actor_name": name, "rows_returned": count});
    assert_eq!(rows, [row("ada", json!(12)), row("eve", Value::Null)]);

    std::fs::write(&mapping, MAPPING.replace("actor_name", "actor_nam")).unwrap();
    let refused = dataward(&["sources", "test", &mapping_text, &sample_text]).expect(2);
    assert!(refused.stderr.contains("fields.actor_nam: no such field"), "{}", refused.stderr);
    std::fs::write(&mapping, MAPPING).unwrap();
    std::fs::write(&sample, SAMPLE.replace("12", "\"many\"")).unwrap();
    let bad = dataward(&["sources", "test", &mapping_text, &sample_text]).expect(3);
    assert!(bad.stderr.contains("`rows_returned` is no count"), "{}", bad.stderr);
}
