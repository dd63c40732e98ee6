//! AWS CloudTrail: one event of its JSON to one event of ours.

mod actor;
mod changes;
mod cloudtrail;
mod datastore;
mod operation;

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, EventKind, Outcome, Text};
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, RowCount, Volume};

use crate::changes::kind_with;
use crate::container::Fault;
use crate::event_time;
use crate::lenient::{self, Object, Scalars};
use crate::source::{Place, Source};
use cloudtrail::{Additional, CloudTrail};

/// What one `GetSnapshotBlock` returns, in bytes: the block size of EBS snapshots is fixed.
const SNAPSHOT_BLOCK_BYTES: u64 = 512 * 1024;

/// Reads one event.
///
/// # Errors
/// The text is malformed, is no CloudTrail event, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let Object { fields: event, is_object } = serde_json::from_str::<Object<CloudTrail<'a>>>(text)
        .map_err(|error| Fault::malformed(text, &error))?;
    let has_marker = event.event_name.as_str().is_some()
        || event.event_source.as_str().is_some()
        || event.identity.is_object;
    if !is_object || !has_marker {
        return Err(Fault::new(
            QuarantineReason::WrongShape,
            "expected a CloudTrail event: an object with eventName, eventSource or userIdentity",
        ));
    }
    let own_time = event.event_time.as_str().and_then(EventTime::parse_rfc3339);
    let collector_time = event.collector_time.as_str().and_then(EventTime::parse_rfc3339);
    let collector_time = collector_time.or(place.collected);
    let resolved = event_time::resolve(own_time, collector_time, place.kafka_time);
    let Some((time, time_origin)) = resolved else {
        return Err(Fault::new(
            QuarantineReason::NoTime,
            "no readable eventTime, no time of an envelope or collector, and none of the transport",
        ));
    };
    let mut audit_event = assemble(&event, time);
    audit_event.time_origin = time_origin;
    audit_event.uid = match event.event_id.text() {
        Some(uid) => uid,
        None => Cow::Owned(place.derived_uid(text)),
    };
    Ok(audit_event)
}

/// Everything but uid and the origin of the time.
fn assemble<'a>(event: &CloudTrail<'a>, time: EventTime) -> AuditEvent<'a> {
    let service_name = event.event_source.clone().text();
    let service = short_service(service_name.as_deref().unwrap_or_default());
    let operation_name = event.event_name.clone().text().unwrap_or(Cow::Borrowed("unknown"));
    let operation = base_operation(&operation_name);
    let meaning = operation::meaning(
        service,
        operation,
        event.read_only.as_bool(),
        event.management_event.as_bool(),
    );
    let request = if datastore::is_known_service(service) {
        Scalars::read(event.request)
    } else {
        Scalars::default()
    };
    let additional = &event.additional.fields;
    let mfa_used = match additional.mfa_used.as_str() {
        Some("Yes") => Some(true),
        Some("No") => Some(false),
        _ => None,
    };
    let outcome = outcome(event, meaning.kind);
    let account = event
        .recipient_account
        .clone()
        .text()
        .or_else(|| event.identity.fields.account.clone().text());
    let mut datastore = datastore::datastore(event, service, &request);
    let mut changes = Vec::new();
    if meaning.kind == EventKind::ConfigChange
        || sets_object_acl(operation, event)
        || changes::copies::is_of_data(service, operation)
    {
        let call = changes::Call::new(event, service, operation, account.as_deref());
        let found = changes::of(&call);
        changes = found.changes.into_vec();
        datastore = found.datastore.or(datastore);
    }
    let objects = objects(service, &request);
    let statement = if service == "athena" { request.get("queryString").cloned() } else { None };
    let volume = volume(service, operation, outcome, &objects, additional);
    AuditEvent {
        uid: Cow::Borrowed(""),
        time,
        time_origin: dataward_event::audit_event::TimeOrigin::Source,
        source: Cow::Borrowed(Source::AwsCloudtrail.name()),
        kind: kind_with(meaning.kind, &changes),
        class: meaning.class,
        activity_id: meaning.activity_id,
        volume,
        read_scope: None,
        operation: operation_name.clone(),
        service: service_name.clone(),
        event_code: event.event_type.clone().text(),
        outcome,
        error_code: event.error_code.clone().text(),
        error_message: event.error_message.clone().text(),
        actor: actor::actor(event, mfa_used),
        client: actor::client(event),
        datastore,
        objects,
        changes,
        request_uid: event.request_id.clone().text(),
        correlation_uid: event.shared_event_id.clone().text(),
        statement: statement.map(lenient::bounded_statement),
        account_uid: account,
        region: event.region.clone().text(),
        provider: Some(Cow::Borrowed("AWS")),
        sensitivity: None,
    }
}

/// Whether a call of the data plane says who may read an object. Most writes leave it to the bucket, so their requests
/// are not worth reading.
fn sets_object_acl(operation: &str, event: &CloudTrail<'_>) -> bool {
    let has_acl = || event.request.is_some_and(|request| request.get().contains("\"x-amz-acl\""));
    match operation {
        "PutObjectAcl" => true,
        "PutObject" | "CopyObject" | "CreateMultipartUpload" => has_acl(),
        _ => false,
    }
}

/// `s3` of `s3.amazonaws.com`.
fn short_service(name: &str) -> &str {
    name.split_once('.').map_or(name, |(service, _)| service)
}

/// The operation without the version that some services append: `UpdateFunctionCode20150331v2`.
fn base_operation(name: &str) -> &str {
    name.find("20").filter(|at| *at > 0).map_or(name, |at| {
        let version = &name[at..];
        let is_version = version.len() >= 8
            && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'v' || byte == b'_');
        if is_version { &name[..at] } else { name }
    })
}

fn outcome(event: &CloudTrail<'_>, kind: EventKind) -> Outcome {
    if event.error_code.as_str().is_some() || event.error_message.as_str().is_some() {
        return Outcome::Failure;
    }
    if kind == EventKind::Authentication {
        let response = Scalars::read(event.response);
        let answer = ["ConsoleLogin", "SwitchRole", "ExitRole"]
            .iter()
            .find_map(|key| response.get(key).cloned());
        return match answer.as_deref() {
            Some("Failure") => Outcome::Failure,
            _ => Outcome::Success,
        };
    }
    Outcome::Success
}

/// The keys, tables or names inside the datastore that the request named.
fn objects<'a>(service: &str, request: &Scalars<'a>) -> Vec<Text<'a>> {
    let keys: &[&str] = match service {
        "s3" | "s3express" => &["key"],
        "rds" => &["logFileName"],
        "secretsmanager" => &["secretId"],
        "ssm" => &["name", "names"],
        _ => &[],
    };
    keys.iter().find_map(|key| request.get(key)).cloned().into_iter().collect()
}

/// What the event tells of the volume. A refused call moved no data, and the bytes of its error message are not data.
fn volume(
    service: &str,
    operation: &str,
    outcome: Outcome,
    objects: &[Text<'_>],
    additional: &Additional<'_>,
) -> Volume {
    debug_assert!(objects.len() <= OBJECTS_PER_EVENT_MAX);
    if outcome == Outcome::Failure {
        return Volume::default();
    }
    let bytes = match (service, operation) {
        ("s3" | "s3express", "PutObject" | "UploadPart") => &additional.bytes_in,
        _ => &additional.bytes_out,
    };
    let mut volume = Volume { bytes: bytes.as_count().map(ByteCount), ..Volume::default() };
    match (service, operation) {
        ("s3" | "s3express", "GetObject" | "SelectObjectContent" | "GetObjectTorrent") => {
            volume.objects = Some(ObjectCount(1));
        }
        ("s3" | "s3express", "CopyObject") => volume.objects = Some(ObjectCount(1)),
        ("dynamodb", "GetItem") => volume.rows = Some(RowCount(1)),
        ("secretsmanager", "GetSecretValue") | ("ssm", "GetParameter") => {
            volume.objects = Some(ObjectCount(1));
        }
        ("ebs", "GetSnapshotBlock") => volume.bytes = Some(ByteCount(SNAPSHOT_BLOCK_BYTES)),
        _ => {}
    }
    volume
}
