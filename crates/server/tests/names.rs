//! The names of the metrics are a promise to dashboards and alert rules: golden, and the same in the documentation.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dataward_detect::census::Census;
use dataward_event::finding::{RuleId, Severity};
use dataward_event::position::{Offset, Partition};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::{EventTime, IngestTime, KafkaTime};
use dataward_pipeline::archive::GapCause;
use dataward_pipeline::clock::Clock;
use dataward_pipeline::figures::{Figures, Newest, PartitionFigures, SinkFigures};
use dataward_pipeline::histogram::{Histogram, SHORT_SECONDS};
use dataward_pipeline::metrics::{Activity, Metrics};
use dataward_pipeline::record_source::Bounds;
use dataward_server::exposition::Exposition;

/// A clock that stands still.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> IngestTime {
        IngestTime::from_millis(1_767_600_100_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn partition(committed: i64, high: i64) -> PartitionFigures {
    let mut figures = PartitionFigures {
        is_owned: true,
        source: "aws.cloudtrail",
        committed: Some(Offset(committed)),
        bounds: Some(Bounds { low: Offset(20), high: Offset(high) }),
        newest: Newest {
            appended: Some(KafkaTime::from_millis(1_767_600_090_000)),
            event: Some(EventTime::from_millis(1_767_600_080_500)),
        },
        ..PartitionFigures::default()
    };
    let tally = &mut figures.tally;
    (tally.records, tally.events, tally.redelivered) = (100, 98, 3);
    (tally.duplicates, tally.late) = (2, 1);
    tally.reject(QuarantineReason::InvalidJson);
    figures
}

/// Figures in which every metric has a sample.
fn figures() -> Figures {
    let mut figures = Figures::default();
    figures.partitions.insert(Partition::new("audit", 0), partition(100, 100));
    figures.partitions.insert(Partition::new("audit", 1), partition(100, 175));
    let mut took = Histogram::new(SHORT_SECONDS);
    took.add(0.004, 3);
    figures.process_seconds.insert("audit".to_owned(), took);
    figures.alerts.insert((RuleId::ArchiveGap, Severity::CRITICAL), 4);
    figures.gap_offsets.insert(GapCause::Lost, 7);
    figures.stopped.insert(Partition::new("audit", 2), "the log was cut".to_owned());
    (figures.commits, figures.commit_failures, figures.fences) = (9, 2, 1);
    figures.commit_seconds.add(0.2, 9);
    figures.last_commit = Some(IngestTime::from_millis(1_767_600_099_000));
    (figures.files_written, figures.bytes_written) = (12, 34_567);
    (figures.snapshots, figures.snapshot_bytes) = (3, 890);
    figures.snapshot_seconds.add(0.01, 3);
    (figures.buffered_bytes, figures.buffer_limit_bytes) = (1_000, 268_435_456);
    let mut sink = SinkFigures { waiting: 2, delivered: 4, failures: 1, ..SinkFigures::default() };
    sink.oldest_waiting = Some(IngestTime::from_millis(1_767_600_098_000));
    sink.event_to_alert.add(0.03, 4);
    figures.sinks.insert("soc".to_owned(), sink);
    figures.census = Some(Census { datastores: 40, open_windows: 5 });
    figures.event_to_durable.add(1.5, 200);
    figures.source_answers = Some(true);
    figures
}

fn exposition() -> String {
    let metrics = Arc::new(Metrics::new(Arc::new(Standing)));
    metrics.set_activity(Activity::Running);
    metrics.publish(figures());
    Exposition::new(metrics).text().unwrap()
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What is not the same twice: the value.
fn without_the_moment(text: &str) -> String {
    let of_the_moment = |line: &&str| {
        let is_release = line.starts_with("dataward_build_info");
        line.starts_with("process_") || line.starts_with("dataward_heartbeat") || is_release
    };
    let lines = text.lines().map(|line| {
        let cut = line.split(['{', ' ']).next().unwrap();
        if of_the_moment(&line) { format!("{cut} …\n") } else { format!("{line}\n") }
    });
    lines.collect()
}

/// Each metric's type and the names of its labels, by its name as a query writes it.
fn described(text: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut kinds = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let suffix = if kind == "counter" { "_total" } else { "" };
        kinds.insert(format!("{name}{suffix}"), (kind.to_owned(), BTreeSet::new()));
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, rest)) = line.split_once('{') else { continue };
        let (labels, _) = rest.rsplit_once('}').unwrap();
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|s| name.strip_suffix(s));
        let name = histogram.filter(|name| kinds.contains_key(*name)).unwrap_or(name);
        let names = labels.split("\",").map(|label| label.split('=').next().unwrap());
        let names = names.filter(|name| !["le", ""].contains(name)).map(str::to_owned);
        kinds.get_mut(name).unwrap().1.extend(names);
    }
    kinds
}

#[test]
fn the_names_are_those_that_were_promised() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/metrics.txt");
    let text = without_the_moment(&exposition());
    if std::env::var_os("DATAWARD_MAKE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let promised = std::fs::read_to_string(&golden).unwrap();
    assert_eq!(text, promised, "whoever renames a metric breaks somebody's alert");
}

#[test]
fn the_documentation_names_every_metric_and_no_other() {
    let page = std::fs::read_to_string(top().join("docs/operations.md")).unwrap();
    let row = |line: &str| -> Option<(String, (String, BTreeSet<String>))> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, kind, labels, _, _, _] = cells[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        if !["counter", "gauge", "histogram"].contains(&kind) {
            return None;
        }
        let labels = labels.split(' ').filter(|label| !label.is_empty());
        let labels = labels.map(|label| label.trim_matches('`').to_owned()).collect();
        Some((name.to_owned(), (kind.to_owned(), labels)))
    };
    let documented: BTreeMap<_, _> = page.lines().filter_map(row).collect();
    assert_eq!(documented, described(&exposition()));
}

#[test]
fn the_alert_rules_ask_for_metrics_that_there_are() {
    let text = exposition();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let known: BTreeSet<&str> =
        samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    let rules =
        std::fs::read_to_string(top().join("deploy/prometheus/dataward.rules.yml")).unwrap();
    let expressions = rules.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = expressions.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let is_metric = |word: &&str| {
        ["dataward_", "messaging_", "process_"].iter().any(|prefix| word.starts_with(prefix))
            && !word.starts_with("messaging_destination_")
    };
    let asked: BTreeSet<&str> = words.filter(is_metric).collect();
    assert!(asked.len() > 10, "{asked:?}");
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert_eq!(unknown, [&""; 0], "no such metric");
}
