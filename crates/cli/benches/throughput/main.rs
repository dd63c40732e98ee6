//! What the whole job costs beside reading the same topic and throwing it away.
//!
//! `scripts/bench` runs it: a real broker, a million CloudTrail events in zstd batches, and in turn
//!
//! - *consume*: librdkafka with the settings of `run` and the same call to poll; every record is dropped,
//! - *lean*: `dataward run` with `raw = "none"`,
//! - *full*: `dataward run` as it is by default, the raw record kept.
//!
//! Each is a process of its own from start to end. Its processor time and memory are those that the system accounts to
//! it; the broker's are counted nowhere. A job is over when everything is committed, and its archive must hold every
//! event. Then events come at a steady pace, one in so many removes a protection, and the time from handing it to the
//! producer until its alert can be read is taken, while the archive commits every second.

mod consume;
mod job;
mod latency;
mod load;
mod process;
mod report;

use std::path::Path;

use dataward_simulation::broker::Broker;

use crate::load::Topic;
use crate::report::{Figures, Round};

/// Its first argument says that the process is the plain consumer.
const CONSUME: &str = "consume";

/// What is measured.
#[derive(Debug, Clone)]
struct Scale {
    events: usize,
    rounds: usize,
    events_per_second: usize,
    seconds: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == CONSUME) {
        consume::main(&arguments[1..]);
        return;
    }
    let scale = Scale {
        events: number("DATAWARD_BENCH_EVENTS", 1_000_000),
        rounds: number("DATAWARD_BENCH_ROUNDS", 3),
        events_per_second: number("DATAWARD_BENCH_RATE", 10_000),
        seconds: number("DATAWARD_BENCH_SECONDS", 30),
    };
    // `cargo test --all-targets` runs it, too: without a broker there is nothing to measure.
    let Some(broker) = Broker::start().expect("a broker") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let topic = Topic::filled(&broker, "throughput", scale.events);
    println!("{}", report::setting(&scale, &topic));
    let rounds: Vec<Round> =
        (0..scale.rounds).map(|number| round(&broker, &topic, folder.path(), number)).collect();
    println!("{}", report::throughput(&rounds, topic.events));
    let latencies = latency::measure(&broker, &scale, folder.path());
    println!("{}", report::latency(&latencies, &scale));
}

/// One after the other, so that whatever else the machine does meets all of them.
fn round(broker: &Broker, topic: &Topic, folder: &Path, number: usize) -> Round {
    let round = Round {
        consume: Figures::of(&consume::measure(broker, topic, number), 0),
        lean: job::measure(broker, topic, &folder.join(format!("lean-{number}")), "none"),
        full: job::measure(broker, topic, &folder.join(format!("full-{number}")), "all"),
    };
    eprintln!("round {}: {round}", number + 1);
    round
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}
