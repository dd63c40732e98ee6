//! `run`: consume, archive, detect, deliver, until told to stop.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dataward_archive::lease::{self, Waited};
use dataward_kafka::source::{KafkaSource, Subscription};
use dataward_pipeline::clock::Clock;
use dataward_pipeline::metrics::{Activity, Metrics};
use dataward_pipeline::record_source::SourceError;
use dataward_pipeline::runner::Ended;
use dataward_server::server::Server;

use crate::args::Run;
use crate::config::Config;
use crate::context_file::ContextFile;
use crate::exit::{Exit, Failure, Outcome};
use crate::wiring;

/// How often a standby looks at the lease.
const STANDBY_POLL: Duration = Duration::from_millis(250);

/// Runs the command.
pub(crate) fn run(args: &Run, config: Option<&Path>) -> Outcome {
    let Some(path) = config else {
        let text = "run needs --config FILE; `dataward schema config` prints a commented one";
        return Err(Failure::text(Exit::Usage, text));
    };
    let mut config = Config::load(path)?;
    if let Some(archive) = &args.archive {
        config.archive.clone_from(archive);
    }
    for topic in &config.unkeyed {
        tracing::warn!(topic, "not keyed by actor: what is learned of an actor is split");
    }
    let stop = wiring::stop_flag()?;
    let clock = wiring::clock();
    let metrics = Arc::new(Metrics::new(Arc::clone(&clock)));
    let _server = serve(args.listen.or(config.listen), &metrics)?;
    let context = config.context_file.clone().map(|path| {
        let latest = config.settings.context.clone().unwrap_or_default();
        Rc::new(RefCell::new(ContextFile::new(path, latest)))
    });
    let process = Process { config, context, stop, clock, metrics };
    loop {
        match lead(&process)? {
            Some(exit) => return Ok(exit),
            None => tracing::warn!("starting again from what the table says"),
        }
    }
}

/// What stays, however often it begins again.
struct Process {
    config: Config,
    context: Option<Rc<RefCell<ContextFile>>>,
    stop: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

/// Serves metrics and health, if anybody wants them. From the beginning: a standby has them, too.
fn serve(address: Option<SocketAddr>, metrics: &Arc<Metrics>) -> Result<Option<Server>, Failure> {
    let Some(address) = address else { return Ok(None) };
    let server = Server::start(address, Arc::clone(metrics)).map_err(|error| {
        let text = format!("failed to serve metrics and health at {address}: {error}");
        Failure::text(Exit::World, text)
    })?;
    tracing::info!(url = format!("http://{}", server.address()), "serving metrics and health");
    Ok(Some(server))
}

/// Waits for the archive to be free, and runs on it. `None`: begin again.
fn lead(process: &Process) -> Result<Option<Exit>, Failure> {
    let Process { config, stop, metrics, .. } = process;
    metrics.set_activity(Activity::Starting);
    // Opened first: a foreign or damaged archive is told before anybody waits for it.
    drop(wiring::open_archive(&config.archive, stop)?);
    let holder = lease::holder(&config.archive).filter(|holder| !holder.is_released);
    if let Some(holder) =
        holder.filter(|holder| !wiring::is_dead_process_of_this_host(&holder.owner))
    {
        tracing::info!(holder = holder.owner, "the archive is in use: standing by");
        metrics.set_activity(Activity::Standby { holder: holder.owner });
        let waited = lease::wait_until_free(&config.archive, lease::PATIENCE, STANDBY_POLL, stop)?;
        if waited == Waited::Stopped {
            return Ok(Some(Exit::Done));
        }
        metrics.set_activity(Activity::Starting);
    }
    let keepalive = wiring::keep_lease(&config.archive)?;
    let ended = consume(process);
    drop(keepalive);
    ended
}

fn consume(process: &Process) -> Result<Option<Exit>, Failure> {
    let Process { config, context, stop, clock, metrics } = process;
    let archive = wiring::open_archive(&config.archive, stop)?;
    let mut properties = config.kafka.clone();
    // The successor takes the place in the group at once.
    let member = format!("dataward-{}", archive.archive_id());
    properties.entry("group.instance.id".to_owned()).or_insert(member);
    let origin = format!("dataward/{}", archive.archive_id());
    let sinks = wiring::sinks(&config.sinks, &config.kafka, &origin)?;
    let subscription = Subscription { topics: &config.topics, properties: &properties };
    let brokers = config.kafka.get("bootstrap.servers").map(String::as_str);
    tracing::info!(brokers, "connecting to Kafka");
    metrics.set_activity(Activity::Connecting);
    let source = match KafkaSource::connect(&subscription, Arc::clone(clock), Arc::clone(stop)) {
        Err(SourceError::Stopped) => {
            tracing::info!("stopped before a broker answered: nothing was read");
            return Ok(Some(Exit::Done));
        }
        connected => connected?,
    };
    metrics.set_activity(Activity::Starting);
    let topics: Vec<&str> = config.topics.iter().map(|(name, _)| name.as_str()).collect();
    tracing::info!(archive = %config.archive.display(), topics = topics.join(","), "running");

    let mut settings = config.settings.clone();
    if let Some(file) = context {
        settings.context = Some(Arc::clone(file.borrow().latest()));
    }
    wiring::join_registries(&mut settings, &config.registries, stop);
    let clock = Arc::clone(clock);
    let runner = wiring::runner(source, archive, config.workers, sinks, settings, clock)?;
    let mut runner = runner.measured(Arc::clone(metrics));
    if let Some(file) = context.clone() {
        runner = runner.informed(move || file.borrow_mut().ask());
    }
    let ended = runner.run(stop)?;
    let tally = runner.status().tally.clone();
    tracing::info!(
        records = tally.records,
        events = tally.events,
        quarantined = tally.faults(),
        late = (tally.late > 0).then_some(tally.late),
        alerts = tally.alerts,
        commits = tally.commits,
        "stopped"
    );
    if !runner.stopped().is_empty() {
        for reason in runner.stopped().values() {
            eprintln!("error: {reason}");
        }
        return Ok(Some(Exit::Broken));
    }
    match ended {
        Ended::Fenced | Ended::GaveUp if !stop.load(Ordering::Relaxed) => Ok(None),
        Ended::Fenced | Ended::GaveUp | Ended::Stopped | Ended::SourceEnded => Ok(Some(Exit::Done)),
    }
}
