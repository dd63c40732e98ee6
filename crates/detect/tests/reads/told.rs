//! Who is told of, who is not, and that nothing depends on how the events come.

use std::collections::BTreeMap;

use dataward_detect::context::{Context, DatastoreContext};
use dataward_detect::partition_state::PartitionState;
use dataward_detect::reads::bulk_reads::{BulkReads, Caps, SEGMENTS};
use dataward_event::audit_event::Sensitivity;
use dataward_event::finding::{RuleId, Severity, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::volume::{ByteCount, ObjectCount, RowCount, Volume};
use fastrand::Rng;
use proptest::prelude::*;

use crate::scene::{
    DAY, HOUR, MINUTE, Read, SECOND, Shown, event, known, normal, object, read, rows,
};

#[test]
fn a_dump_after_three_weeks_is_told_within_its_first_percents() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..21, 2_000.0);
    assert_eq!(shown.findings, []);
    let (dump, page) = (5_000_000, 5_000);
    let start = 21 * DAY + 14 * HOUR;
    let told_after = (0..dump / page)
        .find(|number| {
            let time = start + number * SECOND;
            shown.show(&read("ada", "orders", time, rows(page as u64))) > 0
        })
        .expect("the dump is found");
    println!("told after {} of {dump} rows", (told_after + 1) * page);
    assert!(told_after * page <= dump / 50, "told after {told_after} pages");

    let finding = &shown.findings[0];
    println!("{}\n{}", finding.title, finding.description);
    assert_eq!((finding.rule, finding.step), (RuleId::ReadBulk, Step::Create));
    assert_eq!(finding.severity, Severity::HIGH);
    assert_eq!(finding.attacks, ["T1213.006"]);
    assert_eq!(finding.evidences[0].event_uid, finding.cause_uid);
    let anomaly = &finding.anomalies[0];
    assert_eq!((anomaly.metric.as_str(), anomaly.days), ("rows", 21));
    assert!(anomaly.observed > anomaly.upper && anomaly.upper > anomaly.expected, "{anomaly:?}");
    let rating = finding.rating.as_ref().unwrap();
    assert!(rating.channel == "acute" && rating.millinats >= 6_500, "{rating:?}");

    // The rest of it is told a handful of times, under the same uid.
    for number in told_after + 1..dump / page {
        shown.show(&read("ada", "orders", start + number * SECOND, rows(page as u64)));
    }
    let updates = &shown.findings[1..];
    println!("{} updates; the last: {}", updates.len(), updates.last().unwrap().description);
    assert!((1..=5).contains(&updates.len()), "{}", updates.len());
    assert!(updates.iter().all(|f| f.step == Step::Update && f.uid == shown.findings[0].uid));
}

#[test]
fn a_dump_does_not_teach_and_the_next_one_belongs_to_it() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..21, 2_000.0);
    shown.show(&read("ada", "orders", 21 * DAY + HOUR, rows(50_000)));
    shown.show(&read("ada", "orders", 22 * DAY + HOUR, rows(5_000_000)));
    let said: Vec<(&str, Step)> =
        shown.findings.iter().map(|finding| (finding.uid.as_str(), finding.step)).collect();
    let uid = said[0].0;
    assert_eq!(said, [(uid, Step::Create), (uid, Step::Update)]);
    // Weeks later it is over, and another one is another finding.
    shown.days("ada", "orders", 23..55, 2_000.0);
    shown.findings.clear();
    shown.show(&read("ada", "orders", 55 * DAY + HOUR, rows(5_000_000)));
    assert_eq!(shown.findings.len(), 1);
    assert_eq!(shown.findings[0].step, Step::Create);
}

#[test]
fn a_role_that_reads_many_datastores_it_never_read_is_told_of() {
    let mut shown = Shown::default();
    let mut rng = Rng::with_seed(3);
    for day in 0..14 {
        for number in 0..60 {
            let time = day * DAY + number * 20 * MINUTE;
            let bytes = 200_000.0 * (0.6 * normal(&mut rng)).exp();
            shown.show(&read("role/web", "assets", time, object(bytes as u64)));
        }
    }
    assert_eq!(shown.findings, []);
    let mut told_after = None;
    for bucket in 0..200 {
        for number in 0..20 {
            let time = 14 * DAY + HOUR + bucket * 30 * SECOND + number * SECOND;
            let told =
                shown.show(&read("role/web", &format!("bucket-{bucket}"), time, object(500_000)));
            if told > 0 {
                told_after.get_or_insert(bucket);
            }
        }
    }
    let told_after = told_after.expect("the sync is found");
    println!("told in bucket {told_after} of 200: {}", shown.findings[0].description);
    assert!(told_after <= 20, "{told_after}");
    let last = shown.findings.last().unwrap();
    println!("{}", last.description);
    assert!(last.description.contains("that role/web never read"), "{}", last.description);
    let uids: std::collections::BTreeSet<&str> =
        shown.findings.iter().map(|finding| finding.uid.as_str()).collect();
    assert!(uids.len() == 1 && shown.findings.len() <= 16, "{}", shown.findings.len());
}

#[test]
fn one_datastore_of_a_busy_actor_is_judged_by_itself() {
    let mut shown = Shown::default();
    for day in 0..14 {
        shown.days("etl", "warehouse", day..day + 1, 5_000_000.0);
        shown.show(&read("etl", "payroll", day * DAY + 20 * HOUR, rows(300)));
    }
    assert_eq!(shown.findings, []);
    shown.show(&read("etl", "payroll", 14 * DAY + HOUR, rows(200_000)));
    assert_eq!(shown.findings.len(), 1);
    println!("{}", shown.findings[0].description);
    assert_eq!(shown.findings[0].anomalies[0].metric, "rows");
    assert_eq!(shown.findings[0].anomalies[0].days, 14);
}

#[test]
fn what_is_meant_for_everybody_may_be_read_whole() {
    let mut shown = Shown::default();
    shown.context.datastores =
        vec![DatastoreContext { expected_public: true, ..known("site", 2_000) }];
    shown.show(&read("anonymous", "site", 0, rows(2_000)));
    assert_eq!(shown.findings, []);
}

#[test]
fn twice_as_much_at_the_end_of_a_month_is_ordinary() {
    let mut shown = Shown::default();
    shown.days("billing", "orders", 0..29, 50_000.0);
    shown.days("billing", "orders", 29..31, 100_000.0);
    assert_eq!(shown.findings, []);
}

#[test]
fn an_analyst_of_heavy_tails_stays_quiet() {
    let mut alerts = 0;
    for seed in 0..20 {
        let (mut shown, mut rng) = (Shown::default(), Rng::with_seed(seed));
        for day in 0..60 {
            for number in 0..rng.i64(1..20) {
                let count = 300.0 * (1.6 * normal(&mut rng)).exp();
                let time = day * DAY + 8 * HOUR + number * 25 * MINUTE;
                shown.show(&read("kim", "warehouse", time, rows(count as u64)));
            }
        }
        alerts += shown.findings.len();
    }
    println!("{alerts} alerts in 20 × 53 days of analysts");
    assert!(alerts <= 2, "{alerts}");
}

#[test]
fn nothing_is_unusual_in_the_first_week_but_half_a_datastore_is_told_at_once() {
    let mut shown = Shown { context: Context::default(), ..Shown::default() };
    shown.context.datastores = vec![known("customers", 40_000)];
    shown.days("new", "orders", 0..5, 2_000.0);
    shown.show(&read("new", "orders", 5 * DAY, rows(50_000_000)));
    assert_eq!(shown.findings, []);
    for number in 0..40 {
        shown.show(&read("new", "customers", 5 * DAY + HOUR + number * MINUTE, rows(1_000)));
    }
    assert_eq!(shown.findings.len(), 1, "{:#?}", shown.findings);
    let finding = &shown.findings[0];
    println!("{}", finding.description);
    assert!(finding.description.contains("21,000 rows") && finding.description.contains("40,000"));
    assert_eq!(finding.evidences[0].time.micros(), 5 * DAY + HOUR + 20 * MINUTE);
}

#[test]
fn most_of_the_objects_is_told_of_whoever_reads_a_few_of_them_every_day() {
    let mut shown = Shown::default();
    let objects = Some(300);
    shown.context.datastores = vec![DatastoreContext { rows: None, objects, ..known("photos", 0) }];
    for day in 0..5 {
        for number in 0..8 {
            let time = day * DAY + 8 * HOUR + number * MINUTE;
            shown.show(&read("ada", "photos", time, object(60_000)));
        }
    }
    assert_eq!(shown.findings, []);
    for number in 0..300 {
        let time = 5 * DAY + 9 * HOUR + number * SECOND;
        shown.show(&read("ada", "photos", time, object(20 << 20)));
    }
    let [finding] = &shown.findings[..] else { panic!("{:#?}", shown.findings) };
    assert!(finding.description.contains("151 objects"), "{}", finding.description);
}

#[test]
fn who_was_away_for_weeks_is_told_of_anew() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..21, 2_000.0);
    shown.show(&read("ada", "orders", 21 * DAY + HOUR, rows(5_000_000)));
    shown.days("bob", "orders", 22..70, 2_000.0);
    shown.findings.clear();
    shown.show(&read("ada", "orders", 70 * DAY + 9 * HOUR, rows(5_000_000)));
    assert_eq!(shown.findings.iter().map(|found| found.step).collect::<Vec<_>>(), [Step::Create]);
}

#[test]
fn a_nightly_copy_is_told_three_times_and_known_then() {
    let mut shown = Shown::default();
    shown.context.datastores = vec![known("customers", 40_000)];
    for day in 0..12 {
        for number in 0..40 {
            shown.show(&read("backup", "customers", day * DAY + number * SECOND, rows(1_000)));
        }
    }
    assert_eq!(shown.findings.len(), 3);
}

#[test]
fn tiny_volumes_never_alert() {
    let mut shown = Shown::default();
    for day in 0..21 {
        shown.show(&read("ada", "orders", day * DAY, rows(1)));
    }
    shown.show(&read("ada", "orders", 21 * DAY, rows(999)));
    assert_eq!(shown.findings, []);
    shown.show(&read("ada", "orders", 21 * DAY, rows(100_000)));
    assert_eq!(shown.findings.len(), 1);
}

#[test]
fn sensitivity_weighs_and_shows_in_the_severity() {
    let told = |sensitivity: Sensitivity| {
        let mut shown = Shown::default();
        shown.days("ada", "orders", 0..21, 2_000.0);
        let told = (1..100).find(|number| {
            let mut dump = read("ada", "orders", 21 * DAY + number * SECOND, rows(2_000));
            dump.sensitivity = Some(sensitivity);
            shown.show(&dump) > 0
        });
        (told.unwrap(), shown.findings[0].severity)
    };
    let all = Sensitivity::ALL.map(told);
    assert!(all.windows(2).all(|two| two[0].0 >= two[1].0), "{all:?}");
    assert_eq!(all.map(|(_, severity)| severity.id()), [3, 3, 4, 5]);
}

#[test]
fn a_read_of_a_day_that_is_over_is_counted_and_teaches_nothing() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..10, 2_000.0);
    let before = shown.state.save_all();
    shown.show(&read("ada", "orders", 3 * DAY, rows(9_000_000)));
    assert_eq!(shown.findings, []);
    let changed = shown.state.save_all().iter().zip(&before).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 2, "the segment of the stream, and the count in the actor's");
    assert_eq!(shown.state.read_counts().late, 1);
}

#[test]
fn many_names_push_out_nobody_who_is_known_and_memory_ends() {
    let caps = Caps { actors: 6_400, pairs: 9_600, pairs_of_actor: 64, stores: 640 };
    let mut state = BulkReads::with_caps(caps);
    let context = Context::default();
    let mut number = 0;
    let mut show = |state: &mut BulkReads, actor: &str, store: &str, time: i64, count: u64| {
        number += 1;
        let partition = Partition::new("audit", 0);
        let position = Position { partition, offset: Offset(number), record_index: 0 };
        let read = read(actor, store, time, rows(count));
        state.observe(&event(&read, number), &position, &context).len()
    };
    for day in 0..16 {
        show(&mut state, "ada", "orders", day * DAY + HOUR, 2_000);
    }
    for name in 0..60_000 {
        let time = 16 * DAY + name * MINUTE / 100;
        show(
            &mut state,
            &format!("actor-{name}"),
            &format!("datastore-{}", name % 3_000),
            time,
            10,
        );
        if name % 60 == 0 {
            show(&mut state, "ada", &format!("mine-{}", name % 50), time, 10);
        }
    }
    let bytes: usize = (0..SEGMENTS).map(|index| state.segment_bytes(index).len()).sum();
    println!("{bytes} bytes of state, {} keys forgotten", state.counts().forgotten);
    assert!(bytes < 6_400 * 500, "{bytes}");
    assert!(state.counts().forgotten > 50_000);
    let told = show(&mut state, "ada", "orders", 16 * DAY + 20 * HOUR, 50_000_000);
    assert!(told >= 1, "what was learned of ada is still there");
}

/// A world without attacks: services, people, batch jobs and analysts over twelve datastores, for three weeks.
fn false_alerts(seed: u64) -> (usize, usize) {
    const ACTORS: usize = 300;
    const DATASTORES: usize = 12;
    let mut rng = Rng::with_seed(seed);
    let (mut shown, mut reads) = (Shown::default(), Vec::new());
    let mut judged_days = 0;
    for actor in 0..ACTORS {
        let name = format!("actor-{actor}");
        // Reads a day, spread of a day, spread of a read, days of a week, hours a day.
        let (count, of_day, of_read, days, hours) = match actor % 10 {
            0..4 => (60, 0.3, 0.8, 7, 24),
            4..7 => (25, 0.7, 1.0, 5, 9),
            7..9 => (8, 0.4, 0.5, 7, 1),
            _ => (10, 0.9, 1.6, 5, 8),
        };
        let level = 6.0 + 1.5 * normal(&mut rng);
        let first = rng.i64(0..15);
        let own = 1 + rng.usize(0..DATASTORES);
        let mut active_days = 0;
        for day in 0..21 {
            if day % 7 >= days || rng.f64() < 0.05 {
                continue;
            }
            judged_days += usize::from(active_days >= 7);
            active_days += 1;
            let today = level + of_day * normal(&mut rng);
            // The month ends for all; for a tenth a release has doubled the traffic a week before.
            let grown = i32::from(day == 20) + i32::from(actor % 10 == 3 && day >= 13);
            let today = today + f64::from(grown) * 2.0_f64.ln();
            for _ in 0..rng.i64(count / 2..count * 2) {
                let size = (today + of_read * normal(&mut rng)).exp();
                let time = day * DAY + first * HOUR + rng.i64(0..hours * HOUR);
                // The own datastores, the first ones more often.
                let datastore = rng.usize(0..own).min(rng.usize(0..own));
                let volume = match datastore % 3 {
                    0 => rows(size as u64),
                    1 => object((size * 4_096.0) as u64),
                    _ => Volume {
                        rows: Some(RowCount(size as u64)),
                        ..object((size * 300.0) as u64)
                    },
                };
                let datastore = format!("datastore-{}", (actor + datastore) % DATASTORES);
                reads.push(read(&name, &datastore, time, volume));
            }
        }
    }
    reads.sort_by_key(|read| read.time);
    for read in &reads {
        shown.show(read);
    }
    for finding in shown.findings.iter().filter(|finding| finding.step == Step::Create) {
        println!("{seed}: {}", finding.description);
    }
    let creations = shown.findings.iter().filter(|finding| finding.step == Step::Create).count();
    (creations, judged_days)
}

#[test]
fn a_world_without_attacks_gives_few_alerts() {
    let (mut alerts, mut days) = (0, 0);
    for seed in 0..3 {
        let (of_seed, judged) = false_alerts(seed);
        println!("seed {seed}: {of_seed} alerts in {judged} judged actor-days");
        assert!(of_seed <= 5, "seed {seed}: {of_seed}");
        alerts += of_seed;
        days += judged;
    }
    println!("{:.2} alerts per 1,000 judged actor-days", alerts as f64 * 1000.0 / days as f64);
    assert!(alerts * 1000 <= days * 2);
}

/// Disordered reads of few actors, with jumps over days.
fn some_reads() -> impl Strategy<Value = Vec<Read>> {
    let one = (0..3_u8, 0..3_u8, -20 * MINUTE..4 * HOUR, 0..12_u32, any::<(bool, bool, bool)>());
    prop::collection::vec(one, 1..250).prop_map(|steps| {
        let mut now = 0;
        let step = |step: (u8, u8, i64, u32, (bool, bool, bool))| {
            let (actor, datastore, step, size, (has_rows, has_bytes, has_objects)) = step;
            now = i64::max(0, now + step);
            let count = 3_u64.pow(size);
            let volume = Volume {
                rows: has_rows.then_some(RowCount(count)),
                bytes: has_bytes.then_some(ByteCount(count * 500)),
                objects: has_objects.then_some(ObjectCount(count / 9)),
            };
            let actor = ["ada", "kim", "anonymous"][usize::from(actor)];
            read(actor, &format!("datastore-{datastore}"), now, volume)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_anywhere_changes_neither_findings_nor_bytes(
        reads in some_reads(),
        cuts in prop::collection::btree_set(0_usize..250, 0..12),
    ) {
        let context = Context { datastores: vec![known("datastore-1", 30_000)], ..Context::default() };
        let mut whole = Shown { context: context.clone(), ..Shown::default() };
        let mut cut = Shown { context, ..Shown::default() };
        let mut saved: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for (number, read) in reads.iter().enumerate() {
            whole.show(read);
            if cuts.contains(&number) {
                saved.extend(cut.state.save_dirty());
                let segments = saved.iter().map(|(index, bytes)| (*index, bytes.as_slice()));
                cut.state = PartitionState::load(dataward_detect::state::FORMAT, segments).unwrap();
            }
            cut.show(read);
        }
        prop_assert_eq!(&whole.findings, &cut.findings);
        prop_assert_eq!(whole.state.save_all(), cut.state.save_all());
    }
}

#[test]
fn a_snapshot_of_the_first_format_is_taken_over() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..2, 2_000.0);
    let all = shown.state.save_all();
    // The first format had this segment alone.
    let first = all.iter().take(1).map(|(index, bytes)| (*index, bytes.as_slice()));
    let mut migrated = PartitionState::load(dataward_detect::state::FORMAT, first).unwrap();
    assert_eq!(migrated.save_all()[0], all[0]);
    let saved: Vec<u32> = migrated.save_dirty().iter().map(|(index, _)| *index).collect();
    assert_eq!(saved, (1..66).collect::<Vec<u32>>(), "what is missing is saved next");
}
