//! The seeds of the fuzz targets, read by the ordinary tests too, so that they stay alive where nobody fuzzes.

use std::path::Path;

use dataward_event::position::{Offset, Partition, Position};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

#[test]
fn every_seed_is_read_by_every_source() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let position =
        Position { partition: Partition::new("seeds", 0), offset: Offset(0), record_index: 0 };
    let mut seeds = 0;
    for own in Source::ALL.into_iter().filter(|source| *source != Source::Auto) {
        for entry in std::fs::read_dir(corpus.join(own.name())).unwrap() {
            let payload = std::fs::read(entry.unwrap().path()).unwrap();
            for source in Source::ALL {
                let record = Record { position: &position, kafka_time: None, payload: &payload };
                let decoded = decode(source, record);
                assert!(!decoded.events.is_empty() || !decoded.rejects.is_empty());
            }
            seeds += 1;
        }
    }
    assert!(seeds >= 150, "the corpus is gone");
}
