//! The broker is away: `run` waits, says so once, and goes on by itself.

use std::net::TcpListener;

use dataward_simulation::broker::Broker;
use tempfile::TempDir;

use crate::support::archive::{committed, contents, total, verified};
use crate::support::health::{Scrape, codes, readyz, start};
use crate::support::kafka::{self, Sending, produce, setup, setup_at};
use crate::support::process::json_lines;
use crate::support::story::{standing, story, told};

/// How often a text stands in another.
fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn a_broker_that_goes_away_twice_costs_nothing_and_is_told_of_once_each_time() {
    // Its own broker: it is to go away.
    let Some(mut broker) = Broker::start().unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(&broker, 2);
    let story = story(31, 900);
    let setup =
        setup(&broker, folder.path(), &topic, "").with("flush_seconds = 1", "flush_seconds = 3");
    let (mut running, address) = start(&setup);
    for (outage, part) in story.messages.chunks(300).enumerate() {
        let sending = Sending::to(&broker, &topic);
        part.iter().for_each(|message| sending.message(message));
        sending.flush();
        let read = 300.0 * (outage + 1) as f64;
        running.until("all of it read", |_| {
            Scrape::of(&address).sum("messaging_client_consumed_messages_total") >= read
        });
        if outage == 2 {
            break;
        }
        // Read, and not committed yet, as likely as not: the checkpoint comes while nobody answers.
        broker.stop().unwrap();
        running.until("the broker to be missed", |_| {
            codes(&readyz(&address).1).contains(&"source_unreachable")
        });
        let all = 300 * (outage as i64 + 1);
        running.until("what was read in the table", |_| committed(&setup.archive) == all);
        running.until("it to be said", |running| {
            count(&running.stderr(), "no Kafka broker answers: waiting") == outage + 1
        });
        // The loop turns, and the clock's alerts would come.
        assert!(Scrape::of(&address).one("dataward_heartbeat_age_seconds") < 30.0);
        broker.start_again().unwrap();
        running.until("to be ready again", |_| readyz(&address).0 == 200);
    }
    setup.until_settled(&mut running, 900);
    let finished = running.terminate().expect(0);
    let said = &finished.stderr;
    assert_eq!(count(said, "no Kafka broker answers: waiting"), 2, "{said}");
    assert!(count(said, "a Kafka broker answers again") <= 2, "{said}");
    // One for each change of state: away, partitions that wait for an answer, and a group that takes us for our own
    // successor, after which it begins again by itself.
    let warnings = count(said, "\"level\":\"WARN\"");
    assert!(warnings <= 8, "{warnings}: {said}");
    assert_eq!(contents(&setup.archive).distinct_uids(), 900);
    assert_eq!(total(&verified(&setup.archive), "events"), 900);
    let alerts = json_lines(&std::fs::read_to_string(&setup.alerts).unwrap());
    assert_eq!(told(&standing(&alerts)), story.must_alert);
}

#[test]
fn a_broker_that_is_not_there_yet_is_waited_for() {
    let Some(mut broker) = Broker::start().unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(&broker, 1);
    produce(&broker, &topic, &story(32, 100).messages);
    broker.stop().unwrap();
    let setup = setup(&broker, folder.path(), &topic, "");
    let (mut running, address) = start(&setup);
    running.until("to say what it waits for", |running| {
        running.stderr().contains("no Kafka broker answers: waiting")
    });
    let (status, body) = readyz(&address);
    assert_eq!((status, codes(&body)), (503, vec!["connecting"]), "{body}");
    broker.start_again().unwrap();
    running.until("everything in the table", |_| committed(&setup.archive) == 100);
    running.until("to be ready", |_| readyz(&address).0 == 200);
    running.terminate().expect(0);
}

/// Nothing listens there, and nobody has to wait until it does.
#[test]
fn whoever_waits_for_a_first_broker_says_so_once_and_can_be_stopped() {
    let folder = TempDir::new().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = setup_at(&closed.to_string(), folder.path(), "topic", "");
    let (mut running, address) = start(&setup);
    running.until("to say what it waits for", |running| {
        running.stderr().contains("no Kafka broker answers: waiting")
    });
    assert_eq!(codes(&readyz(&address).1), ["connecting"]);
    let finished = running.terminate().expect(0);
    assert!(finished.stderr.contains("Connection refused"), "{}", finished.stderr);
    assert_eq!(count(&finished.stderr, "\"level\":\"WARN\""), 1, "{}", finished.stderr);
}
