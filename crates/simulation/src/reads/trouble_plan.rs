//! Which harmless trouble a world has, and what it changes for whom.

use std::ops::Range;

use crate::reads::actor::{Role, SimActor, ZONES, chosen};
use crate::reads::dice::Dice;
use crate::reads::trouble::{Trouble, TroubleKind};
use crate::reads::world::{DAY_MICROS, day_start};

/// How long a lasting change can be the cause of an alert.
const LASTING_DAYS: usize = 21;
/// Which share of the changes that can be announced is.
const ANNOUNCED: f64 = 0.7;

/// What is different for an actor on some days.
#[derive(Debug, Clone)]
pub(crate) struct Shift {
    pub(crate) days: Range<usize>,
    /// Times as many reads.
    pub(crate) reads: f64,
    /// Times as much in each.
    pub(crate) units: f64,
    /// Instead of the usual datastores.
    pub(crate) datastores: Option<Vec<u16>>,
    /// Beside the usual datastores, and used as much as the first.
    pub(crate) added: Option<u16>,
    /// Added to the first 24 bits of the address.
    pub(crate) moved: u32,
}

/// The troubles that are planned, with the shifts of each actor.
#[derive(Debug)]
pub(crate) struct Plan<'p> {
    pub(crate) actors: &'p mut [SimActor],
    pub(crate) days: usize,
    pub(crate) shifts: Vec<Vec<Shift>>,
    pub(crate) troubles: Vec<Trouble>,
}

impl Shift {
    fn new(days: Range<usize>) -> Self {
        Self { days, reads: 1.0, units: 1.0, datastores: None, added: None, moved: 0 }
    }

    fn times(days: Range<usize>, reads: f64) -> Self {
        Self { reads, ..Self::new(days) }
    }
}

impl<'p> Plan<'p> {
    /// Draws the troubles. `features` are datastores that nobody uses yet.
    pub(crate) fn draw(
        actors: &'p mut [SimActor],
        days: usize,
        pools: &[Vec<u16>],
        all: &[u16],
        features: &[u16],
        dice: &mut Dice,
    ) -> Self {
        let shifts = vec![Vec::new(); actors.len()];
        let mut plan = Self { actors, days, shifts, troubles: Vec::new() };
        plan.holidays(dice);
        plan.month_ends(dice);
        plan.network_moves(dice);
        plan.features(features, dice);
        for actor in 0..plan.actors.len() {
            plan.coming_and_going(actor, dice);
            match plan.actors[actor].role {
                role if role.is_continuous() => plan.deploy(actor, dice),
                Role::Batch => plan.backfill(actor, dice),
                role if role.is_person() => {
                    plan.role_change(actor, pools, all, dice);
                    plan.vacation(actor, dice);
                }
                _ => {}
            }
        }
        plan
    }

    fn add(&mut self, kind: TroubleKind, actors: Vec<u32>, days: Range<usize>, announced: bool) {
        self.troubles.push(Trouble {
            kind,
            actors,
            // A day of a person in the west ends, and one in the east begins, on another day of UTC.
            from: day_start(days.start) - DAY_MICROS / 2,
            until: day_start(days.end) + DAY_MICROS / 2,
            is_announced: announced,
        });
    }

    fn lasting(&self, day: usize) -> Range<usize> {
        day..(day + LASTING_DAYS).min(self.days)
    }

    fn members(&self, is_member: impl Fn(&SimActor) -> bool) -> Vec<u32> {
        let all = (0_u32..).zip(self.actors.iter());
        all.filter(|(_, actor)| is_member(actor)).map(|(number, _)| number).collect()
    }

    fn shift(&mut self, actors: &[u32], shift: &Shift) {
        for actor in actors {
            self.shifts[*actor as usize].push(shift.clone());
        }
    }

    fn holidays(&mut self, dice: &mut Dice) {
        for zone in ZONES {
            for _ in 0..self.days.div_ceil(35) {
                let day = dice.below(self.days / 7) * 7 + dice.below(5);
                let people =
                    self.members(|actor| actor.role.is_person() && actor.zone_hours == zone);
                let open = if day % 7 == 4 { day + 3 } else { day + 1 };
                self.shift(&people, &Shift::times(day..day + 1, 0.04));
                self.shift(&people, &Shift::times(open..open + 1, 1.4));
                self.add(TroubleKind::Holiday, people, day..open + 1, false);
            }
        }
    }

    fn month_ends(&mut self, dice: &mut Dice) {
        // The last two working days of January and February of 2026, counted from Monday, the 5th of January.
        for day in [24, 52] {
            if day + 2 > self.days {
                continue;
            }
            for role in [Role::Analyst, Role::Support, Role::Weekly] {
                let group = role as usize * 6 + dice.below(2);
                let members = self.members(|actor| actor.group_number == group);
                let times = dice.within(2.0, 3.0);
                self.shift(&members, &Shift::times(day..day + 2, times));
                self.add(TroubleKind::MonthEnd, members, day..day + 2, false);
            }
        }
    }

    fn network_moves(&mut self, dice: &mut Dice) {
        for _ in 0..3 {
            let Some(network) = dice.pick_ref(self.actors).map(|actor| actor.network) else {
                return;
            };
            let day = 10 + dice.below(self.days.saturating_sub(12));
            let members = self.members(|actor| actor.network == network);
            let moved = Shift { moved: 0x40 << 8, ..Shift::new(day..usize::MAX) };
            self.shift(&members, &moved);
            self.add(TroubleKind::NetworkMove, members, day..day + 3, false);
        }
    }

    fn features(&mut self, features: &[u16], dice: &mut Dice) {
        for feature in features {
            let Some(group) = dice.pick_ref(self.actors).map(|actor| actor.group_number) else {
                return;
            };
            let day = 15 + dice.below(self.days.saturating_sub(17));
            let members = self.members(|actor| actor.group_number == group);
            let added = Shift { added: Some(*feature), ..Shift::new(day..usize::MAX) };
            self.shift(&members, &added);
            let lasting = self.lasting(day);
            self.add(TroubleKind::NewFeature, members, lasting, dice.chance(ANNOUNCED));
        }
    }

    fn coming_and_going(&mut self, actor: usize, dice: &mut Dice) {
        let whom = vec![actor as u32];
        let share = if self.actors[actor].role.is_person() { 1.0 } else { 0.6 };
        if dice.chance(0.05 * share) {
            let day = 5 + dice.below(self.days.saturating_sub(8));
            self.actors[actor].first_day = day;
            self.add(TroubleKind::Joiner, whom, self.lasting(day), false);
        } else if dice.chance(0.03 * share) {
            let day = 10 + dice.below(self.days.saturating_sub(12));
            self.actors[actor].end_day = day;
            self.add(TroubleKind::Leaver, whom, day.saturating_sub(5)..day, false);
        }
    }

    fn deploy(&mut self, actor: usize, dice: &mut Dice) {
        if !dice.chance(0.12) {
            return;
        }
        let day = 10 + dice.below(self.days.saturating_sub(12));
        let shift = Shift::times(day..usize::MAX, dice.within(2.0, 3.0));
        self.shifts[actor].push(shift);
        let announced = dice.chance(ANNOUNCED);
        self.add(TroubleKind::Deploy, vec![actor as u32], self.lasting(day), announced);
    }

    fn backfill(&mut self, actor: usize, dice: &mut Dice) {
        if !dice.chance(0.2) {
            return;
        }
        let day = 10 + dice.below(self.days.saturating_sub(12));
        let days = day..day + 1 + dice.below(2);
        let shift = Shift { units: 2.5, ..Shift::times(days.clone(), 4.0) };
        self.shifts[actor].push(shift);
        let announced = dice.chance(ANNOUNCED);
        self.add(TroubleKind::Backfill, vec![actor as u32], days, announced);
    }

    fn role_change(&mut self, actor: usize, pools: &[Vec<u16>], all: &[u16], dice: &mut Dice) {
        if !dice.chance(0.025) {
            return;
        }
        let day = 14 + dice.below(self.days.saturating_sub(17));
        let pool = dice.below(4 * 6);
        let pool = pools.get(pool).map(Vec::as_slice).unwrap_or_default();
        let count = self.actors[actor].habits.datastores.len().max(2);
        let shift = Shift {
            units: dice.magnitude(0.4, 3.0),
            datastores: Some(chosen(pool, all, count, dice)),
            ..Shift::times(day..usize::MAX, dice.magnitude(0.5, 2.0))
        };
        self.shifts[actor].push(shift);
        let announced = dice.chance(ANNOUNCED);
        self.add(TroubleKind::RoleChange, vec![actor as u32], self.lasting(day), announced);
    }

    fn vacation(&mut self, actor: usize, dice: &mut Dice) {
        if !dice.chance(0.3) {
            return;
        }
        let day = dice.below(self.days);
        let back = day + 5 + dice.below(6);
        self.shifts[actor].push(Shift::times(day..back, 0.0));
        let first = (back..back + 3).find(|day| day % 7 < 5).unwrap_or(back);
        self.shifts[actor].push(Shift::times(first..first + 1, dice.within(1.2, 2.0)));
        self.add(TroubleKind::Vacation, vec![actor as u32], day..first + 1, false);
    }
}
