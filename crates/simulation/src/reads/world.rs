//! A company for two months: who reads what, what goes wrong harmlessly, and who attacks.

use crate::reads::actor::{GROUPS, Role, SimActor};
use crate::reads::attack::{Attack, Scenario};
use crate::reads::attack_reads::{Attacker, FIRST_DAY};
use crate::reads::datastore::SimDatastore;
use crate::reads::day::Days;
use crate::reads::dice::Dice;
use crate::reads::read::{Act, SimRead};
use crate::reads::trouble::{Announcement, Trouble, TroubleKind};
use crate::reads::trouble_plan::Plan;

/// A day, in microseconds.
pub const DAY_MICROS: i64 = 86_400 * 1_000_000;
/// Monday, the 5th of January 2026, in days since the epoch.
const FIRST_MONDAY: i64 = 20_458;
/// How many datastores the company has.
const DATASTORES: usize = 150;
/// How many datastores come with new features.
const FEATURES: usize = 3;

/// How large a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many actors.
    pub actors: usize,
    /// How many days. Attacks begin on day 26.
    pub days: usize,
}

/// A company, its events and the truth about them.
#[derive(Debug)]
pub struct World {
    /// What it was made from.
    pub seed: u64,
    /// How large it is.
    pub size: Size,
    /// Who works in it.
    pub actors: Vec<SimActor>,
    /// Where its data is.
    pub datastores: Vec<SimDatastore>,
    /// What happened, in order of arrival.
    pub reads: Vec<SimRead>,
    /// Who attacked.
    pub attacks: Vec<Attack>,
    /// What went wrong harmlessly.
    pub troubles: Vec<Trouble>,
}

impl Default for Size {
    fn default() -> Self {
        Self { actors: 1_000, days: 60 }
    }
}

/// The first microsecond of a day of the world, in UTC. Day 0 is a Monday.
pub(crate) const fn day_start(day: usize) -> i64 {
    (FIRST_MONDAY + day as i64) * DAY_MICROS
}

/// The day of the world in which a time lies, in UTC; what is before the world is in its first day.
pub fn day_of(micros: i64) -> usize {
    (micros.div_euclid(DAY_MICROS) - FIRST_MONDAY).max(0) as usize
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64, size: Size) -> Self {
        let mut dice = Dice::new(seed, "company", 0);
        let mut datastores: Vec<SimDatastore> =
            (0..DATASTORES).map(|number| SimDatastore::new(number, &mut dice)).collect();
        let features: Vec<u16> = (0..FEATURES)
            .map(|_| {
                let number = datastores.len();
                let like = dice.below(DATASTORES);
                datastores.push(datastores[like].like(number));
                number as u16
            })
            .collect();
        let all: Vec<u16> = (0..DATASTORES as u16).collect();
        let pools: Vec<Vec<u16>> = (0..GROUPS)
            .map(|_| {
                let count = 6 + dice.below(7);
                dice.sample(&all, count)
            })
            .collect();
        let mut actors = staff(size.actors, &pools, &all, &mut dice);
        let mut dice = Dice::new(seed, "trouble", 0);
        let plan = Plan::draw(&mut actors, size.days, &pools, &all, &features, &mut dice);
        let (shifts, mut troubles) = (plan.shifts, plan.troubles);
        let mut reads = Vec::new();
        for (number, actor) in actors.iter().enumerate() {
            let days = Days {
                number: number as u32,
                actor,
                shifts: &shifts[number],
                datastores: &datastores,
                days: size.days,
                dice: Dice::new(seed, "actor", number),
                reads: &mut reads,
                troubles: &mut troubles,
            };
            days.make();
        }
        let is_steady = |actor: &u32| {
            let (known, shifts) = (&actors[*actor as usize], &shifts[*actor as usize]);
            known.first_day <= FIRST_DAY / 2
                && known.end_day >= size.days
                && shifts.iter().all(|shift| shift.datastores.is_none())
        };
        let mut attacker = Attacker {
            candidates: (0..actors.len() as u32).filter(is_steady).collect(),
            actors: &actors,
            datastores: &mut datastores,
            known: DATASTORES,
            days: size.days,
            dice: Dice::new(seed, "attacks", 0),
            reads: &mut reads,
            attacks: Vec::new(),
        };
        attacker.attack(Scenario::ALL.len() * (size.actors / 250).clamp(1, 5), seed);
        let attacks = attacker.attacks;
        troubles.extend(late_delivery(&mut reads, &actors, size, &mut dice));
        reads.sort_by_key(|read| (read.arrival_micros(), read.serial));
        Self { seed, size, actors, datastores, reads, attacks, troubles }
    }

    /// The changes that were announced.
    pub fn announcements(&self) -> impl Iterator<Item = Announcement<'_>> {
        let announced = self.troubles.iter().filter(|trouble| trouble.is_announced);
        announced.map(|trouble| Announcement {
            actors: trouble
                .actors
                .iter()
                .map(|actor| self.actors[*actor as usize].uid.as_str())
                .collect(),
            from: trouble.from,
            until: trouble.until,
            reason: trouble.kind.as_str(),
        })
    }

    /// A hash of everything that happens in it (FNV-1a, 64 bits): equal for equal seeds, on every machine.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |number: u64| {
            for byte in number.to_le_bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for read in &self.reads {
            add(read.micros as u64);
            add(u64::from(read.lateness_millis) << 32 | u64::from(read.serial));
            add(u64::from(read.actor) << 32 | u64::from(read.datastore));
            add(u64::from(read.object) << 32 | u64::from(read.address));
            add(u64::from(read.rows.unwrap_or(u32::MAX)));
            add(read.bytes.unwrap_or(u64::MAX));
            add(u64::from(read.objects.unwrap_or(u32::MAX)) << 32 | u64::from(read.named));
            let is_read = u64::from(read.act == Act::Read) + 2 * u64::from(read.act == Act::Write);
            add(is_read << 16 | u64::from(read.attack));
        }
        hash
    }
}

fn staff(count: usize, pools: &[Vec<u16>], all: &[u16], dice: &mut Dice) -> Vec<SimActor> {
    let mut roles: Vec<Role> = Vec::new();
    for role in Role::ALL {
        let share = (count * role.percent()).div_ceil(100);
        roles.extend(std::iter::repeat_n(role, share));
    }
    // Rounded up, there may be some too many: those who leave are chosen by chance.
    let roles = dice.sample(&roles, count);
    let numbered = roles.into_iter().enumerate();
    numbered.map(|(number, role)| SimActor::new(number, role, pools, all, dice)).collect()
}

/// Twice a world the collector of one network stands still for some hours, and then delivers everything.
fn late_delivery(
    reads: &mut [SimRead],
    actors: &[SimActor],
    size: Size,
    dice: &mut Dice,
) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for _ in 0..2 {
        let Some(network) = (!actors.is_empty()).then(|| actors[dice.below(actors.len())].network)
        else {
            break;
        };
        let day = size.days / 3 + dice.below(size.days / 2);
        let from = day_start(day) + (dice.unit() * DAY_MICROS as f64) as i64;
        let until = from + (dice.within(1.0, 5.0) * 3.6e9) as i64;
        for read in reads.iter_mut() {
            let is_held = (from..until).contains(&read.micros)
                && actors[read.actor as usize].network == network;
            if is_held {
                let held = ((until - read.micros) / 1000) as u32;
                read.lateness_millis = read.lateness_millis.max(held);
            }
        }
        let members = (0_u32..).zip(actors).filter(|(_, actor)| actor.network == network);
        troubles.push(Trouble {
            kind: TroubleKind::LateDelivery,
            actors: members.map(|(number, _)| number).collect(),
            from,
            until: until + DAY_MICROS / 4,
            is_announced: false,
        });
    }
    troubles
}
