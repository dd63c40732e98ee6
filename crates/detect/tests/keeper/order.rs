//! I4: what the keeper concludes depends on the set of events, not on their order, batching or restarts.

use std::collections::BTreeMap;

use dataward_detect::keeper::Keeper;
use dataward_detect::place::Place;
use dataward_event::audit_event::{Actor, Datastore, DatastoreForm, Outcome};
use dataward_event::change::{COPY_FROM, Change, Control, Direction, copy_place};
use dataward_event::exposure::Exposure;
use dataward_event::finding::{CloseReason, Severity};
use dataward_event::time::EventTime;
use proptest::prelude::*;

use crate::scene::{FOREIGN, Happening, OWN, Said, Scene, change, datastore, event, read, write};

const CONTROLS: [(Control, &str); 6] = [
    (Control::AccessPolicy, "principal *"),
    (Control::AuditLogging, "trail"),
    (Control::NetworkExposure, "0.0.0.0/0 tcp 9200"),
    (Control::Authentication, "anonymous"),
    (Control::Sharing, "account 444455556666"),
    (Control::PublicAccessBlock, "RestrictPublicBuckets"),
];

fn datastores() -> [Datastore<'static>; 3] {
    [
        datastore("bucket", DatastoreForm::Bucket),
        datastore("cluster", DatastoreForm::Database),
        datastore("group", DatastoreForm::Guard),
    ]
}

fn one_change() -> impl Strategy<Value = Draft> {
    let directions = prop_oneof![
        3 => Just(Direction::Weakened),
        2 => Just(Direction::Strengthened),
        1 => Just(Direction::Unknown),
    ];
    let failed = prop::bool::weighted(0.1);
    (0..3_usize, 0..CONTROLS.len(), directions, prop::bool::weighted(0.2), failed)
}

/// That an event tells of a copy from another datastore.
fn copy(from: &Datastore<'static>, number: i64) -> Change<'static> {
    let account = if number % 2 == 0 { FOREIGN } else { OWN };
    Change {
        setting: COPY_FROM.into(),
        opened: from.uid.clone(),
        before: Some(copy_place(None, Some(account), None).into()),
        ..change(Control::Sharing, "", Direction::Neutral, false)
    }
}

/// Within an hour, or a day or a week later: timers are passed on the way.
fn second() -> impl Strategy<Value = i64> {
    let day = prop_oneof![6 => Just(0), 2 => Just(86_400), 1 => Just(7 * 86_400)];
    (0_i64..4_000, day).prop_map(|(second, day)| second + day)
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let changes =
        (second(), one_change()).prop_map(|(second, change)| (second, Some(change), 0, 0));
    let reads =
        (second(), 0..2_usize, 0..4_usize).prop_map(|(second, of, who)| (second, None, of, who));
    prop::collection::vec(prop_oneof![3 => changes, 2 => reads], 1..30).prop_map(|drafts| {
        let drafts = drafts.into_iter().enumerate();
        drafts
            .map(|(number, (second, draft, of, who))| {
                happening(number as i64, second, draft, of, who)
            })
            .collect()
    })
}

type Draft = (usize, usize, Direction, bool, bool);

/// A change as drafted, or a read or write of a datastore by somebody.
fn happening(number: i64, second: i64, draft: Option<Draft>, of: usize, who: usize) -> Happening {
    let Some((of, control, direction, whole, failed)) = draft else {
        let (name, account) =
            [("", None), ("partner", Some(FOREIGN)), ("a", Some(OWN)), ("b", Some(OWN))][who];
        let moved = if number % 4 == 3 { write } else { read };
        let mut moved = moved(number, second, &datastores()[of], name, account);
        if number % 2 == 1 {
            // Enough to look like a copy.
            moved.total.figures.rows.at_least = 60_000;
        }
        return Happening::Read(moved);
    };
    let (control, opened) = CONTROLS[control];
    let opened = if whole && direction == Direction::Strengthened { "" } else { opened };
    let changes = vec![change(control, opened, direction, whole)];
    let mut event = event(number, second, &datastores()[of], changes);
    event.place = Place::parse(&copy_place(Some("AWS"), Some(OWN), None));
    event.is_creation = number % 5 == 1 && !failed;
    if number % 7 == 2 {
        event.changes = vec![copy(&datastores()[1 - of.min(1)], number)];
    }
    if of == 2 && event.changes[0].control == Control::PublicAccessBlock {
        event.changes[0].catalogue_row = "aws.s3.public_access_block.account".into();
    }
    if of == 2 && event.changes[0].control == Control::AuditLogging {
        event.changes[0].catalogue_row = "aws.cloudtrail.logging.stopped".into();
    }
    if failed {
        event.outcome = Outcome::Failure;
    }
    // Some acts are told in several records: one names who did it, another says that it failed.
    if number % 3 == 0 {
        event.correlation_uid = Some(format!("act-{}", second / 700));
        match direction {
            Direction::Unknown => event.changes.clear(),
            _ if number % 2 == 0 => event.actor = Actor::default(),
            _ => {}
        }
    }
    Happening::Change(event)
}

/// In the order of time, each delayed by less than the lateness bound: an arrival that may happen.
fn arrive(mut happenings: Vec<Happening>, delays: &[i64]) -> Vec<Happening> {
    let delay = |happening: &Happening| {
        let number: usize = happening.uid()[6..].parse().expect("a number");
        delays[number % delays.len()]
    };
    happenings.sort_by_key(|happening| {
        (happening.time().plus_micros(delay(happening) * 1_000_000), happening.uid().to_owned())
    });
    happenings
}

/// What stands, what is said of each window, and the bytes of the state.
#[derive(Debug, PartialEq)]
struct Ending {
    standing: BTreeMap<String, Said>,
    windows: BTreeMap<String, Exposure>,
    state: Vec<(u32, Vec<u8>)>,
    text: String,
}

fn ending(mut scene: Scene) -> Ending {
    scene.sum_up();
    let windows = scene.windows.iter();
    let windows = windows
        .filter(|(_, (_, window))| window.close_reason != Some(CloseReason::Superseded))
        .map(|(uid, (_, window))| {
            let mut window = window.clone();
            if window.closed_by.is_none() {
                // While it is open its figures and its age are those of the moment.
                window.severity = Severity::LOW;
                window.figures = Default::default();
                window.outside_figures = Default::default();
                window.readers.clear();
            }
            (uid.clone(), window)
        })
        .collect();
    let state = scene.keeper.save_all();
    let text = format!("{:?}", scene.keeper);
    Ending { standing: scene.standing(), windows, state, text }
}

impl Ending {
    /// What differs, in short.
    fn same_as(&self, other: &Self) -> Result<(), TestCaseError> {
        fn first<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
            one: &BTreeMap<K, V>,
            other: &BTreeMap<K, V>,
        ) -> Option<String> {
            let keys = one.keys().chain(other.keys());
            let mut different = keys.filter(|key| one.get(key) != other.get(key));
            let key = different.next()?;
            Some(format!("{:?}\nand not\n{:?}", one.get(key), other.get(key)))
        }
        let differs = first(&self.standing, &other.standing)
            .or_else(|| first(&self.windows, &other.windows))
            .or_else(|| {
                (self.state != other.state).then(|| {
                    let place = self.text.bytes().zip(other.text.bytes()).position(|(a, b)| a != b);
                    let place = place.unwrap_or_default().saturating_sub(300);
                    let part =
                        |text: &str| text.get(place..place + 700).unwrap_or_default().to_owned();
                    format!(
                        "the states differ:\n{}\nand not\n{}",
                        part(&self.text),
                        part(&other.text)
                    )
                })
            });
        differs.map_or(Ok(()), |text| Err(TestCaseError::fail(text)))
    }
}

/// `cuts`: restarts from saved state. `checkpoints`: figures are summed up.
fn play(happenings: &[Happening], cuts: &[usize], checkpoints: &[usize]) -> Ending {
    let mut scene = Scene::default();
    for (place, happening) in happenings.iter().enumerate() {
        if checkpoints.contains(&place) || cuts.contains(&place) {
            scene.sum_up();
        }
        if cuts.contains(&place) {
            let saved = scene.keeper.save_all();
            let number = scene.keeper.next_number();
            let segments = saved.iter().map(|(index, bytes)| (*index, bytes.as_slice()));
            scene.keeper =
                Keeper::load(dataward_detect::state::FORMAT, segments).expect("saved by us");
            scene.keeper.set_next_number(number);
        }
        scene.happen(happening.clone());
    }
    ending(scene)
}

fn play_in_batches(happenings: &[Happening], size: usize) -> Ending {
    let mut scene = Scene::default();
    for batch in happenings.chunks(size) {
        let (mut changes, mut reads) = (Vec::new(), Vec::new());
        for happening in batch.iter().cloned() {
            match happening {
                Happening::Change(event) => changes.push(event),
                Happening::Read(read) => reads.push(read),
            }
        }
        let concluded = scene.keeper.observe_all(changes, reads);
        scene.hear(concluded);
    }
    ending(scene)
}

fn delays() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(0_i64..830, 1..20)
}

fn places() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0_usize..30, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_arrival_within_the_bound_gives_the_same_findings_and_state(
        happenings in happenings(),
        delays in delays(),
        checkpoints in places(),
    ) {
        let in_order = play(&arrive(happenings.clone(), &[0]), &[], &[]);
        let shuffled = play(&arrive(happenings, &delays), &[], &checkpoints);
        in_order.same_as(&shuffled)?;
    }

    #[test]
    fn a_restart_anywhere_changes_nothing(
        happenings in happenings(),
        delays in delays(),
        cuts in places(),
    ) {
        let happenings = arrive(happenings, &delays);
        play(&happenings, &[], &[]).same_as(&play(&happenings, &cuts, &[]))?;
    }

    #[test]
    fn batches_of_any_size_give_the_same(
        happenings in happenings(),
        delays in delays(),
        size in 1_usize..30,
    ) {
        let happenings = arrive(happenings, &delays);
        play(&happenings, &[], &[]).same_as(&play_in_batches(&happenings, size))?;
    }

    #[test]
    fn a_change_that_comes_again_changes_nothing(happenings in happenings()) {
        let once = arrive(happenings, &[0]);
        let changes = |happening: &Happening| match happening {
            Happening::Change(_) => vec![happening.clone(), happening.clone()],
            Happening::Read(_) => vec![happening.clone()],
        };
        let twice: Vec<Happening> = once.iter().flat_map(changes).collect();
        play(&once, &[], &[]).same_as(&play(&twice, &[], &[]))?;
    }

    #[test]
    fn a_replay_of_everything_at_once_is_the_same_as_living_through_it(
        happenings in happenings(),
        delays in delays(),
    ) {
        let lived = play(&arrive(happenings.clone(), &delays), &[], &[]);
        let replayed = play_in_batches(&happenings, happenings.len());
        lived.same_as(&replayed)?;
    }
}

#[test]
fn time_only_moves_forward() {
    let mut scene = Scene::default();
    let bucket = datastore("bucket", DatastoreForm::Bucket);
    scene.read(read(1, 5_000, &bucket, "a", Some(OWN)));
    scene.read(read(2, 1_000, &bucket, "a", Some(OWN)));
    assert_eq!(scene.keeper.newest(), Some(EventTime::from_micros(5_000_000_000)));
}
