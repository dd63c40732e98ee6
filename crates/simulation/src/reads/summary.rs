//! What detectors made of several worlds, pooled: the tables of the evaluation.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

use dataward_detect::reads::calibration::{Calibration, SHARES};
use dataward_event::finding::RuleId;

use crate::reads::attack::{Scenario, Strength};
use crate::reads::evaluation::{Detection, Outcome};
use crate::reads::trouble::TroubleKind;
use crate::reads::world::World;

/// The outcomes of one detector in several worlds.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    cells: BTreeMap<(Scenario, Strength), Cell>,
    false_alerts: BTreeMap<(Option<RuleId>, Option<TroubleKind>), usize>,
    actor_days: usize,
    notices: usize,
    aftermath: usize,
    calibration: Calibration,
}

/// What came of the attacks of one scenario at one strength.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// How many there were.
    pub attacks: usize,
    /// Those that were found.
    pub found: Vec<Detection>,
}

impl Summary {
    /// Adds what came of a world.
    pub fn add(&mut self, world: &World, outcome: &Outcome) {
        for (attack, detection) in world.attacks.iter().zip(&outcome.detections) {
            let cell = self.cells.entry((attack.scenario, attack.strength)).or_default();
            cell.attacks += 1;
            cell.found.extend(detection);
        }
        for alert in &outcome.false_alerts {
            *self.false_alerts.entry((alert.rule, alert.cause)).or_default() += 1;
        }
        self.actor_days += outcome.actor_days;
        self.notices += outcome.notices;
        self.aftermath += outcome.aftermath;
        self.calibration = self.calibration.with(&outcome.calibration);
    }

    /// The attacks of one scenario at one strength.
    pub fn cell(&self, scenario: Scenario, strength: Strength) -> Cell {
        self.cells.get(&(scenario, strength)).cloned().unwrap_or_default()
    }

    /// All attacks that fit.
    pub fn pooled(&self, fits: impl Fn(Scenario, Strength) -> bool) -> Cell {
        let mut pooled = Cell::default();
        for ((scenario, strength), cell) in &self.cells {
            if fits(*scenario, *strength) {
                pooled.attacks += cell.attacks;
                pooled.found.extend(&cell.found);
            }
        }
        pooled
    }

    /// How many alerts were false.
    pub fn false_alerts(&self) -> usize {
        self.false_alerts.values().sum()
    }

    /// False alerts of one rule a day for each 1,000 active actors.
    pub fn false_rate_of(&self, rule: RuleId) -> f64 {
        let of_rule = self.false_alerts.iter().filter(|((of, _), _)| *of == Some(rule));
        self.rate(of_rule.map(|(_, count)| count).sum())
    }

    /// False alerts a day for each 1,000 active actors in the channels `acute` and `drift`.
    pub fn false_rates(&self) -> [f64; 2] {
        let acute = self.false_rate_of(RuleId::ReadBulk) + self.false_rate_of(RuleId::ReadNovel);
        [acute, self.false_rate_of(RuleId::ReadSlowDrip)]
    }

    /// Of each channel how many days were judged, and which share of them said to be rarer than some shares.
    pub fn calibration(&self) -> String {
        let mut text = format!("{:<12} {:>9}", "calibration", "days");
        for share in SHARES {
            text.push_str(&format!(" {:>9}", format!("p < {share}")));
        }
        for (channel, days, rarer) in self.calibration.counts().filter(|(_, days, _)| *days > 0) {
            text.push_str(&format!("\n{:<12} {days:>9}", channel.as_str()));
            for count in rarer {
                text.push_str(&format!(" {:>9.5}", count as f64 / days as f64));
            }
        }
        text
    }

    /// False alerts a day for each 1,000 active actors.
    pub fn false_rate(&self) -> f64 {
        self.rate(self.false_alerts())
    }

    fn rate(&self, alerts: usize) -> f64 {
        alerts as f64 * 1000.0 / self.actor_days.max(1) as f64
    }
}

impl Cell {
    /// The share that was found; nothing without an attack.
    pub fn recall(&self) -> Option<f64> {
        (self.attacks > 0).then(|| self.found.len() as f64 / self.attacks as f64)
    }

    /// A quantile of the time to detection, in seconds.
    pub fn seconds(&self, quantile: f64) -> Option<f64> {
        quantile_of(self.found.iter().map(|found| found.seconds), quantile)
    }

    /// A quantile of the share that was gone at detection.
    pub fn share_gone(&self, quantile: f64) -> Option<f64> {
        quantile_of(self.found.iter().map(|found| found.share_gone), quantile)
    }
}

fn quantile_of(values: impl Iterator<Item = f64>, quantile: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * quantile).round() as usize).copied()
}

/// A duration as people say it; `-` for none.
pub fn duration(seconds: Option<f64>) -> String {
    match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds < 120.0 => format!("{seconds:.0} s"),
        Some(seconds) if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        Some(seconds) if seconds < 172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        Some(seconds) => format!("{:.1} d", seconds / 86_400.0),
    }
}

/// A share in percent; `-` for none.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

impl Display for Cell {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(
            f,
            "{:>7} {:>5} {:>7} {:>9} {:>9} {:>9}",
            self.attacks,
            self.found.len(),
            percent(self.recall()),
            duration(self.seconds(0.5)),
            duration(self.seconds(0.9)),
            percent(self.share_gone(0.5)),
        )
    }
}

impl Display for Summary {
    /// The attacks by scenario and strength, and the false alerts by rule and by cause.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(
            f,
            "{:<19} {:<5} attacks found  recall    median  90th per. gone then",
            "scenario", "how"
        )?;
        for ((scenario, strength), cell) in &self.cells {
            writeln!(f, "{:<19} {:<5} {cell}", scenario.as_str(), strength.as_str())?;
        }
        for strength in Strength::ALL {
            let cell = self.pooled(|_, of| of == strength);
            writeln!(f, "{:<19} {:<5} {cell}", "all", strength.as_str())?;
        }
        writeln!(f, "{:<19} {:<5} {}", "all", "", self.pooled(|_, _| true))?;
        writeln!(
            f,
            "\nfalse alerts: {} in {} actor-days, {:.2} a day for 1,000 active actors; beside them \
             {} notices, and {} alerts soon after an attack",
            self.false_alerts(),
            self.actor_days,
            self.false_rate(),
            self.notices,
            self.aftermath
        )?;
        let mut by_rule: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for ((rule, cause), count) in &self.false_alerts {
            let rule = rule.map_or("-", RuleId::as_str);
            let cause = cause.map_or("an ordinary day", TroubleKind::as_str);
            *by_rule.entry(rule).or_default().entry(cause).or_default() += count;
            *by_rule.entry("all rules").or_default().entry(cause).or_default() += count;
        }
        for (rule, causes) in &by_rule {
            let count = causes.values().sum();
            writeln!(f, "  {rule:<22} {count:>6} {:>8.2} a day", self.rate(count))?;
            for (cause, count) in causes {
                writeln!(f, "    {cause:<20} {count:>6} {:>8.2} a day", self.rate(*count))?;
            }
        }
        Ok(())
    }
}

/// The recall of several detectors side by side, by scenario and strength.
pub fn recalls(detectors: &[(&str, &Summary)]) -> String {
    let mut text = format!("{:<25}", "recall");
    for (name, _) in detectors {
        text.push_str(&format!("{name:>14}"));
    }
    for scenario in Scenario::ALL {
        for strength in Strength::ALL {
            text.push_str(&format!("\n{:<19} {:<5}", scenario.as_str(), strength.as_str()));
            for (_, summary) in detectors {
                let recall = summary.cell(scenario, strength).recall();
                text.push_str(&format!("{:>14}", percent(recall)));
            }
        }
    }
    text
}

/// The head of the lines of [`line()`].
pub fn line_head() -> String {
    format!(
        "{:<25} {:>7} {:>7} {:>7} {:>7} {:>10} {:>10} {:>10}",
        "", "all", "quiet", "plain", "loud", "median", "gone then", "false/day"
    )
}

/// A detector in one line: recall, the time to detection, what was gone by then, and its false alerts.
pub fn line(name: &str, summary: &Summary) -> String {
    let all = summary.pooled(|_, _| true);
    let [quiet, plain, loud] =
        Strength::ALL.map(|strength| summary.pooled(|_, of| of == strength).recall());
    format!(
        "{name:<25} {:>7} {:>7} {:>7} {:>7} {:>10} {:>10} {:>10.2}",
        percent(all.recall()),
        percent(quiet),
        percent(plain),
        percent(loud),
        duration(all.seconds(0.5)),
        percent(all.share_gone(0.5)),
        summary.false_rate(),
    )
}
