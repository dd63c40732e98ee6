//! The port [`Archive`] over a table in memory, with storage that fails in every way that real storage does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dataward_event::audit_event::EventKind;
use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{
    Archive, ArchiveError, ArchivedEvent, Checkpoint, Claim, Committed, Known, LISTENED, Replayed,
    Segment, SharedRow, Snapshot, TICK,
};

use crate::clock::SimulatedClock;
use crate::fate::{Fate, Life, Mishap, Planted, locked};
use crate::judge::check_snapshot;
use crate::memory_rows::{MemoryRow, MemoryRows};
use crate::memory_table::{Delivery, Holds, MemoryTable, Stored};

/// The longest time that storage is away, in milliseconds. Longer than a revocation waits.
const OUTAGE_MILLIS_MAX: usize = 16_000;

/// Storage that all processes share.
#[derive(Debug, Default)]
pub struct Storage {
    /// The table.
    pub table: Mutex<MemoryTable>,
    /// It does not answer before this.
    away_until: Mutex<Duration>,
}

impl Storage {
    /// It does not answer before this time.
    pub fn leave(&self, until: Duration) {
        *locked(&self.away_until) = until;
    }

    /// Whether it does not answer at this time.
    pub fn is_away(&self, now: Duration) -> bool {
        now < *locked(&self.away_until)
    }
}

/// One process's archive.
pub struct MemoryArchive {
    storage: Arc<Storage>,
    clock: Arc<SimulatedClock>,
    life: Arc<Life>,
    holds: Holds,
    bases: BTreeMap<Owner, Stored>,
    returned: Option<Checkpoint<MemoryRows>>,
}

impl MemoryArchive {
    /// Opens the table that lies in `storage`.
    pub fn open(storage: Arc<Storage>, clock: Arc<SimulatedClock>, life: Arc<Life>) -> Self {
        let (holds, bases) = (Holds::new(), BTreeMap::new());
        Self { storage, clock, life, holds, bases, returned: None }
    }

    fn fate(&self) -> &Fate {
        &self.life.fate
    }

    fn table(&self) -> MutexGuard<'_, MemoryTable> {
        locked(&self.storage.table)
    }

    fn rows_where(&self, is_wanted: impl Fn(&MemoryRow) -> bool) -> Vec<MemoryRow> {
        self.table().rows().iter().filter(|row| is_wanted(row)).cloned().collect()
    }

    /// One call to storage: the process may die in it, stand still, or find storage away.
    fn call(&self) -> Result<(), ArchiveError> {
        if self.life.may_die(4) {
            return Err(dead());
        }
        self.life.may_stall(6);
        let now = self.clock.elapsed();
        if self.fate().strikes(Mishap::Storage, 15) {
            let millis = self.fate().below(OUTAGE_MILLIS_MAX) >> self.fate().below(3);
            self.storage.leave(now + Duration::from_millis(millis as u64));
        }
        if self.storage.is_away(now) {
            self.clock.advance(Duration::from_millis(40));
            return Err(ArchiveError::Unavailable("storage is away".to_owned()));
        }
        Ok(())
    }

    fn fenced<T>(&mut self, result: Result<T, ArchiveError>) -> Result<T, ArchiveError> {
        match &result {
            Err(ArchiveError::Fenced(_)) => {
                self.fate().count(Mishap::Fenced);
                self.holds.clear();
                self.bases.clear();
            }
            Err(ArchiveError::Broken(text)) => self.fate().violate(text.clone()),
            _ => {}
        }
        result
    }

    /// Where a checkpoint moves what we hold.
    fn advanced(
        &self,
        checkpoint: &Checkpoint<MemoryRows>,
    ) -> Result<BTreeMap<Owner, i64>, ArchiveError> {
        let held = self.holds.iter();
        let mut next: BTreeMap<Owner, i64> = held.map(|(o, hold)| (o.clone(), hold.base)).collect();
        let skipped = usize::from(self.fate().has(Planted::ForgetsPartition));
        let partitions = checkpoint.progress.iter().skip(skipped);
        let partitions = partitions.map(|(p, offset)| (Owner::Partition(p.clone()), offset.0));
        let keeper = checkpoint.keeper_next.map(|n| (Owner::Keeper, n.cast_signed()));
        for (owner, value) in partitions.chain(keeper) {
            let Some(base) = next.get_mut(&owner) else {
                return Err(ArchiveError::Fenced(owner.to_string()));
            };
            *base = value;
        }
        Ok(next)
    }

    fn try_commit(
        &mut self,
        checkpoint: &Checkpoint<MemoryRows>,
    ) -> Result<Committed, ArchiveError> {
        self.call()?;
        if !self.fate().has(Planted::AcceptsStaleWriter) {
            self.table().check(&self.holds)?;
        }
        let next = self.advanced(checkpoint)?;
        let (snapshots, unsaved) = self.whole_snapshots(checkpoint);
        let mut cursors = checkpoint.cursors.clone();
        if self.fate().has(Planted::LosesCursor) {
            for (key, first) in &mut cursors {
                *first = next.get(&key.owner).copied().unwrap_or(*first);
            }
        }
        if self.fate().has(Planted::ForgetsCursor) {
            cursors.clear();
        }
        let delivery = Delivery {
            process: self.life.number,
            next: next.clone(),
            rows: &checkpoint.rows,
            cursors: &cursors,
            snapshots: snapshots.clone(),
        };
        let version = self.table().commit(delivery)?;
        let rows = checkpoint.rows.iter().flat_map(|rows| &rows.rows);
        rows.filter(|row| is_tick(row)).for_each(|_| self.fate().count(Mishap::Tick));
        for (owner, number, stored) in snapshots {
            if let Err(text) = check_snapshot(&self.table(), &owner, number, &stored) {
                self.fate().violate(text);
            }
            self.bases.insert(owner, stored);
        }
        if self.life.may_die(10) {
            self.fate().count(Mishap::SilentCommit);
            return Err(dead());
        }
        for (owner, hold) in &mut self.holds {
            hold.base = next.get(owner).copied().unwrap_or(hold.base);
        }
        // Its answer was lost, and the table was asked: the commit is ours. It took a while, and others may have come.
        self.life.may_stall(6);
        let progress = self.held_progress();
        Ok(Committed::new(version, progress).with_unsaved(unsaved))
    }

    fn held_progress(&self) -> Progress {
        let partitions = self.holds.iter().filter_map(|(owner, hold)| match owner {
            Owner::Partition(partition) => Some((partition.clone(), Offset(hold.base))),
            Owner::Keeper | Owner::Lessons => None,
        });
        partitions.collect()
    }

    /// The snapshots of a checkpoint with the segments that have not changed, and the owners that get none.
    fn whole_snapshots(
        &self,
        checkpoint: &Checkpoint<MemoryRows>,
    ) -> (Vec<(Owner, i64, Stored)>, Vec<Owner>) {
        let (mut saved, mut unsaved) = (Vec::new(), Vec::new());
        for snapshot in &checkpoint.snapshots {
            let ahead = i64::from(self.fate().has(Planted::SnapshotAhead));
            let at = snapshot.at.iter().map(|(p, next)| (p.clone(), Offset(next.0 + ahead)));
            let mut stored = Stored {
                at: at.collect(),
                format: snapshot.format,
                segment_count: snapshot.segment_count,
                segments: BTreeMap::new(),
                is_damaged: false,
            };
            if let Some(base) = self.bases.get(&snapshot.owner)
                && base.format == stored.format
            {
                stored.segments.clone_from(&base.segments);
            }
            let changed = snapshot.segments.iter();
            stored.segments.extend(changed.map(|s| (s.index, s.bytes.clone())));
            let number = self.number(snapshot);
            let is_whole = stored.segments.len() == stored.segment_count as usize;
            if !is_whole || self.fate().strikes(Mishap::Unsaved, 60) {
                unsaved.push(snapshot.owner.clone());
                continue;
            }
            let known = self.table().snapshots(&snapshot.owner).get(&number).cloned();
            match known {
                None => saved.push((snapshot.owner.clone(), number, stored)),
                Some(known) if known == stored => {}
                Some(known) if known.is_damaged || known.segment_count == 0 => {
                    unsaved.push(snapshot.owner.clone());
                }
                Some(_) => {
                    let owner = &snapshot.owner;
                    self.fate().violate(format!("I4: {owner} has two states at {number}"));
                }
            }
        }
        (saved, unsaved)
    }

    fn number(&self, snapshot: &Snapshot) -> i64 {
        match &snapshot.owner {
            Owner::Partition(partition) => snapshot.at.next(partition).map_or(0, |o| o.0),
            owner @ (Owner::Keeper | Owner::Lessons) => {
                let mut table = self.table();
                table.snapshots(owner).last_key_value().map_or(1, |(last, _)| last + 1)
            }
        }
    }
}

impl Archive for MemoryArchive {
    type Rows = MemoryRows;

    fn rows(&self) -> MemoryRows {
        MemoryRows::default()
    }

    fn look_up(
        &mut self,
        partitions: &[Partition],
    ) -> Result<BTreeMap<Partition, Known>, ArchiveError> {
        self.call()?;
        let checked = self.table().check(&self.holds);
        self.fenced(checked)?;
        let table = self.table();
        Ok(partitions.iter().map(|p| (p.clone(), table.known(p))).collect())
    }

    fn look_up_keeper(&mut self) -> Result<Option<u64>, ArchiveError> {
        self.call()?;
        let checked = self.table().check(&self.holds);
        self.fenced(checked)?;
        Ok(self.table().value(&Owner::Keeper).map(i64::cast_unsigned))
    }

    fn claim(&mut self, claims: &[Claim], rows: MemoryRows) -> Result<Committed, ArchiveError> {
        self.call()?;
        let kept: Holds = self
            .holds
            .iter()
            .filter(|(owner, _)| !claims.iter().any(|claim| claim.owner == **owner))
            .map(|(owner, hold)| (owner.clone(), *hold))
            .collect();
        let checked = self.table().check(&kept);
        self.fenced(checked)?;
        let claimed = self.table().claim(self.life.number, claims, &rows);
        let claimed = match claimed {
            // Somebody was faster: what we held before is still ours.
            Err(error @ ArchiveError::Fenced(_)) => return Err(error),
            other => self.fenced(other)?,
        };
        self.holds.extend(claimed);
        if self.life.may_die(10) {
            self.fate().count(Mishap::SilentCommit);
            return Err(dead());
        }
        Ok(Committed::new(self.table().version(), self.held_progress()))
    }

    fn release(&mut self, owners: &[Owner]) {
        for owner in owners {
            self.holds.remove(owner);
        }
    }

    fn commit(&mut self, checkpoint: Checkpoint<MemoryRows>) -> Result<Committed, ArchiveError> {
        let result = self.try_commit(&checkpoint);
        if self.life.is_dead() {
            return Err(dead());
        }
        let result = match result {
            Err(ArchiveError::Unavailable(_)) if self.fate().has(Planted::AcknowledgesEarly) => {
                Ok(Committed::new(0, checkpoint.progress.clone()))
            }
            other => other,
        };
        self.returned = result.is_err().then_some(checkpoint);
        self.fenced(result)
    }

    fn take_back(&mut self) -> Option<Checkpoint<MemoryRows>> {
        self.returned.take()
    }

    fn snapshot(&mut self, owner: &Owner) -> Result<Option<Snapshot>, ArchiveError> {
        self.call()?;
        let mut table = self.table();
        let snapshots = table.snapshots(owner);
        let can_lose_one = snapshots.values().filter(|stored| !stored.is_damaged).count() > 1;
        if let Some(mut newest) = snapshots.last_entry()
            && can_lose_one
            && !newest.get().is_damaged
            && self.life.fate.strikes(Mishap::Damage, 60)
        {
            newest.get_mut().is_damaged = true;
        }
        let Some(stored) = snapshots.values().rev().find(|stored| !stored.is_damaged).cloned()
        else {
            return Ok(None);
        };
        drop(table);
        self.bases.insert(owner.clone(), stored.clone());
        let Stored { at, format, segment_count, segments, .. } = stored;
        let segments =
            segments.into_iter().map(|(index, bytes)| Segment { index, bytes }).collect();
        Ok(Some(Snapshot { owner: owner.clone(), at, format, segments, segment_count }))
    }

    fn replay(
        &mut self,
        partition: &Partition,
        from: Offset,
        each: &mut dyn FnMut(Replayed),
    ) -> Result<(), ArchiveError> {
        self.call()?;
        let mut rows = self.rows_where(|row| {
            row.position().is_some_and(|p| p.partition == *partition && p.offset >= from)
        });
        rows.sort_by(|a, b| a.position().cmp(&b.position()));
        for row in rows {
            match row {
                MemoryRow::Quarantine { position, reason, .. } => {
                    each(Replayed::Quarantine { position, reason });
                }
                row => each_event(row, &mut |event| each(Replayed::Event(Box::new(event)))),
            }
        }
        Ok(())
    }

    fn replay_shared(
        &mut self,
        from: &Progress,
        each: &mut dyn FnMut(SharedRow),
    ) -> Result<(), ArchiveError> {
        self.call()?;
        let mut rows = self.rows_where(|row| {
            let is_after = row.position().is_some_and(|position| {
                from.next(&position.partition).is_none_or(|first| position.offset >= first)
            });
            let is_shared = |kind| kind != EventKind::Authentication;
            is_after && matches!(row, MemoryRow::Event { event, .. } if is_shared(event.kind))
        });
        // The port promises no order.
        self.fate().shuffle(&mut rows);
        if self.fate().has(Planted::ForgetsChange) {
            rows.pop();
        }
        for row in self.rows_where(|row| matches!(row, MemoryRow::Operator(_))) {
            let MemoryRow::Operator(deed) = row else { continue };
            match (deed.operation.as_str(), deed.time) {
                (TICK, Some(time)) => each(SharedRow::Tick(time)),
                (LISTENED, Some(time)) => each(SharedRow::Listened(time)),
                _ => {}
            }
        }
        for row in rows {
            each_event(row, &mut |event| each(SharedRow::Event(Box::new(event))));
        }
        Ok(())
    }

    fn unacknowledged(&mut self, sink: &str) -> Result<Vec<Alert>, ArchiveError> {
        self.call()?;
        Ok(unacknowledged(&self.table(), sink))
    }
}

/// The alerts behind a sink's cursors. A sink that is new begins now.
pub fn unacknowledged(table: &MemoryTable, sink: &str) -> Vec<Alert> {
    let cursors: BTreeMap<&Owner, i64> = table
        .cursors()
        .iter()
        .filter(|(key, _)| key.sink == sink)
        .map(|(key, first)| (&key.owner, *first))
        .collect();
    if cursors.is_empty() {
        return Vec::new();
    }
    let is_waiting = |alert: &&Alert| {
        let first = cursors.get(&alert.trigger.owner());
        first.is_none_or(|first| alert.trigger.number() >= *first)
    };
    table.alerts().filter(is_waiting).cloned().collect()
}

fn is_tick(row: &MemoryRow) -> bool {
    matches!(row, MemoryRow::Operator(deed) if deed.operation == TICK && deed.time.is_some())
}

fn each_event(row: MemoryRow, each: &mut dyn FnMut(ArchivedEvent)) {
    if let MemoryRow::Event { position, kafka_time, event, producer_duplicate, .. } = row {
        each(ArchivedEvent { position, kafka_time, event: *event, producer_duplicate });
    }
}

fn dead() -> ArchiveError {
    ArchiveError::Broken("the process is dead".to_owned())
}
