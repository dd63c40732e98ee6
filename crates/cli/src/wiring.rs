//! Putting the parts of a running system together.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use dataward_archive::delta_archive::{DeltaArchive, Options};
use dataward_archive::lease::{self, Keepalive, LeaseInfo};
use dataward_feed::ndjson_file::NdjsonFileSink;
use dataward_feed::stream::StreamSink;
use dataward_kafka::config::Properties;
use dataward_kafka::schema_registry::{Address, SchemaRegistry};
use dataward_kafka::sink::KafkaAlertSink;
use dataward_pipeline::alert_sink::AlertSink;
use dataward_pipeline::archive::Archive;
use dataward_pipeline::clock::{Clock, SystemClock};
use dataward_pipeline::outbox::Outbox;
use dataward_pipeline::record_source::RecordSource;
use dataward_pipeline::runner::Runner;
use dataward_pipeline::settings::Settings;
use dataward_pipeline::workers::Workers;
use dataward_pipeline::writer::Writer;
use dataward_query::engine::{self, Engine};
use dataward_query::limits::Limits;

use crate::args::Asking;
use crate::config::SinkConfig;
use crate::exit::{Exit, Failure};

/// The system's clock, shared by all parts.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::start())
}

/// A flag that SIGTERM and SIGINT set. A second signal ends the process at once.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// Opens an archive for writing, creating it if there is none.
pub(crate) fn open_archive(path: &Path, stop: &Arc<AtomicBool>) -> Result<DeltaArchive, Failure> {
    let options = Options { stop: Some(Arc::clone(stop)), ..Options::default() };
    Ok(DeltaArchive::open(path, &options)?)
}

/// Opens an archive that is there, to read it.
pub(crate) fn read_archive(path: &Path) -> Result<DeltaArchive, Failure> {
    must_exist(path)?;
    Ok(DeltaArchive::open_read_only(path, &Options::default())?)
}

/// Opens an archive to ask it questions.
pub(crate) fn engine(asking: &Asking) -> Result<Engine, Failure> {
    must_exist(&asking.archive)?;
    let limits = Limits {
        max_rows: asking.max_rows,
        timeout: Duration::from_secs(asking.timeout),
        memory_bytes: usize::try_from(asking.memory_megabytes << 20).unwrap_or(usize::MAX),
        stop: stop_flag()?,
    };
    let options =
        engine::Options { version: asking.version, is_thorough: !asking.trust_files, limits };
    Ok(Engine::open(&asking.archive, &options)?)
}

/// Refuses a place where no archive ever was: one whose folder is gone but whose state is there is a broken promise,
/// and no bad input.
pub(crate) fn must_exist(archive: &Path) -> Result<(), Failure> {
    let mut state = archive.as_os_str().to_owned();
    state.push(".state");
    if archive.join("_delta_log").is_dir() || Path::new(&state).exists() {
        return Ok(());
    }
    Err(Failure::text(Exit::Input, format!("there is no archive at {}", archive.display())))
}

/// Takes the lease of an archive, or says who holds it.
pub(crate) fn take_lease(path: &Path, deed: &str) -> Result<Keepalive, Failure> {
    let holder = lease::holder(path).filter(|holder| !holder.is_released);
    if let Some(holder) = holder.filter(|holder| !is_dead_process_of_this_host(&holder.owner)) {
        tracing::info!(holder = holder.owner, "the archive is in use: looking whether that lives");
        if is_alive(path, &holder) {
            let archive = path.display();
            let text = format!("failed to {deed}: {archive} is in use by {}", holder.owner);
            return Err(Failure::text(Exit::World, text));
        }
    }
    keep_lease(path)
}

/// Takes the lease of an archive that is free.
pub(crate) fn keep_lease(path: &Path) -> Result<Keepalive, Failure> {
    let epoch = lease::holder(path).map_or(0, |holder| holder.epoch) + 1;
    Ok(Keepalive::start(path, &owner_name(), epoch, lease::REWRITE_EVERY)?)
}

/// Whether a holder rewrites its lease, looked at for as long as a standby would.
fn is_alive(path: &Path, seen: &LeaseInfo) -> bool {
    let until = Instant::now() + lease::PATIENCE;
    while Instant::now() < until {
        std::thread::park_timeout(Duration::from_millis(200));
        match lease::holder(path) {
            Some(now) if now.is_released => return false,
            Some(now) if now != *seen => return true,
            Some(_) => {}
            None => return false,
        }
    }
    false
}

/// A process of this host that is gone cannot come back: nobody need wait for it. (A wrong guess is harmless: the claim
/// in the table decides.)
pub(crate) fn is_dead_process_of_this_host(owner: &str) -> bool {
    let ours = owner_name();
    let (Some((host, _)), Some((their_host, process))) =
        (ours.rsplit_once('/'), owner.rsplit_once('/'))
    else {
        return false;
    };
    host == their_host
        && Path::new("/proc/self").exists()
        && !Path::new("/proc").join(process).exists()
}

/// A name for this process in leases: host and process id.
pub(crate) fn owner_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "localhost" } else { host.trim() };
    format!("{host}/{}", std::process::id())
}

/// The sinks of a configuration.
pub(crate) fn sinks(
    configs: &[SinkConfig],
    kafka: &Properties,
    origin: &str,
) -> Result<Vec<Box<dyn AlertSink>>, Failure> {
    let mut sinks: Vec<Box<dyn AlertSink>> = Vec::new();
    for config in configs {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::text(Exit::World, format!("failed to open sink {}: {error}", config.name()))
        };
        sinks.push(match config {
            SinkConfig::Stdout { name } => Box::new(StreamSink::new(name, std::io::stdout())),
            SinkConfig::File { name, path } => {
                let place = |error: std::io::Error| failed(&format!("{}: {error}", path.display()));
                Box::new(NdjsonFileSink::open(name, path).map_err(place)?)
            }
            SinkConfig::Kafka { name, topic } => Box::new(
                KafkaAlertSink::new(name, topic, origin, kafka).map_err(|error| failed(&error))?,
            ),
        });
    }
    Ok(sinks)
}

/// The loop on threads: `workers` of them, a writer, and one for each sink.
pub(crate) fn runner<S: RecordSource, A: Archive + Send + 'static>(
    source: S,
    archive: A,
    workers: usize,
    sinks: Vec<Box<dyn AlertSink>>,
    settings: Settings,
    clock: Arc<dyn Clock>,
) -> Result<Runner<S, A>, Failure> {
    let rows = (0..workers).map(|_| archive.rows()).collect();
    let workers = Workers::threads(rows, &clock)?;
    let outbox = Outbox::threads(sinks, &clock)?;
    let writer = Writer::thread(archive)?;
    Ok(Runner::new(source, writer, workers, outbox, settings, clock))
}

/// Tells the topics where the schemas of their records stand. Topics of one registry share what is fetched from it.
pub(crate) fn join_registries(
    settings: &mut Settings,
    registries: &[(String, Address)],
    stop: &Arc<AtomicBool>,
) {
    let mut known: Vec<(&Address, Arc<SchemaRegistry>)> = Vec::new();
    for (topic, address) in registries {
        let shared = known.iter().find(|(other, _)| *other == address).map(|(_, r)| Arc::clone(r));
        let registry = shared.unwrap_or_else(|| {
            let registry = Arc::new(SchemaRegistry::new(address.clone(), Arc::clone(stop)));
            known.push((address, Arc::clone(&registry)));
            registry
        });
        if let Some(topic) = settings.topics.get_mut(topic) {
            topic.schemas = Some(registry);
        }
    }
}
