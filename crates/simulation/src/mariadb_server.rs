//! A real MariaDB with the plugin server_audit for tests: on a free port of loopback, stopped when it is dropped.
//!
//! It logs as `docs/sources/mariadb.server_audit.md` says.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server_process::{ServerProcess, announced, free_ports, insist, program, run_to_end};

/// Where `scripts/test` has put its programs.
const PROGRAMS: &str = "DATAWARD_MARIADB";
/// What it is told; see there.
const SETTINGS: &str = include_str!("../../../scripts/servers/mariadb.cnf.template");
/// Who may do everything, through the socket and without a password.
pub const SUPERUSER: &str = "root";

/// A running server.
#[derive(Debug)]
pub struct MariadbServer {
    process: ServerProcess,
    programs: OsString,
    port: u16,
}

impl MariadbServer {
    /// Starts a server, with more settings than its usual ones. `None`, said aloud, where its programs are missing and
    /// nobody requires them.
    ///
    /// # Errors
    /// When the server does not answer in time.
    pub fn start(more: &str) -> io::Result<Option<Self>> {
        let Some(programs) = announced(PROGRAMS, "real MariaDB")? else { return Ok(None) };
        insist(|| Self::start_once(&programs, more)).map(Some)
    }

    fn start_once(programs: &OsStr, more: &str) -> io::Result<Self> {
        // It writes nothing but its folder.
        let mut process = ServerProcess::new("MariaDB", "KILL")?;
        let [port] = free_ports()?;
        process.subfolder("log")?;
        let data = process.subfolder("data")?;
        let mut install = process.without_rights(&program(programs, "mariadb-install-db")?);
        install
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", "--skip-name-resolve"])
            .arg(format!("--datadir={}", data.display()))
            .current_dir(process.folder());
        run_to_end(&mut install)?;
        let settings = SETTINGS
            .replace("{{FOLDER}}", &process.folder().display().to_string())
            .replace("{{PORT}}", &port.to_string());
        let settings = process.file("mariadb.cnf", &(settings + more))?;

        let mut command = process.without_rights(&program(programs, "mariadbd")?);
        // The times of the audit log are local, and say no zone.
        command.arg(format!("--defaults-file={}", settings.display())).env("TZ", "UTC");
        let admin = program(programs, "mariadb-admin")?;
        let socket = process.folder().join("socket");
        process.run(&command, || {
            let mut ask = Command::new(&admin);
            ask.args(["--no-defaults", "--silent", "--user", SUPERUSER, "--socket"]);
            ask.arg(&socket).arg("ping").output().is_ok_and(|output| output.status.success())
        })?;
        Ok(Self { process, programs: programs.to_owned(), port })
    }

    /// A program of MariaDB that goes to this server as this user.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn client(&self, name: &str, user: &str, password: &str) -> io::Result<Command> {
        let mut command = Command::new(program(&self.programs, name)?);
        command.args(["--no-defaults", "--user", user]).env("LC_ALL", "C.UTF-8");
        if user == SUPERUSER {
            command.arg("--socket").arg(self.folder().join("socket"));
        } else {
            command
                .args(["--protocol=tcp", "--host=127.0.0.1", "--port", &self.port.to_string()])
                .arg(format!("--password={password}"));
        }
        Ok(command)
    }

    /// The file of its audit log.
    pub fn log(&self) -> PathBuf {
        self.folder().join("log/server_audit.log")
    }

    /// Where it may write.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }
}
