//! What is told to the binary: simulated traffic, with an incident in it.

use std::collections::BTreeMap;

use dataward_event::time::EventTime;
use dataward_simulation::cloudtrail::{Message, Traffic};
use dataward_simulation::incident::removal_of_protection;
use serde_json::Value;

/// 2026-01-05T08:00:00Z.
const BEGIN_MICROS: i64 = 1_767_600_000_000_000;

/// Traffic and the incident, spread evenly over it.
pub(crate) struct Story {
    pub(crate) messages: Vec<Message>,
    /// For each event that must alert, by its uid: the rule.
    pub(crate) must_alert: BTreeMap<String, String>,
}

/// A story of so many messages, one a millisecond.
pub(crate) fn story(seed: u64, count: usize) -> Story {
    let mut traffic = Traffic::new(seed, 60, 12);
    let mut deeds = removal_of_protection().into_iter();
    let every = count / (deeds.len() + 1);
    let (mut messages, mut must_alert) = (Vec::with_capacity(count), BTreeMap::new());
    for number in 0..count {
        let millis = i64::try_from(number).unwrap();
        let time = EventTime::from_micros(BEGIN_MICROS + millis * 1_000);
        let deed = (number > 0 && number % every == 0).then(|| deeds.next()).flatten();
        let Some(deed) = deed else {
            messages.push(traffic.message(time));
            continue;
        };
        let message = traffic.told_by(deed.person, deed.ip, deed.event, time);
        if let Some(rule) = deed.rule {
            must_alert.insert(message.event_uid.clone(), rule.to_owned());
        }
        messages.push(message);
    }
    assert_eq!(deeds.count(), 0, "the whole incident is told");
    Story { messages, must_alert }
}

impl Story {
    /// As a file, one event a line.
    pub(crate) fn ndjson(&self) -> String {
        self.messages.iter().map(|message| message.payload.clone() + "\n").collect()
    }
}

/// The event that an alert of a weakening names, and its rule. What follows from it (an exposure, reads in it) has alerts of
/// its own.
pub(crate) fn told(alerts: &[Value]) -> BTreeMap<String, String> {
    let uid =
        |alert: &Value| alert["evidences"][0]["data"]["event_uid"].as_str().unwrap().to_owned();
    let is_weakening =
        |alert: &&Value| ["control.weakened", "audit.silenced"].contains(&&*rule(alert));
    alerts.iter().filter(is_weakening).map(|alert| (uid(alert), rule(alert))).collect()
}

pub(crate) fn rule(alert: &Value) -> String {
    alert["finding_info"]["analytic"]["uid"].as_str().unwrap().to_owned()
}

/// The alerts of findings that stand: whose last word is not that a late, earlier event explains them. The partitions of
/// a topic are read in any order, so such a finding may come and go; the set of those that stand is always the same.
pub(crate) fn standing(alerts: &[Value]) -> Vec<Value> {
    let finding = |alert: &Value| alert["finding_info"]["uid"].as_str().unwrap().to_owned();
    let is_withdrawn =
        |alert: &Value| alert["unmapped"]["dataward"]["close_reason"] == "superseded";
    let last: BTreeMap<_, _> =
        alerts.iter().map(|alert| (finding(alert), is_withdrawn(alert))).collect();
    alerts.iter().filter(|alert| !last[&finding(alert)]).cloned().collect()
}

/// The rule, the datastore and the control of each finding, sorted.
pub(crate) fn substance(alerts: &[Value]) -> Vec<(String, String, String)> {
    let mut found: BTreeMap<String, _> = BTreeMap::new();
    for alert in alerts {
        let datastore = alert["resources"][0]["uid"].to_string();
        let control = alert["evidences"][0]["data"]["control"].to_string();
        let finding = alert["finding_info"]["uid"].to_string();
        found.insert(finding, (rule(alert), datastore, control));
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort();
    found
}
