//! What is usual of an actor, and how its open day stands: everything by which it is judged, to be looked at.
//!
//! Nothing here decides: it is worked out from the state as it is, by the functions that judge. Volumes are in units, a row or
//! a KiB, whichever is more (objects, else events, where a source tells neither); scores are in nats.

use dataward_event::time::EventTime;
use serde::{Serialize, Serializer};

use crate::context::Context;
use crate::reads::actor::{Lead, Reader, Today};
use crate::reads::baseline::{Baseline, Prediction, Prior};
use crate::reads::budget::Budget;
use crate::reads::bulk_reads::{BulkReads, Counts, Shared};
use crate::reads::drift::{Growth, median};
use crate::reads::evidence::{Channel, Family};
use crate::reads::incident::Incident;
use crate::reads::judge::{
    NEW_OBJECTS_MIN, PAIR_DAYS_MIN, day_score, drift_score, variance_min, worth,
};
use crate::reads::metric::{METRICS, Metric, level, object_level, objects, units};
use crate::reads::pair::Pair;
use crate::reads::peers::Lent;
use crate::reads::portrait::shown::{
    ChannelShown, DatastoreShown, EvidenceShown, GrowthShown, HistoryShown, HoursShown,
    IncidentShown, MetricsShown, NewObjectsShown, Unit, WindowShown,
};
use crate::reads::window::{Rings, WINDOWS, Window};

pub mod shown;

/// A day that is no weekend, and one that is: 1970-01-05 and 1970-01-10.
const MONDAY: i32 = 4;
const SATURDAY: i32 = 9;
/// The share of days that pass a bound: one in a thousand.
const RARE: f64 = 0.001;

/// What is known of an actor in one partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Portrait {
    /// The day that is open, counted from 1970-01-01.
    #[serde(serialize_with = "date")]
    pub day: i32,
    /// The second of the partition's newest event, from 1970-01-01: its present.
    #[serde(serialize_with = "moment")]
    pub as_of: i64,
    /// The actor had an event on the open day.
    pub is_active: bool,
    /// The day of its first event.
    #[serde(serialize_with = "date")]
    pub first_day: i32,
    /// The day of its newest event.
    #[serde(serialize_with = "date")]
    pub last_day: i32,
    /// How many active days of it are over.
    pub days: u16,
    /// With whom it is compared: a label of the context file or of its events, else its kind.
    pub group: String,
    /// How it behaves: `human`, `continuous`, `batch` or `anonymous`.
    pub stratum: &'static str,
    /// How much of what is expected of its day is lent by its like: 1 of somebody new.
    pub borrowed_share: f64,
    /// How many times as much as on other days is usual on this weekday.
    pub weekday_factor: f64,
    /// How many times as much as usual the others of the group read today: that much more is expected.
    pub lift_factor: f64,
    /// The four windows, over all datastores.
    pub windows: Vec<WindowShown>,
    /// Objects never read before, within an hour and within a day.
    pub new_objects: Vec<NewObjectsShown>,
    /// What was read on the open day, as far as sources tell.
    pub read_today: MetricsShown,
    /// The kinds of evidence of the open day, all of them.
    pub evidence: Vec<EvidenceShown>,
    /// The channels that have a threshold.
    pub channels: Vec<ChannelShown>,
    /// The volumes of the last active days.
    pub history: HistoryShown,
    /// When it works.
    pub hours: HoursShown,
    /// How many networks of it are remembered, eight at most.
    pub networks: usize,
    /// How many of today's were new.
    pub new_networks: u16,
    /// How many datastores it reads.
    pub datastores: usize,
    /// How many of today's were new.
    pub new_datastores: u16,
    /// How many it left long ago.
    pub faded_datastores: usize,
    /// How many exports it has made today.
    pub exports: u16,
    /// What people were told of it and is not over.
    pub incidents: Vec<IncidentShown>,
    /// The datastore that was asked for; nothing if the actor does not read it.
    pub datastore: Option<DatastoreShown>,
    /// What the whole partition leaves out.
    pub left_out: Counts,
}

impl BulkReads {
    /// What is known of an actor; `None` if nothing is. `store` is the key of a datastore to look at by itself.
    pub fn portrait(&self, actor: u64, store: Option<u64>, context: &Context) -> Option<Portrait> {
        let (reader, shared) = (self.reader(actor)?, self.shared());
        let (first_day, day) = shared.days?;
        let lent = shared.peers.lent(reader.group, reader.stratum());
        let easel = Easel { state: self, reader, shared, lent, actor, first_day, day };
        Some(easel.portrait(store, context))
    }
}

/// What a portrait is painted from.
struct Easel<'e> {
    state: &'e BulkReads,
    reader: &'e Reader,
    shared: &'e Shared,
    lent: &'e Lent,
    actor: u64,
    first_day: i32,
    day: i32,
}

impl Easel<'_> {
    fn portrait(&self, store: Option<u64>, context: &Context) -> Portrait {
        let Self { reader, shared, lent, day, .. } = self;
        let blank = Today::default();
        let today = reader.today.as_deref().unwrap_or(&blank);
        let of_day = Window::Day.index();
        let own =
            reader.baselines[of_day].own_share(&lent.actor[of_day], Window::Day.variance_min());
        Portrait {
            day: *day,
            as_of: shared.newest,
            is_active: reader.today.is_some(),
            first_day: reader.first_day,
            last_day: reader.last_day,
            days: reader.days,
            group: shared.peers.group(reader.group).label.clone(),
            stratum: reader.stratum().as_str(),
            borrowed_share: figure(1.0 - own),
            weekday_factor: figure(libm::exp(reader.weekdays.of(*day))),
            lift_factor: figure(libm::exp(self.lift())),
            windows: self.windows(
                reader.rings.as_deref(),
                &today.peaks,
                &reader.baselines[..WINDOWS],
                &lent.actor[..WINDOWS],
                0.0,
            ),
            new_objects: self.new_objects(today),
            read_today: reader
                .pairs
                .values()
                .map(|pair| pair.today)
                .fold(MetricsShown::default(), MetricsShown::plus),
            evidence: self.evidence(today),
            channels: self.channels(today, context),
            history: self.history(today),
            hours: self.hours(today),
            networks: reader.networks.count(),
            new_networks: today.new_networks,
            datastores: reader.pairs.len(),
            new_datastores: today.new_stores,
            faded_datastores: reader.faded.len(),
            exports: today.exports,
            incidents: reader.incidents.iter().map(|incident| told(incident, *day)).collect(),
            datastore: store.and_then(|key| self.datastore(key)),
            left_out: self.state.counts(),
        }
    }

    /// By how much the others of the group stand out today, as a difference of levels.
    fn lift(&self) -> f64 {
        self.shared.peers.group(self.reader.group).lift_beside(self.actor)
    }

    /// The windows of an actor, or of one of its datastores: as [`judge`](crate::reads::judge) expects them.
    fn windows(
        &self,
        rings: Option<&Rings>,
        peaks: &[f32; WINDOWS],
        baselines: &[Baseline],
        priors: &[Prior],
        days_min: f64,
    ) -> Vec<WindowShown> {
        let mut rings = rings.cloned().unwrap_or(Rings::new(self.shared.newest));
        rings.turn(self.shared.newest);
        let of = |window: Window| {
            let place = window.index();
            let moved = self.reader.weekdays.of(self.day) + window.lift_share() * self.lift();
            let expected =
                baselines[place].prediction(&priors[place], window.variance_min()).moved(moved);
            let peak = f64::from(peaks[place]);
            let now = if window == Window::Day { peak } else { rings.sum(window) };
            WindowShown {
                seconds: window.seconds(),
                now: figure(now),
                highest: figure(peak),
                usual: figure(units(expected.median())),
                lower: figure(units(expected.quantile(RARE))),
                upper: figure(units(expected.quantile(1.0 - RARE))),
                nats: nats_of(&expected, peak, level),
                days: figure(baselines[place].days()),
                is_judged: baselines[place].days() >= days_min,
            }
        };
        Window::ALL.into_iter().map(of).collect()
    }

    fn new_objects(&self, today: &Today) -> Vec<NewObjectsShown> {
        let of = |(place, window): (usize, Window)| {
            let baseline = &self.reader.baselines[WINDOWS + place];
            let expected = baseline
                .prediction(&self.lent.actor[WINDOWS + place], variance_min(WINDOWS + place));
            let highest = today.object_peaks[place];
            NewObjectsShown {
                seconds: window.seconds(),
                highest: figure(f64::from(highest)),
                usual: figure(objects(expected.median())),
                upper: figure(objects(expected.quantile(1.0 - RARE))),
                nats: nats_of(&expected, f64::from(highest), object_level),
                days: figure(baseline.days()),
                is_judged: highest >= NEW_OBJECTS_MIN,
            }
        };
        [Window::Hour, Window::Day].into_iter().enumerate().map(of).collect()
    }

    fn evidence(&self, today: &Today) -> Vec<EvidenceShown> {
        let nats = worth(self.lent, today);
        let of = |family: Family| {
            let score = f64::from(today.scores[family as usize]);
            let shown = EvidenceShown {
                family: family.as_str(),
                score: figure(score),
                nats: figure(nats[family as usize]),
                ..EvidenceShown::default()
            };
            if score > 0.0 {
                self.placed(shown, family, &today.leads[family as usize])
            } else {
                shown
            }
        };
        Family::ALL.into_iter().map(of).collect()
    }

    /// Says where the evidence was found: a lead means something else in each family.
    fn placed(&self, shown: EvidenceShown, family: Family, lead: &Lead) -> EvidenceShown {
        let [seen, usual, upper] =
            [lead.seen, lead.usual, lead.upper].map(|value| Some(figure(f64::from(value))));
        let shown = EvidenceShown {
            datastore: self.state.store(lead.store).map(|store| store.label.clone()),
            of_all_datastores: lead.is_total,
            ..shown
        };
        let window_seconds =
            Window::ALL.get(usize::from(lead.window)).map(|window| window.seconds());
        match family {
            Family::Volume => EvidenceShown {
                window_seconds,
                seen,
                usual,
                upper,
                unit: Some(Unit::Volume),
                ..shown
            },
            Family::NewObjects => EvidenceShown {
                window_seconds,
                seen,
                usual,
                upper,
                unit: Some(Unit::Objects),
                ..shown
            },
            Family::OffHours => EvidenceShown {
                hour: Some(lead.window),
                seen,
                unit: Some(Unit::OddHours),
                presence: usual,
                ..shown
            },
            Family::NewStore if lead.is_total => {
                EvidenceShown { seen, unit: Some(Unit::Datastores), ..shown }
            }
            Family::NewStore => EvidenceShown {
                window_seconds: Some(Window::Hour.seconds()),
                seen,
                unit: Some(Unit::Volume),
                // A count below 256.
                peers: Some(lead.usual as u8),
                ..shown
            },
            Family::NewWrite => EvidenceShown { seen, unit: Some(Unit::Volume), ..shown },
            Family::NewNetwork => EvidenceShown { seen, unit: Some(Unit::Seconds), ..shown },
            Family::Export => shown,
        }
    }

    fn channels(&self, today: &Today, context: &Context) -> Vec<ChannelShown> {
        let of = |channel: Channel| {
            let is_drift = channel == Channel::Drift;
            let score = if is_drift {
                self.growth_nats()
            } else {
                day_score(self.lent, channel, today).max(0.0)
            };
            let weighed = f64::from(today.weighed[channel as usize]);
            let threshold = self.shared.budget.threshold(channel, &context.alerts_per_day);
            let speaks_from = Budget::speaks_from(channel, self.first_day);
            ChannelShown {
                channel: channel.as_str(),
                evidence: figure(f64::from(today.totals[channel as usize])),
                score: figure(score),
                weighed: (weighed > 0.0).then(|| figure(weighed)),
                threshold: threshold.map(figure),
                speaks_from,
                is_warm: self.day >= speaks_from,
            }
        };
        Channel::BUDGETED.into_iter().map(of).collect()
    }

    /// What the growth of the last days is worth, that of the group left out.
    fn growth_nats(&self) -> f64 {
        let growth = self.reader.own_growth(&self.shared.peers);
        growth.map_or(0.0, |statistic| drift_score(self.lent, statistic))
    }

    fn history(&self, today: &Today) -> HistoryShown {
        let levels = self.reader.drift.levels();
        let volumes = levels.iter().map(|level| figure(units(f64::from(*level)))).collect();
        let large = self.reader.sizes.large();
        let shown = |Growth { statistic, days, usual, recent }: Growth| GrowthShown {
            statistic: figure(statistic),
            days,
            usual: figure(units(usual)),
            recent: figure(units(recent)),
            nats: figure(self.growth_nats()),
        };
        HistoryShown {
            median: (!levels.is_empty()).then(|| figure(units(median(levels)))),
            volumes,
            open: figure(f64::from(today.capped)),
            large_event: large.is_finite().then(|| figure(large)),
            growth: self.reader.drift.growth().map(shown),
        }
    }

    fn hours(&self, today: &Today) -> HoursShown {
        let group = &self.shared.peers.group(self.reader.group).hours;
        let of = |day: i32| {
            let presence = |hour| figure(self.reader.office_hours.presence(day, hour, group));
            (0..24).map(presence).collect()
        };
        let [workdays_known, weekend_days_known] = self.reader.office_hours.days_of_parts();
        HoursShown {
            workdays: of(MONDAY),
            weekends: of(SATURDAY),
            workdays_known,
            weekend_days_known,
            today: (0..24).filter(|hour| today.hours >> hour & 1 == 1).collect(),
        }
    }

    fn datastore(&self, key: u64) -> Option<DatastoreShown> {
        let pair: &Pair = self.reader.pairs.get(&key)?;
        let store = self.state.store(key);
        Some(DatastoreShown {
            label: store.map(|store| store.label.clone()),
            first_day: pair.first_day,
            last_day: pair.last_day,
            days: pair.days,
            windows: self.windows(
                pair.rings.as_deref(),
                &pair.peaks,
                &pair.baselines,
                &self.lent.pair,
                PAIR_DAYS_MIN,
            ),
            read_today: MetricsShown::default().plus(pair.today),
            objects: pair.objects,
            new_objects: pair.new_objects,
            export_days: pair.export_days,
            readers_of_group: store.map_or(0, |store| store.readers(self.reader.group)),
        })
    }
}

impl MetricsShown {
    fn plus(self, counts: [Option<u64>; METRICS]) -> Self {
        let sum = |known: Option<u64>, metric: Metric| match (known, counts[metric.index()]) {
            (Some(known), Some(more)) => Some(known.saturating_add(more)),
            (known, more) => known.or(more),
        };
        Self {
            rows: sum(self.rows, Metric::Rows),
            bytes: sum(self.bytes, Metric::Bytes),
            objects: sum(self.objects, Metric::Objects),
        }
    }
}

fn told(incident: &Incident, day: i32) -> IncidentShown {
    let (said, said_on) = incident.said();
    IncidentShown {
        uid: incident.uid.clone(),
        channel: incident.channel.as_str(),
        rule: incident.rule.as_str(),
        since: incident.since,
        score_said: figure(f64::from(said)),
        said_on,
        bar: figure(incident.bar(day).max(0.0)),
        datastores: incident.stores(),
    }
}

/// The nats of a day that has come so far; nothing of one without a read.
fn nats_of(expected: &Prediction, value: f64, scale: fn(f64) -> f64) -> f64 {
    if value > 0.0 { figure(expected.nats(scale(value))) } else { 0.0 }
}

/// To thousandths: nobody reads more, and the last bits are not the same everywhere. What has no number is none.
fn figure(value: f64) -> f64 {
    if value.is_finite() { (value * 1000.0).round() / 1000.0 + 0.0 } else { 0.0 }
}

/// A day as it is written: `2026-03-02`.
fn date<S: Serializer>(day: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&EventTime::from_micros(i64::from(*day) * 86_400_000_000).date())
}

/// A second as it is written: `2026-03-02T10:00:00Z`.
fn moment<S: Serializer>(second: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&EventTime::from_micros(second.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests;
