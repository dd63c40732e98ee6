//! Files as a source of records for the loop.

use std::collections::VecDeque;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use dataward_event::position::{Offset, Partition, Progress};
use dataward_event::time::KafkaTime;
use dataward_pipeline::archive::{Committed, OperatorRow};
use dataward_pipeline::batch::{Batch, NewRecord};
use dataward_pipeline::clock::Clock;
use dataward_pipeline::record_source::{Bounds, Input, RecordSource, SourceError};

use crate::framing::{Framed, Framing};
use crate::input::InputFile;

/// How many files are claimed together: one commit claims them all, and each commit names them all.
const GROUP_FILES: usize = 64;
/// The most records of a batch.
const BATCH_RECORDS: usize = 1_000;
/// The size at which a batch is handed on, in bytes.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Files, one after the other in the order given.
pub struct FileSource {
    waiting: VecDeque<InputFile>,
    group: Vec<InputFile>,
    started: VecDeque<(InputFile, Offset)>,
    open: Option<Open>,
    state: State,
    is_paused: bool,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next group is to be announced.
    Between,
    /// A group is announced and waits for `assign`.
    Announced,
    /// The group is being read.
    Reading,
    /// The group is read and waits for `unassign`.
    Finished,
}

/// The file that is being read, and the record that comes next in it.
struct Open {
    file: InputFile,
    records: Framing<BufReader<Box<dyn Read + Send>>>,
    ahead: Option<Framed>,
}

impl FileSource {
    /// A source of these files.
    pub fn new(files: Vec<InputFile>, clock: Arc<dyn Clock>) -> Self {
        Self {
            waiting: files.into(),
            group: Vec::new(),
            started: VecDeque::new(),
            open: None,
            state: State::Between,
            is_paused: false,
            clock,
        }
    }

    fn announce(&mut self) -> Input {
        let count = self.waiting.len().min(GROUP_FILES);
        self.group = self.waiting.drain(..count).collect();
        if self.group.is_empty() {
            return Input::End;
        }
        self.state = State::Announced;
        Input::Assigned(self.group.iter().map(|file| file.partition.clone()).collect())
    }

    fn read(&mut self) -> Result<Input, SourceError> {
        if self.open.is_none() {
            let Some((file, from)) = self.started.pop_front() else {
                self.state = State::Finished;
                let partitions = self.group.iter().map(|file| file.partition.clone()).collect();
                return Ok(Input::Revoked { partitions, lost: false });
            };
            self.open = Some(Open::start(file, from)?);
        }
        let Some(open) = &mut self.open else { return Ok(Input::Idle) };
        let (batch, is_last) = open.batch(self.clock.as_ref())?;
        if is_last {
            self.open = None;
        }
        Ok(Input::Batch(batch))
    }
}

impl Open {
    fn start(file: InputFile, from: Offset) -> Result<Self, SourceError> {
        let start = u64::try_from(from.0).unwrap_or(0);
        let result = file.records(start).and_then(|mut records| {
            let ahead = records.next_record()?;
            Ok((records, ahead))
        });
        let (records, ahead) = result.map_err(|error| unreadable(&file, &error))?;
        Ok(Self { file, records, ahead })
    }

    /// The next records. The last batch carries the file's own row, and its end is the end of the file.
    fn batch(&mut self, clock: &dyn Clock) -> Result<(Batch, bool), SourceError> {
        let now = clock.now();
        let mut batch = Batch::new(self.file.partition.clone(), now);
        while let Some(framed) = self.ahead.take() {
            let next = self.records.next_record();
            self.ahead = next.map_err(|error| unreadable(&self.file, &error))?;
            let end = if self.ahead.is_none() { self.file.bytes } else { framed.end };
            push(&mut batch, framed.offset, end, Some(&framed.bytes));
            if batch.len() >= BATCH_RECORDS || batch.bytes() >= BATCH_BYTES {
                break;
            }
        }
        let is_last = self.ahead.is_none();
        if is_last {
            if batch.is_empty() {
                // Nothing but white space: an empty record accounts for it.
                push(&mut batch, 0, self.file.bytes, None);
            }
            let detail = serde_json::json!({ "file": self.file.name, "bytes": self.file.bytes });
            batch.set_deed(OperatorRow {
                operation: "scan".to_owned(),
                partition: Some(self.file.partition.clone()),
                time: None,
                detail: detail.to_string(),
                ingest_time: now,
            });
        }
        Ok((batch, is_last))
    }
}

fn push(batch: &mut Batch, offset: u64, next: u64, payload: Option<&[u8]>) {
    let as_offset = |number: u64| Offset(i64::try_from(number).unwrap_or(i64::MAX));
    let record = NewRecord {
        offset: as_offset(offset),
        next: as_offset(next),
        kafka_time: None,
        key: None,
        payload,
    };
    batch.push(&record, []);
}

fn unreadable(file: &InputFile, error: &std::io::Error) -> SourceError {
    SourceError::Fatal(format!("failed to read {}: {error}", file.name))
}

impl RecordSource for FileSource {
    fn poll(&mut self, _timeout: Duration) -> Result<Input, SourceError> {
        match self.state {
            State::Between => Ok(self.announce()),
            State::Reading if !self.is_paused => self.read(),
            State::Reading | State::Announced | State::Finished => Ok(Input::Idle),
        }
    }

    fn bounds(&mut self, partition: &Partition) -> Result<Bounds, SourceError> {
        let file = self.group.iter().find(|file| file.partition == *partition);
        let bytes = file.map_or(0, |file| i64::try_from(file.bytes).unwrap_or(i64::MAX));
        Ok(Bounds { low: Offset(0), high: Offset(bytes) })
    }

    fn offset_at(&mut self, _: &Partition, _: KafkaTime) -> Result<Offset, SourceError> {
        Ok(Offset(0))
    }

    fn assign(&mut self, starts: &Progress) -> Result<(), SourceError> {
        let files = self.group.iter();
        let started = files.filter_map(|f| Some((f.clone(), starts.next(&f.partition)?)));
        self.started = started.collect();
        self.state = State::Reading;
        Ok(())
    }

    fn unassign(&mut self, _partitions: &[Partition]) -> Result<(), SourceError> {
        self.state = State::Between;
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), SourceError> {
        self.is_paused = paused;
        Ok(())
    }

    fn acknowledge(&mut self, _committed: &Committed) {}
}
