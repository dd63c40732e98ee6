//! What every fuzz target checks: no panic, no loss, and what is read can be written and read again.

use dataward_event::position::{Offset, Partition, Position};
use dataward_ocsf::event::event_json;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

/// Reads any bytes as a record of a source.
///
/// # Panics
/// When a promise of decoding is broken.
pub fn check(source: &str, payload: &[u8]) {
    let source = Source::parse(source).expect("a source of this name");
    let position =
        Position { partition: Partition::new("fuzz", 0), offset: Offset(0), record_index: 0 };
    let decoded = decode(source, Record { position: &position, kafka_time: None, payload });
    assert!(!decoded.events.is_empty() || !decoded.rejects.is_empty());
    for event in &decoded.events {
        let line = event_json(&event.event, Some(&position), None);
        let record = Record { position: &position, kafka_time: None, payload: line.as_bytes() };
        assert_eq!(decode(Source::Ocsf, record).events.len(), 1);
    }
}
