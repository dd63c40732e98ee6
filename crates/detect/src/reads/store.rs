//! What a partition knows of a datastore: who reads it, and how large it is.

use dataward_event::audit_event::Datastore;
use serde::{Deserialize, Serialize};

use crate::reads::peers::GroupId;

/// How many groups of readers are counted.
const GROUPS_MAX: usize = 16;
/// Readers of a group beyond this are not counted: it makes no difference.
const MEMBERS_MAX: u8 = 200;
/// The longest name that is kept, in bytes.
const LABEL_BYTES_MAX: usize = 96;

/// A datastore, as its events show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Store {
    /// What to call it.
    pub label: String,
    /// The day of the first event.
    pub first_day: i32,
    /// The day of the newest event.
    pub last_day: i32,
    readers: Vec<(GroupId, u8)>,
    /// The most different objects that one actor has read.
    pub objects: u32,
    /// The most rows that one read of everything has returned.
    whole_rows: u64,
    /// The most rows that one actor has read on a day.
    day_rows: u64,
}

impl Store {
    /// A datastore that is seen for the first time.
    pub fn new(datastore: &Datastore<'_>, day: i32) -> Self {
        let label = datastore.label();
        Self {
            label: label[..label.floor_char_boundary(LABEL_BYTES_MAX)].to_owned(),
            first_day: day,
            last_day: day,
            readers: Vec::new(),
            objects: 0,
            whole_rows: 0,
            day_rows: 0,
        }
    }

    /// How many actors of a group have come to it.
    pub fn readers(&self, group: GroupId) -> usize {
        let known = self.readers.iter().find(|(known, _)| *known == group);
        known.map_or(0, |(_, count)| usize::from(*count))
    }

    /// Another actor of a group has come to it.
    pub fn meet(&mut self, group: GroupId) {
        let known = self.readers.iter().position(|(known, _)| *known == group);
        match known {
            Some(place) => self.readers[place].1 = (self.readers[place].1 + 1).min(MEMBERS_MAX),
            None if self.readers.len() < GROUPS_MAX => self.readers.push((group, 1)),
            None => {}
        }
    }

    /// An actor's day with it is over: what it has read, and the rows of its largest read of everything.
    pub fn teach(&mut self, objects: u32, rows: u64, whole_rows: u64) {
        self.objects = self.objects.max(objects);
        self.day_rows = self.day_rows.max(rows);
        self.whole_rows = self.whole_rows.max(whole_rows);
    }

    /// How many rows it holds, by what a read of everything has returned on a day before; nothing where somebody has read
    /// more than that on a day, so that it cannot have been everything.
    pub fn rows(&self) -> Option<u64> {
        (self.whole_rows > 0 && self.whole_rows >= self.day_rows).then_some(self.whole_rows)
    }
}

#[cfg(test)]
mod tests {
    use dataward_event::audit_event::DatastoreForm;

    use super::*;

    #[test]
    fn a_read_of_everything_tells_the_size_unless_somebody_reads_more() {
        let datastore = Datastore {
            uid: "orders".into(),
            name: None,
            resource_type: None,
            form: DatastoreForm::Other,
        };
        let mut store = Store::new(&datastore, 0);
        store.teach(0, 500, 0);
        assert_eq!(store.rows(), None);
        store.teach(0, 9_000, 9_000);
        assert_eq!(store.rows(), Some(9_000));
        store.teach(0, 20_000, 0);
        assert_eq!(store.rows(), None);
    }
}
