//! What a detector makes of a world: what it found and when, and what it said without a cause.

use std::collections::HashMap;

use dataward_detect::context::Context;
use dataward_detect::partition_state::PartitionState;
use dataward_detect::plan::Moment;
use dataward_detect::reads::calibration::Calibration;
use dataward_detect::reads::verdict::{AnnouncedChange, Disposition, Verdict as Judged};
use dataward_event::finding::{Finding, RuleId, Severity, Step};
use dataward_event::position::{Offset, Partition, Position};
use dataward_event::time::EventTime;

use crate::reads::attack::Attack;
use crate::reads::read::Texts;
use crate::reads::trouble::TroubleKind;
use crate::reads::world::{DAY_MICROS, Size, World, day_of};

/// The first day whose false alerts count. Before it the slowest part of the detector is still learning.
pub const WARM_DAY: usize = 24;
/// How long after an attack an alert about its actor is neither a find nor false.
const AFTERMATH_MICROS: i64 = 2 * DAY_MICROS;
/// A finding of this severity or below is a notice, which calls nobody.
const NOTICE: Severity = Severity::LOW;

/// What the detector made of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// For each attack of the world when it was found, if it was.
    pub detections: Vec<Option<Detection>>,
    /// Alerts without an attack, after the warm-up.
    pub false_alerts: Vec<FalseAlert>,
    /// Notices without an attack, after the warm-up.
    pub notices: usize,
    /// Alerts about an attacker in the two days after the attack.
    pub aftermath: usize,
    /// How many actors were active, summed over the days after the warm-up.
    pub actor_days: usize,
    /// Whether the scores meant what they said; empty of a baseline.
    pub calibration: Calibration,
}

/// How an attack was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The rule that spoke; nothing for a baseline.
    pub rule: Option<RuleId>,
    /// From the first event of the attack to the arrival of the event that was one too many, in seconds.
    pub seconds: f64,
    /// The share of all that was taken in the end that was taken by then.
    pub share_gone: f64,
}

/// An alert without an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FalseAlert {
    /// The rule that spoke; nothing for a baseline.
    pub rule: Option<RuleId>,
    /// Whom it is about.
    pub actor: u32,
    /// On which day of the world.
    pub day: usize,
    /// What was different about the actor; nothing was where a usual day was rare enough.
    pub cause: Option<TroubleKind>,
}

/// The truth about a world, by actor.
#[derive(Debug)]
pub struct Truth<'w> {
    world: &'w World,
    attacks: Vec<Option<usize>>,
    troubles: Vec<Vec<(TroubleKind, i64, i64)>>,
}

/// What an alert about an actor at a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It finds this attack, while it runs.
    Found(usize),
    /// It comes soon after an attack of the actor.
    Aftermath,
    /// Nothing bad is behind it.
    False,
}

/// How far each attack has come.
#[derive(Debug)]
pub struct Progress {
    gone: Vec<f64>,
}

/// The small world of the gate: it takes seconds.
pub fn small_world(seed: u64) -> World {
    World::new(seed, Size { actors: 120, days: 40 })
}

/// What the context file of a world says. `is_told` says whether it names the announced changes.
pub fn context(world: &World, is_told: bool) -> Context {
    let announced = world.announcements().map(|change| AnnouncedChange {
        reason: change.reason.to_owned(),
        from: Moment(EventTime::from_micros(change.from)),
        until: Moment(EventTime::from_micros(change.until)),
        actors: change.actors.iter().map(|uid| (*uid).to_owned()).collect(),
        peer_groups: Vec::new(),
        datastores: Vec::new(),
        times: 10,
    });
    let announced_changes = if is_told { announced.collect() } else { Vec::new() };
    Context { announced_changes, ..Context::default() }
}

/// Lets the detector watch a world, spread over partitions by actor.
pub fn watch(world: &World, partitions: usize, context: &Context) -> Outcome {
    let truth = Truth::new(world);
    let mut outcome = Outcome::new(world);
    let mut progress = Progress::new(world);
    let actors: HashMap<&str, u32> =
        world.actors.iter().map(|actor| actor.uid.as_str()).zip(0..).collect();
    let mut states: Vec<(PartitionState, Position)> =
        (0..partitions.max(1)).map(|number| (PartitionState::default(), begin(number))).collect();
    let mut texts = Texts::default();
    let mut context = context.clone();
    for read in &world.reads {
        progress.take_in(read.attack(), read.taken);
        let count = states.len();
        let (state, position) = &mut states[partition_of(read.actor, count)];
        let observed = state.observe(&read.event(world, &mut texts), position, &context);
        position.offset = position.offset.next();
        for finding in &observed.findings {
            if !finding.rule.as_str().starts_with("read.") || matches!(finding.step, Step::Close(_))
            {
                continue;
            }
            let about = finding
                .evidences
                .iter()
                .filter_map(|evidence| actors.get(evidence.actor.uid.as_deref()?).copied());
            let about: Vec<u32> = about.collect();
            outcome.judge(
                finding,
                &about,
                read.micros,
                |attack| {
                    let attacked = &world.attacks[attack];
                    progress.detection(attack, attacked, read.arrival_micros())
                },
                &truth,
            );
            let is_attack =
                |actor: &u32| matches!(truth.verdict(*actor, read.micros), Verdict::Found(_));
            if finding.step == Step::Create && about.iter().any(is_attack) {
                context.verdicts.push(confirmed(finding));
            }
        }
    }
    for (state, _) in &states {
        outcome.calibration = outcome.calibration.with(state.calibration());
    }
    outcome
}

/// An analyst looks into what is found and says of an attack that it is one. Of false alerts nobody says anything.
fn confirmed(finding: &Finding) -> Judged {
    Judged {
        finding: finding.uid.clone(),
        disposition: Disposition::Confirmed,
        reason: "an attack of this world".to_owned(),
        owner: "analyst".to_owned(),
        until: None,
        actor: None,
        channel: None,
    }
}

fn begin(number: usize) -> Position {
    Position {
        partition: Partition::new("audit", number as i32),
        offset: Offset(0),
        record_index: 0,
    }
}

/// Which partition an actor's events are in (Fibonacci hashing: actors of one role do not gather).
fn partition_of(actor: u32, partitions: usize) -> usize {
    (u64::from(actor).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % partitions
}

impl Outcome {
    /// Nothing is found yet, and nothing was said.
    pub fn new(world: &World) -> Self {
        let mut is_active = vec![false; world.actors.len() * (world.size.days + 2)];
        for read in &world.reads {
            let day = day_of(read.micros).min(world.size.days + 1);
            if day >= WARM_DAY {
                is_active[day * world.actors.len() + read.actor as usize] = true;
            }
        }
        Self {
            detections: vec![None; world.attacks.len()],
            false_alerts: Vec::new(),
            notices: 0,
            aftermath: 0,
            actor_days: is_active.into_iter().filter(|is_active| *is_active).count(),
            calibration: Calibration::default(),
        }
    }

    /// False alerts a day for each 1,000 active actors.
    pub fn false_rate(&self) -> f64 {
        self.false_alerts.len() as f64 * 1000.0 / self.actor_days.max(1) as f64
    }

    fn judge(
        &mut self,
        finding: &Finding,
        about: &[u32],
        micros: i64,
        detection: impl Fn(usize) -> Detection,
        truth: &Truth<'_>,
    ) {
        let is_notice = finding.severity <= NOTICE;
        let verdicts: Vec<Verdict> =
            about.iter().map(|actor| truth.verdict(*actor, micros)).collect();
        for verdict in &verdicts {
            if let (Verdict::Found(attack), false) = (verdict, is_notice) {
                let found = Detection { rule: Some(finding.rule), ..detection(*attack) };
                self.detections[*attack].get_or_insert(found);
            }
        }
        let day = day_of(micros);
        if finding.step != Step::Create || day < WARM_DAY {
            return;
        }
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Found(_))) {
            return;
        }
        if verdicts.contains(&Verdict::Aftermath) {
            self.aftermath += 1;
        } else if is_notice {
            self.notices += 1;
        } else {
            let actor = about.first().copied().unwrap_or(u32::MAX);
            let cause = truth.cause(actor, micros);
            self.false_alerts.push(FalseAlert { rule: Some(finding.rule), actor, day, cause });
        }
    }
}

impl<'w> Truth<'w> {
    /// The truth about a world.
    pub fn new(world: &'w World) -> Self {
        let mut attacks = vec![None; world.actors.len()];
        for (number, attack) in world.attacks.iter().enumerate() {
            for actor in &attack.actors {
                attacks[*actor as usize] = Some(number);
            }
        }
        let mut troubles = vec![Vec::new(); world.actors.len()];
        for trouble in &world.troubles {
            for actor in &trouble.actors {
                troubles[*actor as usize].push((trouble.kind, trouble.from, trouble.until));
            }
        }
        Self { world, attacks, troubles }
    }

    /// The attack of an actor, past or to come.
    pub fn attack(&self, actor: u32) -> Option<usize> {
        *self.attacks.get(actor as usize)?
    }

    /// What an alert about an actor at a time is.
    pub fn verdict(&self, actor: u32, micros: i64) -> Verdict {
        let Some(number) = self.attack(actor) else { return Verdict::False };
        let attack = &self.world.attacks[number];
        let end = attack.until + if attack.scenario.is_slow() { DAY_MICROS } else { 0 };
        if (attack.from..=end).contains(&micros) {
            Verdict::Found(number)
        } else if (attack.from..=end + AFTERMATH_MICROS).contains(&micros) {
            Verdict::Aftermath
        } else {
            Verdict::False
        }
    }

    /// What was different about an actor at a time.
    pub fn cause(&self, actor: u32, micros: i64) -> Option<TroubleKind> {
        let troubles = self.troubles.get(actor as usize)?.iter();
        troubles
            .filter(|(_, from, until)| (*from..*until).contains(&micros))
            .map(|(kind, _, _)| *kind)
            .min()
    }
}

impl Progress {
    /// Nothing is taken yet.
    pub fn new(world: &World) -> Self {
        Self { gone: vec![0.0; world.attacks.len()] }
    }

    /// Counts what one event takes.
    pub fn take_in(&mut self, attack: Option<usize>, units: f32) {
        if let Some(attack) = attack {
            self.gone[attack] += f64::from(units);
        }
    }

    /// The detection of an attack with an event that arrives now.
    pub fn detection(&self, number: usize, attack: &Attack, arrival_micros: i64) -> Detection {
        Detection {
            rule: None,
            seconds: (arrival_micros - attack.from) as f64 / 1e6,
            share_gone: (self.gone[number] / attack.units.max(1.0)).min(1.0),
        }
    }
}
