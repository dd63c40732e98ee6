//! Copies of databases, and their births and ends: by the words of a statement, completed by where its session stood.

use dataward_event::audit_event::{AuditEvent, Outcome};

use super::row::Row;
use super::{database, qualified};
use crate::changes::{Changes, PlaceOf};
use crate::sql::{self, Effect, Statement};

/// Puts what a statement says of whole databases into its event.
pub(super) fn put(event: &mut AuditEvent<'_>, row: &Row<'_>, statement: &Statement, text: &str) {
    let mut changes = Changes::default();
    match &*event.operation {
        "UNLOAD" => unloaded(statement, &mut changes),
        "CREATE_TABLE_AS_SELECT" | "INSERT" | "MERGE" => written(event, row, &mut changes),
        _ => {}
    }
    for effect in &statement.effects {
        if let Effect::Replication { object, accounts, is_enabled: true } = effect {
            for account in accounts {
                let account = account.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
                changes.copy_to(elsewhere(&account, object), place(&account));
            }
        }
    }
    if statement.command.starts_with("CREATE") {
        cloned(event, row, text, &mut changes);
    }
    if let Some((account, name)) = sql::copies::replica(text) {
        let account = account.to_ascii_uppercase();
        changes.copy_from(elsewhere(&account, &name), place(&account));
    }
    if matches!(&*statement.command, "CREATE DATABASE" | "DROP DATABASE")
        && event.outcome == Outcome::Success
        && let Some(found) = sql::copies::of_database(text, &["DATABASE"])
    {
        event.datastore = Some(database(row, &found.name));
        found.act().put(event);
    }
    event.changes.extend(changes.into_vec());
}

/// A database of another account.
fn elsewhere(account: &str, name: &str) -> String {
    format!("snowflake/{account}/{}", name.to_ascii_uppercase())
}

fn place(account: &str) -> PlaceOf<'_> {
    PlaceOf { provider: Some("Snowflake"), account: Some(account), region: None }
}

/// The bucket that a table is unloaded into. Snowflake itself lives with a provider: that it is another one is not told.
fn unloaded(statement: &Statement, changes: &mut Changes) {
    let Some((scheme, rest)) = statement.destination.as_deref().and_then(|to| to.split_once("://"))
    else {
        return;
    };
    let bucket = rest.split('/').next().unwrap_or_default();
    let copy = match scheme.trim_start_matches(['\'', '"']) {
        "s3" => format!("arn:aws:s3:::{bucket}"),
        "gcs" => format!("//storage.googleapis.com/projects/_/buckets/{bucket}"),
        // An address names no resource: the copy is known by the account's host alone.
        "azure" => format!("https://{bucket}"),
        _ => return,
    };
    changes.copy_to(copy, PlaceOf::default());
}

/// What a statement wrote into a table of one database from those of others.
fn written(event: &AuditEvent<'_>, row: &Row<'_>, changes: &mut Changes) {
    let own = event.datastore.as_ref().map(|datastore| &*datastore.uid);
    let mut seen = Vec::new();
    for object in event.objects.iter().skip(1).filter(|object| object.split('.').count() == 3) {
        let origin = database(row, object.split('.').next().unwrap_or_default());
        if own != Some(&*origin.uid) && !seen.contains(&origin.uid) {
            seen.push(origin.uid.clone());
            changes.copy_from(origin.uid, PlaceOf::default());
        }
    }
}

/// `CREATE … CLONE …` between databases.
fn cloned(event: &mut AuditEvent<'_>, row: &Row<'_>, text: &str, changes: &mut Changes) {
    let Some((kind, name, origin)) = sql::copies::clone(text) else { return };
    let of = |name: &str| {
        let full = match kind.as_str() {
            "DATABASE" => name.to_owned(),
            "SCHEMA" if !name.contains('.') => row.database.as_str()?.to_owned(),
            "SCHEMA" => name.to_owned(),
            _ => qualified(row, name),
        };
        let parts = full.split('.').count();
        let is_full = kind != "TABLE" || parts == 3;
        Some(database(row, full.split('.').next()?)).filter(|_| is_full)
    };
    if let (Some(copy), Some(origin)) = (of(&name), of(&origin))
        && copy.uid != origin.uid
    {
        event.datastore = Some(copy);
        changes.copy_from(origin.uid, PlaceOf::default());
    }
}
