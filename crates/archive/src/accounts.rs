//! Offsets against rows: invariant I1, partition by partition.

use std::collections::{BTreeMap, HashSet};

use dataward_event::position::Partition;

use crate::column::Column;
use crate::interval_set::IntervalSet;
use crate::report::{PartitionReport, Problem};
use crate::row_kind::RowKind;
use crate::row_view::RowView;

/// The columns that the accounts are made of.
pub(crate) const COLUMNS: [Column; 9] = [
    Column::Topic,
    Column::Incarnation,
    Column::KafkaPartition,
    Column::KafkaOffset,
    Column::RecordIndex,
    Column::GapFrom,
    Column::GapTo,
    Column::GapCause,
    Column::AlertUid,
];

/// How many missing ranges of a partition are named one by one.
const MISSING_NAMED: usize = 3;

/// All rows of the table, as far as the accounts need them.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    partitions: BTreeMap<Partition, Account>,
    alerts: HashSet<[u8; 32]>,
}

/// The rows of one partition.
#[derive(Debug, Default)]
struct Account {
    /// For each record index the offsets that have a row of it.
    rows: BTreeMap<u32, IntervalSet>,
    gaps: BTreeMap<String, IntervalSet>,
    events: u64,
    quarantined: u64,
}

impl Accounts {
    /// Takes the rows of a batch of a file.
    pub(crate) fn take(
        &mut self,
        kind: RowKind,
        path: &str,
        rows: &RowView,
        problems: &mut Vec<Problem>,
    ) -> Result<(), String> {
        for row in 0..rows.rows() {
            match kind {
                RowKind::Gap => self.take_gap(rows, row)?,
                RowKind::Alert => {
                    let uid = rows.text(Column::AlertUid, row).ok_or("an alert has no id")?;
                    if !self.alerts.insert(*blake3::hash(uid.as_bytes()).as_bytes()) {
                        let alert_uid = uid.to_owned();
                        problems.push(Problem::AlertTwice { alert_uid, path: path.to_owned() });
                    }
                }
                // Neither stands for a record.
                RowKind::Operator | RowKind::Exposure => {}
                _ => self.take_record(kind, path, rows, row, problems)?,
            }
        }
        Ok(())
    }

    fn take_gap(&mut self, rows: &RowView, row: usize) -> Result<(), String> {
        let partition = rows.partition(row).ok_or("a gap has no partition")?;
        let from = rows.long(Column::GapFrom, row).ok_or("a gap has no beginning")?;
        let to = rows.long(Column::GapTo, row).ok_or("a gap has no end")?;
        let cause = rows.text(Column::GapCause, row).ok_or("a gap has no cause")?;
        let account = self.partitions.entry(partition).or_default();
        account.gaps.entry(cause.to_owned()).or_default().insert_range(from, to);
        Ok(())
    }

    fn take_record(
        &mut self,
        kind: RowKind,
        path: &str,
        rows: &RowView,
        row: usize,
        problems: &mut Vec<Problem>,
    ) -> Result<(), String> {
        let position = rows.position(row).map_err(|error| error.to_string())?;
        let (offset, record_index) = (position.offset.0, position.record_index);
        let account = self.partitions.entry(position.partition).or_default();
        if kind == RowKind::Quarantine {
            account.quarantined += 1;
        } else {
            account.events += 1;
        }
        if !account.rows.entry(record_index).or_default().insert(offset) {
            let partition = rows.partition(row).map(|p| p.path()).unwrap_or_default();
            let path = path.to_owned();
            problems.push(Problem::RowTwice { partition, offset, record_index, path });
        }
        Ok(())
    }

    /// Compares with what the table says: start and progress of each partition.
    pub(crate) fn close(
        mut self,
        progress: &BTreeMap<Partition, (Option<i64>, i64)>,
        problems: &mut Vec<Problem>,
    ) -> Vec<PartitionReport> {
        let mut reports = Vec::new();
        for (partition, (start, next)) in progress {
            let account = self.partitions.remove(partition).unwrap_or_default();
            reports.push(account.close(partition, *start, *next, problems));
        }
        for partition in self.partitions.keys() {
            problems.push(Problem::PartitionUnknown { partition: partition.path() });
        }
        reports
    }
}

/// The first missing ranges one by one, the others as a number: one lost file can leave thousands.
fn push_missing(path: &str, missing: &[(i64, i64)], problems: &mut Vec<Problem>) {
    let (named, others) = missing.split_at(missing.len().min(MISSING_NAMED));
    for (from, to) in named {
        let (partition, from, to) = (path.to_owned(), *from, *to);
        problems.push(Problem::OffsetsMissing { partition, from, to });
    }
    if !others.is_empty() {
        let offsets = others.iter().map(|(from, to)| to.abs_diff(*from)).sum();
        let (partition, ranges) = (path.to_owned(), others.len());
        problems.push(Problem::MoreOffsetsMissing { partition, ranges, offsets });
    }
}

impl Account {
    fn close(
        self,
        partition: &Partition,
        start: Option<i64>,
        progress: i64,
        problems: &mut Vec<Problem>,
    ) -> PartitionReport {
        let path = partition.path();
        let nothing = IntervalSet::default();
        let records = self.rows.get(&0).unwrap_or(&nothing);
        let start = start.unwrap_or_else(|| records.iter().next().map_or(progress, |(o, _)| o));
        self.check_outside(&path, start, progress, problems);
        self.check_indices(&path, problems);
        // In a file the offsets are byte offsets: there is one only where a record begins.
        if !partition.is_file() {
            let mut covered = IntervalSet::default();
            let sets = self.rows.values().chain(self.gaps.values());
            for (from, to) in sets.flat_map(IntervalSet::iter) {
                covered.insert_range(from, to);
            }
            push_missing(&path, &covered.missing(start, progress), problems);
        }
        PartitionReport {
            partition: path,
            start,
            progress,
            records: records.len(),
            events: self.events,
            quarantined: self.quarantined,
            gaps: self.gaps.iter().map(|(cause, set)| (cause.clone(), set.len())).collect(),
        }
    }

    fn check_outside(&self, path: &str, start: i64, progress: i64, problems: &mut Vec<Problem>) {
        for (from, to) in self.rows.values().flat_map(IntervalSet::iter) {
            let offset = if from < start { from } else { from.max(progress) };
            if offset < to {
                problems.push(Problem::RowOutside { partition: path.to_owned(), offset });
            }
        }
    }

    fn check_indices(&self, path: &str, problems: &mut Vec<Problem>) {
        let nothing = IntervalSet::default();
        for (index, offsets) in &self.rows {
            let Some(before) = index.checked_sub(1) else { continue };
            let earlier = self.rows.get(&before).unwrap_or(&nothing);
            for (from, to) in offsets.iter() {
                for (offset, _) in earlier.missing(from, to) {
                    let partition = path.to_owned();
                    let record_index = before;
                    problems.push(Problem::RecordIndexMissing { partition, offset, record_index });
                }
            }
        }
    }
}
