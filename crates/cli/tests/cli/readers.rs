//! The readers of others: pyarrow, Polars, DuckDB, ClickHouse and Spark see what `verify` counts, also while a process
//! writes.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{committed, copy, verified};
use crate::support::kafka::{self, Sending, broker, setup};
use crate::support::process::{Running, dataward, text, write};
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

/// Whether Spark reads, too: it takes as long as all others together, and longer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    All,
    ButSpark,
}

/// What the readers say of an archive. They agree, or the script fails.
fn answer(python: &OsStr, archive: &Path, readers: Readers) -> Value {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/readers/read_archive.py");
    let mut command = Command::new(python);
    if readers == Readers::ButSpark {
        command.env_remove("DATAWARD_SPARK_JARS");
    }
    let output = command.arg(script).arg(archive).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut names = vec!["pyarrow", "polars", "duckdb", "clickhouse"];
    if readers == Readers::All {
        let has_jars = std::env::var_os("DATAWARD_SPARK_JARS").is_some();
        let is_required = std::env::var_os("DATAWARD_REQUIRE_SERVERS").is_some();
        assert!(has_jars || !is_required, "DATAWARD_SPARK_JARS is not set");
        names.extend(has_jars.then_some("spark"));
    }
    for reader in names {
        assert_eq!(answer[reader], answer["pyarrow"], "{reader}");
    }
    answer
}

/// Every reader sees the rows that `verify` counts, and the columns that are published.
fn read(python: &OsStr, archive: &Path, readers: Readers) -> Value {
    let report = verified(archive);
    let answer = answer(python, archive, readers);
    assert_eq!(answer["pyarrow"], report["rows"]);

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
    let rows = read(&python, &archive, Readers::All);
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
        windows.push(read(&python, &archive, Readers::ButSpark)["exposure"].as_u64().unwrap());
    }
    // The scan opens the same windows in both; the second had two before.
    assert_eq!(windows[0] + 2, windows[1]);
}

#[test]
fn foreign_readers_agree_while_a_process_writes() {
    let Some(python) = python() else { return };
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 4);
    let setup = setup(broker, folder.path(), &topic, "");
    let story = story(7, 2_000);
    let enough = AtomicBool::new(false);
    let mut running = Running::start(&setup.run());
    std::thread::scope(|scope| {
        let producing = scope.spawn(|| {
            let sending = Sending::to(broker, &topic);
            let mut sent = 0;
            while !enough.load(Ordering::Relaxed) {
                sending.message(&story.messages[sent % story.messages.len()]);
                sent += 1;
                if sent % 500 == 0 {
                    sending.flush();
                    // A thousand a second or so: commits go on while everybody reads.
                    std::thread::park_timeout(Duration::from_millis(500));
                }
            }
            sending.flush();
            sent
        });
        running.until("something to read", |_| committed(&setup.archive) > 0);
        let events = |answer: &Value| {
            let counts = &answer["pyarrow"];
            let kinds = ["access", "config_change", "authentication", "quarantine"];
            kinds.iter().filter_map(|kind| counts[*kind].as_i64()).sum::<i64>()
        };
        let mut before = 0;
        for readers in [Readers::ButSpark, Readers::All] {
            let at_least = committed(&setup.archive);
            let answer = answer(&python, &setup.archive, readers);
            let (events, at_most) = (events(&answer), committed(&setup.archive));
            assert!((at_least..=at_most).contains(&events), "{at_least} {events} {at_most}");
            assert!(events > before, "it has grown");
            before = events;
        }
        enough.store(true, Ordering::Relaxed);
        let sent = producing.join().unwrap();
        running.until("all of it", |_| committed(&setup.archive) == i64::try_from(sent).unwrap());
    });
    running.terminate().expect(0);
    read(&python, &setup.archive, Readers::ButSpark);
}
