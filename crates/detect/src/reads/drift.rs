//! Slow growth: a drip or a ramp that no single day shows.

use serde::{Deserialize, Serialize};

/// How many active days are kept.
const DAYS_MAX: usize = 40;
/// How many of the newest are judged: some days show what is much, two weeks show what is little.
const RECENT: [usize; 3] = [4, 8, 12];
/// How many before them they are compared with. It lags, so a drip does not hide in its own baseline.
const REFERENCE: usize = 28;
/// From so much on, 1.6 times, growth counts in full; less is worth less attention, however steady the days were. (With twice
/// as much fewer drips are found: beside them stand releases, which grow by two or three times.)
const FULL_GROWTH: f64 = 0.5;
/// With fewer of those there is nothing to compare with.
const REFERENCE_MIN: usize = 12;

/// The levels of an actor's last active days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    levels: Vec<f32>,
}

/// How far the last days stand out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The statistic: about how many standard deviations the last days lie above those before, four of them.
    pub statistic: f64,
    /// How many last days stand out the most.
    pub days: usize,
    /// The usual level.
    pub usual: f64,
    /// The mean level of the last days.
    pub recent: f64,
}

impl Drift {
    /// Takes the level of a day in.
    pub fn teach(&mut self, level: f64) {
        if self.levels.len() >= DAYS_MAX {
            self.levels.remove(0);
        }
        self.levels.push(level as f32);
    }

    /// The levels, oldest first.
    pub fn levels(&self) -> &[f32] {
        &self.levels
    }

    /// How far the last days stand out; `None` where too few are known.
    pub fn growth(&self) -> Option<Growth> {
        let growths = RECENT.into_iter().filter_map(|recent| self.growth_of(recent));
        growths.reduce(|best, next| if next.statistic > best.statistic { next } else { best })
    }

    /// How far so many last days stand out.
    ///
    /// A day that alone is high counts no more than 0.7 above the median of the last: that is for the windows to say. Days
    /// that were high before are pulled in to two e-folds, so one dump does not widen what is usual. The mean of more days is
    /// steadier, so the same growth means more.
    fn growth_of(&self, count: usize) -> Option<Growth> {
        let (before, recent) =
            self.levels.split_at_checked(self.levels.len().checked_sub(count)?)?;
        if before.len() < REFERENCE_MIN {
            return None;
        }
        let reference = &before[before.len().saturating_sub(REFERENCE)..];
        let usual = median(reference);
        let squares = reference.iter().map(|level| {
            let difference = (f64::from(*level) - usual).clamp(-2.0, 2.0);
            difference * difference
        });
        let spread = libm::sqrt(squares.sum::<f64>() / reference.len() as f64 + 0.02);
        let middle = median(recent) - usual;
        let excess = |level: &f32| f64::from(*level) - usual;
        let mean = recent.iter().map(excess).sum::<f64>() / count as f64;
        let pulled = recent.iter().map(|level| excess(level).min(middle + 0.7)).sum::<f64>();
        let steadier = libm::sqrt(count as f64 / RECENT[0] as f64);
        let statistic =
            pulled / count as f64 / spread * (mean / FULL_GROWTH).clamp(0.0, 1.0) * steadier;
        Some(Growth { statistic: statistic.max(0.0), days: count, usual, recent: usual + mean })
    }
}

/// The median of levels; 0 of none.
pub(super) fn median(levels: &[f32]) -> f64 {
    let mut sorted = levels.to_vec();
    sorted.sort_by(f32::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => f64::from(sorted[middle]),
        _ => (f64::from(sorted[middle - 1]) + f64::from(sorted[middle])) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(levels: &[f64]) -> Drift {
        let mut drift = Drift::default();
        levels.iter().for_each(|level| drift.teach(*level));
        drift
    }

    fn wavy(count: usize) -> Vec<f64> {
        (0..count).map(|day| 8.0 + 0.3 * (day as f64 * 1.7).sin()).collect()
    }

    #[test]
    fn three_times_as_much_for_four_days_stands_out_and_one_day_does_not() {
        let statistic = |extra: &[f64]| {
            let mut levels = wavy(28);
            let last = levels.len();
            levels.extend(extra.iter().zip(wavy(last + 8).split_off(last)).map(|(e, w)| w + e));
            days(&levels).growth().unwrap().statistic
        };
        let tripled = 3.0_f64.ln();
        let (quiet, drip, peak) =
            (statistic(&[0.0; 4]), statistic(&[tripled; 4]), statistic(&[0.0, 0.0, 0.0, 5.0]));
        assert!(quiet < 0.5 && drip > 3.0 && peak < 1.5, "{quiet} {drip} {peak}");
    }

    #[test]
    fn a_ramp_outruns_its_own_past() {
        let ramp: Vec<f64> = (0..24).map(|day| 8.0 + 0.1 * f64::from((day - 10).max(0))).collect();
        assert!(days(&ramp).growth().unwrap().statistic > 1.5);
    }

    #[test]
    fn few_days_say_nothing_and_many_are_forgotten() {
        assert_eq!(days(&wavy(15)).growth(), None);
        assert_eq!(days(&wavy(100)).levels().len(), DAYS_MAX);
    }
}
