//! Every limit that shapes what is kept (I7), in one place.

/// The largest record that is decoded, in bytes. A larger one becomes a quarantine row.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest record that quarantine keeps whole, in bytes. Of a larger one it keeps the hash and a prefix.
pub const QUARANTINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How much of a record beyond [`QUARANTINE_BYTES_MAX`] quarantine keeps, in bytes.
pub const QUARANTINE_PREFIX_BYTES: usize = 1024 * 1024;

/// The deepest nesting of JSON that is decoded.
pub const JSON_NESTING_MAX: usize = 64;

/// The most events that one record may hold.
pub const EVENTS_PER_RECORD_MAX: usize = 100_000;

/// Objects named by one event beyond this are counted, not listed.
pub const OBJECTS_PER_EVENT_MAX: usize = 1_000;

/// The longest statement text that is kept in its column, in bytes; the raw record keeps all of it.
pub const STATEMENT_BYTES_MAX: usize = 64 * 1024;

/// Event uids remembered per partition to recognise what a producer delivered twice.
pub const DUPLICATE_UIDS_MAX: usize = 65_536;

/// How long an event uid is remembered, in microseconds of event time.
pub const DUPLICATE_WINDOW_MICROS: i64 = 10 * 60 * 1_000_000;

/// How late an event may be and still change findings in place, in microseconds.
pub const LATENESS_BOUND_MICROS: i64 = 15 * 60 * 1_000_000;

/// How far ahead of Kafka's clock an event time may be before it is clamped, in microseconds.
pub const FUTURE_SKEW_MICROS: i64 = 5 * 60 * 1_000_000;
