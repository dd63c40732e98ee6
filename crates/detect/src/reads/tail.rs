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

#[cfg(test)]
mod tests {
    use super::*;

    /// `(t, freedom, nats)`, from mpmath 1.3 with 60 digits: `-log(betainc(v/2, 1/2, 0, v/(v+t²), regularized=True)/2)`.
    const REFERENCE: [(f64, f64, f64); 52] = [
        (0.5, 4.0, 1.134244704902),
        (2.0, 4.0, 2.846308259545),
        (3.5, 4.0, 4.386188745845),
        (5.0, 4.0, 5.587275735617),
        (10.0, 4.0, 8.177149442537),
        (30.0, 4.0, 12.51356891606),
        (200.0, 4.0, 20.09482383621),
        (5000.0, 4.0, 32.97016074366),
        (1e6, 4.0, 54.1634299432),
        (1e9, 4.0, 81.79445105912),
        (1e20, 4.0, 183.1081951509),
        (0.5, 7.0, 1.151369070764),
        (2.0, 7.0, 3.150991400914),
        (3.5, 7.0, 5.299013520619),
        (5.0, 7.0, 7.152839045459),
        (10.0, 7.0, 11.44553774615),
        (30.0, 7.0, 18.94929117732),
        (200.0, 7.0, 32.20556966702),
        (5000.0, 7.0, 54.73715691443),
        (1e6, 7.0, 91.82537760918),
        (1e9, 7.0, 140.179664562),
        (1e20, 7.0, 317.4787167226),
        (0.5, 11.5, 1.160746410295),
        (2.0, 11.5, 3.35695730688),
        (3.5, 11.5, 6.062206420654),
        (5.0, 11.5, 8.645542594578),
        (10.0, 11.5, 15.17791259651),
        (30.0, 11.5, 27.2997014411),
        (200.0, 11.5, 49.05050874326),
        (5000.0, 11.5, 86.06605272491),
        (1e6, 11.5, 146.9966999912),
        (1e9, 11.5, 226.4358856994),
        (1e20, 11.5, 517.7128999632),
        (0.5, 24.0, 1.168559454487),
        (2.0, 24.0, 3.558907013161),
        (3.5, 24.0, 6.989852737435),
        (5.0, 24.0, 10.78131353967),
        (10.0, 24.0, 22.12659943939),
        (30.0, 24.0, 46.31414259549),
        (200.0, 24.0, 91.54827094672),
        (5000.0, 24.0, 168.7943808139),
        (1e6, 24.0, 295.9539865345),
        (1e9, 24.0, 461.7401132297),
        (0.5, 44.0, 1.171882276888),
        (2.0, 44.0, 3.655510384589),
        (3.5, 44.0, 7.525237575985),
        (5.0, 44.0, 12.2425412684),
        (10.0, 44.0, 28.72747051394),
        (30.0, 44.0, 70.2445128191),
        (200.0, 44.0, 152.7141677751),
        (5000.0, 44.0, 294.3210810339),
        (1e6, 44.0, 527.4470072847),
    ];

    #[test]
    fn it_is_exact_from_the_middle_to_far_beyond_300_nats() {
        for (t, freedom, expected) in REFERENCE {
            let found = tail_nats(t, freedom);
            let error = (found - expected).abs() / expected;
            assert!(error < 1e-11, "t {t}, freedom {freedom}: {found}, not {expected}");
        }
    }

    #[test]
    fn it_goes_on_where_a_probability_has_no_number() {
        // -log(betainc(22, 1/2, 0, 44/(44+t²))/2) at t = 1e9 and 1e12.
        let [first, second] = [1e9, 1e12].map(|t| tail_nats(t, 44.0));
        assert!((first / 831.388239559 - 1.0).abs() < 1e-12, "{first}");
        assert!((second / 1135.329471834 - 1.0).abs() < 1e-12, "{second}");
    }

    #[test]
    fn it_grows_across_the_border_between_library_and_series() {
        let mut before = 0.0;
        for step in 0..400 {
            let nats = tail_nats(1.1_f64.powi(step), 30.0);
            assert!(nats > before, "{step}: {nats} after {before}");
            before = nats;
        }
    }

    #[test]
    fn a_quantile_is_the_inverse() {
        for freedom in [4.0, 11.5, 44.0] {
            let nats = tail_nats(quantile(0.999, freedom), freedom);
            assert!((nats - 1000.0_f64.ln()).abs() < 1e-9, "{freedom}: {nats}");
        }
    }
}
