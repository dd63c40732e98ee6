//! What the benchmarks have in common.

use dataward_event::audit_event::{Actor, AuditEvent, Datastore, Outcome};
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, Volume};

/// A read of 400,000 bytes.
pub(crate) fn read(
    number: usize,
    time: EventTime,
    actor: usize,
    datastore: Datastore<'static>,
) -> AuditEvent<'static> {
    AuditEvent {
        activity_id: 1,
        service: Some("s3.amazonaws.com".into()),
        outcome: Outcome::Success,
        actor: Actor {
            uid: Some(format!("arn:aws:iam::111122223333:user/actor-{actor:06}").into()),
            ..Actor::default()
        },
        datastore: Some(datastore),
        volume: Volume { bytes: Some(ByteCount(400_000)), ..Volume::default() },
        ..AuditEvent::new(
            format!("d9c5f1aa-0000-4000-8000-{number:012}"),
            time,
            "aws.cloudtrail",
            "GetObject",
        )
    }
}

/// What the process holds, where the system tells.
pub(crate) fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kibibytes = line.split_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok());
    kibibytes.unwrap_or(0) * 1024
}
