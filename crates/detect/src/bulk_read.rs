//! `read.bulk`: who reads far more than ever before, judged with every read.
//!
//! Each actor, and each actor in each datastore, has a [`History`]. A day of an actor is judged by its most unusual
//! figure: two periods and three metrics, over all datastores together and in each of them. A datastore that an actor
//! never read has no history; there the actor's own total speaks. Beside that, whoever reads more than half of a
//! datastore whose size is known is told of at once, whatever was learned.
//!
//! State is a function of a partition's events in order. The context decides what is said, and changes no state.

use std::collections::{BTreeMap, BTreeSet};

use dataward_event::audit_event::{AuditEvent, Datastore};
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::position::Position;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::actor_key::{actor_key, datastore_key};
use crate::context::Context;
use crate::history::{History, Look, day_of};
use crate::incident::{Incident, sensitivity_of};
use crate::metric::Metric;
use crate::period::Period;
use crate::read_volume::ReadVolume;
use crate::state::{StateError, decode, encode};
use crate::unusual_read::{Coverage, Figure, UnusualRead};

/// How many segments the state has.
pub const SEGMENTS: u32 = 64;

/// How many actors of a segment are remembered: 50,000 of a partition.
const ACTORS_MAX: usize = 50_000 / SEGMENTS as usize;
/// How many pairs of actor and datastore of a segment are remembered: 200,000 of a partition.
const PAIRS_MAX: usize = 200_000 / SEGMENTS as usize;
/// How many datastores of one actor are remembered.
const DATASTORES_MAX: usize = 256;
/// When there are too many, the idlest eighth goes at once: so the search for it costs a few steps a key, not a pass
/// over all of them.
const EVICTED_SHARE: usize = 8;
/// A key that has learned is kept before one that has not, for two months: a flood of new names pushes nobody out.
const PROTECTED_SLOTS: i64 = 60 * 24 * 12;

/// Nothing is unusual of an actor before so many active days: a week shows work days and a weekend.
pub const ACTOR_DAYS_MIN: u16 = 7;
/// The same of an actor in one datastore. Fewer, because the actor is known already.
pub const PAIR_DAYS_MIN: u16 = 3;

/// The figures by which an actor's day is judged: three metrics, two periods, two scopes. The best of them is taken, so
/// its probability counts that many times (Bonferroni). That is stricter than it need be, since they rise together: in a
/// simulated world a tenth of the budget is used. The rest is left to what no model has: releases, backfills, new duties.
const FIGURES: f64 = 12.0;

/// What the reads of a partition teach.
#[derive(Debug)]
pub struct BulkReads {
    segments: Vec<Segment>,
    dirty: BTreeSet<u32>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Segment {
    actors: BTreeMap<u64, Actor>,
    pairs: usize,
    newest_slot: i64,
    late_reads: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Actor {
    total: History,
    pairs: BTreeMap<u64, History>,
    incident: Option<Box<Incident>>,
}

/// A read that was taken in.
struct Read<'r> {
    event: &'r AuditEvent<'r>,
    datastore: &'r Datastore<'r>,
    position: &'r Position,
    volume: &'r ReadVolume,
    context: &'r Context,
}

impl Default for BulkReads {
    /// Nothing is known, and nothing of that is saved yet.
    fn default() -> Self {
        let segments = (0..SEGMENTS).map(|_| Segment::default()).collect();
        Self { segments, dirty: (0..SEGMENTS).collect() }
    }
}

impl BulkReads {
    /// Takes an event in.
    pub fn observe(
        &mut self,
        event: &AuditEvent<'_>,
        position: &Position,
        context: &Context,
    ) -> Vec<Finding> {
        let (Some(volume), Some(datastore)) = (ReadVolume::of(event), &event.datastore) else {
            return Vec::new();
        };
        let (actor, pair) = (actor_key(&event.actor, datastore), datastore_key(datastore));
        let index = (actor % u64::from(SEGMENTS)) as u32;
        self.dirty.insert(index);
        let Some(known) = self.segments[index as usize].enter(actor, pair, event.time) else {
            return Vec::new();
        };
        let read = Read { event, datastore, position, volume: &volume, context };
        known.observe(actor, pair, &read)
    }

    /// How many reads came after their actor's day was over. They are archived and teach nothing.
    pub fn late_reads(&self) -> u64 {
        self.segments.iter().map(|segment| segment.late_reads).sum()
    }

    /// The segments that changed since the last call.
    pub fn take_dirty(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.dirty)
    }

    /// Marks everything as changed.
    pub fn mark_all_dirty(&mut self) {
        self.dirty = (0..SEGMENTS).collect();
    }

    /// The bytes of a segment: equal for equal events.
    pub fn segment_bytes(&self, index: u32) -> Vec<u8> {
        self.segments.get(index as usize).map(encode).unwrap_or_default()
    }

    /// Puts a saved segment in its place. `number` is how the snapshot calls it.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if it cannot be read or has no place.
    pub fn load_segment(
        &mut self,
        index: u32,
        number: u32,
        bytes: &[u8],
    ) -> Result<(), StateError> {
        let Some(segment) = self.segments.get_mut(index as usize) else {
            let reason = "there are fewer segments".to_owned();
            return Err(StateError::Damaged { index: number, reason });
        };
        *segment = decode(number, bytes)?;
        self.dirty.remove(&index);
        Ok(())
    }
}

impl Segment {
    /// The actor with the pair in it, known or new; `None` if its day was over already when the event came.
    fn enter(&mut self, actor: u64, pair: u64, time: EventTime) -> Option<&mut Actor> {
        if !self.actors.contains_key(&actor) && self.actors.len() >= ACTORS_MAX {
            self.evict_actors();
        }
        let known = self.actors.entry(actor).or_insert_with(|| Actor {
            total: History::new(time),
            pairs: BTreeMap::new(),
            incident: None,
        });
        if day_of(time) < known.total.day() {
            self.late_reads += 1;
            return None;
        }
        let newest = self.newest_slot;
        if !known.pairs.contains_key(&pair) {
            if known.pairs.len() >= DATASTORES_MAX {
                let rank =
                    |pair: &History| (is_protected(pair, PAIR_DAYS_MIN, newest), pair.slot());
                let keys: Vec<u64> =
                    idlest(known.pairs.iter().map(|(key, pair)| (rank(pair), *key)));
                keys.iter().for_each(|key| drop(known.pairs.remove(key)));
                self.pairs -= keys.len();
            }
            known.pairs.insert(pair, History::new(time));
            self.pairs += 1;
        }
        if self.pairs > PAIRS_MAX {
            self.evict_pairs((actor, pair));
        }
        let known = self.actors.get_mut(&actor)?;
        let slot = History::new(time).slot();
        self.newest_slot = self.newest_slot.max(slot);
        Some(known)
    }

    fn evict_actors(&mut self) {
        let newest = self.newest_slot;
        let rank = |actor: &Actor| {
            (is_protected(&actor.total, ACTOR_DAYS_MIN, newest), actor.total.slot())
        };
        for key in idlest(self.actors.iter().map(|(key, actor)| (rank(actor), *key))) {
            self.pairs -= self.actors.remove(&key).map_or(0, |actor| actor.pairs.len());
        }
    }

    /// All but the pair that was entered just now may go.
    fn evict_pairs(&mut self, entered: (u64, u64)) {
        let newest = self.newest_slot;
        let rank = |pair: &History| (is_protected(pair, PAIR_DAYS_MIN, newest), pair.slot());
        let ranked = self.actors.iter().flat_map(|(key, actor)| {
            actor.pairs.iter().map(move |(pair, history)| (rank(history), (*key, *pair)))
        });
        for (key, pair) in idlest(ranked.filter(|(_, keys)| *keys != entered)) {
            if let Some(actor) = self.actors.get_mut(&key) {
                self.pairs -= usize::from(actor.pairs.remove(&pair).is_some());
            }
        }
    }
}

/// Whether a key has learned enough to speak, and not too long ago.
fn is_protected(history: &History, days_min: u16, newest_slot: i64) -> bool {
    history.active_days() >= days_min && newest_slot - history.slot() < PROTECTED_SLOTS
}

/// The eighth with the lowest ranks. Of equal ranks the lower key: the choice is the same everywhere.
fn idlest<K: Ord + Copy>(ranked: impl Iterator<Item = ((bool, i64), K)>) -> Vec<K> {
    let mut ranked: Vec<((bool, i64), K)> = ranked.collect();
    let count = ranked.len() / EVICTED_SHARE;
    if count > 0 {
        ranked.select_nth_unstable(count - 1);
    }
    ranked.truncate(count);
    ranked.into_iter().map(|(_, key)| key).collect()
}

impl Actor {
    fn observe(&mut self, key: u64, pair_key: u64, read: &Read<'_>) -> Vec<Finding> {
        let Some(pair) = self.pairs.get_mut(&pair_key) else { return Vec::new() };
        let time = read.event.time;
        self.total.take(time, read.volume);
        pair.take(time, read.volume);
        let crossed = self.crossed_half(pair_key, read);
        let millinats = self.score(pair_key, read.volume);
        let statement =
            if millinats < Incident::opens_at() { None } else { self.raise(key, millinats, read) };
        let day = day_of(time);
        let told = self.incident.as_deref().filter(|incident| incident.day == day);
        let told = told.filter(|incident| incident.is_told(read.context));
        let finding = match (statement, &crossed, told) {
            (Some(step), _, Some(incident)) => self.unusual(incident, step, pair_key, read),
            // More than half of it: worth an update of what people know already.
            (None, Some(_), Some(incident)) => self.unusual(incident, Step::Update, pair_key, read),
            (_, Some(coverage), None) => self.covered(key, coverage, read),
            _ => return Vec::new(),
        };
        vec![finding]
    }

    /// The score of the actor's day as this read shows it, in thousandths of a nat.
    fn score(&self, pair: u64, volume: &ReadVolume) -> u32 {
        let reported = Metric::ALL.into_iter().filter(|metric| volume.count(*metric).is_some());
        reported
            .flat_map(|metric| self.figures(pair, metric))
            .map(|f| f.millinats)
            .max()
            .unwrap_or(0)
    }

    /// The figures of one metric that can be judged, each with its score.
    fn figures(&self, pair: u64, metric: Metric) -> impl Iterator<Item = Figure> {
        let is_warm = self.total.active_days() >= ACTOR_DAYS_MIN;
        let pairs = self.pairs.len() as f64;
        let pair = self.pairs.get(&pair).filter(|_| is_warm);
        Period::ALL.into_iter().flat_map(move |period| {
            let of_pair = pair.and_then(|pair| pair.look(metric, period, PAIR_DAYS_MIN));
            let of_actor =
                if is_warm { self.total.look(metric, period, ACTOR_DAYS_MIN) } else { None };
            // There are as many pairs to be unusual as the actor has datastores.
            let of_pair = of_pair.map(|look| figure(look, false, FIGURES * pairs));
            of_pair.into_iter().chain(of_actor.map(|look| figure(look, true, FIGURES)))
        })
    }

    fn raise(&mut self, key: u64, millinats: u32, read: &Read<'_>) -> Option<Step> {
        let day = day_of(read.event.time);
        if self.incident.as_deref().is_none_or(|incident| incident.day != day) {
            let uid = finding_uid(key, read.position).text(&read.event.uid).finish();
            self.incident = Some(Box::new(Incident::new(day, uid)));
        }
        let incident = self.incident.as_deref_mut()?;
        incident.raise(millinats, read.datastore, read.event.sensitivity, read.context)
    }

    fn unusual(&self, incident: &Incident, step: Step, pair: u64, read: &Read<'_>) -> Finding {
        let mut figures: Vec<Figure> =
            Metric::ALL.into_iter().flat_map(|metric| self.figures(pair, metric)).collect();
        figures.retain(|figure| figure.millinats > 0);
        figures.sort_by_key(|figure| std::cmp::Reverse(figure.millinats));
        self.unusual_read(pair, read).unusual(
            incident.uid.clone(),
            step,
            incident.sensitivity(read.context),
            &figures,
        )
    }

    fn covered(&self, key: u64, coverage: &Coverage, read: &Read<'_>) -> Finding {
        let uid = finding_uid(key, read.position)
            .text(&read.datastore.uid)
            .text(&read.event.uid)
            .finish();
        let sensitivity = sensitivity_of(read.datastore, read.event.sensitivity, read.context);
        let pair = datastore_key(read.datastore);
        self.unusual_read(pair, read).covered(uid, sensitivity, coverage)
    }

    fn unusual_read<'r>(&self, pair: u64, read: &Read<'r>) -> UnusualRead<'r> {
        let today = self.total.day();
        let total = |metric| self.pairs.get(&pair).and_then(|pair| pair.day_total(metric));
        UnusualRead {
            event: read.event,
            datastore: read.datastore,
            position: read.position,
            volume: *read.volume,
            totals: Metric::ALL.map(total),
            datastores: self.pairs.values().filter(|pair| pair.day() == today).count(),
            active_days: self.total.active_days(),
            known: read.context.datastore(read.datastore),
        }
    }

    /// The coverage of a datastore, at the read that passes half of it and unless so much is usual.
    ///
    /// Rows decide where they are counted and their number is known, else bytes, else objects.
    fn crossed_half(&self, pair: u64, read: &Read<'_>) -> Option<Coverage> {
        let pair = self.pairs.get(&pair)?;
        let is_large =
            |metric| pair.day_total(metric).is_some_and(|total| total >= Metric::floor(metric));
        if !Metric::ALL.into_iter().any(is_large) {
            return None;
        }
        let known = read.context.datastore(read.datastore)?;
        let sizes = [known.rows, known.bytes, known.objects];
        for (metric, size) in Metric::ALL.into_iter().zip(sizes) {
            let (Some(size), Some(total)) = (size.filter(|size| *size > 0), pair.day_total(metric))
            else {
                continue;
            };
            let half = (size / 2).max(metric.floor() - 1);
            let before = total.saturating_sub(read.volume.count(metric).unwrap_or(0));
            let usual = pair.look(metric, Period::Day, PAIR_DAYS_MIN).map(|look| look.median());
            let is_usual = usual.is_some_and(|usual| usual > half);
            let is_crossed = before <= half && total > half && !is_usual;
            return is_crossed.then_some(Coverage { metric, read: total, size });
        }
        None
    }
}

fn figure(look: Look, is_total: bool, figures: f64) -> Figure {
    let nats = look.nats() - libm::log(figures);
    // Rounded: the last bits of a logarithm are not the same everywhere.
    Figure { look, is_total, millinats: (nats.max(0.0) * 1000.0).round() as u32 }
}

/// The partition belongs to it: an event that its producer sent into two of them is judged by what each has seen.
fn finding_uid(actor: u64, position: &Position) -> UidBuilder {
    UidBuilder::new("finding")
        .text(RuleId::ReadBulk.as_str())
        .text(&position.partition.path())
        .number(actor.cast_signed())
}
