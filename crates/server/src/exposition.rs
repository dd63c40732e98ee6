//! The metrics by name, as OpenMetrics text. What OpenTelemetry's messaging conventions name has that name in its
//! Prometheus form; the rest is `dataward_…`. `docs/operations.md` has the same list for people: a test compares them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use dataward_event::position::Partition;
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::IngestTime;
use dataward_pipeline::archive::GapCause;
use dataward_pipeline::figures::{Figures, PartitionFigures};
use dataward_pipeline::health::{self, Readiness};
use dataward_pipeline::histogram::Histogram;
use dataward_pipeline::metrics::Metrics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::process::OwnProcess;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics of a process.
pub struct Exposition {
    registry: Registry,
}

impl Exposition {
    /// Those of these figures, as they are published whenever somebody asks.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Published { metrics, process: OwnProcess::new() }));
        Self { registry }
    }

    /// The text.
    ///
    /// # Errors
    /// When it cannot be written: a defect.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What is published, and the process that does.
#[derive(Debug)]
struct Published {
    metrics: Arc<Metrics>,
    process: OwnProcess,
}

impl Collector for Published {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (_, figures) = self.metrics.latest();
        let mut page = Page { encoder };
        reading(&mut page, &figures)?;
        progress(&mut page, &figures, self.metrics.now())?;
        archive(&mut page, &figures)?;
        unusual_reads(&mut page, &figures)?;
        alerts(&mut page, &figures, self.metrics.now())?;
        self.state(&mut page, &figures)?;
        self.process(&mut page)
    }
}

type Labels = Vec<(&'static str, String)>;

/// Records, events, and what became of them.
fn reading(page: &mut Page<'_>, figures: &Figures) -> fmt::Result {
    let consumed = figures.partitions.iter().map(|(partition, figures)| {
        let mut labels = messaging("poll", &partition.topic);
        let number = partition.number.to_string();
        labels.push(("messaging_destination_partition_id", number));
        (labels, figures.tally.records)
    });
    page.counter("messaging_client_consumed_messages", "Records read.", consumed)?;
    let took = figures.process_seconds.iter();
    let took = took.map(|(topic, histogram)| (messaging("process", topic), histogram));
    page.histogram(
        "messaging_process_duration_seconds",
        "Time a worker took with the records of one batch.",
        took,
    )?;
    let by_topic = |count: fn(&PartitionFigures) -> u64| {
        let mut topics: BTreeMap<&str, u64> = BTreeMap::new();
        for (partition, figures) in &figures.partitions {
            *topics.entry(&partition.topic).or_default() += count(figures);
        }
        topics.into_iter().map(|(topic, count)| (vec![("topic", topic.to_owned())], count))
    };
    page.counter("dataward_events", "Events decoded.", by_topic(|f| f.tally.events))?;
    page.counter(
        "dataward_redelivered_records",
        "Records that came again and were dropped: their rows were there.",
        by_topic(|f| f.tally.redelivered),
    )?;
    page.counter(
        "dataward_duplicate_events",
        "Events whose uid had come before.",
        by_topic(|f| f.tally.duplicates),
    )?;
    page.counter(
        "dataward_late_events",
        "Events later than the lateness bound.",
        by_topic(|f| f.tally.late),
    )?;
    // Each reason and each cause from the start: the growth of a series that has just begun is none.
    let mut rejects: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (partition, figures) in &figures.partitions {
        for reason in QuarantineReason::ALL {
            rejects.entry((&*partition.topic, reason.as_str())).or_default();
        }
        for (reason, count) in &figures.tally.rejects {
            *rejects.entry((&*partition.topic, reason.as_str())).or_default() += count;
        }
    }
    let rejects = rejects.into_iter().map(|((topic, reason), count)| {
        (vec![("topic", topic.to_owned()), ("reason", reason.to_owned())], count)
    });
    page.counter("dataward_quarantined", "Parts kept in quarantine, by reason.", rejects)?;
    let gaps = GapCause::ALL.into_iter().map(|cause| {
        let count = figures.gap_offsets.get(&cause).copied().unwrap_or(0);
        (vec![("cause", cause.as_str().to_owned())], count)
    });
    page.counter("dataward_gap_offsets", "Offsets that will never have rows, by cause.", gaps)
}

/// How far the table is behind the log.
fn progress(page: &mut Page<'_>, figures: &Figures, now: IngestTime) -> fmt::Result {
    let owned = || figures.partitions.iter().filter(|(_, figures)| figures.is_owned);
    let lags = owned().filter_map(|(p, f)| Some((place(p), f.lag()? as f64)));
    page.gauge(
        "dataward_consumer_lag_records",
        "Offsets between the table's progress and the end of the log.",
        lags,
    )?;
    let lags = owned().filter_map(|(p, f)| Some((place(p), lag_seconds(f, now)?)));
    page.gauge(
        "dataward_consumer_lag_seconds",
        "Age of the newest record in the table, or 0 where the table has all.",
        lags,
    )?;
    let margins = owned().filter_map(|(p, f)| Some((place(p), f.margin()? as f64)));
    page.gauge(
        "dataward_retention_margin_records",
        "Offsets between the first one that Kafka still has and the table's progress.",
        margins,
    )?;
    let mut newest: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (partition, figures) in &figures.partitions {
        if let Some(time) = figures.newest.event {
            let seconds = newest.entry((&*partition.topic, figures.source)).or_insert(f64::MIN);
            *seconds = seconds.max(time.micros() as f64 / 1e6);
        }
    }
    let newest = newest.into_iter().map(|((topic, source), seconds)| {
        (vec![("topic", topic.to_owned()), ("source", source.to_owned())], seconds)
    });
    page.gauge(
        "dataward_source_last_event_timestamp_seconds",
        "Event time of the newest event that came into the table since the start.",
        newest,
    )?;
    page.one("dataward_partitions_assigned", "Partitions that are ours.", owned().count() as f64)?;
    page.one(
        "dataward_partitions_stopped",
        "Partitions that are not read: their log ends before the table's progress.",
        figures.stopped.len() as f64,
    )
}

fn lag_seconds(figures: &PartitionFigures, now: IngestTime) -> Option<f64> {
    if figures.lag()? == 0 {
        return Some(0.0);
    }
    let age = now.micros().saturating_sub(figures.newest.appended?.micros());
    Some(age.max(0) as f64 / 1e6)
}

/// Commits, snapshots, memory.
fn archive(page: &mut Page<'_>, figures: &Figures) -> fmt::Result {
    page.count("dataward_commits", "Checkpoints committed.", figures.commits)?;
    page.count(
        "dataward_commit_failures",
        "Attempts at a commit that failed and were tried again.",
        figures.commit_failures,
    )?;
    page.histogram(
        "dataward_commit_duration_seconds",
        "Time from the first attempt at a commit until it was in the table.",
        [(vec![], &figures.commit_seconds)].into_iter(),
    )?;
    let last = figures.last_commit.map(|time| (vec![], time.micros() as f64 / 1e6));
    page.gauge(
        "dataward_last_commit_timestamp_seconds",
        "When the last checkpoint was committed.",
        last.into_iter(),
    )?;
    page.histogram(
        "dataward_event_to_durable_seconds",
        "Time from the append of a record to its topic until its rows were in the table.",
        [(vec![], &figures.event_to_durable)].into_iter(),
    )?;
    page.count("dataward_written_files", "Files of rows committed.", figures.files_written)?;
    page.count("dataward_written_bytes", "Bytes of files of rows.", figures.bytes_written)?;
    page.count("dataward_snapshots", "Snapshots of state committed.", figures.snapshots)?;
    page.count("dataward_snapshot_bytes", "Bytes of snapshots.", figures.snapshot_bytes)?;
    page.histogram(
        "dataward_snapshot_duration_seconds",
        "Time for which a snapshot held up the loop.",
        [(vec![], &figures.snapshot_seconds)].into_iter(),
    )?;
    page.count(
        "dataward_fences",
        "How often another process took the archive or our place in the group.",
        figures.fences,
    )?;
    page.one(
        "dataward_buffered_bytes",
        "Memory of records, rows and the commit on the way.",
        figures.buffered_bytes as f64,
    )?;
    page.one(
        "dataward_buffer_limit_bytes",
        "The memory at which reading pauses.",
        figures.buffer_limit_bytes as f64,
    )?;
    page.one(
        "dataward_reading_paused",
        "1 while reading is paused.",
        f64::from(u8::from(figures.is_paused)),
    )?;
    let census = figures.census;
    let datastores = census.map(|census| (vec![], census.datastores as f64));
    page.gauge(
        "dataward_keeper_datastores",
        "Datastores that the keeper knows, as of the last snapshot.",
        datastores.into_iter(),
    )?;
    let open = census.map(|census| (vec![], census.open_windows as f64));
    page.gauge(
        "dataward_keeper_open_windows",
        "Windows that are open, as of the last snapshot.",
        open.into_iter(),
    )
}

/// What the detector of unusual reads knows, leaves out, and says.
fn unusual_reads(page: &mut Page<'_>, figures: &Figures) -> fmt::Result {
    let owned = || figures.partitions.iter().filter(|(_, figures)| figures.is_owned);
    page.gauge(
        "dataward_read_actors",
        "Actors whose reads are known, as of the last checkpoint.",
        owned().map(|(p, f)| (place(p), f.reads.sizes.actors as f64)),
    )?;
    page.gauge(
        "dataward_read_pairs",
        "Pairs of actor and datastore whose reads are known, as of the last checkpoint.",
        owned().map(|(p, f)| (place(p), f.reads.sizes.pairs as f64)),
    )?;
    let left_out = owned().flat_map(|(partition, figures)| {
        let counts = figures.reads.counts;
        let causes =
            [("late", counts.late), ("ahead", counts.ahead), ("forgotten", counts.forgotten)];
        causes.map(|(cause, count)| {
            let mut labels = place(partition);
            labels.push(("cause", cause.to_owned()));
            (labels, count)
        })
    });
    page.counter(
        "dataward_reads_left_out",
        "Reads that taught nothing since they were a day late or a month ahead, and keys that were forgotten for want of room.",
        left_out,
    )?;
    let judged = figures.judged_days();
    let of = |channel: &str| ("channel", channel.to_owned());
    page.counter(
        "dataward_read_days",
        "Days of actors that were judged.",
        judged.iter().map(|judged| (vec![of(judged.channel)], judged.days)),
    )?;
    let rarer = judged.iter().flat_map(|judged| {
        let shares = judged.rarer.iter();
        shares
            .map(|(share, count)| (vec![of(judged.channel), ("share", share.to_string())], *count))
    });
    page.counter(
        "dataward_read_days_rarer",
        "Days of actors whose score says that at most this share of days is like them.",
        rarer,
    )
}

/// Alerts and sinks.
fn alerts(page: &mut Page<'_>, figures: &Figures, now: IngestTime) -> fmt::Result {
    let raised = figures.alerts.iter().map(|((rule, severity), count)| {
        let rule = ("rule", rule.as_str().to_owned());
        (vec![rule, ("severity", severity.as_str().to_owned())], *count)
    });
    page.counter("dataward_alerts", "Statements raised.", raised)?;
    let sinks = || {
        let sinks = figures.sinks.iter();
        sinks.map(|(name, figures)| (vec![("sink", name.clone())], figures))
    };
    let latencies = sinks().map(|(labels, sink)| (labels, &sink.event_to_alert));
    page.histogram(
        "dataward_event_to_alert_seconds",
        "Time from the append of a record to its topic until the sink had its alert safe.",
        latencies,
    )?;
    page.gauge(
        "dataward_sink_queue_alerts",
        "Alerts waiting for the sink.",
        sinks().map(|(labels, sink)| (labels, sink.waiting as f64)),
    )?;
    let ages = sinks().map(|(labels, sink)| {
        let oldest = sink.oldest_waiting.unwrap_or(now);
        let micros = now.micros().saturating_sub(oldest.micros()).max(0);
        (labels, micros as f64 / 1e6)
    });
    page.gauge(
        "dataward_sink_oldest_undelivered_seconds",
        "Age of the oldest alert waiting for the sink, or 0.",
        ages,
    )?;
    page.counter(
        "dataward_sink_delivered_alerts",
        "Alerts that the sink has safe.",
        sinks().map(|(labels, sink)| (labels, sink.delivered)),
    )?;
    page.counter(
        "dataward_sink_failures",
        "Attempts to deliver that failed.",
        sinks().map(|(labels, sink)| (labels, sink.failures)),
    )
}

impl Published {
    /// What the health endpoints say.
    fn state(&self, page: &mut Page<'_>, figures: &Figures) -> fmt::Result {
        let (readiness, _) = health::readiness(&self.metrics);
        let flag = |is_so| f64::from(u8::from(is_so));
        page.one(
            "dataward_ready",
            "1 while it does its work.",
            flag(readiness == Readiness::Ready),
        )?;
        page.one(
            "dataward_standby",
            "1 while it waits for another process.",
            flag(readiness == Readiness::Standby),
        )?;
        let answers = figures.source_answers.map(|answers| (vec![], flag(answers)));
        page.gauge("dataward_kafka_reachable", "1 while a broker answers.", answers.into_iter())?;
        page.one(
            "dataward_heartbeat_age_seconds",
            "Time since the loop's last sign of life.",
            self.metrics.since_beat().as_secs_f64(),
        )
    }

    fn process(&self, page: &mut Page<'_>) -> fmt::Result {
        let process = self.process.figures();
        let one = |value: Option<f64>| value.map(|value| (vec![], value)).into_iter();
        let cpu = process.map(|p| (vec![], p.cpu_seconds));
        page.counter_of_seconds("process_cpu_seconds", "CPU time used.", cpu.into_iter())?;
        page.gauge(
            "process_resident_memory_bytes",
            "Resident memory.",
            one(process.map(|p| p.resident_bytes as f64)),
        )?;
        page.gauge(
            "process_start_time_seconds",
            "When the process was started.",
            one(process.map(|p| p.start_seconds as f64)),
        )?;
        page.gauge(
            "process_open_fds",
            "Open files.",
            one(process.and_then(|p| p.open_files).map(|count| count as f64)),
        )?;
        page.gauge(
            "process_max_fds",
            "How many files may be open.",
            one(process.and_then(|p| p.open_files_max).map(|count| count as f64)),
        )?;
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        page.gauge("dataward_build_info", "The release: always 1.", [(version, 1.0)].into_iter())
    }
}

fn place(partition: &Partition) -> Labels {
    vec![("topic", partition.topic.to_string()), ("partition", partition.number.to_string())]
}

fn messaging(operation: &str, topic: &str) -> Labels {
    vec![
        ("messaging_system", "kafka".to_owned()),
        ("messaging_operation_name", operation.to_owned()),
        ("messaging_destination_name", topic.to_owned()),
    ]
}

/// The text in the making.
struct Page<'e> {
    encoder: DescriptorEncoder<'e>,
}

impl Page<'_> {
    fn counter(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            let mut sample = family.encode_family(&labels)?;
            sample.encode_counter::<NoLabelSet, u64, u64>(&value, None)?;
        }
        Ok(())
    }

    fn counter_of_seconds(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            let mut sample = family.encode_family(&labels)?;
            sample.encode_counter::<NoLabelSet, f64, f64>(&value, None)?;
        }
        Ok(())
    }

    fn count(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counter(name, help, [(vec![], value)].into_iter())
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn one(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauge(name, help, [(vec![], value)].into_iter())
    }

    fn histogram<'h>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = (Labels, &'h Histogram)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, histogram) in samples {
            let buckets: Vec<(f64, u64)> = histogram.buckets().collect();
            let mut sample = family.encode_family(&labels)?;
            sample.encode_histogram::<NoLabelSet>(
                histogram.sum(),
                histogram.count(),
                &buckets,
                None,
            )?;
        }
        Ok(())
    }
}
