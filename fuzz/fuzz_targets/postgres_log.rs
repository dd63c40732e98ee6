//! Any bytes as a record of `postgres.log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("postgres.log", payload));
