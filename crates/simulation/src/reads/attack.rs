//! Attacks as they became public, each at three strengths. The quiet ones hide in what is usual, some of them wholly.

/// What somebody does. The strengths are in `attack_reads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// One datastore is read out by a credential that always read it.
    ///
    /// Customers of Snowflake, 2024: stolen passwords, `SELECT *` and `COPY INTO` in the customers' own accounts.
    Dump,
    /// The role of an instance lists and reads whatever buckets it can.
    ///
    /// Capital One, 2019: a role of the web firewall synchronised the contents of over 700 buckets.
    RoleSync,
    /// Somebody exports who never does. The log tells no volume.
    ///
    /// Imperva, 2018: a snapshot of a database was copied out with a stolen key of the cloud account.
    ExportByStranger,
    /// Production is copied into a datastore that is new to everyone.
    ///
    /// Wyze, 2019: an employee copied user data into a new, faster database, which then stood open.
    CopyOfProduction,
    /// A stolen credential, at night, from a network where its owner never was.
    ///
    /// Uber, 2016: keys found in a code repository opened the bucket with the riders' data.
    StolenCredential,
    /// Twice to five times the usual volume for two weeks or three.
    ///
    /// Desjardins, 2019: an employee gathered the data of members for two years.
    Drip,
    /// The volume grows day by day.
    ///
    /// Marriott, 2018: four years in the reservations' database, here with an intruder who grows bolder slowly.
    Ramp,
    /// A datastore that the actor never read is read in bulk.
    ///
    /// Morgan Stanley, 2015: an adviser ran reports over clients with whom he had nothing to do.
    FirstAccess,
    /// Several actors take a little each.
    ///
    /// Coinbase, 2025: bribed support agents copied customers' data in the course of their work.
    Collusion,
    /// Usual reads at hours at which the person never works.
    ///
    /// Anthem, 2015: an administrator saw queries running under his own name that he had not started.
    OffHours,
    /// A little of everything.
    ///
    /// Waymo, 2015: an engineer took 14,000 files weeks before he left.
    WideReads,
}

/// How much an attacker dares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Hides in what is usual.
    Quiet,
    /// Takes clearly more than is usual.
    Plain,
    /// Takes what there is.
    Loud,
}

/// One attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Attack {
    /// What is done.
    pub scenario: Scenario,
    /// How much.
    pub strength: Strength,
    /// By whom, as indices into the world's actors. Each actor is in one attack only.
    pub actors: Vec<u32>,
    /// The time of its first event, in microseconds since the epoch.
    pub from: i64,
    /// The time of its last event.
    pub until: i64,
    /// How many events it has, those that were delivered twice counted once.
    pub events: u64,
    /// The rows that came back, as the logs report them.
    pub rows: u64,
    /// The bytes that came back, as the logs report them.
    pub bytes: u64,
    /// What was taken, in units, whether the logs report it or not.
    pub units: f64,
}

impl Scenario {
    /// All scenarios.
    pub const ALL: [Self; 11] = [
        Self::Dump,
        Self::RoleSync,
        Self::ExportByStranger,
        Self::CopyOfProduction,
        Self::StolenCredential,
        Self::Drip,
        Self::Ramp,
        Self::FirstAccess,
        Self::Collusion,
        Self::OffHours,
        Self::WideReads,
    ];

    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dump => "dump of one",
            Self::RoleSync => "role sync",
            Self::ExportByStranger => "export by stranger",
            Self::CopyOfProduction => "copy of production",
            Self::StolenCredential => "stolen credential",
            Self::Drip => "drip",
            Self::Ramp => "ramp",
            Self::FirstAccess => "first access",
            Self::Collusion => "collusion",
            Self::OffHours => "off hours",
            Self::WideReads => "wide reads",
        }
    }

    /// Whether it lasts for days, so that a statement at the close of a day is in time.
    pub const fn is_slow(self) -> bool {
        matches!(self, Self::Drip | Self::Ramp | Self::Collusion)
    }
}

impl Strength {
    /// All strengths, rising.
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Plain, Self::Loud];

    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Plain => "plain",
            Self::Loud => "loud",
        }
    }

    /// The figure of this strength.
    pub(crate) fn of<T: Copy>(self, figures: [T; 3]) -> T {
        figures[self as usize]
    }
}
