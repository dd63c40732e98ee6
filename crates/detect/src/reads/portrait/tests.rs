use dataward_event::audit_event::{
    Actor, ActorKind, AuditEvent, Client, Datastore, DatastoreForm, Outcome,
};
use dataward_event::finding::Finding;
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::volume::{RowCount, Volume};

use super::*;
use crate::actor_key::{actor_key, datastore_key};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A partition, and how many events it was shown.
#[derive(Default)]
struct Shown {
    reads: BulkReads,
    context: Context,
    next: i64,
}

impl Shown {
    fn read(&mut self, store: &str, micros: i64, rows: u64, objects: &[String]) -> Vec<Finding> {
        let number = self.next;
        self.next += 1;
        let event = AuditEvent {
            activity_id: 1,
            outcome: Outcome::Success,
            actor: ada(),
            client: Client { ip: Some("198.51.100.7".into()), ..Client::default() },
            datastore: Some(datastore(store)),
            objects: objects.iter().map(|object| object.clone().into()).collect(),
            volume: Volume { rows: Some(RowCount(rows)), bytes: None, objects: None },
            ..AuditEvent::new(
                format!("event-{number}"),
                EventTime::from_micros(micros),
                "ocsf",
                "read",
            )
        };
        let partition = Partition::new("audit", 0);
        let position = Position { partition, offset: Offset(number), record_index: 0 };
        self.reads.observe(&event, &position, &self.context)
    }

    /// Workdays from nine to five, a read of a hundred rows each hour.
    fn days(&mut self, days: std::ops::Range<i64>) {
        for day in days.filter(|day| (day + 3) % 7 < 5) {
            for hour in 9..17 {
                let rows = 90 + (day * 7 + hour) as u64 % 20;
                self.read("orders", day * DAY + hour * HOUR, rows, &[]);
            }
        }
    }

    fn portrait(&self, store: &str) -> Option<Portrait> {
        let actor = actor_key(&ada(), &datastore(store));
        let store = datastore_key(&datastore(store));
        self.reads.portrait(actor, Some(store), &self.context)
    }
}

fn ada() -> Actor<'static> {
    Actor { uid: Some("ada".into()), kind: ActorKind::Human, ..Actor::default() }
}

fn datastore(uid: &str) -> Datastore<'_> {
    Datastore { uid: uid.into(), name: None, resource_type: None, form: DatastoreForm::Database }
}

fn evidence<'p>(portrait: &'p Portrait, family: &str) -> &'p EvidenceShown {
    portrait.evidence.iter().find(|shown| shown.family == family).unwrap()
}

#[test]
fn nobody_has_no_portrait() {
    let mut shown = Shown::default();
    assert_eq!(shown.portrait("orders"), None);
    shown.read("orders", HOUR, 5, &[]);
    assert_eq!(shown.reads.portrait(1, None, &shown.context), None);
    let portrait = shown.portrait("invoices").unwrap();
    assert_eq!((portrait.datastore, portrait.days, portrait.is_active), (None, 0, true));
    assert_eq!((portrait.borrowed_share, portrait.history.median), (1.0, None));
}

#[test]
fn ordinary_weeks_show_what_is_usual() {
    let mut shown = Shown::default();
    shown.days(0..28);
    // A Thursday morning.
    shown.read("orders", 28 * DAY + 9 * HOUR, 100, &[]);
    let portrait = shown.portrait("orders").unwrap();
    assert_eq!((portrait.day, portrait.days, portrait.first_day), (28, 20, 0));
    assert_eq!((&*portrait.group, portrait.stratum), ("human", "human"));
    assert!(portrait.borrowed_share < 0.1, "{}", portrait.borrowed_share);
    let seconds: Vec<u32> = portrait.windows.iter().map(|window| window.seconds).collect();
    assert_eq!(seconds, [60, 600, 3_600, 86_400]);
    for (window, usual) in portrait.windows.iter().zip([100.0, 100.0, 100.0, 800.0]) {
        assert!((window.usual / usual - 1.0).abs() < 0.4, "{window:?}");
        assert!(window.lower < window.usual && window.usual < window.upper, "{window:?}");
        assert!((window.now, window.highest) == (100.0, 100.0) && window.nats < 1.0, "{window:?}");
    }
    assert_eq!(portrait.history.volumes.len(), 20);
    let median = portrait.history.median.unwrap();
    assert!((700.0..900.0).contains(&median), "{median}");
    assert_eq!(portrait.hours.today, [9]);
    assert!(portrait.hours.workdays[12] > 0.9 && portrait.hours.workdays[3] < 0.05);
    assert_eq!((portrait.hours.workdays_known, portrait.hours.weekend_days_known), (20, 0));
    assert_eq!((portrait.networks, portrait.datastores, portrait.incidents), (1, 1, Vec::new()));
    assert_eq!(portrait.read_today, MetricsShown { rows: Some(100), bytes: None, objects: None });
    let of_store = portrait.datastore.unwrap();
    assert_eq!((of_store.label.as_deref(), of_store.days), (Some("orders"), 20));
    assert!(of_store.windows.iter().all(|window| window.is_judged && window.highest == 100.0));
}

#[test]
fn a_dump_shows_in_windows_evidence_channels_and_incidents() {
    let mut shown = Shown::default();
    shown.days(0..28);
    let begin = 28 * DAY + 9 * HOUR;
    let mut findings = Vec::new();
    for number in 0..60 {
        let objects: Vec<String> = (0..50).map(|part| format!("object-{number}-{part}")).collect();
        findings.extend(shown.read("orders", begin + number * 10 * SECOND, 20_000, &objects));
    }
    assert!(!findings.is_empty());
    let portrait = shown.portrait("orders").unwrap();

    // What is shown is what was judged.
    let volume = evidence(&portrait, "volume");
    assert_eq!((volume.unit, volume.datastore.as_deref()), (Some(Unit::Volume), Some("orders")));
    let windows = if volume.of_all_datastores {
        &portrait.windows
    } else {
        &portrait.datastore.as_ref().unwrap().windows
    };
    let same = windows.iter().find(|window| Some(window.seconds) == volume.window_seconds).unwrap();
    assert_eq!(volume.seen, Some(same.highest));
    let is_close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() <= 1e-4 * b + 1e-3;
    assert!(is_close(volume.usual, same.usual) && is_close(volume.upper, same.upper), "{same:?}");
    assert!(is_close(Some(volume.score), same.nats), "{volume:?} {same:?}");

    let new_objects = evidence(&portrait, "new_objects");
    // The filter takes one in a hundred for one that was read before.
    let seen = new_objects.seen.unwrap();
    assert!((2_900.0..=3_000.0).contains(&seen), "{seen}");
    assert_eq!(new_objects.unit, Some(Unit::Objects));
    assert!(portrait.new_objects.iter().all(|shown| shown.is_judged && shown.highest == seen));
    assert_eq!(portrait.windows[3].now, 1_200_000.0);
    assert!(portrait.history.open < portrait.windows[3].highest, "large events count less");

    let acute = &portrait.channels[0];
    assert_eq!((acute.channel, acute.is_warm, acute.speaks_from), ("acute", true, 14));
    assert!(acute.weighed.unwrap() >= acute.threshold.unwrap(), "{acute:?}");
    let off_hours = &portrait.channels[2];
    assert_eq!((off_hours.channel, off_hours.threshold), ("off_hours", None));
    let told: Vec<&str> = findings.iter().map(|finding| finding.uid.as_str()).collect();
    let acute = portrait.incidents.iter().find(|incident| incident.channel == "acute").unwrap();
    assert!(told.contains(&acute.uid.as_str()) && acute.since == 28 && acute.bar > 0.0);

    // An hour later the minute is empty, and what was is still the highest.
    shown.read("orders", begin + 2 * HOUR, 100, &[]);
    let minute = shown.portrait("orders").unwrap().windows[0].clone();
    assert_eq!((minute.now, minute.highest > 10_000.0), (100.0, true));
}

#[test]
fn a_day_without_an_event_is_no_active_one() {
    let mut shown = Shown::default();
    shown.days(0..28);
    let other = Actor { uid: Some("other".into()), ..ada() };
    let key = actor_key(&other, &datastore("orders"));
    assert_eq!(shown.reads.portrait(key, None, &shown.context), None);
    // The first read after a weekend closes what was open before it: the day of the read is the open one.
    shown.read("orders", 31 * DAY + 9 * HOUR, 0, &[]);
    let closed = shown.portrait("orders").unwrap();
    assert_eq!(
        (closed.day, closed.is_active, closed.left_out.late),
        (27, true, 0),
        "0 rows are no read"
    );
}

#[test]
fn it_is_told_with_dates_and_without_what_has_no_number() {
    let mut shown = Shown::default();
    shown.days(0..28);
    let portrait = shown.portrait("orders").unwrap();
    let bytes = postcard::to_stdvec(&portrait).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("1970-01-28") && text.contains("1970-01-28T16:00:00Z"), "{text}");
    assert_eq!([f64::NAN, f64::INFINITY, -0.0, 1.23456].map(figure), [0.0, 0.0, 0.0, 1.235]);
    let again = shown.portrait("orders").unwrap();
    assert_eq!(portrait, again);
}
