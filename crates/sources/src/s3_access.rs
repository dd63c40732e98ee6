//! `aws.s3_access`: the server access log of Amazon S3, one request a line.

use std::borrow::Cow;

use chrono::DateTime;
use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, Outcome, Text,
};
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope};

use crate::act::Act;
use crate::container::Fault;
use crate::lenient::parse_count;
use crate::source::{Place, Source};

/// Fields by place. New ones were only ever added at the end.
mod field {
    pub(super) const BUCKET: usize = 1;
    pub(super) const TIME: usize = 2;
    pub(super) const ADDRESS: usize = 3;
    pub(super) const REQUESTER: usize = 4;
    pub(super) const REQUEST_ID: usize = 5;
    pub(super) const OPERATION: usize = 6;
    pub(super) const KEY: usize = 7;
    pub(super) const STATUS: usize = 9;
    pub(super) const ERROR: usize = 10;
    pub(super) const BYTES_SENT: usize = 11;
    pub(super) const OBJECT_SIZE: usize = 12;
    pub(super) const USER_AGENT: usize = 16;
    pub(super) const ACCESS_POINT: usize = 24;
    /// How many there are at least.
    pub(super) const COUNT: usize = 17;
}

/// Fields of a line: words, `[…]` and `"…"`. A user agent may hold quotes itself, so a quoted field ends at a quote that a
/// blank or the line's end follows.
fn fields(line: &str) -> Vec<&str> {
    const FIELDS_MAX: usize = 40;
    let mut found = Vec::with_capacity(28);
    let mut rest = line.trim_start();
    while !rest.is_empty() && found.len() < FIELDS_MAX {
        let (value, after) = if let Some(inner) = rest.strip_prefix('[') {
            inner.split_once(']').unwrap_or((inner, ""))
        } else if let Some(inner) = rest.strip_prefix('"') {
            match inner.find("\" ") {
                Some(end) => (&inner[..end], &inner[end + 1..]),
                None => (inner.trim_end().trim_end_matches('"'), ""),
            }
        } else {
            rest.split_once(' ').unwrap_or((rest, ""))
        };
        found.push(value);
        rest = after.trim_start();
    }
    found
}

/// Whether a line is of this log.
pub(crate) fn is_line(line: &str) -> bool {
    let fields = fields(line);
    fields.len() >= field::COUNT
        && fields[0].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && time(fields[field::TIME]).is_some()
        && fields[field::OPERATION].contains('.')
}

/// `06/Feb/2019:00:00:38 +0000`.
fn time(text: &str) -> Option<EventTime> {
    let time = DateTime::parse_from_str(text, "%d/%b/%Y:%H:%M:%S %z").ok()?;
    Some(EventTime::from_micros(time.timestamp_micros()))
}

/// Reads one line.
///
/// # Errors
/// It is no line of this log, or nothing dates it.
pub(crate) fn decode<'a>(text: &'a str, place: Place<'_>) -> Result<AuditEvent<'a>, Fault> {
    let fields = fields(text);
    if fields.len() < field::COUNT || !fields[field::OPERATION].contains('.') {
        return Err(Fault::shape(format!(
            "expected a line of S3's server access log with at least {} fields, found {}",
            field::COUNT,
            fields.len()
        )));
    }
    let get =
        |at: usize| fields.get(at).copied().filter(|value| !value.is_empty() && *value != "-");
    let operation = fields[field::OPERATION];
    // A request has one id; a server-side copy writes two lines of it.
    let uid = get(field::REQUEST_ID).map(|id| Cow::Owned(format!("{id} {operation}")));
    let when = time(fields[field::TIME]);
    let mut event = place.event(Source::AwsS3Access, text, uid, when, operation)?;
    let (act, scope) = act(operation);
    act.put(&mut event);
    let status = get(field::STATUS);
    event.outcome = match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(..400) => Outcome::Success,
        Some(_) => Outcome::Failure,
        None => Outcome::Unknown,
    };
    if event.outcome == Outcome::Failure {
        event.error_code = get(field::ERROR).or(status).map(Cow::Borrowed);
    } else {
        event.read_scope = scope;
        let is_read = act == Act::READ;
        // What is sent in answer to a write is not what was written.
        let size = match act {
            Act::READ => get(field::BYTES_SENT),
            Act::WRITE => get(field::OBJECT_SIZE),
            _ => None,
        };
        event.volume.bytes = size.and_then(parse_count).map(ByteCount);
        event.volume.objects = is_read.then_some(ObjectCount(1));
    }
    event.service = Some(Cow::Borrowed("s3.amazonaws.com"));
    event.actor = actor(get(field::REQUESTER));
    event.client = Client {
        ip: get(field::ADDRESS).map(Cow::Borrowed),
        user_agent: get(field::USER_AGENT).map(Cow::Borrowed),
        endpoint_uid: get(field::ACCESS_POINT).map(Cow::Borrowed),
        ..Client::default()
    };
    event.datastore = get(field::BUCKET).map(|bucket| Datastore {
        uid: Cow::Owned(format!("arn:aws:s3:::{bucket}")),
        name: Some(Cow::Borrowed(bucket)),
        resource_type: Some(Cow::Borrowed("AWS::S3::Bucket")),
        form: DatastoreForm::Bucket,
    });
    event.objects = get(field::KEY).map(key).into_iter().collect();
    event.request_uid = get(field::REQUEST_ID).map(Cow::Borrowed);
    event.provider = Some(Cow::Borrowed("AWS"));
    Ok(event)
}

/// A key as it is: the log encodes it twice.
fn key(encoded: &str) -> Text<'_> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(Cow::into_owned);
    if !encoded.contains('%') {
        return Cow::Borrowed(encoded);
    }
    match decode(encoded).map(|once| decode(&once).unwrap_or(once)) {
        Ok(key) => Cow::Owned(key),
        Err(_) => Cow::Borrowed(encoded),
    }
}

/// What `REST.GET.OBJECT` is.
fn act(operation: &str) -> (Act, Option<ReadScope>) {
    let mut parts = operation.split('.');
    let (_, verb, resource) =
        (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    match (verb, resource) {
        ("GET", "OBJECT") => (Act::READ, None),
        ("COPY", "OBJECT_GET" | "PART_GET") => (Act::READ, Some(ReadScope::Export)),
        ("GET", "BUCKET" | "BUCKETVERSIONS" | "UPLOADS") => (Act::LIST, None),
        ("HEAD", _) => (Act::LIST, None),
        ("GET", _) => (Act::API_READ, None),
        ("PUT" | "POST" | "COPY", "OBJECT" | "PART" | "UPLOAD" | "UPLOADS") => (Act::WRITE, None),
        ("DELETE", "OBJECT") | ("POST", "MULTI_OBJECT_DELETE") | ("DELETE", "UPLOAD") => {
            (Act::DELETE, None)
        }
        // What these set is in CloudTrail's event of the same call; the log does not say it.
        ("PUT" | "POST", _) => (Act::API_UPDATE, None),
        ("DELETE", _) => (Act::API_DELETE, None),
        _ => (Act::OTHER, None),
    }
}

/// `arn:aws:iam::111122223333:user/ada`, a canonical id, `-` for nobody.
fn actor(requester: Option<&str>) -> Actor<'_> {
    let Some(uid) = requester else {
        return Actor { kind: ActorKind::Anonymous, ..Actor::default() };
    };
    let mut parts = uid.split(':');
    let is_arn = parts.next() == Some("arn");
    let account = parts.nth(3).filter(|account| is_arn && !account.is_empty());
    let name = if is_arn { uid.rsplit('/').next() } else { None };
    let is_user = is_arn && uid.contains(":user/");
    let is_service = uid.starts_with("svc:") || uid.ends_with(".amazonaws.com");
    Actor {
        uid: Some(Cow::Borrowed(uid)),
        name: name.map(Cow::Borrowed),
        kind: match (is_user, is_service) {
            (true, _) => ActorKind::Human,
            (_, true) => ActorKind::Service,
            _ => ActorKind::Unknown,
        },
        account_uid: account.map(Cow::Borrowed),
        ..Actor::default()
    }
}
