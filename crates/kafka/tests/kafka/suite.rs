//! What both clusters must do.

use std::collections::BTreeSet;
use std::time::Instant;

use dataward_event::position::Offset;
use dataward_kafka::config::Properties;
use dataward_pipeline::archive::Committed;
use dataward_pipeline::record_source::{Bounds, RecordSource, SourceError};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::Producer;

use crate::cluster::{Cluster, DEADLINE, Sample, send, unique};
use crate::member::{Event, Member, partition, starts_of};

/// Each test, against both.
macro_rules! against_both {
    ($($test:ident),* $(,)?) => {
        mod mock {
            $(#[test] fn $test() { super::$test(&crate::cluster::Cluster::mock()); })*
        }
        mod real {
            $(#[test] fn $test() {
                if let Some(cluster) = crate::cluster::Cluster::real() {
                    super::$test(&cluster);
                }
            })*
        }
    };
}

against_both!(
    delivery_starts_exactly_where_it_is_assigned,
    pause_holds_and_resume_goes_on,
    a_restarted_partition_starts_exactly_at_its_new_offset,
    partitions_are_handed_over_between_members,
    bounds_are_the_first_offset_and_the_one_after_the_last,
    what_is_acknowledged_is_the_offset_of_the_group,
    everything_of_a_record_arrives,
    compressed_batches_arrive,
    an_unknown_topic_is_fatal_and_named,
);

fn delivery_starts_exactly_where_it_is_assigned(cluster: &Cluster) {
    let topic = cluster.topic(3);
    for number in 0..3 {
        cluster.produce_numbers(&topic, number, 0..10);
    }
    let mut member = Member::join(cluster, &topic, &topic);
    let expected = [0, 1, 2].map(|number| partition(&topic, number));
    assert_eq!(member.wait_for_assignment(), expected);
    member.stays_quiet();

    member.assign(&topic, &[(0, 0), (1, 4), (2, 10)]);
    member.wait_for(16);
    let expected = [(0, (0..10).collect()), (1, (4..10).collect())];
    assert_eq!(member.offsets(), expected.into());

    cluster.produce_numbers(&topic, 2, 10..12);
    member.wait_for(18);
    assert_eq!(member.offsets_of(2), [10, 11]);
    assert!(member.came.iter().all(|came| came.next == came.offset + 1));
}

fn pause_holds_and_resume_goes_on(cluster: &Cluster) {
    let topic = cluster.topic(1);
    cluster.produce_numbers(&topic, 0, 0..10);
    let mut member = Member::alone_at(cluster, &topic, 0);
    member.wait_for(10);

    member.source.pause(true).unwrap();
    cluster.produce_numbers(&topic, 0, 10..15);
    member.stays_quiet();

    member.source.pause(false).unwrap();
    member.wait_for(15);
    assert_eq!(member.offsets_of(0), (0..15).collect::<Vec<_>>());
}

/// Records already fetched, and batches already gathered, are of the old start: none of them may come.
fn a_restarted_partition_starts_exactly_at_its_new_offset(cluster: &Cluster) {
    let topic = cluster.topic(2);
    for number in 0..2 {
        cluster.produce_numbers(&topic, number, 0..5_000);
    }
    let mut member = Member::join(cluster, &topic, &topic);
    member.wait_for_assignment();
    member.assign(&topic, &[(0, 0), (1, 0)]);
    member.until("the first records", |member| !member.offsets_of(0).is_empty());
    // How much of the other partition has come by now is up to the broker: nothing, some of it or all.
    let other = member.offsets_of(1);

    member.assign(&topic, &[(0, 4_000)]);
    member.came.clear();
    member.wait_for(1_000 + 5_000 - other.len());
    assert_eq!(member.offsets_of(0), (4_000..5_000).collect::<Vec<_>>());
    // The other one goes on where it stood.
    assert_eq!([other, member.offsets_of(1)].concat(), (0..5_000).collect::<Vec<_>>());
}

fn partitions_are_handed_over_between_members(cluster: &Cluster) {
    let topic = cluster.topic(4);
    hand_over(cluster, &topic, &cluster.properties(&topic));
}

/// A second member joins, and gets two of the four partitions of the first.
pub(crate) fn hand_over(cluster: &Cluster, topic: &str, properties: &Properties) {
    for number in 0..4 {
        cluster.produce_numbers(topic, number, 0..5);
    }
    let mut first = Member::try_join(properties, topic).unwrap();
    assert_eq!(first.wait_for_assignment().len(), 4);
    first.assign(topic, &[(0, 0), (1, 0), (2, 0), (3, 0)]);
    first.wait_for(20);

    let mut second = Member::try_join(properties, topic).unwrap();
    let mut handed = BTreeSet::new();
    let until = Instant::now() + DEADLINE;
    while handed.len() < 2 || second.came.len() < 10 {
        assert!(Instant::now() < until, "{handed:?}, then {:?}", second.offsets());
        first.step();
        second.step();
        handed.extend(give_up(cluster, topic, &mut first));
        take_over(topic, &mut second);
    }
    assert_eq!(handed.len(), 2, "{handed:?}");
    assert_eq!(second.offsets().keys().copied().collect::<BTreeSet<_>>(), handed);
    assert!(second.offsets().values().all(|offsets| *offsets == [5, 6, 7, 8, 9]));
    // What was kept goes on without a restart.
    let kept: Vec<i32> = (0..4).filter(|number| !handed.contains(number)).collect();
    for number in &kept {
        cluster.produce_numbers(topic, *number, 5..7);
    }
    while first.came.len() < 24 {
        assert!(Instant::now() < until, "{:?}", first.offsets());
        first.step();
        // The group may only now tell it that it gets nothing.
        assert_eq!(give_up(cluster, topic, &mut first), [0; 0]);
    }
    first.stays_quiet();
    assert!(kept.iter().all(|number| first.offsets_of(*number) == [0, 1, 2, 3, 4, 5, 6]));
}

/// The first member answers the group. Returns what it has given up.
fn give_up(cluster: &Cluster, topic: &str, first: &mut Member) -> Vec<i32> {
    let mut given_up = Vec::new();
    for event in std::mem::take(&mut first.events) {
        match event {
            Event::Revoked(partitions, lost) => {
                assert!(!lost, "a hand-over is no loss");
                first.source.unassign(&partitions).unwrap();
                for partition in &partitions {
                    // Produced in between: only the new owner may see these.
                    cluster.produce_numbers(topic, partition.number, 5..10);
                    given_up.push(partition.number);
                }
            }
            Event::Assigned(partitions) => {
                assert_eq!(partitions, [], "the first member keeps, it gets nothing");
                first.assign(topic, &[]);
            }
            Event::OutOfRange => panic!("nothing is out of range"),
        }
    }
    given_up
}

/// The second member answers the group: what it is given starts behind what the first one has read. Returns how much
/// that is.
pub(crate) fn take_over(topic: &str, second: &mut Member) -> usize {
    let mut given = 0;
    for event in std::mem::take(&mut second.events) {
        match event {
            Event::Assigned(partitions) => {
                let starts: Vec<_> =
                    partitions.iter().map(|partition| (partition.number, 5)).collect();
                second.assign(topic, &starts);
                given += starts.len();
            }
            other => panic!("the second member sees {other:?}"),
        }
    }
    given
}

fn bounds_are_the_first_offset_and_the_one_after_the_last(cluster: &Cluster) {
    let topic = cluster.topic(2);
    cluster.produce_numbers(&topic, 1, 0..7);
    let mut member = Member::join(cluster, &topic, &topic);
    let mut bounds = |number| member.source.bounds(&partition(&topic, number)).unwrap();
    assert_eq!(bounds(0), Bounds { low: Offset(0), high: Offset(0) });
    assert_eq!(bounds(1), Bounds { low: Offset(0), high: Offset(7) });
}

fn what_is_acknowledged_is_the_offset_of_the_group(cluster: &Cluster) {
    let topic = cluster.topic(2);
    cluster.produce_numbers(&topic, 0, 0..10);
    let mut member = Member::alone_at(cluster, &topic, 0);
    member.wait_for(10);

    // Partition 1 is not ours: it is left out.
    let progress = starts_of(&topic, &[(0, 7), (1, 3)]);
    member.source.acknowledge(&Committed::new(1, progress));

    let asking: BaseConsumer = cluster.client().set("group.id", &topic).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(&topic, 0);
    list.add_partition(&topic, 1);
    let committed = |number| {
        let found = asking.committed_offsets(list.clone(), DEADLINE).unwrap();
        found.find_partition(&topic, number).unwrap().offset()
    };
    let expected = rdkafka::Offset::Offset(7);
    member.until("the group's offset", |_| committed(0) == expected);
    assert_eq!(committed(1), rdkafka::Offset::Invalid);
}

fn everything_of_a_record_arrives(cluster: &Cluster) {
    let topic = cluster.topic(1);
    let headers: [(&str, Option<&[u8]>); 3] =
        [("trace", Some(b"\x00\xff")), ("trace", Some(b"")), ("none", None)];
    cluster.produce(
        &topic,
        0,
        &[
            Sample {
                key: Some(b"alice"),
                payload: Some(b"\xfftext"),
                millis: Some(1_234_567),
                headers: &headers,
            },
            Sample { key: Some(b"alice"), ..Sample::default() },
            Sample { key: Some(b""), payload: Some(b""), ..Sample::default() },
        ],
    );
    let mut member = Member::alone_at(cluster, &topic, 0);
    member.wait_for(3);
    let [full, tombstone, empty] = &member.came[..] else { panic!("three") };

    assert_eq!(
        (full.key.as_deref(), full.payload.as_deref()),
        (Some(&b"alice"[..]), Some(&b"\xfftext"[..]))
    );
    assert_eq!(full.millis, Some(1_234_567));
    let expected: Vec<_> = headers
        .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)))
        .into_iter()
        .collect();
    assert_eq!(full.headers, expected);
    assert_eq!(
        (tombstone.key.as_deref(), tombstone.payload.as_deref()),
        (Some(&b"alice"[..]), None)
    );
    assert_eq!((empty.key.as_deref(), empty.payload.as_deref()), (Some(&b""[..]), Some(&b""[..])));
    assert!(empty.headers.is_empty());
}

fn compressed_batches_arrive(cluster: &Cluster) {
    let topic = cluster.topic(1);
    for codec in ["zstd", "gzip", "lz4", "snappy"] {
        let producer = cluster.producer(&[("compression.codec", codec), ("linger.ms", "50")]);
        for _ in 0..500 {
            send(&producer, &topic, 0, &Sample::of(&[b'a'; 300]));
        }
        producer.flush(DEADLINE).unwrap();
    }
    let mut member = Member::alone_at(cluster, &topic, 0);
    member.wait_for(2_000);
    assert_eq!(member.offsets_of(0), (0..2_000).collect::<Vec<_>>());
    assert!(member.came.iter().all(|came| came.payload.as_deref() == Some(&[b'a'; 300][..])));
}

fn an_unknown_topic_is_fatal_and_named(cluster: &Cluster) {
    let name = unique("no-such-topic");
    match Member::try_join(&cluster.properties("group"), &name) {
        Err(SourceError::Fatal(text)) => assert!(text.contains(&name), "{text}"),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("an unknown topic was accepted"),
    }
}
