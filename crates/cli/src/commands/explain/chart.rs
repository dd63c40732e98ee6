//! Charts of block characters, for a terminal.

use dataward_detect::phrases::grouped;
use dataward_detect::reads::metric::{level, units};

/// How high a chart is, in lines.
const LINES: usize = 6;
/// Eighths of a block.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Volumes differ by decades; yet what is alike must look alike: a scale spans three e-folds at least.
const SPAN_MIN: f64 = 3.0;

/// A logarithmic scale of volumes, from 0 at its foot to 1 at its top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

/// A volume with a name, to be shown beside bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark<'m> {
    pub(super) volume: f64,
    pub(super) name: &'m str,
}

impl Scale {
    /// A scale on which all these volumes have a place, the smallest a little above its foot.
    pub(super) fn of(volumes: impl IntoIterator<Item = f64>) -> Self {
        let levels: Vec<f64> = volumes.into_iter().map(|volume| level(volume.max(0.0))).collect();
        let high = levels.iter().copied().fold(level(0.0), f64::max);
        let low = levels.iter().copied().fold(high, f64::min);
        let span = (high - low).max(SPAN_MIN);
        Self { low: (high - 1.1 * span).max(level(0.0) - 0.1 * SPAN_MIN), high }
    }

    /// The place of a volume.
    pub(super) fn part(&self, volume: f64) -> f64 {
        let part = (level(volume.max(0.0)) - self.low) / (self.high - self.low);
        if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The volume at a place.
    fn volume(&self, part: f64) -> f64 {
        units(self.low + part * (self.high - self.low))
    }
}

/// Days as bars, oldest first, the open one apart at the right end; what is marked stands beside its line.
pub(super) fn history(days: &[f64], open: Option<f64>, marks: &[Mark<'_>]) -> Vec<String> {
    if days.is_empty() && open.is_none() {
        return Vec::new();
    }
    let marked = marks.iter().map(|mark| mark.volume);
    let scale = Scale::of(days.iter().copied().chain(open).chain(marked));
    let line_of = |volume: f64| ((scale.part(volume) * LINES as f64) as usize).min(LINES - 1);
    let line = |line: usize| {
        let cell = |volume: f64| bar(scale.part(volume) * LINES as f64 - line as f64);
        let top = written(scale.volume((line + 1) as f64 / LINES as f64));
        let bars: String = days.iter().map(|day| cell(*day)).collect();
        let open = open.map_or(String::new(), |open| format!(" {}", cell(open)));
        let beside: Vec<String> = marks
            .iter()
            .filter(|mark| line_of(mark.volume) == line)
            .map(|mark| format!("{}: {}", mark.name, written(mark.volume)))
            .collect();
        let beside =
            if beside.is_empty() { String::new() } else { format!(" ◂ {}", beside.join(", ")) };
        format!("{top:>9} │{bars}{open}{beside}").trim_end().to_owned()
    };
    (0..LINES).rev().map(line).collect()
}

/// Probabilities as a row of blocks; less than one in a hundred is a dot.
pub(super) fn row(probabilities: &[f64]) -> String {
    let of = |probability: &f64| match *probability {
        ..0.01 => '·',
        probability => EIGHTHS[((probability * 8.0).ceil() as usize).clamp(1, 8)],
    };
    probabilities.iter().map(of).collect()
}

fn bar(fill: f64) -> char {
    EIGHTHS[((fill.clamp(0.0, 1.0) * 8.0).round() as usize).min(8)]
}

/// A volume as people read it: `1,240`, `3.4M`.
pub(super) fn written(volume: f64) -> String {
    match volume.max(0.0) {
        volume if volume < 1e6 => grouped(volume.round() as u64),
        volume if volume < 1e9 => format!("{:.1}M", volume / 1e6),
        volume if volume < 1e12 => format!("{:.1}G", volume / 1e9),
        volume => format!("{:.1}T", volume / 1e12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_bars_and_a_mark_stands_on_its_line() {
        let mark = Mark { volume: 100.0, name: "usual" };
        let lines = history(&[100.0, 100.0, 0.0], Some(100_000.0), &[mark]);
        assert_eq!(lines.len(), LINES);
        assert!(lines[0].starts_with("  100,000 │") && lines[0].ends_with(" █"), "{lines:?}");
        let marked: Vec<&String> =
            lines.iter().filter(|line| line.contains("usual: 100")).collect();
        assert_eq!(marked.len(), 1);
        let bars = |line: &str| line.chars().skip(11).take(3).collect::<String>();
        assert_eq!(bars(&lines[LINES - 1]), "██▂", "the smallest is a little above the foot");
        assert!(bars(marked[0]).starts_with(|bar| bar != ' '));
    }

    #[test]
    fn nothing_is_no_chart_and_zeros_are_one() {
        assert_eq!(history(&[], None, &[]), Vec::<String>::new());
        let flat = history(&[0.0; 5], Some(0.0), &[]);
        assert!(!flat.concat().contains("NaN") && flat.len() == LINES, "{flat:?}");
        for part in [0.0, f64::MAX, 1e300].map(|volume| Scale::of([0.0, 1e300]).part(volume)) {
            assert!((0.0..=1.0).contains(&part));
        }
    }

    #[test]
    fn hours_are_blocks() {
        assert_eq!(row(&[0.0, 0.01, 0.5, 0.99, 1.0]), "·▁▄██");
    }

    #[test]
    fn volumes_are_short() {
        let volumes = [0.4, 1_240.0, 999_999.0, 3_400_000.0, 2e9, 7e15].map(written);
        assert_eq!(volumes, ["0", "1,240", "999,999", "3.4M", "2.0G", "7000.0T"]);
    }
}
