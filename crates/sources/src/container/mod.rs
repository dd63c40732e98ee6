//! What stands around events: files of records, arrays, the envelopes of message services, shippers and runtimes.
//!
//! A [`Leaf`] is one element that should be an event, or a part that cannot be read. Only shape is judged here; what an
//! element means is its source's to say. The envelopes, each with an example, are listed in `docs/sources/containers.md`.

mod line;
mod shape;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dataward_event::audit_event::Text;
use dataward_event::limits::{EVENTS_PER_RECORD_MAX, JSON_NESTING_MAX, RECORD_BYTES_MAX};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;

use crate::nesting;
use shape::{Inside, Shape};

/// Envelopes inside envelopes beyond this are taken as they are.
const LEVELS_MAX: u8 = 6;

/// Why a part cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The reason of the quarantine row.
    pub(crate) reason: QuarantineReason,
    /// A sentence for a person, without any of the payload.
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(reason: QuarantineReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// Malformed JSON, with the byte of `text` at which reading stopped.
    pub(crate) fn malformed(text: &str, error: &serde_json::Error) -> Self {
        let byte = byte_position(text, error);
        Self::new(
            QuarantineReason::InvalidJson,
            format!("JSON is malformed or cut off at byte {byte}"),
        )
    }

    /// Not of the shape of its source; the detail says what was expected.
    pub(crate) fn shape(expected: impl Into<String>) -> Self {
        Self::new(QuarantineReason::WrongShape, expected)
    }

    /// Readable, but it tells of no access, change or log-on.
    pub(crate) fn no_event(detail: impl Into<String>) -> Self {
        Self::new(QuarantineReason::NoEvents, detail)
    }
}

/// One element of a record.
#[derive(Debug, Clone)]
pub(crate) struct Leaf<'t> {
    /// Its text.
    pub(crate) raw: Cow<'t, str>,
    /// Why it cannot be read, if it cannot.
    pub(crate) fault: Option<Fault>,
    /// Whether it is an exact slice of the record.
    pub(crate) is_verbatim: bool,
    /// The time that its nearest envelope states: when it was passed on.
    pub(crate) collected: Option<EventTime>,
    /// The host, pod or log group that its nearest envelope names: where it was logged.
    pub(crate) host: Option<Text<'t>>,
    /// The source that its shape tells, if it was looked at and tells one.
    pub(crate) source: Option<crate::source::Source>,
}

impl<'t> Leaf<'t> {
    fn whole(raw: &'t str, fault: Option<Fault>) -> Self {
        let raw = Cow::Borrowed(raw);
        Self { raw, fault, is_verbatim: true, collected: None, host: None, source: None }
    }

    pub(crate) fn unescaped(self) -> Leaf<'static> {
        Leaf {
            raw: Cow::Owned(self.raw.into_owned()),
            fault: self.fault,
            is_verbatim: false,
            collected: self.collected,
            host: self.host.map(|host| Cow::Owned(host.into_owned())),
            source: self.source,
        }
    }
}

/// Takes a text apart into its elements, in order; at least one.
///
/// # Errors
/// A fault that concerns the whole text.
pub(crate) fn open(text: &str) -> Result<Vec<Leaf<'_>>, Fault> {
    if nesting::is_deeper_than(text, JSON_NESTING_MAX) && text.trim_start().starts_with(['{', '['])
    {
        return Err(too_deep());
    }
    let leaves = open_level(text, LEVELS_MAX)?;
    if leaves.len() > EVENTS_PER_RECORD_MAX { Err(too_many()) } else { Ok(leaves) }
}

fn too_many() -> Fault {
    let detail = format!("more than {EVENTS_PER_RECORD_MAX} events in one record");
    Fault::new(QuarantineReason::TooManyEvents, detail)
}

fn open_level(text: &str, levels: u8) -> Result<Vec<Leaf<'_>>, Fault> {
    let text = text.trim_start_matches('\u{feff}').trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Err(Fault::new(QuarantineReason::Empty, "nothing but white space"));
    }
    // Some files are one long list: their lines end with a comma, the first and the last one are a bracket.
    let text = match text.strip_suffix(',') {
        Some(element) if text.starts_with('{') => element.trim_end(),
        _ => text,
    };
    if levels == 0 || text == "[" {
        return Ok(vec![Leaf::whole(text, None)]);
    }
    if !text.starts_with(['{', '[']) {
        return open_line(text, levels);
    }
    // What CloudTrail writes first.
    if text.starts_with("{\"eventVersion\"") {
        let source = Some(crate::source::Source::AwsCloudtrail);
        return Ok(vec![Leaf { source, ..Leaf::whole(text, None) }]);
    }
    let mut shape = Shape::default();
    let result = shape.look_at(text);
    if shape.source.is_some() {
        return Ok(vec![Leaf { source: shape.source, ..Leaf::whole(text, None) }]);
    }
    if shape.has_too_many {
        return Err(too_many());
    }
    let (collected, host) = (shape.collected, shape.host());
    let mut leaves = open_envelope(text, &shape, result, levels)?;
    for leaf in &mut leaves {
        leaf.collected = leaf.collected.or(collected);
        if leaf.host.is_none() {
            leaf.host.clone_from(&host);
        }
    }
    Ok(leaves)
}

/// A line that is no JSON by itself: what stands behind its header.
fn open_line(text: &str, levels: u8) -> Result<Vec<Leaf<'_>>, Fault> {
    let Some(stripped) = line::strip(text).filter(|stripped| !stripped.rest.is_empty()) else {
        return Ok(vec![Leaf::whole(text, None)]);
    };
    if stripped.rest.starts_with(['{', '['])
        && nesting::is_deeper_than(stripped.rest, JSON_NESTING_MAX)
    {
        return Err(too_deep());
    }
    let mut leaves = open_level(stripped.rest, levels - 1)?;
    for leaf in &mut leaves {
        leaf.collected = leaf.collected.or(stripped.time);
        if leaf.host.is_none() {
            leaf.host = stripped.host.map(Cow::Borrowed);
        }
    }
    Ok(leaves)
}

/// What stands in an envelope of this shape, or, where it is none, the text as it is.
fn open_envelope<'t>(
    text: &'t str,
    shape: &Shape<'t>,
    result: Result<(), serde_json::Error>,
    levels: u8,
) -> Result<Vec<Leaf<'t>>, Fault> {
    // A line of a log may begin with a bracket and be no JSON at all: `[2024-05-06T07:08:09,123] …`.
    let is_line = text.strip_prefix('[').is_some_and(|rest| {
        !rest.trim_start().starts_with(['{', '[', ']', '"']) && !rest.is_empty()
    });
    if is_line && result.is_err() {
        return Ok(vec![Leaf::whole(text, None)]);
    }
    if let Some(elements) = &shape.elements {
        return open_elements(text, elements, result, levels);
    }
    if let Err(error) = result {
        return Err(Fault::malformed(text, &error));
    }
    match shape.inside() {
        Some(Inside::Json(json)) => open_level(json, levels - 1),
        Some(Inside::Text(message)) => open_message(&message, levels),
        Some(Inside::Base64(data)) => open_base64(&data, levels),
        Some(Inside::Nothing(expected)) => Err(Fault::shape(expected)),
        None => Ok(vec![Leaf::whole(text, None)]),
    }
}

/// An array of elements, with whatever could not be read of it as one more part.
fn open_elements<'t>(
    text: &'t str,
    elements: &[&'t serde_json::value::RawValue],
    result: Result<(), serde_json::Error>,
    levels: u8,
) -> Result<Vec<Leaf<'t>>, Fault> {
    let Some(last) = elements.last() else {
        return Err(match result {
            Ok(()) => Fault::new(QuarantineReason::NoEvents, "a list of no events"),
            Err(error) => Fault::malformed(text, &error),
        });
    };
    let mut leaves = Vec::with_capacity(elements.len() + 1);
    for element in elements {
        match open_level(element.get(), levels - 1) {
            Ok(inner) => leaves.extend(inner),
            Err(fault) => leaves.push(Leaf::whole(element.get(), Some(fault))),
        }
        if leaves.len() > EVENTS_PER_RECORD_MAX {
            return Err(too_many());
        }
    }
    if let Err(error) = result {
        let rest = &text[end_within(text, last.get())..];
        leaves.push(Leaf::whole(rest, Some(Fault::malformed(text, &error))));
    }
    Ok(leaves)
}

/// A text inside a string of its envelope.
fn open_message(message: &str, levels: u8) -> Result<Vec<Leaf<'static>>, Fault> {
    if nesting::is_deeper_than(message, JSON_NESTING_MAX) {
        return Err(too_deep());
    }
    Ok(open_level(message, levels - 1)?.into_iter().map(Leaf::unescaped).collect())
}

/// Bytes inside a string of their envelope.
fn open_base64(data: &str, levels: u8) -> Result<Vec<Leaf<'static>>, Fault> {
    let bytes = STANDARD.decode(data).map_err(|_| {
        Fault::new(QuarantineReason::InvalidValue, "an envelope whose data is not Base64")
    })?;
    let bytes = if is_gzip(&bytes) { unzip(&bytes)? } else { bytes };
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(error.utf8_error()))?;
    open_message(&text, levels)
}

/// Whether bytes are compressed with gzip, as CloudWatch Logs sends them.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B, 8])
}

/// The text inside gzip.
///
/// # Errors
/// The data is damaged, or larger than a record may be.
pub(crate) fn unzip(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    use std::io::Read;
    let mut unzipped = Vec::new();
    let limit = RECORD_BYTES_MAX as u64 + 1;
    let result = flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut unzipped);
    if unzipped.len() > RECORD_BYTES_MAX {
        let detail = format!("more than {RECORD_BYTES_MAX} bytes when unzipped");
        return Err(Fault::new(QuarantineReason::TooLarge, detail));
    }
    match result {
        Ok(_) => Ok(unzipped),
        Err(_) => Err(Fault::new(QuarantineReason::InvalidValue, "damaged gzip data")),
    }
}

/// The fault of bytes that are no text.
pub(crate) fn not_utf8(error: std::str::Utf8Error) -> Fault {
    let detail = format!("not UTF-8 at byte {}", error.valid_up_to());
    Fault::new(QuarantineReason::InvalidUtf8, detail)
}

/// The fault of text that is nested too deep.
pub(crate) fn too_deep() -> Fault {
    let detail = format!("JSON nested deeper than {JSON_NESTING_MAX}");
    Fault::new(QuarantineReason::TooDeep, detail)
}

/// Where a slice of `text` ends in it. A slice of anything else ends nowhere; then the whole text remains.
pub(crate) fn end_within(text: &str, slice: &str) -> usize {
    start_within(text, slice).map_or(0, |start| start + slice.len())
}

/// Where a slice of `text` starts in it; `None` if it is no slice of it.
pub(crate) fn start_within(text: &str, slice: &str) -> Option<usize> {
    let start = (slice.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (start + slice.len() <= text.len()).then_some(start)
}

/// The byte at which serde_json stopped: it tells a line and a column, we tell an offset.
fn byte_position(text: &str, error: &serde_json::Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let line_start = match lines_before {
        0 => 0,
        n => text.match_indices('\n').nth(n - 1).map_or(0, |(at, _)| at + 1),
    };
    (line_start + error.column()).min(text.len())
}
