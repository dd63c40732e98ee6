//! Every source's events, from our seeds and from real samples, validate against the schemas, ours and the official ones,
//! and survive the way out and back in.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use dataward_event::quarantine::QuarantineReason;
use dataward_ocsf::event::event_json;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use jsonschema::Validator;
use support::{check, official, own, position, test_data};

/// What the events of a source are held against.
struct Judge {
    own: Validator,
    official: Option<HashMap<u64, Validator>>,
}

/// How many lines there were, and what they gave.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    records: usize,
    events: usize,
    /// Readable, but of no access, change or log-on.
    without: usize,
}

impl Judge {
    fn new() -> Self {
        let official = test_data("official OCSF schemas").map(|data| official(&data));
        Self { own: own(dataward_ocsf::schema::EVENT), official }
    }

    /// Reads one record; a fault fails the test where none is allowed.
    fn read(&self, source: Source, payload: &[u8], may_fail: bool, count: &mut Count) {
        let position = position();
        let decoded = decode(source, Record { position: &position, kafka_time: None, payload });
        count.records += 1;
        for reject in &decoded.rejects {
            count.without += usize::from(reject.reason == QuarantineReason::NoEvents);
            let is_fault = reject.reason.is_fault() && !may_fail;
            assert!(
                !is_fault,
                "{}: {reject:?}\n{}",
                source.name(),
                String::from_utf8_lossy(payload)
            );
        }
        for event in decoded.events.iter().map(|decoded| &decoded.event) {
            count.events += 1;
            let written = event_json(event, Some(&position), None);
            check(&self.own, &written);
            if let Some(official) = &self.official {
                check(&official[&u64::from(event.class.uid())], &written);
            }
            let record =
                Record { position: &position, kafka_time: None, payload: written.as_bytes() };
            let back = decode(Source::Ocsf, record);
            assert_eq!(back.events.len(), 1, "{:?}", back.rejects);
            assert_eq!(&back.events[0].event, event);
        }
    }
}

#[test]
fn events_of_our_seeds() {
    let judge = Judge::new();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for source in Source::ALL.into_iter().filter(|source| *source != Source::Auto) {
        let mut count = Count::default();
        for entry in std::fs::read_dir(corpus.join(source.name())).unwrap() {
            judge.read(source, &std::fs::read(entry.unwrap().path()).unwrap(), true, &mut count);
        }
        println!("{}: {count:?}", source.name());
        assert!(count.events > 0, "{}", source.name());
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// The records of a log whose records begin with a date.
fn dated(path: &Path) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let begins =
            line.get(..5).is_some_and(|head| head.ends_with('-') && head.starts_with("20"));
        match records.last_mut() {
            Some(record) if !begins => *record += &format!("\n{line}"),
            _ => records.push(line.to_owned()),
        }
    }
    records
}

/// Every file of a folder with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}

/// The part of a line that the product wrote, where the collection of samples has wrapped it.
fn unwrapped(line: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let inner = ["record", "event", "entry"].iter().find_map(|key| value.get(key));
    match inner {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(inner) if inner.is_object() => inner.to_string(),
        _ => line.to_owned(),
    }
}

#[test]
fn events_of_real_samples() {
    let Some(data) = test_data("samples of every source") else { return };
    let (judge, data) = (Judge::new(), data.join("data"));
    let beats = data.join("elastic-beats");
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut read = |source: Source, records: Vec<String>| {
        let count = counts.entry(source.name()).or_default();
        for record in records {
            judge.read(source, record.as_bytes(), false, count);
        }
    };
    for file in files(&beats.join("elasticsearch/audit"), ".log") {
        read(Source::ElasticsearchAudit, lines(&file));
    }
    for file in files(&beats.join("elasticsearch/deprecation"), ".log") {
        read(Source::ElasticsearchServer, lines(&file));
    }
    read(Source::OpensearchAudit, lines(&data.join("opensearch-audit/sgaudit.log")));
    read(Source::KafkaAuthorizer, lines(&data.join("kafka-authorizer/kafka-authorizer.log")));
    read(Source::MariadbServerAudit, lines(&data.join("mariadb-audit/server_audit.log")));
    // One line of this collection is no JSON: no server writes it so.
    let is_json = |line: &String| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let mut records = lines(&data.join("azure-sentinel-sample-data/MongoDBAudit_CL.log"));
    let all = records.len();
    records.retain(is_json);
    assert_eq!((all, records.len()), (34, 33));
    read(Source::MongodbAudit, records);
    let wrapped = |path: &str| lines(&data.join(path)).iter().map(|line| unwrapped(line)).collect();
    read(Source::GcpAudit, wrapped("google-cloudevents/gcp_audit.ndjson"));
    let rows =
        std::fs::read_to_string(data.join("azure-sentinel-sample-data/Snowflake_CL.json")).unwrap();
    read(Source::SnowflakeAccountUsage, vec![rows]);
    for file in files(&beats.join("postgresql/log"), ".log") {
        read(Source::PostgresLog, dated(&file));
    }
    let audited = lines(&data.join("pgaudit/audit_records.ndjson"));
    let audited = audited.iter().map(|line| {
        // The server's prefix stands before it in a real log.
        format!("2026-03-04 05:06:07.123 UTC [7] LOG:  {}", unwrapped(line))
    });
    read(Source::PostgresPgaudit, audited.collect());
    read(Source::PostgresPgaudit, dated(&data.join("pgaudit-server-log/postgresql.log")));
    read(Source::GcpAudit, wrapped("gcp-security-analytics/events.ndjson"));
    for (source, count) in &counts {
        println!("{source}: {count:?}");
    }
    assert_eq!(counts.len(), 10);
}
