//! Says what follows from each case of the files that are named, one JSON object a line: for writing cases.
//!
//! A file stands in a folder that is called as its source.
#![expect(clippy::unwrap_used, reason = "a tool that cannot go on should stop")]

use std::path::Path;

use dataward_simulation::corpus::{case, trial};
use dataward_sources::source::Source;
use serde_json::json;

fn main() {
    for file in std::env::args().skip(1) {
        let folder = Path::new(&file).parent().unwrap().file_name().unwrap();
        let source = Source::parse(folder.to_str().unwrap()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let cases = case::parse(source, &file, &text).unwrap_or_else(|error| panic!("{error}"));
        for case in &cases {
            let tried = trial::run(case);
            let alarms: Vec<_> = tried
                .alarms
                .iter()
                .map(|alarm| json!({"rule": alarm.rule.as_str(), "rows": alarm.rows, "severity": alarm.severity}))
                .collect();
            let events = trial::open(source, &case.record, 0).events;
            let outcomes: Vec<_> = events.iter().map(|event| event.outcome.as_str()).collect();
            let line = json!({
                "file": file,
                "case": case.number,
                "verdict": tried.verdict.as_str(),
                "happened": tried.happened(),
                "alarms": alarms,
                "changes": tried.changes,
                "operations": tried.operations,
                "outcomes": outcomes,
            });
            println!("{line}");
        }
    }
}
