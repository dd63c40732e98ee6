//! The table in memory: what every process of a world shares, and what outlives each of them.
//!
//! It checks each commit as it arrives, so that a broken promise is found where it is broken and not at the end.

use std::collections::{BTreeMap, BTreeSet};

use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{ArchiveError, Claim, CursorKey, Known};

use crate::memory_rows::{MemoryRow, MemoryRows};

/// What a process holds of an owner since it claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The owner's value when the process last saw it.
    pub base: i64,
    /// How often the owner had been claimed then.
    pub epoch: i64,
}

/// All that a process holds.
pub type Holds = BTreeMap<Owner, Hold>;

/// A snapshot, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it stands.
    pub at: Progress,
    /// Its format.
    pub format: u32,
    /// How many segments there are.
    pub segment_count: u32,
    /// The segments that are not empty from the beginning.
    pub segments: BTreeMap<u32, Vec<u8>>,
    /// It cannot be read any more.
    pub is_damaged: bool,
}

/// A row of the owners: what app ids are in the real table.
#[derive(Debug, Clone, Copy)]
struct Owned {
    next: i64,
    epoch: i64,
    /// The process that claimed it last.
    claimer: u64,
}

/// What a commit brings.
#[derive(Debug)]
pub struct Delivery<'d> {
    /// The process.
    pub process: u64,
    /// Where it moves the owners that it holds.
    pub next: BTreeMap<Owner, i64>,
    /// The rows.
    pub rows: &'d [MemoryRows],
    /// The sinks' cursors.
    pub cursors: &'d BTreeMap<CursorKey, i64>,
    /// Snapshots by owner and number.
    pub snapshots: Vec<(Owner, i64, Stored)>,
}

/// The table.
#[derive(Debug, Default)]
pub struct MemoryTable {
    version: u64,
    rows: Vec<MemoryRow>,
    places: BTreeSet<(Partition, Offset, u32)>,
    alert_uids: BTreeSet<String>,
    owners: BTreeMap<Owner, Owned>,
    starts: BTreeMap<Partition, Offset>,
    cursors: BTreeMap<CursorKey, i64>,
    snapshots: BTreeMap<Owner, BTreeMap<i64, Stored>>,
}

impl MemoryTable {
    /// The rows in the order of their commits.
    pub fn rows(&self) -> &[MemoryRow] {
        &self.rows
    }

    /// The alert rows in the order of their commits.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.rows.iter().filter_map(|row| match row {
            MemoryRow::Alert(alert) => Some(alert.as_ref()),
            _ => None,
        })
    }

    /// The version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// An owner's value.
    pub fn value(&self, owner: &Owner) -> Option<i64> {
        self.owners.get(owner).map(|owned| owned.next)
    }

    /// The next offset of a partition.
    pub fn next(&self, partition: &Partition) -> Option<Offset> {
        self.value(&Owner::Partition(partition.clone())).map(Offset)
    }

    /// Where each partition began.
    pub fn starts(&self) -> &BTreeMap<Partition, Offset> {
        &self.starts
    }

    /// The sinks' cursors.
    pub fn cursors(&self) -> &BTreeMap<CursorKey, i64> {
        &self.cursors
    }

    /// The snapshots of an owner by number.
    pub fn snapshots(&mut self, owner: &Owner) -> &mut BTreeMap<i64, Stored> {
        self.snapshots.entry(owner.clone()).or_default()
    }

    /// What is known of a partition.
    pub fn known(&self, partition: &Partition) -> Known {
        let is_of_topic = |owner: &Owner| match owner {
            Owner::Partition(known) => known.topic == partition.topic,
            Owner::Keeper | Owner::Lessons => false,
        };
        match self.next(partition) {
            Some(next) => Known::At(next),
            None if self.owners.keys().any(is_of_topic) => Known::NewPartition,
            None => Known::NewTopic,
        }
    }

    /// Whether nobody else claimed, or wrote, what a process holds.
    ///
    /// # Errors
    /// `Fenced` otherwise.
    pub fn check(&self, holds: &Holds) -> Result<(), ArchiveError> {
        for (owner, hold) in holds {
            let is_same = self
                .owners
                .get(owner)
                .is_some_and(|owned| owned.next == hold.base && owned.epoch == hold.epoch);
            if !is_same {
                return Err(ArchiveError::Fenced(owner.to_string()));
            }
        }
        Ok(())
    }

    /// Takes owners over.
    ///
    /// # Errors
    /// `Fenced` if an expectation does not hold.
    pub fn claim(
        &mut self,
        process: u64,
        claims: &[Claim],
        rows: &MemoryRows,
    ) -> Result<Holds, ArchiveError> {
        for claim in claims {
            if self.value(&claim.owner) != claim.expected {
                return Err(ArchiveError::Fenced(claim.owner.to_string()));
            }
        }
        let mut holds = Holds::new();
        for Claim { owner, next, .. } in claims {
            let epoch = self.owners.get(owner).map_or(0, |owned| owned.epoch) + 1;
            self.owners.insert(owner.clone(), Owned { next: *next, epoch, claimer: process });
            holds.insert(owner.clone(), Hold { base: *next, epoch });
            let at: Progress = match owner {
                Owner::Partition(partition) => {
                    self.starts.entry(partition.clone()).or_insert(Offset(*next));
                    [(partition.clone(), Offset(*next))].into_iter().collect()
                }
                Owner::Keeper | Owner::Lessons => Progress::new(),
            };
            let number = if matches!(owner, Owner::Partition(_)) { *next } else { 0 };
            let snapshots = self.snapshots(owner);
            if snapshots.is_empty() {
                let (segments, is_damaged) = (BTreeMap::new(), false);
                let empty = Stored { at, format: 0, segment_count: 0, segments, is_damaged };
                snapshots.insert(number, empty);
            }
        }
        self.append(rows)?;
        self.version += 1;
        Ok(holds)
    }

    /// Takes a commit in. The fence was checked by [`check`](Self::check) already.
    ///
    /// # Errors
    /// `Broken`, with the promise that it would break; nothing is changed then.
    pub fn commit(&mut self, delivery: Delivery<'_>) -> Result<u64, ArchiveError> {
        for (owner, next) in &delivery.next {
            let Some(owned) = self.owners.get(owner) else {
                return Err(broken("I3", format!("{owner} was never claimed")));
            };
            if owned.claimer != delivery.process {
                let claimer = owned.claimer;
                let text = format!("{owner} belongs to process {claimer}, not to the writer");
                return Err(broken("I3", text));
            }
            if *next < owned.next {
                return Err(broken("I1", format!("{owner} goes back to {next}")));
            }
        }
        for row in delivery.rows.iter().flat_map(|rows| &rows.rows) {
            self.check_place(row, &delivery.next)?;
        }
        for rows in delivery.rows {
            self.append(rows)?;
        }
        for (owner, next) in delivery.next {
            if let Some(owned) = self.owners.get_mut(&owner) {
                owned.next = next;
            }
        }
        self.cursors.extend(delivery.cursors.iter().map(|(key, first)| (key.clone(), *first)));
        for (owner, number, stored) in delivery.snapshots {
            let kept = self.snapshots(&owner);
            kept.insert(number, stored);
            while kept.len() > 2 {
                kept.pop_first();
            }
        }
        self.version += 1;
        Ok(self.version)
    }

    /// A row of a record lies in the offsets that its commit moves over.
    fn check_place(
        &self,
        row: &MemoryRow,
        next: &BTreeMap<Owner, i64>,
    ) -> Result<(), ArchiveError> {
        let (partition, from, to) = match (row, row.position()) {
            (MemoryRow::Gap(gap), _) => (&gap.partition, gap.span.from(), gap.span.to()),
            (_, Some(position)) => (&position.partition, position.offset, position.offset.next()),
            _ => return Ok(()),
        };
        let current = self.next(partition).unwrap_or(Offset(0));
        let moved = next.get(&Owner::Partition(partition.clone())).copied().unwrap_or(current.0);
        if from < current || to.0 > moved {
            let text = format!(
                "a row of {partition} at offset {from} comes with a commit from {current} to {moved}"
            );
            return Err(broken("I1", text));
        }
        Ok(())
    }

    fn append(&mut self, rows: &MemoryRows) -> Result<(), ArchiveError> {
        for row in &rows.rows {
            if let Some(position) = row.position() {
                let place = (position.partition.clone(), position.offset, position.record_index);
                if !self.places.insert(place) {
                    return Err(broken("I1", format!("{position} has two rows")));
                }
            }
            if let MemoryRow::Alert(alert) = row
                && !self.alert_uids.insert(alert.uid.clone())
            {
                let text = format!("alert {} ({}) has two rows", alert.uid, alert.title);
                return Err(broken("I2", text));
            }
            self.rows.push(row.clone());
        }
        Ok(())
    }
}

fn broken(invariant: &str, text: String) -> ArchiveError {
    ArchiveError::Broken(format!("{invariant}: {text}"))
}
