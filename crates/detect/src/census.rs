//! What a keeper can be asked.

use std::collections::BTreeSet;

use dataward_event::change::Control;

use crate::context::{Context, fits};
use crate::keeper::Keeper;
use crate::posture::Posture;
use crate::posture_event::SettingKey;
use crate::reach::ControlState;

/// How much a keeper knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Datastores that it has heard of.
    pub datastores: u64,
    /// Things that are open in them.
    pub open_windows: u64,
}

impl Keeper {
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
