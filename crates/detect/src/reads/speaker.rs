//! What is said after an event, and how it goes on.

use dataward_event::audit_event::Sensitivity;
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::uid::UidBuilder;

use crate::reads::actor::Reader;
use crate::reads::budget::Budget;
use crate::reads::bulk_reads::Shared;
use crate::reads::coverage::{Coverage, crossed_half};
use crate::reads::deed::Deed;
use crate::reads::evidence::{Channel, FAMILIES, Family};
use crate::reads::incident::Incident;
use crate::reads::judge::{Raised, weight, worth};
use crate::reads::store::Store;
use crate::reads::wording::Wording;

/// A score below this is nobody's, however dear the data: the context is not asked.
const JUDGED_MIN: f64 = 3.0;
/// An export is the act of somebody who never does that, where fewer than one day in twenty has one.
const RARE_EXPORT: f64 = 0.05;
/// Or where so many datastores on one day are copied out that never were: that is another habit.
const MANY_EXPORTS: u16 = 3;

/// Decides what is said after an event.
pub(super) struct Speaker<'s> {
    pub(super) reader: &'s mut Reader,
    pub(super) shared: &'s mut Shared,
    pub(super) store: &'s Store,
    pub(super) deed: &'s Deed<'s>,
    pub(super) day: i32,
    pub(super) first_day: i32,
    pub(super) findings: Vec<Finding>,
}

impl Speaker<'_> {
    /// What needs no statistics.
    pub(super) fn policy(&mut self) {
        let deed = self.deed;
        if deed.is_export && self.is_rare_export() {
            let nats = self.export_nats();
            self.say(Channel::Policy, RuleId::ReadExport, nats, None, false);
        }
        let pair = self.reader.pairs.get(&deed.store_key);
        let crossed = pair.and_then(|pair| crossed_half(deed, self.store, pair, self.day));
        if let Some(coverage) = crossed {
            if let Some(pair) = self.reader.pairs.get_mut(&deed.store_key) {
                pair.told_most = Some(self.day);
            }
            self.say(Channel::Policy, RuleId::ReadBulk, 0.0, Some(coverage), false);
        }
    }

    /// Somebody who never exports does, or does it with this datastore for the first time, or with many.
    fn is_rare_export(&self) -> bool {
        let days = self.reader.active_days();
        let exports = f64::from(self.reader.exports.count);
        let pair = self.reader.pairs.get(&self.deed.store_key);
        let is_first_of_pair = pair.is_none_or(|pair| pair.export_days == 0);
        let is_rare = exports / days.max(1.0) < RARE_EXPORT;
        let today = self.reader.today.as_ref().map_or(0, |today| today.first_exports);
        exports == 0.0 || is_first_of_pair && (is_rare || today >= MANY_EXPORTS)
    }

    fn export_nats(&self) -> f64 {
        let group = self.shared.peers.group(self.reader.group);
        self.reader.exports.nats(&group.exports, self.reader.active_days())
    }

    /// What an event has raised, where it is above the threshold of its channel.
    pub(super) fn statistics(&mut self, mut raised: Raised) {
        if self.reader.drift_score > 0.0 {
            // It stood out when the last day was closed; the reader is there to be told of now.
            let score = std::mem::take(&mut self.reader.drift_score);
            raised[Channel::Drift as usize] = Some(f64::from(score));
        }
        for channel in Channel::BUDGETED {
            let Some(score) = raised[channel as usize].filter(|score| *score >= JUDGED_MIN) else {
                continue;
            };
            let weighed = score + weight(self.sensitivity());
            if let Some(today) = &mut self.reader.today {
                let known = &mut today.weighed[channel as usize];
                *known = known.max(weighed as f32);
            }
            if self.day < Budget::speaks_from(channel, self.first_day) {
                continue;
            }
            let threshold =
                self.shared.budget.threshold(channel, &self.deed.context.alerts_per_day);
            if threshold.is_none_or(|threshold| weighed < threshold) {
                continue;
            }
            let rule = self.rule(channel);
            if rule == RuleId::ReadExport && self.has_told(Channel::Policy, rule) {
                continue;
            }
            self.say(channel, rule, weighed, None, true);
        }
    }

    fn has_told(&self, channel: Channel, rule: RuleId) -> bool {
        let mut incidents = self.reader.incidents.iter();
        incidents.any(|told| told.channel == channel && told.rule == rule && told.since == self.day)
    }

    fn sensitivity(&self) -> Option<Sensitivity> {
        let known = self.deed.context.datastore(self.deed.datastore);
        known.and_then(|known| known.sensitivity()).or(self.deed.event.sensitivity)
    }

    /// The rule whose evidence is the strongest.
    fn rule(&self, channel: Channel) -> RuleId {
        match channel {
            Channel::Drift => RuleId::ReadSlowDrip,
            Channel::OffHours => RuleId::ReadNovel,
            Channel::Acute | Channel::Policy => {
                let nats = self.worth();
                let weighed = |family: Family| channel.weigh(family, nats[family as usize]);
                let heard = Family::ALL.into_iter().filter(|family| weighed(*family) > 0.0);
                match heard.max_by(|a, b| weighed(*a).total_cmp(&weighed(*b))) {
                    Some(Family::Export) => RuleId::ReadExport,
                    Some(Family::Volume | Family::NewObjects) | None => RuleId::ReadBulk,
                    Some(_) => RuleId::ReadNovel,
                }
            }
        }
    }

    fn worth(&self) -> [f64; FAMILIES] {
        let lent = self.shared.peers.lent(self.reader.group, self.reader.stratum());
        self.reader.today.as_ref().map_or([0.0; FAMILIES], |today| worth(lent, today))
    }

    /// Begins a finding, or goes on with one where there is news.
    fn say(
        &mut self,
        channel: Channel,
        rule: RuleId,
        score: f64,
        coverage: Option<Coverage>,
        is_budgeted: bool,
    ) {
        let (deed, day) = (self.deed, self.day);
        let is_same = |incident: &Incident| {
            incident.channel == channel
                && (is_budgeted || incident.rule == rule && incident.since == day)
        };
        let known = self.reader.incidents.iter().position(is_same);
        let (step, uid, rule, is_digest) = match known {
            Some(place) if !(is_budgeted && self.is_over(place)) => {
                let incident = &mut self.reader.incidents[place];
                if !incident.raise(day, score, deed.store_key) {
                    return;
                }
                if is_budgeted {
                    incident.is_digest &= !self.shared.budget.is_largest(channel, score);
                }
                (Step::Update, incident.uid.clone(), incident.rule, incident.is_digest)
            }
            known => {
                let uid = self.uid(rule, channel);
                let mut incident =
                    Incident::new(channel, rule, uid.clone(), day, score, deed.store_key);
                let wanted = &deed.context.alerts_per_day;
                incident.is_digest =
                    is_budgeted && self.shared.budget.begin(channel, score, wanted);
                let is_digest = incident.is_digest;
                self.put(incident, known);
                (Step::Create, uid, rule, is_digest)
            }
        };
        let nats = self.worth();
        let wording = Wording {
            deed,
            reader: self.reader,
            store: self.store,
            peers: &self.shared.peers,
            channel,
            score,
            nats,
            day,
            is_digest,
        };
        self.findings.push(wording.finding(rule, uid, step, coverage));
    }

    /// Whether an incident ended while the actor was away: no day was closed that would have ended it.
    fn is_over(&self, place: usize) -> bool {
        let incident = &self.reader.incidents[place];
        let wanted = &self.deed.context.alerts_per_day;
        let threshold = self.shared.budget.threshold(incident.channel, wanted);
        incident.is_over(self.day, threshold.unwrap_or(f64::INFINITY))
    }

    /// Puts an incident in its place: of one that is over it takes the days that have not taught yet.
    fn put(&mut self, mut incident: Incident, over: Option<usize>) {
        let Some(place) = over else { return self.reader.incidents.push(incident) };
        let over = &mut self.reader.incidents[place];
        over.take_kept().into_iter().for_each(|(day, levels)| incident.keep(day, levels));
        *over = incident;
    }

    /// The partition belongs to it: an event that its producer sent into two of them is judged by what each has seen.
    fn uid(&self, rule: RuleId, channel: Channel) -> String {
        UidBuilder::new("finding")
            .text(rule.as_str())
            .text(channel.as_str())
            .text(&self.deed.position.partition.path())
            .number(self.deed.actor_key.cast_signed())
            .text(&self.deed.event.uid)
            .finish()
    }
}
