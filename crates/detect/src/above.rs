//! The keeper and what concerns several datastores: the guards of an account, and the class of what was copied.

use std::sync::Arc;

use dataward_event::audit_event::{Datastore, Sensitivity};
use dataward_event::time::EventTime;

use crate::concluded::Concluded;
use crate::context::Context;
use crate::datastore_state::{Around, DatastoreState};
use crate::guards::{AccountGuards, is_guard};
use crate::keeper::Keeper;
use crate::posture::Posture;
use crate::posture_event::PostureEvent;
use crate::told::Standing;

/// What is known around a datastore, to be held while its state changes.
pub(crate) struct Surroundings {
    context: Arc<Context>,
    guards: Option<Arc<AccountGuards>>,
}

impl Surroundings {
    pub(crate) fn around(&self) -> Around<'_> {
        Around { context: &self.context, guards: self.guards.as_deref() }
    }
}

impl Keeper {
    /// What is known around a datastore.
    pub(crate) fn surroundings(&self, uid: &str) -> Surroundings {
        Surroundings { context: Arc::clone(&self.root.context), guards: self.guards_of(uid) }
    }

    /// What stands above a datastore.
    pub(crate) fn guards_of(&self, uid: &str) -> Option<Arc<AccountGuards>> {
        if self.root.accounts.is_empty() {
            return None;
        }
        let account = self.datastores.get(uid)?.place().account.as_deref()?;
        self.root.accounts.get(account).map(Arc::clone)
    }

    /// Takes in a change of what stands above all datastores of an account.
    pub(crate) fn guard(&mut self, event: &PostureEvent) -> Concluded {
        let mut concluded = Concluded::default();
        let Some(account) = event.place.account.as_deref().filter(|_| is_guard(event)) else {
            return concluded;
        };
        let below = || {
            let all = self.datastores.iter();
            all.filter(|(_, state)| state.place().account.as_deref() == Some(account))
        };
        let below: Vec<String> = below().map(|(uid, _)| uid.clone()).collect();
        let now = self.now();
        let before: Vec<Standing> = below.iter().map(|uid| self.standing(uid, now)).collect();
        let guards = self.root.accounts.entry(account.to_owned()).or_default();
        Arc::make_mut(guards).insert(&Arc::new(event.clone()));
        self.datastores.mark_root();
        self.unsettled.extend(below.iter().cloned());
        for (uid, before) in below.iter().zip(before) {
            if let Some(state) = self.datastores.get_mut(uid) {
                state.forget_memo();
            }
            let after = self.standing(uid, now);
            let said_now = self.say(&before, &after, &event.uid, false);
            self.note_said(uid, &said_now, &after);
            concluded.extend(said_now);
            self.set_timer(uid, &after, now);
        }
        concluded
    }

    /// How sensitive the data is that a datastore was made from.
    pub(crate) fn inherited(&self, uid: &str) -> Option<Sensitivity> {
        if self.root.lineage.is_empty() {
            return None;
        }
        let origins = self.root.lineage.origins(uid).into_iter();
        let of = |(origin, stated): (Datastore<'static>, Option<Sensitivity>)| {
            let known = self.datastores.get(&origin.uid).and_then(DatastoreState::datastore);
            let entry = self.root.context.datastore(known.unwrap_or(&origin));
            entry.and_then(|entry| entry.sensitivity()).max(stated)
        };
        origins.filter_map(of).max()
    }

    /// The protection of a datastore just before a time; `None`: as of the newest event.
    pub(crate) fn posture_at(&self, uid: &str, end: Option<EventTime>) -> Option<Posture> {
        let state = self.datastores.get(uid)?;
        let known = self.surroundings(uid);
        Some(match end {
            None => state.derive(known.around()).posture,
            end => state.posture_at(known.around(), end),
        })
    }
}
