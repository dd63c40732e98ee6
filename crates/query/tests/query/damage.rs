//! A file that is not the one that was committed ends the question, and is named.

use std::path::Path;

use dataward_query::engine::Options;
use dataward_query::error::QueryError;

use crate::support::*;

const SQL: &str = "SELECT actor_name, raw FROM access ORDER BY event_time";

fn place() -> Place {
    let mut place = Place::new();
    for day in 0..3 {
        let events: Vec<Event> =
            (0..200).map(|n| read(START + day * DAY + n, "alice", "payments")).collect();
        place.events(START + day * DAY, &events);
    }
    place
}

fn name(file: &Path) -> String {
    file.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The question fails and names the file.
fn broken(place: &Place, file: &Path, options: Options, why: &str) {
    let file = name(file);
    let engine = engine(&place.archive(), options).unwrap();
    let error = refusal(&engine, SQL);
    assert!(matches!(error, QueryError::Broken(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&file) && text.contains(why), "{text}");
}

#[test]
fn a_file_of_another_size_is_named() {
    let place = place();
    let file = &place.files("access")[1];
    let whole = std::fs::read(file).unwrap();
    std::fs::write(file, &whole[..whole.len() / 2]).unwrap();
    broken(&place, file, Options::default(), "were committed");
    std::fs::write(file, [&whole[..], b"more"].concat()).unwrap();
    broken(&place, file, Options::default(), "were committed");
    std::fs::write(file, b"").unwrap();
    broken(&place, file, Options::default(), "it has 0 bytes");
}

#[test]
fn a_file_that_is_missing_is_named_even_where_only_rows_are_counted() {
    let place = place();
    let file = &place.files("access")[1];
    std::fs::remove_file(file).unwrap();
    broken(&place, file, Options::default(), "it is missing");
    let error = refusal(&place.engine(), "SELECT count(*) FROM access");
    assert!(error.to_string().contains(&name(file)), "{error}");
    // Who does not need it is not held up.
    let sql = format!("SELECT count(*) FROM access WHERE event_time < '{}'", at(START + DAY));
    assert_eq!(cell(&place.engine(), &sql), 200);
}

#[test]
fn an_altered_file_of_the_same_size_is_named_where_it_is_met() {
    let place = place();
    let file = &place.files("access")[1];
    let whole = std::fs::read(file).unwrap();
    // Its footer.
    let mut altered = whole.clone();
    let footer = altered.len() - 40;
    altered[footer..].fill(0xff);
    std::fs::write(file, &altered).unwrap();
    broken(&place, file, Options::default(), "not those that were committed");
}

#[test]
fn a_thorough_question_finds_every_altered_byte() {
    let place = place();
    let file = &place.files("access")[1];
    let whole = std::fs::read(file).unwrap();
    for at in (4..whole.len()).step_by(whole.len() / 23) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        std::fs::write(file, &altered).unwrap();
        let options = Options { is_thorough: true, ..Options::default() };
        broken(&place, file, options, "not those that were committed");
    }
    std::fs::write(file, &whole).unwrap();
    let options = Options { is_thorough: true, ..Options::default() };
    let engine = engine(&place.archive(), options).unwrap();
    assert_eq!(rows(&engine, SQL).len(), 600);
}

#[test]
fn a_commit_that_is_not_as_it_was_ends_every_question() {
    let place = place();
    let log = place.archive().join("_delta_log/00000000000000000002.json");
    let whole = std::fs::read_to_string(&log).unwrap();
    let without_files: String = whole
        .lines()
        .filter(|line| !line.contains("\"add\""))
        .map(|l| l.to_owned() + "\n")
        .collect();
    assert_ne!(whole, without_files);
    for altered in ["", without_files.as_str()] {
        std::fs::write(&log, altered).unwrap();
        let error = engine(&place.archive(), Options::default()).unwrap_err().to_string();
        assert!(error.contains("commit 2") && error.contains("run verify"), "{error}");
    }
    std::fs::write(&log, "{\"bad").unwrap();
    let error = engine(&place.archive(), Options::default()).unwrap_err().to_string();
    assert!(error.lines().count() == 1 && error.contains("run verify"), "{error}");
    std::fs::write(&log, whole).unwrap();
    let engine = engine(&place.archive(), Options::default()).unwrap();
    assert_eq!(rows(&engine, SQL).len(), 600);
}

#[test]
fn without_an_archive_or_its_log_there_is_no_engine() {
    let place = place();
    let nothing = place.archive().join("nothing");
    assert!(matches!(engine(&nothing, Options::default()), Err(QueryError::Archive(_))));
    let log = place.archive().join("_delta_log/00000000000000000003.json");
    std::fs::remove_file(log).unwrap();
    let error = engine(&place.archive(), Options::default()).unwrap_err();
    assert!(error.to_string().contains("commit 3"), "{error}");
}
