//! Where a record ends in a file: one JSON value, or, where there is none, one line.
//!
//! Values may stand one a line, pretty-printed over many, or one behind the other without a line break. A value that
//! is cut off ends at the line where it can no longer be one, so that one bad line does not swallow the rest.

use std::io::{self, BufRead};

use dataward_event::limits::QUARANTINE_BYTES_MAX;

/// Reads records from decompressed bytes.
pub struct Framing<R> {
    input: R,
    offset: u64,
    record: Vec<u8>,
    scan: Scan,
    /// How many bytes of a byte order mark stood at the beginning.
    mark: u64,
}

/// One record: its place and its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Framed {
    /// The byte offset of its first byte.
    pub offset: u64,
    /// The byte offset behind its last byte.
    pub end: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// What is known of the record in the making.
#[derive(Default)]
struct Scan {
    containers: Vec<u8>,
    is_in_string: bool,
    is_escaped: bool,
    /// The last byte that was no white space, outside a string.
    last: u8,
    is_at_line_start: bool,
    /// The record is no JSON value but a line.
    is_line: bool,
}

enum Step {
    /// The byte belongs to the record.
    Take,
    /// The byte is the record's last.
    TakeAndEnd,
    /// The record ended before this byte.
    End,
}

impl<R: BufRead> Framing<R> {
    /// Reads from the beginning of `input`.
    pub fn new(input: R) -> Self {
        Self::at(input, 0)
    }

    /// Reads from the middle: `input` stands at byte `offset`.
    pub fn at(input: R, offset: u64) -> Self {
        Self { input, offset, record: Vec::new(), scan: Scan::default(), mark: 0 }
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read, or its compression is damaged.
    pub fn next_record(&mut self) -> io::Result<Option<Framed>> {
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok(self.take_record());
            }
            let mark = &mut self.mark;
            let (used, has_ended) =
                consume(buffer, &mut self.record, &mut self.scan, self.offset, mark);
            self.input.consume(used);
            self.offset += used as u64;
            if has_ended {
                return Ok(self.take_record());
            }
        }
    }

    fn take_record(&mut self) -> Option<Framed> {
        self.scan = Scan::default();
        let bytes = std::mem::take(&mut self.record);
        let offset = self.offset - bytes.len() as u64;
        if bytes.is_empty() { None } else { Some(Framed { offset, end: self.offset, bytes }) }
    }
}

/// The byte order mark of UTF-8.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Moves bytes into the record until it ends. Returns how many were used.
fn consume(
    buffer: &[u8],
    record: &mut Vec<u8>,
    scan: &mut Scan,
    offset: u64,
    mark: &mut u64,
) -> (usize, bool) {
    let mut from = 0;
    for (place, byte) in buffer.iter().copied().enumerate() {
        let is_empty = record.is_empty() && place == from;
        // A byte order mark is one only at the very beginning: behind a record its bytes are bad input, and kept.
        let at = offset + place as u64;
        let is_mark = is_empty && *mark == at && MARK.get(at as usize) == Some(&byte);
        *mark += u64::from(is_mark);
        if is_empty && (byte.is_ascii_whitespace() || is_mark) {
            from = place + 1;
            continue;
        }
        match scan.step(byte, is_empty) {
            Step::Take if record.len() + (place + 1 - from) < QUARANTINE_BYTES_MAX => {}
            Step::Take | Step::TakeAndEnd => {
                record.extend_from_slice(&buffer[from..=place]);
                return (place + 1, true);
            }
            Step::End => {
                record.extend_from_slice(&buffer[from..place]);
                return (place, true);
            }
        }
    }
    record.extend_from_slice(&buffer[from..]);
    (buffer.len(), false)
}

impl Scan {
    fn step(&mut self, byte: u8, is_first: bool) -> Step {
        if is_first {
            self.is_line = !matches!(byte, b'{' | b'[');
        }
        if self.is_line {
            return if byte == b'\n' { Step::End } else { Step::Take };
        }
        if self.is_in_string {
            return self.step_in_string(byte);
        }
        if byte == b'{' && self.is_at_line_start && !self.may_begin_value() {
            return Step::End;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.containers.push(byte),
            b'}' | b']' => {
                self.containers.pop();
                if self.containers.is_empty() {
                    return Step::TakeAndEnd;
                }
            }
            _ => {}
        }
        self.note(byte);
        Step::Take
    }

    fn step_in_string(&mut self, byte: u8) -> Step {
        match byte {
            // No JSON string holds a bare line break: the value was cut off here.
            b'\n' => return Step::End,
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => {
                self.is_in_string = false;
                self.note(byte);
            }
            _ => {}
        }
        Step::Take
    }

    fn note(&mut self, byte: u8) {
        self.is_at_line_start = byte == b'\n';
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
    }

    /// Whether an object may begin on a line of its own here: in an array. (Behind the name of a field JSON allows it
    /// too, but there a line that was cut off is likelier than an object without any indentation.)
    fn may_begin_value(&self) -> bool {
        match self.last {
            b'[' => true,
            b',' => self.containers.last() == Some(&b'['),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &[u8]) -> Vec<Framed> {
        let mut framing = Framing::new(io::BufReader::with_capacity(7, text));
        std::iter::from_fn(|| framing.next_record().expect("memory can be read")).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        let lossy = |r: Framed| String::from_utf8_lossy(&r.bytes).into_owned();
        records(text.as_bytes()).into_iter().map(lossy).collect()
    }

    #[test]
    fn values_end_where_json_says() {
        assert_eq!(texts("{\"a\":1}\n{\"a\":2}\n"), ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(texts("{\"a\":\"}\"}{\"b\":2}"), ["{\"a\":\"}\"}", "{\"b\":2}"]);
        assert_eq!(texts("{\n  \"a\": [\n{\"b\": 1},\n{}\n]\n}\n[1]").len(), 2);
        assert_eq!(texts("\u{feff}{\"a\":1}"), ["{\"a\":1}"]);
        assert_eq!(records(b"[}\xbf").len(), 2, "no mark behind a record");
        assert_eq!(texts("  \n\n"), Vec::<String>::new());
    }

    #[test]
    fn a_cut_value_does_not_swallow_the_next() {
        let whole = "{\"a\":1}";
        for cut in
            ["{\"a\":", "{\"a\":\"x", "{\"a\":1,", "{\"a\"", "no json at all", "{\"a\":{\"b\":1}"]
        {
            let found = texts(&format!("{cut}\n{whole}\n"));
            assert_eq!(found.len(), 2, "{cut}: {found:?}");
            assert_eq!(found[1], whole);
        }
    }

    #[test]
    fn reading_from_the_middle_gives_the_same_places() {
        let text = b"{\"a\":1}\n{\"a\":2}\n";
        let second = Framing::at(&text[8..], 8).next_record().expect("memory can be read");
        assert_eq!(second, records(text).pop());
    }

    proptest! {
        #[test]
        fn no_byte_but_white_space_is_left_out(
            text in prop::collection::vec(prop_oneof![
                Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b'\\'),
                Just(b'\n'), Just(b','), Just(b':'), any::<u8>()
            ], 0..200),
        ) {
            let mut covered = 0;
            for record in records(&text) {
                let between = &text[covered as usize..record.offset as usize];
                let is_mark = |b: &u8| covered == 0 && [0xEF, 0xBB, 0xBF].contains(b);
                prop_assert!(between.iter().all(|b| b.is_ascii_whitespace() || is_mark(b)));
                prop_assert_eq!(&text[record.offset as usize..record.end as usize], &record.bytes[..]);
                covered = record.end;
            }
            prop_assert!(text[covered as usize..].iter().all(|b| b.is_ascii_whitespace() || covered == 0));
        }
    }
}
