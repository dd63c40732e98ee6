//! Alerts on their way to the sinks. A sink that is slow or dead holds up neither the loop nor another sink.
//!
//! Nothing is kept here that the table does not have: an alert's row is its place in the outbox, and a sink's cursor
//! says from where it is sent again after a crash.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dataward_event::finding::Owner;
use dataward_event::position::Progress;
use dataward_event::time::KafkaTime;

use crate::alert::Alert;
use crate::alert_sink::{AlertSink, SinkError};
use crate::archive::CursorKey;
use crate::clock::Clock;
use crate::figures::SinkFigures;

/// Alerts waiting for one sink at which the loop stops reading.
const QUEUE_MAX: usize = 50_000;
/// The most alerts handed to a sink at once.
const DELIVERY_MAX: usize = 256;
/// The first wait after a failed delivery; it doubles up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long a sink may still take with what it is delivering when the outbox is closed.
const CLOSING: Duration = Duration::from_secs(1);

/// All sinks and what waits for them.
pub struct Outbox {
    sinks: Vec<Queue>,
    /// Cursors that the next commit writes, each with the number after the last alert that was sent.
    touched: BTreeMap<CursorKey, i64>,
}

struct Queue {
    name: String,
    shared: Arc<Shared>,
    delivery: Delivery,
}

/// An alert on its way.
struct Parcel {
    alert: Alert,
    /// When the oldest record was appended that may have caused it; `None`: the clock did, or it is sent again.
    appended: Option<KafkaTime>,
}

enum Delivery {
    Inline(Box<dyn AlertSink>),
    Thread(Option<JoinHandle<()>>),
}

struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Waiting {
    /// Oldest first. An alert leaves when its sink has it safe.
    alerts: VecDeque<Parcel>,
    is_closed: bool,
    figures: SinkFigures,
    last_error: Option<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A sink that panicked leaves its queue as it was: the alerts still wait.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// Sinks that are served in the caller's thread, whenever [`pump`](Self::pump) is called.
    pub fn inline(sinks: Vec<Box<dyn AlertSink>>, clock: &Arc<dyn Clock>) -> Self {
        let queues = sinks.into_iter().map(|sink| {
            let name = sink.name().to_owned();
            Queue { name, shared: new_shared(clock), delivery: Delivery::Inline(sink) }
        });
        Self { sinks: queues.collect(), touched: BTreeMap::new() }
    }

    /// Sinks that are served by a thread each.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn threads(
        sinks: Vec<Box<dyn AlertSink>>,
        clock: &Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let mut queues = Vec::new();
        for sink in sinks {
            let name = sink.name().to_owned();
            let shared = new_shared(clock);
            let theirs = Arc::clone(&shared);
            let thread = std::thread::Builder::new()
                .name(format!("sink-{name}"))
                .spawn(move || serve(sink, &theirs))?;
            queues.push(Queue { name, shared, delivery: Delivery::Thread(Some(thread)) });
        }
        Ok(Self { sinks: queues, touched: BTreeMap::new() })
    }

    /// The names of the sinks.
    pub fn names(&self) -> Vec<String> {
        self.sinks.iter().map(|queue| queue.name.clone()).collect()
    }

    /// Sends an alert to every sink. `appended`: when the oldest record was appended that may have caused it.
    pub fn push(&mut self, alert: &Alert, appended: Option<KafkaTime>) {
        for number in 0..self.sinks.len() {
            self.enqueue(number, Parcel { alert: alert.clone(), appended });
        }
        self.pump();
    }

    /// Sends alerts to one sink again, from its cursor.
    pub fn resend(&mut self, name: &str, alerts: Vec<Alert>) {
        if let Some(number) = self.sinks.iter().position(|queue| queue.name == name) {
            for alert in alerts {
                self.enqueue(number, Parcel { alert, appended: None });
            }
        }
        self.pump();
    }

    fn enqueue(&mut self, number: usize, parcel: Parcel) {
        let queue = &self.sinks[number];
        let trigger = &parcel.alert.trigger;
        let key = CursorKey { sink: queue.name.clone(), owner: trigger.owner() };
        let after = self.touched.entry(key).or_default();
        *after = (*after).max(trigger.number().saturating_add(1));
        queue.shared.lock().alerts.push_back(parcel);
        queue.shared.changed.notify_all();
    }

    /// Serves the sinks that have no thread.
    pub fn pump(&mut self) {
        for queue in &mut self.sinks {
            if let Delivery::Inline(sink) = &mut queue.delivery {
                while deliver_some(sink.as_mut(), &queue.shared) == Progressed::Some {}
            }
        }
    }

    /// Whether some sink is so far behind that reading must stop.
    pub fn is_full(&self) -> bool {
        self.sinks.iter().any(|queue| queue.shared.lock().alerts.len() >= QUEUE_MAX)
    }

    /// Whether every alert has arrived.
    pub fn is_empty(&self) -> bool {
        self.sinks.iter().all(|queue| queue.shared.lock().alerts.is_empty())
    }

    /// What keeps the sinks that have alerts waiting: name, how many, the last error.
    pub fn waiting(&self) -> Vec<(String, usize, Option<String>)> {
        let each = self.sinks.iter().map(|queue| {
            let waiting = queue.shared.lock();
            (queue.name.clone(), waiting.alerts.len(), waiting.last_error.clone())
        });
        each.filter(|(_, count, _)| *count > 0).collect()
    }

    /// The figures of every sink, by name.
    pub fn figures(&self) -> BTreeMap<String, SinkFigures> {
        let each = self.sinks.iter().map(|queue| {
            let waiting = queue.shared.lock();
            let oldest_waiting = waiting.alerts.front().map(|parcel| parcel.alert.logged_time);
            let waiting_now = waiting.alerts.len();
            let figures =
                SinkFigures { waiting: waiting_now, oldest_waiting, ..waiting.figures.clone() };
            (queue.name.clone(), figures)
        });
        each.collect()
    }

    /// Waits until every alert has arrived, at most `timeout`. `true` if so.
    pub fn drain(&mut self, timeout: Duration) -> bool {
        self.pump();
        let until = Instant::now() + timeout;
        for queue in &self.sinks {
            if matches!(queue.delivery, Delivery::Inline(_)) {
                continue;
            }
            let mut waiting = queue.shared.lock();
            while !waiting.alerts.is_empty() {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                let result = queue.shared.changed.wait_timeout(waiting, left);
                waiting = result.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        self.is_empty()
    }

    /// The first trigger that each sink has not acknowledged, for the cursors that may have moved since the last commit.
    ///
    /// They go into a commit that is tried until it is in the table. A cursor that an alert holds back now must be
    /// written once more, even if that alert arrives before the commit does.
    pub fn cursors(&mut self, progress: &Progress, keeper_next: u64) -> BTreeMap<CursorKey, i64> {
        let mut cursors = BTreeMap::new();
        let sinks = &self.sinks;
        self.touched.retain(|key, after| {
            let next = match &key.owner {
                Owner::Keeper => i64::try_from(keeper_next).ok(),
                Owner::Partition(partition) => progress.next(partition).map(|offset| offset.0),
                Owner::Lessons => None,
            };
            // An owner that we do not hold has no progress of ours: its alerts end with the last one sent.
            let next = next.unwrap_or(*after);
            let queue = sinks.iter().find(|queue| queue.name == key.sink);
            let first_waiting = queue.and_then(|queue| first_waiting(&queue.shared, &key.owner));
            cursors.insert(key.clone(), first_waiting.map_or(next, |first| first.min(next)));
            first_waiting.is_some()
        });
        cursors
    }

    /// Lets the next commit name every sink's cursor for these owners: a new sink starts where the table stands.
    pub fn touch(&mut self, owners: impl IntoIterator<Item = Owner>) {
        for owner in owners {
            let keys = self
                .sinks
                .iter()
                .map(|queue| CursorKey { sink: queue.name.clone(), owner: owner.clone() });
            for key in keys.collect::<Vec<_>>() {
                self.touched.entry(key).or_default();
            }
        }
    }

    /// Whether a commit would move a cursor.
    pub fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        for queue in &self.sinks {
            queue.shared.lock().is_closed = true;
            queue.shared.changed.notify_all();
        }
        let until = Instant::now() + CLOSING;
        for queue in &mut self.sinks {
            let Delivery::Thread(thread) = &mut queue.delivery else { continue };
            let Some(thread) = thread.take() else { continue };
            while !thread.is_finished() && Instant::now() < until {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            // One that waits for a dead outside world is left to itself. What it could not deliver is in the table,
            // behind its cursor.
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}

fn new_shared(clock: &Arc<dyn Clock>) -> Arc<Shared> {
    let (waiting, changed) = (Mutex::default(), Condvar::new());
    Arc::new(Shared { waiting, changed, clock: Arc::clone(clock) })
}

fn first_waiting(shared: &Shared, owner: &Owner) -> Option<i64> {
    let waiting = shared.lock();
    let triggers = waiting.alerts.iter().map(|parcel| &parcel.alert.trigger);
    triggers.filter(|trigger| trigger.owner() == *owner).map(|trigger| trigger.number()).min()
}

#[derive(PartialEq, Eq)]
enum Progressed {
    /// Something was delivered; there may be more.
    Some,
    /// Nothing waits, or the sink failed.
    None,
}

/// Hands the oldest alerts to a sink. They leave the queue only when the sink has them safe: a crash before that sends
/// them again, under the same ids.
fn deliver_some(sink: &mut dyn AlertSink, shared: &Shared) -> Progressed {
    let oldest = |waiting: &Waiting| -> Vec<Alert> {
        waiting.alerts.iter().take(DELIVERY_MAX).map(|parcel| parcel.alert.clone()).collect()
    };
    let alerts = oldest(&shared.lock());
    if alerts.is_empty() {
        return Progressed::None;
    }
    let result = sink.deliver(&alerts);
    let mut waiting = shared.lock();
    match result {
        Ok(()) => {
            let waiting_now = &mut *waiting;
            let now = shared.clock.now();
            for parcel in waiting_now.alerts.drain(..alerts.len()) {
                waiting_now.figures.delivered(parcel.appended, now);
            }
            waiting.last_error = None;
            drop(waiting);
            shared.changed.notify_all();
            Progressed::Some
        }
        Err(error) => {
            waiting.figures.failures += 1;
            let text = error.to_string();
            if waiting.last_error.as_ref() != Some(&text) {
                log_failure(sink.name(), &error);
            }
            waiting.last_error = Some(text);
            Progressed::None
        }
    }
}

fn log_failure(sink: &str, error: &SinkError) {
    match error {
        SinkError::Unavailable(_) => tracing::warn!(sink, %error, "failed to deliver alerts"),
        SinkError::Fatal(_) => tracing::error!(sink, %error, "failed to deliver alerts"),
    }
}

fn serve(mut sink: Box<dyn AlertSink>, shared: &Shared) {
    let mut retry = RETRY_FIRST;
    loop {
        {
            let mut waiting = shared.lock();
            while waiting.alerts.is_empty() && !waiting.is_closed {
                waiting = shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if waiting.is_closed {
                return;
            }
        }
        if deliver_some(sink.as_mut(), shared) == Progressed::Some {
            retry = RETRY_FIRST;
            continue;
        }
        let waiting = shared.lock();
        let result = shared.changed.wait_timeout_while(waiting, retry, |w| !w.is_closed);
        drop(result);
        retry = (retry * 2).min(RETRY_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use dataward_event::finding::{RuleId, Severity};
    use dataward_event::position::{Offset, Partition, Position};
    use dataward_event::time::{EventTime, IngestTime};

    use super::*;

    struct Sink(Arc<Mutex<bool>>);

    impl AlertSink for Sink {
        fn name(&self) -> &str {
            "webhook"
        }

        fn deliver(&mut self, _: &[Alert]) -> Result<(), SinkError> {
            let is_up = *self.0.lock().unwrap();
            is_up.then_some(()).ok_or(SinkError::Unavailable("down".to_owned()))
        }
    }

    fn clock() -> Arc<dyn Clock> {
        Arc::new(crate::clock::SystemClock::start())
    }

    fn alert(offset: i64) -> Alert {
        let partition = Partition::new("audit", 0);
        let position = Position { partition, offset: Offset(offset), record_index: 0 };
        let finding = dataward_detect::partition_state::StreamFinding {
            rule: RuleId::ArchiveGap,
            severity: Severity::HIGH,
            position: &position,
            time: EventTime::from_micros(0),
            title: String::new(),
            description: String::new(),
            remediation: "",
        };
        let finding = dataward_detect::partition_state::stream_finding(finding);
        Alert::new(&finding, IngestTime::from_micros(0))
    }

    /// It says that it delivers, and its outside world never answers.
    struct Stuck(mpsc::Sender<()>, mpsc::Receiver<()>);

    impl AlertSink for Stuck {
        fn name(&self) -> &str {
            "stuck"
        }

        fn deliver(&mut self, _: &[Alert]) -> Result<(), SinkError> {
            let _ = self.0.send(());
            let _ = self.1.recv();
            Ok(())
        }
    }

    #[test]
    fn a_sink_that_never_answers_does_not_hold_the_end_up() {
        let ((begun, beginning), (answer, answered)) = (mpsc::channel(), mpsc::channel());
        let mut outbox = Outbox::threads(vec![Box::new(Stuck(begun, answered))], &clock()).unwrap();
        outbox.push(&alert(5), None);
        beginning.recv().unwrap();
        let (ended, ending) = mpsc::channel();
        std::thread::spawn(move || {
            drop(outbox);
            let _ = ended.send(());
        });
        ending.recv_timeout(Duration::from_secs(60)).expect("it ends");
        drop(answer);
    }

    #[test]
    fn a_cursor_that_was_held_back_is_written_again() {
        let is_up = Arc::new(Mutex::new(false));
        let mut outbox = Outbox::inline(vec![Box::new(Sink(Arc::clone(&is_up)))], &clock());
        let progress: Progress = [(Partition::new("audit", 0), Offset(9))].into_iter().collect();
        outbox.push(&alert(5), None);
        assert_eq!(outbox.cursors(&progress, 0).into_values().collect::<Vec<_>>(), [5]);
        // It arrives while the commit of that cursor is on its way.
        *is_up.lock().unwrap() = true;
        outbox.pump();
        assert!(outbox.is_touched());
        assert_eq!(outbox.cursors(&progress, 0).into_values().collect::<Vec<_>>(), [9]);
        assert!(!outbox.is_touched());
    }

    #[test]
    fn a_sink_is_measured() {
        let is_up = Arc::new(Mutex::new(false));
        let clock = clock();
        let mut outbox = Outbox::inline(vec![Box::new(Sink(Arc::clone(&is_up)))], &clock);
        let appended = KafkaTime::from_micros(clock.now().micros() - 20_000_000);
        outbox.push(&alert(5), Some(appended));
        outbox.push(&alert(6), None);
        let before = outbox.figures().remove("webhook").unwrap();
        assert_eq!((before.waiting, before.delivered, before.failures), (2, 0, 2));
        assert_eq!(before.oldest_waiting, Some(IngestTime::from_micros(0)));
        *is_up.lock().unwrap() = true;
        outbox.pump();
        let after = outbox.figures().remove("webhook").unwrap();
        assert_eq!((after.waiting, after.delivered, after.failures), (0, 2, 2));
        assert_eq!(after.oldest_waiting, None);
        assert_eq!(after.event_to_alert.count(), 1, "only one was caused by a record");
        assert!(after.event_to_alert.sum() >= 20.0, "{}", after.event_to_alert.sum());
    }
}
