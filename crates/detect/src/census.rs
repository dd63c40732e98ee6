//! What a keeper can be asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use dataward_event::audit_event::{Datastore, Sensitivity};
use dataward_event::change::Control;

use crate::context::{Context, DatastoreContext, fits};
use crate::datastore_state::DatastoreState;
use crate::keeper::Keeper;
use crate::opening::Opening;
use crate::place::Place;
use crate::posture::Posture;
use crate::posture_event::SettingKey;
use crate::reach::ControlState;
use crate::setting::Shown;

/// How much a keeper knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Datastores that it has heard of.
    pub datastores: u64,
    /// Things that are open in them.
    pub open_windows: u64,
}

/// What is known of the protection of one datastore.
#[derive(Debug)]
pub struct DatastoreReport<'k> {
    /// The datastore, as fully as anybody has named it.
    pub datastore: &'k Datastore<'static>,
    /// Where it lies.
    pub place: &'k Place,
    /// What people know of it.
    pub entry: Option<&'k DatastoreContext>,
    /// How sensitive its data is: by what people know of it, else by its producer; at least as that of what it was made
    /// from.
    pub sensitivity: Option<Sensitivity>,
    /// The event that destroyed it, while none came after.
    pub destroyed: Option<Shown>,
    /// The controls of which any event has told, in the order of their names.
    pub controls: Vec<ControlReport>,
}

/// What is known of one control of a datastore.
#[derive(Debug)]
pub struct ControlReport {
    /// The control.
    pub control: Control,
    /// Its state.
    pub state: ControlState,
    /// The event that has shown it, and so since when: of a protected control that which closed the last of it, of a weakened
    /// one that which opened the oldest of what is open, of an exposed one that which completed the exposure. `None`: a
    /// state that an earlier release has saved does not tell.
    pub evidence: Option<Shown>,
    /// Nothing was known before: it may have been so for longer.
    pub is_uncertain: bool,
    /// What opened what is open, the oldest first.
    pub open: Vec<Arc<Opening>>,
}

impl ControlReport {
    fn of(posture: &Posture, control: Control) -> Self {
        let state = posture.control_state(control);
        let open = posture.openings().filter(|open| open.control() == control && open.is_open());
        let open: Vec<Arc<Opening>> = open.map(Arc::clone).collect();
        let of_exposure = || {
            let of = posture.active().filter(|(id, exposed)| {
                let mut all = exposed.covered.iter().chain([*id]);
                all.any(|id| id.key.0 == control)
            });
            of.map(|(_, exposed)| Shown { at: exposed.at, ..Shown::by(&exposed.by) }).min()
        };
        let evidence = match state {
            ControlState::Exposed => of_exposure(),
            ControlState::Weakened => open.first().map(|opening| Shown::by(&opening.event)),
            ControlState::Protected | ControlState::Unknown => {
                let settings = posture.settings.iter().filter(|((of, _), _)| *of == control);
                let shown = settings.flat_map(|(_, setting)| {
                    let things = setting.things.values().filter_map(|t| t.closed_by.as_deref());
                    let whole = setting.first_whole.as_deref();
                    things.chain(whole.filter(|_| setting.things.is_empty())).cloned()
                });
                shown.max()
            }
        };
        let is_uncertain = open.iter().any(|opening| opening.is_uncertain);
        Self { control, state, evidence, is_uncertain, open }
    }
}

impl Keeper {
    /// What is known of each datastore, in the order of their uids, as of the newest event.
    pub fn reports(&self) -> impl Iterator<Item = DatastoreReport<'_>> {
        self.datastores.iter().filter_map(|(uid, state)| self.report(uid, state))
    }

    fn report<'k>(&'k self, uid: &str, state: &'k DatastoreState) -> Option<DatastoreReport<'k>> {
        let posture = self.posture_at(uid, None)?;
        let told: BTreeSet<Control> =
            posture.settings.iter().map(|((control, _), _)| *control).collect();
        let mut controls: Vec<ControlReport> =
            told.into_iter().map(|control| ControlReport::of(&posture, control)).collect();
        controls.sort_by_key(|report| report.control.as_str());
        let entry = state.entry(self.context());
        let stated = posture.openings().filter_map(|opening| opening.event.sensitivity).max();
        let sensitivity = entry.and_then(|entry| entry.sensitivity()).or(stated);
        Some(DatastoreReport {
            datastore: state.datastore()?,
            place: state.place(),
            entry,
            sensitivity: sensitivity.max(self.inherited(uid)),
            destroyed: posture.destroyed.as_deref().cloned(),
            controls,
        })
    }

    /// The datastores that a context names and that nothing was ever told of.
    pub fn unknown_to<'c>(&self, context: &'c Context) -> Vec<&'c str> {
        let mut unknown: Vec<&str> =
            context.datastores.iter().map(|entry| entry.name.as_str()).collect();
        let known = self.datastores.iter().filter_map(|(_, state)| state.datastore());
        for datastore in known {
            if unknown.is_empty() {
                break;
            }
            unknown.retain(|name| !fits(name, &datastore.uid, datastore.name.as_deref()));
        }
        unknown
    }

    /// Counts what it knows, as of the newest event. It goes through all datastores: not for every event.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for (uid, state) in self.datastores.iter() {
            census.datastores += 1;
            let posture = self.posture_at(uid, None).filter(|_| !state.is_calm());
            let open = posture.iter().flat_map(Posture::openings);
            let open = open.map(|opening| opening.open_things().count());
            census.open_windows += open.sum::<usize>() as u64;
        }
        census
    }

    /// What is open in a setting now.
    pub fn open(&self, datastore_uid: &str, key: &SettingKey) -> BTreeSet<String> {
        let posture = self.posture_at(datastore_uid, None);
        posture.map(|posture| posture.open_things(key)).unwrap_or_default()
    }

    /// The state of a control of a datastore.
    pub fn control_state(&self, datastore_uid: &str, control: Control) -> ControlState {
        let posture = self.posture_at(datastore_uid, None);
        posture.map_or(ControlState::Unknown, |posture| posture.control_state(control))
    }
}
