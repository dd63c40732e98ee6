//! The one writer: at most one commit in flight, on a thread of its own so that reading goes on meanwhile.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::archive::{Archive, ArchiveError, Checkpoint, Committed};

/// What became of a commit. On an error that may be tried again it holds the checkpoint.
pub type CommitResult<R> = Result<Committed, Box<(ArchiveError, Option<Checkpoint<R>>)>>;

/// The archive, and the commit in flight.
pub struct Writer<A: Archive> {
    archive: Arc<Mutex<A>>,
    thread: Option<WriterThread<A::Rows>>,
    results: VecDeque<CommitResult<A::Rows>>,
    is_busy: bool,
}

struct WriterThread<R> {
    requests: Option<Sender<Checkpoint<R>>>,
    results: Receiver<CommitResult<R>>,
    thread: Option<JoinHandle<()>>,
}

impl<A: Archive + Send + 'static> Writer<A> {
    /// A writer in the caller's thread: a commit is done when [`submit`](Self::submit) returns.
    pub fn inline(archive: A) -> Self {
        let archive = Arc::new(Mutex::new(archive));
        Self { archive, thread: None, results: VecDeque::new(), is_busy: false }
    }

    /// A writer on a thread.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn thread(archive: A) -> std::io::Result<Self> {
        let archive = Arc::new(Mutex::new(archive));
        let (requests, requests_from) = unbounded::<Checkpoint<A::Rows>>();
        let (results_to, results) = unbounded();
        let theirs = Arc::clone(&archive);
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            for checkpoint in requests_from {
                if results_to.send(commit(&theirs, checkpoint)).is_err() {
                    return;
                }
            }
        })?;
        let thread = WriterThread { requests: Some(requests), results, thread: Some(thread) };
        Ok(Self { archive, thread: Some(thread), results: VecDeque::new(), is_busy: false })
    }

    /// The archive, once no commit is in flight: waits for the one that is.
    pub fn archive(&self) -> MutexGuard<'_, A> {
        self.archive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a commit is in flight or its result is not taken yet.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Commits a checkpoint. Only while not busy.
    pub fn submit(&mut self, checkpoint: Checkpoint<A::Rows>) {
        debug_assert!(!self.is_busy, "one commit in flight");
        self.is_busy = true;
        match &self.thread {
            Some(WriterThread { requests: Some(requests), .. }) => {
                // It fails only if the thread died, which `result` reports.
                let _ = requests.send(checkpoint);
            }
            _ => {
                let result = commit(&self.archive, checkpoint);
                self.results.push_back(result);
            }
        }
    }

    /// The result of the commit in flight, waiting at most `timeout`.
    pub fn result(&mut self, timeout: Duration) -> Option<CommitResult<A::Rows>> {
        if !self.is_busy {
            return None;
        }
        let result = match &self.thread {
            None => self.results.pop_front(),
            Some(thread) if timeout.is_zero() => thread.results.try_recv().ok(),
            Some(thread) => thread.results.recv_timeout(timeout).ok(),
        };
        let is_dead = self
            .thread
            .as_ref()
            .is_some_and(|thread| thread.thread.as_ref().is_some_and(JoinHandle::is_finished));
        let result = match result {
            None if is_dead => {
                let error = ArchiveError::Broken("the writer thread has died".to_owned());
                Some(Err(Box::new((error, None))))
            }
            result => result,
        };
        self.is_busy = result.is_none();
        result
    }
}

impl<A: Archive> Drop for Writer<A> {
    fn drop(&mut self) {
        if let Some(thread) = &mut self.thread {
            thread.requests = None;
            if let Some(handle) = thread.thread.take() {
                // A commit in flight ends by itself; whether it is in the table, the table says.
                let _ = handle.join();
            }
        }
    }
}

fn commit<A: Archive>(
    archive: &Mutex<A>,
    checkpoint: Checkpoint<A::Rows>,
) -> CommitResult<A::Rows> {
    let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
    archive.commit(checkpoint).map_err(|error| Box::new((error, archive.take_back())))
}
