//! Whether scores mean what they say: a score of `-ln p` is to be passed on a share `p` of the days of actors.

use serde::{Deserialize, Serialize};

use crate::reads::evidence::{CHANNELS, Channel};

/// The shares that are looked at, and the scores that stand for them.
pub const SHARES: [f64; 3] = [1e-2, 1e-3, 1e-4];

/// How many days of actors were judged, and how many of them said to be rarer than the [`SHARES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    days: [u64; CHANNELS],
    rarer: [[u64; SHARES.len()]; CHANNELS],
}

impl Calibration {
    /// Takes a day of an actor in, with the score of a channel, in nats.
    pub fn add(&mut self, channel: Channel, score: f64) {
        self.days[channel as usize] += 1;
        for (count, share) in self.rarer[channel as usize].iter_mut().zip(SHARES) {
            *count += u64::from(score >= -libm::log(share));
        }
    }

    /// For each channel that has a budget how many days were judged, and how many of them said to be rarer than each of the
    /// [`SHARES`].
    pub fn counts(&self) -> impl Iterator<Item = (Channel, u64, [u64; SHARES.len()])> + use<> {
        let (days, rarer) = (self.days, self.rarer);
        Channel::BUDGETED
            .into_iter()
            .map(move |channel| (channel, days[channel as usize], rarer[channel as usize]))
    }

    /// With what another partition has counted.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (place, rarer) in self.rarer.iter_mut().enumerate() {
            self.days[place] += other.days[place];
            rarer.iter_mut().zip(other.rarer[place]).for_each(|(count, more)| *count += more);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_counts_for_every_share_that_it_passes() {
        let mut calibration = Calibration::default();
        [1.0, 4.61, 7.0, 30.0].into_iter().for_each(|score| calibration.add(Channel::Acute, score));
        let both = calibration.with(&calibration);
        let mut counts = both.counts();
        assert_eq!(counts.next(), Some((Channel::Acute, 8, [6, 4, 2])));
        assert_eq!(counts.next(), Some((Channel::Drift, 0, [0; 3])));
    }
}
