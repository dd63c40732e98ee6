//! One actor and what it reads.

use std::collections::BTreeMap;

use dataward_event::audit_event::{AuditEvent, Datastore};
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::position::Position;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::history::{History, Look};
use crate::incident::{Incident, sensitivity_of};
use crate::metric::Metric;
use crate::period::Period;
use crate::read_volume::ReadVolume;
use crate::unusual_read::{Coverage, Figure, UnusualRead};
use crate::volume_ring::VolumeRing;

/// Nothing is unusual of an actor before so many active days: a week shows work days and a weekend.
pub const ACTOR_DAYS_MIN: u16 = 7;
/// The same of an actor in one datastore. Fewer, because the actor is known already.
pub const PAIR_DAYS_MIN: u16 = 3;

/// The figures by which an actor's day is judged: three metrics, two periods, two scopes. The best of them is taken, so
/// its probability counts that many times (Bonferroni). That is stricter than it need be, since they rise together: in a
/// simulated world a quarter of the budget is used. The rest is left to what no model has: releases, backfills, new duties.
const FIGURES: f64 = 12.0;

/// What an actor has read: of everything, and of each datastore.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reader {
    total: History,
    pairs: BTreeMap<u64, History>,
    incident: Option<Box<Incident>>,
}

/// A read, on its way through.
#[derive(Debug)]
pub struct Read<'r> {
    /// The event.
    pub event: &'r AuditEvent<'r>,
    /// What was read.
    pub datastore: &'r Datastore<'r>,
    /// Where the event stands.
    pub position: &'r Position,
    /// How much.
    pub volume: ReadVolume,
    /// The key of the actor.
    pub actor_key: u64,
    /// The key of the datastore.
    pub datastore_key: u64,
    /// What people know.
    pub context: &'r Context,
}

/// What a read is compared with.
#[derive(Debug, Clone, Copy)]
struct Known<'k> {
    total: &'k History,
    pair: &'k History,
    pairs: usize,
}

impl Reader {
    /// An actor that has read nothing yet.
    pub fn new(time: EventTime) -> Self {
        Self { total: History::new(time), pairs: BTreeMap::new(), incident: None }
    }

    /// What it has read of everything.
    pub const fn total(&self) -> &History {
        &self.total
    }

    /// What it has read of each datastore.
    pub const fn pairs(&self) -> &BTreeMap<u64, History> {
        &self.pairs
    }

    /// Forgets what it has read of a datastore.
    pub fn forget(&mut self, datastore_key: u64) {
        self.pairs.remove(&datastore_key);
    }

    /// Takes a read of the current day, or of a later one, in.
    pub fn observe(&mut self, read: &Read<'_>) -> Option<Finding> {
        let time = read.event.time;
        let new = || History::new(time);
        self.total.take(time, &read.volume);
        self.pairs.entry(read.datastore_key).or_insert_with(new).take(time, &read.volume);
        let pair = self.pairs.get(&read.datastore_key)?;
        let known = Known { total: &self.total, pair, pairs: self.pairs.len() };

        let today = self.total.day();
        self.incident.take_if(|incident| incident.day != today);
        let millinats = known.score(&read.volume);
        let said = if millinats < Incident::opens_at() {
            None
        } else {
            let incident = self.incident.get_or_insert_with(|| {
                let uid = finding_uid(read).text(&read.event.uid).finish();
                Box::new(Incident::new(today, uid))
            });
            let sensitivity = read.event.sensitivity;
            incident.raise(millinats, read.datastore, sensitivity, read.context)
        };
        let coverage = known.crossed_half(read);
        if said.is_none() && coverage.is_none() {
            return None;
        }
        let told = self.incident.as_deref().filter(|incident| incident.is_told(read.context));
        match (told, coverage) {
            // More than half of a datastore is worth an update of what people know already.
            (Some(incident), _) => Some(self.unusual(incident, said.unwrap_or(Step::Update), read)),
            (None, coverage) => Some(self.covered(&coverage?, read)),
        }
    }

    fn unusual(&self, incident: &Incident, step: Step, read: &Read<'_>) -> Finding {
        let mut figures: Vec<Figure> = Vec::new();
        if let Some(pair) = self.pairs.get(&read.datastore_key) {
            let known = Known { total: &self.total, pair, pairs: self.pairs.len() };
            figures.extend(Metric::ALL.into_iter().flat_map(|metric| known.figures(metric)));
        }
        figures.retain(|figure| figure.millinats > 0);
        figures.sort_by_key(|figure| std::cmp::Reverse(figure.millinats));
        let sensitivity = incident.sensitivity(read.context);
        self.unusual_read(read).unusual(incident.uid.clone(), step, sensitivity, &figures)
    }

    fn covered(&self, coverage: &Coverage, read: &Read<'_>) -> Finding {
        let uid = finding_uid(read).text(&read.datastore.uid).text(&read.event.uid).finish();
        let sensitivity = sensitivity_of(read.datastore, read.event.sensitivity, read.context);
        self.unusual_read(read).covered(uid, sensitivity, coverage)
    }

    fn unusual_read<'r>(&self, read: &Read<'r>) -> UnusualRead<'r> {
        let today = self.total.day();
        let pair = self.pairs.get(&read.datastore_key);
        let newest = self.total.slot();
        let is_recent = |pair: &&History| VolumeRing::holds(newest, pair.slot());
        UnusualRead {
            event: read.event,
            datastore: read.datastore,
            position: read.position,
            volume: read.volume,
            totals: Metric::ALL.map(|metric| pair.and_then(|pair| pair.day_total(metric))),
            datastores_in_hour: self.pairs.values().filter(is_recent).count(),
            datastores_today: self.pairs.values().filter(|pair| pair.day() == today).count(),
            active_days: self.total.active_days(),
            known: read.context.datastore(read.datastore),
        }
    }
}

impl Known<'_> {
    /// The score of the actor's day as a read shows it, in thousandths of a nat.
    fn score(self, volume: &ReadVolume) -> u32 {
        let told = Metric::ALL.into_iter().filter(|metric| volume.count(*metric).is_some());
        let figures = told.flat_map(|metric| self.figures(metric));
        figures.map(|figure| figure.millinats).max().unwrap_or(0)
    }

    /// The figures of one metric that can be judged, each with its score.
    fn figures(self, metric: Metric) -> impl Iterator<Item = Figure> {
        let is_warm = self.total.active_days() >= ACTOR_DAYS_MIN;
        let periods = Period::ALL.into_iter().filter(move |_| is_warm);
        periods.flat_map(move |period| {
            let of_all = self.total.look(metric, period, ACTOR_DAYS_MIN);
            let of_pair = self.pair.look(metric, period, PAIR_DAYS_MIN);
            // There are as many pairs to be unusual as the actor has datastores.
            let of_pair = of_pair.map(|look| figure(look, false, FIGURES * self.pairs as f64));
            of_pair.into_iter().chain(of_all.map(|look| figure(look, true, FIGURES)))
        })
    }

    /// The coverage of a datastore, at the read that passes half of it, unless so much is usual.
    ///
    /// Rows decide where they are counted and their number is known, else bytes, else objects. What is meant for everybody
    /// may be read whole by anybody.
    fn crossed_half(self, read: &Read<'_>) -> Option<Coverage> {
        let total = |metric: Metric| self.pair.day_total(metric).unwrap_or(0);
        // The context is asked only where the answer can matter: it is searched entry by entry.
        if Metric::ALL.into_iter().all(|metric| total(metric) < metric.floor()) {
            return None;
        }
        let known = read.context.datastore(read.datastore)?;
        if known.expected_public {
            return None;
        }
        let sizes = [known.rows, known.bytes, known.objects];
        for (metric, size) in Metric::ALL.into_iter().zip(sizes) {
            let (Some(size), Some(total)) =
                (size.filter(|size| *size > 0), self.pair.day_total(metric))
            else {
                continue;
            };
            let half = (size / 2).max(metric.floor() - 1);
            let before = total.saturating_sub(read.volume.count(metric).unwrap_or(0));
            let usual = self.pair.look(metric, Period::Day, PAIR_DAYS_MIN);
            let is_usual = usual.is_some_and(|usual| usual.median() > half);
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
fn finding_uid(read: &Read<'_>) -> UidBuilder {
    UidBuilder::new("finding")
        .text(RuleId::ReadBulk.as_str())
        .text(&read.position.partition.path())
        .number(read.actor_key.cast_signed())
}
