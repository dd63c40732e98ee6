//! The evaluation of unusual bulk reads: its worlds are what they say, and a small one is watched.

use std::collections::BTreeSet;

use dataward_event::finding::RuleId;
use dataward_simulation::reads::attack::{Attack, Scenario};
use dataward_simulation::reads::baselines;
use dataward_simulation::reads::evaluation::{
    Outcome, Truth, Verdict, context, small_world, watch,
};
use dataward_simulation::reads::read::{Act, SimRead, Texts};
use dataward_simulation::reads::summary::Summary;
use dataward_simulation::reads::world::{World, day_of};

#[test]
fn the_same_seed_gives_the_same_world() {
    let world = small_world(1);
    let again = small_world(1);
    assert_eq!(world.fingerprint(), again.fingerprint());
    assert_eq!(world.attacks, again.attacks);
    assert_eq!(world.troubles, again.troubles);
    assert_ne!(world.fingerprint(), small_world(2).fingerprint());
}

#[test]
fn the_truth_fits_the_events() {
    let world = small_world(1);
    assert!(world.reads.is_sorted_by_key(SimRead::arrival_micros));
    assert_eq!(world.attacks.len(), Scenario::ALL.len());
    assert!(world.announcements().count() > 0);
    let mut attackers = BTreeSet::new();
    for (number, attack) in world.attacks.iter().enumerate() {
        assert!(attack.actors.iter().all(|actor| attackers.insert(*actor)), "in two attacks");
        assert!(day_of(attack.from) >= 25, "{attack:?}");
        check_attack(&world, number, attack);
    }
    let steady = (0..120).find(|actor| !attackers.contains(actor)).unwrap();
    assert_eq!(Truth::new(&world).verdict(steady, world.attacks[0].from), Verdict::False);
}

fn check_attack(world: &World, number: usize, attack: &Attack) {
    let (mut serials, mut units) = (BTreeSet::new(), 0.0);
    for read in world.reads.iter().filter(|read| read.attack() == Some(number)) {
        assert!(attack.actors.contains(&read.actor));
        assert!((attack.from..=attack.until).contains(&read.micros));
        serials.insert(read.serial);
        units += f64::from(read.taken);
    }
    assert_eq!(serials.len() as u64, attack.events);
    assert!((units - attack.units).abs() <= attack.units * 1e-6, "{attack:?}");
    let truth = Truth::new(world);
    assert_eq!(truth.verdict(attack.actors[0], attack.until), Verdict::Found(number));
    assert_eq!(truth.verdict(attack.actors[0], attack.from - 1), Verdict::False);
}

#[test]
fn events_tell_what_the_world_knows() {
    let world = small_world(3);
    let mut texts = Texts::default();
    for read in world.reads.iter().step_by(97) {
        let event = read.event(&world, &mut texts);
        assert_eq!(event.time.micros(), read.micros);
        assert_eq!(event.actor.label(), world.actors[read.actor as usize].name);
        assert_eq!(event.objects.len(), usize::from(read.named));
        assert_eq!(event.volume.bytes.map(|bytes| bytes.0), read.bytes);
        assert_eq!(event.read_scope.is_some(), read.act == Act::Export);
    }
}

#[test]
fn a_baseline_gives_as_many_false_alerts_as_it_may() {
    let world = small_world(2);
    let unjudged = Outcome::new(&world);
    for scores in baselines::score(&world) {
        let [few, many] = [2.0, 20.0].map(|rate| scores.outcome(&world, rate, &unjudged));
        assert!(few.false_rate() <= 2.5 && few.false_rate() <= many.false_rate());
        assert!(many.false_rate() <= 20.5);
        for (few, many) in few.detections.iter().zip(&many.detections) {
            assert!(
                few.is_none() || many.is_some(),
                "a lower threshold finds what a higher one finds"
            );
        }
    }
}

/// The gate: five small worlds, what is found in them and what is said for nothing. The bounds leave room for what a seed
/// does, and none for a detector that has lost a channel.
#[test]
fn small_worlds_are_watched_well_enough() {
    let mut summary = Summary::default();
    for seed in 1..6 {
        let world = small_world(seed);
        summary.add(&world, &watch(&world, 1, &context(&world, false)));
    }
    println!("{summary}");
    let found = |scenario: Scenario| {
        let cell = summary.pooled(|known, _| known == scenario);
        assert!(cell.attacks >= 5, "{scenario:?}: {}", cell.attacks);
        cell.found.len() * 100 / cell.attacks
    };
    for (scenario, percent) in [
        (Scenario::RoleSync, 80),
        (Scenario::ExportByStranger, 80),
        (Scenario::CopyOfProduction, 60),
        (Scenario::WideReads, 60),
        (Scenario::Dump, 40),
    ] {
        assert!(found(scenario) >= percent, "{scenario:?}: {} %", found(scenario));
    }
    // Exports need no budget, and are told in full.
    let exports = summary.false_rate_of(RuleId::ReadExport);
    let rate = summary.false_rate() - exports;
    assert!(rate <= 6.0 && exports <= 4.0, "{rate} {exports}");
}

#[test]
fn a_world_is_watched_alike_twice_and_in_sixteen_parts_nobody_is_lost() {
    let world = small_world(1);
    let context = context(&world, false);
    let outcome = watch(&world, 1, &context);
    assert_eq!(outcome, watch(&world, 1, &context));
    let parts = watch(&world, 16, &context);
    assert_eq!(parts.actor_days, outcome.actor_days);
}

#[test]
fn what_was_announced_is_told_mildly() {
    let mut rates = [0.0, 0.0];
    for seed in 1..6 {
        let world = small_world(seed);
        for (rate, is_told) in rates.iter_mut().zip([false, true]) {
            *rate += watch(&world, 1, &context(&world, is_told)).false_rate();
        }
    }
    println!("{rates:?}");
    assert!(rates[1] < rates[0], "{rates:?}");
}
