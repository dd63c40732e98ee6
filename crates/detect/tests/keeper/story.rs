//! What a datastore goes through in its life: how it was made, what it was copied from, what stands above it, who speaks of
//! it, and what was approved.

use std::sync::Arc;

use dataward_detect::catalogue::{self, Confidence};
use dataward_detect::context::{Context, DatastoreContext, SensitivityName};
use dataward_detect::place::Place;
use dataward_detect::plan::{ApprovedChange, Maintenance, Moment};
use dataward_detect::posture_event::PostureEvent;
use dataward_event::audit_event::{Datastore, DatastoreForm};
use dataward_event::change::{COPY_FROM, COPY_TO, Change, Control, Direction, copy_place};
use dataward_event::finding::{Finding, RuleId, Step};

use crate::scene::{OWN, Scene, at, change, datastore, event, read, write};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn cluster(name: &str) -> Datastore<'static> {
    datastore(name, DatastoreForm::Database)
}

fn bucket() -> Datastore<'static> {
    datastore("arn:aws:s3:::customers", DatastoreForm::Bucket)
}

fn opened(control: Control, thing: &str) -> Vec<Change<'static>> {
    vec![change(control, thing, Direction::Weakened, false)]
}

fn closed(control: Control, thing: &str) -> Vec<Change<'static>> {
    vec![change(control, thing, Direction::Strengthened, false)]
}

fn born(number: i64, second: i64, of: &Datastore<'static>, open: bool) -> PostureEvent {
    let changes =
        if open { opened(Control::NetworkExposure, "0.0.0.0/0 tcp 9200") } else { Vec::new() };
    PostureEvent { is_creation: true, ..event(number, second, of, changes) }
}

fn of_rule(findings: &[Finding], rule: RuleId) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.rule == rule).collect()
}

fn place(account: &str) -> Place {
    Place::parse(&copy_place(Some("AWS"), Some(account), Some("eu-west-1")))
}

#[test]
fn who_is_still_open_when_the_grace_ends_was_born_unprotected() {
    let mut scene = Scene::default();
    assert_eq!(scene.change(born(1, 0, &cluster("new"), true)).len(), 1, "it is open");
    assert!(scene.tick(10 * MINUTE - 1).is_empty(), "there is still time");
    let told = scene.tick(10 * MINUTE);
    let told = of_rule(&told, RuleId::DatastoreBornUnprotected);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].time, at(10 * MINUTE));
    assert!(told[0].description.contains("still open"), "{}", told[0].description);
    assert_eq!(told[0].evidences.len(), 2, "who made it, and what is open");
    // It is over when it is protected.
    let over = scene.change(event(
        2,
        HOUR,
        &cluster("new"),
        closed(Control::NetworkExposure, "0.0.0.0/0 tcp 9200"),
    ));
    let over = of_rule(&over, RuleId::DatastoreBornUnprotected);
    assert!(matches!(over[0].step, Step::Close(_)));
}

#[test]
fn who_is_protected_in_time_or_was_not_seen_born_is_quiet() {
    let mut scene = Scene::default();
    scene.change(born(1, 0, &cluster("new"), true));
    let shut = closed(Control::NetworkExposure, "0.0.0.0/0 tcp 9200");
    scene.change(event(2, 5 * MINUTE, &cluster("new"), shut));
    // First seen without a creation: nobody knows what it was like before.
    scene.change(event(3, 0, &cluster("old"), opened(Control::Authentication, "anonymous")));
    scene.change(born(4, 0, &cluster("closed"), false));
    scene.tick(DAY);
    assert!(of_rule(&scene.said, RuleId::DatastoreBornUnprotected).is_empty());
}

#[test]
fn a_birth_that_comes_late_is_told_all_the_same() {
    let mut scene = Scene::default();
    let open = opened(Control::Authentication, "anonymous");
    scene.change(event(2, 30, &cluster("new"), open));
    scene.change(event(3, 12 * MINUTE, &cluster("other"), closed(Control::Authentication, "x")));
    let told = scene.change(born(1, 0, &cluster("new"), false));
    assert_eq!(of_rule(&told, RuleId::DatastoreBornUnprotected).len(), 1);
}

fn copied(number: i64, second: i64, from: &str, to: &Datastore<'static>) -> PostureEvent {
    let told = Change {
        setting: COPY_FROM.into(),
        opened: from.to_owned().into(),
        ..change(Control::Sharing, "", Direction::Neutral, false)
    };
    event(number, second, to, vec![told])
}

fn restricted(name: &str) -> Arc<Context> {
    let entry = DatastoreContext {
        name: name.to_owned(),
        sensitivity: Some(SensitivityName::Restricted),
        ..DatastoreContext::default()
    };
    Arc::new(Context { datastores: vec![entry], ..Context::default() })
}

#[test]
fn a_copy_that_is_opened_is_weaker_than_its_origin_when_the_grace_ends() {
    let mut scene = Scene::with(Context::clone(&restricted("production")));
    assert!(scene.change(copied(1, 0, "production", &cluster("copy"))).is_empty());
    let open = opened(Control::Authentication, "anonymous");
    let removed = scene.change(event(2, HOUR, &cluster("copy"), open));
    // The copy has the class of what is in it: one more than what the same removal weighs elsewhere.
    let because = removed[0].severity_because.join("; ");
    assert!(because.contains("restricted data"), "{because}");
    assert!(of_rule(&scene.said, RuleId::CopyWeakerDatastore).is_empty());
    let told = scene.tick(HOUR + 10 * MINUTE);
    let told = of_rule(&told, RuleId::CopyWeakerDatastore);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].time, told[0].severity.id()), (at(HOUR + 10 * MINUTE), 5));
    assert_eq!(told[0].origin.as_ref().unwrap().uid, "production");
    let over = scene.change(event(
        3,
        2 * HOUR,
        &cluster("copy"),
        closed(Control::Authentication, "anonymous"),
    ));
    assert!(matches!(of_rule(&over, RuleId::CopyWeakerDatastore)[0].step, Step::Close(_)));
}

#[test]
fn a_copy_of_what_is_as_open_is_not_weaker() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &cluster("production"), opened(Control::Authentication, "anonymous")));
    scene.change(copied(2, HOUR, "production", &cluster("copy")));
    let open = opened(Control::Authentication, "anonymous");
    scene.change(event(3, HOUR + 1, &cluster("copy"), open));
    scene.tick(DAY);
    assert!(of_rule(&scene.said, RuleId::CopyWeakerDatastore).is_empty());
}

#[test]
fn a_verdict_follows_a_late_event() {
    let mut scene = Scene::default();
    scene.change(copied(1, 0, "production", &cluster("copy")));
    scene.change(event(2, 10, &cluster("copy"), opened(Control::Authentication, "anonymous")));
    assert_eq!(of_rule(&scene.tick(11 * MINUTE), RuleId::CopyWeakerDatastore).len(), 1);
    // The origin was as open: that came late.
    let late = event(3, 5, &cluster("production"), opened(Control::Authentication, "anonymous"));
    let told = scene.change(late);
    let told = of_rule(&told, RuleId::CopyWeakerDatastore);
    assert_eq!(told.len(), 1);
    assert!(told[0].step == Step::Close(dataward_event::finding::CloseReason::Superseded));
}

#[test]
fn copies_are_followed_over_several_steps() {
    let mut scene = Scene::with(Context::clone(&restricted("production")));
    scene.change(copied(1, 0, "production", &datastore("snapshot", DatastoreForm::Snapshot)));
    scene.change(copied(2, 60, "snapshot", &cluster("copy")));
    let open = opened(Control::Authentication, "anonymous");
    let removed = scene.change(event(3, HOUR, &cluster("copy"), open));
    assert!(removed[0].severity_because.join("; ").contains("restricted data"));
}

#[test]
fn a_copy_into_another_account_is_told_at_once_and_one_at_home_is_not() {
    let to = |account: &str| Change {
        setting: COPY_TO.into(),
        opened: format!("copy in {account}").into(),
        after: Some(copy_place(None, Some(account), None).into()),
        ..change(Control::Sharing, "", Direction::Neutral, false)
    };
    let mut scene = Scene::default();
    let copy = |number: i64, account: &str| PostureEvent {
        place: place(OWN),
        ..event(number, number, &bucket(), vec![to(account)])
    };
    assert!(scene.change(copy(1, OWN)).is_empty());
    let told = scene.change(copy(2, "999900001111"));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].rule, RuleId::CopyForeign);
    assert!(told[0].description.contains("another account"), "{}", told[0].description);
    assert!(told[0].exposure.is_none(), "nothing stays open by it");
}

#[test]
fn volumes_show_a_copy_that_no_event_names() {
    let mut scene = Scene::with(Context::clone(&restricted("production")));
    let mut number = 0;
    for minute in 0..50 {
        for is_write in [false, true] {
            number += 1;
            let (of, second) = (if is_write { "copy" } else { "production" }, minute * MINUTE + 1);
            let moved = if is_write { write } else { read };
            let mut read = moved(number, second, &cluster(of), "copier", Some(OWN));
            read.total.figures.rows.at_least = 10_000;
            scene.read(read);
        }
        // Somebody else reads as much and writes nothing.
        number += 1;
        let mut read = read(number, minute * MINUTE + 2, &cluster("orders"), "reporter", Some(OWN));
        read.total.figures.rows.at_least = 10_000;
        scene.read(read);
    }
    scene.tick(2 * HOUR);
    let open = opened(Control::Authentication, "anonymous");
    let removed = scene.change(event(900, 3 * HOUR, &cluster("copy"), open.clone()));
    assert!(removed[0].severity_because.join("; ").contains("restricted data"));
    let orders = scene.change(event(901, 3 * HOUR + 1, &cluster("orders"), open));
    assert!(!orders[0].severity_because.join("; ").contains("restricted data"));
    let told = scene.tick(4 * HOUR);
    assert_eq!(of_rule(&told, RuleId::CopyWeakerDatastore).len(), 1);
}

#[test]
fn an_exposure_that_nobody_records_is_the_worst() {
    let mut scene = Scene::default();
    let public = opened(Control::Sharing, "account 999900001111");
    let exposed = scene.change(event(1, 0, &bucket(), public));
    let exposed = of_rule(&exposed, RuleId::ExposureOpened);
    assert_eq!(exposed[0].severity.id(), 5);
    let blind =
        scene.change(event(2, HOUR, &bucket(), opened(Control::AuditLogging, "access log")));
    let worse = of_rule(&blind, RuleId::ExposureOpened);
    assert_eq!((worse[0].step, worse[0].severity.id()), (Step::Update, 6));
    assert!(worse[0].description.contains("nobody records"), "{}", worse[0].description);
}

/// A change of a guard of the account.
fn guard(
    number: i64,
    second: i64,
    row: &'static str,
    control: Control,
    thing: &str,
    direction: Direction,
) -> PostureEvent {
    let told = Change { catalogue_row: row.into(), ..change(control, thing, direction, false) };
    let of = datastore("guard of the account", DatastoreForm::Guard);
    PostureEvent { place: place(OWN), ..event(number, second, &of, vec![told]) }
}

fn public(number: i64, second: i64) -> PostureEvent {
    let open = opened(Control::AccessPolicy, "principal *");
    PostureEvent { place: place(OWN), ..event(number, second, &bucket(), open) }
}

fn block(number: i64, second: i64, direction: Direction) -> PostureEvent {
    let row = "aws.s3.public_access_block.account";
    guard(number, second, row, Control::PublicAccessBlock, "RestrictPublicBuckets", direction)
}

#[test]
fn the_block_of_the_account_keeps_a_public_policy_from_exposing() {
    let own_block_off = || {
        let off = opened(Control::PublicAccessBlock, "RestrictPublicBuckets");
        PostureEvent { place: place(OWN), ..event(2, 10, &bucket(), off) }
    };
    let mut without = Scene::default();
    without.change(own_block_off());
    without.change(public(3, 20));
    assert_eq!(of_rule(&without.said, RuleId::ExposureOpened).len(), 1);

    let mut with = Scene::default();
    with.change(block(1, 0, Direction::Strengthened));
    with.change(own_block_off());
    with.change(public(3, 20));
    assert!(of_rule(&with.said, RuleId::ExposureOpened).is_empty());
    // It goes: everything below it that is public is exposed.
    let gone = with.change(block(4, HOUR, Direction::Weakened));
    assert_eq!(of_rule(&gone, RuleId::ExposureOpened).len(), 1);
    let back = with.change(block(5, 2 * HOUR, Direction::Strengthened));
    assert_eq!(of_rule(&back, RuleId::ExposureClosed).len(), 1);
}

#[test]
fn a_block_that_is_stated_as_a_whole_is_on_in_all_its_flags() {
    let mut scene = Scene::default();
    let whole = Change {
        whole: true,
        opened: "".into(),
        ..block(1, 0, Direction::Strengthened).changes[0].clone()
    };
    scene.change(PostureEvent { changes: vec![whole], ..block(1, 0, Direction::Strengthened) });
    let off = opened(Control::PublicAccessBlock, "RestrictPublicBuckets");
    scene.change(PostureEvent { place: place(OWN), ..event(2, 10, &bucket(), off) });
    scene.change(public(3, 20));
    assert!(of_rule(&scene.said, RuleId::ExposureOpened).is_empty());
}

#[test]
fn a_trail_that_is_stopped_blinds_the_whole_account() {
    let stop = |number: i64, second: i64, direction: Direction| {
        let row = "aws.cloudtrail.logging.stopped";
        guard(number, second, row, Control::AuditLogging, "trail", direction)
    };
    let mut scene = Scene::default();
    let shared = opened(Control::Sharing, "account 999900001111");
    scene.change(PostureEvent { place: place(OWN), ..event(1, 0, &bucket(), shared.clone()) });
    let blind = scene.change(stop(2, 60, Direction::Weakened));
    assert_eq!(of_rule(&blind, RuleId::ExposureOpened)[0].severity.id(), 6);
    // What is exposed in another account is recorded.
    let elsewhere = datastore("arn:aws:s3:::elsewhere", DatastoreForm::Bucket);
    let other = PostureEvent { place: place("222233334444"), ..event(3, 90, &elsewhere, shared) };
    assert_eq!(of_rule(&scene.change(other), RuleId::ExposureOpened)[0].severity.id(), 5);
    // What is still told of the account days later is recorded by another trail.
    let later = datastore("arn:aws:s3:::later", DatastoreForm::Bucket);
    let shared = opened(Control::Sharing, "account 999900001111");
    let later = PostureEvent { place: place(OWN), ..event(4, 3 * DAY, &later, shared) };
    let said = scene.change(later);
    assert_eq!(of_rule(&said, RuleId::ExposureOpened)[0].severity.id(), 5);
}

#[test]
fn what_no_captured_event_confirms_is_at_most_of_medium_severity() {
    let unconfirmed = catalogue::rows().filter(|row| row.confidence == Confidence::Verify);
    let mut count = 0;
    for row in unconfirmed.filter(|row| row.severity > 3) {
        count += 1;
        let told = Change {
            catalogue_row: row.id.into(),
            ..change(row.control, "all", Direction::Weakened, false)
        };
        let mut scene = Scene::default();
        for finding in scene.change(event(1, 0, &bucket(), vec![told])) {
            assert!(finding.severity.id() <= 3, "{}: {finding:?}", row.id);
        }
    }
    assert!(count > 0);
}

fn approved(until: i64) -> Context {
    let change = ApprovedChange {
        ticket: "CHG-7".to_owned(),
        from: Moment(at(0)),
        until: Moment(at(until)),
        actors: vec!["j.d*".to_owned()],
        datastores: vec!["new".to_owned()],
        controls: Vec::new(),
    };
    Context { approved_changes: vec![change], ..Context::default() }
}

#[test]
fn an_approved_change_weighs_less_is_marked_and_expires() {
    let open = || event(1, 60, &cluster("new"), opened(Control::Authentication, "anonymous"));
    let severity = |context: Context| {
        let mut scene = Scene::with(context);
        let said = scene.change(open());
        (said[0].severity.id(), said[0].approval.clone(), scene)
    };
    let (usual, none, _) = severity(Context::default());
    let (lower, approval, mut scene) = severity(approved(2 * HOUR));
    assert_eq!(none, None);
    assert_eq!(approval.unwrap().ticket, "CHG-7");
    assert!(lower < usual, "{lower} {usual}");
    assert!(scene.said[0].description.contains("CHG-7"));
    let still = scene.tick(HOUR + 60);
    assert_eq!(still[0].approval.as_ref().unwrap().ticket, "CHG-7", "it still counts");
    let expired = scene.tick(2 * HOUR);
    let expired = of_rule(&expired, RuleId::ControlWeakened);
    assert_eq!((expired[0].step, expired[0].severity.id()), (Step::Update, usual));
    assert_eq!(expired[0].approval, None);
    let still = scene.tick(DAY + 60);
    assert_eq!(still[0].approval, None, "it has expired");
    // Another actor's change is not covered.
    let mut other = open();
    other.actor.name = Some("m.roe".into());
    let mut scene = Scene::with(approved(2 * HOUR));
    assert_eq!(scene.change(other)[0].approval, None);
}

/// Reads of two datastores, one a minute each, for two days; then one of them stops.
fn two_days(scene: &mut Scene, until: i64) -> i64 {
    let mut number = 0;
    for minute in 0..2 * DAY / MINUTE + until {
        for of in ["kept", "stopped"] {
            if of == "stopped" && minute >= 2 * DAY / MINUTE {
                continue;
            }
            number += 1;
            scene.read(read(number, minute * MINUTE + 1, &cluster(of), "reader", Some(OWN)));
        }
    }
    number
}

#[test]
fn a_datastore_that_nobody_tells_of_any_more_is_silent() {
    let mut scene = Scene::default();
    let number = two_days(&mut scene, 40);
    assert!(of_rule(&scene.said, RuleId::AuditSourceSilent).is_empty());
    let silent = scene.listen(2 * DAY + 40 * MINUTE);
    let silent = of_rule(&silent, RuleId::AuditSourceSilent);
    assert_eq!(silent.len(), 1);
    assert_eq!(silent[0].datastore.as_ref().unwrap().uid, "stopped");
    assert_eq!(silent[0].window_kind.unwrap().as_str(), "blind");
    assert!(silent[0].description.contains("1970-01-02T23:59:01Z"), "{}", silent[0].description);
    assert!(scene.listen(2 * DAY + 41 * MINUTE).is_empty(), "it is said once");
    let again = scene.read(read(
        number + 1,
        2 * DAY + 50 * MINUTE,
        &cluster("stopped"),
        "reader",
        Some(OWN),
    ));
    assert!(matches!(of_rule(&again, RuleId::AuditSourceSilent)[0].step, Step::Close(_)));
}

#[test]
fn a_source_that_stops_is_told_once_not_for_each_datastore() {
    let mut scene = Scene::default();
    two_days(&mut scene, 0);
    let silent = scene.listen(2 * DAY + HOUR);
    let silent = of_rule(&silent, RuleId::AuditSourceSilent);
    assert_eq!(silent.len(), 1);
    assert_eq!(silent[0].datastore.as_ref().unwrap().uid, "source/aws.cloudtrail");
}

#[test]
fn a_silence_that_is_planned_is_none() {
    let plan = Maintenance {
        from: Moment(at(2 * DAY)),
        until: Moment(at(3 * DAY)),
        sources: Vec::new(),
        datastores: vec!["stop*".to_owned()],
    };
    let all = Maintenance { datastores: Vec::new(), ..plan.clone() };
    let mut scene = Scene::with(Context { maintenance: vec![plan], ..Context::default() });
    two_days(&mut scene, 40);
    assert!(scene.listen(2 * DAY + 40 * MINUTE).is_empty());
    let mut scene = Scene::with(Context { maintenance: vec![all], ..Context::default() });
    two_days(&mut scene, 0);
    // Who is still silent when a plan is over, and has had a moment to speak again, is.
    assert!(scene.listen(3 * DAY + 14 * MINUTE).is_empty());
    assert_eq!(scene.listen(3 * DAY + 15 * MINUTE).len(), 1);
}

#[test]
fn a_silence_nobody_listened_for_is_told_when_it_is_over() {
    let mut scene = Scene::default();
    let number = two_days(&mut scene, 120);
    scene.read(read(number + 1, 2 * DAY + 121 * MINUTE, &cluster("stopped"), "reader", Some(OWN)));
    for minute in 0..40 {
        let (number, second) = (number + 2 + minute, 2 * DAY + (122 + minute) * MINUTE);
        scene.read(read(number, second, &cluster("stopped"), "reader", Some(OWN)));
    }
    let told = of_rule(&scene.said, RuleId::AuditSourceSilent);
    assert_eq!(told.iter().filter(|finding| finding.step == Step::Create).count(), 1);
    assert_eq!(told.iter().filter(|finding| matches!(finding.step, Step::Close(_))).count(), 1);
}
