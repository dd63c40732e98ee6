//! The keeper as bytes, and back.

use crate::datastore_state::DatastoreState;
use crate::datastores::SEGMENT_COUNT;
use crate::keeper::Keeper;
use crate::state::{StateError, decode, encode, reading};

impl Keeper {
    /// The segments that changed since the last call, each with its bytes. Settle first.
    pub fn save_dirty(&mut self) -> Vec<(u32, Vec<u8>)> {
        let dirty = self.datastores.take_dirty();
        dirty.into_iter().map(|index| (index, self.segment_bytes(index))).collect()
    }

    /// All segments: what [`load`](Self::load) takes, and what two keepers of the same events have equal.
    pub fn save_all(&mut self) -> Vec<(u32, Vec<u8>)> {
        self.settle();
        (0..SEGMENT_COUNT).map(|index| (index, self.segment_bytes(index))).collect()
    }

    /// Marks everything as changed: the last save did not reach the archive.
    pub fn mark_all_dirty(&mut self) {
        self.datastores.mark_all();
    }

    fn segment_bytes(&self, index: u32) -> Vec<u8> {
        if index == 0 { encode(&self.root) } else { self.datastores.bytes(index) }
    }

    /// A keeper from all its segments, as a release of that format saved them; missing ones are empty.
    ///
    /// # Errors
    /// [`StateError::Format`] for a format that nothing here reads, [`StateError::Damaged`] if a segment cannot be read.
    pub fn load<'s>(
        format: u32,
        segments: impl IntoIterator<Item = (u32, &'s [u8])>,
    ) -> Result<Self, StateError> {
        reading(format, || Self::load_segments(segments))
    }

    fn load_segments<'s>(
        segments: impl IntoIterator<Item = (u32, &'s [u8])>,
    ) -> Result<Self, StateError> {
        let mut keeper = Self::new();
        let _ = keeper.datastores.take_dirty();
        for (index, bytes) in segments {
            match index {
                0 => keeper.root = decode(index, bytes)?,
                _ => keeper.datastores.load(index, bytes)?,
            }
        }
        keeper.root.lineage.index();
        let is_unsettled = |(uid, state): &(&String, &DatastoreState)| {
            state.has_recent() || state.has_guards_to_fold(keeper.guards_of(uid).as_deref())
        };
        let unsettled = keeper.datastores.iter().filter(is_unsettled);
        keeper.unsettled = unsettled.map(|(uid, _)| uid.clone()).collect();
        let now = keeper.now();
        let uids: Vec<String> = keeper.datastores.iter().map(|(uid, _)| uid.clone()).collect();
        for uid in uids {
            let standing = keeper.standing(&uid, now);
            keeper.set_timer(&uid, &standing, now);
        }
        Ok(keeper)
    }
}
