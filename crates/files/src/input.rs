//! Which files there are to read, and what identifies each.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dataward_event::position::{Partition, Position};
use dataward_event::time::EventTime;
use dataward_event::uid::hex;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::framing::Framing;

/// The size of the buffers for reading, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;
/// How many records are looked at to find the time of a file's first event.
const FIRST_RECORDS: usize = 20;

/// A file that is to be read.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// What the user called it.
    pub name: String,
    /// Its partition: the SHA-256 of its decompressed bytes.
    pub partition: Partition,
    /// Its decompressed size in bytes.
    pub bytes: u64,
    /// The time of its first event, as far as one was found near its beginning.
    pub first_time: Option<EventTime>,
    place: Place,
    source: Source,
}

#[derive(Debug, Clone)]
enum Place {
    Path(PathBuf),
    /// Standard input, kept in a temporary file that goes when the last of us goes.
    Spooled(Arc<NamedTempFile>),
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The system says no, or the compression is damaged.
    #[error("failed to read {name}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// A directory without a file.
    #[error("{0} holds no file")]
    Empty(String),
}

/// Finds the files behind the arguments of a command: files, directories (all files below, sorted by path), `-`.
/// Each is read once to know its identity, its size and its first event; `progress` hears of each. The result is
/// ordered by the time of the first event, so that files merge into one story; the same bytes come once.
///
/// # Errors
/// [`InputError`] for the first file that cannot be read: none is left out silently.
pub fn find(
    arguments: &[PathBuf],
    source: Source,
    mut progress: impl FnMut(&InputFile),
) -> Result<Vec<InputFile>, InputError> {
    let mut files: Vec<InputFile> = Vec::new();
    for (name, place) in places(arguments)? {
        let file = examine(&name, place, source)
            .map_err(|error| InputError::Unreadable { name, source: error })?;
        progress(&file);
        if !files.iter().any(|known| known.partition == file.partition) {
            files.push(file);
        }
    }
    files.sort_by_key(|file| (file.first_time, file.partition.clone()));
    Ok(files)
}

fn places(arguments: &[PathBuf]) -> Result<Vec<(String, Place)>, InputError> {
    let mut places = Vec::new();
    for argument in arguments {
        let name = argument.display().to_string();
        let unreadable = |source| InputError::Unreadable { name: name.clone(), source };
        if argument == Path::new("-") {
            let spooled = spool(io::stdin().lock()).map_err(unreadable)?;
            places.push(("standard input".to_owned(), Place::Spooled(Arc::new(spooled))));
            continue;
        }
        if !std::fs::metadata(argument).map_err(unreadable)?.is_dir() {
            places.push((name, Place::Path(argument.clone())));
            continue;
        }
        let before = places.len();
        for entry in walkdir::WalkDir::new(argument).sort_by_file_name() {
            let entry = entry.map_err(|error| unreadable(error.into()))?;
            if entry.file_type().is_file() {
                let path = entry.into_path();
                places.push((path.display().to_string(), Place::Path(path)));
            }
        }
        if places.len() == before {
            return Err(InputError::Empty(name));
        }
    }
    Ok(places)
}

fn spool(mut input: impl Read) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    io::copy(&mut input, &mut file)?;
    file.flush()?;
    Ok(file)
}

fn examine(name: &str, place: Place, source: Source) -> io::Result<InputFile> {
    let mut hashing = Hashing { input: open(&place)?, hasher: Sha256::new(), bytes: 0 };
    let first_time = first_time(&mut BufReader::with_capacity(BUFFER_BYTES, &mut hashing), source)?;
    io::copy(&mut hashing, &mut io::sink())?;
    let partition = Partition::file(&hex(&hashing.hasher.finalize()));
    Ok(InputFile {
        name: name.to_owned(),
        partition,
        bytes: hashing.bytes,
        first_time,
        place,
        source,
    })
}

fn first_time(input: &mut impl BufRead, source: Source) -> io::Result<Option<EventTime>> {
    let position = Position {
        partition: Partition::file(""),
        offset: dataward_event::position::Offset(0),
        record_index: 0,
    };
    let mut framing = Framing::new(input).in_a_list(source.is_list());
    for _ in 0..FIRST_RECORDS {
        let Some(framed) = framing.next_record()? else { return Ok(None) };
        let record = Record { position: &position, kafka_time: None, payload: &framed.bytes };
        let decoded = decode(source, record);
        if let Some(time) = decoded.events.iter().map(|event| event.event.time).min() {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

struct Hashing<R> {
    input: R,
    hasher: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}

impl InputFile {
    /// Reads its records from a byte offset of the decompressed bytes.
    ///
    /// # Errors
    /// When it can no longer be read.
    pub fn records(&self, from: u64) -> io::Result<Framing<BufReader<Box<dyn Read + Send>>>> {
        let mut input = open(&self.place)?;
        io::copy(&mut (&mut input).take(from), &mut io::sink())?;
        let framing = Framing::at(BufReader::with_capacity(BUFFER_BYTES, input), from);
        Ok(framing.in_a_list(self.source.is_list()))
    }
}

/// Opens a file, decompressing it where its first bytes say that it is compressed.
fn open(place: &Place) -> io::Result<Box<dyn Read + Send>> {
    let mut file = match place {
        Place::Path(path) => File::open(path)?,
        Place::Spooled(spooled) => spooled.reopen()?,
    };
    let mut magic = [0_u8; 4];
    let count = read_up_to(&mut file, &mut magic)?;
    file.rewind()?;
    Ok(match &magic[..count] {
        [0x1F, 0x8B, ..] => Box::new(flate2::read::MultiGzDecoder::new(file)),
        [0x28, 0xB5, 0x2F, 0xFD] => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    })
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read(&mut buffer[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}
