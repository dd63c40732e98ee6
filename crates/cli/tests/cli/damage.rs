//! Damage to an archive: `verify` ends with 5 and names it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::archive::{commits, copy, parquet_files, verified, verify};
use crate::support::process::{dataward, text, write};
use crate::support::story::story;

/// An archive of two scans.
fn archive_in(folder: &Path) -> PathBuf {
    let archive = folder.join("archive");
    for seed in [1, 2] {
        let file = write(folder, &format!("{seed}.ndjson"), story(seed, 100).ndjson());
        scan(&archive, &file);
    }
    verified(&archive);
    archive
}

fn scan(archive: &Path, file: &Path) {
    let archive = text(archive);
    dataward(&["scan", "--source", "aws.cloudtrail", "--archive", &archive, &text(file)]).expect(0);
}

/// Damages a copy of the archive; `verify` must say `expected`.
fn damaged(archive: &Path, file: &Path, damage: impl Fn(&Path), expected: &str) {
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("archive");
    copy(archive, &other);
    damage(&other.join(file.strip_prefix(archive).unwrap()));
    let finished = verify(&other).expect(5);
    assert!(finished.stderr.contains(expected), "{expected}: {}", finished.stderr);
    assert!(finished.stdout.contains("\"problems\""), "{}", finished.stdout);
}

fn remove(file: &Path) {
    std::fs::remove_file(file).unwrap();
}

fn flip(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[at] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn an_altered_or_missing_data_file_is_named() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let files = parquet_files(&archive);
    assert!(files.len() >= 6, "{files:?}");
    for (number, file) in files.iter().enumerate() {
        let name = file.file_name().unwrap().to_str().unwrap();
        let size = usize::try_from(std::fs::metadata(file).unwrap().len()).unwrap();
        // Another place in each: its first byte, its last, and somewhere between.
        let at = [0, size - 1, size / 2, size / 3][number % 4];
        let altered = format!("{name} was altered");
        damaged(&archive, file, |file| flip(file, at), &altered);
        damaged(&archive, file, remove, &format!("{name} is missing"));
    }
}

#[test]
fn a_missing_or_altered_commit_is_named() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let commits = commits(&archive);
    let (newest, middle) = (commits.len() - 1, commits.len() / 2);
    assert!(middle > 0 && middle < newest, "{commits:?}");
    for version in [0, middle, newest] {
        let expected = format!("commit {version} is missing");
        damaged(&archive, &commits[version], remove, &expected);
        // A blank after it changes nothing but the bytes.
        let blank = |file: &Path| {
            let mut bytes = std::fs::read(file).unwrap();
            bytes.insert(1, b' ');
            std::fs::write(file, bytes).unwrap();
        };
        damaged(&archive, &commits[version], blank, &format!("commit {version} was altered"));
    }
}

#[test]
fn a_table_that_was_cut_back_is_behind_its_head() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    let newest = commits(&archive).len() - 1;
    let other = folder.path().join("cut");
    copy(&archive, &other);
    for commit in &commits(&other)[newest - 1..] {
        remove(commit);
    }
    let finished = verify(&other).expect(5);
    for version in [newest - 1, newest] {
        let expected = format!("commit {version} is missing");
        assert!(finished.stderr.contains(&expected), "{expected}: {}", finished.stderr);
    }
    // And nobody writes to it.
    let file = write(folder.path(), "3.ndjson", story(3, 100).ndjson());
    let other = text(&other);
    dataward(&["scan", "--source", "aws.cloudtrail", "--archive", &other, &text(&file)]).expect(5);
}

#[test]
fn a_scan_into_a_table_without_its_first_commit_ends_with_the_name_of_the_file() {
    let folder = TempDir::new().unwrap();
    let archive = archive_in(folder.path());
    remove(&commits(&archive)[0]);
    let file = write(folder.path(), "3.ndjson", story(3, 100).ndjson());
    let archive = text(&archive);
    let arguments = ["scan", "--source", "aws.cloudtrail", "--archive", &archive, &text(&file)];
    let finished = dataward(&arguments).expect(5);
    let named = "_delta_log/00000000000000000000.json";
    assert!(finished.stderr.contains(named), "{}", finished.stderr);
}

#[test]
fn where_there_is_no_archive_verify_says_so() {
    let folder = TempDir::new().unwrap();
    let nothing = folder.path().join("nothing");
    let finished = verify(&nothing).expect(3);
    assert!(finished.stderr.contains("there is no archive"), "{}", finished.stderr);
}
