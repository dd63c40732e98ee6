//! A format of one's own, defined by a file: which field of the record is which field of the event.
//!
//! The reference, with a worked example, is `docs/sources/mapping.md`.

mod definition;
mod template;

use std::borrow::Cow;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, Outcome, Sensitivity, Text,
};
use dataward_event::change::Change;
use dataward_event::limits::OBJECTS_PER_EVENT_MAX;
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};

use crate::act::Act;
use crate::container::Fault;
use crate::lenient::{bounded_statement, parse_count};
use crate::node::Node;
use crate::source::{Place, Source};
use crate::time_text;
use definition::{Definition, Format};
use template::Template;

/// A format that is defined by a file. It lives as long as the process: a source is named by it in every row.
#[derive(Debug)]
pub struct Mapping {
    name: &'static str,
    definition: Definition,
}

impl Mapping {
    /// Reads the text of a mapping file.
    ///
    /// # Errors
    /// A sentence that names the line or the key that cannot be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let definition = Definition::parse(text)?;
        let name = Box::leak(definition.name.clone().into_boxed_str());
        Ok(Self { name, definition })
    }

    /// The name in rows and alerts.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The fields of the event that the file defines, in order, and whether this event has each.
    pub fn filled<'m>(&'m self, event: &AuditEvent<'_>) -> impl Iterator<Item = (&'m str, bool)> {
        let found: Vec<bool> =
            self.definition.fields.keys().map(|field| has(event, field)).collect();
        self.definition.fields.keys().map(String::as_str).zip(found)
    }
}

/// Two mappings are the same if they have the same name: a process loads none twice.
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Mapping {}
impl PartialOrd for Mapping {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Mapping {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}
impl std::hash::Hash for Mapping {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// Reads one record.
///
/// # Errors
/// The text is malformed, nothing dates it, or a field holds what it cannot.
pub(crate) fn decode<'a>(
    mapping: &'static Mapping,
    text: &'a str,
    place: Place<'_>,
) -> Result<AuditEvent<'a>, Fault> {
    let definition = &mapping.definition;
    let record = match definition.format {
        Format::Json => serde_json::from_str::<Node<'a>>(text)
            .map_err(|error| Fault::malformed(text, &error))?,
        Format::Csv => csv_record(text, definition)?,
    };
    if !matches!(record, Node::Map(_)) {
        return Err(Fault::shape("expected an object"));
    }
    let reader = Reader { definition, record: &record, host: place.server() };
    let time = reader.time()?;
    let operation = reader.text("operation").unwrap_or(Cow::Borrowed("unknown"));
    let source = Source::Mapped(mapping);
    let mut event = place.event(source, text, reader.text("uid"), time, operation)?;
    reader.act()?.put(&mut event);
    event.outcome = reader
        .choice("outcome", &Outcome::ALL, |outcome| outcome.as_str())?
        .unwrap_or(Outcome::Unknown);
    event.service = reader.text("service");
    event.event_code = reader.text("event_code");
    event.error_code = reader.text("error_code");
    event.error_message = reader.text("error_message");
    event.actor = reader.actor()?;
    event.client = reader.client();
    event.datastore = reader.datastore()?;
    event.objects = reader.texts("objects");
    if event.outcome != Outcome::Failure {
        event.volume = reader.volume()?;
        event.read_scope = reader.choice("read_scope", &ReadScope::ALL, |scope| scope.as_str())?;
    }
    event.statement = reader.text("statement").map(bounded_statement);
    event.request_uid = reader.text("request_uid");
    event.correlation_uid = reader.text("correlation_uid");
    event.account_uid = reader.text("account_uid");
    event.region = reader.text("region");
    event.provider = reader.text("provider");
    event.sensitivity = reader.choice("sensitivity", &Sensitivity::ALL, |level| level.as_str())?;
    event.changes = reader.changes();
    event.kind = crate::changes::kind_with(event.kind, &event.changes);
    Ok(event)
}

/// A line of CSV as an object, by the names of the columns.
fn csv_record<'a>(text: &'a str, definition: &Definition) -> Result<Node<'a>, Fault> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(definition.delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let is_read = reader
        .read_record(&mut record)
        .map_err(|error| Fault::shape(format!("not a line of CSV: {}", error.kind_sentence())))?;
    if !is_read {
        return Err(Fault::no_event("an empty line"));
    }
    if record.iter().eq(definition.columns.iter().map(String::as_str)) {
        return Err(Fault::no_event("the line that names the columns"));
    }
    if record.len() != definition.columns.len() {
        let (found, expected) = (record.len(), definition.columns.len());
        return Err(Fault::shape(format!("expected {expected} columns, found {found}")));
    }
    let cells = record.iter().map(|cell| Node::Scalar(Cow::Owned(cell.to_owned())));
    let names = definition.columns.iter().map(|name| Cow::Owned(name.clone()));
    Ok(Node::Map(names.zip(cells).collect()))
}

/// What went wrong with CSV, without any of its text.
trait KindSentence {
    fn kind_sentence(&self) -> &'static str;
}

impl KindSentence for csv::Error {
    fn kind_sentence(&self) -> &'static str {
        match self.kind() {
            csv::ErrorKind::Utf8 { .. } => "not UTF-8",
            csv::ErrorKind::UnequalLengths { .. } => "too many or too few columns",
            _ => "its quotes do not match",
        }
    }
}

/// One record, read by a definition.
struct Reader<'r, 'a> {
    definition: &'r Definition,
    record: &'r Node<'a>,
    host: &'r str,
}

impl<'a> Reader<'_, 'a> {
    fn fill(&self, template: &Template) -> Option<Text<'a>> {
        template.fill(self.record, self.host)
    }

    /// A field, as the table of its values translates it.
    fn text(&self, field: &str) -> Option<Text<'a>> {
        let text = self.fill(self.definition.fields.get(field)?)?;
        Some(match self.definition.values.get(field) {
            None => text,
            Some(values) => match values.get(&*text).or_else(|| values.get("*")) {
                Some(value) => Cow::Owned(value.clone()),
                None => text,
            },
        })
        .filter(|text| !text.is_empty())
    }

    /// A list, or the one text that stands for it.
    fn texts(&self, field: &str) -> Vec<Text<'a>> {
        let Some(template) = self.definition.fields.get(field) else { return Vec::new() };
        match template.list(self.record) {
            Some(list) => {
                list.iter().filter_map(Node::scalar).take(OBJECTS_PER_EVENT_MAX).collect()
            }
            None => self.text(field).into_iter().collect(),
        }
    }

    /// A field that has one of few values. Something else is no value, and the record says so.
    fn choice<T: Copy>(
        &self,
        field: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(field) else { return Ok(None) };
        let found = all.iter().copied().find(|value| name(*value).eq_ignore_ascii_case(&text));
        found.map(Some).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|value| name(*value)).collect();
            invalid(field, &format!("none of {}", known.join(", ")))
        })
    }

    fn count(&self, field: &str) -> Result<Option<u64>, Fault> {
        let Some(text) = self.text(field) else { return Ok(None) };
        parse_count(&text).map(Some).ok_or_else(|| invalid(field, "no count"))
    }

    fn time(&self) -> Result<Option<EventTime>, Fault> {
        let Some(text) = self.text("time") else { return Ok(None) };
        let format = self.definition.time_format.as_str();
        let time = match format {
            "auto" => {
                time_text::parse(&text).or_else(|| text.parse().ok().map(time_text::from_epoch))
            }
            "epoch_seconds" => time_text::parse_epoch_seconds(&text),
            "epoch_millis" => text.parse().ok().map(EventTime::from_millis),
            "epoch_micros" => text.parse().ok().map(EventTime::from_micros),
            pattern => parse_by(pattern, &text),
        };
        time.map(Some).ok_or_else(|| invalid("time", &format!("not of the format {format}")))
    }

    fn act(&self) -> Result<Act, Fault> {
        let Some(text) = self.text("act") else { return Ok(Act::UNKNOWN) };
        definition::ACTS.iter().find(|(name, _)| *name == text).map(|(_, act)| *act).ok_or_else(
            || {
                let known: Vec<&str> = definition::ACTS.iter().map(|(name, _)| *name).collect();
                invalid("act", &format!("none of {}", known.join(", ")))
            },
        )
    }

    fn actor(&self) -> Result<Actor<'a>, Fault> {
        let kind = self.choice("actor_kind", &ActorKind::ALL, |kind| kind.as_str())?;
        Ok(Actor {
            uid: self.text("actor_uid"),
            name: self.text("actor_name"),
            kind: kind.unwrap_or_default(),
            user_type: self.text("actor_type"),
            account_uid: self.text("actor_account_uid"),
            credential_uid: self.text("actor_credential_uid"),
            session_uid: self.text("actor_session_uid"),
            issuer: self.text("actor_issuer"),
            mfa: self.text("actor_mfa").and_then(|text| crate::lenient::parse_bool(&text)),
            groups: self.texts("actor_groups"),
        })
    }

    fn client(&self) -> Client<'a> {
        Client {
            ip: self.text("client_ip"),
            domain: self.text("client_domain"),
            port: self.text("client_port").and_then(|port| port.parse().ok()),
            endpoint_uid: self.text("client_endpoint_uid"),
            user_agent: self.text("user_agent"),
        }
    }

    fn datastore(&self) -> Result<Option<Datastore<'a>>, Fault> {
        let form = self.choice("datastore_form", &DatastoreForm::ALL, |form| form.as_str())?;
        let Some(uid) = self.text("datastore_uid") else { return Ok(None) };
        Ok(Some(Datastore {
            uid,
            name: self.text("datastore_name"),
            resource_type: self.text("datastore_type"),
            form: form.unwrap_or(DatastoreForm::Database),
        }))
    }

    fn volume(&self) -> Result<Volume, Fault> {
        Ok(Volume {
            rows: self.count("rows_returned")?.map(RowCount),
            bytes: self.count("bytes_out")?.map(ByteCount),
            objects: self.count("objects_count")?.map(ObjectCount),
        })
    }

    fn changes(&self) -> Vec<Change<'a>> {
        let own = |text: Text<'a>| Cow::Owned(text.into_owned());
        let fill = |template: &Option<Template>| self.fill(template.as_ref()?);
        let applies = |rule: &&definition::ChangeRule| {
            rule.when.iter().all(|(template, value)| {
                let found = self.fill(template);
                found.as_deref().unwrap_or_default() == value.as_str()
            })
        };
        let rules = self.definition.changes.iter().filter(applies);
        rules
            .map(|rule| Change {
                catalogue_row: Cow::Borrowed(""),
                control: rule.control,
                setting: Cow::Owned(rule.setting.clone()),
                opened: fill(&rule.opened).map(own).unwrap_or_default(),
                before: fill(&rule.before).map(own),
                after: fill(&rule.after).map(own),
                direction: rule.direction,
                whole: rule.whole,
            })
            .collect()
    }
}

/// Whether an event has a field.
fn has(event: &AuditEvent<'_>, field: &str) -> bool {
    let (actor, client, datastore) = (&event.actor, &event.client, event.datastore.as_ref());
    match field {
        "time" => event.time_origin != dataward_event::audit_event::TimeOrigin::Kafka,
        "act" => event.activity_id != 0,
        "outcome" => event.outcome != Outcome::Unknown,
        "operation" => event.operation != "unknown",
        "service" => event.service.is_some(),
        "event_code" => event.event_code.is_some(),
        "error_code" => event.error_code.is_some(),
        "error_message" => event.error_message.is_some(),
        "actor_uid" => actor.uid.is_some(),
        "actor_name" => actor.name.is_some(),
        "actor_kind" => actor.kind != ActorKind::Unknown,
        "actor_type" => actor.user_type.is_some(),
        "actor_account_uid" => actor.account_uid.is_some(),
        "actor_credential_uid" => actor.credential_uid.is_some(),
        "actor_session_uid" => actor.session_uid.is_some(),
        "actor_issuer" => actor.issuer.is_some(),
        "actor_mfa" => actor.mfa.is_some(),
        "actor_groups" => !actor.groups.is_empty(),
        "client_ip" => client.ip.is_some(),
        "client_domain" => client.domain.is_some(),
        "client_port" => client.port.is_some(),
        "client_endpoint_uid" => client.endpoint_uid.is_some(),
        "user_agent" => client.user_agent.is_some(),
        "datastore_uid" | "datastore_form" => datastore.is_some(),
        "datastore_name" => datastore.is_some_and(|datastore| datastore.name.is_some()),
        "datastore_type" => datastore.is_some_and(|datastore| datastore.resource_type.is_some()),
        "objects" => !event.objects.is_empty(),
        "rows_returned" => event.volume.rows.is_some(),
        "bytes_out" => event.volume.bytes.is_some(),
        "objects_count" => event.volume.objects.is_some(),
        "read_scope" => event.read_scope.is_some(),
        "statement" => event.statement.is_some(),
        "request_uid" => event.request_uid.is_some(),
        "correlation_uid" => event.correlation_uid.is_some(),
        "account_uid" => event.account_uid.is_some(),
        "region" => event.region.is_some(),
        "provider" => event.provider.is_some(),
        "sensitivity" => event.sensitivity.is_some(),
        _ => true,
    }
}

/// The fault of a field, without its value.
fn invalid(field: &str, why: &str) -> Fault {
    let reason = dataward_event::quarantine::QuarantineReason::InvalidValue;
    Fault::new(reason, format!("the value of `{field}` is {why}"))
}

/// A time by chrono's pattern; without an offset in it, it is UTC.
fn parse_by(pattern: &str, text: &str) -> Option<EventTime> {
    let with_zone = chrono::DateTime::parse_from_str(text, pattern).ok();
    let micros = match with_zone {
        Some(time) => time.timestamp_micros(),
        None => {
            chrono::NaiveDateTime::parse_from_str(text, pattern).ok()?.and_utc().timestamp_micros()
        }
    };
    Some(EventTime::from_micros(micros))
}
