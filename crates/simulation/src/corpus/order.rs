//! A weakening and what restores it, whichever of both happens first, told in their order and the other way round: the same
//! must be said in the end.

use std::collections::BTreeMap;

use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::{CloseReason, Finding, Step};

use super::case::{Case, Label};
use super::trial::{Detector, open};

/// How much later than the first the second happens, in microseconds: within the lateness bound.
const LATER_MICROS: i64 = 5 * 60 * 1_000_000;

/// What stands about two events in the end, by the uid of the finding.
type Standing = BTreeMap<String, Step>;

/// A weakening and a hardening about which the detector says something else when they arrive the other way round.
#[derive(Debug)]
pub struct Disagreement<'r, 'c> {
    /// The weakening.
    pub weakening: &'r Case<'c>,
    /// The hardening.
    pub hardening: &'r Case<'c>,
    /// What stands after both in their order.
    pub in_order: Standing,
    /// What stands after both in reverse.
    pub in_reverse: Standing,
}

/// How many pairs there are, and those about which the order decides.
pub fn pairs<'r, 'c>(cases: &'r [Case<'c>]) -> (usize, Vec<Disagreement<'r, 'c>>) {
    let mut hardenings: BTreeMap<(&str, String), Vec<(&Case<'_>, AuditEvent<'static>)>> =
        BTreeMap::new();
    for case in cases.iter().filter(|case| case.label == Label::Hardening) {
        if let Some((datastore, event)) = only_event(case) {
            hardenings.entry((case.row_id(), datastore)).or_default().push((case, event));
        }
    }
    let (mut count, mut disagreements) = (0, Vec::new());
    for weakening in cases.iter().filter(|case| case.label == Label::Weakening) {
        let Some((datastore, event)) = only_event(weakening) else { continue };
        let matching = hardenings.get(&(weakening.row_id(), datastore));
        for (hardening, end) in matching.into_iter().flatten() {
            count += 1;
            for (first, second) in [(&event, end), (end, &event)] {
                let (first, second) = one_after_the_other(first, second);
                let in_order = standing([&first, &second]);
                let in_reverse = standing([&second, &first]);
                if in_order != in_reverse {
                    disagreements.push(Disagreement { weakening, hardening, in_order, in_reverse });
                }
            }
        }
    }
    (count, disagreements)
}

/// The event of a case that consists of nothing else, and the datastore it is about.
fn only_event(case: &Case<'_>) -> Option<(String, AuditEvent<'static>)> {
    if !case.before.is_empty() || case.row.is_none() {
        return None;
    }
    let mut events = open(case.source, &case.record, 0).events;
    let event = events.pop().filter(|_| events.is_empty())?;
    Some((event.datastore.as_ref()?.uid.to_string(), event))
}

fn one_after_the_other(
    first: &AuditEvent<'static>,
    second: &AuditEvent<'static>,
) -> (AuditEvent<'static>, AuditEvent<'static>) {
    let (mut first, mut second) = (first.clone(), second.clone());
    first.uid = "first".into();
    second.uid = "second".into();
    second.time = first.time.plus_micros(LATER_MICROS);
    (first, second)
}

/// What stands after these events in the order in which they come.
fn standing(events: [&AuditEvent<'_>; 2]) -> Standing {
    let mut detector = Detector::default();
    let mut standing = Standing::new();
    for Finding { uid, step, .. } in events.into_iter().flat_map(|event| detector.observe(event)) {
        // Whoever hears of what happened before only later is told by a correction.
        let step = if step == Step::Update { Step::Create } else { step };
        standing.insert(uid, step);
    }
    standing.retain(|_, step| *step != Step::Close(CloseReason::Superseded));
    standing
}
