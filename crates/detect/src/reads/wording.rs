//! How an unusual read reads: the finding, in numbers and sentences.

use dataward_event::audit_event::{ActorKind, DatastoreForm, Sensitivity};
use dataward_event::finding::{
    Anomaly, Approval, Evidence, Finding, Rating, RuleId, Severity, Step, Trigger,
};

use crate::phrases::{form, grouped};
use crate::reads::actor::{Lead, Reader};
use crate::reads::coverage::{Coverage, Origin, coverage};
use crate::reads::deed::Deed;
use crate::reads::evidence::{Channel, FAMILIES, Family};
use crate::reads::figures::{count, ordinal, rarity, times};
use crate::reads::metric::Metric;
use crate::reads::networks;
use crate::reads::pair::Pair;
use crate::reads::peers::{Peers, Pool};
use crate::reads::store::Store;
use crate::reads::verdict::AnnouncedChange;
use crate::reads::window::{WINDOWS, Window};

/// With fewer days of its own an actor is judged by what its like do, and the alert says so.
const OWN_DAYS_MIN: f64 = 5.0;
/// What adds less than this is not told, in nats.
const TOLD_NATS_MIN: f64 = 2.0;
/// How many kinds of evidence are told.
const TOLD_MAX: usize = 3;

/// What a finding about a read is made of.
#[derive(Debug)]
pub struct Wording<'w> {
    /// The event.
    pub deed: &'w Deed<'w>,
    /// Who.
    pub reader: &'w Reader,
    /// Of what.
    pub store: &'w Store,
    /// Its like.
    pub peers: &'w Peers,
    /// The channel.
    pub channel: Channel,
    /// The score, the sensitivity of the data in it.
    pub score: f64,
    /// What each family of the day is worth.
    pub nats: [f64; FAMILIES],
    /// The open day.
    pub day: i32,
    /// It is one too many for the day: told, and nobody is woken.
    pub is_digest: bool,
}

impl Wording<'_> {
    /// The finding.
    pub fn finding(
        &self,
        rule: RuleId,
        uid: String,
        step: Step,
        covered: Option<Coverage>,
    ) -> Finding {
        let (deed, event) = (self.deed, self.deed.event);
        let mut because = Vec::new();
        let announced = self.announced(covered.is_some());
        let expected = deed.context.expects(&event.actor, self.channel, &uid, deed.second);
        let severity = self.severity(rule, announced, expected, &mut because);
        let anomalies = if covered.is_some() { Vec::new() } else { self.anomalies() };
        Finding {
            rule,
            uid,
            step,
            severity,
            severity_because: because,
            approval: announced
                .map(|change| Approval { ticket: change.reason.clone(), until: change.until.0 }),
            time: event.time,
            cause_uid: event.uid.to_string(),
            trigger: Trigger::Record(deed.position.clone()),
            title: self.title(rule, covered.is_some()),
            description: self.description(rule, covered.as_ref(), announced),
            remediation: self.remediation(),
            datastore: Some(deed.datastore.clone().into_owned()),
            origin: None,
            window_kind: None,
            exposure: None,
            rating: Some(Rating {
                channel: self.channel.as_str().to_owned(),
                millinats: (self.score.max(0.0) * 1000.0).round() as u64,
            }),
            anomalies,
            attacks: vec![attack(rule, deed.datastore.form).to_owned()],
            evidences: vec![Evidence::of(event, deed.position)],
        }
    }

    fn sensitivity(&self) -> Option<Sensitivity> {
        let known = self.deed.context.datastore(self.deed.datastore);
        known.and_then(|known| known.sensitivity()).or(self.deed.event.sensitivity)
    }

    fn severity(
        &self,
        rule: RuleId,
        announced: Option<&AnnouncedChange>,
        is_expected: bool,
        because: &mut Vec<String>,
    ) -> Severity {
        let sensitivity = self.sensitivity();
        let severity = match (sensitivity, rule) {
            // It moves by days: nobody needs to be woken.
            (Some(Sensitivity::Restricted), RuleId::ReadSlowDrip) => Severity::HIGH,
            (_, RuleId::ReadSlowDrip) => Severity::MEDIUM,
            (Some(Sensitivity::Restricted), _) => Severity::CRITICAL,
            (Some(Sensitivity::Confidential), _) => Severity::HIGH,
            (None, RuleId::ReadBulk | RuleId::ReadExport) => Severity::HIGH,
            (None, _) => Severity::MEDIUM,
            (Some(Sensitivity::Internal | Sensitivity::Public), _) => Severity::MEDIUM,
        };
        let stated = sensitivity.map_or("data of unknown sensitivity", Sensitivity::as_str);
        because.push(format!("{}: {}", stated, severity.id()));
        let is_mild = |because: &mut Vec<String>, why: String| {
            because.push(why);
            Severity::LOW
        };
        if self.channel == Channel::OffHours {
            return is_mild(because, "odd hours alone: 2".to_owned());
        }
        if let Some(change) = announced {
            return is_mild(because, format!("announced, {}: 2", change.reason));
        }
        let is_restricted = sensitivity == Some(Sensitivity::Restricted);
        if is_expected && self.channel != Channel::Policy && !is_restricted {
            return is_mild(because, "said to be expected: 2".to_owned());
        }
        if self.is_digest {
            return is_mild(because, "more such alerts today than are wanted: 2".to_owned());
        }
        severity
    }

    /// The announced change that covers the read: not of restricted data, of no policy rule, and only up to its volume.
    fn announced(&self, is_covered: bool) -> Option<&AnnouncedChange> {
        if is_covered
            || self.channel == Channel::Policy
            || self.sensitivity() == Some(Sensitivity::Restricted)
        {
            return None;
        }
        let deed = self.deed;
        let label = &self.pool().label;
        let place = (&*deed.datastore.uid, deed.datastore.name.as_deref());
        let mut changes = deed.context.announced_changes.iter();
        let change =
            changes.find(|change| change.covers(&deed.event.actor, label, place, deed.second))?;
        let lead = self.lead(Family::Volume);
        let is_within =
            f64::from(lead.seen) <= f64::from(change.times) * f64::from(lead.usual.max(20.0));
        is_within.then_some(change)
    }

    fn pool(&self) -> &Pool {
        self.peers.group(self.reader.group)
    }

    fn lead(&self, family: Family) -> Lead {
        self.reader.today.as_ref().map_or(Lead::default(), |today| today.leads[family as usize])
    }

    fn pair(&self) -> Option<&Pair> {
        self.reader.pairs.get(&self.deed.store_key).map(AsRef::as_ref)
    }

    fn actor(&self) -> &str {
        self.deed.event.actor.label()
    }

    fn place(&self) -> String {
        format!("{} {}", form(self.deed.datastore.form), self.deed.datastore.label())
    }

    fn title(&self, rule: RuleId, is_covered: bool) -> String {
        let (actor, store) = (self.actor(), self.deed.datastore.label());
        match (rule, self.channel) {
            _ if is_covered => format!("Most of {store} read by {actor}"),
            (_, Channel::OffHours) => format!("Work at odd hours: {actor} in {store}"),
            (RuleId::ReadSlowDrip, _) => format!("Slowly growing reads: {actor}"),
            (RuleId::ReadExport, _) => format!("Unusual export: {store} by {actor}"),
            (RuleId::ReadNovel, _) => format!("First access in bulk: {actor} in {store}"),
            _ => format!("Unusual bulk read: {actor} of {store}"),
        }
    }

    fn description(
        &self,
        rule: RuleId,
        covered: Option<&Coverage>,
        announced: Option<&AnnouncedChange>,
    ) -> String {
        let mut sentences: Vec<String> = Vec::new();
        match (rule, covered) {
            (_, Some(covered)) => sentences.push(self.covered(covered)),
            (RuleId::ReadSlowDrip, _) => sentences.extend(self.growth()),
            _ => {
                let mut told: Vec<Family> = Family::ALL.into();
                told.retain(|family| self.nats[*family as usize] >= TOLD_NATS_MIN);
                told.sort_by(|a, b| self.nats[*b as usize].total_cmp(&self.nats[*a as usize]));
                told.truncate(TOLD_MAX);
                sentences.extend(told.into_iter().map(|family| self.sentence(family)));
            }
        }
        if self.channel != Channel::Policy {
            sentences.push(rarity(self.score));
            sentences.push(self.history());
        }
        sentences.extend(self.so_far());
        let lift = self.pool().lift_beside(self.deed.actor_key);
        if lift > 0.0 {
            sentences.push(format!(
                "Others of {} read {:.1} times as much as usual today; that is left out.",
                self.group(),
                libm::exp(lift)
            ));
        }
        if let Some(change) = announced {
            sentences.push(format!("Announced until {}: {}.", change.until.0, change.reason));
        }
        sentences.join(" ")
    }

    /// What a family has to say, with its nats.
    fn sentence(&self, family: Family) -> String {
        let (lead, nats) = (self.lead(family), self.nats[family as usize]);
        let text = match family {
            Family::Volume => self.volume(&lead),
            Family::NewObjects => format!(
                "{} objects never read before {}, where {} are usual and one day in a thousand passes {}",
                grouped(lead.seen as u64),
                window(&lead).phrase(),
                grouped(lead.usual as u64),
                grouped(lead.upper as u64),
            ),
            Family::NewStore if lead.is_total => {
                format!(
                    "the {} datastore today that {} never read",
                    ordinal(lead.seen as u64),
                    self.actor()
                )
            }
            Family::NewStore => {
                let peers = match lead.usual as u64 {
                    0 => format!("nobody else of {} reads it", self.group()),
                    1 => format!("one other of {} reads it", self.group()),
                    count => format!("{count} others of {} read it", self.group()),
                };
                format!("first access of {} to {}; {peers}", self.actor(), self.named(&lead))
            }
            Family::Export if self.reader.days == 0 => format!(
                "data copied out of {} in one go by {}, of whom nothing is known yet",
                self.named(&lead),
                self.actor()
            ),
            Family::Export => format!(
                "data copied out of {} in one go; {} has done so on {} of {} active days",
                self.named(&lead),
                self.actor(),
                self.reader.exports.count as u64,
                self.reader.days
            ),
            Family::NewWrite => format!(
                "first writes of {} to {}, {} units (rows or KiB) today{}",
                self.actor(),
                self.named(&lead),
                grouped(lead.seen as u64),
                if self.store.first_day == self.day {
                    ", a datastore that is new to everybody"
                } else {
                    ""
                }
            ),
            Family::NewNetwork => {
                let address = self.deed.event.client.ip.as_deref().unwrap_or("an unknown address");
                let minutes = lead.seen as u64 / 60;
                format!("network {} first seen {minutes} min ago", networks::written(address))
            }
            Family::OffHours => format!(
                "at work at {:02}:00 UTC, where {} is found on {} of 100 such days",
                lead.window,
                self.actor(),
                (lead.usual * 100.0).round() as u64
            ),
        };
        if text.starts_with(self.actor()) {
            return format!("{text} ({nats:.1} nats).");
        }
        let mut letters = text.chars();
        let first: String =
            letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
        format!("{first}{} ({nats:.1} nats).", letters.as_str())
    }

    /// A datastore that a lead is about: the one at hand, or another one of the day.
    fn named(&self, lead: &Lead) -> String {
        if lead.store == self.deed.store_key {
            self.place()
        } else {
            "another datastore".to_owned()
        }
    }

    fn volume(&self, lead: &Lead) -> String {
        let of = if lead.is_total && self.reader.pairs.len() > 1 {
            format!("all datastores, the last of them {}", self.place())
        } else if lead.store == self.deed.store_key {
            self.place()
        } else {
            "another datastore".to_owned()
        };
        let (seen, usual) = (f64::from(lead.seen), f64::from(lead.usual));
        format!(
            "{} read {} of {of} {}, {} the usual {}; one day in a thousand passes {}",
            self.actor(),
            self.quantity(seen),
            window(lead).phrase(),
            times(seen, usual),
            self.quantity(usual),
            self.quantity(f64::from(lead.upper)),
        )
    }

    /// A volume in what the source at hand counts.
    fn quantity(&self, units: f64) -> String {
        let metric = self.deed.volume.map_or(Metric::Rows, |volume| volume.metric());
        count(metric, (units * metric.unit()).round() as u64, self.unit(metric))
    }

    fn unit(&self, metric: Metric) -> &'static str {
        self.deed.volume.map_or(metric.as_str(), |volume| volume.unit(metric))
    }

    fn growth(&self) -> Option<String> {
        let growth = self.reader.drift.growth()?;
        let usual = crate::reads::metric::units(growth.usual);
        let recent = crate::reads::metric::units(growth.recent);
        Some(format!(
            "On the last {} active days {} read {} a day, {} the median of the days before ({}); single large reads count \
             no more than a large one of its own.",
            growth.days,
            self.actor(),
            self.quantity(recent),
            times(recent, usual),
            self.quantity(usual),
        ))
    }

    fn covered(&self, covered: &Coverage) -> String {
        let origin = match covered.origin {
            Origin::Stated => "that the context file states",
            Origin::Subjects => "people whose data it holds, as the context file states",
            Origin::Whole => "that a read of everything returned before",
            Origin::Seen => "that anybody has read",
        };
        let size = match covered.origin {
            Origin::Subjects => grouped(covered.size),
            _ => count(covered.metric, covered.size, self.unit(covered.metric)),
        };
        format!(
            "{} has read {} of {} since midnight UTC: more than half of the {size} {origin}.",
            self.actor(),
            count(covered.metric, covered.read, self.unit(covered.metric)),
            self.place(),
        )
    }

    /// How long it was learned, and from whom where that is short.
    fn history(&self) -> String {
        let days = self.reader.days;
        if self.reader.active_days() >= OWN_DAYS_MIN {
            return format!("Learned from {days} active days.");
        }
        format!(
            "Only {days} active {} known: judged by what {} do, {}.",
            if days == 1 { "day is" } else { "days are" },
            self.group(),
            self.reader.stratum().phrase()
        )
    }

    fn group(&self) -> String {
        format!("the group {}", self.pool().label)
    }

    /// What was read of the datastore today, and how much of it that is.
    fn so_far(&self) -> Option<String> {
        let pair = self.pair()?;
        let parts: Vec<String> = Metric::ALL
            .into_iter()
            .filter_map(|metric| Some(count(metric, pair.today(metric)?, self.unit(metric))))
            .collect();
        if parts.is_empty() {
            return None;
        }
        let known = self.deed.context.datastore(self.deed.datastore);
        let share = coverage(known, self.store, pair).map(|found| {
            format!(
                ", {} % of its {}",
                found.percent(),
                count(found.metric, found.size, self.unit(found.metric))
            )
        });
        let data =
            self.sensitivity().map(|sensitivity| format!("; the data is {}", sensitivity.as_str()));
        Some(format!(
            "Of {} it has read {} today{}{}.",
            self.place(),
            parts.join(", "),
            share.unwrap_or_default(),
            data.unwrap_or_default()
        ))
    }

    fn anomalies(&self) -> Vec<Anomaly> {
        let days = u32::from(self.reader.days);
        if self.channel == Channel::Drift {
            let growth = self.reader.drift.growth();
            let metric = self.deed.volume.map_or(Metric::Rows, |volume| volume.metric());
            let scaled =
                |level: f64| (crate::reads::metric::units(level) * metric.unit()).round() as u64;
            return growth
                .map(|growth| Anomaly {
                    metric: format!("{} a day", self.unit(metric)),
                    window_seconds: growth.days as u32 * Window::Day.seconds(),
                    observed: scaled(growth.recent),
                    expected: scaled(growth.usual),
                    upper: scaled(growth.usual),
                    score_millinats: (self.score.max(0.0) * 1000.0).round() as u64,
                    days,
                })
                .into_iter()
                .collect();
        }
        let mut told: Vec<(Family, f64)> = Family::ALL
            .into_iter()
            .map(|family| (family, self.channel.weigh(family, self.nats[family as usize])))
            .filter(|(_, nats)| *nats >= TOLD_NATS_MIN)
            .collect();
        told.sort_by(|a, b| b.1.total_cmp(&a.1));
        told.into_iter().map(|(family, nats)| self.anomaly(family, nats, days)).collect()
    }

    fn anomaly(&self, family: Family, nats: f64, days: u32) -> Anomaly {
        let lead = self.lead(family);
        let metric = self.deed.volume.map_or(Metric::Rows, |volume| volume.metric());
        let unit = if family == Family::Volume { metric.unit() } else { 1.0 };
        let scaled = |figure: f32| (f64::from(figure) * unit).round() as u64;
        let name = match family {
            Family::Volume if lead.is_total && self.reader.pairs.len() > 1 => {
                format!("{} of all datastores", self.unit(metric))
            }
            Family::Volume => self.unit(metric).to_owned(),
            family => family.as_str().to_owned(),
        };
        let window_seconds = match family {
            Family::Volume | Family::NewObjects => window(&lead).seconds(),
            _ => Window::Day.seconds(),
        };
        let (observed, expected) = match family {
            Family::Volume | Family::NewObjects => (scaled(lead.seen), scaled(lead.usual)),
            Family::NewStore if !lead.is_total => (1, 0),
            _ => ((lead.seen as u64).max(1), 0),
        };
        Anomaly {
            metric: name,
            window_seconds,
            observed,
            expected,
            upper: scaled(lead.upper),
            score_millinats: (nats * 1000.0).round() as u64,
            days,
        }
    }

    fn remediation(&self) -> String {
        if self.deed.event.actor.kind == ActorKind::Anonymous {
            return "Close the datastore to those without an identity, then list what was read and from where.".to_owned();
        }
        format!(
            "Ask {} by another way than the one the read came from whether it was planned. If nobody can say: take its \
             credentials and sessions away, then list what it read.",
            self.actor()
        )
    }
}

/// MITRE ATT&CK 18: *Data from Cloud Storage*; *Data from Information Repositories: Databases*, and without a better word for
/// the place *Data from Information Repositories*; for an export *Transfer Data to Cloud Account*; for a slow drip *Data
/// Transfer Size Limits*.
const fn attack(rule: RuleId, form: DatastoreForm) -> &'static str {
    match (rule, form) {
        (RuleId::ReadExport, _) => "T1537",
        (RuleId::ReadSlowDrip, _) => "T1030",
        (_, DatastoreForm::Bucket) => "T1530",
        (_, DatastoreForm::Database) => "T1213.006",
        _ => "T1213",
    }
}

fn window(lead: &Lead) -> Window {
    Window::ALL[usize::from(lead.window).min(WINDOWS - 1)]
}
