//! The findings `control.weakened` and `audit.silenced`: what an opening says to people.

use dataward_event::audit_event::{DatastoreForm, Sensitivity};
use dataward_event::change::{Change, Control, WindowKind};
use dataward_event::finding::{Evidence, Finding, RuleId, Severity, Step, Trigger};
use dataward_event::uid::UidBuilder;

use crate::catalogue::{self, CatalogueRow, Confidence};
use crate::posture_event::PostureEvent;
use crate::setting::{Opening, SettingKey};

/// The finding of an opening. `trigger` is filled in by the keeper, which counts.
pub fn finding(key: &SettingKey, opening: &Opening, step: Step, cause_uid: &str) -> Finding {
    let event = &opening.event;
    let rule = rule_of(key.0);
    let rows: Vec<&CatalogueRow> =
        opening.opened.iter().filter_map(|c| catalogue::row(&c.catalogue_row)).collect();
    let uid = UidBuilder::new("finding")
        .text(rule.as_str())
        .text(&event.datastore.uid)
        .text(key.0.as_str())
        .text(&key.1)
        .text(&event.uid);
    Finding {
        rule,
        uid: uid.finish(),
        step,
        severity: severity(key.0, event.sensitivity, &rows),
        time: event.time,
        cause_uid: cause_uid.to_owned(),
        trigger: Trigger::Keeper(0),
        title: title(rule, key, event),
        description: description(key, opening),
        remediation: remediation(&rows, key),
        datastore: Some(event.datastore.clone()),
        window_kind: Some(key.0.window_kind()),
        exposure: None,
        anomalies: Vec::new(),
        attacks: attacks(&rows),
        evidences: opening.opened.iter().map(|change| evidence(event, change)).collect(),
    }
}

const fn rule_of(control: Control) -> RuleId {
    match control {
        Control::AuditLogging => RuleId::AuditSilenced,
        _ => RuleId::ControlWeakened,
    }
}

/// The catalogue's value, one more for restricted data; a confidentiality control that is not known to be reachable is
/// at most high, and a row that no captured event confirms at most medium.
fn severity(
    control: Control,
    sensitivity: Option<Sensitivity>,
    rows: &[&CatalogueRow],
) -> Severity {
    let stated = match control.window_kind() {
        WindowKind::Confidentiality | WindowKind::Blind => 4,
        WindowKind::Fragility => 3,
    };
    let value = rows.iter().map(|row| i32::from(row.severity)).max().unwrap_or(stated);
    let raised = value + i32::from(sensitivity == Some(Sensitivity::Restricted));
    let bounded = match control.window_kind() {
        WindowKind::Confidentiality => raised.min(4),
        WindowKind::Blind | WindowKind::Fragility => raised,
    };
    let unconfirmed =
        !rows.is_empty() && rows.iter().all(|row| row.confidence == Confidence::Verify);
    Severity::clamped(if unconfirmed { bounded.min(3) } else { bounded })
}

fn title(rule: RuleId, key: &SettingKey, event: &PostureEvent) -> String {
    let datastore = event.datastore.label();
    match rule {
        RuleId::AuditSilenced => format!("Audit log silenced: {datastore}"),
        _ => format!("Protection weakened: {} of {datastore}", words(key.0.as_str())),
    }
}

fn description(key: &SettingKey, opening: &Opening) -> String {
    let event = &opening.event;
    let actor = event.actor.label();
    let from = match event.client.ip.as_deref().or(event.client.domain.as_deref()) {
        Some(place) => format!(" from {place}"),
        None => String::new(),
    };
    let things: Vec<String> = opening.opened.iter().map(thing).collect();
    let late = if opening.late { " The event came late." } else { "" };
    format!(
        "{actor} called {}{from} at {} and weakened {} of {} {}: {}.{late}",
        event.operation,
        event.time,
        words(key.0.as_str()),
        form(event.datastore.form),
        event.datastore.label(),
        things.join("; "),
    )
}

fn thing(change: &Change<'_>) -> String {
    let mut text = change.setting.to_string();
    if !change.opened.is_empty() && change.opened != change.setting {
        text = format!("{text} ({})", change.opened);
    }
    let after = change.after.as_ref().filter(|after| **after != change.opened);
    match (&change.before, after) {
        (Some(before), Some(after)) => format!("{text} went from {before} to {after}"),
        (None, Some(after)) => format!("{text} is now {after}"),
        (Some(before), None) => format!("{text} was {before} and is gone"),
        (None, None) => text,
    }
}

const fn form(form: DatastoreForm) -> &'static str {
    match form {
        DatastoreForm::Bucket => "bucket",
        DatastoreForm::Database => "database",
        DatastoreForm::Snapshot => "snapshot",
        DatastoreForm::Guard => "guard",
        DatastoreForm::Other => "resource",
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn remediation(rows: &[&CatalogueRow], key: &SettingKey) -> String {
    rows.first().map_or_else(
        || format!("Check who changed {} and why; restore it if nobody can say.", key.1),
        |row| row.remediation.to_owned(),
    )
}

fn attacks(rows: &[&CatalogueRow]) -> Vec<String> {
    let mut attacks: Vec<String> = Vec::new();
    for technique in rows.iter().flat_map(|row| row.attack) {
        if !attacks.iter().any(|known| known == technique) {
            attacks.push((*technique).to_owned());
        }
    }
    attacks
}

fn evidence(event: &PostureEvent, change: &Change<'static>) -> Evidence {
    Evidence {
        event_uid: event.uid.clone(),
        type_uid: event.type_uid,
        position: event.position.clone(),
        time: event.time,
        source: event.source.clone(),
        actor: event.actor.clone(),
        client: event.client.clone(),
        operation: event.operation.clone(),
        service: event.service.clone(),
        change: Some(change.clone()),
    }
}
