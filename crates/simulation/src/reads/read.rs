//! One read (or write) of the simulated company, small enough to keep millions, and how the detector sees it.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::Ipv4Addr;

use dataward_event::audit_event::{Actor, AuditEvent, Client, Datastore, Outcome, Text};
use dataward_event::time::EventTime;
use dataward_event::volume::{ByteCount, ObjectCount, ReadScope, RowCount, Volume};

use crate::reads::datastore::{Reporting, SimDatastore};
use crate::reads::world::World;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Data was read.
    Read,
    /// Data was written.
    Write,
    /// All of a datastore went out in one go. Its log states no volume.
    Export,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimRead {
    /// When it happened, in microseconds since the epoch.
    pub micros: i64,
    /// How much later it arrived, in milliseconds.
    pub lateness_millis: u32,
    /// Its number: equal in an event that was delivered twice.
    pub serial: u32,
    /// Who, as an index into the world's actors.
    pub actor: u32,
    /// Which datastore, as an index into the world's datastores.
    pub datastore: u16,
    /// How many objects it names: so many from `object` on.
    pub named: u16,
    /// The first object: a table, a key, an index.
    pub object: u32,
    /// From where.
    pub address: u32,
    /// Rows that came back, as the log reports them.
    pub rows: Option<u32>,
    /// Bytes that came back, as the log reports them.
    pub bytes: Option<u64>,
    /// Objects that came back, as the log reports them.
    pub objects: Option<u32>,
    /// What was done.
    pub act: Act,
    /// The attack that it belongs to, as an index into the world's attacks plus one; 0 is none.
    pub attack: u16,
    /// What the attacker has taken with it, in units; the log need not tell.
    pub taken: f32,
}

/// Room for the texts of one event.
#[derive(Debug, Default)]
pub struct Texts {
    uid: String,
    address: String,
    objects: Vec<String>,
}

impl SimRead {
    /// When it arrives, in microseconds since the epoch.
    pub const fn arrival_micros(&self) -> i64 {
        self.micros + self.lateness_millis as i64 * 1000
    }

    /// The attack that it belongs to.
    pub fn attack(&self) -> Option<usize> {
        usize::from(self.attack).checked_sub(1)
    }

    /// Its volume in units: rows, or KiB if those are more; where neither is reported objects, else events.
    pub fn units(&self) -> f64 {
        if self.act == Act::Write {
            return 0.0;
        }
        match (self.rows, self.bytes, self.objects) {
            (None, None, None) => f64::from(self.named.max(1)),
            (None, None, Some(objects)) => f64::from(objects),
            (rows, bytes, _) => {
                let kibibytes = bytes.unwrap_or_default() as f64 / 1024.0;
                f64::from(rows.unwrap_or_default()).max(kibibytes)
            }
        }
    }

    /// Fills in what a datastore's log reports of a volume.
    pub(crate) fn report(&mut self, datastore: &SimDatastore, units: f64) {
        let units = units.clamp(1.0, 4e9);
        match datastore.reporting {
            Reporting::Rows => self.rows = Some(units as u32),
            Reporting::RowsAndBytes => {
                self.rows = Some(units as u32);
                self.bytes = Some((units * 220.0) as u64);
            }
            Reporting::Bytes => {
                self.bytes = Some((units * 1024.0) as u64);
                self.objects = Some(1);
            }
            Reporting::Objects => self.objects = Some(units as u32),
            Reporting::Events => {}
        }
    }

    /// The event as a source decodes it.
    pub fn event<'a>(&self, world: &'a World, texts: &'a mut Texts) -> AuditEvent<'a> {
        let actor = &world.actors[self.actor as usize];
        let datastore = &world.datastores[usize::from(self.datastore)];
        self.write(datastore, texts);
        let texts: &'a Texts = texts;
        let time = EventTime::from_micros(self.micros);
        let (operation, activity_id) = self.operation(datastore.reporting);
        let mut event = AuditEvent::new(texts.uid.as_str(), time, datastore.source(), operation);
        event.activity_id = activity_id;
        event.outcome = Outcome::Success;
        event.actor = Actor {
            uid: Some(Cow::Borrowed(actor.uid.as_str())),
            name: Some(Cow::Borrowed(actor.name.as_str())),
            kind: actor.kind,
            groups: actor.group.iter().map(|group| Cow::Borrowed(group.as_str())).collect(),
            ..Actor::default()
        };
        event.client =
            Client { ip: Some(Cow::Borrowed(texts.address.as_str())), ..Client::default() };
        event.datastore = Some(Datastore {
            uid: Cow::Borrowed(datastore.uid.as_str()),
            name: Some(Cow::Borrowed(datastore.name.as_str())),
            resource_type: None,
            form: datastore.form,
        });
        let named = texts.objects.iter().take(usize::from(self.named));
        event.objects = named.map(|object| Text::from(object.as_str())).collect();
        event.volume = Volume {
            rows: self.rows.map(|rows| RowCount(rows.into())),
            bytes: self.bytes.map(ByteCount),
            objects: self.objects.map(|objects| ObjectCount(objects.into())),
        };
        event.read_scope = (self.act == Act::Export).then_some(ReadScope::Export);
        event.sensitivity = datastore.sensitivity;
        event
    }

    fn write(&self, datastore: &SimDatastore, texts: &mut Texts) {
        texts.uid.clear();
        texts.address.clear();
        let written = write!(texts.uid, "read-{:08x}", self.serial)
            .and_then(|()| write!(texts.address, "{}", Ipv4Addr::from_bits(self.address)));
        debug_assert!(written.is_ok(), "a text takes everything");
        let named = usize::from(self.named);
        if texts.objects.len() < named {
            texts.objects.resize(named, String::new());
        }
        for (text, number) in texts.objects.iter_mut().zip(self.object..).take(named) {
            text.clear();
            let written = match datastore.reporting {
                Reporting::Rows | Reporting::RowsAndBytes => write!(text, "public.t{number:04}"),
                Reporting::Bytes | Reporting::Objects => write!(text, "data/part-{number:08x}"),
                Reporting::Events => write!(text, "index-{number:04}"),
            };
            debug_assert!(written.is_ok(), "a text takes everything");
        }
    }

    /// The product's operation, and OCSF's activity of a datastore: 1 read, 4 query, 5 write.
    const fn operation(&self, reporting: Reporting) -> (&'static str, u16) {
        match (self.act, reporting) {
            (Act::Read, Reporting::Bytes) => ("GetObject", 1),
            (Act::Read, Reporting::Events | Reporting::Objects) => ("search", 4),
            (Act::Read, _) => ("SELECT", 4),
            (Act::Write, Reporting::Bytes) => ("PutObject", 5),
            (Act::Write, _) => ("INSERT", 5),
            (Act::Export, Reporting::Bytes) => ("CopyObject", 1),
            (Act::Export, Reporting::RowsAndBytes) => ("UNLOAD", 4),
            (Act::Export, _) => ("COPY", 4),
        }
    }
}
