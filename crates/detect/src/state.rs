//! Saving and loading of state: a version, a number of segments, bytes.

use std::cell::Cell;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

/// The version of the format of all segments. A change of any saved type raises it and adds a migration.
pub const FORMAT: u32 = 3;

/// The oldest format that can still be loaded.
const FORMAT_MIN: u32 = 1;

/// Why a saved state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Written by a release that we do not know.
    #[error("the state has format {found}, this release reads {FORMAT_MIN} to {FORMAT}")]
    Format {
        /// The format found.
        found: u32,
    },
    /// The bytes are not what the format says.
    #[error("segment {index} of the state is damaged: {reason}")]
    Damaged {
        /// The segment.
        index: u32,
        /// What the decoder said.
        reason: String,
    },
}

/// Checks the format of a saved state.
///
/// # Errors
/// [`StateError::Format`] for one that nothing here reads.
fn check_format(found: u32) -> Result<(), StateError> {
    let is_known = (FORMAT_MIN..=FORMAT).contains(&found);
    if is_known { Ok(()) } else { Err(StateError::Format { found }) }
}

thread_local! {
    /// The format of what is being read: fields that it does not have yet are not looked for.
    static READING: Cell<u32> = const { Cell::new(FORMAT) };
}

/// Reads what a release of that format has saved.
///
/// # Errors
/// [`StateError::Format`] for a format that nothing here reads, and what `read` finds.
pub(crate) fn reading<T>(
    format: u32,
    read: impl FnOnce() -> Result<T, StateError>,
) -> Result<T, StateError> {
    check_format(format)?;
    READING.set(format);
    let read = read();
    READING.set(FORMAT);
    read
}

/// Whether what is being read was saved in an older format than this one.
pub(crate) fn is_older_than(format: u32) -> bool {
    READING.get() < format
}

/// A field that came with format 3: of an older state it has its default.
///
/// For `#[serde(deserialize_with)]`; the bytes of a state name no fields, so what is not there must not be read.
///
/// # Errors
/// Those of the field's own type.
pub(crate) fn since_3<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    if is_older_than(3) { Ok(T::default()) } else { T::deserialize(deserializer) }
}

/// One segment's bytes.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Encoding into memory fails only for types without a length, of which the state has none.
    postcard::to_stdvec(value).unwrap_or_default()
}

/// One segment's value.
///
/// # Errors
/// [`StateError::Damaged`] if the bytes are not one whole value.
pub fn decode<T: DeserializeOwned>(index: u32, bytes: &[u8]) -> Result<T, StateError> {
    let damaged = |reason: String| StateError::Damaged { index, reason };
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|e| damaged(e.to_string()))?;
    if rest.is_empty() { Ok(value) } else { Err(damaged(format!("{} bytes too many", rest.len()))) }
}
