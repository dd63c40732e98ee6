//! What a finding about protection says to people: its headline, its sentences, its evidence.

use std::sync::Arc;

use dataward_event::audit_event::{Datastore, DatastoreForm};
use dataward_event::change::{Change, Control};
use dataward_event::exposure::{Deed, Exposure, Known, Level, ReadFigures, Reader};
use dataward_event::finding::{CloseReason, Evidence, Finding, RuleId, Severity, Step, Trigger};

use crate::born::end_of;
use crate::catalogue::CatalogueRow;
use crate::copied::origin_of;
use crate::opening::{Leg, Opening, SOURCE_SILENT, STILL_OPEN, Tally};
use crate::phrases::{amount, capitalised, duration, form, from, thing, words};
use crate::posture_event::PostureEvent;
use crate::reach::names_everybody;
use crate::read_total::{ReadMark, ReaderKey};
use crate::sentences::{born_text, ended, foreign_text, silent_text, weaker_text};
use crate::told::{Told, What, catalogue_rows, level_of, weakened_rule};

/// Readers named in one statement; further ones are summed up as `others`.
const READERS_NAMED_MAX: usize = 10;
/// The finding that is told. `trigger` is filled in by the keeper, which counts.
pub fn finding(uid: &str, told: &Told, step: Step, cause_uid: &str) -> Finding {
    let opening = &*told.opening;
    let event = &opening.event;
    let rows = catalogue_rows(opening);
    let rule = match &told.what {
        What::Weakened => weakened_rule(opening),
        What::Opened => RuleId::ExposureOpened,
        What::StillOpen(_) => RuleId::ExposureStillOpen,
        What::Closed => RuleId::ExposureClosed,
        What::Read { .. } => RuleId::ReadDuringExposure,
        What::Born { .. } => RuleId::DatastoreBornUnprotected,
        What::WeakerCopy { .. } => RuleId::CopyWeakerDatastore,
        What::ForeignCopy { .. } => RuleId::CopyForeign,
    };
    let tally = told.tally.as_deref();
    let has_window = !matches!(told.what, What::ForeignCopy { .. });
    let exposure = exposures(opening, tally, told.severity, None).into_iter().next();
    let origin = match &told.what {
        What::WeakerCopy { origin } => Some(Datastore::clone(origin)),
        What::ForeignCopy { other, .. } => Some(origin_of(event, other)),
        _ => None,
    };
    Finding {
        rule,
        uid: uid.to_owned(),
        step,
        severity: told.severity,
        severity_because: told.because.clone(),
        approval: told.approval.clone(),
        time: told.time,
        cause_uid: cause_uid.to_owned(),
        trigger: Trigger::Keeper(0),
        title: title(told),
        description: description(told),
        remediation: remediation(told, &rows),
        datastore: Some(event.datastore.clone()),
        origin,
        window_kind: has_window.then(|| opening.control().window_kind()),
        exposure: exposure.filter(|_| has_window).map(Box::new),
        rating: None,
        anomalies: Vec::new(),
        attacks: attacks(&rows, told),
        evidences: evidences(told),
    }
}

/// What is said about each window of an opening.
pub fn exposures(
    opening: &Opening,
    tally: Option<&Tally>,
    severity: Severity,
    withdrawn: Option<CloseReason>,
) -> Vec<Exposure> {
    let id = opening.id();
    let event = &opening.event;
    let (level, exposed_at) = level_of(opening);
    let mut changes: Vec<&Change<'static>> = opening.changes.iter().collect();
    changes.sort_by(|one, other| one.opened.cmp(&other.opened));
    changes
        .into_iter()
        .map(|change| {
            let closing = opening.closings.get(&*change.opened);
            Exposure {
                uid: id.window_uid(&event.datastore.uid, &change.opened),
                datastore: event.datastore.clone(),
                control: change.control,
                setting: change.setting.to_string(),
                opened: change.opened.to_string(),
                window_kind: change.control.window_kind(),
                level,
                reachable: opening.reachable,
                opened_by: deed(event),
                opened_at_uncertain: opening.is_uncertain,
                exposed_at,
                closed_by: closing.map(|closing| deed(&closing.event)),
                close_reason: withdrawn.or(closing.map(|closing| closing.reason)),
                severity,
                figures: tally.map(|tally| tally.all).unwrap_or_default(),
                outside_figures: tally.map(|tally| tally.outside).unwrap_or_default(),
                readers: tally.map(readers).unwrap_or_default(),
            }
        })
        .collect()
}

fn deed(event: &PostureEvent) -> Deed {
    Deed {
        event_uid: event.uid.clone(),
        position: event.position.clone(),
        time: event.time,
        actor: event.actor.clone(),
        client: place_of(event).map(str::to_owned),
        operation: event.operation.clone(),
    }
}

pub(crate) fn place_of(event: &PostureEvent) -> Option<&str> {
    event.client.ip.as_deref().or(event.client.domain.as_deref())
}

/// Those who read most, outsiders first; the rest as one.
fn readers(tally: &Tally) -> Vec<Reader> {
    let mut named: Vec<Reader> = Vec::new();
    let mut others = Reader {
        name: "others".to_owned(),
        uid: None,
        network: "various".to_owned(),
        is_outsider: false,
        figures: ReadFigures::default(),
    };
    for (key, is_outsider, figures) in tally.readers() {
        match key {
            Some(key) => named.push(Reader {
                name: key.label().to_owned(),
                uid: key.uid.as_deref().map(str::to_owned),
                network: key.network.to_string(),
                is_outsider,
                figures: *figures,
            }),
            None => {
                others.is_outsider |= is_outsider;
                others.figures.merge(figures);
            }
        }
    }
    let weight = |reader: &Reader| {
        let figures = &reader.figures;
        (reader.is_outsider, figures.bytes.at_least, figures.rows.at_least, figures.reads)
    };
    named.sort_by(|one, other| weight(other).cmp(&weight(one)).then(one.name.cmp(&other.name)));
    for reader in named.drain(READERS_NAMED_MAX.min(named.len())..) {
        others.is_outsider |= reader.is_outsider;
        others.figures.merge(&reader.figures);
    }
    if others.figures != ReadFigures::default() {
        named.push(others);
    }
    named
}

fn title(told: &Told) -> String {
    let opening = &told.opening;
    let datastore = opening.event.datastore.label();
    let level = match told.level {
        Level::Exposed => "exposed",
        Level::Weakened => "open",
    };
    match &told.what {
        What::Weakened if weakened_rule(opening) == RuleId::AuditSilenced => {
            format!("Audit log silenced: {datastore}")
        }
        What::Weakened if weakened_rule(opening) == RuleId::AuditSourceSilent => {
            format!("Source is silent: {datastore}")
        }
        What::Weakened => {
            format!("Protection weakened: {} of {datastore}", words(opening.control().as_str()))
        }
        What::Opened => format!("Exposed: {datastore}"),
        What::StillOpen(step) => {
            format!("Still {level} after {}: {datastore}", STILL_OPEN[*step].1)
        }
        What::Closed => format!("No longer exposed: {datastore}"),
        What::Read { is_outsider: true, .. } => format!("Read from outside: {datastore}"),
        What::Read { .. } => format!("Read while exposed: {datastore}"),
        What::Born { .. } => format!("Born unprotected: {datastore}"),
        What::WeakerCopy { origin } => {
            format!("Copy is less protected than {}: {datastore}", origin.label())
        }
        What::ForeignCopy { place, .. } => format!("Copied to {}: {datastore}", place.label()),
    }
}

fn description(told: &Told) -> String {
    let text = match &told.what {
        What::Weakened if told.opening.key.1 == SOURCE_SILENT => silent_text(&told.opening),
        What::Weakened => weakened_text(&told.opening),
        What::Opened => opened_text(told),
        What::StillOpen(step) => still_open_text(told, STILL_OPEN[*step].1),
        What::Closed => closed_text(told),
        What::Read { reader, mark, is_outsider, is_unexpected } => {
            read_text(told, reader, mark, *is_outsider, *is_unexpected)
        }
        What::Born { birth, openings } => born_text(birth, openings),
        What::WeakerCopy { origin } => weaker_text(told, origin),
        What::ForeignCopy { border, place, other } => foreign_text(told, *border, place, other),
    };
    let text = match (told.step, &told.what) {
        (Step::Close(reason), What::Weakened | What::Opened | What::StillOpen(_)) => {
            format!("{text} {}", over_text(told, reason))
        }
        (Step::Close(_), What::Born { openings, .. }) => ended(text, end_of(openings)),
        (Step::Close(_), What::WeakerCopy { .. }) => ended(text, told.opening.closing()),
        _ => text,
    };
    let text = match told.opening.exposure.as_ref().and_then(|exposed| exposed.blind.as_ref()) {
        Some(blind) if matches!(told.what, What::Opened | What::Closed) => {
            format!("{text} Meanwhile nobody records all of it: {}.", blind_text(blind))
        }
        _ => text,
    };
    match &told.approval {
        Some(approval) => {
            format!(
                "{text} It belongs to the approved change {}, until {}.",
                approval.ticket, approval.until
            )
        }
        None => text,
    }
}

fn blind_text(blind: &Leg) -> String {
    let (of, change) = (blind.event.datastore.label(), &blind.change);
    if change.setting == SOURCE_SILENT {
        let last = change.before.as_deref().unwrap_or("unknown");
        return format!("{} of {of} says nothing, its last event was at {last}", change.opened);
    }
    let (actor, time) = (blind.event.actor.label(), blind.event.time);
    format!("{} of {of} by {actor} at {time}", thing(change))
}

fn weakened_text(opening: &Opening) -> String {
    let event = &opening.event;
    let things: Vec<String> = things(opening).collect();
    let late = if opening.is_late { " The event came late." } else { "" };
    format!(
        "{} called {}{} at {} and weakened {} of {} {}: {}.{late}",
        event.actor.label(),
        event.operation,
        from(place_of(event)),
        event.time,
        words(opening.control().as_str()),
        form(event.datastore.form),
        event.datastore.label(),
        things.join("; "),
    )
}

fn opened_text(told: &Told) -> String {
    let opening = &told.opening;
    let event = &opening.event;
    let Some(exposed) = &opening.exposure else { return String::new() };
    let is_for_all = opening.changes.iter().any(|change| names_everybody(&change.opened));
    let who = match opening.control() {
        Control::Sharing if !is_for_all => "another account",
        _ => "anybody",
    };
    let mut text = format!(
        "Since {} {who} can reach and read {} {}: {} by {}, {}{} at {}",
        exposed.at,
        form(event.datastore.form),
        event.datastore.label(),
        opened_things(opening),
        event.actor.label(),
        event.operation,
        from(place_of(event)),
        event.time,
    );
    for leg in &exposed.legs {
        text = format!(
            "{text}; {} by {} at {}",
            thing(&leg.change),
            leg.event.actor.label(),
            leg.event.time
        );
    }
    if exposed.is_proven && !opening.is_of_a_read() {
        let read = &exposed.by;
        text =
            format!("{text}. A read by {}{} proves it", read.actor.label(), from(place_of(read)));
    }
    if opening.is_of_a_read() {
        text = format!("{text}. No change of protection that explains it is known");
    }
    format!("{text}.")
}

fn still_open_text(told: &Told, age: &str) -> String {
    let opening = &told.opening;
    let event = &opening.event;
    format!(
        "{} after {age} {} {} is still open: {}, by {} at {}. {}",
        reach_text(told.level, &told.opening),
        form(event.datastore.form),
        event.datastore.label(),
        opened_things(opening),
        event.actor.label(),
        event.time,
        reads_text(told.tally.as_deref()),
    )
}

fn reach_text(level: Level, opening: &Opening) -> &'static str {
    match (level, opening.reachable, opening.readable) {
        (Level::Exposed, ..) => "Reachable and readable from outside:",
        (_, Known::No, _) => "Not reachable from outside:",
        (_, Known::Unknown, _) => "Not known to be reachable from outside:",
        (_, Known::Yes, Known::No) => "Reachable from outside, not readable by everybody:",
        (_, Known::Yes, Known::Unknown) => "Reachable from outside, not known to be readable:",
        (_, Known::Yes, Known::Yes) => "Reachable from outside:",
    }
}

fn closed_text(told: &Told) -> String {
    let opening = &told.opening;
    let event = &opening.event;
    let Some(closing) = opening.exposure.as_ref().and_then(|exposed| exposed.closing.as_ref())
    else {
        return String::new();
    };
    let end = &closing.event;
    format!(
        "{} {} was open for {}, from {} ({} by {}) to {} ({} by {}). {}",
        capitalised(form(event.datastore.form)),
        event.datastore.label(),
        duration(event.time, end.time),
        event.time,
        event.operation,
        event.actor.label(),
        end.time,
        end.operation,
        end.actor.label(),
        reads_text(told.tally.as_deref()),
    )
}

fn read_text(
    told: &Told,
    reader: &ReaderKey,
    mark: &ReadMark,
    is_outsider: bool,
    is_unexpected: bool,
) -> String {
    let event = &told.opening.event;
    let since = told.opening.exposure.as_ref().map_or(event.time, |exposed| exposed.at);
    let who = match (is_outsider, &reader.account) {
        (true, Some(account)) if reader.is_foreign => {
            format!("{} of the foreign account {account}", reader.label())
        }
        (true, _) => "Somebody without an identity".to_owned(),
        (false, _) => reader.label().to_owned(),
    };
    let unexpected =
        if is_unexpected { ", a network from which no reads are expected," } else { "" };
    format!(
        "{who} read {} {}{}{unexpected} by {} at {}; it is exposed since {since}.",
        form(event.datastore.form),
        event.datastore.label(),
        from(mark.ip.as_deref().or(Some(&*reader.network))),
        mark.operation,
        mark.time,
    )
}

fn over_text(told: &Told, reason: CloseReason) -> String {
    let opening = &told.opening;
    let exposed_end = opening.exposure.as_ref().and_then(|exposed| exposed.closing.as_ref());
    let closing = match told.what {
        What::Opened => exposed_end.or(opening.closing()),
        _ => opening.closing(),
    };
    let Some(closing) = closing else { return String::new() };
    let end = &closing.event;
    let how = match reason {
        CloseReason::Destroyed => "The datastore was deleted",
        CloseReason::Replaced => "It was set again",
        CloseReason::Restored | CloseReason::Superseded => "It was restored",
    };
    format!(
        "{how} after {} by {}, {} at {}.",
        duration(opening.event.time, end.time),
        end.actor.label(),
        end.operation,
        end.time
    )
}

/// Who read how much, as one sentence or two.
fn reads_text(tally: Option<&Tally>) -> String {
    let Some(tally) = tally else { return String::new() };
    let inside = &tally.all;
    if inside.reads == 0 && inside.reads_at_edges == 0 {
        return "No read of it is known.".to_owned();
    }
    let mut text = format!("Read in it: {}", amount(inside));
    if inside.reads_at_edges > 0 {
        text = format!("{text}, and perhaps {} reads more at its edges", inside.reads_at_edges);
    }
    let outside = &tally.outside;
    if outside.reads == 0 {
        return format!("{text}; none from outside.");
    }
    let networks: std::collections::BTreeSet<&str> = tally
        .readers()
        .filter(|(_, is_outsider, _)| *is_outsider)
        .filter_map(|(key, _, _)| key.map(|key| &*key.network))
        .collect();
    let networks: Vec<&str> = networks.into_iter().collect();
    let shown = networks.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    let more = networks.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{text}; from outside {}, from {shown}{more}.", amount(outside))
}

fn things(opening: &Opening) -> impl Iterator<Item = String> + '_ {
    opening.changes.iter().map(thing)
}

pub(crate) fn opened_things(opening: &Opening) -> String {
    let texts: Vec<String> = things(opening).collect();
    format!("{} {}", words(opening.control().as_str()), texts.join("; "))
}

fn remediation(told: &Told, rows: &[&CatalogueRow]) -> String {
    let opening = &told.opening;
    match &told.what {
        What::Closed => "Find out whose data was read and which secrets were in it: rotate them, \
                         and decide who must be told by when."
            .to_owned(),
        What::Read { is_outsider: true, .. } => {
            "Close it now. Treat what was read as known outside; keep the records of this reader."
                .to_owned()
        }
        What::Read { .. } => {
            "Ask whether this read was meant; whoever it is used the same open door.".to_owned()
        }
        What::ForeignCopy { .. } => "Ask whether the copy was meant; name the account or region as \
                                     trusted in the context file if it is yours, delete the copy if \
                                     it is not."
            .to_owned(),
        What::WeakerCopy { .. } => "Give the copy the protection of what it was made from, or delete \
                                    it."
            .to_owned(),
        What::Weakened if opening.key.1 == SOURCE_SILENT => {
            "Look whether the datastore still logs, whether its shipper runs, and whether somebody has \
             switched its security off: that ends the log without a record."
                .to_owned()
        }
        _ if opening.is_of_a_read() => {
            "Find out what lets them in, close it, and name the account as trusted in the context \
             file if it is a partner's."
                .to_owned()
        }
        _ => rows.first().map_or_else(
            || {
                format!(
                    "Check who changed {} and why; restore it if nobody can say.",
                    opening.key.1
                )
            },
            |row| row.remediation.to_owned(),
        ),
    }
}

/// What the rows name; where a read is the ground, or no row judged, reading from the store itself.
fn attacks(rows: &[&CatalogueRow], told: &Told) -> Vec<String> {
    let is_read = matches!(told.what, What::Read { .. });
    let mut attacks: Vec<String> = Vec::new();
    for technique in rows.iter().filter(|_| !is_read).flat_map(|row| row.attack) {
        if !attacks.iter().any(|known| known == technique) {
            attacks.push((*technique).to_owned());
        }
    }
    if attacks.is_empty() && told.what != What::Weakened {
        let is_bucket = told.opening.event.datastore.form == DatastoreForm::Bucket;
        attacks.push(if is_bucket { "T1530" } else { "T1213" }.to_owned());
    }
    attacks
}

/// The events that prove it: the opening, what else it took, what ended it, who read.
fn evidences(told: &Told) -> Vec<Evidence> {
    let opening = &told.opening;
    let of_opening = || opening.changes.iter().map(|change| evidence(&opening.event, Some(change)));
    let end = |event: &PostureEvent| {
        let change = event.changes_of(&opening.key).next();
        evidence(event, change)
    };
    let mut evidences: Vec<Evidence> = Vec::new();
    if let What::Read { reader, mark, .. } = &told.what {
        evidences.push(read_evidence(reader, mark, &opening.event.source));
    }
    match &told.what {
        What::Born { birth, openings } => {
            evidences.push(evidence(birth, None));
            evidences.extend(of_all(openings));
        }
        _ => evidences.extend(of_opening()),
    }
    let stands_on_legs = matches!(told.what, What::Opened | What::Closed | What::Read { .. });
    if let Some(exposed) = opening.exposure.as_ref().filter(|_| stands_on_legs) {
        evidences.extend(exposed.legs.iter().map(|leg| evidence(&leg.event, Some(&leg.change))));
        if exposed.is_proven && exposed.by.uid != opening.event.uid {
            evidences.push(evidence(&exposed.by, None));
        }
    }
    let exposed_end = opening.exposure.as_ref().and_then(|exposed| exposed.closing.as_ref());
    let closing = match (&told.what, told.step) {
        (What::Closed, _) | (What::Opened, Step::Close(_)) => exposed_end,
        (_, Step::Close(_)) => opening.closing(),
        _ => None,
    };
    evidences.extend(closing.map(|closing| end(&closing.event)));
    evidences
}

fn of_all(openings: &[Arc<Opening>]) -> impl Iterator<Item = Evidence> + '_ {
    openings.iter().flat_map(|opening| {
        opening.changes.iter().map(|change| evidence(&opening.event, Some(change)))
    })
}

fn read_evidence(reader: &ReaderKey, mark: &ReadMark, source: &str) -> Evidence {
    Evidence {
        event_uid: mark.event_uid.to_string(),
        type_uid: mark.type_uid,
        position: mark.position.clone(),
        time: mark.time,
        source: source.to_owned(),
        actor: reader.actor(),
        client: mark.client(),
        operation: mark.operation.to_string(),
        service: None,
        change: None,
    }
}

fn evidence(event: &PostureEvent, change: Option<&Change<'static>>) -> Evidence {
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
        change: change.cloned(),
    }
}
