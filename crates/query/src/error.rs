//! Why a question has no answer.

use dataward_pipeline::archive::ArchiveError;

/// Why a question has no answer. What was given out before it is true, but not all.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question cannot be asked so.
    #[error("{0}")]
    Question(String),
    /// The archive does not have what was named.
    #[error("{0}")]
    Unknown(String),
    /// The answer is larger than its limits.
    #[error("{0}")]
    Limit(String),
    /// Somebody wants the process to end.
    #[error("interrupted: the answer is not whole")]
    Stopped,
    /// The archive cannot be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file is not the one that was committed.
    #[error("{0}")]
    Broken(String),
    /// The answer could not be given out.
    #[error("failed to write the answer: {0}")]
    Output(#[from] std::io::Error),
}
