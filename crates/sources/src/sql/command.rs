//! What a statement is called, and what it does at large: told by its first words.

use std::borrow::Cow;

use sqlparser::tokenizer::{Token, Tokenizer};

use super::statement::Dialect;
use super::tokens::{self, Tokens};
use crate::act::Act;

/// The first words of a statement, and what they mean.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) name: Cow<'static, str>,
    pub(crate) act: Act,
}

/// How much of a text is looked at for its first words; what stands before them may be a comment.
const HEAD_BYTES_MAX: usize = 1024;

/// What a text of SQL is called, without reading more of it than its first words.
pub(crate) fn command(text: &str, dialect: Dialect) -> Option<Command> {
    let head = &text[..text.floor_char_boundary(HEAD_BYTES_MAX)];
    let mut all = Vec::new();
    // Of a text that is cut in a string, the tokens before it are there all the same.
    let _ = Tokenizer::new(dialect.grammar(), head).tokenize_with_location_into_buf(&mut all);
    let words: Vec<&Token> =
        all.iter().map(|token| &token.token).filter(|token| !tokens::is_blank(token)).collect();
    of_tokens(Tokens::new(&words), dialect)
}

/// Statements that are not `CREATE`, `ALTER` or `DROP` of something; of phrases that begin alike the longer one is first.
#[rustfmt::skip]
const SIMPLE: &[(&str, Act)] = &[
    ("SELECT", Act::QUERY),
    ("WITH", Act::QUERY),
    ("TABLE", Act::QUERY),
    ("VALUES", Act::QUERY),
    ("FROM", Act::QUERY),
    ("COPY", Act::QUERY),
    ("UNLOAD", Act::QUERY),
    ("FETCH", Act::QUERY),
    ("MOVE", Act::OTHER),
    ("DECLARE", Act::QUERY),
    ("PREPARE TRANSACTION", Act::OTHER),
    ("PREPARE", Act::QUERY),
    ("EXECUTE IMMEDIATE", Act::QUERY),
    ("EXECUTE", Act::QUERY),
    ("CALL", Act::QUERY),
    ("DO", Act::QUERY),
    ("HANDLER", Act::QUERY),
    ("GET", Act::READ),
    ("INSERT", Act::WRITE),
    ("REPLACE", Act::WRITE),
    ("MERGE", Act::WRITE),
    ("LOAD DATA", Act::WRITE),
    ("LOAD XML", Act::WRITE),
    ("PUT", Act::WRITE),
    ("IMPORT FOREIGN SCHEMA", Act::SCHEMA_CREATE),
    ("UPDATE", Act::UPDATE),
    ("DELETE", Act::DELETE),
    ("TRUNCATE TABLE", Act::DELETE),
    ("TRUNCATE", Act::DELETE),
    ("REMOVE", Act::DELETE),
    ("SHOW", Act::OTHER),
    ("DESCRIBE", Act::OTHER),
    ("DESC", Act::OTHER),
    ("LIST", Act::LIST),
    ("LS", Act::LIST),
    ("HELP", Act::OTHER),
    ("EXPLAIN", Act::OTHER),
    ("ANALYZE", Act::OTHER),
    ("VACUUM", Act::OTHER),
    ("GRANT", Act::GRANT),
    ("REVOKE", Act::REVOKE),
    ("REASSIGN OWNED", Act::GRANT),
    ("SECURITY LABEL", Act::SCHEMA_UPDATE),
    ("COMMENT", Act::SCHEMA_UPDATE),
    ("RENAME TABLE", Act::SCHEMA_UPDATE),
    ("RENAME USER", Act::USER_UPDATE),
    ("UNDROP", Act::SCHEMA_CREATE),
    ("MSCK", Act::SCHEMA_UPDATE),
    ("REFRESH", Act::OTHER),
    ("REINDEX", Act::OTHER),
    ("CLUSTER", Act::OTHER),
    ("OPTIMIZE", Act::OTHER),
    ("REPAIR", Act::OTHER),
    ("CHECK", Act::OTHER),
    ("CHECKSUM", Act::OTHER),
    ("CHECKPOINT", Act::OTHER),
    ("INSTALL PLUGIN", Act::CONFIG),
    ("INSTALL SONAME", Act::CONFIG),
    ("INSTALL COMPONENT", Act::CONFIG),
    ("UNINSTALL PLUGIN", Act::CONFIG),
    ("UNINSTALL SONAME", Act::CONFIG),
    ("UNINSTALL COMPONENT", Act::CONFIG),
    ("CLONE", Act::QUERY),
    ("CHANGE MASTER", Act::CONFIG),
    ("CHANGE REPLICATION SOURCE", Act::CONFIG),
    ("START REPLICA", Act::CONFIG),
    ("STOP REPLICA", Act::CONFIG),
    ("START SLAVE", Act::CONFIG),
    ("STOP SLAVE", Act::CONFIG),
    ("RESET MASTER", Act::CONFIG),
    ("RESET PERSIST", Act::CONFIG),
    ("RESET REPLICA", Act::CONFIG),
    ("RESET SLAVE", Act::CONFIG),
    ("PURGE", Act::CONFIG),
    ("SHUTDOWN", Act::APP_STOP),
    ("RESTART", Act::APP_START),
    ("KILL", Act::OTHER),
    ("FLUSH", Act::OTHER),
    ("SET PASSWORD", Act::PASSWORD_CHANGE),
    ("SET ROLE", Act::ACCOUNT_SWITCH),
    ("SET LOCAL ROLE", Act::ACCOUNT_SWITCH),
    ("SET SESSION ROLE", Act::ACCOUNT_SWITCH),
    ("SET DEFAULT ROLE", Act::USER_UPDATE),
    ("SET SESSION AUTHORIZATION", Act::ACCOUNT_SWITCH),
    ("RESET ROLE", Act::ACCOUNT_SWITCH),
    ("RESET SESSION AUTHORIZATION", Act::ACCOUNT_SWITCH),
    ("USE ROLE", Act::ACCOUNT_SWITCH),
    ("USE SECONDARY ROLES", Act::ACCOUNT_SWITCH),
    ("USE", Act::OTHER),
    ("SET", Act::OTHER),
    ("UNSET", Act::OTHER),
    ("RESET", Act::OTHER),
    ("DISCARD", Act::OTHER),
    ("BEGIN", Act::OTHER),
    ("START TRANSACTION", Act::OTHER),
    ("COMMIT", Act::OTHER),
    ("END", Act::OTHER),
    ("ROLLBACK", Act::OTHER),
    ("ABORT", Act::OTHER),
    ("SAVEPOINT", Act::OTHER),
    ("RELEASE", Act::OTHER),
    ("XA", Act::OTHER),
    ("LOCK", Act::OTHER),
    ("UNLOCK", Act::OTHER),
    ("CLOSE", Act::OTHER),
    ("DEALLOCATE", Act::OTHER),
    ("LISTEN", Act::OTHER),
    ("UNLISTEN", Act::OTHER),
    ("NOTIFY", Act::OTHER),
    ("LOAD", Act::OTHER),
    ("CACHE", Act::OTHER),
    ("UNCACHE", Act::OTHER),
    ("BINLOG", Act::OTHER),
    ("SIGNAL", Act::OTHER),
];

/// What is made, changed and removed; of phrases that begin alike the longer one is first.
#[rustfmt::skip]
const OBJECTS: &[&str] = &[
    "TABLE", "MATERIALIZED VIEW", "VIEW", "FOREIGN TABLE", "DYNAMIC TABLE", "ICEBERG TABLE", "EVENT TABLE",
    "INDEX", "SEQUENCE", "SCHEMA", "DATABASE ROLE", "DATABASE LINK", "DATABASE", "CATALOG", "TABLESPACE",
    "ROLE", "USER MAPPING", "USER", "GROUP", "ACCOUNT",
    "POLICY", "MASKING POLICY", "ROW ACCESS POLICY", "AGGREGATION POLICY", "PROJECTION POLICY", "NETWORK POLICY",
    "NETWORK RULE", "AUTHENTICATION POLICY", "PASSWORD POLICY", "SESSION POLICY",
    "EXTENSION", "PUBLICATION", "SUBSCRIPTION", "FOREIGN DATA WRAPPER", "SERVER",
    "STORAGE INTEGRATION", "SECURITY INTEGRATION", "API INTEGRATION", "NOTIFICATION INTEGRATION",
    "EXTERNAL ACCESS INTEGRATION", "CATALOG INTEGRATION", "INTEGRATION",
    "STORAGE CREDENTIAL", "EXTERNAL LOCATION", "SHARE", "RECIPIENT", "PROVIDER", "CONNECTION", "EXTERNAL LISTING",
    "LISTING", "ORGANIZATION LISTING", "REPLICATION GROUP", "FAILOVER GROUP", "STAGE", "FILE FORMAT", "PIPE",
    "STREAM", "TASK", "TAG", "WAREHOUSE", "RESOURCE MONITOR", "SECRET", "ALERT", "APPLICATION", "VOLUME",
    "SYSTEM", "INSTANCE", "SESSION", "DEFAULT PRIVILEGES", "LARGE OBJECT", "OWNED",
    "AGGREGATE", "FUNCTION", "PROCEDURE", "ROUTINE", "TRIGGER", "EVENT TRIGGER", "EVENT", "RULE", "TYPE", "DOMAIN",
    "COLLATION", "CONVERSION", "CAST", "OPERATOR CLASS", "OPERATOR FAMILY", "OPERATOR", "LANGUAGE", "STATISTICS",
    "TEXT SEARCH CONFIGURATION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE",
    "ACCESS METHOD", "TRANSFORM", "LOGFILE GROUP", "UNDO TABLESPACE", "PACKAGE", "SPATIAL REFERENCE SYSTEM",
];

/// What may stand between `CREATE` and what is made.
#[rustfmt::skip]
const ADJECTIVES: &[&str] = &[
    "OR REPLACE", "OR ALTER", "OR REFRESH", "GLOBAL", "LOCAL", "TEMPORARY", "TEMP", "UNLOGGED", "TRANSIENT", "VOLATILE",
    "UNIQUE", "FULLTEXT", "SPATIAL", "SECURE", "RECURSIVE", "EXTERNAL", "TRUSTED", "PROCEDURAL", "CONSTRAINT",
    "HYBRID", "STREAMING", "LIVE", "ONLINE", "OFFLINE", "SQL SECURITY DEFINER", "SQL SECURITY INVOKER",
];

/// The command that begins here.
pub(super) fn of_tokens(mut tokens: Tokens<'_>, dialect: Dialect) -> Option<Command> {
    while tokens.eat_token(&Token::LParen) {}
    let (verb, acts) = if tokens.eat("CREATE") {
        ("CREATE", [Act::SCHEMA_CREATE, Act::USER_CREATE])
    } else if tokens.eat("ALTER") {
        ("ALTER", [Act::SCHEMA_UPDATE, Act::USER_UPDATE])
    } else if tokens.eat("DROP") {
        ("DROP", [Act::SCHEMA_DELETE, Act::USER_DELETE])
    } else {
        // Most statements are told apart by their first letters.
        let first = tokens.word()?.as_bytes();
        let (name, act) = SIMPLE.iter().find(|(phrase, _)| {
            let phrase_begin = phrase.as_bytes().get(..2);
            let is_near =
                first.get(..2).zip(phrase_begin).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
            is_near && tokens.is(phrase)
        })?;
        return Some(Command { name: Cow::Borrowed(name), act: *act });
    };
    skip_adjectives(&mut tokens);
    let object = OBJECTS.iter().find(|object| tokens.is(object))?;
    Some(named(verb, object, acts, dialect))
}

fn named(verb: &str, object: &str, [thing, account]: [Act; 2], dialect: Dialect) -> Command {
    // PostgreSQL knows roles only, by three names.
    let object = match (dialect, object) {
        (Dialect::Postgres, "USER" | "GROUP") => "ROLE",
        _ => object,
    };
    let act = match object {
        "ROLE" | "USER" | "GROUP" | "DATABASE ROLE" => account,
        "SYSTEM" | "INSTANCE" | "ACCOUNT" => Act::CONFIG,
        "DEFAULT PRIVILEGES" => Act::GRANT,
        "SESSION" => Act::OTHER,
        _ => thing,
    };
    Command { name: Cow::Owned(format!("{verb} {object}")), act }
}

/// Skips what may stand between `CREATE` and what is made: `OR REPLACE`, `TEMPORARY`, MySQL's `DEFINER = 'a'@'b'`.
pub(super) fn skip_adjectives(tokens: &mut Tokens<'_>) {
    loop {
        if OBJECTS.iter().any(|object| object.contains(' ') && tokens.is(object)) {
            return;
        }
        if tokens.eat("DEFINER") {
            tokens.eat_token(&Token::Eq);
            tokens.account();
            tokens.parenthesised();
        } else if tokens.eat("ALGORITHM") {
            tokens.eat_token(&Token::Eq);
            tokens.next();
        } else if tokens.eat_any(ADJECTIVES).is_none() {
            return;
        }
    }
}
