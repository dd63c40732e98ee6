//! Any bytes as a record of `mysql.audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("mysql.audit", payload));
