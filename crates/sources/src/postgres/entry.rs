//! One entry of the log, whatever its form.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Datastore, DatastoreForm, Text};
use dataward_event::time::EventTime;

use crate::container::Fault;
use crate::source::{Place, Source};

/// Where an entry stands.
pub(super) struct Log<'p> {
    pub(super) source: Source,
    pub(super) raw: &'p str,
    pub(super) place: Place<'p>,
}

/// What stands around the message.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) time: Option<EventTime>,
    pub(super) pid: Option<Text<'a>>,
    pub(super) user: Option<Text<'a>>,
    pub(super) database: Option<Text<'a>>,
    pub(super) host: Option<Text<'a>>,
    pub(super) port: Option<u16>,
    pub(super) application: Option<Text<'a>>,
    pub(super) session: Option<Text<'a>>,
    /// `LOG`, `ERROR`, `FATAL`, `STATEMENT`; empty where the entry says none.
    pub(super) severity: Text<'a>,
    pub(super) state: Option<Text<'a>>,
    /// The statement that failed, where the form has it beside the message.
    pub(super) statement: Option<Text<'a>>,
}

/// What a prefix or column says, unless it says that nobody knows.
pub(super) fn known(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty() && *text != "[unknown]")
}

/// The port after an address: `127.0.0.1:5432`, `127.0.0.1(5432)`, `[local]`.
pub(super) fn host_and_port(text: &str) -> (Option<&str>, Option<u16>) {
    // Colons may be those of the address alone.
    if text.parse::<std::net::IpAddr>().is_ok() {
        return (known(text), None);
    }
    let parted = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
        .or_else(|| text.rsplit_once(':'));
    match parted.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (known(host), Some(port)),
        None => (known(text), None),
    }
}

impl<'a> Entry<'a> {
    /// Begins the event of this entry: who, from where, in which session, on which database.
    pub(super) fn begin(
        &self,
        log: &Log<'_>,
        operation: impl Into<Text<'a>>,
    ) -> Result<AuditEvent<'a>, Fault> {
        let mut event = log.place.event(log.source, log.raw, None, self.time, operation)?;
        event.actor.uid.clone_from(&self.user);
        event.client.ip.clone_from(&self.host);
        event.client.port = self.port;
        event.client.user_agent.clone_from(&self.application);
        let session = self.session.as_ref().or(self.pid.as_ref());
        event.actor.session_uid = session.cloned();
        event.correlation_uid = session.cloned();
        event.error_code = self.state.clone().filter(|state| state != "00000");
        event.datastore = Some(datastore(log, self.database.as_deref()));
        Ok(event)
    }
}

/// A database, or, without one, the whole server.
pub(super) fn datastore(log: &Log<'_>, database: Option<&str>) -> Datastore<'static> {
    let server = log.place.server();
    let (uid, resource_type) = match database {
        Some(database) => (format!("postgres://{server}/{database}"), "PostgreSQL database"),
        None => (format!("postgres://{server}"), "PostgreSQL server"),
    };
    Datastore {
        uid: Cow::Owned(uid),
        name: database.map(|database| Cow::Owned(database.to_owned())),
        resource_type: Some(Cow::Borrowed(resource_type)),
        form: DatastoreForm::Database,
    }
}
