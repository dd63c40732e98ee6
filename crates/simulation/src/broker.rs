//! A real Apache Kafka broker for tests: one KRaft node on free ports of loopback, stopped when it is dropped.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
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
/// A port that was free a moment ago may be taken when the broker wants it.
const ATTEMPTS: u32 = 3;

/// Runs the broker until our end of its standard input is closed: by a drop, or by the end of this process, however it
/// ended. A broker that the tests of one binary share stands in a static, which is never dropped.
const GUARD: &str = r#"
folder=$1
shift
exec 3<&0
"$@" </dev/null 3<&- >/dev/null 2>"$folder/log.txt" &
broker=$!
(read -r _ <&3; kill -9 $broker) 2>/dev/null &
wait $broker
test -e "$folder/starting" || rm -rf "$folder"
"#;

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    guard: Child,
    port: u16,
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
        let class_path = format!("{}/*", Path::new(&libraries).display());
        let mut attempt = 1;
        loop {
            match Self::start_once(&class_path) {
                Ok(broker) => return Ok(Some(broker)),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(error) => eprintln!("trying again: {error}"),
            }
            attempt += 1;
        }
    }

    fn start_once(class_path: &str) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let (port, controller_port) = free_ports()?;
        let template = std::fs::read_to_string(scripts().join("server.properties.template"))?;
        let properties = template
            .replace("{{DATA_DIR}}", &folder.path().join("data").display().to_string())
            .replace("{{BROKER_PORT}}", &port.to_string())
            .replace("{{CONTROLLER_PORT}}", &controller_port.to_string());
        let file = folder.path().join("server.properties");
        std::fs::write(&file, properties)?;

        let format = Command::new("java")
            .args(flags(class_path))
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(&file)
            .output()?;
        if !format.status.success() {
            let said = String::from_utf8_lossy(&format.stderr).into_owned();
            return Err(io::Error::other(format!("the broker's storage was refused: {said}")));
        }
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(folder.path())
            .arg("java")
            .args(flags(class_path))
            .arg("kafka.Kafka")
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests; the broker follows them.
            .process_group(0)
            .spawn()?;
        let mut broker = Self { guard, port };
        broker.wait(folder.path())?;
        // The guard removes it.
        let _ = folder.keep();
        Ok(broker)
    }

    /// Waits for the port: the broker opens it when it can serve.
    fn wait(&mut self, folder: &Path) -> io::Result<()> {
        let until = Instant::now() + START;
        // What it says must outlive it, should it fail.
        let starting = folder.join("starting");
        std::fs::write(&starting, "")?;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if self.guard.try_wait()?.is_some() || Instant::now() > until {
                let said = std::fs::read_to_string(folder.join("log.txt")).unwrap_or_default();
                return Err(io::Error::other(format!("the broker did not start: {said}")));
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        std::fs::remove_file(starting)
    }

    /// Where it answers.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The guard kills the broker and removes its folder.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn flags(class_path: &str) -> Vec<String> {
    let log = scripts().join("log4j2.properties");
    let log = format!("-Dlog4j2.configurationFile={}", log.display());
    let jvm =
        ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
    jvm.into_iter().chain([log.as_str(), "-cp", class_path]).map(str::to_owned).collect()
}

/// Two ports that were free a moment ago; held together, so that they differ.
fn free_ports() -> io::Result<(u16, u16)> {
    let one = TcpListener::bind(("127.0.0.1", 0))?;
    let other = TcpListener::bind(("127.0.0.1", 0))?;
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}
