//! A real rsyslog for tests: it follows files and sends what comes to Kafka, until it is dropped.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use crate::server_process::{ServerProcess, announced, program, run_to_end};

/// Where `scripts/test` has put its program.
const PROGRAMS: &str = "DATAWARD_RSYSLOG";
/// What it is told; see there.
const SETTINGS: &str = include_str!("../../../scripts/servers/rsyslog.conf.template");

/// A running rsyslog.
#[derive(Debug)]
pub struct Rsyslog {
    process: ServerProcess,
}

/// A file that is followed from its first line on.
#[derive(Debug, Clone)]
pub struct Followed<'a> {
    /// The file. It need not be there yet.
    pub file: PathBuf,
    /// The program that writes it, as syslog names it.
    pub program: &'a str,
    /// How the first line of a record looks, as a POSIX regular expression. `None`: every line is a record.
    pub begins: Option<&'a str>,
    /// Where it goes.
    pub topic: &'a str,
    /// As what.
    pub form: Form,
}

/// What stands around a record of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Syslog as in RFC 5424.
    Syslog,
    /// A JSON object with the members `host` and `message`.
    Json,
}

impl Form {
    fn template(self) -> &'static str {
        match self {
            Self::Syslog => "RSYSLOG_SyslogProtocol23Format",
            Self::Json => "json",
        }
    }
}

impl Rsyslog {
    /// Starts it on a machine of this name. `None`, said aloud, where its program is missing and nobody requires it.
    ///
    /// # Errors
    /// When it does not understand what it is told.
    pub fn start(brokers: &str, host: &str, files: &[Followed<'_>]) -> io::Result<Option<Self>> {
        let Some(programs) = announced(PROGRAMS, "real rsyslog")? else { return Ok(None) };
        Self::start_once(&programs, brokers, host, files).map(Some)
    }

    fn start_once(
        programs: &OsStr,
        brokers: &str,
        host: &str,
        files: &[Followed<'_>],
    ) -> io::Result<Self> {
        let mut process = ServerProcess::new("rsyslog", "KILL")?;
        process.subfolder("state")?;
        let mut settings = SETTINGS
            .replace("{{FOLDER}}", &process.folder().display().to_string())
            .replace("{{HOST}}", host);
        for (number, file) in files.iter().enumerate() {
            settings += &followed(number, file, brokers);
        }
        let settings = process.file("rsyslog.conf", &settings)?;
        let pid = process.folder().join("pid");
        let rsyslogd = program(programs, "rsyslogd")?;
        // Otherwise it would go on with half of it.
        run_to_end(process.without_rights(&rsyslogd).arg("-N1").arg("-f").arg(&settings))?;
        let mut command = process.without_rights(&rsyslogd);
        command.arg("-n").arg("-f").arg(&settings).arg("-i").arg(&pid);
        // It serves nobody. What it follows it reads from the beginning, whenever it begins.
        process.run(&command, || pid.exists())?;
        Ok(Self { process })
    }

    /// What it said: nothing, when all went well.
    pub fn said(&self) -> String {
        self.process.said()
    }
}

fn followed(number: usize, file: &Followed<'_>, brokers: &str) -> String {
    let mut text = String::new();
    let Followed { file, program, begins, topic, form } = file;
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#"input(type="imfile" file="{}" tag="{program}" ruleset="to-{number}" escapeLF="off""#,
        file.display()
    );
    if let Some(begins) = begins {
        // The last record has no next one that ends it.
        let _ = write!(text, r#" startmsg.regex="{begins}" readTimeout="1""#);
    }
    let _ = write!(
        text,
        r#")
ruleset(name="to-{number}") {{
  action(type="omkafka" broker=["{brokers}"] topic="{topic}" key="{program}" template="{}"
         action.resumeRetryCount="-1")
}}
"#,
        form.template()
    );
    text
}
