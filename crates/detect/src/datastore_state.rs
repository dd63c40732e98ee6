//! What the keeper knows of one datastore: what is settled, and what a late event can still change.
//!
//! Events within the lateness bound are kept as they are, ordered by (event time, uid), and what follows from them is
//! derived anew whenever one arrives: a late event simply takes its place. Older ones are folded into `settled`. So what
//! is known is a function of the set of events, whatever the order of their arrival.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_event::audit_event::{Actor, ActorKind, Client, Datastore, DatastoreForm, Outcome};
use dataward_event::exposure::{Known, ReadFigures};
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::act::{COMPANION_MICROS, joined};
use crate::actor_key::identity_hash;
use crate::context::Context;
use crate::opening::{Opening, Tally, still_open_dues};
use crate::posture::{Facts, Posture, outside_read_change};
use crate::posture_event::PostureEvent;
use crate::read_total::{DatastoreRead, MINUTE_MICROS, ReadMark, ReadTotal, ReaderKey};

/// The most recent events kept as they are: what each further event costs. Of a datastore that is changed more often within
/// the lateness bound the oldest are folded early, and a late event among them no longer takes its place.
const RECENT_MAX: usize = 256;
/// Readers of our own that are told apart in one minute; further ones are summed up.
pub(crate) const INSIDERS_PER_MINUTE_MAX: usize = 16;
/// Readers from outside that are told apart in one minute.
const OUTSIDERS_PER_MINUTE_MAX: usize = 64;

/// What is known of one datastore.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatastoreState {
    settled: Posture,
    recent: BTreeMap<(EventTime, String), Arc<PostureEvent>>,
    totals: BTreeMap<TotalKey, ReadTotal>,
    /// Reads that are not told apart, by minute.
    others: BTreeMap<i64, ReadFigures>,
    /// The sources that tell of it, in order.
    sources: Vec<Arc<str>>,
    datastore: Option<Datastore<'static>>,
    /// How many of the totals are of readers that may be outsiders.
    strangers: usize,
    /// What was derived last, while it holds.
    #[serde(skip)]
    memo: Memo,
}

/// What [`DatastoreState::derive`] would find. It follows from the rest of a state, so it is no part of what is equal.
#[derive(Debug, Default, Clone)]
struct Memo(Option<Box<Posture>>);

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl Memo {
    fn has_openings(&self) -> bool {
        self.0.as_ref().is_some_and(|posture| posture.openings().next().is_some())
    }

    /// Older events are folded: what was open in them, and is closed, is forgotten.
    fn fold(&mut self) {
        if self.has_openings() {
            self.0 = None;
        }
    }
}

/// A minute and a reader. Which readers are told apart is decided by a hash of them, never by who came first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct TotalKey {
    minute: i64,
    is_stranger: bool,
    hash: u64,
    reader: ReaderKey,
}

/// The state of a datastore as of the newest event.
#[derive(Debug)]
pub struct Derived<'s> {
    /// Its protection.
    pub posture: Posture,
    state: &'s DatastoreState,
    context: &'s Context,
}

/// How a read lies to an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Edge,
    Outside,
}

impl DatastoreState {
    /// Takes a change in.
    pub fn insert(&mut self, event: PostureEvent, context: &Context) {
        self.know(&event.datastore, &event.source);
        let place = (event.time, event.uid.clone());
        if let Some(known) = self.recent.get_mut(&place) {
            // The same event from another place: a set has it once, under its smaller position.
            if event.position < known.position {
                Arc::make_mut(known).position = event.position;
                self.memo.0 = None;
            }
            return;
        }
        let event = Arc::new(event);
        let is_newest = self.recent.last_key_value().is_none_or(|(newest, _)| *newest < place)
            && event.correlation_uid.is_none();
        let memo = self.memo.0.take().filter(|_| is_newest && self.strangers == 0);
        if let Some(mut posture) = memo {
            posture.step(&event, &self.facts(context));
            self.memo.0 = Some(posture);
        }
        self.recent.insert(place, event);
    }

    /// Finds totals again that an earlier release has saved under other hashes.
    pub fn rehash(&mut self) {
        let hash_of = |key: &TotalKey| identity_hash(key.reader.identity());
        if self.totals.first_key_value().is_none_or(|(key, _)| key.hash == hash_of(key)) {
            return;
        }
        let totals = std::mem::take(&mut self.totals).into_iter();
        self.totals =
            totals.map(|(key, total)| (TotalKey { hash: hash_of(&key), ..key }, total)).collect();
    }

    /// Derives what will be asked for, if it is not known.
    pub fn remember(&mut self, context: &Context) {
        if self.memo.0.is_none() && !self.is_calm() {
            self.memo.0 = Some(Box::new(self.derive(context).posture));
        }
    }

    /// Whether there is no room for one more recent event.
    pub fn is_full(&self) -> bool {
        self.recent.len() >= RECENT_MAX
    }

    /// Folds the oldest recent event early. What has followed from it is said by now.
    pub fn fold_oldest(&mut self, context: &Context) {
        let facts = self.facts(context);
        if let Some((_, oldest)) = self.recent.pop_first() {
            let oldest = joined(&oldest, self.recent.values());
            self.settled.step(&oldest, &facts);
            self.settled.forget_closed();
            self.memo.fold();
        }
    }

    /// Takes a change in that is older than what is settled. Returns what must be told of it.
    pub fn insert_late(&mut self, event: PostureEvent, context: &Context) -> Vec<Arc<Opening>> {
        self.know(&event.datastore, &event.source);
        self.memo.0 = None;
        let facts = self.facts(context);
        self.settled.step_late(&Arc::new(event), &facts)
    }

    /// Takes reads in. Those older than what is settled count in the first minute that is not.
    pub fn insert_read(&mut self, read: DatastoreRead, settled_minute: i64) {
        self.know(&read.datastore, &read.source);
        let minute = read.minute.max(settled_minute);
        let Some(reader) = read.reader else {
            self.others.entry(minute).or_default().merge(&read.total.figures);
            return;
        };
        let is_stranger = reader.kind == ActorKind::Anonymous || reader.is_foreign;
        let hash = identity_hash(reader.identity());
        let key = TotalKey { minute, is_stranger, hash, reader };
        if is_stranger {
            self.memo.0 = None;
        }
        if let Some(known) = self.totals.get_mut(&key) {
            known.merge(read.total);
            return;
        }
        self.strangers += usize::from(is_stranger);
        self.totals.insert(key, read.total);
        let of_minute = || {
            let of = self.totals.range(first_key(minute, is_stranger)..);
            of.take_while(|(key, _)| (key.minute, key.is_stranger) == (minute, is_stranger))
        };
        let most = if is_stranger { OUTSIDERS_PER_MINUTE_MAX } else { INSIDERS_PER_MINUTE_MAX };
        if of_minute().count() > most
            && let Some(last) = of_minute().last().map(|(key, _)| key.clone())
            && let Some(total) = self.totals.remove(&last)
        {
            self.strangers -= usize::from(is_stranger);
            self.others.entry(minute).or_default().merge(&total.figures);
        }
    }

    fn know(&mut self, datastore: &Datastore<'static>, source: &str) {
        if let Err(place) = self.sources.binary_search_by(|known| (**known).cmp(source)) {
            self.sources.reserve_exact(1);
            self.sources.insert(place, source.into());
        }
        // Events name it more or less fully; the fullest one counts, whichever comes first.
        let fullness = |known: &Datastore<'static>| {
            let (name, kind) = (known.name.clone(), known.resource_type.clone());
            (known.form != DatastoreForm::Other, kind, name, known.form)
        };
        match &mut self.datastore {
            Some(known) if known == datastore => {}
            Some(known) if fullness(known) >= fullness(datastore) => {}
            known => {
                *known = Some(datastore.clone());
                self.memo.0 = None;
            }
        }
    }

    /// What the context says of it.
    pub fn facts<'c>(&self, context: &'c Context) -> Facts<'c> {
        let known = self.datastore.as_ref();
        let entry = known.and_then(|datastore| context.datastore(datastore));
        Facts {
            trusted: &context.trusted,
            form: known.map_or(DatastoreForm::Other, |datastore| datastore.form),
            reachable: entry.map_or(Known::Unknown, |entry| entry.reachable()),
            is_expected_public: entry.is_some_and(|entry| entry.expected_public),
        }
    }

    /// The datastore, as fully as anybody has named it.
    pub fn datastore(&self) -> Option<&Datastore<'static>> {
        self.datastore.as_ref()
    }

    /// The sources that tell of it.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| &**source)
    }

    /// Whether a late event can still change something.
    pub fn has_recent(&self) -> bool {
        !self.recent.is_empty() || !self.totals.is_empty() || !self.others.is_empty()
    }

    /// Windows that reads made known, up to the lateness bound: where they are exposed no longer nothing stands of them.
    pub fn openings_of_reads(&self) -> impl Iterator<Item = &Arc<Opening>> {
        self.settled.openings().filter(|opening| opening.is_of_a_read())
    }

    /// Whether reads are not folded yet.
    pub fn has_reads(&self) -> bool {
        !self.totals.is_empty() || !self.others.is_empty()
    }

    /// Whether something of it is before a time.
    pub fn has_before(&self, horizon: EventTime) -> bool {
        let minute = horizon.micros().div_euclid(MINUTE_MICROS);
        let oldest = horizon.plus_micros(-COMPANION_MICROS);
        let is_due = |time: EventTime, event: &PostureEvent| time < oldest || !event.is_companion();
        let mut recent = self.recent.iter().take_while(|((time, _), _)| *time < horizon);
        recent.any(|((time, _), event)| is_due(*time, event))
            || self.totals.first_key_value().is_some_and(|(key, _)| key.minute < minute)
            || self.others.first_key_value().is_some_and(|(of, _)| *of < minute)
    }

    /// Folds everything before the horizon, which is a whole minute.
    pub fn settle(&mut self, horizon: EventTime, context: &Context) {
        let minute = horizon.micros().div_euclid(MINUTE_MICROS);
        let events = take_before(&mut self.recent, &(horizon, String::new()));
        let companions = events.values().chain(self.recent.values());
        let totals = take_before(&mut self.totals, &first_key(minute, false));
        let others = take_before(&mut self.others, &minute);
        self.strangers -= totals.keys().filter(|key| key.is_stranger).count();

        let facts = self.facts(context);
        let inputs = self.inputs(events.values(), companions, totals.iter(), context);
        for input in &inputs {
            step(&mut self.settled, input, &facts);
        }
        for opening in self.settled.openings_mut() {
            let before = opening.tally.clone();
            if let Some(exposed) = &mut opening.exposure {
                for read in reads_inside(totals.iter(), exposed.interval(), context) {
                    exposed.told.is_new(&read.identity(), read.is_stranger());
                }
            }
            let interval = opening.interval();
            add_reads(&mut opening.tally, interval, totals.iter(), &others, context);
            for (place, due) in still_open_dues(opening) {
                if opening.tallies_when_told.contains_key(&place) || opening.tally == before {
                    continue;
                }
                let mut tally = before.clone();
                let until = (opening.event.time, Some(due));
                add_reads(&mut tally, until, totals.iter(), &others, context);
                // From here on the whole tally holds reads that came after.
                if tally != opening.tally {
                    opening.tallies_when_told.insert(place, tally);
                }
            }
        }
        // Who made a change of which the next record tells is not forgotten between the two.
        let oldest = horizon.plus_micros(-COMPANION_MICROS);
        let kept =
            events.into_iter().filter(|((time, _), event)| *time >= oldest && event.is_companion());
        self.recent.extend(kept);
        self.settled.forget_closed();
        self.memo.fold();
        if self.recent.is_empty() {
            // Then it is what is settled.
            self.memo.0 = None;
        }
    }

    /// The state as of the newest event.
    pub fn derive<'s>(&'s self, context: &'s Context) -> Derived<'s> {
        if let Some(posture) = &self.memo.0 {
            return Derived { posture: (**posture).clone(), state: self, context };
        }
        let facts = self.facts(context);
        let mut posture = self.settled.clone();
        for input in
            &self.inputs(self.recent.values(), self.recent.values(), self.totals.iter(), context)
        {
            step(&mut posture, input, &facts);
        }
        Derived { posture, state: self, context }
    }

    /// Whether nothing can be told of it: nothing is open, and nothing happened lately that could open or close.
    pub fn is_calm(&self) -> bool {
        if self.memo.0.is_some() && !self.memo.has_openings() {
            return true;
        }
        self.recent.is_empty() && self.settled.openings().next().is_none() && self.strangers == 0
    }

    /// Follows a change of the context, which is an event of its own in the life of the datastore.
    pub fn judge_again(&mut self, at: EventTime, context: &Context) {
        self.memo.0 = None;
        self.settled.forget_trusted(&context.trusted);
        let newest = self.settled.openings().last().map(|opening| Arc::clone(&opening.event));
        let Some(newest) = newest else { return };
        let adoption = PostureEvent {
            uid: context.hash(),
            type_uid: 0,
            time: at,
            source: "dataward".to_owned(),
            operation: "context_adopted".to_owned(),
            service: None,
            correlation_uid: None,
            outcome: Outcome::Success,
            actor: Actor { name: Some("the context file".into()), ..Actor::default() },
            client: Client::default(),
            changes: Vec::new(),
            sensitivity: None,
            is_destruction: false,
            position: newest.position.clone(),
            datastore: newest.datastore.clone(),
        };
        let facts = self.facts(context);
        self.settled.judge(&Arc::new(adoption), at, true, &facts);
    }

    /// Changes and reads from outside, in the order of their times.
    fn inputs<'i>(
        &self,
        events: impl Iterator<Item = &'i Arc<PostureEvent>>,
        companions: impl Iterator<Item = &'i Arc<PostureEvent>> + Clone,
        totals: impl Iterator<Item = (&'i TotalKey, &'i ReadTotal)>,
        context: &Context,
    ) -> Vec<Input> {
        let mut inputs: Vec<Input> =
            events.map(|event| Input::Change(joined(event, companions.clone()))).collect();
        let Some(datastore) = &self.datastore else { return inputs };
        let source = self.sources.first().map_or("", |source| &**source);
        let strangers =
            totals.filter(|(key, _)| key.is_stranger && key.reader.is_outsider(context));
        inputs.extend(strangers.map(|(key, total)| {
            let read = as_change(datastore, source, &key.reader, &total.first);
            Input::OutsideRead(Arc::new(read))
        }));
        if inputs.iter().any(|input| matches!(input, Input::OutsideRead(_))) {
            inputs.sort_by(|one, other| one.order().cmp(&other.order()));
        }
        inputs
    }
}

/// Takes out what stands before a key. What is left of an empty map takes no memory.
fn take_before<K: Ord, V>(map: &mut BTreeMap<K, V>, key: &K) -> BTreeMap<K, V> {
    let mut later = map.split_off(key);
    if later.is_empty() {
        later = BTreeMap::new();
    }
    std::mem::replace(map, later)
}

enum Input {
    Change(Arc<PostureEvent>),
    OutsideRead(Arc<PostureEvent>),
}

impl Input {
    fn order(&self) -> (EventTime, &str) {
        let (Self::Change(event) | Self::OutsideRead(event)) = self;
        (event.time, &event.uid)
    }
}

fn step(posture: &mut Posture, input: &Input, facts: &Facts<'_>) {
    match input {
        Input::Change(event) => posture.step(event, facts),
        Input::OutsideRead(read) => posture.step_outside_read(read, facts),
    }
}

fn first_key(minute: i64, is_stranger: bool) -> TotalKey {
    let reader = ReaderKey {
        kind: ActorKind::Unknown,
        uid: None,
        name: None,
        account: None,
        is_foreign: false,
        network: Arc::default(),
    };
    TotalKey { minute, is_stranger, hash: 0, reader }
}

/// A read from outside, as the change that it makes known.
fn as_change(
    datastore: &Datastore<'static>,
    source: &str,
    reader: &ReaderKey,
    read: &ReadMark,
) -> PostureEvent {
    let is_anonymous = reader.kind == ActorKind::Anonymous;
    PostureEvent {
        uid: read.event_uid.to_string(),
        type_uid: read.type_uid,
        time: read.time,
        position: read.position.clone(),
        source: source.to_owned(),
        operation: read.operation.to_string(),
        service: None,
        correlation_uid: None,
        outcome: Outcome::Success,
        actor: reader.actor(),
        client: read.client(),
        datastore: datastore.clone(),
        changes: vec![outside_read_change(is_anonymous, reader.outsider())],
        sensitivity: None,
        is_destruction: false,
    }
}

/// Adds the reads that lie in `[from, to)`.
fn add_reads<'t>(
    tally: &mut Tally,
    interval: (EventTime, Option<EventTime>),
    totals: impl Iterator<Item = (&'t TotalKey, &'t ReadTotal)>,
    others: &BTreeMap<i64, ReadFigures>,
    context: &Context,
) {
    let as_edge = |figures: &ReadFigures| ReadFigures {
        reads_at_edges: figures.reads,
        ..ReadFigures::default()
    };
    for (key, total) in totals {
        let is_outsider = key.reader.is_outsider(context);
        match place(interval, total.first.time, total.last.time) {
            Place::Inside => tally.add(Some(&key.reader), is_outsider, &total.figures),
            Place::Edge => tally.add(Some(&key.reader), is_outsider, &as_edge(&total.figures)),
            Place::Outside => {}
        }
    }
    for (minute, figures) in others {
        let start = EventTime::from_micros(minute.saturating_mul(MINUTE_MICROS));
        match place(interval, start, start.plus_micros(MINUTE_MICROS - 1)) {
            Place::Inside => tally.add(None, false, figures),
            Place::Edge => tally.add(None, false, &as_edge(figures)),
            Place::Outside => {}
        }
    }
}

fn place(interval: (EventTime, Option<EventTime>), first: EventTime, last: EventTime) -> Place {
    let is_inside = |time: EventTime| time >= interval.0 && interval.1.is_none_or(|to| time < to);
    if is_inside(first) && is_inside(last) {
        Place::Inside
    } else if last < interval.0 || interval.1.is_some_and(|to| first >= to) {
        Place::Outside
    } else {
        Place::Edge
    }
}

/// A read in an interval: whose, and the first of it that certainly lies inside.
#[derive(Debug, Clone)]
pub struct ReadInside<'s> {
    /// Who.
    pub reader: &'s ReaderKey,
    /// The read.
    pub mark: &'s ReadMark,
    /// Anonymous, or of a foreign account.
    pub is_outsider: bool,
    /// From a network from which no reads are expected.
    pub is_unexpected: bool,
}

impl Derived<'_> {
    /// What was read in an interval that belongs to an opening: `settled` holds what is older.
    pub fn tally(&self, settled: &Tally, interval: (EventTime, Option<EventTime>)) -> Tally {
        let mut tally = settled.clone();
        add_reads(&mut tally, interval, self.state.totals.iter(), &self.state.others, self.context);
        tally
    }

    /// The first certain read of each identity in an interval, in the order of time.
    pub fn reads_inside(&self, interval: (EventTime, Option<EventTime>)) -> Vec<ReadInside<'_>> {
        reads_inside(self.state.totals.iter(), interval, self.context)
    }
}

impl ReadInside<'_> {
    /// Who is told of once: an actor, and one of our own from an unexpected network once more for each network.
    pub fn identity(&self) -> String {
        let identity = self.reader.identity();
        if self.is_unexpected && !self.is_outsider {
            return format!("{identity} from {}", self.reader.network);
        }
        identity.to_owned()
    }

    /// Nobody of our own, or one of our own from where none are expected.
    pub fn is_stranger(&self) -> bool {
        self.is_outsider || self.is_unexpected
    }
}

fn reads_inside<'t>(
    totals: impl Iterator<Item = (&'t TotalKey, &'t ReadTotal)>,
    interval: (EventTime, Option<EventTime>),
    context: &Context,
) -> Vec<ReadInside<'t>> {
    let is_inside = |time: EventTime| time >= interval.0 && interval.1.is_none_or(|to| time < to);
    let mut first: BTreeMap<String, ReadInside<'t>> = BTreeMap::new();
    for (key, total) in totals {
        let mark = [&total.first, &total.last].into_iter().find(|mark| is_inside(mark.time));
        let Some(mark) = mark else { continue };
        let read = ReadInside {
            reader: &key.reader,
            mark,
            is_outsider: key.reader.is_outsider(context),
            is_unexpected: !context.expects_address(mark.ip.as_deref()),
        };
        let known = first.entry(read.identity()).or_insert_with(|| read.clone());
        if (mark.time, &mark.event_uid) < (known.mark.time, &known.mark.event_uid) {
            *known = read;
        }
    }
    let mut reads: Vec<ReadInside<'t>> = first.into_values().collect();
    reads.sort_by_key(|read| (read.mark.time, Arc::clone(&read.mark.event_uid)));
    reads
}
