//! A real PostgreSQL with pgaudit for tests: on a free port of loopback, stopped when it is dropped.
//!
//! It logs as `docs/sources/postgres.pgaudit.md` says, in three forms at once.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server_process::{ServerProcess, announced, free_ports, insist, program, run_to_end};

/// Where `scripts/test` has put its programs.
const PROGRAMS: &str = "DATAWARD_POSTGRES";
/// What it is told; see there.
const SETTINGS: &str = include_str!("../../../scripts/servers/postgresql.conf.template");
/// Who may do everything.
pub const SUPERUSER: &str = "postgres";
/// That user's password.
pub const PASSWORD: &str = "postgres-4711";

/// A running server.
#[derive(Debug)]
pub struct PostgresServer {
    process: ServerProcess,
    programs: OsString,
    port: u16,
}

/// The forms of its log. All three tell the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Lines for people, with `log_line_prefix`. A record may span lines.
    Text,
    /// One JSON object a line.
    Json,
    /// CSV. A record may span lines.
    Csv,
}

impl PostgresServer {
    /// Starts a server, with more settings than its usual ones. `None`, said aloud, where its programs are missing and
    /// nobody requires them.
    ///
    /// # Errors
    /// When the server does not answer in time.
    pub fn start(more: &str) -> io::Result<Option<Self>> {
        let Some(programs) = announced(PROGRAMS, "real PostgreSQL")? else { return Ok(None) };
        insist(|| Self::start_once(&programs, more)).map(Some)
    }

    fn start_once(programs: &OsStr, more: &str) -> io::Result<Self> {
        // Its processes end at once, and leave no shared memory behind.
        let mut process = ServerProcess::new("PostgreSQL", "QUIT")?;
        let [port] = free_ports()?;
        process.subfolder("log")?;
        let data = process.folder().join("data");
        let password = process.file("password", PASSWORD)?;
        let mut initdb = process.without_rights(&program(programs, "initdb")?);
        initdb
            .args(["--username", SUPERUSER, "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--no-locale", "--no-sync", "--pwfile"])
            .arg(&password)
            .arg("--pgdata")
            .arg(&data)
            // It wants to know where it stands.
            .current_dir(process.folder());
        run_to_end(&mut initdb)?;
        let settings = SETTINGS
            .replace("{{FOLDER}}", &process.folder().display().to_string())
            .replace("{{PORT}}", &port.to_string());
        std::fs::write(data.join("postgresql.conf"), settings + more)?;

        let mut command = process.without_rights(&program(programs, "postgres")?);
        command.arg("-D").arg(&data);
        let is_ready = program(programs, "pg_isready")?;
        process.run(&command, || {
            let mut ask = Command::new(&is_ready);
            ask.args(["--quiet", "--host=127.0.0.1", "--port", &port.to_string()]);
            ask.status().is_ok_and(|status| status.success())
        })?;
        Ok(Self { process, programs: programs.to_owned(), port })
    }

    /// A program of PostgreSQL that goes to this server as this user.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn client(&self, name: &str, user: &str, password: &str) -> io::Result<Command> {
        let mut command = Command::new(program(&self.programs, name)?);
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", user)
            .env("PGPASSWORD", password)
            .env("LC_ALL", "C");
        // What people have set for themselves.
        for name in ["PGDATABASE", "PGAPPNAME", "PGOPTIONS", "PGSERVICE", "PGSSLMODE"] {
            command.env_remove(name);
        }
        Ok(command)
    }

    /// The file of its log.
    pub fn log(&self, form: Log) -> PathBuf {
        let ending = match form {
            Log::Text => "log",
            Log::Json => "json",
            Log::Csv => "csv",
        };
        self.folder().join("log/postgresql").with_extension(ending)
    }

    /// Where it may write.
    pub fn folder(&self) -> &Path {
        self.process.folder()
    }
}
