//! What lets data out of an account or server: shares, stages, integrations, replication.

use sqlparser::tokenizer::Token;

use super::properties;
use crate::sql::effect::{Action, Effect, Scope};
use crate::sql::statement::Statement;
use crate::sql::tokens::{self, Tokens};

/// Reads what stands behind `CREATE PUBLICATION`, `DROP SUBSCRIPTION` and their like.
pub(super) fn read_replication(
    mut rest: Tokens<'_>,
    kind: &str,
    action: Action,
    statement: &mut Statement,
) -> Option<()> {
    let name = rest.name()?;
    if kind == "SUBSCRIPTION" {
        let connection = rest
            .skip_past("CONNECTION")
            .then(|| rest.peek().and_then(tokens::string_text))
            .flatten()
            .map(without_password);
        statement.effects.push(Effect::Subscription { action, name, connection });
        return Some(());
    }
    let mut tables = Vec::new();
    let all_tables = rest.holds("FOR ALL TABLES");
    if !all_tables && (rest.skip_past("TABLE") || rest.skip_past("TABLES IN SCHEMA")) {
        tables = rest
            .before(&["WITH", "WHERE"])
            .split_commas()
            .into_iter()
            .filter_map(|mut part| {
                part.eat("TABLE");
                part.eat("ONLY");
                part.name()
            })
            .collect();
    }
    statement.add_tables(tables.iter().cloned());
    statement.effects.push(Effect::Publication { action, name, all_tables, tables });
    Some(())
}

/// `host=a dbname=b password=c` without the last.
fn without_password(connection: &str) -> String {
    let is_secret = |word: &&str| !word.trim_start().to_ascii_lowercase().starts_with("password");
    connection.split_whitespace().filter(is_secret).collect::<Vec<_>>().join(" ")
}

/// `CREATE SHARE`, `ALTER SHARE s ADD ACCOUNTS = a, b`, listings, recipients.
pub(super) fn read_share(
    mut rest: Tokens<'_>,
    kind: &str,
    action: Action,
    statement: &mut Statement,
) -> Option<()> {
    let kind = ["SHARE", "RECIPIENT", "LISTING"].into_iter().find(|known| kind.ends_with(known))?;
    let name = rest.name()?;
    let action = match action {
        Action::Alter if rest.holds("REMOVE") || rest.is("UNPUBLISH") => Action::Detach,
        Action::Alter if rest.is("ADD") || rest.holds("ACCOUNTS") || rest.is("PUBLISH") => {
            Action::Attach
        }
        other => other,
    };
    let mut accounts = Vec::new();
    if rest.skip_past("ACCOUNTS") {
        rest.eat_token(&Token::Eq);
        accounts = rest.names();
    }
    statement.effects.push(Effect::Share { action, kind, name, accounts });
    Some(())
}

/// `CREATE STAGE s URL = 's3://…' CREDENTIALS = (…)`.
pub(super) fn read_stage(mut rest: Tokens<'_>, statement: &mut Statement) -> Option<()> {
    let name = rest.name()?;
    let found = properties::read(rest);
    if let Some(url) = properties::single(&found, "URL") {
        statement.effects.push(Effect::Stage {
            name,
            url: url.to_owned(),
            has_credentials: found.iter().any(|(name, _)| name == "CREDENTIALS"),
            integration: properties::single(&found, "STORAGE_INTEGRATION").map(str::to_owned),
        });
    }
    Some(())
}

/// `CREATE STORAGE INTEGRATION i STORAGE_ALLOWED_LOCATIONS = ('*')`, `ALTER … SET ENABLED = FALSE`, `ALTER … UNSET x`.
pub(super) fn read_integration(
    mut rest: Tokens<'_>,
    kind: &str,
    action: Action,
    statement: &mut Statement,
) -> Option<()> {
    let name = rest.name()?;
    let properties = if rest.eat("UNSET") {
        rest.names().into_iter().map(|name| (name.to_ascii_uppercase(), Vec::new())).collect()
    } else {
        rest.eat("SET");
        properties::read(rest)
    };
    let kind = kind.to_owned();
    statement.effects.push(Effect::Integration { action, kind, name, properties });
    Some(())
}

/// `CREATE REPLICATION GROUP g … ALLOWED_ACCOUNTS = o.a, o.b`.
pub(super) fn read_group(
    mut rest: Tokens<'_>,
    action: Action,
    statement: &mut Statement,
) -> Option<()> {
    let object = rest.name()?;
    let mut accounts = Vec::new();
    if rest.skip_past("ALLOWED_ACCOUNTS") || rest.skip_past("TO ALLOWED_ACCOUNTS") {
        rest.eat_token(&Token::Eq);
        accounts = rest.names();
    }
    let is_enabled = action != Action::Drop;
    statement.effects.push(Effect::Replication { object, accounts, is_enabled });
    Some(())
}

/// `ALTER DATABASE d ENABLE REPLICATION TO ACCOUNTS a, b`; says whether it was that.
pub(super) fn read_enabled_replication(
    mut rest: Tokens<'_>,
    scope: &Scope,
    statement: &mut Statement,
) -> bool {
    let Scope::Database(object) = scope else { return false };
    let is_enabled = rest.eat("ENABLE REPLICATION") || rest.eat("ENABLE FAILOVER");
    if !is_enabled && !rest.eat("DISABLE REPLICATION") && !rest.eat("DISABLE FAILOVER") {
        return false;
    }
    let accounts = if rest.eat("TO ACCOUNTS") { rest.names() } else { Vec::new() };
    let object = object.clone();
    statement.effects.push(Effect::Replication { object, accounts, is_enabled });
    true
}
