//! Where a record stands in Kafka (or in a file), and how far we have come.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One partition of one incarnation of a topic.
///
/// A file is a partition too: its topic is `file/<sha256 of the decompressed bytes>`, its number 0, and its offsets
/// are byte offsets in the decompressed bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition {
    /// The topic.
    pub topic: Arc<str>,
    /// Raised by an operator when a topic of the same name was deleted and created again.
    pub incarnation: u32,
    /// Kafka's partition number.
    pub number: i32,
}

impl Partition {
    /// The prefix of the topic of a file.
    pub const FILE_PREFIX: &'static str = "file/";

    /// A partition of the first incarnation of a topic.
    pub fn new(topic: impl Into<Arc<str>>, number: i32) -> Self {
        Self { topic: topic.into(), incarnation: 0, number }
    }

    /// The partition that stands for a file, by the SHA-256 of its decompressed bytes in hexadecimal.
    pub fn file(sha256: &str) -> Self {
        Self::new(format!("{}{sha256}", Self::FILE_PREFIX), 0)
    }

    /// Whether it stands for a file.
    pub fn is_file(&self) -> bool {
        self.topic.starts_with(Self::FILE_PREFIX)
    }

    /// `<topic>/<incarnation>/<partition>`, the form in app ids and paths.
    pub fn path(&self) -> String {
        // Every derived uid holds it: not worth a formatter.
        [&*self.topic, &self.incarnation.to_string(), &self.number.to_string()].join("/")
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_file() {
            return f.write_str(&self.topic);
        }
        write!(f, "{}[{}]", self.topic, self.number)?;
        if self.incarnation > 0 {
            write!(f, " incarnation {}", self.incarnation)?;
        }
        Ok(())
    }
}

/// The place of a record in its partition. As progress it is the *next* offset to read, never the last one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub i64);

impl Offset {
    /// The offset after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of one event: a record, and the index of the event in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The offset of the record.
    pub offset: Offset,
    /// The index of the event in its record, from 0.
    pub record_index: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}.{}", self.partition, self.offset, self.record_index)
    }
}

/// A range `[from, to)` of offsets of one partition, `from <= to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    from: Offset,
    to: Offset,
}

impl Span {
    /// The range `[from, to)`; `None` if it would run backwards.
    pub fn new(from: Offset, to: Offset) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// The first offset in it.
    pub const fn from(self) -> Offset {
        self.from
    }

    /// The first offset after it.
    pub const fn to(self) -> Offset {
        self.to
    }

    /// How many offsets it holds.
    pub const fn len(self) -> u64 {
        self.to.0.abs_diff(self.from.0)
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.from.0 == self.to.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

/// How far each owned partition has come: the next offset to read.
///
/// | advance to | result |
/// |---|---|
/// | beyond the current offset | taken; a hole is the caller's to account for |
/// | the current offset | taken, nothing changes |
/// | before the current offset | refused, nothing changes |
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress(BTreeMap<Partition, Offset>);

/// A step backwards that [`Progress::advance`] refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepBack {
    /// Where the partition stands.
    pub current: Offset,
    /// Where it was to be moved.
    pub refused: Offset,
}

impl fmt::Display for StepBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "progress stands at offset {} and cannot go back to {}",
            self.current, self.refused
        )
    }
}

impl std::error::Error for StepBack {}

impl Progress {
    /// No partition.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts, or restarts, a partition at an offset.
    pub fn assign(&mut self, partition: Partition, next: Offset) {
        self.0.insert(partition, next);
    }

    /// Gives a partition up.
    pub fn release(&mut self, partition: &Partition) -> Option<Offset> {
        self.0.remove(partition)
    }

    /// Moves a partition forward. A partition that is not there yet starts at `next`.
    ///
    /// # Errors
    /// [`StepBack`] if `next` lies before the current offset; nothing changes then.
    pub fn advance(&mut self, partition: &Partition, next: Offset) -> Result<(), StepBack> {
        match self.0.get_mut(partition) {
            Some(current) if next < *current => Err(StepBack { current: *current, refused: next }),
            Some(current) => {
                *current = next;
                Ok(())
            }
            None => {
                self.0.insert(partition.clone(), next);
                Ok(())
            }
        }
    }

    /// The next offset of a partition, if it is owned.
    pub fn next(&self, partition: &Partition) -> Option<Offset> {
        self.0.get(partition).copied()
    }

    /// All partitions in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Partition, Offset)> {
        self.0.iter().map(|(partition, offset)| (partition, *offset))
    }

    /// How many partitions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Partition, Offset)> for Progress {
    fn from_iter<I: IntoIterator<Item = (Partition, Offset)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn progress_never_goes_back(steps in prop::collection::vec(0_i64..1000, 0..50)) {
            let partition = Partition::new("events", 3);
            let mut progress = Progress::new();
            let mut highest = None;
            for step in steps {
                let result = progress.advance(&partition, Offset(step));
                prop_assert_eq!(result.is_ok(), highest.is_none_or(|high| step >= high));
                highest = Some(highest.map_or(step, |high: i64| high.max(step)));
                prop_assert_eq!(progress.next(&partition), highest.map(Offset));
            }
        }

        #[test]
        fn a_span_never_runs_backwards(from in any::<i64>(), to in any::<i64>()) {
            prop_assert_eq!(Span::new(Offset(from), Offset(to)).is_some(), from <= to);
        }
    }
}
