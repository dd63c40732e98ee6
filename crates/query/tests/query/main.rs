//! Questions to archives that the real archive has written.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod damage;
mod limits;
mod pruning;
mod sql;
mod support;
mod timeline;
mod versions;
