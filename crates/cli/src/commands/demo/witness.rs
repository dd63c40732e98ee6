//! What was appended and when, what was said about it, and what should have been.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dataward_event::finding::RuleId;
use dataward_event::time::EventTime;
use dataward_pipeline::alert::Alert;
use dataward_simulation::chronicle::{Deed, Entry};
use serde_json::Value;

/// How long a wait goes on before it looks whether the demo is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// The activity of an alert that says something new; the others change or end what was said.
pub(super) const CREATE: u8 = 1;

/// Stands between the producer and the screen, and remembers both.
#[derive(Default)]
pub(super) struct Witness {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    /// The events of the story, by uid.
    appended: BTreeMap<String, Appended>,
    /// The next offset of each topic: each has one partition, and nobody else writes to it.
    offsets: BTreeMap<&'static str, i64>,
    /// The deeds by the place of their events.
    deeds: BTreeMap<(&'static str, i64), Deed>,
    /// When each moment of the story was reached, both rising.
    clock: Vec<(EventTime, Instant)>,
    alerts: Vec<Told>,
    committed: u64,
    is_told: bool,
}

struct Appended {
    at: Instant,
    deed: Option<Deed>,
}

/// One alert that came.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) rule: RuleId,
    pub(super) activity_id: u8,
    pub(super) title: String,
    pub(super) time: EventTime,
    /// The events that it names: its cause and its evidence.
    events: Vec<String>,
    /// The deed that it is about.
    pub(super) deed: Option<Deed>,
    /// From the append of its cause; for a timer, of the first event that shows that its time has passed.
    pub(super) latency: Option<Duration>,
}

/// The alerts of the story against what they should have been.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) expected: usize,
    pub(super) came: usize,
    /// How many of a rule are missing, about which deed.
    pub(super) missing: Vec<(usize, RuleId, Deed)>,
    /// By title and time.
    pub(super) unexpected: Vec<(RuleId, String, EventTime)>,
    pub(super) slowest: Duration,
}

impl Witness {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An event of the story is handed to Kafka now.
    pub(super) fn append(&self, entry: &Entry) {
        let at = Instant::now();
        let mut seen = self.seen();
        seen.clock.push((entry.time, at));
        let next = seen.offsets.entry(entry.topic).or_default();
        let place = (entry.topic, *next);
        *next += 1;
        seen.deeds.extend(entry.deed.map(|deed| (place, deed)));
        let uid = entry.message.event_uid.clone();
        seen.appended.insert(uid, Appended { at, deed: entry.deed });
    }

    /// The story is told to its end.
    pub(super) fn end(&self) {
        self.seen().is_told = true;
    }

    /// So many records are in the table.
    pub(super) fn commit(&self, records: u64) {
        self.seen().committed = records;
        self.changed.notify_all();
    }

    /// An alert is out.
    pub(super) fn hear(&self, alert: &Alert, body: &Value) -> Told {
        let mut seen = self.seen();
        let evidences = body["evidences"].as_array().map_or(&[][..], Vec::as_slice);
        let evidence = evidences.iter().map(|each| &each["data"]["event_uid"]);
        let named = std::iter::once(&body["unmapped"]["dataward"]["cause_uid"]).chain(evidence);
        let events: Vec<String> = named.filter_map(Value::as_str).map(str::to_owned).collect();
        let cause = events.first().and_then(|uid| seen.appended.get(uid)).map(|cause| cause.at);
        // A timer has no event: it could be known to be due when the story first reached its time.
        let begun = match alert.activity_id {
            // What is missing was never appended.
            CREATE if alert.rule == RuleId::AuditSourceSilent => None,
            CREATE => cause.or_else(|| seen.reached(alert.time)),
            _ => cause,
        };
        let deeds = events.iter().filter_map(|uid| seen.appended.get(uid));
        // A silence is an event of nobody: it stands where the last one before it stands.
        let of_place = || evidences.iter().find_map(|each| seen.deed_at(&each["data"]));
        let deed = deeds.into_iter().find_map(|appended| appended.deed).or_else(of_place);
        let told = Told {
            rule: alert.rule,
            activity_id: alert.activity_id,
            title: alert.title.clone(),
            time: alert.time,
            deed,
            latency: begun.map(|at| at.elapsed()),
            events,
        };
        seen.alerts.push(told.clone());
        drop(seen);
        self.changed.notify_all();
        told
    }

    /// Waits until so many records are in the table. `false` if the demo is to stop first.
    pub(super) fn wait_for_commit(&self, records: u64, stop: &AtomicBool) -> bool {
        self.wait(stop, None, |seen| seen.committed >= records)
    }

    /// Waits until something was said because of an event, or the time is up.
    pub(super) fn wait_for_alert(&self, event_uid: &str, patience: Duration, stop: &AtomicBool) {
        let until = Some(Instant::now() + patience);
        let is_named = |told: &Told| told.events.iter().any(|uid| uid == event_uid);
        self.wait(stop, until, |seen| seen.alerts.iter().any(is_named));
    }

    /// Waits until a rule has said something, or the time is up.
    pub(super) fn wait_for_rule(&self, rule: RuleId, patience: Duration, stop: &AtomicBool) {
        let until = Some(Instant::now() + patience);
        self.wait(stop, until, |seen| seen.alerts.iter().any(|told| told.rule == rule));
    }

    /// Lets a moment pass, for whoever watches.
    pub(super) fn breathe(&self, moment: Duration, stop: &AtomicBool) {
        self.wait(stop, Some(Instant::now() + moment), |_| false);
    }

    fn wait(
        &self,
        stop: &AtomicBool,
        until: Option<Instant>,
        is_reached: impl Fn(&Seen) -> bool,
    ) -> bool {
        let mut seen = self.seen();
        while !is_reached(&seen) {
            let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
            if stop.load(Ordering::Relaxed) || left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(seen, left.min(LOOK));
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// What was said about a span of event time, without what only changes or ends an earlier alert.
    pub(super) fn alerts_between(&self, from: EventTime, to: EventTime) -> Vec<Told> {
        let seen = self.seen();
        let new = seen.alerts.iter().filter(|told| told.activity_id == CREATE);
        new.filter(|told| (from..to).contains(&told.time)).cloned().collect()
    }

    /// How many alerts each rule raised, and how many it ended.
    pub(super) fn by_rule(&self) -> BTreeMap<RuleId, (usize, usize)> {
        let mut counts: BTreeMap<RuleId, (usize, usize)> = BTreeMap::new();
        for told in &self.seen().alerts {
            let (raised, ended) = counts.entry(told.rule).or_default();
            *raised += usize::from(told.activity_id == CREATE);
            *ended += usize::from(told.activity_id > 2);
        }
        counts
    }

    /// What came of what was to come; `None` of a story that was stopped before its end.
    pub(super) fn score(&self) -> Option<Score> {
        let seen = self.seen();
        seen.is_told.then(|| score(&seen.alerts))
    }
}

impl Seen {
    /// The deed of the event at the place that an evidence states.
    fn deed_at(&self, data: &Value) -> Option<Deed> {
        let (topic, offset) = (data["topic"].as_str()?, data["offset"].as_i64()?);
        let mut deeds = self.deeds.iter();
        deeds.find(|((of, at), _)| *of == topic && *at == offset).map(|(_, deed)| *deed)
    }

    /// When the story first reached a moment.
    fn reached(&self, time: EventTime) -> Option<Instant> {
        let place = self.clock.partition_point(|(reached, _)| *reached < time);
        self.clock.get(place).map(|(_, at)| *at)
    }
}

fn score(alerts: &[Told]) -> Score {
    let mut score = Score::default();
    let new = || alerts.iter().filter(|told| told.activity_id == CREATE);
    for deed in Deed::ALL {
        let mut rules = deed.must_alert().to_vec();
        rules.dedup();
        for rule in rules {
            let must = deed.must_alert().iter().filter(|each| **each == rule).count();
            let did = new().filter(|told| told.deed == Some(deed) && told.rule == rule).count();
            score.expected += must;
            score.came += did.min(must);
            if did < must {
                score.missing.push((must - did, rule, deed));
            }
        }
    }
    let is_expected = |told: &&Told| {
        let rules = told.deed.map_or(&[][..], Deed::must_alert).iter();
        rules.chain(told.deed.map_or(&[][..], Deed::may_alert)).any(|rule| *rule == told.rule)
    };
    let unexpected = new().filter(|told| !is_expected(told));
    score.unexpected = unexpected.map(|told| (told.rule, told.title.clone(), told.time)).collect();
    score.slowest = alerts.iter().filter_map(|told| told.latency).max().unwrap_or_default();
    score
}

#[cfg(test)]
mod tests {
    use dataward_simulation::chronicle::BEGIN;

    use super::*;

    fn told(rule: RuleId, deed: Option<Deed>) -> Told {
        Told {
            rule,
            activity_id: CREATE,
            title: "something".to_owned(),
            time: BEGIN,
            events: Vec::new(),
            deed,
            latency: Some(Duration::from_millis(7)),
        }
    }

    #[test]
    fn what_must_alert_is_counted_and_what_must_not_is_named() {
        let mut alerts = vec![
            told(RuleId::AuditSilenced, Some(Deed::TrailStopped)),
            told(RuleId::ReadBulk, Some(Deed::BucketsCopied)),
            // Once more than it must: true, and no new promise kept.
            told(RuleId::ReadBulk, Some(Deed::BucketsCopied)),
            // It may.
            told(RuleId::ReadBulk, Some(Deed::OutsideDump)),
        ];
        let quiet = score(&alerts);
        assert_eq!((quiet.came, quiet.unexpected.len()), (2, 0));
        let missing: usize = quiet.missing.iter().map(|(count, _, _)| count).sum();
        assert_eq!(quiet.expected, quiet.came + missing);
        assert_eq!(quiet.slowest, Duration::from_millis(7));

        alerts.push(told(RuleId::ControlWeakened, Some(Deed::WebPort)));
        alerts.push(told(RuleId::ReadBulk, None));
        assert_eq!(score(&alerts).unexpected.len(), 2);
    }
}
