//! The keeper and silence: hears each source, and each datastore through it, and misses those that should speak.
//!
//! A silence is a blind window like one that a call has opened. One that is over is seen by the next event, whatever ran
//! meanwhile. One that goes on is only told where the runtime says that it has read all there is
//! ([`Keeper::listen`]): else what is merely behind would seem silent.

use std::sync::Arc;

use dataward_event::audit_event::{Actor, Datastore, DatastoreForm};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::limits::LATENESS_BOUND_MICROS;
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;
use dataward_event::uid::UidBuilder;

use crate::actor_key::identity_hash;
use crate::concluded::Concluded;
use crate::keeper::Keeper;
use crate::opening::SOURCE_SILENT;
use crate::posture_event::PostureEvent;
use crate::read_total::{DatastoreRead, MINUTE_MICROS};
use crate::rhythm::{Heard, Mark, Rhythm, Silence, Whose};

/// Sources whose events come later than the lateness bound by nature, and how much, in microseconds.
const SLOW_SOURCES: [(&str, i64); 1] = [("snowflake.account_usage", 180 * 60 * 1_000_000)];

/// How long after its time an event of a source may still come.
fn patience(source: &str) -> i64 {
    let slow = SLOW_SOURCES.iter().find(|(name, _)| *name == source);
    slow.map_or(LATENESS_BOUND_MICROS, |(_, micros)| *micros)
}

/// The read that speaks for several of one minute: of those that are never summed up, whatever the batches.
pub(crate) fn mark_of_reads(reads: &[DatastoreRead]) -> Option<Mark> {
    let marks = reads.iter().filter_map(|read| {
        let reader = read.reader.as_ref()?;
        let last = &read.total.last;
        Some(Mark {
            rank: !identity_hash(reader.identity()),
            time: last.time,
            event_uid: last.event_uid.to_string(),
            position: last.position.clone(),
        })
    });
    marks.max()
}

impl Keeper {
    /// Takes in that a source has spoken.
    pub(crate) fn hear_source(&mut self, source: &str, mark: Option<Mark>) -> Concluded {
        let Some(mark) = mark else { return Concluded::default() };
        let newest = self.root.newest_of(source).unwrap_or(EventTime::MIN);
        self.datastores.mark_root();
        let of = || source_itself(source);
        let Some(rhythm) = self.root.rhythms.get_mut(source) else {
            self.root.rhythms.insert(source.to_owned(), Rhythm::new(mark, Whose::Source));
            return Concluded::default();
        };
        let heard = rhythm.hear(mark);
        let over = rhythm.settle(newest.plus_micros(-LATENESS_BOUND_MICROS));
        let mut concluded = self.tell_heard(of, source, heard);
        for silence in over {
            concluded.extend(self.tell_over(&of(), source, &silence));
        }
        concluded
    }

    /// Takes in that a source has told of reads of a datastore.
    pub(crate) fn hear_datastore(
        &mut self,
        uid: &str,
        source: &Arc<str>,
        reads: &[DatastoreRead],
    ) -> Concluded {
        let (Some(first), Some(mark)) = (reads.first(), mark_of_reads(reads)) else {
            return Concluded::default();
        };
        let heard = self.datastores.entry(uid).hear(source, mark);
        self.tell_heard(|| first.datastore.clone(), source, heard)
    }

    /// Learns how often the sources of a datastore speak, up to the horizon.
    pub(crate) fn settle_rhythms(&mut self, uid: &str, horizon: EventTime) -> Concluded {
        let mut concluded = Concluded::default();
        let Some(state) = self.datastores.get_mut(uid) else { return concluded };
        let over = state.settle_rhythms(horizon);
        let Some(of) = state.datastore().cloned().filter(|_| !over.is_empty()) else {
            return concluded;
        };
        for (source, silence) in over {
            // All of the source was silent: that is told of the source.
            let of_source = self.root.rhythms.get(&*source);
            let end = silence.end.unwrap_or(silence.at);
            if !of_source.is_some_and(|of_source| of_source.was_silent(silence.at, end)) {
                concluded.extend(self.tell_over(&of, &source, &silence));
            }
        }
        concluded
    }

    fn tell_over(&mut self, of: &Datastore<'static>, source: &str, silence: &Silence) -> Concluded {
        let is_planned =
            |time: EventTime| self.root.context.excuses_silence(source, Some(of), time);
        if is_planned(silence.at) && silence.end.is_none_or(is_planned) {
            return Concluded::default();
        }
        let mut concluded = self.insert(event(of, source, silence, None));
        concluded.extend(self.insert(event(of, source, silence, silence.end)));
        concluded
    }

    fn tell_heard(
        &mut self,
        of: impl Fn() -> Datastore<'static>,
        source: &str,
        heard: Heard,
    ) -> Concluded {
        let (silence, was, is_over) = match heard {
            Heard::Usual => return Concluded::default(),
            Heard::Over { silence, was } => (silence, was, true),
            Heard::Never { silence, was } => (silence, was, false),
        };
        let of = of();
        let uid = of.uid.to_string();
        let withdrawn = [
            (!is_over).then(|| event(&of, source, &silence, None)),
            was.map(|was| event(&of, source, &silence, Some(was))),
        ];
        let end = event(&of, source, &silence, silence.end);
        let cause = end.uid.clone();
        let known = self.surroundings(&uid);
        self.change(&uid, &cause, |state| {
            for event in withdrawn.into_iter().flatten() {
                state.withdraw(event.time, &event.uid);
            }
            if is_over {
                state.insert(end, known.around());
            }
        })
    }

    /// All there is has been read: whoever should have spoken by `time` and has not is silent.
    pub fn listen(&mut self, time: EventTime) -> Concluded {
        let context = Arc::clone(self.context());
        let is_excused =
            |source: &str, of: &Datastore<'_>| context.excuses_silence(source, Some(of), time);
        let mut silent: Vec<(Datastore<'static>, String, Silence)> = Vec::new();
        for (source, rhythm) in &mut self.root.rhythms {
            let of = source_itself(source);
            let due = time.plus_micros(-patience(source));
            if let Some(silence) = rhythm.silence(due).filter(|_| !is_excused(source, &of)) {
                rhythm.fall_silent(silence.clone());
                silent.push((of, source.clone(), silence));
            }
        }
        let mut missed: Vec<(String, Arc<str>, Silence)> = Vec::new();
        for (uid, state) in self.datastores.iter() {
            let Some(of) = state.datastore() else { continue };
            for (source, rhythm) in state.rhythms() {
                let is_alive = |silence: &Silence| {
                    // It is the datastore that is silent, not the source.
                    let of_source = self.root.rhythms.get(&**source);
                    of_source.is_some_and(|of_source| of_source.has_spoken_since(silence.at))
                };
                let silence = rhythm.silence(time.plus_micros(-patience(source)));
                let silence = silence.filter(|s| is_alive(s) && !is_excused(source, of));
                missed.extend(silence.map(|silence| (uid.clone(), Arc::clone(source), silence)));
            }
        }
        for (uid, source, silence) in missed {
            let Some(state) = self.datastores.get_mut(&uid) else { continue };
            if let Some(rhythm) = state.rhythm_mut(&source) {
                rhythm.fall_silent(silence.clone());
            }
            if let Some(of) = state.datastore() {
                silent.push((of.clone(), source.to_string(), silence));
            }
        }
        let mut concluded = Concluded::default();
        if !silent.is_empty() {
            self.datastores.mark_root();
        }
        for (of, source, silence) in silent {
            concluded.extend(self.insert(event(&of, &source, &silence, None)));
        }
        concluded
    }
}

/// A source, as what a finding is about.
fn source_itself(source: &str) -> Datastore<'static> {
    Datastore {
        uid: format!("source/{source}").into(),
        name: Some(source.to_owned().into()),
        resource_type: Some("Audit source".into()),
        form: DatastoreForm::Guard,
    }
}

/// The beginning of a silence as an event, or its end.
fn event(
    of: &Datastore<'static>,
    source: &str,
    silence: &Silence,
    end: Option<EventTime>,
) -> PostureEvent {
    let uid = UidBuilder::new("silence")
        .text(source)
        .text(&of.uid)
        .number(silence.since)
        .number(i64::from(end.is_some()))
        .finish();
    let start = EventTime::from_micros(silence.since.saturating_mul(MINUTE_MICROS));
    let last = silence.last.as_ref().map_or(start, |last| last.time);
    let operation = if end.is_some() { "source_speaks" } else { SOURCE_SILENT };
    let time = end.unwrap_or(silence.at);
    let position = silence.last.as_ref().map_or_else(nowhere, |last| last.position.clone());
    PostureEvent {
        source: source.to_owned(),
        actor: Actor { name: Some("nobody".into()), ..Actor::default() },
        changes: vec![Change {
            catalogue_row: "".into(),
            control: Control::AuditLogging,
            setting: SOURCE_SILENT.into(),
            opened: source.to_owned().into(),
            before: Some(last.to_string().into()),
            after: None,
            direction: if end.is_some() { Direction::Strengthened } else { Direction::Weakened },
            whole: false,
        }],
        ..PostureEvent::concluded(uid, operation, time, position, of.clone())
    }
}

/// Where an event stands of which nobody knows where it stands.
fn nowhere() -> Position {
    Position { partition: Partition::new("unknown", 0), offset: Offset(0), record_index: 0 }
}
