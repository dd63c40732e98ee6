//! Who works in the company, and how.

use dataward_event::audit_event::ActorKind;

use crate::reads::dice::Dice;

/// What somebody, or something, does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks customers up: many small reads in office hours.
    Support,
    /// Looks into systems; few reads, now and then many.
    Developer,
    /// Asks large questions: the sizes differ by factors of a hundred.
    Analyst,
    /// Few reads, in many datastores; exports now and then.
    Admin,
    /// A program that people use: busy by day.
    DiurnalService,
    /// A program that machines use: the same at every hour.
    FlatService,
    /// A job of every night.
    Batch,
    /// Exports whole datastores every night.
    Backup,
    /// A report of every Monday.
    Weekly,
    /// Reads on one day in ten.
    Rare,
}

/// How somebody works on a usual day.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Reads on a day with any: the median.
    pub reads: f64,
    /// The standard deviation of the logarithm of a day's number of reads.
    pub day_spread: f64,
    /// The median volume of a read, in units.
    pub units: f64,
    /// The standard deviation of the logarithm of a read's volume.
    pub unit_spread: f64,
    /// Which datastores, the most used one first, as indices into the world's.
    pub datastores: Vec<u16>,
    /// Which share of the keys read in a bucket is new to it.
    pub new_keys: f64,
}

/// One actor.
#[derive(Debug, Clone)]
pub struct SimActor {
    /// The identity.
    pub uid: String,
    /// What people call it.
    pub name: String,
    /// What its log says that it is; not always told.
    pub kind: ActorKind,
    /// The label of its group, where the log tells it.
    pub group: Option<String>,
    /// The group it is in, labelled or not.
    pub group_number: usize,
    /// What it does.
    pub role: Role,
    /// Hours that its clock is ahead of UTC.
    pub zone_hours: i64,
    /// Its network (the first 24 bits of its address) at work.
    pub network: u32,
    /// The network of a person's home.
    pub home: u32,
    /// The hour of the day, on its own clock, at which it begins.
    pub begins: f64,
    /// The first day on which it is there.
    pub first_day: usize,
    /// The first day on which it is gone.
    pub end_day: usize,
    /// How it works.
    pub habits: Habits,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 10] = [
        Self::Support,
        Self::Developer,
        Self::Analyst,
        Self::Admin,
        Self::DiurnalService,
        Self::FlatService,
        Self::Batch,
        Self::Backup,
        Self::Weekly,
        Self::Rare,
    ];

    /// Which share of the company it is, in hundredths.
    pub(crate) const fn percent(self) -> usize {
        match self {
            Self::Support => 22,
            Self::Developer => 19,
            Self::Analyst => 10,
            Self::Admin => 4,
            Self::DiurnalService => 12,
            Self::FlatService => 10,
            Self::Batch => 10,
            Self::Backup => 2,
            Self::Weekly => 3,
            Self::Rare => 8,
        }
    }

    /// The name in tables and uids.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Developer => "developer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
            Self::DiurnalService => "web",
            Self::FlatService => "worker",
            Self::Batch => "batch",
            Self::Backup => "backup",
            Self::Weekly => "weekly",
            Self::Rare => "rare",
        }
    }

    /// Whether it is a person.
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Support | Self::Developer | Self::Analyst | Self::Admin | Self::Rare)
    }

    /// Whether it runs all day.
    pub const fn is_continuous(self) -> bool {
        matches!(self, Self::DiurnalService | Self::FlatService)
    }

    /// How the role works; each actor differs from it by chance.
    fn habits(self, dice: &mut Dice) -> Habits {
        let (reads, day_spread, units, unit_spread, new_keys) = match self {
            Self::Support => (42.0, 0.35, 6.0, 0.8, 0.8),
            Self::Developer => (18.0, 0.7, 25.0, 1.1, 0.5),
            Self::Analyst => (15.0, 0.6, 600.0, 1.6, 0.4),
            Self::Admin => (10.0, 0.8, 40.0, 1.2, 0.5),
            Self::DiurnalService => (120.0, 0.15, 12.0, 0.6, 0.15),
            Self::FlatService => (100.0, 0.08, 20.0, 0.5, 0.1),
            Self::Batch => (45.0, 0.2, 900.0, 0.5, 0.9),
            Self::Backup => (6.0, 0.1, 20_000.0, 0.3, 0.9),
            Self::Weekly => (30.0, 0.25, 400.0, 0.8, 0.5),
            Self::Rare => (8.0, 0.9, 15.0, 1.2, 0.6),
        };
        let reads_spread = if self.is_person() { 0.5 } else { 0.4 };
        Habits {
            reads: dice.log_normal(reads, reads_spread).min(reads * 3.0),
            day_spread: day_spread * dice.within(0.7, 1.3),
            units: dice.log_normal(units, if self.is_person() { 0.4 } else { 0.9 }),
            unit_spread: unit_spread * dice.within(0.85, 1.15),
            datastores: Vec::new(),
            new_keys,
        }
    }

    fn datastores(self, dice: &mut Dice) -> usize {
        match self {
            Self::Support => 2 + dice.below(3),
            Self::Developer => 2 + dice.below(6),
            Self::Analyst => 3 + dice.below(7),
            Self::Admin => 4 + dice.below(9),
            Self::DiurnalService | Self::FlatService => 1 + dice.below(4),
            Self::Batch | Self::Weekly => 1 + dice.below(5),
            Self::Backup => 3 + dice.below(6),
            Self::Rare => 1 + dice.below(2),
        }
    }

    fn begins(self, dice: &mut Dice) -> f64 {
        match self {
            Self::Batch | Self::Backup => dice.within(0.5, 5.5),
            Self::Weekly => dice.within(5.0, 9.0),
            _ => 8.8 + 0.7 * dice.normal(),
        }
    }
}

/// The hours by which the clocks of the company's three places are ahead of UTC.
pub(crate) const ZONES: [i64; 3] = [-8, 1, 8];

/// How many teams a role has; people's teams are spread over the places.
const TEAMS: usize = 6;

/// How many groups there are.
pub(crate) const GROUPS: usize = Role::ALL.len() * TEAMS;

impl SimActor {
    /// One actor of a role. `pools` has the datastores of each group.
    pub(crate) fn new(
        number: usize,
        role: Role,
        pools: &[Vec<u16>],
        all: &[u16],
        dice: &mut Dice,
    ) -> Self {
        // A role of few people is one team in each place, or there would be nobody to compare with.
        let teams = if role.percent() >= 8 { TEAMS } else { 2 };
        let team = dice.below(teams);
        let group_number = role as usize * TEAMS + team;
        let place = if role.is_person() { team % ZONES.len() } else { 1 };
        let mut habits = role.habits(dice);
        let count = role.datastores(dice);
        let of_group = pools.get(group_number).map(Vec::as_slice).unwrap_or_default();
        habits.datastores = chosen(of_group, all, count, dice);
        let kind = match (role.is_person(), dice.below(100)) {
            (true, 10..) => ActorKind::Human,
            (false, 15..) => ActorKind::Service,
            _ => ActorKind::Unknown,
        };
        let name = format!("{}-{number:04}", role.as_str());
        let sort = if role.is_person() { "user" } else { "role" };
        let labelled = format!("{}-{}", role.as_str(), team + 1);
        let office = if role.is_person() { 20 + place } else { 60 + role as usize };
        Self {
            uid: format!("arn:aws:iam::111122223333:{sort}/{name}"),
            name,
            kind,
            group: dice.chance(0.7).then_some(labelled),
            group_number,
            role,
            zone_hours: ZONES[place],
            network: network(10, office, team),
            home: network(78 + dice.below(6), dice.below(256), dice.below(256)),
            begins: role.begins(dice),
            first_day: 0,
            end_day: usize::MAX,
            habits,
        }
    }

    /// What it reads on a usual day, in units: the mean.
    pub fn usual_units(&self) -> f64 {
        let Habits { reads, day_spread, units, unit_spread, .. } = &self.habits;
        let mean = |spread: f64| libm::exp(spread * spread / 2.0);
        reads * mean(*day_spread) * units * mean(*unit_spread)
    }
}

/// The first 24 bits of an address.
pub(crate) fn network(first: usize, second: usize, third: usize) -> u32 {
    ((first << 16) | (second << 8) | third) as u32
}

/// Datastores of one actor: most of them its group's, in the order of use.
pub(crate) fn chosen(of_group: &[u16], all: &[u16], count: usize, dice: &mut Dice) -> Vec<u16> {
    let mut drawn = dice.sample(of_group, count);
    if count > 2 && dice.chance(0.4) {
        drawn.pop();
    }
    while drawn.len() < count {
        match dice.pick(all) {
            Some(other) if !drawn.contains(&other) => drawn.push(other),
            Some(_) => {}
            None => break,
        }
    }
    drawn
}
