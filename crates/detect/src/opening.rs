//! An opening: the event that opened things in a setting, which of them are closed again, and whether it exposed the
//! datastore. Each opened thing is a window; those that one event opened are told of together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_event::change::{Change, Control, WindowKind};
use dataward_event::exposure::{Known, ReadFigures};
use dataward_event::finding::CloseReason;
use dataward_event::time::EventTime;
use dataward_event::uid::{UidBuilder, short_hash};
use serde::{Deserialize, Serialize};

use crate::posture_event::{PostureEvent, SettingKey};
use crate::read_total::ReaderKey;
use crate::state::since_3;

/// The setting of a window that a read from outside made known, not a change.
pub const OUTSIDE_READ: &str = "outside_read";

/// The setting of a window in which a source says nothing.
pub const SOURCE_SILENT: &str = "source_silent";

/// A restoration within this time, in microseconds, is the second half of a replacement.
pub const GRACE_MICROS: i64 = 10 * 60 * 1_000_000;

/// Readers of our own that are told of one by one in an exposure; the figures of its end have all of them.
const INSIDERS_TOLD_MAX: usize = 8;
/// Readers from outside that are told of one by one in an exposure.
const STRANGERS_TOLD_MAX: usize = 1_024;

/// Readers remembered by name in one opening; further ones are summed up. Outsiders have a limit of their own.
const READERS_MAX: usize = 64;

const HOUR_MICROS: i64 = 3_600_000_000;
/// A day, in microseconds.
pub const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// The ages at which a window that is still open is told of again, in microseconds, and what people call them.
pub const STILL_OPEN: [(i64, &str); 3] =
    [(HOUR_MICROS, "1 hour"), (DAY_MICROS, "1 day"), (7 * DAY_MICROS, "7 days")];

/// When an opening is told of as still open: the place in [`STILL_OPEN`], and the time.
pub fn still_open_dues(opening: &Opening) -> Vec<(usize, EventTime)> {
    if opening.control().window_kind() != WindowKind::Confidentiality {
        return Vec::new();
    }
    let dues = STILL_OPEN.iter().map(|(age, _)| opening.event.time.plus_micros(*age));
    dues.enumerate().filter(|(_, due)| opening.is_open_at(*due)).collect()
}

/// Which opening: ordered by the time of its event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OpeningId {
    /// When.
    pub time: EventTime,
    /// By which event.
    pub event_uid: String,
    /// In which setting.
    pub key: SettingKey,
}

/// What one event opened in one setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The event.
    pub event: Arc<PostureEvent>,
    /// The setting.
    pub key: SettingKey,
    /// What it opened.
    pub changes: Vec<Change<'static>>,
    /// Nothing was known of some of it before: it may have been open already.
    pub is_uncertain: bool,
    /// It came after the lateness bound.
    pub is_late: bool,
    /// Whether the datastore could be reached from outside when it was opened.
    pub reachable: Known,
    /// Whether it could be read by whoever reaches it.
    pub readable: Known,
    /// The things that are closed again.
    pub closings: BTreeMap<String, Arc<Closing>>,
    /// It completed an exposure.
    pub exposure: Option<Exposed>,
    /// When it was a part of an exposure that another opening completed.
    pub covered: Vec<Covered>,
    /// Since when it was exposed, where that is over for longer than the lateness bound.
    pub was_exposed_at: Option<EventTime>,
    /// What was read in it up to the lateness bound.
    pub tally: Tally,
    /// What had been read in it when it was told of as still open, once that is older than the bound.
    pub tallies_when_told: BTreeMap<usize, Tally>,
}

/// What ended something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The event.
    pub event: Arc<PostureEvent>,
    /// Why.
    pub reason: CloseReason,
}

/// The datastore was reachable and readable, and this opening was the last step to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// Since when.
    pub at: EventTime,
    /// The event that completed it: a change, or a read that proved it.
    pub by: Arc<PostureEvent>,
    /// A read from outside proved it.
    pub is_proven: bool,
    /// The openings that let somebody read; it is over when all of them are closed.
    pub covered: BTreeSet<OpeningId>,
    /// What else it takes: the network that is open, the guard that is gone.
    pub legs: Vec<Leg>,
    /// What ended it.
    pub closing: Option<Arc<Closing>>,
    /// Who has been told of as a reader, for longer than the lateness bound.
    pub told: ToldReaders,
    /// What did not record while it was exposed: its own audit log, or the trail of its account.
    #[serde(deserialize_with = "since_3")]
    pub blind: Option<Leg>,
}

/// A time in which an opening was a part of an exposure that another one completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Since when.
    pub from: EventTime,
    /// Until when; `None` while it lasts.
    pub to: Option<EventTime>,
}

/// Readers in an exposure that have been told of one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldReaders {
    strangers: BTreeSet<String>,
    insiders: BTreeSet<String>,
}

/// Another opening that an exposure stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Its event.
    pub event: Arc<PostureEvent>,
    /// What it opened.
    pub change: Change<'static>,
}

/// Who read how much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Everybody.
    pub all: ReadFigures,
    /// Outsiders.
    pub outside: ReadFigures,
    /// Our own, by reader.
    insiders: Readers,
    /// Outsiders, by reader.
    outsiders: Readers,
}

/// Readers, as many as there is room for. Which of them are kept depends on who they are, never on who came first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Readers {
    known: BTreeMap<(u64, ReaderKey), ReadFigures>,
    others: Option<ReadFigures>,
}

impl OpeningId {
    /// The uid of the window of one thing.
    pub fn window_uid(&self, datastore_uid: &str, thing: &str) -> String {
        UidBuilder::new("exposure")
            .text(datastore_uid)
            .text(self.key.0.as_str())
            .text(&self.key.1)
            .text(thing)
            .text(&self.event_uid)
            .finish()
    }
}

impl Opening {
    /// What an event has opened just now, before anything is known of it.
    pub(crate) fn new(
        event: &Arc<PostureEvent>,
        key: SettingKey,
        changes: Vec<Change<'static>>,
    ) -> Self {
        Self {
            event: Arc::clone(event),
            key,
            changes,
            is_uncertain: false,
            is_late: false,
            reachable: Known::Unknown,
            readable: Known::Unknown,
            closings: BTreeMap::new(),
            exposure: None,
            covered: Vec::new(),
            was_exposed_at: None,
            tally: Tally::default(),
            tallies_when_told: BTreeMap::new(),
        }
    }

    /// Which one it is.
    pub fn id(&self) -> OpeningId {
        OpeningId {
            time: self.event.time,
            event_uid: self.event.uid.clone(),
            key: self.key.clone(),
        }
    }

    /// The control.
    pub fn control(&self) -> Control {
        self.key.0
    }

    /// What of it is still open.
    pub fn open_things(&self) -> impl Iterator<Item = &str> {
        let things = self.changes.iter().map(|change| &*change.opened);
        things.filter(|thing| !self.closings.contains_key(*thing))
    }

    /// Whether something of it is still open.
    pub fn is_open(&self) -> bool {
        self.open_things().next().is_some()
    }

    /// Whether it was open at a time.
    pub fn is_open_at(&self, time: EventTime) -> bool {
        let is_closed = |change: &Change<'_>| {
            self.closings.get(&*change.opened).is_some_and(|closing| closing.event.time <= time)
        };
        self.event.time <= time && !self.changes.iter().all(is_closed)
    }

    /// Up to when it is to be judged: until all of it is closed, or now.
    pub(crate) fn judged_until(&self, now: EventTime) -> EventTime {
        self.closing().map_or(now, |closing| closing.event.time)
    }

    /// What closed the last of it, if all is closed.
    pub fn closing(&self) -> Option<&Arc<Closing>> {
        if self.is_open() {
            return None;
        }
        self.closings.values().max_by_key(|closing| (closing.event.time, &closing.event.uid))
    }

    /// The uid of its first window: that of the exposure, where it completed one.
    pub fn uid(&self) -> String {
        let things = self.changes.iter().map(|change| &*change.opened);
        self.id().window_uid(&self.event.datastore.uid, things.min().unwrap_or_default())
    }

    /// Whether another opening tells of it at a time, because both are parts of one exposure.
    pub fn is_covered_at(&self, time: EventTime) -> bool {
        self.covered.iter().any(|part| part.from <= time && part.to.is_none_or(|to| time < to))
    }

    /// Whether a read made it known.
    pub fn is_of_a_read(&self) -> bool {
        self.key.1 == OUTSIDE_READ
    }

    /// The interval in which reads are reads inside: `[from, to)`.
    pub fn interval(&self) -> (EventTime, Option<EventTime>) {
        (self.event.time, self.closing().map(|closing| closing.event.time))
    }
}

impl Exposed {
    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    /// The interval of it: `[from, to)`.
    pub fn interval(&self) -> (EventTime, Option<EventTime>) {
        (self.at, self.closing.as_ref().map(|closing| closing.event.time))
    }
}

impl ToldReaders {
    /// Whether a reader is to be told of who has not been yet; notes it.
    pub fn is_new(&mut self, identity: &str, is_stranger: bool) -> bool {
        let (readers, most) = if is_stranger {
            (&mut self.strangers, STRANGERS_TOLD_MAX)
        } else {
            (&mut self.insiders, INSIDERS_TOLD_MAX)
        };
        readers.len() < most && readers.insert(identity.to_owned())
    }
}

impl Closing {
    /// The end of something that began at `since`.
    pub fn new(event: &Arc<PostureEvent>, since: EventTime) -> Arc<Self> {
        let reason = if event.is_destruction {
            CloseReason::Destroyed
        } else if event.time <= since.plus_micros(GRACE_MICROS) {
            CloseReason::Replaced
        } else {
            CloseReason::Restored
        };
        Arc::new(Self { event: Arc::clone(event), reason })
    }
}

impl Tally {
    /// Adds what a reader read. `None`: readers that nobody told apart.
    pub fn add(&mut self, reader: Option<&ReaderKey>, is_outsider: bool, figures: &ReadFigures) {
        self.all.merge(figures);
        if is_outsider {
            self.outside.merge(figures);
        }
        let readers = if is_outsider { &mut self.outsiders } else { &mut self.insiders };
        readers.add(reader, figures);
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.outside.merge(&other.outside);
        self.insiders.merge(&other.insiders);
        self.outsiders.merge(&other.outsiders);
    }

    /// Every reader that is told apart, outsiders marked; `None`: the others.
    pub fn readers(&self) -> impl Iterator<Item = (Option<&ReaderKey>, bool, &ReadFigures)> {
        let outsiders = self.outsiders.iter().map(|(key, figures)| (key, true, figures));
        outsiders.chain(self.insiders.iter().map(|(key, figures)| (key, false, figures)))
    }
}

impl Readers {
    fn add(&mut self, reader: Option<&ReaderKey>, figures: &ReadFigures) {
        let Some(reader) = reader else {
            self.others.get_or_insert_default().merge(figures);
            return;
        };
        let key = (short_hash(reader.identity()), reader.clone());
        self.known.entry(key).or_default().merge(figures);
        while self.known.len() > READERS_MAX {
            if let Some((_, figures)) = self.known.pop_last() {
                self.others.get_or_insert_default().merge(&figures);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        for ((_, reader), figures) in &other.known {
            self.add(Some(reader), figures);
        }
        if let Some(figures) = &other.others {
            self.add(None, figures);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (Option<&ReaderKey>, &ReadFigures)> {
        let known = self.known.iter().map(|((_, reader), figures)| (Some(reader), figures));
        known.chain(self.others.iter().map(|figures| (None, figures)))
    }
}
