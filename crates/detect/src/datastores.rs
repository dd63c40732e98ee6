//! All datastores, in pieces: a piece is what a snapshot writes anew when something in it has changed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use dataward_event::uid::short_hash;

use crate::datastore_state::DatastoreState;
use crate::state::{StateError, decode, encode};

/// How many pieces the datastores are spread over, by the hash of their uid.
const PIECES: u32 = 64;
/// How many segments the keeper's state has: segment 0 is its own, each other one a piece.
pub const SEGMENT_COUNT: u32 = PIECES + 1;

/// What is known of every datastore.
#[derive(Debug)]
pub struct Datastores {
    pieces: Vec<BTreeMap<String, DatastoreState>>,
    /// Which segments have changed, a bit for each.
    dirty: u128,
    /// The uid that was asked for last, and its piece: it is asked for again and again.
    last: RefCell<(String, usize)>,
}

/// The bits of all segments.
const ALL: u128 = (1 << SEGMENT_COUNT) - 1;

impl Default for Datastores {
    fn default() -> Self {
        let pieces = (0..PIECES).map(|_| BTreeMap::new()).collect();
        let last = RefCell::new((String::new(), place_of("")));
        Self { pieces, dirty: ALL, last }
    }
}

impl Datastores {
    /// One of them.
    pub fn get(&self, uid: &str) -> Option<&DatastoreState> {
        self.pieces[self.place_of(uid)].get(uid)
    }

    /// One of them, to be changed.
    pub fn get_mut(&mut self, uid: &str) -> Option<&mut DatastoreState> {
        let place = self.place_of(uid);
        self.dirty |= 1 << segment_of(place);
        self.pieces[place].get_mut(uid)
    }

    /// One of them, to be changed; a new one knows nothing.
    pub fn entry(&mut self, uid: &str) -> &mut DatastoreState {
        let place = self.place_of(uid);
        self.dirty |= 1 << segment_of(place);
        self.pieces[place].entry(uid.to_owned()).or_default()
    }

    fn place_of(&self, uid: &str) -> usize {
        let mut last = self.last.borrow_mut();
        if last.0 != uid {
            last.1 = place_of(uid);
            uid.clone_into(&mut last.0);
        }
        last.1
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &DatastoreState)> {
        self.pieces.iter().flatten()
    }

    /// Marks the keeper's own segment as changed.
    pub fn mark_root(&mut self) {
        self.dirty |= 1;
    }

    /// Marks everything as changed.
    pub fn mark_all(&mut self) {
        self.dirty = ALL;
    }

    /// The segments that changed since the last call.
    pub fn take_dirty(&mut self) -> impl Iterator<Item = u32> + use<> {
        let dirty = std::mem::take(&mut self.dirty);
        (0..SEGMENT_COUNT).filter(move |segment| dirty >> segment & 1 == 1)
    }

    /// The bytes of a segment other than the keeper's own.
    pub fn bytes(&self, segment: u32) -> Vec<u8> {
        encode(&self.pieces[(segment - 1) as usize])
    }

    /// Takes a segment other than the keeper's own.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if it cannot be read, or there is no such segment.
    pub fn load(&mut self, segment: u32, bytes: &[u8]) -> Result<(), StateError> {
        let place = segment.checked_sub(1).filter(|place| *place < PIECES);
        let Some(place) = place else {
            let reason = format!("there are only {SEGMENT_COUNT} segments");
            return Err(StateError::Damaged { index: segment, reason });
        };
        let mut piece: BTreeMap<String, DatastoreState> = decode(segment, bytes)?;
        piece.values_mut().for_each(DatastoreState::rehash);
        self.pieces[place as usize] = piece;
        Ok(())
    }
}

fn place_of(uid: &str) -> usize {
    (short_hash(uid) % u64::from(PIECES)) as usize
}

fn segment_of(place: usize) -> u32 {
    place as u32 + 1
}
