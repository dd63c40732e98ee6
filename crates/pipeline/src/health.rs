//! Whether a process lives, and whether it does its work: what the figures mean to those who must decide.

use std::time::Duration;

use crate::figures::Figures;
use crate::metrics::{Activity, Metrics};

/// How long the loop may be without a sign of life. Its longest ordinary wait is a last checkpoint of 7 seconds.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a commit may be on its way before it is told of.
pub const COMMIT_PATIENCE: Duration = Duration::from_secs(60);

/// Whether a process does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It reads, archives and detects.
    Ready,
    /// It waits for another process, and would take over: that is its work.
    Standby,
    /// It does not, yet or any more.
    NotReady,
}

impl Readiness {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Standby => "standby",
            Self::NotReady => "not_ready",
        }
    }
}

/// Why a process is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A name for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub text: String,
}

fn reason(code: &'static str, text: impl Into<String>) -> Reason {
    Reason { code, text: text.into() }
}

/// Whether the process lives; the reason if it does not. Only a loop that should turn and does not is dead: a standby
/// waits, and who takes partitions over may read back for minutes.
///
/// # Errors
/// Why it should be started again.
pub fn liveness(metrics: &Metrics) -> Result<(), Reason> {
    life(&metrics.activity(), metrics.since_beat())
}

fn life(activity: &Activity, since_beat: Duration) -> Result<(), Reason> {
    if *activity == Activity::Running && since_beat > PATIENCE {
        return Err(stuck(since_beat));
    }
    Ok(())
}

fn stuck(since: Duration) -> Reason {
    reason("loop_stuck", format!("the loop has not turned for {} seconds", since.as_secs()))
}

/// Whether the process does its work, and why not.
pub fn readiness(metrics: &Metrics) -> (Readiness, Vec<Reason>) {
    let (activity, figures) = metrics.latest();
    let reasons = match &activity {
        Activity::Standby { holder } => {
            let text = format!("{holder} holds the archive: standing by");
            return (Readiness::Standby, vec![reason("standby", text)]);
        }
        Activity::Starting => {
            vec![reason("starting", "starting: the archive is opened, state is restored")]
        }
        Activity::Connecting => {
            vec![reason("connecting", "connecting: waiting for a Kafka broker that answers")]
        }
        Activity::Restoring => {
            vec![reason("restoring", "partitions are taken over: their state is read back")]
        }
        Activity::Stopping => vec![reason("stopping", "told to stop")],
        Activity::Running => troubles(metrics, &figures),
    };
    let readiness = if reasons.is_empty() { Readiness::Ready } else { Readiness::NotReady };
    (readiness, reasons)
}

/// What keeps a running loop from its work.
fn troubles(metrics: &Metrics, figures: &Figures) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let since = metrics.since_beat();
    if since > PATIENCE {
        reasons.push(stuck(since));
    }
    if figures.source_answers == Some(false) {
        reasons.push(reason("source_unreachable", "no Kafka broker answers"));
    }
    if !figures.partitions.values().any(|partition| partition.is_owned) {
        reasons.push(reason("no_partitions", "the group has given us no partition"));
    }
    for why in figures.stopped.values() {
        reasons.push(reason("partition_stopped", why.clone()));
    }
    if let Some(commit) = &figures.commit_in_flight {
        let since = metrics.elapsed().saturating_sub(commit.since);
        if let Some(error) = &commit.error {
            let seconds = since.as_secs();
            let text = format!("a commit is tried again for {seconds} seconds: {error}");
            reasons.push(reason("commit_failing", text));
        } else if since > COMMIT_PATIENCE {
            let text = format!("a commit has been on its way for {} seconds", since.as_secs());
            reasons.push(reason("commit_slow", text));
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dataward_event::position::Partition;

    use super::*;
    use crate::clock::SystemClock;
    use crate::figures::{InFlight, PartitionFigures};

    fn codes(
        activity: Activity,
        change: impl FnOnce(&mut Figures),
    ) -> (&'static str, Vec<&'static str>) {
        let metrics = Metrics::new(Arc::new(SystemClock::start()));
        metrics.set_activity(activity);
        let mut figures = Figures::default();
        let owned = PartitionFigures { is_owned: true, ..PartitionFigures::default() };
        figures.partitions.insert(Partition::new("audit", 0), owned);
        change(&mut figures);
        metrics.publish(figures);
        let (readiness, reasons) = readiness(&metrics);
        assert_eq!(liveness(&metrics), Ok(()));
        (readiness.as_str(), reasons.iter().map(|reason| reason.code).collect())
    }

    #[test]
    fn only_a_loop_that_should_turn_is_dead_when_it_does_not() {
        let late = PATIENCE + Duration::from_secs(1);
        let reason = life(&Activity::Running, late).expect_err("it is stuck");
        assert_eq!(reason.text, "the loop has not turned for 31 seconds");
        assert_eq!(life(&Activity::Running, PATIENCE), Ok(()));
        let standby = Activity::Standby { holder: "host/1".to_owned() };
        let waiting = [Activity::Starting, Activity::Connecting, Activity::Restoring];
        for waits in waiting.into_iter().chain([Activity::Stopping, standby]) {
            assert_eq!(life(&waits, late), Ok(()), "{waits:?}");
        }
    }

    #[test]
    fn each_trouble_is_told() {
        assert_eq!(codes(Activity::Running, |_| ()), ("ready", vec![]));
        assert_eq!(codes(Activity::Starting, |_| ()), ("not_ready", vec!["starting"]));
        assert_eq!(codes(Activity::Connecting, |_| ()), ("not_ready", vec!["connecting"]));
        assert_eq!(codes(Activity::Restoring, |_| ()), ("not_ready", vec!["restoring"]));
        assert_eq!(codes(Activity::Stopping, |_| ()), ("not_ready", vec!["stopping"]));
        let standby = Activity::Standby { holder: "host/1".to_owned() };
        assert_eq!(codes(standby, |_| ()), ("standby", vec!["standby"]));
        let running = |change: fn(&mut Figures)| codes(Activity::Running, change).1;
        assert_eq!(running(|f| f.partitions.clear()), ["no_partitions"]);
        assert_eq!(running(|f| f.source_answers = Some(false)), ["source_unreachable"]);
        let stopped = |f: &mut Figures| {
            f.stopped.insert(Partition::new("audit", 1), "cut".to_owned());
        };
        assert_eq!(codes(Activity::Running, stopped).1, ["partition_stopped"]);
        let failing = InFlight { since: Duration::ZERO, error: Some("disk full".to_owned()) };
        let failing = |f: &mut Figures| f.commit_in_flight = Some(failing);
        assert_eq!(codes(Activity::Running, failing).1, ["commit_failing"]);
        let under_way = InFlight { since: Duration::ZERO, error: None };
        let under_way = |f: &mut Figures| f.commit_in_flight = Some(under_way);
        assert_eq!(codes(Activity::Running, under_way), ("ready", vec![]));
    }
}
