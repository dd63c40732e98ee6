//! What people say, and how many of them are woken.

use dataward_detect::plan::Moment;
use dataward_detect::reads::verdict::{Disposition, Verdict};
use dataward_event::finding::{Finding, Severity, Step};
use dataward_event::time::EventTime;

use crate::scene::{DAY, HOUR, MINUTE, Shown, known, read, rows};

fn verdict(finding: &str, disposition: Disposition, until: i64) -> Verdict {
    Verdict {
        finding: finding.to_owned(),
        disposition,
        reason: "the books of the quarter".to_owned(),
        owner: "team-orders".to_owned(),
        until: Some(Moment(EventTime::from_micros(until))),
        actor: None,
        channel: None,
    }
}

/// A dump on the day after three usual weeks, what is said of it at once, and the same every day of the week after.
fn dumps(disposition: Disposition) -> Vec<Finding> {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..21, 2_000.0);
    for day in 21..29 {
        for page in 0..40 {
            let time = day * DAY + 9 * HOUR + page * MINUTE;
            shown.show(&read("ada", "orders", time, rows(1_000)));
        }
        if let (21, Some(first)) = (day, shown.findings.first()) {
            shown.context.verdicts = vec![verdict(&first.uid, disposition, 30 * DAY)];
        }
    }
    shown.findings
}

#[test]
fn what_was_expected_teaches_and_its_like_is_told_mildly_or_no_more() {
    let told = |disposition| -> Vec<(i64, Severity, u64)> {
        let findings = dumps(disposition);
        assert!(findings.iter().all(|finding| finding.uid == findings[0].uid));
        let told = findings.iter();
        let millinats = |told: &Finding| told.rating.as_ref().map_or(0, |rating| rating.millinats);
        told.map(|told| (told.time.micros() / DAY, told.severity, millinats(told))).collect()
    };
    let (expected, confirmed) = (told(Disposition::Expected), told(Disposition::Confirmed));
    println!("{expected:?}\n{confirmed:?}");
    assert_eq!((expected[0].0, expected[0].1), (21, Severity::HIGH));
    let is_later = |(day, ..): &&(i64, Severity, u64)| *day > 21;
    assert!(expected.iter().filter(is_later).all(|(_, severity, _)| *severity == Severity::LOW));
    assert!(confirmed.iter().all(|(_, severity, _)| *severity == Severity::HIGH));
    // What is expected becomes usual; of an attack every day is as unusual as the first one.
    let last = |told: &[(i64, Severity, u64)]| told.last().map(|(day, ..)| *day);
    assert_eq!((last(&expected), last(&confirmed)), (Some(21), Some(28)));
    let first = confirmed.iter().filter(|told| told.0 == 21).map(|told| told.2).max().unwrap();
    assert!(confirmed.last().unwrap().2 > first * 8 / 10, "{first}");
}

#[test]
fn the_last_word_on_a_finding_counts_also_for_the_actors_others() {
    let mut shown = Shown::default();
    shown.days("ada", "orders", 0..21, 2_000.0);
    shown.show(&read("ada", "orders", 21 * DAY + 9 * HOUR, rows(50_000)));
    let uid = shown.findings[0].uid.clone();
    let expected =
        Verdict { actor: Some("ada".to_owned()), ..verdict(&uid, Disposition::Expected, 90 * DAY) };
    shown.context.verdicts = vec![expected];
    shown.show(&read("ada", "orders", 21 * DAY + 10 * HOUR, rows(5_000_000)));
    shown.context.verdicts.push(verdict(&uid, Disposition::Confirmed, 90 * DAY));
    shown.show(&read("ada", "orders", 22 * DAY + 10 * HOUR, rows(900_000_000)));
    let severities: Vec<Severity> = shown.findings.iter().map(|found| found.severity).collect();
    assert_eq!(severities, [Severity::HIGH, Severity::LOW, Severity::HIGH]);
}

#[test]
fn a_dump_of_the_first_day_that_was_an_attack_is_not_what_is_usual() {
    let after = |disposition: Option<Disposition>| -> Vec<(u32, u64)> {
        let mut shown = Shown::default();
        shown.context.datastores = vec![known("orders", 40_000)];
        shown.show(&read("ada", "orders", 9 * HOUR, rows(40_000)));
        let uid = &shown.findings[0].uid;
        shown.context.verdicts =
            disposition.map(|said| verdict(uid, said, 90 * DAY)).into_iter().collect();
        shown.days("ada", "orders", 1..21, 2_000.0);
        shown.findings.clear();
        shown.show(&read("ada", "orders", 21 * DAY + 9 * HOUR, rows(15_000)));
        let told = shown.findings.iter().flat_map(|found| &found.anomalies);
        told.map(|anomaly| (anomaly.days, anomaly.upper)).collect()
    };
    let (unsaid, confirmed) = (after(None), after(Some(Disposition::Confirmed)));
    println!("{unsaid:?} {confirmed:?}");
    assert!(confirmed[0].1 < unsaid.first().map_or(u64::MAX, |told| told.1));
}

#[test]
fn in_a_crowd_nothing_is_dropped_and_a_large_one_is_told_in_full() {
    const ACTORS: i64 = 14;
    let mut shown = Shown::default();
    for day in 0..21 {
        for actor in 0..ACTORS {
            shown.days(&format!("actor-{actor}"), "orders", day..day + 1, 2_000.0);
        }
    }
    assert_eq!(shown.findings, []);
    for actor in 0..ACTORS {
        // Each a little less than the one before, the last one much more.
        let count =
            if actor == ACTORS - 1 { 5_000_000 } else { 8_000 - 100 * actor.unsigned_abs() };
        let time = 21 * DAY + 9 * HOUR + actor * MINUTE;
        shown.show(&read(&format!("actor-{actor}"), "orders", time, rows(count)));
    }
    // One of the small ones goes on a little: it still wakes nobody.
    shown.show(&read("actor-9", "orders", 21 * DAY + 12 * HOUR, rows(1_500_000)));
    let update = shown.findings.pop().unwrap();
    assert_eq!((update.step, update.severity), (Step::Update, Severity::LOW));
    let told = shown.findings.iter().map(|finding| {
        let millinats = finding.rating.as_ref().map_or(0, |rating| rating.millinats);
        (finding.step, finding.severity, millinats)
    });
    let told: Vec<_> = told.collect();
    println!("{told:?}");
    assert_eq!(told.len(), 14, "one of each");
    assert!(told.iter().all(|(step, ..)| *step == Step::Create));
    assert!(told[..5].iter().all(|(_, severity, _)| *severity == Severity::HIGH));
    assert!(told[5..13].iter().all(|(_, severity, _)| *severity == Severity::LOW), "{told:?}");
    assert_eq!(told[13].1, Severity::HIGH);
}
