//! Any bytes as a record of `gcp.audit`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("gcp.audit", payload));
