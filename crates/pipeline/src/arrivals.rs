//! When records were appended to their topics: what is needed to say how long they took to become durable.
//!
//! Records come in order of their timestamps, nearly; so a run of records of one tenth of a second is one entry, and a
//! record costs a comparison and an addition.

use dataward_event::time::{IngestTime, KafkaTime};

use crate::histogram::Histogram;

/// How finely the time of a record is kept, in microseconds.
const STEP_MICROS: i64 = 100_000;

/// Records by the time at which they were appended.
#[derive(Debug, Default, Clone)]
pub struct Arrivals {
    runs: Vec<(i64, u64)>,
}

impl Arrivals {
    /// Counts a record.
    pub fn add(&mut self, appended: KafkaTime) {
        let step = appended.micros().div_euclid(STEP_MICROS);
        match self.runs.last_mut() {
            Some((last, count)) if *last == step => *count += 1,
            _ => self.runs.push((step, 1)),
        }
    }

    /// Adds others.
    pub fn append(&mut self, mut others: Self) {
        self.runs.append(&mut others.runs);
    }

    /// All of them are durable since `now`. A time in the future counts as no time.
    pub fn observe(&self, now: IngestTime, histogram: &mut Histogram) {
        for (step, count) in &self.runs {
            let micros = now.micros().saturating_sub(step.saturating_mul(STEP_MICROS)).max(0);
            histogram.add(micros as f64 / 1e6, *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::LONG_SECONDS;

    #[test]
    fn a_run_is_one_entry_and_each_record_counts() {
        let mut arrivals = Arrivals::default();
        for millis in [1_000, 1_010, 1_099, 1_100, 60_000] {
            arrivals.add(KafkaTime::from_millis(millis));
        }
        assert_eq!(arrivals.runs.len(), 3);
        let mut histogram = Histogram::new(LONG_SECONDS);
        arrivals.observe(IngestTime::from_millis(2_000), &mut histogram);
        assert_eq!(histogram.count(), 5);
        // Three a second ago, one a little less, one from the future.
        assert!((histogram.sum() - 3.9).abs() < 1e-9, "{}", histogram.sum());
    }
}
