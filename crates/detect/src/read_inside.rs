//! Who read in a time, and how much: for windows and exposures.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_event::exposure::ReadFigures;
use dataward_event::time::EventTime;

use crate::context::{Context, DatastoreContext};
use crate::datastore_state::{Derived, TotalKey};
use crate::opening::Tally;
use crate::read_total::{MINUTE_MICROS, ReadMark, ReadTotal, ReaderKey};

/// How a read lies to an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Edge,
    Outside,
}

/// Adds the reads that lie in `[from, to)`.
pub(crate) fn add_reads<'t>(
    tally: &mut Tally,
    interval: (EventTime, Option<EventTime>),
    totals: impl Iterator<Item = (&'t TotalKey, &'t ReadTotal)>,
    others: &BTreeMap<i64, ReadFigures>,
    context: &Context,
) {
    let as_edge = |figures: &ReadFigures| ReadFigures {
        reads_at_edges: figures.reads,
        ..ReadFigures::default()
    };
    for (key, total) in totals {
        let is_outsider = key.reader.is_outsider(context);
        match place(interval, total.first.time, total.last.time) {
            Place::Inside => tally.add(Some(&key.reader), is_outsider, &total.figures),
            Place::Edge => tally.add(Some(&key.reader), is_outsider, &as_edge(&total.figures)),
            Place::Outside => {}
        }
    }
    for (minute, figures) in others {
        let start = EventTime::from_micros(minute.saturating_mul(MINUTE_MICROS));
        match place(interval, start, start.plus_micros(MINUTE_MICROS - 1)) {
            Place::Inside => tally.add(None, false, figures),
            Place::Edge => tally.add(None, false, &as_edge(figures)),
            Place::Outside => {}
        }
    }
}

fn place(interval: (EventTime, Option<EventTime>), first: EventTime, last: EventTime) -> Place {
    let is_inside = |time: EventTime| time >= interval.0 && interval.1.is_none_or(|to| time < to);
    if is_inside(first) && is_inside(last) {
        Place::Inside
    } else if last < interval.0 || interval.1.is_some_and(|to| first >= to) {
        Place::Outside
    } else {
        Place::Edge
    }
}

/// A read in an interval: whose, and the first of it that certainly lies inside.
#[derive(Debug, Clone)]
pub struct ReadInside<'s> {
    /// Who.
    pub reader: &'s ReaderKey,
    /// The read.
    pub mark: &'s ReadMark,
    /// Anonymous, or of a foreign account.
    pub is_outsider: bool,
    /// From a network from which no reads are expected.
    pub is_unexpected: bool,
}

impl Derived<'_> {
    /// What was read in an interval that belongs to an opening: `settled` holds what is older.
    pub fn tally(&self, settled: &Tally, interval: (EventTime, Option<EventTime>)) -> Tally {
        let mut tally = settled.clone();
        add_reads(&mut tally, interval, self.totals(), self.others(), self.context());
        tally
    }

    /// The first certain read of each identity in an interval, in the order of time.
    pub fn reads_inside(&self, interval: (EventTime, Option<EventTime>)) -> Vec<ReadInside<'_>> {
        reads_inside(self.totals(), interval, self.context(), self.entry())
    }
}

impl ReadInside<'_> {
    /// Who is told of once: an actor, and one of our own from an unexpected network once more for each network.
    pub fn identity(&self) -> String {
        let identity = self.reader.identity();
        if self.is_unexpected && !self.is_outsider {
            return format!("{identity} from {}", self.reader.network);
        }
        identity.to_owned()
    }

    /// Nobody of our own, or one of our own from where none are expected.
    pub fn is_stranger(&self) -> bool {
        self.is_outsider || self.is_unexpected
    }
}

pub(crate) fn reads_inside<'t>(
    totals: impl Iterator<Item = (&'t TotalKey, &'t ReadTotal)>,
    interval: (EventTime, Option<EventTime>),
    context: &Context,
    entry: Option<&DatastoreContext>,
) -> Vec<ReadInside<'t>> {
    let is_inside = |time: EventTime| time >= interval.0 && interval.1.is_none_or(|to| time < to);
    let mut first: BTreeMap<String, ReadInside<'t>> = BTreeMap::new();
    for (key, total) in totals {
        let mark = [&total.first, &total.last].into_iter().find(|mark| is_inside(mark.time));
        let Some(mark) = mark else { continue };
        let read = ReadInside {
            reader: &key.reader,
            mark,
            is_outsider: key.reader.is_outsider(context),
            is_unexpected: !context.expects_address(entry, mark.ip.as_deref()),
        };
        let known = first.entry(read.identity()).or_insert_with(|| read.clone());
        if (mark.time, &mark.event_uid) < (known.mark.time, &known.mark.event_uid) {
            *known = read;
        }
    }
    let mut reads: Vec<ReadInside<'t>> = first.into_values().collect();
    reads.sort_by_key(|read| (read.mark.time, Arc::clone(&read.mark.event_uid)));
    reads
}
