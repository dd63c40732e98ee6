//! The process of a server for tests: in a temporary folder, and gone with the test that started it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Set by `scripts/test`: a test without its server fails instead of being skipped.
const REQUIRE: &str = "DATAWARD_REQUIRE_SERVERS";
/// In place of a folder: there is none here, and nobody requires it.
const NONE: &str = "none";
/// How long a server may take to answer.
const START: Duration = Duration::from_secs(60);
/// A port that was free a moment ago may be taken when the server wants it.
const ATTEMPTS: u32 = 3;
/// Who has no rights: `nobody`, everywhere.
const NOBODY: u32 = 65534;
/// What the server said, in its folder.
const LOG: &str = "log.txt";
/// So much of it stands in an error.
const SAID: usize = 4_000;

/// Runs the server until our end of its standard input is closed: by a drop, or by the end of this process, however it
/// ended. A server that the tests of one binary share stands in a static, which is never dropped.
const GUARD: &str = r#"
signal=$1
folder=$2
shift 2
exec 3<&0
"$@" </dev/null 3<&- >"$folder/log.txt" 2>&1 &
server=$!
(read -r _ <&3; kill -s "$signal" $server) 2>/dev/null &
wait $server
test -e "$folder/kept" || rm -rf "$folder"
"#;

/// A server: running, or stopped for a while.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    name: &'static str,
    /// What ends it at once.
    signal: &'static str,
    /// `None` while it is stopped.
    guard: Option<Child>,
    folder: PathBuf,
    are_we_root: bool,
}

impl ServerProcess {
    /// A server that does not run yet, with a folder of its own.
    pub(crate) fn new(name: &'static str, signal: &'static str) -> io::Result<Self> {
        let folder = TempDir::new()?.keep();
        // We made it.
        let are_we_root = std::fs::metadata(&folder)?.uid() == 0;
        let process = Self { name, signal, guard: None, folder, are_we_root };
        process.let_write(&process.folder)?;
        Ok(process)
    }

    /// Where it may write.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder in its folder.
    pub(crate) fn subfolder(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::create_dir(&path)?;
        self.let_write(&path)?;
        Ok(path)
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)?;
        self.let_write(&path)?;
        Ok(path)
    }

    /// Lets the server write there, should it run as somebody else than we.
    fn let_write(&self, path: &Path) -> io::Result<()> {
        if self.are_we_root { chown(path, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
    }

    /// A program that runs without the rights of root. It may still read what is only root's: the programs may lie in his
    /// home, and their libraries.
    pub(crate) fn without_rights(&self, program: &Path) -> Command {
        if !self.are_we_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")])
            .args(["--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"])
            // Otherwise access(2) would leave the capability aside.
            .arg("--securebits=+no_setuid_fixup")
            .arg(program);
        command
    }

    /// Starts the process and waits until it serves.
    pub(crate) fn run(&mut self, command: &Command, is_ready: impl Fn() -> bool) -> io::Result<()> {
        // What it says must outlive it, should it fail.
        self.keep(true)?;
        let envs = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh", self.signal])
            .arg(&self.folder)
            .arg(command.get_program())
            .args(command.get_args())
            .envs(envs)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests; the server follows them.
            .process_group(0)
            .spawn()?;
        let guard = self.guard.insert(guard);
        let until = Instant::now() + START;
        while !is_ready() {
            if guard.try_wait()?.is_some() || Instant::now() > until {
                return Err(io::Error::other(format!(
                    "{} did not start: {}",
                    self.name,
                    self.said()
                )));
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        self.keep(false)
    }

    /// What it said last.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read(self.folder.join(LOG)).unwrap_or_default();
        let from = said.len().saturating_sub(SAID);
        String::from_utf8_lossy(&said[from..]).into_owned()
    }

    /// Whether the folder outlives the process.
    fn keep(&self, is_kept: bool) -> io::Result<()> {
        let mark = self.folder.join("kept");
        if is_kept { std::fs::write(mark, "") } else { std::fs::remove_file(mark) }
    }

    /// Ends the process. What it has on disk stays, for another [`run`](Self::run).
    pub(crate) fn stop(&mut self) -> io::Result<()> {
        self.keep(true)?;
        self.end();
        Ok(())
    }

    fn end(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            // The guard ends the server, and removes its folder unless it is kept.
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} said last: {}", self.name, self.said());
        }
        self.end();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a variable says about a server. `None`, said aloud, where there is none and nobody requires it.
pub(crate) fn announced(variable: &str, name: &str) -> io::Result<Option<OsString>> {
    match std::env::var_os(variable) {
        Some(value) if value == NONE => {
            eprintln!("SKIPPED: no {name} here ({variable} is {NONE})");
            Ok(None)
        }
        None if std::env::var_os(REQUIRE).is_some() => {
            Err(io::Error::other(format!("{variable} is not set")))
        }
        None => {
            eprintln!("SKIPPED: no {name} ({variable} is not set; scripts/test sets it)");
            Ok(None)
        }
        value => Ok(value),
    }
}

/// A program of a server, in the first of these folders that has it.
pub(crate) fn program(folders: &OsStr, name: &str) -> io::Result<PathBuf> {
    let found = std::env::split_paths(folders).map(|folder| folder.join(name)).find(|p| p.exists());
    found.ok_or_else(|| io::Error::other(format!("no {name} in {}", folders.display())))
}

/// Runs a program to its end.
///
/// # Errors
/// With what it said, when it failed.
pub(crate) fn run_to_end(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let program = command.get_program().display().to_string();
    let said = [output.stdout, output.stderr].concat();
    Err(io::Error::other(format!("{program} failed: {}", String::from_utf8_lossy(&said))))
}

/// Tries a start more than once: another took the port.
pub(crate) fn insist<T>(start: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut attempt = 1;
    loop {
        match start() {
            Ok(started) => return Ok(started),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(error) => eprintln!("trying again: {error}"),
        }
        attempt += 1;
    }
}

/// Ports that were free a moment ago; held together, so that they differ.
pub(crate) fn free_ports<const COUNT: usize>() -> io::Result<[u16; COUNT]> {
    let mut ports = [0; COUNT];
    let mut held = Vec::with_capacity(COUNT);
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
