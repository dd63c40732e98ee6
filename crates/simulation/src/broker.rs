//! A real Apache Kafka broker for tests: one KRaft node on free ports of loopback, stopped when it is dropped.

use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server_process::{ServerProcess, announced, free_ports, insist, run_to_end};

/// Where `scripts/test` has put the broker's jars.
const LIBRARIES: &str = "DATAWARD_KAFKA_LIBS";
/// Any cluster id will do, as long as format and start agree.
const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qg";
/// The broker's own configuration, in its folder.
const PROPERTIES: &str = "server.properties";
/// Who may speak at the guarded port.
pub const USER: &str = "reader";
/// That user's password, until it is changed.
pub const PASSWORD: &str = "open-sesame-4711";

/// A broker: running, or stopped for a while.
#[derive(Debug)]
pub struct Broker {
    process: ServerProcess,
    class_path: String,
    port: u16,
    guarded_port: u16,
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
        let Some(libraries) = announced(LIBRARIES, "real broker")? else { return Ok(None) };
        let class_path = format!("{}/*", Path::new(&libraries).display());
        insist(|| Self::start_once(&class_path)).map(Some)
    }

    fn start_once(class_path: &str) -> io::Result<Self> {
        let process = ServerProcess::new("the broker", "KILL")?;
        let [port, guarded_port, controller_port] = free_ports()?;
        let template = std::fs::read_to_string(scripts().join("server.properties.template"))?;
        let properties = template
            .replace("{{DATA_DIR}}", &process.folder().join("data").display().to_string())
            .replace("{{BROKER_PORT}}", &port.to_string())
            .replace("{{GUARDED_PORT}}", &guarded_port.to_string())
            .replace("{{CONTROLLER_PORT}}", &controller_port.to_string())
            .replace("{{PASSWORD}}", PASSWORD);
        let file = process.folder().join(PROPERTIES);
        std::fs::write(&file, properties)?;

        let mut format = Command::new("java");
        format
            .args(flags(class_path))
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(&file);
        run_to_end(&mut format)?;
        let mut broker = Self { process, class_path: class_path.to_owned(), port, guarded_port };
        broker.run()?;
        Ok(broker)
    }

    /// Starts the process and waits until it serves.
    fn run(&mut self) -> io::Result<()> {
        let mut command = Command::new("java");
        command
            .args(flags(&self.class_path))
            .arg("kafka.Kafka")
            .arg(self.process.folder().join(PROPERTIES));
        // It opens its ports when it can serve.
        let port = self.port;
        self.process.run(&command, || TcpStream::connect(("127.0.0.1", port)).is_ok())
    }

    /// Kills the process. What it has on disk stays, for [`start_again`](Self::start_again).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&mut self) -> io::Result<()> {
        self.process.stop()
    }

    /// Starts a stopped broker again: on the same ports, with what it had.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub fn start_again(&mut self) -> io::Result<()> {
        self.run()
    }

    /// Gives the user of [`guarded`](Self::guarded) another password, from the next start on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn change_password(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.process.folder().join(PROPERTIES);
        let properties = std::fs::read_to_string(&file)?;
        std::fs::write(file, properties.replace(from, to))
    }

    /// Where it answers.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where it answers only [`USER`] with its password, by SASL PLAIN.
    pub fn guarded(&self) -> String {
        format!("127.0.0.1:{}", self.guarded_port)
    }
}

fn flags(class_path: &str) -> Vec<String> {
    let log = scripts().join("log4j2.properties");
    let log = format!("-Dlog4j2.configurationFile={}", log.display());
    let jvm =
        ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
    jvm.into_iter().chain([log.as_str(), "-cp", class_path]).map(str::to_owned).collect()
}
