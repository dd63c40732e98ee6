//! `normalize`: the events of files as OCSF.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use dataward_event::audit_event::AuditEvent;
use dataward_event::position::{Offset, Position};
use dataward_event::uid::hex;
use dataward_files::input::{self, InputFile};
use dataward_ocsf::event::event_json;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use indicatif::ProgressBar;

use crate::args::Normalize;
use crate::exit::{Exit, Failure, Outcome};
use crate::{config, progress};

/// Runs the command.
pub(crate) fn run(args: &Normalize) -> Outcome {
    let source = config::source(&args.source).map_err(|e| Failure::text(Exit::Usage, e))?;
    print_events(source, &args.files, &mut |_| {})
}

/// Prints the events of files, and shows each.
pub(super) fn print_events(
    source: Source,
    files: &[PathBuf],
    seen: &mut dyn FnMut(&AuditEvent<'_>),
) -> Outcome {
    let files = input::find(files, source, |_| {});
    let files = files.map_err(|error| Failure::new(Exit::Input, error))?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut faults = 0;
    let bar = bar(&files);
    for file in &files {
        match normalize(file, source, &mut output, &bar, seen) {
            Ok(count) => faults += count,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            Err(error) => {
                let text = format!("failed to read {}: {error}", file.name);
                return Err(Failure::text(Exit::Input, text));
            }
        }
    }
    bar.finish_and_clear();
    match output.flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    if faults == 0 { Ok(Exit::Done) } else { Ok(Exit::Input) }
}

/// Where the events go to a terminal they are progress enough.
fn bar(files: &[InputFile]) -> ProgressBar {
    if std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bytes = files.iter().map(|file| file.bytes).sum();
    progress::bar(bytes, "{spinner} {binary_bytes} of {binary_total_bytes} {wide_bar} {eta}")
}

/// Prints the events of a file; what cannot be read is told on standard error. Returns how many parts that were.
fn normalize(
    file: &InputFile,
    source: Source,
    output: &mut impl Write,
    bar: &ProgressBar,
    seen: &mut dyn FnMut(&AuditEvent<'_>),
) -> std::io::Result<u64> {
    let mut records = file.records(0)?;
    let mut faults = 0;
    while let Some(framed) = records.next_record()? {
        bar.inc(framed.end - framed.offset);
        let offset = Offset(i64::try_from(framed.offset).unwrap_or(i64::MAX));
        let mut position = Position { partition: file.partition.clone(), offset, record_index: 0 };
        let base = position.clone();
        let record = Record { position: &base, kafka_time: None, payload: &framed.bytes };
        let decoded = decode(source, record);
        for event in &decoded.events {
            position.record_index = event.record_index;
            seen(&event.event);
            let sha256 = hex(&sha2_of(&event.raw));
            writeln!(output, "{}", event_json(&event.event, Some(&position), Some(&sha256)))?;
        }
        for reject in decoded.rejects.iter().filter(|reject| reject.reason.is_fault()) {
            faults += 1;
            let place = framed.offset;
            let (index, reason) = (reject.record_index, reject.reason.as_str());
            let name = &file.name;
            eprintln!("{name}: byte {place}, part {index}: {reason}: {}", reject.detail);
        }
    }
    Ok(faults)
}

fn sha2_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}
