//! Copies that no event names: somebody reads much of one datastore, and writes about as much into another one.
//!
//! Counted per datastore, actor and hour; only minutes in which much was moved count, which is known when a minute is
//! settled. An hour of writing is compared when it is over, and its last reads are known.

use std::collections::BTreeMap;

use dataward_event::change::{COPY_FROM, Change, Control, Direction, copy_place};
use dataward_event::limits::LATENESS_BOUND_MICROS;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::datastore_state::{DatastoreState, TotalKey};
use crate::keeper::PATIENCE_MICROS;
use crate::place::Place;
use crate::posture_event::PostureEvent;
use crate::read_total::{MINUTE_MICROS, ReadMark, ReadTotal, ReaderKey};

/// The rows, or the bytes, that make a minute of moving count.
const MINUTE_ROWS_MIN: u64 = 1_000;
const MINUTE_BYTES_MIN: u64 = 1_000_000;
/// The rows, or the bytes, that must be written in a day to be a copy.
const COPY_ROWS_MIN: u64 = 50_000;
const COPY_BYTES_MIN: u64 = 10_000_000;
/// How far what was read and what was written may lie apart.
const FACTOR: u64 = 3;
/// Between the first read and the last write.
const HOURS: i64 = 24;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
/// Hours of actors remembered for a datastore; beyond it those that moved least are forgotten.
const FLOWS_MAX: usize = 512;

/// How much was moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moved {
    /// Bytes, as far as they were reported.
    bytes: u64,
    /// Rows.
    rows: u64,
}

/// What one actor moved in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Flow {
    read: Moved,
    written: Moved,
    reader: ReaderKey,
    /// The first write.
    first: Option<ReadMark>,
}

/// What was moved out of and into one datastore, by the hash of the actor and hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flows {
    flows: BTreeMap<(u64, i64), Flow>,
}

/// An hour in which somebody wrote much.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    /// The hash of the actor.
    pub(crate) actor: u64,
    /// The hour.
    pub(crate) hour: i64,
}

impl Moved {
    fn of(total: &ReadTotal) -> Self {
        Self { bytes: total.figures.bytes.at_least, rows: total.figures.rows.at_least }
    }

    fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.rows = self.rows.saturating_add(other.rows);
    }

    fn is_much(self) -> bool {
        self.rows >= MINUTE_ROWS_MIN || self.bytes >= MINUTE_BYTES_MIN
    }

    fn is_a_copy(self) -> bool {
        self.rows >= COPY_ROWS_MIN || self.bytes >= COPY_BYTES_MIN
    }

    /// Whether both are about as much: by bytes where both are known, else by rows.
    fn is_like(self, other: Self) -> bool {
        let alike = |one: u64, two: u64| {
            one > 0
                && two > 0
                && one <= two.saturating_mul(FACTOR)
                && two <= one.saturating_mul(FACTOR)
        };
        if self.bytes > 0 && other.bytes > 0 {
            alike(self.bytes, other.bytes)
        } else {
            alike(self.rows, other.rows)
        }
    }
}

impl Flows {
    /// Takes the totals of whole minutes in, as far as they moved much and their actor is known: in one order, whichever
    /// of them are settled together.
    pub(crate) fn fold<'t>(
        &mut self,
        read: impl Iterator<Item = (&'t TotalKey, &'t ReadTotal)>,
        written: impl Iterator<Item = (&'t TotalKey, &'t ReadTotal)>,
    ) {
        let read = read.map(|(key, total)| (key, total, false));
        let written = written.map(|(key, total)| (key, total, true));
        let much = read.chain(written).filter(|(key, total, _)| is_counted(key, total));
        let mut much: Vec<_> = much.collect();
        much.sort_by_key(|(key, _, is_write)| (key.minute, *is_write));
        for (key, total, is_write) in much {
            self.add(key, total, is_write);
        }
    }

    fn add(&mut self, key: &TotalKey, total: &ReadTotal, is_write: bool) {
        let (hour, reader, moved) = (hour_of(key), &key.reader, Moved::of(total));
        let flow = self.flows.entry((key.hash, hour)).or_insert_with(|| Flow {
            read: Moved::default(),
            written: Moved::default(),
            reader: reader.clone(),
            first: None,
        });
        if is_write {
            flow.written.add(moved);
            if flow.first.as_ref().is_none_or(|first| total.first < *first) {
                flow.first = Some(total.first.clone());
            }
        } else {
            flow.read.add(moved);
        }
        // The smaller of two that call themselves differently: whichever comes first.
        if *reader < flow.reader {
            flow.reader = reader.clone();
        }
        if self.flows.len() > FLOWS_MAX {
            self.forget_before(hour - HOURS - 1);
        }
        while self.flows.len() > FLOWS_MAX {
            let least = self.flows.iter().min_by_key(|(key, f)| (f.written.max(f.read), **key));
            let Some(key) = least.map(|(key, _)| *key) else { break };
            self.flows.remove(&key);
        }
    }

    /// Whether nothing was moved.
    pub(crate) fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Whether there is something too old for a copy.
    pub(crate) fn has_before(&self, horizon: EventTime) -> bool {
        let oldest = horizon.micros().div_euclid(HOUR_MICROS) - HOURS - 1;
        self.flows.keys().any(|(_, hour)| *hour < oldest)
    }

    /// Forgets what is too old for a copy.
    pub(crate) fn forget(&mut self, horizon: EventTime) {
        self.forget_before(horizon.micros().div_euclid(HOUR_MICROS) - HOURS - 1);
    }

    fn forget_before(&mut self, oldest: i64) {
        self.flows.retain(|(_, hour), _| *hour >= oldest);
    }

    /// The hours of writing that are to be compared, after `after` and up to `now`.
    pub(crate) fn due(&self, after: EventTime, now: EventTime) -> Vec<Writing> {
        let of = |(&(actor, hour), flow): (&(u64, i64), &Flow)| {
            let due = due_of(hour);
            (flow.written != Moved::default() && due > after && due <= now)
                .then_some(Writing { actor, hour })
        };
        self.flows.iter().filter_map(of).collect()
    }

    fn next_due(&self, now: EventTime) -> Option<EventTime> {
        let written = self.flows.iter().filter(|(_, flow)| flow.written != Moved::default());
        written.map(|((_, hour), _)| due_of(*hour)).filter(|due| *due > now).min()
    }

    /// What an actor moved in the day up to an hour: read, and written.
    fn day(&self, actor: u64, hour: i64) -> (Moved, Moved) {
        let (mut read, mut written) = (Moved::default(), Moved::default());
        for (_, flow) in self.flows.range((actor, hour - HOURS + 1)..=(actor, hour)) {
            read.add(flow.read);
            written.add(flow.written);
        }
        (read, written)
    }

    /// Whether what was written here may be what was read there.
    pub(crate) fn matches(&self, writing: &Writing, origin: &DatastoreState) -> bool {
        let (_, written) = self.day(writing.actor, writing.hour);
        written.is_a_copy() && {
            let read = origin.read_in_a_day(writing);
            read.is_a_copy() && written.is_like(read)
        }
    }

    /// The event that tells of a copy that volumes have shown.
    pub(crate) fn copy_event(
        &self,
        writing: &Writing,
        copy: (&dataward_event::audit_event::Datastore<'static>, &Place, &str),
        origin: (&str, &Place),
    ) -> Option<PostureEvent> {
        let flow = self.flows.get(&(writing.actor, writing.hour))?;
        let mark = flow.first.as_ref()?;
        let ((datastore, place, source), (origin, origin_place)) = (copy, origin);
        let uid = UidBuilder::new("copy")
            .text(origin)
            .text(&datastore.uid)
            .text(flow.reader.identity())
            .number(writing.hour)
            .finish();
        let part = |part: &Option<std::sync::Arc<str>>| part.as_deref().map(str::to_owned);
        let [provider, account, region] =
            [&origin_place.provider, &origin_place.account, &origin_place.region].map(part);
        let (due, position) = (due_of(writing.hour), mark.position.clone());
        Some(PostureEvent {
            type_uid: mark.type_uid,
            source: source.to_owned(),
            actor: flow.reader.actor(),
            client: mark.client(),
            changes: vec![Change {
                catalogue_row: "".into(),
                control: Control::Sharing,
                setting: COPY_FROM.into(),
                opened: origin.to_owned().into(),
                before: Some(
                    copy_place(provider.as_deref(), account.as_deref(), region.as_deref()).into(),
                ),
                after: None,
                direction: Direction::Neutral,
                whole: false,
            }],
            place: place.clone(),
            ..PostureEvent::concluded(uid, &mark.operation, due, position, datastore.clone())
        })
    }
}

impl DatastoreState {
    /// What was moved out of it and into it, with what is not settled yet.
    pub(crate) fn flows_by_now(&self) -> Flows {
        let mut flows = self.flows.clone();
        flows.fold(self.totals.iter(), self.writes.iter());
        flows
    }

    /// Whether something was moved into it, or much out of it.
    pub(crate) fn moves(&self) -> bool {
        !self.flows.is_empty() || !self.writes.is_empty()
    }

    /// When the next hour of writing is to be compared.
    pub(crate) fn next_comparison(&self, now: EventTime) -> Option<EventTime> {
        let written = self.writes.iter().filter(|(key, total)| is_counted(key, total));
        let dues = written.map(|(key, _)| due_of(hour_of(key))).filter(|due| *due > now);
        dues.chain(self.flows.next_due(now)).min()
    }

    /// What an actor has read of it in the day up to an hour.
    fn read_in_a_day(&self, writing: &Writing) -> Moved {
        let (mut read, _) = self.flows.day(writing.actor, writing.hour);
        let hours = writing.hour - HOURS + 1..=writing.hour;
        for (key, total) in &self.totals {
            let is_his = key.hash == writing.actor && hours.contains(&hour_of(key));
            if is_his && is_counted(key, total) {
                read.add(Moved::of(total));
            }
        }
        read
    }
}

/// Whether a minute counts: much was moved, and it is known by whom.
fn is_counted(key: &TotalKey, total: &ReadTotal) -> bool {
    Moved::of(total).is_much() && (key.reader.uid.is_some() || key.reader.name.is_some())
}

fn hour_of(key: &TotalKey) -> i64 {
    key.minute.div_euclid(60)
}

/// When an hour is over, and nothing in it can still come: also not from a source that is as far behind as one may be.
fn due_of(hour: i64) -> EventTime {
    EventTime::from_micros((hour + 1).saturating_mul(HOUR_MICROS))
        .plus_micros(LATENESS_BOUND_MICROS + PATIENCE_MICROS)
}
