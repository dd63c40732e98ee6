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
            Self::Bytes => 1024 * 1024,
            Self::Objects => 100,
        }
    }

    /// The same in units of volume.
    pub const fn floor_units(self) -> f64 {
        self.floor() as f64 / self.unit()
    }

    /// How many make a unit of volume: rows and objects count as they are, bytes as KiB.
    pub const fn unit(self) -> f64 {
        match self {
            Self::Bytes => 1024.0,
            Self::Rows | Self::Objects => 1.0,
        }
    }
}

/// A volume on the scale on which it is learned, `ln(units + 20)`.
///
/// Volumes of reads are spread over decades, so what is normal is a factor, not a difference. The constant keeps the lowest
/// together: whether somebody read 1 row or 5 tells nothing. The logarithm is that of `libm`: the system's differs in its
/// last bit between machines, and with it the bytes of state would.
pub fn level(units: f64) -> f64 {
    libm::log(units + 20.0)
}

/// The volume at a level; the inverse of [`level`], at least 0.
pub fn units(level: f64) -> f64 {
    (libm::exp(level) - 20.0).max(0.0)
}

/// A number of objects on the scale on which it is learned, `ln(count + 3)`.
pub fn object_level(count: f64) -> f64 {
    libm::log(count + 3.0)
}

/// The number of objects at a level; the inverse of [`object_level`], at least 0.
pub fn objects(level: f64) -> f64 {
    (libm::exp(level) - 3.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_gives_its_count_back() {
        for count in [0.0, 1.0, 1_048_576.0, 5e9] {
            assert!((units(level(count)) - count).abs() <= 1e-6 * count.max(1.0));
            assert!((objects(object_level(count)) - count).abs() <= 1e-6 * count.max(1.0));
        }
        assert_eq!((units(-5.0), objects(-5.0)), (0.0, 0.0));
    }

    #[test]
    fn metrics_have_their_places() {
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.index(), place);
        }
        assert_eq!(Metric::Bytes.floor_units(), 1_024.0);
    }
}
