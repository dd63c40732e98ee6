//! A real Apache Kafka broker for tests: one KRaft node on free ports of loopback, stopped when it is dropped.

use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where `scripts/test` has put the broker's jars.
const LIBRARIES: &str = "DATAWARD_KAFKA_LIBS";
/// Set by `scripts/test`: a test without its server fails instead of being skipped.
const REQUIRE: &str = "DATAWARD_REQUIRE_SERVERS";
/// Any cluster id will do, as long as format and start agree.
const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qg";
/// How long the broker may take to answer.
const START: Duration = Duration::from_secs(60);

/// A running broker.
pub struct Broker {
    process: Child,
    port: u16,
    _folder: TempDir,
}

/// The folder of the repository's scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka")
}

impl Broker {
    /// Starts a broker. `None`, said aloud, where its jars are missing and nobody requires them.
    ///
    /// # Errors
    /// When Java is missing, or the broker does not answer in time.
    pub fn start() -> io::Result<Option<Self>> {
        let Some(libraries) = std::env::var_os(LIBRARIES) else {
            if std::env::var_os(REQUIRE).is_some() {
                return Err(io::Error::other(format!("{LIBRARIES} is not set")));
            }
            eprintln!("SKIPPED: no real broker ({LIBRARIES} is not set; scripts/test sets it)");
            return Ok(None);
        };
        let folder = TempDir::new()?;
        let (port, controller_port) = (free_port()?, free_port()?);
        let template = std::fs::read_to_string(scripts().join("server.properties.template"))?;
        let properties = template
            .replace("{{DATA_DIR}}", &folder.path().join("data").display().to_string())
            .replace("{{BROKER_PORT}}", &port.to_string())
            .replace("{{CONTROLLER_PORT}}", &controller_port.to_string());
        let file = folder.path().join("server.properties");
        std::fs::write(&file, properties)?;

        let class_path = format!("{}/*", Path::new(&libraries).display());
        let format = java(&class_path)
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(&file)
            .output()?;
        if !format.status.success() {
            let said = String::from_utf8_lossy(&format.stderr).into_owned();
            return Err(io::Error::other(format!("the broker's storage was refused: {said}")));
        }
        let process = java(&class_path)
            .arg("kafka.Kafka")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut broker = Self { process, port, _folder: folder };
        broker.wait()?;
        Ok(Some(broker))
    }

    /// Waits for the port: the broker opens it when it can serve.
    fn wait(&mut self) -> io::Result<()> {
        let until = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if self.process.try_wait()?.is_some() || Instant::now() > until {
                let mut said = String::new();
                let _ = self.process.kill();
                if let Some(stderr) = &mut self.process.stderr {
                    stderr.read_to_string(&mut said)?;
                }
                return Err(io::Error::other(format!("the broker did not start: {said}")));
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Where it answers.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Its data goes with its folder.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn java(class_path: &str) -> Command {
    let mut command = Command::new("java");
    let log = scripts().join("log4j2.properties");
    command.args([
        "-Xms64m",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xshare:auto",
    ]);
    command.arg(format!("-Dlog4j2.configurationFile={}", log.display()));
    command.args(["-cp", class_path]);
    command
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
