//! `scan`: the same loop over files.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use dataward_archive::delta_archive::DeltaArchive;
use dataward_event::position::Partition;
use dataward_feed::stream::StreamSink;
use dataward_files::input::{self, InputFile};
use dataward_files::source::FileSource;
use dataward_pipeline::archive::{Archive, Known};
use dataward_pipeline::ephemeral::EphemeralArchive;
use dataward_pipeline::runner::{Ended, RunError};
use dataward_pipeline::settings::{RawPolicy, Settings, TopicSettings};
use dataward_pipeline::tally::Tally;
use dataward_sources::source::Source;

use crate::args::Scan;
use crate::exit::{Exit, Failure, Outcome};
use crate::{config, progress, wiring};

/// Runs the command.
pub(crate) fn run(args: &Scan) -> Outcome {
    let source = config::source(&args.source).map_err(|e| Failure::text(Exit::Usage, e))?;
    let files = find(args, source)?;
    let mut settings = settings(source);
    if let Some(path) = &args.context {
        let context = config::context(path).map_err(|e| Failure::text(Exit::Usage, e))?;
        settings.context = Some(Arc::new(context));
    }
    let tally = match &args.archive {
        None => scan(files.clone(), EphemeralArchive, settings, &wiring::stop_flag()?)?,
        Some(path) => {
            let lease = wiring::take_lease(path, "scan into the archive")?;
            let stop = wiring::stop_flag()?;
            let mut archive = wiring::open_archive(path, &stop)?;
            let todo = not_yet_scanned(&mut archive, &files)?;
            let known_alerts = reprint(&mut archive, &files)?;
            let tally = if todo.is_empty() {
                Tally::default()
            } else {
                scan(todo.clone(), archive, settings, &stop)?
            };
            drop(lease);
            let known = files.len() - todo.len();
            if known > 0 {
                eprintln!(
                    "{known} of {} files were in the archive already, with {known_alerts} alerts",
                    files.len()
                );
            }
            tally
        }
    };
    summary(&files, &tally);
    Ok(Exit::Done)
}

fn find(args: &Scan, source: Source) -> Result<Vec<InputFile>, Failure> {
    let bar = progress::bar(0, "{spinner} examining files: {pos} ({binary_bytes} read)");
    let files = input::find(&args.files, source, |file| {
        bar.inc_length(file.bytes);
        bar.inc(1);
    });
    bar.finish_and_clear();
    files.map_err(|error| Failure::new(Exit::Input, error))
}

fn settings(source: Source) -> Settings {
    let topic = TopicSettings::new(source, RawPolicy::All);
    config::default_settings(BTreeMap::from([(Partition::FILE_PREFIX.to_owned(), topic)]))
}

/// Files whose last byte is not in the archive yet.
fn not_yet_scanned(
    archive: &mut DeltaArchive,
    files: &[InputFile],
) -> Result<Vec<InputFile>, Failure> {
    let partitions: Vec<Partition> = files.iter().map(|file| file.partition.clone()).collect();
    let known = archive.look_up(&partitions)?;
    let is_whole = |file: &&InputFile| {
        let next = match known.get(&file.partition) {
            Some(Known::At(next)) => u64::try_from(next.0).unwrap_or(0),
            _ => return false,
        };
        next >= file.bytes
    };
    Ok(files.iter().filter(|file| !is_whole(file)).cloned().collect())
}

/// Prints what the archive already knows of these files, in the words of then.
fn reprint(archive: &mut DeltaArchive, files: &[InputFile]) -> Result<usize, Failure> {
    let partitions: Vec<Partition> = files.iter().map(|file| file.partition.clone()).collect();
    let mut stdout = std::io::stdout().lock();
    let alerts = archive.alerts_of(&partitions)?;
    for alert in &alerts {
        writeln!(stdout, "{}", alert.json)?;
    }
    stdout.flush()?;
    Ok(alerts.len())
}

fn scan<A: Archive + Send + 'static>(
    files: Vec<InputFile>,
    archive: A,
    settings: Settings,
    stop: &Arc<AtomicBool>,
) -> Result<Tally, Failure> {
    let clock = wiring::clock();
    let bytes = files.iter().map(|file| file.bytes).sum();
    let bar =
        progress::bar(bytes, "{spinner} {binary_bytes} of {binary_total_bytes} {wide_bar} {eta}");
    let theirs = bar.clone();
    let mut done = BTreeMap::new();
    let source = FileSource::new(files, Arc::clone(&clock));
    let sink = StreamSink::new("scan", std::io::stdout());
    let mut runner = wiring::runner(source, archive, 1, vec![Box::new(sink)], settings, clock)?
        .watched(move |status| {
            done.extend(status.committed.iter().map(|(file, next)| (file.clone(), next.0)));
            theirs.set_position(u64::try_from(done.values().sum::<i64>()).unwrap_or(0));
        });
    let ended = runner.run(stop).map_err(|error| match error {
        // Here the source is the user's files.
        RunError::Source(error) => Failure::new(Exit::Input, error),
        other => other.into(),
    })?;
    bar.finish_and_clear();
    match ended {
        Ended::SourceEnded => Ok(runner.status().tally.clone()),
        Ended::Stopped | Ended::GaveUp => {
            let text = "interrupted; the same command continues where it stopped";
            Err(Failure::text(Exit::World, text))
        }
        Ended::Fenced => {
            Err(Failure::text(Exit::World, "another process has taken the archive over"))
        }
    }
}

fn summary(files: &[InputFile], tally: &Tally) {
    eprintln!(
        "{} files; new: {} records, {} events, {} alerts",
        files.len(),
        tally.records,
        tally.events,
        tally.alerts
    );
    if tally.duplicates > 0 {
        eprintln!("{} events came twice (the same event id)", tally.duplicates);
    }
    if tally.late > 0 {
        eprintln!(
            "{} events came late (over 15 minutes behind the newest before them)",
            tally.late
        );
    }
    for (reason, count) in &tally.rejects {
        eprintln!("{count} parts became quarantine rows: {}", reason.as_str());
    }
}
