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

/// How much of the data a read asked for. It says nothing of what came back: that is the [`Volume`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReadScope {
    /// Some rows: a condition, a limit, a join, an aggregate narrows it.
    Part,
    /// Everything in a table or collection: no condition and no limit.
    Whole,
    /// Out of the datastore in one go: to a file, to another store, into a dump.
    Export,
}

impl ReadScope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Part, Self::Whole, Self::Export];

    /// The name in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Whole => "whole",
            Self::Export => "export",
        }
    }
}
