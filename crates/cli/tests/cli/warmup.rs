//! `warmup`: what is usual is known before the first record; and `alerts`: what people say of what was found.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cloudtrail::{DAY, MINUTE, MONDAY, get_object};
use crate::support::process::{Finished, dataward, text, write};

const PEOPLE: [&str; 6] = ["ada", "bob", "cyd", "dan", "eve", "fay"];

/// Somebody gets an object of the bucket of orders.
fn record(uid: &str, micros: i64, name: &str, key: &str, bytes: u64) -> String {
    get_object(uid, micros, name, "orders", key, bytes)
}

/// Five weeks of six people at work, in a file a week.
fn history(folder: &Path) -> Vec<PathBuf> {
    let mut weeks = Vec::new();
    for week in 0..5 {
        let mut lines = String::new();
        for day in (0..5).map(|day| week * 7 + day) {
            for (hour, name) in (8..16).flat_map(|hour| PEOPLE.map(|name| (hour, name))) {
                let time = MONDAY + day * DAY + hour * 60 * MINUTE;
                let bytes = 40_960 + 1_024 * (day as u64 % 7 + 3 * hour as u64);
                let key = format!("key-{hour}");
                lines += &record(&format!("{name}-{day}-{hour}"), time, name, &key, bytes);
            }
        }
        weeks.push(write(folder, &format!("week-{week}.ndjson"), lines));
    }
    weeks
}

/// On the Monday after the five weeks ada takes all there is, and bob works.
fn attack(folder: &Path) -> PathBuf {
    let time = MONDAY + 35 * DAY + 9 * 60 * MINUTE;
    let mut lines = record("bob-35", time, "bob", "key-9", 70_000);
    for number in 0..200 {
        let (uid, key) = (format!("dump-{number}"), format!("whole-{number}"));
        lines += &record(&uid, time + number * 1_000_000, "ada", &key, 20 << 20);
    }
    write(folder, "attack.ndjson", lines)
}

fn run(command: &[&str], archive: &Path, files: &[PathBuf]) -> Finished {
    let mut arguments: Vec<String> = command.iter().map(|&argument| argument.to_owned()).collect();
    arguments.extend(["--archive".to_owned(), text(archive)]);
    arguments.extend(files.iter().map(|file| text(file)));
    dataward(&arguments)
}

const SCAN: [&str; 3] = ["scan", "--source", "aws.cloudtrail"];
const WARMUP: [&str; 3] = ["warmup", "--source", "aws.cloudtrail"];

/// The rules and the names of those that are told of.
fn told(finished: Finished) -> Vec<(String, String)> {
    let alerts = finished.expect(0).lines();
    let created = alerts.iter().filter(|alert| alert["activity_id"] == 1);
    created
        .map(|alert| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let user = &alert["evidences"][0]["actor"]["user"]["name"];
            (text(&alert["finding_info"]["analytic"]["uid"]), text(user))
        })
        .collect()
}

#[test]
fn what_is_usual_is_known_from_files_before_the_first_record() {
    let folder = TempDir::new().unwrap();
    let (weeks, attack) = (history(folder.path()), attack(folder.path()));
    let cold = folder.path().join("cold");
    assert_eq!(told(run(&SCAN, &cold, std::slice::from_ref(&attack))), [], "nothing is usual yet");

    let warm = folder.path().join("warm");
    let learned = run(&WARMUP, &warm, &weeks).expect(0);
    assert_eq!(learned.stdout, "", "nothing is told of the past");
    assert!(
        learned.stderr.contains("learned from 1200 events of 33 days, 2026-03-02T08:00:00Z to")
            && learned.stderr.contains("6 actors, 1 datastores, 6 pairs"),
        "{}",
        learned.stderr
    );
    let found = told(run(&SCAN, &warm, std::slice::from_ref(&attack)));
    assert_eq!(found, [("read.bulk".to_owned(), "ada".to_owned())]);
    let rows =
        "SELECT operator_operation, detail FROM operators WHERE operator_operation = 'warmup'";
    let rows = dataward(&["query", "--archive", &text(&warm), rows]).expect(0).lines();
    assert!(rows[0]["detail"].as_str().unwrap().contains("\"events\":1200"), "{rows:?}");
    dataward(&["verify", "--archive", &text(&warm)]).expect(0);
    let explained = ["explain", "--actor", "ada", "--format", "json", "--archive", &text(&warm)];
    let whole = dataward(&explained).expect(0).stdout;
    let portrait: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(portrait[0]["first_day"], "2026-03-02", "lessons are part of what is known");
    // By all rows it is the same: those, too, stand on the lessons.
    let by_rows = dataward(&[&explained[..], &["--at", "2027-01-01"]].concat()).expect(0).stdout;
    assert_eq!(by_rows, whole);

    // Order and packing of the files do not matter, and lessons can be taken again.
    let again = folder.path().join("again");
    let backwards: Vec<PathBuf> = weeks.iter().rev().cloned().collect();
    run(&WARMUP, &again, &backwards[..2]).expect(0);
    run(&WARMUP, &again, &backwards).expect(0);
    assert_eq!(told(run(&SCAN, &again, &[attack])), found);
}

#[test]
fn what_is_usual_is_known_from_the_archive_itself() {
    let folder = TempDir::new().unwrap();
    let (weeks, attack) = (history(folder.path()), attack(folder.path()));
    let archive = folder.path().join("archive");
    run(&SCAN, &archive, &weeks).expect(0);
    let learned = run(&["warmup"], &archive, &[]).expect(0).stderr;
    assert!(learned.contains("learned from 1200 events of 33 days"), "{learned}");
    let found = told(run(&SCAN, &archive, &[attack]));
    assert_eq!(found, [("read.bulk".to_owned(), "ada".to_owned())]);
    dataward(&["verify", "--archive", &text(&archive)]).expect(0);

    let until = ["warmup", "--until", "2026-03-04"];
    let cut = run(&until, &archive, &[]).expect(0).stderr;
    assert!(cut.contains("learned from 96 events of 2 days"), "{cut}");
    assert!(cut.contains("1305 events are at or after --until"), "{cut}");
}

#[test]
fn lessons_that_teach_nothing_are_an_error() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    let empty = write(folder.path(), "other.ndjson", "{\"no\": \"record\"}\n");
    let nothing = run(&WARMUP, &archive, std::slice::from_ref(&empty)).expect(3).stderr;
    assert!(nothing.contains("other.ndjson: byte 0, part 0"), "{nothing}");
    assert!(nothing.contains("nothing was learned: none of 0 events is a read"), "{nothing}");
    let missing = folder.path().join("none.ndjson");
    assert!(run(&WARMUP, &archive, &[missing]).expect(3).stderr.contains("none.ndjson"));
    let nowhere = run(&["warmup"], &folder.path().join("nowhere"), &[]).expect(3).stderr;
    assert!(nowhere.contains("there is no archive at"), "{nowhere}");
    let never = folder.path().join("never");
    run(&WARMUP, &never, &[folder.path().join("none.ndjson")]).expect(3);
    assert!(!never.exists(), "what cannot be found leaves nothing behind");
    run(&["warmup"], &archive, &[empty]).expect(2);
    run(&["warmup", "--source", "aws.cloudtrail"], &archive, &[]).expect(2);
}

#[test]
fn a_verdict_is_added_to_the_context_and_lowers_what_is_like_it() {
    let folder = TempDir::new().unwrap();
    let archive = folder.path().join("archive");
    run(&WARMUP, &archive, &history(folder.path())).expect(0);
    let first = run(&SCAN, &archive, &[attack(folder.path())]).expect(0).lines();
    let uid = first[0]["finding_info"]["uid"].as_str().unwrap().to_owned();
    assert_eq!(first[0]["severity_id"], 4);
    let context = write(folder.path(), "context.toml", "# ours\n");
    let say = |command: &[&str], uid: &str| {
        let places = ["--archive", &text(&archive), "--context", &text(&context)];
        let who = ["--reason", "the quarter's books", "--owner", "ada's team"];
        dataward(&[&["alerts"], command, &[uid], &places, &who].concat())
    };
    let unknown = say(&["confirm"], "0f3c").expect(3).stderr;
    assert!(unknown.contains("the archive has no finding 0f3c"), "{unknown}");
    let past = say(&["expect", "--until", "2026-04-01"], &uid).expect(2).stderr;
    assert!(past.contains("--until must be after the finding"), "{past}");
    let said = say(&["expect", "--until", "2026-07-01", "--of-actor"], &uid).expect(0).stderr;
    assert!(said.contains("now says that it is expected"), "{said}");
    let written = std::fs::read_to_string(&context).unwrap();
    assert!(
        written.starts_with("# ours\n\n[[verdicts]]\n") && written.contains("channel = \"acute\""),
        "{written}"
    );

    // Another such day of ada, by another file: it is told mildly, and what was said stands in the archive.
    let mut lines = String::new();
    let time = MONDAY + 36 * DAY + 9 * 60 * MINUTE;
    for number in 0..200 {
        let (uid, key) = (format!("more-{number}"), format!("more-{number}"));
        lines += &record(&uid, time + number * 1_000_000, "ada", &key, 20 << 20);
    }
    let more = write(folder.path(), "more.ndjson", lines);
    let with = ["scan", "--source", "aws.cloudtrail", "--context", &text(&context)];
    let mild = run(&with, &archive, &[more]).expect(0).lines();
    assert!(!mild.is_empty() && mild.iter().all(|alert| alert["severity_id"] == 2), "{mild:?}");
    let rows =
        "SELECT operator_operation, detail FROM operators WHERE operator_operation LIKE 'verdict%'";
    let rows = dataward(&["query", "--archive", &text(&archive), rows]).expect(0).lines();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row["operator_operation"], "verdict");
    let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["finding"], &detail["owner"]), (&json!(uid), &json!("ada's team")));

    // Of what is no unusual read nothing can be learned, and without a place to write nothing is said.
    dataward(&["alerts", "confirm", &uid, "--reason", "r", "--owner", "o"]).expect(2);
}
