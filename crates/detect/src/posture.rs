//! The state of one datastore's protection: what is known of each setting, what is open, and whether somebody from
//! outside can both reach and read it.
//!
//! It goes from event to event in the order of event time; what is not in an event is in [`Facts`]. Three-valued where
//! logs are silent: what is not known is neither assumed nor denied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataward_event::audit_event::DatastoreForm;
use dataward_event::change::{Change, Control, Direction, WindowKind};
use dataward_event::exposure::Known;
use dataward_event::time::EventTime;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::act::undoes;
use crate::born::is_early;
use crate::context::Trusted;
use crate::guards::Guards;
use crate::lineage::{self, WeakCopy};
use crate::opening::{
    Closing, Covered, Exposed, Leg, OUTSIDE_READ, Opening, OpeningId, SOURCE_SILENT, ToldReaders,
};
use crate::posture_event::{PostureEvent, SettingKey};
use crate::reach::{holds_no_data, trusts};
use crate::setting::{Setting, Shown, Thing};
use crate::state::since_3;

/// The most openings remembered per datastore. Beyond it the oldest is forgotten.
const OPENINGS_MAX: usize = 1_024;

/// What the context says of a datastore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'c> {
    /// Whom to trust.
    pub trusted: &'c Trusted,
    /// Its form.
    pub form: DatastoreForm,
    /// Whether it can be reached from outside, as far as the context tells.
    pub reachable: Known,
    /// It is meant for everybody.
    pub is_expected_public: bool,
}

/// What is known of one datastore's protection.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    pub(crate) settings: LiteMap<SettingKey, Setting>,
    pub(crate) openings: BTreeMap<OpeningId, Arc<Opening>>,
    pub(crate) attempts: u64,
    /// The events that made it: one, but where it was deleted and made again.
    #[serde(deserialize_with = "since_3")]
    pub(crate) births: Vec<Arc<PostureEvent>>,
    /// What stands above it in its account.
    #[serde(deserialize_with = "since_3")]
    pub(crate) guards: Guards,
    /// Copies from it or into it that were just told.
    #[serde(deserialize_with = "since_3")]
    pub(crate) copies: Vec<Arc<PostureEvent>>,
    /// That it is a weaker copy of something.
    #[serde(deserialize_with = "since_3")]
    pub(crate) weak_copies: Vec<WeakCopy>,
    /// The event that destroyed it, while nothing came after.
    #[serde(deserialize_with = "since_3")]
    pub(crate) destroyed: Option<Box<Shown>>,
}

impl Posture {
    /// Takes a change in, or a failed attempt at one.
    pub fn step(&mut self, event: &Arc<PostureEvent>, facts: &Facts<'_>) {
        if event.is_companion() {
            return;
        }
        if lineage::is_verdict(event) {
            self.weak_copies.extend(lineage::weak_copy(event, &self.openings));
            return;
        }
        if event.is_attempt() {
            self.attempts += 1;
            self.undo(event, facts);
            return;
        }
        let is_news = self.strengthens(event);
        self.destroyed = None;
        if event.is_creation {
            self.births.push(Arc::clone(event));
        }
        if event.changes.iter().any(lineage::is_copy) {
            self.copies.push(Arc::clone(event));
        }
        for key in event.setting_keys() {
            self.step_setting(&key, event, facts);
        }
        if is_news {
            self.close_proofs(event);
        }
        if event.is_destruction {
            self.close_everything(event);
            // Another one may come under the same name.
            self.settings = LiteMap::new();
            self.destroyed = Some(Box::new(Shown::by(event)));
        }
        self.judge(event, event.time, is_news, facts);
    }

    /// Takes in that something above it in its account has changed.
    pub fn step_guard(&mut self, event: &Arc<PostureEvent>, facts: &Facts<'_>) {
        self.guards.step(event);
        let is_news =
            event.changes.iter().any(|change| change.direction == Direction::Strengthened);
        self.judge(event, event.time, is_news, facts);
    }

    /// What was opened by a call that has failed in the end is closed again.
    fn undo(&mut self, failure: &Arc<PostureEvent>, facts: &Facts<'_>) {
        let undone = self.openings.values().filter(|opening| undoes(failure, &opening.event));
        let things: Vec<(SettingKey, String)> = undone
            .filter(|opening| opening.is_open())
            .flat_map(|opening| {
                opening.changes.iter().map(|c| (opening.key.clone(), c.opened.to_string()))
            })
            .collect();
        if things.is_empty() {
            return;
        }
        for (key, thing) in things {
            self.close(&key, &thing, failure);
        }
        self.judge(failure, failure.time, false, facts);
    }

    fn step_setting(&mut self, key: &SettingKey, event: &Arc<PostureEvent>, facts: &Facts<'_>) {
        let is_whole = event.changes_of(key).any(|change| change.whole);
        if is_whole {
            let named: BTreeSet<&str> = event
                .changes_of(key)
                .filter(|change| change.direction == Direction::Weakened)
                .map(|change| &*change.opened)
                .collect();
            let others: Vec<String> = self
                .settings
                .get(key)
                .into_iter()
                .flat_map(|setting| setting.things.iter())
                .filter(|(thing, state)| state.opening.is_some() && !named.contains(thing.as_str()))
                .map(|(thing, _)| thing.clone())
                .collect();
            for thing in others {
                self.close(key, &thing, event);
            }
        }
        let mut opened: Vec<Change<'static>> = Vec::new();
        let mut is_uncertain = false;
        // Who is silent spoke before, and what is made now was not open before.
        let is_sure = key.1 == SOURCE_SILENT || event.is_creation;
        for change in event.changes_of(key) {
            match change.direction {
                Direction::Weakened => {
                    let known = self.thing(key, &change.opened);
                    if known.is_some_and(|thing| thing.opening.is_some())
                        || opened.iter().any(|other| other.opened == change.opened)
                    {
                        continue;
                    }
                    let is_known = known.is_some() || self.is_whole_known(key) || is_sure;
                    is_uncertain |= !is_known;
                    opened.push(change.clone());
                }
                Direction::Strengthened if !change.opened.is_empty() => {
                    self.close(key, &change.opened, event);
                }
                Direction::Strengthened | Direction::Neutral | Direction::Unknown => {}
            }
        }
        if is_whole {
            let setting = self.setting(key);
            setting.whole = Some(event.time);
            setting.first_whole.get_or_insert_with(|| Box::new(Shown::by(event)));
        }
        if !opened.is_empty() {
            self.open(key, event, opened, is_uncertain, facts);
        }
    }

    pub(crate) fn open(
        &mut self,
        key: &SettingKey,
        event: &Arc<PostureEvent>,
        changes: Vec<Change<'static>>,
        is_uncertain: bool,
        facts: &Facts<'_>,
    ) {
        let mut opening = Opening { is_uncertain, ..Opening::new(event, key.clone(), changes) };
        let id = opening.id();
        let setting = self.setting(key);
        for change in &opening.changes {
            let opening = Some(Box::new(id.clone()));
            let thing = Thing { opening, since: event.time, closed_by: None };
            setting.put(&change.opened, thing);
        }
        if opening.control().window_kind() == WindowKind::Confidentiality {
            opening.reachable = self.reachable(facts);
            opening.readable = self.readable(&opening, facts);
        }
        self.openings.insert(id, Arc::new(opening));
    }

    pub(crate) fn close(&mut self, key: &SettingKey, thing: &str, event: &Arc<PostureEvent>) {
        let setting = self.setting(key);
        // What is closed again as it was is closed since it was first.
        let known = setting.things.get(thing).and_then(|thing| thing.closed_by.clone());
        let closed_by = known.unwrap_or_else(|| Box::new(Shown::by(event)));
        let closed = Thing { opening: None, since: event.time, closed_by: Some(closed_by) };
        let before = setting.put(thing, closed).and_then(|thing| thing.opening);
        if let Some(opening) = before.and_then(|id| self.openings.get_mut(&id)) {
            let opening = Arc::make_mut(opening);
            let closing = Closing::new(event, opening.event.time);
            opening.closings.insert(thing.to_owned(), closing);
        }
    }

    pub(crate) fn close_everything(&mut self, event: &Arc<PostureEvent>) {
        let open: Vec<(SettingKey, String)> = self
            .settings
            .iter()
            .flat_map(|(key, setting)| setting.things.iter().map(move |thing| (key, thing)))
            .filter(|(_, (_, state))| state.opening.is_some())
            .map(|(key, (thing, _))| (key.clone(), thing.clone()))
            .collect();
        for (key, thing) in open {
            self.close(&key, &thing, event);
        }
    }

    /// Whether an event only strengthens what could let somebody read, and something about it is new: a setting that is
    /// sent again as it is ends nothing.
    pub(crate) fn strengthens(&self, event: &PostureEvent) -> bool {
        let is_weakening =
            event.changes.iter().any(|change| change.direction == Direction::Weakened);
        !is_weakening
            && event.changes.iter().any(|change| {
                let key = (change.control, change.setting.to_string());
                let setting = self.settings.get(&key);
                change.direction == Direction::Strengthened
                    && change.control.window_kind() == WindowKind::Confidentiality
                    && setting.is_none_or(|setting| setting.is_open() || !setting.is_known())
            })
    }

    /// What only a read made known ends when somebody strengthens what could have let it in.
    fn close_proofs(&mut self, event: &Arc<PostureEvent>) {
        let proven: Vec<(SettingKey, String)> = self
            .openings
            .values()
            .filter(|opening| opening.is_of_a_read() && opening.is_open())
            .flat_map(|opening| {
                opening.changes.iter().map(|c| (opening.key.clone(), c.opened.to_string()))
            })
            .collect();
        for (key, thing) in proven {
            self.close(&key, &thing, event);
        }
    }

    /// Takes in that somebody from outside has read. `read` states it as a change: what stands open to whom.
    pub fn step_outside_read(&mut self, read: &Arc<PostureEvent>, facts: &Facts<'_>) {
        if holds_no_data(facts) || facts.is_expected_public || self.active().next().is_some() {
            return;
        }
        let open: BTreeSet<OpeningId> = self
            .openings
            .values()
            .filter(|opening| opening.is_open() && opening.event.time <= read.time)
            .filter(|opening| may_let_read(opening.control()) || is_leg(opening.control()))
            .map(|opening| opening.id())
            .collect();
        let newest = |of_readers: bool| {
            open.iter()
                .rev()
                .find(|id| !of_readers || may_let_read(id.key.0))
                .filter(|id| self.openings.get(id).is_some_and(|opening| can_carry(opening)))
                .cloned()
        };
        let (carrier, covered) = match newest(true).or_else(|| newest(false)) {
            Some(carrier) => (carrier, open),
            None => {
                for key in read.setting_keys() {
                    self.step_setting(&key, read, facts);
                }
                let made = self.openings.keys().find(|id| id.event_uid == read.uid).cloned();
                let Some(made) = made else { return };
                (made.clone(), [made].into())
            }
        };
        self.expose(&carrier, read, read.time, covered, true);
        self.note_blindness(read.time);
    }

    /// Follows the two legs: ends exposures that lost one, begins those that have both.
    ///
    /// `is_news`: the cause strengthens something that was not known to be strong.
    pub fn judge(
        &mut self,
        cause: &Arc<PostureEvent>,
        at: EventTime,
        is_news: bool,
        facts: &Facts<'_>,
    ) {
        self.follow_legs(cause, at, is_news, facts);
        self.note_blindness(at);
    }

    /// An exposure in which nobody records what is done, if only for a while, stays one of which less is known.
    fn note_blindness(&mut self, at: EventTime) {
        let is_exposed = self.active().any(|(_, exposed)| exposed.blind.is_none());
        if !is_exposed {
            return;
        }
        let own = self
            .openings
            .values()
            .filter(|opening| opening.control() == Control::AuditLogging && opening.is_open());
        let own = own.flat_map(|opening| {
            opening
                .changes
                .iter()
                .filter(|change| !opening.closings.contains_key(&*change.opened))
                .map(|change| Leg { event: Arc::clone(&opening.event), change: change.clone() })
        });
        let Some(blind) = own.chain(self.guards.blind(at).cloned()).next() else { return };
        for opening in self.openings.values_mut() {
            let is_active = opening
                .exposure
                .as_ref()
                .is_some_and(|exposed| exposed.is_open() && exposed.blind.is_none());
            if is_active && let Some(exposed) = &mut Arc::make_mut(opening).exposure {
                exposed.blind = Some(blind.clone());
            }
        }
    }

    fn follow_legs(
        &mut self,
        cause: &Arc<PostureEvent>,
        at: EventTime,
        is_news: bool,
        facts: &Facts<'_>,
    ) {
        if self.openings.is_empty() {
            return;
        }
        let reachable = self.reachable(facts);
        let shuts = |control: Control| {
            let mut of_control = cause.changes.iter().filter(|change| change.control == control);
            is_news && of_control.any(|change| change.direction == Direction::Strengthened)
        };
        let over: Vec<OpeningId> = self
            .active()
            .filter(|(carrier, exposed)| {
                let stands = self.openings.get(*carrier).is_some_and(|opening| opening.is_open());
                let readable = exposed.covered.iter().filter_map(|id| self.openings.get(id));
                let readable = readable
                    .filter(|opening| opening.is_open())
                    .map(|opening| self.readable(opening, facts))
                    .max();
                let goes_on = if exposed.is_proven {
                    // A read has shown more than logs tell: it ends when somebody shuts what it may have come through.
                    let is_cut_off = reachable == Known::No && shuts(Control::NetworkExposure);
                    let is_guarded =
                        readable == Some(Known::No) && shuts(Control::PublicAccessBlock);
                    readable.is_some() && !is_cut_off && !is_guarded
                } else {
                    readable == Some(Known::Yes) && reachable == Known::Yes
                };
                !stands || !goes_on || facts.is_expected_public
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in over {
            self.end_exposure(&id, cause);
        }
        if holds_no_data(facts) || facts.is_expected_public || reachable != Known::Yes {
            return;
        }
        let covered: BTreeSet<&OpeningId> =
            self.active().flat_map(|(_, exposed)| exposed.covered.iter()).collect();
        let bare: Vec<OpeningId> = self
            .openings
            .iter()
            .filter(|(id, opening)| opening.is_open() && !covered.contains(id))
            .filter(|(_, opening)| self.readable(opening, facts) == Known::Yes)
            .map(|(id, _)| id.clone())
            .collect();
        let (new, older): (Vec<OpeningId>, Vec<OpeningId>) =
            bare.into_iter().partition(|id| id.event_uid == cause.uid);
        for id in new {
            self.expose(&id, cause, at, [id.clone()].into(), false);
        }
        if older.is_empty() {
            return;
        }
        let completing = self
            .openings
            .values()
            .filter(|opening| opening.event.uid == cause.uid && opening.is_open())
            .find(|opening| is_leg(opening.control()) && can_carry(opening))
            .map(|opening| opening.id());
        let is_free = |id: &&OpeningId| self.openings.get(*id).is_some_and(|o| can_carry(o));
        let newest = || older.iter().rev().find(is_free).cloned();
        if let Some(carrier) = completing.or_else(newest) {
            self.expose(&carrier, cause, at, older.into_iter().collect(), false);
        }
    }

    fn expose(
        &mut self,
        carrier: &OpeningId,
        by: &Arc<PostureEvent>,
        at: EventTime,
        covered: BTreeSet<OpeningId>,
        is_proven: bool,
    ) {
        let legs = self
            .openings
            .iter()
            .filter(|(id, opening)| *id != carrier && opening.is_open())
            .filter(|(id, opening)| covered.contains(id) || is_leg(opening.control()))
            .flat_map(|(_, opening)| {
                opening
                    .changes
                    .iter()
                    .map(|change| Leg { event: Arc::clone(&opening.event), change: change.clone() })
            })
            .collect();
        for (id, opening) in &mut self.openings {
            if id != carrier
                && opening.is_open()
                && (covered.contains(id) || is_leg(opening.control()))
            {
                Arc::make_mut(opening).covered.push(Covered { from: at, to: None });
            }
        }
        if let Some(opening) = self.openings.get_mut(carrier) {
            let by = Arc::clone(by);
            Arc::make_mut(opening).exposure = Some(Exposed {
                at,
                by,
                is_proven,
                covered,
                legs,
                closing: None,
                told: ToldReaders::default(),
                blind: None,
            });
        }
    }

    fn end_exposure(&mut self, carrier: &OpeningId, cause: &Arc<PostureEvent>) {
        let Some(opening) = self.openings.get_mut(carrier) else { return };
        let Some(exposed) = &mut Arc::make_mut(opening).exposure else { return };
        exposed.closing = Some(Closing::new(cause, exposed.at));
        let since = exposed.at;
        for (_, opening) in self.openings.iter_mut().filter(|(id, _)| *id != carrier) {
            let is_part = |part: &Covered| part.from == since && part.to.is_none();
            if opening.covered.iter().any(is_part) {
                let parts = &mut Arc::make_mut(opening).covered;
                parts.iter_mut().filter(|part| is_part(part)).for_each(|part| {
                    part.to = Some(cause.time);
                });
            }
        }
    }

    pub(crate) fn active(&self) -> impl Iterator<Item = (&OpeningId, &Exposed)> {
        self.openings.iter().filter_map(|(id, opening)| {
            opening.exposure.as_ref().filter(|exposed| exposed.is_open()).map(|e| (id, e))
        })
    }

    /// Everything that is open, or was closed since the last [`forget_closed`](Self::forget_closed).
    pub fn openings(&self) -> impl Iterator<Item = &Arc<Opening>> {
        self.openings.values()
    }

    /// The opening of an id.
    pub(crate) fn opening(&self, id: &OpeningId) -> Option<&Arc<Opening>> {
        self.openings.get(id)
    }

    /// The openings, to add what was read in them.
    pub fn openings_mut(&mut self) -> impl Iterator<Item = &mut Opening> {
        self.openings.values_mut().map(Arc::make_mut)
    }

    /// What is open in a setting.
    pub fn open_things(&self, key: &SettingKey) -> BTreeSet<String> {
        let things = self.settings.get(key).into_iter().flat_map(|setting| setting.things.iter());
        things.filter(|(_, thing)| thing.opening.is_some()).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn setting(&mut self, key: &SettingKey) -> &mut Setting {
        if self.settings.is_empty() {
            // A list that grows by itself begins with room for four.
            self.settings = LiteMap::with_capacity(1);
        }
        self.settings.entry(key.clone()).or_default()
    }

    fn thing(&self, key: &SettingKey, thing: &str) -> Option<&Thing> {
        self.settings.get(key)?.things.get(thing)
    }

    fn is_whole_known(&self, key: &SettingKey) -> bool {
        self.settings.get(key).is_some_and(|setting| setting.whole.is_some())
    }

    /// Forgets what only reads of accounts made known that are trusted now: it was no window.
    pub fn forget_trusted(&mut self, trusted: &Trusted) {
        let settings = &mut self.settings;
        self.openings.retain(|id, opening| {
            let is_trusted = opening.is_of_a_read()
                && opening.changes.iter().all(|change| trusts(trusted, &change.opened));
            if is_trusted {
                settings.remove(&id.key);
            }
            !is_trusted
        });
    }

    /// Forgets what is over: it can change no more, and it was told.
    pub fn forget_closed(&mut self, horizon: EventTime) {
        self.copies.clear();
        let over: Vec<String> = self.births_over(horizon).map(|birth| birth.uid.clone()).collect();
        self.births.retain(|birth| !over.contains(&birth.uid));
        let births = &self.births;
        self.openings.retain(|_, opening| {
            opening.is_open() || births.iter().any(|birth| is_early(opening, birth))
        });
        let openings = &self.openings;
        self.weak_copies.retain(|copy| openings.contains_key(&copy.opening));
        for opening in self.openings.values_mut() {
            if opening.exposure.as_ref().is_some_and(|exposed| !exposed.is_open()) {
                let opening = Arc::make_mut(opening);
                opening.was_exposed_at = opening.exposure.take().map(|exposed| exposed.at);
            }
        }
        while self.openings.len() > OPENINGS_MAX {
            let Some((id, opening)) = self.openings.pop_first() else { break };
            if let Some(setting) = self.settings.get_mut(&id.key) {
                for change in &opening.changes {
                    setting.things.remove(&*change.opened);
                }
            }
        }
        for (_, setting) in self.settings.iter_mut() {
            setting.prune();
        }
    }
}

/// Whether an opening of this control lets somebody read by itself.
const fn may_let_read(control: Control) -> bool {
    matches!(control, Control::Authentication | Control::AccessPolicy | Control::Sharing)
}

/// Whether an opening of this control is a step on the way to who lets read.
const fn is_leg(control: Control) -> bool {
    matches!(control, Control::NetworkExposure | Control::PublicAccessBlock)
}

/// An opening completes one exposure at a time.
fn can_carry(opening: &Opening) -> bool {
    opening.was_exposed_at.is_none() && opening.exposure.is_none()
}

/// The opening that an outsider's read makes known, as a change.
pub fn outside_read_change(is_anonymous: bool, outsider: String) -> Change<'static> {
    Change {
        catalogue_row: "".into(),
        control: if is_anonymous { Control::Authentication } else { Control::Sharing },
        setting: OUTSIDE_READ.into(),
        opened: outsider.into(),
        before: None,
        after: None,
        direction: Direction::Weakened,
        whole: false,
    }
}
