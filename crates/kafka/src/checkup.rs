//! Looks at a cluster without leaving a trace: no group is joined, nothing is committed, nothing is created. (A cluster
//! that has never had a group makes its internal topic of groups for the first client that names one, whoever it is.)

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dataward_event::time::IngestTime;
use dataward_pipeline::checkup::{Check, Verdict};
use dataward_sources::source::Source;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaRespErr;

use crate::config::{self, Properties};
use crate::{sample, topic_settings};

/// How long a broker may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What is meant to run on the cluster.
#[derive(Debug)]
pub struct Plan<'a> {
    /// librdkafka's settings.
    pub properties: &'a Properties,
    /// The topics to read.
    pub topics: Vec<TopicPlan<'a>>,
    /// The topics of alerts.
    pub alert_topics: Vec<&'a str>,
    /// The time between two snapshots.
    pub snapshot_interval: Duration,
    /// The wall clock.
    pub now: IngestTime,
}

/// A topic to read.
#[derive(Debug)]
pub struct TopicPlan<'a> {
    /// Its name.
    pub name: &'a str,
    /// The log format that it is bound to.
    pub source: Source,
    /// Whether its records are to be keyed by actor.
    pub is_keyed: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The findings.
    pub checks: Vec<Check>,
    /// How many bytes a day the topics bring, by their last day; `None`: nobody knows.
    pub bytes_per_day: Option<u64>,
}

/// Keeps what librdkafka complains of: it says there why nobody answers.
#[derive(Default)]
pub(crate) struct Listener {
    complaint: Mutex<Option<String>>,
}

impl ClientContext for Listener {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "{message}");
    }

    fn error(&self, _: KafkaError, reason: &str) {
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        // The first one is the cause; what follows is its consequence.
        complaint.get_or_insert_with(|| reason.to_owned());
    }
}

impl ConsumerContext for Listener {}

/// A client that belongs to no group.
pub(crate) type Looker = BaseConsumer<Listener>;

/// Looks at everything.
pub fn checkup(plan: &Plan<'_>) -> Report {
    let mut report = Report::default();
    let brokers = plan.properties.get("bootstrap.servers").cloned().unwrap_or_default();
    let looker = match looker(plan.properties) {
        Ok(looker) => looker,
        Err(reason) => {
            let advice = "mend [kafka] in the configuration";
            let check = Check::found(Verdict::Problem, "kafka.client", brokers, reason, advice);
            report.checks.push(check);
            return report;
        }
    };
    let metadata = match looker.fetch_metadata(None, PATIENCE) {
        Ok(metadata) => metadata,
        Err(error) => {
            report.checks.push(unreachable(&looker, brokers, &error));
            return report;
        }
    };
    let text = format!("brokers that answer: {}", metadata.brokers().len());
    report.checks.push(Check::ok("kafka.reachable", brokers, text));
    group(&looker, plan, &mut report);
    for topic in &plan.topics {
        let Some(partitions) = exists(&metadata, topic.name, "kafka.topic", &mut report) else {
            continue;
        };
        let sample = sample::sample(&looker, topic, &partitions, plan.now);
        topic_settings::check(plan, topic, &sample, &mut report);
        report.bytes_per_day = match (report.bytes_per_day, sample.bytes_per_day()) {
            (one, None) => one,
            (one, Some(more)) => Some(one.unwrap_or(0) + more),
        };
        report.checks.extend(sample.checks);
    }
    for topic in &plan.alert_topics {
        exists(&metadata, topic, "kafka.alert_topic", &mut report);
    }
    report
}

fn looker(properties: &Properties) -> Result<Looker, String> {
    let mut config = config::consumer(properties).map_err(|error| error.to_string())?;
    // A static member of the same name would fence the one that runs, were it to join: it does not, and has no name.
    config.remove("group.instance.id");
    config.set("statistics.interval.ms", "0");
    config.create_with_context(Listener::default()).map_err(|error| error.to_string())
}

fn unreachable(looker: &Looker, brokers: String, error: &KafkaError) -> Check {
    // Complaints come with a poll.
    let _ = looker.poll(Duration::from_millis(100));
    let complaint =
        looker.context().complaint.lock().unwrap_or_else(PoisonError::into_inner).take();
    let said = complaint.map(|complaint| format!(": {complaint}")).unwrap_or_default();
    let is_refused = said.contains("uthentication") || said.contains("SASL");
    if is_refused {
        let advice = "check sasl.* and ssl.* in [kafka], and the user at the broker";
        let text = format!("the broker refuses us: {error}{said}");
        return Check::found(Verdict::Problem, "kafka.authentication", brokers, text, advice);
    }
    let advice = "check bootstrap.servers, the network, and whether the port speaks TLS";
    let text = format!("no broker answers: {error}{said}");
    Check::found(Verdict::Problem, "kafka.reachable", brokers, text, advice)
}

/// The partitions of a topic, if it can be read.
fn exists(
    metadata: &Metadata,
    name: &str,
    check: &'static str,
    report: &mut Report,
) -> Option<Vec<i32>> {
    let topic = metadata.topics().iter().find(|topic| topic.name() == name);
    let error = topic.and_then(|topic| topic.error());
    let problem =
        |text: String, advice: &str| Check::found(Verdict::Problem, check, name, text, advice);
    let Some(topic) = topic.filter(|t| t.error().is_none() && !t.partitions().is_empty()) else {
        let is_denied = error == Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
        report.checks.push(if is_denied {
            problem("we may not see the topic".to_owned(), "grant DESCRIBE and READ on it")
        } else {
            let advice = "create it, or mend its name; nothing is created by us. A topic that we may not \
                          DESCRIBE looks the same";
            problem("the topic does not exist".to_owned(), advice)
        });
        return None;
    };
    let leaderless: Vec<i32> =
        topic.partitions().iter().filter(|p| p.leader() < 0).map(|p| p.id()).collect();
    if !leaderless.is_empty() {
        let text = format!(
            "partitions {leaderless:?} have no leader: they can be neither read nor written"
        );
        report.checks.push(problem(text, "bring their brokers back"));
        return None;
    }
    let text = format!("partitions: {}", topic.partitions().len());
    report.checks.push(Check::ok(check, name, text));
    Some(topic.partitions().iter().map(|partition| partition.id()).collect())
}

/// Who is in our group.
fn group(looker: &Looker, plan: &Plan<'_>, report: &mut Report) {
    let Some(name) = plan.properties.get("group.id") else { return };
    let until = Instant::now() + PATIENCE;
    let list = loop {
        match looker.fetch_group_list(Some(name), PATIENCE) {
            // The broker has just become the group's coordinator.
            Err(error) if is_loading(&error) && Instant::now() < until => {
                std::thread::park_timeout(Duration::from_millis(100));
            }
            answer => break answer,
        }
    };
    let list = match list {
        Ok(list) => list,
        Err(error) => {
            let text = format!("the group cannot be described: {error}");
            let advice = "grant READ and DESCRIBE on the group";
            let check = Check::found(Verdict::Warning, "kafka.group", name, text, advice);
            report.checks.push(check);
            return;
        }
    };
    let members: Vec<String> = list
        .groups()
        .iter()
        .flat_map(|group| group.members())
        .map(|member| format!("{}{}", member.client_id(), member.client_host()))
        .collect();
    report.checks.push(if members.is_empty() {
        Check::ok("kafka.group", name, "nobody is in the group")
    } else {
        let text = format!("in the group: {}", members.join(", "));
        let advice = "as it should be if that is Dataward on this archive; anybody else would take partitions away: \
                      every archive needs its own group.id";
        Check::found(Verdict::Note, "kafka.group", name, text, advice)
    });
}

fn is_loading(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::CoordinatorLoadInProgress)
}

/// The list of one partition at an offset.
pub(crate) fn at(
    topic: &str,
    partition: i32,
    offset: rdkafka::Offset,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, offset)?;
    Ok(list)
}
