//! State as the table gives it back: the newest snapshot of an owner, and what lies behind it, without a sound.

use std::sync::Arc;

use dataward_detect::context::Context;
use dataward_detect::keeper::Keeper;
use dataward_detect::partition_state::PartitionState;
use dataward_detect::state::StateError;
use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Position, Progress};
use dataward_event::time::EventTime;

use crate::archive::{Archive, ArchiveError, Replayed, SharedRow, Snapshot};
use crate::lane::Gathering;

/// The keeper as of the table, and how far it has seen: its newest snapshot, and the changes and reads after it. Without
/// a snapshot that is all there ever were: it takes longer, and nothing is lost; what the context was is known no more, so
/// it is judged by `context`.
///
/// # Errors
/// The archive cannot be read.
pub fn keeper(
    archive: &mut impl Archive,
    context: Option<&Arc<Context>>,
) -> Result<(Keeper, Progress), ArchiveError> {
    let rebuilt = || {
        let mut keeper = Keeper::new();
        if let Some(context) = context {
            keeper.adopt(Arc::clone(context));
        }
        (keeper, Progress::new())
    };
    let snapshot = archive.snapshot(&Owner::Keeper)?;
    let (mut keeper, mut seen) = match snapshot.map(|saved| (load_keeper(&saved), saved.at)) {
        Some((Ok(keeper), at)) => (keeper, at),
        Some((Err(error), _)) => {
            tracing::error!(%error, "the keeper's snapshot is unusable: rebuilding it");
            rebuilt()
        }
        None => rebuilt(),
    };
    teach(archive, &mut keeper, &mut seen)?;
    keeper.mark_all_dirty();
    Ok((keeper, seen))
}

/// The keeper as it would be if nothing after a time had happened: by all changes and reads of the table up to it, and by
/// the context of its newest snapshot. It takes as long as reading them all, and memory for them all.
///
/// # Errors
/// The archive cannot be read.
pub fn keeper_as_of(archive: &mut impl Archive, time: EventTime) -> Result<Keeper, ArchiveError> {
    let newest = archive.snapshot(&Owner::Keeper)?.and_then(|saved| load_keeper(&saved).ok());
    let mut keeper = Keeper::new();
    if let Some(newest) = newest {
        keeper.adopt(Arc::clone(newest.context()));
    }
    teach_up_to(archive, &mut keeper, &mut Progress::new(), time)?;
    Ok(keeper)
}

/// A partition's state as it would be if nothing after a time had happened: by all its rows up to it, in order, and by
/// `context`. What could not be read has no event time, and is left out. It begins with the [`lessons`], unless its first read
/// is older than they are. It takes as long as reading all rows of the partition.
///
/// # Errors
/// The archive cannot be read.
pub fn partition_as_of(
    archive: &mut impl Archive,
    partition: &Partition,
    time: EventTime,
    context: &Context,
) -> Result<PartitionState, ArchiveError> {
    let mut state = PartitionState::default();
    let mut lessons = lessons(archive)?;
    archive.replay(partition, Offset(0), &mut |row| match row {
        Replayed::Event(archived) if archived.event.time <= time => {
            if state.knows_no_reads()
                && let Some(taken) = lessons.take_if(|taken| taken.precedes(archived.event.time))
            {
                state.begin_with(taken);
            }
            state.observe(&archived.event, &archived.position, context);
        }
        Replayed::Event(_) | Replayed::Quarantine { .. } => {}
    })?;
    Ok(state)
}

/// What people knew as of the newest snapshot of the keeper; nothing without one.
///
/// # Errors
/// The archive cannot be read.
pub fn context(archive: &mut impl Archive) -> Result<Arc<Context>, ArchiveError> {
    let newest = archive.snapshot(&Owner::Keeper)?.and_then(|saved| load_keeper(&saved).ok());
    Ok(newest.map(|keeper| Arc::clone(keeper.context())).unwrap_or_default())
}

/// Shows a keeper that has seen so much what the table has behind it.
///
/// # Errors
/// The archive cannot be read.
pub fn teach(
    archive: &mut impl Archive,
    keeper: &mut Keeper,
    seen: &mut Progress,
) -> Result<(), ArchiveError> {
    teach_up_to(archive, keeper, seen, EventTime::from_micros(i64::MAX))
}

fn teach_up_to(
    archive: &mut impl Archive,
    keeper: &mut Keeper,
    seen: &mut Progress,
    last: EventTime,
) -> Result<(), ArchiveError> {
    let mut gathering = Gathering::default();
    let (mut next, mut tick, mut listened) = (seen.clone(), None, None);
    archive.replay_shared(seen, &mut |row| match row {
        SharedRow::Event(archived) => {
            let Position { partition, offset, .. } = &archived.position;
            if next.next(partition).is_none_or(|next| next <= *offset) {
                next.assign(partition.clone(), offset.next());
            }
            if !archived.producer_duplicate && archived.event.time <= last {
                gathering.add(&archived.event, &archived.position);
            }
        }
        SharedRow::Tick(time) if time <= last => tick = tick.max(Some(time)),
        SharedRow::Listened(time) if time <= last => listened = listened.max(Some(time)),
        SharedRow::Tick(_) | SharedRow::Listened(_) => {}
    })?;
    // The next snapshot knows them, also those of partitions that are not ours again yet.
    *seen = next;
    let news = gathering.into_news();
    keeper.observe_all(news.changes, news.reads);
    if let Some(tick) = tick {
        keeper.repeat_tick(tick);
    }
    if let Some(listened) = listened {
        keeper.listen(listened);
    }
    // What was said of figures was said before the commit that the table has.
    keeper.settle();
    keeper.say_figures();
    Ok(())
}

/// What the reads before the first record have taught, as `dataward warmup` has left it; `None` where nobody took lessons.
///
/// # Errors
/// The archive cannot be read.
pub fn lessons(archive: &mut impl Archive) -> Result<Option<PartitionState>, ArchiveError> {
    let snapshot = archive.snapshot(&Owner::Lessons)?;
    let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.segments.is_empty()) else {
        return Ok(None);
    };
    match load_partition(&snapshot) {
        Ok(lessons) => Ok(Some(lessons)),
        Err(error) => {
            tracing::error!(%error, "what was learned before the first record is unusable");
            Ok(None)
        }
    }
}

/// The state with which a partition begins: it knows the [`lessons`], where there are any.
///
/// # Errors
/// The archive cannot be read.
pub fn first_state(archive: &mut impl Archive) -> Result<PartitionState, ArchiveError> {
    let mut state = PartitionState::default();
    begin(archive, &mut state)?;
    Ok(state)
}

fn begin(archive: &mut impl Archive, state: &mut PartitionState) -> Result<(), ArchiveError> {
    if let Some(lessons) = lessons(archive)? {
        state.begin_with(lessons);
    }
    Ok(())
}

/// A partition's state at `next`: its newest snapshot, and the rows after it, judged by `context`. A partition that knows of
/// no read begins with the [`lessons`]. `None`: there is no usable snapshot.
///
/// # Errors
/// The archive cannot be read.
pub fn partition(
    archive: &mut impl Archive,
    partition: &Partition,
    next: Offset,
    context: &Context,
) -> Result<Option<PartitionState>, ArchiveError> {
    let Some(snapshot) = archive.snapshot(&Owner::Partition(partition.clone()))? else {
        return Ok(None);
    };
    let mut state = match load_partition(&snapshot) {
        Ok(state) => state,
        Err(error) => {
            tracing::error!(%error, %partition, "the snapshot is unusable: starting cold");
            return Ok(None);
        }
    };
    if state.knows_no_reads() {
        begin(archive, &mut state)?;
    }
    let from = snapshot.at.next(partition).unwrap_or(Offset(0));
    if from < next {
        archive.replay(partition, from, &mut |row| match row {
            Replayed::Event(archived) => {
                state.observe(&archived.event, &archived.position, context);
            }
            Replayed::Quarantine { position, reason } => {
                state.observe_reject(reason, &position, EventTime::MIN);
            }
        })?;
    }
    state.mark_all_dirty();
    Ok(Some(state))
}

fn load_keeper(snapshot: &Snapshot) -> Result<Keeper, StateError> {
    if snapshot.segments.is_empty() {
        // The snapshot that a first claim makes: there was nothing yet, in no format.
        return Ok(Keeper::new());
    }
    Keeper::load(snapshot.format, snapshot.segments.iter().map(|s| (s.index, s.bytes.as_slice())))
}

fn load_partition(snapshot: &Snapshot) -> Result<PartitionState, StateError> {
    if snapshot.segments.is_empty() {
        return Ok(PartitionState::default());
    }
    PartitionState::load(
        snapshot.format,
        snapshot.segments.iter().map(|s| (s.index, s.bytes.as_slice())),
    )
}
