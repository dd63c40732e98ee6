//! No archive at all: what a scan without `--archive` runs on. It keeps nothing and promises nothing.

use std::collections::BTreeMap;

use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};

use crate::alert::Alert;
use crate::archive::{
    Archive, ArchiveError, Checkpoint, Claim, Committed, EventRow, ExposureRow, GapRow, Known,
    OperatorRow, QuarantineRow, Replayed, Rows, SharedRow, Snapshot,
};

/// An archive that forgets everything.
#[derive(Debug, Default)]
pub struct EphemeralArchive;

/// Rows that are dropped where they stand.
#[derive(Debug, Default)]
pub struct NoRows;

impl Rows for NoRows {
    fn event(&mut self, _: &EventRow<'_>) {}
    fn quarantine(&mut self, _: &QuarantineRow<'_>) {}
    fn gap(&mut self, _: &GapRow) {}
    fn alert(&mut self, _: &Alert) {}
    fn exposure(&mut self, _: &ExposureRow) {}
    fn operator(&mut self, _: &OperatorRow) {}

    fn bytes(&self) -> usize {
        0
    }

    fn is_empty(&self) -> bool {
        true
    }
}

impl Archive for EphemeralArchive {
    type Rows = NoRows;

    fn rows(&self) -> NoRows {
        NoRows
    }

    fn look_up(&mut self, of: &[Partition]) -> Result<BTreeMap<Partition, Known>, ArchiveError> {
        Ok(of.iter().map(|partition| (partition.clone(), Known::NewTopic)).collect())
    }

    fn look_up_keeper(&mut self) -> Result<Option<u64>, ArchiveError> {
        Ok(None)
    }

    fn claim(&mut self, _: &[Claim], _: NoRows) -> Result<Committed, ArchiveError> {
        Ok(Committed::new(0, Progress::new()))
    }

    fn release(&mut self, _: &[Owner]) {}

    fn commit(&mut self, checkpoint: Checkpoint<NoRows>) -> Result<Committed, ArchiveError> {
        Ok(Committed::new(0, checkpoint.progress))
    }

    fn take_back(&mut self) -> Option<Checkpoint<NoRows>> {
        None
    }

    fn snapshot(&mut self, owner: &Owner) -> Result<Option<Snapshot>, ArchiveError> {
        let at = match owner {
            Owner::Partition(partition) => [(partition.clone(), Offset(0))].into_iter().collect(),
            Owner::Keeper | Owner::Lessons => Progress::new(),
        };
        let (format, owner) = (dataward_detect::state::FORMAT, owner.clone());
        Ok(Some(Snapshot { owner, at, format, segments: Vec::new(), segment_count: 0 }))
    }

    fn replay(
        &mut self,
        _: &Partition,
        _: Offset,
        _: &mut dyn FnMut(Replayed),
    ) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn replay_shared(
        &mut self,
        _: &Progress,
        _: &mut dyn FnMut(SharedRow),
    ) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn unacknowledged(&mut self, _: &str) -> Result<Vec<Alert>, ArchiveError> {
        Ok(Vec::new())
    }
}
