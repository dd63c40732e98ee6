//! `GRANT` and `REVOKE`.

use sqlparser::tokenizer::Token;

use crate::sql::effect::{Effect, Grant, Grantee};
use crate::sql::statement::Statement;
use crate::sql::tokens::Tokens;

/// Kinds of things that rights are on; of those that begin alike the longer one is first.
#[rustfmt::skip]
const OBJECT_TYPES: &[&str] = &[
    "ALL TABLES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "ALL FUNCTIONS IN SCHEMA", "ALL PROCEDURES IN SCHEMA",
    "ALL ROUTINES IN SCHEMA", "ALL VIEWS IN SCHEMA", "ALL TABLES IN DATABASE", "ALL VIEWS IN DATABASE",
    "ALL SCHEMAS IN DATABASE", "FUTURE TABLES IN SCHEMA", "FUTURE VIEWS IN SCHEMA", "FUTURE TABLES IN DATABASE",
    "FUTURE VIEWS IN DATABASE", "FUTURE SCHEMAS IN DATABASE",
    "FOREIGN DATA WRAPPER", "FOREIGN SERVER", "LARGE OBJECT", "MATERIALIZED VIEW", "EXTERNAL LOCATION",
    "STORAGE CREDENTIAL", "EXTERNAL TABLE", "DYNAMIC TABLE", "FILE FORMAT", "DATABASE ROLE", "MASKING POLICY",
    "ROW ACCESS POLICY", "NETWORK POLICY", "TABLE", "VIEW", "SEQUENCE", "DATABASE", "CATALOG", "SCHEMA", "FUNCTION",
    "PROCEDURE", "ROUTINE", "LANGUAGE", "TYPE", "DOMAIN", "TABLESPACE", "PARAMETER", "ACCOUNT", "WAREHOUSE", "STAGE",
    "INTEGRATION", "SHARE", "ROLE", "USER", "VOLUME", "MODEL", "METASTORE", "TABLES", "SEQUENCES", "FUNCTIONS",
    "ROUTINES", "SCHEMAS", "TYPES",
];

/// What a grantee may be called.
const GRANTEE_KINDS: [&str; 9] = [
    "APPLICATION ROLE",
    "APPLICATION",
    "DATABASE ROLE",
    "ROLE",
    "USER",
    "GROUP",
    "SHARE",
    "RECIPIENT",
    "SERVICE PRINCIPAL",
];

/// Words that end the list of grantees.
const BEHIND_GRANTEES: [&str; 9] =
    ["WITH", "GRANTED", "IDENTIFIED", "REQUIRE", "AS", "CASCADE", "RESTRICT", "COPY", "IGNORE"];

/// Reads what stands behind `GRANT` or `REVOKE`; `towards` is the word before the grantees.
pub(super) fn read(mut rest: Tokens<'_>, towards: &str, statement: &mut Statement) -> Option<()> {
    let _ = rest.eat("IF EXISTS")
        || rest.eat("GRANT OPTION FOR")
        || rest.eat("ADMIN OPTION FOR")
        || rest.eat("INHERIT OPTION FOR")
        || rest.eat("SET OPTION FOR");
    let mut grant = Grant::default();
    let what = rest.before(&["ON", towards]);
    if rest.eat("ON") {
        let object = rest.before(&[towards]);
        grant.privileges = what.split_commas().into_iter().filter_map(privilege).collect();
        read_object(object, &mut grant);
    } else {
        read_roles(what, &mut grant);
    }
    if !rest.eat(towards) {
        return None;
    }
    let grantees = rest.before(&BEHIND_GRANTEES);
    for grantee in grantees.split_commas() {
        grant.grantees.push(read_grantee(grantee)?);
    }
    if grant.privileges.is_empty() || grant.grantees.is_empty() {
        return None;
    }
    grant.with_grant_option = rest.holds("GRANT OPTION") || rest.holds("ADMIN OPTION");
    statement.add_tables(grant.objects.iter().cloned());
    let effect = if towards == "TO" { Effect::Grant(grant) } else { Effect::Revoke(grant) };
    statement.effects.push(effect);
    Some(())
}

/// `ALTER DEFAULT PRIVILEGES … GRANT …`: rights on what is made in future.
pub(super) fn read_default(mut rest: Tokens<'_>, statement: &mut Statement) -> Option<()> {
    let is_grant = rest.holds("GRANT");
    rest.before(&["GRANT", "REVOKE"]);
    rest.next();
    read(rest, if is_grant { "TO" } else { "FROM" }, statement)
}

/// `SELECT (a, b)` is `SELECT`.
fn privilege(part: Tokens<'_>) -> Option<String> {
    let mut words = Vec::new();
    let mut part = part;
    loop {
        if part.parenthesised().is_some() {
            continue;
        }
        match part.next() {
            Some(Token::Word(word)) => words.push(word.value.to_ascii_uppercase()),
            Some(_) => {}
            None => break,
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn read_object(mut object: Tokens<'_>, grant: &mut Grant) {
    // `ON t TO x` where `t` is called like a type: a type is followed by a name.
    let mut ahead = object;
    if let Some(kind) = ahead.eat_any(OBJECT_TYPES)
        && ahead.peek().is_some_and(|token| *token != Token::Period)
    {
        grant.object_type = Some(kind.to_owned());
        object = ahead;
    }
    for mut part in object.split_commas() {
        // MySQL's `PROXY ON 'a'@'b'` is an account.
        if let Some(name) = part.account() {
            grant.objects.push(name);
        }
    }
}

/// `GRANT a, b TO c`, Snowflake's `GRANT ROLE a TO ROLE b`, MySQL's `REVOKE ALL PRIVILEGES, GRANT OPTION FROM a`.
fn read_roles(mut what: Tokens<'_>, grant: &mut Grant) {
    let mut ahead = what;
    if let Some(kind) = ahead.eat_any(&["DATABASE ROLE", "APPLICATION ROLE", "ROLE"])
        && !ahead.is_empty()
    {
        grant.object_type = Some(kind.to_owned());
        what = ahead;
    }
    for part in what.split_commas() {
        let mut name = part;
        let account = name.account().filter(|_| name.is_empty());
        grant.privileges.extend(account.or_else(|| privilege(part)));
    }
}

fn read_grantee(mut grantee: Tokens<'_>) -> Option<Grantee> {
    let mut ahead = grantee;
    let kind = ahead.eat_any(&GRANTEE_KINDS).filter(|_| !ahead.is_empty());
    if kind.is_some() {
        grantee = ahead;
    }
    Some(Grantee { kind: kind.map(str::to_owned), name: grantee.account()? })
}
