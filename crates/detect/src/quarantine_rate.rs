//! Too many records that cannot be read: a producer changed its format, or somebody hides in the noise.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How many of the last records are looked at.
const RECORDS: usize = 1_000;
/// How many bad ones among them are too many. The alert ends when they are fewer than half of it.
const BAD_MAX: usize = 100;

/// The last records of a partition, good or bad.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct QuarantineRate {
    bad: VecDeque<bool>,
    bad_count: usize,
    raised: bool,
}

impl QuarantineRate {
    /// Counts a part of a record. `true` at the moment when the rate becomes too high.
    pub fn count(&mut self, is_bad: bool) -> bool {
        self.bad.push_back(is_bad);
        self.bad_count += usize::from(is_bad);
        if self.bad.len() > RECORDS {
            self.bad_count -= usize::from(self.bad.pop_front().unwrap_or(false));
        }
        if self.raised {
            self.raised = self.bad_count * 2 >= BAD_MAX;
            return false;
        }
        self.raised = self.bad_count >= BAD_MAX;
        self.raised
    }

    /// How many of the last records were bad, and how many were looked at.
    pub fn share(&self) -> (usize, usize) {
        (self.bad_count, self.bad.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_raised_once_until_it_has_calmed_down() {
        let mut rate = QuarantineRate::default();
        let raised = (0..RECORDS).filter(|n| rate.count(n % 5 == 0)).count();
        assert_eq!(raised, 1);
        assert!((0..2 * RECORDS).all(|_| !rate.count(false)));
        assert_eq!((0..BAD_MAX).filter(|_| rate.count(true)).count(), 1);
    }
}
