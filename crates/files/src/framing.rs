//! Where a record ends in a file: one JSON value, or, where there is none, one line with those that continue it.
//!
//! Values may stand one a line, pretty-printed over many, or one behind the other without a line break. A value that
//! is cut off ends at the line where it can no longer be one, so that one bad line does not swallow the rest. A line is
//! continued by lines that begin with a tabulator (PostgreSQL's statements, stack traces), by those of a field of CSV that
//! is still in quotes, and by those of an XML element of MySQL's audit log.

use std::io::{self, BufRead};

use dataward_event::limits::QUARANTINE_BYTES_MAX;

/// How long a line may become by those that continue it, in bytes: beyond, the rest is read line by line.
const JOINED_BYTES_MAX: usize = 1024 * 1024;

/// Reads records from decompressed bytes.
pub struct Framing<R> {
    input: R,
    offset: u64,
    record: Vec<u8>,
    scan: Scan,
    /// How many bytes of a byte order mark stood at the beginning.
    mark: u64,
    has_separators: bool,
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
    /// Its first byte was a bracket that may open a list or a line.
    is_undecided: bool,
    /// The last byte was a line break of a line, of which the next byte tells whether it is the record's end.
    is_held: bool,
    /// The next line continues this one, however it begins.
    is_open: bool,
    /// Quotes so far, in a line.
    quotes: usize,
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
        let scan = Scan::default();
        Self { input, offset, record: Vec::new(), scan, mark: 0, has_separators: false }
    }

    /// Takes brackets and commas between records for separators: the file is one list, whose end may not be written yet.
    #[must_use]
    pub fn in_a_list(mut self, is_list: bool) -> Self {
        self.has_separators = is_list;
        self
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
            let place = Place { offset: self.offset, has_separators: self.has_separators };
            let (used, has_ended) =
                consume(buffer, &mut self.record, &mut self.scan, place, &mut self.mark);
            self.input.consume(used);
            self.offset += used as u64;
            if has_ended {
                return Ok(self.take_record());
            }
        }
    }

    fn take_record(&mut self) -> Option<Framed> {
        let scan = std::mem::take(&mut self.scan);
        let mut bytes = std::mem::take(&mut self.record);
        let offset = self.offset - bytes.len() as u64;
        // The line break before a line that does not continue this one.
        if scan.is_held {
            bytes.pop();
        }
        let end = offset + bytes.len() as u64;
        if bytes.is_empty() { None } else { Some(Framed { offset, end, bytes }) }
    }
}

/// The byte order mark of UTF-8.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Moves bytes into the record until it ends. Returns how many were used.
fn consume(
    buffer: &[u8],
    record: &mut Vec<u8>,
    scan: &mut Scan,
    at: Place,
    mark: &mut u64,
) -> (usize, bool) {
    let mut from = 0;
    for (place, byte) in buffer.iter().copied().enumerate() {
        let is_empty = record.is_empty() && place == from;
        // A byte order mark is one only at the very beginning: behind a record its bytes are bad input, and kept.
        let offset = at.offset + place as u64;
        let is_mark = is_empty && *mark == offset && MARK.get(offset as usize) == Some(&byte);
        *mark += u64::from(is_mark);
        let is_separator = at.has_separators && matches!(byte, b'[' | b',' | b']');
        if is_empty && (byte.is_ascii_whitespace() || is_mark || is_separator) {
            from = place + 1;
            continue;
        }
        if byte == b'\n' && scan.is_line && !scan.is_held && !is_empty {
            record.extend_from_slice(&buffer[from..place]);
            from = place;
            scan.is_open = is_open(record, scan.quotes);
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

/// Whether lines of text that were joined so far ask for another one: a field of PostgreSQL's CSV is still in quotes, or an
/// XML element of MySQL's audit log has not ended.
fn is_open(record: &[u8], quotes: usize) -> bool {
    if record.len() > JOINED_BYTES_MAX {
        return false;
    }
    if record.starts_with(b"<AUDIT_RECORD") {
        let text = record.trim_ascii_end();
        return !(text.ends_with(b"</AUDIT_RECORD>") || text.ends_with(b"/>"));
    }
    quotes % 2 == 1 && is_csv(record)
}

/// Whether a line begins like one of PostgreSQL's CSV log: `2024-05-06 07:08:09.123 UTC,`.
fn is_csv(line: &[u8]) -> bool {
    let head = &line[..line.len().min(40)];
    let Some(comma) = head.iter().position(|byte| *byte == b',') else { return false };
    comma > 19
        && head[..4].iter().all(u8::is_ascii_digit)
        && head[4] == b'-'
        && head[10] == b' '
        && head[13] == b':'
        && head[19..comma]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b". +-:".contains(byte))
}

/// Where a buffer stands, and how records are parted there.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    has_separators: bool,
}

impl Scan {
    fn step(&mut self, byte: u8, is_first: bool) -> Step {
        if is_first {
            self.is_line = !matches!(byte, b'{' | b'[');
            self.is_undecided = byte == b'[';
        } else if self.is_undecided && !byte.is_ascii_whitespace() {
            // A list of events, or the bracket that opens a line: `[2024-05-06T07:08:09,123] …`.
            self.is_undecided = false;
            self.is_line = !matches!(byte, b'{' | b'[' | b']' | b'"');
        }
        if self.is_line {
            return self.step_in_line(byte);
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

    /// A line break is held back until the next byte tells whether its line continues this one.
    fn step_in_line(&mut self, byte: u8) -> Step {
        if self.is_held {
            if !(self.is_open || byte == b'\t') {
                return Step::End;
            }
            self.is_held = false;
        }
        self.quotes += usize::from(byte == b'"');
        self.is_held = byte == b'\n';
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
        assert_eq!(records(b"[]\xbf").len(), 2, "no mark behind a record");
        assert_eq!(texts("  \n\n"), Vec::<String>::new());
    }

    #[test]
    fn lines_are_continued() {
        let csv =
            "2024-05-06 07:08:09.123 UTC,\"ada\",\"select\n 1\",,\n2024-05-06 07:08:10 UTC,,\n";
        assert_eq!(texts(csv).len(), 2);
        assert_eq!(texts("a \" quote\nb\n"), ["a \" quote", "b"]);
        assert_eq!(
            texts("LOG:  select\n\t1\n\tfrom t\nLOG:  x\n"),
            ["LOG:  select\n\t1\n\tfrom t", "LOG:  x"]
        );
        let xml = "<AUDIT_RECORD>\n <NAME>Query</NAME>\n</AUDIT_RECORD>\n<AUDIT_RECORD\n NAME=\"Query\"\n/>\n";
        assert_eq!(texts(xml).len(), 2);
        assert_eq!(texts("[2024-05-06T07:08:09,123] [rest] {x}\n[{\"a\":1}]\n").len(), 2);
        let list = "[\n{\"a\":1},\n{\"a\":2}\n";
        let mut framing = Framing::new(list.as_bytes()).in_a_list(true);
        let first = framing.next_record().expect("memory can be read").expect("one");
        assert_eq!((first.offset, first.end), (2, 9));
        assert!(framing.next_record().expect("memory can be read").is_some());
        assert_eq!(framing.next_record().expect("memory can be read"), None);
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
