//! What one actor does on one day.

use std::ops::Range;

use crate::reads::actor::{Habits, Role, SimActor};
use crate::reads::datastore::{Reporting, SimDatastore};
use crate::reads::dice::Dice;
use crate::reads::read::{Act, SimRead};
use crate::reads::trouble::{Trouble, TroubleKind};
use crate::reads::trouble_plan::Shift;
use crate::reads::world::{DAY_MICROS, day_start};

/// One hour, in microseconds.
pub(crate) const HOUR_MICROS: f64 = 3_600e6;

/// Keys of a bucket that are read again and again.
const HOT_KEYS: usize = 300;
/// New keys that a bucket gets in a day.
const NEW_KEYS: usize = 50_000;

/// Makes the days of one actor.
#[derive(Debug)]
pub(crate) struct Days<'w> {
    pub(crate) number: u32,
    pub(crate) actor: &'w SimActor,
    pub(crate) shifts: &'w [Shift],
    pub(crate) datastores: &'w [SimDatastore],
    pub(crate) days: usize,
    pub(crate) dice: Dice,
    pub(crate) reads: &'w mut Vec<SimRead>,
    pub(crate) troubles: &'w mut Vec<Trouble>,
}

/// What is usual on one day, with all that is different about it.
struct Today {
    day: usize,
    reads: f64,
    units: f64,
    datastores: Vec<u16>,
    moved: u32,
}

impl Days<'_> {
    /// All days.
    pub(crate) fn make(mut self) {
        for day in self.actor.first_day..self.days.min(self.actor.end_day) {
            let mut today = self.today(day);
            let role = self.actor.role;
            today.reads *= self.presence(day);
            if today.reads <= 0.0 {
                continue;
            }
            let count = self.dice.log_normal(today.reads, self.actor.habits.day_spread);
            let count = self.dice.count(count);
            match role {
                Role::Batch | Role::Weekly => self.job(&today, count),
                Role::Backup => self.backup(&today, count),
                Role::DiurnalService | Role::FlatService => self.service(&today, count),
                _ => self.person(&today, count),
            }
        }
    }

    fn today(&self, day: usize) -> Today {
        let Habits { reads, units, datastores, .. } = &self.actor.habits;
        let mut today =
            Today { day, reads: *reads, units: *units, datastores: datastores.clone(), moved: 0 };
        for shift in self.shifts.iter().filter(|shift| shift.days.contains(&day)) {
            today.reads *= shift.reads;
            today.units *= shift.units;
            today.moved = today.moved.max(shift.moved);
            if let Some(datastores) = &shift.datastores {
                today.datastores.clone_from(datastores);
            }
            if let Some(added) = shift.added {
                today.datastores.insert(1.min(today.datastores.len()), added);
            }
        }
        today
    }

    /// The share of a usual day that the calendar leaves.
    fn presence(&mut self, day: usize) -> f64 {
        let is_weekend = day % 7 >= 5;
        match self.actor.role {
            Role::Rare if self.dice.chance(if is_weekend { 0.02 } else { 0.14 }) => 1.0,
            Role::Rare => 0.0,
            Role::Weekly => f64::from(u8::from(day.is_multiple_of(7))),
            role if role.is_person() && is_weekend => {
                let works = if role == Role::Developer { 0.08 } else { 0.03 };
                if self.dice.chance(works) { 0.4 } else { 0.0 }
            }
            role if role.is_person() && self.dice.chance(0.04) => 0.0,
            role if role.is_person() && day.is_multiple_of(7) => 1.15,
            Role::DiurnalService if is_weekend => 0.6,
            _ => 1.0,
        }
    }

    fn person(&mut self, today: &Today, count: usize) {
        let hour = self.actor.begins + 0.4 * self.dice.normal();
        let begin = self.local(today.day, hour);
        let length = (8.3 + 0.6 * self.dice.normal()).max(4.0) * HOUR_MICROS;
        let sessions: Vec<f64> =
            (0..=count / 8 + self.dice.below(2)).map(|_| self.dice.unit() * length).collect();
        let network = self.network_of_person(today);
        for _ in 0..count {
            let session = self.dice.pick(&sessions).unwrap_or_default();
            let after = -libm::log(1.0 - self.dice.unit()) * 0.25 * HOUR_MICROS;
            self.read(today, begin + (session + after) as i64, network, None);
        }
        let role = self.actor.role;
        if matches!(role, Role::Developer | Role::Admin) && self.dice.chance(0.02) {
            let hour = self.dice.within(20.0, 29.0);
            let called = self.local(today.day, hour);
            let home = (self.actor.home << 8) | 10;
            for _ in 0..3 + self.dice.below(12) {
                let within = self.dice.unit() * 1.5 * HOUR_MICROS;
                self.read(today, called + within as i64, home, None);
            }
            self.trouble(TroubleKind::NightCall, called..called + DAY_MICROS / 2);
        }
        if self.dice.chance(0.015) {
            let other = self.dice.below(self.datastores.len().min(150)) as u16;
            if !today.datastores.contains(&other) {
                for _ in 0..self.dice.count(2.5).max(1) {
                    let within = self.dice.unit() * length;
                    self.read(today, begin + within as i64, network, Some(other));
                }
                self.trouble(TroubleKind::FirstAccess, begin..begin + DAY_MICROS);
            }
        }
        let exports = if role == Role::Admin { 0.05 } else { 0.003 };
        if role != Role::Support && self.dice.chance(exports) {
            let within = self.dice.unit() * length;
            self.export(today, begin + within as i64, network);
        }
    }

    /// At work, at home, or where nobody expects them.
    fn network_of_person(&mut self, today: &Today) -> u32 {
        let host = 10 + self.number % 200;
        if self.dice.chance(0.01) {
            let noon = day_start(today.day) + DAY_MICROS / 2;
            self.trouble(TroubleKind::Travel, noon - DAY_MICROS..noon + DAY_MICROS);
            return 0x5b00_0000 | (self.dice.below(1 << 24) as u32);
        }
        if self.dice.chance(0.35) {
            return (self.actor.home << 8) | 10;
        }
        ((self.actor.network + today.moved) << 8) | host
    }

    fn service(&mut self, today: &Today, count: usize) {
        for _ in 0..count {
            let mut hour = self.dice.within(0.0, 24.0);
            if self.actor.role == Role::DiurnalService {
                // By day three times as much as at night.
                let busy =
                    |hour: f64| 0.6 - 0.4 * libm::cos((hour - 2.0) / 24.0 * std::f64::consts::TAU);
                while !self.dice.chance(busy(hour)) {
                    hour = self.dice.within(0.0, 24.0);
                }
            }
            // Instances come and go within the network.
            let host = 10 + (today.day as u32 / 3 + self.dice.below(4) as u32) % 200;
            let address = ((self.actor.network + today.moved) << 8) | host;
            self.read(today, self.local(today.day, hour), address, None);
        }
    }

    fn job(&mut self, today: &Today, count: usize) {
        let hour = self.actor.begins + 0.05 * self.dice.normal();
        let mut begin = self.local(today.day, hour);
        let fate = self.dice.below(100);
        let runs = match fate {
            0..2 => 0,
            2..4 => 2,
            _ => 1,
        };
        if (4..7).contains(&fate) {
            begin += (self.dice.within(1.0, 9.0) * HOUR_MICROS) as i64;
        }
        if fate < 7 {
            let day = day_start(today.day);
            self.trouble(TroubleKind::JobOffSchedule, day..day + DAY_MICROS);
        }
        let address = ((self.actor.network + today.moved) << 8) | 20;
        for run in 0..runs {
            let begin = begin + (f64::from(run) * 2.5 * HOUR_MICROS) as i64;
            let length = 0.015 * count as f64 * HOUR_MICROS;
            for _ in 0..count {
                let within = self.dice.unit() * length;
                self.read(today, begin + within as i64, address, None);
            }
        }
    }

    fn backup(&mut self, today: &Today, count: usize) {
        let hour = self.actor.begins + 0.05 * self.dice.normal();
        let begin = self.local(today.day, hour);
        let address = ((self.actor.network + today.moved) << 8) | 20;
        for (number, datastore) in today.datastores.iter().enumerate() {
            let at = begin + (number as f64 * 0.2 * HOUR_MICROS) as i64;
            if self.datastores[usize::from(*datastore)].reporting == Reporting::Events {
                self.read(today, at, address, Some(*datastore));
                continue;
            }
            let mut read = self.blank(at, address, *datastore);
            read.act = Act::Export;
            self.push(read);
        }
        for _ in 0..count {
            let within = self.dice.unit() * 1.5 * HOUR_MICROS;
            self.read(today, begin + within as i64, address, None);
        }
    }

    fn export(&mut self, today: &Today, at: i64, address: u32) {
        let Some(datastore) = self.dice.pick(&today.datastores) else { return };
        let mut read = self.blank(at, address, datastore);
        read.act = Act::Export;
        self.push(read);
    }

    fn read(&mut self, today: &Today, at: i64, address: u32, other: Option<u16>) {
        let datastore = match other {
            Some(other) => other,
            None => {
                let index = self.dice.ranked(today.datastores.len());
                let Some(datastore) = today.datastores.get(index) else { return };
                *datastore
            }
        };
        let mut read = self.blank(at, address, datastore);
        if !self.actor.role.is_person() && self.dice.chance(0.08) {
            read.act = Act::Write;
        }
        let held = &self.datastores[usize::from(datastore)];
        let units = self.dice.log_normal(today.units, self.actor.habits.unit_spread);
        read.report(held, units);
        let (objects, own) = (held.objects, self.number.wrapping_mul(17));
        match held.reporting {
            Reporting::Bytes | Reporting::Objects => {
                read.named = u16::from(held.reporting == Reporting::Bytes);
                read.object = if self.dice.chance(self.actor.habits.new_keys) {
                    (1_000 + today.day * 100_000 + self.dice.below(NEW_KEYS)) as u32
                } else {
                    (own % 700) + self.dice.ranked(HOT_KEYS) as u32
                };
            }
            Reporting::Rows | Reporting::RowsAndBytes => {
                read.object = (own + self.dice.ranked(objects.min(30) as usize) as u32) % objects;
                read.named = if self.dice.chance(0.3) { 2 } else { 1 };
            }
            Reporting::Events => {
                // Half of the indices hold one day each.
                read.object = match self.dice.chance(0.5) {
                    true => 1_000 + today.day as u32,
                    false => (own + self.dice.ranked(objects.min(12) as usize) as u32) % objects,
                };
                read.named = 1;
            }
        }
        self.push(read);
    }

    fn blank(&mut self, at: i64, address: u32, datastore: u16) -> SimRead {
        SimRead {
            micros: at,
            lateness_millis: self.dice.below(3_000) as u32,
            serial: 0,
            actor: self.number,
            datastore,
            named: 0,
            object: 0,
            address,
            rows: None,
            bytes: None,
            objects: None,
            act: Act::Read,
            attack: 0,
            taken: 0.0,
        }
    }

    fn push(&mut self, read: SimRead) {
        deliver(self.reads, read, &mut self.dice);
    }

    fn local(&self, day: usize, hour: f64) -> i64 {
        day_start(day) + ((hour - self.actor.zone_hours as f64) * HOUR_MICROS) as i64
    }

    fn trouble(&mut self, kind: TroubleKind, during: Range<i64>) {
        self.troubles.push(Trouble {
            kind,
            actors: vec![self.number],
            from: during.start,
            until: during.end,
            is_announced: false,
        });
    }
}

/// Some events come late, and some twice, as the last stage of every pipeline does it.
pub(crate) fn deliver(reads: &mut Vec<SimRead>, mut read: SimRead, dice: &mut Dice) {
    read.serial = reads.len() as u32;
    if dice.chance(0.008) {
        read.lateness_millis = dice.magnitude(5e3, 2e7) as u32;
    }
    reads.push(read);
    if dice.chance(0.003) {
        let later = if dice.chance(0.9) { 6e4 } else { 7.2e6 };
        read.lateness_millis += dice.magnitude(100.0, later) as u32;
        // What came twice was taken once.
        read.taken = 0.0;
        reads.push(read);
    }
}
