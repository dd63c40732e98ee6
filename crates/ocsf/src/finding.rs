//! A finding as an OCSF Detection Finding (class 2004).

use dataward_event::finding::{Evidence, Finding, RuleId, Severity, Step};
use dataward_event::time::IngestTime;
use dataward_event::uid::UidBuilder;
use serde_json::Value;

use crate::event::{VERSION, actor, change_object, endpoint, place};
use crate::object::{Object, text};

/// `class_uid` of a Detection Finding.
const CLASS_UID: u32 = 2004;

/// The id of a statement about a finding: of the finding, the step, what caused it, and the content without the time
/// at which we said it. A repeat is equal, a different statement never is.
pub fn statement_uid(finding: &Finding) -> String {
    let content = Value::from(content(finding)).to_string();
    UidBuilder::new("alert")
        .text(&finding.uid)
        .number(i64::from(finding.step.activity_id()))
        .text(&finding.cause_uid)
        .text(&content)
        .finish()
}

/// One statement about a finding as one line of JSON.
pub fn finding_json(finding: &Finding, uid: &str, logged_time: IngestTime) -> String {
    let product = Object::new()
        .with("name", "Dataward")
        .with("vendor_name", "Dataward")
        .with("version", env!("CARGO_PKG_VERSION"));
    let metadata = Object::new()
        .with("version", VERSION)
        .with("uid", uid)
        .with("product", product)
        .with("profiles", vec!["cloud", "security_control"])
        .with("logged_time", logged_time.millis());
    Value::from(content(finding).with("metadata", metadata)).to_string()
}

/// Everything but when we said it and under which id.
fn content(finding: &Finding) -> Object {
    let activity_id = finding.step.activity_id();
    let (status_id, status) = status(finding.step);
    let resources = finding.datastore.as_ref().map(|datastore| {
        Object::new()
            .with("uid", &*datastore.uid)
            .maybe("name", text(&datastore.name))
            .maybe("type", text(&datastore.resource_type))
            .into()
    });
    Object::new()
        .with("class_uid", CLASS_UID)
        .with("category_uid", 2)
        .with("activity_id", activity_id)
        .with("type_uid", u64::from(CLASS_UID) * 100 + u64::from(activity_id))
        .with("severity_id", finding.severity.id())
        .with("severity", finding.severity.as_str())
        .with("time", finding.time.millis())
        .with("status_id", status_id)
        .with("status", status)
        .maybe("status_detail", close_reason(finding.step))
        .with("is_alert", true)
        .with("message", &*finding.title)
        .with("risk_score", risk_score(finding.severity))
        .with("finding_info", finding_info(finding))
        .with("remediation", Object::new().with("desc", &*finding.remediation))
        .list("resources", resources.into_iter().collect())
        .list("evidences", finding.evidences.iter().map(|e| evidence(e).into()).collect())
        .list("observables", observables(finding))
        .nested("unmapped", unmapped(finding))
}

const fn status(step: Step) -> (u8, &'static str) {
    match step {
        Step::Create | Step::Update => (1, "New"),
        Step::Close(_) => (4, "Resolved"),
    }
}

fn close_reason(step: Step) -> Option<&'static str> {
    match step {
        Step::Close(reason) => Some(reason.as_str()),
        Step::Create | Step::Update => None,
    }
}

/// A number from 0 to 100 for queues that sort by one.
const fn risk_score(severity: Severity) -> u8 {
    match severity.id() {
        1 => 10,
        2 => 25,
        3 => 45,
        4 => 65,
        5 => 85,
        _ => 100,
    }
}

fn finding_info(finding: &Finding) -> Object {
    let analytic = Object::new()
        .with("type_id", 1)
        .with("type", "Rule")
        .with("uid", finding.rule.as_str())
        .with("name", rule_name(finding.rule))
        .with("version", finding.rule.version().to_string());
    let times = finding.evidences.iter().map(|evidence| evidence.time.millis());
    let (first, last) = (times.clone().min(), times.max());
    let mut uids = std::collections::BTreeMap::new();
    for evidence in finding.evidences.iter().filter(|evidence| evidence.type_uid > 0) {
        uids.insert(&evidence.event_uid, evidence.type_uid);
    }
    let related: Vec<Value> = uids
        .iter()
        .map(|(uid, type_uid)| {
            Object::new().with("uid", uid.as_str()).with("type_uid", *type_uid).into()
        })
        .collect();
    let sources: std::collections::BTreeSet<&str> =
        finding.evidences.iter().map(|evidence| evidence.source.as_str()).collect();
    Object::new()
        .with("uid", &*finding.uid)
        .with("title", &*finding.title)
        .with("desc", &*finding.description)
        .with("analytic", analytic)
        .maybe("first_seen_time", first)
        .maybe("last_seen_time", last)
        .with("related_events_count", related.len())
        .list("related_events", related)
        .list("data_sources", sources.into_iter().map(Value::from).collect())
        .list("attacks", finding.attacks.iter().map(|id| attack(id).into()).collect())
}

const fn rule_name(rule: RuleId) -> &'static str {
    match rule {
        RuleId::ControlWeakened => "Protection weakened",
        RuleId::AuditSilenced => "Audit log silenced",
        RuleId::ArchiveGap => "Audit records lost",
        RuleId::ArchiveQuarantineRate => "Many unreadable records",
        RuleId::RuleFailed => "Detector failed",
    }
}

/// `T1530`, or `T1562.001`, which names its technique too.
fn attack(id: &str) -> Object {
    let named = |uid: &str| Object::new().with("uid", uid);
    match id.split_once('.') {
        Some((technique, _)) => {
            Object::new().with("technique", named(technique)).with("sub_technique", named(id))
        }
        None => Object::new().with("technique", named(id)),
    }
}

fn evidence(evidence: &Evidence) -> Object {
    let service = Object::new().maybe("name", evidence.service.as_deref());
    let api = Object::new().with("operation", &*evidence.operation).nested("service", service);
    let mut data = place(&evidence.position).with("event_uid", &*evidence.event_uid);
    data = data.with("time", evidence.time.to_string());
    if let Some(change) = &evidence.change {
        let Value::Object(fields) = Value::from(change_object(change)) else {
            return Object::new();
        };
        for (key, value) in fields {
            data = data.with(&key, value);
        }
    }
    Object::new()
        .nested("actor", actor(&evidence.actor))
        .nested("src_endpoint", endpoint(&evidence.client))
        .with("api", api)
        .with("data", data)
}

fn observables(finding: &Finding) -> Vec<Value> {
    let mut seen = std::collections::BTreeSet::new();
    for evidence in &finding.evidences {
        if let Some(name) = text(&evidence.actor.name) {
            seen.insert((4_u8, "evidences.actor.user.name", name));
        }
        if let Some(ip) = text(&evidence.client.ip) {
            seen.insert((2, "evidences.src_endpoint.ip", ip));
        }
    }
    if let Some(datastore) = &finding.datastore {
        seen.insert((10, "resources.uid", &datastore.uid));
    }
    seen.into_iter()
        .map(|(type_id, name, value)| {
            Object::new().with("type_id", type_id).with("name", name).with("value", value).into()
        })
        .collect()
}

fn unmapped(finding: &Finding) -> Object {
    let block = Object::new()
        .maybe("window_kind", finding.window_kind.map(|kind| kind.as_str()))
        .maybe("close_reason", close_reason(finding.step));
    Object::new().nested("dataward", block)
}
