//! How fast each source is decoded on one core: events and megabytes a second, beside `serde_json::Value` on the same bytes.
//!
//! `cargo bench -p dataward-sources`. The record of each source is the file `typical` among the seeds of its fuzz target.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

/// How long one measurement takes, and how many of each there are: the fastest counts.
const MEASURED: Duration = Duration::from_millis(150);
const ROUNDS: usize = 5;

/// Nanoseconds a call, at best. Both measurements of a source take turns, so that they meet the same weather.
fn best_of_both(mut one: impl FnMut(), mut other: impl FnMut()) -> (f64, f64) {
    let (mut first, mut second) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        first = first.min(nanoseconds(&mut one));
        second = second.min(nanoseconds(&mut other));
    }
    (first, second)
}

fn nanoseconds(call: &mut impl FnMut()) -> f64 {
    let (start, mut calls) = (Instant::now(), 0_u32);
    while start.elapsed() < MEASURED {
        for _ in 0..64 {
            call();
        }
        calls += 64;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn typical(source: Source) -> Option<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let folder = corpus.join(source.name());
    let names = ["typical", "get_object.json", "query.json"];
    names.iter().find_map(|name| std::fs::read(folder.join(name)).ok())
}

fn main() {
    let position =
        Position { partition: Partition::new("bench", 0), offset: Offset(0), record_index: 0 };
    println!(
        "{:<24} {:>6} {:>10} {:>7} {:>9} {:>9}  beside serde_json::Value",
        "source", "bytes", "events/s", "MB/s", "ns/event", "ns/Value"
    );
    let mut slow = Vec::new();
    for source in Source::ALL {
        let Some(payload) = typical(source) else { continue };
        let record = Record { position: &position, kafka_time: None, payload: &payload };
        let decoded = decode(source, record);
        assert_eq!(decoded.events.len(), 1, "{}: {:?}", source.name(), decoded.rejects);
        let is_json = payload.starts_with(b"{");
        let (ours, value) = best_of_both(
            || drop(black_box(decode(source, black_box(record)))),
            || {
                if is_json {
                    let value: Result<serde_json::Value, _> =
                        serde_json::from_slice(black_box(&payload));
                    drop(black_box(value));
                } else {
                    // Text is no JSON: its peer is a check that it is text at all.
                    let _ = black_box(std::str::from_utf8(black_box(&payload)));
                }
            },
        );
        let events = 1e9 / ours;
        let megabytes = events * payload.len() as f64 / 1e6;
        let (peer, ratio) = if is_json {
            (format!("{value:.0}"), format!("{:.2} times as fast", value / ours))
        } else {
            ("-".to_owned(), "no JSON".to_owned())
        };
        let (name, bytes) = (source.name(), payload.len());
        println!(
            "{name:<24} {bytes:>6} {events:>10.0} {megabytes:>7.0} {ours:>9.0} {peer:>9}  {ratio}"
        );
        if is_json && value < 2.0 * ours {
            slow.push(name);
        }
    }
    if !slow.is_empty() {
        println!("\nless than twice as fast: {}", slow.join(", "));
    }
}
