//! One record in, its events and rejects out.

use std::borrow::Cow;

use dataward_event::audit_event::AuditEvent;
use dataward_event::position::Position;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::KafkaTime;

/// What a decoder is given: one record, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The position of the record, with `record_index` 0: the base of derived uids.
    pub position: &'a Position,
    /// The transport's timestamp; `None` in a file.
    pub kafka_time: Option<KafkaTime>,
    /// The bytes.
    pub payload: &'a [u8],
}

/// What a record held. Every `record_index` is used once, by an event or by a reject.
#[derive(Debug, Default)]
pub struct Decoded<'a> {
    /// The events, in the order of the record.
    pub events: Vec<DecodedEvent<'a>>,
    /// What could not be read, and why.
    pub rejects: Vec<Reject<'a>>,
    /// What stood around the events, so that the record can be rebuilt; `None` where the event is the whole record.
    pub envelope: Option<Envelope<'a>>,
}

/// One event and its evidence.
#[derive(Debug)]
pub struct DecodedEvent<'a> {
    /// Its index in the record.
    pub record_index: u32,
    /// What happened.
    pub event: AuditEvent<'a>,
    /// The exact bytes of this event.
    pub raw: Cow<'a, [u8]>,
}

/// A part of a record that could not be read.
#[derive(Debug)]
pub struct Reject<'a> {
    /// Its index in the record.
    pub record_index: u32,
    /// Why.
    pub reason: QuarantineReason,
    /// A sentence for a person: what was expected, and at which byte or field. Never the payload itself (I11).
    pub detail: String,
    /// The exact bytes of this part; the whole record where no part could be told.
    pub raw: Cow<'a, [u8]>,
}

/// The bytes of a record that belong to none of its events.
#[derive(Debug)]
pub enum Envelope<'a> {
    /// The record with one NUL byte in the place of each event or reject, in order. JSON holds no bare NUL, so the
    /// record is rebuilt exactly by putting the raw parts back.
    Template(Vec<u8>),
    /// The whole record, where the events are not verbatim parts of it (escaped inside a string, compressed).
    Whole(Cow<'a, [u8]>),
}
