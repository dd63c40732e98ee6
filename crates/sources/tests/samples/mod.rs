//! Where real samples are found.

use std::path::PathBuf;

/// The folder of real samples; `None`, loudly, where it is not set.
pub(crate) fn test_data(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DATAWARD_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: {what}: DATAWARD_TEST_DATA is not set");
    }
    folder
}
