//! What the chronicle promises to whoever tells it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use dataward_detect::context::Context;
use dataward_event::audit_event::{ActorKind, AuditEvent, EventKind, Outcome};
use dataward_event::change::{Control, Direction};
use dataward_event::finding::RuleId;
use dataward_event::position::{Offset, Partition, Position};
use dataward_simulation::chronicle::{
    BEGIN, CLOUDTRAIL_TOPIC, CONTEXT, Chronicle, Deed, END, Entry, NORMAL_UNTIL, SEARCH_TOPIC,
};
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};

fn story(seed: u64, actors: usize) -> Vec<Entry> {
    Chronicle::new(seed, actors).take_while(|entry| entry.time < END).collect()
}

/// Decodes an entry, and fails on anything that is not exactly one event.
fn event(entry: &Entry) -> AuditEvent<'static> {
    let source = match entry.topic {
        CLOUDTRAIL_TOPIC => Source::AwsCloudtrail,
        SEARCH_TOPIC => Source::ElasticsearchAudit,
        _ => Source::Ocsf,
    };
    let position =
        Position { partition: Partition::new(entry.topic, 0), offset: Offset(0), record_index: 0 };
    let payload = entry.message.payload.as_bytes();
    let decoded = decode(source, Record { position: &position, kafka_time: None, payload });
    assert!(decoded.rejects.is_empty() && decoded.events.len() == 1, "{decoded:?}");
    decoded.events.into_iter().next().unwrap().event.into_owned()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| -> Vec<String> {
        story(seed, 20).into_iter().map(|entry| entry.message.payload).collect()
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[test]
fn it_is_told_in_order_and_never_ends() {
    let mut before = BEGIN;
    for entry in Chronicle::new(2019, 20).take(26_000) {
        assert!(entry.time >= before, "{entry:?}");
        before = entry.time;
    }
    assert!(before > END.plus_micros(30 * 86_400_000_000), "{before}");
}

#[test]
fn every_message_is_read_as_it_was_meant() {
    let entries = story(2019, 300);
    println!("{} entries", entries.len());
    assert!((40_000..60_000).contains(&entries.len()), "{} entries", entries.len());
    let mut uids = BTreeSet::new();
    for entry in &entries {
        let event = event(entry);
        let uid =
            if entry.topic == SEARCH_TOPIC { &event.request_uid } else { &Some(event.uid.clone()) };
        assert_eq!(uid.as_deref(), Some(&*entry.message.event_uid));
        assert!(uids.insert(entry.message.event_uid.clone()), "{event:?}");
        assert_eq!(event.time, entry.time, "{event:?}");
        let key = event.actor.uid.as_deref().unwrap_or("anonymous");
        assert_eq!(key, entry.message.key, "{event:?}");
        assert_eq!(event.actor.kind == ActorKind::Anonymous, key == "anonymous", "{event:?}");
        // A cluster's own log tells neither what kind of user it is, nor how much was read.
        let is_own = entry.topic == SEARCH_TOPIC;
        assert_eq!(event.actor.kind == ActorKind::Unknown, is_own, "{event:?}");
        assert!(event.client.ip.is_some(), "{event:?}");
        let is_read = event.kind == EventKind::Access && event.outcome == Outcome::Success;
        if is_read
            && !is_own
            && matches!(&*event.operation, "GetObject" | "indices:data/read/search")
        {
            assert!(event.volume.bytes.is_some_and(|bytes| bytes.0 > 0), "{event:?}");
            assert!(event.datastore.is_some() && event.objects.len() == 1, "{event:?}");
        }
    }
}

/// What weakens is labelled, and what is labelled weakens: the labels are right without asking the detector.
#[test]
fn the_labels_agree_with_the_changes() {
    let mut weakened: BTreeMap<Deed, Vec<Control>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for entry in story(2019, 20) {
        let event = event(&entry);
        told.extend(entry.deed);
        for change in &event.changes {
            // Whether a lifecycle rule takes more than the one before it, only a state could tell.
            let is_known = change.direction != Direction::Unknown;
            assert!(is_known || event.operation == "PutBucketLifecycle", "{event:?}");
            if change.direction == Direction::Weakened && event.outcome == Outcome::Success {
                let deed = entry.deed.unwrap_or_else(|| panic!("without a label: {event:?}"));
                weakened.entry(deed).or_default().push(change.control);
            }
        }
    }
    assert_eq!(told, BTreeSet::from(Deed::ALL));
    // The website is open, and may be.
    assert!(weakened.remove(&Deed::PublicWebsite).is_some());
    for deed in Deed::ALL {
        let rules = deed.must_alert();
        let must = rules
            .iter()
            .filter(|rule| matches!(rule, RuleId::ControlWeakened | RuleId::AuditSilenced))
            .count();
        let mut controls = weakened.remove(&deed).unwrap_or_default();
        controls.dedup();
        assert_eq!(controls.len(), must, "{deed:?}: {controls:?}");
        assert!(!deed.must_be_quiet() || controls.is_empty(), "{deed:?}");
    }
}

#[test]
fn everybody_has_a_past_before_the_story_begins() {
    let mut days: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in story(2019, 300).iter().filter(|entry| entry.time < NORMAL_UNTIL) {
        let event = event(entry);
        let is_read = event.volume.bytes.is_some() && event.outcome == Outcome::Success;
        if let Some(uid) = event.actor.uid.filter(|_| is_read) {
            days.entry(uid.into_owned()).or_default().insert(event.time.date());
        }
    }
    let known = days.values().filter(|days| days.len() >= 10).count();
    assert!(known >= 300, "{known} of {}", days.len());
}

#[test]
fn the_leak_has_the_size_that_it_is_said_to_have() {
    let (mut rows, mut bytes) = (BTreeMap::<Deed, u64>::new(), 0);
    for entry in story(2019, 20) {
        let Some(deed) = entry.deed else { continue };
        let event = event(&entry);
        let volume = event.volume;
        // What is copied is read once and written once.
        if event.operation != "indices:data/write/bulk" {
            *rows.entry(deed).or_default() += volume.rows.map_or(0, |rows| rows.0);
        }
        if deed == Deed::BucketsCopied {
            bytes += volume.bytes.map_or(0, |bytes| bytes.0);
        }
    }
    assert_eq!(rows[&Deed::Copy], 2_400_000);
    assert_eq!(rows[&Deed::OutsideDump], 2_400_000);
    assert!((20_000_000_000..40_000_000_000).contains(&bytes), "{bytes}");
}

#[test]
fn the_context_knows_the_datastores_of_the_story() {
    let context: Context = toml::from_str(CONTEXT).unwrap();
    let mut unknown = BTreeSet::new();
    for entry in story(2019, 20) {
        let event = event(&entry);
        let Some(datastore) = &event.datastore else { continue };
        let is_read = event.kind == EventKind::Access && !event.objects.is_empty();
        if is_read && context.datastore(datastore).is_none() {
            unknown.insert(datastore.label().to_owned());
        }
        if entry.deed == Some(Deed::PublicWebsite) {
            assert!(context.datastore(datastore).unwrap().expected_public, "{event:?}");
        }
        let (uid, name) = (event.actor.uid.as_deref(), event.actor.name.as_deref());
        if event.actor.kind == ActorKind::Human {
            assert!(context.peer_group(uid, name).is_some(), "{event:?}");
        }
    }
    assert_eq!(unknown, BTreeSet::new());
}
