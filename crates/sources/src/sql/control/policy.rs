//! Policies on rows, columns, networks and log-ons.

use sqlparser::tokenizer::Token;

use super::properties;
use crate::sql::effect::{Action, Effect, Policy, PolicyKind};
use crate::sql::statement::Statement;
use crate::sql::tokens::Tokens;

const KINDS: [(&str, PolicyKind); 9] = [
    ("POLICY", PolicyKind::RowSecurity),
    ("ROW ACCESS POLICY", PolicyKind::RowAccess),
    ("MASKING POLICY", PolicyKind::Masking),
    ("AGGREGATION POLICY", PolicyKind::Aggregation),
    ("PROJECTION POLICY", PolicyKind::Projection),
    ("NETWORK POLICY", PolicyKind::Network),
    ("AUTHENTICATION POLICY", PolicyKind::Authentication),
    ("PASSWORD POLICY", PolicyKind::Password),
    ("SESSION POLICY", PolicyKind::Session),
];

/// A policy of which only its kind, its name and what happened to it are known.
pub(super) fn plain(kind: PolicyKind, action: Action, name: String) -> Policy {
    Policy {
        kind,
        action,
        name,
        object: None,
        body: None,
        command: None,
        roles: Vec::new(),
        is_permissive: true,
        properties: Vec::new(),
    }
}

/// Reads what stands behind `CREATE POLICY`, `ALTER MASKING POLICY` and their like.
pub(super) fn read(
    mut rest: Tokens<'_>,
    kind: &str,
    action: Action,
    statement: &mut Statement,
) -> Option<()> {
    let (_, kind) = KINDS.iter().find(|(name, _)| *name == kind)?;
    let _ = rest.eat("IF EXISTS") || rest.eat("IF NOT EXISTS");
    let mut policy = plain(*kind, action, rest.name()?);
    if *kind == PolicyKind::RowSecurity {
        read_row_security(rest, &mut policy)?;
        statement.add_tables(policy.object.clone());
    } else if rest.eat("UNSET") {
        policy.properties =
            rest.names().into_iter().map(|name| (upper(&name), Vec::new())).collect();
    } else {
        let mut body = rest;
        if body.skip_past("BODY") || body.skip_past("RETURNS") {
            while !body.is_empty()
                && !body.eat_token(&Token::Arrow)
                && body.peek() != Some(&Token::RArrow)
            {
                body.next();
            }
            body.eat_token(&Token::RArrow);
            policy.body = Some(body.joined());
        } else {
            rest.eat("SET");
            policy.properties = properties::read(rest);
        }
    }
    statement.effects.push(Effect::Policy(policy));
    Some(())
}

fn upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// `ON table [AS PERMISSIVE] [FOR SELECT] [TO roles] [USING (…)] [WITH CHECK (…)]`.
fn read_row_security(mut rest: Tokens<'_>, policy: &mut Policy) -> Option<()> {
    if !rest.eat("ON") {
        return None;
    }
    policy.object = Some(rest.name()?);
    while !rest.is_empty() {
        if rest.eat("AS RESTRICTIVE") {
            policy.is_permissive = false;
        } else if rest.eat("FOR") {
            policy.command = rest.word().map(upper);
        } else if rest.eat("TO") {
            policy.roles = rest.names();
        } else if rest.eat("USING") {
            policy.body = rest.parenthesised().map(|body| body.joined());
        } else {
            rest.next();
        }
    }
    Some(())
}

/// `ALTER TAG t UNSET MASKING POLICY p, MASKING POLICY q`: of every column that bears the tag.
pub(super) fn read_tag(mut rest: Tokens<'_>, statement: &mut Statement) -> Option<()> {
    let tag = rest.name()?;
    let is_set = rest.eat("SET");
    if !is_set && !rest.eat("UNSET") {
        return Some(());
    }
    for part in rest.split_commas() {
        if let Some(Effect::Policy(mut policy)) = attachment(part, is_set, "") {
            policy.object = Some(format!("{tag}.{}", policy.name));
            statement.effects.push(Effect::Policy(policy));
        }
    }
    Some(())
}

/// Behind `SET` or `UNSET`: `MASKING POLICY p`, `NETWORK POLICY`, `ROW FILTER f`, `MASK f`; `None` if it is something else.
pub(super) fn attachment(mut rest: Tokens<'_>, is_set: bool, object: &str) -> Option<Effect> {
    let kind = if rest.eat("ROW FILTER") {
        PolicyKind::RowAccess
    } else if rest.eat("MASK") {
        PolicyKind::Masking
    } else {
        // The plain `POLICY` is PostgreSQL's, and nothing is attached by it.
        KINDS.iter().skip(1).find(|(name, _)| rest.eat(name)).map(|(_, kind)| *kind)?
    };
    let action = if is_set { Action::Attach } else { Action::Detach };
    let mut policy = plain(kind, action, rest.name().unwrap_or_else(|| "*".to_owned()));
    policy.object = Some(object.to_owned()).filter(|object| !object.is_empty());
    Some(Effect::Policy(policy))
}
