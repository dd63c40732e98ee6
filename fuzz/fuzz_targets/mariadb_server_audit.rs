//! Any bytes as a record of `mariadb.server_audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("mariadb.server_audit", payload));
