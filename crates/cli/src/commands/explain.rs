//! `explain`: what is usual of an actor, and how its open day stands.

mod chart;
mod known;
#[cfg(test)]
mod sample;
mod svg;
mod told;

use std::collections::BTreeMap;
use std::io::IsTerminal;

use dataward_detect::actor_key::actor_key;
use dataward_detect::context::Context;
use dataward_detect::partition_state::PartitionState;
use dataward_detect::reads::portrait::Portrait;
use dataward_event::audit_event::{Actor, ActorKind};
use dataward_event::position::{Offset, Partition};
use dataward_event::time::EventTime;
use dataward_pipeline::archive::{Archive, ArchiveError};
use dataward_pipeline::restore;
use serde_json::{Value, json};

use crate::args::{Explain, ExplainFormat};
use crate::commands::explain::known::{Found, found};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::print;
use crate::wiring;

/// An actor in one partition, with what is known of it.
struct Shown {
    partition: Partition,
    actor: Actor<'static>,
    /// Who has no identity is one actor for each datastore: this one.
    only_in: Option<String>,
    portrait: Portrait,
}

/// Runs the command.
pub(crate) fn run(args: &Explain) -> Outcome {
    let mut archive = wiring::read_archive(&args.archive)?;
    let found = found(args)?;
    let context = restore::context(&mut archive)?;
    let progress: BTreeMap<Partition, Offset> =
        archive.table_progress().iter().map(|(known, next)| (known.clone(), next)).collect();
    let mut shown: Vec<Shown> = Vec::new();
    let mut rest = &found[..];
    while let Some(first) = rest.first() {
        let partition = &first.partition;
        let (of_it, others) =
            rest.split_at(rest.partition_point(|found| found.partition <= *partition));
        rest = others;
        let next = progress.get(partition).copied().unwrap_or(Offset(0));
        let state = state(&mut archive, partition, next, args.at, &context)?;
        shown.extend(of_it.iter().filter_map(|found| portrait(found, &state, &context)));
    }
    if shown.is_empty() {
        let time = args.at.map_or(String::new(), |time| format!(", up to {time}"));
        eprintln!("{} is in the archive, and nothing of it is a read of data{time}", args.actor);
    }
    if let Some(path) = &args.svg {
        std::fs::write(path, svg::drawing(&shown)).map_err(|error| {
            Failure::text(Exit::World, format!("failed to write {}: {error}", path.display()))
        })?;
    }
    let is_terminal = std::io::stdout().is_terminal();
    let default = if is_terminal { ExplainFormat::Table } else { ExplainFormat::Json };
    match args.format.unwrap_or(default) {
        ExplainFormat::Table => {
            print(&shown.iter().map(told::told).collect::<Vec<_>>().join("\n\n"))
        }
        ExplainFormat::Json => {
            let objects = shown.iter().map(Shown::object).collect::<Result<Vec<_>, _>>();
            let text = objects.and_then(|objects| serde_json::to_string_pretty(&objects));
            print(&(text.map_err(|error| Failure::new(Exit::World, error))? + "\n"))
        }
    }
}

fn state(
    archive: &mut impl Archive,
    partition: &Partition,
    next: Offset,
    at: Option<EventTime>,
    context: &Context,
) -> Result<PartitionState, ArchiveError> {
    if at.is_none()
        && let Some(state) = restore::partition(archive, partition, next, context)?
    {
        return Ok(state);
    }
    // Without a usable snapshot it takes longer, and nothing is lost.
    let time = at.unwrap_or(EventTime::from_micros(i64::MAX));
    restore::partition_as_of(archive, partition, time, context)
}

fn portrait(found: &Found, state: &PartitionState, context: &Context) -> Option<Shown> {
    let key = actor_key(&found.actor, &found.datastore);
    let portrait = state.portrait(key, found.looked_at, context)?;
    let is_nobody = found.actor.kind == ActorKind::Anonymous;
    let only_in = is_nobody.then(|| found.datastore.label().to_owned());
    Some(Shown {
        partition: found.partition.clone(),
        actor: found.actor.clone(),
        only_in,
        portrait,
    })
}

impl Shown {
    /// The actor's name, with its uid where that is another one.
    fn name(&self) -> String {
        let label = self.actor.label();
        match (&self.actor.uid, &self.only_in) {
            (_, Some(datastore)) => format!("{label} of {datastore}"),
            (Some(uid), None) if uid != label => format!("{label} ({uid})"),
            _ => label.to_owned(),
        }
    }

    /// The portrait, with whose it is.
    fn object(&self) -> Result<Value, serde_json::Error> {
        let mut object = serde_json::to_value(&self.portrait)?;
        object["partition"] = json!({
            "topic": &*self.partition.topic,
            "incarnation": self.partition.incarnation,
            "number": self.partition.number,
        });
        object["actor"] = json!({
            "uid": self.actor.uid,
            "name": self.actor.name,
            "kind": self.actor.kind.as_str(),
            "account_uid": self.actor.account_uid,
            "only_in": self.only_in,
        });
        Ok(object)
    }
}
