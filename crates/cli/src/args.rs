//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};
use dataward_event::time::EventTime;

/// The audit log of who read which datastore and who changed its protection.
///
/// Data goes to standard output, talk to standard error. Times are RFC 3339 in UTC.
///
/// Exit codes: 0 done, 1 findings where the command is a check, 2 bad usage or configuration, 3 bad or unreadable
/// input, 4 the outside world failed, 5 a broken promise (verification failed, offsets lost).
#[derive(Debug, Parser)]
#[command(name = "dataward", version, max_term_width = 100)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Says more; twice says everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole product in one process, with a Kafka cluster embedded in it.
    Demo(Demo),
    /// Consumes from Kafka, archives, detects, delivers; until it is told to stop.
    Run(Run),
    /// Does the same over files: alerts as NDJSON on standard output, a summary on standard error.
    Scan(Scan),
    /// Learns what is usual from reads of the past, before the first record comes: from files, or from the archive's own events.
    ///
    /// Partitions that begin after it, and those that have seen no read yet, start with what was learned: alerts of unusual
    /// reads need not wait two weeks for it. Nothing is told of the past, and no event of a file is archived. Taken again,
    /// lessons replace those before.
    Warmup(Warmup),
    /// Says what an alert of an unusual read was: work that is expected, or an attack.
    #[command(subcommand)]
    Alerts(Alerts),
    /// Looks at configuration, Kafka, archive and sinks before a run, and changes nothing.
    ///
    /// No group is joined, nothing is committed or created. Each line is ok, a note, a warning (it works, and will hurt) or
    /// a problem (it will not work), with what to do. Ends with 1 if there is a problem.
    Doctor(Doctor),
    /// Prints the events of files as OCSF, one a line.
    Normalize(Normalize),
    /// Produces files into Kafka, one record an event, keyed by actor.
    Replay(Replay),
    /// Lists when which datastore was open, who opened it, and how much was read from it meanwhile.
    ///
    /// A window is the range [opened_at, closed_at) of event time; one that is still open has no end. Options choose
    /// windows, they do not cut them: the figures are always those of the whole window. Windows that a late event has
    /// shown never to have been are left out.
    Exposures(Exposures),
    /// Lists datastores: how each is protected, since when, and which event has shown it.
    ///
    /// One row for each control of which any event has told, what is worst first: exposed (it can be reached and read from
    /// outside), weakened, unknown, protected. A datastore of which only reads are known has one row, unknown. What is known
    /// of data, owner and environment comes from the context file of the last run.
    Datastores(Datastores),
    /// Shows what is usual of an actor, and how its open day stands: what an alert of an unusual read is judged by.
    ///
    /// Windows of volume with what was seen, what is usual and what one day in a thousand passes; the evidence of the day and
    /// the thresholds it is held against; the last active days, the hours at work, who is compared with it, and what people
    /// were told. The detector keeps a state for each partition, so an actor of several topics or files is shown for each.
    Explain(Explain),
    /// Answers a question in SQL about an archive.
    ///
    /// Views: events (access, config_changes and authentications together), alerts, exposures (each window as its newest
    /// statement says; exposure_statements has all), quarantine, gaps, operators, and archive, the whole table. DESCRIBE
    /// events lists columns. A condition on event_time, kind, ingest_date, datastore_uid or actor_uid reads fewer files.
    ///
    /// An answer is whole or the exit code is not 0: a limit that is met is an error with code 2.
    Query(Query),
    /// Lists what happened around a datastore, an actor, an address or an operation: events, alerts, and windows that
    /// opened or closed, in the order of event time.
    ///
    /// The range is [from, to): --from is in it, --to is not. Several values of one option are alternatives; of several
    /// options all must fit. A name that is nowhere in the archive is an error that tells close ones.
    Timeline(Timeline),
    /// Proves that an archive is whole, or names exactly what is not.
    Verify(Verify),
    /// Lists the log formats that are understood, shows what one needs and tells, and tries a mapping file.
    #[command(args_conflicts_with_subcommands = true)]
    Sources(Sources),
    /// Lists the changes of protection that are detected.
    Controls(Controls),
    /// Lists the rules that raise alarms, shows the page of one, and runs the labelled cases that hold them.
    #[command(args_conflicts_with_subcommands = true)]
    Rules(Rules),
    /// Prints the JSON Schemas, the table's columns and the commented configuration.
    Schema(Schema),
}

/// How to print data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people; the default on a terminal.
    Table,
    /// One JSON object a line; the default in a pipe.
    Ndjson,
    /// One JSON document.
    Json,
    /// Comma-separated values, their names in the first line. A text that a spreadsheet would take for a formula gets
    /// an apostrophe in front.
    Csv,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Plays the story once and exits; without it ordinary traffic goes on until Ctrl-C.
    #[arg(long)]
    pub(crate) once: bool,
    /// The folder for the archive; default: a new folder, which is named.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The seed of the generated traffic.
    #[arg(long, default_value_t = 2019)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The archive; overrides the configuration.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: Option<PathBuf>,
    /// Where metrics and health are served, port 0 being any that is free; overrides the configuration.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Scan {
    /// The log format: see `dataward sources`; or a mapping file (`….toml`).
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: String,
    /// Keeps the events in this archive; a file that it has already adds nothing.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: Option<PathBuf>,
    /// What no log says (sensitive datastores, trusted accounts): see `dataward schema context`. Without it the archive
    /// keeps what it was told last.
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
    /// Files, directories, `-` for standard input; gzip and zstd are recognised.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Warmup {
    /// The archive that keeps what is learned; without files, also where it is learned from.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: PathBuf,
    /// The log format of the files: see `dataward sources`; or a mapping file (`….toml`).
    #[arg(long, value_name = "SOURCE", requires = "files")]
    pub(crate) source: Option<String>,
    /// What no log says (peer groups of actors, sizes of datastores). Without it what the archive was told last.
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
    /// Only events before this moment: where the records of the topics begin, since reads more than a day older than what
    /// was learned last teach nothing. RFC 3339, or a date, which is its midnight in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: Option<EventTime>,
    /// Files, directories, `-` for standard input; gzip and zstd are recognised.
    #[arg(value_name = "FILE", requires = "source")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Alerts {
    /// It was work that is expected: its days teach, and until it expires more of it is told with severity 2.
    Expect(Expect),
    /// It was an attack: its days teach nothing.
    Confirm(Verdict),
}

/// What somebody found an alert to be.
#[derive(Debug, clap::Args)]
pub(crate) struct Verdict {
    /// The uid of the finding: `finding_info.uid` of the alert.
    #[arg(value_name = "FINDING")]
    pub(crate) finding: String,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Who says so.
    #[arg(long, value_name = "WHO", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) owner: String,
    /// The archive that knows the finding; default: that of the configuration.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: Option<PathBuf>,
    /// The context file that the verdict is added to; default: that of the configuration. A process that runs with it adopts
    /// it within seconds, without a restart.
    #[arg(long, value_name = "FILE")]
    pub(crate) context: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Expect {
    #[command(flatten)]
    pub(crate) verdict: Verdict,
    /// Until when more of it is expected: RFC 3339, or a date, which is its midnight in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) until: EventTime,
    /// Not this finding alone: any of its actor in its channel.
    #[arg(long)]
    pub(crate) of_actor: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Normalize {
    /// The log format: see `dataward sources`; or a mapping file (`….toml`).
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: String,
    /// Files, directories, `-` for standard input; gzip and zstd are recognised.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Replay {
    /// The log format: see `dataward sources`; or a mapping file (`….toml`).
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: String,
    /// The topic to produce to.
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: String,
    /// How many times faster than the events' own times; default: as fast as Kafka takes them.
    #[arg(long, value_name = "X")]
    pub(crate) speed: Option<f64>,
    /// Kafka's brokers; overrides the configuration.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) brokers: Option<String>,
    /// Files, directories, `-` for standard input; gzip and zstd are recognised.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Exposures {
    /// The archive.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: PathBuf,
    /// What was at risk.
    #[arg(long, value_enum, default_value_t = WindowFilter::Confidentiality)]
    pub(crate) kind: WindowFilter,
    /// Only windows that are still open.
    #[arg(long)]
    pub(crate) open: bool,
    /// Only windows of this datastore, by its uid or its name.
    #[arg(long, value_name = "DATASTORE")]
    pub(crate) datastore: Option<String>,
    /// Only windows that were open at or after this moment: RFC 3339, or a date, which is its midnight in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<EventTime>,
    /// Only windows that were opened before this moment.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<EventTime>,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Datastores {
    /// The archive.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: PathBuf,
    /// As it was then, by the event times of what is in the archive today: RFC 3339, or a date, which is its midnight in
    /// UTC. All changes and reads up to it are read again, and are held in memory meanwhile.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) as_of: Option<EventTime>,
    /// Only this datastore, by its uid or its name.
    #[arg(long, value_name = "DATASTORE")]
    pub(crate) datastore: Option<String>,
    /// Only controls in this state; may be given several times.
    #[arg(long, value_enum)]
    pub(crate) state: Vec<StateFilter>,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The archive.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: PathBuf,
    /// The actor, by uid or name; `anonymous` is whoever had none, in each datastore by itself.
    #[arg(long, value_name = "ACTOR")]
    pub(crate) actor: String,
    /// What it does in this datastore, too; by uid or name.
    #[arg(long, value_name = "DATASTORE")]
    pub(crate) datastore: Option<String>,
    /// As it was then, by the event times of what is in the archive today: RFC 3339, or a date, which is its midnight in UTC.
    /// All rows of the actor's partitions up to it are read again. Without it: as of the archive's progress.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<EventTime>,
    /// Draws the last days and the windows into this file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub(crate) format: Option<ExplainFormat>,
}

/// How to print an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Tables and small charts for people; the default on a terminal.
    Table,
    /// One JSON document, an object for each partition; the default in a pipe.
    Json,
}

/// The states of a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateFilter {
    /// Nothing is known.
    Unknown,
    /// Nothing of it is open, as far as events told.
    Protected,
    /// Something of it is open.
    Weakened,
    /// The datastore can be reached and read from outside by it.
    Exposed,
}

/// The kinds of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WindowFilter {
    /// Somebody might read who should not, whether it could be reached from outside or that is not known.
    Confidentiality,
    /// What happened was no longer recorded or looked at.
    Blind,
    /// Data, keys or the guard rails around them were easier to lose.
    Fragile,
    /// All of them.
    All,
}

/// How an archive is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Asking {
    /// The archive.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: PathBuf,
    /// An older version of the table; default: the newest.
    #[arg(long = "version", id = "table_version", value_name = "N")]
    pub(crate) version: Option<u64>,
    /// Reads only the parts of a file that are asked for, without hashing the file first: faster, and a changed byte in it
    /// may go unnoticed. Its size is compared with the one that was committed all the same.
    #[arg(long)]
    pub(crate) trust_files: bool,
    /// More rows than this are an error.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) max_rows: usize,
    /// So many seconds, then it is an error.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) timeout: u64,
    /// What sorting, grouping and joining may hold in memory; nothing is put on disk.
    #[arg(long, value_name = "MB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..1 << 24))]
    pub(crate) memory_megabytes: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Query {
    /// One statement: SELECT, WITH, EXPLAIN, DESCRIBE or SHOW; `-` reads it from standard input.
    #[arg(value_name = "SQL", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Reads the statement from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asking: Asking,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Timeline {
    /// A datastore, by its uid or its name.
    #[arg(long, value_name = "DATASTORE")]
    pub(crate) datastore: Vec<String>,
    /// An actor, by uid, name or credential; `anonymous` is whoever had none.
    #[arg(long, value_name = "ACTOR")]
    pub(crate) actor: Vec<String>,
    /// The address of a client, or its name where it has none.
    #[arg(long, value_name = "IP")]
    pub(crate) ip: Vec<String>,
    /// An operation, as the source calls it.
    #[arg(long, value_name = "OPERATION")]
    pub(crate) operation: Vec<String>,
    /// The first moment: RFC 3339, or a date, which is its midnight in UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<EventTime>,
    /// The first moment that is no longer in it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<EventTime>,
    /// The original record of each event, too.
    #[arg(long)]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) asking: Asking,
    #[arg(long, value_enum)]
    pub(crate) format: Option<TimelineFormat>,
}

/// How to print a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimelineFormat {
    /// Columns for people; the default on a terminal.
    Table,
    /// One JSON object a line, without what is null; the default in a pipe.
    Ndjson,
    /// Comma-separated values, their names in the first line. A text that a spreadsheet would take for a formula gets
    /// an apostrophe in front.
    Csv,
    /// JSON lines that Timesketch imports, as a file that ends in .jsonl.
    Timesketch,
}

fn time(text: &str) -> Result<EventTime, String> {
    let midnight = format!("{text}T00:00:00Z");
    EventTime::parse_rfc3339(text).or_else(|| EventTime::parse_rfc3339(&midnight)).ok_or_else(
        || "a time is RFC 3339, as 2019-12-04T10:20:30Z, or a date, as 2019-12-04".to_owned(),
    )
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The archive.
    #[arg(long, value_name = "PATH")]
    pub(crate) archive: PathBuf,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sources {
    #[command(subcommand)]
    pub(crate) command: Option<SourcesCommand>,
    /// One source: how to switch its log on, what it tells and what not.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// The whole reference page of the source.
    #[arg(long, requires = "source")]
    pub(crate) page: bool,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum SourcesCommand {
    /// Shows what a mapping file makes of a file: the events as OCSF on standard output, and what is missing on standard
    /// error. Exit code 3 if a record cannot be read.
    Test(SourcesTest),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SourcesTest {
    /// The mapping file: see docs/sources/mapping.md.
    #[arg(value_name = "MAPPING")]
    pub(crate) mapping: PathBuf,
    /// Files, directories, `-` for standard input; gzip and zstd are recognised.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Controls {
    /// Only the rows of this source.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// One row in full.
    #[arg(value_name = "ROW")]
    pub(crate) row: Option<String>,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) command: Option<RulesCommand>,
    /// The page of one rule: when it fires, when it stays quiet, what to do.
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum RulesCommand {
    /// Runs labelled cases: a record each, and whether it must raise an alarm or stay quiet. Without a path the cases that
    /// are built in.
    ///
    /// Ends with 1 if a case goes otherwise than its label says, with 3 if a file is no file of cases. How to write one:
    /// docs/rules/README.md.
    Test(RulesTest),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesTest {
    /// Only cases of this source.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Only cases about this row: see `dataward controls`.
    #[arg(long, value_name = "ROW")]
    pub(crate) row: Option<String>,
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Files of cases, or directories with them (`….json`). The folder of each is called as its source.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// What to print.
    #[arg(value_enum)]
    pub(crate) what: SchemaKind,
}

/// What `schema` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// The JSON Schema of a normalised event.
    Event,
    /// The JSON Schema of an alert.
    Alert,
    /// The columns of the table.
    Table,
    /// The commented configuration with all defaults.
    Config,
    /// A commented context file.
    Context,
}
