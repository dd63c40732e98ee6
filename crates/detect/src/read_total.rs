//! What was read of a datastore, summed up by minute, actor and network: what the keeper needs to know of reads.
//!
//! A batch of records holds many reads by few readers; their sum is all that crosses to the keeper. Sums do not depend on
//! how records were batched, and each keeps its first and its last read, so that a window can tell what lies in it.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Class, Client, Datastore, EventKind, Outcome,
};
use dataward_event::exposure::ReadFigures;
use dataward_event::position::Position;
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::crowd::Crowds;
use crate::place::Place;

/// A minute of event time, in microseconds.
pub const MINUTE_MICROS: i64 = 60_000_000;

/// Who reads, and from where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReaderKey {
    /// What kind of actor.
    pub kind: ActorKind,
    /// The actor's uid.
    pub uid: Option<Arc<str>>,
    /// The actor's name.
    pub name: Option<Arc<str>>,
    /// The actor's account.
    pub account: Option<Arc<str>>,
    /// The account is known not to be the datastore's.
    pub is_foreign: bool,
    /// The network, as `198.51.100.0/24`, or the client's name.
    pub network: Arc<str>,
}

/// One read, as far as a finding about it needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReadMark {
    /// When.
    pub time: EventTime,
    /// The event's uid.
    pub event_uid: Arc<str>,
    /// Where it stands.
    pub position: Position,
    /// Its OCSF `type_uid`.
    pub type_uid: u64,
    /// The operation.
    pub operation: Arc<str>,
    /// The client's address.
    pub ip: Option<Arc<str>>,
}

/// The reads of one reader on one datastore in one minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTotal {
    /// How much.
    pub figures: ReadFigures,
    /// The earliest read.
    pub first: ReadMark,
    /// The latest read.
    pub last: ReadMark,
}

/// A total on its way to the keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatastoreRead {
    /// The datastore.
    pub datastore: Datastore<'static>,
    /// The source.
    pub source: Arc<str>,
    /// The minute, counted from the epoch.
    pub minute: i64,
    /// Who; `None`: readers that are not told apart.
    pub reader: Option<ReaderKey>,
    /// How much.
    pub total: ReadTotal,
    /// It was written, not read.
    pub is_write: bool,
    /// Where the datastore lies.
    pub place: Arc<Place>,
}

/// Totals in the making.
///
/// Each batch takes those of its readers with it. Of the many readers of our own that the keeper would not tell apart it
/// takes sums, once their minute is over.
#[derive(Debug, Default)]
pub struct ReadTotals {
    reads: Vec<DatastoreRead>,
    crowds: Crowds,
    // Only asked, never iterated: its order cannot show.
    places: HashMap<u64, Places>,
    /// The network of the event at hand.
    network: String,
}

/// The totals of one hash: nearly always one.
#[derive(Debug)]
struct Places {
    first: usize,
    others: Vec<usize>,
}

/// Whether an event read data, and may have got it.
pub fn is_read(event: &AuditEvent<'_>) -> bool {
    if event.kind != EventKind::Access || event.outcome == Outcome::Failure {
        return false;
    }
    match event.class {
        // Read, query, list.
        Class::DatastoreActivity => matches!(event.activity_id, 1 | 4 | 8),
        // A read of settings names no object and reports no volume.
        Class::ApiActivity => {
            let volume = &event.volume;
            let has_volume =
                volume.rows.is_some() || volume.bytes.is_some() || volume.objects.is_some();
            event.activity_id == 2 && (has_volume || !event.objects.is_empty())
        }
        _ => false,
    }
}

/// Whether an event wrote data, and says how much.
fn is_write(event: &AuditEvent<'_>) -> bool {
    /// OCSF Datastore Activity: update, write.
    const WRITES: [u16; 2] = [2, 5];
    let volume = &event.volume;
    event.kind == EventKind::Access
        && event.outcome != Outcome::Failure
        && event.class == Class::DatastoreActivity
        && WRITES.contains(&event.activity_id)
        && (volume.rows.is_some() || volume.bytes.is_some())
}

impl ReadTotals {
    /// Takes an event in, if it is a read of a datastore, or a write of known size.
    pub fn add(&mut self, event: &AuditEvent<'_>, position: &Position) {
        let Some(datastore) = &event.datastore else { return };
        let is_write = !is_read(event);
        if is_write && !self::is_write(event) {
            return;
        }
        let minute = event.time.micros().div_euclid(MINUTE_MICROS);
        network_of(&event.client, &mut self.network);
        if !is_write && self.crowds.take_in(event, datastore, minute, &self.network, position) {
            return;
        }
        let (reads, network) = (&self.reads, self.network.as_str());
        let is_of = |place: &usize| {
            let read = &reads[*place];
            read.minute == minute
                && read.is_write == is_write
                && read.datastore.uid == datastore.uid
                && *read.source == *event.source
                && read.reader.as_ref().is_some_and(|reader| reader.is_of(event, network))
        };
        let new = reads.len();
        match self.places.entry(place_of(event, datastore, minute, network)) {
            Entry::Vacant(places) => {
                places.insert(Places { first: new, others: Vec::new() });
            }
            Entry::Occupied(mut places) => {
                let places = places.get_mut();
                let mut known = std::iter::once(&places.first).chain(&places.others);
                if let Some(place) = known.find(|place| is_of(place)).copied() {
                    self.reads[place].total.add(event, position);
                    return;
                }
                places.others.push(new);
            }
        }
        // What it shares with the read before, it shares.
        let like = self.reads.last();
        self.reads.push(DatastoreRead {
            datastore: datastore.clone().into_owned(),
            source: shared(&event.source, like.map(|read| &read.source)),
            minute,
            reader: Some(ReaderKey::of(event, network, like.and_then(|l| l.reader.as_ref()))),
            total: ReadTotal::of(event, position, like.map(|read| &read.total.last)),
            is_write,
            place: place_like(event, like.map(|read| &read.place)),
        });
    }

    /// The totals since the last call, and the sums of minutes that are over.
    pub fn take(&mut self) -> Vec<DatastoreRead> {
        self.places.clear();
        let mut reads = std::mem::take(&mut self.reads);
        self.crowds.take_past(&mut reads);
        reads
    }

    /// The same, and the sums of the minute at hand: at a barrier, and at the end.
    pub fn take_all(&mut self) -> Vec<DatastoreRead> {
        let mut reads = self.take();
        self.crowds.take_all(&mut reads);
        reads
    }
}

/// Where the datastore of an event lies: the known place where it is the same.
pub(crate) fn place_like(event: &AuditEvent<'_>, known: Option<&Arc<Place>>) -> Arc<Place> {
    let is_same = |known: &&Arc<Place>| {
        known.provider.as_deref() == event.provider.as_deref()
            && known.account.as_deref() == event.account_uid.as_deref()
            && known.region.as_deref() == event.region.as_deref()
    };
    known.filter(is_same).map_or_else(|| Arc::new(Place::of(event)), Arc::clone)
}

fn place_of(event: &AuditEvent<'_>, datastore: &Datastore<'_>, minute: i64, network: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&datastore.uid, minute, &event.actor.uid, &event.actor.name, network).hash(&mut hasher);
    hasher.finish()
}

/// What an actor is known by.
pub(crate) fn identity<'t>(
    kind: ActorKind,
    uid: Option<&'t str>,
    name: Option<&'t str>,
    network: &'t str,
) -> &'t str {
    match kind {
        // Nobody has no name; networks tell nobodies apart.
        ActorKind::Anonymous => network,
        _ => uid.or(name).unwrap_or(network),
    }
}

/// A text that many share: the known one where it is the same.
pub(crate) fn shared(text: &str, known: Option<&Arc<str>>) -> Arc<str> {
    match known {
        Some(known) if **known == *text => Arc::clone(known),
        _ => Arc::from(text),
    }
}

/// The network of a client: addresses of one network are one place.
fn network_of(client: &Client<'_>, network: &mut String) {
    network.clear();
    let ip = client.ip.as_deref();
    let named = match ip.and_then(|ip| ip.parse::<IpAddr>().ok()) {
        Some(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            write!(network, "{a}.{b}.{c}.0/24")
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            write!(network, "{a:x}:{b:x}:{c:x}::/48")
        }
        None => network.write_str(client.domain.as_deref().or(ip).unwrap_or("unknown")),
    };
    debug_assert!(named.is_ok(), "a String takes any text");
}

impl ReaderKey {
    fn of(event: &AuditEvent<'_>, network: &str, like: Option<&Self>) -> Self {
        let actor = &event.actor;
        let own = |text: Option<&str>| text.map(Arc::<str>::from);
        let known_account = like.and_then(|like| like.account.as_ref());
        Self {
            kind: actor.kind,
            uid: own(actor.uid.as_deref()),
            name: own(actor.name.as_deref()),
            account: actor.account_uid.as_deref().map(|account| shared(account, known_account)),
            is_foreign: is_foreign(event),
            network: shared(network, like.map(|like| &like.network)),
        }
    }

    fn is_of(&self, event: &AuditEvent<'_>, network: &str) -> bool {
        let actor = &event.actor;
        self.kind == actor.kind
            && self.uid.as_deref() == actor.uid.as_deref()
            && self.name.as_deref() == actor.name.as_deref()
            && self.account.as_deref() == actor.account_uid.as_deref()
            && self.is_foreign == is_foreign(event)
            && &*self.network == network
    }

    /// Whether nobody should read from there: no identity was proven, or it is one of a foreign account.
    pub fn is_outsider(&self, context: &Context) -> bool {
        let trusts = |account: &str| context.trusts_account(account);
        self.kind == ActorKind::Anonymous
            || (self.is_foreign && !self.account.as_deref().is_some_and(trusts))
    }

    /// What stands open where it can read: nobody's identity, or its account.
    pub fn outsider(&self) -> String {
        match (self.kind, &self.account) {
            (ActorKind::Anonymous, _) | (_, None) => "anonymous".to_owned(),
            (_, Some(account)) => format!("account {account}"),
        }
    }

    /// What one actor is, from whatever network: the ground of a finding's uid.
    pub fn identity(&self) -> &str {
        identity(self.kind, self.uid.as_deref(), self.name.as_deref(), &self.network)
    }

    /// What to call it.
    pub fn label(&self) -> &str {
        match self.kind {
            ActorKind::Anonymous => "anonymous",
            _ => self.name.as_deref().or(self.uid.as_deref()).unwrap_or("an unknown actor"),
        }
    }

    /// The actor, as an event would name it.
    pub fn actor(&self) -> Actor<'static> {
        let own = |text: &Option<Arc<str>>| text.as_deref().map(|text| text.to_owned().into());
        Actor {
            uid: own(&self.uid),
            name: own(&self.name),
            kind: self.kind,
            account_uid: own(&self.account),
            ..Actor::default()
        }
    }
}

/// Whether a reader is nobody, or of an account that is known not to be the datastore's.
pub(crate) fn is_stranger(event: &AuditEvent<'_>) -> bool {
    event.actor.kind == ActorKind::Anonymous || is_foreign(event)
}

fn is_foreign(event: &AuditEvent<'_>) -> bool {
    match (event.actor.account_uid.as_deref(), event.account_uid.as_deref()) {
        (Some(account), Some(own)) => account != own && event.actor.kind != ActorKind::Anonymous,
        _ => false,
    }
}

impl ReadTotal {
    pub(crate) fn of(event: &AuditEvent<'_>, position: &Position, like: Option<&ReadMark>) -> Self {
        let mark = ReadMark::of(event, position, like);
        let mut total = Self { figures: ReadFigures::default(), first: mark.clone(), last: mark };
        total.count(event);
        total
    }

    fn add(&mut self, event: &AuditEvent<'_>, position: &Position) {
        self.count(event);
        let order = (event.time, &*event.uid);
        if order > self.first.order() && order > self.last.order() {
            // Nearly always: reads come in their order.
            self.last.move_to(event, position);
        } else if order <= self.first.order() || order >= self.last.order() {
            self.place(&ReadMark::of(event, position, Some(&self.last)));
        }
    }

    /// Of the same read at several places the smallest one counts, whichever comes first.
    fn place(&mut self, mark: &ReadMark) {
        let is_smaller = |known: &ReadMark| mark.position < known.position;
        match mark.order().cmp(&self.first.order()) {
            Ordering::Less => self.first = mark.clone(),
            Ordering::Equal if is_smaller(&self.first) => self.first = mark.clone(),
            _ => {}
        }
        match mark.order().cmp(&self.last.order()) {
            Ordering::Greater => self.last = mark.clone(),
            Ordering::Equal if is_smaller(&self.last) => self.last = mark.clone(),
            _ => {}
        }
    }

    pub(crate) fn count(&mut self, event: &AuditEvent<'_>) {
        self.figures.reads += 1;
        self.figures.rows.add(event.volume.rows.map(|rows| rows.0));
        self.figures.bytes.add(event.volume.bytes.map(|bytes| bytes.0));
        let named = u64::try_from(event.objects.len()).ok().filter(|count| *count > 0);
        self.figures.objects.add(event.volume.objects.map(|objects| objects.0).or(named));
    }

    /// Adds another total of the same reader and minute.
    pub fn merge(&mut self, other: Self) {
        self.figures.merge(&other.figures);
        self.place(&other.first);
        self.place(&other.last);
    }
}

impl ReadMark {
    fn of(event: &AuditEvent<'_>, position: &Position, like: Option<&Self>) -> Self {
        Self {
            time: event.time,
            event_uid: Arc::from(&*event.uid),
            position: position.clone(),
            type_uid: event.type_uid(),
            operation: shared(&event.operation, like.map(|like| &like.operation)),
            ip: event.client.ip.as_deref().map(Arc::from),
        }
    }

    /// Becomes the mark of another read. What both share is kept.
    fn move_to(&mut self, event: &AuditEvent<'_>, position: &Position) {
        self.time = event.time;
        self.event_uid = Arc::from(&*event.uid);
        self.position = position.clone();
        self.type_uid = event.type_uid();
        if *self.operation != *event.operation {
            self.operation = Arc::from(&*event.operation);
        }
        if self.ip.as_deref() != event.client.ip.as_deref() {
            self.ip = event.client.ip.as_deref().map(Arc::from);
        }
    }

    fn order(&self) -> (EventTime, &str) {
        (self.time, &self.event_uid)
    }

    /// The client, as an event would name it.
    pub fn client(&self) -> Client<'static> {
        Client { ip: self.ip.as_deref().map(|ip| ip.to_owned().into()), ..Client::default() }
    }
}
