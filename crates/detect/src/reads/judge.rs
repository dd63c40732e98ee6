//! How an event is judged, as it comes.

use dataward_event::audit_event::Sensitivity;

use crate::actor_key::object_hash;
use crate::reads::actor::{Lead, Reader, Today};
use crate::reads::baseline::{Baseline, Prediction, Prior};
use crate::reads::deed::Deed;
use crate::reads::evidence::{CHANNELS, CONTEXT_NATS_MAX, Channel, FAMILIES, Family};
use crate::reads::metric::{Metric, level, object_level, objects, units};
use crate::reads::networks::network_of;
use crate::reads::object_rings::ObjectRings;
use crate::reads::pair::{Pair, raise};
use crate::reads::peers::{Lent, Peers, Pool, Stratum};
use crate::reads::store::Store;
use crate::reads::window::{Rings, WINDOWS, Window};

/// An actor that has been active on fewer days has no rates of its own.
const RATE_DAYS_MIN: u16 = 3;
/// A datastore speaks for itself when an actor has read it on so many days.
pub(super) const PAIR_DAYS_MIN: f64 = 3.0;
/// An actor's day stands out for its group when it is known so long.
const LIFT_DAYS_MIN: f64 = 5.0;
/// Fewer new objects are never many.
pub(super) const NEW_OBJECTS_MIN: f32 = 20.0;
/// The least variance of new objects, in an hour and in a day.
const OBJECT_VARIANCES: [f64; 2] = [0.04, 0.10];
/// An hour is unusual when the actor is at work in fewer than one of eight such hours, and odd beyond `e^-3.5`.
const PRESENCE_MAX: f64 = 0.13;
const ODD_NATS: f64 = 3.5;
/// A person's hours are known after so many days.
const OFFICE_DAYS_MIN: u32 = 5;
/// Evidence of hours below this is not told.
const OFF_HOURS_MIN: f32 = 3.0;
/// What a family is worth at most, in nats: beyond, it makes no difference.
const NATS_MAX: f64 = 100.0;
/// Less than so much is nearly nothing, in units of volume.
const TOUCHED_UNITS: f64 = 100.0;
/// What a single family counts less, in nats.
const SINGLE_LESS: f64 = 2.0;
/// Little is known of a partition's datastores before.
const YOUNG_DAYS: i32 = 3;
/// The volume of first hours and first writes, before any is known.
const FIRST_PRIOR: Prior = Prior { mean: 0.0, between: 1.0, within: 1.0 };
const FIRST_WRITE_PRIOR: Prior = Prior { mean: 5.0, between: 4.0, within: 2.0 };
const FIRST_VARIANCE_MIN: f64 = 0.25;

/// The scores of an actor's day that an event has raised, by channel.
pub type Raised = [Option<f64>; CHANNELS];

/// What is needed beside the actor.
#[derive(Debug)]
pub struct Around<'a> {
    /// Its like.
    pub peers: &'a mut Peers,
    /// The datastore.
    pub store: &'a mut Store,
    /// The open day.
    pub day: i32,
    /// The first day of the partition.
    pub first_day: i32,
}

/// The scores of families that an event has raised, on their way into the day.
struct Notes<'t> {
    today: &'t mut Today,
    has_risen: bool,
}

impl Notes<'_> {
    fn note(&mut self, family: Family, nats: f64, lead: Lead) {
        let known = &mut self.today.scores[family as usize];
        let nats = rounded(nats);
        if nats > *known {
            *known = nats;
            self.today.leads[family as usize] = lead;
            self.has_risen = true;
        }
    }
}

/// The least variance that is believed of an actor's baseline at a place: of the windows, then of new objects.
pub(super) fn variance_min(place: usize) -> f64 {
    match Window::ALL.get(place) {
        Some(window) => window.variance_min(),
        None => OBJECT_VARIANCES[place - WINDOWS],
    }
}

/// To thousandths: the last bits of a logarithm are not the same everywhere, and this is saved.
fn rounded(nats: f64) -> f32 {
    ((nats.max(0.0) * 1000.0).round() / 1000.0) as f32
}

impl Reader {
    /// Takes what an event does in, and says which scores of the day it has raised.
    pub fn observe(&mut self, deed: &Deed<'_>, around: &mut Around<'_>) -> Raised {
        let stratum = self.stratum();
        let lent = *around.peers.lent(self.group, stratum);
        let mut today = self.today.take().unwrap_or_default();
        let mut notes = Notes { today: &mut today, has_risen: false };
        let hour = deed.second.div_euclid(3_600);
        let hour_bit = 1 << hour.rem_euclid(24);
        let is_first_in_hour = notes.today.hours & hour_bit == 0;
        notes.today.hours |= hour_bit;
        self.meet_network(deed, around, &mut notes);
        let mut pair = self.meet_store(deed, around, &mut notes);

        let rises = self.take_volume(deed, around, &lent, &mut pair, &mut notes);
        self.take_objects(deed, around, &lent, &mut pair, &mut notes);
        self.judge_new_store(deed, around, stratum, &pair, &mut notes);
        self.judge_write(deed, around, stratum, &mut pair, &mut notes);
        if deed.is_export {
            let group = around.peers.group(self.group);
            let nats = self.exports.nats(&group.exports, self.active_days());
            let is_again = std::mem::replace(&mut pair.is_exported, true) || pair.export_days > 0;
            let firsts = &mut notes.today.first_exports;
            *firsts = firsts.saturating_add(u16::from(!is_again));
            notes.today.exports = notes.today.exports.saturating_add(1);
            notes.note(Family::Export, nats, Lead { store: deed.store_key, ..Lead::default() });
        }
        if stratum == Stratum::Human && (is_first_in_hour || rises) {
            self.judge_hours(deed, around, &lent, hour, &mut notes);
        }
        let raised = if notes.has_risen { judge(&lent, &mut today) } else { [None; CHANNELS] };
        self.pairs.insert(deed.store_key, pair);
        self.today = Some(today);
        raised
    }

    fn meet_network(&mut self, deed: &Deed<'_>, around: &Around<'_>, notes: &mut Notes<'_>) {
        let network = deed.event.client.ip.as_deref().and_then(network_of);
        let Some(met) = network.map(|network| self.networks.meet(network, deed.second)) else {
            return;
        };
        if met.is_first {
            notes.today.new_networks = notes.today.new_networks.saturating_add(1);
        }
        if met.is_new && self.days >= RATE_DAYS_MIN {
            let group = around.peers.group(self.group);
            let nats = self.new_networks.nats(&group.new_networks, self.active_days());
            let seen = (deed.second - met.first).max(0) as f32;
            notes.note(
                Family::NewNetwork,
                nats.min(CONTEXT_NATS_MAX),
                Lead { store: deed.store_key, seen, ..Lead::default() },
            );
        }
    }

    /// The pair of the datastore, taken out while it is at hand.
    fn meet_store(
        &mut self,
        deed: &Deed<'_>,
        around: &mut Around<'_>,
        notes: &mut Notes<'_>,
    ) -> Box<Pair> {
        around.store.last_day = around.store.last_day.max(around.day);
        if let Some(mut pair) = self.pairs.remove(&deed.store_key) {
            pair.last_day = around.day;
            return pair;
        }
        notes.today.new_stores = notes.today.new_stores.saturating_add(1);
        let mut pair = match self.faded.remove(&deed.store_key) {
            Some(faded) => Pair::returned(around.day, &faded),
            None => {
                let before = around.store.readers(self.group);
                around.store.meet(self.group);
                let mut pair = Pair::new(around.day);
                pair.peers_before = before.min(255) as u8;
                pair
            }
        };
        pair.last_day = around.day;
        Box::new(pair)
    }

    /// Adds the volume up and judges the windows whose peak it raises. Whether any is.
    fn take_volume(
        &mut self,
        deed: &Deed<'_>,
        around: &mut Around<'_>,
        lent: &Lent,
        pair: &mut Pair,
        notes: &mut Notes<'_>,
    ) -> bool {
        let Some(volume) = &deed.volume else { return false };
        let (amount, floor) = (volume.amount(), volume.metric().floor_units());
        let rings = self.rings.get_or_insert_with(|| Box::new(Rings::new(deed.second)));
        rings.add(deed.second, amount);
        let of_all = raise(&mut notes.today.peaks, rings, amount);
        let of_pair = pair.take(deed.second, amount, volume);
        if deed.reads_everything() {
            pair.whole_rows = pair.whole_rows.max(volume.count(Metric::Rows).unwrap_or(0));
        }
        let size = level(amount) as f32;
        let sizes = &mut notes.today.sizes;
        *sizes = [sizes[0] + 1.0, sizes[1] + size, sizes[2] + size * size];
        notes.today.capped += amount.min(self.sizes.large()) as f32;

        let lift = around.peers.group(self.group).lift_beside(deed.actor_key);
        let weekday = self.weekdays.of(around.day);
        for window in Window::ALL {
            let place = window.index();
            let judged = |baseline: &Baseline, prior: &Prior| {
                baseline
                    .prediction(prior, window.variance_min())
                    .moved(weekday + window.lift_share() * lift)
            };
            if of_all[place] {
                let sum = notes.today.peaks[place];
                let expected = judged(&self.baselines[place], &lent.actor[place]);
                if window == Window::Day && self.baselines[place].days() >= LIFT_DAYS_MIN {
                    let excess =
                        level(f64::from(sum)) - expected.median() + window.lift_share() * lift;
                    around.peers.group_mut(self.group).note_lift(deed.actor_key, excess);
                }
                note_volume(notes, deed, window, true, sum, floor, &expected);
            }
            if of_pair[place] && pair.baselines[place].days() >= PAIR_DAYS_MIN {
                let expected = judged(&pair.baselines[place], &lent.pair[place]);
                note_volume(notes, deed, window, false, pair.peaks[place], floor, &expected);
            }
        }
        of_all.contains(&true)
    }

    fn take_objects(
        &mut self,
        deed: &Deed<'_>,
        around: &Around<'_>,
        lent: &Lent,
        pair: &mut Pair,
        notes: &mut Notes<'_>,
    ) {
        if deed.volume.is_none() || deed.event.objects.is_empty() {
            return;
        }
        let hashes = deed.event.objects.iter().map(|object| object_hash(object));
        let new = hashes.filter(|hash| pair.seen.insert(*hash, around.day)).count();
        if new == 0 {
            return;
        }
        // An event names at most a thousand objects.
        pair.objects = pair.objects.saturating_add(new as u32);
        pair.new_objects = pair.new_objects.saturating_add(new as u32);
        let rings = self.objects.get_or_insert_with(|| Box::new(ObjectRings::new(deed.second)));
        let sums = rings.add(deed.second, new as u16);
        for (place, sum) in sums.into_iter().enumerate() {
            if sum <= notes.today.object_peaks[place] {
                continue;
            }
            notes.today.object_peaks[place] = sum;
            if sum < NEW_OBJECTS_MIN {
                continue;
            }
            let prior = &lent.actor[WINDOWS + place];
            let baseline = &self.baselines[WINDOWS + place];
            let expected = baseline.prediction(prior, variance_min(WINDOWS + place));
            let lead = Lead {
                store: deed.store_key,
                window: [Window::Hour, Window::Day][place].index() as u8,
                is_total: true,
                seen: sum,
                usual: objects(expected.median()) as f32,
                upper: objects(expected.quantile(0.999)) as f32,
            };
            notes.note(Family::NewObjects, expected.nats(object_level(f64::from(sum))), lead);
        }
    }

    /// The first day in a datastore: how rarely the actor comes to a new one, how many of its group are there, and how much
    /// it reads there beside its usual hour.
    fn judge_new_store(
        &self,
        deed: &Deed<'_>,
        around: &Around<'_>,
        stratum: Stratum,
        pair: &Pair,
        notes: &mut Notes<'_>,
    ) {
        if pair.first_day != around.day || self.days < RATE_DAYS_MIN {
            return;
        }
        let (group, days) = (around.peers.group(self.group), self.active_days());
        let hour = f64::from(pair.peaks[Window::Hour.index()]);
        let first = &around.peers.stratum(stratum).first_hours;
        let expected = first.prediction(&FIRST_PRIOR, FIRST_VARIANCE_MIN);
        let of_volume =
            if hour > 0.0 { expected.nats(level(hour) - self.usual_hour()) } else { 0.0 };
        let of_peers = if self.faded.is_empty() || pair.baselines[Window::Day.index()].days() <= 0.0
        {
            group.popularity_nats(usize::from(pair.peers_before))
        } else {
            0.0
        };
        let most = if hour < TOUCHED_UNITS { CONTEXT_NATS_MAX } else { f64::INFINITY };
        let nats = (self.new_stores.nats(&group.new_stores, days) + of_peers + of_volume).min(most);
        let lead = Lead {
            store: deed.store_key,
            seen: hour as f32,
            usual: f32::from(pair.peers_before),
            ..Lead::default()
        };
        notes.note(Family::NewStore, nats, lead);
        let count = notes.today.new_stores;
        if count > 1 {
            let nats = self.new_stores.nats_of(u32::from(count), &group.new_stores, days);
            let lead = Lead {
                store: deed.store_key,
                is_total: true,
                seen: f32::from(count),
                ..Lead::default()
            };
            notes.note(Family::NewStore, nats, lead);
        }
    }

    /// A datastore that the actor never wrote to: how rarely it does that, how much it writes, and whether it is new to
    /// everybody.
    fn judge_write(
        &self,
        deed: &Deed<'_>,
        around: &Around<'_>,
        stratum: Stratum,
        pair: &mut Pair,
        notes: &mut Notes<'_>,
    ) {
        let Some(written) = deed.written else { return };
        if *pair.written_since.get_or_insert_with(|| {
            notes.today.new_writes = notes.today.new_writes.saturating_add(1);
            around.day
        }) != around.day
            || self.days < RATE_DAYS_MIN
        {
            return;
        }
        notes.today.written += written as f32;
        let (group, days) = (around.peers.group(self.group), self.active_days());
        let expected = around
            .peers
            .stratum(stratum)
            .first_writes
            .prediction(&FIRST_WRITE_PRIOR, FIRST_VARIANCE_MIN);
        let is_new_to_all =
            around.store.first_day == around.day && around.day - around.first_day >= YOUNG_DAYS;
        let nats = self.new_writes.nats(&group.new_writes, days)
            + expected.nats(level(f64::from(notes.today.written)))
            + if is_new_to_all { 2.0 } else { 0.0 };
        let is_little = f64::from(notes.today.written) < TOUCHED_UNITS;
        let nats = if is_little { nats.min(CONTEXT_NATS_MAX) } else { nats };
        let lead = Lead { store: deed.store_key, seen: notes.today.written, ..Lead::default() };
        notes.note(Family::NewWrite, nats, lead);
    }

    fn judge_hours(
        &mut self,
        deed: &Deed<'_>,
        around: &Around<'_>,
        lent: &Lent,
        hour: i64,
        notes: &mut Notes<'_>,
    ) {
        if self.office_hours.days() < OFFICE_DAYS_MIN {
            return;
        }
        // A day and an hour of it fit.
        let (day, of_day) = (hour.div_euclid(24) as i32, hour.rem_euclid(24) as usize);
        let presence =
            self.office_hours.presence(day, of_day, &around.peers.group(self.group).hours);
        if presence >= PRESENCE_MAX {
            return;
        }
        let rare = -libm::log(presence);
        let odd = if rare > ODD_NATS { self.odd_hours.add(hour) } else { 1 };
        let place = Window::Hour.index();
        let expected =
            self.baselines[place].prediction(&lent.actor[place], Window::Hour.variance_min());
        let sum = self.rings.as_ref().map_or(0.0, |rings| rings.sum(Window::Hour));
        let nats = rare
            + expected.nats(level(sum)).min(3.0)
            + 1.5 * f64::from(odd.saturating_sub(1).min(6));
        let lead = Lead {
            store: deed.store_key,
            window: of_day as u8,
            seen: odd as f32,
            usual: presence as f32,
            ..Lead::default()
        };
        notes.note(Family::OffHours, nats, lead);
    }
}

fn note_volume(
    notes: &mut Notes<'_>,
    deed: &Deed<'_>,
    window: Window,
    is_total: bool,
    sum: f32,
    floor: f64,
    expected: &Prediction,
) {
    let value = level(f64::from(sum));
    if f64::from(sum) < floor || value <= expected.median() {
        return;
    }
    let nats = expected.nats(value);
    if rounded(nats) <= notes.today.scores[Family::Volume as usize] {
        return;
    }
    let lead = Lead {
        store: deed.store_key,
        window: window.index() as u8,
        is_total,
        seen: sum,
        usual: units(expected.median()) as f32,
        upper: units(expected.quantile(0.999)) as f32,
    };
    notes.note(Family::Volume, nats, lead);
}

/// What each family of a day is worth, in nats.
pub fn worth(lent: &Lent, today: &Today) -> [f64; FAMILIES] {
    Family::ALL.map(|family| {
        let score = f64::from(today.scores[family as usize]);
        let most = if family == Family::NewNetwork { CONTEXT_NATS_MAX } else { NATS_MAX };
        lent.families[family as usize].nats(score).min(most)
    })
}

/// The score of an actor's day in a channel, as far as it goes: the negative logarithm of the share of ordinary actor-days that
/// reach it.
///
/// The evidence of several families together is as rare as its sum is; that of a single one is as rare as it says, whatever
/// the others do. The stronger of the two counts, and since there are two ways to be rare, the single one a little less.
pub fn day_score(lent: &Lent, channel: Channel, today: &Today) -> f64 {
    let together = lent.channels[channel as usize].nats(f64::from(today.totals[channel as usize]));
    if channel != Channel::Acute {
        return together;
    }
    let nats = worth(lent, today).into_iter().zip(Family::ALL);
    let alone = nats.map(|(nats, family)| channel.weigh(family, nats)).fold(0.0, f64::max);
    together.max(alone - SINGLE_LESS)
}

impl Reader {
    /// How far the actor's last days stand out, what its group has grown by left out; `None` where too few are known.
    pub(super) fn own_growth(&self, peers: &Peers) -> Option<f64> {
        let of_group = f64::from(peers.group(self.group).growth);
        self.drift.growth().map(|growth| (growth.statistic - of_group).max(0.0))
    }
}

/// The score of a statistic of growth.
pub fn drift_score(lent: &Lent, statistic: f64) -> f64 {
    lent.channels[Channel::Drift as usize].nats(statistic)
}

/// Brings the evidence of a day together; the scores that have risen.
fn judge(lent: &Lent, today: &mut Today) -> Raised {
    let nats = worth(lent, today);
    [Channel::Acute, Channel::Drift, Channel::OffHours, Channel::Policy].map(|channel| {
        let is_heard = match channel {
            Channel::Acute => true,
            Channel::OffHours => today.scores[Family::OffHours as usize] >= OFF_HOURS_MIN,
            Channel::Drift | Channel::Policy => false,
        };
        let total = channel.total(&nats) as f32;
        let known = &mut today.totals[channel as usize];
        if !is_heard || total <= *known {
            return None;
        }
        *known = total;
        Some(day_score(lent, channel, today))
    })
}

/// What the sensitivity of data adds to a score, in nats: the logarithm of how much dearer an overlooked read is than that of
/// data of which nothing is known.
pub fn weight(sensitivity: Option<Sensitivity>) -> f64 {
    match sensitivity {
        Some(Sensitivity::Public) => -1.386,
        Some(Sensitivity::Internal) => -0.357,
        None => 0.0,
        Some(Sensitivity::Confidential) => 0.405,
        Some(Sensitivity::Restricted) => 0.916,
    }
}

/// Takes the first volumes of a day that is over in.
pub fn teach_first(pool: &mut Pool, hour: Option<f64>, written: Option<f64>) {
    if let Some(beyond) = hour {
        pool.first_hours.teach(beyond, &FIRST_PRIOR, FIRST_VARIANCE_MIN);
    }
    if let Some(written) = written {
        pool.first_writes.teach(level(written), &FIRST_WRITE_PRIOR, FIRST_VARIANCE_MIN);
    }
}
