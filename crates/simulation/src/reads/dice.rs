//! Chance from a seed. The functions are those of `libm`: the same bytes on every machine.

use fastrand::Rng;

/// Draws numbers.
#[derive(Debug)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// The dice of one stream of a seed. What one stream draws moves no other.
    pub(crate) fn new(seed: u64, stream: &str, number: usize) -> Self {
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        for byte in stream.bytes().chain((number as u64).to_le_bytes()) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
        Self(Rng::with_seed(state))
    }

    /// From 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.f64()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// From 0 to below `end`; 0 if there is nothing below it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end.max(1))
    }

    pub(crate) fn within(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.f64()
    }

    /// Evenly on a logarithmic scale.
    pub(crate) fn magnitude(&mut self, from: f64, to: f64) -> f64 {
        libm::exp(self.within(libm::log(from), libm::log(to)))
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.0.f64()));
        radius * libm::cos(std::f64::consts::TAU * self.0.f64())
    }

    /// Log-normal, by its median and the standard deviation of its logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * libm::exp(spread * self.normal())
    }

    /// How often something happens that happens so often on average.
    pub(crate) fn count(&mut self, mean: f64) -> usize {
        if mean > 30.0 {
            return (mean + libm::sqrt(mean) * self.normal()).round().max(0.0) as usize;
        }
        let (limit, mut product, mut count) = (libm::exp(-mean), self.0.f64(), 0);
        while product > limit {
            product *= self.0.f64();
            count += 1;
        }
        count
    }

    /// An index below `end`, the first far more often than the last (Zipf's law with exponent 1).
    pub(crate) fn ranked(&mut self, end: usize) -> usize {
        let drawn = libm::exp(self.0.f64() * libm::log(end as f64 + 1.0)) - 1.0;
        (drawn as usize).min(end.saturating_sub(1))
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        self.pick_ref(from).copied()
    }

    pub(crate) fn pick_ref<'f, T>(&mut self, from: &'f [T]) -> Option<&'f T> {
        from.get(self.below(from.len()))
    }

    /// So many different ones, in any order; all, if there are not more.
    pub(crate) fn sample<T: Copy>(&mut self, from: &[T], count: usize) -> Vec<T> {
        let mut drawn = from.to_vec();
        self.0.shuffle(&mut drawn);
        drawn.truncate(count);
        drawn
    }
}
