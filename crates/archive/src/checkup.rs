//! Looks at the place of an archive. Nothing stays behind: what is tried is tried in a folder that is removed again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dataward_pipeline::checkup::{Check, Verdict};
use rustix::fs::{Access, access, statfs, statvfs};

use crate::delta_archive::{DeltaArchive, Options};
use crate::lease;
use crate::location::Location;

/// Less free space than this stops everything soon, in bytes.
const FREE_MIN: u64 = 1 << 30;
/// For how many days the free space should last.
const DAYS_MIN: u64 = 30;
/// File systems on other machines, by the number that the kernel gives them. What they promise about links and syncing
/// is not what a commit relies on.
const NETWORK: [(u32, &str); 10] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x517b, "SMB"),
    (0x5346_414f, "AFS"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0102_1997, "9P"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
];
const FUSE: u32 = 0x6573_5546;
const TMPFS: u32 = 0x0102_1994;

/// What was found of an archive.
pub struct Report {
    /// The findings.
    pub checks: Vec<Check>,
    /// The archive, if there is one and it can be read.
    pub archive: Option<DeltaArchive>,
}

/// Looks at an archive, or at the place where one is to be. `bytes_per_day`: what it will have to take, if anybody knows.
pub fn checkup(path: &Path, bytes_per_day: Option<u64>) -> Report {
    let target = path.display().to_string();
    let problem = |name, text: String, advice: &str| {
        Check::found(Verdict::Problem, name, target.as_str(), text, advice)
    };
    let location = match Location::new(path) {
        Ok(location) => location,
        Err(error) => {
            let check = problem("archive.path", error.to_string(), "name another folder");
            return Report { checks: vec![check], archive: None };
        }
    };
    let folder = nearest(location.table());
    let mut checks = Vec::new();
    checks.push(match statfs(&folder) {
        Ok(found) => file_system(&target, found.f_type as u32),
        Err(error) => {
            let text = format!("its file system cannot be looked at: {error}");
            problem("archive.file_system", text, "check that the disk is mounted")
        }
    });
    if let Ok(found) = statvfs(&folder) {
        checks.push(space(&target, found.f_bavail * found.f_frsize, bytes_per_day));
    }
    // Nothing foreign in the table, not even for a moment.
    let (table, state) = (location.table(), location.state());
    let tried_in = if state.is_dir() { state.to_owned() } else { nearest(parent(table)) };
    let tried = try_out(&tried_in).map_err(|error| (&tried_in, error));
    let tried = tried.and_then(|()| may_write(&folder).map_err(|error| (&folder, error)));
    checks.push(match tried {
        Ok(()) => Check::ok("archive.disk", target.as_str(), "writing, syncing and links work"),
        Err((folder, error)) => {
            let text = format!("{} cannot be used: {error}", folder.display());
            let advice = "give the user of the process the right to write there; the disk must have hard links";
            problem("archive.disk", text, advice)
        }
    });
    let archive = look_inside(&location, path, &target, &mut checks);
    Report { checks, archive }
}

fn look_inside(
    location: &Location,
    path: &Path,
    target: &str,
    checks: &mut Vec<Check>,
) -> Option<DeltaArchive> {
    if !location.table().exists() && !location.state().exists() {
        let text = "there is no archive yet: the first start makes one";
        checks.push(Check::ok("archive.opens", target, text));
        return None;
    }
    let holder = lease::holder(path).filter(|holder| !holder.is_released);
    checks.push(match holder {
        Some(holder) => {
            let text = format!("{} holds it, or died holding it", holder.owner);
            let advice = "another start stands by until that process ends";
            Check::found(Verdict::Note, "archive.lease", target, text, advice)
        }
        None => Check::ok("archive.lease", target, "nobody holds it"),
    });
    match DeltaArchive::open_read_only(path, &Options::default()) {
        Ok(archive) => {
            let partitions = archive.table_progress().len();
            let text = format!("commit {} with {partitions} partitions", archive.version());
            checks.push(Check::ok("archive.opens", target, text));
            Some(archive)
        }
        Err(error) => {
            let advice = "see docs/operations.md, At code 5: do not just start again";
            let text = error.to_string();
            checks.push(Check::found(Verdict::Problem, "archive.opens", target, text, advice));
            None
        }
    }
}

/// The path itself, or the nearest one above it that is there.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn may_write(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK)?)
}

fn file_system(target: &str, kind: u32) -> Check {
    let name = "archive.file_system";
    if let Some((_, network)) = NETWORK.iter().find(|(number, _)| *number == kind) {
        let text = format!("it lies on a network file system ({network})");
        let advice = "use a local disk: a commit relies on links and syncing that a network does not promise";
        return Check::found(Verdict::Problem, name, target, text, advice);
    }
    match kind {
        FUSE => {
            let text = "it lies on a FUSE file system, which may be one of a network";
            let advice = "make sure that it is a local disk";
            Check::found(Verdict::Warning, name, target, text, advice)
        }
        TMPFS => {
            let text = "it lies in memory (tmpfs): it is gone with the next boot";
            Check::found(Verdict::Warning, name, target, text, "use a disk")
        }
        _ => Check::ok(name, target, "a local file system"),
    }
}

fn space(target: &str, free: u64, bytes_per_day: Option<u64>) -> Check {
    let name = "archive.space";
    let megabytes = free >> 20;
    if free < FREE_MIN {
        let text = format!("{megabytes} MiB are free, less than 1024");
        return Check::found(
            Verdict::Problem,
            name,
            target,
            text,
            "make room, or use another disk",
        );
    }
    let Some(per_day) = bytes_per_day.filter(|bytes| *bytes > 0) else {
        return Check::ok(name, target, format!("{megabytes} MiB are free"));
    };
    let days = free / per_day;
    let text = format!(
        "{megabytes} MiB are free: {days} days or more, at the {} MiB of records of the last day, uncompressed",
        per_day >> 20
    );
    if days < DAYS_MIN {
        let advice = "make room: nothing is deleted by us";
        return Check::found(Verdict::Warning, name, target, text, advice);
    }
    Check::ok(name, target, text)
}

/// What a commit does to the disk, done to a file that goes again.
fn try_out(folder: &Path) -> io::Result<()> {
    let place = folder.join(format!(".dataward-doctor-{}", std::process::id()));
    fs::create_dir(&place)?;
    let tried = try_in(&place);
    let removed = fs::remove_dir_all(&place);
    tried.and(removed)
}

fn try_in(place: &Path) -> io::Result<()> {
    let (one, other) = (place.join("one"), place.join("other"));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&one)?;
    file.write_all(b"dataward")?;
    file.sync_all()?;
    fs::hard_link(&one, &other)?;
    // A commit is one link that only the first can make.
    if fs::hard_link(&one, &other).is_ok() {
        return Err(io::Error::other("a link replaced one that was there"));
    }
    File::open(place)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_refused_and_memory_is_warned_of() {
        let verdict = |kind| file_system("archive", kind).verdict;
        assert_eq!(verdict(0x6969), Verdict::Problem);
        assert_eq!(verdict(0xff53_4d42), Verdict::Problem);
        assert_eq!(verdict(FUSE), Verdict::Warning);
        assert_eq!(verdict(TMPFS), Verdict::Warning);
        // ext4
        assert_eq!(verdict(0xef53), Verdict::Ok);
    }

    #[test]
    fn the_free_space_is_compared_with_what_comes() {
        let verdict = |free, per_day| space("archive", free, per_day).verdict;
        assert_eq!(verdict(FREE_MIN - 1, None), Verdict::Problem);
        assert_eq!(verdict(FREE_MIN, None), Verdict::Ok);
        assert_eq!(verdict(30 << 30, Some(1 << 30)), Verdict::Ok);
        assert_eq!(verdict(29 << 30, Some(1 << 30)), Verdict::Warning);
    }

    #[test]
    fn what_is_tried_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        try_out(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("missing");
        assert!(try_out(&missing).is_err());
        assert_eq!(nearest(&missing.join("archive")), folder.path());
    }
}
