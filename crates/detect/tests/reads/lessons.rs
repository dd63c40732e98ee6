//! What was learned before the first record, and what comes too late to be learned.

use dataward_detect::context::Context;
use dataward_detect::partition_state::PartitionState;
use dataward_event::finding::{Finding, RuleId};

use crate::scene::{DAY, HOUR, Shown, export, read, rows};

/// Three weeks of two people, as lessons.
fn lessons() -> PartitionState {
    let mut shown = Shown::default();
    for day in 0..21 {
        shown.days("ada", "orders", day..day + 1, 2_000.0);
        shown.days("bob", "orders", day..day + 1, 3_000.0);
    }
    shown.show(&read("ada", "orders", 21 * DAY + HOUR, rows(5_000_000)));
    assert_eq!(shown.findings.len(), 1);
    let mut lessons = shown.state;
    lessons.end_lessons(&Context::default());
    lessons
}

#[test]
fn who_begins_with_lessons_is_told_of_at_once_and_not_of_the_past() {
    let mut shown = Shown::default();
    assert!(shown.state.knows_no_reads());
    let lessons = lessons();
    shown.state.begin_with(lessons);
    assert!(!shown.state.knows_no_reads());
    // However long ago the lessons were, the first event is believed.
    let later = 80 * DAY;
    shown.show(&read("ada", "orders", later + 8 * HOUR, rows(200)));
    assert_eq!((shown.findings.as_slice(), shown.state.read_counts().ahead), (&[][..], 0));
    shown.show(&read("bob", "orders", later + 9 * HOUR, rows(900_000)));
    let [finding] = &shown.findings[..] else { panic!("{:#?}", shown.findings) };
    assert_eq!(finding.rule, RuleId::ReadBulk);
    assert_eq!(finding.anomalies[0].days, 21);
}

#[test]
fn who_is_known_from_lessons_and_never_comes_is_forgotten() {
    let mut shown = Shown::default();
    shown.state.begin_with(lessons());
    let actors = |shown: &Shown| shown.state.read_sizes().actors;
    shown.days("ada", "orders", 25..80, 2_000.0);
    assert_eq!(actors(&shown), 2, "bob may still come");
    shown.days("ada", "orders", 80..90, 2_000.0);
    assert_eq!(actors(&shown), 1, "bob belongs to another partition");
    let segments = shown.state.save_all();
    let segments = segments.iter().map(|(index, bytes)| (*index, bytes.as_slice()));
    let loaded = PartitionState::load(dataward_detect::state::FORMAT, segments).unwrap();
    assert_eq!(loaded.read_sizes(), shown.state.read_sizes());
}

#[test]
fn one_late_record_at_the_start_forgets_nobody() {
    let mut shown = Shown::default();
    shown.state.begin_with(lessons());
    shown.show(&read("ada", "orders", -100 * DAY, rows(10)));
    shown.days("ada", "orders", 25..27, 2_000.0);
    assert_eq!((shown.state.read_sizes().actors, shown.state.read_counts().late), (2, 1));
}

#[test]
fn lessons_that_end_in_the_middle_of_a_day_silence_nothing_of_it() {
    let mut shown = Shown::default();
    // The lessons have seen a dump on the morning of their last day, of which nobody was told.
    shown.state.begin_with(lessons());
    shown.show(&read("ada", "orders", 21 * DAY + 12 * HOUR, rows(4_000_000)));
    let [finding] = &shown.findings[..] else { panic!("{:#?}", shown.findings) };
    assert_eq!(finding.rule, RuleId::ReadBulk);
}

#[test]
fn an_export_that_comes_days_late_is_told_of_all_the_same() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..10, 2_000.0);
    shown.show(&export("ada", "orders", 3 * DAY));
    assert_eq!(
        shown.findings.iter().map(|found| found.rule).collect::<Vec<_>>(),
        [RuleId::ReadExport]
    );
    assert_eq!(shown.state.read_counts().late, 1);
}

#[test]
fn who_exports_now_and_then_and_copies_many_datastores_in_one_go_is_told_of() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..10, 2_000.0);
    shown.show(&export("ada", "orders", 10 * DAY));
    shown.days("ada", "orders", 11..15, 2_000.0);
    shown.findings.clear();
    let told = |shown: &mut Shown, day: i64, stores: &[&str]| -> usize {
        for (store, hour) in stores.iter().zip(8..) {
            shown.show(&export("ada", store, day * DAY + hour * HOUR));
        }
        let told = std::mem::take(&mut shown.findings);
        let is_policy = |finding: &&Finding| {
            finding.rating.as_ref().is_some_and(|rating| rating.channel == "policy")
        };
        told.iter().filter(is_policy).count()
    };
    assert_eq!(told(&mut shown, 15, &["a", "b"]), 0, "one day in ten, two datastores");
    assert_eq!(told(&mut shown, 16, &["c", "d", "e"]), 1, "the third is one too many");
}
