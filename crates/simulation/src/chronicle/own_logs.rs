//! What two clusters write themselves: a dashboard asks each of them every quarter of an hour. While its security is switched off
//! a cluster writes nothing.

use dataward_event::time::EventTime;
use fastrand::Rng;
use serde_json::json;

use super::calendar::{Day, at, later};
use super::deed::Deed;
use super::normal_life::index_of;
use super::{Entry, SEARCH_TOPIC, open_stores};
use crate::cloudtrail::{Message, random_text};

/// The cluster that goes on.
const TICKETS: &str = "support-tickets";
const EVERY_SECONDS: usize = 900;
/// Since when there is the dashboard.
const BEGUN: &str = "2019-12-02T00:00:00Z";
/// Since when it shows the copy.
const COPY_SHOWN: &str = "2019-12-03T02:10:00Z";

/// The logs, day by day.
#[derive(Debug)]
pub(super) struct OwnLogs {
    rng: Rng,
}

impl OwnLogs {
    pub(super) const fn new(rng: Rng) -> Self {
        Self { rng }
    }

    pub(super) fn day(&mut self, day: Day) -> Vec<Entry> {
        let removed = at(open_stores::REMOVED);
        let mut entries = Vec::new();
        for second in (0..86_400).step_by(EVERY_SECONDS) {
            let time = later(day.start(), second + self.rng.i64(0..60));
            if time < at(BEGUN) {
                continue;
            }
            entries.push(self.asked(TICKETS, time, None));
            if time >= at(COPY_SHOWN) && !(removed..at(open_stores::CLOSED)).contains(&time) {
                let is_last = time < removed && later(time, EVERY_SECONDS as i64) >= removed;
                entries.push(self.asked(
                    open_stores::COPY,
                    time,
                    is_last.then_some(Deed::LastWord),
                ));
            }
        }
        entries
    }

    fn asked(&mut self, cluster: &str, time: EventTime, deed: Option<Deed>) -> Entry {
        let request = random_text(&mut self.rng, 22);
        let stamp = time.to_string().replace('Z', ",000+0000");
        let record = json!({
            "type": "audit",
            "timestamp": stamp,
            "cluster.name": cluster,
            "node.name": format!("{cluster}-1"),
            "event.type": "transport",
            "event.action": "access_granted",
            "authentication.type": "REALM",
            "user.name": "dashboard",
            "user.realm": "native1",
            "user.roles": ["reader"],
            "origin.type": "rest",
            "origin.address": "10.20.0.31:41022",
            "request.id": request,
            "request.name": "SearchRequest",
            "action": "indices:data/read/search",
            "indices": [index_of(cluster)],
        });
        let payload = record.to_string();
        let message = Message { key: "dashboard".to_owned(), event_uid: request, payload };
        Entry { topic: SEARCH_TOPIC, time, message, deed }
    }
}
