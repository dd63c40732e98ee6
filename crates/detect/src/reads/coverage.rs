//! How much of a datastore somebody has read.

use crate::context::DatastoreContext;
use crate::reads::deed::Deed;
use crate::reads::metric::{Metric, level};
use crate::reads::pair::Pair;
use crate::reads::store::Store;
use crate::reads::window::Window;

/// Where the size of a datastore is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The context file states it.
    Stated,
    /// The context file states how many people's data it is.
    Subjects,
    /// A read of everything has returned so much.
    Whole,
    /// It is the most that anybody has read.
    Seen,
}

/// How much of a datastore was read in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// What is counted.
    pub metric: Metric,
    /// How much of it was read.
    pub read: u64,
    /// How much there is.
    pub size: u64,
    /// How that is known.
    pub origin: Origin,
}

impl Coverage {
    /// The share, in percent.
    pub fn percent(&self) -> u64 {
        let percent = u128::from(self.read) * 100 / u128::from(self.size.max(1));
        // At most 999 fit.
        percent.min(999) as u64
    }
}

/// What is known of the sizes of a datastore, the best first: rows, bytes, objects.
fn sizes(known: Option<&DatastoreContext>, store: &Store) -> [Option<(u64, Origin)>; 3] {
    let stated =
        |size: Option<u64>| size.filter(|size| *size > 0).map(|size| (size, Origin::Stated));
    let rows = known.and_then(|known| {
        let subjects =
            known.subjects.filter(|count| *count > 0).map(|count| (count, Origin::Subjects));
        stated(known.rows).or(subjects)
    });
    let rows = rows.or_else(|| store.rows().map(|rows| (rows, Origin::Whole)));
    let objects = known.and_then(|known| stated(known.objects));
    let objects =
        objects.or((store.objects > 0).then_some((u64::from(store.objects), Origin::Seen)));
    [rows, known.and_then(|known| stated(known.bytes)), objects]
}

/// How much of a datastore an actor has read on the open day: of objects, those that are new to it. By rows where they are
/// counted and their number is known, else by bytes, else by objects.
pub fn coverage(known: Option<&DatastoreContext>, store: &Store, pair: &Pair) -> Option<Coverage> {
    let sizes = sizes(known, store);
    Metric::ALL.into_iter().find_map(|metric| {
        let (size, origin) = sizes[metric.index()]?;
        let read = match metric {
            Metric::Objects if pair.new_objects > 0 => u64::from(pair.new_objects),
            _ => pair.today(metric)?,
        };
        Some(Coverage { metric, read, size, origin })
    })
}

/// The coverage of a datastore at the read that passes half of it, unless so much is usual of the actor. It needs a size
/// that somebody or something states, and no history. What is meant for everybody may be read whole by anybody.
pub fn crossed_half(deed: &Deed<'_>, store: &Store, pair: &Pair, day: i32) -> Option<Coverage> {
    // The context is asked only where the answer can matter: it is searched entry by entry.
    let is_little = |metric: Metric| pair.today(metric).unwrap_or(0) < metric.floor();
    if pair.told_most == Some(day) || Metric::ALL.into_iter().all(is_little) {
        return None;
    }
    let known = deed.context.datastore(deed.datastore);
    if known.is_some_and(|known| known.expected_public) {
        return None;
    }
    let found = coverage(known, store, pair)?;
    let half = (found.size / 2).max(found.metric.floor() - 1);
    if found.origin == Origin::Seen || found.read <= half {
        return None;
    }
    // What is usual is known as a volume: so what half of the datastore took today is compared as one, whatever is counted.
    let day = Window::Day.index();
    let of_half = f64::from(pair.peaks[day]) * half as f64 / found.read as f64;
    let usual = &pair.baselines[day];
    let is_usual = usual.days() >= 3.0 && usual.mean() > level(of_half);
    (!is_usual).then_some(found)
}
