//! What the outermost level of a JSON text is: an event, a list, an envelope, or none of these.

use std::borrow::Cow;
use std::fmt;

use dataward_event::audit_event::Text;
use dataward_event::limits::EVENTS_PER_RECORD_MAX;
use dataward_event::time::EventTime;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::lenient::{Key, Loose, Object, fields};
use crate::recognise::{self, Hints};
use crate::source::Source;
use crate::time_text;

/// What the outermost level of a text looks like.
#[derive(Default)]
pub(super) struct Shape<'t> {
    /// It is an event of this source.
    pub(super) source: Option<Source>,
    /// It is a list of more elements than are read.
    pub(super) has_too_many: bool,
    /// It is, or holds, a list of events.
    pub(super) elements: Option<Vec<&'t RawValue>>,
    /// When it was passed on.
    pub(super) collected: Option<EventTime>,
    keys: Keys<'t>,
}

/// What stands in an envelope.
pub(super) enum Inside<'t> {
    /// The event itself.
    Json(&'t str),
    /// A text that holds it.
    Text(Text<'t>),
    /// Bytes that hold it.
    Base64(Text<'t>),
    /// Something that is no event; the sentence says what was expected.
    Nothing(&'static str),
}

/// The keys that envelopes write, as far as they matter.
#[derive(Default)]
struct Keys<'t> {
    /// Keys that only a shipper, a runtime or a bus writes beside a message.
    is_collected: bool,
    is_event_bridge: bool,
    is_notification: bool,
    is_cloud_event: bool,
    has_subscription: bool,
    /// Every key is one of `id`, `timestamp`, `message`: an element of CloudWatch's `logEvents`.
    other_keys: u32,
    detail: Option<&'t RawValue>,
    data: Option<&'t RawValue>,
    notification: Option<Loose<'t>>,
    message: Option<&'t RawValue>,
    log: Option<Loose<'t>>,
    host: Option<Text<'t>>,
    bus_time: Loose<'t>,
    collector_time: Loose<'t>,
    log_time: Loose<'t>,
}

fields! {
    /// `host`, `kubernetes`: who ran what was logged.
    struct Named<'a> {
        name: Loose<'a> = "name" | "hostname",
        pod_name: Loose<'a> = "pod_name",
        namespace: Loose<'a> = "namespace_name" | "pod_namespace" | "namespace",
        pod: Object<Pod<'a>> = "pod",
    }

    /// Filebeat's `kubernetes.pod`.
    struct Pod<'a> {
        name: Loose<'a> = "name",
    }

    /// Pub/Sub's `message`.
    struct Published<'a> {
        data: Loose<'a> = "data",
        time: Loose<'a> = "publishTime" | "publish_time",
    }
}

impl<'t> Shape<'t> {
    /// Reads keys until one shows that this is an event. What was found before an error stays.
    pub(super) fn look_at(&mut self, text: &'t str) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_any(ShapeVisitor(self))?;
        deserializer.end()
    }

    /// The host that the envelope names.
    pub(super) fn host(&self) -> Option<Text<'t>> {
        self.keys.host.clone()
    }

    /// What stands inside, if this is an envelope of one event.
    pub(super) fn inside(&self) -> Option<Inside<'t>> {
        let keys = &self.keys;
        if keys.is_event_bridge {
            return keys.detail.map(|detail| {
                let mut inner = Shape::default();
                let result = inner.look_at(detail.get());
                if inner.source.is_some() || (result.is_ok() && inner.elements.is_some()) {
                    Inside::Json(detail.get())
                } else {
                    Inside::Nothing("an EventBridge message whose `detail` is not an audit event")
                }
            });
        }
        if keys.is_notification {
            let message = keys.notification.clone().and_then(Loose::text)?;
            return Some(Inside::Text(message));
        }
        if keys.is_cloud_event
            && let Some(data) = keys.data
        {
            return Some(text_or_json(data));
        }
        if keys.has_subscription
            && let Some(message) = keys.message
        {
            let published: Object<Published<'t>> = serde_json::from_str(message.get()).ok()?;
            return published.fields.data.text().map(Inside::Base64);
        }
        let is_log_event = keys.other_keys == 0 && !keys.log_time.clone().text()?.is_empty();
        if !(keys.is_collected || is_log_event) {
            return None;
        }
        match (keys.message, keys.log.clone().and_then(Loose::text)) {
            (Some(message), _) if message.get().starts_with(['"', '{']) => {
                Some(text_or_json(message))
            }
            (_, Some(log)) => Some(Inside::Text(log)),
            _ => None,
        }
    }
}

/// A value that is the event, or a string that holds it.
fn text_or_json(raw: &RawValue) -> Inside<'_> {
    match serde_json::from_str::<Loose<'_>>(raw.get()) {
        Ok(Loose(Some(text))) if raw.get().starts_with('"') => Inside::Text(text),
        _ => Inside::Json(raw.get()),
    }
}

struct ShapeVisitor<'s, 't>(&'s mut Shape<'t>);

impl<'t> Visitor<'t> for ShapeVisitor<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let shape = self.0;
        let mut hints = Hints::default();
        while let Some(Key(name)) = map.next_key::<Key<'t>>()? {
            shape.source = recognise::by_key(&name);
            if shape.source.is_some() {
                return Err(A::Error::custom("an event"));
            }
            hints.note(&name);
            if matches!(&*name, "Records" | "records" | "logEvents" | "items" | "results") {
                map.next_value_seed(Elements(shape))?;
            } else {
                shape.keys.take(&name, &mut map)?;
            }
        }
        shape.source = hints.source();
        shape.collected = shape.keys.time();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, seq: A) -> Result<(), A::Error> {
        Elements(self.0).visit_seq(seq)
    }
}

impl<'t> Keys<'t> {
    fn take<A: MapAccess<'t>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if !matches!(name, "id" | "timestamp" | "message") {
            self.other_keys += 1;
        }
        match name {
            "detail-type" => {
                self.is_event_bridge = true;
                map.next_value::<IgnoredAny>()?;
            }
            "detail" => self.detail = Some(map.next_value()?),
            "Type" => {
                let kind = map.next_value::<Loose<'t>>()?;
                self.is_notification = kind.as_str() == Some("Notification");
            }
            "Message" => self.notification = Some(map.next_value()?),
            "specversion" => {
                self.is_cloud_event = true;
                map.next_value::<IgnoredAny>()?;
            }
            "data" => self.data = Some(map.next_value()?),
            "subscription" => {
                self.has_subscription = true;
                map.next_value::<IgnoredAny>()?;
            }
            "message" | "MESSAGE" => self.message = Some(map.next_value()?),
            "log" => {
                // Filebeat's `log` is an object beside the message; a runtime's is the message.
                self.log = Some(map.next_value::<Loose<'t>>()?);
                self.is_collected = true;
            }
            "host" | "hostname" | "HOSTNAME" | "_HOSTNAME" | "kubernetes" => {
                self.is_collected = true;
                let named: &RawValue = map.next_value()?;
                if let Some(host) = host_in(named)
                    && (self.host.is_none() || name == "kubernetes")
                {
                    self.host = Some(host);
                }
            }
            "logGroup" => {
                self.is_collected = true;
                self.host = map.next_value::<Loose<'t>>()?.text().map(log_group);
            }
            "agent" | "@metadata" | "input" | "stream" | "source_type" | "docker"
            | "container_id" | "syslog_tag" | "syslogtag" | "fromhost" | "_SYSTEMD_UNIT"
            | "tag" | "file" => {
                self.is_collected = true;
                map.next_value::<IgnoredAny>()?;
            }
            "time" => self.bus_time = map.next_value()?,
            "@timestamp" => self.collector_time = map.next_value()?,
            "timestamp" | "date" | "Timestamp" => self.log_time = map.next_value()?,
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    /// The bus stood nearer to the event than whoever read from it.
    fn time(&self) -> Option<EventTime> {
        let bus = Some(&self.bus_time).filter(|_| {
            self.is_event_bridge || self.is_cloud_event || self.log.is_some() || self.is_collected
        });
        let texts = [bus, Some(&self.collector_time), Some(&self.log_time)];
        texts.into_iter().flatten().filter_map(Loose::as_str).find_map(|text| {
            time_text::parse(text).or_else(|| match text.split_once('.') {
                None => text.parse().ok().map(time_text::from_epoch),
                Some(_) => time_text::parse_epoch_seconds(text),
            })
        })
    }
}

/// The name of a host, or of a pod with its namespace.
fn host_in(raw: &RawValue) -> Option<Text<'_>> {
    if !raw.get().starts_with('{') {
        return serde_json::from_str::<Loose<'_>>(raw.get()).ok()?.text();
    }
    let named = serde_json::from_str::<Object<Named<'_>>>(raw.get()).ok()?.fields;
    let pod = named.pod_name.text().or_else(|| named.pod.fields.name.text());
    match (pod, named.namespace.text()) {
        (Some(pod), Some(namespace)) => Some(Cow::Owned(format!("{namespace}/{pod}"))),
        (Some(pod), None) => Some(pod),
        (None, _) => named.name.text(),
    }
}

/// The database of a log group of RDS, `/aws/rds/instance/orders/postgresql`; the group itself of any other.
fn log_group(group: Text<'_>) -> Text<'_> {
    let name = group
        .strip_prefix("/aws/rds/instance/")
        .or_else(|| group.strip_prefix("/aws/rds/cluster/"))
        .and_then(|rest| rest.split('/').next());
    match name {
        Some(name) => Cow::Owned(name.to_owned()),
        None => group,
    }
}

/// Collects the elements of a list one by one, so that those before a fault survive it.
struct Elements<'s, 't>(&'s mut Shape<'t>);

impl<'t> DeserializeSeed<'t> for Elements<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Elements<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        let shape = self.0;
        let elements = shape.elements.insert(Vec::new());
        while let Some(element) = seq.next_element::<&'t RawValue>()? {
            if elements.len() >= EVENTS_PER_RECORD_MAX {
                shape.has_too_many = true;
                return Err(A::Error::custom("too many elements"));
            }
            elements.push(element);
        }
        Ok(())
    }

    // Anything else under the name of a list holds no events, but is no fault of its neighbours either.
    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
