//! A child from start to end, and what it cost.

use std::collections::BTreeMap;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) processor: Duration,
    /// The most memory it had at once, in bytes.
    pub(crate) peak_bytes: u64,
}

/// Starts a process.
pub(crate) fn start(command: &mut Command) -> (Child, Instant) {
    let began = Instant::now();
    (command.spawn().expect("a process"), began)
}

/// Waits for its end, which must be a good one.
pub(crate) fn finish(child: Child, began: Instant) -> Cost {
    let used = child.wait4().expect("its end");
    assert_good(used.status);
    Cost {
        wall: began.elapsed(),
        processor: used.rusage.utime + used.rusage.stime,
        peak_bytes: used.rusage.maxrss,
    }
}

/// Asks it to end.
pub(crate) fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert_good(status.expect("kill"));
}

/// The processor time of each thread so far, in seconds, by its name; numbers and what stands behind a colon are cut off
/// the names. Empty where the system has no `/proc`.
pub(crate) fn threads(child: &Child) -> BTreeMap<String, f64> {
    /// What the kernel counts in, per second: on Linux always the same for those who read it.
    const TICKS: f64 = 100.0;
    let mut threads = BTreeMap::new();
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten();
    for task in tasks.flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // The name stands in brackets and may hold anything; user and system time are the 12th and 13th field behind it.
        let Some((head, fields)) = stat.rsplit_once(')') else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        let fields = fields.split_whitespace().skip(11).take(2);
        let ticks: f64 = fields.filter_map(|field| field.parse::<f64>().ok()).sum();
        *threads.entry(name.to_owned()).or_default() += ticks / TICKS;
    }
    threads
}

fn assert_good(status: ExitStatus) {
    assert!(status.success(), "ended with {status}");
}
