//! Any bytes as a record of `postgres.pgaudit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("postgres.pgaudit", payload));
