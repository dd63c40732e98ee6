//! One statement about a finding as one line of OCSF: Detection Finding, class 2004.

use std::collections::{BTreeMap, BTreeSet};

use dataward_event::finding::{CloseReason, Evidence, Finding, RuleId, Step, Trigger};
use dataward_event::time::IngestTime;
use dataward_event::uid::UidBuilder;

use crate::OCSF_VERSION;
use crate::anomaly;
use crate::exposure::exposure;
use crate::json::{Object, document};
use crate::party::{actor, endpoint, position, resource};

/// A statement as OCSF JSON, without a line end.
///
/// `uid` is [`statement_uid`] of the same finding; `logged_time` is when we detected it, on our own clock.
pub fn finding_json(finding: &Finding, uid: &str, logged_time: IngestTime) -> String {
    render(finding, Some((uid, logged_time)))
}

/// The uid of a statement: a repeat of it is equal, a different one never is.
///
/// It hashes the finding, the step, its cause and the content, but neither the time of detection nor itself.
pub fn statement_uid(finding: &Finding) -> String {
    UidBuilder::new("statement")
        .text(&finding.uid)
        .number(i64::from(finding.step.activity_id()))
        .text(&finding.cause_uid)
        .text(&render(finding, None))
        .finish()
}

fn render(finding: &Finding, sent: Option<(&str, IngestTime)>) -> String {
    document(|root| {
        let activity = finding.step.activity_id();
        root.number("class_uid", 2004_u16);
        root.text("class_name", "Detection Finding");
        root.number("category_uid", 2_u8);
        root.number("activity_id", activity);
        root.text("activity_name", activity_name(finding.step));
        root.number("type_uid", 200_400 + u32::from(activity));
        root.number("severity_id", finding.severity.id());
        root.text("severity", finding.severity.as_str());
        root.number("time", finding.time.millis());
        root.object("metadata", |object| metadata(object, sent));
        // New while it is open, resolved when it is closed.
        let (status_id, status) = match finding.step {
            Step::Create => (1_u8, "New"),
            Step::Update => (2, "In Progress"),
            Step::Close(_) => (4, "Resolved"),
        };
        root.number("status_id", status_id);
        root.text("status", status);
        root.flag("is_alert", true);
        root.text("message", &finding.title);
        root.object("finding_info", |object| finding_info(object, finding));
        root.objects("evidences", &finding.evidences, evidence);
        anomaly::analyses(root, finding);
        root.objects("resources", &finding.datastore, |object, datastore| {
            resource(object, datastore);
        });
        if !finding.remediation.is_empty() {
            root.object("remediation", |object| object.text("desc", &finding.remediation));
        }
        root.number("risk_score", risk_score(finding));
        root.number("confidence_id", 3_u8);
        observables(root, finding);
        root.object("unmapped", |object| {
            object.object("dataward", |own| dataward(own, finding));
        });
    })
}

const fn activity_name(step: Step) -> &'static str {
    match step {
        Step::Create => "Create",
        Step::Update => "Update",
        Step::Close(_) => "Close",
    }
}

/// 0 to 100: the severity on the scale that risk scores use. A withdrawn finding is no risk.
fn risk_score(finding: &Finding) -> u8 {
    match finding.step {
        Step::Close(CloseReason::Superseded) => 0,
        Step::Create | Step::Update | Step::Close(_) => match finding.severity.id() {
            0 | 1 => 10,
            2 => 25,
            3 => 50,
            4 => 70,
            5 => 90,
            _ => 100,
        },
    }
}

fn metadata(object: &mut Object<'_>, sent: Option<(&str, IngestTime)>) {
    object.text("version", OCSF_VERSION);
    if let Some((uid, _)) = sent {
        object.text("uid", uid);
    }
    object.object("product", |product| {
        product.text("name", "Dataward");
        product.text("vendor_name", "Dataward");
    });
    object.texts("profiles", ["security_control"]);
    if let Some((_, logged_time)) = sent {
        object.number("logged_time", logged_time.millis());
    }
}

fn finding_info(object: &mut Object<'_>, finding: &Finding) {
    object.text("uid", &finding.uid);
    object.text("title", &finding.title);
    object.text("desc", &finding.description);
    object.object("analytic", |analytic| {
        let (type_id, name) = analytic_type(finding.rule);
        analytic.number("type_id", type_id);
        analytic.text("type", name);
        analytic.text("uid", finding.rule.as_str());
        analytic.text("name", finding.rule.as_str());
        analytic.text("version", &finding.rule.version().to_string());
    });
    object.objects("attacks", &finding.attacks, |attack, id| {
        let (technique, is_sub) = match id.split_once('.') {
            Some((technique, _)) => (technique, true),
            None => (id.as_str(), false),
        };
        attack.object("technique", |object| object.text("uid", technique));
        if is_sub {
            attack.object("sub_technique", |object| object.text("uid", id));
        }
    });
    let times = finding.evidences.iter().map(|evidence| evidence.time);
    let first = times.clone().min().unwrap_or(finding.time);
    let last = times.max().unwrap_or(finding.time);
    object.number("first_seen_time", first.millis());
    object.number("last_seen_time", last.millis());
    // One event may be the evidence of several changes.
    let evidences = finding.evidences.iter().filter(|evidence| evidence.type_uid != 0);
    let events: BTreeMap<&str, u64> =
        evidences.map(|evidence| (evidence.event_uid.as_str(), evidence.type_uid)).collect();
    object.objects("related_events", events.iter(), |related, (uid, type_uid)| {
        related.text("uid", uid);
        related.number("type_uid", *type_uid);
    });
    let count = u32::try_from(events.len()).unwrap_or(u32::MAX);
    if count > 0 {
        object.number("related_events_count", count);
    }
    let sources: BTreeSet<&str> =
        finding.evidences.iter().map(|evidence| &*evidence.source).collect();
    object.texts("data_sources", sources);
}

/// OCSF's sort of a rule: one that compares with what was learned is statistics.
const fn analytic_type(rule: RuleId) -> (u8, &'static str) {
    match rule {
        RuleId::ReadBulk | RuleId::ReadNovel | RuleId::ReadSlowDrip | RuleId::ReadExport => {
            (3, "Statistical")
        }
        _ => (1, "Rule"),
    }
}

fn evidence(object: &mut Object<'_>, evidence: &Evidence) {
    object.object("actor", |object| actor(object, &evidence.actor, &evidence.source));
    object.object("src_endpoint", |object| endpoint(object, &evidence.client));
    object.object("api", |api| {
        api.text("operation", &evidence.operation);
        api.object_unless_empty("service", |service| {
            service.text_if("name", evidence.service.as_deref());
        });
    });
    object.object("data", |data| {
        data.text("event_uid", &evidence.event_uid);
        position(data, &evidence.position);
        data.number("time", evidence.time.millis());
        if let Some(change) = &evidence.change {
            crate::party::change(data, change);
        }
    });
}

/// The values that an analyst searches by.
fn observables(root: &mut Object<'_>, finding: &Finding) {
    let mut found: BTreeSet<(&str, u8, &str)> = BTreeSet::new();
    for evidence in &finding.evidences {
        let actor = &evidence.actor;
        let client = &evidence.client;
        found.extend(actor.uid.as_deref().map(|uid| ("evidences.actor.user.uid", 31, uid)));
        found.extend(actor.name.as_deref().map(|name| ("evidences.actor.user.name", 4, name)));
        found.extend(client.ip.as_deref().map(|ip| ("evidences.src_endpoint.ip", 2, ip)));
    }
    found.extend(finding.datastore.as_ref().map(|store| ("resources.uid", 10, &*store.uid)));
    root.objects("observables", found, |object, (name, type_id, value)| {
        object.text("name", name);
        object.number("type_id", type_id);
        object.text("value", value);
    });
}

fn dataward(own: &mut Object<'_>, finding: &Finding) {
    own.text("cause_uid", &finding.cause_uid);
    if let Some(rating) = &finding.rating {
        own.text("channel", &rating.channel);
        own.thousandths("score", rating.millinats);
    }
    if !finding.severity_because.is_empty() {
        own.texts("severity_because", finding.severity_because.iter().map(String::as_str));
    }
    if let Some(approval) = &finding.approval {
        own.object("approved_change", |object| {
            object.text("ticket", &approval.ticket);
            object.text("until", &approval.until.to_string());
        });
    }
    if let Some(origin) = &finding.origin {
        own.object("copied_from", |object| {
            object.text("uid", &origin.uid);
            object.text_if("name", origin.name.as_deref());
        });
    }
    own.text_if("window_kind", finding.window_kind.map(|kind| kind.as_str()));
    own.text_if("datastore_form", finding.datastore.as_ref().map(|store| store.form.as_str()));
    if let Some(window) = &finding.exposure {
        own.object("exposure", |object| exposure(object, window));
    }
    if let Step::Close(reason) = finding.step {
        own.text("close_reason", reason.as_str());
    }
    // The keeper's counter is part of no uid, and the content is hashed into one; so only a record is named.
    if let Trigger::Record(trigger) = &finding.trigger {
        own.object("trigger", |object| position(object, trigger));
    }
}
