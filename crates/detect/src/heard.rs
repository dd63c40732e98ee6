//! What is heard of one datastore: how often each source tells of it.

use std::sync::Arc;

use dataward_event::time::EventTime;

use crate::datastore_state::DatastoreState;
use crate::rhythm::{Heard, Mark, Rhythm, Silence, Whose};

impl DatastoreState {
    /// How often each source tells of its being read.
    pub(crate) fn rhythms(&self) -> &[(Arc<str>, Rhythm)] {
        &self.rhythms
    }

    /// The rhythm of a source.
    pub(crate) fn rhythm_mut(&mut self, source: &str) -> Option<&mut Rhythm> {
        self.rhythms.iter_mut().find(|(known, _)| &**known == source).map(|(_, rhythm)| rhythm)
    }

    /// Learns how often its sources speak. Returns silences that are over, and that nobody knew of.
    pub(crate) fn settle_rhythms(&mut self, horizon: EventTime) -> Vec<(Arc<str>, Silence)> {
        let rhythms = self.rhythms.iter_mut();
        let over = rhythms.flat_map(|(source, rhythm)| {
            rhythm.settle(horizon).into_iter().map(|silence| (Arc::clone(source), silence))
        });
        over.collect()
    }

    /// Takes in that a source has told of a read.
    pub(crate) fn hear(&mut self, source: &Arc<str>, mark: Mark) -> Heard {
        match self.rhythms.binary_search_by(|(known, _)| known.cmp(source)) {
            Ok(place) => self.rhythms[place].1.hear(mark),
            Err(place) => {
                self.rhythms.reserve_exact(1);
                self.rhythms
                    .insert(place, (Arc::clone(source), Rhythm::new(mark, Whose::Datastore)));
                Heard::Usual
            }
        }
    }
}
