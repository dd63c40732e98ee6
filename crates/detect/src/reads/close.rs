//! What a day teaches when it is over.

use crate::context::Context;
use crate::reads::actor::{Reader, Today};
use crate::reads::budget::Budget;
use crate::reads::bulk_reads::{Stores, place};
use crate::reads::calibration::Calibration;
use crate::reads::evidence::{CHANNELS, Channel, Family};
use crate::reads::incident::Incident;
use crate::reads::judge::{day_score, drift_score, teach_first, variance_min};
use crate::reads::metric::{Metric, level, object_level};
use crate::reads::pair::{IDLE_DAYS, Pair};
use crate::reads::peers::{ACTOR_BASELINES, GroupId, Lent, Peers, Stratum};
use crate::reads::verdict::Disposition;
use crate::reads::window::{WINDOWS, Window};

/// A day with such a score teaches no rates, but that of exports: who exports is told of, and known then.
const RATE_SCORE_MAX: f64 = 20.0;
/// Scores of ordinary days are gathered when baselines have had a week; those that would have been told, a little later. The
/// first days are all unusual.
const SCORES_FROM: i32 = 7;
const TOLD_FROM: i32 = 10;
/// How many pairs that are idle are remembered by their usual day.
const FADED_MAX: usize = 128;

/// The day that is over.
#[derive(Debug)]
pub struct Closing<'c> {
    /// The day.
    pub day: i32,
    /// The first day of the partition.
    pub first_day: i32,
    /// What people know.
    pub context: &'c Context,
    /// The score from which people are told, by channel.
    pub thresholds: [Option<f64>; CHANNELS],
    /// The budget, to learn what would have been told.
    pub budget: &'c mut Budget,
    /// What scores were worth.
    pub calibration: &'c mut Calibration,
    /// The groups and strata.
    pub peers: &'c mut Peers,
    /// The datastores.
    pub stores: &'c mut Stores,
    /// The segments that the day has changed.
    pub dirty: u64,
}

impl Closing<'_> {
    /// Whether people say that of a finding, and the day is not one for which they no longer do.
    fn says(&self, finding: &str, disposition: Disposition) -> bool {
        let verdict = self.context.verdict(finding);
        verdict
            .is_some_and(|verdict| verdict.disposition == disposition && verdict.holds_on(self.day))
    }

    /// Whether the days of an incident are none like others. What needs no statistics is no reason, unless it was an attack.
    fn is_special(&self, incident: &Incident) -> bool {
        incident.channel != Channel::Policy || self.says(&incident.uid, Disposition::Confirmed)
    }
}

impl Reader {
    /// First pass: takes the day's level in, and says how far the last days stand out.
    pub fn close_drift(&mut self) -> Option<(GroupId, f64)> {
        let today = self.today.as_deref()?;
        if today.capped > 0.0 {
            self.drift.teach(level(f64::from(today.capped)));
        }
        self.drift_score = 0.0;
        self.drift.growth().map(|growth| (self.group, growth.statistic))
    }

    /// Second pass: the day teaches.
    pub fn close_day(&mut self, key: u64, closing: &mut Closing<'_>) {
        let Some(today) = self.today.take() else { return };
        let stratum = self.stratum();
        let lent = *closing.peers.lent(self.group, stratum);
        let acute = day_score(&lent, Channel::Acute, &today);
        self.add_scores(closing, stratum, &today);
        if closing.day - closing.first_day >= TOLD_FROM {
            closing.calibration.add(Channel::Acute, acute);
            let off_hours = day_score(&lent, Channel::OffHours, &today);
            closing.calibration.add(Channel::OffHours, off_hours);
        }
        let mut drift = 0.0;
        if let Some(statistic) = self.own_growth(closing.peers) {
            drift = drift_score(&lent, statistic);
            closing.calibration.add(Channel::Drift, drift);
            if !self.is_known(Channel::Drift) {
                let [_, stratum] = closing.peers.both(self.group, stratum);
                stratum.channels[Channel::Drift as usize].add(statistic);
            }
            self.add_told(closing, Channel::Drift, drift);
        }
        self.drift_score = drift as f32;
        self.teach_levels(key, closing, &lent, &today);
        self.teach_rates(closing, stratum, &today, acute);
        self.close_pairs(closing, &lent, stratum, &today);
        for pool in closing.peers.both(self.group, stratum) {
            pool.teach_actor(&self.baselines);
        }
        self.days = self.days.saturating_add(1);
        let hours = today.hours.count_ones() as f32;
        let share = (1.0 / f32::from(self.days)).max(0.05);
        self.hours_a_day += (hours - self.hours_a_day) * share;
        let end = (i64::from(closing.day) + 1) * 86_400;
        if self.rings.as_ref().is_some_and(|rings| rings.is_over(end)) {
            self.rings = None;
        }
        if self.objects.as_ref().is_some_and(|rings| end - rings.newest() > 86_400) {
            self.objects = None;
        }
    }

    /// Whether people know of an incident in a channel that is not over: its days are no ordinary ones.
    fn is_known(&self, channel: Channel) -> bool {
        self.incidents.iter().any(|incident| incident.channel == channel)
    }

    fn add_scores(&mut self, closing: &mut Closing<'_>, stratum: Stratum, today: &Today) {
        if !self.is_known(Channel::Acute) && closing.day - closing.first_day >= SCORES_FROM {
            for pool in closing.peers.both(self.group, stratum) {
                for family in Family::ALL {
                    pool.families[family as usize].add(f64::from(today.scores[family as usize]));
                }
                for channel in [Channel::Acute, Channel::OffHours] {
                    pool.channels[channel as usize].add(f64::from(today.totals[channel as usize]));
                }
            }
        }
        for channel in [Channel::Acute, Channel::OffHours] {
            self.add_told(closing, channel, f64::from(today.weighed[channel as usize]));
        }
    }

    /// What counts against the budget is what begins a finding: not another day of one that people know of, and no attack.
    fn add_told(&mut self, closing: &mut Closing<'_>, channel: Channel, score: f64) {
        let day = closing.day;
        if day - closing.first_day < TOLD_FROM {
            return;
        }
        match self.incidents.iter_mut().find(|incident| incident.channel == channel) {
            Some(incident) if incident.since == day => {
                if !closing.says(&incident.uid, Disposition::Confirmed) {
                    closing.budget.add(channel, score);
                    incident.counted = Some(score as f32);
                }
            }
            Some(_) => closing.budget.add(channel, 0.0),
            None => closing.budget.add(channel, score),
        }
    }

    /// The peaks of the day teach, unless it is a day of an incident: then they are kept until it is over.
    fn teach_levels(&mut self, key: u64, closing: &mut Closing<'_>, lent: &Lent, today: &Today) {
        let mut levels: [Option<f32>; ACTOR_BASELINES] = [None; ACTOR_BASELINES];
        for window in Window::ALL {
            let peak = f64::from(today.peaks[window.index()]);
            levels[window.index()] = (peak > 0.0).then(|| level(peak) as f32);
        }
        for place in 0..2 {
            let peak = f64::from(today.object_peaks[place]);
            // A day without a new object is a day like others for whoever names objects.
            let names_objects = peak > 0.0 || self.baselines[WINDOWS + place].days() > 0.0;
            levels[WINDOWS + place] = names_objects.then(|| object_level(peak) as f32);
        }
        let day = closing.day;
        self.end_incidents(closing, lent);
        match self.incidents.iter_mut().find(|incident| closing.is_special(incident)) {
            Some(incident) if closing.says(&incident.uid, Disposition::Expected) => {
                self.teach(&levels, lent, true);
            }
            Some(incident) => incident.keep(day, levels),
            None => {
                let of_day = levels[Window::Day.index()];
                if let Some(of_day) = of_day {
                    let place = Window::Day.index();
                    let lift = closing.peers.group(self.group).lift_beside(key);
                    let expected = self.baselines[place]
                        .prediction(&lent.actor[place], Window::Day.variance_min())
                        .moved(lift);
                    self.weekdays.teach(day, f64::from(of_day) - expected.median());
                }
                self.teach(&levels, lent, false);
            }
        }
    }

    fn teach(&mut self, levels: &[Option<f32>; ACTOR_BASELINES], lent: &Lent, is_expected: bool) {
        for (place, value) in levels.iter().enumerate() {
            let Some(value) = value.map(f64::from) else { continue };
            let baseline = &mut self.baselines[place];
            if is_expected {
                baseline.teach_weighted(value, 1.0);
            } else {
                baseline.teach(value, &lent.actor[place], variance_min(place));
            }
        }
    }

    /// Ends the incidents that have faded. The days that were kept of them teach, but of an attack; of what is expected they
    /// teach at once, and more of it belongs to it.
    fn end_incidents(&mut self, closing: &mut Closing<'_>, lent: &Lent) {
        let day = closing.day;
        let mut open = Vec::new();
        for mut incident in std::mem::take(&mut self.incidents) {
            let is_attack = closing.says(&incident.uid, Disposition::Confirmed);
            let is_expected = closing.says(&incident.uid, Disposition::Expected);
            if is_attack && let Some(score) = incident.counted.take() {
                let days = day - incident.since;
                closing.budget.take_back(incident.channel, f64::from(score), days);
            }
            let threshold = closing.thresholds[incident.channel as usize].unwrap_or(f64::INFINITY);
            let has_faded = match incident.channel {
                Channel::Policy => incident.since < day,
                _ => incident.is_over(day + 1, threshold),
            };
            if is_expected || has_faded && !is_attack {
                for (_, levels) in incident.take_kept() {
                    self.teach(&levels, lent, is_expected);
                }
            }
            if !has_faded {
                open.push(incident);
            }
        }
        self.incidents = open;
    }

    fn teach_rates(
        &mut self,
        closing: &mut Closing<'_>,
        stratum: Stratum,
        today: &Today,
        acute: f64,
    ) {
        self.sizes.teach(today.sizes);
        self.exports.count += f32::from(today.exports.min(1));
        if acute >= RATE_SCORE_MAX {
            return;
        }
        let day = closing.day;
        self.office_hours.teach(day, today.hours);
        let is_young = self.days < 3;
        for pool in closing.peers.both(self.group, stratum) {
            pool.hours.teach(day, today.hours);
            if !is_young {
                pool.new_stores.add(f64::from(today.new_stores));
                pool.exports.add(f64::from(today.exports.min(1)));
                pool.new_writes.add(f64::from(today.new_writes));
                pool.new_networks.add(f64::from(today.new_networks));
            }
        }
        if !is_young {
            self.new_stores.count += f32::from(today.new_stores);
            self.new_writes.count += f32::from(today.new_writes);
            self.new_networks.count += f32::from(today.new_networks);
        }
    }

    fn close_pairs(
        &mut self,
        closing: &mut Closing<'_>,
        lent: &Lent,
        stratum: Stratum,
        today: &Today,
    ) {
        let day = closing.day;
        let incident = self.incidents.iter().find(|incident| closing.is_special(incident));
        let teaching = match incident {
            None => Teaching::Robust,
            Some(incident) if closing.says(&incident.uid, Disposition::Expected) => Teaching::Whole,
            Some(_) => Teaching::Nothing,
        };
        let usual_hour = self.usual_hour();
        let mut idle = Vec::new();
        for (key, pair) in self.pairs.iter_mut() {
            if pair.last_day == day {
                if pair.first_day == day && self.days >= 3 {
                    let hour = f64::from(pair.peaks[Window::Hour.index()]);
                    let hour = (hour > 0.0).then(|| level(hour) - usual_hour);
                    let [group, stratum] = closing.peers.both(self.group, stratum);
                    group.popularity[usize::from(pair.peers_before.min(2))] += 1.0;
                    teach_first(stratum, hour, None);
                }
                let at = place(*key);
                if let Some(store) = closing.stores[at].get_mut(key) {
                    store.teach(
                        pair.objects,
                        pair.today(Metric::Rows).unwrap_or(0),
                        pair.whole_rows,
                    );
                    closing.dirty |= 1 << at;
                }
                close_pair(pair, lent, teaching);
                for pool in closing.peers.both(self.group, stratum) {
                    pool.teach_pair(&pair.baselines);
                }
            } else if day - pair.last_day >= IDLE_DAYS {
                idle.push(*key);
            } else if pair.rings.is_some() {
                pair.rings = None;
            }
        }
        if today.written > 0.0 && self.days >= 3 {
            let [_, stratum] = closing.peers.both(self.group, stratum);
            teach_first(stratum, None, Some(f64::from(today.written)));
        }
        for key in idle {
            self.forget(key);
        }
    }

    /// Forgets a datastore but for its usual day.
    pub fn forget(&mut self, key: u64) {
        let Some(pair) = self.pairs.remove(&key) else { return };
        if self.faded.len() >= FADED_MAX {
            let oldest =
                self.faded.iter().min_by_key(|(_, faded)| faded.last_day).map(|(key, _)| *key);
            oldest.and_then(|key| self.faded.remove(&key));
        }
        self.faded.insert(key, pair.faded());
    }
}

/// How far the day of a pair teaches.
#[derive(Debug, Clone, Copy)]
enum Teaching {
    /// As far as it is like the others.
    Robust,
    /// As it is: somebody has said that it is expected.
    Whole,
    /// Not: it is a day of an incident.
    Nothing,
}

fn close_pair(pair: &mut Pair, lent: &Lent, teaching: Teaching) {
    pair.days = pair.days.saturating_add(1);
    for window in Window::ALL {
        let place = window.index();
        let peak = f64::from(pair.peaks[place]);
        if peak <= 0.0 {
            continue;
        }
        match teaching {
            Teaching::Robust => {
                pair.baselines[place].teach(level(peak), &lent.pair[place], window.variance_min());
            }
            Teaching::Whole => pair.baselines[place].teach_weighted(level(peak), 1.0),
            Teaching::Nothing => {}
        }
    }
    pair.export_days =
        pair.export_days.saturating_add(u16::from(std::mem::take(&mut pair.is_exported)));
    pair.peaks = [0.0; WINDOWS];
    pair.today = Default::default();
    (pair.new_objects, pair.whole_rows) = (0, 0);
}
