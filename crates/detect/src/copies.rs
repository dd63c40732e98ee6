//! The keeper and copies: follows what events and volumes tell of them, and judges each when the time for protecting it is
//! over.

use dataward_event::time::EventTime;

use crate::concluded::Concluded;
use crate::keeper::Keeper;
use crate::lineage::is_copy;
use crate::posture::Posture;
use crate::posture_event::PostureEvent;

impl Keeper {
    /// Takes in what an event tells of copies, and what follows for the copies of its datastore.
    pub(crate) fn follow_copies(&mut self, event: &PostureEvent) -> Concluded {
        let mut concluded = Concluded::default();
        let mut touched = self.root.lineage.copies_of(&event.datastore.uid);
        if event.changes.iter().any(is_copy) {
            // What was made from a copy inherits, too: it is looked at when something happens to it.
            touched.extend(self.root.lineage.insert(event));
            self.datastores.mark_root();
        }
        touched.sort();
        touched.dedup();
        for copy in touched {
            if self.datastores.get(&copy).is_some() {
                concluded.extend(self.change(&copy, &event.uid, |_| {}));
            }
        }
        concluded
    }

    /// Judges a copy by everything that is due by now. `fired`: a timer was due then; else only what a late event can
    /// still change is judged again.
    pub(crate) fn judge_copies(&mut self, uid: &str, fired: Option<EventTime>) {
        if self.root.lineage.edges_into(uid).next().is_none() {
            return;
        }
        let now = self.now();
        let horizon = self.horizon_of(uid, None);
        let Some(posture) = self.posture_at(uid, None) else { return };
        let mut verdicts: Vec<(PostureEvent, bool)> = Vec::new();
        for edge in self.root.lineage.edges_into(uid) {
            for opening in posture.openings().filter(|opening| edge.compares(opening)) {
                let due = edge.due(opening);
                let is_due = due <= now && due >= fired.unwrap_or(horizon);
                if !is_due {
                    continue;
                }
                let origin = self.posture_at(&edge.from.uid, Some(due));
                let is_open_there = origin.is_some_and(|origin: Posture| {
                    let mut open = origin.openings().filter(|other| other.is_open());
                    open.any(|other| other.control() == opening.control() && !other.is_of_a_read())
                });
                let is_weaker = opening.is_open_at(due) && !is_open_there;
                verdicts.push((edge.verdict(opening), is_weaker));
            }
        }
        let known = self.surroundings(uid);
        let Some(state) = self.datastores.get_mut(uid) else { return };
        for (verdict, is_weaker) in verdicts {
            let is_known = state.has_event(verdict.time, &verdict.uid);
            match (is_weaker, is_known) {
                (true, false) => state.insert(verdict, known.around()),
                (false, true) => state.withdraw(verdict.time, &verdict.uid),
                _ => {}
            }
        }
    }

    /// When a copy is judged next.
    pub(crate) fn next_judgement(&self, uid: &str, now: EventTime) -> Option<EventTime> {
        self.root.lineage.edges_into(uid).next()?;
        let posture = self.posture_at(uid, None)?;
        let dues = self.root.lineage.edges_into(uid).flat_map(|edge| {
            let compared = posture
                .openings()
                .filter(move |opening| edge.compares(opening) && opening.is_open());
            compared.map(move |opening| edge.due(opening)).collect::<Vec<_>>()
        });
        dues.filter(|due| *due > now).min()
    }

    /// Compares what was written into a datastore, in the hours that are over by now, with what the same actors read
    /// elsewhere.
    pub(crate) fn match_volumes(&mut self, uid: &str, due: EventTime) -> Concluded {
        let mut concluded = Concluded::default();
        let Some(state) = self.datastores.get(uid) else { return concluded };
        if !state.moves() {
            return concluded;
        }
        let flows = state.flows_by_now();
        let writings = flows.due(due.plus_micros(-1), self.now());
        let Some(copy) = state.datastore() else { return concluded };
        let source = state.sources().next().unwrap_or_default();
        let mut found: Vec<PostureEvent> = Vec::new();
        for writing in &writings {
            let others = self.datastores.iter().filter(|(other, state)| {
                *other != uid
                    && !self.root.lineage.knows(other, uid)
                    && flows.matches(writing, state)
            });
            for (origin, of_origin) in others {
                if found.iter().any(|event| *event.changes[0].opened == **origin) {
                    continue;
                }
                let copy = (copy, state.place(), source);
                let origin = (origin.as_str(), of_origin.place());
                found.extend(flows.copy_event(writing, copy, origin));
            }
        }
        for event in found {
            concluded.extend(self.insert(event.clone()));
            concluded.extend(self.follow_copies(&event));
        }
        concluded
    }
}
