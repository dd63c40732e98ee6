//! What the reads of a partition teach, and what is said of them.

use std::collections::BTreeMap;

use dataward_event::audit_event::AuditEvent;
use dataward_event::finding::{Finding, RuleId, Step};
use dataward_event::position::Position;
use dataward_event::uid::UidBuilder;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::reads::actor::Reader;
use crate::reads::budget::Budget;
use crate::reads::close::Closing;
use crate::reads::coverage::{Coverage, crossed_half};
use crate::reads::deed::Deed;
use crate::reads::evidence::{Channel, FAMILIES, Family};
use crate::reads::incident::Incident;
use crate::reads::judge::{Around, Raised, weight, worth};
use crate::reads::peers::{GroupId, Peers};
use crate::reads::store::Store;
use crate::reads::wording::Wording;
use crate::state::{StateError, decode, encode};

/// How many segments hold actors and datastores: as many as a set of bits holds.
const KEYED: u32 = u64::BITS;
/// How many segments the state has: the last one is what all have in common.
pub const SEGMENTS: u32 = KEYED + 1;

const DAY_SECONDS: i64 = 86_400;
/// A day is closed so long after its midnight, by the newest event: stragglers belong to it.
const CLOSE_SECONDS: i64 = 600;
/// An event that is so far ahead of all before is believed when as many others are: one wrong clock closes no days.
const AHEAD_DAYS: i64 = 30;
const AHEAD_MIN: u32 = 3;
/// When there are too many keys, the idlest eighth goes at once: so the search for it costs a few steps a key, not a pass
/// over all of them with each.
const EVICTED_SHARE: usize = 8;
/// Who has learned for so many days is kept before who has not, for two months: a flood of names pushes nobody out.
const KNOWN_DAYS: u16 = 3;
const PROTECTED_DAYS: i32 = 60;
/// A score below this is nobody's, however dear the data: the context is not asked.
const JUDGED_MIN: f64 = 3.0;
/// An export is the act of somebody who never does that, where fewer than one day in twenty has one.
const RARE_EXPORT: f64 = 0.05;

/// How much is remembered of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Actors.
    pub actors: usize,
    /// Pairs of actor and datastore.
    pub pairs: usize,
    /// Datastores of one actor.
    pub pairs_of_actor: usize,
    /// Datastores.
    pub stores: usize,
}

impl Default for Caps {
    /// About a gigabyte, if all of it is active on one day.
    fn default() -> Self {
        Self { actors: 256 * 1024, pairs: 1024 * 1024, pairs_of_actor: 512, stores: 128 * 1024 }
    }
}

/// What the reads of a partition teach.
#[derive(Debug)]
pub struct BulkReads {
    segments: Vec<Segment>,
    stores: Stores,
    shared: Shared,
    dirty: u64,
    is_shared_dirty: bool,
    caps: Caps,
}

/// Actors whose keys are alike.
#[derive(Debug, Default)]
struct Segment {
    readers: BTreeMap<u64, Box<Reader>>,
    pairs: usize,
}

/// The datastores, by segment. They are apart from the actors, since an event needs one of each, and both are saved in the
/// segments of the same number.
pub(super) type Stores = Vec<BTreeMap<u64, Store>>;

/// What all actors of the partition have in common.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Shared {
    pub(super) peers: Peers,
    pub(super) budget: Budget,
    /// The first day of the partition, and the one that is open.
    pub(super) days: Option<(i32, i32)>,
    /// The second of the newest event.
    pub(super) newest: i64,
    /// How many events in a row were far ahead.
    ahead: u32,
    counts: Counts,
}

/// What was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Reads more than a day behind the newest event: they teach nothing.
    pub late: u64,
    /// Reads days ahead of all others: a clock that is wrong.
    pub ahead: u64,
    /// Actors and pairs that were forgotten, since there were too many.
    pub forgotten: u64,
}

impl Default for BulkReads {
    /// Nothing is known, and nothing of that is saved yet.
    fn default() -> Self {
        Self::with_caps(Caps::default())
    }
}

impl BulkReads {
    /// A state that remembers so much.
    pub fn with_caps(caps: Caps) -> Self {
        Self {
            segments: (0..KEYED).map(|_| Segment::default()).collect(),
            stores: (0..KEYED).map(|_| BTreeMap::new()).collect(),
            shared: Shared::default(),
            dirty: u64::MAX,
            is_shared_dirty: true,
            caps,
        }
    }

    /// Takes an event in, and says what follows.
    pub fn observe(
        &mut self,
        event: &AuditEvent<'_>,
        position: &Position,
        context: &Context,
    ) -> Vec<Finding> {
        let Some(deed) = Deed::of(event, position, context) else { return Vec::new() };
        self.is_shared_dirty = true;
        let Some(day) = self.advance(deed.second, context) else { return Vec::new() };
        self.make_room(&deed);
        let (at, of_store) = (place(deed.actor_key), place(deed.store_key));
        self.dirty |= 1 << at | 1 << of_store;
        let Self { segments, stores, shared, .. } = self;
        let first_day = shared.days.map_or(day, |(first, _)| first);
        let store = stores[of_store].entry(deed.store_key);
        let store = store.or_insert_with(|| Store::new(deed.datastore, day));
        let segment = &mut segments[at];
        let actor = &event.actor;
        let reader = segment.readers.entry(deed.actor_key).or_insert_with(|| {
            let group = shared.peers.group_of(actor, context);
            Box::new(Reader::new(group, actor.kind, day))
        });
        if reader.today.is_none() {
            reader.group = shared.peers.group_of(actor, context);
            reader.kind = actor.kind;
            reader.last_day = day;
        }
        let before = reader.pairs.len();
        let mut around = Around { peers: &mut shared.peers, store, day, first_day };
        let raised = reader.observe(&deed, &mut around);
        segment.pairs += reader.pairs.len() - before;
        let deed = &deed;
        let mut speaker =
            Speaker { reader, shared, store, deed, day, first_day, findings: Vec::new() };
        speaker.policy();
        speaker.statistics(raised);
        speaker.findings
    }

    /// Moves on to a time: closes the days that are over. The open day; `None` for an event that is too late, or too far
    /// ahead to be believed.
    fn advance(&mut self, second: i64, context: &Context) -> Option<i32> {
        let shared = &mut self.shared;
        let Some((first, open)) = shared.days else {
            let day = second.div_euclid(DAY_SECONDS) as i32;
            (shared.days, shared.newest) = (Some((day, day)), second);
            return Some(day);
        };
        if second - shared.newest > AHEAD_DAYS * DAY_SECONDS {
            shared.ahead += 1;
            if shared.ahead < AHEAD_MIN {
                shared.counts.ahead += 1;
                return None;
            }
        }
        shared.ahead = 0;
        if shared.newest - second > DAY_SECONDS {
            shared.counts.late += 1;
            return None;
        }
        shared.newest = shared.newest.max(second);
        let now_open = (shared.newest - CLOSE_SECONDS).div_euclid(DAY_SECONDS) as i32;
        if now_open > open {
            self.close_day(open, context);
            self.shared.days = Some((first, now_open));
            return Some(now_open);
        }
        Some(open)
    }

    fn close_day(&mut self, day: i32, context: &Context) {
        let Self { segments, stores, shared, dirty, .. } = self;
        let mut growths: BTreeMap<GroupId, Vec<f64>> = BTreeMap::new();
        let mut active = 0;
        for reader in segments.iter_mut().flat_map(|segment| segment.readers.values_mut()) {
            active += u32::from(reader.today.is_some());
            if let Some((group, statistic)) = reader.close_drift() {
                growths.entry(group).or_default().push(statistic);
            }
        }
        shared.peers.all_mut().for_each(|pool| pool.fade());
        for (group, statistics) in growths {
            shared.peers.group_mut(group).growth = middle(statistics);
        }
        let thresholds =
            Channel::ALL.map(|channel| shared.budget.threshold(channel, &context.alerts_per_day));
        let (budget, peers) = (&mut shared.budget, &mut shared.peers);
        let first_day = shared.days.map_or(day, |(first, _)| first);
        budget.close_day(active);
        let mut closing =
            Closing { day, first_day, context, thresholds, budget, peers, stores, dirty: 0 };
        for (at, segment) in segments.iter_mut().enumerate() {
            for (key, reader) in &mut segment.readers {
                if reader.today.is_none() {
                    continue;
                }
                closing.dirty |= 1 << at;
                let before = reader.pairs.len();
                reader.close_day(*key, &mut closing);
                segment.pairs -= before - reader.pairs.len();
            }
        }
        *dirty |= closing.dirty;
        shared.peers.all_mut().for_each(|pool| pool.forget_lifts());
        shared.peers.lend();
    }

    /// Forgets the idlest where there is no room for a new key.
    fn make_room(&mut self, deed: &Deed<'_>) {
        let Self { segments, stores, shared, caps, .. } = self;
        let share = |cap: usize| (cap / KEYED as usize).max(EVICTED_SHARE);
        let known = &mut stores[place(deed.store_key)];
        if known.len() >= share(caps.stores) && !known.contains_key(&deed.store_key) {
            let ranked = known.iter();
            let ranked = ranked.map(|(key, store)| ((store.last_day, store.first_day), *key));
            for key in idlest(ranked) {
                known.remove(&key);
                shared.counts.forgotten += 1;
            }
        }
        let newest = shared.days.map_or(0, |(_, open)| open);
        let segment = &mut segments[place(deed.actor_key)];
        if segment.readers.len() >= share(caps.actors)
            && !segment.readers.contains_key(&deed.actor_key)
        {
            let ranked = segment.readers.iter().map(|(key, reader)| {
                ((is_kept(reader.days, reader.last_day, newest), reader.last_day), *key)
            });
            for key in idlest(ranked) {
                segment.pairs -=
                    segment.readers.remove(&key).map_or(0, |reader| reader.pairs.len());
                shared.counts.forgotten += 1;
            }
        }
        let Some(reader) = segment.readers.get_mut(&deed.actor_key) else { return };
        let is_new = !reader.pairs.contains_key(&deed.store_key);
        if is_new && reader.pairs.len() >= caps.pairs_of_actor {
            let ranked = reader.pairs.iter().map(|(key, pair)| {
                ((is_kept(pair.days, pair.last_day, newest), pair.last_day), *key)
            });
            for key in idlest(ranked) {
                reader.forget(key);
                segment.pairs -= 1;
                shared.counts.forgotten += 1;
            }
        }
        if is_new && segment.pairs >= share(caps.pairs) {
            let ranked = segment.readers.iter().flat_map(|(actor, reader)| {
                let pairs = reader.pairs.iter();
                pairs.map(move |(key, pair)| {
                    ((is_kept(pair.days, pair.last_day, newest), pair.last_day), (*actor, *key))
                })
            });
            for (actor, key) in idlest(ranked) {
                if let Some(reader) = segment.readers.get_mut(&actor) {
                    reader.forget(key);
                    segment.pairs -= 1;
                    shared.counts.forgotten += 1;
                }
            }
        }
    }

    /// What is known of an actor, by its key.
    pub(super) fn reader(&self, key: u64) -> Option<&Reader> {
        self.segments[place(key)].readers.get(&key).map(AsRef::as_ref)
    }

    /// What is known of a datastore, by its key.
    pub(super) fn store(&self, key: u64) -> Option<&Store> {
        self.stores[place(key)].get(&key)
    }

    /// What all actors have in common.
    pub(super) const fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What was left out so far.
    pub const fn counts(&self) -> Counts {
        self.shared.counts
    }

    /// The segments that changed since the last call.
    pub fn take_dirty(&mut self) -> impl Iterator<Item = u32> + use<> {
        let dirty = std::mem::take(&mut self.dirty);
        let shared = std::mem::take(&mut self.is_shared_dirty).then_some(KEYED);
        (0..KEYED).filter(move |index| dirty >> index & 1 == 1).chain(shared)
    }

    /// Marks everything as changed.
    pub const fn mark_all_dirty(&mut self) {
        self.dirty = u64::MAX;
        self.is_shared_dirty = true;
    }

    /// The bytes of a segment: equal for equal events.
    pub fn segment_bytes(&self, index: u32) -> Vec<u8> {
        let index = index as usize;
        match (self.segments.get(index), self.stores.get(index)) {
            (Some(segment), Some(stores)) => encode(&(&segment.readers, stores, segment.pairs)),
            _ => encode(&self.shared),
        }
    }

    /// Puts a saved segment in its place. `number` is how the snapshot calls it.
    ///
    /// # Errors
    /// [`StateError::Damaged`] if it cannot be read or has no place.
    pub fn load_segment(
        &mut self,
        index: u32,
        number: u32,
        bytes: &[u8],
    ) -> Result<(), StateError> {
        if index == KEYED {
            self.shared = decode(number, bytes)?;
            self.is_shared_dirty = false;
            return Ok(());
        }
        let at = index as usize;
        let (Some(segment), Some(stores)) = (self.segments.get_mut(at), self.stores.get_mut(at))
        else {
            let reason = "there are fewer segments".to_owned();
            return Err(StateError::Damaged { index: number, reason });
        };
        (segment.readers, *stores, segment.pairs) = decode(number, bytes)?;
        self.dirty &= !(1 << index);
        Ok(())
    }
}

/// Decides what is said after an event.
struct Speaker<'s> {
    reader: &'s mut Reader,
    shared: &'s mut Shared,
    store: &'s Store,
    deed: &'s Deed<'s>,
    day: i32,
    first_day: i32,
    findings: Vec<Finding>,
}

impl Speaker<'_> {
    /// What needs no statistics.
    fn policy(&mut self) {
        let deed = self.deed;
        if deed.is_export && self.is_rare_export() {
            let nats = self.export_nats();
            self.say(Channel::Policy, RuleId::ReadExport, nats, None, false);
        }
        let pair = self.reader.pairs.get(&deed.store_key);
        let crossed = pair.and_then(|pair| crossed_half(deed, self.store, pair, self.day));
        if let Some(coverage) = crossed {
            if let Some(pair) = self.reader.pairs.get_mut(&deed.store_key) {
                pair.told_most = Some(self.day);
            }
            self.say(Channel::Policy, RuleId::ReadBulk, 0.0, Some(coverage), false);
        }
    }

    /// Somebody who never exports does, or does it with this datastore for the first time.
    fn is_rare_export(&self) -> bool {
        let days = self.reader.active_days();
        let exports = f64::from(self.reader.exports.count);
        let pair = self.reader.pairs.get(&self.deed.store_key);
        let is_first_of_pair = pair.is_none_or(|pair| pair.export_days == 0);
        exports == 0.0 || is_first_of_pair && exports / days.max(1.0) < RARE_EXPORT
    }

    fn export_nats(&self) -> f64 {
        let group = self.shared.peers.group(self.reader.group);
        self.reader.exports.nats(&group.exports, self.reader.active_days())
    }

    fn statistics(&mut self, mut raised: Raised) {
        if self.reader.drift_score > 0.0 {
            // It stood out when the last day was closed; the reader is there to be told of now.
            let score = std::mem::take(&mut self.reader.drift_score);
            raised[Channel::Drift as usize] = Some(f64::from(score));
        }
        for channel in Channel::BUDGETED {
            let Some(score) = raised[channel as usize].filter(|score| *score >= JUDGED_MIN) else {
                continue;
            };
            let weighed = score + weight(self.sensitivity());
            if let Some(today) = &mut self.reader.today {
                let known = &mut today.weighed[channel as usize];
                *known = known.max(weighed as f32);
            }
            if self.day < Budget::speaks_from(channel, self.first_day) {
                continue;
            }
            let threshold =
                self.shared.budget.threshold(channel, &self.deed.context.alerts_per_day);
            if threshold.is_none_or(|threshold| weighed < threshold) {
                continue;
            }
            let rule = self.rule(channel);
            if rule == RuleId::ReadExport && self.has_told(Channel::Policy, rule) {
                continue;
            }
            self.say(channel, rule, weighed, None, true);
        }
    }

    fn has_told(&self, channel: Channel, rule: RuleId) -> bool {
        let mut incidents = self.reader.incidents.iter();
        incidents.any(|told| told.channel == channel && told.rule == rule && told.since == self.day)
    }

    fn sensitivity(&self) -> Option<dataward_event::audit_event::Sensitivity> {
        let known = self.deed.context.datastore(self.deed.datastore);
        known.and_then(|known| known.sensitivity()).or(self.deed.event.sensitivity)
    }

    /// The rule whose evidence is the strongest.
    fn rule(&self, channel: Channel) -> RuleId {
        match channel {
            Channel::Drift => RuleId::ReadSlowDrip,
            Channel::OffHours => RuleId::ReadNovel,
            Channel::Acute | Channel::Policy => {
                let nats = self.worth();
                let heard = Family::ALL.into_iter().filter(|family| channel.hears(*family));
                let strongest =
                    heard.max_by(|a, b| nats[*a as usize].total_cmp(&nats[*b as usize]));
                match strongest {
                    Some(Family::NewStore | Family::NewWrite | Family::NewNetwork) => {
                        RuleId::ReadNovel
                    }
                    Some(Family::Export) => RuleId::ReadExport,
                    _ => RuleId::ReadBulk,
                }
            }
        }
    }

    fn worth(&self) -> [f64; FAMILIES] {
        let lent = self.shared.peers.lent(self.reader.group, self.reader.stratum());
        self.reader.today.as_ref().map_or([0.0; FAMILIES], |today| worth(lent, today))
    }

    /// Begins a finding, or goes on with one where there is news.
    fn say(
        &mut self,
        channel: Channel,
        rule: RuleId,
        score: f64,
        coverage: Option<Coverage>,
        is_budgeted: bool,
    ) {
        let (deed, day) = (self.deed, self.day);
        let is_same = |incident: &Incident| {
            incident.channel == channel
                && (is_budgeted || incident.rule == rule && incident.since == day)
        };
        let known = self.reader.incidents.iter_mut().find(|incident| is_same(incident));
        let (step, uid, rule, is_digest) = match known {
            Some(incident) => {
                if !incident.raise(day, score, deed.store_key) {
                    return;
                }
                (Step::Update, incident.uid.clone(), incident.rule, false)
            }
            None => {
                let uid = self.uid(rule, channel);
                let incident =
                    Incident::new(channel, rule, uid.clone(), day, score, deed.store_key);
                self.reader.incidents.push(incident);
                let is_digest =
                    is_budgeted && self.shared.budget.begin(channel, &deed.context.alerts_per_day);
                (Step::Create, uid, rule, is_digest)
            }
        };
        let nats = self.worth();
        let wording = Wording {
            deed,
            reader: self.reader,
            store: self.store,
            peers: &self.shared.peers,
            channel,
            score,
            nats,
            day,
            is_digest,
        };
        self.findings.push(wording.finding(rule, uid, step, coverage));
    }

    /// The partition belongs to it: an event that its producer sent into two of them is judged by what each has seen.
    fn uid(&self, rule: RuleId, channel: Channel) -> String {
        UidBuilder::new("finding")
            .text(rule.as_str())
            .text(channel.as_str())
            .text(&self.deed.position.partition.path())
            .number(self.deed.actor_key.cast_signed())
            .text(&self.deed.event.uid)
            .finish()
    }
}

/// The segment of a key.
pub(super) const fn place(key: u64) -> usize {
    (key % KEYED as u64) as usize
}

const fn is_kept(days: u16, last_day: i32, newest: i32) -> bool {
    days >= KNOWN_DAYS && newest - last_day <= PROTECTED_DAYS
}

/// The median of a group's growths, where it is positive and there are five or more.
fn middle(mut statistics: Vec<f64>) -> f32 {
    if statistics.len() < 5 {
        return 0.0;
    }
    statistics.sort_by(f64::total_cmp);
    statistics[statistics.len() / 2].max(0.0) as f32
}

/// The eighth with the lowest ranks. Of equal ranks the lower key: the choice is the same everywhere.
fn idlest<R: Ord + Copy, K: Ord + Copy>(ranked: impl Iterator<Item = (R, K)>) -> Vec<K> {
    let mut ranked: Vec<(R, K)> = ranked.collect();
    let count = (ranked.len() / EVICTED_SHARE).max(1).min(ranked.len());
    if count > 0 {
        ranked.select_nth_unstable(count - 1);
    }
    ranked.truncate(count);
    ranked.into_iter().map(|(_, key)| key).collect()
}
