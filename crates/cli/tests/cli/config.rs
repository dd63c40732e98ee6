//! A configuration that is wrong ends with 2, and the message names what is wrong.

use tempfile::TempDir;

use crate::support::process::{dataward, text, write};

const GOOD: &str = r#"
[kafka]
bootstrap.servers = "127.0.0.1:1"
group.id = "test"
[[topics]]
name = "audit"
source = "aws.cloudtrail"
"#;

fn refused(config: &str) -> String {
    let folder = TempDir::new().unwrap();
    let config = write(folder.path(), "dataward.toml", config);
    let finished = dataward(&["run", "--config", &text(&config)]).expect(2);
    assert!(finished.stderr.contains("dataward.toml"), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
    finished.stderr
}

#[test]
fn what_is_wrong_is_named() {
    let table = [
        (GOOD.replace("[kafka]", "[archive]\nflush_secs = 1\n[kafka]"), "flush_secs"),
        (GOOD.replace("[kafka]", "[archives]\n[kafka]"), "archives"),
        (GOOD.replace("aws.cloudtrail", "aws.cloudtrial"), "unknown source aws.cloudtrial"),
        (GOOD.split("[[topics]]").next().unwrap().to_owned(), "[[topics]]"),
        (GOOD.replace("group.id = \"test\"", ""), "group.id"),
        (GOOD.replace("[[topics]]", "sasl.password = \"hunter2\"\n[[topics]]"), "sasl.password"),
        (GOOD.to_owned() + "raw = \"most\"", "most"),
        (GOOD.to_owned() + "[[sinks]]\nname = \"x\"\nkind = \"pager\"", "pager"),
        (GOOD.to_owned() + "[start]\nat = \"yesterday\"", "yesterday"),
        (GOOD.to_owned() + "[server]\nlisten = \"9464\"", "127.0.0.1:9464"),
        ("[kafka".to_owned(), "line 1: unclosed table"),
        (GOOD.to_owned() + "sasl.password = \"hunter2", "line "),
    ];
    for (config, named) in table {
        let said = refused(&config);
        assert!(said.contains(named), "{named}: {said}");
        assert!(!said.contains("hunter2"), "a secret is printed: {said}");
    }
}

#[test]
fn a_missing_file_and_a_missing_option_are_named() {
    let finished = dataward(&["run", "--config", "/no/such/dataward.toml"]).expect(2);
    assert!(finished.stderr.contains("/no/such/dataward.toml"), "{}", finished.stderr);
    let finished = dataward(&["run"]).expect(2);
    assert!(finished.stderr.contains("--config"), "{}", finished.stderr);
    let finished = dataward(&["scan", "--source", "aws.cloudtrial", "x"]).expect(2);
    assert!(finished.stderr.contains("unknown source aws.cloudtrial"), "{}", finished.stderr);
    let finished = dataward(&["scan", "--no-such-option"]).expect(2);
    assert!(finished.stderr.contains("--no-such-option"), "{}", finished.stderr);
}

/// A setting that carries the promise, and one that librdkafka does not know.
#[test]
fn settings_of_kafka_that_cannot_be_are_named() {
    let folder = TempDir::new().unwrap();
    for setting in ["auto.offset.reset = \"latest\"", "no.such.setting = 1"] {
        let archive = folder.path().join("archive");
        let config = GOOD.replace(
            "[kafka]",
            &format!("[archive]\npath = \"{}\"\n[kafka]\n{setting}", archive.display()),
        );
        let config = write(folder.path(), "dataward.toml", config);
        let finished = dataward(&["run", "--config", &text(&config)]);
        let named = setting.split(' ').next().unwrap();
        assert!(finished.stderr.contains(named), "{named}: {}", finished.stderr);
        assert_eq!(finished.code, Some(2), "{named}: {}", finished.stderr);
        assert!(
            !archive.exists(),
            "{named}: an archive was made for a configuration that cannot be"
        );
    }
}
