//! `demo`: the whole product in one process, with a Kafka cluster embedded in it.

mod screen;
mod style;
mod summary;
mod telling;
mod witness;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::exposures::Withdrawn;
use dataward_event::change::WindowKind;
use dataward_kafka::embedded::EmbeddedCluster;
use dataward_kafka::source::{KafkaSource, Subscription};
use dataward_pipeline::settings::{ListeningSettings, RawPolicy, TopicSettings};
use dataward_pipeline::tally::Tally;
use dataward_simulation::chronicle::{CLOUDTRAIL_TOPIC, CONTEXT, OCSF_TOPIC, SEARCH_TOPIC};
use dataward_sources::source::Source;

use crate::args::Demo;
use crate::exit::{Exit, Failure, Outcome};
use crate::{config, wiring};
use screen::Screen;
use style::Style;
use summary::Summary;
use witness::Witness;

/// The topics of the demo, and what is in them.
const TOPICS: [(&str, Source); 3] = [
    (CLOUDTRAIL_TOPIC, Source::AwsCloudtrail),
    (OCSF_TOPIC, Source::Ocsf),
    (SEARCH_TOPIC, Source::ElasticsearchAudit),
];
/// Partitions of each. Where weeks go by in seconds, partitions that are milliseconds apart would be hours apart in
/// event time, and half of the story would come late.
const PARTITIONS: i32 = 1;

/// How long the loop waits before it takes a partition for silent.
const MOMENT: Duration = Duration::from_millis(100);

/// Runs the command.
pub(crate) fn run(args: &Demo) -> Outcome {
    let data_dir = data_dir(args)?;
    let archive_path = data_dir.join("archive");
    if archive_path.exists() {
        // The embedded cluster begins at offset 0 again: an older archive would be ahead of it.
        let text = format!("{} exists: choose a new --data-dir", archive_path.display());
        return Err(Failure::text(Exit::Usage, text));
    }
    let kafka = |error| Failure::text(Exit::World, format!("failed to start Kafka: {error}"));
    let cluster = EmbeddedCluster::start().map_err(kafka)?;
    for (topic, _) in TOPICS {
        cluster.create_topic(topic, PARTITIONS).map_err(kafka)?;
    }
    let brokers = cluster.bootstrap_servers();
    screen::begin(&brokers, &archive_path)?;

    let stop = wiring::stop_flag()?;
    let witness = Arc::new(Witness::default());
    let produced = Arc::new(AtomicU64::new(0));
    let producing = telling::start(args, &brokers, &witness, &produced, &stop)?;
    let consumed = consume(&archive_path, &brokers, &witness, &produced, &stop);
    // Whatever ended the consumer also ends the producer.
    stop.store(true, Ordering::Relaxed);
    let production = producing.join();
    let tally = consumed?;
    match production {
        Ok(result) => result.map_err(|e| Failure::text(Exit::World, e))?,
        Err(_) => return Err(Failure::text(Exit::World, "the producer of the demo has died")),
    }
    finish(&archive_path, &tally, &witness)
}

fn data_dir(args: &Demo) -> Result<PathBuf, Failure> {
    if let Some(folder) = &args.data_dir {
        std::fs::create_dir_all(folder)?;
        return Ok(folder.clone());
    }
    let folder = std::env::temp_dir().join(format!("dataward-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs the loop until everything that was produced is in the table.
fn consume(
    path: &Path,
    brokers: &str,
    witness: &Arc<Witness>,
    produced: &Arc<AtomicU64>,
    stop: &Arc<AtomicBool>,
) -> Result<Tally, Failure> {
    let lease = wiring::take_lease(path, "fill the archive")?;
    let archive = wiring::open_archive(path, stop)?;
    let clock = wiring::clock();
    // A broker answers a waiting consumer when there is something; the embedded one only when the wait is over.
    let properties = [
        ("bootstrap.servers", brokers),
        ("group.id", "dataward-demo"),
        ("fetch.wait.max.ms", "10"),
    ];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let topics = TOPICS.map(|(topic, _)| (topic.to_owned(), 0));
    let subscription = Subscription { topics: &topics, properties: &properties };
    let source = KafkaSource::connect(&subscription, Arc::clone(&clock), Arc::clone(stop))?;
    let bound = TOPICS
        .map(|(topic, source)| (topic.to_owned(), TopicSettings::new(source, RawPolicy::All)));
    let mut settings = config::default_settings(bound.into());
    settings.flush_interval = Duration::from_secs(1);
    // Where hours go by in a blink, what is silent shall be told of before its days are over.
    settings.listening = ListeningSettings { answering: MOMENT, fetching: MOMENT };
    let context = config::parse_context(CONTEXT).map_err(|e| Failure::text(Exit::Usage, e))?;
    settings.context = Some(Arc::new(context));

    let sink = Box::new(Screen::new(Arc::clone(witness)));
    let workers = config::worker_count(0);
    let witness = Arc::clone(witness);
    let (produced, is_done) = (Arc::clone(produced), Arc::clone(stop));
    let mut runner = wiring::runner(source, archive, workers, vec![sink], settings, clock)?
        .watched(move |status| {
            let committed: i64 = status.committed.iter().map(|(_, next)| next.0).sum();
            let committed = u64::try_from(committed).unwrap_or(0);
            witness.commit(committed);
            let total = produced.load(Ordering::Relaxed);
            if total > 0 && committed >= total {
                is_done.store(true, Ordering::Relaxed);
            }
        });
    runner.run(stop)?;
    drop(lease);
    Ok(runner.status().tally.clone())
}

fn finish(archive: &Path, tally: &Tally, witness: &Witness) -> Outcome {
    let report = dataward_archive::verify::verify(archive, &Options::default(), &mut |_| {})?;
    let windows = DeltaArchive::open_read_only(archive, &Options::default())?
        .exposures(Withdrawn::Dropped)?
        .into_iter()
        .map(|row| row.exposure)
        .filter(|exposure| exposure.window_kind == WindowKind::Confidentiality)
        .collect::<Vec<_>>();
    let summary = Summary { exposures: &windows, witness, tally, report: &report, archive };
    style::show(&summary.text(Style::of_stdout()))?;
    Ok(if report.is_sound() { Exit::Done } else { Exit::Broken })
}
