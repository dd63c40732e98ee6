//! The archive from outside: the port's contract, storage that fails, damage that must be found.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod damage;
mod faults;
mod faulty_store;
mod foreign;
mod golden;
mod protocol;
mod roundtrip;
mod shared;
mod snapshots;
mod support;
