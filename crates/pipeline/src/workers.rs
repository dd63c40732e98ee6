//! The workers: each owns a lane, answers in the order of its tasks, and never waits for another.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use dataward_detect::context::Context;
use dataward_detect::partition_state::PartitionState;
use dataward_event::position::{Offset, Partition};

use crate::archive::Rows;
use crate::batch::Batch;
use crate::clock::Clock;
use crate::lane::{Frozen, Lane, Outcome};
use crate::settings::TopicSettings;

/// What a worker is asked to do.
pub enum Task<R> {
    /// Take a partition over.
    Open {
        /// Which.
        partition: Partition,
        /// How to read it.
        topic: TopicSettings,
        /// Where its state stands.
        next: Offset,
        /// Its state.
        state: Box<PartitionState>,
    },
    /// Give a partition up.
    Close(Partition),
    /// What people know and no log says, from here on.
    Adopt(Arc<Context>),
    /// The last snapshot of a partition was not saved: the next one must be whole.
    MarkDirty(Partition),
    /// Take records in.
    Batch(Batch),
    /// The marker of a checkpoint: hand over everything that came before it.
    Freeze {
        /// State is due.
        with_snapshots: bool,
        /// The buffer to go on with.
        empty: R,
    },
}

/// What a worker answers. The other tasks have no answer.
pub enum Reply<R> {
    /// A batch is in the buffer.
    Done {
        /// The worker.
        lane: usize,
        /// The size of the batch, in bytes: no longer on the way.
        batch_bytes: usize,
        /// The size of the worker's rows now, in bytes.
        buffered_bytes: usize,
        /// What it led to.
        outcome: Box<Outcome>,
        /// How long it took; nobody measures a worker in the caller's thread.
        took: Option<Duration>,
    },
    /// The part of a checkpoint.
    Frozen {
        /// The worker.
        lane: usize,
        /// Its part.
        frozen: Box<Frozen<R>>,
    },
    /// The worker is gone: a defect. Nothing of it may be committed.
    Failed {
        /// The worker.
        lane: usize,
        /// Why.
        reason: String,
    },
}

/// All workers: on threads of their own, or, for scans and simulations, in the caller's.
pub enum Workers<R> {
    /// In the caller's thread: a task is done when `send` returns.
    Inline {
        /// The lanes.
        lanes: Vec<Lane<R>>,
        /// Answers not yet taken.
        replies: VecDeque<Reply<R>>,
    },
    /// On threads.
    Threads {
        /// One for each worker.
        tasks: Vec<Sender<Task<R>>>,
        /// Of all workers.
        replies: Receiver<Reply<R>>,
        /// To be joined when the tasks are over.
        threads: Vec<JoinHandle<()>>,
    },
}

impl<R: Rows> Workers<R> {
    /// One worker in the caller's thread.
    pub fn inline(rows: R, clock: Arc<dyn Clock>) -> Self {
        Self::Inline { lanes: vec![Lane::new(rows, clock)], replies: VecDeque::new() }
    }

    /// Workers on threads, one for each buffer given.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn threads(rows: Vec<R>, clock: &Arc<dyn Clock>) -> std::io::Result<Self> {
        let (reply_to, replies) = unbounded();
        let mut tasks = Vec::new();
        let mut threads = Vec::new();
        for (lane, rows) in rows.into_iter().enumerate() {
            let (task_to, task_from) = unbounded();
            let worker = Lane::new(rows, Arc::clone(clock));
            let reply_to = reply_to.clone();
            let thread = std::thread::Builder::new()
                .name(format!("worker-{lane}"))
                .spawn(move || work(lane, worker, &task_from, &reply_to))?;
            tasks.push(task_to);
            threads.push(thread);
        }
        Ok(Self::Threads { tasks, replies, threads })
    }

    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Self::Inline { lanes, .. } => lanes.len(),
            Self::Threads { tasks, .. } => tasks.len(),
        }
    }

    /// Gives a worker a task.
    pub fn send(&mut self, lane: usize, task: Task<R>) {
        match self {
            Self::Inline { lanes, replies } => {
                replies.extend(perform(lane, &mut lanes[lane], task))
            }
            // A worker that is gone has sent `Failed` already.
            Self::Threads { tasks, .. } => drop(tasks[lane].send(task)),
        }
    }

    /// The next answer, waiting at most `timeout`.
    pub fn receive(&mut self, timeout: Duration) -> Option<Reply<R>> {
        match self {
            Self::Inline { replies, .. } => replies.pop_front(),
            Self::Threads { replies, .. } if timeout.is_zero() => replies.try_recv().ok(),
            Self::Threads { replies, .. } => replies.recv_timeout(timeout).ok(),
        }
    }
}

impl<R> Drop for Workers<R> {
    fn drop(&mut self) {
        if let Self::Threads { tasks, threads, .. } = self {
            tasks.clear();
            for thread in threads.drain(..) {
                // A worker that panicked has said so by `Failed`.
                let _ = thread.join();
            }
        }
    }
}

fn work<R: Rows>(
    lane: usize,
    mut worker: Lane<R>,
    tasks: &Receiver<Task<R>>,
    replies: &Sender<Reply<R>>,
) {
    for task in tasks {
        let begun = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| perform(lane, &mut worker, task)));
        let reply = match result {
            Ok(None) => continue,
            Ok(Some(Reply::Done { lane, batch_bytes, buffered_bytes, outcome, .. })) => {
                let took = Some(begun.elapsed());
                Reply::Done { lane, batch_bytes, buffered_bytes, outcome, took }
            }
            Ok(Some(reply)) => reply,
            // Its message may quote a payload: the log names the place instead.
            Err(_) => Reply::Failed { lane, reason: "a defect, see the log".to_owned() },
        };
        let is_over = matches!(reply, Reply::Failed { .. });
        if replies.send(reply).is_err() || is_over {
            return;
        }
    }
}

fn perform<R: Rows>(lane: usize, worker: &mut Lane<R>, task: Task<R>) -> Option<Reply<R>> {
    match task {
        Task::Open { partition, topic, next, state } => {
            worker.open(partition, topic, next, *state);
            None
        }
        Task::Close(partition) => {
            worker.close(&partition);
            None
        }
        Task::Adopt(context) => {
            worker.adopt(context);
            None
        }
        Task::MarkDirty(partition) => {
            worker.mark_dirty(&partition);
            None
        }
        Task::Batch(batch) => {
            let outcome = Box::new(worker.take(&batch));
            let buffered_bytes = worker.buffered_bytes();
            let batch_bytes = batch.bytes();
            Some(Reply::Done { lane, batch_bytes, buffered_bytes, outcome, took: None })
        }
        Task::Freeze { with_snapshots, empty } => {
            let frozen = Box::new(worker.freeze(with_snapshots, empty));
            Some(Reply::Frozen { lane, frozen })
        }
    }
}
