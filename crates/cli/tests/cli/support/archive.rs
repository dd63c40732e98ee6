//! What an archive holds, by `verify` and by its own reader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_event::finding::RuleId;
use dataward_event::position::{Offset, Partition};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{Archive, Replayed};
use serde_json::Value;

use super::process::{Finished, dataward, text};

/// Everything of an archive that tests compare. Positions are (partition, offset, record index).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) events: Vec<((String, i64, u32), String)>,
    pub(crate) quarantine: Vec<((String, i64, u32), &'static str)>,
    pub(crate) alerts: BTreeSet<String>,
    pub(crate) findings: BTreeSet<(String, String)>,
}

impl Contents {
    pub(crate) fn distinct_uids(&self) -> usize {
        self.events.iter().map(|(_, uid)| uid).collect::<BTreeSet<_>>().len()
    }

    /// How many quarantine rows there are of each reason.
    pub(crate) fn reasons(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for (_, reason) in &self.quarantine {
            *counts.entry(*reason).or_default() += 1;
        }
        counts
    }
}

/// Reads an archive back, to the last row.
pub(crate) fn contents(archive: &Path) -> Contents {
    let mut archive = DeltaArchive::open_read_only(archive, &Options::default()).unwrap();
    let partitions: Vec<Partition> =
        archive.table_progress().iter().map(|(partition, _)| partition.clone()).collect();
    let (mut events, mut quarantine) = (Vec::new(), Vec::new());
    let place =
        |p: &dataward_event::position::Position| (p.partition.path(), p.offset.0, p.record_index);
    for partition in &partitions {
        archive
            .replay(partition, Offset(0), &mut |row| match row {
                Replayed::Event(row) => {
                    events.push((place(&row.position), row.event.uid.clone().into_owned()));
                }
                Replayed::Quarantine { position, reason } => {
                    quarantine.push((place(&position), reason.as_str()));
                }
            })
            .unwrap();
    }
    let alerts = archive.alerts_of(&partitions).unwrap();
    Contents {
        events,
        quarantine,
        findings: not_withdrawn(&alerts),
        alerts: alerts.iter().map(|alert| alert.uid.clone()).collect(),
    }
}

/// The findings of events (rule and uid) whose last word is not that they are withdrawn: what happened to the archive or
/// to a process is not in the events.
fn not_withdrawn(alerts: &[Alert]) -> BTreeSet<(String, String)> {
    let mut standing = BTreeSet::new();
    for alert in alerts {
        let finding = (alert.rule.as_str().to_owned(), alert.finding_uid.clone());
        if alert.rule.as_str().starts_with("archive.") || alert.rule == RuleId::RuleFailed {
            continue;
        }
        if alert.json.contains("\"superseded\"") {
            standing.remove(&finding);
        } else {
            standing.insert(finding);
        }
    }
    standing
}

/// How many offsets of Kafka the table has; 0 while there is no table.
pub(crate) fn committed(archive: &Path) -> i64 {
    let Ok(archive) = DeltaArchive::open_read_only(archive, &Options::default()) else { return 0 };
    archive.table_progress().iter().map(|(_, next)| next.0).sum()
}

/// `verify`, whatever it finds.
pub(crate) fn verify(archive: &Path) -> Finished {
    dataward(&["verify", "--format", "json", "--archive", &text(archive)])
}

/// `verify`, which must find the archive whole.
pub(crate) fn verified(archive: &Path) -> Value {
    serde_json::from_str(&verify(archive).expect(0).stdout).unwrap()
}

/// The sum of a number over all partitions of a report.
pub(crate) fn total(report: &Value, key: &str) -> u64 {
    report["partitions"].as_array().unwrap().iter().map(|p| p[key].as_u64().unwrap()).sum()
}

/// The version of the table: how many commits there were.
pub(crate) fn version(archive: &Path) -> u64 {
    DeltaArchive::open_read_only(archive, &Options::default()).unwrap().version()
}

/// The data files, sorted.
pub(crate) fn parquet_files(archive: &Path) -> Vec<PathBuf> {
    files(archive, |path| {
        path.extension().is_some_and(|extension| extension == "parquet")
            && !path.components().any(|part| part.as_os_str() == "_delta_log")
    })
}

/// The commits, sorted.
pub(crate) fn commits(archive: &Path) -> Vec<PathBuf> {
    files(&archive.join("_delta_log"), |path| {
        path.extension().is_some_and(|extension| extension == "json")
    })
}

/// Files that are wanted. One that goes while we look was not there.
fn files(folder: &Path, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    let paths =
        entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    let mut files: Vec<PathBuf> = paths.filter(|path| is_wanted(path)).collect();
    files.sort();
    files
}

/// An archive and its state, copied.
pub(crate) fn copy(archive: &Path, to: &Path) {
    for (from, to) in [(archive.to_owned(), to.to_owned()), (state(archive), state(to))] {
        for entry in walkdir::WalkDir::new(&from) {
            let entry = entry.unwrap();
            let target = to.join(entry.path().strip_prefix(&from).unwrap());
            if entry.file_type().is_dir() {
                std::fs::create_dir_all(&target).unwrap();
            } else {
                std::fs::copy(entry.path(), &target).unwrap();
            }
        }
    }
}

/// The folder of an archive's state, which lies beside it.
fn state(archive: &Path) -> PathBuf {
    let mut name = archive.file_name().unwrap().to_owned();
    name.push(".state");
    archive.with_file_name(name)
}
