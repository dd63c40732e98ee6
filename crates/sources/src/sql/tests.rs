//! Statements in, meaning out: one line each.

use dataward_event::limits::STATEMENT_BYTES_MAX;
use proptest::prelude::*;

use super::statement::{Dialect, read, read_each};
use super::{Effect, Scope};

use Dialect::{Databricks, MySql, Postgres, Snowflake};

/// `COMMAND | tables | scope | destination`.
fn meaning(text: &str, dialect: Dialect) -> String {
    let Some(read) = read(text, dialect) else { return "-".to_owned() };
    let scope = read.scope.map_or("", |scope| scope.as_str());
    let destination = read.destination.unwrap_or_default();
    let line = format!("{} | {} | {scope} | {destination}", read.command, read.tables.join(" "));
    line.trim_end_matches([' ', '|']).to_owned()
}

#[test]
#[rustfmt::skip]
fn tables_and_scope() {
    for (dialect, text, expected) in [
        (Postgres, "SELECT * FROM public.customers;", "SELECT | public.customers | whole"),
        (Postgres, "select id from \"Odd Name\".t order by 1", "SELECT | Odd Name.t | whole"),
        (Postgres, "SELECT * FROM t WHERE id = 1", "SELECT | t | part"),
        (Postgres, "SELECT * FROM t WHERE 1=1", "SELECT | t | whole"),
        (Postgres, "SELECT * FROM t WHERE true OR id = 7", "SELECT | t | whole"),
        (Postgres, "SELECT * FROM t LIMIT 10", "SELECT | t | part"),
        (Postgres, "SELECT * FROM t FETCH FIRST 5 ROWS ONLY", "SELECT | t | part"),
        (Postgres, "SELECT count(*) FROM t", "SELECT | t | part"),
        (Postgres, "SELECT count(*) OVER (), * FROM t", "SELECT | t | whole"),
        (Postgres, "SELECT json_agg(t) FROM t", "SELECT | t | whole"),
        (Postgres, "SELECT DISTINCT a FROM t", "SELECT | t | part"),
        (Postgres, "SELECT a FROM t GROUP BY a", "SELECT | t | part"),
        (Postgres, "SELECT * FROM a JOIN b ON a.id = b.id", "SELECT | a b | part"),
        (Postgres, "SELECT *\n  FROM test3, test2", "SELECT | test3 test2 | part"),
        (Postgres, "SELECT 1", "SELECT"),
        (Postgres, "SELECT * FROM generate_series(1, 10)", "SELECT"),
        (Postgres, "SELECT * FROM (SELECT * FROM t) x", "SELECT | t | whole"),
        (Postgres, "SELECT * FROM (SELECT * FROM t LIMIT 1) x", "SELECT | t | part"),
        (Postgres, "SELECT * FROM t UNION ALL SELECT * FROM u WHERE false", "SELECT | t u | whole"),
        (Postgres, "WITH c AS (SELECT * FROM t) SELECT * FROM c", "SELECT | t | whole"),
        (Postgres, "WITH t AS (SELECT * FROM t) SELECT * FROM t", "SELECT | t | whole"),
        (Postgres, "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT n+1 FROM r JOIN nodes ON true) SELECT * FROM r", "SELECT | nodes | part"),
        (Postgres, "SELECT * FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id)", "SELECT | a b | part"),
        (Postgres, "TABLE customers", "TABLE | customers | whole"),
        (Postgres, "SELECT id INTO copy FROM t", "SELECT INTO | t | whole | copy"),
        (Postgres, "CREATE TABLE tmp2 AS (SELECT * FROM tmp)", "CREATE TABLE AS | tmp2 tmp"),
        (Postgres, "CREATE TABLE a (id int, b text)", "CREATE TABLE | a"),
        (Postgres, "create temp table if not exists s.a as select * from t with no data", "CREATE TABLE AS | s.a t"),
        (Postgres, "CREATE MATERIALIZED VIEW m WITH (fillfactor=70) AS SELECT * FROM t", "CREATE MATERIALIZED VIEW | m t"),
        (Postgres, "INSERT INTO a SELECT * FROM b", "INSERT | a b"),
        (Postgres, "WITH CTE AS (INSERT INTO test3 VALUES (1) RETURNING id) INSERT INTO test2 SELECT id FROM cte", "INSERT | test3 test2"),
        (Postgres, "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "DELETE | t"),
        (Postgres, "UPDATE t SET a = 1 FROM u WHERE t.id = u.id", "UPDATE | t u"),
        (Postgres, "DELETE FROM t", "DELETE | t"),
        (Postgres, "TRUNCATE TABLE a, b", "TRUNCATE TABLE | a b"),
        (Postgres, "DROP TABLE IF EXISTS a, s.b CASCADE", "DROP TABLE | a s.b"),
        (Postgres, "COPY public.customers (id, name) TO stdout;", "COPY TO | public.customers | export | stdout"),
        (Postgres, "COPY (SELECT * FROM a JOIN b USING (id)) TO PROGRAM 'gzip > /tmp/x'", "COPY TO | a b | export | PROGRAM gzip > /tmp/x"),
        (Postgres, "COPY t FROM '/tmp/x' CSV", "COPY FROM | t"),
        (Postgres, "UNLOAD ('select * from t') TO 's3://b/k' IAM_ROLE 'r'", "UNLOAD | t | export | s3://b/k"),
        (Postgres, "DECLARE c CURSOR FOR SELECT * FROM t", "DECLARE | t | whole"),
        (Postgres, "DECLARE c CURSOR FOR SELECT id FROM ONLY hr.salaries", "DECLARE | hr.salaries | whole"),
        (Postgres, "SELECT * FROM aws_s3.query_export_to_s3('SELECT * FROM t', 'bucket', 'key')", "SELECT | t | export | bucket"),
        (Postgres, "SELECT lo_export(17, '/tmp/x')", "SELECT | pg_largeobject | export | /tmp/x"),
        (Postgres, "PREPARE p AS SELECT * FROM t WHERE id = $1", "PREPARE | t | part"),
        (Postgres, "EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN | t"),
        (Postgres, "FETCH 100 FROM c", "FETCH"),
        (Postgres, "SHOW search_path", "SHOW"),
        (Postgres, "begin", "BEGIN"),
        (Postgres, "DO $$ BEGIN PERFORM 1; END $$", "DO"),
        (Postgres, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$", "CREATE FUNCTION | f"),
        (Postgres, "SELECT 1; SELECT * FROM t", "SELECT | t | whole"),
        (MySql, "SELECT /*!40001 SQL_NO_CACHE */ * FROM `customers`", "SELECT | customers | whole"),
        (MySql, "SELECT 1 FROM DUAL", "SELECT"),
        (MySql, "SELECT a, b FROM shop.t INTO OUTFILE '/tmp/x' FIELDS TERMINATED BY ',' LINES TERMINATED BY '\\n'", "SELECT INTO OUTFILE | shop.t | export | /tmp/x"),
        (MySql, "SELECT a INTO OUTFILE S3 's3://b/k' FIELDS TERMINATED BY ',' FROM t WHERE id > 7", "SELECT INTO OUTFILE | t | export | s3://b/k"),
        (MySql, "SELECT a INTO DUMPFILE '/tmp/x' FROM t", "SELECT INTO DUMPFILE | t | export | /tmp/x"),
        (MySql, "REPLACE INTO t VALUES (1, 'a')", "REPLACE | t"),
        (MySql, "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2", "INSERT | t"),
        (MySql, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "LOAD DATA | t"),
        (MySql, "CREATE TABLE a SELECT * FROM b", "CREATE TABLE AS | a b"),
        (MySql, "DELETE a FROM a JOIN b ON a.id = b.id", "DELETE | a b"),
        (MySql, "RENAME TABLE a TO b", "RENAME TABLE | a"),
        (MySql, "CREATE DEFINER=`root`@`localhost` PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", "CREATE PROCEDURE | p"),
        (Snowflake, "COPY INTO @my_stage/out/ FROM db.s.t FILE_FORMAT = (TYPE = CSV)", "COPY INTO | db.s.t | export | @my_stage/out/"),
        (Snowflake, "copy into 's3://bucket/x' from (select * from t) credentials = (aws_key_id = 'x')", "COPY INTO | t | export | s3://bucket/x"),
        (Snowflake, "COPY INTO t FROM @stage", "COPY INTO | t"),
        (Snowflake, "SELECT TOP 10 * FROM t", "SELECT | t | part"),
        (Snowflake, "CREATE OR REPLACE TABLE a AS SELECT * FROM b", "CREATE TABLE AS | a b"),
        (Snowflake, "CREATE TABLE a CLONE b", "CREATE TABLE | a"),
        (Databricks, "INSERT OVERWRITE DIRECTORY 's3://b/k' USING parquet SELECT * FROM c.s.t", "INSERT OVERWRITE DIRECTORY | c.s.t | export | s3://b/k"),
        (Databricks, "SELECT * FROM main.sales.orders", "SELECT | main.sales.orders | whole"),
        (Databricks, "COPY INTO t FROM 's3://b/k' FILEFORMAT = PARQUET", "COPY INTO | t"),
        // Cut off, closed nowhere, or no SQL.
        (Postgres, "SELECT * FROM t WHERE a = 'x", "-"),
        (Postgres, "SELECT count(* FROM t", "-"),
        (Postgres, "INSERT INTO payments ...", "-"),
        (Postgres, "hello world", "-"),
        (Postgres, "", "-"),
    ] {
        assert_eq!(meaning(text, dialect), expected, "{text}");
    }
}

/// The effects, each as its own words.
fn effects(text: &str, dialect: Dialect) -> Vec<Effect> {
    read(text, dialect).unwrap_or_else(|| panic!("not read: {text}")).effects
}

fn debug(text: &str, dialect: Dialect) -> String {
    let all: Vec<String> =
        effects(text, dialect).iter().map(|effect| format!("{effect:?}")).collect();
    all.join("; ")
}

#[test]
#[rustfmt::skip]
fn grants() {
    // privileges | type | objects | grantees | option
    let line = |text: &str, dialect: Dialect| {
        let effects = effects(text, dialect);
        let Some(Effect::Grant(grant) | Effect::Revoke(grant)) = effects.first() else { panic!("{text}: {effects:?}") };
        let grantees: Vec<String> = grant.grantees.iter().map(|grantee| match &grantee.kind {
            Some(kind) => format!("{kind} {}", grantee.name),
            None => grantee.name.clone(),
        }).collect();
        format!("{}|{}|{}|{}{}", grant.privileges.join(","), grant.object_type.as_deref().unwrap_or(""),
            grant.objects.join(","), grantees.join(","), if grant.with_grant_option { "|option" } else { "" })
    };
    for (dialect, text, expected) in [
        (Postgres, "GRANT SELECT, INSERT\n   ON test2\n   TO regress_user2, \"Odd\"", "SELECT,INSERT||test2|regress_user2,Odd"),
        (Postgres, "GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO PUBLIC", "ALL PRIVILEGES|ALL TABLES IN SCHEMA|public|PUBLIC"),
        (Postgres, "GRANT SELECT (a, b), UPDATE (c) ON TABLE public.t TO x WITH GRANT OPTION", "SELECT,UPDATE|TABLE|public.t|x|option"),
        (Postgres, "grant pg_read_all_data to app", "pg_read_all_data|||app"),
        (Postgres, "REVOKE SELECT ON t FROM PUBLIC CASCADE", "SELECT||t|PUBLIC"),
        (Postgres, "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC", "SELECT||TABLES|PUBLIC"),
        (MySql, "GRANT ALL ON *.* TO 'x'@'%' WITH GRANT OPTION", "ALL||*.*|x@%|option"),
        (MySql, "GRANT SELECT ON `shop`.* TO app@localhost IDENTIFIED BY *****", "SELECT||shop.*|app@localhost"),
        (MySql, "GRANT SELECT ON shop.t TO ''@'10.0.0.%'", "SELECT||shop.t|@10.0.0.%"),
        (MySql, "GRANT SELECT ON *.* TO app@'10.1.2.3', `b`@`%`", "SELECT||*.*|app@10.1.2.3,b@%"),
        (MySql, "GRANT 'r1'@'%', r2 TO 'u'@'h.example.com'", "r1@%,r2|||u@h.example.com"),
        (MySql, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM u", "ALL PRIVILEGES,GRANT OPTION|||u"),
        (Snowflake, "GRANT ROLE ACCOUNTADMIN TO USER eve", "ACCOUNTADMIN|ROLE||USER eve"),
        (Snowflake, "GRANT SELECT ON ALL TABLES IN SCHEMA a.b TO ROLE PUBLIC", "SELECT|ALL TABLES IN SCHEMA|a.b|ROLE PUBLIC"),
        (Snowflake, "GRANT USAGE ON DATABASE d TO SHARE s", "USAGE|DATABASE|d|SHARE s"),
        (Snowflake, "GRANT MANAGE GRANTS ON ACCOUNT TO ROLE x", "MANAGE GRANTS||ACCOUNT|ROLE x"),
        (Snowflake, "GRANT OWNERSHIP ON TABLE t TO ROLE x COPY CURRENT GRANTS", "OWNERSHIP|TABLE|t|ROLE x"),
        (Databricks, "GRANT SELECT ON TABLE main.s.t TO `account users`", "SELECT|TABLE|main.s.t|account users"),
        (Databricks, "GRANT SELECT ON SHARE s TO RECIPIENT r", "SELECT|SHARE|s|RECIPIENT r"),
    ] {
        assert_eq!(line(text, dialect), expected, "{text}");
    }
    assert!(read("GRANT SELECT ON t", Postgres).is_none(), "cut off");
}

#[test]
#[rustfmt::skip]
fn accounts() {
    for (dialect, text, expected) in [
        (Postgres, "CREATE ROLE x SUPERUSER NOBYPASSRLS LOGIN", "Create x superuser=true bypass=false login=true"),
        (Postgres, "CREATE USER regress_user1 password <REDACTED>", "Create regress_user1 password=Set"),
        (Postgres, "ALTER USER regress_user1 encrypted /* random comment */PASSWORD <REDACTED>", "Alter regress_user1 password=Set"),
        (Postgres, "ALTER ROLE x PASSWORD NULL", "Alter x password=Null"),
        (Postgres, "ALTER ROLE x WITH REPLICATION NOCREATEROLE", "Alter x replication=true create_role=false"),
        (Postgres, "DROP USER IF EXISTS a, b", "Drop a; Drop b"),
        (MySql, "CREATE USER 'x'@'%' IDENTIFIED BY '' REQUIRE NONE", "Create x@% password=Empty tls=false"),
        (MySql, "CREATE USER IF NOT EXISTS a@h IDENTIFIED WITH mysql_native_password BY *****, b IDENTIFIED BY <secret> REQUIRE SSL ACCOUNT LOCK",
            "Create a@h password=Set plugin=mysql_native_password tls=true locked=true; Create b password=Set tls=true locked=true"),
        (MySql, "ALTER USER 'x'@'10.%' PASSWORD EXPIRE NEVER", "Alter x@10.% never"),
        (MySql, "ALTER USER x PASSWORD EXPIRE INTERVAL 90 DAY", "Alter x expires"),
        (MySql, "ALTER USER x ACCOUNT UNLOCK", "Alter x locked=false"),
        (MySql, "SET PASSWORD FOR 'x'@'%' = PASSWORD(*****)", "Alter x@% password=Set"),
        (MySql, "SET PASSWORD = ''", "Alter USER() password=Empty"),
        (MySql, "DROP USER ''@localhost", "Drop @localhost"),
    ] {
        let line: Vec<String> = effects(text, dialect).into_iter().map(|effect| {
            let Effect::Role { action, name, options } = effect else { panic!("{text}: {effect:?}") };
            let mut line = format!("{action:?} {name}");
            for (word, flag) in [("superuser", options.superuser), ("bypass", options.bypass_row_security), ("replication", options.replication),
                ("create_role", options.create_role), ("login", options.login)] {
                line.extend(flag.map(|flag| format!(" {word}={flag}")));
            }
            line.extend(options.password.map(|password| format!(" password={password:?}")));
            line.extend(options.plugin.map(|plugin| format!(" plugin={plugin}")));
            line.extend(options.requires_tls.map(|flag| format!(" tls={flag}")));
            line.extend(options.is_locked.map(|flag| format!(" locked={flag}")));
            line.extend(options.never_expires.map(|never| if never { " never" } else { " expires" }));
            line
        }).collect();
        assert_eq!(line.join("; "), expected, "{text}");
    }
    let renamed = Effect::RenamedRole { from: "a@h".to_owned(), to: "b@%".to_owned() };
    assert_eq!(effects("RENAME USER a@h TO 'b'@'%'", MySql), [renamed]);
    assert!(debug("CREATE ROLE x IN ROLE pg_read_all_data", Postgres).contains("pg_read_all_data"));
}

#[test]
#[rustfmt::skip]
fn settings() {
    for (dialect, text, expected) in [
        (Postgres, "set pgaudit.log = 'all';", "Session pgaudit.log=all"),
        (Postgres, "SET LOCAL row_security TO off", "Transaction row_security=off"),
        (Postgres, "SET search_path = a, \"B\"", "Session search_path=a,B"),
        (Postgres, "RESET pgaudit.log", "Session pgaudit.log"),
        (Postgres, "SET log_statement TO DEFAULT", "Session log_statement"),
        (Postgres, "ALTER SYSTEM SET ssl = off", "System ssl=off"),
        (Postgres, "ALTER SYSTEM RESET pgaudit.log", "System pgaudit.log"),
        (Postgres, "ALTER DATABASE d SET pgaudit.log TO 'none'", "Database(\"d\") pgaudit.log=none"),
        (Postgres, "ALTER ROLE r IN DATABASE d SET pgaudit.log = 'NONE'", "Role(\"r\") pgaudit.log=NONE"),
        (Postgres, "SELECT set_config('pgaudit.log', 'none', false)", "Session pgaudit.log=none"),
        (MySql, "set global server_audit_logging=on", "Global server_audit_logging=on"),
        (MySql, "SET @@GLOBAL.require_secure_transport = OFF, SESSION sql_log_bin = 0", "Global require_secure_transport=OFF; Session sql_log_bin=0"),
        (MySql, "SET PERSIST local_infile := 1", "System local_infile=1"),
        (MySql, "SET @a = 1, sql_mode = ''", "Session sql_mode="),
        (Snowflake, "ALTER ACCOUNT SET PREVENT_UNLOAD_TO_INLINE_URL = FALSE", "Account PREVENT_UNLOAD_TO_INLINE_URL=FALSE"),
        (Snowflake, "ALTER ACCOUNT SET NETWORK_POLICY = wide", "Account NETWORK_POLICY=wide"),
        (Snowflake, "ALTER USER eve UNSET NETWORK_POLICY", "Role(\"eve\") NETWORK_POLICY"),
        (Snowflake, "ALTER USER eve SET DISABLED = FALSE MINS_TO_BYPASS_MFA = 90", "Role(\"eve\") DISABLED=FALSE; Role(\"eve\") MINS_TO_BYPASS_MFA=90"),
        (Snowflake, "ALTER TABLE d.s.t SET DATA_RETENTION_TIME_IN_DAYS = 0", "Object(\"d.s.t\") DATA_RETENTION_TIME_IN_DAYS=0"),
        (Snowflake, "ALTER DATABASE d SET DATA_RETENTION_TIME_IN_DAYS=0", "Database(\"d\") DATA_RETENTION_TIME_IN_DAYS=0"),
    ] {
        let line: Vec<String> = effects(text, dialect).into_iter().map(|effect| {
            let Effect::Setting { scope, name, value } = effect else { panic!("{text}: {effect:?}") };
            let value = value.map(|value| format!("={value}")).unwrap_or_default();
            format!("{scope:?} {name}{value}")
        }).collect();
        assert_eq!(line.join("; "), expected, "{text}");
    }
    assert_eq!(effects("SET @a = 1", MySql), []);
    assert_eq!(effects("SELECT set_config(name, 'x', false) FROM pg_settings", Postgres), []);
}

#[test]
#[rustfmt::skip]
fn policies() {
    for (dialect, text, expected) in [
        (Postgres, "CREATE POLICY p ON s.t FOR SELECT TO public USING (true)", "RowSecurity Create p s.t body=true command=SELECT roles=public"),
        (Postgres, "CREATE POLICY p ON t AS RESTRICTIVE USING (owner = current_user)", "RowSecurity Create p t body=owner = current_user restrictive"),
        (Postgres, "DROP POLICY IF EXISTS p ON t", "RowSecurity Drop p t"),
        (Snowflake, "ALTER TABLE t MODIFY COLUMN a SET MASKING POLICY p, COLUMN b UNSET MASKING POLICY", "Masking Attach p t.a; Masking Detach * t.b"),
        (Snowflake, "ALTER VIEW v ALTER COLUMN c UNSET MASKING POLICY", "Masking Detach * v.c"),
        (Snowflake, "ALTER TABLE t DROP ROW ACCESS POLICY p", "RowAccess Detach p t"),
        (Snowflake, "ALTER TABLE t DROP ALL ROW ACCESS POLICIES", "RowAccess Detach * t"),
        (Snowflake, "ALTER TABLE t ADD ROW ACCESS POLICY p ON (a)", "RowAccess Attach p t"),
        (Snowflake, "ALTER TABLE t UNSET AGGREGATION POLICY", "Aggregation Detach * t"),
        (Snowflake, "ALTER MASKING POLICY p SET BODY -> val", "Masking Alter p body=val"),
        (Snowflake, "CREATE OR REPLACE MASKING POLICY p AS (val string) RETURNS string -> CASE WHEN true THEN val ELSE '***' END",
            "Masking Create p body=CASE WHEN true THEN val ELSE *** END"),
        (Snowflake, "DROP NETWORK POLICY p", "Network Drop p"),
        (Snowflake, "ALTER NETWORK POLICY p SET ALLOWED_IP_LIST = ('0.0.0.0/0', '10.0.0.0/8')", "Network Alter p ALLOWED_IP_LIST=0.0.0.0/0,10.0.0.0/8"),
        (Snowflake, "ALTER NETWORK POLICY p UNSET BLOCKED_IP_LIST", "Network Alter p BLOCKED_IP_LIST="),
        (Snowflake, "ALTER ACCOUNT UNSET NETWORK POLICY", "Network Detach * account"),
        (Databricks, "ALTER TABLE c.s.t DROP ROW FILTER", "RowAccess Detach * c.s.t"),
        (Databricks, "ALTER TABLE t ALTER COLUMN ssn DROP MASK", "Masking Detach * t.ssn"),
        (Databricks, "ALTER TABLE t SET ROW FILTER f ON (region)", "RowAccess Attach f t"),
    ] {
        let line: Vec<String> = effects(text, dialect).into_iter().map(|effect| {
            let Effect::Policy(policy) = effect else { panic!("{text}: {effect:?}") };
            let mut line = format!("{:?} {:?} {}", policy.kind, policy.action, policy.name);
            line.extend(policy.object.map(|object| format!(" {object}")));
            line.extend(policy.body.map(|body| format!(" body={body}")));
            line.extend(policy.command.map(|command| format!(" command={command}")));
            if !policy.roles.is_empty() { line += &format!(" roles={}", policy.roles.join(",")); }
            if !policy.is_permissive { line += " restrictive"; }
            for (name, values) in policy.properties { line += &format!(" {name}={}", values.join(",")); }
            line
        }).collect();
        assert_eq!(line.join("; "), expected, "{text}");
    }
}

#[test]
#[rustfmt::skip]
fn everything_else() {
    for (dialect, text, expected) in [
        (Postgres, "ALTER TABLE t DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY", "RowSecurity { table: \"t\", enabled: Some(false), forced: Some(false) }"),
        (Postgres, "ALTER TABLE ONLY s.t FORCE ROW LEVEL SECURITY", "RowSecurity { table: \"s.t\", enabled: None, forced: Some(true) }"),
        (Postgres, "DROP EXTENSION IF EXISTS pgaudit CASCADE", "Extension { action: Drop, name: \"pgaudit\" }"),
        (Postgres, "SECURITY LABEL FOR anon ON COLUMN s.t.c IS NULL", "Label { provider: Some(\"anon\"), object: \"s.t.c\", label: None }"),
        (Postgres, "CREATE PUBLICATION p FOR ALL TABLES", "Publication { action: Create, name: \"p\", all_tables: true, tables: [] }"),
        (Postgres, "CREATE SUBSCRIPTION s CONNECTION 'host=a password=b' PUBLICATION p", "Subscription { action: Create, name: \"s\", connection: Some(\"host=a\") }"),
        (Postgres, "SET SESSION AUTHORIZATION eve", "ActAs { who: Some(\"eve\") }"),
        (Postgres, "RESET ROLE", "ActAs { who: None }"),
        (Postgres, "SELECT pg_read_file('/etc/passwd')", "Call { function: \"pg_read_file\", arguments: [Some(\"/etc/passwd\")] }"),
        (MySql, "UNINSTALL SONAME 'server_audit'", "Plugin { name: \"server_audit\", is_installed: false }"),
        (MySql, "INSTALL COMPONENT 'file://component_audit_log_filter'", "Plugin { name: \"file://component_audit_log_filter\", is_installed: true }"),
        (MySql, "SELECT audit_log_filter_remove_user('%')", "Call { function: \"audit_log_filter_remove_user\", arguments: [Some(\"%\")] }"),
        (MySql, "ALTER TABLE t ENCRYPTION='N'", "Encryption(Encryption { object: \"t\", is_encrypted: false })"),
        (MySql, "ALTER INSTANCE DISABLE INNODB REDO_LOG", "Instance { operation: \"DISABLE INNODB REDO_LOG\" }"),
        (MySql, "EXECUTE IMMEDIATE 'SET GLOBAL local_infile = 1'", "Setting { scope: Global, name: \"local_infile\", value: Some(\"1\") }"),
        (Snowflake, "ALTER SHARE s ADD ACCOUNTS = org.a, b", "Share { action: Attach, kind: \"SHARE\", name: \"s\", accounts: [\"org.a\", \"b\"] }"),
        (Snowflake, "CREATE STAGE x URL = 's3://b/k' CREDENTIALS = (AWS_KEY_ID = 'a' AWS_SECRET_KEY = 'b')",
            "Stage { name: \"x\", url: \"s3://b/k\", has_credentials: true, integration: None }"),
        (Snowflake, "CREATE OR REPLACE TEMPORARY STAGE x URL='azure://a' STORAGE_INTEGRATION = i",
            "Stage { name: \"x\", url: \"azure://a\", has_credentials: false, integration: Some(\"i\") }"),
        (Snowflake, "ALTER STORAGE INTEGRATION i SET STORAGE_ALLOWED_LOCATIONS = ('*')",
            "Integration { action: Alter, kind: \"STORAGE INTEGRATION\", name: \"i\", properties: [(\"STORAGE_ALLOWED_LOCATIONS\", [\"*\"])] }"),
        (Snowflake, "ALTER DATABASE d ENABLE REPLICATION TO ACCOUNTS o.a", "Replication { object: \"d\", accounts: [\"o.a\"], is_enabled: true }"),
        (Snowflake, "DROP SHARE s", "Share { action: Drop, kind: \"SHARE\", name: \"s\", accounts: [] }"),
        (Databricks, "CREATE RECIPIENT r", "Share { action: Create, kind: \"RECIPIENT\", name: \"r\", accounts: [] }"),
    ] {
        assert_eq!(debug(text, dialect), expected, "{text}");
    }
}

#[test]
fn effects_of_every_statement_of_a_text_count() {
    let text = "SELECT 1; GRANT SELECT ON t TO PUBLIC; ALTER SYSTEM SET ssl = off;";
    let all = read(text, Postgres).map(|read| (read.command.into_owned(), read.effects.len()));
    assert_eq!(all, Some(("GRANT".to_owned(), 2)));
    assert_eq!(read_each(text, Postgres).len(), 3);
    let Some(Effect::Setting { scope, .. }) = effects(text, Postgres).pop() else { panic!("none") };
    assert_eq!(scope, Scope::System);
}

#[test]
fn what_is_too_long_or_too_deep_is_not_read() {
    let long = format!("SELECT '{}'", "x".repeat(STATEMENT_BYTES_MAX));
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let chain = format!("SELECT 1{}", "+1".repeat(20_000));
    let union = format!("SELECT 1{}", " UNION SELECT 1".repeat(4_000));
    let cases = format!("SELECT {}1", "CASE WHEN 1 THEN ".repeat(3_000));
    let nots = format!("SELECT {}1", "NOT ".repeat(10_000));
    let list = format!("SELECT a[{}]", "a[".repeat(5_000));
    for text in [long, deep, chain, union, cases, nots, list] {
        assert!(read(&text, Postgres).is_none());
    }
    let calls = format!("SELECT {}1{}", "f(".repeat(30), ")".repeat(30));
    let casts = format!("SELECT {}1{}", "CAST(".repeat(30), " AS int JOIN)".repeat(30));
    let intervals = format!("SELECT {}1", "INTERVAL ".repeat(30));
    for text in [calls, casts, intervals] {
        assert!(read(&text, Postgres).is_none() && read(&text, MySql).is_none());
    }
    let wide = format!("SELECT * FROM t WHERE id IN ({}7)", "1,".repeat(10_000));
    assert_eq!(meaning(&wide, Postgres), "SELECT | t | part");
    let values = format!("INSERT INTO t VALUES (1){}", ",(1)".repeat(10_000));
    assert_eq!(meaning(&values, MySql), "INSERT | t");
}

#[test]
fn the_deepest_that_is_read_needs_a_small_stack() {
    let texts = [
        format!("SELECT 1{} FROM t", "+1".repeat(399)),
        format!("SELECT * FROM t{}", " UNION SELECT 1".repeat(399)),
        format!("SELECT {}1{} FROM t", "(".repeat(30), ")".repeat(30)),
        format!("SELECT {}1{} FROM t", "(SELECT ".repeat(12), ")".repeat(12)),
    ];
    let read_all = move || {
        for text in &texts {
            assert!(read(text, Postgres).is_some(), "{text}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(768 * 1024).spawn(read_all);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

/// Words from which many texts are almost SQL.
fn almost_sql() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "SELECT",
        "*",
        "FROM",
        "t",
        "WHERE",
        "GRANT",
        "ON",
        "TO",
        "PUBLIC",
        "ALTER",
        "TABLE",
        "ROLE",
        "SET",
        "=",
        "'x'",
        "(",
        ")",
        ",",
        ";",
        "INTO",
        "OUTFILE",
        "COPY",
        "@s",
        "'a'@'b'",
        "POLICY",
        "USING",
        "CREATE",
        "DROP",
        "REVOKE",
        "\"q\"",
        "`b`",
        ".",
        "1",
        "-",
        "->",
        "UNSET",
        "MASKING",
        "SHARE",
        "AS",
        "WITH",
        "IN",
        "SYSTEM",
        "USER",
        "IDENTIFIED",
        "BY",
        "<REDACTED>",
        "*****",
        "$$",
        "/*",
        "--",
        "GLOBAL",
        "EXECUTE",
        "IMMEDIATE",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_read_or_not(text in prop_oneof!["\\PC{0,120}", almost_sql()]) {
        for dialect in [Postgres, MySql, Snowflake, Databricks] {
            let _ = read(&text, dialect);
            let _ = super::command(&text, dialect);
        }
    }
}
