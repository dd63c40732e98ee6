//! Events older than the lateness bound: they change what is not known better since, and are told of at once.

use std::sync::Arc;

use dataward_event::change::Direction;

use crate::opening::Opening;
use crate::posture::{Facts, Posture};
use crate::posture_event::{PostureEvent, SettingKey};

impl Posture {
    /// What an event older than the lateness bound closes: everything, where the datastore went; what a whole setting does
    /// not name. Only what was opened before it, and is not known better since.
    fn close_late(&mut self, event: &Arc<PostureEvent>) {
        let mut closed: Vec<(SettingKey, String)> = Vec::new();
        for (key, setting) in self.settings.iter() {
            let is_whole = event.changes_of(key).any(|change| change.whole);
            if !is_whole && !event.is_destruction {
                continue;
            }
            let names = |thing: &str| {
                event
                    .changes_of(key)
                    .any(|change| change.direction == Direction::Weakened && change.opened == thing)
            };
            let over = setting.things.iter().filter(|(thing, state)| {
                state.is_open()
                    && state.since <= event.time
                    && (event.is_destruction || !names(thing))
                    && !setting.is_known_better(thing, event.time)
            });
            closed.extend(over.map(|(thing, _)| (key.clone(), thing.clone())));
        }
        for (key, thing) in closed {
            self.close(&key, &thing, event);
        }
    }

    /// A change older than the lateness bound: it changes what is not known better since, and is told of at once.
    /// Returns the opening to tell of, if it opened something.
    pub fn step_late(&mut self, event: &Arc<PostureEvent>, facts: &Facts<'_>) -> Vec<Arc<Opening>> {
        if event.is_attempt() {
            self.attempts += 1;
            return Vec::new();
        }
        if event.is_creation && self.births.is_empty() {
            self.births.push(Arc::clone(event));
        }
        let is_news = self.strengthens(event);
        self.close_late(event);
        let mut told = Vec::new();
        for key in event.setting_keys() {
            let setting = self.settings.get(&key);
            let is_known_better = |thing: &str| {
                setting.is_some_and(|setting| setting.is_known_better(thing, event.time))
            };
            let is_open = |thing: &str| {
                let thing = setting.and_then(|setting| setting.things.get(thing));
                thing.is_some_and(|thing| thing.opening.is_some())
            };
            let (mut news, mut history, mut closed) = (Vec::new(), Vec::new(), Vec::new());
            for change in event.changes_of(&key) {
                let is_better = is_known_better(&change.opened);
                match change.direction {
                    Direction::Weakened if is_better => history.push(change.clone()),
                    Direction::Weakened if !is_open(&change.opened) => news.push(change.clone()),
                    Direction::Strengthened if !is_better && !change.opened.is_empty() => {
                        closed.push(change.opened.to_string());
                    }
                    _ => {}
                }
            }
            for thing in closed {
                self.close(&key, &thing, event);
            }
            if !history.is_empty() {
                // It is over since, by something that is known better: a story of the past, in no state.
                let mut past = Self::default();
                past.open(&key, event, history, true, facts);
                told.extend(past.openings.into_values());
            }
            if !news.is_empty() {
                self.open(&key, event, news, true, facts);
                told.extend(
                    self.openings.values().rev().find(|o| o.event.uid == event.uid).cloned(),
                );
            }
        }
        for opening in &mut told {
            Arc::make_mut(opening).is_late = true;
            if let Some(known) = self.openings.get_mut(&opening.id()) {
                Arc::make_mut(known).is_late = true;
            }
        }
        self.judge(event, event.time, is_news, facts);
        let current = |opening: &Arc<Opening>| self.openings.get(&opening.id()).cloned();
        told.iter().map(|opening| current(opening).unwrap_or_else(|| Arc::clone(opening))).collect()
    }
}
