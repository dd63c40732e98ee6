//! A set of offsets that takes little memory where they lie side by side.

use std::collections::BTreeMap;

/// Disjoint half-open ranges that do not touch, by their start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IntervalSet(BTreeMap<i64, i64>);

impl IntervalSet {
    /// Adds one offset; `false` if it was there.
    pub(crate) fn insert(&mut self, offset: i64) -> bool {
        if self.contains(offset) {
            return false;
        }
        self.insert_range(offset, offset.saturating_add(1));
        true
    }

    /// Adds `[from, to)`, whatever of it was there.
    pub(crate) fn insert_range(&mut self, from: i64, to: i64) {
        if from >= to {
            return;
        }
        let (mut from, mut to) = (from, to);
        if let Some((start, end)) = self.0.range(..=from).next_back()
            && *end >= from
        {
            from = *start;
            to = to.max(*end);
        }
        let swallowed: Vec<i64> = self.0.range(from..=to).map(|(start, _)| *start).collect();
        for start in swallowed {
            if let Some(end) = self.0.remove(&start) {
                to = to.max(end);
            }
        }
        self.0.insert(from, to);
    }

    pub(crate) fn contains(&self, offset: i64) -> bool {
        self.0.range(..=offset).next_back().is_some_and(|(_, end)| offset < *end)
    }

    /// The ranges in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().map(|(from, to)| (*from, *to))
    }

    /// What of `[from, to)` is not in the set.
    pub(crate) fn missing(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let mut missing = Vec::new();
        let mut at = from;
        let first = self.0.range(..=from).next_back().map_or(from, |(start, _)| *start);
        for (start, end) in self.0.range(first..to.max(first)) {
            if *start > at {
                missing.push((at, (*start).min(to)));
            }
            at = at.max(*end);
        }
        if at < to {
            missing.push((at, to));
        }
        missing
    }

    /// How many offsets.
    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(|(from, to)| to.abs_diff(*from)).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(ranges in prop::collection::vec((0_i64..60, 0_i64..8), 0..30)) {
            let mut intervals = IntervalSet::default();
            let mut plain = BTreeSet::new();
            for (from, length) in ranges {
                if length == 1 {
                    prop_assert_eq!(intervals.insert(from), plain.insert(from));
                } else {
                    intervals.insert_range(from, from + length);
                    plain.extend(from..from + length);
                }
            }
            prop_assert_eq!(intervals.len(), plain.len() as u64);
            let listed: Vec<i64> = intervals.iter().flat_map(|(from, to)| from..to).collect();
            prop_assert_eq!(listed, plain.iter().copied().collect::<Vec<_>>());
            let missing: Vec<i64> =
                intervals.missing(5, 50).into_iter().flat_map(|(from, to)| from..to).collect();
            prop_assert_eq!(missing, (5..50).filter(|o| !plain.contains(o)).collect::<Vec<_>>());
        }
    }
}
