//! What is counted of reads, and on which scale it is judged.

use serde::{Deserialize, Serialize};

/// A figure that sources report of reads. Which ones they report differs, and what is missing stays unknown (I6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// Rows, documents or records returned.
    Rows,
    /// Bytes that left the datastore.
    Bytes,
    /// Objects read. One that is read twice counts twice.
    Objects,
}

/// How many metrics there are.
pub const METRICS: usize = 3;

impl Metric {
    /// All metrics, in the order of [`Metric::index`].
    pub const ALL: [Self; METRICS] = [Self::Rows, Self::Bytes, Self::Objects];

    /// Its place in lists of one entry a metric.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The unit in alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Objects => "objects",
        }
    }

    /// The count below which a window is never unusual, whatever was learned. An actor that reads next to nothing has
    /// a spread next to nothing, and a thousandfold of it is still no bulk: a page of a result, a log file, a prefix
    /// of a bucket.
    pub const fn floor(self) -> u64 {
        match self {
            Self::Rows => 1_000,
            Self::Bytes => 10 * 1024 * 1024,
            Self::Objects => 100,
        }
    }

    /// The count on the scale on which volumes are learned: `ln(rows + 20)`, `ln(KiB + 20)`, `ln(objects + 3)`.
    ///
    /// Volumes of reads are spread over decades, so what is normal is a factor, not a difference. The constant keeps
    /// the lowest counts together: whether somebody read 1 row or 5 tells nothing. The logarithm is that of `libm`:
    /// the system's differs in its last bit between machines, and with it the bytes of state would.
    pub fn level(self, count: u64) -> f64 {
        libm::log(count as f64 / self.unit() + self.offset())
    }

    /// The count at a level; the inverse of [`Metric::level`], rounded.
    pub fn count(self, level: f64) -> u64 {
        // `as` saturates at both ends.
        ((libm::exp(level) - self.offset()) * self.unit()).round() as u64
    }

    const fn unit(self) -> f64 {
        match self {
            Self::Bytes => 1024.0,
            Self::Rows | Self::Objects => 1.0,
        }
    }

    const fn offset(self) -> f64 {
        match self {
            Self::Rows | Self::Bytes => 20.0,
            Self::Objects => 3.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_gives_its_count_back() {
        for metric in Metric::ALL {
            assert_eq!(Metric::ALL[metric.index()], metric);
            for count in [0, 1024, 1_048_576, 5_000_000_000] {
                let back = metric.count(metric.level(count));
                assert!(back.abs_diff(count) <= count / 1_000_000, "{metric:?} {count} {back}");
            }
            assert_eq!(metric.count(-5.0), 0);
            assert_eq!(metric.count(1e6), u64::MAX);
        }
    }
}
