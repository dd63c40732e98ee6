//! Who is meant by a name: the detector's state knows actors by a hash alone, the archive's rows know what they are called.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use dataward_detect::actor_key::{actor_key, datastore_key};
use dataward_event::audit_event::{Actor, ActorKind, Datastore, DatastoreForm};
use dataward_event::position::Partition;
use dataward_query::engine::{Answer, Engine};
use dataward_query::timeline::asked::Subject;
use dataward_query::timeline::known::close_names;
use serde_json::Value;

use crate::args::{Asking, Explain};
use crate::exit::{Exit, Failure};
use crate::wiring;

/// How many rows a name may have: one for each partition and datastore.
const ROWS_MAX: usize = 1_000_000;
/// How many datastores are told to somebody who names another one.
const TOLD_MAX: usize = 8;
/// The columns of a row of [`question`].
const COLUMNS: &str = "topic, incarnation, kafka_partition, actor_uid, actor_name, actor_kind, \
                       actor_account_uid, datastore_uid, datastore_name";

/// An actor of a partition.
pub(super) struct Found {
    pub(super) partition: Partition,
    pub(super) actor: Actor<'static>,
    /// A datastore that it touched: it tells apart who has no identity.
    pub(super) datastore: Datastore<'static>,
    /// The key of the datastore that is asked for, where it touched that.
    pub(super) looked_at: Option<u64>,
}

/// What a row says: somebody touched a datastore.
type Touch = (Partition, Actor<'static>, Datastore<'static>);

/// The actors that are meant, sorted by partition.
pub(super) fn found(args: &Explain) -> Result<Vec<Found>, Failure> {
    let engine = wiring::engine(&Asking {
        archive: args.archive.clone(),
        version: None,
        trust_files: false,
        max_rows: ROWS_MAX,
        timeout: 3_600,
        memory_megabytes: 1_024,
    })?;
    let rows = ask(&engine, &question(&args.actor))?;
    if rows.is_empty() {
        return Err(unknown(&engine, &args.actor)?);
    }
    let touches: Vec<Touch> = rows.iter().filter_map(|row| touch(row)).collect();
    let Some(name) = args.datastore.as_deref() else {
        return Ok(chosen(touches, None));
    };
    if !touches.iter().any(|(.., datastore)| is_called(datastore, name)) {
        return Err(untouched(&args.actor, name, &touches));
    }
    Ok(chosen(touches, Some(name)))
}

/// Each actor once in each partition; of one that touched the datastore asked for, with that.
fn chosen(touches: Vec<Touch>, asked_for: Option<&str>) -> Vec<Found> {
    let mut found: BTreeMap<(Partition, u64, Option<u64>), Found> = BTreeMap::new();
    for (partition, actor, datastore) in touches {
        let is_asked_for = asked_for.is_some_and(|name| is_called(&datastore, name));
        // Who has no identity is one actor for each datastore: those of others were not asked for.
        if actor.kind == ActorKind::Anonymous && asked_for.is_some() && !is_asked_for {
            continue;
        }
        let looked_at = is_asked_for.then(|| datastore_key(&datastore));
        let place = (partition.clone(), actor_key(&actor, &datastore), looked_at);
        found.entry(place).or_insert(Found { partition, actor, datastore, looked_at });
    }
    let is_looked_at = |(_, _, store): &&(Partition, u64, Option<u64>)| store.is_some();
    let looked_at: BTreeSet<(Partition, u64)> = found
        .keys()
        .filter(is_looked_at)
        .map(|(partition, actor, _)| (partition.clone(), *actor))
        .collect();
    found.retain(|(partition, actor, store), _| {
        store.is_some() || !looked_at.contains(&(partition.clone(), *actor))
    });
    found.into_values().collect()
}

fn question(actor: &str) -> String {
    let name = quoted(actor);
    let anonymous = if actor == "anonymous" { " OR actor_kind = 'anonymous'" } else { "" };
    format!(
        "SELECT DISTINCT {COLUMNS} FROM events \
         WHERE actor_uid = {name} OR actor_name = {name}{anonymous} ORDER BY {COLUMNS}"
    )
}

/// A text in SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A row of [`question`]; `None` where no datastore was touched.
fn touch(row: &[Value]) -> Option<Touch> {
    let [topic, incarnation, number, uid, name, kind, account, store, store_name] = row else {
        return None;
    };
    let text = |cell: &Value| cell.as_str().map(|text| text.to_owned().into());
    let partition = Partition {
        topic: topic.as_str()?.into(),
        incarnation: u32::try_from(incarnation.as_u64()?).ok()?,
        number: i32::try_from(number.as_i64()?).ok()?,
    };
    let known = ActorKind::ALL.into_iter().find(|known| kind.as_str() == Some(known.as_str()));
    let actor = Actor {
        uid: text(uid),
        name: text(name),
        kind: known.unwrap_or_default(),
        account_uid: text(account),
        ..Actor::default()
    };
    let datastore = Datastore {
        uid: text(store)?,
        name: text(store_name),
        resource_type: None,
        form: DatastoreForm::Other,
    };
    Some((partition, actor, datastore))
}

fn is_called(datastore: &Datastore<'_>, name: &str) -> bool {
    datastore.uid == name || datastore.name.as_deref() == Some(name)
}

/// The error about an actor that is nowhere.
fn unknown(engine: &Engine, actor: &str) -> Result<Failure, Failure> {
    let sql = "SELECT count(DISTINCT coalesce(actor_uid, actor_name)) AS actors FROM events";
    let counted = ask(engine, sql)?;
    let count = counted.first().and_then(|row| row.first()).and_then(Value::as_u64).unwrap_or(0);
    let hint = match &close_names(engine, Subject::Actor, actor)?[..] {
        [] => "; `dataward query` lists them: SELECT DISTINCT actor_name, actor_uid FROM events"
            .to_owned(),
        names => format!("; close to it: {}", names.join(", ")),
    };
    let text = format!("none of the {count} actors of the archive is called {actor}{hint}");
    Ok(Failure::text(Exit::Input, text))
}

/// The error about a datastore that the actor never touched.
fn untouched(actor: &str, name: &str, touches: &[Touch]) -> Failure {
    let known: BTreeSet<&str> = touches.iter().map(|(.., datastore)| datastore.label()).collect();
    let mut list = known.iter().take(TOLD_MAX).copied().collect::<Vec<_>>().join(", ");
    match known.len() {
        0 => list.push_str("none at all"),
        1..=TOLD_MAX => {}
        count => list += &format!(" and {} more", count - TOLD_MAX),
    }
    let text = format!("{actor} never touched a datastore {name}; it touched {list}");
    Failure::text(Exit::Input, text)
}

/// The rows of an answer.
#[derive(Default)]
struct Rows(Vec<Vec<Value>>);

impl Answer for Rows {
    fn columns(&mut self, _: &[String]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, cells: Vec<Value>) -> io::Result<()> {
        self.0.push(cells);
        Ok(())
    }
}

fn ask(engine: &Engine, sql: &str) -> Result<Vec<Vec<Value>>, Failure> {
    let mut rows = Rows::default();
    engine.query(sql, &mut rows)?;
    Ok(rows.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(partition: i32, uid: &str, kind: &str, store: &str) -> Touch {
        let cells = json!(["audit", 0, partition, uid, "ada", kind, "1111", store, null]);
        touch(cells.as_array().unwrap()).unwrap()
    }

    #[test]
    fn a_name_is_a_text_and_no_sql() {
        let sql = question("o'brien' OR 1=1 --");
        assert!(sql.contains("actor_uid = 'o''brien'' OR 1=1 --' OR"), "{sql}");
        assert!(!sql.contains("anonymous") && question("anonymous").contains("actor_kind = 'a"));
    }

    #[test]
    fn a_row_gives_the_key_under_which_its_actor_is_remembered() {
        let (partition, actor, datastore) = row(3, "AIDA", "human", "arn:orders");
        assert_eq!((&*partition.topic, partition.number), ("audit", 3));
        let observed = Actor { uid: Some("AIDA".into()), ..Actor::default() };
        assert_eq!(actor_key(&actor, &datastore), actor_key(&observed, &datastore));
        let nowhere = json!(["audit", 0, 3, "AIDA", "ada", "human", "1111", null, null]);
        assert!(touch(nowhere.as_array().unwrap()).is_none());
    }

    #[test]
    fn an_actor_is_shown_once_in_a_partition_and_nobody_for_each_datastore() {
        let touches = || {
            let of = |partition, uid| ["a", "b"].map(|store| row(partition, uid, "human", store));
            let nobody = ["a", "b"].map(|store| row(0, "x", "anonymous", store));
            of(0, "u").into_iter().chain(of(1, "u")).chain(nobody).collect()
        };
        let places = |found: &[Found]| -> Vec<(i32, bool)> {
            found.iter().map(|found| (found.partition.number, found.looked_at.is_some())).collect()
        };
        let mut all = places(&chosen(touches(), None));
        all.sort_unstable();
        assert_eq!(all, [(0, false), (0, false), (0, false), (1, false)]);
        let of_b = places(&chosen(touches(), Some("b")));
        assert_eq!(of_b, [(0, true), (0, true), (1, true)]);
        assert_eq!(places(&chosen(touches(), Some("c"))), [(0, false), (1, false)]);
    }
}
