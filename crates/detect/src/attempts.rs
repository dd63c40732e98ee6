//! Attempts to weaken protection that were refused: one is a mistake, many within minutes are somebody who looks for a way.
//!
//! Counted per actor over all datastores, in the order of its partition.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dataward_event::audit_event::{AuditEvent, EventKind, Outcome};
use dataward_event::change::Direction;
use dataward_event::finding::{Evidence, Finding, RuleId, Severity, Step, Trigger};
use dataward_event::position::Position;
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::actor_key::actor_key;
use crate::catalogue;
use crate::phrases::duration;

/// So many refused attempts make a burst.
const BURST_COUNT: usize = 5;
/// The time in which they must lie, and after which without one a burst is over, in microseconds.
const BURST_MICROS: i64 = 10 * 60 * 1_000_000;
/// Actors remembered. Beyond it the one whose last attempt is the oldest is forgotten.
const ACTORS_MAX: usize = 4_096;

/// Who was refused lately, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    actors: BTreeMap<u64, Refused>,
}

/// The refused attempts of one actor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    /// The latest ones, at most [`BURST_COUNT`].
    latest: VecDeque<Evidence>,
    burst: Option<Burst>,
}

/// A burst that people know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Burst {
    uid: String,
    since: EventTime,
    count: u64,
    /// It is said again when it has so many.
    next: u64,
    datastores: BTreeSet<String>,
}

impl Attempts {
    /// Takes an event in. A finding where it makes a burst, or where a burst has doubled.
    pub fn observe(&mut self, event: &AuditEvent<'_>, position: &Position) -> Option<Finding> {
        let datastore = event.datastore.as_ref()?;
        let is_attempt = event.kind == EventKind::ConfigChange && event.outcome == Outcome::Failure;
        let change = event.changes.iter().find(|change| change.direction == Direction::Weakened)?;
        if !is_attempt {
            return None;
        }
        let key = actor_key(&event.actor, datastore);
        self.make_room(key);
        let refused = self.actors.entry(key).or_default();
        let change = Some(change.clone().into_owned());
        refused.take_in(Evidence { change, ..Evidence::of(event, position) });
        let burst = refused.burst(datastore.label())?;
        let step = if burst.count == BURST_COUNT as u64 { Step::Create } else { Step::Update };
        Some(finding(event, position, step, &burst, refused.latest.iter().cloned().collect()))
    }

    fn make_room(&mut self, key: u64) {
        if self.actors.len() < ACTORS_MAX || self.actors.contains_key(&key) {
            return;
        }
        let last = |refused: &Refused| refused.latest.back().map(|evidence| evidence.time);
        let oldest = self.actors.iter().min_by_key(|(key, refused)| (last(refused), **key));
        if let Some(key) = oldest.map(|(key, _)| *key) {
            self.actors.remove(&key);
        }
    }
}

impl Refused {
    fn take_in(&mut self, attempt: Evidence) {
        let newest = self.latest.back().map_or(attempt.time, |last| last.time.max(attempt.time));
        let oldest = newest.plus_micros(-BURST_MICROS);
        let is_over = self.latest.back().is_none_or(|last| last.time < oldest);
        if is_over {
            self.burst = None;
        }
        self.latest.retain(|known| known.time >= oldest);
        while self.latest.len() >= BURST_COUNT {
            self.latest.pop_front();
        }
        self.latest.push_back(attempt);
    }

    /// The burst, if it is to be told of now.
    fn burst(&mut self, datastore: &str) -> Option<Burst> {
        match &mut self.burst {
            Some(burst) => {
                burst.count += 1;
                if burst.datastores.len() < BURST_COUNT {
                    burst.datastores.insert(datastore.to_owned());
                }
                if burst.count < burst.next {
                    return None;
                }
                burst.next = burst.count.saturating_mul(2);
                Some(burst.clone())
            }
            None if self.latest.len() >= BURST_COUNT => {
                let first = self.latest.front()?;
                let rule = RuleId::ControlAttempts.as_str();
                let burst = Burst {
                    uid: UidBuilder::new("finding").text(rule).text(&first.event_uid).finish(),
                    since: first.time,
                    count: BURST_COUNT as u64,
                    next: 2 * BURST_COUNT as u64,
                    datastores: [datastore.to_owned()].into(),
                };
                self.burst = Some(burst.clone());
                Some(burst)
            }
            None => None,
        }
    }
}

fn finding(
    event: &AuditEvent<'_>,
    position: &Position,
    step: Step,
    burst: &Burst,
    evidences: Vec<Evidence>,
) -> Finding {
    let operations: BTreeSet<&str> = evidences.iter().map(|e| e.operation.as_str()).collect();
    let operations: Vec<&str> = operations.into_iter().collect();
    let rows = evidences.iter().filter_map(|evidence| {
        evidence.change.as_ref().and_then(|change| catalogue::row(&change.catalogue_row))
    });
    let attacks: BTreeSet<&str> = rows.filter_map(|row| row.attack.first().copied()).collect();
    let stores = burst.datastores.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let actor = event.actor.label();
    Finding {
        rule: RuleId::ControlAttempts,
        uid: burst.uid.clone(),
        step,
        // Nothing was opened; but who tries so often has a reason.
        severity: if burst.count >= 4 * BURST_COUNT as u64 {
            Severity::HIGH
        } else {
            Severity::MEDIUM
        },
        severity_because: Vec::new(),
        approval: None,
        time: event.time,
        cause_uid: event.uid.to_string(),
        trigger: Trigger::Record(position.clone()),
        title: format!("Attempts on protection: {actor}"),
        description: format!(
            "{actor} tried {} times within {} to weaken protection and was refused each time: {} \
             on {stores}.",
            burst.count,
            duration(burst.since, event.time),
            operations.join(", "),
        ),
        remediation: "Ask the actor, or take its credential away until somebody can say why; look \
                      at what it did that was not refused."
            .to_owned(),
        datastore: event.datastore.clone().map(dataward_event::audit_event::Datastore::into_owned),
        origin: None,
        window_kind: None,
        exposure: None,
        rating: None,
        anomalies: Vec::new(),
        attacks: match attacks.is_empty() {
            true => vec!["T1685".to_owned()],
            false => attacks.into_iter().map(str::to_owned).collect(),
        },
        evidences,
    }
}
