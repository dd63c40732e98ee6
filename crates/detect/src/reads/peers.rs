//! What actors have in common: groups by label, strata by behaviour, and what both lend to an actor of which little is
//! known.

use dataward_event::audit_event::{Actor, ActorKind};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::reads::baseline::{Baseline, Prior};
use crate::reads::evidence::{CHANNELS, Channel, FAMILIES, Family};
use crate::reads::office_hours::GroupHours;
use crate::reads::rate::GroupRate;
use crate::reads::score_pool::{ScorePool, Tail};
use crate::reads::window::WINDOWS;

/// How many groups a partition knows; actors of further labels are in the group of their kind.
const GROUPS_MAX: usize = 256;
/// The longest label that is kept, in bytes.
const LABEL_BYTES_MAX: usize = 128;
/// Baselines of an actor: a volume for each window, and new objects in an hour and in a day.
pub const ACTOR_BASELINES: usize = WINDOWS + 2;

/// How an actor behaves, learned from its hours: batch jobs, services and people differ by a factor in their tails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stratum {
    /// A person.
    Human,
    /// A program that runs most hours of its days.
    Continuous,
    /// A program that runs in fewer than nine hours of its days.
    Batch,
    /// Nobody.
    Anonymous,
}

/// How many strata there are.
pub const STRATA: usize = 4;

impl Stratum {
    /// All strata, in the order of their index.
    pub const ALL: [Self; STRATA] = [Self::Human, Self::Continuous, Self::Batch, Self::Anonymous];

    /// The name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Continuous => "continuous",
            Self::Batch => "batch",
            Self::Anonymous => "anonymous",
        }
    }

    /// How it reads in a sentence.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Human => "people",
            Self::Continuous => "services",
            Self::Batch => "batch jobs",
            Self::Anonymous => "readers without an identity",
        }
    }
}

/// Which group: its place among the groups of the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupId(u16);

/// The groups and strata of a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "SavedPeers", into = "SavedPeers")]
pub struct Peers {
    groups: Vec<Pool>,
    strata: [Pool; STRATA],
    /// What each group lends in each stratum: a function of the pools as they were when the last day was closed.
    lent: Vec<[Lent; STRATA]>,
}

/// The peers as they are saved.
#[derive(Serialize, Deserialize)]
struct SavedPeers {
    groups: Vec<Pool>,
    strata: [Pool; STRATA],
}

/// What its like lend to an actor.
#[derive(Debug, Clone, Copy)]
pub struct Lent {
    /// For its baselines.
    pub actor: [Prior; ACTOR_BASELINES],
    /// For the baselines of one datastore.
    pub pair: [Prior; WINDOWS],
    /// What a score of each family is worth.
    pub families: [Tail; FAMILIES],
    /// What the evidence of each channel is worth.
    pub channels: [Tail; CHANNELS],
}

/// What a group or a stratum has learned of its actors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// The label; empty of a stratum.
    pub label: String,
    actors: [Spread; ACTOR_BASELINES],
    pairs: [Spread; WINDOWS],
    /// How much is read in the first hours of a datastore that is new to an actor, beside the actor's usual hour.
    pub first_hours: Baseline,
    /// How much is written on the first day.
    pub first_writes: Baseline,
    /// New datastores.
    pub new_stores: GroupRate,
    /// Exports.
    pub exports: GroupRate,
    /// Datastores written for the first time.
    pub new_writes: GroupRate,
    /// New networks.
    pub new_networks: GroupRate,
    /// Datastores new to an actor that none, one, or more of its group had read.
    pub popularity: [f32; 3],
    /// When its actors work.
    pub hours: GroupHours,
    /// The highest scores of its actor-days, of each family.
    pub families: [ScorePool; FAMILIES],
    /// And of each channel.
    pub channels: [ScorePool; CHANNELS],
    /// Whose volume stands out today, the most first: what lifts everybody is no news.
    lifted: Vec<(u64, f32)>,
    /// The middle of its actors' growth on the last closed day, where it is positive and there are five.
    pub growth: f32,
}

/// The baselines of many keys: their means and variances, older days fading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Spread {
    weight: f32,
    means: f32,
    squares: f32,
    variances: f32,
    of_means: f32,
}

impl Spread {
    fn add(&mut self, baseline: &Baseline) {
        if baseline.days() < 3.0 {
            return;
        }
        let (mean, variance) = (baseline.mean(), baseline.variance());
        self.weight += 1.0;
        self.means += mean as f32;
        self.squares += (mean * mean) as f32;
        self.variances += variance as f32;
        self.of_means += (variance / baseline.days()) as f32;
    }

    /// Keys that are active every day come again every day: the last ten days or so count.
    fn fade(&mut self) {
        for sum in [
            &mut self.weight,
            &mut self.means,
            &mut self.squares,
            &mut self.variances,
            &mut self.of_means,
        ] {
            *sum *= 0.9;
        }
    }

    /// What it lends, pulled towards `wider` where it knows few.
    fn prior(&self, wider: &Prior) -> Prior {
        let weight = f64::from(self.weight);
        if weight < 1.0 {
            return *wider;
        }
        let mean = f64::from(self.means) / weight;
        let spread = f64::from(self.squares) / weight - mean * mean;
        let between = (spread - f64::from(self.of_means) / weight).max(0.1);
        let within = f64::from(self.variances) / weight;
        let trust = weight / (weight + 50.0);
        let mix = |own: f64, wider: f64| trust * own + (1.0 - trust) * wider;
        Prior {
            mean: mix(mean, wider.mean),
            between: mix(between, wider.between),
            within: mix(within, wider.within),
        }
    }
}

impl Default for Peers {
    /// The group of each kind is there from the start.
    fn default() -> Self {
        let named = |kind: ActorKind| Pool { label: kind.as_str().to_owned(), ..Pool::default() };
        Self::from(SavedPeers {
            groups: ActorKind::ALL.map(named).into(),
            strata: Default::default(),
        })
    }
}

impl From<SavedPeers> for Peers {
    fn from(saved: SavedPeers) -> Self {
        let SavedPeers { groups, strata } = saved;
        let mut peers = Self { groups, strata, lent: Vec::new() };
        peers.lend();
        peers
    }
}

impl From<Peers> for SavedPeers {
    fn from(peers: Peers) -> Self {
        let Peers { groups, strata, .. } = peers;
        Self { groups, strata }
    }
}

impl Peers {
    /// Works out anew what is lent: after a day was closed.
    pub fn lend(&mut self) {
        let all = self.groups.iter();
        self.lent =
            all.map(|group| Stratum::ALL.map(|stratum| self.lent_by(group, stratum))).collect();
    }

    fn lent_by(&self, group: &Pool, stratum: Stratum) -> Lent {
        let wide = self.stratum(stratum);
        Lent {
            actor: std::array::from_fn(|place| {
                group.actors[place].prior(&wide.actors[place].prior(&default_prior(place)))
            }),
            pair: std::array::from_fn(|place| {
                group.pairs[place].prior(&wide.pairs[place].prior(&default_prior(place)))
            }),
            families: Family::ALL.map(|family| {
                let place = family as usize;
                blend(&group.families[place], &wide.families[place])
            }),
            channels: Channel::ALL.map(|channel| {
                let place = channel as usize;
                match channel {
                    // A statistic that was never a probability: that of all who behave alike, and straight.
                    Channel::Drift => believed(&wide.channels[place], ScorePool::steep_tail),
                    _ => blend(&group.channels[place], &wide.channels[place]),
                }
            }),
        }
    }

    /// What the like of an actor lend it.
    pub fn lent(&self, id: GroupId, stratum: Stratum) -> &Lent {
        // An id is the place of a group that was there, and none goes away.
        let of_group = self.lent.get(usize::from(id.0)).unwrap_or(&self.lent[0]);
        &of_group[stratum as usize]
    }

    /// The group of an actor: as the context file says, else the first of its own groups, else its type.
    pub fn group_of(&mut self, actor: &Actor<'_>, context: &Context) -> GroupId {
        let stated = context.peer_group(actor.uid.as_deref(), actor.name.as_deref());
        let own = || actor.groups.first().map(AsRef::as_ref).or(actor.user_type.as_deref());
        let by_kind =
            GroupId(ActorKind::ALL.iter().position(|kind| *kind == actor.kind).unwrap_or(0) as u16);
        let Some(label) = stated.or_else(own).filter(|label| !label.is_empty()) else {
            return by_kind;
        };
        let label = &label[..label.floor_char_boundary(LABEL_BYTES_MAX)];
        if let Some(known) = self.groups.iter().position(|group| group.label == label) {
            return GroupId(known as u16);
        }
        if self.groups.len() >= GROUPS_MAX {
            return by_kind;
        }
        let group = Pool { label: label.to_owned(), ..Pool::default() };
        self.lent.push(Stratum::ALL.map(|stratum| self.lent_by(&group, stratum)));
        self.groups.push(group);
        GroupId(self.groups.len() as u16 - 1)
    }

    /// A group.
    pub fn group(&self, id: GroupId) -> &Pool {
        // An id is the place of a group that was there, and none goes away.
        self.groups.get(usize::from(id.0)).unwrap_or(&self.groups[0])
    }

    /// A group, to teach it.
    pub fn group_mut(&mut self, id: GroupId) -> &mut Pool {
        let place = usize::from(id.0).min(self.groups.len() - 1);
        &mut self.groups[place]
    }

    /// A stratum.
    pub const fn stratum(&self, stratum: Stratum) -> &Pool {
        &self.strata[stratum as usize]
    }

    /// Both pools of an actor, to teach them.
    pub fn both(&mut self, id: GroupId, stratum: Stratum) -> [&mut Pool; 2] {
        let place = usize::from(id.0).min(self.groups.len() - 1);
        [&mut self.groups[place], &mut self.strata[stratum as usize]]
    }

    /// All pools.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Pool> {
        self.groups.iter_mut().chain(&mut self.strata)
    }
}

fn default_prior(place: usize) -> Prior {
    match place {
        place if place < WINDOWS => Prior::default(),
        // Objects never read before: a few.
        _ => Prior { mean: 2.0, ..Prior::default() },
    }
}

/// A group of which more than 60 actor-days are known is believed by itself the more, the more of them there are.
fn blend(group: &ScorePool, stratum: &ScorePool) -> Tail {
    let wide = believed(stratum, ScorePool::tail);
    match group.days() {
        ..60.0 => wide,
        days => Tail::blend(group.tail(), wide, days / (days + 300.0)),
    }
}

fn believed(pool: &ScorePool, tail: fn(&ScorePool) -> Tail) -> Tail {
    if pool.days() < 100.0 { Tail::default() } else { tail(pool) }
}

impl Pool {
    /// Takes what an actor has learned in.
    pub fn teach_actor(&mut self, baselines: &[Baseline; ACTOR_BASELINES]) {
        self.actors.iter_mut().zip(baselines).for_each(|(spread, known)| spread.add(known));
    }

    /// Takes what it has learned of one datastore in.
    pub fn teach_pair(&mut self, baselines: &[Baseline; WINDOWS]) {
        self.pairs.iter_mut().zip(baselines).for_each(|(spread, known)| spread.add(known));
    }

    /// A day is over.
    pub fn fade(&mut self) {
        self.actors.iter_mut().chain(&mut self.pairs).for_each(Spread::fade);
        for rate in
            [&mut self.new_stores, &mut self.exports, &mut self.new_writes, &mut self.new_networks]
        {
            rate.fade();
        }
        self.popularity.iter_mut().for_each(|count| *count *= 0.99);
        self.hours.fade();
        self.families.iter_mut().chain(&mut self.channels).for_each(ScorePool::fade);
        self.growth = 0.0;
    }

    /// Another day begins: nobody stands out yet.
    pub fn forget_lifts(&mut self) {
        self.lifted.clear();
    }

    /// Notes by how much an actor's day stands out, where it does.
    pub fn note_lift(&mut self, actor: u64, excess: f64) {
        const KEPT: usize = 4;
        if excess <= 0.5 {
            return;
        }
        match self.lifted.iter_mut().find(|(known, _)| *known == actor) {
            Some((_, known)) => *known = known.max(excess as f32),
            None => self.lifted.push((actor, excess as f32)),
        }
        self.lifted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        self.lifted.truncate(KEPT);
    }

    /// By how much the others of the group stand out today: the second most of them, since one attacker must not lift the
    /// expectation alone.
    pub fn lift_beside(&self, actor: u64) -> f64 {
        let mut others = self.lifted.iter().filter(|(known, _)| *known != actor);
        let second = others.nth(1).map_or(0.0, |(_, excess)| f64::from(*excess));
        (second - 0.5).max(0.0)
    }

    /// The nats of an actor coming to a datastore that so many of its group read.
    pub fn popularity_nats(&self, members: usize) -> f64 {
        const ASSUMED: [f64; 3] = [1.0, 1.0, 3.0];
        let counts =
            ASSUMED.iter().zip(self.popularity).map(|(assumed, count)| assumed + f64::from(count));
        let counts: Vec<f64> = counts.collect();
        -libm::log(counts[members.min(2)] / counts.iter().sum::<f64>())
    }
}
