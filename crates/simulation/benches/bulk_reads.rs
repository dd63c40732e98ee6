//! How unusual bulk reads are told from usual ones: `cargo bench -p dataward-simulation --bench bulk_reads`.
//!
//! `-- --seeds 3 --first-seed 1 --actors 1000 --days 60 --partitions 1 --budgets 0`. Every figure is pooled over the seeds;
//! with `--budgets 1` also for other budgets than one alert a day for each 1,000 actors in `acute` and in `drift`.
//! Seeds from 1000 on are for the last check alone: nothing is chosen by them.

use std::collections::BTreeMap;
use std::time::Instant;

use dataward_detect::context::{AlertsPerDay, Context, Number};
use dataward_simulation::reads::baselines::{self, Baseline};
use dataward_simulation::reads::evaluation::{Outcome, context, watch};
use dataward_simulation::reads::summary::{Summary, line, line_head, percent, recalls};
use dataward_simulation::reads::world::{Size, World};

/// False alerts a day for each 1,000 active actors at which the baselines are measured, in tenths.
const TENTHS: [u32; 4] = [5, 10, 20, 50];
/// Budgets that are tried, in tenths of an alert a day.
const BUDGETS: [u16; 4] = [1, 3, 30, 100];

#[derive(Debug)]
struct Options {
    seeds: u64,
    first_seed: u64,
    size: Size,
    partitions: usize,
    /// Other budgets are tried, too.
    tries_budgets: bool,
}

/// What is pooled over the seeds.
#[derive(Debug, Default)]
struct Pool {
    untold: Summary,
    /// With the announced changes in the context file, where it has a place for them.
    told: Option<Summary>,
    /// The baselines, each with as many false alerts as the detector gave in the same world.
    alike: BTreeMap<Baseline, Summary>,
    at_rates: BTreeMap<(Baseline, u32), Summary>,
    /// With other budgets, in tenths.
    budgets: BTreeMap<u16, Summary>,
}

fn main() {
    // `cargo test --all-targets` runs it, too: there is nothing to measure then.
    let Some(options) = Options::read() else { return };
    println!("{options:?}");
    let mut pool = Pool::default();
    for seed in options.first_seed..options.first_seed + options.seeds {
        pool.add(seed, &options);
    }
    pool.print();
}

impl Pool {
    fn add(&mut self, seed: u64, options: &Options) {
        let start = Instant::now();
        let world = World::new(seed, options.size);
        println!(
            "seed {seed}: {} events, {} attacks, {} troubles, made in {:.1} s",
            world.reads.len(),
            world.attacks.len(),
            world.troubles.len(),
            start.elapsed().as_secs_f64(),
        );
        let outcome = self.watch(&world, options);
        let start = Instant::now();
        for (baseline, scores) in Baseline::ALL.into_iter().zip(baselines::score(&world)) {
            let alike = scores.outcome(&world, outcome.false_rate(), &outcome);
            self.alike.entry(baseline).or_default().add(&world, &alike);
            for tenths in TENTHS {
                let at_rate = scores.outcome(&world, f64::from(tenths) / 10.0, &outcome);
                self.at_rates.entry((baseline, tenths)).or_default().add(&world, &at_rate);
            }
        }
        println!("  baselines in {:.1} s", start.elapsed().as_secs_f64());
    }

    fn watch(&mut self, world: &World, options: &Options) -> Outcome {
        let [untold, told] = [false, true].map(|is_told| context(world, is_told));
        let start = Instant::now();
        let outcome = watch(world, options.partitions, &untold);
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "  watched in {seconds:.1} s ({:.0} ns an event), {:.2} false alerts a day",
            seconds * 1e9 / world.reads.len() as f64,
            outcome.false_rate(),
        );
        self.untold.add(world, &outcome);
        if told != untold {
            let outcome = watch(world, options.partitions, &told);
            println!("  changes announced: {:.2} false alerts a day", outcome.false_rate());
            self.told.get_or_insert_default().add(world, &outcome);
        }
        for tenths in BUDGETS.into_iter().filter(|_| options.tries_budgets) {
            let wanted = Number::try_from(f64::from(tenths) / 10.0).unwrap_or(Number::whole(1));
            let alerts_per_day =
                AlertsPerDay { acute: wanted, drift: wanted, ..untold.alerts_per_day.clone() };
            let context = Context { alerts_per_day, ..untold.clone() };
            let outcome = watch(world, options.partitions, &context);
            self.budgets.entry(tenths).or_default().add(world, &outcome);
        }
        outcome
    }

    fn print(&self) {
        println!("\n== The detector; changes are not announced\n\n{}", self.untold);
        let [acute, drift] = self.untold.false_rates();
        println!("wanted are 1 in acute and 1 in drift: there are {acute:.2} and {drift:.2}\n");
        println!("{}\n", self.untold.calibration());
        for (tenths, summary) in &self.budgets {
            let ([acute, drift], recall) =
                (summary.false_rates(), summary.pooled(|_, _| true).recall());
            println!(
                "budget {:>4}: acute {acute:>5.2}, drift {drift:>5.2} false alerts a day, {} found",
                f64::from(*tenths) / 10.0,
                percent(recall)
            );
        }
        match &self.told {
            Some(told) => println!("== The detector; changes are announced\n\n{told}"),
            None => println!("The context file has no place for announced changes.\n"),
        }
        println!("== The detector beside baselines of as many false alerts\n");
        let mut detectors: Vec<(&str, &Summary)> = vec![("the detector", &self.untold)];
        detectors.extend(self.alike.iter().map(|(baseline, alike)| (baseline.as_str(), alike)));
        println!("{}\n", recalls(&detectors));
        println!("{}", line_head());
        for (name, summary) in detectors {
            println!("{}", line(name, summary));
        }
        if let Some(told) = &self.told {
            println!("{}", line("the detector, told", told));
        }
        for tenths in TENTHS {
            let rate = f64::from(tenths) / 10.0;
            println!("\nbaselines at {rate} false alerts a day");
            for baseline in Baseline::ALL {
                if let Some(summary) = self.at_rates.get(&(baseline, tenths)) {
                    println!("{}", line(baseline.as_str(), summary));
                }
            }
        }
    }
}

impl Options {
    fn read() -> Option<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let number = |name: &str, default: u64| {
            let at = arguments.iter().position(|argument| argument == name);
            at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
        };
        let is_bench = arguments.iter().any(|argument| argument == "--bench");
        is_bench.then(|| Self {
            seeds: number("--seeds", 3),
            first_seed: number("--first-seed", 1),
            size: Size {
                actors: number("--actors", 1_000) as usize,
                days: number("--days", 60) as usize,
            },
            partitions: number("--partitions", 1) as usize,
            tries_budgets: number("--budgets", 0) > 0,
        })
    }
}
