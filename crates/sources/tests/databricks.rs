//! Events of Databricks: what each says, and which changes of protection it states.

mod cloud;

use dataward_sources::source::Source;

#[test]
fn every_case_is_told() {
    cloud::run(Source::DatabricksAudit, "databricks.json", "databricks.");
}

#[test]
fn its_shapes_are_told_apart_from_others() {
    let camel = r#"{"timestamp":1772600767123,"serviceName":"accounts","actionName":"login","requestId":"r"}"#;
    let snake = r#"{"event_time":"2026-03-04T05:06:07Z","service_name":"accounts","action_name":"login","event_id":"e"}"#;
    for text in [camel, snake] {
        assert_eq!(cloud::read(Source::Auto, text).source, "databricks.audit");
    }
}
