//! Two ways around: through OCSF, and through Kafka. The findings are those of a scan.

use tempfile::TempDir;

use crate::support::archive::{total, verified};
use crate::support::kafka::{self, broker, setup};
use crate::support::process::{Running, dataward, json_lines, text, write};
use crate::support::story::{standing, story, substance, told};

#[test]
fn a_scan_of_the_normalized_events_alerts_the_same() {
    let folder = TempDir::new().unwrap();
    let file = write(folder.path(), "trail.ndjson", story(1, 400).ndjson());
    let original = dataward(&["scan", "--source", "aws.cloudtrail", &text(&file)]).expect(0);
    let normalized = dataward(&["normalize", "--source", "aws.cloudtrail", &text(&file)]).expect(0);
    assert_eq!(normalized.lines().len(), 400);
    assert!(normalized.lines().iter().all(|event| event["metadata"]["version"] == "1.8.0"));

    let ocsf = write(folder.path(), "ocsf.ndjson", &normalized.stdout);
    let again = dataward(&["scan", "--source", "ocsf", &text(&ocsf)]).expect(0);
    assert_eq!(substance(&standing(&again.lines())), substance(&standing(&original.lines())));
    assert_eq!(told(&again.lines()).len(), 7);
    // `auto` tells them apart by itself, even in one stream.
    let mixed = write(folder.path(), "mixed.ndjson", story(2, 400).ndjson() + &normalized.stdout);
    let mixed = dataward(&["scan", "--source", "auto", &text(&mixed)]).expect(0);
    assert!(mixed.stderr.contains("800 events"), "{}", mixed.stderr);
}

#[test]
fn normalize_tells_what_it_cannot_read() {
    let folder = TempDir::new().unwrap();
    let file = write(folder.path(), "trail.ndjson", story(1, 20).ndjson() + "{\"hello\":1}\n");
    let finished = dataward(&["normalize", "--source", "aws.cloudtrail", &text(&file)]).expect(3);
    assert_eq!(finished.lines().len(), 20);
    assert!(finished.stderr.contains("wrong_shape"), "{}", finished.stderr);
}

#[test]
fn a_replay_through_kafka_finds_what_a_scan_finds() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 3);
    let story = story(6, 500);
    let records: Vec<_> = story.messages.iter().map(|m| m.payload.as_str()).collect();
    // As CloudTrail writes them: files of many records.
    let files = folder.path().join("trail");
    std::fs::create_dir(&files).unwrap();
    for (number, records) in records.chunks(100).enumerate() {
        let file = format!("{{\"Records\":[{}]}}", records.join(","));
        write(&files, &format!("{number}.json"), file);
    }
    let scanned = dataward(&["scan", "--source", "aws.cloudtrail", &text(&files)]).expect(0);

    let brokers = broker.bootstrap_servers();
    let replay = ["replay", "--source", "aws.cloudtrail", "--topic", &topic, "--brokers", &brokers];
    let files = text(&files);
    let replayed = dataward(&[&replay[..], &[&files]].concat()).expect(0);
    assert!(replayed.stderr.contains("500 records produced"), "{}", replayed.stderr);

    let setup = setup(broker, folder.path(), &topic, "");
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, 500);
    running.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "events"), 500);
    let alerts = json_lines(&std::fs::read_to_string(&setup.alerts).unwrap());
    assert_eq!(substance(&standing(&alerts)), substance(&standing(&scanned.lines())));
}
