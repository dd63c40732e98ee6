//! Any bytes as a record of `mongodb.atlas`.
#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| dataward_fuzz::check("mongodb.atlas", payload));
