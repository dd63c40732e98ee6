//! The limit: reads every record and drops it.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use dataward_kafka::config;
use dataward_simulation::broker::Broker;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::load::{PARTITIONS, Topic};
use crate::process::{self, Cost};

const POLL: Duration = Duration::from_millis(5);

/// Runs [`main`] in a process of its own.
pub(crate) fn measure(broker: &Broker, topic: &Topic, round: usize) -> Cost {
    let myself = std::env::current_exe().expect("this program");
    let (child, began) = process::start(Command::new(myself).args([
        crate::CONSUME,
        &broker.bootstrap_servers(),
        &topic.name,
        &topic.events.to_string(),
        &format!("consume-{round}"),
    ]));
    process::finish(child, began)
}

/// The process: servers, topic, number of records, group.
pub(crate) fn main(arguments: &[String]) {
    let [servers, topic, events, group] = arguments else { panic!("four arguments") };
    let events: usize = events.parse().expect("a number");
    let properties = BTreeMap::from([
        ("bootstrap.servers".to_owned(), servers.clone()),
        ("group.id".to_owned(), group.clone()),
    ]);
    let consumer: BaseConsumer =
        config::consumer(&properties).expect("settings").create().expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions
            .add_partition_offset(topic, partition, Offset::Beginning)
            .expect("a valid offset");
    }
    consumer.assign(&partitions).expect("an assignment");
    let (mut records, mut bytes) = (0, 0);
    while records < events {
        if let Some(message) = consumer.poll(POLL) {
            bytes += message.expect("a record").payload_len();
            records += 1;
        }
    }
    assert!(bytes > records, "the records are not empty");
}
