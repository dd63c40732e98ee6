//! What the benchmarks have in common.

use dataward_event::audit_event::{
    Actor, AuditEvent, Class, Client, Datastore, EventKind, Outcome, TimeOrigin,
};
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
        uid: format!("d9c5f1aa-0000-4000-8000-{number:012}").into(),
        time,
        time_origin: TimeOrigin::Source,
        source: "aws.cloudtrail".into(),
        kind: EventKind::Access,
        class: Class::DatastoreActivity,
        activity_id: 1,
        operation: "GetObject".into(),
        service: Some("s3.amazonaws.com".into()),
        event_code: None,
        outcome: Outcome::Success,
        error_code: None,
        error_message: None,
        actor: Actor {
            uid: Some(format!("arn:aws:iam::111122223333:user/actor-{actor:06}").into()),
            ..Actor::default()
        },
        client: Client::default(),
        datastore: Some(datastore),
        objects: Vec::new(),
        volume: Volume { bytes: Some(ByteCount(400_000)), ..Volume::default() },
        read_scope: None,
        changes: Vec::new(),
        request_uid: None,
        correlation_uid: None,
        statement: None,
        account_uid: None,
        region: None,
        provider: None,
        sensitivity: None,
    }
}

/// What the process holds, where the system tells.
pub(crate) fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    let kibibytes = line.split_whitespace().nth(1).and_then(|text| text.parse::<usize>().ok());
    kibibytes.unwrap_or(0) * 1024
}
