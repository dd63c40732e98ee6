//! What the mock cluster cannot do.

use dataward_event::position::Offset;
use dataward_event::time::KafkaTime;
use dataward_kafka::config::Properties;
use dataward_pipeline::record_source::{Bounds, RecordSource, SourceError};
use rdkafka::TopicPartitionList;
use rdkafka::admin::AdminOptions;
use rdkafka::producer::Producer;

use crate::cluster::{Cluster, DEADLINE, Sample, send};
use crate::member::{Event, Member, partition};
use crate::suite::{hand_over, take_over};

/// Deletes the records before an offset, as retention would.
fn delete_before(cluster: &Cluster, topic: &str, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, rdkafka::Offset::Offset(offset)).unwrap();
    let admin = cluster.admin();
    let deleted = admin.delete_records(&list, &AdminOptions::new());
    futures::executor::block_on(deleted).unwrap();
}

#[test]
fn a_record_of_20_megabytes_arrives() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(1);
    let payload: Vec<u8> =
        (0..20 * 1024 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    cluster.produce(
        &topic,
        0,
        &[Sample::of(b"before"), Sample::of(&payload), Sample::of(b"after")],
    );
    let mut member = Member::alone_at(&cluster, &topic, 0);
    member.wait_for(3);
    assert!(member.came[1].payload.as_deref() == Some(&payload));
    assert_eq!(member.came[2].payload.as_deref(), Some(&b"after"[..]));
}

#[test]
fn offsets_that_retention_took_are_out_of_range() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(1);
    cluster.produce_numbers(&topic, 0, 0..10);
    delete_before(&cluster, &topic, 6);
    let mut member = Member::alone_at(&cluster, &topic, 2);
    member.until("out of range", |member| member.events.contains(&Event::OutOfRange));
    assert_eq!(member.came, [], "never a silent jump");

    let bounds = member.source.bounds(&partition(&topic, 0)).unwrap();
    assert_eq!(bounds, Bounds { low: Offset(6), high: Offset(10) });
    member.assign(&topic, &[(0, bounds.low.0)]);
    member.wait_for(4);
    assert_eq!(member.offsets_of(0), [6, 7, 8, 9]);
}

#[test]
fn offsets_after_the_end_are_out_of_range() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(1);
    cluster.produce_numbers(&topic, 0, 0..3);
    let mut member = Member::alone_at(&cluster, &topic, 9);
    member.until("out of range", |member| member.events.contains(&Event::OutOfRange));
    assert_eq!(member.came, []);
}

/// The mock does not look records up by their time.
#[test]
fn a_time_has_an_offset() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(1);
    for millis in [1_000, 2_000, 3_000] {
        let sample = Sample { millis: Some(millis), ..Sample::of(b"x") };
        cluster.produce(&topic, 0, &[sample]);
    }
    let mut member = Member::join(&cluster, &topic, &topic);
    let mut offset_at = |millis| {
        let time = KafkaTime::from_millis(millis);
        member.source.offset_at(&partition(&topic, 0), time).unwrap().0
    };
    assert_eq!(offset_at(500), 0);
    assert_eq!(offset_at(2_000), 1);
    assert_eq!(offset_at(2_001), 2);
    // No record is that young: after the last one.
    assert_eq!(offset_at(9_000), 3);
}

/// Offsets of control records and of aborted records are never delivered.
#[test]
fn transactions_leave_holes() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(1);
    let producer = cluster.producer(&[("transactional.id", &topic)]);
    producer.init_transactions(DEADLINE).unwrap();
    for (count, is_committed) in [(2, true), (3, false), (1, true)] {
        producer.begin_transaction().unwrap();
        for _ in 0..count {
            send(&producer, &topic, 0, &Sample::of(b"x"));
        }
        producer.flush(DEADLINE).unwrap();
        if is_committed {
            producer.commit_transaction(DEADLINE).unwrap();
        } else {
            producer.abort_transaction(DEADLINE).unwrap();
        }
    }
    // 0 1 commit(2), 3 4 5 aborted(6), 7 commit(8).
    let mut member = Member::alone_at(&cluster, &topic, 0);
    member.wait_for(3);
    assert_eq!(member.offsets_of(0), [0, 1, 7]);
    let high = member.source.bounds(&partition(&topic, 0)).unwrap().high;
    assert_eq!(high, Offset(9));
}

/// The standby that takes over has the same `group.instance.id`: it need not wait for the dead one's session to end,
/// and the dead one, should it live, is told at once.
#[test]
fn a_successor_of_the_same_name_takes_the_place() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(2);
    let mut properties = cluster.properties(&topic);
    properties.insert("group.instance.id".to_owned(), "dataward".to_owned());
    let mut first = Member::try_join(&properties, &topic).unwrap();
    assert_eq!(first.wait_for_assignment().len(), 2);
    first.assign(&topic, &[(0, 0), (1, 0)]);
    first.stays_quiet();

    let mut second = Member::try_join(&properties, &topic).unwrap();
    assert_eq!(second.wait_for_assignment().len(), 2);
    second.assign(&topic, &[(0, 0), (1, 0)]);
    let until = std::time::Instant::now() + DEADLINE;
    loop {
        assert!(std::time::Instant::now() < until, "the first member was never told");
        match first.try_step() {
            Ok(()) | Err(SourceError::Unavailable(_)) => {}
            Err(SourceError::Fenced(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    drop(first);
    cluster.produce_numbers(&topic, 0, 0..3);
    second.wait_for(3);
}

/// KIP-848: the broker assigns. Session and heartbeat are its own settings then, and librdkafka refuses them.
#[test]
fn the_new_protocol_assigns_starts_and_hands_over_the_same() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(4);
    let mut properties = cluster.properties(&topic);
    properties.retain(|name, _| name != "session.timeout.ms" && name != "heartbeat.interval.ms");
    properties.insert("group.protocol".to_owned(), "consumer".to_owned());
    hand_over(&cluster, &topic, &properties);
}

/// The loop may end between a question of the group and our answer: by a signal, by a failure. Then nobody will answer,
/// and the end must not wait for it.
#[test]
fn an_unanswered_assignment_does_not_hold_the_end_up() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(2);
    let mut member = Member::try_join(&patient(&cluster, &topic), &topic).unwrap();
    member.wait_for_assignment();
    member.ends();
    // The group knows, too: it does not wait for a member that is gone.
    let mut next = Member::join(&cluster, &topic, &topic);
    assert_eq!(next.wait_for_assignment().len(), 2);
}

#[test]
fn an_unanswered_revocation_does_not_hold_the_end_up() {
    let Some(cluster) = Cluster::real() else { return };
    let topic = cluster.topic(2);
    let mut first = Member::try_join(&patient(&cluster, &topic), &topic).unwrap();
    first.wait_for_assignment();
    first.assign(&topic, &[(0, 0), (1, 0)]);
    let mut second = Member::join(&cluster, &topic, &topic);
    first.until("a revocation", |first| {
        second.step();
        first.events.iter().any(|event| matches!(event, Event::Revoked(p, _) if !p.is_empty()))
    });
    first.ends();
    let mut given = 0;
    let until = std::time::Instant::now() + DEADLINE;
    while given < 2 {
        assert!(std::time::Instant::now() < until, "the group waits for a member that is gone");
        second.step();
        given += take_over(&topic, &mut second);
    }
}

/// The group does not give a member of these up before it says goodbye.
fn patient(cluster: &Cluster, group: &str) -> Properties {
    let mut properties = cluster.properties(group);
    properties.insert("session.timeout.ms".to_owned(), "300000".to_owned());
    properties
}
