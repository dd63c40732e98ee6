//! The log formats that are understood, by name.

use std::borrow::Cow;

use dataward_event::audit_event::AuditEvent;
use dataward_event::limits::{JSON_NESTING_MAX, RECORD_BYTES_MAX};
use dataward_event::position::Position;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, KafkaTime};
use dataward_event::uid::UidBuilder;

use crate::container::{self, Fault, Leaf};
use crate::decode::{Decoded, DecodedEvent, Envelope, Record, Reject};
use crate::{aws, nesting, ocsf};

/// A log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// OCSF events as JSON: the generic format.
    Ocsf,
    /// AWS CloudTrail: management events, data events, log-ons.
    AwsCloudtrail,
    /// Any of the others, told apart event by event.
    Auto,
}

impl Source {
    /// All sources, in the order of the reference.
    pub const ALL: [Self; 3] = [Self::Ocsf, Self::AwsCloudtrail, Self::Auto];

    /// The name in config, rows and alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ocsf => "ocsf",
            Self::AwsCloudtrail => "aws.cloudtrail",
            Self::Auto => "auto",
        }
    }

    /// The source of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// One line on what it reads.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Ocsf => "OCSF events as JSON, from any producer",
            Self::AwsCloudtrail => {
                "AWS CloudTrail: bare events, files of Records, EventBridge and SNS envelopes"
            }
            Self::Auto => "any of the other sources, told apart event by event",
        }
    }

    /// Its reference page, relative to the top of the repository; `None` where there is nothing to set up.
    pub const fn reference(self) -> Option<&'static str> {
        match self {
            Self::Ocsf => Some("docs/sources/ocsf.md"),
            Self::AwsCloudtrail => Some("docs/sources/aws.cloudtrail.md"),
            Self::Auto => None,
        }
    }
}

/// Where one event of a record stands: what its source needs besides its text.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) position: &'p Position,
    pub(crate) record_index: u32,
    pub(crate) kafka_time: Option<KafkaTime>,
    /// What the envelope says of its time.
    pub(crate) collected: Option<EventTime>,
}

impl Place<'_> {
    /// A uid for an event that brings none: the same bytes at the same place always get the same one.
    pub(crate) fn derived_uid(&self, raw: &str) -> String {
        UidBuilder::new("event")
            .text(&self.position.partition.path())
            .number(self.position.offset.0)
            .number(i64::from(self.record_index))
            .bytes(raw.as_bytes())
            .finish()
    }
}

/// Reads one record. It never fails: what cannot be read is a reject, and the rest of the record is still read.
pub fn decode<'a>(source: Source, record: Record<'a>) -> Decoded<'a> {
    let leaves = readable_text(record.payload).and_then(|text| {
        if nesting::is_deeper_than(text, JSON_NESTING_MAX) {
            return Err(container::too_deep());
        }
        container::open(text)
    });
    let leaves = match leaves {
        Ok(leaves) => leaves,
        Err(fault) => return whole_record_rejected(record, fault),
    };
    let envelope = envelope(record.payload, &leaves);
    let mut decoded = Decoded { envelope, ..Decoded::default() };
    // The number of leaves is limited far below u32::MAX, so no index is left out.
    for (record_index, leaf) in (0_u32..).zip(leaves) {
        let Record { position, kafka_time, .. } = record;
        let place = Place { position, record_index, kafka_time, collected: leaf.collected };
        decode_leaf(source, leaf, place, &mut decoded);
    }
    decoded
}

fn readable_text(payload: &[u8]) -> Result<&str, Fault> {
    if payload.is_empty() {
        return Err(Fault::new(QuarantineReason::Empty, "a record of zero bytes"));
    }
    if payload.len() > RECORD_BYTES_MAX {
        let detail = format!("{} bytes, the limit is {RECORD_BYTES_MAX}", payload.len());
        return Err(Fault::new(QuarantineReason::TooLarge, detail));
    }
    std::str::from_utf8(payload).map_err(|error| {
        let detail = format!("not UTF-8 at byte {}", error.valid_up_to());
        Fault::new(QuarantineReason::InvalidUtf8, detail)
    })
}

fn whole_record_rejected(record: Record<'_>, fault: Fault) -> Decoded<'_> {
    let reject = Reject {
        record_index: 0,
        reason: fault.reason,
        detail: fault.detail,
        raw: Cow::Borrowed(record.payload),
    };
    Decoded { rejects: vec![reject], ..Decoded::default() }
}

fn decode_leaf<'a>(source: Source, leaf: Leaf<'a>, place: Place<'_>, decoded: &mut Decoded<'a>) {
    let record_index = place.record_index;
    let result = match (leaf.fault, &leaf.raw) {
        (Some(fault), _) => Err(fault),
        (None, Cow::Borrowed(text)) => decode_text(source, text, place),
        (None, Cow::Owned(text)) => decode_text(source, text, place).map(AuditEvent::into_owned),
    };
    let raw = match leaf.raw {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    match result {
        Ok(event) => decoded.events.push(DecodedEvent { record_index, event, raw }),
        Err(Fault { reason, detail }) => {
            decoded.rejects.push(Reject { record_index, reason, detail, raw });
        }
    }
}

fn decode_text<'a>(
    source: Source,
    text: &'a str,
    place: Place<'_>,
) -> Result<AuditEvent<'a>, Fault> {
    match source {
        Source::Ocsf => ocsf::decode(text, place),
        Source::AwsCloudtrail => aws::decode(text, place),
        Source::Auto if ocsf::claims(text) => ocsf::decode(text, place),
        Source::Auto => aws::decode(text, place),
    }
}

/// What stands around the leaves.
fn envelope<'a>(payload: &'a [u8], leaves: &[Leaf<'_>]) -> Option<Envelope<'a>> {
    if let [leaf] = leaves
        && leaf.is_verbatim
        && leaf.raw.len() == payload.len()
    {
        return None;
    }
    let text = std::str::from_utf8(payload).ok()?;
    let mut template = Vec::new();
    let mut copied = 0;
    for leaf in leaves {
        let start = match &leaf.raw {
            Cow::Borrowed(raw) if leaf.is_verbatim => container::start_within(text, raw),
            _ => None,
        };
        let Some(start) = start.filter(|start| *start >= copied) else {
            return Some(Envelope::Whole(Cow::Borrowed(payload)));
        };
        template.extend_from_slice(&payload[copied..start]);
        template.push(0);
        copied = start + leaf.raw.len();
    }
    template.extend_from_slice(&payload[copied..]);
    Some(Envelope::Template(template))
}
