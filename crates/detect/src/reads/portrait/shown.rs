//! The parts of a portrait.

use serde::Serialize;

use super::date;

/// One window: how much was read, and how much is usual.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WindowShown {
    /// Its length in seconds: 60, 600, 3600, or 86400 for the open day.
    pub seconds: u32,
    /// What was read in the window that ends with the partition's newest event, in units.
    pub now: f64,
    /// The most of the open day, in units: what is judged.
    pub highest: f64,
    /// The median of what is expected of the highest of a day, in units.
    pub usual: f64,
    /// What one day in a thousand stays below, in units.
    pub lower: f64,
    /// What one day in a thousand passes, in units.
    pub upper: f64,
    /// How unlikely the highest is: the negative logarithm of its probability, before any calibration.
    pub nats: f64,
    /// How many days taught it, as far as they count.
    pub days: f64,
    /// Enough days are known to judge it by itself.
    pub is_judged: bool,
}

/// Objects never read before, in one window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewObjectsShown {
    /// The length of the window in seconds.
    pub seconds: u32,
    /// The most of the open day.
    pub highest: f64,
    /// The median of what is expected.
    pub usual: f64,
    /// What one day in a thousand passes.
    pub upper: f64,
    /// How unlikely the highest is, before any calibration.
    pub nats: f64,
    /// How many days taught it, as far as they count.
    pub days: f64,
    /// They are enough to be judged.
    pub is_judged: bool,
}

/// What was read, in what sources count; nothing where none tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MetricsShown {
    /// Rows, documents or records.
    pub rows: Option<u64>,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Objects, or events where nothing else is told.
    pub objects: Option<u64>,
}

/// What a figure of evidence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Units of volume: rows or KiB.
    Volume,
    /// Objects.
    Objects,
    /// Datastores that were new today.
    Datastores,
    /// Odd hours of the last day.
    OddHours,
    /// Seconds since a network was first seen.
    Seconds,
}

/// One kind of evidence of the open day: its strongest.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EvidenceShown {
    /// The kind.
    pub family: &'static str,
    /// How strong it is by itself, in nats.
    pub score: f64,
    /// What that is worth beside the days of its like: the calibrated nats.
    pub nats: f64,
    /// The datastore at hand when it was reached.
    pub datastore: Option<String>,
    /// It is about all datastores together.
    pub of_all_datastores: bool,
    /// The window in which it was reached, in seconds.
    pub window_seconds: Option<u32>,
    /// The hour of the day (UTC) in which it was reached: of odd hours.
    pub hour: Option<u8>,
    /// What was seen.
    pub seen: Option<f64>,
    /// What that counts.
    pub unit: Option<Unit>,
    /// What was expected when it was reached: the median.
    pub usual: Option<f64>,
    /// What one day in a thousand passes.
    pub upper: Option<f64>,
    /// How many of the group had come to a new datastore before, at most 255.
    pub peers: Option<u8>,
    /// The probability that the actor is at work in an odd hour.
    pub presence: Option<f64>,
}

/// One channel, beside its threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelShown {
    /// The channel.
    pub channel: &'static str,
    /// The sum of the evidence it hears, in calibrated nats; 0 of drift, which has a statistic of its own.
    pub evidence: f64,
    /// The score: the negative logarithm of the share of ordinary actor-days that reach it.
    pub score: f64,
    /// The highest score of the open day with the sensitivity of the data in it, where it was high enough to ask for that.
    pub weighed: Option<f64>,
    /// From which score on people are told; nothing where the channel is off.
    pub threshold: Option<f64>,
    /// The day from which on it speaks in this partition.
    #[serde(serialize_with = "date")]
    pub speaks_from: i32,
    /// That day has come.
    pub is_warm: bool,
}

/// The volumes of the last active days. Each event counts no more than a large one of the actor's own, so that single large
/// reads do not hide slow growth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryShown {
    /// The days that are over, oldest first, in units.
    pub volumes: Vec<f64>,
    /// The open day so far, in units.
    pub open: f64,
    /// The median of the days that are over.
    pub median: Option<f64>,
    /// As how large an event counts at most, in units; nothing of somebody new.
    pub large_event: Option<f64>,
    /// How far the last days stand out; nothing where too few are known.
    pub growth: Option<GrowthShown>,
}

/// How far the last days stand out, as of the last day that is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GrowthShown {
    /// About how many standard deviations the last days lie above those before.
    pub statistic: f64,
    /// How many last days those are: 4, 8 or 12.
    pub days: usize,
    /// The median of the days before, in units.
    pub usual: f64,
    /// The mean level of the last days, in units.
    pub recent: f64,
    /// What that is worth, the growth of the group left out: calibrated nats.
    pub nats: f64,
}

/// At which hours (UTC) it works.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoursShown {
    /// The probability of an event in each hour of a workday.
    pub workdays: Vec<f64>,
    /// The same of a Saturday or Sunday.
    pub weekends: Vec<f64>,
    /// How many workdays taught that; what is missing, the group lends.
    pub workdays_known: u8,
    /// How many days of weekends.
    pub weekend_days_known: u8,
    /// The hours with an event on the open day.
    pub today: Vec<u8>,
}

/// What people were told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentShown {
    /// The uid of the finding.
    pub uid: String,
    /// The channel.
    pub channel: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The day on which it began.
    #[serde(serialize_with = "date")]
    pub since: i32,
    /// The score that was said last.
    pub score_said: f64,
    /// The day on which it was.
    #[serde(serialize_with = "date")]
    pub said_on: i32,
    /// What is left of that score on the open day: it falls with each day, and what passes it clearly is told again.
    pub bar: f64,
    /// How many datastores it touches.
    pub datastores: usize,
}

/// The actor in one datastore.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatastoreShown {
    /// What it is called.
    pub label: Option<String>,
    /// The day of the first event.
    #[serde(serialize_with = "date")]
    pub first_day: i32,
    /// The day of the newest event.
    #[serde(serialize_with = "date")]
    pub last_day: i32,
    /// How many active days in it are over.
    pub days: u16,
    /// The four windows.
    pub windows: Vec<WindowShown>,
    /// What was read on the open day.
    pub read_today: MetricsShown,
    /// How many different objects were read, as far as that is remembered.
    pub objects: u32,
    /// How many of them were read for the first time on the open day.
    pub new_objects: u32,
    /// On how many days data was copied out of it.
    pub export_days: u16,
    /// How many actors of the group have come to it.
    pub readers_of_group: usize,
}
