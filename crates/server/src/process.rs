//! What the system says of this process.

use std::sync::{Mutex, PoisonError};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Asks the system.
#[derive(Debug)]
pub(crate) struct OwnProcess {
    system: Mutex<System>,
    id: Option<Pid>,
}

/// What it said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessFigures {
    /// CPU time since the start, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Resident memory, in bytes.
    pub(crate) resident_bytes: u64,
    /// When it was started, in seconds since the epoch.
    pub(crate) start_seconds: u64,
    /// Open files.
    pub(crate) open_files: Option<u64>,
    /// How many may be open.
    pub(crate) open_files_max: Option<u64>,
}

impl OwnProcess {
    pub(crate) fn new() -> Self {
        Self { system: Mutex::new(System::new()), id: sysinfo::get_current_pid().ok() }
    }

    /// `None` where the system does not tell.
    pub(crate) fn figures(&self) -> Option<ProcessFigures> {
        let id = self.id?;
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, wanted);
        let process = system.process(id)?;
        Some(ProcessFigures {
            cpu_seconds: process.accumulated_cpu_time() as f64 / 1e3,
            resident_bytes: process.memory(),
            start_seconds: process.start_time(),
            open_files: process.open_files().map(|count| count as u64),
            open_files_max: process.open_files_limit().map(|count| count as u64),
        })
    }
}
