//! What the tests stand on.

pub(crate) mod archive;
pub(crate) mod cloudtrail;
pub(crate) mod disk;
pub(crate) mod health;
pub(crate) mod kafka;
pub(crate) mod process;
pub(crate) mod soak;
pub(crate) mod story;
