//! What stands around events: files of records, arrays, and the envelopes of message services.
//!
//! A [`Leaf`] is one element that should be an event, or a part that cannot be read. Only shape is judged here; what an
//! element means is its source's to say.

use std::borrow::Cow;
use std::fmt;

use dataward_event::limits::{EVENTS_PER_RECORD_MAX, JSON_NESTING_MAX};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::lenient::{Key, Loose};
use crate::nesting;

/// Envelopes inside envelopes beyond this are taken as they are.
const LEVELS_MAX: u8 = 4;

/// Keys that only events have: seeing one ends the look for envelopes.
const EVENT_MARKERS: [&str; 12] = [
    "eventVersion",
    "eventName",
    "eventSource",
    "userIdentity",
    "eventTime",
    "eventID",
    "awsRegion",
    "requestParameters",
    "class_uid",
    "category_uid",
    "type_uid",
    "metadata",
];

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
}

impl<'t> Leaf<'t> {
    fn whole(raw: &'t str, fault: Option<Fault>) -> Self {
        Self { raw: Cow::Borrowed(raw), fault, is_verbatim: true, collected: None }
    }

    fn unescaped(self) -> Leaf<'static> {
        let raw = Cow::Owned(self.raw.into_owned());
        Leaf { raw, fault: self.fault, is_verbatim: false, collected: self.collected }
    }
}

/// Takes a text apart into its elements, in order; at least one.
///
/// # Errors
/// A fault that concerns the whole text.
pub(crate) fn open(text: &str) -> Result<Vec<Leaf<'_>>, Fault> {
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
    if levels == 0 || !text.starts_with(['{', '[']) {
        return Ok(vec![Leaf::whole(text, None)]);
    }
    // What CloudTrail writes first.
    if text.starts_with("{\"eventVersion\"") {
        return Ok(vec![Leaf::whole(text, None)]);
    }
    let mut shape = Shape::default();
    let result = shape.look_at(text);
    if shape.is_event {
        return Ok(vec![Leaf::whole(text, None)]);
    }
    if shape.has_too_many {
        return Err(too_many());
    }
    let collected = shape.collected;
    let mut leaves = open_envelope(text, shape, result, levels)?;
    for leaf in &mut leaves {
        leaf.collected = leaf.collected.or(collected);
    }
    Ok(leaves)
}

/// What stands in an envelope of this shape, or, where it is none, the text as it is.
fn open_envelope<'t>(
    text: &'t str,
    mut shape: Shape<'t>,
    result: Result<(), serde_json::Error>,
    levels: u8,
) -> Result<Vec<Leaf<'t>>, Fault> {
    if let Some(elements) = shape.elements.take() {
        return open_elements(text, &elements, result, levels);
    }
    if let Err(error) = result {
        return Err(Fault::malformed(text, &error));
    }
    if let Some(detail) = shape.detail {
        return open_event_bridge(detail, levels);
    }
    match shape.message {
        Some(message) => open_message(message.as_str().unwrap_or_default(), levels),
        None => Ok(vec![Leaf::whole(text, None)]),
    }
}

/// An array of elements, with whatever could not be read of it as one more part.
fn open_elements<'t>(
    text: &'t str,
    elements: &[&'t RawValue],
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

/// EventBridge: the event stands in `detail`, as it is.
fn open_event_bridge(detail: &RawValue, levels: u8) -> Result<Vec<Leaf<'_>>, Fault> {
    let mut shape = Shape::default();
    let result = shape.look_at(detail.get());
    if shape.is_event || (result.is_ok() && shape.elements.is_some()) {
        return open_level(detail.get(), levels - 1);
    }
    Err(Fault::new(
        QuarantineReason::WrongShape,
        "an EventBridge message whose `detail` is not an audit event",
    ))
}

/// SNS: the event stands in `Message`, as a string.
fn open_message(message: &str, levels: u8) -> Result<Vec<Leaf<'static>>, Fault> {
    if !message.trim_start().starts_with(['{', '[']) {
        return Err(Fault::new(QuarantineReason::WrongShape, "an SNS `Message` that is not JSON"));
    }
    if nesting::is_deeper_than(message, JSON_NESTING_MAX) {
        return Err(too_deep());
    }
    Ok(open_level(message, levels - 1)?.into_iter().map(Leaf::unescaped).collect())
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

/// What the outermost level of a text looks like.
#[derive(Default)]
struct Shape<'t> {
    is_event: bool,
    has_too_many: bool,
    elements: Option<Vec<&'t RawValue>>,
    detail: Option<&'t RawValue>,
    message: Option<Loose<'t>>,
    collected: Option<EventTime>,
}

impl<'t> Shape<'t> {
    /// Reads keys until one shows that this is an event. What was found before an error stays.
    fn look_at(&mut self, text: &'t str) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_any(ShapeVisitor(self))?;
        deserializer.end()
    }
}

struct ShapeVisitor<'s, 't>(&'s mut Shape<'t>);

impl<'t> Visitor<'t> for ShapeVisitor<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let shape = self.0;
        let (mut is_event_bridge, mut is_notification) = (false, false);
        let (mut detail, mut message) = (None, None);
        let (mut bus_time, mut collector_time) = (Loose::default(), Loose::default());
        while let Some(Key(name)) = map.next_key::<Key<'t>>()? {
            match &*name {
                name if EVENT_MARKERS.contains(&name) => {
                    shape.is_event = true;
                    return Err(A::Error::custom("an event"));
                }
                "Records" => map.next_value_seed(Elements(shape))?,
                "detail-type" => {
                    is_event_bridge = true;
                    map.next_value::<IgnoredAny>()?;
                }
                "detail" => detail = Some(map.next_value::<&'t RawValue>()?),
                "Type" => {
                    is_notification =
                        map.next_value::<Loose<'t>>()?.as_str() == Some("Notification");
                }
                "Message" => message = Some(map.next_value::<Loose<'t>>()?),
                "time" => bus_time = map.next_value::<Loose<'t>>()?,
                "@timestamp" => collector_time = map.next_value::<Loose<'t>>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        shape.detail = detail.filter(|_| is_event_bridge);
        shape.message = message.filter(|_| is_notification);
        // The bus stood nearer to the event than whoever read from it.
        let times = [is_event_bridge.then_some(&bus_time), Some(&collector_time)];
        let texts = times.into_iter().flatten().filter_map(Loose::as_str);
        shape.collected = texts.filter_map(EventTime::parse_rfc3339).next();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, seq: A) -> Result<(), A::Error> {
        Elements(self.0).visit_seq(seq)
    }
}

/// Collects the elements of a list one by one, so that those before a fault survive it.
struct Elements<'s, 't>(&'s mut Shape<'t>);

impl<'t> DeserializeSeed<'t> for Elements<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Elements<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        let shape = self.0;
        let elements = shape.elements.insert(Vec::new());
        while let Some(element) = seq.next_element::<&'t RawValue>()? {
            if elements.len() >= EVENTS_PER_RECORD_MAX {
                shape.has_too_many = true;
                return Err(A::Error::custom("too many elements"));
            }
            elements.push(element);
        }
        Ok(())
    }

    // Anything else under the name of a list holds no events, but is no fault of its neighbours either.
    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
