//! The figures as a person reads them.

use std::collections::BTreeMap;
use std::fmt;

use crate::Scale;
use crate::latency::{Latencies, REMOVAL_EVERY};
use crate::load::Topic;
use crate::process::Cost;

/// What one process took, and left behind.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) wall: f64,
    pub(crate) processor: f64,
    pub(crate) peak_megabytes: f64,
    pub(crate) bytes: u64,
    /// The processor time of each thread until the last event was seen, in seconds.
    pub(crate) threads: BTreeMap<String, f64>,
}

/// One process of each kind.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) consume: Figures,
    pub(crate) lean: Figures,
    pub(crate) full: Figures,
}

impl Figures {
    /// Figures of a process that has written so many bytes.
    pub(crate) fn of(cost: &Cost, bytes: u64) -> Self {
        Self {
            wall: cost.wall.as_secs_f64(),
            processor: cost.processor.as_secs_f64(),
            peak_megabytes: cost.peak_bytes as f64 / 1e6,
            bytes,
            threads: BTreeMap::new(),
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { consume, lean, full } = self;
        write!(
            f,
            "CPU {:.2} / {:.2} / {:.2} s, wall {:.2} / {:.2} / {:.2} s",
            consume.processor, lean.processor, full.processor, consume.wall, lean.wall, full.wall
        )
    }
}

/// What is measured, on what.
pub(crate) fn setting(scale: &Scale, topic: &Topic) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (events, bytes, rounds) = (topic.events, topic.event_bytes, scale.rounds);
    format!(
        "{events} CloudTrail events of {bytes:.0} bytes, zstd batches, 16 partitions; {cores} cores; \
         medians of {rounds} rounds\n"
    )
}

/// The table and the ratios.
pub(crate) fn throughput(rounds: &[Round], events: usize) -> String {
    let millions = events as f64 / 1e6;
    let median = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let row = |name: &str, of: &dyn Fn(&Round) -> &Figures| {
        let bytes = median(&|round| of(round).bytes as f64 / events as f64);
        let bytes = if bytes > 0.0 { format!("{bytes:.1}") } else { String::new() };
        format!(
            "{name:<28}{:>10.0}{:>16.2}{:>12.0}{bytes:>14}\n",
            median(&|round| events as f64 / of(round).wall),
            median(&|round| of(round).processor / millions),
            median(&|round| of(round).peak_megabytes),
        )
    };
    let mut text = format!(
        "{:<28}{:>10}{:>16}{:>12}{:>14}\n",
        "", "events/s", "CPU s/million", "peak MB", "bytes/event"
    );
    text += &row("consume and drop", &|round| &round.consume);
    text += &row("run, raw = \"none\"", &lean);
    text += &row("run, raw = \"all\"", &full);
    text += "\n";
    // Of one round each: what else the machine did then met both sides.
    let mut ratio = |name: &str, of: &dyn Fn(&Round) -> f64| {
        text += &format!("{name:<56}{:>6.2}\n", median(of));
    };
    ratio("CPU, raw = \"none\" to consume", &|r| r.lean.processor / r.consume.processor);
    ratio("CPU, raw = \"all\" to raw = \"none\"", &|r| r.full.processor / r.lean.processor);
    ratio("events/s, raw = \"none\" to consume", &|r| r.consume.wall / r.lean.wall);
    ratio("events/s, raw = \"all\" to consume", &|r| r.consume.wall / r.full.wall);
    text += "\nWhere it goes, CPU s/million by thread, until the last event is seen\n";
    for (name, of) in [("raw = \"none\"", lean as fn(&Round) -> &Figures), ("raw = \"all\"", full)]
    {
        let names = rounds.first().into_iter().flat_map(|round| of(round).threads.keys());
        let time = |name: &String| {
            median(&|round| of(round).threads.get(name).copied().unwrap_or(0.0) / millions)
        };
        let times = names.map(|name| (name, time(name))).filter(|(_, time)| *time >= 0.01);
        let times: Vec<String> = times.map(|(name, time)| format!("{name} {time:.2}")).collect();
        text += &format!("{name:<16}{}\n", times.join(", "));
    }
    text
}

const fn lean(round: &Round) -> &Figures {
    &round.lean
}

const fn full(round: &Round) -> &Figures {
    &round.full
}

/// The latencies.
pub(crate) fn latency(latencies: &Latencies, scale: &Scale) -> String {
    let Latencies { sorted, commits } = latencies;
    let at = |share: f64| {
        let place = ((sorted.len() - 1) as f64 * share).round() as usize;
        sorted[place].as_secs_f64() * 1e3
    };
    format!(
        "{} alerts at {} events/s, one in {REMOVAL_EVERY} a removal, {commits} commits meanwhile\n\
         from append to alert: p50 {:.1} ms, p99 {:.1} ms, slowest {:.1} ms",
        sorted.len(),
        scale.events_per_second,
        at(0.5),
        at(0.99),
        at(1.0),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
