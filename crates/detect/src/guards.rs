//! What stands above a datastore in its account: the block of public access, and the trail that records.
//!
//! A change of it concerns every datastore of the account. It is kept once for the account; each datastore folds it into
//! its own state in the order of event time, as if it had happened to itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_event::audit_event::DatastoreForm;
use dataward_event::change::{Change, Direction};
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::opening::{DAY_MICROS, Leg};
use crate::posture_event::PostureEvent;

/// The rows whose setting blocks public access to every bucket of an account.
const BLOCKS: [&str; 1] = ["aws.s3.public_access_block.account"];

/// The flags of that block.
const FLAGS: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// The rows whose setting ends the record of what is done in an account.
const TRAILS: [&str; 6] = [
    "aws.cloudtrail.logging.stopped",
    "aws.cloudtrail.trail.deleted",
    "aws.cloudtrail.selectors.management",
    "aws.cloudtrail.selectors.data",
    "gcp.project.audit_config.removed",
    "gcp.logging.sink.deleted",
];

/// Changes of guards kept for each account; older ones are folded.
const CHANGES_MAX: usize = 1_024;

/// The guards of one account, over time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountGuards {
    base: Guards,
    changes: BTreeMap<(EventTime, String), Arc<PostureEvent>>,
}

/// What is known of the guards of an account at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// The flags of its block of public access: whether they are off.
    off: BTreeMap<String, bool>,
    /// What does not record any more, by guard, setting and thing.
    blind: BTreeMap<String, Leg>,
    /// Up to which change.
    seen: Option<(EventTime, String)>,
}

/// Whether an event changes what stands above every datastore of its account.
pub(crate) fn is_guard(event: &PostureEvent) -> bool {
    event.datastore.form == DatastoreForm::Guard
        && !event.is_attempt()
        && event.place.account.is_some()
        && event.changes.iter().any(|change| is_block(change) || is_trail(change))
}

fn is_block(change: &Change<'_>) -> bool {
    BLOCKS.contains(&&*change.catalogue_row)
}

fn is_trail(change: &Change<'_>) -> bool {
    TRAILS.contains(&&*change.catalogue_row)
}

impl AccountGuards {
    /// Takes a change in; of one that stands at several places the first place counts, whichever comes first.
    pub(crate) fn insert(&mut self, event: &Arc<PostureEvent>) {
        let known =
            self.changes.entry((event.time, event.uid.clone())).or_insert(Arc::clone(event));
        if event.position < known.position {
            *known = Arc::clone(event);
        }
        while self.changes.len() > CHANGES_MAX {
            if let Some((_, oldest)) = self.changes.pop_first() {
                self.base.step(&oldest);
            }
        }
    }

    /// Whether all of them are before an event.
    pub(crate) fn are_before(&self, place: &(EventTime, String)) -> bool {
        self.changes.last_key_value().is_none_or(|(newest, _)| newest < place)
    }

    /// The changes after those that a datastore has folded, and what was before them if it has folded none.
    pub(crate) fn after<'g>(
        &'g self,
        seen: &Guards,
    ) -> (Option<&'g Guards>, impl Iterator<Item = &'g Arc<PostureEvent>> + use<'g>) {
        let base = seen.seen.is_none().then_some(&self.base);
        let seen = seen.seen.clone();
        let later = self
            .changes
            .iter()
            .filter(move |(place, _)| seen.as_ref().is_none_or(|seen| *place > seen));
        (base, later.map(|(_, event)| event))
    }
}

impl Guards {
    /// Takes a change in.
    pub(crate) fn step(&mut self, event: &Arc<PostureEvent>) {
        self.seen = Some((event.time, event.uid.clone()));
        for change in &event.changes {
            let is_weaker = match change.direction {
                Direction::Weakened => true,
                Direction::Strengthened => false,
                Direction::Neutral | Direction::Unknown => continue,
            };
            if is_block(change) {
                self.step_block(change, is_weaker);
            } else if is_trail(change) {
                self.step_trail(event, change, is_weaker);
            }
        }
    }

    fn step_block(&mut self, change: &Change<'_>, is_off: bool) {
        if change.whole && !is_off {
            self.off.values_mut().for_each(|off| *off = false);
            self.off.extend(FLAGS.map(|flag| (flag.to_owned(), false)));
        }
        if !change.opened.is_empty() {
            self.off.insert(change.opened.to_string(), is_off);
        }
    }

    fn step_trail(&mut self, event: &PostureEvent, change: &Change<'static>, is_off: bool) {
        let guard = &event.datastore.uid;
        let of_setting = format!("{guard}\u{1f}{}\u{1f}", change.setting);
        if is_off {
            let leg = Leg { event: Arc::new(event.clone()), change: change.clone() };
            self.blind.entry(format!("{of_setting}{}", change.opened)).or_insert(leg);
        } else if change.whole || change.opened.is_empty() {
            self.blind.retain(|key, _| !key.starts_with(&of_setting));
        } else {
            self.blind.remove(&format!("{of_setting}{}", change.opened));
        }
    }

    /// Whether a flag of the account's block is known to be on.
    pub(crate) fn is_on(&self, flag: &str) -> bool {
        self.off.get(flag) == Some(&false)
    }

    /// What does not record any more, if anything, in what happens at a time. What is still told of an account a day after
    /// it was stopped is recorded elsewhere.
    pub(crate) fn blind(&self, at: EventTime) -> Option<&Leg> {
        self.blind.values().find(|leg| at < leg.event.time.plus_micros(DAY_MICROS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn the_rows_are_those_of_the_catalogue() {
        for id in BLOCKS.iter().chain(&TRAILS) {
            assert!(catalogue::row(id).is_some(), "{id}");
        }
    }
}
