//! Whether a topic keeps records long enough and whole.

use std::collections::BTreeMap;

use dataward_event::limits::RECORD_BYTES_MAX;
use dataward_pipeline::checkup::{Check, Verdict};
use futures::executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::checkup::{PATIENCE, Plan, Report, TopicPlan};
use crate::config::producer;
use crate::sample::Sample;

/// The least time for which a topic should keep its records, in seconds: a day away must not cost any.
const RETENTION_SECONDS_MIN: u64 = 86_400;
/// And this many times the time between two snapshots.
const SNAPSHOTS_MIN: u64 = 3;

/// Looks at the settings of a topic.
pub(crate) fn check(plan: &Plan<'_>, topic: &TopicPlan<'_>, sample: &Sample, report: &mut Report) {
    match settings(plan, topic.name) {
        Ok(settings) => {
            let minimum =
                (plan.snapshot_interval.as_secs() * SNAPSHOTS_MIN).max(RETENTION_SECONDS_MIN);
            let bytes_per_day = sample.partition_bytes_per_day();
            report.checks.extend(judge(topic.name, &settings, minimum, bytes_per_day));
        }
        Err(reason) => {
            let text = format!("its settings cannot be read: {reason}");
            let advice =
                "grant DESCRIBE_CONFIGS on it, or ask whoever runs the cluster for retention.ms";
            let check = Check::found(Verdict::Warning, "kafka.settings", topic.name, text, advice);
            report.checks.push(check);
        }
    }
}

type Settings = BTreeMap<String, String>;

fn settings(plan: &Plan<'_>, name: &str) -> Result<Settings, String> {
    let config: ClientConfig = producer(plan.properties);
    let mut client = ClientConfig::new();
    // What is of a producer alone an administrator does not know.
    let own = ["enable.idempotence", "compression.codec", "message.max.bytes"];
    for (key, value) in config.config_map().iter().filter(|(key, _)| !own.contains(key)) {
        client.set(*key, *value);
    }
    let client: AdminClient<DefaultClientContext> =
        client.create().map_err(|error| error.to_string())?;
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));
    let topic = [ResourceSpecifier::Topic(name)];
    let described = client.describe_configs(&topic, &options);
    let described = block_on(described).map_err(|error| error.to_string())?;
    let resource = described.into_iter().next().ok_or("no answer")?;
    let resource = resource.map_err(|error| error.to_string())?;
    let entries = resource.entries.into_iter();
    Ok(entries.filter_map(|entry| Some((entry.name, entry.value?))).collect())
}

fn judge(
    topic: &str,
    settings: &Settings,
    minimum_seconds: u64,
    bytes_per_day: Option<u64>,
) -> Vec<Check> {
    let text_of = |key: &str| settings.get(key).map_or("", String::as_str);
    let number = |key: &str| text_of(key).parse::<i64>().ok();
    let found = |name, text: String, advice: &str| {
        Check::found(Verdict::Warning, name, topic, text, advice)
    };
    let mut checks = Vec::new();

    // Negative: for ever.
    let millis = number("retention.ms").and_then(|millis| u64::try_from(millis).ok());
    let seconds = millis.map(|millis| millis / 1_000);
    checks.push(match seconds {
        Some(seconds) if seconds < minimum_seconds => {
            let text = format!(
                "retention.ms keeps {seconds} s; the least is {minimum_seconds} s: the larger of a day and \
                 {SNAPSHOTS_MIN} times snapshot_seconds"
            );
            found("kafka.retention", text, "raise retention.ms above the longest outage; 7 days are a good value")
        }
        Some(seconds) => Check::ok("kafka.retention", topic, format!("retention.ms keeps {seconds} s")),
        None => Check::ok("kafka.retention", topic, "retention.ms keeps records for ever"),
    });
    if let Some(bytes) = number("retention.bytes").and_then(|bytes| u64::try_from(bytes).ok()) {
        checks.push(match bytes_per_day {
            Some(per_day) if per_day > 0 && bytes < per_day => {
                let text = format!(
                    "retention.bytes keeps {bytes} bytes of a partition; the last day brought about {per_day} bytes \
                     to each, before compression"
                );
                found("kafka.retention_bytes", text, "raise retention.bytes, or leave it at -1")
            }
            _ => Check::ok(
                "kafka.retention_bytes",
                topic,
                format!("retention.bytes keeps {bytes} bytes of a partition"),
            ),
        });
    }
    let policy = text_of("cleanup.policy");
    checks.push(if policy.contains("compact") {
        let text = format!("cleanup.policy is {policy}: compaction removes audit records");
        found("kafka.cleanup_policy", text, "set cleanup.policy=delete")
    } else {
        Check::ok("kafka.cleanup_policy", topic, format!("cleanup.policy is {policy}"))
    });
    let stamp = text_of("message.timestamp.type");
    checks.push(if stamp == "CreateTime" {
        let text = "message.timestamp.type is CreateTime: whoever writes says when it was";
        let advice = "LogAppendTime lets the broker say it: lag and latency are then measured by one clock, and event \
                      times are bounded by it";
        Check::found(Verdict::Note, "kafka.timestamp_type", topic, text, advice)
    } else {
        Check::ok("kafka.timestamp_type", topic, format!("message.timestamp.type is {stamp}"))
    });
    if let Some(bytes) = number("max.message.bytes") {
        let is_above = usize::try_from(bytes).unwrap_or(0) > RECORD_BYTES_MAX;
        checks.push(if is_above {
            let text = format!(
                "max.message.bytes allows {bytes} bytes; records beyond {RECORD_BYTES_MAX} go to quarantine"
            );
            found("kafka.message_bytes", text, "have producers send smaller records")
        } else {
            let text = format!("max.message.bytes is {bytes}");
            Check::ok("kafka.message_bytes", topic, text)
        });
    }
    if text_of("unclean.leader.election.enable") == "true" {
        let text = "unclean.leader.election.enable is true: a log can lose its end and grow again unnoticed";
        checks.push(found("kafka.unclean_election", text.to_owned(), "set it to false"));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(change: &[(&str, &str)], per_day: Option<u64>) -> Vec<(&'static str, Verdict)> {
        let sound = [
            ("retention.ms", "604800000"),
            ("retention.bytes", "-1"),
            ("cleanup.policy", "delete"),
            ("message.timestamp.type", "LogAppendTime"),
            ("max.message.bytes", "1048588"),
            ("unclean.leader.election.enable", "false"),
        ];
        let settings = sound.iter().chain(change);
        let settings = settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let checks = judge("audit", &settings.collect(), 86_400, per_day);
        let checks = checks.into_iter().filter(|check| check.verdict != Verdict::Ok);
        checks.map(|check| (check.name, check.verdict)).collect()
    }

    #[test]
    fn each_setting_that_will_hurt_is_named() {
        let warning = |name| vec![(name, Verdict::Warning)];
        assert_eq!(found(&[], None), []);
        assert_eq!(found(&[("retention.ms", "-1")], None), []);
        assert_eq!(found(&[("retention.ms", "86400000")], None), []);
        assert_eq!(found(&[("retention.ms", "86399000")], None), warning("kafka.retention"));
        let small = [("retention.bytes", "1000")];
        assert_eq!(found(&small, None), []);
        assert_eq!(found(&small, Some(1_000)), []);
        assert_eq!(found(&small, Some(1_001)), warning("kafka.retention_bytes"));
        let policy = [("cleanup.policy", "compact,delete")];
        assert_eq!(found(&policy, None), warning("kafka.cleanup_policy"));
        assert_eq!(
            found(&[("max.message.bytes", "16777217")], None),
            warning("kafka.message_bytes")
        );
        let unclean = [("unclean.leader.election.enable", "true")];
        assert_eq!(found(&unclean, None), warning("kafka.unclean_election"));
        let created = [("message.timestamp.type", "CreateTime")];
        assert_eq!(found(&created, None), [("kafka.timestamp_type", Verdict::Note)]);
    }
}
