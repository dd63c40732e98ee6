//! What `verify` found.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// The proof, or the damage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The id of the archive.
    pub archive_id: String,
    /// The newest version of the table.
    pub version: u64,
    /// Commits whose hash was compared.
    pub commits: u64,
    /// Files that belong to the table.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows by kind.
    pub rows: BTreeMap<String, u64>,
    /// Files in the table's directory that no reader sees: leftovers of attempts.
    pub leftover_files: u64,
    /// The accounts of the partitions, files included.
    pub partitions: Vec<PartitionReport>,
    /// Everything that is not as it must be.
    pub problems: Vec<Problem>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// The account of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// `<topic>/<incarnation>/<partition>`.
    pub partition: String,
    /// Where it was first claimed.
    pub start: i64,
    /// The next offset.
    pub progress: i64,
    /// Records that have rows.
    pub records: u64,
    /// Rows of events.
    pub events: u64,
    /// Rows of quarantine.
    pub quarantined: u64,
    /// Offsets in gaps, by cause.
    pub gaps: BTreeMap<String, u64>,
}

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// There is no head file.
    HeadMissing,
    /// The head file cannot be read.
    HeadUnreadable,
    /// A commit is gone.
    CommitMissing {
        /// Its version.
        version: u64,
    },
    /// A commit cannot be read.
    CommitUnreadable {
        /// Its version.
        version: u64,
    },
    /// A commit is not the one that the next one, or the head, was made after.
    CommitAltered {
        /// Its version.
        version: u64,
    },
    /// A commit does not say after which one it was made: somebody else made it.
    CommitForeign {
        /// Its version.
        version: u64,
    },
    /// A log checkpoint says something else than the commits.
    LogCheckpointAltered {
        /// Its version.
        version: u64,
    },
    /// A file of the table is gone.
    FileMissing {
        /// Its path.
        path: String,
    },
    /// The bytes of a file are not those that were committed.
    FileAltered {
        /// Its path.
        path: String,
    },
    /// A file was committed without its hash.
    FileWithoutHash {
        /// Its path.
        path: String,
    },
    /// A file is no Parquet, or its rows hold what they must not.
    FileUnreadable {
        /// Its path.
        path: String,
        /// Why.
        detail: String,
    },
    /// A file does not hold as many rows as was committed.
    RowCountWrong {
        /// Its path.
        path: String,
        /// As committed.
        committed: Option<u64>,
        /// As found.
        found: u64,
    },
    /// A row names a partition that the table does not know.
    PartitionUnknown {
        /// The partition.
        partition: String,
    },
    /// Offsets between start and progress have neither rows nor a gap.
    OffsetsMissing {
        /// The partition.
        partition: String,
        /// The first one.
        from: i64,
        /// The one after the last.
        to: i64,
    },
    /// More offsets than are named one by one.
    MoreOffsetsMissing {
        /// `<topic>/<incarnation>/<partition>`.
        partition: String,
        /// In how many ranges.
        ranges: usize,
        /// How many offsets.
        offsets: u64,
    },
    /// Two rows stand at one place.
    RowTwice {
        /// The partition.
        partition: String,
        /// The offset.
        offset: i64,
        /// The index in the record.
        record_index: u32,
        /// The file that holds the second one.
        path: String,
    },
    /// A row stands before the start of its partition, or at or after its progress.
    RowOutside {
        /// The partition.
        partition: String,
        /// The first such offset.
        offset: i64,
    },
    /// The rows of a record do not run from index 0 without a hole.
    RecordIndexMissing {
        /// The partition.
        partition: String,
        /// The first offset of the record.
        offset: i64,
        /// The missing index.
        record_index: u32,
    },
    /// Two alerts have one id.
    AlertTwice {
        /// The id.
        alert_uid: String,
        /// The file that holds the second one.
        path: String,
    },
    /// No snapshot of an owner's state can be used.
    SnapshotUnusable {
        /// The owner.
        owner: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeadMissing => f.write_str("the head file is missing"),
            Self::HeadUnreadable => f.write_str("the head file cannot be read"),
            Self::CommitMissing { version } => write!(f, "commit {version} is missing"),
            Self::CommitUnreadable { version } => write!(f, "commit {version} cannot be read"),
            Self::CommitAltered { version } => write!(f, "commit {version} was altered"),
            Self::CommitForeign { version } => {
                write!(f, "commit {version} was not made by Dataward")
            }
            Self::LogCheckpointAltered { version } => {
                write!(f, "the log checkpoint of version {version} was altered")
            }
            Self::FileMissing { path } => write!(f, "file {path} is missing"),
            Self::FileAltered { path } => write!(f, "file {path} was altered"),
            Self::FileWithoutHash { path } => write!(f, "file {path} was committed without a hash"),
            Self::FileUnreadable { path, detail } => {
                write!(f, "file {path} cannot be read: {detail}")
            }
            Self::RowCountWrong { path, committed, found } => {
                let committed = committed.map_or("an unknown number of".into(), |n| n.to_string());
                write!(f, "file {path} holds {found} rows, {committed} were committed")
            }
            Self::PartitionUnknown { partition } => {
                write!(f, "rows of {partition}, which the table does not know")
            }
            Self::MoreOffsetsMissing { partition, ranges, offsets } => {
                write!(f, "{partition}: {offsets} more offsets in {ranges} ranges have no row")
            }
            Self::OffsetsMissing { partition, from, to } => {
                write!(f, "offsets {from}..{to} of {partition} have neither rows nor a gap")
            }
            Self::RowTwice { partition, offset, record_index, path } => {
                write!(f, "{partition}@{offset}.{record_index} is there twice, again in {path}")
            }
            Self::RowOutside { partition, offset } => {
                write!(f, "{partition}@{offset} lies outside start and progress")
            }
            Self::RecordIndexMissing { partition, offset, record_index } => {
                write!(f, "{partition}@{offset} has no row of index {record_index}")
            }
            Self::AlertTwice { alert_uid, path } => {
                write!(f, "alert {alert_uid} is there twice, again in {path}")
            }
            Self::SnapshotUnusable { owner } => write!(f, "no snapshot of {owner} can be used"),
        }
    }
}
