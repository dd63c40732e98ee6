//! The whole job: `dataward run` from its start until every event is committed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_simulation::broker::Broker;

use crate::load::{END, PARTITIONS, Topic};
use crate::process;
use crate::report::Figures;

/// Reads a topic to its end, and looks whether all of it is in the archive.
pub(crate) fn measure(broker: &Broker, topic: &Topic, folder: &Path, raw: &str) -> Figures {
    let (mut child, began) = start(broker, &topic.name, folder, raw, "");
    let output = child.stdout.take().expect("its output");
    let ends = BufReader::new(output).lines().map(|line| line.expect("text"));
    // The removal at the end of a partition is seen after everything before it.
    let seen = ends.filter(|line| line.contains(END)).take(PARTITIONS as usize).count();
    assert_eq!(seen, PARTITIONS as usize, "it has ended before it had read everything");
    let threads = process::threads(&child);
    process::terminate(&child);
    let cost = process::finish(child, began);
    let archive = folder.join("archive");
    let opened = DeltaArchive::open_read_only(&archive, &Options::default()).expect("an archive");
    let committed: i64 = opened.table_progress().iter().map(|(_, next)| next.0).sum();
    assert_eq!(usize::try_from(committed), Ok(topic.events), "everything is committed");
    let figures = Figures { threads, ..Figures::of(&cost, bytes_of_events(&archive)) };
    fs::remove_dir_all(folder).expect("the archive goes");
    figures
}

/// Starts `dataward run` on a topic; `more` are further lines of `[archive]`.
pub(crate) fn start(
    broker: &Broker,
    topic: &str,
    folder: &Path,
    raw: &str,
    more: &str,
) -> (Child, Instant) {
    fs::create_dir_all(folder).expect("a folder");
    let archive = folder.join("archive");
    // A group of its own: its member is static, and a second one would wait until the first one's session is over.
    let group = folder.file_name().expect("a name");
    let config = format!(
        "[archive]\npath = {archive:?}\n{more}\n\
         [kafka]\nbootstrap.servers = {servers:?}\ngroup.id = {group:?}\n\
         [[topics]]\nname = {topic:?}\nsource = \"aws.cloudtrail\"\nraw = {raw:?}\n",
        servers = broker.bootstrap_servers(),
    );
    let path = folder.join("dataward.toml");
    fs::write(&path, config).expect("a configuration");
    process::start(
        Command::new(env!("CARGO_BIN_EXE_dataward"))
            .arg("--config")
            .arg(&path)
            .arg("run")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.join("log.txt")).expect("a log")),
    )
}

/// The files of what happened, in bytes; those of alerts and windows are few.
fn bytes_of_events(archive: &Path) -> u64 {
    let kinds = ["kind=access", "kind=config_change", "kind=authentication"];
    kinds.into_iter().map(|kind| bytes_below(&archive.join(kind))).sum()
}

fn bytes_below(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|file| fs::metadata(PathBuf::from(file.path())).map_or(0, |m| m.len())).sum()
}
