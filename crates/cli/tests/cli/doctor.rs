//! `doctor`: each check that can fail, on a real broker where it is about Kafka.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::archive::{commits, committed};
use crate::support::kafka::{self, Sending, Setup, broker, produce, setup, setup_at};
use crate::support::process::{DEADLINE, Running, dataward, text, until, write};
use crate::support::story::story;

/// The verdict and the text of each check, by its name and what it is about.
type Said = BTreeMap<(String, String), (String, String)>;

fn doctor(setup: &Setup, code: i32) -> Said {
    let finished = dataward(&["doctor", "--config", &text(&setup.config)]).expect(code);
    let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let lines = finished.lines();
    for line in &lines {
        let is_bad = ["warning", "problem"].contains(&line["verdict"].as_str().unwrap());
        assert!(!is_bad || line["advice"].is_string(), "no advice: {line}");
    }
    let said = lines.iter().map(|line| {
        let key = (word(line, "check"), word(line, "target"));
        (key, (word(line, "verdict"), word(line, "text")))
    });
    said.collect()
}

fn verdict<'s>(said: &'s Said, check: &str, target: &str) -> &'s str {
    &said.get(&(check.to_owned(), target.to_owned())).unwrap_or_else(|| panic!("{said:#?}")).0
}

/// All that is not ok.
fn troubles(said: &Said) -> Vec<(&str, &str)> {
    let all = said.iter().map(|((check, _), (verdict, _))| (check.as_str(), verdict.as_str()));
    all.filter(|(_, verdict)| *verdict != "ok").collect()
}

const SOUND: [(&str, &str); 3] = [
    ("message.timestamp.type", "LogAppendTime"),
    ("retention.ms", "604800000"),
    ("max.message.bytes", "1048588"),
];

#[test]
fn where_all_is_well_it_says_so_and_leaves_no_trace() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic_with(broker, 2, &SOUND);
    produce(broker, &topic, &story(31, 100).messages);
    let setup = setup(broker, folder.path(), &topic, "[server]\nlisten = \"127.0.0.1:0\"\n");
    let said = doctor(&setup, 0);
    // Where the tests run in memory, that is no trouble of ours.
    let found: Vec<_> =
        troubles(&said).into_iter().filter(|(c, _)| *c != "archive.file_system").collect();
    assert_eq!(found, [], "{said:#?}");
    for check in ["topic", "sample", "keys", "clock", "retention", "cleanup_policy"] {
        assert_eq!(verdict(&said, &format!("kafka.{check}"), &topic), "ok");
    }
    let sample = &said[&("kafka.sample".to_owned(), topic.clone())].1;
    assert_eq!(sample, "40 of the 40 newest records are understood as aws.cloudtrail");

    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["dataward.toml"]);
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", broker.bootstrap_servers()).create().unwrap();
    let group = folder.path().file_name().unwrap().to_str().unwrap();
    let groups = consumer.fetch_group_list(None, DEADLINE).unwrap();
    assert!(groups.groups().iter().all(|known| known.name() != group), "a group was made");
}

#[test]
fn what_a_topic_will_do_to_us_is_named() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let settings = [
        ("retention.ms", "3600000"),
        ("retention.bytes", "1000"),
        ("cleanup.policy", "compact,delete"),
        ("message.timestamp.type", "CreateTime"),
        ("max.message.bytes", "16777217"),
        ("unclean.leader.election.enable", "true"),
    ];
    let topic = kafka::topic_with(broker, 1, &settings);
    let sending = Sending::to(broker, &topic);
    for message in &story(32, 100).messages[..30] {
        sending.message(message);
    }
    // A key is needed where records are compacted, so what is unkeyed and what is unreadable is another topic's.
    sending.flush();
    let mixed = kafka::topic_with(broker, 1, &SOUND);
    let sending = Sending::to(broker, &mixed);
    for message in &story(33, 100).messages[..10] {
        sending.message(message);
    }
    sending.record(None, Some(b"{ not json"));
    sending.flush();
    let foreign = kafka::topic_with(broker, 1, &SOUND);
    let sending = Sending::to(broker, &foreign);
    sending.record(Some(b"somebody"), Some(b"{ not json"));
    sending.flush();
    let empty = kafka::topic_with(broker, 1, &SOUND);
    let named =
        |name: &str| format!("[[topics]]\nname = \"{name}\"\nsource = \"aws.cloudtrail\"\n");
    let more: String =
        [mixed.as_str(), &foreign, &empty, "no-such-topic"].map(named).into_iter().collect();
    let alerts = "[[sinks]]\nname = \"soc\"\nkind = \"kafka\"\ntopic = \"no-such-alerts\"\n";
    let setup = setup(broker, folder.path(), &topic, &(more + alerts));
    let said = doctor(&setup, 1);
    for check in
        ["retention", "retention_bytes", "cleanup_policy", "message_bytes", "unclean_election"]
    {
        assert_eq!(verdict(&said, &format!("kafka.{check}"), &topic), "warning", "{check}");
    }
    let retention = &said[&("kafka.retention".to_owned(), topic.clone())].1;
    assert!(retention.contains("keeps 3600 s; the least is 86400 s"), "{retention}");
    assert_eq!(verdict(&said, "kafka.timestamp_type", &topic), "note");
    assert_eq!(verdict(&said, "kafka.keys", &mixed), "warning");
    assert_eq!(verdict(&said, "kafka.sample", &mixed), "warning");
    assert_eq!(verdict(&said, "kafka.sample", &foreign), "problem");
    assert_eq!(verdict(&said, "kafka.sample", &empty), "note");
    assert_eq!(verdict(&said, "kafka.topic", "no-such-topic"), "problem");
    assert_eq!(verdict(&said, "kafka.alert_topic", "no-such-alerts"), "problem");
}

#[test]
fn who_runs_already_is_seen_and_not_disturbed() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic_with(broker, 2, &SOUND);
    let story = story(34, 200);
    produce(broker, &topic, &story.messages[..100]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let context = "[[datastores]]\nname = \"never-heard-of\"\nsensitivity = \"restricted\"\n";
    let context = write(folder.path(), "context.toml", context);
    let more = format!(
        "[server]\nlisten = \"{}\"\n[context]\npath = \"{}\"\n",
        port.local_addr().unwrap(),
        context.display()
    );
    let setup = setup(broker, folder.path(), &topic, &more);
    let mut arguments = setup.run().to_vec();
    arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
    let mut running = Running::start(&arguments);
    running.until("everything in the table", |_| committed(&setup.archive) == 100);
    let said = doctor(&setup, 0);
    let group = folder.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(verdict(&said, "kafka.group", group), "note");
    let archive = text(&setup.archive);
    assert_eq!(verdict(&said, "archive.lease", &archive), "note");
    assert_eq!(verdict(&said, "archive.opens", &archive), "ok");
    let port = port.local_addr().unwrap().to_string();
    assert_eq!(verdict(&said, "server.listen", &port), "warning");
    let (verdict, text) = &said[&("context.datastores".to_owned(), "[context]".to_owned())];
    assert_eq!(verdict, "note");
    assert!(text.contains("never-heard-of"), "{text}");
    // It still has its partitions.
    produce(broker, &topic, &story.messages[100..]);
    running.until("the rest in the table", |_| committed(&setup.archive) == 200);
    running.terminate().expect(0);
    // The group keeps the place of a member with a name for the time of a session.
    until("the group to be empty", || {
        (self::verdict(&doctor(&setup, 0), "kafka.group", group) == "ok").then_some(())
    });

    // And an archive that has lost a commit is not opened.
    std::fs::remove_file(commits(&setup.archive).pop().unwrap()).unwrap();
    assert_eq!(self::verdict(&doctor(&setup, 1), "archive.opens", &archive), "problem");
}

#[test]
fn what_is_wrong_on_this_machine_is_named_without_a_broker() {
    let folder = TempDir::new().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let secret = write(folder.path(), "password", "hunter2\n");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let setup = setup_at(&closed, folder.path(), "topic", "")
        .with("[kafka]\n", &format!("[kafka]\nsasl.password_file = \"{}\"\n", secret.display()))
        .with("alerts.ndjson", "no-such-folder/alerts.ndjson");
    let said = doctor(&setup, 1);
    assert_eq!(verdict(&said, "kafka.reachable", &closed), "problem");
    assert_eq!(verdict(&said, "config.secret", &text(&secret)), "warning");
    assert_eq!(verdict(&said, "sink.file", "file"), "problem");
    assert!(!format!("{said:?}").contains("hunter2"), "a secret is printed");

    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = write(folder.path(), "file", "");
    let below = file.join("archive");
    let archive = text(&setup.archive);
    let setup = setup.with(&archive, &text(&below));
    let said = doctor(&setup, 1);
    assert_eq!(verdict(&said, "config.secret", &text(&secret)), "ok");
    assert_eq!(verdict(&said, "archive.disk", &text(&below)), "problem");
}

#[test]
fn a_broker_that_refuses_us_is_told_from_one_that_is_away() {
    let Some(broker) = broker() else { return };
    let folder = TempDir::new().unwrap();
    let secret = write(folder.path(), "password", "hunter2");
    let sasl = format!(
        "[kafka]\nsecurity.protocol = \"SASL_PLAINTEXT\"\nsasl.mechanisms = \"PLAIN\"\n\
         sasl.username = \"nobody\"\nsasl.password_file = \"{}\"\n",
        secret.display()
    );
    let setup = setup(broker, folder.path(), "topic", "").with("[kafka]\n", &sasl);
    let said = doctor(&setup, 1);
    assert_eq!(verdict(&said, "kafka.authentication", &broker.bootstrap_servers()), "problem");
}

#[test]
fn a_bad_configuration_ends_with_2_and_a_table_is_for_people() {
    let folder = TempDir::new().unwrap();
    let config = write(folder.path(), "dataward.toml", "[kafka");
    let finished = dataward(&["doctor", "--config", &text(&config)]).expect(2);
    assert!(finished.stderr.contains("line 1"), "{}", finished.stderr);
    dataward(&["doctor"]).expect(2);
    let setup = setup_at("127.0.0.1:1", folder.path(), "topic", "");
    let arguments = ["doctor", "--format", "table", "--config", &text(&setup.config)];
    let finished = dataward(&arguments).expect(1);
    let mut lines = finished.stdout.lines();
    assert!(lines.next().unwrap().starts_with("verdict  check "), "{}", finished.stdout);
    assert!(lines.next().unwrap().starts_with("ok       config.file "), "{}", finished.stdout);
}
