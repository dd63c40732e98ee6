//! I4: what the keeper concludes depends on the set of events, not on their order, batching or restarts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dataward_detect::keeper::Keeper;
use dataward_detect::posture_event::PostureEvent;
use dataward_event::audit_event::{Actor, Client, Datastore, DatastoreForm, Outcome};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::finding::{Finding, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;
use proptest::prelude::*;

fn change(
    control: Control,
    opened: &'static str,
    direction: Direction,
    whole: bool,
) -> Change<'static> {
    Change {
        catalogue_row: Cow::Borrowed(""),
        control,
        setting: Cow::Borrowed("setting"),
        opened: Cow::Borrowed(opened),
        before: None,
        after: None,
        direction,
        whole,
    }
}

fn event(
    number: i64,
    second: i64,
    datastore: &'static str,
    outcome: Outcome,
    changes: Vec<Change<'static>>,
) -> PostureEvent {
    PostureEvent {
        uid: format!("event-{number:04}"),
        type_uid: 600_303,
        time: EventTime::from_micros(second * 1_000_000),
        position: Position {
            partition: Partition::new("audit", 0),
            offset: Offset(number),
            record_index: 0,
        },
        source: "aws.cloudtrail".to_owned(),
        operation: "PutBucketPolicy".to_owned(),
        service: None,
        outcome,
        actor: Actor::default(),
        client: Client::default(),
        datastore: Datastore {
            uid: Cow::Borrowed(datastore),
            name: None,
            resource_type: None,
            form: DatastoreForm::Bucket,
        },
        changes,
        sensitivity: None,
    }
}

/// By finding uid: its description and severity.
type Standing = BTreeMap<String, (String, u8)>;

/// The findings not withdrawn, with the content that was last said of each.
fn standing(findings: impl IntoIterator<Item = Finding>) -> Standing {
    let mut standing = BTreeMap::new();
    for finding in findings {
        match finding.step {
            Step::Close(_) => standing.remove(&finding.uid),
            _ => standing.insert(finding.uid, (finding.description, finding.severity.id())),
        };
    }
    standing
}

fn conclude(events: &[PostureEvent]) -> (Standing, Vec<(u32, Vec<u8>)>) {
    let mut keeper = Keeper::new();
    let findings: Vec<Finding> = events.iter().flat_map(|event| keeper.observe(event)).collect();
    (standing(findings), keeper.save_all())
}

fn arbitrary_events() -> impl Strategy<Value = Vec<PostureEvent>> {
    let directions = prop_oneof![
        3 => Just(Direction::Weakened),
        2 => Just(Direction::Strengthened),
        1 => Just(Direction::Unknown),
    ];
    let one =
        (0_i64..4000, 0..3_usize, 0..3_usize, directions, any::<bool>(), prop::bool::weighted(0.1));
    prop::collection::vec(one, 1..40).prop_map(|drafts| {
        let drafts = drafts.into_iter().enumerate();
        drafts
            .map(|(number, (second, datastore, thing, direction, whole, failed))| {
                let datastore = ["logs", "customers", "exports"][datastore];
                let opened = ["principal *", "account 111122223333", ""][thing];
                let control =
                    [Control::AccessPolicy, Control::AuditLogging][usize::from(thing == 1)];
                let outcome = if failed { Outcome::Failure } else { Outcome::Success };
                event(
                    number as i64,
                    second,
                    datastore,
                    outcome,
                    vec![change(control, opened, direction, whole)],
                )
            })
            .collect()
    })
}

/// Orders events by time, each delayed by less than the lateness bound: an arrival that may happen.
fn arrive(mut events: Vec<PostureEvent>, delays: &[i64]) -> Vec<PostureEvent> {
    let delay = |event: &PostureEvent| delays[event.position.offset.0 as usize % delays.len()];
    events.sort_by_key(|event| (event.time.micros() + delay(event) * 1_000_000, event.uid.clone()));
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_arrival_within_the_bound_gives_the_same_findings_and_state(
        events in arbitrary_events(),
        delays in prop::collection::vec(0_i64..890, 1..20),
    ) {
        let (in_order, in_order_state) = conclude(&arrive(events.clone(), &[0]));
        let (shuffled, shuffled_state) = conclude(&arrive(events, &delays));
        prop_assert_eq!(in_order, shuffled);
        prop_assert_eq!(in_order_state, shuffled_state);
    }

    #[test]
    fn a_restart_anywhere_changes_nothing(
        events in arbitrary_events(),
        delays in prop::collection::vec(0_i64..890, 1..20),
        cuts in prop::collection::btree_set(0_usize..40, 0..4),
    ) {
        let events = arrive(events, &delays);
        let (undisturbed, state) = conclude(&events);
        let mut keeper = Keeper::new();
        let mut findings = Vec::new();
        for (place, event) in events.iter().enumerate() {
            if cuts.contains(&place) {
                let saved = keeper.save_all();
                let number = keeper.next_number();
                keeper = Keeper::load(saved.iter().map(|(index, bytes)| (*index, bytes.as_slice()))).expect("saved by us");
                keeper.set_next_number(number);
            }
            findings.extend(keeper.observe(event));
        }
        prop_assert_eq!(standing(findings), undisturbed);
        prop_assert_eq!(keeper.save_all(), state);
    }

    #[test]
    fn an_event_that_comes_again_changes_nothing(events in arbitrary_events()) {
        let once = arrive(events, &[0]);
        let twice: Vec<PostureEvent> = once.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        let (expected, state) = conclude(&once);
        let (found, found_state) = conclude(&twice);
        prop_assert_eq!(found, expected);
        prop_assert_eq!(found_state, state);
    }
}

#[test]
fn a_removal_alerts_once_and_a_repeat_of_the_same_setting_stays_quiet() {
    let open = || vec![change(Control::AccessPolicy, "principal *", Direction::Weakened, true)];
    let close = || vec![change(Control::AccessPolicy, "", Direction::Strengthened, true)];
    let events = [
        event(0, 0, "customers", Outcome::Success, open()),
        event(1, 60, "customers", Outcome::Success, open()),
        event(2, 120, "customers", Outcome::Success, close()),
        event(3, 180, "customers", Outcome::Success, open()),
    ];
    let (found, _) = conclude(&events);
    assert_eq!(found.len(), 2, "the first opening and the one after the restore");
}

#[test]
fn a_failed_call_is_an_attempt_and_no_finding() {
    let open = vec![change(Control::AccessPolicy, "principal *", Direction::Weakened, true)];
    let (found, _) = conclude(&[event(0, 0, "customers", Outcome::Failure, open)]);
    assert!(found.is_empty());
}

#[test]
fn a_late_earlier_event_withdraws_the_finding_that_it_explains() {
    let open = || vec![change(Control::AccessPolicy, "principal *", Direction::Weakened, true)];
    let mut keeper = Keeper::new();
    let first = keeper.observe(&event(1, 120, "customers", Outcome::Success, open()));
    assert_eq!(first.len(), 1);
    let then = keeper.observe(&event(0, 60, "customers", Outcome::Success, open()));
    let steps: Vec<u8> = then.iter().map(|finding| finding.step.activity_id()).collect();
    assert_eq!(steps, [3, 1], "the later one is withdrawn, the earlier one is the opening");
    assert_eq!(then[0].uid, first[0].uid);
}

#[test]
fn a_change_later_than_the_bound_still_alerts_and_says_so() {
    let open = |thing| vec![change(Control::NetworkExposure, thing, Direction::Weakened, false)];
    let mut keeper = Keeper::new();
    keeper.observe(&event(1, 7200, "customers", Outcome::Success, open("0.0.0.0/0 tcp 5432")));
    let late =
        keeper.observe(&event(0, 60, "customers", Outcome::Success, open("0.0.0.0/0 tcp 3306")));
    assert_eq!(late.len(), 1);
    assert!(late[0].description.contains("came late"), "{}", late[0].description);
}

/// The cost of an event must not grow with how often its setting was changed: a flood would stop the detector.
#[test]
fn a_flood_of_changes_of_one_setting_is_folded_and_concludes_the_same() {
    let open =
        |whole| vec![change(Control::AccessPolicy, "principal *", Direction::Weakened, whole)];
    let mut keeper = Keeper::new();
    let mut findings = Vec::new();
    for number in 0..20_000 {
        findings.extend(keeper.observe(&event(
            number,
            0,
            "customers",
            Outcome::Success,
            open(true),
        )));
    }
    assert_eq!(findings.len(), 1, "one opening, said once and never withdrawn");
    let key = (Control::AccessPolicy, "setting".to_owned());
    assert_eq!(keeper.open("customers", &key).len(), 1);
}
