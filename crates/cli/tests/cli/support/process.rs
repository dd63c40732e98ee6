//! The binary as a process: started, watched, and never left behind.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take, on a machine that has much else to do.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// The binary.
pub(crate) const DATAWARD: &str = env!("CARGO_BIN_EXE_dataward");

/// A running `dataward`. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    said: TempDir,
}

/// One that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn dataward(arguments: &[impl AsRef<OsStr>]) -> Finished {
    Running::start(arguments).wait()
}

impl Running {
    pub(crate) fn start(arguments: &[impl AsRef<OsStr>]) -> Self {
        let mut command = Command::new(DATAWARD);
        command.args(arguments);
        Self::spawn(command)
    }

    /// The binary, by a command that becomes it.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let said = TempDir::new().unwrap();
        let file = |name| File::create(said.path().join(name)).unwrap();
        let child = command
            .env_remove("DATAWARD_LOG")
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self { child, said }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stdout(&self) -> String {
        self.read("stdout")
    }

    pub(crate) fn stderr(&self) -> String {
        self.read("stderr")
    }

    fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.said.path().join(name)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it is so; fails when the process ends before.
    pub(crate) fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let has_ended = until(what, || {
            if is_so(self) {
                return Some(false);
            }
            self.child.try_wait().unwrap().map(|_| true)
        });
        // It may have become so with its last breath.
        assert!(!has_ended || is_so(self), "ended before {what}: {}", self.stderr());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; the process ends by itself.
    pub(crate) fn terminate(mut self) -> Finished {
        let status = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(status.success());
        self.finish()
    }

    pub(crate) fn wait(mut self) -> Finished {
        self.finish()
    }

    fn finish(&mut self) -> Finished {
        let code = until("the process to end", || {
            self.child.try_wait().unwrap().map(|status| status.code())
        });
        Finished { code, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// It has ended so.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Standard output, one JSON value a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        json_lines(&self.stdout)
    }
}

/// One JSON value a line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Waits until there is an answer.
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A file in a folder, with this text.
pub(crate) fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
