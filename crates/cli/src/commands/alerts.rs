//! `alerts`: what people say of findings, written where the detector reads what people know.

use std::io::Write;
use std::path::{Path, PathBuf};

use dataward_event::finding::RuleId;
use dataward_event::time::EventTime;
use dataward_pipeline::alert::Alert;
use serde_json::Value;

use crate::args::{Alerts, Expect, Verdict};
use crate::config::{self, Config};
use crate::exit::{Exit, Failure, Outcome};
use crate::wiring;

/// The rules whose findings can be judged: what they say is learned.
const JUDGED: [RuleId; 4] =
    [RuleId::ReadBulk, RuleId::ReadNovel, RuleId::ReadSlowDrip, RuleId::ReadExport];

/// What is said of a finding.
struct Judgement<'a> {
    verdict: &'a Verdict,
    disposition: &'static str,
    until: Option<EventTime>,
    of_actor: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Alerts, config: Option<&Path>) -> Outcome {
    let judgement = match args {
        Alerts::Expect(Expect { verdict, until, of_actor }) => {
            Judgement { verdict, disposition: "expected", until: Some(*until), of_actor: *of_actor }
        }
        Alerts::Confirm(verdict) => {
            Judgement { verdict, disposition: "confirmed", until: None, of_actor: false }
        }
    };
    let (archive, context) = places(judgement.verdict, config)?;
    let alert = finding(&archive, &judgement.verdict.finding)?;
    let document: Value = serde_json::from_str(&alert.json).map_err(|error| {
        Failure::text(Exit::Broken, format!("the alert of the archive is no JSON: {error}"))
    })?;
    if judgement.until.is_some_and(|until| until <= alert.time) {
        let text = format!("--until must be after the finding, which was told at {}", alert.time);
        return Err(Failure::text(Exit::Usage, text));
    }
    let channel = document["unmapped"]["dataward"]["channel"].as_str();
    let user = &document["evidences"][0]["actor"]["user"];
    let actor = user["uid"].as_str().or(user["name"].as_str());
    let actor = match (judgement.of_actor, actor) {
        (true, None) => {
            let text = "the finding is about nobody who has a name: leave out --of-actor";
            return Err(Failure::text(Exit::Usage, text));
        }
        // In the file it would stand for all who begin alike.
        (true, Some(actor)) if actor.ends_with('*') => {
            let text = format!("the actor is called {actor}: leave out --of-actor");
            return Err(Failure::text(Exit::Usage, text));
        }
        (is_wanted, actor) => actor.filter(|_| is_wanted),
    };
    let channel_of_actor = channel.filter(|_| actor.is_some() && channel != Some("policy"));
    add(&context, &block(&judgement, actor, channel_of_actor))?;
    let (uid, title) = (&alert.finding_uid, document["finding_info"]["title"].as_str());
    eprintln!("{uid}: {}", title.unwrap_or(alert.rule.as_str()));
    eprintln!(
        "{} now says that it is {}; a process that runs with that file adopts it within seconds",
        context.display(),
        judgement.disposition
    );
    if channel == Some("policy") && judgement.until.is_some() {
        eprintln!(
            "a finding of the channel policy is never lowered: the like of it is told as before"
        );
    }
    Ok(Exit::Done)
}

/// The archive and the context file.
fn places(verdict: &Verdict, config: Option<&Path>) -> Result<(PathBuf, PathBuf), Failure> {
    let config = config.map(Config::load).transpose()?;
    let missing = |what: &str| {
        let text = format!("no {what}: name it by --{what}, or give --config");
        Failure::text(Exit::Usage, text)
    };
    let of_config = config.as_ref().map(|config| config.archive.clone());
    let archive = verdict.archive.clone().or(of_config).ok_or_else(|| missing("archive"))?;
    let of_config = config.and_then(|config| config.context_file);
    let context = verdict.context.clone().or(of_config).ok_or_else(|| missing("context"))?;
    Ok((archive, context))
}

/// The newest statement of a finding that can be judged.
fn finding(archive: &Path, uid: &str) -> Result<Alert, Failure> {
    let mut archive = wiring::read_archive(archive)?;
    let Some(alert) = archive.alerts_about(uid)?.pop() else {
        let text = format!(
            "the archive has no finding {uid}; `dataward query` lists them: SELECT finding_uid, rule_id, \
             event_time FROM alerts WHERE rule_id LIKE 'read.%' ORDER BY event_time DESC"
        );
        return Err(Failure::text(Exit::Input, text));
    };
    if !JUDGED.contains(&alert.rule) {
        let known: Vec<&str> = JUDGED.iter().map(|rule| rule.as_str()).collect();
        let text = format!(
            "{uid} is a finding of {}: only those of {} are learned from",
            alert.rule.as_str(),
            known.join(", ")
        );
        return Err(Failure::text(Exit::Usage, text));
    }
    Ok(alert)
}

fn block(judgement: &Judgement<'_>, actor: Option<&str>, channel: Option<&str>) -> String {
    let until = judgement.until.map(|until| until.to_string());
    let keys = [
        ("finding", Some(judgement.verdict.finding.as_str())),
        ("disposition", Some(judgement.disposition)),
        ("reason", Some(judgement.verdict.reason.as_str())),
        ("owner", Some(judgement.verdict.owner.as_str())),
        ("until", until.as_deref()),
        ("actor", actor),
        ("channel", channel),
    ];
    let stated = keys.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let lines = stated.map(|(key, value)| format!("{key} = {}\n", toml::Value::from(value)));
    format!("\n[[verdicts]]\n{}", lines.collect::<String>())
}

/// Adds a block to a context file that can still be used with it: at its end, so that nothing of it is touched.
fn add(context: &Path, block: &str) -> Result<(), Failure> {
    let shown = context.display();
    let text = std::fs::read_to_string(context).map_err(|error| {
        let hint = "`dataward schema context` prints a commented one";
        Failure::text(Exit::Usage, format!("failed to read context file {shown}: {error}; {hint}"))
    })?;
    let block = if text.is_empty() || text.ends_with('\n') { block } else { &format!("\n{block}") };
    config::parse_context(&format!("{text}{block}")).map_err(|reason| {
        let text = format!("context file {shown}: the verdict does not fit in: {reason}");
        Failure::text(Exit::Usage, text)
    })?;
    let written = std::fs::OpenOptions::new().append(true).open(context).and_then(|mut file| {
        file.write_all(block.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        Failure::text(Exit::World, format!("failed to write context file {shown}: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_added_and_a_reason_is_a_text_whatever_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.toml");
        std::fs::write(&path, "# mine\n[trusted]\naccounts = [\"1\"]").unwrap();
        let verdict = Verdict {
            finding: "0f3c".to_owned(),
            reason: "\"quarter\" \\ end\n[trusted]".to_owned(),
            owner: "ada".to_owned(),
            archive: None,
            context: None,
        };
        let until = EventTime::parse_rfc3339("2026-06-30T00:00:00Z");
        let judgement =
            Judgement { verdict: &verdict, disposition: "expected", until, of_actor: true };
        add(&path, &block(&judgement, Some("AIDA"), Some("acute"))).unwrap();
        let context = config::context(&path).unwrap();
        assert_eq!(context.trusted.accounts, ["1"]);
        assert_eq!(context.verdicts.len(), 1);
        let known = &context.verdicts[0];
        assert_eq!(known.reason, verdict.reason);
        assert_eq!(known.actor.as_deref(), Some("AIDA"));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("# mine\n"));
    }

    #[test]
    fn a_file_that_would_be_spoilt_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.toml");
        std::fs::write(&path, "verdicts = []\n").unwrap();
        assert!(add(&path, "\n[[verdicts]]\nfinding = \"0f3c\"\n").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "verdicts = []\n");
        assert!(add(&folder.path().join("none.toml"), "").is_err());
    }
}
