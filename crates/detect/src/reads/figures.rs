//! How the figures of a read are written.

use crate::phrases::grouped;
use crate::reads::metric::Metric;

/// A score as people count: how many ordinary days of an actor pass until one is as unusual.
pub(super) fn rarity(nats: f64) -> String {
    let days = libm::exp(nats);
    let rounded = |days: f64| {
        let step = libm::pow(10.0, libm::floor(libm::log10(days)) - 1.0).max(1.0);
        grouped(((days / step).round() * step) as u64)
    };
    let often = match days {
        ..1e6 => rounded(days),
        1e6..1e9 => format!("{} million", rounded(days / 1e6)),
        1e9..1e12 => format!("{} billion", rounded(days / 1e9)),
        _ => "more than a trillion".to_owned(),
    };
    format!("That is about one actor-day in {often}.")
}

/// `35 times`, `2.4 times`.
pub(super) fn times(observed: f64, usual: f64) -> String {
    let ratio = observed / usual.max(1.0);
    if ratio < 10.0 {
        format!("{ratio:.1} times")
    } else {
        format!("{} times", grouped(ratio as u64))
    }
}

/// `3rd`.
pub(super) fn ordinal(number: u64) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// `12.3 GiB`, `48,210 rows`.
pub(super) fn count(metric: Metric, count: u64, unit: &str) -> String {
    match metric {
        Metric::Bytes => binary(count),
        Metric::Rows | Metric::Objects => {
            let unit = if count == 1 { unit.trim_end_matches('s') } else { unit };
            format!("{} {unit}", grouped(count))
        }
    }
}

/// `12.3 GiB`.
fn binary(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let (mut amount, mut unit) = (bytes as f64 / 1024.0, 0);
    while amount >= 1024.0 && unit + 1 < units.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(binary(10 * 1024 * 1024), "10.0 MiB");
        assert_eq!(binary(12), "12 bytes");
        assert_eq!(times(70.0, 20.0), "3.5 times");
        assert_eq!(times(70_000.0, 2.0), "35,000 times");
        assert_eq!(rarity(6.908), "That is about one actor-day in 1,000.");
        assert_eq!(rarity(14.7), "That is about one actor-day in 2 million.");
        assert_eq!(rarity(300.0), "That is about one actor-day in more than a trillion.");
        assert_eq!(
            [1, 2, 3, 4, 11, 22, 113].map(ordinal),
            ["1st", "2nd", "3rd", "4th", "11th", "22nd", "113th"]
        );
    }
}
