//! `warmup`: lessons before the first record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dataward_archive::by_time::ByTime;
use dataward_archive::delta_archive::DeltaArchive;
use dataward_detect::state::FORMAT;
use dataward_event::position::{Offset, Position};
use dataward_files::input::{self, InputFile};
use dataward_pipeline::archive::{OperatorRow, Segment};
use dataward_pipeline::clock::Clock;
use dataward_pipeline::lessons::{Lessons, Report};
use dataward_pipeline::restore;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use serde_json::json;

use crate::args::Warmup;
use crate::exit::{Exit, Failure, Outcome};
use crate::{config, progress, wiring};

/// So many unreadable parts of files are told one by one.
const FAULTS_TOLD: u64 = 10;

/// Runs the command.
pub(crate) fn run(args: &Warmup) -> Outcome {
    let usage = |reason: String| Failure::text(Exit::Usage, reason);
    let source = args.source.as_deref().map(config::source).transpose().map_err(usage)?;
    let context = args.context.as_deref().map(config::context).transpose().map_err(usage)?;
    // Standard input may take long, and what cannot be found leaves nothing behind: both before the archive is touched.
    let files = match source {
        Some(source) => input::find(&args.files, source, |_| {}),
        None => {
            wiring::must_exist(&args.archive)?;
            Ok(Vec::new())
        }
    };
    let files = files.map_err(|error| Failure::new(Exit::Input, error))?;
    let lease = wiring::take_lease(&args.archive, "keep what is learned")?;
    let stop = wiring::stop_flag()?;
    let mut archive = wiring::open_archive(&args.archive, &stop)?;
    let context = match context {
        Some(context) => Arc::new(context),
        None => restore::context(&mut archive)?,
    };
    let mut lessons = Lessons::new(&context, args.until);
    let faults = match source {
        Some(source) => from_files(&files, source, &mut lessons, &stop)?,
        None => {
            from_archive(&mut archive, &mut lessons)?;
            0
        }
    };
    let (learned, report) = lessons.finish();
    if report.actors == 0 {
        let text = format!("nothing was learned: none of {} events is a read", report.events);
        return Err(Failure::text(Exit::Input, text));
    }
    let segments = learned.save_all().into_iter().map(|(index, bytes)| Segment { index, bytes });
    let segments: Vec<Segment> = segments.collect();
    let bytes: usize = segments.iter().map(|segment| segment.bytes.len()).sum();
    let deed = deed(args, &report, wiring::clock().as_ref());
    archive.keep_lessons(FORMAT, segments, &deed)?;
    drop(lease);
    tell(&report, faults, bytes);
    let own = archive.table_progress().iter().filter(|(known, _)| !known.is_file()).count();
    if own > 0 {
        eprintln!(
            "{own} partitions have begun already: those that have seen a read keep to what it taught"
        );
    }
    Ok(Exit::Done)
}

fn from_archive(archive: &mut DeltaArchive, lessons: &mut Lessons) -> Result<(), Failure> {
    let bar = progress::bar(0, "{spinner} learning from the archive: {pos} events, {elapsed}");
    archive.events_by_time(&mut |next| match next {
        ByTime::From(time) => lessons.learn_up_to(time),
        ByTime::Event(archived) => {
            bar.inc(1);
            if !archived.producer_duplicate {
                lessons.take(archived.event, archived.position);
            }
        }
    })?;
    bar.finish_and_clear();
    Ok(())
}

/// Learns from files; how many parts of them could not be read.
fn from_files(
    files: &[InputFile],
    source: Source,
    lessons: &mut Lessons,
    stop: &AtomicBool,
) -> Result<u64, Failure> {
    let bar = progress::bar(
        files.iter().map(|file| file.bytes).sum(),
        "{spinner} {binary_bytes} of {binary_total_bytes} {wide_bar} {eta}",
    );
    let mut faults = 0;
    for file in files {
        if let Some(time) = file.first_time {
            lessons.learn_up_to(time);
        }
        let unreadable = |error: std::io::Error| {
            Failure::text(Exit::Input, format!("failed to read {}: {error}", file.name))
        };
        let mut records = file.records(0).map_err(unreadable)?;
        while let Some(framed) = records.next_record().map_err(unreadable)? {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::text(Exit::World, "interrupted: nothing was kept"));
            }
            bar.inc(framed.end - framed.offset);
            faults += record(file, source, framed.offset, &framed.bytes, faults, lessons);
        }
    }
    bar.finish_and_clear();
    Ok(faults)
}

/// Learns from a record; how many parts of it could not be read.
fn record(
    file: &InputFile,
    source: Source,
    offset: u64,
    payload: &[u8],
    told: u64,
    lessons: &mut Lessons,
) -> u64 {
    let position = Position {
        partition: file.partition.clone(),
        offset: Offset(i64::try_from(offset).unwrap_or(i64::MAX)),
        record_index: 0,
    };
    let record = Record { position: &position, kafka_time: None, payload };
    let decoded = decode(source, record);
    for event in decoded.events {
        let position = Position { record_index: event.record_index, ..position.clone() };
        lessons.take(event.event.into_owned(), position);
    }
    let mut faults = 0;
    for reject in decoded.rejects.iter().filter(|reject| reject.reason.is_fault()) {
        faults += 1;
        if told + faults <= FAULTS_TOLD {
            let (name, index, reason) = (&file.name, reject.record_index, reject.reason.as_str());
            eprintln!("{name}: byte {offset}, part {index}: {reason}: {}", reject.detail);
        }
    }
    faults
}

/// What the archive remembers of it.
fn deed(args: &Warmup, report: &Report, clock: &dyn Clock) -> OperatorRow {
    let names: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
    let detail = json!({
        "source": args.source,
        "files": names,
        "from": report.times.map(|(first, _)| first.to_string()),
        "to": report.times.map(|(_, last)| last.to_string()),
        "events": report.events,
        "actors": report.actors,
        "pairs": report.pairs,
        "datastores": report.datastores,
    });
    OperatorRow {
        operation: "warmup".to_owned(),
        partition: None,
        time: None,
        detail: detail.to_string(),
        ingest_time: clock.now(),
    }
}

fn tell(report: &Report, faults: u64, bytes: usize) {
    let Some((first, last)) = report.times else { return };
    let days = (last.micros() - first.micros()) / 86_400_000_000 + 1;
    eprintln!(
        "learned from {} events of {days} days, {first} to {last}: {} actors, {} datastores, {} pairs of \
         them, {} KB",
        report.events,
        report.actors,
        report.datastores,
        report.pairs,
        bytes.div_ceil(1000)
    );
    let left_out = [
        (report.beyond, "events are at or after --until"),
        (report.duplicates, "events came twice (the same event id)"),
        (
            report.late,
            "reads were more than a day behind the newest before them, and taught nothing",
        ),
        (report.ahead, "reads were more than a month ahead of all others, and taught nothing"),
        (report.forgotten, "actors and pairs had no room"),
        (faults, "parts of files could not be read"),
    ];
    for (count, what) in left_out.into_iter().filter(|(count, _)| *count > 0) {
        eprintln!("{count} {what}");
    }
}
