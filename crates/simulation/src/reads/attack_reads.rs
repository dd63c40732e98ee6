//! The reads of the attacks.

use std::ops::Range;

use crate::reads::actor::{Role, SimActor};
use crate::reads::attack::{Attack, Scenario, Strength};
use crate::reads::datastore::{Reporting, SimDatastore};
use crate::reads::day::{HOUR_MICROS, deliver};
use crate::reads::dice::Dice;
use crate::reads::read::{Act, SimRead};
use crate::reads::world::{DAY_MICROS, day_start};

/// The first day on which an attack may begin: everybody has had time to learn.
pub(crate) const FIRST_DAY: usize = 26;
/// Keys that were in the buckets before the world began. Nobody else reads them.
const OLD_KEYS: u32 = 10_000_000;

/// Makes attacks.
#[derive(Debug)]
pub(crate) struct Attacker<'w> {
    pub(crate) actors: &'w [SimActor],
    /// Who may be chosen: there in time, and not about to leave. Whoever is chosen is taken out.
    pub(crate) candidates: Vec<u32>,
    pub(crate) datastores: &'w mut Vec<SimDatastore>,
    /// How many datastores the company has; what comes after them is new to everyone.
    pub(crate) known: usize,
    pub(crate) days: usize,
    pub(crate) dice: Dice,
    pub(crate) reads: &'w mut Vec<SimRead>,
    pub(crate) attacks: Vec<Attack>,
}

/// A stretch of reading by one actor from one address.
#[derive(Debug, Clone)]
struct Stretch {
    actor: u32,
    address: u32,
    during: Range<i64>,
}

impl Attacker<'_> {
    /// So many attacks, the scenarios in turn, each with another strength in every turn and from seed to seed.
    pub(crate) fn attack(&mut self, count: usize, seed: u64) {
        let first = (seed % Strength::ALL.len() as u64) as usize;
        for number in 0..count {
            let (turn, index) = (number / Scenario::ALL.len(), number % Scenario::ALL.len());
            let scenario = Scenario::ALL[index];
            let strength = Strength::ALL[(first + turn + index) % Strength::ALL.len()];
            self.one(scenario, strength);
        }
    }

    fn one(&mut self, scenario: Scenario, strength: Strength) {
        let Some(actor) = self.choose(scenario) else { return };
        let mut attack = Attack {
            scenario,
            strength,
            actors: vec![actor],
            from: i64::MAX,
            until: i64::MIN,
            events: 0,
            rows: 0,
            bytes: 0,
            units: 0.0,
        };
        let first = self.reads.len();
        self.attacks.push(attack.clone());
        match scenario {
            Scenario::Dump => self.dump(actor, strength),
            Scenario::RoleSync => self.role_sync(actor, strength),
            Scenario::ExportByStranger => self.export(actor, strength),
            Scenario::CopyOfProduction => self.copy(actor, strength),
            Scenario::StolenCredential => self.stolen(actor, strength),
            Scenario::Drip => self.drip(actor, strength),
            Scenario::Ramp => self.ramp(actor, strength),
            Scenario::FirstAccess => self.first_access(actor, strength),
            Scenario::Collusion => attack.actors = self.collusion(actor, strength),
            Scenario::OffHours => self.off_hours(actor, strength),
            Scenario::WideReads => self.wide_reads(actor, strength),
        }
        let mut last_serial = None;
        for read in &self.reads[first..] {
            if last_serial.replace(read.serial) == Some(read.serial) {
                continue;
            }
            attack.from = attack.from.min(read.micros);
            attack.until = attack.until.max(read.micros);
            attack.events += 1;
            attack.rows += u64::from(read.rows.unwrap_or_default());
            attack.bytes += read.bytes.unwrap_or_default();
            attack.units += f64::from(read.taken);
        }
        self.attacks.pop();
        if attack.events > 0 {
            self.attacks.push(attack);
        }
    }

    fn choose(&mut self, scenario: Scenario) -> Option<u32> {
        let fits = |role: Role| match scenario {
            Scenario::RoleSync => !role.is_person() || role == Role::Admin,
            Scenario::ExportByStranger => !matches!(role, Role::Backup | Role::Admin),
            Scenario::OffHours | Scenario::Collusion => role.is_person() && role != Role::Rare,
            Scenario::Drip | Scenario::Ramp => !matches!(role, Role::Weekly | Role::Rare),
            _ => true,
        };
        // First the role, then who: else half of the attackers would be of the two largest roles. A role four times as
        // large has twice as many.
        let weights = Role::ALL.map(|role| libm::sqrt(role.percent() as f64));
        for _ in 0..200 {
            let mut drawn = self.dice.unit() * weights.iter().sum::<f64>();
            let until = |weight: &f64| {
                drawn -= weight;
                drawn < 0.0
            };
            let role = Role::ALL[weights.iter().position(until).unwrap_or_default()];
            let of_role = |actor: &&u32| self.actors[**actor as usize].role == role;
            let those: Vec<u32> = self.candidates.iter().filter(of_role).copied().collect();
            if let Some(actor) = self.dice.pick(&those).filter(|_| fits(role)) {
                self.candidates.retain(|other| *other != actor);
                return Some(actor);
            }
        }
        None
    }

    fn dump(&mut self, actor: u32, strength: Strength) {
        let hours = strength.of([2.0, 1.0, 0.5]);
        let stretch = self.at_work(actor, hours);
        let units = self.bulk(actor, strength.of([3.0, 20.0, 300.0]));
        let datastore = self.own(actor);
        self.pull(&stretch, datastore, units);
    }

    fn role_sync(&mut self, actor: u32, strength: Strength) {
        let mut stretch = self.at_work(actor, strength.of([6.0, 2.0, 1.0]));
        if strength != Strength::Quiet {
            stretch.address = self.foreign();
        }
        let buckets: Vec<u16> = (0_u16..)
            .zip(self.datastores.iter().take(self.known))
            .filter(|(_, datastore)| datastore.reporting == Reporting::Bytes)
            .map(|(number, _)| number)
            .collect();
        let buckets = self.dice.sample(&buckets, strength.of([4, 12, 40]));
        let units = self.bulk(actor, strength.of([5.0, 30.0, 500.0]));
        for bucket in &buckets {
            self.pull(&stretch, *bucket, units / buckets.len() as f64);
        }
    }

    fn export(&mut self, actor: u32, strength: Strength) {
        let mut stretch = self.at_work(actor, 1.0);
        if strength == Strength::Loud {
            stretch.address = self.foreign();
        }
        for _ in 0..strength.of([1, 3, 10]) {
            let datastore = self.own(actor);
            let mut read = self.blank(&stretch, datastore);
            read.act = Act::Export;
            read.taken = self.datastores[usize::from(datastore)].objects as f32 * 1e4;
            deliver(self.reads, read, &mut self.dice);
        }
    }

    fn copy(&mut self, actor: u32, strength: Strength) {
        let stretch = self.at_work(actor, 3.0);
        let units = self.bulk(actor, strength.of([2.0, 10.0, 100.0]));
        let origin = self.own(actor);
        let number = self.datastores.len();
        let copy = self.datastores[usize::from(origin)].like(number);
        self.datastores.push(copy);
        self.pull(&stretch, origin, units);
        let writes = 20 + self.dice.below(180);
        for part in 0..writes {
            let mut read = self.blank(&stretch, number as u16);
            read.act = Act::Write;
            read.report(&self.datastores[number], units / writes as f64);
            read.object = part as u32 % self.datastores[number].objects;
            read.named = 1;
            deliver(self.reads, read, &mut self.dice);
        }
    }

    fn stolen(&mut self, actor: u32, strength: Strength) {
        let day = self.day(actor, 1);
        let hour = self.dice.within(0.5, 2.5);
        let from = self.local(actor, day, hour);
        let during = from..from + (2.0 * HOUR_MICROS) as i64;
        let stretch = Stretch { actor, address: self.foreign(), during };
        let total = strength.of([0.5, 3.0, 20.0]);
        if strength == Strength::Quiet {
            self.like_usual(&stretch, None, total);
            return;
        }
        let mut datastores = vec![self.own(actor)];
        datastores.extend((0..strength.of([0, 2, 5])).map(|_| self.dice.below(self.known) as u16));
        let units = self.bulk(actor, total) / datastores.len() as f64;
        for datastore in datastores {
            self.pull(&stretch, datastore, units);
        }
    }

    fn drip(&mut self, actor: u32, strength: Strength) {
        let days = 14 + self.dice.below(7);
        let more = strength.of([2.0, 3.0, 5.0]) - 1.0;
        self.daily(actor, days, |_| more);
    }

    fn ramp(&mut self, actor: u32, strength: Strength) {
        let growth: f64 = strength.of([1.05, 1.08, 1.12]);
        self.daily(actor, 24, |day| libm::pow(growth, day as f64) - 1.0);
    }

    fn daily(&mut self, actor: u32, days: usize, more: impl Fn(usize) -> f64) {
        let first = self.day(actor, days);
        let is_person = self.actors[actor as usize].role.is_person();
        for day in (0..days).filter(|day| !is_person || (first + day) % 7 < 5) {
            let stretch = self.at_work_on(actor, first + day, 7.0);
            self.like_usual(&stretch, None, more(day));
        }
    }

    fn first_access(&mut self, actor: u32, strength: Strength) {
        let stretch = self.at_work(actor, 1.0);
        let own = &self.actors[actor as usize].habits.datastores;
        let others: Vec<u16> =
            (0..self.known as u16).filter(|datastore| !own.contains(datastore)).collect();
        let Some(datastore) = self.dice.pick(&others) else { return };
        let units = self.bulk(actor, strength.of([0.5, 3.0, 30.0]));
        self.pull(&stretch, datastore, units);
    }

    fn collusion(&mut self, actor: u32, strength: Strength) -> Vec<u32> {
        let group = self.actors[actor as usize].group_number;
        let of_group = |other: &&u32| self.actors[**other as usize].group_number == group;
        let others: Vec<u32> = self.candidates.iter().filter(of_group).copied().collect();
        let count = 3 + self.dice.below(4);
        let mut actors = self.dice.sample(&others, count);
        self.candidates.retain(|other| !actors.contains(other));
        actors.push(actor);
        let (first, datastore) = (self.day(actor, 3), self.own(actor));
        for member in &actors {
            for day in 0..3 {
                let stretch = self.at_work_on(*member, first + day, 7.0);
                self.like_usual(&stretch, Some(datastore), strength.of([0.5, 1.0, 2.0]));
            }
        }
        actors
    }

    fn off_hours(&mut self, actor: u32, strength: Strength) {
        let nights = strength.of([1, 2, 4]);
        let first = self.day(actor, nights);
        for night in 0..nights {
            let hour = self.dice.within(1.0, 3.0);
            let from = self.local(actor, first + night, hour);
            let during = from..from + (2.0 * HOUR_MICROS) as i64;
            let address = (self.actors[actor as usize].home << 8) | 10;
            self.like_usual(
                &Stretch { actor, address, during },
                None,
                strength.of([0.3, 0.6, 1.0]),
            );
        }
    }

    fn wide_reads(&mut self, actor: u32, strength: Strength) {
        let stretch = self.at_work(actor, 8.0);
        let all: Vec<u16> = (0..self.known as u16).collect();
        let datastores = self.dice.sample(&all, strength.of([6, 15, 40]));
        let share = strength.of([0.5, 1.5, 4.0]) / datastores.len() as f64;
        for datastore in datastores {
            self.like_usual(&stretch, Some(datastore), share);
        }
    }

    /// So many usual days of the actor: reads like its own, of data that it did not read before.
    fn like_usual(&mut self, stretch: &Stretch, datastore: Option<u16>, days: f64) {
        let habits = &self.actors[stretch.actor as usize].habits;
        for number in 0..self.dice.count(days * habits.reads).max(1) {
            let datastore = datastore
                .unwrap_or_else(|| habits.datastores[self.dice.ranked(habits.datastores.len())]);
            let units = self.dice.log_normal(habits.units, habits.unit_spread);
            let at = self.dice.below(1 << 20);
            self.take(stretch, datastore, at + number, 1, units);
        }
    }

    /// Everything that gives so many units, as quickly as the stretch allows.
    fn pull(&mut self, stretch: &Stretch, datastore: u16, units: f64) {
        let (each, at_least, at_most) = match self.datastores[usize::from(datastore)].reporting {
            Reporting::Rows | Reporting::RowsAndBytes => (20_000.0, 3.0, 60.0),
            Reporting::Bytes => (500.0, 20.0, 3_000.0),
            Reporting::Objects => (1_000.0, 10.0, 300.0),
            Reporting::Events => (200.0, 20.0, 1_000.0),
        };
        let count = (units / each).clamp(at_least, at_most) as usize;
        let first = self.dice.below(1 << 20);
        for number in 0..count {
            let units = self.dice.log_normal(units / count as f64, 0.3);
            self.take(stretch, datastore, first + number, 2, units);
        }
    }

    fn take(&mut self, stretch: &Stretch, datastore: u16, object: usize, named: u16, units: f64) {
        let mut read = self.blank(stretch, datastore);
        let held = &self.datastores[usize::from(datastore)];
        read.report(held, units);
        read.taken = units as f32;
        (read.object, read.named) = match held.reporting {
            Reporting::Bytes => (OLD_KEYS + object as u32, 1),
            Reporting::Objects => (0, 0),
            _ => (object as u32 % held.objects, named),
        };
        deliver(self.reads, read, &mut self.dice);
    }

    fn blank(&mut self, stretch: &Stretch, datastore: u16) -> SimRead {
        let length = (stretch.during.end - stretch.during.start) as f64;
        SimRead {
            micros: stretch.during.start + (self.dice.unit() * length) as i64,
            lateness_millis: self.dice.below(3_000) as u32,
            serial: 0,
            actor: stretch.actor,
            datastore,
            named: 0,
            object: 0,
            address: stretch.address,
            rows: None,
            bytes: None,
            objects: None,
            act: Act::Read,
            attack: self.attacks.len() as u16,
            taken: 0.0,
        }
    }

    /// So many usual days in units; for actors who read next to nothing at least what is worth an attack.
    fn bulk(&self, actor: u32, days: f64) -> f64 {
        (self.actors[actor as usize].usual_units() * days).max(200.0 * days.min(10.0))
    }

    fn own(&mut self, actor: u32) -> u16 {
        let datastores = &self.actors[actor as usize].habits.datastores;
        datastores[self.dice.ranked(datastores.len())]
    }

    fn foreign(&mut self) -> u32 {
        0xb9dc_0000 | (self.dice.below(1 << 16) as u32)
    }

    /// A day on which so many days can begin; people attack on days on which they work.
    fn day(&mut self, actor: u32, length: usize) -> usize {
        let end = self.days.saturating_sub(length).max(FIRST_DAY + 1);
        let day = FIRST_DAY + self.dice.below(end - FIRST_DAY);
        let is_person = self.actors[actor as usize].role.is_person();
        let is_free = is_person && day % 7 >= 5 && length <= 7;
        match is_free {
            true if day + 2 + length <= self.days => day + 2,
            true => day - 2,
            false => day,
        }
    }

    fn at_work(&mut self, actor: u32, hours: f64) -> Stretch {
        let day = self.day(actor, 1);
        self.at_work_on(actor, day, hours)
    }

    fn at_work_on(&mut self, actor: u32, day: usize, hours: f64) -> Stretch {
        let known = &self.actors[actor as usize];
        let begins = if known.role.is_person() {
            known.begins + (8.0 - hours).max(0.0) * self.dice.unit()
        } else if known.role.is_continuous() {
            (24.0 - hours) * self.dice.unit()
        } else {
            known.begins
        };
        let from = self.local(actor, day, begins);
        let during = from..from + (hours * HOUR_MICROS) as i64;
        Stretch { actor, address: (known.network << 8) | (10 + actor % 200), during }
    }

    fn local(&self, actor: u32, day: usize, hour: f64) -> i64 {
        let zone = self.actors[actor as usize].zone_hours;
        let at = day_start(day) + ((hour - zone as f64) * HOUR_MICROS) as i64;
        at.min(day_start(self.days) - DAY_MICROS / 2)
    }
}
