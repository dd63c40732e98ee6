//! Reads records that hold one event.

use dataward_event::audit_event::AuditEvent;
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::KafkaTime;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

/// The event of a record of one event, or why there is none.
pub(crate) fn read(source: Source, payload: &str) -> Result<AuditEvent<'static>, QuarantineReason> {
    let position =
        Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
    let kafka_time = Some(KafkaTime::from_micros(2_000_000_000_000_000));
    let record = Record { position: &position, kafka_time, payload: payload.as_bytes() };
    let mut decoded = decode(source, record);
    assert_eq!(decoded.events.len() + decoded.rejects.len(), 1, "{payload}");
    match decoded.events.pop() {
        Some(found) => Ok(found.event.into_owned()),
        None => Err(decoded.rejects[0].reason),
    }
}
