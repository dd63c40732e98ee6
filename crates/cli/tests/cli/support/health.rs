//! What a run says of itself over HTTP.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;

use super::kafka::Setup;
use super::process::{DATAWARD, DEADLINE, Running};

/// What a server answered: the status and the body.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    (status, body.to_owned())
}

/// `run` with metrics on any free port, and where they are.
pub(crate) fn start(setup: &Setup) -> (Running, String) {
    let mut command = Command::new(DATAWARD);
    command.args(setup.run());
    start_as(command)
}

/// The same, by a command that becomes `run`.
pub(crate) fn start_as(mut command: Command) -> (Running, String) {
    command.args(["--listen", "127.0.0.1:0"]);
    let mut running = Running::spawn(command);
    let address = |running: &Running| -> Option<String> {
        let stderr = running.stderr();
        let url = stderr.split("\"url\":\"http://").nth(1)?;
        url.split_once('"').map(|(address, _)| address.to_owned())
    };
    running.until("the address of metrics", |running| address(running).is_some());
    let address = address(&running).unwrap();
    (running, address)
}

/// The samples, by name and labels.
pub(crate) struct Scrape(pub(crate) BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn of(address: &str) -> Self {
        let (status, text) = get(address, "/metrics");
        assert_eq!(status, 200);
        assert!(text.ends_with("# EOF\n"), "{text}");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.map(|line| line.rsplit_once(' ').unwrap());
        Self(samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect())
    }

    /// One sample.
    pub(crate) fn one(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.0))
    }

    /// All samples of a name, together.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let is_of = |sample: &str| sample.split('{').next() == Some(name);
        self.0.iter().filter(|(sample, _)| is_of(sample)).map(|(_, value)| value).sum()
    }
}

pub(crate) fn readyz(address: &str) -> (u16, Value) {
    let (status, body) = get(address, "/readyz");
    (status, serde_json::from_str(&body).unwrap())
}

pub(crate) fn codes(body: &Value) -> Vec<&str> {
    let reasons = body["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}
