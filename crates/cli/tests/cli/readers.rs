//! The readers of others: pyarrow, Polars and DuckDB see what `verify` counts.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{copy, verified};
use crate::support::process::{dataward, text, write};
use crate::support::story::story;

/// The interpreter with the readers. `None`, said aloud: there is none here, and nobody requires it.
fn python() -> Option<OsString> {
    let python = std::env::var_os("DATAWARD_PYTHON");
    if python.is_none() {
        let is_required = std::env::var_os("DATAWARD_REQUIRE_SERVERS").is_some();
        assert!(!is_required, "DATAWARD_PYTHON is not set");
        eprintln!("SKIPPED: no foreign readers (DATAWARD_PYTHON is not set; scripts/test sets it)");
    }
    python
}

/// Every reader sees the rows that `verify` counts, and the columns that are published.
fn read(python: &OsStr, archive: &Path) -> Value {
    let report = verified(archive);
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/readers/read_archive.py");
    let output = Command::new(python).arg(script).arg(archive).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    for reader in ["pyarrow", "polars", "duckdb"] {
        assert_eq!(answer[reader], report["rows"], "{reader}");
    }

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
    report["rows"].clone()
}

/// Scans a story, with something bad at its end, into an archive.
fn scan(archive: &Path, seed: u64, bad: &str) {
    let folder = TempDir::new().unwrap();
    let story = story(seed, 300).ndjson() + bad;
    let file = write(folder.path(), "trail.ndjson", story);
    let (archive, file) = (text(archive), text(&file));
    dataward(&["scan", "--source", "aws.cloudtrail", "--archive", &archive, &file]).expect(0);
}

#[test]
fn foreign_readers_see_the_same_names_and_counts() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    scan(&archive, 1, "");
    scan(&archive, 2, "{\"bad\":\n");
    let rows = read(&python, &archive);
    assert!(rows["quarantine"] == 1 && rows["operator"] == 2, "{rows}");
}

/// Files of the first version have fewer columns, and so have all files but those of windows.
#[test]
fn foreign_readers_see_through_the_versions_of_an_archive() {
    let Some(python) = python() else { return };
    let mut windows = Vec::new();
    for version in [1, 2] {
        let folder = TempDir::new().unwrap();
        let archive = folder.path().join("archive");
        let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../archive/tests/golden/v{version}/archive"));
        copy(&golden, &archive);
        scan(&archive, 1, "");
        windows.push(read(&python, &archive)["exposure"].as_u64().unwrap());
    }
    // The scan opens the same windows in both; the second had two before.
    assert_eq!(windows[0] + 2, windows[1]);
}
