//! `query`: SQL over an archive, from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::archive::{contents, parquet_files};
use crate::support::process::{Finished, Running, dataward, text, write};
use crate::support::story::story;

const COUNTS: &str = "SELECT kind, count(*) AS rows FROM archive GROUP BY kind ORDER BY kind";

pub(crate) fn archive_in(folder: &Path) -> PathBuf {
    let archive = folder.join("archive");
    let file = write(folder, "story.ndjson", story(7, 300).ndjson());
    let arguments =
        ["scan", "--source", "aws.cloudtrail", "--archive", &text(&archive), &text(&file)];
    dataward(&arguments).expect(0);
    archive
}

fn query(archive: &Path, arguments: &[&str]) -> Finished {
    dataward(&[&["query", "--archive", &text(archive)], arguments].concat())
}

#[test]
fn it_counts_what_the_archive_holds() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let finished = query(&archive, &[COUNTS]).expect(0);
    let counts: BTreeMap<String, u64> = finished
        .lines()
        .iter()
        .map(|row| (row["kind"].as_str().unwrap().to_owned(), row["rows"].as_u64().unwrap()))
        .collect();
    let held = contents(&archive);
    let events = ["access", "config_change", "authentication"];
    let events = events.iter().filter_map(|kind| counts.get(*kind)).sum::<u64>();
    assert_eq!(usize::try_from(events).unwrap(), held.events.len());
    assert_eq!(usize::try_from(counts["alert"]).unwrap(), held.alerts.len());
    let files = parquet_files(&archive).len();
    let effort = format!("{} rows; {files} of {files} files read, ", counts.len());
    assert!(finished.stderr.contains(&effort), "{}", finished.stderr);
}

#[test]
fn every_format_has_the_columns_in_the_order_of_the_question() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let sql = "SELECT 'z' AS z, 1 AS a, CAST(NULL AS TEXT) AS n, '=1+2' AS f, 'x;y' AS s, -5 AS m, \
               '\u{1b}[31m' AS e";
    let out = |format: &str| query(&archive, &[sql, "--format", format]).expect(0).stdout;
    let line = "{\"z\":\"z\",\"a\":1,\"n\":null,\"f\":\"=1+2\",\"s\":\"x;y\",\"m\":-5,\"e\":\"\\u001b[31m\"}";
    assert_eq!(out("ndjson"), format!("{line}\n"));
    assert_eq!(query(&archive, &[sql]).expect(0).stdout, out("ndjson"), "in a pipe");
    let document: Value = serde_json::from_str(&out("json")).unwrap();
    assert_eq!(document, json!([serde_json::from_str::<Value>(line).unwrap()]));
    assert_eq!(out("csv"), "z,a,n,f,s,m,e\nz,1,,'=1+2,\"x;y\",-5,\u{1b}[31m\n");
    assert_eq!(out("table"), "z  a  n  f     s    m   e\nz  1     =1+2  x;y  -5  \u{fffd}[31m\n");

    let nothing = "SELECT kind FROM archive WHERE kind = 'none'";
    let out = |format: &str| query(&archive, &[nothing, "--format", format]).expect(0).stdout;
    assert_eq!((out("ndjson"), out("table")), (String::new(), String::new()));
    assert_eq!((out("json").as_str(), out("csv").as_str()), ("[]\n", "kind\n"));
}

#[test]
fn the_question_may_come_from_a_file() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let file = text(&write(folder.path(), "question.sql", format!("-- all kinds\n{COUNTS};\n")));
    let by_file = query(&archive, &["--file", &file]).expect(0).stdout;
    assert_eq!(by_file, query(&archive, &[COUNTS]).expect(0).stdout);
    let missing = text(&folder.path().join("none.sql"));
    let finished = query(&archive, &["--file", &missing]).expect(3);
    assert!(finished.stderr.contains("none.sql"), "{}", finished.stderr);
    // Standard input is empty here.
    query(&archive, &["-"]).expect(2);
    query(&archive, &[]).expect(2);
    query(&archive, &[COUNTS, "--file", &file]).expect(2);
}

#[test]
fn what_goes_wrong_has_its_exit_code() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    for (arguments, code, told) in [
        (&["SELECT actor FROM events"][..], 2, "actor_name"),
        (&["SELECT * FROM reads"], 2, "there is no view reads; there are events"),
        (&["DROP TABLE events"], 2, "DROP is refused"),
        (&["SELECT kind FROM archive", "--max-rows", "3"], 2, "more than 3 rows"),
        (
            &["SELECT sum(value % 7) FROM generate_series(1, 9000000000000)", "--timeout", "1"],
            2,
            "1 s",
        ),
        (&[COUNTS, "--version", "999"], 3, "no version 999"),
        (&[COUNTS, "--timeout", "0"], 2, "--timeout"),
    ] {
        let finished = query(&archive, arguments).expect(code);
        assert!(finished.stderr.contains(told), "{told}: {}", finished.stderr);
    }
    // What was printed before the limit is true, and no document.
    let arguments = ["SELECT kind FROM archive", "--max-rows", "3", "--format", "json"];
    let cut = query(&archive, &arguments).expect(2).stdout;
    assert!(serde_json::from_str::<Value>(&cut).is_err(), "{cut}");
    let nothing = folder.path().join("nothing");
    let finished = query(&nothing, &[COUNTS]).expect(3);
    assert!(finished.stderr.contains("there is no archive"), "{}", finished.stderr);
    assert!(!nothing.exists());
}

#[test]
fn a_damaged_file_is_a_broken_promise() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let file = parquet_files(&archive).into_iter().find(|file| text(file).contains("kind=access"));
    let file = file.unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let sql = "SELECT count(*) FROM access";
    let finished = query(&archive, &[sql]).expect(5);
    assert!(finished.stderr.contains(name), "{}", finished.stderr);
    std::fs::remove_file(&file).unwrap();
    let finished = query(&archive, &[sql]).expect(5);
    assert!(finished.stderr.contains(name), "{}", finished.stderr);
    assert!(finished.stderr.contains("is missing"), "{}", finished.stderr);
}

#[test]
fn who_interrupts_a_question_is_told_that_the_answer_is_not_whole() {
    let folder = TempDir::new().unwrap();
    let archive = text(&archive_in(folder.path()));
    let endless = "SELECT value FROM generate_series(1, 9000000000000)";
    let arguments = ["query", "--archive", &archive, "--max-rows", "9000000000000", endless];
    let mut running = Running::start(&arguments);
    running.until("the first rows", |running| !running.stdout().is_empty());
    let finished = running.terminate().expect(4);
    assert!(finished.stderr.contains("not whole"), "{}", finished.stderr);
}

#[test]
fn an_archive_may_be_named_by_a_way_round() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let round = folder.path().join("archive/../archive");
    assert_eq!(
        query(&round, &[COUNTS]).expect(0).stdout,
        query(&archive, &[COUNTS]).expect(0).stdout
    );
}

#[test]
fn what_is_no_archive_is_bad_input_whether_it_is_there_or_not() {
    let folder = TempDir::new().unwrap();
    let file = crate::support::process::write(folder.path(), "file", "no archive");
    for place in [folder.path().to_owned(), folder.path().join("nothing"), file] {
        let finished = query(&place, &["SELECT 1"]).expect(3);
        assert!(finished.stderr.contains("there is no archive at"), "{}", finished.stderr);
    }
}

#[test]
fn a_name_of_a_column_is_no_formula_either() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let finished = query(&archive, &["--format", "csv", "SELECT 1 AS \"=cmd()\""]).expect(0);
    assert_eq!(finished.stdout, "'=cmd()\n1\n");
}
