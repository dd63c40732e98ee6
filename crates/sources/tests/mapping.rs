//! The worked example of `docs/sources/mapping.md` does what the page says; what cannot be used is named.
#![expect(clippy::unwrap_used, reason = "tests")]

use dataward_event::audit_event::{AuditEvent, Class, EventKind, Outcome};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::volume::{ReadScope, RowCount};
use dataward_sources::decode::Record;
use dataward_sources::mapping::Mapping;
use dataward_sources::source::{Source, decode};

const PAGE: &str = include_str!("../../../docs/sources/mapping.md");

/// The block that follows a line of the page.
fn block(line: &str) -> String {
    let after = PAGE.split_once(line).unwrap().1;
    let lines = after.lines().skip_while(|line| !line.starts_with("    "));
    let lines = lines.take_while(|line| line.starts_with("    ") || line.is_empty());
    lines.map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned() + "\n").collect()
}

fn source(text: &str) -> Source {
    Source::Mapped(Box::leak(Box::new(Mapping::parse(text).unwrap())))
}

fn read(source: Source, line: &str) -> Result<AuditEvent<'static>, (QuarantineReason, String)> {
    let position =
        Position { partition: Partition::new("own", 0), offset: Offset(0), record_index: 0 };
    let record = Record { position: &position, kafka_time: None, payload: line.as_bytes() };
    let mut decoded = decode(source, record);
    match decoded.events.pop() {
        Some(event) => Ok(event.event.into_owned()),
        None => Err((decoded.rejects[0].reason, decoded.rejects[0].detail.clone())),
    }
}

#[test]
fn the_worked_example_gives_what_the_page_says() {
    let source = source(&block("`acme.toml`:"));
    let sample = block("`sample.log`, one JSON object a line:");
    let events: Vec<_> = sample.trim().lines().map(|line| read(source, line).unwrap()).collect();
    let [export, opened] = &events[..] else { panic!("two events") };
    assert_eq!(export.source, "acme.warehouse");
    assert_eq!(export.time.to_string(), "2026-03-04T05:06:07Z");
    assert_eq!(export.outcome, Outcome::Success);
    assert_eq!(export.volume.rows, Some(RowCount(120_000)));
    assert_eq!(export.read_scope, Some(ReadScope::Export));
    assert_eq!(export.objects, ["customers", "cards"]);
    assert_eq!(export.datastore.as_ref().unwrap().uid, "acme://unknown/orders");
    assert_eq!(opened.changes.len(), 1);
    assert_eq!(opened.changes[0].opened, "everyone");
    assert_eq!(opened.read_scope, None);
    let syslog =
        format!("<13>1 2026-03-04T05:06:08Z wh1 acme - - - {}", sample.lines().next().unwrap());
    assert_eq!(read(source, &syslog).unwrap().datastore.unwrap().uid, "acme://wh1/orders");
}

const CSV: &str = r#"
name = "acme.csv"
format = "csv"
delimiter = ";"
columns = ["at", "who", "what", "rows"]
time_format = "%d/%m/%Y %H:%M:%S"
[fields]
time = "{at}"
actor_name = "{who}"
operation = "{what}"
act = "{what}"
rows_returned = "{rows}"
[values.act]
get = "read"
"#;

#[test]
fn a_datastore_is_made_and_ends() {
    let births = "get = \"datastore_create\"\nput = \"datastore_delete\"";
    let source = source(&CSV.replace("get = \"read\"", births));
    for (word, activity_id) in [("get", 1), ("put", 4)] {
        let event = read(source, &format!("04/03/2026 05:06:07;ada;{word};")).unwrap();
        assert_eq!((event.kind, event.class), (EventKind::ConfigChange, Class::EntityManagement));
        assert_eq!(event.activity_id, activity_id);
    }
}

#[test]
fn lines_of_csv_are_read() {
    let source = source(CSV);
    let event = read(source, r#"04/03/2026 05:06:07;"ada; the first";get;12"#).unwrap();
    assert_eq!(event.actor.name.as_deref(), Some("ada; the first"));
    assert_eq!(event.time.to_string(), "2026-03-04T05:06:07Z");
    assert_eq!(event.activity_id, 1);
    let refused = |line: &str| read(source, line).unwrap_err();
    assert_eq!(refused("at;who;what;rows").0, QuarantineReason::NoEvents);
    assert!(refused("04/03/2026 05:06:07;ada;get").1.contains("expected 4 columns, found 3"));
    assert!(refused("04/03/2026 05:06:07;ada;get;many").1.contains("`rows_returned` is no count"));
    assert!(refused("yesterday;ada;get;1").1.contains("`time`"));
    assert!(refused("04/03/2026 05:06:07;ada;fly;1").1.contains("`act` is none of read"));
}

#[test]
fn a_mapping_that_cannot_be_used_says_where() {
    for (change, expected) in [
        (("format = \"csv\"", "format = \"xml\""), "line 3"),
        (("actor_name =", "actor_nam ="), "fields.actor_nam"),
        (("\"{who}\"", "\"{who\""), "a brace is not closed"),
        (("\"acme.csv\"", "\"redis.monitor\""), "there is a source of this name already"),
        (("\"acme.csv\"", "\"Acme\""), "two or more words"),
        (("get = \"read\"", "get = \"fetch\""), "fetch is none of read"),
        (
            ("columns = [\"at\", \"who\", \"what\", \"rows\"]", "columns = []"),
            "names of its columns",
        ),
        (("[values.act]", "[values.acts]"), "values.acts"),
        (("time_format", "timeformat"), "timeformat"),
    ] {
        assert!(CSV.contains(change.0), "{}", change.0);
        let error = Mapping::parse(&CSV.replace(change.0, change.1)).unwrap_err();
        assert!(error.contains(expected), "{error} has no {expected}");
    }
    let rule = "[[changes]]\nwhen = {}\ncontrol = \"access_policy\"\nsetting = \"x\"\ndirection = \"weakened\"\n";
    for (from, to, expected) in [
        ("", "", "without a condition"),
        ("access_policy", "firewall", "none of authentication"),
        ("weakened", "worse", "weakened, strengthened, neutral or unknown"),
    ] {
        let error = Mapping::parse(&format!("{CSV}{}", rule.replace(from, to))).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}
