//! Why a record, or a part of one, could not become an event.

use serde::{Deserialize, Serialize};

/// The reason of a quarantine row. Closed: a new reason is a new version of the table's schema page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum QuarantineReason {
    /// A record of zero bytes, or a tombstone.
    Empty,
    /// Readable, but it holds no event, such as `{"Records":[]}`. Not an error; outside the quarantine rate.
    NoEvents,
    /// Not UTF-8.
    InvalidUtf8,
    /// Not well-formed JSON, or cut off.
    InvalidJson,
    /// JSON nested deeper than the limit.
    TooDeep,
    /// Larger than the limit of a record.
    TooLarge,
    /// More events in one record than the limit.
    TooManyEvents,
    /// Well-formed, but not of the shape of this source.
    WrongShape,
    /// A field holds a value that cannot be what it stands for.
    InvalidValue,
    /// Neither the event nor its transport carries a time.
    NoTime,
    /// The decoder failed on it: a defect of ours. The record is kept for the day when it is mended.
    DecoderFailed,
}

impl QuarantineReason {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::Empty,
        Self::NoEvents,
        Self::InvalidUtf8,
        Self::InvalidJson,
        Self::TooDeep,
        Self::TooLarge,
        Self::TooManyEvents,
        Self::WrongShape,
        Self::InvalidValue,
        Self::NoTime,
        Self::DecoderFailed,
    ];

    /// The name in rows and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoEvents => "no_events",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::InvalidJson => "invalid_json",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::TooManyEvents => "too_many_events",
            Self::WrongShape => "wrong_shape",
            Self::InvalidValue => "invalid_value",
            Self::NoTime => "no_time",
            Self::DecoderFailed => "decoder_failed",
        }
    }

    /// Whether it counts as bad input: a record without events does not.
    pub const fn is_fault(self) -> bool {
        !matches!(self, Self::NoEvents)
    }
}
