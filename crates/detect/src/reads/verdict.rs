//! What people say of findings, and what was announced: both change what is told, and neither hides a policy rule.

use dataward_event::audit_event::Actor;
use serde::{Deserialize, Serialize};

use crate::context::fits;
use crate::plan::Moment;
use crate::reads::evidence::Channel;

/// What somebody found a finding to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It was work that is expected: it teaches, and the like of it is told mildly until it expires.
    Expected,
    /// It was an attack: its days teach nothing.
    Confirmed,
}

/// A finding that somebody has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The uid of the finding.
    pub finding: String,
    /// What it was.
    pub disposition: Disposition,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub owner: String,
    /// Until when more of it is expected, exclusive. Of an attack it says nothing.
    #[serde(default)]
    pub until: Option<Moment>,
    /// Of whom more is expected: a uid or a name. Without it the verdict is about this finding alone.
    #[serde(default)]
    pub actor: Option<String>,
    /// In which channel: `acute`, `drift` or `off_hours`. Without it in all.
    #[serde(default)]
    pub channel: Option<Channel>,
}

impl Verdict {
    /// Whether it still holds on a day, counted from 1970-01-01: what is expected ends, an attack was one.
    pub fn holds_on(&self, day: i32) -> bool {
        let begins = i64::from(day) * 86_400_000_000;
        let is_expected = self.disposition == Disposition::Expected;
        !is_expected || self.until.is_none_or(|until| begins < until.0.micros())
    }

    /// Whether it says of a read that it is expected.
    pub fn expects(&self, actor: &Actor<'_>, channel: Channel, finding: &str, second: i64) -> bool {
        let is_of = self.actor.as_deref().is_some_and(|pattern| {
            fits(pattern, actor.uid.as_deref().unwrap_or_default(), actor.name.as_deref())
        });
        let is_in = self.channel.is_none_or(|known| known == channel);
        let is_in_time =
            self.until.is_some_and(|until| second.saturating_mul(1_000_000) < until.0.micros());
        self.disposition == Disposition::Expected
            && is_in_time
            && (self.finding == finding || is_of && is_in)
    }
}

/// A change that was announced: what it lifts is told mildly, for a time and up to a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedChange {
    /// What happens: `release 4.2 reads orders twice`.
    pub reason: String,
    /// From when on.
    pub from: Moment,
    /// Until when, exclusive: it must have an end.
    pub until: Moment,
    /// Whose reads: uids or names; `*` at the end stands for any rest.
    #[serde(default)]
    pub actors: Vec<String>,
    /// Or whose of these peer groups. Neither: anybody's.
    #[serde(default)]
    pub peer_groups: Vec<String>,
    /// Of which datastores. Empty: of any.
    #[serde(default)]
    pub datastores: Vec<String>,
    /// How many times as much as usual it may be.
    #[serde(default = "ten")]
    pub times: u32,
}

const fn ten() -> u32 {
    10
}

impl AnnouncedChange {
    /// Whether it covers the reads of an actor of a group at a time, in seconds.
    pub fn covers(
        &self,
        actor: &Actor<'_>,
        group: &str,
        (uid, name): (&str, Option<&str>),
        second: i64,
    ) -> bool {
        let micros = second.saturating_mul(1_000_000);
        let is_in_time = self.from.0.micros() <= micros && micros < self.until.0.micros();
        let own = actor.uid.as_deref().unwrap_or_default();
        let is_by = self.actors.iter().any(|pattern| fits(pattern, own, actor.name.as_deref()));
        let is_of = self.peer_groups.iter().any(|known| known == group);
        let is_anybody = self.actors.is_empty() && self.peer_groups.is_empty();
        let is_on = self.datastores.is_empty()
            || self.datastores.iter().any(|pattern| fits(pattern, uid, name));
        is_in_time && (is_by || is_of || is_anybody) && is_on
    }
}
