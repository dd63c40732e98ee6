//! Any bytes as a record of `ocsf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("ocsf", payload));
