//! The chronicle of the year 2019: eight weeks of a company that makes cameras, in the order of event time.
//!
//! Nearly three weeks of normal life. Then production data is copied into a new store, its protection is removed, outsiders
//! read it and it is protected again, a second store is found open, and a role is stolen that copies thirty buckets.
//! The days, hours and amounts are modelled on what is public about Wyze (December 2019) and Capital One (March 2019);
//! names, numbers and everything else are made up. After the story ordinary days go on, without an end.

mod calendar;
mod deed;
mod look_alikes;
mod normal_life;
mod open_stores;
mod own_logs;
mod stolen_role;

use std::collections::VecDeque;

use dataward_event::time::EventTime;
use fastrand::Rng;

use crate::cloudtrail::Message;
use calendar::Day;
pub use calendar::{BEGIN, END, NORMAL_UNTIL};
pub use deed::Deed;
use normal_life::NormalLife;
use own_logs::OwnLogs;

/// The topic of CloudTrail records.
pub const CLOUDTRAIL_TOPIC: &str = "audit.cloudtrail";
/// The topic of what the gateway before the Elasticsearch clusters writes, in OCSF.
pub const OCSF_TOPIC: &str = "audit.ocsf";
/// The topic of what Elasticsearch clusters write themselves.
pub const SEARCH_TOPIC: &str = "audit.elasticsearch";

/// What people know of these datastores and no log says: a context file.
pub const CONTEXT: &str = include_str!("chronicle/context.toml");

/// One message of the chronicle.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The topic it belongs to.
    pub topic: &'static str,
    /// When it happened: never before the entry that precedes it.
    pub time: EventTime,
    /// The message.
    pub message: Message,
    /// The deed that it is part of; `None` for normal life.
    pub deed: Option<Deed>,
}

/// An endless source of entries; the story ends at [`END`].
#[derive(Debug)]
pub struct Chronicle {
    life: NormalLife,
    own_logs: OwnLogs,
    /// The deeds that are still to come.
    deeds: VecDeque<Entry>,
    day: Day,
    /// What is left of the day.
    today: VecDeque<Entry>,
}

impl Chronicle {
    /// The chronicle of so many actors. Their number decides how much happens on an ordinary day: about three and a
    /// half events each; the story is the same.
    pub fn new(seed: u64, actors: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let life = NormalLife::new(rng.fork(), actors);
        let mut deeds = look_alikes::entries(&mut rng);
        deeds.extend(open_stores::entries(&mut rng));
        deeds.extend(stolen_role::entries(&mut rng));
        deeds.sort_by_key(|entry| entry.time);
        let own_logs = OwnLogs::new(rng.fork());
        Self { life, own_logs, deeds: deeds.into(), day: Day::FIRST, today: VecDeque::new() }
    }

    fn write_day(&mut self) {
        let mut entries = self.life.day(self.day);
        entries.extend(self.own_logs.day(self.day));
        let night = self.day.next().start();
        while let Some(entry) = self.deeds.pop_front_if(|entry| entry.time < night) {
            entries.push(entry);
        }
        entries.sort_by_key(|entry| entry.time);
        self.today = entries.into();
        self.day = self.day.next();
    }
}

impl Iterator for Chronicle {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        while self.today.is_empty() {
            self.write_day();
        }
        self.today.pop_front()
    }
}
