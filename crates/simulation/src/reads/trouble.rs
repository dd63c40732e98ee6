//! What happens in every company and harms nobody, labelled so that false alerts have a cause.

/// A kind of harmless trouble. Where several fit, the first one in this order is taken as the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TroubleKind {
    /// A job read ten times as much for a day or two.
    Backfill,
    /// A service reads two or three times as much from now on.
    Deploy,
    /// A person works in other datastores, and more or less, from now on.
    RoleChange,
    /// A group has a datastore that nobody had before.
    NewFeature,
    /// Somebody is new.
    Joiner,
    /// Somebody is about to leave, and then is gone.
    Leaver,
    /// A group reads two or three times as much for two days.
    MonthEnd,
    /// A place is closed for a day, and on the next there is more to do.
    Holiday,
    /// Somebody is away for a week, and then has more to do.
    Vacation,
    /// A whole network has other addresses from now on.
    NetworkMove,
    /// Events arrive hours late.
    LateDelivery,
    /// A job ran late, twice, or not at all.
    JobOffSchedule,
    /// Somebody worked at night, since something was broken.
    NightCall,
    /// Somebody looked into a datastore that was never theirs.
    FirstAccess,
    /// A person reads from a network where they never were.
    Travel,
}

/// One harmless trouble.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// Of which kind.
    pub kind: TroubleKind,
    /// Whom it concerns, as indices into the world's actors.
    pub actors: Vec<u32>,
    /// From when on, in microseconds since the epoch.
    pub from: i64,
    /// Until when it can be the cause of an alert, exclusive. What changed for good is usual after three weeks.
    pub until: i64,
    /// Somebody said so beforehand.
    pub is_announced: bool,
}

/// A change that somebody has said beforehand.
#[derive(Debug, Clone, PartialEq)]
pub struct Announcement<'w> {
    /// Whom it concerns, by uid.
    pub actors: Vec<&'w str>,
    /// From when on, in microseconds since the epoch.
    pub from: i64,
    /// Until when, exclusive.
    pub until: i64,
    /// What was said.
    pub reason: &'static str,
}

impl TroubleKind {
    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Deploy => "deploy",
            Self::RoleChange => "role change",
            Self::NewFeature => "new feature",
            Self::Joiner => "joiner",
            Self::Leaver => "leaver",
            Self::MonthEnd => "month end",
            Self::Holiday => "holiday",
            Self::Vacation => "vacation",
            Self::NetworkMove => "network move",
            Self::LateDelivery => "late delivery",
            Self::JobOffSchedule => "job off schedule",
            Self::NightCall => "night call",
            Self::FirstAccess => "first access",
            Self::Travel => "travel",
        }
    }
}
