//! Real database servers, whose own logs a real shipper brings to a real broker.
//!
//! The clients are the products' own. Nothing here is made up but the names.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use dataward_simulation::broker::Broker;
use dataward_simulation::mariadb_server::{self, MariadbServer};
use dataward_simulation::postgres_server::{self, Log, PostgresServer};
use dataward_simulation::rsyslog::{Followed, Form, Rsyslog};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::archive::verified;
use crate::support::kafka::{self, broker, values};
use crate::support::process::{Running, dataward, json_lines, text as text_of, until};

/// The machine on which the servers stand, as rsyslog names it.
const HOST: &str = "db-1.example.org";
/// Where a record of PostgreSQL's text begins; as `docs/sources/postgres.pgaudit.md` says.
const BEGINS: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2} ";

/// Runs a client with this text as its input.
fn run(mut client: Command, input: &str) -> Output {
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = client.spawn().unwrap();
    // One that was not let in does not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// It went well. Gives what it wrote.
fn succeed(client: Command, input: &str) -> String {
    let output = run(client, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// It was refused, with these words.
fn be_refused(client: Command, input: &str, words: &str) {
    let output = run(client, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{said}");
}

/// What rsyslog has put around a record of a file, taken off.
fn taken_off(form: Form, value: &str) -> String {
    let message = match form {
        Form::Syslog => {
            let (header, message) = value.split_once(" - - - ").expect(value);
            assert!(header.starts_with("<133>1 20") && header.contains(HOST), "{value}");
            message.strip_suffix('\n').expect(value).to_owned()
        }
        Form::Json => {
            let value: Value = serde_json::from_str(value).expect(value);
            assert_eq!(value["host"], HOST);
            value["message"].as_str().unwrap().to_owned()
        }
    };
    assert!(!message.is_empty() && !message.ends_with('\n'), "{value}");
    message
}

/// The records of a file. The next one begins with a line that does not go on with the one before.
fn records(file: &Path, goes_on: impl Fn(&str) -> bool) -> Vec<String> {
    let mut records: Vec<String> = Vec::new();
    for line in std::fs::read_to_string(file).unwrap_or_default().lines() {
        match records.last_mut() {
            Some(record) if goes_on(line) => *record += &format!("\n{line}"),
            _ => records.push(line.to_owned()),
        }
    }
    records
}

/// Waits until the topic has every record of the file, with the one that tells `last`; and it has nothing else.
fn shipped(
    topic: &str,
    form: Form,
    file: &Path,
    goes_on: impl Fn(&str) -> bool,
    last: &[&str],
) -> Vec<String> {
    let values = values(broker().unwrap(), topic, |values| {
        let of_file = records(file, &goes_on);
        has(&of_file, last) && values.len() >= of_file.len()
    });
    let shipped: Vec<_> = values.iter().map(|value| taken_off(form, value)).collect();
    // A server may still have something to tell of an earlier session.
    assert_eq!(shipped, records(file, &goes_on)[..shipped.len()]);
    shipped
}

/// There is a record that has all of these.
fn has(records: &[String], parts: &[&str]) -> bool {
    records.iter().any(|record| parts.iter().all(|part| record.contains(part)))
}

/// Every one of these is told.
fn are_told(records: &[String], told: &[&[&str]]) {
    for parts in told {
        assert!(has(records, parts), "{parts:?} is not in\n{}", records.join("\n"));
    }
}

// --- What Dataward makes of it ---------------------------------------------------------------

/// An archive that `dataward run` has written, and the alerts that it sent.
struct Understood {
    _folder: TempDir,
    archive: String,
    alerts: Vec<Value>,
}

/// Runs Dataward over topics until it has every record of them.
fn understood(broker: &Broker, topics: &[(&str, &str, usize)]) -> Understood {
    let folder = TempDir::new().unwrap();
    let (first, others) = topics.split_first().unwrap();
    let bound = |(name, source, _): &(&str, &str, usize)| {
        format!("[[topics]]\nname = \"{name}\"\nsource = \"{source}\"\n")
    };
    let more: String = others.iter().map(bound).collect();
    let setup = kafka::setup(broker, folder.path(), first.0, &more).with("aws.cloudtrail", first.1);
    let records: usize = topics.iter().map(|(_, _, records)| records).sum();
    let mut running = Running::start(&setup.run());
    setup.until_settled(&mut running, i64::try_from(records).unwrap());
    running.terminate().expect(0);
    verified(&setup.archive);
    let alerts = json_lines(&std::fs::read_to_string(&setup.alerts).unwrap());
    Understood { _folder: folder, archive: text_of(&setup.archive), alerts }
}

impl Understood {
    fn ask(&self, question: &str) -> Vec<Value> {
        dataward(&["query", question, "--archive", &self.archive]).expect(0).lines()
    }

    /// Each of these is told by some row: what is named in it is equal there. Nothing was put aside as bad.
    fn has_rows(&self, topic: &str, wanted: &[Value]) {
        let bad = format!(
            "SELECT quarantine_reason, detail FROM quarantine WHERE topic = '{topic}' AND quarantine_reason <> 'no_events'"
        );
        assert_eq!(self.ask(&bad), [Value::Null; 0]);
        let rows = self.ask(&format!(
            "SELECT kind, operation, actor_name, client_ip, datastore_uid, objects[1] AS object, rows_returned, read_scope,
                    status_id, changes[1]['opened'] AS opened
             FROM events WHERE topic = '{topic}'"
        ));
        for row in wanted {
            let fields = row.as_object().unwrap();
            let is_told = rows.iter().any(|found| {
                fields.iter().all(|(name, value)| found.get(name).unwrap_or(&Value::Null) == value)
            });
            let of_kind: Vec<_> =
                rows.iter().filter(|found| found["kind"] == row["kind"]).collect();
            assert!(is_told, "{row} is not among {of_kind:#?}");
        }
    }

    /// There is an alert of each of these rules that has this word.
    fn has_alerts(&self, wanted: &[(&str, &str)]) {
        for (rule, word) in wanted {
            let is_sent = self.alerts.iter().any(|alert| {
                alert["finding_info"]["analytic"]["uid"] == *rule
                    && alert["finding_info"]["desc"].as_str().unwrap().contains(word)
            });
            let sent: Vec<_> =
                self.alerts.iter().map(|alert| &alert["finding_info"]["desc"]).collect();
            assert!(is_sent, "{rule} {word} is not among {sent:#?}");
        }
    }
}

// --- PostgreSQL ------------------------------------------------------------------------------

/// What the owner of the database makes.
const POSTGRES_BEFORE: &str = r#"
CREATE ROLE shop_api LOGIN PASSWORD 'shop_api-4711';
CREATE ROLE analyst LOGIN PASSWORD 'analyst-4711';
CREATE ROLE backup LOGIN PASSWORD 'backup-4711' IN ROLE pg_read_all_data;
CREATE DATABASE shop;
\connect shop
CREATE EXTENSION pgaudit;
CREATE TABLE customers (id int PRIMARY KEY, name text, "E-Mail" text, note text);
INSERT INTO customers SELECT i, 'name ' || i, i || '@example.org' FROM generate_series(1, 500) i;
GRANT SELECT, INSERT ON customers TO shop_api;
"#;

const POSTGRES_DAY: &str = r#"
INSERT INTO customers VALUES (501, 'O''Neil, "Ed"', 'ed@example.org', E'one\ntwo');
SELECT name
  FROM customers
 WHERE id > 400
   AND note IS NULL;
"#;

/// One program of PostgreSQL, as a user whose password is made from the name.
fn postgres(server: &PostgresServer, program: &str, user: &str, database: &str) -> Command {
    let password = match user {
        postgres_server::SUPERUSER => postgres_server::PASSWORD.to_owned(),
        _ => format!("{user}-4711"),
    };
    let mut client = server.client(program, user, &password).unwrap();
    client.env("PGDATABASE", database);
    if program == "psql" {
        client.args(["--no-psqlrc", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
    }
    client
}

/// Logins, a refused one, a dump, a grant to everybody, and the audit switched off.
fn session_on_postgres(server: &PostgresServer, folder: &Path) {
    let owner = postgres_server::SUPERUSER;
    succeed(postgres(server, "psql", owner, "postgres"), POSTGRES_BEFORE);
    let mut api = postgres(server, "psql", "shop_api", "shop");
    api.env("PGAPPNAME", "shop api");
    let read = succeed(api, POSTGRES_DAY);
    assert_eq!(read.matches("name ").count(), 100);

    let wrong = server.client("psql", "analyst", "guessed").unwrap();
    be_refused(wrong, "", "password authentication failed");
    let analyst = postgres(server, "psql", "analyst", "shop");
    be_refused(analyst, "SELECT * FROM customers;", "permission denied for table customers");

    let dump = folder.join("shop.sql");
    let mut client = postgres(server, "pg_dump", "backup", "shop");
    client.arg("--file").arg(&dump);
    succeed(client, "");
    assert!(std::fs::read_to_string(dump).unwrap().contains("499@example.org"));

    let grant = "GRANT SELECT ON customers TO PUBLIC;";
    succeed(postgres(server, "psql", owner, "shop"), grant);
    let off = "ALTER ROLE analyst SET pgaudit.log = 'none';";
    succeed(postgres(server, "psql", owner, "shop"), off);
    let in_the_dark = "SELECT count(*) AS by_the_analyst FROM customers;";
    succeed(postgres(server, "psql", "analyst", "shop"), in_the_dark);
    let off = "ALTER SYSTEM SET pgaudit.log = 'none'; SELECT pg_reload_conf();";
    succeed(postgres(server, "psql", owner, "shop"), off);
    until("the reload", || {
        let answer = succeed(postgres(server, "psql", owner, "shop"), "SHOW pgaudit.log;");
        (answer.trim() == "none").then_some(())
    });
    let mut last = postgres(server, "psql", "backup", "shop");
    last.env("PGAPPNAME", "the last one");
    succeed(last, "SELECT count(*) AS in_the_dark FROM customers;");
}

#[test]
fn what_postgres_logs_arrives_word_for_word() {
    let Some(broker) = broker() else { return };
    let Some(server) = PostgresServer::start("").unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let (text, json) = (kafka::topic(broker, 1), kafka::topic(broker, 1));
    let files = [
        Followed {
            file: server.log(Log::Text),
            program: "postgres",
            begins: Some(BEGINS),
            topic: &text,
            form: Form::Syslog,
        },
        Followed {
            file: server.log(Log::Json),
            program: "postgres",
            begins: None,
            topic: &json,
            form: Form::Json,
        },
    ];
    let Some(rsyslog) = Rsyslog::start(&broker.bootstrap_servers(), HOST, &files).unwrap() else {
        return;
    };
    session_on_postgres(&server, folder.path());

    let last = ["the last one", "disconnection: session time: "];
    let goes_on = |line: &str| line.starts_with('\t');
    let of_text = shipped(&text, Form::Syslog, &server.log(Log::Text), goes_on, &last);
    let of_json = shipped(&json, Form::Json, &server.log(Log::Json), |_| false, &last);
    assert_eq!(rsyslog.said(), "");

    let api = "user=shop_api,db=shop,app=shop api,client=127.0.0.1 LOG:";
    let backup = "user=backup,db=shop,app=pg_dump,client=127.0.0.1 LOG:";
    let owner = "user=postgres,db=shop,app=psql,client=127.0.0.1 LOG:";
    are_told(
        &of_text,
        &[
            &["connection authorized: user=shop_api database=shop application_name=shop api"],
            // A statement over lines, and how much it read.
            &[api, ",READ,SELECT,TABLE,public.customers,\"SELECT name\n\t  FROM", ",100"],
            &[api, r#""INSERT INTO customers VALUES (501, 'O''Neil, ""Ed""'"#],
            &["user=analyst,", "FATAL:  password authentication failed for user \"analyst\""],
            &["user=analyst,", "ERROR:  permission denied for table customers"],
            // How much a COPY reads is not told.
            &[
                backup,
                ",READ,COPY,,,\"COPY public.customers (id, name, \"\"E-Mail\"\", note) TO",
                ",0",
            ],
            &[owner, ",ROLE,GRANT,TABLE,,GRANT SELECT ON customers TO PUBLIC;"],
            &[owner, ",ROLE,ALTER ROLE,,,ALTER ROLE analyst SET pgaudit.log = 'none';"],
            &[owner, ",DDL,ALTER SYSTEM,,,ALTER SYSTEM SET pgaudit.log = 'none';"],
            &["user=,db=,app=,client= LOG:  parameter \"pgaudit.log\" changed to \"none\""],
            &["user=backup,db=shop,app=the last one,", "disconnection"],
        ],
    );
    are_told(
        &of_json,
        &[
            &[r#""user":"shop_api","dbname":"shop""#, r#"\"SELECT name\n  FROM customers\n WHERE"#],
            &[r#""user":"backup""#, r#""application_name":"pg_dump""#, "COPY public.customers"],
        ],
    );
    for records in [&of_text, &of_json] {
        assert!(!has(records, &["by_the_analyst"]) && !has(records, &["in_the_dark"]));
    }

    let run = understood(
        broker,
        &[(&text, "postgres.pgaudit", of_text.len()), (&json, "postgres.pgaudit", of_json.len())],
    );
    let datastore = format!("postgres://{HOST}/shop");
    for topic in [&text, &json] {
        run.has_rows(
            topic,
            &[
                // Who read what, and how much.
                json!({"kind": "access", "operation": "SELECT", "actor_name": "shop_api", "client_ip": "127.0.0.1",
                    "datastore_uid": datastore, "object": "public.customers", "rows_returned": 100, "status_id": 1}),
                // The dump: out of the database in one go. How many rows it was is not told.
                json!({"kind": "access", "operation": "COPY", "actor_name": "backup", "datastore_uid": datastore,
                    "object": "public.customers", "read_scope": "export", "rows_returned": null}),
                json!({"kind": "authentication", "actor_name": "analyst", "status_id": 2}),
                json!({"kind": "authentication", "actor_name": "shop_api", "status_id": 1, "client_ip": "127.0.0.1"}),
                json!({"kind": "config_change", "operation": "GRANT", "actor_name": "postgres", "datastore_uid": datastore,
                    "opened": "PUBLIC on customers"}),
            ],
        );
    }
    run.has_alerts(&[("control.weakened", "PUBLIC"), ("audit.silenced", "pgaudit.log")]);
}

// --- MariaDB ---------------------------------------------------------------------------------

/// What the owner of the database makes.
const MARIADB_BEFORE: &str = r"
CREATE DATABASE shop;
CREATE USER dba@'127.0.0.1' IDENTIFIED BY 'dba-4711';
GRANT ALL ON *.* TO dba@'127.0.0.1' WITH GRANT OPTION;
CREATE USER shop_api@'127.0.0.1' IDENTIFIED BY 'shop_api-4711';
GRANT SELECT, INSERT ON shop.* TO shop_api@'127.0.0.1';
CREATE USER analyst@'127.0.0.1' IDENTIFIED BY 'analyst-4711';
CREATE USER backup@'127.0.0.1' IDENTIFIED BY 'backup-4711';
GRANT SELECT, SHOW VIEW, TRIGGER, LOCK TABLES ON *.* TO backup@'127.0.0.1';
USE shop;
CREATE TABLE customers (id int PRIMARY KEY, name text, `E-Mail` text, note text);
INSERT INTO customers SELECT seq, concat('name ', seq), '@', NULL FROM seq_1_to_500;
";

const MARIADB_DAY: &str = r#"
INSERT INTO customers VALUES (501, 'O''Neil, "Ed"', 'ed@example.org', 'one\ntwo');
SELECT name
  FROM customers
 WHERE id > 400
   AND note IS NULL;
"#;

/// One program of MariaDB, as a user whose password is made from the name.
fn mariadb(server: &MariadbServer, program: &str, user: &str) -> Command {
    server.client(program, user, &format!("{user}-4711")).unwrap()
}

/// Logins, a refused one, a dump, a grant to everybody, and the audit switched off.
fn session_on_mariadb(server: &MariadbServer, folder: &Path) {
    succeed(mariadb(server, "mariadb", mariadb_server::SUPERUSER), MARIADB_BEFORE);
    let mut api = mariadb(server, "mariadb", "shop_api");
    api.arg("shop");
    assert_eq!(succeed(api, MARIADB_DAY).matches("name ").count(), 100);

    let wrong = server.client("mariadb", "analyst", "guessed").unwrap();
    be_refused(wrong, "", "Access denied for user 'analyst'");
    let analyst = mariadb(server, "mariadb", "analyst");
    be_refused(analyst, "SELECT * FROM shop.customers;", "SELECT command denied");

    let dump = folder.join("shop.sql");
    let mut client = mariadb(server, "mariadb-dump", "backup");
    client.arg("--single-transaction").arg("shop").arg("--result-file").arg(&dump);
    succeed(client, "");
    assert!(std::fs::read_to_string(dump).unwrap().contains("'name 499'"));

    let grant = "GRANT SELECT ON shop.customers TO PUBLIC;";
    succeed(mariadb(server, "mariadb", "dba"), grant);
    let off = "SET GLOBAL server_audit_logging = OFF; SELECT 1 AS in_the_dark;";
    succeed(mariadb(server, "mariadb", "dba"), off);
    succeed(mariadb(server, "mariadb", "backup"), "SELECT 2 AS in_the_dark;");
}

#[test]
fn what_mariadb_logs_arrives_word_for_word() {
    let Some(broker) = broker() else { return };
    let Some(server) = MariadbServer::start("").unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let topic = kafka::topic(broker, 1);
    let file = Followed {
        file: server.log(),
        program: "mariadbd",
        begins: None,
        topic: &topic,
        form: Form::Json,
    };
    let Some(rsyslog) = Rsyslog::start(&broker.bootstrap_servers(), HOST, &[file]).unwrap() else {
        return;
    };
    session_on_mariadb(&server, folder.path());

    let last = "'SET GLOBAL server_audit_logging = OFF',0";
    let records = shipped(&topic, Form::Json, &server.log(), |_| false, &[last]);
    assert_eq!(rsyslog.said(), "");
    are_told(
        &records,
        &[
            &[",shop_api,127.0.0.1,", ",CONNECT,shop,,0"],
            &[",shop_api,127.0.0.1,", ",READ,shop,customers,"],
            &[",shop_api,127.0.0.1,", r",QUERY,shop,'SELECT name\n  FROM customers\n WHERE id"],
            &[",shop_api,127.0.0.1,", r#"VALUES (501, \'O\'\'Neil, "Ed"\', \'ed@example.org\',"#],
            &[",analyst,127.0.0.1,", ",FAILED_CONNECT,,,1045"],
            &[",analyst,127.0.0.1,", ",QUERY,,'SELECT * FROM shop.customers',1142"],
            &[",backup,127.0.0.1,", ",READ,shop,customers,"],
            &[",backup,127.0.0.1,", ",QUERY,shop,'SELECT /*!40001 SQL_NO_CACHE */ `id`, `name`"],
            &[",dba,127.0.0.1,", "'GRANT SELECT ON shop.customers TO PUBLIC',0"],
            &[",dba,127.0.0.1,", last],
        ],
    );
    assert!(!has(&records, &["in_the_dark"]));

    let run = understood(broker, &[(&topic, "mariadb.server_audit", records.len())]);
    run.has_rows(
        &topic,
        &[
            json!({"kind": "access", "operation": "READ", "actor_name": "shop_api", "client_ip": "127.0.0.1",
                "object": "shop.customers", "rows_returned": null}),
            json!({"kind": "access", "operation": "READ", "actor_name": "backup",
                "object": "shop.customers"}),
            json!({"kind": "authentication", "actor_name": "analyst", "status_id": 2}),
            json!({"kind": "authentication", "actor_name": "shop_api", "status_id": 1}),
            json!({"kind": "config_change", "operation": "GRANT", "actor_name": "dba"}),
        ],
    );
    run.has_alerts(&[("control.weakened", "PUBLIC"), ("audit.silenced", "server_audit_logging")]);
}
