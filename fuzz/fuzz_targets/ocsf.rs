//! Any bytes as a record of `ocsf`: no panic, and what is read can be written and read again.
#![no_main]

use dataward_event::position::{Offset, Partition, Position};
use dataward_ocsf::event::event_json;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|payload: &[u8]| {
    let position =
        Position { partition: Partition::new("fuzz", 0), offset: Offset(0), record_index: 0 };
    let decoded = decode(Source::Ocsf, Record { position: &position, kafka_time: None, payload });
    assert!(!decoded.events.is_empty() || !decoded.rejects.is_empty());
    for event in &decoded.events {
        let line = event_json(&event.event, Some(&position), None);
        let record = Record { position: &position, kafka_time: None, payload: line.as_bytes() };
        assert_eq!(decode(Source::Ocsf, record).events.len(), 1);
    }
});
