//! Two processes on one archive.

use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::kafka::{self, broker, produce, setup};
use crate::support::process::{Running, json_lines};
use crate::support::story::{standing, story, told};

#[test]
fn a_standby_takes_over_when_the_holder_is_killed() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 2);
    let story = story(3, 2_000);
    let (before, after) = story.messages.split_at(1_000);
    let setup = setup(broker, folder.path(), &topic, "");
    produce(broker, &topic, before);

    let mut first = Running::start(&setup.run());
    first.until("the first half in the table", |_| committed(&setup.archive) == 1_000);
    let holder = format!("/{}\"", first.id());
    let mut second = Running::start(&setup.run());
    second.until("the standby to say whom it waits for", |standby| {
        standby.stderr().lines().any(|l| l.contains("standing by") && l.contains(&holder))
    });
    // Half of this is still the first one's: whoever it is, each is there once.
    produce(broker, &topic, after);
    assert!(first.is_running());
    first.kill();

    setup.until_settled(&mut second, 2_000);
    second.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "events"), 2_000);
    assert_eq!(contents(&setup.archive).distinct_uids(), 2_000);
    let alerts = json_lines(&std::fs::read_to_string(&setup.alerts).unwrap());
    assert_eq!(told(&standing(&alerts)), story.must_alert);
}

#[test]
fn a_standby_follows_a_holder_that_stops_in_order() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 2);
    let story = story(4, 400);
    let setup = setup(broker, folder.path(), &topic, "");
    produce(broker, &topic, &story.messages[..200]);
    let mut first = Running::start(&setup.run());
    first.until("the first half in the table", |_| committed(&setup.archive) == 200);
    let mut second = Running::start(&setup.run());
    second.until("the standby", |standby| standby.stderr().contains("standing by"));
    first.terminate().expect(0);
    produce(broker, &topic, &story.messages[200..]);
    second.until("the second half in the table", |_| committed(&setup.archive) == 400);
    second.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "events"), 400);
}

#[test]
fn a_standby_that_is_told_to_stop_stops() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let setup = setup(broker, folder.path(), &topic, "");
    let mut first = Running::start(&setup.run());
    first.until("the first to run", |first| first.stderr().contains("running"));
    let mut second = Running::start(&setup.run());
    second.until("the standby", |standby| standby.stderr().contains("standing by"));
    second.terminate().expect(0);
    assert!(first.is_running());
}
