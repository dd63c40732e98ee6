//! Everything that goes wrong, drawn from one seed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

/// A bug put into a fake on purpose, to prove that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A failed commit is taken for a good one: acknowledged before it is in the table.
    AcknowledgesEarly,
    /// A commit names the progress of one partition too few.
    ForgetsPartition,
    /// A sink's cursor moves on although the sink has not acknowledged.
    LosesCursor,
    /// A sink's cursor is not saved with the commit.
    ForgetsCursor,
    /// A commit is accepted although another process has claimed since.
    AcceptsStaleWriter,
    /// Config changes are left out when they are read back.
    ForgetsChange,
    /// A snapshot says that it stands behind a record that it does not know.
    SnapshotAhead,
    /// A record gets lost between Kafka and the loop.
    SwallowsRecord,
}

/// What can happen, and was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mishap {
    /// A process ended in the middle of something.
    Crash,
    /// A process stood still while another one took over.
    Stall,
    /// A process was refused because another one had taken over.
    Fenced,
    /// A partition was taken away.
    Revoked,
    /// A partition was taken away without a chance to commit.
    Lost,
    /// Storage did not answer.
    Storage,
    /// A commit arrived, and the process died before it heard of it.
    SilentCommit,
    /// The source did not answer.
    Source,
    /// Kafka deleted records.
    Retention,
    /// Kafka deleted records that were not read yet.
    Loss,
    /// A snapshot was damaged.
    Damage,
    /// A snapshot was left out of a commit.
    Unsaved,
    /// A sink failed, and had nothing.
    Sink,
    /// A sink failed, and had it all.
    SilentDelivery,
    /// Reading was paused.
    Paused,
    /// A position was no longer in the log.
    OutOfRange,
    /// Nothing came for hours.
    Silence,
    /// The clock fired a timer.
    Tick,
    /// Somebody set the wall clock, hours ahead or back.
    ClockSet,
}

/// The one source of chance in a world, and what has become of it.
#[derive(Debug)]
pub struct Fate {
    rng: Mutex<Rng>,
    is_calm: AtomicBool,
    planted: Option<Planted>,
    mishaps: Mutex<BTreeMap<Mishap, u64>>,
    violation: Mutex<Option<String>>,
}

impl Fate {
    /// A fate from a seed. A calm one lets nothing happen.
    pub fn new(seed: u64, is_calm: bool, planted: Option<Planted>) -> Self {
        Self {
            rng: Mutex::new(Rng::with_seed(seed)),
            is_calm: AtomicBool::new(is_calm),
            planted,
            mishaps: Mutex::default(),
            violation: Mutex::default(),
        }
    }

    /// From here on nothing goes wrong any more.
    pub fn calm(&self) {
        self.is_calm.store(true, Ordering::Relaxed);
    }

    /// Whether nothing goes wrong any more.
    pub fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Whether this bug was planted.
    pub fn has(&self, planted: Planted) -> bool {
        self.planted == Some(planted)
    }

    /// Whether something happens that happens so often in a thousand; never once it is calm.
    pub fn strikes(&self, mishap: Mishap, per_mille: u32) -> bool {
        let strikes = !self.is_calm() && locked(&self.rng).u32(..1000) < per_mille;
        if strikes {
            self.count(mishap);
        }
        strikes
    }

    /// Notes that something happened.
    pub fn count(&self, mishap: Mishap) {
        *locked(&self.mishaps).entry(mishap).or_default() += 1;
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&self, end: usize) -> usize {
        if end == 0 { 0 } else { locked(&self.rng).usize(..end) }
    }

    /// Puts things in any order.
    pub fn shuffle<T>(&self, things: &mut [T]) {
        locked(&self.rng).shuffle(things);
    }

    /// A promise is broken. The first one counts.
    pub fn violate(&self, text: impl Into<String>) {
        locked(&self.violation).get_or_insert(text.into());
    }

    /// The promise that was broken.
    pub fn violation(&self) -> Option<String> {
        locked(&self.violation).clone()
    }

    /// What happened, and how often.
    pub fn mishaps(&self) -> BTreeMap<Mishap, u64> {
        locked(&self.mishaps).clone()
    }
}

/// One process in the world: it can die at any line, and stand still while another one takes its place.
pub struct Life {
    /// Its number: no two processes of a world have the same.
    pub number: u64,
    /// The world's chance.
    pub fate: Arc<Fate>,
    is_dead: AtomicBool,
    polls_left: AtomicU64,
    meanwhile: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Life {
    /// A process that dies after so many polls at the latest. While it stands still, `meanwhile` happens.
    pub fn new(
        number: u64,
        fate: Arc<Fate>,
        polls: u64,
        meanwhile: Option<Box<dyn Fn() + Send + Sync>>,
    ) -> Self {
        let (is_dead, polls_left) = (AtomicBool::new(false), AtomicU64::new(polls));
        Self { number, fate, is_dead, polls_left, meanwhile }
    }

    /// Whether it is dead: nothing that it still calls may change the world.
    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::Relaxed) || self.fate.violation().is_some()
    }

    /// It may die here. Returns whether it is dead.
    pub fn may_die(&self, per_mille: u32) -> bool {
        if !self.is_dead() && self.fate.strikes(Mishap::Crash, per_mille) {
            self.is_dead.store(true, Ordering::Relaxed);
        }
        self.is_dead()
    }

    /// It has polled once more. Returns whether it is dead.
    pub fn spend_poll(&self) -> bool {
        let left = self.polls_left.load(Ordering::Relaxed);
        self.polls_left.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 {
            self.is_dead.store(true, Ordering::Relaxed);
        }
        self.is_dead()
    }

    /// Whether it has lived as long as it may.
    pub fn is_spent(&self) -> bool {
        self.polls_left.load(Ordering::Relaxed) == 0
    }

    /// It may stand still here, for as long as another process lives.
    pub fn may_stall(&self, per_mille: u32) {
        if let Some(meanwhile) = &self.meanwhile
            && !self.is_dead()
            && self.fate.strikes(Mishap::Stall, per_mille)
        {
            meanwhile();
        }
    }
}

/// A lock that a panic elsewhere does not spoil: the panic itself is what fails.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
