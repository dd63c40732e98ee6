//! Exit codes: 0 done, 1 findings where the command is a check, 2 bad usage or config, 3 bad input, 4 the outside
//! world failed, 5 a broken promise.

use std::fmt;
use std::process::ExitCode;

use dataward_pipeline::archive::ArchiveError;
use dataward_pipeline::record_source::SourceError;
use dataward_pipeline::runner::RunError;
use dataward_query::error::QueryError;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done = 0,
    /// A check has found something.
    Findings = 1,
    /// Bad usage or configuration.
    Usage = 2,
    /// Bad or unreadable input.
    Input = 3,
    /// The outside world failed.
    World = 4,
    /// A broken promise: verification failed, offsets were lost.
    Broken = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed, and with which code it ends.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    /// A failure of this kind.
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    /// A failure of this kind, in words.
    pub(crate) fn text(exit: Exit, text: impl fmt::Display) -> Self {
        Self { exit, error: anyhow::anyhow!("{text}") }
    }

    /// The code it ends with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        let exit = match error {
            ArchiveError::Fenced(_) | ArchiveError::Unavailable(_) | ArchiveError::Stopped => {
                Exit::World
            }
            ArchiveError::Broken(_) => Exit::Broken,
        };
        Self::new(exit, error)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::new(Exit::World, error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::OffsetsLost(_) | RunError::Archive(ArchiveError::Broken(_)) => Exit::Broken,
            RunError::UnboundTopic(_) => Exit::Usage,
            RunError::Source(_)
            | RunError::Archive(_)
            | RunError::Stopped
            | RunError::GaveUp
            | RunError::Worker { .. } => Exit::World,
        };
        Self::new(exit, error)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let exit = match error {
            QueryError::Archive(error) => return error.into(),
            QueryError::Question(_) | QueryError::Limit(_) => Exit::Usage,
            QueryError::Unknown(_) => Exit::Input,
            QueryError::Stopped | QueryError::Output(_) => Exit::World,
            QueryError::Broken(_) => Exit::Broken,
        };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::World, error)
    }
}

/// What a command returns.
pub(crate) type Outcome = Result<Exit, Failure>;
