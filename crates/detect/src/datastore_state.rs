//! What the keeper knows of one datastore: what is settled, and what a late event can still change.
//!
//! Events within the lateness bound are kept as they are, ordered by (event time, uid), and what follows from them is
//! derived anew whenever one arrives: a late event simply takes its place. Older ones are folded into `settled`. So what
//! is known is a function of the set of events, whatever the order of their arrival.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataward_event::audit_event::{Actor, ActorKind, Datastore, DatastoreForm};
use dataward_event::exposure::{Known, ReadFigures};
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::act::{COMPANION_MICROS, joined};
use crate::actor_key::identity_hash;
use crate::context::{Context, DatastoreContext};
use crate::flows::Flows;
use crate::guards::AccountGuards;
use crate::opening::{Opening, still_open_dues};
use crate::place::Place;
use crate::posture::{Facts, Posture, outside_read_change};
use crate::posture_event::PostureEvent;
use crate::read_inside::{add_reads, reads_inside};
use crate::read_total::{DatastoreRead, MINUTE_MICROS, ReadMark, ReadTotal, ReaderKey};
use crate::rhythm::Rhythm;
use crate::state::since_3;

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
    pub(crate) totals: BTreeMap<TotalKey, ReadTotal>,
    /// Reads that are not told apart, by minute.
    others: BTreeMap<i64, ReadFigures>,
    /// The sources that tell of it, in order.
    sources: Vec<Arc<str>>,
    datastore: Option<Datastore<'static>>,
    /// How many of the totals are of readers that may be outsiders.
    strangers: usize,
    /// Where it lies.
    #[serde(deserialize_with = "since_3")]
    place: Place,
    /// How often each source tells of its being read, in order.
    #[serde(deserialize_with = "since_3")]
    pub(crate) rhythms: Vec<(Arc<str>, Rhythm)>,
    /// What was written into it.
    #[serde(deserialize_with = "since_3")]
    pub(crate) writes: BTreeMap<TotalKey, ReadTotal>,
    /// What was moved out of it and into it.
    #[serde(deserialize_with = "since_3")]
    pub(crate) flows: Flows,
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
        let tells =
            |posture: &Posture| posture.openings().next().is_some() || !posture.copies.is_empty();
        self.0.as_deref().is_some_and(tells)
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
pub(crate) struct TotalKey {
    pub(crate) minute: i64,
    pub(crate) is_stranger: bool,
    pub(crate) hash: u64,
    pub(crate) reader: ReaderKey,
}

/// What is known from elsewhere: the context, and what stands above the datastore in its account.
#[derive(Debug, Clone, Copy)]
pub struct Around<'c> {
    /// What people know.
    pub context: &'c Context,
    /// The guards of its account.
    pub guards: Option<&'c AccountGuards>,
}

/// The state of a datastore as of the newest event.
#[derive(Debug)]
pub struct Derived<'s> {
    /// Its protection.
    pub posture: Posture,
    state: &'s DatastoreState,
    context: &'s Context,
}

impl<'s> Derived<'s> {
    pub(crate) fn totals(&self) -> impl Iterator<Item = (&'s TotalKey, &'s ReadTotal)> + use<'s> {
        self.state.totals.iter()
    }

    pub(crate) fn others(&self) -> &'s BTreeMap<i64, ReadFigures> {
        &self.state.others
    }

    pub(crate) fn context(&self) -> &'s Context {
        self.context
    }

    /// What the context says of the datastore.
    pub(crate) fn entry(&self) -> Option<&'s DatastoreContext> {
        self.state.entry(self.context)
    }
}

impl DatastoreState {
    /// Takes a change in.
    pub fn insert(&mut self, event: PostureEvent, around: Around<'_>) {
        self.know(&event.datastore, &event.source, &event.place);
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
            && event.correlation_uid.is_none()
            && around.guards.is_none_or(|guards| guards.are_before(&place));
        let memo = self.memo.0.take().filter(|_| is_newest && self.strangers == 0);
        if let Some(mut posture) = memo {
            posture.step(&event, &self.facts(around.context));
            self.memo.0 = Some(posture);
        }
        self.recent.insert(place, event);
    }

    /// Takes an event back that was concluded, not told: it was not so.
    pub(crate) fn withdraw(&mut self, time: EventTime, uid: &str) {
        self.recent.remove(&(time, uid.to_owned()));
        self.memo.0 = None;
    }

    /// Whether it has an event of this time and uid that a late one can still change.
    pub(crate) fn has_event(&self, time: EventTime, uid: &str) -> bool {
        self.recent.contains_key(&(time, uid.to_owned()))
    }

    /// What stands above it has changed.
    pub(crate) fn forget_memo(&mut self) {
        self.memo.0 = None;
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
    pub fn remember(&mut self, around: Around<'_>) {
        if self.memo.0.is_none() && !self.is_calm() {
            self.memo.0 = Some(Box::new(self.derive(around).posture));
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
            self.settled.forget_closed(oldest.time);
            self.memo.fold();
        }
    }

    /// Takes a change in that is older than what is settled. Returns what must be told of it.
    pub fn insert_late(&mut self, event: PostureEvent, context: &Context) -> Vec<Arc<Opening>> {
        self.know(&event.datastore, &event.source, &event.place);
        self.memo.0 = None;
        let facts = self.facts(context);
        self.settled.step_late(&Arc::new(event), &facts)
    }

    /// Takes reads in. Those older than what is settled count in the first minute that is not.
    pub fn insert_read(&mut self, read: DatastoreRead, settled_minute: i64) {
        self.know(&read.datastore, &read.source, &read.place);
        let minute = read.minute.max(settled_minute);
        let Some(reader) = read.reader else {
            if !read.is_write {
                self.others.entry(minute).or_default().merge(&read.total.figures);
            }
            return;
        };
        let is_stranger = reader.kind == ActorKind::Anonymous || reader.is_foreign;
        let hash = identity_hash(reader.identity());
        let key = TotalKey { minute, is_stranger, hash, reader };
        if read.is_write {
            add_total(&mut self.writes, key, read.total);
            return;
        }
        if is_stranger {
            self.memo.0 = None;
            self.strangers += usize::from(!self.totals.contains_key(&key));
        }
        if let Some(figures) = add_total(&mut self.totals, key, read.total) {
            self.strangers -= usize::from(is_stranger);
            self.others.entry(minute).or_default().merge(&figures);
        }
    }

    fn know(&mut self, datastore: &Datastore<'static>, source: &str, place: &Place) {
        self.place.learn(place);
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

    /// The entry of the context that fits it.
    pub fn entry<'c>(&self, context: &'c Context) -> Option<&'c DatastoreContext> {
        self.datastore.as_ref().and_then(|datastore| context.datastore(datastore))
    }

    /// Where it lies, as far as events tell.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// When it was made, as far as that was seen.
    pub(crate) fn births(&self) -> impl Iterator<Item = EventTime> {
        let recent = self.recent.values().filter(|event| event.is_creation);
        recent.chain(&self.settled.births).map(|birth| birth.time)
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
        !self.recent.is_empty()
            || !self.totals.is_empty()
            || !self.others.is_empty()
            || self.moves()
            || !self.settled.births.is_empty()
            || self.rhythms.iter().any(|(_, rhythm)| rhythm.has_recent())
    }

    /// Windows that reads made known, up to the lateness bound: where they are exposed no longer nothing stands of them.
    pub fn openings_of_reads(&self) -> impl Iterator<Item = &Arc<Opening>> {
        self.settled.openings().filter(|opening| opening.is_of_a_read())
    }

    /// Whether reads are not folded yet.
    pub fn has_reads(&self) -> bool {
        !self.totals.is_empty() || !self.others.is_empty()
    }

    /// Whether what stands above it has changed since it was folded.
    pub(crate) fn has_guards_to_fold(&self, guards: Option<&AccountGuards>) -> bool {
        guards.is_some_and(|guards| guards.after(&self.settled.guards).1.next().is_some())
    }

    /// Whether something of it, or of what stands above it, is before a time.
    pub fn has_before(&self, horizon: EventTime, guards: Option<&AccountGuards>) -> bool {
        let mut guards = guards.into_iter().flat_map(|all| all.after(&self.settled.guards).1);
        if guards.any(|guard| guard.time < horizon) {
            return true;
        }
        let minute = horizon.micros().div_euclid(MINUTE_MICROS);
        let oldest = horizon.plus_micros(-COMPANION_MICROS);
        let is_due = |time: EventTime, event: &PostureEvent| time < oldest || !event.is_companion();
        let mut recent = self.recent.iter().take_while(|((time, _), _)| *time < horizon);
        recent.any(|((time, _), event)| is_due(*time, event))
            || self.totals.first_key_value().is_some_and(|(key, _)| key.minute < minute)
            || self.others.first_key_value().is_some_and(|(of, _)| *of < minute)
            || self.writes.first_key_value().is_some_and(|(key, _)| key.minute < minute)
            || self.rhythms.iter().any(|(_, rhythm)| rhythm.has_before(horizon))
            || self.flows.has_before(horizon)
            || self.settled.births_over(horizon).next().is_some()
    }

    /// Folds everything before the horizon, which is a whole minute.
    pub fn settle(&mut self, horizon: EventTime, around: Around<'_>) {
        let context = around.context;
        let minute = horizon.micros().div_euclid(MINUTE_MICROS);
        let events = take_before(&mut self.recent, &(horizon, String::new()));
        let companions = events.values().chain(self.recent.values());
        let totals = take_before(&mut self.totals, &first_key(minute, false));
        let others = take_before(&mut self.others, &minute);
        let writes = take_before(&mut self.writes, &first_key(minute, false));
        self.strangers -= totals.keys().filter(|key| key.is_stranger).count();
        self.flows.fold(totals.iter(), writes.iter());
        self.flows.forget(horizon);

        let facts = self.facts(context);
        let inputs = self.inputs(events.values(), companions, totals.iter(), around, Some(horizon));
        adopt_guards(&mut self.settled, around);
        for input in &inputs {
            step(&mut self.settled, input, &facts);
        }
        let entry = self.datastore.as_ref().and_then(|datastore| context.datastore(datastore));
        for opening in self.settled.openings_mut() {
            let before = opening.tally.clone();
            if let Some(exposed) = &mut opening.exposure {
                for read in reads_inside(totals.iter(), exposed.interval(), context, entry) {
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
        self.settled.forget_closed(horizon);
        self.memo.fold();
        if self.recent.is_empty() {
            // Then it is what is settled.
            self.memo.0 = None;
        }
    }

    /// The state as of the newest event.
    pub fn derive<'s>(&'s self, around: Around<'s>) -> Derived<'s> {
        let context = around.context;
        if let Some(posture) = &self.memo.0 {
            return Derived { posture: (**posture).clone(), state: self, context };
        }
        Derived { posture: self.posture_at(around, None), state: self, context }
    }

    /// Its protection just before a time: not longer ago than the lateness bound.
    pub(crate) fn posture_at(&self, around: Around<'_>, end: Option<EventTime>) -> Posture {
        let facts = self.facts(around.context);
        let mut posture = self.settled.clone();
        adopt_guards(&mut posture, around);
        let recent = || self.recent.values();
        for input in &self.inputs(recent(), recent(), self.totals.iter(), around, end) {
            step(&mut posture, input, &facts);
        }
        posture
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
        let (position, datastore) = (newest.position.clone(), newest.datastore.clone());
        let adoption = PostureEvent {
            source: "dataward".to_owned(),
            actor: Actor { name: Some("the context file".into()), ..Actor::default() },
            ..PostureEvent::concluded(context.hash(), "context_adopted", at, position, datastore)
        };
        let facts = self.facts(context);
        self.settled.judge(&Arc::new(adoption), at, true, &facts);
    }

    /// Changes, of itself and of what stands above it, and reads from outside: before `end`, in the order of their times.
    fn inputs<'i>(
        &self,
        events: impl Iterator<Item = &'i Arc<PostureEvent>>,
        companions: impl Iterator<Item = &'i Arc<PostureEvent>> + Clone,
        totals: impl Iterator<Item = (&'i TotalKey, &'i ReadTotal)>,
        around: Around<'_>,
        end: Option<EventTime>,
    ) -> Vec<Input> {
        let context = around.context;
        let is_before = |time: EventTime| end.is_none_or(|end| time < end);
        let events = events.filter(|event| is_before(event.time));
        let mut inputs: Vec<Input> =
            events.map(|event| Input::Change(joined(event, companions.clone()))).collect();
        let mut is_mixed = false;
        if let Some(guards) = around.guards {
            let (_, later) = guards.after(&self.settled.guards);
            let later = later.filter(|event| is_before(event.time));
            inputs.extend(later.map(|event| Input::Guard(Arc::clone(event))));
            is_mixed = true;
        }
        let Some(datastore) = &self.datastore else { return inputs };
        let source = self.sources.first().map_or("", |source| &**source);
        let strangers =
            totals.filter(|(key, _)| key.is_stranger && key.reader.is_outsider(context));
        let strangers = strangers.filter(|(_, total)| is_before(total.first.time));
        inputs.extend(strangers.map(|(key, total)| {
            let read = as_change(datastore, source, &key.reader, &total.first);
            Input::OutsideRead(Arc::new(read))
        }));
        if is_mixed || inputs.iter().any(|input| matches!(input, Input::OutsideRead(_))) {
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

/// Adds a total to those of its minute. Returns the figures of the reader that is no longer told apart.
fn add_total(
    totals: &mut BTreeMap<TotalKey, ReadTotal>,
    key: TotalKey,
    total: ReadTotal,
) -> Option<ReadFigures> {
    if let Some(known) = totals.get_mut(&key) {
        known.merge(total);
        return None;
    }
    let (minute, is_stranger) = (key.minute, key.is_stranger);
    totals.insert(key, total);
    let of = totals.range(first_key(minute, is_stranger)..);
    let of_minute =
        of.take_while(|(key, _)| (key.minute, key.is_stranger) == (minute, is_stranger));
    let most = if is_stranger { OUTSIDERS_PER_MINUTE_MAX } else { INSIDERS_PER_MINUTE_MAX };
    let (mut count, mut last) = (0, None);
    for (key, _) in of_minute {
        (count, last) = (count + 1, Some(key));
    }
    let last = last.filter(|_| count > most)?.clone();
    totals.remove(&last).map(|total| total.figures)
}

enum Input {
    Change(Arc<PostureEvent>),
    Guard(Arc<PostureEvent>),
    OutsideRead(Arc<PostureEvent>),
}

impl Input {
    fn order(&self) -> (EventTime, &str) {
        let (Self::Change(event) | Self::Guard(event) | Self::OutsideRead(event)) = self;
        (event.time, &event.uid)
    }
}

fn step(posture: &mut Posture, input: &Input, facts: &Facts<'_>) {
    match input {
        Input::Change(event) => posture.step(event, facts),
        Input::Guard(event) => posture.step_guard(event, facts),
        Input::OutsideRead(read) => posture.step_outside_read(read, facts),
    }
}

/// What was known of its account before anything was known of itself.
fn adopt_guards(posture: &mut Posture, around: Around<'_>) {
    if let Some(guards) = around.guards
        && let (Some(base), _) = guards.after(&posture.guards)
    {
        posture.guards = base.clone();
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
    let (uid, position) = (read.event_uid.to_string(), read.position.clone());
    PostureEvent {
        type_uid: read.type_uid,
        source: source.to_owned(),
        actor: reader.actor(),
        client: read.client(),
        changes: vec![outside_read_change(is_anonymous, reader.outsider())],
        ..PostureEvent::concluded(uid, &read.operation, read.time, position, datastore.clone())
    }
}
