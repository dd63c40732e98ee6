//! The context file of a run: read again when it has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use dataward_detect::context::Context;
use dataward_pipeline::informant::NewContext;

use crate::config;

/// A file, and what it said when it could last be used.
#[derive(Debug)]
pub(crate) struct ContextFile {
    path: PathBuf,
    /// What tells whether it has changed.
    stamp: Option<Stamp>,
    latest: Arc<Context>,
}

/// When it was written, and how long it is.
type Stamp = (SystemTime, u64);

impl ContextFile {
    /// A file that said this when the configuration was read.
    pub(crate) fn new(path: PathBuf, latest: Arc<Context>) -> Self {
        // Of a file that was changed since then it is asked again.
        Self { path, stamp: None, latest }
    }

    /// What it said when it could last be used.
    pub(crate) fn latest(&self) -> &Arc<Context> {
        &self.latest
    }

    /// What it says now, if that is something else.
    pub(crate) fn ask(&mut self) -> Option<NewContext> {
        // While an editor replaces it there may be none for a moment.
        let stamp = stamp(&self.path)?;
        if self.stamp == Some(stamp) {
            return None;
        }
        self.stamp = Some(stamp);
        match config::context(&self.path) {
            Ok(context) if context == *self.latest => None,
            Ok(context) => {
                self.latest = Arc::new(context);
                Some(Ok(Arc::clone(&self.latest)))
            }
            Err(reason) => Some(Err(reason)),
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_the_last_good_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("context.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("");
        let mut file = ContextFile::new(path.clone(), Arc::default());
        assert!(file.ask().is_none(), "it says the same");
        write("[trusted]\naccounts = [\"111122223333\"]\n");
        let told = file.ask().unwrap().unwrap();
        assert_eq!(told.trusted.accounts, ["111122223333"]);
        assert!(file.ask().is_none(), "told once");
        write("[trusted]\naccount = 1\n");
        assert!(file.ask().unwrap().unwrap_err().contains("line 2"));
        assert_eq!(file.latest().trusted.accounts, ["111122223333"]);
    }
}
