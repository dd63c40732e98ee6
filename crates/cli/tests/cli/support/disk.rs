//! A small disk that a test can fill, and make read-only: memory, mounted in a namespace of its own.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::process::{DATAWARD, until};

/// Mounts it, says so, and keeps the namespace until our end of its standard input is closed.
const HOLDER: &str = r#"mount -t tmpfs -o size="$2" tmpfs "$1" && echo mounted && exec cat"#;

/// The disk. It is gone when this is dropped.
pub(crate) struct Disk {
    holder: Child,
    folder: PathBuf,
}

impl Disk {
    /// A disk of this size, mounted on a folder. `None`, said aloud: the system lets nobody mount.
    pub(crate) fn mount(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", HOLDER, "sh"])
            .arg(folder)
            .arg(size)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(holder) = holder else {
            eprintln!("SKIPPED: no unshare here: nothing can be mounted");
            return None;
        };
        let mut disk = Self { holder, folder: folder.to_owned() };
        let mut said = String::new();
        BufReader::new(disk.holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said == "mounted\n" {
            return Some(disk);
        }
        eprintln!("SKIPPED: the system lets nobody mount a disk in a namespace");
        None
    }

    /// Where something on the disk is seen from outside.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap())
    }

    fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.holder.id().to_string();
        command.args(["--target", &target, "--user", "--mount", "--preserve-credentials", program]);
        command
    }

    /// The binary where the disk is.
    pub(crate) fn dataward<T: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = T>,
    ) -> Command {
        let mut command = self.inside(DATAWARD);
        command.args(arguments);
        command
    }

    fn filler(&self) -> PathBuf {
        self.seen(&self.folder.join("filler"))
    }

    /// Takes all of the disk but so many bytes.
    pub(crate) fn fill(&self, but: u64) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        let some = vec![0_u8; 4096];
        while file.write_all(&some).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length - but).unwrap();
    }

    /// Gives all of it back.
    pub(crate) fn free(&self) {
        File::create(self.filler()).unwrap();
    }

    /// Nobody may write any more, or everybody again. The system refuses the first while a file is being written.
    pub(crate) fn set_read_only(&self, is_read_only: bool) {
        let options = if is_read_only { "remount,ro" } else { "remount,rw" };
        until("the disk to be mounted again", || {
            let mut mount = self.inside("mount");
            let status = mount.args(["-o", options]).arg(&self.folder).stderr(Stdio::null());
            status.status().unwrap().success().then_some(())
        });
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
