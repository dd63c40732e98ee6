//! For how long counts are added up before they are judged.

use serde::{Deserialize, Serialize};

/// A stretch of event time whose volume is compared with what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    /// The last hour, sliding in steps of five minutes: dumps take minutes. Its value of a day is the highest sum of
    /// that day, so every event can be judged as it comes, and the probability is per day already: nobody needs to
    /// correct for how often was looked.
    Hour,
    /// The calendar day in UTC so far. Not the last 24 hours: a day's volume would count in the values of two days, and
    /// what is learned from would not be independent. What is read around midnight is the hour's to see.
    Day,
}

impl Period {
    /// Both periods.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// Its length, in seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// The least variance of a level that is believed, however even the days were: a fifth up or down (0.2²) in an
    /// hour; a third (0.32²) in a day, of which there are fewer and which somebody should wake up for.
    pub const fn variance_min(self) -> f64 {
        match self {
            Self::Hour => 0.04,
            Self::Day => 0.10,
        }
    }
}
