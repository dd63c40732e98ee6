//! What must be true of a table, whatever happened on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_detect::context::{Context, DatastoreContext};
use dataward_detect::keeper::Keeper;
use dataward_detect::partition_state::PartitionState;
use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::{CloseReason, Finding, Owner, RuleId};
use dataward_event::position::{Offset, Partition, Position, Progress};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, IngestTime};
use dataward_pipeline::alert::Alert;
use dataward_pipeline::archive::{GapCause, LISTENED, TICK};
use dataward_pipeline::lane::Gathering;
use dataward_sources::decode::Record;
use dataward_sources::source::decode;
use serde_json::Value;

use crate::memory_rows::MemoryRow;
use crate::memory_table::{MemoryTable, Stored};
use crate::topic_log::{LogRecord, PartitionLog, TopicLog};

/// What the processes of every world know: that datastores are small, so that one large read is most of one.
pub fn context() -> Context {
    let datastore = DatastoreContext {
        name: "*".to_owned(),
        bytes: Some(16 << 20),
        ..DatastoreContext::default()
    };
    Context { datastores: vec![datastore], ..Context::default() }
}

/// The findings that are not withdrawn, by uid, with what they say.
pub type Standing = BTreeMap<String, String>;

/// I1 and I5: every offset from the start on is accounted for once, by the rows that its record must give, or by a gap
/// of the right cause.
///
/// # Errors
/// What is wrong.
pub fn check_offsets(table: &MemoryTable, log: &TopicLog) -> Result<(), String> {
    let mut rows: BTreeMap<&Partition, BTreeMap<Offset, Vec<&MemoryRow>>> = BTreeMap::new();
    let mut gaps: BTreeMap<&Partition, BTreeMap<Offset, GapCause>> = BTreeMap::new();
    for row in table.rows() {
        if let MemoryRow::Gap(gap) = row {
            let of_partition = gaps.entry(&gap.partition).or_default();
            for offset in gap.span.from().0..gap.span.to().0 {
                if of_partition.insert(Offset(offset), gap.cause).is_some() {
                    return Err(format!("I1: {}@{offset} lies in two gaps", gap.partition));
                }
            }
        }
        if let Some(position) = row.position() {
            let of_partition = rows.entry(&position.partition).or_default();
            of_partition.entry(position.offset).or_default().push(row);
        }
    }
    for (partition, records) in log.existing() {
        let start =
            table.starts().get(partition).ok_or(format!("{partition} was never claimed"))?;
        let next = table.next(partition).unwrap_or(*start);
        for offset in (start.0..next.0).map(Offset) {
            let found = rows.get(partition).and_then(|rows| rows.get(&offset));
            let cause = gaps.get(partition).and_then(|gaps| gaps.get(&offset)).copied();
            check_offset(partition, offset, records, found, cause)?;
        }
    }
    Ok(())
}

fn check_offset(
    partition: &Partition,
    offset: Offset,
    records: &PartitionLog,
    rows: Option<&Vec<&MemoryRow>>,
    cause: Option<GapCause>,
) -> Result<(), String> {
    let place = format!("{partition}@{offset}");
    let Some(record) = records.record(offset) else {
        return Err(format!("I1: {place} was never produced"));
    };
    match (rows, cause) {
        (None, None) => Err(format!("I1: {place} is not accounted for")),
        (Some(_), Some(cause)) => Err(format!("I1: {place} has rows, and lies in a gap {cause:?}")),
        (None, Some(GapCause::NotDelivered)) if record.is_hole => Ok(()),
        (None, Some(GapCause::Lost)) if offset < records.low() => Ok(()),
        (None, Some(cause)) => Err(format!("I1: {place} lies in a gap {cause:?} without reason")),
        (Some(rows), None) => check_record(partition, offset, records, record, rows),
    }
}

/// The rows of a record are what the decoder makes of it, each once.
fn check_record(
    partition: &Partition,
    offset: Offset,
    records: &PartitionLog,
    record: &LogRecord,
    rows: &[&MemoryRow],
) -> Result<(), String> {
    let position = Position { partition: partition.clone(), offset, record_index: 0 };
    let payload = record.payload.as_deref().unwrap_or_default();
    let kafka_time = Some(record.kafka_time);
    let decoded = decode(records.source, Record { position: &position, kafka_time, payload });
    let mut expected: BTreeMap<u32, Expected<'_>> = BTreeMap::new();
    for event in &decoded.events {
        expected.insert(event.record_index, Expected::Event(&event.event));
    }
    for reject in &decoded.rejects {
        expected.insert(reject.record_index, Expected::Reject(reject.reason));
    }
    for row in rows {
        let index = row.position().map_or(0, |position| position.record_index);
        let is_right = match (expected.remove(&index), row) {
            (Some(Expected::Event(event)), MemoryRow::Event { event: found, .. }) => {
                *event == **found
            }
            (Some(Expected::Reject(reason)), MemoryRow::Quarantine { reason: found, .. }) => {
                reason == *found
            }
            _ => false,
        };
        if !is_right {
            return Err(format!("I1: {position} has a row {index} that its record does not give"));
        }
    }
    match expected.is_empty() {
        true => Ok(()),
        false => Err(format!("I5: {} rows of {position} are missing", expected.len())),
    }
}

enum Expected<'e> {
    Event(&'e AuditEvent<'e>),
    Reject(QuarantineReason),
}

/// I4, while it happens: a snapshot is the state that the rows before it give.
///
/// # Errors
/// What is wrong.
pub fn check_snapshot(
    table: &MemoryTable,
    owner: &Owner,
    number: i64,
    stored: &Stored,
) -> Result<(), String> {
    let expected: BTreeMap<u32, Vec<u8>> = match owner {
        Owner::Partition(partition) => {
            let next = stored.at.next(partition).unwrap_or(Offset(0));
            of_partition(table, partition, next).0.save_all().into_iter().collect()
        }
        Owner::Keeper => keeper(table, &stored.at).0.save_all().into_iter().collect(),
        // Nobody takes lessons in a simulated world.
        Owner::Lessons => stored.segments.clone(),
    };
    if expected == stored.segments {
        return Ok(());
    }
    let segments =
        expected.iter().filter(|(index, bytes)| stored.segments.get(index) != Some(bytes));
    let segments: Vec<&u32> = segments.map(|(index, _)| index).collect();
    Err(format!(
        "I4: snapshot {number} of {owner} is not what its rows give, in segments {segments:?}"
    ))
}

/// The state of a partition that saw its archived rows before `next`, and what it found.
fn of_partition(
    table: &MemoryTable,
    partition: &Partition,
    next: Offset,
) -> (PartitionState, Vec<Finding>) {
    let is_before =
        |position: &Position| position.partition == *partition && position.offset < next;
    let mut rows: Vec<&MemoryRow> =
        table.rows().iter().filter(|row| row.position().is_some_and(is_before)).collect();
    rows.sort_by_key(|row| row.position());
    let (mut state, context) = (PartitionState::default(), context());
    let mut findings = Vec::new();
    for row in rows {
        match row {
            MemoryRow::Event { event, position, .. } => {
                findings.extend(state.observe(event, position, &context).findings);
            }
            MemoryRow::Quarantine { reason, position, .. } => {
                state.observe_reject(*reason, position, EventTime::MIN);
            }
            _ => {}
        }
    }
    (state, findings)
}

/// A keeper that saw the archived changes and reads before `at` in the order of their times, and what it found.
fn keeper(table: &MemoryTable, at: &Progress) -> (Keeper, Vec<Finding>) {
    let mut keeper = Keeper::new();
    keeper.adopt(Arc::new(context()));
    let is_before =
        |position: &Position| at.next(&position.partition).is_some_and(|n| position.offset < n);
    let findings = teach(&mut keeper, table, is_before);
    (keeper, findings)
}

/// Shows a keeper what the table has of these positions, and all times that the clock brought.
fn teach(
    keeper: &mut Keeper,
    table: &MemoryTable,
    is_wanted: impl Fn(&Position) -> bool,
) -> Vec<Finding> {
    let mut gathering = Gathering::default();
    let mut rows: Vec<(&Position, &AuditEvent<'static>)> = Vec::new();
    let (mut tick, mut listened) = (None, None);
    for row in table.rows() {
        match row {
            MemoryRow::Event { event, position, producer_duplicate: false, .. }
                if is_wanted(position) =>
            {
                rows.push((position, event));
            }
            MemoryRow::Operator(deed) if deed.operation == TICK => tick = tick.max(deed.time),
            MemoryRow::Operator(deed) if deed.operation == LISTENED => {
                listened = listened.max(deed.time);
            }
            _ => {}
        }
    }
    // Of an event that stands at several places the first one counts.
    rows.sort_by_key(|(position, _)| *position);
    for (position, event) in rows {
        gathering.add(event, position);
    }
    let news = gathering.into_news();
    let mut findings = keeper.observe_all(news.changes, news.reads).findings;
    if let Some(tick) = tick {
        findings.extend(keeper.repeat_tick(tick).findings);
    }
    if let Some(listened) = listened {
        findings.extend(keeper.listen(listened).findings);
    }
    findings.extend(keeper.settle().findings);
    findings.extend(keeper.say_figures().findings);
    findings
}

/// The progress of all partitions.
fn progress_of(table: &MemoryTable) -> Progress {
    let next = |partition: &Partition| table.next(partition).map(|next| (partition.clone(), next));
    table.starts().keys().filter_map(next).collect()
}

/// What a keeper finds that sees the archived changes in order, and each partition that sees its rows.
pub fn expected_findings(table: &MemoryTable) -> Standing {
    let progress = progress_of(table);
    let (_, mut findings) = keeper(table, &progress);
    for (partition, next) in progress.iter() {
        findings.extend(of_partition(table, partition, next).1);
    }
    let alerts: Vec<Alert> =
        findings.iter().map(|finding| Alert::new(finding, IngestTime::from_micros(0))).collect();
    standing(alerts.iter())
}

/// The keeper's state as bytes, at the end.
pub fn expected_state(table: &MemoryTable) -> Vec<(u32, Vec<u8>)> {
    keeper(table, &progress_of(table)).0.save_all()
}

/// The findings of the table that are not withdrawn.
pub fn archived_findings(table: &MemoryTable) -> Standing {
    standing(table.alerts())
}

/// The state that the table gives back at the end: the newest snapshot, and the changes after it.
///
/// # Errors
/// The snapshot cannot be read.
pub fn restored_state(table: &mut MemoryTable) -> Result<Vec<(u32, Vec<u8>)>, String> {
    let newest = table.snapshots(&Owner::Keeper).values().rev().find(|s| !s.is_damaged).cloned();
    let newest = newest.ok_or("the keeper has no snapshot")?;
    let segments = newest.segments.iter().map(|(index, bytes)| (*index, bytes.as_slice()));
    let mut keeper = Keeper::load(dataward_detect::state::FORMAT, segments)
        .map_err(|error| error.to_string())?;
    let is_new = |position: &Position| {
        newest.at.next(&position.partition).is_none_or(|n| position.offset >= n)
    };
    teach(&mut keeper, table, is_new);
    Ok(keeper.save_all())
}

fn standing<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Standing {
    let mut standing = Standing::new();
    for alert in alerts {
        let is_of_events =
            !alert.rule.as_str().starts_with("archive.") && alert.rule != RuleId::RuleFailed;
        if !is_of_events {
            continue;
        }
        if is_withdrawn(alert) {
            standing.remove(&alert.finding_uid);
        } else {
            standing.insert(alert.finding_uid.clone(), content(alert));
        }
    }
    standing
}

fn is_withdrawn(alert: &Alert) -> bool {
    let json: Value = serde_json::from_str(&alert.json).unwrap_or_default();
    json["unmapped"]["dataward"]["close_reason"] == CloseReason::Superseded.as_str()
}

/// What a statement says, without which statement it is, when it was made, and which copy of an event it saw first.
fn content(alert: &Alert) -> String {
    let mut json: Value = serde_json::from_str(&alert.json).unwrap_or_default();
    for name in ["activity_id", "activity_name", "type_uid", "status", "status_id", "metadata"] {
        json[name].take();
    }
    if let Some(evidences) = json["evidences"].as_array_mut() {
        for evidence in evidences {
            for name in ["topic", "partition", "offset", "record_index"] {
                evidence["data"][name].take();
            }
        }
    }
    json["unmapped"].take();
    json.to_string()
}

/// What differs between two sets of findings.
///
/// # Errors
/// What differs.
pub fn compare(found: &Standing, expected: &Standing, with: &str) -> Result<(), String> {
    let uids: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    for uid in uids {
        let text = match (found.get(uid), expected.get(uid)) {
            (Some(found), Some(expected)) if found == expected => continue,
            (Some(found), Some(expected)) => format!("says\n{found}\nand not\n{expected}"),
            (Some(found), None) => format!("must not be there: {found}"),
            (None, Some(expected)) => format!("is missing: {expected}"),
            (None, None) => continue,
        };
        return Err(format!("I4: compared with {with}, finding {uid} {text}"));
    }
    Ok(())
}
