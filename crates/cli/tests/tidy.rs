//! The rules of the house that a compiler does not hold.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataward_event::finding::RuleId;
use dataward_sources::source::Source;

/// Which crate may import which: the picture of the house, arrow by arrow. What is further down may always be imported;
/// edges do not import each other. A new arrow needs a decision.
const ARROWS: [(&str, &[&str]); 13] = [
    ("event", &[]),
    ("ocsf", &["event"]),
    ("sources", &["event", "ocsf"]),
    ("detect", &["event", "ocsf"]),
    ("pipeline", &["event", "ocsf", "sources", "detect"]),
    ("archive", EDGE),
    ("kafka", EDGE),
    ("feed", EDGE),
    ("files", EDGE),
    // The one arrow to an edge: a reader knows what it reads.
    ("query", &["event", "ocsf", "sources", "detect", "pipeline", "archive"]),
    ("server", &["event", "pipeline"]),
    // Beside the edges.
    ("simulation", EDGE),
    (
        "cli",
        &[
            "event",
            "ocsf",
            "sources",
            "detect",
            "pipeline",
            "archive",
            "kafka",
            "feed",
            "files",
            "query",
            "server",
            "simulation",
        ],
    ),
];
const EDGE: &[&str] = &["event", "ocsf", "sources", "detect", "pipeline"];

/// The longest file. CONTRIBUTING says about 500.
const LINES_MAX: usize = 600;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn crates() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(top().join("crates")).unwrap();
    let mut crates: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    crates.retain(|path| path.join("Cargo.toml").is_file());
    crates.sort();
    crates
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// All Rust files below the crates' `src`, with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let folders = crates().into_iter().map(|path| path.join("src"));
    let entries = folders.flat_map(|folder| walkdir::WalkDir::new(folder).into_iter());
    let paths = entries.map(|entry| entry.unwrap().into_path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

#[test]
fn imports_only_point_down() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into();
    for path in crates() {
        let name = name(&path);
        let manifest: toml::Table =
            std::fs::read_to_string(path.join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(format!("dataward-{name}").as_str()));
        let allowed = allowed.get(name.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("{name} has no place in the house"));
        let Some(imported) = manifest.get("dependencies").and_then(toml::Value::as_table) else {
            continue;
        };
        for other in imported.keys().filter_map(|key| key.strip_prefix("dataward-")) {
            assert!(allowed.contains(&other), "{name} must not import {other}");
        }
    }
}

#[test]
fn every_rule_has_its_page() {
    let missing: Vec<&str> = RuleId::ALL
        .iter()
        .map(|rule| rule.as_str())
        .filter(|id| !top().join(format!("docs/rules/{id}.md")).is_file())
        .collect();
    assert_eq!(missing, [""; 0], "no page in docs/rules");
}

#[test]
fn every_page_of_a_rule_has_its_rule() {
    let ids: BTreeSet<String> =
        RuleId::ALL.iter().map(|rule| format!("{}.md", rule.as_str())).collect();
    for entry in std::fs::read_dir(top().join("docs/rules")).unwrap() {
        let page = name(&entry.unwrap().path());
        assert!(page == "README.md" || ids.contains(&page), "docs/rules/{page} is of no rule");
    }
}

#[test]
fn every_source_has_its_page() {
    let pages = Source::ALL.iter().filter_map(|source| source.reference());
    let missing: Vec<&str> = pages.filter(|page| !top().join(page).is_file()).collect();
    assert_eq!(missing, [""; 0], "no such page");
}

/// What the decoders name, the detector knows, and the other way round.
#[test]
fn the_decoders_and_the_catalogue_agree() {
    let emitted: BTreeMap<_, _> = dataward_sources::catalogue_rows::emitted()
        .map(|row| (row.id, (row.control, row.setting)))
        .collect();
    let catalogue: BTreeMap<_, _> = dataward_detect::catalogue::rows()
        .map(|row| (row.id, (row.control, row.setting)))
        .collect();
    assert_eq!(emitted, catalogue);
}

#[test]
fn every_row_of_the_catalogue_belongs_to_a_source() {
    for row in dataward_detect::catalogue::rows() {
        assert!(Source::parse(row.source).is_some(), "{} is of {}", row.id, row.source);
    }
}

#[test]
fn files_are_short() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn lints_are_silenced_with_a_reason_only() {
    for (path, text) in sources() {
        for attribute in ["#[allow(", "#![allow("] {
            assert!(!text.contains(attribute), "{}: {attribute}…", path.display());
        }
    }
}
