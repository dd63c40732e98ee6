//! The record of what happens: trails, flow logs, log groups, and those who look at them.

use std::borrow::Cow;

use dataward_event::change::Direction;
use serde_json::Value;

use super::document::{at, bool_at, count_at, items, scalar, text_at, texts};
use super::{Call, Found};
use crate::catalogue_rows as rows;

/// Log groups that hold audit logs of datastores or of the account.
const AUDIT_LOG_GROUPS: [&str; 7] = [
    "/aws/rds/",
    "/aws/docdb/",
    "/aws/neptune/",
    "/aws/OpenSearchService/",
    "/aws/redshift/",
    "aws-cloudtrail",
    "CloudTrail/",
];

/// How long an audit log must at least be kept.
const RETENTION_DAYS_MIN: u64 = 30;

/// Services whose management events are reads of data. Those of keys are many, and often left out to save money.
const READ_SOURCES: [&str; 1] = ["rdsdata.amazonaws.com"];

/// Types of data events by which reads of datastores are seen.
const DATASTORE_EVENTS: [&str; 3] =
    ["AWS::S3::Object", "AWS::DynamoDB::Table", "AWS::RDS::DBCluster"];

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("cloudtrail", "UpdateTrail") => update_trail(call, found),
        ("cloudtrail", "PutEventSelectors") => put_selectors(call, found),
        ("ec2", "DeleteFlowLogs") => flow_logs(call, found, Direction::Weakened),
        ("ec2", "CreateFlowLogs") => flow_logs(call, found, Direction::Strengthened),
        ("logs", "DeleteLogGroup") if is_audit_group(call) => {
            found.changes.weakened(&rows::LOGS_GROUP_DELETED, "log_group");
        }
        ("logs", "PutRetentionPolicy") if is_audit_group(call) => {
            let days = count_at(call.request(), &["retentionInDays"]);
            let is_short = days.is_some_and(|days| days < RETENTION_DAYS_MIN);
            found.changes.flag(&rows::LOGS_RETENTION, is_short, "retention").after =
                days.map(|days| Cow::Owned(format!("{days} days")));
        }
        ("logs", "DeleteRetentionPolicy") if is_audit_group(call) => {
            found.changes.strengthened(&rows::LOGS_RETENTION, "retention");
        }
        ("logs", "DeleteSubscriptionFilter" | "PutSubscriptionFilter") if is_audit_group(call) => {
            let name = text_at(call.request(), &["filterName"]).unwrap_or_default();
            let is_weak = call.operation == "DeleteSubscriptionFilter";
            found.changes.flag(&rows::LOGS_SUBSCRIPTION, is_weak, format!("filter {name}"));
        }
        ("config", "DeleteConfigRule") => config_rule(call, found, Direction::Weakened),
        ("config", "PutConfigRule") => config_rule(call, found, Direction::Strengthened),
        _ => {}
    }
}

/// A deletion names flow logs by their ids, which a new one never gets again, and not the networks that they covered. So
/// the setting is the account's in this region, and any new flow log restores it.
fn flow_logs(call: &Call<'_>, found: &mut Found, direction: Direction) {
    let request = call.request();
    let ids =
        at(request, &["DeleteFlowLogsRequest", "FlowLogId"]).or_else(|| request.get("flowLogIds"));
    let names: Vec<String> = items(ids)
        .into_iter()
        .filter_map(|id| text_at(id, &["content"]).or_else(|| scalar(id)))
        .collect();
    let change = found.changes.push(&rows::EC2_FLOW_LOGS, direction, "flow_logs");
    change.before = (!names.is_empty()).then(|| Cow::Owned(names.join(", ")));
    found.of_account(call, true);
}

fn config_rule(call: &Call<'_>, found: &mut Found, direction: Direction) {
    // Services that manage their own rules replace them all the time.
    if call.invoked_by.is_some() {
        return;
    }
    let request = call.request();
    let name = text_at(request, &["configRuleName"])
        .or_else(|| text_at(request, &["configRule", "configRuleName"]));
    found.changes.push(&rows::CONFIG_RULE, direction, format!("rule {}", name.unwrap_or_default()));
    found.of_account(call, true);
}

fn update_trail(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    for flag in ["isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation"] {
        if let Some(is_on) = bool_at(request, &[flag]) {
            found.changes.flag(&rows::CLOUDTRAIL_UPDATED, !is_on, flag).after =
                Some(Cow::Borrowed(if is_on { "true" } else { "false" }));
        }
    }
    if let Some(bucket) = text_at(request, &["s3BucketName"]) {
        // Whose bucket it is, the event does not tell.
        found.changes.push(&rows::CLOUDTRAIL_UPDATED, Direction::Unknown, "s3BucketName").after =
            Some(Cow::Owned(bucket));
    }
    for setting in ["kmsKeyId", "cloudWatchLogsLogGroupArn"] {
        if let Some(Value::String(value)) = request.get(setting) {
            found.changes.flag(&rows::CLOUDTRAIL_UPDATED, value.is_empty(), setting).after =
                Some(Cow::Owned(if value.is_empty() { "none".to_owned() } else { value.clone() }));
        }
    }
}

/// The selectors say which events a trail records: a whole setting, in an old form and in an advanced one.
fn put_selectors(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let basic = items(request.get("eventSelectors"));
    let advanced = items(request.get("advancedEventSelectors"));
    if basic.is_empty() && advanced.is_empty() {
        found.changes.whole_unknown(&rows::CLOUDTRAIL_MANAGEMENT);
        return;
    }
    let records_management = basic.iter().any(|selector| {
        // Left out, both mean the full record.
        bool_at(selector, &["includeManagementEvents"]) != Some(false)
            && text_at(selector, &["readWriteType"]).is_none_or(|kind| kind == "All")
    }) || advanced.iter().any(|selector| selects(selector, "Management"));
    let mut dropped: Vec<String> = Vec::new();
    if records_management {
        let is_left_out = |source: &&str| leaves_out(&basic, &advanced, source);
        let sources = READ_SOURCES.iter().filter(|source| is_left_out(source));
        dropped.extend(sources.map(|source| format!("source {source}")));
    } else {
        dropped.push("management_events".to_owned());
    }
    found.changes.whole(&rows::CLOUDTRAIL_MANAGEMENT, dropped);
    data_events(&basic, &advanced, found);
}

/// Whether selectors leave out the events of a service that count as management.
fn leaves_out(basic: &[&Value], advanced: &[&Value], source: &str) -> bool {
    let names = |list: Option<&Value>| texts(list).iter().any(|name| name == source);
    let excepts = |selector: &Value| {
        items(selector.get("fieldSelectors")).iter().any(|field| {
            text_at(field, &["field"]).as_deref() == Some("eventSource")
                && names(field.get("notEquals"))
        })
    };
    basic.iter().any(|selector| names(selector.get("excludeManagementEventSources")))
        || advanced.iter().any(|selector| excepts(selector))
}

/// Whether an advanced selector records a category of events without narrowing it to reads or writes.
fn selects(selector: &Value, category: &str) -> bool {
    let fields = items(selector.get("fieldSelectors"));
    let has = |name: &str, value: Option<&str>| {
        fields.iter().any(|field| {
            text_at(field, &["field"]).as_deref() == Some(name)
                && value.is_none_or(|value| texts(field.get("equals")).iter().any(|v| v == value))
        })
    };
    has("eventCategory", Some(category)) && !has("readOnly", None)
}

/// A type of data events that is named with an empty list of values is switched off; one that is not named may never
/// have been on.
fn data_events(basic: &[&Value], advanced: &[&Value], found: &mut Found) {
    let resources: Vec<&Value> =
        basic.iter().flat_map(|selector| items(selector.get("dataResources"))).collect();
    let mut off = Vec::new();
    let mut is_recorded = advanced.iter().any(|selector| selects(selector, "Data"));
    for resource in resources {
        let kind = text_at(resource, &["type"]).unwrap_or_default();
        if !DATASTORE_EVENTS.contains(&kind.as_str()) {
            continue;
        }
        if texts(resource.get("values")).is_empty() {
            off.push(kind);
        } else {
            is_recorded = true;
        }
    }
    if off.is_empty() && !is_recorded {
        found.changes.whole_unknown(&rows::CLOUDTRAIL_DATA).after = Some("no data events".into());
    } else {
        found.changes.whole(&rows::CLOUDTRAIL_DATA, off);
    }
}

/// Whether the log group of a call holds audit logs.
fn is_audit_group(call: &Call<'_>) -> bool {
    text_at(call.request(), &["logGroupName"])
        .is_some_and(|name| AUDIT_LOG_GROUPS.iter().any(|prefix| name.starts_with(prefix)))
}
