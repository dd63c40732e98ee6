//! The far tail of Student's distribution, as information.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::beta::ln_beta;

/// The smallest probability that is taken from the library. It is far from the smallest number that `f64` has.
const PROBABILITY_MIN: f64 = 1e-280;

/// The negative natural logarithm of the probability that a Student variable with `freedom` degrees of freedom is
/// greater than `t`, in nats. At and below the median it is `ln 2` or less.
///
/// The upper tail is asked for as such: `1 - cdf` is zero from 37 nats on. Where even the tail leaves the range of
/// `f64`, it is the series of the regularised incomplete beta function at `x = v / (v + t²)`, which is close to 0 there
/// (NIST DLMF 8.17.8 and 26.5.27 of Abramowitz and Stegun):
///
/// `Q(t) = ½ I_x(a, ½)`, `I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) · Σ x^n Π (a + b + i) / (a + 1 + i)`, `a = v / 2`.
pub fn tail_nats(t: f64, freedom: f64) -> f64 {
    let Some(student) = student(freedom) else { return 0.0 };
    let probability = student.sf(t);
    if probability > PROBABILITY_MIN {
        return -probability.ln();
    }
    let (a, b) = (freedom / 2.0, 0.5);
    // x = v / (v + t²), without squaring what may be too large for it.
    let ln_x = -2.0 * t.ln() - (freedom / t / t).ln_1p() + freedom.ln();
    let x = ln_x.exp();
    let (mut term, mut sum, mut n) = (1.0, 1.0, 0.0);
    while term > sum * f64::EPSILON {
        term *= x * (a + b + n) / (a + 1.0 + n);
        sum += term;
        n += 1.0;
    }
    std::f64::consts::LN_2 - a * ln_x - b * (-x).ln_1p() + a.ln() + ln_beta(a, b) - sum.ln()
}

/// What a Student variable with `freedom` degrees of freedom stays below with the given probability.
pub fn quantile(probability: f64, freedom: f64) -> f64 {
    student(freedom).map_or(0.0, |student| student.inverse_cdf(probability))
}

fn student(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}
