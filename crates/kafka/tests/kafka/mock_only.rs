//! Outages: the mock's broker can be switched off.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use dataward_kafka::config::Properties;
use dataward_kafka::source::{KafkaSource, Subscription};
use dataward_pipeline::archive::Committed;
use dataward_pipeline::clock::SystemClock;
use dataward_pipeline::record_source::{RecordSource, SourceError};

use crate::cluster::{Cluster, DEADLINE};
use crate::member::{Event, Member, partition, starts_of};

#[test]
fn after_an_outage_reading_goes_on_where_it_stood() {
    let cluster = Cluster::mock();
    let Cluster::Mock(embedded) = &cluster else { panic!("it is one") };
    let topic = cluster.topic(1);
    cluster.produce_numbers(&topic, 0, 0..10);
    let mut member = Member::alone_at(&cluster, &topic, 0);
    member.wait_for(10);

    embedded.set_available(false).unwrap();
    match member.source.bounds(&partition(&topic, 0)) {
        Err(SourceError::Unavailable(_)) => {}
        other => panic!("there is no broker: {other:?}"),
    }
    embedded.set_available(true).unwrap();
    cluster.produce_numbers(&topic, 0, 10..20);
    // The outage was longer than the session: the group takes the partition, and gives it again.
    let until = Instant::now() + DEADLINE;
    while member.came.len() < 20 {
        assert!(Instant::now() < until, "{:?}", member.offsets());
        member.step();
        for event in std::mem::take(&mut member.events) {
            let next = i64::try_from(member.came.len()).unwrap();
            match event {
                Event::Assigned(partitions) => {
                    let starts: Vec<_> = partitions.iter().map(|p| (p.number, next)).collect();
                    member.assign(&topic, &starts);
                }
                Event::Revoked(partitions, _) => member.source.unassign(&partitions).unwrap(),
                Event::OutOfRange => panic!("nothing is out of range"),
            }
        }
    }
    assert_eq!(member.offsets_of(0), (0..20).collect::<Vec<_>>());
}

#[test]
fn whoever_is_told_to_stop_waits_for_no_broker() {
    let cluster = Cluster::mock();
    let Cluster::Mock(embedded) = &cluster else { panic!("it is one") };
    let topic = cluster.topic(1);
    let mut member = Member::join(&cluster, &topic, &topic);
    embedded.set_available(false).unwrap();
    member.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    match member.source.bounds(&partition(&topic, 0)) {
        Err(SourceError::Stopped) => {}
        other => panic!("there is no broker: {other:?}"),
    }
}

/// The coordinator may be away for the whole session; the table has the progress.
#[test]
fn an_acknowledgement_that_nobody_takes_does_not_hold_the_end_up() {
    let cluster = Cluster::mock();
    let Cluster::Mock(embedded) = &cluster else { panic!("it is one") };
    let topic = cluster.topic(1);
    cluster.produce_numbers(&topic, 0, 0..10);
    let mut properties = cluster.properties(&topic);
    properties.insert("session.timeout.ms".to_owned(), "300000".to_owned());
    let mut member = Member::try_join(&properties, &topic).unwrap();
    member.wait_for_assignment();
    member.assign(&topic, &[(0, 0)]);
    member.wait_for(10);
    embedded.set_available(false).unwrap();
    member.source.acknowledge(&Committed::new(1, starts_of(&topic, &[(0, 10)])));
    member.ends();
}

#[test]
fn whoever_waits_for_a_first_broker_can_be_told_to_stop() {
    let properties: Properties = [("bootstrap.servers", "127.0.0.1:1"), ("group.id", "group")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let subscription = Subscription { topics: &[("topic".to_owned(), 0)], properties: &properties };
    let (clock, stop) = (Arc::new(SystemClock::start()), Arc::new(AtomicBool::new(true)));
    match KafkaSource::connect(&subscription, clock, stop) {
        Err(SourceError::Stopped) => {}
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("there is no broker"),
    }
}
