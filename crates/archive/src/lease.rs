//! Who holds the archive, for those who wait to take over.
//!
//! The lease only says when it is worth while to claim; the claim in the table decides. So a wrong
//! guess is harmless, and no clocks of two machines are compared: the one who waits looks whether a
//! counter stands still, on its own monotonic clock.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dataward_pipeline::archive::ArchiveError;
use object_store::PutPayload;
use serde::{Deserialize, Serialize};

use crate::durable_local::write_durably;
use crate::location::Location;

const NAME: &str = "lease";

/// How often the holder rewrites the lease.
pub const REWRITE_EVERY: Duration = Duration::from_secs(2);

/// How long the counter stands still before somebody else claims.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What the lease file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseInfo {
    /// The holder, in words for a person: host and process.
    pub owner: String,
    /// The epoch of the keeper's claim.
    pub epoch: i64,
    /// Rises with every rewriting.
    pub counter: u64,
    /// The holder has stopped: nobody need wait.
    pub is_released: bool,
}

/// The holder of an archive. `None`: nobody has ever held it, or the lease cannot be read.
pub fn holder(location: &Path) -> Option<LeaseInfo> {
    read(&lease_path(location).ok()?)
}

fn read(path: &Path) -> Option<LeaseInfo> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn write(path: &Path, lease: &LeaseInfo) -> io::Result<()> {
    let json = serde_json::to_vec(lease)?;
    write_durably(path, &PutPayload::from(json), false)
}

fn lease_path(location: &Path) -> Result<PathBuf, ArchiveError> {
    Ok(Location::new(location)?.state().join(NAME))
}

/// Rewrites the lease as long as it lives, and releases it when it is dropped.
#[derive(Debug)]
pub struct Keepalive {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Keepalive {
    /// Takes the lease for the holder of this claim, and keeps it.
    ///
    /// # Errors
    /// `Unavailable` if the lease cannot be written.
    pub fn start(
        location: &Path,
        owner: &str,
        epoch: i64,
        every: Duration,
    ) -> Result<Self, ArchiveError> {
        let path = lease_path(location)?;
        let counter = read(&path).map_or(0, |lease| lease.counter + 1);
        let mut lease = LeaseInfo { owner: owner.to_owned(), epoch, counter, is_released: false };
        let shown = path.display().to_string();
        let failed = |error: io::Error| {
            ArchiveError::Unavailable(format!("failed to write the lease {shown}: {error}"))
        };
        write(&path, &lease).map_err(failed)?;
        let (stop, stopped) = mpsc::channel();
        let keep = move || {
            let mut is_failing = false;
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                lease.counter += 1;
                rewrite(&path, &lease, &mut is_failing);
            }
            lease.is_released = true;
            lease.counter += 1;
            rewrite(&path, &lease, &mut is_failing);
        };
        let thread = thread::Builder::new().name("lease".into()).spawn(keep).map_err(failed)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

/// Rewrites the lease unless a later claim holds it. That it fails is told once, until it works again.
fn rewrite(path: &Path, lease: &LeaseInfo, is_failing: &mut bool) {
    if read(path).is_some_and(|found| found.epoch > lease.epoch) {
        return;
    }
    let written = write(path, lease);
    if let Err(error) = &written
        && !*is_failing
    {
        let path = path.display();
        tracing::warn!(%error, %path, "the lease could not be rewritten: a standby may try to take over");
    }
    *is_failing = written.is_err();
}

impl Drop for Keepalive {
    fn drop(&mut self) {
        // The thread ends on either: a word, or a closed channel.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Why the waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// Nobody holds the archive as far as can be told: claim it.
    Free,
    /// We were asked to stop.
    Stopped,
}

/// Waits until nobody has rewritten the lease for as long as `patience`.
///
/// # Errors
/// `Broken` if the location cannot be one of an archive.
pub fn wait_until_free(
    location: &Path,
    patience: Duration,
    poll: Duration,
    stop: &AtomicBool,
) -> Result<Waited, ArchiveError> {
    let path = lease_path(location)?;
    let since = Instant::now();
    let mut standby = Standby::new(patience);
    while !stop.load(Ordering::Relaxed) {
        if standby.is_free(read(&path).as_ref(), since.elapsed()) {
            return Ok(Waited::Free);
        }
        thread::park_timeout(poll);
    }
    Ok(Waited::Stopped)
}

/// What one who waits has seen.
#[derive(Debug)]
struct Standby {
    patience: Duration,
    seen: Option<(String, i64, u64)>,
    since: Duration,
}

impl Standby {
    fn new(patience: Duration) -> Self {
        Self { patience, seen: None, since: Duration::ZERO }
    }

    /// Whether the lease, looked at now, has stood still long enough.
    fn is_free(&mut self, lease: Option<&LeaseInfo>, now: Duration) -> bool {
        let Some(lease) = lease.filter(|lease| !lease.is_released) else { return true };
        let seen = Some((lease.owner.clone(), lease.epoch, lease.counter));
        if self.seen != seen {
            self.seen = seen;
            self.since = now;
        }
        now.saturating_sub(self.since) >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(counter: u64) -> LeaseInfo {
        LeaseInfo { owner: "one".into(), epoch: 1, counter, is_released: false }
    }

    #[test]
    fn only_a_counter_that_stands_still_frees_the_archive() {
        let second = Duration::from_secs;
        let mut standby = Standby::new(second(10));
        assert!(!standby.is_free(Some(&lease(4)), second(100)));
        assert!(!standby.is_free(Some(&lease(4)), second(109)));
        assert!(!standby.is_free(Some(&lease(5)), second(110)));
        assert!(!standby.is_free(Some(&lease(5)), second(119)));
        assert!(standby.is_free(Some(&lease(5)), second(120)));
        assert!(Standby::new(second(10)).is_free(None, second(0)));
        let released = LeaseInfo { is_released: true, ..lease(6) };
        assert!(Standby::new(second(10)).is_free(Some(&released), second(0)));
    }

    #[test]
    fn a_keepalive_holds_and_then_releases() {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("archive");
        let never = AtomicBool::new(false);
        assert_eq!(holder(&archive), None);
        let keepalive = Keepalive::start(&archive, "host/1", 3, PATIENCE).unwrap();
        let held = holder(&archive).unwrap();
        assert_eq!((held.owner.as_str(), held.epoch, held.is_released), ("host/1", 3, false));
        let stopped = AtomicBool::new(true);
        let waited = wait_until_free(&archive, PATIENCE, Duration::ZERO, &stopped);
        assert_eq!(waited.unwrap(), Waited::Stopped);
        drop(keepalive);
        assert!(holder(&archive).unwrap().is_released);
        let waited = wait_until_free(&archive, PATIENCE, Duration::ZERO, &never);
        assert_eq!(waited.unwrap(), Waited::Free);
    }

    #[test]
    fn a_holder_that_was_succeeded_leaves_the_lease_alone() {
        let directory = tempfile::tempdir().unwrap();
        let archive = directory.path().join("archive");
        let old = Keepalive::start(&archive, "old", 1, PATIENCE).unwrap();
        let _new = Keepalive::start(&archive, "new", 2, PATIENCE).unwrap();
        drop(old);
        let held = holder(&archive).unwrap();
        assert_eq!((held.owner.as_str(), held.is_released), ("new", false));
    }
}
