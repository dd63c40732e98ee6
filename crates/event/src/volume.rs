//! How much was read or written. Unknown is never zero (I6): a source that reports nothing leaves the field empty.

use serde::{Deserialize, Serialize};

/// Rows, documents or records returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowCount(pub u64);

/// Bytes that left the datastore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ByteCount(pub u64);

/// Objects, keys or files touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectCount(pub u64);

/// What a source reported of the volume of one event; `None` is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Volume {
    /// Rows returned.
    pub rows: Option<RowCount>,
    /// Bytes out.
    pub bytes: Option<ByteCount>,
    /// Objects touched.
    pub objects: Option<ObjectCount>,
}
