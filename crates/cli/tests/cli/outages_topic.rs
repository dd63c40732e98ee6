//! A topic is not there, or not the one that it was.

use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::health::{readyz, start};
use crate::support::kafka::{self, broker, produce, setup};
use crate::support::process::Running;
use crate::support::story::story;

#[test]
fn a_topic_that_does_not_exist_ends_the_start_and_may_come_later() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let setup = setup(broker, folder.path(), "comes-later", "");
    let finished = Running::start(&setup.run()).wait().expect(4);
    let said = "error: topic comes-later does not exist, or we may not read it: create it, grant READ and DESCRIBE on \
                it, or correct its name in [[topics]]";
    assert!(finished.stderr.contains(said), "{}", finished.stderr);
    kafka::create(broker, "comes-later", 1, &[]);
    produce(broker, "comes-later", &story(61, 50).messages);
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, 50);
    running.terminate().expect(0);
}

#[test]
fn a_topic_that_was_deleted_and_created_again_is_stopped_until_somebody_says_that_it_is_new() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    produce(broker, &topic, &story(62, 80).messages);
    let often = "[kafka]\ntopic.metadata.refresh.interval.ms = 1000\n";
    let setup = setup(broker, folder.path(), &topic, "").with("[kafka]\n", often);
    let (mut running, address) = start(&setup);
    running.until("everything in the table", |_| committed(&setup.archive) == 80);
    kafka::delete(broker, &topic);
    let gone = format!("Subscribed topic not available: {topic}");
    running.until("it to be said", |running| running.stderr().contains(&gone));
    kafka::create(broker, &topic, 1, &[]);
    produce(broker, &topic, &story(63, 30).messages);
    running.until("the partition to be stopped", |_| {
        readyz(&address).1.to_string().contains("partition_stopped")
    });
    let finished = running.terminate().expect(5);
    // At 0 or 30: whichever the group found.
    let said = format!("the archive has read {topic}[0] up to offset 80, but the log ends at ");
    assert!(finished.stderr.contains(&said), "{}", finished.stderr);
    assert!(
        finished.stderr.contains("raise its `incarnation` in the config"),
        "{}",
        finished.stderr
    );

    let new = "source = \"aws.cloudtrail\"\nincarnation = 1";
    let setup = setup.with("source = \"aws.cloudtrail\"", new);
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, 110);
    running.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "events"), 110);
    assert_eq!(contents(&setup.archive).events.len(), 110);
}
