//! The files that may hold what came after a progress, found from the newest commit backwards.
//!
//! A file holds rows of many partitions, so its smallest and largest offset decide little. Its commit decides: the rows
//! of a commit lie before the progress that it names. So once every partition has been seen to stand at or before the
//! progress that is asked for, no older commit can hold anything; and nobody pays for the age of the archive.

use std::collections::BTreeSet;

use dataward_event::finding::Owner;
use dataward_event::position::{Offset, Partition, Progress};
use dataward_pipeline::archive::ArchiveError;
use object_store::ObjectStore;

use crate::app_id::{AppIds, Meaning};
use crate::commit_log::{Commit, LiveFile, live_files, read_commit};
use crate::data_reader::may_hold;
use crate::row_kind::RowKind;

/// What is asked for.
pub(crate) struct Since<'a> {
    /// The newest version of the table.
    pub(crate) version: u64,
    /// Where its partitions stand.
    pub(crate) newest: &'a Progress,
    /// What came before this is not wanted; a partition that is not in it is wanted from its beginning.
    pub(crate) from: &'a Progress,
    /// The app ids of the archive.
    pub(crate) ids: &'a AppIds,
}

/// How far the way back has come.
struct Walk<'a> {
    since: &'a Since<'a>,
    /// Partitions of which older commits may hold rows that are wanted.
    behind: BTreeSet<Partition>,
    /// The table had not come to `from` yet: what the clock did then is known already.
    is_before: bool,
    /// Files that are found or that a newer commit removed.
    passed: BTreeSet<String>,
    found: Vec<(RowKind, LiveFile)>,
}

/// The files of events at or after the progress, and the files of operators' deeds since the table came to it.
pub(crate) async fn files_since(
    store: &dyn ObjectStore,
    since: &Since<'_>,
) -> Result<Vec<(RowKind, LiveFile)>, ArchiveError> {
    let is_behind = |(partition, next): (&Partition, Offset)| {
        (next > since.first(partition)).then(|| partition.clone())
    };
    let mut walk = Walk {
        since,
        behind: since.newest.iter().filter_map(is_behind).collect(),
        is_before: false,
        passed: BTreeSet::new(),
        found: Vec::new(),
    };
    for version in (0..=since.version).rev() {
        let Some(commit) = read_commit(store, version).await? else {
            // Cleaned away: which commit a file came with is forgotten, its statistics have to do.
            walk.take(live_files(store, since.version).await?.into_values());
            break;
        };
        if !walk.pass(commit) {
            break;
        }
    }
    Ok(walk.found)
}

impl Since<'_> {
    /// The first offset of a partition that is wanted.
    fn first(&self, partition: &Partition) -> Offset {
        self.from.next(partition).unwrap_or(Offset(i64::MIN))
    }
}

impl Walk<'_> {
    /// Takes what is wanted of a commit; whether an older one may hold more.
    fn pass(&mut self, commit: Commit) -> bool {
        let mut started = Vec::new();
        for (app_id, value) in &commit.transactions {
            match self.since.ids.parse(app_id) {
                Some(Meaning::Progress(Owner::Partition(partition))) => {
                    if Offset(*value) <= self.since.first(&partition) {
                        self.behind.remove(&partition);
                    }
                    let asked = self.since.from.next(&partition);
                    self.is_before |= asked.is_some_and(|asked| Offset(*value) < asked);
                }
                Some(Meaning::Start(Owner::Partition(partition))) => started.push(partition),
                _ => {}
            }
        }
        self.passed.extend(commit.removed);
        self.take(commit.added.into_iter());
        for partition in &started {
            self.behind.remove(partition);
        }
        !self.behind.is_empty() || !self.is_before
    }

    fn take(&mut self, files: impl Iterator<Item = LiveFile>) {
        for file in files {
            let Some(kind) = file.kind.as_deref().and_then(RowKind::parse) else { continue };
            let is_wanted = match kind {
                RowKind::Operator => !self.is_before,
                RowKind::Access | RowKind::ConfigChange => {
                    let mut behind = self.behind.iter();
                    behind.any(|partition| may_hold(&file, partition, self.since.first(partition)))
                }
                _ => false,
            };
            if is_wanted && self.passed.insert(file.path.clone()) {
                self.found.push((kind, file));
            }
        }
    }
}
