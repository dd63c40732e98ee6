//! Windows and exposures: what opens them, what closes them, who read in them.

use dataward_detect::context::{Context, DataClass, DatastoreContext, Trusted};
use dataward_detect::reach::ControlState;
use dataward_event::audit_event::{Datastore, DatastoreForm, Outcome};
use dataward_event::change::{Change, Control, Direction};
use dataward_event::finding::{RuleId, Step};

use crate::scene::{FOREIGN, Happening, OWN, Scene, at, change, datastore, event, read};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn bucket() -> Datastore<'static> {
    datastore("arn:aws:s3:::customers", DatastoreForm::Bucket)
}

fn cluster() -> Datastore<'static> {
    datastore("cluster-1", DatastoreForm::Database)
}

fn opened(control: Control, thing: &str) -> Vec<Change<'static>> {
    vec![change(control, thing, Direction::Weakened, false)]
}

fn closed(control: Control, thing: &str) -> Vec<Change<'static>> {
    vec![change(control, thing, Direction::Strengthened, false)]
}

fn entry(name: &str) -> DatastoreContext {
    DatastoreContext { name: name.to_owned(), ..DatastoreContext::default() }
}

/// Removal, a read between, restoration.
fn three() -> [Happening; 3] {
    [
        Happening::Change(event(1, 1000, &bucket(), opened(Control::AccessPolicy, "principal *"))),
        Happening::Read(read(2, 1100, &bucket(), "", None)),
        Happening::Change(event(3, 1800, &bucket(), closed(Control::AccessPolicy, "principal *"))),
    ]
}

#[test]
fn removal_read_and_restoration_are_one_window_in_all_six_orders() {
    let mut endings = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut scene = Scene::default();
        for place in order {
            scene.happen(three()[place].clone());
        }
        scene.sum_up();
        let mut story = scene.story();
        story.sort();
        assert_eq!(
            story,
            [
                "control.weakened (restored)",
                "exposure.closed",
                "exposure.opened (restored)",
                "read.during_exposure",
            ],
            "{order:?}"
        );
        let live = scene.windows.values().filter(|(_, window)| {
            window.close_reason != Some(dataward_event::finding::CloseReason::Superseded)
        });
        assert_eq!(live.count(), 1, "{order:?}: one window");
        endings.push((order, scene.standing(), scene.keeper.save_all()));
    }
    for (order, standing, state) in &endings {
        assert_eq!(*standing, endings[0].1, "{order:?}");
        assert_eq!(*state, endings[0].2, "{order:?}");
    }
}

#[test]
fn what_is_set_again_to_the_same_value_is_no_change() {
    let mut scene = Scene::default();
    let open = || opened(Control::AccessPolicy, "principal *");
    assert_eq!(scene.change(event(1, 0, &cluster(), open())).len(), 1);
    assert!(scene.change(event(2, 60, &cluster(), open())).is_empty());
    assert!(scene.change(event(3, HOUR - 1, &cluster(), open())).is_empty());
}

#[test]
fn deleted_and_set_again_within_the_grace_period_is_a_replacement_of_low_severity() {
    let mut scene = Scene::default();
    let guard = Control::PublicAccessBlock;
    scene.change(event(1, 0, &bucket(), opened(guard, "RestrictPublicBuckets")));
    scene.change(event(2, 5 * MINUTE, &bucket(), closed(guard, "RestrictPublicBuckets")));
    assert_eq!(scene.story(), ["control.weakened (replaced)"]);
    let said = scene.standing();
    assert_eq!(said.values().next().unwrap().severity, 2);
}

#[test]
fn failed_calls_open_nothing() {
    let mut scene = Scene::default();
    for number in 0..20 {
        let open = opened(Control::AccessPolicy, "principal *");
        let mut refused = event(number, number, &bucket(), open);
        refused.outcome = Outcome::Failure;
        assert!(scene.change(refused).is_empty());
    }
}

#[test]
fn a_late_earlier_event_withdraws_the_finding_that_it_explains() {
    let open = || opened(Control::AccessPolicy, "principal *");
    let mut scene = Scene::default();
    let first = scene.change(event(1, 120, &cluster(), open()));
    assert_eq!(first.len(), 1);
    let then = scene.change(event(0, 60, &cluster(), open()));
    let steps: Vec<u8> = then.iter().map(|finding| finding.step.activity_id()).collect();
    assert_eq!(steps, [3, 1], "the later one is withdrawn, the earlier one is the opening");
    assert_eq!(then[0].uid, first[0].uid);
}

#[test]
fn a_change_later_than_the_bound_still_alerts_and_says_so() {
    let mut scene = Scene::default();
    let open = |thing| opened(Control::NetworkExposure, thing);
    scene.change(event(1, 7200, &cluster(), open("0.0.0.0/0 tcp 5432")));
    let late = scene.change(event(0, 60, &cluster(), open("0.0.0.0/0 tcp 3306")));
    assert!(late.iter().any(|finding| {
        finding.rule == RuleId::ControlWeakened && finding.description.contains("came late")
    }));
}

#[test]
fn one_of_two_opened_things_stays_open_when_the_other_is_closed() {
    let mut scene = Scene::default();
    let network = Control::NetworkExposure;
    scene.change(event(1, 0, &cluster(), opened(network, "0.0.0.0/0 tcp 5432")));
    scene.change(event(2, 10, &cluster(), opened(network, "0.0.0.0/0 tcp 9200")));
    scene.change(event(3, 2 * HOUR, &cluster(), closed(network, "0.0.0.0/0 tcp 5432")));
    let open = scene.windows.values().filter(|(_, window)| window.closed_by.is_none());
    let open: Vec<&str> = open.map(|(_, window)| window.opened.as_str()).collect();
    assert_eq!(open, ["0.0.0.0/0 tcp 9200"]);
    let key = (network, "setting".to_owned());
    assert_eq!(scene.keeper.open("cluster-1", &key).len(), 1);
}

#[test]
fn a_database_is_exposed_when_it_can_be_both_reached_and_read() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &cluster(), opened(Control::Authentication, "anonymous")));
    assert_eq!(scene.story(), ["control.weakened"], "nobody knows whether it can be reached");
    assert!(scene.said[0].severity.id() <= 4);
    let second =
        scene.change(event(2, 600, &cluster(), opened(Control::NetworkExposure, "0.0.0.0/0")));
    let exposed = second.iter().find(|finding| finding.rule == RuleId::ExposureOpened).unwrap();
    assert!(exposed.severity.id() >= 5);
    assert_eq!(exposed.evidences.len(), 2, "both legs prove it");
    assert_eq!(
        scene.keeper.control_state("cluster-1", Control::Authentication),
        ControlState::Exposed
    );
    // One leg is restored: the other stays weakened.
    scene.change(event(3, 7200, &cluster(), closed(Control::NetworkExposure, "0.0.0.0/0")));
    assert_eq!(
        scene.keeper.control_state("cluster-1", Control::Authentication),
        ControlState::Weakened
    );
    assert_eq!(
        scene.keeper.control_state("cluster-1", Control::NetworkExposure),
        ControlState::Protected
    );
    assert!(scene.story().contains(&"exposure.closed".to_owned()));
    assert!(scene.story().contains(&"exposure.opened (restored)".to_owned()));
}

#[test]
fn a_public_policy_behind_a_block_is_not_exposed_until_the_block_is_gone() {
    let guard = |direction| {
        let mut block =
            change(Control::PublicAccessBlock, "RestrictPublicBuckets", direction, false);
        block.setting = "bucket_public_access_block".into();
        vec![block]
    };
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), guard(Direction::Strengthened)));
    scene.change(event(2, 60, &bucket(), opened(Control::AccessPolicy, "principal *")));
    assert_eq!(scene.story(), ["control.weakened"]);
    let gone = scene.change(event(3, 120, &bucket(), guard(Direction::Weakened)));
    let exposed = gone.iter().find(|finding| finding.rule == RuleId::ExposureOpened).unwrap();
    let evidences: Vec<&str> = exposed.evidences.iter().map(|e| e.event_uid.as_str()).collect();
    assert_eq!(evidences, ["event-0003", "event-0002"], "the completing leg, then the other");
}

#[test]
fn what_is_still_open_is_told_after_an_hour_a_day_and_a_week_of_event_time() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), opened(Control::Sharing, "account 444455556666")));
    let other = datastore("other", DatastoreForm::Bucket);
    for (number, second) in [HOUR - 1, HOUR, DAY, 7 * DAY, 8 * DAY].into_iter().enumerate() {
        scene.read(read(10 + number as i64, second, &other, "employee", Some(OWN)));
    }
    let told: Vec<_> =
        scene.said.iter().filter(|finding| finding.rule == RuleId::ExposureStillOpen).collect();
    let times: Vec<_> = told.iter().map(|finding| finding.time).collect();
    assert_eq!(times, [at(HOUR), at(DAY), at(7 * DAY)]);
    assert!(told[1].severity >= told[0].severity);
}

#[test]
fn without_traffic_the_clock_fires_the_same_findings() {
    let open = || event(1, 0, &bucket(), opened(Control::Sharing, "account 444455556666"));
    let (mut ticked, mut moved) = (Scene::default(), Scene::default());
    ticked.change(open());
    assert_eq!(ticked.keeper.next_due(), Some(at(HOUR)));
    let concluded = ticked.keeper.tick(at(HOUR - 1));
    assert!(concluded.is_empty(), "nothing is due");
    let concluded = ticked.keeper.tick(at(HOUR + 17));
    ticked.hear(concluded);
    moved.change(open());
    let other = datastore("other", DatastoreForm::Bucket);
    moved.read(read(9, HOUR + 99, &other, "employee", Some(OWN)));
    assert_eq!(ticked.standing(), moved.standing());
    let uids = |scene: &Scene| -> Vec<(String, String)> {
        let said = scene.said.iter();
        said.map(|finding| (finding.uid.clone(), finding.cause_uid.clone())).collect()
    };
    assert_eq!(uids(&ticked), uids(&moved), "who noticed that it was due does not matter");
}

#[test]
fn an_outside_read_without_a_known_window_opens_one() {
    let mut scene = Scene::default();
    let found = scene.read(read(1, 0, &cluster(), "", None));
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["exposure.opened", "read.during_exposure"]);
    assert!(found.iter().all(|finding| finding.severity.id() == 6), "{found:#?}");
    let (_, window) = scene.windows.values().next().unwrap();
    assert!(window.opened_at_uncertain);
    assert_eq!((window.control, window.opened.as_str()), (Control::Authentication, "anonymous"));
    // Somebody turns authentication on: it is over.
    scene.change(event(2, HOUR / 2, &cluster(), closed(Control::Authentication, "xpack")));
    assert!(scene.story().contains(&"exposure.closed".to_owned()));
}

#[test]
fn a_foreign_account_is_an_outsider_unless_it_is_trusted() {
    let mut scene = Scene::default();
    assert_eq!(scene.read(read(1, 0, &bucket(), "partner", Some(FOREIGN))).len(), 2);
    let trusted = Trusted { accounts: vec![FOREIGN.to_owned()], ..Trusted::default() };
    let mut scene = Scene::with(Context { trusted, ..Context::default() });
    assert!(scene.read(read(1, 0, &bucket(), "partner", Some(FOREIGN))).is_empty());
}

#[test]
fn our_own_readers_are_told_of_in_an_exposure_but_not_all_of_them() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), opened(Control::Sharing, "account 444455556666")));
    for number in 0..40 {
        let name = format!("employee-{number}");
        scene.read(read(10 + number, 60 + number, &bucket(), &name, Some(OWN)));
    }
    let told = scene.standing();
    let reads: Vec<_> = told.values().filter(|s| s.rule == "read.during_exposure").collect();
    assert_eq!(reads.len(), 8);
    assert!(reads.iter().all(|said| said.severity == 2));
    scene.change(event(2, 2 * HOUR, &bucket(), closed(Control::Sharing, "account 444455556666")));
    let told = scene.standing();
    let closed = told.values().find(|said| said.rule == "exposure.closed").unwrap();
    assert!(closed.description.contains("40 reads (400 rows, 40,000 bytes"), "{closed:?}");
}

#[test]
fn reads_that_come_after_the_end_was_told_correct_its_figures() {
    let mut scene = Scene::default();
    let sharing = Control::Sharing;
    scene.change(event(1, 0, &bucket(), opened(sharing, "account 444455556666")));
    scene.read(read(2, 100, &bucket(), "", None));
    scene.change(event(3, HOUR, &bucket(), closed(sharing, "account 444455556666")));
    scene.sum_up();
    let late = scene.read(read(4, HOUR - 60, &bucket(), "", None));
    assert!(late.is_empty(), "figures are summed up at the checkpoint: {late:#?}");
    let corrected = scene.sum_up();
    let closed = corrected.iter().find(|finding| finding.rule == RuleId::ExposureClosed).unwrap();
    assert_eq!(closed.step, Step::Update);
    assert!(closed.description.contains("2 reads (20 rows"), "{}", closed.description);
    assert!(scene.sum_up().is_empty());
}

#[test]
fn what_is_meant_for_everybody_is_no_finding() {
    let context = Context {
        datastores: vec![DatastoreContext { expected_public: true, ..entry("arn:aws:s3:::cust*") }],
        ..Context::default()
    };
    let mut scene = Scene::with(context);
    scene.change(event(1, 0, &bucket(), opened(Control::AccessPolicy, "principal *")));
    scene.read(read(2, 10, &bucket(), "", None));
    let other = datastore("other", DatastoreForm::Bucket);
    scene.read(read(4, 5 * HOUR, &other, "a", Some(OWN)));
    scene.change(event(5, 60, &bucket(), opened(Control::AccessPolicy, "group AllUsers")));
    assert!(scene.said.is_empty(), "{:#?}", scene.said);
    // What is silenced is still silenced.
    assert_eq!(
        scene.change(event(3, 20, &bucket(), opened(Control::AuditLogging, "log"))).len(),
        1
    );
}

#[test]
fn the_context_tells_what_can_be_reached_and_what_is_sensitive() {
    let context = Context {
        datastores: vec![DatastoreContext {
            reachable: Some(true),
            data_classes: vec![DataClass::Credentials],
            ..entry("cluster-1")
        }],
        ..Context::default()
    };
    let mut scene = Scene::with(context);
    scene.change(event(1, 0, &cluster(), opened(Control::Authentication, "anonymous")));
    assert_eq!(scene.story(), ["control.weakened", "exposure.opened"]);
}

#[test]
fn another_context_may_end_what_stood() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), opened(Control::Sharing, "account 444455556666")));
    assert_eq!(scene.story(), ["control.weakened", "exposure.opened"]);
    let context = Context {
        datastores: vec![DatastoreContext { expected_public: true, ..entry("arn:aws:s3:::*") }],
        ..Context::default()
    };
    let concluded = scene.keeper.adopt(std::sync::Arc::new(context));
    scene.hear(concluded);
    assert!(scene.standing().is_empty(), "{:#?}", scene.standing());
}

#[test]
fn the_end_of_a_datastore_ends_all_that_was_open() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), opened(Control::Sharing, "account 444455556666")));
    let mut gone = event(2, DAY, &bucket(), Vec::new());
    gone.is_destruction = true;
    scene.change(gone);
    assert!(scene.story().contains(&"control.weakened (destroyed)".to_owned()));
    assert!(scene.story().contains(&"exposure.opened (destroyed)".to_owned()));
}

#[test]
fn guards_are_weakened_and_never_exposed() {
    let group = datastore("sg-1", DatastoreForm::Guard);
    let mut scene = Scene::default();
    scene.change(event(1, 0, &group, opened(Control::NetworkExposure, "0.0.0.0/0 tcp 9200")));
    scene.change(event(2, 10, &group, opened(Control::AccessPolicy, "principal *")));
    assert_eq!(scene.story(), ["control.weakened", "control.weakened"]);
    assert!(scene.said.iter().all(|finding| finding.severity.id() <= 4));
}

/// The cost of an event must not grow with how often its setting was changed: a flood would stop the detector.
#[test]
fn a_flood_of_changes_of_one_setting_is_folded_and_concludes_the_same() {
    let mut scene = Scene::default();
    for number in 0..5_000 {
        let open = vec![change(Control::AccessPolicy, "principal *", Direction::Weakened, true)];
        scene.change(event(number, 0, &cluster(), open));
    }
    assert_eq!(scene.said.len(), 1, "one opening, said once and never withdrawn");
    let key = (Control::AccessPolicy, "setting".to_owned());
    assert_eq!(scene.keeper.open("cluster-1", &key).len(), 1);
}

fn block(direction: Direction) -> Vec<Change<'static>> {
    let mut block = change(Control::PublicAccessBlock, "RestrictPublicBuckets", direction, false);
    block.setting = "bucket_public_access_block".into();
    vec![block]
}

fn exposures_opened(scene: &Scene) -> usize {
    scene.standing().values().filter(|said| said.rule == "exposure.opened").count()
}

#[test]
fn a_block_that_goes_comes_and_goes_again_exposes_twice() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), block(Direction::Weakened)));
    scene.change(event(2, HOUR, &bucket(), opened(Control::AccessPolicy, "principal *")));
    scene.change(event(3, 2 * HOUR, &bucket(), block(Direction::Strengthened)));
    assert_eq!(exposures_opened(&scene), 1);
    scene.change(event(4, 3 * HOUR, &bucket(), block(Direction::Weakened)));
    assert_eq!(exposures_opened(&scene), 2, "{:#?}", scene.story());
}

#[test]
fn what_a_read_proved_ends_when_the_way_in_is_shut() {
    let mut scene = Scene::default();
    scene.change(event(1, 0, &bucket(), opened(Control::AccessPolicy, "principal *")));
    scene.read(read(2, 60, &bucket(), "", None));
    assert_eq!(exposures_opened(&scene), 1);
    scene.change(event(3, HOUR, &bucket(), block(Direction::Strengthened)));
    assert!(scene.story().contains(&"exposure.closed".to_owned()), "{:#?}", scene.story());
    // The policy is still open behind the block.
    let key = (Control::AccessPolicy, "setting".to_owned());
    assert_eq!(scene.keeper.open("arn:aws:s3:::customers", &key).len(), 1);
}

#[test]
fn a_source_that_has_stopped_holds_up_the_others_for_an_hour_only() {
    let mut scene = Scene::default();
    let mut once = read(1, 0, &bucket(), "a", Some(OWN));
    once.source = "ocsf".into();
    scene.read(once);
    for number in 0..2_000 {
        scene.read(read(
            10 + number,
            number * 60,
            &bucket(),
            &format!("r{}", number % 50),
            Some(OWN),
        ));
    }
    scene.sum_up();
    let bytes: usize = scene.keeper.save_all().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes < 40_000, "{bytes} bytes of totals are kept");
}

/// A script that changes a setting again and again must not erase what it did before.
#[test]
fn a_flood_of_openings_and_closings_withdraws_nothing() {
    let mut scene = Scene::default();
    for number in 0..600 {
        let changes = if number % 2 == 0 {
            opened(Control::Sharing, "account 444455556666")
        } else {
            closed(Control::Sharing, "account 444455556666")
        };
        scene.change(event(number, number, &bucket(), changes));
    }
    let superseded = scene.said.iter().filter(|finding| {
        finding.step == Step::Close(dataward_event::finding::CloseReason::Superseded)
    });
    assert_eq!(superseded.count(), 0);
    assert_eq!(exposures_opened(&scene), 300);
}

#[test]
fn a_late_whole_setting_and_a_late_deletion_close_what_was_open_before() {
    let sharing = || opened(Control::Sharing, "account 444455556666");
    let other = datastore("other", DatastoreForm::Bucket);
    for is_destruction in [false, true] {
        let mut scene = Scene::default();
        scene.change(event(1, 0, &bucket(), sharing()));
        scene.read(read(2, 2 * HOUR, &other, "a", Some(OWN)));
        let whole = vec![change(Control::Sharing, "", Direction::Strengthened, true)];
        let mut late = event(3, 60, &bucket(), if is_destruction { Vec::new() } else { whole });
        late.is_destruction = is_destruction;
        scene.change(late);
        let key = (Control::Sharing, "setting".to_owned());
        assert_eq!(scene.keeper.open("arn:aws:s3:::customers", &key).len(), 0, "{is_destruction}");
        scene.read(read(4, 2 * DAY, &other, "a", Some(OWN)));
        let later =
            scene.standing().values().filter(|said| said.title.contains("after 1 day")).count();
        assert_eq!(later, 0);
    }
}

#[test]
fn an_account_that_is_trusted_afterwards_was_no_outsider() {
    let mut scene = Scene::default();
    scene.read(read(1, 0, &bucket(), "partner", Some(FOREIGN)));
    scene.read(read(2, HOUR, &bucket(), "a", Some(OWN)));
    scene.sum_up();
    let trusted = Trusted { accounts: vec![FOREIGN.to_owned()], ..Trusted::default() };
    let context = Context { trusted, ..Context::default() };
    let concluded = scene.keeper.adopt(std::sync::Arc::new(context));
    scene.hear(concluded);
    let opened =
        scene.standing().values().filter(|said| said.rule != "read.during_exposure").count();
    assert_eq!(opened, 0, "{:#?}", scene.standing());
    assert!(scene.read(read(3, 2 * HOUR, &bucket(), "partner", Some(FOREIGN))).is_empty());
    // Nor is what is shared with it an exposure.
    let shared = scene.change(event(4, 3 * HOUR, &bucket(), opened_for_partner()));
    assert!(shared.iter().all(|finding| finding.rule == RuleId::ControlWeakened), "{shared:#?}");
}

fn opened_for_partner() -> Vec<Change<'static>> {
    opened(Control::Sharing, &format!("account {FOREIGN}"))
}

#[test]
fn a_datastore_that_the_context_calls_unreachable_is_exposed_no_longer_from_then_on() {
    let reachable = |yes| Context {
        datastores: vec![DatastoreContext { reachable: Some(yes), ..entry("cluster-1") }],
        ..Context::default()
    };
    let mut scene = Scene::with(reachable(true));
    scene.change(event(1, 0, &cluster(), opened(Control::Authentication, "anonymous")));
    let other = datastore("other", DatastoreForm::Bucket);
    scene.read(read(2, 5 * HOUR, &other, "a", Some(OWN)));
    let concluded = scene.keeper.adopt(std::sync::Arc::new(reachable(false)));
    scene.hear(concluded);
    let standing = scene.standing();
    let closed = standing.values().find(|said| said.rule == "exposure.closed").unwrap();
    assert_eq!(closed.time, at(5 * HOUR));
    assert!(closed.description.contains("the context file"), "{}", closed.description);
}

#[test]
fn a_setting_that_is_sent_again_does_not_end_what_a_read_made_known() {
    let mut scene = Scene::default();
    let private = || vec![change(Control::AccessPolicy, "", Direction::Strengthened, true)];
    scene.change(event(1, 0, &cluster(), private()));
    scene.read(read(2, 60, &cluster(), "", None));
    scene.change(event(3, HOUR, &cluster(), private()));
    assert!(!scene.story().contains(&"exposure.closed".to_owned()), "{:#?}", scene.story());
    scene.change(event(4, 2 * HOUR, &cluster(), closed(Control::Authentication, "xpack")));
    assert!(scene.story().contains(&"exposure.closed".to_owned()), "{:#?}", scene.story());
}

#[test]
fn one_of_our_own_from_an_unexpected_network_is_told_of_although_it_read_before() {
    let networks = vec!["198.51.100.0/24".to_owned().try_into().unwrap()];
    let trusted = Trusted { networks, ..Trusted::default() };
    let mut scene = Scene::with(Context { trusted, ..Context::default() });
    scene.change(event(1, 0, &bucket(), opened(Control::Sharing, "account 444455556666")));
    let mut at_home = read(2, 60, &bucket(), "a", Some(OWN));
    at_home.total.first.ip = Some("198.51.100.7".into());
    at_home.total.last.ip = Some("198.51.100.7".into());
    at_home.reader.as_mut().unwrap().network = "198.51.100.0/24".into();
    scene.read(at_home);
    let elsewhere = scene.read(read(3, 120, &bucket(), "a", Some(OWN)));
    assert_eq!(elsewhere.len(), 1);
    assert_eq!(elsewhere[0].severity.id(), 4);
}
