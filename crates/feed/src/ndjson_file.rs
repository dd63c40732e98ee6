//! A file of alerts, one a line.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use dataward_pipeline::alert::Alert;
use dataward_pipeline::alert_sink::{AlertSink, SinkError};

/// Appends alerts to a file, each batch made durable before it counts as delivered.
pub struct NdjsonFileSink {
    name: String,
    path: PathBuf,
    file: File,
    /// A delivery has failed: its last line may be cut off.
    is_cut: bool,
}

impl NdjsonFileSink {
    /// Opens or creates the file. A last line that a crash cut off is ended, so that the next alert has its own line.
    ///
    /// # Errors
    /// When the file cannot be opened for writing.
    pub fn open(name: &str, path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        end_line(&mut file)?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), file, is_cut: false })
    }

    /// A line that a full disk cut off stands alone, as after a crash: what follows it is whole. Nothing is taken back,
    /// because whoever follows the file would take a shorter one for a new one.
    fn append(&mut self, lines: &str) -> io::Result<()> {
        if self.is_cut {
            end_line(&mut self.file)?;
        }
        self.is_cut = true;
        self.file.write_all(lines.as_bytes())?;
        self.is_cut = false;
        self.file.sync_data()
    }
}

/// Whether a file could be opened for writing, without making one.
///
/// # Errors
/// Why it could not.
pub fn check(path: &Path) -> io::Result<()> {
    if path.exists() {
        return OpenOptions::new().append(true).open(path).map(drop);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let metadata = std::fs::metadata(folder)?;
    if !metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "its folder is a file"));
    }
    Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)?)
}

/// Ends a last line that was cut off.
fn end_line(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut last = [0_u8; 1];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

impl AlertSink for NdjsonFileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, alerts: &[Alert]) -> Result<(), SinkError> {
        let mut lines = String::new();
        for alert in alerts {
            lines.push_str(&alert.json);
            lines.push('\n');
        }
        self.append(&lines).map_err(|error| {
            SinkError::Unavailable(format!("failed to write {}: {error}", self.path.display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_makes_no_file() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("alerts.ndjson");
        check(&path).expect("the folder is ours");
        assert!(!path.exists());
        assert!(check(&path.join("below")).is_err());
        std::fs::write(&path, "").expect("the folder is ours");
        check(&path).expect("the file is ours");
        assert!(check(folder.path()).is_err(), "a folder is no file");
    }

    #[test]
    fn a_line_cut_off_by_a_crash_is_ended_first() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("alerts.ndjson");
        std::fs::write(&path, "{\"cut").expect("the folder is ours");
        drop(NdjsonFileSink::open("file", &path).expect("the file is ours"));
        drop(NdjsonFileSink::open("file", &path).expect("the file is ours"));
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "{\"cut\n");
    }
}
