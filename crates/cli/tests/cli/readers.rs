//! The readers of others: pyarrow, Polars and DuckDB see what `verify` counts.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::verified;
use crate::support::process::{dataward, text, write};
use crate::support::story::story;

#[test]
fn foreign_readers_see_the_same_names_and_counts() {
    let Some(python) = std::env::var_os("DATAWARD_PYTHON") else {
        let is_required = std::env::var_os("DATAWARD_REQUIRE_SERVERS").is_some();
        assert!(!is_required, "DATAWARD_PYTHON is not set");
        eprintln!("SKIPPED: no foreign readers (DATAWARD_PYTHON is not set; scripts/test sets it)");
        return;
    };
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    for (seed, bad) in [(1, ""), (2, "{\"bad\":\n")] {
        let story = story(seed, 300).ndjson() + bad;
        let file = write(folder.path(), &format!("{seed}.ndjson"), story);
        let (archive, file) = (text(&archive), text(&file));
        dataward(&["scan", "--source", "aws.cloudtrail", "--archive", &archive, &file]).expect(0);
    }
    let report = verified(&archive);

    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/readers/read_archive.py");
    let output = Command::new(python).arg(script).arg(&archive).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    for reader in ["pyarrow", "polars", "duckdb"] {
        assert_eq!(answer[reader], report["rows"], "{reader}");
    }
    assert!(report["rows"]["quarantine"] == 1 && report["rows"]["operator"] == 2, "{report}");

    let table = dataward(&["schema", "table"]).expect(0).stdout;
    let table: Value = serde_json::from_str(&table).unwrap();
    let mut expected: Vec<&str> = ["columns", "partition_columns"]
        .iter()
        .flat_map(|key| table[*key].as_array().unwrap())
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    let mut seen: Vec<&str> =
        answer["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    expected.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, expected);
}
