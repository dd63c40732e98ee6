//! Real samples, read in place: no line is lost, and every event validates and survives the way out and back in.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use dataward_event::change::Direction;
use dataward_ocsf::event::event_json;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use support::{check, official, own, position, test_data};

/// Reads every line as one record; returns the changes as text.
fn read_lines(test_data: &Path, lines: &[String]) -> Vec<String> {
    let schema = own(dataward_ocsf::schema::EVENT);
    let classes = official(test_data);
    let position = position();
    let mut changes = Vec::new();
    for line in lines {
        let record = Record { position: &position, kafka_time: None, payload: line.as_bytes() };
        let decoded = decode(Source::Auto, record);
        // Events of tests, not of AWS, may lack a time; everything else must be read.
        let is_undated = !line.contains("eventTime") && !line.contains("@timestamp");
        assert!(decoded.rejects.is_empty() || is_undated, "{:?}\n{line}", decoded.rejects);
        for event in decoded.events.iter().map(|decoded| &decoded.event) {
            let written = event_json(event, Some(&position), None);
            check(&schema, &written);
            check(&classes[&u64::from(event.class.uid())], &written);
            let record =
                Record { position: &position, kafka_time: None, payload: written.as_bytes() };
            let back = decode(Source::Ocsf, record);
            assert_eq!(back.events.len(), 1, "{:?}", back.rejects);
            assert_eq!(&back.events[0].event, event);
            changes.extend(event.changes.iter().map(|change| {
                let whole = if change.whole { " whole" } else { "" };
                let outcome = event.outcome.as_str();
                format!(
                    "{} {} [{}]{whole} {} on {} ({outcome})",
                    change.direction.as_str(),
                    change.catalogue_row,
                    change.opened,
                    event.operation,
                    event.datastore.as_ref().map_or("-", |datastore| &datastore.uid),
                )
            }));
        }
    }
    changes
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn stratus_techniques_give_their_changes() {
    let Some(data) = test_data("Stratus Red Team samples") else { return };
    let folder = data.join("data/stratus-red-team");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"))
        .collect();
    files.sort();
    let mut seen = Vec::new();
    for file in &files {
        let technique = file.file_stem().unwrap().to_string_lossy().into_owned();
        let changes = read_lines(&data, &lines(file));
        println!("{technique}");
        for change in &changes {
            println!("    {change}");
            seen.push(format!("{technique}: {change}"));
        }
    }
    let weakened = Direction::Weakened.as_str();
    for (technique, row) in [
        ("cloudtrail-delete", "aws.cloudtrail.trail.deleted"),
        ("cloudtrail-stop", "aws.cloudtrail.logging.stopped"),
        ("cloudtrail-event-selectors", "aws.cloudtrail.selectors.management"),
        ("cloudtrail-event-selectors", "aws.cloudtrail.selectors.data"),
        ("dns-delete-logs", "aws.route53resolver.query_logging.off"),
        ("organizations-leave", "aws.organizations.left"),
        ("vpc-remove-flow-logs", "aws.ec2.flow_logs.deleted"),
        ("ec2-share-ami", "aws.ec2.image.foreign"),
        ("ec2-share-ebs-snapshot", "aws.ec2.snapshot.foreign"),
        ("rds-share-snapshot", "aws.rds.snapshot.foreign"),
        ("iam-backdoor-role", "aws.iam.role_trust.foreign"),
    ] {
        assert!(
            seen.iter().any(|line| line.contains(technique)
                && line.contains(row)
                && line.contains(weakened)),
            "{technique} should give {row}"
        );
    }
    let port_22 = seen.iter().filter(|line| line.contains("open-port-22")).count();
    assert_eq!(port_22, 0, "no datastore listens on port 22");
}

#[test]
fn other_cloudtrail_samples_are_read_whole() {
    let Some(data) = test_data("TrailDiscover and OTRF samples") else { return };
    for file in [
        "traildiscover/events.ndjson",
        "otrf-ec2-proxy-s3-exfiltration/events.raw.ndjson",
        "otrf-ec2-proxy-s3-exfiltration/events.cloudtrail.ndjson",
    ] {
        for change in read_lines(&data, &lines(&data.join("data").join(file))) {
            println!("{file}: {change}");
        }
    }
    let wrapped = lines(&data.join("data/cloud-custodian/eventbridge_cloudtrail.ndjson"));
    let unwrapped: Vec<String> = wrapped
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].to_string())
        .collect();
    read_lines(&data, &unwrapped);
}

#[test]
fn the_worked_examples_of_ocsf_are_read() {
    let Some(data) = test_data("OCSF examples") else { return };
    for entry in std::fs::read_dir(data.join("design/ocsf/examples")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let position = position();
        let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
        let decoded = decode(Source::Ocsf, record);
        let is_finding = text.contains("2004");
        assert_eq!(decoded.events.len(), usize::from(!is_finding), "{:?}\n{text}", decoded.rejects);
    }
}
