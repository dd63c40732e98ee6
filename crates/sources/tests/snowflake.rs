//! Rows of Snowflake's ACCOUNT_USAGE: what each says, and which changes of protection it states.

mod cloud;
mod samples;

use dataward_sources::source::Source;
use serde_json::Value;

#[test]
fn every_case_is_told() {
    cloud::run(Source::SnowflakeAccountUsage, "snowflake.json", "snowflake.");
}

#[test]
fn samples_are_read() {
    let Some(data) = samples::test_data("samples of Snowflake") else { return };
    let path = data.join("data/azure-sentinel-sample-data/Snowflake_CL.json");
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut queries, mut logins) = (0, 0);
    for row in &rows {
        let event = cloud::read(Source::SnowflakeAccountUsage, &row.to_string());
        assert_eq!(cloud::read(Source::Auto, &row.to_string()).uid, event.uid);
        match event.event_code.as_deref() {
            Some("QUERY_HISTORY") => queries += 1,
            Some("LOGIN_HISTORY") => logins += 1,
            other => panic!("{other:?}"),
        }
        assert_eq!(
            Some(event.operation.as_ref()),
            row["QUERY_TYPE_s"].as_str().filter(|t| !t.is_empty()).or(row["EVENT_TYPE_s"].as_str())
        );
    }
    println!("{queries} queries, {logins} log-ons");
    assert_eq!(queries + logins, rows.len());
}
