//! Rows of the table, read back for a detector or a sink.

use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{ArchiveError, LISTENED, Replayed, SharedRow, TICK};

use crate::column::Column;
use crate::commit_log::LiveFile;
use crate::data_reader::{DataReader, Wanted, unreadable};
use crate::recent_files::Since;
use crate::row_kind::RowKind;
use crate::row_view::{RowView, UnusableCell};

const IDENTITY: [Column; 4] =
    [Column::Topic, Column::Incarnation, Column::KafkaPartition, Column::KafkaOffset];

/// A file, and the offsets of the partition that it holds.
struct Candidate {
    kind: RowKind,
    file: LiveFile,
    first: i64,
    last: i64,
}

/// Delivers the rows of a partition from an offset on, in order of position.
///
/// The rows of one commit are spread over a file for each kind, so files whose offsets overlap are
/// read together and sorted: at any time the rows of one commit (after a compaction: of one
/// compacted file) are in memory.
pub(crate) async fn replay(
    reader: &DataReader,
    partition: &Partition,
    from: Offset,
    each: &mut dyn FnMut(Replayed),
) -> Result<(), ArchiveError> {
    let mut candidates = Vec::new();
    for (kind, file) in reader.files(&RowKind::is_record, Some((partition, from))).await? {
        let mut offsets: Option<(i64, i64)> = None;
        reader
            .read(&file, Wanted::These(&IDENTITY), &mut |rows| {
                for row in (0..rows.rows()).filter(|row| rows.is_of(partition, *row)) {
                    let offset = rows.long(Column::KafkaOffset, row).unwrap_or(i64::MIN);
                    if offset >= from.0 {
                        let (first, last) = offsets.unwrap_or((offset, offset));
                        offsets = Some((first.min(offset), last.max(offset)));
                    }
                }
                Ok(())
            })
            .await?;
        if let Some((first, last)) = offsets {
            candidates.push(Candidate { kind, file, first, last });
        }
    }
    candidates.sort_by_key(|candidate| candidate.first);
    let mut group: Vec<&Candidate> = Vec::new();
    let mut group_last = i64::MIN;
    for candidate in &candidates {
        if candidate.first > group_last {
            deliver(reader, partition, from, &group, each).await?;
            group.clear();
        }
        group_last = group_last.max(candidate.last);
        group.push(candidate);
    }
    deliver(reader, partition, from, &group, each).await
}

async fn deliver(
    reader: &DataReader,
    partition: &Partition,
    from: Offset,
    group: &[&Candidate],
    each: &mut dyn FnMut(Replayed),
) -> Result<(), ArchiveError> {
    let mut ordered: Vec<((Offset, u32), Replayed)> = Vec::new();
    for candidate in group {
        let path = &candidate.file.path;
        reader
            .read(&candidate.file, Wanted::Facts, &mut |rows| {
                for row in (0..rows.rows()).filter(|row| rows.is_of(partition, *row)) {
                    if rows.long(Column::KafkaOffset, row).is_none_or(|offset| offset < from.0) {
                        continue;
                    }
                    let (position, replayed) = replayed(candidate.kind, rows, row)
                        .map_err(|error| unreadable(path, error))?;
                    ordered.push(((position.offset, position.record_index), replayed));
                }
                Ok(())
            })
            .await?;
    }
    ordered.sort_by_key(|(place, _)| *place);
    ordered.into_iter().for_each(|(_, replayed)| each(replayed));
    Ok(())
}

fn replayed(
    kind: RowKind,
    rows: &RowView,
    row: usize,
) -> Result<(Position, Replayed), UnusableCell> {
    if let Some(kind) = kind.event_kind() {
        let event = rows.archived_event(kind, row)?;
        return Ok((event.position.clone(), Replayed::Event(Box::new(event))));
    }
    let position = rows.position(row)?;
    let reason = rows.quarantine_reason(row)?;
    Ok((position.clone(), Replayed::Quarantine { position, reason }))
}

/// Delivers the config changes and accesses at or after a progress, and the ticks since, file by file.
pub(crate) async fn replay_shared(
    reader: &DataReader,
    since: &Since<'_>,
    each: &mut dyn FnMut(SharedRow),
) -> Result<(), ArchiveError> {
    for (kind, file) in reader.files_since(since).await? {
        let wrong = |error| unreadable(&file.path, error);
        let Some(kind) = kind.event_kind() else {
            let columns = [Column::OperatorOperation, Column::EventTime];
            let mut take = |rows: &RowView| {
                for row in 0..rows.rows() {
                    let as_row = match rows.text(Column::OperatorOperation, row) {
                        Some(TICK) => SharedRow::Tick,
                        Some(LISTENED) => SharedRow::Listened,
                        _ => continue,
                    };
                    let time = rows.time(Column::EventTime, row);
                    let time = time.ok_or(wrong(UnusableCell(Column::EventTime)))?;
                    each(as_row(EventTime::from_micros(time)));
                }
                Ok(())
            };
            reader.read(&file, Wanted::These(&columns), &mut take).await?;
            continue;
        };
        let mut take = |rows: &RowView| {
            for row in 0..rows.rows() {
                let Position { partition, offset, .. } = rows.position(row).map_err(wrong)?;
                let is_before = since.from.next(&partition).is_some_and(|first| offset < first);
                let is_beyond = since.newest.next(&partition).is_some_and(|next| offset >= next);
                if !is_before && !is_beyond {
                    let event = rows.archived_event(kind, row).map_err(wrong)?;
                    each(SharedRow::Event(Box::new(event)));
                }
            }
            Ok(())
        };
        reader.read(&file, Wanted::Facts, &mut take).await?;
    }
    Ok(())
}

/// The alerts that are wanted, oldest first.
pub(crate) async fn alerts(
    reader: &DataReader,
    is_wanted: &dyn Fn(&Alert) -> bool,
) -> Result<Vec<Alert>, ArchiveError> {
    let mut alerts = Vec::new();
    for (_, file) in reader.files(&|kind| kind == RowKind::Alert, None).await? {
        reader
            .read(&file, Wanted::Facts, &mut |rows| {
                for row in 0..rows.rows() {
                    let alert = rows.alert(row).map_err(|error| unreadable(&file.path, error))?;
                    if is_wanted(&alert) {
                        alerts.push(alert);
                    }
                }
                Ok(())
            })
            .await?;
    }
    // Within an owner the number decides, and it rises with the time of logging.
    alerts.sort_by(|one, other| {
        let key = |alert: &Alert| (alert.logged_time, alert.trigger.number());
        key(one).cmp(&key(other)).then_with(|| one.trigger.cmp(&other.trigger))
    });
    Ok(alerts)
}
