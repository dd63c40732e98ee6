//! `rules`: every rule with its page, and the labelled cases that hold them.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{dataward, text, write};

/// Cases of Redis: right, missed, a false alarm.
const CASES: &str = r#"[
{"row": "redis.password.removed", "label": "weakening", "what": "no password", "record": "1772600767.123456 [0 192.0.2.7:4711] \"CONFIG\" \"SET\" \"requirepass\" \"\""},
{"row": "redis.password.removed", "label": "weakening", "what": "a look", "record": "1772600767.123456 [0 192.0.2.7:4711] \"get\" \"user:7\""},
{"label": "neutral", "what": "said to be nothing", "record": "1772600767.123456 [0 192.0.2.7:4711] \"CONFIG\" \"SET\" \"requirepass\" \"\""}
]
"#;

#[test]
fn every_rule_is_listed_and_shown() {
    let listed: Vec<Value> = dataward(&["rules"]).expect(0).lines();
    assert!(listed.len() >= 10);
    for rule in listed.iter().map(|row| row["rule"].as_str().unwrap()) {
        let page = dataward(&["rules", rule]).expect(0).stdout;
        assert!(page.starts_with(&format!("# {rule}\n")), "{page}");
    }
    for row in &listed {
        assert!(row["meaning"].as_str().unwrap().ends_with('.'), "{row}");
    }
    let row: Vec<Value> = dataward(&["rules", "read.bulk", "--format", "ndjson"]).expect(0).lines();
    assert!(row[0]["text"].as_str().unwrap().contains("## When it fires"), "{}", row[0]);
    let unknown = dataward(&["rules", "read.bluk"]).expect(2);
    assert!(unknown.stderr.contains("unknown rule read.bluk"), "{}", unknown.stderr);
}

#[test]
fn the_cases_that_are_built_in_are_right() {
    let rows: Vec<Value> = dataward(&["rules", "test"]).expect(0).lines();
    assert!(rows.len() >= 15, "{} sources", rows.len());
    for row in &rows {
        assert_eq!(row["cases"], row["right"], "{row}");
        assert_eq!(row["failing"].as_array().unwrap().len(), 0, "{row}");
    }
    let one: Vec<Value> =
        dataward(&["rules", "test", "--row", "redis.password.removed"]).expect(0).lines();
    assert_eq!((one.len(), &one[0]["rows"]), (1, &Value::from(1)));
    let of_source: Vec<Value> =
        dataward(&["rules", "test", "--source", "redis.monitor"]).expect(0).lines();
    assert_eq!(of_source.len(), 1);
    dataward(&["rules", "test", "--row", "no.such.row"]).expect(2);
    dataward(&["rules", "test", "--source", "no.such.source"]).expect(2);
}

#[test]
fn own_cases_are_run_and_told_one_by_one() {
    let top = TempDir::new().unwrap();
    let folder = top.path().join("redis.monitor");
    std::fs::create_dir(&folder).unwrap();
    let file = text(&write(&folder, "own.json", CASES));
    for path in [&file, &text(&folder), &text(top.path())] {
        let rows: Vec<Value> = dataward(&["rules", "test", path]).expect(1).lines();
        let row = &rows[0];
        assert_eq!((&row["weakenings_found"], &row["quiet"]), (&"1 of 2".into(), &"0 of 1".into()));
        let verdict = |index: usize| row["failing"][index]["verdict"].as_str().unwrap().to_owned();
        assert_eq!((verdict(0), verdict(1)), ("missed".to_owned(), "false alarm".to_owned()));
    }
    let table = dataward(&["rules", "test", "--format", "table", &file]).expect(1).stdout;
    assert!(
        table.contains("own.json: case 2: a look\n  weakening of redis.password.removed: missed"),
        "{table}"
    );
    assert!(table.contains("control.weakened of redis.password.removed, severity"), "{table}");
}

#[test]
fn a_file_that_holds_no_cases_is_told_with_its_place() {
    let top = TempDir::new().unwrap();
    let folder = top.path().join("redis.monitor");
    std::fs::create_dir(&folder).unwrap();
    let broken = CASES.replace("\"neutral\"", "\"natural\"");
    let file = text(&write(&folder, "own.json", broken));
    let refused = dataward(&["rules", "test", &file]).expect(3);
    assert!(refused.stderr.contains("own.json: case 3: `label` is natural"), "{}", refused.stderr);
    let elsewhere = text(&write(top.path(), "own.json", CASES));
    let refused = dataward(&["rules", "test", &elsewhere]).expect(3);
    assert!(refused.stderr.contains("must be called as its source"), "{}", refused.stderr);
    dataward(&["rules", "test", &text(&top.path().join("none.json"))]).expect(3);
}
