//! `run` on a real broker.

use std::collections::BTreeSet;
use std::net::TcpListener;
use tempfile::TempDir;

use crate::support::archive::{contents, total, verified};
use crate::support::kafka::{self, broker, produce, setup, setup_at};
use crate::support::process::{Running, dataward, json_lines, text, write};
use crate::support::story::{standing, story, told};

#[test]
fn what_comes_from_kafka_is_archived_and_alerts_go_to_every_sink() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let (topic, alerts_topic) = (kafka::topic(broker, 4), kafka::topic(broker, 1));
    let story = story(1, 3_000);
    produce(broker, &topic, &story.messages);
    let more = format!(
        "[[sinks]]\nname = \"topic\"\nkind = \"kafka\"\ntopic = \"{alerts_topic}\"\n\
         [[sinks]]\nname = \"stdout\"\nkind = \"stdout\"\n"
    );
    let setup = setup(broker, folder.path(), &topic, &more);
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, 3_000);
    let count = contents(&setup.archive).alerts.len();
    running.until("all alerts at every sink", |running| {
        running.stdout().lines().count() == count && kafka::length(broker, &alerts_topic) == count
    });
    // Read but not yet committed when the signal comes: in the last checkpoint.
    produce(broker, &topic, &story.messages[..10]);
    let finished = running.terminate().expect(0);

    let alerts = finished.lines();
    assert_eq!(told(&standing(&alerts)), story.must_alert);
    let of_file = std::fs::read_to_string(&setup.alerts).unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&of_file), sorted(&finished.stdout), "the same bytes to every sink");

    let delivered = kafka::read(broker, &alerts_topic, alerts.len());
    for record in &delivered {
        let alert = &json_lines(&record.payload)[0];
        assert_eq!(alert["finding_info"]["uid"], record.key.as_str());
        let header = |name: &str| record.headers[name].as_str();
        assert_eq!(header("ce_specversion"), "1.0");
        assert_eq!(header("ce_id"), alert["metadata"]["uid"]);
        assert_eq!(header("ce_type"), "dev.dataward.finding.v1");
        assert!(header("ce_source").starts_with("dataward/"), "{}", header("ce_source"));
        assert!(header("ce_time").starts_with("2026-01-05T08:00:"), "{}", header("ce_time"));
        assert_eq!(header("ce_subject"), alert["resources"][0]["uid"]);
        assert_eq!(header("content-type"), "application/json");
    }
    let of_topic: String = delivered.iter().map(|record| record.payload.clone() + "\n").collect();
    assert_eq!(sorted(&of_topic), sorted(&finished.stdout));

    let report = verified(&setup.archive);
    let archived = contents(&setup.archive);
    let (records, events) = (total(&report, "records"), total(&report, "events"));
    assert_eq!(records, events);
    assert_eq!(records, archived.events.len() as u64);
    assert!((3_000..=3_010).contains(&records), "{records}");
    assert_eq!(archived.distinct_uids(), 3_000);
    assert_eq!(report["rows"]["alert"], alerts.len());
    assert_eq!(archived.quarantine, []);
    assert_eq!(report["partitions"].as_array().unwrap().len(), 4);
}

#[test]
fn a_second_run_goes_on_where_the_first_stopped() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 2);
    let story = story(2, 600);
    let setup = setup(broker, folder.path(), &topic, "");
    for (part, all) in [(&story.messages[..300], 300), (&story.messages[300..], 600)] {
        produce(broker, &topic, part);
        let mut running = Running::start(&setup.run());
        setup.until_settled(&mut running, all);
        running.terminate().expect(0);
    }
    assert_eq!(contents(&setup.archive).distinct_uids(), 600);
    assert_eq!(total(&verified(&setup.archive), "events"), 600);
    let alerts = json_lines(&std::fs::read_to_string(&setup.alerts).unwrap());
    assert_eq!(told(&standing(&alerts)), story.must_alert);
    let uids: BTreeSet<_> =
        alerts.iter().map(|alert| alert["metadata"]["uid"].to_string()).collect();
    assert_eq!(uids.len(), alerts.len(), "no alert is sent again");
}

#[test]
fn another_context_is_adopted_without_a_restart_and_a_wrong_one_is_not() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let story = story(1, 300);
    produce(broker, &topic, &story.messages);
    let context = write(folder.path(), "context.toml", "");
    let more = format!("[context]\npath = \"{}\"\n", context.display());
    let setup = setup(broker, folder.path(), &topic, &more);
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, 300);
    write(folder.path(), "context.toml", "[[datastores]]\nnam = \"orders\"\n");
    running.until("the refusal", |running| running.stderr().contains("the last good one stays"));
    write(folder.path(), "context.toml", "[trusted]\naccounts = [\"444455556666\"]\n");
    running.until("the adoption", |running| running.stderr().contains("another context is in use"));
    running.terminate().expect(0);
    let question = "SELECT operator_operation AS what FROM operators ORDER BY ingest_ts";
    let archive = text(&setup.archive);
    let rows = dataward(&["query", "--archive", &archive, "--format", "ndjson", question]);
    let rows = rows.expect(0).lines();
    let said: Vec<&str> = rows.iter().filter_map(|row| row["what"].as_str()).collect();
    let place = |what: &str| said.iter().position(|said| *said == what);
    let (refused, adopted) = (place("context_refused"), place("context_adopted"));
    assert!(refused.is_some() && refused < adopted, "{said:?}");
}

/// Nothing was read, so nothing is left to do.
#[test]
fn a_stop_does_not_wait_for_a_broker_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    // Free a moment ago, and nobody else's since.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = setup_at(&closed.to_string(), folder.path(), "topic", "");
    let mut running = Running::start(&setup.run());
    running.until("the broker's turn", |running| running.stderr().contains("connecting to Kafka"));
    let finished = running.terminate().expect(0);
    assert!(finished.stderr.contains("stopped before a broker answered"), "{}", finished.stderr);
}

#[test]
fn an_unknown_topic_ends_run_with_its_name() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let setup = setup(broker, folder.path(), "no-such-topic", "");
    let finished = Running::start(&setup.run()).wait().expect(4);
    assert!(finished.stderr.contains("topic no-such-topic does not exist"), "{}", finished.stderr);
}
