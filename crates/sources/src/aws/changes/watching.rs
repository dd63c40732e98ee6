//! Those who look at the records: recorders, detectors, filters, alarms, rules. Their settings are the account's.

use std::borrow::Cow;

use dataward_event::change::Direction::{self, Strengthened, Unknown, Weakened};
use serde_json::Value;

use super::document::{at, bool_at, items, text_at, texts};
use super::{Call, Found};
use crate::catalogue_rows as rows;

/// Types of resources that hold data and whose configuration must be recorded.
const DATASTORE_TYPES: [&str; 2] = ["AWS::S3::Bucket", "AWS::RDS::DBInstance"];

/// What watches the reads of datastores.
const DATASTORE_FEATURES: [&str; 2] = ["S3_DATA_EVENTS", "RDS_LOGIN_EVENTS"];

/// Words in the name of an alarm or a rule that watches over protection.
const GUARD_WORDS: [&str; 11] = [
    "audit",
    "cis",
    "cloudtrail",
    "guardduty",
    "macie",
    "security",
    "securityhub",
    "siem",
    "soc",
    "trail",
    "unauthorized",
];

/// Alarms that scaling makes and removes by itself.
const SCALING_ALARM: &str = "TargetTracking-";

pub(super) fn read(call: &Call<'_>, found: &mut Found) {
    match (call.service, call.operation) {
        ("config", "PutConfigurationRecorder") => recording_group(call, found),
        ("guardduty", "UpdateDetector") => detector_features(call, found),
        ("guardduty", "CreateIPSet" | "UpdateIPSet" | "DeleteIPSet") => trusted_ips(call, found),
        ("guardduty", "CreateFilter" | "UpdateFilter" | "DeleteFilter") => filter(call, found),
        ("macie2", "UpdateClassificationJob") => classification_job(call, found),
        ("access-analyzer", "DeleteAnalyzer" | "CreateAnalyzer") => {
            let name = text_at(call.request(), &["analyzerName"]).unwrap_or_default();
            let is_weak = call.operation == "DeleteAnalyzer";
            found.changes.flag(&rows::ACCESS_ANALYZER, is_weak, format!("analyzer {name}"));
        }
        ("monitoring", "DeleteAlarms" | "DisableAlarmActions") => {
            for name in texts(call.request().get("alarmNames")) {
                if !name.starts_with(SCALING_ALARM) {
                    let direction = lost_guard(&name);
                    found.changes.push(&rows::ALARM, direction, format!("alarm {name}"));
                }
            }
        }
        ("monitoring", "PutMetricAlarm") => {
            let name = text_at(call.request(), &["alarmName"]).unwrap_or_default();
            if !name.starts_with(SCALING_ALARM) {
                found.changes.strengthened(&rows::ALARM, format!("alarm {name}"));
            }
        }
        ("monitoring", "EnableAlarmActions") => {
            for name in texts(call.request().get("alarmNames")) {
                found.changes.strengthened(&rows::ALARM, format!("alarm {name}"));
            }
        }
        ("events", "DisableRule" | "EnableRule") => {
            let name = text_at(call.request(), &["name"]).unwrap_or_default();
            let is_on = call.operation == "EnableRule";
            let direction = if is_on { Strengthened } else { lost_guard(&name) };
            found.changes.push(&rows::EVENT_RULE, direction, format!("rule {name}"));
        }
        _ => {}
    }
    if !found.changes.is_empty() {
        found.of_account(call, true);
    }
}

/// What the loss of an alarm or a rule means. What it watched stands in the event that made it; its name may tell.
fn lost_guard(name: &str) -> Direction {
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    let is_guard =
        words.any(|word| GUARD_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    if is_guard { Weakened } else { Unknown }
}

/// A recorder records all unless somebody tells it otherwise: a list that leaves every store out was made in its place.
fn recording_group(call: &Call<'_>, found: &mut Found) {
    let Some(group) = at(call.request(), &["configurationRecorder", "recordingGroup"]) else {
        return;
    };
    let is_all = bool_at(group, &["allSupported"]) == Some(true);
    let included = texts(group.get("resourceTypes"));
    let excluded = texts(at(group, &["exclusionByResourceTypes", "resourceTypes"]));
    let names = |list: &[String], kind: &str| list.iter().any(|name| name == kind);
    let leaves_all_out =
        !included.is_empty() && !DATASTORE_TYPES.iter().any(|kind| names(&included, kind));
    for kind in DATASTORE_TYPES {
        let direction = if names(&excluded, kind) {
            Weakened
        } else if is_all || names(&included, kind) || !excluded.is_empty() {
            Strengthened
        } else if leaves_all_out {
            Weakened
        } else {
            Unknown
        };
        found.changes.push(&rows::CONFIG_RECORDING, direction, format!("type {kind}"));
    }
}

fn detector_features(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    for feature in items(request.get("features")) {
        let name = text_at(feature, &["name"]).unwrap_or_default();
        let status = text_at(feature, &["status"]).unwrap_or_default();
        if DATASTORE_FEATURES.contains(&name.as_str()) {
            let is_off = status == "DISABLED";
            found.changes.flag(&rows::GUARDDUTY_FEATURE, is_off, format!("feature {name}"));
        }
    }
    // The older form of the same.
    if let Some(is_on) = bool_at(request, &["dataSources", "s3Logs", "enable"]) {
        found.changes.flag(&rows::GUARDDUTY_FEATURE, !is_on, "feature S3_DATA_EVENTS");
    }
}

/// Lists of trusted addresses; only the answer names a new one.
fn trusted_ips(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let id = text_at(request, &["ipSetId"]).or_else(|| text_at(call.response(), &["ipSetId"]));
    let opened = id.map_or_else(|| "trusted_ip_set".to_owned(), |id| format!("ip_set {id}"));
    let is_active = bool_at(request, &["activate"]);
    let is_weak = match (call.operation, is_active) {
        ("DeleteIPSet", _) | ("UpdateIPSet", Some(false)) => false,
        (_, Some(true)) => true,
        _ => return,
    };
    let location = text_at(request, &["location"]);
    found.changes.flag(&rows::GUARDDUTY_TRUSTED_IPS, is_weak, opened).after =
        location.map(Cow::Owned);
}

/// Filters that archive findings before anybody sees them.
fn filter(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let name = text_at(request, &["filterName"]).or_else(|| text_at(request, &["name"]));
    let opened = format!("filter {}", name.unwrap_or_default());
    let action = text_at(request, &["action"]);
    let direction = match (call.operation, action.as_deref()) {
        ("DeleteFilter", _) | ("UpdateFilter", Some("NOOP")) => Strengthened,
        (_, Some("ARCHIVE")) => match hidden_types(request) {
            // By other marks than their type findings of datastores may be hidden, too.
            None => Unknown,
            Some(types) if types.iter().any(|kind| is_of_datastore(kind)) => Weakened,
            Some(_) => return,
        },
        _ => return,
    };
    found.changes.push(&rows::GUARDDUTY_FILTER, direction, opened);
}

fn hidden_types(request: &Value) -> Option<Vec<String>> {
    let criteria = at(request, &["findingCriteria", "criterion"])?;
    let types: Vec<String> = ["type", "resource.resourceType"]
        .iter()
        .filter_map(|mark| criteria.get(*mark))
        .flat_map(|criterion| ["equals", "eq", "matches"].map(|key| texts(criterion.get(key))))
        .flatten()
        .collect();
    (!types.is_empty()).then_some(types)
}

/// Whether a type of findings, or of the resources that they are about, is one of datastores.
fn is_of_datastore(kind: &str) -> bool {
    [":S3/", ":RDS/", ":*/", "S3Bucket", "S3Object", "RDSDBInstance", "RDSLimitlessDB"]
        .iter()
        .any(|part| kind.contains(part))
}

fn classification_job(call: &Call<'_>, found: &mut Found) {
    let request = call.request();
    let job = text_at(request, &["jobId"]).unwrap_or_default();
    let is_weak = match text_at(request, &["jobStatus"]).as_deref() {
        Some("CANCELLED" | "USER_PAUSED") => true,
        Some("RUNNING") => false,
        _ => return,
    };
    found.changes.flag(&rows::MACIE_JOB, is_weak, format!("job {job}"));
}
