//! What was planned: changes that somebody approved, and times in which a source is expected to be silent.
//!
//! A plan ends by itself; it lowers and marks, and never hides.

use dataward_event::audit_event::{Actor, Datastore};
use dataward_event::change::Control;
use dataward_event::finding::Approval;
use dataward_event::limits::LATENESS_BOUND_MICROS;
use dataward_event::time::EventTime;
use serde::{Deserialize, Serialize};

use crate::context::fits;

/// A change of protection that was approved beforehand, as the context file states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovedChange {
    /// The ticket that approves it.
    pub ticket: String,
    /// From when on.
    pub from: Moment,
    /// Until when, exclusive: it must have an end.
    pub until: Moment,
    /// Whose changes: uids or names; `*` at the end stands for any rest. Empty: anybody's.
    #[serde(default)]
    pub actors: Vec<String>,
    /// On which datastores, in the same way. Empty: any.
    #[serde(default)]
    pub datastores: Vec<String>,
    /// Which controls. Empty: all.
    #[serde(default)]
    pub controls: Vec<ControlName>,
}

/// A time in which sources are expected to be silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// From when on.
    pub from: Moment,
    /// Until when, exclusive.
    pub until: Moment,
    /// Which sources, by name. Empty: all.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Which datastores; `*` at the end stands for any rest. Empty: all.
    #[serde(default)]
    pub datastores: Vec<String>,
}

/// A time of the file, in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub EventTime);

/// A control as the file spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ControlName(pub Control);

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no time: write it as in 2026-03-04T05:06:07Z")]
pub struct NotAMoment(String);

/// A text that is no control.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is no control: one of the thirteen that `dataward controls` lists, such as authentication"
)]
pub struct NotAControl(String);

impl ApprovedChange {
    /// What it says of a change at `at`; `None` where it does not cover it.
    pub(crate) fn covers(
        &self,
        actor: &Actor<'_>,
        datastore: &Datastore<'_>,
        control: Control,
        made: EventTime,
        at: EventTime,
    ) -> Option<Approval> {
        let is_in_time = self.from.0 <= made && made < self.until.0 && at < self.until.0;
        let uid = actor.uid.as_deref().unwrap_or_default();
        let is_by = |pattern: &String| fits(pattern, uid, actor.name.as_deref());
        let is_on = |pattern: &String| fits(pattern, &datastore.uid, datastore.name.as_deref());
        let covers = is_in_time
            && (self.actors.is_empty() || self.actors.iter().any(is_by))
            && (self.datastores.is_empty() || self.datastores.iter().any(is_on))
            && (self.controls.is_empty() || self.controls.contains(&ControlName(control)));
        covers.then(|| Approval { ticket: self.ticket.clone(), until: self.until.0 })
    }
}

impl Maintenance {
    /// Whether a silence at `due` was planned; who was silent has a moment to speak again.
    pub(crate) fn excuses(
        &self,
        source: &str,
        datastore: Option<&Datastore<'_>>,
        due: EventTime,
    ) -> bool {
        let is_on = |pattern: &String| {
            datastore.is_some_and(|of| fits(pattern, &of.uid, of.name.as_deref()))
        };
        self.from.0 <= due
            && due < self.until.0.plus_micros(LATENESS_BOUND_MICROS)
            && (self.sources.is_empty() || self.sources.iter().any(|known| known == source))
            && (self.datastores.is_empty() || self.datastores.iter().any(is_on))
    }
}

impl TryFrom<String> for Moment {
    type Error = NotAMoment;

    fn try_from(text: String) -> Result<Self, NotAMoment> {
        EventTime::parse_rfc3339(&text).map(Self).ok_or(NotAMoment(text))
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0.to_string()
    }
}

impl TryFrom<String> for ControlName {
    type Error = NotAControl;

    fn try_from(text: String) -> Result<Self, NotAControl> {
        Control::parse(&text).map(Self).ok_or(NotAControl(text))
    }
}

impl From<ControlName> for String {
    fn from(name: ControlName) -> Self {
        name.0.as_str().to_owned()
    }
}
