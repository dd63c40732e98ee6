//! The manifest of a snapshot: its header, and where its segments lie.

use std::collections::BTreeMap;

use dataward_pipeline::archive::ArchiveError;
use serde::{Deserialize, Serialize};

use crate::commit_log::unavailable;

/// What a snapshot consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) archive: String,
    pub(crate) owner: String,
    /// For a partition the offset it stands at; for the keeper a counter.
    pub(crate) number: i64,
    /// The version of the format of the segments.
    pub(crate) format: u32,
    /// The progress it stands at, by path of the partition.
    pub(crate) at: BTreeMap<String, i64>,
    pub(crate) segment_count: u32,
    pub(crate) segments: BTreeMap<u32, SegmentPlace>,
}

/// Where a segment lies, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SegmentPlace {
    /// The directory of the snapshot that wrote it.
    pub(crate) directory: String,
    pub(crate) blake3: String,
}

impl Manifest {
    /// The directory of the snapshot, in that of its owner.
    pub(crate) fn directory(&self) -> String {
        format!("{}.{}", self.number, self.format)
    }

    /// Whether every segment has a place.
    pub(crate) fn is_complete(&self) -> bool {
        usize::try_from(self.segment_count).is_ok_and(|count| count == self.segments.len())
            && self.segments.keys().all(|index| *index < self.segment_count)
    }

    /// Whether two manifests stand for the same state, wherever the segments lie.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        let hashes = |manifest: &Self| -> Vec<(u32, String)> {
            manifest.segments.iter().map(|(i, place)| (*i, place.blake3.clone())).collect()
        };
        self.at == other.at
            && self.segment_count == other.segment_count
            && hashes(self) == hashes(other)
    }

    /// The file: the hash of the rest on the first line.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, ArchiveError> {
        let json = serde_json::to_vec(self).map_err(unavailable)?;
        let mut bytes = blake3::hash(&json).to_hex().as_bytes().to_vec();
        bytes.push(b'\n');
        bytes.extend(json);
        Ok(bytes)
    }

    /// Reads the file; `None` if it is damaged.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (hash, json) = (bytes.get(..end)?, bytes.get(end + 1..)?);
        if blake3::hash(json).to_hex().as_bytes() != hash {
            return None;
        }
        serde_json::from_slice(json).ok()
    }
}

impl SegmentPlace {
    pub(crate) fn new(directory: String, bytes: &[u8]) -> Self {
        Self { directory, blake3: blake3::hash(bytes).to_hex().to_string() }
    }

    /// Whether these are the bytes of the segment.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        blake3::hash(bytes).to_hex().as_str() == self.blake3
    }
}
