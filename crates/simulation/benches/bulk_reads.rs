//! How unusual bulk reads are told from usual ones: `cargo bench -p dataward-simulation --bench bulk_reads`.
//!
//! `-- --seeds 3 --first-seed 1 --actors 1000 --days 60 --partitions 1`. Every figure is pooled over the seeds.

use std::time::Instant;

use dataward_simulation::reads::evaluation::{context, watch};
use dataward_simulation::reads::summary::Summary;
use dataward_simulation::reads::world::{Size, World};

#[derive(Debug)]
struct Options {
    seeds: u64,
    first_seed: u64,
    size: Size,
    partitions: usize,
}

fn main() {
    // `cargo test --all-targets` runs it, too: there is nothing to measure then.
    let Some(options) = Options::read() else { return };
    let mut ours = Summary::default();
    for seed in options.first_seed..options.first_seed + options.seeds {
        let start = Instant::now();
        let world = World::new(seed, options.size);
        let made = start.elapsed();
        let start = Instant::now();
        let outcome = watch(&world, options.partitions, &context(&world, false));
        println!(
            "seed {seed}: {} events, {} attacks, {} troubles, made in {:.1} s, watched in {:.1} s, \
             {:.2} false alerts a day",
            world.reads.len(),
            world.attacks.len(),
            world.troubles.len(),
            made.as_secs_f64(),
            start.elapsed().as_secs_f64(),
            outcome.false_rate(),
        );
        ours.add(&world, &outcome);
    }
    println!("\n{ours}");
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
        })
    }
}
