//! The kinds of rows: the first partition column.

use dataward_event::audit_event::EventKind;

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// An event that read or wrote.
    Access,
    /// An event that changed a setting.
    ConfigChange,
    /// An event of a logon.
    Authentication,
    /// An alert.
    Alert,
    /// A statement about a window.
    Exposure,
    /// What could not be read.
    Quarantine,
    /// Offsets without rows.
    Gap,
    /// A deed of an operator.
    Operator,
}

impl RowKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Access,
        Self::ConfigChange,
        Self::Authentication,
        Self::Alert,
        Self::Exposure,
        Self::Quarantine,
        Self::Gap,
        Self::Operator,
    ];

    /// The value of the partition column.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => EventKind::Access.as_str(),
            Self::ConfigChange => EventKind::ConfigChange.as_str(),
            Self::Authentication => EventKind::Authentication.as_str(),
            Self::Alert => "alert",
            Self::Exposure => "exposure",
            Self::Quarantine => "quarantine",
            Self::Gap => "gap",
            Self::Operator => "operator",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind of events, if it is one.
    pub const fn event_kind(self) -> Option<EventKind> {
        match self {
            Self::Access => Some(EventKind::Access),
            Self::ConfigChange => Some(EventKind::ConfigChange),
            Self::Authentication => Some(EventKind::Authentication),
            Self::Alert | Self::Exposure | Self::Quarantine | Self::Gap | Self::Operator => None,
        }
    }

    /// Whether its rows account for records: events and quarantine.
    pub const fn is_record(self) -> bool {
        self.event_kind().is_some() || matches!(self, Self::Quarantine)
    }
}

impl From<EventKind> for RowKind {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::Access => Self::Access,
            EventKind::ConfigChange => Self::ConfigChange,
            EventKind::Authentication => Self::Authentication,
        }
    }
}
