//! The configuration: what was written, then what it means. All resolving is here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dataward_detect::context::Context;
use dataward_event::time::KafkaTime;
use dataward_kafka::config::Properties;
use dataward_kafka::schema_registry::Address;
use dataward_pipeline::settings::{
    ListeningSettings, OnGap, RawPolicy, Settings, StartAt, TopicSettings,
};
use dataward_sources::mapping::Mapping;
use dataward_sources::source::Source;
use serde::Deserialize;

use crate::exit::{Exit, Failure};

/// The commented default: the reference of all keys.
pub(crate) const DEFAULT: &str = include_str!("../default-config.toml");

/// A commented context file: the reference of all keys.
pub(crate) const CONTEXT: &str = include_str!("../default-context.toml");

/// Settings of librdkafka that hold secrets: never written in a configuration file.
const SECRETS: [&str; 5] = [
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.client.secret",
];

/// What the configuration means.
#[derive(Debug)]
pub(crate) struct Config {
    /// The archive.
    pub(crate) archive: PathBuf,
    /// The loop.
    pub(crate) settings: Settings,
    /// Threads that decode and detect.
    pub(crate) workers: usize,
    /// librdkafka's settings.
    pub(crate) kafka: Properties,
    /// The topics and their incarnations.
    pub(crate) topics: Vec<(String, u32)>,
    /// The topics that are not keyed by actor.
    pub(crate) unkeyed: Vec<String>,
    /// Where alerts go.
    pub(crate) sinks: Vec<SinkConfig>,
    /// Where metrics and health are served; `None`: nowhere.
    pub(crate) listen: Option<SocketAddr>,
    /// The schema registries of topics, by the topics' names.
    pub(crate) registries: Vec<(String, Address)>,
    /// The files that secrets were read from.
    pub(crate) secret_files: Vec<PathBuf>,
    /// The context file, if there is one.
    pub(crate) context_file: Option<PathBuf>,
}

/// A sink of alerts.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SinkConfig {
    /// Standard output.
    Stdout {
        /// Its name.
        name: String,
    },
    /// A file.
    File {
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A Kafka topic.
    Kafka {
        /// Its name.
        name: String,
        /// The topic.
        topic: String,
    },
}

impl SinkConfig {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Stdout { name } | Self::File { name, .. } | Self::Kafka { name, .. } => name,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawConfig {
    archive: RawArchive,
    start: RawStart,
    gaps: RawGaps,
    context: RawContext,
    run: RawRun,
    server: RawServer,
    kafka: toml::Table,
    topics: Vec<RawTopic>,
    sinks: Option<Vec<SinkConfig>>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawArchive {
    path: PathBuf,
    flush_seconds: f64,
    checkpoint_megabytes: usize,
    snapshot_seconds: f64,
    buffer_megabytes: usize,
}

impl Default for RawArchive {
    fn default() -> Self {
        Self {
            path: PathBuf::from("dataward-archive"),
            flush_seconds: 10.0,
            checkpoint_megabytes: 64,
            snapshot_seconds: 60.0,
            buffer_megabytes: 256,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawStart {
    at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawGaps {
    on_gap: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawContext {
    path: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawRun {
    workers: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawServer {
    listen: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTopic {
    name: String,
    source: String,
    #[serde(default)]
    raw: Option<String>,
    #[serde(default)]
    keyed_by: Option<String>,
    #[serde(default)]
    incarnation: u32,
    schema_registry: Option<RawRegistry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegistry {
    url: String,
    credentials_file: Option<PathBuf>,
}

impl Config {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let unusable = |text: String| Failure::text(Exit::Usage, text);
        let text = std::fs::read_to_string(path)
            .map_err(|error| unusable(format!("failed to read {}: {error}", path.display())))?;
        Self::parse(&text).map_err(|reason| unusable(format!("{}: {reason}", path.display())))
    }

    /// Reads a text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let raw: RawConfig = read_toml(text)?;
        if raw.topics.is_empty() {
            return Err("no [[topics]]: name at least one topic and its source".to_owned());
        }
        let (kafka, secret_files) = kafka_properties(&raw.kafka)?;
        for required in ["bootstrap.servers", "group.id"] {
            if !kafka.contains_key(required) {
                return Err(format!("[kafka] has no {required}"));
            }
        }
        dataward_kafka::config::check(&kafka).map_err(|error| error.to_string())?;
        let sinks =
            raw.sinks.unwrap_or_else(|| vec![SinkConfig::Stdout { name: "stdout".to_owned() }]);
        let mut names: Vec<&str> = sinks.iter().map(SinkConfig::name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two sinks are named {}", pair[0]));
        }
        let unkeyed = raw.topics.iter().map(unkeyed).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            archive: raw.archive.path.clone(),
            settings: Settings {
                context: Some(Arc::new(match &raw.context.path {
                    Some(path) => context(path)?,
                    None => Context::default(),
                })),
                ..settings(&raw.archive, &raw.start, &raw.gaps, &raw.topics)?
            },
            workers: worker_count(raw.run.workers),
            kafka,
            topics: raw.topics.iter().map(|t| (t.name.clone(), t.incarnation)).collect(),
            unkeyed: unkeyed.into_iter().flatten().collect(),
            sinks,
            listen: raw.server.listen.as_deref().map(listen).transpose()?,
            registries: registries(&raw.topics)?,
            secret_files,
            context_file: raw.context.path,
        })
    }
}

/// The settings of the loop that do not come from a configuration file.
pub(crate) fn default_settings(topics: BTreeMap<String, TopicSettings>) -> Settings {
    let archive = RawArchive::default();
    Settings {
        topics,
        flush_interval: Duration::from_secs_f64(archive.flush_seconds),
        checkpoint_bytes: archive.checkpoint_megabytes << 20,
        buffer_bytes: archive.buffer_megabytes << 20,
        snapshot_interval: Duration::from_secs_f64(archive.snapshot_seconds),
        start_at: StartAt::Earliest,
        on_gap: OnGap::Record,
        context: None,
        retry_interval: Duration::from_millis(500),
        listening: ListeningSettings::default(),
    }
}

/// Reads a context file.
///
/// # Errors
/// The file, and the line that cannot be used.
pub(crate) fn context(path: &Path) -> Result<Context, String> {
    let named = |reason: String| format!("context file {}: {reason}", path.display());
    let text = std::fs::read_to_string(path)
        .map_err(|error| named(format!("failed to read it: {error}")))?;
    parse_context(&text).map_err(named)
}

/// Reads the text of a context file.
///
/// # Errors
/// The line that cannot be used.
pub(crate) fn parse_context(text: &str) -> Result<Context, String> {
    read_toml(text)
}

fn read_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        // Its display would quote the line, and a line may hold a secret (I11).
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })
}

/// The source of this name, or the one that a mapping file of this name defines.
pub(crate) fn source(name: &str) -> Result<Source, String> {
    if name.ends_with(".toml") {
        return mapping(Path::new(name)).map(Source::Mapped);
    }
    Source::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Source::ALL.iter().map(|source| source.name()).collect();
        format!("unknown source {name}; known are {}, and mapping files (….toml)", known.join(", "))
    })
}

/// The schema registries of topics. Two topics of one registry share it.
fn registries(topics: &[RawTopic]) -> Result<Vec<(String, Address)>, String> {
    let with = topics.iter().filter_map(|topic| Some((topic, topic.schema_registry.as_ref()?)));
    with.map(|(topic, registry)| {
        if !registry.url.starts_with("http://") && !registry.url.starts_with("https://") {
            return Err(format!(
                "topic {}: schema_registry.url must begin with http:// or https://",
                topic.name
            ));
        }
        let credentials = match &registry.credentials_file {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                format!("topic {}: failed to read {}: {error}", topic.name, path.display())
            })?),
        };
        let credentials = credentials.map(|text| text.trim().to_owned());
        Ok((topic.name.clone(), Address { url: registry.url.clone(), credentials }))
    })
    .collect()
}

/// Reads a mapping file. It lives as long as the process, as the name of its source does.
///
/// # Errors
/// The file, and the line or the key that cannot be used.
pub(crate) fn mapping(path: &Path) -> Result<&'static Mapping, String> {
    let named = |reason: String| format!("mapping file {}: {reason}", path.display());
    let text = std::fs::read_to_string(path)
        .map_err(|error| named(format!("failed to read it: {error}")))?;
    Ok(Box::leak(Box::new(Mapping::parse(&text).map_err(named)?)))
}

/// One worker less than there are cores: the loop itself needs one.
pub(crate) fn worker_count(stated: usize) -> usize {
    match stated {
        0 => std::thread::available_parallelism().map_or(1, |n| n.get().saturating_sub(1).max(1)),
        stated => stated,
    }
}

fn settings(
    archive: &RawArchive,
    start: &RawStart,
    gaps: &RawGaps,
    topics: &[RawTopic],
) -> Result<Settings, String> {
    let mut bound = BTreeMap::new();
    for topic in topics {
        let raw = match topic.raw.as_deref() {
            None | Some("all") => RawPolicy::All,
            Some("changes") => RawPolicy::Changes,
            Some("none") => RawPolicy::None,
            Some(other) => return Err(format!("raw = \"{other}\": use all, changes or none")),
        };
        let topic_settings = TopicSettings::new(source(&topic.source)?, raw);
        if bound.insert(topic.name.clone(), topic_settings).is_some() {
            return Err(format!("topic {} is named twice", topic.name));
        }
    }
    let start_at = match start.at.as_deref() {
        None | Some("earliest") => StartAt::Earliest,
        Some("latest") => StartAt::Latest,
        Some(time) => StartAt::Time(KafkaTime::parse_rfc3339(time).ok_or_else(|| {
            format!("start.at = \"{time}\": use earliest, latest or an RFC 3339 time")
        })?),
    };
    let on_gap = match gaps.on_gap.as_deref() {
        None | Some("record") => OnGap::Record,
        Some("halt") => OnGap::Halt,
        Some(other) => return Err(format!("gaps.on_gap = \"{other}\": use record or halt")),
    };
    let defaults = default_settings(bound);
    Ok(Settings {
        flush_interval: seconds("archive.flush_seconds", archive.flush_seconds)?,
        checkpoint_bytes: megabytes("archive.checkpoint_megabytes", archive.checkpoint_megabytes)?,
        buffer_bytes: megabytes("archive.buffer_megabytes", archive.buffer_megabytes)?,
        snapshot_interval: seconds("archive.snapshot_seconds", archive.snapshot_seconds)?,
        start_at,
        on_gap,
        ..defaults
    })
}

fn seconds(key: &str, value: f64) -> Result<Duration, String> {
    // At most one commit a second.
    let is_sane = (1.0..=86_400.0).contains(&value);
    if is_sane {
        Ok(Duration::from_secs_f64(value))
    } else {
        Err(format!("{key} = {value}: use 1 to 86400"))
    }
}

fn megabytes(key: &str, value: usize) -> Result<usize, String> {
    if (1..=1 << 20).contains(&value) {
        Ok(value << 20)
    } else {
        Err(format!("{key} = {value}: use 1 to 1048576"))
    }
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("server.listen = \"{text}\": use an address and a port, as 127.0.0.1:9464")
    })
}

fn unkeyed(topic: &RawTopic) -> Result<Option<String>, String> {
    match topic.keyed_by.as_deref() {
        None | Some("actor") => Ok(None),
        Some("none") => Ok(Some(topic.name.clone())),
        Some(other) => Err(format!("keyed_by = \"{other}\": use actor or none")),
    }
}

/// librdkafka's keys hold dots, which TOML reads as tables: they are put together again. With the files that hold secrets.
fn kafka_properties(table: &toml::Table) -> Result<(Properties, Vec<PathBuf>), String> {
    let mut written = Properties::new();
    flatten("", table, &mut written)?;
    let (mut properties, mut secret_files) = (Properties::new(), Vec::new());
    for (key, value) in written {
        if SECRETS.contains(&key.as_str()) {
            return Err(format!("kafka.{key} is a secret: use {key}_file or {key}_env"));
        }
        if let Some(key) = key.strip_suffix("_file") {
            let secret = std::fs::read_to_string(&value)
                .map_err(|error| format!("kafka.{key}_file: failed to read {value}: {error}"))?;
            properties.insert(key.to_owned(), secret.trim_end_matches(['\r', '\n']).to_owned());
            secret_files.push(PathBuf::from(value));
        } else if let Some(key) = key.strip_suffix("_env") {
            let secret = std::env::var(&value)
                .map_err(|_| format!("kafka.{key}_env: the variable {value} is not set"))?;
            properties.insert(key.to_owned(), secret);
        } else {
            if key == "ssl.key.location" {
                secret_files.push(PathBuf::from(&value));
            }
            properties.insert(key, value);
        }
    }
    Ok((properties, secret_files))
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut Properties) -> Result<(), String> {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let text = match value {
            toml::Value::Table(inner) => {
                flatten(&key, inner, into)?;
                continue;
            }
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            _ => return Err(format!("kafka.{key}: use a text, a number or true or false")),
        };
        into.insert(key, text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_a_configuration_and_says_the_defaults() {
        let config = Config::parse(DEFAULT).expect("the default is valid");
        let defaults = default_settings(BTreeMap::new());
        assert_eq!(config.settings.flush_interval, defaults.flush_interval);
        assert_eq!(config.settings.checkpoint_bytes, defaults.checkpoint_bytes);
        assert_eq!(config.settings.buffer_bytes, defaults.buffer_bytes);
        assert_eq!(config.settings.snapshot_interval, defaults.snapshot_interval);
        assert_eq!(
            config.kafka.get("bootstrap.servers").map(String::as_str),
            Some("localhost:9092")
        );
    }

    #[test]
    fn the_commented_context_is_one_and_what_is_wrong_in_it_is_named() {
        let context: Context = read_toml(CONTEXT).expect("it is valid");
        assert_eq!((context.datastores.len(), context.actors.len()), (1, 1));
        let refused = |from: &str, to: &str| {
            read_toml::<Context>(&CONTEXT.replace(from, to)).expect_err("it must be refused")
        };
        assert!(refused("sensitivity =", "sensitivty =").contains("sensitivty"));
        assert!(refused("\"restricted\"", "\"secret\"").contains("secret"));
        assert!(refused("198.51.100.0/24", "the office").contains("the office"));
        assert!(refused("[trusted]", "[trusted").starts_with("line "));
    }

    fn refusal(change: impl Fn(&str) -> String) -> String {
        Config::parse(&change(DEFAULT)).expect_err("it must be refused")
    }

    #[test]
    fn what_is_wrong_is_named() {
        let unknown = refusal(|text| text.replace("flush_seconds", "flush_secs"));
        assert!(unknown.contains("flush_secs"), "{unknown}");
        let source = refusal(|text| text.replace("\"aws.cloudtrail\"", "\"aws.cloudtrial\""));
        assert!(source.contains("aws.cloudtrial"), "{source}");
        let secret =
            refusal(|text| text.replace("group.id =", "sasl.password = \"x\"\ngroup.id ="));
        assert!(secret.contains("sasl.password_file") && !secret.contains("\"x\""), "{secret}");
        let raw = refusal(|text| text.replace("raw = \"all\"", "raw = \"most\""));
        assert!(raw.contains("most"), "{raw}");
    }
}
