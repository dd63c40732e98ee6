//! Metrics and health of `run`, scraped from the real binary on a real broker.

use std::collections::BTreeMap;
use std::net::TcpListener;

use dataward_simulation::broker::Broker;
use tempfile::TempDir;

use crate::support::archive::{committed, parquet_files, total, verified};
use crate::support::health::{Scrape, codes, get, readyz, start};
use crate::support::kafka::{self, Sending, broker, produce, setup};
use crate::support::process::{Running, json_lines};
use crate::support::story::story;

#[test]
fn what_is_counted_is_what_there_was() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 4);
    let story = story(21, 2_000);
    produce(broker, &topic, &story.messages);
    let sending = Sending::to(broker, &topic);
    // One that nobody can read, and one that the producer sends again.
    sending.record(Some(b"somebody"), Some(b"{ not json"));
    sending.message(&story.messages[1_999]);
    sending.flush();

    let setup = setup(broker, folder.path(), &topic, "");
    let (mut running, address) = start(&setup);
    setup.until_settled(&mut running, 2_002);
    // State comes with a checkpoint that has news, some time after the last one.
    let mut repeats = 0;
    running.until("a snapshot", |_| {
        if Scrape::of(&address).one("dataward_snapshots_total") > 0.0 {
            return true;
        }
        sending.message(&story.messages[1_998]);
        sending.flush();
        repeats += 1;
        false
    });
    setup.until_settled(&mut running, 2_002 + repeats);
    let repeats = repeats as f64;
    running.until("the last commit and the last alert in the figures", |_| {
        let scrape = Scrape::of(&address);
        let lag = scrape.0.iter().filter(|(name, _)| name.starts_with("dataward_consumer_lag_rec"));
        let lags: Vec<f64> = lag.map(|(_, value)| *value).collect();
        lags == [0.0; 4]
            && scrape.sum("dataward_event_to_durable_seconds_count") == 2_002.0 + repeats
            && scrape.one("dataward_sink_queue_alerts{sink=\"file\"}") == 0.0
    });
    let scrape = Scrape::of(&address);
    assert_eq!(scrape.sum("messaging_client_consumed_messages_total"), 2_002.0 + repeats);
    let of_topic = |name: &str| scrape.one(&format!("{name}{{topic=\"{topic}\"}}"));
    assert_eq!(of_topic("dataward_events_total"), 2_001.0 + repeats);
    assert_eq!(of_topic("dataward_duplicate_events_total"), 1.0 + repeats);
    assert_eq!(of_topic("dataward_redelivered_records_total"), 0.0);
    let quarantined =
        format!("dataward_quarantined_total{{topic=\"{topic}\",reason=\"invalid_json\"}}");
    assert_eq!(scrape.one(&quarantined), 1.0);
    assert_eq!(scrape.sum("dataward_quarantined_total"), 1.0);
    assert_eq!(scrape.sum("dataward_gap_offsets_total"), 0.0);
    assert_eq!(scrape.sum("dataward_consumer_lag_seconds"), 0.0);
    assert_eq!(scrape.sum("dataward_retention_margin_records"), 2_002.0 + repeats);
    assert_eq!(scrape.one("dataward_partitions_assigned"), 4.0);
    assert!(scrape.sum("messaging_process_duration_seconds_count") >= 4.0);

    let alerts = json_lines(&std::fs::read_to_string(&setup.alerts).unwrap());
    assert_eq!(scrape.sum("dataward_alerts_total"), alerts.len() as f64);
    assert_eq!(scrape.sum("dataward_sink_delivered_alerts_total"), alerts.len() as f64);
    let latencies = scrape.one("dataward_event_to_alert_seconds_count{sink=\"file\"}");
    assert!(latencies >= story.must_alert.len() as f64, "{latencies}");
    let mut by_rule: BTreeMap<(String, String), f64> = BTreeMap::new();
    for alert in &alerts {
        let rule = alert["finding_info"]["analytic"]["uid"].as_str().unwrap();
        let severity = alert["severity"].as_str().unwrap();
        *by_rule.entry((rule.to_owned(), severity.to_owned())).or_default() += 1.0;
    }
    for ((rule, severity), count) in by_rule {
        let name = format!("dataward_alerts_total{{rule=\"{rule}\",severity=\"{severity}\"}}");
        assert_eq!(scrape.one(&name), count, "{name}");
    }

    let files = parquet_files(&setup.archive);
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!(scrape.one("dataward_written_files_total"), files.len() as f64);
    assert_eq!(scrape.one("dataward_written_bytes_total"), bytes as f64);
    assert!(scrape.one("dataward_commits_total") >= 1.0);
    assert!(scrape.one("dataward_snapshot_bytes_total") > 0.0);
    assert!(scrape.one("dataward_keeper_datastores") >= 1.0);
    assert_eq!(scrape.one("dataward_commit_failures_total"), 0.0);
    assert_eq!(
        scrape.one("dataward_commit_duration_seconds_count"),
        scrape.one("dataward_commits_total")
    );
    assert!(scrape.one("dataward_keeper_open_windows") >= 1.0);
    assert!(scrape.one("process_resident_memory_bytes") > 1e6);
    assert!(scrape.one("process_cpu_seconds_total") > 0.0);
    assert_eq!((scrape.one("dataward_ready"), scrape.one("dataward_standby")), (1.0, 0.0));

    let (status, body) = readyz(&address);
    assert_eq!((status, &body["status"]), (200, &"ready".into()), "{body}");
    assert_eq!((&body["partitions"], &body["lag_records"]), (&4.into(), &0.into()));
    assert_eq!(get(&address, "/livez").0, 200);
    assert_eq!(get(&address, "/no-such-page").0, 404);
    running.terminate().expect(0);
    assert_eq!(total(&verified(&setup.archive), "records") as f64, 2_002.0 + repeats);
}

#[test]
fn a_dead_broker_is_told_of_and_is_no_reason_to_be_killed() {
    // Its own broker: it is to die.
    let Some(broker) = Broker::start().unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(&broker, 2);
    produce(&broker, &topic, &story(22, 100).messages);
    let setup = setup(&broker, folder.path(), &topic, "");
    let (mut running, address) = start(&setup);
    running.until("everything in the table", |_| committed(&setup.archive) == 100);
    running.until("to be ready", |_| readyz(&address).0 == 200);
    drop(broker);
    running.until("the broker to be missed", |_| readyz(&address).0 == 503);
    let (_, body) = readyz(&address);
    assert_eq!((&body["status"], codes(&body)), (&"not_ready".into(), vec!["source_unreachable"]));
    assert_eq!(body["reasons"][0]["text"], "no Kafka broker answers");
    assert_eq!(get(&address, "/livez").0, 200);
    let scrape = Scrape::of(&address);
    assert_eq!((scrape.one("dataward_ready"), scrape.one("dataward_kafka_reachable")), (0.0, 0.0));
    running.terminate().expect(0);
}

#[test]
fn a_standby_says_that_it_is_one() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let setup = setup(broker, folder.path(), &topic, "");
    let (mut first, of_first) = start(&setup);
    first.until("the first to be ready", |_| readyz(&of_first).0 == 200);
    let (mut second, of_second) = start(&setup);
    second.until("the standby", |standby| standby.stderr().contains("standing by"));
    let (status, body) = readyz(&of_second);
    assert_eq!((status, &body["status"], codes(&body)), (200, &"standby".into(), vec!["standby"]));
    let text = body["reasons"][0]["text"].as_str().unwrap();
    assert!(text.contains(&format!("/{} holds the archive", first.id())), "{text}");
    assert_eq!(get(&of_second, "/livez").0, 200);
    let scrape = Scrape::of(&of_second);
    assert_eq!((scrape.one("dataward_ready"), scrape.one("dataward_standby")), (0.0, 1.0));
    // And it does the work when its turn has come.
    first.terminate().expect(0);
    second.until("the second to be ready", |_| readyz(&of_second).1["status"] == "ready");
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let more = format!("[server]\nlisten = \"{address}\"\n");
    let setup = kafka::setup_at("127.0.0.1:1", folder.path(), "topic", &more);
    let finished = Running::start(&setup.run()).wait().expect(4);
    let said = format!("failed to serve metrics and health at {address}: Address already in use");
    assert!(finished.stderr.contains(&said), "{}", finished.stderr);
    assert!(!setup.archive.exists(), "nothing was begun");
}
