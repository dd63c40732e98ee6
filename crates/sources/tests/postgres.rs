//! PostgreSQL's log in all its forms: fixtures after its documentation, and real samples where they are at hand.
#![expect(clippy::unwrap_used, reason = "tests")]

mod reading;
mod samples;

use std::path::{Path, PathBuf};

use dataward_event::audit_event::{AuditEvent, Class, EventKind, Outcome};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use proptest::prelude::*;
use reading::read;
use samples::test_data;
use serde_json::{Value, json};

/// `operation | actor | client | datastore | objects | outcome | rows | scope`, what is unknown left empty.
fn line(event: &AuditEvent<'_>) -> String {
    let port = event.client.port.map(|port| format!(":{port}")).unwrap_or_default();
    let rows = event.volume.rows.map(|rows| rows.0.to_string()).unwrap_or_default();
    let scope = event.read_scope.map_or("", |scope| scope.as_str());
    let parts = [
        event.operation.to_string(),
        event.actor.uid.as_deref().unwrap_or("").to_owned(),
        format!("{}{port}", event.client.ip.as_deref().unwrap_or("")),
        event.datastore.as_ref().map(|datastore| datastore.uid.to_string()).unwrap_or_default(),
        event.objects.join(" "),
        event.outcome.as_str().to_owned(),
        rows,
        scope.to_owned(),
    ];
    parts.join(" | ").trim_end_matches([' ', '|']).to_owned()
}

#[test]
#[rustfmt::skip]
fn entries_of_every_form() {
    const P: &str = "2026-03-04 05:06:07.890 UTC [77] ada@shop/psql 198.51.100.7 LOG:  ";
    let prefixed = |message: &str| format!("{P}{message}");
    for (payload, expected) in [
        // pgAudit
        (prefixed("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customers,SELECT * FROM customers,<not logged>,5001"),
            "SELECT | ada | 198.51.100.7 | postgres://unknown/shop | public.customers | Success | 5001 | whole"),
        (prefixed("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.orders,\"SELECT * FROM customers, orders\",<not logged>,5001"),
            "SELECT | ada | 198.51.100.7 | postgres://unknown/shop | public.orders | Success |  | part"),
        (prefixed("AUDIT: SESSION,1,1,READ,SELECT,,,\"SELECT name\n\t  FROM customers\n\t WHERE note = 'a, \"\"b\"\"'\",<none>,1"),
            "SELECT | ada | 198.51.100.7 | postgres://unknown/shop | customers | Success | 1 | part"),
        (prefixed("AUDIT: OBJECT,2,1,READ,SELECT,TABLE,public.test2,<previously logged>,<previously logged>,7"),
            "SELECT | ada | 198.51.100.7 | postgres://unknown/shop | public.test2 | Success"),
        (prefixed("AUDIT: SESSION,67,1,READ,COPY,,,\"COPY hr.salaries (id, amount) TO stdout;\",<not logged>,0"),
            "COPY | ada | 198.51.100.7 | postgres://unknown/shop | hr.salaries | Success |  | export"),
        (prefixed("AUDIT: SESSION,9,1,MISC,FETCH,,,FETCH 100 FROM c,<not logged>,100"),
            "FETCH | ada | 198.51.100.7 | postgres://unknown/shop |  | Success | 100"),
        (prefixed("AUDIT: SESSION,3,1,ROLE,CREATE ROLE,,,CREATE ROLE app LOGIN PASSWORD <REDACTED>,<not logged>,0"),
            "CREATE ROLE | ada | 198.51.100.7 | postgres://unknown |  | Success"),
        ("AUDIT: SESSION,3,1,WRITE,INSERT,TABLE,public.t,INSERT INTO t VALUES (1),<none>".to_owned(),
            "INSERT |  |  | postgres://unknown | public.t | Success"),
        // Other prefixes
        ("2026-03-04 05:06:07 UTC:10.0.0.9(5432):app@mydb:[12345]:LOG:  statement: DELETE FROM t;".to_owned(),
            "DELETE | app | 10.0.0.9:5432 | postgres://unknown/mydb | t | Unknown"),
        ("2026-03-04 05:06:07 UTC [7] user=ada,db=shop,app=my tool,client=10.1.2.3 LOG:  duration: 1.2 ms  execute <unnamed>: SELECT * FROM t LIMIT 1".to_owned(),
            "SELECT | ada | 10.1.2.3 | postgres://unknown/shop | t | Success |  | part"),
        ("<134>1 2026-03-04T05:06:07Z db1 postgres 12 - - 2026-03-04 05:06:07 UTC [7] ada@shop LOG:  statement: SELECT * FROM t".to_owned(),
            "SELECT | ada |  | postgres://db1/shop | t | Unknown |  | whole"),
        ("<134>Mar  4 05:06:07 db1 postgres[12]: [5-1] 2026-03-04 05:06:07 UTC [12] ada@shop LOG:  statement: TABLE t".to_owned(),
            "TABLE | ada |  | postgres://db1/shop | t | Unknown |  | whole"),
        ("<133>Nov 25 01:05:56 db-1.example.org postgres-csv 2026-03-04 05:06:07 UTC [12] ada@shop LOG:  statement: SELECT 1".to_owned(),
            "SELECT | ada |  | postgres://db-1.example.org/shop |  | Unknown"),
        // CSV of 23, 24 and 26 columns
        ("2026-03-04 05:06:07.890 UTC,\"ada\",\"shop\",54,\"172.24.0.1:42608\",5ff25ea4.36,6,\"SELECT\",2026-03-04 05:00:00 UTC,3/0,0,LOG,00000,\"duration: 0.658 ms  statement: SELECT 'multi',\n'line';\",,,,,,,,,\"psql\"".to_owned(),
            "SELECT | ada | 172.24.0.1:42608 | postgres://unknown/shop |  | Success"),
        ("2026-03-04 05:06:07.890 UTC,\"ada\",\"shop\",54,\"[local]\",5ff25ea4.36,6,\"SELECT\",2026-03-04 05:00:00 UTC,3/0,0,ERROR,42501,\"permission denied for table t\",,,,,,\"SELECT * FROM t;\",15,,\"psql\",\"client backend\"".to_owned(),
            "SELECT | ada | [local] | postgres://unknown/shop | t | Failure"),
        ("2026-03-04 05:06:07.890 UTC,\"ada\",\"shop\",54,\"10.0.0.1:4\",5ff25ea4.36,6,\"SELECT\",2026-03-04 05:00:00 UTC,3/0,0,LOG,00000,\"AUDIT: SESSION,2,1,READ,SELECT,,,\"\"SELECT a, \"\"\"\"B\"\"\"\" FROM t\"\",<not logged>,3\",,,,,,,,,\"psql\",\"client backend\",,0".to_owned(),
            "SELECT | ada | 10.0.0.1:4 | postgres://unknown/shop | t | Success | 3 | whole"),
        // JSON
        (r#"{"timestamp":"2026-03-04 05:06:07.890 UTC","user":"ada","dbname":"shop","pid":54,"remote_host":"10.0.0.1","remote_port":4,"session_id":"6b063031.3d6a","error_severity":"LOG","message":"AUDIT: SESSION,2,1,READ,SELECT,,,\"SELECT a, b FROM t\",<not logged>,3","application_name":"psql"}"#.to_owned(),
            "SELECT | ada | 10.0.0.1:4 | postgres://unknown/shop | t | Success | 3 | whole"),
        (r#"{"timestamp":"2026-03-04 05:06:07.890 UTC","user":"ada","dbname":"shop","pid":54,"error_severity":"ERROR","state_code":"42601","message":"syntax error at or near \"here\"","statement":"SELECT broken here from;"}"#.to_owned(),
            "SELECT | ada |  | postgres://unknown/shop |  | Failure"),
        // Connections
        (prefixed("connection received: host=198.51.100.7 port=46418"),
            "connection received | ada | 198.51.100.7:46418 | postgres://unknown/shop |  | Success"),
        (prefixed("connection authorized: user=eve database=hr application_name=my tool SSL enabled (protocol=TLSv1.3, cipher=X, bits=256)"),
            "connection authorized | eve | 198.51.100.7 | postgres://unknown/hr |  | Success"),
        (prefixed("connection authenticated: identity=\"ada\" method=scram-sha-256 (/etc/pg_hba.conf:87)"),
            "connection authenticated | ada | 198.51.100.7 | postgres://unknown/shop |  | Success"),
        (prefixed("disconnection: session time: 0:00:00.088 user=ada database=shop host=198.51.100.7 port=46420"),
            "disconnection | ada | 198.51.100.7:46420 | postgres://unknown/shop |  | Success"),
        (prefixed("replication connection authorized: user=replica application_name=pg_basebackup"),
            "replication connection authorized | replica | 198.51.100.7 | postgres://unknown |  | Success |  | export"),
        (prefixed("received replication command: BASE_BACKUP ( LABEL 'pg_basebackup base backup' )"),
            "BASE_BACKUP | ada | 198.51.100.7 | postgres://unknown |  | Success |  | export"),
        ("2026-03-04 05:06:07 UTC [7] FATAL:  password authentication failed for user \"root\"".to_owned(),
            "connection refused | root |  | postgres://unknown |  | Failure"),
        ("2026-03-04 05:06:07 UTC [7] FATAL:  no pg_hba.conf entry for host \"203.0.113.9\", user \"eve\", database \"shop\", no encryption".to_owned(),
            "connection refused | eve | 203.0.113.9 | postgres://unknown/shop |  | Failure"),
        ("2026-03-04 05:06:07 UTC [7] ada@shop ERROR:  permission denied for table salaries".to_owned(),
            "permission denied | ada |  | postgres://unknown/shop | salaries | Failure"),
        ("2026-03-04 05:06:07 UTC [7] ada@shop ERROR:  permission denied for table salaries at character 15\n2026-03-04 05:06:07 UTC [7] ada@shop STATEMENT:  SELECT *\n\t FROM hr.salaries".to_owned(),
            "SELECT | ada |  | postgres://unknown/shop | hr.salaries | Failure"),
        ("2026-03-04 05:06:07 UTC [7] ada@shop LOG:  duration: 0.1 ms  plan:\n\tQuery Text: SELECT * FROM t\n\tSeq Scan on t  (cost=0.00..1.01 rows=1 width=4) (actual time=0.006..0.007 rows=5001 loops=1)".to_owned(),
            "SELECT | ada |  | postgres://unknown/shop | t | Success | 5001 | whole"),
        ("2026-03-04 05:06:07 UTC [1] LOG:  database system is ready to accept connections".to_owned(),
            "startup |  |  | postgres://unknown |  | Success"),
        ("2026-03-04 05:06:07 UTC [1] LOG:  received fast shutdown request".to_owned(),
            "shutdown |  |  | postgres://unknown |  | Success"),
    ] {
        for source in [Source::PostgresLog, Source::PostgresPgaudit, Source::Auto] {
            let event = read(source, &payload).unwrap_or_else(|reason| panic!("{reason:?}: {payload}"));
            assert_eq!(line(&event), expected, "{payload}");
            let is_audit = payload.contains("AUDIT: ");
            let own = match source {
                Source::Auto if is_audit => Source::PostgresPgaudit,
                Source::Auto => Source::PostgresLog,
                bound => bound,
            };
            assert_eq!(event.source, own.name());
        }
    }
}

#[test]
fn what_tells_of_nothing_is_no_fault() {
    for message in [
        "2026-03-04 05:06:07 UTC [7] LOG:  checkpoint starting: time",
        "2026-03-04 05:06:07 UTC [7] LOG:  duration: 0.320 ms",
        "2026-03-04 05:06:07 UTC [7] LOG:  duration: 0.320 ms  parse <unnamed>: SELECT * FROM t",
        "2026-03-04 05:06:07 UTC [7] ada@shop STATEMENT:  SELECT * FROM t",
        "2026-03-04 05:06:07 UTC [7] ada@shop ERROR:  division by zero",
        "2026-03-04 05:06:07 UTC [7] FATAL:  the database system is starting up",
        "2026-03-04 05:06:07 UTC [7] HINT:  Consider something else.",
        "<134>Mar  4 05:06:07 db1 postgres[12]: [5-2] #011  FROM t",
    ] {
        assert_eq!(
            read(Source::PostgresLog, message),
            Err(QuarantineReason::NoEvents),
            "{message}"
        );
    }
    for message in ["hello world", "{\"a\":1}", "2026-03-04 05:06:07 UTC something else"] {
        assert_eq!(
            read(Source::PostgresLog, message),
            Err(QuarantineReason::WrongShape),
            "{message}"
        );
    }
}

#[test]
fn who_when_and_in_which_session() {
    let text = "2026-03-04 05:06:07.890 CET [77] ada@shop/my tool 198.51.100.7 LOG:  00000: connection \
                authorized: user=ada database=shop application_name=my tool";
    let event = read(Source::PostgresLog, text).unwrap();
    assert_eq!(event.time, EventTime::parse_rfc3339("2026-03-04T04:06:07.890Z").unwrap());
    assert_eq!(event.client.user_agent.as_deref(), Some("my tool"));
    assert_eq!(event.actor.session_uid.as_deref(), Some("77"));
    assert_eq!(event.correlation_uid.as_deref(), Some("77"));
    assert_eq!(
        (event.kind, event.class.uid(), event.activity_id),
        (EventKind::Authentication, 3002, 1)
    );
    assert_eq!(event.error_code, None);
    let text = "2026-03-04 05:06:07 UTC [7] ada@shop FATAL:  28P01: password authentication failed for user \"ada\"";
    let event = read(Source::PostgresLog, text).unwrap();
    assert_eq!(event.error_code.as_deref(), Some("28P01"));
    assert_eq!((event.outcome, event.kind), (Outcome::Failure, EventKind::Authentication));
    let text = "2026-03-04 05:06:07 UTC [7] ada@shop LOG:  statement: SET ROLE payroll";
    let event = read(Source::PostgresLog, text).unwrap();
    assert_eq!(event.actor.issuer.as_deref(), Some("payroll"));
    // An unknown zone dates nothing; the transport does.
    let text = "2026-03-04 05:06:07 XYZ [7] ada@shop LOG:  statement: SELECT 1";
    let event = read(Source::PostgresLog, text).unwrap();
    assert_eq!(event.time.micros(), 2_000_000_000_000_000);
}

/// `direction row [opened]` of each change.
fn changes(event: &AuditEvent<'_>) -> Vec<String> {
    let change = |change: &dataward_event::change::Change<'_>| {
        let is_copy = change.setting.starts_with("copy_");
        let row = if is_copy { &change.setting } else { &change.catalogue_row };
        format!("{} {row} [{}]", change.direction.as_str(), change.opened)
    };
    event.changes.iter().map(change).collect()
}

#[test]
fn databases_are_made_copied_and_dropped() {
    for (statement, database, activity, expected) in [
        (
            "CREATE DATABASE copy TEMPLATE Shop",
            "copy",
            1,
            "neutral copy_from [postgres://db1/shop]",
        ),
        (
            "CREATE DATABASE \"Copy\" WITH TEMPLATE = \"Shop\";",
            "Copy",
            1,
            "neutral copy_from [postgres://db1/Shop]",
        ),
        ("CREATE DATABASE fresh TEMPLATE template0", "fresh", 1, ""),
        ("CREATE DATABASE fresh OWNER ada", "fresh", 1, ""),
        ("DROP DATABASE IF EXISTS fresh", "fresh", 4, ""),
    ] {
        let (command, quoted) = (
            &statement[..statement.find(" DATABASE").unwrap() + 9],
            statement.replace('"', "\"\""),
        );
        let text = format!(
            "2026-03-04 05:06:07 UTC [77] ada@shop db1 LOG:  AUDIT: SESSION,1,1,DDL,{command},,,\"{quoted}\",<not logged>"
        );
        let text =
            json!({"@timestamp": "2026-03-04T05:06:07Z", "host": {"name": "db1"}, "message": text})
                .to_string();
        let event = read(Source::PostgresPgaudit, &text).unwrap();
        assert_eq!(
            event.datastore.as_ref().unwrap().uid,
            format!("postgres://db1/{database}"),
            "{text}"
        );
        assert_eq!(changes(&event).join("; "), expected, "{text}");
        assert_eq!((event.kind, event.class), (EventKind::ConfigChange, Class::EntityManagement));
        assert_eq!(event.activity_id, activity, "{text}");
    }
    // Tables are copied within their database, and of a statement that failed, or may do so yet, nothing is born.
    for text in [
        "LOG:  statement: CREATE TABLE copy AS SELECT * FROM people",
        "LOG:  statement: SELECT * INTO copy FROM people",
        "LOG:  statement: CREATE DATABASE fresh",
        "ERROR:  permission denied to create database\n2026-03-04 05:06:07 UTC [77] ada@shop STATEMENT:  CREATE DATABASE fresh",
    ] {
        let text = format!("2026-03-04 05:06:07 UTC [77] ada@shop {text}");
        let event = read(Source::PostgresPgaudit, &text).unwrap();
        assert!(event.changes.is_empty(), "{text}");
        assert_ne!(event.class, Class::EntityManagement, "{text}");
    }
}

/// Settings of the audit that a role, a database or a session may have of its own.
const AUDIT_SETTINGS: [&str; 6] = [
    "pgaudit.log",
    "pgaudit.log_rows",
    "log_statement",
    "log_connections",
    "log_disconnections",
    "session_replication_role",
];

#[test]
#[rustfmt::skip]
fn changes_of_protection() {
    let mut fired = std::collections::BTreeSet::new();
    for (statement, expected) in [
        ("GRANT SELECT ON t TO PUBLIC", "weakened postgres.grant.public [PUBLIC on t]"),
        ("GRANT ALL ON ALL TABLES IN SCHEMA s TO app, PUBLIC", "weakened postgres.grant.public [PUBLIC on all tables in s]"),
        ("REVOKE SELECT ON t FROM PUBLIC", "strengthened postgres.grant.public [PUBLIC on t]"),
        ("GRANT USAGE ON SCHEMA public TO PUBLIC", ""),
        ("GRANT EXECUTE ON FUNCTION f TO PUBLIC", ""),
        ("GRANT pg_read_all_data TO app", "weakened postgres.grant.powerful_role [pg_read_all_data to app]"),
        ("REVOKE pg_read_all_data FROM app", "strengthened postgres.grant.powerful_role [pg_read_all_data to app]"),
        ("GRANT rds_superuser, azure_pg_admin TO app", "weakened postgres.grant.powerful_role [rds_superuser to app]; weakened postgres.grant.powerful_role [azure_pg_admin to app]"),
        ("GRANT readers TO app", ""),
        ("CREATE ROLE x SUPERUSER NOBYPASSRLS", "weakened postgres.role.created_powerful [superuser of x]"),
        ("CREATE ROLE x NOSUPERUSER LOGIN", ""),
        ("ALTER ROLE x BYPASSRLS", "weakened postgres.role.made_powerful [bypassrls of x]"),
        ("ALTER ROLE x NOBYPASSRLS", "strengthened postgres.role.made_powerful [bypassrls of x]"),
        ("ALTER ROLE x PASSWORD <REDACTED>", ""),
        ("ALTER ROLE x SET pgaudit.log = 'NONE'", "weakened postgres.role.audit_setting [pgaudit.log of x]"),
        ("ALTER ROLE x SET pgaudit.log = 'read, write'", "unknown postgres.role.audit_setting [pgaudit.log of x]"),
        ("ALTER ROLE x SET search_path = a", ""),
        ("SET pgaudit.log = 'none'", "weakened postgres.session.audit_setting [pgaudit.log in session 77]"),
        ("RESET pgaudit.log", "strengthened postgres.session.audit_setting [pgaudit.log in session 77]"),
        ("SET session_replication_role = replica", "weakened postgres.session.audit_setting [session_replication_role in session 77]"),
        ("SET row_security = off", ""),
        ("SET LOCAL row_security = off", "weakened postgres.session.row_security [row_security in session 77]"),
        ("SET LOCAL row_security TO on", "strengthened postgres.session.row_security [row_security in session 77]"),
        ("RESET row_security", "strengthened postgres.session.row_security [row_security in session 77]"),
        ("SECURITY LABEL FOR anon ON COLUMN public.people.email IS NULL", "weakened postgres.security_label.removed [mask of people.email]"),
        ("SECURITY LABEL FOR anon ON COLUMN people.email IS 'MASKED WITH VALUE NULL'", "strengthened postgres.security_label.removed [mask of people.email]"),
        ("SECURITY LABEL FOR selinux ON TABLE people IS NULL", ""),
        ("ALTER SYSTEM RESET ALL", "strengthened postgres.system.audit_setting []; strengthened postgres.system.tls []; \
            strengthened postgres.system.listen_addresses []; strengthened postgres.system.authentication []"),
        ("ALTER DATABASE shop SET pgaudit.log = ''", "weakened postgres.database.audit_setting [pgaudit.log of shop]"),
        ("DROP EXTENSION pgaudit", "weakened postgres.extension.pgaudit_dropped [pgaudit]"),
        ("CREATE EXTENSION pgaudit", "strengthened postgres.extension.pgaudit_dropped [pgaudit]"),
        ("ALTER SYSTEM SET ssl = off", "weakened postgres.system.tls [ssl]"),
        ("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1'", "weakened postgres.system.tls [ssl_min_protocol_version]"),
        ("ALTER SYSTEM SET pgaudit.log TO 'none'", "weakened postgres.system.audit_setting [pgaudit.log]"),
        ("ALTER SYSTEM SET log_connections = off", "weakened postgres.system.audit_setting [log_connections]"),
        ("ALTER SYSTEM SET listen_addresses = '*'", "weakened postgres.system.listen_addresses [listen_addresses]"),
        ("ALTER SYSTEM RESET listen_addresses", "strengthened postgres.system.listen_addresses [listen_addresses]"),
        ("ALTER SYSTEM SET password_encryption = 'md5'", "weakened postgres.system.authentication [password_encryption]"),
        ("ALTER SYSTEM SET work_mem = '1GB'", ""),
        ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", "weakened postgres.row_security.off [row level security of t]"),
        ("ALTER TABLE t NO FORCE ROW LEVEL SECURITY", "weakened postgres.row_security.off [force on owners of t]"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "strengthened postgres.row_security.off [row level security of t]"),
        ("DROP POLICY p ON t", "weakened postgres.policy.dropped [p on t]"),
        ("CREATE POLICY p ON t USING (owner = current_user)", "strengthened postgres.policy.dropped [p on t]"),
        ("CREATE POLICY p ON t FOR SELECT USING (true)", "weakened postgres.policy.created_open [p on t]"),
        ("CREATE POLICY p ON t FOR SELECT TO service USING (true)", "strengthened postgres.policy.dropped [p on t]"),
        ("ALTER POLICY p ON t USING (true)", "weakened postgres.policy.altered_open [p on t]"),
        ("CREATE PUBLICATION p FOR ALL TABLES", "weakened postgres.publication.created [p]"),
        ("DROP PUBLICATION p", "strengthened postgres.publication.created [p]"),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=a' PUBLICATION p", "weakened postgres.subscription.created [s]; neutral copy_from [postgres://a]"),
        ("CREATE SUBSCRIPTION s CONNECTION 'service=x' PUBLICATION p", "weakened postgres.subscription.created [s]"),
        ("ALTER SUBSCRIPTION s CONNECTION 'postgresql://u:secret@b:5433/ledger'", "unknown postgres.subscription.created [s]; neutral copy_from [postgres://b/ledger]"),
        ("DROP SUBSCRIPTION s", "strengthened postgres.subscription.created [s]"),
        ("CREATE EXTENSION dblink", "weakened postgres.extension.reaching_out [dblink]"),
        ("CREATE EXTENSION hstore", ""),
        ("SELECT pg_read_file('/etc/passwd')", "unknown postgres.function.reaching_out [pg_read_file]"),
    ] {
        // The command in front of a record is not needed to read its statement.
        let class = if statement.starts_with("SELECT") { "READ,SELECT" } else { "ROLE," };
        let quoted = statement.replace('"', "\"\"");
        for text in [
            format!("2026-03-04 05:06:07 UTC [77] ada@shop LOG:  AUDIT: SESSION,1,1,{class}{},,,\"{quoted}\",<not logged>",
                if class.ends_with(',') { statement.split(' ').next().unwrap() } else { "" }),
            format!("2026-03-04 05:06:07 UTC [77] ada@shop LOG:  statement: {statement}"),
        ] {
            let event = read(Source::PostgresPgaudit, &text).unwrap();
            assert_eq!(changes(&event).join("; "), expected, "{text}");
            if !expected.is_empty() {
                assert_eq!(event.kind, EventKind::ConfigChange, "{text}");
                assert!(event.datastore.is_some());
            }
            fired.extend(event.changes.iter().map(|change| change.catalogue_row.to_string()));
        }
    }
    let reset = |row: &str, owner: &str| {
        let one = |name: &str| format!("strengthened {row} [{name} {owner}]");
        AUDIT_SETTINGS.map(one).join("; ")
    };
    for (statement, expected) in [
        ("ALTER DATABASE shop RESET ALL", reset("postgres.database.audit_setting", "of shop")),
        ("ALTER ROLE x RESET ALL", reset("postgres.role.audit_setting", "of x")),
        ("RESET ALL", format!("strengthened postgres.session.row_security [row_security in session 77]; {}",
            reset("postgres.session.audit_setting", "in session 77"))),
    ] {
        let text = format!("2026-03-04 05:06:07 UTC [77] ada@shop LOG:  statement: {statement}");
        assert_eq!(changes(&read(Source::PostgresPgaudit, &text).unwrap()).join("; "), expected, "{text}");
    }
    let text = "2026-03-04 05:06:07 UTC [77] ada@shop LOG:  statement: DROP ROLE app";
    let closed = changes(&read(Source::PostgresPgaudit, text).unwrap());
    for expected in ["role.made_powerful [superuser of app]", "grant.powerful_role [pg_read_all_data to app]",
        "grant.powerful_role [rds_superuser to app]", "role.audit_setting [pgaudit.log of app]"] {
        let expected = format!("strengthened postgres.{expected}");
        assert!(closed.contains(&expected), "{expected}: {closed:?}");
    }
    for (message, expected) in [
        ("parameter \"pgaudit.log\" changed to \"none\"", "weakened postgres.log.parameter.audit [pgaudit.log]"),
        ("parameter \"log_statement\" removed from configuration file, reset to default", "weakened postgres.log.parameter.audit [log_statement]"),
        ("parameter \"ssl\" changed to \"on\"", "strengthened postgres.log.parameter.tls [ssl]"),
        ("parameter \"listen_addresses\" changed to \"*\"", "weakened postgres.log.parameter.listen_addresses [listen_addresses]"),
        ("parameter \"hba_file\" changed to \"/tmp/x\"", "weakened postgres.log.parameter.authentication [hba_file]"),
        ("parameter \"work_mem\" changed to \"1GB\"", ""),
        ("parameter \"shared_preload_libraries\" cannot be changed without restarting the server", ""),
        ("received SIGHUP, reloading configuration files", ""),
        ("connection authenticated: user=\"eve\" method=trust (/etc/pg_hba.conf:9)", "weakened postgres.log.trust [trust]"),
    ] {
        let text = format!("2026-03-04 05:06:07 UTC [77] eve@shop 203.0.113.9 LOG:  {message}");
        let event = read(Source::PostgresLog, &text).unwrap();
        assert_eq!(changes(&event).join("; "), expected, "{text}");
        assert_eq!(event.datastore.as_ref().unwrap().uid, "postgres://unknown", "{text}");
        fired.extend(event.changes.iter().map(|change| change.catalogue_row.to_string()));
    }
    let silent: Vec<_> = dataward_sources::catalogue_rows::emitted()
        .map(|row| row.id)
        .filter(|id| id.starts_with("postgres.") && !fired.contains(*id))
        .collect();
    assert!(silent.is_empty(), "rows without a case: {silent:?}");
}

/// The entries of a text log: an entry begins with a digit.
fn entries(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        let begins = line.get(..5).is_some_and(|year| {
            year.ends_with('-') && year[..4].bytes().all(|byte| byte.is_ascii_digit())
        });
        match entries.last_mut() {
            Some(last) if !begins => {
                last.push('\n');
                last.push_str(line);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

/// Fails on any entry that is neither an event nor tells of none; returns how many are events.
fn check_entries(source: Source, entries: &[String], what: &str) -> usize {
    let mut events = 0;
    for entry in entries {
        match read(source, entry) {
            Ok(_) => events += 1,
            Err(reason) => assert_eq!(reason, QuarantineReason::NoEvents, "{what}: {entry}"),
        }
    }
    println!("{what}: {events} events of {} entries", entries.len());
    events
}

#[test]
fn every_sample_of_pgaudit_is_an_event() {
    let Some(folder) = test_data("samples of pgAudit") else { return };
    let text = std::fs::read_to_string(folder.join("data/pgaudit/audit_records.ndjson")).unwrap();
    let records: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["record"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(check_entries(Source::PostgresPgaudit, &records, "pgaudit"), 207);
    let unread: Vec<&String> = records
        .iter()
        .filter(|record| record.contains("READ,SELECT,,,\"SELECT") && record.contains("FROM"))
        .filter(|record| read(Source::PostgresPgaudit, record).unwrap().objects.is_empty())
        .collect();
    assert!(unread.is_empty(), "{unread:#?}");
    let text =
        std::fs::read_to_string(folder.join("data/pgaudit-server-log/postgresql.log")).unwrap();
    let records = entries(&text);
    assert_eq!(records.len(), 9);
    for source in [Source::PostgresPgaudit, Source::Auto] {
        assert_eq!(check_entries(source, &records, "pgaudit in a server log"), 9);
    }
}

/// What Elastic's expected files say of an entry, as far as an event says it too.
fn agrees(event: &AuditEvent<'_>, expected: &Value) -> Result<(), String> {
    let text = |key: &str| expected[key].as_str().filter(|text| *text != "unknown");
    let time = EventTime::parse_rfc3339(text("@timestamp").unwrap()).unwrap();
    if event.time != time {
        return Err(format!("time {} for {time}", event.time));
    }
    for (key, found) in [
        ("user.name", event.actor.uid.as_deref()),
        ("postgresql.log.database", event.datastore.as_ref().and_then(|d| d.name.as_deref())),
        ("postgresql.log.client_addr", event.client.ip.as_deref()),
        ("postgresql.log.application_name", event.client.user_agent.as_deref()),
        ("postgresql.log.query", event.statement.as_deref()),
    ] {
        if key == "postgresql.log.database" && event.operation.ends_with(" DATABASE") {
            // Ours is the one that is made, not the one from which that is done.
            continue;
        }
        let expected = text(key).map(|text| text.replace("\n\t", "\n").trim_end().to_owned());
        if expected.is_some() && expected.as_deref() != found.map(str::trim_end) {
            return Err(format!("{key} {found:?} for {expected:?}"));
        }
    }
    let port = expected["postgresql.log.client_port"].as_u64();
    if port.is_some() && port != event.client.port.map(u64::from) {
        return Err(format!("port {:?} for {port:?}", event.client.port));
    }
    Ok(())
}

#[test]
fn the_beats_module_agrees() {
    let Some(folder) = test_data("samples of the beats module") else { return };
    let folder = folder.join("data/elastic-beats/postgresql/log");
    let (mut agreed, mut compared, mut silent) = (0, 0, 0);
    let mut names: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    for path in names.iter().filter(|path| path.extension().is_some_and(|e| e == "log")) {
        let (a, c, s) = compare(path);
        agreed += a;
        compared += c;
        silent += s;
    }
    println!("postgresql: {agreed} of {compared} agree, {silent} more are no events");
    // The others are checkpoints, durations and errors without their statement, steps, lines that belong to another.
    assert_eq!((agreed, compared, silent), (128, 128, 146));
}

fn compare(path: &Path) -> (u32, u32, u32) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let records = entries(&text);
    check_entries(Source::PostgresLog, &records, &name);
    check_entries(Source::Auto, &records, &name);
    let expected = std::fs::read_to_string(format!("{}-expected.json", path.display())).unwrap();
    let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
    // Their file stops at a hundred events.
    assert_eq!(expected.len(), records.len().min(100), "{name}");
    let (mut agreed, mut compared, mut silent) = (0, 0, 0);
    for (record, expected) in records.iter().zip(&expected) {
        let Ok(event) = read(Source::PostgresLog, record) else {
            silent += 1;
            continue;
        };
        compared += 1;
        match agrees(&event, expected) {
            Ok(()) => agreed += 1,
            Err(difference) => println!("{name}: {difference}: {}", record.lines().next().unwrap()),
        }
    }
    (agreed, compared, silent)
}

/// Lines that are almost entries: whole ones, cut and with something put in.
fn almost_entries() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "2026-03-04 05:06:07.890 UTC [77] ada@shop/psql 198.51.100.7 LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,\"SELECT 'ä'\n\t FROM t\",<none>,1",
        "2026-03-04 05:06:07 UTC:10.0.0.9(5432):app@mydb:[12345]:LOG:  duration: 1.2 ms  plan:\n\tQuery Text: SELECT 1\n\tSeq Scan on t  (cost=0) (actual rows=1)",
        "2026-03-04 05:06:07 UTC [7] user=ada,db=shop,app=a b,client=[local] ERROR:  permission denied for table \"t\"\n2026-03-04 05:06:07 UTC [7] STATEMENT:  SELECT 1",
        "2026-03-04 05:06:07.890 UTC,\"ada\",\"shop\",54,\"[local]\",5ff25ea4.36,6,\"SELECT\",2026-03-04 05:00:00 UTC,3/0,0,LOG,00000,\"statement: \"\"x\"\"\",,,,,,,,,\"psql\"",
        "[5-1] 2026-03-04 05:06:07+02:30 FATAL:  no pg_hba.conf entry for host \"h\", user \"u\", database \"d\"",
        "AUDIT: OBJECT,2,1,WRITE,INSERT,TABLE,public.t,<previously logged>,<previously logged>",
        "2026-03-04 05:06:07 UTC [7] LOG:  parameter \"ssl\" changed to \"off\"",
    ]);
    let more = prop::sample::select(vec!["", "\"", "=", "[", ":  ", "\n", "LOG:  ", "ä", ",", "-"]);
    (line, any::<prop::sample::Index>(), any::<prop::sample::Index>(), more).prop_map(
        |(line, cut, at, more)| {
            let cut = line.floor_char_boundary(cut.index(line.len() + 1));
            let mut text = line[..cut].to_owned();
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            text.insert_str(at, more);
            text
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_an_entry_or_not(text in prop_oneof!["\\PC{1,200}", almost_entries()]) {
        prop_assume!(!text.trim().is_empty());
        for source in [Source::PostgresPgaudit, Source::PostgresLog, Source::Auto] {
            let position = Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
            let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
            let decoded = decode(source, record);
            prop_assert!(decoded.events.len() + decoded.rejects.len() > 0);
        }
    }
}
