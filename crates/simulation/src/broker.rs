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
/// The broker's own configuration, in its folder.
const PROPERTIES: &str = "server.properties";
/// Who may speak at the guarded port.
pub const USER: &str = "reader";
/// That user's password, until it is changed.
pub const PASSWORD: &str = "open-sesame-4711";
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
test -e "$folder/kept" || rm -rf "$folder"
"#;

/// A broker: running, or stopped for a while.
#[derive(Debug)]
pub struct Broker {
    /// `None` while it is stopped.
    guard: Option<Child>,
    folder: PathBuf,
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
        let [port, guarded_port, controller_port] = free_ports()?;
        let template = std::fs::read_to_string(scripts().join("server.properties.template"))?;
        let properties = template
            .replace("{{DATA_DIR}}", &folder.path().join("data").display().to_string())
            .replace("{{BROKER_PORT}}", &port.to_string())
            .replace("{{GUARDED_PORT}}", &guarded_port.to_string())
            .replace("{{CONTROLLER_PORT}}", &controller_port.to_string())
            .replace("{{PASSWORD}}", PASSWORD);
        let file = folder.path().join(PROPERTIES);
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
        let (class_path, folder) = (class_path.to_owned(), folder.keep());
        let mut broker = Self { guard: None, folder, class_path, port, guarded_port };
        broker.run()?;
        Ok(broker)
    }

    /// Starts the process and waits until it serves.
    fn run(&mut self) -> io::Result<()> {
        // What it says must outlive it, should it fail.
        self.keep(true)?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(&self.folder)
            .arg("java")
            .args(flags(&self.class_path))
            .arg("kafka.Kafka")
            .arg(self.folder.join(PROPERTIES))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the tests; the broker follows them.
            .process_group(0)
            .spawn()?;
        let guard = self.guard.insert(guard);
        let until = Instant::now() + START;
        // It opens its ports when it can serve.
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if guard.try_wait()?.is_some() || Instant::now() > until {
                let said = std::fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default();
                return Err(io::Error::other(format!("the broker did not start: {said}")));
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        self.keep(false)
    }

    /// Whether the folder outlives the process.
    fn keep(&self, is_kept: bool) -> io::Result<()> {
        let mark = self.folder.join("kept");
        if is_kept { std::fs::write(mark, "") } else { std::fs::remove_file(mark) }
    }

    /// Kills the process. What it has on disk stays, for [`start_again`](Self::start_again).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&mut self) -> io::Result<()> {
        self.keep(true)?;
        self.kill();
        Ok(())
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
        let file = self.folder.join(PROPERTIES);
        let properties = std::fs::read_to_string(&file)?;
        std::fs::write(file, properties.replace(from, to))
    }

    fn kill(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            // The guard kills the broker, and removes its folder unless it is kept.
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
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

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn flags(class_path: &str) -> Vec<String> {
    let log = scripts().join("log4j2.properties");
    let log = format!("-Dlog4j2.configurationFile={}", log.display());
    let jvm =
        ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
    jvm.into_iter().chain([log.as_str(), "-cp", class_path]).map(str::to_owned).collect()
}

/// Ports that were free a moment ago; held together, so that they differ.
fn free_ports() -> io::Result<[u16; 3]> {
    let bind = || TcpListener::bind(("127.0.0.1", 0));
    let held = [bind()?, bind()?, bind()?];
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    Ok([port(&held[0])?, port(&held[1])?, port(&held[2])?])
}
