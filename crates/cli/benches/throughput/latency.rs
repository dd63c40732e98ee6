//! From handing an event to the producer until its alert can be read, at a steady pace.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, Sender as ChannelSender, channel};
use std::time::{Duration, Instant};

use dataward_simulation::broker::Broker;
use dataward_simulation::cloudtrail::Message;

use crate::load::{self, Sender};
use crate::{Scale, job, process};

/// A removal each so many events.
pub(crate) const REMOVAL_EVERY: usize = 250;
/// The topic is known, and everything is warm, before the time is taken.
const WARM_UP: usize = 4;
const BUCKET: &str = "paced-";
const PATIENCE: Duration = Duration::from_secs(60);

/// The latencies of all alerts, sorted, and how many commits were made meanwhile.
#[derive(Debug)]
pub(crate) struct Latencies {
    pub(crate) sorted: Vec<Duration>,
    pub(crate) commits: usize,
}

/// Measures them.
pub(crate) fn measure(broker: &Broker, scale: &Scale, folder: &Path) -> Latencies {
    load::create(broker, "latency");
    let folder = folder.join("latency");
    let (mut child, began) =
        job::start(broker, "latency", &folder, "all", "flush_seconds = 1\nsnapshot_seconds = 5");
    let (arrived_at, arrivals) = channel();
    let output = child.stdout.take().expect("its output");
    let reader = std::thread::spawn(move || read(output, &arrived_at));
    // Made before: it is not the traffic's generator that is measured.
    let count = scale.events_per_second * (scale.seconds + WARM_UP);
    let messages = messages(count);
    let sent = send_paced(&Sender::to(broker, "latency", 5), &messages, scale);
    let from = scale.events_per_second * WARM_UP / REMOVAL_EVERY;
    let sorted = latencies(&sent, &arrivals, from);
    process::terminate(&child);
    process::finish(child, began);
    reader.join().expect("the reader");
    let log = folder.join("archive").join("_delta_log");
    let commits = std::fs::read_dir(log).expect("the log").flatten();
    let is_commit =
        |name: &std::ffi::OsStr| Path::new(name).extension().is_some_and(|e| e == "json");
    Latencies { sorted, commits: commits.filter(|entry| is_commit(&entry.file_name())).count() }
}

fn messages(count: usize) -> Vec<Message> {
    let mut traffic = load::ordinary_traffic();
    (0..count)
        .map(|number| {
            if number % REMOVAL_EVERY == REMOVAL_EVERY - 1 {
                let bucket = format!("{BUCKET}{:06}", number / REMOVAL_EVERY);
                load::removal(&mut traffic, &bucket, number)
            } else {
                traffic.message(load::time_of(number, 2_000))
            }
        })
        .collect()
}

/// Sends all, and says when each removal was sent.
fn send_paced(sender: &Sender, messages: &[Message], scale: &Scale) -> Vec<Instant> {
    let began = Instant::now();
    let mut sent = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let due = Duration::from_secs_f64(number as f64 / scale.events_per_second as f64);
        while let Some(early) = due.checked_sub(began.elapsed()).filter(|early| !early.is_zero()) {
            std::thread::park_timeout(early);
        }
        if number % REMOVAL_EVERY == REMOVAL_EVERY - 1 {
            // The key spreads them: one partition must not hold all alerts.
            sent.push(Instant::now());
            let partition = (number / REMOVAL_EVERY) % load::PARTITIONS as usize;
            sender.send(message, i32::try_from(partition).ok());
        } else {
            sender.send(message, None);
        }
    }
    sender.flush();
    sent
}

/// Reads alerts, and tells the number of the first statement about each bucket, and when it came.
fn read(output: ChildStdout, arrived_at: &ChannelSender<(usize, Instant)>) {
    for line in BufReader::new(output).lines() {
        let line = line.expect("text");
        let now = Instant::now();
        let number = line.split_once(BUCKET).and_then(|(_, rest)| rest.get(..6)?.parse().ok());
        if let Some(number) = number.filter(|_| line.contains("\"control.weakened\"")) {
            // Nobody listens any more when it has what it wants.
            let _ = arrived_at.send((number, now));
        }
    }
}

fn latencies(
    sent: &[Instant],
    arrivals: &Receiver<(usize, Instant)>,
    from: usize,
) -> Vec<Duration> {
    let mut arrived: BTreeMap<usize, Instant> = BTreeMap::new();
    while arrived.len() < sent.len() {
        let (number, at) = arrivals.recv_timeout(PATIENCE).expect("every removal has its alert");
        arrived.entry(number).or_insert(at);
    }
    let mut latencies: Vec<Duration> =
        arrived.iter().skip(from).map(|(number, at)| *at - sent[*number]).collect();
    latencies.sort();
    latencies
}
