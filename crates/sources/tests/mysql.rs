//! Audit records of MySQL, Percona Server and MariaDB: fixtures after their documentation, and real samples.

mod reading;
mod samples;

use std::collections::BTreeSet;

use dataward_event::audit_event::{ActorKind, AuditEvent, Class, EventKind, Outcome};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::quarantine::QuarantineReason;
use dataward_event::time::EventTime;
use dataward_sources::decode::Record;
use dataward_sources::source::{Source, decode};
use proptest::prelude::*;
use reading::read;
use samples::test_data;
use serde_json::json;

/// `operation | actor | client | datastore | objects | outcome | rows | bytes | scope`, what is unknown left empty.
fn line(event: &AuditEvent<'_>) -> String {
    let scope = event.read_scope.map_or("", |scope| scope.as_str());
    let client = event.client.ip.as_deref().or(event.client.domain.as_deref()).unwrap_or("");
    let parts = [
        event.operation.to_string(),
        event.actor.uid.as_deref().unwrap_or("").to_owned(),
        client.to_owned(),
        event.datastore.as_ref().map(|datastore| datastore.uid.to_string()).unwrap_or_default(),
        event.objects.join(" "),
        event.outcome.as_str().to_owned(),
        event.volume.rows.map(|rows| rows.0.to_string()).unwrap_or_default(),
        event.volume.bytes.map(|bytes| bytes.0.to_string()).unwrap_or_default(),
        scope.to_owned(),
    ];
    parts.join(" | ").trim_end_matches([' ', '|']).to_owned()
}

/// A status record of MySQL Enterprise Audit.
fn enterprise(query: &str, sql_command: &str, status: u32) -> serde_json::Value {
    json!({"timestamp": "2026-03-04 05:06:07", "id": 2, "class": "general", "event": "status", "connection_id": 12,
        "account": {"user": "ada", "host": "localhost"},
        "login": {"user": "ada", "os": "", "ip": "198.51.100.7", "proxy": ""},
        "general_data": {"command": "Query", "sql_command": sql_command, "query": query, "status": status}})
}

#[test]
fn records_as_json() {
    let mut counted = enterprise("SELECT * FROM shop.customers", "select", 0);
    counted["query_statistics"] =
        json!({"query_time": 0.1, "bytes_sent": 18384, "bytes_received": 5, "rows_sent": 300});
    let mut to_file = enterprise("SELECT a FROM t INTO OUTFILE '/tmp/x'", "select", 0);
    to_file["query_statistics"] = json!({"bytes_sent": 0, "rows_sent": 0});
    let connect = |status: u32| {
        json!({"timestamp": "2026-03-04 05:06:07", "id": 0, "class": "connection", "event": "connect",
            "connection_id": 12, "account": {"user": "ada", "host": "db.example.com"},
            "login": {"user": "ada", "os": "", "ip": "198.51.100.7", "proxy": ""},
            "connection_data": {"connection_type": "ssl", "status": status, "db": "shop",
                "connection_attributes": {"_client_name": "libmysql", "program_name": "mysqldump"}}})
    };
    let table = json!({"timestamp": "2026-03-04 05:06:07", "id": 1, "class": "table_access", "event": "read",
        "connection_id": 12, "account": {"user": "ada", "host": "localhost"},
        "login": {"user": "ada", "os": "", "ip": "", "proxy": ""},
        "table_access_data": {"db": "shop", "table": "customers", "query": "SELECT * FROM customers",
            "sql_command": "select"}});
    let dump = json!({"timestamp": "2026-03-04 05:06:07", "id": 1, "class": "general", "event": "status",
        "connection_id": 3, "account": {"user": "repl", "host": "h"}, "login": {"user": "repl", "ip": "203.0.113.9"},
        "general_data": {"command": "Binlog Dump", "sql_command": "", "query": "", "status": 0}});
    let percona = json!({"audit_record": {"name": "Query", "record": "4707_2026-03-04", "timestamp": "2026-03-04T05:06:07Z",
        "command_class": "select", "connection_id": "37", "status": 0, "sqltext": "SELECT * FROM t WHERE id = 1",
        "user": "ada[ada] @ localhost []", "host": "localhost", "os_user": "", "ip": "", "db": "shop"}});
    for (record, expected) in [
        (
            counted,
            "SELECT | ada | 198.51.100.7 | mysql://unknown | shop.customers | Success | 300 | 18384 | whole",
        ),
        (
            to_file,
            "SELECT INTO OUTFILE | ada | 198.51.100.7 | mysql://unknown | t | Success |  |  | export",
        ),
        (connect(0), "CONNECT | ada | 198.51.100.7 | mysql://unknown/shop |  | Success"),
        (connect(1045), "CONNECT | ada | 198.51.100.7 | mysql://unknown/shop |  | Failure"),
        (table, "READ | ada | localhost | mysql://unknown/shop | shop.customers | Success"),
        (dump, "BINLOG DUMP | repl | 203.0.113.9 | mysql://unknown |  | Success |  |  | export"),
        (
            enterprise("", "show_variables", 0),
            "show_variables | ada | 198.51.100.7 | mysql://unknown |  | Success",
        ),
        (
            enterprise("SELECT * FROM x", "select", 1146),
            "SELECT | ada | 198.51.100.7 | mysql://unknown | x | Failure",
        ),
        (percona, "SELECT | ada | localhost | mysql://unknown/shop | t | Success |  |  | part"),
    ] {
        let text = record.to_string();
        for source in [Source::MysqlAudit, Source::Auto] {
            for form in [text.clone(), format!("{text},"), format!(" {text},\n")] {
                let event =
                    read(source, &form).unwrap_or_else(|reason| panic!("{reason:?}: {form}"));
                assert_eq!(line(&event), expected, "{form}");
                assert_eq!(event.source, "mysql.audit");
                let own = EventTime::parse_rfc3339("2026-03-04T05:06:07Z").unwrap();
                assert_eq!(event.time, own, "{form}");
            }
        }
        let last = read(Source::MysqlAudit, &format!("{text}\n]")).unwrap();
        assert_eq!(line(&last), expected);
    }
    let event = read(Source::MysqlAudit, &connect(0).to_string()).unwrap();
    assert_eq!(event.client.user_agent.as_deref(), Some("mysqldump"));
    assert_eq!(event.client.domain.as_deref(), Some("db.example.com"));
    assert_eq!(event.actor.session_uid.as_deref(), Some("12"));
}

#[test]
fn records_as_xml() {
    let new = |name: &str, more: &str| {
        format!(
            "<AUDIT_RECORD>\n  <TIMESTAMP>2026-03-04T05:06:07 UTC</TIMESTAMP>\n  <RECORD_ID>1_2026</RECORD_ID>\n  \
             <NAME>{name}</NAME>\n  <CONNECTION_ID>127</CONNECTION_ID>\n  <STATUS>0</STATUS>\n  \
             <STATUS_CODE>0</STATUS_CODE>\n  <USER>ada[ada] @ localhost [127.0.0.1]</USER>\n  <OS_LOGIN/>\n  \
             <HOST>localhost</HOST>\n  <IP>127.0.0.1</IP>\n  {more}\n</AUDIT_RECORD>"
        )
    };
    let query = "<COMMAND_CLASS>select</COMMAND_CLASS>\n<SQLTEXT>SELECT * FROM t WHERE a &lt; &#39;x&apos; &amp;&amp; b</SQLTEXT>";
    let old = "<AUDIT_RECORD TIMESTAMP=\"2026-03-04T05:06:07 UTC\" RECORD_ID=\"2_2026\" NAME=\"Query\" CONNECTION_ID=\"47\" \
               STATUS=\"0\" STATUS_CODE=\"0\" USER=\"ada[ada] @ localhost []\" OS_LOGIN=\"\" HOST=\"localhost\" IP=\"\" \
               COMMAND_CLASS=\"select\" SQLTEXT=\"SELECT * FROM t WHERE a = &quot;x&quot;\"/>";
    for (text, expected) in [
        (
            new("Query", query),
            "SELECT | ada | 127.0.0.1 | mysql://unknown | t | Success |  |  | part",
        ),
        (
            new("Connect", "<DB>shop</DB>"),
            "CONNECT | ada | 127.0.0.1 | mysql://unknown/shop |  | Success",
        ),
        (new("Quit", ""), "DISCONNECT | ada | 127.0.0.1 | mysql://unknown |  | Success"),
        (
            new("TableRead", "<DB>shop</DB><TABLE>t</TABLE><SQLTEXT>SELECT 1 FROM t</SQLTEXT>"),
            "READ | ada | 127.0.0.1 | mysql://unknown/shop | shop.t | Success",
        ),
        (old.to_owned(), "SELECT | ada | localhost | mysql://unknown | t | Success |  |  | part"),
    ] {
        for source in [Source::MysqlAudit, Source::Auto] {
            let event = read(source, &text).unwrap_or_else(|reason| panic!("{reason:?}: {text}"));
            assert_eq!(line(&event), expected, "{text}");
            assert_eq!(event.time, EventTime::parse_rfc3339("2026-03-04T05:06:07Z").unwrap());
        }
    }
    let event = read(Source::MysqlAudit, &new("Query", query)).unwrap();
    assert_eq!(event.statement.as_deref(), Some("SELECT * FROM t WHERE a < 'x' && b"));
}

#[test]
fn lines_of_mariadb() {
    for (text, expected) in [
        (
            "20260304 05:06:07,db1,ada,198.51.100.7,2,0,CONNECT,shop,,0",
            "CONNECT | ada | 198.51.100.7 | mariadb://db1/shop |  | Success",
        ),
        (
            "20260304  5:06:07,db1,ada, localhost,2,0,CONNECT,,,0",
            "CONNECT | ada | localhost | mariadb://db1 |  | Success",
        ),
        (
            "20260304 05:06:07,db1,ada,198.51.100.7,2,0,CONNECT,shop,,0,SSL",
            "CONNECT | ada | 198.51.100.7 | mariadb://db1/shop |  | Success",
        ),
        (
            "1772600767000000,db1,ada,198.51.100.7,2,0,FAILED_CONNECT,,,1045",
            "CONNECT | ada | 198.51.100.7 | mariadb://db1 |  | Failure",
        ),
        (
            "20260304 05:06:07,db1,,127.0.0.1,15,0,FAILED_CONNECT,,,1158",
            "CONNECT |  | 127.0.0.1 | mariadb://db1 |  | Failure",
        ),
        (
            "20260304 05:06:07,db1,ada,10.0.0.1,51,174,READ,support,tickets,",
            "READ | ada | 10.0.0.1 | mariadb://db1/support | support.tickets | Unknown",
        ),
        (
            "20260304 05:06:07,db1,ada,10.0.0.1,51,174,RENAME,support,old|support.new,",
            "ALTER | ada | 10.0.0.1 | mariadb://db1/support | support.old | Unknown",
        ),
        (
            "20260304 05:06:07,db1,ada,10.0.0.1,12,46,QUERY,app,'SELECT a,b FROM t WHERE x=''1,2''',0",
            "SELECT | ada | 10.0.0.1 | mariadb://db1/app | t | Success |  |  | part",
        ),
        (
            r"20260304 05:06:07,db1,ada,10.0.0.1,12,46,QUERY,app,'SELECT *\nFROM t\nINTO OUTFILE \'/tmp/x\'',1227",
            "SELECT INTO OUTFILE | ada | 10.0.0.1 | mariadb://db1/app | t | Failure",
        ),
        (
            r"20260304 05:06:07,db1,ada,10.0.0.1,12,46,QUERY,app,'SELECT /*!40001 SQL_NO_CACHE */ * FROM `customers`',0",
            "SELECT | ada | 10.0.0.1 | mariadb://db1/app | customers | Success |  |  | whole",
        ),
        (
            "<134>1 2026-03-04T05:06:07Z host9 mariadbd 7 - - localhost,ada,10.0.0.1,12,46,QUERY,app,'SELECT 1',0",
            "SELECT | ada | 10.0.0.1 | mariadb://host9/app |  | Success",
        ),
        (
            "<134>1 2026-03-04T05:06:07Z host9 mysql-server_auditing 7 - -  db1,ada,10.0.0.1,12,0,DISCONNECT,,,0",
            "DISCONNECT | ada | 10.0.0.1 | mariadb://db1 |  | Success",
        ),
    ] {
        for source in [Source::MariadbServerAudit, Source::Auto] {
            let event = read(source, text).unwrap_or_else(|reason| panic!("{reason:?}: {text}"));
            assert_eq!(line(&event), expected, "{text}");
            assert_eq!(event.source, "mariadb.server_audit");
            assert_eq!(
                event.time,
                EventTime::parse_rfc3339("2026-03-04T05:06:07Z").unwrap(),
                "{text}"
            );
        }
    }
    let touch = read(
        Source::MariadbServerAudit,
        "20260304 05:06:07,h,,127.0.0.1,15,0,FAILED_CONNECT,,,1158",
    )
    .unwrap();
    assert_eq!((touch.kind, touch.activity_id), (EventKind::Access, 3));
    let nobody =
        read(Source::MariadbServerAudit, "20260304 05:06:07,h,,127.0.0.1,15,0,CONNECT,,,0")
            .unwrap();
    assert_eq!((nobody.actor.kind, nobody.outcome), (ActorKind::Anonymous, Outcome::Success));
    let own =
        read(Source::MariadbServerAudit, "20260304 05:06:07,h,a,h,7,9,READ,mysql,table_stats,")
            .unwrap();
    assert_eq!(own.activity_id, 99, "the server reads its statistics for itself");
    assert_eq!(own.correlation_uid.as_deref(), Some("7/9"));
}

#[test]
fn what_tells_of_nothing_is_no_fault() {
    let start = json!({"timestamp": "2026-03-04 05:06:07", "class": "general", "event": "log", "connection_id": 1}).to_string();
    let ping = json!({"timestamp": "2026-03-04 05:06:07", "class": "general", "event": "status", "connection_id": 1,
        "general_data": {"command": "Ping", "status": 0}}).to_string();
    for text in [
        "[",
        "]",
        ",",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<AUDIT>",
        "</AUDIT>",
        &start,
        &ping,
    ] {
        assert_eq!(read(Source::MysqlAudit, text), Err(QuarantineReason::NoEvents), "{text}");
    }
    for (source, text) in [
        (Source::MysqlAudit, "hello"),
        (Source::MysqlAudit, "{\"a\":1}"),
        (Source::MysqlAudit, "<AUDIT_RECORD><NAME>Query</NAME>"),
        (Source::MysqlAudit, "<AUDIT_RECORD NAME="),
        (Source::MariadbServerAudit, "20260304 05:06:07,db1,ada"),
        (Source::MariadbServerAudit, "20260304 05:06:07,db1,ada,h,x,1,QUERY,,'SELECT 1',0"),
    ] {
        assert_eq!(read(source, text), Err(QuarantineReason::WrongShape), "{text}");
    }
}

fn changes(event: &AuditEvent<'_>) -> String {
    let change = |change: &dataward_event::change::Change<'_>| {
        let is_copy = change.setting.starts_with("copy_");
        let row = if is_copy { &change.setting } else { &change.catalogue_row };
        format!("{} {row} [{}]", change.direction.as_str(), change.opened)
    };
    event.changes.iter().map(change).collect::<Vec<_>>().join("; ")
}

fn silent(prefix: &str, fired: &BTreeSet<String>) -> Vec<&'static str> {
    dataward_sources::catalogue_rows::emitted()
        .map(|row| row.id)
        .filter(|id| id.starts_with(prefix) && !fired.contains(*id))
        .collect()
}

#[test]
#[rustfmt::skip]
fn changes_of_mysql() {
    let mut fired = BTreeSet::new();
    for (statement, expected) in [
        ("GRANT ALL ON *.* TO 'eve'@'10.%' WITH GRANT OPTION", "weakened mysql.grant.global [eve@10.% on *.*]"),
        ("REVOKE ALL ON *.* FROM 'eve'@'10.%'", "strengthened mysql.grant.global [eve@10.% on *.*]"),
        ("GRANT SELECT ON shop.* TO ''@'localhost'", "weakened mysql.grant.global [@localhost on shop.*]"),
        ("GRANT SELECT ON shop.* TO 'app'@'%'", ""),
        ("GRANT USAGE ON *.* TO 'app'@'%'", ""),
        ("GRANT PROCESS ON *.* TO 'app'@'h'", ""),
        ("CREATE USER 'x'@'%' IDENTIFIED BY <secret>", "weakened mysql.account.open [x@%]"),
        ("CREATE USER 'x'@'%' IDENTIFIED BY <secret> REQUIRE X509", ""),
        ("CREATE USER 'x'@'10.1.2.3' IDENTIFIED BY <secret>", ""),
        ("CREATE USER 'x'@'10.1.2.3' IDENTIFIED BY ''", "weakened mysql.account.open [empty password of x@10.1.2.3]"),
        ("ALTER USER 'x'@'10.1.2.3' IDENTIFIED BY <secret>", "strengthened mysql.account.open [empty password of x@10.1.2.3]"),
        ("ALTER USER 'x'@'10.1.2.3' IDENTIFIED BY ''", "weakened mysql.account.open [empty password of x@10.1.2.3]"),
        ("SET PASSWORD FOR 'x'@'10.1.2.3' = <secret>", "strengthened mysql.account.open [empty password of x@10.1.2.3]"),
        ("REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'eve'@'10.%'", "strengthened mysql.grant.global [eve@10.% on *.*]"),
        ("REVOKE GRANT OPTION ON *.* FROM 'eve'@'10.%'", ""),
        ("CREATE USER 'x'@'h' IDENTIFIED WITH mysql_native_password BY <secret>", "weakened mysql.account.open [x@h]"),
        ("DROP USER 'x'@'%'", "strengthened mysql.account.open [x@%]; strengthened mysql.account.open [empty password of x@%]; \
            strengthened mysql.account.weakened [no TLS of x@%]; strengthened mysql.account.weakened [unlocked x@%]; \
            strengthened mysql.account.weakened [endless password of x@%]; strengthened mysql.grant.global [x@% on *.*]"),
        ("RENAME USER 'x'@'%' TO 'y'@'h'", "strengthened mysql.account.open [x@%]; strengthened mysql.account.open [empty password of x@%]; \
            strengthened mysql.account.weakened [no TLS of x@%]; strengthened mysql.account.weakened [unlocked x@%]; \
            strengthened mysql.account.weakened [endless password of x@%]; strengthened mysql.grant.global [x@% on *.*]; \
            unknown mysql.account.open [y@h]; unknown mysql.account.open [empty password of y@h]; unknown mysql.grant.global [y@h on *.*]"),
        ("ALTER USER 'x'@'%' ACCOUNT LOCK", "strengthened mysql.account.open [x@%]; strengthened mysql.account.open [empty password of x@%]; \
            strengthened mysql.account.weakened [unlocked x@%]"),
        ("ALTER USER 'x'@'h' PASSWORD EXPIRE NEVER", "weakened mysql.account.weakened [endless password of x@h]"),
        ("ALTER USER 'x'@'h' PASSWORD EXPIRE INTERVAL 90 DAY", "strengthened mysql.account.weakened [endless password of x@h]"),
        ("ALTER USER 'x'@'h' REQUIRE NONE", "weakened mysql.account.weakened [no TLS of x@h]"),
        ("ALTER USER 'x'@'h' REQUIRE SSL", "strengthened mysql.account.open [x@h]; strengthened mysql.account.weakened [no TLS of x@h]"),
        ("ALTER USER 'x'@'h' ACCOUNT UNLOCK", "weakened mysql.account.weakened [unlocked x@h]"),
        ("ALTER USER 'x'@'h' ATTRIBUTE '{}'", ""),
        ("SET GLOBAL require_secure_transport = OFF", "weakened mysql.setting.tls [require_secure_transport]"),
        ("SET PERSIST require_secure_transport = ON", "strengthened mysql.setting.tls [require_secure_transport]"),
        ("SET @@GLOBAL.general_log = 0, GLOBAL audit_log_policy = 'NONE'", "weakened mysql.setting.audit [general_log]; weakened mysql.setting.audit [audit_log_policy]"),
        ("SET sql_log_bin = 0", "weakened mysql.setting.audit [sql_log_bin in session 12]"),
        ("SET sql_mode = ''", ""),
        ("SELECT audit_log_filter_remove_user('%')", "weakened mysql.audit_filter.weakened [filter of %]"),
        ("SELECT audit_log_filter_set_filter('a', '{\"filter\": {\"log\": false}}')", "weakened mysql.audit_filter.weakened [filter a]"),
        ("SELECT audit_log_filter_set_filter('a', '{\"filter\": {\"log\": true}}')", "strengthened mysql.audit_filter.weakened [filter a]"),
        ("UNINSTALL PLUGIN audit_log", "weakened mysql.plugin.uninstalled [audit_log]"),
        ("INSTALL PLUGIN audit_log SONAME 'audit_log.so'", "strengthened mysql.plugin.uninstalled [audit_log]"),
        ("UNINSTALL COMPONENT 'file://component_audit_log_filter'", "weakened mysql.plugin.uninstalled [component_audit_log_filter]"),
        ("INSTALL PLUGIN auth_socket SONAME 'auth_socket.so'", "unknown mysql.plugin.authentication [auth_socket]"),
        ("SET GLOBAL local_infile = 1", "weakened mysql.setting.authentication [local_infile]"),
        ("GRANT SELECT, UPDATE ON mysql.* TO 'desk'@'h'", "weakened mysql.grant.global [desk@h on mysql.*]"),
        ("GRANT SELECT ON mysql.* TO 'desk'@'h'", ""),
        ("SET PERSIST tls_version = ''", "weakened mysql.setting.tls [tls_version]"),
        ("SET PERSIST tls_version = 'TLSv1.1,TLSv1.2'", "weakened mysql.setting.tls [tls_version]"),
        ("SET PERSIST tls_version = 'TLSv1.2,TLSv1.3'", "strengthened mysql.setting.tls [tls_version]"),
        ("SET PERSIST validate_password.length = 4", "weakened mysql.setting.authentication [validate_password.length]"),
        ("SET PERSIST validate_password.length = 14", "strengthened mysql.setting.authentication [validate_password.length]"),
        ("SET GLOBAL validate_password.policy = LOW", "weakened mysql.setting.authentication [validate_password.policy]"),
        ("ALTER TABLE t ENCRYPTION='N'", "weakened mysql.encryption.off [t]"),
        ("ALTER TABLESPACE ts ENCRYPTION = 'Y'", "strengthened mysql.encryption.off [ts]"),
        ("ALTER INSTANCE DISABLE INNODB REDO_LOG", "weakened mysql.encryption.off [redo log]"),
        ("ALTER INSTANCE ROTATE INNODB MASTER KEY", "unknown mysql.instance.keys [rotate innodb master key]"),
        ("UPDATE mysql.user SET plugin = '' WHERE User = 'root'", "weakened mysql.grant_tables.written [mysql.user]"),
    ] {
        let event = read(Source::MysqlAudit, &enterprise(statement, "x", 0).to_string()).unwrap();
        assert_eq!(changes(&event), expected, "{statement}");
        if !expected.is_empty() {
            assert_eq!(event.kind, EventKind::ConfigChange, "{statement}");
        }
        fired.extend(event.changes.iter().map(|change| change.catalogue_row.to_string()));
    }
    let audit = |event: &str, arguments: &[&str]| {
        json!({"timestamp": "2026-03-04 05:06:07", "id": 0, "class": "audit", "event": event, "connection_id": 0,
            "startup_data": {"server_id": 1, "mysql_version": "8.0.30", "args": arguments}}).to_string()
    };
    for (text, expected) in [
        (audit("startup", &["mysqld", "--skip-grant-tables"]),
            "strengthened mysql.audit.stopped [audit]; weakened mysql.start.skip_grant_tables [skip-grant-tables]"),
        (audit("startup", &["mysqld", "--skip-grant-tables=OFF"]),
            "strengthened mysql.audit.stopped [audit]; strengthened mysql.start.skip_grant_tables [skip-grant-tables]"),
        (audit("startup", &["mysqld", "--port=3306"]),
            "strengthened mysql.audit.stopped [audit]; strengthened mysql.start.skip_grant_tables [skip-grant-tables]"),
        (audit("shutdown", &[]), "unknown mysql.audit.stopped [audit]"),
    ] {
        let event = read(Source::MysqlAudit, &text).unwrap();
        assert_eq!(changes(&event), expected);
        fired.extend(event.changes.iter().map(|change| change.catalogue_row.to_string()));
    }
    assert!(silent("mysql.", &fired).is_empty(), "rows without a case: {:?}", silent("mysql.", &fired));
    let refused = read(Source::MysqlAudit, &enterprise("GRANT ALL ON *.* TO x", "grant", 1045).to_string()).unwrap();
    assert_eq!((refused.outcome, refused.changes.len()), (Outcome::Failure, 1), "an attempt");
}

#[test]
#[rustfmt::skip]
fn copies_and_births() {
    for (statement, status, datastore, activity, expected) in [
        ("CHANGE REPLICATION SOURCE TO SOURCE_HOST='db2', SOURCE_PORT=3306, SOURCE_PASSWORD='secret'", 0, "mysql://db1", None, "neutral copy_from [mysql://db2]"),
        ("CHANGE MASTER TO MASTER_HOST='db2', MASTER_USER='r'", 0, "mysql://db1", None, "neutral copy_from [mysql://db2]"),
        ("CHANGE MASTER TO MASTER_HOST='db2'", 1227, "mysql://db1", None, "neutral copy_from [mysql://db2]"),
        ("CLONE INSTANCE FROM 'u'@'db2':3306 IDENTIFIED BY 'secret'", 0, "mysql://db1", None, "neutral copy_from [mysql://db2]"),
        ("CHANGE REPLICATION SOURCE TO SOURCE_HOST='db1'", 0, "mysql://db1", None, ""),
        ("CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=1", 0, "mysql://db1/shop", None, ""),
        ("CREATE TABLE shop.copy AS SELECT * FROM shop.people", 0, "mysql://db1/shop", None, ""),
        ("CREATE DATABASE fresh CHARACTER SET utf8mb4", 0, "mysql://db1/fresh", Some(1), ""),
        ("CREATE SCHEMA `fresh`", 0, "mysql://db1/fresh", Some(1), ""),
        ("CREATE DATABASE fresh", 1044, "mysql://db1/fresh", None, ""),
        ("CREATE DATABASE IF NOT EXISTS fresh", 0, "mysql://db1/shop", None, ""),
        ("DROP DATABASE fresh", 0, "mysql://db1/fresh", Some(4), ""),
    ] {
        let escaped = statement.replace('\'', "\\'");
        let line = format!("20260304 05:06:07,db1,dba,10.0.0.1,13,638,QUERY,shop,'{escaped}',{status}");
        let event = read(Source::MariadbServerAudit, &line).unwrap();
        let of_mariadb = |text: &str| text.replace("mysql://", "mariadb://");
        let copies = |event: &AuditEvent<'_>| {
            let found = changes(event);
            found.split("; ").filter(|change| change.contains("copy_")).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(copies(&event), of_mariadb(expected), "{line}");
        assert_eq!(event.datastore.as_ref().unwrap().uid, of_mariadb(datastore), "{line}");
        assert_eq!(event.outcome == Outcome::Failure, status != 0);
        let entity = (event.class == Class::EntityManagement).then_some(event.activity_id);
        assert_eq!(entity, activity, "{line}");
        // These records do not name their server.
        let record = enterprise(statement, "other", status).to_string();
        if !statement.contains("'db1'") {
            assert_eq!(copies(&read(Source::MysqlAudit, &record).unwrap()), expected, "{record}");
        }
    }
}

#[test]
#[rustfmt::skip]
fn changes_of_mariadb() {
    let mut fired = BTreeSet::new();
    for (statement, expected) in [
        ("SET GLOBAL server_audit_logging = OFF", "weakened mariadb.audit.off [server_audit_logging]"),
        ("set global server_audit_logging=on", "strengthened mariadb.audit.off [server_audit_logging]"),
        ("SET GLOBAL server_audit_events = 'CONNECT'", "weakened mariadb.audit.narrowed [server_audit_events]"),
        ("SET GLOBAL server_audit_events = ''", "strengthened mariadb.audit.narrowed [server_audit_events]"),
        ("SET GLOBAL server_audit_excl_users = 'mallory'", "weakened mariadb.audit.narrowed [server_audit_excl_users]"),
        ("UNINSTALL SONAME 'server_audit'", "weakened mariadb.audit.uninstalled [server_audit]"),
        ("UNINSTALL SONAME 'simple_password_check'", "weakened mariadb.audit.uninstalled [simple_password_check]"),
        ("alter user b@'127.0.0.1' require none", "weakened mariadb.account.open [b@127.0.0.1]"),
        ("INSTALL SONAME 'server_audit.so'", "strengthened mariadb.audit.uninstalled [server_audit]"),
        ("GRANT SELECT ON *.* TO app@'10.1.2.3'", "weakened mariadb.grant.wide [app@10.1.2.3 on *.*]"),
        ("GRANT SELECT ON shop.t TO 'app'@'%'", "weakened mariadb.grant.wide [app@% on shop.t]"),
        ("GRANT SELECT ON shop.t TO PUBLIC", "weakened mariadb.grant.wide [PUBLIC on shop.t]"),
        ("GRANT SELECT ON shop.t TO app@'10.1.2.3'", ""),
        ("REVOKE SELECT ON shop.t FROM PUBLIC", "strengthened mariadb.grant.wide [PUBLIC on shop.t]"),
        ("CREATE USER mallory@'%' IDENTIFIED BY *****", "weakened mariadb.account.open [mallory@%]"),
        ("CREATE USER ''@'localhost'", "weakened mariadb.account.open [@localhost]"),
        ("CREATE USER a@'127.0.0.1' IDENTIFIED BY *****", ""),
        ("SET PASSWORD FOR a@'127.0.0.1' = ''", "weakened mariadb.account.open [empty password of a@127.0.0.1]"),
        ("SET PASSWORD FOR a@'127.0.0.1' = PASSWORD(*****)", "strengthened mariadb.account.open [empty password of a@127.0.0.1]"),
        ("CREATE USER b@'127.0.0.1' IDENTIFIED BY ''", "weakened mariadb.account.open [empty password of b@127.0.0.1]"),
        ("ALTER USER b@'127.0.0.1' IDENTIFIED BY *****", "strengthened mariadb.account.open [empty password of b@127.0.0.1]"),
        ("ALTER USER b@'%' ACCOUNT LOCK", "strengthened mariadb.account.open [b@%]; strengthened mariadb.account.open [empty password of b@%]"),
        ("ALTER USER b@'%' REQUIRE NONE", "weakened mariadb.account.open [b@%]"),
        ("ALTER USER b@'%' REQUIRE SSL", "strengthened mariadb.account.open [b@%]"),
        ("RENAME USER b@'%' TO c@'127.0.0.1'", "strengthened mariadb.account.open [b@%]; strengthened mariadb.account.open [empty password of b@%]; \
            strengthened mariadb.grant.wide [b@% on *.*]; unknown mariadb.account.open [c@127.0.0.1]; \
            unknown mariadb.account.open [empty password of c@127.0.0.1]; unknown mariadb.grant.wide [c@127.0.0.1 on *.*]"),
        ("DROP USER b@'%'", "strengthened mariadb.account.open [b@%]; strengthened mariadb.account.open [empty password of b@%]; \
            strengthened mariadb.grant.wide [b@% on *.*]"),
        ("REVOKE ALL, GRANT OPTION FROM b@'%'", "strengthened mariadb.grant.wide [b@% on *.*]"),
        ("SET GLOBAL server_audit_query_log_limit = 16", "weakened mariadb.audit.narrowed [server_audit_query_log_limit]"),
        ("SET GLOBAL server_audit_query_log_limit = 1024", "strengthened mariadb.audit.narrowed [server_audit_query_log_limit]"),
        ("SET GLOBAL require_secure_transport=OFF", "weakened mariadb.setting.tls [require_secure_transport]"),
        ("SET GLOBAL strict_password_validation=OFF", "weakened mariadb.setting.authentication [strict_password_validation]"),
        ("SET GLOBAL local_infile = 1", "weakened mariadb.setting.authentication [local_infile]"),
    ] {
        let escaped = statement.replace('\'', "\\'");
        let text = format!("20260304 05:06:07,db1,dba,10.0.0.1,13,638,QUERY,shop,'{escaped}',0");
        let event = read(Source::MariadbServerAudit, &text).unwrap();
        assert_eq!(changes(&event), expected, "{text}");
        if !expected.is_empty() {
            assert_eq!(event.datastore.as_ref().unwrap().uid, "mariadb://db1", "{text}");
        }
        fired.extend(event.changes.iter().map(|change| change.catalogue_row.to_string()));
    }
    assert!(silent("mariadb.", &fired).is_empty(), "rows without a case: {:?}", silent("mariadb.", &fired));
}

#[test]
fn every_sample_of_mariadb_is_an_event() {
    let Some(folder) = test_data("samples of MariaDB") else { return };
    let text = std::fs::read_to_string(folder.join("data/mariadb-audit/server_audit.log")).unwrap();
    let mut failed = 0;
    for (index, sample) in text.lines().enumerate() {
        for source in [Source::MariadbServerAudit, Source::Auto] {
            let event =
                read(source, sample).unwrap_or_else(|reason| panic!("{reason:?}: {sample}"));
            let fields: Vec<&str> = sample.split(',').collect();
            assert_eq!(event.actor.uid.as_deref().unwrap_or_default(), fields[2], "{sample}");
            if index == 0 {
                assert_eq!(event.time, EventTime::parse_rfc3339("2020-11-30T23:07:48Z").unwrap());
            }
            failed += u32::from(event.outcome == Outcome::Failure);
        }
    }
    println!("mariadb: {} events of {} lines", text.lines().count(), text.lines().count());
    assert_eq!((text.lines().count(), failed), (15, 2 * 5));
}

/// Records that are almost whole: cut, and with something put in.
fn almost_records() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        r#"{"timestamp":"2026-03-04 05:06:07","class":"general","event":"status","connection_id":1,"general_data":{"command":"Query","query":"SELECT 'ä'","status":0}},"#,
        r#"{"audit_record":{"name":"Query","timestamp":"2026-03-04T05:06:07Z","command_class":"select","sqltext":"SELECT 1","user":"a[a] @ h []"}}"#,
        "<AUDIT_RECORD><NAME>Query</NAME><TIMESTAMP>2026-03-04T05:06:07 UTC</TIMESTAMP><SQLTEXT>a &lt; &#228; &x; ä</SQLTEXT></AUDIT_RECORD>",
        "<AUDIT_RECORD NAME=\"Quit\" TIMESTAMP=\"2026-03-04T05:06:07 UTC\" USER=\"a[a] @ h []\"/>",
        r"20260304  5:06:07,db1,ada,10.0.0.1,12,46,QUERY,app,'SELECT \'ä\\\'\nFROM ''t''',1227,SSL",
        "1772600767000000,db1,,h,2,0,FAILED_CONNECT,,,1158",
        "db1,ada,h,2,7,RENAME,support,old|new,",
    ]);
    let more = prop::sample::select(vec!["", "\"", "'", "\\", "<", "&", ",", "ä", "{", "]"]);
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
    fn any_text_is_a_record_or_not(text in prop_oneof!["\\PC{1,200}", almost_records()]) {
        for source in [Source::MysqlAudit, Source::MariadbServerAudit, Source::Auto] {
            let position = Position { partition: Partition::new("audit", 0), offset: Offset(1), record_index: 0 };
            let record = Record { position: &position, kafka_time: None, payload: text.as_bytes() };
            let decoded = decode(source, record);
            prop_assert!(decoded.events.len() + decoded.rejects.len() > 0);
        }
    }
}
