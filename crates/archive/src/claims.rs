//! What this process owns, and what the table must still say for a commit to be ours to make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Progress};
use dataward_pipeline::archive::{ArchiveError, Claim};
use deltalake_core::kernel::Transaction;

use crate::app_id::{AppIds, Meaning};
use crate::commit_log::CommitLog;

/// One owner that we hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    /// The value of its app id in our view of the table.
    base: i64,
    /// How often it had been claimed when we claimed it.
    epoch: i64,
}

/// All owners that we hold.
#[derive(Debug)]
pub(crate) struct Claims {
    ids: AppIds,
    held: BTreeMap<Owner, Held>,
}

impl Claims {
    pub(crate) fn new(archive_id: &str) -> Self {
        Self { ids: AppIds::new(archive_id), held: BTreeMap::new() }
    }

    pub(crate) fn ids(&self) -> &AppIds {
        &self.ids
    }

    /// What the table says of something.
    pub(crate) fn read(&self, log: &CommitLog, meaning: &Meaning) -> Option<i64> {
        log.get(&self.ids.of(meaning))
    }

    /// Whether nobody else claimed, or wrote, what we hold.
    ///
    /// # Errors
    /// `Fenced` otherwise. A claim writes the same progress again, so the epoch is compared too.
    pub(crate) fn check(&self, log: &CommitLog) -> Result<(), ArchiveError> {
        for (owner, held) in &self.held {
            let base = self.read(log, &Meaning::Progress(owner.clone()));
            let epoch = self.read(log, &Meaning::Epoch(owner.clone()));
            if base != Some(held.base) || epoch != Some(held.epoch) {
                return Err(ArchiveError::Fenced(owner.to_string()));
            }
        }
        Ok(())
    }

    /// Whether the table still says what the claimer read.
    ///
    /// # Errors
    /// `Fenced` otherwise.
    pub(crate) fn check_expected(
        &self,
        log: &CommitLog,
        claims: &[Claim],
    ) -> Result<(), ArchiveError> {
        for claim in claims {
            let current = self.read(log, &Meaning::Progress(claim.owner.clone()));
            if current != claim.expected {
                return Err(ArchiveError::Fenced(claim.owner.to_string()));
            }
            if current.is_some_and(|current| claim.next < current) {
                return Err(went_back(&claim.owner, current, claim.next));
            }
        }
        Ok(())
    }

    /// The epochs that a claim raises its owners to.
    pub(crate) fn epochs(&self, log: &CommitLog, claims: &[Claim]) -> Vec<i64> {
        let epoch = |claim: &Claim| self.read(log, &Meaning::Epoch(claim.owner.clone()));
        claims.iter().map(|claim| epoch(claim).unwrap_or(0) + 1).collect()
    }

    /// The app ids of a claim: progress, epoch, and where the partition started if nobody claimed
    /// it before.
    pub(crate) fn claim_transactions(
        &self,
        log: &CommitLog,
        claims: &[Claim],
        epochs: &[i64],
    ) -> Vec<Transaction> {
        let mut transactions = self.progress_transactions(|owner, held| {
            let is_claimed = claims.iter().any(|claim| claim.owner == *owner);
            (!is_claimed).then_some(held.base)
        });
        for (claim, epoch) in claims.iter().zip(epochs) {
            let owner = &claim.owner;
            transactions.push(self.transaction(&Meaning::Progress(owner.clone()), claim.next));
            transactions.push(self.transaction(&Meaning::Epoch(owner.clone()), *epoch));
            let start = Meaning::Start(owner.clone());
            if matches!(owner, Owner::Partition(_)) && self.read(log, &start).is_none() {
                transactions.push(self.transaction(&start, claim.next));
            }
        }
        transactions
    }

    /// The claims are in the table, with these epochs.
    pub(crate) fn take(&mut self, claims: &[Claim], epochs: &[i64]) {
        for (claim, epoch) in claims.iter().zip(epochs) {
            self.held.insert(claim.owner.clone(), Held { base: claim.next, epoch: *epoch });
        }
    }

    /// The progress that a checkpoint moves to: of every owner that we hold.
    ///
    /// # Errors
    /// `Fenced` if the checkpoint names what we do not hold, `Broken` if it would go back.
    pub(crate) fn advanced(
        &self,
        progress: &Progress,
        keeper_next: Option<u64>,
    ) -> Result<BTreeMap<Owner, i64>, ArchiveError> {
        let mut next: BTreeMap<Owner, i64> =
            self.held.iter().map(|(owner, held)| (owner.clone(), held.base)).collect();
        let keeper = keeper_next.map(|n| (Owner::Keeper, i64::try_from(n).unwrap_or(i64::MAX)));
        let partitions = progress.iter().map(|(p, offset)| (Owner::Partition(p.clone()), offset.0));
        for (owner, value) in partitions.chain(keeper) {
            let Some(base) = next.get_mut(&owner) else {
                return Err(ArchiveError::Fenced(owner.to_string()));
            };
            if value < *base {
                return Err(went_back(&owner, Some(*base), value));
            }
            *base = value;
        }
        Ok(next)
    }

    /// The app ids of a checkpoint's progress.
    pub(crate) fn checkpoint_transactions(&self, next: &BTreeMap<Owner, i64>) -> Vec<Transaction> {
        self.progress_transactions(|owner, held| next.get(owner).copied().or(Some(held.base)))
    }

    fn progress_transactions(
        &self,
        value: impl Fn(&Owner, &Held) -> Option<i64>,
    ) -> Vec<Transaction> {
        let held = self.held.iter();
        held.filter_map(|(owner, held)| {
            let value = value(owner, held)?;
            Some(self.transaction(&Meaning::Progress(owner.clone()), value))
        })
        .collect()
    }

    pub(crate) fn transaction(&self, meaning: &Meaning, value: i64) -> Transaction {
        Transaction::new(self.ids.of(meaning), value)
    }

    /// A checkpoint is in the table.
    pub(crate) fn advance(&mut self, next: &BTreeMap<Owner, i64>) {
        for (owner, held) in &mut self.held {
            held.base = next.get(owner).copied().unwrap_or(held.base);
        }
    }

    /// What we hold of partitions.
    pub(crate) fn progress(&self) -> Progress {
        let partitions = self.held.iter().filter_map(|(owner, held)| match owner {
            Owner::Partition(partition) => Some((partition.clone(), Offset(held.base))),
            Owner::Keeper | Owner::Lessons => None,
        });
        partitions.collect()
    }

    pub(crate) fn release(&mut self, owners: &[Owner]) {
        for owner in owners {
            self.held.remove(owner);
        }
    }

    /// After a fence nothing is ours until it is claimed again.
    pub(crate) fn clear(&mut self) {
        self.held.clear();
    }
}

fn went_back(owner: &Owner, from: Option<i64>, to: i64) -> ArchiveError {
    let from = from.unwrap_or_default();
    ArchiveError::Broken(format!("progress of {owner} would go back from {from} to {to}"))
}

/// The topics that the table knows.
pub(crate) fn known_topics(ids: &AppIds, log: &CommitLog) -> BTreeSet<Arc<str>> {
    let meanings = log.transactions.keys().filter_map(|app_id| ids.parse(app_id));
    meanings
        .filter_map(|meaning| match meaning {
            Meaning::Progress(Owner::Partition(partition)) => Some(partition.topic),
            _ => None,
        })
        .collect()
}
