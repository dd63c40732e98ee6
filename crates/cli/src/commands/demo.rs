//! `demo`: the whole product in one process, with a Kafka cluster embedded in it.

mod screen;
mod traffic;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dataward_archive::delta_archive::Options;
use dataward_kafka::embedded::EmbeddedCluster;
use dataward_kafka::source::{KafkaSource, Subscription};
use dataward_pipeline::settings::{RawPolicy, TopicSettings};
use dataward_pipeline::tally::Tally;
use dataward_sources::source::Source;

use crate::args::Demo;
use crate::exit::{Exit, Failure, Outcome};
use crate::{config, wiring};
use screen::{Screen, Sent};

/// The topic of the demo.
const TOPIC: &str = "audit.cloudtrail";
/// Its partitions: the embedded cluster keeps little in each.
const PARTITIONS: i32 = 16;

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
    cluster.create_topic(TOPIC, PARTITIONS).map_err(kafka)?;
    let brokers = cluster.bootstrap_servers();
    screen::begin(&brokers, &archive_path)?;

    let stop = wiring::stop_flag()?;
    let sent = Arc::new(Sent::default());
    let produced = Arc::new(AtomicU64::new(0));
    let producing = traffic::start(args, &brokers, &sent, &produced, &stop)?;
    let consumed = consume(&archive_path, &brokers, &sent, &produced, &stop);
    // Whatever ended the consumer also ends the producer.
    stop.store(true, Ordering::Relaxed);
    let production = producing.join();
    let tally = consumed?;
    match production {
        Ok(result) => result.map_err(|e| Failure::text(Exit::World, e))?,
        Err(_) => return Err(Failure::text(Exit::World, "the producer of the demo has died")),
    }
    finish(&archive_path, &tally, &sent)
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
    sent: &Arc<Sent>,
    produced: &Arc<AtomicU64>,
    stop: &Arc<AtomicBool>,
) -> Result<Tally, Failure> {
    let lease = wiring::take_lease(path, "fill the archive")?;
    let archive = wiring::open_archive(path)?;
    let clock = wiring::clock();
    let properties = [("bootstrap.servers", brokers), ("group.id", "dataward-demo")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let topics = [(TOPIC.to_owned(), 0)];
    let subscription = Subscription { topics: &topics, properties: &properties };
    let source = KafkaSource::connect(&subscription, Arc::clone(&clock))?;
    let topic = TopicSettings { source: Source::AwsCloudtrail, raw: RawPolicy::All };
    let mut settings = config::default_settings([(TOPIC.to_owned(), topic)].into());
    settings.flush_interval = std::time::Duration::from_secs(1);

    let sink = Box::new(Screen::new(Arc::clone(sent)));
    let workers = config::worker_count(0);
    let (produced, is_done) = (Arc::clone(produced), Arc::clone(stop));
    let mut runner = wiring::runner(source, archive, workers, vec![sink], settings, clock)?
        .watched(move |status| {
            let committed: i64 = status.committed.iter().map(|(_, next)| next.0).sum();
            let total = produced.load(Ordering::Relaxed);
            if total > 0 && u64::try_from(committed).is_ok_and(|done| done >= total) {
                is_done.store(true, Ordering::Relaxed);
            }
        });
    runner.run(stop)?;
    drop(lease);
    Ok(runner.status().tally.clone())
}

fn finish(path: &Path, tally: &Tally, sent: &Sent) -> Outcome {
    screen::summary(path, tally, sent)?;
    let report = dataward_archive::verify::verify(path, &Options::default(), &mut |_| {})?;
    let is_whole = report.is_sound();
    screen::verified(path, &report)?;
    Ok(if is_whole { Exit::Done } else { Exit::Broken })
}
