//! `doctor`: looks at everything that a run needs before it hurts, and changes nothing.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use dataward_archive::delta_archive::DeltaArchive;
use dataward_detect::context::Context;
use dataward_kafka::checkup::{Plan, TopicPlan};
use dataward_kafka::schema_registry::{Address, SchemaRegistry};
use dataward_pipeline::checkup::{Check, Verdict};
use dataward_pipeline::restore;
use serde_json::{Value, json};

use crate::args::Doctor;
use crate::config::{Config, SinkConfig};
use crate::exit::{Exit, Failure, Outcome};
use crate::{output, wiring};

/// How many names a note lists.
const NAMES_MAX: usize = 10;

/// Runs the command.
pub(crate) fn run(args: &Doctor, path: Option<&Path>) -> Outcome {
    let Some(path) = path else {
        return Err(Failure::text(Exit::Usage, "doctor needs --config FILE"));
    };
    let config = Config::load(path)?;
    let target = path.display().to_string();
    let mut checks = vec![Check::ok("config.file", target, "every key is known")];
    checks.extend(config.secret_files.iter().map(|file| secret(file)));
    let topics = config.topics.iter().filter_map(|(name, _)| {
        let source = config.settings.topic(name)?.source;
        Some(TopicPlan { name, source, is_keyed: !config.unkeyed.contains(name) })
    });
    let alert_topics = config.sinks.iter().filter_map(|sink| match sink {
        SinkConfig::Kafka { topic, .. } => Some(topic.as_str()),
        _ => None,
    });
    let kafka = dataward_kafka::checkup::checkup(&Plan {
        properties: &config.kafka,
        topics: topics.collect(),
        alert_topics: alert_topics.collect(),
        snapshot_interval: config.settings.snapshot_interval,
        now: wiring::clock().now(),
    });
    checks.extend(kafka.checks);
    let archive = dataward_archive::checkup::checkup(&config.archive, kafka.bytes_per_day);
    checks.extend(archive.checks);
    checks.extend(archive.archive.and_then(|archive| context(archive, &config)));
    checks.extend(config.sinks.iter().filter_map(sink));
    checks.extend(config.registries.iter().map(|(topic, address)| registry(topic, address)));
    checks.extend(config.listen.map(|address| match TcpListener::bind(address) {
        Ok(_) => Check::ok("server.listen", address.to_string(), "the port is free"),
        Err(error) => {
            let text = format!("cannot be listened at: {error}");
            let advice = "as it should be while Dataward runs; otherwise name another port, or use run --listen";
            Check::found(Verdict::Warning, "server.listen", address.to_string(), text, advice)
        }
    }));
    let rows: Vec<Value> = checks.iter().map(row).collect();
    output::print_rows(args.format, &["verdict", "check", "target", "text", "advice"], &rows)?;
    let has_problem = checks.iter().any(|check| check.verdict == Verdict::Problem);
    Ok(if has_problem { Exit::Findings } else { Exit::Done })
}

fn row(check: &Check) -> Value {
    json!({
        "verdict": check.verdict.as_str(),
        "check": check.name,
        "target": check.target,
        "text": check.text,
        "advice": (!check.advice.is_empty()).then_some(&check.advice),
    })
}

/// A secret is for its user alone.
fn secret(file: &Path) -> Check {
    let target = file.display().to_string();
    let mode = std::fs::metadata(file).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 == 0 {
        return Check::ok("config.secret", target, "only its user may read it");
    }
    let text = format!("its mode is {mode:o}: others than its user may read it");
    Check::found(Verdict::Warning, "config.secret", target, text, "chmod 600 it")
}

fn registry(topic: &str, address: &Address) -> Check {
    let registry = SchemaRegistry::new(address.clone(), Arc::default());
    match registry.check() {
        Ok(()) => Check::ok("schema_registry", topic, format!("{} answers", address.url)),
        Err(reason) => {
            let text = format!("{} does not answer as it should: {reason}", address.url);
            let advice = "check its url and credentials; records in Avro or Protobuf wait for it";
            Check::found(Verdict::Problem, "schema_registry", topic, text, advice)
        }
    }
}

fn sink(sink: &SinkConfig) -> Option<Check> {
    let SinkConfig::File { name, path } = sink else { return None };
    Some(match dataward_feed::ndjson_file::check(path) {
        Ok(()) => Check::ok("sink.file", name, format!("{} can be written", path.display())),
        Err(error) => {
            let text = format!("{} cannot be written: {error}", path.display());
            let advice = "make its folder, and give the user of the process the right to write";
            Check::found(Verdict::Problem, "sink.file", name, text, advice)
        }
    })
}

/// Datastores that the context names and the archive has never heard of: a slip of the pen, often.
fn context(mut archive: DeltaArchive, config: &Config) -> Option<Check> {
    let context: &Arc<Context> = config.settings.context.as_ref()?;
    if context.datastores.is_empty() {
        return None;
    }
    let target = "[context]";
    let keeper = match restore::keeper(&mut archive, None) {
        Ok((keeper, _)) => keeper,
        Err(error) => {
            let text = format!("the archive cannot be asked for its datastores: {error}");
            return Some(Check::found(Verdict::Warning, "context.datastores", target, text, ""));
        }
    };
    let unknown = keeper.unknown_to(context);
    Some(if unknown.is_empty() {
        let text = format!("the archive knows all {}", context.datastores.len());
        Check::ok("context.datastores", target, text)
    } else {
        let more = if unknown.len() > NAMES_MAX { ", …" } else { "" };
        let names: Vec<&str> = unknown.iter().take(NAMES_MAX).copied().collect();
        let text = format!("the archive has never heard of {}{more}", names.join(", "));
        let advice =
            "check the spelling; a datastore of which nothing was audited yet is no mistake";
        Check::found(Verdict::Note, "context.datastores", target, text, advice)
    })
}
