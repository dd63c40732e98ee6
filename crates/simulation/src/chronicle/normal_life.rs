//! Normal life: who reads what on an ordinary day.
//!
//! Volumes are log-normal and cut off at two sigma: whoever reads far more than usual has a reason, and the reason is
//! in the story.

use dataward_event::time::EventTime;
use fastrand::Rng;
use serde_json::json;

use super::calendar::{Day, later};
use super::deed::Deed;
use super::stolen_role;
use super::{CLOUDTRAIL_TOPIC, Entry, OCSF_TOPIC, open_stores};
use crate::cloudtrail::{
    self, Caller, Message, control_plane, object_call, private_policy, whole_access_block,
    with_bucket,
};
use crate::incident::policy;
use crate::search_audit::{self, Request, SearchUser, change};

/// The buckets that are meant for few.
pub(super) const BUCKETS: [&str; 7] = [
    "telemetry",
    "device-images",
    "customer-exports",
    "invoices",
    "backups",
    "web-logs",
    "web-firewall-rules",
];
/// The bucket that is meant for everybody.
const WEBSITE: &str = "public-website";
const CLUSTERS: [&str; 3] = ["customers", "devices", "support-tickets"];

const KIB: f64 = 1024.0;
/// The bytes of a document, about.
const DOCUMENT_BYTES: u64 = 600;

/// Some who do the same.
struct Team {
    name: &'static str,
    /// Of a thousand actors.
    share: usize,
    kind: Kind,
    rhythm: Rhythm,
    /// The one that is used most, and another one.
    stores: [&'static str; 2],
    /// On an ordinary day.
    events: f64,
    /// What is read at once: bytes of a bucket, rows of a cluster.
    volume: f64,
}

#[derive(Clone, Copy)]
enum Kind {
    AwsPerson,
    AwsService,
    SearchPerson,
    SearchService,
}

#[derive(Debug, Clone, Copy)]
enum Rhythm {
    Office,
    Continuous,
    Nightly,
}

use Kind::{AwsPerson, AwsService, SearchPerson, SearchService};
use Rhythm::{Continuous, Nightly, Office};

#[rustfmt::skip]
const TEAMS: [Team; 9] = [
    Team { name: "support", share: 200, kind: SearchPerson, rhythm: Office, stores: ["support-tickets", "customers"], events: 3.6, volume: 20.0 },
    Team { name: "analytics", share: 100, kind: SearchPerson, rhythm: Office, stores: ["devices", "support-tickets"], events: 3.4, volume: 200.0 },
    Team { name: "engineering", share: 150, kind: AwsPerson, rhythm: Office, stores: ["device-images", "web-logs"], events: 3.6, volume: 400.0 * KIB },
    Team { name: "finance", share: 80, kind: AwsPerson, rhythm: Office, stores: ["invoices", "customer-exports"], events: 3.6, volume: 150.0 * KIB },
    Team { name: "marketing", share: 70, kind: AwsPerson, rhythm: Office, stores: ["customer-exports", WEBSITE], events: 3.4, volume: 90.0 * KIB },
    Team { name: "ingest", share: 140, kind: AwsService, rhythm: Continuous, stores: ["telemetry", "telemetry"], events: 4.6, volume: 900.0 * KIB },
    Team { name: "application", share: 100, kind: SearchService, rhythm: Continuous, stores: ["customers", "devices"], events: 4.6, volume: 40.0 },
    Team { name: "nightly", share: 100, kind: AwsService, rhythm: Nightly, stores: ["backups", "telemetry"], events: 4.0, volume: 20_000.0 * KIB },
    Team { name: "export", share: 60, kind: SearchService, rhythm: Nightly, stores: ["devices", "devices"], events: 4.0, volume: 5_000.0 },
];

/// The ordinary days of everybody.
#[derive(Debug)]
pub(super) struct NormalLife {
    rng: Rng,
    habits: Vec<Habit>,
    operators: Vec<Caller>,
    deployment: (Caller, SearchUser),
}

/// What one actor does.
#[derive(Debug)]
struct Habit {
    who: Who,
    team: &'static str,
    rhythm: Rhythm,
    /// When the day begins, or the night's work.
    hour: f64,
    stores: [&'static str; 2],
    events: f64,
    volume: f64,
}

#[derive(Debug)]
enum Who {
    Aws(Caller),
    Search(SearchUser),
}

impl NormalLife {
    pub(super) fn new(mut rng: Rng, actors: usize) -> Self {
        let mut habits = Vec::with_capacity(actors + 2);
        for team in &TEAMS {
            for _ in 0..(actors * team.share).div_ceil(1000) {
                let number = habits.len();
                habits.push(Habit::new(&mut rng, team, number));
            }
        }
        habits.push(Habit {
            who: Who::Aws(stolen_role::owner()),
            team: "web",
            rhythm: Continuous,
            hour: 0.0,
            stores: ["web-firewall-rules"; 2],
            events: 4.0,
            volume: 20.0 * KIB,
        });
        habits.push(Habit {
            who: Who::Search(open_stores::copier()),
            team: "copy",
            rhythm: Nightly,
            hour: 1.0,
            stores: ["customers"; 2],
            events: 4.0,
            volume: 500.0,
        });
        let operators =
            ["b.okafor", "c.lindt", "r.saito"].iter().enumerate().map(|(number, name)| {
                Caller::person(
                    &format!("operations/{name}"),
                    &format!("198.51.100.{}", 10 + number),
                )
            });
        let deployment = (
            Caller::instance("deployment", 0xd3_9107, "10.20.0.4"),
            SearchUser::service("operations", "deployment", "10.20.0.4"),
        );
        Self { operators: operators.collect(), rng, habits, deployment }
    }

    /// What happens on a day, in no order.
    pub(super) fn day(&mut self, day: Day) -> Vec<Entry> {
        let mut entries = Vec::new();
        for habit in &self.habits {
            habit.day(&mut self.rng, day, &mut entries);
        }
        self.visitors(day, &mut entries);
        self.housekeeping(day, &mut entries);
        if day.weekday() == 1 {
            self.deployment(day, &mut entries);
        }
        entries
    }

    /// People who read the website.
    fn visitors(&mut self, day: Day, entries: &mut Vec<Entry>) {
        let rng = &mut self.rng;
        for _ in 0..rng.u32(20..30) {
            let network = ["192.0.2", "203.0.113"][rng.usize(..2)];
            let visitor = Caller::nobody(&format!("{network}.{}", rng.u8(1..255)));
            let key = format!("pages/{:02}.html", rng.u32(..40));
            let bytes = log_normal(rng, 12.0 * KIB, 0.5);
            let event = object_call(rng, "GetObject", WEBSITE, &key, bytes);
            let time = day.second(rng, 0.0, 24.0);
            let message = cloudtrail::record(rng, event, &visitor, time);
            entries.push(aws(time, message, Some(Deed::PublicWebsite)));
        }
    }

    /// Settings that change every day and weaken nothing.
    fn housekeeping(&mut self, day: Day, entries: &mut Vec<Entry>) {
        let rng = &mut self.rng;
        let count = if day.is_free() { rng.u32(..2) } else { rng.u32(4..9) };
        for _ in 0..count {
            let bucket = BUCKETS[rng.usize(..BUCKETS.len())];
            let (operation, parameters) = match rng.u32(..4) {
                0 => ("PutBucketTagging", json!({ "tagging": "" })),
                1 => ("PutBucketPolicy", json!({ "bucketPolicy": private_policy(bucket) })),
                2 => ("PutBucketPublicAccessBlock", whole_access_block()),
                _ => ("PutBucketLifecycle", json!({ "lifecycle": "" })),
            };
            let event =
                control_plane("s3.amazonaws.com", operation, &with_bucket(parameters, bucket));
            let time = day.second(rng, 8.0, 9.0);
            let operator = &self.operators[rng.usize(..self.operators.len())];
            entries.push(aws(time, cloudtrail::record(rng, event, operator, time), None));
        }
    }

    /// Every Tuesday everything is deployed again: each setting is sent as it is.
    fn deployment(&mut self, day: Day, entries: &mut Vec<Entry>) {
        let (caller, user) = &self.deployment;
        let mut time = day.second(&mut self.rng, 10.0, 0.5);
        for bucket in BUCKETS {
            let versioning = json!({ "VersioningConfiguration": { "Status": "Enabled" } });
            for (operation, parameters) in [
                ("PutBucketPolicy", json!({ "bucketPolicy": private_policy(bucket) })),
                ("PutBucketPublicAccessBlock", whole_access_block()),
                ("PutBucketVersioning", versioning),
            ] {
                let parameters = with_bucket(parameters, bucket);
                let event = control_plane("s3.amazonaws.com", operation, &parameters);
                time = later(time, 1);
                let message = cloudtrail::record(&mut self.rng, event, caller, time);
                entries.push(aws(time, message, Some(Deed::Deployment)));
            }
        }
        let parameters =
            with_bucket(json!({ "bucketPolicy": policy("*", None, WEBSITE) }), WEBSITE);
        let event = control_plane("s3.amazonaws.com", "PutBucketPolicy", &parameters);
        let message = cloudtrail::record(&mut self.rng, event, caller, time);
        entries.push(aws(time, message, Some(Deed::PublicWebsite)));
        for cluster in CLUSTERS {
            let request = Request::Change {
                operation: "cluster:admin/settings/update",
                changes: vec![
                    change(
                        "authentication",
                        "xpack.security",
                        "anonymous access",
                        "strengthened",
                        ("true", "true"),
                    ),
                    change(
                        "network_exposure",
                        "network.host",
                        "0.0.0.0/0 tcp 9200",
                        "strengthened",
                        ("10.20.0.0/16", "10.20.0.0/16"),
                    ),
                ],
            };
            time = later(time, 1);
            let message = search_audit::event(&mut self.rng, user, cluster, &request, time);
            entries.push(search(time, message, Some(Deed::Deployment)));
        }
    }
}

impl Habit {
    fn new(rng: &mut Rng, team: &Team, number: usize) -> Self {
        let ip = match team.kind {
            AwsPerson | SearchPerson => format!("198.51.100.{}", 20 + number % 200),
            AwsService | SearchService => format!("10.20.{}.{}", 1 + number / 200, number % 200),
        };
        let who = match team.kind {
            AwsPerson => {
                Who::Aws(Caller::person(&format!("{}/{}", team.name, person_name(number)), &ip))
            }
            AwsService => {
                let role = format!("{}-{number:03}", team.name);
                Who::Aws(Caller::instance(&role, rng.u64(..), &ip))
            }
            SearchPerson => Who::Search(SearchUser::person(team.name, &person_name(number), &ip)),
            SearchService => {
                let name = format!("{}-{number:03}", team.name);
                Who::Search(SearchUser::service(team.name, &name, &ip))
            }
        };
        let hour = match team.rhythm {
            // Two offices, half a day apart.
            Office => [8.0, 14.0][rng.usize(..2)],
            Continuous => 0.0,
            Nightly => 1.0 + rng.f64() * 3.0,
        };
        Self {
            who,
            team: team.name,
            rhythm: team.rhythm,
            hour,
            stores: team.stores,
            events: team.events * (0.85 + rng.f64() * 0.3),
            volume: log_normal(rng, team.volume, 0.5) as f64,
        }
    }

    fn day(&self, rng: &mut Rng, day: Day, entries: &mut Vec<Entry>) {
        let is_present = match self.rhythm {
            Office if day.is_free() => false,
            Office => rng.u8(..100) < 93,
            Continuous | Nightly => true,
        };
        if !is_present {
            return;
        }
        let count = self.events * self.busyness(day) * (0.8 + rng.f64() * 0.4);
        for number in 0..(count.round() as u32).max(1) {
            let time = match self.rhythm {
                Office => day.second(rng, self.hour, 9.0),
                Continuous => day.second(rng, 0.0, 24.0),
                Nightly => day.second(rng, self.hour, 1.0),
            };
            let store = self.stores[usize::from(number > 0 && rng.u8(..100) < 30)];
            // The first event of a day is always a read: every active day teaches something.
            let roll = if number == 0 { 0 } else { rng.u32(..100) };
            entries.push(match &self.who {
                Who::Aws(caller) => self.call(rng, caller, store, roll, day, time),
                Who::Search(user) => self.search(rng, user, store, roll, time),
            });
        }
    }

    /// Mondays are busy and Fridays are not; at the end of a month finance closes the books.
    fn busyness(&self, day: Day) -> f64 {
        let weekday = match (self.rhythm, day.weekday()) {
            (Office, 0) => 1.1,
            (Office, 4) => 0.85,
            _ => 1.0,
        };
        match (self.team, day.is_month_end()) {
            ("finance", true) => weekday * 1.6,
            (_, true) => weekday * 1.1,
            _ => weekday,
        }
    }

    fn call(
        &self,
        rng: &mut Rng,
        caller: &Caller,
        bucket: &str,
        roll: u32,
        day: Day,
        time: EventTime,
    ) -> Entry {
        let operation = match roll {
            0..78 | 98.. => "GetObject",
            78..88 => "PutObject",
            88..94 => "HeadObject",
            _ => "ListObjects",
        };
        let key = format!("{}/{:04x}-{:08x}.bin", day.start().date(), rng.u16(..), rng.u32(..));
        let bytes = match operation {
            "GetObject" | "PutObject" if roll < 98 => log_normal(rng, self.volume, 0.45),
            _ => rng.u64(200..900),
        };
        let mut event = object_call(rng, operation, bucket, &key, bytes);
        if roll >= 98 {
            event["errorCode"] = json!("AccessDenied");
            event["errorMessage"] = json!("Access Denied");
        }
        aws(time, cloudtrail::record(rng, event, caller, time), None)
    }

    fn search(
        &self,
        rng: &mut Rng,
        user: &SearchUser,
        cluster: &'static str,
        roll: u32,
        time: EventTime,
    ) -> Entry {
        let index = index_of(cluster);
        let rows = log_normal(rng, self.volume, 0.45);
        let bytes = rows * DOCUMENT_BYTES;
        let request = match roll {
            0..88 => Request::Search { index, rows, bytes },
            88..98 => Request::Write { index, rows: 1, bytes: DOCUMENT_BYTES },
            _ => Request::Refused { index },
        };
        // The gateway counts in milliseconds.
        let time = time.plus_micros(rng.i64(0..1000) * 1000);
        search(time, search_audit::event(rng, user, cluster, &request, time), None)
    }
}

/// An entry of the topic of CloudTrail records.
pub(super) fn aws(time: EventTime, message: Message, deed: Option<Deed>) -> Entry {
    Entry { topic: CLOUDTRAIL_TOPIC, time, message, deed }
}

/// An entry of the topic of the clusters.
pub(super) fn search(time: EventTime, message: Message, deed: Option<Deed>) -> Entry {
    Entry { topic: OCSF_TOPIC, time, message, deed }
}

/// The index that holds a cluster's documents.
pub(super) fn index_of(cluster: &str) -> &'static str {
    match cluster {
        "customers" => "customers-v3",
        "devices" => "device-events",
        "support-tickets" => "tickets",
        _ => "customers-v3-copy",
    }
}

/// A number around a median, never further away than two sigma.
fn log_normal(rng: &mut Rng, median: f64, sigma: f64) -> u64 {
    // The sum of twelve is near enough to a normal distribution, and the same on every machine.
    let normal: f64 = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
    (median * (normal.clamp(-2.0, 2.0) * sigma).exp()).round().max(1.0) as u64
}

/// A name that no other number has, up to some thousand of them.
fn person_name(number: usize) -> String {
    const SURNAMES: [&str; 40] = [
        "abara", "berg", "castro", "dunn", "egli", "farouk", "garner", "haddad", "ito", "jansen",
        "kaya", "lopez", "moreau", "nilsen", "okada", "perez", "quist", "rossi", "singh", "tanaka",
        "ueda", "varga", "weber", "xu", "yilmaz", "zhang", "adler", "bauer", "costa", "diaz",
        "evans", "fischer", "gupta", "horvat", "ivers", "jung", "kim", "larsen", "meyer", "novak",
    ];
    let initial = char::from(b'a' + u8::try_from((number / 40 + number) % 24).unwrap_or(0));
    format!("{initial}.{}", SURNAMES[number % SURNAMES.len()])
}
